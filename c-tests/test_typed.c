/* Typed tables: the schema names and types the key, items show their key attributes wherever they are shown. */
#include "support.h"

#define SCHEMA                                                                                                         \
    "{\"partition_key\":{\"name\":\"user\",\"type\":\"S\"},\"sort_key\":{\"name\":\"score\",\"type\":\"N\"}}"

static kstone_db *open_typed(const char *schema) {
    kstone_error *err = NULL;
    kstone_db *db = NULL;
    kstone_options options = default_options();
    options.schema_json = schema;
    options.schema_json_len = KSTONE_STRLEN;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    if (db == NULL) {
        exit(1);
    }
    return db;
}

static void put_json_item(kstone_db *db, const char *json) {
    kstone_error *err = NULL;
    kstone_item *item = item_of(json);
    CHECK_OK(kstone_put_item(db, item, &err));
    kstone_free(item);
}

/* ann with two scores. */
static kstone_db *scores(void) {
    kstone_db *db = open_typed(SCHEMA);
    put_json_item(db, "{\"won\":{\"BOOL\":true},\"user\":{\"S\":\"ann\"},\"score\":{\"N\":\"12\"},\"a\":{\"N\":\"1\"}}");
    put_json_item(db, "{\"won\":{\"BOOL\":false},\"user\":{\"S\":\"ann\"},\"score\":{\"N\":\"-3\"}}");
    return db;
}

/* Everything that shows an item shows this one whole: ann's 12. */
static void check_whole(const kstone_item *item) {
    static const char *const names[] = {"a", "score", "user", "won"};
    kstone_error *err = NULL;
    kstone_value value = no_value();
    kstone_bytes name;
    kstone_item *clone = NULL;
    char *json = NULL;
    size_t len = 0;
    size_t i;
    int64_t integer = 0;
    double real = 0;
    CHECK_SIZE(4, kstone_item_count(item));
    for (i = 0; i < 4; i++) {
        CHECK_STATUS(KSTONE_OK, kstone_item_at(item, i, &name, &value));
        CHECK_MEM(names[i], strlen(names[i]), name.data, name.len);
        CHECK_STATUS(KSTONE_OK, kstone_item_get(item, names[i], KSTONE_STRLEN, &value));
    }
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_at(item, 4, &name, &value));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("pk"), &value));
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("user"), &value));
    CHECK_BYTES("ann", value.bytes);
    CHECK_INT(KSTONE_TYPE_S, value.type);
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("score"), &value));
    CHECK_BYTES("12", value.bytes);
    CHECK_INT(KSTONE_TYPE_N, value.type);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("score"), &integer));
    CHECK_INT(12, integer);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_f64(item, LIT("score"), &real));
    CHECK(real > 11.9 && real < 12.1);
    CHECK_OK(kstone_item_to_json(item, KSTONE_JSON_PLAIN, &json, &len, &err));
    CHECK_STR("{\"a\":1,\"score\":12,\"user\":\"ann\",\"won\":true}", json);
    kstone_free(json);
    clone = kstone_item_clone(item);
    CHECK_SIZE(4, kstone_item_count(clone));
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(clone, LIT("score"), &integer));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(clone, LIT("score"), 13));
    CHECK_EMPTY(kstone_item_pk(clone));
    kstone_free(clone);
}

