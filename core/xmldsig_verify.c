/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Verifying the enveloped signature of an assertion or of metadata (XML Signature §3.2).  Three steps, each of which
 * can only refuse:
 *   1. the walk over ds:Signature, which admits one shape and nothing else;
 *   2. the digest over the element that will be read;
 *   3. the signature's value over SignedInfo's canonical form, with a key of ours. */
#include "core/xmldsig_parts.h"

#include <libxml/parser.h>

#include "core/algorithms.h"

#define ENVELOPED FG_NS_DS "enveloped-signature"
#define SIGNATURE_NODES_MAX 200u
#define KEYS_MAX 8u
#define ROOM_SIZE 8192u
#define LEVELS_MAX 8u

typedef struct enveloped {
    fg_dsig_walk_t walk;
    xmlNode *element;
    xmlNode *signature;
    const xmlAttr *id;
    fg_str_t id_value; /* borrowed from the document */
    fg_dsig_digest_t digest;
} enveloped_t;

/* ---- why it is refused: for the audit log alone, nothing is decided by it ---- */

/* The first element with something like an id of that value. */
static const xmlNode *find_element(const xmlDoc *doc, fg_str_t id) {
    for (const xmlNode *node = xmlDocGetRootElement(doc); node != NULL; node = fg_dsig_next_element(node))
        for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next)
            if (fg_dsig_looks_like_id(attribute) && fg_dsig_has_value(attribute, id))
                return node;
    return NULL;
}

/* Whether another element of the same name has a signature: it was moved aside for this one (XS-01). */
static bool is_signed_elsewhere(const xmlNode *element) {
    for (const xmlNode *node = xmlDocGetRootElement(element->doc); node != NULL; node = fg_dsig_next_element(node))
        if (node != element && xmlStrEqual(node->name, element->name) &&
            fg_xml_child(node, FG_NS_DS, "Signature", NULL) != NULL)
            return true;
    return false;
}

static fg_str_t without_space(fg_arena_t *arena, const xmlNode *node) {
    fg_str_t text = fg_xml_text(arena, node, NULL);
    char *copy = text.n > 0 ? fg_arena_strndup(arena, text.p, text.n) : NULL;
    size_t length = 0;
    for (size_t i = 0; copy != NULL && i < text.n; i++)
        if (strchr(" \t\r\n", text.p[i]) == NULL)
            copy[length++] = text.p[i];
    return (fg_str_t){copy, length};
}

/* The message names a certificate, and it is none of the trusted ones. */
static bool names_stranger(const enveloped_t *e, const fg_dsig_trust_t *trust) {
    const xmlNode *node = fg_xml_child(e->signature, FG_NS_DS, "KeyInfo", NULL);
    node = node ? fg_xml_child(node, FG_NS_DS, "X509Data", NULL) : NULL;
    node = node ? fg_xml_child(node, FG_NS_DS, "X509Certificate", NULL) : NULL;
    fg_str_t named = node ? without_space(e->walk.arena, node) : FG_STR_NONE;
    bool known = named.n == 0;
    for (size_t i = 0; i < trust->key_count && !known; i++) {
        fg_str_t own = fg_key_get_certificate_base64(trust->keys[i]);
        known = own.n == 0 || fg_str_eq(own, named); /* of a bare key nobody can tell */
    }
    return !known;
}

/* ---- the parts of a signature, from the inside out ---- */

/* Enveloped and exclusive C14N without comments, in this order, and nothing else (XP-06, XS-14, XS-15): without the
 * latter the default would be inclusive C14N. */
static bool read_transforms(enveloped_t *e, const xmlNode *transforms) {
    fg_dsig_walk_t *w = &e->walk;
    xmlNode *at = fg_xml_first_child(transforms);
    fg_str_t algorithm;
    if (!fg_dsig_check_attributes(w, transforms, "", ""))
        return false;
    xmlNode *transform = fg_dsig_take_method(w, &at, "Transform", &algorithm);
    if (transform == NULL)
        return false;
    if (!fg_str_is(algorithm, FG_DSIG_ENVELOPED))
        return FG_FAIL_FOR(w->err, FG_E_SIG_ALGORITHM, FG_R_SIGNATURE_FORBIDDEN_TRANSFORM, "transform %.*s",
                           FG_STR_ARG(algorithm));
    if (!fg_dsig_check_empty(w, transform))
        return false;
    transform = fg_dsig_take_method(w, &at, "Transform", &algorithm);
    if (transform == NULL)
        return false;
    if (!fg_str_is(algorithm, FG_NS_EXC_C14N))
        return FG_FAIL_FOR(w->err, FG_E_SIG_ALGORITHM, FG_R_SIGNATURE_FORBIDDEN_TRANSFORM, "transform %.*s",
                           FG_STR_ARG(algorithm));
    return fg_dsig_read_prefixes(w, transform, e->digest.prefixes) && fg_dsig_check_end(w, at);
}

