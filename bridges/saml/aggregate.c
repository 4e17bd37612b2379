/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A federation's document may have 100 MB.  A tree of it would take a multiple; so it is cut into entities, each of
 * which makes a small tree, is canonicalised for the digest of the whole, listed, and forgotten.  What stays is the
 * list, with the place and the SHA-256 of each entity's bytes: the file on disk is not trusted a second time. */
#include "bridges/saml/aggregate.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridges/saml/aggregate_parts.h"
#include "core/time.h"
#include "core/xml_pieces.h"

#define ELEMENTS_MAX 20000000u
#define ENTITY_MAX (4u << 20)
#define ENTITIES_MAX 200000u
#define LIST_MAX (256u << 20)
#define CONTEXTS_MAX 4096u

/* of one entity, with the tags around it */
static const fg_xml_limits_t entity_limits = {
    .bytes = ENTITY_MAX, .depth = 64, .elements = 100000, .attributes = 64, .namespaces = 64};

/* The elements around an entity: tags before and behind. */
typedef struct context {
    fg_str_t before, behind;
    unsigned depth;
} context_t;

struct fg_saml_aggregate {
    atomic_uint references;
    fg_arena_t *arena; /* strings of the list */
    int file;
    fg_saml_listed_t *entities;
    size_t count, room;
    context_t *contexts;
    size_t context_count;
    int64_t valid_until_ms;
    int64_t cache_duration_ms;
};

typedef struct lister {
    fg_saml_aggregate_t *to;
    const fg_env_t *env;
    const fg_dsig_trust_t *trust; /* NULL: nobody needs to have signed it */
    fg_err_t *err;
    fg_str_t document;
    fg_xml_pieces_t pieces;
    fg_arena_t *arena; /* of the whole run: the signature */
    fg_dsig_pieces_t *signature;
    fg_buf_t room; /* a piece with the tags around it */
    bool began;    /* something stood in the root already */
    struct {
        int64_t valid_until_ms;
        uint32_t context;
    } levels[FG_XML_PIECES_DEPTH];
} lister_t;

/* ---- lifetime */

fg_saml_aggregate_t *fg_saml_aggregate_ref(fg_saml_aggregate_t *aggregate) {
    atomic_fetch_add(&aggregate->references, 1);
    return aggregate;
}

void fg_saml_aggregate_unref(fg_saml_aggregate_t *aggregate) {
    if (aggregate == NULL || atomic_fetch_sub(&aggregate->references, 1) > 1)
        return;
    if (aggregate->file >= 0)
        close(aggregate->file);
    fg_arena_free(aggregate->arena);
    free(aggregate->entities);
    free(aggregate->contexts);
    free(aggregate);
}

static fg_saml_aggregate_t *make(fg_err_t *err) {
    fg_saml_aggregate_t *aggregate = calloc(1, sizeof *aggregate);
    if (aggregate != NULL) {
        atomic_init(&aggregate->references, 1);
        aggregate->file = -1;
        aggregate->arena = fg_arena_new(LIST_MAX);
        aggregate->contexts = calloc(CONTEXTS_MAX, sizeof *aggregate->contexts);
    }
    if (aggregate != NULL && aggregate->arena != NULL && aggregate->contexts != NULL)
        return aggregate;
    fg_saml_aggregate_unref(aggregate);
    FG_FAIL(err, FG_E_MEMORY, "metadata");
    return NULL;
}

/* ---- trees */

static xmlNode *innermost(xmlNode *root, unsigned depth) {
    for (; root != NULL && depth > 1; depth--)
        root = fg_xml_first_child(root);
    return root;
}

/* The tree of a piece (.n 0: of nothing) in the tags around it. */
static xmlNode *parse_piece(lister_t *l, fg_arena_t *arena, fg_str_t piece) {
    fg_buf_reset(&l->room);
    fg_xml_pieces_wrap(&l->pieces, piece, &l->room);
    if (!fg_buf_ok(&l->room)) {
        FG_FAIL(l->err, FG_E_XML_LIMIT, "an entity of over %u bytes", ENTITY_MAX);
        return NULL;
    }
    xmlDoc *doc = fg_xml_parse(arena, fg_buf_str(&l->room), &entity_limits, l->err);
    return doc ? xmlDocGetRootElement(doc) : NULL;
}

/* ---- containers */

