#!/bin/sh
# run.sh NAME [options of the bench] - prints the figures of one bench: ./dev bench backbone [--json]
set -eu
cd "$(dirname "$0")/.."

list() {
    for program in build/bin/bench_*; do
        [ -x "$program" ] && echo "  ${program##*/bench_}"
    done
}
if [ $# = 0 ]; then
    echo "usage: ./dev bench NAME [options]; there are:" >&2
    list >&2
    exit 2
fi
name=$1
shift
if [ ! -x "build/bin/bench_$name" ]; then
    echo "bench: there is no '$name'; there are:" >&2
    list >&2
    exit 2
fi
case " $* " in
*" --peers "*) ;;
*) exec "build/bin/bench_$name" "$@" ;;
esac

# --peers: theirs are started for the bench alone, and stopped after it.
peers=$(mktemp -d)
trap 'sh bench/peers.sh stop "$peers"; sleep 1; rm -rf "$peers"' EXIT
sh bench/peers.sh start "$peers"
arguments=""
for argument in "$@"; do
    [ "$argument" = --peers ] && argument="--peers $peers"
    arguments="$arguments $argument"
done
# shellcheck disable=SC2086
"build/bin/bench_$name" $arguments
