/* stepctl - the operator's tool: talks to the daemon over its socket; check and rehearse need none. */
#include "proto/not_yet.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <stdio.h>

static const struct command COMMANDS[] = {
    {"status", NULL, 0, 0, NULL, "how the daemon stands", "デーモンの状態を表示", command_status},
    {"digest", NULL, 0, 0, NULL, "the digest of the state, and how long it held the daemon",
     "状態のダイジェストと、計算にかかった時間", command_digest},
    {"check", "FOLDER|FILE…", 1, ARGUMENTS_ANY, NULL,
     "find every error in definition files; no daemon needed",
     "定義ファイルの誤りをすべて表示(デーモン不要)", command_check},
    {"diff", "FOLDER|FILE…", 1, ARGUMENTS_ANY, NULL,
     "what these definitions would change, and for whom; 0 nothing, 2 something",
     "何がどう変わり、誰の予定が動くかを表示(変更なし 0、あり 2)", command_diff},
    {"apply", "FOLDER", 1, 1, "dry-run yes plan", "check, show the plan, put definitions in force",
     "検査し、計画を表示し、定義を反映", command_apply},
    {"friend list", NULL, 0, 0, "count", "friends, with tags", "友だちの一覧", command_friend_list},
    {"friend show", "FRIEND", 1, 1, NULL, "all that is known about a friend", "友だちの詳細",
     command_friend_show},
    {"friend tag", "FRIEND +TAG…", 2, ARGUMENTS_ANY, NULL, "add tags", "タグを付ける",
     command_friend_tag},
    {"friend untag", "FRIEND TAG…", 2, ARGUMENTS_ANY, NULL, "remove tags", "タグを外す",
     command_friend_untag},
    {"friend field", "FRIEND FIELD=VALUE…", 2, ARGUMENTS_ANY, NULL, "set fields; FIELD= clears one",
     "友だち情報を設定(FIELD= で消去)", command_friend_field},
    {"friend hide", "FRIEND", 1, 1, NULL, "leave a friend out of lists; messages go on",
     "一覧から隠す(配信は続く)", command_friend_hide},
    {"friend unhide", "FRIEND", 1, 1, NULL, "list a hidden friend again", "ふたたび一覧に出す",
     command_friend_unhide},
    {"friend block", "FRIEND", 1, 1, NULL, "send nothing more; tags, fields and score are erased",
     "ブロック(タグと情報を消し、配信しない)", command_friend_block},
    {"friend unblock", "FRIEND", 1, 1, NULL, "end the block; nothing comes back", "ブロックを解除",
     command_friend_unblock},
    {"friend forget", "FRIEND", 1, 1, "yes", "erase all that leads to a person; numbers stay",
     "個人につながる情報をすべて消去(数値は残る)", command_friend_forget},
    {"segment count", "CONDITION", 1, ARGUMENTS_ANY, NULL,
     "how many friends meet a condition: 'tag:vip and field:area = 関東'",
     "条件に合う友だちの数: 'tag:vip and field:area = 関東'", command_segment_count},
    {"segment list", "CONDITION", 1, ARGUMENTS_ANY, "count", "which friends meet a condition",
     "条件に合う友だちの一覧", command_segment_list},
    {"scenario list", NULL, 0, 0, NULL, "scenarios and who is in them", "シナリオの一覧",
     command_scenario_list},
    {"scenario show", "SCENARIO", 1, 1, NULL, "its steps and who waits for each",
     "ステップと待機人数", command_scenario_show},
    {"scenario start", "SCENARIO FRIEND", 2, 2, "at-step", "start it for a friend",
     "友だちに対して開始", command_scenario_start},
    {"scenario stop", "SCENARIO FRIEND", 2, 2, NULL, "stop it for a friend", "友だちに対して停止",
     command_scenario_stop},
    {"scenario cap", "SCENARIO N", 2, 2, NULL, "at most so many deliveries, then it stops itself",
     "シナリオの配信数の上限を変更", command_scenario_cap},
    {"broadcast list", NULL, 0, 0, NULL, "broadcasts and how they stand", "一斉配信の一覧",
     command_broadcast_list},
    {"broadcast cancel", "BROADCAST", 1, 1, NULL, "call it off, until it is on its way",
     "一斉配信を取り消す(配信開始前まで)", command_broadcast_cancel},
    {"broadcast fit", "BROADCAST partial|all_or_none", 2, 2, NULL,
     "send as far as the quota goes, or wait for room for all",
     "通数が足りないとき、送れるだけ送るか全員分を待つか", command_broadcast_fit},
    {"quota", "[N]", 0, 1, NULL, "messages of the month; N sets how many there may be",
     "今月の通数。N で上限を変更", command_quota},
    {"next", NULL, 0, 0, "count friend", "what comes next, in due order", "次の配信予定",
     command_next},
    {"calendar", NULL, 0, 0, "days", "how much is due in each hour of the next days",
     "これからの日ごと・時間ごとの配信予定数", command_calendar},
    {"why", "FRIEND [STEP]", 1, 2, "count",
     "every delivery of a friend: what became of it and by which rule", "配信の結果とその理由",
     command_why},
    {"clock", NULL, 0, 0, NULL, "what time it is for the daemon", "デーモンの時刻", command_clock},
    {"clock advance", "TIME", 1, 2, NULL,
     "virtual clock only: go there and do everything due on the way",
     "仮想時計を進め、その間の予定をすべて実行", command_clock_advance},
    {"release", NULL, 0, 0, "from", "let a copied or restored data directory send from a time on",
     "複製・復元したデータを、指定の時刻から配信させる", command_release},
    {"import", "FILE", 1, 1, "dry-run yes quiet",
     "take in a table (CSV, UTF-8 or CP932): tags, marks and fields by id",
     "表(CSV)を取り込む: id ごとにタグ・印・情報", command_import},
    {"roster", "CALENDAR DAY", 2, 2, NULL, "who has booked on a day, as CSV",
     "その日の予約者を CSV で出力", command_roster},
    {"rehearse", "FILE…", 1, ARGUMENTS_ANY, "tap junit requests kill-at-every-input",
     "run files on a virtual clock and compare; no daemon needed",
     "仮想時計で試し、期待と比べる(デーモン不要)", command_rehearse},
};

