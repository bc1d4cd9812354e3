#include "proto/tzif.h"

#include "engine/base/checksum.h"
#include <stdlib.h>

/* Limits of RFC 8536 3.2, so that no sum of an instant and an offset can overflow. */
#define AT_S_MAX (INT64_C(1) << 59)
enum { OFFSET_MIN_S = -89999, OFFSET_MAX_S = 93599 };
enum { HEADER_BYTES = 44, TYPE_BYTES = 6, TYPES_MAX = 256 };
enum { RULES_FIRST_YEAR = 1900, RULES_LAST_YEAR = 2200 };

/* A reader of big-endian numbers and of the footer's text with a sticky error. */
struct reader {
    struct span rest;
    bool failed;
};

/* Nothing is left to read after a failure, so that every loop over the rest ends. */
static void
fail(struct reader *reader)
{
    reader->failed = true;
    reader->rest = (struct span){0};
}

static struct span
take(struct reader *reader, uint64_t len)
{
    if (reader->failed || len > reader->rest.len) {
        fail(reader);
        return (struct span){0};
    }
    struct span taken = span_of(reader->rest.data, (size_t)len);
    reader->rest = span_of(reader->rest.data + len, reader->rest.len - (size_t)len);
    return taken;
}

static uint64_t
big_endian(const uint8_t *data, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | data[i];
    }
    return value;
}

/* ---- the data block ---- */

struct header {
    uint8_t version;
    uint64_t isut_count, isstd_count, leap_count, transition_count, type_count, char_count;
};

static struct header
take_header(struct reader *reader)
{
    struct span bytes = take(reader, HEADER_BYTES);
    if (reader->failed || memcmp(bytes.data, "TZif", 4) != 0) {
        fail(reader);
        return (struct header){0};
    }
    const uint8_t *counts = bytes.data + 20;
    return (struct header){
        .version = bytes.data[4],
        .isut_count = big_endian(counts, 4),
        .isstd_count = big_endian(counts + 4, 4),
        .leap_count = big_endian(counts + 8, 4),
        .transition_count = big_endian(counts + 12, 4),
        .type_count = big_endian(counts + 16, 4),
        .char_count = big_endian(counts + 20, 4),
    };
}

/* ---- the table under construction ---- */

/* Appends a transition. Those that change no offset (a new abbreviation, another kind of summer time)
 * are left out, so that a zone's hash changes only when its local times do. */
static void
zone_add(struct zone *zone, int64_t at_s, int32_t offset_s)
{
    uint32_t count = zone->transition_count;
    if (count > 0 && zone->at_s[count - 1] == at_s) {
        count--; /* two at one instant: the later one counts */
    }
    if (zone->offset_s[count] != offset_s) {
        zone->at_s[count] = at_s;
        zone->offset_s[count + 1] = offset_s;
        count++;
    }
    zone->transition_count = count;
}

static bool
take_transitions(struct reader *reader, const struct header *header, struct zone *zone,
                 int64_t *out_last_s)
{
    struct span instants = take(reader, header->transition_count * 8);
    struct span indexes = take(reader, header->transition_count);
    struct span types = take(reader, header->type_count * TYPE_BYTES);
    take(reader,
         header->char_count + header->leap_count * 12 + header->isstd_count + header->isut_count);
    if (reader->failed) {
        return false;
    }

    int32_t offset_s[TYPES_MAX];
    for (uint32_t i = 0; i < header->type_count; i++) {
        offset_s[i] = (int32_t)(uint32_t)big_endian(types.data + i * TYPE_BYTES, 4);
        if (offset_s[i] < OFFSET_MIN_S || offset_s[i] > OFFSET_MAX_S) {
            return false;
        }
    }

    zone->offset_s[0] = offset_s[0];
    int64_t previous_s = -AT_S_MAX - 1;
    for (uint64_t i = 0; i < header->transition_count; i++) {
        int64_t at_s = (int64_t)big_endian(instants.data + i * 8, 8);
        if (at_s <= previous_s || at_s > AT_S_MAX || indexes.data[i] >= header->type_count) {
            return false;
        }
        zone_add(zone, at_s, offset_s[indexes.data[i]]);
        previous_s = at_s;
    }
    *out_last_s = previous_s;
    return true;
}

/* ---- the footer: a POSIX TZ string ---- */

struct change_rule {
    char kind; /* 'M' month.week.weekday, 'J' day 1..365 without leap day, 'n' day 0..365 */
    int32_t month, week, day; /* day of the week for 'M', else of the year */
    int32_t time_s;           /* local, -167 h .. 167 h */
};

struct rules {
    bool summer; /* has daylight saving time at all */
    int32_t standard_s, summer_s;
    struct change_rule start, end;
};

