/* A rehearsal file: its definitions (with `use`) and its `rehearsal:` section (LANGUAGE 13). */
#include "proto/not_yet.h"
#include "proto/words.h"
#include "tools/common/files.h"
#include "tools/stepctl/rehearsal.h"
#include <stdlib.h>

struct reader {
    struct rehearsal *rehearsal;
    struct diagnostics *diagnostics;
    const struct yaml_node *section;
};

static const struct span NOTHING = {0};

/* The section's key with its mark, for errors about the whole of it. */
static const struct yaml_pair *
pair_of(const struct yaml_node *mapping, const char *key)
{
    for (uint32_t i = 0; i < mapping->count; i++) {
        if (span_equal_cstr(mapping->pairs[i].key, key)) {
            return &mapping->pairs[i];
        }
    }
    return NULL;
}

static bool
is_mapping(struct reader *reader, const struct yaml_pair *pair)
{
    if (pair->value->kind == YAML_MAPPING) {
        return true;
    }
    yaml_error(reader->diagnostics, pair->key_mark, pair->key, "'%.*s' holds names, each with ':'",
               span_fmt(pair->key));
    return false;
}

static bool
is_list(struct reader *reader, const struct yaml_pair *pair)
{
    if (pair->value->kind == YAML_LIST) {
        return true;
    }
    yaml_error(reader->diagnostics, pair->key_mark, pair->key, "'%.*s' is a list of rows",
               span_fmt(pair->key));
    return false;
}

/* use: the folder, relative to the file. */
static struct span
used_path(struct reader *reader, struct span use)
{
    const char *path = reader->rehearsal->path;
    const char *slash = strrchr(path, '/');
    struct buf whole = {0};
    if (use.len > 0 && use.data[0] != '/' && slash != NULL) {
        buf_append(&whole, path, (size_t)(slash - path) + 1);
    }
    buf_append_span(&whole, use);
    struct span copy = arena_span(reader->rehearsal->arena, buf_span(&whole));
    buf_fini(&whole);
    return copy;
}

/* Checks the folder by itself, so that its errors stand at their own places; then merges. */
static void
read_used(struct reader *reader, const struct yaml_node *use)
{
    struct rehearsal *rehearsal = reader->rehearsal;
    struct source_files files = {0};
    struct buf error = {0};
    struct span path = use->kind == YAML_SCALAR ? used_path(reader, use->text) : NOTHING;
    enum rc rc = files_read((const char *)path.data, rehearsal->arena, &files, &error);
    if (rc != RC_OK) {
        yaml_error(reader->diagnostics, use->mark, use->text, "%s", buf_cstr(&error));
        buf_fini(&error);
        return;
    }
    struct definitions *definitions = NULL;
    rc = definition_compile(files.items, files.count, NULL, rehearsal->zones, "rehearsal",
                            reader->diagnostics, &definitions);
    if (rc != RC_OK) {
        return;
    }
    definitions_release(definitions);
    struct yaml_node *tree = NULL;
    for (uint32_t i = 0; i < files.count; i++) {
        struct yaml_node *next =
            yaml_tree_parse(&files.items[i], rehearsal->arena, reader->diagnostics);
        if (next != NULL) {
            tree = tree == NULL ? next : rehearsal_merge(rehearsal->arena, tree, next);
        }
    }
    rehearsal->tree =
        tree == NULL ? rehearsal->tree : rehearsal_merge(rehearsal->arena, tree, rehearsal->tree);
    rc = rehearsal_compile(rehearsal, rehearsal->tree, NULL, use->mark, use->text,
                           reader->diagnostics, &rehearsal->definitions);
    (void)rc; /* told in the diagnostics, which the caller counts */
}

static void
read_definitions(struct reader *reader, const struct source_file *file)
{
    struct rehearsal *rehearsal = reader->rehearsal;
    const struct yaml_node *use = yaml_get(reader->section, "use");
    if (use != NULL) {
        read_used(reader, use);
        return;
    }
    enum rc rc = definition_compile(file, 1, NULL, rehearsal->zones, "rehearsal",
                                    reader->diagnostics, &rehearsal->definitions);
    (void)rc;
}

