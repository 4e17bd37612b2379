/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/kerberos.h"

/* Browsers that join a domain: the words of AD FS's own list that are still about, and Windows. */
static const char *const usual_agents[] = {"Windows NT", "MSAuthHost/1.0/In-Domain", "MSIPC",
                                           "Windows Rights Management Client"};

#define V4(a, b, bits) \
    { {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, 0, 0}}}, 96 + (bits), false }
/* Where they are: private addresses (RFC 1918, RFC 4193) and this machine. */
static const fg_network_t usual_networks[] = {
    V4(10, 0, 8),  V4(172, 16, 12),        V4(192, 168, 16),
    V4(127, 0, 8), {{{{0xfc}}}, 7, false}, {{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}}, 128, false},
};

static bool check(const fg_config_t *config, const fg_config_at_t *at, fg_err_t *err) {
    const fg_str_t *realms = config->kerberos.realms.items;
    if (config->kerberos.realms.count == 0)
        return fg_config_refuse(err, at, "realms", 0, "realms = {\"EXAMPLE.COM\"}");
    for (unsigned i = 0; i < config->kerberos.realms.count; i++)
        if (memchr(realms[i].p, '@', realms[i].n) != NULL || memchr(realms[i].p, '/', realms[i].n) != NULL)
            return fg_config_refuse(err, at, "realms", i, "a realm of Kerberos as \"EXAMPLE.COM\"");
    return true;
}

static const fg_home_realm_t *find_realm(const fg_config_t *config, const fg_config_at_t *at, const fg_hub_t *hub,
                                         fg_err_t *err) {
    const char *name = config->kerberos.directory;
    const fg_home_realm_t *realm = name ? fg_hub_find_directory(hub, name) : fg_hub_default_home_realm(hub);
    if (realm == NULL)
        fg_config_refuse(err, at, "directory", 0, "the name of a directory");
    return realm;
}

static void fill(const fg_config_t *config, fg_negotiate_rules_t *rules) {
    rules->ticket_suffices = config->kerberos.ticket_suffices == FG_CHOICE_YES;
    rules->agents = usual_agents;
    rules->agent_count = FG_ARRAY_SIZE(usual_agents);
    if (config->kerberos.agents.count > 0) {
        rules->agents = config->kerberos.agents.items;
        rules->agent_count = config->kerberos.agents.count;
    }
    rules->networks = usual_networks;
    rules->network_count = FG_ARRAY_SIZE(usual_networks);
    if (config->kerberos.networks.count > 0) {
        rules->networks = config->kerberos.networks.items;
        rules->network_count = config->kerberos.networks.count;
    }
}

fg_kerberos_t *fg_kerberos_load(const fg_config_t *config, fg_arena_t *arena, fg_hub_t *hub, fg_err_t *err) {
    const fg_config_at_t at = fg_config_place(config, "kerberos");
    fg_err_t why = FG_ERR_INIT;
    const fg_home_realm_t *realm = check(config, &at, err) ? find_realm(config, &at, hub, err) : NULL;
    if (realm == NULL)
        return NULL;
    fg_negotiate_rules_t *rules = fg_arena_alloc(arena, sizeof *rules);
    const fg_kerberos_options_t options = {
        .keytab = config->kerberos.keytab,
        .replay_cache = fg_arena_printf(arena, "%s/kerberos.replay", config->state),
        .realms = config->kerberos.realms.items,
        .realm_count = config->kerberos.realms.count,
        .machines = config->kerberos.machines == FG_CHOICE_YES,
    };
    if (rules == NULL || options.replay_cache == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "loading the keytab");
        return NULL;
    }
    *rules = (fg_negotiate_rules_t){.kerberos = fg_kerberos_new(&options, &why), .home_realm = realm};
    if (rules->kerberos == NULL) {
        fg_config_refuse(err, &at, "keytab", 0, "a keytab that can be read and holds keys (%s)", why.detail);
        return NULL;
    }
    fill(config, rules);
    hub->negotiate = rules;
    return rules->kerberos;
}
