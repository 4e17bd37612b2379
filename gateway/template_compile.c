/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Compiling: a page, the files it includes and the texts of one language become one list of operations. */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/template_ops.h"

#define OPS_MAX 4096u

/* An open section: what opened it, and where in the document that was. */
typedef struct opening {
    size_t op;
    fg_html_scan_t scan;
} opening_t;

typedef struct compiler {
    fg_template_t *template;
    const fg_template_parts_t *parts;
    fg_err_t *err;
    fg_html_scan_t scan;
    opening_t openings[FG_TEMPLATE_SECTIONS];
    size_t depth;
    size_t base;  /* depth at the beginning of the present file: it closes only what it opened */
    size_t files; /* nested */
} compiler_t;

typedef struct source {
    const char *path;
    fg_str_t text;
    size_t at;
} source_t;

static bool compile_file(compiler_t *c, fg_str_t name);

/* "FILE:LINE:COLUMN: found …, expected …"; columns count characters, not bytes. */
static bool refuse(const compiler_t *c, const source_t *s, fg_str_t found, const char *expected) {
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < s->at; i++) {
        column += ((unsigned char)s->text.p[i] & 0xc0) != 0x80;
        if (s->text.p[i] == '\n')
            line++, column = 1;
    }
    int length = (int)(found.n > 60 ? 60 : found.n);
    return FG_FAIL(c->err, FG_E_CONFIG, "%s:%u:%u: found \"%.*s\", expected %s", s->path, line, column, length, found.p,
                   expected);
}

static bool add(compiler_t *c, fg_op_t op) {
    fg_template_t *t = c->template;
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 64;
        fg_op_t *ops = capacity > OPS_MAX ? NULL : reallocarray(t->ops, capacity, sizeof *ops);
        if (ops == NULL)
            return FG_FAIL(c->err, FG_E_MEMORY, "a page of more than %u parts", OPS_MAX);
        t->ops = ops;
        t->capacity = capacity;
    }
    t->ops[t->count++] = op;
    return true;
}

static bool add_literal(compiler_t *c, fg_str_t text) {
    if (text.n == 0)
        return true;
    fg_html_scan_add(&c->scan, text);
    return add(c, (fg_op_t){.kind = FG_OP_LITERAL, .text = text});
}

/* A name of the model; also what stands between the braces of a text's placeholder. */
static bool is_name(fg_str_t name) {
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!(c >= 'a' && c <= 'z') && !(i > 0 && ((c >= '0' && c <= '9') || c == '_')))
            return false;
    }
    return name.n > 0 && name.n <= 40;
}

static bool is_key(fg_str_t key) {
    for (size_t i = 0; i < key.n; i++)
        if (!(key.p[i] >= 'a' && key.p[i] <= 'z') && !(key.p[i] >= '0' && key.p[i] <= '9') && key.p[i] != '_' &&
            key.p[i] != '.')
            return false;
    return key.n > 0 && key.n <= 60;
}

/* ---- texts */

static bool text_placeholder(compiler_t *c, source_t *s, fg_html_place_t place) {
    const char *end = memchr(s->text.p + s->at, '}', s->text.n - s->at);
    fg_str_t rest = {s->text.p + s->at, s->text.n - s->at};
    if (end == NULL)
        return refuse(c, s, rest, "'}' after a placeholder's name");
    fg_str_t name = {rest.p + 1, (size_t)(end - rest.p) - 1};
    if (!is_name(name))
        return refuse(c, s, rest, "a placeholder like {application}");
    s->at += name.n + 2;
    return add(c, (fg_op_t){.kind = FG_OP_VALUE, .place = place, .text = name});
}

/* The words of a text and its {placeholders}. */
static bool add_text(compiler_t *c, source_t *s, fg_html_place_t place) {
    while (s->at < s->text.n) {
        size_t from = s->at;
        while (s->at < s->text.n && s->text.p[s->at] != '{' && s->text.p[s->at] != '}')
            s->at++;
        if (s->at > from &&
            !add(c, (fg_op_t){.kind = FG_OP_TEXT, .place = place, .text = {s->text.p + from, s->at - from}}))
            return false;
        if (s->at == s->text.n)
            return true;
        if (s->text.p[s->at] == '}')
            return refuse(c, s, FG_STR("}"), "'{' before it");
        if (!text_placeholder(c, s, place))
            return false;
    }
    return true;
}

static bool tag_text(compiler_t *c, source_t *s, fg_str_t key, fg_html_place_t place) {
    const char *path = "";
    if (place == FG_HTML_WORD || place == FG_HTML_URL)
        return refuse(c, s, key, "texts only between tags and in attributes that hold no address");
    fg_str_t text = is_key(key) && c->parts->text != NULL ? c->parts->text(c->parts->context, key, &path) : FG_STR_NONE;
    if (text.p == NULL)
        return refuse(c, s, key, "the key of a text");
    source_t inner = {path, text, 0};
    return add_text(c, &inner, place) || fg_err_prefix(c->err, "text %.*s", FG_STR_ARG(key));
}

/* ---- tags; s stands at the tag's beginning */

static bool tag_value(compiler_t *c, source_t *s, fg_str_t name) {
    fg_html_place_t place = fg_html_scan_place(&c->scan);
    if (place == FG_HTML_REFUSED)
        return refuse(
            c, s, name,
            "values only between tags and inside quotes, not in scripts, styles of elements and event handlers");
    if (fg_str_starts(name, "t."))
        return tag_text(c, s, (fg_str_t){name.p + 2, name.n - 2}, place);
    if (!is_name(name))
        return refuse(c, s, name, "a name of lower-case letters, digits and '_'");
    return add(c, (fg_op_t){.kind = FG_OP_VALUE, .place = place, .text = name});
}