static const struct option OPTIONS[] = {
    {'s', "socket", "SOCKET", "the daemon's socket (default: $STEPD_SOCKET)",
     "デーモンのソケット(既定: $STEPD_SOCKET)", true},
    {'a', "account", "NAME", "the account: /run/stepd/NAME/stepd.sock",
     "アカウント: /run/stepd/NAME/stepd.sock", true},
    {'o', "output", "text|json|csv", "json prints what the API answers; csv is for spreadsheets",
     "json は API の答えをそのまま、csv は表計算ソフト用に表示", true},
    {0, "lang", "ja|en", "the language of explanations (default: of the environment)",
     "説明の言語(既定: 環境の言語)", true},
    {0, "no-color", NULL, "no colours, even on a terminal", "色を付けない", true},
    {0, "dry-run", NULL, "show the plan and change nothing", "計画を表示するだけ", false},
    {'y', "yes", NULL, "do not ask", "確認しない", false},
    {0, "plan", "ID", "only this plan, as diff showed it; refused if the state moved on",
     "diff で見た計画と同じときだけ反映", false},
    {0, "quiet", NULL, "set off no triggers", "引き金を引かない", false},
    {'n', "count", "N", "at most so many rows", "最大行数", false},
    {0, "friend", "FRIEND", "of this friend only", "この友だちだけ", false},
    {0, "days", "N", "so many days", "日数", false},
    {0, "from", "TIME|now", "what was due before is skipped", "これより前の予定は送らない", false},
    {0, "at-step", "STEP", "begin at this step", "このステップから開始", false},
    {0, "tap", NULL, "print TAP, for test runners", "TAP 形式で出力", false},
    {0, "junit", "FILE", "also write a JUnit report", "JUnit レポートも書く", false},
    {0, "requests", "FILE", "also write what LINE was sent, a line of JSON each",
     "LINE に送った内容も一行ずつ書く", false},
    {0, "kill-at-every-input", NULL,
     "once more with the daemon killed before every input; results must be equal",
     "各入力の前に強制終了しても同じ結果になるか確かめる", false},
};

/* A command that SPEC names and this version does not build says so instead of "unknown". */
static bool
explain_unknown(struct span word, struct buf *out)
{
    const struct not_yet *row = not_yet_find(NOT_YET_STEPCTL, word);
    if (row == NULL) {
        return false;
    }
    buf_printf(out, "not yet: %.*s - %s (%s)", span_fmt(word), row->what, row->rule);
    return true;
}

static const struct program STEPCTL = {
    .name = "stepctl",
    .version = STEPD_VERSION,
    .purpose = "talks to stepd: checks, applies, shows and explains",
    .purpose_ja = "stepd の操作: 検査、反映、表示、理由の説明",
    .commands = COMMANDS,
    .command_count = sizeof(COMMANDS) / sizeof(COMMANDS[0]),
    .options = OPTIONS,
    .option_count = sizeof(OPTIONS) / sizeof(OPTIONS[0]),
    .explain_unknown = explain_unknown,
};

int
main(int argc, char **argv)
{
    return program_run(&STEPCTL, argc, argv);
}
