#include "daemon/settings.h"

#include "daemon/instant.h"
#include "daemon/line_url.h"
#include "daemon/room.h"
#include "engine/base/arena.h"
#include "proto/yaml_tree.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FILE_BYTES_MAX = 64 * 1024,
    NAME_BYTES_MAX = 32,
};

/* ---- values ---------------------------------------------------------------------------------- */

static bool
set_text(struct arena *arena, struct span text, const char **out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] == 0x7f) {
            return false;
        }
    }
    *out = arena_cstr(arena, text);
    return text.len > 0;
}

/* Digits only, in base 8 or 10. */
static bool
set_number(struct span text, unsigned base, uint32_t min, uint32_t max, uint32_t *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';
        if (digit >= base || i >= 10) {
            return false;
        }
        number = number * base + digit;
    }
    if (text.len == 0 || number < min || number > max) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

/* A number of bytes with a unit: 512KiB, 64MiB, 2GiB. */
static bool
set_size(struct span text, uint64_t min, uint64_t max, uint64_t *out)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    size_t digits = 0;
    uint32_t number;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9') {
        digits++;
    }
    struct span unit = span_of(text.data + digits, text.len - digits);
    if (!set_number(span_of(text.data, digits), 10, 0, 1u << 20, &number)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (span_equal_cstr(unit, units[i].unit)) {
            *out = (uint64_t)number << units[i].shift;
            return *out >= min && *out <= max;
        }
    }
    return false;
}

static bool
set_choice(struct span text, const char *const *words, uint32_t *out_index)
{
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (span_equal_cstr(text, words[i])) {
            *out_index = i;
            return true;
        }
    }
    return false;
}

static bool
set_flag(struct span text, const char *no, const char *yes, bool *out)
{
    const char *const words[] = {no, yes, NULL};
    uint32_t index = 0;
    if (!set_choice(text, words, &index)) {
        return false;
    }
    *out = index == 1;
    return true;
}

static bool
set_data_dir(struct settings *settings, struct span text)
{
    return set_text(settings->arena, text, &settings->data_dir);
}

static bool
set_socket(struct settings *settings, struct span text)
{
    return text.len < 108 && set_text(settings->arena, text, &settings->socket);
}

static bool
set_socket_mode(struct settings *settings, struct span text)
{
    return set_number(text, 8, 0, 0777, &settings->socket_mode);
}

/* ADDRESS:PORT, the address in numbers: a name could come to mean another one. */
static bool
set_listen(struct settings *settings, struct span text)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    uint32_t port;
    size_t colon = text.len;
    while (colon > 0 && text.data[colon - 1] != ':') {
        colon--;
    }
    if (colon == 0 ||
        !set_number(span_of(text.data + colon, text.len - colon), 10, 0, 65535, &port)) {
        return false;
    }
    struct span host = span_of(text.data, colon - 1);
    bool bracketed = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    if (bracketed) {
        host = span_of(host.data + 1, host.len - 2);
    }
    if (host.len >= sizeof(address)) {
        return false;
    }
    snprintf(address, sizeof(address), "%.*s", span_fmt(host));
    return inet_pton(bracketed ? AF_INET6 : AF_INET, address, &parsed) == 1 &&
           set_text(settings->arena, text, &settings->listen);
}

static bool
set_public_url(struct settings *settings, struct span text)
{
    while (text.len > 0 && text.data[text.len - 1] == '/') {
        text.len--; /* a slash follows anyway */
    }
    return set_text(settings->arena, text, &settings->public_url) &&
           line_url_allowed(settings->public_url);
}

static bool
set_line_url(struct settings *settings, struct span text)
{
    return set_text(settings->arena, text, &settings->line_url) &&
           line_url_allowed(settings->line_url);
}

static bool
set_credentials(struct settings *settings, struct span text)
{
    return set_text(settings->arena, text, &settings->credentials);
}

static bool
set_map_size(struct settings *settings, struct span text)
{
    uint64_t bytes = 0;
    bool set = set_size(text, UINT64_C(1) << 20, UINT64_C(1) << 46, &bytes);
    settings->map_bytes = (size_t)bytes;
    return set;
}

static bool
set_room_min(struct settings *settings, struct span text)
{
    return set_size(text, 0, UINT64_C(1) << 40, &settings->room_min_bytes);
}

static bool
set_clock(struct settings *settings, struct span text)
{
    return set_flag(text, "real", "virtual", &settings->virtual_clock);
}

