// The memory of event_raw objects, which is never given back, and the objects that could not be closed yet.
#pragma once

#include "core/event_raw.hpp"

namespace sigev::core::event_raw_pool {

/// An object that nobody owns, its word refusing posts; null: no memory.
sigev_event_raw* take() noexcept;

/// True when no poster can reach the closing object's descriptors any more.
bool may_close(const sigev_event_raw& event) noexcept;

/// Closes the descriptors of a closing object and keeps the memory for the next owner.
void give_back(sigev_event_raw& event) noexcept;

/// For a closing object that has a writer: it is given back by a later look_at_retired().
void retire(sigev_event_raw& event) noexcept;

/// Gives back what has been retired and may be closed by now.
void look_at_retired() noexcept;

} // namespace sigev::core::event_raw_pool
