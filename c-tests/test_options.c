/* Structs passed in: sizes older and newer than ours, defaults, and what is not served yet. */
#include "support.h"

/* Structs as a later header might declare them: ours with something behind. */
typedef struct later_options {
    kstone_options now;
    uint64_t later[4];
} later_options;
typedef struct later_spec {
    kstone_query_spec now;
    uint64_t later[4];
} later_spec;

static void check_opens(const kstone_options *options) {
    kstone_error *err = NULL;
    kstone_db *db = NULL;
    CHECK_OK(kstone_open_memory(options, &db, &err));
    if (db != NULL) {
        put_number(db, "k", NULL, 1);
        CHECK_INT(1, get_number(db, "k", NULL));
    }
    kstone_free(db);
}

static void check_refused(kstone_status status, const kstone_options *options) {
    kstone_error *err = NULL;
    kstone_db *db = UNTOUCHED(kstone_db);
    CHECK_FAILS(status, kstone_open_memory(options, &db, &err));
    CHECK_UNTOUCHED(db);
}

static void zero_options_are_the_defaults(void) {
    kstone_options options = default_options();
    check_opens(NULL);
    check_opens(&options);
}

/* An older program passes a shorter struct; what it does not have is the default. */
static void an_older_options_struct_works(void) {
    static const size_t SIZES[] = {
        offsetof(kstone_options, schema_json),      offsetof(kstone_options, memtable_max_records),
        offsetof(kstone_options, memory_max_bytes), offsetof(kstone_options, eviction),
        offsetof(kstone_options, flags),
    };
    size_t i;
    for (i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        /* Exactly as many bytes as it says: a byte read further is valgrind's and the sanitizer's to tell. */
        kstone_options *options = (kstone_options *)malloc(SIZES[i] > sizeof(size_t) ? SIZES[i] : sizeof(size_t));
        memset(options, 0, SIZES[i]);
        options->struct_size = SIZES[i];
        check_opens(options);
        free(options);
    }
    {
        /* What lies behind the size is not looked at. */
        kstone_options options;
        memset(&options, 0xff, sizeof options);
        options.struct_size = sizeof(size_t);
        check_opens(&options);
    }
}

/* A newer program passes a longer struct: fine as long as it asks for nothing that is not known here. */
static void a_newer_options_struct_works_where_it_asks_for_nothing_new(void) {
    later_options options;
    memset(&options, 0, sizeof options);
    options.now.struct_size = sizeof options;
    check_opens(&options.now);
    options.later[3] = 1;
    check_refused(KSTONE_ERR_INVALID, &options.now);
    options.later[3] = 0;
    options.later[0] = UINT64_MAX;
    check_refused(KSTONE_ERR_INVALID, &options.now);
}

/* Sizes that no header ever had: forgotten, rubbish, or ending within a field. */
static const size_t IMPOSSIBLE_SIZES[] = {0, 1, sizeof(size_t) - 1, sizeof(size_t) + 1, SIZE_MAX, SIZE_MAX / 2};
#define IMPOSSIBLE_COUNT (sizeof IMPOSSIBLE_SIZES / sizeof IMPOSSIBLE_SIZES[0])

static void an_impossible_size_is_refused(void) {
    kstone_options options = default_options();
    size_t i;
    for (i = 0; i < IMPOSSIBLE_COUNT; i++) {
        options.struct_size = IMPOSSIBLE_SIZES[i];
        check_refused(KSTONE_ERR_INVALID, &options);
    }
}

static void options_out_of_range_are_invalid(void) {
    kstone_options options = default_options();
    options.memory_max_bytes = (1u << 20) - 1;
    check_refused(KSTONE_ERR_INVALID, &options);
    options = default_options();
    options.eviction = KSTONE_EVICT_LRU;
    check_refused(KSTONE_ERR_INVALID, &options);
    options.eviction = 77;
    check_refused(KSTONE_ERR_INVALID, &options);
    options = default_options();
    options.flags = 2;
    check_refused(KSTONE_ERR_INVALID, &options);
    options.flags = 0x80000000u;
    check_refused(KSTONE_ERR_INVALID, &options);
}

static void memtables_of_every_sensible_size_work(void) {
    static const uint64_t SIZES[] = {1, 2, 10, 1000, 10000};
    kstone_options options = default_options();
    size_t i;
    for (i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        options.memtable_max_records = SIZES[i];
        check_opens(&options);
    }
    options.memtable_max_records = UINT64_MAX;
    check_refused(KSTONE_ERR_INVALID, &options);
}

