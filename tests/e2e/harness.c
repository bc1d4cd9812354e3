#include "tests/e2e/harness.h"

#include "proto/signature.h"
#include <check.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    READY_TRIES = 1500, /* of READY_PAUSE_MS: generous, for sanitizers on a busy machine */
    READY_PAUSE_MS = 10,
    CALL_TIMEOUT_S = 60,
};

/* ---- files and processes ---------------------------------------------------------------------- */

static void
write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void
read_file(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    char block[4096];
    ssize_t got;
    while ((got = read(fd, block, sizeof(block))) > 0) {
        buf_append(out, block, (size_t)got);
    }
    close(fd);
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void
remove_tree(const char *path)
{
    (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* execv() takes its words as char *, and changes none of them. */
static char *
word(const char *text)
{
    union {
        const char *given;
        char *wanted;
    } both = {.given = text};
    return both.wanted;
}

/* environment: NULL or pairs name, value, ended by NULL. */
static pid_t
spawn(const char *const *argv, int out_fd, const char *const *environment)
{
    char *words[32];
    size_t count = 0;
    while (argv[count] != NULL) {
        ck_assert_uint_lt(count, 31);
        words[count] = word(argv[count]);
        count++;
    }
    words[count] = NULL;

    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        dup2(out_fd, STDOUT_FILENO);
        dup2(out_fd, STDERR_FILENO);
        for (; environment != NULL && *environment != NULL; environment += 2) {
            setenv(environment[0], environment[1], 1);
        }
        execv(words[0], words);
        dprintf(STDERR_FILENO, "%s: %s\n", words[0], strerror(errno));
        _exit(127);
    }
    return pid;
}

static pid_t
spawn_logged(const struct world *world, const char *log_name, const char *const *argv,
             const char *const *environment)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", world->dir, log_name);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    pid_t pid = spawn(argv, fd, environment);
    close(fd);
    return pid;
}

static void
pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* True when the process has ended. */
static bool
reaped(pid_t pid, int *out_status)
{
    return waitpid(pid, out_status, WNOHANG) == pid;
}

static int
exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
kill_now(pid_t *pid)
{
    if (*pid != 0) {
        int status;
        (void)kill(*pid, SIGKILL);
        (void)waitpid(*pid, &status, 0);
        *pid = 0;
    }
}

/* A test that fails shows what the programs had to say. */
const char *
programs_said(const struct world *world)
{
    static struct buf words;
    char path[128];
    buf_clear(&words);
    buf_append_cstr(&words, "\n--- stepd said:\n");
    snprintf(path, sizeof(path), "%s/stepd.log", world->dir);
    read_file(path, &words);
    buf_append_cstr(&words, "--- fakeline said:\n");
    snprintf(path, sizeof(path), "%s/fakeline.log", world->dir);
    read_file(path, &words);
    return buf_cstr(&words);
}

void
world_forget_programs_said(const struct world *world)
{
    const char *const logs[] = {"stepd.log", "fakeline.log"};
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", world->dir, logs[i]);
        ck_assert_int_eq(truncate(path, 0), 0);
    }
}

/* ---- HTTP ------------------------------------------------------------------------------------- */

static size_t
take_body(char *data, size_t size, size_t count, void *context)
{
    buf_append(context, data, size * count);
    return size * count;
}

struct call {
    const char *method, *url;
    const char *socket; /* NULL: TCP */
    const void *body;
    size_t body_bytes;
    const char *signature; /* NULL: no such header */
};

/* Returns the status, 0 when no whole answer came. */
static int
http_call(const struct call *call, struct buf *out_body)
{
    CURL *curl = curl_easy_init();
    ck_assert_ptr_nonnull(curl);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    if (call->signature != NULL) {
        char line[96];
        snprintf(line, sizeof(line), "x-line-signature: %s", call->signature);
        headers = curl_slist_append(headers, line);
    }
    curl_easy_setopt(curl, CURLOPT_URL, call->url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)CALL_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out_body);
    if (call->socket != NULL) {
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call->socket);
    }
    if (call->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_bytes);
    }
    long status = 0;
    if (curl_easy_perform(curl) == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return (int)status;
}

