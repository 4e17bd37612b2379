/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/rstr.h"

#include "core/time.h"

static const fg_trust_words_t words_table[] = {
    [FG_TRUST_2005] = {{"t", FG_NS_TRUST_2005},
                       FG_NS_TRUST_2005 "/Issue",
                       "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey",
                       FG_NS_TRUST_2005 "/RST/Issue",
                       FG_NS_TRUST_2005 "/RSTR/Issue"},
    [FG_TRUST_13] = {{"trust", FG_NS_TRUST_13},
                     FG_NS_TRUST_13 "/Issue",
                     FG_NS_TRUST_13 "/Bearer",
                     FG_NS_TRUST_13 "/RST/Issue",
                     FG_NS_TRUST_13 "/RSTRC/IssueFinal"},
};

static const fg_xns_t ns_wsu = {"wsu", FG_NS_WSU};
static const fg_xns_t ns_wsp = {"wsp", FG_NS_WSP};
static const fg_xns_t ns_wsa = {"wsa", FG_NS_WSA};
static const fg_xns_t ns_wsse = {"o", FG_NS_WSSE};
static const fg_xns_t ns_wsse11 = {"k", FG_NS_WSSE11};

/* How a SecurityTokenReference names an assertion (WSS SAML Token Profile 1.1 §3.4). */
static const struct {
    const char *token_type;
    const char *value_type;
} reference_table[] = {
    [FG_SAML_11] = {"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1",
                    "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.0#SAMLAssertionID"},
    [FG_SAML_20] = {"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0",
                    "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID"},
};

const fg_trust_words_t *fg_trust_words(fg_trust_version_t version) { return &words_table[version]; }

static void write_instant(fg_xw_t *w, const char *name, int64_t ms) {
    char text[FG_TIME_SIZE];
    fg_time_format(ms, text);
    fg_xw_leafz(w, &ns_wsu, name, text);
}

static void write_lifetime(fg_xw_t *w, const fg_xns_t *t, const fg_issued_t *issued) {
    fg_xw_start(w, t, "Lifetime");
    write_instant(w, "Created", issued->created_ms);
    write_instant(w, "Expires", issued->expires_ms);
    fg_xw_end(w);
}

static void write_applies_to(fg_xw_t *w, fg_str_t realm) {
    fg_xw_start(w, &ns_wsp, "AppliesTo");
    fg_xw_start(w, &ns_wsa, "EndpointReference");
    fg_xw_leaf(w, &ns_wsa, "Address", realm);
    fg_xw_end(w);
    fg_xw_end(w);
}

static void write_reference(fg_xw_t *w, const fg_xns_t *t, const char *name, const fg_issued_t *issued) {
    fg_xw_start(w, t, name);
    fg_xw_start(w, &ns_wsse, "SecurityTokenReference");
    fg_xw_attr_ns(w, &ns_wsse11, "TokenType", fg_str(reference_table[issued->version].token_type));
    fg_xw_start(w, &ns_wsse, "KeyIdentifier");
    fg_xw_attrz(w, "ValueType", reference_table[issued->version].value_type);
    fg_xw_textz(w, issued->id);
    fg_xw_end(w);
    fg_xw_end(w);
    fg_xw_end(w);
}

static void write_token(fg_xw_t *w, const fg_xns_t *t, const fg_rstr_t *rstr) {
    fg_xw_start(w, t, "RequestedSecurityToken");
    fg_xw_raw(w, rstr->issued->token);
    fg_xw_end(w);
    if (!rstr->references)
        return;
    write_reference(w, t, "RequestedAttachedReference", rstr->issued);
    write_reference(w, t, "RequestedUnattachedReference", rstr->issued);
}

