/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Responses that others made. */
#include "sts/rstr.h"

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
        return FG_FAIL_FOR(err, FG_E_WSFED_RESULT,
                           responses > 1 || tokens > 1 ? FG_R_STRUCTURE_AMBIGUOUS : FG_R_STRUCTURE_INVALID,
                           "%u responses with %u tokens", responses, tokens);
    const xmlNode *requested =
        fg_xml_child(response, fg_trust_words(result->trust)->ns.uri, "RequestedSecurityToken", NULL);
    result->token = requested ? fg_xml_first_child(requested) : NULL;
    if (result->token == NULL || fg_xml_next(result->token) != NULL)
        return FG_FAIL(err, FG_E_WSFED_RESULT, "RequestedSecurityToken holds none or several elements");
    return read_applies_to(arena, response, &result->applies_to, err);
}
