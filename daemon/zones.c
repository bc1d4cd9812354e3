#include "daemon/zones.h"

#include "proto/tzif.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* The largest zone file of tzdata has 4 KB. */
enum { ZONE_FILE_BYTES_MAX = 65536, ZONE_NAME_BYTES_MAX = 64 };

struct zones {
    char *directory;
    struct zone **items; /* an account knows a handful of zones: a plain list */
    size_t count;
};

struct zones *
zones_new(const char *directory)
{
    const char *from_environment = getenv("TZDIR");
    if (directory == NULL) {
        directory = from_environment != NULL ? from_environment : "/usr/share/zoneinfo";
    }
    struct zones *zones = calloc(1, sizeof(*zones));
    assert(zones != NULL);
    zones->directory = strdup(directory);
    assert(zones->directory != NULL);
    return zones;
}

void
zones_free(struct zones *zones)
{
    if (zones == NULL) {
        return;
    }
    for (size_t i = 0; i < zones->count; i++) {
        tzif_free(zones->items[i]);
    }
    free(zones->items);
    free(zones->directory);
    free(zones);
}

static bool
name_char(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
}

/* IANA names have no dot, so nothing that walks out of the directory passes. */
static bool
name_valid(struct span name)
{
    if (name.len == 0 || name.len > ZONE_NAME_BYTES_MAX || name.data[0] == '/') {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!name_char(name.data[i])) {
            return false;
        }
    }
    return true;
}

/* NULL when there is no such file, or none that is a zone. */
static struct zone *
zone_load(const char *directory, struct span name)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/%.*s", directory, span_fmt(name));
    if (length < 0 || (size_t)length >= sizeof(path)) {
        return NULL;
    }
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return NULL;
    }
    struct zone *zone = NULL;
    uint8_t *bytes = malloc(ZONE_FILE_BYTES_MAX);
    assert(bytes != NULL);
    size_t len = fread(bytes, 1, ZONE_FILE_BYTES_MAX, file);
    if (!ferror(file) && len < ZONE_FILE_BYTES_MAX) {
        const char *kept_name = path + strlen(directory) + 1;
        enum rc rc = tzif_parse(span_of(bytes, len), kept_name, &zone);
        assert(rc != RC_NO_MEMORY);
    }
    free(bytes);
    fclose(file);
    return zone;
}

static const struct zone *
zones_lookup(void *context, struct span name)
{
    struct zones *zones = context;
    for (size_t i = 0; i < zones->count; i++) {
        if (span_equal_cstr(name, zones->items[i]->name)) {
            return zones->items[i];
        }
    }
    struct zone *zone = name_valid(name) ? zone_load(zones->directory, name) : NULL;
    if (zone == NULL) {
        return NULL;
    }
    struct zone **items = realloc(zones->items, (zones->count + 1) * sizeof(*items));
    assert(items != NULL);
    zones->items = items;
    zones->items[zones->count++] = zone;
    return zone;
}

struct zone_source
zones_source(struct zones *zones)
{
    return (struct zone_source){.lookup = zones_lookup, .context = zones};
}
