/* tokens - reply tokens: issued with a webhook, good for one reply within a minute.
 *
 * Shape    issue, look, spend (FACTS 2.1). A token issued again, as in a repeated webhook, is good for another
 *          minute, unless it was spent or its event is 20 minutes old.
 * Units    UTC milliseconds of fakeline's clock, which arrives as an argument.
 * Errors   a token that is no good is NULL, whatever the reason: LINE does not say either.
 * Owner    tokens_new() and tokens_free(); the user id looked up is borrowed until the next call.
 */
#ifndef FAKELINE_TOKENS_H
#define FAKELINE_TOKENS_H

#include <stdint.h>

enum { TOKEN_LIFE_MS = 60 * 1000, TOKEN_REPEAT_MS = 20 * 60 * 1000 };

struct tokens;

struct tokens *tokens_new(void);
void tokens_free(struct tokens *tokens);
void tokens_clear(struct tokens *tokens);

void tokens_issue(struct tokens *tokens, const char *token, const char *user_id, int64_t event_ms,
                  int64_t now_ms);
/* Whom a reply with this token would reach; "" for an event without a user. */
const char *tokens_user(const struct tokens *tokens, const char *token, int64_t now_ms);
void tokens_spend(struct tokens *tokens, const char *token);

#endif
