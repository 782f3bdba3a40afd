#include "ivykis/thread_loop.hpp"

#include <cerrno>
#include <new>
#include <pthread.h>

namespace sigev::ivykis {

namespace {

struct left_loop {
    loop* of_parent;
    left_loop* next;
};

// Only the thread that has forked exists in a child when it leaves a loop; later ones leave loops that it has made itself.
left_loop* left_by_parents = nullptr;

void leave(loop* inherited) noexcept
{
    // Without memory for the note a leak checker will say what is true.
    if (auto* const note = new (std::nothrow) left_loop{inherited, left_by_parents})
        left_by_parents = note;
}

void give_up(void* value)
{
    auto* const l = static_cast<loop*>(value);
    if (l->inherited())
        leave(l);
    else
        loop::end(l);
}

class thread_key {
public:
    thread_key() noexcept : error_(::pthread_key_create(&key_, &give_up)) {}

    int error() const noexcept { return error_; }
    loop* get() const noexcept { return error_ ? nullptr : static_cast<loop*>(::pthread_getspecific(key_)); }
    int set(loop* l) const noexcept { return ::pthread_setspecific(key_, l); }

private:
    pthread_key_t key_{};
    int error_;
};

// For the life of the process: threads may end at any time. Made when the library is loaded: a child of another thread's first use
// would wait for ever for that thread.
const thread_key only;

const thread_key& key() noexcept
{
    return only;
}

} // namespace

loop* thread_loop() noexcept
{
    loop* const l = key().get();
    return l && !l->inherited() ? l : nullptr;
}

int make_thread_loop() noexcept
try {
    if (thread_loop())
        return 0;
    if (const int error = key().error())
        return error;
    if (sigev_epoch() == 0)
        return ENOMEM;
    auto* const fresh = new loop;
    loop* const inherited = key().get();
    if (const int error = key().set(fresh)) {
        loop::end(fresh);
        return error;
    }
    if (inherited)
        leave(inherited);
    return 0;
} catch (const std::bad_alloc&) {
    return ENOMEM;
}

void end_thread_loop() noexcept
{
    loop* const l = key().get();
    if (!l)
        return;
    key().set(nullptr);
    give_up(l);
}

} // namespace sigev::ivykis
