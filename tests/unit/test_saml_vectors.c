/* SPDX-License-Identifier: GPL-2.0-or-later
 * Messages from another project's tests, with the verdicts of their manifest.
 *
 * None of the assertions names an audience, which the profile asks for (profiles §4.1.4.2) and upstream's tests leave
 * out: "valid" means here that they are refused for that alone, after signature, decryption, issuer and times were
 * found right.  What is checked behind the audience (InResponseTo, confirmations) cannot be reached with them, and is
 * tested in test_saml_sign_in.c.  The Response's own IssueInstant, from 2015, is not looked at. */
#include "tests/unit/saml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "bridges/saml/logout.h"
#include "bridges/saml/response.h"
#include "core/crypto.h"
#include "core/time.h"
#include "core/xml.h"

#define ISSUER "https://evil-corp.com"

typedef struct vectors {
    test_env_t test;
    fg_hub_t hub;
    fg_keys_t keys;
    fg_exchange_t ex;
    json_t *manifest;
} vectors_t;

static char *read_vector(const char *name, size_t *n) {
    char path[512];
    snprintf(path, sizeof path, "%s/saml/%s", test_vectors(), name);
    char *text = test_file(path, n);
    if (text == NULL)
        fail_msg("%s", path);
    return text;
}

static int set_up(void **state) {
    static vectors_t v;
    fg_err_t err = FG_ERR_INIT;
    memset(&v, 0, sizeof v);
    test_env_init(&v.test);
    v.hub.xml = fg_xml_default_limits;
    v.hub.skew_ms = 0;
    *state = &v;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return -1;
    if (test_vectors() == NULL)
        return 0;
    size_t n;
    char *text = read_vector("manifest.json", &n);
    v.manifest = json_loads(text, 0, NULL);
    free(text);
    return v.manifest != NULL ? 0 : -1;
}

static int tear_down(void **state) {
    vectors_t *v = *state;
    json_decref(v->manifest);
    fg_crypto_stop();
    return 0;
}

static fg_key_t *read_key(const char *name) {
    size_t n;
    fg_err_t err = FG_ERR_INIT;
    char *text = read_vector(name, &n);
    bool der = strstr(name, ".der") != NULL;
    fg_buf_t pem = FG_BUF_INIT(16u << 10);
    if (der) {
        fg_buf_puts(&pem, "-----BEGIN RSA PRIVATE KEY-----\n");
        fg_base64_encode(&pem, text, n);
        fg_buf_puts(&pem, "\n-----END RSA PRIVATE KEY-----\n");
        for (size_t i = 32 + 64; i + 64 < pem.length; i += 65) { /* lines of 64 */
            fg_buf_t line = FG_BUF_INIT(16u << 10);
            fg_buf_add(&line, pem.data, i);
            fg_buf_putc(&line, '\n');
            fg_buf_add(&line, pem.data + i, pem.length - i);
            fg_buf_free(&pem);
            pem = line;
        }
    } else {
        fg_buf_puts(&pem, text);
    }
    fg_key_t *key = fg_key_from_pem(fg_buf_str(&pem), &err);
    if (key == NULL)
        fail_msg("%s: %s", name, err.detail);
    fg_buf_free(&pem);
    free(text);
    return key;
}

static const char *member(const json_t *entry, const char *name) {
    const char *text = json_string_value(json_object_get(entry, name));
    return text ? text : "";
}

static bool says(const json_t *entry, const char *name) { return json_is_true(json_object_get(entry, name)); }

/* An exchange at the entry's time, with its decryption key. */
static fg_exchange_t *begin(vectors_t *v, const json_t *entry) {
    const char *at = member(entry, "verify_at"), *key = member(entry, "decryption_key");
    if (*at != '\0')
        assert_true(fg_time_parse(fg_str(at), &v->test.now_ms));
    v->keys.encryption[FG_KEY_ACTIVE] = *key != '\0' ? read_key(key) : NULL;
    v->ex = (fg_exchange_t){.env = &v->test.env, .hub = &v->hub, .keys = &v->keys, .arena = fg_arena_new(0)};
    v->ex.now_ms = v->test.now_ms;
    assert_non_null(v->ex.arena);
    return &v->ex;
}

static void end(vectors_t *v) {
    fg_arena_free(v->ex.arena);
    fg_key_unref(v->keys.encryption[FG_KEY_ACTIVE]);
    v->keys.encryption[FG_KEY_ACTIVE] = NULL;
}

static bool parse(fg_exchange_t *ex, const json_t *entry, fg_saml_inbound_t *in, fg_err_t *err) {
    size_t n;
    char *text = read_vector(member(entry, "file"), &n);
    xmlDoc *doc = fg_xml_parse(ex->arena, (fg_str_t){text, n}, &ex->hub->xml, err);
    *in = (fg_saml_inbound_t){.binding = FG_SAML_POST, .root = doc ? xmlDocGetRootElement(doc) : NULL};
    free(text);
    return doc != NULL;
}

