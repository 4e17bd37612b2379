/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/pages_load.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "gateway/pages.h"

#define FILE_MAX (256u << 10)
#define LANGUAGE_MAX 20u

const char *const fg_page_names[FG_PAGE_COUNT] = {
    "sign_in",   "home_realm", "signed_out", "clean_up",   "sign_out",     "consent",  "device",         "error",
    "auto_post", "claims",     "go_on",      "post_frame", "applications", "identity", "change_password"};

/* ---- files */

/* Reads a file into the pages' memory. */
static bool read_file(fg_pages_t *pages, const char *path, fg_str_t *text, fg_err_t *err) {
    fg_buf_t buf = FG_BUF_INIT(FILE_MAX);
    bool ok = fg_file_read(path, &buf, NULL, err);
    if (ok && !fg_str_is_utf8(fg_buf_str(&buf)))
        ok = FG_FAIL(err, FG_E_CONFIG, "%s: found bytes that are not UTF-8, expected UTF-8", path);
    if (ok) {
        *text = fg_arena_str(pages->arena, fg_buf_str(&buf));
        ok = text->p != NULL || FG_FAIL(err, FG_E_MEMORY, "%s", path);
    }
    fg_buf_free(&buf);
    return ok;
}

/* The file's path in the first folder that has it; NULL: none has. */
static const char *find_file(fg_pages_t *pages, fg_str_t name) {
    for (size_t i = 0; i < FG_FOLDERS; i++) {
        if (pages->folders[i] == NULL)
            continue;
        const char *path = fg_arena_printf(pages->arena, "%s/%.*s", pages->folders[i], FG_STR_ARG(name));
        if (path != NULL && access(path, F_OK) == 0)
            return path;
    }
    return NULL;
}

typedef struct job {
    fg_pages_t *pages;
    size_t language;
} job_t;

static bool part_file(void *context, fg_str_t name, const char **path, fg_str_t *text, fg_err_t *err) {
    fg_pages_t *pages = ((job_t *)context)->pages;
    fg_page_file_t *file = NULL;
    for (size_t i = 0; i < pages->file_count && file == NULL; i++)
        if (fg_str_eq(pages->files[i].name, name))
            file = &pages->files[i];
    if (file == NULL) {
        if (pages->file_count == FG_PAGE_FILES_MAX)
            return FG_FAIL(err, FG_E_CONFIG, "found more than %u files, expected fewer", FG_PAGE_FILES_MAX);
        file = &pages->files[pages->file_count];
        file->name = name;
        file->path = find_file(pages, name);
        if (file->path == NULL)
            return FG_FAIL(err, FG_E_CONFIG, "found no file %.*s in %s%s%s", FG_STR_ARG(name),
                           pages->folders[0] ? pages->folders[0] : "", pages->folders[0] ? " and " : "",
                           pages->folders[1]);
        if (!read_file(pages, file->path, &file->text, err))
            return false;
        pages->file_count++;
    }
    *path = file->path;
    *text = file->text;
    return true;
}

/* ---- texts */

static fg_str_t text_of(const fg_texts_t *texts, fg_str_t key, const char **path) {
    const json_t *value = json_object_getn(texts->texts, key.p, key.n);
    if (!json_is_string(value))
        return FG_STR_NONE;
    if (path != NULL)
        *path = texts->path;
    return (fg_str_t){json_string_value(value), json_string_length(value)};
}

fg_str_t fg_pages_text(const fg_pages_t *pages, size_t language, fg_str_t key, const char **path) {
    const size_t order[] = {language, 0};
    for (size_t k = 0; k < FG_ARRAY_SIZE(order); k++)
        for (size_t i = 0; i < FG_FOLDERS; i++) {
            fg_str_t text = text_of(&pages->texts[order[k]][i], key, path);
            if (text.p != NULL)
                return text;
        }
    return FG_STR_NONE;
}

static fg_str_t part_text(void *context, fg_str_t key, const char **path) {
    const job_t *job = context;
    return fg_pages_text(job->pages, job->language, key, path);
}

static void release_json(void *json) { json_decref(json); }

static bool load_texts(fg_pages_t *pages, size_t language, size_t folder, fg_err_t *err) {
    fg_texts_t *texts = &pages->texts[language][folder];
    texts->path = fg_arena_printf(pages->arena, "%s/texts.%s.json", pages->folders[folder], pages->languages[language]);
    if (texts->path == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "texts");
    if (access(texts->path, F_OK) != 0)
        return true;
    fg_str_t source;
    if (!read_file(pages, texts->path, &source, err))
        return false;
    json_t *json = fg_json_parse(source, err);
    if (json == NULL)
        return fg_err_prefix(err, "%s", texts->path);
    if (!fg_arena_own(pages->arena, release_json, json))
        return FG_FAIL(err, FG_E_MEMORY, "texts");
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value) if (!json_is_string(value)) return FG_FAIL(
        err, FG_E_CONFIG, "%s: found no text at \"%s\", expected a string", texts->path, key);
    if (!json_is_object(json))
        return FG_FAIL(err, FG_E_CONFIG, "%s:1:1: found no object, expected { \"KEY\": \"TEXT\", ... }", texts->path);
    texts->texts = json;
    return true;
}

