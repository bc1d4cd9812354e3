/* Signatures and hashes: known vectors, and every way to be nearly right. */
#include "proto/signature.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
shared_folder(void)
{
    const char *folder = getenv("STEPD_SHARED");
    return folder != NULL ? folder : STEPD_SOURCE_DIR "/../shared";
}

/* A whole file of the folder of examples, or NULL; the caller frees. */
static char *
example_read(const char *name, size_t *out_len)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/line/webhook-examples/%s", shared_folder(), name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    char *bytes = calloc(1, 1 << 20);
    *out_len = fread(bytes, 1, (1 << 20) - 1, file);
    fclose(file);
    return bytes;
}

struct vector {
    const char *secret, *body, *signature;
};

/* RFC 4231 test cases 1 and 2 as base64, and an empty body. */
static const struct vector VECTORS[] = {
    {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", "Hi There",
     "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c="},
    {"Jefe", "what do ya want for nothing?", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="},
    {"secret", "", "+eZuF5tnR65UEI+C+K3os8Jddv0wr95sOVgixTAZYWk="},
};

START_TEST(known_signatures_are_made_and_accepted)
{
    const struct vector *v = &VECTORS[_i];
    char text[SIGNATURE_TEXT_BYTES];
    signature_make(span_cstr(v->secret), span_cstr(v->body), text);
    ck_assert_str_eq(text, v->signature);
    ck_assert(signature_verify(span_cstr(v->secret), span_cstr(v->body), span_cstr(v->signature)));
}
END_TEST

START_TEST(a_changed_bit_anywhere_is_refused)
{
    const struct vector *v = &VECTORS[1];
    struct span secret = span_cstr(v->secret);
    char body[64];
    strcpy(body, v->body);
    for (size_t i = 0; i < strlen(body) * 8; i++) {
        body[i / 8] = (char)(body[i / 8] ^ (1 << i % 8));
        ck_assert(
            !signature_verify(secret, span_of(body, strlen(v->body)), span_cstr(v->signature)));
        body[i / 8] = (char)(body[i / 8] ^ (1 << i % 8));
    }
    /* Every other character at every place, the unused bits of the last one included. */
    char text[SIGNATURE_TEXT_BYTES];
    for (size_t i = 0; i < SIGNATURE_TEXT_BYTES - 1; i++) {
        for (int c = 0; c < 256; c++) {
            strcpy(text, v->signature);
            text[i] = (char)c;
            bool same = text[i] == v->signature[i];
            ck_assert(signature_verify(secret, span_cstr(v->body), span_of(text, 44)) == same);
        }
    }
}
END_TEST

START_TEST(a_signature_of_another_form_is_refused)
{
    struct span secret = span_cstr("Jefe");
    struct span body = span_cstr(VECTORS[1].body);
    char text[64];
    snprintf(text, sizeof(text), "%s====", VECTORS[1].signature);
    for (size_t len = 0; len <= 48; len++) {
        ck_assert(signature_verify(secret, body, span_of(text, len)) == (len == 44));
    }
    ck_assert(!signature_verify(secret, body, (struct span){0}));
    snprintf(text, sizeof(text), " %s", VECTORS[1].signature);
    ck_assert(!signature_verify(secret, body, span_of(text, 45)));
    ck_assert(!signature_verify(secret, body, span_of(text, 44)));
}
END_TEST

START_TEST(without_a_secret_nothing_is_accepted)
{
    char text[SIGNATURE_TEXT_BYTES];
    signature_make((struct span){0}, span_cstr("body"), text);
    ck_assert(!signature_verify((struct span){0}, span_cstr("body"), span_cstr(text)));
}
END_TEST

START_TEST(sha256_and_hex_match_the_standard)
{
    uint8_t hash[SHA256_BYTES];
    char text[2 * SHA256_BYTES + 1];
    sha256(span_cstr("abc"), hash);
    hex_encode(span_of(hash, sizeof(hash)), text);
    ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256((struct span){0}, hash);
    hex_encode(span_of(hash, sizeof(hash)), text);
    ck_assert_str_eq(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hex_encode((struct span){0}, text);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(a_retry_key_is_a_uuid_made_of_run_and_number)
{
    uint8_t run_id[16];
    for (size_t i = 0; i < sizeof(run_id); i++) {
        run_id[i] = (uint8_t)i;
    }
    char key[RETRY_KEY_TEXT_BYTES];
    char other[RETRY_KEY_TEXT_BYTES];
    /* SHA-256 of the bytes 00..0f 0102030405060708 begins 234db4e93950f6fb…; this key is on the wire,
     * so a change of it would send messages twice. */
    retry_key(run_id, 0x0102030405060708u, key);
    ck_assert_str_eq(key, "234db4e9-3950-46fb-9f8f-0082da564fea");

    ck_assert_uint_eq(strlen(key), 36);
    ck_assert_int_eq(key[14], '4');
    ck_assert_ptr_nonnull(strchr("89ab", key[19]));
    retry_key(run_id, 0x0102030405060709u, other);
    ck_assert_str_ne(key, other);
    run_id[15] ^= 1;
    retry_key(run_id, 0x0102030405060708u, other);
    ck_assert_str_ne(key, other);
}
END_TEST

START_TEST(published_vectors_hold)
{
    size_t len = 0;
    char *bytes = example_read("signature-vectors.json", &len);
    if (bytes == NULL) {
        printf("skipped: no folder of examples\n");
        return;
    }
    json_t *vectors = json_loadb(bytes, len, 0, NULL);
    ck_assert_uint_ge(json_array_size(vectors), 7);
    size_t i;
    json_t *vector;
    json_array_foreach(vectors, i, vector)
    {
        bool valid = json_is_true(json_object_get(vector, "valid"));
        ck_assert_msg(
            signature_verify(span_cstr(json_string_value(json_object_get(vector, "secret"))),
                             span_cstr(json_string_value(json_object_get(vector, "body"))),
                             span_cstr(json_string_value(json_object_get(vector, "signature")))) ==
                valid,
            "%s", json_string_value(json_object_get(vector, "name")));
    }
    json_decref(vectors);
    free(bytes);
}
END_TEST

/* The table of the examples: | file | bytes | `signature` | … */
START_TEST(every_example_body_carries_its_signature)
{
    size_t table_len = 0;
    char *table = example_read("SOURCES.md", &table_len);
    if (table == NULL) {
        printf("skipped: no folder of examples\n");
        return;
    }
    struct span secret = span_cstr("8c570fa6dd201bb328f1c1eac23a96d8");
    int checked = 0;
    char *save = NULL;
    for (char *line = strtok_r(table, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char name[128];
        char signature[64];
        size_t bytes = 0;
        if (sscanf(line, "| %127s | %zu | `%63[^`]`", name, &bytes, signature) != 3) {
            continue;
        }
        size_t len = 0;
        char *body = example_read(name, &len);
        ck_assert_msg(body != NULL, "%s is missing", name);
        ck_assert_uint_eq(len, bytes);
        ck_assert_msg(signature_verify(secret, span_of(body, len), span_cstr(signature)), "%s",
                      name);
        free(body);
        checked++;
    }
    ck_assert_int_ge(checked, 40);
    free(table);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("signature");
    TCase *tc = tcase_create("signature");
    tcase_add_loop_test(tc, known_signatures_are_made_and_accepted, 0, 3);
    tcase_add_test(tc, a_changed_bit_anywhere_is_refused);
    tcase_add_test(tc, a_signature_of_another_form_is_refused);
    tcase_add_test(tc, without_a_secret_nothing_is_accepted);
    tcase_add_test(tc, sha256_and_hex_match_the_standard);
    tcase_add_test(tc, a_retry_key_is_a_uuid_made_of_run_and_number);
    tcase_add_test(tc, published_vectors_hold);
    tcase_add_test(tc, every_example_body_carries_its_signature);
    suite_add_tcase(s, tc);
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