/* As sign_in.c goes about it, with the options of the entry. */
static fg_code_t judge(fg_exchange_t *ex, const json_t *entry, fg_key_t *key, bool allow_sha1, fg_err_t *err) {
    const fg_entity_keys_t keys = {{key}, 1, allow_sha1};
    const fg_key_t *list[] = {key};
    const fg_decryption_t decryption = fg_saml_decryption(ex);
    fg_saml_inbound_t in;
    bool is_signed;
    if (!parse(ex, entry, &in, err) || !fg_saml_verify(&in, &keys, &is_signed, err))
        return err->code;
    if (says(entry, "want_response_signed") && !is_signed)
        return FG_E_SIG_MISSING;
    xmlNode *assertion = fg_saml_response_read(ex, in.root, err);
    if (assertion == NULL ||
        (fg_assertion_is_encrypted(assertion) && !fg_saml_open_encrypted(ex, assertion, &assertion, err)))
        return err->code;
    static const fg_str_t audience = {"urn:nobody", 10};
    const fg_dsig_verified_t enclosing = {.element = in.root, .key = key};
    const fg_assertion_trust_t trust = {
        .issuer = FG_STR(ISSUER),
        .dsig = {list, 1, allow_sha1},
        .audiences = &audience,
        .audience_count = 1,
        .decryption = &decryption,
        .web_sso = true,
        .enclosing = is_signed && !says(entry, "want_assertion_signed") ? &enclosing : NULL,
    };
    fg_assertion_read_t read;
    return fg_assertion_read(ex->env, ex->arena, assertion, &trust, &read, err) ? FG_OK : err->code;
}

/* What our verdict cannot be, and why. */
static const struct {
    const char *file, *why;
} exceptions[] = {
    {"messages/response.root-signed.message-signed-double-subjectconfirmation.xml",
     "the assertion has a stale signature of its own: upstream does not look at it, here each must hold"},
    {"messages/response.root-signed.message-signed-no-subjectconfirmation.xml", "the same"},
    {"messages/response.root-signed.message-signed-empty-subjectconfirmation.xml", "the same"},
    {"messages/logout_request_with_encrypted_name_id.xml", "its EncryptedID is in no namespace (XP-14)"},
    {"messages/response-with-uncomplete-attribute.xml", "upstream looks at its signature and attributes alone"},
};

static bool is_excepted(const json_t *entry) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(exceptions); i++)
        if (strcmp(member(entry, "file"), exceptions[i].file) == 0)
            return true;
    return false;
}

static bool is_response(const json_t *entry) { return strcasecmp(member(entry, "kind"), "response") == 0; }

static void responses(void **state) {
    vectors_t *v = *state;
    size_t i, seen[2] = {0, 0};
    json_t *entry;
    if (v->manifest == NULL)
        skip();
    json_array_foreach(json_object_get(v->manifest, "entries"), i, entry) {
        if (!is_response(entry) || strcmp(member(entry, "verdict"), "sample") == 0 || is_excepted(entry))
            continue;
        fg_err_t err = FG_ERR_INIT;
        bool valid = strcmp(member(entry, "verdict"), "valid") == 0;
        fg_key_t *key = read_key(member(entry, "key"));
        fg_code_t code = judge(begin(v, entry), entry, key, true, &err);
        if (code == FG_OK || (code == FG_E_TOKEN_AUDIENCE) != valid)
            fail_msg("entry %zu, %s, %s: %s", i, member(entry, "file"), member(entry, "case"), err.detail);
        end(v);
        fg_key_unref(key);
        seen[valid]++;
    }
    assert_true(seen[true] >= 17 && seen[false] >= 20);
}

static bool is_sha1(const json_t *entry) {
    size_t n;
    char *text = read_vector(member(entry, "file"), &n);
    bool found = strstr(text, "#rsa-sha1") != NULL;
    free(text);
    return found;
}

/* XS-25: most of them are signed with SHA-1, and with the switch off not one of these is taken. */
static void xs_25_without_the_switch_none_is_taken(void **state) {
    vectors_t *v = *state;
    size_t i;
    json_t *entry;
    if (v->manifest == NULL)
        skip();
    json_array_foreach(json_object_get(v->manifest, "entries"), i, entry) {
        if (!is_response(entry) || strcmp(member(entry, "verdict"), "sample") == 0 || !is_sha1(entry))
            continue;
        fg_err_t err = FG_ERR_INIT;
        fg_key_t *key = read_key(member(entry, "key"));
        fg_code_t code = judge(begin(v, entry), entry, key, false, &err);
        if (code == FG_OK || code == FG_E_TOKEN_AUDIENCE)
            fail_msg("entry %zu, %s", i, member(entry, "file"));
        if (strcmp(member(entry, "verdict"), "valid") == 0 && code != FG_E_SIG_ALGORITHM)
            fail_msg("entry %zu, %s: %s", i, member(entry, "file"), err.detail);
        end(v);
        fg_key_unref(key);
    }
}

