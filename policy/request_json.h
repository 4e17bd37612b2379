/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Members of a JSON body as claims, by the types of the claims. */
#ifndef FG_POLICY_REQUEST_JSON_H
#define FG_POLICY_REQUEST_JSON_H

#include "policy/request.h"

/* As fg_request_json_claims for the given types, each FG_REQUEST_JSON and names joined by '.'. */
bool fg_request_json_read(fg_arena_t *arena, const fg_str_t *types, size_t count, fg_str_t body, fg_claims_t *claims,
                          fg_err_t *err) FG_MUST_CHECK;

#endif
