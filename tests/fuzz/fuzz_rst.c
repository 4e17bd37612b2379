/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RequestSecurityToken, in the words of both versions.  Besides memory errors it looks for parameters that no request
 * may have: a key of another size, a lifetime that has run out, a token that is not there. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "core/time.h"
#include "sts/rst.h"

#define NOW INT64_C(1767225600000)

static const fg_xml_limits_t limits = {
    .bytes = 64u << 10, .depth = 24, .elements = 400, .attributes = 16, .namespaces = 24};

static void check(const fg_rst_t *rst) {
    bool target = rst->request != FG_TRUST_ISSUE;
    if (rst->request >= FG_TRUST_REQUESTS || (target != (rst->target != NULL)))
        abort();
    if (rst->entropy.p != NULL && (rst->entropy.n < FG_KEY_BYTES_MIN || rst->entropy.n > FG_KEY_BYTES_MAX))
        abort();
    if (rst->key_type_given && rst->key_type >= FG_PROOF_KINDS)
        abort();
    if ((rst->entropy.p != NULL || rst->entropy_key != NULL) && rst->key_type != FG_PROOF_SYMMETRIC)
        abort();
    if (rst->use_key != NULL && rst->key_type != FG_PROOF_PUBLIC)
        abort();
    if (rst->on_behalf_of != NULL && rst->act_as != NULL)
        abort();
    if (rst->expires_ms != 0 && rst->expires_ms <= NOW - 180 * FG_SECOND)
        abort();
}

static void try_version(const xmlNode *root, fg_arena_t *arena, fg_trust_version_t trust) {
    static fg_str_t realm = FG_STR("urn:app");
    static const char *const claims[] = {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"};
    const fg_partner_t partner = {
        .name = "app", .realms = &realm, .realm_count = 1, .claim_types = claims, .claim_type_count = 1};
    const fg_str_t *required;
    size_t count;
    fg_err_t err = FG_ERR_INIT;
    fg_rst_t rst;
    if (!fg_rst_read(arena, root, trust, NOW, 180 * FG_SECOND, &rst, &err))
        return;
    check(&rst);
    (void)!fg_rst_claims_served(arena, &rst, &partner, &required, &count, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool started;
    fg_err_t err = FG_ERR_INIT;
    if (!started && (!fg_crypto_start() || !fg_xml_start(&err)))
        abort();
    started = true;
    fg_arena_t *arena = fg_arena_new(0);
    xmlDoc *doc = fg_xml_parse(arena, (fg_str_t){(const char *)data, size}, &limits, &err);
    if (doc != NULL) {
        try_version(xmlDocGetRootElement(doc), arena, FG_TRUST_2005);
        try_version(xmlDocGetRootElement(doc), arena, FG_TRUST_13);
    }
    fg_arena_free(arena);
    return 0;
}
