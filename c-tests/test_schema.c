/* Indexes, expiry and the change stream: schemas given at the opening and changed later, wrong ones refused. */
#include "support.h"

#define SCHEMA                                                                                                         \
    "{\"global_indexes\":[{\"name\":\"by-status\",\"partition_key\":\"status\",\"sort_key\":\"age\"}],"                  \
    "\"ttl_attribute\":\"expires_at\",\"stream\":{\"view_type\":\"NEW_IMAGE\",\"capacity\":1000}}"

static kstone_db *open_with_schema(const char *schema) {
    kstone_error *err = NULL;
    kstone_db *db = NULL;
    kstone_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.schema_json = schema;
    options.schema_json_len = KSTONE_STRLEN;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    return db;
}

static void put_user(kstone_db *db, const char *pk, const char *status, int64_t age, int64_t expires_at) {
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("status"), status, KSTONE_STRLEN));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("age"), age));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("expires_at"), expires_at));
    CHECK_OK(kstone_put(db, pk, strlen(pk), NULL, 0, item, &err));
    kstone_free(item);
}

static kstone_query_spec by_status(const char *status) {
    kstone_query_spec spec = query_spec(status, strlen(status));
    spec.index = "by-status";
    spec.index_len = KSTONE_STRLEN;
    return spec;
}

/* The keys that a query of the index finds, one letter each. */
static void check_found(const kstone_db *db, kstone_query_spec spec, const char *expected) {
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    size_t i;
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    CHECK_SIZE(strlen(expected), kstone_page_count(page));
    for (i = 0; i < kstone_page_count(page); i++) {
        kstone_bytes pk = kstone_item_pk(kstone_page_item(page, i));
        CHECK_MEM(expected + i, 1, pk.data, pk.len);
    }
    kstone_free(page);
}

static void an_index_is_queried_by_its_own_key(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_with_schema(SCHEMA);
    kstone_query_spec spec = by_status("open");
    kstone_item *params = kstone_item_new();
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    CHECK_OK(kstone_set_time(db, 1000, &err));
    put_user(db, "a", "open", 30, 5000);
    put_user(db, "b", "open", 9, 5000);
    put_user(db, "c", "shut", 1, 5000);
    check_found(db, spec, "ba");
    spec.flags = KSTONE_QUERY_REVERSE;
    check_found(db, spec, "ab");
    put_user(db, "a", "shut", 30, 5000);
    check_found(db, by_status("open"), "b");
    CHECK_OK(kstone_delete(db, LIT("b"), NULL, 0, &err));
    check_found(db, by_status("open"), "");

    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(params, LIT(":s"), LIT("shut")));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(params, LIT(":a"), 10));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(params, LIT("#s"), LIT("status")));
    spec = scan_spec();
    spec.index = "by-status";
    spec.index_len = 9;
    spec.key_expr = "#s = :s AND age > :a";
    spec.key_expr_len = KSTONE_STRLEN;
    spec.params = params;
    check_found(db, spec, "a");
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    CHECK_OK(kstone_iter_next(iter, &item, &err));
    CHECK_STATUS(KSTONE_DONE, kstone_iter_next(iter, &item, &err));
    kstone_free(iter);
    kstone_free(params);
    kstone_free(db);
}

static void what_has_expired_is_gone_at_once_and_purged_on_demand(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_with_schema(SCHEMA);
    kstone_item *item = UNTOUCHED(kstone_item);
    size_t purged = 77;
    CHECK_OK(kstone_set_time(db, 1000, &err));
    put_user(db, "a", "open", 1, 1000);
    put_user(db, "b", "open", 2, 2000);
    check_found(db, by_status("open"), "ab");
    CHECK_OK(kstone_set_time(db, 1001, &err));
    check_found(db, by_status("open"), "b");
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_get(db, LIT("a"), NULL, 0, &item, &err));
    CHECK_UNTOUCHED(item);
    CHECK_OK(kstone_purge_expired(db, &purged, &err));
    CHECK_SIZE(1, purged);
    CHECK_OK(kstone_purge_expired(db, NULL, &err));
    CHECK_OK(kstone_purge_expired(db, &purged, &err));
    CHECK_SIZE(0, purged);
    kstone_free(db);
}

