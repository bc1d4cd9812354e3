#include "daemon/instant.h"

#include <stdio.h>
#include <stdlib.h>

/* Without summer time since 1952. */
static const struct zone TOKYO = {.offset_s = (int32_t[]){9 * 3600}};

/* Exactly `count` digits at the front of *text. */
static bool
eat_digits(struct span *text, size_t count, int32_t *out)
{
    int32_t number = 0;
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
eat_date(struct span *text, int64_t *out_day)
{
    struct civil_date date = {0};
    if (!eat_digits(text, 4, &date.year) || !eat(text, "-") || !eat_digits(text, 2, &date.month) ||
        !eat(text, "-") || !eat_digits(text, 2, &date.day)) {
        return false;
    }
    /* The years in which zones resolve (engine/civil.h). */
    if (date.year < 1900 || date.year >= 2200 || !civil_date_valid(date)) {
        return false;
    }
    *out_day = civil_day_number(date);
    return true;
}

/* "HH:MM[:SS[.mmm]]" */
static bool
eat_time(struct span *text, int32_t *out_second, int32_t *out_ms)
{
    int32_t hour, minute, second = 0;
    *out_ms = 0;
    if (!eat_digits(text, 2, &hour) || !eat(text, ":") || !eat_digits(text, 2, &minute)) {
        return false;
    }
    if (eat(text, ":")) {
        if (!eat_digits(text, 2, &second) || (eat(text, ".") && !eat_digits(text, 3, out_ms))) {
            return false;
        }
    }
    *out_second = hour * 3600 + minute * 60 + second;
    return hour <= 23 && minute <= 59 && second <= 59;
}

/* "Z" or "+HH:MM" */
static bool
eat_offset(struct span *text, int32_t *out_offset_s)
{
    *out_offset_s = 0;
    if (eat(text, "Zz")) {
        return true;
    }
    int32_t sign = text->len > 0 && text->data[0] == '-' ? -1 : 1, hours, minutes;
    if (!eat(text, "+-") || !eat_digits(text, 2, &hours) || !eat(text, ":") ||
        !eat_digits(text, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *out_offset_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool
parse_date_and_time(struct span text, const struct zone *zone, int64_t *out_ms)
{
    int64_t day;
    int32_t second, ms, offset_s;
    if (!eat_date(&text, &day) || !eat(&text, " Tt") || !eat_time(&text, &second, &ms)) {
        return false;
    }
    if (text.len == 0) {
        *out_ms = civil_instant(zone == NULL ? &TOKYO : zone, day, second) + ms;
        return true;
    }
    if (!eat_offset(&text, &offset_s) || text.len > 0) {
        return false;
    }
    *out_ms = day * MS_PER_DAY + ((int64_t)second - offset_s) * MS_PER_SECOND + ms;
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

bool
instant_in_range(int64_t at_ms)
{
    const int64_t year_2000_ms = INT64_C(946684800000);
    const int64_t year_2200_ms = INT64_C(7258118400000);
    return at_ms >= year_2000_ms && at_ms < year_2200_ms;
}

enum rc
instant_parse(struct span text, const struct zone *zone, int64_t *out_ms)
{
    int64_t ms;
    if (!parse_milliseconds(text, &ms) && !parse_date_and_time(text, zone, &ms)) {
        return RC_INVALID;
    }
    if (!instant_in_range(ms)) {
        return RC_INVALID;
    }
    *out_ms = ms;
    return RC_OK;
}

enum rc
instant_parse_date(struct span text, int64_t *out_day)
{
    int64_t day;
    if (!eat_date(&text, &day) || text.len > 0) {
        return RC_INVALID;
    }
    *out_day = day;
    return RC_OK;
}

const char *
instant_print(int64_t at_ms, const struct zone *zone, char out[INSTANT_TEXT_BYTES])
{
    struct civil_time t = civil_local(zone == NULL ? &TOKYO : zone, at_ms);
    int offset_min = abs(t.offset_s) / 60;
    snprintf(out, INSTANT_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d", t.date.year,
             t.date.month, t.date.day, t.hour, t.minute, t.second, t.millisecond,
             t.offset_s < 0 ? '-' : '+', offset_min / 60, offset_min % 60);
    return out;
}

const char *
instant_print_date(int64_t day, char out[INSTANT_TEXT_BYTES])
{
    struct civil_date date = civil_date_of(day);
    snprintf(out, INSTANT_TEXT_BYTES, "%04d-%02d-%02d", date.year, date.month, date.day);
    return out;
}
