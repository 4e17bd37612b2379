/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/federation_metadata.h"

#include <stdio.h>

#include "core/crypto.h"
#include "core/version.h"
#include "hub/protocol.h"

#define DOCUMENT_MAX (256u << 10)
#define PROTOCOLS FG_NS_TRUST_13 " " FG_NS_TRUST_2005 " " FG_NS_FED

static const fg_xns_t ns_fed = {"fed", FG_NS_FED};
static const fg_xns_t ns_auth = {"auth", FG_NS_AUTH};
static const fg_xns_t ns_xsi = {"xsi", FG_NS_XSI};
static const fg_xns_t ns_wsa = {"wsa", FG_NS_WSA};
static const fg_xns_t ns_mex = {"wsx", "http://schemas.xmlsoap.org/ws/2004/09/mex"};

/* Claim descriptions, in the words of AD FS. */
static const struct {
    const char *type;
    const char *name;
    const char *description;
} claim_table[] = {
    {FG_CLAIM_EMAIL, "E-Mail Address", "The e-mail address of the user"},
    {FG_CLAIM_GIVENNAME, "Given Name", "The given name of the user"},
    {FG_CLAIM_NAME, "Name", "The unique name of the user"},
    {FG_CLAIM_UPN, "UPN", "The user principal name (UPN) of the user"},
    {FG_CLAIM_GROUP, "Group", "A group that the user is a member of"},
    {FG_CLAIM_UPN_ADFS1, "AD FS 1.x UPN", "The UPN of the user when interoperating with AD FS 1.1 or AD FS 1.0"},
    {FG_CLAIM_ROLE, "Role", "A role that the user has"},
    {FG_CLAIM_SURNAME, "Surname", "The surname of the user"},
    {FG_CLAIM_NAMEIDENTIFIER, "Name ID", "The SAML name identifier of the user"},
    {FG_CLAIM_WINDOWSACCOUNTNAME, "Windows account name",
     "The domain account name of the user in the form of domain\\user"},
    {FG_CLAIM_AUTHINSTANT, "Authentication time stamp",
     "Used to display the time and date that the user was authenticated"},
    {FG_CLAIM_AUTHMETHOD, "Authentication method", "The method used to authenticate the user"},
    {FG_CLAIM_AUTHNMETHODSREFERENCES, "Authentication Methods References",
     "Used to indicate all authentication methods used to authenticate the user"},
    {FG_CLAIM_IMMUTABLEID, "ImmutableID", "The identifier of the user that never changes"},
};

/* ---- parts of a role */

static void write_claims(fg_xw_t *w, const char *list, bool optional) {
    fg_xw_start(w, &ns_fed, list);
    for (size_t i = 0; i < FG_ARRAY_SIZE(claim_table); i++) {
        fg_xw_start(w, &ns_auth, "ClaimType");
        fg_xw_attrz(w, "Uri", claim_table[i].type);
        if (optional)
            fg_xw_attrz(w, "Optional", "true");
        fg_xw_leafz(w, &ns_auth, "DisplayName", claim_table[i].name);
        fg_xw_leafz(w, &ns_auth, "Description", claim_table[i].description);
        fg_xw_end(w);
    }
    fg_xw_end(w);
}

/* base + path, in text content */
static void write_address(fg_xw_t *w, fg_str_t base, const char *path) {
    fg_xw_start(w, &ns_wsa, "Address");
    fg_xw_text(w, base);
    fg_xw_textz(w, path);
    fg_xw_end(w);
}

static void write_reference(fg_xw_t *w, fg_str_t base, const char *path) {
    fg_xw_start(w, &ns_wsa, "EndpointReference");
    write_address(w, base, path);
    fg_xw_end(w);
}

static void write_endpoint(fg_xw_t *w, const char *name, fg_str_t base, const char *path) {
    fg_xw_start(w, &ns_fed, name);
    write_reference(w, base, path);
    fg_xw_end(w);
}

/* The active endpoint, with where its own metadata is (WS-MetadataExchange 1.1 §4). */
static void write_active_endpoint(fg_xw_t *w, fg_str_t base) {
    fg_xw_start(w, &ns_fed, "SecurityTokenServiceEndpoint");
    fg_xw_start(w, &ns_wsa, "EndpointReference");
    write_address(w, base, "/adfs/services/trust/13/usernamemixed");
    fg_xw_start(w, &ns_wsa, "Metadata");
    fg_xw_start(w, &ns_mex, "Metadata");
    fg_xw_start(w, &ns_mex, "MetadataSection");
    fg_xw_attrz(w, "Dialect", ns_mex.uri);
    fg_xw_start(w, &ns_mex, "MetadataReference");
    write_address(w, base, "/adfs/services/trust/mex");
    for (int i = 0; i < 6; i++)
        fg_xw_end(w);
}

