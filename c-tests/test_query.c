/* Queries: one partition, every condition on the sort key, both directions, limits, tokens. */
#include "support.h"

/* Sort keys of the partition "p", in their order. The bytes decide, not the letters: NUL first, FF last. */
static const struct {
    const char *bytes;
    size_t len;
} SKS[] = {
    {LIT("\0")},   {LIT("\0\0")}, {LIT("\0\xff")}, {LIT("a")},     {LIT("a\0")},  {LIT("a\0b")},    {LIT("aa")},
    {LIT("ab")},   {LIT("ab\xff")}, {LIT("ab\xff\xff")}, {LIT("ac")}, {LIT("b")}, {LIT("ba")},     {LIT("\xc3\xa9")},
    {LIT("\xff")}, {LIT("\xff\0")}, {LIT("\xff\xff")},
};
#define SK_COUNT (sizeof SKS / sizeof SKS[0])

/* The partition "p" between neighbours that must never show up, spread over memtable and flushed tables. */
static kstone_db *open_filled(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(3);
    kstone_item *item = kstone_item_new();
    size_t i;
    for (i = 0; i < SK_COUNT; i++) {
        size_t at = (i * 5) % SK_COUNT;
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("v"), (int64_t)at));
        CHECK_OK(kstone_put(db, LIT("p"), SKS[at].bytes, SKS[at].len, item, &err));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("v"), -1));
        CHECK_OK(kstone_put(db, LIT("p\0"), SKS[at].bytes, SKS[at].len, item, &err));
        CHECK_OK(kstone_put(db, LIT("o"), SKS[at].bytes, SKS[at].len, item, &err));
        CHECK_OK(kstone_put(db, LIT("pa"), SKS[at].bytes, SKS[at].len, item, &err));
    }
    kstone_free(item);
    return db;
}

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len) {
    size_t shorter = a_len < b_len ? a_len : b_len;
    int order = shorter > 0 ? memcmp(a, b, shorter) : 0;
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

/* The condition said again, naively: what the library is checked against. */
static int matches(size_t at, uint32_t op, size_t one, size_t two) {
    int first = compare_bytes(SKS[at].bytes, SKS[at].len, SKS[one].bytes, SKS[one].len);
    switch (op) {
    case KSTONE_SK_EQ: return first == 0;
    case KSTONE_SK_LT: return first < 0;
    case KSTONE_SK_LE: return first <= 0;
    case KSTONE_SK_GT: return first > 0;
    case KSTONE_SK_GE: return first >= 0;
    case KSTONE_SK_BETWEEN:
        return first >= 0 && compare_bytes(SKS[at].bytes, SKS[at].len, SKS[two].bytes, SKS[two].len) <= 0;
    case KSTONE_SK_BEGINS_WITH:
        return SKS[at].len >= SKS[one].len && memcmp(SKS[at].bytes, SKS[one].bytes, SKS[one].len) == 0;
    default: return 1;
    }
}

static size_t expected_positions(uint32_t op, size_t one, size_t two, int reverse, size_t *positions) {
    size_t count = 0;
    size_t i;
    for (i = 0; i < SK_COUNT; i++) {
        size_t at = reverse ? SK_COUNT - 1 - i : i;
        if (matches(at, op, one, two)) {
            positions[count++] = at;
        }
    }
    return count;
}

static void check_item(const kstone_item *item, size_t at) {
    int64_t value = -2;
    kstone_bytes sk = kstone_item_sk(item);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
    CHECK_INT((intmax_t)at, value);
    CHECK_BYTES("p", kstone_item_pk(item));
    CHECK_MEM(SKS[at].bytes, SKS[at].len, sk.data, sk.len);
}

/* All pages of the query, `limit` items each, are exactly the expected positions in order. */
static void check_pages(const kstone_db *db, kstone_query_spec spec, const size_t *expected, size_t expected_count) {
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    size_t seen = 0;
    size_t i;
    do {
        kstone_page *next = NULL;
        kstone_bytes token = kstone_page_token(page);
        size_t count;
        spec.token = token.data;
        spec.token_len = token.len;
        CHECK_OK(kstone_query(db, &spec, &next, &err));
        kstone_free(page);
        page = next;
        count = kstone_page_count(page);
        CHECK(spec.limit == 0 || count <= spec.limit);
        CHECK_SIZE(count, kstone_page_scanned(page));
        /* Before the end a page is full. */
        CHECK(kstone_page_token(page).len == 0 || count == spec.limit);
        for (i = 0; i < count && seen < expected_count; i++, seen++) {
            check_item(kstone_page_item(page, i), expected[seen]);
        }
        CHECK_SIZE(count, i);
        CHECK_NULL(kstone_page_item(page, count));
    } while (kstone_page_token(page).len > 0);
    CHECK_SIZE(expected_count, seen);
    kstone_free(page);
}

static void every_condition_in_both_directions_with_every_limit(void) {
    static const uint32_t LIMITS[] = {0, 1, 2, 5, SK_COUNT, 1000};
    kstone_db *db = open_filled();
    size_t positions[SK_COUNT];
    uint32_t op;
    size_t one;
    size_t two;
    size_t l;
    int reverse;
    for (op = KSTONE_SK_ANY; op <= KSTONE_SK_BEGINS_WITH; op++) {
        for (one = 0; one < (op == KSTONE_SK_ANY ? 1 : SK_COUNT); one++) {
            for (two = one; two < (op == KSTONE_SK_BETWEEN ? SK_COUNT : one + 1); two += 3) {
                for (reverse = 0; reverse < 2; reverse++) {
                    size_t count = expected_positions(op, one, two, reverse, positions);
                    /* Every limit for some, one limit for the rest: the product is large under valgrind. */
                    size_t first = one % 4 == 0 ? 0 : (one + two) % (sizeof LIMITS / sizeof LIMITS[0]);
                    size_t end = one % 4 == 0 ? sizeof LIMITS / sizeof LIMITS[0] : first + 1;
                    for (l = first; l < end; l++) {
                        kstone_query_spec spec = query_spec(LIT("p"));
                        spec.sk_op = op;
                        spec.flags = reverse ? KSTONE_QUERY_REVERSE : 0;
                        spec.limit = LIMITS[l];
                        if (op != KSTONE_SK_ANY) {
                            spec.sk1 = SKS[one].bytes;
                            spec.sk1_len = SKS[one].len;
                        }
                        if (op == KSTONE_SK_BETWEEN) {
                            spec.sk2 = SKS[two].bytes;
                            spec.sk2_len = SKS[two].len;
                        }
                        check_pages(db, spec, positions, count);
                    }
                }
            }
        }
    }
    kstone_free(db);
}

static void an_absent_partition_is_an_empty_page(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_query_spec spec = query_spec(LIT("nobody"));
    kstone_page *page = NULL;
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    CHECK_SIZE(0, kstone_page_count(page));
    CHECK_SIZE(0, kstone_page_scanned(page));
    CHECK_EMPTY(kstone_page_token(page));
    CHECK_NULL(kstone_page_item(page, 0));
    CHECK_NULL(kstone_page_item(page, SIZE_MAX));
    kstone_free(page);
    kstone_free(db);
}

/* The item without a sort key belongs to its partition and comes first: its sort key is the empty one. */
static void the_item_without_a_sort_key_comes_first(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_page *page = NULL;
    put_number(db, "p", "a", 1);
    put_number(db, "p", NULL, 0);
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    CHECK_SIZE(2, kstone_page_count(page));
    CHECK_EMPTY(kstone_item_sk(kstone_page_item(page, 0)));
    CHECK_BYTES("a", kstone_item_sk(kstone_page_item(page, 1)));
    kstone_free(page);
    kstone_free(db);
}

/* The empty sort key is one to compare with, too. Equality with it names the item without a sort key, which meets no other
 * condition. */
static void conditions_on_the_empty_sort_key(void) {
    static const struct {
        uint32_t op;
        size_t count;
    } CASES[] = {{KSTONE_SK_EQ, 1}, {KSTONE_SK_LT, 0}, {KSTONE_SK_LE, 0},         {KSTONE_SK_GT, 2},
                 {KSTONE_SK_GE, 2}, {KSTONE_SK_BETWEEN, 0}, {KSTONE_SK_BEGINS_WITH, 2}};
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    size_t i;
    put_number(db, "p", NULL, 0);
    put_number(db, "p", "a", 1);
    put_number(db, "p", "b", 2);
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        kstone_query_spec spec = query_spec(LIT("p"));
        kstone_page *page = NULL;
        spec.sk_op = CASES[i].op;
        CHECK_OK(kstone_query(db, &spec, &page, &err));
        CHECK_SIZE(CASES[i].count, kstone_page_count(page));
        kstone_free(page);
    }
    kstone_free(db);
}

