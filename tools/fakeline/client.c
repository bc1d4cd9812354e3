#include "tools/fakeline/client.h"

#include "engine/base/buf.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one call ---- */

static size_t
take_answer(char *data, size_t size, size_t count, void *context)
{
    buf_append(context, data, size * count);
    return size * count;
}

/* Exit code; *out_answer is a new reference when it is EXIT_OK. Problems are told on stderr. */
static int
call(const struct options *options, const char *method, const char *path, const json_t *body,
     json_t **out_answer)
{
    uint16_t port = 0;
    if (!options_port(options, &port)) {
        return EXIT_USAGE;
    }
    char url[512];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, path);
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    struct buf answer = {0};
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURL *easy = curl_easy_init();
    assert(easy != NULL && headers != NULL);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
    if (strcmp(method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, text == NULL ? "" : text);
    } else {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    }
    CURLcode code = curl_easy_perform(easy);
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);

    int exit_code = EXIT_OK;
    json_t *parsed = json_loadb(buf_cstr(&answer), answer.len, JSON_ALLOW_NUL, NULL);
    if (code != CURLE_OK) {
        fprintf(stderr, "fakeline: no answer on 127.0.0.1:%u (%s); is 'fakeline serve' running?\n",
                port, curl_easy_strerror(code));
        exit_code = EXIT_UNREACHABLE;
    } else if (status != 200 || parsed == NULL) {
        const char *message =
            json_string_value(json_object_get(json_object_get(parsed, "error"), "message"));
        fprintf(stderr, "fakeline: %s (status %ld)\n",
                message == NULL ? "not an answer of fakeline's" : message, status);
        exit_code = EXIT_FAILED;
    }
    if (exit_code == EXIT_OK) {
        *out_answer = parsed;
    } else {
        json_decref(parsed);
    }
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    buf_fini(&answer);
    free(text);
    return exit_code;
}

static void
print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_COMPACT);
    putchar('\n');
}

/* A call whose answer says nothing but that it worked. */
static int
tell(const struct options *options, const char *method, const char *path, const json_t *body)
{
    json_t *answer = NULL;
    int exit_code = call(options, method, path, body, &answer);
    if (exit_code == EXIT_OK && options->json) {
        print_json(answer);
    }
    json_decref(answer);
    return exit_code;
}

/* ---- lists ---- */

static const char *
text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text == NULL ? "-" : text;
}

/* "U12", or "U12 and 499 more". */
static void
print_recipients(const json_t *row)
{
    const json_t *to = json_object_get(row, "to");
    const char *first = json_string_value(json_array_get(to, 0));
    printf("%-34s", first == NULL ? "-" : first);
    if (json_array_size(to) > 1) {
        printf(" and %zu more", json_array_size(to) - 1);
    }
}

static void
print_accepted(const json_t *row)
{
    const json_t *messages = json_object_get(row, "messages");
    const json_t *first = json_array_get(messages, 0);
    const char *text = json_string_value(json_object_get(first, "text"));
    printf("%6" JSON_INTEGER_FORMAT "  %13" JSON_INTEGER_FORMAT "  %-9s  %-9s  ",
           json_integer_value(json_object_get(row, "n")),
           json_integer_value(json_object_get(row, "at_ms")), text_of(row, "endpoint"),
           json_is_true(json_object_get(row, "delivered")) ? "delivered" : "blocked");
    print_recipients(row);
    printf("  %s", text == NULL ? text_of(first, "type") : text);
    if (json_array_size(messages) > 1) {
        printf(" (+%zu)", json_array_size(messages) - 1);
    }
    putchar('\n');
}

static void
print_request(const json_t *row)
{
    printf("%6" JSON_INTEGER_FORMAT "  %13" JSON_INTEGER_FORMAT "  %-11s  %3" JSON_INTEGER_FORMAT
           "  %-18s  ",
           json_integer_value(json_object_get(row, "n")),
           json_integer_value(json_object_get(row, "at_ms")), text_of(row, "endpoint"),
           json_integer_value(json_object_get(row, "status")), text_of(row, "fault"));
    print_recipients(row);
    printf("  %s\n", text_of(row, "message"));
}

