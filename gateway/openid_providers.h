/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * identity_provider sections that speak OpenID Connect. */
#ifndef FG_GATEWAY_OPENID_PROVIDERS_H
#define FG_GATEWAY_OPENID_PROVIDERS_H

#include "bridges/openid/provider.h"
#include "gateway/config.h"

/* What the section says of us at the provider; upstream is borrowed.  In the arena. */
bool fg_openid_provider_build(const fg_config_provider_t *section, fg_arena_t *arena, fg_openid_upstream_t *upstream,
                              const fg_openid_provider_t **provider, fg_err_t *err) FG_MUST_CHECK;

#endif
