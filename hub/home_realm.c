/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/home_realm.h"

#include <stdio.h>

#include "hub/session.h"

#define PAGE_SIZE 20u
#define SEARCHED_FROM 9u /* so many, and there is a field to search them */
#define WORDS_MAX 200u
#define PAGES_MAX 100000u

static json_t *text_of(fg_str_t s) { return json_stringn(s.p ? s.p : "", s.n); }

/* ---- what is asked for */

static fg_str_t get(const fg_params_t *params, const char *name) { return fg_params_get(params, name, NULL); }

static fg_str_t get_words(const fg_params_t *params) {
    fg_str_t words = fg_str_trim(get(params, FG_SEARCH_PARAM));
    words.n = words.n > WORDS_MAX ? 0 : words.n;
    return words;
}

static size_t get_page(const fg_params_t *params) {
    fg_str_t text = get(params, FG_PAGE_PARAM);
    size_t page = 0;
    for (size_t i = 0; i < text.n && page < PAGES_MAX; i++)
        page = text.p[i] >= '0' && text.p[i] <= '9' ? page * 10 + (size_t)(text.p[i] - '0') : PAGES_MAX;
    return page == 0 || page >= PAGES_MAX ? 1 : page;
}

/* The first language that the browser names; names of identity providers come in it where they can. */
static fg_str_t get_language(const fg_exchange_t *ex) {
    fg_str_t header = fg_str_trim(fg_request_header(&ex->request, "accept-language", NULL));
    size_t n = 0;
    while (n < header.n && ((header.p[n] | 0x20) >= 'a' && (header.p[n] | 0x20) <= 'z'))
        n++;
    return (fg_str_t){header.p, n};
}

/* ---- the page */

static json_t *list_hidden(const fg_home_realm_page_t *page) {
    json_t *hidden = json_array();
    for (size_t i = 0; i < page->params->count; i++) {
        const fg_param_t *param = &page->params->items[i];
        if (page->is_kept(param->name) && !fg_str_is(param->name, FG_REALM_PARAM))
            (void)json_array_append_new(
                hidden, json_pack("{s:o, s:o}", "name", text_of(param->name), "value", text_of(param->value)));
    }
    return hidden;
}

static json_t *list_offers(const fg_offer_t *offers, size_t count) {
    json_t *realms = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(realms, json_pack("{s:o, s:o, s:o}", "uri", text_of(offers[i].uri), "name",
                                                      text_of(offers[i].name), "detail", text_of(offers[i].detail)));
    return realms;
}

static json_t *page_number(size_t number, bool there) {
    char text[24];
    snprintf(text, sizeof text, "%zu", number);
    return json_string(there ? text : "");
}

bool fg_home_realm_show(fg_exchange_t *ex, const fg_home_realm_page_t *page, fg_err_t *err) {
    fg_offer_t offers[PAGE_SIZE];
    size_t number = get_page(page->params), filled;
    const fg_search_t search = {get_words(page->params), get_language(ex), (number - 1) * PAGE_SIZE};
    size_t all = fg_search_home_realms(ex, &search, offers, PAGE_SIZE, &filled);
    bool searched = search.words.n > 0, has_field = searched || all >= SEARCHED_FROM || ex->hub->federations != NULL;
    json_t *model = json_pack(
        "{s:o, s:o, s:o, s:o, s:s, s:o, s:s, s:o, s:o}", "action", text_of(page->action), "application",
        text_of(page->application), "hidden", list_hidden(page), "realms", list_offers(offers, filled), "search",
        has_field ? "1" : "", "words", text_of(search.words), "nothing", searched && all == 0 ? "1" : "", "before",
        page_number(number - 1, number > 1 && all > 0), "after", page_number(number + 1, search.skip + filled < all));
    return (model != NULL && ex->hub->render(ex, 200, "home_realm", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "page home_realm could not be made");
}

const fg_home_realm_t *fg_home_realm_searched(fg_exchange_t *ex, const fg_params_t *params) {
    return fg_find_home_realm_for_mail(ex, get_words(params));
}

/* ---- how many there are */

const fg_home_realm_t *fg_home_realm_only(fg_exchange_t *ex, bool *many) {
    const fg_hub_t *hub = ex->hub;
    const fg_home_realm_t *only = NULL;
    fg_federations_t *federations = hub->federations;
    *many = federations != NULL && federations->has_offers(federations, ex);
    for (size_t i = 0; i < hub->home_realm_count; i++) {
        if (!fg_home_realm_is_offered(&hub->home_realms[i]))
            continue;
        if (only != NULL)
            *many = true;
        else
            only = &hub->home_realms[i];
    }
    return *many ? NULL : only;
}

/* ---- what is remembered: the cookie carries the relying party's realm in its name */

static const char *memory_name(fg_exchange_t *ex, fg_str_t memory) {
    const char *name = fg_arena_printf(ex->arena, "home-realm:%.*s", (int)memory.n, memory.p);
    return name ? name : "home-realm";
}

const fg_home_realm_t *fg_home_realm_remembered(fg_exchange_t *ex, fg_str_t memory) {
    fg_str_t uri = memory.n ? fg_remembered(ex, memory_name(ex, memory)) : FG_STR_NONE;
    const fg_home_realm_t *realm = uri.n ? fg_find_home_realm(ex, uri) : NULL;
    return realm != NULL && fg_home_realm_is_offered(realm) ? realm : NULL;
}

bool fg_home_realm_remember(fg_exchange_t *ex, fg_str_t memory, fg_str_t uri, fg_err_t *err) {
    return memory.n == 0 || fg_remember(ex, memory_name(ex, memory), uri, err);
}
