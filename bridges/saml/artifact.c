/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/saml/artifact.h"

#include <stdio.h>

#include "bridges/saml/peer.h"
#include "bridges/saml/response.h"
#include "bridges/saml/saml.h"
#include "bridges/saml/soap.h"
#include "core/crypto.h"
#include "core/time.h"
#include "hub/bytes.h"
#include "hub/kept.h"

#define TYPE 0x0004u
#define HANDLE 20u
#define SIZE (4u + FG_SAML_SOURCE_ID + HANDLE)
#define KEPT "saml-artifact"
#define LIFETIME FG_MINUTE
#define MESSAGE_MAX (768u << 10)
#define URL_MAX (8u << 10)

/* ---- the word */

bool fg_saml_artifact_parse(fg_exchange_t *ex, fg_str_t text, fg_saml_artifact_t *artifact, fg_err_t *err) {
    char hex[2 * HANDLE + 1];
    fg_buf_t bytes = FG_BUF_INIT(SIZE + 1);
    bool good = fg_base64_decode(&bytes, text) && fg_buf_ok(&bytes) && bytes.length == SIZE;
    const unsigned char *p = (const unsigned char *)bytes.data;
    good = good && (unsigned)(p[0] << 8 | p[1]) == TYPE;
    if (good) {
        artifact->endpoint = (unsigned)(p[2] << 8 | p[3]);
        memcpy(artifact->source_id, p + 4, FG_SAML_SOURCE_ID);
        fg_hex_encode(p + 4 + FG_SAML_SOURCE_ID, HANDLE, hex);
        artifact->handle = fg_arena_str(ex->arena, (fg_str_t){hex, 2 * HANDLE});
    }
    fg_buf_free(&bytes);
    return (good && artifact->handle.p != NULL) || FG_FAIL(err, FG_E_SAML_MESSAGE, "not an artifact of type 4");
}

static bool make_artifact(fg_exchange_t *ex, fg_str_t *text, fg_str_t *handle, fg_err_t *err) {
    unsigned char bytes[SIZE] = {TYPE >> 8, TYPE & 0xff, 0, 0};
    char hex[2 * HANDLE + 1];
    fg_buf_t encoded = FG_BUF_INIT(2 * SIZE);
    fg_saml_source_id(ex->hub->entity_id, bytes + 4);
    if (!ex->env->random(ex->env, bytes + 4 + FG_SAML_SOURCE_ID, HANDLE))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for an artifact");
    fg_hex_encode(bytes + 4 + FG_SAML_SOURCE_ID, HANDLE, hex);
    fg_base64_encode(&encoded, bytes, SIZE);
    *text = fg_arena_str(ex->arena, fg_buf_str(&encoded));
    *handle = fg_arena_str(ex->arena, (fg_str_t){hex, 2 * HANDLE});
    fg_buf_free(&encoded);
    return (text->p != NULL && handle->p != NULL) || FG_FAIL(err, FG_E_MEMORY, "an artifact");
}

/* ---- as identity provider */

static bool keep(fg_exchange_t *ex, fg_str_t handle, fg_str_t realm, fg_str_t xml, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(MESSAGE_MAX);
    fg_bytes_put_string(&bytes, realm);
    fg_bytes_put_string(&bytes, xml);
    bool kept = fg_buf_ok(&bytes) ? fg_kept_put(ex, KEPT, handle, fg_buf_str(&bytes), ex->now_ms + LIFETIME, err)
                                  : FG_FAIL(err, FG_E_INTERNAL, "a message is too long for an artifact");
    fg_buf_free(&bytes);
    return kept;
}

bool fg_saml_artifact_send(fg_exchange_t *ex, const fg_saml_outbound_t *out, fg_str_t realm, fg_err_t *err) {
    fg_str_t text, handle;
    if (!make_artifact(ex, &text, &handle, err) || !keep(ex, handle, realm, out->xml, err))
        return false;
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&url, out->to);
    fg_uri_put_param(&url, FG_STR(FG_SAML_ARTIFACT_PARAM), text);
    if (out->relay_state.p != NULL)
        fg_uri_put_param(&url, FG_STR("RelayState"), out->relay_state);
    bool made = fg_buf_ok(&url) || FG_FAIL(err, FG_E_INTERNAL, "the address is too long");
    if (made) {
        fg_response_redirect(ex, fg_buf_str(&url));
        fg_response_header(ex, "Cache-Control", FG_STR("no-store"));
    }
    fg_buf_free(&url);
    return made;
}

