/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/initiate.h"

#include <jansson.h>

#define PATH "/adfs/ls/IdpInitiatedSignOn.aspx"
#define PATH_LOWER "/adfs/ls/idpinitiatedsignon.aspx" /* paths have no case at AD FS, and links are in either */

typedef struct wish {
    fg_str_t realm; /* .n 0: none was named */
    fg_str_t state; /* .p NULL: none */
} wish_t;

static void refuse(fg_exchange_t *ex, const fg_err_t *err) { fg_response_error_page(ex, err); }

/* ---- what is asked for */

static bool get_once(const fg_params_t *params, const char *name, fg_str_t *value, fg_err_t *err) {
    size_t times;
    *value = fg_params_get(params, name, &times);
    return times <= 1 || FG_FAIL(err, FG_E_HTTP_REQUEST, "%s given %zu times", name, times);
}

/* The form of AD FS 2.0: the application is named inside RelayState. */
static bool read_inner(fg_exchange_t *ex, wish_t *wish, fg_err_t *err) {
    fg_params_t params;
    if (wish->state.n < 5 || memcmp(wish->state.p, "RPID=", 5) != 0)
        return true;
    return fg_params_parse(ex->arena, wish->state, &params, err) && get_once(&params, "RPID", &wish->realm, err) &&
           get_once(&params, "RelayState", &wish->state, err);
}

static bool read_wish(fg_exchange_t *ex, wish_t *wish, fg_err_t *err) {
    fg_params_t params;
    return fg_params_parse(ex->arena, ex->request.query, &params, err) &&
           get_once(&params, "loginToRp", &wish->realm, err) && get_once(&params, "RelayState", &wish->state, err) &&
           (wish->realm.n > 0 || read_inner(ex, wish, err));
}

/* The protocol in which a partner is entered: SAML 2.0, which has a profile for it, before WS-Federation; NULL: none
 * that browsers carry. */
static const fg_protocol_t *find_protocol(const fg_hub_t *hub, const fg_partner_t *partner) {
    const fg_protocol_t *saml = hub->protocols[FG_PROTOCOL_SAML], *wsfed = hub->protocols[FG_PROTOCOL_WSFED];
    if (partner->saml != NULL && saml != NULL && saml->begin_sign_on != NULL)
        return saml;
    bool entered = partner->realm_count > 0 && partner->reply_count > 0; /* an OpenID Connect client may have neither */
    return entered && wsfed != NULL && wsfed->begin_sign_on != NULL ? wsfed : NULL;
}

/* ---- the page */

static json_t *list_applications(const fg_hub_t *hub) {
    json_t *list = json_array();
    for (size_t i = 0; i < hub->partner_count; i++) {
        const fg_partner_t *partner = &hub->partners[i];
        if (find_protocol(hub, partner) != NULL)
            (void)json_array_append_new(list, json_pack("{s:s%, s:s}", "realm", partner->realms[0].p,
                                                        partner->realms[0].n, "name", partner->display_name));
    }
    return list;
}

/* It tells everybody who asks what applications there are: not without being told to. */
static bool show_list(fg_exchange_t *ex, fg_err_t *err) {
    const fg_hub_t *hub = ex->hub;
    if (!hub->list_applications)
        return FG_FAIL(err, FG_E_HTTP_NOT_FOUND, "no application is named, and list_applications is off");
    const char *action = fg_arena_printf(ex->arena, "%.*s%s", (int)hub->base_url.n, hub->base_url.p, PATH);
    json_t *model = json_pack("{s:s, s:o}", "action", action, "applications", list_applications(hub));
    return (model != NULL && hub->render(ex, 200, "applications", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "page applications could not be made");
}

static fg_step_t handle(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    wish_t wish = {FG_STR_NONE, FG_STR_NONE};
    const fg_partner_t *partner = NULL;
    const fg_protocol_t *protocol = NULL;
    bool done = read_wish(ex, &wish, &err);
    if (done && wish.realm.n == 0) {
        done = show_list(ex, &err);
    } else if (done) {
        partner = fg_hub_find_partner(ex->hub, wish.realm);
        protocol = partner != NULL ? find_protocol(ex->hub, partner) : NULL;
        if (protocol != NULL)
            return protocol->begin_sign_on(ex, partner, wish.realm, wish.state);
        done = FG_FAIL(&err, FG_E_SAML_PARTNER, "loginToRp \"%.*s\"", FG_STR_ARG(wish.realm));
    }
    if (!done)
        refuse(ex, &err);
    return FG_STEP_DONE;
}

static const fg_endpoint_t endpoints[] = {
    {PATH, FG_METHOD_GET, true, handle, fg_response_error_page, NULL},
    {PATH_LOWER, FG_METHOD_GET, true, handle, fg_response_error_page, NULL},
};

const fg_protocol_t fg_initiate_protocol = {
    .name = "initiate",
    .endpoints = endpoints,
    .endpoint_count = FG_ARRAY_SIZE(endpoints),
};
