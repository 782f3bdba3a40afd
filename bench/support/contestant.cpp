#include "support/contestant.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sigev_bench {

namespace {

double take(const std::vector<offer>& offers, std::string_view measure, std::uint64_t n)
{
    for (const offer& o : offers)
        if (o.measure == measure)
            return o.take(n);
    throw std::invalid_argument("no such measurement");
}

boost::json::object answer(const std::vector<offer>& offers, const std::string& line)
{
    try {
        const boost::json::value asked = boost::json::parse(line);
        return {{"value", take(offers, asked.at("measure").as_string(), asked.at("n").to_number<std::uint64_t>())}};
    } catch (const std::exception& e) {
        return {{"failure", e.what()}};
    }
}

int once(const std::vector<offer>& offers, std::string_view measure, const char* n)
{
    try {
        std::printf("%.1f\n", take(offers, measure, std::strtoull(n, nullptr, 10)));
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
}

} // namespace

int compete(int argc, char** argv, const std::vector<offer>& offers)
{
    if (argc == 3)
        return once(offers, argv[1], argv[2]);
    for (std::string line; std::getline(std::cin, line);)
        std::cout << boost::json::serialize(answer(offers, line)) << std::endl;
    return 0;
}

} // namespace sigev_bench
