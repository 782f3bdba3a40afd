#include "kqueue/note.hpp"

#include "kqueue/queue.hpp"

#include <new>

namespace sigev::kq {

void note_list::push_back(knote& n, std::uint64_t order) noexcept
{
    n.list = this;
    n.order = order;
    n.previous = back_;
    n.next = nullptr;
    (back_ ? back_->next : front_) = &n;
    back_ = &n;
}

void note_list::erase(knote& n) noexcept
{
    (n.previous ? n.previous->next : front_) = n.next;
    (n.next ? n.next->previous : back_) = n.previous;
    n.list = nullptr;
}

void leavings::add(knote& n) noexcept
{
    const bool is_freed = n.over();
    if (n.waiting.empty() && !is_freed)
        return;
    n.left = n.waiting.release();
    n.state.withdraw();
    n.is_freed = is_freed;
    n.next = std::exchange(first_, &n);
}

leavings::~leavings()
{
    while (knote* const n = first_) {
        first_ = n->next;
        const bool is_freed = n->is_freed; // if not, it may be gone with its last delivery
        spi::delivery* left = n->left;
        spi::delivery_port& port = n->port;
        while (spi::delivery* const d = left) {
            left = d->next;
            port.drop(*d);
        }
        if (is_freed)
            free(*n);
    }
}

void leavings::free(knote& n) noexcept
{
    queue& owner = n.owner;
    if (mark* const m = n.mark) {
        board_.give_back(marks::chain_of(n.event.ident), *m);
        n.~knote();
        ::operator delete(&n); // and with it all that was left of the request
    } else {
        delete &n;
    }
    owner.release();
}

} // namespace sigev::kq
