/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * gateway.conf as it is written: every value read and checked by itself.  What partners become of it is partners.c's.
 */
#ifndef FG_GATEWAY_CONFIG_H
#define FG_GATEWAY_CONFIG_H

#include "bridges/openid/client.h"
#include "core/env.h"
#include "directory/ldap.h"
#include "gateway/config_text.h"
#include "hub/hub.h"

/* The place of a section: for messages about what stands in it. */
typedef struct fg_config_at {
    const fg_config_text_t *text;
    const fg_config_section_t *section;
    unsigned index;
    const char *title;
} fg_config_at_t;

typedef struct fg_config_directory {
    fg_config_at_t at;
    const char *type;
    const char *path; /* of a users file; all from servers on is of LDAP */
    const char *display_name;
    fg_str_t uri;
    fg_config_list_t domains; /* const char * */
    fg_config_list_t servers; /* const char * */
    const char *ca;
    const char *base;
    const char *bind_dn;
    const char *bind_password_file;
    fg_config_choice_t password_change;
    const char *user_filter;
    fg_config_list_t attributes; /* fg_ldap_attribute_t */
    fg_ldap_groups_t groups;
    const char *group_base;
    const char *group_filter;
    const char *group_name;
    const char *domain;
    const char *realm;
    int64_t timeout_ms;
    int64_t cache_ms;
    int64_t negative_cache_ms;
    unsigned connections;
    const char *acceptance_rules;
} fg_config_directory_t;

/* What of an assertion is encrypted singly. */
enum { FG_CONFIG_PART_NAME_ID = 1, FG_CONFIG_PART_ATTRIBUTES = 2 };

typedef struct fg_config_partner {
    fg_config_at_t at;
    const char *display_name;
    fg_config_list_t realms;  /* fg_str_t */
    fg_config_list_t replies; /* fg_str_t */
    fg_str_t sign_out;
    fg_saml_version_t token;
    fg_encryption_t encryption;
    fg_config_choice_t token_only;
    fg_trust_version_t trust;
    int64_t lifetime_ms;
    const char *name_id;
    fg_str_t name_id_format;
    fg_config_list_t claims; /* const char * */
    const char *authorization_rules;
    const char *issuance_rules;
    const char *delegation_rules;
    const char *registration_rules;
    const char *certificate;
    fg_config_choice_t encrypt;
    fg_config_list_t encrypt_parts; /* unsigned */
    fg_config_choice_t sign_response;
    fg_str_t attribute_name_format;
    fg_config_choice_t allow_sha1;
    fg_config_list_t key_types; /* unsigned */
    fg_config_choice_t jwt;
    int64_t renew_ms; /* 0: not renewed */
    fg_config_choice_t requested_only;
    fg_config_choice_t attribute_queries;
    const char *metadata;
    const char *metadata_certificate;
    const char *client_id;          /* NULL: no OpenID Connect client */
    fg_config_list_t redirect_uris; /* fg_str_t */
    fg_config_list_t client_auth;   /* unsigned */
    fg_str_t certificate_subject;
    fg_str_t certificate_dns;
    fg_client_binding_t binding;
    fg_config_choice_t pushed_only;
    fg_config_choice_t signed_only;
    fg_config_choice_t userinfo_signed;
    const char *client_secret;         /* file */
    const char *client_jwks;           /* file */
    fg_config_list_t grants;           /* unsigned */
    fg_config_list_t response_types;   /* unsigned */
    fg_config_list_t scopes;           /* fg_str_t */
    fg_config_list_t resources;        /* fg_str_t */
    fg_config_list_t post_logout_uris; /* fg_str_t */
    fg_config_list_t origins;          /* fg_str_t */
    fg_str_t front_channel_logout;
    fg_str_t back_channel_logout;
    fg_config_choice_t subject; /* yes: pairwise */
    fg_config_choice_t consent;
    fg_config_choice_t id_token_claims;
    unsigned id_token_alg;           /* one bit, 1u << fg_jws_alg_t; 0: the key's own */
    const char *id_token_encryption; /* an algorithm's name; NULL: not encrypted */
    int64_t refresh_lifetime_ms;
    fg_config_list_t openid2_realms; /* fg_str_t; none and not open: it does not speak OpenID 2.0 */
    fg_config_choice_t openid2_open;
    fg_config_choice_t openid2_check_return; /* unset: where it is open */
} fg_config_partner_t;

typedef struct fg_config_provider {
    fg_config_at_t at;
    fg_config_protocol_t protocol;
    const char *display_name;
    fg_str_t issuer;
    const char *metadata;
    const char *metadata_certificate;
    fg_config_list_t certificates; /* const char *, paths */
    const char *jwks;
    const char *client_id;
    const char *client_secret;
    unsigned client_auth; /* one bit of FG_CLIENT_… */
    fg_str_t discovery;
    fg_config_list_t scopes;     /* fg_str_t */
    fg_config_list_t algorithms; /* unsigned */
    fg_config_list_t tenants;    /* fg_str_t */
    fg_config_choice_t userinfo;
    int64_t refresh_interval_ms; /* 0: never */
    fg_str_t sign_in;
    fg_str_t sign_out;
    fg_str_t realm;
    fg_str_t uri;
    fg_config_list_t domains; /* const char * */
    const char *acceptance_rules;
    fg_config_list_t vouched_by; /* const char *, paths */
    fg_config_choice_t unconfirmed;
    fg_config_choice_t artifacts;
    fg_config_choice_t encrypt_name_id;
    fg_config_choice_t allow_sha1;
    int64_t lifetime_limit_ms;      /* 0: none */
    const char *openid2_identifier; /* NULL: none */
    fg_config_choice_t openid2_stateless;
    fg_config_choice_t openid2_any_host;
    fg_config_list_t openid2_attributes; /* fg_str_t */
} fg_config_provider_t;

