/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * AD FS' query of an attribute store, "FILTER;ATTRIBUTES;ACCOUNT" or "FILTER;ATTRIBUTES" ("The Role of the Claim Rule
 * Language", Attribute Stores).  The text is taken apart before any {n} is replaced, so that a value can never become a
 * part of the query (KL-07). */
#ifndef FG_DIRECTORY_QUERY_H
#define FG_DIRECTORY_QUERY_H

#include "core/arena.h"
#include "core/err.h"

#define FG_QUERY_ATTRIBUTES_MAX 32u

typedef struct fg_query {
    fg_str_t text;
    const fg_str_t *params; /* what {0}, {1} … stand for; NULL: their values are not known yet */
    size_t param_count;
    const fg_str_t *types; /* of the claims: one for each attribute */
    size_t type_count;
    fg_str_t issuer; /* of the claims */
} fg_query_t;

typedef struct fg_query_parts {
    fg_str_t filter; /* .n 0: the account is meant */
    fg_str_t attributes[FG_QUERY_ATTRIBUTES_MAX];
    size_t attribute_count;
    fg_str_t account; /* .n 0: the query has none */
} fg_query_parts_t;

/* FG_E_CONFIG: what was found and what is expected.  needs_account: three parts and no fewer. */
bool fg_query_take_apart(const fg_query_t *query, bool needs_account, fg_query_parts_t *parts,
                         fg_err_t *err) FG_MUST_CHECK;
/* A part of the query with its placeholders replaced, as they are: not for a filter that somebody will read. */
bool fg_query_fill(const fg_query_t *query, fg_arena_t *arena, fg_str_t text, fg_str_t *out,
                   fg_err_t *err) FG_MUST_CHECK;

#endif
