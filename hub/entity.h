/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What every role in a partner's metadata document has, whatever protocol it is of (SAML 2.0 metadata §2): the entity,
 * its validity, its keys. */
#ifndef FG_HUB_ENTITY_H
#define FG_HUB_ENTITY_H

#include "core/env.h"
#include "core/xmldsig.h"
#include "core/xmlwriter.h"

#define FG_ENTITY_KEYS 16

typedef struct fg_entity_reader {
    const fg_env_t *env;
    fg_arena_t *arena;
    fg_err_t *err;
    int64_t valid_until_ms; /* the earliest that was met; 0: for ever */
} fg_entity_reader_t;

/* Keys of the arena: fg_key_ref them to keep them. */
typedef struct fg_entity_keys {
    fg_key_t *items[FG_ENTITY_KEYS];
    size_t count;
    bool allow_sha1; /* of what they sign: a logged per-partner switch (XS-25) */
} fg_entity_keys_t;

/* The EntityDescriptor that is the document's root, with trust the one that a trusted key signed (SA-18); NULL:
 * refused, or expired. */
const xmlNode *fg_entity_open(fg_entity_reader_t *in, fg_str_t xml, const fg_dsig_trust_t *trust,
                              fg_str_t *entity_id) FG_MUST_CHECK;
/* Refuses what is over; notes its validUntil. */
bool fg_entity_check_validity(fg_entity_reader_t *in, const xmlNode *node) FG_MUST_CHECK;
/* Adds a KeyDescriptor's certificate if it is for signing and not there yet: the old and the new one stand together
 * while keys are rolled. */
bool fg_entity_add_signing_key(fg_entity_reader_t *in, const xmlNode *descriptor, fg_entity_keys_t *keys) FG_MUST_CHECK;
/* Sets *key to a KeyDescriptor's certificate if it is for encryption and none was found before. */
bool fg_entity_take_encryption_key(fg_entity_reader_t *in, const xmlNode *descriptor, fg_key_t **key) FG_MUST_CHECK;

/* The namespace of our own document, without a prefix. */
extern const fg_xns_t fg_entity_ns;
/* A KeyDescriptor with the key's certificate. */
void fg_entity_write_key(fg_xw_t *w, const char *use, const fg_key_t *key);

#endif
