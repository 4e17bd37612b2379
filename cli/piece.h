/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an input is, and what is inside it: a tree of pieces.  One table (recognise.c, recognise_xml.c,
 * recognise_json.c) says how each kind is recognised, and each kind unwraps what it holds, within limits of depth,
 * number and size. */
#ifndef FG_CLI_PIECE_H
#define FG_CLI_PIECE_H

#include <jansson.h>

#include "core/arena.h"
#include "core/uri.h"
#include "core/xml.h"
#include "token/claims.h"
#include "token/decrypt.h"

#define FG_PIECES_MAX 400u       /* in one input */
#define FG_PIECES_DEPTH 16u      /* inside one another */
#define FG_INPUT_MAX (16u << 20) /* bytes that are read into memory */

typedef enum fg_piece_kind {
    FG_PIECE_UNKNOWN,
    /* wrappings */
    FG_PIECE_BASE64,
    FG_PIECE_DEFLATE,
    FG_PIECE_PERCENT,
    FG_PIECE_URL,
    FG_PIECE_FORM,
    FG_PIECE_HTML,
    FG_PIECE_HTTP,
    FG_PIECE_HAR,
    /* XML */
    FG_PIECE_XML, /* of no kind that is known */
    FG_PIECE_SOAP,
    FG_PIECE_FAULT,
    FG_PIECE_SECURITY,
    FG_PIECE_TIMESTAMP,
    FG_PIECE_USERNAME,
    FG_PIECE_BINARY,
    FG_PIECE_RST,
    FG_PIECE_RSTR,
    FG_PIECE_RSTRC,
    FG_PIECE_SAML11,
    FG_PIECE_SAML20,
    FG_PIECE_ENCRYPTED,
    FG_PIECE_RESPONSE,
    FG_PIECE_MESSAGE, /* another of SAML 2.0's protocol */
    FG_PIECE_ENTITY,
    FG_PIECE_ENTITIES,
    FG_PIECE_MEX,
    FG_PIECE_WSDL,
    /* JSON and the like */
    FG_PIECE_JSON,
    FG_PIECE_JWT,
    FG_PIECE_JWE,
    FG_PIECE_JWKS,
    FG_PIECE_DISCOVERY,
    FG_PIECE_TOKEN_RESPONSE,
    FG_PIECE_OPENID2,
    FG_PIECE_CERTIFICATE,
} fg_piece_kind_t;

typedef struct fg_piece fg_piece_t;
struct fg_piece {
    fg_piece_kind_t kind;
    const char *how; /* how one comes to it from the one around: "parameter wresult"; NULL: it is the input */
    fg_str_t bytes;  /* .p NULL: an element of the document around it */
    xmlNode *xml;
    json_t *json;       /* lives as long as the arena; of a JWT the payload */
    json_t *header;     /* of a JWT or JWE */
    fg_params_t params; /* of an address or a form */
    fg_err_t err;       /* why something that looks like it is not; FG_OK: nothing is wrong */
    unsigned depth;
    fg_piece_t *parent, *first, *last, *next;
};

typedef struct fg_unwrap {
    fg_arena_t *arena;
    const fg_xml_limits_t *limits;
    const fg_decryption_t *decryption; /* NULL: what is encrypted stays */
    unsigned count;
    bool full; /* a limit was met: there is more inside */
} fg_unwrap_t;

/* The tree of an input (borrowed, must live as long); NULL: memory. */
fg_piece_t *fg_piece_read(fg_unwrap_t *unwrap, fg_str_t input) FG_MUST_CHECK;
/* Recognises bytes inside a piece and what is in them; a piece of kind UNKNOWN is not kept unless keep. */
fg_piece_t *fg_piece_add(fg_unwrap_t *unwrap, fg_piece_t *parent, const char *how, fg_str_t bytes, bool keep);
/* The next in document order; NULL: that was the last. */
fg_piece_t *fg_piece_next(const fg_piece_t *piece);
const char *fg_piece_word(fg_piece_kind_t kind);  /* "saml20-assertion": in JSON */
const char *fg_piece_title(fg_piece_kind_t kind); /* "SAML 2.0 assertion" */
/* The first failure in the tree, which is why nothing was recognised; NULL: none. */
const fg_err_t *fg_piece_failure(const fg_piece_t *root);

/* ---- between the recognisers */

fg_piece_t *fg_piece_attach(fg_unwrap_t *unwrap, fg_piece_t *parent, fg_piece_kind_t kind, const char *how);
bool fg_recognise_xml(fg_unwrap_t *unwrap, fg_piece_t *piece);
bool fg_recognise_json(fg_unwrap_t *unwrap, fg_piece_t *piece);
bool fg_recognise_jose(fg_unwrap_t *unwrap, fg_piece_t *piece);
bool fg_recognise_html(fg_unwrap_t *unwrap, fg_piece_t *piece);
bool fg_recognise_form(fg_unwrap_t *unwrap, fg_piece_t *piece);
bool fg_recognise_url(fg_unwrap_t *unwrap, fg_piece_t *piece);
bool fg_recognise_http(fg_unwrap_t *unwrap, fg_piece_t *piece);
/* What an element holds, as far as it is of a kind that is known. */
void fg_unwrap_element(fg_unwrap_t *unwrap, fg_piece_t *piece);
void fg_unwrap_params(fg_unwrap_t *unwrap, fg_piece_t *piece);

#endif
