/* rehearsal - a definition file with inputs and expectations, run on a virtual clock (LANGUAGE 13).
 *
 * Shape    rehearsal_read() parses a file; rehearsal_run() runs one of its variants through the real
 *          core and delivery, with a log in memory and a scripted LINE, and says what happened as
 *          lists of rows; rehearsal_compare() holds them against what the file expects.
 * Units    instants are UTC milliseconds; rows show seconds in the account's zone.
 * Errors   diagnostics with file, line and caret: a file that is wrong is not run any further.
 * Owner    a rehearsal and the files it was read from live in its arena until rehearsal_free().
 */
#ifndef TOOLS_STEPCTL_REHEARSAL_H
#define TOOLS_STEPCTL_REHEARSAL_H

#include "proto/yaml_tree.h"

enum rehearsal_list {
    LIST_DELIVERIES,
    LIST_UNSENT,
    LIST_HELD,
    LIST_PENDING,
    LIST_REFUSED,
    LIST_NOTIFIED,
    LIST_AUDIENCE,
    LIST_IMPORTS,
    LIST_ROSTERS,
    LIST_QUOTA,
    LIST_STATE,
};
enum { LIST_COUNT = 11 };

const char *rehearsal_list_name(enum rehearsal_list list);

/* One line of a list in its one way of writing: seconds, single blanks, one friend. */
struct rehearsal_row {
    int64_t at_ms;
    struct span text; /* "2026-06-01 10:15:00 A T_form reply" */
    struct span with; /* expected: what the message must hold; actual: the message, as JSON */
};
struct rehearsal_rows {
    struct rehearsal_row *items;
    uint32_t count;
};
void rehearsal_rows_add(struct rehearsal_rows *rows, struct arena *arena, struct rehearsal_row row);

enum rehearsal_verb {
    VERB_FOLLOWS,
    VERB_BLOCKS,
    VERB_UNBLOCKS,
    VERB_SAYS,
    VERB_TAPS,
    VERB_TAG,
    VERB_FIELD,
    VERB_START,
    VERB_STOP,
    VERB_APPLY,
    VERB_DOWN,
    VERB_UP,
    VERB_KILLS,
    VERB_ANSWERS,
    VERB_REDELIVERS,
    VERB_SCORE,
    VERB_PAUSE,
    VERB_RESUME,
    VERB_QUOTA,
    VERB_CAP,
    VERB_FIT,
    VERB_CANCEL,
    VERB_SUBMITS,
    VERB_CONVERTS,
    VERB_CLICKS,
    VERB_BOOKS,
    VERB_CHANGES,
    VERB_CANCELS,
    VERB_DOES, /* a custom event */
    VERB_MARK,
    VERB_SCANS,
    VERB_IMPORT,
    VERB_HIDE,
    VERB_BLOCK,
};

/* What the scripted LINE does with a request instead of accepting it. */
enum line_fault { FAULT_STATUS, FAULT_TIMEOUT, FAULT_DROP };

/* "+vip", "-vip" (value empty), "area=関東": the pieces of an operator's row. */
struct rehearsal_change {
    struct span name, value;
    bool add; /* of a tag */
};

struct rehearsal_input {
    const struct yaml_node *node;
    struct span text; /* as a row is written; what `without` names */
    int64_t at_ms;
    enum rehearsal_verb verb;
    struct span who;  /* friend; empty for `daemon` and `operator apply` */
    struct span what; /* words said, postback data, scenario, edit, form, calendar, conversion */
    struct span at_step;
    struct span route; /* FOLLOWS UNBLOCKS via it; SCANS */
    bool shift;
    bool on;          /* HIDE BLOCK; false: show, unblock */
    int64_t number;   /* added to the score; a quota, a cap; FIT: partial */
    struct span slot; /* of an event, or the instant of a calendar's */
    bool by_operator; /* BOOKS CHANGES CANCELS */
    struct rehearsal_change *changes;
    uint32_t change_count;
    enum line_fault fault;
    uint32_t status; /* FAULT_STATUS */
    uint32_t times;
};
struct rehearsal_inputs {
    struct rehearsal_input *items;
    uint32_t count;
};

struct rehearsal_friend {
    const struct yaml_node *node;
    struct span id;
    struct rehearsal_change *tags;
    uint32_t tag_count;
    struct rehearsal_change *fields;
    uint32_t field_count;
    int64_t since_ms; /* INT64_MIN: since the rehearsal began */
    int64_t score;
    struct span *finished; /* scenarios */
    uint32_t finished_count;
};

/* What the random source will say, in order: a drawn word, a number, or a case of `split:`. */
struct rehearsal_draws {
    const struct yaml_node **items;
    uint32_t count;
    struct yaml_mark mark; /* of the key; of the section where there is none */
    struct span word;
};

