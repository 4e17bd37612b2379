/* SPDX-License-Identifier: GPL-2.0-or-later
 * Every endpoint that is not for passwords, in both versions of WS-Trust and of SOAP: tokens with each kind of key, for
 * others, renewed, cancelled and validated, as certificates, the TLS connection or an issued token say who asks. */
#include "tests/unit/wss_world.h"

#include "hub/delegation.h"
#include "sts/trust.h"
#include "sts/wstrust.h"
#include "token/proof.h"

#define ENTITY "http://fs.example.com/adfs/services/trust"
#define SECRET_SIZE 32u

static fixture_t *f;
static fg_key_t *app_key;
static fg_ruleset_t *delegation;
static fg_partner_t partners[2];
static fg_str_t realms[2];
static fg_realm_entry_t realm_index[2];
static const char rules[] = "[name == \"client\"] && exists([subject_name == \"carol\"]) => permit();\n";

/* ---- set-up */

static int group_begin(void **state) {
    fg_err_t err = FG_ERR_INIT;
    if (world_start(state) != 0)
        return -1;
    app_key = fg_key_generate(FG_KEY_RSA_2048, "app", TEST_NOW - FG_DAY, TEST_NOW + 30 * FG_DAY, &err);
    delegation = fg_ruleset_compile("delegation", FG_STR(rules), NULL, &err);
    return app_key != NULL && delegation != NULL ? 0 : -1;
}

static int group_end(void **state) {
    fg_key_unref(app_key);
    fg_ruleset_free(delegation);
    return world_stop(state);
}

/* The second relying party is ourselves: its tokens are shown to us again. */
static int begin(void **state) {
    static const char *const claims[] = {FG_CLAIM_NAME};
    int failed = world_refill(state);
    f = *state;
    world.keys.sealing_count = 1;
    realms[0] = FG_STR("urn:app");
    realms[1] = FG_STR(ENTITY); /* longer: in that order */
    for (size_t i = 0; i < 2; i++) {
        partners[i] = (fg_partner_t){.name = i == 0 ? "app" : "us", .realms = &realms[i], .realm_count = 1};
        partners[i].token = FG_SAML_20;
        partners[i].token_lifetime_ms = FG_HOUR;
        partners[i].claim_types = claims;
        partners[i].claim_type_count = FG_ARRAY_SIZE(claims);
        partners[i].name_id_claim = FG_CLAIM_NAME;
        partners[i].key_types = 7;
        partners[i].renew_ms = 8 * FG_HOUR;
        partners[i].certificate = i == 0 ? app_key : world.encryption;
        partners[i].delegation_rules = delegation;
        realm_index[i] = (fg_realm_entry_t){realms[i], &partners[i]};
    }
    f->hub.partners = partners;
    f->hub.partner_count = 2;
    f->hub.realm_index = realm_index;
    f->hub.realm_count = 2;
    world.provider.realm = FG_STR(BASE_URL);
    return failed;
}

/* ---- asking */

/* One way to show who asks. */
typedef enum way {
    BY_SIGNATURE,
    BY_CONNECTION,
    BY_TRANSPORT,
    BY_MESSAGE,
    BY_SYMMETRIC,
    BY_PUBLIC,
    BY_BEARER,
    WAYS
} way_t;

static const struct {
    fg_sts_endpoint_index_t endpoints[2]; /* by version of WS-Trust */
    const char *who;
} ways[WAYS] = {
    [BY_SIGNATURE] = {{FG_STS_2005_CERTIFICATE, FG_STS_13_CERTIFICATE}, "client"},
    [BY_CONNECTION] = {{FG_STS_2005_CERTIFICATE, FG_STS_13_CERTIFICATE}, "client"},
    [BY_TRANSPORT] = {{FG_STS_2005_CERTIFICATE_TRANSPORT, FG_STS_13_CERTIFICATE_TRANSPORT}, "client"},
    [BY_MESSAGE] = {{FG_STS_2005_MESSAGE, FG_STS_13_MESSAGE}, "client"},
    [BY_SYMMETRIC] = {{FG_STS_2005_ISSUED_SYMMETRIC_SHA256, FG_STS_13_ISSUED_SYMMETRIC_SHA256}, "carol"},
    [BY_PUBLIC] = {{FG_STS_2005_ISSUED_ASYMMETRIC_SHA256, FG_STS_13_ISSUED_ASYMMETRIC_SHA256}, "carol"},
    [BY_BEARER] = {{FG_STS_2005_ISSUED_ASYMMETRIC, FG_STS_13_ISSUED_ASYMMETRIC}, "carol"},
};

