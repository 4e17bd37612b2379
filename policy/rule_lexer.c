/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/rule_lexer.h"

/* Longer ones first: the first that fits is taken. */
static const char *const signs[] = {"=>", "==", "!=", "=~", "!~", "&&", "<=", ">=", "<", ">", "=",
                                    "+",  ",",  ";",  ":",  ".",  "(",  ")",  "[",  "]", "@"};

void fg_rule_lexer_init(fg_rule_lexer_t *lexer, const char *file, fg_str_t text) {
    *lexer = (fg_rule_lexer_t){file, text, 1, 1};
    if (fg_str_starts(text, "\xef\xbb\xbf"))
        lexer->rest = (fg_str_t){text.p + 3, text.n - 3};
}

/* Moves on; lines end with LF, columns count characters of UTF-8. */
static void pass(fg_rule_lexer_t *lexer, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)lexer->rest.p[i];
        if (c == '\n') {
            lexer->line++;
            lexer->column = 1;
        } else if ((c & 0xc0) != 0x80) {
            lexer->column++;
        }
    }
    lexer->rest.p += length;
    lexer->rest.n -= length;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static size_t line_length(fg_str_t text) {
    const char *end = memchr(text.p, '\n', text.n);
    return end ? (size_t)(end - text.p) : text.n;
}

/* Length of a comment at the beginning of text; 0: there is none, or none that ends. */
static size_t comment_length(fg_str_t text) {
    if (fg_str_starts(text, "//") || fg_str_starts(text, "#"))
        return line_length(text);
    if (!fg_str_starts(text, "/*"))
        return 0;
    const char *end = memmem(text.p + 2, text.n - 2, "*/", 2);
    return end ? (size_t)(end - text.p) + 2 : 0;
}

static void pass_blanks(fg_rule_lexer_t *lexer) {
    for (size_t length = 1; length > 0; pass(lexer, length)) {
        length = 0;
        while (length < lexer->rest.n && is_space(lexer->rest.p[length]))
            length++;
        if (length == 0)
            length = comment_length(lexer->rest);
    }
}

static fg_rule_token_t take(fg_rule_lexer_t *lexer, fg_rule_token_kind_t kind, size_t length) {
    fg_rule_token_t token = {kind, {lexer->rest.p, length}, lexer->line, lexer->column, NULL};
    pass(lexer, length);
    return token;
}

static fg_rule_token_t bad(const fg_rule_lexer_t *lexer, size_t length, const char *expected) {
    return (fg_rule_token_t){FG_RULE_BAD, {lexer->rest.p, length}, lexer->line, lexer->column, expected};
}

/* A text has no escapes, and no double quote inside ("The Claim Rule Language", note); a back slash is itself. */
static fg_rule_token_t take_text(fg_rule_lexer_t *lexer) {
    size_t length = 1;
    while (length < lexer->rest.n && lexer->rest.p[length] != '"') {
        unsigned char c = (unsigned char)lexer->rest.p[length];
        if (c == '\n' || c == '\r')
            return bad(lexer, length, "a text that ends with \" on its line");
        if (c < 0x20 && c != '\t')
            return bad(lexer, length, "a text without control characters");
        length++;
    }
    if (length == lexer->rest.n)
        return bad(lexer, length, "a text that ends with \"");
    fg_rule_token_t token = take(lexer, FG_RULE_TEXT, length + 1);
    token.text = (fg_str_t){token.text.p + 1, length - 1};
    return token;
}

static fg_rule_token_t take_unknown(const fg_rule_lexer_t *lexer) {
    static const char *const curly[] = {"\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e"};
    if (fg_str_starts(lexer->rest, "/*"))
        return bad(lexer, 2, "a comment that ends with */");
    for (size_t i = 0; i < FG_ARRAY_SIZE(curly); i++)
        if (fg_str_starts(lexer->rest, curly[i]))
            return bad(lexer, 3, "a text in straight quotes (\")");
    size_t length = 1;
    while (length < lexer->rest.n && ((unsigned char)lexer->rest.p[length] & 0xc0) == 0x80)
        length++;
    return bad(lexer, length, "a word, a text or an operator of the claim rule language");
}

fg_rule_token_t fg_rule_lexer_next(fg_rule_lexer_t *lexer) {
    pass_blanks(lexer);
    size_t length = 0;
    if (lexer->rest.n == 0)
        return take(lexer, FG_RULE_END, 0);
    if (lexer->rest.p[0] == '"')
        return take_text(lexer);
    while (length < lexer->rest.n && is_digit(lexer->rest.p[length]))
        length++;
    if (length > 0)
        return take(lexer, FG_RULE_NUMBER, length);
    while (length < lexer->rest.n &&
           (is_letter(lexer->rest.p[length]) || (length > 0 && is_digit(lexer->rest.p[length]))))
        length++;
    if (length > 0)
        return take(lexer, FG_RULE_WORD, length);
    for (size_t i = 0; i < FG_ARRAY_SIZE(signs); i++)
        if (fg_str_starts(lexer->rest, signs[i]))
            return take(lexer, FG_RULE_SIGN, strlen(signs[i]));
    return take_unknown(lexer);
}
