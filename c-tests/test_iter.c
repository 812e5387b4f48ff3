/* Iterators: queries and scans item by item, over the database as it was when the iterator was opened. */
#include "support.h"

static void put_many(kstone_db *db, const char *pk, int count, int64_t offset) {
    char sk[16];
    int i;
    for (i = 0; i < count; i++) {
        snprintf(sk, sizeof sk, "s%04d", i);
        put_number(db, pk, sk, i + offset);
    }
}

static void an_iterator_walks_a_query_in_order(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(5);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    int reverse;
    put_many(db, "p", 100, 0);
    put_many(db, "q", 50, 0);
    for (reverse = 0; reverse < 2; reverse++) {
        int64_t expected = reverse ? 79 : 20;
        size_t seen = 0;
        spec.sk_op = KSTONE_SK_BETWEEN;
        spec.sk1 = "s0020";
        spec.sk1_len = 5;
        spec.sk2 = "s0079";
        spec.sk2_len = 5;
        spec.flags = reverse ? KSTONE_QUERY_REVERSE : 0;
        CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
        while (kstone_iter_next(iter, &item, &err) == KSTONE_OK) {
            int64_t value = -1;
            CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
            CHECK_INT(expected, value);
            CHECK_BYTES("p", kstone_item_pk(item));
            expected += reverse ? -1 : 1;
            seen++;
        }
        CHECK_NULL(err);
        CHECK_SIZE(60, seen);
        kstone_free(iter);
    }
    kstone_free(db);
}

static void the_end_stays_the_end(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    int i;
    put_number(db, "p", "a", 1);
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    CHECK_OK(kstone_iter_next(iter, &item, &err));
    CHECK_BYTES("a", kstone_item_sk(item));
    put_number(db, "p", "b", 2);
    item = UNTOUCHED(kstone_item);
    for (i = 0; i < 5; i++) {
        CHECK_STATUS(KSTONE_DONE, kstone_iter_next(iter, &item, &err));
    }
    CHECK_NULL(err);
    CHECK_UNTOUCHED(item);
    kstone_free(iter);
    kstone_free(db);
}

static void an_empty_result_is_done_at_once(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("nobody"));
    kstone_iter *iter = NULL;
    const kstone_item *item = UNTOUCHED(kstone_item);
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    CHECK_STATUS(KSTONE_DONE, kstone_iter_next(iter, &item, &err));
    CHECK_UNTOUCHED(item);
    kstone_free(iter);
    kstone_free(db);
}

/* A spec without a partition key gives every item, in the order of a scan. */
static void an_iterator_without_a_key_walks_everything(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(3);
    kstone_query_spec spec = scan_spec();
    kstone_iter *iter = NULL;
    kstone_page *page = NULL;
    const kstone_item *item = NULL;
    size_t seen = 0;
    int i;
    for (i = 0; i < 40; i++) {
        char pk[16];
        snprintf(pk, sizeof pk, "p%d", i);
        put_many(db, pk, 10, 0);
    }
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    CHECK_SIZE(400, kstone_page_count(page));
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    while (kstone_iter_next(iter, &item, &err) == KSTONE_OK) {
        const kstone_item *expected = kstone_page_item(page, seen);
        kstone_bytes pk = kstone_item_pk(expected);
        kstone_bytes sk = kstone_item_sk(expected);
        CHECK_MEM(pk.data, pk.len, kstone_item_pk(item).data, kstone_item_pk(item).len);
        CHECK_MEM(sk.data, sk.len, kstone_item_sk(item).data, kstone_item_sk(item).len);
        seen++;
    }
    CHECK_NULL(err);
    CHECK_SIZE(400, seen);
    kstone_free(iter);
    kstone_free(page);
    kstone_free(db);
}

static void segments_share_out_the_items(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    size_t seen = 0;
    uint32_t segment;
    int i;
    for (i = 0; i < 100; i++) {
        char pk[16];
        snprintf(pk, sizeof pk, "p%d", i);
        put_number(db, pk, NULL, i);
    }
    for (segment = 0; segment < 3; segment++) {
        kstone_query_spec spec = scan_spec();
        kstone_iter *iter = NULL;
        const kstone_item *item = NULL;
        spec.segment = segment;
        spec.segments = 3;
        CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
        while (kstone_iter_next(iter, &item, &err) == KSTONE_OK) {
            seen++;
        }
        kstone_free(iter);
    }
    CHECK_SIZE(100, seen);
    kstone_free(db);
}

