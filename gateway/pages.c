/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/pages.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "gateway/colour.h"
#include "gateway/pages_load.h"

#define PAGE_MAX (4u << 20) /* wresult may take 200 KiB, and its escaping some more */
#define DEFAULT_COLOUR "#1f6feb"
/* The surfaces of style.css that an accent may stand on: the darkest light one and the lightest dark one. */
#define LIGHT_SURFACE "#eef1f6"
#define DARK_SURFACE "#1d2633"

typedef struct page_job {
    fg_exchange_t *ex;
    const fg_pages_t *pages;
    size_t language;
    json_t *model;
} page_job_t;

/* A member that finds no memory is missing from the page, no more. */
static void put(json_t *object, const char *name, const char *value) {
    if (value != NULL)
        (void)json_object_set_new(object, name, json_string(value));
}

static void put_str(json_t *object, const char *name, fg_str_t value) {
    if (value.p != NULL)
        (void)json_object_set_new(object, name, json_stringn(value.p, value.n));
}

static const char *member(const json_t *object, const char *name) {
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

/* A text whose key is made from a value of the model; .p NULL: none. */
static fg_str_t text_for(const page_job_t *job, const char *kind, const char *value) {
    char key[80];
    int length = snprintf(key, sizeof key, "%s.%s", kind, value);
    if (length < 0 || (size_t)length >= sizeof key)
        return FG_STR_NONE;
    return fg_pages_text(job->pages, job->language, fg_str(key), NULL);
}

/* ---- what single pages need besides their model */

static void prepare_message(const page_job_t *job) {
    const char *message = member(job->model, "message");
    if (*message == '\0')
        return;
    fg_str_t text = text_for(job, "message", message);
    put_str(job->model, "message_text", text.p ? text : text_for(job, "message", "other"));
}

static void prepare_error(const page_job_t *job) {
    put_str(job->model, "sentence", text_for(job, "fault", member(job->model, "reason")));
}

/* The last word of a URI: "Group" of "http://schemas.xmlsoap.org/claims/Group". */
static const char *last_word(const char *uri) {
    const char *word = uri;
    for (const char *p = uri; *p != '\0'; p++)
        if ((*p == '/' || *p == ':') && p[1] != '\0')
            word = p + 1;
    return word;
}

/* What the language calls the last word of a URI, whatever its case; .p NULL: it has no word for it. */
static fg_str_t label_for(const page_job_t *job, const char *kind, const char *uri) {
    char word[48];
    if (snprintf(word, sizeof word, "%s", last_word(uri)) >= (int)sizeof word)
        return FG_STR_NONE;
    for (char *p = word; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32);
    return text_for(job, kind, word);
}

static void prepare_claims(const page_job_t *job) {
    size_t index;
    json_t *claim;
    json_array_foreach(json_object_get(job->model, "claims"), index, claim) {
        fg_str_t label = label_for(job, "claim", member(claim, "type"));
        put_str(claim, "label", label.p ? label : fg_str(last_word(member(claim, "type"))));
    }
    put_str(job->model, "method_label", label_for(job, "method", member(job->model, "method")));
}

/* Frames of no kind, nothing from elsewhere but pictures (logo_url), styles and scripts by nonce only. */
#define POLICY                                                                                                   \
    "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'nonce-%1$s'; img-src 'self' data: " \
    "https:; "
#define POLICY_FRAMED "default-src 'none'; base-uri 'none'; frame-ancestors https: http:; style-src 'nonce-%1$s'; "

/* What is not called anything in the language keeps its own name. */
static void prepare_consent(const page_job_t *job) {
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(job->model, "scopes"), index, item) {
        bool claim = json_object_get(item, "type") != NULL;
        const char *word = member(item, claim ? "type" : "scope");
        fg_str_t label = claim ? label_for(job, "claim", word) : text_for(job, "scope", word);
        put_str(item, "label", label.p ? label : fg_str(claim ? last_word(word) : word));
    }
}

/* same-origin, not no-referrer: that would send our own forms with "Origin: null", as if they came from anywhere.
 * The relying party that gets a token sees our origin and not the address, which holds wctx. */
