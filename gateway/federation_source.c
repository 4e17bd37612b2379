/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/federation_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/http.h"
#include "core/time.h"
#include "gateway/certificates.h"

#define FILES_MAX 4096u
#define FETCH_TIME (2 * FG_MINUTE)
#define FIRST_WAIT FG_MINUTE /* after a failure; doubled with each further one */
#define LEAST_WAIT FG_MINUTE
#define BUSY_WAIT (10 * FG_SECOND)
#define NOTE_MAX 4096u
#define LOG_MAX (16u << 10)
#define PATH_ROOM 4096

/* One file and what it holds. */
typedef struct document {
    char *name; /* in the folder; the path otherwise */
    fg_file_stamp_t stamp;
    fg_saml_aggregate_t *aggregate; /* NULL: it was never right */
} document_t;

/* When to ask again, and what to say then: kept beside the copy, for all workers. */
typedef struct note {
    int64_t next_ms;
    unsigned failures;
    char etag[512], modified[64];
} note_t;

struct fg_federation_source {
    const fg_config_federation_t *section;
    fg_key_t **keys;
    size_t key_count;
    char *path;        /* of the file, or of the copy of what was fetched */
    document_t *files; /* the background's, while it runs */
    size_t file_count;
    int64_t next_ms;      /* likewise */
    pthread_mutex_t lock; /* of what follows */
    fg_federation_documents_t *documents;
    bool running, done;
    pthread_t thread;
    const fg_env_t *outer; /* the host's */
    fg_env_t env;          /* the background's own: its log is ours */
    fg_buf_t log;          /* "LEVEL TEXT\0" one after the other */
};

/* ---- the background's environment */

static int64_t now_ms(const fg_env_t *env) {
    const fg_federation_source_t *source = env->host;
    return fg_now(source->outer);
}

static bool random_bytes(const fg_env_t *env, unsigned char *out, size_t n) {
    const fg_federation_source_t *source = env->host;
    return source->outer->random(source->outer, out, n);
}

static void note_line(const fg_env_t *env, fg_log_level_t level, const char *message) {
    fg_federation_source_t *source = env->host;
    pthread_mutex_lock(&source->lock);
    if (source->log.length + strlen(message) + 2 < LOG_MAX) {
        fg_buf_putc(&source->log, (char)('0' + level));
        fg_buf_add(&source->log, message, strlen(message) + 1);
    }
    pthread_mutex_unlock(&source->lock);
}

static void set_env(fg_federation_source_t *source, const fg_env_t *outer) {
    source->outer = outer;
    source->env =
        (fg_env_t){.now_ms = now_ms, .random = random_bytes, .log = note_line, .host = source, .http = outer->http};
}

/* The host's log is its own thread's. */
static void write_log(fg_federation_source_t *source, const fg_env_t *env) {
    pthread_mutex_lock(&source->lock);
    fg_buf_t lines = source->log;
    fg_buf_init(&source->log, LOG_MAX);
    pthread_mutex_unlock(&source->lock);
    for (size_t at = 0; at < lines.length; at += strlen(lines.data + at) + 1)
        fg_log(env, (fg_log_level_t)(lines.data[at] - '0'), "%s", lines.data + at + 1);
    fg_buf_free(&lines);
}

static const char *title(const fg_federation_source_t *source) { return source->section->at.title; }

/* ---- documents */

static void documents_free(fg_federation_documents_t *documents) {
    for (size_t i = 0; i < documents->count; i++)
        fg_saml_aggregate_unref(documents->items[i]);
    free(documents->items);
    free(documents);
}

const fg_federation_documents_t *fg_federation_source_acquire(fg_federation_source_t *source) {
    pthread_mutex_lock(&source->lock);
    fg_federation_documents_t *documents = source->documents;
    documents->references++;
    pthread_mutex_unlock(&source->lock);
    return documents;
}

