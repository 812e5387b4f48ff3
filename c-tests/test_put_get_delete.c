/* Reading and writing single items: keys of every kind, exactness, overwriting, deleting. */
#include "support.h"

static void check_reads(const kstone_db *db, const void *pk, size_t pk_len, const void *sk, size_t sk_len,
                        int64_t expected) {
    kstone_error *err = NULL;
    kstone_item *item = NULL;
    int64_t value = 0;
    kstone_bytes found;
    CHECK_OK(kstone_get(db, pk, pk_len, sk, sk_len, &item, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
    CHECK_INT(expected, value);
    found = kstone_item_pk(item);
    CHECK_MEM(pk, pk_len, found.data, found.len);
    found = kstone_item_sk(item);
    CHECK_MEM(sk, sk_len, found.data, found.len);
    kstone_free(item);
}

static void keys_are_bytes(void) {
    static const struct {
        const char *pk;
        size_t pk_len;
        const char *sk;
        size_t sk_len;
    } KEYS[] = {
        {LIT("a"), NO_SK},          {LIT("a\0"), NO_SK},        {LIT("a\0\0"), NO_SK},      {LIT("\0"), NO_SK},
        {LIT("\0\0"), NO_SK},       {LIT("\0\1"), NO_SK},       {LIT("\0\xff"), NO_SK},     {LIT("\xff"), NO_SK},
        {LIT("\xff\xff"), NO_SK},   {LIT("\xff\0"), NO_SK},     {LIT("a"), LIT("\0")},      {LIT("a"), LIT("b")},
        {LIT("ab"), NO_SK},         {LIT("a"), LIT("\0\1")},    {LIT("a"), LIT("\xff\0")},  {LIT("a\0"), LIT("b")},
        {LIT("a"), LIT("\0b")},     {LIT("\0"), LIT("\0")},     {LIT("\0\0"), LIT("\0")},   {LIT("\0"), LIT("\0\0")},
        {LIT("h\xc3\xa9"), LIT("\xc3\xa9")}, {LIT("a b"), LIT("c d")},
    };
    const size_t count = sizeof KEYS / sizeof KEYS[0];
    kstone_error *err = NULL;
    kstone_db *db = open_database(2);
    kstone_item *item = kstone_item_new();
    size_t round;
    size_t i;
    for (i = 0; i < count; i++) {
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("v"), (int64_t)i));
        CHECK_OK(kstone_put(db, KEYS[i].pk, KEYS[i].pk_len, KEYS[i].sk, KEYS[i].sk_len, item, &err));
    }
    for (round = 0; round < 2; round++) {
        for (i = 0; i < count; i++) {
            check_reads(db, KEYS[i].pk, KEYS[i].pk_len, KEYS[i].sk, KEYS[i].sk_len, (int64_t)i);
        }
        CHECK_OK(kstone_flush(db, &err));
    }
    for (i = 0; i < count; i++) {
        kstone_item *gone = UNTOUCHED(kstone_item);
        CHECK_OK(kstone_delete(db, KEYS[i].pk, KEYS[i].pk_len, KEYS[i].sk, KEYS[i].sk_len, &err));
        CHECK_STATUS(KSTONE_NOT_FOUND,
                     kstone_get(db, KEYS[i].pk, KEYS[i].pk_len, KEYS[i].sk, KEYS[i].sk_len, &gone, &err));
        CHECK_UNTOUCHED(gone);
        if (i + 1 < count) {
            check_reads(db, KEYS[i + 1].pk, KEYS[i + 1].pk_len, KEYS[i + 1].sk, KEYS[i + 1].sk_len, (int64_t)i + 1);
        }
    }
    kstone_free(item);
    kstone_free(db);
}

static void empty_is_null_and_zero_or_a_pointer_and_zero(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = kstone_item_new();
    kstone_item *read = NULL;
    CHECK_OK(kstone_put(db, LIT("k"), "ignored", 0, item, &err));
    CHECK_OK(kstone_get(db, LIT("k"), NULL, 0, &read, &err));
    CHECK_EMPTY(kstone_item_sk(read));
    CHECK_SIZE(0, kstone_item_count(read));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put(db, "ignored", 0, NO_SK, item, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put(db, NULL, 0, LIT("s"), item, &err));
    kstone_free(read);
    kstone_free(item);
    kstone_free(db);
}

static void check_same_item(const kstone_item *expected, const kstone_item *found) {
    size_t i;
    CHECK_SIZE(kstone_item_count(expected), kstone_item_count(found));
    for (i = 0; i < kstone_item_count(expected); i++) {
        kstone_bytes names[2] = {{NULL, 0}, {NULL, 0}};
        kstone_value values[2] = {no_value(), no_value()};
        CHECK_STATUS(KSTONE_OK, kstone_item_at(expected, i, &names[0], &values[0]));
        CHECK_STATUS(KSTONE_OK, kstone_item_at(found, i, &names[1], &values[1]));
        CHECK_MEM(names[0].data, names[0].len, names[1].data, names[1].len);
        CHECK_INT(values[0].type, values[1].type);
        CHECK_MEM(values[0].bytes.data, values[0].bytes.len, values[1].bytes.data, values[1].bytes.len);
    }
}

