/*
 * calls.h: one call of every exported function, for tests that want each of them at an unusual moment.
 *
 * calls_check_complete compares the table with c-tests/symbols.txt: a new function needs a line here.
 */
#ifndef KSTONE_TEST_CALLS_H
#define KSTONE_TEST_CALLS_H

#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define CALLS_WIDE 200

/* What the calls work on. */
typedef struct calls_world {
    /* Indexed, with a stream and a TTL; its partition "wide" lies in an SST that has a filter. */
    kstone_db *db;
    kstone_item *item;
    kstone_error *error;
    kstone_page *page;
    kstone_batch *batch;
    /* Has a table "calls" with an item "a". */
    kstone_account *account;
    kstone_response *response;
    char directory[64];
    char snapshot[96];
    char exported[96];
    char written[96];
    char account_snapshot[96];
    char account_written[96];
} calls_world;

static const char calls_schema[] =
    "{\"name\":\"items\",\"global_indexes\":[{\"name\":\"by-v\",\"partition_key\":\"w\"}],"
    "\"ttl_attribute\":\"expires_at\",\"stream\":{\"view_type\":\"NEW_AND_OLD_IMAGES\",\"capacity\":1000000}}";

static const char calls_create[] =
    "{\"TableName\":\"calls\",\"BillingMode\":\"PAY_PER_REQUEST\","
    "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}],"
    "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]}";
static const char calls_put[] = "{\"TableName\":\"calls\",\"Item\":{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"7\"}}}";
static const char calls_get[] = "{\"TableName\":\"calls\",\"Key\":{\"id\":{\"S\":\"a\"}}}";

/* A request that AWS would carry out. */
static inline void calls_request(kstone_account *account, const char *target, const char *body,
                                 kstone_response **response) {
    kstone_error *err = NULL;
    CHECK_OK(kstone_account_call(account, target, KSTONE_STRLEN, body, strlen(body), response, &err));
    CHECK_INT(200, kstone_response_http_status(*response));
}

static inline void calls_open(calls_world *w) {
    kstone_options options = default_options();
    kstone_query_spec spec = scan_spec();
    kstone_item *found = NULL;
    kstone_error *err = NULL;
    const char *base = getenv("TMPDIR");
    int i;
    memset(w, 0, sizeof *w);
    snprintf(w->directory, sizeof w->directory, "%.40s/kstone-calls-XXXXXX", base != NULL ? base : "/tmp");
    CHECK(mkdtemp(w->directory) != NULL);
    snprintf(w->snapshot, sizeof w->snapshot, "%s/snapshot", w->directory);
    snprintf(w->exported, sizeof w->exported, "%s/exported", w->directory);
    snprintf(w->written, sizeof w->written, "%s/written", w->directory);
    snprintf(w->account_snapshot, sizeof w->account_snapshot, "%s/account", w->directory);
    snprintf(w->account_written, sizeof w->account_written, "%s/account-written", w->directory);
    options.schema_json = calls_schema;
    options.schema_json_len = KSTONE_STRLEN;
    options.memtable_max_records = 32;
    CHECK_OK(kstone_open_memory(&options, &w->db, &err));
    for (i = 0; i < CALLS_WIDE; i++) {
        char sk[16];
        snprintf(sk, sizeof sk, "s%03d", i);
        put_number(w->db, "wide", sk, i);
    }
    CHECK_OK(kstone_compact(w->db, &err));
    CHECK_OK(kstone_get(w->db, LIT("wide"), LIT("s007"), &w->item, &err));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_get(w->db, NO_SK, NO_SK, &found, &w->error));
    spec.limit = 10;
    CHECK_OK(kstone_scan(w->db, &spec, &w->page, &err));
    w->batch = kstone_batch_new();
    CHECK_OK(kstone_snapshot_save(w->db, w->snapshot, KSTONE_STRLEN, &err));
    CHECK_OK(kstone_export_json(w->db, w->exported, KSTONE_STRLEN, &err));
    CHECK_OK(kstone_account_open(NULL, &w->account, &err));
    calls_request(w->account, "DynamoDB_20120810.CreateTable", calls_create, &w->response);
    calls_request(w->account, "DynamoDB_20120810.PutItem", calls_put, &w->response);
    CHECK_OK(kstone_account_snapshot_save(w->account, w->account_snapshot, KSTONE_STRLEN, &err));
}

static inline void calls_close(calls_world *w) {
    kstone_free(w->response);
    kstone_free(w->account);
    kstone_free(w->item);
    kstone_free(w->error);
    kstone_free(w->page);
    kstone_free(w->batch);
    kstone_free(w->db);
    unlink(w->snapshot);
    unlink(w->exported);
    unlink(w->written);
    unlink(w->account_snapshot);
    unlink(w->account_written);
    CHECK_INT(0, rmdir(w->directory));
}

/* A parameter bag {":v": 7}. */
static inline kstone_item *calls_seven(void) {
    kstone_item *params = kstone_item_new();
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(params, LIT(":v"), 7));
    return params;
}

static inline kstone_cond calls_condition(void) {
    kstone_cond cond;
    memset(&cond, 0, sizeof cond);
    cond.struct_size = sizeof cond;
    cond.expr = "attribute_not_exists(nothing)";
    cond.expr_len = KSTONE_STRLEN;
    return cond;
}

/* An item of one's own, changed by the body and then freed. */
#define CALLS_SETTER(function, call)                    \
    static inline void call_##function(calls_world *w) { \
        kstone_item *it = kstone_item_new();            \
        kstone_error *err = NULL;                       \
        (void)w;                                        \
        CHECK_STATUS(KSTONE_OK, call);                  \
        CHECK_NULL(err);                                \
        kstone_free(it);                                \
    }

