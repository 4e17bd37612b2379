/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/xmlwriter.h"

#include "core/xml_ns.h"

/* The namespace of elements without one: xmlns="" is due below a default namespace. */
static const fg_xns_t no_namespace = {"", ""};

void fg_xw_init(fg_xw_t *w, fg_buf_t *out) {
    memset(w, 0, sizeof *w);
    w->out = out;
}

/* ---- characters: Canonical XML 1.0 §2.3; anything XML cannot carry fails ---- */

enum { PLAIN, IN_BOTH, IN_TEXT, IN_ATTRIBUTE, HIGH, NEVER };

static const unsigned char kinds[256] = {
    [0x00 ... 0x08] = NEVER, ['\t'] = IN_ATTRIBUTE,   ['\n'] = IN_ATTRIBUTE,  [0x0b ... 0x0c] = NEVER,
    ['\r'] = IN_BOTH,        [0x0e ... 0x1f] = NEVER, ['"'] = IN_ATTRIBUTE,   ['&'] = IN_BOTH,
    ['<'] = IN_BOTH,         ['>'] = IN_TEXT,         [0x80 ... 0xff] = HIGH,
};

const char *fg_xw_escape(char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\t':
        return "&#x9;";
    case '\n':
        return "&#xA;";
    default:
        return "&#xD;";
    }
}

/* A run of bytes outside ASCII: UTF-8, and neither U+FFFE nor U+FFFF. */
static bool high_run_is_xml(fg_str_t run) {
    if (!fg_str_is_utf8(run))
        return false;
    for (size_t i = 0; i + 2 < run.n; i++)
        if (memcmp(run.p + i, "\xef\xbf", 2) == 0 && (unsigned char)run.p[i + 2] >= 0xbe)
            return false;
    return true;
}

static bool put_escaped(fg_buf_t *out, fg_str_t s, int where) {
    const char *end = s.p + s.n, *plain = s.p;
    for (const char *p = s.p; p < end;) {
        int kind = kinds[(unsigned char)*p];
        if (kind == PLAIN || (kind != where && kind != IN_BOTH && kind < HIGH)) {
            p++;
        } else if (kind == HIGH) {
            const char *run = p;
            while (p < end && kinds[(unsigned char)*p] == HIGH)
                p++;
            if (!high_run_is_xml((fg_str_t){run, (size_t)(p - run)}))
                return false;
        } else if (kind == NEVER) {
            return false;
        } else {
            fg_buf_add(out, plain, (size_t)(p - plain));
            fg_buf_puts(out, fg_xw_escape(*p));
            plain = ++p;
        }
    }
    fg_buf_add(out, plain, (size_t)(end - plain));
    return true;
}

/* ---- start tags ---- */

static void put_name(fg_buf_t *out, const fg_xns_t *ns, const char *name) {
    if (ns != NULL && ns->prefix[0] != '\0') {
        fg_buf_puts(out, ns->prefix);
        fg_buf_putc(out, ':');
    }
    fg_buf_puts(out, name);
}

static bool same_prefix(const fg_xns_t *a, const fg_xns_t *b) { return a == b || strcmp(a->prefix, b->prefix) == 0; }
static bool same_uri(const fg_xns_t *a, const fg_xns_t *b) { return a == b || strcmp(a->uri, b->uri) == 0; }

/* True if the prefix has this meaning already.  Searched from the innermost declaration outwards. */
static bool in_scope(const fg_xw_t *w, const fg_xns_t *ns) {
    for (unsigned i = w->declared_count; i > 0; i--)
        if (same_prefix(w->declared[i - 1], ns))
            return same_uri(w->declared[i - 1], ns);
    return ns->prefix[0] == '\0' && ns->uri[0] == '\0';
}

/* Adds a declaration to those of the open element, which are sorted by prefix, unless the prefix means that already.
 * One prefix cannot mean two things on one element. */
static void declare(fg_xw_t *w, const fg_xns_t *ns) {
    unsigned first = w->stack[w->depth - 1].declared, at = w->declared_count;
    for (unsigned i = first; i < w->declared_count; i++) {
        if (same_prefix(w->declared[i], ns)) {
            w->failed = w->failed || !same_uri(w->declared[i], ns);
            return;
        }
    }
    if (in_scope(w, ns))
        return;
    if (w->declared_count == FG_ARRAY_SIZE(w->declared)) {
        w->failed = true;
        return;
    }
    for (; at > first && strcmp(w->declared[at - 1]->prefix, ns->prefix) > 0; at--)
        w->declared[at] = w->declared[at - 1];
    w->declared[at] = ns;
    w->declared_count++;
}

static bool is_xml_namespace(const fg_xns_t *ns) { return strcmp(ns->prefix, "xml") == 0; }

