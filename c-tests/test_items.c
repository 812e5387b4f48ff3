/* Items by themselves: setting, reading by path and by position, cloning, the stored form. */
#include "support.h"

#include <math.h>

/* Every one of the ten types, in the order of the names. */
static const char TEN_TYPES[] =
    "{\"a_s\":{\"S\":\"text\"},\"b_n\":{\"N\":\"-12.50\"},\"c_b\":{\"B\":\"AAH/\"},\"d_bool\":{\"BOOL\":true},"
    "\"e_null\":{\"NULL\":true},\"f_l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"a\"},{\"L\":[]}]},"
    "\"g_m\":{\"M\":{\"y\":{\"N\":\"2\"},\"x\":{\"S\":\"b\"},\"z\":{\"L\":[{\"M\":{\"deep\":{\"BOOL\":false}}}]}}},"
    "\"h_ss\":{\"SS\":[\"b\",\"a\"]},\"i_ns\":{\"NS\":[\"10\",\"9\",\"-1.0\"]},\"j_bs\":{\"BS\":[\"Ag==\",\"AQ==\"]}}";

static kstone_value value_at(const kstone_item *item, const char *path) {
    kstone_value value = no_value();
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, path, KSTONE_STRLEN, &value));
    CHECK_INT(0, value.reserved);
    return value;
}

static void check_text(const kstone_item *item, const char *path, uint32_t type, const char *text) {
    kstone_value value = value_at(item, path);
    CHECK_INT(type, value.type);
    CHECK_MEM(text, strlen(text), value.bytes.data, value.bytes.len);
}

static void a_new_item_is_empty(void) {
    kstone_item *item = kstone_item_new();
    kstone_value value = no_value();
    kstone_bytes name = {NULL, 0};
    CHECK_SIZE(0, kstone_item_count(item));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("a"), &value));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_remove(item, LIT("a")));
    CHECK(kstone_item_at(item, 0, &name, &value) != KSTONE_OK);
    CHECK_INT(0, value.type);
    CHECK_EMPTY(kstone_item_pk(item));
    CHECK_EMPTY(kstone_item_sk(item));
    kstone_free(item);
}

static void scalars_are_set_and_read_back(void) {
    static const unsigned char BINARY[] = {0, 255, 0, 1};
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    kstone_value value;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("s"), LIT("h\xc3\xa9llo")));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("s0"), NULL, 0));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("snul"), LIT("a\0b")));
    CHECK_OK(kstone_item_set_num(item, LIT("n"), LIT("007.500"), &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("i"), -42));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_f64(item, LIT("f"), 0.1));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_bin(item, LIT("b"), BINARY, sizeof BINARY));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_bin(item, LIT("b0"), NULL, 0));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_bool(item, LIT("yes"), 1));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_bool(item, LIT("no"), 0));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_bool(item, LIT("any"), -7));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_null(item, LIT("null")));
    CHECK_SIZE(12, kstone_item_count(item));

    check_text(item, "s", KSTONE_TYPE_S, "h\xc3\xa9llo");
    check_text(item, "n", KSTONE_TYPE_N, "7.5");
    check_text(item, "i", KSTONE_TYPE_N, "-42");
    check_text(item, "f", KSTONE_TYPE_N, "0.1");
    value = value_at(item, "s0");
    CHECK_INT(KSTONE_TYPE_S, value.type);
    CHECK_EMPTY(value.bytes);
    value = value_at(item, "snul");
    CHECK_BYTES("a\0b", value.bytes);
    value = value_at(item, "b");
    CHECK_INT(KSTONE_TYPE_B, value.type);
    CHECK_MEM(BINARY, sizeof BINARY, value.bytes.data, value.bytes.len);
    value = value_at(item, "b0");
    CHECK_INT(KSTONE_TYPE_B, value.type);
    CHECK_EMPTY(value.bytes);
    value = value_at(item, "yes");
    CHECK_INT(KSTONE_TYPE_BOOL, value.type);
    CHECK_BYTES("\1", value.bytes);
    CHECK_BYTES("\0", value_at(item, "no").bytes);
    CHECK_BYTES("\1", value_at(item, "any").bytes);
    value = value_at(item, "null");
    CHECK_INT(KSTONE_TYPE_NULL, value.type);
    CHECK_EMPTY(value.bytes);
    kstone_free(item);
}

