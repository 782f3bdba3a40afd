// Methods of the program's own: a number in sigev_notify, and behind it the hooks that sigev_method_register() was given.
//
// An entry lives as long as its number is registered or a subscription uses it. A forked child takes its parent's entries over:
// functions are where they were. It copies the table once, without the parent's lock, from memory that only ever grows.
#include "spi/user_methods.hpp"

#include "spi/method.hpp"
#include "spi/workers.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

namespace sigev::backends {

namespace {

struct entry {
    sigev_method hooks{};
    char name[16]{};
    int number = 0;
    std::atomic<bool> registered{true};
    int users = 0; // subscriptions; under the table's lock
    entry* next = nullptr;
};

// Numbers are not given out twice, not even after sigev_shutdown(): a stale one must not name a stranger.
std::atomic<int> last_number{SIGEV_METHOD_FIRST - 1};

class table final : public spi::user_methods {
public:
    explicit table(const table* inherited)
    {
        if (!inherited)
            return;
        for (const entry* e = inherited->first_.load(std::memory_order_acquire); e; e = e->next)
            if (e->registered.load(std::memory_order_acquire))
                insert(e->hooks, e->number);
    }

    ~table() override
    {
        for (entry* e = first_.load(std::memory_order_relaxed); e;) {
            entry* const old = e;
            e = e->next;
            // Every subscription has ended: what is still registered is unregistered by that.
            if (old->registered.load(std::memory_order_relaxed))
                release(old);
            delete old;
        }
    }

    int add(const sigev_method& m) noexcept override
    {
        const std::lock_guard lock(mutex_);
        const int last = last_number.load(std::memory_order_relaxed);
        if (last == SIGEV_METHOD_LAST)
            return -EAGAIN;
        try {
            insert(m, last + 1);
        } catch (const std::bad_alloc&) {
            return -ENOMEM;
        }
        last_number.store(last + 1, std::memory_order_relaxed);
        return last + 1;
    }

    int remove(int number) noexcept override
    {
        entry* released = nullptr;
        {
            const std::lock_guard lock(mutex_);
            entry* const e = find(number);
            if (!e || !e->registered.exchange(false, std::memory_order_acq_rel))
                return EINVAL;
            if (e->users == 0)
                released = e;
        }
        release(released);
        return 0;
    }

    void remove_all() noexcept override
    {
        for (entry* e = first_.load(std::memory_order_acquire); e; e = e->next)
            remove(e->number);
    }

    entry* use(int number) noexcept
    {
        const std::lock_guard lock(mutex_);
        entry* const e = find(number);
        if (!e || !e->registered.load(std::memory_order_relaxed))
            return nullptr;
        ++e->users;
        return e;
    }

    void unuse(entry& e) noexcept
    {
        entry* released = nullptr;
        {
            const std::lock_guard lock(mutex_);
            if (--e.users == 0 && !e.registered.load(std::memory_order_relaxed))
                released = &e;
        }
        release(released);
    }

private:
    void insert(const sigev_method& m, int number)
    {
        auto* e = new entry;
        e->hooks = m;
        std::strncpy(e->name, m.name ? m.name : "user", sizeof e->name - 1);
        e->hooks.name = e->name;
        e->number = number;
        e->next = first_.load(std::memory_order_relaxed);
        first_.store(e, std::memory_order_release);
    }

    entry* find(int number) const noexcept
    {
        entry* e = first_.load(std::memory_order_relaxed);
        while (e && e->number != number)
            e = e->next;
        return e;
    }

    // The entry itself stays where it is: a child may be looking at the list.
    static void release(entry* e) noexcept
    {
        if (e && e->hooks.release)
            e->hooks.release(e->hooks.context);
    }

    std::mutex mutex_;
    std::atomic<entry*> first_{nullptr};
};

struct target {
    table* home;
    entry* method;
    void* own; // what the hook open() made
};

int open(const spi::open_request& request, void** out) noexcept
{
    auto* t = new (std::nothrow) target{static_cast<table*>(&request.methods), nullptr, nullptr};
    if (!t)
        return EAGAIN;
    t->method = t->home->use(request.event.sigev_notify);
    int error = t->method ? 0 : EINVAL;
    if (!error && t->method->hooks.open) {
        error = t->method->hooks.open(t->method->hooks.context, &request.event, &t->own);
        if (error)
            t->home->unuse(*t->method);
    }
    if (error) {
        delete t;
        return error;
    }
    *out = t;
    return 0;
}

spi::verdict deliver(void* p, spi::delivery&, const sigev_notification& n) noexcept
{
    const auto& t = *static_cast<const target*>(p);
    switch (t.method->hooks.deliver(t.method->hooks.context, t.own, &n)) {
    case SIGEV_RETRY: return spi::verdict::retry;
    case SIGEV_GONE: return spi::verdict::gone;
    default: return spi::verdict::delivered;
    }
}

void call(void* p, spi::lane_call& out) noexcept
{
    const auto& t = *static_cast<const target*>(p);
    out.deliver = t.method->hooks.deliver;
    out.context = t.method->hooks.context;
    out.target = t.own;
}

void close(void* p) noexcept
{
    auto* t = static_cast<target*>(p);
    if (t->method->hooks.close)
        t->method->hooks.close(t->method->hooks.context, t->own);
    t->home->unuse(*t->method);
    delete t;
}

} // namespace

extern const spi::method user_method = {
    .name = "user",
    .number = SIGEV_METHOD_FIRST,
    .may_retry = true,
    .runs_user_code = true,
    .deferred = false,
    .open = open,
    .deliver = deliver,
    .withdraw = nullptr,
    .call = call,
    .close = close,
};

} // namespace sigev::backends

namespace sigev::spi {

std::unique_ptr<user_methods> make_user_methods(const user_methods* inherited)
{
    return std::make_unique<backends::table>(static_cast<const backends::table*>(inherited));
}

} // namespace sigev::spi
