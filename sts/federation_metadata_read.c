/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Partners' metadata, of relying parties and of identity providers, as far as WS-Federation needs it (WS-Federation 1.2
 * §3.1; SAML 2.0 metadata §2). */
#include "core/uri.h"
#include "sts/federation_metadata.h"

typedef struct reader reader_t;
struct reader {
    fg_entity_reader_t entity;
    bool (*read_child)(reader_t *in, const xmlNode *node); /* of a role */
    fg_partner_metadata_t *out;                            /* of a relying party, or */
    fg_provider_metadata_t *provider;                      /* of an identity provider */
};

/* Appends unless it is there already. */
static bool add_entry(reader_t *in, fg_str_t *list, size_t *count, fg_str_t value) {
    for (size_t i = 0; i < *count; i++)
        if (fg_str_eq(list[i], value))
            return true;
    if (*count == FG_METADATA_ENTRIES)
        return FG_FAIL(in->entity.err, FG_E_XML_LIMIT, "more than %d addresses of one kind", FG_METADATA_ENTRIES);
    list[(*count)++] = value;
    return true;
}

static bool add_realm(reader_t *in, fg_str_t value) {
    fg_uri_t uri;
    if (!fg_uri_parse(value, &uri))
        return FG_FAIL(in->entity.err, FG_E_XML_STRUCTURE, "realm \"%.*s\" is no absolute URI", FG_STR_ARG(value));
    return add_entry(in, in->out->realms, &in->out->realm_count, value);
}

static bool add_reply(reader_t *in, fg_str_t value) {
    if (!fg_uri_is_web(value))
        return FG_FAIL(in->entity.err, FG_E_XML_STRUCTURE, "PassiveRequestorEndpoint \"%.*s\" is no web address",
                       FG_STR_ARG(value));
    return add_entry(in, in->out->reply_urls, &in->out->reply_count, value);
}

/* Every wsa:EndpointReference/wsa:Address below parent. */
static bool read_addresses(reader_t *in, const xmlNode *parent, bool (*add)(reader_t *, fg_str_t)) {
    for (const xmlNode *node = fg_xml_first_child(parent); node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, FG_NS_WSA, "EndpointReference"))
            continue;
        const xmlNode *address = fg_xml_only_child(node, FG_NS_WSA, "Address", in->entity.err);
        if (address == NULL)
            return false;
        fg_str_t value = fg_xml_token(in->entity.arena, address, in->entity.err);
        if (value.p == NULL || !add(in, value))
            return false;
    }
    return true;
}

/* ---- roles */

/* Of a relying party: the first certificate that may be encrypted to. */
static bool read_application_child(reader_t *in, const xmlNode *node) {
    if (fg_xml_is(node, FG_NS_MD, "KeyDescriptor"))
        return fg_entity_take_encryption_key(&in->entity, node, &in->out->encryption_key);
    if (fg_xml_is(node, FG_NS_FED, "TargetScopes"))
        return read_addresses(in, node, add_realm);
    return !fg_xml_is(node, FG_NS_FED, "PassiveRequestorEndpoint") || read_addresses(in, node, add_reply);
}

static bool add_sign_in(reader_t *in, fg_str_t value) {
    if (!fg_uri_is_web(value))
        return FG_FAIL(in->entity.err, FG_E_XML_STRUCTURE, "PassiveRequestorEndpoint \"%.*s\" is no web address",
                       FG_STR_ARG(value));
    if (in->provider->sign_in_url.n == 0)
        in->provider->sign_in_url = value;
    return true;
}

static bool read_sts_child(reader_t *in, const xmlNode *node) {
    if (fg_xml_is(node, FG_NS_MD, "KeyDescriptor"))
        return fg_entity_add_signing_key(&in->entity, node, &in->provider->keys);
    return !fg_xml_is(node, FG_NS_FED, "PassiveRequestorEndpoint") || read_addresses(in, node, add_sign_in);
}

static bool read_role(reader_t *in, const xmlNode *role) {
    if (!fg_entity_check_validity(&in->entity, role))
        return false;
    for (const xmlNode *node = fg_xml_first_child(role); node != NULL; node = fg_xml_next(node))
        if (!in->read_child(in, node))
            return false;
    return true;
}

/* xsi:type is a QName: its prefix is resolved where it stands. */
static bool is_role(reader_t *in, const xmlNode *node, const char *type) {
    if (!fg_xml_is(node, FG_NS_MD, "RoleDescriptor"))
        return false;
    fg_str_t value = fg_str_trim(fg_xml_attr(in->entity.arena, node, FG_NS_XSI, "type"));
    const char *colon = value.n ? memchr(value.p, ':', value.n) : NULL;
    size_t prefix_length = colon ? (size_t)(colon - value.p) : 0;
    fg_str_t local = {value.p + (colon ? prefix_length + 1 : 0), value.n - (colon ? prefix_length + 1 : 0)};
    if (!fg_str_is(local, type))
        return false;
    const char *prefix = colon ? fg_arena_strndup(in->entity.arena, value.p, prefix_length) : NULL;
    const xmlNs *ns = xmlSearchNs(node->doc, (xmlNode *)(uintptr_t)node, (const xmlChar *)prefix);
    return ns != NULL && ns->href != NULL && strcmp((const char *)ns->href, FG_NS_FED) == 0;
}

/* Reads every role of a type; *found: whether there was one. */
static bool read_roles(reader_t *in, const xmlNode *root, const char *type, bool *found) {
    *found = false;
    for (const xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node)) {
        if (!is_role(in, node, type))
            continue;
        *found = true;
        if (!read_role(in, node))
            return false;
    }
    return true;
}

bool fg_federation_metadata_read(const fg_env_t *env, fg_arena_t *arena, fg_str_t xml, const fg_dsig_trust_t *trust,
                                 fg_partner_metadata_t *out, fg_err_t *err) {
    reader_t in = {.entity = {env, arena, err, 0}, .read_child = read_application_child, .out = out};
    bool found;
    *out = (fg_partner_metadata_t){0};
    const xmlNode *root = fg_entity_open(&in.entity, xml, trust, &out->entity_id);
    if (root == NULL || !add_realm(&in, out->entity_id) || !read_roles(&in, root, "ApplicationServiceType", &found))
        return false;
    /* a security token service in front of the application takes our tokens then */
    if (!found && !read_roles(&in, root, "SecurityTokenServiceType", &found))
        return false;
    if (out->reply_count == 0)
        return FG_FAIL(
            err, FG_E_XML_STRUCTURE,
            "no fed:ApplicationServiceType or fed:SecurityTokenServiceType role with a PassiveRequestorEndpoint");
    out->valid_until_ms = in.entity.valid_until_ms;
    return true;
}

bool fg_provider_metadata_read(const fg_env_t *env, fg_arena_t *arena, fg_str_t xml, const fg_dsig_trust_t *trust,
                               fg_provider_metadata_t *out, fg_err_t *err) {
    reader_t in = {.entity = {env, arena, err, 0}, .read_child = read_sts_child, .provider = out};
    bool found;
    *out = (fg_provider_metadata_t){0};
    const xmlNode *root = fg_entity_open(&in.entity, xml, trust, &out->entity_id);
    if (root == NULL || !read_roles(&in, root, "SecurityTokenServiceType", &found))
        return false;
    if (out->keys.count == 0)
        return FG_FAIL(err, FG_E_XML_STRUCTURE, "no fed:SecurityTokenServiceType role with a certificate for signing");
    out->valid_until_ms = in.entity.valid_until_ms;
    return true;
}
