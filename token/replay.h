/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_TOKEN_REPLAY_H
#define FG_TOKEN_REPLAY_H

#include "core/env.h"

/* Notes that id of kind (a constant word) from issuer was used; it is kept until until_ms.  Used before: code replayed.
 * A store that cannot answer: FG_E_UNAVAILABLE (fails closed). */
bool fg_replay_check(const fg_env_t *env, const char *kind, fg_str_t issuer, fg_str_t id, int64_t until_ms,
                     fg_code_t replayed, fg_err_t *err) FG_MUST_CHECK;

#endif
