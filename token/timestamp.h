/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_TOKEN_TIMESTAMP_H
#define FG_TOKEN_TIMESTAMP_H

#include "core/env.h"
#include "core/xml.h"

#define FG_TIMESTAMP_LIFE (5 * 60 * INT64_C(1000))

/* A wsu:Timestamp (WS-Security 1.1 §10, WT-04): Created is there, Expires behind it, neither passed nor to come.  A
 * message lives five minutes even if its sender says longer.  FG_E_WSS_TIMESTAMP, FG_E_WSS_EXPIRED. */
bool fg_timestamp_check(const fg_env_t *env, fg_arena_t *arena, const xmlNode *timestamp, int64_t skew_ms,
                        fg_err_t *err) FG_MUST_CHECK;

#endif
