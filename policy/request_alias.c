/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The names that every rule file knows for types of claims. */
#include "policy/request.h"

/* The short names of gateway.conf. */
/* clang-format off */
#define PERSON(alias, prefix)                                        \
    {alias "name", prefix FG_CLAIM_NAME},                            \
    {alias "nameidentifier", prefix FG_CLAIM_NAMEIDENTIFIER},        \
    {alias "emailaddress", prefix FG_CLAIM_EMAIL},                   \
    {alias "givenname", prefix FG_CLAIM_GIVENNAME},                  \
    {alias "surname", prefix FG_CLAIM_SURNAME},                      \
    {alias "upn", prefix FG_CLAIM_UPN},                              \
    {alias "role", prefix FG_CLAIM_ROLE},                            \
    {alias "windowsaccountname", prefix FG_CLAIM_WINDOWSACCOUNTNAME}, \
    {alias "groupsid", prefix FG_CLAIM_GROUPSID},                    \
    {alias "primarysid", prefix FG_CLAIM_PRIMARYSID},                \
    {alias "primarygroupsid", prefix FG_CLAIM_PRIMARYGROUPSID},      \
    {alias "authenticationmethod", prefix FG_CLAIM_AUTHMETHOD},      \
    {alias "authenticationinstant", prefix FG_CLAIM_AUTHINSTANT},    \
    {alias "group", prefix FG_CLAIM_GROUP},                          \
    {alias "immutableid", prefix FG_CLAIM_IMMUTABLEID},              \
    {alias "authnmethodsreferences", prefix FG_CLAIM_AUTHNMETHODSREFERENCES}
/* clang-format on */

static const struct {
    const char *name, *type;
} aliases[] = {
    /* a person's claims */
    PERSON("", ""),
    /* a request's */
    {"method", FG_REQUEST_CLAIMS "method"},
    {"path", FG_REQUEST_CLAIMS "path"},
    {"query", FG_REQUEST_CLAIMS "query"},
    {"host", FG_REQUEST_CLAIMS "host"},
    {"client_address", FG_REQUEST_CLAIMS "client_address"},
    {"registration_redirect_uri", FG_REQUEST_CLAIMS "registration_redirect_uri"},
    {"registration_client_name", FG_REQUEST_CLAIMS "registration_client_name"},
    {"registration_grant_type", FG_REQUEST_CLAIMS "registration_grant_type"},
    {"registration_auth_method", FG_REQUEST_CLAIMS "registration_auth_method"},
    {"registration_scope", FG_REQUEST_CLAIMS "registration_scope"},
    {"time", FG_REQUEST_CLAIMS "time"},
    {"hour", FG_REQUEST_CLAIMS "hour"},
    {"weekday", FG_REQUEST_CLAIMS "weekday"},
    {"tls_version", FG_REQUEST_CLAIMS "tls_version"},
    {"tls_cipher", FG_REQUEST_CLAIMS "tls_cipher"},
    {"certificate", FG_REQUEST_CLAIMS "certificate"},
    /* a WS-Management request's */
    {"operation", FG_REQUEST_CLAIMS "operation"},
    {"action", FG_REQUEST_CLAIMS "action"},
    {"resource", FG_REQUEST_CLAIMS "resource"},
    {"selector", FG_REQUEST_CLAIMS "selector"},
    {"option", FG_REQUEST_CLAIMS "option"},
    {"filter_dialect", FG_REQUEST_CLAIMS "filter_dialect"},
    {"filter", FG_REQUEST_CLAIMS "filter"},
    {"command", FG_REQUEST_CLAIMS "command"},
    {"argument", FG_REQUEST_CLAIMS "argument"},
    {"command_line", FG_REQUEST_CLAIMS "command_line"},
    {"script", FG_REQUEST_CLAIMS "script"},
    {"working_directory", FG_REQUEST_CLAIMS "working_directory"},
    {"environment", FG_REQUEST_CLAIMS "environment"},
    /* who wants to act for somebody else: how and where, and for whom */
    {"delegation", FG_REQUEST_CLAIMS "delegation"},
    PERSON("subject_", FG_REQUEST_SUBJECT),
    PERSON("subject_actor_", FG_REQUEST_SUBJECT_ACTOR),
    PERSON("actor_", FG_REQUEST_ACTOR),
    /* a partner's */
    {"relying_party", FG_FACT_PARTY},
    {"relying_party_category", FG_FACT_PARTY_CATEGORY},
    {"relying_party_registrar", FG_FACT_PARTY_REGISTRAR},
    {"requested_attribute", FG_FACT_REQUESTED},
    {"required_attribute", FG_FACT_REQUIRED},
    {"identity_provider", FG_FACT_PROVIDER},
    {"identity_provider_category", FG_FACT_PROVIDER_CATEGORY},
    {"identity_provider_registrar", FG_FACT_PROVIDER_REGISTRAR},
    {"identity_provider_assurance", FG_FACT_PROVIDER_ASSURANCE},
    {"identity_provider_scope", FG_FACT_PROVIDER_SCOPE},
};
_Static_assert(FG_ARRAY_SIZE(aliases) <= FG_REQUEST_ALIASES, "room for all of them");

fg_str_t fg_request_alias(fg_str_t name) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(aliases); i++)
        if (fg_str_eq_nocase(name, fg_str(aliases[i].name)))
            return fg_str(aliases[i].type);
    return FG_STR_NONE;
}

const char *fg_request_alias_name(size_t i) { return i < FG_ARRAY_SIZE(aliases) ? aliases[i].name : NULL; }
