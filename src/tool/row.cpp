#include "tool/row.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace sigev::tool {

const char* name(method m) noexcept {
    switch (m) {
    case method::none:
        return "none";
    case method::signal:
        return "signal";
    case method::thread:
        return "thread";
    case method::kevent:
        return "kevent";
    case method::thread_id:
        return "thread_id";
    case method::user:
        return "user";
    }
    return "?";
}

const char* name(source s) noexcept {
    return s == source::timer ? "timer" : "aio";
}

std::string parts(const sigev_ledger& l) {
    return fmt::format(
        "{} delivered + {} merged + {} pending + {} discarded", l.delivered, l.merged, l.pending,
        l.discarded);
}

bool adds_up(const sigev_ledger& l) noexcept {
    return l.raised == l.delivered + l.merged + l.pending + l.discarded;
}

bool settled(const row& r) noexcept {
    return r.ledger.pending == 0 && adds_up(r.ledger) && r.arrived == r.ledger.delivered + r.ledger.merged;
}

sigev_ledger sum(std::span<const row> rows) noexcept {
    sigev_ledger all{};
    for (const auto& [method, source, ledger, arrived, latency] : rows) {
        all.raised += ledger.raised;
        all.delivered += ledger.delivered;
        all.merged += ledger.merged;
        all.pending += ledger.pending;
        all.discarded += ledger.discarded;
    }
    return all;
}

std::vector<std::string> faults(std::span<const row> rows, const sigev_ledger& total) {
    std::vector<std::string> found;
    for (const row& r : rows) {
        const auto& l = r.ledger;
        const auto who = fmt::format("{} {}", name(r.method), name(r.source));
        if (!adds_up(l))
            found.push_back(fmt::format("{}: {} raised, but {}", who, l.raised, parts(l)));
        if (l.pending != 0)
            found.push_back(fmt::format("{}: {} still pending at the end", who, l.pending));
        if (r.arrived != l.delivered + l.merged)
            found.push_back(fmt::format(
                "{}: {} reached the target, but the ledger says {} delivered + {} merged", who, r.arrived,
                l.delivered, l.merged));
    }
    const auto rows_sum = sum(rows);
    if (!adds_up(total))
        found.push_back(fmt::format("the whole process: {} raised, but {}", total.raised, parts(total)));
    if (total.raised != rows_sum.raised)
        found.push_back(
            fmt::format("the whole process: {} raised, but {} in the rows", total.raised, rows_sum.raised));
    return found;
}

std::string json(std::span<const row> rows) {
    std::string text;
    for (const row& r : rows) {
        const boost::json::object object{
            {"method", name(r.method)},          {"source", name(r.source)},
            {"raised", r.ledger.raised},         {"delivered", r.ledger.delivered},
            {"merged", r.ledger.merged},         {"pending", r.ledger.pending},
            {"discarded", r.ledger.discarded},   {"p50_ns", r.latency.quantile(0.50)},
            {"p99_ns", r.latency.quantile(0.99)}};
        text += fmt::format("{}\n  {}", text.empty() ? "" : ",", boost::json::serialize(object));
    }
    return fmt::format("[{}\n]\n", text);
}

} // namespace sigev::tool
