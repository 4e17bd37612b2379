/* SPDX-License-Identifier: GPL-2.0-or-later */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "policy/rule_regex.h"

#include <pcre2.h>
#include <stdio.h>

#define PATTERN_MAX 4096u
#define NESTING_MAX 100u
#define GROUPS_MAX 100u
#define MATCH_LIMIT 100000u /* steps of one match */
#define DEPTH_LIMIT 1000u
#define HEAP_LIMIT 4096u   /* KiB */
#define MATCHES_MAX 10000u /* in one replacement */

struct fg_rule_regex {
    pcre2_code *code;
    uint32_t group_count;
    /* by .NET's numbers (groups without a name first, then those with one) the numbers of PCRE2 */
    uint32_t numbers[GROUPS_MAX + 1];
};

struct fg_rule_matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static void release_code(void *code) { pcre2_code_free(code); }

/* .NET numbers groups without names first, from left to right, then those with names. */
static void number_groups(fg_rule_regex_t *regex) {
    bool named[GROUPS_MAX + 1] = {false};
    uint32_t name_count = 0, entry_size = 0, next = 1;
    PCRE2_SPTR table = NULL;
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &name_count);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
    for (uint32_t i = 0; i < name_count; i++, table += entry_size)
        named[(unsigned)table[0] << 8 | table[1]] = true;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t group = 1; group <= regex->group_count; group++)
            if (named[group] == (pass == 1))
                regex->numbers[next++] = group;
}

static pcre2_code *compile(fg_str_t pattern, char *why, size_t size) {
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    int number = 0;
    PCRE2_SIZE offset = 0;
    if (context == NULL) {
        snprintf(why, size, "no memory");
        return NULL;
    }
    pcre2_set_parens_nest_limit(context, NESTING_MAX);
    /* .NET's classes are those of Unicode */
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(pattern.p ? pattern.p : ""), pattern.n,
                                     PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &number, &offset, context);
    pcre2_compile_context_free(context);
    if (code == NULL) {
        char text[160];
        pcre2_get_error_message(number, (PCRE2_UCHAR *)text, sizeof text);
        snprintf(why, size, "%s at character %zu", text, (size_t)offset);
    }
    return code;
}

fg_rule_regex_t *fg_rule_regex_new(fg_arena_t *arena, fg_str_t pattern, char *why, size_t size) {
    fg_rule_regex_t *regex = fg_arena_alloc(arena, sizeof *regex);
    snprintf(why, size, "no memory");
    if (regex == NULL)
        return NULL;
    if (pattern.n > PATTERN_MAX) {
        snprintf(why, size, "it is longer than %u bytes", PATTERN_MAX);
        return NULL;
    }
    regex->code = compile(pattern, why, size);
    if (regex->code == NULL || !fg_arena_own(arena, release_code, regex->code))
        return NULL;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->group_count);
    if (regex->group_count > GROUPS_MAX) {
        snprintf(why, size, "it has more than %u groups", GROUPS_MAX);
        return NULL;
    }
    number_groups(regex);
    return regex;
}

/* PCRE2's memory of a run: as much as the arena allows, and freed with it. */
static void *take_memory(size_t size, void *arena) { return fg_arena_alloc(arena, size); }
static void leave_memory(void *memory, void *arena) { (void)memory, (void)arena; }

fg_rule_matcher_t *fg_rule_matcher_new(fg_arena_t *arena) {
    pcre2_general_context *memory = pcre2_general_context_create(take_memory, leave_memory, arena);
    fg_rule_matcher_t *matcher = fg_arena_alloc(arena, sizeof *matcher);
    if (memory == NULL || matcher == NULL)
        return NULL;
    matcher->data = pcre2_match_data_create(GROUPS_MAX + 1, memory);
    matcher->context = pcre2_match_context_create(memory);
    if (matcher->data == NULL || matcher->context == NULL)
        return NULL;
    pcre2_set_match_limit(matcher->context, MATCH_LIMIT);
    pcre2_set_depth_limit(matcher->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(matcher->context, HEAP_LIMIT);
    return matcher;
}

static fg_rule_match_t match_at(const fg_rule_regex_t *regex, fg_rule_matcher_t *matcher, fg_str_t subject, size_t at,
                                uint32_t options) {
    int rc = pcre2_match(regex->code, (PCRE2_SPTR)(subject.p ? subject.p : ""), subject.n, at, options, matcher->data,
                         matcher->context);
    if (rc >= 0)
        return FG_RULE_MATCHES;
    return rc == PCRE2_ERROR_NOMATCH ? FG_RULE_MATCHES_NOT : FG_RULE_MATCH_TOO_LONG;
}

fg_rule_match_t fg_rule_regex_match(const fg_rule_regex_t *regex, fg_rule_matcher_t *matcher, fg_str_t subject) {
    return match_at(regex, matcher, subject, 0, 0);
}

/* ---- replacing */

typedef struct replacing {
    const fg_rule_regex_t *regex;
    const PCRE2_SIZE *ends; /* of the groups, in pairs */
    fg_str_t subject;
    fg_buf_t *out;
} replacing_t;

static void put_group(const replacing_t *r, uint32_t group) {
    PCRE2_SIZE from = r->ends[2 * group], to = r->ends[2 * group + 1];
    if (from != PCRE2_UNSET && to > from)
        fg_buf_add(r->out, r->subject.p + from, to - from);
}

static bool put_numbered(const replacing_t *r, fg_str_t digits) {
    uint32_t number = 0;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || number > GROUPS_MAX)
            return false;
        number = number * 10 + (uint32_t)(digits.p[i] - '0');
    }
    if (digits.n == 0 || number > r->regex->group_count)
        return false;
    put_group(r, number == 0 ? 0 : r->regex->numbers[number]);
    return true;
}

