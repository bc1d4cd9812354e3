/* exchange - an open log goes on in files written anew: how compacting ends, beside a running daemon too.
 *
 * Shape    DIR/compact.part has a copy of the log up to some batch. exchange_begin() waits until the log is durable,
 *          copies what the copy lacks (a bounded amount) and lets the log stand on the copy's files: what is
 *          appended from then on, the new claim, goes there. exchange_finish() gives those files the log's
 *          place with one rename. A process that dies before it leaves the former log whole and in place,
 *          one that dies after it the new one; there is nothing in between.
 * Units    bytes.
 * Errors   of exchange_begin(), the log goes on as before: RC_NOT_FOUND (no copy), RC_REFUSED (a copy of another
 *          log), RC_BUSY (somebody is still writing it), RC_AGAIN (it lacks too much, or words were erased
 *          since: bring it up to date). After a failure of exchange_finish() the log must not be used.
 * Owner    exchange_close() removes what was left: the former files after a finish, else the copy is left alone.
 * Threads  the log's own caller; the log's writer thread is idle in between.
 */
#ifndef STORE_EXCHANGE_H
#define STORE_EXCHANGE_H

#include "store/log.h"

enum { EXCHANGE_TAIL_BYTES_MAX = 16 << 20 };

struct exchange;

MUST_USE enum rc exchange_begin(struct log *log, struct exchange **out_exchange, struct buf *error);
MUST_USE enum rc exchange_finish(struct exchange *exchange, struct buf *error);
void exchange_close(struct exchange *exchange);

#endif
