/* Compares what assertions say with what is written down.
 *
 *     runner EXPECTED PROGRAM ID                    one: exit status 0 as written down, 77 not tried here, 1 otherwise
 *     runner --table NAME PROGRAM EXPECTED ...      all of all columns beside each other; 0 or 1
 *
 * A PROGRAM of the table may be "LD_PRELOAD=LIBRARY PROGRAM".
 *
 * EXPECTED has a line "ID fail WHY" for each known failure; "ID fails? WHY" is one that shows on some machines, or in some
 * runs, only. What does not stand there passes, or says itself that it cannot be tried. An id that no program has is red. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { PASS = 0, FAIL = 1, UNRESOLVED = 2, UNSUPPORTED = 4, UNTESTED = 5, statuses = 6, skipped = 77 };
static const char *const names[statuses] = {"pass", "FAIL", "unresolved", "", "unsupported", "untested"};

struct result {
    int status;
    char reason[512]; /* the last line that it has printed */
};

struct known {
    bool listed;
    bool always;
    char why[512];
};

struct column {
    const char *name;
    const char *program;
    const char *expected;
    int counts[statuses];
    int as_written; /* failures that are written down */
    int wrong;
};

/* `program argument`, for the shell. */
static const char *command_of(const char *program, const char *argument)
{
    static char command[4096];
    static const char preload[] = "LD_PRELOAD=";
    const char *space = strncmp(program, preload, sizeof preload - 1) == 0 ? strchr(program, ' ') : NULL;
    if (space)
        snprintf(command, sizeof command, "%.*s'%.*s' '%s' '%s'", (int)sizeof preload - 1, program,
                 (int)(space - program) - (int)sizeof preload + 1, program + sizeof preload - 1, space + 1, argument);
    else
        snprintf(command, sizeof command, "'%s' '%s'", program, argument);
    return command;
}

static struct result run(const char *program, const char *id)
{
    struct result result = {.status = FAIL, .reason = "it says nothing"};
    char line[512];
    FILE *output = popen(command_of(program, id), "re");
    if (!output)
        return result;
    while (fgets(line, sizeof line, output)) {
        line[strcspn(line, "\n")] = '\0';
        strcpy(result.reason, line);
    }
    const int status = pclose(output);
    if (WIFEXITED(status) && WEXITSTATUS(status) < statuses && *names[WEXITSTATUS(status)])
        result.status = WEXITSTATUS(status);
    else
        snprintf(result.reason, sizeof result.reason, "wait status %#x", (unsigned)status);
    return result;
}

static struct known look_up(const char *expected, const char *id)
{
    struct known known = {0};
    char line[512];
    FILE *file = fopen(expected, "re");
    if (!file) {
        fprintf(stderr, "%s: %s\n", expected, strerror(errno));
        exit(1);
    }
    while (fgets(line, sizeof line, file)) {
        char found[64];
        char word[16];
        int end = 0;
        if (line[0] == '#' || sscanf(line, "%63s %15s %n", found, word, &end) < 2 || strcmp(found, id) != 0)
            continue;
        if (strcmp(word, "fail") != 0 && strcmp(word, "fails?") != 0) {
            fprintf(stderr, "%s: what is \"%s\"?\n", expected, word);
            exit(1);
        }
        known.listed = true;
        known.always = strcmp(word, "fail") == 0;
        line[strcspn(line, "\n")] = '\0';
        strcpy(known.why, line + end);
    }
    fclose(file);
    return known;
}

/* Whether the result is what is written down; what cannot be tried here is not held against it. */
static bool as_written(const struct known *known, const struct result *result)
{
    switch (result->status) {
    case PASS: return !known->listed || !known->always;
    case FAIL: return known->listed;
    case UNRESOLVED: return false;
    default: return true;
    }
}

static int try_one(const char *expected, const char *program, const char *id)
{
    const struct known known = look_up(expected, id);
    const struct result result = run(program, id);
    printf("%s: %s\n", id, result.reason);
    if (known.listed)
        printf("written down: %s: %s\n", known.always ? "fails" : "may fail", known.why);
    if (!as_written(&known, &result)) {
        printf("which is not what is written down in %s\n", expected);
        return 1;
    }
    if (result.status == UNSUPPORTED || result.status == UNTESTED) {
        printf("SKIPPED: %s: %s\n", id, result.reason);
        return skipped;
    }
    return 0;
}

