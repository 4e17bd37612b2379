/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * NDR ([C706] §14, [MS-RPCE] §2.2.6): integers are aligned to their size, little-endian; what a pointer points at
 * follows behind the structure, in the order of the pointers. */
#include "directory/pac.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "core/utf16.h"
#include "directory/sid.h"

#define HEADER_SIZE 16u /* common and private header of a serialised type ([MS-RPCE] §2.2.6) */
#define NAME_MAX_BYTES 1024u
enum { ENABLED = 0x4, DENY_ONLY = 0x10 }; /* [MS-PAC] §2.2.1 */

typedef struct ndr {
    const unsigned char *p;
    size_t n, at;
    bool failed;
} ndr_t;

static const unsigned char *take(ndr_t *in, size_t size, size_t align) {
    size_t pad = (align - in->at % align) % align;
    if (in->failed || in->n - in->at < pad || in->n - in->at - pad < size) {
        in->failed = true;
        return NULL;
    }
    const unsigned char *place = in->p + in->at + pad;
    in->at += pad + size;
    return place;
}

static uint16_t get_u16(ndr_t *in) {
    const unsigned char *p = take(in, 2, 2);
    return p ? (uint16_t)(p[0] | p[1] << 8) : 0;
}

static uint32_t get_u32(ndr_t *in) {
    const unsigned char *p = take(in, 4, 4);
    return p ? p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

/* ---- the structure itself */

typedef struct string {
    uint16_t length; /* bytes */
    bool is_there;
} string_t;

typedef struct info {
    string_t account, full_name, unused[4], server, domain;
    uint32_t user, primary_group;
    uint32_t group_count, extra_count, resource_count;
    bool has_groups, has_domain_sid, has_extra, has_resource_sid, has_resource;
} info_t;

static string_t get_string_head(ndr_t *in) {
    string_t s = {.length = get_u16(in)};
    (void)get_u16(in); /* MaximumLength */
    s.is_there = get_u32(in) != 0;
    return s;
}

static void get_info(ndr_t *in, info_t *info) {
    take(in, 6 * 8, 4); /* LogonTime to PasswordMustChange */
    info->account = get_string_head(in);
    info->full_name = get_string_head(in);
    for (size_t i = 0; i < FG_ARRAY_SIZE(info->unused); i++) /* LogonScript to HomeDirectoryDrive */
        info->unused[i] = get_string_head(in);
    take(in, 2 * 2, 2); /* LogonCount, BadPasswordCount */
    info->user = get_u32(in);
    info->primary_group = get_u32(in);
    info->group_count = get_u32(in);
    info->has_groups = get_u32(in) != 0;
    take(in, 4 + 16, 4); /* UserFlags, UserSessionKey */
    info->server = get_string_head(in);
    info->domain = get_string_head(in);
    info->has_domain_sid = get_u32(in) != 0;
    take(in, 2 * 4 + 4 + 4 + 2 * 8 + 4 + 4, 4); /* Reserved1 to Reserved3 */
    info->extra_count = get_u32(in);
    info->has_extra = get_u32(in) != 0;
    info->has_resource_sid = get_u32(in) != 0;
    info->resource_count = get_u32(in);
    info->has_resource = get_u32(in) != 0;
}

/* ---- what its pointers point at */

/* A conformant, varying array of characters. */
static fg_str_t get_string(ndr_t *in, fg_arena_t *arena, string_t s) {
    char room[2 * NAME_MAX_BYTES];
    fg_buf_t text;
    if (!s.is_there)
        return FG_STR("");
    uint32_t maximum = get_u32(in), offset = get_u32(in), actual = get_u32(in);
    in->failed = in->failed || offset != 0 || actual > maximum || s.length > NAME_MAX_BYTES || actual != s.length / 2u;
    const unsigned char *bytes = take(in, s.length, 2);
    fg_buf_init_in(&text, room, sizeof room);
    if (bytes == NULL || !fg_utf16_decode((fg_str_t){(const char *)bytes, s.length}, &text)) {
        in->failed = true;
        return FG_STR_NONE;
    }
    return fg_arena_str(arena, fg_buf_str(&text));
}

/* RPC_SID ([MS-DTYP] §2.4.2.3): the number of sub-authorities, and then the binary form. */
static fg_str_t get_sid(ndr_t *in, fg_arena_t *arena) {
    char room[FG_SID_TEXT_SIZE];
    fg_buf_t text;
    uint32_t count = get_u32(in);
    size_t size = 8 + 4 * (size_t)count;
    const unsigned char *sid = count > FG_SID_SUBAUTHORITIES_MAX ? NULL : take(in, size, 4);
    fg_buf_init_in(&text, room, sizeof room);
    if (sid == NULL || !fg_sid_put(&text, (fg_str_t){(const char *)sid, size})) {
        in->failed = true;
        return FG_STR_NONE;
    }
    return fg_arena_str(arena, fg_buf_str(&text));
}

static fg_str_t add_rid(fg_arena_t *arena, fg_str_t domain, uint32_t rid) {
    char text[16];
    const fg_str_t parts[] = {domain, {text, (size_t)snprintf(text, sizeof text, "-%" PRIu32, rid)}};
    return fg_arena_join(arena, parts, FG_ARRAY_SIZE(parts));
}

/* The pairs of number and attributes of GROUP_MEMBERSHIP, or of pointer and attributes: where they begin. */
static ndr_t get_pairs(ndr_t *in, bool is_there, uint32_t count) {
    ndr_t pairs = {.failed = true};
    if (!is_there) {
        in->failed = in->failed || count != 0;
        return pairs;
    }
    in->failed = in->failed || get_u32(in) != count || count > in->n / 8;
    const unsigned char *place = in->failed ? NULL : take(in, (size_t)count * 8, 4);
    return place ? (ndr_t){place, (size_t)count * 8, 0, false} : pairs;
}

static bool is_member(uint32_t attributes) { return (attributes & ENABLED) != 0 && (attributes & DENY_ONLY) == 0; }

static void add_sid(fg_str_t *sids, size_t *count, fg_str_t sid, uint32_t attributes) {
    if (is_member(attributes))
        sids[(*count)++] = sid;
}

static void add_groups(fg_arena_t *arena, fg_str_t *sids, size_t *count, fg_str_t domain, ndr_t pairs) {
    while (!pairs.failed && pairs.at < pairs.n) {
        uint32_t rid = get_u32(&pairs);
        add_sid(sids, count, add_rid(arena, domain, rid), get_u32(&pairs));
    }
}

/* Of each pointer of the pairs its SID, behind all of them. */
static void add_extra(ndr_t *in, fg_arena_t *arena, fg_str_t *sids, size_t *count, ndr_t pairs) {
    while (!pairs.failed && !in->failed && pairs.at < pairs.n) {
        bool is_there = get_u32(&pairs) != 0;
        uint32_t attributes = get_u32(&pairs);
        if (is_there)
            add_sid(sids, count, get_sid(in, arena), attributes);
    }
}

static void get_pointed(ndr_t *in, fg_arena_t *arena, const info_t *info, fg_pac_t *pac) {
    pac->account = get_string(in, arena, info->account);
    pac->full_name = get_string(in, arena, info->full_name);
    for (size_t i = 0; i < FG_ARRAY_SIZE(info->unused); i++)
        (void)get_string(in, arena, info->unused[i]);
    ndr_t groups = get_pairs(in, info->has_groups, info->group_count);
    (void)get_string(in, arena, info->server);
    pac->domain = get_string(in, arena, info->domain);
    fg_str_t domain_sid = info->has_domain_sid ? get_sid(in, arena) : FG_STR_NONE, resource_sid = FG_STR_NONE;
    ndr_t extra = get_pairs(in, info->has_extra, info->extra_count);
    size_t room = (size_t)info->group_count + info->extra_count + info->resource_count;
    fg_str_t *sids = in->failed || room > in->n ? NULL : fg_arena_alloc(arena, (room + 1) * sizeof *sids);
    if (sids == NULL || domain_sid.n == 0 || pac->account.n == 0) {
        in->failed = true;
        return;
    }
    pac->user_sid = add_rid(arena, domain_sid, info->user);
    pac->primary_group_sid = add_rid(arena, domain_sid, info->primary_group);
    pac->group_sids = sids;
    add_groups(arena, sids, &pac->group_count, domain_sid, groups);
    add_extra(in, arena, sids, &pac->group_count, extra);
    if (info->has_resource_sid)
        resource_sid = get_sid(in, arena);
    ndr_t resource = get_pairs(in, info->has_resource, info->resource_count);
    in->failed = in->failed || (info->resource_count > 0 && resource_sid.n == 0);
    if (!in->failed)
        add_groups(arena, sids, &pac->group_count, resource_sid, resource);
}

/* Version 1, little-endian, header of eight bytes; then the length of what follows. */
static bool check_header(fg_str_t bytes, ndr_t *in) {
    static const unsigned char common[] = {1, 0x10, 8, 0};
    const unsigned char *p = (const unsigned char *)bytes.p;
    if (bytes.n < HEADER_SIZE || memcmp(p, common, sizeof common) != 0)
        return false;
    ndr_t header = {p, HEADER_SIZE, 8, false};
    uint32_t length = get_u32(&header);
    *in = (ndr_t){p + HEADER_SIZE, length, 0, false};
    return length <= bytes.n - HEADER_SIZE;
}

bool fg_pac_read(fg_arena_t *arena, fg_str_t logon_info, fg_pac_t *pac, fg_err_t *err) {
    ndr_t in;
    info_t info;
    *pac = (fg_pac_t){.group_count = 0};
    if (!check_header(logon_info, &in))
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "the PAC's logon information has no header of [MS-RPCE]");
    bool is_there = get_u32(&in) != 0;
    get_info(&in, &info);
    if (!in.failed && is_there)
        get_pointed(&in, arena, &info, pac);
    bool whole = is_there && !in.failed && pac->user_sid.p != NULL && pac->primary_group_sid.p != NULL;
    for (size_t i = 0; whole && i < pac->group_count; i++)
        whole = pac->group_sids[i].p != NULL;
    return whole || FG_FAIL(err, FG_E_TOKEN_MALFORMED, "the PAC's logon information is wrong at byte %zu", in.at);
}