void fg_federation_source_release(fg_federation_source_t *source, const fg_federation_documents_t *documents) {
    fg_federation_documents_t *own = (fg_federation_documents_t *)documents;
    pthread_mutex_lock(&source->lock);
    bool last = --own->references == 0;
    pthread_mutex_unlock(&source->lock);
    if (last)
        documents_free(own);
}

/* What the files hold by now is what is looked up from now on. */
static bool publish(fg_federation_source_t *source) {
    fg_federation_documents_t *made = calloc(1, sizeof *made);
    fg_saml_aggregate_t **items = calloc(source->file_count + 1, sizeof(fg_saml_aggregate_t *));
    if (made == NULL || items == NULL) {
        free(made);
        free(items);
        return false;
    }
    *made = (fg_federation_documents_t){1, items, 0};
    for (size_t i = 0; i < source->file_count; i++)
        if (source->files[i].aggregate != NULL)
            items[made->count++] = fg_saml_aggregate_ref(source->files[i].aggregate);
    pthread_mutex_lock(&source->lock);
    fg_federation_documents_t *before = source->documents;
    source->documents = made;
    pthread_mutex_unlock(&source->lock);
    if (before != NULL)
        fg_federation_source_release(source, before);
    return true;
}

/* ---- files */

static fg_saml_aggregate_t *load(const fg_federation_source_t *source, const char *path, const fg_env_t *env,
                                 fg_err_t *err) {
    const fg_dsig_trust_t trust = {(const fg_key_t *const *)source->keys, source->key_count, false};
    return fg_saml_aggregate_load(env, path, source->section->size, source->key_count > 0 ? &trust : NULL, err);
}

static void log_loaded(const fg_federation_source_t *source, const char *path, const fg_saml_aggregate_t *aggregate,
                       const fg_env_t *env) {
    size_t count;
    (void)fg_saml_aggregate_entities(aggregate, &count);
    fg_log(env, FG_LOG_NOTICE, "federation \"%s\": %s has %zu entit%s", title(source), path, count,
           count == 1 ? "y" : "ies");
}

static void path_of(const fg_federation_source_t *source, const document_t *file, char path[PATH_ROOM]) {
    const char *folder = source->section->folder;
    if (folder != NULL)
        snprintf(path, PATH_ROOM, "%s/%s", folder, file->name);
    else
        snprintf(path, PATH_ROOM, "%s", file->name);
}

/* Reads a file that has changed; what is wrong leaves what was there (SA-18).  True: it is another one now. */
static bool read_file(fg_federation_source_t *source, document_t *file, const fg_env_t *env, fg_err_t *err) {
    char path[PATH_ROOM];
    fg_file_stamp_t stamp;
    path_of(source, file, path);
    if (!fg_file_stamp(path, &stamp) || fg_file_stamp_eq(&stamp, &file->stamp))
        return false;
    file->stamp = stamp; /* also of one that is wrong: it is not looked at again until it changes */
    fg_saml_aggregate_t *aggregate = load(source, path, env, err);
    if (aggregate == NULL) {
        fg_log(env, FG_LOG_ERROR, "federation \"%s\": %s is refused%s: %s", title(source), path,
               file->aggregate ? " and the last good one stays" : "", err->detail);
        return false;
    }
    log_loaded(source, path, aggregate, env);
    fg_saml_aggregate_unref(file->aggregate);
    file->aggregate = aggregate;
    return true;
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static int is_metadata(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 4 && strcmp(entry->d_name + length - 4, ".xml") == 0;
}

/* Takes what is known of a file out of the list of before. */
static document_t take_known(document_t *files, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (files[i].name == NULL || strcmp(files[i].name, name) != 0)
            continue;
        document_t found = files[i];
        files[i] = (document_t){0};
        return found;
    }
    return (document_t){.name = strdup(name)};
}

static void files_free(document_t *files, size_t count) {
    for (size_t i = 0; i < count; i++) {
        fg_saml_aggregate_unref(files[i].aggregate);
        free(files[i].name);
    }
    free(files);
}

