/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Kinds of values in the configuration: how each is read, what is expected, which words there are. */
#ifndef FG_GATEWAY_CONFIG_VALUE_H
#define FG_GATEWAY_CONFIG_VALUE_H

#include <stdint.h>

#include "core/arena.h"
#include "core/network.h"

typedef struct fg_config_list {
    void *items;
    size_t count;
} fg_config_list_t;

typedef enum fg_config_choice { FG_CHOICE_UNSET, FG_CHOICE_NO, FG_CHOICE_YES } fg_config_choice_t;

/* Of an identity provider; not said: WS-Federation if its metadata has that role, else SAML 2.0. */
typedef enum fg_config_protocol {
    FG_CONFIG_PROTOCOL_ANY,
    FG_CONFIG_WSFED,
    FG_CONFIG_SAML,
    FG_CONFIG_OPENID,
    FG_CONFIG_OPENID2
} fg_config_protocol_t;

/* Where it is asked whether certificates were revoked. */
typedef enum fg_config_revocation {
    FG_REVOCATION_NONE,
    FG_REVOCATION_CRL,
    FG_REVOCATION_FETCH,
    FG_REVOCATION_OCSP
} fg_config_revocation_t;

typedef struct fg_config_reading {
    fg_arena_t *arena;
    const char *folder; /* of the file: paths are relative to it */
} fg_config_reading_t;

typedef struct fg_config_kind {
    size_t size; /* of the field */
    bool (*read)(const fg_config_reading_t *in, const char *text, void *field);
    const char *expected;
    const char *const *words; /* for the nearest spelling, NULL at the end; NULL: none */
} fg_config_kind_t;

extern const fg_config_kind_t fg_config_text_kind;          /* const char * */
extern const fg_config_kind_t fg_config_path_kind;          /* const char *, absolute */
extern const fg_config_kind_t fg_config_base_kind;          /* fg_str_t: https origin */
extern const fg_config_kind_t fg_config_uri_kind;           /* fg_str_t */
extern const fg_config_kind_t fg_config_issuer_kind;        /* fg_str_t: a URI, perhaps with "{tenantid}" in it */
extern const fg_config_kind_t fg_config_jws_alg_kind;       /* unsigned: one bit, 1u << fg_jws_alg_t */
extern const fg_config_kind_t fg_config_jwe_enc_kind;       /* const char *: the word */
extern const fg_config_kind_t fg_config_web_kind;           /* fg_str_t: http or https */
extern const fg_config_kind_t fg_config_logo_kind;          /* const char *: web address or path on this host */
extern const fg_config_kind_t fg_config_place_kind;         /* const char *: "/demo/" */
extern const fg_config_kind_t fg_config_colour_kind;        /* const char * */
extern const fg_config_kind_t fg_config_duration_kind;      /* int64_t, milliseconds */
extern const fg_config_kind_t fg_config_size_kind;          /* size_t */
extern const fg_config_kind_t fg_config_count_kind;         /* unsigned */
extern const fg_config_kind_t fg_config_choice_kind;        /* fg_config_choice_t */
extern const fg_config_kind_t fg_config_network_kind;       /* fg_network_t */
extern const fg_config_kind_t fg_config_key_kind;           /* fg_key_type_t */
extern const fg_config_kind_t fg_config_rsa_kind;           /* fg_key_type_t */
extern const fg_config_kind_t fg_config_encryption_kind;    /* fg_encryption_t */
extern const fg_config_kind_t fg_config_token_kind;         /* fg_saml_version_t */
extern const fg_config_kind_t fg_config_trust_kind;         /* fg_trust_version_t */
extern const fg_config_kind_t fg_config_protocol_kind;      /* fg_config_protocol_t */
extern const fg_config_kind_t fg_config_claim_kind;         /* const char *: claim type URI */
extern const fg_config_kind_t fg_config_directory_kind;     /* const char *: the word */
extern const fg_config_kind_t fg_config_ldap_server_kind;    /* const char *: ldap(s)://host[:port] */
extern const fg_config_kind_t fg_config_ldap_dn_kind;        /* const char * */
extern const fg_config_kind_t fg_config_ldap_filter_kind;    /* const char * */
extern const fg_config_kind_t fg_config_ldap_attribute_kind; /* fg_ldap_attribute_t: "attribute=claim type" */
extern const fg_config_kind_t fg_config_ldap_groups_kind;    /* fg_ldap_groups_t */
extern const fg_config_kind_t fg_config_host_kind;          /* fg_str_t: host[:port], lower case */
extern const fg_config_kind_t fg_config_protect_kind;       /* fg_protect_kind_t */
extern const fg_config_kind_t fg_config_accept_kind;        /* unsigned: one bit */
extern const fg_config_kind_t fg_config_upstream_kind;      /* fg_upstream_token_t */
extern const fg_config_kind_t fg_config_word_kind;          /* fg_str_t: without blanks and quotes */
extern const fg_config_kind_t fg_config_proof_kind;         /* unsigned: one bit */
extern const fg_config_kind_t fg_config_grant_kind;         /* unsigned: one bit */
extern const fg_config_kind_t fg_config_response_type_kind; /* unsigned: one bit, 1u << a set of FG_RESPONSE_… */
extern const fg_config_kind_t fg_config_string_kind;        /* fg_str_t: any text, not empty */
extern const fg_config_kind_t fg_config_binding_kind;       /* fg_client_binding_t */
extern const fg_config_kind_t fg_config_subject_kind;       /* fg_config_choice_t: yes is pairwise */
extern const fg_config_kind_t fg_config_fetch_kind;         /* fg_http_allow_t */
extern const fg_config_kind_t fg_config_revocation_kind;    /* fg_config_revocation_t */
extern const fg_config_kind_t fg_config_map_kind;           /* unsigned: one bit, FG_MAP_… */
extern const fg_config_kind_t fg_config_part_kind;          /* unsigned: FG_CONFIG_PART_… */
extern const fg_config_kind_t fg_config_key_type_kind;      /* unsigned: one bit, 1u << FG_PROOF_… */
extern const fg_config_kind_t fg_config_realm_kind;         /* fg_str_t: of OpenID 2.0 */
extern const fg_config_kind_t fg_config_role_kind;          /* unsigned: bits 1u << fg_saml_role_t */
extern const fg_config_kind_t fg_config_domain_kind;        /* const char *: of mail addresses, lower case */

#endif
