/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * powershell -EncodedCommand BASE64 (of UTF-16LE), also inside cmd /c.  Looking for it is generous (cmd's quotes and
 * carets aside, anywhere in the line), reading it is strict: what is found and is not the plain form is refused, so
 * that a rule on the script holds for the whole command. */
#include "core/crypto.h"
#include "core/utf16.h"
#include "policy/wsman_parts.h"

#define LINE_MAX_BYTES (64u << 10)
#define WORDS_MAX 32
#define NESTING_MAX 2 /* cmd /c "…" */

typedef struct words {
    fg_str_t items[WORDS_MAX];
    size_t count;
} words_t;

static bool is_space(char c) { return c == ' ' || c == '\t'; }
static bool is_one_of(char c, const char *set) { return c != '\0' && strchr(set, c) != NULL; }

static fg_str_t behind(fg_str_t s, size_t count) { return (fg_str_t){s.p + count, s.n - count}; }

static bool ends_nocase(fg_str_t word, const char *end) {
    size_t length = strlen(end);
    return word.n >= length && fg_str_eq_nocase(behind(word, word.n - length), fg_str(end));
}

/* Where Windows has the program: another folder may hold another one of that name. */
static bool is_its_folder(fg_str_t folder, const char *const *folders, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (
            at < folder.n && folders[i][at] != '\0' &&
            fg_str_eq_nocase((fg_str_t){folder.p[at] == '/' ? "\\" : folder.p + at, 1}, (fg_str_t){folders[i] + at, 1}))
            at++;
        if (at == folder.n && folders[i][at] == '\0')
            return true;
    }
    return false;
}

/* The name, with ".exe" or without, alone or in its folder. */
static bool is_program(fg_str_t word, const char *name, const char *const *folders, size_t count) {
    if (ends_nocase(word, ".exe"))
        word.n -= 4;
    size_t length = strlen(name);
    if (!ends_nocase(word, name))
        return false;
    word.n -= length;
    return word.n == 0 || is_its_folder(word, folders, count);
}

static bool is_cmd(fg_str_t word) {
    static const char *const folders[] = {"C:\\Windows\\System32\\", "C:\\Windows\\SysWOW64\\"};
    return is_program(word, "cmd", folders, FG_ARRAY_SIZE(folders));
}

static bool is_powershell(fg_str_t word) {
    static const char *const folders[] = {"C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\",
                                          "C:\\Windows\\SysWOW64\\WindowsPowerShell\\v1.0\\"};
    static const char *const core_folders[] = {"C:\\Program Files\\PowerShell\\7\\"};
    return is_program(word, "powershell", folders, FG_ARRAY_SIZE(folders)) ||
           is_program(word, "pwsh", core_folders, FG_ARRAY_SIZE(core_folders));
}

/* The name of a switch: behind '-', "--", '/', or U+2013, U+2014, U+2015, which PowerShell takes for '-'. */
static fg_str_t switch_name(fg_str_t word) {
    if (fg_str_starts(word, "--"))
        return behind(word, 2);
    if (fg_str_starts(word, "-") || fg_str_starts(word, "/"))
        return behind(word, 1);
    if (fg_str_starts(word, "\xe2\x80\x93") || fg_str_starts(word, "\xe2\x80\x94") ||
        fg_str_starts(word, "\xe2\x80\x95"))
        return behind(word, 3);
    return FG_STR_NONE;
}

/* PowerShell takes any beginning of a switch's name that is at least so long. */
static bool is_abbreviation(fg_str_t name, const char *whole, size_t least) {
    return name.n >= least && name.n <= strlen(whole) && fg_str_eq_nocase(name, (fg_str_t){whole, name.n});
}

static bool is_encoded_command(fg_str_t word) {
    fg_str_t name = switch_name(word);
    return is_abbreviation(name, "encodedcommand", 1) || fg_str_eq_nocase(name, FG_STR("ec"));
}

static bool is_encoded(fg_str_t word) {
    fg_str_t name = switch_name(word);
    return is_encoded_command(word) || is_abbreviation(name, "encodedarguments", 8) ||
           fg_str_eq_nocase(name, FG_STR("ea"));
}

/* ---- looking for it */

static bool names_powershell(fg_str_t word) {
    return ends_nocase(word, "powershell") || ends_nocase(word, "powershell.exe") || ends_nocase(word, "pwsh") ||
           ends_nocase(word, "pwsh.exe");
}

/* plain: without quotes and carets */
static bool has_encoded(fg_str_t plain) {
    static const char separators[] = " \t\r\n\v\f&|()<>;,=:";
    bool named = false;
    for (size_t i = 0; i < plain.n;) {
        size_t start = i;
        while (i < plain.n && !is_one_of(plain.p[i], separators))
            i++;
        fg_str_t word = {plain.p + start, i - start};
        if (named && is_encoded(word))
            return true;
        named |= names_powershell(word);
        while (i < plain.n && is_one_of(plain.p[i], separators))
            i++;
    }
    return false;
}

