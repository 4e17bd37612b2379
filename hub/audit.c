/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/audit.h"

#include <stdlib.h>

#include "core/fault.h"
#include "core/json.h"
#include "core/reason.h"
#include "core/time.h"

/* what a stranger may put into the log in one value */
#define VALUE_MAX 256u
#define LINE_MAX_BYTES 8192u

static void put_member(fg_buf_t *line, const char *name, fg_str_t value) {
    if (value.n == 0)
        return;
    if (value.n > VALUE_MAX) {
        value.n = VALUE_MAX;
        /* not in the middle of a UTF-8 sequence */
        while (value.n > 0 && ((unsigned char)value.p[value.n] & 0xc0) == 0x80)
            value.n--;
    }
    if (!fg_str_is_utf8(value))
        value = FG_STR("(not UTF-8)");
    const size_t comma = line->length > 1, length = strlen(name);
    char *place = fg_buf_reserve(line, comma + length + 3);
    if (place == NULL)
        return;
    memcpy(place, ",\"" + 1 - comma, comma + 1);
    memcpy(place + comma + 1, name, length);
    memcpy(place + comma + 1 + length, "\":", 2);
    fg_json_quote(line, value);
}

void fg_audit(fg_exchange_t *ex, const char *event, const fg_err_t *err, const fg_audit_field_t *fields, size_t count) {
    char now[FG_TIME_SIZE], room[LINE_MAX_BYTES];
    fg_buf_t line;
    fg_buf_init_in(&line, room, sizeof room);
    fg_time_format(fg_now(ex->env), now);
    fg_exchange_ensure_id(ex); /* without randomness the line goes without one */
    fg_buf_putc(&line, '{');
    put_member(&line, "time", fg_str(now));
    put_member(&line, "event", fg_str(event));
    put_member(&line, "id", fg_str(ex->correlation_id));
    put_member(&line, "client", ex->request.client_address);
    put_member(&line, "host", ex->hub->host);
    put_member(&line, "path", ex->request.path);
    if (err != NULL) {
        put_member(&line, "reason", fg_str(fg_fault_get(err->code)->reason));
        put_member(&line, "code", fg_str(fg_reason_of(err)->code));
        put_member(&line, "detail", fg_str(err->detail));
    }
    for (size_t i = 0; i < count; i++)
        put_member(&line, fields[i].name, fields[i].value);
    fg_buf_putc(&line, '}');

    fg_audit_line_t *item = fg_arena_alloc(ex->arena, sizeof *item);
    fg_str_t text = fg_buf_ok(&line) ? fg_arena_str(ex->arena, fg_buf_str(&line)) : FG_STR_NONE;
    if (item == NULL || text.p == NULL) {
        fg_log(ex->env, FG_LOG_ERROR, "%s: audit line for event \"%s\" lost: memory", ex->correlation_id, event);
        return;
    }
    item->text = text;
    if (ex->audit_end == NULL)
        ex->audit_end = &ex->audit;
    *ex->audit_end = item;
    ex->audit_end = &item->next;
}
