/* schemas.c: what a typed key, an index, a stream or a TTL in the schema costs reads and writes. */
#include "instructions.h"

#define INDEX(name) "{\"name\":\"by-" name "\",\"partition_key\":\"" name "\"}"
#define SCHEMA_OF(indexes) "{\"name\":\"items\",\"global_indexes\":[" indexes "]}"

enum {
    INDEX_KEY_BYTES = 10,
    DISTINCT_KEYS = 20
};

/* A key begins at each of the first places, up to DISTINCT_KEYS. */
static const char letters[] = "abcdefghij0123456789abcdefghij";

static void get_one(size_t n) {
    kstone_item *found = NULL;
    OK(kstone_get(db, PK(loaded_key(n)), NO_SK, &found, NULL));
    check_value(found);
    kstone_free(found);
}

/* The same reads of the same records as the workload get, whose items have no attribute that the schema names. */
static void get_with_index(void) {
    load_points_with(SCHEMA_OF(INDEX("e1")), 0);
    count(get_one, RECORDS);
}

static void get_with_stream(void) {
    load_points_with("{\"name\":\"items\",\"stream\":{\"view_type\":\"KEYS_ONLY\",\"capacity\":10}}", 0);
    count(get_one, RECORDS);
}

static void get_with_ttl(void) {
    load_points_with("{\"name\":\"items\",\"ttl_attribute\":\"expires\"}", 0);
    count(get_one, RECORDS);
}

#define TYPED "{\"name\":\"items\",\"partition_key\":{\"name\":\"id\",\"type\":\"B\"}}"

/* The same reads and writes as the workloads get and put, of a table whose key has a name and a type. */
static void get_typed(void) {
    load_points_with(TYPED, 0);
    count(get_one, RECORDS);
}

static void put_typed_one(size_t n) {
    OK(kstone_put(db, PK(&keys[RECORDS + n]), NO_SK, item, NULL));
}

static void put_typed(void) {
    load_points_with(TYPED, 4 * RECORDS + WARM_UP);
    count(put_typed_one, 4 * RECORDS);
}

/* New items that carry their key: built beforehand. */
static kstone_item *keyed_items[4 * RECORDS + WARM_UP];

static void put_item_one(size_t n) {
    OK(kstone_put_item(db, keyed_items[n], NULL));
}

static void put_item(void) {
    size_t n;
    load_points_with(TYPED, 4 * RECORDS + WARM_UP);
    for (n = 0; n < 4 * RECORDS + WARM_UP; n++) {
        keyed_items[n] = kstone_item_new();
        OK(kstone_item_set_bin(keyed_items[n], LIT("id"), keys[RECORDS + n].bytes, KEY_BYTES));
        OK(kstone_item_set_str(keyed_items[n], LIT("v"), LIT(VALUE_TEXT)));
    }
    count(put_item_one, 4 * RECORDS);
    for (n = 0; n < 4 * RECORDS + WARM_UP; n++) {
        kstone_free(keyed_items[n]);
    }
}

/* New items with three attributes next to v, of which as many are keys as the schema has indexes: built beforehand. */
static kstone_item *indexed_items[DISTINCT_KEYS];

static void put_indexed_one(size_t n) {
    OK(kstone_put(db, PK(&keys[n]), NO_SK, indexed_items[n % DISTINCT_KEYS], NULL));
}

static void put_indexed(const char *schema) {
    size_t n;
    make_keys(2 * RECORDS, 1);
    open_with(schema);
    for (n = 0; n < DISTINCT_KEYS; n++) {
        indexed_items[n] = kstone_item_new();
        OK(kstone_item_set_str(indexed_items[n], LIT("e1"), letters + n, INDEX_KEY_BYTES));
        OK(kstone_item_set_str(indexed_items[n], LIT("e2"), letters + n / 2, INDEX_KEY_BYTES));
        OK(kstone_item_set_str(indexed_items[n], LIT("e3"), letters + n / 3, INDEX_KEY_BYTES));
        OK(kstone_item_set_str(indexed_items[n], LIT("v"), LIT(VALUE_TEXT)));
    }
    count_after(put_indexed_one, RECORDS, RECORDS, 1);
    for (n = 0; n < DISTINCT_KEYS; n++) {
        kstone_free(indexed_items[n]);
    }
}

static void put_without_index(void) {
    put_indexed(NULL);
}

static void put_with_1_index(void) {
    put_indexed(SCHEMA_OF(INDEX("e1")));
}

static void put_with_3_indexes(void) {
    put_indexed(SCHEMA_OF(INDEX("e1") "," INDEX("e2") "," INDEX("e3")));
}

const workload schema_workloads[] = {
    {"get-index", get_with_index},
    {"get-stream", get_with_stream},
    {"get-ttl", get_with_ttl},
    {"get-typed", get_typed},
    {"put-typed", put_typed},
    {"put-item", put_item},
    {"put-0-indexes", put_without_index},
    {"put-1-index", put_with_1_index},
    {"put-3-indexes", put_with_3_indexes},
    {NULL, NULL},
};
