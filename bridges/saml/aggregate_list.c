/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is listed of an entity, and how people find it. */
#include "bridges/saml/aggregate_parts.h"
#include "core/time.h"
#include "core/uri.h"

#define WORDS_MAX (8u << 10)
#define HIDDEN "http://refeds.org/category/hide-from-discovery"

/* ---- lower case */

/* Two bytes of UTF-8, as far as their upper case letters are a fixed distance from the lower case ones. */
static unsigned fold_code(unsigned code) {
    if ((code >= 0xc0 && code <= 0xde && code != 0xd7) || (code >= 0x391 && code <= 0x3a9) ||
        (code >= 0x410 && code <= 0x42f))
        return code + 0x20;
    if (code >= 0x400 && code <= 0x40f)
        return code + 0x50;
    bool is_pair = (code >= 0x100 && code <= 0x137) || (code >= 0x14a && code <= 0x177);
    return is_pair ? code | 1 : code;
}

void fg_saml_fold(fg_buf_t *out, fg_str_t text) {
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0xc3 && c <= 0xd1 && i + 1 < text.n) {
            unsigned code = fold_code((c & 0x1fu) << 6 | ((unsigned char)text.p[++i] & 0x3fu));
            fg_buf_putc(out, (char)(0xc0 | code >> 6));
            fg_buf_putc(out, (char)(0x80 | (code & 0x3f)));
        } else {
            fg_buf_putc(out, (char)(c >= 'A' && c <= 'Z' ? c + 32 : c));
        }
    }
}

/* ---- durations: XML Schema part 2 §3.2.6 */

int64_t fg_saml_cache_duration(fg_str_t text) {
    static const struct {
        char letter;
        bool time;
        int64_t ms;
    } units[] = {{'Y', false, 365 * FG_DAY}, {'M', false, 30 * FG_DAY}, {'D', false, FG_DAY},
                 {'H', true, FG_HOUR},       {'M', true, FG_MINUTE},    {'S', true, FG_SECOND}};
    int64_t total = 0, number = 0;
    bool time = false, fraction = false;
    text = fg_str_trim(text);
    if (text.n < 3 || text.n > 40 || text.p[0] != 'P')
        return 0;
    for (size_t i = 1; i < text.n; i++) {
        char c = text.p[i];
        size_t unit = 0;
        while (unit < FG_ARRAY_SIZE(units) && (units[unit].letter != c || units[unit].time != time))
            unit++;
        if (c >= '0' && c <= '9' && number < 100000000) {
            number = fraction ? number : number * 10 + (c - '0');
        } else if (c == '.' || (c == 'T' && !time)) {
            fraction = c == '.';
            time = time || c == 'T';
        } else if (unit < FG_ARRAY_SIZE(units)) {
            total += number * units[unit].ms;
            number = 0;
            fraction = false;
        } else {
            return 0;
        }
        if (total > 3650 * FG_DAY)
            return 3650 * FG_DAY;
    }
    return total;
}

/* ---- what is refused */

static const xmlNode *next_element(const xmlNode *node, const xmlNode *top) {
    const xmlNode *child = fg_xml_first_child(node);
    while (child == NULL && node != top) {
        child = fg_xml_next(node);
        node = node->parent;
    }
    return child;
}

/* SA-18: what browsers and programs are sent to is a web address, and javascript: is none.  An entity whose address is
 * odd otherwise is refused when it is used. */
static bool check_locations(const fg_entity_reader_t *in, const xmlNode *entity) {
    static const char *const names[] = {"Location", "ResponseLocation"};
    for (const xmlNode *node = entity; node != NULL; node = next_element(node, entity))
        for (size_t i = 0; i < FG_ARRAY_SIZE(names) && node->properties != NULL; i++) {
            fg_str_t location = fg_str_trim(fg_xml_attr(in->arena, node, NULL, names[i]));
            if (location.p != NULL && !fg_str_starts(location, "https://") && !fg_str_starts(location, "http://"))
                return FG_FAIL(in->err, FG_E_XML_STRUCTURE, "%s \"%.*s\" is no web address", names[i],
                               FG_STR_ARG(location));
        }
    return true;
}

/* ---- what it is found by */

typedef struct found_by {
    fg_entity_reader_t *in;
    fg_buf_t names, words, domains;
} found_by_t;