static int64_t
read_instant(struct reader *reader, const struct yaml_node *node, int64_t otherwise_ms)
{
    int64_t at_ms = otherwise_ms;
    if (node != NULL && node->kind == YAML_SCALAR) {
        struct span rest = node->text;
        if (rehearsal_parse_instant(reader->rehearsal, node, &rest, reader->diagnostics, &at_ms) &&
            rest.len > 0) {
            yaml_error(reader->diagnostics, yaml_mark_of(node, rest), rest,
                       "nothing more is expected here");
        }
    }
    return at_ms;
}

/* Since when someone is a friend: a date, or an instant. */
static int64_t
read_since(struct reader *reader, const struct yaml_node *node)
{
    int64_t day = 0;
    if (node->kind == YAML_SCALAR && words_date(node->text, &day)) {
        return civil_instant(reader->rehearsal->zone, day, 0);
    }
    return read_instant(reader, node, INT64_MIN);
}

static void
read_friend_part(struct reader *reader, const struct yaml_pair *part,
                 struct rehearsal_friend *friend)
{
    struct arena *arena = reader->rehearsal->arena;
    const struct yaml_node *value = part->value;
    if (span_equal_cstr(part->key, "since")) {
        friend->since_ms = read_since(reader, value);
    } else if (span_equal_cstr(part->key, "tags") && value->kind == YAML_LIST) {
        for (uint32_t i = 0; i < value->count; i++) {
            friend->tags =
                arena_grow(arena, friend->tags, friend->tag_count, sizeof(*friend->tags));
            friend->tags[friend->tag_count++] =
                (struct rehearsal_change){.name = value->items[i]->text, .add = true};
        }
    } else if (span_equal_cstr(part->key, "fields") && value->kind == YAML_MAPPING) {
        for (uint32_t i = 0; i < value->count; i++) {
            friend->fields =
                arena_grow(arena, friend->fields, friend->field_count, sizeof(*friend->fields));
            friend->fields[friend->field_count++] = (struct rehearsal_change){
                .name = value->pairs[i].key, .value = value->pairs[i].value->text};
        }
    } else if (span_equal_cstr(part->key, "score") && value->kind == YAML_SCALAR &&
               words_number(value->text, &friend->score)) {
        return;
    } else if (span_equal_cstr(part->key, "finished") && value->kind == YAML_LIST) {
        for (uint32_t i = 0; i < value->count; i++) {
            friend->finished =
                arena_grow(arena, friend->finished, friend->finished_count, sizeof(struct span));
            friend->finished[friend->finished_count++] = value->items[i]->text;
        }
    } else {
        yaml_error(reader->diagnostics, part->key_mark, part->key,
                   "a friend has since: 2026-01-10, tags: [a], fields: {x: y}, score: 3, "
                   "finished: [S]");
    }
}

static void
read_friends(struct reader *reader, const struct yaml_pair *pair)
{
    struct rehearsal *rehearsal = reader->rehearsal;
    if (!is_mapping(reader, pair)) {
        return;
    }
    rehearsal->friends =
        arena_alloc(rehearsal->arena, (pair->value->count + 1) * sizeof(*rehearsal->friends));
    for (uint32_t i = 0; i < pair->value->count; i++) {
        const struct yaml_pair *each = &pair->value->pairs[i];
        struct rehearsal_friend *friend = &rehearsal->friends[rehearsal->friend_count++];
        *friend =
            (struct rehearsal_friend){.node = each->value, .id = each->key, .since_ms = INT64_MIN};
        for (uint32_t j = 0; each->value->kind == YAML_MAPPING && j < each->value->count; j++) {
            read_friend_part(reader, &each->value->pairs[j], friend);
        }
    }
}

static void
read_edits(struct reader *reader, const struct yaml_pair *pair)
{
    struct rehearsal *rehearsal = reader->rehearsal;
    if (!is_mapping(reader, pair)) {
        return;
    }
    rehearsal->edits =
        arena_alloc(rehearsal->arena, (pair->value->count + 1) * sizeof(*rehearsal->edits));
    for (uint32_t i = 0; i < pair->value->count; i++) {
        const struct yaml_pair *each = &pair->value->pairs[i];
        if (is_mapping(reader, each)) {
            rehearsal->edits[rehearsal->edit_count++] = (struct rehearsal_edit){
                .name = each->key, .mark = each->key_mark, .tree = each->value};
        }
    }
}

