#include "daemon/instant.h"

#include <stdbool.h>
#include <time.h>

enum { TOKYO_OFFSET_S = 9 * 3600 }; /* without summer time since 1952 */

/* Exactly `count` digits at the front of *text. */
static bool
eat_digits(struct span *text, size_t count, int *out)
{
    int number = 0;
    if (text->len < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') {
            return false;
        }
        number = number * 10 + (text->data[i] - '0');
    }
    *text = span_of(text->data + count, text->len - count);
    *out = number;
    return true;
}

static bool
eat(struct span *text, const char *any_of)
{
    if (text->len == 0 || text->data[0] == '\0' || strchr(any_of, text->data[0]) == NULL) {
        return false;
    }
    *text = span_of(text->data + 1, text->len - 1);
    return true;
}

static bool
eat_offset(struct span *text, int *out_s)
{
    int hours, minutes;
    *out_s = TOKYO_OFFSET_S;
    if (text->len == 0) {
        return true;
    }
    if (eat(text, "Zz")) {
        *out_s = 0;
        return true;
    }
    int sign = text->data[0] == '-' ? -1 : 1;
    if (!eat(text, "+-") || !eat_digits(text, 2, &hours) || !eat(text, ":") ||
        !eat_digits(text, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *out_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool
parse_date_and_time(struct span text, int64_t *out_ms)
{
    int year, month, day, hour, minute, second = 0, millisecond = 0, offset_s;
    if (!eat_digits(&text, 4, &year) || !eat(&text, "-") || !eat_digits(&text, 2, &month) ||
        !eat(&text, "-") || !eat_digits(&text, 2, &day) || !eat(&text, " Tt") ||
        !eat_digits(&text, 2, &hour) || !eat(&text, ":") || !eat_digits(&text, 2, &minute)) {
        return false;
    }
    if (eat(&text, ":") && !eat_digits(&text, 2, &second)) {
        return false;
    }
    if (eat(&text, ".") && !eat_digits(&text, 3, &millisecond)) {
        return false;
    }
    if (!eat_offset(&text, &offset_s) || text.len > 0) {
        return false;
    }
    struct tm fields = {.tm_year = year - 1900,
                        .tm_mon = month - 1,
                        .tm_mday = day,
                        .tm_hour = hour,
                        .tm_min = minute,
                        .tm_sec = second};
    struct tm normal = fields;
    int64_t seconds = timegm(&normal);
    /* timegm() turns 31 June into 1 July: what it had to mend was wrong. */
    if (normal.tm_mon != fields.tm_mon || normal.tm_mday != fields.tm_mday ||
        normal.tm_hour != fields.tm_hour || normal.tm_min != fields.tm_min ||
        normal.tm_sec != fields.tm_sec) {
        return false;
    }
    *out_ms = (seconds - offset_s) * 1000 + millisecond;
    return true;
}

static bool
parse_milliseconds(struct span text, int64_t *out_ms)
{
    int64_t ms = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || i >= 14) {
            return false;
        }
        ms = ms * 10 + (text.data[i] - '0');
    }
    *out_ms = ms;
    return text.len > 0;
}

enum rc
instant_parse(struct span text, int64_t *out_ms)
{
    const int64_t year_2000_ms = INT64_C(946684800000);
    const int64_t year_2200_ms = INT64_C(7258118400000);
    int64_t ms;
    if (!parse_milliseconds(text, &ms) && !parse_date_and_time(text, &ms)) {
        return RC_INVALID;
    }
    if (ms < year_2000_ms || ms >= year_2200_ms) {
        return RC_INVALID;
    }
    *out_ms = ms;
    return RC_OK;
}
