/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The pages that people see: templates and texts, loaded once, and their answers' headers.
 *
 * Files: sign_in.html, change_password.html, home_realm.html, applications.html, signed_out.html, error.html, auto_post.html, claims.html,
 * clean_up.html, go_on.html, sign_out.html, consent.html, identity.html, what they include, and texts.LANGUAGE.json.  Each file is taken from the administrator's
 * folder if it is there, else from the installed one. A text is sought in the administrator's file of the language, the
 * installed one, then likewise in English.  doc/pages.md says the same to administrators.
 *
 * Models (all members may be absent; every page also has organisation, logo_url, contact, contact_url, lang, nonce,
 * correlation_id, accent_light, accent_dark):
 *   sign_in     action, application, username, message (key of the text "message.KEY"), csrf, realm_choice_url
 *   change_password  action, application, username, home, message (likewise), csrf
 *   home_realm  action, application, hidden [{name, value}], realms [{uri, name}]
 *   applications  action, applications [{realm, name}]
 *   signed_out  parties [{name, url, awaited}], wreply, wreply_name, provider_url, provider_name, next (goes on to it
 *               by itself once the frames are loaded), next_name
 *   clean_up    the same, but for wreply; told (true: an awaited frame's answer came)
 *   sign_out    action, application, person, csrf
 *   consent     action, application, person, csrf, scopes [{scope} or {type, value}], site, remember
 *   identity    url, name, identity, endpoint, xrds
 *   error       status, sentence (English), reason (key of the text "fault.REASON"), fault, back
 *   auto_post   action, application, enctype (none: URL-encoded), fields [{name, value}]
 *   post_frame  the same, in a frame
 *   go_on       url, application
 *   claims      subject, issuer, audience, method, instant, expires, version, claims [{type, value}], sign_out_url */
#ifndef FG_GATEWAY_PAGES_H
#define FG_GATEWAY_PAGES_H

#include "hub/exchange.h"

/* folder: the administrator's, NULL: none.  NULL: the error names file, line, column, what was found and expected. */
fg_pages_t *fg_pages_load(const char *folder, fg_err_t *err) FG_MUST_CHECK;
void fg_pages_free(fg_pages_t *pages);

/* fg_hub_t's render: takes model (NULL: memory was out).  False: no such page, no randomness or no memory; the response
 * is as it was. */
bool fg_pages_render(fg_exchange_t *ex, int status, const char *name, struct json_t *model);

/* Which of count languages ("en", "pt-br": lower case, the first is the default) an Accept-Language header asks for. */
size_t fg_pages_choose_language(fg_str_t accept, const char *const *languages, size_t count);

#endif
