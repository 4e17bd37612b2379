/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_GATEWAY_CONFIG_LDAP_H
#define FG_GATEWAY_CONFIG_LDAP_H

#include "gateway/config.h"

/* That the options of a directory go together. */
bool fg_config_check_directory(const fg_config_directory_t *d, fg_err_t *err) FG_MUST_CHECK;
/* That the files of an LDAP directory are there. */
bool fg_config_ldap_files(const fg_config_directory_t *d, fg_err_t *err) FG_MUST_CHECK;
/* What the section says, borrowed from it. */
fg_ldap_options_t fg_config_ldap_options(const fg_config_directory_t *d);

#endif
