/* DynamoDB's documented limits, each on its last good and its first bad value. */
#include "support.h"

#define PK_MAX 2048
#define SK_MAX 1024
#define ITEM_MAX (400 * 1024)
#define LEVELS_MAX 32

static const char *repeated(char c, size_t count) {
    static char text[ITEM_MAX + 64];
    memset(text, c, count);
    text[count] = '\0';
    return text;
}

static void keys_have_limits(void) {
    static const struct {
        size_t pk_len;
        size_t sk_len;
        kstone_status status;
        const char *limit;
        const char *found;
    } CASES[] = {
        {1, 0, KSTONE_OK, NULL, NULL},
        {1, 1, KSTONE_OK, NULL, NULL},
        {PK_MAX, 0, KSTONE_OK, NULL, NULL},
        {PK_MAX, SK_MAX, KSTONE_OK, NULL, NULL},
        {0, 0, KSTONE_ERR_INVALID, NULL, NULL},
        {0, 1, KSTONE_ERR_INVALID, NULL, NULL},
        {PK_MAX + 1, 0, KSTONE_ERR_LIMIT, "2048", "2049"},
        {100000, 1, KSTONE_ERR_LIMIT, "2048", "100000"},
        {1, SK_MAX + 1, KSTONE_ERR_LIMIT, "1024", "1025"},
        {PK_MAX, 2048, KSTONE_ERR_LIMIT, "1024", "2048"},
    };
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = item_of("{\"v\":{\"N\":\"1\"}}");
    const char *bytes = repeated('k', 100000);
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        size_t pk_len = CASES[i].pk_len;
        size_t sk_len = CASES[i].sk_len;
        kstone_item *read = UNTOUCHED(kstone_item);
        char *text = UNTOUCHED(char);
        size_t len = 77;
        if (CASES[i].status == KSTONE_OK) {
            CHECK_OK(kstone_put(db, bytes, pk_len, bytes, sk_len, item, &err));
            CHECK_OK(kstone_get(db, bytes, pk_len, bytes, sk_len, &read, &err));
            CHECK_SIZE(pk_len, kstone_item_pk(read).len);
            CHECK_SIZE(sk_len, kstone_item_sk(read).len);
            kstone_free(read);
            CHECK_OK(kstone_put_json(db, bytes, pk_len, bytes, sk_len, LIT("{}"), 0, &err));
            CHECK_OK(kstone_delete(db, bytes, pk_len, bytes, sk_len, &err));
            continue;
        }
        CHECK_FAILS_SAYING(CASES[i].status, CASES[i].limit, kstone_put(db, bytes, pk_len, bytes, sk_len, item, &err));
        CHECK_FAILS_SAYING(CASES[i].status, CASES[i].found, kstone_put(db, bytes, pk_len, bytes, sk_len, item, &err));
        CHECK_FAILS(CASES[i].status, kstone_put_json(db, bytes, pk_len, bytes, sk_len, LIT("{}"), 0, &err));
        CHECK_FAILS(CASES[i].status, kstone_get(db, bytes, pk_len, bytes, sk_len, &read, &err));
        CHECK_FAILS(CASES[i].status, kstone_get_json(db, bytes, pk_len, bytes, sk_len, 0, &text, &len, &err));
        CHECK_FAILS(CASES[i].status, kstone_delete(db, bytes, pk_len, bytes, sk_len, &err));
        CHECK_UNTOUCHED(read);
        CHECK_UNTOUCHED(text);
    }
    kstone_free(item);
    kstone_free(db);
}

static void keys_of_a_query_have_limits(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_page *page = NULL;
    kstone_query_spec spec = query_spec(repeated('k', PK_MAX + 1), PK_MAX);
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    kstone_free(page);
    page = UNTOUCHED(kstone_page);
    spec.pk_len = PK_MAX + 1;
    CHECK_FAILS_SAYING(KSTONE_ERR_LIMIT, "2049", kstone_query(db, &spec, &page, &err));
    spec.pk_len = 1;
    spec.sk_op = KSTONE_SK_GE;
    spec.sk1 = spec.pk;
    spec.sk1_len = SK_MAX + 1;
    CHECK_FAILS_SAYING(KSTONE_ERR_LIMIT, "1025", kstone_query(db, &spec, &page, &err));
    CHECK_UNTOUCHED(page);
    kstone_free(db);
}

