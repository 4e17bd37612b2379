/* SPDX-License-Identifier: GPL-2.0-or-later
 * JSON, files, spelling. */
#include "tests/unit/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "core/spell.h"

static bool parses(fg_str_t text, fg_err_t *err) {
    json_t *json = fg_json_parse(text, err);
    json_decref(json);
    return json != NULL;
}

/* JW-06 */
static void duplicate_names_are_refused_jw06(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    assert_true(parses(FG_STR("{\"a\":1,\"b\":{\"a\":2}}"), &err)); /* control */
    assert_false(parses(FG_STR("{\"a\":1,\n\"a\":2}"), &err));
    assert_err(&err, FG_E_CONFIG);
    assert_int_equal(strncmp(err.detail, "2:", 2), 0);
    assert_false(parses(FG_STR("{\"b\":{\"a\":1,\"\\u0061\":2}}"), &err));
    assert_false(parses(FG_STR("{\"a\":1} x"), &err));
    assert_false(parses(FG_STR("{\"a\":\"\\u0000\"}"), &err));
    assert_false(parses(FG_STR(""), &err));
    assert_false(parses(FG_STR_NONE, &err));
}

static void depth_is_bounded(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    char text[2 * 65 + 20];
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    assert_false(parses((fg_str_t){text, 130}, &err));
    assert_true(parses((fg_str_t){text + 1, 128}, &err));
    char quoted[200] = "[\"\\\"";
    memset(quoted + 4, '[', 100);
    memcpy(quoted + 104, "\"]", 3);
    assert_true(parses(fg_str(quoted), &err));
}

/* Duplicate names and scalars at the top are refused on purpose, against the suite. */
static bool refused_on_purpose(const char *name, const char *text) {
    return strncmp(name, "y_object_duplicated_key", 23) == 0 || text[strspn(text, " \t\r\n")] == '\0' ||
           strchr("{[", text[strspn(text, " \t\r\n")]) == NULL || strstr(text, "\\u0000") != NULL;
}

static void json_test_suite(void **state) {
    (void)state;
    if (test_vectors() == NULL)
        skip();
    char folder[512], path[1024];
    snprintf(folder, sizeof folder, "%s/json/test_parsing", test_vectors());
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int seen = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        fg_err_t err = FG_ERR_INIT;
        size_t length;
        char *text = test_file(path, &length);
        bool accepted = parses((fg_str_t){text, length}, &err);
        if (accepted && entry->d_name[0] == 'n')
            fail_msg("accepted: %s", entry->d_name);
        if (!accepted && entry->d_name[0] == 'y' && !refused_on_purpose(entry->d_name, text))
            fail_msg("refused: %s: %s", entry->d_name, err.detail);
        free(text);
        seen++;
    }
    closedir(dir);
    assert_int_equal(seen, 318);
}

/* SA-13 for JSON: what is put in comes out again, and cannot end a string or a script element. */
static void quoting_survives_anything(void **state) {
    (void)state;
    fg_buf_t out = FG_BUF_INIT(1000);
    fg_json_quote(&out, FG_STR("a\"\\\n\x01\0</script>&\xe2\x80\xa8\xc3\xa4\xff\xed\xa0\x80\x7f"));
    assert_string_equal(out.data, "\"a\\\"\\\\\\n\\u0001\\u0000\\u003c/script\\u003e\\u0026\\u2028\xc3\xa4\\ufffd\\ufffd\\ufffd\\ufffd\\u007f\"");
    fg_buf_reset(&out);
    fg_json_quote(&out, FG_STR_NONE);
    assert_string_equal(out.data, "\"\"");
    fg_buf_free(&out);
    json_t *json = json_pack("{s:s, s:i}", "a", "text", "n", 1);
    assert_true(fg_str_is(fg_json_string(json, "a"), "text"));
    assert_null(fg_json_string(json, "n").p);
    assert_null(fg_json_string(json, "none").p);
    json_decref(json);
}

/* ---- files */

static char folder[64];

static const char *in_folder(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/fedgate-test-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *names[] = {"file", "lock", "fifo"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
        unlink(in_folder(names[i]));
    return rmdir(folder); /* fails if anything was left beside */
}

static void a_file_is_replaced_whole(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_file_stamp_t none, first, second;
    fg_buf_t buf = FG_BUF_INIT(8);
    assert_false(fg_file_stamp(in_folder("file"), &none));
    assert_false(fg_file_read(in_folder("file"), &buf, NULL, &err));
    assert_err(&err, FG_E_FILE);
    assert_true(fg_file_replace(in_folder("file"), FG_STR("12345678"), 0600, &err));
    struct stat status;
    assert_int_equal(stat(in_folder("file"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(fg_file_read(in_folder("file"), &buf, &first, &err));
    assert_true(fg_str_is(fg_buf_str(&buf), "12345678"));
    assert_false(fg_file_stamp_eq(&none, &first));
    assert_true(fg_file_replace(in_folder("file"), FG_STR("abcdefgh"), 0640, &err));
    assert_true(fg_file_stamp(in_folder("file"), &second));
    assert_false(fg_file_stamp_eq(&first, &second)); /* another inode, even within the clock's grain */
    assert_true(fg_file_replace(in_folder("file"), FG_STR("123456789"), 0600, &err));
    fg_buf_reset(&buf);
    assert_false(fg_file_read(in_folder("file"), &buf, NULL, &err)); /* larger than the buffer's maximum */
    assert_err(&err, FG_E_FILE);
    assert_false(fg_file_replace(in_folder("none/file"), FG_STR("x"), 0600, &err));
    assert_err(&err, FG_E_FILE);
    fg_buf_free(&buf);
}

static void only_regular_files_are_read(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t buf = FG_BUF_INIT(100);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_false(fg_file_read(in_folder("fifo"), &buf, NULL, &err));
    assert_err(&err, FG_E_FILE);
    assert_false(fg_file_read(folder, &buf, NULL, &err));
    assert_false(fg_file_read("/dev/zero", &buf, NULL, &err));
    fg_buf_free(&buf);
}

static void a_lock_excludes(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    int lock = fg_file_lock(in_folder("lock"), &err);
    assert_true(lock >= 0);
    fg_file_unlock(lock);
    lock = fg_file_lock(in_folder("lock"), &err);
    assert_true(lock >= 0);
    fg_file_unlock(lock);
    assert_int_equal(fg_file_lock(in_folder("none/lock"), &err), -1);
    assert_err(&err, FG_E_FILE);
}

static void the_nearest_word_is_found(void **state) {
    (void)state;
    static const char *const words[] = {"list", "roll", "forget", "partner", "partners"};
    static const char *rows[][2] = {{"lsit", "list"}, {"rol", "roll"}, {"forgte", "forget"}, {"PARTNER", "partner"}, {"partner_s", "partners"}, {"banana", NULL}, {"", NULL}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        const char *nearest = fg_spell_nearest(rows[i][0], words, FG_ARRAY_SIZE(words));
        if (rows[i][1] == NULL)
            assert_null(nearest);
        else
            assert_string_equal(nearest, rows[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duplicate_names_are_refused_jw06),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(json_test_suite),
        cmocka_unit_test(quoting_survives_anything),
        cmocka_unit_test_setup_teardown(a_file_is_replaced_whole, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(only_regular_files_are_read, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_lock_excludes, make_folder, remove_folder),
        cmocka_unit_test(the_nearest_word_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