static bool
skip_char(struct reader *reader, char wanted)
{
    if (reader->rest.len == 0 || reader->rest.data[0] != (uint8_t)wanted) {
        return false;
    }
    take(reader, 1);
    return true;
}

static void
expect_char(struct reader *reader, char wanted)
{
    if (!skip_char(reader, wanted)) {
        fail(reader);
    }
}

static int32_t
take_number(struct reader *reader, int32_t min, int32_t max)
{
    int32_t value = 0;
    uint32_t digits = 0;
    while (reader->rest.len > 0 && reader->rest.data[0] >= '0' && reader->rest.data[0] <= '9' &&
           digits < 4) {
        value = value * 10 + (reader->rest.data[0] - '0');
        take(reader, 1);
        digits++;
    }
    if (digits == 0 || value < min || value > max) {
        fail(reader);
    }
    return value;
}

/* [+-]h[h[h]][:mm[:ss]] in seconds. */
static int32_t
take_time(struct reader *reader, int32_t hours_max)
{
    bool negative = skip_char(reader, '-');
    if (!negative) {
        skip_char(reader, '+');
    }
    int32_t seconds = take_number(reader, 0, hours_max) * 3600;
    if (skip_char(reader, ':')) {
        seconds += take_number(reader, 0, 59) * 60;
        if (skip_char(reader, ':')) {
            seconds += take_number(reader, 0, 59);
        }
    }
    return negative ? -seconds : seconds;
}