/* A call that succeeds and leaves nothing to free. */
#define CALLS_PLAIN(function, call)                     \
    static inline void call_##function(calls_world *w) { \
        kstone_error *err = NULL;                       \
        CHECK_OK(call);                                 \
    }

/* A call with one output, which is freed. */
#define CALLS_OUTPUT(function, type, call)              \
    static inline void call_##function(calls_world *w) { \
        kstone_error *err = NULL;                       \
        type *out = NULL;                               \
        CHECK_OK(call);                                 \
        CHECK(out != NULL);                             \
        kstone_free(out);                               \
    }

/* A call whose output is text. */
#define CALLS_TEXT(function, call)                      \
    static inline void call_##function(calls_world *w) { \
        kstone_error *err = NULL;                       \
        char *out = NULL;                               \
        size_t out_len = 0;                             \
        CHECK_OK(call);                                 \
        CHECK(out_len > 0);                             \
        kstone_free(out);                               \
    }

/* An accessor: what it answers is as the check says. */
#define CALLS_ANSWER(function, check)                   \
    static inline void call_##function(calls_world *w) { \
        (void)w;                                        \
        check;                                          \
    }

/* A call that adds to the batch: one of its own, or that of a kstone_batch_get, which is run. */
#define CALLS_BATCH(function, call)                     \
    static inline void call_##function(calls_world *w) { \
        kstone_batch *b = kstone_batch_new();           \
        kstone_item *params = calls_seven();            \
        kstone_cond cond = calls_condition();           \
        (void)w;                                        \
        (void)cond;                                     \
        CHECK_STATUS(KSTONE_OK, call);                  \
        kstone_free(params);                            \
        kstone_free(b);                                 \
    }

CALLS_ANSWER(kstone_version, CHECK(strlen(kstone_version()) > 0))
CALLS_ANSWER(kstone_version_number, CHECK(kstone_version_number() > 0))
CALLS_ANSWER(kstone_status_text, CHECK(strlen(kstone_status_text(KSTONE_ERR_IO)) > 0))
CALLS_ANSWER(kstone_error_code, CHECK_INT(KSTONE_ERR_INVALID, kstone_error_code(w->error)))
CALLS_ANSWER(kstone_error_name, CHECK_STR("ValidationException", kstone_error_name(w->error)))
CALLS_ANSWER(kstone_error_message, CHECK(strlen(kstone_error_message(w->error)) > 0))
CALLS_ANSWER(kstone_error_index, CHECK_INT(-1, kstone_error_index(w->error)))
CALLS_ANSWER(kstone_error_item, CHECK(kstone_error_item(w->error) == NULL))
CALLS_ANSWER(kstone_item_count, CHECK_SIZE(1, kstone_item_count(w->item)))
CALLS_ANSWER(kstone_item_pk, CHECK_BYTES("wide", kstone_item_pk(w->item)))
CALLS_ANSWER(kstone_item_sk, CHECK_BYTES("s007", kstone_item_sk(w->item)))
CALLS_ANSWER(kstone_item_bytes, CHECK(kstone_item_bytes(w->item).len > 0))
CALLS_ANSWER(kstone_page_count, CHECK_SIZE(10, kstone_page_count(w->page)))
CALLS_ANSWER(kstone_page_scanned, CHECK_SIZE(10, kstone_page_scanned(w->page)))
CALLS_ANSWER(kstone_page_item, CHECK(kstone_page_item(w->page, 9) != NULL))
CALLS_ANSWER(kstone_page_token, CHECK(kstone_page_token(w->page).len > 0))
CALLS_ANSWER(kstone_page_bytes, CHECK(kstone_page_bytes(w->page).len > 0))

CALLS_SETTER(kstone_item_new, it != NULL ? KSTONE_OK : KSTONE_ERR_PANIC)
CALLS_SETTER(kstone_item_set_str, kstone_item_set_str(it, LIT("a"), LIT("text")))
CALLS_SETTER(kstone_item_set_num, kstone_item_set_num(it, LIT("a"), LIT("1.50"), &err))
CALLS_SETTER(kstone_item_set_i64, kstone_item_set_i64(it, LIT("a"), 7))
CALLS_SETTER(kstone_item_set_f64, kstone_item_set_f64(it, LIT("a"), 7.25))
CALLS_SETTER(kstone_item_set_bin, kstone_item_set_bin(it, LIT("a"), LIT("\1\2")))
CALLS_SETTER(kstone_item_set_bool, kstone_item_set_bool(it, LIT("a"), 1))
CALLS_SETTER(kstone_item_set_null, kstone_item_set_null(it, LIT("a")))
CALLS_SETTER(kstone_item_set_json,
             kstone_item_set_json(it, LIT("a"), LIT("{\"m\":{\"n\":[1,{}]}}"), KSTONE_JSON_PLAIN, &err))

static inline void call_kstone_item_remove(calls_world *w) {
    kstone_item *it = kstone_item_new();
    (void)w;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_null(it, LIT("a")));
    CHECK_STATUS(KSTONE_OK, kstone_item_remove(it, LIT("a")));
    kstone_free(it);
}

static inline void call_kstone_item_clone(calls_world *w) {
    kstone_item *clone = kstone_item_clone(w->item);
    CHECK_SIZE(1, kstone_item_count(clone));
    kstone_free(clone);
}

static inline void call_kstone_item_get(calls_world *w) {
    kstone_value value = no_value();
    CHECK_STATUS(KSTONE_OK, kstone_item_get(w->item, LIT("v"), &value));
    CHECK_BYTES("7", value.bytes);
}

static inline void call_kstone_item_at(calls_world *w) {
    kstone_value value = no_value();
    kstone_bytes name;
    CHECK_STATUS(KSTONE_OK, kstone_item_at(w->item, 0, &name, &value));
    CHECK_BYTES("v", name);
}

/* Of an untyped table. */
static inline void call_kstone_item_key_at(calls_world *w) {
    kstone_value value = no_value();
    kstone_bytes name;
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_key_at(w->item, 0, &name, &value));
}