/* The same of one that was read: its key is that by which it is read again. */
static void check_read(const kstone_db *db, const kstone_item *item) {
    kstone_error *err = NULL;
    kstone_item *again = NULL;
    kstone_item *clone = kstone_item_clone(item);
    kstone_bytes pk = kstone_item_pk(item), sk = kstone_item_sk(item);
    kstone_bytes name, stored = kstone_item_bytes(item), whole = kstone_item_bytes(clone);
    kstone_value value = no_value();
    check_whole(item);
    CHECK_BYTES("ann", pk);
    CHECK_BYTES("12", sk);
    CHECK_OK(kstone_get(db, pk.data, pk.len, sk.data, sk.len, &again, &err));
    check_whole(again);
    kstone_free(again);
    CHECK_STATUS(KSTONE_OK, kstone_item_key_at(item, 0, &name, &value));
    CHECK_BYTES("score", name);
    CHECK_BYTES("12", value.bytes);
    CHECK_INT(KSTONE_TYPE_N, value.type);
    CHECK_STATUS(KSTONE_OK, kstone_item_key_at(item, 1, &name, &value));
    CHECK_BYTES("user", name);
    CHECK_BYTES("ann", value.bytes);
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_key_at(item, 2, &name, &value));
    CHECK_BYTES("user", name);
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_key_at(clone, 0, &name, &value));
    CHECK_MEM("\1a\2\0011\3won\4\1\1", 12, stored.data, stored.len);
    CHECK_MEM("\1a\2\0011\5score\2\00212\4user\1\3ann\3won\4\1\1", 32, whole.data, whole.len);
    kstone_free(clone);
}

static void an_item_is_put_under_its_own_key(void) {
    kstone_error *err = NULL;
    kstone_db *db = scores();
    kstone_item *item = NULL;
    size_t count = 0;
    CHECK_OK(kstone_count(db, &count, &err));
    CHECK_SIZE(2, count);
    CHECK_OK(kstone_get(db, LIT("ann"), LIT("1.2e1"), &item, &err));
    check_read(db, item);
    /* What was read is put again: under its own key, or under another of an untyped table. */
    CHECK_OK(kstone_put_item(db, item, &err));
    CHECK_OK(kstone_put(db, LIT("ann"), LIT("12"), item, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "score must equal", kstone_put(db, LIT("ann"), LIT("13"), item, &err));
    CHECK_OK(kstone_count(db, &count, &err));
    CHECK_SIZE(2, count);
    kstone_free(item);
    CHECK_OK(kstone_delete(db, LIT("ann"), LIT("12.0"), &err));
    item = UNTOUCHED(kstone_item);
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_get(db, LIT("ann"), LIT("12"), &item, &err));
    CHECK_UNTOUCHED(item);
    kstone_free(db);
}

static void what_was_read_goes_whole_into_other_tables(void) {
    kstone_error *err = NULL;
    kstone_db *db = scores();
    kstone_db *other = open_database(0);
    kstone_item *item = NULL, *found = NULL;
    CHECK_OK(kstone_get(db, LIT("ann"), LIT("12"), &item, &err));
    CHECK_OK(kstone_put(other, LIT("copy"), NO_SK, item, &err));
    CHECK_OK(kstone_get(other, LIT("copy"), NO_SK, &found, &err));
    check_whole(found);
    kstone_free(found);
    CHECK_OK(kstone_put_if(other, LIT("copy2"), NO_SK, item, NULL, NULL, &err));
    CHECK_OK(kstone_get(other, LIT("copy2"), NO_SK, &found, &err));
    check_whole(found);
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "Missing the key pk", kstone_put_item(other, item, &err));
    kstone_free(found);
    kstone_free(item);
    kstone_free(other);
    kstone_free(db);
}

static void copies_of_it_are_whole(void) {
    kstone_error *err = NULL;
    kstone_db *db = scores();
    char *json = NULL;
    size_t len = 0;
    unsigned char buffer[64];
    uint32_t type = 0;
    kstone_item *item = NULL;
    CHECK_OK(kstone_get_json(db, LIT("ann"), LIT("12"), KSTONE_JSON_PLAIN, &json, &len, &err));
    CHECK_STR("{\"a\":1,\"score\":12,\"user\":\"ann\",\"won\":true}", json);
    kstone_free(json);
    CHECK_OK(kstone_get_bytes(db, LIT("ann"), LIT("12"), NULL, 0, &len, &err));
    CHECK_SIZE(32, len);
    CHECK_OK(kstone_get_bytes(db, LIT("ann"), LIT("12"), buffer, sizeof buffer, &len, &err));
    CHECK_OK(kstone_item_from_bytes(buffer, len, &item, &err));
    check_whole(item);
    kstone_free(item);
    CHECK_OK(kstone_get_attribute(db, LIT("ann"), LIT("12"), LIT("score"), buffer, sizeof buffer, &len, &type, &err));
    CHECK_MEM("12", 2, buffer, len);
    CHECK_INT(KSTONE_TYPE_N, type);
    CHECK_OK(kstone_get_attribute(db, LIT("ann"), LIT("12"), LIT("won"), buffer, sizeof buffer, &len, &type, &err));
    CHECK_INT(KSTONE_TYPE_BOOL, type);
    CHECK_OK(kstone_get_attribute(db, LIT("ann"), LIT("12"), LIT("pk"), buffer, sizeof buffer, &len, &type, &err));
    CHECK_INT(KSTONE_TYPE_NONE, type);
    kstone_free(db);
}

