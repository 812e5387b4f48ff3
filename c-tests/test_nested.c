/* Nested values: read member by member, and built member by member, without JSON. */
#include "support.h"

static kstone_value get(const kstone_item *item, const char *path) {
    kstone_value value = no_value();
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, path, KSTONE_STRLEN, &value));
    return value;
}

static const char *const everything =
    "{\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"two\"},{\"L\":[]},{\"M\":{\"deep\":{\"BOOL\":true}}},{\"NULL\":true}]},"
    "\"m\":{\"M\":{\"a.b\":{\"N\":\"7\"},\"c\":{\"SS\":[\"y\",\"x\"]},\"empty\":{\"M\":{}}}},"
    "\"n\":{\"NS\":[\"10\",\"9\",\"-1\"]},\"b\":{\"BS\":[\"AA==\",\"/w==\"]},\"s\":{\"S\":\"text\"}}";

static void check_reading(const kstone_item *item) {
    kstone_value list = get(item, "l");
    kstone_value map = get(item, "m");
    kstone_value set = get(item, "n");
    kstone_value out = no_value();
    kstone_bytes name = {NULL, 0};
    size_t position = 0;
    size_t steps = 0;
    CHECK_SIZE(5, kstone_value_count(&list));
    CHECK_SIZE(3, kstone_value_count(&map));
    CHECK_SIZE(3, kstone_value_count(&set));
    CHECK_STATUS(KSTONE_OK, kstone_value_at(&list, 1, &name, &out));
    CHECK_BYTES("two", out.bytes);
    CHECK_EMPTY(name);
    CHECK_STATUS(KSTONE_OK, kstone_value_at(&list, 2, NULL, &out));
    CHECK_INT(KSTONE_TYPE_L, out.type);
    CHECK_SIZE(0, kstone_value_count(&out));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_value_at(&out, 0, NULL, &out));
    CHECK_STATUS(KSTONE_OK, kstone_value_at(&list, 3, NULL, &out));
    CHECK_STATUS(KSTONE_OK, kstone_value_find(&out, LIT("deep"), &out));
    CHECK_INT(KSTONE_TYPE_BOOL, out.type);
    CHECK_BYTES("\1", out.bytes);
    CHECK_STATUS(KSTONE_OK, kstone_value_at(&map, 1, &name, &out));
    CHECK_BYTES("c", name);
    CHECK_INT(KSTONE_TYPE_SS, out.type);
    CHECK_STATUS(KSTONE_OK, kstone_value_at(&out, 0, &name, &out));
    CHECK_INT(KSTONE_TYPE_S, out.type);
    CHECK_BYTES("x", out.bytes);
    /* What a path cannot name. */
    CHECK_STATUS(KSTONE_OK, kstone_value_find(&map, LIT("a.b"), &out));
    CHECK_BYTES("7", out.bytes);
    CHECK_STATUS(KSTONE_OK, kstone_value_at(&set, 0, NULL, &out));
    CHECK_INT(KSTONE_TYPE_N, out.type);
    CHECK_BYTES("-1", out.bytes);
    set = get(item, "b");
    CHECK_STATUS(KSTONE_OK, kstone_value_at(&set, 1, NULL, &out));
    CHECK_INT(KSTONE_TYPE_B, out.type);
    CHECK_BYTES("\xff", out.bytes);
    while (kstone_value_next(&list, &position, &name, &out) == KSTONE_OK) {
        kstone_value same = no_value();
        CHECK_STATUS(KSTONE_OK, kstone_value_at(&list, steps, NULL, &same));
        CHECK_INT(same.type, out.type);
        CHECK_PTR(same.bytes.data, out.bytes.data);
        steps++;
    }
    CHECK_SIZE(5, steps);
    CHECK_SIZE(list.bytes.len, position);
    CHECK_STATUS(KSTONE_DONE, kstone_value_next(&list, &position, &name, &out));
    CHECK_SIZE(list.bytes.len, position);
}

static void values_of_every_kind_of_item_are_read(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *built = item_of(everything);
    kstone_item *found = NULL;
    kstone_page *page = NULL;
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    CHECK_OK(kstone_put(db, LIT("p"), NO_SK, built, &err));
    check_reading(built);
    CHECK_OK(kstone_get(db, LIT("p"), NO_SK, &found, &err));
    check_reading(found);
    CHECK_OK(kstone_scan(db, NULL, &page, &err));
    check_reading(kstone_page_item(page, 0));
    CHECK_OK(kstone_iter_open(db, NULL, &iter, &err));
    CHECK_OK(kstone_iter_next(iter, &item, &err));
    check_reading(item);
    kstone_free(db);
    check_reading(item);
    kstone_free(iter);
    kstone_free(page);
    kstone_free(found);
    kstone_free(built);
}