/* How it is asked for. */
typedef struct manner {
    way_t way;
    fg_trust_version_t trust;
    fg_soap_version_t soap;
} manner_t;

static const char *trust_uri(fg_trust_version_t trust) {
    return trust == FG_TRUST_13 ? FG_NS_TRUST_13 : FG_NS_TRUST_2005;
}

/* Each message of a test is of another moment, since none is taken twice. */
static const char *next_moment(void) {
    static char text[FG_TIME_SIZE];
    f->test.now_ms += FG_SECOND;
    fg_time_format(f->test.now_ms, text);
    return text;
}

static draft_t draft_for(const manner_t *how) {
    fg_sts_endpoint_index_t index = ways[how->way].endpoints[how->trust];
    draft_t draft = world_draft(f, index);
    if (how->way == BY_SIGNATURE)
        draft = world_certificate_draft(f);
    if (how->way == BY_MESSAGE)
        draft = world_message_draft(f);
    if (how->way == BY_SYMMETRIC)
        draft = world_symmetric_draft(f, index);
    if (how->way == BY_PUBLIC)
        draft = world_public_draft(f, index);
    if (how->way == BY_BEARER) {
        draft.parts |= DRAFT_SAML;
        draft.assertion = world_assertion(FG_CONFIRM_BEARER, FG_SAML_20);
    }
    if (how->way == BY_TRANSPORT)
        draft.parts = DRAFT_TO;
    draft.path = fg_sts_endpoint_table[index].path;
    draft.trust = how->trust;
    draft.soap = how->soap;
    draft.created = next_moment();
    return draft;
}

static bool is_by_connection(way_t way) { return way == BY_CONNECTION || way == BY_TRANSPORT; }

static const char *reason_of(const fg_exchange_t *ex) {
    static char reason[64];
    const fg_audit_line_t *line = ex->audit;
    while (line->next != NULL)
        line = line->next;
    const char *at = strstr(line->text.p, "\"reason\":\"");
    assert_non_null(at);
    snprintf(reason, sizeof reason, "%.*s", (int)strcspn(at + 10, "\""), at + 10);
    return reason;
}

static const char *send_draft(const draft_t *draft, bool connected) {
    static const char *const media_types[] = {[FG_SOAP_12] = "application/soap+xml", [FG_SOAP_11] = "text/xml"};
    fg_exchange_t *ex = exchange_begin(f, draft->path, media_types[draft->soap], draft_write(draft), NULL, NULL);
    ex->keys = &world.keys;
    ex->audit_end = &ex->audit;
    if (connected)
        world_connect(ex, world.client);
    for (size_t i = 0; i < fg_wstrust_protocol.endpoint_count; i++)
        if (strcmp(fg_wstrust_protocol.endpoints[i].path, draft->path) == 0)
            assert_int_equal(fg_wstrust_protocol.endpoints[i].handle(ex), FG_STEP_DONE);
    return ex->response.status == 200 ? NULL : reason_of(ex);
}

/* A request with this inside; NULL: answered, else the reason of the refusal. */
static const char *ask(const manner_t *how, draft_t *draft, const char *request, const char *inner) {
    static char body[100000];
    const char *ns = trust_uri(how->trust);
    int n = snprintf(body, sizeof body,
                     "<t:RequestSecurityToken xmlns:t=\"%s\"><t:RequestType>%s/%s</t:RequestType>%s"
                     "</t:RequestSecurityToken>",
                     ns, ns, request, inner);
    assert_true((size_t)n < sizeof body);
    draft->request = request;
    draft->body = body;
    return send_draft(draft, is_by_connection(how->way));
}

