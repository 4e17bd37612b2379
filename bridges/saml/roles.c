/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Our two roles in the metadata document (saml-metadata-2.0-os §2.4.3, §2.4.4), in the order of AD FS. */
#include "bridges/saml/saml.h"
#include "core/xmldsig.h"
#include "hub/name_id.h"

#define DOCUMENT_MAX (64u << 10)

static void write_keys(fg_xw_t *w, const fg_keys_t *keys) {
    if (keys->encryption[FG_KEY_ACTIVE] != NULL)
        fg_entity_write_key(w, "encryption", keys->encryption[FG_KEY_ACTIVE]);
    /* old and new together, so that partners are ready before a roll and after it */
    for (size_t i = 0; i < FG_KEY_STATES; i++)
        if (keys->signing[i] != NULL)
            fg_entity_write_key(w, "signing", keys->signing[i]);
}

/* A service at a path below the base; index NULL: it has none, "0": it is the default. */
static void write_service(fg_xw_t *w, const fg_hub_t *hub, const char *name, fg_saml_binding_t binding,
                          const char *path, const char *index) {
    char text[1024];
    fg_buf_t location;
    fg_buf_init_in(&location, text, sizeof text);
    fg_buf_put_str(&location, hub->base_url);
    fg_buf_puts(&location, path);
    fg_xw_start(w, &fg_entity_ns, name);
    fg_xw_attrz(w, "Binding", fg_saml_binding_uri(binding));
    fg_xw_attr(w, "Location", fg_buf_str(&location));
    if (index != NULL)
        fg_xw_attrz(w, "index", index);
    if (index != NULL && strcmp(index, "0") == 0)
        fg_xw_attrz(w, "isDefault", "true");
    fg_xw_end(w);
    w->failed = w->failed || !fg_buf_ok(&location);
}

/* Where others find us: the order of the bindings is that of preference. */
static void write_logout(fg_xw_t *w, const fg_hub_t *hub) {
    write_service(w, hub, "SingleLogoutService", FG_SAML_REDIRECT, FG_SAML_PATH, NULL);
    write_service(w, hub, "SingleLogoutService", FG_SAML_POST, FG_SAML_PATH, NULL);
    write_service(w, hub, "SingleLogoutService", FG_SAML_SOAP, FG_SAML_LOGOUT_PATH, NULL);
}

static void write_formats(fg_xw_t *w) {
    static const char *const formats[] = {FG_NAME_ID_EMAIL, FG_NAME_ID_PERSISTENT, FG_NAME_ID_TRANSIENT,
                                          FG_NAME_ID_UNSPECIFIED};
    for (size_t i = 0; i < FG_ARRAY_SIZE(formats); i++)
        fg_xw_leafz(w, &fg_entity_ns, "NameIDFormat", formats[i]);
}

/* Where a discovery service may send people back to (sstc-saml-idp-discovery §2.5). */
static void write_discovery(fg_xw_t *w, const fg_hub_t *hub) {
    static const fg_xns_t ns = {"idpdisc", FG_NS_IDPDISC};
    char text[1024];
    fg_buf_t address;
    fg_buf_init_in(&address, text, sizeof text);
    fg_buf_put_str(&address, hub->base_url);
    fg_buf_puts(&address, FG_SAML_PATH);
    w->failed = w->failed || !fg_buf_ok(&address);
    fg_xw_start(w, &fg_entity_ns, "Extensions");
    fg_xw_start(w, &ns, "DiscoveryResponse");
    fg_xw_attrz(w, "Binding", FG_NS_IDPDISC);
    fg_xw_attr(w, "Location", fg_buf_str(&address));
    fg_xw_attrz(w, "index", "0");
    fg_xw_end(w);
    fg_xw_end(w);
}

static void write_service_provider(fg_xw_t *w, const fg_hub_t *hub, const fg_keys_t *keys) {
    fg_xw_start(w, &fg_entity_ns, "SPSSODescriptor");
    fg_xw_attrz(w, "AuthnRequestsSigned", "true");
    fg_xw_attrz(w, "WantAssertionsSigned", "true");
    fg_xw_attrz(w, "protocolSupportEnumeration", FG_NS_SAML2P);
    write_discovery(w, hub);
    write_keys(w, keys);
    write_logout(w, hub);
    write_formats(w);
    write_service(w, hub, "AssertionConsumerService", FG_SAML_POST, FG_SAML_PATH, "0");
    write_service(w, hub, "AssertionConsumerService", FG_SAML_ARTIFACT, FG_SAML_PATH, "1");
    write_service(w, hub, "AssertionConsumerService", FG_SAML_PAOS, FG_SAML_PAOS_PATH, "2");
    fg_xw_end(w);
}

