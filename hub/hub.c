/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/hub.h"

#include <stdlib.h>
#include <string.h>

static const fg_partner_t *find(const fg_realm_entry_t *index, size_t count, fg_str_t name) {
    const fg_realm_entry_t wanted = {name, NULL};
    if (name.n == 0 || count == 0)
        return NULL;
    const fg_realm_entry_t *found = bsearch(&wanted, index, count, sizeof wanted, fg_realm_entry_compare);
    return found ? found->partner : NULL;
}

const fg_partner_t *fg_hub_find_partner(const fg_hub_t *hub, fg_str_t realm) {
    return find(hub->realm_index, hub->realm_count, realm);
}

const fg_partner_t *fg_hub_find_client(const fg_hub_t *hub, fg_str_t client_id) {
    return find(hub->client_index, hub->client_count, client_id);
}

const fg_home_realm_t *fg_hub_find_home_realm(const fg_hub_t *hub, fg_str_t uri) {
    for (size_t i = 0; i < hub->home_realm_count; i++)
        if (fg_str_eq(hub->home_realms[i].uri, uri))
            return &hub->home_realms[i];
    return NULL;
}

const fg_home_realm_t *fg_hub_find_directory(const fg_hub_t *hub, const char *name) {
    for (size_t i = 0; i < hub->home_realm_count; i++) {
        const fg_directory_t *directory = hub->home_realms[i].directory;
        if (directory != NULL && strcmp(directory->name, name) == 0)
            return &hub->home_realms[i];
    }
    return NULL;
}

const fg_home_realm_t *fg_hub_find_issuer(const fg_hub_t *hub, fg_str_t issuer) {
    for (size_t i = 0; i < hub->home_realm_count; i++) {
        const fg_identity_provider_t *provider = hub->home_realms[i].identity_provider;
        if (provider != NULL && issuer.n > 0 && fg_str_eq(provider->issuer, issuer))
            return &hub->home_realms[i];
    }
    return NULL;
}

bool fg_hub_knows_certificates(const fg_hub_t *hub) {
    for (size_t i = 0; i < hub->home_realm_count; i++)
        if (hub->home_realms[i].certificates != NULL)
            return true;
    return false;
}

const fg_home_realm_t *fg_hub_default_home_realm(const fg_hub_t *hub) {
    for (size_t i = 0; i < hub->home_realm_count; i++)
        if (hub->home_realms[i].directory != NULL)
            return &hub->home_realms[i];
    return NULL;
}
