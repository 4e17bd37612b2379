/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/client.h"

#include "core/uri.h"

bool fg_str_list_has(const fg_str_list_t *list, fg_str_t s) {
    for (size_t i = 0; i < list->count; i++)
        if (fg_str_eq(list->items[i], s))
            return true;
    return false;
}

bool fg_openid_redirect_is_possible(fg_str_t text) {
    fg_uri_t uri;
    if (fg_uri_is_web(text))
        return true;
    return fg_uri_parse(text, &uri) && uri.fragment.p == NULL && uri.userinfo.p == NULL && uri.scheme.n > 0 &&
           memchr(uri.scheme.p, '.', uri.scheme.n) != NULL;
}

fg_str_t fg_openid_redirect_host(fg_str_t text) {
    fg_uri_t uri;
    return fg_uri_parse(text, &uri) ? uri.host : FG_STR_NONE;
}
