/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Another password for somebody whose directory says, to whoever sends the right one, that it must be changed: a page
 * that asks for the old one and, twice, for the new one, and then goes on as the sign-in would have.
 *
 * The page is made after that word alone.  Its form holds nothing secret; its token is bound to the browser, to the
 * account, to its home realm and to the address that the form is sent to, and is good as long as that of the sign-in
 * form.  The old password is asked for again, so that it need not be kept anywhere between the two. */
#ifndef FG_HUB_PASSWORD_CHANGE_H
#define FG_HUB_PASSWORD_CHANGE_H

#include "hub/signin.h"

typedef struct fg_password_change {
    fg_str_t action; /* this request again, as an address of ours */
    fg_str_t application;
    const fg_home_realm_t *realm;
    fg_str_t user; /* as typed */
} fg_password_change_t;

/* True if the sign-in was refused because the password must be changed, and the directory lets it be changed here. */
bool fg_password_change_is_possible(const fg_signin_t *signin);
/* The page; message: key of the text "message.KEY", or "". */
bool fg_password_change_show(fg_exchange_t *ex, const fg_password_change_t *change, const char *message,
                             fg_err_t *err) FG_MUST_CHECK;
/* True if the form is that page's and not the sign-in page's. */
bool fg_password_change_is_sent(const fg_params_t *form);
/* Whose it is, by the form; change->action is set.  FG_E_CSRF: nobody's to whom the page was shown in this browser, or
 * for another request. */
bool fg_password_change_read(fg_exchange_t *ex, const fg_params_t *form, fg_password_change_t *change,
                             fg_err_t *err) FG_MUST_CHECK;
/* Asks for the change and for the sign-in with the new password; then runs afterwards.  What cannot be a new password
 * is not asked for: false, *message says why, and the audit log. */
bool fg_password_change_begin(fg_exchange_t *ex, const fg_params_t *form, const fg_password_change_t *change,
                              fg_handler_t then, const char **message) FG_MUST_CHECK;
/* What the page says when the change was refused; NULL: it is no matter for the page. */
const char *fg_password_change_message(const fg_signin_t *signin);

/* For fg_signin_run: the change itself, on the password pool; whether the old password was right although something was
 * refused; the audit line. */
bool fg_password_change_run(fg_exchange_t *ex, fg_signin_t *signin) FG_MUST_CHECK;
bool fg_password_change_proves(const fg_signin_t *signin);
void fg_password_change_tell(fg_exchange_t *ex, const fg_signin_t *signin);

#endif
