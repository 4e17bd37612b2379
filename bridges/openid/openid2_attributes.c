/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/openid2_attributes.h"

#include "core/err.h"

/* Simple Registration 1.1 §4; the types of axschema.org.  A claim without a URI of its own is issued by rules under
 * OpenID Connect's name for it. */
const fg_openid2_attribute_t fg_openid2_attributes[] = {
    {"nickname", "namePerson/friendly", {"nickname", FG_CLAIM_NAME}, "nickname"},
    {"email", "contact/email", {FG_CLAIM_EMAIL, NULL}, FG_CLAIM_EMAIL},
    {"fullname", "namePerson", {"fullname", NULL}, FG_CLAIM_NAME}, /* and full_name() */
    {"dob", "birthDate", {FG_CLAIMS_2005 "dateofbirth", "birthdate"}, FG_CLAIMS_2005 "dateofbirth"},
    {"gender", "person/gender", {FG_CLAIMS_2005 "gender", NULL}, FG_CLAIMS_2005 "gender"},
    {"postcode", "contact/postalCode/home", {FG_CLAIMS_2005 "postalcode", NULL}, FG_CLAIMS_2005 "postalcode"},
    {"country", "contact/country/home", {FG_CLAIMS_2005 "country", NULL}, FG_CLAIMS_2005 "country"},
    {"language", "pref/language", {"locale", NULL}, "locale"},
    {"timezone", "pref/timezone", {"zoneinfo", NULL}, "zoneinfo"},
    {NULL, "namePerson/first", {FG_CLAIM_GIVENNAME, NULL}, FG_CLAIM_GIVENNAME},
    {NULL, "namePerson/last", {FG_CLAIM_SURNAME, NULL}, FG_CLAIM_SURNAME},
    {NULL, "contact/city/home", {FG_CLAIMS_2005 "locality", NULL}, FG_CLAIMS_2005 "locality"},
    {NULL, "contact/phone/cell", {FG_CLAIMS_2005 "mobilephone", NULL}, FG_CLAIMS_2005 "mobilephone"},
    {NULL, "contact/web/default", {FG_CLAIMS_2005 "webpage", NULL}, FG_CLAIMS_2005 "webpage"},
};
const size_t fg_openid2_attribute_count = FG_ARRAY_SIZE(fg_openid2_attributes);

const fg_openid2_attribute_t *fg_openid2_attribute_find_sreg(fg_str_t name) {
    for (size_t i = 0; i < fg_openid2_attribute_count; i++)
        if (fg_openid2_attributes[i].sreg != NULL && fg_str_is(name, fg_openid2_attributes[i].sreg))
            return &fg_openid2_attributes[i];
    return NULL;
}

const fg_openid2_attribute_t *fg_openid2_attribute_find_ax(fg_str_t type) {
    static const char *const schemas[] = {"http://axschema.org/", "http://schema.openid.net/",
                                          "http://openid.net/schema/"};
    for (size_t s = 0; s < FG_ARRAY_SIZE(schemas); s++) {
        size_t head = strlen(schemas[s]);
        if (!fg_str_starts(type, schemas[s]))
            continue;
        for (size_t i = 0; i < fg_openid2_attribute_count; i++)
            if (fg_str_is((fg_str_t){type.p + head, type.n - head}, fg_openid2_attributes[i].ax))
                return &fg_openid2_attributes[i];
    }
    return NULL;
}

static size_t collect(const fg_claims_t *claims, fg_str_t type, fg_str_t *values, size_t room) {
    size_t count = 0;
    for (size_t i = 0; i < claims->count && count < room; i++) {
        fg_str_t value = claims->items[i].value;
        if (fg_str_eq(claims->items[i].type, type) && value.n > 0 && memchr(value.p, '\n', value.n) == NULL)
            values[count++] = value;
    }
    return count;
}

/* Given name and surname, else what the person is called here. */
static size_t full_name(fg_arena_t *arena, const fg_claims_t *claims, fg_str_t *values, size_t room) {
    fg_str_t given, surname;
    if (room > 0 && collect(claims, FG_STR(FG_CLAIM_GIVENNAME), &given, 1) == 1 &&
        collect(claims, FG_STR(FG_CLAIM_SURNAME), &surname, 1) == 1) {
        const fg_str_t parts[] = {given, FG_STR(" "), surname};
        values[0] = fg_arena_join(arena, parts, FG_ARRAY_SIZE(parts));
        return values[0].p != NULL ? 1 : 0;
    }
    return collect(claims, FG_STR(FG_CLAIM_NAME), values, room);
}

size_t fg_openid2_attribute_values(fg_arena_t *arena, const fg_openid2_attribute_t *attribute, fg_str_t type,
                                   const fg_claims_t *claims, fg_str_t *values, size_t room) {
    if (attribute == NULL)
        return collect(claims, type, values, room);
    size_t count = 0;
    for (size_t i = 0; i < FG_ARRAY_SIZE(attribute->types) && count == 0 && attribute->types[i] != NULL; i++)
        count = collect(claims, fg_str(attribute->types[i]), values, room);
    if (count == 0 && attribute->sreg != NULL && strcmp(attribute->sreg, "fullname") == 0)
        count = full_name(arena, claims, values, room);
    return count;
}
