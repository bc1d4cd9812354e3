/* options - fakeline's command line: one table of options, each with the commands that take it.
 *
 * Shape    one parse for all commands; a command sees a filled struct and its operands.
 * Units    ports; milliseconds.
 * Errors   a sentence on stderr and false: the caller exits 2.
 * Owner    texts are borrowed from argv; options_fini() frees what was read from files.
 */
#ifndef FAKELINE_OPTIONS_H
#define FAKELINE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum command {
    COMMAND_SERVE = 1,
    COMMAND_ACCEPTED = 2,
    COMMAND_REQUESTS = 4,
    COMMAND_WEBHOOK = 8,
    COMMAND_FAULT = 16,
    COMMAND_USERS = 32,
    COMMAND_RESET = 64,
};

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 4 };

struct options {
    enum command command;
    bool help, json;
    const char *port, *port_file; /* as given; options_port() reads them */
    const char *secret, *secret_file, *token, *bot_user_id;
    const char *after, *quota, *record;
    const char *url, *time_ms;
    bool bad_signature, raw;
    const char *message, *times, *user, *delay_ms;
    bool blocked, unblocked, unknown, known, no_profile;
    const char *name, *language;
    char **operands; /* ended by NULL */
    int operand_count;
    char *secret_read; /* from secret_file */
};

/* argv begins with the command's own name. */
bool options_parse(struct options *out_options, enum command command, int argc, char **argv);
void options_fini(struct options *options);

/* --port, else the content of --port-file, else $FAKELINE_PORT. */
bool options_port(const struct options *options, uint16_t *out_port);
bool options_number(const char *name, const char *text, int64_t least, int64_t most,
                    int64_t *out_number);

#endif