static void lengths_may_be_left_to_the_nul(void) {
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    int64_t number = 0;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, "s", KSTONE_STRLEN, "text", KSTONE_STRLEN));
    CHECK_OK(kstone_item_set_num(item, "n", KSTONE_STRLEN, "12", KSTONE_STRLEN, &err));
    CHECK_OK(kstone_item_set_json(item, "l", KSTONE_STRLEN, "[1,2]", KSTONE_STRLEN, KSTONE_JSON_PLAIN, &err));
    check_text(item, "s", KSTONE_TYPE_S, "text");
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, "n", KSTONE_STRLEN, &number));
    CHECK_INT(12, number);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, "l[1]", KSTONE_STRLEN, &number));
    CHECK_INT(2, number);
    CHECK_STATUS(KSTONE_OK, kstone_item_remove(item, "s", KSTONE_STRLEN));
    CHECK_SIZE(2, kstone_item_count(item));
    kstone_free(item);
}

static void setting_again_replaces_value_and_type(void) {
    kstone_item *item = kstone_item_new();
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("a"), LIT("first")));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("b"), 1));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("a"), 2));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("a"), LIT("a longer text than the first")));
    CHECK_SIZE(2, kstone_item_count(item));
    check_text(item, "a", KSTONE_TYPE_S, "a longer text than the first");
    CHECK_STATUS(KSTONE_OK, kstone_item_set_null(item, LIT("a")));
    CHECK_INT(KSTONE_TYPE_NULL, value_at(item, "a").type);
    check_text(item, "b", KSTONE_TYPE_N, "1");
    kstone_free(item);
}

static void removing_leaves_the_others(void) {
    kstone_item *item = kstone_item_new();
    kstone_value value = no_value();
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("a"), 1));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("b"), 2));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("c"), 3));
    CHECK_STATUS(KSTONE_OK, kstone_item_remove(item, LIT("b")));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_remove(item, LIT("b")));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("b"), &value));
    CHECK_INT(0, value.type);
    CHECK_SIZE(2, kstone_item_count(item));
    check_text(item, "a", KSTONE_TYPE_N, "1");
    check_text(item, "c", KSTONE_TYPE_N, "3");
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("b"), 4));
    check_text(item, "b", KSTONE_TYPE_N, "4");
    CHECK_STATUS(KSTONE_OK, kstone_item_remove(item, LIT("a")));
    CHECK_STATUS(KSTONE_OK, kstone_item_remove(item, LIT("b")));
    CHECK_STATUS(KSTONE_OK, kstone_item_remove(item, LIT("c")));
    CHECK_SIZE(0, kstone_item_count(item));
    kstone_free(item);
}

/* Attributes come in the order of the bytes of their names, however they were set. */
static void attributes_come_in_name_order(void) {
    static const char *const NAMES[] = {"b", "a", "aa", "B", "\xc3\xa4", "z", "a"};
    static const char *const ORDER[] = {"B", "a", "aa", "b", "z", "\xc3\xa4"};
    kstone_item *item = kstone_item_new();
    kstone_bytes name = {NULL, 0};
    kstone_value value = no_value();
    size_t i;
    for (i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, NAMES[i], KSTONE_STRLEN, (int64_t)i));
    }
    CHECK_SIZE(6, kstone_item_count(item));
    for (i = 0; i < sizeof ORDER / sizeof ORDER[0]; i++) {
        CHECK_STATUS(KSTONE_OK, kstone_item_at(item, i, &name, &value));
        CHECK_MEM(ORDER[i], strlen(ORDER[i]), name.data, name.len);
        CHECK_INT(KSTONE_TYPE_N, value.type);
    }
    check_text(item, "a", KSTONE_TYPE_N, "6");
    kstone_free(item);
}

