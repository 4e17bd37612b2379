/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Single logout by SOAP (profiles §4.4.3, bindings §3.2): a partner ends a session without its browser.  What the store
 * knows of the sessions that were issued to it decides which (SA-16). */
#include "bridges/saml/saml.h"
#include "bridges/saml/sign_out.h"
#include "bridges/saml/soap.h"
#include "hub/session_note.h"

#define RESPONSE_MAX (16u << 10)

typedef struct request {
    fg_saml_peer_t asker;
    fg_saml_logout_t logout;
    fg_saml_head_t head;
    fg_str_t url; /* this endpoint's */
} request_t;

/* In the role whose keys made the signature: who has both may use either's. */
static bool verify(fg_exchange_t *ex, fg_saml_inbound_t *in, request_t *r, fg_err_t *err) {
    fg_saml_peer_t provider;
    bool partner = fg_saml_peer_of(ex, FG_SAML_SERVICE_PROVIDER, in->issuer, &r->asker, NULL);
    bool both = fg_saml_peer_of(ex, FG_SAML_IDENTITY_PROVIDER, in->issuer, &provider, partner ? NULL : err);
    if (!partner && !both)
        return false;
    if (partner && fg_saml_peer_verify(ex, &r->asker, in, r->url, &r->head, both ? NULL : err))
        return true;
    if (both)
        r->asker = provider;
    return both && fg_saml_peer_verify(ex, &r->asker, in, r->url, &r->head, err);
}

static bool read_request(fg_exchange_t *ex, request_t *r, fg_err_t *err) {
    fg_saml_inbound_t in;
    if (!fg_saml_soap_receive(ex, &in, err))
        return false;
    if (!fg_xml_is(in.root, FG_NS_SAML2P, "LogoutRequest"))
        return FG_FAIL(err, FG_E_SAML_UNSUPPORTED, "<%s> by SOAP", (const char *)in.root->name);
    r->url = fg_saml_url(ex, FG_SAML_LOGOUT_PATH);
    return verify(ex, &in, r, err) && fg_saml_logout_read(ex, in.root, &r->logout, err);
}

/* Ends one session and tells the others what can be told on the spot; false: not all could be. */
static bool end_session(fg_exchange_t *ex, const request_t *r, const fg_session_t *session,
                        const fg_session_party_t *party) {
    fg_signout_t signout = {.protocol = "saml", .session = session, .asker = party, .no_browser = true};
    fg_signout_end(ex, &signout);
    json_decref(fg_signout_parties(ex, &signout));
    if (r->asker.provider == NULL)
        (void)fg_signout_provider_url(ex, &signout);
    return signout.untold == 0;
}

/* Those whose name and index fit, of what was noted under that name. */
static bool end_sessions(fg_exchange_t *ex, const request_t *r, fg_err_t *err) {
    fg_session_t *found = fg_arena_alloc(ex->arena, FG_SESSIONS_NOTED * sizeof *found);
    if (found == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "sessions");
    size_t count = fg_session_find_noted(ex, r->asker.id, r->logout.name_id.value, found);
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        const fg_session_party_t *party;
        if (fg_saml_fits(&r->asker, &r->logout, &found[i], &party))
            all &= end_session(ex, r, &found[i], party);
    }
    fg_buf_t xml = FG_BUF_INIT(RESPONSE_MAX);
    bool done = fg_saml_logout_response_write(ex, all ? FG_SAML_LOGGED_OUT : FG_SAML_PARTLY, r->asker.ours, FG_STR_NONE,
                                              r->head.id, true, &xml, err) &&
                fg_saml_soap_answer(ex, FG_STR_NONE, fg_buf_str(&xml), err);
    fg_buf_free(&xml);
    return done;
}

fg_step_t fg_saml_sign_out_soap(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    request_t *r = fg_arena_alloc(ex->arena, sizeof *r);
    bool done = r != NULL ? read_request(ex, r, &err) && end_sessions(ex, r, &err)
                          : FG_FAIL(&err, FG_E_MEMORY, "a LogoutRequest");
    if (!done)
        fg_saml_soap_refuse(ex, &err);
    return FG_STEP_DONE;
}
