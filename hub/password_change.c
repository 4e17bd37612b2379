/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/password_change.h"

#include "core/crypto.h"
#include "hub/audit.h"
#include "hub/bytes.h"
#include "hub/federation.h"
#include "hub/session.h"

#define PURPOSE "password "
#define PURPOSE_SIZE (sizeof PURPOSE + 2 * FG_SHA256_SIZE)
#define USER "username"
#define REALM "home"
#define OLD "password"
#define NEW "new_password"
#define AGAIN "new_password_again"

bool fg_password_change_is_possible(const fg_signin_t *signin) {
    const fg_directory_t *directory = signin->realm ? signin->realm->directory : NULL;
    return !signin->ok && signin->err.code == FG_E_AUTH_MUST_CHANGE && directory != NULL &&
           directory->change_password != NULL;
}

/* What the form's token is good for, beside the browser. */
static bool put_purpose(const fg_password_change_t *change, char out[PURPOSE_SIZE]) {
    unsigned char digest[FG_SHA256_SIZE];
    fg_buf_t bytes = FG_BUF_INIT(128u << 10);
    fg_bytes_put_string(&bytes, change->user);
    fg_bytes_put_string(&bytes, change->realm->uri);
    fg_bytes_put_string(&bytes, change->action);
    bool ok = fg_buf_ok(&bytes);
    if (ok)
        fg_sha256(bytes.data, bytes.length, digest);
    fg_buf_free(&bytes);
    memcpy(out, PURPOSE, sizeof PURPOSE);
    if (ok)
        fg_hex_encode(digest, sizeof digest, out + sizeof PURPOSE - 1);
    return ok;
}

/* ---- the page */

static json_t *text_of(fg_str_t s) { return json_stringn(s.p ? s.p : "", s.n); }

bool fg_password_change_show(fg_exchange_t *ex, const fg_password_change_t *change, const char *message,
                             fg_err_t *err) {
    char purpose[PURPOSE_SIZE];
    fg_str_t csrf;
    if (change->action.p == NULL || !put_purpose(change, purpose))
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "the request is too long to be brought back by a form");
    if (!fg_form_token_make(ex, purpose, &csrf, err))
        return false;
    json_t *model = json_pack("{s:o, s:o, s:o, s:o, s:s, s:o}", "action", text_of(change->action), "application",
                              text_of(change->application), "username", text_of(change->user), "home",
                              text_of(change->realm->uri), "message", message, "csrf", text_of(csrf));
    return (model != NULL && ex->hub->render(ex, 200, "change_password", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "page change_password could not be made");
}

/* ---- its form */

bool fg_password_change_is_sent(const fg_params_t *form) { return fg_params_get(form, NEW, NULL).p != NULL; }

bool fg_password_change_read(fg_exchange_t *ex, const fg_params_t *form, fg_password_change_t *change, fg_err_t *err) {
    static const char *const fields[] = {USER, REALM, OLD, NEW, AGAIN, "csrf"};
    char purpose[PURPOSE_SIZE];
    for (size_t i = 0; i < FG_ARRAY_SIZE(fields); i++) {
        size_t times;
        fg_params_get(form, fields[i], &times);
        if (times != 1)
            return FG_FAIL(err, FG_E_WSFED_REQUEST, "%s was sent %zu times, not once", fields[i], times);
    }
    change->user = fg_params_get(form, USER, NULL);
    change->realm = fg_find_home_realm(ex, fg_params_get(form, REALM, NULL));
    if (change->realm == NULL || change->realm->directory == NULL || change->realm->directory->change_password == NULL)
        return FG_FAIL(err, FG_E_CSRF, "no password can be changed at that home realm");
    if (change->action.p == NULL || !put_purpose(change, purpose))
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "the request is too long to be brought back by a form");
    return fg_form_token_check(ex, purpose, fg_params_get(form, "csrf", NULL), err);
}

/* ---- the change */

static void tell(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_str_t user, const fg_err_t *why) {
    const fg_audit_field_t fields[] = {{"user", user}, {"directory", fg_str(realm->directory->name)}};
    fg_audit(ex, why == NULL ? "password_changed" : "password_change_refused", why, fields, FG_ARRAY_SIZE(fields));
}

bool fg_password_change_begin(fg_exchange_t *ex, const fg_params_t *form, const fg_password_change_t *change,
                              fg_handler_t then, const char **message) {
    fg_str_t old = fg_params_get(form, OLD, NULL), fresh = fg_params_get(form, NEW, NULL);
    fg_err_t why = FG_ERR_INIT;
    *message = NULL;
    if (old.n == 0 || fresh.n == 0)
        *message = "new_empty";
    else if (!fg_equal_secret(fresh, fg_params_get(form, AGAIN, NULL)))
        *message = "new_differs";
    else if (fg_equal_secret(fresh, old))
        *message = "new_same";
    if (*message != NULL) {
        FG_FAIL(&why, FG_E_PASSWORD_ENTRY, "%s", *message);
        tell(ex, change->realm, change->user, &why);
        return false;
    }
    (void)fg_signin_begin(ex, change->realm, change->user, old, then);
    ex->signin.new_password = fresh;
    return true;
}

bool fg_password_change_run(fg_exchange_t *ex, fg_signin_t *signin) {
    fg_directory_t *directory = signin->realm->directory;
    signin->changed = directory->change_password(directory, ex->env, ex->arena, signin->user, signin->password,
                                                 signin->new_password, &signin->err);
    return signin->changed;
}

bool fg_password_change_proves(const fg_signin_t *signin) {
    fg_code_t code = signin->err.code;
    return signin->changed || code == FG_E_PASSWORD_POLICY || code == FG_E_PASSWORD_NOT_DUE ||
           code == FG_E_PASSWORD_REFUSED;
}

void fg_password_change_tell(fg_exchange_t *ex, const fg_signin_t *signin) {
    tell(ex, signin->realm, signin->user, signin->changed ? NULL : &signin->err);
}

const char *fg_password_change_message(const fg_signin_t *signin) {
    static const struct {
        fg_code_t code;
        const char *message;
    } table[] = {
        {FG_E_AUTH_FAILED, "old_wrong"},         {FG_E_AUTH_LOCKED, "old_wrong"},
        {FG_E_AUTH_ACCOUNT_LOCKED, "old_wrong"}, {FG_E_PASSWORD_POLICY, "new_refused"},
        {FG_E_PASSWORD_REFUSED, "not_changed"},  {FG_E_DIRECTORY, "directory"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(table); i++)
        if (!signin->changed && table[i].code == signin->err.code)
            return table[i].message;
    return NULL;
}
