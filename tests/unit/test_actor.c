/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who acts for a subject: in SAML assertions as Windows Identity Foundation has it, in JSON Web Tokens as RFC 8693
 * §4.1 has it, and through the pipeline. */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/time.h"
#include "core/xml.h"
#include "hub/delegation.h"
#include "hub/issue.h"
#include "hub/session.h"
#include "hub/signin.h"
#include "policy/request.h"
#include "token/assertion.h"
#include "token/jwt.h"

#define ISSUER "http://fs.example.test/adfs/services/trust"

static test_env_t test;
static fg_arena_t *arena;
static fg_key_t *key;
static fg_err_t err;

static int begin(void **state) {
    (void)state;
    test_env_init(&test);
    arena = fg_arena_new(0);
    return arena == NULL;
}

static int end(void **state) {
    (void)state;
    fg_arena_free(arena);
    return 0;
}

/* ---- people */

static fg_identity_t *make(const char *name, const fg_identity_t *actor) {
    fg_identity_t *identity = fg_arena_alloc(arena, sizeof *identity);
    assert_non_null(identity);
    *identity = (fg_identity_t){.issuer = FG_STR("staff"), .auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = TEST_NOW, .actor = actor};
    assert_true(fg_claims_put(arena, &identity->claims, FG_CLAIM_NAME, fg_str(name)));
    assert_true(fg_claims_put(arena, &identity->claims, FG_CLAIM_ROLE, FG_STR("Services <&>")));
    assert_true(fg_claims_put(arena, &identity->claims, FG_CLAIM_ROLE, FG_STR("\"Two\"")));
    return identity;
}

/* A chain of that many: a1 first, the highest number last. */
static const fg_identity_t *make_chain(unsigned count) {
    const fg_identity_t *chain = NULL;
    for (unsigned i = count; i > 0; i--)
        chain = make(fg_arena_printf(arena, "a%u", i), chain);
    return chain;
}

static void assert_chain(const fg_identity_t *actor, unsigned count) {
    for (unsigned i = 1; i <= count; i++, actor = actor->actor) {
        assert_non_null(actor);
        assert_string_equal(fg_arena_printf(arena, "%.*s", FG_STR_ARG(fg_identity_name(actor))), fg_arena_printf(arena, "a%u", i));
        assert_int_equal(actor->claims.count, 3);
        assert_true(fg_str_is(actor->claims.items[1].value, "Services <&>"));
        assert_true(fg_str_is(actor->claims.items[2].value, "\"Two\""));
    }
    assert_null(actor);
}

/* ---- SAML */

static fg_str_t write_saml(fg_saml_version_t version, const fg_identity_t *subject, fg_str_t with_claim) {
    fg_buf_t out = FG_BUF_INIT(1u << 20);
    fg_claims_t claims = {0};
    if (with_claim.n > 0)
        assert_true(fg_claims_put(arena, &claims, FG_CLAIM_ACTOR, with_claim));
    const fg_assertion_t assertion = {
        .version = version,
        .id = "_id-1",
        .issuer = FG_STR(ISSUER),
        .issue_instant_ms = TEST_NOW,
        .not_before_ms = TEST_NOW,
        .not_on_or_after_ms = TEST_NOW + FG_HOUR,
        .audience = FG_STR("urn:rp"),
        .name_id = {.value = FG_STR("alice")},
        .identity = subject,
        .claims = &claims,
        .actor = subject->actor,
    };
    if (!fg_assertion_write(&assertion, key, &out, &err))
        fail_msg("%s", err.detail);
    fg_str_t text = fg_arena_str(arena, fg_buf_str(&out));
    fg_buf_free(&out);
    return text;
}

static fg_code_t read_saml(fg_str_t text, fg_assertion_read_t *result) {
    const fg_key_t *keys[] = {key};
    const fg_str_t audience = FG_STR("urn:rp");
    const fg_assertion_trust_t trust = {.issuer = FG_STR(ISSUER), .dsig = {keys, 1, false}, .audiences = &audience, .audience_count = 1};
    xmlDoc *document = fg_xml_parse(arena, text, NULL, &err);
    if (document == NULL)
        fail_msg("%s\n%s", err.detail, text.p);
    err = (fg_err_t)FG_ERR_INIT;
    return fg_assertion_read(&test.env, arena, xmlDocGetRootElement(document), &trust, result, &err) ? FG_OK : err.code;
}

