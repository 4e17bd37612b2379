/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/metadata.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/difference.h"
#include "cli/input.h"
#include "cli/token.h"
#include "core/time.h"
#include "core/uri.h"
#include "hub/entity.h"

#define DAYS 30

int fg_cli_metadata_show(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    return fg_cli_token_show(command, env, argc, argv);
}

/* ---- lint */

typedef struct checking {
    fg_lint_t lint;
    int64_t now_ms, soon_ms;
    unsigned signing, encryption, signing_live;
    const char *role; /* that is looked at */
} checking_t;

static fg_str_t attr(const checking_t *c, const xmlNode *node, const char *name) {
    return fg_xml_attr(c->lint.arena, node, NULL, name);
}

static void check_valid_until(checking_t *c, const xmlNode *node, const char *what) {
    fg_str_t text = attr(c, node, "validUntil");
    int64_t ms;
    if (text.p == NULL)
        return;
    if (!fg_time_parse(fg_str_trim(text), &ms))
        fg_lint_error(&c->lint, "validUntil of %s is no time: %.*s", what, FG_STR_ARG(text));
    else if (ms <= c->now_ms)
        fg_lint_error(&c->lint, "%s was valid until %.*s: everybody refuses it; have it published anew", what,
                      FG_STR_ARG(text));
    else if (ms <= c->soon_ms)
        fg_lint_warn(&c->lint, "%s is valid until %.*s only", what, FG_STR_ARG(text));
}

/* ---- certificates */

static fg_str_t certificate_text(const checking_t *c, const xmlNode *descriptor) {
    static const char *const names[] = {"KeyInfo", "X509Data", "X509Certificate"};
    const xmlNode *node = descriptor;
    for (size_t i = 0; node != NULL && i < FG_ARRAY_SIZE(names); i++)
        node = fg_xml_child(node, FG_NS_DS, names[i], NULL);
    return node != NULL ? fg_xml_token(c->lint.arena, node, NULL) : FG_STR_NONE;
}

static void check_key(checking_t *c, const fg_key_t *key, bool signing) {
    char age[FG_FACTS_AGE_SIZE];
    const char *use = signing ? "signing" : "encryption", *name = fg_key_get_thumbprint(key);
    int64_t end = fg_key_get_not_after(key);
    fg_facts_age(end, c->now_ms, age);
    if (end <= c->now_ms)
        fg_lint_warn(&c->lint, "the %s certificate %s has expired %s: AD FS and others refuse it", use, name, age);
    else if (end <= c->soon_ms)
        fg_lint_warn(&c->lint, "the %s certificate %s ends %s: its owner should publish the next one now", use, name,
                     age);
    if (fg_key_get_not_before(key) > c->now_ms)
        fg_lint_note(&c->lint, "the %s certificate %s is not valid yet: it is the next one", use, name);
    if (fg_key_is_ec(key))
        fg_lint_warn(&c->lint, "the %s certificate %s has an EC key, which AD FS does not take%s", use, name,
                     signing ? "" : ", and nobody can encrypt to");
    c->signing_live += signing && end > c->now_ms;
}

static void check_descriptor(checking_t *c, const xmlNode *descriptor) {
    fg_str_t use = attr(c, descriptor, "use"), text = certificate_text(c, descriptor);
    fg_buf_t der = FG_BUF_INIT(1u << 16);
    fg_err_t err = FG_ERR_INIT;
    bool signing = use.p == NULL || fg_str_is(use, "signing");
    if (use.p != NULL && !signing && !fg_str_is(use, "encryption"))
        fg_lint_error(&c->lint, "KeyDescriptor use=\"%.*s\": signing or encryption is expected", FG_STR_ARG(use));
    c->signing += signing;
    c->encryption += use.p == NULL || fg_str_is(use, "encryption");
    if (text.n == 0) {
        fg_lint_warn(&c->lint, "a KeyDescriptor of %s has no X509Certificate: it is passed over", c->role);
        return;
    }
    fg_key_t *key = fg_base64_decode_xml(&der, text) ? fg_key_from_certificate_der(fg_buf_str(&der), &err) : NULL;
    if (key == NULL)
        fg_lint_error(&c->lint, "a certificate of %s is not taken: %s", c->role, err.code ? err.detail : "no base64");
    else
        check_key(c, key, signing);
    fg_key_unref(key);
    fg_buf_free(&der);
}

