#include "daemon/line_url.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <strings.h>

static bool
host_is_loopback(const char *host)
{
    unsigned parts[4];
    int end = 0;
    if (sscanf(host, "%3u.%3u.%3u.%3u%n", &parts[0], &parts[1], &parts[2], &parts[3], &end) == 4) {
        return host[end] == '\0' && parts[0] == 127;
    }
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

static bool
url_has(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

bool
line_url_allowed(const char *base_url)
{
    bool allowed = false;
    char *scheme = NULL;
    char *host = NULL;
    CURLU *url = curl_url();
    assert(url != NULL);
    if (curl_url_set(url, CURLUPART_URL, base_url, CURLU_DISALLOW_USER) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        bool safe =
            strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && host_is_loopback(host));
        allowed = safe && !url_has(url, CURLUPART_QUERY) && !url_has(url, CURLUPART_FRAGMENT);
    }
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(url);
    return allowed;
}

/* Everything but letters, digits, - and _ becomes %XX: no id can leave its place in the path. */
static void
append_percent_encoded(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
        if (plain) {
            buf_append_byte(out, byte);
        } else {
            buf_printf(out, "%%%02X", byte);
        }
    }
}

void
line_url_write(const char *base_url, const struct line_request *request, struct buf *url)
{
    size_t len = strlen(base_url);
    while (len > 0 && base_url[len - 1] == '/') {
        len--;
    }
    buf_append(url, base_url, len);
    const char *path = line_endpoints[request->endpoint].path;
    buf_append_cstr(url, path);
    if (path[strlen(path) - 1] == '/') {
        append_percent_encoded(url, request->user_id);
    }
}
