/* event - events to bytes and back: encoding, decoding and printing are made from the same lists.
 *
 * Shape    an event is a msgpack array [kind, friend, previous, words, source, parts of the kind ...].
 *          previous is the distance back to the friend's previous event, words the hash of the content
 *          row, source [kind, id, sub]; engine/event_parts.h lists each kind's parts. A part that holds
 *          its default is nil, and trailing nils are left out. The content row is 16 bytes of salt, then a
 *          msgpack array of binaries; the hash is the first 16 bytes of the row's SHA-256.
 *          A reader skips trailing parts it does not know. docs/format.md shows bytes.
 * Units    as engine/event.h.
 * Errors   RC_CORRUPT for bytes that are no event or a row that does not match its hash; RC_NEWER for an
 *          enumerator of class, how or result that only a newer version can have written;
 *          RC_NOT_YET for a kind this version does not know (kept in the log, skipped in the state).
 * Owner    decoded spans are borrowed from the bytes given; words arrays live in the caller's arena.
 */
#ifndef PROTO_EVENT_H
#define PROTO_EVENT_H

#include "engine/base/buf.h"
#include "engine/event.h"
#include "proto/row_hash.h"
#include <jansson.h>

enum { EVENT_SALT_BYTES = 16 };

/* Appends the event's bytes to out_event and, when it has words, its row to out_content. The event
 * has its number already. */
void event_encode(const struct event *event, const uint8_t salt[EVENT_SALT_BYTES],
                  struct buf *out_event, struct buf *out_content);

struct event_decoded {
    struct event event; /* words not yet attached */
    bool has_words;
    uint8_t words_hash[ROW_HASH_BYTES];
};

/* Number and time come from the batch. Only what the kind has is set: other members of the union hold
 * anything, and after a failure all of *out_decoded does. With RC_NOT_YET the number of the kind, the
 * friend, the previous event and the source are filled in, so that chains can be walked across it. */
MUST_USE enum rc event_decode(struct span bytes, uint64_t seq, int64_t at_ms,
                              struct event_decoded *out_decoded);

/* Checks the row against the hash and attaches its words; an empty row marks them erased. */
MUST_USE enum rc event_attach_words(struct event_decoded *decoded, struct span row,
                                    struct arena *arena);

/* The event for people and programs: {"seq":..,"at":"2026-06-01T10:15:00.000+09:00","kind":..,...}
 * with ids replaced by names from `definitions` (NULL: numbers) and times in `zone` (NULL: UTC).
 * Parts that hold their default are left out, erased words are null, reply tokens are "present".
 * The caller owns the result. */
json_t *event_to_json(const struct event *event, const struct definitions *definitions,
                      const struct zone *zone);

/* The source in the words of LANGUAGE 13: "S_welcome/nudge", "friend_add.new", "operator 1000";
 * nothing for no source. */
void event_source_text(const struct source *source, const struct definitions *definitions,
                       struct buf *out);

/* "2026-06-01T10:15:00.000+09:00" in `zone` (NULL: UTC). */
void event_instant_text(int64_t at_ms, const struct zone *zone, struct buf *out);

#endif
