/* Scans: every item once, in pages and in parallel segments, in one order. */
#include "support.h"

#define PARTITIONS 300
#define PER_PARTITION 4
#define ITEMS (PARTITIONS * PER_PARTITION)

/* Items p000..p299 with sort keys (none), a, b, c; v numbers them. Written over and over, some flushed. */
static kstone_db *open_filled(void) {
    static const char *const SKS[PER_PARTITION] = {NULL, "a", "b", "c"};
    kstone_db *db = open_database(7);
    int i;
    for (i = 0; i < ITEMS; i++) {
        char pk[16];
        snprintf(pk, sizeof pk, "p%03d", i / PER_PARTITION);
        put_number(db, pk, SKS[i % PER_PARTITION], -1);
        put_number(db, pk, SKS[i % PER_PARTITION], i);
    }
    return db;
}

static kstone_page *next_page(const kstone_db *db, kstone_query_spec spec, kstone_page *last) {
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    spec.token = kstone_page_token(last).data;
    spec.token_len = kstone_page_token(last).len;
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    kstone_free(last);
    return page;
}

/* Scans to the end, counts in `seen` how often each item came, writes their order; the number of items. */
static size_t scan_all(const kstone_db *db, kstone_query_spec spec, unsigned char *seen, int64_t *order) {
    kstone_page *page = NULL;
    size_t total = 0;
    do {
        size_t i;
        page = next_page(db, spec, page);
        CHECK(spec.limit == 0 || kstone_page_scanned(page) <= spec.limit);
        CHECK(kstone_page_token(page).len == 0 || kstone_page_scanned(page) == spec.limit);
        CHECK_SIZE(kstone_page_scanned(page), kstone_page_count(page));
        for (i = 0; i < kstone_page_count(page) && total < ITEMS; i++, total++) {
            int64_t value = -1;
            CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(kstone_page_item(page, i), LIT("v"), &value));
            CHECK(value >= 0 && value < ITEMS);
            if (value >= 0 && value < ITEMS) {
                seen[value]++;
                order[total] = value;
            }
        }
        CHECK_SIZE(kstone_page_count(page), i);
    } while (kstone_page_token(page).len > 0);
    kstone_free(page);
    return total;
}

static size_t count_not_once(const unsigned char *seen) {
    size_t wrong = 0;
    size_t i;
    for (i = 0; i < ITEMS; i++) {
        wrong += seen[i] != 1;
    }
    return wrong;
}

/* A partition's items lie together, in sort-key order. */
static size_t count_disorder(const int64_t *order) {
    size_t wrong = 0;
    size_t i;
    for (i = 0; i < ITEMS; i++) {
        wrong += i % PER_PARTITION == 0 ? order[i] % PER_PARTITION != 0 : order[i] != order[i - 1] + 1;
    }
    return wrong;
}

static void every_item_comes_once_whatever_the_limit(void) {
    static const uint32_t LIMITS[] = {0, 1, 7, 100, ITEMS - 1, ITEMS, ITEMS + 1, UINT32_MAX};
    kstone_db *db = open_filled();
    int64_t first_order[ITEMS] = {0};
    size_t l;
    for (l = 0; l < sizeof LIMITS / sizeof LIMITS[0]; l++) {
        unsigned char seen[ITEMS] = {0};
        int64_t order[ITEMS] = {0};
        kstone_query_spec spec = scan_spec();
        spec.limit = LIMITS[l];
        CHECK_SIZE(ITEMS, scan_all(db, spec, seen, order));
        CHECK_SIZE(0, count_not_once(seen));
        CHECK_SIZE(0, count_disorder(order));
        if (l == 0) {
            memcpy(first_order, order, sizeof order);
        }
        CHECK(memcmp(first_order, order, sizeof order) == 0);
    }
    kstone_free(db);
}

/* The order is the same after a flush and a compaction. */
static void the_order_is_stable(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    int64_t before[ITEMS] = {0};
    int round;
    for (round = 0; round < 3; round++) {
        unsigned char seen[ITEMS] = {0};
        int64_t order[ITEMS] = {0};
        CHECK_SIZE(ITEMS, scan_all(db, scan_spec(), seen, order));
        if (round == 0) {
            memcpy(before, order, sizeof order);
        }
        CHECK(memcmp(before, order, sizeof order) == 0);
        CHECK_OK(round == 0 ? kstone_flush(db, &err) : kstone_compact(db, &err));
    }
    kstone_free(db);
}

static void segments_share_out_every_item_once(void) {
    static const uint32_t SEGMENTS[] = {1, 2, 3, 4, 7, 16, 255, 256, 257, 1000};
    kstone_db *db = open_filled();
    size_t s;
    for (s = 0; s < sizeof SEGMENTS / sizeof SEGMENTS[0]; s++) {
        unsigned char seen[ITEMS] = {0};
        int64_t order[ITEMS] = {0};
        size_t total = 0;
        uint32_t segment;
        for (segment = 0; segment < SEGMENTS[s]; segment++) {
            kstone_query_spec spec = scan_spec();
            spec.segment = segment;
            spec.segments = SEGMENTS[s];
            spec.limit = s % 2 == 0 ? 0 : 11;
            total += scan_all(db, spec, seen, order);
        }
        CHECK_SIZE(ITEMS, total);
        CHECK_SIZE(0, count_not_once(seen));
    }
    kstone_free(db);
}

