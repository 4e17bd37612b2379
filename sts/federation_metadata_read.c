/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Partners' metadata, of relying parties and of identity providers, as far as WS-Federation needs it (WS-Federation 1.2
 * §3.1; SAML 2.0 metadata §2). */
#include "core/crypto.h"
#include "core/time.h"
#include "core/uri.h"
#include "sts/federation_metadata.h"

#define CERTIFICATE_MAX (16u << 10)

typedef struct reader reader_t;
struct reader {
    const fg_env_t *env;
    fg_arena_t *arena;
    fg_err_t *err;
    bool (*read_child)(reader_t *in, const xmlNode *node); /* of a role */
    fg_partner_metadata_t *out;                            /* of a relying party, or */
    fg_provider_metadata_t *provider;                      /* of an identity provider */
    int64_t valid_until_ms;                                /* 0: for ever */
};

static bool check_valid_until(reader_t *in, const xmlNode *node) {
    int64_t ms;
    fg_str_t text = fg_xml_attr(in->arena, node, NULL, "validUntil");
    if (text.p == NULL)
        return true;
    if (!fg_time_parse(fg_str_trim(text), &ms))
        return FG_FAIL(in->err, FG_E_XML_STRUCTURE, "validUntil \"%.*s\"", FG_STR_ARG(text));
    if (fg_now(in->env) >= ms)
        return FG_FAIL(in->err, FG_E_TOKEN_EXPIRED, "metadata was valid until %.*s", FG_STR_ARG(text));
    if (in->valid_until_ms == 0 || ms < in->valid_until_ms)
        in->valid_until_ms = ms;
    return true;
}

/* Appends unless it is there already. */
static bool add_entry(reader_t *in, fg_str_t *list, size_t *count, fg_str_t value) {
    for (size_t i = 0; i < *count; i++)
        if (fg_str_eq(list[i], value))
            return true;
    if (*count == FG_METADATA_ENTRIES)
        return FG_FAIL(in->err, FG_E_XML_LIMIT, "more than %d addresses of one kind", FG_METADATA_ENTRIES);
    list[(*count)++] = value;
    return true;
}

static bool add_realm(reader_t *in, fg_str_t value) {
    fg_uri_t uri;
    if (!fg_uri_parse(value, &uri))
        return FG_FAIL(in->err, FG_E_XML_STRUCTURE, "realm \"%.*s\" is no absolute URI", FG_STR_ARG(value));
    return add_entry(in, in->out->realms, &in->out->realm_count, value);
}

static bool add_reply(reader_t *in, fg_str_t value) {
    if (!fg_uri_is_web(value))
        return FG_FAIL(in->err, FG_E_XML_STRUCTURE, "PassiveRequestorEndpoint \"%.*s\" is no web address",
                       FG_STR_ARG(value));
    return add_entry(in, in->out->reply_urls, &in->out->reply_count, value);
}

/* Every wsa:EndpointReference/wsa:Address below parent. */
static bool read_addresses(reader_t *in, const xmlNode *parent, bool (*add)(reader_t *, fg_str_t)) {
    for (const xmlNode *node = fg_xml_first_child(parent); node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, FG_NS_WSA, "EndpointReference"))
            continue;
        const xmlNode *address = fg_xml_only_child(node, FG_NS_WSA, "Address", in->err);
        if (address == NULL)
            return false;
        fg_str_t value = fg_xml_token(in->arena, address, in->err);
        if (value.p == NULL || !add(in, value))
            return false;
    }
    return true;
}

static void release_key(void *key) { fg_key_unref(key); }

/* A KeyDescriptor's first certificate, of the arena; *key NULL: it has none. */
static bool read_certificate(reader_t *in, const xmlNode *descriptor, fg_key_t **key) {
    *key = NULL;
    const xmlNode *node = fg_xml_child(descriptor, FG_NS_DS, "KeyInfo", NULL);
    node = node ? fg_xml_child(node, FG_NS_DS, "X509Data", NULL) : NULL;
    node = node ? fg_xml_child(node, FG_NS_DS, "X509Certificate", NULL) : NULL;
    if (node == NULL)
        return true;
    fg_str_t text = fg_xml_text(in->arena, node, in->err);
    if (text.p == NULL)
        return false;
    fg_buf_t der = FG_BUF_INIT(CERTIFICATE_MAX);
    if (fg_base64_decode_xml(&der, text) && fg_buf_ok(&der))
        *key = fg_key_from_certificate_der(fg_buf_str(&der), in->err);
    else
        FG_FAIL(in->err, FG_E_XML_STRUCTURE, "X509Certificate is no base64");
    fg_buf_free(&der);
    if (*key == NULL)
        return fg_err_prefix(in->err, "KeyDescriptor");
    return fg_arena_own(in->arena, release_key, *key) || FG_FAIL(in->err, FG_E_MEMORY, "KeyDescriptor");
}

/* A KeyDescriptor without use serves both purposes (SAML 2.0 metadata §2.4.1.1). */
static bool is_for(reader_t *in, const xmlNode *descriptor, const char *use) {
    fg_str_t text = fg_xml_attr(in->arena, descriptor, NULL, "use");
    return text.p == NULL || fg_str_is(text, use);
}

/* ---- roles */

/* Of a relying party: the first certificate that may be encrypted to. */
static bool read_application_child(reader_t *in, const xmlNode *node) {
    if (fg_xml_is(node, FG_NS_MD, "KeyDescriptor"))
        return in->out->encryption_key != NULL || !is_for(in, node, "encryption") ||
               read_certificate(in, node, &in->out->encryption_key);
    if (fg_xml_is(node, FG_NS_FED, "TargetScopes"))
        return read_addresses(in, node, add_realm);
    return !fg_xml_is(node, FG_NS_FED, "PassiveRequestorEndpoint") || read_addresses(in, node, add_reply);
}

