#!/bin/sh
# map.sh README BUILD_MAP - the README's map of folders is the build's. BUILD_MAP is written by CMake:
# one line a folder, "folder target target ...". In the README a row is | `folder/` | `target` ... |.
set -eu
[ $# = 2 ] || { echo "usage: map.sh README BUILD_MAP" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Folders whose targets are one a source file are listed without them.
awk '$1 == "tests" || $1 == "bench" { print $1; next }
     { n = split($0, words, " ")
       line = words[1]
       for (i = 2; i <= n; i++) { targets[i] = words[i] }
       for (i = 2; i <= n; i++) { for (j = i + 1; j <= n; j++) { if (targets[j] < targets[i]) {
           swap = targets[i]; targets[i] = targets[j]; targets[j] = swap } } }
       for (i = 2; i <= n; i++) { line = line " " targets[i] }
       print line }' "$2" | LC_ALL=C sort >"$work/build"

awk -F'|' '/^\| `[a-z]+\/` / {
         folder = $2
         gsub(/[`\/ ]/, "", folder)
         builds = $3
         count = 0
         while (match(builds, /`[^`]+`/)) {
             names[++count] = substr(builds, RSTART + 1, RLENGTH - 2)
             builds = substr(builds, RSTART + RLENGTH)
         }
         for (i = 1; i <= count; i++) { for (j = i + 1; j <= count; j++) { if (names[j] < names[i]) {
             swap = names[i]; names[i] = names[j]; names[j] = swap } } }
         line = folder
         if (folder != "tests" && folder != "bench") {
             for (i = 1; i <= count; i++) { line = line " " names[i] }
         }
         print line
     }' "$1" | LC_ALL=C sort >"$work/readme"

[ -s "$work/build" ] || { echo "map: the build lists no folders" >&2; exit 1; }
if diff -u "$work/readme" "$work/build"; then
    echo "map: $(wc -l <"$work/build") folders, as the README has them"
else
    echo "map: the README's map (-) differs from the build (+)"
    exit 1
fi
