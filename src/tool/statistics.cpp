#include "tool/statistics.hpp"

#include "sys/statistics_page.hpp"
#include "tool/subcommand.hpp"
#include "tool/system.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sigev::tool {

namespace {

namespace page_of = sys::statistics;

std::uint64_t load(const page_of::number& n) noexcept {
    return n.load(std::memory_order_relaxed);
}

/// The number that the program is not to find among its own: not 0, 1 or 2, should these be closed.
int out_of_the_way(int fd, const char* what) {
    const int high = checked(fcntl(checked(fd, what), F_DUPFD_CLOEXEC, STDERR_FILENO + 1), what);
    close(fd);
    return high;
}

std::string printable(const std::array<char, 28>& name) {
    std::string text;
    for (const char c : name) {
        if (c == '\0')
            break;
        text += c >= ' ' && c <= '~' ? c : '?';
    }
    return text.empty() ? "?" : text;
}

const char* source_name(std::uint32_t source) noexcept {
    switch (source) {
    case SIGEV_SOURCE_TIMER:
        return "timer";
    case SIGEV_SOURCE_AIO:
        return "aio";
    case SIGEV_SOURCE_AIO_LIST:
        return "aio list";
    default:
        return nullptr;
    }
}

const char* kind_name(std::uint32_t kind) noexcept {
    constexpr std::array<const char*, page_of::method_kinds> names{
        "signal", "none", "thread", "kevent", "thread_id", "callback", "user"};
    return kind < names.size() ? names[kind] : nullptr;
}

void add(distribution& to, const std::array<page_of::number, page_of::buckets>& counts) noexcept {
    for (std::size_t i = 0; i != counts.size(); ++i)
        to.counts[i] += load(counts[i]);
}

/// What is in the page, piece by piece; nothing in it is believed.
class reader {
public:
    reader(const page_of::page& page, const program_end& end)
        : page_(page)
        , end_(end)
        , now_(now_ns())
        , images_(std::min<std::size_t>(page.images_taken.load(), page.images.size()))
        , rows_(std::min<std::size_t>(page.rows_taken.load(), page.rows.size())) {}

    statistics all() {
        std::vector<std::optional<program_image>> found;
        for (std::size_t i = 0; i != images_; ++i)
            found.push_back(describe(i));
        for (std::size_t i = 0; i != rows_; ++i)
            add_row(found, i);
        statistics s;
        for (auto& image : found)
            if (image)
                s.images.push_back(std::move(*image));
        look_for_what_is_missing(s);
        return s;
    }

private:
    std::optional<program_image> describe(std::size_t index) {
        const page_of::image& i = page_.images[index];
        if (i.described.load(std::memory_order_acquire) == 0)
            return std::nullopt;
        program_image image;
        image.pid = i.pid.load(std::memory_order_relaxed);
        image.parent = i.parent.load(std::memory_order_relaxed);
        image.forked = i.forked.load(std::memory_order_relaxed) != 0;
        image.name = printable(i.name);
        say_how_it_ended(index, i, image);
        return image;
    }

    /// And when, which is for the kernel's timers.
    void say_how_it_ended(std::size_t index, const page_of::image& i, program_image& image) {
        const std::int64_t exited = i.exited.load(std::memory_order_acquire);
        if (const page_of::image* const next = next_of(index, image.pid)) {
            image.how = ending::exec;
            image.executed = printable(next->name);
            ended_[index] = next->began.load(std::memory_order_relaxed);
        } else if (image.pid == end_.pid) {
            image.how = WIFSIGNALED(end_.status) ? ending::signal : ending::exit;
            image.status = WIFSIGNALED(end_.status) ? WTERMSIG(end_.status) : WEXITSTATUS(end_.status);
            ended_[index] = end_.when;
        } else if (exited != 0) {
            image.how = ending::exit;
            image.status = i.status.load(std::memory_order_relaxed) & 0xff;
            ended_[index] = exited;
        } else if (image.pid > 0 && (kill(image.pid, 0) == 0 || errno == EPERM)) {
            image.how = ending::running;
            ended_[index] = now_;
        }
    }

    const page_of::image* next_of(std::size_t index, std::int32_t pid) const noexcept {
        for (std::size_t i = index + 1; i < images_; ++i)
            if (page_.images[i].described.load(std::memory_order_acquire) != 0 && page_.images[i].pid.load() == pid)
                return &page_.images[i];
        return nullptr;
    }

    void add_row(std::vector<std::optional<program_image>>& found, std::size_t index) {
        const page_of::row& r = page_.rows[index];
        const std::uint32_t owner = r.image.load(std::memory_order_acquire);
        const char* const source = source_name(r.source.load(std::memory_order_relaxed));
        const char* const method = kind_name(r.kind.load(std::memory_order_relaxed));
        if (owner == 0 || owner > found.size() || !found[owner - 1] || !source || !method)
            return;
        source_account& a = account_of(*found[owner - 1], source, method);
        // In this order: of a process that goes on, nothing is seen to have come to an end before it was raised.
        a.delivered += load(r.delivered);
        a.merged += load(r.merged);
        a.discarded += load(r.discarded);
        a.raised += load(r.raised);
        a.created += load(r.created);
        a.kernel_raised += load(r.kernel_raised) + by_living_timers(index, owner - 1);
        add(a.late, r.late);
        add(a.took, r.took);
    }

