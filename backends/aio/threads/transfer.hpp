// One operation, by the calling thread.
#pragma once

#include "spi/aio_engine.hpp"

namespace sigev::aio_threads {

enum class progress {
    finished,   ///< result and error are set
    would_wait, ///< again when the descriptor is ready
    must_block ///< this descriptor cannot be tried without waiting: call transfer_blocking(), best when it is ready
};

/// What ends by itself: as far as it goes without waiting for a device. False: perform() has to do the rest.
bool perform_without_waiting(spi::aio_work& work) noexcept;

/// What ends by itself: performs all that is left of it.
void perform(spi::aio_work& work) noexcept;

/// What may wait: as far as it goes without waiting. Bytes so far are kept in work.result.
progress transfer_without_waiting(spi::aio_work& work) noexcept;

/// The same for descriptors that have no such mode (terminals; pipes before Linux 6.5): one read or one short write, which
/// a ready descriptor takes without waiting unless somebody else was faster.
progress transfer_blocking(spi::aio_work& work) noexcept;

/// Ends it before its time: with what had been transferred, or ECANCELED.
void break_off(spi::aio_work& work) noexcept;

} // namespace sigev::aio_threads
