// The runtime: the reactor of C callers, and the threads. Nothing of it exists before first use.
//
// Two kinds of thread.
//
//   The *service thread* is permanent and never runs code of the program's: what must not be disturbed by a callback that
//   calls pthread_exit(), or blocks for ever, belongs to it. It leads the reactor when nobody else can, and it makes workers
//   when those that exist are stuck.
//
//   *Workers* run callbacks. Those of the default attributes are leaders and followers over the reactor: the leader runs the
//   loop once; what the drain has put into lanes it finds when it is out again; it takes ONE call, leaves the rest in the run
//   queue for others, sees that somebody leads in its place, and then runs the call itself. So a lone callback waits for
//   one wake and no hand-over, and a callback that blocks for ever delays nobody. (Where calls are brief and many, somebody
//   watches over a lead that is left alone instead: workers.cpp.) Attributes of its own send a callback to a pool of its own.
//
// One mutex guards all of it: who leads, the pools, the lanes. It is never held while a callback, a method or the loop runs,
// and no async-signal-safe function meets it.
//
// A worker that a callback ends (pthread_exit, cancellation) is replaced; one that cannot be made is tried again, for ever.
#pragma once

#include "core/pool.hpp"
#include "core/reactor.hpp"
#include "spi/workers.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

struct sigev_worker_call;

namespace sigev::core {

class registry;
class event_loop;

class runtime final : public spi::workers {
public:
    explicit runtime(registry& all) noexcept;
    runtime(const runtime&) = delete;
    runtime& operator=(const runtime&) = delete;
    ~runtime();

    /// Starts loop and service thread if they are not there. 0, EAGAIN, ENOMEM, EMFILE.
    int start() noexcept;
    /// Ends all threads, waiting for the callbacks that run; then the loop.
    void stop() noexcept;

    /// How long a worker that is not reserved stays without a call. For tests.
    static std::atomic<std::chrono::nanoseconds> idle_time;

    /// After start().
    reactor& loop() noexcept { return *reactor_.load(std::memory_order_acquire); }
    bool owns(const reactor& r) const noexcept { return &r == reactor_.load(std::memory_order_acquire); }
    spi::workers& team() noexcept { return *this; }

    // ---- spi::workers -------------------------------------------------------------------------------------------------------
    int open_lane(const spi::lane_call& call, const spi::lane_threads& wanted, spi::delivery_port& port,
                  spi::lane** out) noexcept override;
    void enqueue(spi::lane& l, spi::delivery& first, spi::delivery& last) noexcept override;
    void enqueue_each(const spi::lane_delivery* list, unsigned n, bool more) noexcept override;
    void withdraw(spi::lane& l) noexcept override;
    void resume(spi::lane& l) noexcept override;
    void close_lane(spi::lane* l) noexcept override;
    bool are_calls_alike_here() const noexcept override;

    // ---- the trampoline's side ----------------------------------------------------------------------------------------------
    bool is_of_this_process() const noexcept;
    void begin(worker& w) noexcept;
    bool next(worker& w, sigev_worker_call& call) noexcept;
    void done(worker& w, spi::verdict v, const sigev_worker_call* call) noexcept;
    void gone(worker& w) noexcept;

private:
    enum class lead : std::uint8_t { nobody, service, worker, absent };
    using lock = std::unique_lock<std::mutex>;

    static void* service_main(void* self);
    void serve() noexcept;
    void lead_as_service(lock& held) noexcept;
    void mend(pool& p) noexcept;
    pool* default_pool() const noexcept { return pools_.empty() ? nullptr : pools_.front().get(); }

    int find_pool(const spi::lane_threads& wanted, pool*& out);
    int make_worker(pool& p) noexcept;
    bool take_call(worker& w, sigev_worker_call& call, lock& held) noexcept;
    void settle(worker& w) noexcept;
    bool reap_dead(pool& p, lock& held) noexcept;
    static void drop_if_done(spi::lane& l) noexcept;
    void leave(worker& w) noexcept;
    void replace(worker& w) noexcept;
    bool stack_is_in_use(const pool& p) noexcept;
    lock acquire() noexcept;
    bool leads_here() const noexcept;
    static void fetch_ahead(const pool& p) noexcept;
    void schedule(spi::lane& l) noexcept;
    void rouse(pool& p) noexcept;
    void call_service() noexcept;
    void hand_over_lead() noexcept;
    bool may_leave_lead(const pool& p, const spi::lane& l) const noexcept;
    void come_back(const worker& w) noexcept;
    void rest(worker& w, lock& held, std::chrono::steady_clock::time_point until) noexcept;
    void watch(worker& w, lock& held) noexcept;
    void await_left(lock& held) noexcept;
    void forget_ended() noexcept;

    registry& registry_;
    std::mutex start_mutex_;
    std::atomic<bool> started_{false};
    std::unique_ptr<event_loop> loop_;
    std::atomic<reactor*> reactor_{nullptr};
    pthread_t service_{};
    std::atomic<pid_t> service_tid_{0};
    sys::scheduling scheduling_; ///< the service thread's, and of the workers that lead

    std::atomic<const thread_key*> plain_{nullptr}; ///< the default pool's, once there is one

    std::mutex mutex_;
    std::condition_variable service_waiting_;
    bool stopping_ = false;
    lead leader_ = lead::nobody;
    pthread_t leading_thread_{};
    bool leader_is_called_ = false; ///< it has been told to come out of the loop, and has not yet
    const worker* absent_ = nullptr; ///< who has left the lead for a call that will soon be over
    spi::lane* left_for_ = nullptr;  ///< and whose call that is
    bool deficit_ = false; ///< a worker is missing that could not be made
    std::chrono::nanoseconds stall_{0}; ///< so long it looks whether the workers are stuck; 0: as at first
    std::vector<std::unique_ptr<pool>> pools_;
    std::vector<std::unique_ptr<worker>> left_; ///< threads that are ending
};

} // namespace sigev::core
