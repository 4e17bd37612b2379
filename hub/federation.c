/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/federation.h"

#define MAIL_MAX 320u /* RFC 5321 §4.5.3.1 */

const fg_partner_t *fg_find_partner(fg_exchange_t *ex, fg_str_t realm) {
    fg_federations_t *federations = ex->hub->federations;
    const fg_partner_t *partner = fg_hub_find_partner(ex->hub, realm);
    if (partner != NULL || federations == NULL || realm.n == 0)
        return partner;
    return federations->find_partner(federations, ex, realm);
}

static const fg_home_realm_t *find_federated(fg_exchange_t *ex, fg_str_t entity_id) {
    fg_federations_t *federations = ex->hub->federations;
    return federations && entity_id.n > 0 ? federations->find_home_realm(federations, ex, entity_id) : NULL;
}

const fg_home_realm_t *fg_find_home_realm(fg_exchange_t *ex, fg_str_t uri) {
    const fg_home_realm_t *realm = fg_hub_find_home_realm(ex->hub, uri);
    return realm ? realm : find_federated(ex, uri);
}

const fg_home_realm_t *fg_find_issuer(fg_exchange_t *ex, fg_str_t issuer) {
    const fg_home_realm_t *realm = fg_hub_find_issuer(ex->hub, issuer);
    return realm ? realm : find_federated(ex, issuer);
}

bool fg_knows_home_realm(const fg_exchange_t *ex, fg_str_t uri) {
    fg_federations_t *federations = ex->hub->federations;
    return fg_hub_find_home_realm(ex->hub, uri) != NULL ||
           (federations != NULL && federations->knows_home_realm(federations, uri, ex->now_ms));
}

/* ---- by mail address */

static fg_str_t domain_of(fg_exchange_t *ex, fg_str_t address) {
    const char *sign = address.n > 0 && address.n <= MAIL_MAX ? memrchr(address.p, '@', address.n) : NULL;
    if (sign == NULL || sign == address.p)
        return FG_STR_NONE;
    char *copy = fg_arena_strndup(ex->arena, sign + 1, address.n - (size_t)(sign + 1 - address.p));
    for (char *c = copy; c != NULL && *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
    return fg_str(copy);
}

static bool speaks_for(const fg_home_realm_t *realm, fg_str_t domain) {
    for (size_t i = 0; i < realm->domain_count; i++)
        if (fg_str_is(domain, realm->domains[i]))
            return true;
    return false;
}

const fg_home_realm_t *fg_find_home_realm_for_mail(fg_exchange_t *ex, fg_str_t address) {
    fg_federations_t *federations = ex->hub->federations;
    fg_str_t domain = domain_of(ex, fg_str_trim(address));
    if (domain.n == 0)
        return NULL;
    for (size_t i = 0; i < ex->hub->home_realm_count; i++) {
        const fg_home_realm_t *realm = &ex->hub->home_realms[i];
        if (fg_home_realm_is_offered(realm) && speaks_for(realm, domain))
            return realm;
    }
    return federations ? find_federated(ex, federations->find_domain(federations, ex, domain)) : NULL;
}

/* ---- to choose from */

bool fg_home_realm_is_offered(const fg_home_realm_t *realm) {
    return realm->directory != NULL ||
           (realm->identity_provider != NULL && realm->identity_provider->sign_in_url.n > 0);
}

/* Every word occurs in the name, the domains or the URI, in whatever case of ASCII. */
static bool occurs(fg_str_t text, fg_str_t word) {
    for (size_t at = 0; at + word.n <= text.n; at++)
        if (fg_str_eq_nocase((fg_str_t){text.p + at, word.n}, word))
            return true;
    return false;
}

static bool is_found(const fg_home_realm_t *realm, fg_str_t words) {
    while (words.n > 0) {
        const char *space = memchr(words.p, ' ', words.n);
        fg_str_t word = {words.p, space ? (size_t)(space - words.p) : words.n};
        bool found = occurs(fg_str(realm->display_name), word) || occurs(realm->uri, word);
        for (size_t i = 0; i < realm->domain_count && !found; i++)
            found = occurs(fg_str(realm->domains[i]), word);
        if (!found)
            return false;
        size_t taken = word.n + (space ? 1 : 0);
        words = (fg_str_t){words.p + taken, words.n - taken};
    }
    return true;
}

size_t fg_search_home_realms(fg_exchange_t *ex, const fg_search_t *search, fg_offer_t *out, size_t room,
                             size_t *filled) {
    fg_federations_t *federations = ex->hub->federations;
    fg_search_t rest = *search;
    size_t all = 0, more = 0;
    *filled = 0;
    for (size_t i = 0; i < ex->hub->home_realm_count; i++) {
        const fg_home_realm_t *realm = &ex->hub->home_realms[i];
        if (!fg_home_realm_is_offered(realm) || !is_found(realm, search->words))
            continue;
        if (all++ >= search->skip && *filled < room)
            out[(*filled)++] = (fg_offer_t){realm->uri, fg_str(realm->display_name), FG_STR_NONE};
    }
    if (federations == NULL)
        return all;
    rest.skip = search->skip > all ? search->skip - all : 0;
    size_t found = federations->search(federations, ex, &rest, out + *filled, room - *filled, &more);
    *filled += more;
    return all + found;
}
