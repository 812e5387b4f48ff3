/* JSON in and out: both forms, exact numbers, every refusal. */
#include "support.h"

static const char TYPED[] =
    "{\"b\":{\"B\":\"AAH/\"},\"bs\":{\"BS\":[\"AQ==\",\"Ag==\"]},\"f\":{\"BOOL\":false},"
    "\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"a\"}]},\"m\":{\"M\":{\"x\":{\"NULL\":true}}},"
    "\"n\":{\"N\":\"12345678901234567890123456789012345678\"},\"ns\":{\"NS\":[\"-1\",\"9\",\"10\"]},"
    "\"s\":{\"S\":\"q\\\"uote \\u00e9\"},\"ss\":{\"SS\":[\"a\",\"b\"]},\"t\":{\"BOOL\":true},\"z\":{\"NULL\":true}}";

static char *json_of(const kstone_item *item, uint32_t flags) {
    kstone_error *err = NULL;
    char *text = NULL;
    size_t len = 0;
    CHECK_OK(kstone_item_to_json(item, flags, &text, &len, &err));
    CHECK_SIZE(strlen(text), len);
    return text;
}

/* Both items hold the same attributes, compared in the stored form. */
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

static void typed_json_goes_there_and_back(void) {
    kstone_item *item = item_of(TYPED);
    char *text = json_of(item, 0);
    kstone_item *again = item_of(text);
    char *text_again = json_of(again, 0);
    check_same_item(item, again);
    CHECK_STR(text, text_again);
    kstone_free(text);
    kstone_free(text_again);
    kstone_free(again);
    kstone_free(item);
}

static void typed_json_is_compact_and_in_name_order(void) {
    kstone_item *item = item_of(" { \"b\" : { \"N\" : \"1.50\" } , \"a\" : { \"L\" : [ { \"S\" : \"x\" } ] } } ");
    char *text = json_of(item, 0);
    CHECK_STR("{\"a\":{\"L\":[{\"S\":\"x\"}]},\"b\":{\"N\":\"1.5\"}}", text);
    kstone_free(text);
    kstone_free(item);
}

static void plain_json_reads_and_writes_values_as_they_are(void) {
    static const char PLAIN[] =
        "{\"b\":true,\"l\":[1,\"x\",null,{}],\"m\":{\"k\":-0.5},\"n\":30,\"s\":\"text\",\"z\":null}";
    kstone_error *err = NULL;
    kstone_item *item = NULL;
    kstone_item *typed =
        item_of("{\"b\":{\"BOOL\":true},\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"x\"},{\"NULL\":true},{\"M\":{}}]},"
                "\"m\":{\"M\":{\"k\":{\"N\":\"-0.5\"}}},"
                "\"n\":{\"N\":\"30\"},\"s\":{\"S\":\"text\"},\"z\":{\"NULL\":true}}");
    char *text;
    CHECK_OK(kstone_item_from_json(PLAIN, KSTONE_STRLEN, KSTONE_JSON_PLAIN, &item, &err));
    check_same_item(typed, item);
    text = json_of(item, KSTONE_JSON_PLAIN);
    CHECK_STR(PLAIN, text);
    kstone_free(text);
    kstone_free(typed);
    kstone_free(item);
}

/* A number never passes through a double on its way. */
static void numbers_stay_exact(void) {
    static const struct {
        const char *written;
        const char *read;
    } CASES[] = {
        {"12345678901234567890123456789012345678", "12345678901234567890123456789012345678"},
        {"0.1234567890123456789012345678901234567", "0.1234567890123456789012345678901234567"},
        {"9007199254740993", "9007199254740993"},
        {"1e3", "1000"},
        {"1.0E+2", "100"},
        {"25e-3", "0.025"},
        {"-0", "0"},
        {"-0.0", "0"},
        {"100", "100"},
    };
    kstone_error *err = NULL;
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char json[128];
        kstone_item *item = NULL;
        kstone_value value = no_value();
        snprintf(json, sizeof json, "{\"n\":%s}", CASES[i].written);
        CHECK_OK(kstone_item_from_json(json, KSTONE_STRLEN, KSTONE_JSON_PLAIN, &item, &err));
        CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("n"), &value));
        CHECK_MEM(CASES[i].read, strlen(CASES[i].read), value.bytes.data, value.bytes.len);
        kstone_free(item);
    }
}

static void strings_keep_every_character(void) {
    static const char JSON[] = "{\"s\":{\"S\":\"\\u0000\\n\\t\\\\\\/\\b \\u00e9 \\ud83d\\ude00 \xf0\x9f\x98\x80\"}}";
    static const char EXPECTED[] = "\0\n\t\\/\b \xc3\xa9 \xf0\x9f\x98\x80 \xf0\x9f\x98\x80";
    kstone_item *item = item_of(JSON);
    kstone_item *again;
    char *text = json_of(item, 0);
    kstone_value value = no_value();
    CHECK_STATUS(KSTONE_OK, kstone_item_get(item, LIT("s"), &value));
    CHECK_BYTES(EXPECTED, value.bytes);
    again = item_of(text);
    check_same_item(item, again);
    kstone_free(again);
    kstone_free(text);
    kstone_free(item);
}