static void put_declarations(fg_xw_t *w) {
    unsigned first = w->stack[w->depth - 1].declared;
    const fg_xns_t *own = w->stack[w->depth - 1].ns;
    declare(w, own != NULL ? own : &no_namespace);
    for (unsigned i = 0; i < w->attribute_count; i++)
        if (w->attributes[i].ns != NULL && !is_xml_namespace(w->attributes[i].ns))
            declare(w, w->attributes[i].ns);
    for (unsigned i = 0; i < w->forced_count; i++)
        declare(w, w->forced[i]);
    for (unsigned i = first; i < w->declared_count; i++) {
        const fg_xns_t *ns = w->declared[i];
        fg_buf_puts(w->out, ns->prefix[0] ? " xmlns:" : " xmlns");
        fg_buf_puts(w->out, ns->prefix);
        fg_buf_puts(w->out, "=\"");
        w->failed = !put_escaped(w->out, fg_str(ns->uri), IN_ATTRIBUTE) || w->failed;
        fg_buf_putc(w->out, '"');
    }
}

static void put_attributes(fg_xw_t *w) {
    for (unsigned i = 0; i < w->attribute_count; i++) {
        fg_buf_putc(w->out, ' ');
        put_name(w->out, w->attributes[i].ns, w->attributes[i].name);
        fg_buf_puts(w->out, "=\"");
        w->failed = !put_escaped(w->out, w->attributes[i].value, IN_ATTRIBUTE) || w->failed;
        fg_buf_putc(w->out, '"');
    }
}

void fg_xw_flush(fg_xw_t *w) {
    if (!w->open || w->failed)
        return;
    w->open = false;
    put_declarations(w);
    put_attributes(w);
    fg_buf_putc(w->out, '>');
    w->attribute_count = w->forced_count = 0;
}

void fg_xw_start(fg_xw_t *w, const fg_xns_t *ns, const char *name) {
    fg_xw_flush(w);
    if (w->failed || w->depth == FG_XW_DEPTH) {
        w->failed = true;
        return;
    }
    w->stack[w->depth].ns = ns;
    w->stack[w->depth].name = name;
    w->stack[w->depth].declared = w->declared_count;
    w->depth++;
    w->open = true;
    fg_buf_putc(w->out, '<');
    put_name(w->out, ns, name);
}

/* Canonical XML §2.2: by namespace URI, then by local name; no namespace comes first. */
static int attribute_order(const fg_xns_t *a_ns, const char *a, const fg_xns_t *b_ns, const char *b) {
    int order = strcmp(a_ns ? a_ns->uri : "", b_ns ? b_ns->uri : "");
    return order != 0 ? order : strcmp(a, b);
}

void fg_xw_attr_ns(fg_xw_t *w, const fg_xns_t *ns, const char *name, fg_str_t value) {
    bool nameless = ns != NULL && (ns->prefix[0] == '\0' || ns->uri[0] == '\0');
    if (!w->open || nameless || w->attribute_count == FG_XW_ATTRIBUTES) {
        w->failed = true;
        return;
    }
    unsigned at = w->attribute_count++;
    for (; at > 0; at--) {
        int order = attribute_order(w->attributes[at - 1].ns, w->attributes[at - 1].name, ns, name);
        if (order == 0)
            w->failed = true;
        if (order <= 0)
            break;
        w->attributes[at] = w->attributes[at - 1];
    }
    w->attributes[at].ns = ns;
    w->attributes[at].name = name;
    w->attributes[at].value = value;
}

void fg_xw_attr(fg_xw_t *w, const char *name, fg_str_t value) { fg_xw_attr_ns(w, NULL, name, value); }

void fg_xw_attrz(fg_xw_t *w, const char *name, const char *value) { fg_xw_attr(w, name, fg_str(value)); }

void fg_xw_declare(fg_xw_t *w, const fg_xns_t *ns) {
    if (!w->open || w->forced_count == FG_ARRAY_SIZE(w->forced)) {
        w->failed = true;
        return;
    }
    w->forced[w->forced_count++] = ns;
}

/* ---- content ---- */

void fg_xw_text(fg_xw_t *w, fg_str_t text) {
    fg_xw_flush(w);
    if (w->failed || w->depth == 0 || !put_escaped(w->out, text, IN_TEXT))
        w->failed = true;
}

void fg_xw_textz(fg_xw_t *w, const char *text) { fg_xw_text(w, fg_str(text)); }

void fg_xw_end(fg_xw_t *w) {
    fg_xw_flush(w);
    if (w->failed || w->depth == 0) {
        w->failed = true;
        return;
    }
    w->depth--;
    w->declared_count = w->stack[w->depth].declared;
    fg_buf_add(w->out, "</", 2);
    put_name(w->out, w->stack[w->depth].ns, w->stack[w->depth].name);
    fg_buf_putc(w->out, '>');
}

void fg_xw_leaf(fg_xw_t *w, const fg_xns_t *ns, const char *name, fg_str_t text) {
    fg_xw_start(w, ns, name);
    fg_xw_text(w, text);
    fg_xw_end(w);
}

void fg_xw_leafz(fg_xw_t *w, const fg_xns_t *ns, const char *name, const char *text) {
    fg_xw_leaf(w, ns, name, fg_str(text));
}

void fg_xw_raw(fg_xw_t *w, fg_str_t xml) {
    fg_xw_flush(w);
    fg_buf_put_str(w->out, xml);
}

bool fg_xw_ok(const fg_xw_t *w) { return !w->failed && !w->open && w->depth == 0 && fg_buf_ok(w->out); }
