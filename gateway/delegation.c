/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/delegation.h"

#include "core/time.h"

bool fg_delegation_new(const fg_config_t *config, fg_delegate_t **delegate, fg_err_t *err) {
    const fg_config_at_t at = fg_config_place(config, "delegation");
    fg_err_t why = FG_ERR_INIT;
    *delegate = NULL;
    if (config->delegation.keytab == NULL)
        return true;
    const fg_delegate_options_t options = {
        .keytab = config->delegation.keytab,
        .principal = config->delegation.principal,
        .realms = config->delegation.realms.items,
        .realm_count = config->delegation.realms.count,
        .timeout_ms = config->delegation.timeout_ms,
    };
    if (options.timeout_ms < FG_SECOND || options.timeout_ms > 30 * FG_SECOND)
        return fg_config_refuse(err, &at, "timeout", 0, "from 1s to 30s");
    if (strchr(options.principal, '@') == NULL)
        return fg_config_refuse(err, &at, "principal", 0, "an account with its realm, as \"svc-gw@EXAMPLE.COM\"");
    *delegate = fg_delegate_new(&options, &why);
    return *delegate != NULL ||
           fg_config_refuse(err, &at, "keytab", 0, "a keytab with a key of %s (%s)", options.principal, why.detail);
}
