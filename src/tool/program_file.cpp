#include "tool/program_file.hpp"

#include "tool/subcommand.hpp"

#include <fmt/format.h>
#include <gelf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace sigev::tool {

namespace {

constexpr int most_interpreters = 4; // as many as the kernel follows

[[noreturn]] void cannot(const std::string& path, int error) {
    throw usage_error(fmt::format("{}: {}", path, std::strerror(error)));
}

class file {
public:
    explicit file(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (fd_ == -1)
            cannot(path, errno);
    }
    file(const file&) = delete;
    file& operator=(const file&) = delete;
    ~file() { close(fd_); }
    int fd() const noexcept { return fd_; }

private:
    int fd_;
};

struct elf_closer {
    void operator()(Elf* elf) const noexcept { ::elf_end(elf); }
};
using elf_file = std::unique_ptr<Elf, elf_closer>;

bool is_executable_file(const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0;
}

/// Such a program's dynamic linker ignores LD_PRELOAD. (Of a script these bits mean nothing.)
bool gains_rights(const std::string& path, const struct stat& status) {
    return ((status.st_mode & S_ISUID) && status.st_uid != getuid()) || ((status.st_mode & S_ISGID) && status.st_gid != getgid()) ||
           (getuid() != 0 && getxattr(path.c_str(), "security.capability", nullptr, 0) > 0);
}

/// The dynamic linker that the program asks for; empty when it asks for none.
std::string dynamic_linker(Elf* elf) {
    std::size_t headers = 0;
    if (elf_getphdrnum(elf, &headers) != 0)
        return {};
    for (std::size_t i = 0; i != headers; ++i) {
        GElf_Phdr header;
        std::size_t size = 0;
        const char* const raw = elf_rawfile(elf, &size);
        if (gelf_getphdr(elf, static_cast<int>(i), &header) && header.p_type == PT_INTERP && raw &&
            header.p_offset < size && header.p_filesz <= size - header.p_offset)
            return {raw + header.p_offset, strnlen(raw + header.p_offset, header.p_filesz)};
    }
    return {};
}

/// Calls f(section, header) for each section of that type.
template <class F>
void each_section(Elf* elf, GElf_Word type, F&& f) {
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) && header.sh_type == type)
            f(section, header);
    }
}

/// The number under which the program's symbols name a version of libc's; 0 when none does.
GElf_Half number_of_version(Elf* elf, std::string_view name) {
    GElf_Half number = 0;
    each_section(elf, SHT_GNU_verneed, [&](Elf_Scn* section, const GElf_Shdr& header) {
        Elf_Data* const data = elf_getdata(section, nullptr);
        // Forwards only, whatever the file says: it may be broken, or made to keep us busy.
        const auto is_in = [&](std::size_t at) { return data && at < data->d_size && at <= INT_MAX; };
        std::size_t at = 0;
        GElf_Verneed need;
        while (is_in(at) && gelf_getverneed(data, static_cast<int>(at), &need)) {
            std::size_t aux_at = at + need.vn_aux;
            GElf_Vernaux aux;
            for (unsigned i = 0; i != need.vn_cnt && is_in(aux_at) && gelf_getvernaux(data, static_cast<int>(aux_at), &aux); ++i) {
                const char* const version = elf_strptr(elf, header.sh_link, aux.vna_name);
                const char* const from = elf_strptr(elf, header.sh_link, need.vn_file);
                // librt and libc both had the family, and the C library's other parts have versions of the same name.
                if (version && from && version == name && std::string_view(from) != "libpthread.so.0")
                    number = aux.vna_other;
                if (aux.vna_next == 0)
                    break;
                aux_at += aux.vna_next;
            }
            if (need.vn_next == 0)
                break;
            at += need.vn_next;
        }
    });
    return number;
}

