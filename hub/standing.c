/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/standing.h"

#include <stdlib.h>

#include "hub/access_parts.h"

#define SESSION_MAX 16384u
#define ARENA_MAX (64u << 10)

/* A policy looks at the request, a message brings its own credential, and what the server behind gets is made anew. */
static bool is_open_to_persons(const fg_protect_t *protect) {
    return protect->kind == FG_PROTECT_WEB && protect->policy == NULL && protect->upstream == NULL &&
           protect->delegate_to.n == 0 && (protect->accept & FG_ACCEPT_SOAP) == 0;
}

/* A federation's members come and go without a change that is counted. */
static bool is_configured(const fg_exchange_t *ex, fg_str_t home_realm) {
    return home_realm.n == 0 || fg_hub_find_home_realm(ex->hub, home_realm) != NULL;
}

/* Until when the credential is good unless something changes; 0: it was not seen before, or is good this once. */
static int64_t good_until(const fg_exchange_t *ex, const fg_access_work_t *w) {
    const fg_session_t *session = &w->access.session;
    int64_t renewal = fg_session_renewal(ex, session);
    if (w->credential.kind == FG_CREDENTIAL_SESSION)
        return ex->recent_until_ms < renewal ? ex->recent_until_ms : renewal;
    if (w->credential.kind == FG_CREDENTIAL_BEARER && is_configured(ex, session->home_realm))
        return ex->recent_until_ms;
    return 0;
}

static bool stands(const fg_exchange_t *ex, const fg_access_work_t *w) {
    return w->access.outcome == FG_ACCESS_PERMITTED && is_open_to_persons(w->access.protect) &&
           ex->request.client_certificate.n == 0 && ex->response.header_count == 0 && ex->audit == NULL &&
           ex->now_ms < good_until(ex, w);
}

static bool fill(fg_standing_t *standing, const fg_access_work_t *w) {
    fg_buf_t bytes = FG_BUF_INIT(SESSION_MAX);
    fg_session_write(&bytes, &w->access.session);
    fg_str_t copy = fg_buf_ok(&bytes) ? fg_arena_str(standing->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    standing->access = w->access;
    standing->protect = *w->access.protect;
    standing->access.protect = &standing->protect;
    return copy.p != NULL && fg_session_read(standing->arena, copy, &standing->access.session);
}

fg_standing_t *fg_standing_new(const fg_exchange_t *ex) {
    const fg_access_work_t *w = (const fg_access_work_t *)ex->access;
    fg_arena_t *arena = stands(ex, w) ? fg_arena_new(ARENA_MAX) : NULL;
    fg_standing_t *standing = arena != NULL ? fg_arena_alloc(arena, sizeof *standing) : NULL;
    if (standing == NULL) {
        fg_arena_free(arena);
        return NULL;
    }
    standing->arena = arena;
    standing->until_ms = good_until(ex, w);
    if (fill(standing, w))
        return standing;
    fg_standing_free(standing);
    return NULL;
}

void fg_standing_free(fg_standing_t *standing) {
    if (standing != NULL)
        fg_arena_free(standing->arena);
}
