/* settings - stepd's own settings: from flags, one strict YAML file and the service manager.
 *
 * Shape    one table of settings; each is a key in the file (data_dir) and a flag (--data-dir). Flags win
 *          over the file, the file over the manager's directories, those over built-in values. All mistakes
 *          of the file are shown at once, each with its place and remedy.
 * Units    clock_start_ms is UTC milliseconds; rates are requests a second.
 * Errors   RC_INVALID with a message for stderr; RC_END when only --help or --version was asked for, with
 *          the text for stdout.
 * Owner    the caller embeds the struct and calls settings_fini(); texts live until then.
 */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include "daemon/report.h"
#include "engine/base/buf.h"

struct arena;

struct settings {
    const char *data_dir;
    const char *socket; /* the path of the API's Unix socket */
    uint32_t socket_mode;
    const char *listen; /* ADDRESS:PORT for webhooks */
    const char *line_url;
    const char *public_url;  /* where friends find the pages of forms and calendars */
    const char *credentials; /* the directory with channel_secret and channel_token */
    size_t map_bytes;        /* the most the log may ever take */
    uint64_t room_min_bytes; /* below so much free disk or map the daemon is read-only */
    bool virtual_clock;
    bool has_clock_start;
    int64_t clock_start_ms; /* where a virtual clock begins; without it, at the present */
    bool fetch_profiles;
    bool checkpoints;
    uint32_t in_flight_max;
    uint32_t push_per_second;
    uint32_t multicast_per_second;
    uint32_t reply_per_second;
    enum report_level log_level;
    struct arena *arena;
};

/* Reads the command line, the file it names and the environment. out_settings need not be initialised
 * and may be given to settings_fini() whatever came back. */
MUST_USE enum rc settings_read(struct settings *out_settings, int argc, char *const *argv,
                               struct buf *out_message);
void settings_fini(struct settings *settings);

#endif