static bool put_context(lister_t *l, uint32_t *number) {
    fg_saml_aggregate_t *to = l->to;
    if (to->context_count == CONTEXTS_MAX)
        return FG_FAIL(l->err, FG_E_XML_LIMIT, "more than %u EntitiesDescriptor", CONTEXTS_MAX);
    fg_buf_t text = FG_BUF_INIT(ENTITY_MAX);
    size_t before = 0;
    for (unsigned i = 0; i < l->pieces.depth; i++)
        before += l->pieces.open[i].tag.n;
    fg_xml_pieces_wrap(&l->pieces, FG_STR_NONE, &text);
    fg_str_t all = fg_buf_ok(&text) ? fg_arena_str(to->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    if (all.p == NULL)
        return FG_FAIL(l->err, FG_E_MEMORY, "metadata");
    to->contexts[to->context_count] = (context_t){{all.p, before}, {all.p + before, all.n - before}, l->pieces.depth};
    *number = (uint32_t)to->context_count++;
    return true;
}

static bool check_containers(const lister_t *l, const xmlNode *root) {
    const xmlNode *node = root;
    for (unsigned i = 0; i < l->pieces.depth; i++, node = fg_xml_first_child(node))
        if (!fg_xml_is(node, FG_NS_MD, "EntitiesDescriptor"))
            return FG_FAIL(l->err, FG_E_XML_STRUCTURE, "an EntitiesDescriptor of another namespace");
    return true;
}

/* An expired container is refused with the whole document. */
static bool open_container(lister_t *l) {
    unsigned depth = l->pieces.depth;
    fg_arena_t *arena = fg_arena_new(0);
    xmlNode *root = arena ? parse_piece(l, arena, FG_STR_NONE) : NULL;
    fg_entity_reader_t in = {l->env, arena, l->err, depth > 1 ? l->levels[depth - 2].valid_until_ms : 0};
    bool good = root != NULL && check_containers(l, root);
    const xmlNode *own = good ? innermost(root, depth) : NULL;
    good = good && fg_entity_check_validity(&in, own) && put_context(l, &l->levels[depth - 1].context) &&
           (l->signature == NULL || fg_dsig_pieces_open(l->signature, root, l->err));
    if (good && depth == 1) {
        l->to->valid_until_ms = in.valid_until_ms;
        l->to->cache_duration_ms = fg_saml_cache_duration(fg_xml_attr(arena, own, NULL, "cacheDuration"));
    }
    l->levels[depth - 1].valid_until_ms = in.valid_until_ms;
    fg_arena_free(arena);
    return good;
}

/* ---- entities */

static fg_saml_listed_t *add_entity(lister_t *l) {
    fg_saml_aggregate_t *to = l->to;
    if (to->count == ENTITIES_MAX) {
        FG_FAIL(l->err, FG_E_XML_LIMIT, "more than %u entities", ENTITIES_MAX);
        return NULL;
    }
    if (to->count == to->room) {
        size_t room = to->room ? 2 * to->room : 64;
        fg_saml_listed_t *items = realloc(to->entities, room * sizeof *items);
        if (items == NULL) {
            FG_FAIL(l->err, FG_E_MEMORY, "metadata");
            return NULL;
        }
        to->entities = items;
        to->room = room;
    }
    fg_saml_listed_t *listed = &to->entities[to->count];
    *listed = (fg_saml_listed_t){.offset = 0};
    return listed;
}

static bool list_entity(lister_t *l, fg_arena_t *arena, const xmlNode *node, fg_str_t bytes, int64_t valid_until_ms,
                        uint32_t context) {
    fg_saml_listed_t *listed = add_entity(l);
    if (listed == NULL)
        return false;
    fg_entity_reader_t in = {l->env, arena, l->err, valid_until_ms};
    bool leave_out = false;
    if (!fg_saml_list_entity(&in, l->to->arena, node, listed, &leave_out))
        return false;
    listed->valid_until_ms = in.valid_until_ms;
    listed->offset = (uint64_t)(bytes.p - l->document.p);
    listed->length = (uint32_t)bytes.n;
    listed->context = context;
    fg_sha256(bytes.p, bytes.n, listed->digest);
    l->to->count += leave_out ? 0 : 1;
    return true;
}

/* With a certificate, the first element in the root is the signature (metadata §2.3.1), and it is checked to the end
 * with all that follows. */
static bool begin_signature(lister_t *l, xmlNode *root) {
    if (l->began || l->trust == NULL)
        return true;
    l->began = true;
    if (!fg_xml_is(fg_xml_first_child(root), FG_NS_DS, "Signature"))
        return FG_FAIL(l->err, FG_E_SIG_MISSING, "metadata without a signature");
    l->signature = fg_dsig_pieces_begin(l->arena, root, "ID", l->trust, l->err);
    xmlNode *around = l->signature ? parse_piece(l, l->arena, FG_STR_NONE) : NULL;
    return around != NULL && fg_dsig_pieces_open(l->signature, around, l->err);
}

static bool list_piece(lister_t *l) {
    fg_str_t bytes = l->pieces.bytes;
    size_t element = l->pieces.element;
    unsigned depth = l->pieces.depth;
    bool only_text = element == bytes.n;
    if (only_text && (l->trust == NULL || !l->began))
        return true; /* before a container; a root that begins so has no signature where it should be */
    fg_arena_t *own = fg_arena_new(0), *arena = l->began || l->trust == NULL ? own : l->arena;
    xmlNode *root = own ? parse_piece(l, arena, bytes) : NULL;
    bool good = root != NULL && begin_signature(l, root);
    /* begin_signature has used the room */
    good = good && (l->signature == NULL || fg_dsig_pieces_add(l->signature, root, l->err));
    xmlNode *container = good ? innermost(root, depth) : NULL;
    const xmlNode *node = container ? fg_xml_first_child(container) : NULL;
    if (good && fg_xml_is(node, FG_NS_MD, "EntityDescriptor"))
        good = list_entity(l, own, node, (fg_str_t){bytes.p + element, bytes.n - element},
                           l->levels[depth - 1].valid_until_ms, l->levels[depth - 1].context);
    fg_arena_free(own);
    return good;
}

static bool list_cuts(lister_t *l) {
    fg_xml_cut_t cut = FG_XML_CUT_OPEN;
    fg_xml_pieces_begin(&l->pieces, l->document, "EntitiesDescriptor");
    while (cut != FG_XML_CUT_END) {
        if (!fg_xml_pieces_next(&l->pieces, &cut, l->err))
            return false;
        if (cut == FG_XML_CUT_OPEN && l->trust != NULL && !l->began && l->pieces.depth > 1)
            return FG_FAIL(l->err, FG_E_SIG_MISSING, "metadata without a signature");
        if ((cut == FG_XML_CUT_OPEN && !open_container(l)) || (cut == FG_XML_CUT_PIECE && !list_piece(l)))
            return false;
        if (cut == FG_XML_CUT_CLOSE && l->signature != NULL)
            fg_dsig_pieces_close(l->signature);
    }
    if (l->trust == NULL)
        return true;
    return l->signature != NULL ? fg_dsig_pieces_end(l->signature, l->err)
                                : FG_FAIL(l->err, FG_E_SIG_MISSING, "metadata without a signature");
}

/* ---- one entity alone */

static bool list_single(lister_t *l) {
    xmlDoc *doc = fg_xml_parse(l->arena, l->document, &entity_limits, l->err);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    fg_dsig_verified_t verified = {.element = root};
    if (root == NULL)
        return false;
    if (!fg_xml_is(root, FG_NS_MD, "EntityDescriptor"))
        return FG_FAIL(l->err, FG_E_XML_STRUCTURE, "neither EntityDescriptor nor EntitiesDescriptor");
    if (l->trust != NULL && !fg_dsig_verify_enveloped(root, "ID", l->trust, &verified, l->err))
        return false;
    fg_entity_reader_t in = {l->env, l->arena, l->err, 0};
    if (!fg_entity_check_validity(&in, root))
        return false;
    l->to->contexts[0] = (context_t){FG_STR_NONE, FG_STR_NONE, 0};
    l->to->context_count = 1;
    l->to->valid_until_ms = in.valid_until_ms;
    l->to->cache_duration_ms = fg_saml_cache_duration(fg_xml_attr(l->arena, root, NULL, "cacheDuration"));
    return list_entity(l, l->arena, root, l->document, 0, 0);
}

/* ---- the file */

static char *read_file(int file, size_t size_max, size_t *size, fg_err_t *err) {
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        FG_FAIL(err, FG_E_CONFIG, "no file");
        return NULL;
    }
    *size = (size_t)status.st_size;
    if (*size > size_max) {
        FG_FAIL(err, FG_E_XML_LIMIT, "%zu bytes, %zu allowed", *size, size_max);
        return NULL;
    }
    char *bytes = malloc(*size + 1);
    size_t at = 0;
    while (bytes != NULL && at < *size) {
        ssize_t got = pread(file, bytes + at, *size - at, (off_t)at);
        if (got <= 0 && errno != EINTR)
            break;
        at += got > 0 ? (size_t)got : 0;
    }
    if (bytes != NULL && at == *size)
        return bytes;
    free(bytes);
    FG_FAIL(err, bytes ? FG_E_CONFIG : FG_E_MEMORY, "it cannot be read to its end");
    return NULL;
}

