/* fakeline - LINE on loopback, for the demo, the tests and the benches. */
#include "tools/fakeline/client.h"
#include "tools/fakeline/door.h"

#include <curl/curl.h>
#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const struct verb {
    const char *name;
    enum command command;
    const char *help;
} verbs[] = {
    {"serve", COMMAND_SERVE,
     "Examples\n"
     "  fakeline serve --port 9000\n"
     "  fakeline serve --port-file run/fakeline.port --secret-file secret --quota 200\n\n"
     "fakeline serve [--port N] [--port-file FILE] [--secret S | --secret-file FILE]\n"
     "               [--token T] [--bot-user-id U…] [--quota N] [--record FILE]\n"
     "  --port N          port on 127.0.0.1; 0 or none: any free one\n"
     "  --port-file FILE  write the port there\n"
     "  --secret S        channel secret that signs webhooks (default: fakeline-secret)\n"
     "  --token T         the only channel access token taken (default: any)\n"
     "  --bot-user-id U   the bot's user id, the destination of webhooks\n"
     "  --quota N         messages a month; none: no limit\n"
     "  --record FILE     append every request and its answer there, a line of JSON each\n"
     "                    (default: $FAKELINE_RECORD; none: not kept)\n"},
    {"accepted", COMMAND_ACCEPTED,
     "Examples\n"
     "  fakeline accepted --port 9000\n"
     "  fakeline accepted --port 9000 --after 12 -o json | jq '.accepted[].messages'\n\n"
     "fakeline accepted [--after N] [-o json|table] --port N\n"
     "  What was accepted, once each: number, clock (ms), endpoint, delivered or blocked, to, "
     "text.\n"},
    {"requests", COMMAND_REQUESTS,
     "Examples\n"
     "  fakeline requests --port 9000\n\n"
     "fakeline requests [--after N] [-o json|table] --port N\n"
     "  Every request and the status its sender saw (0: none), with the fault it met.\n"},
    {"webhook", COMMAND_WEBHOOK,
     "Examples\n"
     "  echo '{\"type\":\"follow\",\"source\":{\"type\":\"user\",\"userId\":\"U1\"}}' |\n"
     "    fakeline webhook - --url http://127.0.0.1:8080/webhook --port 9000\n"
     "  fakeline webhook broken.json --raw --url http://127.0.0.1:8080/webhook --port 9000\n\n"
     "fakeline webhook FILE|- [--url URL] [--time-ms N] [--bad-signature] [--raw] --port N\n"
     "  FILE holds an event, an array of events, or a whole command as in docs/api.md.\n"
     "  Exit code 1 when the receiver did not answer 2xx.\n"},
    {"fault", COMMAND_FAULT,
     "Examples\n"
     "  fakeline fault push status 500 --times 3 --port 9000\n"
     "  fakeline fault push status 429 --message 'You have reached your monthly limit.' --port "
     "9000\n"
     "  fakeline fault any delay --delay-ms 1500 --port 9000\n"
     "  fakeline fault clear --port 9000\n\n"
     "fakeline fault ENDPOINT KIND [STATUS] [--message M] [--times N] [--delay-ms N] [--user U]\n"
     "  ENDPOINT  push, reply, multicast, profile, info, quota, consumption, any\n"
     "  KIND      status, delay, stall_after_accept, reset, reset_after_accept\n"},
    {"users", COMMAND_USERS,
     "Examples\n"
     "  fakeline users U1 U2 --blocked --port 9000\n"
     "  fakeline users U3 --name 花子 --language ja --port 9000\n\n"
     "fakeline users ID… [--blocked|--unblocked] [--unknown|--known]\n"
     "               [--name N [--language L] | --no-profile] --port N\n"},
    {"reset", COMMAND_RESET,
     "Examples\n"
     "  fakeline reset --port 9000\n\n"
     "fakeline reset --port N\n"
     "  Forgets what was accepted, requests, users, faults, retry keys and reply tokens.\n"},
};

static void
print_help(FILE *out)
{
    fputs("fakeline plays LINE's Messaging API on loopback.\n\n"
          "Examples\n"
          "  fakeline serve --port 9000\n"
          "  fakeline webhook follow.json --url http://127.0.0.1:8080/webhook --port 9000\n"
          "  fakeline accepted --port 9000\n\n"
          "Commands\n"
          "  serve      play LINE until interrupted\n"
          "  accepted   what was accepted, once each\n"
          "  requests   every request and its answer's status\n"
          "  webhook    send events to stepd, signed\n"
          "  fault      let the next requests go wrong\n"
          "  users      declare users blocked, unknown or named\n"
          "  reset      forget everything\n\n"
          "Those but serve find it by --port, --port-file or $FAKELINE_PORT.\n"
          "'fakeline COMMAND --help' says more. Exit codes: 0 ok, 1 failed, 2 usage, 4 "
          "unreachable.\n",
          out);
}

