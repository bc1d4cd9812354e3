#include "store/log_mark.h"

#include "engine/base/checksum.h"
#include "store/batch.h"

#include <unistd.h>

/* magic "stpc", version, number, checksum of the batch, checksum of all before it; big-endian */
enum {
    MAGIC = 0x73747063,
    VERSION = 1,
    VERSION_AT = 4,
    SEQ_AT = 6,
    CHECKSUM_AT = 14,
    SUM_AT = 22, /* to LOG_MARK_BYTES */
};

void
log_mark_write(int fd, const struct log_mark *mark)
{
    uint8_t bytes[LOG_MARK_BYTES];
    big_endian_put(bytes, MAGIC, 4);
    big_endian_put(bytes + VERSION_AT, VERSION, 2);
    big_endian_put(bytes + SEQ_AT, mark->seq, 8);
    big_endian_put(bytes + CHECKSUM_AT, mark->checksum, 8);
    big_endian_put(bytes + SUM_AT, checksum_of(bytes, SUM_AT), 8);
    ssize_t written = pwrite(fd, bytes, sizeof(bytes), 0);
    (void)written; /* without it a restore in place may pass unseen; the log itself is whole */
}

struct log_mark
log_mark_read(int fd)
{
    uint8_t bytes[LOG_MARK_BYTES];
    if (pread(fd, bytes, sizeof(bytes), 0) != LOG_MARK_BYTES || big_endian_get(bytes, 4) != MAGIC ||
        big_endian_get(bytes + VERSION_AT, 2) != VERSION ||
        big_endian_get(bytes + SUM_AT, 8) != checksum_of(bytes, SUM_AT)) {
        return (struct log_mark){0};
    }
    return (struct log_mark){big_endian_get(bytes + SEQ_AT, 8),
                             big_endian_get(bytes + CHECKSUM_AT, 8)};
}