static void what_is_no_member_or_no_value_is_a_status(void) {
    kstone_item *item = item_of(everything);
    kstone_value list = get(item, "l");
    kstone_value map = get(item, "m");
    kstone_value text = get(item, "s");
    kstone_value out = no_value();
    kstone_value forged;
    kstone_bytes name = {NULL, 77};
    size_t position = 0;
    unsigned type;
    CHECK_SIZE(0, kstone_value_count(NULL));
    CHECK_SIZE(0, kstone_value_count(&text));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_value_at(NULL, 0, NULL, &out));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_value_at(&list, 0, NULL, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_value_find(NULL, LIT("a"), &out));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_value_find(&map, LIT("c"), NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_value_find(&map, NULL, 1, &out));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_value_next(&map, NULL, NULL, &out));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_value_next(NULL, &position, NULL, &out));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_value_next(&map, &position, NULL, NULL));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_value_at(&list, 5, &name, &out));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_value_at(&list, SIZE_MAX, &name, &out));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_value_find(&map, LIT("C"), &out));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_value_find(&map, NULL, 0, &out));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_value_find(&map, "\xff", 1, &out));
    CHECK_STATUS(KSTONE_ERR_TYPE, kstone_value_find(&list, LIT("a"), &out));
    CHECK_STATUS(KSTONE_ERR_TYPE, kstone_value_at(&text, 0, &name, &out));
    CHECK_STATUS(KSTONE_ERR_TYPE, kstone_value_find(&text, LIT("a"), &out));
    CHECK_STATUS(KSTONE_ERR_TYPE, kstone_value_next(&text, &position, &name, &out));
    position = list.bytes.len + 1;
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_value_next(&list, &position, NULL, &out));
    position = SIZE_MAX;
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_value_next(&list, &position, NULL, &out));
    CHECK_SIZE(SIZE_MAX, position);
    for (type = 0; type < 300; type += type == 0 ? 11 : 61) {
        forged = list;
        forged.type = type;
        CHECK_SIZE(0, kstone_value_count(&forged));
        CHECK_STATUS(KSTONE_ERR_INVALID, kstone_value_at(&forged, 0, NULL, &out));
    }
    forged = list;
    forged.reserved = 1;
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_value_at(&forged, 0, NULL, &out));
    forged = list;
    forged.bytes.len = SIZE_MAX;
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_value_at(&forged, 0, NULL, &out));
    forged = list;
    forged.bytes.data = NULL;
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_value_at(&forged, 0, NULL, &out));
    CHECK_SIZE(0, kstone_value_count(&forged));
    /* Bytes of one type read as another, and cut anywhere. */
    for (type = KSTONE_TYPE_L; type <= KSTONE_TYPE_BS; type++) {
        for (forged = map; forged.bytes.len > 0; forged.bytes.len--) {
            size_t i = 0;
            kstone_status status = KSTONE_OK;
            forged.type = type;
            while (status == KSTONE_OK) {
                status = kstone_value_at(&forged, i, &name, &out);
                i++;
            }
            CHECK(status == KSTONE_NOT_FOUND || status == KSTONE_ERR_INVALID);
            CHECK(kstone_value_count(&forged) <= i);
        }
    }
    CHECK_SIZE(0, no_value().type);
    kstone_free(item);
}

static void check_json(const char *expected, const kstone_item *item) {
    kstone_error *err = NULL;
    char *json = NULL;
    size_t len = 0;
    CHECK_OK(kstone_item_to_json(item, 0, &json, &len, &err));
    CHECK_STR(expected, json);
    kstone_free(json);
}

