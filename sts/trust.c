/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/trust.h"

#define REQUEST(ns, name, answer) \
    { ns "/" name, ns "/RST/" name, ns answer }
/* clang-format off */
static const fg_trust_words_t words_table[] = {
    [FG_TRUST_2005] = {
        .ns = {"t", FG_NS_TRUST_2005},
        .requests = {[FG_TRUST_ISSUE] = REQUEST(FG_NS_TRUST_2005, "Issue", "/RSTR/Issue"),
                     [FG_TRUST_RENEW] = REQUEST(FG_NS_TRUST_2005, "Renew", "/RSTR/Renew"),
                     [FG_TRUST_CANCEL] = REQUEST(FG_NS_TRUST_2005, "Cancel", "/RSTR/Cancel"),
                     [FG_TRUST_VALIDATE] = REQUEST(FG_NS_TRUST_2005, "Validate", "/RSTR/Validate")},
        .key_types = {[FG_PROOF_BEARER] = FG_NS_IDENTITY "/NoProofKey",
                      [FG_PROOF_SYMMETRIC] = FG_NS_TRUST_2005 "/SymmetricKey",
                      [FG_PROOF_PUBLIC] = FG_NS_TRUST_2005 "/PublicKey"},
        .computed_key = FG_NS_TRUST_2005 "/CK/PSHA1",
        .nonce = FG_NS_TRUST_2005 "/Nonce",
        .symmetric_key = FG_NS_TRUST_2005 "/SymmetricKey",
        .status = FG_NS_TRUST_2005 "/RSTR/Status",
        .valid = FG_NS_TRUST_2005 "/status/valid",
        .invalid = FG_NS_TRUST_2005 "/status/invalid",
    },
    [FG_TRUST_13] = {
        .ns = {"trust", FG_NS_TRUST_13},
        .requests = {[FG_TRUST_ISSUE] = REQUEST(FG_NS_TRUST_13, "Issue", "/RSTRC/IssueFinal"),
                     [FG_TRUST_RENEW] = REQUEST(FG_NS_TRUST_13, "Renew", "/RSTR/RenewFinal"),
                     [FG_TRUST_CANCEL] = REQUEST(FG_NS_TRUST_13, "Cancel", "/RSTR/CancelFinal"),
                     [FG_TRUST_VALIDATE] = REQUEST(FG_NS_TRUST_13, "Validate", "/RSTR/ValidateFinal")},
        .key_types = {[FG_PROOF_BEARER] = FG_NS_TRUST_13 "/Bearer",
                      [FG_PROOF_SYMMETRIC] = FG_NS_TRUST_13 "/SymmetricKey",
                      [FG_PROOF_PUBLIC] = FG_NS_TRUST_13 "/PublicKey"},
        .computed_key = FG_NS_TRUST_13 "/CK/PSHA1",
        .nonce = FG_NS_TRUST_13 "/Nonce",
        .symmetric_key = FG_NS_TRUST_13 "/SymmetricKey",
        .status = FG_NS_TRUST_13 "/RSTR/Status",
        .valid = FG_NS_TRUST_13 "/status/valid",
        .invalid = FG_NS_TRUST_13 "/status/invalid",
    },
};
/* clang-format on */

static const char *const request_names[FG_TRUST_REQUESTS] = {"issue", "renew", "cancel", "validate"};

const fg_trust_words_t *fg_trust_words(fg_trust_version_t version) { return &words_table[version]; }

bool fg_trust_request_from_type(const fg_trust_words_t *words, fg_str_t type, fg_trust_request_t *request) {
    for (size_t i = 0; i < FG_TRUST_REQUESTS; i++)
        if (fg_str_is(type, words->requests[i].type)) {
            *request = (fg_trust_request_t)i;
            return true;
        }
    return false;
}

bool fg_trust_request_from_action(const fg_trust_words_t *words, fg_str_t action, fg_trust_request_t *request) {
    for (size_t i = 0; i < FG_TRUST_REQUESTS; i++)
        if (fg_str_is(action, words->requests[i].rst_action)) {
            *request = (fg_trust_request_t)i;
            return true;
        }
    return false;
}

const char *fg_trust_request_name(fg_trust_request_t request) { return request_names[request]; }

bool fg_key_type_from_uri(fg_str_t uri, fg_proof_kind_t *kind) {
    for (size_t v = 0; v < FG_ARRAY_SIZE(words_table); v++)
        for (size_t i = 0; i < FG_PROOF_KINDS; i++)
            if (fg_str_is(uri, words_table[v].key_types[i])) {
                *kind = (fg_proof_kind_t)i;
                return true;
            }
    return false;
}