/* A table whose keys are the bytes themselves is read at a glance. */
static void keys_without_numbers_are_read_and_refused_alike(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_typed("{\"partition_key\":{\"name\":\"id\",\"type\":\"S\"},"
                               "\"sort_key\":{\"name\":\"at\",\"type\":\"B\"}}");
    kstone_item *item = NULL;
    char *json = NULL;
    size_t len = 0;
    unsigned char buffer[64];
    put_json_item(db, "{\"id\":{\"S\":\"a\"},\"at\":{\"B\":\"/w==\"},\"n\":{\"N\":\"1\"}}");
    CHECK_OK(kstone_get_json(db, LIT("a"), LIT("\xFF"), 0, &json, &len, &err));
    CHECK_STR("{\"at\":{\"B\":\"/w==\"},\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"1\"}}", json);
    kstone_free(json);
    CHECK_OK(kstone_get(db, LIT("a"), LIT("\xFF"), &item, &err));
    CHECK_BYTES("\xFF", kstone_item_sk(item));
    kstone_free(item);
    CHECK_OK(kstone_get_bytes(db, LIT("a"), LIT("\xFF"), buffer, sizeof buffer, &len, &err));
    CHECK_SIZE(17, len);
    item = UNTOUCHED(kstone_item);
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_get(db, LIT("a"), LIT("b"), &item, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "sort key at is missing", kstone_get(db, LIT("a"), NO_SK, &item, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "key attribute id", kstone_get(db, LIT("\xFF"), LIT("b"), &item, &err));
    CHECK_UNTOUCHED(item);
    kstone_free(db);
}

static void pages_iterators_and_cursors_show_it_whole(void) {
    kstone_error *err = NULL;
    kstone_db *db = scores();
    kstone_query_spec spec = query_spec(LIT("ann"));
    kstone_page *page = NULL;
    kstone_iter *iter = NULL;
    kstone_cursor *cursor = NULL;
    const kstone_item *item = NULL;
    char *json = NULL;
    size_t len = 0;
    kstone_bytes packed;
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    CHECK_SIZE(2, kstone_page_count(page));
    check_read(db, kstone_page_item(page, 1));
    CHECK_OK(kstone_page_to_json(page, KSTONE_JSON_PLAIN, &json, &len, &err));
    CHECK_CONTAINS("[{\"score\":-3,\"user\":\"ann\",\"won\":false},{\"a\":1,\"score\":12,\"user\":\"ann\",\"won\":true}]",
                   json);
    kstone_free(json);
    packed = kstone_page_bytes(page);
    CHECK_MEM("\3\0\2\0\x1B\0\0\0ann-3\5score\2\2-3\4user\1\3ann\3won\4\1\0"
              "\3\0\2\0\x20\0\0\0ann12\1a\2\0011\5score\2\00212\4user\1\3ann\3won\4\1\1",
              8 + 5 + 27 + 8 + 5 + 32, packed.data, packed.len);
    kstone_free(page);
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    CHECK_OK(kstone_iter_next(iter, &item, &err));
    CHECK_OK(kstone_iter_next(iter, &item, &err));
    check_read(db, item);
    kstone_free(iter);
    CHECK_OK(kstone_cursor_open(db, &spec, &cursor, &err));
    CHECK_OK(kstone_cursor_last(cursor, &item, &err));
    check_read(db, item);
    kstone_free(cursor);
    CHECK_OK(kstone_scan(db, NULL, &page, &err));
    check_read(db, kstone_page_item(page, 1));
    kstone_free(page);
    kstone_free(db);
}

static void many_keys_and_items_in_one_call(void) {
    kstone_error *err = NULL;
    kstone_db *db = scores();
    const void *pks[] = {"ann", "ann", "bob"};
    const size_t pk_lens[] = {3, 3, 3};
    const void *sks[] = {"12.0", "7", "1"};
    const size_t sk_lens[] = {4, 1, 1};
    kstone_item *found[] = {NULL, NULL, NULL};
    const kstone_item *items[3];
    size_t count = 0;
    CHECK_OK(kstone_get_many(db, pks, pk_lens, sks, sk_lens, 3, found, &err));
    check_read(db, found[0]);
    CHECK_NULL(found[1]);
    CHECK_NULL(found[2]);
    items[0] = items[1] = items[2] = found[0];
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_put_many(db, pks, pk_lens, sks, sk_lens, items, 3, &err));
    CHECK_INT(1, kstone_error_index(err));
    CHECK_CONTAINS("attribute score must equal", kstone_error_message(err));
    kstone_free(err);
    err = NULL;
    CHECK_OK(kstone_delete(db, LIT("ann"), LIT("12"), &err));
    CHECK_OK(kstone_put_many(db, pks, pk_lens, sks, sk_lens, items, 1, &err));
    CHECK_OK(kstone_count(db, &count, &err));
    CHECK_SIZE(2, count);
    sks[2] = "one";
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_get_many(db, pks, pk_lens, sks, sk_lens, 3, found, &err));
    CHECK_CONTAINS("key attribute score", kstone_error_message(err));
    kstone_free(err);
    kstone_free(found[0]);
    kstone_free(db);
}