static void everything_is_built_as_json_says_it(void) {
    kstone_error *err = NULL;
    kstone_item *expected = item_of(everything);
    kstone_item *item = kstone_item_new();
    kstone_bytes a, b;
    int round;
    for (round = 0; round < 2; round++) {
        CHECK_OK(kstone_item_open(item, LIT("m"), KSTONE_TYPE_M, &err));
        CHECK_OK(kstone_item_open(item, LIT("empty"), KSTONE_TYPE_M, &err));
        CHECK_OK(kstone_item_close(item, &err));
        CHECK_OK(kstone_item_set_num(item, LIT("a.b"), "7.0", KSTONE_STRLEN, &err));
        CHECK_OK(kstone_item_open(item, LIT("c"), KSTONE_TYPE_SS, &err));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, NULL, 0, LIT("y")));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, "", 0, LIT("x")));
        CHECK_OK(kstone_item_close(item, &err));
        CHECK_OK(kstone_item_close(item, &err));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("s"), LIT("text")));
        CHECK_OK(kstone_item_open(item, LIT("l"), KSTONE_TYPE_L, &err));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, NULL, 0, 1));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, NULL, 0, LIT("two")));
        CHECK_OK(kstone_item_set_json(item, NULL, 0, LIT("[]"), KSTONE_JSON_PLAIN, &err));
        CHECK_OK(kstone_item_open(item, NULL, 0, KSTONE_TYPE_M, &err));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_bool(item, LIT("deep"), 0));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_bool(item, LIT("deep"), 1));
        CHECK_OK(kstone_item_close(item, &err));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_null(item, NULL, 0));
        CHECK_OK(kstone_item_close(item, &err));
        CHECK_OK(kstone_item_open(item, LIT("n"), KSTONE_TYPE_NS, &err));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_f64(item, NULL, 0, 10));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, NULL, 0, -1));
        CHECK_OK(kstone_item_set_num(item, NULL, 0, LIT("9"), &err));
        CHECK_OK(kstone_item_close(item, &err));
        CHECK_OK(kstone_item_open(item, LIT("b"), KSTONE_TYPE_BS, &err));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_bin(item, NULL, 0, "\xff", 1));
        CHECK_STATUS(KSTONE_OK, kstone_item_set_bin(item, NULL, 0, "\0", 1));
        CHECK_OK(kstone_item_close(item, &err));
        a = kstone_item_bytes(expected);
        b = kstone_item_bytes(item);
        CHECK_MEM(a.data, a.len, b.data, b.len);
    }
    kstone_free(expected);
    kstone_free(item);
}

static void unbalanced_use_is_refused_and_changes_nothing(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = kstone_item_new();
    kstone_value value = no_value();
    kstone_batch *batch = kstone_batch_new();
    char *json = UNTOUCHED(char);
    size_t len = 0;
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_close(item, &err));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_cancel(item));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_close(NULL, &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_cancel(NULL));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_open(NULL, LIT("n"), KSTONE_TYPE_L, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("kept"), 1));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("l"), 2));
    CHECK_OK(kstone_item_open(item, LIT("l"), KSTONE_TYPE_L, &err));
    /* An item with something open is not complete. */
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "kstone_item_close", kstone_put(db, LIT("p"), NO_SK, item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_if(db, LIT("p"), NO_SK, item, NULL, NULL, &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_put(batch, LIT("p"), NO_SK, item, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get(item, LIT("kept"), &value));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_remove(item, LIT("kept")));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_to_json(item, 0, &json, &len, &err));
    CHECK_NULL(kstone_item_clone(item));
    CHECK_SIZE(0, kstone_item_count(item));
    CHECK_EMPTY(kstone_item_bytes(item));
    CHECK_UNTOUCHED(json);
    CHECK_STATUS(KSTONE_OK, kstone_item_cancel(item));
    check_json("{\"kept\":{\"N\":\"1\"},\"l\":{\"N\":\"2\"}}", item);
    CHECK_OK(kstone_put(db, LIT("p"), NO_SK, item, &err));
    kstone_free(batch);
    kstone_free(item);
    /* One that was left open is freed as any other, and the next one begins empty. */
    item = kstone_item_new();
    CHECK_OK(kstone_item_open(item, LIT("l"), KSTONE_TYPE_L, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, NULL, 0, 1));
    kstone_free(item);
    item = kstone_item_new();
    CHECK_SIZE(0, kstone_item_count(item));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_close(item, &err));
    kstone_free(item);
    kstone_free(db);
}

