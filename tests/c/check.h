/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the C tests share: a check that tells where it failed and lets the others run. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <evl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            failures++;                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
            fprintf(stderr, "    last error: %s\n", evl_last_error());          \
        }                                                                       \
    } while (0)

/* Without this nothing after it can be tested. */
#define REQUIRE(condition)                                                      \
    do {                                                                        \
        int failed_before = failures;                                           \
        CHECK(condition);                                                       \
        if (failures > failed_before)                                           \
            exit(1);                                                            \
    } while (0)

#endif