static bool
set_clock_start(struct settings *settings, struct span text)
{
    settings->has_clock_start = true;
    return instant_parse(text, NULL, &settings->clock_start_ms) == RC_OK;
}

static bool
set_checkpoints(struct settings *settings, struct span text)
{
    return set_flag(text, "no", "yes", &settings->checkpoints);
}

static bool
set_fetch_profiles(struct settings *settings, struct span text)
{
    return set_flag(text, "no", "yes", &settings->fetch_profiles);
}

static bool
set_in_flight_max(struct settings *settings, struct span text)
{
    return set_number(text, 10, 1, 1000, &settings->in_flight_max);
}

static bool
set_push_per_second(struct settings *settings, struct span text)
{
    return set_number(text, 10, 1, 100000, &settings->push_per_second);
}

static bool
set_multicast_per_second(struct settings *settings, struct span text)
{
    return set_number(text, 10, 1, 100000, &settings->multicast_per_second);
}

static bool
set_reply_per_second(struct settings *settings, struct span text)
{
    return set_number(text, 10, 1, 100000, &settings->reply_per_second);
}

static bool
set_log_level(struct settings *settings, struct span text)
{
    static const char *const words[] = {"error", "warning", "info", "debug", NULL};
    static const enum report_level levels[] = {REPORT_ERROR, REPORT_WARNING, REPORT_INFO,
                                               REPORT_DEBUG};
    uint32_t index = 0;
    if (!set_choice(text, words, &index)) {
        return false;
    }
    settings->log_level = levels[index];
    return true;
}

/* ---- the table ------------------------------------------------------------------------------- */

struct setting {
    const char *key;   /* in the file; the flag has - for _ */
    const char *value; /* what stands in its place in the help */
    bool (*set)(struct settings *settings, struct span text);
    const char *expected; /* ends the sentence "… is not" */
    const char *help;
};

static const struct setting setting_rows[] = {
    {"data_dir", "DIR", set_data_dir, "a directory's path",
     "where the log lives (default: $STATE_DIRECTORY)"},
    {"socket", "PATH", set_socket, "a path of at most 107 bytes",
     "the API's Unix socket (default: $RUNTIME_DIRECTORY/stepd.sock, else DATA_DIR/stepd.sock)"},
    {"socket_mode", "MODE", set_socket_mode, "an octal mode such as 0660",
     "who may use the socket (default: 0660)"},
    {"listen", "ADDR:PORT", set_listen,
     "an address in numbers and a port, such as 127.0.0.1:8080 or [::1]:8080",
     "where webhooks come in (default: 127.0.0.1:8080)"},
    {"line_url", "URL", set_line_url,
     "an https URL without user, query and fragment (http only on loopback)",
     "LINE, or a stand-in for it (default: https://api.line.me)"},
    {"public_url", "URL", set_public_url,
     "an https URL without user, query and fragment (http only on loopback)",
     "where friends find forms and calendars: what {{form:F}} begins with (default: none)"},
    {"credentials", "DIR", set_credentials, "a directory's path",
     "holds channel_secret and channel_token (default: $CREDENTIALS_DIRECTORY)"},
    {"map_size", "SIZE", set_map_size, "a size from 1MiB up, such as 512MiB or 64GiB",
     "the most the log may ever take; costs nothing until used (default: 64GiB)"},
    {"room_min", "SIZE", set_room_min, "a size such as 64MiB or 1GiB",
     "with less free disk or map stepd is read-only until there is more (default: 64MiB)"},
    {"clock", "real|virtual", set_clock, "'real' or 'virtual'",
     "virtual: time stands still until it is moved (default: real)"},
    {"clock_start", "INSTANT", set_clock_start,
     "an instant such as 2026-06-01T10:15:00+09:00, 2026-06-01 10:15 (Tokyo) or UTC milliseconds, "
     "between the years 2000 and 2200",
     "where the virtual clock begins (default: at the present)"},
    {"fetch_profiles", "yes|no", set_fetch_profiles, "'yes' or 'no'",
     "ask LINE for the names of new friends (default: yes)"},
    {"checkpoints", "yes|no", set_checkpoints, "'yes' or 'no'",
     "no: start from the log alone (default: yes)"},
    {"in_flight_max", "N", set_in_flight_max, "a number from 1 to 1000",
     "requests at LINE at a time (default: 100)"},
    {"push_per_second", "N", set_push_per_second, "a number from 1 to 100000",
     "pace of pushes, under LINE's 2000 (default: 1950)"},
    {"multicast_per_second", "N", set_multicast_per_second, "a number from 1 to 100000",
     "pace of multicasts of up to 500 friends, under LINE's 200 (default: 195)"},
    {"reply_per_second", "N", set_reply_per_second, "a number from 1 to 100000",
     "pace of replies, under LINE's 2000 (default: 1950)"},
    {"log_level", "LEVEL", set_log_level, "'error', 'warning', 'info' or 'debug'",
     "what is written to stderr (default: info)"},
};
enum { SETTING_COUNT = sizeof(setting_rows) / sizeof(setting_rows[0]) };

