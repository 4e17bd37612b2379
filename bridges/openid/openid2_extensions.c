/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/openid2_extensions.h"

#include <stdio.h>

#include "bridges/openid/openid2_attributes.h"
#include "core/time.h"

#define SREG_1_1 "http://openid.net/extensions/sreg/1.1"
#define SREG_1_0 "http://openid.net/sreg/1.0"
#define AX "http://openid.net/srv/ax/1.0"
#define PAPE "http://specs.openid.net/extensions/pape/1.0"
#define UI "http://specs.openid.net/extensions/ui/1.0"
#define POLICY "http://schemas.openid.net/pape/policies/2007/06/"
#define STORE_ERROR "Attributes cannot be stored here."
#define VALUES_MAX 32u
#define FIELDS_LEFT 16u /* for what comes behind the extensions */
#define AGE_MAX 31536000

/* ---- the provider: what is asked for */

static void add_wish(fg_openid2_asked_t *asked, fg_str_t name, fg_str_t type, unsigned count) {
    if (asked->wish_count < FG_OPENID2_WISHES)
        asked->wishes[asked->wish_count++] = (fg_openid2_wish_t){name, type, count};
}

/* Simple Registration 1.1 §3. */
static void read_sreg(const fg_openid2_message_t *message, fg_openid2_asked_t *asked) {
    static const char *const lists[] = {"required", "optional"};
    fg_str_t alias = fg_openid2_alias(message, SREG_1_1);
    asked->sreg_ns = SREG_1_1;
    if (alias.p == NULL) {
        alias = fg_openid2_alias(message, SREG_1_0);
        asked->sreg_ns = SREG_1_0;
    }
    asked->sreg_declared = alias.p != NULL;
    if (alias.p == NULL && !message->v2)
        alias = FG_STR("sreg");
    for (size_t i = 0; alias.p != NULL && i < FG_ARRAY_SIZE(lists); i++) {
        fg_str_t list = fg_openid2_get_in(message, alias, lists[i]);
        for (fg_str_t name = fg_openid2_list_next(&list); name.n > 0; name = fg_openid2_list_next(&list))
            if (fg_openid2_attribute_find_sreg(name) != NULL)
                add_wish(asked, name, FG_STR_NONE, 1);
    }
    if (asked->wish_count == 0)
        asked->sreg_ns = NULL;
}

static unsigned read_count(fg_str_t text) {
    unsigned count = 0;
    if (text.n == 0 || fg_str_is(text, "unlimited"))
        return text.n == 0 ? 1 : VALUES_MAX;
    for (size_t i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && count < VALUES_MAX; i++)
        count = count * 10 + (unsigned)(text.p[i] - '0');
    return count < VALUES_MAX ? count : VALUES_MAX;
}

/* Attribute Exchange 1.0 §5.1; §6.1 is answered, and nothing of it read. */
static bool read_ax(fg_exchange_t *ex, const fg_openid2_message_t *message, fg_openid2_asked_t *asked, fg_err_t *err) {
    static const char *const lists[] = {"required", "if_available"};
    fg_str_t alias = fg_openid2_alias(message, AX);
    fg_str_t mode = alias.p != NULL ? fg_openid2_get_in(message, alias, "mode") : FG_STR_NONE;
    asked->ax_store = fg_str_is(mode, "store_request");
    if (!fg_str_is(mode, "fetch_request"))
        return true;
    asked->ax = true;
    for (size_t i = 0; i < FG_ARRAY_SIZE(lists); i++) {
        fg_str_t list = fg_openid2_get_in(message, alias, lists[i]);
        for (fg_str_t name = fg_openid2_list_next(&list); name.n > 0; name = fg_openid2_list_next(&list)) {
            const char *type = fg_arena_printf(ex->arena, "type.%.*s", (int)name.n, name.p);
            const char *count = fg_arena_printf(ex->arena, "count.%.*s", (int)name.n, name.p);
            if (type == NULL || count == NULL)
                return FG_FAIL(err, FG_E_MEMORY, "an attribute request");
            fg_str_t uri = fg_openid2_get_in(message, alias, type);
            if (uri.n == 0 || memchr(name.p, '.', name.n) != NULL)
                return FG_FAIL(err, FG_E_OPENID2_REQUEST, "attribute \"%.*s\" has no type", FG_STR_ARG(name));
            add_wish(asked, name, uri, read_count(fg_openid2_get_in(message, alias, count)));
        }
    }
    return true;
}

