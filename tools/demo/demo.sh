#!/bin/sh
# demo.sh - a week of a camp shop's friends in seconds, without a LINE account. Real programs: fakeline
# plays LINE on loopback, stepd runs on virtual time, and is killed once while a message is on its way.
# The data directory stays, so that the commands printed at the end can be tried on it.
set -eu
cd "$(dirname "$0")/../.."
bin=${STEPD_BIN:-build/bin}
dir=${STEPD_DEMO_DIR:-build/demo}
shop=docs/examples/camp-shop
rehearsal=docs/examples/camp-shop.rehearsal.yaml
socket=$dir/stepd.sock
secret=demo-channel-secret
token=demo-channel-token
line_pid=""
stepd_pid=""

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') green=$(printf '\033[32m')
    yellow=$(printf '\033[33m') red=$(printf '\033[31m') plain=$(printf '\033[0m')
else
    bold='' dim='' green='' yellow='' red='' plain=''
fi

heading() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
die() {
    printf '%sdemo: %s%s\n' "$red" "$*" "$plain" >&2
    [ -f "$dir"/stepd.log ] && tail -n 5 "$dir"/stepd.log >&2
    exit 1
}
leave() {
    [ -n "$stepd_pid" ] && kill "$stepd_pid" 2>/dev/null
    [ -n "$line_pid" ] && kill "$line_pid" 2>/dev/null
    wait 2>/dev/null || true
}
trap leave EXIT
trap 'exit 130' INT TERM

# Tries a command up to 500 times, 10 ms apart.
until_true() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 500 ] || return 1
        sleep 0.01
    done
}

api() { # method, path, [json]
    if [ $# -gt 2 ]; then
        curl -sS --fail-with-body --noproxy '*' --unix-socket "$socket" -X "$1" -H 'Content-Type: application/json' \
            --data-binary "$3" "http://stepd$2"
    else
        curl -sS --fail-with-body --noproxy '*' --unix-socket "$socket" -X "$1" "http://stepd$2"
    fi
}
line() { # method, path, [json]
    curl -sS --fail-with-body --noproxy '*' -X "$1" ${3:+-H 'Content-Type: application/json' --data-binary "$3"} \
        "http://127.0.0.1:$line_port$2"
}
# jq calls no input at all a success, so each answer is looked at on its own.
ready() { status=$(api GET /v1/status) && printf '%s' "$status" | jq -e '.bot_user_id != null'; }
listens() { [ -s "$dir"/fakeline.port ]; }

start_stepd() { # the instant its clock begins at
    "$bin"/stepd --data-dir "$dir"/data --socket "$socket" --listen 127.0.0.1:0 --line-url "http://127.0.0.1:$line_port" \
        --credentials "$dir"/credentials --clock virtual --clock-start "$1" >>"$dir"/stepd.log 2>&1 &
    stepd_pid=$!
    until_true ready || die "stepd does not start"
    webhook_url=http://$(api GET /v1/status | jq -r .listen)/webhook
}

# ---- the friends -----------------------------------------------------------------------------------

names='Aoi Botan Chihiro Daichi'
id_of() { # Aoi -> U000…0a
    case $1 in
    Aoi) n=a ;; Botan) n=b ;; Chihiro) n=c ;; Daichi) n=d ;; *) die "nobody is called $1" ;;
    esac
    printf 'U%031d%s' 0 "$n"
}

