/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/config_ldap.h"

#include <stdio.h>

#include "core/file.h"
#include "core/time.h"

#define CONNECTIONS_MAX 64u

fg_ldap_options_t fg_config_ldap_options(const fg_config_directory_t *d) {
    return (fg_ldap_options_t){
        .name = d->at.title,
        .type = strcmp(d->type, "ad") == 0 ? FG_LDAP_AD : FG_LDAP_PLAIN,
        .servers = d->servers.items,
        .server_count = d->servers.count,
        .ca = d->ca,
        .base = d->base,
        .bind_dn = d->bind_dn,
        .bind_password_file = d->bind_password_file,
        .password_change = d->password_change == FG_CHOICE_YES && (d->bind_dn != NULL || strcmp(d->type, "ad") != 0),
        .user_filter = d->user_filter,
        .attributes = d->attributes.items,
        .attribute_count = d->attributes.count,
        .groups = d->groups,
        .group_base = d->group_base,
        .group_filter = d->group_filter,
        .group_name = d->group_name,
        .domain = d->domain,
        .realm = d->realm,
        .timeout_ms = d->timeout_ms,
        .cache_ms = d->cache_ms,
        .negative_cache_ms = d->negative_cache_ms,
        .connections = d->connections,
    };
}

static bool is_written(const fg_config_directory_t *d, const char *option) {
    return fg_config_text_find(d->at.text, d->at.section, d->at.index, option, 0)->kind == FG_MARK_VALUE;
}

/* An option of the other kind of directory would do nothing: that is not what was meant. */
static bool check_kind(const fg_config_directory_t *d, bool ldap, fg_err_t *err) {
    static const char *const of_ldap[] = {
        "servers",     "ca",         "base",    "bind_dn",    "bind_password_file", "password_change",
        "user_filter", "attributes", "groups",  "group_base", "group_filter",       "group_name",
        "domain",      "realm",      "timeout", "cache",      "negative_cache",     "connections"};
    if (ldap)
        return !is_written(d, "path") || fg_config_refuse(err, &d->at, "path", 0, "no path: type is \"%s\"", d->type);
    for (size_t i = 0; i < FG_ARRAY_SIZE(of_ldap); i++)
        if (is_written(d, of_ldap[i]))
            return fg_config_refuse(err, &d->at, of_ldap[i], 0, "type = \"ad\" or \"ldap\" with %s", of_ldap[i]);
    return d->path != NULL || fg_config_refuse(err, &d->at, "path", 0, "path = \"users.json\"");
}

static bool check_ca(const fg_config_directory_t *d, fg_err_t *err) {
    fg_buf_t pem = FG_BUF_INIT(4u << 20);
    fg_err_t why = FG_ERR_INIT;
    bool ok = fg_file_read(d->ca, &pem, NULL, &why) && pem.length > 0 &&
              memmem(pem.data, pem.length, "-----BEGIN CERTIFICATE-----", 27) != NULL;
    fg_buf_free(&pem);
    return ok || fg_config_refuse(err, &d->at, "ca", 0, "a PEM file with the CA certificates of the servers%s%s",
                                  why.detail[0] ? ": " : "", why.detail);
}

static bool check_password_file(const fg_config_directory_t *d, fg_err_t *err) {
    fg_buf_t password = FG_BUF_INIT(4096);
    fg_err_t why = FG_ERR_INIT;
    bool ok = d->bind_dn == NULL || (fg_file_read(d->bind_password_file, &password, NULL, &why) && password.length > 0);
    fg_buf_free(&password);
    return ok || fg_config_refuse(err, &d->at, "bind_password_file", 0, "a file with a password%s%s",
                                  why.detail[0] ? ": " : "", why.detail);
}

/* What is filled in of a filter: its words are known when it is used. */
static bool check_words(const fg_config_directory_t *d, const char *option, const char *filter, const char *allowed,
                        fg_err_t *err) {
    for (const char *at = filter; at != NULL && (at = strchr(at, '{')) != NULL; at++) {
        const char *end = strchr(at, '}');
        char word[16];
        snprintf(word, sizeof word, "%.*s", end ? (int)(end + 1 - at) : 1, at);
        if (end == NULL || end - at > 8 || strstr(allowed, word) == NULL)
            return fg_config_refuse(err, &d->at, option, 0, "a filter with no other words in braces than %s", allowed);
    }
    return true;
}

static bool check_ldap(const fg_config_directory_t *d, fg_err_t *err) {
    bool ad = strcmp(d->type, "ad") == 0;
    if (d->servers.count == 0)
        return fg_config_refuse(err, &d->at, "servers", 0, "servers = {\"ldaps://dc1.example.com\"}");
    if (d->servers.count > 16)
        return fg_config_refuse(err, &d->at, "servers", 16, "at most 16 servers");
    if (d->ca == NULL)
        return fg_config_refuse(err, &d->at, "ca", 0, "ca = \"ca.pem\", the CA certificates of the servers");
    if (d->base == NULL)
        return fg_config_refuse(err, &d->at, "base", 0, "base = \"DC=example,DC=com\"");
    if (d->timeout_ms < 100 || d->timeout_ms > FG_MINUTE)
        return fg_config_refuse(err, &d->at, "timeout", 0, "from 100ms to 1m");
    if (d->cache_ms > 10 * FG_MINUTE)
        return fg_config_refuse(err, &d->at, "cache", 0, "at most 10m: what changes in the directory must be seen");
    if (d->negative_cache_ms > d->cache_ms)
        return fg_config_refuse(err, &d->at, "negative_cache", 0, "at most the duration of cache");
    if (d->connections == 0 || d->connections > CONNECTIONS_MAX)
        return fg_config_refuse(err, &d->at, "connections", 0, "a number from 1 to %u", CONNECTIONS_MAX);
    if (!ad && d->groups == FG_LDAP_GROUPS_CHAIN)
        return fg_config_refuse(err, &d->at, "groups", 0, "another word than chain, which only type = \"ad\" has");
    if (d->bind_dn != NULL && d->bind_password_file == NULL)
        return fg_config_refuse(err, &d->at, "bind_password_file", 0, "the file with the password of bind_dn");
    if (d->bind_dn == NULL && d->bind_password_file != NULL)
        return fg_config_refuse(err, &d->at, "bind_dn", 0, "the account that bind_password_file is of");
    if (ad && d->bind_dn == NULL && d->password_change == FG_CHOICE_YES && is_written(d, "password_change"))
        return fg_config_refuse(err, &d->at, "password_change", 0,
                                "no password_change without bind_dn: whoever must change cannot bind");
    if (d->user_filter != NULL && strstr(d->user_filter, "{user}") == NULL)
        return fg_config_refuse(err, &d->at, "user_filter", 0, "a filter with {user} in it");
    return check_words(d, "user_filter", d->user_filter, "{user}", err) &&
           check_words(d, "group_filter", d->group_filter, "{dn} {user} {gid}", err);
}

bool fg_config_check_directory(const fg_config_directory_t *d, fg_err_t *err) {
    bool ldap = strcmp(d->type, "file") != 0;
    return check_kind(d, ldap, err) && (!ldap || check_ldap(d, err));
}

bool fg_config_ldap_files(const fg_config_directory_t *d, fg_err_t *err) {
    return check_ca(d, err) && check_password_file(d, err);
}
