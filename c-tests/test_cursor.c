/* Cursors: seeking, going forward and back at a point in time. */
#include "support.h"

static kstone_db *letters(void) {
    kstone_db *db = open_database(4);
    const char *sks[] = {"b", "d", "f", "h", "j", "l", "n", "p", "r", "t"};
    size_t i;
    for (i = 0; i < sizeof sks / sizeof *sks; i++) {
        put_number(db, "p", sks[i], (int64_t)i);
    }
    put_number(db, "q", "z", 99);
    return db;
}

static kstone_cursor *open_cursor(const kstone_db *db, const kstone_query_spec *spec) {
    kstone_error *err = NULL;
    kstone_cursor *cursor = NULL;
    CHECK_OK(kstone_cursor_open(db, spec, &cursor, &err));
    return cursor;
}

static void check_at(const char *sk, kstone_status status, const kstone_cursor *cursor, const kstone_item **item) {
    kstone_bytes found;
    CHECK_STATUS(KSTONE_OK, status);
    found = kstone_item_sk(kstone_cursor_item(cursor));
    CHECK_MEM(sk, strlen(sk), found.data, found.len);
    CHECK_PTR(kstone_cursor_item(cursor), *item);
}

static void moves_go_where_they_say(void) {
    kstone_db *db = letters();
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_cursor *cursor = open_cursor(db, &spec);
    const kstone_item *item = NULL;
    int round;
    CHECK_NULL(kstone_cursor_item(cursor));
    CHECK_STATUS(KSTONE_DONE, kstone_cursor_prev(cursor, &item, NULL));
    CHECK_NULL(item);
    check_at("b", kstone_cursor_next(cursor, &item, NULL), cursor, &item);
    check_at("d", kstone_cursor_next(cursor, &item, NULL), cursor, &item);
    check_at("b", kstone_cursor_prev(cursor, &item, NULL), cursor, &item);
    CHECK_STATUS(KSTONE_DONE, kstone_cursor_prev(cursor, &item, NULL));
    CHECK_NULL(kstone_cursor_item(cursor));
    check_at("b", kstone_cursor_next(cursor, &item, NULL), cursor, &item);
    check_at("t", kstone_cursor_last(cursor, &item, NULL), cursor, &item);
    CHECK_STATUS(KSTONE_DONE, kstone_cursor_next(cursor, &item, NULL));
    CHECK_STATUS(KSTONE_DONE, kstone_cursor_next(cursor, &item, NULL));
    check_at("t", kstone_cursor_prev(cursor, &item, NULL), cursor, &item);
    check_at("f", kstone_cursor_seek(cursor, LIT("p"), LIT("f"), &item, NULL), cursor, &item);
    check_at("h", kstone_cursor_seek(cursor, NULL, 0, LIT("g"), &item, NULL), cursor, &item);
    check_at("f", kstone_cursor_prev(cursor, &item, NULL), cursor, &item);
    check_at("b", kstone_cursor_seek(cursor, NULL, 0, NULL, 0, &item, NULL), cursor, &item);
    CHECK_STATUS(KSTONE_DONE, kstone_cursor_seek(cursor, NULL, 0, LIT("u"), &item, NULL));
    check_at("t", kstone_cursor_prev(cursor, &item, NULL), cursor, &item);
    check_at("b", kstone_cursor_first(cursor, &item, NULL), cursor, &item);
    /* A key that was borrowed from the item that the cursor leaves. */
    for (round = 0; round < 3; round++) {
        kstone_bytes pk = kstone_item_pk(item);
        kstone_bytes sk = kstone_item_sk(item);
        check_at("b", kstone_cursor_seek(cursor, pk.data, pk.len, sk.data, sk.len, &item, NULL), cursor, &item);
    }
    CHECK_STATUS(KSTONE_OK, kstone_cursor_next(cursor, NULL, NULL));
    CHECK_BYTES("d", kstone_item_sk(kstone_cursor_item(cursor)));
    kstone_free(cursor);
    kstone_free(db);
}

