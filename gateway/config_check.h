/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_GATEWAY_CONFIG_CHECK_H
#define FG_GATEWAY_CONFIG_CHECK_H

#include "gateway/config.h"

/* What single values cannot tell: that they go together, and that folders are there. */
bool fg_config_check(const fg_config_t *config, fg_err_t *err) FG_MUST_CHECK;

#endif
