/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The scan before the parser: one pass over the bytes with constant memory, so that no limit depends on what libxml2
 * has built by then.  It cuts the text into the same pieces as a parser does (tags, attribute values, comments, CDATA,
 * references) and refuses whatever it cannot cut; names and nesting of tags are left to the parser. */
#include "core/xml.h"

#include <stdint.h>

/* libxml2 refuses deeper documents itself unless told otherwise */
#define DEPTH_MAX 256u

const fg_xml_limits_t fg_xml_default_limits = {
    .bytes = 256u << 10, .depth = 64, .elements = 20000, .attributes = 64, .namespaces = 64};

typedef struct scan {
    const unsigned char *start;
    const unsigned char *p;
    const unsigned char *end;
    const fg_xml_limits_t *limits;
    fg_err_t *err;
    unsigned depth;
    unsigned elements;
    unsigned namespaces;          /* declarations on the open elements */
    unsigned declared[DEPTH_MAX]; /* how many of them on the element at that depth */
    bool root_seen;
    bool cut; /* what is refused goes on to the end of the input */
} scan_t;

#define REFUSE(s, code, what) FG_FAIL((s)->err, (code), "%s at byte %zu", (what), (size_t)((s)->p - (s)->start))

static bool is_space(unsigned char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool at(const scan_t *s, const char *text) {
    size_t length = strlen(text);
    return (size_t)(s->end - s->p) >= length && memcmp(s->p, text, length) == 0;
}

/* Whether all that is left may be the beginning of text: the input was cut in it. */
static bool ends_within(scan_t *s, const char *text) {
    size_t left = (size_t)(s->end - s->p);
    s->cut = s->cut || (left < strlen(text) && memcmp(s->p, text, left) == 0);
    return s->cut;
}

static bool skip_space(scan_t *s) {
    const unsigned char *before = s->p;
    while (s->p < s->end && is_space(*s->p))
        s->p++;
    return s->p > before;
}

/* Moves behind the next occurrence of text. */
static bool skip_past(scan_t *s, const char *text) {
    size_t length = strlen(text);
    const unsigned char *found = memmem(s->p, (size_t)(s->end - s->p), text, length);
    if (found == NULL)
        return false;
    s->p = found + length;
    return true;
}

/* Char of XML 1.0 §2.2, as a character reference may name it. */
static bool is_xml_char(unsigned long c) {
    if (c < 0x20)
        return c == 0x9 || c == 0xa || c == 0xd;
    return c <= 0xd7ff || (c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff);
}

/* Whether any of eight bytes is outside ASCII or below the space, white space included. */
static bool has_odd_byte(const unsigned char *p) {
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return ((word | ((word - ones * 0x20) & ~word)) & high) != 0;
}

static bool check_character(scan_t *s, bool *is_high) {
    const unsigned char *p = s->p;
    if (*p < 0x20 && !is_space(*p))
        return REFUSE(s, *p ? FG_E_XML_MALFORMED : FG_E_XML_ENCODING, "control character");
    if (*p == 0xef && s->end - p > 2 && p[1] == 0xbf && p[2] >= 0xbe)
        return REFUSE(s, FG_E_XML_MALFORMED, "U+FFFE or U+FFFF");
    *is_high = *is_high || *p >= 0x80;
    return true;
}

/* Not UTF-8; or it was cut within a character: in its first, second or third byte (RFC 3629 §3). */
static bool refuse_encoding(const scan_t *s) {
    size_t length = (size_t)(s->end - s->start), back = 1;
    while (back < 4 && back < length && (s->end[-(ptrdiff_t)back] & 0xc0) == 0x80)
        back++;
    unsigned char lead = back <= length ? s->end[-(ptrdiff_t)back] : 0;
    size_t whole = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
    if (whole > back && fg_str_is_utf8((fg_str_t){(const char *)s->start, length - back}))
        return FG_FAIL_FOR(s->err, FG_E_XML_ENCODING, FG_R_INPUT_TRUNCATED, "the document ends within a character");
    return FG_FAIL(s->err, FG_E_XML_ENCODING, "not UTF-8");
}

/* The same over the raw bytes, which must be UTF-8 (XP-07, XP-08).  Most are plain ASCII: they go by eight at a time.
 */
static bool check_characters(scan_t *s) {
    bool is_high = false;
    for (s->p = s->start; s->p < s->end;) {
        if (s->end - s->p >= 8 && !has_odd_byte(s->p)) {
            s->p += 8;
            continue;
        }
        if (!check_character(s, &is_high))
            return false;
        s->p++;
    }
    if (is_high && !fg_str_is_utf8((fg_str_t){(const char *)s->start, (size_t)(s->end - s->start)}))
        return refuse_encoding(s);
    return true;
}

static int digit(unsigned char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static bool scan_character_reference(scan_t *s) {
    int base = 10;
    s->p += 2;
    if (s->p < s->end && *s->p == 'x') {
        base = 16;
        s->p++;
    }
    unsigned long value = 0;
    const unsigned char *first = s->p;
    for (; s->p < s->end && digit(*s->p) < base; s->p++) {
        value = value * (unsigned long)base + (unsigned long)digit(*s->p);
        if (value > 0x10ffff)
            return REFUSE(s, FG_E_XML_MALFORMED, "character reference beyond Unicode");
    }
    if (s->p == first || s->p == s->end || *s->p != ';' || !is_xml_char(value))
        return REFUSE(s, FG_E_XML_MALFORMED, "bad character reference");
    s->p++;
    return true;
}

/* At '&'.  The five predefined entities only: without a DOCTYPE there can be no other (XP-03). */
static bool scan_reference(scan_t *s) {
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
    if (at(s, "&#"))
        return scan_character_reference(s);
    for (size_t i = 0; i < FG_ARRAY_SIZE(entities); i++) {
        if (at(s, entities[i])) {
            s->p += strlen(entities[i]);
            return true;
        }
        ends_within(s, entities[i]);
    }
    return REFUSE(s, FG_E_XML_MALFORMED, "unknown entity");
}

/* Every reference from here to end, where it stops; none may reach beyond. */
static bool scan_references(scan_t *s, const unsigned char *end) {
    while ((s->p = memchr(s->p, '&', (size_t)(end - s->p))) != NULL) {
        if (!scan_reference(s))
            return false;
        if (s->p > end)
            return REFUSE(s, FG_E_XML_MALFORMED, "reference without end");
    }
    s->p = end;
    return true;
}

static bool scan_name(scan_t *s, fg_str_t *name) {
    static const bool ends[256] = {
        [' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true, ['/'] = true, ['>'] = true, ['='] = true,
        ['<'] = true, ['"'] = true,  ['\''] = true, ['&'] = true,  ['!'] = true, ['?'] = true};
    const unsigned char *first = s->p;
    while (s->p < s->end && !ends[*s->p])
        s->p++;
    *name = (fg_str_t){(const char *)first, (size_t)(s->p - first)};
    return name->n > 0 || REFUSE(s, FG_E_XML_MALFORMED, "name expected");
}

/* name S? = S? "value" */
static bool scan_attribute(scan_t *s, fg_str_t *name, fg_str_t *value) {
    if (!scan_name(s, name))
        return false;
    skip_space(s);
    if (!at(s, "="))
        return REFUSE(s, FG_E_XML_MALFORMED, "'=' expected");
    s->p++;
    skip_space(s);
    if (s->p == s->end || (*s->p != '"' && *s->p != '\''))
        return REFUSE(s, FG_E_XML_MALFORMED, "attribute value without quotes");
    const unsigned char *first = ++s->p, *close = memchr(first, first[-1], (size_t)(s->end - first));
    if (close == NULL) {
        s->cut = memchr(first, '<', (size_t)(s->end - first)) == NULL; /* else a quote is missing */
        return REFUSE(s, FG_E_XML_MALFORMED, "attribute value without end");
    }
    *value = (fg_str_t){(const char *)first, (size_t)(close - first)};
    if (memchr(first, '<', value->n) != NULL)
        return REFUSE(s, FG_E_XML_MALFORMED, "'<' in an attribute value");
    if (!scan_references(s, close))
        return false;
    s->p++;
    return true;
}

/* Counts one attribute or declaration of an element. */
static bool count_attribute(scan_t *s, fg_str_t name, unsigned *attributes, unsigned *declared) {
    if (fg_str_is(name, "xmlns") || fg_str_starts(name, "xmlns:")) {
        ++*declared;
        if (s->namespaces + *declared > s->limits->namespaces)
            return REFUSE(s, FG_E_XML_LIMIT, "too many namespace declarations in scope");
        return true;
    }
    if (++*attributes > s->limits->attributes)
        return REFUSE(s, FG_E_XML_LIMIT, "too many attributes");
    return true;
}

static bool scan_attributes(scan_t *s, unsigned *declared) {
    unsigned attributes = 0;
    for (;;) {
        fg_str_t name, value;
        bool space = skip_space(s);
        if (at(s, ">") || at(s, "/>"))
            return true;
        if (ends_within(s, "/>") || !space)
            return REFUSE(s, FG_E_XML_MALFORMED, "white space expected in a tag");
        if (!scan_attribute(s, &name, &value) || !count_attribute(s, name, &attributes, declared))
            return false;
    }
}

static bool scan_start_tag(scan_t *s) {
    fg_str_t name;
    unsigned declared = 0;
    if (s->depth == 0 && s->root_seen)
        return REFUSE(s, FG_E_XML_MALFORMED, "second root");
    if (s->depth >= s->limits->depth || s->depth >= DEPTH_MAX)
        return REFUSE(s, FG_E_XML_LIMIT, "too deep");
    if (++s->elements > s->limits->elements)
        return REFUSE(s, FG_E_XML_LIMIT, "too many elements");
    s->p++;
    if (!scan_name(s, &name) || !scan_attributes(s, &declared))
        return false;
    s->root_seen = true;
    if (at(s, "/>")) {
        s->p += 2;
        return true;
    }
    s->p++;
    s->declared[s->depth++] = declared;
    s->namespaces += declared;
    return true;
}

static bool scan_end_tag(scan_t *s) {
    fg_str_t name;
    if (s->depth == 0)
        return REFUSE(s, FG_E_XML_MALFORMED, "end tag without start tag");
    s->p += 2;
    if (!scan_name(s, &name))
        return false;
    skip_space(s);
    if (!at(s, ">"))
        return REFUSE(s, FG_E_XML_MALFORMED, "'>' expected");
    s->p++;
    s->namespaces -= s->declared[--s->depth];
    return true;
}

static bool scan_comment(scan_t *s) {
    s->p += 4;
    if (!skip_past(s, "--")) {
        s->cut = true;
        return REFUSE(s, FG_E_XML_MALFORMED, "comment without end");
    }
    if (!at(s, ">"))
        return REFUSE(s, FG_E_XML_MALFORMED, "comment without proper end");
    s->p++;
    return true;
}

static bool scan_cdata(scan_t *s) {
    if (s->depth == 0)
        return REFUSE(s, FG_E_XML_MALFORMED, "misplaced CDATA section");
    s->cut = !skip_past(s, "]]>");
    return !s->cut || REFUSE(s, FG_E_XML_MALFORMED, "CDATA section without end");
}

static bool scan_doctype(scan_t *s) { return REFUSE(s, FG_E_XML_DTD, "document type declaration"); }

static bool scan_declaration(scan_t *s) {
    s->cut = ends_within(s, "<!--") || ends_within(s, "<![CDATA[") || ends_within(s, "<!DOCTYPE");
    return REFUSE(s, FG_E_XML_MALFORMED, "unknown markup declaration");
}

static bool scan_instruction(scan_t *s) { return REFUSE(s, FG_E_XML_STRUCTURE, "processing instruction"); }

/* At '<'; the first row that fits. */
static bool scan_markup(scan_t *s) {
    static const struct {
        const char *begins;
        bool (*scan)(scan_t *);
    } kinds[] = {
        {"</", scan_end_tag},     {"<!--", scan_comment},   {"<![CDATA[", scan_cdata}, {"<!DOCTYPE", scan_doctype},
        {"<!", scan_declaration}, {"<?", scan_instruction}, {"<", scan_start_tag},
    };
    if (s->end - s->p > 1 && strchr("/!?", s->p[1]) == NULL) /* what most are */
        return scan_start_tag(s);
    size_t i = 0;
    while (!at(s, kinds[i].begins))
        i++;
    return kinds[i].scan(s);
}

static bool scan_text(scan_t *s) {
    if (s->depth == 0)
        return skip_space(s) || REFUSE(s, FG_E_XML_MALFORMED, "text outside the root element");
    const unsigned char *markup = memchr(s->p, '<', (size_t)(s->end - s->p));
    return scan_references(s, markup != NULL ? markup : s->end);
}

/* <?xml version="1.0" encoding="UTF-8" standalone="yes"?>; the order of its parts is the parser's to check. */
static bool scan_xml_declaration(scan_t *s) {
    if (s->end - s->p > 1 && ends_within(s, "<?xml "))
        return REFUSE(s, FG_E_XML_MALFORMED, "the XML declaration has no end");
    if (!at(s, "<?xml") || s->end - s->p < 6 || !is_space(s->p[5]))
        return true;
    s->p += 5;
    for (;;) {
        fg_str_t name, value;
        bool space = skip_space(s);
        if (at(s, "?>"))
            break;
        if (ends_within(s, "?>") || !space)
            return REFUSE(s, FG_E_XML_MALFORMED, "bad XML declaration");
        if (!scan_attribute(s, &name, &value))
            return false;
        if (fg_str_is(name, "encoding") && !fg_str_eq_nocase(value, FG_STR("utf-8")))
            return REFUSE(s, FG_E_XML_ENCODING, "another encoding than UTF-8 declared");
        if (fg_str_is(name, "version") && !fg_str_is(value, "1.0"))
            return REFUSE(s, FG_E_XML_MALFORMED, "another version than XML 1.0 declared");
    }
    s->p += 2;
    return true;
}

/* What is wrong at the very end is that there is no more.  Returns false. */
static bool note_end(const scan_t *s) {
    if (s->err != NULL && s->err->code == FG_E_XML_MALFORMED && (s->cut || s->p >= s->end))
        s->err->reason = FG_R_INPUT_TRUNCATED;
    return false;
}

bool fg_xml_scan(fg_str_t bytes, const fg_xml_limits_t *limits, fg_err_t *err) {
    if (limits == NULL)
        limits = &fg_xml_default_limits;
    if (bytes.n > limits->bytes)
        return FG_FAIL(err, FG_E_XML_LIMIT, "%zu bytes, %zu allowed", bytes.n, limits->bytes);
    if (bytes.n == 0)
        return FG_FAIL(err, FG_E_XML_MALFORMED, "no document");
    const unsigned char *start = (const unsigned char *)bytes.p;
    scan_t scan = {.start = start, .p = start, .end = start + bytes.n, .limits = limits, .err = err};
    if (!check_characters(&scan))
        return false;
    scan.p = start;
    if (at(&scan, "\xef\xbb\xbf"))
        scan.p += 3;
    if (!scan_xml_declaration(&scan))
        return note_end(&scan);
    while (scan.p < scan.end)
        if (!(*scan.p == '<' ? scan_markup(&scan) : scan_text(&scan)))
            return note_end(&scan);
    if (scan.depth > 0 || !scan.root_seen)
        return FG_FAIL_FOR(err, FG_E_XML_MALFORMED, FG_R_INPUT_TRUNCATED, "the document ends too early");
    return true;
}