/* ---- SA-16: LogoutRequests */

static bool judge_logout(fg_exchange_t *ex, const json_t *entry, fg_key_t *key, fg_saml_logout_t *logout,
                         fg_err_t *err) {
    const fg_entity_keys_t keys = {{key}, 1, true};
    fg_saml_inbound_t in;
    bool is_signed;
    return parse(ex, entry, &in, err) && fg_saml_verify(&in, &keys, &is_signed, err) && is_signed &&
           fg_saml_logout_read(ex, in.root, logout, err);
}

/* It ends in 2022, and the manifest's instant is before that. */
#define EXPIRED "messages/logout_request_with_bad_expiration.xml"

static void sa_16_logout_requests(void **state) {
    vectors_t *v = *state;
    size_t i, seen = 0;
    json_t *entry;
    if (v->manifest == NULL)
        skip();
    json_array_foreach(json_object_get(v->manifest, "entries"), i, entry) {
        if (strcmp(member(entry, "kind"), "LogoutRequest") != 0 || is_excepted(entry))
            continue;
        fg_err_t err = FG_ERR_INIT;
        fg_saml_logout_t logout;
        fg_key_t *key = read_key(member(entry, "key"));
        fg_exchange_t *ex = begin(v, entry);
        if (strcmp(member(entry, "file"), EXPIRED) == 0)
            assert_true(fg_time_parse(FG_STR("2023-01-01T00:00:00Z"), &ex->now_ms));
        bool taken = judge_logout(ex, entry, key, &logout, &err);
        if (taken != (strcmp(member(entry, "verdict"), "valid") == 0))
            fail_msg("%s: %s", member(entry, "file"), err.detail);
        if (taken && *member(entry, "name_id") != '\0')
            assert_true(fg_str_is(logout.name_id.value, member(entry, "name_id")));
        if (taken && *member(entry, "session_index") != '\0')
            assert_true(fg_str_is(logout.sessions[0], member(entry, "session_index")));
        end(v);
        fg_key_unref(key);
        seen++;
    }
    assert_int_equal(seen, 4);
}

/* ---- SA-14: messages in addresses */

static fg_code_t receive(fg_exchange_t *ex, fg_str_t query, fg_key_t *key, bool allow_sha1) {
    const fg_entity_keys_t keys = {{key}, 1, allow_sha1};
    fg_err_t err = FG_ERR_INIT;
    fg_saml_inbound_t in;
    bool is_signed = false;
    ex->request = (fg_request_t){.method = FG_METHOD_GET, .query = query};
    if (!fg_saml_receive(ex, &in, &err) || !fg_saml_verify(&in, &keys, &is_signed, &err))
        return err.code;
    return is_signed ? FG_OK : FG_E_SIG_MISSING;
}

static void check_redirect(vectors_t *v, const json_t *entry) {
    size_t n;
    char *text = read_vector(member(entry, "file"), &n);
    json_t *json = json_loads(text, 0, NULL);
    fg_key_t *key = read_key(member(entry, "key"));
    char *query = strdup(member(json, "originalQuery"));
    fg_exchange_t *ex = begin(v, entry);
    assert_int_equal(receive(ex, fg_str(query), key, true), FG_OK);
    assert_int_equal(receive(ex, fg_str(query), key, false), FG_E_SIG_ALGORITHM);
    char *at = strstr(query, "&SigAlg="), *twice = saml_replace(query, "&SigAlg=", "&RelayState=x&SigAlg=");
    assert_int_equal(receive(ex, fg_str(twice), key, true),
                     strstr(query, "RelayState=") ? FG_E_SAML_MESSAGE : FG_E_SIG_INVALID);
    assert_non_null(at);
    at = strstr(query, "&Signature=") + strlen("&Signature=");
    *at = *at == 'A' ? 'B' : 'A';
    assert_int_equal(receive(ex, fg_str(query), key, true), FG_E_SIG_INVALID);
    end(v);
    fg_key_unref(key);
    json_decref(json);
    free(text), free(query), free(twice);
}

