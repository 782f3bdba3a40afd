// Our functions under names of our own, as the compiler sees them; names.hpp gives them libc's.
#pragma once

#include <aio.h>
#include <ctime>
#include <signal.h>

#pragma GCC visibility push(default)
extern "C" {

int sigev_posix_timer_create(clockid_t clock, sigevent* event, timer_t* timer) noexcept;
int sigev_posix_timer_settime(timer_t timer, int flags, const itimerspec* value, itimerspec* old) noexcept;
int sigev_posix_timer_gettime(timer_t timer, itimerspec* value) noexcept;
int sigev_posix_timer_getoverrun(timer_t timer) noexcept;
int sigev_posix_timer_delete(timer_t timer) noexcept;

int sigev_posix_aio_read(aiocb* request) noexcept;
int sigev_posix_aio_write(aiocb* request) noexcept;
int sigev_posix_aio_fsync(int operation, aiocb* request) noexcept;
int sigev_posix_aio_error(const aiocb* request) noexcept;
ssize_t sigev_posix_aio_return(aiocb* request) noexcept;
int sigev_posix_aio_suspend(const aiocb* const list[], int count, const timespec* timeout); // a cancellation point
int sigev_posix_aio_cancel(int descriptor, aiocb* request) noexcept;
void sigev_posix_aio_init(const aioinit* init) noexcept;
int sigev_posix_lio_listio(int mode, aiocb* const list[], int count, sigevent* event);

int sigev_posix_close(int descriptor); // a cancellation point
int sigev_posix_close_range(unsigned first, unsigned last, int flags) noexcept;
void sigev_posix_closefrom(int first) noexcept;
int sigev_posix_dup2(int descriptor, int wanted) noexcept;
int sigev_posix_dup3(int descriptor, int wanted, int flags) noexcept;
}
#pragma GCC visibility pop
