/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/config_check.h"

#include <sys/stat.h>

#include "core/file.h"
#include "gateway/config_ldap.h"
#include "core/time.h"

#define STORE_SIZE_MIN (64u << 10)

static bool refuse_in(const fg_config_t *config, const char *section, const char *option, const char *expected,
                      fg_err_t *err) {
    const fg_config_at_t at = fg_config_place(config, section);
    return fg_config_refuse(err, &at, option, 0, "%s", expected);
}

/* Two that must go together: named is the first of them that is written. */
static bool refuse_pair(const fg_config_t *config, const char *section, const char *a, const char *wanted_a,
                        const char *b, const char *wanted_b, fg_err_t *err) {
    const fg_config_at_t at = fg_config_place(config, section);
    bool written = fg_config_text_find(at.text, at.section, 0, a, 0)->kind == FG_MARK_VALUE;
    return refuse_in(config, section, written ? a : b, written ? wanted_a : wanted_b, err);
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool check_folders(const fg_config_t *config, fg_err_t *err) {
    char folder[4096];
    if (config->pages != NULL && !is_folder(config->pages))
        return refuse_in(config, NULL, "pages", "a folder that is there", err);
    if (config->audit_log == NULL)
        return true;
    size_t length = (size_t)(strrchr(config->audit_log, '/') -
                             config->audit_log); /* paths are absolute, or have their file's folder */
    if (length >= sizeof folder)
        return refuse_in(config, NULL, "audit_log", "a shorter path", err);
    memcpy(folder, config->audit_log, length);
    folder[length] = '\0';
    if (length > 0 && !is_folder(folder))
        return refuse_in(config, NULL, "audit_log", "a file in a folder that is there", err);
    return true;
}

static bool check_times(const fg_config_t *config, fg_err_t *err) {
    if (config->session.idle_ms < FG_MINUTE)
        return refuse_in(config, "session", "idle", "at least 1m", err);
    if (config->session.idle_ms > config->session.absolute_ms)
        return refuse_pair(config, "session", "idle", "at most the duration of absolute", "absolute",
                           "at least idle, which is 1h unless given", err);
    if (config->keys.publish_ms < FG_HOUR)
        return refuse_in(config, "keys", "publish", "at least 1h: partners must read the new key before it signs", err);
    if (config->keys.publish_ms >= config->keys.lifetime_ms / 2)
        return refuse_pair(config, "keys", "publish", "less than half of lifetime", "lifetime",
                           "more than twice publish, which is 20d unless given", err);
    if (config->skew_ms > FG_HOUR)
        return refuse_in(config, NULL, "skew", "at most 1h", err);
    if (config->lockout.first_wait_ms > config->lockout.longest_wait_ms)
        return refuse_pair(config, "lockout", "first_wait", "at most the duration of longest_wait", "longest_wait",
                           "at least first_wait, which is 1s unless given", err);
    return true;
}

static bool check_limits(const fg_config_t *config, fg_err_t *err) {
    if (config->store_size < STORE_SIZE_MIN)
        return refuse_in(config, NULL, "store_size", "at least 64k", err);
    if (config->limits.body < 4096 || config->limits.body > 16u << 20)
        return refuse_in(config, "limits", "body", "a size from 4k to 16m", err);
    if (config->limits.xml_depth < 16 || config->limits.xml_depth > 256)
        return refuse_in(config, "limits", "xml_depth", "a number from 16 to 256", err);
    if (config->limits.xml_elements < 100)
        return refuse_in(config, "limits", "xml_elements", "at least 100", err);
    if (config->limits.xml_attributes < 8)
        return refuse_in(config, "limits", "xml_attributes", "at least 8", err);
    if (config->limits.xml_namespaces < 16)
        return refuse_in(config, "limits", "xml_namespaces", "at least 16", err);
    return true;
}

/* whr must lead to one directory. */
static bool check_directories(const fg_config_t *config, fg_err_t *err) {
    const fg_config_directory_t *d = config->directories.items;
    for (size_t i = 0; i < config->directories.count; i++) {
        if (!fg_config_check_directory(&d[i], err))
            return false;
        for (size_t k = 0; k < i; k++)
            if (d[i].uri.n > 0 && fg_str_eq(d[i].uri, d[k].uri))
                return fg_config_refuse(err, &d[i].at, "uri", 0, "a URI that no other directory has (it is \"%s\"'s)",
                                        d[k].at.title);
    }
    return true;
}

/* Servers are told apart from this machine by their certificates alone, so a file without any is a mistake. */
static bool check_fetch(const fg_config_t *config, fg_err_t *err) {
    if (config->fetch.timeout_ms < FG_SECOND || config->fetch.timeout_ms > 30 * FG_SECOND)
        return refuse_in(config, "fetch", "timeout", "from 1s to 30s", err);
    if (config->fetch.size < 4096 || config->fetch.size > 16u << 20)
        return refuse_in(config, "fetch", "size", "a size from 4k to 16m", err);
    if (config->fetch.ca == NULL)
        return true;
    fg_buf_t pem = FG_BUF_INIT(4u << 20);
    bool ok = fg_file_read(config->fetch.ca, &pem, NULL, NULL) && pem.length > 0 &&
              memmem(pem.data, pem.length, "-----BEGIN CERTIFICATE-----", 27) != NULL;
    fg_buf_free(&pem);
    return ok || refuse_in(config, "fetch", "ca", "a PEM file with CA certificates", err);
}

bool fg_config_check(const fg_config_t *config, fg_err_t *err) {
    return check_times(config, err) && check_limits(config, err) && check_directories(config, err) &&
           check_folders(config, err) && check_fetch(config, err);
}