static void malformed_json_is_refused(void) {
    static const char *const BAD_TYPED[] = {
        "", " ", "{", "}", "[]", "1", "null", "\"text\"", "{\"a\"}", "{\"a\":}", "{\"a\":{\"S\":\"x\"},}",
        "{\"a\":{\"S\":\"x\"}} x", "{\"a\":{\"S\":\"x\"}}{}", "{a:{\"S\":\"x\"}}", "{'a':{'S':'x'}}",
        /* the type and its value */
        "{\"a\":1}", "{\"a\":\"x\"}", "{\"a\":null}", "{\"a\":{}}", "{\"a\":{\"Q\":\"x\"}}", "{\"a\":{\"s\":\"x\"}}",
        "{\"a\":{\"S\":1}}", "{\"a\":{\"N\":1}}", "{\"a\":{\"N\":\"\"}}", "{\"a\":{\"N\":\"x\"}}",
        "{\"a\":{\"N\":\"0x1\"}}",
        "{\"a\":{\"N\":\" 1\"}}", "{\"a\":{\"N\":\"NaN\"}}", "{\"a\":{\"N\":\"Infinity\"}}", "{\"a\":{\"B\":\"*\"}}",
        "{\"a\":{\"B\":\"A\"}}", "{\"a\":{\"B\":1}}", "{\"a\":{\"BOOL\":\"true\"}}", "{\"a\":{\"BOOL\":1}}",
        "{\"a\":{\"NULL\":false}}", "{\"a\":{\"NULL\":null}}", "{\"a\":{\"L\":{}}}", "{\"a\":{\"L\":[1]}}",
        "{\"a\":{\"M\":[]}}", "{\"a\":{\"M\":{\"b\":1}}}", "{\"a\":{\"SS\":\"x\"}}", "{\"a\":{\"SS\":[1]}}",
        "{\"a\":{\"SS\":[]}}", "{\"a\":{\"NS\":[]}}", "{\"a\":{\"BS\":[]}}", "{\"a\":{\"SS\":[\"x\",\"x\"]}}",
        "{\"a\":{\"NS\":[\"1\",\"1.0\"]}}", "{\"a\":{\"NS\":[1]}}", "{\"a\":{\"BS\":[\"AQ==\",\"AQ==\"]}}",
        /* one value, one name, once */
        "{\"a\":{\"S\":\"x\",\"N\":\"1\"}}", "{\"a\":{\"S\":\"x\",\"S\":\"y\"}}",
        "{\"a\":{\"S\":\"x\"},\"a\":{\"S\":\"y\"}}",
        "{\"m\":{\"M\":{\"a\":{\"S\":\"x\"},\"a\":{\"S\":\"y\"}}}}", "{\"\":{\"S\":\"x\"}}",
        /* the characters */
        "{\"a\":{\"S\":\"\\ud800\"}}", "{\"a\":{\"S\":\"\\x\"}}", "{\"a\":{\"S\":\"\n\"}}", "{\"a\":{\"S\":\"open}}",
        "{\"a\":{\"S\":\"\xff\"}}", "\xef\xbb\xbf{}",
    };
    static const char *const BAD_PLAIN[] = {
        "{\"a\":1,\"a\":2}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":1e}", "{\"a\":NaN}",
        "{\"a\":1e126}", "{\"a\":1e-131}", "{\"a\":1e999999999999999999999}", "{\"a\":undefined}", "{\"a\":[1,]}",
        "{\"a\":123456789012345678901234567890123456789}", "[1]", "30", "{\"a\":{\"b\":1,\"b\":2}}", "{\"a\":tru}",
    };
    kstone_error *err = NULL;
    kstone_item *out = UNTOUCHED(kstone_item);
    size_t i;
    for (i = 0; i < sizeof BAD_TYPED / sizeof BAD_TYPED[0]; i++) {
        kstone_status status = kstone_item_from_json(BAD_TYPED[i], KSTONE_STRLEN, 0, &out, &err);
        if (status != KSTONE_ERR_INVALID) {
            fprintf(stderr, "accepted: %s\n", BAD_TYPED[i]);
        }
        CHECK_FAILS(KSTONE_ERR_INVALID, status);
    }
    for (i = 0; i < sizeof BAD_PLAIN / sizeof BAD_PLAIN[0]; i++) {
        kstone_status status = kstone_item_from_json(BAD_PLAIN[i], KSTONE_STRLEN, KSTONE_JSON_PLAIN, &out, &err);
        if (status != KSTONE_ERR_INVALID) {
            fprintf(stderr, "accepted: %s\n", BAD_PLAIN[i]);
        }
        CHECK_FAILS(KSTONE_ERR_INVALID, status);
    }
    CHECK_UNTOUCHED(out);
}