struct rehearsal_edit {
    struct span name;
    struct yaml_mark mark;
    const struct yaml_node *tree;
};

struct rehearsal_variant {
    const char *name; /* "" for the file as it stands */
    struct rehearsal_inputs inputs;
    bool compared[LIST_COUNT];
    struct rehearsal_rows expected[LIST_COUNT];
};

struct rehearsal {
    struct arena *arena;
    const char *path;
    struct source_file unread; /* stands for the file where no line of it is to blame */
    struct span about;         /* empty: the file does not say */
    struct zone_source zones;
    const struct zone *zone; /* the account's: rows are written in it */
    struct yaml_node *tree;  /* the definitions, `use` and this file merged */
    struct definitions *definitions;
    int64_t from_ms, until_ms;
    struct rehearsal_friend *friends;
    uint32_t friend_count;
    struct rehearsal_edit *tables; /* `csv`: the tree is a text */
    uint32_t table_count;
    struct rehearsal_edit *edits;
    uint32_t edit_count;
    struct rehearsal_draws draws;
    struct rehearsal_variant *variants; /* the first is the file as it stands */
    uint32_t variant_count;
};

/* RC_INVALID with diagnostics when the file is wrong; RC_NOT_FOUND and others when it cannot be
 * read. *out_rehearsal is set in every case and is the caller's to free. */
MUST_USE enum rc rehearsal_read(const char *path, struct zone_source zones,
                                struct diagnostics *diagnostics, struct rehearsal **out_rehearsal);
void rehearsal_free(struct rehearsal *rehearsal);

/* Where `--kill-at-every-input` ends the daemon and starts it again from its log. */
enum rehearsal_kill {
    KILL_NEVER,
    KILL_BEFORE_INPUT,
    KILL_DECIDED, /* durable, nothing sent yet */
    KILL_SENT,    /* LINE has accepted, no answer has come; also at every timer */
};

struct accepted;
struct rehearsal_result {
    struct rehearsal_rows rows[LIST_COUNT];
    const struct accepted *accepted; /* what LINE took, in order (rehearsal_line.h) */
    uint32_t accepted_count;
};

/* Runs one variant. Rows live in the arena given. RC_INVALID: a row names what does not exist;
 * RC_CORRUPT: the daemon itself went wrong; the diagnostics say which. */
MUST_USE enum rc rehearsal_run(const struct rehearsal *rehearsal,
                               const struct rehearsal_variant *variant, enum rehearsal_kill kill,
                               struct arena *arena, struct diagnostics *diagnostics,
                               struct rehearsal_result *out_result);

struct rehearsal_difference {
    enum rehearsal_list list;
    bool missing; /* expected and not there; false: there and not expected */
    struct span text;
    struct span with;
};
struct rehearsal_differences {
    struct rehearsal_difference *items;
    uint32_t count;
};

/* Lists are multisets: their order is free, each row counts as often as it stands there. */
void rehearsal_compare(const struct rehearsal_variant *variant,
                       const struct rehearsal_result *result, struct arena *arena,
                       struct rehearsal_differences *out_differences);

/* A diff of rows, list by list, in order of time. */
void rehearsal_print_differences(const struct rehearsal_differences *differences, bool colour,
                                 struct buf *out);

/* For the parts of the rehearsal itself. */

/* Tree surgery: sections merged thing by thing, whole things replaced, `none` removes. */
struct yaml_node *rehearsal_merge(struct arena *arena, struct yaml_node *base,
                                  const struct yaml_node *on_top);
/* Compiles a merged tree. Errors are told at `mark`, since the tree stands in no file. */
MUST_USE enum rc rehearsal_compile(const struct rehearsal *rehearsal, const struct yaml_node *tree,
                                   const struct definitions *before, struct yaml_mark mark,
                                   struct span word, struct diagnostics *diagnostics,
                                   struct definitions **out_definitions);

/* Rows and instants. False: an error was told. */
bool rehearsal_parse_instant(const struct rehearsal *rehearsal, const struct yaml_node *node,
                             struct span *rest, struct diagnostics *diagnostics, int64_t *out_ms);
bool rehearsal_parse_input(const struct rehearsal *rehearsal, const struct yaml_node *node,
                           struct diagnostics *diagnostics, struct rehearsal_input *out_input);
void rehearsal_parse_expect(const struct rehearsal *rehearsal, const struct yaml_node *expect,
                            const struct rehearsal_variant *same, struct diagnostics *diagnostics,
                            struct rehearsal_variant *variant);
/* "2026-06-01 10:15:00" */
struct span rehearsal_instant(struct arena *arena, const struct zone *zone, int64_t at_ms);

#endif