/* ---- endpoints */

static void check_address(checking_t *c, const char *what, fg_str_t url) {
    if (!fg_uri_is_web(url))
        fg_lint_error(&c->lint, "%s \"%.*s\" is no web address", what, FG_STR_ARG(url));
    else if (fg_str_starts(url, "http://"))
        fg_lint_error(&c->lint, "%s %.*s is http: AD FS refuses the document", what, FG_STR_ARG(url));
}

static void check_addresses(checking_t *c, const char *what, const xmlNode *node) {
    if (fg_xml_is(node, FG_NS_WSA, "Address"))
        check_address(c, what, fg_xml_token(c->lint.arena, node, NULL));
    for (const xmlNode *each = fg_xml_first_child(node); each != NULL; each = fg_xml_next(each))
        check_addresses(c, what, each);
}

static bool is_index_seen(const checking_t *c, const xmlNode *role, const xmlNode *node) {
    fg_str_t index = attr(c, node, "index");
    for (const xmlNode *other = fg_xml_first_child(role); other != node; other = fg_xml_next(other))
        if (strcmp((const char *)other->name, (const char *)node->name) == 0 && index.p != NULL &&
            fg_str_eq(attr(c, other, "index"), index))
            return true;
    return false;
}

static void check_child(checking_t *c, const xmlNode *role, const xmlNode *node, unsigned *consumers) {
    const char *name = (const char *)node->name;
    fg_str_t location = attr(c, node, "Location"), other = attr(c, node, "ResponseLocation");
    if (fg_xml_is(node, FG_NS_MD, "KeyDescriptor"))
        check_descriptor(c, node);
    if (location.p != NULL)
        check_address(c, name, location);
    if (other.p != NULL)
        check_address(c, name, other);
    if (fg_xml_is(node, FG_NS_FED, "PassiveRequestorEndpoint") ||
        fg_xml_is(node, FG_NS_FED, "SecurityTokenServiceEndpoint"))
        check_addresses(c, name, node);
    if (!fg_xml_is(node, FG_NS_MD, "AssertionConsumerService"))
        return;
    ++*consumers;
    if (attr(c, node, "index").p == NULL)
        fg_lint_error(&c->lint, "AssertionConsumerService %.*s has no index (metadata §2.2.3): AD FS refuses it",
                      FG_STR_ARG(location));
    else if (is_index_seen(c, role, node))
        fg_lint_error(&c->lint, "two AssertionConsumerServices have the index %.*s",
                      FG_STR_ARG(attr(c, node, "index")));
}

static void check_role(checking_t *c, const xmlNode *role) {
    fg_str_t type = fg_xml_attr(c->lint.arena, role, FG_NS_XSI, "type"),
             protocols = attr(c, role, "protocolSupportEnumeration");
    bool sp = fg_xml_is(role, FG_NS_MD, "SPSSODescriptor"), idp = fg_xml_is(role, FG_NS_MD, "IDPSSODescriptor");
    unsigned consumers = 0;
    c->role = type.n > 0 ? fg_arena_strndup(c->lint.arena, type.p, type.n) : (const char *)role->name;
    c->signing = c->encryption = c->signing_live = 0;
    check_valid_until(c, role, c->role);
    for (const xmlNode *node = fg_xml_first_child(role); node != NULL; node = fg_xml_next(node))
        check_child(c, role, node, &consumers);
    if ((sp || idp) &&
        (protocols.p == NULL || memmem(protocols.p, protocols.n, FG_NS_SAML2P, strlen(FG_NS_SAML2P)) == NULL))
        fg_lint_warn(&c->lint,
                     "%s does not say that it speaks SAML 2.0 (protocolSupportEnumeration): it is passed over",
                     c->role);
    if (sp && consumers == 0)
        fg_lint_error(&c->lint,
                      "SPSSODescriptor without AssertionConsumerService: nobody knows where to send the answer");
    if ((idp || memmem(type.p ? type.p : "", type.n, "SecurityTokenService", 20) != NULL) && c->signing == 0)
        fg_lint_error(&c->lint, "%s has no certificate for signing: its tokens cannot be verified", c->role);
    if (c->signing > 0 && c->signing_live == 0)
        fg_lint_warn(&c->lint, "every signing certificate of %s has expired", c->role);
    if (c->signing > 1)
        fg_lint_note(&c->lint, "%s has %u signing certificates: a key is being rolled; either signs", c->role,
                     c->signing);
    if (c->encryption > 1)
        fg_lint_note(&c->lint, "%s has %u certificates to encrypt to: the first one is used", c->role, c->encryption);
}

