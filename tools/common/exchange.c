#include "tools/common/exchange.h"

#include <assert.h>
#include <stdlib.h>

static json_t *
json_of(struct span bytes)
{
    if (bytes.len == 0) {
        return json_null();
    }
    json_t *value = json_loadb((const char *)bytes.data, bytes.len, JSON_DECODE_ANY, NULL);
    if (value == NULL) {
        value = json_stringn((const char *)bytes.data, bytes.len);
    }
    return value == NULL ? json_string("(not UTF-8)") : value;
}

void
exchange_write(FILE *file, const struct exchange *exchange)
{
    json_t *answer = exchange->answer == NULL ? json_null() : json_deep_copy(exchange->answer);
    json_t *line =
        json_pack("{s:s,s:s,s:o,s:o,s:i,s:o}", "method", exchange->method, "path", exchange->path,
                  "retry_key", json_of(exchange->retry_key), "body", json_of(exchange->body),
                  "status", (int)exchange->status, "answer", answer);
    assert(line != NULL);
    char *text = json_dumps(line, JSON_COMPACT);
    assert(text != NULL);
    fprintf(file, "%s\n", text);
    fflush(file); /* nothing waits in a buffer when the program is killed */
    free(text);
    json_decref(line);
}