static void positions_past_the_end_write_nothing(void) {
    kstone_item *item = item_of("{\"a\":{\"N\":\"1\"}}");
    kstone_bytes name = {(const uint8_t *)UNTOUCHED(char), 77};
    kstone_value value = no_value();
    value.type = 77;
    CHECK(kstone_item_at(item, 1, &name, &value) != KSTONE_OK);
    CHECK(kstone_item_at(item, SIZE_MAX, &name, &value) != KSTONE_OK);
    CHECK_INT(77, value.type);
    CHECK_SIZE(77, name.len);
    CHECK_UNTOUCHED(name.data);
    kstone_free(item);
}

static void all_ten_types_are_read(void) {
    static const uint32_t TYPES[] = {KSTONE_TYPE_S, KSTONE_TYPE_N, KSTONE_TYPE_B,  KSTONE_TYPE_BOOL, KSTONE_TYPE_NULL,
                                     KSTONE_TYPE_L, KSTONE_TYPE_M, KSTONE_TYPE_SS, KSTONE_TYPE_NS,   KSTONE_TYPE_BS};
    kstone_item *item = item_of(TEN_TYPES);
    kstone_bytes name = {NULL, 0};
    kstone_value value = no_value();
    size_t i;
    CHECK_SIZE(10, kstone_item_count(item));
    for (i = 0; i < 10; i++) {
        CHECK_STATUS(KSTONE_OK, kstone_item_at(item, i, &name, &value));
        CHECK_INT(TYPES[i], value.type);
        CHECK_INT((int)i + 'a', name.data[0]);
    }
    check_text(item, "a_s", KSTONE_TYPE_S, "text");
    check_text(item, "b_n", KSTONE_TYPE_N, "-12.5");
    CHECK_BYTES("\0\1\xff", value_at(item, "c_b").bytes);
    kstone_free(item);
}

/* The stored form, version 1, byte for byte: bindings read it. A value is type, payload length, payload. */
static void documents_and_sets_are_in_the_stored_form(void) {
    kstone_item *item = item_of(TEN_TYPES);
    CHECK_BYTES("\x02\x01" "1" "\x01\x01" "a" "\x06\x00", value_at(item, "f_l").bytes);
    /* Entries of a map are ordered by name; each is name length, name, value. */
    CHECK_BYTES("\x01" "x" "\x01\x01" "b" "\x01" "y" "\x02\x01" "2" "\x01" "z" "\x06\x0a" "\x07\x08" "\x04" "deep"
                "\x04\x01\x00",
                value_at(item, "g_m").bytes);
    CHECK_BYTES("\x01" "a" "\x01" "b", value_at(item, "h_ss").bytes);
    /* Numbers of a set are ordered as numbers and written canonically. */
    CHECK_BYTES("\x02" "-1" "\x01" "9" "\x02" "10", value_at(item, "i_ns").bytes);
    CHECK_BYTES("\x01\x01\x01\x02", value_at(item, "j_bs").bytes);
    CHECK_EMPTY(value_at(item, "f_l[2]").bytes);
    kstone_free(item);
}

