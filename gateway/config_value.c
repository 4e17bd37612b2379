/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/config_value.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "bridges/openid/client.h"
#include "bridges/openid/openid2_realm.h"
#include "bridges/openid/provider.h"
#include "core/http.h"
#include "core/key.h"
#include "core/time.h"
#include "core/uri.h"
#include "directory/ldap.h"
#include "directory/users.h"
#include "hub/protect.h"

/* ---- texts and addresses */

static bool is_printable(const char *text) {
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static bool read_text(const fg_config_reading_t *in, const char *text, void *field) {
    if (*text == '\0' || !is_printable(text))
        return false;
    char *copy = fg_arena_strdup(in->arena, text);
    memcpy(field, &copy, sizeof copy);
    return copy != NULL;
}

static bool read_path(const fg_config_reading_t *in, const char *text, void *field) {
    if (*text == '\0' || !is_printable(text))
        return false;
    char *copy =
        text[0] == '/' ? fg_arena_strdup(in->arena, text) : fg_arena_printf(in->arena, "%s/%s", in->folder, text);
    memcpy(field, &copy, sizeof copy);
    return copy != NULL;
}

static bool put_str(const fg_config_reading_t *in, fg_str_t text, void *field) {
    fg_str_t copy = fg_arena_str(in->arena, text);
    memcpy(field, &copy, sizeof copy);
    return copy.p != NULL;
}

static bool read_uri(const fg_config_reading_t *in, const char *text, void *field) {
    fg_uri_t uri;
    return fg_uri_parse(fg_str(text), &uri) && put_str(in, fg_str(text), field);
}

/* Microsoft Entra's template of many issuers (OpenID Connect metadata of "organizations"): one segment stands for the
 * tenant. */
static bool read_issuer(const fg_config_reading_t *in, const char *text, void *field) {
    fg_uri_t uri;
    const char *at = strstr(text, FG_OPENID_TENANT);
    const char *plain =
        at == NULL ? text
                   : fg_arena_printf(in->arena, "%.*sx%s", (int)(at - text), text, at + strlen(FG_OPENID_TENANT));
    return plain != NULL && fg_uri_parse(fg_str(plain), &uri) && put_str(in, fg_str(text), field);
}

static bool read_web(const fg_config_reading_t *in, const char *text, void *field) {
    return fg_uri_is_web(fg_str(text)) && put_str(in, fg_str(text), field);
}

static bool read_base(const fg_config_reading_t *in, const char *text, void *field) {
    fg_uri_t uri;
    if (!fg_uri_is_web(fg_str(text)) || !fg_uri_parse(fg_str(text), &uri))
        return false;
    if (!fg_str_eq_nocase(uri.scheme, FG_STR("https")) || uri.query.p != NULL ||
        !(uri.path.n == 0 || fg_str_is(uri.path, "/")))
        return false;
    fg_buf_t origin = FG_BUF_INIT(1024);
    bool ok = fg_uri_origin(fg_str(text), &origin) && fg_buf_ok(&origin) && put_str(in, fg_buf_str(&origin), field);
    fg_buf_free(&origin);
    return ok;
}

static bool is_place(const char *text) {
    return text[0] == '/' && text[1] != '/' && strpbrk(text, "\\?#%\"'<> ;") == NULL && is_printable(text) &&
           strstr(text, "/.") == NULL;
}

static bool read_place(const fg_config_reading_t *in, const char *text, void *field) {
    return is_place(text) && strlen(text) > 1 && read_text(in, text, field);
}

static bool read_logo(const fg_config_reading_t *in, const char *text, void *field) {
    return (is_place(text) || fg_uri_is_web(fg_str(text))) && read_text(in, text, field);
}

static bool read_colour(const fg_config_reading_t *in, const char *text, void *field) {
    return strlen(text) == 7 && text[0] == '#' && strspn(text + 1, "0123456789abcdefABCDEF") == 6 &&
           read_text(in, text, field);
}

/* ---- numbers */

typedef struct unit {
    const char *name;
    uint64_t factor;
} unit_t;

/* Digits and one of the units, at most maximum once multiplied. */
static bool read_number(const char *text, const unit_t *units, size_t unit_count, uint64_t maximum, uint64_t *number) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 12)
        return false;
    uint64_t value = strtoull(text, NULL, 10);
    for (size_t i = 0; i < unit_count; i++)
        if (strcmp(text + digits, units[i].name) == 0) {
            *number = value * units[i].factor;
            return value <= maximum / units[i].factor;
        }
    return false;
}

