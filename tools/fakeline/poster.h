/* poster - POSTs a body to a URL from within the loop, as LINE delivers webhooks.
 *
 * Shape    libcurl's multi interface on libev: any number at once, so that the receiver may call back
 *          while its answer is awaited. No redirects.
 * Units    real milliseconds.
 * Errors   status 0 and a sentence when no whole answer came.
 * Owner    url, signature and body are copied. done() is called once for each, never from within
 *          poster_post(); poster_free() drops what is open without calling back.
 */
#ifndef FAKELINE_POSTER_H
#define FAKELINE_POSTER_H

#include "engine/base/span.h"

struct ev_loop;
struct poster;

enum { POST_DEADLINE_MS = 30000 };

typedef void (*poster_done_fn)(void *context, long status, const char *error);

struct poster *poster_new(struct ev_loop *loop);
void poster_free(struct poster *poster);
void poster_post(struct poster *poster, const char *url, const char *signature, struct span body,
                 poster_done_fn done, void *context);

#endif
