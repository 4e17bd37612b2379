/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Our verdict on the signatures of documents, for a test that holds it against another program's.
 *
 * signatures            reads "FILE KEY SHA1" a line from stdin, parted by tabs: KEY is a PEM file or "secret:BASE64",
 * SHA1 is 1 if SHA-1 may be used; answers each with a line: "unread REASON", "key REASON", or "read" and, for each
 *                       ds:Signature in document order, a tab and ENVELOPED:MESSAGE:ELEMENT...  ENVELOPED and MESSAGE
 * are what the two verifiers say ("ok" or a reason), ELEMENT are the names of what is covered, if one says ok.
 * signatures FOLDER     writes documents that we sign: NAME.xml beside NAME.pem or NAME.secret */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/fault.h"
#include "core/file.h"
#include "core/time.h"
#include "core/xmldsig.h"
#include "token/assertion.h"

#define NOW INT64_C(1767225600000)
#define LONGEST (4u << 20)

/* limits as for metadata of partners, the largest of what is signed */
static const fg_xml_limits_t limits = {
    .bytes = LONGEST, .depth = 64, .elements = 100000, .attributes = 64, .namespaces = 64};

typedef struct judge {
    fg_arena_t *arena;
    fg_key_t *key;
    fg_str_t secret;
    bool allow_sha1;
} judge_t;

/* ---- judging */

static const char *say(bool good, const fg_err_t *err) { return good ? "ok" : fg_fault_get(err->code)->reason; }

static const char *id_attribute(judge_t *judge, const xmlNode *element) {
    static const char *const names[] = {"ID", "AssertionID", "Id"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
        if (fg_xml_attr(judge->arena, element, NULL, names[i]).p != NULL)
            return names[i];
    return names[0];
}

static bool judge_enveloped(judge_t *judge, xmlNode *signature, fg_buf_t *covered, fg_err_t *err) {
    fg_dsig_verified_t verified;
    const fg_key_t *key = judge->key;
    xmlNode *element = signature->parent;
    if (key == NULL || element->type != XML_ELEMENT_NODE) {
        FG_FAIL(err, FG_E_SIG_STRUCTURE, "not enveloped, or by a secret");
        return false;
    }
    if (!fg_dsig_verify_enveloped(element, id_attribute(judge, element), &(fg_dsig_trust_t){&key, 1, judge->allow_sha1},
                                  &verified, err))
        return false;
    fg_buf_printf(covered, ":%s", (const char *)verified.element->name);
    return true;
}

static bool judge_message(judge_t *judge, xmlNode *signature, fg_buf_t *covered, fg_err_t *err) {
    fg_dsig_message_t *message = fg_arena_alloc(judge->arena, sizeof *message);
    const fg_dsig_scope_t scope = {.allow_sha1 = judge->allow_sha1};
    if (message == NULL || !fg_dsig_message_read(judge->arena, signature, &scope, message, err))
        return false;
    if (judge->key ? !fg_dsig_message_verify(message, judge->key, err)
                   : !fg_dsig_message_verify_secret(message, judge->secret, err))
        return false;
    for (size_t i = 0; i < message->reference_count; i++)
        fg_buf_printf(covered, ":%s", (const char *)message->references[i].element->name);
    return true;
}

static void judge_signature(judge_t *judge, xmlNode *signature, fg_buf_t *out) {
    fg_err_t enveloped = FG_ERR_INIT, message = FG_ERR_INIT;
    fg_buf_t covered = FG_BUF_INIT(4000);
    bool is_enveloped = judge_enveloped(judge, signature, &covered, &enveloped);
    bool is_message = !is_enveloped && judge_message(judge, signature, &covered, &message);
    fg_buf_printf(out, "\t%s:%s", say(is_enveloped, &enveloped), is_enveloped ? "-" : say(is_message, &message));
    fg_buf_put_str(out, fg_buf_str(&covered));
    fg_buf_free(&covered);
}

static void judge_all(judge_t *judge, xmlNode *node, fg_buf_t *out) {
    for (; node != NULL; node = fg_xml_next(node)) {
        if (fg_xml_is(node, FG_NS_DS, "Signature"))
            judge_signature(judge, node, out);
        judge_all(judge, fg_xml_first_child(node), out);
    }
}

static bool take_key(judge_t *judge, const char *name, fg_err_t *err) {
    static const char word[] = "secret:";
    fg_buf_t bytes = FG_BUF_INIT(100000);
    bool is_secret = strncmp(name, word, strlen(word)) == 0;
    bool good =
        is_secret ? fg_base64_decode(&bytes, fg_str(name + strlen(word))) : fg_file_read(name, &bytes, NULL, err);
    if (good && is_secret)
        judge->secret = fg_arena_str(judge->arena, fg_buf_str(&bytes));
    else if (good)
        good = (judge->key = fg_key_from_pem(fg_buf_str(&bytes), err)) != NULL;
    fg_buf_free(&bytes);
    return good;
}

static void judge_document(judge_t *judge, const char *name, fg_buf_t *out) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t bytes = FG_BUF_INIT(LONGEST);
    xmlDoc *doc =
        fg_file_read(name, &bytes, NULL, &err) ? fg_xml_parse(judge->arena, fg_buf_str(&bytes), &limits, &err) : NULL;
    if (doc == NULL) {
        fg_buf_printf(out, "unread %s", say(false, &err));
    } else {
        fg_buf_puts(out, "read");
        judge_all(judge, xmlDocGetRootElement(doc), out);
    }
    fg_buf_free(&bytes);
}