static bool
is_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* An abbreviation, EST or <-03>; nobody needs it here. */
static void
skip_abbreviation(struct reader *reader)
{
    bool quoted = skip_char(reader, '<');
    size_t letters = 0;
    while (reader->rest.len > 0) {
        uint8_t c = reader->rest.data[0];
        bool plain = is_letter(c);
        if (!plain && !(quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'))) {
            break;
        }
        take(reader, 1);
        letters++;
    }
    if (letters < 3 || (quoted && !skip_char(reader, '>'))) {
        fail(reader);
    }
}

static struct change_rule
take_change_rule(struct reader *reader)
{
    struct change_rule rule = {.kind = 'n', .time_s = 2 * 3600};
    if (skip_char(reader, 'M')) {
        rule.kind = 'M';
        rule.month = take_number(reader, 1, 12);
        expect_char(reader, '.');
        rule.week = take_number(reader, 1, 5);
        expect_char(reader, '.');
        rule.day = take_number(reader, 0, 6);
    } else if (skip_char(reader, 'J')) {
        rule.kind = 'J';
        rule.day = take_number(reader, 1, 365);
    } else {
        rule.day = take_number(reader, 0, 365);
    }
    if (skip_char(reader, '/')) {
        rule.time_s = take_time(reader, 167);
    }
    return rule;
}

static struct rules
take_rules(struct reader *reader)
{
    struct rules rules = {0};
    skip_abbreviation(reader);
    rules.standard_s = -take_time(reader, 24); /* POSIX counts westwards */
    rules.summer = reader->rest.len > 0;
    if (!rules.summer) {
        return rules;
    }
    skip_abbreviation(reader);
    rules.summer_s = rules.standard_s + 3600;
    if (reader->rest.len > 0 && reader->rest.data[0] != ',') {
        rules.summer_s = -take_time(reader, 24);
    }
    if (reader->rest.len == 0) {
        /* POSIX leaves the dates open; everybody takes those of the United States. */
        rules.start = (struct change_rule){.kind = 'M', .month = 3, .week = 2, .time_s = 7200};
        rules.end = (struct change_rule){.kind = 'M', .month = 11, .week = 1, .time_s = 7200};
        return rules;
    }
    expect_char(reader, ',');
    rules.start = take_change_rule(reader);
    expect_char(reader, ',');
    rules.end = take_change_rule(reader);
    return rules;
}

/* The instant of a rule in a year, while the offset before it holds. */
static int64_t
change_at_s(const struct change_rule *rule, int32_t year, int32_t offset_s)
{
    int64_t january = civil_day_number((struct civil_date){year, 1, 1});
    int64_t day = january;
    if (rule->kind == 'M') {
        int64_t first = civil_day_number((struct civil_date){year, rule->month, 1});
        int64_t next_month = rule->month == 12
                                 ? civil_day_number((struct civil_date){year + 1, 1, 1})
                                 : civil_day_number((struct civil_date){year, rule->month + 1, 1});
        int64_t weekday = ((first + 4) % 7 + 7) % 7; /* day 0 was a Thursday */
        day = first + (rule->day - weekday + 7) % 7 + (rule->week - 1) * 7;
        while (day >= next_month) {
            day -= 7; /* week 5 means the last one */
        }
    } else if (rule->kind == 'J') {
        bool leap = civil_date_valid((struct civil_date){year, 2, 29});
        day = january + rule->day - 1 + (leap && rule->day >= 60 ? 1 : 0);
    } else {
        day = january + rule->day;
    }
    return day * 86400 + rule->time_s - offset_s;
}

/* Continues the table by the rules, from the file's last transition to the end of 2200. */
static void
extend(struct zone *zone, const struct rules *rules, int64_t last_s)
{
    for (int32_t year = RULES_FIRST_YEAR; rules->summer && year <= RULES_LAST_YEAR; year++) {
        int64_t start_s = change_at_s(&rules->start, year, rules->standard_s);
        int64_t end_s = change_at_s(&rules->end, year, rules->summer_s);
        bool end_first = end_s < start_s; /* south of the equator */
        for (int change = 0; change < 2; change++) {
            bool is_end = (change == 0) == end_first;
            int64_t at_s = is_end ? end_s : start_s;
            /* Years overlap only where a rule is absurd. At the same instant they meet when a place
             * has summer time all year: the end of one year, then the start of the next. */
            if (at_s >= last_s) {
                zone_add(zone, at_s, is_end ? rules->standard_s : rules->summer_s);
                last_s = at_s;
            }
        }
    }
}

/* ---- the whole file ---- */

static uint64_t
zone_hash(const struct zone *zone)
{
    struct checksum *checksum = checksum_new();
    checksum_add_u64(checksum, (uint64_t)zone->offset_s[0]);
    for (uint32_t i = 0; i < zone->transition_count; i++) {
        checksum_add_u64(checksum, (uint64_t)zone->at_s[i]);
        checksum_add_u64(checksum, (uint64_t)zone->offset_s[i + 1]);
    }
    uint64_t hash = checksum_value(checksum);
    checksum_free(checksum);
    return hash;
}

/* One block of memory: the struct, its two arrays, its name. */
static struct zone *
zone_alloc(const char *name, size_t capacity)
{
    size_t name_bytes = strlen(name) + 1;
    size_t at_bytes = capacity * sizeof(int64_t);
    size_t offset_bytes = (capacity + 1) * sizeof(int32_t);
    char *block = calloc(1, sizeof(struct zone) + at_bytes + offset_bytes + name_bytes);
    if (block == NULL) {
        return NULL;
    }
    struct zone *zone = (void *)block;
    zone->at_s = (void *)(block + sizeof(struct zone));
    zone->offset_s = (void *)(block + sizeof(struct zone) + at_bytes);
    zone->name = block + sizeof(struct zone) + at_bytes + offset_bytes;
    memcpy(zone->name, name, name_bytes);
    return zone;
}

/* The version 1 block repeats the other with 32-bit instants; it is stepped over. */
static struct header
take_headers(struct reader *reader)
{
    struct header old = take_header(reader);
    take(reader, old.transition_count * 5 + old.type_count * TYPE_BYTES + old.char_count +
                     old.leap_count * 8 + old.isstd_count + old.isut_count);
    struct header header = take_header(reader);
    /* A table with leap seconds ("right/…") counts another time than ours. */
    if (old.version < '2' || header.type_count == 0 || header.type_count > TYPES_MAX ||
        header.leap_count != 0 || header.transition_count * 8 > reader->rest.len) {
        fail(reader);
    }
    return header;
}

enum rc
tzif_parse(struct span bytes, const char *name, struct zone **out_zone)
{
    struct reader reader = {.rest = bytes};
    struct header header = take_headers(&reader);
    if (reader.failed) {
        return RC_CORRUPT;
    }
    size_t by_rules = 2 * (RULES_LAST_YEAR - RULES_FIRST_YEAR + 1);
    struct zone *zone = zone_alloc(name, (size_t)header.transition_count + by_rules);
    if (zone == NULL) {
        return RC_NO_MEMORY;
    }

    int64_t last_s = 0;
    bool good = take_transitions(&reader, &header, zone, &last_s) && skip_char(&reader, '\n') &&
                reader.rest.len > 0 && reader.rest.data[reader.rest.len - 1] == '\n';
    if (good && reader.rest.len > 1) { /* an empty footer says: no rule is known */
        struct reader footer = {.rest = span_of(reader.rest.data, reader.rest.len - 1)};
        struct rules rules = take_rules(&footer);
        good = !footer.failed && footer.rest.len == 0;
        if (good) {
            /* Without transitions the rules hold always. */
            zone->offset_s[0] = header.transition_count == 0 ? rules.standard_s : zone->offset_s[0];
            extend(zone, &rules, last_s + 1);
        }
    }
    if (!good) {
        tzif_free(zone);
        return RC_CORRUPT;
    }
    zone->hash = zone_hash(zone);
    *out_zone = zone;
    return RC_OK;
}

void
tzif_free(struct zone *zone)
{
    free(zone);
}
