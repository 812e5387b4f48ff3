/* reads.c: gets, queries, scans and filters of records with one value. */
#include "instructions.h"

enum { SHORT_SCAN = 100, KEYS_OF_A_CALL = 16 };

static void get_one(size_t n) {
    kstone_item *found = NULL;
    OK(kstone_get(db, PK(loaded_key(n)), NO_SK, &found, NULL));
    check_value(found);
    kstone_free(found);
}

static void get(void) {
    load_points(0);
    count(get_one, RECORDS);
}

/* Sixteen keys by one call; the count is that of one key. */
static void get_many_one(size_t n) {
    const void *pks[KEYS_OF_A_CALL];
    size_t lens[KEYS_OF_A_CALL];
    kstone_item *found[KEYS_OF_A_CALL];
    size_t i;
    for (i = 0; i < KEYS_OF_A_CALL; i++) {
        pks[i] = loaded_key(n * KEYS_OF_A_CALL + i)->bytes;
        lens[i] = KEY_BYTES;
    }
    OK(kstone_get_many(db, pks, lens, NULL, NULL, KEYS_OF_A_CALL, found, NULL));
    for (i = 0; i < KEYS_OF_A_CALL; i++) {
        check_value(found[i]);
        kstone_free(found[i]);
    }
}

static void get_many(void) {
    load_points(0);
    count_all(get_many_one, RECORDS / KEYS_OF_A_CALL, KEYS_OF_A_CALL);
}

static void get_attribute_one(size_t n) {
    char value[sizeof(VALUE_TEXT)];
    size_t len = 0;
    uint32_t type = 0;
    OK(kstone_get_attribute(db, PK(loaded_key(n)), NO_SK, LIT("v"), value, sizeof value, &len, &type, NULL));
    require(len == sizeof(VALUE_TEXT) - 1, "a value is not what was put");
}

static void get_attribute(void) {
    load_points(0);
    count(get_attribute_one, RECORDS);
}

/* The same by a statement that the database knows: what get costs, and what PartiQL adds. */
static void select_one(size_t n) {
    kstone_page *page = NULL;
    const key *binary = loaded_key(n);
    /* A key of UTF-8 would be a text: none begins with such a byte. */
    while ((binary->bytes[0] & 0xC0) != 0x80) {
        binary = loaded_key(++n);
    }
    OK(kstone_item_set_bin(params, LIT("?1"), PK(binary)));
    OK(kstone_execute(db, LIT("SELECT * FROM items WHERE pk = ? AND sk IS MISSING"), params, NULL, 0, &page, NULL));
    require(kstone_page_count(page) == 1, "a key has not one row");
    check_value(kstone_page_item(page, 0));
    kstone_free(page);
}

static void select_by_key(void) {
    load_points(0);
    params = kstone_item_new();
    count(select_one, RECORDS);
}

static void get_absent_one(size_t n) {
    kstone_item *found = NULL;
    NOT_FOUND(kstone_get(db, PK(&keys[RECORDS + n]), NO_SK, &found, NULL));
}

static void get_absent(void) {
    load_points(RECORDS + WARM_UP);
    count(get_absent_one, RECORDS);
}

/* PARTITIONS of PARTITION_RECORDS, put in the order of their sort keys' scrambled numbers. */
void load_partitions(void) {
    size_t i;
    make_keys(PARTITIONS, 1);
    open_with(NULL);
    for (i = 0; i < RECORDS; i++) {
        size_t n = i * 2657 % RECORDS;
        uint64_t sk = scrambled(n % PARTITION_RECORDS);
        OK(kstone_put(db, PK(&keys[n / PARTITION_RECORDS]), &sk, sizeof sk, item, NULL));
    }
}

static void query10_one(size_t n) {
    kstone_query_spec spec = {0};
    spec.struct_size = sizeof spec;
    spec.pk = keys[n * 263 % PARTITIONS].bytes;
    spec.pk_len = KEY_BYTES;
    read_page(&spec, PARTITION_RECORDS, kstone_query);
}

static void query10(void) {
    load_partitions();
    count(query10_one, 2000);
}

static void last_one(size_t n) {
    kstone_query_spec spec = {0};
    spec.struct_size = sizeof spec;
    spec.pk = keys[n * 263 % PARTITIONS].bytes;
    spec.pk_len = KEY_BYTES;
    spec.flags = KSTONE_QUERY_REVERSE;
    spec.limit = 1;
    read_page(&spec, 1, kstone_query);
}

