#!/bin/sh
# no_fork.sh [ROOT] - the daemon and what it is made of start no process: an LMDB environment must not cross a
# fork, nor its descriptors an exec (RELIABILITY C12).
set -eu
cd "${1:-$(dirname "$0")/..}"

files=$(find engine proto store daemon -name '*.[ch]' 2>/dev/null | LC_ALL=C sort)
[ -n "$files" ] || { echo "no_fork: no source files under $(pwd)" >&2; exit 1; }

# shellcheck disable=SC2086
if found=$(grep -nHE '\b(v?fork|_?clone3?|popen|system|posix_spawnp?|exec[lv][a-z]*)\(' $files); then
    echo "$found" >&2
    echo "no_fork: the daemon starts no process" >&2
    exit 1
fi
echo "no_fork: nothing in engine, proto, store and daemon starts a process"