static void assert_answered(const char *reason, const manner_t *how) {
    if (reason == NULL)
        return;
    for (const fg_audit_line_t *line = f->ex->audit; line != NULL; line = line->next)
        print_error("%s\n", line->text.p);
    fail_msg("way %d, trust %d, soap %d: %s", how->way, how->trust, how->soap, reason);
}

static void assert_refused(const char *reason, const char *expected) {
    assert_non_null(reason);
    assert_string_equal(reason, expected);
}

/* ---- answers */

/* The answer in the Body, decrypted as the client does it. */
static xmlNode *read_answer(const manner_t *how) {
    fg_err_t err = FG_ERR_INIT;
    const fg_enc_recipients_t us = {(const fg_key_t *const[]){world.client}, 1};
    fg_str_t secret;
    xmlNode *root = response_root(f->ex), *first;
    assert_int_equal(find_path(root, "Header/Security/EncryptedKey") != NULL, how->way == BY_MESSAGE);
    if (how->way == BY_MESSAGE) {
        const xmlNode *key = find_path(root, "Header/Security/EncryptedKey");
        assert_true(fg_xmlenc_unwrap(f->ex->arena, key, &us, 32, &secret, &err));
        assert_true(fg_xmlenc_decrypt(f->ex->arena, find_path(root, "Body/EncryptedData"), secret, NULL, &first, &err));
    }
    xmlNode *body = find_path(root, "Body");
    xmlNode *in = find_path(body, "RequestSecurityTokenResponseCollection/RequestSecurityTokenResponse");
    return in != NULL ? in : find_path(body, "RequestSecurityTokenResponse");
}

static fg_str_t bytes_of(const xmlNode *node) {
    fg_buf_t bytes = FG_BUF_INIT(8192);
    fg_err_t err = FG_ERR_INIT;
    assert_non_null(node);
    assert_true(fg_base64_decode(&bytes, fg_xml_text(f->ex->arena, node, &err)));
    fg_str_t copy = fg_arena_str(f->ex->arena, fg_buf_str(&bytes));
    fg_buf_free(&bytes);
    return copy;
}

/* A secret that TLS protects, or the client's certificate where there is none. */
static fg_str_t read_secret(const manner_t *how, xmlNode *parent) {
    const fg_enc_recipients_t client = {(const fg_key_t *const[]){world.client}, 1};
    fg_err_t err = FG_ERR_INIT;
    fg_str_t secret;
    if (how->way != BY_MESSAGE)
        return bytes_of(find_path(parent, "BinarySecret"));
    assert_null(find_path(parent, "BinarySecret"));
    assert_true(fg_xmlenc_unwrap(f->ex->arena, find_path(parent, "EncryptedKey"), &client, 0, &secret, &err));
    return secret;
}

static fg_proof_t read_proof(xmlNode *answer, const fg_key_t *recipient) {
    const fg_enc_recipients_t recipients = {&recipient, 1};
    fg_proof_t proof;
    fg_err_t err = FG_ERR_INIT;
    xmlNode *token = fg_xml_first_child(find_path(answer, "RequestedSecurityToken"));
    xmlNode *confirmation = find_path(token, "Subject/SubjectConfirmation");
    xmlNode *data = find_path(confirmation, "SubjectConfirmationData");
    assert_true(fg_proof_read(f->ex->arena, find_path(data, "KeyInfo"), &recipients, &proof, &err));
    return proof;
}

static const char *name_in(xmlNode *answer) {
    xmlNode *name = find_path(answer, "RequestedSecurityToken/Assertion/Subject/NameID");
    return name != NULL ? fg_xml_text(f->ex->arena, name, NULL).p : "(none)";
}