static inline void call_kstone_item_get_i64(calls_world *w) {
    int64_t value = 0;
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(w->item, LIT("v"), &value));
    CHECK_INT(7, value);
}

static inline void call_kstone_item_get_f64(calls_world *w) {
    double value = 0;
    CHECK_STATUS(KSTONE_OK, kstone_item_get_f64(w->item, LIT("v"), &value));
    CHECK_F64(7, value);
}

CALLS_TEXT(kstone_item_to_json, kstone_item_to_json(w->item, 0, &out, &out_len, &err))
CALLS_TEXT(kstone_page_to_json, kstone_page_to_json(w->page, KSTONE_JSON_PLAIN, &out, &out_len, &err))
CALLS_TEXT(kstone_get_json, kstone_get_json(w->db, LIT("wide"), LIT("s007"), 0, &out, &out_len, &err))
CALLS_TEXT(kstone_stats_json, kstone_stats_json(w->db, &out, &out_len, &err))
CALLS_TEXT(kstone_stream_read, kstone_stream_read(w->db, 0, 100, &out, &out_len, &err))

CALLS_OUTPUT(kstone_item_from_json, kstone_item,
             ((void)w, kstone_item_from_json(LIT("{\"a\":{\"M\":{\"b\":{\"NS\":[\"1\"]}}}}"), 0, &out, &err)))
CALLS_OUTPUT(kstone_item_from_bytes, kstone_item,
             kstone_item_from_bytes(kstone_item_bytes(w->item).data, kstone_item_bytes(w->item).len, &out, &err))
CALLS_OUTPUT(kstone_get, kstone_item, kstone_get(w->db, LIT("wide"), LIT("s007"), &out, &err))
CALLS_OUTPUT(kstone_fork, kstone_db, kstone_fork(w->db, &out, &err))

static inline void call_kstone_free(calls_world *w) {
    (void)w;
    kstone_free(open_database(0));
    kstone_free(kstone_item_new());
    kstone_free(NULL);
}

/* With a compaction thread, which is started and waited for. */
static inline void call_kstone_open_memory(calls_world *w) {
    kstone_options options = default_options();
    kstone_db *db = NULL;
    kstone_error *err = NULL;
    (void)w;
    options.flags = KSTONE_OPEN_BACKGROUND_COMPACTION;
    options.schema_json = calls_schema;
    options.schema_json_len = KSTONE_STRLEN;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    kstone_free(db);
}

CALLS_PLAIN(kstone_put, kstone_put(w->db, LIT("wide"), LIT("s008"), w->item, &err))

static inline void call_kstone_put_item(calls_world *w) {
    kstone_item *item = kstone_item_new();
    kstone_error *err = NULL;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("pk"), LIT("wide")));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("sk"), LIT("s020")));
    CHECK_OK(kstone_put_item(w->db, item, &err));
    kstone_free(item);
}

CALLS_PLAIN(kstone_put_json, kstone_put_json(w->db, LIT("wide"), LIT("s009"), LIT("{\"w\":{\"S\":\"x\"}}"), 0, &err))
CALLS_PLAIN(kstone_put_bytes, kstone_put_bytes(w->db, LIT("wide"), LIT("s010"), kstone_item_bytes(w->item).data,
                                               kstone_item_bytes(w->item).len, &err))
CALLS_PLAIN(kstone_flush, kstone_flush(w->db, &err))
CALLS_PLAIN(kstone_compact, kstone_compact(w->db, &err))
CALLS_PLAIN(kstone_set_time, kstone_set_time(w->db, -1, &err))
CALLS_PLAIN(kstone_purge_expired, kstone_purge_expired(w->db, NULL, &err))
CALLS_PLAIN(kstone_configure, kstone_configure(w->db, calls_schema, KSTONE_STRLEN, &err))
CALLS_PLAIN(kstone_snapshot_progress, kstone_snapshot_progress(w->db, NULL, NULL, &err))
CALLS_PLAIN(kstone_snapshot_save, kstone_snapshot_save(w->db, w->written, KSTONE_STRLEN, &err))
CALLS_PLAIN(kstone_export_json, kstone_export_json(w->db, w->written, KSTONE_STRLEN, &err))
CALLS_PLAIN(kstone_import_json,
            kstone_import_json(w->db, w->exported, KSTONE_STRLEN, NULL, NULL, NULL, NULL, &err))

/* What is there, and what the filter knows to be missing; deleting both leaves the others as they were. */
static inline void call_kstone_delete(calls_world *w) {
    kstone_error *err = NULL;
    CHECK_OK(kstone_delete(w->db, LIT("wide"), LIT("s011"), &err));
    CHECK_OK(kstone_delete(w->db, LIT("wide"), LIT("s007.5"), &err));
}

static inline void call_kstone_get_bytes(calls_world *w) {
    char buffer[64];
    size_t len = 0;
    kstone_error *err = NULL;
    CHECK_OK(kstone_get_bytes(w->db, LIT("wide"), LIT("s007"), buffer, sizeof buffer, &len, &err));
    CHECK_STATUS(KSTONE_NOT_FOUND,
                 kstone_get_bytes(w->db, LIT("wide"), LIT("s007.5"), buffer, sizeof buffer, &len, &err));
}

static inline void call_kstone_get_attribute(calls_world *w) {
    char buffer[64];
    size_t len = 0;
    uint32_t type = 0;
    kstone_error *err = NULL;
    CHECK_OK(kstone_get_attribute(w->db, LIT("wide"), LIT("s007"), LIT("none"), buffer, sizeof buffer, &len, &type, &err));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_get_attribute(w->db, LIT("wide"), LIT("s007.5"), LIT("none"), buffer,
                                                        sizeof buffer, &len, &type, &err));
}