static bool read_duration(const fg_config_reading_t *in, const char *text, void *field) {
    static const unit_t units[] = {{"s", FG_SECOND}, {"m", FG_MINUTE}, {"h", FG_HOUR}, {"d", FG_DAY}};
    uint64_t number;
    (void)in;
    if (!read_number(text, units, FG_ARRAY_SIZE(units), 36500 * (uint64_t)FG_DAY, &number))
        return false;
    memcpy(field, &(int64_t){(int64_t)number}, sizeof(int64_t));
    return true;
}

static bool read_size(const fg_config_reading_t *in, const char *text, void *field) {
    static const unit_t units[] = {{"", 1}, {"k", 1 << 10}, {"m", 1 << 20}};
    uint64_t number;
    (void)in;
    if (!read_number(text, units, FG_ARRAY_SIZE(units), UINT64_C(1) << 30, &number) || number == 0)
        return false;
    memcpy(field, &(size_t){(size_t)number}, sizeof(size_t));
    return true;
}

static bool read_count(const fg_config_reading_t *in, const char *text, void *field) {
    static const unit_t units[] = {{"", 1}};
    uint64_t number;
    (void)in;
    if (!read_number(text, units, 1, 1000000, &number))
        return false;
    memcpy(field, &(unsigned){(unsigned)number}, sizeof(unsigned));
    return true;
}

/* ---- words */

static bool find_word(const char *text, const char *const *words, unsigned *index) {
    for (*index = 0; words[*index] != NULL; ++*index)
        if (strcmp(text, words[*index]) == 0)
            return true;
    return false;
}

static const char *const choice_words[] = {"true", "yes", "false", "no", NULL};
static bool read_choice(const fg_config_reading_t *in, const char *text, void *field) {
    unsigned index;
    (void)in;
    if (!find_word(text, choice_words, &index))
        return false;
    memcpy(field, &(fg_config_choice_t){index < 2 ? FG_CHOICE_YES : FG_CHOICE_NO}, sizeof(fg_config_choice_t));
    return true;
}

static const char *const key_words[] = {"rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384", NULL};
static const char *const rsa_words[] = {"rsa-2048", "rsa-3072", "rsa-4096", NULL};
static bool read_key(const fg_config_reading_t *in, const char *text, void *field) {
    fg_key_type_t type;
    (void)in;
    if (!fg_key_type_from_name(text, &type))
        return false;
    memcpy(field, &type, sizeof type);
    return true;
}

static bool read_rsa(const fg_config_reading_t *in, const char *text, void *field) {
    unsigned index;
    return find_word(text, rsa_words, &index) && read_key(in, text, field);
}

static const char *const token_words[] = {"saml11", "saml20", NULL};
static bool read_token(const fg_config_reading_t *in, const char *text, void *field) {
    unsigned index;
    (void)in;
    if (!find_word(text, token_words, &index))
        return false;
    memcpy(field, &(fg_saml_version_t){index == 0 ? FG_SAML_11 : FG_SAML_20}, sizeof(fg_saml_version_t));
    return true;
}

static const char *const trust_words[] = {"2005", "13", NULL};
static bool read_trust(const fg_config_reading_t *in, const char *text, void *field) {
    unsigned index;
    (void)in;
    if (!find_word(text, trust_words, &index))
        return false;
    memcpy(field, &(fg_trust_version_t){index == 0 ? FG_TRUST_2005 : FG_TRUST_13}, sizeof(fg_trust_version_t));
    return true;
}