/* ---- languages */

/* The language of a file "texts.LANGUAGE.json" (RFC 5646 §2.1: letters, digits, '-'), in lower case as its name must
 * be. */
static bool language_of(const char *file, char language[LANGUAGE_MAX + 1]) {
    static const char before[] = "texts.", behind[] = ".json";
    size_t length = strlen(file), around = strlen(before) + strlen(behind);
    if (length < around + 2 || length > around + LANGUAGE_MAX || strncmp(file, before, strlen(before)) != 0 ||
        strcmp(file + length - strlen(behind), behind) != 0)
        return false;
    memcpy(language, file + strlen(before), length - around);
    language[length - around] = '\0';
    return strspn(language, "abcdefghijklmnopqrstuvwxyz0123456789-") == length - around;
}

static bool add_language(fg_pages_t *pages, const char *language, fg_err_t *err) {
    for (size_t i = 0; i < pages->language_count; i++)
        if (strcmp(pages->languages[i], language) == 0)
            return true;
    if (pages->language_count == FG_LANGUAGES_MAX)
        return FG_FAIL(err, FG_E_CONFIG, "found more than %u languages, expected fewer", FG_LANGUAGES_MAX);
    const char *copy = fg_arena_strdup(pages->arena, language);
    if (copy == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "languages");
    pages->languages[pages->language_count++] = copy;
    return true;
}

static bool scan_folder(fg_pages_t *pages, const char *folder, bool needed, fg_err_t *err) {
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return !needed || FG_FAIL(err, FG_E_FILE, "%s: %s", folder, strerrordesc_np(errno));
    bool ok = true;
    char language[LANGUAGE_MAX + 1];
    for (struct dirent *entry; ok && (entry = readdir(dir)) != NULL;)
        if (language_of(entry->d_name, language))
            ok = add_language(pages, language, err);
    closedir(dir);
    return ok;
}

static int compare(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool load_languages(fg_pages_t *pages, fg_err_t *err) {
    if (!add_language(pages, "en", err))
        return false;
    for (size_t i = 0; i < FG_FOLDERS; i++)
        if (pages->folders[i] != NULL && !scan_folder(pages, pages->folders[i], i == 0, err))
            return false;
    /* the folder's order is chance; two languages may be asked for with the same weight */
    qsort(pages->languages + 1, pages->language_count - 1, sizeof pages->languages[0], compare);
    for (size_t i = 0; i < pages->language_count; i++)
        for (size_t k = 0; k < FG_FOLDERS; k++)
            if (pages->folders[k] != NULL && !load_texts(pages, i, k, err))
                return false;
    return true;
}

/* ---- templates */

static void release_template(void *template) { fg_template_free(template); }

static bool load_templates(fg_pages_t *pages, fg_err_t *err) {
    for (size_t language = 0; language < pages->language_count; language++)
        for (size_t page = 0; page < FG_PAGE_COUNT; page++) {
            job_t job = {pages, language};
            const fg_template_parts_t parts = {part_file, part_text, &job};
            const char *name = fg_arena_printf(pages->arena, "%s.html", fg_page_names[page]);
            fg_template_t *template = name ? fg_template_compile(name, &parts, err) : NULL;
            if (template == NULL)
                return name == NULL ? FG_FAIL(err, FG_E_MEMORY, "pages") : false;
            if (!fg_arena_own(pages->arena, release_template, template))
                return FG_FAIL(err, FG_E_MEMORY, "pages");
            pages->templates[language][page] = template;
        }
    return true;
}

fg_pages_t *fg_pages_load(const char *folder, fg_err_t *err) {
    fg_arena_t *arena = fg_arena_new(0);
    fg_pages_t *pages = arena ? fg_arena_alloc(arena, sizeof *pages) : NULL;
    if (pages == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "pages");
        fg_arena_free(arena);
        return NULL;
    }
    pages->arena = arena;
    pages->folders[0] = folder ? fg_arena_strdup(arena, folder) : NULL;
    pages->folders[1] = FG_PAGES_DIR;
    bool ok = folder == NULL || pages->folders[0] != NULL || FG_FAIL(err, FG_E_MEMORY, "pages");
    if (ok && load_languages(pages, err) && load_templates(pages, err))
        return pages;
    fg_pages_free(pages);
    return NULL;
}

void fg_pages_free(fg_pages_t *pages) {
    if (pages != NULL)
        fg_arena_free(pages->arena);
}
