/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/openid2_trust.h"

#include "bridges/openid/openid2_realm.h"
#include "core/crypto.h"
#include "hub/bytes.h"
#include "hub/errand.h"
#include "hub/kept.h"

#define PURPOSE "openid2-trust"
#define MARK_SIZE 12u /* of a digest: nobody gains by finding another site with the same */
#define MARKS_MAX 64u

/* ---- which partner */

static bool has_realm(const fg_openid2_party_t *party, fg_str_t realm) {
    for (size_t i = 0; i < party->realms.count; i++)
        if (fg_openid2_realm_eq(party->realms.items[i], realm))
            return true;
    return false;
}

/* What people call a site that nobody registered: its host. */
static const char *name_of(fg_exchange_t *ex, fg_str_t text) {
    fg_openid2_realm_t realm;
    if (!fg_openid2_realm_parse(text, &realm))
        return NULL;
    if (realm.port == (realm.https ? 443 : 80))
        return fg_arena_printf(ex->arena, "%.*s", (int)realm.host.n, realm.host.p);
    return fg_arena_printf(ex->arena, "%.*s:%u", (int)realm.host.n, realm.host.p, realm.port);
}

bool fg_openid2_trust_find(fg_exchange_t *ex, fg_str_t realm, fg_openid2_trust_t *trust, fg_err_t *err) {
    const fg_partner_t *open = NULL;
    const fg_hub_t *hub = ex->hub;
    *trust = (fg_openid2_trust_t){.realm = realm};
    for (size_t i = 0; i < hub->partner_count && trust->partner == NULL; i++) {
        const fg_openid2_party_t *party = hub->partners[i].openid2;
        if (party != NULL && has_realm(party, realm))
            trust->partner = &hub->partners[i];
        else if (party != NULL && party->open)
            open = &hub->partners[i];
    }
    bool named = trust->partner != NULL;
    if (!named)
        trust->partner = open;
    if (trust->partner == NULL)
        return FG_FAIL(err, FG_E_OPENID2_REALM, "realm \"%.*s\" is no partner's", FG_STR_ARG(realm));
    trust->application = named ? trust->partner->display_name : name_of(ex, realm);
    return trust->application != NULL || FG_FAIL(err, FG_E_MEMORY, "a realm");
}

static void release(void *json) { json_decref(json); }

/* ---- what the person said before: a cookie of this browser, sealed, for this person alone */

static void make_mark(fg_str_t realm, fg_str_t identity, const json_t *told, unsigned char mark[FG_SHA256_SIZE]) {
    fg_buf_t text = FG_BUF_INIT(16u << 10);
    fg_bytes_put_string(&text, realm);
    fg_bytes_put_string(&text, identity);
    size_t index;
    json_t *item;
    json_array_foreach(told, index, item) {
        /* what is told, not what it is today: a new address is no new question */
        fg_bytes_put_string(&text, fg_str(json_string_value(json_object_get(item, "type"))));
    }
    fg_str_t bytes = fg_buf_str(&text);
    fg_sha256(bytes.p, bytes.n, mark);
    fg_buf_free(&text);
}

static bool is_remembered(fg_exchange_t *ex, const unsigned char *mark) {
    fg_str_t marks = fg_remembered(ex, PURPOSE);
    for (size_t i = 0; i + MARK_SIZE <= marks.n; i += MARK_SIZE)
        if (memcmp(marks.p + i, mark, MARK_SIZE) == 0)
            return true;
    return false;
}

/* The newest first; the oldest gives way. */
static bool remember(fg_exchange_t *ex, const unsigned char *mark, fg_err_t *err) {
    fg_str_t before = fg_remembered(ex, PURPOSE);
    fg_buf_t marks = FG_BUF_INIT((MARKS_MAX + 1) * MARK_SIZE);
    fg_buf_add(&marks, mark, MARK_SIZE);
    size_t kept = before.n / MARK_SIZE < MARKS_MAX - 1 ? before.n / MARK_SIZE : MARKS_MAX - 1;
    fg_buf_add(&marks, before.p, kept * MARK_SIZE);
    bool done = fg_buf_ok(&marks) && fg_remember(ex, PURPOSE, fg_buf_str(&marks), err);
    fg_buf_free(&marks);
    return done;
}

