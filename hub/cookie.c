/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/cookie.h"

void fg_cookie_set(fg_exchange_t *ex, const char *name, fg_str_t value, const char *attributes) {
    char *line = fg_arena_printf(ex->arena, "%s=%.*s; Path=/; Secure; HttpOnly; %s", name, (int)value.n,
                                 value.p ? value.p : "", attributes);
    if (line == NULL)
        ex->response.failed = true;
    else
        fg_response_header(ex, "Set-Cookie", fg_str(line));
}

void fg_cookie_clear(fg_exchange_t *ex, const char *name) {
    size_t times;
    fg_request_cookie(&ex->request, name, &times);
    if (times > 0)
        fg_cookie_set(ex, name, FG_STR(""), "SameSite=Lax; Max-Age=0");
}
