/* Conditional writes: kstone_cond, kstone_put_if, kstone_delete_if, and the item that made a condition fail. */
#include "support.h"

#include <pthread.h>

static kstone_cond condition(const char *expr, const kstone_item *params) {
    kstone_cond cond;
    memset(&cond, 0, sizeof cond);
    cond.struct_size = sizeof cond;
    cond.expr = expr;
    cond.expr_len = expr != NULL ? KSTONE_STRLEN : 0;
    cond.params = params;
    return cond;
}

/* Puts {"v": value} under ("p", "s") where the condition holds. */
static kstone_status put_if(kstone_db *db, int64_t value, const kstone_cond *cond, kstone_item **old,
                            kstone_error **err) {
    kstone_item *item = kstone_item_new();
    kstone_status status;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("v"), value));
    status = kstone_put_if(db, LIT("p"), LIT("s"), item, cond, old, err);
    kstone_free(item);
    return status;
}

static int64_t value_of(const kstone_item *item) {
    int64_t value = INT64_MIN;
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
    return value;
}

static void insert_if_absent(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_cond absent = condition("attribute_not_exists(pk)", NULL);
    kstone_item *old = UNTOUCHED(kstone_item);
    CHECK_OK(put_if(db, 1, &absent, NULL, &err));
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED, put_if(db, 2, &absent, &old, &err));
    CHECK_UNTOUCHED(old);
    CHECK_INT(KSTONE_ERR_CONDITION_FAILED, kstone_error_code(err));
    CHECK_STR("ConditionalCheckFailedException", kstone_error_name(err));
    CHECK_STR("The conditional request failed", kstone_error_message(err));
    CHECK_INT(-1, kstone_error_index(err));
    CHECK_NULL(kstone_error_item(err));
    support_free_error(&err);
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED, put_if(db, 2, &absent, NULL, NULL));
    CHECK_INT(1, get_number(db, "p", "s"));
    /* A NULL condition, and one without an expression, are none. */
    CHECK_OK(put_if(db, 3, NULL, NULL, &err));
    absent = condition(NULL, NULL);
    absent.return_old = 1;
    CHECK_OK(put_if(db, 4, &absent, NULL, &err));
    CHECK_INT(4, get_number(db, "p", "s"));
    kstone_free(db);
}

static void conditions_read_their_bag(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *params = item_of("{\"#v\":{\"S\":\"v\"},\":low\":{\"N\":\"1\"},\":high\":{\"N\":\"5\"}}");
    kstone_cond between = condition("#v BETWEEN :low AND :high", params);
    put_number(db, "p", "s", 6);
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED, kstone_delete_if(db, LIT("p"), LIT("s"), &between, NULL, NULL));
    put_number(db, "p", "s", 5);
    CHECK_OK(put_if(db, 0, &between, NULL, &err));
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED, put_if(db, 1, &between, NULL, NULL));
    /* The bag is copied at each call: changing it changes the next. */
    CHECK_OK(kstone_item_set_num(params, LIT(":low"), LIT("-1"), &err));
    CHECK_OK(kstone_delete_if(db, LIT("p"), LIT("s"), &between, NULL, &err));
    CHECK_INT(INT64_MIN, get_number(db, "p", "s"));
    /* What is in a bag must be used, and what is used must be in the bag. */
    between.expr = "#v = :low";
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, ":high", put_if(db, 1, &between, NULL, &err));
    between.expr = "#v BETWEEN :low AND :high OR #w = :low";
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "#w", put_if(db, 1, &between, NULL, &err));
    between.expr = NULL;
    between.expr_len = 0;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "unused", put_if(db, 1, &between, NULL, &err));
    CHECK_INT(INT64_MIN, get_number(db, "p", "s"));
    kstone_free(params);
    kstone_free(db);
}

static void old_items_come_back(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *first = UNTOUCHED(kstone_item);
    kstone_item *second = UNTOUCHED(kstone_item);
    kstone_item *third = UNTOUCHED(kstone_item);
    CHECK_OK(put_if(db, 1, NULL, &first, &err));
    CHECK_NULL(first);
    CHECK_OK(put_if(db, 2, NULL, &first, &err));
    CHECK_OK(kstone_delete_if(db, LIT("p"), LIT("s"), NULL, &second, &err));
    CHECK_OK(kstone_delete_if(db, LIT("p"), LIT("s"), NULL, &third, &err));
    CHECK_NULL(third);
    kstone_free(db);
    CHECK_INT(1, value_of(first));
    CHECK_INT(2, value_of(second));
    CHECK_BYTES("p", kstone_item_pk(second));
    CHECK_BYTES("s", kstone_item_sk(second));
    /* What comes out is an item that was read: yours to free, not to change. */
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_i64(second, LIT("v"), 3));
    kstone_free(first);
    kstone_free(second);
}