static bool judge_line(char *line) {
    char *rest = NULL, *file = strtok_r(line, "\t\n", &rest), *key = strtok_r(NULL, "\t\n", &rest),
         *sha1 = strtok_r(NULL, "\t\n", &rest);
    judge_t judge = {.arena = fg_arena_new(64u << 20), .allow_sha1 = sha1 != NULL && *sha1 == '1'};
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(100000);
    bool good = judge.arena != NULL && key != NULL;
    if (good && take_key(&judge, key, &err))
        judge_document(&judge, file, &out);
    else if (good)
        fg_buf_printf(&out, "key %s", say(false, &err));
    if (good)
        printf("%.*s\n", (int)out.length, fg_buf_str(&out).p);
    fg_buf_free(&out);
    fg_key_unref(judge.key);
    fg_arena_free(judge.arena);
    return good;
}

/* ---- making */

static bool save(const char *folder, const char *name, const char *ending, const fg_buf_t *bytes) {
    char path[1000];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
    FILE *file = fg_buf_ok(bytes) ? fopen(path, "w") : NULL;
    bool good = file != NULL && fwrite(bytes->data, 1, bytes->length, file) == bytes->length;
    return file != NULL && fclose(file) == 0 && good;
}

static bool save_key(const char *folder, const char *name, const fg_key_t *key, fg_err_t *err) {
    fg_buf_t pem = FG_BUF_INIT(20000);
    bool good = fg_key_to_pem(key, &pem, err) && save(folder, name, "pem", &pem);
    fg_buf_free(&pem);
    return good;
}

/* With what canonical form must get right: marks, line ends, letters of other alphabets, an actor's escaped element. */
static bool make_assertion(const char *folder, const char *name, fg_saml_version_t version, const fg_key_t *key,
                           fg_err_t *err) {
    static const fg_claim_t items[] = {
        {.type = FG_STR(FG_CLAIM_NAME), .value = FG_STR("al&i\r\nce\t<\xc3\xa4\xf0\x9f\x94\x91>\"'")},
        {.type = FG_STR(FG_CLAIM_ROLE), .value = FG_STR("Staff")},
        {.type = FG_STR(FG_CLAIM_ROLE), .value = FG_STR("]]>")}};
    static const fg_claims_t claims = {(fg_claim_t *)(uintptr_t)items, FG_ARRAY_SIZE(items), 0};
    static const fg_identity_t actor = {.auth_method = FG_STR(FG_AUTH_PASSWORD),
                                        .claims = {(fg_claim_t *)(uintptr_t)items, 1, 0}};
    static const fg_identity_t identity = {.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = NOW};
    const fg_assertion_t assertion = {.version = version,
                                      .id = "_1",
                                      .issuer = FG_STR("https://i.example/"),
                                      .issue_instant_ms = NOW,
                                      .not_before_ms = NOW,
                                      .not_on_or_after_ms = NOW + FG_HOUR,
                                      .audience = FG_STR("https://a.example/?a=\"b\"&c"),
                                      .name_id = {.value = FG_STR("alice")},
                                      .identity = &identity,
                                      .claims = &claims,
                                      .actor = &actor};
    fg_buf_t out = FG_BUF_INIT(64u << 10);
    bool good = fg_assertion_write(&assertion, key, &out, err) && save(folder, name, "xml", &out) &&
                save_key(folder, name, key, err);
    fg_buf_free(&out);
    return good;
}

