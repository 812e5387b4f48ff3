/* Prepared requests: values by position and by name, every kind, what is refused, forks, other handles, threads. */
#include <pthread.h>

#include "support.h"

static kstone_prepare_spec prepare_spec(uint32_t kind, const char *text) {
    kstone_prepare_spec spec = KSTONE_PREPARE_SPEC_INIT;
    spec.kind = kind;
    spec.text = text;
    spec.text_len = text != NULL ? KSTONE_STRLEN : 0;
    return spec;
}

static kstone_cond condition(const char *expr) {
    kstone_cond cond = {sizeof(kstone_cond), NULL, 0, NULL, 0, 0};
    cond.expr = expr;
    cond.expr_len = KSTONE_STRLEN;
    return cond;
}

static kstone_value value_of(uint32_t type, const void *data, size_t len) {
    kstone_value value;
    value.type = type;
    value.reserved = 0;
    value.bytes.data = (const uint8_t *)data;
    value.bytes.len = len;
    return value;
}

static kstone_value text_value(const char *text) {
    return value_of(KSTONE_TYPE_S, text, strlen(text));
}

static kstone_prepared *prepared(const kstone_db *db, const kstone_prepare_spec *spec) {
    kstone_prepared *out = NULL;
    kstone_error *err = NULL;
    CHECK_OK(kstone_prepare(db, spec, &out, &err));
    return out;
}

static kstone_prepared *statement(const kstone_db *db, const char *text) {
    kstone_prepare_spec spec = prepare_spec(KSTONE_PREPARE_STATEMENT, text);
    return prepared(db, &spec);
}

static void an_update_runs_with_values_by_position_and_name(void) {
    kstone_db *db = open_database(0);
    kstone_prepare_spec spec = prepare_spec(KSTONE_PREPARE_UPDATE, "SET #v = if_not_exists(#v, :zero) + :by");
    kstone_cond cond = condition("attribute_not_exists(closed) AND :by <> :zero");
    kstone_item *names = kstone_item_new();
    kstone_item *returned = NULL;
    kstone_error *err = NULL;
    kstone_prepared *update;
    kstone_value values[2];
    int64_t zero = 0, by = 0;
    size_t position = 99, i;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(names, LIT("#v"), LIT("v")));
    spec.names = names;
    spec.cond = &cond;
    update = prepared(db, &spec);
    kstone_free(names);
    CHECK_SIZE(2, kstone_prepared_count(update));
    CHECK_BYTES(":zero", kstone_prepared_name(update, 0));
    CHECK_BYTES(":by", kstone_prepared_name(update, 1));
    CHECK_EMPTY(kstone_prepared_name(update, 2));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_prepared_find(update, LIT(":none"), &position));
    CHECK_SIZE(99, position);
    CHECK_STATUS(KSTONE_OK, kstone_prepared_find(update, ":by", KSTONE_STRLEN, &position));
    CHECK_SIZE(1, position);
    values[0] = value_of(KSTONE_VALUE_I64, &zero, sizeof zero);
    values[position] = value_of(KSTONE_VALUE_I64, &by, sizeof by);
    for (i = 1; i <= 10; i++) {
        by = (int64_t)i;
        CHECK_OK(kstone_run_write(db, update, LIT("a"), NO_SK, NULL, values, 2, KSTONE_RETURN_NONE, NULL, &err));
    }
    CHECK_INT(55, get_number(db, "a", ""));
    by = -56;
    CHECK_OK(kstone_run_write(db, update, LIT("a"), NO_SK, NULL, values, 2, KSTONE_RETURN_UPDATED_NEW, &returned, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(returned, LIT("v"), &by));
    CHECK_INT(-1, by);
    kstone_free(returned);
    by = 0;
    CHECK_FAILS(KSTONE_ERR_CONDITION_FAILED,
                kstone_run_write(db, update, LIT("a"), NO_SK, NULL, values, 2, KSTONE_RETURN_NONE, NULL, &err));
    kstone_free(update);
    kstone_free(db);
}

