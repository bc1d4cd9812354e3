#!/bin/sh
# house_breaks.sh - the house tests themselves must be able to fail: each is given a small tree with
# one wall broken and must refuse it, naming the place.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

refuses() { # what, words expected in the output, command...
    what=$1
    words=$2
    shift 2
    if output=$("$@" 2>&1); then
        echo "house_breaks: $what was let through"
        failures=$((failures + 1))
    elif ! printf '%s\n' "$output" | grep -qF -- "$words"; then
        printf 'house_breaks: %s was refused without saying "%s":\n%s\n' "$what" "$words" "$output"
        failures=$((failures + 1))
    fi
}
tree() { # file, text: a fresh tree with that one file
    rm -rf "$work/tree"
    mkdir -p "$work/tree/$(dirname "$1")"
    printf '%b' "$2" >"$work/tree/$1"
}

tree engine/clock.c '#include <stdint.h>\n#include <time.h>\n'
refuses "a clock in the engine" "engine/clock.c:2: engine may not include time.h" sh "$here/layering.sh" "$work/tree"
tree engine/a.c '#include "proto/event.h"\n'
refuses "engine reaching up to proto" "engine may not include proto/event.h" sh "$here/layering.sh" "$work/tree"
tree engine/base/a.c '#include "engine/state.h"\n'
refuses "base reaching up to engine" "base may not include engine/state.h" sh "$here/layering.sh" "$work/tree"
tree proto/a.c '#include "store/log.h"\n'
refuses "proto looking into store" "proto may not include store/log.h" sh "$here/layering.sh" "$work/tree"
tree proto/a.c '#include <unistd.h>\n'
refuses "file descriptors in proto" "proto may not include unistd.h" sh "$here/layering.sh" "$work/tree"
tree store/a.c '#include "engine/event.h"\n'
refuses "store knowing events" "store may not include engine/event.h" sh "$here/layering.sh" "$work/tree"
tree daemon/a.c '#include <lmdb.h>\n'
refuses "LMDB in the daemon" "daemon may not include lmdb.h" sh "$here/layering.sh" "$work/tree"
tree proto/a.c '#include "../engine/event.h"\n'
refuses "a relative include" "by their path from the top" sh "$here/layering.sh" "$work/tree"

tree engine/a.h '/* a - something.\n *\n * Shape    one.\n * Errors   none.\n * Owner    nobody.\n */\n'
refuses "a header without Units" "engine/a.h: the opening paragraph lacks Units" sh "$here/headers.sh" "$work/tree"
tree engine/a.h '#ifndef A_H\n'
refuses "a header without a paragraph" "engine/a.h:1: begin with" sh "$here/headers.sh" "$work/tree"

tree a.c '#include <time.h>\nlong now(void);\nlong now(void) { return (long)time(0); }\n'
(cd "$work/tree" && cc -c a.c -o a.o && ar rc liba.a a.o)
refuses "a call to time()" "'time' is not on the list" sh "$here/purity.sh" "$work/tree/liba.a"

tree store/a.c '    pid_t child = fork();\n'
refuses "a fork below the daemon" "store/a.c:1:" sh "$here/no_fork.sh" "$work/tree"

tree README.md '| `engine/` | `engine` | what decides |\n'
printf 'engine engine\nproto proto\n' >"$work/tree/map"
refuses "a folder the README does not map" "+proto proto" sh "$here/map.sh" "$work/tree/README.md" "$work/tree/map"

tree README.md './dev build and ./dev dance\n'
printf '#!/bin/sh\ncmd_build() { :; }\ncmd_help() { :; }\n[ "$1" = help ] && echo "./dev build    builds" && exit 0\nexit 2\n' >"$work/tree/dev"
chmod +x "$work/tree/dev"
touch "$work/tree/CONTRIBUTING.md"
mkdir -p "$work/tree/docs" "$work/tree/.ci"
touch "$work/tree/docs/a.md" "$work/tree/.ci/run"
refuses "a command nobody knows" "'./dev dance' is named and not known" sh "$here/commands.sh" "$work/tree"

[ "$failures" = 0 ] && echo "house_breaks: every broken wall was noticed"
exit "$failures"