/* PAPE 1.0 §5.1: seconds. */
static bool read_pape(const fg_openid2_message_t *message, fg_openid2_asked_t *asked, fg_err_t *err) {
    fg_str_t alias = fg_openid2_alias(message, PAPE);
    asked->fresh_ms = -1;
    asked->pape = alias.p != NULL;
    fg_str_t age = asked->pape ? fg_openid2_get_in(message, alias, "max_auth_age") : FG_STR_NONE;
    int64_t seconds = 0;
    for (size_t i = 0; i < age.n; i++) {
        if (age.p[i] < '0' || age.p[i] > '9')
            return FG_FAIL(err, FG_E_OPENID2_REQUEST, "max_auth_age \"%.*s\"", FG_STR_ARG(age));
        seconds = seconds < AGE_MAX ? seconds * 10 + (age.p[i] - '0') : AGE_MAX;
    }
    if (age.n > 0)
        asked->fresh_ms = seconds * FG_SECOND;
    return true;
}

bool fg_openid2_asked_read(fg_exchange_t *ex, const fg_openid2_message_t *message, fg_openid2_asked_t *asked,
                           fg_err_t *err) {
    *asked = (fg_openid2_asked_t){.fresh_ms = -1};
    read_sreg(message, asked);
    fg_str_t ui = fg_openid2_alias(message, UI);
    if (ui.p != NULL)
        asked->languages = fg_openid2_get_in(message, ui, "lang");
    return read_ax(ex, message, asked, err) && read_pape(message, asked, err);
}

/* ---- and what is answered */

static size_t values_of(fg_exchange_t *ex, const fg_openid2_wish_t *wish, const fg_claims_t *claims,
                        fg_str_t values[VALUES_MAX]) {
    const fg_openid2_attribute_t *attribute =
        wish->type.n > 0 ? fg_openid2_attribute_find_ax(wish->type) : fg_openid2_attribute_find_sreg(wish->name);
    return fg_openid2_attribute_values(ex->arena, attribute, wish->type, claims, values, wish->count);
}

/* Attribute Exchange 1.0 §5.2: a list where more than one value was asked for. */
static void put_ax(fg_exchange_t *ex, const fg_openid2_wish_t *wish, const fg_str_t *values, size_t count,
                   fg_openid2_message_t *message) {
    char name[FG_ID_SIZE + 64];
    int n = (int)(wish->name.n < 64 ? wish->name.n : 64);
    size_t room =
        message->count + FIELDS_LEFT < FG_OPENID2_FIELDS ? FG_OPENID2_FIELDS - FIELDS_LEFT - message->count : 0;
    if (room < 3)
        return;
    if (count > room - 2)
        count = room - 2;
    snprintf(name, sizeof name, "type.%.*s", n, wish->name.p);
    fg_openid2_put_in(ex, message, "ax", name, wish->type);
    if (wish->count == 1 && count == 1) {
        snprintf(name, sizeof name, "value.%.*s", n, wish->name.p);
        fg_openid2_put_in(ex, message, "ax", name, values[0]);
        return;
    }
    fg_str_t total = fg_str(fg_arena_printf(ex->arena, "%zu", count));
    snprintf(name, sizeof name, "count.%.*s", n, wish->name.p);
    fg_openid2_put_in(ex, message, "ax", name, total);
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "value.%.*s.%zu", n, wish->name.p, i + 1);
        fg_openid2_put_in(ex, message, "ax", name, values[i]);
    }
}

/* PAPE 1.0 §5.2. */
static void put_pape(fg_exchange_t *ex, const fg_identity_t *identity, fg_openid2_message_t *message) {
    const fg_authmethod_t *method = fg_authmethod_find(identity->auth_method);
    bool key =
        method != NULL && (strcmp(method->claim, FG_AUTH_X509) == 0 || strcmp(method->claim, FG_AUTH_TLSCLIENT) == 0);
    char time[FG_TIME_SIZE];
    fg_time_format(identity->auth_instant_ms, time);
    /* without the fraction of a second (§5.2) */
    fg_str_t instant = fg_str(fg_arena_printf(ex->arena, "%.19sZ", time));
    fg_openid2_put(message, "ns.pape", FG_STR(PAPE));
    fg_openid2_put_in(ex, message, "pape", "auth_policies",
                      key ? FG_STR(POLICY "phishing-resistant") : FG_STR(POLICY "none"));
    if (instant.p != NULL)
        fg_openid2_put_in(ex, message, "pape", "auth_time", instant);
}

