// A file that is written and read again, told by a callback. sigev_aio(3) has more, in C.
#include <sigev/aio_request.hpp>

#include <array>
#include <cstdio>
#include <iostream>
#include <semaphore>
#include <string_view>

namespace {

void on_end(sigval value)
{
    static_cast<std::binary_semaphore*>(value.sival_ptr)->release();
}

} // namespace

int main()
{
    std::binary_semaphore ended(0);
    std::FILE* const file = std::tmpfile();
    if (!file)
        return 1;
    const std::string_view text = "hello, world\n";
    std::array<char, 32> back{};
    sigev::aio_request request(sigev::target::callback(on_end, &ended));
    request.start_write(fileno(file), 0, std::as_bytes(std::span(text)));
    ended.acquire();
    request.start_read(fileno(file), 0, std::as_writable_bytes(std::span(back)));
    ended.acquire();
    const std::size_t n = request.result();
    std::cout << n << " bytes: " << std::string_view(back.data(), n);
    std::fclose(file);
}
