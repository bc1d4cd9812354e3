/* checksum - XXH3-64 over bytes: batches of the log, digests of the state.
 *
 * Shape    one-shot, or a running sum fed in pieces. Guards against accidents, not against people.
 * Units    a 64-bit number; stored big-endian where it reaches disk.
 * Errors   none.
 * Owner    checksum_new() is heap, freed by checksum_free().
 */
#ifndef ENGINE_BASE_CHECKSUM_H
#define ENGINE_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

struct checksum;

uint64_t checksum_of(const void *data, size_t len);
uint64_t checksum_seeded(const void *data, size_t len, uint64_t seed);

struct checksum *checksum_new(void);
void checksum_free(struct checksum *checksum);
void checksum_add(struct checksum *checksum, const void *data, size_t len);
void checksum_add_u64(struct checksum *checksum, uint64_t value);
uint64_t checksum_value(struct checksum *checksum); /* so far; more may be added */

#endif