/* The files of the folder as they are now; what is gone is gone.  True: there are others than before. */
static bool list_folder(fg_federation_source_t *source, const fg_env_t *env) {
    struct dirent **entries;
    int count = scandir(source->section->folder, &entries, is_metadata, by_name);
    if (count < 0) {
        fg_log(env, FG_LOG_ERROR, "federation \"%s\": %s: %s", title(source), source->section->folder, strerror(errno));
        return false;
    }
    size_t kept = 0;
    document_t *files = calloc((size_t)count + 1, sizeof *files);
    for (int i = 0; i < count; i++) {
        if (files != NULL && kept < FILES_MAX) {
            files[kept] = take_known(source->files, source->file_count, entries[i]->d_name);
            kept += files[kept].name != NULL;
        }
        free(entries[i]);
    }
    free(entries);
    if (files == NULL)
        return false;
    size_t before = 0;
    for (size_t i = 0; i < source->file_count; i++)
        before += source->files[i].aggregate != NULL; /* what nobody took */
    files_free(source->files, source->file_count);
    source->files = files;
    source->file_count = kept;
    return before > 0;
}

/* True: something is another one now.  *err: of the last file that was wrong. */
static bool read_files(fg_federation_source_t *source, const fg_env_t *env, fg_err_t *err) {
    bool changed = source->section->folder != NULL && list_folder(source, env);
    for (size_t i = 0; i < source->file_count; i++)
        changed = read_file(source, &source->files[i], env, err) || changed;
    return changed;
}

/* Whether reading them would find anything new. */
static bool has_changed(const fg_federation_source_t *source) {
    fg_file_stamp_t stamp;
    char path[PATH_ROOM];
    if (source->section->folder != NULL) {
        struct dirent **entries;
        int count = scandir(source->section->folder, &entries, is_metadata, by_name);
        bool other = count >= 0 && (size_t)count != source->file_count && (size_t)count <= FILES_MAX;
        for (int i = 0; i < count; i++) {
            other = other || strcmp(entries[i]->d_name, source->files[i].name) != 0;
            free(entries[i]);
        }
        if (count >= 0)
            free(entries);
        if (other)
            return true;
    }
    for (size_t i = 0; i < source->file_count; i++) {
        path_of(source, &source->files[i], path);
        if (fg_file_stamp(path, &stamp) && !fg_file_stamp_eq(&stamp, &source->files[i].stamp))
            return true;
    }
    return false;
}

/* ---- fetching */

static void read_note(const fg_federation_source_t *source, note_t *note) {
    char path[PATH_ROOM];
    fg_buf_t text = FG_BUF_INIT(NOTE_MAX);
    *note = (note_t){0};
    snprintf(path, sizeof path, "%s.note", source->path);
    if (fg_file_read(path, &text, NULL, NULL) && text.length > 0) {
        long long next = 0;
        sscanf(text.data, "next %lld\nfailures %u\netag %511[^\n]\n", &next, &note->failures, note->etag);
        const char *modified = strstr(text.data, "\nmodified ");
        if (modified != NULL)
            sscanf(modified, "\nmodified %63[^\n]", note->modified);
        note->next_ms = next;
    }
    fg_buf_free(&text);
}

static void write_note(const fg_federation_source_t *source, const note_t *note, const fg_env_t *env) {
    char path[PATH_ROOM], text[NOTE_MAX];
    fg_err_t err = FG_ERR_INIT;
    snprintf(path, sizeof path, "%s.note", source->path);
    int n = snprintf(text, sizeof text, "next %lld\nfailures %u\netag %s\nmodified %s\n", (long long)note->next_ms,
                     note->failures, note->etag, note->modified);
    if (!fg_file_replace(path, (fg_str_t){text, (size_t)n}, 0600, &err))
        fg_log(env, FG_LOG_ERROR, "federation \"%s\": %s", title(source), err.detail);
}

/* A tenth earlier or later, so that not all gateways come at once. */
static int64_t spread(const fg_env_t *env, int64_t ms) {
    unsigned char byte = 128;
    if (!env->random(env, &byte, 1))
        byte = 128;
    return ms + ms * (byte - 128) / 1280;
}

