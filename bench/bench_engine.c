/* bench_engine - what an input costs the engine, and how fast it runs ahead (PERFORMANCE target P14).
 *
 *     bench_engine [--json] [FRIENDS]      default: 200000; the crowd is 1000000
 *
 * Each kind of input is decided and applied for every friend in turn, in disorder; beside it a second
 * engine applies the same events and decides nothing, as a replay does. simulate_s takes every friend
 * through a scenario of seven steps in 30 days, taken as the daemon does, up to 500 in a
 * request, each answered "sent" at once. edit_...: an edit
 * moves the step that everybody stands before. Medians of three rounds of processor time, without any
 * log. */
#include "bench/bench_world.h"
#include "daemon/zones.h"
#include "engine/engine.h"
#include "proto/definition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 3, SHARE = 512, SIMULATE_FRIENDS = 1000000 };

/* %s: the hour of the third step, which an edit moves. */
static const char SHOP[] = "account: {zone: Asia/Tokyo}\n"
                           "tags: {t: [vip, buyer]}\n"
                           "fields: {visits: number, city: text}\n"
                           "templates: {hello: hello, one: one, two: two, answer: answer}\n"
                           "friend_add:\n"
                           "  new: {do: [ {start: S} ]}\n"
                           "scenarios:\n"
                           "  S:\n"
                           "    steps:\n"
                           "      a: {when: 1h after start, send: hello}\n"
                           "      b: {when: day 1 at 12:00, send: one}\n"
                           "      c: {when: day 3 at %s, send: two}\n"
                           "      d: {when: day 7 at 12:00, send: one, if: not tag:vip}\n"
                           "      e: {when: day 14 at 20:00, send: two}\n"
                           "      f: {when: day 21 at 12:00, send: one}\n"
                           "      g: {when: day 29 at 12:00, send: two}\n"
                           "auto_replies:\n"
                           "  price: {contains: price, send: answer}\n"
                           "  hours: {exact: hours, send: answer}\n";

struct world {
    struct zones *zones;
    struct definitions *definitions;
    struct engine *live, *replayed;
    struct events events;
    uint32_t friends;
    int64_t now_ms;
};

static double
now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t
body_hash(const struct definitions *definitions, const struct delivery_item *items,
          uint32_t item_count, const struct span *values, uint32_t value_count)
{
    (void)definitions;
    (void)values;
    return items[0].template * 64 + item_count * 8 + value_count;
}

static const struct engine_calls calls = {.body_hash = body_hash};

/* before: the set it is an edit of, or NULL. */
static struct definitions *
compile(struct zones *zones, const char *third_step_at, const struct definitions *before)
{
    struct diagnostics diagnostics;
    struct definitions *definitions = NULL;
    char text[sizeof(SHOP) + 16];
    snprintf(text, sizeof(text), SHOP, third_step_at);
    struct source_file file = {span_cstr("shop.yaml"), span_cstr(text)};
    diagnostics_init(&diagnostics);
    enum rc rc =
        definition_compile(&file, 1, before, zones_source(zones), NULL, &diagnostics, &definitions);
    bench_check(rc == RC_OK, diagnostics.count > 0 ? diagnostics.items[0].message : "definitions");
    diagnostics_fini(&diagnostics);
    return definitions;
}

static void
put_in_force(struct world *world, struct definitions *definitions)
{
    struct input apply = {.kind = INPUT_DEFINITIONS,
                          .at_ms = world->now_ms,
                          .u.definitions = {.definitions = definitions}};
    engine_handle(world->live, &apply, &world->events);
}

static void
world_open(struct world *world, uint32_t friends)
{
    *world = (struct world){.friends = friends, .now_ms = INT64_C(1780272000000)};
    world->zones = zones_new(NULL);
    world->definitions = compile(world->zones, "19:00", NULL);
    world->live = engine_new(&calls);
    world->replayed = engine_new(&calls);
    events_init(&world->events);
    engine_wake(world->live, world->now_ms);
    put_in_force(world, world->definitions);
}

static void
world_close(struct world *world)
{
    engine_free(world->live);
    engine_free(world->replayed);
    events_fini(&world->events);
    definitions_release(world->definitions);
    zones_free(world->zones);
}

/* ---- one kind of input ---- */

struct cost {
    double handle_ns, apply_ns; /* an input */
};

typedef void (*fill_fn)(struct world *world, uint32_t friend, char text[64], struct input *input);

/* The other engine applies what has gathered. */
static double
catch_up(struct world *world)
{
    double begun_s = now_s();
    for (uint32_t i = 0; i < world->events.count; i++) {
        engine_apply(world->replayed, &world->events.items[i]);
    }
    events_clear(&world->events);
    return now_s() - begun_s;
}

