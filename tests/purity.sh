#!/bin/sh
# purity.sh ARCHIVE... - what the engine may ask of the world. Every symbol the archives leave
# undefined, taken together, must stand in the list below: memory, strings, formatting, bitmaps,
# checksums. A call to time(), read(), rand() or getenv() fails here.
set -eu
[ $# -gt 0 ] || { echo "usage: purity.sh ARCHIVE..." >&2; exit 2; }

allowed='
abort calloc free malloc realloc
memchr memcmp memcpy memmove memset
strchr strcmp strlen strncmp strnlen strrchr strstr
qsort qsort_r bsearch
snprintf vsnprintf
__assert_fail __stack_chk_fail
__memcpy_chk __memmove_chk __memset_chk __snprintf_chk __vsnprintf_chk __strcpy_chk
_GLOBAL_OFFSET_TABLE_
'
# Families: roaring_bitmap_..., XXH3_64bits..., our own names are resolved among the archives.
families='^(roaring_|XXH(3|32|64)_)'

defined=$(nm --defined-only -g "$@" | awk 'NF == 3 { print $3 }' | LC_ALL=C sort -u)
undefined=$(nm -u "$@" | awk '$1 == "U" || $1 == "w" { print $2 }' | LC_ALL=C sort -u)
[ -n "$defined" ] || { echo "purity: the archives define nothing" >&2; exit 1; }

bad=0
for symbol in $undefined; do
    if printf '%s\n' "$defined" | grep -qxF -- "$symbol"; then
        continue
    fi
    # shellcheck disable=SC2086
    if printf '%s\n' $allowed | grep -qxF -- "$symbol"; then
        continue
    fi
    if printf '%s\n' "$symbol" | grep -qE "$families"; then
        continue
    fi
    echo "purity: '$symbol' is not on the list; called from:"
    nm -A -u "$@" | grep -E " $symbol\$" | sed 's/^/    /'
    bad=$((bad + 1))
done
echo "purity: $(printf '%s\n' "$undefined" | wc -l) symbols asked for, $bad not allowed"
[ "$bad" = 0 ]
