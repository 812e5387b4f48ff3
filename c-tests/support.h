/*
 * support.h: what the tests of kstone share on top of check.h.
 *
 * CHECK_OK and CHECK_FAILS take a call whose last argument is `&err`; the variable `kstone_error *err = NULL;` must
 * be in scope. Both leave it NULL, so that one variable serves a whole test.
 */
#ifndef KSTONE_TEST_SUPPORT_H
#define KSTONE_TEST_SUPPORT_H

#include <stdlib.h>

#include "check.h"
#include "kstone.h"

/* A literal as pointer and length, its closing NUL left out: LIT("a\0b") is three bytes. */
#define LIT(text) (text), (sizeof(text) - 1)
/* No sort key. */
#define NO_SK NULL, 0

/* An output that nobody has written: a call that fails must leave it as it is. */
static inline void *support_untouched(void) {
    static char nothing;
    return &nothing;
}
#define UNTOUCHED(type) ((type *)support_untouched())
#define CHECK_UNTOUCHED(found) check_ptr(support_untouched(), (found), __FILE__, __LINE__, #found)

static inline void support_free_error(kstone_error **err) {
    kstone_free(*err);
    *err = NULL;
}

static inline void support_ok(kstone_status found, kstone_error **err, const char *file, int line, const char *text) {
    if (!check_count(found == KSTONE_OK && *err == NULL)) {
        const char *message = kstone_error_message(*err);
        fprintf(stderr, "%s:%d: %s: expected OK, found %d: %s\n", file, line, text, (int)found,
                message != NULL ? message : "no error object");
    }
    support_free_error(err);
}

/* `part`, where not NULL, must be in the message. */
static inline void support_fails(kstone_status expected, const char *part, kstone_status found, kstone_error **err,
                                 const char *file, int line, const char *text) {
    const char *message = kstone_error_message(*err);
    int passed = found == expected && *err != NULL && kstone_error_code(*err) == expected && message != NULL &&
                 message[0] != '\0' && kstone_error_name(*err) != NULL && kstone_error_index(*err) == -1 &&
                 kstone_error_item(*err) == NULL && (part == NULL || strstr(message, part) != NULL);
    if (!check_count(passed)) {
        fprintf(stderr, "%s:%d: %s: expected %d%s%s%s, found %d: %s\n", file, line, text, (int)expected,
                part != NULL ? " saying \"" : "", part != NULL ? part : "", part != NULL ? "\"" : "", (int)found,
                message != NULL ? message : "no error object");
    }
    support_free_error(err);
}

/* The call succeeds and sets no error. */
#define CHECK_OK(call) support_ok((call), &err, __FILE__, __LINE__, #call)
/* The call fails with this status and an error object that says the same. */
#define CHECK_FAILS(status, call) support_fails((status), NULL, (call), &err, __FILE__, __LINE__, #call)
/* The same, and `part` is in its message. */
#define CHECK_FAILS_SAYING(status, part, call) support_fails((status), (part), (call), &err, __FILE__, __LINE__, #call)
/* The call returns this status, and sets no error: for NOT_FOUND and DONE, and for calls without an error object. */
#define CHECK_STATUS(status, call) check_int((status), (call), __FILE__, __LINE__, #call)
/* The kstone_bytes `found` are the bytes of the literal. */
#define CHECK_BYTES(literal, found) \
    support_bytes((literal), sizeof(literal) - 1, (found), __FILE__, __LINE__, #found)
/* The kstone_bytes `found` are empty as this library says empty: (NULL, 0). */
#define CHECK_EMPTY(found) support_empty((found), __FILE__, __LINE__, #found)

static inline void support_bytes(const void *expected, size_t expected_len, kstone_bytes found, const char *file,
                                 int line, const char *text) {
    check_mem(expected, expected_len, found.data, found.len, file, line, text);
}

static inline void support_empty(kstone_bytes found, const char *file, int line, const char *text) {
    if (!check_count(found.data == NULL && found.len == 0)) {
        fprintf(stderr, "%s:%d: %s: expected (NULL, 0), found (%p, %zu)\n", file, line, text, (const void *)found.data,
                found.len);
    }
}

static inline kstone_value no_value(void) {
    kstone_value value;
    memset(&value, 0, sizeof value);
    return value;
}

static inline kstone_options default_options(void) {
    kstone_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    return options;
}

/* A spec of everything, for a scan. */
static inline kstone_query_spec scan_spec(void) {
    kstone_query_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    return spec;
}

/* A spec of all items of one partition. */
static inline kstone_query_spec query_spec(const void *pk, size_t pk_len) {
    kstone_query_spec spec = scan_spec();
    spec.pk = pk;
    spec.pk_len = pk_len;
    return spec;
}

/* A database whose memtables hold `memtable_max_records` (0: the default): few, where a test wants flushes. */
static inline kstone_db *open_database(uint64_t memtable_max_records) {
    kstone_options options = default_options();
    kstone_db *db = NULL;
    kstone_error *err = NULL;
    options.memtable_max_records = memtable_max_records;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    if (db == NULL) {
        fprintf(stderr, "no database: the test cannot go on\n");
        exit(1);
    }
    return db;
}

/* Puts {"v": value} under text keys; `sk` may be NULL. */
static inline void put_number(kstone_db *db, const char *pk, const char *sk, int64_t value) {
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("v"), value));
    CHECK_OK(kstone_put(db, pk, strlen(pk), sk, sk != NULL ? strlen(sk) : 0, item, &err));
    kstone_free(item);
}

/* The number that put_number left under this key, or INT64_MIN where there is none. */
static inline int64_t get_number(const kstone_db *db, const char *pk, const char *sk) {
    kstone_error *err = NULL;
    kstone_item *item = NULL;
    int64_t value = INT64_MIN;
    kstone_status status = kstone_get(db, pk, strlen(pk), sk, sk != NULL ? strlen(sk) : 0, &item, &err);
    if (status == KSTONE_OK) {
        CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
        kstone_free(item);
    } else {
        CHECK_STATUS(KSTONE_NOT_FOUND, status);
    }
    CHECK_NULL(err);
    return value;
}

/* The item that this typed JSON says; the caller frees it. */
static inline kstone_item *item_of(const char *json) {
    kstone_error *err = NULL;
    kstone_item *item = NULL;
    CHECK_OK(kstone_item_from_json(json, KSTONE_STRLEN, 0, &item, &err));
    return item;
}

/* How much work the tests that repeat themselves do, in percent: KSTONE_TEST_SCALE, 100 where it is not set. Under
 * valgrind a tenth is plenty. */
static inline size_t test_scale(size_t amount) {
    const char *text = getenv("KSTONE_TEST_SCALE");
    unsigned long percent = text != NULL ? strtoul(text, NULL, 10) : 100;
    size_t scaled = amount * percent / 100;
    return scaled > 0 ? scaled : 1;
}

#endif
