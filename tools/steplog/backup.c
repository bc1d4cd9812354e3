/* backup: a copy elsewhere, read back and replayed. */
#include "tools/steplog/commands.h"
#include "tools/steplog/copy.h"
#include "tools/steplog/facts.h"

static int
backup(struct reader *reader, const char *destination)
{
    struct copy copy;
    struct engine *engine = reader_engine();
    int code = copy_open(&copy, reader, destination);
    if (code == EXIT_DONE) {
        code = copy_turn(&copy);
    }
    if (code == EXIT_DONE) {
        code = fresh_fold(&copy.fresh, reader->zones, engine);
    }
    if (code == EXIT_DONE) {
        code = fresh_finish(&copy.fresh);
    }
    if (code == EXIT_DONE) {
        json_t *facts = json_object();
        json_object_set_new(facts, "backup", json_string(copy.fresh.destination));
        facts_set_count(facts, "events", engine_state(engine)->seq);
        facts_set_count(facts, "bytes", copy.bytes);
        facts_set_digest(facts, state_digest(engine_state(engine)));
        facts_print(reader, facts);
        copy_note_erased(&copy, "make another backup and delete this one");
    }
    copy_close(&copy);
    engine_free(engine);
    return code;
}

int
command_backup(const struct invocation *invocation)
{
    struct reader reader;
    int code = reader_open(&reader, invocation, 1);
    if (code == EXIT_DONE) {
        code = backup(&reader, reader_argument(&reader));
    }
    reader_close(&reader);
    return code;
}
