#include "core/registry.hpp"

#include "core/runtime.hpp"
#include "core/statistics.hpp"
#include "sys/fork_epoch.hpp"

#include <cerrno>
#include <new>
#include <sched.h>

namespace sigev::core {

std::atomic<registry*> registry::current_{nullptr};

namespace {

// The start lock: 0, or the epoch of the process that holds it. A child forked while another thread held it finds the
// parent's epoch in it, and takes it over: that thread does not exist here.
std::atomic<std::uint32_t> start_holder{0};

// The epoch of a process that has shut down: from then on it has nothing of its parent's, methods included.
std::atomic<std::uint32_t> ended_in{0};

// A child counts on from where its parent was.
std::atomic<std::uint32_t> lives{0};

class start_lock {
public:
    explicit start_lock(std::uint32_t epoch) noexcept
    {
        for (;;) {
            std::uint32_t holder = start_holder.load(std::memory_order_relaxed);
            if (holder != epoch && start_holder.compare_exchange_strong(holder, epoch, std::memory_order_acquire))
                return;
            ::sched_yield();
        }
    }
    start_lock(const start_lock&) = delete;
    start_lock& operator=(const start_lock&) = delete;
    ~start_lock() { start_holder.store(0, std::memory_order_release); }
};

} // namespace

registry::registry(std::uint32_t e, const registry* inherited)
    : epoch(e), life(++lives), kqueues_(spi::make_kqueues()),
      methods_(spi::make_user_methods(inherited && ended_in != e ? inherited->methods_.get() : nullptr)),
      runtime_(std::make_unique<core::runtime>(*this)), inherited_(inherited)
{
}

registry::~registry()
{
    for (auto& place : extensions_)
        delete place.load(std::memory_order_acquire);
}

registry* registry::ensure() noexcept
{
    if (registry* r = current())
        return r;
    const std::uint32_t epoch = sys::ensure_epoch();
    if (epoch == 0)
        return nullptr;
    start_lock lock(epoch);
    if (registry* r = current())
        return r;
    sys::atomic16_is_lock_free(); // decided now: later it may be asked in a handler
    try {
        auto* fresh = new registry(epoch, current_.load(std::memory_order_acquire));
        statistics::join();
        current_.store(fresh, std::memory_order_release);
        return fresh;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

int registry::shutdown() noexcept
{
    if (dispatcher::current())
        return EDEADLK;
    registry* r = current();
    if (!r) {
        close_retired_event_raws(); // an event_raw needs no registry
        return 0;
    }
    start_lock lock(r->epoch);
    r->stop();
    ended_in = r->epoch;
    close_retired_event_raws(); // nobody is inside the library, so no poster comes back to them
    // A child's registry goes; what it inherited stays where it was.
    current_.store(const_cast<registry*>(r->inherited_), std::memory_order_release);
    delete r;
    return 0;
}

// One that ends by itself (AIO) may be freed at any time: the pin keeps what is not freed yet from going further.
template <class F>
void registry::for_each_open(F&& f) noexcept
{
    subscriptions.for_each([&](subscription& s) {
        s.generation.pin(0, 0);
        if (!(s.gate.load(std::memory_order_seq_cst) & gate_freed))
            f(s);
        s.generation.unpin();
    });
}

// Everything is cancelled first, so that the threads find nothing to start; then the sources end what is under way; then the
// threads end; then what is left on the road is discarded and freed.
void registry::stop() noexcept
{
    stopping_.store(true, std::memory_order_seq_cst);
    for_each_open([](subscription& s) { s.road.load(std::memory_order_acquire)->cancel(s); });
    for (auto& place : extensions_)
        if (extension* e = place.load(std::memory_order_acquire))
            e->stop();
    runtime_->stop();
    // A callback that was in there when its subscription was cancelled may have put its delivery back into the lane, for more
    // or for another try, and no worker has taken it again.
    for_each_open([](subscription& s) { s.road.load(std::memory_order_acquire)->withdraw(s); });
    reactors.for_each([](reactor& r) {
        if (r.is_open())
            r.close();
        else
            r.discard_left(); // by a producer that was inside when it closed
    });
    for_each_open([this](subscription& s) { release(s); });
    reap_dead(true);
    methods_->remove_all();
    fold_silent_requests();
}

// ---- subscriptions ------------------------------------------------------------------------------------------------------

int registry::open(const subscription_spec& spec, subscription*& out) noexcept
{
    reap_dead(true);
    const spi::method* m = spi::builtin_method(spec.event->sigev_notify);
    if (!m)
        return EINVAL;
    std::uint32_t index;
    if (!subscriptions.acquire(index))
        return EAGAIN;
    subscription& s = subscriptions[index];
    if (!reserve_records(s, spec)) {
        subscriptions.release(index);
        return EAGAIN;
    }
    s.road.store(&spec.on->dispatcher(), std::memory_order_relaxed);
    s.ident = spec.ident ? spec.ident : handle_of(s);
    s.target = nullptr;
    s.lane = nullptr;

    core::dispatcher& d = spec.on->dispatcher();
    spi::workers& team = runtime_->team();
    int error = 0;
    {
        std::lock_guard lock(mutex_); // it grows by one at a time
        if (!d.reserve(index))
            error = EAGAIN;
    }
    if (!error && m->may_retry)
        error = spec.on->reserve_retry();
    bool opened = false;
    if (!error) {
        const spi::open_request request{*spec.event, spec.source, s.ident,   spec.concurrency, spec.fresh_thread,
                                        d,           team,        *kqueues_, *methods_};
        opened = !(spec.kind == raising::common && m->join);
        error = opened ? m->open(request, &s.target) : 0;
        opened = opened && error == 0;
    }
    if (!error && m->runs_user_code && runtime_->owns(*spec.on)) {
        spi::lane_call call;
        m->call(s.target, call);
        error = team.open_lane(call, {.concurrency = spec.kind == raising::common ? spec.concurrency : 1}, d, &s.lane);
    }
    if (error) {
        if (opened && m->close)
            m->close(s.target);
        release_records(s);
        subscriptions.release(index);
        return error;
    }
    const bool ends_by_itself = spec.one_shot || spec.kind == raising::common;
    if (ends_by_itself)
        s.generation.pin(0, 0); // before anybody can see it, and end it
    publish(s, *m, spec);
    // Who closes a reactor shuts it and then looks for subscriptions; this publishes one and then looks at the reactor.
    if (!spec.on->is_open()) {
        d.cancel(s);
        if (ends_by_itself)
            s.generation.unpin();
        release(s);
        return EINVAL;
    }
    out = &s;
    return 0;
}

void registry::prepare(subscription& s, const subscription_spec& spec) noexcept
{
    s.one_shot = spec.one_shot;
    s.spare = nullptr;
    s.capacity.store(0, std::memory_order_relaxed);
    s.ring_first = 0;
    s.ring_capacity = 0;
    s.first.store(0, std::memory_order_release); // who reads it and then the claim word sees that it is not the last owner's
}

void registry::set_spare(subscription& s, table_record& r) noexcept
{
    s.spare = &r;
    r.owner = &s;
    r.latched = 0;
}

// Records of its own for a queueing subscription, in a run; and the spare. Nobody reads them before publish().
bool registry::reserve_records(subscription& s, const subscription_spec& spec) noexcept
{
    const std::uint32_t capacity = spec.kind == raising::queueing ? spec.capacity : 0;
    prepare(s, spec);
    std::uint32_t first = 0;
    if (capacity != 0 && !records.acquire(capacity, first))
        return false;
    s.ring_first = first;
    s.ring_capacity = capacity;
    s.first.store(first, std::memory_order_release);
    s.capacity.store(capacity, std::memory_order_relaxed);
    const auto claims = static_cast<std::uint32_t>(returned_count(returned_anew(s.returned.load(std::memory_order_relaxed))));
    for (std::uint32_t i = 0; i != capacity; ++i) {
        table_record& r = records[first + i];
        r.owner = &s;
        r.latched = 0;
        r.slot.store(make_slot(claims + i, first + i), std::memory_order_relaxed);
    }
    if (spec.one_shot || spec.kind == raising::common)
        return true;
    std::uint32_t spare;
    if (!records.acquire(1, spare)) {
        release_records(s);
        return false;
    }
    set_spare(s, records[spare]);
    return true;
}

void registry::release_records(subscription& s) noexcept
{
    if (const std::uint32_t capacity = s.capacity.load(std::memory_order_relaxed))
        records.release(capacity, s.first.load(std::memory_order_relaxed));
    s.capacity.store(0, std::memory_order_relaxed);
    if (s.spare)
        records.release(1, s.spare->index);
    s.spare = nullptr;
}

namespace {

std::uint8_t cause_of(int source) noexcept
{
    switch (source) {
    case SIGEV_SOURCE_TIMER: return SIGEV_CAUSE_EXPIRED;
    case SIGEV_SOURCE_CLOCK: return SIGEV_CAUSE_STEPPED;
    case SIGEV_SOURCE_AIO:
    case SIGEV_SOURCE_AIO_LIST: return SIGEV_CAUSE_COMPLETED;
    default: return SIGEV_CAUSE_SUBMITTED;
    }
}

} // namespace

void registry::publish(subscription& s, const spi::method& m, const subscription_spec& spec) noexcept
{
    std::lock_guard lock(totals_mutex_);
    s.folded = false;
    s.method = &m;
    s.value = spec.event->sigev_value;
    s.code = spec.code;
    s.time = spec.time;
    s.source = static_cast<std::uint8_t>(spec.source);
    s.cause = cause_of(spec.source);
    s.kind = spec.kind;
    s.over = spec.over;
    s.refuses_when_full.store(spec.refuse_when_full, std::memory_order_relaxed);
    for (auto* counter : {&s.raised, &s.delivered, &s.merged, &s.discarded, &s.settled, &s.inflight, &s.occurrences})
        counter->store(0, std::memory_order_relaxed);
    s.overrun.store(0, std::memory_order_relaxed);
    // What was claimed by the owners before it is in the count of the claims, and not its own.
    const std::uint64_t returned = returned_anew(s.returned.load(std::memory_order_relaxed));
    s.returned.store(returned, std::memory_order_relaxed);
    if (spec.kind == raising::queueing)
        s.raised.store(-returned_count(returned), std::memory_order_relaxed);
    s.parked.store(0, std::memory_order_relaxed);
    s.newest.exchange({make_newest(s.generation.generation(), newest_state::idle, 0, 0), s.generation.generation()});
    s.spare_out.store(false, std::memory_order_relaxed);
    s.suspended.store(false, std::memory_order_relaxed);
    s.on_trial.store(false, std::memory_order_relaxed);
    s.released.store(spec.one_shot || spec.kind == raising::common, std::memory_order_relaxed);
    s.handed_out.store(spec.source == SIGEV_SOURCE_USER || spec.source == SIGEV_SOURCE_CLOCK, std::memory_order_relaxed);
    s.claim.store(make_claim(s.generation.generation(), static_cast<std::uint32_t>(returned_count(returned)), 0),
                  std::memory_order_release);
    s.gate.store(0, std::memory_order_seq_cst); // open
}

void registry::release(subscription& s) noexcept
{
    s.released.store(true, std::memory_order_seq_cst);
    maybe_free(s);
}

// Called by everyone who may have been the last to hold the subscription; decided by one exchange. The slot may even have a
// new owner by now: then this looks at the new owner's state, and what it decides is right for that one. From the first look
// to the exchange it must be the same owner's, so the slot is pinned in between; not beyond, or who reaps would find it so.
// Of two who come at once, the one that pins later sees what both have done: that the last record is back, that it is released.
void registry::maybe_free(subscription& s) noexcept
{
    s.generation.pin(0, 0);
    const bool mine = mark_freed(s);
    if (mine)
        s.generation.end(s.generation.generation());
    s.generation.unpin();
    if (!mine)
        return;
    subscription* head = dead_.load(std::memory_order_relaxed);
    do
        s.next_dead = head;
    while (!dead_.compare_exchange_weak(head, &s, std::memory_order_acq_rel, std::memory_order_relaxed));
}

// The gate first: between two owners, where a pin keeps nobody out, it says freed. Seen open or closing under the pin, it is an
// owner's who stays, and all that is looked at afterwards is that one's.
bool registry::mark_freed(subscription& s) noexcept
{
    std::uint32_t gate = s.gate.load(std::memory_order_seq_cst);
    if (!gate_may_free(gate) || !s.released.load(std::memory_order_seq_cst))
        return false;
    const std::uint64_t claim = s.claim.load(std::memory_order_seq_cst);
    if (!claim_is_closing(claim) || claims_out(claim, s.returned.load(std::memory_order_seq_cst)) != 0 ||
        s.spare_out.load(std::memory_order_seq_cst) || (s.occurrences.load(std::memory_order_seq_cst) & occurrences_busy) != 0 ||
        (s.kind == raising::common && s.inflight.load(std::memory_order_seq_cst) != 0))
        return false;
    return s.gate.compare_exchange_strong(gate, gate | gate_freed, std::memory_order_seq_cst);
}

void registry::reap_dead(bool user_code) noexcept
{
    if (!has_dead())
        return;
    subscription* list = dead_.exchange(nullptr, std::memory_order_acquire);
    subscription* later = nullptr;
    bool again = false;
    while (list) {
        subscription& s = *list;
        list = s.next_dead;
        if ((s.method->runs_user_code && !user_code) || !s.generation.advance_if_unpinned()) {
            s.next_dead = later;
            later = &s;
            continue;
        }
        free_now(s);
    }
    while (later) {
        subscription& s = *later;
        later = s.next_dead;
        const bool code = s.method->runs_user_code;
        subscription* head = dead_.load(std::memory_order_relaxed);
        do
            s.next_dead = head;
        while (!dead_.compare_exchange_weak(head, &s, std::memory_order_seq_cst, std::memory_order_relaxed));
        // Who had it pinned looks for the dead after unpinning, and found nothing if that was before this.
        again |= (user_code || !code) && !s.generation.pinned();
    }
    if (again)
        reap_dead(user_code);
}

void registry::free_now(subscription& s) noexcept
{
    fold(s);
    if (s.lane)
        runtime_->team().close_lane(s.lane);
    if (s.method->close && !s.has_its_own_each())
        s.method->close(s.target);
    release_records(s);
    subscriptions.release(s.index);
}

subscription* registry::find(sigev_t number) noexcept
{
    const handle h = decode(number);
    if (h.kind != handle_kind::subscription || h.epoch != (life & epoch_mask))
        return nullptr;
    subscription* s = subscriptions.at(h.index);
    if (!s || !s->generation.pin(h.generation, generation_mask))
        return nullptr;
    // Opened, and the handle not given up: generations of slots that were never published are not worth a guess.
    if (!s->handed_out.load(std::memory_order_acquire) || s->released.load(std::memory_order_acquire) || (s->gate.load(std::memory_order_acquire) & gate_freed)) {
        unpin(*s);
        return nullptr;
    }
    return s;
}

std::uint64_t registry::handle_of(const subscription& s) const noexcept
{
    return encode({handle_kind::subscription, life, 0, s.generation.generation(), s.index});
}

// ---- reactors -------------------------------------------------------------------------------------------------------------

int registry::open_reactor(reactor*& out) noexcept
{
    std::uint32_t index;
    if (!reactors.acquire(index))
        return EAGAIN;
    reactor& r = reactors[index];
    if (const int error = r.open(*this)) {
        reactors.release(index);
        return error;
    }
    out = &r;
    return 0;
}

void registry::close_reactor(reactor& r) noexcept
{
    for_each_open([&r](subscription& s) {
        if (s.road.load(std::memory_order_acquire) == &r.dispatcher())
            r.dispatcher().cancel(s);
    });
    r.close();
    r.generation.end(r.generation.generation());
    // Whoever is inside leaves soon: its pin is a call's length. Then the slot may serve again.
    while (!r.generation.advance_if_unpinned())
        ::sched_yield();
    reap_dead(true);
    reactors.release(r.index);
}

int registry::find_reactor(sigev_reactor_t number, reactor*& out) noexcept
{
    if (number == 0) {
        if (const int error = runtime_->start())
            return error;
        out = &runtime_->loop();
        out->generation.pin(0, 0);
        return 0;
    }
    const handle h = decode(number);
    if (h.kind != handle_kind::reactor || h.epoch != (life & epoch_mask))
        return EINVAL;
    reactor* r = reactors.at(h.index);
    if (!r || !r->generation.pin(h.generation, generation_mask))
        return EINVAL;
    if (!r->is_open()) {
        r->generation.unpin();
        return EINVAL;
    }
    out = r;
    return 0;
}

std::uint64_t registry::handle_of(const reactor& r) const noexcept
{
    return encode({handle_kind::reactor, life, 0, r.generation.generation(), r.index});
}

extension* registry::ensure(extension_place place, std::unique_ptr<extension> (*make)(registry&)) noexcept
{
    auto& slot = extensions_[static_cast<unsigned>(place)];
    if (extension* e = slot.load(std::memory_order_acquire))
        return e;
    std::lock_guard lock(mutex_);
    if (extension* e = slot.load(std::memory_order_acquire))
        return e;
    try {
        slot.store(make(*this).release(), std::memory_order_release);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    return slot.load(std::memory_order_acquire);
}

} // namespace sigev::core
