#include "tools/common/explain.h"

#include <string.h>

struct sentence {
    const char *outcome; /* NULL: any */
    const char *reason;  /* NULL: none */
    const char *english, *japanese;
};

/* The first that fits. */
static const struct sentence SENTENCES[] = {
    {"pending", "window", "waits for the delivery window", "配信時間帯になるのを待っています"},
    {"pending", "frequency", "waits: enough messages for today or this week",
     "一日または一週間の通数の上限のため待っています"},
    {"pending", NULL, "waits for its time", "予定の時刻を待っています"},
    {"held", "quota", "held: this month's messages are used up",
     "今月の通数を使い切ったため保留しています"},
    {"held", "scenario_cap", "held: the scenario has reached its cap",
     "シナリオの配信上限に達したため保留しています"},
    {"skipped", "condition", "its condition was false", "条件に合いませんでした"},
    {"cancelled", "condition", "its condition was false", "条件に合いませんでした"},
    {NULL, "stale", "too late: its grace was over", "遅れが許容時間を超えました"},
    {NULL, "stale_cap", "the caps on messages would have made it too late",
     "通数の上限により、許容時間内に送れませんでした"},
    {NULL, "late_day0", "its time of the first day had passed at the start",
     "開始日の時刻を過ぎていました"},
    {NULL, "past_at_start", "its time had passed when the reminder began",
     "リマインダの開始時に、時刻を過ぎていました"},
    {NULL, "at_step", "the scenario was started at a later step", "途中のステップから開始しました"},
    {NULL, "goto", "another step was gone to", "別のステップへ進みました"},
    {NULL, "paused", "its time fell into a pause", "一時停止の間に時刻を過ぎました"},
    {NULL, "blocked_by_friend", "the friend blocks the account", "友だちにブロックされています"},
    {NULL, "operator_blocked", "an operator blocked the friend",
     "担当者が友だちをブロックしています"},
    {NULL, "switched", "another scenario was started in its lane",
     "同じレーンで別のシナリオが始まりました"},
    {NULL, "restarted", "the scenario was started anew", "シナリオが最初からやり直されました"},
    {NULL, "ended", "the scenario was ended", "シナリオが終了しました"},
    {NULL, "finished", "the scenario was over", "シナリオは終わっていました"},
    {NULL, "removed", "its step was taken out of the definitions",
     "ステップが定義から削除されました"},
    {NULL, "edited", "the definitions changed and planned it anew",
     "定義の変更により予定し直されました"},
    {NULL, "rescheduled", "the date it leads to was moved", "目標の日時が変更されました"},
    {NULL, "restored", "it belongs to the time before the data was restored",
     "データの復元より前の予定です"},
    {NULL, "forgotten", "the friend was forgotten", "友だちの情報が消去されました"},
    {NULL, "operator", "cancelled by hand", "担当者が取り消しました"},
    {NULL, "stopped", "it was stopped", "停止されました"},
    {"failed", NULL, "LINE refused it", "LINE に拒否されました"},
    {"unknown", NULL, "LINE gave no answer; whether it arrived cannot be known",
     "LINE から返事がなく、届いたかどうかは分かりません"},
    {"sent", NULL, "sent", "送信しました"},
};
enum { SENTENCE_COUNT = sizeof(SENTENCES) / sizeof(SENTENCES[0]) };

static const char *
text_of(const json_t *row, const char *member)
{
    return json_string_value(json_object_get(row, member));
}

static bool
fits(const struct sentence *sentence, const char *outcome, const char *reason)
{
    if (sentence->outcome != NULL && (outcome == NULL || strcmp(sentence->outcome, outcome) != 0)) {
        return false;
    }
    return sentence->reason == NULL || (reason != NULL && strcmp(sentence->reason, reason) == 0);
}

static void
append_instant(struct buf *out, const char *instant)
{
    enum { DATE_BYTES = 10, SECONDS_BYTES = 19 };
    if (instant != NULL && strlen(instant) >= SECONDS_BYTES) {
        buf_printf(out, "%.10s %.8s", instant, instant + DATE_BYTES + 1);
    }
}

