/* Batches: in order and each by itself, or atomic; gets, conditions, failures with their index, limits, threads. */
#include "support.h"

#include <pthread.h>

static kstone_cond condition(const char *expr, const kstone_item *params) {
    kstone_cond cond;
    memset(&cond, 0, sizeof cond);
    cond.struct_size = sizeof cond;
    cond.expr = expr;
    cond.expr_len = KSTONE_STRLEN;
    cond.params = params;
    return cond;
}

static void add_put(kstone_batch *batch, const char *pk, int64_t value, const kstone_cond *cond) {
    kstone_item *item = kstone_item_new();
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("v"), value));
    CHECK_STATUS(KSTONE_OK, kstone_batch_put(batch, pk, strlen(pk), NO_SK, item, cond));
    kstone_free(item);
}

static void add_change(kstone_batch *batch, const char *pk, int64_t by, const kstone_cond *cond) {
    kstone_item *params = kstone_item_new();
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(params, LIT(":by"), by));
    CHECK_STATUS(KSTONE_OK, kstone_batch_update(batch, pk, strlen(pk), NO_SK, LIT("ADD v :by"), params, cond));
    kstone_free(params);
}

static void add_get(kstone_batch *batch, const char *pk) {
    CHECK_STATUS(KSTONE_OK, kstone_batch_get(batch, pk, strlen(pk), NO_SK));
}

/* The value of item i of a page, INT64_MIN where there is none. */
static int64_t value_at(const kstone_page *page, size_t i) {
    int64_t value = INT64_MIN;
    const kstone_item *item = kstone_page_item(page, i);
    if (item != NULL) {
        CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
    }
    return value;
}

/* The run fails with this status, exception and index, writes no page, and its error is left in *err. */
#define CHECK_RUN_FAILS(status, name, index, db, batch, flags) \
    check_run_fails((status), (name), (index), (db), (batch), (flags), &err, __LINE__)

static void check_run_fails(kstone_status status, const char *name, int32_t index, kstone_db *db, kstone_batch *batch,
                            uint32_t flags, kstone_error **err, int line) {
    kstone_page *page = UNTOUCHED(kstone_page);
    support_free_error(err);
    check_int(status, kstone_batch_run(db, batch, flags, &page, err), __FILE__, line, "kstone_batch_run");
    check_ptr(support_untouched(), page, __FILE__, line, "page");
    check_int(status, kstone_error_code(*err), __FILE__, line, "kstone_error_code");
    check_str(name, kstone_error_name(*err), __FILE__, line, "kstone_error_name");
    check_int(index, kstone_error_index(*err), __FILE__, line, "kstone_error_index");
}

static void a_batch_runs_in_order_and_again(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_db *other = open_database(0);
    kstone_batch *batch = kstone_batch_new();
    kstone_page *first = NULL;
    kstone_page *second = NULL;
    add_get(batch, "a");
    add_change(batch, "a", 5, NULL);
    add_get(batch, "a");
    CHECK_STATUS(KSTONE_OK, kstone_batch_delete(batch, LIT("b"), NO_SK, NULL));
    add_get(batch, "b");
    put_number(db, "b", NULL, 1);
    CHECK_OK(kstone_batch_run(db, batch, 0, &first, &err));
    CHECK_OK(kstone_batch_run(db, batch, 0, &second, &err));
    CHECK_OK(kstone_batch_run(db, batch, 0, NULL, &err));
    CHECK_OK(kstone_batch_run(other, batch, 0, NULL, &err));
    kstone_free(batch);
    CHECK_INT(15, get_number(db, "a", NULL));
    CHECK_INT(5, get_number(other, "a", NULL));
    kstone_free(db);
    CHECK_SIZE(3, kstone_page_count(first));
    CHECK_SIZE(3, kstone_page_scanned(first));
    CHECK_EMPTY(kstone_page_token(first));
    CHECK_NULL(kstone_page_item(first, 0));
    CHECK_INT(5, value_at(first, 1));
    CHECK_NULL(kstone_page_item(first, 2));
    CHECK_NULL(kstone_page_item(first, 3));
    CHECK_INT(5, value_at(second, 0));
    CHECK_INT(10, value_at(second, 1));
    CHECK_BYTES("a", kstone_item_pk(kstone_page_item(second, 1)));
    kstone_free(first);
    kstone_free(second);
    kstone_free(other);
}

