/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A request as claims, so that policies test it like a person's claims.  Their types begin with FG_REQUEST_CLAIMS,
 * which nobody else may say: claims of that kind in tokens and directories are dropped (fg_claims_drop_request). */
#ifndef FG_POLICY_REQUEST_H
#define FG_POLICY_REQUEST_H

#include "policy/rules.h"

#define FG_REQUEST_CLAIMS "urn:fedgate:request:"
#define FG_REQUEST_ISSUER "REQUEST"
/* Delegation rules: the claims of the one for whom somebody wants to act, and of those who act for that one already,
 * each under the prefix and its own type. */
#define FG_REQUEST_SUBJECT FG_REQUEST_CLAIMS "subject:"
#define FG_REQUEST_SUBJECT_ACTOR FG_REQUEST_CLAIMS "subject_actor:"
/* Access policies: the claims of those who act for the person. */
#define FG_REQUEST_ACTOR FG_REQUEST_CLAIMS "actor:"
/* A member of a JSON body: FG_REQUEST_JSON "spec.replicas"; of all elements where there is a list on the way. */
#define FG_REQUEST_JSON FG_REQUEST_CLAIMS "json:"

/* What metadata says of the relying party that a token is for, in its authorization and issuance rules: its entityID or
 * realm, entity categories (RFC 8409), who registered it (saml-metadata-rpi), attributes that it asks for; and of the
 * identity provider that a token is from, in its acceptance rules. */
#define FG_FACT_PARTY FG_REQUEST_CLAIMS "relying_party"
#define FG_FACT_PARTY_CATEGORY FG_REQUEST_CLAIMS "relying_party_category"
#define FG_FACT_PARTY_REGISTRAR FG_REQUEST_CLAIMS "relying_party_registrar"
#define FG_FACT_REQUESTED FG_REQUEST_CLAIMS "requested_attribute"
#define FG_FACT_REQUIRED FG_REQUEST_CLAIMS "required_attribute"
#define FG_FACT_PROVIDER FG_REQUEST_CLAIMS "identity_provider"
#define FG_FACT_PROVIDER_CATEGORY FG_REQUEST_CLAIMS "identity_provider_category"
#define FG_FACT_PROVIDER_REGISTRAR FG_REQUEST_CLAIMS "identity_provider_registrar"
#define FG_FACT_PROVIDER_ASSURANCE FG_REQUEST_CLAIMS "identity_provider_assurance"
#define FG_FACT_PROVIDER_SCOPE FG_REQUEST_CLAIMS "identity_provider_scope"

/* Built-in aliases, in all rule files: method, path, query, host, client_address, time, hour, weekday, tls_version,
 * tls_cipher, certificate, and for WS-Management operation, action, resource, selector, option, filter_dialect, filter,
 * command, argument, command_line, script, working_directory, environment, the facts of partners from relying_party to
 * identity_provider_scope, and for delegation the word delegation; each stands for FG_REQUEST_CLAIMS and itself.  The
 * short names of claims in gateway.conf (role, upn, …) are aliases as well, and with "subject_", "subject_actor_" or
 * "actor_" before them they stand for FG_REQUEST_SUBJECT, FG_REQUEST_SUBJECT_ACTOR or FG_REQUEST_ACTOR and the claim's
 * type. */
#define FG_REQUEST_ALIASES 128u              /* there are fewer */
fg_str_t fg_request_alias(fg_str_t name);    /* the type; .p NULL: no such */
const char *fg_request_alias_name(size_t i); /* the names one after the other; NULL behind the last */

typedef struct fg_request_facts {
    fg_str_t method; /* "GET", "POST", "PROPFIND", … */
    fg_str_t path;   /* as it will be forwarded: decoded and normalised */
    fg_str_t query;  /* raw */
    fg_str_t host;   /* lower case */
    fg_str_t client_address;
    fg_str_t tls_version, tls_cipher; /* .n 0: no TLS */
    fg_str_t certificate;             /* subject of the verified client certificate, RFC 2253; .n 0: none */
    int64_t now_ms;                   /* time (RFC 3339, UTC), hour ("00" to "23"), weekday ("Monday") */
} fg_request_facts_t;

/* Appends the facts that are there (empty ones are left out). */
bool fg_request_claims(fg_arena_t *arena, const fg_request_facts_t *facts, fg_claims_t *claims) FG_MUST_CHECK;
/* What delegation rules look at beside the actor's own claims: the word for the kind, the relying party's realm. */
bool fg_request_delegation_claims(fg_arena_t *arena, fg_str_t delegation, fg_str_t relying_party,
                                  fg_claims_t *claims) FG_MUST_CHECK;
/* Appends claims with prefix (FG_REQUEST_SUBJECT, …) before their types; issuers stay. */
bool fg_request_add_prefixed(fg_arena_t *arena, const char *prefix, const fg_claims_t *from,
                             fg_claims_t *claims) FG_MUST_CHECK;
/* Takes out what only a request may say. */
void fg_claims_drop_request(fg_claims_t *claims);

/* True if the path as the client wrote it could mean something else to the server behind than what nginx decoded: "//",
 * dot segments, "\\", ";", "#", and "%2f", "%2e", "%5c", "%3b", "%00" or a doubly encoded byte (HT-06). */
bool fg_request_path_is_ambiguous(fg_str_t raw);

/* Appends the members of a JSON body that the policy names: strings as they are, numbers and true/false/null as JSON
 * writes them.  A body that is no JSON or has a name twice: FG_E_HTTP_REQUEST (JW-06). */
bool fg_request_json_claims(fg_arena_t *arena, const fg_ruleset_t *policy, fg_str_t body, fg_claims_t *claims,
                            fg_err_t *err) FG_MUST_CHECK;

#endif
