/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What may have happened to a document between signing and arriving, found by undoing it: when the digest fits again,
 * that was it. */
#ifndef FG_CLI_MUTATION_H
#define FG_CLI_MUTATION_H

#include "cli/piece.h"
#include "core/crypto.h"

/* An enveloped signature's one reference. */
typedef struct fg_mutation_digest {
    fg_hash_t hash;
    fg_str_t value; /* decoded */
    char *prefixes[33];
} fg_mutation_digest_t;

typedef struct fg_mutation {
    fg_arena_t *arena;
    fg_str_t xml;      /* the document */
    unsigned path[64]; /* the way to the signed element: which child, from the root on */
    unsigned depth;
    fg_mutation_digest_t digest;
    const char *found; /* for people; NULL: nothing that was tried fits */
} fg_mutation_t;

/* element: in a document parsed from xml, with an enveloped ds:Signature.  False: that is not of the form. */
bool fg_mutation_begin(fg_mutation_t *m, fg_arena_t *arena, fg_str_t xml, const xmlNode *element) FG_MUST_CHECK;
/* The bytes that are digested now. */
bool fg_mutation_canonical(const fg_mutation_t *m, fg_buf_t *out) FG_MUST_CHECK;
/* Tries everything, and pairs of it; sets found. */
bool fg_mutation_search(fg_mutation_t *m);
/* Takes the blanks between elements out of a tree (not out of a signature in it); whether there were any. */
bool fg_mutation_drop_blanks(xmlNode *node);
/* As the search, for the query of a Redirect binding: whether one of these forms of it is what was signed. */
typedef bool fg_mutation_verify_t(void *context, fg_str_t query);
const char *fg_mutation_search_query(fg_arena_t *arena, fg_str_t query, fg_mutation_verify_t *verify, void *context);

#endif
