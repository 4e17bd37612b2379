/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/wss.h"

#include "core/time.h"
#include "sts/endpoints.h"
#include "token/timestamp.h"

static const fg_xns_t ns_security = {"o", FG_NS_WSSE};
static const fg_xns_t ns_utility = {"u", FG_NS_WSU};

static bool find_parts(const xmlNode *security, const xmlNode **timestamp, const xmlNode **username, fg_err_t *err) {
    *timestamp = *username = NULL;
    for (const xmlNode *node = fg_xml_first_child(security); node != NULL; node = fg_xml_next(node)) {
        bool is_timestamp = fg_xml_is(node, FG_NS_WSU, "Timestamp");
        if (!is_timestamp && !fg_xml_is(node, FG_NS_WSSE, "UsernameToken"))
            return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "%s in the Security header", (const char *)node->name);
        const xmlNode **place = is_timestamp ? timestamp : username;
        if (*place != NULL)
            return FG_FAIL(err, is_timestamp ? FG_E_WSS_TIMESTAMP : FG_E_WSS_STRUCTURE, "%s given twice",
                           (const char *)node->name);
        *place = node;
    }
    return true;
}

bool fg_wss_read(const fg_exchange_t *ex, const xmlNode *security, unsigned policy, fg_username_token_t *username,
                 fg_err_t *err) {
    const xmlNode *timestamp, *token;
    if (security == NULL)
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "no Security header");
    if (!find_parts(security, &timestamp, &token, err))
        return false;
    if (timestamp == NULL && (policy & FG_STS_TIMESTAMP) != 0)
        return FG_FAIL(err, FG_E_WSS_TIMESTAMP, "no Timestamp");
    if (timestamp != NULL && !fg_timestamp_check(ex->env, ex->arena, timestamp, ex->hub->skew_ms, err))
        return false;
    if ((policy & FG_STS_USERNAME_TOKEN) == 0)
        return token == NULL || FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "UsernameToken");
    if (token == NULL)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "no UsernameToken");
    return fg_username_token_read(ex->env, ex->arena, token, ex->hub->skew_ms, username, err);
}

static void write_instant(fg_xw_t *w, const char *name, int64_t ms) {
    char text[FG_TIME_SIZE];
    fg_time_format(ms, text);
    fg_xw_leafz(w, &ns_utility, name, text);
}

void fg_wss_write(fg_xw_t *w, const fg_xns_t *soap, int64_t now_ms) {
    fg_xw_start(w, &ns_security, "Security");
    fg_xw_attr_ns(w, soap, "mustUnderstand", FG_STR("1"));
    fg_xw_start(w, &ns_utility, "Timestamp");
    fg_xw_attr_ns(w, &ns_utility, "Id", FG_STR("_0"));
    write_instant(w, "Created", now_ms);
    write_instant(w, "Expires", now_ms + FG_TIMESTAMP_LIFE);
    fg_xw_end(w);
    fg_xw_end(w);
}