static void
run_inputs(struct world *world, fill_fn fill, struct cost *out)
{
    double handle_s = 0, apply_s = 0;
    static struct input inputs[SHARE];
    static char texts[SHARE][64];
    for (uint32_t begin = 0; begin < world->friends; begin += SHARE) {
        uint32_t count = world->friends - begin < SHARE ? world->friends - begin : SHARE;
        for (uint32_t i = 0; i < count; i++) {
            /* A prime that does not divide the number of friends: each once, in disorder. */
            uint32_t friend = (uint32_t)((uint64_t)(begin + i) * 7919 % world->friends);
            inputs[i] = (struct input){.at_ms = world->now_ms};
            fill(world, friend, texts[i], &inputs[i]);
        }
        double begun_s = now_s();
        for (uint32_t i = 0; i < count; i++) {
            engine_handle(world->live, &inputs[i], &world->events);
        }
        handle_s += now_s() - begun_s;
        apply_s += catch_up(world);
        world->now_ms += 10;
    }
    out->handle_ns = handle_s * 1e9 / world->friends;
    out->apply_ns = apply_s * 1e9 / world->friends;
}

static void
fill_act(uint32_t friend, char text[64], struct input *input, enum input_kind kind,
         const char *words)
{
    snprintf(text, 64, "U%032x", friend);
    input->kind = kind;
    input->u.act.user_id = span_cstr(text);
    input->u.act.line_at_ms = input->at_ms;
    input->u.act.type = span_cstr("text");
    input->u.act.text = span_cstr(words);
}

static void
fill_follow(struct world *world, uint32_t friend, char text[64], struct input *input)
{
    (void)world;
    fill_act(friend, text, input, INPUT_FOLLOW, "");
}

static void
fill_message(struct world *world, uint32_t friend, char text[64], struct input *input)
{
    (void)world;
    fill_act(friend, text, input, INPUT_MESSAGE, "good morning to everybody in the shop");
}

static void
fill_tag(struct world *world, uint32_t friend, char text[64], struct input *input)
{
    (void)world;
    (void)text;
    input->kind = INPUT_TAG;
    input->u.tag.friend = friend;
    input->u.tag.tag = 1;
    input->u.tag.add = true;
}

static void
fill_number(struct world *world, uint32_t friend, char text[64], struct input *input)
{
    (void)text;
    input->kind = INPUT_FIELD;
    input->u.field.friend = friend;
    input->u.field.field = 0;
    input->u.field.number = world->now_ms % 100;
}

static void
fill_text(struct world *world, uint32_t friend, char text[64], struct input *input)
{
    (void)world;
    snprintf(text, 64, "city %u", friend % 1000);
    input->kind = INPUT_FIELD;
    input->u.field.friend = friend;
    input->u.field.field = 1;
    input->u.field.text = span_cstr(text);
}

static void
fill_score(struct world *world, uint32_t friend, char text[64], struct input *input)
{
    (void)world;
    (void)text;
    input->kind = INPUT_SCORE;
    input->u.score.friend = friend;
    input->u.score.by = 1;
}

/* ---- taking and its outcome ---- */

struct steps {
    struct cost take, outcome; /* handle_ns: of engine_take() */
    uint32_t taken;
    double seconds;
};

static void
outcome_of(const struct world *world, uint32_t delivery, struct input *input)
{
    const struct delivery *row = state_delivery(engine_state(world->live), delivery);
    *input = (struct input){
        .kind = INPUT_OUTCOME,
        .at_ms = world->now_ms,
        .u.outcome = {
            .friend = row->friend, .delivery = row->seq, .result = RESULT_SENT, .code = 200}};
}

/* One delivery by itself, as a personal one is; NO_ID where nothing is to be sent. */
static enum rc
take(struct world *world, uint32_t *out_delivery)
{
    static const struct take_permit ALONE = {
        .reply = true, .push = true, .least_urgent = CLASS_MARKETING, .alone = true};
    struct taken taken;
    enum rc rc = engine_take(world->live, world->now_ms, &ALONE, &world->events, &taken);
    *out_delivery = rc == RC_OK && taken.count > 0 ? taken.rows[0] : NO_ID;
    return rc;
}

/* As the daemon takes what is the same for many: up to 500 in one request, with one outcome. Returns how
 * many went. */
