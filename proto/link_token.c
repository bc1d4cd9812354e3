#include "proto/link_token.h"

#include "proto/signature.h"

#include <openssl/crypto.h>
#include <stdio.h>

enum { MAC_CHARACTERS = 12, NUMBER_CHARACTERS = 8 };

/* The first characters of the MAC in base64url. */
static void
mac_of(const uint8_t secret[16], uint32_t friend, uint32_t link, char out[MAC_CHARACTERS])
{
    char text[64], signature[SIGNATURE_TEXT_BYTES];
    int len = snprintf(text, sizeof(text), "stepd link %u of friend %u", link, friend);
    signature_make(span_of(secret, 16), span_of(text, (size_t)len), signature);
    for (int i = 0; i < MAC_CHARACTERS; i++) {
        out[i] = signature[i] == '+' ? '-' : signature[i] == '/' ? '_' : signature[i];
    }
}

static size_t
write_number(uint32_t number, char *out)
{
    static const char DIGITS[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char reversed[NUMBER_CHARACTERS];
    size_t len = 0;
    do {
        reversed[len++] = DIGITS[number % 36];
        number /= 36;
    } while (number > 0);
    for (size_t i = 0; i < len; i++) {
        out[i] = reversed[len - 1 - i];
    }
    return len;
}

struct span
link_token_make(const uint8_t secret[16], uint32_t friend, uint32_t link, struct arena *arena)
{
    char text[NUMBER_CHARACTERS + 1 + MAC_CHARACTERS];
    size_t len = write_number(friend, text);
    text[len++] = '-';
    mac_of(secret, friend, link, text + len);
    return arena_span(arena, span_of(text, len + MAC_CHARACTERS));
}

/* False: the text is no number of a friend as write_number() writes it. */
static bool
read_number(struct span text, uint32_t *out_number)
{
    uint64_t number = 0;
    if (text.len == 0 || text.len >= NUMBER_CHARACTERS || (text.data[0] == '0' && text.len > 1)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && (c < 'a' || c > 'z')) {
            return false;
        }
        number = number * 36 + (uint64_t)(digit ? c - '0' : c - 'a' + 10);
    }
    *out_number = (uint32_t)number;
    return number < UINT32_MAX;
}

bool
link_token_read(const uint8_t secret[16], uint32_t link, struct span token, uint32_t *out_friend)
{
    char mac[MAC_CHARACTERS];
    uint32_t friend;
    if (token.len < MAC_CHARACTERS + 2 || token.data[token.len - MAC_CHARACTERS - 1] != '-' ||
        !read_number(span_of(token.data, token.len - MAC_CHARACTERS - 1), &friend)) {
        return false;
    }
    mac_of(secret, friend, link, mac);
    if (CRYPTO_memcmp(mac, token.data + token.len - MAC_CHARACTERS, MAC_CHARACTERS) != 0) {
        return false;
    }
    *out_friend = friend;
    return true;
}
