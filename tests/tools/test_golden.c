/* Logs of earlier versions, kept as text in tests/golden, replayed by this one: what `steplog replay` prints
 * of them stays the same for ever (RELIABILITY C17). And logs of later versions: what is new in a minor
 * one is read past, a major one is refused in plain words.
 *
 *   STEPD_GOLDEN_WRITE=NAME build/tests/bin/tools_test_golden
 *
 * makes tests/golden/NAME.log and NAME.json with the current version. A log that is there is never
 * written again: a new version adds one. */
#include "engine/base/checksum.h"
#include "tests/daemon/fixture.h"
#include "tests/e2e/shop.h"
#include "tests/scratch.h"
#include "tests/store/raw_log.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#define GOLDEN STEPD_SOURCE_DIR "/tests/golden"
enum { LINE_MAX_BYTES = 1 << 20 };

static char directory[64];
static struct raw_log raw;
static struct buf output;
static struct span newest; /* the last batch read from a golden log; in newest_bytes */
static uint8_t newest_bytes[1 << 18];
static uint64_t newest_key;

static void
setup(void)
{
    strcpy(directory, "golden-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void
teardown(void)
{
    scratch_remove(directory);
    buf_fini(&output);
}

/* Runs "steplog COMMAND" on the directory; its words in `output`, its exit code back. */
static int
steplog(const char *command)
{
    char line[256], block[4096];
    snprintf(line, sizeof(line), "bin/steplog %s -d %s 2>&1", command, directory);
    buf_clear(&output);
    FILE *pipe = popen(line, "r");
    ck_assert_ptr_nonnull(pipe);
    for (size_t got; (got = fread(block, 1, sizeof(block), pipe)) > 0;) {
        buf_append(&output, block, got);
    }
    int status = pclose(pipe);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
assert_says(const char *text)
{
    ck_assert_msg(strstr(buf_cstr(&output), text) != NULL, "no '%s' in:\n%s", text,
                  buf_cstr(&output));
}

/* ---- golden logs as text: "batch NUMBER HEX" and "content NUMBER HEX", a row a line ---- */

static size_t
from_hex(const char *text, uint8_t *out, size_t most)
{
    size_t len = 0;
    for (; text[0] != '\0' && text[0] != '\n'; text += 2) {
        unsigned byte;
        ck_assert_uint_lt(len, most);
        ck_assert_int_eq(sscanf(text, "%2x", &byte), 1);
        out[len++] = (uint8_t)byte;
    }
    return len;
}

/* Puts a golden log into the open raw log. */
static void
put_golden(const char *name)
{
    static char line[LINE_MAX_BYTES];
    static uint8_t bytes[LINE_MAX_BYTES / 2];
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", GOLDEN, name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    while (fgets(line, sizeof(line), file) != NULL) {
        unsigned long long number;
        int at = 0;
        if (line[0] == '#') {
            continue;
        }
        if (sscanf(line, "batch %llu %n", &number, &at) == 1 && at > 0) {
            size_t len = from_hex(line + at, bytes, sizeof(bytes));
            raw_log_batch(&raw, number, span_of(bytes, len));
            memcpy(newest_bytes, bytes, len);
            newest = span_of(newest_bytes, len);
            newest_key = number;
        } else {
            ck_assert_int_eq(sscanf(line, "content %llu %n", &number, &at), 1);
            raw_log_content(&raw, number,
                            span_of(bytes, from_hex(line + at, bytes, sizeof(bytes))));
        }
    }
    fclose(file);
}

static void
open_golden(const char *name)
{
    raw_log_begin(&raw, directory);
    put_golden(name);
}

/* What steplog prints of the state, without the digest, which is of one state version only. */
static json_t *
printed_state(void)
{
    ck_assert_msg(steplog("replay -o json") == 0, "%s", buf_cstr(&output));
    json_t *state = json_loadb((const char *)output.data, output.len, 0, NULL);
    ck_assert_msg(state != NULL, "%s", buf_cstr(&output));
    ck_assert_int_eq(json_object_del(state, "digest"), 0);
    return state;
}

/* Every row of the golden JSON stands in what is printed today; later versions may print more. */
static void
compare(const json_t *golden, const json_t *printed, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)golden, key, value)
    {
        const json_t *now = json_object_get(printed, key);
        char *was_text = json_dumps(value, JSON_ENCODE_ANY);
        char *now_text = now == NULL ? NULL : json_dumps(now, JSON_ENCODE_ANY);
        ck_assert_msg(now_text != NULL && strcmp(was_text, now_text) == 0,
                      "%s: %s was %s and is %s", name, key, was_text,
                      now_text == NULL ? "gone" : now_text);
        free(was_text);
        free(now_text);
    }
}

