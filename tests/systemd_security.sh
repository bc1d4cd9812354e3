#!/bin/sh
# Holds the unit against what the project promises: every line understood by systemd, and an exposure of
# at most 2.0. Needs neither a running systemd nor an installed stepd.
# Usage: systemd_security.sh UNIT
set -eu

unit=$1
if ! command -v systemd-analyze >/dev/null 2>&1; then
    echo "skipped: systemd-analyze is not installed"
    exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# systemd wants the program to be there and a name for the instance.
name=$(basename "$unit" | sed 's|@|@shop|')
copy=$scratch/$name
sed -E 's/^ExecStart=(stepd|steplog) /ExecStart=\/bin\/true /' "$unit" >"$copy"
if ! grep -q '^ExecStart=/bin/true ' "$copy"; then
    echo "FAILED: the unit starts neither stepd nor steplog"
    exit 1
fi

units=$copy
if [ -f "${unit%.service}.timer" ]; then
    cp "${unit%.service}.timer" "${copy%.service}.timer"
    units="$units ${copy%.service}.timer"
fi

# Complaints about other units of this machine are not ours.
# shellcheck disable=SC2086
systemd-analyze verify --man=no $units >"$scratch/verify" 2>&1 || true
if grep -F "${name%.service}" "$scratch/verify"; then
    echo "FAILED: systemd does not understand the lines above"
    exit 1
fi

systemd-analyze security --no-pager --offline=true --threshold=20 "$copy" >"$scratch/security" 2>&1 || {
    cat "$scratch/security"
    echo "FAILED: the exposure is above 2.0"
    exit 1
}
grep 'Overall exposure level' "$scratch/security"