/* The shorter of what is configured and what the document says (cacheDuration), and well before it expires. */
static int64_t interval(const fg_federation_source_t *source, const fg_env_t *env) {
    const fg_saml_aggregate_t *aggregate = source->files[0].aggregate;
    int64_t ms = source->section->refresh_ms;
    if (aggregate != NULL) {
        int64_t duration = fg_saml_aggregate_cache_duration(aggregate);
        int64_t until = fg_saml_aggregate_valid_until(aggregate);
        if (duration > 0 && duration < ms)
            ms = duration;
        if (until > 0 && (until - fg_now(env)) / 2 < ms)
            ms = (until - fg_now(env)) / 2;
    }
    return ms < LEAST_WAIT ? LEAST_WAIT : ms;
}

static int64_t wait_after_failure(const fg_federation_source_t *source, unsigned failures) {
    int64_t ms = FIRST_WAIT << (failures < 10 ? failures : 10);
    return ms < source->section->refresh_ms ? ms : source->section->refresh_ms;
}

/* SA-18: beside the good copy first; it takes its place when it is good itself. */
static bool take_answer(fg_federation_source_t *source, fg_str_t body, const fg_env_t *env, fg_err_t *err) {
    char path[PATH_ROOM];
    document_t *file = &source->files[0];
    snprintf(path, sizeof path, "%s.new", source->path);
    if (!fg_file_replace(path, body, 0600, err))
        return false;
    fg_saml_aggregate_t *aggregate = load(source, path, env, err);
    if (aggregate == NULL || rename(path, source->path) != 0) {
        if (aggregate != NULL)
            FG_FAIL(err, FG_E_FILE, "%s: %s", source->path, strerror(errno));
        fg_saml_aggregate_unref(aggregate);
        unlink(path);
        return false;
    }
    (void)fg_file_stamp(source->path, &file->stamp);
    fg_saml_aggregate_unref(file->aggregate);
    file->aggregate = aggregate;
    log_loaded(source, source->section->url.p, aggregate, env);
    return true;
}

static void keep_header(const fg_http_response_t *response, const char *name, char *out, size_t size) {
    fg_str_t value = fg_http_header(response, name);
    if (value.n < size)
        snprintf(out, size, "%.*s", (int)value.n, value.p ? value.p : "");
    else
        out[0] = '\0';
}

/* True: there is a new document. */
static bool ask(fg_federation_source_t *source, note_t *note, const fg_env_t *env, bool *failed, fg_err_t *err) {
    fg_arena_t *arena = fg_arena_new(2 * source->section->size + (1u << 20));
    fg_http_response_t response;
    fg_http_field_t fields[2];
    fg_http_request_t request = {
        .url = source->section->url,
        .headers = fields,
        .deadline_ms = FETCH_TIME,
        .body_max = source->section->size,
        .redirects = 2,
        .any_host = true, /* the configuration names this one */
        .patient = true,
    };
    bool has_copy = source->files[0].aggregate != NULL, taken = false;
    if (has_copy && note->etag[0] != '\0')
        fields[request.header_count++] = (fg_http_field_t){FG_STR("If-None-Match"), fg_str(note->etag)};
    if (has_copy && note->modified[0] != '\0')
        fields[request.header_count++] = (fg_http_field_t){FG_STR("If-Modified-Since"), fg_str(note->modified)};
    *failed = arena == NULL || !fg_http_fetch(env, arena, &request, &response, err);
    if (!*failed && response.status == 200) {
        taken = take_answer(source, response.body, env, err);
        *failed = !taken;
        if (taken) {
            keep_header(&response, "ETag", note->etag, sizeof note->etag);
            keep_header(&response, "Last-Modified", note->modified, sizeof note->modified);
        }
    } else if (!*failed && !(response.status == 304 && has_copy)) {
        *failed = !FG_FAIL(err, FG_E_FETCH_FAILED, "status %d", response.status);
    }
    fg_arena_free(arena);
    return taken;
}