static json_t *
json_call(struct call call, json_t *body, int *out_status)
{
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    call.body = text;
    call.body_bytes = text == NULL ? 0 : strlen(text);
    struct buf answer = {0};
    int status = http_call(&call, &answer);
    if (out_status != NULL) {
        *out_status = status;
    }
    json_t *json = json_loadb((const char *)answer.data, answer.len, JSON_DECODE_ANY, NULL);
    buf_fini(&answer);
    free(text);
    json_decref(body);
    return json;
}

json_t *
api(struct world *world, const char *method, const char *path, json_t *body, int *out_status)
{
    char url[256];
    snprintf(url, sizeof(url), "http://stepd%s", path);
    return json_call((struct call){.method = method, .url = url, .socket = world->socket}, body,
                     out_status);
}

json_t *
line_door(struct world *world, const char *method, const char *path, json_t *body, int *out_status)
{
    char url[256];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", world->line_port, path);
    return json_call((struct call){.method = method, .url = url}, body, out_status);
}

int
post_webhook(struct world *world, const void *body, size_t bytes, bool signed_well)
{
    char url[96], signature[SIGNATURE_TEXT_BYTES];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/webhook", world->daemon_port);
    signature_make(span_cstr(signed_well ? E2E_SECRET : "another secret"), span_of(body, bytes),
                   signature);
    struct buf answer = {0};
    int status = http_call(&(struct call){.method = "POST",
                                          .url = url,
                                          .body = body,
                                          .body_bytes = bytes,
                                          .signature = signature},
                           &answer);
    buf_fini(&answer);
    return status;
}

/* ---- the world -------------------------------------------------------------------------------- */

void
world_start_line(struct world *world)
{
    kill_now(&world->line);
    char port_file[96];
    snprintf(port_file, sizeof(port_file), "%s/port", world->dir);
    (void)unlink(port_file);
    const char *argv[] = {STEPD_BIN "/fakeline",
                          "serve",
                          "--port",
                          "0",
                          "--port-file",
                          port_file,
                          "--secret",
                          E2E_SECRET,
                          "--token",
                          "e2e-token",
                          "--bot-user-id",
                          world->bot,
                          NULL};
    world->line = spawn_logged(world, "fakeline.log", argv, NULL);
    for (int i = 0; i < READY_TRIES; i++) {
        struct buf text = {0};
        read_file(port_file, &text);
        bool whole = text.len > 0 && text.data[text.len - 1] == '\n';
        world->line_port = whole ? atoi(buf_cstr(&text)) : 0;
        buf_fini(&text);
        int status;
        ck_assert_msg(!reaped(world->line, &status), "fakeline ended%s", programs_said(world));
        if (world->line_port > 0) {
            return;
        }
        pause_ms(READY_PAUSE_MS);
    }
    ck_abort_msg("fakeline does not answer%s", programs_said(world));
}

