// The duplicate that a request works on: joined, made, and closed by who leaves it last. See aio_files.hpp.
#include "sources/aio_files.hpp"

#include "sources/aio.hpp"
#include "sources/aio_request.hpp"
#include "sys/same_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <new>
#include <sys/stat.h>
#include <unistd.h>

namespace sigev::sources {

namespace {

// What ends by itself. Anything else may wait for ever: character devices (terminals) and what has no type (eventfd) too.
bool ends_by_itself(mode_t mode) noexcept
{
    return S_ISREG(mode) || S_ISBLK(mode) || S_ISDIR(mode);
}

} // namespace

// Makes the request a user of the file under its number. 0, EBADF, EAGAIN.
int aio_source::join_file(request& r) noexcept
{
    const int number = r.user->aio_fildes;
    aio_file* file;
    {
        const std::lock_guard lock(mutex_);
        file = files_.find(number);
        if (file)
            ++file->users;
    }
    if (file) {
        if (sys::is_same_file(number, file->descriptor)) {
            r.channel = file;
            return 0;
        }
        leave(*file);
    }
    void* const memory = spare_files_.take(sizeof(aio_file));
    if (!memory)
        return EAGAIN;
    std::unique_ptr<aio_file> fresh(new (memory) aio_file);
    if (const int error = open_file(*fresh, number))
        return error;
    {
        const std::lock_guard lock(mutex_);
        file = files_.find(number); // another thread's, made meanwhile
        if (file && sys::is_same_file(number, file->descriptor)) {
            ++file->users;
        } else if (files_.put(*fresh)) {
            file = fresh.release();
        } else {
            file = nullptr;
        }
        r.channel = file;
        if (fresh && fresh->order)
            order_.close(*fresh->order);
    }
    if (fresh)
        close_duplicate(*fresh);
    return file ? 0 : EAGAIN;
}

// The duplicate, and what the file is.
int aio_source::open_file(aio_file& file, int number) noexcept
{
    file.number = number;
    file.users = 1;
    // Not among the first three, where a program that has closed these would write its messages into the file.
    file.duplicate = sys::unique_fd(::fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    struct stat about;
    if (!file.duplicate || ::fstat(file.duplicate.get(), &about) != 0)
        return errno == EBADF ? EBADF : EAGAIN; // no descriptor, no memory
    file.descriptor = file.duplicate.get();
    const bool ends = ends_by_itself(about.st_mode);
    // An eventfd and its like let themselves be sought in, and know no offsets.
    file.positioned = ends || (S_ISCHR(about.st_mode) && ::lseek(file.descriptor, 0, SEEK_CUR) >= 0);
    file.may_wait = !ends;
    file.ask_first = (about.st_mode & S_IFMT) == 0;
    const int flags = ::fcntl(file.descriptor, F_GETFL);
    file.access = flags & O_ACCMODE;
    file.direct = (flags & O_DIRECT) != 0;
    if (const int error = engine_->open(file))
        return error;
    if (!ends)
        return 0; // no order among what may never end: a sync would never start
    {
        const std::lock_guard lock(mutex_);
        file.order = order_.open({about.st_dev, about.st_ino});
    }
    if (file.order)
        return 0;
    engine_->close(file);
    return EAGAIN;
}

void aio_source::close_duplicate(aio_file& file) noexcept
{
    engine_->close(file);
    file.duplicate.reset();
}

// By a user that has no request on it.
void aio_source::leave(aio_file& file) noexcept
{
    {
        const std::lock_guard lock(mutex_);
        if (--file.users != 0)
            return;
        file.closing = true;
    }
    close_duplicate(file);
    {
        const std::lock_guard lock(mutex_);
        file.closed = true;
        if (!forget_locked(file))
            return;
    }
    destroy(&file);
}

void aio_source::destroy(aio_file* file) noexcept
{
    file->~aio_file();
    spare_files_.give(file);
}

// True: the caller deletes it.
bool aio_source::forget_locked(aio_file& file) noexcept
{
    if (!file.closed || file.first)
        return false;
    files_.remove(file);
    if (file.order)
        order_.close(*file.order);
    return true;
}

} // namespace sigev::sources