/* The lines of a table cell that begins with the id, and the notes below it. */
static void try_row(struct column *columns, int count, const char *id, const char *rule)
{
    char notes[8192] = "";
    printf("%-20s", id);
    for (int c = 0; c != count; ++c) {
        const struct known known = look_up(columns[c].expected, id);
        const struct result result = run(columns[c].program, id);
        const bool right = as_written(&known, &result);
        const size_t used = strlen(notes);
        ++columns[c].counts[result.status];
        columns[c].wrong += !right;
        columns[c].as_written += right && result.status == FAIL;
        printf(" %-12s", names[result.status]);
        fflush(stdout);
        if (result.status != PASS || !right)
            snprintf(notes + used, sizeof notes - used, "    %s: %s%s%s%s\n", columns[c].name, result.reason,
                     known.listed ? "\n        written down: " : "", known.why, right ? "" : "\n        NOT WHAT IS WRITTEN DOWN");
    }
    printf(" %s\n%s", rule, notes);
    fflush(stdout);
}

static int is_listed(const char *list, const char *id)
{
    const size_t length = strlen(id);
    for (const char *line = list; *line; line = strchrnul(line, '\n'), line += *line == '\n')
        if (strncmp(line, id, length) == 0 && line[length] == '\t')
            return 1;
    return 0;
}

/* What the first column's program lists; every column is compiled of the same pages. */
static char *list_of(const char *program)
{
    static char list[262144];
    FILE *output = popen(command_of(program, "--list"), "re");
    if (!output || fread(list, 1, sizeof list - 1, output) == 0 || pclose(output) != 0) {
        fprintf(stderr, "%s has no list\n", program);
        exit(1);
    }
    return list;
}

/* An id in the file that no body bears any more hides nothing. */
static int unknown_ids(const struct column *column, const char *list)
{
    int unknown = 0;
    char line[512];
    char id[64];
    FILE *file = fopen(column->expected, "re");
    while (file && fgets(line, sizeof line, file))
        if (line[0] != '#' && sscanf(line, "%63s", id) == 1 && !is_listed(list, id)) {
            printf("%s: there is no %s\n", column->expected, id);
            ++unknown;
        }
    if (file)
        fclose(file);
    return unknown;
}

static int print_table(struct column *columns, int count)
{
    int wrong = 0;
    char *list = list_of(columns[0].program);
    for (int c = 0; c != count; ++c)
        wrong += unknown_ids(&columns[c], list);
    printf("%-20s", "");
    for (int c = 0; c != count; ++c)
        printf(" %-12s", columns[c].name);
    printf(" rule\n");
    char *rest = NULL;
    for (char *line = strtok_r(list, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *rule = strchr(line, '\t');
        *rule++ = '\0';
        rule[strcspn(rule, "\t")] = '\0';
        try_row(columns, count, line, rule);
    }
    for (int c = 0; c != count; ++c) {
        const struct column *column = &columns[c];
        printf("%s: %d pass, %d fail (%d as written down), %d unresolved, %d unsupported, %d untested; %d not as written down\n",
               column->name, column->counts[PASS], column->counts[FAIL], column->as_written, column->counts[UNRESOLVED],
               column->counts[UNSUPPORTED], column->counts[UNTESTED], column->wrong);
        wrong += column->wrong;
    }
    return wrong ? 1 : 0;
}

int main(int count, char **arguments)
{
    enum { most = 8 };
    struct column columns[most] = {0};
    if (count == 4 && strcmp(arguments[1], "--table") != 0)
        return try_one(arguments[1], arguments[2], arguments[3]);
    const int wanted = (count - 2) / 3;
    if (count < 5 || (count - 2) % 3 != 0 || wanted > most || strcmp(arguments[1], "--table") != 0) {
        fprintf(stderr, "usage: %s EXPECTED PROGRAM ID | --table NAME PROGRAM EXPECTED ...\n", arguments[0]);
        return 1;
    }
    for (int c = 0; c != wanted; ++c) {
        columns[c].name = arguments[2 + 3 * c];
        columns[c].program = arguments[3 + 3 * c];
        columns[c].expected = arguments[4 + 3 * c];
    }
    return print_table(columns, wanted);
}