static const char *const protocol_words[] = {"wsfed", "saml", "openid", "openid2", NULL};
static bool read_protocol(const fg_config_reading_t *in, const char *text, void *field) {
    static const fg_config_protocol_t protocols[] = {FG_CONFIG_WSFED, FG_CONFIG_SAML, FG_CONFIG_OPENID,
                                                     FG_CONFIG_OPENID2};
    unsigned index;
    (void)in;
    if (!find_word(text, protocol_words, &index))
        return false;
    memcpy(field, &protocols[index], sizeof protocols[index]);
    return true;
}

static const char *const encryption_words[] = {"aes256-cbc", "aes256-gcm", NULL};
static bool read_encryption(const fg_config_reading_t *in, const char *text, void *field) {
    fg_encryption_t encryption;
    (void)in;
    if (!fg_encryption_from_name(text, &encryption))
        return false;
    memcpy(field, &encryption, sizeof encryption);
    return true;
}

static const char *const directory_words[] = {"file", "ad", "ldap", NULL};
static bool read_directory(const fg_config_reading_t *in, const char *text, void *field) {
    unsigned index;
    (void)in;
    if (!find_word(text, directory_words, &index))
        return false;
    memcpy(field, &directory_words[index], sizeof directory_words[index]);
    return true;
}

/* ---- LDAP */

static bool read_ldap_server(const fg_config_reading_t *in, const char *text, void *field) {
    return fg_ldap_is_server(fg_str(text)) && read_text(in, text, field);
}

static bool read_ldap_dn(const fg_config_reading_t *in, const char *text, void *field) {
    return fg_ldap_is_dn(text) && read_text(in, text, field);
}

static bool read_ldap_filter(const fg_config_reading_t *in, const char *text, void *field) {
    return fg_ldap_is_filter(fg_str(text)) && read_text(in, text, field);
}

/* The claim type by its short name, as in a users file, or a URI. */
static bool read_ldap_attribute(const fg_config_reading_t *in, const char *text, void *field) {
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    const char *type = equals ? fg_user_claim_type(equals + 1) : NULL;
    size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-;.");
    if (length == 0 || good != length || type == NULL || !is_printable(type))
        return false;
    fg_ldap_attribute_t attribute = {fg_arena_strndup(in->arena, text, length), fg_arena_strdup(in->arena, type)};
    memcpy(field, &attribute, sizeof attribute);
    return attribute.name != NULL && attribute.claim_type != NULL;
}

static const char *const ldap_groups_words[] = {"nested", "chain", "direct", "memberof", "none", NULL};
static bool read_ldap_groups(const fg_config_reading_t *in, const char *text, void *field) {
    static const fg_ldap_groups_t ways[] = {FG_LDAP_GROUPS_NESTED, FG_LDAP_GROUPS_CHAIN, FG_LDAP_GROUPS_DIRECT,
                                            FG_LDAP_GROUPS_MEMBEROF, FG_LDAP_GROUPS_NONE};
    unsigned index;
    (void)in;
    if (!find_word(text, ldap_groups_words, &index))
        return false;
    memcpy(field, &ways[index], sizeof ways[index]);
    return true;
}

/* ---- protected locations */

static const char *const protect_words[] = {"web", "rest", "wsman", NULL};
static bool read_protect(const fg_config_reading_t *in, const char *text, void *field) {
    static const fg_protect_kind_t kinds[] = {FG_PROTECT_WEB, FG_PROTECT_REST, FG_PROTECT_WSMAN};
    unsigned index;
    (void)in;
    if (!find_word(text, protect_words, &index))
        return false;
    memcpy(field, &kinds[index], sizeof kinds[index]);
    return true;
}

static const char *const accept_words[] = {"session", "bearer", "basic", "certificate", "soap", "negotiate", NULL};
static bool read_accept(const fg_config_reading_t *in, const char *text, void *field) {
    static const unsigned bits[] = {FG_ACCEPT_SESSION,     FG_ACCEPT_BEARER, FG_ACCEPT_BASIC,
                                    FG_ACCEPT_CERTIFICATE, FG_ACCEPT_SOAP,   FG_ACCEPT_NEGOTIATE};
    unsigned index;
    (void)in;
    if (!find_word(text, accept_words, &index))
        return false;
    memcpy(field, &bits[index], sizeof bits[index]);
    return true;
}

