#include "daemon/settings.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct settings settings;
static struct buf message;
static char file_path[] = "/tmp/stepd-settings-XXXXXX";

static void
start(void)
{
    int fd = mkstemp(file_path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    unsetenv("STATE_DIRECTORY");
    unsetenv("RUNTIME_DIRECTORY");
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void
stop(void)
{
    unlink(file_path);
    settings_fini(&settings);
    buf_fini(&message);
}

static void
write_file(const char *text)
{
    FILE *file = fopen(file_path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* Reads a command line; the words are given without the program's name, NULL at the end. */
static enum rc
read_words(const char *const *words)
{
    char *argv[32] = {NULL};
    int argc = 0;
    argv[argc++] = strdup("stepd");
    for (; *words != NULL; words++) {
        argv[argc++] = strdup(*words);
    }
    buf_clear(&message);
    settings_fini(&settings);
    enum rc rc = settings_read(&settings, argc, argv, &message);
    while (argc > 0) {
        free(argv[--argc]); /* nothing in the settings may point here */
    }
    return rc;
}
#define READ(...) read_words((const char *const[]){__VA_ARGS__, NULL})
#define BASE "--data-dir", "/var/d", "--credentials", "/etc/c"

static void
ck_message_has(const char *text)
{
    ck_assert_msg(strstr(buf_cstr(&message), text) != NULL, "no '%s' in:\n%s", text,
                  buf_cstr(&message));
}

START_TEST(two_flags_are_enough)
{
    ck_assert_int_eq(READ(BASE), RC_OK);
    ck_assert_str_eq(settings.data_dir, "/var/d");
    ck_assert_str_eq(settings.credentials, "/etc/c");
    ck_assert_str_eq(settings.socket, "/var/d/stepd.sock");
    ck_assert_uint_eq(settings.socket_mode, 0660);
    ck_assert_str_eq(settings.listen, "127.0.0.1:8080");
    ck_assert_str_eq(settings.line_url, "https://api.line.me");
    ck_assert(!settings.virtual_clock);
    ck_assert(settings.fetch_profiles);
    ck_assert_uint_eq(settings.in_flight_max, 100);
    ck_assert_uint_eq(settings.push_per_second, 1950);
    ck_assert_uint_eq(settings.multicast_per_second, 195);
    ck_assert_uint_eq(settings.reply_per_second, 1950);
    ck_assert_int_eq((int)settings.log_level, REPORT_INFO);
    ck_assert_uint_eq(settings.map_bytes, (size_t)64 << 30);
    ck_assert_uint_eq(settings.room_min_bytes, 64 << 20);
    ck_assert_uint_eq(message.len, 0);
}
END_TEST

START_TEST(sizes_have_a_unit)
{
    ck_assert_int_eq(READ(BASE, "--map-size", "2GiB", "--room-min", "512KiB"), RC_OK);
    ck_assert_uint_eq(settings.map_bytes, (size_t)2 << 30);
    ck_assert_uint_eq(settings.room_min_bytes, 512 << 10);
    static const char *const wrong[] = {"64", "64MB", "MiB", "-1MiB", "1.5GiB", "64 MiB", "1KiB"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        buf_clear(&message);
        settings_fini(&settings);
        ck_assert_int_eq(READ(BASE, "--map-size", wrong[i]), RC_INVALID);
        ck_message_has("is not a size from 1MiB up");
    }
}
END_TEST

START_TEST(service_manager_says_where_things_are)
{
    setenv("STATE_DIRECTORY", "/var/lib/stepd/shop:/var/lib/other", 1);
    setenv("RUNTIME_DIRECTORY", "/run/stepd/shop", 1);
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/stepd@shop", 1);
    ck_assert_int_eq(READ("--log-level", "debug"), RC_OK);
    ck_assert_str_eq(settings.data_dir, "/var/lib/stepd/shop");
    ck_assert_str_eq(settings.socket, "/run/stepd/shop/stepd.sock");
    ck_assert_str_eq(settings.credentials, "/run/credentials/stepd@shop");
}
END_TEST

START_TEST(every_setting_can_be_a_flag)
{
    ck_assert_int_eq(READ(BASE, "--socket=/s", "--socket-mode", "0600", "--listen", "[::1]:0",
                          "--line-url", "http://127.0.0.1:9000", "--clock", "virtual",
                          "--clock-start", "2026-06-01T10:15:00+09:00", "--fetch-profiles", "no",
                          "--in-flight-max", "7", "--push-per-second=8", "--reply-per-second", "9",
                          "--log-level", "error"),
                     RC_OK);
    ck_assert_str_eq(settings.socket, "/s");
    ck_assert_uint_eq(settings.socket_mode, 0600);
    ck_assert_str_eq(settings.listen, "[::1]:0");
    ck_assert_str_eq(settings.line_url, "http://127.0.0.1:9000");
    ck_assert(settings.virtual_clock);
    ck_assert(settings.has_clock_start);
    ck_assert_int_eq(settings.clock_start_ms, 1780276500000);
    ck_assert(!settings.fetch_profiles);
    ck_assert_uint_eq(settings.in_flight_max, 7);
    ck_assert_uint_eq(settings.push_per_second, 8);
    ck_assert_uint_eq(settings.reply_per_second, 9);
    ck_assert_int_eq((int)settings.log_level, REPORT_ERROR);
}
END_TEST

START_TEST(file_speaks_and_flags_win)
{
    write_file("data_dir: /from/file\ncredentials: /c\nlisten: 127.0.0.1:81\nin_flight_max: 5\n"
               "fetch_profiles: no\n");
    ck_assert_msg(READ("--listen", "127.0.0.1:82", "--settings", file_path) == RC_OK, "%s",
                  buf_cstr(&message));
    ck_assert_str_eq(settings.data_dir, "/from/file");
    ck_assert_str_eq(settings.listen, "127.0.0.1:82");
    ck_assert_uint_eq(settings.in_flight_max, 5);
    ck_assert(!settings.fetch_profiles);
}
END_TEST

START_TEST(all_mistakes_of_a_file_are_shown_with_place_and_remedy)
{
    char place[64];
    write_file("data_dir: /d\nlissten: 127.0.0.1:81\nsocket_mode: 0999\nfrobnicate: 1\n"
               "clock: [real]\nin_flight_max: 0\n");
    ck_assert_int_eq(READ("--settings", file_path, "--credentials", "/c"), RC_INVALID);
    ck_message_has("there is no setting 'lissten'; did you mean 'listen'?");
    ck_message_has("socket_mode: '0999' is not an octal mode such as 0660");
    ck_message_has("there is no setting 'frobnicate'; stepd --help lists them");
    ck_message_has("clock: expected one value, 'real' or 'virtual'");
    ck_message_has("in_flight_max: '0' is not a number from 1 to 1000");
    snprintf(place, sizeof(place), "%s:3:14", file_path);
    ck_message_has(place);
    ck_message_has("^~~~\n");
}
END_TEST

START_TEST(file_that_cannot_be_read_is_refused)
{
    ck_assert_int_eq(READ(BASE, "--settings", "/nowhere/stepd.yaml"), RC_INVALID);
    ck_message_has("settings file /nowhere/stepd.yaml: No such file");
    ck_assert_int_eq(READ(BASE, "--settings", "/"), RC_INVALID);
    ck_message_has("settings file /: Is a directory");
    write_file("- a\n- b\n");
    ck_assert_int_eq(READ(BASE, "--settings", file_path), RC_INVALID);
    ck_message_has("settings are lines of 'key: value'");
    write_file("listen: 127.0.0.1:81\nlisten: 127.0.0.1:82\n");
    ck_assert_int_eq(READ(BASE, "--settings", file_path), RC_INVALID);
    FILE *file = fopen(file_path, "w");
    for (int i = 0; i < 70000; i++) {
        fputc('#', file);
    }
    fclose(file);
    ck_assert_int_eq(READ(BASE, "--settings", file_path), RC_INVALID);
    ck_message_has("larger than 64 KiB");
}
END_TEST

START_TEST(value_that_breaks_its_rule_is_refused)
{
    const char *rows[][2] = {
        {"--data-dir", ""},          {"--data-dir", "/a\nb"},
        {"--socket-mode", "rw"},     {"--socket-mode", "1777"},
        {"--socket-mode", "0880"},   {"--listen", "8080"},
        {"--listen", ":8080"},       {"--listen", "localhost:8080"},
        {"--listen", "127.0.0.1:"},  {"--listen", "127.0.0.1:65536"},
        {"--listen", "::1:80"},      {"--listen", "[::1]"},
        {"--listen", "1.2.3.4.5:1"}, {"--line-url", "http://api.line.me"},
        {"--line-url", ""},          {"--clock", "Virtual"},
        {"--clock-start", "soon"},   {"--fetch-profiles", "true"},
        {"--in-flight-max", "0"},    {"--in-flight-max", "1001"},
        {"--in-flight-max", "-1"},   {"--in-flight-max", "4294967297"},
        {"--in-flight-max", "5x"},   {"--push-per-second", "0"},
        {"--reply-per-second", ""},  {"--log-level", "loud"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char start_of_message[64];
        ck_assert_msg(READ(BASE, rows[i][0], rows[i][1]) == RC_INVALID, "%s '%s'", rows[i][0],
                      rows[i][1]);
        snprintf(start_of_message, sizeof(start_of_message), "stepd: %s: '", rows[i][0]);
        ck_message_has(start_of_message);
        ck_message_has(" is not ");
    }
}
END_TEST

START_TEST(socket_path_that_the_kernel_cuts_is_refused)
{
    char path[200];
    memset(path, 'x', sizeof(path));
    path[108] = '\0';
    ck_assert_int_eq(READ(BASE, "--socket", path), RC_INVALID);
    path[107] = '\0';
    ck_assert_int_eq(READ(BASE, "--socket", path), RC_OK);
    path[100] = '\0';
    ck_assert_int_eq(READ("--data-dir", path, "--credentials", "/c"), RC_INVALID);
    ck_message_has("too long for a socket; give --socket PATH");
}
END_TEST

START_TEST(wrong_command_line_names_the_remedy)
{
    ck_assert_int_eq(READ(BASE, "--lissten", "x"), RC_INVALID);
    ck_message_has("stepd: there is no option --lissten; did you mean --listen?\n");
    ck_assert_int_eq(READ(BASE, "--data_dir", "x"), RC_INVALID);
    ck_message_has("did you mean --data-dir?");
    ck_assert_int_eq(READ(BASE, "--no-such-option-of-any-length-at-all-whatever", "x"), RC_INVALID);
    ck_message_has("there is no option --no-such");
    ck_assert_int_eq(READ(BASE, "extra"), RC_INVALID);
    ck_message_has("'extra' is not an option");
    ck_assert_int_eq(READ(BASE, "--listen"), RC_INVALID);
    ck_message_has("--listen needs a value");
    ck_assert_int_eq(READ("--credentials", "/c"), RC_INVALID);
    ck_message_has("no data directory; give --data-dir DIR");
    ck_assert_int_eq(READ("--data-dir", "/d"), RC_INVALID);
    ck_message_has("channel_secret and channel_token");
    ck_assert_int_eq(READ(BASE, "--clock-start", "2026-06-01 10:00"), RC_INVALID);
    ck_message_has("give --clock virtual");
    ck_message_has("try: stepd --help");
}
END_TEST

START_TEST(help_begins_with_examples)
{
    ck_assert_int_eq(READ("--help"), RC_END);
    ck_assert_int_eq(strncmp(buf_cstr(&message), "Examples:\n  stepd ", 18), 0);
    const char *flags[] = {"--data-dir", "--socket ",       "--socket-mode",     "--listen",
                           "--line-url", "--credentials",   "--clock ",          "--clock-start",
                           "--settings", "--in-flight-max", "--push-per-second", "--log-level"};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        ck_message_has(flags[i]);
    }
    ck_assert_int_eq(READ("--version"), RC_END);
    ck_assert_str_eq(buf_cstr(&message), "stepd " STEPD_VERSION "\n");
}
END_TEST

/* What the shipped file shows, commented out, are the built-in values. */
START_TEST(shipped_example_shows_the_defaults)
{
    FILE *example = fopen(STEPD_SOURCE_DIR "/systemd/stepd.yaml.example", "r");
    ck_assert_ptr_nonnull(example);
    struct buf text = {0};
    char line[512];
    unsigned keys = 0;
    while (fgets(line, sizeof(line), example) != NULL) {
        bool is_key = line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
        buf_append_cstr(&text, line + is_key);
        keys += is_key;
    }
    fclose(example);
    ck_assert_uint_ge(keys, 10);
    write_file(buf_cstr(&text));
    buf_fini(&text);
    ck_assert_msg(READ(BASE, "--settings", file_path) == RC_OK, "%s", buf_cstr(&message));

    struct settings built_in;
    char *argv[] = {NULL};
    ck_assert_int_eq(settings_read(&built_in, 0, argv, &message), RC_INVALID); /* no data_dir */
    ck_assert_str_eq(settings.listen, built_in.listen);
    ck_assert_str_eq(settings.line_url, built_in.line_url);
    ck_assert_uint_eq(settings.socket_mode, built_in.socket_mode);
    ck_assert_int_eq(settings.virtual_clock, built_in.virtual_clock);
    ck_assert_int_eq(settings.fetch_profiles, built_in.fetch_profiles);
    ck_assert_uint_eq(settings.in_flight_max, built_in.in_flight_max);
    ck_assert_uint_eq(settings.push_per_second, built_in.push_per_second);
    ck_assert_uint_eq(settings.reply_per_second, built_in.reply_per_second);
    ck_assert_int_eq((int)settings.log_level, (int)built_in.log_level);
    settings_fini(&built_in);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("settings");
    TCase *t = tcase_create("settings");
    tcase_add_checked_fixture(t, start, stop);
    tcase_add_test(t, two_flags_are_enough);
    tcase_add_test(t, sizes_have_a_unit);
    tcase_add_test(t, service_manager_says_where_things_are);
    tcase_add_test(t, every_setting_can_be_a_flag);
    tcase_add_test(t, file_speaks_and_flags_win);
    tcase_add_test(t, all_mistakes_of_a_file_are_shown_with_place_and_remedy);
    tcase_add_test(t, file_that_cannot_be_read_is_refused);
    tcase_add_test(t, value_that_breaks_its_rule_is_refused);
    tcase_add_test(t, socket_path_that_the_kernel_cuts_is_refused);
    tcase_add_test(t, wrong_command_line_names_the_remedy);
    tcase_add_test(t, help_begins_with_examples);
    tcase_add_test(t, shipped_example_shows_the_defaults);
    suite_add_tcase(s, t);
    return s;
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
