// draw FOLDER: reads what the programs have measured (FOLDER/wakeup.json, dispatch.json, methods.json, timers.json, lateness.json,
// aio.json, dropin.json) and draws it by gnuplot, an SVG beside each.
#include "support/report.hpp"
#include "support/statistics.hpp"

#include <fmt/format.h>

#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace sigev_bench;

struct point {
    const char* measure;
    double x;
};

struct panel {
    const char* measure;
    const char* title;
    double divisor; ///< from the measure's unit to the title's
    std::vector<point> curve{}; ///< not bars of `measure`, but a line a contestant through these, on logarithmic axes
    std::string_view beside{};  ///< another measure, whose bars stand below with its last word behind their names
};

struct picture {
    const char* name;
    std::vector<panel> panels;
};

const std::vector<picture> pictures{
    {"wakeup",
     {{"roundtrip", "Round trip of two threads, one core, µs", 1000},
      {"awake", "Post to a loop that is awake, ns", 1},
      {"suppressed", "Post when one is pending already, ns", 1}}},
    {"dispatch",
     {{"one", "One producer, million records/s", 1},
      {"two", "Two producers, million records/s", 1},
      {"four", "Four producers, million records/s", 1}}},
    {"methods",
     {{"thread", "Call by a worker, in bulk, µs", 1000},
      {"cycle.onecore", "Timer to call, one at a time, one core, µs", 1000},
      {"signal", "Signal to the process, ns", 1}}},
    {"timers",
     {{"rearm",
       "Arming again, ns, by how many are live",
       1,
       {{"rearm.4", 4}, {"rearm.1k", 1e3}, {"rearm.100k", 1e5}, {"rearm.1m", 1e6}}},
      {"burst", "100 000 due at once, million/s", 1},
      {"burst.signal", "90 000 due at once, a signal each, thousand/s", 1, {}, "burst.signal.heap"},
      {"memory", "Memory of a live timer, bytes", 1}}},
    {"lateness",
     {{"p50", "Lateness, median, µs", 1}, {"p99", "Lateness, 99 of 100, µs", 1}}},
    {"aio",
     {{"d1.suspend", "Read of 4 KiB in memory, one at a time, µs", 1000},
      {"d128.suspend", "The same, 128 at a time, µs", 1000},
      {"direct.d32", "At the disk, 32 at a time, µs", 1000}}},
    {"dropin",
     {{"fio.d1", "fio, 4 KiB in memory, one at a time, thousand/s", 1},
      {"fio.d32", "The same, 32 at a time, thousand/s", 1}}},
};

const std::map<std::string, const char*> labels{
    {"sigev", "sigev"},
    {"sigev_runtime", "sigev, its runtime"},
    {"sigev_iv", "sigev, iv-event-raw"},
    {"sigev_epoll", "sigev, own epoll loop"},
    {"sigev_asio", "sigev, Asio public API"},
    {"eventfd", "bare eventfd + epoll"},
    {"bare_list", "bare list, eventfd"},
    {"asio_post", "asio::post"},
    {"asio_descriptor", "Asio descriptor"},
    {"libuv_queue", "libuv, locked queue"},
    {"futex", "bare futex hand-over"},
    {"new_thread", "pthread-create"},
    {"asio_pool", "asio::thread-pool"},
    {"glibc_timer", "glibc, timer"},
    {"glibc_mq", "glibc, mq-notify"},
    {"glibc_aio", "glibc, aio-read"},
    {"system_call", "bare system call"},
    {"uring", "io-uring"},
    {"timerfd", "timerfd + epoll"},
    {"kernel", "kernel, signal"},
    {"sigev_thread", "sigev, thread"},
    {"sigev.heap", "sigev, heap engine"},
    {"floor", "clock, three locked"},
};

std::string label_of(const std::string& contestant)
{
    const auto found = labels.find(contestant);
    return found == labels.end() ? contestant : found->second;
}

const char* colour_of(const std::string& contestant)
{
    if (contestant.starts_with("sigev"))
        return "#1f6fb4";
    if (contestant == "eventfd" || contestant == "bare_list" || contestant == "futex" || contestant == "system_call" ||
        contestant == "timerfd" || contestant == "floor" || contestant == "pread" || contestant == "psync")
        return "#8a8a8a";
    return "#d9a441";
}

struct bar {
    std::string contestant;
    double low, middle, high;
};