static int
run_list(const struct options *options)
{
    bool accepted = options->command == COMMAND_ACCEPTED;
    const char *name = accepted ? "accepted" : "requests";
    int64_t after = 0;
    if (options->after != NULL &&
        !options_number("--after", options->after, 0, INT64_MAX, &after)) {
        return EXIT_USAGE;
    }
    char path[96];
    snprintf(path, sizeof(path), "/fakeline/%s?after=%lld", name, (long long)after);
    json_t *answer = NULL;
    int exit_code = call(options, "GET", path, NULL, &answer);
    if (exit_code != EXIT_OK) {
        return exit_code;
    }
    if (options->json) {
        print_json(answer);
    } else {
        size_t index = 0;
        json_t *row = NULL;
        json_array_foreach(json_object_get(answer, name), index, row)
        {
            if (accepted) {
                print_accepted(row);
            } else {
                print_request(row);
            }
        }
    }
    json_decref(answer);
    return EXIT_OK;
}

/* ---- webhook ---- */

static bool
read_all(const char *path, struct buf *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "fakeline: cannot read %s: %s\n", path, strerror(errno));
        return false;
    }
    char bytes[16384];
    size_t got = 0;
    while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0) {
        buf_append(out, bytes, got);
    }
    bool good = ferror(file) == 0;
    if (file != stdin) {
        fclose(file);
    }
    return good;
}

/* FILE may hold the whole command, a webhook's body, its events or one event; --raw: any text. */
static json_t *
webhook_command(const struct options *options, const struct buf *file)
{
    if (options->raw) {
        json_t *raw = json_stringn((const char *)file->data, file->len);
        if (raw == NULL) {
            fprintf(stderr, "fakeline: --raw takes UTF-8 text\n");
            return NULL;
        }
        return json_pack("{s:o}", "raw", raw);
    }
    json_error_t error;
    json_t *parsed = json_loadb((const char *)file->data, file->len, JSON_ALLOW_NUL, &error);
    if (parsed == NULL) {
        fprintf(stderr, "fakeline: %s:%d:%d: %s\n", options->operands[0], error.line, error.column,
                error.text);
        return NULL;
    }
    if (json_is_array(parsed)) {
        return json_pack("{s:o}", "events", parsed);
    }
    if (json_object_get(parsed, "events") == NULL && json_object_get(parsed, "raw") == NULL) {
        return json_pack("{s:[o]}", "events", parsed);
    }
    return parsed;
}

static int
run_webhook(const struct options *options)
{
    int64_t time_ms = 0;
    if (options->operand_count != 1) {
        fprintf(stderr, "fakeline: webhook takes one FILE, or - for standard input\n");
        return EXIT_USAGE;
    }
    if (options->time_ms != NULL &&
        !options_number("--time-ms", options->time_ms, 0, INT64_MAX, &time_ms)) {
        return EXIT_USAGE;
    }
    struct buf file = {0};
    json_t *command =
        read_all(options->operands[0], &file) ? webhook_command(options, &file) : NULL;
    buf_fini(&file);
    if (command == NULL) {
        return EXIT_FAILED;
    }
    if (options->url != NULL) {
        json_object_set_new(command, "url", json_string(options->url));
    }
    if (options->time_ms != NULL) {
        json_object_set_new(command, "time_ms", json_integer(time_ms));
    }
    if (options->bad_signature) {
        json_object_set_new(command, "bad_signature", json_true());
    }
    json_t *answer = NULL;
    int exit_code = call(options, "POST", "/fakeline/webhook", command, &answer);
    json_decref(command);
    if (exit_code != EXIT_OK) {
        return exit_code;
    }
    json_int_t status = json_integer_value(json_object_get(answer, "status"));
    if (options->json) {
        print_json(answer);
    } else {
        printf("answered %" JSON_INTEGER_FORMAT ", %zu event(s)\n", status,
               json_array_size(json_object_get(answer, "events")));
    }
    json_decref(answer);
    return status >= 200 && status < 300 ? EXIT_OK : EXIT_FAILED;
}

