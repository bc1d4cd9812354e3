/* commands - what steplog can do, one function a command (tools/steplog/main.c has the table).
 *
 * Shape    each reads a data directory and prints for people, or a JSON object a line with -o json.
 * Units    none.
 * Errors   exit codes of tools/common/options.h.
 * Owner    borrows the invocation.
 */
#ifndef TOOLS_STEPLOG_COMMANDS_H
#define TOOLS_STEPLOG_COMMANDS_H

#include "tools/common/options.h"

int command_tail(const struct invocation *invocation);
int command_show(const struct invocation *invocation);
int command_friend(const struct invocation *invocation);
int command_replay(const struct invocation *invocation);
int command_checkpoint(const struct invocation *invocation);
int command_digest(const struct invocation *invocation);
int command_verify(const struct invocation *invocation);
int command_grep(const struct invocation *invocation);
int command_stat(const struct invocation *invocation);
int command_export(const struct invocation *invocation);
int command_import(const struct invocation *invocation);
int command_backup(const struct invocation *invocation);
int command_compact(const struct invocation *invocation);

#endif
