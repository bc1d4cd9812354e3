#include "tools/common/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 1000, DEPTH_MAX = 16, FILE_BYTES_MAX = 1024 * 1024 };

struct reader {
    struct arena *arena;
    struct source_files *files;
    struct buf *error;
};

static enum rc
fail(struct reader *reader, const char *path, int reason)
{
    buf_printf(reader->error, "%s: %s", path, strerror(reason));
    switch (reason) {
    case ENOENT:
    case ENOTDIR:
        return RC_NOT_FOUND;
    case EACCES:
    case EPERM:
        return RC_REFUSED;
    default:
        return RC_IO;
    }
}

/* One byte more than the limit is read, so that the checker sees that the file is too large. */
static enum rc
read_file(struct reader *reader, const char *path)
{
    if (reader->files->count == FILES_MAX) {
        buf_printf(reader->error, "%s: more than %d files", path, FILES_MAX);
        return RC_TOO_LARGE;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(reader, path, errno);
    }
    struct buf text = {0};
    ssize_t got = 0;
    do {
        uint8_t *room = buf_reserve(&text, 65536);
        if (room == NULL) {
            abort();
        }
        got = read(fd, room, 65536);
        text.len -= 65536 - (got > 0 ? (size_t)got : 0);
    } while (got > 0 && text.len <= FILE_BYTES_MAX);
    int reason = errno;
    close(fd);
    enum rc rc = got < 0 ? fail(reader, path, reason) : RC_OK;
    if (rc == RC_OK) {
        struct source_files *files = reader->files;
        files->items = arena_grow(reader->arena, files->items, files->count, sizeof(*files->items));
        files->items[files->count++] = (struct source_file){
            .name = arena_span(reader->arena, span_cstr(path)),
            .text = arena_span(reader->arena, buf_span(&text)),
        };
    }
    buf_fini(&text);
    return rc;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool
is_yaml(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && strcmp(name + len - 5, ".yaml") == 0;
}

static enum rc
read_folder(struct reader *reader, const char *path, int depth)
{
    if (depth > DEPTH_MAX) {
        buf_printf(reader->error, "%s: folders deeper than %d", path, DEPTH_MAX);
        return RC_TOO_LARGE;
    }
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_visible, by_name);
    if (count < 0) {
        return fail(reader, path, errno);
    }
    enum rc rc = RC_OK;
    for (int i = 0; i < count; i++) {
        struct buf below = {0};
        buf_printf(&below, "%s/%s", path, entries[i]->d_name);
        struct stat about;
        if (rc == RC_OK && stat(buf_cstr(&below), &about) != 0) {
            rc = fail(reader, buf_cstr(&below), errno);
        } else if (rc == RC_OK && S_ISDIR(about.st_mode)) {
            rc = read_folder(reader, buf_cstr(&below), depth + 1);
        } else if (rc == RC_OK && is_yaml(entries[i]->d_name)) {
            rc = read_file(reader, buf_cstr(&below));
        }
        buf_fini(&below);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

enum rc
files_read(const char *path, struct arena *arena, struct source_files *files, struct buf *out_error)
{
    struct reader reader = {.arena = arena, .files = files, .error = out_error};
    struct stat about;
    if (stat(path, &about) != 0) {
        return fail(&reader, path, errno);
    }
    if (!S_ISDIR(about.st_mode)) {
        return read_file(&reader, path);
    }
    struct buf folder = {0}; /* without trailing slashes, as messages show it */
    buf_append_cstr(&folder, path);
    while (folder.len > 1 && folder.data[folder.len - 1] == '/') {
        folder.len--;
    }
    uint32_t before = files->count;
    enum rc rc = read_folder(&reader, buf_cstr(&folder), 0);
    if (rc == RC_OK && files->count == before) {
        buf_printf(out_error, "%s: no *.yaml in this folder", path);
        rc = RC_NOT_FOUND;
    }
    buf_fini(&folder);
    return rc;
}