/* ---- faults, users, reset ---- */

static int
run_fault(const struct options *options)
{
    int64_t status = 500, times = 1, delay_ms = 0;
    if (options->operand_count == 1 && strcmp(options->operands[0], "clear") == 0) {
        return tell(options, "DELETE", "/fakeline/faults", NULL);
    }
    bool has_status = options->operand_count == 3;
    if (options->operand_count != 2 && !has_status) {
        fprintf(stderr, "fakeline: fault takes ENDPOINT KIND [STATUS], or clear\n");
        return EXIT_USAGE;
    }
    if ((has_status && !options_number("STATUS", options->operands[2], 200, 599, &status)) ||
        (options->times != NULL &&
         !options_number("--times", options->times, 1, 1000000000, &times)) ||
        (options->delay_ms != NULL &&
         !options_number("--delay-ms", options->delay_ms, 0, 86400000, &delay_ms))) {
        return EXIT_USAGE;
    }
    json_t *fault = json_pack("{s:s,s:s,s:I,s:I,s:I}", "endpoint", options->operands[0], "kind",
                              options->operands[1], "status", (json_int_t)status, "times",
                              (json_int_t)times, "delay_ms", (json_int_t)delay_ms);
    if (options->message != NULL) {
        json_object_set_new(fault, "message", json_string(options->message));
    }
    if (options->user != NULL) {
        json_object_set_new(fault, "user", json_string(options->user));
    }
    int exit_code = tell(options, "POST", "/fakeline/faults", fault);
    json_decref(fault);
    return exit_code;
}

static json_t *
declaration_of(const struct options *options)
{
    json_t *declaration = json_object();
    if (options->blocked || options->unblocked) {
        json_object_set_new(declaration, "blocked", json_boolean(options->blocked));
    }
    if (options->unknown || options->known) {
        json_object_set_new(declaration, "unknown", json_boolean(options->unknown));
    }
    if (options->no_profile) {
        json_object_set_new(declaration, "profile", json_null());
    } else if (options->name != NULL) {
        json_t *profile = json_pack("{s:s}", "displayName", options->name);
        if (options->language != NULL) {
            json_object_set_new(profile, "language", json_string(options->language));
        }
        json_object_set_new(declaration, "profile", profile);
    }
    return declaration;
}

static int
run_users(const struct options *options)
{
    if (options->operand_count < 1) {
        fprintf(stderr, "fakeline: users takes one or more user ids\n");
        return EXIT_USAGE;
    }
    json_t *declaration = declaration_of(options);
    int exit_code = EXIT_OK;
    if (json_object_size(declaration) == 0) {
        fprintf(stderr, "fakeline: say what they are: --blocked, --unknown, --name …\n");
        exit_code = EXIT_USAGE;
    }
    for (int i = 0; i < options->operand_count && exit_code == EXIT_OK; i++) {
        char *id = curl_easy_escape(NULL, options->operands[i], 0);
        char path[256];
        assert(id != NULL);
        snprintf(path, sizeof(path), "/fakeline/users/%s", id);
        curl_free(id);
        exit_code = tell(options, "POST", path, declaration);
    }
    json_decref(declaration);
    return exit_code;
}

int
client_run(const struct options *options)
{
    switch (options->command) {
    case COMMAND_ACCEPTED:
    case COMMAND_REQUESTS:
        return run_list(options);
    case COMMAND_WEBHOOK:
        return run_webhook(options);
    case COMMAND_FAULT:
        return run_fault(options);
    case COMMAND_USERS:
        return run_users(options);
    case COMMAND_RESET:
        return tell(options, "POST", "/fakeline/reset", NULL);
    case COMMAND_SERVE:
        break;
    }
    assert(false);
    return EXIT_FAILED;
}
