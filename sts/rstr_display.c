/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RequestedDisplayToken (Identity Selector Interoperability Profile 1.5 §3.3.7): what the token says, for people. */
#include "sts/rstr_parts.h"

static const fg_xns_t ns_identity = {"i", FG_NS_IDENTITY};
static const fg_xns_t ns_xml = {"xml", FG_NS_XML};

/* Of a claim type without words of its own, what stands behind the last slash. */
static const struct {
    const char *type;
    const char *tag;
} tag_table[] = {
    {FG_CLAIM_NAME, "Name"},
    {FG_CLAIM_NAMEIDENTIFIER, "Name identifier"},
    {FG_CLAIM_EMAIL, "E-mail address"},
    {FG_CLAIM_GIVENNAME, "Given name"},
    {FG_CLAIM_SURNAME, "Surname"},
    {FG_CLAIM_UPN, "User principal name"},
    {FG_CLAIM_UPN_ADFS1, "User principal name"},
    {FG_CLAIM_ROLE, "Role"},
    {FG_CLAIM_GROUP, "Group"},
    {FG_CLAIM_WINDOWSACCOUNTNAME, "Windows account name"},
    {FG_CLAIM_AUTHMETHOD, "Way of signing in"},
    {FG_CLAIM_AUTHINSTANT, "Time of signing in"},
};

static fg_str_t get_tag(fg_str_t type) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(tag_table); i++)
        if (fg_str_is(type, tag_table[i].type))
            return fg_str(tag_table[i].tag);
    size_t at = type.n;
    while (at > 0 && type.p[at - 1] != '/' && type.p[at - 1] != ':')
        at--;
    return at < type.n ? (fg_str_t){type.p + at, type.n - at} : type;
}

void fg_rstr_write_display_token(fg_xw_t *w, const fg_claims_t *claims) {
    fg_xw_start(w, &ns_identity, "RequestedDisplayToken");
    fg_xw_start(w, &ns_identity, "DisplayToken");
    fg_xw_attr_ns(w, &ns_xml, "lang", FG_STR("en"));
    for (size_t i = 0; i < claims->count; i++) {
        fg_xw_start(w, &ns_identity, "DisplayClaim");
        fg_xw_attr(w, "Uri", claims->items[i].type);
        fg_xw_leaf(w, &ns_identity, "DisplayTag", get_tag(claims->items[i].type));
        fg_xw_leaf(w, &ns_identity, "DisplayValue", claims->items[i].value);
        fg_xw_end(w);
    }
    fg_xw_end(w);
    fg_xw_end(w);
}