static void paths_lead_into_lists_and_maps(void) {
    kstone_item *item = item_of(TEN_TYPES);
    kstone_value value = no_value();
    check_text(item, "f_l[0]", KSTONE_TYPE_N, "1");
    check_text(item, "f_l[1]", KSTONE_TYPE_S, "a");
    check_text(item, "g_m.x", KSTONE_TYPE_S, "b");
    check_text(item, "g_m.y", KSTONE_TYPE_N, "2");
    CHECK_INT(KSTONE_TYPE_M, value_at(item, "g_m.z[0]").type);
    CHECK_BYTES("\0", value_at(item, "g_m.z[0].deep").bytes);
    value.type = 77;
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("absent"), &value));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("f_l[3]"), &value));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("f_l[99999]"), &value));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("g_m.absent"), &value));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("g_m.x.further"), &value));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("a_s[0]"), &value));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, LIT("h_ss[0]"), &value));
    CHECK_INT(77, value.type);
    kstone_free(item);
}

static void malformed_paths_are_refused(void) {
    static const char *const BAD[] = {"f_l[", "f_l[]", "f_l[x]", "f_l[-1]", "g_m.", ".g_m", "g_m..x", "f_l[0", "[0]"};
    kstone_item *item = item_of(TEN_TYPES);
    kstone_value value = no_value();
    size_t i;
    value.type = 77;
    for (i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        kstone_status status = kstone_item_get(item, BAD[i], KSTONE_STRLEN, &value);
        CHECK(status == KSTONE_ERR_INVALID || status == KSTONE_NOT_FOUND);
    }
    CHECK_INT(77, value.type);
    kstone_free(item);
}

static void integers_keep_every_bit(void) {
    static const int64_t VALUES[] = {0, 1, -1, 10, -100, 9007199254740993, INT64_MAX, INT64_MIN};
    kstone_item *item = kstone_item_new();
    size_t i;
    for (i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        int64_t found = 77;
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("i"), VALUES[i]));
        CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("i"), &found));
        CHECK_INT(VALUES[i], found);
    }
    check_text(item, "i", KSTONE_TYPE_N, "-9223372036854775808");
    kstone_free(item);
}

static void doubles_come_back_as_they_were(void) {
    static const double VALUES[] = {0.0, 1.0, -1.5, 0.1, 1.0 / 3.0, 1e22, 123456789.125, 1e-100, -2.5e120, 5e-130};
    kstone_item *item = kstone_item_new();
    size_t i;
    for (i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        double found = 77;
        CHECK_STATUS(KSTONE_OK, kstone_item_set_f64(item, LIT("f"), VALUES[i]));
        CHECK_STATUS(KSTONE_OK, kstone_item_get_f64(item, LIT("f"), &found));
        CHECK_F64(VALUES[i], found);
    }
    kstone_free(item);
}

static void doubles_that_are_no_number_of_dynamodb_are_refused(void) {
    static const double VALUES[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 1e126, -1e300, 1e-131, 5e-324};
    kstone_item *item = kstone_item_new();
    size_t i;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("f"), 3));
    for (i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_f64(item, LIT("f"), VALUES[i]));
    }
    check_text(item, "f", KSTONE_TYPE_N, "3");
    kstone_free(item);
}

static void typed_getters_refuse_what_does_not_fit(void) {
    kstone_error *err = NULL;
    kstone_item *item = item_of(TEN_TYPES);
    int64_t integer = 77;
    double number = 77;
    CHECK_OK(kstone_item_set_num(item, LIT("big"), LIT("9223372036854775808"), &err));
    CHECK_OK(kstone_item_set_num(item, LIT("max"), LIT("9223372036854775807.0"), &err));
    CHECK_OK(kstone_item_set_num(item, LIT("e"), LIT("12e2"), &err));
    CHECK_STATUS(KSTONE_ERR_TYPE, kstone_item_get_i64(item, LIT("a_s"), &integer));
    CHECK_STATUS(KSTONE_ERR_TYPE, kstone_item_get_i64(item, LIT("b_n"), &integer));
    CHECK_STATUS(KSTONE_ERR_TYPE, kstone_item_get_i64(item, LIT("big"), &integer));
    CHECK_STATUS(KSTONE_ERR_TYPE, kstone_item_get_i64(item, LIT("d_bool"), &integer));
    CHECK_STATUS(KSTONE_ERR_TYPE, kstone_item_get_f64(item, LIT("a_s"), &number));
    CHECK_STATUS(KSTONE_ERR_TYPE, kstone_item_get_f64(item, LIT("i_ns"), &number));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get_i64(item, LIT("absent"), &integer));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get_f64(item, LIT("g_m.absent"), &number));
    CHECK_INT(77, integer);
    CHECK_F64(77, number);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("max"), &integer));
    CHECK_INT(INT64_MAX, integer);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("e"), &integer));
    CHECK_INT(1200, integer);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("g_m.y"), &integer));
    CHECK_INT(2, integer);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_f64(item, LIT("b_n"), &number));
    CHECK_F64(-12.5, number);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_f64(item, LIT("big"), &number));
    CHECK_F64(9223372036854775808.0, number);
    kstone_free(item);
}

