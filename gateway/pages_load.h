/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What loading the pages makes and rendering uses. */
#ifndef FG_GATEWAY_PAGES_LOAD_H
#define FG_GATEWAY_PAGES_LOAD_H

#include "core/arena.h"
#include "gateway/template.h"

#define FG_LANGUAGES_MAX 32u
#define FG_PAGE_FILES_MAX 64u

typedef enum fg_page {
    FG_PAGE_SIGN_IN,
    FG_PAGE_HOME_REALM,
    FG_PAGE_SIGNED_OUT,
    FG_PAGE_CLEAN_UP,
    FG_PAGE_SIGN_OUT,
    FG_PAGE_CONSENT,
    FG_PAGE_DEVICE,
    FG_PAGE_ERROR,
    FG_PAGE_AUTO_POST,
    FG_PAGE_CLAIMS,
    FG_PAGE_GO_ON,
    FG_PAGE_POST_FRAME,
    FG_PAGE_APPLICATIONS,
    FG_PAGE_IDENTITY,
    FG_PAGE_CHANGE_PASSWORD,
    FG_PAGE_COUNT
} fg_page_t;

/* The administrator's folder, then the installed one. */
enum { FG_FOLDERS = 2 };

typedef struct fg_page_file {
    fg_str_t name;
    const char *path;
    fg_str_t text;
} fg_page_file_t;

typedef struct fg_texts {
    const char *path;
    const json_t *texts; /* NULL: this folder has none */
} fg_texts_t;

struct fg_pages {
    fg_arena_t *arena; /* owns everything */
    const char *folders[FG_FOLDERS];
    fg_page_file_t files[FG_PAGE_FILES_MAX];
    size_t file_count;
    const char *languages[FG_LANGUAGES_MAX]; /* the first is English */
    size_t language_count;
    fg_texts_t texts[FG_LANGUAGES_MAX][FG_FOLDERS];
    const fg_template_t *templates[FG_LANGUAGES_MAX][FG_PAGE_COUNT];
};
typedef struct fg_pages fg_pages_t;

extern const char *const fg_page_names[FG_PAGE_COUNT];

/* A text, in English if the language lacks it; .p NULL: none.  path (may be NULL) is set to its file. */
fg_str_t fg_pages_text(const fg_pages_t *pages, size_t language, fg_str_t key, const char **path);

#endif
