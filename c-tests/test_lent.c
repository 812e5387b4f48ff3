/*
 * What is borrowed from an item and given back to a call that changes the same item: names, values and paths. And what
 * a setter that fails leaves where it is. Valgrind and AddressSanitizer see what is read after it has moved.
 */
#include "support.h"

#define NAME_MAX_BYTES 65535
#define VALUE_BYTES (350 * 1024)

/* The name and value of attribute i. */
static void lend(const kstone_item *item, size_t i, kstone_bytes *name, kstone_value *value) {
    CHECK_STATUS(KSTONE_OK, kstone_item_at(item, i, name, value));
}

/* {"a":"text","b":"12","c":"[1,\"x\"]"}, so small that any addition moves it. */
static kstone_item *lender(void) {
    kstone_item *item = kstone_item_new();
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("a"), LIT("text")));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("b"), LIT("12")));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("c"), LIT("[1,\"x\"]")));
    return item;
}

static void check_value(const kstone_item *item, const char *path, uint32_t type, const char *text) {
    kstone_value value = no_value();
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, path, KSTONE_STRLEN, &value));
    CHECK_INT(type, value.type);
    CHECK_MEM(text, strlen(text), value.bytes.data, value.bytes.len);
}

static const char *chars(kstone_bytes bytes) {
    return (const char *)bytes.data;
}

/* Each setter with a value of the same item. */
static void a_value_of_the_item_may_be_set_in_it(void) {
    kstone_error *err = NULL;
    kstone_bytes name;
    kstone_value value;
    kstone_item *item = lender();
    lend(item, 0, &name, &value);
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("z"), chars(value.bytes), value.bytes.len));
    lend(item, 0, &name, &value);
    CHECK_STATUS(KSTONE_OK, kstone_item_set_bin(item, LIT("y"), value.bytes.data, value.bytes.len));
    lend(item, 1, &name, &value);
    CHECK_OK(kstone_item_set_num(item, LIT("x"), chars(value.bytes), value.bytes.len, &err));
    lend(item, 2, &name, &value);
    CHECK_OK(kstone_item_set_json(item, LIT("w"), chars(value.bytes), value.bytes.len, KSTONE_JSON_PLAIN, &err));
    check_value(item, "w[1]", KSTONE_TYPE_S, "x");
    check_value(item, "x", KSTONE_TYPE_N, "12");
    check_value(item, "y", KSTONE_TYPE_B, "text");
    check_value(item, "z", KSTONE_TYPE_S, "text");
    /* In the place of itself. */
    lend(item, 2, &name, &value);
    CHECK_OK(kstone_item_set_json(item, chars(name), name.len, chars(value.bytes), value.bytes.len, KSTONE_JSON_PLAIN,
                                  &err));
    check_value(item, "c[0]", KSTONE_TYPE_N, "1");
    kstone_free(item);
}

/* Each setter with a name of the same item, and the removal of the attribute that lends its name. */
static void a_name_of_the_item_may_name_what_is_changed(void) {
    kstone_error *err = NULL;
    kstone_bytes name;
    kstone_value value;
    int round;
    kstone_item *item = lender();
    for (round = 0; round < 7; round++) {
        kstone_status status = KSTONE_ERR_MISUSE;
        lend(item, (size_t)round % 3, &name, &value);
        switch (round) {
        case 0:
            status = kstone_item_set_str(item, chars(name), name.len, LIT("a longer text than before"));
            break;
        case 1:
            status = kstone_item_set_num(item, chars(name), name.len, LIT("123456789012345678901234567890"), &err);
            break;
        case 2:
            status = kstone_item_set_bin(item, chars(name), name.len, LIT("longer bytes than before"));
            break;
        case 3:
            status = kstone_item_set_i64(item, chars(name), name.len, INT64_MIN);
            break;
        case 4:
            status = kstone_item_set_f64(item, chars(name), name.len, 0.1);
            break;
        case 5:
            status = kstone_item_set_bool(item, chars(name), name.len, 1);
            break;
        default:
            status = kstone_item_set_null(item, chars(name), name.len);
            break;
        }
        CHECK_STATUS(KSTONE_OK, status);
        CHECK_SIZE(3, kstone_item_count(item));
    }
    check_value(item, "b", KSTONE_TYPE_N, "0.1");
    lend(item, 0, &name, &value);
    CHECK_STATUS(KSTONE_OK, kstone_item_remove(item, chars(name), name.len));
    lend(item, 0, &name, &value);
    CHECK_BYTES("b", name);
    CHECK_STATUS(KSTONE_OK, kstone_item_remove(item, chars(name), name.len));
    lend(item, 0, &name, &value);
    CHECK_BYTES("c", name);
    CHECK_STATUS(KSTONE_OK, kstone_item_remove(item, chars(name), name.len));
    CHECK_SIZE(0, kstone_item_count(item));
    kstone_free(item);
}