/* A flag's letters as the file writes them; false when it is too long to be any. */
static bool
key_of_flag(struct span flag, char out[static NAME_BYTES_MAX])
{
    if (flag.len >= NAME_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < flag.len; i++) {
        char letter = (char)flag.data[i];
        out[i] = letter == '-' ? '_' : letter == '_' ? '-' : letter;
    }
    out[flag.len] = '\0';
    return true;
}

static const struct setting *
find_setting(struct span key)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (span_equal_cstr(key, setting_rows[i].key)) {
            return &setting_rows[i];
        }
    }
    return NULL;
}

/* Letters to insert, drop or change to make one word of the other. */
static size_t
edit_distance(struct span left, struct span right)
{
    size_t row[NAME_BYTES_MAX + 1];
    assert(right.len <= NAME_BYTES_MAX);
    for (size_t j = 0; j <= right.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= left.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= right.len; j++) {
            size_t change = diagonal + (left.data[i - 1] != right.data[j - 1]);
            size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[right.len];
}

/* The setting somebody who wrote key may have meant; NULL when none is near. */
static const struct setting *
nearest_setting(struct span key)
{
    const struct setting *nearest = NULL;
    size_t least = 3;
    for (size_t i = 0; i < SETTING_COUNT && key.len < NAME_BYTES_MAX; i++) {
        size_t distance = edit_distance(key, span_cstr(setting_rows[i].key));
        if (distance < least) {
            least = distance;
            nearest = &setting_rows[i];
        }
    }
    return nearest;
}

static void
append_flag(struct buf *out, const struct setting *setting)
{
    buf_append_cstr(out, "--");
    for (const char *at = setting->key; *at != '\0'; at++) {
        buf_append_byte(out, *at == '_' ? '-' : (uint8_t)*at);
    }
}

/* ---- the file -------------------------------------------------------------------------------- */

static void
check_unknown_key(struct diagnostics *diagnostics, const struct yaml_pair *pair)
{
    const struct setting *nearest = nearest_setting(pair->key);
    if (nearest != NULL) {
        yaml_error(diagnostics, pair->key_mark, pair->key,
                   "there is no setting '%.*s'; did you mean '%s'?", span_fmt(pair->key),
                   nearest->key);
    } else {
        yaml_error(diagnostics, pair->key_mark, pair->key,
                   "there is no setting '%.*s'; stepd --help lists them", span_fmt(pair->key));
    }
}

static void
apply_tree(struct settings *settings, const struct yaml_node *tree, struct diagnostics *diagnostics)
{
    if (tree->kind != YAML_MAPPING) {
        yaml_error(diagnostics, tree->mark, tree->text, "settings are lines of 'key: value'");
        return;
    }
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct yaml_pair *pair = &tree->pairs[i];
        const struct setting *setting = find_setting(pair->key);
        if (setting == NULL) {
            check_unknown_key(diagnostics, pair);
        } else if (pair->value == NULL || pair->value->kind != YAML_SCALAR) {
            yaml_error(diagnostics, pair->key_mark, pair->key, "%s: expected one value, %s",
                       setting->key, setting->expected);
        } else if (!setting->set(settings, pair->value->text)) {
            yaml_error(diagnostics, pair->value->mark, pair->value->text, "%s: '%.*s' is not %s",
                       setting->key, span_fmt(pair->value->text), setting->expected);
        }
    }
}

static enum rc
read_file(const char *path, struct buf *out_text, struct buf *out_message)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        buf_printf(out_message, "stepd: settings file %s: %s\n", path, strerror(errno));
        return RC_INVALID;
    }
    uint8_t *room = buf_reserve(out_text, FILE_BYTES_MAX + 1);
    assert(room != NULL);
    out_text->len = fread(room, 1, FILE_BYTES_MAX + 1, file);
    bool failed = ferror(file) != 0;
    int reason = errno;
    fclose(file);
    if (failed) {
        buf_printf(out_message, "stepd: settings file %s: %s\n", path, strerror(reason));
        return RC_INVALID;
    }
    if (out_text->len > FILE_BYTES_MAX) {
        buf_printf(out_message, "stepd: settings file %s is larger than 64 KiB\n", path);
        return RC_INVALID;
    }
    return RC_OK;
}