static int compare(const void *a, const void *b) {
    const fg_saml_listed_t *left = a, *right = b;
    if (left->entity_id.n != right->entity_id.n)
        return left->entity_id.n < right->entity_id.n ? -1 : 1;
    return left->entity_id.n == 0 ? 0 : memcmp(left->entity_id.p, right->entity_id.p, left->entity_id.n);
}

/* SA-18: which of two would be meant nobody knows. */
static bool sort(fg_saml_aggregate_t *to, fg_err_t *err) {
    if (to->count > 0)
        qsort(to->entities, to->count, sizeof *to->entities, compare);
    for (size_t i = 1; i < to->count; i++)
        if (compare(&to->entities[i - 1], &to->entities[i]) == 0)
            return FG_FAIL(err, FG_E_XML_STRUCTURE, "entityID \"%.*s\" occurs twice",
                           FG_STR_ARG(to->entities[i].entity_id));
    return true;
}

static bool list_document(fg_saml_aggregate_t *to, const fg_env_t *env, fg_str_t document, const fg_dsig_trust_t *trust,
                          fg_err_t *err) {
    const fg_xml_limits_t limits = {
        .bytes = document.n, .depth = 64, .elements = ELEMENTS_MAX, .attributes = 64, .namespaces = 64};
    lister_t l = {.to = to, .env = env, .trust = trust, .err = err, .document = document};
    l.room = (fg_buf_t)FG_BUF_INIT(ENTITY_MAX);
    l.arena = fg_arena_new(0);
    bool single = fg_str_is(fg_xml_pieces_root(document), "EntityDescriptor");
    bool good = l.arena != NULL ? fg_xml_scan(document, &limits, err) : FG_FAIL(err, FG_E_MEMORY, "metadata");
    good = good && (single ? list_single(&l) : list_cuts(&l));
    fg_buf_free(&l.room);
    fg_arena_free(l.arena);
    return good && sort(to, err);
}