static void the_stream_tells_of_changes_in_order(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_with_schema(SCHEMA);
    char *json = NULL;
    size_t len = 0;
    int i;
    CHECK_OK(kstone_set_time(db, 1000, &err));
    put_user(db, "a", "open", 1, 5000);
    CHECK_OK(kstone_delete(db, LIT("a"), NULL, 0, &err));
    CHECK_OK(kstone_stream_read(db, 0, 10, &json, &len, &err));
    CHECK_SIZE(strlen(json), len);
    CHECK_CONTAINS("\"INSERT\"", json);
    CHECK_CONTAINS("\"REMOVE\"", json);
    CHECK(strstr(json, "\"INSERT\"") < strstr(json, "\"REMOVE\""));
    kstone_free(json);
    CHECK_OK(kstone_stream_read(db, 2, 10, &json, &len, &err));
    CHECK_STR("{\"Records\":[]}", json);
    kstone_free(json);
    for (i = 0; i < 1500; i++) {
        put_user(db, "a", "open", i, 5000);
    }
    json = UNTOUCHED(char);
    CHECK_FAILS_SAYING(KSTONE_ERR_TRIMMED, "go on after", kstone_stream_read(db, 2, 10, &json, &len, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_stream_read(db, 0, 0, &json, &len, &err));
    CHECK_OK(kstone_configure(db, NULL, 0, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "no stream", kstone_stream_read(db, 0, 10, &json, &len, &err));
    CHECK_UNTOUCHED(json);
    kstone_free(db);
}

static void a_schema_may_come_and_go_on_a_database_that_holds_data(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_query_spec spec = by_status("open");
    put_user(db, "a", "open", 2, 5000);
    put_user(db, "b", "open", 1, 5000);
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "by-status", kstone_query(db, &spec, &page, &err));
    CHECK_OK(kstone_configure(db, SCHEMA, KSTONE_STRLEN, &err));
    CHECK_OK(kstone_set_time(db, 1000, &err));
    check_found(db, spec, "ba");
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_configure(db, LIT("{\"global_indexes\":7}"), &err));
    check_found(db, spec, "ba");
    CHECK_OK(kstone_configure(db, LIT("{}"), &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    CHECK_UNTOUCHED(page);
    kstone_free(db);
}

static void schemas_that_are_none_are_refused_saying_what(void) {
    static const struct {
        const char *schema;
        const char *part;
    } CASES[] = {
        {"", "schema"},
        {"[]", "schema"},
        {"{\"no\":1}", "no"},
        {"{\"ttl_attribute\":5}", "line 1"},
        {"{\"name\":\"a b\"}", "name"},
        {"{\"global_indexes\":[{\"name\":\"xyz\"}]}", "partition_key"},
        {"{\"stream\":{\"view_type\":\"ALL\"}}", "view_type"},
    };
    kstone_error *err = NULL;
    kstone_db *db = UNTOUCHED(kstone_db);
    kstone_options options;
    size_t i;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        options.schema_json = CASES[i].schema;
        options.schema_json_len = strlen(CASES[i].schema);
        CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, CASES[i].part, kstone_open_memory(&options, &db, &err));
    }
    options.schema_json = NULL;
    options.schema_json_len = 3;
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_open_memory(&options, &db, &err));
    options.schema_json = "{}";
    options.schema_json_len = 0;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "schema_json_len is 0", kstone_open_memory(&options, &db, &err));
    options.schema_json = "\xff{}";
    options.schema_json_len = 3;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_open_memory(&options, &db, &err));
    CHECK_UNTOUCHED(db);
}

static void misuse_is_told(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = kstone_item_new();
    char *json = UNTOUCHED(char);
    size_t len = 7;
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_configure(NULL, LIT("{}"), &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_configure((kstone_db *)(void *)item, LIT("{}"), &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_configure(db, NULL, 1, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_set_time(NULL, 1, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_purge_expired(NULL, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_stream_read(NULL, 0, 1, &json, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_stream_read(db, 0, 1, NULL, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_stream_read(db, 0, 1, &json, NULL, &err));
    CHECK_UNTOUCHED(json);
    CHECK_SIZE(7, len);
    kstone_free(item);
    kstone_free(db);
}

int main(void) {
    an_index_is_queried_by_its_own_key();
    what_has_expired_is_gone_at_once_and_purged_on_demand();
    the_stream_tells_of_changes_in_order();
    a_schema_may_come_and_go_on_a_database_that_holds_data();
    schemas_that_are_none_are_refused_saying_what();
    misuse_is_told();
    return check_report();
}