static inline void call_kstone_get_many(calls_world *w) {
    const void *pks[] = {"wide", "wide"}, *sks[] = {"s007", "s007.5"};
    const size_t pk_lens[] = {4, 4}, sk_lens[] = {4, 6};
    kstone_item *out[2] = {NULL, NULL};
    kstone_error *err = NULL;
    CHECK_OK(kstone_get_many(w->db, pks, pk_lens, sks, sk_lens, 2, out, &err));
    CHECK_NULL(out[1]);
    kstone_free(out[0]);
}

static inline void call_kstone_put_many(calls_world *w) {
    const void *pks[] = {"wide", "wide"}, *sks[] = {"s012", "s012"};
    const size_t pk_lens[] = {4, 4}, sk_lens[] = {4, 4};
    const kstone_item *items[2];
    kstone_error *err = NULL;
    items[0] = items[1] = w->item;
    CHECK_OK(kstone_put_many(w->db, pks, pk_lens, sks, sk_lens, items, 2, &err));
}

static inline void call_kstone_put_if(calls_world *w) {
    kstone_cond cond = calls_condition();
    kstone_error *err = NULL;
    kstone_item *old = NULL;
    CHECK_OK(kstone_put_if(w->db, LIT("wide"), LIT("s012"), w->item, &cond, &old, &err));
    kstone_free(old);
}

static inline void call_kstone_delete_if(calls_world *w) {
    kstone_cond cond = calls_condition();
    kstone_error *err = NULL;
    kstone_item *old = NULL;
    CHECK_OK(kstone_delete_if(w->db, LIT("wide"), LIT("s013"), &cond, &old, &err));
    kstone_free(old);
}

static inline void call_kstone_update(calls_world *w) {
    kstone_item *params = calls_seven();
    kstone_item *returned = NULL;
    kstone_error *err = NULL;
    CHECK_OK(kstone_update(w->db, LIT("wide"), LIT("s014"), LIT("ADD v :v"), params, NULL, KSTONE_RETURN_ALL_NEW,
                           &returned, &err));
    CHECK(returned != NULL);
    kstone_free(returned);
    kstone_free(params);
}

static inline void call_kstone_query(calls_world *w) {
    kstone_query_spec spec = scan_spec();
    kstone_item *params = kstone_item_new();
    kstone_page *page = NULL;
    kstone_error *err = NULL;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(params, LIT(":p"), LIT("wide")));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(params, LIT(":v"), 7));
    spec.key_expr = "pk = :p";
    spec.filter = "v >= :v";
    spec.projection = "v";
    spec.key_expr_len = spec.filter_len = spec.projection_len = KSTONE_STRLEN;
    spec.params = params;
    CHECK_OK(kstone_query(w->db, &spec, &page, &err));
    CHECK(kstone_page_count(page) > 10);
    kstone_free(page);
    kstone_free(params);
}

static inline void call_kstone_scan(calls_world *w) {
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    kstone_error *err = NULL;
    CHECK_OK(kstone_scan(w->db, &spec, &page, &err));
    CHECK(kstone_page_count(page) > 10);
    kstone_free(page);
}

static inline void call_kstone_iter_open(calls_world *w) {
    kstone_iter *iter = NULL;
    kstone_error *err = NULL;
    CHECK_OK(kstone_iter_open(w->db, NULL, &iter, &err));
    kstone_free(iter);
}

static inline void call_kstone_iter_next(calls_world *w) {
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    kstone_error *err = NULL;
    int count = 0;
    CHECK_OK(kstone_iter_open(w->db, NULL, &iter, &err));
    while (kstone_iter_next(iter, &item, &err) == KSTONE_OK) {
        count++;
    }
    CHECK_NULL(err);
    CHECK(count > 10);
    kstone_free(iter);
}

static inline void call_kstone_execute(calls_world *w) {
    kstone_page *page = NULL;
    kstone_error *err = NULL;
    CHECK_OK(kstone_execute(w->db, LIT("SELECT pk, COUNT(*) FROM items WHERE v > 7 GROUP BY pk ORDER BY pk"), NULL, NULL,
                            0, &page, &err));
    kstone_free(page);
}

/* A prepared update that sets v to its one value, 7. */
static inline kstone_prepared *calls_prepared(const calls_world *w, uint32_t kind, const char *text, kstone_value *seven) {
    kstone_prepare_spec spec = KSTONE_PREPARE_SPEC_INIT;
    kstone_prepared *prepared = NULL;
    kstone_error *err = NULL;
    spec.kind = kind;
    spec.text = text;
    spec.text_len = KSTONE_STRLEN;
    seven->type = KSTONE_TYPE_N;
    seven->reserved = 0;
    seven->bytes.data = (const uint8_t *)"7";
    seven->bytes.len = 1;
    CHECK_OK(kstone_prepare(w->db, &spec, &prepared, &err));
    return prepared;
}

/* A call with a prepared request. */
#define CALLS_PREPARED(function, kind, text, call)                          \
    static inline void call_##function(calls_world *w) {                     \
        kstone_error *err = NULL;                                           \
        kstone_value v;                                                     \
        kstone_prepared *p = calls_prepared(w, KSTONE_PREPARE_##kind, text, &v); \
        CHECK_OK(call);                                                     \
        kstone_free(p);                                                     \
    }

CALLS_PREPARED(kstone_prepare, UPDATE, "SET v = :v", p != NULL ? KSTONE_OK : KSTONE_ERR_PANIC)
CALLS_PREPARED(kstone_prepared_count, UPDATE, "SET v = :v", kstone_prepared_count(p) == 1 ? KSTONE_OK : KSTONE_ERR_PANIC)
CALLS_PREPARED(kstone_prepared_name, UPDATE, "SET v = :v",
               kstone_prepared_name(p, 0).len == 2 ? KSTONE_OK : KSTONE_ERR_PANIC)
