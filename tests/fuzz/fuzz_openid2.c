/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What strangers write for OpenID 2.0: pages, XRDS documents, addresses, realms, messages in Key-Value Form.  Besides
 * memory errors it looks for two readings of one text: a normal form that has another one, a message that is not what
 * it was once it was written again, an endpoint that is no address. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "bridges/openid/openid2_discover.h"
#include "bridges/openid/openid2_message.h"
#include "bridges/openid/openid2_realm.h"
#include "core/xml.h"

static void check_addresses(fg_str_t text) {
    fg_buf_t once = FG_BUF_INIT(8192), twice = FG_BUF_INIT(8192);
    fg_openid2_realm_t realm;
    if (fg_openid2_url_normal(text, &once)) {
        fg_str_t url = fg_buf_str(&once);
        if (!fg_openid2_url_normal(url, &twice) || !fg_str_eq(url, fg_buf_str(&twice)) || !fg_uri_is_web(url))
            abort();
        /* an address is in the realm that it is itself */
        if (fg_openid2_realm_parse(url, &realm) && !realm.wildcard && !fg_openid2_realm_has(&realm, url))
            abort();
    }
    if (fg_openid2_realm_parse(text, &realm) && (realm.path.n == 0 || realm.port == 0 || realm.port > 65535))
        abort();
    fg_buf_reset(&once);
    if (fg_openid2_identifier_normal(text, &once) && !fg_uri_is_web(fg_buf_str(&once)))
        abort();
    fg_buf_free(&once);
    fg_buf_free(&twice);
}

static void check_services(const fg_openid2_services_t *services) {
    for (size_t i = 0; i < services->count; i++)
        if (!fg_uri_is_web(services->items[i].endpoint))
            abort();
}

static void check_documents(fg_arena_t *arena, fg_str_t text) {
    const fg_str_t url = FG_STR("https://alice.example.com/");
    fg_openid2_services_t services;
    fg_xrds_t xrds;
    fg_openid2_services_of_html(arena, text, url, &services);
    check_services(&services);
    (void)fg_openid2_xrds_location(arena, text);
    (void)fg_openid2_accept_quality(text, FG_XRDS_MEDIA_TYPE, true);
    if (fg_xrds_read(arena, text, &xrds, NULL) && fg_openid2_services_of_xrds(&xrds, url, &services, NULL))
        check_services(&services);
}

static void check_message(fg_exchange_t *ex, fg_str_t text) {
    fg_openid2_message_t message, again;
    fg_buf_t written = FG_BUF_INIT(1u << 20);
    if (!fg_openid2_message_parse(ex, text, FG_E_OPENID2_ANSWER, &message, NULL))
        return;
    if (fg_openid2_write(&written, &message)) {
        if (!fg_openid2_message_parse(ex, fg_buf_str(&written), FG_E_OPENID2_ANSWER, &again, NULL) ||
            again.count != message.count || again.v2 != message.v2)
            abort();
        for (size_t i = 0; i < again.count; i++)
            if (!fg_str_eq(again.items[i].name, message.items[i].name))
                abort();
    }
    (void)fg_openid2_alias(&message, "http://openid.net/srv/ax/1.0");
    fg_buf_free(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fg_err_t err = FG_ERR_INIT;
    fg_arena_t *arena = fg_arena_new(0);
    fg_exchange_t ex = {.arena = arena};
    const fg_str_t text = {(const char *)data, size};
    if (arena == NULL || !fg_xml_start(&err))
        abort();
    check_addresses(text);
    check_documents(arena, text);
    check_message(&ex, text);
    fg_arena_free(arena);
    return 0;
}
