/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * "Did you mean …?" for words of the configuration file and the command line. */
#ifndef FG_CORE_SPELL_H
#define FG_CORE_SPELL_H

#include <stddef.h>

/* The candidate nearest to word by edits (letter put in, left out, replaced, or two swapped), if it is near enough to
 * be meant; else NULL.  Case counts as no difference. */
const char *fg_spell_nearest(const char *word, const char *const *candidates, size_t count);

#endif