/* Whatever is written, deleted, flushed, compacted or cleared later: the iterator does not see it. */
static void an_iterator_sees_the_database_as_it_was(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(4);
    kstone_query_spec all = scan_spec();
    kstone_query_spec one = query_spec(LIT("p"));
    kstone_iter *scan = NULL;
    kstone_iter *query = NULL;
    const kstone_item *item = NULL;
    int64_t sum = 0;
    size_t seen = 0;
    int i;
    put_many(db, "p", 200, 0);
    put_many(db, "q", 200, 1000);
    CHECK_OK(kstone_iter_open(db, &all, &scan, &err));
    CHECK_OK(kstone_iter_open(db, &one, &query, &err));
    for (i = 0; i < 400; i++) {
        if (i == 50) {
            put_many(db, "p", 300, 5000);
        } else if (i == 100) {
            CHECK_OK(kstone_flush(db, &err));
        } else if (i == 150) {
            put_many(db, "r", 100, 7000);
            CHECK_OK(kstone_delete(db, LIT("p"), LIT("s0199"), &err));
            CHECK_OK(kstone_delete(db, LIT("q"), LIT("s0199"), &err));
        } else if (i == 200) {
            CHECK_OK(kstone_compact(db, &err));
        } else if (i == 250) {
            CHECK_OK(kstone_clear(db, &err));
        } else if (i == 300) {
            put_many(db, "q", 10, 9000);
            CHECK_OK(kstone_compact(db, &err));
        }
        if (kstone_iter_next(scan, &item, &err) == KSTONE_OK) {
            int64_t value = 0;
            CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
            sum += value;
            seen++;
        }
        if (i < 200) {
            int64_t value = -1;
            CHECK_OK(kstone_iter_next(query, &item, &err));
            CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
            CHECK_INT(i, value);
        }
    }
    CHECK_SIZE(400, seen);
    /* 0 + … + 199, twice, and a thousand more for each of the second partition. */
    CHECK_INT(2 * (199 * 200 / 2) + 200 * 1000, sum);
    CHECK_STATUS(KSTONE_DONE, kstone_iter_next(scan, &item, &err));
    CHECK_STATUS(KSTONE_DONE, kstone_iter_next(query, &item, &err));
    kstone_free(scan);
    kstone_free(query);
    kstone_free(db);
}

static void an_iterator_may_be_freed_before_its_end(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    put_many(db, "p", 20, 0);
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    kstone_free(iter);
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    CHECK_OK(kstone_iter_next(iter, &item, &err));
    kstone_free(iter);
    kstone_free(db);
}

/* The item is borrowed until the next step; a clone is kept. */
static void a_clone_outlives_the_step(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    kstone_item *clone;
    int64_t value = -1;
    put_many(db, "p", 2, 40);
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    CHECK_OK(kstone_iter_next(iter, &item, &err));
    clone = kstone_item_clone(item);
    CHECK_OK(kstone_iter_next(iter, &item, &err));
    kstone_free(iter);
    kstone_free(db);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(clone, LIT("v"), &value));
    CHECK_INT(40, value);
    kstone_free(clone);
}

static void keys_only_items_hold_the_key(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    kstone_value value = no_value();
    put_many(db, "p", 3, 0);
    spec.flags = KSTONE_QUERY_KEYS_ONLY;
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    CHECK_OK(kstone_iter_next(iter, &item, &err));
    CHECK_SIZE(2, kstone_item_count(item));
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("sk"), &value));
    CHECK_BYTES("s0000", value.bytes);
    kstone_free(iter);
    kstone_free(db);
}

static void a_token_opens_an_iterator_where_a_page_ended(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_page *page = NULL;
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    size_t seen = 0;
    put_many(db, "p", 20, 0);
    spec.limit = 7;
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    spec.limit = 0;
    spec.token = kstone_page_token(page).data;
    spec.token_len = kstone_page_token(page).len;
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    while (kstone_iter_next(iter, &item, &err) == KSTONE_OK) {
        int64_t value = -1;
        CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
        CHECK_INT((intmax_t)(7 + seen), value);
        seen++;
    }
    CHECK_SIZE(13, seen);
    kstone_free(iter);
    iter = UNTOUCHED(kstone_iter);
    spec.flags = KSTONE_QUERY_REVERSE;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_iter_open(db, &spec, &iter, &err));
    spec = scan_spec();
    spec.token = kstone_page_token(page).data;
    spec.token_len = kstone_page_token(page).len;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_iter_open(db, &spec, &iter, &err));
    CHECK_UNTOUCHED(iter);
    kstone_free(page);
    kstone_free(db);
}

