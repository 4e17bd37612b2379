/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between rstr.c and the files that write an answer's parts: nobody else includes this. */
#ifndef FG_STS_RSTR_PARTS_H
#define FG_STS_RSTR_PARTS_H

#include "sts/rstr.h"

/* ---- rstr_key.c: before the token, behind it */
bool fg_rstr_write_entropy(fg_xw_t *w, const fg_trust_words_t *words, const fg_rstr_proof_t *proof) FG_MUST_CHECK;
bool fg_rstr_write_proof_token(fg_xw_t *w, const fg_trust_words_t *words, const fg_rstr_proof_t *proof) FG_MUST_CHECK;

/* ---- rstr_display.c */
void fg_rstr_write_display_token(fg_xw_t *w, const fg_claims_t *claims);

#endif
