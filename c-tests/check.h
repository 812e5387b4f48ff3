/*
 * check.h: the harness of the C and C++ tests.
 *
 * Each macro is one check: it counts, and where it fails it prints the place, the expression and both values, and goes
 * on. A test program ends with `return check_report();`, which prints "N passed, M failed" alone on its line and gives
 * the exit code.
 *
 * Arguments are evaluated once. Expected comes before found. Any thread may check.
 */
#ifndef KSTONE_CHECK_H
#define KSTONE_CHECK_H

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
#include <atomic>
typedef std::atomic<unsigned long> check_counter;
#else
#include <stdatomic.h>
typedef atomic_ulong check_counter;
#endif

static check_counter check_passed_count;
static check_counter check_failed_count;

/* Counts one check; true where it passed, so that a caller prints what was found only where it did not. */
static inline int check_count(int passed) {
    if (passed) {
        check_passed_count++;
    } else {
        check_failed_count++;
    }
    return passed;
}

static inline void check_true(int passed, const char *file, int line, const char *text) {
    if (!check_count(passed)) {
        fprintf(stderr, "%s:%d: %s: is false\n", file, line, text);
    }
}

static inline void check_int(intmax_t expected, intmax_t found, const char *file, int line, const char *text) {
    if (!check_count(expected == found)) {
        fprintf(stderr, "%s:%d: %s: expected %" PRIdMAX ", found %" PRIdMAX "\n", file, line, text, expected, found);
    }
}

static inline void check_size(size_t expected, size_t found, const char *file, int line, const char *text) {
    if (!check_count(expected == found)) {
        fprintf(stderr, "%s:%d: %s: expected %zu, found %zu\n", file, line, text, expected, found);
    }
}

static inline void check_f64(double expected, double found, const char *file, int line, const char *text) {
    /* Two comparisons: the compiler warns of == between doubles, and equal is what is meant. */
    if (!check_count(expected <= found && expected >= found)) {
        fprintf(stderr, "%s:%d: %s: expected %.17g, found %.17g\n", file, line, text, expected, found);
    }
}

static inline void check_ptr(const void *expected, const void *found, const char *file, int line, const char *text) {
    if (!check_count(expected == found)) {
        fprintf(stderr, "%s:%d: %s: expected %p, found %p\n", file, line, text, expected, found);
    }
}

static inline void check_str(const char *expected, const char *found, const char *file, int line, const char *text) {
    if (!check_count(found != NULL && strcmp(expected, found) == 0)) {
        fprintf(stderr, "%s:%d: %s:\n  expected \"%s\"\n  found    \"%s\"\n", file, line, text, expected,
                found != NULL ? found : "(NULL)");
    }
}

static inline void check_contains(const char *part, const char *found, const char *file, int line, const char *text) {
    if (!check_count(found != NULL && strstr(found, part) != NULL)) {
        fprintf(stderr, "%s:%d: %s:\n  expected \"%s\" within\n  \"%s\"\n", file, line, text, part,
                found != NULL ? found : "(NULL)");
    }
}

static inline void check_print_bytes(const char *title, const void *data, size_t len) {
    const unsigned char *bytes = (const unsigned char *)data;
    size_t shown = len < 64 ? len : 64;
    size_t i;
    fprintf(stderr, "  %s (%zu bytes)", title, len);
    for (i = 0; i < shown; i++) {
        fprintf(stderr, bytes[i] >= 0x20 && bytes[i] < 0x7f ? " '%c'" : " %02x", (unsigned)bytes[i]);
    }
    fprintf(stderr, "%s\n", shown < len ? " ..." : "");
}

static inline void check_mem(const void *expected, size_t expected_len, const void *found, size_t found_len,
                             const char *file, int line, const char *text) {
    int same = expected_len == found_len && (expected_len == 0 || memcmp(expected, found, expected_len) == 0);
    if (!check_count(same)) {
        fprintf(stderr, "%s:%d: %s:\n", file, line, text);
        check_print_bytes("expected", expected, expected_len);
        check_print_bytes("found   ", found, found_len);
    }
}

#define CHECK(condition) check_true((condition) ? 1 : 0, __FILE__, __LINE__, #condition)
#define CHECK_INT(expected, found) check_int((expected), (found), __FILE__, __LINE__, #found)
#define CHECK_SIZE(expected, found) check_size((expected), (found), __FILE__, __LINE__, #found)
#define CHECK_F64(expected, found) check_f64((expected), (found), __FILE__, __LINE__, #found)
#define CHECK_PTR(expected, found) check_ptr((expected), (found), __FILE__, __LINE__, #found)
#define CHECK_NULL(found) check_ptr(NULL, (found), __FILE__, __LINE__, #found)
#define CHECK_STR(expected, found) check_str((expected), (found), __FILE__, __LINE__, #found)
/* The text `found` has `part` in it. */
#define CHECK_CONTAINS(part, found) check_contains((part), (found), __FILE__, __LINE__, #found)
#define CHECK_MEM(expected, expected_len, found, found_len) \
    check_mem((expected), (expected_len), (found), (found_len), __FILE__, __LINE__, #found)

/* The last line of a test program, and its exit code: 0 where every check passed. */
static inline int check_report(void) {
    unsigned long passed = check_passed_count;
    unsigned long failed = check_failed_count;
    fflush(stderr);
    printf("%lu passed, %lu failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}

#endif
