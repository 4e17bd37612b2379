/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who acts for an assertion's subject, as Windows Identity Foundation and AD FS write it: an attribute of the type
 * FG_CLAIM_ACTOR whose one value is the text of an <Actor> element in no namespace.  That holds the actor's claims as
 * attributes of the assertion's own format, and the actor's actor as one of them. */
#include "token/assertion_parts.h"
#include "token/authmethod.h"

#define ACTOR_MAX (64u << 10) /* bytes of one value; it grows with every actor around it, which escapes it again */

/* ---- writing ---- */

void fg_assertion_write_actor(fg_xw_t *w, const fg_identity_t *actor, const fg_attribute_form_t *form) {
    const fg_claim_t said = {.type = FG_STR(FG_CLAIM_ACTOR)};
    fg_xw_t inner;
    fg_attribute_form_t plain = *form; /* what is encrypted is the whole */
    fg_buf_t text = FG_BUF_INIT(ACTOR_MAX);
    plain.encryptor = NULL;
    fg_xw_init(&inner, &text);
    fg_xw_start(&inner, NULL, "Actor");
    fg_assertion_write_attributes(&inner, &actor->claims, actor->actor, &plain);
    fg_xw_end(&inner);
    fg_xw_start(w, form->ns, "Attribute");
    form->write_name(w, &said, form->name_format);
    fg_xw_leaf(w, form->ns, "AttributeValue", fg_buf_str(&text));
    fg_xw_end(w);
    w->failed = w->failed || !fg_xw_ok(&inner);
    fg_buf_free(&text);
}

/* ---- reading ---- */

static const xmlNode *parse(fg_reading_t *reading, const xmlNode *attribute, const char *ns, fg_err_t *err) {
    static const fg_xml_limits_t limits = {ACTOR_MAX, 8, 2000, 8, 8};
    fg_err_t why = FG_ERR_INIT;
    const xmlNode *value = fg_xml_only_child(attribute, ns, "AttributeValue", NULL);
    fg_str_t text = value != NULL ? fg_xml_text(reading->arena, value, NULL) : FG_STR_NONE;
    if (text.p == NULL) {
        FG_FAIL(err, FG_E_TOKEN_MALFORMED, "the actor is not one text");
        return NULL;
    }
    xmlDoc *document = fg_xml_parse(reading->arena, fg_str_trim(text), &limits, &why);
    const xmlNode *root = document != NULL ? xmlDocGetRootElement(document) : NULL;
    if (root == NULL)
        FG_FAIL(err, FG_E_TOKEN_MALFORMED, "the actor's text: %s", why.detail);
    return root;
}

static bool read_attributes(fg_reading_t *reading, const xmlNode *actor, const char *ns, fg_err_t *err) {
    if (actor->ns != NULL || !xmlStrEqual(actor->name, BAD_CAST "Actor"))
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an actor is written as <%s>", (const char *)actor->name);
    for (xmlNode *node = fg_xml_first_child(actor); node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, ns, "Attribute"))
            return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an Actor holds <%s>", (const char *)node->name);
        if (!reading->read_attribute(reading, node, err))
            return false;
    }
    return reading->identity->claims.count > 0 ||
           FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an actor of whom nothing is said");
}

/* What an identity has outside its claims, an actor has among them. */
static void fill_identity(fg_reading_t *reading, fg_identity_t *actor) {
    const fg_claim_t *name = fg_claims_get(&actor->claims, FG_CLAIM_NAMEIDENTIFIER);
    const fg_claim_t *method = fg_claims_get(&actor->claims, FG_CLAIM_AUTHMETHOD);
    actor->issuer = reading->trust->issuer;
    actor->name_id.value = name != NULL ? name->value : FG_STR_NONE;
    actor->auth_method = method != NULL ? method->value : FG_STR(FG_AUTH_UNSPECIFIED);
}

bool fg_reading_actor(fg_reading_t *reading, const xmlNode *attribute, const char *ns, fg_err_t *err) {
    fg_identity_t *whose = reading->identity;
    if (whose->actor != NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "two actors for one identity");
    if (reading->actors == FG_ACTORS_MAX)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "more than %u actors", FG_ACTORS_MAX);
    const xmlNode *root = parse(reading, attribute, ns, err);
    if (root == NULL)
        return false;
    fg_identity_t *actor = fg_arena_alloc(reading->arena, sizeof *actor);
    if (actor == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "no memory for an actor");
    whose->actor = reading->identity = actor;
    reading->actors++;
    bool ok = read_attributes(reading, root, ns, err);
    reading->actors--;
    reading->identity = whose;
    fill_identity(reading, actor);
    return ok;
}