fg_saml_aggregate_t *fg_saml_aggregate_load(const fg_env_t *env, const char *path, size_t size_max,
                                            const fg_dsig_trust_t *trust, fg_err_t *err) {
    fg_err_t local = FG_ERR_INIT;
    fg_saml_aggregate_t *to = make(err ? err : &local);
    if (to == NULL)
        return NULL;
    err = err ? err : &local;
    size_t size = 0;
    to->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (to->file < 0)
        FG_FAIL(err, FG_E_CONFIG, "%s: %s", path, strerror(errno));
    char *bytes = to->file >= 0 ? read_file(to->file, size_max, &size, err) : NULL;
    bool good = bytes != NULL && list_document(to, env, (fg_str_t){bytes, size}, trust, err);
    free(bytes);
    if (good)
        return to;
    fg_saml_aggregate_unref(to);
    return NULL;
}

/* ---- looking */

const fg_saml_listed_t *fg_saml_aggregate_entities(const fg_saml_aggregate_t *aggregate, size_t *count) {
    *count = aggregate->count;
    return aggregate->entities;
}

const fg_saml_listed_t *fg_saml_aggregate_find(const fg_saml_aggregate_t *aggregate, fg_str_t entity_id) {
    const fg_saml_listed_t wanted = {.entity_id = entity_id};
    if (aggregate->count == 0 || entity_id.n == 0)
        return NULL;
    return bsearch(&wanted, aggregate->entities, aggregate->count, sizeof wanted, compare);
}

int64_t fg_saml_aggregate_valid_until(const fg_saml_aggregate_t *aggregate) { return aggregate->valid_until_ms; }

int64_t fg_saml_aggregate_cache_duration(const fg_saml_aggregate_t *aggregate) { return aggregate->cache_duration_ms; }

static bool read_entity(const fg_saml_aggregate_t *aggregate, const fg_saml_listed_t *listed, fg_buf_t *out) {
    unsigned char digest[FG_SHA256_SIZE];
    const context_t *context = &aggregate->contexts[listed->context];
    fg_buf_put_str(out, context->before);
    char *bytes = fg_buf_reserve(out, listed->length);
    if (bytes == NULL ||
        pread(aggregate->file, bytes, listed->length, (off_t)listed->offset) != (ssize_t)listed->length)
        return false;
    fg_sha256(bytes, listed->length, digest);
    fg_buf_put_str(out, context->behind);
    return fg_buf_ok(out) && memcmp(digest, listed->digest, sizeof digest) == 0;
}

const xmlNode *fg_saml_aggregate_open(const fg_saml_aggregate_t *aggregate, const fg_saml_listed_t *listed,
                                      fg_entity_reader_t *in) {
    fg_buf_t text = FG_BUF_INIT(2 * ENTITY_MAX);
    xmlDoc *doc = NULL;
    in->valid_until_ms = listed->valid_until_ms;
    if (listed->valid_until_ms != 0 && fg_now(in->env) >= listed->valid_until_ms)
        FG_FAIL(in->err, FG_E_TOKEN_EXPIRED, "its metadata has expired");
    else if (!read_entity(aggregate, listed, &text))
        FG_FAIL(in->err, FG_E_CONFIG, "the file with its metadata is another one by now");
    else
        doc = fg_xml_parse(in->arena, fg_buf_str(&text), &entity_limits, in->err);
    fg_buf_free(&text);
    unsigned depth = aggregate->contexts[listed->context].depth;
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    return root && depth > 0 ? fg_xml_first_child(innermost(root, depth)) : root;
}