static void values_are_set_from_json(void) {
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    CHECK_OK(kstone_item_set_json(item, LIT("n"), LIT("{\"N\":\"30\"}"), 0, &err));
    CHECK_OK(kstone_item_set_json(item, LIT("p"), LIT("30"), KSTONE_JSON_PLAIN, &err));
    CHECK_OK(kstone_item_set_json(item, LIT("m"), LIT("{\"a\":[true,null,\"x\"]}"), KSTONE_JSON_PLAIN, &err));
    CHECK_OK(kstone_item_set_json(item, LIT("ss"), LIT("{\"SS\":[\"a\"]}"), 0, &err));
    check_text(item, "n", KSTONE_TYPE_N, "30");
    check_text(item, "p", KSTONE_TYPE_N, "30");
    CHECK_INT(KSTONE_TYPE_NULL, value_at(item, "m.a[1]").type);
    CHECK_INT(KSTONE_TYPE_SS, value_at(item, "ss").type);
    /* A set that fails changes nothing. */
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(item, LIT("n"), LIT("{\"N\":\"x\"}"), 0, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(item, LIT("n"), LIT("{\"SS\":[]}"), 0, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(item, LIT("n"), LIT("{\"SS\":[\"a\",\"a\"]}"), 0, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(item, LIT("n"), LIT("{\"NS\":[\"1\",\"1.0\"]}"), 0, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(item, LIT("new"), LIT("30"), 0, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(item, LIT("new"), LIT("30"), 2u, &err));
    check_text(item, "n", KSTONE_TYPE_N, "30");
    CHECK_SIZE(4, kstone_item_count(item));
    kstone_free(item);
}

static void names_and_texts_must_be_utf8(void) {
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_str(item, LIT("\xff"), LIT("v")));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_str(item, LIT("n"), LIT("\xc3")));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_str(item, LIT("n"), LIT("\xed\xa0\x80"))); /* a surrogate */
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_i64(item, LIT("a\x80"), 1));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_num(item, LIT("n"), LIT("1\xff"), &err));
    CHECK_SIZE(0, kstone_item_count(item));
    kstone_free(item);
}

static void an_attribute_needs_a_name(void) {
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_str(item, NULL, 0, LIT("v")));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_i64(item, LIT(""), 1));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_num(item, NULL, 0, LIT("1"), &err));
    CHECK_SIZE(0, kstone_item_count(item));
    kstone_free(item);
}

static void inputs_are_copied(void) {
    kstone_item *item = kstone_item_new();
    char name[] = "name";
    char text[] = "text";
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, name, 4, text, 4));
    memset(name, 'x', 4);
    memset(text, 'x', 4);
    check_text(item, "name", KSTONE_TYPE_S, "text");
    kstone_free(item);
}

