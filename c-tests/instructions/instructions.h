/*
 * instructions.h: what the workloads share: keys, records, checks, and the loop that is counted.
 */
#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kstone.h"

/* A literal as pointer and length. */
#define LIT(text) (text), (sizeof(text) - 1)

/* The call succeeds, or the program ends. */
#define OK(call) expect((call), KSTONE_OK, #call)
#define NOT_FOUND(call) expect((call), KSTONE_NOT_FOUND, #call)

enum {
    KEY_BYTES = 16,
    RECORDS = 4500,
    PARTITION_RECORDS = 10,
    PARTITIONS = RECORDS / PARTITION_RECORDS,
    /* Operations that are not counted, at the start of a workload. */
    WARM_UP = 100
};

/* As many bytes as the yardstick's values have. */
#define VALUE_TEXT \
    "anlqptxnwkckbnxxqsoijvwrzjxvdpvnvfaifvbbbrqotgptzahgtfztryrjeahhqkyiywmnywgyyznimlyhskpnkbsdfqwtjgrq"

/* What a family of workloads is called and does; the last of a list has no name. */
typedef struct workload {
    const char *name;
    void (*run)(void);
} workload;

extern const workload read_workloads[];
extern const workload write_workloads[];
extern const workload schema_workloads[];
extern const workload prepared_workloads[];
extern const workload document_workloads[];
extern const workload item_workloads[];
extern const workload account_workloads[];

/* Ends the program. */
void fail(const char *what);
void fail_status(kstone_status found, kstone_status expected, const char *what);

static inline void expect(kstone_status found, kstone_status expected, const char *what) {
    if (found != expected) {
        fail_status(found, expected, what);
    }
}

static inline void require(int holds, const char *what) {
    if (!holds) {
        fail(what);
    }
}

/* An operation of a workload, the n-th of it. */
typedef void operation(size_t n);

/* Does the operation unseen, numbers 0 to WARM_UP - 1, and then counted, with the numbers that follow. Each answers for
 * so many. */
void count_all(operation *run, size_t operations, size_t answer);
void count(operation *run, size_t operations);

/* The same with so many operations unseen. */
void count_after(operation *run, size_t unseen, size_t operations, size_t answer);

typedef struct key {
    uint8_t bytes[KEY_BYTES];
} key;

#define PK(key) (key)->bytes, KEY_BYTES
#define NO_SK NULL, 0

/* The database, an item of one value, parameters of expressions, and the keys: freed at the end where they are. */
extern kstone_db *db;
extern kstone_item *item;
extern kstone_item *params;
extern key *keys;

uint64_t scrambled(uint64_t x);

/* The keys that a workload uses, in so many stripes by turns: made before anything is counted. */
void make_keys(size_t number, unsigned stripes);

/* Key number n of those loaded, in an order that is not that of loading. */
static inline const key *loaded_key(size_t n) {
    return &keys[n * 2657 % RECORDS];
}

/* An attribute of a value that was read: what it says must be right, and it is touched as a caller would. */
static inline void check_value(const kstone_item *found) {
    kstone_value value;
    OK(kstone_item_get(found, LIT("v"), &value));
    require(value.bytes.len == sizeof(VALUE_TEXT) - 1, "a value is not what was put");
}

/* An empty database of that schema (NULL: none), and the item. */
void open_with(const char *schema);

/* A database of RECORDS points, and keys for so many more. */
void load_points(size_t more);
/* The same with a schema. */
void load_points_with(const char *schema, size_t more);
/* Points with a number n next to v, for expressions. */
void load_numbered(size_t more);
/* PARTITIONS of PARTITION_RECORDS, put in the order of their sort keys' scrambled numbers. */
void load_partitions(void);

/* Reads a page by kstone_query or kstone_scan and looks at each of its items. */
typedef kstone_status page_read(const kstone_db *, const kstone_query_spec *, kstone_page **, kstone_error **);
void read_page(const kstone_query_spec *spec, size_t expected, page_read *read);

#endif