static void a_range_whose_ends_are_crossed_is_invalid(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_page *page = UNTOUCHED(kstone_page);
    spec.sk_op = KSTONE_SK_BETWEEN;
    spec.sk1 = "b";
    spec.sk1_len = 1;
    spec.sk2 = "a";
    spec.sk2_len = 1;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    CHECK_UNTOUCHED(page);
    kstone_free(db);
}

static void count_returns_no_items(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_page *page = NULL;
    spec.flags = KSTONE_QUERY_COUNT;
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    CHECK_SIZE(SK_COUNT, kstone_page_count(page));
    CHECK_SIZE(SK_COUNT, kstone_page_scanned(page));
    CHECK_NULL(kstone_page_item(page, 0));
    CHECK_EMPTY(kstone_page_token(page));
    kstone_free(page);
    spec.flags = KSTONE_QUERY_COUNT | KSTONE_QUERY_REVERSE;
    spec.limit = 4;
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    CHECK_SIZE(4, kstone_page_count(page));
    CHECK(kstone_page_token(page).len > 0);
    kstone_free(page);
    kstone_free(db);
}

static void keys_only_items_hold_the_key(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_page *page = NULL;
    const kstone_item *item;
    kstone_value value = no_value();
    CHECK_OK(kstone_put_json(db, LIT("p"), LIT("a"), LIT("{\"x\":1,\"y\":2,\"pk\":\"p\"}"), KSTONE_JSON_PLAIN, &err));
    CHECK_OK(kstone_put_json(db, LIT("p"), LIT("\xff\0"), LIT("{\"x\":1}"), KSTONE_JSON_PLAIN, &err));
    CHECK_OK(kstone_put_json(db, LIT("p"), NO_SK, LIT("{\"x\":1}"), KSTONE_JSON_PLAIN, &err));
    spec.flags = KSTONE_QUERY_KEYS_ONLY;
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    CHECK_SIZE(3, kstone_page_count(page));
    item = kstone_page_item(page, 0);
    CHECK_SIZE(1, kstone_item_count(item));
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("pk"), &value));
    CHECK_INT(KSTONE_TYPE_S, value.type);
    CHECK_BYTES("p", value.bytes);
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("sk"), &value));
    item = kstone_page_item(page, 1);
    CHECK_SIZE(2, kstone_item_count(item));
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("sk"), &value));
    CHECK_INT(KSTONE_TYPE_S, value.type);
    CHECK_BYTES("a", value.bytes);
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("x"), &value));
    item = kstone_page_item(page, 2);
    CHECK_SIZE(2, kstone_item_count(item));
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("sk"), &value));
    CHECK_INT(KSTONE_TYPE_B, value.type);
    CHECK_BYTES("\xff\0", value.bytes);
    CHECK_BYTES("p", kstone_item_pk(item));
    CHECK_BYTES("\xff\0", kstone_item_sk(item));
    kstone_free(page);
    kstone_free(db);
}