/* Named tables, for `operator import`. */
static void
read_tables(struct reader *reader, const struct yaml_pair *pair)
{
    struct rehearsal *rehearsal = reader->rehearsal;
    if (!is_mapping(reader, pair)) {
        return;
    }
    rehearsal->tables =
        arena_alloc(rehearsal->arena, (pair->value->count + 1) * sizeof(*rehearsal->tables));
    for (uint32_t i = 0; i < pair->value->count; i++) {
        const struct yaml_pair *each = &pair->value->pairs[i];
        if (each->value->kind != YAML_SCALAR) {
            yaml_error(reader->diagnostics, each->key_mark, each->key,
                       "a table is a text: its header and rows behind '|'");
            continue;
        }
        rehearsal->tables[rehearsal->table_count++] =
            (struct rehearsal_edit){.name = each->key, .mark = each->key_mark, .tree = each->value};
    }
}

static void
read_draws(struct reader *reader, const struct yaml_pair *pair)
{
    struct rehearsal_draws *draws = &reader->rehearsal->draws;
    if (!is_list(reader, pair)) {
        return;
    }
    draws->mark = pair->key_mark;
    draws->word = pair->key;
    draws->items =
        arena_alloc(reader->rehearsal->arena, (pair->value->count + 1) * sizeof(*draws->items));
    for (uint32_t i = 0; i < pair->value->count; i++) {
        const struct yaml_node *item = pair->value->items[i];
        if (item->kind != YAML_SCALAR) {
            yaml_error(reader->diagnostics, item->mark, NOTHING,
                       "a draw is a word, a number or a case of 'split'");
            return;
        }
        draws->items[draws->count++] = item;
    }
}

static void
read_inputs(struct reader *reader, const struct yaml_pair *pair, struct rehearsal_inputs *inputs)
{
    if (!is_list(reader, pair)) {
        return;
    }
    for (uint32_t i = 0; i < pair->value->count; i++) {
        struct rehearsal_input input;
        if (rehearsal_parse_input(reader->rehearsal, pair->value->items[i], reader->diagnostics,
                                  &input)) {
            inputs->items = arena_grow(reader->rehearsal->arena, inputs->items, inputs->count,
                                       sizeof(*inputs->items));
            inputs->items[inputs->count++] = input;
        }
    }
}

/* By time; rows of one instant keep the order in which they are written. */
static void
sort_inputs(struct rehearsal_inputs *inputs)
{
    for (uint32_t i = 1; i < inputs->count; i++) {
        struct rehearsal_input row = inputs->items[i];
        uint32_t at = i;
        for (; at > 0 && inputs->items[at - 1].at_ms > row.at_ms; at--) {
            inputs->items[at] = inputs->items[at - 1];
        }
        inputs->items[at] = row;
    }
}

static void
take_out(struct reader *reader, const struct yaml_node *row, struct rehearsal_inputs *inputs)
{
    struct rehearsal_input wanted;
    if (!rehearsal_parse_input(reader->rehearsal, row, reader->diagnostics, &wanted)) {
        return;
    }
    for (uint32_t i = 0; i < inputs->count; i++) {
        if (span_equal(inputs->items[i].text, wanted.text)) {
            memmove(&inputs->items[i], &inputs->items[i + 1],
                    (inputs->count - i - 1) * sizeof(wanted));
            inputs->count--;
            return;
        }
    }
    yaml_error(reader->diagnostics, row->mark, row->text, "no such row among the inputs");
}

