/* Snapshots, exports and imports through functions, and statistics one by one. */
#include <unistd.h>

#include "support.h"

/* Bytes in memory that a callback appends to or takes from, and how it misbehaves. */
typedef struct {
    char *data;
    size_t len;
    size_t room;
    size_t at;
    /* The most bytes that one read gives; 0: as many as there is room for. */
    size_t step;
    /* After so many calls the callback returns `status`; 0: never. */
    size_t fail_at;
    kstone_status status;
    size_t calls;
    /* Where set, the callback uses it while it runs. */
    kstone_db *db;
    int lies;
} memory;

static kstone_status append(void *user_data, const void *data, size_t len) {
    memory *to = (memory *)user_data;
    CHECK(len > 0);
    to->calls++;
    if (to->fail_at != 0 && to->calls >= to->fail_at) {
        return to->status;
    }
    while (to->len + len > to->room) {
        to->room = 2 * to->room + 1024;
        to->data = (char *)realloc(to->data, to->room);
    }
    memcpy(to->data + to->len, data, len);
    to->len += len;
    if (to->db != NULL) {
        kstone_error *err = NULL;
        kstone_db *fork = NULL;
        put_number(to->db, "meanwhile", NULL, 1);
        CHECK_OK(kstone_fork(to->db, &fork, &err));
        CHECK_OK(kstone_configure(to->db, NULL, 0, &err));
        kstone_free(fork);
    }
    return KSTONE_OK;
}

static kstone_status take(void *user_data, void *buffer, size_t capacity, size_t *len) {
    memory *from = (memory *)user_data;
    size_t left = from->len - from->at;
    CHECK(capacity > 0 && *len == 0);
    from->calls++;
    if (from->fail_at != 0 && from->calls >= from->fail_at) {
        return from->status;
    }
    if (from->lies) {
        *len = capacity + 1;
        return KSTONE_OK;
    }
    if (from->db != NULL) {
        kstone_error *err = NULL;
        kstone_db *fork = UNTOUCHED(kstone_db);
        memory other;
        uint64_t count = 1;
        memset(&other, 0, sizeof other);
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_fork(from->db, &fork, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_configure(from->db, NULL, 0, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_snapshot_load_from(from->db, take, &other, &err));
        CHECK_UNTOUCHED(fork);
        CHECK_OK(kstone_count(from->db, &count, &err));
        CHECK_INT(0, (int64_t)count);
    }
    *len = left < capacity ? left : capacity;
    if (from->step != 0 && *len > from->step) {
        *len = from->step;
    }
    memcpy(buffer, from->data + from->at, *len);
    from->at += *len;
    return KSTONE_OK;
}

static memory empty_memory(void) {
    memory nothing;
    memset(&nothing, 0, sizeof nothing);
    return nothing;
}

static uint64_t count_of(const kstone_db *db) {
    kstone_error *err = NULL;
    uint64_t count = UINT64_MAX;
    CHECK_OK(kstone_count(db, &count, &err));
    return count;
}

static kstone_db *filled(int count) {
    kstone_db *db = open_database(0);
    char pk[16];
    int i;
    for (i = 0; i < count; i++) {
        snprintf(pk, sizeof pk, "k%d", i);
        put_number(db, pk, "sk", i);
    }
    return db;
}

static void a_snapshot_goes_through_functions(void) {
    kstone_error *err = NULL;
    const int count = (int)test_scale(3000) + 100;
    kstone_db *db = filled(count);
    kstone_db *again = open_database(0);
    memory bytes = empty_memory();
    memory twice = empty_memory();
    CHECK_OK(kstone_snapshot_save_to(db, append, &bytes, &err));
    bytes.step = 7;
    CHECK_OK(kstone_snapshot_load_from(again, take, &bytes, &err));
    CHECK_SIZE(bytes.len, bytes.at);
    CHECK_INT(count, (int64_t)count_of(again));
    CHECK_INT(5, get_number(again, "k5", "sk"));
    CHECK_OK(kstone_snapshot_save_to(again, append, &twice, &err));
    CHECK_MEM(bytes.data, bytes.len, twice.data, twice.len);
    /* A database that holds items is refused before the function is called. */
    bytes.calls = 0;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_snapshot_load_from(again, take, &bytes, &err));
    CHECK_SIZE(0, bytes.calls);
    free(bytes.data);
    free(twice.data);
    kstone_free(again);
    kstone_free(db);
}

