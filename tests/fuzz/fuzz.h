/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A fuzz target is one file with LLVMFuzzerTestOneInput().  `make check` links it with replay.c and runs its seeds
 * (tests/fuzz/seeds/NAME for fuzz_NAME); clang -fsanitize=fuzzer,address makes a fuzzer of it. */
#ifndef FG_TESTS_FUZZ_FUZZ_H
#define FG_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
