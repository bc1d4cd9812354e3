#include "tools/steplog/text.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

void
text_hex(struct span bytes, char *out)
{
    out[0] = '\0';
    for (size_t i = 0; i < bytes.len; i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes.data[i]);
    }
}

static int
digit_of(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                          : -1;
}

bool
text_from_hex(const char *text, uint8_t *out, size_t bytes)
{
    if (text == NULL || strlen(text) != 2 * bytes) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

json_t *
text_base64(struct span bytes)
{
    size_t capacity = (bytes.len + 2) / 3 * 4 + 1;
    char *text = malloc(capacity);
    assert(text != NULL);
    int len = EVP_EncodeBlock((unsigned char *)text, bytes.data, (int)bytes.len);
    json_t *json = json_stringn(text, (size_t)len);
    free(text);
    return json;
}

bool
text_from_base64(const char *text, struct arena *arena, struct span *out_bytes)
{
    size_t len = text == NULL ? 1 : strlen(text), padding = 0;
    if (len == 0 || len % 4 != 0 || len > INT32_MAX) {
        return false;
    }
    while (padding < 2 && text[len - 1 - padding] == '=') {
        padding++;
    }
    uint8_t *bytes = arena_alloc(arena, len / 4 * 3);
    if (EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len) < 0) {
        return false;
    }
    *out_bytes = span_of(bytes, len / 4 * 3 - padding);
    return true;
}
