/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/keyring_image.h"

#include <stdio.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "core/json.h"
#include "core/time.h"

#define RING_FILE "ring.json"
#define FILE_MAX 65536u
#define PATH_SIZE 4096
#define LOAD_TRIES 3

static const char *const state_names[FG_KEY_STATES] = {"active", "next", "previous"};
static const char *const use_names[FG_KEY_USES] = {"signing", "encryption"};

const char *fg_key_use_name(fg_key_use_t use) { return use_names[use]; }

bool fg_keyring_path(const char *folder, const char *name, char path[PATH_SIZE]) {
    return snprintf(path, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE;
}

static bool read_file(const char *folder, const char *name, fg_buf_t *out, fg_file_stamp_t *stamp, fg_err_t *err) {
    char path[PATH_SIZE];
    if (!fg_keyring_path(folder, name, path))
        return FG_FAIL(err, FG_E_FILE, "path too long");
    return fg_file_read(path, out, stamp, err);
}

static bool write_file(const char *folder, const char *name, const fg_buf_t *content, fg_err_t *err) {
    char path[PATH_SIZE];
    if (!fg_keyring_path(folder, name, path))
        return FG_FAIL(err, FG_E_FILE, "path too long");
    if (!fg_buf_ok(content))
        return FG_FAIL(err, FG_E_MEMORY, "key ring");
    return fg_file_replace(path, fg_buf_str(content), 0600, err);
}

/* ---- reading */

/* A name within the folder, as we write them */
static bool read_name(const json_t *object, char name[FG_KEYRING_NAME_SIZE], fg_err_t *err) {
    fg_str_t file = fg_json_string(object, "file");
    if (file.n == 0 || file.n >= FG_KEYRING_NAME_SIZE || file.p[0] == '.' || memchr(file.p, '/', file.n) != NULL)
        return FG_FAIL(err, FG_E_CONFIG, "\"file\" must be the name of a file in the folder");
    memcpy(name, file.p, file.n);
    name[file.n] = '\0';
    return true;
}

static bool read_time(const json_t *object, const char *name, bool needed, int64_t *ms, fg_err_t *err) {
    fg_str_t text = fg_json_string(object, name);
    *ms = 0;
    if ((text.p == NULL && !needed && json_object_get(object, name) == NULL) || fg_time_parse(text, ms))
        return true;
    return FG_FAIL(err, FG_E_CONFIG, "\"%s\" must be a time like 2026-01-01T00:00:00Z", name);
}

static bool read_key(const char *folder, const json_t *object, fg_key_use_t use, fg_keyring_entry_t *entry,
                     fg_err_t *err) {
    if (!read_name(object, entry->file, err) || !read_time(object, "made", true, &entry->made_ms, err) ||
        !read_time(object, "retired", false, &entry->retired_ms, err))
        return false;
    fg_buf_t pem = FG_BUF_INIT(FILE_MAX);
    if (read_file(folder, entry->file, &pem, NULL, err)) {
        entry->key = fg_key_from_pem(fg_buf_str(&pem), err);
        if (entry->key == NULL)
            fg_err_prefix(err, "%s/%s", folder, entry->file);
    }
    fg_buf_free(&pem);
    if (entry->key == NULL)
        return false;
    if (!fg_key_is_private(entry->key) || fg_key_get_x509(entry->key) == NULL)
        return FG_FAIL(err, FG_E_CONFIG, "%s must hold a private key and its certificate", entry->file);
    if (!fg_str_is(fg_json_string(object, "id"), fg_key_get_id(entry->key)))
        return FG_FAIL(err, FG_E_CONFIG, "%s holds another key than the ring says: its id is %s", entry->file,
                       fg_key_get_id(entry->key));
    if (use == FG_KEY_ENCRYPTION && fg_key_is_ec(entry->key))
        return FG_FAIL(err, FG_E_CONFIG, "%s: an encryption key must be RSA", entry->file);
    return true;
}

static bool read_use(const char *folder, const json_t *root, fg_key_use_t use, fg_keyring_image_t *image,
                     fg_err_t *err) {
    const json_t *states = json_object_get(root, use_names[use]);
    for (int state = 0; state < FG_KEY_STATES; state++) {
        const json_t *object = json_object_get(states, state_names[state]);
        if (object != NULL && !read_key(folder, object, use, &image->keys[use][state], err))
            return fg_err_prefix(err, "%s %s key", state_names[state], use_names[use]);
    }
    return image->keys[use][FG_KEY_ACTIVE].key != NULL || FG_FAIL(err, FG_E_CONFIG, "no active %s key", use_names[use]);
}

static bool unhex_id(fg_str_t text, unsigned char id[4]) {
    char again[9];
    if (text.n != 8)
        return false;
    for (size_t i = 0; i < 4; i++) {
        unsigned byte = 0;
        if (sscanf(text.p + 2 * i, "%2x", &byte) != 1)
            return false;
        id[i] = (unsigned char)byte;
    }
    fg_hex_encode(id, 4, again);
    return fg_str_is(text, again);
}

static bool read_sealing_file(const char *folder, fg_keyring_sealing_t *sealing, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(128), bytes = FG_BUF_INIT(128);
    bool ok = read_file(folder, sealing->file, &text, NULL, err);
    if (ok) {
        ok = fg_base64_decode(&bytes, fg_str_trim(fg_buf_str(&text))) && bytes.length == FG_SEAL_KEY_SIZE;
        if (ok)
            memcpy(sealing->key.key, bytes.data, FG_SEAL_KEY_SIZE);
        else
            FG_FAIL(err, FG_E_CONFIG, "%s/%s: not a sealing key", folder, sealing->file);
    }
    fg_buf_free(&text);
    fg_buf_free(&bytes);
    return ok;
}

static bool read_sealing(const char *folder, const json_t *root, fg_keyring_image_t *image, fg_err_t *err) {
    const json_t *list = json_object_get(root, "sealing");
    size_t count = json_array_size(list);
    if (count < 1 || count > FG_SEALING_MAX)
        return FG_FAIL(err, FG_E_CONFIG, "\"sealing\" must list 1 to %u keys", FG_SEALING_MAX);
    for (; image->sealing_count < count; image->sealing_count++) {
        const json_t *object = json_array_get(list, image->sealing_count);
        fg_keyring_sealing_t *sealing = &image->sealing[image->sealing_count];
        if (!unhex_id(fg_json_string(object, "id"), sealing->key.id))
            return FG_FAIL(err, FG_E_CONFIG, "a sealing key's \"id\" must be 8 hexadecimal digits");
        if (!read_name(object, sealing->file, err) || !read_time(object, "made", true, &sealing->made_ms, err) ||
            !read_time(object, "from", true, &sealing->from_ms, err) || !read_sealing_file(folder, sealing, err))
            return false;
    }
    return true;
}

static bool load_once(const char *folder, fg_keyring_image_t *image, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(FILE_MAX);
    if (!read_file(folder, RING_FILE, &text, &image->stamp, err)) {
        fg_buf_free(&text);
        return false;
    }
    json_t *root = fg_json_parse(fg_buf_str(&text), err);
    bool ok = root != NULL;
    if (ok && json_integer_value(json_object_get(root, "version")) != 1)
        ok = FG_FAIL(err, FG_E_CONFIG, "\"version\" must be 1");
    ok = ok && read_use(folder, root, FG_KEY_SIGNING, image, err) &&
         read_use(folder, root, FG_KEY_ENCRYPTION, image, err) && read_sealing(folder, root, image, err);
    json_decref(root);
    fg_buf_free(&text);
    return ok || fg_err_prefix(err, "%s/%s", folder, RING_FILE);
}

/* A ring replaced while we read may have lost a file that the old ring.json named: then there is a new one to read. */
bool fg_keyring_image_load(const char *folder, fg_keyring_image_t *image, fg_err_t *err) {
    char path[PATH_SIZE];
    fg_file_stamp_t now;
    for (int i = 0; i < LOAD_TRIES; i++) {
        if (load_once(folder, image, err))
            return true;
        bool replaced = fg_keyring_path(folder, RING_FILE, path) && fg_file_stamp(path, &now) &&
                        !fg_file_stamp_eq(&now, &image->stamp);
        fg_keyring_image_clear(image);
        if (!replaced)
            break;
    }
    return false;
}

/* ---- writing */

static bool write_fresh_keys(const char *folder, fg_keyring_image_t *image, fg_err_t *err) {
    for (int i = 0; i < FG_KEY_USES * FG_KEY_STATES; i++) {
        fg_keyring_entry_t *entry = &image->keys[i / FG_KEY_STATES][i % FG_KEY_STATES];
        if (entry->key == NULL || !entry->fresh)
            continue;
        fg_buf_t pem = FG_BUF_INIT(FILE_MAX);
        bool ok = fg_key_to_pem(entry->key, &pem, err) && write_file(folder, entry->file, &pem, err);
        fg_buf_free(&pem);
        if (!ok)
            return false;
        entry->fresh = false;
    }
    return true;
}

static bool write_fresh_sealing(const char *folder, fg_keyring_image_t *image, fg_err_t *err) {
    for (unsigned i = 0; i < image->sealing_count; i++) {
        fg_keyring_sealing_t *sealing = &image->sealing[i];
        if (!sealing->fresh)
            continue;
        fg_buf_t text = FG_BUF_INIT(128);
        fg_base64_encode(&text, sealing->key.key, FG_SEAL_KEY_SIZE);
        fg_buf_putc(&text, '\n');
        bool ok = write_file(folder, sealing->file, &text, err);
        fg_buf_free(&text);
        if (!ok)
            return false;
        sealing->fresh = false;
    }
    return true;
}

static void put_time(fg_buf_t *out, const char *name, int64_t ms) {
    char text[FG_TIME_SIZE];
    fg_time_format(ms, text);
    fg_buf_printf(out, ", \"%s\": \"%s\"", name, text);
}

static void put_use(fg_buf_t *out, const fg_keyring_image_t *image, int use) {
    fg_buf_printf(out, "  \"%s\": {", use_names[use]);
    const char *separator = "\n";
    for (int state = 0; state < FG_KEY_STATES; state++) {
        const fg_keyring_entry_t *entry = &image->keys[use][state];
        if (entry->key == NULL)
            continue;
        fg_buf_printf(out, "%s    \"%s\": {\"id\": \"%s\", \"file\": \"%s\"", separator, state_names[state],
                      fg_key_get_id(entry->key), entry->file);
        put_time(out, "made", entry->made_ms);
        if (entry->retired_ms != 0)
            put_time(out, "retired", entry->retired_ms);
        fg_buf_putc(out, '}');
        separator = ",\n";
    }
    fg_buf_puts(out, "\n  },\n");
}

static void put_ring(fg_buf_t *out, const fg_keyring_image_t *image) {
    fg_buf_puts(out, "{\n  \"version\": 1,\n");
    put_use(out, image, FG_KEY_SIGNING);
    put_use(out, image, FG_KEY_ENCRYPTION);
    fg_buf_puts(out, "  \"sealing\": [");
    for (unsigned i = 0; i < image->sealing_count; i++) {
        char id[9];
        fg_hex_encode(image->sealing[i].key.id, 4, id);
        fg_buf_printf(out, "%s\n    {\"id\": \"%s\", \"file\": \"%s\"", i > 0 ? "," : "", id, image->sealing[i].file);
        put_time(out, "made", image->sealing[i].made_ms);
        put_time(out, "from", image->sealing[i].from_ms);
        fg_buf_putc(out, '}');
    }
    fg_buf_puts(out, "\n  ]\n}\n");
}

static bool names_file(const fg_keyring_image_t *image, const char *file) {
    for (int i = 0; i < FG_KEY_USES * FG_KEY_STATES; i++) {
        const fg_keyring_entry_t *entry = &image->keys[i / FG_KEY_STATES][i % FG_KEY_STATES];
        if (entry->key != NULL && strcmp(entry->file, file) == 0)
            return true;
    }
    for (unsigned i = 0; i < image->sealing_count; i++)
        if (strcmp(image->sealing[i].file, file) == 0)
            return true;
    return false;
}

static void delete_dropped(const char *folder, const fg_keyring_image_t *image, const char *file) {
    char path[PATH_SIZE];
    if (!names_file(image, file) && fg_keyring_path(folder, file, path))
        unlink(path); /* a file that stays is named by nobody: no harm */
}

bool fg_keyring_image_save(const char *folder, fg_keyring_image_t *image, const fg_keyring_image_t *old,
                           fg_err_t *err) {
    char path[PATH_SIZE];
    if (!fg_keyring_path(folder, RING_FILE, path))
        return FG_FAIL(err, FG_E_FILE, "path too long");
    fg_buf_t text = FG_BUF_INIT(FILE_MAX);
    put_ring(&text, image);
    bool ok = write_fresh_keys(folder, image, err) && write_fresh_sealing(folder, image, err) &&
              write_file(folder, RING_FILE, &text, err);
    fg_buf_free(&text);
    if (!ok)
        return false;
    fg_file_stamp(path, &image->stamp);
    for (int i = 0; i < FG_KEY_USES * FG_KEY_STATES; i++) {
        const fg_keyring_entry_t *entry = &old->keys[i / FG_KEY_STATES][i % FG_KEY_STATES];
        if (entry->key != NULL)
            delete_dropped(folder, image, entry->file);
    }
    for (unsigned i = 0; i < old->sealing_count; i++)
        delete_dropped(folder, image, old->sealing[i].file);
    return true;
}

/* ---- holding */

void fg_keyring_image_copy(fg_keyring_image_t *to, const fg_keyring_image_t *from) {
    *to = *from;
    for (int i = 0; i < FG_KEY_USES * FG_KEY_STATES; i++) {
        fg_key_t *key = from->keys[i / FG_KEY_STATES][i % FG_KEY_STATES].key;
        if (key != NULL)
            fg_key_ref(key);
    }
}

void fg_keyring_image_clear(fg_keyring_image_t *image) {
    for (int i = 0; i < FG_KEY_USES * FG_KEY_STATES; i++)
        fg_key_unref(image->keys[i / FG_KEY_STATES][i % FG_KEY_STATES].key);
    OPENSSL_cleanse(image, sizeof *image);
}
