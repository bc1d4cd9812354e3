#include "proto/words.h"

#include <utf8proc.h>

static const struct {
    uint8_t letter;
    int64_t ms;
} DURATION_UNITS[] = {{'w', 7 * MS_PER_DAY},
                      {'d', MS_PER_DAY},
                      {'h', MS_PER_HOUR},
                      {'m', MS_PER_MINUTE},
                      {'s', MS_PER_SECOND}};
enum { DURATION_UNIT_COUNT = 5 };
static const int64_t DURATION_MAX_MS = 36525 * MS_PER_DAY;

static bool
is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Exactly `digits` digits at an offset; -1 when they are not there. */
static int32_t
digits_at(struct span text, size_t offset, size_t digits)
{
    if (offset + digits > text.len) {
        return -1;
    }
    int32_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        uint8_t byte = text.data[offset + i];
        if (!is_digit(byte)) {
            return -1;
        }
        value = value * 10 + (byte - '0');
    }
    return value;
}

bool
words_duration(struct span text, int64_t *out_ms)
{
    int64_t total = 0;
    size_t i = 0;
    int unit = 0;
    while (i < text.len) {
        int64_t number = 0;
        size_t first = i;
        for (; i < text.len && is_digit(text.data[i]); i++) {
            number = number * 10 + (text.data[i] - '0');
            if (number > DURATION_MAX_MS) {
                return false;
            }
        }
        if (i == first || i == text.len) {
            return false;
        }
        while (unit < DURATION_UNIT_COUNT && DURATION_UNITS[unit].letter != text.data[i]) {
            unit++;
        }
        if (unit == DURATION_UNIT_COUNT || number > DURATION_MAX_MS / DURATION_UNITS[unit].ms) {
            return false;
        }
        total += number * DURATION_UNITS[unit].ms;
        unit++;
        i++;
    }
    if (text.len == 0 || total > DURATION_MAX_MS) {
        return false;
    }
    *out_ms = total;
    return true;
}

bool
words_time(struct span text, int32_t *out_min)
{
    int32_t hour = digits_at(text, 0, 2);
    int32_t minute = digits_at(text, 3, 2);
    if (text.len != 5 || text.data[2] != ':' || hour < 0 || minute < 0 || minute > 59 ||
        hour * 60 + minute > 1440) {
        return false;
    }
    *out_min = hour * 60 + minute;
    return true;
}

bool
words_date(struct span text, int64_t *out_day)
{
    struct civil_date date = {.year = digits_at(text, 0, 4),
                              .month = digits_at(text, 5, 2),
                              .day = digits_at(text, 8, 2)};
    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-' || date.year < 1900 ||
        date.year > 2200 || !civil_date_valid(date)) {
        return false;
    }
    *out_day = civil_day_number(date);
    return true;
}

bool
words_datetime(struct span text, const struct zone *zone, int64_t *out_ms)
{
    int64_t day;
    int32_t minute;
    int32_t second = 0;
    if (text.len != 16 && text.len != 19) {
        return false;
    }
    if (!words_date(span_of(text.data, 10), &day) || text.data[10] != ' ' ||
        !words_time(span_of(text.data + 11, 5), &minute)) {
        return false;
    }
    if (text.len == 19) {
        second = digits_at(text, 17, 2);
        if (text.data[16] != ':' || second < 0 || second > 59 || minute == 1440) {
            return false;
        }
    }
    *out_ms = civil_instant(zone, day, minute * 60 + second);
    return true;
}

bool
words_window(struct span text, struct window *out_window)
{
    if (span_equal_cstr(text, "off")) {
        *out_window = (struct window){.open_min = -1, .close_min = 0};
        return true;
    }
    int32_t open;
    int32_t close;
    if (text.len != 11 || text.data[5] != '-' || !words_time(span_of(text.data, 5), &open) ||
        !words_time(span_of(text.data + 6, 5), &close) || open == close || open == 1440) {
        return false; /* a window that is never open */
    }
    *out_window = (struct window){.open_min = (int16_t)open, .close_min = (int16_t)close};
    return true;
}

