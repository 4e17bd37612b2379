/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Runs a fuzz target over files: those named on the command line, or the seeds of the target that this program is. */
#include "tests/fuzz/fuzz.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX (1u << 20)

static int run(const char *path) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(SEED_MAX);
    if (file == NULL || data == NULL) {
        perror(path);
        return 1;
    }
    size_t size = fread(data, 1, SEED_MAX, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

static int run_seeds(const char *program) {
    char pattern[1024];
    glob_t found;
    const char *folder = getenv("FEDGATE_SRCDIR"), *name = strrchr(program, '/');
    name = name ? name + 1 : program;
    name = strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
    snprintf(pattern, sizeof pattern, "%s/tests/fuzz/seeds/%s/*", folder ? folder : ".", name);
    if (glob(pattern, 0, NULL, &found) != 0) {
        fprintf(stderr, "no seeds: %s\n", pattern);
        return 1;
    }
    int failed = 0;
    for (size_t i = 0; i < found.gl_pathc; i++)
        failed |= run(found.gl_pathv[i]);
    printf("%zu seeds\n", found.gl_pathc);
    globfree(&found);
    return failed;
}

int main(int argc, char **argv) {
    if (argc < 2)
        return run_seeds(argv[0]);
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= run(argv[i]);
    return failed;
}
