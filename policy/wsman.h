/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * WS-Management (DSP0226) and WinRM shells (MS-WSMV): what a request asks for, read so strictly that the server behind
 * cannot read anything else; what an answer opens; faults that clients of WS-Management understand. */
#ifndef FG_POLICY_WSMAN_H
#define FG_POLICY_WSMAN_H

#include "core/env.h"
#include "core/xml.h"
#include "policy/request.h"

/* The HTTP headers that matter; .p NULL: absent.  count says how often one was sent. */
typedef struct fg_wsman_http {
    fg_str_t content_type;
    size_t content_type_count;
    fg_str_t content_encoding; /* anything but "identity" is refused (WM-06) */
    fg_str_t soap_action;
    size_t soap_action_count;
    fg_str_t body;
} fg_wsman_http_t;

/* What binds later requests to an earlier one (WM-11). */
typedef enum fg_wsman_kind {
    FG_WSMAN_NONE,
    FG_WSMAN_ENUMERATION,  /* EnumerationContext: Pull, Release, Renew, GetStatus */
    FG_WSMAN_SHELL,        /* ShellId selector: Command, Send, Receive, Signal, Delete, … */
    FG_WSMAN_SUBSCRIPTION, /* Identifier: Unsubscribe, Renew, GetStatus, Pull of events */
} fg_wsman_kind_t;

typedef struct fg_wsman_context {
    fg_wsman_kind_t kind;
    fg_str_t id;
} fg_wsman_context_t;

typedef struct fg_wsman_message {
    const char
        *operation;  /* "Identify", "Get", "Enumerate", "Pull", "Create", "Command", "Invoke", …; NULL: not known */
    fg_str_t action; /* .n 0: none (Identify) */
    fg_str_t resource_uri;        /* byte for byte as sent (WM-09) */
    fg_str_t message_id;          /* .n 0: none */
    fg_wsman_context_t uses;      /* of an earlier answer; kind NONE: nothing */
    bool closes;                  /* and ends it: Release, Delete of a shell, Unsubscribe */
    bool opens;                   /* the answer must be read: it may open or replace a context */
    xmlNode *security;            /* the wsse:Security header; NULL: none */
    const xmlNode *header, *body; /* of the document, which lives in the arena */
} fg_wsman_message_t;

/* Reads a request.  Refuses what two readers could understand differently (WM-01..07, 09, 10, 14, 15).  message is as
 * full as it could be made also on failure, so that a fault can relate to it. */
bool fg_wsman_read(fg_arena_t *arena, const fg_wsman_http_t *http, const fg_xml_limits_t *limits,
                   fg_wsman_message_t *message, fg_err_t *err) FG_MUST_CHECK;
/* Appends what it asks for: operation, action, resource, selector and option ("Name=Value"), filter_dialect, filter,
 * command, argument (each), command_line (both, joined by spaces), script (of powershell -EncodedCommand and its
 * abbreviations, decoded; also found inside cmd /c), and of a new shell working_directory and environment
 * ("Name=Value"). */
bool fg_wsman_claims(fg_arena_t *arena, const fg_wsman_message_t *message, fg_claims_t *claims,
                     fg_err_t *err) FG_MUST_CHECK;

#define FG_WSMAN_OPENED_MAX 4
/* The contexts that an answer hands out (EnumerationContext, ShellId, subscription Identifier). */
bool fg_wsman_read_answer(fg_arena_t *arena, fg_str_t body, const fg_xml_limits_t *limits,
                          fg_wsman_context_t opened[FG_WSMAN_OPENED_MAX], size_t *count, fg_err_t *err) FG_MUST_CHECK;

#define FG_WSMAN_MEDIA_TYPE "application/soap+xml;charset=UTF-8"
/* Appends a fault envelope (SOAP 1.2, WS-Addressing 2004/08) for err's row of the fault table; FG_E_DENIED and missing
 * or wrong credentials are wsman:AccessDenied (DSP0226 §14.6).  *status: the HTTP status (DSP0226 §14.2). */
bool fg_wsman_fault(const fg_env_t *env, const fg_wsman_message_t *message, const fg_err_t *err, fg_buf_t *out,
                    int *status) FG_MUST_CHECK;

#endif
