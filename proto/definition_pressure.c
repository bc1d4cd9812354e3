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
    if ((value = yaml_get(section, "per_day")) != NULL) {
        compile_cap_or_none(compiler, value, "messages a day", &account->per_day);
    }
    if ((value = yaml_get(section, "per_week")) != NULL) {
        compile_cap_or_none(compiler, value, "messages a week", &account->per_week);
    }
    if (account->per_day > 0 && account->per_week > 0 && account->per_day > account->per_week) {
        compile_warning(compiler, value, value->text,
                        "%u a day can never be reached under %u a week (R13)", account->per_day,
                        account->per_week);
    }
}