static void check_entity(checking_t *c, const xmlNode *entity) {
    fg_str_t id = attr(c, entity, "entityID");
    fg_uri_t uri;
    unsigned roles = 0;
    if (id.n == 0)
        fg_lint_error(&c->lint, "an EntityDescriptor without entityID");
    else if (!fg_uri_parse(id, &uri))
        fg_lint_error(&c->lint, "entityID \"%.*s\" is no absolute URI", FG_STR_ARG(id));
    if (id.n > 1024)
        fg_lint_error(&c->lint, "entityID has %zu characters, 1024 are allowed (metadata §2.2.1)", id.n);
    check_valid_until(c, entity, "the document");
    for (const xmlNode *node = fg_xml_first_child(entity); node != NULL; node = fg_xml_next(node))
        if (strstr((const char *)node->name, "Descriptor") != NULL) {
            roles++;
            check_role(c, node);
        }
    if (roles == 0)
        fg_lint_error(&c->lint, "%.*s has no role", FG_STR_ARG(id));
    if (fg_xml_child(entity, FG_NS_DS, "Signature", NULL) == NULL)
        fg_lint_note(&c->lint, "it is not signed: whoever sits between you and its address can change it");
    else if (attr(c, entity, "ID").p == NULL)
        fg_lint_error(&c->lint, "it is signed, but has no ID that the signature could name");
}

static int lint(checking_t *c, const char *path) {
    int code;
    unsigned entities = 0;
    const fg_piece_t *root = fg_document_read(c->lint.arena, path, &code);
    for (const fg_piece_t *piece = root; piece != NULL; piece = fg_piece_next(piece))
        if (piece->kind == FG_PIECE_ENTITY && ++entities <= 20)
            check_entity(c, piece->xml);
    if (root == NULL)
        return code;
    if (entities == 0) {
        fg_cli_say("%s is %s, no metadata", path, fg_piece_title(root->kind));
        return FG_CLI_UNREADABLE;
    }
    if (root->kind == FG_PIECE_ENTITIES)
        fg_lint_error(&c->lint,
                      "it holds %u entities (EntitiesDescriptor): AD FS reads documents with one; this gateway "
                      "reads it as a federation",
                      entities);
    return fg_lint_end(&c->lint, path);
}

int fg_cli_metadata_lint(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    const char *path = NULL, *at = NULL, *days = NULL;
    char *end = NULL;
    const fg_cli_option_t options[] = {{"--at", .value = &at}, {"--days", .value = &days}};
    checking_t c = {.now_ms = fg_now(env)};
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), &path, 1, 1))
        return FG_CLI_USAGE;
    if (at != NULL && !fg_input_time(at, &c.now_ms))
        return fg_cli_usage(command, "'--at %s': a time as 2026-01-31T12:00:00Z, or @SECONDS, is expected", at);
    long within = days != NULL ? strtol(days, &end, 10) : DAYS;
    if (days != NULL && (*end != '\0' || within < 0 || within > 3650))
        return fg_cli_usage(command, "'--days %s': a number of days is expected", days);
    c.soon_ms = c.now_ms + within * FG_DAY;
    c.lint.arena = fg_arena_new(FG_TOKEN_ARENA);
    int code = c.lint.arena != NULL ? lint(&c, path) : FG_CLI_FAILED;
    fg_arena_free(c.lint.arena);
    return code;
}

int fg_cli_metadata_diff(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    return fg_difference_run(command, env, argc, argv);
}
