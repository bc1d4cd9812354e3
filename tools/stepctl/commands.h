/* commands - what stepctl can do, one function a command (tools/stepctl/main.c has the table).
 *
 * Shape    each prints for people, or the API's JSON with -o json, and returns its exit code.
 * Units    none.
 * Errors   exit codes of tools/common/options.h.
 * Owner    borrows the invocation.
 */
#ifndef TOOLS_STEPCTL_COMMANDS_H
#define TOOLS_STEPCTL_COMMANDS_H

#include "tools/common/options.h"

int command_status(const struct invocation *invocation);
int command_digest(const struct invocation *invocation);
int command_check(const struct invocation *invocation);
int command_apply(const struct invocation *invocation);
int command_diff(const struct invocation *invocation);
int command_friend_list(const struct invocation *invocation);
int command_friend_show(const struct invocation *invocation);
int command_friend_tag(const struct invocation *invocation);
int command_friend_untag(const struct invocation *invocation);
int command_friend_field(const struct invocation *invocation);
int command_friend_forget(const struct invocation *invocation);
int command_friend_hide(const struct invocation *invocation);
int command_friend_unhide(const struct invocation *invocation);
int command_friend_block(const struct invocation *invocation);
int command_friend_unblock(const struct invocation *invocation);
int command_segment_count(const struct invocation *invocation);
int command_segment_list(const struct invocation *invocation);
int command_release(const struct invocation *invocation);
int command_scenario_list(const struct invocation *invocation);
int command_scenario_show(const struct invocation *invocation);
int command_scenario_start(const struct invocation *invocation);
int command_scenario_stop(const struct invocation *invocation);
int command_next(const struct invocation *invocation);
int command_report_scenario(const struct invocation *invocation);
int command_report_broadcast(const struct invocation *invocation);
int command_report_links(const struct invocation *invocation);
int command_report_route(const struct invocation *invocation);
int command_report_cross(const struct invocation *invocation);
int command_simulate(const struct invocation *invocation);
int command_calendar(const struct invocation *invocation);
int command_why(const struct invocation *invocation);
int command_clock(const struct invocation *invocation);
int command_clock_advance(const struct invocation *invocation);
int command_quota(const struct invocation *invocation);
int command_scenario_cap(const struct invocation *invocation);
int command_broadcast_list(const struct invocation *invocation);
int command_broadcast_cancel(const struct invocation *invocation);
int command_broadcast_fit(const struct invocation *invocation);
int command_delivery_unknown(const struct invocation *invocation);
int command_delivery_mark(const struct invocation *invocation);
int command_delivery_resend(const struct invocation *invocation);
int command_roster(const struct invocation *invocation);
int command_import(const struct invocation *invocation);
int command_rehearse(const struct invocation *invocation);

#endif
