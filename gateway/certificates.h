/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_GATEWAY_CERTIFICATES_H
#define FG_GATEWAY_CERTIFICATES_H

#include "gateway/config.h"

/* The certificate in the PEM file that an option's value names; the caller lets it go.  NULL: refused at that value. */
fg_key_t *fg_config_certificate_load(const fg_config_at_t *at, const char *option, unsigned value_index,
                                     const char *path, fg_err_t *err) FG_MUST_CHECK;

#endif
