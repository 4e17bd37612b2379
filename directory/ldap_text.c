/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_parts.h"

#include <stdlib.h>

#include "core/crypto.h"

/* ---- filters */

/* RFC 4515 §3 wants NUL, "(", ")", "*" and "\" escaped and lets everything be (KL-07). */
static bool is_plain(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("-_.@ ,=+:/'", c) != NULL);
}

void fg_ldap_put_filter_value(fg_buf_t *out, fg_str_t value) {
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (is_plain(c))
            fg_buf_putc(out, (char)c);
        else
            fg_buf_printf(out, "\\%02x", c);
    }
}

static const fg_ldap_word_t *find_word(const fg_ldap_word_t *words, size_t count, const char *name, size_t length) {
    for (size_t i = 0; i < count; i++)
        if (strlen(words[i].name) == length && memcmp(words[i].name, name, length) == 0)
            return &words[i];
    return NULL;
}

const char *fg_ldap_make_filter(fg_arena_t *arena, const char *filter, const fg_ldap_word_t *words, size_t count,
                                fg_err_t *err) {
    fg_buf_t out = FG_BUF_INIT(FG_LDAP_FILTER_MAX);
    bool ok = true;
    for (const char *c = filter; ok && *c != '\0';) {
        const char *end = *c == '{' ? strchr(c, '}') : NULL;
        if (end == NULL) {
            fg_buf_putc(&out, *c++);
            continue;
        }
        const fg_ldap_word_t *word = find_word(words, count, c + 1, (size_t)(end - c - 1));
        if (word != NULL)
            fg_ldap_put_filter_value(&out, word->value);
        else
            ok = FG_FAIL(err, FG_E_CONFIG, "filter %s: nothing is known for %.*s", filter, (int)(end - c + 1), c);
        c = end + 1;
    }
    if (ok && !fg_buf_ok(&out))
        ok = FG_FAIL(err, FG_E_AUTH_FAILED, "a filter of more than %u bytes", FG_LDAP_FILTER_MAX);
    const char *made = ok ? fg_arena_str(arena, fg_buf_str(&out)).p : NULL;
    if (ok && made == NULL)
        FG_FAIL(err, FG_E_MEMORY, "no memory for a filter");
    fg_buf_free(&out);
    return made;
}

/* "attribute=value" and its like, up to the parenthesis that ends it; 0: it is none. */
static size_t item_length(fg_str_t text) {
    size_t at = 0;
    bool equals = false;
    for (; at < text.n && text.p[at] != ')'; at++) {
        char c = text.p[at];
        if (c == '(' || c == '\0' || (!equals && (c == '{' || c == '}' || c == '*' || c == '\\' || c == ' ')))
            return 0;
        equals = equals || c == '=';
    }
    return equals && text.p[0] != '=' && at < text.n ? at : 0;
}

/* One filter at the beginning of text; its length, or 0. */
static size_t filter_length(fg_str_t text, unsigned depth) {
    if (text.n < 4 || text.p[0] != '(' || depth > 16)
        return 0;
    size_t at = 1;
    if (memchr("&|!", text.p[1], 3) == NULL) {
        size_t length = item_length((fg_str_t){text.p + 1, text.n - 1});
        return length == 0 ? 0 : length + 2;
    }
    for (at = 2; at < text.n && text.p[at] == '(';) {
        size_t length = filter_length((fg_str_t){text.p + at, text.n - at}, depth + 1);
        if (length == 0)
            return 0;
        at += length;
    }
    return at > 2 && at < text.n && text.p[at] == ')' ? at + 1 : 0;
}

bool fg_ldap_is_filter(fg_str_t text) { return text.n > 0 && filter_length(text, 0) == text.n; }

/* ---- names */

bool fg_ldap_is_server(fg_str_t text) {
    const char *prefix = fg_str_starts(text, "ldaps://") ? "ldaps://" : "ldap://";
    if (!fg_str_starts(text, prefix))
        return false;
    fg_str_t host = {text.p + strlen(prefix), text.n - strlen(prefix)};
    if (host.n > 0 && host.p[host.n - 1] == '/')
        host.n--;
    size_t digits = 0;
    while (digits < host.n && host.p[host.n - 1 - digits] >= '0' && host.p[host.n - 1 - digits] <= '9')
        digits++;
    if (digits > 0 && digits < host.n && host.p[host.n - 1 - digits] == ':') {
        if (digits > 5 || atoi(host.p + host.n - digits) > 65535 || atoi(host.p + host.n - digits) == 0)
            return false;
        host.n -= digits + 1;
    }
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        return strspn(host.p + 1, "0123456789abcdefABCDEF:.") == host.n - 2;
    size_t good = 0;
    while (good < host.n && (fg_str_eq_nocase((fg_str_t){host.p + good, 1}, FG_STR("-")) ||
                             strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", host.p[good])))
        good++;
    return host.n > 0 && host.n < 254 && good == host.n;
}

bool fg_ldap_is_dn(const char *text) {
    LDAPDN dn = NULL;
    bool ok = ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && dn != NULL && dn[0] != NULL;
    ldap_dnfree(dn);
    return ok;
}

fg_str_t fg_ldap_first_rdn(fg_arena_t *arena, const char *text) {
    LDAPDN dn = NULL;
    fg_str_t value = FG_STR_NONE;
    if (ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && dn != NULL && dn[0] != NULL)
        value = fg_arena_str(arena, (fg_str_t){dn[0][0]->la_value.bv_val, dn[0][0]->la_value.bv_len});
    ldap_dnfree(dn);
    return value;
}

const char *fg_ldap_realm_of(fg_arena_t *arena, const char *text) {
    LDAPDN dn = NULL;
    fg_buf_t out = FG_BUF_INIT(256);
    if (ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && dn != NULL)
        for (size_t i = 0; dn[i] != NULL; i++) {
            const LDAPAVA *part = dn[i][0];
            if (!fg_str_eq_nocase((fg_str_t){part->la_attr.bv_val, part->la_attr.bv_len}, FG_STR("dc")))
                continue;
            if (out.length > 0)
                fg_buf_putc(&out, '.');
            fg_buf_add(&out, part->la_value.bv_val, part->la_value.bv_len);
        }
    ldap_dnfree(dn);
    for (size_t i = 0; i < out.length; i++)
        if (out.data[i] >= 'a' && out.data[i] <= 'z')
            out.data[i] = (char)(out.data[i] - 'a' + 'A');
    const char *realm = out.length > 0 && fg_buf_ok(&out) ? fg_arena_str(arena, fg_buf_str(&out)).p : NULL;
    fg_buf_free(&out);
    return realm;
}

/* ---- Microsoft's binary forms */

static uint64_t little_endian(const char *bytes, size_t n) {
    uint64_t number = 0;
    while (n-- > 0)
        number = number << 8 | (unsigned char)bytes[n];
    return number;
}

bool fg_ldap_put_guid(fg_buf_t *out, fg_str_t guid) {
    if (guid.n != 16)
        return false;
    fg_buf_printf(out, "%08llx-%04llx-%04llx-", (unsigned long long)little_endian(guid.p, 4),
                  (unsigned long long)little_endian(guid.p + 4, 2), (unsigned long long)little_endian(guid.p + 6, 2));
    for (size_t i = 8; i < 16; i++)
        fg_buf_printf(out, "%s%02x", i == 10 ? "-" : "", (unsigned char)guid.p[i]);
    return true;
}

unsigned fg_ldap_sub_code(const char *message) {
    const char *at = strstr(message, ", data ");
    return at != NULL ? (unsigned)strtoul(at + 7, NULL, 16) : 0;
}