/* The setters copy: what they were given may change and go before the run. */
static void a_batch_copies_what_it_is_given(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_batch *batch = kstone_batch_new();
    kstone_item *item = item_of("{\"v\":{\"N\":\"1\"}}");
    kstone_item *params = item_of("{\":v\":{\"N\":\"1\"}}");
    char pk[] = "a";
    char expr[] = "v = :v";
    kstone_cond cond = condition(expr, params);
    kstone_page *page = NULL;
    CHECK_STATUS(KSTONE_OK, kstone_batch_put(batch, pk, 1, NO_SK, item, NULL));
    CHECK_STATUS(KSTONE_OK, kstone_batch_check(batch, pk, 1, NO_SK, &cond));
    CHECK_STATUS(KSTONE_OK, kstone_batch_get(batch, pk, 1, NO_SK));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("v"), 2));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(params, LIT(":v"), 2));
    memset(&cond, 0, sizeof cond);
    pk[0] = 'z';
    memset(expr, 'z', sizeof expr - 1);
    kstone_free(item);
    kstone_free(params);
    CHECK_OK(kstone_batch_run(db, batch, 0, &page, &err));
    CHECK_INT(1, value_at(page, 0));
    CHECK_INT(1, get_number(db, "a", NULL));
    kstone_free(page);
    kstone_free(batch);
    kstone_free(db);
}

static void by_itself_the_first_failure_ends_the_run(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_batch *batch = kstone_batch_new();
    kstone_cond absent = condition("attribute_not_exists(pk)", NULL);
    absent.return_old = 1;
    put_number(db, "b", NULL, 5);
    add_put(batch, "a", 1, NULL);
    add_put(batch, "b", 2, &absent);
    add_put(batch, "c", 3, NULL);
    CHECK_RUN_FAILS(KSTONE_ERR_CONDITION_FAILED, "ConditionalCheckFailedException", 1, db, batch, 0);
    CHECK(kstone_error_item(err) != NULL);
    support_free_error(&err);
    CHECK_INT(1, get_number(db, "a", NULL));
    CHECK_INT(5, get_number(db, "b", NULL));
    CHECK_INT(INT64_MIN, get_number(db, "c", NULL));
    kstone_free(batch);
    kstone_free(db);
}

static void atomic_is_all_or_nothing(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_batch *batch = kstone_batch_new();
    kstone_item *params = item_of("{\":min\":{\"N\":\"6\"}}");
    kstone_cond enough = condition("v >= :min", params);
    kstone_cond present = condition("attribute_exists(pk)", NULL);
    kstone_page *page = NULL;
    const kstone_item *old;
    int64_t value = 0;
    enough.return_old = 1;
    put_number(db, "b", NULL, 5);
    put_number(db, "d", NULL, 4);
    add_put(batch, "a", 1, NULL);
    add_get(batch, "e");
    CHECK_STATUS(KSTONE_OK, kstone_batch_check(batch, LIT("b"), NO_SK, &enough));
    add_change(batch, "c", 3, &present);
    CHECK_STATUS(KSTONE_OK, kstone_batch_delete(batch, LIT("d"), NO_SK, &present));
    add_get(batch, "f");
    kstone_free(params);
    CHECK_RUN_FAILS(KSTONE_ERR_CONDITION_FAILED, "TransactionCanceledException", 2, db, batch, KSTONE_BATCH_ATOMIC);
    CHECK_CONTAINS("[None, None, ConditionalCheckFailed, ConditionalCheckFailed, None, None]",
                   kstone_error_message(err));
    old = kstone_error_item(err);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(old, LIT("v"), &value));
    CHECK_INT(5, value);
    CHECK_BYTES("b", kstone_item_pk(old));
    CHECK_INT(INT64_MIN, get_number(db, "a", NULL));
    CHECK_INT(4, get_number(db, "d", NULL));
    put_number(db, "b", NULL, 6);
    /* Now another operation is the first to fail, and its condition did not ask for the item. */
    CHECK_RUN_FAILS(KSTONE_ERR_CONDITION_FAILED, "TransactionCanceledException", 3, db, batch, KSTONE_BATCH_ATOMIC);
    CHECK_NULL(kstone_error_item(err));
    support_free_error(&err);
    put_number(db, "c", NULL, 1);
    put_number(db, "f", NULL, 9);
    CHECK_OK(kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, &page, &err));
    CHECK_SIZE(2, kstone_page_count(page));
    CHECK_NULL(kstone_page_item(page, 0));
    CHECK_INT(9, value_at(page, 1));
    CHECK_INT(1, get_number(db, "a", NULL));
    CHECK_INT(6, get_number(db, "b", NULL));
    CHECK_INT(4, get_number(db, "c", NULL));
    CHECK_INT(INT64_MIN, get_number(db, "d", NULL));
    kstone_free(page);
    kstone_free(batch);
    kstone_free(db);
}