static void the_bytes_are_those_of_the_file(void) {
    kstone_error *err = NULL;
    kstone_db *db = filled(100);
    memory bytes = empty_memory();
    char path[64];
    FILE *file;
    char *found;
    size_t len;
    /* The test runs as two programs at once, on the shared and on the static library. */
    sprintf(path, "/tmp/kstone-test-callback-%ld", (long)getpid());
    CHECK_OK(kstone_snapshot_save_to(db, append, &bytes, &err));
    CHECK_OK(kstone_snapshot_save(db, path, KSTONE_STRLEN, &err));
    found = (char *)malloc(bytes.len + 1);
    file = fopen(path, "rb");
    len = file != NULL ? fread(found, 1, bytes.len + 1, file) : 0;
    CHECK_MEM(bytes.data, bytes.len, found, len);
    if (file != NULL) {
        fclose(file);
    }
    remove(path);
    free(found);
    free(bytes.data);
    kstone_free(db);
}

static void a_status_of_the_function_is_that_of_the_call(void) {
    kstone_error *err = NULL;
    kstone_db *db = filled(200);
    kstone_db *again = open_database(0);
    memory bytes = empty_memory();
    memory out = empty_memory();
    kstone_status statuses[] = {KSTONE_ERR_IO, KSTONE_ERR_LIMIT, -12345, KSTONE_NOT_FOUND, KSTONE_DONE, 77};
    size_t i;
    CHECK_OK(kstone_snapshot_save_to(db, append, &bytes, &err));
    bytes.step = 100;
    for (i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        kstone_status expected = statuses[i] < 0 ? statuses[i] : KSTONE_ERR_IO;
        size_t call;
        out.status = bytes.status = statuses[i];
        out.fail_at = 1;
        out.calls = 0;
        CHECK_FAILS_SAYING(expected, "callback", kstone_snapshot_save_to(db, append, &out, &err));
        CHECK_SIZE(1, out.calls);
        out.calls = 0;
        CHECK_FAILS_SAYING(expected, "callback", kstone_export_json_to(db, append, &out, &err));
        CHECK_SIZE(1, out.calls);
        for (call = 1; call < bytes.len / 100; call += 1 + call / 3) {
            bytes.fail_at = call;
            bytes.calls = bytes.at = 0;
            CHECK_FAILS_SAYING(expected, "callback", kstone_snapshot_load_from(again, take, &bytes, &err));
            CHECK_SIZE(call, bytes.calls);
            CHECK_INT(0, (int64_t)count_of(again));
        }
    }
    bytes.fail_at = 0;
    bytes.at = 0;
    bytes.lies = 1;
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_snapshot_load_from(again, take, &bytes, &err));
    bytes.lies = 0;
    for (i = 0; i < bytes.len; i += 101) {
        memory part = bytes;
        part.len = i;
        part.at = 0;
        CHECK_FAILS(KSTONE_ERR_CORRUPT, kstone_snapshot_load_from(again, take, &part, &err));
    }
    CHECK_INT(0, (int64_t)count_of(again));
    free(bytes.data);
    free(out.data);
    kstone_free(again);
    kstone_free(db);
}

static void a_function_may_use_the_database(void) {
    kstone_error *err = NULL;
    kstone_db *db = filled(200);
    kstone_db *again = open_database(0);
    memory bytes = empty_memory();
    bytes.db = db;
    CHECK_OK(kstone_snapshot_save_to(db, append, &bytes, &err));
    CHECK_INT(201, (int64_t)count_of(db));
    bytes.db = again;
    CHECK_OK(kstone_snapshot_load_from(again, take, &bytes, &err));
    CHECK_INT(200, (int64_t)count_of(again));
    free(bytes.data);
    kstone_free(again);
    kstone_free(db);
}

static void lines_go_through_functions(void) {
    kstone_error *err = NULL;
    kstone_db *db = filled(150);
    kstone_db *again = open_database(0);
    kstone_import_spec spec;
    memory lines = empty_memory();
    size_t loaded = 0, skipped = 0;
    char *reasons = NULL;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    CHECK_OK(kstone_export_json_to(db, append, &lines, &err));
    CHECK(lines.len > 150 * 10 && lines.data[lines.len - 1] == '\n');
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_import_json_from(again, take, &lines, &spec, NULL, NULL, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_import_json_from(again, take, &lines, NULL, NULL, NULL, NULL, &err));
    spec.flags = KSTONE_IMPORT_SKIP;
    CHECK_STATUS(KSTONE_OK, append(&lines, "{}\n", 3));
    lines.step = 3;
    CHECK_OK(kstone_import_json_from(again, take, &lines, &spec, &loaded, &skipped, &reasons, &err));
    CHECK_SIZE(150, loaded);
    CHECK_SIZE(1, skipped);
    CHECK_CONTAINS("line 151", reasons);
    CHECK_INT(150, (int64_t)count_of(again));
    kstone_free(reasons);
    reasons = UNTOUCHED(char);
    lines.at = lines.calls = 0;
    lines.fail_at = 10;
    lines.status = -99;
    CHECK_FAILS(-99, kstone_import_json_from(again, take, &lines, &spec, &loaded, &skipped, &reasons, &err));
    CHECK_UNTOUCHED(reasons);
    CHECK_SIZE(150, loaded);
    free(lines.data);
    kstone_free(again);
    kstone_free(db);
}

