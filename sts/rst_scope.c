/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * For whom a token is asked for, for how long, and with which claims. */
#include "core/crypto.h"
#include "core/time.h"
#include "sts/rst_parts.h"

#define NS_WSA_2004 "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define NS_WSID "http://schemas.xmlsoap.org/ws/2006/02/addressingidentity"
#define CERTIFICATE_MAX 16384u
#define CLAIMS_MAX 100u

/* ---- AppliesTo */

/* The certificate by which the requestor knows the relying party (WS-Addressing Endpoint References and Identity §3):
 * if it says one, it must be the partner's.  Names of other kinds prove nothing and are passed over. */
static bool read_identity(fg_rst_reading_t *r, const xmlNode *reference, fg_err_t *err) {
    static const char *const way[] = {"KeyInfo", "X509Data", "X509Certificate"};
    const xmlNode *node = fg_xml_child(reference, NS_WSID, "Identity", NULL);
    for (size_t i = 0; node != NULL && i < FG_ARRAY_SIZE(way); i++)
        node = fg_xml_child(node, FG_NS_DS, way[i], NULL);
    if (node == NULL)
        return true;
    fg_buf_t bytes = FG_BUF_INIT(CERTIFICATE_MAX);
    fg_str_t text = fg_xml_token(r->arena, node, NULL);
    if (text.p != NULL && fg_base64_decode_xml(&bytes, text) && fg_buf_ok(&bytes))
        r->rst->applies_to_der = fg_arena_str(r->arena, fg_buf_str(&bytes));
    fg_buf_free(&bytes);
    return r->rst->applies_to_der.p != NULL || FG_FAIL(err, FG_E_WST_SCOPE, "Identity holds no certificate in base64");
}

/* WS-Policy Attachment 1.2 §3.1: one endpoint reference; clients of the 2005 version may write it in WS-Addressing
 * 2004/08. */
bool fg_rst_applies_to(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    static const char *const addressing[] = {FG_NS_WSA, NS_WSA_2004};
    const xmlNode *reference = fg_xml_first_child(element);
    if (r->rst->applies_to.p != NULL)
        return FG_FAIL(err, FG_E_WST_REQUEST, "AppliesTo given twice");
    for (size_t i = 0; reference != NULL && i < FG_ARRAY_SIZE(addressing); i++) {
        if (!fg_xml_is(reference, addressing[i], "EndpointReference") || fg_xml_next(reference) != NULL)
            continue;
        const xmlNode *address = fg_xml_only_child(reference, addressing[i], "Address", NULL);
        if (address != NULL)
            return fg_rst_text(r, address, FG_E_WST_SCOPE, &r->rst->applies_to, err) &&
                   read_identity(r, reference, err);
    }
    return FG_FAIL(err, FG_E_WST_SCOPE, "AppliesTo holds no endpoint reference with one address");
}

/* ---- Lifetime */

static bool read_instant(fg_rst_reading_t *r, const xmlNode *lifetime, const char *name, int64_t *ms, fg_err_t *err) {
    unsigned count = 0;
    const xmlNode *element = fg_xml_child(lifetime, FG_NS_WSU, name, &count);
    *ms = 0;
    if (count == 0)
        return true;
    fg_str_t text = fg_xml_token(r->arena, element, NULL);
    return (count == 1 && text.p != NULL && fg_time_parse(text, ms)) ||
           FG_FAIL(err, FG_E_WST_TIME_RANGE, "%s of Lifetime given twice or no instant: %.*s", name, FG_STR_ARG(text));
}

/* WS-Trust 1.3 §4.1: how long the token shall live; never begins later than now, as postdating is not served. */
bool fg_rst_lifetime(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    int64_t created, expires;
    if (!read_instant(r, element, "Created", &created, err) || !read_instant(r, element, "Expires", &expires, err))
        return false;
    if (created > r->now_ms + r->skew_ms)
        return FG_FAIL(err, FG_E_WST_TIME_RANGE, "Lifetime begins in the future");
    if (expires != 0 && (expires <= r->now_ms || expires <= created))
        return FG_FAIL(err, FG_E_WST_TIME_RANGE, "Lifetime is over or ends before it begins");
    r->rst->expires_ms = expires;
    return true;
}

/* ---- Claims */

/* Identity Selector Interoperability Profile 1.5 §3.3.4, WS-Federation 1.2 §9.3 (its namespace is in use as its
 * dialect, too); both name a type in Uri and may mark it Optional. */
static const struct dialect {
    const char *uri;
    const char *ns;
} dialect_table[] = {
    {FG_NS_IDENTITY, FG_NS_IDENTITY},
    {FG_NS_AUTH "/authclaims", FG_NS_AUTH},
    {FG_NS_AUTH, FG_NS_AUTH},
};

bool fg_rst_claims(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    fg_str_t dialect = fg_str_trim(fg_xml_attr(r->arena, element, NULL, "Dialect"));
    size_t i = 0;
    while (dialect.n > 0 && i < FG_ARRAY_SIZE(dialect_table) && !fg_str_is(dialect, dialect_table[i].uri))
        i++;
    if (i == FG_ARRAY_SIZE(dialect_table))
        return FG_FAIL(err, FG_E_WST_CLAIMS, "Claims in dialect %.*s", FG_STR_ARG(dialect));
    r->rst->claims = element;
    return true;
}

/* What issuance rules will issue is not known before they are run: nothing is refused for it. */
static bool is_served(const fg_partner_t *partner, fg_str_t type) {
    if (partner->issuance_rules != NULL)
        return true;
    for (size_t i = 0; i < partner->claim_type_count; i++)
        if (fg_str_is(type, partner->claim_types[i]))
            return true;
    return false;
}

static bool is_optional(fg_arena_t *arena, const xmlNode *claim) {
    fg_str_t optional = fg_str_trim(fg_xml_attr(arena, claim, NULL, "Optional"));
    return fg_str_is(optional, "true") || fg_str_is(optional, "1");
}

static bool is_claim(const xmlNode *node) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(dialect_table); i++)
        if (fg_xml_is(node, dialect_table[i].ns, "ClaimType"))
            return true;
    return false;
}

/* What is optional and not the partner's is left out (WT-09). */
bool fg_rst_claims_served(fg_arena_t *arena, const fg_rst_t *rst, const fg_partner_t *partner,
                          const fg_str_t **required, size_t *count, fg_err_t *err) {
    const xmlNode *claim = rst->claims ? fg_xml_first_child(rst->claims) : NULL;
    fg_str_t *types = claim ? fg_arena_alloc(arena, CLAIMS_MAX * sizeof *types) : NULL;
    *required = types;
    *count = 0;
    if (claim != NULL && types == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "claims");
    for (; claim != NULL; claim = fg_xml_next(claim)) {
        fg_str_t uri = fg_str_trim(fg_xml_attr(arena, claim, NULL, "Uri"));
        if (!is_claim(claim) || uri.n == 0 || *count == CLAIMS_MAX)
            return FG_FAIL(err, FG_E_WST_CLAIMS, "Claims hold %s, or too many", (const char *)claim->name);
        if (is_optional(arena, claim))
            continue;
        if (fg_xml_first_child(claim) != NULL) /* WS-Federation 1.2 §9.3: auth:Value and its kin */
            return FG_FAIL(err, FG_E_WST_CLAIMS, "required claim %.*s is to have a certain value", FG_STR_ARG(uri));
        if (!is_served(partner, uri))
            return FG_FAIL(err, FG_E_WST_CLAIMS, "required claim %.*s is not issued to %s", FG_STR_ARG(uri),
                           partner->name);
        types[(*count)++] = uri;
    }
    return true;
}
