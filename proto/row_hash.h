/* row_hash - what an event holds of its words: the first 16 bytes of the SHA-256 of its content row.
 *
 * Shape    OpenSSL's SHA256() looks its algorithm up anew in every call, which takes twice as long as the
 *          hash of a short row; so each thread keeps what it has found, until the process ends.
 * Units    bytes.
 * Errors   none: OpenSSL without SHA-256, or without memory, ends the process.
 * Owner    the caller's bytes.
 */
#ifndef PROTO_ROW_HASH_H
#define PROTO_ROW_HASH_H

#include "engine/base/span.h"

enum { ROW_HASH_BYTES = 16 };

void row_hash(struct span row, uint8_t out[ROW_HASH_BYTES]);

#endif
