#!/bin/sh
# commands.sh [ROOT] - ./dev, its help and the documents agree: every command that dev knows is in its
# help and in the README or CONTRIBUTING, and no page names one that dev does not know.
set -eu
cd "${1:-$(dirname "$0")/..}"
bad=0

known=$(sed -n 's/^cmd_\([a-z]*\)() {.*/\1/p' dev | LC_ALL=C sort)
helped=$(./dev help | sed -n 's/^\.\/dev \([a-z]*\) .*/\1/p' | LC_ALL=C sort)
[ -n "$known" ] || { echo "commands: dev has none" >&2; exit 1; }

for command in $known; do
    [ "$command" = help ] && continue
    printf '%s\n' "$helped" | grep -qx "$command" || { echo "commands: ./dev help lacks '$command'"; bad=1; }
    grep -qE "\./dev $command([^a-z]|\$)" README.md CONTRIBUTING.md ||
        { echo "commands: neither README nor CONTRIBUTING names './dev $command'"; bad=1; }
done
for command in $(grep -hoE '\./dev [a-z]+' README.md CONTRIBUTING.md docs/*.md .ci/run | sed 's/.* //' | LC_ALL=C sort -u) $helped; do
    printf '%s\n' "$known" | grep -qx "$command" || { echo "commands: './dev $command' is named and not known"; bad=1; }
done
if ./dev no-such-command >/dev/null 2>&1; then
    echo "commands: ./dev accepts an unknown command"
    bad=1
fi
[ "$bad" = 0 ] && echo "commands: $(printf '%s\n' "$known" | wc -l) commands agree"
exit "$bad"
