#include "store/unborn.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a meta page has the number of its transaction, on 64-bit systems; elsewhere another part of the
 * page lies there, the answer is "committed", and the file is left alone. */
enum { TXN_NUMBER_AT = 144, PAGES = 3 /* any commit writes a third page before a meta page */ };

static bool
was_committed(int fd, off_t size)
{
    off_t page_bytes = (off_t)sysconf(_SC_PAGESIZE);
    if (size >= PAGES * page_bytes) {
        return true;
    }
    for (off_t page = 0; page < size; page += page_bytes) {
        uint64_t txn_number = 0;
        if (pread(fd, &txn_number, sizeof(txn_number), page + TXN_NUMBER_AT) < 0 ||
            txn_number != 0) {
            return true;
        }
    }
    return false;
}

void
unborn_clear(const char *data_file)
{
    struct stat file;
    int fd = open(data_file, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (fstat(fd, &file) == 0 && file.st_size > 0 && !was_committed(fd, file.st_size)) {
        (void)!ftruncate(fd, 0);
    }
    close(fd);
}
