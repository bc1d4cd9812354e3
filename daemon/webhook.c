#include "daemon/webhook.h"

#include "daemon/erasing.h"
#include "daemon/report.h"
#include "proto/line_webhook.h"
#include "proto/signature.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct webhook {
    struct core *core;
    const struct standing *standing;
    struct webhook_counts counts;
    struct arena *arena; /* one body's inputs */
    size_t secret_bytes;
    uint8_t *secret;
};

struct webhook *
webhook_new(struct core *core, const struct standing *standing, struct span secret)
{
    struct webhook *webhook = calloc(1, sizeof(*webhook));
    assert(webhook != NULL);
    webhook->core = core;
    webhook->standing = standing;
    webhook->arena = arena_new();
    webhook->secret = malloc(secret.len + 1);
    assert(webhook->secret != NULL);
    memcpy(webhook->secret, secret.data, secret.len);
    webhook->secret_bytes = secret.len;
    return webhook;
}

void
webhook_free(struct webhook *webhook)
{
    if (webhook == NULL) {
        return;
    }
    explicit_bzero(webhook->secret, webhook->secret_bytes);
    free(webhook->secret);
    arena_free(webhook->arena);
    free(webhook);
}

/* The id that makes an input a duplicate; empty for what has none. */
static struct span
input_webhook_id(const struct input *input)
{
    switch (input->kind) {
    case INPUT_FOLLOW:
    case INPUT_UNFOLLOW:
    case INPUT_MESSAGE:
    case INPUT_POSTBACK:
    case INPUT_UNSEND:
    case INPUT_NOTED:
        return input->u.act.webhook_id;
    case INPUT_CLAIM:
    case INPUT_STOP:
    case INPUT_RELEASE:
    case INPUT_FORGET:
    case INPUT_DEFINITIONS:
    case INPUT_UNREADABLE:
    case INPUT_FOREIGN:
    case INPUT_PROFILE:
    case INPUT_OUTCOME:
    case INPUT_TAG:
    case INPUT_FIELD:
    case INPUT_START_SCENARIO:
    case INPUT_STOP_SCENARIO:
    case INPUT_SCORE:
    case INPUT_FINISHED:
    case INPUT_PAUSE:
    case INPUT_RESUME:
    case INPUT_QUOTA:
    case INPUT_LINE_QUOTA:
    case INPUT_CAP:
    case INPUT_BROADCAST_CANCEL:
    case INPUT_BROADCAST_FIT:
    case INPUT_FORM:
    case INPUT_CONVERSION:
    case INPUT_BOOK:
    case INPUT_CHANGE_BOOKING:
    case INPUT_CANCEL_BOOKING:
    case INPUT_CUSTOM_EVENT:
    case INPUT_MARK:
    case INPUT_LIST:
    case INPUT_BLOCK:
    case INPUT_IMPORTED:
    case INPUT_SCAN:
    case INPUT_CLICK:
    case INPUT_UNKNOWN:
        break;
    }
    return (struct span){0};
}

/* Decides one input of a body, unless it was seen before. */
static enum rc
take_input(struct webhook *webhook, struct input *input)
{
    bool known = false, unsend = input->kind == INPUT_UNSEND;
    enum rc rc = RC_OK;
    if (unsend) {
        rc = erasing_find_message(webhook->core, input->u.act.user_id, input->u.act.message_id,
                                  &input->u.act.message);
    }
    if (rc == RC_OK) {
        rc = core_check_id(webhook->core, input_webhook_id(input), &known);
    }
    if (rc != RC_OK) {
        return rc;
    }
    webhook->counts.events++;
    if (known) {
        webhook->counts.duplicates++;
        return RC_OK;
    }
    if (input->kind == INPUT_UNREADABLE) {
        webhook->counts.unreadable++;
        report(REPORT_WARNING, "a signed webhook body could not be read; its bytes are recorded");
    } else if (input->kind == INPUT_FOREIGN) {
        webhook->counts.foreign++;
        report(REPORT_WARNING, "a webhook for another bot came in; recorded, starts nothing");
    }
    uint32_t event_count;
    (void)core_input(webhook->core, input, &event_count);
    if (unsend && input->u.act.message != 0) {
        core_erase(webhook->core, input->u.act.message);
    }
    return RC_OK;
}

unsigned
webhook_accept(struct webhook *webhook, struct span body, const char *signature)
{
    if (body.len > WEBHOOK_BYTES_MAX) {
        webhook_count_refused(webhook, 413);
        return 413;
    }
    struct span secret = span_of(webhook->secret, webhook->secret_bytes);
    if (signature == NULL || !signature_verify(secret, body, span_cstr(signature))) {
        webhook->counts.refused_signature++;
        return 401;
    }
    /* Only after the signature: a stranger does not learn how we are. */
    if (webhook->standing->stopping || webhook->standing->read_only || core_failed(webhook->core) ||
        core_log_slow(webhook->core)) {
        webhook_count_refused(webhook, 503);
        return 503;
    }

    struct line_webhook parsed = {0};
    arena_reset(webhook->arena);
    line_webhook_parse(body, span_cstr(webhook->standing->bot_user_id),
                       clock_now_ms(core_clock(webhook->core)), webhook->arena, &parsed);
    for (uint32_t i = 0; i < parsed.input_count; i++) {
        enum rc rc = take_input(webhook, &parsed.inputs[i]);
        if (rc != RC_OK) {
            /* The log could not be read: LINE is to send the whole body again. What was taken before
             * it is remembered by its id, so nothing happens twice. */
            report(REPORT_ERROR, "a webhook cannot be taken in: the log cannot be read error=%s",
                   rc_name(rc));
            webhook_count_refused(webhook, 503);
            return 503;
        }
    }
    webhook->counts.accepted++;
    return 200;
}

void
webhook_count_refused(struct webhook *webhook, unsigned status)
{
    if (status == 413) {
        webhook->counts.refused_size++;
    } else {
        webhook->counts.refused_busy++;
    }
}

struct webhook_counts
webhook_counts(const struct webhook *webhook)
{
    return webhook->counts;
}
