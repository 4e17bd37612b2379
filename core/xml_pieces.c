/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/xml_pieces.h"

#include <stdint.h>

#define NOWHERE SIZE_MAX

void fg_xml_pieces_begin(fg_xml_pieces_t *pieces, fg_str_t document, const char *container) {
    *pieces = (fg_xml_pieces_t){.document = document, .container = container};
}

/* ---- bytes */

static bool fail(const fg_xml_pieces_t *p, fg_err_t *err) {
    return FG_FAIL(err, FG_E_XML_MALFORMED, "tags do not fit each other at byte %zu", p->at);
}

static fg_str_t rest_of(const fg_xml_pieces_t *p, size_t at) {
    return (fg_str_t){p->document.p + at, p->document.n - at};
}

static bool begins(const fg_xml_pieces_t *p, size_t at, const char *text) {
    fg_str_t rest = rest_of(p, at);
    size_t length = strlen(text);
    return rest.n >= length && memcmp(rest.p, text, length) == 0;
}

/* The position behind the next occurrence of text. */
static size_t behind(const fg_xml_pieces_t *p, size_t at, const char *text) {
    fg_str_t rest = rest_of(p, at);
    const char *found = memmem(rest.p, rest.n, text, strlen(text));
    return found ? (size_t)(found - p->document.p) + strlen(text) : NOWHERE;
}

/* The position behind a tag's '>', which may also stand in attribute values. */
static size_t behind_tag(const fg_xml_pieces_t *p, size_t at) {
    const char *end = p->document.p + p->document.n, *c = p->document.p + at;
    while (c != NULL && c < end && *c != '>') {
        if (*c == '"' || *c == '\'')
            c = memchr(c + 1, *c, (size_t)(end - c - 1));
        c = c ? c + 1 : NULL;
    }
    return c != NULL && c < end ? (size_t)(c - p->document.p) + 1 : NOWHERE;
}

static fg_str_t name_at(const fg_xml_pieces_t *p, size_t at) {
    fg_str_t rest = rest_of(p, at);
    size_t length = 0;
    while (length < rest.n && strchr(" \t\r\n/>", rest.p[length]) == NULL)
        length++;
    return (fg_str_t){rest.p, length};
}

static fg_str_t local_name(fg_str_t name) {
    const char *colon = memchr(name.p, ':', name.n);
    return colon ? (fg_str_t){colon + 1, name.n - (size_t)(colon + 1 - name.p)} : name;
}

/* Behind a comment or a CDATA section; at itself: it is neither. */
static size_t behind_section(const fg_xml_pieces_t *p, size_t at) {
    if (begins(p, at, "<!--"))
        return behind(p, at + 4, "-->");
    return begins(p, at, "<![CDATA[") ? behind(p, at, "]]>") : at;
}

/* Behind the element that begins at at. */
static size_t behind_element(const fg_xml_pieces_t *p, size_t at) {
    unsigned depth = 0;
    do {
        const char *markup = memchr(p->document.p + at, '<', p->document.n - at);
        if (markup == NULL)
            return NOWHERE;
        size_t from = (size_t)(markup - p->document.p);
        at = behind_section(p, from);
        if (at != from) /* a section, or one without end */
            continue;
        bool end_tag = begins(p, from, "</");
        at = behind_tag(p, from);
        if (end_tag)
            depth--;
        else if (at != NOWHERE && p->document.p[at - 2] != '/')
            depth++;
    } while (at != NOWHERE && depth > 0);
    return at;
}

/* ---- cuts */

static void cut_piece(fg_xml_pieces_t *p, size_t element, size_t to) {
    p->bytes = (fg_str_t){p->document.p + p->at, to - p->at};
    p->element = element - p->at;
    p->at = to;
}

static bool open_container(fg_xml_pieces_t *p, size_t end, fg_err_t *err) {
    if (p->depth == FG_XML_PIECES_DEPTH)
        return FG_FAIL(err, FG_E_XML_LIMIT, "more than %u %s in each other", FG_XML_PIECES_DEPTH, p->container);
    p->bytes = (fg_str_t){p->document.p + p->at, end - p->at};
    p->open[p->depth].tag = p->bytes;
    p->open[p->depth++].name = name_at(p, p->at + 1);
    p->at = end;
    return true;
}

