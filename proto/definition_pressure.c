/* What holds messages back: the account's quota and frequency caps, a scenario's cap (SPEC R11-R13). */
#include "proto/definition_compile.h"

enum { COUNT_MAX = 1000000000 };

/* A whole number in [least, COUNT_MAX]. */
static bool
compile_count_from(struct compiler *compiler, const struct yaml_node *node, const char *what,
                   uint32_t least, uint32_t *out_count)
{
    int64_t number;
    if (!compile_number(compiler, node, &number)) {
        return false;
    }
    if (number < (int64_t)least || number > COUNT_MAX) {
        compile_error(compiler, node, node->text, "%s is a number from %u to %d", what, least,
                      COUNT_MAX);
        return false;
    }
    *out_count = (uint32_t)number;
    return true;
}

/* A count, or `none`, which is 0. */
static void
compile_cap_or_none(struct compiler *compiler, const struct yaml_node *node, const char *what,
                    uint32_t *out_count)
{
    *out_count = 0;
    if (node->kind != YAML_SCALAR || !span_equal_cstr(node->text, "none")) {
        compile_count_from(compiler, node, what, 1, out_count);
    }
}

void
compile_cap(struct compiler *compiler, const struct yaml_node *node, uint32_t *out_cap)
{
    compile_cap_or_none(compiler, node, "a cap", out_cap);
}

/* SPEC R13: of one friend. */
static void
compile_caps(struct compiler *compiler, const struct yaml_node *section, struct account *account)
{
    const struct yaml_node *value, *last = NULL;
    if ((value = yaml_get(section, "per_day")) != NULL) {
        compile_cap_or_none(compiler, value, "messages a day", &account->per_day);
        last = value;
    }
    if ((value = yaml_get(section, "per_week")) != NULL) {
        compile_cap_or_none(compiler, value, "messages a week", &account->per_week);
        last = value;
    }
    if (last != NULL && account->per_day > 0 && account->per_week > 0 &&
        account->per_day > account->per_week) {
        compile_warning(compiler, last, last->text,
                        "%u a day can never be reached under %u a week (R13)", account->per_day,
                        account->per_week);
    }
}

void
compile_class_caps(struct compiler *compiler, const struct yaml_node *section,
                   enum message_class message_class, struct account *account)
{
    static const char *const CAPS[] = {"per_day", "per_week"};
    if (message_class == CLASS_MARKETING) {
        compile_caps(compiler, section, account);
        return;
    }
    for (int i = 0; i < 2; i++) {
        const struct yaml_node *value = yaml_get(section, CAPS[i]);
        uint32_t cap = 0;
        if (value != NULL) {
            compile_cap_or_none(compiler, value, CAPS[i], &cap);
        }
        if (cap != 0) {
            compile_error(compiler, value, value->text,
                          "'%s' binds marketing only (R13); leave it out here", CAPS[i]);
        }
    }
}

void
compile_pressure(struct compiler *compiler, const struct yaml_node *section,
                 struct account *account)
{
    const struct yaml_node *value;
    if ((value = yaml_get(section, "quota")) != NULL) {
        account->has_quota = compile_count_from(compiler, value, "a quota", 0, &account->quota);
    }
    if ((value = yaml_get(section, "quota_reserve")) != NULL &&
        compile_count_from(compiler, value, "a reserve", 0, &account->quota_reserve)) {
        if (account->has_quota && account->quota_reserve > account->quota) {
            compile_error(compiler, value, value->text,
                          "the reserve is larger than the quota of %u: no marketing would ever go",
                          account->quota);
        }
    }
    compile_caps(compiler, section, account);
}
