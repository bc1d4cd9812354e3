/* steplog - reads a log without a daemon: its events, a friend's life, the state it folds to, its health. */
#include "store/map_fault.h"
#include "tools/steplog/commands.h"

static const struct command COMMANDS[] = {
    {"tail", "[DIR]", 0, 1, "count follow", "the newest events", "最新のイベント", command_tail},
    {"show", "[DIR] EVENT", 1, 2, NULL, "one event, whole", "イベント1件の全内容", command_show},
    {"friend", "[DIR] FRIEND", 1, 2, NULL,
     "a friend's life, event by event; by number or LINE user id",
     "友だち一人の全イベント(番号か LINE ユーザーIDで)", command_friend},
    {"grep", "[DIR]", 0, 1, "kind from until friend tag scenario",
     "the events that meet every condition given", "条件に合うイベント", command_grep},
    {"stat", "[DIR]", 0, 1, NULL, "events and bytes by kind and by day, room, readers",
     "種類別・日別の件数とバイト数、空き、読み手", command_stat},
    {"replay", "[DIR]", 0, 1, "until", "rebuild the state; print its counts and digest",
     "状態を再構築し、件数とダイジェストを表示", command_replay},
    {"checkpoint", "[DIR]", 0, 1, "follow every drop",
     "write the state down for the next restart; delete what was written",
     "次の起動のために状態を書き出す(--drop で削除)", command_checkpoint},
    {"digest", "[DIR]", 0, 1, "until", "rebuild the state; print its digest alone",
     "状態を再構築し、ダイジェストだけを表示", command_digest},
    {"verify", "[DIR]", 0, 1, NULL,
     "check every batch, every word and the digest of every clean stop",
     "全バッチ・全内容・停止時のダイジェストを検査", command_verify},
    {"backup", "[DIR] DEST", 1, 2, "rate", "a copy as of now, read back and replayed",
     "今の時点の複製(書いた後に読み直して検査)", command_backup},
    {"compact", "[DIR]", 0, 1, "rate socket",
     "write the log anew, without free pages and what was erased; a running daemon takes part",
     "ログを詰め直す(空きページと消去済みの内容を除く。デーモンの動作中も可)", command_compact},
    {"export", "[DIR]", 0, 1, "no-words", "the log as text, a JSON object a line",
     "ログを1行1件の JSON で書き出す", command_export},
    {"import", "FILE DEST", 2, 2, NULL, "a log from that text (- reads it from standard input)",
     "その JSON からログを作る(- は標準入力)", command_import},
};

static const struct option OPTIONS[] = {
    {'d', "data", "DIR", "the data directory (default: $STEPD_DATA_DIR)",
     "データディレクトリ(既定: $STEPD_DATA_DIR)", true},
    {'o', "output", "table|json", "json prints an object a line", "json は1行に1件", true},
    {0, "no-color", NULL, "no colours, even on a terminal", "色を付けない", true},
    {'n', "count", "N", "so many events (default: 20)", "件数(既定: 20)", false},
    {'f', "follow", NULL, "go on as events come", "続けて表示", false},
    {0, "every", "DURATION", "stay, and again after so long when there is more (default: 5m)",
     "常駐し、この間隔ごとに(既定: 5m)", false},
    {0, "drop", NULL, "delete the checkpoints instead", "チェックポイントを削除", false},
    {0, "until", "TIME|EVENT", "only up to there, that instant or event included",
     "その時刻またはイベントまで", false},
    {0, "from", "TIME|EVENT", "only from there on", "その時刻またはイベントから", false},
    {0, "kind", "KIND,…", "of these kinds, as tail names them", "イベントの種類", false},
    {0, "friend", "FRIEND", "of this friend, by number or LINE user id", "友だち", false},
    {0, "tag", "TAG", "this tag given or taken away", "タグの付け外し", false},
    {0, "scenario", "SCENARIO", "about this scenario and its deliveries", "シナリオ", false},
    {0, "rate", "MB/S", "not faster than that (default: 50; 0: no limit)",
     "毎秒の上限(既定: 50、0 は無制限)", false},
    {0, "socket", "SOCKET", "the daemon's, where it cannot be found by what it says itself",
     "デーモンのソケット(自動で見つからないとき)", false},
    {0, "no-words", NULL, "nobody's words: no names, texts or LINE user ids",
     "名前・本文・LINE ユーザーIDを除く", false},
};

static const struct program STEPLOG = {
    .name = "steplog",
    .version = STEPD_VERSION,
    .purpose = "reads stepd's log, beside a running daemon or without one",
    .purpose_ja = "stepd のログを読む(デーモンの動作中でも停止中でも)",
    .examples =
        "  steplog tail -d /var/lib/stepd/shop -n 50\n"
        "  steplog friend -d /var/lib/stepd/shop 7 -o json | jq .kind\n"
        "  steplog replay -d /var/lib/stepd/shop --until '2026-06-01 12:00'\n"
        "  steplog grep -d /var/lib/stepd/shop --kind delivery_outcome --from '2026-06-01 12:00'\n"
        "  steplog backup -d /var/lib/stepd/shop /backup/shop\n"
        "  steplog verify /backup/shop && echo good\n",
    .commands = COMMANDS,
    .command_count = sizeof(COMMANDS) / sizeof(COMMANDS[0]),
    .options = OPTIONS,
    .option_count = sizeof(OPTIONS) / sizeof(OPTIONS[0]),
};

int
main(int argc, char **argv)
{
    map_fault_explain();
    return program_run(&STEPLOG, argc, argv);
}
