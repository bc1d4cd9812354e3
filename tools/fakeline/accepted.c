#include "tools/fakeline/accepted.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct retry_key {
    int64_t first_ms; /* when it was first seen */
    bool accepted;
    char request_id[REQUEST_ID_BYTES];
    char *sent; /* JSON text or NULL */
};

struct accepted {
    struct rows rows;
    uint64_t usage;
    json_t *index_of_key; /* key → index in keys */
    struct retry_key *keys;
    size_t key_count, key_capacity;
};

struct accepted *
accepted_new(void)
{
    struct accepted *accepted = calloc(1, sizeof(*accepted));
    assert(accepted != NULL);
    accepted->index_of_key = json_object();
    return accepted;
}

void
accepted_clear(struct accepted *accepted)
{
    for (size_t i = 0; i < accepted->key_count; i++) {
        free(accepted->keys[i].sent);
    }
    accepted->key_count = 0;
    accepted->usage = 0;
    json_object_clear(accepted->index_of_key);
    rows_clear(&accepted->rows);
}

void
accepted_free(struct accepted *accepted)
{
    if (accepted == NULL) {
        return;
    }
    accepted_clear(accepted);
    json_decref(accepted->index_of_key);
    free(accepted->keys);
    free(accepted);
}

static struct retry_key *
key_find(const struct accepted *accepted, const char *text)
{
    const json_t *index = json_object_get(accepted->index_of_key, text);
    return index == NULL ? NULL : &accepted->keys[json_integer_value(index)];
}

static struct retry_key *
key_append(struct accepted *accepted, const char *text)
{
    if (accepted->key_count == accepted->key_capacity) {
        accepted->key_capacity = accepted->key_capacity == 0 ? 256 : 2 * accepted->key_capacity;
        accepted->keys = realloc(accepted->keys, accepted->key_capacity * sizeof(*accepted->keys));
        assert(accepted->keys != NULL);
    }
    struct retry_key *key = &accepted->keys[accepted->key_count];
    *key = (struct retry_key){0};
    json_t *index = json_integer((json_int_t)accepted->key_count);
    int rc = json_object_set_new(accepted->index_of_key, text, index);
    assert(rc == 0);
    accepted->key_count++;
    return key;
}

bool
accepted_before(struct accepted *accepted, const char *retry_key, int64_t now_ms,
                const char **out_request_id, const char **out_sent)
{
    struct retry_key *key = key_find(accepted, retry_key);
    if (key == NULL) {
        key = key_append(accepted, retry_key);
        key->first_ms = now_ms;
    }
    if (now_ms - key->first_ms >= RETRY_KEY_LIFE_MS) {
        free(key->sent);
        *key = (struct retry_key){.first_ms = now_ms}; /* LINE has forgotten it */
    }
    if (!key->accepted) {
        return false;
    }
    *out_request_id = key->request_id;
    *out_sent = key->sent;
    return true;
}

static json_t *
string_or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

void
accepted_add(struct accepted *accepted, const struct acceptance *acceptance)
{
    bool delivered = json_array_size(acceptance->blocked) < json_array_size(acceptance->to);
    json_t *row = json_pack("{s:I,s:I,s:s,s:O,s:o,s:O,s:s,s:b}", "at_ms",
                            (json_int_t)acceptance->at_ms, "at_us", (json_int_t)acceptance->at_us,
                            "endpoint", acceptance->endpoint, "to", acceptance->to, "retry_key",
                            string_or_null(acceptance->retry_key), "messages", acceptance->messages,
                            "request_id", acceptance->request_id, "delivered", delivered);
    assert(row != NULL);
    if (json_array_size(acceptance->blocked) > 0) {
        json_object_set(row, "blocked", acceptance->blocked);
    }
    rows_append(&accepted->rows, row);
    accepted->usage += acceptance->counted;
    if (acceptance->retry_key == NULL) {
        return;
    }
    struct retry_key *key = key_find(accepted, acceptance->retry_key);
    if (key == NULL) {
        key = key_append(accepted, acceptance->retry_key);
        key->first_ms = acceptance->at_ms;
    }
    assert(!key->accepted);
    key->accepted = true;
    memcpy(key->request_id, acceptance->request_id, strlen(acceptance->request_id) + 1);
    key->sent = acceptance->sent == NULL ? NULL : json_dumps(acceptance->sent, JSON_COMPACT);
}

const struct rows *
accepted_rows(const struct accepted *accepted)
{
    return &accepted->rows;
}

uint64_t
accepted_usage(const struct accepted *accepted)
{
    return accepted->usage;
}
