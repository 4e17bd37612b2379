/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/gateway.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridges/openid/openid.h"
#include "bridges/openid/openid2.h"
#include "bridges/saml/saml.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/http.h"
#include "core/json.h"
#include "core/spell.h"
#include "core/time.h"
#include "gateway/certificate_realms.h"
#include "gateway/config_check.h"
#include "gateway/config_ldap.h"
#include "gateway/delegation.h"
#include "gateway/federations.h"
#include "gateway/identity_providers.h"
#include "gateway/kerberos.h"
#include "gateway/pages.h"
#include "gateway/partners.h"
#include "gateway/protects.h"
#include "gateway/routes.h"
#include "gateway/rule_files.h"
#include "hub/access.h"
#include "hub/recent.h"
#include "hub/signin.h"
#include "hub/store.h"
#include "sts/wsfed.h"

#define CONFIG_MAX (256u << 20) /* a cap, not a size */
#define RESPONSE_MAX (4u << 20)
#define SEALING_LIFETIME (7 * FG_DAY)

/* The partners, home realms and policies as they are now.  Exchanges that began with it keep it until they are over.
 */
typedef struct snapshot {
    fg_arena_t *arena; /* this lives in it */
    fg_hub_t hub;
    unsigned references; /* under the gateway's lock */
} snapshot_t;

struct fg_gateway {
    fg_arena_t *arena; /* the configuration */
    fg_config_t config;
    fg_hub_t hub; /* what snapshots begin with: all but partners and policies, and of the home realms the directories */
    fg_home_realm_t *directories;
    fg_kerberos_t *kerberos; /* NULL: no tickets are taken */
    fg_rule_store_t *stores; /* the directories that can be asked */
    struct asked *asked;     /* their contexts */
    _Atomic bool rules_wait; /* a rule that was compiled asks a directory that waits for a server */
    fg_partners_t *partners;
    fg_identity_providers_t *providers;
    fg_certificate_realms_t *certificates;
    fg_federations_t *federations;
    fg_protects_t *protects;
    fg_http_t *http;
    fg_pages_t *pages;
    fg_keyring_t *keyring;
    fg_recent_t *recent;        /* the event loop's, made when it first decides */
    pthread_mutex_t lock;       /* of current */
    pthread_mutex_t refreshing; /* one at a time */
    snapshot_t *first;
    snapshot_t *current;
    uint64_t snapshots; /* made so far */
};

typedef struct exchange {
    fg_exchange_t ex; /* first */
    fg_gateway_t *gateway;
    snapshot_t *snapshot;
} exchange_t;

/* ---- process */

bool fg_gateway_start(fg_err_t *err) {
    if (!fg_crypto_start())
        return FG_FAIL(err, FG_E_INTERNAL, "OpenSSL lacks an algorithm");
    fg_json_start();
    return fg_http_start(err) && fg_xml_start(err);
}

void fg_gateway_stop(void) {
    fg_http_stop();
    fg_crypto_stop();
}

/* ---- snapshots */

static void snapshot_release(fg_gateway_t *gateway, snapshot_t *snapshot) {
    if (snapshot == NULL)
        return;
    pthread_mutex_lock(&gateway->lock);
    bool last = --snapshot->references == 0;
    pthread_mutex_unlock(&gateway->lock);
    if (last)
        fg_arena_free(snapshot->arena);
}

static snapshot_t *snapshot_acquire(fg_gateway_t *gateway) {
    pthread_mutex_lock(&gateway->lock);
    snapshot_t *snapshot = gateway->current;
    snapshot->references++;
    pthread_mutex_unlock(&gateway->lock);
    return snapshot;
}