static void conditions_and_updates_use_the_tables_names(void) {
    kstone_error *err = NULL;
    kstone_db *db = scores();
    kstone_item *params = item_of("{\":n\":{\"N\":\"10\"}}");
    kstone_item *item = item_of("{\"a\":{\"N\":\"1\"},\"won\":{\"BOOL\":true}}");
    kstone_item *old = NULL;
    kstone_cond cond = KSTONE_COND_INIT;
    cond.expr = "score < :n";
    cond.expr_len = KSTONE_STRLEN;
    cond.params = params;
    cond.return_old = 1;
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED, kstone_put_if(db, LIT("ann"), LIT("12"), item, &cond, NULL, &err));
    check_read(db, kstone_error_item(err));
    kstone_free(err);
    err = NULL;
    CHECK_OK(kstone_update(db, LIT("ann"), LIT("12"), LIT("SET b = score + :n"), params, NULL, KSTONE_RETURN_ALL_OLD,
                           &old, &err));
    check_whole(old);
    kstone_free(old);
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "score. This attribute is part of the key",
                       kstone_update(db, LIT("ann"), LIT("12"), LIT("SET score = :n"), params, NULL,
                                     KSTONE_RETURN_NONE, NULL, &err));
    cond.expr = "score > :n AND b = :b AND #u = :u";
    kstone_free(params);
    params = item_of("{\":n\":{\"N\":\"10\"},\":b\":{\"N\":\"22\"},\":u\":{\"S\":\"ann\"},\"#u\":{\"S\":\"user\"}}");
    cond.params = params;
    CHECK_OK(kstone_put_if(db, LIT("ann"), LIT("12"), item, &cond, &old, &err));
    CHECK_SIZE(5, kstone_item_count(old));
    kstone_free(old);
    CHECK_OK(kstone_get(db, LIT("ann"), LIT("12"), &old, &err));
    check_read(db, old);
    kstone_free(old);
    kstone_free(item);
    kstone_free(params);
    kstone_free(db);
}

