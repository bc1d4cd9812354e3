#include "engine/civil.h"

#include <assert.h>
#include <stddef.h>

/* RFC 8536 keeps offsets between -25 and +26 hours; a local time is never further from UTC. */
#define OFFSET_MAX_S (26 * INT64_C(3600))
#define SECONDS_PER_DAY INT64_C(86400)

static int64_t
floor_div(int64_t value, int64_t divisor)
{
    return value / divisor - (value % divisor < 0 ? 1 : 0);
}

static bool
leap_year(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Leap days between the year 1 and the first of January of `year`. */
static int64_t
leap_days_before(int64_t year)
{
    int64_t past = year - 1;
    return floor_div(past, 4) - floor_div(past, 100) + floor_div(past, 400);
}

static int64_t
year_start(int64_t year)
{
    return (year - 1970) * 365 + leap_days_before(year) - leap_days_before(1970);
}

/* Days of the year before each month; the last entry is the length of a common year. */
static const int16_t MONTH_START[13] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static int32_t
month_start(int64_t year, int32_t month_index)
{
    return MONTH_START[month_index] + (month_index >= 2 && leap_year(year) ? 1 : 0);
}

bool
civil_date_valid(struct civil_date date)
{
    if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12) {
        return false;
    }
    int32_t length = month_start(date.year, date.month) - month_start(date.year, date.month - 1);
    return date.day >= 1 && date.day <= length;
}

int64_t
civil_day_number(struct civil_date date)
{
    assert(date.month >= 1 && date.month <= 12);
    return year_start(date.year) + month_start(date.year, date.month - 1) + date.day - 1;
}

struct civil_date
civil_date_of(int64_t day_number)
{
    /* 146,097 days are 400 years. The guess is at most one year off, either way. */
    int64_t year = 1970 + floor_div(day_number * 400, 146097);
    while (year_start(year) > day_number) {
        year--;
    }
    while (year_start(year + 1) <= day_number) {
        year++;
    }
    int32_t day = (int32_t)(day_number - year_start(year));
    int32_t month = day / 31; /* never too late, as no month is longer */
    while (month_start(year, month + 1) <= day) {
        month++;
    }
    return (struct civil_date){
        .year = (int32_t)year, .month = month + 1, .day = day - month_start(year, month) + 1};
}

/* How many transitions are at or before at_s: the index of the offset that holds then. */
static uint32_t
offset_index(const struct zone *zone, int64_t at_s)
{
    uint32_t low = 0;
    uint32_t high = zone->transition_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->at_s[middle] <= at_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int64_t
local_seconds(const struct zone *zone, int64_t at_ms)
{
    int64_t at_s = floor_div(at_ms, MS_PER_SECOND);
    return at_s + zone->offset_s[offset_index(zone, at_s)];
}

int64_t
civil_local_day(const struct zone *zone, int64_t at_ms)
{
    return floor_div(local_seconds(zone, at_ms), SECONDS_PER_DAY);
}

int32_t
civil_local_second(const struct zone *zone, int64_t at_ms)
{
    int64_t local_s = local_seconds(zone, at_ms);
    return (int32_t)(local_s - floor_div(local_s, SECONDS_PER_DAY) * SECONDS_PER_DAY);
}

struct civil_time
civil_local(const struct zone *zone, int64_t at_ms)
{
    int64_t at_s = floor_div(at_ms, MS_PER_SECOND);
    int32_t offset_s = zone->offset_s[offset_index(zone, at_s)];
    int64_t day = floor_div(at_s + offset_s, SECONDS_PER_DAY);
    int32_t second = (int32_t)(at_s + offset_s - day * SECONDS_PER_DAY);
    return (struct civil_time){
        .date = civil_date_of(day),
        .hour = second / 3600,
        .minute = second / 60 % 60,
        .second = second % 60,
        .millisecond = (int32_t)(at_ms - at_s * MS_PER_SECOND),
        .weekday = (int32_t)(day + 4 - floor_div(day + 4, 7) * 7), /* 1970-01-01: a Thursday */
        .offset_s = offset_s,
    };
}

int64_t
civil_instant(const struct zone *zone, int64_t day_number, int32_t second_of_day)
{
    assert(second_of_day >= 0 && second_of_day <= SECONDS_PER_DAY);
    int64_t local_s = day_number * SECONDS_PER_DAY + second_of_day;

    /* Stretches of one offset in order of time: the first that ends after the local time either holds
     * it (so this is its first occurrence) or begins after it (so it fell into the gap before). */
    uint32_t stretch = offset_index(zone, local_s - OFFSET_MAX_S);
    while (stretch < zone->transition_count &&
           zone->at_s[stretch] + zone->offset_s[stretch] <= local_s) {
        stretch++;
    }
    int64_t at_s = local_s - zone->offset_s[stretch];
    if (stretch > 0 && at_s < zone->at_s[stretch - 1]) {
        at_s = zone->at_s[stretch - 1];
    }
    return at_s * MS_PER_SECOND;
}

bool
window_is_open(struct window window, const struct zone *zone, int64_t at_ms)
{
    if (window.open_min < 0) {
        return true;
    }
    int32_t minute = civil_local_second(zone, at_ms) / 60;
    if (window.open_min < window.close_min) {
        return minute >= window.open_min && minute < window.close_min;
    }
    return minute >= window.open_min || minute < window.close_min;
}

int64_t
window_next_open(struct window window, const struct zone *zone, int64_t at_ms)
{
    /* A window opens at its opening minute or, where the clocks change, at the change. So each stretch
     * of one offset is asked in turn; nearly always the first one knows. */
    int64_t from_ms = at_ms;
    for (;;) {
        if (window_is_open(window, zone, from_ms)) {
            return from_ms;
        }
        int64_t from_s = floor_div(from_ms, MS_PER_SECOND);
        uint32_t stretch = offset_index(zone, from_s);
        int64_t local_s = from_s + zone->offset_s[stretch];
        int64_t opens_s =
            floor_div(local_s, SECONDS_PER_DAY) * SECONDS_PER_DAY + window.open_min * 60;
        if (opens_s <= local_s) {
            opens_s += SECONDS_PER_DAY;
        }
        opens_s -= zone->offset_s[stretch];
        if (stretch == zone->transition_count || opens_s < zone->at_s[stretch]) {
            return opens_s * MS_PER_SECOND;
        }
        from_ms = zone->at_s[stretch] * MS_PER_SECOND;
    }
}