static void deleted_and_overwritten_items_are_seen_as_they_are_now(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_query_spec spec = query_spec(LIT("p"));
    size_t left[SK_COUNT];
    size_t count = 0;
    size_t i;
    for (i = 0; i < SK_COUNT; i++) {
        if (i % 3 == 1) {
            CHECK_OK(kstone_delete(db, LIT("p"), SKS[i].bytes, SKS[i].len, &err));
        } else {
            left[count++] = i;
        }
    }
    for (i = 0; i < 3; i++) {
        spec.limit = 0;
        check_pages(db, spec, left, count);
        spec.limit = 2;
        check_pages(db, spec, left, count);
        CHECK_OK(i == 0 ? kstone_flush(db, &err) : kstone_compact(db, &err));
    }
    kstone_free(db);
}

/* A page without a limit stops at 1 MiB of items, with a token. */
static void a_page_without_a_limit_stops_at_one_mebibyte(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_item *item = kstone_item_new();
    char *text = (char *)malloc(100000);
    kstone_page *page = NULL;
    size_t total = 0;
    size_t pages = 0;
    int i;
    memset(text, 'x', 100000);
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("text"), text, 100000));
    for (i = 0; i < 35; i++) {
        char sk[4];
        snprintf(sk, sizeof sk, "%03d", i);
        CHECK_OK(kstone_put(db, LIT("p"), sk, 3, item, &err));
    }
    do {
        kstone_page *next = NULL;
        kstone_bytes token = kstone_page_token(page);
        spec.token = token.data;
        spec.token_len = token.len;
        CHECK_OK(kstone_query(db, &spec, &next, &err));
        kstone_free(page);
        page = next;
        total += kstone_page_count(page);
        pages++;
        /* 1,048,576 bytes: ten items are within, the eleventh is the one that passes it. */
        CHECK(kstone_page_count(page) <= 11);
        CHECK(kstone_page_token(page).len == 0 || kstone_page_count(page) == 11);
    } while (kstone_page_token(page).len > 0 && pages < 100);
    CHECK_SIZE(35, total);
    CHECK_SIZE(4, pages);
    kstone_free(page);
    kstone_free(item);
    free(text);
    kstone_free(db);
}

