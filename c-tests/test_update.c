/* Updates: expressions, bags, what is returned, what is refused. */
#include "support.h"

#include <pthread.h>

/* The item under "p" as typed JSON equals this, or there is none where it is NULL. */
#define CHECK_ITEM(expected, db) check_item((expected), (db), __LINE__)

static void check_item(const char *expected, const kstone_db *db, int line) {
    char *json = NULL;
    size_t len = 0;
    kstone_status status = kstone_get_json(db, LIT("p"), NO_SK, 0, &json, &len, NULL);
    if (expected == NULL) {
        check_int(KSTONE_NOT_FOUND, status, __FILE__, line, "kstone_get_json");
    } else {
        check_str(expected, json, __FILE__, line, "kstone_get_json");
    }
    kstone_free(json);
}

static void put_json(kstone_db *db, const char *json) {
    kstone_error *err = NULL;
    CHECK_OK(kstone_put_json(db, LIT("p"), NO_SK, json, KSTONE_STRLEN, 0, &err));
}

static kstone_status update(kstone_db *db, const char *expr, const kstone_item *params, kstone_error **err) {
    return kstone_update(db, LIT("p"), NO_SK, expr, KSTONE_STRLEN, params, NULL, KSTONE_RETURN_NONE, NULL, err);
}

static void every_clause_does_what_it_says(void) {
    static const struct {
        const char *before;
        const char *expr;
        const char *params;
        const char *after;
    } CASES[] = {
        {"{\"n\":{\"N\":\"1\"}}", "SET n = n + :d", "{\":d\":{\"N\":\"0.5\"}}", "{\"n\":{\"N\":\"1.5\"}}"},
        {"{\"n\":{\"N\":\"1\"}}", "SET n = :d - n", "{\":d\":{\"N\":\"3\"}}", "{\"n\":{\"N\":\"2\"}}"},
        {"{\"n\":{\"N\":\"1\"}}", "SET m = if_not_exists(m, n)", NULL, "{\"m\":{\"N\":\"1\"},\"n\":{\"N\":\"1\"}}"},
        {"{\"l\":{\"L\":[{\"S\":\"a\"}]}}", "SET l = list_append(l, :b)", "{\":b\":{\"L\":[{\"S\":\"b\"}]}}",
         "{\"l\":{\"L\":[{\"S\":\"a\"},{\"S\":\"b\"}]}}"},
        {"{\"a\":{\"S\":\"x\"},\"b\":{\"S\":\"y\"}}", "SET a = b, b = a", NULL,
         "{\"a\":{\"S\":\"y\"},\"b\":{\"S\":\"x\"}}"},
        {"{\"m\":{\"M\":{\"x\":{\"N\":\"1\"}}}}", "SET m.#y = m.x REMOVE m.x", "{\"#y\":{\"S\":\"a.b\"}}",
         "{\"m\":{\"M\":{\"a.b\":{\"N\":\"1\"}}}}"},
        {"{\"l\":{\"L\":[{\"N\":\"0\"},{\"N\":\"1\"},{\"N\":\"2\"}]}}", "REMOVE l[1]", NULL,
         "{\"l\":{\"L\":[{\"N\":\"0\"},{\"N\":\"2\"}]}}"},
        {"{\"s\":{\"SS\":[\"a\"]}}", "ADD s :s", "{\":s\":{\"SS\":[\"b\",\"a\"]}}", "{\"s\":{\"SS\":[\"a\",\"b\"]}}"},
        {"{\"s\":{\"SS\":[\"a\",\"b\"]},\"k\":{\"S\":\"v\"}}", "DELETE s :s", "{\":s\":{\"SS\":[\"a\",\"b\"]}}",
         "{\"k\":{\"S\":\"v\"}}"},
    };
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        kstone_item *params = CASES[i].params != NULL ? item_of(CASES[i].params) : NULL;
        put_json(db, CASES[i].before);
        CHECK_OK(update(db, CASES[i].expr, params, &err));
        CHECK_ITEM(CASES[i].after, db);
        kstone_free(params);
    }
    kstone_free(db);
}