static const char *const key_type_words[] = {"bearer", "symmetric", "public", NULL};
static bool read_key_type(const fg_config_reading_t *in, const char *text, void *field) {
    unsigned index;
    (void)in;
    if (!find_word(text, key_type_words, &index))
        return false;
    memcpy(field, &(unsigned){1u << index}, sizeof(unsigned));
    return true;
}

static const char *const part_words[] = {"name_id", "attributes", NULL};
static bool read_part(const fg_config_reading_t *in, const char *text, void *field) {
    unsigned index;
    (void)in;
    if (!find_word(text, part_words, &index))
        return false;
    memcpy(field, &(unsigned){1u << index}, sizeof(unsigned));
    return true;
}

static const char *const upstream_words[] = {"jwt", "saml11", "saml20", NULL};
static bool read_upstream(const fg_config_reading_t *in, const char *text, void *field) {
    static const fg_upstream_token_t tokens[] = {FG_UPSTREAM_JWT, FG_UPSTREAM_SAML11, FG_UPSTREAM_SAML20};
    unsigned index;
    (void)in;
    if (!find_word(text, upstream_words, &index))
        return false;
    memcpy(field, &tokens[index], sizeof tokens[index]);
    return true;
}

/* As browsers send it in Host: the default port is left out. */
static bool read_host(const fg_config_reading_t *in, const char *text, void *field) {
    const char *address = fg_arena_printf(in->arena, "https://%s", text);
    if (address == NULL || strchr(text, '/') != NULL || !read_base(in, address, field))
        return false;
    fg_str_t origin;
    memcpy(&origin, field, sizeof origin);
    origin.p += strlen("https://");
    origin.n -= strlen("https://");
    memcpy(field, &origin, sizeof origin);
    return true;
}

/* ---- OpenID Connect clients */

static const char *const client_auth_words[] = {
    "none", "client_secret_basic", "client_secret_post", "private_key_jwt", "client_secret_jwt", "tls_client_auth",
    NULL};
static bool read_client_auth(const fg_config_reading_t *in, const char *text, void *field) {
    static const unsigned bits[] = {FG_CLIENT_NONE, FG_CLIENT_BASIC,      FG_CLIENT_POST,
                                    FG_CLIENT_JWT,  FG_CLIENT_SECRET_JWT, FG_CLIENT_TLS};
    unsigned index;
    (void)in;
    if (!find_word(text, client_auth_words, &index))
        return false;
    memcpy(field, &bits[index], sizeof bits[index]);
    return true;
}

/* in the order of fg_jws_alg_t */
static const char *const jws_alg_words[] = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
                                            "ES256", "ES384", "ES512", "EdDSA", NULL};
static bool read_jws_alg(const fg_config_reading_t *in, const char *text, void *field) {
    fg_jws_alg_t alg;
    (void)in;
    if (!fg_jws_alg_from_name(fg_str(text), &alg))
        return false;
    memcpy(field, &(unsigned){1u << alg}, sizeof(unsigned));
    return true;
}

static const char *const jwe_enc_words[] = {"A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512", NULL};
static bool read_jwe_enc(const fg_config_reading_t *in, const char *text, void *field) {
    fg_jwe_enc_t enc;
    return fg_jwe_enc_from_name(fg_str(text), &enc) && read_text(in, text, field);
}

static const char *const grant_words[] = {"authorization_code", "refresh_token", "client_credentials", "token_exchange",
                                          "jwt_bearer",         "saml2_bearer",  "device_code",        NULL};
static bool read_grant(const fg_config_reading_t *in, const char *text, void *field) {
    static const unsigned bits[] = {FG_GRANT_CODE, FG_GRANT_REFRESH, FG_GRANT_CLIENT, FG_GRANT_EXCHANGE,
                                    FG_GRANT_JWT,  FG_GRANT_SAML,    FG_GRANT_DEVICE};
    unsigned index;
    (void)in;
    if (!find_word(text, grant_words, &index))
        return false;
    memcpy(field, &bits[index], sizeof bits[index]);
    return true;
}

