/* words - the small words of the definition language: durations, times, dates, windows, ids.
 *
 * Shape    each reader takes a whole text and says whether it is one (LANGUAGE 2); nothing is trimmed or
 *          guessed. Beside them: cutting texts into words, and "did you mean".
 * Units    durations and instants are milliseconds, times of day minutes 0..1440, dates day numbers.
 * Errors   false: the text is none; the out parameter is untouched. The caller words the message.
 * Owner    spans are borrowed; results point into the texts given.
 */
#ifndef PROTO_WORDS_H
#define PROTO_WORDS_H

#include "engine/base/span.h"
#include "engine/civil.h"

/* "2d", "1h30m", "90s": each unit once, largest first; at most 100 years. */
bool words_duration(struct span text, int64_t *out_ms);
bool words_time(struct span text, int32_t *out_min); /* "00:00" to "24:00" */
bool words_date(struct span text, int64_t *out_day); /* "2026-06-01" */
/* "2026-06-01 10:15" or "2026-06-01 10:15:30", local to the zone (SPEC R4). */
bool words_datetime(struct span text, const struct zone *zone, int64_t *out_ms);
bool words_window(struct span text, struct window *out_window); /* "09:00-21:00", "off" */
/* "2026-03-01..2026-03-10", either end open; both days included. INT64_MIN, INT64_MAX: open. */
bool words_period(struct span text, int64_t *out_first_day, int64_t *out_last_day);
bool words_number(struct span text, int64_t *out_number); /* "-12", "+3" */
bool words_id(struct span text);                          /* LANGUAGE 1, "Ids" */

/* Without blanks around it; the full-width blank counts as one. */
struct span words_trim(struct span text);
/* Cuts the first blank-separated word off the rest; empty when there is none. */
struct span words_next(struct span *rest);
/* Every word of text at the front of rest, blanks between them free; rest moves behind them. */
bool words_take(struct span *rest, const char *words);
/* The rest of text behind a piece that lies inside it. */
struct span words_after(struct span text, struct span piece);
bool words_starts_with(struct span text, const char *prefix);
/* Where `wanted` stands in text first; text.len when nowhere. */
size_t words_find(struct span text, const char *wanted);

/* Characters in UTF-8 text, UTF-16 units, columns on a terminal. Broken bytes count one each. */
uint32_t words_characters(struct span text);
uint64_t words_utf16_units(struct span text);
/* What a reader takes for one character: grapheme clusters, as LINE counts labels (FACTS 3). */
uint32_t words_graphemes(struct span text);
uint32_t words_display_columns(struct span text);
/* Length of the valid UTF-8 at the front; text.len when all of it is. */
size_t words_utf8_valid(struct span text);

/* "did you mean": offer every candidate, then ask for the nearest. Transposed, wrong, missing and extra
 * characters count one each (Damerau-Levenshtein); too far is no suggestion. */
struct suggestion {
    struct span word;
    struct span best;
    uint32_t distance;
};
void suggestion_begin(struct suggestion *suggestion, struct span word);
void suggestion_offer(struct suggestion *suggestion, struct span candidate);
/* False when nothing offered is near; the best is then empty. */
bool suggestion_found(const struct suggestion *suggestion);

#endif