/* What an item gave, every form of a number, bytes: each is stored as its setter would have stored it. */
static void values_of_every_form_are_bound(void) {
    static const char JSON[] =
        "{\"a\":{\"M\":{\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"x\"}]}}},\"b\":{\"SS\":[\"p\",\"q\"]},\"c\":{\"NULL\":true},"
        "\"d\":{\"BOOL\":true},\"e\":{\"NS\":[\"1\",\"2\"]},\"f\":{\"B\":\"AAE=\"},\"g\":{\"S\":\"\"},\"h\":{\"N\":\"1.5\"}}";
    kstone_db *db = open_database(0);
    kstone_prepare_spec spec = prepare_spec(KSTONE_PREPARE_UPDATE, "SET w = :w");
    kstone_item *given = NULL;
    kstone_item *found = NULL;
    kstone_error *err = NULL;
    kstone_prepared *update = prepared(db, &spec);
    kstone_value value, stored;
    char name[2] = {'a', 0};
    int64_t smallest = INT64_MIN;
    double half = -0.5;
    CHECK_OK(kstone_item_from_json(LIT(JSON), 0, &given, &err));
    for (; name[0] <= 'h'; name[0]++) {
        CHECK_STATUS(KSTONE_OK, kstone_item_get(given, name, 1, &value));
        CHECK_OK(kstone_run_write(db, update, LIT("k"), NO_SK, NULL, &value, 1, KSTONE_RETURN_NONE, NULL, &err));
        CHECK_OK(kstone_get(db, LIT("k"), NO_SK, &found, &err));
        CHECK_STATUS(KSTONE_OK, kstone_item_get(found, LIT("w"), &stored));
        CHECK_INT((int)value.type, (int)stored.type);
        CHECK_MEM(value.bytes.data, value.bytes.len, stored.bytes.data, stored.bytes.len);
        kstone_free(found);
    }
    kstone_free(given);
#define CHECK_NUMBER(expected, what)                                                                              \
    value = (what);                                                                                               \
    CHECK_OK(kstone_run_write(db, update, LIT("k"), NO_SK, NULL, &value, 1, KSTONE_RETURN_ALL_NEW, &found, &err)); \
    CHECK_STATUS(KSTONE_OK, kstone_item_get(found, LIT("w"), &stored));                                           \
    CHECK_INT(KSTONE_TYPE_N, (int)stored.type);                                                                   \
    CHECK_BYTES(expected, stored.bytes);                                                                          \
    kstone_free(found)
    CHECK_NUMBER("-9223372036854775808", value_of(KSTONE_VALUE_I64, &smallest, sizeof smallest));
    CHECK_NUMBER("-0.5", value_of(KSTONE_VALUE_F64, &half, sizeof half));
    CHECK_NUMBER("1.5", value_of(KSTONE_TYPE_N, "+1.50", 5));
    CHECK_NUMBER("600", value_of(KSTONE_TYPE_N, "6E2", 3));
    kstone_free(update);
    kstone_free(db);
}