bool
words_number(struct span text, int64_t *out_number)
{
    size_t i = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    bool negative = i == 1 && text.data[0] == '-';
    if (i == text.len) {
        return false;
    }
    int64_t number = 0;
    for (; i < text.len; i++) {
        if (!is_digit(text.data[i]) || number > (INT64_MAX - 9) / 10) {
            return false;
        }
        number = number * 10 + (text.data[i] - '0');
    }
    *out_number = negative ? -number : number;
    return true;
}

static bool
is_letter(utf8proc_int32_t character)
{
    switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN: /* voiced sound marks of decomposed kana */
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
        return true;
    default:
        return character == '_' || character == '-' || character == '.';
    }
}

/* The character at an offset and its length in bytes; a broken byte is U+FFFD of length 1. */
static size_t
character_at(struct span text, size_t offset, utf8proc_int32_t *out_character)
{
    utf8proc_ssize_t length =
        utf8proc_iterate(text.data + offset, (utf8proc_ssize_t)(text.len - offset), out_character);
    if (length <= 0) {
        *out_character = 0xfffd;
        return 1;
    }
    return (size_t)length;
}

bool
words_id(struct span text)
{
    if (text.len == 0 || text.len > 200 || text.data[0] == '-') {
        return false;
    }
    bool only_digits = true;
    for (size_t i = 0; i < text.len;) {
        utf8proc_int32_t character;
        size_t length = character_at(text, i, &character);
        if (!is_letter(character)) {
            return false;
        }
        only_digits = only_digits && character >= '0' && character <= '9';
        i += length;
    }
    return !only_digits;
}

/* Bytes of the blank at an offset; 0 when there is none. U+3000 is the full-width one. */
static size_t
blank_at(struct span text, size_t offset)
{
    uint8_t byte = text.data[offset];
    if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') {
        return 1;
    }
    return text.len - offset >= 3 && memcmp(text.data + offset, "\xe3\x80\x80", 3) == 0 ? 3 : 0;
}

struct span
words_trim(struct span text)
{
    size_t blank;
    while (text.len > 0 && (blank = blank_at(text, 0)) > 0) {
        text = span_of(text.data + blank, text.len - blank);
    }
    while (text.len > 0) {
        if (blank_at(text, text.len - 1) == 1) {
            text.len -= 1;
        } else if (text.len >= 3 && blank_at(text, text.len - 3) == 3) {
            text.len -= 3;
        } else {
            break;
        }
    }
    return text;
}

struct span
words_next(struct span *rest)
{
    size_t blank;
    while (rest->len > 0 && (blank = blank_at(*rest, 0)) > 0) {
        *rest = span_of(rest->data + blank, rest->len - blank);
    }
    size_t length = 0;
    while (length < rest->len && blank_at(*rest, length) == 0) {
        length++;
    }
    struct span word = span_of(rest->data, length);
    *rest = span_of(rest->data + length, rest->len - length);
    return word;
}

bool
words_take(struct span *rest, const char *words)
{
    struct span wanted = span_cstr(words);
    struct span ahead = *rest;
    for (struct span word = words_next(&wanted); word.len > 0; word = words_next(&wanted)) {
        if (!span_equal(words_next(&ahead), word)) {
            return false;
        }
    }
    *rest = ahead;
    return true;
}

struct span
words_after(struct span text, struct span piece)
{
    size_t used = (size_t)(piece.data - text.data) + piece.len;
    return span_of(text.data + used, text.len - used);
}

bool
words_period(struct span text, int64_t *out_first_day, int64_t *out_last_day)
{
    int64_t first = INT64_MIN, last = INT64_MAX;
    size_t dots = words_find(text, "..");
    if (dots == text.len) {
        return false;
    }
    struct span from = span_of(text.data, dots);
    struct span to = span_of(text.data + dots + 2, text.len - dots - 2);
    if ((from.len > 0 && !words_date(from, &first)) || (to.len > 0 && !words_date(to, &last)) ||
        from.len + to.len == 0 || first > last) {
        return false;
    }
    *out_first_day = first;
    *out_last_day = last;
    return true;
}

bool
words_starts_with(struct span text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.len >= length && memcmp(text.data, prefix, length) == 0;
}

