/* Rows of a table taken in: checked whole, then put to the engine (SPEC R44). */
#include "daemon/api_call.h"
#include "proto/import.h"

/* One slice of a table: what it says, and what came of it. */
struct slice {
    struct api_call *call;
    struct import import;
    struct csv_row *rows;
    uint32_t row_count;
    int64_t first_row; /* of the file, for messages */
    json_t *errors, *unknown;
    uint32_t updated;
    uint32_t *fired; /* by rule of a trigger: how often a change would set it off */
};

static void
add_error(struct slice *slice, int64_t row, struct buf *error)
{
    json_array_append_new(
        slice->errors, json_pack("{s:I,s:s}", "row", (json_int_t)row, "message", buf_cstr(error)));
    buf_fini(error);
}

static bool
read_rows(struct slice *slice, struct span text)
{
    struct arena *arena = slice->call->api->arena;
    struct csv_row header;
    struct buf error = {0};
    if (csv_row(&text, arena, &header) != RC_OK) {
        buf_append_cstr(&error, "a table without a first row");
    } else {
        (void)import_begin(&slice->import, slice->call->definitions, &header, arena, &error);
    }
    if (error.len > 0) {
        add_error(slice, 1, &error);
        return false;
    }
    enum rc rc;
    do {
        slice->rows = arena_grow(arena, slice->rows, slice->row_count, sizeof(*slice->rows));
        rc = csv_row(&text, arena, &slice->rows[slice->row_count]);
        slice->row_count += rc == RC_OK ? 1 : 0;
    } while (rc == RC_OK);
    if (rc != RC_END) {
        buf_append_cstr(&error, "a quote is never closed");
        add_error(slice, slice->first_row + slice->row_count, &error);
    }
    return rc == RC_END;
}

/* Would the change set off what triggers are on? */
static void
count_triggers(struct slice *slice, const struct input *input)
{
    const struct state *state = slice->call->state;
    const struct definitions *definitions = slice->call->definitions;
    struct trigger_on on = {.id = NO_ID};
    if (input->kind == INPUT_TAG &&
        state_has_tag(state, input->u.tag.friend, input->u.tag.tag) != input->u.tag.add) {
        on.kind = input->u.tag.add ? ON_TAG_ADDED : ON_TAG_REMOVED;
        on.id = input->u.tag.tag;
    } else if (input->kind == INPUT_FIELD) {
        on.kind = ON_FIELD_CHANGED;
        on.id = input->u.field.field;
    } else if (input->kind == INPUT_MARK) {
        on.kind = ON_MARK;
        on.id = input->u.mark.mark;
    }
    if (on.id == NO_ID || state_is_blocked(state, input->u.tag.friend)) {
        return; /* nothing starts for who is blocked */
    }
    for (uint32_t i = 0; i < definitions->trigger_rule_count; i++) {
        const struct trigger_rule *rule = &definitions->trigger_rules[i];
        slice->fired[i] += !rule->cancels && rule->on.kind == on.kind && rule->on.id == on.id;
    }
}

/* Every row once without putting anything to the engine: errors, who is unknown, what would fire. */
static void
check_rows(struct slice *slice)
{
    struct arena *arena = slice->call->api->arena;
    slice->fired = arena_alloc(arena, (slice->call->definitions->trigger_rule_count + 1) *
                                          sizeof(*slice->fired));
    for (uint32_t i = 0; i < slice->row_count; i++) {
        struct buf error = {0};
        struct span who;
        struct input *inputs;
        uint32_t count;
        uint32_t friend = import_friend(&slice->import, slice->call->state, &slice->rows[i], &who);
        if (!import_row(&slice->import, friend, &slice->rows[i], arena, &inputs, &count, &error)) {
            add_error(slice, slice->first_row + i, &error);
            continue;
        }
        buf_fini(&error);
        if (friend == NO_ID) {
            json_array_append_new(slice->unknown, api_span(who));
            continue;
        }
        slice->updated++;
        for (uint32_t j = 0; j < count; j++) {
            count_triggers(slice, &inputs[j]);
        }
    }
}

static void
put_rows(struct slice *slice, bool quiet, struct span name, json_t *seqs)
{
    struct arena *arena = slice->call->api->arena;
    uint32_t emitted;
    for (uint32_t i = 0; i < slice->row_count; i++) {
        struct buf error = {0};
        struct span who;
        struct input *inputs;
        uint32_t count;
        uint32_t friend = import_friend(&slice->import, slice->call->state, &slice->rows[i], &who);
        bool good =
            import_row(&slice->import, friend, &slice->rows[i], arena, &inputs, &count, &error);
        buf_fini(&error);
        for (uint32_t j = 0; good && friend != NO_ID && j < count; j++) {
            inputs[j].quiet = quiet;
            (void)api_input(slice->call, &inputs[j], seqs, &emitted);
        }
    }
    struct input done = {.kind = INPUT_IMPORTED};
    done.u.imported.name = name;
    done.u.imported.updated = slice->updated;
    done.u.imported.unknown = (uint32_t)json_array_size(slice->unknown);
    (void)api_input(slice->call, &done, seqs, &emitted);
}

static json_t *
triggers_json(const struct slice *slice)
{
    json_t *triggers = json_array();
    const struct definitions *definitions = slice->call->definitions;
    for (uint32_t i = 0; i < definitions->trigger_rule_count; i++) {
        if (slice->fired[i] > 0) {
            const char *name =
                names_text(&definitions->scenario_names, definitions->trigger_rules[i].scenario);
            json_array_append_new(triggers, json_pack("{s:s,s:I}", "trigger", name, "friends",
                                                      (json_int_t)slice->fired[i]));
        }
    }
    return triggers;
}

void
api_post_import(struct api_call *call)
{
    static const char *const KEYS[] = {"name", "csv", "first_row", "dry_run", "quiet", "key", NULL};
    const char *name = json_string_value(json_object_get(call->body, "name"));
    const json_t *csv = json_object_get(call->body, "csv");
    const json_t *first = json_object_get(call->body, "first_row");
    bool dry = json_is_true(json_object_get(call->body, "dry_run"));
    if (!api_body_keys(call, KEYS)) {
        return;
    }
    if (name == NULL || !json_is_string(csv)) {
        api_error(call->reply, API_INVALID, NULL, "'name' and 'csv' are to be texts");
        return;
    }
    struct slice slice = {.call = call,
                          .first_row = json_is_integer(first) ? json_integer_value(first) : 2,
                          .errors = json_array(),
                          .unknown = json_array()};
    json_t *seqs = json_array(), *triggers = NULL;
    if (read_rows(&slice, span_of(json_string_value(csv), json_string_length(csv)))) {
        check_rows(&slice);
        triggers = triggers_json(&slice);
    }
    bool good = json_array_size(slice.errors) == 0;
    if (good && !dry) {
        if (!api_is_new(call)) {
            json_decref(slice.errors);
            json_decref(slice.unknown);
            json_decref(triggers);
            json_decref(seqs);
            return;
        }
        put_rows(&slice, json_is_true(json_object_get(call->body, "quiet")), span_cstr(name), seqs);
    }
    json_t *answer =
        json_pack("{s:b,s:o,s:I,s:o,s:o,s:o}", "ok", (int)good, "errors", slice.errors, "updated",
                  (json_int_t)slice.updated, "unknown", slice.unknown, "triggers",
                  triggers == NULL ? json_array() : triggers, "events", seqs);
    api_ok(call, good && !dry ? API_WHEN_DURABLE : API_NOW, answer);
    if (!good) {
        call->reply->status = 422;
    }
}
