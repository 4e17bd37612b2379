/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rendering.  No recursion: open sections stand in a stack whose depth compiling has checked. */
#include "gateway/template.h"

#include <stdlib.h>

#include "gateway/template_ops.h"

typedef struct section {
    const json_t *scope; /* where names are sought; NULL: nowhere */
    const json_t *list;  /* NULL: runs once */
    size_t index;
} section_t;

typedef struct run {
    const fg_op_t *ops;
    size_t at;
    fg_buf_t *out;
    section_t sections[FG_TEMPLATE_SECTIONS + 1]; /* the first is the model */
    size_t depth;
} run_t;

static const json_t *find(const run_t *run, fg_str_t name) {
    for (size_t i = run->depth + 1; i-- > 0;) {
        const json_t *value = json_object_getn(run->sections[i].scope, name.p, name.n);
        if (value != NULL)
            return value;
    }
    return NULL;
}

static bool is_set(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    case JSON_INTEGER:
        return json_integer_value(value) != 0;
    default:
        return !json_is_null(value) && !json_is_false(value);
    }
}

static void push(run_t *run, const json_t *scope, const json_t *list) {
    run->sections[++run->depth] = (section_t){scope, list, 0};
}

static void run_literal(run_t *run, const fg_op_t *op) { fg_buf_put_str(run->out, op->text); }

static void run_text(run_t *run, const fg_op_t *op) { fg_html_put(run->out, op->text, op->place); }

static void run_value(run_t *run, const fg_op_t *op) {
    const json_t *value = find(run, op->text);
    if (json_is_string(value))
        fg_html_put(run->out, (fg_str_t){json_string_value(value), json_string_length(value)}, op->place);
    else if (json_is_integer(value))
        fg_buf_printf(run->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

static void run_each(run_t *run, const fg_op_t *op) {
    const json_t *value = find(run, op->text);
    if (value == NULL || !is_set(value))
        run->at = op->jump;
    else if (json_is_array(value))
        push(run, json_array_get(value, 0), value);
    else
        push(run, value, NULL);
}

static void run_if(run_t *run, const fg_op_t *op) {
    const json_t *value = find(run, op->text);
    if (value == NULL || !is_set(value))
        run->at = op->jump;
    else
        push(run, NULL, NULL);
}

static void run_unless(run_t *run, const fg_op_t *op) {
    const json_t *value = find(run, op->text);
    if (value != NULL && is_set(value))
        run->at = op->jump;
    else
        push(run, NULL, NULL);
}

static void run_end(run_t *run, const fg_op_t *op) {
    section_t *section = &run->sections[run->depth];
    if (section->list != NULL && ++section->index < json_array_size(section->list)) {
        section->scope = json_array_get(section->list, section->index);
        run->at = op->jump;
    } else {
        run->depth--;
    }
}

void fg_template_render(const fg_template_t *template, const json_t *model, fg_buf_t *out) {
    static void (*const table[])(run_t *, const fg_op_t *) = {
        [FG_OP_LITERAL] = run_literal, [FG_OP_TEXT] = run_text,     [FG_OP_VALUE] = run_value, [FG_OP_EACH] = run_each,
        [FG_OP_IF] = run_if,           [FG_OP_UNLESS] = run_unless, [FG_OP_END] = run_end,
    };
    run_t run = {.ops = template->ops, .out = out};
    run.sections[0].scope = model;
    for (; run.at < template->count && fg_buf_ok(out); run.at++)
        table[run.ops[run.at].kind](&run, &run.ops[run.at]);
}

void fg_template_free(fg_template_t *template) {
    if (template == NULL)
        return;
    free(template->ops);
    free(template);
}