/* The same with one piece of text changed, signed again. */
static fg_str_t change(fg_str_t text, const char *from, const char *to) {
    const char *signature = strstr(text.p, "<ds:Signature"), *behind = strstr(text.p, "</ds:Signature>") + strlen("</ds:Signature>");
    fg_buf_t bare = FG_BUF_INIT(1u << 20), out = FG_BUF_INIT(1u << 20);
    fg_buf_add(&bare, text.p, (size_t)(signature - text.p));
    size_t at = bare.length;
    fg_buf_puts(&bare, behind);
    const char *place = strstr(bare.data, from);
    if (place == NULL)
        fail_msg("no %s in %s", from, bare.data);
    fg_buf_add(&out, bare.data, (size_t)(place - bare.data));
    fg_buf_puts(&out, to);
    fg_buf_puts(&out, place + strlen(from));
    if ((size_t)(place - bare.data) < at)
        at = at + strlen(to) - strlen(from);
    if (!fg_dsig_sign(&out, 0, at, FG_STR("_id-1"), key, &err))
        fail_msg("%s", err.detail);
    fg_str_t changed = fg_arena_str(arena, fg_buf_str(&out));
    fg_buf_free(&bare);
    fg_buf_free(&out);
    return changed;
}

static void actor_is_written_as_windows_identity_foundation_does(void **state) {
    (void)state;
    fg_identity_t *front = make("front & co", NULL);
    front->claims.count = 1;
    fg_str_t saml11 = write_saml(FG_SAML_11, make("alice", front), FG_STR_NONE);
    assert_non_null(strstr(saml11.p,
        "<saml:Attribute AttributeName=\"actor\" AttributeNamespace=\"http://schemas.xmlsoap.org/ws/2009/09/identity/claims\">"
        "<saml:AttributeValue>&lt;Actor&gt;&lt;saml:Attribute xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\" AttributeName=\"name\" "
        "AttributeNamespace=\"http://schemas.xmlsoap.org/ws/2005/05/identity/claims\"&gt;&lt;saml:AttributeValue&gt;front &amp;amp; co"
        "&lt;/saml:AttributeValue&gt;&lt;/saml:Attribute&gt;&lt;/Actor&gt;</saml:AttributeValue></saml:Attribute>"));
    fg_str_t saml20 = write_saml(FG_SAML_20, make("alice", front), FG_STR_NONE);
    assert_non_null(strstr(saml20.p, "<saml:Attribute Name=\"http://schemas.xmlsoap.org/ws/2009/09/identity/claims/actor\"><saml:AttributeValue>"
        "&lt;Actor&gt;&lt;saml:Attribute xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" "
        "Name=\"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name\"&gt;"));
}

static void chains_come_back_as_they_were(void **state) {
    (void)state;
    fg_assertion_read_t read;
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++)
        for (unsigned count = 0; count <= FG_ACTORS_MAX; count++) {
            fg_str_t text = write_saml((fg_saml_version_t)version, make("alice", make_chain(count)), FG_STR_NONE);
            assert_int_equal(read_saml(text, &read), FG_OK);
            assert_chain(read.identity.actor, count);
            assert_int_equal(read.identity.claims.count, 0); /* who acts is no ordinary claim */
            for (const fg_identity_t *actor = read.identity.actor; actor != NULL; actor = actor->actor) {
                assert_true(fg_str_is(actor->issuer, ISSUER));
                assert_true(fg_str_is(actor->claims.items[0].issuer, ISSUER));
            }
        }
}

/* A claim of the type, from wherever it came, makes nobody an actor. */
static void claims_make_no_actors_wt02(void **state) {
    (void)state;
    fg_assertion_read_t read;
    static const char forged[] = "<Actor><Attribute xmlns='" FG_NS_SAML2 "' Name='" FG_CLAIM_NAME "'><AttributeValue>a1</AttributeValue></Attribute></Actor>";
    assert_int_equal(read_saml(write_saml(FG_SAML_20, make("alice", NULL), FG_STR(forged)), &read), FG_OK);
    assert_null(read.identity.actor);
    assert_int_equal(read.identity.claims.count, 0);
    assert_int_equal(read_saml(write_saml(FG_SAML_20, make("alice", make_chain(1)), FG_STR(forged)), &read), FG_OK);
    assert_chain(read.identity.actor, 1);
}

