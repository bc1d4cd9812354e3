#include "tools/fakeline/faults.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DELAY_MS_MAX = 24 * 3600 * 1000 };

static const char *const kind_names[] = {
    [FAULT_NONE] = "none",   [FAULT_STATUS] = "status",
    [FAULT_DELAY] = "delay", [FAULT_STALL_AFTER_ACCEPT] = "stall_after_accept",
    [FAULT_RESET] = "reset", [FAULT_RESET_AFTER_ACCEPT] = "reset_after_accept",
};

struct faults {
    json_t *queue; /* as added, "times" counting down */
};

struct faults *
faults_new(void)
{
    struct faults *faults = calloc(1, sizeof(*faults));
    assert(faults != NULL);
    faults->queue = json_array();
    return faults;
}

void
faults_free(struct faults *faults)
{
    if (faults != NULL) {
        json_decref(faults->queue);
        free(faults);
    }
}

void
faults_clear(struct faults *faults)
{
    json_array_clear(faults->queue);
}

const char *
fault_kind_name(enum fault_kind kind)
{
    return kind_names[kind];
}

static enum fault_kind
kind_of(const json_t *fault)
{
    const char *name = json_string_value(json_object_get(fault, "kind"));
    for (enum fault_kind kind = FAULT_STATUS; name != NULL && kind <= FAULT_RESET_AFTER_ACCEPT;
         kind++) {
        if (strcmp(name, kind_names[kind]) == 0) {
            return kind;
        }
    }
    return FAULT_NONE;
}

static bool
is_endpoint(const char *name)
{
    static const char *const names[] = {"any",     "push", "reply", "multicast",
                                        "profile", "info", "quota", "consumption"};
    for (size_t i = 0; name != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A number inside its range, or absent. */
static bool
is_in_range(const json_t *fault, const char *name, json_int_t least, json_int_t most)
{
    const json_t *value = json_object_get(fault, name);
    return value == NULL || (json_is_integer(value) && json_integer_value(value) >= least &&
                             json_integer_value(value) <= most);
}

static bool
is_text_or_absent(const json_t *fault, const char *name)
{
    const json_t *value = json_object_get(fault, name);
    return value == NULL || json_is_null(value) || json_is_string(value);
}

enum rc
faults_add(struct faults *faults, const json_t *fault, const char **out_problem)
{
    *out_problem = NULL;
    if (!is_endpoint(json_string_value(json_object_get(fault, "endpoint")))) {
        *out_problem =
            "endpoint is push, reply, multicast, profile, info, quota, consumption or any";
    } else if (kind_of(fault) == FAULT_NONE) {
        *out_problem = "kind is status, delay, stall_after_accept, reset or reset_after_accept";
    } else if (!is_in_range(fault, "status", 200, 599)) {
        *out_problem = "status is a number from 200 to 599";
    } else if (!is_in_range(fault, "delay_ms", 0, DELAY_MS_MAX)) {
        *out_problem = "delay_ms is a number of at most a day";
    } else if (!is_in_range(fault, "times", 1, 1000000000)) {
        *out_problem = "times is a number of at least 1";
    } else if (!is_text_or_absent(fault, "message") || !is_text_or_absent(fault, "user")) {
        *out_problem = "message and user are text";
    }
    if (*out_problem != NULL) {
        return RC_INVALID;
    }
    json_t *copy = json_deep_copy(fault);
    if (json_object_get(copy, "times") == NULL) {
        json_object_set_new(copy, "times", json_integer(1));
    }
    int rc = json_array_append_new(faults->queue, copy);
    assert(rc == 0);
    return RC_OK;
}

static bool
names_user(const json_t *users, const char *user)
{
    size_t index = 0;
    json_t *id = NULL;
    json_array_foreach(users, index, id)
    {
        if (json_is_string(id) && strcmp(json_string_value(id), user) == 0) {
            return true;
        }
    }
    return false;
}

static bool
fault_meets(const json_t *fault, const char *endpoint, const json_t *users)
{
    const char *wanted = json_string_value(json_object_get(fault, "endpoint"));
    const char *user = json_string_value(json_object_get(fault, "user"));
    return (strcmp(wanted, "any") == 0 || strcmp(wanted, endpoint) == 0) &&
           (user == NULL || names_user(users, user));
}

struct fault
faults_take(struct faults *faults, const char *endpoint, const json_t *users)
{
    struct fault taken = {.kind = FAULT_NONE};
    size_t index = 0;
    json_t *fault = NULL;
    json_array_foreach(faults->queue, index, fault)
    {
        if (!fault_meets(fault, endpoint, users)) {
            continue;
        }
        const json_t *status = json_object_get(fault, "status");
        const char *message = json_string_value(json_object_get(fault, "message"));
        taken.kind = kind_of(fault);
        taken.status = status == NULL ? 500 : (unsigned)json_integer_value(status);
        taken.delay_ms = json_integer_value(json_object_get(fault, "delay_ms"));
        snprintf(taken.message, sizeof(taken.message), "%s",
                 message == NULL ? "Internal Server Error" : message);
        json_int_t left = json_integer_value(json_object_get(fault, "times")) - 1;
        if (left == 0) {
            json_array_remove(faults->queue, index);
        } else {
            json_object_set_new(fault, "times", json_integer(left));
        }
        break;
    }
    return taken;
}

size_t
faults_count(const struct faults *faults)
{
    size_t count = 0;
    size_t index = 0;
    json_t *fault = NULL;
    json_array_foreach(faults->queue, index, fault)
    {
        count += (size_t)json_integer_value(json_object_get(fault, "times"));
    }
    return count;
}