static void write_identity_provider(fg_xw_t *w, const fg_hub_t *hub, const fg_keys_t *keys) {
    fg_xw_start(w, &fg_entity_ns, "IDPSSODescriptor");
    fg_xw_attrz(w, "protocolSupportEnumeration", FG_NS_SAML2P);
    write_keys(w, keys);
    write_service(w, hub, "ArtifactResolutionService", FG_SAML_SOAP, FG_SAML_ARTIFACT_PATH, "0");
    write_logout(w, hub);
    write_formats(w);
    write_service(w, hub, "SingleSignOnService", FG_SAML_REDIRECT, FG_SAML_PATH, NULL);
    write_service(w, hub, "SingleSignOnService", FG_SAML_POST, FG_SAML_PATH, NULL);
    write_service(w, hub, "SingleSignOnService", FG_SAML_SOAP, FG_SAML_ECP_PATH, NULL);
    fg_xw_end(w);
}

/* §2.4.7 */
static void write_attribute_authority(fg_xw_t *w, const fg_hub_t *hub, const fg_keys_t *keys) {
    fg_xw_start(w, &fg_entity_ns, "AttributeAuthorityDescriptor");
    fg_xw_attrz(w, "protocolSupportEnumeration", FG_NS_SAML2P);
    write_keys(w, keys);
    write_service(w, hub, "AttributeService", FG_SAML_SOAP, FG_SAML_QUERY_PATH, NULL);
    write_formats(w);
    fg_xw_end(w);
}

void fg_saml_write_roles(fg_xw_t *w, const fg_hub_t *hub, const fg_keys_t *keys) {
    write_service_provider(w, hub, keys);
    write_identity_provider(w, hub, keys);
    write_attribute_authority(w, hub, keys);
}

/* ---- each role by itself, for partners who take no document with more in it */

static void write_vouching(fg_xw_t *w, const fg_hub_t *hub, const fg_keys_t *keys) {
    write_identity_provider(w, hub, keys);
    write_attribute_authority(w, hub, keys);
}

typedef void (*write_t)(fg_xw_t *w, const fg_hub_t *hub, const fg_keys_t *keys);

static bool write_document(fg_exchange_t *ex, write_t write, fg_buf_t *out, fg_err_t *err) {
    char id[FG_ID_SIZE];
    fg_xw_t w;
    if (!fg_id_xml(ex->env, id))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for an id");
    fg_xw_init(&w, out);
    fg_xw_start(&w, &fg_entity_ns, "EntityDescriptor");
    fg_xw_attrz(&w, "ID", id);
    fg_xw_attr(&w, "entityID", ex->hub->entity_id);
    fg_xw_flush(&w); /* behind the start tag comes the signature (§2.3.2) */
    size_t signature_at = out->length;
    write(&w, ex->hub, ex->keys);
    fg_xw_end(&w);
    if (!fg_xw_ok(&w) || !fg_buf_ok(out))
        return FG_FAIL(err, FG_E_INTERNAL, "metadata could not be written");
    return fg_dsig_sign(out, 0, signature_at, fg_str(id), ex->keys->signing[FG_KEY_ACTIVE], err);
}

static fg_step_t serve(fg_exchange_t *ex, write_t write) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t document = FG_BUF_INIT(DOCUMENT_MAX);
    if (write_document(ex, write, &document, &err)) {
        fg_response_body(ex, 200, "application/samlmetadata+xml; charset=utf-8", fg_buf_str(&document));
        fg_response_header(ex, "Cache-Control", FG_STR("public, max-age=3600"));
        fg_response_header(ex, "X-Content-Type-Options", FG_STR("nosniff"));
    } else {
        fg_response_error_page(ex, &err);
    }
    fg_buf_free(&document);
    return FG_STEP_DONE;
}

fg_step_t fg_saml_sp_metadata(fg_exchange_t *ex) { return serve(ex, write_service_provider); }

fg_step_t fg_saml_idp_metadata(fg_exchange_t *ex) { return serve(ex, write_vouching); }