/* One worker asks, the others take up what it wrote. */
static bool fetch(fg_federation_source_t *source, const fg_env_t *env) {
    char path[PATH_ROOM];
    fg_err_t err = FG_ERR_INIT;
    note_t note;
    bool failed, taken;
    snprintf(path, sizeof path, "%s", source->path);
    *strrchr(path, '/') = '\0';
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        fg_log(env, FG_LOG_ERROR, "federation \"%s\": %s: %s", title(source), path, strerror(errno));
    snprintf(path, sizeof path, "%s.lock", source->path);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
        source->next_ms = fg_now(env) + BUSY_WAIT;
        if (lock >= 0)
            close(lock);
        return false;
    }
    read_note(source, &note);
    bool early = note.next_ms > fg_now(env) && note.next_ms <= fg_now(env) + 2 * source->section->refresh_ms;
    if (early && (source->files[0].aggregate != NULL || note.failures > 0)) {
        source->next_ms = note.next_ms;
        close(lock);
        return false;
    }
    taken = ask(source, &note, env, &failed, &err);
    if (failed)
        fg_log(env, FG_LOG_ERROR, "federation \"%s\": %.*s%s: %s", title(source), FG_STR_ARG(source->section->url),
               source->files[0].aggregate ? " is not taken and the last good copy stays" : " is not taken", err.detail);
    int64_t wait = failed ? wait_after_failure(source, note.failures) : interval(source, env);
    note.failures = failed ? note.failures + 1 : 0;
    note.next_ms = fg_now(env) + spread(env, wait);
    source->next_ms = note.next_ms;
    write_note(source, &note, env);
    close(lock);
    return taken;
}

/* ---- in the background */

static void *run(void *context) {
    fg_federation_source_t *source = context;
    fg_err_t err = FG_ERR_INIT;
    const fg_env_t *env = &source->env;
    bool changed = read_files(source, env, &err);
    if (source->section->url.n > 0 && fg_now(env) >= source->next_ms)
        changed = fetch(source, env) || changed;
    if (changed && !publish(source))
        fg_log(env, FG_LOG_ERROR, "federation \"%s\": memory is out", title(source));
    pthread_mutex_lock(&source->lock);
    source->done = true;
    pthread_mutex_unlock(&source->lock);
    return NULL;
}

/* Once the last run is over. */
static bool is_idle(fg_federation_source_t *source) {
    pthread_mutex_lock(&source->lock);
    bool done = source->done;
    pthread_mutex_unlock(&source->lock);
    if (source->running && !done)
        return false;
    if (source->running)
        pthread_join(source->thread, NULL);
    source->running = source->done = false;
    return true;
}

void fg_federation_source_refresh(fg_federation_source_t *source, const fg_env_t *env) {
    bool idle = is_idle(source);
    write_log(source, env);
    if (!idle)
        return;
    bool due = source->section->url.n > 0 && env->http != NULL && fg_now(env) >= source->next_ms;
    if (!due && !has_changed(source))
        return;
    set_env(source, env);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* signals are the host's */
    source->running = pthread_create(&source->thread, NULL, run, source) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!source->running)
        fg_log(env, FG_LOG_ERROR, "federation \"%s\": no thread to read it in", title(source));
}

/* ---- making */

