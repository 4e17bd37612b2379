/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/html.h"

/* What a byte becomes; NULL: itself.  Quotes of both kinds, so that one escape serves text and attributes.  CR is
 * written as a reference, since the HTML parser turns a bare one into LF; other control characters may not occur in
 * HTML. */
static const char *escape_of(unsigned char c) {
    static const char *const table[64] = {
        ['&'] = "&amp;",  ['<'] = "&lt;",   ['>'] = "&gt;",   ['"'] = "&#34;",
        ['\''] = "&#39;", ['\r'] = "&#13;", ['\n'] = "&#10;",
    };
    if (c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
        return "\xef\xbf\xbd";
    return c < FG_ARRAY_SIZE(table) ? table[c] : NULL;
}

static void put_escaped(fg_buf_t *out, fg_str_t value) {
    size_t run = 0;
    for (size_t i = 0; i < value.n; i++) {
        const char *escape = escape_of((unsigned char)value.p[i]);
        if (escape == NULL)
            continue;
        fg_buf_add(out, value.p + run, i - run);
        fg_buf_puts(out, escape);
        run = i + 1;
    }
    if (run < value.n)
        fg_buf_add(out, value.p + run, value.n - run);
}

static bool is_address(fg_str_t value) {
    static const char *const schemes[] = {"http://", "https://", "mailto:", "data:image/"};
    if (value.n == 0 || value.p[0] == '/' || value.p[0] == '?' || value.p[0] == '#')
        return true;
    for (size_t i = 0; i < FG_ARRAY_SIZE(schemes); i++) {
        size_t length = strlen(schemes[i]);
        if (value.n >= length && fg_str_eq_nocase((fg_str_t){value.p, length}, fg_str(schemes[i])))
            return true;
    }
    return false;
}

static bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_word(fg_str_t value) {
    for (size_t i = 0; i < value.n; i++)
        if (!is_alphanumeric(value.p[i]) && memchr("#.-_%", value.p[i], 5) == NULL)
            return false;
    return true;
}

void fg_html_put(fg_buf_t *out, fg_str_t value, fg_html_place_t place) {
    if (place == FG_HTML_URL && !is_address(value))
        value = FG_STR("about:blank");
    if (place == FG_HTML_REFUSED || (place == FG_HTML_WORD && !is_word(value)))
        return;
    put_escaped(out, value);
}

/* ---- where are we? */

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static void word_add(char word[16], char c) {
    size_t length = strlen(word);
    if (length < 15) {
        word[length] = lower(c);
        word[length + 1] = '\0';
    }
}

static void word_begin(char word[16], char c) {
    memset(word, 0, 16);
    word_add(word, c);
}

static bool in_list(const char *word, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

static bool holds_address(const char *attribute) {
    static const char *const names[] = {"action", "background", "cite",   "data", "formaction",
                                        "href",   "ping",       "poster", "src",  "xlink:href"};
    return in_list(attribute, names, FG_ARRAY_SIZE(names));
}

static bool holds_code(const char *attribute) {
    static const char *const names[] = {"srcdoc", "srcset", "style"};
    return strncmp(attribute, "on", 2) == 0 || in_list(attribute, names, FG_ARRAY_SIZE(names));
}

static void tag_end(fg_html_scan_t *scan) {
    bool raw = strcmp(scan->tag, "script") == 0 || strcmp(scan->tag, "style") == 0;
    fg_html_state_t state = raw ? FG_HTML_IN_RAW : FG_HTML_IN_DATA;
    char tag[16];
    memcpy(tag, scan->tag, sizeof tag);
    memset(scan, 0, sizeof *scan);
    if (raw)
        memcpy(scan->tag, tag, sizeof tag);
    scan->state = state;
}

static void in_data(fg_html_scan_t *scan, char c) {
    if (c != '<')
        return;
    memset(scan->tag, 0, sizeof scan->tag);
    scan->state = FG_HTML_IN_TAG_NAME;
}

static void in_tag_name(fg_html_scan_t *scan, char c) {
    if (c == '>') {
        tag_end(scan);
    } else if (is_space(c)) {
        scan->state = scan->tag[0] == '\0' ? FG_HTML_IN_DATA : FG_HTML_IN_TAG;
    } else {
        word_add(scan->tag, c);
        if (strcmp(scan->tag, "!--") == 0)
            scan->state = FG_HTML_IN_COMMENT;
    }
}

static void in_tag(fg_html_scan_t *scan, char c) {
    if (c == '>')
        tag_end(scan);
    else if (c == '=')
        scan->state = FG_HTML_AFTER_EQUALS;
    else if (!is_space(c) && c != '/') {
        word_begin(scan->attribute, c);
        scan->state = FG_HTML_IN_NAME;
    }
}

static void in_name(fg_html_scan_t *scan, char c) {
    if (c == '>' || c == '=' || c == '/' || is_space(c)) {
        scan->state = FG_HTML_IN_TAG;
        in_tag(scan, c);
    } else {
        word_add(scan->attribute, c);
    }
}

static void after_equals(fg_html_scan_t *scan, char c) {
    if (is_space(c))
        return;
    if (c == '>') {
        tag_end(scan);
        return;
    }
    scan->state = c == '"' ? FG_HTML_IN_DOUBLE_QUOTES : c == '\'' ? FG_HTML_IN_SINGLE_QUOTES : FG_HTML_IN_UNQUOTED;
    scan->fresh = holds_address(scan->attribute);
}

static void value_end(fg_html_scan_t *scan) {
    memset(scan->attribute, 0, sizeof scan->attribute);
    scan->fresh = false;
    scan->state = FG_HTML_IN_TAG;
}

static void in_double_quotes(fg_html_scan_t *scan, char c) {
    scan->fresh = false;
    if (c == '"')
        value_end(scan);
}

static void in_single_quotes(fg_html_scan_t *scan, char c) {
    scan->fresh = false;
    if (c == '\'')
        value_end(scan);
}

static void in_unquoted(fg_html_scan_t *scan, char c) {
    if (!is_space(c) && c != '>')
        return;
    value_end(scan);
    in_tag(scan, c);
}

static void in_comment(fg_html_scan_t *scan, char c) {
    if (c == '>' && scan->matched >= 2)
        memset(scan, 0, sizeof *scan);
    else
        scan->matched = c == '-' ? scan->matched + 1 : 0;
}

/* A script or style element ends at "</" and its name, nowhere else. */
static void in_raw(fg_html_scan_t *scan, char c) {
    char end[20] = "</";
    strncat(end, scan->tag, 16);
    if (lower(c) == end[scan->matched])
        scan->matched++;
    else
        scan->matched = c == '<';
    if (end[scan->matched] != '\0')
        return;
    memset(scan, 0, sizeof *scan);
    word_begin(scan->tag, '/');
    scan->state = FG_HTML_IN_TAG;
}

void fg_html_scan_add(fg_html_scan_t *scan, fg_str_t literal) {
    static void (*const steps[])(fg_html_scan_t *, char) = {
        [FG_HTML_IN_DATA] = in_data,
        [FG_HTML_IN_TAG_NAME] = in_tag_name,
        [FG_HTML_IN_TAG] = in_tag,
        [FG_HTML_IN_NAME] = in_name,
        [FG_HTML_AFTER_EQUALS] = after_equals,
        [FG_HTML_IN_DOUBLE_QUOTES] = in_double_quotes,
        [FG_HTML_IN_SINGLE_QUOTES] = in_single_quotes,
        [FG_HTML_IN_UNQUOTED] = in_unquoted,
        [FG_HTML_IN_COMMENT] = in_comment,
        [FG_HTML_IN_RAW] = in_raw,
    };
    for (size_t i = 0; i < literal.n; i++)
        steps[scan->state](scan, literal.p[i]);
}

bool fg_html_scan_eq(const fg_html_scan_t *a, const fg_html_scan_t *b) {
    return a->state == b->state && strcmp(a->tag, b->tag) == 0 && a->fresh == b->fresh &&
           (a->matched > 0) == (b->matched > 0) &&
           (a->state < FG_HTML_AFTER_EQUALS || strcmp(a->attribute, b->attribute) == 0);
}

fg_html_place_t fg_html_scan_place(const fg_html_scan_t *scan) {
    if (scan->state == FG_HTML_IN_DATA)
        return FG_HTML_TEXT;
    if (scan->state == FG_HTML_IN_RAW && strcmp(scan->tag, "style") == 0)
        return FG_HTML_WORD;
    if (scan->state != FG_HTML_IN_DOUBLE_QUOTES && scan->state != FG_HTML_IN_SINGLE_QUOTES)
        return FG_HTML_REFUSED;
    if (holds_code(scan->attribute))
        return FG_HTML_REFUSED;
    return scan->fresh ? FG_HTML_URL : FG_HTML_TEXT;
}
