#include "bench/bench_world.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_TRIES = 1500, PAUSE_MS = 10, CALL_TIMEOUT_S = 600 };

void
bench_check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "bench: %s\n", what);
        exit(1);
    }
}

static int64_t
clock_us(clockid_t clock)
{
    struct timespec now;
    bench_check(clock_gettime(clock, &now) == 0, "clock_gettime");
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
bench_now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t
bench_cpu_us(void)
{
    return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t
bench_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

/* ---- HTTP ------------------------------------------------------------------------------------- */

static size_t
take_body(char *data, size_t size, size_t count, void *context)
{
    buf_append(context, data, size * count);
    return size * count;
}

static size_t
drop_body(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

/* One JSON call; socket NULL: TCP. NULL unless it was answered 200 with JSON. */
static json_t *
call(const char *socket, const char *method, const char *url, json_t *body)
{
    struct buf answer = {0};
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)CALL_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    if (socket != NULL) {
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
    }
    if (text != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
    }
    long status = 0;
    if (curl_easy_perform(curl) == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    json_t *json =
        status == 200 ? json_loadb((const char *)answer.data, answer.len, 0, NULL) : NULL;
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    buf_fini(&answer);
    free(text);
    json_decref(body);
    return json;
}

struct connection {
    CURL *curl;
    struct curl_slist *headers;
    struct request request;
};

static void
connection_begin(struct connection *connection, CURLM *multi, const char *url, unsigned i,
                 request_fn make, void *context)
{
    struct request *request = &connection->request;
    buf_clear(&request->body);
    request->signature[0] = request->authorization[0] = '\0';
    make(context, i, request);

    char line[96];
    curl_slist_free_all(connection->headers);
    connection->headers = curl_slist_append(NULL, "Content-Type: application/json");
    connection->headers = curl_slist_append(connection->headers, "Expect:");
    if (request->signature[0] != '\0') {
        snprintf(line, sizeof(line), "x-line-signature: %s", request->signature);
        connection->headers = curl_slist_append(connection->headers, line);
    }
    if (request->authorization[0] != '\0') {
        snprintf(line, sizeof(line), "Authorization: %s", request->authorization);
        connection->headers = curl_slist_append(connection->headers, line);
    }
    CURL *curl = connection->curl;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)CALL_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, connection->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, connection);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data);
    bench_check(curl_multi_add_handle(multi, curl) == CURLM_OK, "curl_multi_add_handle");
}

int64_t
bench_pump(const char *url, unsigned count, unsigned connections, request_fn make, void *context)
{
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections);
    struct connection *open = calloc(connections, sizeof(*open));
    bench_check(open != NULL, "no memory");
    unsigned begun = 0, done = 0;
    int64_t began_us = bench_now_us();
    for (unsigned i = 0; i < connections && begun < count; i++) {
        open[i].curl = curl_easy_init();
        connection_begin(&open[i], multi, url, begun++, make, context);
    }
    while (done < count) {
        int running, queued;
        bench_check(curl_multi_perform(multi, &running) == CURLM_OK, "curl_multi_perform");
        const CURLMsg *message;
        while ((message = curl_multi_info_read(multi, &queued)) != NULL) {
            CURL *curl = message->easy_handle;
            struct connection *connection = NULL;
            long status = 0;
            curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
            curl_easy_getinfo(curl, CURLINFO_PRIVATE, &connection);
            if (message->data.result != CURLE_OK || status != 200) {
                fprintf(stderr, "bench: %s: %s, status %ld\n", url,
                        curl_easy_strerror(message->data.result), status);
                exit(1);
            }
            curl_multi_remove_handle(multi, curl);
            done++;
            if (begun < count) {
                connection_begin(connection, multi, url, begun++, make, context);
            }
        }
        if (done < count) {
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
        }
    }
    int64_t us = bench_now_us() - began_us;
    for (unsigned i = 0; i < connections; i++) {
        curl_easy_cleanup(open[i].curl);
        curl_slist_free_all(open[i].headers);
        buf_fini(&open[i].request.body);
    }
    free(open);
    curl_multi_cleanup(multi);
    return us;
}

/* ---- programs --------------------------------------------------------------------------------- */

static struct bench_world *world_at_exit; /* so that a failed bench leaves nothing running */

static void
end_program(pid_t *pid, int signal_number)
{
    if (*pid > 0) {
        int status;
        (void)kill(*pid, signal_number);
        (void)waitpid(*pid, &status, 0);
        *pid = 0;
    }
}

static void
end_programs(void)
{
    if (world_at_exit != NULL) {
        end_program(&world_at_exit->daemon, SIGKILL);
        end_program(&world_at_exit->line, SIGKILL);
    }
}

