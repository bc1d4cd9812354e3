#!/bin/sh
# headers.sh [ROOT] - every header opens with what the module is and its Shape, Units, Errors, Owner.
set -eu
cd "${1:-$(dirname "$0")/..}"

headers=$(find . -path ./build -prune -o -path './.*' -prune -o -name '*.h' -print | sed 's|^\./||' | LC_ALL=C sort)
[ -n "$headers" ] || { echo "headers: none found under $(pwd)" >&2; exit 1; }

# shellcheck disable=SC2086
awk '
function finish() {
    if (file == "") {
        return
    }
    count++
    if (missing != "") {
        print file ": the opening paragraph lacks" missing
        bad++
    }
}
FNR == 1 {
    finish()
    file = FILENAME
    open = 1
    name = FILENAME
    sub(".*/", "", name)
    sub("[.]h$", "", name)
    split("Shape Units Errors Owner", words, " ")
    missing = ""
    for (i = 1; i in words; i++) {
        missing = missing " " words[i]
    }
    if (index($0, "/* " name " - ") != 1) {
        print FILENAME ":1: begin with \"/* " name " - what it is\""
        bad++
    }
}
open {
    for (i = 1; i in words; i++) {
        if ($0 ~ "^ [*] " words[i] " +[^ ]") {
            sub(" " words[i], "", missing)
        }
    }
    if ($0 ~ /\*\//) {
        open = 0
    }
}
END {
    finish()
    printf "headers: %d read, %d lacking\n", count, bad
    exit bad > 0
}' $headers
