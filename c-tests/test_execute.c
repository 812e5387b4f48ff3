/* Statements: rows, pages, parameters, what is refused, batches and transactions of them. */
#include "support.h"

static kstone_status execute(kstone_db *db, const char *statement, const kstone_item *params, kstone_page **out,
                             kstone_error **err) {
    return kstone_execute(db, statement, KSTONE_STRLEN, params, NULL, 0, out, err);
}

static void run(kstone_db *db, const char *statement) {
    kstone_error *err = NULL;
    CHECK_OK(execute(db, statement, NULL, NULL, &err));
}

/* The page of the statement as plain JSON. */
#define CHECK_ROWS(expected, db, statement) check_rows((expected), (db), (statement), __LINE__)

static void check_rows(const char *expected, kstone_db *db, const char *statement, int line) {
    kstone_page *page = NULL;
    kstone_error *err = NULL;
    char *json = NULL;
    size_t len = 0;
    CHECK_OK(execute(db, statement, NULL, &page, &err));
    CHECK_OK(kstone_page_to_json(page, KSTONE_JSON_PLAIN, &json, &len, &err));
    check_str(expected, json, __FILE__, line, statement);
    kstone_free(json);
    kstone_free(page);
}

static void statements_write_and_read(void) {
    kstone_db *db = open_database(0);
    run(db, "INSERT INTO items VALUE {'pk': 'a', 'sk': '1', 'n': 1}");
    run(db, "INSERT INTO items VALUE {'pk': 'a', 'sk': '2', 'n': 2.50, 's': <<'x'>>}");
    CHECK_ROWS("{\"Count\":1,\"Items\":[{\"n\":2.5,\"pk\":\"a\",\"s\":[\"x\"],\"sk\":\"2\"}],\"ScannedCount\":2}", db,
               "SELECT * FROM items WHERE pk = 'a' AND n > 1");
    CHECK_ROWS("{\"Count\":1,\"Items\":[{\"n\":3}],\"ScannedCount\":0}", db,
               "UPDATE items SET n = n + 2 WHERE pk = 'a' AND sk = '1' RETURNING MODIFIED NEW *");
    CHECK_ROWS("{\"Count\":1,\"Items\":[{\"COUNT(*)\":2}],\"ScannedCount\":2}", db, "SELECT COUNT(*) FROM items");
    CHECK_ROWS("{\"Count\":0,\"Items\":[],\"ScannedCount\":0}", db, "DELETE FROM items WHERE pk = 'a' AND sk = '1'");
    kstone_free(db);
}

static void rows_have_the_key_of_their_item(void) {
    kstone_db *db = open_database(0);
    kstone_page *page = NULL;
    kstone_error *err = NULL;
    run(db, "INSERT INTO items VALUE {'pk': 'a', 'sk': '1', 'n': 1}");
    CHECK_OK(execute(db, "SELECT n FROM items", NULL, &page, &err));
    CHECK_BYTES("a", kstone_item_pk(kstone_page_item(page, 0)));
    CHECK_BYTES("1", kstone_item_sk(kstone_page_item(page, 0)));
    kstone_free(page);
    CHECK_OK(execute(db, "SELECT COUNT(*) AS n FROM items", NULL, &page, &err));
    CHECK_SIZE(0, kstone_item_pk(kstone_page_item(page, 0)).len);
    kstone_free(page);
    kstone_free(db);
}