static void a_cursor_in_reverse_goes_down(void) {
    kstone_db *db = letters();
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_cursor *cursor;
    const kstone_item *item = NULL;
    spec.flags = KSTONE_QUERY_REVERSE;
    spec.sk_op = KSTONE_SK_LT;
    spec.sk1 = "p";
    spec.sk1_len = 1;
    cursor = open_cursor(db, &spec);
    check_at("n", kstone_cursor_first(cursor, &item, NULL), cursor, &item);
    check_at("f", kstone_cursor_seek(cursor, NULL, 0, LIT("g"), &item, NULL), cursor, &item);
    check_at("d", kstone_cursor_next(cursor, &item, NULL), cursor, &item);
    check_at("f", kstone_cursor_prev(cursor, &item, NULL), cursor, &item);
    check_at("n", kstone_cursor_seek(cursor, NULL, 0, LIT("z"), &item, NULL), cursor, &item);
    check_at("b", kstone_cursor_last(cursor, &item, NULL), cursor, &item);
    CHECK_STATUS(KSTONE_DONE, kstone_cursor_seek(cursor, NULL, 0, LIT("a"), &item, NULL));
    kstone_free(cursor);
    kstone_free(db);
}

static void a_cursor_over_all_shows_one_moment_and_outlives_the_database(void) {
    kstone_error *err = NULL;
    kstone_db *db = letters();
    kstone_cursor *cursor = open_cursor(db, NULL);
    const kstone_item *item = NULL;
    kstone_item *copy;
    int seen = 0;
    put_number(db, "p", "c", 50);
    CHECK_OK(kstone_clear(db, &err));
    kstone_free(db);
    while (kstone_cursor_next(cursor, &item, NULL) == KSTONE_OK) {
        seen++;
    }
    CHECK_INT(11, seen);
    while (kstone_cursor_prev(cursor, &item, NULL) == KSTONE_OK) {
        seen--;
    }
    CHECK_INT(0, seen);
    check_at("l", kstone_cursor_seek(cursor, LIT("p"), LIT("k"), &item, NULL), cursor, &item);
    copy = kstone_item_clone(item);
    /* The item belongs to the cursor: this does nothing. */
    kstone_free((void *)(size_t)item);
    check_at("l", kstone_cursor_seek(cursor, LIT("p"), LIT("l"), &item, NULL), cursor, &item);
    kstone_free(cursor);
    CHECK_SIZE(1, kstone_item_count(copy));
    kstone_free(copy);
}

static void filters_and_projections_are_those_of_a_query(void) {
    kstone_db *db = letters();
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_item *params = item_of("{\":low\":{\"N\":\"7\"}}");
    kstone_cursor *cursor;
    const kstone_item *item = NULL;
    spec.filter = "v >= :low";
    spec.projection = "sk";
    spec.filter_len = spec.projection_len = KSTONE_STRLEN;
    spec.params = params;
    cursor = open_cursor(db, &spec);
    kstone_free(params);
    check_at("p", kstone_cursor_first(cursor, &item, NULL), cursor, &item);
    CHECK_SIZE(1, kstone_item_count(item));
    check_at("p", kstone_cursor_seek(cursor, NULL, 0, LIT("c"), &item, NULL), cursor, &item);
    CHECK_STATUS(KSTONE_DONE, kstone_cursor_prev(cursor, &item, NULL));
    check_at("p", kstone_cursor_next(cursor, &item, NULL), cursor, &item);
    check_at("t", kstone_cursor_last(cursor, &item, NULL), cursor, &item);
    kstone_free(cursor);
    kstone_free(db);
}