static uint32_t
take_together(struct world *world, enum rc *out_rc)
{
    static const struct take_permit TOGETHER = {
        .reply = true, .push = true, .multicast = true, .least_urgent = CLASS_MARKETING};
    static uint32_t friends[SHARE];
    struct taken taken;
    *out_rc = engine_take(world->live, world->now_ms, &TOGETHER, &world->events, &taken);
    if (*out_rc != RC_OK || taken.count == 0) {
        return 0;
    }
    const struct state *state = engine_state(world->live);
    struct input outcome;
    outcome_of(world, taken.rows[0], &outcome);
    if (taken.count > 1) {
        bench_check(taken.count <= SHARE, "requests to 500 at most");
        for (uint32_t i = 0; i < taken.count; i++) {
            friends[i] = state_delivery(state, taken.rows[i])->friend;
        }
        outcome.u.outcome.delivery = state_delivery(state, taken.rows[0])->intent_seq;
        outcome.u.outcome.friends = friends;
        outcome.u.outcome.friend_count = taken.count;
        outcome.u.outcome.bad = NO_ID;
    }
    uint32_t count = taken.count;
    engine_handle(world->live, &outcome, &world->events);
    return count;
}

/* Takes and answers all that is due, and goes on to the next instant, until then or the end. */
static void
run_ahead(struct world *world, int64_t until_ms, struct steps *out)
{
    double begun_s = now_s();
    for (;;) {
        enum rc rc;
        out->taken += take_together(world, &rc);
        if (world->events.count > SHARE) {
            events_clear(&world->events);
        }
        if (rc == RC_END) {
            int64_t next_ms = engine_next_due(world->live, world->now_ms);
            if (next_ms == INT64_MAX || next_ms > until_ms) {
                break;
            }
            world->now_ms = next_ms;
        }
    }
    out->seconds = now_s() - begun_s;
}

/* The same for the first step of all, with a watch on each half. */
static void
run_first_step(struct world *world, struct steps *out)
{
    static uint32_t deliveries[SHARE];
    double take_s = 0, take_apply_s = 0, outcome_s = 0, outcome_apply_s = 0;
    world->now_ms += 2 * MS_PER_HOUR;
    for (enum rc rc = RC_OK; rc == RC_OK;) {
        uint32_t count = 0;
        double begun_s = now_s();
        while (count < SHARE && rc == RC_OK) {
            rc = take(world, &deliveries[count]);
            count += rc == RC_OK && deliveries[count] != NO_ID;
        }
        take_s += now_s() - begun_s;
        take_apply_s += catch_up(world);
        begun_s = now_s();
        for (uint32_t i = 0; i < count; i++) {
            struct input outcome;
            outcome_of(world, deliveries[i], &outcome);
            engine_handle(world->live, &outcome, &world->events);
        }
        outcome_s += now_s() - begun_s;
        outcome_apply_s += catch_up(world);
        out->taken += count;
        if (rc == RC_END && engine_next_due(world->live, world->now_ms) <= world->now_ms) {
            rc = RC_OK; /* a big slot is being opened */
        }
    }
    out->take = (struct cost){take_s * 1e9 / out->taken, take_apply_s * 1e9 / out->taken};
    out->outcome = (struct cost){outcome_s * 1e9 / out->taken, outcome_apply_s * 1e9 / out->taken};
}

/* ---- the table ---- */

static bool as_json;
static struct bench_machine machine;

static int
double_compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof(double), double_compare);
    return values[ROUNDS / 2];
}

static void
print_figure(const char *metric, uint32_t n, const char *unit, double value, double peer)
{
    if (as_json) {
        printf("{\"bench\":\"engine\",\"metric\":\"%s\",\"n\":%u,\"value\":%.4g,\"unit\":\"%s\"",
               metric, n, value, unit);
        if (peer > 0) {
            printf(",\"peer\":\"apply alone\",\"peer_value\":%.4g,\"ratio\":%.4g", peer,
                   value / peer);
        }
        printf(",\"machine\":\"%s, %d cores, Linux %s\"}\n", machine.cpu, machine.cores,
               machine.kernel);
    } else if (peer > 0) {
        printf("%-16s %10.1f %-3s %12.1f %8.2f\n", metric, value, unit, peer, value / peer);
    } else {
        printf("%-16s %10.2f %s\n", metric, value, unit);
    }
    fflush(stdout);
}

struct kind {
    const char *name;
    fill_fn fill;
};
static const struct kind KINDS[] = {{"follow", fill_follow},   {"message", fill_message},
                                    {"tag", fill_tag},         {"number_field", fill_number},
                                    {"text_field", fill_text}, {"score", fill_score}};