static bool snapshot_build(void *context, const fg_env_t *env, fg_err_t *err) {
    fg_gateway_t *gateway = context;
    fg_arena_t *arena = fg_arena_new(CONFIG_MAX);
    snapshot_t *snapshot = arena ? fg_arena_alloc(arena, sizeof *snapshot) : NULL;
    if (snapshot == NULL) {
        fg_arena_free(arena);
        return FG_FAIL(err, FG_E_MEMORY, "loading partners");
    }
    *snapshot = (snapshot_t){arena, gateway->hub, 1};
    if (!fg_partners_build(gateway->partners, env, arena, &snapshot->hub, err) ||
        !fg_identity_providers_build(gateway->providers, arena, &snapshot->hub, err) ||
        !fg_certificate_realms_build(gateway->certificates, arena, &snapshot->hub, err) ||
        !fg_protects_build(gateway->protects, arena, &snapshot->hub, err)) {
        fg_arena_free(arena);
        return false;
    }
    pthread_mutex_lock(&gateway->lock);
    snapshot_t *before = gateway->current;
    gateway->current = snapshot;
    pthread_mutex_unlock(&gateway->lock);
    __atomic_add_fetch(&gateway->snapshots, 1, __ATOMIC_RELEASE);
    snapshot_release(gateway, before);
    return true;
}

/* ---- loading */

/* nginx' master reads as root what its workers then cannot read.  so: what that means. */
static void warn_of_unreadable(const char *path, const char *so, const fg_gateway_options_t *options,
                               const fg_env_t *env) {
    if (path != NULL && options->uid != (unsigned)-1 && geteuid() == 0 &&
        !fg_file_readable_by(path, options->uid, options->gid))
        fg_log(env, FG_LOG_WARN,
               "%s: the workers' user (%u) cannot read it, by the modes of the file and its folders: %s", path,
               options->uid, so);
}

static void release_rules(void *rules) { fg_ruleset_free(rules); }

static bool load_directory(fg_gateway_t *gateway, const fg_config_directory_t *d, fg_home_realm_t *realm,
                           fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    realm->display_name = d->display_name ? d->display_name : d->at.title;
    realm->uri = d->uri;
    realm->domains = d->domains.items;
    realm->domain_count = d->domains.count;
    if (d->uri.n == 0)
        realm->uri = fg_str(fg_arena_printf(gateway->arena, "%s/%s", gateway->hub.entity_id.p, d->at.title));
    if (realm->uri.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "loading directories");
    if (strcmp(d->type, "file") != 0) {
        const fg_ldap_options_t options = fg_config_ldap_options(d);
        realm->directory = fg_config_ldap_files(d, err) ? fg_ldap_directory_new(&options, err) : NULL;
        return realm->directory != NULL;
    }
    realm->directory = fg_users_file_directory_new(d->at.title, d->path, &why);
    return realm->directory != NULL || fg_config_refuse(err, &d->at, "path", 0, "a users file (%s)", why.detail);
}

/* A directory as an attribute store. */
typedef struct asked {
    fg_directory_t *directory;
    fg_gateway_t *gateway;
} asked_t;

static bool query_directory(const fg_rule_store_t *store, fg_arena_t *arena, fg_str_t query, const fg_str_t *params,
                            size_t param_count, const fg_str_t *types, size_t type_count, fg_claims_t *out,
                            fg_err_t *err) {
    fg_directory_t *directory = ((const asked_t *)store->context)->directory;
    return directory->query(directory, arena, query, params, param_count, types, type_count, out, err);
}

static bool check_query(const fg_rule_store_t *store, fg_str_t query, size_t param_count, size_t type_count,
                        fg_err_t *err) {
    const asked_t *asked = store->context;
    if (asked->directory->query_waits)
        asked->gateway->rules_wait = true;
    return asked->directory->check_query(asked->directory, query, param_count, type_count, err);
}

/* AD FS' rules say store = "Active Directory": where no directory has that name, it is the first of that type. */
static void name_active_directory(fg_gateway_t *gateway) {
    static const char name[] = "Active Directory";
    const fg_config_directory_t *d = gateway->config.directories.items;
    fg_hub_t *hub = &gateway->hub;
    for (size_t i = 0; i < gateway->config.directories.count; i++)
        if (strcmp(d[i].at.title, name) == 0)
            return;
    for (size_t i = 0; i < gateway->config.directories.count; i++)
        if (strcmp(d[i].type, "ad") == 0) {
            gateway->stores[hub->stores.count++] =
                (fg_rule_store_t){name, query_directory, &gateway->asked[i], check_query};
            return;
        }
}