static void an_item_comes_back_exactly_as_it_was_put(void) {
    static const char *const ITEMS[] = {
        "{}",
        "{\"a\":{\"S\":\"\"}}",
        "{\"s\":{\"S\":\"x\"},\"n\":{\"N\":\"1.5\"},\"b\":{\"B\":\"AP8=\"},\"t\":{\"BOOL\":true},"
        "\"f\":{\"BOOL\":false},"
        "\"z\":{\"NULL\":true},\"l\":{\"L\":[{\"L\":[]},{\"M\":{}}]},\"m\":{\"M\":{\"k\":{\"S\":\"v\"}}},"
        "\"ss\":{\"SS\":[\"a\",\"b\"]},\"ns\":{\"NS\":[\"1\",\"2\"]},\"bs\":{\"BS\":[\"AQ==\"]}}",
        /* The key among the attributes is kept where it is there, and not made up where it is not. */
        "{\"pk\":{\"S\":\"p\"}}",
        "{\"pk\":{\"S\":\"p\"},\"sk\":{\"S\":\"s\"},\"x\":{\"N\":\"1\"}}",
    };
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    size_t i;
    for (i = 0; i < sizeof ITEMS / sizeof ITEMS[0]; i++) {
        kstone_item *item = item_of(ITEMS[i]);
        kstone_item *read = NULL;
        CHECK_OK(kstone_put(db, LIT("p"), LIT("s"), item, &err));
        CHECK_OK(kstone_get(db, LIT("p"), LIT("s"), &read, &err));
        check_same_item(item, read);
        CHECK_BYTES("p", kstone_item_pk(read));
        CHECK_BYTES("s", kstone_item_sk(read));
        kstone_free(read);
        CHECK_OK(kstone_flush(db, &err));
        CHECK_OK(kstone_get(db, LIT("p"), LIT("s"), &read, &err));
        check_same_item(item, read);
        kstone_free(read);
        kstone_free(item);
    }
    kstone_free(db);
}

/* Attributes pk and sk are S where the key is UTF-8, otherwise B, and equal the key. */
static void key_attributes_must_equal_the_key(void) {
    static const struct {
        const char *pk;
        size_t pk_len;
        const char *sk;
        size_t sk_len;
        const char *item;
        kstone_status status;
    } CASES[] = {
        {LIT("p"), LIT("s"), "{\"pk\":{\"S\":\"p\"},\"sk\":{\"S\":\"s\"}}", KSTONE_OK},
        {LIT("p"), LIT("s"), "{\"pk\":{\"S\":\"q\"}}", KSTONE_ERR_INVALID},
        {LIT("p"), LIT("s"), "{\"sk\":{\"S\":\"t\"}}", KSTONE_ERR_INVALID},
        {LIT("p"), LIT("s"), "{\"pk\":{\"B\":\"cA==\"}}", KSTONE_OK},
        {LIT("p"), LIT("s"), "{\"pk\":{\"B\":\"cQ==\"}}", KSTONE_ERR_INVALID},
        {LIT("1"), NO_SK, "{\"pk\":{\"N\":\"1\"}}", KSTONE_ERR_INVALID},
        {LIT("p"), NO_SK, "{\"pk\":{\"NULL\":true}}", KSTONE_ERR_INVALID},
        {LIT("p"), NO_SK, "{\"sk\":{\"S\":\"s\"}}", KSTONE_ERR_INVALID},
        {LIT("p"), NO_SK, "{\"sk\":{\"S\":\"\"}}", KSTONE_ERR_INVALID},
        {LIT("\xff\1"), NO_SK, "{\"pk\":{\"B\":\"/wE=\"}}", KSTONE_OK},
        {LIT("\xff\1"), NO_SK, "{\"pk\":{\"B\":\"/wI=\"}}", KSTONE_ERR_INVALID},
        {LIT("p"), LIT("\xff"), "{\"sk\":{\"B\":\"/w==\"}}", KSTONE_OK},
        {LIT("p"), LIT("s"), "{\"a\":{\"M\":{\"pk\":{\"N\":\"1\"}}},\"PK\":{\"N\":\"2\"}}", KSTONE_OK},
    };
    kstone_error *err = NULL;
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        kstone_db *db = open_database(0);
        kstone_item *item = item_of(CASES[i].item);
        kstone_item *read = UNTOUCHED(kstone_item);
        CHECK_STATUS(CASES[i].status,
                     kstone_put(db, CASES[i].pk, CASES[i].pk_len, CASES[i].sk, CASES[i].sk_len, item, &err));
        support_free_error(&err);
        if (CASES[i].status == KSTONE_OK) {
            CHECK_OK(kstone_get(db, CASES[i].pk, CASES[i].pk_len, CASES[i].sk, CASES[i].sk_len, &read, &err));
            check_same_item(item, read);
            kstone_free(read);
        } else {
            CHECK_STATUS(KSTONE_NOT_FOUND,
                         kstone_get(db, CASES[i].pk, CASES[i].pk_len, CASES[i].sk, CASES[i].sk_len, &read, &err));
        }
        kstone_free(item);
        kstone_free(db);
    }
}