static void
read_variant(struct reader *reader, const struct yaml_pair *pair)
{
    struct rehearsal *rehearsal = reader->rehearsal;
    const struct rehearsal_variant *base = &rehearsal->variants[0];
    struct rehearsal_variant *variant = &rehearsal->variants[rehearsal->variant_count];
    if (!is_mapping(reader, pair)) {
        return;
    }
    rehearsal->variant_count++;
    variant->name = arena_cstr(rehearsal->arena, pair->key);
    for (uint32_t i = 0; i < base->inputs.count; i++) {
        variant->inputs.items = arena_grow(rehearsal->arena, variant->inputs.items,
                                           variant->inputs.count, sizeof(*base->inputs.items));
        variant->inputs.items[variant->inputs.count++] = base->inputs.items[i];
    }
    for (uint32_t i = 0; i < pair->value->count; i++) {
        const struct yaml_pair *part = &pair->value->pairs[i];
        if (span_equal_cstr(part->key, "without") && is_list(reader, part)) {
            for (uint32_t j = 0; j < part->value->count; j++) {
                take_out(reader, part->value->items[j], &variant->inputs);
            }
        } else if (span_equal_cstr(part->key, "also")) {
            struct rehearsal_inputs also = {0};
            read_inputs(reader, part, &also);
            for (uint32_t j = 0; j < also.count; j++) {
                struct rehearsal_inputs *all = &variant->inputs;
                struct rehearsal_input *grown =
                    arena_alloc(rehearsal->arena, (all->count + 1) * sizeof(*grown));
                if (all->count > 0) {
                    memcpy(grown, all->items, all->count * sizeof(*grown));
                }
                grown[all->count++] = also.items[j];
                all->items = grown;
            }
        } else if (span_equal_cstr(part->key, "expect")) {
            rehearsal_parse_expect(rehearsal, part->value, base, reader->diagnostics, variant);
        } else if (!span_equal_cstr(part->key, "without")) {
            yaml_error(reader->diagnostics, part->key_mark, part->key,
                       "a variant has without, also and expect");
        }
    }
    sort_inputs(&variant->inputs);
}

static void
check_keys(struct reader *reader)
{
    static const char *const KNOWN[] = {"about",  "use",    "from",     "until", "friends", "edits",
                                        "inputs", "expect", "variants", "draws", "csv"};
    for (uint32_t i = 0; i < reader->section->count; i++) {
        const struct yaml_pair *pair = &reader->section->pairs[i];
        bool known = false;
        for (size_t j = 0; j < sizeof(KNOWN) / sizeof(KNOWN[0]); j++) {
            known = known || span_equal_cstr(pair->key, KNOWN[j]);
        }
        if (!known) {
            yaml_error(reader->diagnostics, pair->key_mark, pair->key,
                       "unknown key '%.*s' in a rehearsal", span_fmt(pair->key));
        }
    }
}

/* Every input lies between from and until. */
static void
check_period(struct reader *reader)
{
    const struct rehearsal *rehearsal = reader->rehearsal;
    for (uint32_t v = 0; v < rehearsal->variant_count; v++) {
        const struct rehearsal_inputs *inputs = &rehearsal->variants[v].inputs;
        for (uint32_t i = 0; i < inputs->count; i++) {
            const struct rehearsal_input *input = &inputs->items[i];
            if (input->at_ms < rehearsal->from_ms || input->at_ms > rehearsal->until_ms) {
                yaml_error(reader->diagnostics, input->node->mark, input->node->text,
                           "this row lies outside from .. until");
            }
        }
    }
}

static void
read_section(struct reader *reader)
{
    struct rehearsal *rehearsal = reader->rehearsal;
    const struct yaml_node *section = reader->section;
    const struct yaml_pair *pair = NULL;
    const struct yaml_node *variants = yaml_get(section, "variants");
    uint32_t variant_max = 1 + (variants == NULL ? 0 : variants->count);
    rehearsal->variants = arena_alloc(rehearsal->arena, variant_max * sizeof(*rehearsal->variants));
    rehearsal->variant_count = 1;
    rehearsal->variants[0].name = "";
    check_keys(reader);
    const struct yaml_node *about = yaml_get(section, "about");
    rehearsal->about = about == NULL ? NOTHING : about->text;
    if ((pair = pair_of(section, "friends")) != NULL) {
        read_friends(reader, pair);
    }
    if ((pair = pair_of(section, "edits")) != NULL) {
        read_edits(reader, pair);
    }
    if ((pair = pair_of(section, "csv")) != NULL) {
        read_tables(reader, pair);
    }
    if ((pair = pair_of(section, "draws")) != NULL) {
        read_draws(reader, pair);
    }
    if ((pair = pair_of(section, "inputs")) != NULL) {
        read_inputs(reader, pair, &rehearsal->variants[0].inputs);
        sort_inputs(&rehearsal->variants[0].inputs);
    }
    if ((pair = pair_of(section, "expect")) != NULL) {
        rehearsal_parse_expect(rehearsal, pair->value, NULL, reader->diagnostics,
                               &rehearsal->variants[0]);
    }
    if ((pair = pair_of(section, "variants")) != NULL && is_mapping(reader, pair)) {
        for (uint32_t i = 0; i < pair->value->count; i++) {
            read_variant(reader, &pair->value->pairs[i]);
        }
    }
    const struct rehearsal_inputs *inputs = &rehearsal->variants[0].inputs;
    rehearsal->from_ms = read_instant(reader, yaml_get(section, "from"),
                                      inputs->count > 0 ? inputs->items[0].at_ms : INT64_MIN);
    rehearsal->until_ms = read_instant(reader, yaml_get(section, "until"), INT64_MIN);
}