enum { KIND_COUNT = sizeof(KINDS) / sizeof(KINDS[0]), TAKE = KIND_COUNT, OUTCOME, COST_COUNT };

static void
run_kinds(uint32_t friends)
{
    struct cost costs[COST_COUNT][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        struct world world;
        world_open(&world, friends);
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            run_inputs(&world, KINDS[kind].fill, &costs[kind][round]);
        }
        struct steps steps = {0};
        run_first_step(&world, &steps);
        bench_check(steps.taken == friends, "every friend gets the first step");
        costs[TAKE][round] = steps.take;
        costs[OUTCOME][round] = steps.outcome;
        bench_check(state_digest(engine_state(world.live)) ==
                        state_digest(engine_state(world.replayed)),
                    "the replayed engine knows the same");
        world_close(&world);
    }
    for (int kind = 0; kind < COST_COUNT; kind++) {
        double handle[ROUNDS], apply[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            handle[round] = costs[kind][round].handle_ns;
            apply[round] = costs[kind][round].apply_ns;
        }
        const char *name = kind == TAKE ? "take" : kind == OUTCOME ? "outcome" : KINDS[kind].name;
        print_figure(name, friends, "ns", median(handle), median(apply));
    }
}

/* A million who stand before the third step. */
static void
crowd_open(struct world *world, uint32_t friends, struct steps *out)
{
    world_open(world, friends);
    for (uint32_t i = 0; i < friends; i++) {
        char text[64];
        struct input follow = {.at_ms = world->now_ms + i % MS_PER_HOUR};
        fill_follow(world, i, text, &follow);
        engine_handle(world->live, &follow, &world->events);
        events_clear(&world->events);
    }
    run_ahead(world, world->now_ms + 2 * MS_PER_DAY, out);
    world->now_ms += 2 * MS_PER_DAY;
    bench_check(out->taken == 2 * friends, "every friend had two steps");
}

static void
run_simulation(uint32_t friends)
{
    double seconds[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        struct world world;
        struct steps begin = {0}, rest = {0};
        crowd_open(&world, friends, &begin);
        run_ahead(&world, INT64_MAX, &rest);
        bench_check(rest.taken == 5 * friends, "every friend gets every step");
        seconds[round] = begin.seconds + rest.seconds;
        world_close(&world);
    }
    print_figure("simulate_s", friends, "s", median(seconds), 0);
}

/* An edit moves the step that a million stand before. Every pause is counted: the edit itself, and each
 * slice of the work that follows it. Nothing may be early or twice afterwards. */
static void
run_edit(uint32_t friends)
{
    double longest[ROUNDS], all[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        struct world world;
        struct steps begin = {0}, rest = {0};
        crowd_open(&world, friends, &begin);
        struct definitions *edited = compile(world.zones, "08:00", world.definitions);
        double begun_s = now_s();
        put_in_force(&world, edited);
        double before_s = begun_s, pause_s = 0;
        for (bool more = true; more;) {
            more = engine_work(world.live, world.now_ms, &world.events);
            events_clear(&world.events);
            double after_s = now_s();
            pause_s = after_s - before_s > pause_s ? after_s - before_s : pause_s;
            before_s = after_s;
        }
        longest[round] = pause_s * 1e3;
        all[round] = before_s - begun_s;
        run_ahead(&world, INT64_MAX, &rest);
        bench_check(rest.taken == 5 * friends, "every friend gets every step once");
        definitions_release(edited);
        world_close(&world);
    }
    print_figure("edit_longest_ms", friends, "ms", median(longest), 0);
    print_figure("edit_all_s", friends, "s", median(all), 0);
}

int
main(int argc, char **argv)
{
    as_json = argc > 1 && strcmp(argv[1], "--json") == 0;
    unsigned long friends = argc > 1 + as_json ? strtoul(argv[1 + as_json], NULL, 10) : 200000;
    if (friends < 1000 || friends > 20000000 || friends % 7919 == 0 || argc > 2 + as_json) {
        fprintf(stderr, "usage: bench_engine [--json] [FRIENDS]\n");
        return 2;
    }
    bench_machine(&machine);
    if (!as_json) {
        printf("machine: %s, %d cores, Linux %s; %lu friends, medians of %d rounds\n", machine.cpu,
               machine.cores, machine.kernel, friends, ROUNDS);
        printf("%-16s %10s %-3s %12s %8s\n", "input", "decide+apply", "", "apply alone", "ratio");
    }
    run_kinds((uint32_t)friends);
    run_simulation(SIMULATE_FRIENDS);
    run_edit(SIMULATE_FRIENDS);
    return 0;
}
