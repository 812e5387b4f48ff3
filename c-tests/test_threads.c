/*
 * Eight threads on one database: each writes a partition of its own, which it must find exactly as it left it, by get,
 * query, scan and iterator, while all others write, flush and compact around it. One partition is everybody's: there
 * an item must be one that somebody put, never a mixture.
 *
 * KSTONE_TEST_SCALE=10 does a tenth of the work, for valgrind.
 */
#include "support.h"

#include <pthread.h>

#define THREADS 8
#define KEYS 48
#define SHARED_KEYS 16
#define STEPS 6000
#define ABSENT (-1)

typedef struct worker {
    kstone_db *db;
    int number;
    uint64_t random;
    char pk[8];
    int64_t model[KEYS]; /* what the worker's own partition holds */
} worker;

static uint64_t next_random(worker *w) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

static size_t pick(worker *w, size_t count) {
    return (size_t)(next_random(w) % count);
}

static void sort_key(size_t key, char sk[4]) {
    sk[0] = 'k';
    sk[1] = (char)('0' + key / 10);
    sk[2] = (char)('0' + key % 10);
    sk[3] = '\0';
}

static void write_own(worker *w) {
    kstone_error *err = NULL;
    size_t key = pick(w, KEYS);
    char sk[4];
    sort_key(key, sk);
    if (pick(w, 4) == 0) {
        CHECK_OK(kstone_delete(w->db, w->pk, strlen(w->pk), sk, 3, &err));
        w->model[key] = ABSENT;
    } else {
        w->model[key] = (int64_t)(next_random(w) >> 1);
        put_number(w->db, w->pk, sk, w->model[key]);
    }
}

static void read_own(worker *w) {
    size_t key = pick(w, KEYS);
    char sk[4];
    sort_key(key, sk);
    CHECK_INT(w->model[key] == ABSENT ? INT64_MIN : w->model[key], get_number(w->db, w->pk, sk));
}

/* 1 where the item is not the one that the model has under `key`. */
static size_t differs(const worker *w, const kstone_item *item, size_t key) {
    int64_t value = ABSENT;
    kstone_bytes pk = kstone_item_pk(item);
    kstone_bytes sk = kstone_item_sk(item);
    char expected_sk[4];
    sort_key(key, expected_sk);
    return kstone_item_get_i64(item, LIT("v"), &value) != KSTONE_OK || value != w->model[key] ||
           pk.len != strlen(w->pk) || memcmp(pk.data, w->pk, pk.len) != 0 || sk.len != 3 ||
           memcmp(sk.data, expected_sk, 3) != 0;
}

/* The own partition in pages, in a random direction with a random limit: exactly the model, in order. */
static void query_own(worker *w) {
    kstone_error *err = NULL;
    kstone_query_spec spec = query_spec(w->pk, strlen(w->pk));
    kstone_page *page = NULL;
    int reverse = pick(w, 2) == 1;
    size_t wrong = 0;
    size_t step = 0;
    spec.limit = (uint32_t)pick(w, 20);
    spec.flags = reverse ? KSTONE_QUERY_REVERSE : 0;
    do {
        kstone_page *next = NULL;
        kstone_bytes token = kstone_page_token(page);
        size_t i;
        spec.token = token.data;
        spec.token_len = token.len;
        CHECK_OK(kstone_query(w->db, &spec, &next, &err));
        kstone_free(page);
        page = next;
        for (i = 0; i < kstone_page_count(page); i++, step++) {
            while (step < KEYS && w->model[reverse ? KEYS - 1 - step : step] == ABSENT) {
                step++;
            }
            if (step == KEYS) {
                wrong++;
                break;
            }
            wrong += differs(w, kstone_page_item(page, i), reverse ? KEYS - 1 - step : step);
        }
        /* Somebody else's write in between must not make a page short. */
        wrong += kstone_page_token(page).len > 0 && kstone_page_count(page) != spec.limit;
    } while (kstone_page_token(page).len > 0 && wrong == 0);
    for (; step < KEYS; step++) {
        wrong += w->model[reverse ? KEYS - 1 - step : step] != ABSENT;
    }
    kstone_free(page);
    CHECK_SIZE(0, wrong);
}

static size_t model_count(const worker *w) {
    size_t count = 0;
    size_t key;
    for (key = 0; key < KEYS; key++) {
        count += w->model[key] != ABSENT;
    }
    return count;
}