/* What the reference leads to instead says what kind of mistake, or of attack, it is. */
static bool refuse_reference(const enveloped_t *e, fg_str_t uri) {
    fg_reason_t reason = FG_R_SIGNATURE_FORBIDDEN_REFERENCE;
    if (uri.n >= 2 && uri.p[0] == '#' && memchr(uri.p, '(', uri.n) == NULL)
        reason = find_element(e->element->doc, (fg_str_t){uri.p + 1, uri.n - 1}) != NULL ? FG_R_SIGNATURE_WRAPPED
                                                                                         : FG_R_SIGNATURE_NOT_COVERING;
    return FG_FAIL_FOR(e->walk.err, FG_E_SIG_STRUCTURE, reason,
                       "Reference to \"%.*s\" instead of the element with the signature", FG_STR_ARG(uri));
}

/* XS-12: only "#" and the id of the element that is meant.  XS-13: the only one. */
static bool read_reference(enveloped_t *e, xmlNode *at) {
    fg_dsig_walk_t *w = &e->walk;
    xmlNode *reference = fg_dsig_take(w, &at, "Reference");
    if (reference == NULL || !fg_dsig_check_attributes(w, reference, "URI", "Id") || !fg_dsig_check_end(w, at))
        return false;
    fg_str_t uri = fg_xml_attr(w->arena, reference, NULL, "URI");
    if (uri.n < 2 || uri.p[0] != '#' || !fg_str_eq((fg_str_t){uri.p + 1, uri.n - 1}, e->id_value))
        return refuse_reference(e, uri);
    xmlNode *part = fg_xml_first_child(reference);
    xmlNode *transforms = fg_dsig_take(w, &part, "Transforms");
    return transforms != NULL && read_transforms(e, transforms) && fg_dsig_read_digest(w, part, &e->digest);
}

/* What KeyInfo says is not used; but what asks for a fetch or offers several keys is refused (XS-21, XS-22). */
static bool check_key_info(fg_dsig_walk_t *w, const xmlNode *key_info) {
    static const struct {
        const char *ns, *name;
    } kinds[] = {
        {FG_NS_DS, "X509Data"}, {FG_NS_DS, "KeyValue"}, {FG_NS_DS, "KeyName"}, {FG_NS_WSSE, "SecurityTokenReference"}};
    unsigned known = 0, children = 0;
    for (const xmlNode *node = fg_xml_first_child(key_info); node != NULL; node = fg_xml_next(node))
        children++;
    for (size_t i = 0; i < FG_ARRAY_SIZE(kinds); i++) {
        unsigned count;
        (void)fg_xml_child(key_info, kinds[i].ns, kinds[i].name, &count);
        if (count > 1)
            return FG_DSIG_REFUSE(w, "KeyInfo with %u %s", count, kinds[i].name);
        known += count;
    }
    return known == children || FG_DSIG_REFUSE(w, "KeyInfo with something else than a certificate, key value or name");
}

static bool read_signature(enveloped_t *e) {
    fg_dsig_walk_t *w = &e->walk;
    unsigned budget = SIGNATURE_NODES_MAX;
    xmlNode *reference, *rest;
    if (!fg_dsig_check_nodes(w, e->signature, &budget) || !fg_dsig_read_frame(w, e->signature, &reference, &rest) ||
        !read_reference(e, reference))
        return false;
    if (fg_xml_is(rest, FG_NS_DS, "KeyInfo")) {
        if (!check_key_info(w, rest))
            return false;
        rest = fg_xml_next(rest);
    }
    return fg_dsig_check_end(w, rest);
}

