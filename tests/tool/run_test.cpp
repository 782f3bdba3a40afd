// `sigev run`: what it becomes, what it hands on, and what it refuses.
#include "process.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sigev_tests;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

/// A file of this test, which is removed with it.
class scratch_file {
public:
    scratch_file(const std::string& content, mode_t mode) {
        char name[] = "./run-test-XXXXXX";
        const int fd = mkstemp(name);
        BOOST_REQUIRE(fd != -1);
        path_ = name;
        BOOST_REQUIRE(write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
        BOOST_REQUIRE(fchmod(fd, mode) == 0);
        close(fd);
    }
    ~scratch_file() { std::filesystem::remove(path_); }
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void is_refused(const std::string& program, const std::string& why) {
    const auto end = run_tool({"run", "--", program});
    BOOST_TEST(end.status == 2, program << ": " << end.status);
    BOOST_TEST(end.out == "");
    BOOST_TEST(has(end.err, why), end.err);
}

} // namespace

BOOST_AUTO_TEST_SUITE(running)

BOOST_AUTO_TEST_CASE(status_output_and_arguments_are_the_programs) {
    const auto end = run_tool({"run", "--", "sh", "-c", "printf '%s|' \"$@\"; exit 5", "sh", "--json", "a b", "--"});
    BOOST_TEST(end.status == 5);
    BOOST_TEST(end.out == "--json|a b|--|");
    BOOST_TEST(end.err == "");
}

BOOST_AUTO_TEST_CASE(the_mark_may_be_left_out) {
    BOOST_TEST(run_tool({"run", "echo", "--", "--precise"}).out == "-- --precise\n");
}

BOOST_AUTO_TEST_CASE(it_becomes_the_program) {
    tool_process process({"run", "--", "sh", "-c", "echo $$; exec sleep 60"});
    BOOST_REQUIRE(process.says("\n"));
    process.signal(SIGTERM);
    BOOST_TEST(process.end().status == -SIGTERM);
}

BOOST_AUTO_TEST_CASE(what_it_is_told_it_hands_on) {
    const auto end = run_tool({"run", "--disable", "aio", "--engine", "timer=heap", "--precise", "--", "env"});
    BOOST_TEST(end.status == 0);
    for (const char* line : {"/libsigev-posix.so", "SIGEV_DISABLE=aio\n", "SIGEV_ENGINE=timer=heap\n", "SIGEV_PRECISE=1\n"})
        BOOST_TEST(has(end.out, line), line << " is missing in " << end.out);
}

BOOST_AUTO_TEST_CASE(what_was_preloaded_before_still_is) {
    const auto end = run_tool({"run", "--", "env"}, {"LD_PRELOAD=libm.so.6"});
    BOOST_TEST(has(end.out, "/libsigev-posix.so:libm.so.6\n"), end.out);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_served_is_refused) {
    is_refused(scratch_file("nothing that runs", 0700).path(), "Exec format error");
    is_refused(scratch_file("#!/bin/sh\n", 0600).path(), "Permission denied");
    is_refused("./", "Permission denied");
    std::string self = content_of("/proc/self/exe");
    self[4] = 1; // EI_CLASS
    is_refused(scratch_file(self, 0700).path(), "32-bit");
}

// The kernel and the dynamic linker do not look at sections: what stands there may be anything.
BOOST_AUTO_TEST_CASE(sections_that_make_no_sense_are_read_without_harm) {
    const std::string plain = content_of("/bin/true");
    Elf64_Ehdr file;
    BOOST_REQUIRE(plain.size() > sizeof file);
    std::memcpy(&file, plain.data(), sizeof file);
    const auto changed = [&](Elf64_Word type, auto&& change) {
        std::string content = plain;
        for (int i = 0; i != file.e_shnum; ++i) {
            char* const at = content.data() + file.e_shoff + static_cast<std::size_t>(i) * sizeof(Elf64_Shdr);
            Elf64_Shdr section;
            std::memcpy(&section, at, sizeof section);
            if (section.sh_type != type)
                continue;
            change(section);
            std::memcpy(at, &section, sizeof section);
        }
        return content;
    };
    const auto runs = [](const std::string& content) { return run_tool({"run", "--", scratch_file(content, 0700).path()}).status; };
    BOOST_TEST(runs(changed(SHT_DYNSYM, [](Elf64_Shdr& s) { s.sh_entsize = 0; })) == 0);
    BOOST_TEST(runs(changed(SHT_DYNSYM, [](Elf64_Shdr& s) { s.sh_link = 0xffff; })) == 0);
    BOOST_TEST(runs(changed(SHT_GNU_versym, [](Elf64_Shdr& s) { s.sh_size = 1; })) == 0);
    // Two records, each of which says that the other one is the next.
    std::array<Elf64_Verneed, 2> ring{};
    ring[0] = {1, 0, 0, 0, sizeof ring[0]};
    ring[1] = {1, 0, 0, 0, static_cast<Elf64_Word>(-static_cast<int>(sizeof ring[0]))};
    const std::size_t place = (plain.size() + 7) / 8 * 8;
    std::string loop = changed(SHT_GNU_verneed, [&](Elf64_Shdr& s) {
        s.sh_offset = place;
        s.sh_size = sizeof ring;
    });
    loop.resize(place);
    loop.append(reinterpret_cast<const char*>(ring.data()), sizeof ring);
    BOOST_TEST(runs(loop) == 0);
}

BOOST_AUTO_TEST_CASE(a_program_that_is_missing_is_127) {
    for (const char* name : {"no-such-program-anywhere", "./no-such-program"}) {
        const auto end = run_tool({"run", "--", name});
        BOOST_TEST(end.status == 127);
        BOOST_TEST(has(end.err, name), end.err);
    }
}

BOOST_AUTO_TEST_CASE(a_script_is_judged_by_its_interpreter) {
    const scratch_file script("#!/bin/sh\nexit 9\n", 0700);
    BOOST_TEST(run_tool({"run", "--", script.path()}).status == 9);
    const scratch_file loop("#!" + std::filesystem::absolute(script.path()).string() + "\n", 0700);
    BOOST_TEST(run_tool({"run", "--", loop.path()}).status == 9);
    is_refused(scratch_file("#!/no/such/interpreter\n", 0700).path(), "No such file");
}

BOOST_AUTO_TEST_CASE(set_user_id_is_refused_where_it_changes_anything) {
    const scratch_file program(content_of("/bin/true"), 0700);
    BOOST_REQUIRE(chmod(program.path().c_str(), 04755) == 0);
    BOOST_TEST(run_tool({"run", "--", program.path()}).status == 0); // its owner is who runs it
    if (chown(program.path().c_str(), 60001, static_cast<gid_t>(-1)) != 0 || chmod(program.path().c_str(), 04755) != 0)
        skip("no program of another user's can be made here");
    is_refused(program.path(), "set-user-ID");
}

BOOST_AUTO_TEST_CASE(wrong_usage_is_said) {
    BOOST_TEST(run_tool({"run"}).status == 2);
    BOOST_TEST(run_tool({"run", "--"}).status == 2);
    BOOST_TEST(has(run_tool({"run", "--disable", "mq", "true"}).err, "no part mq"));
    BOOST_TEST(run_tool({"run", "--engine", "timer=sundial", "true"}).status == 2);
}

BOOST_AUTO_TEST_SUITE_END()
