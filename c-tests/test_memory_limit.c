/* The memory limit: writes refused or items evicted; what statistics say of it; compaction in the background. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define LIMIT ((uint64_t)1 << 20)

static kstone_db *open_limited(uint32_t eviction, uint32_t flags) {
    kstone_error *err = NULL;
    kstone_db *db = NULL;
    kstone_options options = default_options();
    options.memory_max_bytes = LIMIT;
    options.eviction = eviction;
    options.flags = flags;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    return db;
}

/* One number of the statistics. */
static uint64_t stat_of(const kstone_db *db, const char *name) {
    kstone_error *err = NULL;
    char *json = NULL;
    size_t len = 0;
    char member[64];
    const char *at;
    uint64_t value;
    CHECK_OK(kstone_stats_json(db, &json, &len, &err));
    snprintf(member, sizeof member, "\"%s\":", name);
    at = strstr(json, member);
    CHECK(at != NULL);
    value = at != NULL ? strtoull(at + strlen(member), NULL, 10) : 0;
    kstone_free(json);
    return value;
}

static kstone_status put_text(kstone_db *db, size_t number, kstone_error **err) {
    char pk[24], text[200];
    kstone_item *item = kstone_item_new();
    kstone_status status;
    memset(text, 'x', sizeof text);
    snprintf(pk, sizeof pk, "key-%zu", number);
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("text"), text, sizeof text));
    status = kstone_put(db, pk, strlen(pk), NULL, 0, item, err);
    kstone_free(item);
    return status;
}

static void a_full_database_refuses_writes_and_goes_on_otherwise(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_limited(KSTONE_EVICT_NONE, 0);
    kstone_item *item = NULL;
    size_t full = 0, i;
    while (put_text(db, full, &err) == KSTONE_OK) {
        full++;
    }
    CHECK(full > 1000);
    CHECK_INT(KSTONE_ERR_LIMIT, kstone_error_code(err));
    CHECK_CONTAINS("memory_max_bytes", kstone_error_message(err));
    kstone_free(err);
    err = NULL;
    CHECK_SIZE(full, (size_t)stat_of(db, "items"));
    CHECK(stat_of(db, "total_bytes") <= LIMIT);
    CHECK_SIZE((size_t)LIMIT, (size_t)stat_of(db, "memory_max_bytes"));
    CHECK_OK(kstone_get(db, LIT("key-7"), NULL, 0, &item, &err));
    kstone_free(item);
    for (i = 0; i < full / 2; i++) {
        char pk[24];
        snprintf(pk, sizeof pk, "key-%zu", i);
        CHECK_OK(kstone_delete(db, pk, strlen(pk), NULL, 0, &err));
    }
    CHECK_OK(put_text(db, full, &err));
    kstone_free(db);
}

static void old_items_make_room_where_that_is_asked_for(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_limited(KSTONE_EVICT_LRU, 0);
    kstone_item *item = NULL;
    size_t i;
    for (i = 0; i < 10000; i++) {
        CHECK_OK(put_text(db, i, &err));
        if (i % 50 == 0) {
            CHECK_OK(kstone_get(db, LIT("key-0"), NULL, 0, &item, &err));
            kstone_free(item);
        }
    }
    CHECK(stat_of(db, "total_bytes") <= LIMIT);
    CHECK_SIZE(10000, (size_t)(stat_of(db, "items") + stat_of(db, "evictions")));
    CHECK_SIZE(200, (size_t)stat_of(db, "hits"));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_get(db, LIT("key-1"), NULL, 0, &item, &err));
    kstone_free(db);
}

static void merging_in_the_background_changes_no_answer(void) {
    kstone_error *err = NULL;
    kstone_options options = default_options();
    kstone_db *db = NULL;
    size_t i;
    options.memtable_max_records = 20;
    options.flags = KSTONE_OPEN_BACKGROUND_COMPACTION;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    for (i = 0; i < test_scale(40000); i++) {
        CHECK_OK(put_text(db, i % 2000, &err));
    }
    CHECK_SIZE(2000, (size_t)stat_of(db, "items"));
    kstone_free(db);
}

/* In the child: writes go on and are merged, although the thread is the parent's, and closing waits for nobody. */
static int write_in_child(kstone_db *db) {
    kstone_error *err = NULL;
    uint64_t total, live;
    size_t i;
    for (i = 0; i < test_scale(20000); i++) {
        if (put_text(db, i % 2000, &err) != KSTONE_OK) {
            return 1;
        }
    }
    total = stat_of(db, "total_bytes");
    live = stat_of(db, "live_bytes");
    if (stat_of(db, "items") != 2000 || total * 2 > live * 5) {
        return 2;
    }
    kstone_free(db);
    return 0;
}

static void a_child_process_merges_by_itself(void) {
    kstone_error *err = NULL;
    kstone_options options = default_options();
    kstone_db *db = NULL;
    size_t i, round;
    options.memtable_max_records = 20;
    options.flags = KSTONE_OPEN_BACKGROUND_COMPACTION;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    for (i = 0; i < 2000; i++) {
        CHECK_OK(put_text(db, i, &err));
    }
    for (round = 0; round < 3; round++) {
        int status = 0;
        pid_t child;
        fflush(NULL);
        child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            int failed;
            alarm(120);
            failed = write_in_child(db);
            if (failed == 0) {
                /* Another program: what the thread had is nobody's here, and no leak. */
                execl("/bin/true", "true", (char *)NULL);
            }
            _exit(failed);
        }
        for (i = 0; i < 2000; i++) {
            CHECK_OK(put_text(db, i, &err));
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK_INT(0, status);
    }
    kstone_free(db);
}

static void the_parts_of_total_bytes_add_up(void) {
    static const char *const PARTS[] = {"memtable_bytes", "sst_bytes",  "filter_bytes", "wal_bytes",
                                        "eviction_bytes", "base_bytes", "stream_bytes"};
    kstone_error *err = NULL;
    kstone_db *db = open_limited(KSTONE_EVICT_LRU, 0);
    kstone_item *value = kstone_item_new();
    uint64_t sum = 0;
    size_t i;
    for (i = 0; i < 6000; i++) {
        CHECK_OK(put_text(db, i, &err));
    }
    /* What is known of expiry and parsed texts count, too. */
    CHECK_OK(kstone_configure(db, "{\"ttl_attribute\":\"e\"}", KSTONE_STRLEN, &err));
    CHECK_INT(KSTONE_OK, kstone_item_set_i64(value, ":e", KSTONE_STRLEN, INT64_C(4000000000)));
    CHECK_OK(kstone_update(db, "p", 1, NULL, 0, "SET e = :e", KSTONE_STRLEN, value, NULL, 0, NULL, &err));
    kstone_free(value);
    for (i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        sum += stat_of(db, PARTS[i]);
    }
    CHECK_SIZE((size_t)stat_of(db, "total_bytes"), (size_t)sum);
    kstone_free(db);
}

int main(void) {
    a_full_database_refuses_writes_and_goes_on_otherwise();
    old_items_make_room_where_that_is_asked_for();
    merging_in_the_background_changes_no_answer();
    a_child_process_merges_by_itself();
    the_parts_of_total_bytes_add_up();
    return check_report();
}