static bool load_directories(fg_gateway_t *gateway, const fg_gateway_options_t *options, const fg_env_t *env,
                             fg_err_t *err) {
    const fg_config_list_t *list = &gateway->config.directories;
    fg_hub_t *hub = &gateway->hub;
    gateway->directories = fg_arena_alloc(gateway->arena, (list->count + 1) * sizeof *gateway->directories);
    gateway->stores =
        fg_arena_alloc(gateway->arena, (list->count + 1) * sizeof *gateway->stores); /* one has two names */
    gateway->asked = fg_arena_alloc(gateway->arena, (list->count + 1) * sizeof *gateway->asked);
    if (gateway->directories == NULL || gateway->stores == NULL || gateway->asked == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "loading directories");
    hub->home_realms = gateway->directories;
    hub->stores.items = gateway->stores;
    for (size_t i = 0; i < list->count; i++) {
        const fg_config_directory_t *d = (const fg_config_directory_t *)list->items + i;
        if (!load_directory(gateway, d, &gateway->directories[i], err))
            return false;
        hub->home_realm_count = i + 1;
        warn_of_unreadable(d->path, "changes will wait for a reload", options, env);
        warn_of_unreadable(d->ca, "no server of that directory will be trusted", options, env);
        warn_of_unreadable(d->bind_password_file, "nobody will be found in that directory", options, env);
        fg_directory_t *directory = gateway->directories[i].directory;
        gateway->asked[i] = (asked_t){directory, gateway};
        if (directory->query != NULL)
            gateway->stores[hub->stores.count++] =
                (fg_rule_store_t){directory->name, query_directory, &gateway->asked[i], check_query};
    }
    name_active_directory(gateway);
    return true;
}

/* Behind all directories, each of which rules may ask. */
static bool load_acceptance(fg_gateway_t *gateway, fg_err_t *err) {
    const fg_config_directory_t *d = gateway->config.directories.items;
    for (size_t i = 0; i < gateway->config.directories.count; i++) {
        if (d[i].acceptance_rules == NULL)
            continue;
        fg_ruleset_t *rules =
            fg_config_rules_load(&d[i].at, "acceptance_rules", d[i].acceptance_rules, &gateway->hub.stores, err);
        gateway->directories[i].acceptance_rules = rules;
        if (rules == NULL)
            return false;
        if (!fg_arena_own(gateway->arena, release_rules, rules))
            return FG_FAIL(err, FG_E_MEMORY, "loading directories");
    }
    return true;
}

/* The folder that the key ring's stands in; the caller may be root on behalf of a worker. */
static bool make_state(const fg_gateway_t *gateway, const fg_gateway_options_t *options, fg_err_t *err) {
    const char *state = gateway->config.state;
    const fg_config_at_t at = fg_config_place(&gateway->config, NULL);
    if (mkdir(state, 0700) != 0)
        return errno == EEXIST ||
               fg_config_refuse(err, &at, "state", 0, "a folder that can be made (%s: %s)", state, strerror(errno));
    if (options->uid != (unsigned)-1 && geteuid() == 0 && chown(state, options->uid, options->gid) != 0)
        return fg_config_refuse(err, &at, "state", 0, "a folder that can be given to its owner (%s: %s)", state,
                                strerror(errno));
    return true;
}