static void put_word(found_by_t *f, fg_str_t word) {
    fg_saml_fold(&f->words, word);
    fg_buf_putc(&f->words, ' ');
}

static void put_name(found_by_t *f, const xmlNode *node) {
    fg_str_t language = fg_xml_attr(f->in->arena, node, (const char *)XML_XML_NAMESPACE, "lang");
    fg_str_t name = fg_xml_token(f->in->arena, node, NULL);
    if (name.n == 0)
        return;
    fg_buf_put_str(&f->names, language);
    fg_buf_putc(&f->names, '\0');
    fg_buf_put_str(&f->names, name);
    fg_buf_putc(&f->names, '\0');
}

static void put_keywords(found_by_t *f, const xmlNode *node) {
    fg_str_t text = fg_xml_token(f->in->arena, node, NULL);
    for (size_t i = 0; i < text.n; i++)
        ((char *)(uintptr_t)text.p)[i] = text.p[i] == '+' ? ' ' : text.p[i]; /* our own copy */
    put_word(f, text);
}

static void put_domain(found_by_t *f, const xmlNode *node) {
    fg_str_t pattern = fg_xml_attr(f->in->arena, node, NULL, "regexp");
    fg_str_t domain = fg_xml_token(f->in->arena, node, NULL);
    if (domain.n == 0 || fg_str_is(pattern, "true") || fg_str_is(pattern, "1"))
        return;
    fg_saml_fold(&f->domains, domain);
    fg_buf_putc(&f->domains, '\0');
    put_word(f, domain);
}

static const struct {
    const char *ns, *name;
    void (*put)(found_by_t *f, const xmlNode *node);
} found_by[] = {
    {FG_NS_MDUI, "DisplayName", put_name},
    {FG_NS_MDUI, "Keywords", put_keywords},
    {FG_NS_MDUI, "DomainHint", put_domain},
    {FG_NS_SHIBMD, "Scope", put_domain},
};

static void put_all(found_by_t *f, const xmlNode *extensions) {
    for (const xmlNode *node = extensions; node != NULL; node = next_element(node, extensions))
        for (size_t i = 0; i < FG_ARRAY_SIZE(found_by); i++)
            if (fg_xml_is(node, found_by[i].ns, found_by[i].name))
                found_by[i].put(f, node);
}

static bool keep(fg_arena_t *list, const fg_buf_t *text, fg_str_t *out) {
    *out = fg_buf_ok(text) ? fg_arena_str(list, fg_buf_str(text)) : FG_STR("");
    return out->p != NULL;
}

static bool list_provider(fg_entity_reader_t *in, fg_arena_t *list, const xmlNode *entity, const xmlNode *role,
                          fg_saml_listed_t *listed) {
    found_by_t f = {in, FG_BUF_INIT(WORDS_MAX), FG_BUF_INIT(WORDS_MAX), FG_BUF_INIT(WORDS_MAX)};
    fg_buf_t words = FG_BUF_INIT(4 * WORDS_MAX);
    const xmlNode *holders[] = {fg_xml_child(role, FG_NS_MD, "Extensions", NULL),
                                fg_xml_child(entity, FG_NS_MD, "Extensions", NULL)};
    for (size_t i = 0; i < FG_ARRAY_SIZE(holders); i++)
        if (holders[i] != NULL)
            put_all(&f, holders[i]);
    bool good = keep(list, &f.names, &listed->names) && keep(list, &f.domains, &listed->domains);
    /* that for sorting first */
    fg_saml_fold(&words, fg_saml_listed_name(listed, FG_STR("en")));
    for (size_t at = 0; at < listed->names.n;) {
        const char *language = listed->names.p + at, *name = language + strlen(language) + 1;
        fg_buf_putc(&words, ' ');
        fg_saml_fold(&words, fg_str(name));
        at = (size_t)(name - listed->names.p) + strlen(name) + 1;
    }
    fg_buf_putc(&words, ' ');
    if (fg_buf_ok(&f.words))
        fg_buf_put_str(&words, fg_buf_str(&f.words));
    fg_saml_fold(&words, listed->entity_id);
    good = good && keep(list, &words, &listed->words);
    fg_buf_free(&f.names);
    fg_buf_free(&f.words);
    fg_buf_free(&f.domains);
    fg_buf_free(&words);
    return good || FG_FAIL(in->err, FG_E_MEMORY, "metadata");
}