#define ATTRIBUTE_11(name, value) \
    "<saml:Attribute AttributeName=\"" name "\" AttributeNamespace=\"http://schemas.xmlsoap.org/ws/2009/09/identity/claims\">" value "</saml:Attribute>"
#define VALUE(text) "<saml:AttributeValue>" text "</saml:AttributeValue>"
#define ACTOR_11(value) ATTRIBUTE_11("actor", value)
#define NAMED(name) "&lt;Attribute xmlns='" FG_NS_SAML1 "' AttributeName='name' AttributeNamespace='x:y'&gt;&lt;AttributeValue&gt;" name "&lt;/AttributeValue&gt;&lt;/Attribute&gt;"
#define ACTOR(inside) "&lt;Actor&gt;" inside "&lt;/Actor&gt;"

static void malformed_actors_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *attribute;
        bool good;
    } rows[] = {
        {ACTOR_11(VALUE(ACTOR(NAMED("a1")))), true}, /* WIF's own form: the default namespace */
        {ACTOR_11(VALUE(" \n" ACTOR("\n " NAMED("a1") "\n") "\n")), true},
        {ACTOR_11(VALUE("&lt;?xml version='1.0'?&gt;" ACTOR(NAMED("a1")))), true},
        {ATTRIBUTE_11("actors", VALUE("front")), true}, /* another claim */
        {ACTOR_11(VALUE("front")), false},
        {ACTOR_11(VALUE("")), false},
        {ACTOR_11(""), false},
        {ACTOR_11(VALUE(ACTOR(""))), false},
        {ACTOR_11(VALUE("&lt;Actor&gt;" NAMED("a1"))), false},
        {ACTOR_11(VALUE(ACTOR(NAMED("a1")) "x")), false},
        {ACTOR_11(VALUE(ACTOR(NAMED("a1")) ACTOR(NAMED("a2")))), false},
        {ACTOR_11(VALUE(ACTOR(NAMED("a1"))) VALUE(ACTOR(NAMED("a2")))), false},
        {ACTOR_11(VALUE(ACTOR(NAMED("a1")))) ACTOR_11(VALUE(ACTOR(NAMED("a2")))), false},
        {ACTOR_11(VALUE("&lt;Actor xmlns='x:y'&gt;" NAMED("a1") "&lt;/Actor&gt;")), false}, /* XP-14 */
        {ACTOR_11(VALUE("&lt;actor&gt;" NAMED("a1") "&lt;/actor&gt;")), false},
        {ACTOR_11(VALUE(ACTOR("&lt;Other/&gt;" NAMED("a1")))), false},
        {ACTOR_11(VALUE(ACTOR("&lt;Attribute xmlns='" FG_NS_SAML2 "' Name='n'&gt;&lt;AttributeValue&gt;a1&lt;/AttributeValue&gt;&lt;/Attribute&gt;"))), false},
        {ACTOR_11(VALUE("&lt;!DOCTYPE Actor&gt;" ACTOR(NAMED("a1")))), false},                    /* XP-01 */
        {ACTOR_11(VALUE(ACTOR("&amp;e;" NAMED("a1")))), false},                                    /* XP-02 */
        {ACTOR_11(VALUE("<Actor>" "<x></x>" "</Actor>")), false},                                     /* not escaped */
        {ACTOR_11(VALUE(ACTOR("&lt;a&gt;&lt;a&gt;&lt;a&gt;&lt;a&gt;&lt;a&gt;&lt;a&gt;&lt;a&gt;&lt;a&gt;&lt;a/&gt;&lt;/a&gt;&lt;/a&gt;&lt;/a&gt;"
                              "&lt;/a&gt;&lt;/a&gt;&lt;/a&gt;&lt;/a&gt;&lt;/a&gt;"))), false},     /* XP-04 */
    };
    fg_assertion_read_t read;
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_str_t original = write_saml(FG_SAML_11, make("alice", make_chain(1)), FG_STR_NONE);
        const char *from = strstr(original.p, "<saml:Attribute "), *to = strstr(from, "</saml:Attribute>") + strlen("</saml:Attribute>");
        const char *piece = fg_arena_strndup(arena, from, (size_t)(to - from));
        fg_code_t code = read_saml(change(original, piece, rows[i].attribute), &read);
        if (code != (rows[i].good ? FG_OK : FG_E_TOKEN_MALFORMED))
            fail_msg("row %zu: %d: %s", i, code, err.detail);
    }
}

