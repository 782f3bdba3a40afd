// Asynchronous input and output.
#include "support/bench.hpp"

namespace {

using namespace sigev_bench;

question at_depth(const char* measure, const char* contestant, std::uint64_t depth, const char* asked_as)
{
    return {measure, contestant, "ns", depth, how::ask, asked_as};
}

question inside(const char* measure, std::uint64_t depth, const char* asked_as)
{
    return {measure, "sigev", "%", depth, how::ask, asked_as};
}

const bench aio{
    "bench_aio",
    "aio",
    "Reads of 4 KiB and more, asked for and waited for: ours, and the peers'.",
    {
        at_depth("d1.suspend", "pread", 1, "suspend"),
        at_depth("d1.suspend", "sigev", 1, "suspend"),
        at_depth("d1.suspend", "glibc", 1, "suspend"),
        at_depth("d1.suspend", "musl", 1, "suspend"),
        at_depth("d1.suspend", "libaio", 1, "suspend"),
        at_depth("d1.suspend", "liburing", 1, "suspend"),

        at_depth("d1.thread", "sigev", 1, "thread"),
        at_depth("d1.thread", "glibc", 1, "thread"),
        at_depth("d1.thread", "musl", 1, "thread"),

        at_depth("d32.suspend", "pread", 32, "suspend"),
        at_depth("d32.suspend", "sigev", 32, "suspend"),
        at_depth("d32.suspend", "glibc", 32, "suspend"),
        at_depth("d32.suspend", "musl", 32, "suspend"),
        at_depth("d32.suspend", "libaio", 32, "suspend"),
        at_depth("d32.suspend", "liburing", 32, "suspend"),

        at_depth("d128.suspend", "pread", 128, "suspend"),
        at_depth("d128.suspend", "sigev", 128, "suspend"),
        at_depth("d128.suspend", "glibc", 128, "suspend"),
        at_depth("d128.suspend", "musl", 128, "suspend"),
        at_depth("d128.suspend", "libaio", 128, "suspend"),
        at_depth("d128.suspend", "liburing", 128, "suspend"),

        at_depth("d128.signal", "sigev", 128, "signal"),
        at_depth("d128.signal", "glibc", 128, "signal"),
        at_depth("d128.signal", "musl", 128, "signal"),
        at_depth("d128.thread", "sigev", 128, "thread"),
        at_depth("d128.thread", "glibc", 128, "thread"),
        at_depth("d128.thread", "musl", 128, "thread"),
        at_depth("d128.kevent", "sigev", 128, "kevent"),

        at_depth("lio32", "sigev", 32, "list"),
        at_depth("lio32", "glibc", 32, "list"),
        at_depth("lio32", "libaio", 32, "list"),
        at_depth("lio32", "liburing", 32, "list"),

        at_depth("threads", "sigev", 128, "queued"),
        at_depth("threads", "glibc", 128, "suspend"), // it has no other way

        at_depth("direct.d1", "sigev", 1, "direct"),
        at_depth("direct.d1", "liburing", 1, "direct.hop"),
        at_depth("direct.d32", "sigev", 32, "direct"),
        at_depth("direct.d32", "liburing", 32, "direct"),
        at_depth("direct.d32", "libaio", 32, "direct"),
        at_depth("direct.d32", "glibc", 32, "direct"),

        at_depth("write.fsync", "sigev", 32, "write"),
        at_depth("write.fsync", "liburing", 32, "write"),
        at_depth("write.fsync", "glibc", 32, "write"),

        at_depth("tmpfs.d1", "pread", 1, "tmpfs"),
        at_depth("tmpfs.d1", "sigev", 1, "tmpfs"),
        at_depth("tmpfs.d1", "liburing", 1, "tmpfs"),
        at_depth("tmpfs.d1", "glibc", 1, "tmpfs"),

        inside("inside.d1", 1, "inside"),
        inside("inside.d32", 32, "inside"),
        inside("inside.d128", 128, "inside"),
        inside("inside.threads", 128, "inside.queued"),
        inside("inside.direct.d1", 1, "inside.direct"),
        inside("inside.direct.d32", 32, "inside.direct"),
        inside("inside.write", 32, "inside.write"),
        inside("inside.tmpfs", 1, "inside.tmpfs"),

        {"memory", "sigev", "bytes", 10'000, how::apart},
    },
    {
        {"aio.d1.suspend", {"d1.suspend", "sigev"}, side{"d1.suspend", "pread"}, bound::at_most, 1.25},
        {"aio.d1.thread", {"d1.thread", "sigev"}, side{"d1.thread", "glibc"}, bound::at_most, 0.5},
        {"aio.d32.suspend", {"d32.suspend", "sigev"}, side{"d32.suspend", "pread"}, bound::at_most, 1.25},
        {"aio.d128.suspend", {"d128.suspend", "sigev"}, side{"d128.suspend", "pread"}, bound::at_most, 1.3},
        {"aio.d128.signal", {"d128.signal", "sigev"}, side{"d128.suspend", "pread"}, bound::at_most, 3},
        {"aio.d128.thread", {"d128.thread", "sigev"}, side{"d128.suspend", "pread"}, bound::at_most, 3},
        {"aio.d128.kevent", {"d128.kevent", "sigev"}, side{"d128.suspend", "pread"}, bound::at_most, 2},
        {"aio.lio32", {"lio32", "sigev"}, side{"d32.suspend", "pread"}, bound::at_most, 1.2},
        {"aio.threads", {"threads", "sigev"}, side{"d128.suspend", "pread"}, bound::at_most, 1.5},
        {"aio.direct.d1", {"direct.d1", "sigev"}, side{"direct.d1", "liburing"}, bound::at_most, 1.1},
        {"aio.direct.d32", {"direct.d32", "sigev"}, side{"direct.d32", "liburing"}, bound::at_most, 1.25},
        {"aio.write.fsync", {"write.fsync", "sigev"}, side{"write.fsync", "liburing"}, bound::at_most, 1.25},
        {"aio.write.fsync.glibc", {"write.fsync", "glibc"}, side{"write.fsync", "sigev"}, bound::at_least, 1.0},
        {"aio.tmpfs.d1", {"tmpfs.d1", "liburing"}, side{"tmpfs.d1", "sigev"}, bound::at_least, 10},
        {"aio.memory", {"memory", "sigev"}, {}, bound::at_most, 256},
    },
    std::chrono::seconds(45)};

} // namespace

int main(int argc, char** argv)
{
    return run_bench(argc, argv, aio);
}
