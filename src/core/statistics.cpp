#include "core/statistics.hpp"

#include "core/registry.hpp"
#include "sys/clock.hpp"
#include "sys/fork_epoch.hpp"

#include <cstdlib>
#include <errno.h> // program_invocation_short_name
#include <unistd.h>

namespace sigev::core::statistics {

namespace page_of = sys::statistics;

namespace detail {
std::atomic<page_of::page*> shared{nullptr};
}

namespace {

/// This process's places in the page.
struct {
    std::atomic<std::uint32_t> epoch{0};  ///< of the process whose they are
    std::atomic<page_of::image*> image{nullptr}; ///< null: there was none left
    std::atomic<page_of::row*> rows[SIGEV_SOURCE_COUNT][page_of::method_kinds]{};
} here;

page_of::row nowhere; // where there is no row left

page_of::page& page() noexcept
{
    return *detail::shared.load(std::memory_order_acquire);
}

bool is_mine() noexcept
{
    return here.epoch.load(std::memory_order_acquire) == sys::current_epoch();
}

void add(page_of::number& to, std::uint64_t n = 1) noexcept
{
    to.fetch_add(n, std::memory_order_relaxed);
}

/// By several of this process at once: one of them takes a row that stays empty.
page_of::row* take_row(unsigned source, unsigned kind) noexcept
{
    page_of::row* mine = &nowhere;
    if (const page_of::image* const image = here.image.load(std::memory_order_relaxed)) {
        page_of::page& p = page();
        const std::uint32_t n = p.rows_taken.fetch_add(1, std::memory_order_relaxed);
        if (n < p.rows.size()) {
            mine = &p.rows[n];
            mine->source.store(source, std::memory_order_relaxed);
            mine->kind.store(kind, std::memory_order_relaxed);
            mine->image.store(static_cast<std::uint32_t>(image - p.images.data()) + 1, std::memory_order_release);
        }
    }
    page_of::row* first = nullptr;
    return here.rows[source][kind].compare_exchange_strong(first, mine, std::memory_order_acq_rel) ? mine : first;
}

/// Null: not to be counted.
page_of::row* row_of(int source, int notify) noexcept
{
    if (source == SIGEV_SOURCE_USER || source == SIGEV_SOURCE_CLOCK || !is_mine())
        return nullptr;
    const auto s = static_cast<unsigned>(source);
    const unsigned kind = page_of::kind_of(notify);
    page_of::row* const r = here.rows[s][kind].load(std::memory_order_acquire);
    return r ? r : take_row(s, kind);
}

page_of::row* row_of(const subscription& s) noexcept
{
    return row_of(s.source, s.method->number);
}

std::uint32_t index_of(const page_of::row& r) noexcept
{
    return static_cast<std::uint32_t>(&r - page().rows.data());
}

void take_image(page_of::page& p, bool forked) noexcept
{
    for (auto& of_source : here.rows)
        for (auto& place : of_source)
            place.store(nullptr, std::memory_order_relaxed);
    const std::uint32_t n = p.images_taken.fetch_add(1, std::memory_order_relaxed);
    page_of::image* const i = n < p.images.size() ? &p.images[n] : nullptr;
    here.image.store(i, std::memory_order_relaxed);
    if (!i)
        return;
    i->pid.store(::getpid(), std::memory_order_relaxed);
    i->parent.store(::getppid(), std::memory_order_relaxed);
    i->forked.store(forked, std::memory_order_relaxed);
    i->began.store(static_cast<std::int64_t>(sys::now(CLOCK_MONOTONIC)), std::memory_order_relaxed);
    const char* name = program_invocation_short_name;
    for (std::size_t at = 0; name && *name && at + 1 != i->name.size(); ++at)
        i->name[at] = *name++;
    i->described.store(1, std::memory_order_release);
}

// The last look at what the kernel has raised, which takes no lock, since exit() may have been called anywhere; and that the
// end was this.
void at_exit(int status, void*) noexcept
{
    page_of::image* const image = here.image.load(std::memory_order_acquire);
    if (!image || !is_mine())
        return;
    if (const registry* const all = registry::current())
        if (extension* const timers = all->find(extension_place::timers)) {
            sigev_ledger sum{};
            timers->account(-1, -1, sum);
        }
    image->status.store(status, std::memory_order_relaxed);
    image->exited.store(static_cast<std::int64_t>(sys::now(CLOCK_MONOTONIC)), std::memory_order_release);
}

} // namespace

void share(page_of::page& p) noexcept
{
    const std::uint32_t epoch = sys::ensure_epoch();
    if (epoch == 0)
        return;
    take_image(p, false);
    here.epoch.store(epoch, std::memory_order_release);
    detail::shared.store(&p, std::memory_order_release);
    ::on_exit(at_exit, nullptr); // registered before all the others, so it comes last
}

void join() noexcept
{
    const std::uint32_t epoch = sys::current_epoch();
    if (!wanted() || here.epoch.load(std::memory_order_acquire) == epoch)
        return;
    take_image(page(), true);
    here.epoch.store(epoch, std::memory_order_release);
}

void created(int source, int notify) noexcept
{
    if (page_of::row* const r = row_of(source, notify))
        add(r->created);
}

void raised(const subscription& s, std::uint64_t n) noexcept
{
    if (page_of::row* const r = row_of(s))
        add(r->raised, n);
}

void discarded(const subscription& s, std::uint64_t n) noexcept
{
    if (page_of::row* const r = row_of(s))
        add(r->discarded, n);
}

void note_lateness(record& r, std::int64_t nanoseconds) noexcept
{
    r.lateness = static_cast<std::uint32_t>(page_of::bucket_of(nanoseconds)) + 1;
}

void delivered(const subscription& s, record& r, std::uint64_t n) noexcept
{
    const std::uint32_t lateness = r.lateness;
    r.lateness = 0;
    page_of::row* const row = row_of(s);
    if (!row || n == 0)
        return;
    add(row->delivered);
    add(row->merged, n - 1);
    add(row->late[lateness != 0 ? lateness - 1 : 0]);
}

void request_over(const subscription* told, std::int64_t asked) noexcept
{
    page_of::row* const r = told ? row_of(*told) : row_of(SIGEV_SOURCE_AIO, SIGEV_NONE);
    if (!r)
        return;
    if (asked != 0)
        add(r->took[page_of::bucket_of(static_cast<std::int64_t>(sys::now(CLOCK_MONOTONIC)) - asked)]);
    if (!told) {
        add(r->raised);
        add(r->delivered);
    }
}

// The books first: who dies in between has counted too little, and never too much.
void kernel_timer_ended(int notify, std::uint64_t raised, page_of::account* books, std::uint32_t generation) noexcept
{
    page_of::row* const r = row_of(SIGEV_SOURCE_TIMER, notify);
    if (!r)
        return;
    if (books && r != &nowhere) {
        std::uint32_t owner = page_of::make_owner(generation, index_of(*r));
        books->owner.compare_exchange_strong(owner, 0, std::memory_order_seq_cst);
    }
    add(r->kernel_raised, raised);
}

page_of::account* take_account() noexcept
{
    if (!is_mine())
        return nullptr;
    page_of::page& p = page();
    const std::uint32_t n = p.accounts_taken.fetch_add(1, std::memory_order_relaxed);
    return n < p.accounts.size() ? &p.accounts[n] : nullptr;
}

void open_account(page_of::account& books, int notify, std::uint32_t generation) noexcept
{
    const page_of::row* const r = row_of(SIGEV_SOURCE_TIMER, notify);
    if (r && r != &nowhere)
        books.owner.store(page_of::make_owner(generation, index_of(*r)), std::memory_order_release);
}

} // namespace sigev::core::statistics