START_TEST(every_golden_log_gives_the_state_it_gave)
{
    uint32_t count = 0;
    DIR *dir = opendir(GOLDEN);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || strcmp(dot, ".log") != 0) {
            continue;
        }
        open_golden(entry->d_name);
        raw_log_end(&raw);
        char path[512];
        snprintf(path, sizeof(path), "%s/%.*s.json", GOLDEN, (int)(dot - entry->d_name),
                 entry->d_name);
        json_t *golden = json_load_file(path, 0, NULL);
        ck_assert_msg(golden != NULL, "%s", path);
        json_t *printed = printed_state();
        compare(golden, printed, entry->d_name);
        json_decref(golden);
        json_decref(printed);
        ck_assert_msg(steplog("verify") == 0, "%s: %s", entry->d_name, buf_cstr(&output));
        teardown();
        setup();
        count++;
    }
    closedir(dir);
    ck_assert_uint_gt(count, 0);
}
END_TEST

START_TEST(a_checkpoint_of_a_golden_log_changes_nothing)
{
    open_golden("0.1.0-backbone.log");
    raw_log_end(&raw);
    ck_assert_int_eq(steplog("replay"), 0);
    struct buf before = {0};
    buf_append_span(&before, buf_span(&output));
    ck_assert_msg(steplog("checkpoint") == 0, "%s", buf_cstr(&output));
    ck_assert_int_eq(steplog("replay"), 0);
    ck_assert(span_equal(buf_span(&before), buf_span(&output)));
    buf_fini(&before);
}
END_TEST

/* ---- logs of versions to come, by hand: their bytes must not follow our encoder ---- */

/* A batch of one event behind the newest of the golden log, with this version in its header. */
static void
append_future(const uint8_t *event, size_t event_len, uint32_t batch_version)
{
    enum { AT_VERSION = 4, AT_FIRST = 22, AT_COUNT = 30, AT_BEFORE = 42, HEAD = 50, SUM = 8 };
    uint8_t bytes[512];
    uint64_t first = newest_key + big_endian_get(newest.data + AT_COUNT, 4);
    memcpy(bytes, newest.data, HEAD);
    big_endian_put(bytes + AT_VERSION, batch_version, 2);
    big_endian_put(bytes + AT_FIRST, first, 8);
    big_endian_put(bytes + AT_COUNT, 1, 4);
    big_endian_put(bytes + AT_BEFORE, big_endian_get(newest.data + newest.len - SUM, SUM), 8);
    big_endian_put(bytes + HEAD, event_len, 4);
    memcpy(bytes + HEAD + 4, event, event_len);
    size_t end = HEAD + 4 + event_len;
    big_endian_put(bytes + end, checksum_of(bytes, end), SUM);
    raw_log_batch(&raw, first, span_of(bytes, end + SUM));
    memcpy(newest_bytes, bytes, end + SUM);
    newest = span_of(newest_bytes, end + SUM);
    newest_key = first;
}