size_t
words_find(struct span text, const char *wanted)
{
    if (text.len == 0) {
        return 0;
    }
    const uint8_t *found = memmem(text.data, text.len, wanted, strlen(wanted));
    return found == NULL ? text.len : (size_t)(found - text.data);
}

uint32_t
words_characters(struct span text)
{
    uint32_t count = 0;
    utf8proc_int32_t character;
    for (size_t i = 0; i < text.len; i += character_at(text, i, &character)) {
        count++;
    }
    return count;
}

uint32_t
words_graphemes(struct span text)
{
    uint32_t count = 0;
    utf8proc_int32_t before = 0, character = 0, state = 0;
    for (size_t i = 0; i < text.len; before = character) {
        bool first = i == 0;
        i += character_at(text, i, &character);
        if (first || utf8proc_grapheme_break_stateful(before, character, &state)) {
            count++;
        }
    }
    return count;
}

uint64_t
words_utf16_units(struct span text)
{
    uint64_t units = 0;
    for (size_t i = 0; i < text.len;) {
        utf8proc_int32_t character;
        i += character_at(text, i, &character);
        units += character > 0xffff ? 2 : 1;
    }
    return units;
}

uint32_t
words_display_columns(struct span text)
{
    uint32_t columns = 0;
    for (size_t i = 0; i < text.len;) {
        utf8proc_int32_t character;
        i += character_at(text, i, &character);
        int width = utf8proc_charwidth(character);
        columns += width > 0 ? (uint32_t)width : 0;
    }
    return columns;
}

size_t
words_utf8_valid(struct span text)
{
    size_t i = 0;
    while (i < text.len) {
        utf8proc_int32_t character;
        utf8proc_ssize_t length =
            utf8proc_iterate(text.data + i, (utf8proc_ssize_t)(text.len - i), &character);
        if (length <= 0) {
            break;
        }
        i += (size_t)length;
    }
    return i;
}

enum { SUGGESTION_CHARACTERS_MAX = 48 };

static uint32_t
decode_characters(struct span text, int32_t characters[SUGGESTION_CHARACTERS_MAX])
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.len && count < SUGGESTION_CHARACTERS_MAX; count++) {
        i += character_at(text, i, &characters[count]);
    }
    return count;
}

static uint32_t
smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows are enough to see a transposition. */
static uint32_t
distance(struct span a_text, struct span b_text)
{
    int32_t a[SUGGESTION_CHARACTERS_MAX];
    int32_t b[SUGGESTION_CHARACTERS_MAX];
    uint32_t a_count = decode_characters(a_text, a);
    uint32_t b_count = decode_characters(b_text, b);
    uint32_t rows[3][SUGGESTION_CHARACTERS_MAX + 1] = {{0}};
    for (uint32_t j = 0; j <= b_count; j++) {
        rows[0][j] = j;
    }
    for (uint32_t i = 1; i <= a_count; i++) {
        uint32_t *row = rows[i % 3];
        const uint32_t *above = rows[(i + 2) % 3];
        const uint32_t *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (uint32_t j = 1; j <= b_count; j++) {
            uint32_t change = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = smaller(change, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = smaller(row[j], above2[j - 2] + 1);
            }
        }
    }
    return rows[a_count % 3][b_count];
}

void
suggestion_begin(struct suggestion *suggestion, struct span word)
{
    /* A third of the word may be wrong, or one character of a short one. */
    uint32_t characters = words_characters(word);
    uint32_t limit = characters < 2 ? 0 : characters < 6 ? 1 : characters / 3;
    *suggestion = (struct suggestion){.word = word, .distance = limit + 1};
}

void
suggestion_offer(struct suggestion *suggestion, struct span candidate)
{
    size_t longest = SUGGESTION_CHARACTERS_MAX;
    if (candidate.len > longest * 4 || suggestion->word.len > longest * 4) {
        return;
    }
    uint32_t far = distance(suggestion->word, candidate);
    if (far < suggestion->distance) {
        suggestion->distance = far;
        suggestion->best = candidate;
    }
}

bool
suggestion_found(const struct suggestion *suggestion)
{
    return suggestion->best.data != NULL;
}
