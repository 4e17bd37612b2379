/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A federation's metadata of many entities, made up and signed: how long it takes to load, how much memory it takes
 * while it is loaded and afterwards, how long a look-up and the first use of an entity take. make bench; bench/metadata
 * [ENTITIES [FILE]]   FILE: the document is left there, for other programs. */
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bridges/saml/aggregate.h"
#include "tests/unit/aggregate.h"

#define NOW INT64_C(1767225600000)
#define LOOKUPS 1000000u
#define USES 500u
#define SIZE_MAX_FILE (512u << 20)

static int64_t now(const fg_env_t *env) {
    (void)env;
    return NOW;
}

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* In MiB, of this process: at its highest, and now. */
static double peak(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static double present(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (file != NULL)
        fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

/* In a process of its own, so that what it needs does not count. */
static bool make_document(const char *path, unsigned count, const fg_key_t *key) {
    fg_buf_t text = FG_BUF_INIT(AGGREGATE_MAX);
    bool made = aggregate_make(&text, count, false, "2026-02-01T00:00:00Z", key, key, "") &&
                aggregate_write(path, fg_buf_str(&text));
    fg_buf_free(&text);
    return made;
}

static double time_lookups(const fg_saml_aggregate_t *aggregate, unsigned count, unsigned *found) {
    char id[64];
    double begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < LOOKUPS; i++) {
        unsigned which = (i * 7919u) % count;
        int n = snprintf(id, sizeof id, which % 5 < 2 ? "https://idp%u.example/idp" : "https://sp%u.example/sp", which);
        *found += fg_saml_aggregate_find(aggregate, (fg_str_t){id, (size_t)n}) != NULL;
    }
    return seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
}

static double time_uses(const fg_saml_aggregate_t *aggregate, const fg_env_t *env, size_t count, unsigned *good) {
    size_t all;
    const fg_saml_listed_t *entities = fg_saml_aggregate_entities(aggregate, &all);
    double begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < USES; i++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_err_t err = FG_ERR_INIT;
        fg_entity_reader_t in = {env, arena, &err, 0};
        static fg_saml_party_t party;
        bool found = false;
        const fg_saml_listed_t *listed = &entities[(i * 7919u) % count];
        const xmlNode *node = fg_saml_aggregate_open(aggregate, listed, &in);
        fg_saml_role_t role =
            listed->roles == 1u << FG_SAML_SERVICE_PROVIDER ? FG_SAML_SERVICE_PROVIDER : FG_SAML_IDENTITY_PROVIDER;
        *good += node != NULL && fg_saml_party_read_entity(&in, node, role, &party, &found) && found;
        fg_arena_free(arena);
    }
    return seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
}

static int run(const char *path, const fg_key_t *key) {
    const fg_env_t env = {.now_ms = now};
    const fg_dsig_trust_t trust = {&key, 1, false};
    fg_err_t err = FG_ERR_INIT;
    unsigned found = 0, good = 0;
    size_t count;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return 1;
    double size = (double)ftell(file) / (1 << 20), before = present(), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID),
           wall = seconds(CLOCK_MONOTONIC);
    fclose(file);
    fg_saml_aggregate_t *aggregate = fg_saml_aggregate_load(&env, path, SIZE_MAX_FILE, &trust, &err);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    wall = seconds(CLOCK_MONOTONIC) - wall;
    if (aggregate == NULL) {
        fprintf(stderr, "%s\n", err.detail);
        return 1;
    }
    malloc_trim(0);
    double kept = present() - before, highest = peak() - before;
    (void)fg_saml_aggregate_entities(aggregate, &count);
    double lookup = time_lookups(aggregate, (unsigned)count, &found), use = time_uses(aggregate, &env, count, &good);
    printf("metadata: %zu entities, %.1f MiB\n", count, size);
    printf("  load, signature verified  %6.2f s CPU, %.2f s by the clock (%.0f MiB/s)\n", cpu, wall, size / cpu);
    printf("  memory                    %6.1f MiB afterwards, %.1f MiB at most while loading\n", kept, highest);
    printf("  look-up by entityID       %6.2f us\n", lookup / LOOKUPS * 1e6);
    printf("  first use of an entity    %6.1f us\n", use / USES * 1e6);
    fg_saml_aggregate_unref(aggregate);
    return found == LOOKUPS && good == USES ? 0 : 1;
}

int main(int argc, char **argv) {
    fg_err_t err = FG_ERR_INIT;
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
    char own[] = "/tmp/fedgate-metadata-XXXXXX";
    const char *path = argc > 2 ? argv[2] : own;
    int file = argc > 2 ? -1 : mkstemp(own);
    if (!fg_crypto_start() || !fg_xml_start(&err) || count == 0)
        return 1;
    fg_key_t *key = fg_key_generate(FG_KEY_RSA_2048, "federation", NOW, NOW + 1, &err);
    pid_t pid = key != NULL ? fork() : -1;
    if (pid == 0)
        _exit(make_document(path, count, key) ? 0 : 1);
    int status = 1;
    if (pid > 0)
        waitpid(pid, &status, 0);
    status = status == 0 ? run(path, key) : 1;
    if (file >= 0) {
        close(file);
        unlink(own);
    }
    fg_key_unref(key);
    return status;
}
