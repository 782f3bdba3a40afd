#include "tool/demo_run.hpp"

#include "tool/system.hpp"

#include <fmt/format.h>
#include <sigev.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace sigev::tool {

namespace {

constexpr std::int64_t millisecond = 1'000'000;
constexpr std::int64_t patience = 5 * second_ns;

// Without a common divisor of two, so that the six timers meet rarely, and often enough to be seen.
constexpr std::int64_t period_of(method m) noexcept {
    switch (m) {
    case method::signal:
        return 2 * millisecond;
    case method::thread:
        return 3 * millisecond;
    case method::user:
        return 4 * millisecond;
    case method::kevent:
        return 5 * millisecond;
    case method::thread_id:
        return 7 * millisecond;
    case method::none:
        break;
    }
    return 10 * millisecond;
}

} // namespace

demo_run::demo_run(int file) {
    for (std::size_t i = 0; i != all_methods.size(); ++i) {
        timers_[i].emplace(all_methods[i], period_of(all_methods[i]));
        readers_[i].emplace(all_methods[i], file);
    }
    targets_.emplace();
}

demo_run::~demo_run() {
    close();
}

void demo_run::start() {
    for (std::size_t i = 0; i != all_methods.size(); ++i) {
        const auto m = all_methods[i];
        timers_[i]->arm(targets_->event(m, source::timer, *timers_[i]));
        readers_[i]->start(targets_->event(m, source::aio, *readers_[i]), targets_->number(m));
    }
}

void demo_run::look(bool go_on) {
    for (auto& timer : timers_)
        timer->poll();
    for (auto& reader : readers_)
        reader->advance(go_on);
}

std::vector<row> demo_run::rows() {
    std::vector<row> all;
    for (auto& timer : timers_)
        all.push_back(timer->view());
    for (auto& reader : readers_)
        all.push_back(reader->view());
    return all;
}

bool demo_run::quiet() {
    const auto all = rows();
    return std::all_of(all.begin(), all.end(), settled) &&
           std::all_of(readers_.begin(), readers_.end(), [](const auto& reader) { return reader->idle(); });
}

void demo_run::wait_until_quiet() {
    const auto end = now_ns() + patience;
    const auto pause = to_timespec(tick_ns);
    for (look(false); !quiet() && now_ns() < end; look(false))
        nanosleep(&pause, nullptr);
}

std::vector<std::string> demo_run::finish() {
    for (auto& timer : timers_)
        timer->disarm(); // not deleted: what is on its way shall arrive, and not be discarded
    wait_until_quiet();

    for (auto& timer : timers_)
        timer->remove();
    sigev_ledger total{};
    checked(sigev_ledger_total(-1, -1, &total), "sigev_ledger_total");
    auto found = faults(rows(), total);
    for (std::size_t i = 0; i != all_methods.size(); ++i) {
        const auto& reader = *readers_[i];
        if (!reader.trouble().empty())
            found.push_back(fmt::format("{} aio: {}", name(all_methods[i]), reader.trouble()));
        if (!reader.idle())
            found.push_back(fmt::format("{} aio: never told of the last read", name(all_methods[i])));
    }
    return found;
}

void demo_run::close() noexcept {
    if (!std::exchange(open_, false))
        return;
    // In this order: the library may write into the buffers and the inboxes until it has ended.
    for (auto& timer : timers_)
        timer->remove();
    targets_->stop();
    sigev_shutdown();
}

std::uint64_t demo_run::blocks() const noexcept {
    return std::accumulate(
        readers_.begin(), readers_.end(), std::uint64_t(0),
        [](auto n, const auto& reader) { return n + reader->blocks(); });
}

std::uint64_t demo_run::bytes() const noexcept {
    return std::accumulate(
        readers_.begin(), readers_.end(), std::uint64_t(0),
        [](auto n, const auto& reader) { return n + reader->bytes(); });
}

} // namespace sigev::tool
