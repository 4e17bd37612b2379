/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The words of the claim rule language. */
#ifndef FG_POLICY_RULE_LEXER_H
#define FG_POLICY_RULE_LEXER_H

#include "core/err.h"
#include "core/str.h"

typedef enum fg_rule_token_kind {
    FG_RULE_END,
    FG_RULE_WORD,
    FG_RULE_TEXT, /* text: without its quotes */
    FG_RULE_NUMBER,
    FG_RULE_SIGN, /* an operator or a bracket */
    FG_RULE_BAD,  /* expected says what should have stood there */
} fg_rule_token_kind_t;

typedef struct fg_rule_token {
    fg_rule_token_kind_t kind;
    fg_str_t text;
    unsigned line, column; /* from 1; columns count characters */
    const char *expected;
} fg_rule_token_t;

typedef struct fg_rule_lexer {
    const char *file;
    fg_str_t rest;
    unsigned line, column;
} fg_rule_lexer_t;

/* text must be UTF-8; a byte order mark is passed over. */
void fg_rule_lexer_init(fg_rule_lexer_t *lexer, const char *file, fg_str_t text);
/* The next token; a BAD one is not passed. */
fg_rule_token_t fg_rule_lexer_next(fg_rule_lexer_t *lexer);

#endif
