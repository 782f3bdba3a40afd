// The rounds of rounds.h for a contestant that is a class, with what its measurements need of struct engine_calls:
//
//     Engine(std::size_t depth)
//     void read(std::size_t i, int fd, char* page, std::size_t at)
//     void write(std::size_t i, int fd, char* page, std::size_t at)
//     void sync(int fd)
//     void wait(std::size_t n)
#pragma once

#include "aio/rounds.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sigev_bench {

template <class Engine>
engine_calls calls_of(Engine& e)
{
    engine_calls calls{};
    calls.self = &e;
    calls.read = [](void* self, std::size_t i, int fd, char* page, std::size_t at) {
        static_cast<Engine*>(self)->read(i, fd, page, at);
    };
    if constexpr (requires { &Engine::write; })
        calls.write = [](void* self, std::size_t i, int fd, char* page, std::size_t at) {
            static_cast<Engine*>(self)->write(i, fd, page, at);
        };
    if constexpr (requires { &Engine::sync; })
        calls.sync = [](void* self, int fd) { static_cast<Engine*>(self)->sync(fd); };
    calls.wait = [](void* self, std::size_t n) { static_cast<Engine*>(self)->wait(n); };
    return calls;
}

template <class Engine, double (*Measure)(const engine_calls*, std::size_t)>
double rounds_of(std::uint64_t depth)
{
    Engine e(depth);
    const engine_calls calls = calls_of(e);
    return Measure(&calls, depth);
}

} // namespace sigev_bench
