/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/saml_peers.h"

#include <stdio.h>
#include <stdlib.h>

#include "bridges/saml/sign_out.h"
#include "core/crypto.h"
#include "core/deflate.h"
#include "core/time.h"
#include "core/uri.h"
#include "hub/session_note.h"
#include "sts/wsfed.h"

static saml_peers_t *current;
static char session_id[FG_ID_SIZE];

/* ---- the partners */

static const fg_saml_binding_t bindings[] = {FG_SAML_REDIRECT, FG_SAML_POST, FG_SAML_SOAP};

static void make_party(saml_peers_t *f, int peer, fg_saml_role_t role, const char *entity, const char *host) {
    fg_saml_party_t *party = &f->parties[peer];
    *party = (fg_saml_party_t){.role = role, .entity_id = fg_str(entity)};
    fg_saml_source_id(party->entity_id, party->source_id);
    party->keys.items[0] = f->keys[peer].signing[FG_KEY_ACTIVE];
    party->keys.count = 1;
    for (size_t i = 0; i < FG_ARRAY_SIZE(bindings); i++) {
        const char *to = fg_arena_printf(f->arena, "https://%s/logout/%zu", host, i);
        party->endpoints[party->endpoint_count++] = (fg_saml_endpoint_t){
            .service = FG_SAML_SINGLE_LOGOUT,
            .binding = bindings[i],
            .location = fg_str(to),
            .response_location = fg_str(fg_arena_printf(f->arena, "%s/answer", to)),
        };
    }
    const char *to = fg_arena_printf(f->arena, "https://%s/artifacts", host);
    party->endpoints[party->endpoint_count++] =
        (fg_saml_endpoint_t){.service = FG_SAML_ARTIFACT_RESOLUTION, .binding = FG_SAML_SOAP, .location = fg_str(to)};
}

static void make_partner(saml_peers_t *f, int place, int peer) {
    browser_t *b = f->b;
    b->realms[place] = f->parties[peer].entity_id;
    b->partners[place].saml = &f->parties[peer];
    b->partners[place].name = b->partners[place].display_name = f->parties[peer].entity_id.p;
    for (size_t i = 0; i < BROWSER_PARTNERS; i++)
        b->index[i] = (fg_realm_entry_t){b->realms[i], &b->partners[i]};
    qsort(b->index, BROWSER_PARTNERS, sizeof b->index[0], fg_realm_entry_compare);
}

static void make_provider(saml_peers_t *f) {
    f->provider_keys[0] = f->keys[PEER_IDP].signing[FG_KEY_ACTIVE];
    f->b->provider = (fg_identity_provider_t){
        .name = "partner",
        .protocol = FG_PROTOCOL_SAML,
        .issuer = FG_STR(IDP_ENTITY),
        .sign_in_url = FG_STR(BROWSER_PROVIDER),
        .realm = FG_STR(BROWSER_ENTITY),
        .keys = f->provider_keys,
        .key_count = 1,
        .saml = &f->parties[PEER_IDP],
    };
    f->b->hub.home_realm_count = 3;
    f->b->hub.protocols[FG_PROTOCOL_SAML] = &fg_saml_protocol;
}

int saml_peers_set_up(void **state) {
    fg_err_t err = FG_ERR_INIT;
    saml_peers_t *f = calloc(1, sizeof *f);
    if (f == NULL || browser_set_up(state) != 0)
        return -1;
    f->b = *state;
    f->arena = fg_arena_new(0);
    for (int i = 0; i < PEERS; i++)
        f->keys[i].signing[FG_KEY_ACTIVE] = fg_key_generate(FG_KEY_EC_P256, "peer", TEST_NOW, TEST_NOW + FG_DAY, &err);
    make_party(f, PEER_SP, FG_SAML_SERVICE_PROVIDER, SP_ENTITY, "sp.test");
    make_party(f, PEER_SECOND, FG_SAML_SERVICE_PROVIDER, SECOND_ENTITY, "second.test");
    make_party(f, PEER_IDP, FG_SAML_IDENTITY_PROVIDER, IDP_ENTITY, "idp.test");
    make_partner(f, BROWSER_PARTNER_RP, PEER_SP);
    make_partner(f, BROWSER_PARTNER_OTHER, PEER_SECOND);
    make_provider(f);
    *state = f;
    return f->keys[PEER_STRANGER].signing[FG_KEY_ACTIVE] ? 0 : -1;
}

int saml_peers_tear_down(void **state) {
    saml_peers_t *f = *state;
    void *browser = f->b;
    browser_tear_down(&browser);
    for (int i = 0; i < PEERS; i++)
        fg_key_unref(f->keys[i].signing[FG_KEY_ACTIVE]);
    fg_arena_free(f->arena);
    free(f);
    return 0;
}

/* ---- sessions */

static void add_party(fg_exchange_t *ex, fg_session_t *session, const char *realm) {
    fg_err_t err = FG_ERR_INIT;
    const fg_name_id_t name_id = {.value = FG_STR(PERSON)};
    fg_session_party_t party = {.protocol = FG_PROTOCOL_SAML, .realm = fg_str(realm)};
    assert_true(fg_saml_reference_make(ex, &name_id, &party.reference, &err));
    assert_true(fg_session_add_party(session, &party));
    fg_session_note_name(ex, session, party.realm, name_id.value);
}

