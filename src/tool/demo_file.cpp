#include "tool/demo_file.hpp"

#include "tool/subcommand.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sigev::tool {

namespace {

const char* objection(const struct stat& file) noexcept {
    if (S_ISDIR(file.st_mode))
        return "is a directory";
    if (!S_ISREG(file.st_mode))
        return "is not a regular file";
    return file.st_size == 0 ? "is empty: there is nothing to read" : nullptr;
}

} // namespace

demo_file::demo_file(const std::string& path)
    : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) { // a FIFO would wait for its writer
    struct stat file {};
    if (descriptor_ == -1 || fstat(descriptor_, &file) == -1) {
        const int error = errno;
        if (descriptor_ != -1)
            close(descriptor_);
        throw usage_error(fmt::format("cannot read {}: {}", path, std::strerror(error)));
    }
    if (const char* reason = objection(file)) {
        close(descriptor_);
        throw usage_error(fmt::format("{} {}", path, reason));
    }
    size_ = static_cast<std::uint64_t>(file.st_size);
}

demo_file::~demo_file() {
    close(descriptor_);
}

} // namespace sigev::tool