static bool load_keyring(fg_gateway_t *gateway, const fg_gateway_options_t *options, const fg_env_t *env,
                         fg_err_t *err) {
    const fg_config_t *config = &gateway->config;
    const char *folder = fg_arena_printf(gateway->arena, "%s/keys", config->state);
    struct stat status;
    if (folder == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "loading keys");
    /* before the first start there is none, and a check makes none */
    if (options->check_only && stat(folder, &status) != 0 && errno == ENOENT)
        return true;
    if (!options->check_only && !make_state(gateway, options, err))
        return false;
    const fg_keyring_rules_t rules = {
        .signing_type = config->keys.signing,
        .encryption_type = config->keys.encryption,
        .lifetime_ms = config->keys.lifetime_ms,
        .publish_ms = config->keys.publish_ms,
        .sealing_lifetime_ms = SEALING_LIFETIME,
        .common_name = gateway->hub.host.p,
    };
    gateway->keyring = fg_keyring_open(folder, &rules, !options->check_only, options->uid, options->gid, env, err);
    gateway->hub.keyring = gateway->keyring;
    return gateway->keyring != NULL || fg_err_prefix(err, "key ring");
}

static bool fill_hub(fg_gateway_t *gateway, fg_err_t *err) {
    const fg_config_t *c = &gateway->config;
    fg_hub_t *hub = &gateway->hub;
    hub->base_url = c->base_url;
    hub->host = (fg_str_t){c->base_url.p + strlen("https://"), c->base_url.n - strlen("https://")};
    hub->entity_id = c->entity_id;
    if (hub->entity_id.n == 0)
        hub->entity_id = fg_str(fg_arena_printf(gateway->arena, "http://%s/adfs/services/trust", hub->host.p));
    hub->organisation = c->organisation ? c->organisation : hub->host.p;
    hub->logo_url = c->logo_url;
    hub->colour = c->colour;
    hub->contact = c->contact;
    hub->list_applications = c->list_applications == FG_CHOICE_YES;
    hub->lockout = (fg_lockout_t){c->lockout.account_failures, c->lockout.address_failures, c->lockout.first_wait_ms,
                                  c->lockout.longest_wait_ms};
    hub->skew_ms = c->skew_ms;
    hub->session_idle_ms = c->session.idle_ms;
    hub->session_absolute_ms = c->session.absolute_ms;
    hub->body_max = c->limits.body;
    hub->xml = (fg_xml_limits_t){c->limits.body, c->limits.xml_depth, c->limits.xml_elements, c->limits.xml_attributes,
                                 c->limits.xml_namespaces};
    hub->render = fg_pages_render;
    hub->protocols[FG_PROTOCOL_WSFED] = &fg_wsfed_protocol;
    hub->protocols[FG_PROTOCOL_SAML] = &fg_saml_protocol;
    hub->protocols[FG_PROTOCOL_OPENID] = &fg_openid_protocol;
    hub->protocols[FG_PROTOCOL_OPENID2] = &fg_openid2_protocol;
    return hub->entity_id.p != NULL || FG_FAIL(err, FG_E_MEMORY, "loading the configuration");
}

static bool load_http(fg_gateway_t *gateway, fg_err_t *err) {
    const fg_config_t *c = &gateway->config;
    const fg_http_options_t options = {c->fetch.allow.items, c->fetch.allow.count, c->fetch.ca, c->fetch.timeout_ms,
                                       c->fetch.size};
    gateway->http = fg_http_client_new(&options, err);
    return gateway->http != NULL;
}

/* Tickets that are shown to us, and those that we ask for. */
static bool load_keytabs(fg_gateway_t *gateway, const fg_gateway_options_t *options, const fg_env_t *env,
                         fg_err_t *err) {
    const fg_config_t *config = &gateway->config;
    if (config->kerberos.keytab != NULL) {
        gateway->kerberos = fg_kerberos_load(config, gateway->arena, &gateway->hub, err);
        if (gateway->kerberos == NULL)
            return false;
        warn_of_unreadable(config->kerberos.keytab, "no ticket will be accepted", options, env);
    }
    if (!fg_delegation_new(config, &gateway->hub.delegate, err))
        return false;
    if (gateway->hub.delegate != NULL)
        warn_of_unreadable(config->delegation.keytab, "nothing will be delegated", options, env);
    return true;
}

