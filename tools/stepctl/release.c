/* release, friend forget: what cannot be taken back, with the questions and words that belong to it. */
#include "tools/common/http_call.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
show_released(const struct invocation *invocation, const json_t *answer)
{
    long long unknown = (long long)json_integer_value(json_object_get(answer, "unknown"));
    const char *at = json_string_value(json_object_get(answer, "from"));
    printf("released: what is due from %s on is sent, what was due before is skipped\n",
           at == NULL ? invocation_option(invocation, "from") : at);
    if (unknown > 0) {
        printf("%lld request%s of the former life had no answer and %s booked unknown\n", unknown,
               unknown == 1 ? "" : "s", unknown == 1 ? "is" : "are");
    }
}

int
command_release(const struct invocation *invocation)
{
    const char *from = invocation_option(invocation, "from");
    if (from == NULL) {
        return usage_error(invocation->program,
                           "say from when on to send: --from '2026-06-01 12:00', or --from now; "
                           "'stepctl status' shows what is due");
    }
    bool digits = from[0] != '\0' && strspn(from, "0123456789") == strlen(from);
    json_t *when = digits ? json_integer(strtoll(from, NULL, 10)) : json_string(from);
    if (when == NULL) {
        return usage_error(invocation->program, "'%s' is no time", from);
    }
    return client_show(invocation, "POST", "/v1/release", json_pack("{s:o}", "from", when),
                       show_released);
}

/* A script must say --yes: nobody can undo this. */
static int
confirm_forgetting(const struct invocation *invocation)
{
    if (invocation_has(invocation, "yes")) {
        return EXIT_DONE;
    }
    if (isatty(STDIN_FILENO) != 1) {
        return usage_error(invocation->program, "forgetting cannot be undone: say --yes");
    }
    char answer[16];
    printf(terminal_is_japanese()
               ? "友だち %s の情報を消去します。元に戻せません。よろしいですか? [y/N] "
               : "erase all that leads to friend %s? nobody can undo it [y/N] ",
           invocation->arguments[0]);
    fflush(stdout);
    if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y')) {
        return EXIT_DONE;
    }
    puts("nothing was changed");
    return EXIT_FAILED;
}

static void
show_forgotten(const struct invocation *invocation, const json_t *answer)
{
    (void)invocation;
    printf("friend %lld is forgotten: name, LINE id, messages, texts and dates are erased; "
           "numbers, tags and times stay\n",
           (long long)json_integer_value(json_object_get(answer, "friend")));
    if (!json_is_true(json_object_get(answer, "done"))) {
        puts("a long life: the rest of the words is being erased now; status shows "
             "\"forgetting\" until it is done");
    }
    puts("their bytes may still be\n"
         "  in free pages of the log, until they are used again or 'steplog compact'\n"
         "  in checkpoints made before, until two newer ones replace them or 'steplog compact'\n"
         "  in backups and copies, until you delete those");
}

int
command_friend_forget(const struct invocation *invocation)
{
    int code = confirm_forgetting(invocation);
    if (code != EXIT_DONE) {
        return code;
    }
    struct buf path = {0};
    buf_append_cstr(&path, "/v1/friends/");
    url_append_encoded(&path, span_cstr(invocation->arguments[0]));
    buf_append_cstr(&path, "/forget");
    code = client_show(invocation, "POST", buf_cstr(&path), json_object(), show_forgotten);
    buf_fini(&path);
    return code;
}