CALLS_PREPARED(kstone_run, STATEMENT, "SELECT * FROM items WHERE v > ?", kstone_run(w->db, p, &v, 1, 0, NULL, 0, NULL, &err))
CALLS_PREPARED(kstone_run_write, UPDATE, "SET v = :v",
               kstone_run_write(w->db, p, LIT("wide"), LIT("s017"), NULL, &v, 1, KSTONE_RETURN_NONE, NULL, &err))

static inline void call_kstone_prepared_find(calls_world *w) {
    kstone_value v;
    kstone_prepared *p = calls_prepared(w, KSTONE_PREPARE_UPDATE, "SET v = :v", &v);
    size_t position = 9;
    CHECK_STATUS(KSTONE_OK, kstone_prepared_find(p, LIT(":v"), &position));
    CHECK_SIZE(0, position);
    kstone_free(p);
}

static inline void call_kstone_run_iter(calls_world *w) {
    kstone_prepare_spec spec = KSTONE_PREPARE_SPEC_INIT;
    kstone_query_spec query = query_spec(LIT("wide"));
    kstone_prepared *p = NULL;
    kstone_iter *iter = NULL;
    kstone_error *err = NULL;
    spec.kind = KSTONE_PREPARE_QUERY;
    spec.query = &query;
    CHECK_OK(kstone_prepare(w->db, &spec, &p, &err));
    CHECK_OK(kstone_run_iter(w->db, p, NULL, 0, 0, &iter, &err));
    kstone_free(iter);
    kstone_free(p);
}

static inline void call_kstone_batch_prepared(calls_world *w) {
    kstone_value v;
    kstone_prepared *p = calls_prepared(w, KSTONE_PREPARE_UPDATE, "SET v = :v", &v);
    kstone_batch *b = kstone_batch_new();
    kstone_error *err = NULL;
    CHECK_STATUS(KSTONE_OK, kstone_batch_prepared(b, p, LIT("wide"), LIT("s018"), NULL, &v, 1));
    CHECK_OK(kstone_batch_run(w->db, b, 0, NULL, &err));
    kstone_free(b);
    kstone_free(p);
}

CALLS_BATCH(kstone_batch_new, b != NULL ? KSTONE_OK : KSTONE_ERR_PANIC)
CALLS_BATCH(kstone_batch_put, kstone_batch_put(b, LIT("b"), LIT("1"), w->item, &cond))
CALLS_BATCH(kstone_batch_put_item, kstone_batch_put_item(b, w->item, &cond))
CALLS_BATCH(kstone_batch_update, kstone_batch_update(b, LIT("b"), LIT("1"), LIT("SET v = :v"), params, &cond))
CALLS_BATCH(kstone_batch_delete, kstone_batch_delete(b, LIT("b"), LIT("1"), &cond))
CALLS_BATCH(kstone_batch_check, kstone_batch_check(b, LIT("b"), LIT("1"), &cond))
CALLS_BATCH(kstone_batch_get, kstone_batch_get(b, LIT("b"), LIT("1")))
CALLS_BATCH(kstone_batch_execute, kstone_batch_execute(b, LIT("SELECT * FROM items WHERE pk = 'b'"), NULL))

static inline void call_kstone_batch_run(calls_world *w) {
    kstone_batch *b = kstone_batch_new();
    kstone_cond cond = calls_condition();
    kstone_error *err = NULL;
    CHECK_STATUS(KSTONE_OK, kstone_batch_put(b, LIT("wide"), LIT("s015"), w->item, &cond));
    CHECK_STATUS(KSTONE_OK, kstone_batch_delete(b, LIT("wide"), LIT("s016"), &cond));
    CHECK_OK(kstone_batch_run(w->db, b, KSTONE_BATCH_ATOMIC, NULL, &err));
    kstone_free(b);
}

static inline void call_kstone_clear(calls_world *w) {
    kstone_db *db = NULL;
    kstone_error *err = NULL;
    CHECK_OK(kstone_fork(w->db, &db, &err));
    CHECK_OK(kstone_clear(db, &err));
    kstone_free(db);
}

static inline void call_kstone_snapshot_load(calls_world *w) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    CHECK_OK(kstone_snapshot_load(db, w->snapshot, KSTONE_STRLEN, &err));
    CHECK_INT(7, get_number(db, "wide", "s007"));
    kstone_free(db);
}

/* Text that is written to, or read from, the place of a file. */
typedef struct calls_text {
    char *bytes;
    size_t len;
    size_t read;
} calls_text;

static inline kstone_status calls_write(void *user_data, const void *data, size_t len) {
    calls_text *text = (calls_text *)user_data;
    text->bytes = (char *)realloc(text->bytes, text->len + len);
    memcpy(text->bytes + text->len, data, len);
    text->len += len;
    return KSTONE_OK;
}

static inline kstone_status calls_read(void *user_data, void *buffer, size_t capacity, size_t *len) {
    calls_text *text = (calls_text *)user_data;
    size_t left = text->len - text->read;
    *len = left < capacity ? left : capacity;
    memcpy(buffer, text->bytes + text->read, *len);
    text->read += *len;
    return KSTONE_OK;
}

static inline calls_text calls_no_text(void) {
    calls_text text;
    memset(&text, 0, sizeof text);
    return text;
}

static inline void call_kstone_snapshot_save_to(calls_world *w) {
    calls_text text = calls_no_text();
    kstone_error *err = NULL;
    CHECK_OK(kstone_snapshot_save_to(w->db, calls_write, &text, &err));
    CHECK(text.len > 0);
    free(text.bytes);
}

static inline void call_kstone_snapshot_load_from(calls_world *w) {
    calls_text text = calls_no_text();
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    CHECK_OK(kstone_snapshot_save_to(w->db, calls_write, &text, &err));
    CHECK_OK(kstone_snapshot_load_from(db, calls_read, &text, &err));
    CHECK_INT(7, get_number(db, "wide", "s007"));
    free(text.bytes);
    kstone_free(db);
}

