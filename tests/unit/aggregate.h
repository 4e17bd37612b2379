/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A federation's metadata, made up and signed: for tests and for bench/metadata. */
#ifndef FG_TESTS_UNIT_AGGREGATE_H
#define FG_TESTS_UNIT_AGGREGATE_H

#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/xmldsig.h"

#define AGGREGATE_MAX (1u << 30)

/* Written in canonical form, as fg_dsig_sign wants it: every namespace is declared where it is used. */
#define AGGREGATE_MD "xmlns:md=\"" FG_NS_MD "\""
#define AGGREGATE_REGISTRAR "https://federation.example/"
#define AGGREGATE_RS "http://refeds.org/category/research-and-scholarship"

static inline void aggregate_put_key(fg_buf_t *out, const fg_key_t *key, const char *use) {
    fg_buf_printf(out,
                  "<md:KeyDescriptor use=\"%s\"><ds:KeyInfo xmlns:ds=\"" FG_NS_DS "\"><ds:X509Data>"
                  "<ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
                  use, fg_key_get_certificate_base64(key).p);
}

static inline void aggregate_put_registration(fg_buf_t *out) {
    fg_buf_puts(out, "<mdrpi:RegistrationInfo xmlns:mdrpi=\"" FG_NS_MDRPI
                     "\" registrationAuthority=\"" AGGREGATE_REGISTRAR "\"></mdrpi:RegistrationInfo>");
}

static inline void aggregate_put_interface(fg_buf_t *out, const char *kind, unsigned i) {
    fg_buf_printf(out,
                  "<mdui:UIInfo xmlns:mdui=\"" FG_NS_MDUI "\"><mdui:DisplayName xml:lang=\"de\">Universität "
                  "%s-%u</mdui:DisplayName>\n<mdui:DisplayName xml:lang=\"en\">University of %s %u</mdui:DisplayName>"
                  "<mdui:Keywords xml:lang=\"en\">town%u gown+robe</mdui:Keywords>"
                  "<mdui:Description xml:lang=\"en\">Teaching &amp; research, since 1%03u, for everybody who wants to "
                  "know what holds the world together.</mdui:Description>"
                  "<mdui:InformationURL xml:lang=\"en\">https://%s%u.example/about</mdui:InformationURL></mdui:UIInfo>",
                  kind, i, kind, i, i, i % 1000, kind, i);
}

static inline void aggregate_put_organisation(fg_buf_t *out, const char *kind, unsigned i) {
    fg_buf_printf(out,
                  "<md:Organization><md:OrganizationName xml:lang=\"en\">%s %u</md:OrganizationName>"
                  "<md:OrganizationDisplayName xml:lang=\"en\">%s %u</md:OrganizationDisplayName>"
                  "<md:OrganizationURL xml:lang=\"en\">https://%s%u.example/</md:OrganizationURL></md:Organization>\n"
                  "<md:ContactPerson contactType=\"technical\"><md:GivenName>Help</md:GivenName>"
                  "<md:EmailAddress>mailto:help@%s%u.example</md:EmailAddress></md:ContactPerson>",
                  kind, i, kind, i, kind, i, kind, i);
}

static inline void aggregate_put_idp(fg_buf_t *out, const fg_key_t *key, unsigned i) {
    fg_buf_printf(out, "<md:EntityDescriptor entityID=\"https://idp%u.example/idp\"><md:Extensions>", i);
    aggregate_put_registration(out);
    fg_buf_printf(out,
                  "</md:Extensions>\n<md:IDPSSODescriptor protocolSupportEnumeration=\"" FG_NS_SAML2P
                  "\"><md:Extensions><shibmd:Scope xmlns:shibmd=\"" FG_NS_SHIBMD
                  "\" regexp=\"false\">idp%u.example</shibmd:Scope>",
                  i);
    aggregate_put_interface(out, "idp", i);
    fg_buf_puts(out, "</md:Extensions>\n");
    aggregate_put_key(out, key, "signing");
    aggregate_put_key(out, key, "encryption");
    fg_buf_printf(out,
                  "<md:SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" "
                  "Location=\"https://idp%u.example/slo\"></md:SingleLogoutService>"
                  "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>"
                  "<md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" "
                  "Location=\"https://idp%u.example/sso\"></md:SingleSignOnService>"
                  "<md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" "
                  "Location=\"https://idp%u.example/sso-post\"></md:SingleSignOnService></md:IDPSSODescriptor>",
                  i, i, i);
    aggregate_put_organisation(out, "idp", i);
    fg_buf_puts(out, "</md:EntityDescriptor>\n");
}

