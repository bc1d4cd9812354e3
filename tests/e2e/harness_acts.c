/* What tests do to a world and see of it; harness.c builds the world itself. */
#include "tests/e2e/harness.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t
local_ms(const char *local)
{
    struct tm tm = {0};
    ck_assert_ptr_nonnull(strptime(local, "%Y-%m-%d %H:%M:%S", &tm));
    return ((int64_t)timegm(&tm) - 9 * 3600) * 1000;
}

void
local_text(int64_t at_ms, char out[32])
{
    time_t seconds = (time_t)(at_ms / 1000 + 9 * 3600);
    struct tm tm;
    ck_assert_ptr_nonnull(gmtime_r(&seconds, &tm));
    size_t length = strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
    if (at_ms % 1000 != 0) {
        snprintf(out + length, 32 - length, ".%03d", (int)(at_ms % 1000));
    }
}

int
advance(struct world *world, const char *local)
{
    int status = 0;
    json_decref(api(world, "POST", "/v1/clock", json_pack("{s:s}", "advance_to", local), &status));
    if (status == 200) {
        snprintf(world->at, sizeof(world->at), "%s", local);
    }
    return status;
}

int
apply_yaml(struct world *world, const char *yaml)
{
    int status = 0;
    json_t *answer = api(
        world, "POST", "/v1/definitions",
        json_pack("{s:[{s:s,s:s}],s:b}", "files", "name", "e2e.yaml", "text", yaml, "dry_run", 0),
        &status);
    if (status != 200 && status != 0) {
        char *text = json_dumps(answer, JSON_INDENT(1));
        fprintf(stderr, "apply: %d %s\n", status, text == NULL ? "" : text);
        free(text);
    }
    json_decref(answer);
    return status;
}

int64_t
status_number(struct world *world, const char *path)
{
    int code = 0;
    json_t *status = api(world, "GET", "/v1/status", NULL, &code);
    ck_assert_msg(code == 200, "status answers %d%s", code, programs_said(world));
    char copy[64];
    snprintf(copy, sizeof(copy), "%s", path);
    const json_t *value = status;
    char *rest = NULL;
    for (char *key = strtok_r(copy, ".", &rest); key != NULL; key = strtok_r(NULL, ".", &rest)) {
        value = json_object_get(value, key);
    }
    ck_assert_msg(json_is_integer(value), "status has no number %s", path);
    int64_t number = json_integer_value(value);
    json_decref(status);
    return number;
}

void
status_digest(struct world *world, char out_digest[17])
{
    json_t *answer = api(world, "GET", "/v1/digest", NULL, NULL);
    const char *digest = json_string_value(json_object_get(answer, "digest"));
    ck_assert_msg(digest != NULL && strlen(digest) == 16, "the daemon gives no digest");
    memcpy(out_digest, digest, 17);
    json_decref(answer);
}

const char *
user_id(const char *letter, char out[40])
{
    snprintf(out, 40, "U%032x", (unsigned)(unsigned char)letter[0]);
    return out;
}

json_t *
make_event(struct world *world, const char *user, const char *kind, const char *text)
{
    char webhook_id[40], token[40], id[40];
    int n = ++world->webhook_count;
    snprintf(webhook_id, sizeof(webhook_id), "01E2E%021d", n);
    snprintf(token, sizeof(token), "%032x", 0xe2e00000U + (unsigned)n);
    bool follow = strcmp(kind, "follow") == 0, unblock = strcmp(kind, "unblock") == 0;
    json_t *event =
        json_pack("{s:s,s:s,s:I,s:s,s:{s:b},s:{s:s,s:s}}", "type", unblock ? "follow" : kind,
                  "mode", "active", "timestamp", (json_int_t)local_ms(world->at), "webhookEventId",
                  webhook_id, "deliveryContext", "isRedelivery", 0, "source", "type", "user",
                  "userId", user_id(user, id));
    if (strcmp(kind, "unfollow") != 0) {
        json_object_set_new(event, "replyToken", json_string(token));
    }
    if (follow || unblock) {
        json_object_set_new(event, "follow", json_pack("{s:b}", "isUnblocked", unblock));
    } else if (strcmp(kind, "message") == 0) {
        snprintf(token, sizeof(token), "%d", 600000 + n);
        json_object_set_new(event, "message",
                            json_pack("{s:s,s:s,s:s,s:s}", "type", "text", "id", token,
                                      "quoteToken", "q", "text", text));
    } else if (strcmp(kind, "postback") == 0) {
        json_object_set_new(event, "postback", json_pack("{s:s}", "data", text));
    }
    return event;
}