static bool section_begin(compiler_t *c, source_t *s, fg_str_t name, fg_op_kind_t kind) {
    if (!is_name(name))
        return refuse(c, s, name, "a name of lower-case letters, digits and '_'");
    if (c->depth == FG_TEMPLATE_SECTIONS)
        return refuse(c, s, name, "at most 8 sections within each other");
    c->openings[c->depth++] = (opening_t){c->template->count, c->scan};
    return add(c, (fg_op_t){.kind = kind, .text = name});
}

static bool tag_each(compiler_t *c, source_t *s, fg_str_t name) { return section_begin(c, s, name, FG_OP_EACH); }
static bool tag_if(compiler_t *c, source_t *s, fg_str_t name) { return section_begin(c, s, name, FG_OP_IF); }
static bool tag_unless(compiler_t *c, source_t *s, fg_str_t name) { return section_begin(c, s, name, FG_OP_UNLESS); }

static bool tag_end(compiler_t *c, source_t *s, fg_str_t name) {
    if (c->depth == c->base)
        return refuse(c, s, name, "a section opened before it in the same file");
    opening_t *opening = &c->openings[c->depth - 1];
    fg_op_t *begin = &c->template->ops[opening->op];
    if (!fg_str_eq(begin->text, name)) {
        char expected[80];
        snprintf(expected, sizeof expected, "the end of section \"%.*s\"", FG_STR_ARG(begin->text));
        return refuse(c, s, name, expected);
    }
    /* a section may run never or often: what follows must stand at the same place of the document either way */
    if (!fg_html_scan_eq(&opening->scan, &c->scan))
        return refuse(c, s, name, "the section's end at the same place of the HTML (tag, attribute) as its beginning");
    begin->jump = c->template->count;
    c->depth--;
    return add(c, (fg_op_t){.kind = FG_OP_END, .jump = opening->op});
}

static bool tag_file(compiler_t *c, source_t *s, fg_str_t name) {
    for (size_t i = 0; i < name.n; i++)
        if (!(name.p[i] >= 'a' && name.p[i] <= 'z') && (i == 0 || (name.p[i] != '_' && name.p[i] != '.')))
            return refuse(c, s, name, "a file name of lower-case letters, '_' and '.'");
    if (name.n == 0 || c->files == FG_TEMPLATE_FILES)
        return refuse(c, s, name, "a file name, and at most 4 files within each other");
    return compile_file(c, name) || fg_err_prefix(c->err, "in %s", s->path);
}

static bool tag_comment(compiler_t *c, source_t *s, fg_str_t name) {
    (void)c, (void)s, (void)name;
    return true;
}

static bool tag(compiler_t *c, source_t *s) {
    static const struct {
        char sign;
        bool (*compile)(compiler_t *, source_t *, fg_str_t);
    } table[] = {{'#', tag_each}, {'?', tag_if},   {'^', tag_unless},
                 {'/', tag_end},  {'>', tag_file}, {'!', tag_comment}};

    fg_str_t rest = {s->text.p + s->at, s->text.n - s->at};
    const char *end = memmem(rest.p, rest.n, "}}", 2);
    if (end == NULL)
        return refuse(c, s, rest, "\"}}\" at the end of a tag");
    fg_str_t inside = {rest.p + 2, (size_t)(end - rest.p) - 2};
    bool (*compile)(compiler_t *, source_t *, fg_str_t) = tag_value;
    for (size_t i = 0; i < FG_ARRAY_SIZE(table) && inside.n > 0; i++)
        if (inside.p[0] == table[i].sign)
            compile = table[i].compile;
    size_t skip = compile == tag_value ? 0 : 1;
    if (!compile(c, s, fg_str_trim((fg_str_t){inside.p + skip, inside.n - skip})))
        return false;
    s->at += inside.n + 4;
    return true;
}

static bool compile_source(compiler_t *c, source_t *s) {
    size_t outer = c->base;
    c->base = c->depth;
    while (s->at < s->text.n) {
        fg_str_t rest = {s->text.p + s->at, s->text.n - s->at};
        const char *next = memmem(rest.p, rest.n, "{{", 2);
        fg_str_t literal = {rest.p, next ? (size_t)(next - rest.p) : rest.n};
        if (!add_literal(c, literal))
            return false;
        s->at += literal.n;
        if (next != NULL && !tag(c, s))
            return false;
    }
    if (c->depth > c->base)
        return refuse(c, s, FG_STR("end of file"), "the end of an open section");
    c->base = outer;
    return true;
}

static bool compile_file(compiler_t *c, fg_str_t name) {
    source_t s = {0};
    if (!c->parts->file(c->parts->context, name, &s.path, &s.text, c->err))
        return false;
    c->files++;
    bool ok = compile_source(c, &s);
    c->files--;
    if (ok && c->files == 0 && c->scan.state != FG_HTML_IN_DATA)
        return refuse(c, &s, FG_STR("end of file"), "the end of a tag, comment, script or style");
    return ok;
}

fg_template_t *fg_template_compile(const char *name, const fg_template_parts_t *parts, fg_err_t *err) {
    compiler_t c = {.template = calloc(1, sizeof(fg_template_t)), .parts = parts, .err = err};
    if (c.template == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "template");
        return NULL;
    }
    if (compile_file(&c, fg_str(name)))
        return c.template;
    fg_template_free(c.template);
    return NULL;
}
