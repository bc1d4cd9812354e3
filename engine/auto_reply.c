/* Auto-replies: the first that matches a text answers (SPEC R29). */
#include "engine/turn.h"

static const uint8_t IDEOGRAPHIC_SPACE[] = {0xe3, 0x80, 0x80};

static bool
is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Outer blanks, full-width ones too. */
static struct span
trim(struct span text)
{
    for (;;) {
        if (text.len > 0 && is_blank(text.data[0])) {
            text = span_of(text.data + 1, text.len - 1);
        } else if (text.len >= 3 && memcmp(text.data, IDEOGRAPHIC_SPACE, 3) == 0) {
            text = span_of(text.data + 3, text.len - 3);
        } else if (text.len > 0 && is_blank(text.data[text.len - 1])) {
            text.len--;
        } else if (text.len >= 3 && memcmp(text.data + text.len - 3, IDEOGRAPHIC_SPACE, 3) == 0) {
            text.len -= 3;
        } else {
            return text;
        }
    }
}

static bool
contains(struct span text, struct span part)
{
    for (size_t i = 0; part.len <= text.len && i <= text.len - part.len; i++) {
        if (memcmp(text.data + i, part.data, part.len) == 0) {
            return true;
        }
    }
    return false;
}

static bool
matches(const struct auto_reply *rule, struct span text)
{
    for (uint32_t i = 0; i < rule->text_count; i++) {
        struct span word = rule->texts[i];
        switch (rule->match) {
        case MATCH_EXACT:
            if (span_equal(text, word)) {
                return true;
            }
            break;
        case MATCH_CONTAINS:
            if (contains(text, word)) {
                return true;
            }
            break;
        case MATCH_PREFIX:
            if (text.len >= word.len && span_equal(span_of(text.data, word.len), word)) {
                return true;
            }
            break;
        case MATCH_ANY:
            break;
        }
    }
    return rule->match == MATCH_ANY;
}

static bool
is_in_season(const struct turn *turn, const struct auto_reply *rule)
{
    const struct zone *zone = turn->state->definitions->account.zone;
    int64_t day = civil_local_day(zone, turn->now_ms);
    return (!rule->has_valid || (day >= rule->first_day && day <= rule->last_day)) &&
           hours_hold(&rule->during, zone, turn->now_ms);
}

void
auto_reply_decide(struct turn *turn, uint32_t friend, struct span text)
{
    const struct definitions *definitions = turn->state->definitions;
    const struct span trimmed = trim(text);
    struct span folded = {0};
    for (uint32_t i = 0; i < definitions->auto_reply_count; i++) {
        const struct auto_reply *rule = &definitions->auto_replies[i];
        if (rule->folds && folded.data == NULL) {
            folded = engine_fold(turn->engine, trimmed, turn->out->arena);
        }
        if (!matches(rule, rule->folds ? folded : trimmed) || !is_in_season(turn, rule) ||
            !condition_holds(turn, friend, &rule->condition)) {
            continue;
        }
        struct source source = {SOURCE_AUTO_REPLY, rule->id, 0};
        action_run(turn, friend, &rule->body, source, NO_ID, &turn->answer.outbox);
        if (!rule->continues) {
            return;
        }
    }
}
