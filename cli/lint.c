/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <string.h>

#include "cli/input.h"
#include "cli/metadata.h"
#include "cli/token.h"
#include "core/reason.h"

static void say(const char *word, fg_shade_t shade, const char *format, va_list arguments) {
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    printf("%s%s:%s ", fg_shade(shade), word, fg_shade(FG_SHADE_NONE));
    fg_print_safe(stdout, fg_str(text));
    putchar('\n');
}

void fg_lint_error(fg_lint_t *lint, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say("error", FG_SHADE_BAD, format, arguments);
    va_end(arguments);
    lint->errors++;
}

void fg_lint_warn(fg_lint_t *lint, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say("warning", FG_SHADE_WARN, format, arguments);
    va_end(arguments);
    lint->warnings++;
}

void fg_lint_note(fg_lint_t *lint, const char *format, ...) {
    va_list arguments;
    (void)lint;
    va_start(arguments, format);
    say("note", FG_SHADE_DIM, format, arguments);
    va_end(arguments);
}

int fg_lint_end(const fg_lint_t *lint, const char *path) {
    printf("%s: %u error%s, %u warning%s\n", path, lint->errors, lint->errors == 1 ? "" : "s", lint->warnings,
           lint->warnings == 1 ? "" : "s");
    return lint->errors > 0 ? FG_CLI_FAILED : FG_CLI_OK;
}

fg_piece_t *fg_document_read(fg_arena_t *arena, const char *path, int *code) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t bytes;
    *code = FG_CLI_UNREADABLE;
    if (!fg_xml_start(&err) || !fg_input_read(arena, path, FG_INPUT_MAX, &bytes, &err)) {
        fg_cli_say("%s", err.detail);
        return NULL;
    }
    fg_unwrap_t unwrap = {.arena = arena, .limits = &fg_token_show_limits};
    fg_piece_t *root = fg_piece_read(&unwrap, bytes);
    const fg_err_t *why = root != NULL ? fg_piece_failure(root) : NULL;
    if (root != NULL && why == NULL)
        return root;
    if (why != NULL)
        fg_cli_say("%s: %s: %s", path, fg_reason_of(why)->code, why->detail);
    else
        fg_cli_say("%s: memory is out", path);
    return NULL;
}
