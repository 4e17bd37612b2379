/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/access.h"

#include "hub/access_parts.h"
#include "hub/audit.h"
#include "hub/client_signin.h"
#include "hub/web_access.h"

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

static bool host_is_ours(const fg_exchange_t *ex) {
    const fg_protect_t *protect = ex->access->protect;
    if (fg_request_is_at(&ex->request, ex->hub->host))
        return true;
    for (size_t i = 0; i < protect->host_count; i++)
        if (fg_request_is_at(&ex->request, protect->hosts[i]))
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
    if (w->access.protect->policy != NULL && fg_request_path_is_ambiguous(request->raw_path))
        return fg_turn(FG_FAIL(&w->err, FG_E_HTTP_PATH, "path \"%.*s\"", FG_STR_ARG(request->raw_path)));
    return FG_TURN_NEXT;
}

/* The way back from the sign-in page at the gateway's own host. */
static fg_access_turn_t check_return(fg_exchange_t *ex, fg_access_work_t *w) {
    if (w->access.protect->kind != FG_PROTECT_WEB || !fg_str_is(ex->request.path, FG_WEB_ACCESS_RETURN))
        return FG_TURN_NEXT;
    if (!w->on_pool)
        return FG_TURN_JOB;
    fg_web_access_return(ex);
    return FG_TURN_ANSWERED;
}

/* Whether a credential or the decision may stand in the body. */
static bool looks_into_body(fg_exchange_t *ex, const fg_access_work_t *w) {
    const fg_protect_t *protect = w->access.protect;
    bool known = w->credential.kind != FG_CREDENTIAL_NONE, soap = (protect->accept & FG_ACCEPT_SOAP) != 0;
    if (protect->kind == FG_PROTECT_WSMAN)
        return known || soap;
    return known ? protect->reads_json : soap && fg_access_is_soap(ex);
}

/* A form that somebody filled in whose session is over is kept until they have signed in. */
static bool keeps_form(const fg_exchange_t *ex, const fg_access_work_t *w) {
    return w->credential.kind == FG_CREDENTIAL_NONE && ex->request.method == FG_METHOD_POST && fg_access_is_browser(ex);
}

static fg_access_turn_t check_body(fg_exchange_t *ex, fg_access_work_t *w) {
    bool looks = looks_into_body(ex, w);
    if (!looks && !keeps_form(ex, w))
        return FG_TURN_NEXT;
    if (!ex->request.body_read)
        return FG_TURN_BODY;
    if (looks && (ex->request.body_too_large || ex->request.body.n > ex->hub->body_max))
        return fg_turn(FG_FAIL(&w->err, FG_E_HTTP_TOO_LARGE, "body over %zu bytes", ex->hub->body_max));
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
static const stage_t stages[] = {
    check_place,
    check_return,
    fg_access_pick,
    check_body,
    fg_access_pick_soap,
    fg_access_identify,
    fg_access_read_message,
    fg_access_decide,
    fg_access_check_context,
    fg_access_upstream,
    fg_access_delegate,
    permit,
};

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

/* A program that can sign in by an identity provider of its own: it asks for pages or for an API. */
static bool is_client(const fg_exchange_t *ex) {
    const fg_protect_t *protect = ex->access->protect;
    return protect->kind != FG_PROTECT_WSMAN && fg_request_is_paos(&ex->request) &&
           fg_client_signin_is_served(ex, protect->home_realm);
}

/* Somebody at a browser who has not signed in yet is asked to, and so is such a program; everybody else is told. */
static fg_step_t refuse(fg_exchange_t *ex, const fg_access_work_t *w) {
    const fg_protect_t *protect = w->access.protect;
    if (w->err.code == FG_E_AUTH_MISSING && (protect->accept & FG_ACCEPT_SESSION) != 0 &&
        (is_client(ex) || fg_access_is_browser(ex))) {
        ex->access->outcome = FG_ACCESS_ANSWERED;
        ex->access->reason = "not_signed_in";
        return fg_web_access_ask(ex);
    }
    fg_access_refuse(ex, &w->err);
    return FG_STEP_DONE;
}

fg_step_t fg_access_run(fg_exchange_t *ex) {
    fg_access_work_t *w = fg_access_work(ex);
    fg_access_turn_t turn = FG_TURN_REFUSE;
    w->on_pool = true;
    ex->recent = NULL;
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
        return refuse(ex, w);
    }
}
