/* Whom the line_client talks to: names that do not resolve, servers that cannot prove who they are. */
#include "daemon/clock.h"
#include "tests/daemon/line_client_harness.h"

#include <dlfcn.h>
#include <microhttpd.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* ---- names --------------------------------------------------------------------------------------- */

/* Stands before the C library's: the name server for hang.example never answers. */
int
getaddrinfo(const char *restrict name, const char *restrict service,
            const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    if (name != NULL && strcmp(name, "hang.example") == 0) {
        for (;;) {
            pause();
        }
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, out);
}

static void
connect_to_name(const char *name)
{
    char url[64];
    snprintf(url, sizeof(url), "https://%s", name);
    client->free(client);
    ck_assert_int_eq(connect_client(url, false), RC_OK);
}

START_TEST(hanging_name_server_holds_nobody_up)
{
    int64_t since_us = clock_mono_us();
    connect_to_name("hang.example");
    send_and_run(push());
    ck_assert_int_eq(answers[0].transport, LINE_NOT_SENT);

    struct line_request request = push();
    send_request(&request, on_answer);
    ev_run(loop, EVRUN_NOWAIT);
    client->free(client);
    ck_assert_int_lt((clock_mono_us() - since_us) / 1000, 10 * DEADLINE_MS);
}
END_TEST

START_TEST(name_that_nobody_knows_has_sent_nothing)
{
    connect_to_name("line.invalid");
    send_and_run(push());
    ck_assert_int_eq(answers[0].transport, LINE_NOT_SENT);
}
END_TEST

/* ---- TLS ------------------------------------------------------------------------------------- */

START_TEST(server_that_speaks_no_tls_gets_nothing)
{
    client->free(client);
    ck_assert_int_eq(connect_to_port("https", server.port), RC_OK);
    server_script(SERVER_DRIPS, "");
    send_and_run(push());
    ck_assert_int_eq(answers[0].transport, LINE_NOT_SENT);
}
END_TEST

static enum MHD_Result
count_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
              const char *version, const char *data, size_t *data_bytes, void **state)
{
    (void)connection, (void)url, (void)method, (void)version, (void)data, (void)data_bytes;
    (void)state;
    ++*(unsigned *)context;
    return MHD_NO;
}

/* A key and a certificate that nobody vouches for, made on the spot. */
static void
make_certificate(char key_pem[static 4096], char certificate_pem[static 4096])
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"127.0.0.1", -1, -1,
                               0);
    X509_set_issuer_name(certificate, name);
    ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);

    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    key_pem[BIO_read(bio, key_pem, 4095)] = '\0';
    PEM_write_bio_X509(bio, certificate);
    certificate_pem[BIO_read(bio, certificate_pem, 4095)] = '\0';
    BIO_free(bio);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

START_TEST(certificate_that_nobody_vouches_for_gets_nothing)
{
    char key[4096];
    char certificate[4096];
    unsigned requests = 0;
    make_certificate(key, certificate);
    unsigned flags = MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD;
    struct MHD_Daemon *daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, count_request, &requests, MHD_OPTION_HTTPS_MEM_KEY,
                         key, MHD_OPTION_HTTPS_MEM_CERT, certificate, MHD_OPTION_END);
    ck_assert_ptr_nonnull(daemon);
    uint16_t port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    client->free(client);
    ck_assert_int_eq(connect_to_port("https", port), RC_OK);
    send_and_run(push());
    ck_assert_int_eq(answers[0].transport, LINE_NOT_SENT);
    ck_assert_msg(strstr(answers[0].error, "certificate") != NULL, "%s", answers[0].error);
    MHD_stop_daemon(daemon);
    ck_assert_uint_eq(requests, 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("line_client_trust");
    TCase *t = tcase_create("line_client_trust");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_test(t, hanging_name_server_holds_nobody_up);
    tcase_add_test(t, name_that_nobody_knows_has_sent_nothing);
    tcase_add_test(t, server_that_speaks_no_tls_gets_nothing);
    tcase_add_test(t, certificate_that_nobody_vouches_for_gets_nothing);
    suite_add_tcase(s, t);
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