static void a_query_needs_a_partition_key_and_a_known_condition(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_query_spec spec = scan_spec();
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    spec = query_spec(LIT("p"));
    spec.sk_op = 8;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    spec.sk_op = UINT32_MAX;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    spec = query_spec(LIT("p"));
    spec.flags = 8;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    spec.flags = 0x80000000u;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    spec.flags = KSTONE_QUERY_COUNT | KSTONE_QUERY_KEYS_ONLY;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    /* A sort key that the condition has no use for would be a mistake of the caller. */
    spec = query_spec(LIT("p"));
    spec.sk1 = "a";
    spec.sk1_len = 1;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    spec.sk_op = KSTONE_SK_EQ;
    spec.sk2 = "b";
    spec.sk2_len = 1;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    /* Segments belong to a scan. */
    spec = query_spec(LIT("p"));
    spec.segments = 2;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    CHECK_UNTOUCHED(page);
    kstone_free(db);
}

static void check_token_is_invalid(const kstone_db *db, kstone_query_spec spec, const void *token, size_t len) {
    kstone_error *err = NULL;
    kstone_page *page = UNTOUCHED(kstone_page);
    spec.token = token;
    spec.token_len = len;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    CHECK_UNTOUCHED(page);
}

static void a_mangled_token_is_invalid(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_page *page = NULL;
    kstone_bytes token;
    unsigned char copy[256];
    size_t i;
    spec.limit = 3;
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    token = kstone_page_token(page);
    CHECK(token.len > 0 && token.len < sizeof copy);
    for (i = 0; i < token.len; i++) {
        memcpy(copy, token.data, token.len);
        copy[i] ^= 0x01;
        check_token_is_invalid(db, spec, copy, token.len);
        copy[i] ^= 0x81;
        check_token_is_invalid(db, spec, copy, token.len);
        /* cut short */
        if (i > 0) {
            check_token_is_invalid(db, spec, token.data, i);
        }
    }
    memcpy(copy, token.data, token.len);
    copy[token.len] = 0;
    check_token_is_invalid(db, spec, copy, token.len + 1);
    memset(copy, 0, sizeof copy);
    check_token_is_invalid(db, spec, copy, sizeof copy);
    check_token_is_invalid(db, spec, "x", 1);
    kstone_free(page);
    kstone_free(db);
}

