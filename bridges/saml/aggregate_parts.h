/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between aggregate.c and aggregate_list.c: nobody else includes this. */
#ifndef FG_BRIDGES_SAML_AGGREGATE_PARTS_H
#define FG_BRIDGES_SAML_AGGREGATE_PARTS_H

#include "bridges/saml/aggregate.h"

/* Lists an entity: all but where it stands.  Strings go to the list's arena.  False: the document is refused;
 * *leave_out: this entity has expired and counts as absent. */
bool fg_saml_list_entity(fg_entity_reader_t *in, fg_arena_t *list, const xmlNode *entity, fg_saml_listed_t *listed,
                         bool *leave_out) FG_MUST_CHECK;
/* xs:duration in milliseconds, a month as 30 days; 0: none, or not understood. */
int64_t fg_saml_cache_duration(fg_str_t text);

#endif