/* The message, once; .n 0: there is none for this partner.  Whoever asks for another's has used it up (§3.6.5). */
static fg_str_t take(fg_exchange_t *ex, const fg_saml_artifact_t *artifact, fg_str_t realm) {
    unsigned char own[FG_SAML_SOURCE_ID];
    fg_str_t bytes;
    fg_saml_source_id(ex->hub->entity_id, own);
    if (memcmp(own, artifact->source_id, sizeof own) != 0 || !fg_kept_take(ex, KEPT, artifact->handle, &bytes, NULL))
        return FG_STR_NONE;
    fg_bytes_t in = {bytes, false};
    bool theirs = fg_str_eq(fg_bytes_get_string(&in), realm);
    fg_str_t xml = fg_bytes_get_string(&in);
    if (theirs && fg_bytes_end(&in))
        return xml;
    fg_log(ex->env, FG_LOG_WARN, "%s: %.*s asked for a message that is another partner's", ex->correlation_id,
           FG_STR_ARG(realm));
    return FG_STR_NONE;
}

/* An artifact that stands for nothing gets an answer that holds nothing, with Success (core §3.5.3). */
static bool answer(fg_exchange_t *ex, const fg_saml_head_t *head, fg_str_t xml, fg_err_t *err) {
    fg_buf_t out = FG_BUF_INIT(MESSAGE_MAX);
    const fg_saml_response_t response = {
        .name = "ArtifactResponse",
        .issuer = ex->hub->entity_id,
        .in_response_to = head->id,
        .assertion = xml,
        .is_signed = true,
    };
    bool done =
        fg_saml_response_write(ex, &response, &out, err) && fg_saml_soap_answer(ex, FG_STR_NONE, fg_buf_str(&out), err);
    fg_buf_free(&out);
    return done;
}

static bool resolve(fg_exchange_t *ex, fg_err_t *err) {
    fg_saml_inbound_t in;
    fg_saml_peer_t peer;
    fg_saml_head_t head;
    fg_saml_artifact_t artifact;
    if (!fg_saml_soap_receive(ex, &in, err))
        return false;
    if (!fg_xml_is(in.root, FG_NS_SAML2P, "ArtifactResolve"))
        return FG_FAIL(err, FG_E_SAML_UNSUPPORTED, "<%s> at the artifact service", (const char *)in.root->name);
    if (!fg_saml_peer_of(ex, FG_SAML_SERVICE_PROVIDER, in.issuer, &peer, err) ||
        !fg_saml_peer_verify(ex, &peer, &in, fg_saml_url(ex, FG_SAML_ARTIFACT_PATH), &head, err))
        return false;
    const xmlNode *element = fg_xml_only_child(in.root, FG_NS_SAML2P, "Artifact", err);
    fg_str_t text = element ? fg_xml_token(ex->arena, element, err) : FG_STR_NONE;
    if (text.p == NULL || !fg_saml_artifact_parse(ex, text, &artifact, err))
        return false;
    return answer(ex, &head, take(ex, &artifact, peer.id), err);
}

fg_step_t fg_saml_artifact_resolve(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    if (!resolve(ex, &err))
        fg_saml_soap_refuse(ex, &err);
    return FG_STEP_DONE;
}

/* ---- as service provider */

/* Whose artifact it is says its SourceID, which partners' metadata are held against. */
static bool find_source(fg_exchange_t *ex, const fg_saml_artifact_t *artifact, fg_saml_peer_t *peer, fg_err_t *err) {
    for (size_t i = 0; i < ex->hub->home_realm_count; i++) {
        const fg_home_realm_t *realm = &ex->hub->home_realms[i];
        const fg_saml_party_t *party = realm->identity_provider ? realm->identity_provider->saml : NULL;
        if (party != NULL && memcmp(party->source_id, artifact->source_id, sizeof party->source_id) == 0)
            return fg_saml_peer_find(ex, FG_SAML_IDENTITY_PROVIDER, realm->uri, peer, err);
    }
    return FG_FAIL(err, FG_E_SAML_PARTNER, "the artifact is of no identity provider that is known here");
}