static const char *const response_type_words[] = {
    "code", "id_token", "id_token token", "code id_token", "code token", "code id_token token", NULL};
static bool read_response_type(const fg_config_reading_t *in, const char *text, void *field) {
    static const unsigned sets[] = {1, 2, 6, 3, 5, 7}; /* of FG_RESPONSE_… */
    unsigned index;
    (void)in;
    if (!find_word(text, response_type_words, &index))
        return false;
    memcpy(field, &(unsigned){1u << sets[index]}, sizeof(unsigned));
    return true;
}

static const char *const binding_words[] = {"none", "certificate", "dpop", NULL};
static bool read_binding(const fg_config_reading_t *in, const char *text, void *field) {
    static const fg_client_binding_t bindings[] = {FG_BINDING_NONE, FG_BINDING_CERTIFICATE, FG_BINDING_DPOP};
    unsigned index;
    (void)in;
    if (!find_word(text, binding_words, &index))
        return false;
    memcpy(field, &bindings[index], sizeof bindings[index]);
    return true;
}

static bool read_string(const fg_config_reading_t *in, const char *text, void *field) {
    fg_str_t string = fg_arena_str(in->arena, fg_str(text));
    memcpy(field, &string, sizeof string);
    return string.n > 0;
}

static const char *const subject_words[] = {"public", "pairwise", NULL};
static bool read_subject(const fg_config_reading_t *in, const char *text, void *field) {
    static const fg_config_choice_t choices[] = {FG_CHOICE_NO, FG_CHOICE_YES};
    unsigned index;
    (void)in;
    if (!find_word(text, subject_words, &index))
        return false;
    memcpy(field, &choices[index], sizeof choices[index]);
    return true;
}

/* A scope token (RFC 6749 §3.3). */
static bool read_word(const fg_config_reading_t *in, const char *text, void *field) {
    fg_str_t word = fg_arena_str(in->arena, fg_str(text));
    for (const char *p = text; *p != '\0'; p++)
        if (*p <= 0x20 || *p > 0x7e || *p == '"' || *p == '\\')
            return false;
    memcpy(field, &word, sizeof word);
    return word.n > 0;
}

/* ---- certificates, and what is fetched */

static bool read_fetch(const fg_config_reading_t *in, const char *text, void *field) {
    fg_http_allow_t allow;
    const char *copy = fg_arena_strdup(in->arena, text);
    if (copy == NULL || !fg_http_allow_parse(fg_str(copy), &allow))
        return false;
    memcpy(field, &allow, sizeof allow);
    return true;
}

static const char *const revocation_words[] = {"none", "crl", "fetch", "ocsp", NULL};
static bool read_revocation(const fg_config_reading_t *in, const char *text, void *field) {
    static const fg_config_revocation_t sources[] = {FG_REVOCATION_NONE, FG_REVOCATION_CRL, FG_REVOCATION_FETCH,
                                                     FG_REVOCATION_OCSP};
    unsigned index;
    (void)in;
    if (!find_word(text, revocation_words, &index))
        return false;
    memcpy(field, &sources[index], sizeof sources[index]);
    return true;
}

static const char *const map_words[] = {"upn", "issuer-serial", "alt-security-identities", NULL};
static bool read_map(const fg_config_reading_t *in, const char *text, void *field) {
    static const unsigned bits[] = {FG_MAP_UPN, FG_MAP_ISSUER_SERIAL, FG_MAP_ALT_IDENTITIES};
    unsigned index;
    (void)in;
    if (!find_word(text, map_words, &index))
        return false;
    memcpy(field, &bits[index], sizeof bits[index]);
    return true;
}

/* ---- federations */

static const char *const role_words[] = {"sp", "idp", "both", NULL};
static bool read_role(const fg_config_reading_t *in, const char *text, void *field) {
    unsigned index;
    (void)in;
    if (!find_word(text, role_words, &index))
        return false;
    index++; /* one bit for each of the two */
    memcpy(field, &index, sizeof index);
    return true;
}

