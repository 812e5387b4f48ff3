/*
 * Everything at once: writers, while others fork, iterate, save, clear, flush, compact, change the schema and the time.
 *
 * Without a limit items come and go in pairs, each written by one transaction: every fork, iterator and snapshot shows
 * whole pairs. With a limit any item may go at any time, but what is there is what somebody put under its key, the limit
 * holds, and no call fails.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "support.h"

#define WRITERS 3
#define DISTURBERS 3
#define PAIRS 1000
#define LIMIT ((uint64_t)1 << 20)

typedef struct storm {
    kstone_db *db;
    int limited;
    size_t writers_left;
    pthread_mutex_t lock;
    char path[64];
} storm;

typedef struct worker {
    storm *storm;
    size_t number;
    uint64_t random;
} worker;

static size_t pick(worker *w, size_t count) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (size_t)(w->random % count);
}

static int goes_on(storm *s) {
    int on;
    pthread_mutex_lock(&s->lock);
    on = s->writers_left > 0;
    pthread_mutex_unlock(&s->lock);
    return on;
}

/* The value says which pair it belongs to; its text says the value. */
static kstone_item *item_of_pair(worker *w, size_t pair) {
    int64_t value = (int64_t)(pick(w, 1000000) * PAIRS + pair);
    kstone_item *item = kstone_item_new();
    char text[800];
    memset(text, 'x', sizeof text);
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("v"), value));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("kind"), value % 2 == 0 ? "even" : "odd ", 4));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("text"), text, 20 + pick(w, sizeof text - 20)));
    if (pick(w, 4) == 0 && w->storm->limited) {
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("until"), (int64_t)(1000 + pick(w, 60))));
    }
    return item;
}

/* Half of the pairs share a partition, so that one stripe is larger than the others. */
static void keys_of(size_t pair, int right, char pk[32], char sk[32]) {
    snprintf(pk, 32, pair % 2 == 0 ? "one-%s" : "%s-%zu", right ? "right" : "left", pair);
    snprintf(sk, 32, "%zu", pair);
}

static void write_pair(worker *w) {
    kstone_error *err = NULL;
    size_t pair = pick(w, PAIRS);
    int deletes = pick(w, 5) == 0;
    int right;
    kstone_item *item = item_of_pair(w, pair);
    kstone_batch *batch = kstone_batch_new();
    for (right = 0; right < 2; right++) {
        char pk[32], sk[32];
        keys_of(pair, right, pk, sk);
        CHECK_STATUS(KSTONE_OK, deletes ? kstone_batch_delete(batch, pk, strlen(pk), sk, strlen(sk), NULL)
                                        : kstone_batch_put(batch, pk, strlen(pk), sk, strlen(sk), item, NULL));
    }
    CHECK_OK(kstone_batch_run(w->storm->db, batch, KSTONE_BATCH_ATOMIC, NULL, &err));
    kstone_free(batch);
    kstone_free(item);
}

static void *write_pairs(void *argument) {
    worker *w = argument;
    size_t i;
    for (i = 0; i < test_scale(6000); i++) {
        write_pair(w);
        if (w->storm->limited && i % 8 == 0) {
            char pk[32], sk[32];
            kstone_item *item = NULL;
            kstone_status status;
            keys_of(pick(w, PAIRS), 0, pk, sk);
            status = kstone_get(w->storm->db, pk, strlen(pk), sk, strlen(sk), &item, NULL);
            CHECK(status == KSTONE_OK || status == KSTONE_NOT_FOUND);
            kstone_free(item);
        }
    }
    pthread_mutex_lock(&w->storm->lock);
    w->storm->writers_left--;
    pthread_mutex_unlock(&w->storm->lock);
    return NULL;
}

