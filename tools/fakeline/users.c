#include "tools/fakeline/users.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct users {
    json_t *by_id; /* id → what was declared */
};

struct users *
users_new(void)
{
    struct users *users = calloc(1, sizeof(*users));
    assert(users != NULL);
    users->by_id = json_object();
    return users;
}

void
users_free(struct users *users)
{
    if (users != NULL) {
        json_decref(users->by_id);
        free(users);
    }
}

void
users_clear(struct users *users)
{
    json_object_clear(users->by_id);
}

static bool
is_bool_or_absent(const json_t *value)
{
    return value == NULL || json_is_boolean(value);
}

enum rc
users_declare(struct users *users, const char *id, const json_t *declaration,
              const char **out_problem)
{
    const json_t *profile = json_object_get(declaration, "profile");
    const json_t *name = json_object_get(profile, "displayName");
    *out_problem = NULL;
    if (id[0] == '\0') {
        *out_problem = "the user id is empty";
    } else if (!json_is_object(declaration)) {
        *out_problem = "a declaration is an object";
    } else if (!is_bool_or_absent(json_object_get(declaration, "blocked")) ||
               !is_bool_or_absent(json_object_get(declaration, "unknown"))) {
        *out_problem = "blocked and unknown are true or false";
    } else if (profile != NULL && !json_is_null(profile) && !json_is_object(profile)) {
        *out_problem = "profile is an object or null";
    } else if (name != NULL && !json_is_string(name)) {
        *out_problem = "displayName is text";
    }
    if (*out_problem != NULL) {
        return RC_INVALID;
    }
    json_t *user = json_object_get(users->by_id, id);
    if (user == NULL) {
        user = json_object();
        int rc = json_object_set_new(users->by_id, id, user);
        assert(rc == 0);
    }
    json_t *copy = json_deep_copy(declaration);
    int rc = json_object_update(user, copy);
    assert(rc == 0);
    json_decref(copy);
    return RC_OK;
}

static const json_t *
declared(const struct users *users, const char *id, const char *what)
{
    return json_object_get(json_object_get(users->by_id, id), what);
}

bool
users_is_blocked(const struct users *users, const char *id)
{
    return json_is_true(declared(users, id, "blocked"));
}

bool
users_is_unknown(const struct users *users, const char *id)
{
    return json_is_true(declared(users, id, "unknown"));
}

json_t *
users_profile(const struct users *users, const char *id)
{
    const json_t *profile = declared(users, id, "profile");
    if (id[0] == '\0' || users_is_blocked(users, id) || users_is_unknown(users, id) ||
        json_is_null(profile)) {
        return NULL;
    }
    json_t *user_id = json_string(id);
    if (user_id == NULL) {
        return NULL; /* not UTF-8: nobody's */
    }
    json_t *answer = profile == NULL ? json_object() : json_deep_copy(profile);
    if (json_object_get(answer, "displayName") == NULL) {
        size_t len = strlen(id);
        char name[32];
        snprintf(name, sizeof(name), "Friend %s", id + (len > 4 ? len - 4 : 0));
        json_object_set_new(answer, "displayName", json_string(name));
        json_object_set_new(answer, "language", json_string("ja"));
    }
    json_object_set_new(answer, "userId", user_id);
    return answer;
}