/* An iterator has no pages: its limit is how many items it gives in all. */
static void a_limit_ends_the_iterator(void) {
    static const uint32_t LIMITS[] = {1, 7, 19, 20, 21, UINT32_MAX};
    kstone_error *err = NULL;
    kstone_db *db = open_database(3);
    size_t l;
    put_many(db, "p", 20, 0);
    for (l = 0; l < sizeof LIMITS / sizeof LIMITS[0]; l++) {
        int whole;
        for (whole = 0; whole < 2; whole++) {
            kstone_query_spec spec = whole ? scan_spec() : query_spec(LIT("p"));
            kstone_iter *iter = NULL;
            const kstone_item *item = NULL;
            size_t seen = 0;
            spec.limit = LIMITS[l];
            CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
            while (kstone_iter_next(iter, &item, &err) == KSTONE_OK) {
                seen++;
            }
            CHECK_SIZE(LIMITS[l] < 20 ? LIMITS[l] : 20, seen);
            CHECK_STATUS(KSTONE_DONE, kstone_iter_next(iter, &item, &err));
            kstone_free(iter);
        }
    }
    kstone_free(db);
}

/* Far more items than a page would have, so that whatever is fetched at a time has an end within. */
static void a_long_partition_is_walked_to_its_end(void) {
    static const uint32_t FLAGS[] = {0, KSTONE_QUERY_REVERSE, KSTONE_QUERY_KEYS_ONLY,
                                     KSTONE_QUERY_REVERSE | KSTONE_QUERY_KEYS_ONLY};
    enum { LONG = 3000 };
    kstone_error *err = NULL;
    kstone_db *db = open_database(100);
    size_t f;
    put_many(db, "o", 10, 0);
    put_many(db, "p", LONG, 0);
    put_many(db, "q", 10, 0);
    for (f = 0; f < sizeof FLAGS / sizeof FLAGS[0]; f++) {
        kstone_query_spec spec = query_spec(LIT("p"));
        kstone_iter *iter = NULL;
        const kstone_item *item = NULL;
        size_t wrong = 0;
        int seen = 0;
        spec.flags = FLAGS[f];
        CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
        while (kstone_iter_next(iter, &item, &err) == KSTONE_OK) {
            char sk[16];
            kstone_bytes found = kstone_item_sk(item);
            snprintf(sk, sizeof sk, "s%04d", (FLAGS[f] & KSTONE_QUERY_REVERSE) != 0 ? LONG - 1 - seen : seen);
            wrong += found.len != 5 || memcmp(found.data, sk, 5) != 0;
            seen++;
        }
        CHECK_NULL(err);
        CHECK_INT(LONG, seen);
        CHECK_SIZE(0, wrong);
        kstone_free(iter);
    }
    kstone_free(db);
}

/* And items so large that their bytes, not their number, are what is fetched at a time. */
static void large_items_are_walked_to_their_end(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = kstone_item_new();
    char *text = (char *)malloc(300000);
    int whole;
    int i;
    memset(text, 'x', 300000);
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("text"), text, 300000));
    for (i = 0; i < 20; i++) {
        char sk[16];
        snprintf(sk, sizeof sk, "s%04d", i);
        CHECK_OK(kstone_put(db, LIT("p"), sk, 5, item, &err));
    }
    for (whole = 0; whole < 2; whole++) {
        kstone_query_spec spec = whole ? scan_spec() : query_spec(LIT("p"));
        kstone_iter *iter = NULL;
        const kstone_item *next = NULL;
        size_t seen = 0;
        CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
        while (kstone_iter_next(iter, &next, &err) == KSTONE_OK) {
            seen++;
        }
        CHECK_SIZE(20, seen);
        kstone_free(iter);
    }
    kstone_free(item);
    free(text);
    kstone_free(db);
}

static void what_an_iterator_cannot_do_is_refused(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_iter *iter = UNTOUCHED(kstone_iter);
    put_many(db, "p", 3, 0);
    spec.flags = KSTONE_QUERY_COUNT;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_iter_open(db, &spec, &iter, &err));
    spec.flags = 0x100u;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_iter_open(db, &spec, &iter, &err));
    spec = query_spec(LIT("p"));
    spec.segments = 2;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_iter_open(db, &spec, &iter, &err));
    spec = scan_spec();
    spec.flags = KSTONE_QUERY_REVERSE;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_iter_open(db, &spec, &iter, &err));
    CHECK_UNTOUCHED(iter);
    kstone_free(db);
}

int main(void) {
    an_iterator_walks_a_query_in_order();
    the_end_stays_the_end();
    an_empty_result_is_done_at_once();
    an_iterator_without_a_key_walks_everything();
    segments_share_out_the_items();
    an_iterator_sees_the_database_as_it_was();
    an_iterator_may_be_freed_before_its_end();
    a_clone_outlives_the_step();
    keys_only_items_hold_the_key();
    a_token_opens_an_iterator_where_a_page_ended();
    a_limit_ends_the_iterator();
    a_long_partition_is_walked_to_its_end();
    large_items_are_walked_to_their_end();
    what_an_iterator_cannot_do_is_refused();
    return check_report();
}
