#include "tools/fakeline/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ASKING = COMMAND_ACCEPTED | COMMAND_REQUESTS | COMMAND_WEBHOOK | COMMAND_FAULT | COMMAND_USERS |
             COMMAND_RESET,
    ALL = ASKING | COMMAND_SERVE,
};

struct row {
    const char *name;
    unsigned commands;
    bool flag;     /* takes no value */
    size_t offset; /* of its const char * or bool in struct options */
};

#define TEXT(member) false, offsetof(struct options, member)
#define FLAG(member) true, offsetof(struct options, member)

static const struct row rows[] = {
    {"help", ALL, FLAG(help)},
    {"port", ALL, TEXT(port)},
    {"port-file", ALL, TEXT(port_file)},
    {"secret", COMMAND_SERVE, TEXT(secret)},
    {"secret-file", COMMAND_SERVE, TEXT(secret_file)},
    {"token", COMMAND_SERVE, TEXT(token)},
    {"bot-user-id", COMMAND_SERVE, TEXT(bot_user_id)},
    {"quota", COMMAND_SERVE, TEXT(quota)},
    {"record", COMMAND_SERVE, TEXT(record)},
    {"after", COMMAND_ACCEPTED | COMMAND_REQUESTS, TEXT(after)},
    {"url", COMMAND_WEBHOOK, TEXT(url)},
    {"time-ms", COMMAND_WEBHOOK, TEXT(time_ms)},
    {"bad-signature", COMMAND_WEBHOOK, FLAG(bad_signature)},
    {"raw", COMMAND_WEBHOOK, FLAG(raw)},
    {"message", COMMAND_FAULT, TEXT(message)},
    {"times", COMMAND_FAULT, TEXT(times)},
    {"user", COMMAND_FAULT, TEXT(user)},
    {"delay-ms", COMMAND_FAULT, TEXT(delay_ms)},
    {"blocked", COMMAND_USERS, FLAG(blocked)},
    {"unblocked", COMMAND_USERS, FLAG(unblocked)},
    {"unknown", COMMAND_USERS, FLAG(unknown)},
    {"known", COMMAND_USERS, FLAG(known)},
    {"no-profile", COMMAND_USERS, FLAG(no_profile)},
    {"name", COMMAND_USERS, TEXT(name)},
    {"language", COMMAND_USERS, TEXT(language)},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]), FIRST_CODE = 1000 };

/* Only the command's own options, so that others are refused by getopt itself. */
static void
fill_table(enum command command, struct option *table)
{
    size_t count = 0;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if ((rows[i].commands & command) != 0) {
            table[count++] =
                (struct option){.name = rows[i].name,
                                .has_arg = rows[i].flag ? no_argument : required_argument,
                                .val = FIRST_CODE + (int)i};
        }
    }
    table[count] = (struct option){0};
}

static void
set_member(struct options *options, const struct row *row, const char *value)
{
    char *member = (char *)options + row->offset;
    if (row->flag) {
        const bool yes = true;
        memcpy(member, &yes, sizeof(yes));
    } else {
        memcpy(member, &value, sizeof(value));
    }
}

static bool
set_output(struct options *options, const char *value)
{
    options->json = strcmp(value, "json") == 0;
    if (!options->json && strcmp(value, "table") != 0) {
        fprintf(stderr, "fakeline: -o takes json or table, not '%s'\n", value);
        return false;
    }
    return true;
}

/* The first line of a file, in memory of its own. */
static char *
read_line(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;
    if (file == NULL || getline(&line, &capacity, file) < 0) {
        fprintf(stderr, "fakeline: cannot read %s: %s\n", path,
                file == NULL ? strerror(errno) : "it is empty");
        free(line);
        line = NULL;
    } else {
        line[strcspn(line, "\r\n")] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    return line;
}

bool
options_parse(struct options *out_options, enum command command, int argc, char **argv)
{
    struct option table[ROW_COUNT + 1];
    struct options options = {.command = command};
    fill_table(command, table);
    optind = 1;
    int code = 0;
    while ((code = getopt_long(argc, argv, command == COMMAND_SERVE ? "h" : "ho:", table, NULL)) !=
           -1) {
        if (code == 'h') {
            options.help = true;
        } else if (code == 'o') {
            if (!set_output(&options, optarg)) {
                return false;
            }
        } else if (code >= FIRST_CODE) {
            set_member(&options, &rows[code - FIRST_CODE], optarg);
        } else {
            return false; /* getopt has said what is wrong */
        }
    }
    if (options.secret_file != NULL) {
        options.secret_read = read_line(options.secret_file);
        options.secret = options.secret_read;
        if (options.secret == NULL) {
            return false;
        }
    }
    options.operands = argv + optind;
    options.operand_count = argc - optind;
    *out_options = options;
    return true;
}

void
options_fini(struct options *options)
{
    free(options->secret_read);
    options->secret_read = NULL;
}

bool
options_number(const char *name, const char *text, int64_t least, int64_t most, int64_t *out_number)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < least || number > most) {
        fprintf(stderr, "fakeline: %s takes a number from %lld to %lld, not '%s'\n", name,
                (long long)least, (long long)most, text);
        return false;
    }
    *out_number = number;
    return true;
}

bool
options_port(const struct options *options, uint16_t *out_port)
{
    bool serving = options->command == COMMAND_SERVE;
    const char *text = options->port;
    char *line = NULL;
    if (text == NULL && options->port_file != NULL && !serving) {
        line = read_line(options->port_file);
        if (line == NULL) {
            return false;
        }
        text = line;
    }
    if (text == NULL) {
        text = getenv("FAKELINE_PORT");
    }
    if (text == NULL && serving) {
        text = "0";
    }
    if (text == NULL) {
        fprintf(stderr, "fakeline: which one? give --port, --port-file or $FAKELINE_PORT\n");
        return false;
    }
    int64_t port = 0;
    bool good = options_number("--port", text, serving ? 0 : 1, 65535, &port);
    free(line);
    *out_port = (uint16_t)port;
    return good;
}