static void batches_know_the_key_of_an_item(void) {
    kstone_error *err = NULL;
    kstone_db *db = scores();
    kstone_batch *batch = kstone_batch_new();
    kstone_item *item = item_of("{\"user\":{\"S\":\"bob\"},\"score\":{\"N\":\"7\"}}");
    kstone_item *keyless = item_of("{\"user\":{\"S\":\"bob\"}}");
    kstone_page *page = NULL;
    kstone_cond cond = KSTONE_COND_INIT;
    size_t count = 0;
    cond.expr = "attribute_not_exists(score)";
    cond.expr_len = KSTONE_STRLEN;
    CHECK_STATUS(KSTONE_OK, kstone_batch_put_item(batch, item, &cond));
    CHECK_STATUS(KSTONE_OK, kstone_batch_get(batch, LIT("ann"), LIT("12.00")));
    CHECK_OK(kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, &page, &err));
    check_read(db, kstone_page_item(page, 0));
    kstone_free(page);
    /* The same again: the condition does not hold. */
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED, kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, NULL, &err));
    CHECK_INT(0, kstone_error_index(err));
    kstone_free(err);
    err = NULL;
    kstone_free(batch);
    batch = kstone_batch_new();
    CHECK_STATUS(KSTONE_OK, kstone_batch_delete(batch, LIT("bob"), LIT("7.0"), NULL));
    CHECK_STATUS(KSTONE_OK, kstone_batch_put_item(batch, item, NULL));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, NULL, &err));
    CHECK_CONTAINS("multiple operations on one item", kstone_error_message(err));
    kstone_free(err);
    err = NULL;
    CHECK_STATUS(KSTONE_OK, kstone_batch_put_item(batch, keyless, NULL));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_batch_run(db, batch, 0, NULL, &err));
    CHECK_INT(2, kstone_error_index(err));
    CHECK_CONTAINS("Missing the key score", kstone_error_message(err));
    kstone_free(err);
    CHECK_OK((err = NULL, kstone_count(db, &count, &err)));
    CHECK_SIZE(3, count);
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_put_item(NULL, item, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_put_item(batch, NULL, NULL));
    kstone_free(batch);
    batch = kstone_batch_new();
    CHECK_STATUS(KSTONE_OK, kstone_batch_execute(batch, LIT("SELECT * FROM items"), NULL));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_batch_put_item(batch, item, NULL));
    kstone_free(batch);
    kstone_free(keyless);
    kstone_free(item);
    kstone_free(db);
}

static void prepared_writes_take_the_text_of_a_key(void) {
    kstone_error *err = NULL;
    kstone_db *db = scores();
    kstone_prepare_spec spec;
    kstone_prepared *put = NULL;
    kstone_batch *batch = kstone_batch_new();
    kstone_item *item = NULL, *old = NULL;
    size_t count = 0;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.kind = KSTONE_PREPARE_PUT;
    CHECK_OK(kstone_prepare(db, &spec, &put, &err));
    CHECK_OK(kstone_get(db, LIT("ann"), LIT("12"), &item, &err));
    CHECK_OK(kstone_run_write(db, put, LIT("ann"), LIT("12.0"), item, NULL, 0, KSTONE_RETURN_ALL_OLD, &old, &err));
    check_read(db, old);
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "score must equal",
                       kstone_run_write(db, put, LIT("ann"), LIT("1"), item, NULL, 0, 0, NULL, &err));
    CHECK_STATUS(KSTONE_OK, kstone_batch_prepared(batch, put, LIT("ann"), LIT("12e0"), item, NULL, 0));
    CHECK_OK(kstone_batch_run(db, batch, 0, NULL, &err));
    CHECK_OK(kstone_count(db, &count, &err));
    CHECK_SIZE(2, count);
    kstone_free(batch);
    kstone_free(old);
    kstone_free(item);
    kstone_free(put);
    kstone_free(db);
}