static char *
word(const char *text)
{
    union {
        const char *given;
        char *wanted;
    } both = {.given = text};
    return both.wanted;
}

static pid_t
spawn(const struct bench_world *world, const char *program, const char *const *arguments)
{
    char path[600], log[256], *words[24];
    snprintf(path, sizeof(path), "%s/%s", world->bin, program);
    snprintf(log, sizeof(log), "%s/%s.log", world->dir, program);
    size_t count = 0;
    words[count++] = path;
    for (; *arguments != NULL && count < 23; arguments++) {
        words[count++] = word(*arguments);
    }
    words[count] = NULL;
    pid_t pid = fork();
    bench_check(pid >= 0, "fork");
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execv(path, words);
        _exit(127);
    }
    return pid;
}

static void
check_alive(const struct bench_world *world, pid_t pid, const char *program)
{
    int status;
    if (waitpid(pid, &status, WNOHANG) == pid) {
        fprintf(stderr, "bench: %s ended; it said in %s/%s.log:\n", program, world->dir, program);
        char path[300], line[512];
        snprintf(path, sizeof(path), "%s/%s.log", world->dir, program);
        FILE *log = fopen(path, "r");
        while (log != NULL && fgets(line, sizeof(line), log) != NULL) {
            fputs(line, stderr);
        }
        exit(1);
    }
}

static void
write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bench_check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
    close(fd);
}

static void
remove_tree(const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        char *words[] = {word("rm"), word("-rf"), word("--"), word(path), NULL};
        execvp("rm", words);
        _exit(127);
    }
    int status;
    (void)waitpid(pid, &status, 0);
}

static void
start_fakeline(struct bench_world *world)
{
    char port_file[256];
    snprintf(port_file, sizeof(port_file), "%s/port", world->dir);
    world->line = spawn(world, "fakeline",
                        (const char *[]){"serve", "--port", "0", "--port-file", port_file,
                                         "--secret", BENCH_SECRET, "--token", BENCH_TOKEN,
                                         "--bot-user-id", BENCH_BOT, NULL});
    for (int i = 0; i < READY_TRIES; i++) {
        FILE *file = fopen(port_file, "r");
        char text[16] = "";
        bool whole =
            file != NULL && fgets(text, sizeof(text), file) != NULL && strchr(text, '\n') != NULL;
        if (file != NULL) {
            fclose(file);
        }
        if (whole) {
            world->line_port = atoi(text);
            return;
        }
        check_alive(world, world->line, "fakeline");
        (void)poll(NULL, 0, PAUSE_MS);
    }
    bench_check(false, "fakeline does not answer");
}

void
bench_open(struct bench_world *world, const char *program, const char *parent)
{
    memset(world, 0, sizeof(*world));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const char *slash = strrchr(program, '/');
    snprintf(world->bin, sizeof(world->bin), "%.*s", slash == NULL ? 1 : (int)(slash - program),
             slash == NULL ? "." : program);
    snprintf(world->dir, sizeof(world->dir), "%s/stepd-bench-XXXXXX", parent);
    bench_check(mkdtemp(world->dir) != NULL, "the directory cannot be made");
    snprintf(world->data, sizeof(world->data), "%s/data", world->dir);
    snprintf(world->socket, sizeof(world->socket), "%s/stepd.sock", world->dir);
    world_at_exit = world;
    (void)atexit(end_programs);

    char path[256];
    snprintf(path, sizeof(path), "%s/credentials", world->dir);
    bench_check(mkdir(path, 0700) == 0, path);
    snprintf(path, sizeof(path), "%s/credentials/channel_secret", world->dir);
    write_text(path, BENCH_SECRET);
    snprintf(path, sizeof(path), "%s/credentials/channel_token", world->dir);
    write_text(path, BENCH_TOKEN);
    start_fakeline(world);
}

void
bench_close(struct bench_world *world)
{
    end_programs();
    remove_tree(world->dir);
    world_at_exit = NULL;
}

static json_t *
status(struct bench_world *world)
{
    return call(world->socket, "GET", "http://stepd/v1/status", NULL);
}