static void an_update_makes_the_item_that_is_not_there(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *params = item_of("{\":one\":{\"N\":\"1\"}}");
    CHECK_OK(update(db, "ADD visits :one", params, &err));
    CHECK_ITEM("{\"visits\":{\"N\":\"1\"}}", db);
    CHECK_OK(update(db, "ADD visits :one", params, &err));
    CHECK_ITEM("{\"visits\":{\"N\":\"2\"}}", db);
    kstone_free(params);
    kstone_free(db);
}

static void an_update_returns_what_is_asked_of_it(void) {
    static const struct {
        uint32_t values;
        const char *json;
    } CASES[] = {
        {KSTONE_RETURN_NONE, NULL},
        {KSTONE_RETURN_ALL_OLD, "{\"n\":1,\"name\":\"x\"}"},
        {KSTONE_RETURN_UPDATED_OLD, "{\"n\":1}"},
        {KSTONE_RETURN_ALL_NEW, "{\"n\":2,\"name\":\"x\"}"},
        {KSTONE_RETURN_UPDATED_NEW, "{\"n\":2}"},
    };
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *params = item_of("{\":one\":{\"N\":\"1\"}}");
    kstone_item *returned = UNTOUCHED(kstone_item);
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char *json = NULL;
        size_t len = 0;
        put_json(db, "{\"n\":{\"N\":\"1\"},\"name\":{\"S\":\"x\"}}");
        CHECK_OK(kstone_update(db, LIT("p"), NO_SK, LIT("SET n = n + :one"), params, NULL, CASES[i].values, &returned,
                               &err));
        if (CASES[i].json == NULL) {
            CHECK_NULL(returned);
            continue;
        }
        CHECK_BYTES("p", kstone_item_pk(returned));
        CHECK_OK(kstone_item_to_json(returned, KSTONE_JSON_PLAIN, &json, &len, &err));
        CHECK_STR(CASES[i].json, json);
        kstone_free(json);
        kstone_free(returned);
    }
    /* Where there was nothing, nothing comes back. */
    CHECK_OK(kstone_update(db, LIT("new"), NO_SK, LIT("ADD n :one"), params, NULL, KSTONE_RETURN_ALL_OLD, &returned,
                           &err));
    CHECK_NULL(returned);
    returned = UNTOUCHED(kstone_item);
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "return_values",
                       kstone_update(db, LIT("p"), NO_SK, LIT("ADD n :one"), params, NULL, 5, &returned, &err));
    CHECK_UNTOUCHED(returned);
    CHECK_ITEM("{\"n\":{\"N\":\"2\"},\"name\":{\"S\":\"x\"}}", db);
    kstone_free(params);
    kstone_free(db);
}

static void each_expression_reads_its_own_bag(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *one = item_of("{\":v\":{\"N\":\"1\"}}");
    kstone_item *ten = item_of("{\":v\":{\"N\":\"10\"}}");
    kstone_item *both = item_of("{\":v\":{\"N\":\"1\"},\":max\":{\"N\":\"10\"}}");
    kstone_cond cond;
    kstone_item *returned = UNTOUCHED(kstone_item);
    memset(&cond, 0, sizeof cond);
    cond.struct_size = sizeof cond;
    cond.expr = "n < :v";
    cond.expr_len = KSTONE_STRLEN;
    cond.params = ten;
    cond.return_old = 1;
    put_json(db, "{\"n\":{\"N\":\"9\"}}");
    CHECK_OK(kstone_update(db, LIT("p"), NO_SK, LIT("SET n = n + :v"), one, &cond, 0, NULL, &err));
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED, kstone_update(db, LIT("p"), NO_SK, LIT("SET n = n + :v"), one, &cond,
                                                            KSTONE_RETURN_ALL_NEW, &returned, &err));
    CHECK_UNTOUCHED(returned);
    CHECK_STR("ConditionalCheckFailedException", kstone_error_name(err));
    CHECK_SIZE(1, kstone_item_count(kstone_error_item(err)));
    support_free_error(&err);
    CHECK_ITEM("{\"n\":{\"N\":\"10\"}}", db);
    /* Without a bag of its own the condition reads the update's. */
    cond.expr = "n <= :max";
    cond.params = NULL;
    CHECK_OK(kstone_update(db, LIT("p"), NO_SK, LIT("SET n = n + :v"), both, &cond, 0, NULL, &err));
    CHECK_ITEM("{\"n\":{\"N\":\"11\"}}", db);
    /* An entry that nobody uses is an error, whichever bag it is in. */
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, ":max", update(db, "SET n = n + :v", both, &err));
    cond.expr = "n < :v";
    cond.params = both;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, ":max",
                       kstone_update(db, LIT("p"), NO_SK, LIT("SET n = n + :v"), one, &cond, 0, NULL, &err));
    CHECK_ITEM("{\"n\":{\"N\":\"11\"}}", db);
    kstone_free(one);
    kstone_free(ten);
    kstone_free(both);
    kstone_free(db);
}