static bool load(fg_gateway_t *gateway, const char *path, const fg_gateway_options_t *options, const fg_env_t *env,
                 fg_err_t *err) {
    if (!fg_config_read(gateway->arena, path, &gateway->config, err) || !fg_config_check(&gateway->config, err) ||
        !fill_hub(gateway, err))
        return false;
    const fg_rule_stores_t *stores = &gateway->hub.stores;
    if (!load_directories(gateway, options, env, err) || !load_acceptance(gateway, err) ||
        !load_keytabs(gateway, options, env, err))
        return false;
    gateway->partners = fg_partners_new(&gateway->config, stores, env, err);
    if (gateway->partners == NULL)
        return false;
    gateway->providers = fg_identity_providers_new(&gateway->config, stores, env, err);
    if (gateway->providers == NULL)
        return false;
    gateway->certificates = fg_certificate_realms_new(&gateway->config, stores, env, err);
    if (gateway->certificates == NULL || !load_http(gateway, err))
        return false;
    gateway->federations = fg_federations_new(&gateway->config, stores, gateway->hub.entity_id, env, err);
    if (gateway->federations == NULL)
        return false;
    gateway->hub.federations = gateway->config.federations.count > 0 ? gateway->federations : NULL;
    gateway->hub.discovery_service = gateway->config.discovery.service;
    gateway->protects = fg_protects_new(&gateway->config, &gateway->hub.stores, err);
    if (gateway->protects == NULL)
        return false;
    gateway->pages = fg_pages_load(gateway->config.pages, err);
    gateway->hub.pages = gateway->pages;
    if (gateway->pages == NULL || !snapshot_build(gateway, env, err))
        return false;
    /* keys last: nothing is made for a configuration that is refused */
    if (!load_keyring(gateway, options, env, err))
        return false;
    gateway->current->hub.keyring = gateway->keyring;
    gateway->first = snapshot_acquire(gateway);
    return true;
}

fg_gateway_t *fg_gateway_load(const char *path, const fg_gateway_options_t *options, const fg_env_t *env,
                              fg_err_t *err) {
    fg_gateway_t *gateway = calloc(1, sizeof *gateway);
    if (gateway != NULL)
        gateway->arena = fg_arena_new(CONFIG_MAX);
    if (gateway == NULL || gateway->arena == NULL) {
        free(gateway);
        FG_FAIL(err, FG_E_MEMORY, "loading %s", path);
        return NULL;
    }
    pthread_mutex_init(&gateway->lock, NULL);
    pthread_mutex_init(&gateway->refreshing, NULL);
    if (load(gateway, path, options, env, err))
        return gateway;
    fg_gateway_free(gateway);
    return NULL;
}

void fg_gateway_free(fg_gateway_t *gateway) {
    if (gateway == NULL)
        return;
    snapshot_release(gateway, gateway->first);
    snapshot_release(gateway, gateway->current);
    fg_recent_free(gateway->recent);
    fg_partners_free(gateway->partners);
    fg_identity_providers_free(gateway->providers);
    fg_certificate_realms_free(gateway->certificates);
    fg_federations_free(gateway->federations); /* its threads fetch */
    fg_http_client_free(gateway->http);
    fg_protects_free(gateway->protects);
    for (size_t i = 0; i < gateway->hub.home_realm_count; i++)
        gateway->directories[i].directory->free(gateway->directories[i].directory);
    fg_kerberos_free(gateway->kerberos);
    fg_delegate_free(gateway->hub.delegate);
    fg_pages_free(gateway->pages);
    fg_keyring_free(gateway->keyring);
    pthread_mutex_destroy(&gateway->lock);
    pthread_mutex_destroy(&gateway->refreshing);
    fg_arena_free(gateway->arena);
    free(gateway);
}