/* OpenID Authentication 2.0 §9.2 */
static bool read_realm(const fg_config_reading_t *in, const char *text, void *field) {
    fg_openid2_realm_t realm;
    fg_str_t copy = fg_arena_str(in->arena, fg_str(text));
    if (copy.p == NULL || !fg_openid2_realm_parse(copy, &realm) || !fg_openid2_realm_is_sane(&realm))
        return false;
    memcpy(field, &copy, sizeof copy);
    return true;
}

/* What stands behind the '@' of mail addresses. */
static bool read_domain(const fg_config_reading_t *in, const char *text, void *field) {
    char *copy = fg_arena_strdup(in->arena, text);
    if (copy == NULL || *copy == '\0' || strlen(copy) > 253)
        return false;
    for (char *c = copy; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789.-", *c) == NULL)
            return false;
    }
    memcpy(field, &copy, sizeof copy);
    return true;
}

/* ---- claims */

/* the same order in both */
static const char *const claim_words[] = {
    "name",
    "nameidentifier",
    "emailaddress",
    "givenname",
    "surname",
    "upn",
    "role",
    "windowsaccountname",
    "groupsid",
    "primarysid",
    "primarygroupsid",
    "authenticationmethod",
    "authenticationinstant",
    "group",
    "immutableid",
    "authnmethodsreferences",
    NULL,
};
static const char *const claim_types[] = {
    FG_CLAIM_NAME,
    FG_CLAIM_NAMEIDENTIFIER,
    FG_CLAIM_EMAIL,
    FG_CLAIM_GIVENNAME,
    FG_CLAIM_SURNAME,
    FG_CLAIM_UPN,
    FG_CLAIM_ROLE,
    FG_CLAIM_WINDOWSACCOUNTNAME,
    FG_CLAIM_GROUPSID,
    FG_CLAIM_PRIMARYSID,
    FG_CLAIM_PRIMARYGROUPSID,
    FG_CLAIM_AUTHMETHOD,
    FG_CLAIM_AUTHINSTANT,
    FG_CLAIM_GROUP,
    FG_CLAIM_IMMUTABLEID,
    FG_CLAIM_AUTHNMETHODSREFERENCES,
};
_Static_assert(FG_ARRAY_SIZE(claim_words) == FG_ARRAY_SIZE(claim_types) + 1, "one claim type per word");

/* A short word, or any absolute URI: partners have claims of their own. */
static bool read_claim(const fg_config_reading_t *in, const char *text, void *field) {
    unsigned index;
    fg_uri_t uri;
    if (find_word(text, claim_words, &index)) {
        memcpy(field, &claim_types[index], sizeof claim_types[index]);
        return true;
    }
    return fg_uri_parse(fg_str(text), &uri) && read_text(in, text, field);
}

/* ---- networks */

static bool read_network(const fg_config_reading_t *in, const char *text, void *field) {
    fg_network_t network = {0};
    char address[64];
    struct in_addr v4;
    (void)in;
    size_t length = strcspn(text, "/");
    if (strcmp(text, "unix:") == 0) {
        network.local = true;
        memcpy(field, &network, sizeof network);
        return true;
    }
    if (length >= sizeof address)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    bool is_v4 = inet_pton(AF_INET, address, &v4) == 1;
    if (is_v4) {
        memset(network.address.s6_addr + 10, 0xff, 2);
        memcpy(network.address.s6_addr + 12, &v4, sizeof v4);
    } else if (inet_pton(AF_INET6, address, &network.address) != 1) {
        return false;
    }
    unsigned width = is_v4 ? 32 : 128, bits = width;
    if (text[length] == '/' && (!read_count(in, text + length + 1, &bits) || bits > width))
        return false;
    network.bits = bits + 128 - width;
    memcpy(field, &network, sizeof network);
    return true;
}

/* ---- the kinds */

const fg_config_kind_t fg_config_text_kind = {sizeof(char *), read_text, "a text", NULL};
const fg_config_kind_t fg_config_path_kind = {sizeof(char *), read_path, "a path", NULL};
const fg_config_kind_t fg_config_base_kind = {sizeof(fg_str_t), read_base,
                                              "an https address without a path, as \"https://fs.example.com\"", NULL};