static void last(void) {
    load_partitions();
    count(last_one, 2000);
}

static void query_index_one(size_t n) {
    static const char emails[] = "abcdefghij0123456789abcdefghij";
    kstone_query_spec spec = {0};
    spec.struct_size = sizeof spec;
    spec.index = "by-email";
    spec.index_len = KSTONE_STRLEN;
    spec.pk = emails + n % 20;
    spec.pk_len = 10;
    spec.limit = 10;
    read_page(&spec, 10, kstone_query);
}

/* 20 addresses, 225 items of each, and a query reads 10. */
static void query_index(void) {
    static const char emails[] = "abcdefghij0123456789abcdefghij";
    size_t n;
    make_keys(RECORDS, 1);
    open_with("{\"name\":\"items\",\"global_indexes\":[{\"name\":\"by-email\",\"partition_key\":\"email\"}]}");
    for (n = 0; n < RECORDS; n++) {
        OK(kstone_item_set_str(item, LIT("email"), emails + n % 20, 10));
        OK(kstone_put(db, PK(&keys[n]), NO_SK, item, NULL));
    }
    count(query_index_one, 2000);
}

static void scan_one(size_t n) {
    kstone_query_spec spec = {0};
    (void)n;
    spec.struct_size = sizeof spec;
    read_page(&spec, RECORDS, kstone_scan);
}

static void scan(void) {
    load_points(0);
    count_all(scan_one, 10, RECORDS);
}

static void iterate_one(size_t n) {
    kstone_iter *iter = NULL;
    const kstone_item *found = NULL;
    size_t items = 0;
    (void)n;
    OK(kstone_iter_open(db, NULL, &iter, NULL));
    while (kstone_iter_next(iter, &found, NULL) == KSTONE_OK) {
        check_value(found);
        items++;
    }
    require(items == RECORDS, "an iterator has not shown all items");
    kstone_free(iter);
}

static void iterate(void) {
    load_points(0);
    count_all(iterate_one, 10, RECORDS);
}

/* A hundred items by an iterator, and by a page. */
static void iterate100_one(size_t n) {
    kstone_iter *iter = NULL;
    const kstone_item *found = NULL;
    size_t i;
    (void)n;
    OK(kstone_iter_open(db, NULL, &iter, NULL));
    for (i = 0; i < SHORT_SCAN; i++) {
        OK(kstone_iter_next(iter, &found, NULL));
        check_value(found);
    }
    kstone_free(iter);
}

static void iterate100(void) {
    load_points(0);
    count(iterate100_one, 500);
}

static void scan100_one(size_t n) {
    kstone_query_spec spec = {0};
    (void)n;
    spec.struct_size = sizeof spec;
    spec.limit = SHORT_SCAN;
    read_page(&spec, SHORT_SCAN, kstone_scan);
}

static void scan100(void) {
    load_points(0);
    count(scan100_one, 500);
}

static void count_one(size_t n) {
    uint64_t items = 0;
    (void)n;
    OK(kstone_count(db, &items, NULL));
    require(items == RECORDS, "a count is not that of the items");
}

static void count_table(void) {
    load_points(0);
    count(count_one, 100);
}

/* The filter lets every tenth item through. */
static void filter_one(size_t n) {
    kstone_query_spec spec = {0};
    (void)n;
    spec.struct_size = sizeof spec;
    spec.filter = "n >= :n";
    spec.filter_len = KSTONE_STRLEN;
    spec.params = params;
    read_page(&spec, RECORDS / 10, kstone_scan);
}

static void filter(void) {
    load_numbered(0);
    OK(kstone_item_set_i64(params, LIT(":n"), 90));
    count_all(filter_one, 10, RECORDS);
}

const workload read_workloads[] = {
    {"get", get},
    {"get-many", get_many},
    {"get-attribute", get_attribute},
    {"select", select_by_key},
    {"get-absent", get_absent},
    {"query-10", query10},
    {"query-last", last},
    {"query-index", query_index},
    {"scan", scan},
    {"iterate", iterate},
    {"scan-100", scan100},
    {"iterate-100", iterate100},
    {"count", count_table},
    {"filter", filter},
    {NULL, NULL},
};