# Prints what fakeline accepted since the last look.
seen=0
show_deliveries() {
    line GET "/fakeline/accepted?after=$seen" >"$dir"/accepted.json
    jq -r --argjson names "$name_table" '
        .accepted[] | .to[] as $to # a multicast has several
        | [ (.at_ms / 1000 + 32400 | strftime("%m-%d %H:%M:%S")),
            $names[$to], (if .endpoint == "reply" then "reply" else "push" end), ([.messages[] | .text // .altText // .type] | join(" / ")
               | if length > 44 then .[:43] + "…" else . end) ]
        | @tsv' "$dir"/accepted.json |
        while IFS="$(printf '\t')" read -r at who how text; do
            [ "$how" = reply ] && colour=$green || colour=$yellow
            printf '  %s  %s%-5s%s %s %s\n' "$at" "$colour" "$how" "$plain" "-> $who" "$dim$text$plain"
        done
    seen=$(jq --argjson seen "$seen" '[.accepted[].n, $seen] | max' "$dir"/accepted.json)
}

advance() { # local time
    api POST /v1/clock "$(jq -nc --arg t "$1" '{advance_to: $t}')" >/dev/null || die "the clock does not move to $1"
    show_deliveries
}

# A friend does something: the webhook that LINE would send, signed, and stepd's 200.
act() { # time, friend, what (Japanese and English), event as JSON without id, time and source
    advance "$1"
    printf '  %s  %s%s%s %s\n' "$(printf '%s' "$1" | cut -c6-)" "$bold" "$2" "$plain" "$3"
    event=$(jq -nc --arg user "$(id_of "$2")" --argjson event "$4" \
        '$event + {source: {type: "user", userId: $user}}')
    now_ms=$(api GET /v1/clock | jq .now_ms)
    answer=$(line POST /fakeline/webhook "$(jq -nc --arg url "$webhook_url" --argjson event "$event" \
        --argjson now "$now_ms" '{url: $url, events: [$event], time_ms: $now}')") || die "fakeline cannot post"
    [ "$(printf '%s' "$answer" | jq .status)" = 200 ] || die "the webhook of $2 was not taken"
    advance "$1"
}
follows() { act "$1" "$2" "友だち追加 (follows)" '{"type":"follow","follow":{"isUnblocked":false}}'; }
unblocks() { act "$1" "$2" "ブロック解除 (unblocks)" '{"type":"follow","follow":{"isUnblocked":true}}'; }
blocks() { act "$1" "$2" "ブロック (blocks)" '{"type":"unfollow"}'; }
taps() { act "$1" "$2" "タップ (taps): $3" "$(jq -nc --arg data "$4" '{type: "postback", postback: {data: $data}}')"; }
says() {
    act "$1" "$2" "「$3」" "$(jq -nc --arg text "$3" \
        '{type: "message", message: {type: "text", id: "800001", quoteToken: "q", text: $text}}')"
}

# ---- the week --------------------------------------------------------------------------------------

for program in stepd stepctl steplog fakeline; do
    [ -x "$bin"/$program ] || die "$bin/$program is not built; run ./dev demo"
done
rm -rf "$dir"
mkdir -p "$dir"/credentials "$dir"/data
chmod 700 "$dir"/credentials "$dir"/data
(umask 077 && printf %s $secret >"$dir"/credentials/channel_secret && printf %s $token >"$dir"/credentials/channel_token)
began=$(date +%s)

heading "fakeline と stepd を起動 (LINE on loopback, stepd on virtual time)"
"$bin"/fakeline serve --port 0 --port-file "$dir"/fakeline.port --secret $secret --token $token \
    >"$dir"/fakeline.log 2>&1 &
line_pid=$!
until_true listens || die "fakeline does not start"
line_port=$(cat "$dir"/fakeline.port)
name_table='{}'
for name in $names; do
    id=$(id_of "$name")
    line POST "/fakeline/users/$id" "$(jq -nc --arg name "$name" '{profile: {displayName: $name, language: "ja"}}')" >/dev/null
    name_table=$(printf %s "$name_table" | jq -c --arg id "$id" --arg name "$name" '. + {($id): $name}')
done
start_stepd "2026-06-01 09:00:00"

heading "定義を反映 (stepctl apply $shop)"
"$bin"/stepctl --socket "$socket" apply --yes $shop |
    awk '$2 ~ /^(kind|scenario|button|auto_reply|friend_add)$/ || /in force/ { print "  " $0; next } { left_out++ }
         END { printf "  (%d rows of tags, fields and templates left out)\n", left_out }'

heading "一週間 (a week; 返信 reply は無料、push は課金対象)"
follows "2026-06-01 10:15:00" Aoi
taps "2026-06-01 10:20:30" Aoi はじめて survey_beginner
follows "2026-06-01 12:00:00" Daichi
blocks "2026-06-01 12:30:00" Daichi
follows "2026-06-01 20:30:00" Botan
follows "2026-06-01 23:00:00" Chihiro

# The nudges of Botan and Chihiro go out at 09:00. LINE accepts the first and its answer never comes;
# at that moment the daemon is killed.
line POST /fakeline/faults '{"endpoint":"push","kind":"stall_after_accept","times":1,"delay_ms":60000}' >/dev/null
api POST /v1/clock '{"advance_to":"2026-06-02 09:00:00"}' >/dev/null 2>&1 &
caller=$!
accepted_more() { [ "$(line GET "/fakeline/accepted?after=$seen" | jq '.accepted | length')" -gt 0 ]; }
until_true accepted_more || die "nothing was accepted at 09:00"
kill -9 "$stepd_pid"
wait "$stepd_pid" 2>/dev/null || true
wait $caller 2>/dev/null || true
show_deliveries
printf '  %s%s%s\n' "$red" "kill -9: 受け付けられた直後、返事を聞く前に stepd を強制終了 (killed between LINE's accept and its answer)" "$plain"
line DELETE /fakeline/faults >/dev/null
start_stepd "2026-06-02 09:00:00"
advance "2026-06-02 09:00:00"
conflicts=$(line GET "/fakeline/requests?after=0" | jq '[.requests[] | select(.status == 409)] | length')
printf '  %s%s%s\n' "$green" "再起動: ログから続き。同じキーの再送に LINE は 409 (受付済) を $conflicts 回 (the repeat got 409, accepted before: nobody gets it twice)" "$plain"
[ "$conflicts" -gt 0 ] || die "nothing was repeated, so the kill came at the wrong moment"

advance "2026-06-03 08:00:00"
unblocks "2026-06-03 09:00:00" Daichi
says "2026-06-03 11:00:00" Botan 何時から
taps "2026-06-03 22:00:00" Chihiro 慣れている survey_expert
advance "2026-06-05 08:00:00"
"$bin"/stepctl --socket "$socket" friend tag "$(id_of Aoi)" +bought >/dev/null
printf '  06-05 08:00:00  %sAoi%s 購入 → 店員がタグ付け (stepctl friend tag … +bought)\n' "$bold" "$plain"
advance "2026-06-08 20:00:00"

heading "届いたもの全部 (everything that was sent)"
: >"$dir"/why.jsonl
for name in $names; do
    api GET "/v1/friends/$(id_of "$name")/why" | jq -c --arg name "$name" '.deliveries[] + {name: $name}' >>"$dir"/why.jsonl
done
jq -rs '
    def pad(n): . + " " * ([n - length, 0] | max);
    def instant: if . == null then "-" else .[5:10] + " " + .[11:19] end;
    ("  " + ("due" | pad(16)) + ("sent" | pad(16)) + ("friend" | pad(9)) + ("step" | pad(23)) + ("how" | pad(29)) + "late by"),
    (sort_by(.due, .at) | .[]
     | "  " + (.due | instant | pad(16))
       + ((if .outcome == "sent" then .at else null end) | instant | pad(16))
       + (.name | pad(9)) + (.source // "-" | pad(23))
       + ((if .outcome == "sent" then .how else .outcome + " " + (.reason // "") end) | pad(29))
       + (if .outcome != "sent" or .late_ms == null then "-"
          elif .late_ms < 1000 then "0 s"
          else (.late_ms / 1000 | floor) as $s
               | "\($s / 3600 | floor) h \($s % 3600 / 60 | floor) min" end))' "$dir"/why.jsonl
replies=$(jq -s 'map(select(.outcome == "sent" and .how == "reply")) | length' "$dir"/why.jsonl)
pushes=$(jq -s 'map(select(.outcome == "sent" and .how == "push")) | length' "$dir"/why.jsonl)
accepted=$(line GET "/fakeline/accepted?after=0" | jq '[.accepted[].to | length] | add')
printf '  %s replies, %s pushes; fakeline accepted %s\n' "$replies" "$pushes" "$accepted"
[ $((replies + pushes)) = "$accepted" ] || die "that does not add up"

kill "$stepd_pid"
wait "$stepd_pid" || die "stepd did not stop cleanly"
stepd_pid=""
heading "お試しください (to try; the data directory stays in $dir/data, took $(($(date +%s) - began)) s)"
cat <<END
  $bin/steplog friend $dir/data 0
  $bin/steplog replay $dir/data --until '2026-06-03 12:00:00'
  $bin/stepctl rehearse $rehearsal
END