static void missing_arguments_are_refused(void) {
    kstone_error *err = NULL;
    kstone_db *db = filled(1);
    memory nothing = empty_memory();
    uint64_t value = 7;
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "write is NULL", kstone_snapshot_save_to(db, NULL, &nothing, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "read is NULL", kstone_snapshot_load_from(db, NULL, &nothing, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_export_json_to(db, NULL, &nothing, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_import_json_from(db, NULL, &nothing, NULL, NULL, NULL, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_snapshot_save_to(NULL, append, &nothing, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_snapshot_load_from(NULL, take, &nothing, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_export_json_to(NULL, append, &nothing, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_import_json_from(NULL, take, &nothing, NULL, NULL, NULL, NULL, &err));
    CHECK_SIZE(0, nothing.calls);
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_count(NULL, &value, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_count(db, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_stat(NULL, KSTONE_STAT_ITEMS, &value, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_stat(db, KSTONE_STAT_ITEMS, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_stat(db, 0, &value, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_stat(db, KSTONE_STAT_MISSES + 1, &value, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_stat(db, UINT32_MAX, &value, &err));
    CHECK_INT(7, (int64_t)value);
    kstone_free(db);
}

/* Every number of the JSON, asked for alone. */
static void every_statistic_is_that_of_the_json(void) {
    static const struct {
        uint32_t statistic;
        const char *name;
    } all[] = {{KSTONE_STAT_ITEMS, "items"},
               {KSTONE_STAT_LIVE_BYTES, "live_bytes"},
               {KSTONE_STAT_TOTAL_BYTES, "total_bytes"},
               {KSTONE_STAT_MEMORY_MAX_BYTES, "memory_max_bytes"},
               {KSTONE_STAT_INDEX_ENTRIES, "index_entries"},
               {KSTONE_STAT_INDEX_ENTRY_BYTES, "index_entry_bytes"},
               {KSTONE_STAT_MEMTABLE_BYTES, "memtable_bytes"},
               {KSTONE_STAT_SST_BYTES, "sst_bytes"},
               {KSTONE_STAT_FILTER_BYTES, "filter_bytes"},
               {KSTONE_STAT_WAL_BYTES, "wal_bytes"},
               {KSTONE_STAT_EVICTION_BYTES, "eviction_bytes"},
               {KSTONE_STAT_BASE_BYTES, "base_bytes"},
               {KSTONE_STAT_STREAM_BYTES, "stream_bytes"},
               {KSTONE_STAT_MEMTABLE_RECORDS, "memtable_records"},
               {KSTONE_STAT_WAL_RECORDS, "wal_records"},
               {KSTONE_STAT_SST_RECORDS, "sst_records"},
               {KSTONE_STAT_STREAM_RECORDS, "stream_records"},
               {KSTONE_STAT_TOMBSTONES, "tombstones"},
               {KSTONE_STAT_SSTS, "ssts"},
               {KSTONE_STAT_STRIPES, "stripes"},
               {KSTONE_STAT_SSTS_PER_STRIPE_MAX, "ssts_per_stripe_max"},
               {KSTONE_STAT_FLUSHES, "flushes"},
               {KSTONE_STAT_COMPACTIONS, "compactions"},
               {KSTONE_STAT_EVICTIONS, "evictions"},
               {KSTONE_STAT_HITS, "hits"},
               {KSTONE_STAT_MISSES, "misses"}};
    kstone_error *err = NULL;
    kstone_db *db = filled(500);
    char *json = NULL;
    size_t len = 0;
    size_t i;
    CHECK_INT(INT64_MIN, get_number(db, "nobody", NULL));
    CHECK_OK(kstone_flush(db, &err));
    CHECK_OK(kstone_delete(db, LIT("k1"), LIT("sk"), &err));
    CHECK_OK(kstone_stats_json(db, &json, &len, &err));
    for (i = 0; i < sizeof all / sizeof *all; i++) {
        char member[64];
        const char *found;
        uint64_t value = UINT64_MAX;
        CHECK_OK(kstone_stat(db, all[i].statistic, &value, &err));
        snprintf(member, sizeof member, "\"%s\":%" PRIu64 ",", all[i].name, value);
        found = strstr(json, member);
        if (found == NULL) {
            snprintf(member, sizeof member, "\"%s\":%" PRIu64 "}", all[i].name, value);
        }
        CHECK_CONTAINS(member, json);
    }
    CHECK_INT(499, (int64_t)count_of(db));
    kstone_free(json);
    kstone_free(db);
}

int main(void) {
    a_snapshot_goes_through_functions();
    the_bytes_are_those_of_the_file();
    a_status_of_the_function_is_that_of_the_call();
    a_function_may_use_the_database();
    lines_go_through_functions();
    missing_arguments_are_refused();
    every_statistic_is_that_of_the_json();
    return check_report();
}