/* What an iterator shows: left and right sides of pairs, which must agree where nothing was evicted. */
static void check_all(const kstone_db *db, int limited) {
    static const size_t NONE = (size_t)-1;
    kstone_error *err = NULL;
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    kstone_status status;
    int64_t sides[2][PAIRS];
    size_t i, wrong = 0;
    memset(sides, -1, sizeof sides);
    CHECK_OK(kstone_iter_open(db, NULL, &iter, &err));
    while ((status = kstone_iter_next(iter, &item, &err)) == KSTONE_OK) {
        kstone_bytes pk = kstone_item_pk(item), sk = kstone_item_sk(item);
        char text[32];
        int right = pk.data[0] == 'r' || (pk.len == 9 && memcmp(pk.data, "one-right", 9) == 0);
        int64_t value = -1;
        size_t pair = NONE;
        CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
        if (sk.len < sizeof text) {
            memcpy(text, sk.data, sk.len);
            text[sk.len] = '\0';
            pair = (size_t)strtoul(text, NULL, 10);
        }
        if (pair >= PAIRS || value % PAIRS != (int64_t)pair || sides[right][pair] != -1) {
            wrong++;
        } else {
            sides[right][pair] = value;
        }
    }
    CHECK_INT(KSTONE_DONE, status);
    kstone_free(iter);
    for (i = 0; i < PAIRS && !limited; i++) {
        wrong += sides[0][i] != sides[1][i];
    }
    CHECK_SIZE(0, wrong);
}

static void check_snapshot(worker *w, const kstone_db *db) {
    kstone_error *err = NULL;
    kstone_db *again = open_database(0);
    char path[96];
    snprintf(path, sizeof path, "%s-%zu", w->storm->path, w->number);
    CHECK_OK(kstone_snapshot_save(db, path, KSTONE_STRLEN, &err));
    CHECK_OK(kstone_snapshot_load(again, path, KSTONE_STRLEN, &err));
    CHECK_OK(kstone_set_time(again, 1, &err));
    check_all(again, w->storm->limited);
    CHECK_INT(0, unlink(path));
    kstone_free(again);
}

static uint64_t stat_of(const kstone_db *db, const char *member) {
    kstone_error *err = NULL;
    char *json = NULL;
    size_t len = 0;
    const char *at;
    uint64_t value;
    CHECK_OK(kstone_stats_json(db, &json, &len, &err));
    at = strstr(json, member);
    CHECK(at != NULL);
    value = at != NULL ? strtoull(at + strlen(member), NULL, 10) : 0;
    kstone_free(json);
    return value;
}

/* An index more or less, in the one thread that does this: what is read through it is all of it or an error. */
static void change_schema(worker *w, size_t round) {
    static const char *const SCHEMAS[] = {
        "{\"stream\":{\"view_type\":\"NEW_AND_OLD_IMAGES\"},\"ttl_attribute\":\"until\"}",
        "{\"stream\":{\"view_type\":\"NEW_AND_OLD_IMAGES\"},\"ttl_attribute\":\"until\","
        "\"global_indexes\":[{\"name\":\"by-kind\",\"partition_key\":\"kind\"}]}",
    };
    kstone_error *err = NULL;
    kstone_status status = kstone_configure(w->storm->db, SCHEMAS[round % 2], KSTONE_STRLEN, &err);
    /* An index may not fit the memory limit. */
    CHECK(status == KSTONE_OK || (w->storm->limited && status == KSTONE_ERR_LIMIT));
    kstone_free(err);
}

/* A delete may pass the limit until it has compacted its stripe, so what is above it must not stay there. */
static int comes_below_limit(const kstone_db *db) {
    size_t looks;
    for (looks = 0; looks < 100000; looks++) {
        if (stat_of(db, "\"total_bytes\":") <= LIMIT) {
            return 1;
        }
        sched_yield();
    }
    return 0;
}