/* ---- the element and its id ---- */

static bool find_signature(enveloped_t *e) {
    unsigned count;
    e->signature = fg_xml_child(e->element, FG_NS_DS, "Signature", &count);
    if (count == 0)
        return FG_FAIL_FOR(e->walk.err, FG_E_SIG_MISSING,
                           is_signed_elsewhere(e->element) ? FG_R_SIGNATURE_WRAPPED : FG_R_SIGNATURE_MISSING,
                           "%s has no signature", fg_dsig_name(e->element));
    return count == 1 || FG_FAIL_FOR(e->walk.err, FG_E_SIG_STRUCTURE, FG_R_STRUCTURE_AMBIGUOUS,
                                     "%u signatures in one %s", count, fg_dsig_name(e->element));
}

static bool find_id(enveloped_t *e, const char *name) {
    const xmlAttr *id = e->element->properties;
    while (id != NULL && (id->ns != NULL || strcmp((const char *)id->name, name) != 0))
        id = id->next;
    if (id == NULL || id->children == NULL || id->children->type != XML_TEXT_NODE || id->children->next != NULL)
        return FG_DSIG_REFUSE(&e->walk, "%s has no %s", fg_dsig_name(e->element), name);
    e->id = id;
    e->id_value = fg_str((const char *)id->children->content);
    return xmlValidateNCName(id->children->content, 0) == 0 ||
           FG_DSIG_REFUSE(&e->walk, "%s of %s is not a name", name, fg_dsig_name(e->element));
}

static bool check_id_is_unique(enveloped_t *e) {
    for (xmlNode *node = xmlDocGetRootElement(e->element->doc); node != NULL; node = fg_dsig_next_element(node))
        for (const xmlAttr *other = node->properties; other != NULL; other = other->next)
            if (other != e->id && fg_dsig_looks_like_id(other) && fg_dsig_has_value(other, e->id_value))
                return FG_FAIL_FOR(e->walk.err, FG_E_SIG_STRUCTURE, FG_R_STRUCTURE_AMBIGUOUS,
                                   "the id of %s occurs again in %s", fg_dsig_name(e->element), fg_dsig_name(node));
    return true;
}

/* ---- cryptography ---- */

static const fg_key_t *find_key(const fg_dsig_walk_t *w, fg_str_t signed_info, const fg_dsig_trust_t *trust,
                                unsigned *tried) {
    for (size_t i = 0; i < trust->key_count && *tried < KEYS_MAX; i++) {
        if (!fg_dsig_method_fits(w->method, trust->keys[i], w->signature_value.n))
            continue;
        ++*tried;
        if (fg_key_verify_hash(trust->keys[i], w->method->hash, signed_info, w->signature_value, NULL))
            return trust->keys[i];
    }
    return NULL;
}

/* Only keys of ours are tried: KeyInfo is not looked at (XS-20). */
static bool check_signature(enveloped_t *e, const fg_dsig_trust_t *trust, fg_dsig_verified_t *verified) {
    fg_dsig_walk_t *w = &e->walk;
    unsigned tried = 0;
    fg_buf_t signed_info = FG_BUF_INIT(FG_DSIG_CANONICAL_MAX);
    bool written = fg_xml_canonical_without(w->signed_info, NULL, w->prefixes, &signed_info, w->err);
    const fg_key_t *key = written ? find_key(w, fg_buf_str(&signed_info), trust, &tried) : NULL;
    fg_buf_free(&signed_info);
    if (!written)
        w->err->code = FG_E_SIG_STRUCTURE;
    if (!written)
        return false;
    if (key == NULL && tried == 0)
        return FG_FAIL(w->err, FG_E_SIG_KEY, "none of %zu trusted keys fits %s", trust->key_count, w->method->uri);
    if (key == NULL)
        return FG_FAIL_FOR(w->err, FG_E_SIG_INVALID,
                           names_stranger(e, trust) ? FG_R_SIGNATURE_WRONG_KEY : FG_R_SIGNATURE_VALUE_MISMATCH,
                           "signature of %s made by none of %zu trusted keys", fg_dsig_name(e->element),
                           trust->key_count);
    bool sha1 = w->method->hash == FG_HASH_SHA1 || e->digest.hash == FG_HASH_SHA1;
    *verified = (fg_dsig_verified_t){e->element, key, w->method->uri, sha1};
    return true;
}