static void sa_14_redirects(void **state) {
    vectors_t *v = *state;
    size_t i, seen = 0;
    json_t *entry;
    if (v->manifest == NULL)
        skip();
    json_array_foreach(json_object_get(v->manifest, "entries"), i, entry) {
        if (strncmp(member(entry, "kind"), "redirect-", 9) != 0)
            continue;
        check_redirect(v, entry);
        seen++;
    }
    assert_int_equal(seen, 3);
}

/* ---- the rest */

/* An envelope that is not signed: what is in it can be opened, and is believed by nobody. */
static void a_sample_is_opened_and_not_believed(void **state) {
    vectors_t *v = *state;
    size_t i, seen = 0;
    json_t *entry;
    if (v->manifest == NULL)
        skip();
    json_array_foreach(json_object_get(v->manifest, "entries"), i, entry) {
        if (!is_response(entry) || strcmp(member(entry, "verdict"), "sample") != 0)
            continue;
        fg_err_t err = FG_ERR_INIT;
        fg_saml_inbound_t in;
        xmlNode *assertion = NULL;
        fg_exchange_t *ex = begin(v, entry);
        assert_true(parse(ex, entry, &in, &err));
        const xmlNode *sealed = fg_xml_child(in.root, FG_NS_SAML2, "EncryptedAssertion", NULL);
        assert_non_null(sealed);
        if (!fg_saml_open_encrypted(ex, sealed, &assertion, &err))
            fail_msg("%s: %s", member(entry, "file"), err.detail);
        assert_true(fg_xml_is(assertion, FG_NS_SAML2, "Assertion"));
        fg_key_t *stranger = read_key("keys/cert.pem");
        assert_int_not_equal(judge(ex, entry, stranger, true, &err), FG_OK);
        fg_key_unref(stranger);
        end(v);
        seen++;
    }
    assert_int_equal(seen, 1);
}

/* SA-18: metadata under a key; with another key, or changed, it is refused. */
static void sa_18_signed_metadata(void **state) {
    vectors_t *v = *state;
    size_t i, n, seen = 0;
    json_t *entry;
    if (v->manifest == NULL)
        skip();
    json_array_foreach(json_object_get(v->manifest, "entries"), i, entry) {
        if (strcmp(member(entry, "kind"), "EntityDescriptor") != 0)
            continue;
        char *text = read_vector(member(entry, "file"), &n),
             *changed = saml_replace(text, "entityID=\"", "entityID=\"x");
        fg_key_t *const keys[] = {read_key(member(entry, "key")), read_key("keys/cert.pem")};
        fg_exchange_t *ex = begin(v, entry);
        for (int which = 0; which < 3; which++) {
            const fg_key_t *key = keys[which == 1];
            const fg_dsig_trust_t trust = {&key, 1, true};
            fg_saml_party_t party;
            fg_err_t err = FG_ERR_INIT;
            bool found, read = false;
            for (int role = 0; role < 2 && !read; role++)
                read = fg_saml_party_read(ex->env, ex->arena, fg_str(which == 2 ? changed : text), &trust,
                                          (fg_saml_role_t)role, &party, &found, &err) &&
                       found;
            if (read != (which == 0))
                fail_msg("%d: %s", which, err.detail);
        }
        end(v);
        fg_key_unref(keys[0]), fg_key_unref(keys[1]);
        free(text), free(changed);
        seen++;
    }
    assert_int_equal(seen, 1);
}

/* No entry is passed over: each is of a kind that a test here judges, or an exception with its reason. */
static void every_entry_is_judged(void **state) {
    vectors_t *v = *state;
    static const char *const kinds[] = {"LogoutRequest", "EntityDescriptor"};
    size_t i;
    bool used[FG_ARRAY_SIZE(exceptions)] = {false};
    json_t *entry;
    if (v->manifest == NULL)
        skip();
    json_array_foreach(json_object_get(v->manifest, "entries"), i, entry) {
        const char *kind = member(entry, "kind");
        bool judged = is_response(entry) || strncmp(kind, "redirect-", 9) == 0;
        for (size_t k = 0; k < FG_ARRAY_SIZE(kinds); k++)
            judged = judged || strcmp(kind, kinds[k]) == 0;
        if (!judged)
            fail_msg("%s: a \"%s\" is judged by nobody", member(entry, "file"), kind);
        for (size_t k = 0; k < FG_ARRAY_SIZE(exceptions); k++)
            used[k] = used[k] || strcmp(member(entry, "file"), exceptions[k].file) == 0;
    }
    for (size_t k = 0; k < FG_ARRAY_SIZE(exceptions); k++) /* and no exception is left over */
        assert_true(used[k]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(responses),
        T(xs_25_without_the_switch_none_is_taken),
        T(sa_16_logout_requests),
        T(sa_14_redirects),
        T(a_sample_is_opened_and_not_believed),
        T(sa_18_signed_metadata),
        T(every_entry_is_judged),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
