/* link_token - what makes a short address of a link one friend's own: "<friend>-<signature>" (SPEC R36).
 *
 * Shape    friend's number in base 36, and 12 characters of an HMAC-SHA256 over link and friend, keyed with a
 *          secret of the log. Whoever guesses one in 2^72 is counted as somebody else's click; nothing more
 *          hangs on it.
 * Units    none.
 * Errors   false for a token that was not made with that secret for that link.
 * Owner    the token is in the arena.
 */
#ifndef PROTO_LINK_TOKEN_H
#define PROTO_LINK_TOKEN_H

#include "engine/base/arena.h"

struct span link_token_make(const uint8_t secret[16], uint32_t friend, uint32_t link,
                            struct arena *arena);
bool link_token_read(const uint8_t secret[16], uint32_t link, struct span token,
                     uint32_t *out_friend);

#endif
