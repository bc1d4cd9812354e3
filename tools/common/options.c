#include "tools/common/options.h"

#include "tools/common/table.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int
usage_error(const struct program *program, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program->name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n%s: '%s help' lists what it can do\n", program->name, program->name);
    va_end(arguments);
    return EXIT_USAGE;
}

/* Edit distance with transpositions, over bytes; words here are short. */
static size_t
distance(struct span a, struct span b)
{
    enum { WORD_MAX = 32 };
    if (a.len > WORD_MAX || b.len > WORD_MAX) {
        return SIZE_MAX;
    }
    size_t d[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= a.len; i++) {
        for (size_t j = 0; j <= b.len; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            size_t best = d[i - 1][j - 1] + (a.data[i - 1] == b.data[j - 1] ? 0 : 1);
            best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
            best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
                a.data[i - 2] == b.data[j - 1] && d[i - 2][j - 2] + 1 < best) {
                best = d[i - 2][j - 2] + 1;
            }
            d[i][j] = best;
        }
    }
    return d[a.len][b.len];
}

const char *
nearest_word(struct span word, const char *const *words, size_t count)
{
    const char *nearest = NULL;
    size_t nearest_distance = word.len / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        size_t far = distance(word, span_cstr(words[i]));
        if (far < nearest_distance && far < word.len) {
            nearest_distance = far;
            nearest = words[i];
        }
    }
    return nearest;
}

static const struct option *
find_option(const struct program *program, struct span name, char letter)
{
    for (unsigned i = 0; i < program->option_count; i++) {
        const struct option *option = &program->options[i];
        if (letter != 0 ? option->letter == letter : span_equal_cstr(name, option->name)) {
            return option;
        }
    }
    return NULL;
}

/* True when the space-separated list holds the word. */
static bool
list_has(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t item = strcspn(at, " ");
        if (item == len && memcmp(at, word, len) == 0) {
            return true;
        }
        at += item;
        at += strspn(at, " ");
    }
    return false;
}

static bool
command_takes(const struct command *command, const struct option *option)
{
    return option->everywhere || list_has(command->options, option->name);
}

const char *
invocation_option(const struct invocation *invocation, const char *name)
{
    const struct option *option = find_option(invocation->program, span_cstr(name), 0);
    assert(option != NULL);
    return invocation->values[option - invocation->program->options];
}

bool
invocation_has(const struct invocation *invocation, const char *name)
{
    return invocation_option(invocation, name) != NULL;
}

static int
unknown_option(const struct program *program, const char *argument, struct span name)
{
    const char *names[OPTIONS_MAX];
    for (unsigned i = 0; i < program->option_count; i++) {
        names[i] = program->options[i].name;
    }
    const char *nearest = nearest_word(name, names, program->option_count);
    return nearest == NULL ? usage_error(program, "unknown option '%s'", argument)
                           : usage_error(program, "unknown option '%s' - did you mean '--%s'?",
                                         argument, nearest);
}

/* "text|json" is a choice of words; a form in capitals ("SEQ|TIME") takes any value. */
static bool
is_choice(const char *form, const char *value)
{
    if (form == NULL || strchr(form, '|') == NULL || (form[0] >= 'A' && form[0] <= 'Z')) {
        return true;
    }
    size_t len = strlen(value);
    for (const char *at = form;; at++) {
        size_t word = strcspn(at, "|");
        if (word == len && memcmp(at, value, len) == 0) {
            return true;
        }
        at += word;
        if (*at == '\0') {
            return false;
        }
    }
}

/* Takes argv[*at] (and its value, if it has one) into the invocation. */
static int
take_option(struct invocation *invocation, int argc, char **argv, int *at)
{
    const struct program *program = invocation->program;
    const char *argument = argv[*at];
    const struct option *option = NULL;
    const char *value = NULL;
    if (argument[1] == '-') {
        const char *equals = strchr(argument, '=');
        struct span name = span_of(argument + 2, equals == NULL ? strlen(argument + 2)
                                                                : (size_t)(equals - argument - 2));
        option = find_option(program, name, 0);
        if (option == NULL) {
            return unknown_option(program, argument, name);
        }
        value = equals == NULL ? NULL : equals + 1;
    } else {
        option = find_option(program, (struct span){0}, argument[1]);
        if (option == NULL) {
            return usage_error(program, "unknown option '%s'", argument);
        }
        value = argument[2] == '\0' ? NULL : argument + 2;
    }
    if (option->value == NULL) {
        if (value != NULL) {
            return usage_error(program, "option '--%s' takes no value", option->name);
        }
        value = "";
    } else if (value == NULL) {
        if (*at + 1 >= argc) {
            return usage_error(program, "option '%s' wants a value: %s", argument, option->value);
        }
        value = argv[++*at];
    }
    if (!is_choice(option->value, value)) {
        return usage_error(program, "option '--%s' is one of %s, not '%s'", option->name,
                           option->value, value);
    }
    invocation->values[option - program->options] = value;
    return EXIT_DONE;
}

