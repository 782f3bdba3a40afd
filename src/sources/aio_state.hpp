// The decisions of asynchronous I/O, without I/O, threads or locks: what a request is refused for and when, and which
// request may start when.
//
// ERRORS, AND WHEN THEY ARE TOLD (what existing programs rely on, where POSIX leaves it open)
//   by the call            a read's or write's aio_reqprio outside 0 .. AIO_PRIO_DELTA_MAX, an fsync operation that is
//                          neither O_SYNC nor O_DSYNC: EINVAL. An fsync's descriptor that is not open: EBADF. No
//                          resources: EAGAIN.
//   through aio_error()    a read's or write's descriptor that is not open, or not for that (EBADF), a negative offset where
//                          there are offsets, a length beyond SSIZE_MAX (EINVAL), and whatever the operation itself answers.
//
// ORDER, by file (device and inode, not descriptor), among the requests that are not over yet
//   append    writes with O_APPEND run one after the other, in the order of the calls.
//   sync      starts when every read and write that was enqueued before it is over, running ones included; the first of
//             their errors becomes its own. It does not wait for an earlier sync: it covers all that one still waits for.
//   free      everything else, at once. Nothing waits for a sync: what comes later is not covered by it and runs freely.
//
// Per file: a list of what is enqueued, in which a sync stands only until it starts (so the head is never a sync), a list of
// the appends, whose head is the one that runs, and one of the syncs in it that have not been told of an error. A failure tells
// those of them that were enqueued after what has failed: they are the last ones, and none is told twice. So however many fail
// before however many syncs, each takes a few steps. Nothing allocates but open(), so that completion cannot fail.
#pragma once

#include "spi/aio_engine.hpp"

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <functional>
#include <new>
#include <sys/types.h>
#include <sys/uio.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sigev::sources {

// ---- errors ----------------------------------------------------------------------------------------------------------

inline constexpr int highest_reqprio = 20; // AIO_PRIO_DELTA_MAX of Linux, which <limits.h> only shows to some

constexpr bool is_sync(spi::aio_operation operation) noexcept
{
    return operation == spi::aio_operation::fsync || operation == spi::aio_operation::fdatasync;
}

/// An error that is told by the call, or 0. Of an fsync's aiocb only the descriptor and the sigevent count.
constexpr int refused_at_once(spi::aio_operation operation, int reqprio) noexcept
{
    return !is_sync(operation) && (reqprio < 0 || reqprio > highest_reqprio) ? EINVAL : 0;
}

/// The operation of aio_fsync(): false: EINVAL by the call.
constexpr bool sync_operation(int operation, spi::aio_operation& out) noexcept
{
    if (operation != O_SYNC && operation != O_DSYNC)
        return false;
    out = operation == O_SYNC ? spi::aio_operation::fsync : spi::aio_operation::fdatasync;
    return true;
}

/// An error that becomes the operation's own, or 0. `access`: of the descriptor, O_RDONLY and so on. What it does not permit
/// never becomes ready, so nobody may wait for it.
constexpr int fails_later(
    spi::aio_operation operation, int access, bool positioned, off_t offset, std::size_t length) noexcept
{
    if ((operation == spi::aio_operation::read && access == O_WRONLY) ||
        (operation == spi::aio_operation::write && access == O_RDONLY))
        return EBADF;
    return !is_sync(operation) && ((positioned && offset < 0) || length > SSIZE_MAX) ? EINVAL : 0;
}

/// The length of an array of iovec; 0, or EINVAL as readv() and writev() say it.
inline int vector_length(const iovec* pieces, std::size_t count, std::size_t& out) noexcept
{
    if (count == 0 || count > IOV_MAX || !pieces)
        return EINVAL;
    out = 0;
    for (std::size_t i = 0; i != count; ++i)
        if (pieces[i].iov_len > SSIZE_MAX || (out += pieces[i].iov_len) > SSIZE_MAX)
            return EINVAL;
    return 0;
}

// ---- order -----------------------------------------------------------------------------------------------------------

struct file_identity {
    dev_t device;
    ino_t inode;
    friend bool operator==(const file_identity&, const file_identity&) = default;
};

struct file_identity_hash {
    std::size_t operator()(const file_identity& f) const noexcept
    {
        return std::hash<ino_t>()(f.inode) * 31 + std::hash<dev_t>()(f.device);
    }
};

enum class order_kind : std::uint8_t { free, append, sync };

class aio_order {
public:
    struct file;

    /// The part of a request that the order needs. It belongs to the order from enqueue() to complete().
    struct item {
        std::uint64_t syncs_before = 0; ///< of those of its file: so many were enqueued earlier
        item* before = nullptr;
        item* after = nullptr;
        item* next_append = nullptr; ///< of a sync that waits, and has not been told: the next of these
        item* next_ready = nullptr; ///< in what enqueue() and complete() return; before that, the other way along next_append
        std::int16_t covered_error = 0; ///< sync: the first error of what it covers; final when it is ready
        order_kind kind : 2 = order_kind::free;
        bool started : 1 = false; ///< enqueue() or complete() has returned it
    };

    /// A reference to a file's record, for one enqueue() or close(). Null: no memory.
    file* open(const file_identity& identity) noexcept;
    void close(file& f) noexcept;

