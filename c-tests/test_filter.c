/* Filters, projections and key conditions of queries, scans and iterators; what counts as examined and what as found. */
#include "support.h"

enum { ITEMS = 40 };

/* Partitions "p" and "q", sort keys 00 to 39: {"v": i, "odd": bool, "tags": {"even" or "odd"}}. */
static kstone_db *open_filled(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(7);
    kstone_item *item = kstone_item_new();
    int i;
    for (i = 0; i < ITEMS; i++) {
        char sk[8];
        snprintf(sk, sizeof sk, "%02d", i);
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("v"), i));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_bool(item, LIT("odd"), i % 2));
        CHECK_OK(kstone_item_set_json(item, LIT("tags"), i % 2 ? "{\"SS\":[\"odd\"]}" : "{\"SS\":[\"even\"]}",
                                      KSTONE_STRLEN, 0, &err));
        CHECK_OK(kstone_put(db, LIT("p"), sk, 2, item, &err));
        CHECK_OK(kstone_put(db, LIT("q"), sk, 2, item, &err));
    }
    kstone_free(item);
    return db;
}

static void set_filter(kstone_query_spec *spec, const char *filter, const kstone_item *params) {
    spec->filter = filter;
    spec->filter_len = KSTONE_STRLEN;
    spec->params = params;
}

static int64_t value_of(const kstone_item *item) {
    int64_t value = INT64_MIN;
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
    return value;
}

static kstone_page *read_page(const kstone_db *db, const kstone_query_spec *spec) {
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    if (spec->pk_len > 0 || spec->key_expr != NULL) {
        CHECK_OK(kstone_query(db, spec, &page, &err));
    } else {
        CHECK_OK(kstone_scan(db, spec, &page, &err));
    }
    return page;
}

static size_t iterate(const kstone_db *db, const kstone_query_spec *spec) {
    kstone_error *err = NULL;
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    size_t count = 0;
    CHECK_OK(kstone_iter_open(db, spec, &iter, &err));
    while (kstone_iter_next(iter, &item, NULL) == KSTONE_OK) {
        count++;
    }
    kstone_free(iter);
    return count;
}

static void filters_let_through_what_they_say(void) {
    static const struct {
        const char *filter;
        const char *params;
        size_t found; /* of one partition */
    } CASES[] = {
        {"v < :n", "{\":n\":{\"N\":\"10\"}}", 10},
        {"NOT v < :n", "{\":n\":{\"N\":\"10\"}}", 30},
        {"v BETWEEN :a AND :b AND odd = :t", "{\":a\":{\"N\":\"3\"},\":b\":{\"N\":\"9\"},\":t\":{\"BOOL\":true}}", 4},
        {"v IN (:a, :b, :c)", "{\":a\":{\"N\":\"0\"},\":b\":{\"N\":\"39\"},\":c\":{\"N\":\"40\"}}", 2},
        {"contains(#t, :e) OR v = :n", "{\"#t\":{\"S\":\"tags\"},\":e\":{\"S\":\"even\"},\":n\":{\"N\":\"1\"}}", 21},
        {"attribute_exists(v)", NULL, ITEMS},
        {"attribute_exists(w)", NULL, 0},
        {"v = :text", "{\":text\":{\"S\":\"1\"}}", 0},
    };
    kstone_db *db = open_filled();
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        kstone_item *params = CASES[i].params != NULL ? item_of(CASES[i].params) : NULL;
        int partitions;
        for (partitions = 1; partitions <= 2; partitions++) {
            kstone_query_spec spec = partitions == 1 ? query_spec(LIT("p")) : scan_spec();
            kstone_page *page;
            set_filter(&spec, CASES[i].filter, params);
            CHECK_SIZE(CASES[i].found * (size_t)partitions, iterate(db, &spec));
            page = read_page(db, &spec);
            CHECK_SIZE(CASES[i].found * (size_t)partitions, kstone_page_count(page));
            CHECK_SIZE(ITEMS * (size_t)partitions, kstone_page_scanned(page));
            CHECK_EMPTY(kstone_page_token(page));
            CHECK_NULL(kstone_page_item(page, kstone_page_count(page)));
            kstone_free(page);
            spec.flags = KSTONE_QUERY_COUNT;
            page = read_page(db, &spec);
            CHECK_SIZE(CASES[i].found * (size_t)partitions, kstone_page_count(page));
            CHECK_SIZE(ITEMS * (size_t)partitions, kstone_page_scanned(page));
            CHECK_NULL(kstone_page_item(page, 0));
            kstone_free(page);
        }
        kstone_free(params);
    }
    kstone_free(db);
}