static void parameters_come_in_a_bag(void) {
    kstone_db *db = open_database(0);
    kstone_page *page = NULL;
    kstone_error *err = NULL;
    kstone_item *params = item_of("{\"?1\":{\"S\":\"a\"},\"?2\":{\"BS\":[\"AAE=\"]}}");
    CHECK_OK(execute(db, "INSERT INTO items VALUE {'pk': ?, 'b': ?}", params, NULL, &err));
    CHECK_OK(execute(db, "SELECT * FROM items WHERE pk = ? AND b = ?", params, &page, &err));
    CHECK_SIZE(1, kstone_page_count(page));
    kstone_free(page);
    page = UNTOUCHED(kstone_page);
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "Number of parameters in request and statement don't match",
                       execute(db, "SELECT * FROM items WHERE pk = ?", params, &page, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "Number of parameters in request and statement don't match",
                       execute(db, "SELECT * FROM items WHERE pk = ?", NULL, &page, &err));
    kstone_free(params);
    params = item_of("{\":a\":{\"S\":\"a\"}}");
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, ":a is none",
                       execute(db, "SELECT * FROM items WHERE pk = ?", params, &page, &err));
    CHECK_UNTOUCHED(page);
    kstone_free(params);
    kstone_free(db);
}

static void pages_go_on_where_the_last_ended(void) {
    static const char select[] = "SELECT n FROM items WHERE pk = 'p' LIMIT 25 OFFSET 5";
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_item *big = kstone_item_new();
    kstone_page *page = NULL;
    kstone_page *last = NULL;
    char *text = malloc(100 * 1024);
    size_t rows = 0;
    size_t pages = 0;
    int64_t expected = 5;
    int i;
    memset(text, 'x', 100 * 1024);
    for (i = 0; i < 40; i++) {
        char sk[8];
        int len = snprintf(sk, sizeof sk, "%02d", i);
        kstone_item_set_str(big, "text", KSTONE_STRLEN, text, 100 * 1024);
        kstone_item_set_i64(big, "n", KSTONE_STRLEN, i);
        CHECK_OK(kstone_put(db, LIT("p"), sk, (size_t)len, big, &err));
    }
    do {
        kstone_bytes token = kstone_page_token(last);
        size_t row;
        CHECK_OK(kstone_execute(db, select, KSTONE_STRLEN, NULL, token.data, token.len, &page, &err));
        for (row = 0; row < kstone_page_count(page); row++) {
            int64_t n = -1;
            CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(kstone_page_item(page, row), "n", KSTONE_STRLEN, &n));
            CHECK_INT((int)expected++, (int)n);
        }
        rows += kstone_page_count(page);
        pages++;
        kstone_free(last);
        last = page;
    } while (kstone_page_token(last).len > 0 && pages < 40);
    CHECK_SIZE(25, rows);
    CHECK(pages > 1);
    kstone_free(last);
    last = NULL;

    CHECK_OK(execute(db, "SELECT * FROM items", NULL, &last, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "another request",
                       kstone_execute(db, select, KSTONE_STRLEN, NULL, kstone_page_token(last).data,
                                      kstone_page_token(last).len, NULL, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "token",
                       kstone_execute(db, select, KSTONE_STRLEN, NULL, "x", 1, NULL, &err));
    kstone_free(last);
    kstone_free(big);
    free(text);
    kstone_free(db);
}

static void what_is_wrong_is_said_and_changes_nothing(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_page *page = UNTOUCHED(kstone_page);
    run(db, "INSERT INTO items VALUE {'pk': 'a', 'n': 1}");
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "line 1, column 10: expected FROM, found \"FORM\"",
                       execute(db, "SELECT * FORM items", NULL, &page, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "another", execute(db, "SELECT * FROM another", NULL, &page, &err));
    CHECK_INT(KSTONE_ERR_INVALID, execute(db, "SELECT * FROM another", NULL, NULL, &err));
    CHECK_STR("ResourceNotFoundException", kstone_error_name(err));
    support_free_error(&err);
    CHECK_INT(KSTONE_ERR_CONDITION_FAILED, execute(db, "INSERT INTO items VALUE {'pk': 'a'}", NULL, &page, &err));
    CHECK_STR("DuplicateItemException", kstone_error_name(err));
    support_free_error(&err);
    CHECK_INT(KSTONE_ERR_CONDITION_FAILED,
              execute(db, "UPDATE items SET n = 2 WHERE pk = 'a' AND n > 1", NULL, &page, &err));
    CHECK_STR("ConditionalCheckFailedException", kstone_error_name(err));
    support_free_error(&err);
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_execute(db, "\xff", 1, NULL, NULL, 0, &page, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_execute(db, "", 0, NULL, NULL, 0, &page, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_execute(db, NULL, 0, NULL, NULL, 0, &page, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_execute(NULL, LIT("SELECT * FROM items"), NULL, NULL, 0, &page, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_execute(db, LIT("SELECT * FROM items"), NULL, NULL, 7, &page, &err));
    CHECK_UNTOUCHED(page);
    CHECK_ROWS("{\"Count\":1,\"Items\":[{\"n\":1,\"pk\":\"a\"}],\"ScannedCount\":1}", db, "SELECT * FROM items");
    kstone_free(db);
}

static void add(kstone_batch *batch, const char *statement) {
    CHECK_STATUS(KSTONE_OK, kstone_batch_execute(batch, statement, KSTONE_STRLEN, NULL));
}

static void statements_run_in_batches(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    kstone_batch *batch = kstone_batch_new();
    int64_t n = 0;
    add(batch, "INSERT INTO items VALUE {'pk': 'a', 'n': 1}");
    add(batch, "SELECT n FROM items WHERE pk = 'a'");
    add(batch, "SELECT n FROM items WHERE pk = 'b'");
    CHECK_INT(KSTONE_ERR_INVALID, kstone_batch_get(batch, LIT("a"), NO_SK));
    CHECK_OK(kstone_batch_run(db, batch, 0, &page, &err));
    CHECK_SIZE(2, kstone_page_count(page));
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(kstone_page_item(page, 0), "n", KSTONE_STRLEN, &n));
    CHECK_INT(1, (int)n);
    CHECK_NULL(kstone_page_item(page, 1));
    kstone_free(page);
    /* The first that fails ends the run. */
    CHECK_INT(KSTONE_ERR_CONDITION_FAILED, kstone_batch_run(db, batch, 0, NULL, &err));
    CHECK_INT(0, kstone_error_index(err));
    CHECK_STR("DuplicateItemException", kstone_error_name(err));
    support_free_error(&err);
    kstone_free(batch);
    kstone_free(db);
}

static void statements_run_as_one_or_not_at_all(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_batch *batch = kstone_batch_new();
    run(db, "INSERT INTO items VALUE {'pk': 'stock', 'left': 1}");
    add(batch, "INSERT INTO items VALUE {'pk': 'order'}");
    add(batch, "UPDATE items SET \"left\" = \"left\" - 1 WHERE pk = 'stock' AND \"left\" > 0");
    add(batch, "EXISTS(SELECT * FROM items WHERE pk = 'shop' AND open = TRUE)");
    CHECK_INT(KSTONE_ERR_CONDITION_FAILED, kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, NULL, &err));
    CHECK_INT(2, kstone_error_index(err));
    CHECK_STR("TransactionCanceledException", kstone_error_name(err));
    CHECK_CONTAINS("[None, None, ConditionalCheckFailed]", kstone_error_message(err));
    support_free_error(&err);
    CHECK_ROWS("{\"Count\":1,\"Items\":[{\"left\":1,\"pk\":\"stock\"}],\"ScannedCount\":1}", db, "SELECT * FROM items");
    run(db, "INSERT INTO items VALUE {'pk': 'shop', 'open': true}");
    CHECK_OK(kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, NULL, &err));
    CHECK_ROWS("{\"Count\":1,\"Items\":[{\"left\":0}],\"ScannedCount\":1}", db,
               "SELECT \"left\" FROM items WHERE pk = 'stock'");
    kstone_free(batch);
    kstone_free(db);
}

int main(void) {
    statements_write_and_read();
    rows_have_the_key_of_their_item();
    parameters_come_in_a_bag();
    pages_go_on_where_the_last_ended();
    what_is_wrong_is_said_and_changes_nothing();
    statements_run_in_batches();
    statements_run_as_one_or_not_at_all();
    return check_report();
}