/* The token's canonical bytes, which outlive the exchange; the caller frees them. */
static char *keep_token(xmlNode *answer) {
    fg_buf_t out = FG_BUF_INIT(65536);
    fg_err_t err = FG_ERR_INIT;
    assert_true(fg_xml_canonical(find_path(answer, "RequestedSecurityToken/Assertion"), &out, &err));
    char *text = strdup(out.data);
    fg_buf_free(&out);
    return text;
}

/* ---- Issue with each kind of key */

#define APPLIES_TO(realm)                                                                                     \
    "<p:AppliesTo xmlns:p=\"" FG_NS_WSP "\"><a:EndpointReference xmlns:a=\"" FG_NS_WSA "\"><a:Address>" realm \
    "</a:Address></a:EndpointReference></p:AppliesTo>"
#define ENTROPY "<t:Entropy><t:BinarySecret>AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=</t:BinarySecret></t:Entropy>"

static const char *inner_text(const char *realm, const char *key_type, fg_trust_version_t trust, const char *more) {
    static char text[20000];
    const fg_trust_words_t *words = fg_trust_words(trust);
    fg_proof_kind_t kind = FG_PROOF_BEARER;
    if (strcmp(key_type, "symmetric") == 0)
        kind = FG_PROOF_SYMMETRIC;
    if (strcmp(key_type, "public") == 0)
        kind = FG_PROOF_PUBLIC;
    snprintf(text, sizeof text,
             "<p:AppliesTo xmlns:p=\"" FG_NS_WSP "\"><a:EndpointReference xmlns:a=\"" FG_NS_WSA
             "\"><a:Address>%s</a:Address></a:EndpointReference></p:AppliesTo><t:KeyType>%s</t:KeyType>%s",
             realm, words->key_types[kind], more);
    return text;
}

static void issue_bearer(const manner_t *how) {
    draft_t draft = draft_for(how);
    assert_answered(ask(how, &draft, "Issue", inner_text("urn:app", "bearer", how->trust, "")), how);
    xmlNode *answer = read_answer(how);
    assert_string_equal(name_in(answer), ways[how->way].who);
    assert_null(find_path(answer, "RequestedProofToken"));
}

static void issue_symmetric(const manner_t *how) {
    draft_t draft = draft_for(how);
    assert_answered(ask(how, &draft, "Issue", inner_text("urn:app", "symmetric", how->trust, "")), how);
    xmlNode *answer = read_answer(how);
    fg_str_t told = read_secret(how, find_path(answer, "RequestedProofToken"));
    assert_int_equal(told.n, SECRET_SIZE);
    assert_true(fg_str_eq(told, read_proof(answer, app_key).secret));
}

static void issue_computed(const manner_t *how) {
    unsigned char share[SECRET_SIZE], key[SECRET_SIZE];
    draft_t draft = draft_for(how);
    assert_answered(ask(how, &draft, "Issue", inner_text("urn:app", "symmetric", how->trust, ENTROPY)), how);
    xmlNode *answer = read_answer(how);
    for (unsigned char i = 0; i < SECRET_SIZE; i++)
        share[i] = i;
    fg_str_t ours = read_secret(how, find_path(answer, "Entropy"));
    fg_p_sha1((fg_str_t){(char *)share, sizeof share}, ours, key, sizeof key);
    assert_non_null(find_path(answer, "RequestedProofToken/ComputedKey"));
    assert_true(fg_str_eq((fg_str_t){(char *)key, sizeof key}, read_proof(answer, app_key).secret));
}

static const char *use_key(const fg_key_t *key) {
    static char text[8000];
    fg_str_t der = fg_key_get_certificate_base64(key);
    snprintf(text, sizeof text,
             "<t:UseKey><d:KeyInfo xmlns:d=\"" FG_NS_DS "\"><d:X509Data><d:X509Certificate>%.*s</d:X509Certificate>"
             "</d:X509Data></d:KeyInfo></t:UseKey>",
             (int)der.n, der.p);
    return text;
}