/* ---- roles */

#define ROLE "<RoleDescriptor"

/* Returns where the role's start tag begins. */
static size_t start_role(fg_xw_t *w, const fg_hub_t *hub, const char *type) {
    fg_xw_flush(w);
    size_t at = w->out->length;
    fg_xw_start(w, &fg_entity_ns, "RoleDescriptor");
    fg_xw_attrz(w, "ServiceDisplayName", hub->organisation ? hub->organisation : "");
    fg_xw_attrz(w, "protocolSupportEnumeration", PROTOCOLS);
    fg_xw_attr_ns(w, &ns_xsi, "type", fg_str(type));
    return at;
}

/* A home realm's identity provider knows us by a name that no one before it does. */
static bool has_own_name(const fg_hub_t *hub, size_t index) {
    const fg_identity_provider_t *provider = hub->home_realms[index].identity_provider;
    if (provider == NULL || fg_str_eq(provider->realm, hub->entity_id))
        return false;
    for (size_t i = 0; i < index; i++) {
        const fg_identity_provider_t *other = hub->home_realms[i].identity_provider;
        if (other != NULL && fg_str_eq(other->realm, provider->realm))
            return false;
    }
    return true;
}

/* What identity providers read: whom to send tokens to, encrypted to which certificate, with which claims. */
static size_t write_application_role(fg_xw_t *w, const fg_hub_t *hub, const fg_keys_t *keys) {
    size_t at = start_role(w, hub, "fed:ApplicationServiceType");
    if (keys->encryption[FG_KEY_ACTIVE] != NULL)
        fg_entity_write_key(w, "encryption", keys->encryption[FG_KEY_ACTIVE]);
    write_claims(w, "ClaimTypesRequested", true);
    fg_xw_start(w, &ns_fed, "TargetScopes");
    write_reference(w, hub->base_url, "/adfs/ls/");
    write_reference(w, hub->entity_id, "");
    for (size_t i = 0; i < hub->home_realm_count; i++)
        if (has_own_name(hub, i))
            write_reference(w, hub->home_realms[i].identity_provider->realm, "");
    fg_xw_end(w);
    write_endpoint(w, "ApplicationServiceEndpoint", hub->base_url, "/adfs/ls/");
    write_endpoint(w, "PassiveRequestorEndpoint", hub->base_url, "/adfs/ls/");
    fg_xw_end(w);
    return at;
}

static void write_token_types(fg_xw_t *w) {
    static const fg_saml_version_t versions[] = {FG_SAML_20, FG_SAML_11};
    fg_xw_start(w, &ns_fed, "TokenTypesOffered");
    for (size_t i = 0; i < FG_ARRAY_SIZE(versions); i++) {
        fg_xw_start(w, &ns_fed, "TokenType");
        fg_xw_attrz(w, "Uri", fg_saml_token_type(versions[i]));
        fg_xw_end(w);
    }
    fg_xw_end(w);
}

static size_t write_sts_role(fg_xw_t *w, const fg_hub_t *hub, const fg_keys_t *keys) {
    size_t at = start_role(w, hub, "fed:SecurityTokenServiceType");
    /* old and new together, so that partners are ready before a roll and after it */
    for (size_t i = 0; i < FG_KEY_STATES; i++)
        if (keys->signing[i] != NULL)
            fg_entity_write_key(w, "signing", keys->signing[i]);
    write_token_types(w);
    write_claims(w, "ClaimTypesOffered", false);
    write_active_endpoint(w, hub->base_url);
    write_endpoint(w, "PassiveRequestorEndpoint", hub->base_url, "/adfs/ls/");
    fg_xw_end(w);
    return at;
}

static void write_contact(fg_xw_t *w, const fg_hub_t *hub) {
    if (hub->contact == NULL || strchr(hub->contact, '@') == NULL)
        return;
    fg_xw_start(w, &fg_entity_ns, "ContactPerson");
    fg_xw_attrz(w, "contactType", "support");
    fg_xw_start(w, &fg_entity_ns, "EmailAddress");
    if (!fg_str_starts(fg_str(hub->contact), "mailto:"))
        fg_xw_textz(w, "mailto:");
    fg_xw_textz(w, hub->contact);
    fg_xw_end(w);
    fg_xw_end(w);
}

/* ---- the document */