/* How many of the words the command's name takes up; 0 when they do not match it. */
static unsigned
match_words(const char *name, char *const *words, unsigned count)
{
    unsigned used = 0;
    while (*name != '\0') {
        size_t len = strcspn(name, " ");
        if (used == count || strlen(words[used]) != len || memcmp(words[used], name, len) != 0) {
            return 0;
        }
        used++;
        name += len;
        name += strspn(name, " ");
    }
    return used;
}

static const struct command *
find_command(const struct program *program, char *const *words, unsigned count, unsigned *out_used)
{
    const struct command *found = NULL;
    *out_used = 0;
    for (unsigned i = 0; i < program->command_count; i++) {
        unsigned used = match_words(program->commands[i].name, words, count);
        if (used > *out_used) {
            *out_used = used;
            found = &program->commands[i];
        }
    }
    return found;
}

/* Says on stderr why the program knows the word and does nothing for it. */
static bool
is_explained(const struct program *program, const char *word)
{
    struct buf said = {0};
    bool explained =
        program->explain_unknown != NULL && program->explain_unknown(span_cstr(word), &said);
    if (explained) {
        fprintf(stderr, "%s: %s\n", program->name, buf_cstr(&said));
    }
    buf_fini(&said);
    return explained;
}

static int
unknown_command(const struct program *program, char *const *words, unsigned count)
{
    struct span word = span_cstr(words[0]);
    if (is_explained(program, words[0])) {
        return EXIT_USAGE;
    }
    struct buf below = {0}; /* "list, show": what may follow a first word that is right */
    enum { COMMANDS_MAX = 64, WORD_BYTES = 32 };
    char first_words[COMMANDS_MAX][WORD_BYTES];
    const char *candidates[COMMANDS_MAX];
    size_t candidate_count = 0;
    for (unsigned i = 0; i < program->command_count && i < COMMANDS_MAX; i++) {
        const char *name = program->commands[i].name;
        const char *blank = strchr(name, ' ');
        if (blank != NULL && (size_t)(blank - name) == word.len &&
            memcmp(name, word.data, word.len) == 0) {
            buf_printf(&below, "%s%s", below.len == 0 ? "" : ", ", blank + 1);
        }
        snprintf(first_words[i], WORD_BYTES, "%.*s", (int)strcspn(name, " "), name);
        candidates[candidate_count++] = first_words[i];
    }
    int code = EXIT_USAGE;
    if (below.len > 0 && count > 1 && is_explained(program, words[1])) {
        code = EXIT_USAGE;
    } else if (below.len > 0) {
        code = count < 2 ? usage_error(program, "'%s' wants one of: %s", words[0], buf_cstr(&below))
                         : usage_error(program, "no '%s %s'; there are: %s", words[0], words[1],
                                       buf_cstr(&below));
    } else {
        const char *nearest = nearest_word(word, candidates, candidate_count);
        code = nearest == NULL ? usage_error(program, "unknown command '%s'", words[0])
                               : usage_error(program, "unknown command '%s' - did you mean '%s'?",
                                             words[0], nearest);
    }
    buf_fini(&below);
    return code;
}

static void
append_options(const struct program *program, const struct command *command, bool japanese,
               struct buf *out)
{
    struct table *table = table_new();
    table_column(table, NULL, TABLE_LEFT);
    table_column(table, NULL, TABLE_LEFT);
    for (unsigned i = 0; i < program->option_count; i++) {
        const struct option *option = &program->options[i];
        if (command == NULL ? !option->everywhere : !command_takes(command, option)) {
            continue;
        }
        char letter[8] = "    ";
        if (option->letter != 0) {
            snprintf(letter, sizeof(letter), "-%c, ", option->letter);
        }
        table_row(table);
        table_cell_printf(table, "  %s--%s%s%s", letter, option->name,
                          option->value == NULL ? "" : " ",
                          option->value == NULL ? "" : option->value);
        table_cell_cstr(table, japanese ? option->help_ja : option->help);
    }
    table_print(table, false, out);
    table_free(table);
}