const fg_config_kind_t fg_config_uri_kind = {sizeof(fg_str_t), read_uri, "an absolute URI", NULL};
const fg_config_kind_t fg_config_issuer_kind = {sizeof(fg_str_t), read_issuer,
                                                "an absolute URI, perhaps with \"" FG_OPENID_TENANT "\" in it", NULL};
const fg_config_kind_t fg_config_jws_alg_kind = {
    sizeof(unsigned), read_jws_alg, "one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA",
    jws_alg_words};
const fg_config_kind_t fg_config_jwe_enc_kind = {
    sizeof(char *), read_jwe_enc, "one of A128GCM, A256GCM, A128CBC-HS256, A256CBC-HS512", jwe_enc_words};
const fg_config_kind_t fg_config_realm_kind = {
    sizeof(fg_str_t), read_realm, "a realm as \"https://wiki.example.com/\" or \"https://*.example.com/\"", NULL};
const fg_config_kind_t fg_config_role_kind = {sizeof(unsigned), read_role, "\"sp\", \"idp\" or \"both\"", role_words};
const fg_config_kind_t fg_config_domain_kind = {sizeof(char *), read_domain, "a domain as \"example.org\"", NULL};
const fg_config_kind_t fg_config_web_kind = {sizeof(fg_str_t), read_web,
                                             "an http or https address without user name and fragment", NULL};
const fg_config_kind_t fg_config_logo_kind = {sizeof(char *), read_logo,
                                              "an http or https address, or a path that begins with \"/\"", NULL};
const fg_config_kind_t fg_config_place_kind = {sizeof(char *), read_place, "a path on this host, as \"/demo/\"", NULL};
const fg_config_kind_t fg_config_colour_kind = {sizeof(char *), read_colour, "a colour as \"#1f6feb\"", NULL};
const fg_config_kind_t fg_config_duration_kind = {sizeof(int64_t), read_duration, "a duration as 90s, 15m, 8h or 20d",
                                                  NULL};
const fg_config_kind_t fg_config_size_kind = {sizeof(size_t), read_size, "a size as 65536, 256k or 4m", NULL};
const fg_config_kind_t fg_config_count_kind = {sizeof(unsigned), read_count, "a number", NULL};
const fg_config_kind_t fg_config_choice_kind = {sizeof(fg_config_choice_t), read_choice, "true or false", choice_words};
const fg_config_kind_t fg_config_network_kind = {sizeof(fg_network_t), read_network,
                                                 "an address or a network as \"10.0.0.0/8\"", NULL};
const fg_config_kind_t fg_config_key_kind = {sizeof(fg_key_type_t), read_key,
                                             "one of rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384", key_words};
const fg_config_kind_t fg_config_rsa_kind = {sizeof(fg_key_type_t), read_rsa,
                                             "one of rsa-2048, rsa-3072, rsa-4096 (tokens are encrypted with RSA-OAEP)",
                                             rsa_words};
const fg_config_kind_t fg_config_token_kind = {sizeof(fg_saml_version_t), read_token, "\"saml11\" or \"saml20\"",
                                               token_words};
const fg_config_kind_t fg_config_trust_kind = {sizeof(fg_trust_version_t), read_trust, "\"2005\" or \"13\"",
                                               trust_words};
const fg_config_kind_t fg_config_protocol_kind = {sizeof(fg_config_protocol_t), read_protocol,
                                                  "\"wsfed\", \"saml\", \"openid\" or \"openid2\"", protocol_words};
const fg_config_kind_t fg_config_encryption_kind = {sizeof(fg_encryption_t), read_encryption,
                                                    "\"aes256-cbc\" or \"aes256-gcm\"", encryption_words};
const fg_config_kind_t fg_config_claim_kind = {sizeof(char *), read_claim, "a claim type: a short name or a URI",
                                               claim_words};
const fg_config_kind_t fg_config_ldap_server_kind = {
    sizeof(char *), read_ldap_server, "\"ldaps://HOST\", or \"ldap://HOST\" (StartTLS is required then)", NULL};
