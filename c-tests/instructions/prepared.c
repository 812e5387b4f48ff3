/* prepared.c: requests that are prepared once and run with values by position, next to those of the same name in
 * reads.c and writes.c. */
#include "instructions.h"

static kstone_prepared *prepared;

static void prepare(uint32_t kind, const char *text, const kstone_query_spec *query) {
    kstone_prepare_spec spec = KSTONE_PREPARE_SPEC_INIT;
    spec.kind = kind;
    spec.text = text;
    spec.text_len = text != NULL ? KSTONE_STRLEN : 0;
    spec.query = query;
    OK(kstone_prepare(db, &spec, &prepared, NULL));
}

static void update_one(size_t n) {
    int64_t one = 1;
    kstone_value value = {KSTONE_VALUE_I64, 0, {NULL, sizeof one}};
    value.bytes.data = (const uint8_t *)&one;
    OK(kstone_run_write(db, prepared, PK(loaded_key(n)), NO_SK, NULL, &value, 1, KSTONE_RETURN_NONE, NULL, NULL));
}

static void update(void) {
    load_numbered(0);
    prepare(KSTONE_PREPARE_UPDATE, "SET n = n + :n", NULL);
    count(update_one, 2 * RECORDS);
    kstone_free(prepared);
}

static void read_prepared(const kstone_value *value, size_t expected) {
    kstone_page *page = NULL;
    size_t i;
    OK(kstone_run(db, prepared, value, 1, 0, NULL, 0, &page, NULL));
    require(kstone_page_count(page) == expected, "a page has not as many items as it should");
    for (i = 0; i < expected; i++) {
        check_value(kstone_page_item(page, i));
    }
    kstone_free(page);
}

static kstone_value key_value(const key *bytes) {
    kstone_value value = {KSTONE_TYPE_B, 0, {NULL, KEY_BYTES}};
    value.bytes.data = bytes->bytes;
    return value;
}

static void query10_one(size_t n) {
    kstone_value value = key_value(&keys[n * 263 % PARTITIONS]);
    read_prepared(&value, PARTITION_RECORDS);
}

static void query10(void) {
    kstone_query_spec spec = {0};
    load_partitions();
    spec.struct_size = sizeof spec;
    spec.key_expr = "pk = :p";
    spec.key_expr_len = KSTONE_STRLEN;
    prepare(KSTONE_PREPARE_QUERY, NULL, &spec);
    count(query10_one, 2000);
    kstone_free(prepared);
}

static void select_one(size_t n) {
    kstone_value value = key_value(loaded_key(n));
    read_prepared(&value, 1);
}

static void select_by_key(void) {
    load_points(0);
    prepare(KSTONE_PREPARE_STATEMENT, "SELECT * FROM items WHERE pk = ? AND sk IS MISSING", NULL);
    count(select_one, RECORDS);
    kstone_free(prepared);
}

const workload prepared_workloads[] = {
    {"update-prepared", update},
    {"query-prepared", query10},
    {"select-prepared", select_by_key},
    {NULL, NULL},
};