static inline void call_kstone_export_json_to(calls_world *w) {
    calls_text text = calls_no_text();
    kstone_error *err = NULL;
    CHECK_OK(kstone_export_json_to(w->db, calls_write, &text, &err));
    CHECK(text.len > 0);
    free(text.bytes);
}

static inline void call_kstone_import_json_from(calls_world *w) {
    calls_text text = calls_no_text();
    kstone_import_spec spec;
    kstone_error *err = NULL;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.flags = KSTONE_IMPORT_SKIP;
    CHECK_OK(kstone_export_json_to(w->db, calls_write, &text, &err));
    CHECK_OK(kstone_import_json_from(w->db, calls_read, &text, &spec, NULL, NULL, NULL, &err));
    CHECK_SIZE(text.len, text.read);
    free(text.bytes);
}

static inline void call_kstone_count(calls_world *w) {
    uint64_t count = 0;
    kstone_error *err = NULL;
    CHECK_OK(kstone_count(w->db, &count, &err));
    CHECK(count > 10);
}

static inline void call_kstone_stat(calls_world *w) {
    uint64_t value = 0;
    kstone_error *err = NULL;
    CHECK_OK(kstone_stat(w->db, KSTONE_STAT_TOTAL_BYTES, &value, &err));
    CHECK(value > 0);
}

/* A cursor over the wide partition, moved as `move` says: it is at an item then. */
#define CALLS_CURSOR(function, move)                                               \
    static inline void call_##function(calls_world *w) {                           \
        kstone_query_spec spec = query_spec(LIT("wide"));                          \
        kstone_cursor *it = NULL;                                                  \
        const kstone_item *out = NULL;                                             \
        kstone_error *err = NULL;                                                  \
        CHECK_OK(kstone_cursor_open(w->db, &spec, &it, &err));                     \
        CHECK_OK(move);                                                            \
        CHECK(out == kstone_cursor_item(it));                                      \
        kstone_free(it);                                                           \
    }

CALLS_CURSOR(kstone_cursor_open, err == NULL ? KSTONE_OK : KSTONE_ERR_PANIC)
CALLS_CURSOR(kstone_cursor_first, kstone_cursor_first(it, &out, &err))
CALLS_CURSOR(kstone_cursor_last, kstone_cursor_last(it, &out, &err))
CALLS_CURSOR(kstone_cursor_next, kstone_cursor_next(it, &out, &err))
CALLS_CURSOR(kstone_cursor_item, kstone_cursor_next(it, &out, &err))
CALLS_CURSOR(kstone_cursor_seek, kstone_cursor_seek(it, NO_SK, LIT("s007"), &out, &err))

static inline void call_kstone_cursor_prev(calls_world *w) {
    kstone_query_spec spec = query_spec(LIT("wide"));
    kstone_cursor *it = NULL;
    const kstone_item *out = NULL;
    kstone_error *err = NULL;
    CHECK_OK(kstone_cursor_open(w->db, &spec, &it, &err));
    CHECK_OK(kstone_cursor_seek(it, NO_SK, LIT("s007"), &out, &err));
    CHECK_OK(kstone_cursor_prev(it, &out, &err));
    CHECK_BYTES("s006", kstone_item_sk(out));
    kstone_free(it);
}

CALLS_SETTER(kstone_item_open, kstone_item_open(it, LIT("l"), KSTONE_TYPE_L, &err))
CALLS_SETTER(kstone_item_close, (CHECK_STATUS(KSTONE_OK, kstone_item_open(it, LIT("l"), KSTONE_TYPE_L, NULL)),
                                 CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(it, NULL, 0, 7)),
                                 kstone_item_close(it, &err)))
CALLS_SETTER(kstone_item_cancel, (CHECK_STATUS(KSTONE_OK, kstone_item_open(it, LIT("m"), KSTONE_TYPE_M, NULL)),
                                  kstone_item_cancel(it)))

/* The map {"n": 7} in an item, as a value, and what a call says of it. */
#define CALLS_NESTED(function, check)                                        \
    static inline void call_##function(calls_world *w) {                     \
        kstone_item *it = item_of("{\"m\":{\"M\":{\"n\":{\"N\":\"7\"}}}}"); \
        kstone_value map = no_value(), out = no_value();                     \
        kstone_bytes name;                                                   \
        size_t position = 0;                                                 \
        (void)w;                                                             \
        (void)name;                                                          \
        (void)position;                                                      \
        (void)out;                                                           \
        CHECK_STATUS(KSTONE_OK, kstone_item_get(it, LIT("m"), &map));        \
        check;                                                               \
        kstone_free(it);                                                     \
    }

CALLS_NESTED(kstone_value_count, CHECK_SIZE(1, kstone_value_count(&map)))
CALLS_NESTED(kstone_value_at, CHECK_STATUS(KSTONE_OK, kstone_value_at(&map, 0, &name, &out)))
CALLS_NESTED(kstone_value_find, CHECK_STATUS(KSTONE_OK, kstone_value_find(&map, LIT("n"), &out)))
CALLS_NESTED(kstone_value_next, CHECK_STATUS(KSTONE_OK, kstone_value_next(&map, &position, &name, &out)))

CALLS_OUTPUT(kstone_account_open, kstone_account, ((void)w, kstone_account_open(NULL, &out, &err)))
CALLS_OUTPUT(kstone_account_table, kstone_db, kstone_account_table(w->account, LIT("calls"), &out, &err))
CALLS_OUTPUT(kstone_account_fork, kstone_account, kstone_account_fork(w->account, &out, &err))
CALLS_TEXT(kstone_account_stats_json, kstone_account_stats_json(w->account, &out, &out_len, &err))
CALLS_PLAIN(kstone_account_snapshot_save,
            kstone_account_snapshot_save(w->account, w->account_written, KSTONE_STRLEN, &err))