static void
append_value(struct buf *out, const json_t *value, bool japanese)
{
    if (json_is_string(value)) {
        buf_append_cstr(out, json_string_value(value));
    } else if (json_is_integer(value)) {
        buf_printf(out, "%lld", (long long)json_integer_value(value));
    } else if (json_is_boolean(value)) {
        buf_append_cstr(out, json_is_true(value) ? (japanese ? "はい" : "yes")
                                                 : (japanese ? "いいえ" : "no"));
    } else {
        buf_append_cstr(out, japanese ? "なし" : "none");
    }
}

/* "tag:answered yes since 2026-06-01 10:20:30 (event 13)" */
static void
append_fact(struct buf *out, const json_t *fact, bool japanese)
{
    const json_t *event = json_object_get(fact, "event");
    buf_append_cstr(out, text_of(fact, "fact"));
    buf_append_cstr(out, ": ");
    append_value(out, json_object_get(fact, "value"), japanese);
    if (json_is_integer(event)) {
        buf_append_cstr(out, japanese ? "、" : " since ");
        append_instant(out, text_of(fact, "at"));
        buf_printf(out, japanese ? " から (イベント %lld)" : " (event %lld)",
                   (long long)json_integer_value(event));
    }
}

static void
append_values(struct buf *out, const json_t *row, bool japanese)
{
    const json_t *values = json_object_get(row, "values");
    const json_t *because = json_object_get(row, "because");
    const char *condition = text_of(values, "if"), *window = text_of(values, "window");
    const char *grace = text_of(values, "grace");
    if (condition != NULL) {
        buf_printf(out, ": %s", condition);
    }
    if (window != NULL || grace != NULL) {
        buf_printf(out, " (%s)", window != NULL ? window : grace);
    }
    size_t index;
    const json_t *fact;
    json_array_foreach(because, index, fact)
    {
        buf_append_cstr(out, index == 0 ? "; " : ", ");
        append_fact(out, fact, japanese);
    }
}

/* How a message that went out went out. */
static void
append_sending(struct buf *out, const json_t *row, bool japanese)
{
    const char *how = text_of(row, "how");
    json_int_t late_ms = json_integer_value(json_object_get(row, "late_ms"));
    if (how != NULL && strcmp(how, "reply") == 0) {
        buf_append_cstr(out, japanese ? " (返信、無料)" : " as a reply, free");
    }
    if (late_ms >= 1000) {
        long long seconds = (long long)late_ms / 1000;
        buf_printf(out,
                   japanese ? "、予定より %lld 時間 %02lld 分 %02lld 秒後"
                            : ", %lld:%02lld:%02lld after it was due",
                   seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    if (json_is_true(json_object_get(row, "presumed"))) {
        buf_append_cstr(out, japanese ? "(届いたと見なしています)" : ", as far as anyone can know");
    }
}

void
explain_delivery(const json_t *row, bool japanese, struct buf *out)
{
    const char *outcome = text_of(row, "outcome"), *reason = text_of(row, "reason");
    bool sent = outcome != NULL && strcmp(outcome, "sent") == 0;
    bool stopped = outcome != NULL && strcmp(outcome, "cancelled") == 0;
    for (int i = 0; i < SENTENCE_COUNT; i++) {
        const struct sentence *sentence = &SENTENCES[i];
        if (fits(sentence, outcome, sent ? NULL : reason)) {
            buf_append_cstr(out, japanese ? sentence->japanese : sentence->english);
            stopped = false;
            break;
        }
    }
    if (stopped && reason != NULL) { /* named after what stopped it */
        buf_printf(out, japanese ? "「%s」により取り消されました" : "stopped by %s", reason);
    }
    if (sent) {
        append_sending(out, row, japanese);
    } else {
        append_values(out, row, japanese);
    }
    const json_t *code = json_object_get(row, "code");
    if (json_is_integer(code) && !sent) {
        buf_printf(out, " (HTTP %lld)", (long long)json_integer_value(code));
    }
}

const char *
explain_outcome(const char *outcome, bool japanese)
{
    static const struct {
        const char *word, *japanese;
    } OUTCOMES[] = {{"pending", "予定"},   {"sent", "送信"}, {"skipped", "見送り"},
                    {"cancelled", "取消"}, {"held", "保留"}, {"failed", "失敗"},
                    {"unknown", "不明"}};
    for (size_t i = 0; japanese && outcome != NULL && i < sizeof(OUTCOMES) / sizeof(OUTCOMES[0]);
         i++) {
        if (strcmp(OUTCOMES[i].word, outcome) == 0) {
            return OUTCOMES[i].japanese;
        }
    }
    return outcome;
}
