/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/fetch.h"

#include "core/uri.h"

#define FETCH_MAX (8u << 20)
#define DEADLINE 15000 /* ms */

/* Only where the address says: a redirect elsewhere is refused. */
static bool allow_origin(fg_arena_t *arena, fg_str_t url, fg_http_allow_t *allow) {
    fg_buf_t origin = FG_BUF_INIT(2048);
    bool known = fg_uri_origin(url, &origin);
    fg_str_t text = known ? fg_arena_str(arena, fg_buf_str(&origin)) : FG_STR_NONE;
    fg_buf_free(&origin);
    return text.p != NULL && fg_http_allow_parse(text, allow);
}

bool fg_fetch(const fg_env_t *env, fg_arena_t *arena, const char *ca, const fg_http_request_t *request,
              fg_http_response_t *response, fg_err_t *err) {
    fg_http_allow_t allow;
    fg_env_t with = *env;
    if (!allow_origin(arena, request->url, &allow))
        return FG_FAIL(err, FG_E_FILE, "%.*s is no address of the web: https://HOST/... is expected", FG_STR_ARG(request->url));
    const fg_http_options_t options = {
        .allow = &allow, .allow_count = 1, .ca_file = ca, .deadline_ms = DEADLINE, .body_max = FETCH_MAX};
    if (!fg_http_start(err))
        return false;
    with.http = fg_http_client_new(&options, err);
    bool good = with.http != NULL && fg_http_fetch(&with, arena, request, response, err);
    fg_http_client_free(with.http);
    fg_http_stop();
    if (!good && err != NULL)
        err->code = FG_E_FILE;
    return good;
}

bool fg_fetch_tls(fg_arena_t *arena, const char *ca, const char *url, fg_http_tls_t *tls, fg_err_t *err) {
    if (!fg_http_start(err))
        return false;
    bool good = fg_http_look(arena, url, ca, DEADLINE, tls, err);
    fg_http_stop();
    return good;
}
