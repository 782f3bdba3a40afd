#include "ivykis/loop.hpp"

#include <atomic>

namespace sigev::ivykis {

namespace {

std::atomic<unsigned long> last_number{0};

constexpr unsigned turns_between_polls = 16; // that found a post and did not sleep

} // namespace

/// Around run(): the last one out destroys a loop that was given up meanwhile. Also when a handler ends the thread.
class loop::running {
public:
    explicit running(loop& l) noexcept : loop_(l) { ++loop_.runs_; }
    running(const running&) = delete;
    ~running()
    {
        if (--loop_.runs_ == 0 && loop_.ended_ && !loop_.inherited())
            delete &loop_;
    }

private:
    loop& loop_;
};

// One thread runs it and nobody else calls it, so Asio needs no locks.
loop::loop() : number_(++last_number), context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE) {}

loop::~loop()
{
    all_.clear_and_dispose([](registration* r) { delete r; });
}

void loop::end(loop* l) noexcept
{
    l->all_.clear_and_dispose([](registration* r) { delete r; });
    l->ended_ = true;
    if (l->runs_ == 0)
        delete l;
}

registration& loop::add(iv_event_raw& object)
{
    auto* const r = new registration(object, context_, this, &on_readable);
    all_.push_back(*r);
    return *r;
}

void loop::on_readable(void* owner) noexcept
{
    auto& r = *static_cast<registration*>(owner);
    r.reported = true;
    if (!r.in_ready.is_linked())
        static_cast<loop*>(r.loop)->ready_.push_back(r);
}

void loop::run()
{
    const running here(*this);
    quit_ = false;
    unsigned turns = 0;
    while (!over()) {
        if (!ready_.empty()) {
            call_first();
        } else if (may_sleep()) {
            context_.run_one();
            turns = 0;
        } else if (++turns == turns_between_polls) {
            context_.poll();
            turns = 0;
        }
    }
}

void loop::call_first()
{
    registration& r = ready_.front();
    ready_.pop_front();
    // Awake first: a post that comes before the next line is taken by it, and one that comes later is found by may_sleep().
    r.wake();
    if (!r.in_awake.is_linked())
        awake_.push_back(r);
    if (!r.take())
        return;
    iv_event_raw& object = r.object;
    object.handler(object.cookie); // from here on r and the object may be gone
}

bool loop::may_sleep() noexcept
{
    for (auto i = awake_.begin(); i != awake_.end();) {
        registration& r = *i;
        ++i;
        if (r.try_sleep())
            r.in_awake.unlink();
        else
            ready_.push_back(r);
    }
    return ready_.empty();
}

} // namespace sigev::ivykis