static int is_own(const worker *w, const kstone_item *item) {
    kstone_bytes pk = kstone_item_pk(item);
    return pk.len == strlen(w->pk) && memcmp(pk.data, w->pk, pk.len) == 0;
}

static size_t own_key(const kstone_item *item) {
    kstone_bytes sk = kstone_item_sk(item);
    return sk.len == 3 ? (size_t)(sk.data[1] - '0') * 10 + (size_t)(sk.data[2] - '0') : KEYS;
}

/* All pages of a scan: the own items among them are the model, each once. */
static void scan_all(worker *w) {
    kstone_error *err = NULL;
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    size_t wrong = 0;
    size_t own = 0;
    spec.limit = 1 + (uint32_t)pick(w, 100);
    do {
        kstone_page *next = NULL;
        kstone_bytes token = kstone_page_token(page);
        size_t i;
        spec.token = token.data;
        spec.token_len = token.len;
        CHECK_OK(kstone_scan(w->db, &spec, &next, &err));
        kstone_free(page);
        page = next;
        for (i = 0; i < kstone_page_count(page); i++) {
            const kstone_item *item = kstone_page_item(page, i);
            if (is_own(w, item)) {
                wrong += own_key(item) >= KEYS || differs(w, item, own_key(item));
                own++;
            }
        }
    } while (kstone_page_token(page).len > 0);
    kstone_free(page);
    CHECK_SIZE(0, wrong);
    CHECK_SIZE(model_count(w), own);
}

/* An iterator keeps to the model as it was when it was opened, also over the thread's own writes. */
static void iterate_own(worker *w) {
    kstone_error *err = NULL;
    kstone_query_spec spec = query_spec(w->pk, strlen(w->pk));
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    worker then = *w;
    size_t wrong = 0;
    size_t key = 0;
    CHECK_OK(kstone_iter_open(w->db, &spec, &iter, &err));
    while (kstone_iter_next(iter, &item, &err) == KSTONE_OK && wrong == 0) {
        while (key < KEYS && then.model[key] == ABSENT) {
            key++;
        }
        wrong += key == KEYS || differs(&then, item, key);
        key++;
        if (key % 8 == 0) {
            write_own(w);
        }
    }
    for (; key < KEYS; key++) {
        wrong += then.model[key] != ABSENT;
    }
    kstone_free(iter);
    CHECK_SIZE(0, wrong);
}

/* Everybody's items say one number three times. */
static void write_shared(worker *w) {
    kstone_error *err = NULL;
    char json[200];
    char sk[4];
    unsigned number = (unsigned)(next_random(w) & 0xffffff);
    sort_key(pick(w, SHARED_KEYS), sk);
    if (pick(w, 5) == 0) {
        CHECK_OK(kstone_delete(w->db, LIT("shared"), sk, 3, &err));
        return;
    }
    snprintf(json, sizeof json, "{\"a\":%u,\"b\":\"%u\",\"c\":{\"d\":[%u]},\"sk\":\"%s\"}", number, number, number, sk);
    CHECK_OK(kstone_put_json(w->db, LIT("shared"), sk, 3, json, KSTONE_STRLEN, KSTONE_JSON_PLAIN, &err));
}

static size_t is_torn(const kstone_item *item) {
    int64_t a = -1;
    int64_t d = -2;
    char text[24];
    kstone_value b = no_value();
    if (kstone_item_get_i64(item, LIT("a"), &a) != KSTONE_OK ||
        kstone_item_get_i64(item, LIT("c.d[0]"), &d) != KSTONE_OK ||
        kstone_item_get(item, LIT("b"), &b) != KSTONE_OK) {
        return 1;
    }
    snprintf(text, sizeof text, "%" PRId64, a);
    return a != d || b.bytes.len != strlen(text) || memcmp(b.bytes.data, text, b.bytes.len) != 0;
}

static void read_shared(worker *w) {
    kstone_error *err = NULL;
    kstone_query_spec spec = query_spec(LIT("shared"));
    kstone_page *page = NULL;
    kstone_item *item = NULL;
    size_t wrong = 0;
    size_t i;
    char sk[4];
    kstone_status status;
    sort_key(pick(w, SHARED_KEYS), sk);
    status = kstone_get(w->db, LIT("shared"), sk, 3, &item, &err);
    CHECK(status == KSTONE_OK || status == KSTONE_NOT_FOUND);
    if (status == KSTONE_OK) {
        wrong += is_torn(item);
        kstone_free(item);
    }
    CHECK_OK(kstone_query(w->db, &spec, &page, &err));
    CHECK(kstone_page_count(page) <= SHARED_KEYS);
    for (i = 0; i < kstone_page_count(page); i++) {
        wrong += is_torn(kstone_page_item(page, i));
        if (i > 0) {
            wrong += own_key(kstone_page_item(page, i - 1)) >= own_key(kstone_page_item(page, i));
        }
    }
    kstone_free(page);
    CHECK_SIZE(0, wrong);
}

