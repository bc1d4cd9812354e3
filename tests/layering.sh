#!/bin/sh
# layering.sh [ROOT] - holds every #include line of the rooms against the table of what each may
# include (docs/architecture.md draws it). The linker checks calls; this checks types and constants.
set -eu
root=${1:-$(dirname "$0")/..}
cd "$root"

files=$(find engine proto store daemon tools -name '*.[ch]' 2>/dev/null | LC_ALL=C sort)
[ -n "$files" ] || { echo "layering: no source files under $(pwd)" >&2; exit 1; }

# shellcheck disable=SC2086
awk '
function allow(room, headers,    list, n, i) {
    n = split(headers, list, " ")
    for (i = 1; i <= n; i++) {
        allowed[room, list[i]] = 1
    }
}
BEGIN {
    # Plain C: no clock, no file, no thread among them. stdio.h is here for vsnprintf alone, and
    # tests/purity.sh sees to it that nothing else of it is called.
    plain = "assert.h inttypes.h limits.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h"
    disk = "dirent.h errno.h fcntl.h sys/file.h sys/mman.h sys/stat.h sys/statvfs.h sys/types.h unistd.h"

    allow("base", plain " engine/base/ xxhash.h")
    allow("engine", plain " engine/ roaring/roaring.h xxhash.h")
    allow("proto", plain " ctype.h errno.h iconv.h engine/ proto/ msgpack.h jansson.h yaml.h openssl/ utf8proc.h")
    allow("store", plain " " disk " pthread.h signal.h sys/eventfd.h engine/base/ store/ lmdb.h")

    # The daemon acts, so the operating system is open to it; the libraries are named. LMDB is not
    # among them: only store/ knows what the log is kept in.
    system_of_daemon = disk " arpa/inet.h getopt.h grp.h locale.h math.h netdb.h netinet/in.h " \
        "netinet/tcp.h poll.h pthread.h pwd.h signal.h strings.h sys/prctl.h sys/random.h sys/resource.h " \
        "sys/select.h sys/socket.h sys/time.h sys/uio.h sys/un.h sys/wait.h termios.h time.h wchar.h sys/ioctl.h ctype.h"
    libraries = "curl/curl.h ev.h jansson.h microhttpd.h openssl/ yaml.h"
    allow("daemon", plain " " system_of_daemon " engine/ proto/ store/ daemon/ " libraries " systemd/sd-daemon.h")
    allow("tools", plain " " system_of_daemon " engine/ proto/ store/ daemon/ tools/ " libraries " utf8proc.h")
}
# A folder in the table ends in "/" and stands for what is below it.
function may_include(room, header,    folder) {
    if ((room, header) in allowed) {
        return 1
    }
    folder = header
    while (sub("[^/]*$", "", folder) && folder != "") {
        if ((room, folder) in allowed) {
            return 1
        }
        sub("/$", "", folder)
    }
    return 0
}
/^[ \t]*#[ \t]*include/ {
    room = FILENAME ~ "^engine/base/" ? "base" : substr(FILENAME, 1, index(FILENAME, "/") - 1)
    seen++
    if (match($0, /["<][^">]+[">]/) == 0) {
        printf "%s:%d: an include that names no file: %s\n", FILENAME, FNR, $0
        bad++
        next
    }
    header = substr($0, RSTART + 1, RLENGTH - 2)
    if (header ~ /\.c$/ || header ~ /\.\./) {
        printf "%s:%d: %s: include headers, by their path from the top\n", FILENAME, FNR, header
        bad++
    } else if (!may_include(room, header)) {
        printf "%s:%d: %s may not include %s\n", FILENAME, FNR, room, header
        bad++
    }
}
END {
    if (seen == 0) {
        print "layering: no #include line seen, so nothing was checked"
        exit 1
    }
    printf "layering: %d includes, %d against the table\n", seen, bad
    exit bad > 0
}' $files