static size_t count_found(const kstone_db *db, const kstone_query_spec *spec) {
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    size_t count;
    CHECK_OK(spec->pk_len > 0 ? kstone_query(db, spec, &page, &err) : kstone_scan(db, spec, &page, &err));
    count = kstone_page_count(page);
    kstone_free(page);
    return count;
}

static void an_older_query_spec_works(void) {
    static const size_t SIZES[] = {
        offsetof(kstone_query_spec, sk1),       offsetof(kstone_query_spec, index), offsetof(kstone_query_spec, filter),
        offsetof(kstone_query_spec, params),    offsetof(kstone_query_spec, token), offsetof(kstone_query_spec, limit),
        offsetof(kstone_query_spec, segment),   offsetof(kstone_query_spec, key_expr),
    };
    kstone_db *db = open_database(0);
    size_t i;
    put_number(db, "p", "a", 1);
    put_number(db, "p", "b", 2);
    put_number(db, "q", "a", 3);
    for (i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        kstone_query_spec *spec = (kstone_query_spec *)malloc(SIZES[i]);
        kstone_query_spec whole;
        memset(spec, 0, SIZES[i]);
        spec->struct_size = SIZES[i];
        CHECK_SIZE(3, count_found(db, spec));
        spec->pk = "p";
        spec->pk_len = 1;
        CHECK_SIZE(2, count_found(db, spec));
        /* The same within a whole struct whose rest is rubbish. */
        memset(&whole, 0xff, sizeof whole);
        memcpy(&whole, spec, SIZES[i]);
        CHECK_SIZE(2, count_found(db, &whole));
        free(spec);
    }
    kstone_free(db);
}

static void a_newer_query_spec_works_where_it_asks_for_nothing_new(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_iter *iter = UNTOUCHED(kstone_iter);
    later_spec spec;
    put_number(db, "p", "a", 1);
    memset(&spec, 0, sizeof spec);
    spec.now.struct_size = sizeof spec;
    CHECK_SIZE(1, count_found(db, &spec.now));
    spec.later[2] = 5;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec.now, &page, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_iter_open(db, &spec.now, &iter, &err));
    spec.now.pk = "p";
    spec.now.pk_len = 1;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec.now, &page, &err));
    spec.later[2] = 0;
    CHECK_SIZE(1, count_found(db, &spec.now));
    CHECK_UNTOUCHED(page);
    CHECK_UNTOUCHED(iter);
    kstone_free(db);
}

static void an_impossible_spec_size_is_refused(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_iter *iter = UNTOUCHED(kstone_iter);
    size_t i;
    for (i = 0; i < IMPOSSIBLE_COUNT; i++) {
        kstone_query_spec spec = query_spec(LIT("p"));
        spec.struct_size = IMPOSSIBLE_SIZES[i];
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec, &page, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_iter_open(db, &spec, &iter, &err));
    }
    CHECK_UNTOUCHED(page);
    CHECK_UNTOUCHED(iter);
    kstone_free(db);
}

/* Asks query, scan and iterator for something that is not served yet. */
static void check_not_served(const kstone_db *db, kstone_query_spec spec) {
    kstone_error *err = NULL;
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_iter *iter = UNTOUCHED(kstone_iter);
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec, &page, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_iter_open(db, &spec, &iter, &err));
    spec.pk = "p";
    spec.pk_len = 1;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_iter_open(db, &spec, &iter, &err));
    CHECK_UNTOUCHED(page);
    CHECK_UNTOUCHED(iter);
}

static void what_a_spec_cannot_ask_for_yet_is_invalid(void) {
    kstone_db *db = open_database(0);
    kstone_query_spec spec = scan_spec();
    spec.reserved = 1;
    check_not_served(db, spec);
    kstone_free(db);
}

int main(void) {
    zero_options_are_the_defaults();
    an_older_options_struct_works();
    a_newer_options_struct_works_where_it_asks_for_nothing_new();
    an_impossible_size_is_refused();
    options_out_of_range_are_invalid();
    memtables_of_every_sensible_size_work();
    an_older_query_spec_works();
    a_newer_query_spec_works_where_it_asks_for_nothing_new();
    an_impossible_spec_size_is_refused();
    what_a_spec_cannot_ask_for_yet_is_invalid();
    return check_report();
}
