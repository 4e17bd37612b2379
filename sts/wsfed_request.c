/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gateway as relying party: a browser is sent to an identity provider (WS-Federation 1.2 §13.2.1). */
#include <stdio.h>

#include "core/time.h"
#include "sts/wsfed.h"

#define URL_MAX 8192u

static void put_minutes(fg_buf_t *url, int64_t ms) {
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)(ms / FG_MINUTE));
    fg_wsfed_put_param(url, "wfresh", (fg_str_t){text, (size_t)n});
}

/* whr is left out: whom the partner asks is the partner's business, and an empty one confuses AD FS. */
bool fg_wsfed_begin_sign_in(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_err_t *err) {
    const fg_identity_provider_t *provider = signin->realm->identity_provider;
    fg_str_t word;
    char now[FG_TIME_SIZE];
    if (signin->passive) /* no parameter of §13.2.1 says so */
        return FG_FAIL(err, FG_E_SAML_PASSIVE, "%s cannot be asked not to show a page", provider->name);
    if (!fg_partner_state_make(ex, signin, &word, err))
        return false;
    fg_time_format(ex->now_ms, now);
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&url, provider->sign_in_url);
    fg_wsfed_put_param(&url, "wa", FG_STR(FG_WSFED_SIGNIN));
    fg_wsfed_put_param(&url, "wtrealm", provider->realm);
    fg_wsfed_put_param(&url, "wctx", word);
    fg_wsfed_put_param(&url, "wct", fg_str(now));
    fg_wsfed_put_param(&url, "wreply", fg_wsfed_url(ex, FG_WSFED_PATH));
    if (signin->fresh_ms >= 0)
        put_minutes(&url, signin->fresh_ms);
    if (signin->method != NULL)
        fg_wsfed_put_param(&url, "wauth", fg_str(signin->method->claim));
    bool ok = fg_buf_ok(&url);
    if (ok)
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&url);
    return ok || FG_FAIL(err, FG_E_INTERNAL, "the address of %s is too long", provider->name);
}
