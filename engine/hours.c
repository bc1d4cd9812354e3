/* Hours of the week: "sat, sun or 18:00-09:00" (LANGUAGE 2, SPEC R29). */
#include "engine/definitions.h"

static bool
span_holds(const struct hours_span *span, int32_t weekday, int32_t minute)
{
    bool today = (span->days >> weekday & 1) != 0;
    bool yesterday = (span->days >> ((weekday + 6) % 7) & 1) != 0;
    if (span->open_min < span->close_min) {
        return today && minute >= span->open_min && minute < span->close_min;
    }
    return (today && minute >= span->open_min) || (yesterday && minute < span->close_min);
}

bool
hours_hold(const struct hours *hours, const struct zone *zone, int64_t at_ms)
{
    struct civil_time local = civil_local(zone, at_ms);
    bool held = hours->span_count == 0;
    for (uint32_t i = 0; i < hours->span_count; i++) {
        held = held || span_holds(&hours->spans[i], local.weekday, local.hour * 60 + local.minute);
    }
    return held != hours->negated;
}