static void an_item_that_was_read_cannot_be_changed_but_cloned(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *read = NULL;
    kstone_item *clone;
    kstone_item *again;
    put_number(db, "k", "s", 1);
    CHECK_OK(kstone_get(db, LIT("k"), LIT("s"), &read, &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_str(read, LIT("v"), LIT("x")));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_set_num(read, LIT("v"), LIT("1"), &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_i64(read, LIT("v"), 2));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_f64(read, LIT("v"), 2));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_bin(read, LIT("v"), LIT("x")));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_bool(read, LIT("v"), 1));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_null(read, LIT("v")));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_set_json(read, LIT("v"), LIT("1"), KSTONE_JSON_PLAIN, &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_remove(read, LIT("v")));
    check_text(read, "v", KSTONE_TYPE_N, "1");

    clone = kstone_item_clone(read);
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(clone, LIT("v"), 2));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(clone, LIT("w"), 3));
    check_text(clone, "v", KSTONE_TYPE_N, "2");
    check_text(read, "v", KSTONE_TYPE_N, "1");
    again = kstone_item_clone(clone);
    kstone_free(clone);
    CHECK_SIZE(2, kstone_item_count(again));
    CHECK_SIZE(1, kstone_item_count(read));
    CHECK_INT(1, get_number(db, "k", "s"));
    CHECK_OK(kstone_put(db, LIT("k"), LIT("s"), again, &err));
    CHECK_INT(2, get_number(db, "k", "s"));
    /* What was read stays as it was when it was read. */
    check_text(read, "v", KSTONE_TYPE_N, "1");
    kstone_free(again);
    kstone_free(read);
    kstone_free(db);
}

static void an_item_may_be_put_and_changed_and_put_again(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = kstone_item_new();
    int i;
    for (i = 0; i < 10; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("v"), i));
        CHECK_OK(kstone_put(db, key, 2, NO_SK, item, &err));
    }
    kstone_free(item);
    CHECK_INT(0, get_number(db, "k0", NULL));
    CHECK_INT(9, get_number(db, "k9", NULL));
    kstone_free(db);
}

/* Borrowed bytes hold until the item is changed: reading it in any way, also a first time after setting names out of
 * order, does not move them. */
static void borrowed_values_stay_while_the_item_is_read(void) {
    static const char TEXT[] = "a text that is long enough to be worth moving";
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = kstone_item_new();
    kstone_value value = no_value();
    kstone_value again = no_value();
    kstone_bytes name = {NULL, 0};
    char *json = NULL;
    size_t len = 0;
    int i;
    for (i = 40; i > 0; i--) {
        char text[16];
        snprintf(text, sizeof text, "n%02d", i);
        CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, text, KSTONE_STRLEN, LIT(TEXT)));
    }
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("n40"), &value));
    CHECK_SIZE(40, kstone_item_count(item));
    CHECK_STATUS(KSTONE_OK, kstone_item_at(item, 39, &name, &again));
    CHECK_PTR(value.bytes.data, again.bytes.data);
    CHECK_OK(kstone_item_to_json(item, 0, &json, &len, &err));
    CHECK_OK(kstone_put(db, LIT("k"), NO_SK, item, &err));
    kstone_free(kstone_item_clone(item));
    CHECK_BYTES("n40", name);
    CHECK_BYTES("a text that is long enough to be worth moving", value.bytes);
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("n40"), &again));
    CHECK_PTR(value.bytes.data, again.bytes.data);
    kstone_free(json);
    kstone_free(item);
    kstone_free(db);
}

/* A path as deep as one likes to write it costs no stack. */
static void endless_paths_lead_nowhere(void) {
    enum { LENGTH = 300001 };
    kstone_item *item = item_of(TEN_TYPES);
    kstone_value value = no_value();
    char *path = (char *)malloc(LENGTH);
    int i;
    path[0] = 'a';
    for (i = 1; i < LENGTH; i += 3) {
        memcpy(path + i, "[0]", 3);
    }
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, path, LENGTH, &value));
    for (i = 0; i < LENGTH; i++) {
        path[i] = i % 2 == 0 ? 'a' : '.';
    }
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_item_get(item, path, LENGTH, &value));
    CHECK(kstone_item_get(item, LIT("f_l[99999999999999999999999999]"), &value) != KSTONE_OK);
    CHECK_INT(0, value.type);
    free(path);
    kstone_free(item);
}