std::vector<bar> bars_of(const panel& p, const results& r)
{
    std::vector<bar> bars;
    const auto add = [&](std::string_view measure, std::string_view suffix) {
        for (const series& s : r.all)
            if (s.measure == measure && !s.values.empty())
                bars.push_back(
                    {fmt::format("{}{}", s.contestant, suffix), quantile(s.values, 0.25) / p.divisor,
                     median(s.values) / p.divisor, quantile(s.values, 0.75) / p.divisor});
    };
    add(p.measure, "");
    if (!p.beside.empty())
        add(p.beside, p.beside.substr(p.beside.rfind('.')));
    return bars;
}

/// How far the axis goes: to the end of the longest bar that does not dwarf the greater half of them; what does is cut off.
double room(const std::vector<bar>& bars)
{
    constexpr double dwarfs = 4;
    std::vector<double> ends;
    for (const bar& b : bars)
        ends.push_back(b.high);
    std::sort(ends.begin(), ends.end());
    for (std::size_t i = std::max<std::size_t>(1, (ends.size() + 1) / 2); i < ends.size(); ++i)
        if (ends[i] > dwarfs * ends[i - 1])
            ends.resize(i);
    return ends.empty() ? 1 : ends.back();
}

/// Between two numbers of the axis: 1, 2 or 5 times a power of ten, so that there are five at most.
double step_for(double longest)
{
    double step = std::pow(10, std::floor(std::log10(longest)) - 1);
    for (const double factor : {2.0, 2.5, 2.0, 2.0, 2.5})
        if (longest > 5 * step)
            step *= factor;
    return step;
}

// Lying bars, the first on top; the line at the end of one goes from quartile to quartile.
std::string drawn(const panel& p, const std::vector<bar>& bars)
{
    const double longest = room(bars);
    std::string ticks;
    std::string shapes;
    std::string lines;
    for (std::size_t i = 0; i != bars.size(); ++i) {
        const bar& b = bars[i];
        const double y = -static_cast<double>(i);
        const bool cut = b.high > longest;
        const double end = cut ? longest : b.middle;
        ticks += fmt::format("{}\"{}\" {}", i ? ", " : "", label_of(b.contestant), y);
        shapes += fmt::format(
            "set object {} rect from 0,{} to {},{} fc rgb \"{}\" fs solid noborder\n", i + 1, y - 0.32, end, y + 0.32,
            colour_of(b.contestant));
        shapes += fmt::format(
            "set label {} \"{}{:.{}f}\" at {},{} left offset 0.6,0\n", i + 1, cut ? "… " : "", b.middle,
            b.middle >= 20 ? 0 : 1, cut ? end : b.high, y);
        if (!cut)
            lines += fmt::format("{} {} {} {}\n", b.middle, y, b.low, b.high);
    }
    return fmt::format(
        "unset object\nunset label\nset title \"{}\"\nset xrange [0:{}]\nset xtics {}\nset yrange [{}:0.5]\nset ytics ({})\n{}"
        "$lines << END\n{}END\nplot $lines using 1:2:3:4 with xerrorbars pt 0 lw 1.2 lc rgb \"#303030\" notitle\n",
        p.title, longest * 1.25, step_for(longest * 1.25), 0.5 - static_cast<double>(bars.size()), ticks, shapes, lines);
}

/// Those of the panel's curve that were measured, in its order.
std::vector<std::string> contestants_of(const panel& p, const results& r)
{
    std::vector<std::string> names;
    for (const point& at : p.curve)
        for (const series& s : r.all)
            if (s.measure == at.measure && !s.values.empty() && std::find(names.begin(), names.end(), s.contestant) == names.end())
                names.push_back(s.contestant);
    return names;
}

