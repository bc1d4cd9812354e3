#include "tools/fakeline/tokens.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

struct tokens {
    json_t *by_token; /* token → {"user","until_ms","spent"} */
};

struct tokens *
tokens_new(void)
{
    struct tokens *tokens = calloc(1, sizeof(*tokens));
    assert(tokens != NULL);
    tokens->by_token = json_object();
    return tokens;
}

void
tokens_free(struct tokens *tokens)
{
    if (tokens != NULL) {
        json_decref(tokens->by_token);
        free(tokens);
    }
}

void
tokens_clear(struct tokens *tokens)
{
    json_object_clear(tokens->by_token);
}

void
tokens_issue(struct tokens *tokens, const char *token, const char *user_id, int64_t event_ms,
             int64_t now_ms)
{
    json_t *known = json_object_get(tokens->by_token, token);
    int64_t until_ms = now_ms + TOKEN_LIFE_MS;
    if (known != NULL) {
        int64_t last_ms = event_ms + TOKEN_REPEAT_MS;
        until_ms = until_ms < last_ms ? until_ms : last_ms;
        json_object_set_new(known, "until_ms", json_integer(until_ms));
        return;
    }
    json_t *row =
        json_pack("{s:s,s:I,s:b}", "user", user_id, "until_ms", (json_int_t)until_ms, "spent", 0);
    int rc = json_object_set_new(tokens->by_token, token, row);
    assert(rc == 0);
}

const char *
tokens_user(const struct tokens *tokens, const char *token, int64_t now_ms)
{
    const json_t *row = json_object_get(tokens->by_token, token);
    if (row == NULL || json_is_true(json_object_get(row, "spent")) ||
        now_ms > json_integer_value(json_object_get(row, "until_ms"))) {
        return NULL;
    }
    return json_string_value(json_object_get(row, "user"));
}

void
tokens_spend(struct tokens *tokens, const char *token)
{
    json_t *row = json_object_get(tokens->by_token, token);
    assert(row != NULL);
    json_object_set_new(row, "spent", json_true());
}