/* A token goes with the query that gave it; the limit may change from page to page. */
static void a_token_of_another_query_is_invalid(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_query_spec other;
    kstone_page *page = NULL;
    kstone_page *next = NULL;
    kstone_bytes token;
    spec.limit = 3;
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    token = kstone_page_token(page);

    other = query_spec(LIT("pa"));
    check_token_is_invalid(db, other, token.data, token.len);
    other = spec;
    other.flags = KSTONE_QUERY_REVERSE;
    check_token_is_invalid(db, other, token.data, token.len);
    other = spec;
    other.sk_op = KSTONE_SK_BEGINS_WITH;
    other.sk1 = "a";
    other.sk1_len = 1;
    check_token_is_invalid(db, other, token.data, token.len);
    other.sk_op = KSTONE_SK_GE;
    check_token_is_invalid(db, other, token.data, token.len);
    other = scan_spec();
    other.token = token.data;
    other.token_len = token.len;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_scan(db, &other, &next, &err));

    /* And a scan's does not go with a query. */
    other = scan_spec();
    other.limit = 1;
    CHECK_OK(kstone_scan(db, &other, &next, &err));
    check_token_is_invalid(db, spec, kstone_page_token(next).data, kstone_page_token(next).len);
    kstone_free(next);

    spec.token = token.data;
    spec.token_len = token.len;
    spec.limit = 2;
    CHECK_OK(kstone_query(db, &spec, &next, &err));
    CHECK_SIZE(2, kstone_page_count(next));
    check_item(kstone_page_item(next, 0), 3);
    kstone_free(next);
    kstone_free(page);
    kstone_free(db);
}

/* The token names a place, not an item: it goes on after the place whatever happened to the item there. */
static void a_token_survives_the_deletion_of_its_item(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_page *page = NULL;
    kstone_page *next = NULL;
    spec.limit = 5;
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    CHECK_OK(kstone_delete(db, LIT("p"), SKS[4].bytes, SKS[4].len, &err));
    CHECK_OK(kstone_delete(db, LIT("p"), SKS[5].bytes, SKS[5].len, &err));
    CHECK_OK(kstone_compact(db, &err));
    spec.token = kstone_page_token(page).data;
    spec.token_len = kstone_page_token(page).len;
    CHECK_OK(kstone_query(db, &spec, &next, &err));
    CHECK_SIZE(5, kstone_page_count(next));
    check_item(kstone_page_item(next, 0), 6);
    kstone_free(page);
    kstone_free(next);
    kstone_free(db);
}

int main(void) {
    every_condition_in_both_directions_with_every_limit();
    an_absent_partition_is_an_empty_page();
    the_item_without_a_sort_key_comes_first();
    conditions_on_the_empty_sort_key();
    a_range_whose_ends_are_crossed_is_invalid();
    count_returns_no_items();
    keys_only_items_hold_the_key();
    deleted_and_overwritten_items_are_seen_as_they_are_now();
    a_page_without_a_limit_stops_at_one_mebibyte();
    a_query_needs_a_partition_key_and_a_known_condition();
    a_mangled_token_is_invalid();
    a_token_of_another_query_is_invalid();
    a_token_survives_the_deletion_of_its_item();
    return check_report();
}