static enum rc
apply_file(struct settings *settings, const char *path, struct buf *out_message)
{
    struct buf text = {0};
    enum rc rc = read_file(path, &text, out_message);
    if (rc == RC_OK) {
        struct source_file source = {.name = span_cstr(path), .text = buf_span(&text)};
        struct diagnostics diagnostics;
        diagnostics_init(&diagnostics);
        const struct yaml_node *tree = yaml_tree_parse(&source, settings->arena, &diagnostics);
        if (tree != NULL) {
            apply_tree(settings, tree, &diagnostics);
        }
        if (diagnostics.error_count > 0) {
            diagnostics_print(&diagnostics, false, out_message);
            rc = RC_INVALID;
        }
        diagnostics_fini(&diagnostics);
    }
    buf_fini(&text);
    return rc;
}

/* ---- the command line ------------------------------------------------------------------------ */

struct command_line {
    const char *settings_path;
    const char *values[SETTING_COUNT]; /* by row; NULL: not given */
    bool help, version;
};

static enum rc
refuse(struct buf *out_message)
{
    buf_append_cstr(out_message, "  try: stepd --help\n");
    return RC_INVALID;
}

/* Finds where a flag's value belongs; NULL with a message for a flag that does not exist. */
static const char **
flag_place(struct command_line *line, struct span flag, struct buf *out_message)
{
    char key[NAME_BYTES_MAX];
    if (span_equal_cstr(flag, "settings")) {
        return &line->settings_path;
    }
    if (key_of_flag(flag, key)) {
        const struct setting *setting = find_setting(span_cstr(key));
        if (setting != NULL) {
            return &line->values[setting - setting_rows];
        }
    }
    buf_printf(out_message, "stepd: there is no option --%.*s", span_fmt(flag));
    const struct setting *nearest =
        flag.len < NAME_BYTES_MAX ? nearest_setting(span_cstr(key)) : NULL;
    if (nearest != NULL) {
        buf_append_cstr(out_message, "; did you mean ");
        append_flag(out_message, nearest);
        buf_append_byte(out_message, '?');
    }
    buf_append_byte(out_message, '\n');
    return NULL;
}

static enum rc
read_command_line(struct command_line *line, int argc, char *const *argv, struct buf *out_message)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            line->help = true;
            continue;
        }
        if (strcmp(word, "--version") == 0) {
            line->version = true;
            continue;
        }
        if (strncmp(word, "--", 2) != 0) {
            buf_printf(out_message, "stepd: '%s' is not an option\n", word);
            return refuse(out_message);
        }
        const char *equals = strchr(word, '=');
        size_t flag_len = equals != NULL ? (size_t)(equals - word) - 2 : strlen(word) - 2;
        const char **place = flag_place(line, span_of(word + 2, flag_len), out_message);
        if (place == NULL) {
            return refuse(out_message);
        }
        if (equals == NULL && i + 1 == argc) {
            buf_printf(out_message, "stepd: %s needs a value\n", word);
            return refuse(out_message);
        }
        *place = equals != NULL ? equals + 1 : argv[++i];
    }
    return RC_OK;
}

static enum rc
apply_flags(struct settings *settings, const struct command_line *line, struct buf *out_message)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *value = line->values[i];
        if (value != NULL && !setting_rows[i].set(settings, span_cstr(value))) {
            buf_append_cstr(out_message, "stepd: ");
            append_flag(out_message, &setting_rows[i]);
            buf_printf(out_message, ": '%s' is not %s\n", value, setting_rows[i].expected);
            rc = RC_INVALID;
        }
    }
    return rc == RC_OK ? rc : refuse(out_message);
}

