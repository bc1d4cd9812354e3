#include "tools/common/http_call.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
url_append_encoded(struct buf *url, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' ||
                     byte == '~';
        if (plain) {
            buf_append_byte(url, byte);
        } else {
            buf_printf(url, "%%%02X", byte);
        }
    }
}

static size_t
receive(char *data, size_t size, size_t count, void *context)
{
    struct buf *answer = context;
    buf_append(answer, data, size * count);
    return answer->rc == RC_OK ? size * count : 0;
}

/* libcurl only says that it could not connect; the socket itself says why. */
static enum rc
rc_from_connect(const char *socket_path, struct buf *out_error)
{
    int reason = ECONNREFUSED;
    if (socket_path != NULL) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        if (strlen(socket_path) >= sizeof(address.sun_path)) {
            reason = ENAMETOOLONG;
        } else {
            memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
            int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
            reason =
                connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? EIO : errno;
            close(fd);
        }
    }
    buf_append_cstr(out_error, strerror(reason));
    return reason == EACCES || reason == EPERM ? RC_REFUSED : RC_NOT_FOUND;
}

static enum rc
rc_from_curl(CURLcode code, const struct http_call *call, struct buf *out_error)
{
    if (code == CURLE_OK) {
        return RC_OK;
    }
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST) {
        return rc_from_connect(call->socket_path, out_error);
    }
    buf_append_cstr(out_error, curl_easy_strerror(code));
    return RC_IO;
}

static enum rc
parse_answer(const struct buf *answer, json_t **out_json, struct buf *out_error)
{
    if (answer->len == 0) {
        *out_json = NULL;
        return RC_OK;
    }
    json_error_t error;
    json_t *json = json_loadb((const char *)answer->data, answer->len, JSON_DECODE_ANY, &error);
    if (json == NULL) {
        buf_printf(out_error, "the answer is no JSON: %s", error.text);
        return RC_CORRUPT;
    }
    *out_json = json;
    return RC_OK;
}

enum rc
http_call(const struct http_call *call, unsigned *out_status, json_t **out_json,
          struct buf *out_error)
{
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        buf_append_cstr(out_error, "libcurl does not start");
        return RC_IO;
    }
    struct buf answer = {0};
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:"); /* large bodies at once, no 100-continue */
    char *body = call->body == NULL ? NULL : json_dumps(call->body, JSON_COMPACT);
    curl_easy_setopt(curl, CURLOPT_URL, call->url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, call->deadline_s);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    if (call->socket_path != NULL) {
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call->socket_path);
    }
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
    }
    enum rc rc = rc_from_curl(curl_easy_perform(curl), call, out_error);
    if (rc == RC_OK) {
        long status = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        rc = parse_answer(&answer, out_json, out_error);
        if (rc == RC_OK) {
            *out_status = (unsigned)status;
        }
    }
    free(body);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    buf_fini(&answer);
    return rc;
}