static void what_an_update_cannot_do_changes_nothing(void) {
    static const struct {
        const char *expr;
        const char *part;
    } CASES[] = {
        {"", "expr"},
        {"SET", "Syntax error"},
        {"SET n = ", "Syntax error"},
        {"SET n = :absent", ":absent"},
        {"SET n = n SET n = n", "SET"},
        {"SET n = name", "reserved"},
        {"SET n = n, n = n", "overlap"},
        {"SET m.x = n, m = n", "overlap"},
        {"SET n = nowhere", "attribute"},
        {"SET nowhere.x = n", "path"},
        {"SET n = n + title", "type"},
        {"SET pk = title", "key"},
        {"REMOVE sk", "key"},
        {"n = n", "Syntax error"},
    };
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    size_t i;
    put_json(db, "{\"n\":{\"N\":\"1\"},\"title\":{\"S\":\"x\"}}");
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, CASES[i].part, update(db, CASES[i].expr, NULL, &err));
    }
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_update(db, LIT("p"), NO_SK, NULL, 0, NULL, NULL, 0, NULL, &err));
    CHECK_ITEM("{\"n\":{\"N\":\"1\"},\"title\":{\"S\":\"x\"}}", db);
    kstone_free(db);
}

static void an_item_cannot_be_updated_beyond_its_limit(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *params = kstone_item_new();
    size_t len = 300 * 1000;
    char *text = (char *)malloc(len);
    memset(text, 'x', len);
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(params, LIT(":x"), text, len));
    put_json(db, "{\"n\":{\"N\":\"1\"}}");
    CHECK_FAILS_SAYING(KSTONE_ERR_LIMIT, "409600", update(db, "SET a = :x, b = :x", params, &err));
    CHECK_ITEM("{\"n\":{\"N\":\"1\"}}", db);
    CHECK_OK(update(db, "SET a = :x", params, &err));
    kstone_free(params);
    kstone_free(db);
    free(text);
}

enum { COUNTERS = 4 };

static void *count_up(void *argument) {
    kstone_db *db = (kstone_db *)argument;
    kstone_item *params = item_of("{\":one\":{\"N\":\"1\"}}");
    size_t i;
    for (i = 0; i < test_scale(2000); i++) {
        CHECK_STATUS(KSTONE_OK, update(db, "ADD v :one", params, NULL));
    }
    kstone_free(params);
    return NULL;
}

static void counters_lose_no_update(void) {
    kstone_db *db = open_database(0);
    pthread_t threads[COUNTERS];
    size_t i;
    for (i = 0; i < COUNTERS; i++) {
        CHECK_INT(0, pthread_create(&threads[i], NULL, count_up, db));
    }
    for (i = 0; i < COUNTERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT((intmax_t)(COUNTERS * test_scale(2000)), get_number(db, "p", NULL));
    kstone_free(db);
}

int main(void) {
    every_clause_does_what_it_says();
    an_update_makes_the_item_that_is_not_there();
    an_update_returns_what_is_asked_of_it();
    each_expression_reads_its_own_bag();
    what_an_update_cannot_do_changes_nothing();
    an_item_cannot_be_updated_beyond_its_limit();
    counters_lose_no_update();
    return check_report();
}
