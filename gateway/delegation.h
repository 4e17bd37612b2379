/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From the configuration's delegation section to what asks the KDC. */
#ifndef FG_GATEWAY_DELEGATION_H
#define FG_GATEWAY_DELEGATION_H

#include "directory/kerberos_delegate.h"
#include "gateway/config.h"

/* *delegate NULL: there is no such section.  config must live as long. */
bool fg_delegation_new(const fg_config_t *config, fg_delegate_t **delegate, fg_err_t *err) FG_MUST_CHECK;

#endif