/* The limit bounds what is examined: pages are short, even empty, and lead on all the same. */
static void pages_of_a_filter_lead_to_its_end(void) {
    kstone_db *db = open_filled();
    kstone_item *params = item_of("{\":n\":{\"N\":\"33\"}}");
    uint32_t limit;
    for (limit = 1; limit <= ITEMS + 1; limit += 5) {
        kstone_query_spec spec = query_spec(LIT("p"));
        kstone_page *page = NULL;
        size_t found = 0;
        size_t scanned = 0;
        set_filter(&spec, "v >= :n", params);
        spec.limit = limit;
        do {
            kstone_page *next;
            size_t i;
            spec.token = kstone_page_token(page).data;
            spec.token_len = kstone_page_token(page).len;
            next = read_page(db, &spec);
            kstone_free(page);
            page = next;
            for (i = 0; i < kstone_page_count(page); i++) {
                CHECK_INT((intmax_t)(33 + found + i), value_of(kstone_page_item(page, i)));
            }
            found += kstone_page_count(page);
            scanned += kstone_page_scanned(page);
            CHECK(kstone_page_scanned(page) <= limit);
        } while (kstone_page_token(page).len > 0);
        CHECK_SIZE(7, found);
        CHECK_SIZE(ITEMS, scanned);
        kstone_free(page);
        spec.token = NULL;
        spec.token_len = 0;
        CHECK_SIZE(limit > 33 ? limit - 33 - (limit > ITEMS) : 0, iterate(db, &spec));
    }
    kstone_free(params);
    kstone_free(db);
}

static void a_projection_returns_parts(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_item *names = item_of("{\"#v\":{\"S\":\"v\"}}");
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_page *page;
    kstone_page *refused = UNTOUCHED(kstone_page);
    char *json = NULL;
    size_t len = 0;
    spec.projection = "#v, sk, absent_one, tags";
    spec.projection_len = 6; /* "#v, sk" */
    spec.params = names;
    spec.limit = 2;
    page = read_page(db, &spec);
    CHECK_OK(kstone_page_to_json(page, KSTONE_JSON_PLAIN, &json, &len, &err));
    CHECK_STR("{\"Count\":2,\"Items\":[{\"sk\":\"00\",\"v\":0},{\"sk\":\"01\",\"v\":1}],\"ScannedCount\":2}", json);
    CHECK_BYTES("01", kstone_item_sk(kstone_page_item(page, 1)));
    CHECK_BYTES("p", kstone_item_pk(kstone_page_item(page, 1)));
    kstone_free(json);
    kstone_free(page);
    spec.limit = 0;
    CHECK_SIZE(ITEMS, iterate(db, &spec));
    spec.flags = KSTONE_QUERY_COUNT;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &refused, &err));
    spec.flags = KSTONE_QUERY_KEYS_ONLY;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &refused, &err));
    CHECK_UNTOUCHED(refused);
    kstone_free(names);
    kstone_free(db);
}

static void a_key_condition_is_the_same_query(void) {
    static const struct {
        const char *expr;
        const char *params;
        int64_t first;
        size_t count;
    } CASES[] = {
        {"pk = :p", "{\":p\":{\"S\":\"p\"}}", 0, ITEMS},
        {"pk = :p AND sk = :a", "{\":p\":{\"S\":\"p\"},\":a\":{\"S\":\"07\"}}", 7, 1},
        {"pk = :p AND sk < :a", "{\":p\":{\"S\":\"p\"},\":a\":{\"S\":\"07\"}}", 0, 7},
        {"sk >= :a AND pk = :p", "{\":p\":{\"S\":\"p\"},\":a\":{\"S\":\"37\"}}", 37, 3},
        {"pk = :p AND sk BETWEEN :a AND :b", "{\":p\":{\"S\":\"q\"},\":a\":{\"S\":\"1\"},\":b\":{\"S\":\"12\"}}", 10, 3},
        {"#p = :p AND begins_with(sk, :a)", "{\"#p\":{\"S\":\"pk\"},\":p\":{\"S\":\"p\"},\":a\":{\"S\":\"2\"}}", 20, 10},
        {"pk = :p", "{\":p\":{\"S\":\"absent\"}}", 0, 0},
    };
    kstone_db *db = open_filled();
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        kstone_item *params = item_of(CASES[i].params);
        kstone_query_spec spec = scan_spec();
        kstone_page *page;
        size_t at;
        spec.key_expr = CASES[i].expr;
        spec.key_expr_len = KSTONE_STRLEN;
        spec.params = params;
        page = read_page(db, &spec);
        CHECK_SIZE(CASES[i].count, kstone_page_count(page));
        CHECK_SIZE(CASES[i].count, kstone_page_scanned(page));
        for (at = 0; at < kstone_page_count(page); at++) {
            CHECK_INT(CASES[i].first + (int64_t)at, value_of(kstone_page_item(page, at)));
        }
        kstone_free(page);
        CHECK_SIZE(CASES[i].count, iterate(db, &spec));
        spec.flags = KSTONE_QUERY_REVERSE;
        spec.limit = 1;
        page = read_page(db, &spec);
        if (CASES[i].count > 0) {
            CHECK_INT(CASES[i].first + (int64_t)CASES[i].count - 1, value_of(kstone_page_item(page, 0)));
        }
        kstone_free(page);
        kstone_free(params);
    }
    kstone_free(db);
}