/* Puts {"v": text of `text_len`} under keys of these lengths. The attribute may be refused already when it is set. */
static kstone_status put_sized(kstone_db *db, size_t pk_len, size_t sk_len, size_t text_len, kstone_error **err) {
    kstone_item *item = kstone_item_new();
    kstone_status status = kstone_item_set_str(item, LIT("v"), repeated('v', text_len), text_len);
    if (status == KSTONE_OK) {
        status = kstone_put(db, repeated('k', PK_MAX), pk_len, repeated('k', PK_MAX), sk_len, item, err);
    }
    kstone_free(item);
    return status;
}

/* The key counts as the attributes pk and sk: names and bytes. */
static void an_item_has_at_most_400_kb(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    CHECK_OK(put_sized(db, 1, 0, ITEM_MAX - (2 + 1) - 1, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_LIMIT, "409600", put_sized(db, 1, 0, ITEM_MAX - (2 + 1) - 1 + 1, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_LIMIT, "409601", put_sized(db, 1, 0, ITEM_MAX - (2 + 1) - 1 + 1, &err));
    CHECK_OK(put_sized(db, 10, 20, ITEM_MAX - (2 + 10) - (2 + 20) - 1, &err));
    CHECK_FAILS(KSTONE_ERR_LIMIT, put_sized(db, 10, 20, ITEM_MAX - (2 + 10) - (2 + 20) - 1 + 1, &err));
    CHECK_OK(put_sized(db, PK_MAX, SK_MAX, ITEM_MAX - (2 + PK_MAX) - (2 + SK_MAX) - 1, &err));
    CHECK_FAILS(KSTONE_ERR_LIMIT, put_sized(db, PK_MAX, SK_MAX, ITEM_MAX - (2 + PK_MAX) - (2 + SK_MAX), &err));
    CHECK_STATUS(KSTONE_ERR_LIMIT, put_sized(db, 1, 0, ITEM_MAX + 10, NULL));
    kstone_free(db);
}

static void a_large_item_comes_back_whole(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = kstone_item_new();
    kstone_item *read = NULL;
    kstone_value value = no_value();
    size_t len = ITEM_MAX - 100;
    unsigned char *bytes = (unsigned char *)malloc(len);
    size_t i;
    for (i = 0; i < len; i++) {
        bytes[i] = (unsigned char)(i * 31 >> 3);
    }
    CHECK_STATUS(KSTONE_OK, kstone_item_set_bin(item, LIT("b"), bytes, len));
    CHECK_OK(kstone_put(db, LIT("k"), LIT("s"), item, &err));
    CHECK_OK(kstone_get(db, LIT("k"), LIT("s"), &read, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_get(read, LIT("b"), &value));
    CHECK_MEM(bytes, len, value.bytes.data, value.bytes.len);
    kstone_free(read);
    kstone_free(item);
    free(bytes);
    kstone_free(db);
}

/* The same limit on the way through JSON, in both forms. */
static void json_too_large_is_refused_as_such(void) {
    static char json[ITEM_MAX + 200];
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = UNTOUCHED(kstone_item);
    snprintf(json, sizeof json, "{\"v\":\"%s\"}", repeated('v', ITEM_MAX));
    CHECK_FAILS_SAYING(KSTONE_ERR_LIMIT, "409600",
                       kstone_item_from_json(json, KSTONE_STRLEN, KSTONE_JSON_PLAIN, &item, &err));
    CHECK_FAILS(KSTONE_ERR_LIMIT, kstone_put_json(db, LIT("k"), NO_SK, json, KSTONE_STRLEN, KSTONE_JSON_PLAIN, &err));
    snprintf(json, sizeof json, "{\"v\":{\"S\":\"%s\"}}", repeated('v', ITEM_MAX));
    CHECK_FAILS(KSTONE_ERR_LIMIT, kstone_item_from_json(json, KSTONE_STRLEN, 0, &item, &err));
    snprintf(json, sizeof json, "{\"%s\":1}", repeated('n', 65536));
    CHECK_FAILS_SAYING(KSTONE_ERR_LIMIT, "65535",
                       kstone_item_from_json(json, KSTONE_STRLEN, KSTONE_JSON_PLAIN, &item, &err));
    snprintf(json, sizeof json, "{\"m\":{\"%s\":1}}", repeated('n', 65536));
    CHECK_FAILS(KSTONE_ERR_LIMIT, kstone_item_from_json(json, KSTONE_STRLEN, KSTONE_JSON_PLAIN, &item, &err));
    CHECK_UNTOUCHED(item);
    kstone_free(db);
}

/* Growing an item beyond the limit stops before memory does. */
static void an_item_does_not_grow_without_bound(void) {
    kstone_item *item = kstone_item_new();
    kstone_status status = KSTONE_OK;
    size_t sets = 0;
    while (status == KSTONE_OK && sets < 1000) {
        char name[16];
        snprintf(name, sizeof name, "n%zu", sets++);
        status = kstone_item_set_str(item, name, KSTONE_STRLEN, repeated('x', 100000), 100000);
    }
    CHECK_STATUS(KSTONE_ERR_LIMIT, status);
    CHECK(sets > 4 && sets < 100);
    CHECK_SIZE(sets - 1, kstone_item_count(item));
    kstone_free(item);
}

static void a_put_too_large_changes_nothing(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    CHECK_OK(put_sized(db, 1, 0, 10, &err));
    CHECK_FAILS(KSTONE_ERR_LIMIT, put_sized(db, 1, 0, ITEM_MAX - 3, &err));
    CHECK_FAILS(KSTONE_ERR_LIMIT, put_sized(db, 2, 0, ITEM_MAX - 3, &err));
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    CHECK_SIZE(1, kstone_page_count(page));
    kstone_free(page);
    kstone_free(db);
}

/* `levels` lists or maps around a number, as plain JSON: [[1]] has two. */
static char *nested(size_t levels, int maps) {
    const char *open = maps ? "{\"m\":" : "[";
    size_t open_len = strlen(open);
    char *text = (char *)malloc(levels * (open_len + 1) + 2);
    char *at = text;
    size_t i;
    for (i = 0; i < levels; i++, at += open_len) {
        memcpy(at, open, open_len);
    }
    *at++ = '1';
    memset(at, maps ? '}' : ']', levels);
    at[levels] = '\0';
    return text;
}

static void nesting_goes_32_levels_deep(void) {
    static const size_t DEEPER[] = {LEVELS_MAX + 1, LEVELS_MAX + 2, 64, 100, 127, 128, 129, 1000, 100000};
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    size_t i;
    int maps;
    for (maps = 0; maps < 2; maps++) {
        char *text = nested(LEVELS_MAX, maps);
        char *json = NULL;
        size_t len = 0;
        CHECK_OK(kstone_item_set_json(item, LIT("a"), text, KSTONE_STRLEN, KSTONE_JSON_PLAIN, &err));
        /* And out and in again, in the typed form, whose JSON nests twice as deep. */
        CHECK_OK(kstone_item_to_json(item, 0, &json, &len, &err));
        kstone_free(item_of(json));
        kstone_free(json);
        free(text);
        text = nested(LEVELS_MAX + 1, maps);
        CHECK_FAILS_SAYING(KSTONE_ERR_LIMIT, "32",
                           kstone_item_set_json(item, LIT("b"), text, KSTONE_STRLEN, KSTONE_JSON_PLAIN, &err));
        free(text);
        for (i = 0; i < sizeof DEEPER / sizeof DEEPER[0]; i++) {
            kstone_status status;
            text = nested(DEEPER[i], maps);
            status = kstone_item_set_json(item, LIT("b"), text, KSTONE_STRLEN, KSTONE_JSON_PLAIN, &err);
            CHECK(status == KSTONE_ERR_LIMIT || status == KSTONE_ERR_INVALID);
            CHECK_INT(status, kstone_error_code(err));
            support_free_error(&err);
            free(text);
        }
    }
    CHECK_SIZE(1, kstone_item_count(item));
    kstone_free(item);
}

static void typed_json_nests_32_levels_deep_too(void) {
    kstone_error *err = NULL;
    size_t levels;
    for (levels = LEVELS_MAX; levels <= LEVELS_MAX + 1; levels++) {
        kstone_item *item = UNTOUCHED(kstone_item);
        char text[LEVELS_MAX * 16] = "{\"a\":";
        size_t i;
        for (i = 0; i < levels; i++) {
            strcat(text, "{\"L\":[");
        }
        for (i = 0; i < levels; i++) {
            strcat(text, "]}");
        }
        strcat(text, "}");
        if (levels == LEVELS_MAX) {
            CHECK_OK(kstone_item_from_json(text, KSTONE_STRLEN, 0, &item, &err));
            kstone_free(item);
        } else {
            CHECK_FAILS_SAYING(KSTONE_ERR_LIMIT, "32", kstone_item_from_json(text, KSTONE_STRLEN, 0, &item, &err));
            CHECK_UNTOUCHED(item);
        }
    }
}

#define DIGITS_38 "12345678901234567890123456789012345678"
#define NINES_38 "99999999999999999999999999999999999999"

static void numbers_in_range_are_exact(void) {
    static const struct {
        const char *written;
        const char *kept; /* NULL: only that it is taken */
    } GOOD[] = {
        {DIGITS_38, DIGITS_38},
        {"-" DIGITS_38, "-" DIGITS_38},
        {"0." DIGITS_38, "0." DIGITS_38},
        {"1234567890123456789.0123456789012345678", "1234567890123456789.0123456789012345678"},
        {DIGITS_38 "000", DIGITS_38 "000"},
        {"000" DIGITS_38 ".000", DIGITS_38},
        {"0.000" DIGITS_38 "000", "0.000" DIGITS_38},
        {"9." "9999999999999999999999999999999999999" "E+125", NULL},
        {"-9." "9999999999999999999999999999999999999" "e125", NULL},
        {NINES_38 "e88", NULL},
        {"1E-130", NULL},
        {"-1e-130", NULL},
        {"1e125", NULL},
        {"0e999", "0"},
        {"-0", "0"},
        {"0.0", "0"},
        {"1e0", "1"},
        {"12E-1", "1.2"},
    };
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    size_t i;
    for (i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
        kstone_value value = no_value();
        CHECK_OK(kstone_item_set_num(item, LIT("n"), GOOD[i].written, KSTONE_STRLEN, &err));
        CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("n"), &value));
        CHECK_INT(KSTONE_TYPE_N, value.type);
        if (GOOD[i].kept != NULL) {
            CHECK_MEM(GOOD[i].kept, strlen(GOOD[i].kept), value.bytes.data, value.bytes.len);
        }
    }
    kstone_free(item);
}

static void what_is_no_number_or_out_of_range_is_refused(void) {
    static const char *const BAD[] = {
        "", " ", "-", "+", ".", "e", "e5", "1e", "1e+", "1e1.5", "--1", "+-1", "1-", "1 2", " 1", "1 ", "1\n", "1,5",
        "1_000", "0x10", "1.2.3", "NaN", "nan", "inf", "Infinity", "-Infinity", "one", "1f", "\xd9\xa3", "\xef\xbc\x91",
        /* 39 digits, too large, too small */
        DIGITS_38 "9", "0." DIGITS_38 "9", "1" "00000000000000000000000000000000000000" "1", "1e126", "-1e126",
        "10e125", "1" "e99999", "1e999999999999999999999999", "1e-131", "-1e-131", "0.1e-130",
        "1e-999999999999999999999999", NINES_38 "e89",
    };
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    kstone_value value = no_value();
    size_t i;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("n"), 5));
    for (i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        kstone_status status = kstone_item_set_num(item, LIT("n"), BAD[i], KSTONE_STRLEN, &err);
        if (status != KSTONE_ERR_INVALID) {
            fprintf(stderr, "not refused as invalid: \"%s\"\n", BAD[i]);
        }
        CHECK_FAILS(KSTONE_ERR_INVALID, status);
    }
    /* A megabyte of digits is refused without much ado. */
    CHECK(kstone_item_set_num(item, LIT("n"), repeated('1', ITEM_MAX), ITEM_MAX, NULL) < 0);
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("n"), &value));
    CHECK_BYTES("5", value.bytes);
    CHECK_SIZE(1, kstone_item_count(item));
    kstone_free(item);
}

static void names_of_attributes_have_a_limit(void) {
    kstone_item *item = kstone_item_new();
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, repeated('n', 65535), 65535, 1));
    CHECK(kstone_item_set_i64(item, repeated('n', 65536), 65536, 1) < 0);
    CHECK_SIZE(1, kstone_item_count(item));
    kstone_free(item);
}

int main(void) {
    keys_have_limits();
    keys_of_a_query_have_limits();
    an_item_has_at_most_400_kb();
    a_large_item_comes_back_whole();
    json_too_large_is_refused_as_such();
    an_item_does_not_grow_without_bound();
    a_put_too_large_changes_nothing();
    nesting_goes_32_levels_deep();
    typed_json_nests_32_levels_deep_too();
    numbers_in_range_are_exact();
    what_is_no_number_or_out_of_range_is_refused();
    names_of_attributes_have_a_limit();
    return check_report();
}
