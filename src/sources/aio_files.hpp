// The duplicates that requests work on: one for each open file that requests are on, by the number under which the program
// knows it.
//
// A request joins the duplicate of the one before it if the program's number is still the same open file, which the kernel is
// asked each time (sys/same_file.hpp; where it does not say, each request has a duplicate of its own). So a hundred requests
// on a descriptor cost one descriptor, and close() and reuse of the number in between are seen.
//
// Two counts. `users` have not ended: the last one closes the duplicate, before its status is final (a program that closes its
// own descriptor of a pipe's end then has closed the last one). The list of requests goes on until their statuses are final:
// cancelling by descriptor finds them there.
//
// All of it under the source's mutex, but for close_duplicate().
#pragma once

#include "sources/aio_state.hpp"
#include "spi/aio_engine.hpp"
#include "sys/unique_fd.hpp"

#include <cstddef>
#include <new>
#include <sys/types.h>
#include <vector>

namespace sigev::sources {

/// The part of a request that its file needs.
struct aio_user {
    aio_user* earlier = nullptr;
    aio_user* later = nullptr;
};

struct aio_file : spi::aio_channel {
    sys::unique_fd duplicate;
    int number = -1; ///< the program's
    int access = 0;  ///< O_RDONLY, O_WRONLY, O_RDWR
    bool positioned = true;
    bool closing = false; ///< nobody joins any more
    bool closed = false;  ///< the duplicate is: whoever takes the last request off deletes this
    std::size_t users = 0;
    aio_user* first = nullptr; ///< what has no final status, in the order of the calls
    aio_user* last = nullptr;
    aio_order::file* order = nullptr; ///< a reference; null: no order on what may never end
    aio_file* next_closing = nullptr;
};

class aio_files {
public:
    /// What stands under this number, if anybody may join it.
    aio_file* find(int number) const noexcept
    {
        aio_file* const f = at(number);
        return f && !f->closing ? f : nullptr;
    }

    /// The same, also while its last request ends.
    aio_file* at(int number) const noexcept
    {
        const auto i = static_cast<std::size_t>(number);
        return number >= 0 && i < table_.size() ? table_[i] : nullptr;
    }

    /// In the place of whatever stood there. False: no memory.
    bool put(aio_file& f) noexcept
    {
        const auto i = static_cast<std::size_t>(f.number);
        try {
            if (i >= table_.size())
                table_.resize(i + i / 2 + 64);
        } catch (const std::bad_alloc&) {
            return false;
        }
        table_[i] = &f;
        return true;
    }

    void remove(const aio_file& f) noexcept
    {
        if (at(f.number) == &f)
            table_[static_cast<std::size_t>(f.number)] = nullptr;
    }

    static void link(aio_file& f, aio_user& u) noexcept
    {
        u.earlier = f.last;
        (f.last ? f.last->later : f.first) = &u;
        f.last = &u;
    }

    static void unlink(aio_file& f, aio_user& u) noexcept
    {
        (u.earlier ? u.earlier->later : f.first) = u.later;
        (u.later ? u.later->earlier : f.last) = u.earlier;
    }

private:
    std::vector<aio_file*> table_;
};

} // namespace sigev::sources
