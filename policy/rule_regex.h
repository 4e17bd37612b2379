/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Regular expressions of claim rules: those of .NET as far as PCRE2 has them, each match within limits. */
#ifndef FG_POLICY_RULE_REGEX_H
#define FG_POLICY_RULE_REGEX_H

#include "core/arena.h"
#include "core/buf.h"

typedef struct fg_rule_regex fg_rule_regex_t;
typedef struct fg_rule_matcher fg_rule_matcher_t; /* what one run needs: not shared between threads */

/* In the arena.  NULL: why (a text of at most size bytes) says what is wrong with the pattern. */
fg_rule_regex_t *fg_rule_regex_new(fg_arena_t *arena, fg_str_t pattern, char *why, size_t size) FG_MUST_CHECK;
fg_rule_matcher_t *fg_rule_matcher_new(fg_arena_t *arena) FG_MUST_CHECK;

typedef enum fg_rule_match { FG_RULE_MATCHES, FG_RULE_MATCHES_NOT, FG_RULE_MATCH_TOO_LONG } fg_rule_match_t;
fg_rule_match_t fg_rule_regex_match(const fg_rule_regex_t *regex, fg_rule_matcher_t *matcher,
                                    fg_str_t subject) FG_MUST_CHECK;
/* Appends subject to out, each match replaced as .NET's Regex.Replace does ($1, ${name}, $&, $$, …).  False: a limit.
 */
bool fg_rule_regex_replace(const fg_rule_regex_t *regex, fg_rule_matcher_t *matcher, fg_str_t subject,
                           fg_str_t replacement, fg_buf_t *out) FG_MUST_CHECK;

#endif
