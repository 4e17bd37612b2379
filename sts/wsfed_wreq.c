/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * wreq of a sign-in request (WS-Federation 1.2 §13.2.2): a RequestSecurityToken, read for what it could change. */
#include "sts/rstr.h"
#include "sts/wsfed.h"

typedef struct rst {
    fg_exchange_t *ex;
    fg_wsfed_t *in;
    const xmlNode *root;
    const fg_trust_words_t *words;
} rst_t;

static bool check_request_type(const rst_t *rst, fg_str_t value, fg_err_t *err) {
    return fg_str_is(value, rst->words->requests[FG_TRUST_ISSUE].type) ||
           FG_FAIL(err, FG_E_WST_REQUEST_TYPE, "wreq: \"%.*s\"", FG_STR_ARG(value));
}

static bool check_key_type(const rst_t *rst, fg_str_t value, fg_err_t *err) {
    return fg_str_is(value, rst->words->key_types[FG_PROOF_BEARER]) ||
           fg_str_is(value, fg_trust_words(FG_TRUST_2005)->key_types[FG_PROOF_BEARER]) ||
           FG_FAIL(err, FG_E_WST_KEY_TYPE, "wreq: \"%.*s\"", FG_STR_ARG(value));
}

static bool take_token_type(const rst_t *rst, fg_str_t value, fg_err_t *err) {
    const fg_partner_t *partner = rst->in->partner;
    if (!fg_saml_version_from_token_type(value, &rst->in->token) ||
        (partner->token_fixed && rst->in->token != partner->token))
        return FG_FAIL(err, FG_E_WST_TOKEN_TYPE, "wreq: \"%.*s\"", FG_STR_ARG(value));
    return true;
}

static const struct {
    const char *name;
    bool (*take)(const rst_t *rst, fg_str_t value, fg_err_t *err);
} element_table[] = {
    {"RequestType", check_request_type},
    {"KeyType", check_key_type},
    {"TokenType", take_token_type},
};

/* Absent is fine; twice is not. */
static bool take_element(const rst_t *rst, size_t i, fg_err_t *err) {
    unsigned count;
    const xmlNode *node = fg_xml_child(rst->root, rst->words->ns.uri, element_table[i].name, &count);
    if (count == 0)
        return true;
    if (count > 1)
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "wreq: %u %s", count, element_table[i].name);
    fg_str_t value = fg_xml_token(rst->ex->arena, node, err);
    return value.p != NULL && element_table[i].take(rst, value, err);
}

bool fg_wsfed_read_wreq(fg_exchange_t *ex, fg_wsfed_t *in, fg_err_t *err) {
    fg_str_t text = fg_wsfed_get(&in->params, "wreq");
    if (text.n == 0)
        return true;
    xmlDoc *doc = fg_xml_parse(ex->arena, text, &ex->hub->xml, err);
    if (doc == NULL)
        return fg_err_prefix(err, "wreq");
    rst_t rst = {ex, in, xmlDocGetRootElement(doc), fg_trust_words(FG_TRUST_2005)};
    if (fg_xml_is(rst.root, FG_NS_TRUST_13, "RequestSecurityToken"))
        rst.words = fg_trust_words(FG_TRUST_13);
    else if (!fg_xml_is(rst.root, FG_NS_TRUST_2005, "RequestSecurityToken"))
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "wreq is no RequestSecurityToken");
    for (size_t i = 0; i < FG_ARRAY_SIZE(element_table); i++)
        if (!take_element(&rst, i, err))
            return false;
    return true;
}