static bool is_hidden(fg_entity_reader_t *in, const xmlNode *entity) {
    const xmlNode *extensions = fg_xml_child(entity, FG_NS_MD, "Extensions", NULL);
    for (const xmlNode *node = extensions; node != NULL; node = next_element(node, extensions))
        if (fg_xml_is(node, FG_NS_SAML2, "AttributeValue") && fg_str_is(fg_xml_token(in->arena, node, NULL), HIDDEN))
            return true;
    return false;
}

/* ---- an entity */

static bool list_role(fg_entity_reader_t *in, fg_arena_t *list, const xmlNode *entity, const xmlNode *node,
                      fg_saml_listed_t *listed) {
    static const char *const names[] = {
        [FG_SAML_SERVICE_PROVIDER] = "SPSSODescriptor", [FG_SAML_IDENTITY_PROVIDER] = "IDPSSODescriptor"};
    fg_str_t protocols = fg_xml_attr(in->arena, node, NULL, "protocolSupportEnumeration");
    if (protocols.n == 0 || memmem(protocols.p, protocols.n, FG_NS_SAML2P, sizeof FG_NS_SAML2P - 1) == NULL)
        return true;
    for (size_t role = 0; role < FG_ARRAY_SIZE(names); role++) {
        if (!fg_xml_is(node, FG_NS_MD, names[role]))
            continue;
        listed->roles |= 1u << role;
        if (role == FG_SAML_IDENTITY_PROVIDER && !list_provider(in, list, entity, node, listed))
            return false;
    }
    return true;
}

bool fg_saml_list_entity(fg_entity_reader_t *in, fg_arena_t *list, const xmlNode *entity, fg_saml_listed_t *listed,
                         bool *leave_out) {
    fg_err_t why = FG_ERR_INIT;
    fg_entity_reader_t own = {in->env, in->arena, &why, in->valid_until_ms};
    fg_str_t id = fg_xml_attr(in->arena, entity, NULL, "entityID");
    if (id.n == 0 || id.n > 1024)
        return FG_FAIL(in->err, FG_E_XML_STRUCTURE, "entityID of %zu bytes", id.n);
    *leave_out = !fg_entity_check_validity(&own, entity);
    in->valid_until_ms = own.valid_until_ms;
    listed->entity_id = fg_arena_str(list, id);
    if (listed->entity_id.p == NULL)
        return FG_FAIL(in->err, FG_E_MEMORY, "metadata");
    if (!check_locations(in, entity))
        return fg_err_prefix(in->err, "%.*s", FG_STR_ARG(id));
    listed->is_hidden = is_hidden(in, entity);
    for (const xmlNode *node = fg_xml_first_child(entity); node != NULL; node = fg_xml_next(node))
        if (!list_role(in, list, entity, node, listed))
            return false;
    return true;
}

/* ---- looking */

fg_str_t fg_saml_listed_name(const fg_saml_listed_t *listed, fg_str_t language) {
    fg_str_t english = FG_STR_NONE, any = FG_STR_NONE;
    for (size_t at = 0; at < listed->names.n;) {
        fg_str_t own = fg_str(listed->names.p + at), name = fg_str(own.p + own.n + 1);
        if (language.n > 0 && fg_str_eq_nocase(own, language))
            return name;
        english = english.n == 0 && fg_str_is(own, "en") ? name : english;
        any = any.n == 0 ? name : any;
        at += own.n + name.n + 2;
    }
    return english.n > 0 ? english : any.n > 0 ? any : listed->entity_id;
}

bool fg_saml_listed_has(const fg_saml_listed_t *listed, fg_str_t folded) {
    while (folded.n > 0) {
        const char *space = memchr(folded.p, ' ', folded.n);
        size_t length = space ? (size_t)(space - folded.p) : folded.n;
        if (length > 0 && memmem(listed->words.p, listed->words.n, folded.p, length) == NULL)
            return false;
        length += space ? 1 : 0;
        folded = (fg_str_t){folded.p + length, folded.n - length};
    }
    return true;
}

bool fg_saml_listed_is_for(const fg_saml_listed_t *listed, fg_str_t domain) {
    for (size_t at = 0; at < listed->domains.n;) {
        fg_str_t own = fg_str(listed->domains.p + at);
        if (fg_str_eq(own, domain))
            return true;
        at += own.n + 1;
    }
    return false;
}
