/* grep: the events that meet every condition given, in order. */
#include "tools/steplog/commands.h"
#include "tools/steplog/listing.h"

#include <stdio.h>

enum { KIND_NUMBERS = 256 };

struct filter {
    struct reader *reader;
    struct listing listing;
    bool by_kind;
    bool kinds[KIND_NUMBERS];
    uint64_t from_seq, until_seq; /* 0: none */
    int64_t from_ms, until_ms;
    bool by_friend;
    uint32_t friend;     /* NO_ID: not yet found by its user id */
    struct span user_id; /* empty: the friend was given by number */
    uint32_t tag, scenario;
    uint64_t found;
};

static bool
event_names_scenario(const struct event *event, uint32_t scenario)
{
    switch (event->kind) {
    case EVENT_ENROLMENT_STARTED:
    case EVENT_START_REFUSED:
    case EVENT_STEP_PLANNED:
    case EVENT_STEP_DEFERRED:
    case EVENT_STEP_SKIPPED:
    case EVENT_STEP_DONE:
    case EVENT_STEP_CANCELLED:
    case EVENT_ENROLMENT_ENDED:
        return event->u.step.scenario == scenario;
    case EVENT_DELIVERY_PLANNED:
    case EVENT_DELIVERY_INTENDED:
    case EVENT_DELIVERIES_INTENDED:
        for (uint32_t i = 0; i < event->u.delivery.item_count; i++) {
            const struct source *source = &event->u.delivery.items[i].source;
            if (source->kind == SOURCE_STEP && source->id == scenario) {
                return true;
            }
        }
        break;
    default: /* kinds that only their source may tie to a scenario */
        break;
    }
    return event->source.kind == SOURCE_STEP && event->source.id == scenario;
}

static bool
matches(const struct filter *filter, const struct event *event)
{
    if (filter->by_kind && ((unsigned)event->kind >= KIND_NUMBERS || !filter->kinds[event->kind])) {
        return false;
    }
    if (event->seq < filter->from_seq || event->at_ms < filter->from_ms) {
        return false;
    }
    if (filter->by_friend && (event->friend == NO_ID || event->friend != filter->friend)) {
        return false;
    }
    if (filter->tag != NO_ID &&
        ((event->kind != EVENT_TAG_ADDED && event->kind != EVENT_TAG_REMOVED) ||
         event->u.tag.tag != filter->tag)) {
        return false;
    }
    return filter->scenario == NO_ID || event_names_scenario(event, filter->scenario);
}

static enum rc
look_at(void *context, const struct event *event)
{
    struct filter *filter = context;
    /* A friend's first event says who it is. */
    if (event->kind == EVENT_FRIEND_ADDED && filter->user_id.len > 0 && event->word_count > 0 &&
        span_equal(event->words[0], filter->user_id)) {
        filter->friend = event->friend;
    }
    if (matches(filter, event)) {
        filter->found++;
        listing_add(&filter->listing, event);
    }
    return RC_OK;
}

/* --kind a,b,c: names as they are printed, or numbers. */
static int
read_kinds(struct filter *filter, const char *text)
{
    filter->by_kind = true;
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        struct span word = span_of(text, len);
        bool known = false;
        for (unsigned kind = 1; kind < KIND_NUMBERS; kind++) {
            char number[8];
            const char *name = event_kind_name((enum event_kind)kind);
            snprintf(number, sizeof(number), "%u", kind);
            if ((name != NULL && span_equal_cstr(word, name)) || span_equal_cstr(word, number)) {
                filter->kinds[kind] = true;
                known = true;
            }
        }
        if (!known) {
            return usage_error(filter->reader->invocation->program,
                               "there is no kind of event '%.*s'", span_fmt(word));
        }
        text += len + (text[len] == ',');
    }
    return EXIT_DONE;
}

/* By name, also of what is no longer in force: its events are still there. */
static int
read_name(const struct filter *filter, const char *option, const struct names *names,
          uint32_t *out_id)
{
    const char *text = invocation_option(filter->reader->invocation, option);
    *out_id = NO_ID;
    if (text == NULL) {
        return EXIT_DONE;
    }
    for (uint32_t i = 0; names != NULL && i < names->count; i++) {
        if (strcmp(names->items[i].text, text) == 0) {
            *out_id = i;
            return EXIT_DONE;
        }
    }
    fprintf(stderr, "steplog: there is no %s '%s' in the definitions of this log\n", option, text);
    return EXIT_NOT_FOUND;
}

static int
read_filter(struct filter *filter)
{
    struct reader *reader = filter->reader;
    const struct definitions *definitions = reader->definitions;
    const char *kinds = invocation_option(reader->invocation, "kind");
    const char *friend = invocation_option(reader->invocation, "friend");
    int code = kinds == NULL ? EXIT_DONE : read_kinds(filter, kinds);
    if (code == EXIT_DONE) {
        code = reader_place(reader, "from", &filter->from_seq, &filter->from_ms);
    }
    if (code == EXIT_DONE) {
        code = reader_place(reader, "until", &filter->until_seq, &filter->until_ms);
    }
    if (code == EXIT_DONE) {
        code = read_name(filter, "tag", definitions == NULL ? NULL : &definitions->tag_names,
                         &filter->tag);
    }
    if (code == EXIT_DONE) {
        code =
            read_name(filter, "scenario", definitions == NULL ? NULL : &definitions->scenario_names,
                      &filter->scenario);
    }
    uint64_t number = NO_ID;
    filter->by_friend = friend != NULL;
    if (friend != NULL && !read_number(friend, &number)) {
        filter->user_id = span_cstr(friend);
    }
    filter->friend = number < NO_ID ? (uint32_t)number : NO_ID;
    return code;
}

static int
grep(struct filter *filter)
{
    struct buf error = {0};
    listing_begin(&filter->listing, filter->reader, true);
    const struct replay_options options = {.log = filter->reader->log,
                                           .from_seq =
                                               filter->user_id.len > 0 ? 0 : filter->from_seq,
                                           .until_seq = filter->until_seq,
                                           .until_ms = filter->until_ms,
                                           .before = look_at,
                                           .context = filter};
    enum rc rc = replay_run(&options, &error);
    if (filter->found > 0) {
        listing_flush(&filter->listing);
    }
    listing_drop(&filter->listing);
    int code = rc == RC_OK ? EXIT_DONE : reader_failed(rc, buf_cstr(&error));
    buf_fini(&error);
    if (code == EXIT_DONE && filter->found == 0) {
        fputs("steplog: no event is like that\n", stderr);
        code = EXIT_NOT_FOUND;
    }
    return code;
}

int
command_grep(const struct invocation *invocation)
{
    struct reader reader;
    struct filter filter = {.reader = &reader};
    int code = reader_open(&reader, invocation, 0);
    if (code == EXIT_DONE) {
        code = reader_find_names(&reader);
    }
    if (code == EXIT_DONE) {
        code = read_filter(&filter);
    }
    if (code == EXIT_DONE) {
        code = grep(&filter);
    }
    reader_close(&reader);
    return code;
}
