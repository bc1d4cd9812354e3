/* The log notices when its bytes are not what was written: any byte, any missing or foreign batch. */
#include "engine/base/checksum.h"
#include "store/batch.h"
#include "tests/store/log_helpers.h"

#include <lmdb.h>

/* Changes the stored bytes behind the log's back. */
static void
raw(void (*change)(MDB_txn *txn, MDB_dbi dbi, uint64_t a, uint64_t b), uint64_t a, uint64_t b)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    char path[128];
    snprintf(path, sizeof(path), "%s/log", directory);
    ck_assert_int_eq(mdb_env_create(&env), 0);
    ck_assert_int_eq(mdb_env_set_maxdbs(env, 4), 0);
    ck_assert_int_eq(mdb_env_open(env, path, MDB_NOSYNC, 0600), 0);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_dbi_open(txn, "batches", 0, &dbi), 0);
    change(txn, dbi, a, b);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static uint8_t raw_value[4096];
static size_t raw_len;

static void
raw_get(MDB_txn *txn, MDB_dbi dbi, uint64_t seq)
{
    uint8_t bytes[8];
    big_endian_put(bytes, seq, 8);
    MDB_val key = {8, bytes}, value;
    ck_assert_int_eq(mdb_get(txn, dbi, &key, &value), 0);
    ck_assert_uint_le(value.mv_size, sizeof(raw_value));
    memcpy(raw_value, value.mv_data, value.mv_size);
    raw_len = value.mv_size;
}

static void
raw_put(MDB_txn *txn, MDB_dbi dbi, uint64_t seq)
{
    uint8_t bytes[8];
    big_endian_put(bytes, seq, 8);
    MDB_val key = {8, bytes}, value = {raw_len, raw_value};
    ck_assert_int_eq(mdb_put(txn, dbi, &key, &value, 0), 0);
}

static void
flip(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t at)
{
    raw_get(txn, dbi, seq);
    raw_value[at % raw_len] ^= 0x20;
    raw_put(txn, dbi, seq);
}

static void
shorten(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t len)
{
    raw_get(txn, dbi, seq);
    raw_len = (size_t)len;
    raw_put(txn, dbi, seq);
}

static void
delete_batch(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t unused)
{
    (void)unused;
    uint8_t bytes[8];
    big_endian_put(bytes, seq, 8);
    MDB_val key = {8, bytes};
    ck_assert_int_eq(mdb_del(txn, dbi, &key, NULL), 0);
}

static void
move_batch(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t to)
{
    raw_get(txn, dbi, seq);
    delete_batch(txn, dbi, seq, 0);
    raw_put(txn, dbi, to);
}

static void
replace_batch(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t count)
{
    struct buf events = {0}, bytes = {0};
    for (uint64_t i = 0; i < 2; i++) {
        log_events_add(&events, span_cstr("forged"));
    }
    struct batch_header header = {.first_seq = seq, .event_count = (uint32_t)count, .time_ms = 1};
    memcpy(header.run_id, run_id, sizeof(run_id));
    batch_encode(&header, buf_span(&events), &bytes);
    memcpy(raw_value, bytes.data, bytes.len);
    raw_len = bytes.len;
    raw_put(txn, dbi, seq);
    buf_fini(&events);
    buf_fini(&bytes);
}

START_TEST(a_flipped_byte_anywhere_in_a_batch_is_noticed)
{
    const uint64_t seqs[] = {1, 3, 5};
    const char *const places[] = {"batch at event 1:", "batch at event 3:", "batch at event 5:"};
    uint64_t seq = seqs[_i];
    three_batches();
    ck_assert_int_eq(noticed(""), RC_END);
    for (size_t at = 0; at == 0 || at < raw_len; at++) {
        raw(flip, seq, at);
        ck_assert_msg(noticed(places[_i]) == RC_CORRUPT, "byte %zu", at);
        raw(flip, seq, at);
    }
    ck_assert_int_eq(noticed(""), RC_END);
}
END_TEST

START_TEST(a_batch_cut_short_is_noticed)
{
    three_batches();
    raw(flip, 3, 0);
    raw(flip, 3, 0);
    for (size_t len = raw_len; len-- > 0;) {
        raw(shorten, 3, len);
        ck_assert_int_eq(noticed("batch at event 3:"), RC_CORRUPT);
    }
}
END_TEST

START_TEST(a_missing_batch_is_noticed)
{
    three_batches();
    raw(delete_batch, 3, 0);
    ck_assert_int_eq(noticed("batch at event 5: events before it are missing"), RC_CORRUPT);
    struct log *log = open_with(ON_DISK, (struct log_options){.mode = LOG_READ});
    enum rc rc;
    ck_assert_uint_eq(read_all(log, 3, &rc), 0); /* a cursor that would begin in the hole */
    ck_assert_int_eq(rc, RC_CORRUPT);
    log_close(log);
}
END_TEST