/* WS-Trust 1.3 §4.4.7: the key that the message was signed with, or the connection made with, and no other. */
static void issue_public(const manner_t *how) {
    bool by_assertion = how->way == BY_PUBLIC;
    const fg_key_t *own = by_assertion ? world.other : world.client,
                   *foreign = by_assertion ? world.client : world.other;
    bool has_key = how->way != BY_SYMMETRIC && how->way != BY_BEARER;
    draft_t draft = draft_for(how);
    const char *reason = ask(how, &draft, "Issue", inner_text("urn:app", "public", how->trust, use_key(own)));
    if (!has_key) {
        assert_refused(reason, "wst_proof");
        return;
    }
    assert_answered(reason, how);
    assert_int_equal(EVP_PKEY_eq(fg_key_get_pkey(read_proof(read_answer(how), app_key).key), fg_key_get_pkey(own)), 1);
    draft = draft_for(how);
    assert_refused(ask(how, &draft, "Issue", inner_text("urn:app", "public", how->trust, use_key(foreign))),
                   "wst_proof");
    /* without UseKey it is the requestor's certificate, if it has one */
    draft = draft_for(how);
    reason = ask(how, &draft, "Issue", inner_text("urn:app", "public", how->trust, ""));
    if (by_assertion)
        assert_refused(reason, "wst_key");
    else
        assert_answered(reason, how);
}

static void every_kind_of_key_at_every_endpoint(void **state) {
    static void (*const kinds[])(const manner_t *) = {issue_bearer, issue_symmetric, issue_computed, issue_public};
    (void)state;
    for (unsigned way = 0; way < WAYS; way++)
        for (unsigned version = 0; version < 4; version++)
            for (size_t i = 0; i < FG_ARRAY_SIZE(kinds); i++) {
                const manner_t how = {(way_t)way, (fg_trust_version_t)(version & 1), (fg_soap_version_t)(version >> 1)};
                kinds[i](&how);
            }
}

/* UseKey may name the token that signs, where that stands in the message. */
static void use_key_by_reference(void **state) {
    static const char reference[] = "<t:UseKey><o:SecurityTokenReference xmlns:o=\"" FG_NS_WSSE
                                    "\"><o:Reference URI=\"#%s\"/></o:SecurityTokenReference></t:UseKey>";
    (void)state;
    for (unsigned trust = 0; trust < 2; trust++) {
        const manner_t how = {BY_SIGNATURE, (fg_trust_version_t)trust, FG_SOAP_12};
        char more[400];
        draft_t draft = draft_for(&how);
        snprintf(more, sizeof more, reference, "_token");
        assert_answered(ask(&how, &draft, "Issue", inner_text("urn:app", "public", how.trust, more)), &how);
        assert_non_null(read_proof(read_answer(&how), app_key).key);
        draft = draft_for(&how);
        snprintf(more, sizeof more, reference, "_time");
        assert_refused(ask(&how, &draft, "Issue", inner_text("urn:app", "public", how.trust, more)), "wss_unsupported");
    }
}

/* WS-Security at certificate: what stays in the clear of a secret would be everybody's. */
static void secrets_are_not_in_the_clear_without_tls(void **state) {
    (void)state;
    const manner_t how = {BY_MESSAGE, FG_TRUST_13, FG_SOAP_12};
    draft_t draft = draft_for(&how);
    assert_answered(ask(&how, &draft, "Issue", inner_text("urn:app", "symmetric", how.trust, "")), &how);
    assert_null(strstr(f->ex->response.body.data, "RequestedProofToken"));
    read_answer(&how);
    draft = draft_for(&how);
    draft.encrypted = 0;
    assert_refused(ask(&how, &draft, "Issue", inner_text("urn:app", "symmetric", how.trust, "")), "decryption_failed");
}

/* ---- a token of ours, its proof key, and what may be done with both (WT-08) */