void
world_open(struct world *world)
{
    memset(world, 0, sizeof(*world));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    snprintf(world->dir, sizeof(world->dir), "/tmp/stepd-e2e-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world->dir));
    snprintf(world->data, sizeof(world->data), "%s/data", world->dir);
    snprintf(world->socket, sizeof(world->socket), "%s/stepd.sock", world->dir);
    snprintf(world->at, sizeof(world->at), "%s", E2E_START);
    snprintf(world->bot, sizeof(world->bot), "%s", E2E_BOT);

    char path[128];
    snprintf(path, sizeof(path), "%s/credentials", world->dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/credentials/channel_secret", world->dir);
    write_file(path, E2E_SECRET);
    snprintf(path, sizeof(path), "%s/credentials/channel_token", world->dir);
    write_file(path, "e2e-token");
    world_forget_data(world);
    world_start_line(world);
}

void
world_close(struct world *world)
{
    kill_now(&world->daemon);
    kill_now(&world->line);
    if (world->dir[0] != '\0') {
        remove_tree(world->dir);
    }
    memset(world, 0, sizeof(*world));
}

void
world_forget_data(struct world *world)
{
    kill_now(&world->daemon);
    remove_tree(world->data);
    ck_assert_int_eq(mkdir(world->data, 0700), 0);
    snprintf(world->at, sizeof(world->at), "%s", E2E_START);
}

/* The one place that knows the daemon's flags. */
static pid_t
spawn_daemon(const struct world *world)
{
    char credentials[96], line[64], fault_at[16], disk[96];
    snprintf(credentials, sizeof(credentials), "%s/credentials", world->dir);
    snprintf(line, sizeof(line), "http://127.0.0.1:%d", world->line_port);
    snprintf(fault_at, sizeof(fault_at), "%d", world->fault_at);
    snprintf(disk, sizeof(disk), "%s/disk", world->dir);
    const char *argv[32] = {STEPD_BIN "/stepd", "--data-dir",    world->data,
                            "--socket",         world->socket,   "--listen",
                            "127.0.0.1:0",      "--line-url",    line,
                            "--credentials",    credentials,     "--clock",
                            "virtual",          "--clock-start", world->at};
    size_t count = 0;
    while (argv[count] != NULL) {
        count++;
    }
    memcpy(argv + count, world->more, sizeof(world->more));
    const char *environment[20] = {"LD_PRELOAD", world->has_disk ? DISK_SHIM : FAULT_SHIM,
                                   "ASAN_OPTIONS", "verify_asan_link_order=0"};
    size_t pair_count = 4;
    const char *const pairs[][2] = {{"STEPD_FAULT_AT", world->fault_at > 0 ? fault_at : NULL},
                                    {"STEPD_FAULT_CALL", world->fault_call},
                                    {"STEPD_FAULT_DO", world->fault_do},
                                    {"STEPD_FAULT_AFTER", world->fault_after},
                                    {"STEPD_FAULT_NOSYNC", world->no_sync ? "1" : NULL},
                                    {"STEPD_DISK", world->has_disk ? disk : NULL}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (pairs[i][1] != NULL) {
            environment[pair_count++] = pairs[i][0];
            environment[pair_count++] = pairs[i][1];
        }
    }
    bool shimmed = world->has_disk || world->fault_at > 0 || world->no_sync;
    struct rlimit before, limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    if (world->file_bytes_max > 0) {
        limit.rlim_cur = (rlim_t)world->file_bytes_max;
    }
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0); /* the child inherits it */
    pid_t pid = spawn_logged(world, "stepd.log", argv, shimmed ? environment : NULL);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    return pid;
}

void
world_disk(const struct world *world, const char *word)
{
    char path[96], next[96];
    snprintf(path, sizeof(path), "%s/disk", world->dir);
    if (word == NULL) {
        (void)unlink(path);
        return;
    }
    snprintf(next, sizeof(next), "%s/disk.next", world->dir);
    write_file(next, word);
    ck_assert_int_eq(rename(next, path), 0); /* never half a word */
}

/* "127.0.0.1:43210" in the status, once it is there. */
static int
listen_port(const json_t *status)
{
    const char *listen = json_string_value(json_object_get(status, "listen"));
    const char *colon = listen == NULL ? NULL : strrchr(listen, ':');
    return colon == NULL ? 0 : atoi(colon + 1);
}

void
world_spawn(struct world *world)
{
    ck_assert_int_eq(world->daemon, 0);
    world->daemon = spawn_daemon(world);
}

bool
world_start(struct world *world)
{
    ck_assert_int_eq(world->daemon, 0);
    world->daemon = spawn_daemon(world);
    for (int i = 0; i < READY_TRIES; i++) {
        if (world_died(world)) {
            return false;
        }
        int code = 0;
        json_t *status = api(world, "GET", "/v1/status", NULL, &code);
        world->daemon_port = listen_port(status);
        bool ready = code == 200 && world->daemon_port > 0 &&
                     json_is_string(json_object_get(status, "bot_user_id"));
        json_decref(status);
        if (ready) {
            return true;
        }
        pause_ms(READY_PAUSE_MS);
    }
    ck_abort_msg("stepd does not become ready%s", programs_said(world));
    return false;
}

int
world_start_refused(struct world *world, struct buf *out_words)
{
    ck_assert_int_eq(world->daemon, 0);
    pid_t pid = spawn_daemon(world);
    int status = 0;
    for (int i = 0; i < READY_TRIES; i++) {
        if (reaped(pid, &status)) {
            buf_append_cstr(out_words, programs_said(world));
            return exit_code(status);
        }
        pause_ms(READY_PAUSE_MS);
    }
    kill_now(&pid);
    ck_abort_msg("stepd was to refuse and runs%s", programs_said(world));
    return 0;
}

void
world_kill(struct world *world)
{
    kill_now(&world->daemon);
}

int
world_stop(struct world *world)
{
    ck_assert_int_ne(world->daemon, 0);
    (void)kill(world->daemon, SIGTERM);
    for (int i = 0; i < READY_TRIES; i++) {
        int status;
        if (reaped(world->daemon, &status)) {
            world->daemon = 0;
            return exit_code(status);
        }
        pause_ms(READY_PAUSE_MS);
    }
    ck_abort_msg("stepd does not stop on SIGTERM%s", programs_said(world));
    return -1;
}

bool
world_died(struct world *world)
{
    int status;
    if (world->daemon == 0) {
        return true;
    }
    if (!reaped(world->daemon, &status)) {
        return false;
    }
    world->daemon = 0;
    bool by_the_shim = world->fault_at > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    bool fails = world->fault_do != NULL && strcmp(world->fault_do, "fail") == 0;
    bool stopped = world->fault_at > 0 && fails && WIFEXITED(status) && WEXITSTATUS(status) != 0;
    ck_assert_msg(by_the_shim || stopped, "stepd ended by itself with %d%s", exit_code(status),
                  programs_said(world));
    return true;
}

int
world_ends(struct world *world)
{
    for (int i = 0; i < READY_TRIES; i++) {
        int status;
        if (reaped(world->daemon, &status)) {
            world->daemon = 0;
            return exit_code(status);
        }
        pause_ms(READY_PAUSE_MS);
    }
    ck_abort_msg("stepd was to end and runs%s", programs_said(world));
    return -1;
}

bool
world_dies(struct world *world)
{
    for (int i = 0; i < READY_TRIES; i++) {
        if (world_died(world)) {
            return true;
        }
        pause_ms(READY_PAUSE_MS);
    }
    return false;
}

/* ---- the tools -------------------------------------------------------------------------------- */

int
run_tool(struct buf *out, const char *const *argv)
{
    char program[256];
    snprintf(program, sizeof(program), "%s/%s", STEPD_BIN, argv[0]);
    const char *words[16] = {program};
    for (size_t i = 1; argv[i] != NULL; i++) {
        ck_assert_uint_lt(i, 15);
        words[i] = argv[i];
    }
    int pipe_fds[2];
    ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid_t pid = spawn(words, pipe_fds[1], NULL);
    close(pipe_fds[1]);
    char block[4096];
    ssize_t got;
    while ((got = read(pipe_fds[0], block, sizeof(block))) > 0) {
        buf_append(out, block, (size_t)got);
    }
    close(pipe_fds[0]);
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return exit_code(status);
}

void
replay_digest(struct world *world, char out_digest[17])
{
    struct buf words = {0};
    int code = run_tool(&words, (const char *[]){"steplog", "replay", world->data, NULL});
    ck_assert_msg(code == 0, "steplog replay ended with %d:\n%s", code, buf_cstr(&words));
    const char *place = strstr(buf_cstr(&words), "digest");
    ck_assert_msg(place != NULL, "steplog replay prints no digest:\n%s", buf_cstr(&words));
    place += strlen("digest");
    place += strcspn(place, "0123456789abcdef");
    ck_assert_msg(strspn(place, "0123456789abcdef") == 16, "not a digest:\n%s", buf_cstr(&words));
    memcpy(out_digest, place, 16);
    out_digest[16] = '\0';
    buf_fini(&words);
}
