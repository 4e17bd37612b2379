/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/config_text.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/spell.h"

/* ---- errors */

bool fg_config_fail(fg_err_t *err, const fg_config_text_t *text, const fg_config_mark_t *at, const char *found,
                    const char *nearest, const char *expected, ...) {
    char wanted[320], what[120];
    va_list arguments;
    va_start(arguments, expected);
    vsnprintf(wanted, sizeof wanted, expected, arguments);
    va_end(arguments);
    if (found != NULL)
        snprintf(what, sizeof what, "%s", found);
    else if (at->found.n == 0)
        snprintf(what, sizeof what, "the end of the file");
    else
        snprintf(what, sizeof what, at->found.p[0] == '"' || at->found.p[0] == '\'' ? "%.*s" : "\"%.*s\"",
                 at->found.n > 80 ? 80 : (int)at->found.n, at->found.p);
    return FG_FAIL(err, FG_E_CONFIG, "%s:%u:%u: found %s, expected %s%s%s%s", text->path, at->line, at->column, what,
                   wanted, nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

/* ---- tokens */

typedef enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_SIGN, TOKEN_BAD } token_kind_t;

typedef struct walk {
    fg_arena_t *arena;
    fg_config_text_t *text;
    const fg_config_grammar_t *grammar;
    fg_err_t *err;
    const char *at;
    unsigned line, column; /* of at */
    token_kind_t kind;     /* of the present token */
    fg_config_mark_t token;
    const char *expected;               /* what a bad token should have been */
    const fg_config_section_t *section; /* where the walk is; NULL: outside */
    unsigned section_index;
    size_t section_mark; /* where the section's marks begin */
} walk_t;

/* Columns count characters, not bytes. */
static void step(walk_t *w) {
    if (*w->at == '\n')
        w->line++, w->column = 1;
    else if (((unsigned char)w->at[1] & 0xc0) != 0x80)
        w->column++;
    w->at++;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == ':';
}

/* "#", "//" to the line's end, or C's.  False: a C comment does not end. */
static bool skip_comment(walk_t *w) {
    if (w->at[0] == '#' || w->at[1] == '/') {
        while (*w->at != '\0' && *w->at != '\n')
            step(w);
        return true;
    }
    for (step(w), step(w); *w->at != '\0'; step(w))
        if (w->at[0] == '*' && w->at[1] == '/') {
            step(w), step(w);
            return true;
        }
    return false;
}

static void bad(walk_t *w, const char *begin, const char *expected) {
    w->kind = TOKEN_BAD;
    w->token.found = (fg_str_t){begin, (size_t)(w->at - begin)};
    w->expected = expected;
}

/* A string ends on its line.  libConfuse would put the environment in for "${": a configuration that means something
 * else for the command than for the server is refused. */
static void read_string(walk_t *w) {
    const char *begin = w->at;
    char quote = *begin;
    for (step(w); *w->at != quote; step(w)) {
        if (*w->at == '\0' || *w->at == '\n') {
            bad(w, begin, "a string that ends on its line");
            return;
        }
        if (quote == '"' && w->at[0] == '$' && w->at[1] == '{') {
            bad(w, begin, "no reference to the environment (\"${\")");
            return;
        }
        if (*w->at == '\\') {
            step(w);
            if (*w->at != quote && *w->at != '\\') {
                bad(w, begin, "no escape but \\\\ and an escaped quote");
                return;
            }
        }
    }
    step(w);
    w->kind = TOKEN_STRING;
    w->token.found = (fg_str_t){begin, (size_t)(w->at - begin)};
}

static void next(walk_t *w) {
    while (is_space(*w->at) || *w->at == '#' || (*w->at == '/' && (w->at[1] == '/' || w->at[1] == '*'))) {
        const char *begin = w->at;
        w->token.line = w->line, w->token.column = w->column;
        if (is_space(*w->at)) {
            step(w);
        } else if (!skip_comment(w)) {
            w->at = begin + 2;
            bad(w, begin, "a comment that ends with \"*/\"");
            return;
        }
    }
    const char *begin = w->at;
    w->token.line = w->line, w->token.column = w->column;
    w->token.found = FG_STR_NONE;
    w->kind = TOKEN_END;
    if (*begin == '\0')
        return;
    if (*begin == '"' || *begin == '\'') {
        read_string(w);
        return;
    }
    step(w);
    w->kind = TOKEN_SIGN;
    if (is_word(*begin)) {
        w->kind = TOKEN_WORD;
        while (is_word(*w->at))
            step(w);
    } else if (strchr("={},", *begin) == NULL) {
        while (((unsigned char)*w->at & 0xc0) == 0x80)
            w->at++;
        bad(w, begin, "a name, or a value in quotes");
        return;
    }
    w->token.found = (fg_str_t){begin, (size_t)(w->at - begin)};
}

/* ---- the walk */

static bool refuse(walk_t *w, const char *nearest, const char *expected) {
    return fg_config_fail(w->err, w->text, &w->token, NULL, nearest, "%s",
                          w->kind == TOKEN_BAD ? w->expected : expected);
}

static bool is_sign(const walk_t *w, char c) { return w->kind == TOKEN_SIGN && w->token.found.p[0] == c; }

static bool mark(walk_t *w, fg_config_mark_kind_t kind, fg_str_t name, unsigned value_index,
                 const fg_config_mark_t *token) {
    fg_config_text_t *text = w->text;
    if (text->mark_count == text->mark_room) {
        size_t room = text->mark_room ? text->mark_room * 2 : 64;
        fg_config_mark_t *marks = fg_arena_alloc(w->arena, room * sizeof *marks);
        if (marks == NULL)
            return FG_FAIL(w->err, FG_E_MEMORY, "reading %s", text->path);
        if (text->mark_count > 0)
            memcpy(marks, text->marks, text->mark_count * sizeof *marks);
        text->marks = marks;
        text->mark_room = room;
    }
    fg_config_mark_t *m = &text->marks[text->mark_count++];
    *m = *token;
    m->kind = kind;
    m->section = w->section;
    m->section_index = w->section_index;
    m->name = name;
    m->value_index = value_index;
    return true;
}

/* The words that may stand here, for the nearest spelling. */
static const char *nearest_name(const walk_t *w) {
    const char *words[64];
    size_t n = 0;
    const fg_config_option_t *options = w->section ? w->section->options : w->grammar->options;
    size_t count = w->section ? w->section->option_count : w->grammar->option_count;
    for (size_t i = 0; i < count && n < 64; i++)
        words[n++] = options[i].name;
    for (size_t i = 0; w->section == NULL && i < w->grammar->section_count && n < 64; i++)
        words[n++] = w->grammar->sections[i].name;
    char word[64];
    snprintf(word, sizeof word, "%.*s", FG_STR_ARG(w->token.found));
    return fg_spell_nearest(word, words, n);
}

static bool unknown_name(walk_t *w) {
    char expected[160];
    if (w->section != NULL)
        snprintf(expected, sizeof expected, "an option of %s", w->section->name);
    else
        snprintf(expected, sizeof expected, "an option or a section of %s", w->grammar->whole);
    return refuse(w, w->kind == TOKEN_WORD ? nearest_name(w) : NULL, expected);
}

static const fg_config_option_t *find_option(const walk_t *w, fg_str_t name) {
    const fg_config_option_t *options = w->section ? w->section->options : w->grammar->options;
    size_t count = w->section ? w->section->option_count : w->grammar->option_count;
    for (size_t i = 0; i < count; i++)
        if (fg_str_is(name, options[i].name))
            return &options[i];
    return NULL;
}

static bool walk_value(walk_t *w, fg_str_t name, unsigned index) {
    if (w->kind != TOKEN_STRING && w->kind != TOKEN_WORD)
        return refuse(w, NULL, "a value");
    if (!mark(w, FG_MARK_VALUE, name, index, &w->token))
        return false;
    next(w);
    return true;
}

static bool walk_list(walk_t *w, fg_str_t name) {
    unsigned index = 0;
    next(w);
    while (!is_sign(w, '}')) {
        if (!walk_value(w, name, index++))
            return false;
        if (is_sign(w, ','))
            next(w);
        else if (!is_sign(w, '}'))
            return refuse(w, NULL, "\",\" or \"}\"");
    }
    next(w);
    return true;
}

static const fg_config_mark_t *seen_before(const walk_t *w, fg_config_mark_kind_t kind, fg_str_t name) {
    for (size_t i = w->section_mark; i < w->text->mark_count; i++) {
        const fg_config_mark_t *m = &w->text->marks[i];
        if (m->kind == kind && m->section == w->section && fg_str_eq(m->name, name))
            return m;
    }
    return NULL;
}

static bool walk_option(walk_t *w, const fg_config_option_t *option, const fg_config_mark_t *at) {
    fg_str_t name = at->found;
    const fg_config_mark_t *before = seen_before(w, FG_MARK_OPTION, name);
    if (before != NULL)
        return fg_config_fail(w->err, w->text, at, NULL, NULL, "it only once (it stands in line %u already)",
                              before->line);
    if (!mark(w, FG_MARK_OPTION, name, 0, at))
        return false;
    if (!is_sign(w, '='))
        return refuse(w, NULL, "\"=\"");
    next(w);
    if (!is_sign(w, '{'))
        return walk_value(w, name, 0);
    if (!option->list)
        return refuse(w, NULL, option->kind->expected);
    return walk_list(w, name);
}

static bool walk_items(walk_t *w);

static bool walk_section(walk_t *w, const fg_config_section_t *section, const fg_config_mark_t *at) {
    fg_str_t title = FG_STR("");
    unsigned index = 0;
    for (size_t i = 0; i < w->text->mark_count; i++)
        index += w->text->marks[i].kind == FG_MARK_SECTION && w->text->marks[i].section == section;
    if (section->titled) {
        if (w->kind != TOKEN_STRING && w->kind != TOKEN_WORD)
            return refuse(w, NULL, "a name for it in quotes");
        title = w->token.found;
        if (w->kind == TOKEN_STRING)
            title = (fg_str_t){title.p + 1, title.n - 2};
        if (title.n == 0)
            return refuse(w, NULL, "a name for it in quotes");
    }
    w->section = section;
    w->section_index = index;
    w->section_mark = 0;
    const fg_config_mark_t *before = seen_before(w, FG_MARK_SECTION, title);
    if (before != NULL)
        return fg_config_fail(w->err, w->text, section->titled ? &w->token : at, NULL, NULL,
                              "%s (there is one in line %u already)",
                              section->titled ? "another name" : "this section only once", before->line);
    if (!mark(w, FG_MARK_SECTION, title, 0, at))
        return false;
    if (section->titled)
        next(w);
    if (!is_sign(w, '{'))
        return refuse(w, NULL, "\"{\"");
    next(w);
    w->section_mark = w->text->mark_count;
    if (!walk_items(w))
        return false;
    if (!is_sign(w, '}'))
        return refuse(w, NULL, "\"}\"");
    next(w);
    w->section = NULL;
    w->section_mark = 0;
    return true;
}

static const fg_config_section_t *find_section(const walk_t *w, fg_str_t name) {
    for (size_t i = 0; w->section == NULL && i < w->grammar->section_count; i++)
        if (fg_str_is(name, w->grammar->sections[i].name))
            return &w->grammar->sections[i];
    return NULL;
}

static bool walk_items(walk_t *w) {
    while (w->kind != TOKEN_END && !is_sign(w, '}')) {
        const fg_config_option_t *option = w->kind == TOKEN_WORD ? find_option(w, w->token.found) : NULL;
        const fg_config_section_t *section = w->kind == TOKEN_WORD ? find_section(w, w->token.found) : NULL;
        if (option == NULL && section == NULL)
            return unknown_name(w);
        fg_config_mark_t at = w->token;
        next(w);
        if (!(option != NULL ? walk_option(w, option, &at) : walk_section(w, section, &at)))
            return false;
    }
    return true;
}

bool fg_config_text_read(fg_arena_t *arena, const char *path, fg_str_t bytes, const fg_config_grammar_t *grammar,
                         fg_config_text_t *text, fg_err_t *err) {
    *text = (fg_config_text_t){.path = path, .bytes = bytes};
    if (!fg_str_is_utf8(bytes))
        return FG_FAIL(err, FG_E_CONFIG, "%s:1:1: found bytes that are not UTF-8, expected UTF-8 text", path);
    walk_t w = {.arena = arena, .text = text, .grammar = grammar, .err = err, .at = bytes.p, .line = 1, .column = 1};
    next(&w);
    if (!walk_items(&w))
        return false;
    return w.kind == TOKEN_END || unknown_name(&w);
}

const fg_config_mark_t *fg_config_text_find(const fg_config_text_t *text, const fg_config_section_t *section,
                                            unsigned section_index, const char *option, unsigned value_index) {
    static const fg_config_mark_t beginning = {.found = {"", 0}, .line = 1, .column = 1};
    const fg_config_mark_t *best = &beginning;
    for (size_t i = 0; i < text->mark_count; i++) {
        const fg_config_mark_t *m = &text->marks[i];
        if (m->section != section || m->section_index != section_index)
            continue;
        if (m->kind == FG_MARK_SECTION)
            best = m;
        if (option == NULL || m->kind == FG_MARK_SECTION || !fg_str_is(m->name, option))
            continue;
        if (m->kind == FG_MARK_OPTION)
            best = m;
        else if (m->value_index == value_index)
            return m;
    }
    return best;
}