static const struct page {
    const char *policy;
    const char *referrer;
    void (*prepare)(const page_job_t *);
} pages_table[FG_PAGE_COUNT] = {
    [FG_PAGE_SIGN_IN] = {POLICY "form-action 'self'", "same-origin", prepare_message},
    /* No form-action: Chromium applies it to the redirects that follow a form too, and the choice leads to partners,
     * who send the browser on as they like.  The form holds no secret. */
    [FG_PAGE_HOME_REALM] = {POLICY, "same-origin", NULL},
    [FG_PAGE_APPLICATIONS] = {POLICY, "same-origin", NULL}, /* likewise */
    /* sign-out clean-up loads a page of each relying party (WS-Federation 1.2 §13.2.4), which may ask who does so */
    [FG_PAGE_SIGNED_OUT] = {POLICY "form-action 'none'; frame-src https: http:; script-src 'nonce-%1$s'",
                            "strict-origin", NULL},
    /* the same in a frame of an identity provider's page: there is nothing in it that could be clicked */
    [FG_PAGE_CLEAN_UP] = {POLICY_FRAMED "form-action 'none'; frame-src https: http:; script-src 'nonce-%1$s'",
                          "strict-origin", NULL},
    [FG_PAGE_SIGN_OUT] = {POLICY "form-action 'self'", "same-origin", NULL},
    [FG_PAGE_CONSENT] = {POLICY "form-action 'self'", "same-origin", prepare_consent},
    [FG_PAGE_DEVICE] = {POLICY "form-action 'self'", "same-origin", prepare_consent},
    [FG_PAGE_ERROR] = {POLICY "form-action 'none'", "same-origin", prepare_error},
    /* No form-action: Chromium applies it to the redirects that follow the POST too, and where the relying party sends
     * the browser next is not known here.  The form's address is a registered one, and no markup can come into the
     * page. */
    [FG_PAGE_AUTO_POST] = {POLICY "script-src 'nonce-%1$s'", "strict-origin", NULL},
    [FG_PAGE_CLAIMS] = {POLICY "form-action 'none'", "same-origin", prepare_claims},
    /* auto_post in a frame of signed_out or clean_up, that is, of a partner's page perhaps */
    [FG_PAGE_POST_FRAME] = {POLICY_FRAMED "script-src 'nonce-%1$s'", "strict-origin", NULL},
    [FG_PAGE_CHANGE_PASSWORD] = {POLICY "form-action 'self'", "same-origin", prepare_message},
    [FG_PAGE_IDENTITY] = {POLICY "form-action 'none'", "same-origin", NULL},
    [FG_PAGE_GO_ON] = {POLICY "form-action 'none'", "same-origin", NULL},
};

static void put_contact(json_t *model, const char *contact) {
    char url[256];
    put(model, "contact", contact);
    if (contact == NULL || strchr(contact, ' ') != NULL)
        return;
    if (strncmp(contact, "https://", 8) == 0 || strncmp(contact, "http://", 7) == 0 ||
        strncmp(contact, "mailto:", 7) == 0)
        put(model, "contact_url", contact);
    else if (strchr(contact, '@') != NULL && snprintf(url, sizeof url, "mailto:%s", contact) < (int)sizeof url)
        put(model, "contact_url", url);
}

static void put_common(const page_job_t *job, const char *nonce) {
    const fg_hub_t *hub = job->ex->hub;
    char light[FG_COLOUR_SIZE], dark[FG_COLOUR_SIZE];
    const char *colour = fg_colour_is_valid(hub->colour) ? hub->colour : DEFAULT_COLOUR;
    fg_colour_readable(colour, LIGHT_SURFACE, light);
    fg_colour_readable(colour, DARK_SURFACE, dark);
    put(job->model, "accent_light", light);
    put(job->model, "accent_dark", dark);
    put(job->model, "organisation", hub->organisation);
    put(job->model, "logo_url", hub->logo_url);
    put(job->model, "lang", job->pages->languages[job->language]);
    put(job->model, "nonce", nonce);
    put(job->model, "correlation_id", job->ex->correlation_id);
    put_contact(job->model, hub->contact);
}

static void put_headers(fg_exchange_t *ex, const struct page *page, const char *nonce) {
    const char *policy = fg_arena_printf(ex->arena, page->policy, nonce);
    if (policy == NULL) {
        ex->response.failed = true;
        return;
    }
    fg_response_header(ex, "Content-Type", FG_STR("text/html; charset=utf-8"));
    fg_response_header(ex, "Content-Security-Policy", fg_str(policy));
    fg_response_header(ex, "Cache-Control", FG_STR("no-store"));
    fg_response_header(ex, "Referrer-Policy", fg_str(page->referrer));
    fg_response_header(ex, "X-Content-Type-Options", FG_STR("nosniff"));
    if (strstr(policy, "frame-ancestors 'none'") != NULL)
        fg_response_header(ex, "X-Frame-Options", FG_STR("DENY"));
}

static bool render(page_job_t *job, fg_page_t page, int status) {
    fg_exchange_t *ex = job->ex;
    char nonce[FG_ID_SIZE];
    if (!fg_id_uuid(ex->env, nonce)) /* 122 random bits, in letters that a nonce may have */
        return false;
    fg_str_t accept = ex->languages.n ? ex->languages : fg_request_header(&ex->request, "accept-language", NULL);
    job->language = fg_pages_choose_language(accept, job->pages->languages, job->pages->language_count);
    put_common(job, nonce);
    if (pages_table[page].prepare != NULL)
        pages_table[page].prepare(job);

    fg_buf_t body = FG_BUF_INIT(PAGE_MAX);
    fg_template_render(job->pages->templates[job->language][page], job->model, &body);
    if (!fg_buf_ok(&body)) {
        fg_log(ex->env, FG_LOG_ERROR, "%s: page %s did not fit", ex->correlation_id, fg_page_names[page]);
        fg_buf_free(&body);
        return false;
    }
    put_headers(ex, &pages_table[page], nonce);
    ex->response.status = status;
    fg_buf_free(&ex->response.body);
    ex->response.body = body;
    return true;
}

bool fg_pages_render(fg_exchange_t *ex, int status, const char *name, struct json_t *model) {
    page_job_t job = {.ex = ex, .pages = ex->hub->pages, .model = model};
    bool ok = false;
    for (size_t page = 0; page < FG_PAGE_COUNT && model != NULL; page++)
        if (strcmp(fg_page_names[page], name) == 0)
            ok = render(&job, (fg_page_t)page, status);
    json_decref(model);
    return ok;
}