static void write_response(fg_xw_t *w, const fg_rstr_t *rstr) {
    const fg_trust_words_t *words = fg_trust_words(rstr->trust);
    const fg_xns_t *t = &words->ns;
    fg_xw_start(w, t, "RequestSecurityTokenResponse");
    if (rstr->context.n != 0)
        fg_xw_attr(w, "Context", rstr->context);
    write_lifetime(w, t, rstr->issued);
    if (rstr->applies_to.n != 0)
        write_applies_to(w, rstr->applies_to);
    write_token(w, t, rstr);
    fg_str_t type = rstr->token_type.n ? rstr->token_type : fg_str(fg_saml_token_type(rstr->issued->version));
    fg_xw_leaf(w, t, "TokenType", type);
    fg_xw_leafz(w, t, "RequestType", words->issue);
    fg_xw_leafz(w, t, "KeyType", words->bearer);
    fg_xw_end(w);
}

bool fg_rstr_write(fg_xw_t *w, const fg_rstr_t *rstr) {
    if (rstr->collection)
        fg_xw_start(w, &fg_trust_words(rstr->trust)->ns, "RequestSecurityTokenResponseCollection");
    write_response(w, rstr);
    if (rstr->collection)
        fg_xw_end(w);
    return !w->failed;
}

/* ---- reading */

/* How many elements of that name there are in the whole document, in either version's namespace. */
static unsigned count_elements(const xmlNode *root, const char *name) {
    unsigned count = 0;
    const xmlNode *node = root;
    while (node != NULL) {
        count += fg_xml_is(node, FG_NS_TRUST_2005, name) || fg_xml_is(node, FG_NS_TRUST_13, name);
        if (node->type == XML_ELEMENT_NODE && node->children != NULL) {
            node = node->children;
            continue;
        }
        while (node != root && node->next == NULL)
            node = node->parent;
        node = node == root ? NULL : node->next;
    }
    return count;
}

static const xmlNode *find_response(const xmlNode *root, const char *ns) {
    if (fg_xml_is(root, ns, "RequestSecurityTokenResponse"))
        return root;
    if (fg_xml_is(root, ns, "RequestSecurityTokenResponseCollection"))
        return fg_xml_child(root, ns, "RequestSecurityTokenResponse", NULL);
    return NULL;
}

static bool read_applies_to(fg_arena_t *arena, const xmlNode *response, fg_str_t *realm, fg_err_t *err) {
    const xmlNode *node = fg_xml_child(response, FG_NS_WSP, "AppliesTo", NULL);
    node = node ? fg_xml_child(node, FG_NS_WSA, "EndpointReference", NULL) : NULL;
    node = node ? fg_xml_child(node, FG_NS_WSA, "Address", NULL) : NULL;
    if (node == NULL)
        return true;
    *realm = fg_xml_token(arena, node, err);
    return realm->p != NULL;
}

bool fg_rstr_read(fg_arena_t *arena, xmlDoc *doc, fg_rstr_read_t *result, fg_err_t *err) {
    const xmlNode *root = xmlDocGetRootElement(doc), *response = find_response(root, FG_NS_TRUST_2005);
    *result = (fg_rstr_read_t){.trust = FG_TRUST_2005};
    if (response == NULL) {
        response = find_response(root, FG_NS_TRUST_13);
        result->trust = FG_TRUST_13;
    }
    if (response == NULL)
        return FG_FAIL(err, FG_E_WSFED_RESULT, "no RequestSecurityTokenResponse");
    unsigned responses = count_elements(root, "RequestSecurityTokenResponse");
    unsigned tokens = count_elements(root, "RequestedSecurityToken");
    if (responses != 1 || tokens != 1)
        return FG_FAIL(err, FG_E_WSFED_RESULT, "%u responses with %u tokens", responses, tokens);
    const xmlNode *requested =
        fg_xml_child(response, fg_trust_words(result->trust)->ns.uri, "RequestedSecurityToken", NULL);
    result->token = requested ? fg_xml_first_child(requested) : NULL;
    if (result->token == NULL || fg_xml_next(result->token) != NULL)
        return FG_FAIL(err, FG_E_WSFED_RESULT, "RequestedSecurityToken holds none or several elements");
    return read_applies_to(arena, response, &result->applies_to, err);
}