static bool close_container(fg_xml_pieces_t *p, fg_err_t *err) {
    size_t end = behind_tag(p, p->at);
    if (end == NOWHERE || !fg_str_eq(name_at(p, p->at + 2), p->open[p->depth - 1].name))
        return fail(p, err);
    p->bytes = (fg_str_t){p->document.p + p->at, end - p->at};
    p->depth--;
    p->at = end;
    return true;
}

/* A container that is not empty; *end: behind its start tag. */
static bool is_container(const fg_xml_pieces_t *p, size_t at, size_t *end) {
    *end = behind_tag(p, at);
    return fg_str_is(local_name(name_at(p, at + 1)), p->container) && *end != NOWHERE && p->document.p[*end - 2] != '/';
}

/* At markup that is no section: a tag. */
static bool cut_at_tag(fg_xml_pieces_t *p, size_t tag, fg_xml_cut_t *cut, fg_err_t *err) {
    size_t end;
    bool close = begins(p, tag, "</"), open = !close && is_container(p, tag, &end);
    if ((close || open) && tag > p->at) { /* what stands before it first */
        *cut = FG_XML_CUT_PIECE;
        cut_piece(p, tag, tag);
        return true;
    }
    *cut = close ? FG_XML_CUT_CLOSE : open ? FG_XML_CUT_OPEN : FG_XML_CUT_PIECE;
    if (close)
        return close_container(p, err);
    if (open)
        return open_container(p, end, err);
    end = behind_element(p, tag);
    if (end == NOWHERE)
        return fail(p, err);
    cut_piece(p, tag, end);
    return true;
}

/* Moves to the root's start tag, over the XML declaration and comments. */
static bool find_root(fg_xml_pieces_t *p) {
    for (size_t at = 0;;) {
        const char *markup = memchr(p->document.p + at, '<', p->document.n - at);
        if (markup == NULL)
            return false;
        p->at = (size_t)(markup - p->document.p);
        at = begins(p, p->at, "<?") ? behind(p, p->at, "?>") : behind_section(p, p->at);
        if (at == NOWHERE || at == p->at)
            return at != NOWHERE;
    }
}

fg_str_t fg_xml_pieces_root(fg_str_t document) {
    fg_xml_pieces_t pieces = {.document = document};
    return find_root(&pieces) ? local_name(name_at(&pieces, pieces.at + 1)) : FG_STR_NONE;
}

static bool open_root(fg_xml_pieces_t *p, fg_xml_cut_t *cut, fg_err_t *err) {
    size_t end;
    if (!find_root(p))
        return fail(p, err);
    *cut = FG_XML_CUT_OPEN;
    if (!is_container(p, p->at, &end))
        return FG_FAIL(err, FG_E_XML_STRUCTURE, "the root is no %s with something in it", p->container);
    return open_container(p, end, err);
}

bool fg_xml_pieces_next(fg_xml_pieces_t *p, fg_xml_cut_t *cut, fg_err_t *err) {
    *cut = FG_XML_CUT_END;
    if (p->depth == 0)
        return p->at > 0 || open_root(p, cut, err);
    for (size_t at = p->at;;) {
        const char *markup = memchr(p->document.p + at, '<', p->document.n - at);
        if (markup == NULL)
            return fail(p, err);
        size_t from = (size_t)(markup - p->document.p);
        at = behind_section(p, from);
        if (at == NOWHERE)
            return fail(p, err);
        if (at == from)
            return cut_at_tag(p, from, cut, err);
    }
}

void fg_xml_pieces_wrap(const fg_xml_pieces_t *p, fg_str_t content, fg_buf_t *out) {
    for (unsigned i = 0; i < p->depth; i++)
        fg_buf_put_str(out, p->open[i].tag);
    fg_buf_put_str(out, content);
    for (unsigned i = p->depth; i > 0; i--) {
        fg_buf_puts(out, "</");
        fg_buf_put_str(out, p->open[i - 1].name);
        fg_buf_putc(out, '>');
    }
}
