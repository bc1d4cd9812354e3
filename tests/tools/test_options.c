/* The command table: what is found, what is refused, and with which words. */
#include "tools/common/options.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    const char *command, *dry_run, *socket;
    char arguments[128];
} seen;

static int
remember(const struct invocation *invocation)
{
    seen.command = invocation->command->name;
    seen.socket = invocation_option(invocation, "socket");
    seen.dry_run = invocation_option(invocation, "dry-run");
    seen.arguments[0] = '\0';
    for (unsigned i = 0; i < invocation->argument_count; i++) {
        strcat(seen.arguments, invocation->arguments[i]);
        strcat(seen.arguments, "|");
    }
    return 42;
}

static bool
explain(struct span word, struct buf *out)
{
    buf_printf(out, "not yet: %.*s", span_fmt(word));
    return span_equal_cstr(word, "doctor");
}

static const struct command COMMANDS[] = {
    {"status", NULL, 0, 0, NULL, "how it stands", "状態", remember},
    {"apply", "FOLDER", 1, 1, "dry-run yes", "put in force", "反映", remember},
    {"friend list", NULL, 0, 0, NULL, "list", "一覧", remember},
    {"friend tag", "FRIEND +TAG…", 2, ARGUMENTS_ANY, NULL, "tag", "タグ", remember},
};
static const struct option OPTIONS[] = {
    {'s', "socket", "SOCKET|ADDRESS", "where", "場所", true},
    {0, "dry-run", NULL, "only the plan", "計画だけ", false},
    {'n', "count", "N", "how many", "件数", false},
    {'o', "output", "text|json", "form", "形式", true},
};
static const struct program PROGRAM = {
    .name = "ctl",
    .version = "1",
    .purpose = "talks",
    .purpose_ja = "話す",
    .commands = COMMANDS,
    .command_count = 4,
    .options = OPTIONS,
    .option_count = 4,
    .explain_unknown = explain,
};

enum { WORDS_MAX = 12 };

/* Runs the words of a line; *out_said is what went to stderr. */
static int
run(const char *line, char said[2048])
{
    static char copy[256]; /* the invocation borrows argv */
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0;
    snprintf(copy, sizeof(copy), "ctl %s", line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        ck_assert_int_lt(argc, WORDS_MAX);
        argv[argc++] = word;
    }
    memset(&seen, 0, sizeof(seen));
    FILE *kept = stderr;
    FILE *paper = fmemopen(said, 2048, "w");
    stderr = paper;
    int code = program_run(&PROGRAM, argc, argv);
    stderr = kept;
    fclose(paper);
    return code;
}

START_TEST(options_and_arguments_may_stand_in_any_order)
{
    const char *lines[] = {"apply shop --dry-run -s a.sock", "--dry-run apply -sa.sock shop",
                           "apply --socket=a.sock --dry-run -- shop"};
    char said[2048] = "";
    ck_assert_int_eq(run(lines[_i], said), 42);
    ck_assert_str_eq(seen.command, "apply");
    ck_assert_str_eq(seen.arguments, "shop|");
    ck_assert_str_eq(seen.dry_run, "");
    ck_assert_str_eq(seen.socket, "a.sock");
}
END_TEST

START_TEST(two_words_name_one_command)
{
    char said[2048] = "";
    ck_assert_int_eq(run("friend tag 7 +vip +new", said), 42);
    ck_assert_str_eq(seen.command, "friend tag");
    ck_assert_str_eq(seen.arguments, "7|+vip|+new|");
    ck_assert_ptr_null(seen.socket);
}
END_TEST

static const struct {
    const char *line, *says;
} REFUSED[] = {
    {"statsu", "did you mean 'status'?"},
    {"xyzzyx", "unknown command 'xyzzyx'\n"},
    {"frend list", "did you mean 'friend'?"},
    {"friend", "'friend' wants one of: list, tag"},
    {"friend lst", "no 'friend lst'; there are: list, tag"},
    {"apply", "usage: ctl apply FOLDER"},
    {"apply a b", "usage: ctl apply FOLDER"},
    {"apply a --dry-rnu", "did you mean '--dry-run'?"},
    {"apply a --dry-run=yes", "takes no value"},
    {"status --dry-run", "'status' takes no option '--dry-run'"},
    {"status -s", "wants a value: SOCKET|ADDRESS"},
    {"status -o yaml", "'--output' is one of text|json, not 'yaml'"},
    {"status -o js", "is one of text|json"},
    {"status -x", "unknown option '-x'"},
    {"doctor", "not yet: doctor"},
    {"friend doctor", "not yet: doctor"},
    {"", "status"},
};

START_TEST(wrong_usage_is_2_and_says_what_is_right)
{
    char said[2048] = "";
    ck_assert_int_eq(run(REFUSED[_i].line, said), EXIT_USAGE);
    ck_assert_msg(strstr(said, REFUSED[_i].says) != NULL, "'%s' said: %s", REFUSED[_i].line, said);
    ck_assert_ptr_null(seen.command);
}
END_TEST

START_TEST(help_comes_from_the_same_table_in_both_languages)
{
    struct buf out = {0};
    program_help(&PROGRAM, NULL, false, &out);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "  apply FOLDER             put in force\n"));
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "-s, --socket SOCKET|ADDRESS  where\n"));
    ck_assert_ptr_null(strstr(buf_cstr(&out), "--dry-run"));
    buf_clear(&out);
    program_help(&PROGRAM, &COMMANDS[1], true, &out);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "使い方: ctl apply FOLDER\n\n反映\n"));
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "    --dry-run                計画だけ\n"));
    ck_assert_ptr_null(strstr(buf_cstr(&out), "--count"));
    buf_fini(&out);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("options");
    tcase_add_loop_test(tcase, options_and_arguments_may_stand_in_any_order, 0, 3);
    tcase_add_test(tcase, two_words_name_one_command);
    tcase_add_loop_test(tcase, wrong_usage_is_2_and_says_what_is_right, 0,
                        (int)(sizeof(REFUSED) / sizeof(REFUSED[0])));
    tcase_add_test(tcase, help_comes_from_the_same_table_in_both_languages);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *r = srunner_create(suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
