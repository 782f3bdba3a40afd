// The measurements of bench_aio, each written once for every contestant: rounds of `depth` requests of 4 KiB, each submitted by a
// call of its own, and waited for; what counts is the median round, by request. What is read is compared with what was written.
//
// A contestant supplies an Engine:
//
//     Engine(std::size_t depth)
//     void read(std::size_t i, int fd, char* page, std::size_t at)       request i of the round starts
//     void write(std::size_t i, int fd, const char* page, std::size_t at)
//     void sync(int fd)                                                  all of it is on the disk when it returns
//     void wait(std::size_t n)                                           the n of the round are over, and have moved 4096 bytes
//
// A contestant that submits in batches prepares in read(), and submits in wait().
#pragma once

#include "support/nanoseconds.hpp"
#include "support/statistics.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace sigev_bench {

inline constexpr std::size_t page_size = 4096;
inline constexpr std::size_t pages = 256; ///< of a file
inline constexpr std::size_t pages_of_large = 256 * pages; ///< far more than a processor keeps by itself
inline constexpr std::size_t most_files = 64;

inline void unless(bool as_expected, const char* what)
{
    if (!as_expected)
        throw std::runtime_error(what);
}

// ---- files without a name, and pages -------------------------------------------------------------------------------------

/// The number that stands at the beginning of a page.
inline std::uint64_t mark_of(std::size_t file, std::size_t page)
{
    return (file + 1) * 1'000'003 + page;
}

class page_buffers {
public:
    explicit page_buffers(std::size_t n)
        : memory_(static_cast<char*>(std::aligned_alloc(page_size, n * page_size)))
    {
        unless(memory_ != nullptr, "no memory");
        std::memset(memory_, 0, n * page_size);
    }
    page_buffers(const page_buffers&) = delete;
    page_buffers& operator=(const page_buffers&) = delete;
    ~page_buffers() { std::free(memory_); }

    char* operator[](std::size_t i) const { return memory_ + i * page_size; }

private:
    char* memory_;
};

class files {
public:
    explicit files(const std::string& folder)
        : folder_(folder)
    {
        for (std::size_t f = 0; f != most_files; ++f)
            all_.push_back(make(f, pages));
    }
    files(const files&) = delete;
    files& operator=(const files&) = delete;
    ~files()
    {
        for (const int fd : all_)
            ::close(fd);
        for (const int fd : direct_)
            ::close(fd);
        for (const int fd : large_)
            ::close(fd);
    }

    const std::vector<int>& cached() const { return all_; }

    /// The same, past the page cache.
    const std::vector<int>& direct()
    {
        if (direct_.empty())
            for (const int fd : all_) {
                unless(::fsync(fd) == 0, "fsync");
                direct_.push_back(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
                unless(direct_.back() >= 0, "cannot open a file with O_DIRECT");
            }
        return direct_;
    }

    /// One, of pages_of_large. What the page cache holds is a matter of the memory: 1 MiB would be one of the processor's own
    /// cache, where a read takes half the time.
    const std::vector<int>& large()
    {
        if (large_.empty()) {
            large_.push_back(make(0, pages_of_large));
            unless(::fsync(large_[0]) == 0, "fsync"); // nobody writes it back while it is read
        }
        return large_;
    }

private:
    int make(std::size_t number, std::size_t length) const
    {
        const int fd = ::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        unless(fd >= 0, "cannot make a file");
        const page_buffers buffer(pages);
        for (std::size_t first = 0; first != length; first += pages) {
            for (std::size_t p = 0; p != pages; ++p) {
                const std::uint64_t mark = mark_of(number, first + p);
                std::memcpy(buffer[p], &mark, sizeof mark);
            }
            unless(::pwrite(fd, buffer[0], pages * page_size, static_cast<off_t>(first * page_size)) == pages * page_size,
                   "cannot write a file");
        }
        return fd;
    }

    const std::string folder_;
    std::vector<int> all_;
    std::vector<int> direct_;
    std::vector<int> large_;
};

/// Beside the program: where it was built there is a disk.
inline files& on_disk()
{
    static files all(std::filesystem::read_symlink("/proc/self/exe").parent_path().string());
    return all;
}

inline files& in_memory()
{
    static files all("/dev/shm");
    return all;
}

// ---- rounds ----------------------------------------------------------------------------------------------------------------

inline constexpr std::uint64_t long_enough = 150 * millisecond;

/// round() is one; nanoseconds for each of its requests.
template <class Round>
double median_round(std::size_t requests, Round&& round)
{
    std::vector<double> laps;
    const std::uint64_t start = nanoseconds(CLOCK_MONOTONIC);
    for (std::uint64_t before = start; before - start < long_enough || laps.size() < 20;) {
        round();
        const std::uint64_t now = nanoseconds(CLOCK_MONOTONIC);
        laps.push_back(static_cast<double>(now - before) / static_cast<double>(requests));
        before = now;
    }
    return median(laps);
}

class dice {
public:
    std::size_t below(std::size_t n)
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::size_t>((state_ >> 32) * n >> 32);
    }

private:
    std::uint64_t state_ = 42;
};

/// Random reads at this depth, over at most `depth` files of so many pages.
template <class Engine>
double reads_of(const std::vector<int>& from, std::size_t depth, std::size_t length = pages)
{
    // A round has several turns, so that it is longer than the clock's steps.
    const std::size_t turns = depth < 32 ? 32 / depth : 1;
    const std::size_t spread = depth == 128 ? most_files : 1;
    Engine engine(depth);
    const page_buffers buffers(depth);
    std::vector<std::uint64_t> marks(depth);
    dice d;
    return median_round(depth * turns, [&] {
        for (std::size_t turn = 0; turn != turns; ++turn) {
            for (std::size_t i = 0; i != depth; ++i) {
                const std::size_t file = i % spread;
                const std::size_t page = d.below(length);
                marks[i] = mark_of(file, page);
                std::memset(buffers[i], 0, sizeof marks[i]);
                engine.read(i, from[file], buffers[i], page * page_size);
            }
            engine.wait(depth);
            for (std::size_t i = 0; i != depth; ++i)
                unless(std::memcmp(buffers[i], &marks[i], sizeof marks[i]) == 0, "a read brought something else");
        }
    });
}

template <class Engine>
double reads(std::uint64_t depth)
{
    return depth == 128 ? reads_of<Engine>(on_disk().cached(), depth)
                        : reads_of<Engine>(on_disk().large(), depth, pages_of_large);
}

template <class Engine>
double direct_reads(std::uint64_t depth)
{
    return reads_of<Engine>(on_disk().direct(), depth);
}

template <class Engine>
double memory_reads(std::uint64_t depth)
{
    return reads_of<Engine>(in_memory().cached(), depth);
}

/// 64 writes at this depth, and then all of it to the disk.
template <class Engine>
double writes(std::uint64_t depth)
{
    constexpr std::size_t together = 64;
    Engine engine(depth);
    const page_buffers buffers(depth);
    const std::vector<int>& to = on_disk().cached();
    dice d;
    return median_round(together, [&] {
        for (std::size_t written = 0; written != together; written += depth) {
            for (std::size_t i = 0; i != depth; ++i) {
                const std::size_t page = d.below(pages);
                const std::uint64_t mark = mark_of(0, page);
                std::memcpy(buffers[i], &mark, sizeof mark);
                engine.write(i, to[0], buffers[i], page * page_size);
            }
            engine.wait(depth);
        }
        engine.sync(to[0]);
    });
}

} // namespace sigev_bench
