/* Broadcasts: one message to many at an instant (SPEC R33, R11). */
#include "proto/definition_compile.h"
#include "proto/diagnostics.h"
#include "proto/words.h"

static const char *const KEYS[] = {"title", "at",     "to",    "audience", "fit",
                                   "class", "window", "grace", "priority", NULL};

static void
add_names(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        if (!compile_id(compiler, pair->key_mark, pair->key)) {
            continue;
        }
        uint32_t scenario = name_table_find(&compiler->scenarios, pair->key);
        if (scenario != NO_ID || name_table_find(&compiler->broadcasts, pair->key) != NO_ID) {
            yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                       "'%.*s' is a %s already; these share their ids", span_fmt(pair->key),
                       scenario != NO_ID
                           ? scenario_kind_name(compiler->scenario_items[scenario].kind)
                           : "broadcast");
        }
        name_table_add(&compiler->broadcasts, pair->key);
    }
}

void
compile_broadcast_names(struct compiler *compiler, const struct yaml_node *broadcasts,
                        const struct yaml_node *schedules)
{
    add_names(compiler, broadcasts);
    add_names(compiler, schedules);
    uint32_t count = compiler->broadcasts.names.count;
    compiler->broadcast_items =
        arena_alloc(compiler->arena, (count + 1) * sizeof(*compiler->broadcast_items));
    for (uint32_t id = 0; id < count; id++) { /* also those out of force: some may be under way */
        compiler->broadcast_items[id].window.open_min = -1;
        compiler->broadcast_items[id].grace_ms =
            compiler->out->account.class_grace_ms[CLASS_MARKETING];
        compiler->broadcast_items[id].message_class = CLASS_MARKETING;
    }
}

static void
compile_at(struct compiler *compiler, const struct yaml_node *node, int64_t *out_ms)
{
    struct span text;
    if (compile_text(compiler, node, "'at'", &text) &&
        !words_datetime(words_trim(text), compiler->out->account.zone, out_ms)) {
        compile_error(compiler, node, text, "not an instant; write 2026-06-15 15:00");
    }
}

static void
compile_audience(struct compiler *compiler, const struct yaml_node *node)
{
    static const char *const WORDS[] = {"at_send", NULL};
    struct span text;
    uint32_t index;
    if (!compile_text(compiler, node, "'audience'", &text)) {
        return;
    }
    const struct not_yet *row = not_yet_find(NOT_YET_AUDIENCE, text);
    if (row != NULL) {
        compile_not_yet(compiler, node->mark, text, row);
    } else {
        compile_word(compiler, node, WORDS, &index);
    }
}

void
compile_sending(struct compiler *compiler, const struct yaml_node *node,
                struct broadcast *broadcast)
{
    const struct yaml_node *value;
    int64_t number;
    if ((value = yaml_get(node, "class")) != NULL) {
        compile_class(compiler, value, &broadcast->message_class);
    }
    broadcast->window = compiler->class_windows[broadcast->message_class];
    if (!broadcast->recurs) { /* a schedule has a default of its own (SPEC R33) */
        broadcast->grace_ms = compiler->out->account.class_grace_ms[broadcast->message_class];
    }
    if ((value = yaml_get(node, "window")) != NULL) {
        compile_window(compiler, value, &broadcast->window);
    }
    if (broadcast->message_class == CLASS_EMERGENCY || broadcast->message_class == CLASS_RESPONSE) {
        broadcast->window = (struct window){.open_min = -1}; /* SPEC R8 */
    }
    if ((value = yaml_get(node, "grace")) != NULL) {
        compile_duration(compiler, value, &broadcast->grace_ms);
    }
    if ((value = yaml_get(node, "priority")) != NULL && compile_number(compiler, value, &number)) {
        if (number < -1000000 || number > 1000000) {
            compile_error(compiler, value, value->text,
                          "a priority is between -1000000 and 1000000");
        } else {
            broadcast->priority = (int32_t)number;
        }
    }
}

static void
compile_broadcast(struct compiler *compiler, const struct yaml_pair *pair,
                  struct broadcast *broadcast)
{
    static const char *const FITS[] = {"all_or_none", "partial", NULL};
    const struct yaml_node *node = pair->value, *value;
    const char *what = compile_format(compiler, "broadcast '%.*s'", span_fmt(pair->key));
    struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
    struct span text;
    uint32_t index;
    place.name = compile_format(compiler, "broadcast/%.*s", span_fmt(pair->key));
    if (!compile_keys(compiler, node, KEYS, true, NOT_YET_NOTHING, what)) {
        return;
    }
    if ((value = yaml_get(node, "title")) != NULL &&
        compile_text(compiler, value, "'title'", &text)) {
        broadcast->title = arena_cstr(compiler->arena, text);
    }
    if ((value = yaml_get(node, "at")) == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "%s has no 'at': write at: 2026-06-15 15:00", what);
    } else {
        compile_at(compiler, value, &broadcast->at_ms);
    }
    if ((value = yaml_get(node, "to")) == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "%s has no 'to': write a condition, or everyone", what);
    } else {
        compile_condition(compiler, value, &broadcast->to);
    }
    if ((value = yaml_get(node, "audience")) != NULL) {
        compile_audience(compiler, value);
    }
    if ((value = yaml_get(node, "fit")) != NULL && compile_word(compiler, value, FITS, &index)) {
        broadcast->partial = index == 1;
    }
    compile_sending(compiler, node, broadcast);
    compile_body(compiler, node, &place, &broadcast->body);
}

void
compile_broadcasts(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        uint32_t id = name_table_find(&compiler->broadcasts, section->pairs[i].key);
        if (id != NO_ID) {
            compile_broadcast(compiler, &section->pairs[i], &compiler->broadcast_items[id]);
        }
    }
}