static fg_str_t without_quoting(fg_arena_t *arena, fg_str_t line) {
    char *plain = fg_arena_alloc(arena, line.n + 1);
    size_t length = 0;
    for (size_t i = 0; plain != NULL && i < line.n; i++)
        if (!is_one_of(line.p[i], "\"'^"))
            plain[length++] = line.p[i];
    return (fg_str_t){plain, length};
}

/* ---- reading it */

/* Words between spaces; a double quote encloses spaces.  What cmd or Windows treats specially is not taken. */
static bool split(fg_arena_t *arena, fg_str_t line, words_t *words) {
    char *to = fg_arena_alloc(arena, line.n + 1);
    if (to == NULL)
        return false;
    words->count = 0;
    for (size_t i = 0; i < line.n;) {
        while (i < line.n && is_space(line.p[i]))
            i++;
        if (i == line.n)
            break;
        if (words->count == WORDS_MAX)
            return false;
        bool quoted = false;
        fg_str_t *word = &words->items[words->count++];
        *word = (fg_str_t){to, 0};
        for (; i < line.n && (quoted || !is_space(line.p[i])); i++) {
            char c = line.p[i];
            if (is_one_of(c, "^%!&|<>();,'`") || (unsigned char)c < ' ' ||
                (c == '\\' && i + 1 < line.n && line.p[i + 1] == '"'))
                return false;
            if (c == '"')
                quoted = !quoted;
            else
                *to++ = c, word->n++;
        }
        if (quoted)
            return false;
    }
    return words->count > 0;
}

/* Switches that do not change what the script does. */
static bool skip_switch(const words_t *words, size_t *at) {
    static const struct {
        const char *name;
        size_t least;
        size_t words;
    } known[] = {
        {"nologo", 3, 1},      {"noprofile", 3, 1},   {"noninteractive", 4, 1},
        {"sta", 3, 1},         {"mta", 3, 1},         {"executionpolicy", 2, 2},
        {"ep", 2, 2},          {"inputformat", 3, 2}, {"outputformat", 1, 2},
        {"windowstyle", 1, 2},
    };
    fg_str_t name = switch_name(words->items[*at]);
    for (size_t i = 0; i < FG_ARRAY_SIZE(known); i++)
        if (is_abbreviation(name, known[i].name, known[i].least)) {
            *at += known[i].words;
            return true;
        }
    return false;
}

/* *at: the first word behind cmd's switches, which end with /c. */
static bool skip_cmd(const words_t *words, size_t *at) {
    for (*at = 1; *at < words->count; ++*at) {
        fg_str_t word = words->items[*at];
        if (word.n != 2 || word.p[0] != '/')
            return false;
        if (word.p[1] == 'c' || word.p[1] == 'C') {
            ++*at;
            return *at < words->count;
        }
        if (!is_one_of(word.p[1], "sSqQdDaAuU"))
            return false;
    }
    return false;
}

/* The base64 text of a command line; .p NULL: it is not in the plain form. */
static fg_str_t find_encoded(fg_arena_t *arena, fg_str_t line) {
    words_t words;
    size_t at = 0;
    for (int nesting = 0;; nesting++) {
        if (nesting > NESTING_MAX || !split(arena, line, &words))
            return FG_STR_NONE;
        at = 0;
        if (!is_cmd(words.items[0]))
            break;
        if (!skip_cmd(&words, &at))
            return FG_STR_NONE;
        if (at + 1 < words.count)
            break;
        line = words.items[at];
    }
    if (!is_powershell(words.items[at++]))
        return FG_STR_NONE;
    while (at < words.count && skip_switch(&words, &at))
        ;
    bool whole = at + 2 == words.count && is_encoded_command(words.items[at]);
    return whole ? words.items[at + 1] : FG_STR_NONE;
}

static bool decode(fg_arena_t *arena, fg_str_t text, fg_str_t *script, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(LINE_MAX_BYTES), utf8 = FG_BUF_INIT(2 * LINE_MAX_BYTES);
    bool good = text.n > 0 && fg_base64_decode(&bytes, text) && fg_utf16_decode(fg_buf_str(&bytes), &utf8);
    if (good)
        *script = fg_arena_str(arena, fg_buf_str(&utf8));
    fg_buf_free(&bytes);
    fg_buf_free(&utf8);
    if (!good)
        return FG_FAIL(err, FG_E_WSMAN_SCRIPT, "the encoded command is not base64 of UTF-16LE");
    return script->p != NULL || FG_FAIL(err, FG_E_MEMORY, "script");
}

bool fg_wsman_read_script(fg_arena_t *arena, fg_str_t line, fg_str_t *script, fg_err_t *err) {
    *script = FG_STR_NONE;
    if (line.n > LINE_MAX_BYTES)
        return FG_FAIL(err, FG_E_WSMAN_SCRIPT, "a command line of %zu bytes", line.n);
    fg_str_t plain = without_quoting(arena, line);
    if (plain.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "command line");
    if (!has_encoded(plain))
        return true;
    fg_str_t text = find_encoded(arena, line);
    if (text.p == NULL)
        return FG_FAIL(err, FG_E_WSMAN_SCRIPT, "an encoded command that is not all of the command line");
    return decode(arena, text, script, err);
}