void
program_help(const struct program *program, const struct command *command, bool japanese,
             struct buf *out)
{
    if (command != NULL) {
        buf_printf(out, japanese ? "使い方: %s %s%s%s\n\n%s\n\n" : "usage: %s %s%s%s\n\n%s\n\n",
                   program->name, command->name, command->arguments == NULL ? "" : " ",
                   command->arguments == NULL ? "" : command->arguments,
                   japanese ? command->help_ja : command->help);
        append_options(program, command, japanese, out);
        return;
    }
    buf_printf(out, "%s - %s\n\n", program->name,
               japanese ? program->purpose_ja : program->purpose);
    if (program->examples != NULL) {
        buf_printf(out, "%s\n", program->examples);
    }
    struct table *table = table_new();
    table_column(table, NULL, TABLE_LEFT);
    table_column(table, NULL, TABLE_LEFT);
    for (unsigned i = 0; i < program->command_count; i++) {
        const struct command *each = &program->commands[i];
        table_row(table);
        table_cell_printf(table, "  %s %s", each->name,
                          each->arguments == NULL ? "" : each->arguments);
        table_cell_cstr(table, japanese ? each->help_ja : each->help);
    }
    table_print(table, false, out);
    table_free(table);
    buf_append_byte(out, '\n');
    append_options(program, NULL, japanese, out);
}

static int
print_help(const struct program *program, char *const *words, unsigned count)
{
    unsigned used = 0;
    const struct command *command = find_command(program, words, count, &used);
    if (command == NULL && count > 0) {
        return unknown_command(program, words, count);
    }
    struct buf out = {0};
    program_help(program, command, terminal_is_japanese(), &out);
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    return EXIT_DONE;
}

static int
run_command(struct invocation *invocation, char **words, unsigned count)
{
    const struct program *program = invocation->program;
    unsigned used = 0;
    const struct command *command = find_command(program, words, count, &used);
    if (command == NULL) {
        return unknown_command(program, words, count);
    }
    for (unsigned i = 0; i < program->option_count; i++) {
        if (invocation->values[i] != NULL && !command_takes(command, &program->options[i])) {
            return usage_error(program, "'%s' takes no option '--%s'", command->name,
                               program->options[i].name);
        }
    }
    invocation->command = command;
    invocation->arguments = words + used;
    invocation->argument_count = count - used;
    if (invocation->argument_count < command->arguments_min ||
        invocation->argument_count > command->arguments_max) {
        return usage_error(program, "usage: %s %s %s", program->name, command->name,
                           command->arguments == NULL ? "" : command->arguments);
    }
    return command->run(invocation);
}

int
program_run(const struct program *program, int argc, char **argv)
{
    assert(program->option_count <= OPTIONS_MAX);
    struct invocation invocation = {.program = program};
    unsigned count = 0; /* words that are no options move to argv[1 .. count] */
    bool help = false, only_words = false;
    for (int at = 1; at < argc; at++) {
        const char *argument = argv[at];
        if (only_words || argument[0] != '-' || argument[1] == '\0') {
            argv[1 + count++] = argv[at];
        } else if (strcmp(argument, "--") == 0) {
            only_words = true;
        } else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            help = true;
        } else if (strcmp(argument, "--version") == 0) {
            printf("%s %s\n", program->name, program->version);
            return EXIT_DONE;
        } else {
            int code = take_option(&invocation, argc, argv, &at);
            if (code != EXIT_DONE) {
                return code;
            }
        }
    }
    char **words = argv + 1;
    if (count > 0 && strcmp(words[0], "help") == 0) {
        return print_help(program, words + 1, count - 1);
    }
    if (help) {
        return print_help(program, words, count);
    }
    if (count == 0) {
        struct buf out = {0};
        program_help(program, NULL, terminal_is_japanese(), &out);
        fwrite(out.data, 1, out.len, stderr);
        buf_fini(&out);
        return EXIT_USAGE;
    }
    return run_command(&invocation, words, count);
}