#define WSU "xmlns:u=\"" FG_NS_WSU "\""
#define BODY "<s:Body xmlns:s=\"" FG_NS_SOAP12 "\" " WSU " u:Id=\"body\"><q xmlns=\"urn:q\">hello</q></s:Body>"
#define TIMESTAMP "<u:Timestamp " WSU " u:Id=\"time\"><u:Created>2026-01-01T00:00:00Z</u:Created></u:Timestamp>"

static bool make_message(const char *folder, const char *name, const fg_dsig_signer_t *signer, fg_err_t *err) {
    static const fg_dsig_part_t parts[] = {{FG_STR("time"), FG_STR(TIMESTAMP)}, {FG_STR("body"), FG_STR(BODY)}};
    fg_buf_t signature = FG_BUF_INIT(20000), out = FG_BUF_INIT(64u << 10);
    bool good = fg_dsig_sign_parts(parts, FG_ARRAY_SIZE(parts), signer, &signature, err);
    fg_buf_printf(&out,
                  "<s:Envelope xmlns:s=\"" FG_NS_SOAP12 "\" " WSU ">\n<s:Header><o:Security xmlns:o=\"" FG_NS_WSSE
                  "\">" TIMESTAMP "%s</o:Security></s:Header>" BODY "</s:Envelope>",
                  good ? signature.data : "");
    good = good && save(folder, name, "xml", &out);
    if (good && signer->key)
        good = save_key(folder, name, signer->key, err);
    fg_buf_free(&signature);
    fg_buf_free(&out);
    return good;
}

static bool make_with_key(const char *folder, fg_key_type_t type, fg_err_t *err) {
    fg_key_t *key = fg_key_generate(type, "judge", NOW, NOW + FG_DAY, err);
    char name[3][40];
    snprintf(name[0], sizeof name[0], "saml11-%s", fg_key_type_name(type));
    snprintf(name[1], sizeof name[1], "saml20-%s", fg_key_type_name(type));
    snprintf(name[2], sizeof name[2], "message-%s", fg_key_type_name(type));
    bool good = key != NULL && make_assertion(folder, name[0], FG_SAML_11, key, err) &&
                make_assertion(folder, name[1], FG_SAML_20, key, err) &&
                make_message(folder, name[2], &(fg_dsig_signer_t){.key = key}, err);
    fg_key_unref(key);
    return good;
}

static bool make_with_secret(const char *folder, const char *name, bool sha1, fg_err_t *err) {
    static const fg_str_t secret = FG_STR("0123456789abcdef0123456789abcdef");
    fg_buf_t text = FG_BUF_INIT(100);
    fg_base64_encode(&text, secret.p, secret.n);
    bool good = make_message(folder, name, &(fg_dsig_signer_t){.secret = secret, .sha1_suite = sha1}, err) &&
                save(folder, name, "secret", &text);
    fg_buf_free(&text);
    return good;
}

static bool make_all(const char *folder, fg_err_t *err) {
    static const fg_key_type_t types[] = {FG_KEY_RSA_2048, FG_KEY_EC_P256, FG_KEY_EC_P384};
    bool good = make_with_secret(folder, "hmac-sha1", true, err) && make_with_secret(folder, "hmac-sha256", false, err);
    for (size_t i = 0; i < FG_ARRAY_SIZE(types) && good; i++)
        good = make_with_key(folder, types[i], err);
    return good;
}

int main(int argc, char **argv) {
    fg_err_t err = FG_ERR_INIT;
    char *line = NULL;
    size_t room = 0;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return 1;
    bool good = argc < 2 || make_all(argv[1], &err);
    if (!good)
        fprintf(stderr, "signatures: %s\n", err.detail);
    while (good && argc < 2 && getline(&line, &room, stdin) > 0)
        good = judge_line(line);
    free(line);
    fg_crypto_stop();
    return good ? 0 : 1;
}