START_TEST(a_missing_beginning_is_noticed)
{
    three_batches();
    raw(delete_batch, 1, 0);
    ck_assert_int_eq(noticed("batch at event 3: events before it are missing"), RC_CORRUPT);
}
END_TEST

START_TEST(a_batch_under_another_number_is_noticed)
{
    three_batches();
    raw(move_batch, 3, 4);
    ck_assert_int_eq(noticed("batch at event 4: it lies under another number"), RC_CORRUPT);
}
END_TEST

START_TEST(a_batch_of_another_log_is_noticed)
{
    three_batches();
    raw(replace_batch, 3, 2); /* sound by itself, but not what batch 5 was written after */
    ck_assert_int_eq(noticed("batch at event 3: it does not continue"), RC_CORRUPT);
}
END_TEST

START_TEST(a_batch_with_another_count_is_noticed)
{
    three_batches();
    raw(replace_batch, 3, 3);
    ck_assert_int_eq(noticed("batch at event 3: it holds another number of events"), RC_CORRUPT);
}
END_TEST

static void
newer_version(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t unused)
{
    (void)unused;
    replace_batch(txn, dbi, seq, 2);
    raw_value[5] = BATCH_VERSION + 1;
    raw_len -= BATCH_CHECKSUM_BYTES;
    uint64_t checksum = checksum_of(raw_value, raw_len);
    big_endian_put(raw_value + raw_len, checksum, BATCH_CHECKSUM_BYTES);
    raw_len += BATCH_CHECKSUM_BYTES;
    raw_put(txn, dbi, seq);
}

START_TEST(a_batch_of_a_newer_version_is_told_apart)
{
    three_batches();
    raw(newer_version, 5, 0);
    ck_assert_int_eq(noticed("newer version"), RC_NEWER);
}
END_TEST

/* The one example of docs/format.md, so that the page stays true. */
START_TEST(the_format_page_shows_these_bytes)
{
    const struct batch_header header = {.run_id = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
                                                   0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf},
                                        .first_seq = 12,
                                        .event_count = 1,
                                        .time_ms = INT64_C(1780276500000),
                                        .checksum_before = UINT64_C(0x1122334455667788)};
    const uint8_t tag_added[] = {0x96, 0x1e, 0x07, 0x03, 0xc0, 0x92, 0x05, 0xcd, 0x03, 0xe8, 0x02};
    struct buf events = {0}, bytes = {0}, hex = {0};
    log_events_add(&events, span_of(tag_added, sizeof(tag_added)));
    batch_encode(&header, buf_span(&events), &bytes);

    FILE *file = fopen(STEPD_SOURCE_DIR "/docs/format.md", "r");
    ck_assert_ptr_nonnull(file);
    char line[512];
    while (fgets(line, sizeof(line), file) != NULL) {
        unsigned offset, byte;
        int at = 0;
        if (line[0] != ' ' || sscanf(line, "    %2x  %n", &offset, &at) != 1 || at != 8 ||
            offset != hex.len) {
            continue;
        }
        for (int used; sscanf(line + at, "%2x%n", &byte, &used) == 1 && used == 2; at += 3) {
            buf_append_byte(&hex, (uint8_t)byte);
        }
    }
    fclose(file);
    struct buf expected = {0};
    for (size_t i = 0; i < bytes.len; i++) {
        buf_printf(&expected, "%02x ", bytes.data[i]);
    }
    ck_assert_msg(span_equal(buf_span(&hex), buf_span(&bytes)), "the bytes are %s",
                  buf_cstr(&expected));
    buf_fini(&expected);
    buf_fini(&events);
    buf_fini(&bytes);
    buf_fini(&hex);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("log_damage");
    TCase *tc = tcase_create("damage");
    tcase_add_checked_fixture(tc, setup, remove_directory);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_flipped_byte_anywhere_in_a_batch_is_noticed, 0, 3);
    tcase_add_test(tc, a_batch_cut_short_is_noticed);
    tcase_add_test(tc, a_missing_batch_is_noticed);
    tcase_add_test(tc, a_missing_beginning_is_noticed);
    tcase_add_test(tc, a_batch_under_another_number_is_noticed);
    tcase_add_test(tc, a_batch_of_another_log_is_noticed);
    tcase_add_test(tc, a_batch_with_another_count_is_noticed);
    tcase_add_test(tc, a_batch_of_a_newer_version_is_told_apart);
    tcase_add_test(tc, the_format_page_shows_these_bytes);
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