bool fg_openid2_asked_answer(fg_exchange_t *ex, const fg_openid2_asked_t *asked, const fg_claims_t *claims,
                             const fg_identity_t *identity, fg_openid2_message_t *message, fg_err_t *err) {
    fg_str_t values[VALUES_MAX];
    if (asked->sreg_ns != NULL && (message->v2 || asked->sreg_declared))
        fg_openid2_put(message, "ns.sreg", fg_str(asked->sreg_ns));
    if (asked->ax) {
        fg_openid2_put(message, "ns.ax", FG_STR(AX));
        fg_openid2_put(message, "ax.mode", FG_STR("fetch_response"));
    }
    if (asked->ax_store) { /* §6.2 */
        fg_openid2_put(message, "ns.ax", FG_STR(AX));
        fg_openid2_put(message, "ax.mode", FG_STR("store_response_failure"));
        fg_openid2_put(message, "ax.error", FG_STR(STORE_ERROR));
    }
    for (size_t i = 0; i < asked->wish_count; i++) {
        const fg_openid2_wish_t *wish = &asked->wishes[i];
        size_t count = values_of(ex, wish, claims, values);
        if (wish->type.n > 0)
            put_ax(ex, wish, values, count, message);
        else if (count > 0)
            fg_openid2_put_in(ex, message, "sreg", fg_openid2_attribute_find_sreg(wish->name)->sreg, values[0]);
    }
    if (asked->pape)
        put_pape(ex, identity, message);
    return message->count < FG_OPENID2_FIELDS || FG_FAIL(err, FG_E_OPENID2_REQUEST, "too many attributes");
}

json_t *fg_openid2_asked_list(fg_exchange_t *ex, const fg_openid2_asked_t *asked, const fg_claims_t *claims) {
    json_t *list = json_array();
    fg_str_t values[VALUES_MAX];
    for (size_t i = 0; list != NULL && i < asked->wish_count; i++) {
        const fg_openid2_wish_t *wish = &asked->wishes[i];
        const fg_openid2_attribute_t *attribute =
            wish->type.n > 0 ? fg_openid2_attribute_find_ax(wish->type) : fg_openid2_attribute_find_sreg(wish->name);
        fg_str_t type = attribute ? fg_str(attribute->accepted) : wish->type;
        size_t count = values_of(ex, wish, claims, values);
        bool twice = false; /* SREG and AX ask for the same */
        for (size_t k = 0; k < json_array_size(list) && !twice; k++)
            twice = fg_str_is(type, json_string_value(json_object_get(json_array_get(list, k), "type")));
        for (size_t k = 0; k < count && !twice; k++)
            (void)json_array_append_new(
                list, json_pack("{s:s%, s:s%}", "type", type.p, type.n, "value", values[k].p, values[k].n));
    }
    return list;
}

/* ---- the relying party: asking */

/* What is worth a question by AX even where SREG has a field for it: providers know one or the other. */
static bool is_asked_by_ax(const fg_openid2_attribute_t *attribute) {
    static const char *const words[] = {"nickname", "email", "fullname"};
    for (size_t i = 0; attribute->sreg != NULL && i < FG_ARRAY_SIZE(words); i++)
        if (strcmp(attribute->sreg, words[i]) == 0)
            return true;
    return attribute->sreg == NULL && strncmp(attribute->ax, "namePerson/", 11) == 0;
}

static void ask_ax(fg_exchange_t *ex, const fg_str_list_t *more, fg_openid2_message_t *message) {
    fg_buf_t list = FG_BUF_INIT(1024);
    char name[32];
    unsigned number = 0;
    fg_openid2_put(message, "ns.ax", FG_STR(AX));
    fg_openid2_put(message, "ax.mode", FG_STR("fetch_request"));
    for (size_t i = 0; i < fg_openid2_attribute_count + more->count && number < 24; i++) {
        bool own = i < fg_openid2_attribute_count;
        if (own && !is_asked_by_ax(&fg_openid2_attributes[i]))
            continue;
        snprintf(name, sizeof name, "type.a%u", ++number);
        fg_str_t type = own ? fg_str(fg_arena_printf(ex->arena, "http://axschema.org/%s", fg_openid2_attributes[i].ax))
                            : more->items[i - fg_openid2_attribute_count];
        fg_openid2_put_in(ex, message, "ax", name, type);
        snprintf(name, sizeof name, "count.a%u", number);
        if (!own)
            fg_openid2_put_in(ex, message, "ax", name, FG_STR("unlimited"));
        fg_buf_printf(&list, "%sa%u", number > 1 ? "," : "", number);
    }
    fg_openid2_put(message, "ax.if_available", fg_arena_str(ex->arena, fg_buf_str(&list)));
    fg_buf_free(&list);
}

void fg_openid2_ask(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_openid2_message_t *message) {
    fg_buf_t list = FG_BUF_INIT(512);
    for (size_t i = 0; i < fg_openid2_attribute_count; i++)
        if (fg_openid2_attributes[i].sreg != NULL)
            fg_buf_printf(&list, "%s%s", list.length > 0 ? "," : "", fg_openid2_attributes[i].sreg);
    fg_openid2_put(message, "ns.sreg", FG_STR(SREG_1_1));
    fg_openid2_put(message, "sreg.optional", fg_arena_str(ex->arena, fg_buf_str(&list)));
    fg_buf_free(&list);
    ask_ax(ex, &signin->realm->identity_provider->openid2->attributes, message);
    if (signin->fresh_ms < 0)
        return;
    const char *age = fg_arena_printf(ex->arena, "%lld", (long long)(signin->fresh_ms / FG_SECOND));
    fg_openid2_put(message, "ns.pape", FG_STR(PAPE));
    fg_openid2_put(message, "pape.preferred_auth_policies", FG_STR(""));
    fg_openid2_put(message, "pape.max_auth_age", fg_str(age));
}