static void key_condition_filter_and_projection_share_a_bag(void) {
    kstone_db *db = open_filled();
    kstone_item *params = item_of("{\":p\":{\"S\":\"p\"},\":n\":{\"N\":\"36\"},\"#v\":{\"S\":\"v\"}}");
    kstone_query_spec spec = scan_spec();
    kstone_page *page;
    spec.key_expr = "pk = :p";
    spec.key_expr_len = KSTONE_STRLEN;
    spec.projection = "#v";
    spec.projection_len = KSTONE_STRLEN;
    set_filter(&spec, "attribute_exists(odd) AND #v > :n", params);
    page = read_page(db, &spec);
    CHECK_SIZE(3, kstone_page_count(page));
    CHECK_INT(37, value_of(kstone_page_item(page, 0)));
    CHECK_SIZE(1, kstone_item_count(kstone_page_item(page, 0)));
    kstone_free(page);
    kstone_free(params);
    kstone_free(db);
}

#define CHECK_REFUSED(status, part, spec) check_refused((status), (part), db, (spec), __LINE__)

static void check_refused(kstone_status status, const char *part, const kstone_db *db, kstone_query_spec spec,
                          int line) {
    kstone_error *err = NULL;
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_iter *iter = UNTOUCHED(kstone_iter);
    support_fails(status, part, kstone_scan(db, &spec, &page, &err), &err, __FILE__, line, "kstone_scan");
    support_fails(status, part, kstone_iter_open(db, &spec, &iter, &err), &err, __FILE__, line, "kstone_iter_open");
    spec.pk = "p";
    spec.pk_len = 1;
    support_fails(status, part, kstone_query(db, &spec, &page, &err), &err, __FILE__, line, "kstone_query");
    support_fails(status, part, kstone_iter_open(db, &spec, &iter, &err), &err, __FILE__, line, "kstone_iter_open");
    CHECK_UNTOUCHED(page);
    CHECK_UNTOUCHED(iter);
}

static void malformed_expressions_are_invalid_and_say_what(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_filled();
    kstone_item *params = item_of("{\":n\":{\"N\":\"1\"}}");
    kstone_item *not_a_bag = item_of("{\"n\":{\"N\":\"1\"}}");
    kstone_query_spec spec = scan_spec();
    kstone_page *page = UNTOUCHED(kstone_page);
    set_filter(&spec, "v > ", NULL);
    CHECK_REFUSED(KSTONE_ERR_INVALID, "Syntax error", spec);
    set_filter(&spec, "v > :n", NULL);
    CHECK_REFUSED(KSTONE_ERR_INVALID, ":n", spec);
    set_filter(&spec, "attribute_exists(v)", params);
    CHECK_REFUSED(KSTONE_ERR_INVALID, "unused", spec);
    set_filter(&spec, "", params);
    CHECK_REFUSED(KSTONE_ERR_INVALID, "kstone_query_spec.filter", spec);
    set_filter(&spec, "v > :n", not_a_bag);
    CHECK_REFUSED(KSTONE_ERR_INVALID, "invalid key", spec);
    set_filter(&spec, "size > :n", params);
    CHECK_REFUSED(KSTONE_ERR_INVALID, "reserved", spec);
    spec = scan_spec();
    spec.params = params;
    CHECK_REFUSED(KSTONE_ERR_INVALID, "unused", spec);
    spec = scan_spec();
    spec.projection = "v, v";
    spec.projection_len = KSTONE_STRLEN;
    CHECK_REFUSED(KSTONE_ERR_INVALID, "overlap", spec);
    spec = scan_spec();
    spec.key_expr = "sk = :n";
    spec.key_expr_len = KSTONE_STRLEN;
    spec.params = params;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_query(db, &spec, &page, &err));
    spec.key_expr = "pk = :n";
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "type", kstone_query(db, &spec, &page, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "key_expr", kstone_scan(db, &spec, &page, &err));
    spec.pk = "p";
    spec.pk_len = 1;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "key_expr", kstone_query(db, &spec, &page, &err));
    /* The key of a query belongs into its key condition; a scan may filter on it. */
    spec = query_spec(LIT("p"));
    set_filter(&spec, "sk = :n", params);
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "sk", kstone_query(db, &spec, &page, &err));
    spec.pk = NULL;
    spec.pk_len = 0;
    CHECK_SIZE(0, iterate(db, &spec));
    CHECK_UNTOUCHED(page);
    kstone_free(params);
    kstone_free(not_a_bag);
    kstone_free(db);
}

int main(void) {
    filters_let_through_what_they_say();
    pages_of_a_filter_lead_to_its_end();
    a_projection_returns_parts();
    a_key_condition_is_the_same_query();
    key_condition_filter_and_projection_share_a_bag();
    malformed_expressions_are_invalid_and_say_what();
    return check_report();
}