START_TEST(a_kind_and_a_part_from_a_later_minor_version_are_read_past)
{
    /* [200, friend 0, 1 back, nil, nil, 7] and [30, friend 0, 1 back, nil, nil, tag 3, "new", [1]] */
    static const uint8_t unknown[] = {0x96, 0xcc, 0xc8, 0, 1, 0xc0, 0xc0, 7};
    static const uint8_t longer[] = {0x98, 30, 0, 1, 0xc0, 0xc0, 3, 0xa3, 'n', 'e', 'w', 0x91, 1};
    open_golden("0.1.0-backbone.log");
    append_future(unknown, sizeof(unknown), 1);
    append_future(longer, sizeof(longer), 1);
    raw_log_end(&raw);
    json_t *golden = json_load_file(GOLDEN "/0.1.0-backbone.json", 0, NULL);
    json_t *printed = printed_state();
    json_int_t events = json_integer_value(json_object_get(golden, "events")) + 2;
    json_int_t tags = json_integer_value(json_object_get(golden, "tags_given")) + 1;
    ck_assert_int_eq(json_integer_value(json_object_get(printed, "events")), events);
    ck_assert_int_eq(json_integer_value(json_object_get(printed, "tags_given")), tags);
    json_decref(golden);
    json_decref(printed);
    ck_assert_msg(steplog("verify -o json") == 0, "%s", buf_cstr(&output));
    assert_says("\"unknown_kinds\":1");
    ck_assert_int_eq(steplog("tail -n 2"), 0); /* kept, and shown as far as it is known */
    assert_says("kind 200");
    assert_says("tag_added");
}
END_TEST

START_TEST(a_later_major_version_is_refused_in_plain_words)
{
    /* [3]: any event; and [61, friend 0, 1 back, nil, nil, nil, nil, class 99] */
    static const uint8_t any[] = {0x91, 2};
    static const uint8_t class_to_come[] = {0x98, 61, 0, 1, 0xc0, 0xc0, 0xc0, 0xc0, 99};
    open_golden("0.1.0-backbone.log");
    if (_i == 0) {
        append_future(any, sizeof(any), 2);
    } else {
        append_future(class_to_come, sizeof(class_to_come), 1);
    }
    raw_log_end(&raw);
    ck_assert_int_eq(steplog("replay"), 1);
    assert_says("newer version of stepd");
    ck_assert_int_eq(steplog("verify"), 1);
    assert_says("newer version of stepd");
    ck_assert_int_eq(steplog("checkpoint"), 1);
}
END_TEST

/* ---- making them ---- */

static void
write_row(FILE *file, const char *kind, uint64_t number, struct span bytes)
{
    fprintf(file, "%s %llu ", kind, (unsigned long long)number);
    for (size_t i = 0; i < bytes.len; i++) {
        fprintf(file, "%02x", bytes.data[i]);
    }
    fputc('\n', file);
}

struct golden_writer {
    FILE *file;
    uint64_t erased_seq; /* this event's words are left out, as if forgotten */
};

static void
write_batch(void *context, uint64_t key, struct span bytes)
{
    struct golden_writer *writer = context;
    write_row(writer->file, "batch", key, bytes);
}

static void
write_content(void *context, uint64_t seq, struct span row)
{
    struct golden_writer *writer = context;
    if (seq != writer->erased_seq) {
        write_row(writer->file, "content", seq, row);
    }
}

static void
acts(const char *who, const char *type, const char *extra)
{
    ck_assert_uint_eq(post_webhook(event_body(who, type, extra)), 200);
    fixture_settle(&fixture);
}