static void puts_deletes_and_checks_are_prepared(void) {
    kstone_db *db = open_database(0);
    kstone_cond absent = condition("attribute_not_exists(pk)");
    kstone_cond is_v = condition("v = :v");
    kstone_prepare_spec spec = prepare_spec(KSTONE_PREPARE_PUT, NULL);
    kstone_item *item = item_of("{\"v\":{\"N\":\"7\"}}");
    kstone_item *old = NULL;
    kstone_error *err = NULL;
    kstone_batch *batch = kstone_batch_new();
    kstone_prepared *put, *insert, *remove, *check;
    kstone_value seven = value_of(KSTONE_TYPE_N, "7", 1);
    kstone_value eight = value_of(KSTONE_TYPE_N, "8", 1);
    put = prepared(db, &spec);
    spec.cond = &absent;
    insert = prepared(db, &spec);
    is_v.return_old = 1;
    spec.cond = &is_v;
    spec.kind = KSTONE_PREPARE_DELETE;
    remove = prepared(db, &spec);
    spec.kind = KSTONE_PREPARE_CHECK;
    check = prepared(db, &spec);
    CHECK_OK(kstone_run_write(db, insert, LIT("a"), LIT("1"), item, NULL, 0, KSTONE_RETURN_NONE, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_CONDITION_FAILED,
                kstone_run_write(db, insert, LIT("a"), LIT("1"), item, NULL, 0, KSTONE_RETURN_NONE, NULL, &err));
    CHECK_OK(kstone_run_write(db, put, LIT("a"), LIT("1"), item, NULL, 0, KSTONE_RETURN_ALL_OLD, &old, &err));
    CHECK(old != NULL);
    kstone_free(old);
    /* A check alone says whether it holds. */
    CHECK_OK(kstone_run_write(db, check, LIT("a"), LIT("1"), NULL, &seven, 1, KSTONE_RETURN_NONE, NULL, &err));
    CHECK_INT(KSTONE_ERR_CONDITION_FAILED, kstone_run_write(db, check, LIT("a"), LIT("1"), NULL, &eight, 1,
                                                            KSTONE_RETURN_NONE, NULL, &err));
    CHECK(kstone_error_item(err) != NULL);
    support_free_error(&err);
    CHECK_INT(7, get_number(db, "a", "1"));
    CHECK_STATUS(KSTONE_OK, kstone_batch_prepared(batch, check, LIT("a"), LIT("1"), NULL, &seven, 1));
    CHECK_STATUS(KSTONE_OK, kstone_batch_prepared(batch, put, LIT("b"), NO_SK, item, NULL, 0));
    CHECK_OK(kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, NULL, &err));
    CHECK_INT(7, get_number(db, "b", ""));
    CHECK_INT(KSTONE_ERR_CONDITION_FAILED, kstone_run_write(db, remove, LIT("a"), LIT("1"), NULL, &eight, 1,
                                                            KSTONE_RETURN_NONE, NULL, &err));
    CHECK(kstone_error_item(err) != NULL);
    support_free_error(&err);
    CHECK_OK(kstone_run_write(db, remove, LIT("a"), LIT("1"), NULL, &seven, 1, KSTONE_RETURN_NONE, NULL, &err));
    /* Freed before the batch runs again: the batch has its own. */
    kstone_free(check);
    kstone_free(put);
    CHECK_INT(KSTONE_ERR_CONDITION_FAILED, kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, NULL, &err));
    CHECK_INT(0, kstone_error_index(err));
    support_free_error(&err);
    kstone_free(batch);
    kstone_free(insert);
    kstone_free(remove);
    kstone_free(item);
    kstone_free(db);
}

static void a_query_runs_page_after_page_and_as_an_iterator(void) {
    kstone_db *db = open_database(0);
    kstone_query_spec query = scan_spec();
    kstone_prepare_spec spec = prepare_spec(KSTONE_PREPARE_QUERY, NULL);
    kstone_page *page = NULL;
    kstone_page *next = NULL;
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    kstone_error *err = NULL;
    kstone_prepared *since;
    kstone_value values[3];
    int64_t below = 8;
    int i, found = 0;
    for (i = 0; i < 10; i++) {
        char sk[2];
        sk[0] = (char)('0' + i);
        sk[1] = 0;
        put_number(db, "p", sk, i);
    }
    query.key_expr = "pk = :p AND sk >= :from";
    query.key_expr_len = KSTONE_STRLEN;
    query.filter = "v < :below";
    query.filter_len = KSTONE_STRLEN;
    spec.query = &query;
    since = prepared(db, &spec);
    CHECK_SIZE(3, kstone_prepared_count(since));
    values[0] = text_value("p");
    values[1] = text_value("4");
    values[2] = value_of(KSTONE_VALUE_I64, &below, sizeof below);
    CHECK_OK(kstone_run(db, since, values, 3, 3, NULL, 0, &page, &err));
    CHECK_SIZE(3, kstone_page_count(page));
    CHECK_OK(kstone_run(db, since, values, 3, 0, kstone_page_token(page).data, kstone_page_token(page).len, &next, &err));
    CHECK_SIZE(1, kstone_page_count(next));
    CHECK_SIZE(3, kstone_page_scanned(next));
    kstone_free(next);
    kstone_free(page);
    CHECK_OK(kstone_run_iter(db, since, values, 3, 0, &iter, &err));
    while (kstone_iter_next(iter, &item, &err) == KSTONE_OK) {
        found++;
    }
    CHECK_INT(4, found);
    kstone_free(iter);
    kstone_free(since);
    kstone_free(db);
}

