#include "proto/signature.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>

/* "No length" and "no bytes" are legal; OpenSSL wants a pointer all the same. */
static const uint8_t *
not_null(struct span span)
{
    static const uint8_t nothing[1];
    return span.data != NULL ? span.data : nothing;
}

static void
hmac_sha256(struct span secret, struct span body, uint8_t out[SHA256_BYTES])
{
    size_t len = 0;
    const uint8_t *made = EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, not_null(secret),
                                    secret.len, not_null(body), body.len, out, SHA256_BYTES, &len);
    assert(made != NULL);
    assert(len == SHA256_BYTES);
}

/* The six bits of a base64 character, or -1. */
static int
sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Exactly 32 bytes: 43 characters and one '='. OpenSSL's decoder forgives white space; this does not. */
static bool
base64_decode_32(struct span text, uint8_t out[SHA256_BYTES])
{
    if (text.len != SIGNATURE_TEXT_BYTES - 1 || text.data[text.len - 1] != '=') {
        return false;
    }
    uint32_t bits = 0;
    size_t out_len = 0;
    for (size_t i = 0; i + 1 < text.len; i++) {
        int value = sextet(text.data[i]);
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0) { /* after 12, 18, 24 bits the next whole byte is there */
            out[out_len++] = (uint8_t)(bits >> (6 - i % 4 * 2));
        }
    }
    assert(out_len == SHA256_BYTES);
    return (bits & 3) == 0; /* the last character carries four bits; the others say nothing */
}

bool
signature_verify(struct span secret, struct span body, struct span header)
{
    uint8_t given[SHA256_BYTES];
    uint8_t right[SHA256_BYTES];
    if (secret.len == 0 || !base64_decode_32(header, given)) {
        return false; /* without a secret everybody could sign */
    }
    hmac_sha256(secret, body, right);
    return CRYPTO_memcmp(given, right, SHA256_BYTES) == 0;
}

void
signature_make(struct span secret, struct span body, char out_text[SIGNATURE_TEXT_BYTES])
{
    uint8_t bytes[SHA256_BYTES];
    hmac_sha256(secret, body, bytes);
    int len = EVP_EncodeBlock((unsigned char *)out_text, bytes, SHA256_BYTES);
    assert(len == SIGNATURE_TEXT_BYTES - 1);
}

void
sha256(struct span bytes, uint8_t out[SHA256_BYTES])
{
    int made = EVP_Digest(not_null(bytes), bytes.len, out, NULL, EVP_sha256(), NULL);
    assert(made == 1);
}

void
hex_encode(struct span bytes, char *out_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        *out_text++ = digits[bytes.data[i] >> 4];
        *out_text++ = digits[bytes.data[i] & 15];
    }
    *out_text = '\0';
}

void
retry_key(const uint8_t run_id[16], uint64_t intent_seq, char out_text[RETRY_KEY_TEXT_BYTES])
{
    uint8_t named[16 + 8];
    memcpy(named, run_id, 16);
    for (size_t i = 0; i < 8; i++) {
        named[16 + i] = (uint8_t)(intent_seq >> (56 - 8 * i));
    }
    uint8_t hash[SHA256_BYTES];
    sha256(span_of(named, sizeof(named)), hash);
    hash[6] = (uint8_t)((hash[6] & 0x0f) | 0x40); /* the form of a version 4 UUID */
    hash[8] = (uint8_t)((hash[8] & 0x3f) | 0x80);

    char hex[33];
    hex_encode(span_of(hash, 16), hex);
    int len = snprintf(out_text, RETRY_KEY_TEXT_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
                       hex + 12, hex + 16, hex + 20);
    assert(len == RETRY_KEY_TEXT_BYTES - 1);
}
