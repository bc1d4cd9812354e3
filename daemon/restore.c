#include "daemon/restore.h"

#include "store/checkpoint.h"
#include <inttypes.h>

static void
pass_over(const struct restore_options *options, uint64_t seq, const char *why)
{
    struct buf text = {0}, path = {0};
    checkpoint_path(options->directory, seq, &path);
    buf_printf(&text, "%s is passed over: %s", buf_cstr(&path), why);
    if (options->note != NULL) {
        options->note(options->note_context, buf_cstr(&text));
    }
    buf_fini(&text);
    buf_fini(&path);
}

/* The log's own last run had got further than the log now goes. */
static enum rc
refuse_cut_log(const struct restore_options *options, uint64_t seq, struct buf *out_error)
{
    struct buf path = {0};
    checkpoint_path(options->directory, seq, &path);
    buf_printf(out_error,
               "the log ends at event %" PRIu64 ", but %s holds event %" PRIu64
               " of the same run: durable events are gone. Restore a backup; or, if this older log "
               "was put here on purpose, delete the checkpoints: steplog checkpoint --drop",
               log_newest(options->log), buf_cstr(&path), seq);
    buf_fini(&path);
    return RC_CORRUPT;
}

struct reading {
    struct checkpoint_reader *reader; /* NULL: closed */
    struct zone_source zones;
};

static enum rc
get_image(void *context, void *out, size_t bytes)
{
    return checkpoint_get(((struct reading *)context)->reader, out, bytes);
}

static enum rc
confirm(void *context, const char **out_why)
{
    struct reading *reading = context;
    struct checkpoint_reader *reader = reading->reader;
    reading->reader = NULL;
    return reader == NULL ? RC_OK : checkpoint_close(reader, out_why);
}

static enum rc
compile(void *context, struct span canonical, struct definitions **out_definitions)
{
    return definition_from_canonical(canonical, ((struct reading *)context)->zones,
                                     out_definitions);
}

/* Straight from the file into the tables, which are believed once the file was summed to its end. */
static enum rc
read_image(struct checkpoint_reader *reader, const struct checkpoint *head,
           const struct restore_options *options, struct engine *engine, const char **out_why)
{
    struct reading reading = {.reader = reader, .zones = options->zones};
    const struct image_source source = {
        .bytes = {.get = get_image, .context = &reading, .bytes = head->image_bytes},
        .confirm = confirm,
        .digest = &head->digest,
        .definitions = compile,
        .context = &reading};
    enum rc rc = engine_load(engine, &source, out_why);
    const char *damage;
    if (confirm(&reading, &damage) != RC_OK) { /* not read to its end: that is the nearer reason */
        *out_why = damage;
        rc = RC_CORRUPT;
    }
    return rc;
}

/* RC_OK: the engine has it. RC_AGAIN: passed over. */
static enum rc
try_checkpoint(const struct restore_options *options, uint64_t seq, struct engine *engine,
               struct buf *out_error)
{
    struct checkpoint head;
    struct checkpoint_reader *reader;
    const char *why = "";
    enum rc rc = checkpoint_open(options->directory, seq, &head, &reader, &why);
    if (rc == RC_OK) {
        enum checkpoint_verdict verdict = checkpoint_judge(&head, STATE_VERSION, options->log);
        if (verdict == CHECKPOINT_GOOD) {
            rc = read_image(reader, &head, options, engine, &why);
        } else {
            rc = checkpoint_close(reader, &why); /* damage is the nearer reason */
            why = rc == RC_OK ? checkpoint_verdict_text(verdict) : why;
            if (rc == RC_OK && verdict == CHECKPOINT_LOG_CUT) {
                return refuse_cut_log(options, seq, out_error);
            }
            rc = RC_CORRUPT;
        }
    }
    if (rc != RC_OK) {
        pass_over(options, seq, why);
        return RC_AGAIN;
    }
    return RC_OK;
}

static enum rc
load_newest(const struct restore_options *options, struct engine *engine,
            struct restored *out_restored, struct buf *out_error)
{
    struct checkpoint_list list;
    if (options->directory == NULL || checkpoint_list(options->directory, &list) != RC_OK) {
        return RC_OK;
    }
    enum rc rc = RC_AGAIN;
    for (uint32_t i = 0; rc == RC_AGAIN && i < list.count; i++) {
        rc = try_checkpoint(options, list.items[i].seq, engine, out_error);
        if (rc == RC_OK) {
            out_restored->checkpoint_seq = list.items[i].seq;
        }
    }
    checkpoint_list_fini(&list);
    return rc == RC_AGAIN ? RC_OK : rc;
}

enum rc
restore_follow(const struct restore_options *options, struct engine *engine, struct buf *out_error)
{
    const struct replay_options replay = {.log = options->log,
                                          .engine = engine,
                                          .zones = options->zones,
                                          .from_seq = engine_state(engine)->seq + 1,
                                          .check_stops = true};
    return replay_run(&replay, out_error);
}

enum rc
restore_run(const struct restore_options *options, struct engine *engine,
            struct restored *out_restored, struct buf *out_error)
{
    *out_restored = (struct restored){0};
    enum rc rc = load_newest(options, engine, out_restored, out_error);
    if (rc != RC_OK) {
        return rc;
    }
    rc = restore_follow(options, engine, out_error);
    out_restored->tail_events = engine_state(engine)->seq - out_restored->checkpoint_seq;
    if (rc != RC_OK && out_restored->checkpoint_seq != 0) {
        buf_printf(out_error,
                   " (after the checkpoint of event %" PRIu64
                   "; '--checkpoints no' starts from the log alone)",
                   out_restored->checkpoint_seq);
    }
    return rc;
}

struct filling {
    const struct state *state;
};

static void
put_image(void *context, const void *data, size_t len)
{
    checkpoint_put(context, data, len);
}

static void
fill(void *context, struct checkpoint_writer *writer)
{
    const struct stream_sink sink = {.put = put_image, .context = writer};
    image_write(((const struct filling *)context)->state, &sink);
}

enum rc
restore_save(const struct restore_options *options, const struct engine *engine,
             uint64_t *out_bytes, struct buf *out_error)
{
    const struct state *state = engine_state(engine);
    struct checkpoint head = {.state_version = STATE_VERSION};
    enum rc rc = checkpoint_place(options->log, state->seq, &head);
    if (rc != RC_OK) {
        buf_printf(out_error, "event %" PRIu64 " is not the end of a batch of this log",
                   state->seq);
        return rc;
    }
    head.digest = state_digest(state);
    rc = checkpoint_write(options->directory, &head, fill, &(struct filling){state}, out_error);
    *out_bytes = head.image_bytes;
    return rc;
}
