/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Claims under the names of Simple Registration and Attribute Exchange. */
#ifndef FG_OPENID_OPENID2_ATTRIBUTES_H
#define FG_OPENID_OPENID2_ATTRIBUTES_H

#include "token/claims.h"

typedef struct fg_openid2_attribute {
    const char *sreg;     /* NULL: it has none there */
    const char *ax;       /* below the schema's own address */
    const char *types[2]; /* of claims that have it, the best first; NULL: no more */
    const char *accepted; /* the type under which it becomes a claim */
} fg_openid2_attribute_t;

extern const fg_openid2_attribute_t fg_openid2_attributes[];
extern const size_t fg_openid2_attribute_count;

/* By SREG's field, by AX's type (of axschema.org or one of the older schemas); NULL: none. */
const fg_openid2_attribute_t *fg_openid2_attribute_find_sreg(fg_str_t name);
const fg_openid2_attribute_t *fg_openid2_attribute_find_ax(fg_str_t type);

/* The values of an attribute, at most room; type: AX's, which may be a claim type itself (attribute NULL).  What has a
 * line break is left out: it could not be signed (§4.1.1). */
size_t fg_openid2_attribute_values(fg_arena_t *arena, const fg_openid2_attribute_t *attribute, fg_str_t type,
                                   const fg_claims_t *claims, fg_str_t *values, size_t room);

#endif
