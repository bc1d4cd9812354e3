/* New definitions: checked, planned with whom they move, applied. */
#include "daemon/api_call.h"
#include "daemon/api_plan.h"
#include "engine/base/checksum.h"
#include "proto/signature.h"

#include <assert.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 1000 };

/* The files of the body, borrowed from it. */
static bool
read_files(struct api_call *call, struct source_file **out_files, uint32_t *out_count)
{
    const json_t *list = json_object_get(call->body, "files");
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count == 0 || count > FILES_MAX) {
        api_error(call->reply, API_INVALID, NULL,
                  "'files' is to be a list of 1 to %d files, each {\"name\", \"text\"}", FILES_MAX);
        return false;
    }
    struct source_file *files = arena_alloc(call->api->arena, count * sizeof(*files));
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_object_get(json_array_get(list, i), "name");
        const json_t *text = json_object_get(json_array_get(list, i), "text");
        if (!json_is_string(name) || !json_is_string(text)) {
            api_error(call->reply, API_INVALID, NULL,
                      "file %zu is to be {\"name\": text, \"text\": text}", i + 1);
            return false;
        }
        files[i].name = span_of(json_string_value(name), json_string_length(name));
        files[i].text = span_of(json_string_value(text), json_string_length(text));
    }
    *out_files = files;
    *out_count = (uint32_t)count;
    return true;
}

static json_t *
diagnostics_json(const struct diagnostics *diagnostics)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < diagnostics->count; i++) {
        const struct diagnostic *item = &diagnostics->items[i];
        json_array_append_new(
            list, json_pack("{s:s,s:o,s:I,s:I,s:I,s:o,s:o}", "severity",
                            item->warning ? "warning" : "error", "file", api_text(item->file),
                            "line", (json_int_t)item->line, "column", (json_int_t)item->column,
                            "caret", (json_int_t)item->caret_columns, "message",
                            api_text(item->message), "source", api_text(item->source_line)));
    }
    return list;
}

/* The name of the caller, for the log: people move on, numbers are given again. */
static const char *
author_name(uint32_t uid, char out[64])
{
    const struct passwd *entry = getpwuid((uid_t)uid);
    if (entry != NULL) {
        snprintf(out, 64, "%s", entry->pw_name);
    } else {
        snprintf(out, 64, "%u", uid);
    }
    return out;
}

/* Puts a set in force; its event's number. */
static uint64_t
apply(struct api_call *call, struct definitions *definitions)
{
    char author[64];
    struct input input = {.kind = INPUT_DEFINITIONS};
    input.u.definitions.definitions = definitions;
    input.u.definitions.author_name = span_cstr(author_name(call->request->uid, author));
    json_t *seqs = json_array();
    uint32_t event_count;
    (void)api_input(call, &input, seqs, &event_count);
    json_decref(seqs);
    return call->state->definitions_seq;
}

/* What a plan is known by: equal as long as the same files change the same and move the same friends. */
static const char *
plan_id(const struct api_call *call, const struct definitions *definitions, const json_t *plan,
        char out[17])
{
    char *rows = json_dumps(plan, JSON_COMPACT);
    assert(rows != NULL);
    struct checksum *sum = checksum_new();
    checksum_add_u64(sum, call->state->definitions_seq);
    checksum_add(sum, definitions->hash, sizeof(definitions->hash));
    checksum_add(sum, rows, strlen(rows));
    snprintf(out, 17, "%016" PRIx64, checksum_value(sum));
    checksum_free(sum);
    free(rows);
    return out;
}

static json_t *
messages_left(const struct api_call *call)
{
    uint32_t limit = state_quota_limit(call->state);
    if (limit == NO_LIMIT) {
        return json_null();
    }
    bool over = api_now_ms(call) >= call->state->quota.until_ms; /* a new month begins */
    uint32_t used = over ? 0 : call->state->quota.used;
    return json_pack("{s:I,s:I}", "left", (json_int_t)(limit > used ? limit - used : 0), "limit",
                     (json_int_t)limit);
}

/* Decides what becomes of a set that compiled. `wanted`: the plan that was agreed to; NULL: any. */
static void
settle(struct api_call *call, struct definitions *definitions, bool dry_run, const char *wanted,
       const struct diagnostics *diagnostics)
{
    bool changed =
        call->state->definitions_seq == 0 ||
        memcmp(definitions->hash, call->definitions->hash, sizeof(definitions->hash)) != 0;
    json_t *plan = changed ? plan_make(call->state, definitions, api_now_ms(call)) : json_array();
    json_t *seq = json_null();
    char id[17];
    (void)plan_id(call, definitions, plan, id);
    if (changed && wanted != NULL && strcmp(wanted, id) != 0) {
        json_decref(plan);
        json_decref(seq);
        api_error(call->reply, API_CONFLICT, "ask for the plan again and look at it",
                  "the state moved on since plan %s was made", wanted);
        return;
    }
    char hash[2 * sizeof(definitions->hash) + 1];
    hex_encode(span_of(definitions->hash, sizeof(definitions->hash)), hash);
    if (!changed) {
        seq = json_integer((json_int_t)call->state->definitions_seq);
    } else if (!dry_run) {
        seq = json_integer((json_int_t)apply(call, definitions));
    }
    api_ok(call, changed && !dry_run ? API_WHEN_DURABLE : API_NOW,
           json_pack("{s:b,s:b,s:o,s:s,s:s,s:o,s:o,s:o}", "ok", 1, "changed", (int)changed, "seq",
                     seq, "hash", hash, "plan_id", id, "plan", plan, "messages",
                     messages_left(call), "diagnostics", diagnostics_json(diagnostics)));
}

void
api_post_definitions(struct api_call *call)
{
    static const char *const KEYS[] = {"files", "dry_run", "plan_id", NULL};
    struct source_file *files;
    uint32_t file_count;
    const json_t *dry_run = json_object_get(call->body, "dry_run");
    if (!api_body_keys(call, KEYS) || !read_files(call, &files, &file_count)) {
        return;
    }
    if (dry_run != NULL && !json_is_boolean(dry_run)) {
        api_error(call->reply, API_INVALID, NULL, "'dry_run' is to be true or false");
        return;
    }
    const json_t *wanted = json_object_get(call->body, "plan_id");
    if (wanted != NULL && !json_is_string(wanted)) {
        api_error(call->reply, API_INVALID, NULL, "'plan_id' is to be a text");
        return;
    }
    struct diagnostics diagnostics;
    struct definitions *definitions = NULL;
    diagnostics_init(&diagnostics);
    enum rc rc = definition_compile(files, file_count, call->definitions, call->api->options.zones,
                                    NULL, &diagnostics, &definitions);
    if (rc == RC_OK) {
        settle(call, definitions, json_is_true(dry_run), json_string_value(wanted), &diagnostics);
        definitions_release(definitions);
    } else {
        call->reply->status = 422;
        call->reply->body =
            json_pack("{s:b,s:o}", "ok", 0, "diagnostics", diagnostics_json(&diagnostics));
    }
    diagnostics_fini(&diagnostics);
}
