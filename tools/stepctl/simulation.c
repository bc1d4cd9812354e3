#include "tools/stepctl/simulation.h"

#include <assert.h>
#include <stdlib.h>

void
simulation_init(struct simulation *simulation, const struct engine *engine, int64_t from_ms,
                int64_t until_ms, uint32_t rows_wanted)
{
    const struct state *state = engine_state(engine);
    const struct zone *zone = state->definitions->account.zone;
    *simulation = (struct simulation){.engine = engine, .zone = zone, .known_ms = INT64_MIN};
    simulation->first_day = civil_local_day(zone, from_ms);
    simulation->day_count = civil_local_day(zone, until_ms) - simulation->first_day + 1;
    assert(simulation->day_count >= 1 && simulation->day_count <= SIMULATION_DAYS_MAX);
    simulation->rows_wanted = rows_wanted;
    simulation->rows = calloc(rows_wanted + 1, sizeof(*simulation->rows));
    simulation->counted_rows = state->measures.count;
    simulation->counted_before = calloc(state->measures.count + 1, sizeof(uint64_t));
    assert(simulation->rows != NULL && simulation->counted_before != NULL);
    for (uint32_t i = 0; i < state->measures.count; i++) {
        simulation->counted_before[i] = state->measures.rows[i].count;
    }
}

void
simulation_fini(struct simulation *simulation)
{
    free(simulation->rows);
    free(simulation->counted_before);
    free(simulation->last_day);
    free(simulation->on_last_day);
}

/* The day of an instant; the run comes by many events of one. */
static struct simulation_day *
day_of(struct simulation *simulation, int64_t at_ms)
{
    if (at_ms != simulation->known_ms) {
        simulation->known_ms = at_ms;
        simulation->known_day = civil_local_day(simulation->zone, at_ms) - simulation->first_day;
        simulation->known_hour = civil_local_second(simulation->zone, at_ms) / 3600;
    }
    int64_t day = simulation->known_day;
    day = day < 0 ? 0 : day >= simulation->day_count ? simulation->day_count - 1 : day;
    return &simulation->days[day];
}

static void
count_person(struct simulation *simulation, struct simulation_day *day, uint32_t friend)
{
    if (friend >= simulation->friend_room) {
        uint32_t room = friend + friend / 2 + 1024;
        size_t old_bytes = simulation->friend_room * sizeof(uint32_t);
        simulation->last_day = realloc(simulation->last_day, room * sizeof(uint32_t));
        simulation->on_last_day = realloc(simulation->on_last_day, room * sizeof(uint32_t));
        assert(simulation->last_day != NULL && simulation->on_last_day != NULL);
        memset((uint8_t *)simulation->last_day + old_bytes, 0, room * sizeof(uint32_t) - old_bytes);
        memset((uint8_t *)simulation->on_last_day + old_bytes, 0,
               room * sizeof(uint32_t) - old_bytes);
        simulation->friend_room = room;
    }
    uint32_t number = (uint32_t)(day - simulation->days) + 1;
    if (simulation->last_day[friend] != number) {
        simulation->last_day[friend] = number;
        simulation->on_last_day[friend] = 1;
        day->people++;
    } else {
        day->people_twice += ++simulation->on_last_day[friend] == 2;
    }
}

static void
keep_row(struct simulation *simulation, const struct event *event)
{
    if (simulation->row_count < simulation->rows_wanted && event->u.delivery.item_count > 0) {
        simulation->rows[simulation->row_count++] =
            (struct simulation_row){.at_ms = event->at_ms,
                                    .friend = event->friend,
                                    .source = event->u.delivery.items[0].source,
                                    .template = event->u.delivery.items[0].template,
                                    .how = event->u.delivery.how};
    }
}

void
simulation_see(void *context, const struct event *event)
{
    struct simulation *simulation = context;
    struct simulation_day *day;
    switch (event->kind) {
    case EVENT_DELIVERY_INTENDED:
        day = day_of(simulation, event->at_ms);
        if (event->u.delivery.how == HOW_PUSH) {
            day->pushes++;
            day->by_class[event->u.delivery.message_class]++;
            count_person(simulation, day, event->friend);
        } else {
            day->replies++;
        }
        day->by_hour[simulation->known_hour]++;
        keep_row(simulation, event);
        break;
    case EVENT_STEP_SKIPPED:
        day_of(simulation, event->at_ms)->skipped++;
        break;
    case EVENT_STEP_HELD:
    case EVENT_DELIVERY_HELD:
        day_of(simulation, event->at_ms)->held++;
        break;
    default:
        break;
    }
    uint32_t used = engine_state(simulation->engine)->quota.used;
    simulation->quota_used = used > simulation->quota_used ? used : simulation->quota_used;
}

void
simulation_each_grown(const struct simulation *simulation, simulation_fn fn, void *context)
{
    const struct measures *measures = &engine_state(simulation->engine)->measures;
    for (uint32_t i = 0; i < measures->count; i++) {
        uint64_t before = i < simulation->counted_rows ? simulation->counted_before[i] : 0;
        if (measures->rows[i].count > before) {
            fn(context, &measures->rows[i], measures->rows[i].count - before);
        }
    }
}