const fg_config_kind_t fg_config_ldap_dn_kind = {sizeof(char *), read_ldap_dn,
                                                 "a distinguished name such as \"DC=example,DC=com\"", NULL};
const fg_config_kind_t fg_config_ldap_filter_kind = {sizeof(char *), read_ldap_filter,
                                                     "an LDAP filter such as \"(uid={user})\"", NULL};
const fg_config_kind_t fg_config_ldap_attribute_kind = {sizeof(fg_ldap_attribute_t), read_ldap_attribute,
                                                        "\"ATTRIBUTE=CLAIM TYPE\", the claim type a URI", NULL};
const fg_config_kind_t fg_config_ldap_groups_kind = {sizeof(fg_ldap_groups_t), read_ldap_groups,
                                                     "\"nested\", \"chain\", \"direct\", \"memberof\" or \"none\"",
                                                     ldap_groups_words};
const fg_config_kind_t fg_config_directory_kind = {sizeof(char *), read_directory, "\"file\", \"ad\" or \"ldap\"",
                                                   directory_words};
const fg_config_kind_t fg_config_host_kind = {sizeof(fg_str_t), read_host, "a host name as \"app.example.com\"", NULL};
const fg_config_kind_t fg_config_protect_kind = {sizeof(fg_protect_kind_t), read_protect,
                                                 "\"web\", \"rest\" or \"wsman\"", protect_words};
const fg_config_kind_t fg_config_accept_kind = {
    sizeof(unsigned), read_accept, "one of session, bearer, basic, certificate, soap, negotiate", accept_words};
const fg_config_kind_t fg_config_fetch_kind = {
    sizeof(fg_http_allow_t), read_fetch,
    "the beginning of an http or https address, as \"https://crl.example.com/\" or \"https://*.example.com/\"", NULL};
const fg_config_kind_t fg_config_revocation_kind = {sizeof(fg_config_revocation_t), read_revocation,
                                                    "one of none, crl, fetch, ocsp", revocation_words};
const fg_config_kind_t fg_config_map_kind = {sizeof(unsigned), read_map,
                                             "one of upn, issuer-serial, alt-security-identities", map_words};
const fg_config_kind_t fg_config_key_type_kind = {sizeof(unsigned), read_key_type, "one of bearer, symmetric, public",
                                                  key_type_words};
const fg_config_kind_t fg_config_part_kind = {sizeof(unsigned), read_part, "one of name_id, attributes", part_words};
const fg_config_kind_t fg_config_upstream_kind = {sizeof(fg_upstream_token_t), read_upstream,
                                                  "\"jwt\", \"saml11\" or \"saml20\"", upstream_words};
const fg_config_kind_t fg_config_word_kind = {sizeof(fg_str_t), read_word, "a scope: letters without blanks and quotes",
                                              NULL};
const fg_config_kind_t fg_config_proof_kind = {sizeof(unsigned), read_client_auth,
                                               "one of none, client_secret_basic, client_secret_post, "
                                               "client_secret_jwt, private_key_jwt, tls_client_auth",
                                               client_auth_words};
const fg_config_kind_t fg_config_grant_kind = {sizeof(unsigned), read_grant,
                                               "one of authorization_code, refresh_token, client_credentials, "
                                               "token_exchange, jwt_bearer, saml2_bearer, device_code",
                                               grant_words};
const fg_config_kind_t fg_config_response_type_kind = {
    sizeof(unsigned), read_response_type,
    "one of code, id_token, \"id_token token\", \"code id_token\", \"code token\", \"code id_token token\"",
    response_type_words};
const fg_config_kind_t fg_config_string_kind = {sizeof(fg_str_t), read_string, "a text", NULL};
const fg_config_kind_t fg_config_binding_kind = {sizeof(fg_client_binding_t), read_binding,
                                                 "one of none, certificate, dpop", binding_words};
const fg_config_kind_t fg_config_subject_kind = {sizeof(fg_config_choice_t), read_subject, "\"public\" or \"pairwise\"",
                                                 subject_words};