static void the_item_that_made_a_condition_fail_comes_with_the_error(void) {
    kstone_error *err = NULL;
    kstone_error *of_delete = NULL;
    kstone_db *db = open_database(0);
    kstone_cond absent = condition("attribute_not_exists(pk)", NULL);
    kstone_cond present = condition("attribute_exists(pk)", NULL);
    kstone_item *clone;
    int round;
    absent.return_old = 1;
    present.return_old = 1;
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED, put_if(db, 1, &present, NULL, &err));
    CHECK_NULL(kstone_error_item(err));
    support_free_error(&err);
    put_number(db, "p", "s", 7);
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED, put_if(db, 8, &absent, NULL, &err));
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED, kstone_delete_if(db, LIT("p"), LIT("s"), &absent, NULL, &of_delete));
    put_number(db, "p", "s", 9);
    kstone_free(db);
    for (round = 0; round < 2; round++) {
        const kstone_item *item = kstone_error_item(err);
        union {
            const kstone_item *borrowed;
            void *given;
        } cast;
        CHECK_INT(7, value_of(item));
        CHECK_BYTES("s", kstone_item_sk(item));
        cast.borrowed = item;
        kstone_free(cast.given);
    }
    CHECK_INT(7, value_of(kstone_error_item(of_delete)));
    clone = kstone_item_clone(kstone_error_item(err));
    support_free_error(&err);
    support_free_error(&of_delete);
    CHECK_INT(7, value_of(clone));
    kstone_free(clone);
}

static void malformed_conditions_are_invalid_and_say_where(void) {
    static const struct {
        const char *expr;
        const char *part;
    } CASES[] = {
        {"v =", "Syntax error"},   {"v = :absent", ":absent"},    {"size = v", "reserved"}, {"(v = v", "Syntax error"},
        {"nonsense(v)", "nonsense"}, {"v", "Syntax error"}, {"v = v AND", "Syntax error"}, {"SET v = v", "Syntax error"},
    };
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        kstone_cond cond = condition(CASES[i].expr, NULL);
        CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, CASES[i].part, put_if(db, 1, &cond, NULL, &err));
        CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, CASES[i].part,
                           kstone_delete_if(db, LIT("p"), LIT("s"), &cond, NULL, &err));
    }
    CHECK_INT(INT64_MIN, get_number(db, "p", "s"));
    kstone_free(db);
}

static void a_cond_is_read_by_its_size(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    struct {
        kstone_cond now;
        uint64_t later[2];
    } newer;
    kstone_cond cond = condition("attribute_not_exists(pk)", NULL);
    static const size_t IMPOSSIBLE[] = {0, 1, 7, sizeof(kstone_cond) - 1, 5000, SIZE_MAX};
    size_t i;
    for (i = 0; i < sizeof IMPOSSIBLE / sizeof IMPOSSIBLE[0]; i++) {
        cond.struct_size = IMPOSSIBLE[i];
        CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "struct_size", put_if(db, 1, &cond, NULL, &err));
    }
    /* What lies beyond the end of an older one is not read. */
    cond.struct_size = offsetof(kstone_cond, params);
    cond.params = UNTOUCHED(kstone_item);
    cond.return_old = 77;
    CHECK_OK(put_if(db, 1, &cond, NULL, &err));
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED, put_if(db, 2, &cond, NULL, NULL));
    memset(&newer, 0, sizeof newer);
    newer.now = condition("attribute_exists(pk)", NULL);
    newer.now.struct_size = sizeof newer;
    CHECK_OK(put_if(db, 3, &newer.now, NULL, &err));
    newer.later[1] = 1;
    CHECK_FAILS(KSTONE_ERR_INVALID, put_if(db, 4, &newer.now, NULL, &err));
    cond = condition("attribute_exists(pk)", NULL);
    cond.return_old = 2;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "return_old", put_if(db, 4, &cond, NULL, &err));
    cond.return_old = 0;
    cond.reserved = 1;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "reserved", put_if(db, 4, &cond, NULL, &err));
    CHECK_INT(3, get_number(db, "p", "s"));
    kstone_free(db);
}

/* Each thread inserts where there is nothing: of each key one must win. */
typedef struct racer {
    kstone_db *db;
    size_t rounds;
    size_t won;
} racer;

static void *race(void *argument) {
    racer *self = (racer *)argument;
    kstone_cond absent = condition("attribute_not_exists(pk)", NULL);
    kstone_item *item = kstone_item_new();
    size_t i;
    for (i = 0; i < self->rounds; i++) {
        char key[24];
        int len = snprintf(key, sizeof key, "round%zu", i);
        kstone_status status = kstone_put_if(self->db, key, (size_t)len, NO_SK, item, &absent, NULL, NULL);
        CHECK(status == KSTONE_OK || status == KSTONE_ERR_CONDITION_FAILED);
        self->won += status == KSTONE_OK;
    }
    kstone_free(item);
    return NULL;
}

static void of_racing_writers_exactly_one_wins(void) {
    enum { RACERS = 4 };
    kstone_db *db = open_database(0);
    pthread_t threads[RACERS];
    racer racers[RACERS];
    size_t rounds = test_scale(2000);
    size_t won = 0;
    size_t i;
    for (i = 0; i < RACERS; i++) {
        racers[i].db = db;
        racers[i].rounds = rounds;
        racers[i].won = 0;
        CHECK_INT(0, pthread_create(&threads[i], NULL, race, &racers[i]));
    }
    for (i = 0; i < RACERS; i++) {
        pthread_join(threads[i], NULL);
        won += racers[i].won;
    }
    CHECK_SIZE(rounds, won);
    kstone_free(db);
}

int main(void) {
    insert_if_absent();
    conditions_read_their_bag();
    old_items_come_back();
    the_item_that_made_a_condition_fail_comes_with_the_error();
    malformed_conditions_are_invalid_and_say_where();
    a_cond_is_read_by_its_size();
    of_racing_writers_exactly_one_wins();
    return check_report();
}
