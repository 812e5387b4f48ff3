/*
 * Many threads read one item, one page and one error at once: what is passed as a pointer to const is only read.
 * ThreadSanitizer sees what is written behind it. The built items come with their names out of order, so that the first
 * readers put them in order together.
 */
#include "support.h"

#include <pthread.h>

#define THREADS 8
#define ROUNDS 40
#define NAMES 64

typedef struct shared {
    kstone_db *db;
    const kstone_item *built;
    const kstone_item *stored;
    const kstone_item *lent;
    const kstone_page *page;
    const kstone_error *error;
    pthread_barrier_t start;
} shared;

/* Attributes n63 to n00, in that order. */
static kstone_item *backwards(void) {
    kstone_item *item = kstone_item_new();
    int i;
    for (i = NAMES - 1; i >= 0; i--) {
        char name[8];
        snprintf(name, sizeof name, "n%02d", i);
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, name, KSTONE_STRLEN, i));
    }
    return item;
}

/* How many answers are wrong: the checks' counters are no thread's. */
static int read_item(const kstone_item *item) {
    kstone_value value = {0, 0, {NULL, 0}};
    kstone_bytes name = {NULL, 0};
    int64_t number = -1;
    double real = -1;
    char *json = NULL;
    size_t len = 0;
    kstone_item *copy;
    int wrong = 0;
    wrong += kstone_item_get_i64(item, LIT("n07"), &number) != KSTONE_OK || number != 7;
    wrong += kstone_item_count(item) != NAMES;
    wrong += kstone_item_at(item, 0, &name, &value) != KSTONE_OK || name.len != 3 || memcmp(name.data, "n00", 3) != 0;
    wrong += kstone_item_get(item, LIT("n63"), &value) != KSTONE_OK || value.bytes.len != 2;
    wrong += kstone_item_get_f64(item, LIT("n09"), &real) != KSTONE_OK || real != 9;
    wrong += kstone_item_get(item, LIT("n64"), &value) != KSTONE_NOT_FOUND;
    wrong += kstone_item_to_json(item, 0, &json, &len, NULL) != KSTONE_OK || len == 0;
    wrong += kstone_item_bytes(item).len == 0;
    copy = kstone_item_clone(item);
    wrong += kstone_item_count(copy) != NAMES || kstone_item_bytes(copy).len != kstone_item_bytes(item).len;
    kstone_free(copy);
    kstone_free(json);
    return wrong;
}

static int read_page(const kstone_page *page) {
    char *json = NULL;
    size_t len = 0;
    size_t i;
    int wrong = kstone_page_bytes(page).len == 0;
    for (i = 0; i < kstone_page_count(page); i++) {
        const kstone_item *item = kstone_page_item(page, i);
        wrong += read_item(item) + (kstone_item_pk(item).len != 4) + (kstone_item_sk(item).len != 1);
    }
    wrong += kstone_page_scanned(page) != 2 || kstone_page_token(page).len == 0;
    wrong += kstone_page_to_json(page, 0, &json, &len, NULL) != KSTONE_OK || len == 0;
    kstone_free(json);
    return wrong;
}

static int read_error(const kstone_error *error) {
    return (kstone_error_code(error) != KSTONE_ERR_CONDITION_FAILED) + (kstone_error_message(error)[0] == '\0') +
           (kstone_error_index(error) != -1) + (kstone_error_name(error)[0] == '\0') +
           read_item(kstone_error_item(error));
}

static void *read_all(void *argument) {
    shared *all = argument;
    int wrong = 0;
    kstone_item *found = NULL;
    pthread_barrier_wait(&all->start);
    wrong += read_item(all->built) + read_item(all->stored) + read_item(all->lent);
    wrong += read_page(all->page) + read_error(all->error);
    wrong += kstone_put(all->db, "put", 3, NO_SK, all->built, NULL) != KSTONE_OK;
    wrong += kstone_put(all->db, "put", 3, NO_SK, all->lent, NULL) != KSTONE_OK;
    wrong += kstone_get(all->db, "put", 3, NO_SK, &found, NULL) != KSTONE_OK || read_item(found) != 0;
    kstone_free(found);
    return wrong == 0 ? NULL : argument;
}

static void one_round(kstone_db *db) {
    kstone_query_spec spec = KSTONE_QUERY_SPEC_INIT;
    kstone_cond cond = KSTONE_COND_INIT;
    kstone_item *built = backwards();
    kstone_item *stored = NULL;
    kstone_page *page = NULL;
    kstone_iter *iter = NULL;
    kstone_error *err = NULL;
    pthread_t threads[THREADS];
    shared all;
    int i;
    memset(&all, 0, sizeof all);
    spec.pk = "page";
    spec.pk_len = 4;
    spec.limit = 2;
    cond.expr = "attribute_not_exists(pk)";
    cond.expr_len = KSTONE_STRLEN;
    cond.return_old = 1;
    CHECK_OK(kstone_get(db, LIT("page"), LIT("1"), &stored, &err));
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    CHECK_OK(kstone_iter_next(iter, &all.lent, &err));
    CHECK_STATUS(KSTONE_ERR_CONDITION_FAILED,
                 kstone_put_if(db, LIT("page"), LIT("1"), stored, &cond, NULL, &err));
    all.db = db;
    all.built = built;
    all.stored = stored;
    all.page = page;
    all.error = err;
    CHECK_INT(0, pthread_barrier_init(&all.start, NULL, THREADS));
    for (i = 0; i < THREADS; i++) {
        CHECK_INT(0, pthread_create(&threads[i], NULL, read_all, &all));
    }
    for (i = 0; i < THREADS; i++) {
        void *wrong = &all;
        CHECK_INT(0, pthread_join(threads[i], &wrong));
        CHECK(wrong == NULL);
    }
    pthread_barrier_destroy(&all.start);
    kstone_free(err);
    kstone_free(iter);
    kstone_free(page);
    kstone_free(stored);
    kstone_free(built);
}

int main(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_item *item = backwards();
    int round;
    CHECK_OK(kstone_put(db, LIT("page"), LIT("1"), item, &err));
    CHECK_OK(kstone_put(db, LIT("page"), LIT("2"), item, &err));
    CHECK_OK(kstone_put(db, LIT("page"), LIT("3"), item, &err));
    kstone_free(item);
    for (round = 0; round < ROUNDS; round++) {
        one_round(db);
    }
    kstone_free(db);
    return check_report();
}