/* A holder-of-key token for us, and what proves it. */
typedef struct held {
    char *token;
    char id[FG_ID_SIZE];
    char secret[SECRET_SIZE];
    bool symmetric;
} held_t;

static held_t hold(fg_trust_version_t trust, bool symmetric) {
    const manner_t how = {BY_SIGNATURE, trust, FG_SOAP_12};
    held_t held = {.symmetric = symmetric};
    draft_t draft = draft_for(&how);
    assert_answered(
        ask(&how, &draft, "Issue", inner_text(ENTITY, symmetric ? "symmetric" : "public", trust, "<t:Renewing/>")),
        &how);
    xmlNode *answer = read_answer(&how);
    if (symmetric)
        memcpy(held.secret, read_secret(&how, find_path(answer, "RequestedProofToken")).p, SECRET_SIZE);
    held.token = keep_token(answer);
    xmlNode *token = find_path(answer, "RequestedSecurityToken/Assertion");
    snprintf(held.id, sizeof held.id, "%s", fg_xml_attr(f->ex->arena, token, NULL, "ID").p);
    return held;
}

static draft_t draft_with(const manner_t *how, const held_t *held) {
    draft_t draft = world_draft(f, ways[how->way].endpoints[how->trust]);
    draft.soap = how->soap;
    draft.parts |= DRAFT_SAML;
    draft.assertion = fg_str(held->token);
    draft.assertion_id = held->id;
    draft.saml = FG_SAML_20;
    draft.covered = DRAFT_TIMESTAMP | DRAFT_TO;
    draft.naming = DRAFT_ASSERTION;
    draft.created = next_moment();
    if (held->symmetric)
        draft.secret = (fg_str_t){held->secret, SECRET_SIZE};
    else
        draft.key = world.client;
    return draft;
}

static const char *ask_about(const manner_t *how, const held_t *with, const char *request, const char *element,
                             const char *target) {
    static char inner[60000];
    draft_t draft = draft_with(how, with);
    snprintf(inner, sizeof inner, "<t:%s>%s</t:%s>", element, target, element);
    return ask(how, &draft, request, inner);
}

static const char *reference_to(const held_t *held) {
    static char text[600];
    snprintf(
        text, sizeof text,
        "<o:SecurityTokenReference xmlns:o=\"" FG_NS_WSSE
        "\"><o:KeyIdentifier ValueType=\"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID\">%s"
        "</o:KeyIdentifier></o:SecurityTokenReference>",
        held->id);
    return text;
}

static void check_holder(const manner_t *how, bool symmetric) {
    held_t held = hold(how->trust, symmetric), other = hold(how->trust, symmetric);
    /* the token is shown once, in the header: the target is a reference to it (XS-11) */
    assert_refused(ask_about(how, &held, "Renew", "RenewTarget", held.token), "signature_structure");
    assert_answered(ask_about(how, &held, "Renew", "RenewTarget", reference_to(&held)), how);
    xmlNode *answer = read_answer(how);
    assert_string_equal(name_in(answer), "client");
    fg_proof_t proof = read_proof(answer, world.encryption);
    if (symmetric)
        assert_true(fg_str_eq(proof.secret, (fg_str_t){held.secret, SECRET_SIZE}));
    else
        assert_int_equal(EVP_PKEY_eq(fg_key_get_pkey(proof.key), fg_key_get_pkey(world.client)), 1);
    assert_answered(ask_about(how, &held, "Validate", "ValidateTarget", other.token), how);
    /* with another's key it is nobody's */
    held_t thief = held;
    memset(thief.secret, 'x', SECRET_SIZE);
    draft_t draft = draft_with(how, &thief);
    draft.key = symmetric ? NULL : world.other;
    assert_refused(ask(how, &draft, "Validate", ""), "signature_invalid");
    assert_answered(ask_about(how, &held, "Cancel", "CancelTarget", reference_to(&held)), how);
    assert_refused(ask_about(how, &held, "Validate", "ValidateTarget", other.token), "token_cancelled");
    assert_answered(ask_about(how, &other, "Validate", "ValidateTarget", reference_to(&other)), how);
    free(held.token);
    free(other.token);
}

