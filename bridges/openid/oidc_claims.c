/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The partner's claims under OpenID Connect's names, and what goes where: by scope (core §5.4) and by the claims
 * parameter (§5.5).  What the partner's rules do not issue cannot be asked for. */
#include "bridges/openid/oauth_request.h"
#include "bridges/openid/oidc_token.h"

typedef enum kind { TEXT, TRUTH, NUMBER, ADDRESS } kind_t;

/* A claim without a URI of its own is issued by rules under its name here. */
static const struct standard {
    const char *scope;
    const char *name;
    const char *type; /* NULL: none */
    kind_t kind;
} standards[] = {
    {"profile", "name", FG_CLAIM_NAME, TEXT},
    {"profile", "given_name", FG_CLAIM_GIVENNAME, TEXT},
    {"profile", "family_name", FG_CLAIM_SURNAME, TEXT},
    {"profile", "middle_name", NULL, TEXT},
    {"profile", "nickname", NULL, TEXT},
    {"profile", "preferred_username", NULL, TEXT},
    {"profile", "profile", NULL, TEXT},
    {"profile", "picture", NULL, TEXT},
    {"profile", "website", FG_CLAIMS_2005 "webpage", TEXT},
    {"profile", "gender", FG_CLAIMS_2005 "gender", TEXT},
    {"profile", "birthdate", FG_CLAIMS_2005 "dateofbirth", TEXT},
    {"profile", "zoneinfo", NULL, TEXT},
    {"profile", "locale", NULL, TEXT},
    {"profile", "updated_at", NULL, NUMBER},
    {"email", "email", FG_CLAIM_EMAIL, TEXT},
    {"email", "email_verified", NULL, TRUTH},
    {"phone", "phone_number", FG_CLAIMS_2005 "mobilephone", TEXT},
    {"phone", "phone_number_verified", NULL, TRUTH},
    {"address", "formatted", NULL, ADDRESS},
    {"address", "street_address", FG_CLAIMS_2005 "streetaddress", ADDRESS},
    {"address", "locality", FG_CLAIMS_2005 "locality", ADDRESS},
    {"address", "region", FG_CLAIMS_2005 "stateorprovince", ADDRESS},
    {"address", "postal_code", FG_CLAIMS_2005 "postalcode", ADDRESS},
    {"address", "country", FG_CLAIMS_2005 "country", ADDRESS},
};

static const struct standard *find_standard(fg_str_t type) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(standards); i++)
        if (fg_str_is(type, standards[i].name) || (standards[i].type != NULL && fg_str_is(type, standards[i].type)))
            return &standards[i];
    return NULL;
}

/* What tokens and answers say of themselves: no claim may. */
static bool is_taken(fg_str_t name) {
    static const char *const words[] = {"sid", "azp", "client_id", "scope", "events", "address", "nbf", "cnf", "act"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(words); i++)
        if (fg_str_is(name, words[i]))
            return true;
    return fg_jwt_name_is_own(name);
}

static json_t *make_value(kind_t kind, fg_str_t value) {
    if (kind == TRUTH)
        return json_boolean(fg_str_is(value, "true") || fg_str_is(value, "1"));
    int64_t number = 0;
    size_t i = 0;
    for (; kind == NUMBER && i < value.n && i < 15 && value.p[i] >= '0' && value.p[i] <= '9'; i++)
        number = number * 10 + (value.p[i] - '0');
    return kind == NUMBER && i > 0 && i == value.n ? json_integer(number) : json_stringn(value.p, value.n);
}

/* A second value makes a list of it. */
static bool add(json_t *object, fg_str_t name, json_t *value) {
    json_t *present = json_object_getn(object, name.p, name.n);
    if (present == NULL)
        return json_object_setn_new(object, name.p, name.n, value) == 0;
    if (json_is_array(present))
        return json_array_append_new(present, value) == 0;
    json_t *list = json_pack("[O, o]", present, value);
    return list != NULL && json_object_setn_new(object, name.p, name.n, list) == 0;
}

typedef struct wish {
    const json_t *asked; /* of the claims parameter, for this place; NULL: nothing */
    fg_str_t scope;
    bool by_scope; /* claims of OpenID Connect's scopes go to this place */
} wish_t;

/* What no scope of OpenID Connect names comes with "openid": that the partner gets it is its rules' decision. */
static bool is_wanted(const wish_t *wish, const struct standard *standard, fg_str_t name) {
    const char *member = standard != NULL && standard->kind == ADDRESS ? "address" : NULL;
    const json_t *asked = member ? json_object_get(wish->asked, member) : json_object_getn(wish->asked, name.p, name.n);
    if (asked != NULL)
        return true;
    return standard == NULL ? fg_openid_word_in(wish->scope, "openid")
                            : wish->by_scope && fg_openid_word_in(wish->scope, standard->scope);
}

static bool put_claim(json_t *object, const wish_t *wish, const fg_claim_t *claim) {
    const struct standard *standard = find_standard(claim->type);
    fg_str_t name = standard ? fg_str(standard->name) : fg_jwt_claim_name(claim->type);
    kind_t kind = standard ? standard->kind : TEXT;
    if ((standard == NULL && is_taken(name)) || !is_wanted(wish, standard, name))
        return true;
    json_t *target = object;
    if (kind == ADDRESS) {
        target = json_object_get(object, "address");
        if (target == NULL && json_object_set_new(object, "address", target = json_object()) != 0)
            return false;
    }
    return add(target, name, make_value(kind, claim->value));
}

json_t *fg_oidc_claims_make(fg_exchange_t *ex, const fg_oidc_person_t *person, fg_oidc_place_t place) {
    static const char *const members[] = {[FG_OIDC_ID_TOKEN] = "id_token", [FG_OIDC_USERINFO] = "userinfo"};
    const json_t *claims;
    json_t *object = json_object();
    bool ok = object != NULL && fg_oidc_claims_read(ex, person->grant->claims, &claims, NULL);
    const wish_t wish = {
        .asked = ok ? json_object_get(claims, members[place]) : NULL,
        .scope = person->grant->scope,
        .by_scope =
            place == FG_OIDC_USERINFO || person->partner->openid->claims_in_id_token || person->has_no_access_token,
    };
    for (size_t i = 0; i < person->claims.count && ok; i++)
        ok = put_claim(object, &wish, &person->claims.items[i]);
    if (ok)
        return object;
    json_decref(object);
    return NULL;
}