/* One id for one content: made from everything that decides it. */
static bool make_id(const fg_hub_t *hub, const fg_keys_t *keys, char id[FG_ID_SIZE]) {
    unsigned char digest[FG_SHA256_SIZE];
    char hex[2 * FG_SHA256_SIZE + 1];
    fg_buf_t all = FG_BUF_INIT(16u << 10);
    fg_buf_puts(&all, FG_VERSION "\n");
    fg_buf_put_str(&all, hub->entity_id);
    fg_buf_putc(&all, '\n');
    fg_buf_put_str(&all, hub->base_url);
    fg_buf_printf(&all, "\n%s\n%s\n", hub->organisation ? hub->organisation : "", hub->contact ? hub->contact : "");
    for (size_t i = 0; i < hub->home_realm_count; i++)
        if (has_own_name(hub, i))
            fg_buf_printf(&all, "%.*s\n", FG_STR_ARG(hub->home_realms[i].identity_provider->realm));
    for (size_t i = 0; i < FG_KEY_STATES; i++)
        fg_buf_printf(&all, "%s\n%s\n", keys->signing[i] ? fg_key_get_thumbprint(keys->signing[i]) : "",
                      keys->encryption[i] ? fg_key_get_thumbprint(keys->encryption[i]) : "");
    bool ok = fg_buf_ok(&all);
    fg_sha256(all.data, all.length, digest);
    fg_buf_free(&all);
    fg_hex_encode(digest, sizeof digest, hex);
    snprintf(id, FG_ID_SIZE, "_%.40s", hex);
    return ok;
}

/* xsi:type names its type by prefix, which canonicalisation does not see: the declaration goes in after signing and
 * leaves the canonical form as it is (Exclusive XML Canonicalization 1.0 §1.3). */
static void declare_fed(fg_buf_t *out, size_t role) {
    static const char declaration[] = " xmlns:fed=\"" FG_NS_FED "\"";
    fg_buf_insert(out, role + sizeof ROLE - 1, declaration, sizeof declaration - 1);
}

bool fg_federation_metadata_write(const fg_hub_t *hub, const fg_keys_t *keys, fg_buf_t *out, fg_err_t *err) {
    char id[FG_ID_SIZE];
    fg_xw_t w;
    size_t element = out->length;
    if (!make_id(hub, keys, id))
        return FG_FAIL(err, FG_E_INTERNAL, "id of the federation metadata");
    fg_xw_init(&w, out);
    fg_xw_start(&w, &fg_entity_ns, "EntityDescriptor");
    fg_xw_attrz(&w, "ID", id);
    fg_xw_attr(&w, "entityID", hub->entity_id);
    size_t application = write_application_role(&w, hub, keys);
    size_t sts = write_sts_role(&w, hub, keys);
    for (size_t i = 0; i < FG_PROTOCOLS; i++)
        if (hub->protocols[i] != NULL && hub->protocols[i]->write_roles != NULL)
            hub->protocols[i]->write_roles(&w, hub, keys);
    write_contact(&w, hub);
    fg_xw_end(&w);
    if (!fg_xw_ok(&w) || !fg_buf_ok(out))
        return FG_FAIL(err, FG_E_INTERNAL, "federation metadata could not be written");
    size_t unsigned_length = out->length;
    if (!fg_dsig_sign(out, element, application, fg_str(id), keys->signing[FG_KEY_ACTIVE], err))
        return fg_err_prefix(err, "federation metadata");
    size_t signature = out->length - unsigned_length;
    declare_fed(out, sts + signature);
    declare_fed(out, application + signature);
    return fg_buf_ok(out) || FG_FAIL(err, FG_E_INTERNAL, "federation metadata is too long");
}

/* ---- the endpoint */

static bool is_known(fg_exchange_t *ex, const char *etag) {
    fg_str_t known = fg_request_header(&ex->request, "if-none-match", NULL);
    size_t n = strlen(etag);
    return known.n >= n && memmem(known.p, known.n, etag, n) != NULL;
}

static bool answer(fg_exchange_t *ex, fg_err_t *err) {
    char id[FG_ID_SIZE], etag[FG_ID_SIZE + 2];
    if (!make_id(ex->hub, ex->keys, id))
        return FG_FAIL(err, FG_E_INTERNAL, "id of the federation metadata");
    snprintf(etag, sizeof etag, "\"%s\"", id);
    if (is_known(ex, etag)) {
        ex->response.status = 304;
    } else {
        fg_buf_t document = FG_BUF_INIT(DOCUMENT_MAX);
        bool ok = fg_federation_metadata_write(ex->hub, ex->keys, &document, err);
        if (ok)
            fg_response_body(ex, 200, "application/samlmetadata+xml; charset=utf-8", fg_buf_str(&document));
        fg_buf_free(&document);
        if (!ok)
            return false;
    }
    fg_response_header(ex, "ETag", fg_str(etag));
    fg_response_header(ex, "Cache-Control", FG_STR("public, max-age=3600"));
    fg_response_header(ex, "X-Content-Type-Options", FG_STR("nosniff"));
    return true;
}

fg_step_t fg_federation_metadata_handle(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    if (!answer(ex, &err))
        fg_response_error_page(ex, &err);
    return FG_STEP_DONE;
}
