/* A database as a whole: open, clear, flush, compact, stats, independence, end of life. */
#include "support.h"

#include <ctype.h>

#define KEY_LEN 6 /* of "k00000" */

static size_t scan_count(const kstone_db *db) {
    kstone_error *err = NULL;
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    size_t count;
    spec.flags = KSTONE_QUERY_COUNT;
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    count = kstone_page_count(page);
    CHECK_EMPTY(kstone_page_token(page));
    kstone_free(page);
    return count;
}

static void put_numbered(kstone_db *db, int first, int end, int64_t offset) {
    char key[16];
    int i;
    for (i = first; i < end; i++) {
        snprintf(key, sizeof key, "k%05d", i);
        put_number(db, key, NULL, i + offset);
    }
}

static void delete_numbered(kstone_db *db, int first, int end) {
    kstone_error *err = NULL;
    char key[16];
    int i;
    for (i = first; i < end; i++) {
        snprintf(key, sizeof key, "k%05d", i);
        CHECK_OK(kstone_delete(db, key, KEY_LEN, NO_SK, &err));
    }
}

static int64_t get_numbered(const kstone_db *db, int i) {
    char key[16];
    snprintf(key, sizeof key, "k%05d", i);
    return get_number(db, key, NULL);
}

static void open_takes_null_options(void) {
    kstone_error *err = NULL;
    kstone_db *db = NULL;
    CHECK_OK(kstone_open_memory(NULL, &db, &err));
    CHECK(db != NULL);
    CHECK_SIZE(0, scan_count(db));
    kstone_free(db);
}

static void databases_are_worlds_of_their_own(void) {
    kstone_db *a = open_database(0);
    kstone_db *b = open_database(0);
    put_number(a, "k", NULL, 1);
    put_number(b, "k", NULL, 2);
    put_number(b, "only b", NULL, 3);
    CHECK_INT(1, get_number(a, "k", NULL));
    CHECK_INT(2, get_number(b, "k", NULL));
    CHECK_INT(INT64_MIN, get_number(a, "only b", NULL));
    kstone_free(a);
    CHECK_INT(2, get_number(b, "k", NULL));
    kstone_free(b);
}

static void clear_removes_everything_and_the_database_goes_on(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(3);
    kstone_item *kept = NULL;
    int64_t value = 0;
    put_numbered(db, 0, 500, 0);
    CHECK_OK(kstone_get(db, LIT("k00007"), NO_SK, &kept, &err));
    CHECK_OK(kstone_clear(db, &err));
    CHECK_SIZE(0, scan_count(db));
    CHECK_INT(INT64_MIN, get_numbered(db, 7));
    /* What was read before stays what it was. */
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(kept, LIT("v"), &value));
    CHECK_INT(7, value);
    kstone_free(kept);
    put_numbered(db, 0, 10, 100);
    CHECK_SIZE(10, scan_count(db));
    CHECK_INT(107, get_numbered(db, 7));
    CHECK_OK(kstone_clear(db, &err));
    CHECK_OK(kstone_clear(db, &err));
    CHECK_OK(kstone_flush(db, &err));
    CHECK_OK(kstone_compact(db, &err));
    CHECK_SIZE(0, scan_count(db));
    kstone_free(db);
}

static void flush_and_compact_change_nothing_that_can_be_read(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(4);
    int round;
    int i;
    for (round = 0; round < 3; round++) {
        put_numbered(db, 0, 200, round * 1000);
        CHECK_OK(round == 1 ? kstone_compact(db, &err) : kstone_flush(db, &err));
        CHECK_SIZE(200, scan_count(db));
    }
    CHECK_OK(kstone_compact(db, &err));
    for (i = 0; i < 200; i++) {
        CHECK_INT(2000 + i, get_numbered(db, i));
    }
    kstone_free(db);
}