/* ---- and reading what is answered */

static bool put_claim(fg_exchange_t *ex, fg_str_t type, fg_str_t value, fg_str_t issuer, fg_identity_t *identity,
                      fg_err_t *err) {
    const fg_claim_t claim = {.type = type, .value = value, .issuer = issuer};
    if (value.n == 0)
        return true;
    return fg_claims_add(ex->arena, &identity->claims, &claim) || FG_FAIL(err, FG_E_MEMORY, "claims");
}

static bool has_claim(const fg_identity_t *identity, fg_str_t type) {
    for (size_t i = 0; i < identity->claims.count; i++)
        if (fg_str_eq(identity->claims.items[i].type, type))
            return true;
    return false;
}

typedef struct reading {
    fg_exchange_t *ex;
    const fg_openid2_message_t *message;
    fg_str_t issuer;
    fg_identity_t *identity;
    fg_err_t *err;
} reading_t;

/* The values under one alias: one, or as many as are counted. */
static bool take_ax_values(const reading_t *in, fg_str_t ax, fg_str_t name, fg_str_t type) {
    char field[96];
    int n = (int)(name.n < 64 ? name.n : 64);
    snprintf(field, sizeof field, "value.%.*s", n, name.p);
    fg_str_t value = fg_openid2_get_in(in->message, ax, field);
    if (value.p != NULL)
        return put_claim(in->ex, type, value, in->issuer, in->identity, in->err);
    for (unsigned i = 1; i <= VALUES_MAX; i++) {
        snprintf(field, sizeof field, "value.%.*s.%u", n, name.p, i);
        value = fg_openid2_get_in(in->message, ax, field);
        if (value.p == NULL)
            return true;
        if (!put_claim(in->ex, type, value, in->issuer, in->identity, in->err))
            return false;
    }
    return true;
}

static bool take_ax(const reading_t *in, const fg_str_list_t *more) {
    fg_str_t ax = fg_openid2_alias(in->message, AX);
    for (size_t i = 0; ax.p != NULL && i < in->message->count; i++) {
        fg_str_t name = in->message->items[i].name, type = in->message->items[i].value;
        size_t head = ax.n + 6; /* "ALIAS.type." */
        if (name.n <= head || memcmp(name.p, ax.p, ax.n) != 0 || memcmp(name.p + ax.n, ".type.", 6) != 0)
            continue;
        const fg_openid2_attribute_t *attribute = fg_openid2_attribute_find_ax(type);
        /* what was not asked for is not listened to */
        if (attribute == NULL && !fg_str_list_has(more, type))
            continue;
        if (!take_ax_values(in, ax, (fg_str_t){name.p + head, name.n - head},
                            attribute ? fg_str(attribute->accepted) : type))
            return false;
    }
    return true;
}

static bool take_sreg(const reading_t *in) {
    fg_str_t alias = fg_openid2_alias(in->message, SREG_1_1);
    if (alias.p == NULL)
        alias = fg_openid2_alias(in->message, SREG_1_0);
    if (alias.p == NULL && !in->message->v2)
        alias = FG_STR("sreg");
    for (size_t i = 0; alias.p != NULL && i < fg_openid2_attribute_count; i++) {
        const fg_openid2_attribute_t *attribute = &fg_openid2_attributes[i];
        if (attribute->sreg == NULL || has_claim(in->identity, fg_str(attribute->accepted)))
            continue;
        fg_str_t value = fg_openid2_get_in(in->message, alias, attribute->sreg);
        if (!put_claim(in->ex, fg_str(attribute->accepted), value, in->issuer, in->identity, in->err))
            return false;
    }
    return true;
}

bool fg_openid2_take_claims(fg_exchange_t *ex, const fg_openid2_message_t *message, fg_str_t issuer,
                            const fg_str_list_t *more, fg_identity_t *identity, fg_err_t *err) {
    const reading_t in = {ex, message, issuer, identity, err};
    fg_str_t pape = fg_openid2_alias(message, PAPE);
    fg_str_t time = pape.p != NULL ? fg_openid2_get_in(message, pape, "auth_time") : FG_STR_NONE;
    if (time.n > 0 && !fg_time_parse(time, &identity->auth_instant_ms))
        return FG_FAIL(err, FG_E_OPENID2_ANSWER, "auth_time \"%.*s\"", FG_STR_ARG(time));
    return take_ax(&in, more) && take_sreg(&in);
}