static void holders_renew_and_cancel_by_the_proof_key_wt08(void **state) {
    (void)state;
    for (unsigned version = 0; version < 4; version++) {
        manner_t how = {BY_SYMMETRIC, (fg_trust_version_t)(version & 1), (fg_soap_version_t)(version >> 1)};
        check_holder(&how, true);
        how.way = BY_PUBLIC;
        check_holder(&how, false);
    }
}

/* A proof key is its own token's, and gives no right to that of somebody else. */
static void holders_touch_no_other_token_wt08(void **state) {
    (void)state;
    const manner_t how = {BY_PUBLIC, FG_TRUST_13, FG_SOAP_12}, carol = {BY_BEARER, FG_TRUST_13, FG_SOAP_12};
    held_t held = hold(FG_TRUST_13, false);
    draft_t draft = draft_for(&carol);
    assert_answered(ask(&carol, &draft, "Issue", inner_text(ENTITY, "bearer", how.trust, "<t:Renewing/>")), &carol);
    char *theirs = keep_token(read_answer(&carol));
    assert_refused(ask_about(&how, &held, "Cancel", "CancelTarget", theirs), "wst_owner");
    assert_refused(ask_about(&how, &held, "Renew", "RenewTarget", theirs), "wst_owner");
    assert_answered(ask_about(&how, &held, "Renew", "RenewTarget", reference_to(&held)), &how);
    free(theirs);
    free(held.token);
}

/* ---- for others (WT-02), and Validate */

static const char *ask_for(const manner_t *how, const char *request, const char *element, const char *token) {
    static char inner[60000];
    bool act_as = strcmp(element, "ActAs") == 0;
    draft_t draft = draft_for(how);
    snprintf(inner, sizeof inner, "<x:%s xmlns:x=\"%s\">%s</x:%s>%s", element,
             act_as ? FG_NS_TRUST_14 : trust_uri(how->trust), token, element,
             strcmp(request, "Issue") == 0 ? APPLIES_TO("urn:app") : "");
    return ask(how, &draft, request, inner);
}

static void certificates_act_for_whom_they_may_wt02(void **state) {
    static const way_t by_certificate[] = {BY_SIGNATURE, BY_CONNECTION, BY_TRANSPORT, BY_MESSAGE};
    (void)state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(by_certificate); i++)
        for (unsigned version = 0; version < 4; version++) {
            const manner_t how = {by_certificate[i], (fg_trust_version_t)(version & 1),
                                  (fg_soap_version_t)(version >> 1)};
            char *carol = strdup(world_assertion(FG_CONFIRM_BEARER, FG_SAML_11).p);
            assert_answered(ask_for(&how, "Issue", "OnBehalfOf", carol), &how);
            assert_string_equal(name_in(read_answer(&how)), "carol");
            assert_answered(ask_for(&how, "Issue", "ActAs", carol), &how);
            assert_string_equal(name_in(read_answer(&how)), "carol");
            assert_answered(ask_for(&how, "Validate", "ValidateTarget", carol), &how);
            xmlNode *code = find_path(read_answer(&how), "Status/Code");
            assert_string_equal(fg_xml_text(f->ex->arena, code, NULL).p, fg_trust_words(how.trust)->valid);
            const draft_assertion_t dave = {
                .issuer = IDP, .audience = BASE_URL, .issuer_key = world.idp, .user = "dave"};
            assert_refused(ask_for(&how, "Issue", "OnBehalfOf", draft_assertion(&dave).p), "denied");
            free(carol);
        }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, world_end)
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_key_at_every_endpoint),      TEST(use_key_by_reference),
        TEST(secrets_are_not_in_the_clear_without_tls), TEST(holders_renew_and_cancel_by_the_proof_key_wt08),
        TEST(holders_touch_no_other_token_wt08),        TEST(certificates_act_for_whom_they_may_wt02),
    };
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