/* Two days of four friends with something of every kind that is built. */
static uint64_t
live(void)
{
    static const char message[] =
        ",\"message\":{\"type\":\"text\",\"id\":\"1\",\"quoteToken\":\"q\",\"text\":\"%s\"}";
    char extra[200];
    apply_yaml(SHOP);
    follows("Uanna");
    acts("Uanna", "postback", ",\"postback\":{\"data\":\"survey_beginner\"}");
    follows("Uben");
    snprintf(extra, sizeof(extra), message, "営業時間");
    acts("Uben", "message", extra);
    snprintf(extra, sizeof(extra), message, "これは消される");
    acts("Uben", "message", extra);
    uint64_t erased = core_state(fixture.core)->seq;
    struct input profile = {.kind = INPUT_PROFILE,
                            .at_ms = clock_now_ms(&fixture.clock),
                            .u.profile = {.friend = 1, .found = true, .name = span_cstr("ベン")}};
    uint32_t count;
    (void)core_input(fixture.core, &profile, &count);
    json_decref(call_api("POST", "/v1/friends/1/tags", "{\"add\":[\"expert\",\"read\"]}", NULL));
    json_decref(call_api("POST", "/v1/friends/1/tags", "{\"remove\":[\"read\"]}", NULL));
    json_decref(call_api("POST", "/v1/friends/1/fields", "{\"set\":{\"area\":\"北\"}}", NULL));
    json_decref(call_api("POST", "/v1/friends/1/fields", "{\"clear\":[\"area\"]}", NULL));
    json_decref(call_api("POST", "/v1/scenarios/S_story/start", "{\"friend\":1}", NULL));
    acts("Ucara", "message", extra); /* known to LINE before us */
    advance_to("2026-06-02 11:00:00");
    acts("Uben", "unfollow", "");
    fixture.status = 400;
    advance_to("2026-06-02 12:30:00");
    fixture.status = 200;
    follows("Udora");
    ck_assert_uint_eq(post_webhook("{\"destination\":\"Uother\",\"events\":[]}"), 200);
    fixture_settle(&fixture);
    json_decref(call_api("POST", "/v1/scenarios/S_welcome/stop", "{\"friend\":3}", NULL));
    acts("Udora", "postback", ",\"postback\":{\"data\":\"survey_expert\"}");
    const struct input stop = {.kind = INPUT_STOP, .at_ms = clock_now_ms(&fixture.clock)};
    (void)core_input(fixture.core, &stop, &count);
    ck_assert_int_eq(core_flush(fixture.core), RC_OK);
    return erased;
}

START_TEST(a_golden_log_is_made)
{
    const char *name = getenv("STEPD_GOLDEN_WRITE");
    char path[512];
    fixture_open();
    struct golden_writer writer = {.erased_seq = live()};
    snprintf(path, sizeof(path), "%s/%s.log", GOLDEN, name);
    ck_assert_msg(access(path, F_OK) != 0, "%s is there: a golden log never changes", path);
    writer.file = fopen(path, "w");
    ck_assert_ptr_nonnull(writer.file);
    fprintf(writer.file, "# a log as stepd %s wrote it; tests/tools/test_golden.c reads it\n",
            STEPD_VERSION);
    raw_log_read(core_log(fixture.core), write_batch, write_content, &writer);
    fclose(writer.file);
    fixture_close();

    snprintf(path, sizeof(path), "%s.log", name);
    open_golden(path);
    raw_log_end(&raw);
    json_t *printed = printed_state();
    snprintf(path, sizeof(path), "%s/%s.json", GOLDEN, name);
    ck_assert_int_eq(json_dump_file(printed, path, JSON_INDENT(2)), 0);
    json_decref(printed);
}
END_TEST

static Suite *
suite(void)
{
    unsetenv("STEPD_DATA_DIR");
    setenv("LC_ALL", "C.UTF-8", 1);
    Suite *s = suite_create("golden");
    TCase *tc = tcase_create("golden");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    if (getenv("STEPD_GOLDEN_WRITE") != NULL) {
        tcase_add_test(tc, a_golden_log_is_made);
    } else {
        tcase_add_test(tc, every_golden_log_gives_the_state_it_gave);
        tcase_add_test(tc, a_checkpoint_of_a_golden_log_changes_nothing);
        tcase_add_test(tc, a_kind_and_a_part_from_a_later_minor_version_are_read_past);
        tcase_add_loop_test(tc, a_later_major_version_is_refused_in_plain_words, 0, 2);
    }
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    SRunner *r = srunner_create(suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