static void chains_are_bounded(void **state) {
    (void)state;
    fg_assertion_read_t read;
    fg_buf_t out = FG_BUF_INIT(1u << 20);
    fg_str_t longest = write_saml(FG_SAML_20, make("alice", make_chain(FG_ACTORS_MAX)), FG_STR_NONE);
    fg_str_t longer = write_saml(FG_SAML_20, make("alice", make_chain(FG_ACTORS_MAX + 1)), FG_STR_NONE);
    assert_int_equal(read_saml(longest, &read), FG_OK);
    assert_int_equal(read_saml(longer, &read), FG_E_TOKEN_MALFORMED);
    /* what does not fit is not written at all */
    fg_identity_t *large = make("large", NULL), *subject = make("alice", large);
    for (unsigned i = 0; i < 100; i++)
        assert_true(fg_claims_put(arena, &large->claims, FG_CLAIM_ROLE, fg_str(fg_arena_printf(arena, "%01000u", i))));
    fg_claims_t none = {0};
    const fg_assertion_t assertion = {.version = FG_SAML_20, .id = "_i", .issuer = FG_STR(ISSUER), .audience = FG_STR("urn:rp"),
                                      .identity = subject, .claims = &none, .actor = large};
    assert_false(fg_assertion_write(&assertion, key, &out, &err));
    large->claims.count = 30;
    assert_true(fg_assertion_write(&assertion, key, &out, &err));
    fg_buf_free(&out);
}

/* ---- JSON Web Tokens */

static fg_code_t read_jwt(fg_str_t token, fg_jwt_read_t *read) {
    const fg_str_t audience = FG_STR("urn:rp");
    fg_jwk_t trusted = {key, fg_str(fg_key_get_id(key)), FG_STR_NONE};
    const fg_jwk_set_t keys = {&trusted, 1};
    const fg_jwt_trust_t trust = {.issuer = FG_STR(ISSUER), .keys = &keys, .audiences = &audience, .audience_count = 1};
    err = (fg_err_t)FG_ERR_INIT;
    return fg_jwt_read(&test.env, arena, token, &trust, read, &err) ? FG_OK : err.code;
}

static fg_str_t write_jwt(const fg_identity_t *subject, fg_buf_t *out) {
    const fg_jwt_t jwt = {.type = "JWT", .id = FG_STR("i"), .issuer = FG_STR(ISSUER), .subject = FG_STR("alice"), .audience = FG_STR("urn:rp"),
                          .issued_ms = TEST_NOW, .not_before_ms = TEST_NOW, .expires_ms = TEST_NOW + FG_HOUR, .identity = subject,
                          .claims = &subject->claims, .actor = subject->actor};
    fg_buf_reset(out);
    return fg_jwt_write(&jwt, key, out, &err) ? fg_buf_str(out) : FG_STR_NONE;
}

static void jwt_chains_come_back_and_the_last_actor_is_outermost(void **state) {
    (void)state;
    fg_buf_t out = FG_BUF_INIT(1u << 20);
    fg_jwt_read_t read;
    for (unsigned count = 0; count <= FG_ACTORS_MAX; count++) {
        assert_int_equal(read_jwt(write_jwt(make("alice", make_chain(count)), &out), &read), FG_OK);
        assert_chain(read.identity.actor, count);
        assert_int_equal(read.identity.claims.count, 3);
    }
    const json_t *act = json_object_get(read.payload, "act");
    assert_true(fg_str_is(fg_json_string(act, "sub"), "a4"));
    assert_true(fg_str_is(fg_json_string(json_object_get(act, "act"), "sub"), "a3"));
    assert_null(write_jwt(make("alice", make_chain(FG_ACTORS_MAX + 1)), &out).p);
    fg_buf_free(&out);
}