static void refuse_directory(const fg_config_t *config, const char *config_path, const char *name, fg_err_t *err) {
    const char *titles[16];
    size_t count = 0;
    for (; count < config->directories.count && count < FG_ARRAY_SIZE(titles); count++)
        titles[count] = ((const fg_config_directory_t *)config->directories.items + count)->at.title;
    const char *nearest = fg_spell_nearest(name, titles, count);
    FG_FAIL(err, FG_E_CONFIG, "%s has no file directory \"%s\"%s%s%s", config_path, name,
            nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

const char *fg_gateway_find_users(fg_arena_t *arena, const char *config_path, const char *directory, fg_err_t *err) {
    fg_config_t config;
    if (!fg_config_read(arena, config_path, &config, err))
        return NULL;
    for (size_t i = 0; i < config.directories.count; i++) {
        const fg_config_directory_t *d = (const fg_config_directory_t *)config.directories.items + i;
        if (strcmp(d->type, "file") == 0 && (directory == NULL || strcmp(d->at.title, directory) == 0))
            return d->path;
    }
    if (directory != NULL)
        refuse_directory(&config, config_path, directory, err);
    else
        FG_FAIL(err, FG_E_CONFIG, "%s has no file directory", config_path);
    return NULL;
}

fg_http_t *fg_gateway_get_http(const fg_gateway_t *gateway) { return gateway->http; }
const fg_hub_t *fg_gateway_get_hub(const fg_gateway_t *gateway) { return &gateway->first->hub; }
const char *fg_gateway_get_audit_path(const fg_gateway_t *gateway) { return gateway->config.audit_log; }
size_t fg_gateway_get_store_size(const fg_gateway_t *gateway) { return gateway->config.store_size; }

/* ---- trusted proxies */

bool fg_gateway_is_trusted_proxy(const fg_gateway_t *gateway, fg_str_t address) {
    return fg_network_has(gateway->config.trusted_proxies.items, gateway->config.trusted_proxies.count, address);
}

bool fg_gateway_trusts_proxies(const fg_gateway_t *gateway) { return gateway->config.trusted_proxies.count > 0; }

/* ---- exchanges */

/* None of the three ever becomes less. */
uint64_t fg_gateway_changes(const fg_gateway_t *gateway, const fg_env_t *env) {
    uint64_t changes = __atomic_load_n(&gateway->snapshots, __ATOMIC_ACQUIRE);
    if (gateway->keyring != NULL)
        changes += fg_keyring_changes(gateway->keyring);
    if (env->store != NULL && env->store->changes != NULL)
        changes += env->store->changes(env->store);
    return changes;
}

bool fg_gateway_find_protect(const fg_gateway_t *gateway, const char *name, size_t *number) {
    return fg_protects_find(gateway->protects, name, number);
}

/* arena is taken; an exchange without keys is there as well, to be refused. */
static fg_exchange_t *exchange_new(fg_gateway_t *gateway, fg_arena_t *arena, const fg_env_t *env,
                                   const fg_request_t *request) {
    exchange_t *x = arena ? fg_arena_alloc(arena, sizeof *x) : NULL;
    if (x == NULL) {
        fg_arena_free(arena);
        return NULL;
    }
    x->gateway = gateway;
    x->snapshot = snapshot_acquire(gateway);
    fg_exchange_t *ex = &x->ex;
    ex->env = env;
    ex->hub = &x->snapshot->hub;
    ex->arena = arena;
    ex->request = *request;
    fg_buf_init(&ex->response.body, RESPONSE_MAX);
    ex->keys = gateway->keyring ? fg_keyring_acquire(gateway->keyring) : NULL;
    ex->now_ms = fg_now(env);
    ex->audit_end = &ex->audit;
    ex->rules_wait = gateway->rules_wait;
    return ex;
}

fg_exchange_t *fg_gateway_exchange_new(fg_gateway_t *gateway, const fg_env_t *env, const fg_request_t *request) {
    fg_exchange_t *ex = exchange_new(gateway, fg_arena_new(0), env, request);
    if (ex == NULL)
        return NULL;
    ex->next = fg_route_begin;
    /* without randomness or keys nothing may be issued: the exchange is refused when it is run */
    if (!fg_id_uuid(env, ex->correlation_id) || ex->keys == NULL)
        ex->next = NULL;
    return ex;
}

fg_exchange_t *fg_gateway_access_new(fg_gateway_t *gateway, const fg_env_t *env, const fg_request_t *request,
                                     size_t protect, void *block, size_t block_size) {
    fg_arena_t *arena = fg_arena_new_in(block, block_size, 0);
    fg_exchange_t *ex = exchange_new(gateway, arena ? arena : fg_arena_new(0), env, request);
    if (gateway->recent == NULL)
        gateway->recent = fg_recent_new();
    if (ex != NULL && protect < ex->hub->protect_count && fg_access_begin(ex, &ex->hub->protects[protect])) {
        ex->recent = gateway->recent;
        return ex;
    }
    fg_gateway_exchange_free(ex);
    return NULL;
}

void fg_gateway_exchange_free(fg_exchange_t *ex) {
    if (ex == NULL)
        return;
    exchange_t *x = (exchange_t *)ex;
    fg_gateway_t *gateway = x->gateway;
    snapshot_t *snapshot = x->snapshot;
    if (ex->keys != NULL)
        fg_keys_release(gateway->keyring, ex->keys);
    fg_buf_free(&ex->response.body);
    fg_arena_free(ex->arena);
    snapshot_release(gateway, snapshot);
}

/* Whether the next step belongs on the password pool and is not there yet.  The first step finds the endpoint, and then
 * that is decided. */
static bool must_move(fg_exchange_t *ex) {
    bool moved = ex->moved;
    ex->moved = false;
    if (moved || !ex->rules_wait || ex->next == NULL || ex->next == fg_route_begin)
        return false;
    ex->moved = true;
    return true;
}

fg_step_t fg_gateway_run(fg_exchange_t *ex) {
    if (must_move(ex))
        return FG_STEP_MOVE;
    fg_handler_t handler = ex->next;
    ex->next = NULL;
    fg_step_t step = handler != NULL ? handler(ex) : FG_STEP_DONE;
    if (ex->next != NULL && step == FG_STEP_PASSWORD)
        return step;
    if (ex->next != NULL && step == FG_STEP_MOVE) {
        ex->moved = true;
        return step;
    }
    ex->next = NULL;
    /* what goes on to the server behind is answered there */
    if (ex->access == NULL || ex->access->outcome != FG_ACCESS_PERMITTED)
        fg_route_finish(ex);
    return FG_STEP_DONE;
}

void fg_gateway_refuse(fg_exchange_t *ex, fg_code_t code) {
    fg_err_t err = FG_ERR_INIT;
    FG_FAIL(&err, code, "not run");
    ex->next = NULL;
    ex->response.status = 0;
    ex->response.header_count = 0;
    ex->response.failed = false;
    fg_buf_reset(&ex->response.body);
    if (ex->access != NULL)
        fg_access_refuse(ex, &err);
    else
        fg_route_refuse(ex, &err);
    fg_route_finish(ex);
}

/* ---- keeping fresh */

void fg_gateway_refresh(fg_gateway_t *gateway, const fg_env_t *env) {
    if (pthread_mutex_trylock(&gateway->refreshing) != 0)
        return;
    for (size_t i = 0; i < gateway->hub.home_realm_count; i++)
        gateway->directories[i].directory->refresh(gateway->directories[i].directory, env);
    if (gateway->keyring != NULL)
        fg_keyring_refresh(gateway->keyring, env);
    fg_partners_refresh(gateway->partners, env, snapshot_build, gateway);
    if (env->store != NULL)
        fg_store_report(env->store, env);
    fg_identity_providers_refresh(gateway->providers, env, snapshot_build, gateway);
    fg_certificate_realms_refresh(gateway->certificates, env);
    fg_federations_refresh(gateway->federations, env);
    fg_protects_refresh(gateway->protects, env, snapshot_build, gateway);
    pthread_mutex_unlock(&gateway->refreshing);
}