/* Without one of that index the first: some write the number as text. */
static const fg_saml_endpoint_t *find_service(const fg_saml_party_t *party, unsigned index) {
    for (size_t i = 0; i < party->endpoint_count; i++) {
        const fg_saml_endpoint_t *endpoint = &party->endpoints[i];
        if (endpoint->service == FG_SAML_ARTIFACT_RESOLUTION && endpoint->binding == FG_SAML_SOAP &&
            endpoint->index == index)
            return endpoint;
    }
    return fg_saml_party_endpoint(party, FG_SAML_ARTIFACT_RESOLUTION, FG_SAML_SOAP);
}

static bool ask(fg_exchange_t *ex, const fg_saml_peer_t *peer, fg_str_t to, fg_str_t artifact, char id[FG_ID_SIZE],
                fg_saml_inbound_t *in, fg_err_t *err) {
    fg_saml_writing_t writing;
    fg_buf_t xml = FG_BUF_INIT(16u << 10);
    bool done = fg_saml_begin(ex, &writing, "ArtifactResolve", NULL, to, FG_STR_NONE, &xml, err);
    if (done) {
        fg_saml_put_issuer(&writing, peer->ours);
        fg_xw_leaf(&writing.w, &fg_saml_ns_protocol, "Artifact", artifact);
        done = fg_saml_end(ex, &writing, true, &xml, err) &&
               fg_saml_soap_call(ex, to, fg_buf_str(&xml), "ArtifactResponse", in, err);
        memcpy(id, writing.id, FG_ID_SIZE);
    }
    fg_buf_free(&xml);
    return done;
}

/* The message in the answer.  A signature around it holds for it too; without one the connection says who answered,
 * and the message must be signed itself (§3.6.6). */
static bool open_answer(fg_exchange_t *ex, const fg_saml_peer_t *peer, fg_str_t to, fg_str_t id, fg_saml_inbound_t *in,
                        fg_err_t *err) {
    fg_saml_head_t head;
    bool is_signed;
    if (!fg_saml_verify(in, &peer->keys, &is_signed, err) ||
        !fg_saml_read_head(ex, in->root, fg_saml_own_url(ex), false, &head, err))
        return false;
    if (!is_signed && !fg_str_starts(to, "https://"))
        return FG_FAIL(err, FG_E_SIG_MISSING, "an ArtifactResponse over http that is not signed");
    if (!fg_str_eq(head.in_response_to, id) || !fg_str_eq(in->issuer, peer->entity_id))
        return FG_FAIL(err, FG_E_SAML_ANSWER, "an ArtifactResponse to another request, or of another issuer");
    xmlNode *message = fg_xml_child(in->root, FG_NS_SAML2P, "Response", NULL);
    if (message == NULL || fg_xml_next(message) != NULL)
        return FG_FAIL(err, FG_E_SAML_ANSWER, "the artifact stands for no Response (any more)");
    const xmlNode *issuer = fg_xml_child(message, FG_NS_SAML2, "Issuer", NULL);
    in->binding = FG_SAML_ARTIFACT;
    in->is_verified = is_signed;
    in->carrier = peer->entity_id;
    in->root = message;
    in->issuer = issuer ? fg_xml_token(ex->arena, issuer, NULL) : FG_STR_NONE;
    return true;
}

bool fg_saml_artifact_receive(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) {
    fg_params_t params;
    fg_saml_artifact_t artifact;
    fg_saml_peer_t peer;
    char id[FG_ID_SIZE] = "";
    size_t times;
    bool post = ex->request.method == FG_METHOD_POST;
    if (!fg_params_parse(ex->arena, post ? ex->request.body : ex->request.query, &params, err))
        return false;
    fg_str_t text = fg_params_get(&params, FG_SAML_ARTIFACT_PARAM, &times);
    if (times != 1)
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "SAMLart given %zu times", times);
    if (!fg_saml_artifact_parse(ex, text, &artifact, err) || !find_source(ex, &artifact, &peer, err))
        return false;
    const fg_saml_endpoint_t *service = find_service(peer.party, artifact.endpoint);
    if (service == NULL)
        return FG_FAIL(err, FG_E_SAML_BINDING, "\"%s\" has no ArtifactResolutionService %u", peer.name,
                       artifact.endpoint);
    if (!ask(ex, &peer, service->location, text, id, in, err) ||
        !open_answer(ex, &peer, service->location, fg_str(id), in, err))
        return fg_err_prefix(err, "identity provider \"%s\"", peer.name);
    in->relay_state = fg_params_get(&params, "RelayState", NULL);
    return true;
}