/* A path, a key, an expression and a bag's values may be lent by the item that is put, and by one that was read. */
static void lent_bytes_serve_as_every_other_input(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = lender();
    kstone_item *found = NULL;
    kstone_bytes name;
    kstone_value value;
    kstone_value again = no_value();
    lend(item, 0, &name, &value);
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, chars(name), name.len, &again));
    CHECK_OK(kstone_put(db, value.bytes.data, value.bytes.len, name.data, name.len, item, &err));
    CHECK_OK(kstone_get(db, value.bytes.data, value.bytes.len, name.data, name.len, &found, &err));
    CHECK_BYTES("text", kstone_item_pk(found));
    /* Of the item that was read into the built one, and back under a key that it lends. */
    lend(found, 2, &name, &value);
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, chars(name), name.len, chars(value.bytes), value.bytes.len));
    CHECK_OK(kstone_put(db, kstone_item_pk(found).data, kstone_item_pk(found).len, NO_SK, found, &err));
    CHECK_OK(kstone_delete(db, kstone_item_pk(found).data, kstone_item_pk(found).len, kstone_item_sk(found).data,
                           kstone_item_sk(found).len, &err));
    check_value(found, "a", KSTONE_TYPE_S, "text");
    kstone_free(found);
    kstone_free(item);
    kstone_free(db);
}

/* Attributes a and b, which nearly fill what an item may take while it is built. */
static kstone_item *large_item(const char *big) {
    kstone_item *item = kstone_item_new();
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("a"), big, VALUE_BYTES));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("b"), big, VALUE_BYTES));
    return item;
}

/* A setter that fails leaves what was borrowed where it is. */
static void what_was_borrowed_stays_where_a_setter_fails(void) {
    kstone_error *err = NULL;
    char *big = malloc(VALUE_BYTES);
    char *long_name = malloc(NAME_MAX_BYTES + 1);
    kstone_item *item;
    kstone_value before;
    kstone_value after = no_value();
    kstone_bytes name;
    CHECK(big != NULL && long_name != NULL);
    memset(big, 'x', VALUE_BYTES);
    memset(long_name, 'n', NAME_MAX_BYTES + 1);
    item = large_item(big);
    lend(item, 1, &name, &before);
    CHECK_STATUS(KSTONE_ERR_LIMIT, kstone_item_set_str(item, LIT("c"), big, VALUE_BYTES));
    CHECK_STATUS(KSTONE_ERR_LIMIT, kstone_item_set_bin(item, LIT("c"), big, VALUE_BYTES));
    CHECK_STATUS(KSTONE_ERR_LIMIT, kstone_item_set_null(item, long_name, NAME_MAX_BYTES + 1));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_i64(item, NULL, 0, 1));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_str(item, LIT("c"), LIT("\xff")));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_num(item, LIT("c"), LIT("x"), &err));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_f64(item, LIT("c"), 1e300));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(item, LIT("c"), LIT("{"), 0, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(item, LIT("c"), LIT("1"), 0x80, &err));
    big[0] = big[VALUE_BYTES - 1] = '"';
    CHECK_FAILS(KSTONE_ERR_LIMIT,
                kstone_item_set_json(item, LIT("c"), big, VALUE_BYTES, KSTONE_JSON_PLAIN, &err));
    /* Also with the borrowed bytes themselves. */
    CHECK_STATUS(KSTONE_ERR_LIMIT, kstone_item_set_str(item, LIT("c"), chars(before.bytes), before.bytes.len));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_remove(item, LIT("c")));
    CHECK(before.bytes.len == VALUE_BYTES && before.bytes.data[0] == 'x' && before.bytes.data[VALUE_BYTES - 1] == 'x');
    CHECK_BYTES("b", name);
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("b"), &after));
    CHECK(before.bytes.data == after.bytes.data);
    CHECK_SIZE(2, kstone_item_count(item));
    kstone_free(item);
    free(long_name);
    free(big);
}

int main(void) {
    a_value_of_the_item_may_be_set_in_it();
    a_name_of_the_item_may_name_what_is_changed();
    lent_bytes_serve_as_every_other_input();
    what_was_borrowed_stays_where_a_setter_fails();
    return check_report();
}
