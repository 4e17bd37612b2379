/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the readers and the writer of WS-Management share: names, and texts and lists read so that there is one reading
 * only. */
#ifndef FG_POLICY_WSMAN_PARTS_H
#define FG_POLICY_WSMAN_PARTS_H

#include "policy/wsman.h"

#define FG_NS_WSA_2004 "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define FG_NS_WSMAN "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
#define FG_NS_WSMAN_MS "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
#define FG_NS_WSMID "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
#define FG_NS_WXF "http://schemas.xmlsoap.org/ws/2004/09/transfer"
#define FG_NS_WSEN "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
#define FG_NS_WSE "http://schemas.xmlsoap.org/ws/2004/08/eventing"
#define FG_NS_RSP "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
#define FG_WSMAN_ANONYMOUS FG_NS_WSA_2004 "/role/anonymous"
#define FG_WSMAN_SHELL_ID "ShellId"

/* The whole text of an element, which must stand there in one piece: no elements, comments or CDATA, over which readers
 * differ.  code: of the refusal. */
bool fg_wsman_text(const xmlNode *node, fg_str_t *text, fg_code_t code, fg_err_t *err) FG_MUST_CHECK;
/* The same without white space around, and not empty. */
bool fg_wsman_token(const xmlNode *node, fg_str_t *text, fg_code_t code, fg_err_t *err) FG_MUST_CHECK;

/* Digits without leading zeros, from 1 to most. */
bool fg_wsman_is_number(fg_str_t text, unsigned long most) FG_MUST_CHECK;
/* An endpoint reference must be the anonymous address: answers go back on this connection (WM-15). */
bool fg_wsman_check_reply_to(const xmlNode *reference, fg_err_t *err) FG_MUST_CHECK;

/* SelectorSet and OptionSet (DSP0226 §5.4.2, §6.4) */
#define FG_WSMAN_PAIRS_MAX 32
typedef struct fg_wsman_pair {
    fg_str_t name, value;
} fg_wsman_pair_t;
typedef struct fg_wsman_pairs {
    fg_wsman_pair_t items[FG_WSMAN_PAIRS_MAX];
    size_t count;
} fg_wsman_pairs_t;
/* Of the header's SelectorSet or OptionSet; none there: no pairs. */
bool fg_wsman_read_selectors(fg_arena_t *arena, const xmlNode *header, fg_wsman_pairs_t *pairs,
                             fg_err_t *err) FG_MUST_CHECK;
bool fg_wsman_read_options(fg_arena_t *arena, const xmlNode *header, fg_wsman_pairs_t *pairs,
                           fg_err_t *err) FG_MUST_CHECK;

/* The filter of Enumerate or Subscribe, NULL: none.  *filter is set. */
bool fg_wsman_find_filter(const xmlNode *request, const xmlNode **filter, fg_err_t *err) FG_MUST_CHECK;

/* Finds out what message asks for from its Action, ResourceURI and Body: operation, uses, closes, opens.  The child of
 * the Body must be the one of the Action (WM-01). */
bool fg_wsman_read_operation(fg_arena_t *arena, fg_wsman_message_t *message, fg_err_t *err) FG_MUST_CHECK;

/* The script of powershell -EncodedCommand in a command line; .p NULL: none is in it.  A line that has one in another
 * place than the whole line's end, or one that cannot be decoded, is FG_E_WSMAN_SCRIPT. */
bool fg_wsman_read_script(fg_arena_t *arena, fg_str_t line, fg_str_t *script, fg_err_t *err) FG_MUST_CHECK;

#endif
