/*
 * What a cached SELECT by key costs compared with kstone_get, in one run and interleaved, as the median of several rounds.
 * No test: nothing depends on what it prints. To run it, on a machine that does nothing else:
 *
 *     cargo build --release
 *     cc -O2 -I include c-tests/measure_execute.c target/release/libkstone.a -lpthread -ldl -lm -o measure_execute
 *     ./measure_execute
 */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kstone.h"

enum { ITEMS = 100000, CALLS = 100000, ROUNDS = 15, WAYS = 4 };

static const char *const NAMES[WAYS] = {
    "kstone_get",
    "SELECT * ... WHERE pk = 'user#4711'",
    "SELECT * ... WHERE pk = ? AND sk IS MISSING",
    "SELECT name ... WHERE pk = ? AND sk IS MISSING",
};

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void must(int good, const char *what) {
    if (!good) {
        fprintf(stderr, "%s failed\n", what);
        exit(1);
    }
}

/* One call; the parameters hold the key. */
static void call(kstone_db *db, int way, const char *key, size_t len, kstone_item *params) {
    static const char *const STATEMENTS[WAYS] = {
        NULL,
        "SELECT * FROM items WHERE pk = 'user#4711' AND sk IS MISSING",
        "SELECT * FROM items WHERE pk = ? AND sk IS MISSING",
        "SELECT name FROM items WHERE pk = ? AND sk IS MISSING",
    };
    if (way == 0) {
        kstone_item *item = NULL;
        must(kstone_get(db, key, len, NULL, 0, &item, NULL) == KSTONE_OK, NAMES[way]);
        kstone_free(item);
    } else {
        kstone_page *page = NULL;
        must(kstone_execute(db, STATEMENTS[way], KSTONE_STRLEN, way == 1 ? NULL : params, NULL, 0, &page, NULL) ==
                 KSTONE_OK,
             NAMES[way]);
        must(kstone_page_count(page) == 1, NAMES[way]);
        kstone_free(page);
    }
}

int main(void) {
    static double ns[WAYS][ROUNDS];
    kstone_db *db = NULL;
    kstone_item *item = kstone_item_new();
    kstone_item *params = kstone_item_new();
    char key[32];
    int i, round, way;
    must(kstone_open_memory(NULL, &db, NULL) == KSTONE_OK, "kstone_open_memory");
    for (i = 0; i < ITEMS; i++) {
        int len = snprintf(key, sizeof key, "user#%d", i);
        kstone_item_set_str(item, "name", KSTONE_STRLEN, "Alice", KSTONE_STRLEN);
        kstone_item_set_i64(item, "age", KSTONE_STRLEN, i);
        must(kstone_put(db, key, (size_t)len, NULL, 0, item, NULL) == KSTONE_OK, "kstone_put");
    }
    for (round = 0; round < ROUNDS; round++) {
        for (way = 0; way < WAYS; way++) {
            double spent = 0;
            unsigned random = 12345;
            for (i = 0; i < CALLS; i++) {
                int len;
                double start;
                random = random * 1664525u + 1013904223u;
                len = snprintf(key, sizeof key, "user#%u", way == 1 ? 4711u : (random >> 8) % ITEMS);
                kstone_item_set_str(params, "?1", KSTONE_STRLEN, key, (size_t)len);
                start = now_ns();
                call(db, way, key, (size_t)len, params);
                spent += now_ns() - start;
            }
            ns[way][round] = spent / CALLS;
        }
    }
    for (way = 0; way < WAYS; way++) {
        qsort(ns[way], ROUNDS, sizeof ns[way][0], by_size);
        printf("%8.0f ns  %+8.0f  %s\n", ns[way][ROUNDS / 2], ns[way][ROUNDS / 2] - ns[0][ROUNDS / 2], NAMES[way]);
    }
    kstone_free(params);
    kstone_free(item);
    kstone_free(db);
    return 0;
}