static void tend(worker *w) {
    kstone_error *err = NULL;
    char *text = NULL;
    size_t len = 0;
    switch (pick(w, 3)) {
    case 0: CHECK_OK(kstone_flush(w->db, &err)); break;
    case 1: CHECK_OK(kstone_compact(w->db, &err)); break;
    default:
        CHECK_OK(kstone_stats_json(w->db, &text, &len, &err));
        kstone_free(text);
    }
}

static void *work(void *argument) {
    worker *w = (worker *)argument;
    size_t steps = test_scale(STEPS);
    size_t step;
    for (step = 0; step < steps; step++) {
        size_t choice = pick(w, 100);
        if (choice < 45) {
            write_own(w);
        } else if (choice < 60) {
            read_own(w);
        } else if (choice < 70) {
            query_own(w);
        } else if (choice < 72) {
            scan_all(w);
        } else if (choice < 75) {
            iterate_own(w);
        } else if (choice < 87) {
            write_shared(w);
        } else if (choice < 99) {
            read_shared(w);
        } else {
            tend(w);
        }
    }
    query_own(w);
    return NULL;
}

static void eight_threads_find_what_they_wrote(uint64_t memtable_max_records) {
    kstone_db *db = open_database(memtable_max_records);
    pthread_t threads[THREADS];
    static worker workers[THREADS];
    size_t total = 0;
    int i;
    size_t key;
    for (i = 0; i < THREADS; i++) {
        workers[i].db = db;
        workers[i].number = i;
        workers[i].random = 0x9e3779b97f4a7c15u * (uint64_t)(i + 1) + memtable_max_records;
        snprintf(workers[i].pk, sizeof workers[i].pk, "own%d", i);
        for (key = 0; key < KEYS; key++) {
            workers[i].model[key] = ABSENT;
        }
    }
    for (i = 0; i < THREADS; i++) {
        CHECK_INT(0, pthread_create(&threads[i], NULL, work, &workers[i]));
    }
    for (i = 0; i < THREADS; i++) {
        CHECK_INT(0, pthread_join(threads[i], NULL));
        total += model_count(&workers[i]);
    }
    /* With everyone at rest all is as the models say, read from this thread. */
    for (i = 0; i < THREADS; i++) {
        query_own(&workers[i]);
        scan_all(&workers[i]);
    }
    {
        kstone_error *err = NULL;
        kstone_query_spec spec = query_spec(LIT("shared"));
        kstone_page *page = NULL;
        size_t shared;
        CHECK_OK(kstone_query(db, &spec, &page, &err));
        shared = kstone_page_count(page);
        kstone_free(page);
        CHECK_OK(kstone_scan(db, NULL, &page, &err));
        CHECK_SIZE(total + shared, kstone_page_count(page));
        kstone_free(page);
    }
    kstone_free(db);
}

/* Handles move between threads: made in one, used and freed in another. */
static void *use_and_free(void *argument) {
    kstone_item *item = (kstone_item *)argument;
    int64_t value = 0;
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
    CHECK_INT(7, value);
    kstone_free(item);
    return NULL;
}

static void handles_may_change_threads(void) {
    kstone_db *db = open_database(0);
    int i;
    put_number(db, "k", NULL, 7);
    for (i = 0; i < 50; i++) {
        kstone_error *err = NULL;
        kstone_item *read = NULL;
        kstone_item *clone;
        pthread_t first;
        pthread_t second;
        CHECK_OK(kstone_get(db, LIT("k"), NO_SK, &read, &err));
        clone = kstone_item_clone(read); /* before the other thread may free what it is made of */
        CHECK_INT(0, pthread_create(&first, NULL, use_and_free, read));
        CHECK_INT(0, pthread_create(&second, NULL, use_and_free, clone));
        CHECK_INT(0, pthread_join(first, NULL));
        CHECK_INT(0, pthread_join(second, NULL));
    }
    kstone_free(db);
}

int main(void) {
    eight_threads_find_what_they_wrote(4);
    eight_threads_find_what_they_wrote(0);
    handles_may_change_threads();
    return check_report();
}
