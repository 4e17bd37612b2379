/* SPDX-License-Identifier: GPL-2.0-or-later
 * Reason codes: the table, and doc/reason-codes.md beside it. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fault.h"
#include "core/file.h"
#include "core/reason.h"

static fg_buf_t doc = FG_BUF_INIT(1u << 20);

static int read_doc(void **state) {
    (void)state;
    char path[512];
    const char *folder = getenv("FEDGATE_SRCDIR");
    fg_err_t err = FG_ERR_INIT;
    snprintf(path, sizeof path, "%s/doc/reason-codes.md", folder ? folder : ".");
    return fg_file_read(path, &doc, NULL, &err) ? 0 : -1;
}

static int free_doc(void **state) {
    (void)state;
    fg_buf_free(&doc);
    return 0;
}

static void rows_match_their_reasons(void **state) {
    (void)state;
    for (int reason = 1; reason < FG_REASON_COUNT; reason++) {
        const fg_reason_row_t *row = fg_reason_get((fg_reason_t)reason);
        assert_int_equal(row->reason, reason);
        assert_non_null(strchr(row->code, '.'));
        assert_true(strlen(row->cause) > 10 && strlen(row->remedy) > 10);
        for (int other = 1; other < reason; other++)
            assert_string_not_equal(row->code, fg_reason_get((fg_reason_t)other)->code);
    }
    assert_string_equal(fg_reason_get(FG_REASON_COUNT)->code, "");
}

/* How many lines of the document begin with this. */
static size_t count_lines(const char *begin) {
    size_t count = 0, length = strlen(begin);
    for (const char *at = doc.data; at != NULL; at = strchr(at, '\n')) {
        at += *at == '\n';
        count += strncmp(at, begin, length) == 0;
    }
    return count;
}

static void the_document_has_every_code(void **state) {
    (void)state;
    char line[1024];
    for (int reason = 1; reason < FG_REASON_COUNT; reason++) {
        const fg_reason_row_t *row = fg_reason_get((fg_reason_t)reason);
        snprintf(line, sizeof line, "| `%s` | %s | %s |\n", row->code, row->cause, row->remedy);
        if (count_lines(line) != 1)
            fail_msg("doc/reason-codes.md lacks the line %s", line);
    }
    for (int code = FG_OK + 1; code < FG_CODE_COUNT; code++) {
        const char *reason = fg_fault_get((fg_code_t)code)->reason;
        const char *word = fg_reason_get(fg_reason_of_code((fg_code_t)code))->code;
        snprintf(line, sizeof line, *word != '\0' ? "| `%s` | `%s` |\n" : "| `%s` | %s|\n", reason, word);
        if (count_lines(line) != 1)
            fail_msg("doc/reason-codes.md lacks the line %s", line);
    }
    /* and nothing else */
    assert_int_equal(count_lines("| `"), FG_REASON_COUNT - 1 + FG_CODE_COUNT - 1);
}

static void an_error_has_its_own_reason_or_that_of_its_fault(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    assert_string_equal(fg_reason_of(&err)->code, "");
    FG_FAIL(&err, FG_E_SIG_INVALID, "x");
    assert_string_equal(fg_reason_of(&err)->code, "signature.value-mismatch");
    FG_FAIL_FOR(&err, FG_E_SIG_INVALID, FG_R_SIGNATURE_DIGEST_MISMATCH, "x %d", 1);
    assert_string_equal(fg_reason_of(&err)->code, "signature.digest-mismatch");
    assert_string_equal(err.detail, "x 1");
    fg_err_prefix(&err, "where");
    assert_string_equal(fg_reason_of(&err)->code, "signature.digest-mismatch");
    FG_FAIL(&err, FG_E_TOKEN_EXPIRED, "x"); /* nothing stays behind */
    assert_string_equal(fg_reason_of(&err)->code, "time.expired");
    assert_false(FG_FAIL_FOR(NULL, FG_E_DENIED, FG_R_POLICY_DENIED, "x"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_match_their_reasons),
        cmocka_unit_test(the_document_has_every_code),
        cmocka_unit_test(an_error_has_its_own_reason_or_that_of_its_fault),
    };
    return cmocka_run_group_tests(tests, read_doc, free_doc);
}