typedef struct fg_config_federation {
    fg_config_at_t at;
    const char *metadata; /* one of the three */
    const char *folder;
    fg_str_t url;
    fg_config_list_t certificates; /* const char *, paths */
    unsigned roles;                /* bits 1u << fg_saml_role_t */
    int64_t refresh_ms;
    size_t size;
    int64_t lifetime_ms;
    int64_t lifetime_limit_ms; /* 0: none */
    const char *name_id;
    fg_str_t name_id_format;
    fg_config_list_t claims; /* const char * */
    const char *authorization_rules;
    const char *issuance_rules;
    const char *acceptance_rules;
    fg_encryption_t encryption;
    fg_config_choice_t encrypt;
    fg_config_choice_t sign_response;
    fg_config_choice_t requested_only;
    fg_config_choice_t attribute_queries;
} fg_config_federation_t;

typedef struct fg_config_certificates {
    fg_config_at_t at;
    const char *display_name;
    fg_config_list_t ca; /* const char *, paths, as the next two */
    fg_config_list_t intermediates;
    fg_config_list_t crls;
    fg_config_list_t revocation; /* fg_config_revocation_t */
    unsigned depth;
    fg_str_t uri;
    const char *acceptance_rules;
    const char *directory;
    fg_config_list_t map; /* unsigned: one bit of FG_MAP_… each */
} fg_config_certificates_t;

typedef struct fg_config_protect {
    fg_config_at_t at;
    const char *display_name;
    fg_protect_kind_t kind;
    fg_config_list_t accept; /* unsigned */
    const char *policy;
    fg_config_list_t audiences; /* fg_str_t */
    fg_config_list_t hosts;     /* fg_str_t */
    fg_str_t home_realm;
    const char *directory;
    const char *upstream_partner;
    fg_upstream_token_t upstream_token;
    fg_str_t upstream_kerberos;
    const char *upstream_kerberos_claim;
    fg_config_list_t upstream_kerberos_from; /* fg_str_t */
} fg_config_protect_t;

typedef struct fg_config {
    fg_config_text_t *text; /* of the file itself */

    fg_str_t base_url;
    fg_str_t entity_id;
    const char *organisation;
    const char *logo_url;
    const char *colour;
    const char *contact;
    fg_config_choice_t list_applications;
    const char *pages;
    const char *audit_log;
    const char *state;
    size_t store_size;
    int64_t skew_ms;
    fg_config_list_t trusted_proxies; /* fg_network_t */
    fg_config_list_t include;         /* const char *, absolute patterns */

    struct {
        fg_key_type_t signing, encryption;
        int64_t lifetime_ms, publish_ms;
    } keys;
    struct {
        int64_t idle_ms, absolute_ms;
    } session;
    struct {
        unsigned account_failures, address_failures;
        int64_t first_wait_ms, longest_wait_ms;
    } lockout;
    struct {
        size_t body;
        unsigned xml_depth, xml_elements, xml_attributes, xml_namespaces;
    } limits;
    struct {
        const char *path;
        fg_str_t realm;
    } viewer;
    struct {
        fg_config_list_t allow; /* fg_http_allow_t */
        const char *ca;
        int64_t timeout_ms;
        size_t size;
    } fetch;
    struct {
        const char *keytab; /* NULL: there is no such section */
        const char *principal;
        fg_config_list_t realms; /* fg_str_t */
        int64_t timeout_ms;
    } delegation;
    fg_config_list_t directories;  /* fg_config_directory_t */
    fg_config_list_t partners;     /* fg_config_partner_t; those of included files behind */
    fg_config_list_t providers;    /* fg_config_provider_t, likewise */
    fg_config_list_t protects;     /* fg_config_protect_t */
    fg_config_list_t certificates; /* fg_config_certificates_t */
    struct {
        const char *keytab;        /* NULL: no tickets are taken */
        fg_config_list_t realms;   /* fg_str_t */
        fg_config_list_t agents;   /* const char * */
        fg_config_list_t networks; /* fg_network_t */
        const char *directory;
        fg_config_choice_t ticket_suffices;
        fg_config_choice_t machines;
    } kerberos;
    fg_config_list_t federations; /* fg_config_federation_t */
    struct {
        fg_str_t service; /* of somebody else; .n 0: our own page */
    } discovery;
} fg_config_t;

/* Reads the file and those it includes into the arena. */
bool fg_config_read(fg_arena_t *arena, const char *path, fg_config_t *config, fg_err_t *err) FG_MUST_CHECK;

/* Refuses the value of an option: "FILE:LINE:COLUMN: found …, expected …".  section NULL: outside sections. */
bool fg_config_refuse(fg_err_t *err, const fg_config_at_t *at, const char *option, unsigned value_index,
                      const char *expected, ...) FG_PRINTF(5, 6);
/* The place of a section that may stand once. */
fg_config_at_t fg_config_place(const fg_config_t *config, const char *section);

/* The grammar, for the test that each option is documented. */
extern const fg_config_grammar_t fg_config_grammar;

#endif