static void statements_run_on_forks_and_after_their_database(void) {
    kstone_db *db = open_database(0);
    kstone_db *fork = NULL;
    kstone_page *page = NULL;
    kstone_error *err = NULL;
    kstone_batch *batch = kstone_batch_new();
    kstone_prepared *insert = statement(db, "INSERT INTO items VALUE {'pk': ?, 'v': ?}");
    kstone_prepared *select = statement(db, "SELECT v FROM items WHERE pk = ?");
    kstone_value values[2];
    int64_t v = 1;
    CHECK_BYTES("?2", kstone_prepared_name(insert, 1));
    values[0] = text_value("a");
    values[1] = value_of(KSTONE_VALUE_I64, &v, sizeof v);
    CHECK_OK(kstone_run(db, insert, values, 2, 0, NULL, 0, NULL, &err));
    CHECK_OK(kstone_fork(db, &fork, &err));
    kstone_free(db);
    CHECK_FAILS(KSTONE_ERR_CONDITION_FAILED, kstone_run(fork, insert, values, 2, 0, NULL, 0, NULL, &err));
    CHECK_OK(kstone_run(fork, select, values, 1, 0, NULL, 0, &page, &err));
    CHECK_SIZE(1, kstone_page_count(page));
    kstone_free(page);
    values[0] = text_value("b");
    CHECK_STATUS(KSTONE_OK, kstone_batch_prepared(batch, insert, NULL, 0, NULL, 0, NULL, values, 2));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_batch_prepared(batch, insert, LIT("k"), NULL, 0, NULL, values, 2));
    CHECK_OK(kstone_batch_run(fork, batch, 0, NULL, &err));
    CHECK_INT(1, get_number(fork, "b", ""));
    kstone_free(batch);
    kstone_free(fork);
    kstone_free(insert);
    kstone_free(select);
}

#define PREPARE_FAILS(status, part) CHECK_FAILS_SAYING(status, part, kstone_prepare(db, &spec, &out, &err))

static void what_cannot_be_prepared_is_refused(void) {
    kstone_db *db = open_database(0);
    kstone_prepared *out = UNTOUCHED(kstone_prepared);
    kstone_error *err = NULL;
    kstone_query_spec query = scan_spec();
    kstone_item *bag = item_of("{\":v\":{\"N\":\"1\"}}");
    kstone_cond cond = condition("v = :v");
    kstone_prepare_spec spec = prepare_spec(7, NULL);
    PREPARE_FAILS(KSTONE_ERR_INVALID, "kind: 7 is not known");
    spec = prepare_spec(0, NULL);
    PREPARE_FAILS(KSTONE_ERR_INVALID, "kind: 0 is not known");
    spec = prepare_spec(KSTONE_PREPARE_STATEMENT, NULL);
    PREPARE_FAILS(KSTONE_ERR_INVALID, "text is NULL");
    spec = prepare_spec(KSTONE_PREPARE_STATEMENT, "SELECT FROM");
    PREPARE_FAILS(KSTONE_ERR_INVALID, "well formed");
    spec = prepare_spec(KSTONE_PREPARE_STATEMENT, "SELECT * FROM items");
    spec.names = bag;
    PREPARE_FAILS(KSTONE_ERR_INVALID, "kstone_prepare_spec.names is set, but kind 1 does not use it");
    spec = prepare_spec(KSTONE_PREPARE_UPDATE, "SET v = :v");
    spec.names = bag;
    PREPARE_FAILS(KSTONE_ERR_INVALID, ":v is a value");
    spec = prepare_spec(KSTONE_PREPARE_UPDATE, "SET pk = :v");
    PREPARE_FAILS(KSTONE_ERR_INVALID, "Cannot update attribute pk");
    spec = prepare_spec(KSTONE_PREPARE_PUT, NULL);
    cond.params = bag;
    spec.cond = &cond;
    PREPARE_FAILS(KSTONE_ERR_INVALID, ":v is a value");
    spec = prepare_spec(KSTONE_PREPARE_CHECK, NULL);
    PREPARE_FAILS(KSTONE_ERR_INVALID, "a check needs a condition");
    spec = prepare_spec(KSTONE_PREPARE_QUERY, NULL);
    PREPARE_FAILS(KSTONE_ERR_INVALID, "query is NULL");
    spec.query = &query;
    PREPARE_FAILS(KSTONE_ERR_INVALID, "pk is needed");
    query.key_expr = "sk = :s";
    query.key_expr_len = KSTONE_STRLEN;
    PREPARE_FAILS(KSTONE_ERR_INVALID, "Query condition missed key schema element");
    spec.reserved = 1;
    PREPARE_FAILS(KSTONE_ERR_INVALID, "reserved");
    spec.reserved = 0;
    spec.struct_size = 3;
    PREPARE_FAILS(KSTONE_ERR_INVALID, "struct_size");
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "a kstone_db", kstone_prepare(NULL, &spec, &out, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "out is NULL", kstone_prepare(db, &spec, NULL, &err));
    CHECK_UNTOUCHED(out);
    CHECK_SIZE(0, kstone_prepared_count(NULL));
    CHECK_EMPTY(kstone_prepared_name(NULL, 0));
    kstone_free(bag);
    kstone_free(db);
}

