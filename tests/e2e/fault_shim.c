/* fault_shim - preloaded into the daemon, kills it at the N-th place where a crash could hurt.
 *
 * A place is: before a write transaction of LMDB commits, after it has; before a request to LINE is
 * handed to libcurl; after libcurl reports its answer, which the daemon has then not seen. SIGKILL
 * leaves no time for anything: what is not on the disk or on the wire by then never was.
 * STEPD_FAULT_AT=N says which. The shim wraps calls into the libraries, so the daemon under test is
 * the very binary that is shipped. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <lmdb.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* The loop and the log's thread both come by. */
static _Atomic long point_count;
static MDB_txn *_Atomic write_txn; /* LMDB allows one a process at a time */

/* The libraries' own function behind our wrapper. */
static void
find_original(void *out_function, const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (symbol == NULL) {
        abort();
    }
    *(void **)out_function = symbol;
}

static void
point(void)
{
    const char *at = getenv("STEPD_FAULT_AT");
    if (at != NULL && ++point_count == strtol(at, NULL, 10)) {
        (void)kill(getpid(), SIGKILL);
    }
}

int
mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn)
{
    static int (*original)(MDB_env *, MDB_txn *, unsigned int, MDB_txn **);
    if (original == NULL) {
        find_original(&original, "mdb_txn_begin");
    }
    int rc = original(env, parent, flags, txn);
    if (rc == 0 && (flags & MDB_RDONLY) == 0) {
        write_txn = *txn;
    }
    return rc;
}

int
mdb_txn_commit(MDB_txn *txn)
{
    static int (*original)(MDB_txn *);
    if (original == NULL) {
        find_original(&original, "mdb_txn_commit");
    }
    if (txn != write_txn) {
        return original(txn);
    }
    write_txn = NULL;
    point();
    int rc = original(txn);
    point();
    return rc;
}

CURLMcode
curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    static CURLMcode (*original)(CURLM *, CURL *);
    if (original == NULL) {
        find_original(&original, "curl_multi_add_handle");
    }
    point();
    return original(multi, easy);
}

CURLMsg *
curl_multi_info_read(CURLM *multi, int *in_queue)
{
    static CURLMsg *(*original)(CURLM *, int *);
    if (original == NULL) {
        find_original(&original, "curl_multi_info_read");
    }
    CURLMsg *message = original(multi, in_queue);
    if (message != NULL && message->msg == CURLMSG_DONE) {
        point();
    }
    return message;
}