static void large_items_are_whole_too(void) {
    kstone_error *err = NULL;
    kstone_db *db = scores();
    kstone_item *item = kstone_item_new();
    kstone_item *found = NULL;
    kstone_value value = no_value();
    int64_t integer = 0;
    int i;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("user"), LIT("big")));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_num(item, LIT("score"), LIT("1e2"), NULL));
    for (i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%03d", i);
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, name, KSTONE_STRLEN, i));
    }
    CHECK_OK(kstone_put_item(db, item, &err));
    CHECK_OK(kstone_get(db, LIT("big"), LIT("100"), &found, &err));
    CHECK_SIZE(202, kstone_item_count(found));
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(found, LIT("score"), &integer));
    CHECK_INT(100, integer);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(found, LIT("n150"), &integer));
    CHECK_INT(150, integer);
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(found, LIT("n200"), &value));
    kstone_free(found);
    kstone_free(item);
    kstone_free(db);
}

static void what_is_no_key_is_refused_by_name(void) {
    kstone_error *err = NULL;
    kstone_db *db = scores();
    kstone_item *item = UNTOUCHED(kstone_item);
    kstone_item *wrong = item_of("{\"user\":{\"N\":\"1\"},\"score\":{\"N\":\"1\"}}");
    kstone_item *empty = item_of("{\"user\":{\"S\":\"\"},\"score\":{\"N\":\"1\"}}");
    kstone_item *keyless = item_of("{\"a\":{\"S\":\"\"}}");
    size_t count = 0;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "key user expected: S actual: N", kstone_put_item(db, wrong, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "Key: user", kstone_put_item(db, empty, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "Missing the key user", kstone_put_item(db, keyless, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "score", kstone_put(db, LIT("ann"), LIT("twelve"), keyless, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "score", kstone_get(db, LIT("ann"), LIT("twelve"), &item, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "score", kstone_get(db, LIT("ann"), NO_SK, &item, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "score", kstone_delete(db, LIT("ann"), NO_SK, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_item(db, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_item(NULL, keyless, &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_key_at(NULL, 0, NULL, NULL));
    CHECK_UNTOUCHED(item);
    CHECK_OK(kstone_count(db, &count, &err));
    CHECK_SIZE(2, count);
    kstone_free(keyless);
    kstone_free(empty);
    kstone_free(wrong);
    kstone_free(db);
}

static void an_untyped_table_takes_pk_and_sk_from_an_item(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = item_of("{\"pk\":{\"S\":\"a\"},\"sk\":{\"B\":\"Yg==\"},\"v\":{\"N\":\"3\"}}");
    kstone_item *found = NULL;
    kstone_bytes name;
    kstone_value value = no_value();
    kstone_batch *batch = kstone_batch_new();
    CHECK_OK(kstone_put_item(db, item, &err));
    CHECK_INT(3, get_number(db, "a", "b"));
    CHECK_OK(kstone_get(db, LIT("a"), LIT("b"), &found, &err));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_key_at(found, 0, &name, &value));
    CHECK_OK(kstone_delete(db, LIT("a"), LIT("b"), &err));
    CHECK_STATUS(KSTONE_OK, kstone_batch_put_item(batch, found, NULL));
    CHECK_OK(kstone_batch_run(db, batch, 0, NULL, &err));
    CHECK_INT(3, get_number(db, "a", "b"));
    kstone_free(batch);
    kstone_free(found);
    kstone_free(item);
    kstone_free(db);
}

int main(void) {
    an_item_is_put_under_its_own_key();
    what_was_read_goes_whole_into_other_tables();
    copies_of_it_are_whole();
    keys_without_numbers_are_read_and_refused_alike();
    pages_iterators_and_cursors_show_it_whole();
    many_keys_and_items_in_one_call();
    conditions_and_updates_use_the_tables_names();
    batches_know_the_key_of_an_item();
    prepared_writes_take_the_text_of_a_key();
    large_items_are_whole_too();
    what_is_no_key_is_refused_by_name();
    an_untyped_table_takes_pk_and_sk_from_an_item();
    return check_report();
}
