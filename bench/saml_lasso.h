/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The same round done by liblasso, for bench/saml: an AuthnRequest by Redirect is verified, a signed Response made.
 * Without the library it cannot be measured. */
#ifndef FG_BENCH_SAML_LASSO_H
#define FG_BENCH_SAML_LASSO_H

#include "core/key.h"

/* False: not built in, or it would not start. */
bool saml_lasso_start(const fg_key_t *ours, const fg_key_t *theirs);
bool saml_lasso_answer(void);
void saml_lasso_stop(void);

#endif
