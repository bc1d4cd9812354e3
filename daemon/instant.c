#include "daemon/instant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct zone UTC = {.offset_s = (int32_t[]){0}};

/* Reads exactly `digits` digits; false leaves the cursor where it was. */
static bool
take_number(const char **cursor, int digits, int32_t *out)
{
    int32_t value = 0;
    for (int i = 0; i < digits; i++) {
        char c = (*cursor)[i];
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    *cursor += digits;
    *out = value;
    return true;
}

static bool
take_byte(const char **cursor, char wanted)
{
    if (**cursor != wanted) {
        return false;
    }
    (*cursor)++;
    return true;
}

static bool
take_date(const char **cursor, int64_t *out_day)
{
    struct civil_date date = {0};
    if (!take_number(cursor, 4, &date.year) || !take_byte(cursor, '-') ||
        !take_number(cursor, 2, &date.month) || !take_byte(cursor, '-') ||
        !take_number(cursor, 2, &date.day)) {
        return false;
    }
    /* The range for which zones resolve (engine/civil.h). */
    if (date.year < 1900 || date.year >= 2200 || !civil_date_valid(date)) {
        return false;
    }
    *out_day = civil_day_number(date);
    return true;
}

/* "HH:MM[:SS[.mmm]]" */
static bool
take_time(const char **cursor, int32_t *out_second, int32_t *out_ms)
{
    int32_t hour, minute, second = 0, ms = 0;
    if (!take_number(cursor, 2, &hour) || !take_byte(cursor, ':') ||
        !take_number(cursor, 2, &minute)) {
        return false;
    }
    if (take_byte(cursor, ':')) {
        if (!take_number(cursor, 2, &second)) {
            return false;
        }
        if (take_byte(cursor, '.') && !take_number(cursor, 3, &ms)) {
            return false;
        }
    }
    if (hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *out_second = hour * 3600 + minute * 60 + second;
    *out_ms = ms;
    return true;
}

/* "Z" or "+HH:MM" */
static bool
take_offset(const char **cursor, int32_t *out_offset_s)
{
    if (take_byte(cursor, 'Z')) {
        *out_offset_s = 0;
        return true;
    }
    bool west = **cursor == '-';
    int32_t hour, minute;
    if ((!west && **cursor != '+') || ((*cursor)++, !take_number(cursor, 2, &hour)) ||
        !take_byte(cursor, ':') || !take_number(cursor, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *out_offset_s = (west ? -1 : 1) * (hour * 3600 + minute * 60);
    return true;
}

bool
instant_parse(const char *text, const struct zone *zone, int64_t *out_ms)
{
    int64_t day;
    int32_t second, ms, offset_s;
    const char *cursor = text;
    if (!take_date(&cursor, &day) || (!take_byte(&cursor, ' ') && !take_byte(&cursor, 'T')) ||
        !take_time(&cursor, &second, &ms)) {
        return false;
    }
    if (*cursor == '\0') {
        *out_ms = civil_instant(zone == NULL ? &UTC : zone, day, second) + ms;
        return true;
    }
    if (!take_offset(&cursor, &offset_s) || *cursor != '\0') {
        return false;
    }
    *out_ms = day * MS_PER_DAY + ((int64_t)second - offset_s) * MS_PER_SECOND + ms;
    return true;
}

bool
instant_parse_date(const char *text, int64_t *out_day)
{
    int64_t day;
    const char *cursor = text;
    if (!take_date(&cursor, &day) || *cursor != '\0') {
        return false;
    }
    *out_day = day;
    return true;
}

const char *
instant_print(int64_t at_ms, const struct zone *zone, char out[INSTANT_TEXT_BYTES])
{
    struct civil_time t = civil_local(zone == NULL ? &UTC : zone, at_ms);
    int32_t offset_min = abs(t.offset_s) / 60;
    snprintf(out, INSTANT_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d",
             (int)t.date.year, (int)t.date.month, (int)t.date.day, (int)t.hour, (int)t.minute,
             (int)t.second, (int)t.millisecond, t.offset_s < 0 ? '-' : '+', (int)(offset_min / 60),
             (int)(offset_min % 60));
    return out;
}

const char *
instant_print_date(int64_t day, char out[INSTANT_TEXT_BYTES])
{
    struct civil_date date = civil_date_of(day);
    snprintf(out, INSTANT_TEXT_BYTES, "%04d-%02d-%02d", (int)date.year, (int)date.month,
             (int)date.day);
    return out;
}
