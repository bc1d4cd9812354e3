/* signature - x-line-signature: HMAC-SHA256 of the raw body, keyed with the channel secret.
 *
 * Shape    verify before parsing, over the bytes as they came, in constant time (FACTS 6). Also the other
 *          hashes and encodings that proto and daemon share: SHA-256, base64, hex, the retry key.
 * Units    bytes; signatures are base64 text of 44 characters.
 * Errors   false for a signature that is missing, of another length or not base64.
 * Owner    nothing is kept. The secret is the caller's to wipe.
 */
#ifndef PROTO_SIGNATURE_H
#define PROTO_SIGNATURE_H

#include "engine/base/span.h"

enum { SIGNATURE_TEXT_BYTES = 45, SHA256_BYTES = 32, RETRY_KEY_TEXT_BYTES = 37 };

bool signature_verify(struct span secret, struct span body, struct span header);
void signature_make(struct span secret, struct span body, char out_text[SIGNATURE_TEXT_BYTES]);

void sha256(struct span bytes, uint8_t out[SHA256_BYTES]);
void hex_encode(struct span bytes, char *out_text); /* 2 * len + 1 characters */

/* SPEC R40: the UUID that LINE knows a request by, made of the run id and number of its intent. */
void retry_key(const uint8_t run_id[16], uint64_t intent_seq, char out_text[RETRY_KEY_TEXT_BYTES]);

#endif