static void gets_alone_may_be_atomic_too(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(2);
    kstone_batch *batch = kstone_batch_new();
    kstone_page *page = NULL;
    char *json = NULL;
    size_t len = 0;
    put_number(db, "a", NULL, 1);
    put_number(db, "b", NULL, 2);
    add_get(batch, "b");
    add_get(batch, "absent");
    add_get(batch, "a");
    CHECK_OK(kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, &page, &err));
    CHECK_SIZE(3, kstone_page_count(page));
    CHECK_INT(2, value_at(page, 0));
    CHECK_NULL(kstone_page_item(page, 1));
    CHECK_INT(1, value_at(page, 2));
    CHECK_OK(kstone_page_to_json(page, KSTONE_JSON_PLAIN, &json, &len, &err));
    CHECK_STR("{\"Count\":3,\"Items\":[{\"v\":2},null,{\"v\":1}],\"ScannedCount\":3}", json);
    kstone_free(json);
    kstone_free(page);
    kstone_free(batch);
    kstone_free(db);
}

static void malformed_operations_are_told_with_their_index(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    uint32_t flags;
    for (flags = 0; flags <= KSTONE_BATCH_ATOMIC; flags++) {
        kstone_batch *batch = kstone_batch_new();
        kstone_item *item = item_of("{\"pk\":{\"S\":\"other\"}}");
        kstone_item *params = item_of("{\":x\":{\"N\":\"1\"}}");
        add_get(batch, "a");
        CHECK_STATUS(KSTONE_OK, kstone_batch_update(batch, LIT("b"), NO_SK, LIT("SET v ="), NULL, NULL));
        CHECK_RUN_FAILS(KSTONE_ERR_INVALID, "ValidationException", 1, db, batch, flags);
        CHECK_CONTAINS("Syntax error", kstone_error_message(err));
        kstone_free(batch);
        batch = kstone_batch_new();
        CHECK_STATUS(KSTONE_OK, kstone_batch_put(batch, LIT("b"), NO_SK, item, NULL));
        CHECK_RUN_FAILS(KSTONE_ERR_INVALID, "ValidationException", 0, db, batch, flags);
        CHECK_CONTAINS("pk", kstone_error_message(err));
        kstone_free(batch);
        batch = kstone_batch_new();
        add_get(batch, "a");
        add_get(batch, "b");
        CHECK_STATUS(KSTONE_OK,
                     kstone_batch_update(batch, LIT("c"), NO_SK, LIT("SET v = nowhere + :x"), params, NULL));
        CHECK_RUN_FAILS(KSTONE_ERR_INVALID, flags ? "TransactionCanceledException" : "ValidationException", 2, db,
                        batch, flags);
        support_free_error(&err);
        kstone_free(batch);
        kstone_free(item);
        kstone_free(params);
    }
    CHECK_INT(INT64_MIN, get_number(db, "b", NULL));
    kstone_free(db);
}

static kstone_batch *numbered_batch(int gets, int puts) {
    kstone_batch *batch = kstone_batch_new();
    char key[16];
    int i;
    for (i = 0; i < gets; i++) {
        snprintf(key, sizeof key, "get%d", i);
        add_get(batch, key);
    }
    for (i = 0; i < puts; i++) {
        snprintf(key, sizeof key, "put%d", i);
        add_put(batch, key, i, NULL);
    }
    return batch;
}

static void batches_have_limits(void) {
    static const struct {
        int gets;
        int puts;
        uint32_t flags;
        kstone_status status;
    } CASES[] = {
        {0, 26, 0, KSTONE_OK},
        {101, 26, 0, KSTONE_OK},
        {1000, 1000, 0, KSTONE_OK},
        {0, 100, KSTONE_BATCH_ATOMIC, KSTONE_OK},
        {100, 0, KSTONE_BATCH_ATOMIC, KSTONE_OK},
        {50, 50, KSTONE_BATCH_ATOMIC, KSTONE_OK},
        {50, 51, KSTONE_BATCH_ATOMIC, KSTONE_ERR_LIMIT},
        {0, 0, 0, KSTONE_ERR_INVALID},
        {0, 0, KSTONE_BATCH_ATOMIC, KSTONE_ERR_INVALID},
        {1, 1, 2, KSTONE_ERR_INVALID},
        {1, 1, KSTONE_BATCH_ATOMIC | 0x80000000u, KSTONE_ERR_INVALID},
    };
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_batch *batch;
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CHECK_OK(kstone_clear(db, &err));
        batch = numbered_batch(CASES[i].gets, CASES[i].puts);
        if (CASES[i].status == KSTONE_OK) {
            kstone_page *page = NULL;
            CHECK_OK(kstone_batch_run(db, batch, CASES[i].flags, &page, &err));
            CHECK_SIZE((size_t)CASES[i].gets, kstone_page_count(page));
            kstone_free(page);
        } else {
            CHECK_RUN_FAILS(CASES[i].status, "ValidationException", -1, db, batch, CASES[i].flags);
            support_free_error(&err);
            CHECK_INT(INT64_MIN, get_number(db, "put0", NULL));
        }
        kstone_free(batch);
    }
    /* An item twice: an error where all happens at one moment, and nothing special otherwise. */
    batch = numbered_batch(2, 0);
    add_put(batch, "get1", 1, NULL);
    CHECK_RUN_FAILS(KSTONE_ERR_INVALID, "ValidationException", 2, db, batch, KSTONE_BATCH_ATOMIC);
    CHECK_CONTAINS("multiple operations on one item", kstone_error_message(err));
    support_free_error(&err);
    CHECK_OK(kstone_batch_run(db, batch, 0, NULL, &err));
    CHECK_INT(1, get_number(db, "get1", NULL));
    kstone_free(batch);
    kstone_free(db);
}