/* The newest version wins, and a delete hides all older ones, wherever they lie. */
static void deleted_items_stay_deleted(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(2);
    put_numbered(db, 0, 300, 0);
    CHECK_OK(kstone_flush(db, &err));
    delete_numbered(db, 0, 150);
    CHECK_SIZE(150, scan_count(db));
    CHECK_OK(kstone_flush(db, &err));
    CHECK_SIZE(150, scan_count(db));
    CHECK_INT(INT64_MIN, get_numbered(db, 0));
    CHECK_OK(kstone_compact(db, &err));
    CHECK_SIZE(150, scan_count(db));
    CHECK_INT(INT64_MIN, get_numbered(db, 149));
    CHECK_INT(150, get_numbered(db, 150));
    put_numbered(db, 0, 50, 5000);
    CHECK_SIZE(200, scan_count(db));
    CHECK_OK(kstone_flush(db, &err));
    CHECK_OK(kstone_compact(db, &err));
    CHECK_SIZE(200, scan_count(db));
    CHECK_INT(5049, get_numbered(db, 49));
    delete_numbered(db, 0, 300);
    CHECK_SIZE(0, scan_count(db));
    CHECK_OK(kstone_flush(db, &err));
    CHECK_OK(kstone_compact(db, &err));
    CHECK_SIZE(0, scan_count(db));
    kstone_free(db);
}

/* One key written again and again flushes too, and keeps one version. */
static void overwriting_one_key_keeps_the_last(void) {
    kstone_db *db = open_database(5);
    int i;
    for (i = 0; i < 1000; i++) {
        put_number(db, "one", "s", i);
    }
    CHECK_INT(999, get_number(db, "one", "s"));
    CHECK_SIZE(1, scan_count(db));
    kstone_free(db);
}

/* A look at JSON that is enough here: balanced braces outside of strings, and at least one number. */
static int looks_like_a_json_object(const char *text, size_t len) {
    int depth = 0;
    int digits = 0;
    int quoted = 0;
    size_t i;
    for (i = 0; i < len; i++) {
        if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            depth += (text[i] == '{') - (text[i] == '}');
            digits += isdigit((unsigned char)text[i]) != 0;
        }
    }
    return len >= 2 && text[0] == '{' && text[len - 1] == '}' && depth == 0 && !quoted && digits > 0;
}

static void stats_are_a_json_object_of_numbers(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    char *before = NULL;
    char *after = NULL;
    size_t before_len = 0;
    size_t after_len = 0;
    CHECK_OK(kstone_stats_json(db, &before, &before_len, &err));
    put_numbered(db, 0, 100, 0);
    CHECK_OK(kstone_stats_json(db, &after, &after_len, &err));
    CHECK_SIZE(before_len, strlen(before));
    CHECK_SIZE(after_len, strlen(after));
    CHECK(looks_like_a_json_object(before, before_len));
    CHECK(looks_like_a_json_object(after, after_len));
    CHECK(strcmp(before, after) != 0);
    CHECK_CONTAINS("100", after);
    kstone_free(before);
    kstone_free(after);
    kstone_free(db);
}

/* Items, pages and iterators hold what they need themselves. */
static void what_was_read_outlives_the_database(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(2);
    kstone_query_spec spec = scan_spec();
    kstone_item *item = NULL;
    kstone_page *page = NULL;
    kstone_iter *iter = NULL;
    const kstone_item *next = NULL;
    int64_t value = 0;
    size_t seen = 0;
    size_t i;
    put_numbered(db, 0, 100, 0);
    CHECK_OK(kstone_get(db, LIT("k00042"), NO_SK, &item, &err));
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    kstone_free(db);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
    CHECK_INT(42, value);
    CHECK_BYTES("k00042", kstone_item_pk(item));
    CHECK_SIZE(100, kstone_page_count(page));
    for (i = 0; i < kstone_page_count(page); i++) {
        CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(kstone_page_item(page, i), LIT("v"), &value));
    }
    while (kstone_iter_next(iter, &next, &err) == KSTONE_OK) {
        seen++;
    }
    CHECK_SIZE(100, seen);
    kstone_free(iter);
    kstone_free(page);
    kstone_free(item);
}

static void many_databases_open_and_close(void) {
    int i;
    for (i = 0; i < 200; i++) {
        kstone_db *db = open_database(0);
        put_number(db, "k", "s", i);
        CHECK_INT(i, get_number(db, "k", "s"));
        kstone_free(db);
    }
}

int main(void) {
    open_takes_null_options();
    databases_are_worlds_of_their_own();
    clear_removes_everything_and_the_database_goes_on();
    flush_and_compact_change_nothing_that_can_be_read();
    deleted_items_stay_deleted();
    overwriting_one_key_keeps_the_last();
    stats_are_a_json_object_of_numbers();
    what_was_read_outlives_the_database();
    many_databases_open_and_close();
    return check_report();
}