static void what_a_cursor_cannot_do_is_refused(void) {
    kstone_error *err = NULL;
    kstone_db *db = letters();
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_cursor *cursor = UNTOUCHED(kstone_cursor);
    const kstone_item *item = NULL;
    static char long_key[2049];
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_cursor_open(NULL, &spec, &cursor, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_cursor_open(db, &spec, NULL, &err));
    spec.limit = 1;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "limit", kstone_cursor_open(db, &spec, &cursor, &err));
    spec.limit = 0;
    spec.token = "t";
    spec.token_len = 1;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "token", kstone_cursor_open(db, &spec, &cursor, &err));
    spec = query_spec(LIT("p"));
    spec.flags = KSTONE_QUERY_COUNT;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_cursor_open(db, &spec, &cursor, &err));
    spec.flags = 64;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_cursor_open(db, &spec, &cursor, &err));
    spec = scan_spec();
    spec.flags = KSTONE_QUERY_REVERSE;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_cursor_open(db, &spec, &cursor, &err));
    spec = query_spec(LIT("p"));
    spec.index = "nothing";
    spec.index_len = KSTONE_STRLEN;
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_cursor_open(db, &spec, &cursor, &err));
    CHECK_UNTOUCHED(cursor);

    spec = query_spec(LIT("p"));
    cursor = open_cursor(db, &spec);
    check_at("f", kstone_cursor_seek(cursor, NULL, 0, LIT("f"), &item, NULL), cursor, &item);
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_cursor_seek(cursor, LIT("q"), LIT("z"), &item, &err));
    CHECK_FAILS(KSTONE_ERR_LIMIT, kstone_cursor_seek(cursor, NULL, 0, long_key, 1025, &item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_cursor_seek(cursor, NULL, 5, NULL, 0, &item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_cursor_seek(cursor, NULL, 0, "f", KSTONE_STRLEN, &item, &err));
    check_at("f", KSTONE_OK, cursor, &item);
    check_at("h", kstone_cursor_next(cursor, &item, NULL), cursor, &item);
    kstone_free(cursor);
    cursor = open_cursor(db, NULL);
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_cursor_seek(cursor, NULL, 0, LIT("f"), &item, &err));
    CHECK_FAILS(KSTONE_ERR_LIMIT, kstone_cursor_seek(cursor, long_key, sizeof long_key, NULL, 0, &item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_cursor_next(NULL, &item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_cursor_prev((kstone_cursor *)(void *)db, &item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_cursor_first(NULL, &item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_cursor_last(NULL, &item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_cursor_seek(NULL, LIT("p"), NO_SK, &item, &err));
    CHECK_NULL(kstone_cursor_item(NULL));
    CHECK_NULL(kstone_cursor_item((const kstone_cursor *)(const void *)db));
    kstone_free(cursor);
    kstone_free(db);
}

/* A long way in both directions, past the ends of batches and over what was deleted. */
static void long_ways_show_every_item_once(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(50);
    kstone_query_spec spec = query_spec(LIT("p"));
    const int count = (int)test_scale(3000) + 300;
    kstone_cursor *cursor;
    const kstone_item *item = NULL;
    char sk[16];
    int i;
    for (i = 0; i < count; i++) {
        snprintf(sk, sizeof sk, "s%06d", i);
        put_number(db, "p", sk, i);
    }
    for (i = 0; i < count; i += 3) {
        snprintf(sk, sizeof sk, "s%06d", i);
        CHECK_OK(kstone_delete(db, LIT("p"), sk, strlen(sk), &err));
    }
    cursor = open_cursor(db, &spec);
    for (i = 0; i < count; i++) {
        if (i % 3 != 0) {
            int64_t value = -1;
            CHECK_STATUS(KSTONE_OK, kstone_cursor_next(cursor, &item, NULL));
            CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
            CHECK_INT(i, value);
        }
    }
    CHECK_STATUS(KSTONE_DONE, kstone_cursor_next(cursor, &item, NULL));
    for (i = count - 1; i >= 0; i--) {
        if (i % 3 != 0) {
            int64_t value = -1;
            CHECK_STATUS(KSTONE_OK, kstone_cursor_prev(cursor, &item, NULL));
            CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
            CHECK_INT(i, value);
        }
    }
    CHECK_STATUS(KSTONE_DONE, kstone_cursor_prev(cursor, &item, NULL));
    kstone_free(cursor);
    kstone_free(db);
}

int main(void) {
    moves_go_where_they_say();
    a_cursor_in_reverse_goes_down();
    a_cursor_over_all_shows_one_moment_and_outlives_the_database();
    filters_and_projections_are_those_of_a_query();
    what_a_cursor_cannot_do_is_refused();
    long_ways_show_every_item_once();
    return check_report();
}