void
bench_start(struct bench_world *world, enum bench_clock clock)
{
    char url[96], credentials[256];
    remove_tree(world->data);
    bench_check(mkdir(world->data, 0700) == 0, world->data);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", world->line_port);
    char reset[128];
    snprintf(reset, sizeof(reset), "%s/fakeline/reset", url);
    json_decref(call(NULL, "POST", reset, NULL));
    snprintf(credentials, sizeof(credentials), "%s/credentials", world->dir);
    const char *arguments[] = {"--data-dir",
                               world->data,
                               "--socket",
                               world->socket,
                               "--listen",
                               "127.0.0.1:0",
                               "--line-url",
                               url,
                               "--credentials",
                               credentials,
                               "--fetch-profiles",
                               "no",
                               "--push-per-second",
                               "100000",
                               "--clock",
                               "real",
                               NULL,
                               NULL,
                               NULL};
    if (clock == BENCH_VIRTUAL) {
        memcpy(&arguments[15], (const char *[]){"virtual", "--clock-start", BENCH_START},
               3 * sizeof(arguments[0]));
    }
    world->daemon = spawn(world, "stepd", arguments);
    for (int i = 0; i < READY_TRIES; i++) {
        json_t *json = status(world);
        const char *listen = json_string_value(json_object_get(json, "listen"));
        bool ready = listen != NULL && json_is_string(json_object_get(json, "bot_user_id"));
        if (ready) {
            snprintf(world->webhook_url, sizeof(world->webhook_url), "http://%s/webhook", listen);
        }
        json_decref(json);
        if (ready) {
            return;
        }
        check_alive(world, world->daemon, "stepd");
        (void)poll(NULL, 0, PAUSE_MS);
    }
    bench_check(false, "stepd does not become ready");
}

void
bench_stop(struct bench_world *world)
{
    end_program(&world->daemon, SIGTERM);
}

void
bench_apply(struct bench_world *world, const char *yaml)
{
    json_t *answer =
        call(world->socket, "POST", "http://stepd/v1/definitions",
             json_pack("{s:[{s:s,s:s}]}", "files", "name", "bench.yaml", "text", yaml));
    bench_check(answer != NULL, "the definitions were refused");
    json_decref(answer);
}

int64_t
bench_status(struct bench_world *world, const char *path)
{
    json_t *json = status(world);
    bench_check(json != NULL, "no status");
    char copy[64], *rest = NULL;
    snprintf(copy, sizeof(copy), "%s", path);
    const json_t *value = json;
    for (char *key = strtok_r(copy, ".", &rest); key != NULL; key = strtok_r(NULL, ".", &rest)) {
        value = json_object_get(value, key);
    }
    bench_check(json_is_integer(value), path);
    int64_t number = json_integer_value(value);
    json_decref(json);
    return number;
}

void
bench_wait(struct bench_world *world, const char *path, int64_t wanted, int64_t patience_ms)
{
    int64_t until_us = bench_now_us() + patience_ms * 1000;
    while (bench_status(world, path) < wanted) {
        bench_check(bench_now_us() < until_us, path);
        (void)poll(NULL, 0, 500); /* seldom: asking costs the daemon time that we measure */
    }
}

double
bench_rss_mib(const struct bench_world *world)
{
    char path[64], line[128];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)world->daemon);
    FILE *file = fopen(path, "r");
    bench_check(file != NULL, path);
    long anonymous_kib = 0, value;
    while (fgets(line, sizeof(line), file) != NULL) {
        /* The map of the log is in RSS as well; it is the kernel's to take back. */
        if (sscanf(line, "RssAnon: %ld", &value) == 1) {
            anonymous_kib = value;
        }
    }
    fclose(file);
    bench_check(anonymous_kib > 0, "no RssAnon");
    return (double)anonymous_kib / 1024;
}

size_t
bench_accepted_us(struct bench_world *world, unsigned first, unsigned count, int64_t *out)
{
    size_t got = 0;
    json_int_t after = 0;
    for (;;) {
        char url[128];
        snprintf(url, sizeof(url), "http://127.0.0.1:%d/fakeline/accepted?after=%" PRId64,
                 world->line_port, (int64_t)after);
        json_t *answer = call(NULL, "GET", url, NULL);
        json_t *rows = json_object_get(answer, "accepted"), *row;
        size_t index, rows_count = json_array_size(rows);
        json_array_foreach(rows, index, row)
        {
            after = json_integer_value(json_object_get(row, "n"));
            const json_t *to;
            size_t i;
            json_array_foreach(json_object_get(row, "to"), i, to)
            {
                unsigned user = 0;
                bool ours = json_is_string(to) &&
                            sscanf(json_string_value(to), "U%32x", &user) == 1 && user >= first &&
                            user - first < count;
                if (ours) {
                    out[user - first] = json_integer_value(json_object_get(row, "at_us"));
                    got++;
                }
            }
        }
        json_decref(answer);
        if (rows_count == 0) {
            return got;
        }
    }
}

void
bench_machine(struct bench_machine *out)
{
    struct utsname system;
    memset(out, 0, sizeof(*out));
    bench_check(uname(&system) == 0, "uname");
    snprintf(out->kernel, sizeof(out->kernel), "%s", system.release);
    out->cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(out->cpu, sizeof(out->cpu), "%s", system.machine);
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            snprintf(out->cpu, sizeof(out->cpu), "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}