/* ---- the page */

/* A form's token counts for this session and site alone. */
static const char *purpose_of(fg_exchange_t *ex, const fg_session_t *session, fg_str_t realm) {
    const char *text = fg_arena_printf(ex->arena, PURPOSE ":%s:%.*s", session->id, (int)realm.n, realm.p);
    return text ? text : PURPOSE;
}

bool fg_openid2_trust_take(fg_exchange_t *ex, fg_openid2_trust_t *trust, const fg_params_t *form, fg_err_t *err) {
    size_t times;
    fg_session_t session;
    fg_str_t choice = fg_params_get(form, "consent", &times);
    if (times == 0)
        return true;
    if (!fg_session_open(ex, &session))
        return FG_FAIL(err, FG_E_CSRF, "the session ended meanwhile");
    fg_str_t csrf = fg_params_get(form, "csrf", NULL);
    if (times != 1)
        return FG_FAIL(err, FG_E_CSRF, "consent was sent twice");
    if (!fg_form_token_check(ex, purpose_of(ex, &session, trust->realm), csrf, err))
        return false;
    if (!fg_str_is(choice, "yes"))
        return FG_FAIL(err, FG_E_OPENID_REFUSED, "the person said no");
    trust->answered = true;
    trust->remember = fg_str_is(fg_params_get(form, "remember", NULL), "yes");
    return true;
}

bool fg_openid2_trust_settle(fg_exchange_t *ex, fg_openid2_trust_t *trust, const fg_session_t *session,
                             fg_str_t identity, bool *ask, fg_err_t *err) {
    const fg_openid2_party_t *party = trust->partner->openid2;
    unsigned char mark[FG_SHA256_SIZE];
    (void)session;
    if (trust->told == NULL || !fg_arena_own(ex->arena, release, trust->told))
        return FG_FAIL(err, FG_E_MEMORY, "what a site gets to know");
    *ask = false;
    if (!party->asks_consent && !(party->open && !has_realm(party, trust->realm)))
        return true;
    make_mark(trust->realm, identity, trust->told, mark);
    *ask = !trust->answered && !is_remembered(ex, mark);
    return !trust->answered || !trust->remember || remember(ex, mark, err);
}

bool fg_openid2_trust_show(fg_exchange_t *ex, fg_openid2_trust_t *trust, const fg_session_t *session,
                           const fg_params_t *params, fg_err_t *err) {
    fg_str_t person = fg_identity_name(&session->identity), csrf;
    fg_buf_t url = FG_BUF_INIT(4 * FG_ERRAND_MAX);
    if (!fg_session_save(ex, session, err) ||
        !fg_form_token_make(ex, purpose_of(ex, session, trust->realm), &csrf, err))
        return false;
    fg_buf_put_str(&url, fg_openid2_url(ex, FG_OPENID2_ENDPOINT));
    for (size_t i = 0; i < params->count; i++)
        if (fg_str_is(params->items[i].name, FG_OPENID2_ERRAND) || fg_str_is(params->items[i].name, "whr"))
            fg_uri_put_param(&url, params->items[i].name, params->items[i].value);
    json_t *model = NULL;
    if (fg_buf_ok(&url))
        model = json_pack("{s:s%, s:s, s:s%, s:s%, s:s%, s:O, s:b}", "action", url.data, url.length, "application",
                          trust->application, "csrf", csrf.p, csrf.n, "person", person.p ? person.p : "", person.n,
                          "site", trust->realm.p, trust->realm.n, "scopes", trust->told, "remember", 1);
    fg_buf_free(&url);
    return (model != NULL && ex->hub->render(ex, 200, "consent", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "page consent could not be made");
}