static void disturb(worker *w, size_t round) {
    kstone_error *err = NULL;
    kstone_db *db = w->storm->db;
    kstone_db *fork = NULL;
    kstone_query_spec spec;
    kstone_page *page = NULL;
    kstone_status status;
    size_t i;
    switch (pick(w, 9)) {
    case 0:
        CHECK_OK(kstone_flush(db, &err));
        break;
    case 1:
        CHECK_OK(kstone_compact(db, &err));
        break;
    case 2:
        if (pick(w, 4) == 0) {
            CHECK_OK(kstone_clear(db, &err));
        }
        break;
    case 3:
        CHECK_OK(kstone_fork(db, &fork, &err));
        check_all(fork, w->storm->limited);
        for (i = 0; i < 50; i++) {
            storm other = {0};
            worker mine = *w;
            other.db = fork;
            other.limited = w->storm->limited;
            mine.storm = &other;
            write_pair(&mine);
            w->random = mine.random;
        }
        check_all(fork, w->storm->limited);
        kstone_free(fork);
        break;
    case 4:
        check_snapshot(w, db);
        break;
    case 5:
        if (w->number == 0) {
            change_schema(w, round);
        }
        break;
    case 6:
        CHECK_OK(kstone_set_time(db, (int64_t)(1000 + pick(w, 50)), &err));
        break;
    case 7:
        spec = query_spec("even", 4);
        spec.index = "by-kind";
        spec.index_len = KSTONE_STRLEN;
        status = kstone_query(db, &spec, &page, &err);
        CHECK(status == KSTONE_OK || status == KSTONE_ERR_INVALID);
        kstone_free(page);
        kstone_free(err);
        break;
    default:
        check_all(db, w->storm->limited);
    }
    if (w->storm->limited) {
        CHECK(comes_below_limit(db));
    }
}

static void *disturb_often(void *argument) {
    worker *w = argument;
    size_t round;
    for (round = 0; goes_on(w->storm); round++) {
        disturb(w, round);
    }
    return NULL;
}

/* More than the limit allows, whatever the storm has left or cleared. */
static void fill_past_the_limit(worker *w) {
    kstone_error *err = NULL;
    size_t i;
    for (i = 0; i < 4000; i++) {
        char pk[32];
        kstone_item *item = item_of_pair(w, 0);
        snprintf(pk, sizeof pk, "fill-%zu", i);
        CHECK_OK(kstone_put(w->storm->db, pk, strlen(pk), NULL, 0, item, &err));
        kstone_free(item);
    }
}

static void run(uint32_t flags, int limited) {
    kstone_error *err = NULL;
    kstone_options options = default_options();
    storm s;
    worker workers[WRITERS + DISTURBERS];
    pthread_t threads[WRITERS + DISTURBERS];
    size_t i;
    memset(&s, 0, sizeof s);
    snprintf(s.path, sizeof s.path, "/tmp/kstone-storm-%ld", (long)getpid());
    options.memtable_max_records = 20;
    options.flags = flags;
    if (limited) {
        options.memory_max_bytes = LIMIT;
        options.eviction = KSTONE_EVICT_LRU;
    }
    CHECK_OK(kstone_open_memory(&options, &s.db, &err));
    CHECK_OK(kstone_set_time(s.db, 1000, &err));
    CHECK_INT(0, pthread_mutex_init(&s.lock, NULL));
    s.limited = limited;
    s.writers_left = WRITERS;
    for (i = 0; i < WRITERS + DISTURBERS; i++) {
        workers[i].storm = &s;
        workers[i].number = i < WRITERS ? i : i - WRITERS;
        workers[i].random = 88172645463325252u + i;
        CHECK_INT(0, pthread_create(&threads[i], NULL, i < WRITERS ? write_pairs : disturb_often, &workers[i]));
    }
    for (i = 0; i < WRITERS + DISTURBERS; i++) {
        CHECK_INT(0, pthread_join(threads[i], NULL));
    }
    check_all(s.db, limited);
    if (limited) {
        fill_past_the_limit(&workers[0]);
    }
    CHECK((stat_of(s.db, "\"evictions\":") > 0) == limited);
    kstone_free(s.db);
    pthread_mutex_destroy(&s.lock);
}

int main(void) {
    run(0, 0);
    run(KSTONE_OPEN_BACKGROUND_COMPACTION, 0);
    run(0, 1);
    run(KSTONE_OPEN_BACKGROUND_COMPACTION, 1);
    return check_report();
}
