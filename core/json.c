/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/json.h"

#define MAX_BYTES (16u << 20)
#define MAX_DEPTH 64u

void fg_json_start(void) { json_object_seed(0); }

/* Whether no place lies deeper than MAX_DEPTH; jansson recurses, and allows 2048. */
static bool is_shallow(fg_str_t text) {
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '[') && ++depth > MAX_DEPTH)
            return false;
        else if (!quoted && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return true;
}

/* Whether what is wrong is that there is no more: in a structure or a string, in a word ("tru"), in a character. */
static bool is_cut(const json_error_t *error, size_t length) {
    enum json_error_code code = json_error_code(error);
    size_t position = error->position > 0 ? (size_t)error->position : 0;
    return code == json_error_premature_end_of_input || (code == json_error_invalid_syntax && position >= length) ||
           (code == json_error_invalid_utf8 && position + 4 > length);
}

json_t *fg_json_parse(fg_str_t text, fg_err_t *err) {
    if (text.n > MAX_BYTES || !is_shallow(text)) {
        FG_FAIL(err, FG_E_CONFIG, "JSON larger than %u bytes or deeper than %u", MAX_BYTES, MAX_DEPTH);
        return NULL;
    }
    json_error_t error;
    json_t *json = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        FG_FAIL_FOR(err, FG_E_CONFIG, is_cut(&error, text.n) ? FG_R_INPUT_TRUNCATED : FG_R_NONE, "%d:%d: %s",
                    error.line, error.column, error.text);
    return json;
}

fg_str_t fg_json_string(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? (fg_str_t){json_string_value(value), json_string_length(value)} : FG_STR_NONE;
}

/* Length of the UTF-8 sequence of more than one byte at the front of s, 0 if there is none. */
static size_t sequence_length(fg_str_t s) {
    for (size_t n = 2; n <= 4 && n <= s.n; n++)
        if (fg_str_is_utf8((fg_str_t){s.p, n}))
            return n;
    return 0;
}

/* Printable ASCII but for what ends a string, escapes in it, or means something to HTML. */
static bool is_plain(char c) {
    static const bool plain[256] = {[' ' ... '!'] = true, ['#' ... '%'] = true, ['\'' ... ';'] = true,
                                    ['='] = true,         ['?' ... '['] = true, [']' ... '~'] = true};
    return plain[(unsigned char)c];
}

static size_t plain_length(fg_str_t s) {
    size_t n = 0;
    while (n < s.n && is_plain(s.p[n]))
        n++;
    return n;
}

static void quote_ascii(fg_buf_t *out, char c) {
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *found = c != '\0' ? strchr(from, c) : NULL;
    if (found != NULL)
        fg_buf_printf(out, "\\%c", to[found - from]);
    else
        fg_buf_printf(out, "\\u%04x", (unsigned char)c);
}

/* Nearly everything is: one piece instead of three. */
static void quote_plain(fg_buf_t *out, fg_str_t text) {
    char *place = fg_buf_reserve(out, text.n + 2);
    if (place == NULL)
        return;
    *place++ = '"';
    if (text.n > 0)
        memcpy(place, text.p, text.n);
    place[text.n] = '"';
}

void fg_json_quote(fg_buf_t *out, fg_str_t text) {
    if (plain_length(text) == text.n) {
        quote_plain(out, text);
        return;
    }
    fg_buf_putc(out, '"');
    for (size_t i = 0; i < text.n;) {
        fg_str_t rest = {text.p + i, text.n - i};
        size_t plain = plain_length(rest);
        if (plain > 0) {
            fg_buf_add(out, rest.p, plain);
            i += plain;
            continue;
        }
        if ((unsigned char)rest.p[0] < 0x80) {
            quote_ascii(out, rest.p[0]);
            i++;
            continue;
        }
        size_t n = sequence_length(rest);
        if (n == 0)
            fg_buf_puts(out, "\\ufffd");
        else if (n == 3 && (memcmp(rest.p, "\xe2\x80\xa8", 3) == 0 || memcmp(rest.p, "\xe2\x80\xa9", 3) == 0))
            fg_buf_puts(out, rest.p[2] == '\xa8' ? "\\u2028" : "\\u2029");
        else
            fg_buf_add(out, rest.p, n);
        i += n == 0 ? 1 : n;
    }
    fg_buf_putc(out, '"');
}