static fg_step_t sign_in(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_session_t session;
    fg_identity_t identity = {.name_id = {.value = FG_STR("alice-at-idp")}, .auth_method = FG_STR(FG_AUTH_PASSWORD)};
    fg_str_t realm = current->from_provider ? FG_STR(IDP_REALM) : FG_STR("urn:home:staff");
    if (current->from_provider)
        identity.session_index = FG_STR("index-at-idp");
    assert_true(fg_session_begin(ex, &identity, realm, &session, &err));
    if (current->from_provider)
        fg_session_note_name(ex, &session, realm, identity.name_id.value);
    add_party(ex, &session, SP_ENTITY);
    if (current->second_too)
        add_party(ex, &session, SECOND_ENTITY);
    assert_true(fg_session_save(ex, &session, &err));
    fg_response_body(ex, 200, "text/plain", FG_STR(""));
    return FG_STEP_DONE;
}

static fg_step_t look(fg_exchange_t *ex) {
    fg_session_t session;
    bool opened = fg_session_open(ex, &session);
    snprintf(session_id, sizeof session_id, "%s", opened ? session.id : "");
    fg_response_body(ex, opened ? 200 : 404, "text/plain", FG_STR(""));
    return FG_STEP_DONE;
}

static const fg_endpoint_t endpoints[] = {
    {"/sign-in", FG_METHOD_GET, true, sign_in, NULL, NULL},
    {"/look", FG_METHOD_GET, true, look, NULL, NULL},
};
static const fg_protocol_t helper = {.name = "helper", .endpoints = endpoints, .endpoint_count = 2};

void saml_sign_in(saml_peers_t *f) {
    current = f;
    assert_int_equal(browser_get(f->b, &helper, "/sign-in", ""), 200);
}

bool saml_is_signed_in(saml_peers_t *f) { return browser_get(f->b, &helper, "/look", "") == 200; }

const char *saml_session_id(saml_peers_t *f) {
    assert_true(saml_is_signed_in(f));
    return session_id;
}

/* ---- messages */

fg_exchange_t *saml_as(saml_peers_t *f, int peer) {
    f->ex = (fg_exchange_t){.env = &f->b->test.env, .hub = &f->b->hub, .arena = f->arena, .keys = &f->keys[peer]};
    f->ex.now_ms = f->b->test.now_ms;
    return &f->ex;
}

static fg_saml_logout_t make_logout(const char *name, const char *index) {
    fg_saml_logout_t logout = {.name_id = {.value = fg_str(name)}};
    if (index != NULL)
        logout.sessions[logout.session_count++] = fg_str(index);
    return logout;
}

const char *saml_query(const char *url) {
    const char *mark = url ? strchr(url, '?') : NULL;
    return mark ? mark + 1 : "";
}

const char *saml_logout_query(saml_peers_t *f, const char *issuer, int signer, const char *name, const char *index) {
    fg_err_t err = FG_ERR_INIT;
    fg_exchange_t *ex = saml_as(f, signer);
    const fg_saml_logout_t logout = make_logout(name, index);
    fg_buf_t xml = FG_BUF_INIT(16u << 10);
    fg_str_t own = FG_STR(BROWSER_BASE FG_SAML_PATH);
    assert_true(fg_saml_logout_write(ex, &logout, "_request", fg_str(issuer), own, false, &xml, &err));
    const fg_saml_outbound_t out = {
        .binding = FG_SAML_REDIRECT, .to = own, .relay_state = FG_STR("a b&c"), .xml = fg_buf_str(&xml)};
    fg_str_t url = fg_saml_redirect_url(ex, &out, &err);
    assert_non_null(url.p);
    fg_buf_free(&xml);
    return saml_query(url.p);
}

const char *saml_logout_envelope(saml_peers_t *f, const char *issuer, int signer, const char *name, const char *index,
                                 const char *destination) {
    fg_err_t err = FG_ERR_INIT;
    const fg_saml_logout_t logout = make_logout(name, index);
    fg_buf_t xml = FG_BUF_INIT(16u << 10);
    assert_true(fg_saml_logout_write(saml_as(f, signer), &logout, "_request", fg_str(issuer), fg_str(destination), true,
                                     &xml, &err));
    const char *text = fg_arena_printf(f->arena,
                                       "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>%s"
                                       "</s:Body></s:Envelope>",
                                       xml.data);
    fg_buf_free(&xml);
    return text;
}

const char *saml_param(saml_peers_t *f, const char *url, const char *name) {
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    assert_true(fg_params_parse(f->arena, fg_str(saml_query(url)), &params, &err));
    return fg_params_get(&params, name, NULL).p;
}

const char *saml_message(saml_peers_t *f, const char *url) {
    fg_err_t err = FG_ERR_INIT;
    const char *text = saml_param(f, url, "SAMLResponse");
    text = text ? text : saml_param(f, url, "SAMLRequest");
    fg_buf_t bytes = FG_BUF_INIT(64u << 10), plain = FG_BUF_INIT(64u << 10);
    assert_non_null(text);
    assert_true(fg_base64_decode(&bytes, fg_str(text)) && fg_inflate(fg_buf_str(&bytes), &plain, &err));
    const char *xml = fg_arena_str(f->arena, fg_buf_str(&plain)).p;
    fg_buf_free(&bytes);
    fg_buf_free(&plain);
    return xml;
}