    static source_account& account_of(program_image& image, const char* source, const char* method) {
        for (source_account& a : image.accounts)
            if (a.source == source && a.method == method)
                return a;
        image.accounts.emplace_back().source = source;
        image.accounts.back().method = method;
        return image.accounts.back();
    }

    /// What the kernel has raised of timers that had not been deleted.
    std::uint64_t by_living_timers(std::size_t row, std::size_t image) const noexcept {
        const auto accounts = std::min<std::size_t>(page_.accounts_taken.load(), page_.accounts.size());
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i != accounts; ++i)
            if (page_of::row_of_owner(page_.accounts[i].owner.load(std::memory_order_acquire)) == row + 1)
                sum += raised(page_.accounts[i].books, image);
        return sum;
    }

    std::uint64_t raised(const page_of::kernel_books& b, std::size_t image) const noexcept {
        const std::uint64_t seen = load(b.seen), before = load(b.before);
        const std::int64_t first = b.first.load(), interval = b.interval.load();
        const auto then = time_of(b.clock.load(), image);
        if (b.word.load() != 0 || !then || first <= 0 || *then < first) // in the middle of being set: what it was before
            return before + seen;
        const auto since = static_cast<std::uint64_t>(*then - first);
        return before + std::max(seen, interval > 0 ? since / static_cast<std::uint64_t>(interval) + 1 : 1);
    }

    /// What that clock said when the image ended. A clock that has gone with its process says nothing, but for the child's.
    std::optional<std::int64_t> time_of(clockid_t clock, std::size_t image) const noexcept {
        const auto ended = ended_.find(image);
        if (ended == ended_.end())
            return std::nullopt;
        switch (clock) {
        case CLOCK_MONOTONIC:
            return ended->second;
        case CLOCK_REALTIME:
        case CLOCK_BOOTTIME:
        case CLOCK_TAI:
        case CLOCK_REALTIME_ALARM:
        case CLOCK_BOOTTIME_ALARM: {
            timespec t{};
            if (clock_gettime(clock, &t) != 0)
                return std::nullopt;
            return t.tv_sec * second_ns + t.tv_nsec - (now_ns() - ended->second);
        }
        case CLOCK_PROCESS_CPUTIME_ID:
            if (ended->second == end_.when)
                return end_.cpu_ns;
            return std::nullopt;
        default:
            return std::nullopt;
        }
    }

    void look_for_what_is_missing(statistics& s) const {
        const auto lacks = [&](const std::atomic<std::uint32_t>& taken, std::size_t there, const char* of_what) {
            if (const std::uint32_t n = taken.load(); n > there)
                s.missing.push_back(fmt::format("{} {}, and room for {}", n, of_what, there));
        };
        lacks(page_.images_taken, page_.images.size(), "programs");
        lacks(page_.rows_taken, page_.rows.size(), "accounts");
        lacks(page_.accounts_taken, page_.accounts.size(), "timers of the kernel's");
    }

    const page_of::page& page_;
    const program_end& end_;
    const std::int64_t now_;
    const std::size_t images_;
    const std::size_t rows_;
    std::map<std::size_t, std::int64_t> ended_; ///< when, of images of which that is known
};

} // namespace

statistics_memory::statistics_memory()
    : descriptor_(out_of_the_way(memfd_create("sigev-statistics", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create")) {
    checked(ftruncate(descriptor_, sizeof(page_of::page)), "ftruncate");
    checked(fcntl(descriptor_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), "F_ADD_SEALS");
    void* const memory = mmap(nullptr, sizeof(page_of::page), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
    if (memory == MAP_FAILED)
        throw std::system_error(errno, std::generic_category(), "mmap");
    page_ = static_cast<page_of::page*>(memory); // zeros, which is how all of it begins
    page_->is = page_of::magic;
    page_->size = sizeof(page_of::page);
}

statistics_memory::~statistics_memory() {
    munmap(page_, sizeof(page_of::page));
    close(descriptor_);
}

std::string statistics_memory::name() const {
    return fmt::format("/proc/{}/fd/{}", getpid(), descriptor_);
}

statistics statistics_memory::read(const program_end& end) const {
    return reader(*page_, end).all();
}

statistics_output::statistics_output(const std::string& file)
    : descriptor_(STDERR_FILENO) {
    if (file.empty())
        return;
    const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0)
        throw usage_error(fmt::format("cannot write {}: {}", file, std::strerror(errno)));
    descriptor_ = out_of_the_way(fd, "the statistics' file");
}

statistics_output::~statistics_output() {
    if (descriptor_ != STDERR_FILENO)
        close(descriptor_);
}

void statistics_output::write(std::string_view text) const {
    write_all(descriptor_, text);
}

} // namespace sigev::tool
