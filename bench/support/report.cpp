#include "support/report.hpp"

#include "support/statistics.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace sigev_bench {

namespace {

namespace js = boost::json;

std::string number_text(double value)
{
    if (value >= 1000)
        return fmt::format("{:.0f}", value);
    return fmt::format("{:.{}f}", value, value >= 100 ? 1 : value >= 0.1 ? 2 : 5);
}

js::object to_json(const series& s)
{
    js::object o{{"measure", s.measure}, {"contestant", s.contestant}, {"unit", s.unit}, {"values", js::value_from(s.values)}};
    if (!s.failure.empty())
        o["failure"] = s.failure;
    return o;
}

js::object to_json(const goal& g, const results& r)
{
    const auto value = value_of(g, r);
    return {{"id", g.id},
            {"value", value ? js::value(*value) : js::value(nullptr)},
            {"bound", bound_text(g)},
            {"met", is_met(g, value)}};
}

template <class Range, class Function>
std::string lines(const Range& range, Function to_object)
{
    std::string text;
    for (const auto& item : range)
        text += (text.empty() ? "    " : ",\n    ") + js::serialize(to_object(item));
    return text;
}

} // namespace

std::string table(const results& r)
{
    std::size_t measure_width = 0;
    std::size_t name_width = 0;
    for (const series& s : r.all) {
        measure_width = std::max(measure_width, s.measure.size());
        name_width = std::max(name_width, s.contestant.size());
    }
    std::string text = fmt::format(
        "{:<{}}  {:<{}} {:>11} {:>11} {:>11}  unit\n", "measure", measure_width, "contestant", name_width, "median",
        "quarter", "3 quarters");
    const std::string* before = nullptr;
    for (const series& s : r.all) {
        if (before && *before != s.measure)
            text += '\n';
        before = &s.measure;
        text += fmt::format("{:<{}}  {:<{}} ", s.measure, measure_width, s.contestant, name_width);
        if (s.values.empty())
            text += s.failure + '\n';
        else
            text += fmt::format(
                "{:>11} {:>11} {:>11}  {}\n", number_text(median(s.values)), number_text(quantile(s.values, 0.25)),
                number_text(quantile(s.values, 0.75)), s.unit);
    }
    return text;
}

std::string json(const circumstances& c, const results& r, std::span<const goal> goals)
{
    const js::object head{
        {"program", c.program}, {"date", c.date}, {"machine", c.machine}, {"processors", c.processors}};
    std::string text = js::serialize(head);
    text.pop_back();
    return text + ",\n\"series\": [\n" + lines(r.all, [](const series& s) { return to_json(s); }) + "\n],\n\"goals\": [\n" +
           lines(goals, [&r](const goal& g) { return to_json(g, r); }) + "\n]}\n";
}

document read_json(const std::string& text)
{
    const js::value root = js::parse(text);
    document d;
    d.where.program = root.at("program").as_string();
    d.where.date = root.at("date").as_string();
    d.where.machine = root.at("machine").as_string();
    d.where.processors = root.at("processors").to_number<unsigned>();
    for (const js::value& item : root.at("series").as_array()) {
        series s;
        s.measure = item.at("measure").as_string();
        s.contestant = item.at("contestant").as_string();
        s.unit = item.at("unit").as_string();
        s.values = js::value_to<std::vector<double>>(item.at("values"));
        if (const js::value* failure = item.as_object().if_contains("failure"))
            s.failure = failure->as_string();
        d.measured.all.push_back(std::move(s));
    }
    return d;
}

} // namespace sigev_bench
