/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/users_place.h"

/* The text was read as JSON before: what is not a string, a bracket or a separator needs no look. */

static size_t skip_space(fg_str_t s, size_t i) {
    while (i < s.n && strchr(" \t\r\n", s.p[i]) != NULL)
        i++;
    return i;
}

static size_t skip_string(fg_str_t s, size_t i) {
    for (i++; i < s.n && s.p[i] != '"'; i++)
        if (s.p[i] == '\\')
            i++;
    return i + 1;
}

static size_t skip_value(fg_str_t s, size_t i) {
    unsigned depth = 0;
    while (i < s.n) {
        char c = s.p[i];
        if (depth == 0 && (c == ',' || c == ']' || c == '}'))
            break;
        if (c == '"') {
            i = skip_string(s, i);
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        i++;
    }
    return i;
}

/* Position of the element of that number in the array that begins at i. */
static size_t find_element(fg_str_t s, size_t i, size_t number) {
    i = skip_space(s, i + 1);
    for (size_t k = 0; k < number && i < s.n; k++)
        i = skip_space(s, skip_value(s, i) + 1);
    return i;
}

/* Position of the value of a member in the object that begins at i; i if there is none. */
static size_t find_member(fg_str_t s, size_t object, const char *name) {
    size_t length = strlen(name);
    size_t i = skip_space(s, object + 1);
    while (i < s.n && s.p[i] == '"') {
        size_t end = skip_string(s, i);
        size_t value = skip_space(s, skip_space(s, end) + 1);
        if (end <= s.n && end - i == length + 2 && memcmp(s.p + i + 1, name, length) == 0)
            return value;
        i = skip_space(s, skip_value(s, value) + 1);
    }
    return object;
}

void fg_users_place(fg_str_t text, size_t number, const char *member, unsigned *line, unsigned *column) {
    size_t at = find_element(text, find_member(text, skip_space(text, 0), "users"), number);
    if (member != NULL)
        at = find_member(text, at, member);
    *line = *column = 1;
    for (size_t i = 0; i < at && i < text.n; i++) {
        *column = text.p[i] == '\n' ? 1 : *column + 1;
        *line += text.p[i] == '\n';
    }
}
