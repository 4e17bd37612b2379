/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/keys.h"

#include <stdio.h>
#include <string.h>

#include "core/spell.h"
#include "core/time.h"
#include "gateway/gateway.h"

/* The gateway whose ring a command works on; loaded as `config check` does it: nothing is made. */
static fg_gateway_t *load(const char *path, const fg_env_t *env, fg_err_t *err) {
    const fg_gateway_options_t options = {.check_only = true, .uid = (unsigned)-1, .gid = (unsigned)-1};
    fg_gateway_t *gateway = fg_gateway_load(path, &options, env, err);
    if (gateway == NULL || fg_gateway_get_hub(gateway)->keyring != NULL)
        return gateway;
    fg_gateway_free(gateway);
    FG_FAIL(err, FG_E_FILE, "there are no keys yet: the gateway makes them when it first starts");
    return NULL;
}

/* "rsa-2048", "ec-p256" */
static void describe(const fg_key_t *key, char *text, size_t size) {
    int bits = EVP_PKEY_get_bits(fg_key_get_pkey(key));
    snprintf(text, size, "%s%d", fg_key_is_ec(key) ? "ec-p" : "rsa-", bits);
}

static void print_key(const char *use, const char *state, const fg_key_t *key) {
    char type[24], from[FG_TIME_SIZE], until[FG_TIME_SIZE];
    if (key == NULL)
        return;
    describe(key, type, sizeof type);
    fg_time_format(fg_key_get_not_before(key), from);
    fg_time_format(fg_key_get_not_after(key), until);
    printf("%-10s  %-8s  %-8s  %.10s  %.10s  %-22s  %s\n", use, state, type, from, until, fg_key_get_id(key),
           fg_key_get_thumbprint(key));
}

static void print_ring(fg_keyring_t *ring) {
    static const char *const states[FG_KEY_STATES] = {"active", "next", "previous"};
    fg_keys_t *keys = fg_keyring_acquire(ring);
    printf("%-10s  %-8s  %-8s  %-10s  %-10s  %-22s  %s\n", "USE", "STATE", "TYPE", "FROM", "UNTIL", "ID", "THUMBPRINT");
    for (int i = 0; i < FG_KEY_STATES; i++)
        print_key("signing", states[i], keys->signing[i]);
    for (int i = 0; i < FG_KEY_STATES; i++)
        print_key("encryption", states[i], keys->encryption[i]);
    fg_keys_release(ring, keys);
}

typedef struct request {
    const char *config, *use;
    bool now;
} request_t;

typedef bool action_t(fg_keyring_t *ring, const request_t *request, const fg_env_t *env, fg_err_t *err);

static bool list(fg_keyring_t *ring, const request_t *request, const fg_env_t *env, fg_err_t *err) {
    (void)ring, (void)request, (void)env, (void)err;
    return true;
}

static bool roll(fg_keyring_t *ring, const request_t *request, const fg_env_t *env, fg_err_t *err) {
    bool both = request->use == NULL;
    if ((both || strcmp(request->use, "signing") == 0) &&
        !fg_keyring_roll(ring, FG_KEY_SIGNING, request->now, env, err))
        return false;
    return (!both && strcmp(request->use, "encryption") != 0) ||
           fg_keyring_roll(ring, FG_KEY_ENCRYPTION, request->now, env, err);
}

static bool forget(fg_keyring_t *ring, const request_t *request, const fg_env_t *env, fg_err_t *err) {
    (void)request;
    return fg_keyring_drop_previous(ring, env, err);
}

/* Loads the gateway, acts on its ring, shows what it is afterwards. */
static int act(action_t *action, const request_t *request, const fg_env_t *env) {
    fg_err_t err = FG_ERR_INIT;
    if (!fg_gateway_start(&err))
        return fg_cli_fail(&err);
    fg_gateway_t *gateway = load(request->config ? request->config : FG_CLI_CONFIG, env, &err);
    bool ok = gateway != NULL && action(fg_gateway_get_hub(gateway)->keyring, request, env, &err);
    if (ok)
        print_ring(fg_gateway_get_hub(gateway)->keyring);
    int code = ok ? FG_CLI_OK : fg_cli_fail(&err);
    fg_gateway_free(gateway);
    fg_gateway_stop();
    return code;
}

int fg_cli_keys_list(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    request_t request = {NULL, NULL, false};
    const fg_cli_option_t options[] = {{"--config", .value = &request.config}};
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), NULL, 0, 0))
        return FG_CLI_USAGE;
    return act(list, &request, env);
}

static bool check_use(const fg_cli_command_t *command, const char *use) {
    static const char *const uses[] = {"signing", "encryption"};
    const char *nearest = fg_spell_nearest(use, uses, FG_ARRAY_SIZE(uses));
    if (strcmp(use, uses[0]) == 0 || strcmp(use, uses[1]) == 0)
        return true;
    if (nearest != NULL)
        fg_cli_usage(command, "'--use %s': did you mean '%s'?", use, nearest);
    else
        fg_cli_usage(command, "'--use %s': signing or encryption is expected", use);
    return false;
}

int fg_cli_keys_roll(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    request_t request = {NULL, NULL, false};
    const fg_cli_option_t options[] = {
        {"--config", .value = &request.config}, {"--use", .value = &request.use}, {"--now", .flag = &request.now}};
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), NULL, 0, 0))
        return FG_CLI_USAGE;
    if (request.use != NULL && !check_use(command, request.use))
        return FG_CLI_USAGE;
    return act(roll, &request, env);
}

int fg_cli_keys_forget(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    request_t request = {NULL, NULL, false};
    const fg_cli_option_t options[] = {{"--config", .value = &request.config}};
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), NULL, 0, 0))
        return FG_CLI_USAGE;
    return act(forget, &request, env);
}