static void impossible_segments_are_invalid(void) {
    static const struct {
        uint32_t segment;
        uint32_t segments;
    } CASES[] = {{1, 1}, {4, 4}, {5, 4}, {1, 0}, {UINT32_MAX, 2}, {UINT32_MAX, UINT32_MAX}};
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_iter *iter = UNTOUCHED(kstone_iter);
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        kstone_query_spec spec = scan_spec();
        spec.segment = CASES[i].segment;
        spec.segments = CASES[i].segments;
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec, &page, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_iter_open(db, &spec, &iter, &err));
    }
    CHECK_UNTOUCHED(page);
    CHECK_UNTOUCHED(iter);
    kstone_free(db);
}

static void an_empty_database_has_one_empty_page(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    CHECK_SIZE(0, kstone_page_count(page));
    CHECK_SIZE(0, kstone_page_scanned(page));
    CHECK_NULL(kstone_page_item(page, 0));
    CHECK_EMPTY(kstone_page_token(page));
    kstone_free(page);
    kstone_free(db);
}

static void count_and_keys_only(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    size_t total = 0;
    spec.flags = KSTONE_QUERY_COUNT;
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    CHECK_SIZE(ITEMS, kstone_page_count(page));
    CHECK_NULL(kstone_page_item(page, 0));
    kstone_free(page);
    page = NULL;
    spec.limit = 100;
    do {
        page = next_page(db, spec, page);
        total += kstone_page_count(page);
        CHECK_NULL(kstone_page_item(page, 0));
    } while (kstone_page_token(page).len > 0);
    CHECK_SIZE(ITEMS, total);
    kstone_free(page);
    spec = scan_spec();
    spec.flags = KSTONE_QUERY_KEYS_ONLY;
    spec.limit = 2;
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    CHECK_SIZE(2, kstone_page_count(page));
    CHECK_SIZE(1, kstone_item_count(kstone_page_item(page, 0)));
    CHECK_SIZE(2, kstone_item_count(kstone_page_item(page, 1)));
    CHECK_BYTES("a", kstone_item_sk(kstone_page_item(page, 1)));
    kstone_free(page);
    kstone_free(db);
}

/* What belongs to a query alone is refused, not ignored. */
static void a_scan_takes_no_key_and_no_direction(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_query_spec spec = query_spec(LIT("p"));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec, &page, &err));
    spec = scan_spec();
    spec.sk_op = KSTONE_SK_EQ;
    spec.sk1 = "a";
    spec.sk1_len = 1;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec, &page, &err));
    spec = scan_spec();
    spec.flags = KSTONE_QUERY_REVERSE;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec, &page, &err));
    spec.flags = 0x40u;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec, &page, &err));
    CHECK_UNTOUCHED(page);
    kstone_free(db);
}

static void a_token_goes_with_its_segment(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    kstone_page *next = UNTOUCHED(kstone_page);
    unsigned char copy[256];
    kstone_bytes token;
    size_t i;
    spec.segments = 2;
    spec.limit = 3;
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    token = kstone_page_token(page);
    CHECK(token.len > 0 && token.len < sizeof copy);
    spec.token = token.data;
    spec.token_len = token.len;
    spec.segment = 1;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec, &next, &err));
    spec.segment = 0;
    spec.segments = 3;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec, &next, &err));
    spec.segments = 0;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec, &next, &err));
    spec.segments = 2;
    for (i = 0; i < token.len; i++) {
        memcpy(copy, token.data, token.len);
        copy[i] ^= 0x10;
        spec.token = copy;
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &spec, &next, &err));
    }
    CHECK_UNTOUCHED(next);
    kstone_free(page);
    kstone_free(db);
}

/* What happens to items already passed, or not there yet, disturbs no other item. */
static void pages_go_on_while_items_come_and_go(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    unsigned char seen[ITEMS] = {0};
    size_t wrong = 0;
    size_t i;
    int extra = 0;
    spec.limit = 50;
    do {
        page = next_page(db, spec, page);
        for (i = 0; i < kstone_page_count(page); i++) {
            const kstone_item *item = kstone_page_item(page, i);
            kstone_bytes pk = kstone_item_pk(item);
            kstone_bytes sk = kstone_item_sk(item);
            int64_t value = -1;
            CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
            if (value >= 0 && value < ITEMS) {
                seen[value]++;
                CHECK_OK(kstone_delete(db, pk.data, pk.len, sk.data, sk.len, &err));
            }
        }
        for (i = 0; i < 20; i++) {
            char key[16];
            snprintf(key, sizeof key, "extra%d", extra++);
            put_number(db, key, NULL, ITEMS + 1);
        }
    } while (kstone_page_token(page).len > 0);
    kstone_free(page);
    for (i = 0; i < ITEMS; i++) {
        wrong += seen[i] != 1;
    }
    CHECK_SIZE(0, wrong);
    kstone_free(db);
}

int main(void) {
    every_item_comes_once_whatever_the_limit();
    the_order_is_stable();
    segments_share_out_every_item_once();
    impossible_segments_are_invalid();
    an_empty_database_has_one_empty_page();
    count_and_keys_only();
    a_scan_takes_no_key_and_no_direction();
    a_token_goes_with_its_segment();
    pages_go_on_while_items_come_and_go();
    return check_report();
}
