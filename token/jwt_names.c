/* SPDX-License-Identifier: GPL-2.0-or-later
 * One table of claim types and the names that JSON Web Tokens have for them. */
#include "token/jws.h"

/* The first row with a type gives the name that is written; the names are those of AD FS and of OpenID Connect. */
static const struct {
    const char *name;
    const char *type;
} names[] = {
    {"sub", FG_CLAIM_NAMEIDENTIFIER},
    {"nameid", FG_CLAIM_NAMEIDENTIFIER},
    {"upn", FG_CLAIM_UPN},
    {"unique_name", FG_CLAIM_NAME},
    {"name", FG_CLAIM_NAME},
    {"email", FG_CLAIM_EMAIL},
    {"given_name", FG_CLAIM_GIVENNAME},
    {"family_name", FG_CLAIM_SURNAME},
    {"role", FG_CLAIM_ROLE},
    {"roles", FG_CLAIM_ROLE},
    {"group", FG_CLAIM_GROUP},
    {"groups", FG_CLAIM_GROUP},
    {"winaccountname", FG_CLAIM_WINDOWSACCOUNTNAME},
    {"primarysid", FG_CLAIMS_2008 "primarysid"},
    {"primarygroupsid", FG_CLAIMS_2008 "primarygroupsid"},
    {"groupsid", FG_CLAIMS_2008 "groupsid"},
    {"adfs1upn", FG_CLAIM_UPN_ADFS1},
    {"commonname", "http://schemas.xmlsoap.org/claims/CommonName"},
    {"appid", "http://schemas.microsoft.com/2014/01/clientcontext/claims/appid"},
    {"birthdate", FG_CLAIMS_2005 "dateofbirth"},
    {"gender", FG_CLAIMS_2005 "gender"},
    {"website", FG_CLAIMS_2005 "webpage"},
};

fg_str_t fg_jwt_claim_type(fg_str_t name) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
        if (fg_str_is(name, names[i].name))
            return fg_str(names[i].type);
    return name;
}

fg_str_t fg_jwt_claim_name(fg_str_t type) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
        if (fg_str_is(type, names[i].type))
            return fg_str(names[i].name);
    return type;
}

/* What the token itself says with members of its own (RFC 7519 §4.1, OpenID Connect core §2, AD FS' authmethod). */
bool fg_jwt_name_is_own(fg_str_t name) {
    static const char *const own[] = {"iss", "sub", "aud",   "exp",     "nbf",    "iat",        "jti", "auth_time",
                                      "amr", "acr", "nonce", "at_hash", "c_hash", "authmethod", "act"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(own); i++)
        if (fg_str_is(name, own[i]))
            return true;
    return false;
}
