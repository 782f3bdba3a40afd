/* An assertion: one rule of an interface, in our own words, with its source, and a body that tries it.
 *
 * A body is plain C on POSIX names. What they are names of says "column.h", of which there is one for each implementation
 * (columns/): the same body is compiled once for each, and knows of none. It runs in a process of its own, with a deadline, and
 * returns when the rule was kept. What ends it otherwise says why:
 *
 *     check(what, ...)       the rule is broken if not `what`           FAIL
 *     need(what, ...)        the rule could not be tried if not `what`  UNRESOLVED
 *     unsupported(...)       an optional part that is not there         UNSUPPORTED
 *     untested(...)          what cannot be tried here                  UNTESTED
 *
 * The statuses are those of POSIX test suites. A body that crashes, or does not end in time, has failed. */
#ifndef SIGEV_TESTS_ASSERTION_H
#define SIGEV_TESTS_ASSERTION_H

enum status { PASS = 0, FAIL = 1, UNRESOLVED = 2, UNSUPPORTED = 4, UNTESTED = 5 };

struct assertion {
    const char *id; /* "timer_settime.4": page and number, for ever */
    const char *rule;
    const char *source;
    void (*body)(void);
    struct assertion *next;
};

void add_assertion(struct assertion *assertion);

#define ASSERTION(page, number, rule, source)                                                                                \
    static void page##_##number(void);                                                                                      \
    __attribute__((constructor)) static void add_##page##_##number(void)                                                    \
    {                                                                                                                       \
        static struct assertion it = {#page "." #number, rule, source, page##_##number, 0};                                 \
        add_assertion(&it);                                                                                                 \
    }                                                                                                                       \
    static void page##_##number(void)

/* Ends the process with the status, and says why. Any thread; not in a child that the body has forked. */
__attribute__((noreturn, format(printf, 4, 5))) void end_with(enum status status, const char *file, int line,
                                                              const char *format, ...);

#define check(what, ...) ((what) ? (void)0 : end_with(FAIL, __FILE__, __LINE__, __VA_ARGS__))
#define need(what, ...) ((what) ? (void)0 : end_with(UNRESOLVED, __FILE__, __LINE__, __VA_ARGS__))
#define unsupported(...) end_with(UNSUPPORTED, __FILE__, __LINE__, __VA_ARGS__)
#define untested(...) end_with(UNTESTED, __FILE__, __LINE__, __VA_ARGS__)

/* What is being tried, for the words of a failure: "SIGEV_THREAD", "CLOCK_REALTIME". A constant, or 0. */
void about(const char *what);

/* Puts this program in the process's place, and the same body into it. There new_image() is `word`; before, it is 0. */
__attribute__((noreturn)) void execute_new_image(const char *word);
const char *new_image(void);

#endif
