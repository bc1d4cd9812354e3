/* definition_compile - the parts of the compiler behind proto/definition.h; nobody else includes this.
 *
 * Shape    one struct compiler a run. Names are registered first, then everything that refers to them
 *          is compiled: fields, button choices, templates, bodies.
 * Units    as engine/definitions.h.
 * Errors   diagnostics; functions that return bool say whether the value can be used.
 * Owner    results are in `arena`, which is the set's; trees are in an arena that goes afterwards.
 */
#ifndef PROTO_DEFINITION_COMPILE_H
#define PROTO_DEFINITION_COMPILE_H

#include "proto/definition_names.h"
#include "proto/not_yet.h"
#include "proto/yaml_tree.h"

struct compiler {
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct definitions *out;
    const struct definitions *before; /* NULL: none */
    struct zone_source zones;
    bool replay; /* from a canonical form: a zone may be gone */
    struct name_table tags, fields, templates, lanes, scenarios, buttons, auto_replies;
    struct name_table events, keys, marks; /* custom events, keys of reminders, response marks */
    struct name_table *steps;              /* by scenario id */
    struct name_table draws;               /* "draw:hand", of every `draw:` in the files */
    struct name_table broadcasts;
    struct field *field_items;
    struct template *template_items;
    uint32_t template_capacity;
    struct button *button_items;
    struct trigger_rule *trigger_rules;
    struct scenario *scenario_items;
    struct broadcast *broadcast_items;
    struct window account_window;
    struct window class_windows[CLASS_COUNT];
    struct name_table forms, questions, options, calendars, slots, conversions, notify, routes,
        links, ranks, rich_menus;
    struct form *form_items;
    enum field_type *question_types; /* by question id (proto/expression.h) */
    struct calendar *calendar_items;
    struct conversion *conversion_items;
    struct route *route_items;
    struct link *link_items;
};

/* Whatever has a body: how messages call it, where it stands, and what its one-off texts are named. */
struct place {
    const char *what;      /* "step 'nudge'" */
    const char *name;      /* "S_welcome/nudge" */
    struct yaml_mark mark; /* of its key */
    struct span word;
    uint32_t one_offs;       /* texts written in place so far */
    uint32_t waits;          /* `wait:` so far */
    const struct step *like; /* whose class, window and grace what follows one has; NULL: none */
    const struct yaml_node *steps; /* NULL: not in a step */
    struct span step;              /* its name, where there are steps */
    uint32_t scenario;
};

/* --- definition_parts.c: reading values --- */