/* Money moves between accounts; a reader of all of them in one atomic batch always sees the same sum. */
enum { ACCOUNTS = 8, MOVERS = 4, OPENING = 100 };

typedef struct mover {
    kstone_db *db;
    size_t transfers;
    unsigned seed;
} mover;

static void account_name(char *name, unsigned account) {
    snprintf(name, 16, "account%u", account);
}

static void *move_money(void *argument) {
    mover *self = (mover *)argument;
    kstone_item *params = item_of("{\":min\":{\"N\":\"1\"}}");
    kstone_cond funded = condition("v >= :min", params);
    size_t i;
    for (i = 0; i < self->transfers; i++) {
        char from[16];
        char to[16];
        kstone_batch *batch = kstone_batch_new();
        kstone_status status;
        unsigned first;
        self->seed = self->seed * 1103515245u + 12345u;
        first = (self->seed >> 16) % ACCOUNTS;
        account_name(from, first);
        account_name(to, (first + 1 + (self->seed >> 24) % (ACCOUNTS - 1)) % ACCOUNTS);
        add_change(batch, from, -1, &funded);
        add_change(batch, to, 1, NULL);
        status = kstone_batch_run(self->db, batch, KSTONE_BATCH_ATOMIC, NULL, NULL);
        CHECK(status == KSTONE_OK || status == KSTONE_ERR_CONDITION_FAILED);
        kstone_free(batch);
    }
    kstone_free(params);
    return NULL;
}

static void check_sum(kstone_db *db, kstone_batch *batch) {
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    int64_t sum = 0;
    size_t i;
    CHECK_OK(kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, &page, &err));
    for (i = 0; i < kstone_page_count(page); i++) {
        sum += value_at(page, i);
    }
    CHECK_INT(ACCOUNTS * OPENING, sum);
    kstone_free(page);
}

static void a_bank_never_loses_or_makes_money(void) {
    kstone_db *db = open_database(0);
    pthread_t threads[MOVERS];
    mover movers[MOVERS];
    kstone_batch *gets = kstone_batch_new();
    kstone_batch *audit = kstone_batch_new();
    unsigned i;
    size_t round;
    add_change(audit, "audits", 1, NULL);
    for (i = 0; i < ACCOUNTS; i++) {
        char name[16];
        account_name(name, i);
        put_number(db, name, NULL, OPENING);
        add_get(gets, name);
        add_get(audit, name);
    }
    for (i = 0; i < MOVERS; i++) {
        movers[i].db = db;
        movers[i].transfers = test_scale(5000);
        movers[i].seed = i;
        CHECK_INT(0, pthread_create(&threads[i], NULL, move_money, &movers[i]));
    }
    for (round = 0; round < test_scale(1000); round++) {
        check_sum(db, round % 2 == 0 ? gets : audit);
    }
    for (i = 0; i < MOVERS; i++) {
        pthread_join(threads[i], NULL);
    }
    check_sum(db, gets);
    kstone_free(gets);
    kstone_free(audit);
    kstone_free(db);
}

int main(void) {
    a_batch_runs_in_order_and_again();
    a_batch_copies_what_it_is_given();
    by_itself_the_first_failure_ends_the_run();
    atomic_is_all_or_nothing();
    gets_alone_may_be_atomic_too();
    malformed_operations_are_told_with_their_index();
    batches_have_limits();
    a_bank_never_loses_or_makes_money();
    return check_report();
}