static void messages_say_where(void) {
    kstone_error *err = NULL;
    kstone_item *out = NULL;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "line 2",
                       kstone_item_from_json(LIT("{\"a\":{\"S\":\"x\"},\n \"b\" 1}"), 0, &out, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "color",
                       kstone_item_from_json(LIT("{\"color\":{\"N\":\"red\"}}"), 0, &out, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "color",
                       kstone_item_from_json(LIT("{\"color\":1,\"color\":2}"), KSTONE_JSON_PLAIN, &out, &err));
    CHECK_NULL(out);
}

static void unknown_flags_are_refused(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = item_of("{\"v\":{\"N\":\"1\"}}");
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    kstone_item *out = UNTOUCHED(kstone_item);
    char *text = UNTOUCHED(char);
    size_t len = 77;
    uint32_t flag;
    put_number(db, "k", NULL, 1);
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    for (flag = 2; flag != 0; flag <<= 1) {
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_from_json(LIT("{}"), flag, &out, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_to_json(item, flag | KSTONE_JSON_PLAIN, &text, &len, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(item, LIT("a"), LIT("1"), flag | KSTONE_JSON_PLAIN, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put_json(db, LIT("k"), NO_SK, LIT("{}"), flag, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_get_json(db, LIT("k"), NO_SK, flag, &text, &len, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_page_to_json(page, flag, &text, &len, &err));
    }
    CHECK_UNTOUCHED(out);
    CHECK_UNTOUCHED(text);
    CHECK_SIZE(77, len);
    CHECK_INT(1, get_number(db, "k", NULL));
    kstone_free(page);
    kstone_free(item);
    kstone_free(db);
}

static void json_is_put_and_got_directly(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    char *text = NULL;
    size_t len = 0;
    CHECK_OK(kstone_put_json(db, LIT("k"), LIT("s"), LIT("{\"age\":30,\"name\":\"Ada\"}"), KSTONE_JSON_PLAIN, &err));
    CHECK_OK(kstone_get_json(db, LIT("k"), LIT("s"), 0, &text, &len, &err));
    CHECK_STR("{\"age\":{\"N\":\"30\"},\"name\":{\"S\":\"Ada\"}}", text);
    CHECK_SIZE(strlen(text), len);
    kstone_free(text);
    CHECK_OK(kstone_get_json(db, LIT("k"), LIT("s"), KSTONE_JSON_PLAIN, &text, &len, &err));
    CHECK_STR("{\"age\":30,\"name\":\"Ada\"}", text);
    kstone_free(text);
    CHECK_OK(kstone_put_json(db, LIT("k"), LIT("s"), "{\"a\":{\"S\":\"b\"}}", KSTONE_STRLEN, 0, &err));
    CHECK_OK(kstone_get_json(db, LIT("k"), LIT("s"), KSTONE_JSON_PLAIN, &text, &len, &err));
    CHECK_STR("{\"a\":\"b\"}", text);
    kstone_free(text);
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put_json(db, NULL, 0, NO_SK, LIT("{}"), 0, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID,
                kstone_put_json(db, LIT("k"), LIT("s"), LIT("{\"pk\":{\"S\":\"other\"}}"), 0, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID,
                kstone_put_json(db, LIT("k"), LIT("s"), LIT("{\"pk\":\"other\"}"), KSTONE_JSON_PLAIN, &err));
    kstone_free(db);
}

static void a_page_is_written_as_json(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_page *page = NULL;
    char *text = NULL;
    size_t len = 0;
    put_number(db, "p", "a", 101);
    put_number(db, "p", "b", 102);
    CHECK_OK(kstone_query(db, &spec, &page, &err));
    CHECK_OK(kstone_page_to_json(page, 0, &text, &len, &err));
    CHECK_SIZE(strlen(text), len);
    CHECK_CONTAINS("{\"v\":{\"N\":\"101\"}}", text);
    CHECK_CONTAINS("{\"v\":{\"N\":\"102\"}}", text);
    CHECK(strstr(text, "101") < strstr(text, "102"));
    kstone_free(text);
    CHECK_OK(kstone_page_to_json(page, KSTONE_JSON_PLAIN, &text, &len, &err));
    CHECK_CONTAINS("{\"v\":101}", text);
    kstone_free(text);
    kstone_free(page);
    kstone_free(db);
}

int main(void) {
    typed_json_goes_there_and_back();
    typed_json_is_compact_and_in_name_order();
    plain_json_reads_and_writes_values_as_they_are();
    numbers_stay_exact();
    strings_keep_every_character();
    malformed_json_is_refused();
    messages_say_where();
    unknown_flags_are_refused();
    json_is_put_and_got_directly();
    a_page_is_written_as_json();
    return check_report();
}
