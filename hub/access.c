/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/access.h"

#include "hub/access_parts.h"
#include "hub/audit.h"

bool fg_access_begin(fg_exchange_t *ex, const fg_protect_t *protect) {
    fg_access_work_t *w = fg_arena_alloc(ex->arena, sizeof *w);
    if (w == NULL)
        return false;
    w->access.protect = protect;
    ex->access = &w->access;
    ex->next = fg_access_run;
    return true;
}

/* ---- stages */

/* The default port may be said. */
static bool host_eq(fg_str_t host, fg_str_t wanted) {
    fg_str_t end = FG_STR(":443");
    if (host.n > end.n && memcmp(host.p + host.n - end.n, end.p, end.n) == 0)
        host.n -= end.n;
    return fg_str_eq_nocase(host, wanted);
}

static bool host_is_ours(const fg_exchange_t *ex) {
    const fg_protect_t *protect = ex->access->protect;
    if (host_eq(ex->request.host, ex->hub->host))
        return true;
    for (size_t i = 0; i < protect->host_count; i++)
        if (host_eq(ex->request.host, protect->hosts[i]))
            return true;
    return false;
}

static fg_access_turn_t check_place(fg_exchange_t *ex, fg_access_work_t *w) {
    const fg_request_t *request = &ex->request;
    if (ex->keys == NULL)
        return fg_turn(FG_FAIL(&w->err, FG_E_INTERNAL, "there are no keys"));
    if (!request->https)
        return fg_turn(FG_FAIL(&w->err, FG_E_HTTP_NEEDS_TLS, "http"));
    if (!host_is_ours(ex))
        return fg_turn(FG_FAIL(&w->err, FG_E_HTTP_HOST, "host \"%.*s\"", FG_STR_ARG(request->host)));
    return FG_TURN_NEXT;
}

static fg_access_turn_t identify(fg_exchange_t *ex, fg_access_work_t *w) {
    if ((w->access.protect->accept & FG_ACCEPT_SESSION) == 0 || !fg_session_open(ex, &w->access.session))
        return fg_turn(FG_FAIL(&w->err, FG_E_AUTH_MISSING, "no credential that is accepted here"));
    w->access.credential = "session";
    return FG_TURN_NEXT;
}

static fg_access_turn_t decide(fg_exchange_t *ex, fg_access_work_t *w) {
    (void)ex;
    const fg_protect_t *protect = w->access.protect;
    if (protect->policy != NULL || protect->kind != FG_PROTECT_WEB || protect->upstream != NULL)
        return fg_turn(FG_FAIL(&w->err, FG_E_DENIED, "nobody may go where a policy decides"));
    w->access.decision.permitted = true;
    return FG_TURN_NEXT;
}

static fg_access_turn_t permit(fg_exchange_t *ex, fg_access_work_t *w) {
    fg_access_t *access = &w->access;
    access->outcome = FG_ACCESS_PERMITTED;
    access->reason = "permit";
    access->answer_is_read = access->wsman.opens;
    if (access->protect->kind != FG_PROTECT_WEB)
        fg_access_audit(ex, "permitted", NULL);
    return FG_TURN_NEXT;
}

typedef fg_access_turn_t (*stage_t)(fg_exchange_t *ex, fg_access_work_t *w);
static const stage_t stages[] = {check_place, identify, decide, permit};

/* From the stage where it stopped: nothing is done twice. */
static fg_access_turn_t go_on(fg_exchange_t *ex) {
    fg_access_work_t *w = fg_access_work(ex);
    fg_access_turn_t turn = FG_TURN_NEXT;
    while (turn == FG_TURN_NEXT && w->stage < FG_ARRAY_SIZE(stages)) {
        turn = stages[w->stage](ex, w);
        if (turn == FG_TURN_NEXT)
            w->stage++;
    }
    return turn;
}

fg_step_t fg_access_quick(fg_exchange_t *ex) {
    switch (go_on(ex)) {
    case FG_TURN_NEXT:
        return FG_STEP_DONE;
    case FG_TURN_BODY:
        return FG_STEP_BODY;
    default:
        return FG_STEP_JOB;
    }
}

fg_step_t fg_access_run(fg_exchange_t *ex) {
    fg_access_work_t *w = fg_access_work(ex);
    fg_access_turn_t turn = FG_TURN_REFUSE;
    w->on_pool = true;
    if (!fg_exchange_ensure_id(ex))
        FG_FAIL(&w->err, FG_E_INTERNAL, "no randomness for an id");
    else if (w->err.code == FG_OK)
        turn = go_on(ex);
    switch (turn) {
    case FG_TURN_NEXT:
        return FG_STEP_DONE;
    case FG_TURN_PASSWORD:
        return FG_STEP_PASSWORD;
    case FG_TURN_ANSWERED:
        ex->access->outcome = FG_ACCESS_ANSWERED;
        return FG_STEP_DONE;
    default:
        fg_access_refuse(ex, &w->err);
        return FG_STEP_DONE;
    }
}