static fg_str_t sign_jwt(const char *members) {
    fg_buf_t out = FG_BUF_INIT(1u << 16), signature = FG_BUF_INIT(1024);
    const char *header = fg_arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", fg_key_get_id(key));
    const char *payload = fg_arena_printf(arena, "{\"iss\":\"" ISSUER "\",\"aud\":\"urn:rp\",\"sub\":\"alice\",\"exp\":1767229200%s}", members);
    fg_base64url_encode(&out, header, strlen(header));
    fg_buf_putc(&out, '.');
    fg_base64url_encode(&out, payload, strlen(payload));
    assert_true(fg_key_sign(key, fg_buf_str(&out), &signature, &err));
    fg_buf_putc(&out, '.');
    fg_base64url_encode(&out, signature.data, signature.length);
    fg_str_t token = fg_arena_str(arena, fg_buf_str(&out));
    fg_buf_free(&out);
    fg_buf_free(&signature);
    return token;
}

#define NEST(inside) "{\"sub\":\"x\",\"act\":" inside "}"

static void malformed_act_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *members;
        fg_code_t code;
        size_t actors;
    } rows[] = {
        {"", FG_OK, 0},
        {",\"act\":{\"sub\":\"front\"}", FG_OK, 1},
        {",\"act\":{\"sub\":\"front\",\"iss\":\"x\",\"role\":[\"a\",\"b\"]}", FG_OK, 1},
        {",\"act\":" NEST(NEST(NEST("{\"sub\":\"first\"}"))), FG_OK, 4},
        {",\"act\":" NEST(NEST(NEST(NEST("{\"sub\":\"first\"}")))), FG_E_TOKEN_MALFORMED, 0},
        {",\"act\":\"front\"", FG_E_TOKEN_MALFORMED, 0},
        {",\"act\":null", FG_E_TOKEN_MALFORMED, 0},
        {",\"act\":[{\"sub\":\"front\"}]", FG_E_TOKEN_MALFORMED, 0},
        {",\"act\":{}", FG_E_TOKEN_MALFORMED, 0},
        {",\"act\":{\"sub\":\"\"}", FG_E_TOKEN_MALFORMED, 0},
        {",\"act\":{\"sub\":1}", FG_E_TOKEN_MALFORMED, 0},
        {",\"act\":{\"sub\":\"front\",\"act\":null}", FG_E_TOKEN_MALFORMED, 0},
        {",\"" FG_CLAIM_ACTOR "\":\"<Actor/>\"", FG_OK, 0},
    };
    fg_jwt_read_t read;
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        if (read_jwt(sign_jwt(rows[i].members), &read) != rows[i].code)
            fail_msg("row %zu: %d: %s", i, err.code, err.detail);
        if (rows[i].code == FG_OK)
            assert_int_equal(fg_identity_count_actors(&read.identity), rows[i].actors);
        assert_null(fg_claims_get(&read.identity.claims, FG_CLAIM_ACTOR));
    }
}

/* ---- the pipeline */

static fg_exchange_t *exchange(fg_hub_t *hub, fg_keys_t *keys) {
    fg_exchange_t *ex = fg_arena_alloc(arena, sizeof *ex);
    *hub = (fg_hub_t){.entity_id = FG_STR(ISSUER)};
    *keys = (fg_keys_t){.signing[FG_KEY_ACTIVE] = key};
    ex->arena = arena;
    ex->env = &test.env;
    ex->hub = hub;
    ex->keys = keys;
    ex->now_ms = test.now_ms;
    memcpy(ex->correlation_id, "c-1", 4);
    return ex;
}

