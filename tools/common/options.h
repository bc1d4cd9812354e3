/* options - one table of commands, from which parsing, usage and help all come.
 *
 * Shape    a program is commands (of one or two words) and options; program_run() finds the command,
 *          checks its options and the number of its arguments, and calls it. Help is in English or
 *          Japanese (terminal.h). A word that is nearly right gets "did you mean".
 * Units    none.
 * Errors   exit codes, the same in every tool; usage errors go to stderr with the line that helps.
 * Owner    tables are constants; an invocation borrows argv and is valid during the command's run.
 */
#ifndef TOOLS_COMMON_OPTIONS_H
#define TOOLS_COMMON_OPTIONS_H

#include "engine/base/buf.h"
#include <stdbool.h>

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_UNREACHABLE = 4, /* the daemon does not answer */
    EXIT_REFUSED = 5,
};

struct option {
    char letter;       /* 0: none */
    const char *name;  /* "socket", written --socket */
    const char *value; /* "SOCKET": takes a value; "text|json": one of these; NULL: takes none */
    const char *help, *help_ja;
    bool everywhere; /* every command takes it */
};

struct invocation;
typedef int (*command_fn)(const struct invocation *invocation);

struct command {
    const char *name;      /* "status", "friend list" */
    const char *arguments; /* for people: "FRIEND +TAG…"; NULL: none */
    unsigned arguments_min, arguments_max;
    const char *options; /* names of those that are not everywhere: "dry-run yes"; NULL: none */
    const char *help, *help_ja;
    command_fn run;
};

enum { ARGUMENTS_ANY = 0xffff };

struct program {
    const char *name;
    const char *version;
    const char *purpose, *purpose_ja; /* one line */
    const char *examples;             /* lines help begins with; NULL: none */
    const struct command *commands;
    unsigned command_count;
    const struct option *options;
    unsigned option_count;
    /* Asked about a word that is no command, before "did you mean": true and why. NULL: never. */
    bool (*explain_unknown)(struct span word, struct buf *out);
};

enum { OPTIONS_MAX = 32 };

struct invocation {
    const struct program *program;
    const struct command *command;
    char *const *arguments; /* after the command's words, options taken out */
    unsigned argument_count;
    const char *values[OPTIONS_MAX]; /* by option; "" for one without a value */
};

/* The option's value; NULL when it was not given. */
const char *invocation_option(const struct invocation *invocation, const char *name);
bool invocation_has(const struct invocation *invocation, const char *name);

/* Parses argv, runs the command and returns its exit code. argv may be reordered. */
int program_run(const struct program *program, int argc, char **argv);

/* What --help prints: the program's overview, or one command's page. */
void program_help(const struct program *program, const struct command *command, bool japanese,
                  struct buf *out);

/* Says "program: text" on stderr and returns EXIT_USAGE. */
int usage_error(const struct program *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The nearest of the words, or NULL when none is near (at most a third of the letters differ). */
const char *nearest_word(struct span word, const char *const *words, size_t count);

#endif
