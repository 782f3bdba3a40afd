// The small texts of the table: durations, sizes, shapes, and how wide they are.
#include "tool/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sigev::tool {

namespace {

constexpr unsigned first_octave = 10; // 2^10 ns, about 1 µs
constexpr unsigned octaves = 16;
constexpr unsigned last_exponent = 64;

/// The bytes of the character or escape sequence at the front; *columns is what it takes.
std::size_t unit(std::string_view text, std::size_t& columns) noexcept {
    if (text.front() == '\033') {
        columns = 0;
        const auto end = text.find('m');
        return end == text.npos ? text.size() : end + 1;
    }
    columns = 1;
    std::size_t bytes = 1;
    while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80)
        ++bytes; // UTF-8 continues
    return bytes;
}

} // namespace

std::string sparkline(const distribution& latency, unsigned cells) {
    static constexpr std::array<const char*, 9> blocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    std::vector<std::uint64_t> heights;
    for (unsigned i = 0; i != cells; ++i)
        heights.push_back(
            latency.between(first_octave + i * octaves / cells, first_octave + (i + 1) * octaves / cells));
    for (std::size_t bucket = 0; bucket != buckets::of(1u << first_octave); ++bucket)
        heights.front() += latency.counts[bucket];
    heights.back() += latency.between(first_octave + octaves, last_exponent);

    const auto tallest = *std::max_element(heights.begin(), heights.end());
    std::string text;
    for (const auto height : heights) // a single sample among millions is still seen
        text += blocks[height == 0 ? 0 : 1 + (height * 7 - 1) / tallest];
    return text;
}

std::string duration_text(std::uint64_t nanoseconds) {
    static constexpr std::array<const char*, 3> units{"µs", "ms", "s"};
    if (nanoseconds < 1000)
        return fmt::format("{}ns", nanoseconds);
    double value = static_cast<double>(nanoseconds) / 1000;
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 != units.size()) { // what would be rounded to 1000
        value /= 1000;
        ++unit;
    }
    return fmt::format("{:.{}f}{}", value, value < 9.95 ? 1 : 0, units[unit]);
}

std::string size_text(std::uint64_t bytes) {
    static constexpr std::array<const char*, 4> units{"kB", "MB", "GB", "TB"};
    if (bytes < 1000)
        return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes) / 1000;
    std::size_t unit = 0;
    while (value >= 999.95 && unit + 1 != units.size()) {
        value /= 1000;
        ++unit;
    }
    return fmt::format("{:.1f} {}", value, units[unit]);
}

std::size_t display_width(std::string_view text) noexcept {
    std::size_t width = 0;
    while (!text.empty()) {
        std::size_t columns = 0;
        text.remove_prefix(unit(text, columns));
        width += columns;
    }
    return width;
}

std::string clip(std::string_view text, std::size_t columns) {
    std::string kept;
    while (!text.empty()) {
        std::size_t taken = 0;
        const auto bytes = unit(text, taken);
        if (taken <= columns) { // sequences behind the cut are kept: they switch the colour off
            kept += text.substr(0, bytes);
            columns -= taken;
        }
        text.remove_prefix(bytes);
    }
    return kept;
}

} // namespace sigev::tool
