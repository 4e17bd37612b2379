/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A document with the metadata of many entities (saml-metadata-2.0-os §2.3.1), or of one: verified and listed once, and
 * not kept.  An entity is read from the file when it is needed, and must then be what it was when it was listed. */
#ifndef FG_BRIDGES_SAML_AGGREGATE_H
#define FG_BRIDGES_SAML_AGGREGATE_H

#include "bridges/saml/party.h"
#include "core/crypto.h"

/* Immutable and counted; may be shared between threads. */
typedef struct fg_saml_aggregate fg_saml_aggregate_t;

/* What is known of an entity without reading it. */
typedef struct fg_saml_listed {
    fg_str_t entity_id;
    unsigned roles;         /* bits 1u << fg_saml_role_t, for SAML 2.0 */
    bool is_hidden;         /* not to be offered (http://refeds.org/category/hide-from-discovery) */
    int64_t valid_until_ms; /* 0: for ever */
    /* of identity providers */
    fg_str_t names;   /* "LANGUAGE\0NAME\0" one after the other */
    fg_str_t words;   /* what it is found by, folded: names (that for sorting first), keywords, domains, entityID */
    fg_str_t domains; /* "example.org\0" one after the other: of mail addresses, folded */
    /* where it stands */
    uint64_t offset;
    uint32_t length;
    uint32_t context; /* which elements are around it */
    unsigned char digest[FG_SHA256_SIZE];
} fg_saml_listed_t;

/* Lists what a file holds: with trust only if one of its keys signed the whole document (SA-18).  Refused as a whole:
 * an expired document, an entityID that occurs twice, an address that is no web address.  The file stays open.
 * size_max: bytes of the file.  NULL: refused. */
fg_saml_aggregate_t *fg_saml_aggregate_load(const fg_env_t *env, const char *path, size_t size_max,
                                            const fg_dsig_trust_t *trust, fg_err_t *err) FG_MUST_CHECK;
fg_saml_aggregate_t *fg_saml_aggregate_ref(fg_saml_aggregate_t *aggregate);
void fg_saml_aggregate_unref(fg_saml_aggregate_t *aggregate); /* NULL is taken */

/* In the order of entityIDs (as fg_realm_entry_compare has it). */
const fg_saml_listed_t *fg_saml_aggregate_entities(const fg_saml_aggregate_t *aggregate, size_t *count);
/* NULL: not in it.  A binary search. */
const fg_saml_listed_t *fg_saml_aggregate_find(const fg_saml_aggregate_t *aggregate, fg_str_t entity_id);
int64_t fg_saml_aggregate_valid_until(const fg_saml_aggregate_t *aggregate);    /* of the root; 0: for ever */
int64_t fg_saml_aggregate_cache_duration(const fg_saml_aggregate_t *aggregate); /* of the root; 0: not said */

/* Reads one of its entities into in->arena; NULL: refused, or the file is another one by now. */
const xmlNode *fg_saml_aggregate_open(const fg_saml_aggregate_t *aggregate, const fg_saml_listed_t *listed,
                                      fg_entity_reader_t *in) FG_MUST_CHECK;

/* Its name in a language ("de"), else in English, else any, else the entityID. */
fg_str_t fg_saml_listed_name(const fg_saml_listed_t *listed, fg_str_t language);
/* Whether all words of a folded text occur in what it is found by. */
bool fg_saml_listed_has(const fg_saml_listed_t *listed, fg_str_t folded);
/* Whether it speaks for a folded mail domain. */
bool fg_saml_listed_is_for(const fg_saml_listed_t *listed, fg_str_t domain);
/* Lower case as far as Latin-1, Greek and Cyrillic go, which is for finding and nothing else. */
void fg_saml_fold(fg_buf_t *out, fg_str_t text);

#endif