int
send_event(struct world *world, json_t *event, bool again)
{
    char url[96];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/webhook", world->daemon_port);
    json_object_set_new(json_object_get(event, "deliveryContext"), "isRedelivery",
                        json_boolean(again));
    json_t *answer = line_door(world, "POST", "/fakeline/webhook",
                               json_pack("{s:s,s:[O],s:I}", "url", url, "events", event, "time_ms",
                                         json_integer_value(json_object_get(event, "timestamp"))),
                               NULL);
    int status = (int)json_integer_value(json_object_get(answer, "status"));
    json_decref(answer);
    return status;
}

void
act(struct world *world, const char *local, const char *user, const char *kind, const char *text)
{
    ck_assert_int_eq(advance(world, local), 200);
    json_t *event = make_event(world, user, kind, text);
    int status = send_event(world, event, false);
    json_decref(event);
    ck_assert_msg(status == 200, "%s %s %s: webhook answered %d%s", local, user, kind, status,
                  programs_said(world));
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One accepted request as lines; a template is the first word of its message's text. */
static void
accepted_line(const json_t *row, char **lines, size_t *count, size_t capacity)
{
    char at[32];
    local_text(json_integer_value(json_object_get(row, "at_ms")), at);
    char what[256] = "";
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(row, "messages"), index, item)
    {
        const char *text = json_string_value(json_object_get(item, "text"));
        size_t length = text == NULL ? 0 : strcspn(text, " ");
        size_t used = strlen(what);
        snprintf(what + used, sizeof(what) - used, "%s%.*s", index > 0 ? "+" : "", (int)length,
                 text == NULL ? "" : text);
    }
    json_array_foreach(json_object_get(row, "to"), index, item)
    {
        unsigned letter = 0;
        const char *to = json_string_value(item);
        ck_assert_int_eq(to == NULL ? 0 : sscanf(to, "U%32x", &letter), 1);
        ck_assert_uint_lt(*count, capacity);
        char line[320];
        const char *how = json_string_value(json_object_get(row, "endpoint"));
        if (strcmp(how, "multicast") == 0) {
            how = "push"; /* the word for everything that is paid for (SPEC C) */
        }
        snprintf(line, sizeof(line), "%s %c %s %s%s", at, (int)letter, what, how,
                 json_is_false(json_object_get(row, "delivered")) ? " undelivered" : "");
        lines[(*count)++] = strdup(line);
    }
}

static size_t
accepted_sorted(struct world *world, char **lines, size_t capacity)
{
    size_t count = 0;
    json_int_t after = 0;
    for (;;) {
        char path[64];
        snprintf(path, sizeof(path), "/fakeline/accepted?after=%" JSON_INTEGER_FORMAT, after);
        int status = 0;
        json_t *answer = line_door(world, "GET", path, NULL, &status);
        ck_assert_int_eq(status, 200);
        json_t *rows = json_object_get(answer, "accepted");
        size_t index, got = json_array_size(rows);
        json_t *row;
        json_array_foreach(rows, index, row)
        {
            accepted_line(row, lines, &count, capacity);
            after = json_integer_value(json_object_get(row, "n"));
        }
        json_decref(answer);
        if (got == 0) {
            break;
        }
    }
    qsort(lines, count, sizeof(lines[0]), by_text);
    return count;
}

void
accepted_lines(struct world *world, struct buf *out_lines)
{
    char *lines[1024];
    size_t count = accepted_sorted(world, lines, 1024);
    for (size_t i = 0; i < count; i++) {
        buf_printf(out_lines, "%s\n", lines[i]);
        free(lines[i]);
    }
}

void
expect_accepted(struct world *world, const char *const *expected)
{
    char *lines[1024];
    const char *wanted[1024];
    size_t count = accepted_sorted(world, lines, 1024), wanted_count = 0;
    while (expected[wanted_count] != NULL) {
        wanted[wanted_count] = expected[wanted_count];
        wanted_count++;
    }
    qsort(wanted, wanted_count, sizeof(wanted[0]), by_text);

    struct buf diff = {0};
    size_t i = 0, j = 0;
    while (i < count || j < wanted_count) {
        int order = i == count ? 1 : j == wanted_count ? -1 : strcmp(lines[i], wanted[j]);
        if (order < 0) {
            buf_printf(&diff, "  not expected: %s\n", lines[i]);
        } else if (order > 0) {
            buf_printf(&diff, "  missing:      %s\n", wanted[j]);
        }
        i += order <= 0;
        j += order >= 0;
    }
    for (i = 0; i < count; i++) {
        free(lines[i]);
    }
    ck_assert_msg(diff.len == 0, "fakeline accepted something else:\n%s%s", buf_cstr(&diff),
                  programs_said(world));
    buf_fini(&diff);
}