static void
on_signal(struct ev_loop *loop, struct ev_signal *signal, int events)
{
    (void)signal;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

/* NULL without an error where nothing is to be recorded. */
static bool
open_record(const struct options *options, FILE **out_file)
{
    const char *path = options->record != NULL ? options->record : getenv("FAKELINE_RECORD");
    *out_file = NULL;
    if (path == NULL || path[0] == '\0') {
        return true;
    }
    *out_file = fopen(path, "a");
    if (*out_file == NULL) {
        fprintf(stderr, "fakeline: cannot write %s: %s\n", path, strerror(errno));
    }
    return *out_file != NULL;
}

/* Whole or not at all: who waits for the file must not read half a number. */
static bool
write_port_file(const char *path, uint16_t port)
{
    char *beside = NULL;
    if (asprintf(&beside, "%s.new", path) < 0) {
        return false;
    }
    FILE *file = fopen(beside, "w");
    bool good = file != NULL && fprintf(file, "%u\n", port) > 0;
    good = (file == NULL || fclose(file) == 0) && good && rename(beside, path) == 0;
    if (!good) {
        fprintf(stderr, "fakeline: cannot write %s: %s\n", path, strerror(errno));
    }
    free(beside);
    return good;
}

static int
serve_until_signal(struct ev_loop *loop, const struct options *options, struct door *door)
{
    struct ev_signal interrupted, terminated;
    if (options->port_file != NULL && !write_port_file(options->port_file, door_port(door))) {
        return EXIT_FAILED;
    }
    printf("listening on 127.0.0.1:%u\n", door_port(door));
    fflush(stdout);
    ev_signal_init(&interrupted, on_signal, SIGINT);
    ev_signal_init(&terminated, on_signal, SIGTERM);
    ev_signal_start(loop, &interrupted);
    ev_signal_start(loop, &terminated);
    ev_run(loop, 0);
    return EXIT_OK;
}

static int
run_serve(const struct options *options)
{
    uint16_t port = 0;
    int64_t quota = 0;
    uint64_t run = 0;
    if (options->operand_count > 0) {
        fprintf(stderr, "fakeline: serve takes no operands\n");
        return EXIT_USAGE;
    }
    if (!options_port(options, &port) ||
        (options->quota != NULL &&
         !options_number("--quota", options->quota, 1, INT64_MAX, &quota))) {
        return EXIT_USAGE;
    }
    if (getrandom(&run, sizeof(run), 0) != (ssize_t)sizeof(run)) {
        fprintf(stderr, "fakeline: no random numbers: %s\n", strerror(errno));
        return EXIT_FAILED;
    }
    FILE *record;
    if (!open_record(options, &record)) {
        return EXIT_FAILED;
    }
    struct platform platform;
    platform_init(&platform, run);
    platform.secret = options->secret != NULL ? options->secret : platform.secret;
    platform.bot_user_id =
        options->bot_user_id != NULL ? options->bot_user_id : platform.bot_user_id;
    platform.token = options->token;
    platform.quota = (uint64_t)quota;

    struct ev_loop *loop = ev_default_loop(0);
    struct door *door = NULL;
    int exit_code = EXIT_FAILED;
    enum rc rc = door_open(loop, &platform, port, record, &door);
    if (rc == RC_OK) {
        exit_code = serve_until_signal(loop, options, door);
    } else {
        fprintf(stderr, "fakeline: cannot listen on 127.0.0.1:%u: %s\n", port, rc_name(rc));
    }
    door_close(door);
    platform_fini(&platform);
    if (record != NULL && fclose(record) != 0) {
        fprintf(stderr, "fakeline: the record is not whole: %s\n", strerror(errno));
        exit_code = EXIT_FAILED;
    }
    return exit_code;
}

static int
run_verb(const struct verb *verb, int argc, char **argv)
{
    struct options options;
    if (!options_parse(&options, verb->command, argc, argv)) {
        fprintf(stderr, "fakeline: 'fakeline %s --help' lists its options\n", verb->name);
        return EXIT_USAGE;
    }
    int exit_code = EXIT_OK;
    if (options.help) {
        fputs(verb->help, stdout);
    } else if (verb->command == COMMAND_SERVE) {
        exit_code = run_serve(&options);
    } else {
        exit_code = client_run(&options);
    }
    options_fini(&options);
    return exit_code;
}

int
main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("fakeline " STEPD_VERSION);
        return EXIT_OK;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            curl_global_init(CURL_GLOBAL_DEFAULT);
            int exit_code = run_verb(&verbs[i], argc - 1, argv + 1);
            curl_global_cleanup();
            return exit_code;
        }
    }
    fprintf(stderr, "fakeline: no command '%s'; 'fakeline --help' lists them\n", argv[1]);
    return EXIT_USAGE;
}