static bool read_keys(fg_federation_source_t *source, const fg_env_t *env, fg_err_t *err) {
    const fg_config_federation_t *s = source->section;
    const char *const *paths = s->certificates.items;
    source->keys = calloc(s->certificates.count + 1, sizeof(fg_key_t *));
    if (source->keys == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading federations");
    for (unsigned i = 0; i < s->certificates.count; i++) {
        fg_key_t *key = fg_config_certificate_load(&s->at, "certificate", i, paths[i], err);
        if (key == NULL)
            return false;
        source->keys[source->key_count++] = key;
        if (fg_key_get_not_after(key) < fg_now(env))
            fg_log(env, FG_LOG_WARN, "federation \"%s\": the certificate %s has expired", title(source), paths[i]);
    }
    return true;
}

/* A name of the section's that can be a file's. */
static char *copy_path(const fg_config_federation_t *section, const char *state) {
    fg_buf_t path = FG_BUF_INIT(PATH_ROOM - 16);
    size_t length;
    fg_buf_printf(&path, "%s/metadata/", state);
    for (const char *c = section->at.title; *c != '\0'; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '-';
        fg_buf_printf(&path, plain ? "%c" : "%%%02x", (unsigned char)*c);
    }
    fg_buf_puts(&path, ".xml");
    char *text = fg_buf_take(&path, &length);
    fg_buf_free(&path);
    return text;
}

static bool check(const fg_config_federation_t *s, fg_err_t *err) {
    unsigned ways = (s->metadata != NULL) + (s->folder != NULL) + (s->url.n > 0);
    if (ways != 1)
        return fg_config_refuse(err, &s->at,
                                s->metadata ? "metadata"
                                : s->folder ? "folder"
                                            : "url",
                                0,
                                "one of metadata = \"FILE\", folder = \"FOLDER\" and url = \"https://…\" in federation "
                                "\"%s\"",
                                s->at.title);
    if (s->url.n > 0 && s->certificates.count == 0)
        return fg_config_refuse(err, &s->at, "certificate", 0,
                                "certificate = {\"FILE\"} beside url: whose signature the document must have");
    if (s->refresh_ms < FG_MINUTE || s->refresh_ms > 30 * FG_DAY)
        return fg_config_refuse(err, &s->at, "refresh", 0, "from 1m to 30d");
    if (s->lifetime_ms == 0)
        return fg_config_refuse(err, &s->at, "lifetime", 0, "a duration longer than nothing");
    return (s->size >= 4096 && s->size <= 1u << 30) ||
           fg_config_refuse(err, &s->at, "size", 0, "a size from 4k to 1024m");
}

static bool read_first(fg_federation_source_t *source, const char *state, const fg_env_t *env, fg_err_t *err) {
    const fg_config_federation_t *s = source->section;
    fg_err_t why = FG_ERR_INIT;
    source->path = s->url.n > 0 ? copy_path(s, state) : strdup(s->metadata ? s->metadata : s->folder);
    source->files = calloc(1, sizeof *source->files);
    if (source->path == NULL || source->files == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading federations");
    if (s->folder == NULL) {
        source->files[0].name = strdup(source->path);
        source->file_count = source->files[0].name != NULL;
    }
    (void)read_files(source, env, &why);
    if (s->metadata != NULL && source->files[0].aggregate == NULL)
        return fg_config_refuse(err, &s->at, "metadata", 0, "SAML metadata (%s)",
                                why.code != FG_OK ? why.detail : "no such file");
    return publish(source) || FG_FAIL(err, FG_E_MEMORY, "reading federations");
}

fg_federation_source_t *fg_federation_source_new(const fg_config_federation_t *section, const char *state,
                                                 const fg_env_t *env, fg_err_t *err) {
    fg_federation_source_t *source = calloc(1, sizeof *source);
    if (source == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "reading federations");
        return NULL;
    }
    source->section = section;
    pthread_mutex_init(&source->lock, NULL);
    fg_buf_init(&source->log, LOG_MAX);
    if (check(section, err) && read_keys(source, env, err) && read_first(source, state, env, err))
        return source;
    fg_federation_source_free(source);
    return NULL;
}

void fg_federation_source_free(fg_federation_source_t *source) {
    if (source == NULL)
        return;
    if (source->running)
        pthread_join(source->thread, NULL);
    if (source->documents != NULL)
        documents_free(source->documents);
    files_free(source->files, source->file_count);
    for (size_t i = 0; i < source->key_count; i++)
        fg_key_unref(source->keys[i]);
    free(source->keys);
    free(source->path);
    fg_buf_free(&source->log);
    pthread_mutex_destroy(&source->lock);
    free(source);
}
