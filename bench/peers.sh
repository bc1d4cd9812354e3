#!/bin/sh
# peers.sh start DIR | stop DIR - the servers that ./dev bench log --peers compares with, on Unix sockets in DIR:
# Redis, PostgreSQL and beanstalkd, each told to make every write sure before it answers, and BullMQ on that Redis.
# Programs that are not installed are unpacked from Debian's packages below build/peers; nothing is installed.
# A peer that cannot be had is left out, and said so.
set -eu
cd "$(dirname "$0")/.."
top=$(pwd)
store=$top/build/peers
DEBIAN="redis-server redis-tools libjemalloc2 liblua5.1-0 liblzf1 libhiredis0.14 libatomic1 lua-bitop lua-cjson
    beanstalkd postgresql-15 libpq5 libicu72 libxml2 libxslt1.1 libldap-2.5-0"

say() {
    echo "peers: $*" >&2
}

fetch() {
    [ -e "$store/unpacked" ] && return
    mkdir -p "$store/deb" "$store/root"
    for package in $DEBIAN; do
        (cd "$store/deb" && apt-get download -q "$package" >>"$store/apt.log" 2>&1) || say "no package $package"
    done
    for deb in "$store"/deb/*.deb; do
        [ -e "$deb" ] && dpkg -x "$deb" "$store/root"
    done
    touch "$store/unpacked"
}

# The installed program, else the unpacked one; fails when there is none.
program() { # NAME
    for at in $(command -v "$1" || true) /usr/lib/postgresql/*/bin/"$1" "$store"/root/usr/bin/"$1" \
        "$store"/root/usr/lib/postgresql/*/bin/"$1"; do
        if [ -x "$at" ]; then
            readlink -f "$(dirname "$at")" | sed "s,\$,/$1,"
            return 0
        fi
    done
    say "no $1"
    return 1
}

# Waits until the server listens on the socket.
listening() { # SOCKET NAME
    for _ in $(seq 100); do
        [ -S "$1" ] && return 0
        sleep 0.1
    done
    say "$2 did not start; see $(dirname "$1")"
    return 0
}

start_redis() {
    redis=$(program redis-server) || return 0
    mkdir "$dir/redis"
    "$redis" --port 0 --unixsocket "$dir/redis.sock" --dir "$dir/redis" --appendonly yes \
        --appendfsync always --save "" >"$dir/redis.log" 2>&1 &
    echo $! >>"$dir/pids"
    listening "$dir/redis.sock" redis-server
}

start_beanstalkd() {
    beanstalkd=$(program beanstalkd) || return 0
    mkdir "$dir/beanstalkd"
    "$beanstalkd" -b "$dir/beanstalkd" -f 0 -l "unix:$dir/beanstalkd.sock" >"$dir/beanstalkd.log" 2>&1 &
    echo $! >>"$dir/pids"
    listening "$dir/beanstalkd.sock" beanstalkd
}

# PostgreSQL does not run as root.
as_somebody() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid nobody --regid nogroup --clear-groups "$@"
    else
        "$@"
    fi
}

start_postgresql() {
    postgres=$(program postgres) || return 0
    bin=$(dirname "$postgres")
    chmod 0777 "$dir"
    as_somebody "$bin/initdb" -D "$dir/postgresql" -U bench -A trust -E UTF8 --no-locale \
        >"$dir/postgresql.log" 2>&1 || { say "initdb failed; see $dir/postgresql.log"; return 0; }
    as_somebody "$bin/postgres" -D "$dir/postgresql" -k "$dir" -c listen_addresses= \
        >>"$dir/postgresql.log" 2>&1 &
    echo $! >>"$dir/pids"
    listening "$dir/.s.PGSQL.5432" postgres
    sleep 1 # it may still be starting up behind its socket
}

start_bullmq() {
    [ -S "$dir/redis.sock" ] || return 0
    command -v npm >/dev/null || { say "no npm, so no BullMQ"; return 0; }
    if [ ! -d "$store/npm/node_modules/ioredis" ]; then
        mkdir -p "$store/npm"
        npm install --silent --no-audit --no-fund --prefix "$store/npm" bullmq ioredis >"$store/npm.log" 2>&1 ||
            { say "npm cannot install bullmq"; return 0; }
    fi
    NODE_PATH=$store/npm/node_modules node bench/peers_bullmq.js "$dir" >"$dir/bullmq.log" 2>&1 &
    echo $! >>"$dir/pids"
    listening "$dir/bullmq.sock" bullmq
}

[ $# = 2 ] || { echo "usage: peers.sh start|stop DIR" >&2; exit 2; }
dir=$2
case $1 in
start)
    fetch
    LD_LIBRARY_PATH=$store/root/usr/lib/$(gcc -print-multiarch 2>/dev/null || uname -m)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
    start_redis
    start_beanstalkd
    start_postgresql
    start_bullmq
    ;;
stop)
    [ -e "$dir/pids" ] && while read -r pid; do
        kill -INT "$pid" 2>/dev/null || true # PostgreSQL waits for nobody then
    done <"$dir/pids"
    ;;
*)
    echo "usage: peers.sh start|stop DIR" >&2
    exit 2
    ;;
esac