static void thousands_of_attributes_in_any_order(void) {
    kstone_item *item = kstone_item_new();
    kstone_bytes name = {NULL, 0};
    kstone_value value = no_value();
    char text[16];
    int i;
    for (i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "n%04d", (i * 7919) % 2000);
        CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, text, 5, i));
    }
    CHECK_SIZE(2000, kstone_item_count(item));
    for (i = 0; i < 2000; i += 37) {
        snprintf(text, sizeof text, "n%04d", i);
        CHECK_STATUS(KSTONE_OK, kstone_item_at(item, (size_t)i, &name, &value));
        CHECK_MEM(text, 5, name.data, name.len);
    }
    kstone_free(item);
}

/* Found by an attack: the item's memory moved while its own value was being copied into it. */
static void what_was_read_of_an_item_may_be_set_in_it(void) {
    static char big[300000];
    kstone_item *item = kstone_item_new();
    kstone_value value;
    kstone_bytes name;
    memset(big, 'A', sizeof big);
    CHECK(kstone_item_set_str(item, "a", 1, big, sizeof big) == KSTONE_OK);
    CHECK(kstone_item_get(item, "a", 1, &value) == KSTONE_OK);
    CHECK(kstone_item_set_str(item, "b", 1, (const char *)value.bytes.data, value.bytes.len) == KSTONE_OK);
    CHECK(kstone_item_get(item, "b", 1, &value) == KSTONE_OK);
    CHECK(value.bytes.len == sizeof big && memcmp(value.bytes.data, big, sizeof big) == 0);
    CHECK(kstone_item_set_bin(item, "c", 1, value.bytes.data, value.bytes.len) == KSTONE_OK);
    CHECK(kstone_item_get(item, "c", 1, &value) == KSTONE_OK);
    CHECK(value.bytes.len == sizeof big && memcmp(value.bytes.data, big, sizeof big) == 0);
    CHECK(kstone_item_at(item, 2, &name, &value) == KSTONE_OK);
    CHECK(kstone_item_set_i64(item, (const char *)name.data, name.len, 7) == KSTONE_OK);
    CHECK(kstone_item_get(item, "c", 1, &value) == KSTONE_OK && value.type == KSTONE_TYPE_N);
    CHECK(kstone_item_set_num(item, "n", 1, (const char *)value.bytes.data, value.bytes.len, NULL) == KSTONE_OK);
    CHECK(kstone_item_get(item, "n", 1, &value) == KSTONE_OK && value.bytes.data[0] == '7');
    kstone_free(item);
}

int main(void) {
    a_new_item_is_empty();
    scalars_are_set_and_read_back();
    lengths_may_be_left_to_the_nul();
    setting_again_replaces_value_and_type();
    removing_leaves_the_others();
    attributes_come_in_name_order();
    positions_past_the_end_write_nothing();
    all_ten_types_are_read();
    documents_and_sets_are_in_the_stored_form();
    paths_lead_into_lists_and_maps();
    malformed_paths_are_refused();
    integers_keep_every_bit();
    doubles_come_back_as_they_were();
    doubles_that_are_no_number_of_dynamodb_are_refused();
    typed_getters_refuse_what_does_not_fit();
    values_are_set_from_json();
    names_and_texts_must_be_utf8();
    an_attribute_needs_a_name();
    inputs_are_copied();
    an_item_that_was_read_cannot_be_changed_but_cloned();
    an_item_may_be_put_and_changed_and_put_again();
    borrowed_values_stay_while_the_item_is_read();
    endless_paths_lead_nowhere();
    thousands_of_attributes_in_any_order();
    what_was_read_of_an_item_may_be_set_in_it();
    return check_report();
}
