/* A log read in chunks: everything once, exactly to its end, whatever happens to it meanwhile. */
#include "tests/store/log_helpers.h"

#include "store/chunk.h"
#include "store/log_lmdb.h"

/* A batch of one event with a content row of `bytes` and an id. */
static void
append_rich(struct log *log, size_t bytes)
{
    struct buf events = {0}, row = {0};
    uint64_t seq = log_newest(log) + 1;
    log_events_add(&events, span_cstr("event"));
    memset(buf_reserve(&row, bytes), (int)(seq & 0xff), bytes);
    const struct log_content content = {seq, buf_span(&row)};
    const struct span id = span_of(&seq, sizeof(seq));
    const struct log_batch batch = {.time_ms = START_MS + (int64_t)seq,
                                    .event_count = 1,
                                    .events = buf_span(&events),
                                    .content = &content,
                                    .content_count = 1,
                                    .ids = &id,
                                    .id_count = 1};
    ck_assert_int_eq(log_append(log, &batch, seq), RC_OK);
    buf_fini(&events);
    buf_fini(&row);
}

static void
erase(struct log *log, uint64_t seq)
{
    struct lmdb_parts parts;
    MDB_txn *txn;
    uint8_t bytes[8] = {[6] = (uint8_t)(seq >> 8), [7] = (uint8_t)seq};
    MDB_val key = {sizeof(bytes), bytes};
    ck_assert(log_lmdb_parts(log_backend_of(log), &parts));
    ck_assert_int_eq(mdb_txn_begin(parts.env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_del(txn, parts.tables[TABLE_CONTENT], &key, NULL), 0);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
}

struct seen {
    uint64_t chunks, batches, content, ids, newest;
};

static enum rc
read_on(struct log_chunks *chunks, struct seen *seen)
{
    struct log_chunk chunk;
    enum rc rc = log_chunks_next(chunks, &chunk);
    if (rc != RC_OK) {
        return rc;
    }
    seen->chunks++;
    seen->batches += chunk.batch_count;
    seen->content += chunk.content_count;
    seen->ids += chunk.id_count;
    for (uint32_t i = 0; i < chunk.batch_count; i++) {
        ck_assert_uint_eq(chunk.batches[i].view.first_seq, ++seen->newest);
    }
    for (uint32_t i = 0; i < chunk.content_count; i++) {
        ck_assert_uint_eq(chunk.content[i].row.data[0], chunk.content[i].seq & 0xff);
    }
    return RC_OK;
}

enum { ROWS = 300, ROW_BYTES = 16 * 1024 }; /* nearly 5 chunks */

static struct log *
rich_log(void)
{
    struct log *log = claim(ON_DISK);
    for (int i = 0; i < ROWS; i++) {
        append_rich(log, ROW_BYTES);
    }
    return log;
}

START_TEST(chunks_hold_everything_once)
{
    struct log *log = rich_log();
    struct log_chunks *chunks;
    struct seen seen = {0};
    enum rc rc;
    ck_assert_int_eq(log_chunks_open(log, &chunks), RC_OK);
    while ((rc = read_on(chunks, &seen)) == RC_OK) {
    }
    ck_assert_int_eq(rc, RC_END);
    ck_assert_uint_ge(seen.chunks, ROWS * ROW_BYTES / (CHUNK_BYTES + 2 * ROW_BYTES));
    ck_assert_uint_eq(seen.batches, ROWS);
    ck_assert_uint_eq(seen.content, ROWS);
    ck_assert_uint_eq(seen.ids, ROWS);
    ck_assert_int_eq(read_on(chunks, &seen), RC_END);
    log_chunks_close(chunks);
    log_close(log);
}
END_TEST

/* Ids are read after the batches: one of an event that is not in the copy would make a webhook a duplicate
 * that was never acted upon. */
START_TEST(what_is_appended_meanwhile_comes_with_its_ids)
{
    struct log *log = rich_log();
    struct log_chunks *chunks;
    struct seen seen = {0};
    enum rc rc;
    ck_assert_int_eq(log_chunks_open(log, &chunks), RC_OK);
    while ((rc = read_on(chunks, &seen)) == RC_OK) {
        ck_assert_uint_le(seen.ids, seen.batches);
        if (seen.newest < log_newest(log)) { /* else this was the last */
            append_rich(log, 10);
            append_rich(log, 10);
        }
    }
    ck_assert_int_eq(rc, RC_END);
    ck_assert_uint_eq(seen.newest, log_newest(log));
    ck_assert_uint_gt(seen.newest, ROWS);
    ck_assert_uint_eq(seen.batches, seen.ids);
    ck_assert_uint_eq(seen.content, seen.batches);
    log_chunks_close(chunks);
    log_close(log);
}
END_TEST

START_TEST(words_erased_behind_the_reader_are_noticed)
{
    struct log *log = rich_log();
    struct log_chunks *chunks;
    struct seen seen = {0};
    enum rc rc = RC_OK;
    ck_assert_int_eq(log_chunks_open(log, &chunks), RC_OK);
    ck_assert_int_eq(read_on(chunks, &seen), RC_OK);
    erase(log, _i == 0 ? 1 : ROWS); /* behind it, then before it */
    while (rc == RC_OK) {
        rc = read_on(chunks, &seen);
    }
    ck_assert_int_eq(rc, _i == 0 ? RC_AGAIN : RC_END);
    log_chunks_close(chunks);
    log_close(log);
}
END_TEST

START_TEST(content_that_belongs_to_no_event_is_noticed)
{
    struct log *log = rich_log();
    struct lmdb_parts parts;
    MDB_txn *txn;
    uint8_t bytes[8] = {[0] = _i == 0 ? 0 : 1}; /* 0, and far behind the newest */
    MDB_val key = {sizeof(bytes), bytes}, value = {1, bytes};
    ck_assert(log_lmdb_parts(log_backend_of(log), &parts));
    ck_assert_int_eq(mdb_txn_begin(parts.env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_put(txn, parts.tables[TABLE_CONTENT], &key, &value, 0), 0);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);

    struct log_chunks *chunks;
    struct log_chunk chunk;
    enum rc rc;
    ck_assert_int_eq(log_chunks_open(log, &chunks), RC_OK);
    while ((rc = log_chunks_next(chunks, &chunk)) == RC_OK) {
        ck_assert(chunk.content_count == 0 || chunk.content[0].seq != 0);
    }
    ck_assert_int_eq(rc, RC_CORRUPT);
    ck_assert_ptr_nonnull(strstr(log_chunks_error(chunks), "belong to no event"));
    log_chunks_close(chunks);
    log_close(log);
}
END_TEST

START_TEST(a_log_in_memory_has_no_chunks)
{
    struct log *log = claim(IN_MEMORY);
    struct log_chunks *chunks;
    ck_assert_int_eq(log_chunks_open(log, &chunks), RC_REFUSED);
    log_close(log);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("chunk");
    TCase *tc = tcase_create("chunk");
    tcase_add_checked_fixture(tc, setup, remove_directory);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, chunks_hold_everything_once);
    tcase_add_test(tc, what_is_appended_meanwhile_comes_with_its_ids);
    tcase_add_loop_test(tc, words_erased_behind_the_reader_are_noticed, 0, 2);
    tcase_add_loop_test(tc, content_that_belongs_to_no_event_is_noticed, 0, 2);
    tcase_add_test(tc, a_log_in_memory_has_no_chunks);
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