static inline void aggregate_put_sp(fg_buf_t *out, const fg_key_t *key, unsigned i) {
    static const char *const names[] = {"urn:oid:0.9.2342.19200300.100.1.3", "urn:oid:2.16.840.1.113730.3.1.241",
                                        "urn:oid:1.3.6.1.4.1.5923.1.1.1.6"};
    fg_buf_printf(out, "<md:EntityDescriptor entityID=\"https://sp%u.example/sp\"><md:Extensions>", i);
    aggregate_put_registration(out);
    fg_buf_printf(out,
                  "<mdattr:EntityAttributes xmlns:mdattr=\"" FG_NS_MDATTR "\"><saml:Attribute xmlns:saml=\"" FG_NS_SAML2
                  "\" Name=\"http://macedir.org/entity-category\" "
                  "NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\"><saml:AttributeValue>%s"
                  "</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes></md:Extensions>\n"
                  "<md:SPSSODescriptor protocolSupportEnumeration=\"" FG_NS_SAML2P "\"><md:Extensions>",
                  i % 2 == 0 ? AGGREGATE_RS : "http://www.geant.net/uri/dataprotection-code-of-conduct/v1");
    fg_buf_printf(out,
                  "<idpdisc:DiscoveryResponse xmlns:idpdisc=\"" FG_NS_IDPDISC "\" Binding=\"" FG_NS_IDPDISC
                  "\" Location=\"https://sp%u.example/disco\" index=\"0\"></idpdisc:DiscoveryResponse>",
                  i);
    aggregate_put_interface(out, "sp", i);
    fg_buf_puts(out, "</md:Extensions>\n");
    aggregate_put_key(out, key, "signing");
    aggregate_put_key(out, key, "encryption");
    fg_buf_printf(out,
                  "<md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" "
                  "Location=\"https://sp%u.example/acs\" index=\"0\" isDefault=\"true\"></md:AssertionConsumerService>"
                  "<md:AttributeConsumingService index=\"0\"><md:ServiceName xml:lang=\"en\">SP</md:ServiceName>",
                  i);
    for (unsigned k = 0; k < 3; k++)
        fg_buf_printf(out,
                      "<md:RequestedAttribute Name=\"%s\" "
                      "NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\" "
                      "isRequired=\"%s\"></md:RequestedAttribute>",
                      names[k], k == 0 ? "true" : "false");
    fg_buf_puts(out, "</md:AttributeConsumingService></md:SPSSODescriptor>");
    aggregate_put_organisation(out, "sp", i);
    fg_buf_puts(out, "</md:EntityDescriptor>\n");
}

/* count entities in the root and, if nested, as many in an EntitiesDescriptor of its own; two of five are identity
 * providers.  signer NULL: not signed.  more: put in before the end of the root. */
static inline bool aggregate_make(fg_buf_t *out, unsigned count, bool nested, const char *valid_until,
                                  const fg_key_t *key, const fg_key_t *signer, const char *more) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_printf(out,
                  "<md:EntitiesDescriptor " AGGREGATE_MD
                  " ID=\"_federation\" Name=\"urn:federation\" cacheDuration=\"PT6H\" validUntil=\"%s\">",
                  valid_until);
    size_t at = out->length;
    for (unsigned i = 0; i < count; i++)
        (i % 5 < 2 ? aggregate_put_idp : aggregate_put_sp)(out, key, i);
    if (nested) {
        fg_buf_puts(out, "<md:EntitiesDescriptor Name=\"urn:nested\">\n");
        for (unsigned i = count; i < 2 * count; i++)
            (i % 5 < 2 ? aggregate_put_idp : aggregate_put_sp)(out, key, i);
        fg_buf_puts(out, "</md:EntitiesDescriptor>");
    }
    fg_buf_puts(out, more);
    fg_buf_puts(out, "</md:EntitiesDescriptor>");
    if (signer != NULL && !fg_dsig_sign(out, 0, at, FG_STR("_federation"), signer, &err)) {
        fprintf(stderr, "signing: %s\n", err.detail);
        return false;
    }
    return fg_buf_ok(out);
}

static inline bool aggregate_write(const char *path, fg_str_t text) {
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL && fwrite(text.p, 1, text.n, file) == text.n;
    return file != NULL && fclose(file) == 0 && ok;
}

#endif