CALLS_PLAIN(kstone_account_set_time, kstone_account_set_time(w->account, 0, &err))

/* Requests of every kind, each of which AWS would carry out. */
static const struct {
    const char *target;
    const char *body;
} calls_requests[] = {
    {"DynamoDB_20120810.CreateTable", calls_create},
    {"DynamoDB_20120810.PutItem", calls_put},
    {"DynamoDB_20120810.GetItem", calls_get},
    {"DynamoDB_20120810.UpdateItem",
     "{\"TableName\":\"calls\",\"Key\":{\"id\":{\"S\":\"a\"}},\"UpdateExpression\":\"SET n = n + :one\","
     "\"ConditionExpression\":\"attribute_exists(n)\",\"ExpressionAttributeValues\":{\":one\":{\"N\":\"1\"}}}"},
    {"DynamoDB_20120810.Query",
     "{\"TableName\":\"calls\",\"KeyConditionExpression\":\"id = :a\",\"FilterExpression\":\"n > :one\","
     "\"ExpressionAttributeValues\":{\":a\":{\"S\":\"a\"},\":one\":{\"N\":\"1\"}}}"},
    {"DynamoDB_20120810.Scan", "{\"TableName\":\"calls\",\"ReturnConsumedCapacity\":\"INDEXES\"}"},
    {"DynamoDB_20120810.BatchGetItem", "{\"RequestItems\":{\"calls\":{\"Keys\":[{\"id\":{\"S\":\"a\"}}]}}}"},
    {"DynamoDB_20120810.BatchWriteItem",
     "{\"RequestItems\":{\"calls\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"b\"}}}}]}}"},
    {"DynamoDB_20120810.TransactWriteItems",
     "{\"ClientRequestToken\":\"token\",\"TransactItems\":["
     "{\"Put\":{\"TableName\":\"calls\",\"Item\":{\"id\":{\"S\":\"c\"}}}},"
     "{\"Delete\":{\"TableName\":\"calls\",\"Key\":{\"id\":{\"S\":\"b\"}}}}]}"},
    {"DynamoDB_20120810.TransactGetItems",
     "{\"TransactItems\":[{\"Get\":{\"TableName\":\"calls\",\"Key\":{\"id\":{\"S\":\"a\"}}}}]}"},
    {"DynamoDB_20120810.ExecuteStatement", "{\"Statement\":\"SELECT * FROM calls WHERE id = 'a'\"}"},
    {"DynamoDB_20120810.DescribeTable", "{\"TableName\":\"calls\"}"},
    {"DynamoDB_20120810.UpdateTable",
     "{\"TableName\":\"calls\",\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"KEYS_ONLY\"}}"},
    {"DynamoDB_20120810.UpdateTimeToLive",
     "{\"TableName\":\"calls\",\"TimeToLiveSpecification\":{\"Enabled\":true,\"AttributeName\":\"until\"}}"},
    {"DynamoDB_20120810.CreateBackup", "{\"TableName\":\"calls\",\"BackupName\":\"one\"}"},
    {"DynamoDBStreams_20120810.ListStreams", "{}"},
    {"DynamoDB_20120810.DeleteItem", calls_get},
    {"DynamoDB_20120810.DeleteTable", "{\"TableName\":\"calls\"}"},
};

/* Those, a refusal, and a look at the account that all share. */
static inline void call_kstone_account_call(calls_world *w) {
    kstone_account *account = NULL;
    kstone_response *response = NULL;
    kstone_error *err = NULL;
    size_t i;
    CHECK_OK(kstone_account_open(NULL, &account, &err));
    for (i = 0; i < sizeof calls_requests / sizeof *calls_requests; i++) {
        calls_request(account, calls_requests[i].target, calls_requests[i].body, &response);
    }
    CHECK_OK(kstone_account_call(account, LIT("nothing"), LIT("[]"), &response, &err));
    CHECK_INT(400, kstone_response_http_status(response));
    kstone_free(response);
    kstone_free(account);
    response = NULL;
    calls_request(w->account, "DynamoDB_20120810.GetItem", calls_get, &response);
    kstone_free(response);
}

static inline void call_kstone_account_snapshot_load(calls_world *w) {
    kstone_account *account = NULL;
    kstone_response *response = NULL;
    kstone_error *err = NULL;
    CHECK_OK(kstone_account_open(NULL, &account, &err));
    CHECK_OK(kstone_account_snapshot_load(account, w->account_snapshot, KSTONE_STRLEN, &err));
    calls_request(account, "DynamoDB_20120810.GetItem", calls_get, &response);
    kstone_free(response);
    kstone_free(account);
}

/* A response of its own, which answers a GetItem. */
#define CALLS_RESPONSE(function, check)                                                \
    static inline void call_##function(calls_world *w) {                               \
        kstone_response *r = NULL;                                                     \
        calls_request(w->account, "DynamoDB_20120810.GetItem", calls_get, &r);         \
        check;                                                                         \
        kstone_free(r);                                                                \
    }

CALLS_RESPONSE(kstone_response_http_status, CHECK_INT(200, kstone_response_http_status(r)))
CALLS_RESPONSE(kstone_response_body, CHECK(kstone_response_body(r).len > 10))
CALLS_RESPONSE(kstone_response_crc32, CHECK(kstone_response_crc32(r) != 0))
CALLS_RESPONSE(kstone_response_request_id, CHECK_SIZE(52, strlen(kstone_response_request_id(r))))

typedef struct call {
    const char *name;
    void (*run)(calls_world *w);
} call;

#define CALL(function) { #function, call_##function }