static void
read_file(struct reader *reader, const struct source_file *file)
{
    struct rehearsal *rehearsal = reader->rehearsal;
    struct yaml_node *root = yaml_tree_parse(file, rehearsal->arena, reader->diagnostics);
    if (root == NULL) {
        return;
    }
    const struct yaml_pair *pair = root->kind == YAML_MAPPING ? pair_of(root, "rehearsal") : NULL;
    if (pair == NULL) {
        yaml_error(reader->diagnostics, root->mark, NOTHING,
                   "no 'rehearsal:' section; 'stepctl check' is for definitions alone");
        return;
    }
    reader->section = pair->value;
    rehearsal->draws = (struct rehearsal_draws){.mark = pair->key_mark, .word = pair->key};
    if (!is_mapping(reader, pair)) {
        return;
    }
    rehearsal->tree = root;
    read_definitions(reader, file);
    if (rehearsal->definitions == NULL) {
        return; /* without a zone no row can be read */
    }
    rehearsal->zone = rehearsal->definitions->account.zone;
    uint32_t before = reader->diagnostics->error_count;
    read_section(reader);
    if (reader->diagnostics->error_count > before) {
        return;
    }
    if (rehearsal->until_ms == INT64_MIN || rehearsal->from_ms == INT64_MIN) {
        yaml_error(reader->diagnostics, pair->key_mark, pair->key,
                   "a rehearsal needs 'until:' (and 'from:' when it has no inputs)");
        return;
    }
    check_period(reader);
}

enum rc
rehearsal_read(const char *path, struct zone_source zones, struct diagnostics *diagnostics,
               struct rehearsal **out_rehearsal)
{
    struct arena *arena = arena_new();
    struct rehearsal *rehearsal = arena_alloc(arena, sizeof(*rehearsal));
    rehearsal->arena = arena;
    rehearsal->path = arena_cstr(arena, span_cstr(path));
    rehearsal->unread = (struct source_file){.name = span_cstr(rehearsal->path)};
    rehearsal->zones = zones;
    *out_rehearsal = rehearsal;
    struct source_files files = {0};
    struct buf error = {0};
    enum rc rc = files_read(path, arena, &files, &error);
    if (rc == RC_OK && files.count != 1) {
        rc = RC_INVALID;
        buf_printf(&error, "%s: a rehearsal is one file", path);
    }
    if (rc != RC_OK) {
        const struct yaml_mark whole = {.file = &rehearsal->unread, .line = 1, .column = 1};
        const char *reason = buf_cstr(&error);
        size_t len = strlen(path);
        bool named = strncmp(reason, path, len) == 0 && strncmp(reason + len, ": ", 2) == 0;
        yaml_error(diagnostics, whole, NOTHING, "%s", named ? reason + len + 2 : reason);
    } else {
        struct reader reader = {.rehearsal = rehearsal, .diagnostics = diagnostics};
        read_file(&reader, &files.items[0]);
        rc = diagnostics->error_count > 0 ? RC_INVALID : RC_OK;
    }
    buf_fini(&error);
    return rc;
}

void
rehearsal_free(struct rehearsal *rehearsal)
{
    if (rehearsal != NULL) {
        if (rehearsal->definitions != NULL) {
            definitions_release(rehearsal->definitions);
        }
        arena_free(rehearsal->arena);
    }
}