bool fg_dsig_verify_enveloped(xmlNode *element, const char *id_attribute, const fg_dsig_trust_t *trust,
                              fg_dsig_verified_t *verified, fg_err_t *err) {
    max_align_t room[ROOM_SIZE / sizeof(max_align_t)]; /* enough for most signatures */
    fg_err_t local;
    local.code = FG_OK;
    enveloped_t e = {.element = element};
    e.walk.arena = fg_arena_new_in(room, sizeof room, 0);
    e.walk.err = err ? err : &local;
    e.walk.allow_sha1 = trust->allow_sha1;
    memset(verified, 0, sizeof *verified);
    bool good = find_signature(&e) && find_id(&e, id_attribute) && check_id_is_unique(&e) && read_signature(&e) &&
                fg_dsig_check_digest(&e.walk, element, e.signature, &e.digest, false) &&
                check_signature(&e, trust, verified);
    fg_arena_free(e.walk.arena);
    return good;
}

/* ---- in pieces ---- */

/* How much of the canonical form of the open containers stands before what is in them, and behind. */
typedef struct level {
    size_t before, behind;
} level_t;

struct fg_dsig_pieces {
    enveloped_t e;
    const fg_dsig_trust_t *trust;
    EVP_MD_CTX *digest;
    fg_buf_t around; /* the canonical form of the open containers alone */
    fg_buf_t room;
    level_t levels[LEVELS_MAX];
    unsigned depth;
    unsigned signatures;
};

static void release_pieces(void *object) {
    fg_dsig_pieces_t *p = object;
    EVP_MD_CTX_free(p->digest);
    fg_buf_free(&p->around);
    fg_buf_free(&p->room);
}

static const EVP_MD *digest_of(fg_hash_t hash) {
    const fg_algorithms_t *all = fg_algorithms_get();
    const EVP_MD *const mds[] = {[FG_HASH_SHA1] = all->sha1,
                                 [FG_HASH_SHA256] = all->sha256,
                                 [FG_HASH_SHA384] = all->sha384,
                                 [FG_HASH_SHA512] = all->sha512};
    return mds[hash];
}

fg_dsig_pieces_t *fg_dsig_pieces_begin(fg_arena_t *arena, xmlNode *root, const char *id_attribute,
                                       const fg_dsig_trust_t *trust, fg_err_t *err) {
    fg_dsig_pieces_t *p = fg_arena_alloc(arena, sizeof *p);
    if (p == NULL || !fg_arena_own(arena, release_pieces, p)) {
        FG_FAIL(err, FG_E_MEMORY, "verification");
        return NULL;
    }
    p->e = (enveloped_t){.walk = {.arena = arena, .err = err, .allow_sha1 = trust->allow_sha1}, .element = root};
    p->trust = trust;
    fg_buf_init(&p->around, FG_DSIG_CANONICAL_MAX);
    fg_buf_init(&p->room, FG_DSIG_CANONICAL_MAX);
    if (!find_signature(&p->e) || !find_id(&p->e, id_attribute) || !read_signature(&p->e))
        return NULL;
    p->digest = EVP_MD_CTX_new();
    if (p->digest != NULL && EVP_DigestInit_ex(p->digest, digest_of(p->e.digest.hash), NULL) == 1)
        return p;
    FG_FAIL(err, FG_E_MEMORY, "verification");
    return NULL;
}

/* XS-11: the id is the root's alone. */
static bool check_ids(const fg_dsig_pieces_t *p, const xmlNode *root, fg_err_t *err) {
    for (const xmlNode *node = root; node != NULL; node = fg_dsig_next_element(node))
        for (const xmlAttr *other = node->properties; other != NULL; other = other->next) {
            bool own = node == root && other->ns == NULL && xmlStrEqual(other->name, p->e.id->name);
            if (!own && fg_dsig_looks_like_id(other) && fg_dsig_has_value(other, p->e.id_value))
                return FG_FAIL_FOR(err, FG_E_SIG_STRUCTURE, FG_R_STRUCTURE_AMBIGUOUS, "the id of %s occurs again in %s",
                                   fg_dsig_name(root), fg_dsig_name(node));
        }
    return true;
}

