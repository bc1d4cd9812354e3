/* event - events to bytes and back: one table for encoding, decoding, printing and the format page.
 *
 * Shape    an event is a msgpack array [kind, friend, friend_prev distance, source kind, source id,
 *          source sub, fields of the kind ..., words hash]; absent trailing parts are left out. Words go
 *          to a content row: 16 bytes of salt, then a msgpack array of binaries; the event keeps the
 *          first 16 bytes of the row's SHA-256. A reader skips trailing fields and kinds it does not know.
 * Units    as engine/event.h.
 * Errors   RC_CORRUPT for bytes that are no event or a row that does not match its hash;
 *          RC_NOT_YET for a kind this version does not know (kept in the log, skipped in the state).
 * Owner    decoded spans are borrowed from the bytes given; words arrays live in the caller's arena.
 */
#ifndef PROTO_EVENT_H
#define PROTO_EVENT_H

#include "engine/base/buf.h"
#include "engine/event.h"
#include <jansson.h>

enum { EVENT_SALT_BYTES = 16, EVENT_WORDS_HASH_BYTES = 16 };

/* Appends the event's bytes to out_event and, when it has words, its row to out_content. */
void event_encode(const struct event *event, const uint8_t salt[EVENT_SALT_BYTES],
                  struct buf *out_event, struct buf *out_content);

struct event_decoded {
    struct event event; /* words not yet attached; seq and at_ms are the caller's to set */
    bool has_words;
    uint8_t words_hash[EVENT_WORDS_HASH_BYTES];
};
MUST_USE enum rc event_decode(struct span bytes, struct arena *arena,
                              struct event_decoded *out_decoded);

/* Checks the row against the hash and attaches its words; an empty row marks them erased. */
MUST_USE enum rc event_attach_words(struct event_decoded *decoded, struct span row,
                                    struct arena *arena);

/* The event for people and programs: {"seq":..,"at":"2026-06-01T10:15:00.000+09:00","kind":..,...}
 * with ids replaced by names from `definitions` (NULL: numbers) and times in `zone` (NULL: UTC).
 * The caller owns the result. */
json_t *event_to_json(const struct event *event, const struct definitions *definitions,
                      const struct zone *zone);

#endif