    /// One more. Only by who has one.
    static void share(file& f) noexcept { ++f.references; }

    /// Takes the reference over. Returns the item if it may start now, else null.
    item* enqueue(item& i, file& f, order_kind kind) noexcept;

    /// An item of that file is over, started or not. Returns the list of those that may start now, in the order of the calls.
    item* complete(item& i, file& f, int error) noexcept;

    bool empty() const noexcept { return files_.empty(); }

    struct file {
        const file_identity* identity = nullptr; ///< its key
        item* first = nullptr;
        item* last = nullptr;
        item* first_append = nullptr;
        item* last_append = nullptr;
        item* last_untold = nullptr; ///< of the syncs that wait, and have not been told of an error
        std::uint64_t syncs = 0;     ///< how many were enqueued
        std::size_t references = 0;
    };

private:
    static void unlink(file& f, item& i) noexcept;
    static void unlink_append(file& f, item& i) noexcept;
    static void unlink_untold(file& f, item& sync) noexcept;
    static void tell_syncs(file& f, const item& i, int error) noexcept;

    using table = std::unordered_map<file_identity, file, file_identity_hash>;
    static constexpr std::size_t most_spare = 64;

    table files_;
    std::vector<table::node_type> spare_; ///< so that files that come and go take no memory and free none
};

inline aio_order::file* aio_order::open(const file_identity& identity) noexcept
{
    try {
        auto place = files_.find(identity);
        if (place == files_.end() && !spare_.empty()) {
            table::node_type& node = spare_.back();
            node.key() = identity;
            node.mapped() = file();
            place = files_.insert(std::move(node)).position;
            spare_.pop_back();
        } else if (place == files_.end()) {
            spare_.reserve(most_spare);
            place = files_.try_emplace(identity).first;
        }
        place->second.identity = &place->first;
        ++place->second.references;
        return &place->second;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

inline void aio_order::close(file& f) noexcept
{
    if (--f.references == 0) {
        auto node = files_.extract(*f.identity);
        if (spare_.size() != spare_.capacity())
            spare_.push_back(std::move(node));
    }
}

inline aio_order::item* aio_order::enqueue(item& i, file& f, order_kind kind) noexcept
{
    i.syncs_before = f.syncs;
    i.kind = kind;
    i.started = true;
    if (kind == order_kind::sync && !f.first)
        return &i; // nothing to cover: it never stands in the list
    i.before = f.last;
    (f.last ? f.last->after : f.first) = &i;
    f.last = &i;
    if (kind == order_kind::sync) {
        i.started = false;
        ++f.syncs;
        if (f.last_untold)
            f.last_untold->next_append = &i;
        i.next_ready = std::exchange(f.last_untold, &i);
        return nullptr;
    }
    if (kind == order_kind::free)
        return &i;
    i.started = !f.first_append;
    (f.last_append ? f.last_append->next_append : f.first_append) = &i;
    if (f.last_append)
        i.next_ready = f.last_append;
    f.last_append = &i;
    return i.started ? &i : nullptr;
}

inline aio_order::item* aio_order::complete(item& i, file& f, int error) noexcept
{
    item* ready = nullptr;
    item** tail = &ready;
    const auto start = [&tail](item& next) {
        next.started = true;
        next.next_ready = nullptr;
        *tail = &next;
        tail = &next.next_ready;
    };
    if (i.kind == order_kind::append)
        unlink_append(f, i);
    if (i.kind != order_kind::sync || !i.started) {
        if (i.kind == order_kind::sync)
            unlink_untold(f, i);
        else if (error)
            tell_syncs(f, i, error);
        unlink(f, i);
        while (f.first && f.first->kind == order_kind::sync) {
            item& sync = *f.first;
            unlink_untold(f, sync);
            unlink(f, sync);
            start(sync);
        }
        if (f.first_append && !f.first_append->started)
            start(*f.first_append);
    }
    close(f);
    return ready;
}

// The first one, as a rule: what is further behind has been cancelled.
inline void aio_order::unlink_append(file& f, item& i) noexcept
{
    item* const before = i.started ? nullptr : i.next_ready;
    item* const after = i.next_append;
    (before ? before->next_append : f.first_append) = after;
    if (after)
        after->next_ready = before;
    else
        f.last_append = before;
}

inline void aio_order::unlink(file& f, item& i) noexcept
{
    (i.before ? i.before->after : f.first) = i.after;
    (i.after ? i.after->before : f.last) = i.before;
}

// Of a sync that waits; it may have been told, and then it is in the list no more.
inline void aio_order::unlink_untold(file& f, item& sync) noexcept
{
    if (sync.covered_error != 0)
        return;
    item* const before = std::exchange(sync.next_ready, nullptr);
    item* const after = std::exchange(sync.next_append, nullptr);
    if (before)
        before->next_append = after;
    (after ? after->next_ready : f.last_untold) = before;
}

inline void aio_order::tell_syncs(file& f, const item& i, int error) noexcept
{
    while (f.last_untold && f.last_untold->syncs_before >= i.syncs_before) {
        item& sync = *f.last_untold;
        unlink_untold(f, sync);
        sync.covered_error = static_cast<std::int16_t>(error);
    }
}

} // namespace sigev::sources
