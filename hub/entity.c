/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/entity.h"

#include "core/crypto.h"
#include "core/time.h"

#define CERTIFICATE_MAX (16u << 10)

static void release_key(void *key) { fg_key_unref(key); }

bool fg_entity_check_validity(fg_entity_reader_t *in, const xmlNode *node) {
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

/* ---- keys */

/* A KeyDescriptor's first certificate, of the arena; *key NULL: it has none. */
static bool read_certificate(fg_entity_reader_t *in, const xmlNode *descriptor, fg_key_t **key) {
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
static bool is_for(const fg_entity_reader_t *in, const xmlNode *descriptor, const char *use) {
    fg_str_t text = fg_xml_attr(in->arena, descriptor, NULL, "use");
    return text.p == NULL || fg_str_is(text, use);
}

bool fg_entity_add_signing_key(fg_entity_reader_t *in, const xmlNode *descriptor, fg_entity_keys_t *keys) {
    fg_key_t *key;
    if (!is_for(in, descriptor, "signing"))
        return true;
    if (!read_certificate(in, descriptor, &key))
        return false;
    for (size_t i = 0; key != NULL && i < keys->count; i++)
        if (strcmp(fg_key_get_thumbprint(keys->items[i]), fg_key_get_thumbprint(key)) == 0)
            return true;
    if (key == NULL)
        return true;
    if (keys->count == FG_ENTITY_KEYS)
        return FG_FAIL(in->err, FG_E_XML_LIMIT, "more than %d signing certificates", FG_ENTITY_KEYS);
    keys->items[keys->count++] = key;
    return true;
}

bool fg_entity_take_encryption_key(fg_entity_reader_t *in, const xmlNode *descriptor, fg_key_t **key) {
    return *key != NULL || !is_for(in, descriptor, "encryption") || read_certificate(in, descriptor, key);
}

/* ---- the document */

const xmlNode *fg_entity_open(fg_entity_reader_t *in, fg_str_t xml, const fg_dsig_trust_t *trust, fg_str_t *entity_id) {
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
    return entity_id->n > 0 && fg_entity_check_validity(in, verified.element) ? verified.element : NULL;
}

/* ---- writing */

const fg_xns_t fg_entity_ns = {"", FG_NS_MD};
static const fg_xns_t ns_ds = {"ds", FG_NS_DS};

void fg_entity_write_key(fg_xw_t *w, const char *use, const fg_key_t *key) {
    fg_xw_start(w, &fg_entity_ns, "KeyDescriptor");
    fg_xw_attrz(w, "use", use);
    fg_xw_start(w, &ns_ds, "KeyInfo");
    fg_xw_start(w, &ns_ds, "X509Data");
    fg_xw_leaf(w, &ns_ds, "X509Certificate", fg_key_get_certificate_base64(key));
    fg_xw_end(w);
    fg_xw_end(w);
    fg_xw_end(w);
}