static void
write_help(struct buf *out)
{
    buf_append_cstr(
        out,
        "Examples:\n"
        "  stepd --settings /etc/stepd/shop/stepd.yaml\n"
        "  stepd --data-dir ./data --credentials ./secrets --listen 127.0.0.1:8080\n"
        "  stepd --data-dir ./demo --credentials ./secrets --line-url http://127.0.0.1:9000 \\\n"
        "        --clock virtual --clock-start '2026-06-01 10:00'\n"
        "\n"
        "stepd sends each friend of a LINE Official Account the right message at the right "
        "second.\n"
        "It runs in the foreground and reports on stderr; stepctl talks to it.\n"
        "\n"
        "Options (each is also a key of the settings file, with _ for -; options win):\n");
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        struct buf flag = {0};
        append_flag(&flag, &setting_rows[i]);
        buf_printf(&flag, " %s", setting_rows[i].value);
        buf_printf(out, "  %-24s %s\n", buf_cstr(&flag), setting_rows[i].help);
        buf_fini(&flag);
    }
    buf_append_cstr(out, "\n"
                         "  --settings FILE          the settings file, YAML\n"
                         "  --help                   this text\n"
                         "  --version                the version\n"
                         "\n"
                         "Exit codes: 0 stopped as asked, 1 failed, 2 wrong settings.\n");
}

/* ---- all together ---------------------------------------------------------------------------- */

/* The manager's directory, the first where it names several. */
static const char *
directory_from(struct arena *arena, const char *variable)
{
    const char *value = getenv(variable);
    if (value == NULL || value[0] == '\0') {
        return NULL;
    }
    return arena_cstr(arena, span_of(value, strcspn(value, ":")));
}

static void
set_defaults(struct settings *settings)
{
    struct arena *arena = arena_new();
    *settings = (struct settings){
        .data_dir = directory_from(arena, "STATE_DIRECTORY"),
        .socket_mode = 0660,
        .listen = "127.0.0.1:8080",
        .line_url = "https://api.line.me",
        .public_url = "",
        .credentials = directory_from(arena, "CREDENTIALS_DIRECTORY"),
        .map_bytes = (size_t)64 << 30,
        .room_min_bytes = ROOM_MIN_DEFAULT,
        .fetch_profiles = true,
        .checkpoints = true,
        .in_flight_max = 100,
        .push_per_second = 1950, /* LINE allows 2,000, 200 and 2,000 (FACTS 4) */
        .multicast_per_second = 195,
        .reply_per_second = 1950,
        .log_level = REPORT_INFO,
        .arena = arena,
    };
}

static enum rc
set_default_socket(struct settings *settings, struct buf *out_message)
{
    const char *directory = directory_from(settings->arena, "RUNTIME_DIRECTORY");
    if (directory == NULL) {
        directory = settings->data_dir;
    }
    struct buf path = {0};
    buf_printf(&path, "%s/stepd.sock", directory);
    bool fits = set_socket(settings, buf_span(&path));
    if (!fits) {
        buf_printf(out_message, "stepd: %s is too long for a socket; give --socket PATH\n",
                   buf_cstr(&path));
    }
    buf_fini(&path);
    return fits ? RC_OK : RC_INVALID;
}

/* What is missing or does not go together. */
static enum rc
check_whole(struct settings *settings, struct buf *out_message)
{
    if (settings->data_dir == NULL) {
        buf_append_cstr(out_message,
                        "stepd: no data directory; give --data-dir DIR, or data_dir in "
                        "the settings file\n");
        return refuse(out_message);
    }
    if (settings->credentials == NULL) {
        buf_append_cstr(out_message,
                        "stepd: no credentials; give --credentials DIR, a directory with the files "
                        "channel_secret and channel_token\n");
        return refuse(out_message);
    }
    if (settings->has_clock_start && !settings->virtual_clock) {
        buf_append_cstr(out_message, "stepd: a clock_start needs a virtual clock; give --clock "
                                     "virtual\n");
        return refuse(out_message);
    }
    return settings->socket == NULL ? set_default_socket(settings, out_message) : RC_OK;
}

enum rc
settings_read(struct settings *out_settings, int argc, char *const *argv, struct buf *out_message)
{
    struct command_line line = {0};
    set_defaults(out_settings);
    enum rc rc = read_command_line(&line, argc, argv, out_message);
    if (rc != RC_OK) {
        return rc;
    }
    if (line.help) {
        write_help(out_message);
        return RC_END;
    }
    if (line.version) {
        buf_append_cstr(out_message, "stepd " STEPD_VERSION "\n");
        return RC_END;
    }
    if (line.settings_path != NULL) {
        rc = apply_file(out_settings, line.settings_path, out_message);
    }
    if (rc == RC_OK) {
        rc = apply_flags(out_settings, &line, out_message);
    }
    return rc == RC_OK ? check_whole(out_settings, out_message) : rc;
}

void
settings_fini(struct settings *settings)
{
    if (settings == NULL) {
        return;
    }
    arena_free(settings->arena);
    *settings = (struct settings){0};
}