static const call calls[] = {
    CALL(kstone_account_call),
    CALL(kstone_account_fork),
    CALL(kstone_account_open),
    CALL(kstone_account_set_time),
    CALL(kstone_account_snapshot_load),
    CALL(kstone_account_snapshot_save),
    CALL(kstone_account_stats_json),
    CALL(kstone_account_table),
    CALL(kstone_batch_check),
    CALL(kstone_batch_delete),
    CALL(kstone_batch_execute),
    CALL(kstone_batch_get),
    CALL(kstone_batch_new),
    CALL(kstone_batch_prepared),
    CALL(kstone_batch_put),
    CALL(kstone_batch_put_item),
    CALL(kstone_batch_run),
    CALL(kstone_batch_update),
    CALL(kstone_clear),
    CALL(kstone_compact),
    CALL(kstone_configure),
    CALL(kstone_count),
    CALL(kstone_cursor_first),
    CALL(kstone_cursor_item),
    CALL(kstone_cursor_last),
    CALL(kstone_cursor_next),
    CALL(kstone_cursor_open),
    CALL(kstone_cursor_prev),
    CALL(kstone_cursor_seek),
    CALL(kstone_delete),
    CALL(kstone_delete_if),
    CALL(kstone_error_code),
    CALL(kstone_error_index),
    CALL(kstone_error_item),
    CALL(kstone_error_message),
    CALL(kstone_error_name),
    CALL(kstone_execute),
    CALL(kstone_export_json),
    CALL(kstone_export_json_to),
    CALL(kstone_flush),
    CALL(kstone_fork),
    CALL(kstone_free),
    CALL(kstone_get),
    CALL(kstone_get_attribute),
    CALL(kstone_get_bytes),
    CALL(kstone_get_json),
    CALL(kstone_get_many),
    CALL(kstone_import_json),
    CALL(kstone_import_json_from),
    CALL(kstone_item_at),
    CALL(kstone_item_bytes),
    CALL(kstone_item_cancel),
    CALL(kstone_item_clone),
    CALL(kstone_item_close),
    CALL(kstone_item_count),
    CALL(kstone_item_from_bytes),
    CALL(kstone_item_from_json),
    CALL(kstone_item_get),
    CALL(kstone_item_get_f64),
    CALL(kstone_item_get_i64),
    CALL(kstone_item_key_at),
    CALL(kstone_item_new),
    CALL(kstone_item_open),
    CALL(kstone_item_pk),
    CALL(kstone_item_remove),
    CALL(kstone_item_set_bin),
    CALL(kstone_item_set_bool),
    CALL(kstone_item_set_f64),
    CALL(kstone_item_set_i64),
    CALL(kstone_item_set_json),
    CALL(kstone_item_set_null),
    CALL(kstone_item_set_num),
    CALL(kstone_item_set_str),
    CALL(kstone_item_sk),
    CALL(kstone_item_to_json),
    CALL(kstone_iter_next),
    CALL(kstone_iter_open),
    CALL(kstone_open_memory),
    CALL(kstone_page_bytes),
    CALL(kstone_page_count),
    CALL(kstone_page_item),
    CALL(kstone_page_scanned),
    CALL(kstone_page_to_json),
    CALL(kstone_page_token),
    CALL(kstone_prepare),
    CALL(kstone_prepared_count),
    CALL(kstone_prepared_find),
    CALL(kstone_prepared_name),
    CALL(kstone_purge_expired),
    CALL(kstone_put),
    CALL(kstone_put_bytes),
    CALL(kstone_put_if),
    CALL(kstone_put_item),
    CALL(kstone_put_json),
    CALL(kstone_put_many),
    CALL(kstone_query),
    CALL(kstone_response_body),
    CALL(kstone_response_crc32),
    CALL(kstone_response_http_status),
    CALL(kstone_response_request_id),
    CALL(kstone_run),
    CALL(kstone_run_iter),
    CALL(kstone_run_write),
    CALL(kstone_scan),
    CALL(kstone_set_time),
    CALL(kstone_snapshot_load),
    CALL(kstone_snapshot_load_from),
    CALL(kstone_snapshot_progress),
    CALL(kstone_snapshot_save),
    CALL(kstone_snapshot_save_to),
    CALL(kstone_stat),
    CALL(kstone_stats_json),
    CALL(kstone_status_text),
    CALL(kstone_stream_read),
    CALL(kstone_update),
    CALL(kstone_value_at),
    CALL(kstone_value_count),
    CALL(kstone_value_find),
    CALL(kstone_value_next),
    CALL(kstone_version),
    CALL(kstone_version_number),
};
#define CALLS_COUNT (sizeof calls / sizeof *calls)

/* Runs a test of one call in a process of its own, so that one that ends it is named and the others are still tried. */
static inline void calls_try(const call *tried, calls_world *w, void (*test)(const call *tried, calls_world *w)) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        check_failed_count = 0;
        test(tried, w);
        _exit(check_failed_count == 0 ? 0 : 1);
    }
    CHECK(pid > 0);
    CHECK_INT(pid, waitpid(pid, &status, 0));
    if (!check_count(status == 0)) {
        fprintf(stderr, "%s: the process ended with status %#x\n", tried->name, (unsigned)status);
    }
}

/* The table has a line for every function of c-tests/symbols.txt, in its order. */
static inline void calls_check_complete(void) {
    FILE *symbols = fopen(KSTONE_SYMBOLS, "r");
    char name[128];
    size_t i = 0;
    CHECK(symbols != NULL);
    while (symbols != NULL && fgets(name, sizeof name, symbols) != NULL) {
        name[strcspn(name, "\n")] = '\0';
        CHECK_STR(name, i < CALLS_COUNT ? calls[i].name : "no line in c-tests/embedding/calls.h");
        i++;
    }
    CHECK_SIZE(CALLS_COUNT, i);
    if (symbols != NULL) {
        fclose(symbols);
    }
}

#endif
