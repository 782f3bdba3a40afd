#include "tool/report.hpp"

#include "tool/table.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <span>

namespace sigev::tool {

namespace {

constexpr unsigned shape_cells = 16;

std::string signal_text(int signal) {
    const char* name = sigabbrev_np(signal);
    return name ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

std::string ending_text(const program_image& image) {
    switch (image.how) {
    case ending::exit:
        return fmt::format("exit status {}", image.status);
    case ending::signal:
        return "killed by " + signal_text(image.status);
    case ending::exec:
        return "executed " + image.executed;
    case ending::running:
        return "still runs";
    case ending::unknown:
        return "ended, by _exit() or a signal";
    }
    return "?";
}

std::string heading(const program_image& image) {
    const std::string fork = image.forked ? fmt::format(" (forked by {})", image.parent) : "";
    return fmt::format("{}, process {}{}: {}", image.name, image.pid, fork, ending_text(image));
}

struct column {
    const char* title;
    bool left;
    bool always; ///< also where all of it is 0
    std::string (*text)(const source_account&);
};

constexpr std::array<column, 9> columns{{
    {"source", true, true, [](const source_account& a) { return a.source; }},
    {"method", true, true, [](const source_account& a) { return a.method; }},
    {"created", false, true, [](const source_account& a) { return std::to_string(a.created); }},
    {"raised", false, false, [](const source_account& a) { return std::to_string(a.raised); }},
    {"delivered", false, false, [](const source_account& a) { return std::to_string(a.delivered); }},
    {"merged", false, false, [](const source_account& a) { return std::to_string(a.merged); }},
    {"pending", false, false, [](const source_account& a) { return std::to_string(a.pending()); }},
    {"discarded", false, false, [](const source_account& a) { return std::to_string(a.discarded); }},
    {"by kernel", false, false, [](const source_account& a) { return std::to_string(a.kernel_raised); }},
}};

struct timing {
    const char* title;
    const distribution source_account::* of;
};
constexpr std::array<timing, 2> timings{{{"late", &source_account::late}, {"took", &source_account::took}}};

std::string padded(const std::string& text, std::size_t width, bool left) {
    const std::string padding(width - std::min(width, display_width(text)), ' ');
    return left ? text + padding : padding + text;
}

class drawing {
public:
    explicit drawing(std::span<const source_account> accounts)
        : accounts_(accounts) {
        for (const column& c : columns)
            if (c.always || std::any_of(accounts.begin(), accounts.end(), [&](const auto& a) { return c.text(a) != "0"; }))
                shown_.push_back(&c);
    }

    std::string text() const {
        std::string all;
        for (const bool titles : {true, false})
            for (const source_account& a : titles ? accounts_.first(1) : accounts_)
                all += titles ? title_line() : lines_of(a);
        return all;
    }

private:
    std::size_t width(const column& c) const {
        std::size_t most = std::strlen(c.title);
        for (const source_account& a : accounts_)
            most = std::max(most, c.text(a).size());
        return most;
    }

    bool has_times() const {
        return std::any_of(accounts_.begin(), accounts_.end(), [](const auto& a) {
            return a.late.total() + a.took.total() != 0;
        });
    }

    std::string title_line() const {
        std::string all = "  ";
        for (const column* c : shown_)
            all += padded(c->title, width(*c), c->left) + ' ';
        if (has_times())
            all += "time    p50    p99 1µs" + std::string(shape_cells - 7, ' ') + "67ms ";
        all.back() = '\n';
        return all;
    }

    static std::string ended(const std::string& line) { return line.substr(0, line.find_last_not_of(' ') + 1) + '\n'; }

    std::string lines_of(const source_account& a) const {
        std::string all, cells = "  ";
        for (const column* c : shown_)
            cells += padded(c->text(a), width(*c), c->left) + ' ';
        const std::string blank(display_width(cells), ' ');
        for (const timing& t : timings)
            if (const distribution& d = a.*t.of; d.total() != 0)
                all += ended(fmt::format(
                    "{}{} {} {} {}", all.empty() ? cells : blank, t.title, padded(duration_text(d.quantile(0.5)), 6, false),
                    padded(duration_text(d.quantile(0.99)), 6, false), sparkline(d, shape_cells)));
        return all.empty() ? ended(cells) : all;
    }

    std::span<const source_account> accounts_;
    std::vector<const column*> shown_;
};

boost::json::object json_of(const distribution& d) {
    return {{"count", d.total()}, {"p50_ns", d.quantile(0.50)}, {"p99_ns", d.quantile(0.99)}};
}

boost::json::object json_of(const source_account& a) {
    return {{"source", a.source},       {"method", a.method},
            {"created", a.created},     {"raised", a.raised},
            {"delivered", a.delivered}, {"merged", a.merged},
            {"pending", a.pending()},   {"discarded", a.discarded},
            {"late", json_of(a.late)},  {"took", json_of(a.took)},
            {"kernel_raised", a.kernel_raised}};
}

const char* name(ending e) noexcept {
    switch (e) {
    case ending::exit:
        return "exit";
    case ending::signal:
        return "signal";
    case ending::exec:
        return "exec";
    case ending::running:
        return "running";
    case ending::unknown:
        return "unknown";
    }
    return "?";
}

boost::json::object json_of(const program_image& image) {
    boost::json::array accounts;
    for (const source_account& a : image.accounts)
        accounts.push_back(json_of(a));
    boost::json::object object{{"program", image.name}, {"pid", image.pid},
                               {"parent", image.parent}, {"forked", image.forked},
                               {"end", name(image.how)}, {"accounts", std::move(accounts)}};
    if (image.how == ending::exit || image.how == ending::signal)
        object["status"] = image.status;
    if (image.how == ending::exec)
        object["executed"] = image.executed;
    return object;
}

} // namespace

std::string text(const statistics& all) {
    std::string report;
    bool timed = false;
    for (const program_image& image : all.images) {
        report += "sigev: " + heading(image) + '\n';
        if (!image.accounts.empty())
            report += drawing(image.accounts).text();
        for (const source_account& a : image.accounts)
            timed |= a.late.total() + a.took.total() != 0;
    }
    if (all.images.empty())
        report += "sigev: no process has come to the library: its environment was not passed on\n";
    if (timed)
        report += "  late: from when it was due, or over, to the delivery; took: a request, from the call until it was over\n";
    for (const std::string& what : all.missing)
        report += "sigev: not all of it: " + what + '\n';
    return report;
}

std::string json(const statistics& all) {
    std::string images;
    for (const program_image& image : all.images)
        images += fmt::format("{}\n  {}", images.empty() ? "" : ",", boost::json::serialize(json_of(image)));
    boost::json::array missing;
    for (const std::string& what : all.missing)
        missing.emplace_back(what);
    return fmt::format("{{\"missing\": {}, \"images\": [{}\n]}}\n", boost::json::serialize(missing), images);
}

} // namespace sigev::tool