/* An actor's claims get out as a person's do: none without being named, but a name. */
static void partner_gets_of_an_actor_what_it_gets_of_a_person(void **state) {
    (void)state;
    fg_hub_t hub;
    fg_keys_t keys;
    fg_exchange_t *ex = exchange(&hub, &keys);
    static const char *const types[] = {FG_CLAIM_ROLE};
    fg_partner_t partner = {.name = "p", .token_lifetime_ms = FG_HOUR, .claim_types = types, .claim_type_count = 1};
    fg_identity_t *front = make("front", NULL);
    assert_true(fg_claims_put(arena, &front->claims, FG_CLAIM_EMAIL, FG_STR("hidden@example.test")));
    fg_issue_request_t request = {.partner = &partner, .audience = FG_STR("urn:rp"), .identity = make("alice", front), .version = FG_SAML_20};
    fg_issued_t issued;
    fg_assertion_read_t read;
    assert_true(fg_issue(ex, &request, &issued, &err));
    if (read_saml(issued.token, &read) != FG_OK)
        fail_msg("%s", err.detail);
    assert_null(strstr(issued.token.p, "hidden@"));
    assert_int_equal(read.identity.actor->claims.count, 3);
    assert_true(fg_str_is(fg_identity_name(read.identity.actor), "front"));
    assert_non_null(strstr(ex->audit->text.p, "\"user\":\"alice\",\"actor\":\"front\""));
    partner.issuance_rules = fg_ruleset_compile("i", FG_STR("c:[Type==\"" FG_CLAIM_NAME "\"] => issue(Type=\"" FG_CLAIM_UPN "\", Value=c.Value + \"@x\");"), NULL, &err);
    request.jwt = true;
    fg_jwt_read_t jwt;
    assert_true(fg_issue(ex, &request, &issued, &err));
    assert_int_equal(read_jwt(issued.token, &jwt), FG_OK);
    assert_int_equal(jwt.identity.actor->claims.count, 1);
    assert_true(fg_str_is(fg_claims_get(&jwt.identity.actor->claims, FG_CLAIM_UPN)->value, "front@x"));
    fg_ruleset_free((fg_ruleset_t *)(uintptr_t)partner.issuance_rules);
    partner.issuance_rules = NULL;
    front->claims.count = 0; /* somebody nameless */
    assert_false(fg_issue(ex, &request, &issued, &err));
    assert_err(&err, FG_E_DENIED);
}

/* What a realm says of actors is accepted by its rules, like what it says of people. */
static void acceptance_rules_see_actors_wt02(void **state) {
    (void)state;
    fg_hub_t hub;
    fg_keys_t keys;
    fg_exchange_t *ex = exchange(&hub, &keys);
    fg_home_realm_t realm = {.acceptance_rules = fg_ruleset_compile("a", FG_STR("c:[Type==\"" FG_CLAIM_NAME "\"] => issue(claim=c);"), NULL, &err)};
    const fg_identity_t *chain = make_chain(2);
    fg_identity_t *alice = make("alice", chain);
    assert_true(fg_signin_accept(ex, &realm, alice, &err));
    assert_int_equal(alice->actor->claims.count, 1);
    assert_int_equal(alice->actor->actor->claims.count, 1);
    assert_true(fg_str_is(fg_identity_name(alice->actor), "a1"));
    assert_int_equal(chain->claims.count, 3);
    fg_ruleset_free((fg_ruleset_t *)(uintptr_t)realm.acceptance_rules);
    realm.acceptance_rules = NULL;
    fg_identity_t *front = make("front", NULL);
    assert_true(fg_claims_put(arena, &front->claims, FG_REQUEST_SUBJECT FG_CLAIM_ROLE, FG_STR("Staff")));
    alice = make("alice", front);
    assert_true(fg_signin_accept(ex, &realm, alice, &err));
    assert_int_equal(alice->actor->claims.count, 3);
}

/* A session that began with a delegated token stays one. */
static void sessions_keep_actors(void **state) {
    (void)state;
    for (unsigned count = 0; count <= FG_ACTORS_MAX + 1; count++) {
        fg_buf_t out = FG_BUF_INIT(1u << 16);
        fg_session_t session = {.id = "_s", .identity = *make("alice", make_chain(count))}, again = {.id = ""};
        fg_session_write(&out, &session);
        bool ok = fg_session_read(arena, fg_buf_str(&out), &again);
        assert_int_equal(ok, count <= FG_ACTORS_MAX);
        if (ok)
            assert_chain(again.identity.actor, count);
        assert_false(fg_session_read(arena, (fg_str_t){out.data, out.length - 1}, &again));
        fg_buf_free(&out);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(actor_is_written_as_windows_identity_foundation_does),
        CASE(chains_come_back_as_they_were),
        CASE(claims_make_no_actors_wt02),
        CASE(malformed_actors_are_refused),
        CASE(chains_are_bounded),
        CASE(jwt_chains_come_back_and_the_last_actor_is_outermost),
        CASE(malformed_act_is_refused),
        CASE(partner_gets_of_an_actor_what_it_gets_of_a_person),
        CASE(acceptance_rules_see_actors_wt02),
        CASE(sessions_keep_actors),
    };
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return 1;
    key = fg_key_generate(FG_KEY_EC_P256, "signer", TEST_NOW, TEST_NOW + FG_DAY, &err);
    int failed = key == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    fg_key_unref(key);
    fg_crypto_stop();
    return failed;
}