/// Does the program use timers whose ids are ints? They were the first that libc had on this processor.
bool has_int_timers([[maybe_unused]] Elf* elf) {
#if defined(__x86_64__)
    const GElf_Half oldest = number_of_version(elf, "GLIBC_2.2.5");
    if (oldest == 0)
        return false;
    bool found = false;
    Elf_Data* versions = nullptr;
    each_section(elf, SHT_GNU_versym, [&](Elf_Scn* section, const GElf_Shdr&) { versions = elf_getdata(section, nullptr); });
    each_section(elf, SHT_DYNSYM, [&](Elf_Scn* section, const GElf_Shdr& header) {
        Elf_Data* const data = elf_getdata(section, nullptr);
        GElf_Sym symbol;
        GElf_Versym version = 0;
        for (int i = 0; data && versions && gelf_getsym(data, i, &symbol) && gelf_getversym(versions, i, &version); ++i) {
            const char* const name = elf_strptr(elf, header.sh_link, symbol.st_name);
            if (name && std::strncmp(name, "timer_", 6) == 0 && symbol.st_shndx == SHN_UNDEF)
                found = found || (version & 0x7fff) == oldest;
        }
    });
    return found;
#else
    return false;
#endif
}

std::string refusal_of_elf(const std::string& path, int fd) {
    if (elf_version(EV_CURRENT) == EV_NONE)
        throw usage_error("libelf is of another version than this command was built with");
    const elf_file elf(elf_begin(fd, ELF_C_READ_MMAP, nullptr));
    GElf_Ehdr header;
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF || !gelf_getehdr(elf.get(), &header))
        throw usage_error(fmt::format("{}: {}", path, std::strerror(ENOEXEC)));
    GElf_Ehdr ours;
    const file self("/proc/self/exe");
    const elf_file own(elf_begin(self.fd(), ELF_C_READ_MMAP, nullptr));
    if (!own || !gelf_getehdr(own.get(), &ours))
        throw usage_error("this command cannot read its own file");
    if (header.e_ident[EI_CLASS] != ours.e_ident[EI_CLASS])
        return "it is a 32-bit program";
    if (header.e_machine != ours.e_machine)
        return "it is for another processor";
    const std::string linker = dynamic_linker(elf.get());
    if (linker.empty())
        return "it is linked statically";
    const auto name = [](const std::string& file) { return file.substr(file.rfind('/') + 1); };
    if (name(linker) != name(dynamic_linker(own.get())))
        return fmt::format("it runs on another C library, whose dynamic linker is {}", linker);
    if (has_int_timers(elf.get()))
        return "it asks for timer_create@GLIBC_2.2.5, whose timer_t is an int";
    return {};
}

} // namespace

std::string find_program(const std::string& name) {
    if (name.find('/') != name.npos) {
        if (access(name.c_str(), F_OK) != 0)
            cannot(name, errno);
        return name;
    }
    const char* const variable = std::getenv("PATH");
    const std::string_view folders = variable ? variable : "/usr/local/bin:/usr/bin:/bin";
    for (std::size_t at = 0; at <= folders.size();) {
        const std::size_t end = std::min(folders.find(':', at), folders.size());
        const std::string folder(folders.substr(at, end - at));
        const std::string path = (folder.empty() ? "." : folder) + "/" + name;
        if (is_executable_file(path))
            return path;
        at = end + 1;
    }
    throw usage_error(fmt::format("there is no program {}", name));
}

std::string interpreter_of(std::string_view head) {
    if (head.substr(0, 2) != "#!")
        return {};
    head = head.substr(2, head.find('\n') == head.npos ? head.npos : head.find('\n') - 2);
    const auto begin = head.find_first_not_of(" \t");
    if (begin == head.npos)
        return {};
    return std::string(head.substr(begin, head.find_first_of(" \t", begin) - begin));
}

std::string refusal(const std::string& path) {
    std::string at = path;
    for (int i = 0; i <= most_interpreters; ++i) {
        struct stat status {};
        if (stat(at.c_str(), &status) != 0)
            cannot(at, errno);
        if (!S_ISREG(status.st_mode) || access(at.c_str(), X_OK) != 0)
            cannot(at, EACCES);
        const file program(at);
        std::array<char, 256> head{};
        const ssize_t n = pread(program.fd(), head.data(), head.size(), 0);
        if (n < 0)
            cannot(at, errno);
        const std::string next = interpreter_of({head.data(), static_cast<std::size_t>(n)});
        if (next.empty()) {
            if (gains_rights(at, status))
                return "it is set-user-ID, set-group-ID, or has capabilities of its own";
            return refusal_of_elf(at, program.fd());
        }
        at = next;
    }
    cannot(path, ELOOP);
}

} // namespace sigev::tool