/* A diagnostic about a piece of a scalar's text; an empty piece means all of the node. */
void compile_error(struct compiler *compiler, const struct yaml_node *node, struct span piece,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
void compile_warning(struct compiler *compiler, const struct yaml_node *node, struct span piece,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
void compile_not_yet(struct compiler *compiler, struct yaml_mark mark, struct span word,
                     const struct not_yet *row);

/* Checks every key of a mapping against the words it may have (NULL-terminated), the words of a body
 * where `body`, and the table of what is not built. False when the node is no mapping. */
bool compile_keys(struct compiler *compiler, const struct yaml_node *node, const char *const *words,
                  bool body, enum not_yet_area area, const char *what);

/* False, and said, when the node is no text; false when an empty value was reported already. */
bool compile_text(struct compiler *compiler, const struct yaml_node *node, const char *what,
                  struct span *out_text);
bool compile_yes_no(struct compiler *compiler, const struct yaml_node *node, bool *out_yes);
bool compile_number(struct compiler *compiler, const struct yaml_node *node, int64_t *out_number);
/* A whole number from 1 on. */
bool compile_count(struct compiler *compiler, const struct yaml_node *node, int64_t *out_number);
bool compile_duration(struct compiler *compiler, const struct yaml_node *node, int64_t *out_ms);
bool compile_window(struct compiler *compiler, const struct yaml_node *node,
                    struct window *out_window);
/* A time of day that is a piece of the node's text. */
bool compile_time(struct compiler *compiler, const struct yaml_node *node, struct span piece,
                  int32_t *out_min);
/* One of some words (NULL-terminated); its index. */
bool compile_word(struct compiler *compiler, const struct yaml_node *node, const char *const *words,
                  uint32_t *out_index);
bool compile_class(struct compiler *compiler, const struct yaml_node *node,
                   enum message_class *out_class);
bool compile_condition(struct compiler *compiler, const struct yaml_node *node,
                       struct condition *out_condition);
/* One that is a piece of the node's text. */
bool compile_condition_text(struct compiler *compiler, const struct yaml_node *node,
                            struct span text, struct condition *out_condition);
/* `account` or an IANA name; `fallback` stands for the account's. */
void compile_zone(struct compiler *compiler, const struct yaml_node *node,
                  const struct zone *fallback, const struct zone **out_zone);
/* The id a piece of text names; NO_ID, and said, when there is none. noun: "tag". */
uint32_t compile_reference(struct compiler *compiler, struct name_table *table, const char *noun,
                           const struct yaml_node *node, struct span piece);
/* False, and said, when the text cannot be an id. */
bool compile_id(struct compiler *compiler, struct yaml_mark mark, struct span text);
/* printf into the set's arena. */
char *compile_format(struct compiler *compiler, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- definition_template.c --- */

void compile_templates(struct compiler *compiler, const struct yaml_node *section);
/* A text written where it is sent: an anonymous template named after its place. */
uint32_t compile_one_off(struct compiler *compiler, const struct yaml_node *node,
                         struct place *place);
/* A text with insertions that is no message: its parts are the text as it stands. */
void compile_plain_text(struct compiler *compiler, const struct yaml_node *node, const char *what,
                        struct template *out_text);
/* Every template out of force is what it was in the set before. */
void compile_removed_templates(struct compiler *compiler);
/* Room for a template with that id. */
struct template *compile_template_slot(struct compiler *compiler, uint32_t id);

/* button or button:choice; the choice must be one of the button's, where it lists them. */
void compile_button_choice(struct compiler *compiler, const struct yaml_node *node);

/* --- definition_menu.c --- */

void compile_rich_menus(struct compiler *compiler, const struct yaml_node *section);
void compile_rich_menu_names(struct compiler *compiler, const struct yaml_node *section);
void compile_rich_menu(struct compiler *compiler, const struct yaml_node *node,
                       struct action *out_action);

/* --- definition_insertion.c --- */

/* What stands between {{ and }}; whole is the insertion with its braces. False: said. */
bool compile_insertion(struct compiler *compiler, const struct yaml_node *node, struct span whole,
                       struct insertion *out_insertion);
/* A text with insertions, a piece of the node's; NULL: said. */
const struct pattern *compile_pattern(struct compiler *compiler, const struct yaml_node *node,
                                      struct span text);
/* Can the insertions' values make this text of it? */
bool pattern_may_be(const struct pattern *pattern, struct span text);

/* --- definition_field.c, definition_draw.c: single actions --- */

void compile_field_change(struct compiler *compiler, const struct yaml_node *node,
                          struct action *out_action);
void compile_score(struct compiler *compiler, const struct yaml_node *node,
                   struct action *out_action);
void compile_draw(struct compiler *compiler, const struct yaml_node *action,
                  const struct yaml_node *node, struct action *out_action);
void compile_split(struct compiler *compiler, const struct yaml_node *node, struct place *place,
                   struct action *out_action);

/* --- definition_hours.c --- */

bool compile_period(struct compiler *compiler, const struct yaml_node *node, int64_t *out_first_day,
                    int64_t *out_last_day);
/* "mon, wed-fri"; bit 0 = Sunday. */
bool week_days_read(struct span text, uint8_t *out_days);
bool compile_week_hours(struct compiler *compiler, const struct yaml_node *node,
                        struct hours *out_hours);

/* --- definition_jump.c --- */

/* A later step of the place's scenario; NO_ID, and said, where there is none. */
uint32_t compile_jump(struct compiler *compiler, const struct yaml_node *node, struct span name,
                      const struct place *place);
void compile_end(struct compiler *compiler, const struct yaml_node *node,
                 const struct place *place);
void compile_once(struct compiler *compiler, const struct yaml_node *node,
                  const struct place *place, struct action *out_action);

/* --- definition_body.c --- */

/* The body among a mapping's keys. Required: none is an error. */
void compile_body(struct compiler *compiler, const struct yaml_node *node, struct place *place,
                  struct body *out_body);

/* The body under a key of something, where it has one: on_submit, on_book. */
void compile_own_body(struct compiler *compiler, const struct yaml_node *node, const char *key,
                      const char *owner, struct body *out_body);

/* --- definition_scenario.c --- */

/* What steps inherit from their scenario; has_window and has_grace say whether the scenario itself set it. */
struct inherited {
    enum scenario_kind kind;
    bool has_window, has_grace;
    struct window window;
    int64_t grace_ms;
    enum message_class message_class;
    int32_t priority;
};

/* The names in the four sections that share one name space, by kind, and of their steps. */
void compile_scenario_names(struct compiler *compiler,
                            const struct yaml_node *const sections[SCENARIO_KIND_COUNT],
                            uint32_t waits);
void compile_scenarios(struct compiler *compiler, const struct yaml_node *section);
/* The step names and what every kind has in common; after all of them are compiled. */
void compile_scenario_rows(struct compiler *compiler);
/* title, zone, class, window, grace, priority: what all kinds have. */
struct inherited compile_inherited(struct compiler *compiler, const struct yaml_node *node,
                                   uint32_t id, enum message_class message_class);
void compile_steps(struct compiler *compiler, const struct yaml_pair *pair, uint32_t id,
                   const struct inherited *inherited);
/* The one step of a trigger or date: condition and body stand beside its other keys. */
void compile_only_step(struct compiler *compiler, const struct yaml_pair *pair, uint32_t id,
                       const struct inherited *inherited, struct timing timing);
/* A reference to one of that kind; NO_ID, and said, when it is another. */
uint32_t compile_scenario_reference(struct compiler *compiler, enum scenario_kind kind,
                                    const struct yaml_node *node, struct span piece);
/* "at 19:00" at the end of a timing's text. */
bool compile_at_time(struct compiler *compiler, const struct yaml_node *node, struct span text,
                     struct span rest, int32_t *out_min);

/* --- definition_wait.c --- */

/* How many names of KIND_WAIT the tree may need. */
uint32_t count_waits(const struct yaml_node *node);
/* `wait:` and the items of the list from `from` on. */
void compile_wait(struct compiler *compiler, const struct yaml_node *node,
                  const struct yaml_node *list, uint32_t from, struct place *place,
                  struct action *out_action);
/* The items of a list from `from` on, as a body. */
void compile_actions(struct compiler *compiler, const struct yaml_node *list, uint32_t from,
                     struct place *place, struct body *out_body);

/* --- definition_reminder.c --- */

void compile_reminders(struct compiler *compiler, const struct yaml_node *section);
bool compile_reminder_timing(struct compiler *compiler, const struct yaml_node *node,
                             struct timing *out_timing);
void compile_remind(struct compiler *compiler, const struct yaml_node *action,
                    const struct yaml_node *node, struct action *out_action);
void compile_cancel(struct compiler *compiler, const struct yaml_node *action,
                    const struct yaml_node *node, struct action *out_action);

/* --- definition_trigger.c --- */

void compile_triggers(struct compiler *compiler, const struct yaml_node *section);
void compile_event(struct compiler *compiler, const struct yaml_node *node,
                   struct action *out_action);

/* --- definition_date.c --- */

void compile_dates(struct compiler *compiler, const struct yaml_node *section);

/* --- definition_rank.c --- */

void compile_ranks(struct compiler *compiler, const struct yaml_node *section);
void compile_recent_score(struct compiler *compiler, const struct yaml_node *section);

/* --- definition_mark.c --- */

/* marks: a list; NULL when there is none. */
void compile_marks(struct compiler *compiler, const struct yaml_node *section);
void compile_mark(struct compiler *compiler, const struct yaml_node *node,
                  struct action *out_action);

/* --- definition_sections.c --- */

void compile_account(struct compiler *compiler, const struct yaml_node *section);
void compile_tags(struct compiler *compiler, const struct yaml_node *section);
void compile_fields(struct compiler *compiler, const struct yaml_node *section);
void compile_friend_add(struct compiler *compiler, const struct yaml_node *section);
void compile_button_names(struct compiler *compiler, const struct yaml_node *section);
void compile_buttons(struct compiler *compiler, const struct yaml_node *section);
void compile_auto_replies(struct compiler *compiler, const struct yaml_node *section);

/* --- definition_pressure.c: quota, frequency caps, a scenario's cap --- */

void compile_pressure(struct compiler *compiler, const struct yaml_node *section,
                      struct account *account);
/* The caps under a class: only marketing has any (SPEC R13). */
void compile_class_caps(struct compiler *compiler, const struct yaml_node *section,
                        enum message_class message_class, struct account *account);
void compile_cap(struct compiler *compiler, const struct yaml_node *node, uint32_t *out_cap);

/* --- definition_broadcast.c --- */

/* Of both sections, which share their ids. */
void compile_broadcast_names(struct compiler *compiler, const struct yaml_node *broadcasts,
                             const struct yaml_node *schedules);
/* Window, grace, class and priority, as a step has them. */
void compile_sending(struct compiler *compiler, const struct yaml_node *node,
                     struct broadcast *broadcast);
void compile_broadcasts(struct compiler *compiler, const struct yaml_node *section);
/* --- definition_form.c --- */

void compile_form_names(struct compiler *compiler, const struct yaml_node *section);
void compile_forms(struct compiler *compiler, const struct yaml_node *section);

/* --- definition_calendar.c --- */

void compile_calendar_names(struct compiler *compiler, const struct yaml_node *calendars,
                            const struct yaml_node *events);
void compile_calendars(struct compiler *compiler, const struct yaml_node *calendars,
                       const struct yaml_node *events);
void compile_booking(struct compiler *compiler, const struct yaml_node *node, bool book,
                     struct action *out_action);

/* --- definition_conversion.c --- */

void compile_conversion_names(struct compiler *compiler, const struct yaml_node *section);
void compile_conversions(struct compiler *compiler, const struct yaml_node *section);
void compile_notify(struct compiler *compiler, const struct yaml_node *section);
void compile_notice(struct compiler *compiler, const struct yaml_node *action,
                    const struct yaml_node *node, struct action *out_action);

/* --- definition_schedule.c --- */

void compile_schedules(struct compiler *compiler, const struct yaml_node *section);

/* --- definition_link.c --- */

void compile_link_names(struct compiler *compiler, const struct yaml_node *routes,
                        const struct yaml_node *links);
void compile_routes(struct compiler *compiler, const struct yaml_node *section);
void compile_links(struct compiler *compiler, const struct yaml_node *section);

/* --- definition_canonical.c --- */

/* The canonical form of a compiled set and its tree. */
void canonical_write(const struct definitions *definitions, const struct yaml_node *tree,
                     struct buf *out_json);
void canonical_write_tree(const struct yaml_node *node, struct buf *out);
/* The tree, and the names as a set out of force that holds removed templates only. */
MUST_USE enum rc canonical_read(struct span json, struct arena *arena, struct yaml_node **out_tree,
                                struct definitions *out_before);

#endif