static void values_that_do_not_fit_are_named(void) {
    kstone_db *db = open_database(0);
    kstone_prepare_spec spec = prepare_spec(KSTONE_PREPARE_UPDATE, "SET v = :a, w = :b");
    kstone_prepared *update = prepared(db, &spec);
    kstone_prepared *select = statement(db, "SELECT * FROM items WHERE pk = ?");
    kstone_error *err = NULL;
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_iter *iter = UNTOUCHED(kstone_iter);
    kstone_item *item = item_of("{}");
    kstone_value values[3];
    double infinite = 1e308;
    uint64_t items = 1;
    infinite *= 10;
    values[0] = text_value("x");
#define RUN_FAILS(status, part, second)                                                                     \
    values[1] = (second);                                                                                   \
    CHECK_FAILS_SAYING(status, part, kstone_run_write(db, update, LIT("k"), NO_SK, NULL, values, 2,         \
                                                      KSTONE_RETURN_NONE, NULL, &err))
    RUN_FAILS(KSTONE_ERR_INVALID, "the value of :b, at position 1: it is not bound", value_of(0, NULL, 0));
    RUN_FAILS(KSTONE_ERR_INVALID, "its type, 99, is not known", value_of(99, NULL, 0));
    RUN_FAILS(KSTONE_ERR_INVALID, "the value of :b, at position 1", value_of(KSTONE_TYPE_S, "\xff", 1));
    RUN_FAILS(KSTONE_ERR_INVALID, "the value of :b, at position 1", value_of(KSTONE_TYPE_N, "1x", 2));
    RUN_FAILS(KSTONE_ERR_INVALID, "the value of :b, at position 1", value_of(KSTONE_TYPE_BOOL, "\x02", 1));
    RUN_FAILS(KSTONE_ERR_INVALID, "the value of :b, at position 1", value_of(KSTONE_TYPE_NULL, "x", 1));
    RUN_FAILS(KSTONE_ERR_INVALID, "the value of :b, at position 1", value_of(KSTONE_TYPE_M, "\x01", 1));
    RUN_FAILS(KSTONE_ERR_INVALID, "the value of :b, at position 1", value_of(KSTONE_TYPE_SS, NULL, 0));
    RUN_FAILS(KSTONE_ERR_INVALID, "takes 8 bytes, found 4", value_of(KSTONE_VALUE_I64, &infinite, 4));
    RUN_FAILS(KSTONE_ERR_INVALID, "the value of :b, at position 1", value_of(KSTONE_VALUE_F64, &infinite, 8));
    RUN_FAILS(KSTONE_ERR_MISUSE, "the value of :b, at position 1: kstone_value.bytes is NULL",
              value_of(KSTONE_TYPE_B, NULL, 1));
    values[1] = text_value("y");
    values[1].reserved = 1;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "reserved",
                       kstone_run_write(db, update, LIT("k"), NO_SK, NULL, values, 2, 0, NULL, &err));
    values[1] = values[2] = text_value("y");
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "2 parameters (:a, :b): found 3",
                       kstone_run_write(db, update, LIT("k"), NO_SK, NULL, values, 3, 0, NULL, &err));
    /* What is too many is not looked at. */
    values[2] = value_of(0, NULL, 0);
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "2 parameters (:a, :b): found 3",
                       kstone_run_write(db, update, LIT("k"), NO_SK, NULL, values, 3, 0, NULL, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "2 parameters (:a, :b): found 0",
                       kstone_run_write(db, update, LIT("k"), NO_SK, NULL, NULL, 0, 0, NULL, &err));
    CHECK_INT(KSTONE_ERR_MISUSE, kstone_run_write(db, update, LIT("k"), NO_SK, NULL, NULL, 2, 0, NULL, &err));
    CHECK_STR("values is NULL, but their number is not 0", kstone_error_message(err));
    support_free_error(&err);
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "impossible",
                       kstone_run_write(db, update, LIT("k"), NO_SK, NULL, values, (size_t)-1, 0, NULL, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "which is no put",
                       kstone_run_write(db, update, LIT("k"), NO_SK, item, values, 2, 0, NULL, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "return_values: 5",
                       kstone_run_write(db, update, LIT("k"), NO_SK, NULL, values, 2, 5, NULL, &err));
    /* Handles of another kind, and prepared requests of another kind. */
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "a kstone_prepared is needed",
                       kstone_run(db, (const kstone_prepared *)(const void *)item, values, 1, 0, NULL, 0, &page, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "found NULL", kstone_run(db, NULL, values, 1, 0, NULL, 0, &page, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "kstone_run takes a statement or a query",
                       kstone_run(db, update, values, 2, 0, NULL, 0, &page, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "kstone_run_write takes a write",
                       kstone_run_write(db, select, LIT("k"), NO_SK, NULL, values, 1, 0, NULL, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "kstone_run_iter takes a query",
                       kstone_run_iter(db, select, values, 1, 0, &iter, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_run(db, select, values, 1, 0, "token", 5, &page, &err));
    CHECK_UNTOUCHED(page);
    CHECK_UNTOUCHED(iter);
    CHECK_OK(kstone_count(db, &items, &err));
    CHECK_SIZE(0, (size_t)items);
    kstone_free(item);
    kstone_free(update);
    kstone_free(select);
    kstone_free(db);
}

#define THREADS 4
#define ROUNDS 300

typedef struct worker {
    kstone_db *db;
    const kstone_prepared *update;
    int64_t by;
} worker;

static void *work(void *given) {
    worker *w = given;
    kstone_error *err = NULL;
    kstone_value value = value_of(KSTONE_VALUE_I64, &w->by, sizeof w->by);
    int i;
    for (i = 0; i < ROUNDS; i++) {
        CHECK_OK(kstone_run_write(w->db, w->update, LIT("sum"), NO_SK, NULL, &value, 1, KSTONE_RETURN_NONE, NULL, &err));
    }
    return NULL;
}

static void one_is_run_by_many_threads(void) {
    kstone_db *db = open_database(0);
    kstone_prepare_spec spec = prepare_spec(KSTONE_PREPARE_UPDATE, "ADD v :by");
    kstone_prepared *update = prepared(db, &spec);
    pthread_t threads[THREADS];
    worker workers[THREADS];
    int i;
    for (i = 0; i < THREADS; i++) {
        workers[i].db = db;
        workers[i].update = update;
        workers[i].by = i + 1;
        CHECK_INT(0, pthread_create(&threads[i], NULL, work, &workers[i]));
    }
    for (i = 0; i < THREADS; i++) {
        CHECK_INT(0, pthread_join(threads[i], NULL));
    }
    CHECK_INT(ROUNDS * 10, get_number(db, "sum", ""));
    kstone_free(update);
    kstone_free(db);
}

int main(void) {
    an_update_runs_with_values_by_position_and_name();
    values_of_every_form_are_bound();
    puts_deletes_and_checks_are_prepared();
    a_query_runs_page_after_page_and_as_an_iterator();
    statements_run_on_forks_and_after_their_database();
    what_cannot_be_prepared_is_refused();
    values_that_do_not_fit_are_named();
    one_is_run_by_many_threads();
    return check_report();
}
