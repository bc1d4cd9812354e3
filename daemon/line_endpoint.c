#include "daemon/line_endpoint.h"

const struct line_endpoint_row line_endpoints[LINE_ENDPOINT_COUNT] = {
    [LINE_PUSH] = {"push", "/v2/bot/message/push", true, true, 2000},
    [LINE_MULTICAST] = {"multicast", "/v2/bot/message/multicast", true, true, 200},
    [LINE_REPLY] = {"reply", "/v2/bot/message/reply", true, false, 2000},
    [LINE_PROFILE] = {"profile", "/v2/bot/profile/", false, false, 2000},
    [LINE_BOT_INFO] = {"info", "/v2/bot/info", false, false, 2000},
    [LINE_QUOTA] = {"quota", "/v2/bot/message/quota", false, false, 2000},
    [LINE_CONSUMPTION] = {"consumption", "/v2/bot/message/quota/consumption", false, false, 2000},
};