/* Every certificate that may sign: the old and the new one stand together while keys are rolled. */
static bool add_signing_key(reader_t *in, const xmlNode *descriptor) {
    fg_provider_metadata_t *out = in->provider;
    fg_key_t *key;
    if (!is_for(in, descriptor, "signing"))
        return true;
    if (!read_certificate(in, descriptor, &key))
        return false;
    for (size_t i = 0; key != NULL && i < out->key_count; i++)
        if (strcmp(fg_key_get_thumbprint(out->keys[i]), fg_key_get_thumbprint(key)) == 0)
            return true;
    if (key == NULL)
        return true;
    if (out->key_count == FG_METADATA_KEYS)
        return FG_FAIL(in->err, FG_E_XML_LIMIT, "more than %d signing certificates", FG_METADATA_KEYS);
    out->keys[out->key_count++] = key;
    return true;
}

static bool add_sign_in(reader_t *in, fg_str_t value) {
    if (!fg_uri_is_web(value))
        return FG_FAIL(in->err, FG_E_XML_STRUCTURE, "PassiveRequestorEndpoint \"%.*s\" is no web address",
                       FG_STR_ARG(value));
    if (in->provider->sign_in_url.n == 0)
        in->provider->sign_in_url = value;
    return true;
}

static bool read_sts_child(reader_t *in, const xmlNode *node) {
    if (fg_xml_is(node, FG_NS_MD, "KeyDescriptor"))
        return add_signing_key(in, node);
    return !fg_xml_is(node, FG_NS_FED, "PassiveRequestorEndpoint") || read_addresses(in, node, add_sign_in);
}

static bool read_role(reader_t *in, const xmlNode *role) {
    if (!check_valid_until(in, role))
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
    fg_str_t value = fg_str_trim(fg_xml_attr(in->arena, node, FG_NS_XSI, "type"));
    const char *colon = value.n ? memchr(value.p, ':', value.n) : NULL;
    size_t prefix_length = colon ? (size_t)(colon - value.p) : 0;
    fg_str_t local = {value.p + (colon ? prefix_length + 1 : 0), value.n - (colon ? prefix_length + 1 : 0)};
    if (!fg_str_is(local, type))
        return false;
    const char *prefix = colon ? fg_arena_strndup(in->arena, value.p, prefix_length) : NULL;
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

/* The entity's root with its id; with trust the one that was signed.  NULL: refused. */
static const xmlNode *open_entity(reader_t *in, fg_str_t xml, const fg_dsig_trust_t *trust, fg_str_t *entity_id) {
    xmlDoc *doc = fg_xml_parse(in->arena, xml, NULL, in->err);
    if (doc == NULL)
        return NULL;
    xmlNode *root = xmlDocGetRootElement(doc);
    fg_dsig_verified_t verified = {.element = root};
    if (!fg_xml_is(root, FG_NS_MD, "EntityDescriptor")) {
        FG_FAIL(in->err, FG_E_XML_STRUCTURE, "metadata: the root is no EntityDescriptor (one entity per document)");
        return NULL;
    }
    if (trust != NULL && !fg_dsig_verify_enveloped(root, "ID", trust, &verified, in->err))
        return NULL;
    *entity_id = fg_xml_attr(in->arena, verified.element, NULL, "entityID");
    if (entity_id->n == 0)
        FG_FAIL(in->err, FG_E_XML_STRUCTURE, "EntityDescriptor without entityID");
    return entity_id->n > 0 && check_valid_until(in, verified.element) ? verified.element : NULL;
}

bool fg_federation_metadata_read(const fg_env_t *env, fg_arena_t *arena, fg_str_t xml, const fg_dsig_trust_t *trust,
                                 fg_partner_metadata_t *out, fg_err_t *err) {
    reader_t in = {.env = env, .arena = arena, .err = err, .read_child = read_application_child, .out = out};
    bool found;
    *out = (fg_partner_metadata_t){0};
    const xmlNode *root = open_entity(&in, xml, trust, &out->entity_id);
    if (root == NULL || !add_realm(&in, out->entity_id) || !read_roles(&in, root, "ApplicationServiceType", &found))
        return false;
    /* a security token service in front of the application takes our tokens then */
    if (!found && !read_roles(&in, root, "SecurityTokenServiceType", &found))
        return false;
    if (out->reply_count == 0)
        return FG_FAIL(
            err, FG_E_XML_STRUCTURE,
            "no fed:ApplicationServiceType or fed:SecurityTokenServiceType role with a PassiveRequestorEndpoint");
    out->valid_until_ms = in.valid_until_ms;
    return true;
}

bool fg_provider_metadata_read(const fg_env_t *env, fg_arena_t *arena, fg_str_t xml, const fg_dsig_trust_t *trust,
                               fg_provider_metadata_t *out, fg_err_t *err) {
    reader_t in = {.env = env, .arena = arena, .err = err, .read_child = read_sts_child, .provider = out};
    bool found;
    *out = (fg_provider_metadata_t){0};
    const xmlNode *root = open_entity(&in, xml, trust, &out->entity_id);
    if (root == NULL || !read_roles(&in, root, "SecurityTokenServiceType", &found))
        return false;
    if (out->key_count == 0)
        return FG_FAIL(err, FG_E_XML_STRUCTURE, "no fed:SecurityTokenServiceType role with a certificate for signing");
    out->valid_until_ms = in.valid_until_ms;
    return true;
}