static void a_put_replaces_the_whole_item(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *first = item_of("{\"a\":{\"N\":\"1\"},\"b\":{\"N\":\"2\"}}");
    kstone_item *second = item_of("{\"b\":{\"S\":\"two\"}}");
    kstone_item *read = NULL;
    CHECK_OK(kstone_put(db, LIT("k"), NO_SK, first, &err));
    CHECK_OK(kstone_put(db, LIT("k"), NO_SK, second, &err));
    CHECK_OK(kstone_get(db, LIT("k"), NO_SK, &read, &err));
    check_same_item(second, read);
    kstone_free(read);
    kstone_free(first);
    kstone_free(second);
    kstone_free(db);
}

static void a_failed_put_changes_nothing(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *bad = item_of("{\"pk\":{\"S\":\"other\"}}");
    put_number(db, "k", "s", 7);
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put(db, LIT("k"), LIT("s"), bad, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put_json(db, LIT("k"), LIT("s"), LIT("{\"v\":"), 0, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put_json(db, LIT("k"), LIT("s"), LIT("{\"v\":{\"N\":\"x\"}}"), 0, &err));
    CHECK_INT(7, get_number(db, "k", "s"));
    kstone_free(bad);
    kstone_free(db);
}

static void deleting_what_is_not_there_is_fine(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    CHECK_OK(kstone_delete(db, LIT("never"), NO_SK, &err));
    put_number(db, "k", NULL, 1);
    put_number(db, "k", "s", 2);
    CHECK_OK(kstone_delete(db, LIT("k"), LIT("other"), &err));
    CHECK_OK(kstone_delete(db, LIT("k"), NO_SK, &err));
    CHECK_OK(kstone_delete(db, LIT("k"), NO_SK, &err));
    CHECK_INT(INT64_MIN, get_number(db, "k", NULL));
    CHECK_INT(2, get_number(db, "k", "s"));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_delete(db, NULL, 0, NO_SK, &err));
    CHECK_INT(2, get_number(db, "k", "s"));
    kstone_free(db);
}

static void an_item_that_was_read_can_be_put_under_another_key(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *read = NULL;
    put_number(db, "from", "s", 5);
    CHECK_OK(kstone_get(db, LIT("from"), LIT("s"), &read, &err));
    CHECK_OK(kstone_put(db, LIT("to"), NO_SK, read, &err));
    CHECK_INT(5, get_number(db, "to", NULL));
    CHECK_BYTES("from", kstone_item_pk(read));
    kstone_free(read);
    kstone_free(db);
}

static void a_read_item_keeps_its_bytes_while_the_database_moves_on(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(2);
    kstone_item *read = NULL;
    int64_t value = 0;
    int i;
    put_number(db, "k", "s", 1);
    CHECK_OK(kstone_get(db, LIT("k"), LIT("s"), &read, &err));
    for (i = 0; i < 100; i++) {
        put_number(db, "k", "s", 1000 + i);
    }
    CHECK_OK(kstone_delete(db, LIT("k"), LIT("s"), &err));
    CHECK_OK(kstone_compact(db, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(read, LIT("v"), &value));
    CHECK_INT(1, value);
    CHECK_BYTES("k", kstone_item_pk(read));
    kstone_free(read);
    kstone_free(db);
}

/* Reading copies no bytes of the item: the same item read twice is the same memory. */
static void a_read_copies_nothing(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *one = NULL;
    kstone_item *two = NULL;
    kstone_value first = no_value();
    kstone_value second = no_value();
    CHECK_OK(kstone_put_json(db, LIT("k"), NO_SK, LIT("{\"v\":\"a text\"}"), KSTONE_JSON_PLAIN, &err));
    CHECK_OK(kstone_get(db, LIT("k"), NO_SK, &one, &err));
    CHECK_OK(kstone_get(db, LIT("k"), NO_SK, &two, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_get(one, LIT("v"), &first));
    CHECK_STATUS(KSTONE_OK, kstone_item_get(two, LIT("v"), &second));
    CHECK_PTR(first.bytes.data, second.bytes.data);
    kstone_free(one);
    CHECK_BYTES("a text", second.bytes);
    kstone_free(two);
    kstone_free(db);
}

int main(void) {
    keys_are_bytes();
    empty_is_null_and_zero_or_a_pointer_and_zero();
    an_item_comes_back_exactly_as_it_was_put();
    key_attributes_must_equal_the_key();
    a_put_replaces_the_whole_item();
    a_failed_put_changes_nothing();
    deleting_what_is_not_there_is_fine();
    an_item_that_was_read_can_be_put_under_another_key();
    a_read_item_keeps_its_bytes_while_the_database_moves_on();
    a_read_copies_nothing();
    return check_report();
}