static bool write_tree(fg_dsig_pieces_t *p, const xmlNode *root, const xmlNode *without, fg_buf_t *out, fg_err_t *err) {
    const fg_xml_c14n_t how = {.without = without, .prefixes = p->e.digest.prefixes};
    fg_buf_reset(out);
    if (!check_ids(p, root, err))
        return false;
    if (fg_xml_canonical_as(root, &how, out, err))
        return true;
    if (err != NULL)
        err->code = FG_E_SIG_STRUCTURE;
    return false;
}

static bool update(fg_dsig_pieces_t *p, const char *bytes, size_t length, fg_err_t *err) {
    return EVP_DigestUpdate(p->digest, bytes, length) == 1 || FG_FAIL(err, FG_E_INTERNAL, "digest");
}

/* "</name>" as the canonical form has it. */
static size_t end_tag_length(const xmlNode *node) {
    size_t prefix = node->ns != NULL && node->ns->prefix != NULL ? strlen((const char *)node->ns->prefix) + 1 : 0;
    return 3 + prefix + strlen((const char *)node->name);
}

bool fg_dsig_pieces_open(fg_dsig_pieces_t *p, const xmlNode *root, fg_err_t *err) {
    level_t before = p->depth > 0 ? p->levels[p->depth - 1] : (level_t){0, 0}, now = {0, 0};
    if (p->depth == LEVELS_MAX)
        return FG_FAIL(err, FG_E_XML_LIMIT, "too deep");
    if (!write_tree(p, root, NULL, &p->around, err))
        return false;
    for (const xmlNode *node = root; node != NULL; node = fg_xml_first_child(node))
        now.behind += end_tag_length(node);
    now.before = p->around.length - now.behind;
    p->levels[p->depth++] = now;
    return update(p, p->around.data + before.before, now.before - before.before, err);
}

/* The signature that verifies is not part of what it signs. */
static const xmlNode *own_signature(fg_dsig_pieces_t *p, const xmlNode *root) {
    const xmlNode *child = p->depth == 1 ? fg_xml_first_child(root) : NULL;
    if (!fg_xml_is(child, FG_NS_DS, "Signature"))
        return NULL;
    p->signatures++;
    return child;
}

bool fg_dsig_pieces_add(fg_dsig_pieces_t *p, const xmlNode *root, fg_err_t *err) {
    level_t level = p->levels[p->depth - 1];
    size_t around = level.before + level.behind;
    if (!write_tree(p, root, own_signature(p, root), &p->room, err))
        return false;
    const char *data = p->room.data, *end = data + p->room.length;
    if (p->room.length < around || memcmp(data, p->around.data, level.before) != 0 ||
        memcmp(end - level.behind, p->around.data + level.before, level.behind) != 0)
        return FG_FAIL(err, FG_E_SIG_STRUCTURE, "a piece is not in its place");
    return update(p, data + level.before, p->room.length - around, err);
}

void fg_dsig_pieces_close(fg_dsig_pieces_t *p) {
    level_t level = p->levels[--p->depth], outer = p->depth > 0 ? p->levels[p->depth - 1] : (level_t){0, 0};
    size_t tag = level.behind - outer.behind;
    EVP_DigestUpdate(p->digest, p->around.data + level.before, tag);
    /* what is around the container itself */
    memmove(p->around.data + outer.before, p->around.data + level.before + tag, outer.behind);
    p->around.length = outer.before + outer.behind;
}

bool fg_dsig_pieces_end(fg_dsig_pieces_t *p, fg_err_t *err) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    fg_dsig_verified_t verified;
    p->e.walk.err = err;
    if (p->depth != 0 || p->signatures != 1)
        return FG_FAIL(err, FG_E_SIG_STRUCTURE, "%u signatures, %u elements open", p->signatures, p->depth);
    if (EVP_DigestFinal_ex(p->digest, hash, &length) != 1 ||
        !fg_equal_secret((fg_str_t){(const char *)hash, length}, p->e.digest.value))
        return FG_FAIL_FOR(err, FG_E_SIG_INVALID, FG_R_SIGNATURE_DIGEST_MISMATCH,
                           "%s was changed after signing: digest differs", fg_dsig_name(p->e.element));
    return check_signature(&p->e, p->trust, &verified);
}
