/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The tokens inside a request: whom it is for (WS-Trust 1.3 §9.1, 1.4 §9.1), what is renewed, cancelled, validated (1.3
 * §5, §6, §7).  They are found here and verified elsewhere. */
#include "sts/rst_parts.h"

static bool take_token(const xmlNode *element, xmlNode **place, fg_err_t *err) {
    xmlNode *child = fg_xml_first_child(element);
    if (child == NULL || fg_xml_next(child) != NULL)
        return FG_FAIL(err, FG_E_WST_REQUEST, "%s holds not exactly one element", (const char *)element->name);
    *place = child;
    return true;
}

/* A target belongs to its own request. */
static bool take_target(fg_rst_reading_t *r, const xmlNode *element, fg_trust_request_t request, fg_err_t *err) {
    const char *ns = fg_rst_ns(r), *name = (const char *)element->name;
    const xmlNode *type = fg_xml_child(element->parent, ns, "RequestType", NULL);
    fg_str_t uri = type ? fg_xml_token(r->arena, type, NULL) : FG_STR_NONE;
    if (!fg_str_is(uri, fg_trust_words(r->trust)->requests[request].type))
        return FG_FAIL(err, FG_E_WST_REQUEST, "%s for RequestType %.*s", name, FG_STR_ARG(uri));
    return take_token(element, &r->rst->target, err);
}

bool fg_rst_on_behalf_of(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    return take_token(element, &r->rst->on_behalf_of, err);
}

bool fg_rst_act_as(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    if (r->rst->act_as != NULL)
        return FG_FAIL(err, FG_E_WST_REQUEST, "ActAs given twice");
    return take_token(element, &r->rst->act_as, err);
}

bool fg_rst_renew_target(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    return take_target(r, element, FG_TRUST_RENEW, err);
}

bool fg_rst_cancel_target(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    return take_target(r, element, FG_TRUST_CANCEL, err);
}

bool fg_rst_validate_target(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    return take_target(r, element, FG_TRUST_VALIDATE, err);
}

/* xs:boolean. */
static bool parse_flag(fg_str_t text, bool *flag) {
    *flag = fg_str_is(text, "true") || fg_str_is(text, "1");
    return *flag || fg_str_is(text, "false") || fg_str_is(text, "0");
}

static bool read_flag(fg_rst_reading_t *r, const xmlNode *element, const char *name, bool absent, bool *flag,
                      fg_err_t *err) {
    fg_str_t text = fg_str_trim(fg_xml_attr(r->arena, element, NULL, name));
    *flag = absent;
    return text.p == NULL || parse_flag(text, flag) ||
           FG_FAIL(err, FG_E_WST_REQUEST, "%s of Renewing is %.*s", name, FG_STR_ARG(text));
}

/* WS-Trust 1.3 §5: Allow is true by default, OK is not. */
bool fg_rst_renewing(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    fg_rst_t *rst = r->rst;
    if (!read_flag(r, element, "Allow", true, &rst->renewing, err) ||
        !read_flag(r, element, "OK", false, &rst->renewing_late, err))
        return false;
    rst->renewing_late = rst->renewing_late && rst->renewing;
    return true;
}

static bool read_wish(fg_rst_reading_t *r, const xmlNode *element, bool *flag, fg_err_t *err) {
    fg_str_t text;
    return fg_rst_text(r, element, FG_E_WST_REQUEST, &text, err) &&
           (parse_flag(text, flag) ||
            FG_FAIL(err, FG_E_WST_REQUEST, "%s is %.*s", (const char *)element->name, FG_STR_ARG(text)));
}

/* WS-Trust 1.3 §9.1: who may act by the token is for the relying party's delegation rules to say; that nobody may is
 * for the requestor. */
bool fg_rst_delegatable(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    bool wanted;
    if (!read_wish(r, element, &wanted, err))
        return false;
    r->rst->not_for_others = !wanted;
    return true;
}

/* WS-Trust 1.3 §9.1: tokens are not bound to a machine, so that one which is cannot be promised. */
bool fg_rst_forwardable(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    bool wanted;
    return read_wish(r, element, &wanted, err) &&
           (wanted || FG_FAIL(err, FG_E_WST_REQUEST, "tokens that are not Forwardable are not served"));
}
