/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/timestamp.h"

#include "core/time.h"

/* One instant of a Timestamp; 0 if it is not there. */
static bool read_instant(fg_arena_t *arena, const xmlNode *timestamp, const char *name, int64_t *ms, fg_err_t *err) {
    unsigned count = 0;
    const xmlNode *element = fg_xml_child(timestamp, FG_NS_WSU, name, &count);
    *ms = 0;
    if (count == 0)
        return true;
    fg_str_t text = fg_xml_token(arena, element, NULL);
    if (count > 1 || text.p == NULL || !fg_time_parse(text, ms))
        return FG_FAIL_FOR(err, FG_E_WSS_TIMESTAMP, FG_R_STRUCTURE_INVALID,
                           "%s of the Timestamp given twice or no instant: %.*s", name, FG_STR_ARG(text));
    return true;
}

bool fg_timestamp_check(const fg_env_t *env, fg_arena_t *arena, const xmlNode *timestamp, int64_t skew_ms,
                        fg_err_t *err) {
    int64_t created, expires, now = fg_now(env);
    if (!read_instant(arena, timestamp, "Created", &created, err) ||
        !read_instant(arena, timestamp, "Expires", &expires, err))
        return false;
    if (created == 0)
        return FG_FAIL(err, FG_E_WSS_TIMESTAMP, "Timestamp without Created");
    if (expires != 0 && expires <= created)
        return FG_FAIL_FOR(err, FG_E_WSS_TIMESTAMP, FG_R_STRUCTURE_INVALID, "Timestamp expires before it was created");
    if (created > now + skew_ms)
        return FG_FAIL_FOR(err, FG_E_WSS_EXPIRED, FG_R_TIME_NOT_YET_VALID, "Timestamp is %lld s from the future",
                           (long long)((created - now) / FG_SECOND));
    if (created < now - skew_ms - FG_TIMESTAMP_LIFE || (expires != 0 && expires <= now - skew_ms))
        return FG_FAIL(err, FG_E_WSS_EXPIRED, "Timestamp is %lld s old", (long long)((now - created) / FG_SECOND));
    return true;
}