static bool put_named(const replacing_t *r, fg_str_t name) {
    char text[64];
    if (name.n >= sizeof text)
        return false;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    int group = pcre2_substring_number_from_name(r->regex->code, (PCRE2_SPTR)text);
    if (group > 0)
        put_group(r, (uint32_t)group);
    return group > 0;
}

/* The last group of .NET's order that matched. */
static void put_last(const replacing_t *r) {
    for (uint32_t i = r->regex->group_count; i > 0; i--)
        if (r->ends[2 * r->regex->numbers[i]] != PCRE2_UNSET) {
            put_group(r, r->regex->numbers[i]);
            return;
        }
}

static bool put_special(const replacing_t *r, char sign) {
    fg_str_t s = r->subject;
    switch (sign) {
    case '$':
        fg_buf_putc(r->out, '$');
        return true;
    case '&':
        put_group(r, 0);
        return true;
    case '`':
        fg_buf_add(r->out, s.p, r->ends[0]);
        return true;
    case '\'':
        fg_buf_add(r->out, s.p + r->ends[1], s.n - r->ends[1]);
        return true;
    case '_':
        fg_buf_add(r->out, s.p, s.n);
        return true;
    case '+':
        put_last(r);
        return true;
    default:
        return false;
    }
}

/* Puts what the substitution at the beginning of text (behind its '$') stands for.  Its length; 0: it is none, and '$'
 * is itself. */
static size_t put_substitution(const replacing_t *r, fg_str_t text) {
    size_t digits = 0;
    if (text.n == 0)
        return 0;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    if (digits > 0)
        return put_numbered(r, (fg_str_t){text.p, digits}) ? digits : 0;
    if (text.p[0] != '{')
        return put_special(r, text.p[0]) ? 1 : 0;
    const char *end = memchr(text.p, '}', text.n);
    if (end == NULL)
        return 0;
    fg_str_t name = {text.p + 1, (size_t)(end - text.p) - 1};
    return put_numbered(r, name) || put_named(r, name) ? name.n + 2 : 0;
}

static void put_replacement(const replacing_t *r, fg_str_t text) {
    for (size_t i = 0; i < text.n; i++) {
        size_t length = text.p[i] == '$' ? put_substitution(r, (fg_str_t){text.p + i + 1, text.n - i - 1}) : 0;
        if (length == 0)
            fg_buf_putc(r->out, text.p[i]);
        i += length;
    }
}

static size_t character_length(fg_str_t text, size_t at) {
    size_t length = 1;
    while (at + length < text.n && ((unsigned char)text.p[at + length] & 0xc0) == 0x80)
        length++;
    return length;
}

bool fg_rule_regex_replace(const fg_rule_regex_t *regex, fg_rule_matcher_t *matcher, fg_str_t subject,
                           fg_str_t replacement, fg_buf_t *out) {
    const replacing_t r = {regex, pcre2_get_ovector_pointer(matcher->data), subject.p ? subject : FG_STR(""), out};
    size_t at = 0, kept = 0; /* kept: what stands before it is in out */
    for (unsigned count = 0; at <= subject.n; count++) {
        fg_rule_match_t match = match_at(regex, matcher, subject, at, at > 0 ? PCRE2_NO_UTF_CHECK : 0);
        if (match == FG_RULE_MATCH_TOO_LONG || count == MATCHES_MAX)
            return false;
        if (match == FG_RULE_MATCHES_NOT)
            break;
        size_t from = r.ends[0], to = r.ends[1];
        if (from < kept || to < from) /* \K in a look-around: not of .NET */
            return false;
        fg_buf_add(out, r.subject.p + kept, from - kept);
        put_replacement(&r, replacement);
        kept = to;
        at = to > from ? to : to + (to < subject.n ? character_length(subject, to) : 1);
    }
    fg_buf_add(out, r.subject.p + kept, subject.n - kept);
    return fg_buf_ok(out);
}