// A line each, and its name where it ends.
std::string curves(const panel& p, const results& r)
{
    const std::vector<std::string> names = contestants_of(p, r);
    std::string data;
    std::string plots;
    std::string ends;
    std::vector<std::pair<double, std::string>> names_at;
    for (std::size_t i = 0; i != names.size(); ++i) {
        data += fmt::format("$curve{} << END\n", i);
        double last = 1;
        for (const point& at : p.curve)
            if (const auto value = r.median_of(at.measure, names[i])) {
                last = *value / p.divisor;
                data += fmt::format("{} {}\n", at.x, last);
            }
        data += "END\n";
        names_at.emplace_back(last, names[i]);
        plots += fmt::format(
            "{}$curve{} using 1:2 with linespoints pt 7 ps 0.4 lw {} lc rgb \"{}\" notitle", i ? ", " : "", i,
            names[i].starts_with("sigev") ? 2.5 : 1.2, colour_of(names[i]));
    }
    // Names that would lie over each other move apart, upwards.
    std::sort(names_at.begin(), names_at.end());
    double above = 0;
    for (std::size_t i = 0; i != names_at.size(); ++i) {
        above = std::max(names_at[i].first, above * 1.65);
        ends += fmt::format(
            "set label {} \"{}\" at {},{} left offset 0.7,0\n", i + 1, label_of(names_at[i].second), p.curve.back().x, above);
    }
    return fmt::format(
        "unset object\nunset label\nset border 3\nset title \"{}\"\nset logscale xy\nset xrange [{}:{}]\nset yrange [*:*]\n"
        "set xtics (\"4\" 4, \"1000\" 1e3, \"100k\" 1e5, \"1M\" 1e6)\nset ytics auto\n{}{}plot {}\n"
        "unset logscale\nset border 1\n",
        p.title, p.curve.front().x * 0.7, p.curve.back().x * 1.5, data, ends, plots);
}

std::string script(const picture& p, const document& d, const std::string& file)
{
    std::size_t bars = 0;
    std::vector<std::vector<bar>> all;
    for (const panel& one : p.panels) {
        all.push_back(bars_of(one, d.measured));
        bars = std::max(bars, one.curve.empty() ? all.back().size() : 10);
    }
    constexpr unsigned panel_width = 400;
    constexpr unsigned bar_height = 22;
    constexpr unsigned above = 40; // a title
    constexpr unsigned below = 62; // an axis and the caption
    const auto count = static_cast<unsigned>(p.panels.size());
    const unsigned height = above + static_cast<unsigned>(bars) * bar_height + below;
    std::string text = fmt::format(
        "set terminal svg size {},{} font \"DejaVu Sans,12\" background \"white\"\nset output \"{}\"\nset multiplot\n"
        "set border 1\nset xtics nomirror out\nset ytics nomirror scale 0\nset grid xtics lc rgb \"#dddddd\"\n"
        "set tmargin at screen {}\nset bmargin at screen {}\n",
        panel_width * count, height, file, 1.0 - static_cast<double>(above) / height, static_cast<double>(below) / height);
    for (unsigned i = 0; i != count; ++i) {
        const double left = static_cast<double>(i) / count;
        const bool curve = !p.panels[i].curve.empty();
        text += fmt::format(
            "set lmargin at screen {}\nset rmargin at screen {}\n", left + (curve ? 0.12 : 0.43) / count,
            left + (curve ? 0.70 : 0.98) / count);
        text += curve ? curves(p.panels[i], d.measured) : drawn(p.panels[i], all[i]);
    }
    text += fmt::format(
        "reset\nset border 0\nunset tics\nset lmargin at screen 0\nset rmargin at screen 1\nset tmargin at screen 1\n"
        "set bmargin at screen 0\nset label \"{}, {} processors, {}; medians, with the middle half of the repetitions\" at "
        "screen 0.5,{} center noenhanced font \",10\" textcolor rgb \"#555555\"\nplot [0:1] [0:1] -1 notitle\nunset multiplot\n",
        d.where.machine, d.where.processors, d.where.date.substr(0, 10), 12.0 / height);
    return text;
}

std::string read_file(const std::filesystem::path& path)
{
    std::ifstream file(path);
    if (!file)
        throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

void run_gnuplot(const std::string& commands)
{
    FILE* const gnuplot = ::popen("gnuplot", "w");
    if (!gnuplot)
        throw std::runtime_error("cannot start gnuplot");
    const bool written = std::fwrite(commands.data(), 1, commands.size(), gnuplot) == commands.size();
    const int status = ::pclose(gnuplot);
    if (!written || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw std::runtime_error("gnuplot failed");
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: draw FOLDER\n");
        return 2;
    }
    try {
        for (const picture& p : pictures) {
            const std::filesystem::path folder(argv[1]);
            const document d = read_json(read_file(folder / fmt::format("{}.json", p.name)));
            run_gnuplot(script(p, d, (folder / fmt::format("{}.svg", p.name)).string()));
        }
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "draw: %s\n", e.what());
        return 1;
    }
}
