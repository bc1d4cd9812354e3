#include "store/log_rows.h"

struct row_head {
    uint64_t seq;
    size_t len;
};

void
log_rows_fini(struct log_rows *rows)
{
    buf_fini(&rows->bytes);
}

void
log_rows_begin(struct log_rows *rows, uint64_t from, uint64_t to, size_t bytes_max)
{
    buf_clear(&rows->bytes);
    rows->from = from;
    rows->to = to;
    rows->bytes_max = bytes_max;
    rows->at = 0;
}

bool
log_rows_add(struct log_rows *rows, uint64_t seq, struct span row)
{
    const struct row_head head = {seq, row.len};
    if (rows->bytes.len > 0 && rows->bytes.len + sizeof(head) + row.len > rows->bytes_max) {
        rows->to = seq - 1;
        return false;
    }
    buf_append(&rows->bytes, &head, sizeof(head));
    buf_append_span(&rows->bytes, row);
    return rows->bytes.rc == RC_OK;
}

bool
log_rows_cover(const struct log_rows *rows, uint64_t seq)
{
    return seq >= rows->from && seq <= rows->to && rows->to != 0;
}

bool
log_rows_next(struct log_rows *rows, uint64_t *out_seq, struct span *out_row)
{
    struct row_head head;
    if (rows->at >= rows->bytes.len) {
        return false;
    }
    memcpy(&head, rows->bytes.data + rows->at, sizeof(head));
    *out_seq = head.seq;
    *out_row = span_of(rows->bytes.data + rows->at + sizeof(head), head.len);
    rows->at += sizeof(head) + head.len;
    return true;
}

bool
log_rows_find(struct log_rows *rows, uint64_t seq, struct span *out_row)
{
    struct row_head head = {.seq = seq + 1};
    if (rows->at < rows->bytes.len) {
        memcpy(&head, rows->bytes.data + rows->at, sizeof(head));
    }
    if (head.seq > seq) {
        rows->at = 0;
    }
    while (rows->at < rows->bytes.len) {
        memcpy(&head, rows->bytes.data + rows->at, sizeof(head));
        if (head.seq == seq) {
            *out_row = span_of(rows->bytes.data + rows->at + sizeof(head), head.len);
        }
        if (head.seq >= seq) {
            return head.seq == seq;
        }
        rows->at += sizeof(head) + head.len;
    }
    return false;
}