static void members_that_have_no_place_are_refused_and_change_nothing(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = kstone_item_new();
    kstone_item *read = NULL;
    unsigned types[] = {0, KSTONE_TYPE_S, KSTONE_TYPE_N, KSTONE_TYPE_B, KSTONE_TYPE_BOOL, KSTONE_TYPE_NULL, 11, 262, ~0u};
    size_t i;
    put_number(db, "p", NULL, 1);
    CHECK_OK(kstone_get(db, LIT("p"), NO_SK, &read, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_open(read, LIT("n"), KSTONE_TYPE_L, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_close(read, &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_cancel(read));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_open((kstone_item *)(void *)db, LIT("n"), KSTONE_TYPE_L, &err));
    for (i = 0; i < sizeof types / sizeof *types; i++) {
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_open(item, LIT("n"), types[i], &err));
    }
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_open(item, NULL, 0, KSTONE_TYPE_L, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_open(item, "\xff", 1, KSTONE_TYPE_L, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_open(item, NULL, 3, KSTONE_TYPE_L, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_close(item, &err));
    CHECK_OK(kstone_item_open(item, LIT("m"), KSTONE_TYPE_M, &err));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_i64(item, NULL, 0, 1));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_str(item, LIT("n"), "\xff", 1));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_num(item, LIT("n"), LIT("one"), &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_open(item, NULL, 0, KSTONE_TYPE_L, &err));
    CHECK_OK(kstone_item_open(item, LIT("s"), KSTONE_TYPE_SS, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "may not be empty", kstone_item_close(item, &err));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_i64(item, NULL, 0, 1));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_str(item, LIT("name"), LIT("a")));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(item, NULL, 0, LIT("[1]"), KSTONE_JSON_PLAIN, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_open(item, NULL, 0, KSTONE_TYPE_SS, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, NULL, 0, LIT("a")));
    CHECK_OK(kstone_item_close(item, &err));
    CHECK_OK(kstone_item_close(item, &err));
    check_json("{\"m\":{\"M\":{\"s\":{\"SS\":[\"a\"]}}}}", item);
    CHECK_OK(kstone_item_open(item, LIT("twice"), KSTONE_TYPE_NS, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, NULL, 0, 1));
    CHECK_OK(kstone_item_set_num(item, NULL, 0, LIT("1.0"), &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "duplicates", kstone_item_close(item, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "twice", kstone_item_close(item, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_cancel(item));
    check_json("{\"m\":{\"M\":{\"s\":{\"SS\":[\"a\"]}}}}", item);
    kstone_free(read);
    kstone_free(item);
    kstone_free(db);
}

static void depth_and_size_end_where_json_does(void) {
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    static char large[100000];
    int level;
    int added = 0;
    memset(large, 'x', sizeof large);
    for (level = 0; level < 32; level++) {
        CHECK_OK(kstone_item_open(item, level == 0 ? "deep" : NULL, level == 0 ? 4 : 0, KSTONE_TYPE_L, &err));
    }
    CHECK_FAILS(KSTONE_ERR_LIMIT, kstone_item_open(item, NULL, 0, KSTONE_TYPE_M, &err));
    CHECK_FAILS(KSTONE_ERR_LIMIT, kstone_item_set_json(item, NULL, 0, LIT("[]"), KSTONE_JSON_PLAIN, &err));
    for (level = 0; level < 32; level++) {
        CHECK_OK(kstone_item_close(item, &err));
    }
    CHECK_OK(kstone_item_open(item, LIT("large"), KSTONE_TYPE_L, &err));
    while (kstone_item_set_str(item, NULL, 0, large, sizeof large) == KSTONE_OK && added < 100) {
        added++;
    }
    CHECK_INT(10, added);
    CHECK_STATUS(KSTONE_ERR_LIMIT, kstone_item_set_str(item, NULL, 0, large, sizeof large));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, NULL, 0, LIT("small")));
    CHECK_OK(kstone_item_close(item, &err));
    CHECK_OK(kstone_item_open(item, LIT("more"), KSTONE_TYPE_L, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, NULL, 0, large, sizeof large));
    CHECK_FAILS(KSTONE_ERR_LIMIT, kstone_item_close(item, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_cancel(item));
    CHECK_SIZE(2, kstone_item_count(item));
    kstone_free(item);
}

/* A name or value that was borrowed from the item that is built. */
static void what_is_borrowed_from_the_item_itself_can_be_added(void) {
    kstone_error *err = NULL;
    kstone_item *item = item_of("{\"name\":{\"S\":\"v\"}}");
    kstone_value value = get(item, "name");
    CHECK_OK(kstone_item_open(item, LIT("m"), KSTONE_TYPE_M, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, (const char *)value.bytes.data, value.bytes.len,
                                                (const char *)value.bytes.data, value.bytes.len));
    CHECK_OK(kstone_item_close(item, &err));
    check_json("{\"m\":{\"M\":{\"v\":{\"S\":\"v\"}}},\"name\":{\"S\":\"v\"}}", item);
    kstone_free(item);
}

int main(void) {
    values_of_every_kind_of_item_are_read();
    what_is_no_member_or_no_value_is_a_status();
    everything_is_built_as_json_says_it();
    unbalanced_use_is_refused_and_changes_nothing();
    members_that_have_no_place_are_refused_and_change_nothing();
    depth_and_size_end_where_json_does();
    what_is_borrowed_from_the_item_itself_can_be_added();
    return check_report();
}
