/*
 * Every function, called wrongly: NULL for each pointer, lengths that cannot be, text that is not UTF-8, handles of
 * another kind, freeing what is borrowed. Each call must refuse, write no output, and leave the database as it is.
 */
#include "support.h"

#define HUGE_LEN (SIZE_MAX - 1)
#define BAD_UTF8 "\xff\xfe"

/* One of each handle, over a database with one item under ("p", "s"). */
typedef struct fixture {
    kstone_db *db;
    kstone_item *item; /* being built: {"v": 1} */
    kstone_item *read; /* read from the database */
    kstone_page *page;
    kstone_iter *iter;
    kstone_batch *batch; /* one get of ("p", "s") */
    kstone_error *error;
    char *text;
} fixture;

static kstone_cond condition(const char *expr, size_t expr_len, const kstone_item *params) {
    kstone_cond cond;
    memset(&cond, 0, sizeof cond);
    cond.struct_size = sizeof cond;
    cond.expr = expr;
    cond.expr_len = expr_len;
    cond.params = params;
    return cond;
}

static fixture set_up(void) {
    fixture f;
    kstone_error *err = NULL;
    kstone_query_spec spec = scan_spec();
    size_t len = 0;
    memset(&f, 0, sizeof f);
    f.db = open_database(0);
    put_number(f.db, "p", "s", 1);
    f.item = item_of("{\"v\":{\"N\":\"1\"}}");
    CHECK_OK(kstone_get(f.db, LIT("p"), LIT("s"), &f.read, &err));
    CHECK_OK(kstone_scan(f.db, &spec, &f.page, &err));
    CHECK_OK(kstone_iter_open(f.db, &spec, &f.iter, &err));
    f.batch = kstone_batch_new();
    CHECK_STATUS(KSTONE_OK, kstone_batch_get(f.batch, LIT("p"), LIT("s")));
    CHECK_OK(kstone_item_to_json(f.item, 0, &f.text, &len, &err));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_delete(f.db, NULL, 0, NO_SK, &f.error));
    return f;
}

/* Nothing that was tried has changed anything. */
static void tear_down(fixture f) {
    const kstone_item *next = NULL;
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    CHECK_OK(kstone_batch_run(f.db, f.batch, 0, &page, &err));
    CHECK_SIZE(1, kstone_page_count(page));
    kstone_free(page);
    kstone_free(f.batch);
    CHECK_INT(1, get_number(f.db, "p", "s"));
    CHECK_SIZE(1, kstone_page_count(f.page));
    CHECK_SIZE(1, kstone_item_count(f.item));
    CHECK_SIZE(1, kstone_item_count(f.read));
    CHECK_INT(KSTONE_ERR_INVALID, kstone_error_code(f.error));
    CHECK_STR("{\"v\":{\"N\":\"1\"}}", f.text);
    CHECK_OK(kstone_iter_next(f.iter, &next, &err));
    CHECK_STATUS(KSTONE_DONE, kstone_iter_next(f.iter, &next, &err));
    kstone_free(f.iter);
    kstone_free(f.page);
    kstone_free(f.read);
    kstone_free(f.item);
    kstone_free(f.text);
    kstone_free(f.error);
    kstone_free(f.db);
}

/* The four pairs of pointer and length that no call takes as bytes. */
static const struct {
    int null;
    size_t len;
} BAD_BYTES[] = {{1, 1}, {1, HUGE_LEN}, {1, KSTONE_STRLEN}, {0, HUGE_LEN}, {0, KSTONE_STRLEN}, {0, SIZE_MAX / 2 + 1}};
/* And as text, where KSTONE_STRLEN is fine with a pointer. */
static const struct {
    int null;
    size_t len;
} BAD_TEXTS[] = {{1, 1}, {1, HUGE_LEN}, {1, KSTONE_STRLEN}, {0, HUGE_LEN}, {0, SIZE_MAX / 2 + 1}};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void null_handles_and_outputs_of_databases(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    char *text = UNTOUCHED(char);
    size_t len = 77;
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_open_memory(NULL, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_clear(NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_flush(NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_compact(NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_stats_json(NULL, &text, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_stats_json(f.db, NULL, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_stats_json(f.db, &text, NULL, &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_clear(NULL, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_stats_json(NULL, NULL, NULL, NULL));
    CHECK_UNTOUCHED(text);
    CHECK_SIZE(77, len);
    tear_down(f);
}

static void null_items(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_value value = no_value();
    kstone_bytes name = {(const uint8_t *)UNTOUCHED(char), 77};
    kstone_item *out = UNTOUCHED(kstone_item);
    char *text = UNTOUCHED(char);
    size_t len = 77;
    int64_t integer = 77;
    double number = 77;
    value.type = 77;
    CHECK_NULL(kstone_item_clone(NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_str(NULL, LIT("a"), LIT("b")));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_set_num(NULL, LIT("a"), LIT("1"), &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_i64(NULL, LIT("a"), 1));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_f64(NULL, LIT("a"), 1));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_bin(NULL, LIT("a"), LIT("b")));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_bool(NULL, LIT("a"), 1));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_null(NULL, LIT("a")));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_remove(NULL, LIT("a")));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_set_json(NULL, LIT("a"), LIT("1"), KSTONE_JSON_PLAIN, &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get(NULL, LIT("a"), &value));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get_i64(NULL, LIT("a"), &integer));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get_f64(NULL, LIT("a"), &number));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_at(NULL, 0, &name, &value));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get(f.item, LIT("v"), NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get_i64(f.item, LIT("v"), NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get_f64(f.item, LIT("v"), NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_at(f.item, 0, NULL, &value));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_at(f.item, 0, &name, NULL));
    CHECK_SIZE(0, kstone_item_count(NULL));
    CHECK_EMPTY(kstone_item_pk(NULL));
    CHECK_EMPTY(kstone_item_sk(NULL));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_from_json(NULL, 2, 0, &out, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_from_json(LIT("{}"), 0, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_from_json(NULL, 0, 0, &out, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_to_json(NULL, 0, &text, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_to_json(f.item, 0, NULL, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_to_json(f.item, 0, &text, NULL, &err));
    CHECK_INT(77, value.type);
    CHECK_INT(77, integer);
    CHECK_F64(77, number);
    CHECK_SIZE(77, name.len);
    CHECK_SIZE(77, len);
    CHECK_UNTOUCHED(out);
    CHECK_UNTOUCHED(text);
    tear_down(f);
}

static void impossible_names_and_paths(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_value value = no_value();
    int64_t integer = 77;
    double number = 77;
    size_t i;
    value.type = 77;
    for (i = 0; i < COUNT(BAD_TEXTS); i++) {
        const char *name = BAD_TEXTS[i].null ? NULL : "v";
        size_t len = BAD_TEXTS[i].len;
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_str(f.item, name, len, LIT("b")));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_set_num(f.item, name, len, LIT("2"), &err));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_i64(f.item, name, len, 2));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_f64(f.item, name, len, 2));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_bin(f.item, name, len, LIT("b")));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_bool(f.item, name, len, 1));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_null(f.item, name, len));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_remove(f.item, name, len));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_set_json(f.item, name, len, LIT("2"), KSTONE_JSON_PLAIN, &err));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get(f.item, name, len, &value));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get_i64(f.item, name, len, &integer));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get_f64(f.item, name, len, &number));
    }
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_str(f.item, LIT(BAD_UTF8), LIT("b")));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_num(f.item, LIT(BAD_UTF8), LIT("2"), &err));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_i64(f.item, LIT(BAD_UTF8), 2));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_f64(f.item, LIT(BAD_UTF8), 2));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_bin(f.item, LIT(BAD_UTF8), LIT("b")));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_bool(f.item, LIT(BAD_UTF8), 1));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_null(f.item, LIT(BAD_UTF8)));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_remove(f.item, LIT(BAD_UTF8)));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(f.item, LIT(BAD_UTF8), LIT("2"), KSTONE_JSON_PLAIN, &err));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_get(f.item, LIT(BAD_UTF8), &value));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_get_i64(f.item, LIT(BAD_UTF8), &integer));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_get_f64(f.item, LIT(BAD_UTF8), &number));
    /* An empty name or path leads nowhere. */
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_str(f.item, NULL, 0, LIT("b")));
    CHECK(kstone_item_get(f.item, NULL, 0, &value) != KSTONE_OK);
    CHECK(kstone_item_remove(f.item, NULL, 0) != KSTONE_OK);
    CHECK_INT(77, value.type);
    CHECK_INT(77, integer);
    CHECK_F64(77, number);
    tear_down(f);
}

static void impossible_values(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_item *out = UNTOUCHED(kstone_item);
    size_t i;
    for (i = 0; i < COUNT(BAD_TEXTS); i++) {
        const char *text = BAD_TEXTS[i].null ? NULL : "1";
        size_t len = BAD_TEXTS[i].len;
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_str(f.item, LIT("v"), text, len));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_set_num(f.item, LIT("v"), text, len, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_set_json(f.item, LIT("v"), text, len, KSTONE_JSON_PLAIN, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_from_json(text, len, 0, &out, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_json(f.db, LIT("p"), LIT("s"), text, len, 0, &err));
    }
    for (i = 0; i < COUNT(BAD_BYTES); i++) {
        const void *bytes = BAD_BYTES[i].null ? NULL : "1";
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_bin(f.item, LIT("v"), bytes, BAD_BYTES[i].len));
    }
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_set_str(f.item, LIT("v"), LIT(BAD_UTF8)));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_num(f.item, LIT("v"), LIT(BAD_UTF8), &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_json(f.item, LIT("v"), LIT(BAD_UTF8), KSTONE_JSON_PLAIN, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_from_json(LIT("{\"" BAD_UTF8 "\":{\"N\":\"1\"}}"), 0, &out, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put_json(f.db, LIT("p"), LIT("s"), LIT(BAD_UTF8), 0, &err));
    CHECK_UNTOUCHED(out);
    tear_down(f);
}

static void null_handles_and_outputs_of_reads_and_writes(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_item *out = UNTOUCHED(kstone_item);
    char *text = UNTOUCHED(char);
    size_t len = 77;
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put(NULL, LIT("p"), LIT("s"), f.item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put(f.db, LIT("p"), LIT("s"), NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get(NULL, LIT("p"), LIT("s"), &out, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get(f.db, LIT("p"), LIT("s"), NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get(f.db, LIT("absent"), LIT("s"), NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_delete(NULL, LIT("p"), LIT("s"), &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_json(NULL, LIT("p"), LIT("s"), LIT("{}"), 0, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get_json(NULL, LIT("p"), LIT("s"), 0, &text, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get_json(f.db, LIT("p"), LIT("s"), 0, NULL, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get_json(f.db, LIT("p"), LIT("s"), 0, &text, NULL, &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_put(NULL, NULL, 0, NO_SK, NULL, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_get(NULL, NULL, 0, NO_SK, NULL, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_delete(NULL, NULL, 0, NO_SK, NULL));
    CHECK_UNTOUCHED(out);
    CHECK_UNTOUCHED(text);
    CHECK_SIZE(77, len);
    tear_down(f);
}

static void impossible_keys(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_item *out = UNTOUCHED(kstone_item);
    char *text = UNTOUCHED(char);
    size_t text_len = 77;
    size_t i;
    for (i = 0; i < COUNT(BAD_BYTES); i++) {
        const void *key = BAD_BYTES[i].null ? NULL : "p";
        size_t len = BAD_BYTES[i].len;
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put(f.db, key, len, NO_SK, f.item, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put(f.db, LIT("p"), key, len, f.item, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get(f.db, key, len, LIT("s"), &out, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get(f.db, LIT("p"), key, len, &out, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_delete(f.db, key, len, LIT("s"), &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_delete(f.db, LIT("p"), key, len, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_json(f.db, key, len, NO_SK, LIT("{}"), 0, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_json(f.db, LIT("p"), key, len, LIT("{}"), 0, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get_json(f.db, key, len, LIT("s"), 0, &text, &text_len, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get_json(f.db, LIT("p"), key, len, 0, &text, &text_len, &err));
    }
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_get_json(f.db, NULL, 0, LIT("s"), 0, &text, &text_len, &err));
    CHECK_UNTOUCHED(out);
    CHECK_UNTOUCHED(text);
    tear_down(f);
}

static void null_handles_of_conditional_writes(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_item *out = UNTOUCHED(kstone_item);
    kstone_cond cond = condition(LIT("attribute_exists(pk)"), NULL);
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_if(NULL, LIT("p"), LIT("s"), f.item, &cond, &out, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_if(f.db, LIT("p"), LIT("s"), NULL, &cond, &out, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_delete_if(NULL, LIT("p"), LIT("s"), &cond, &out, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE,
                kstone_update(NULL, LIT("p"), LIT("s"), LIT("REMOVE v"), NULL, &cond, 1, &out, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_update(f.db, LIT("p"), LIT("s"), NULL, 0, NULL, &cond, 1, &out, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put_if(f.db, NULL, 0, LIT("s"), f.item, &cond, &out, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_delete_if(f.db, NULL, 0, LIT("s"), &cond, &out, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID,
                kstone_update(f.db, NULL, 0, LIT("s"), LIT("REMOVE v"), NULL, &cond, 1, &out, &err));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_put_if(NULL, NULL, 0, NO_SK, NULL, NULL, NULL, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_delete_if(NULL, NULL, 0, NO_SK, NULL, NULL, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_update(NULL, NULL, 0, NO_SK, NULL, 0, NULL, NULL, 0, NULL, NULL));
    CHECK_UNTOUCHED(out);
    tear_down(f);
}

static void impossible_keys_and_expressions_of_conditional_writes(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_item *out = UNTOUCHED(kstone_item);
    kstone_cond cond = condition(LIT("attribute_exists(pk)"), NULL);
    kstone_cond wrong;
    size_t i;
    for (i = 0; i < COUNT(BAD_BYTES); i++) {
        const void *key = BAD_BYTES[i].null ? NULL : "p";
        size_t len = BAD_BYTES[i].len;
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_if(f.db, key, len, NO_SK, f.item, &cond, &out, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_if(f.db, LIT("p"), key, len, f.item, &cond, &out, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_delete_if(f.db, key, len, LIT("s"), &cond, &out, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_delete_if(f.db, LIT("p"), key, len, &cond, &out, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE,
                    kstone_update(f.db, key, len, LIT("s"), LIT("REMOVE v"), NULL, &cond, 0, &out, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE,
                    kstone_update(f.db, LIT("p"), key, len, LIT("REMOVE v"), NULL, &cond, 0, &out, &err));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_put(f.batch, key, len, NO_SK, f.item, NULL));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_put(f.batch, LIT("p"), key, len, f.item, NULL));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_update(f.batch, key, len, NO_SK, LIT("REMOVE v"), NULL, NULL));
        CHECK_STATUS(KSTONE_ERR_MISUSE,
                     kstone_batch_update(f.batch, LIT("p"), key, len, LIT("REMOVE v"), NULL, NULL));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_delete(f.batch, key, len, NO_SK, NULL));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_delete(f.batch, LIT("p"), key, len, NULL));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_check(f.batch, key, len, NO_SK, &cond));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_check(f.batch, LIT("p"), key, len, &cond));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_get(f.batch, key, len, NO_SK));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_get(f.batch, LIT("p"), key, len));
    }
    for (i = 0; i < COUNT(BAD_TEXTS); i++) {
        const char *expr = BAD_TEXTS[i].null ? NULL : "REMOVE v";
        size_t len = BAD_TEXTS[i].len;
        wrong = condition(expr, len, NULL);
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_if(f.db, LIT("p"), LIT("s"), f.item, &wrong, &out, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_delete_if(f.db, LIT("p"), LIT("s"), &wrong, &out, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE,
                    kstone_update(f.db, LIT("p"), LIT("s"), LIT("REMOVE v"), NULL, &wrong, 0, &out, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE,
                    kstone_update(f.db, LIT("p"), LIT("s"), expr, len, NULL, &cond, 0, &out, &err));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_put(f.batch, LIT("p"), NO_SK, f.item, &wrong));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_update(f.batch, LIT("p"), NO_SK, expr, len, NULL, NULL));
        CHECK_STATUS(KSTONE_ERR_MISUSE,
                     kstone_batch_update(f.batch, LIT("p"), NO_SK, LIT("REMOVE v"), NULL, &wrong));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_delete(f.batch, LIT("p"), NO_SK, &wrong));
        CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_check(f.batch, LIT("p"), NO_SK, &wrong));
    }
    /* Not UTF-8, and empty. */
    for (i = 0; i < 2; i++) {
        const char *expr = i == 0 ? BAD_UTF8 : "";
        size_t len = strlen(expr);
        wrong = condition(expr, len, NULL);
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put_if(f.db, LIT("p"), LIT("s"), f.item, &wrong, &out, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_delete_if(f.db, LIT("p"), LIT("s"), &wrong, &out, &err));
        CHECK_FAILS(KSTONE_ERR_INVALID,
                    kstone_update(f.db, LIT("p"), LIT("s"), expr, len, NULL, &cond, 0, &out, &err));
        CHECK_STATUS(KSTONE_ERR_INVALID, kstone_batch_update(f.batch, LIT("p"), NO_SK, expr, len, NULL, NULL));
        CHECK_STATUS(KSTONE_ERR_INVALID, kstone_batch_check(f.batch, LIT("p"), NO_SK, &wrong));
    }
    CHECK_UNTOUCHED(out);
    tear_down(f);
}

static void null_handles_of_batches(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_cond cond = condition(LIT("attribute_exists(pk)"), NULL);
    kstone_cond none = condition(NULL, 0, NULL);
    uint32_t flags;
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_put(NULL, LIT("p"), NO_SK, f.item, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_put(f.batch, LIT("p"), NO_SK, NULL, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_update(NULL, LIT("p"), NO_SK, LIT("REMOVE v"), NULL, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_delete(NULL, LIT("p"), NO_SK, NULL));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_check(NULL, LIT("p"), NO_SK, &cond));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_batch_check(f.batch, LIT("p"), NO_SK, NULL));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_batch_check(f.batch, LIT("p"), NO_SK, &none));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_get(NULL, LIT("p"), NO_SK));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_batch_get(f.batch, NULL, 0, LIT("s")));
    for (flags = 0; flags <= KSTONE_BATCH_ATOMIC; flags++) {
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_batch_run(NULL, f.batch, flags, &page, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_batch_run(f.db, NULL, flags, &page, &err));
    }
    CHECK_UNTOUCHED(page);
    tear_down(f);
}

static void null_handles_and_outputs_of_pages_and_iterators(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_query_spec query = query_spec(LIT("p"));
    kstone_query_spec scan = scan_spec();
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_iter *iter = UNTOUCHED(kstone_iter);
    const kstone_item *item = UNTOUCHED(kstone_item);
    char *text = UNTOUCHED(char);
    size_t len = 77;
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_query(NULL, &query, &page, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_query(f.db, &query, NULL, &err));
    CHECK(kstone_query(f.db, NULL, &page, NULL) < 0); /* a query needs a key */
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_scan(NULL, &scan, &page, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_scan(f.db, &scan, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_iter_open(NULL, &query, &iter, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_iter_open(f.db, &query, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_iter_next(NULL, &item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_iter_next(f.iter, NULL, &err));
    CHECK_SIZE(0, kstone_page_count(NULL));
    CHECK_SIZE(0, kstone_page_scanned(NULL));
    CHECK_NULL(kstone_page_item(NULL, 0));
    CHECK_NULL(kstone_page_item(f.page, 1));
    CHECK_NULL(kstone_page_item(f.page, SIZE_MAX));
    CHECK_EMPTY(kstone_page_token(NULL));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_page_to_json(NULL, 0, &text, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_page_to_json(f.page, 0, NULL, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_page_to_json(f.page, 0, &text, NULL, &err));
    CHECK_UNTOUCHED(page);
    CHECK_UNTOUCHED(iter);
    CHECK_UNTOUCHED(item);
    CHECK_UNTOUCHED(text);
    CHECK_SIZE(77, len);
    tear_down(f);
}

/* NULL options and a NULL spec mean the defaults: for a scan that is everything. */
static void a_null_spec_scans_everything(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    CHECK_OK(kstone_scan(f.db, NULL, &page, &err));
    CHECK_SIZE(1, kstone_page_count(page));
    CHECK_OK(kstone_iter_open(f.db, NULL, &iter, &err));
    CHECK_OK(kstone_iter_next(iter, &item, &err));
    kstone_free(iter);
    kstone_free(page);
    tear_down(f);
}

static void impossible_bytes_in_a_spec(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_page *page = UNTOUCHED(kstone_page);
    kstone_iter *iter = UNTOUCHED(kstone_iter);
    size_t i;
    for (i = 0; i < COUNT(BAD_BYTES); i++) {
        const void *bytes = BAD_BYTES[i].null ? NULL : "s";
        size_t len = BAD_BYTES[i].len;
        kstone_query_spec spec = query_spec(bytes, len);
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_query(f.db, &spec, &page, &err));
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_iter_open(f.db, &spec, &iter, &err));
        spec = query_spec(LIT("p"));
        spec.sk_op = KSTONE_SK_EQ;
        spec.sk1 = bytes;
        spec.sk1_len = len;
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_query(f.db, &spec, &page, &err));
        spec.sk_op = KSTONE_SK_BETWEEN;
        spec.sk1 = "a";
        spec.sk1_len = 1;
        spec.sk2 = bytes;
        spec.sk2_len = len;
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_query(f.db, &spec, &page, &err));
        spec = query_spec(LIT("p"));
        spec.token = bytes;
        spec.token_len = len;
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_query(f.db, &spec, &page, &err));
        spec = scan_spec();
        if (len != KSTONE_STRLEN || bytes == NULL) {
            spec.filter = (const char *)bytes;
            spec.filter_len = len;
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_scan(f.db, &spec, &page, &err));
            spec = scan_spec();
            spec.projection = (const char *)bytes;
            spec.projection_len = len;
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_iter_open(f.db, &spec, &iter, &err));
            spec = scan_spec();
            spec.key_expr = (const char *)bytes;
            spec.key_expr_len = len;
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_query(f.db, &spec, &page, &err));
        }
        spec = scan_spec();
        spec.token = bytes;
        spec.token_len = len;
        CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_scan(f.db, &spec, &page, &err));
    }
    CHECK_UNTOUCHED(page);
    CHECK_UNTOUCHED(iter);
    tear_down(f);
}

/* What a C cast can do: each handle given to each function that wants another one. */
static void handles_of_the_wrong_kind(void) {
    fixture f = set_up();
    void *handles[8];
    size_t i;
    handles[0] = f.db;
    handles[1] = f.item;
    handles[2] = f.read;
    handles[3] = f.page;
    handles[4] = f.iter;
    handles[5] = f.error;
    handles[6] = f.text;
    handles[7] = f.batch;
    for (i = 0; i < COUNT(handles); i++) {
        kstone_error *err = NULL;
        kstone_query_spec spec = scan_spec();
        kstone_item *out = UNTOUCHED(kstone_item);
        kstone_page *page = UNTOUCHED(kstone_page);
        kstone_iter *iter = UNTOUCHED(kstone_iter);
        const kstone_item *next = UNTOUCHED(kstone_item);
        kstone_value value = no_value();
        kstone_bytes name = {NULL, 0};
        char *text = UNTOUCHED(char);
        size_t len = 77;
        int64_t integer = 77;
        double number = 77;
        kstone_cond cond = condition(LIT("attribute_exists(pk)"), NULL);
        if (handles[i] != f.db) {
            kstone_db *db = (kstone_db *)handles[i];
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_clear(db, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_flush(db, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_compact(db, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_stats_json(db, &text, &len, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put(db, LIT("p"), LIT("s"), f.item, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get(db, LIT("p"), LIT("s"), &out, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_delete(db, LIT("p"), LIT("s"), &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_json(db, LIT("p"), LIT("s"), LIT("{}"), 0, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get_json(db, LIT("p"), LIT("s"), 0, &text, &len, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_query(db, &spec, &page, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_scan(db, &spec, &page, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_iter_open(db, &spec, &iter, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_if(db, LIT("p"), LIT("s"), f.item, NULL, &out, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_delete_if(db, LIT("p"), LIT("s"), NULL, &out, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE,
                        kstone_update(db, LIT("p"), LIT("s"), LIT("REMOVE v"), NULL, NULL, 0, &out, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_batch_run(db, f.batch, 0, &page, &err));
        }
        if (handles[i] != f.batch) {
            kstone_batch *batch = (kstone_batch *)handles[i];
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_put(batch, LIT("p"), NO_SK, f.item, NULL));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_update(batch, LIT("p"), NO_SK, LIT("REMOVE v"), NULL, NULL));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_delete(batch, LIT("p"), NO_SK, NULL));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_check(batch, LIT("p"), NO_SK, &cond));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_get(batch, LIT("p"), NO_SK));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_batch_run(f.db, batch, 0, &page, &err));
        }
        if (handles[i] != f.item && handles[i] != f.read) {
            kstone_item *item = (kstone_item *)handles[i];
            CHECK_NULL(kstone_item_clone(item));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_str(item, LIT("a"), LIT("b")));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_set_num(item, LIT("a"), LIT("1"), &err));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_i64(item, LIT("a"), 1));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_f64(item, LIT("a"), 1));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_bin(item, LIT("a"), LIT("b")));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_bool(item, LIT("a"), 1));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_null(item, LIT("a")));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_remove(item, LIT("v")));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_set_json(item, LIT("a"), LIT("1"), KSTONE_JSON_PLAIN, &err));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get(item, LIT("v"), &value));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get_i64(item, LIT("v"), &integer));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_get_f64(item, LIT("v"), &number));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_at(item, 0, &name, &value));
            CHECK_SIZE(0, kstone_item_count(item));
            CHECK_EMPTY(kstone_item_pk(item));
            CHECK_EMPTY(kstone_item_sk(item));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_to_json(item, 0, &text, &len, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put(f.db, LIT("p"), LIT("s"), item, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_if(f.db, LIT("p"), LIT("s"), item, NULL, &out, &err));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_put(f.batch, LIT("p"), NO_SK, item, NULL));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_update(f.batch, LIT("p"), NO_SK, LIT("REMOVE v"), item, NULL));
            CHECK_FAILS(KSTONE_ERR_MISUSE,
                        kstone_update(f.db, LIT("p"), LIT("s"), LIT("REMOVE v"), item, NULL, 0, &out, &err));
            cond.params = item;
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_delete_if(f.db, LIT("p"), LIT("s"), &cond, &out, &err));
            CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_batch_check(f.batch, LIT("p"), NO_SK, &cond));
            spec.params = item;
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_scan(f.db, &spec, &page, &err));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_iter_open(f.db, &spec, &iter, &err));
        }
        if (handles[i] != f.page) {
            kstone_page *wrong = (kstone_page *)handles[i];
            CHECK_SIZE(0, kstone_page_count(wrong));
            CHECK_SIZE(0, kstone_page_scanned(wrong));
            CHECK_NULL(kstone_page_item(wrong, 0));
            CHECK_EMPTY(kstone_page_token(wrong));
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_page_to_json(wrong, 0, &text, &len, &err));
        }
        if (handles[i] != f.iter) {
            CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_iter_next((kstone_iter *)handles[i], &next, &err));
        }
        if (handles[i] != f.error) {
            kstone_error *wrong = (kstone_error *)handles[i];
            CHECK_INT(KSTONE_OK, kstone_error_code(wrong));
            CHECK_STR("", kstone_error_name(wrong));
            CHECK_STR("", kstone_error_message(wrong));
            CHECK_INT(-1, kstone_error_index(wrong));
            CHECK_NULL(kstone_error_item(wrong));
        }
        CHECK_UNTOUCHED(out);
        CHECK_UNTOUCHED(page);
        CHECK_UNTOUCHED(iter);
        CHECK_UNTOUCHED(next);
        CHECK_UNTOUCHED(text);
        CHECK_SIZE(77, len);
        CHECK_INT(77, integer);
        CHECK_F64(77, number);
        CHECK_INT(0, value.type);
    }
    tear_down(f);
}

/* Casts const away, as a careless program would. */
static void *unconst(const void *p) {
    union {
        const void *borrowed;
        void *given;
    } cast;
    cast.borrowed = p;
    return cast.given;
}

static void freeing_what_is_borrowed_does_nothing(void) {
    fixture f = set_up();
    kstone_error *err = NULL;
    kstone_iter *iter = NULL;
    const kstone_item *first = kstone_page_item(f.page, 0);
    const kstone_item *next = NULL;
    int64_t value = 0;
    int round;
    CHECK_OK(kstone_iter_open(f.db, NULL, &iter, &err));
    CHECK_OK(kstone_iter_next(iter, &next, &err));
    for (round = 0; round < 3; round++) {
        kstone_free(unconst(first));
        CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(first, LIT("v"), &value));
        CHECK_INT(1, value);
        kstone_free(unconst(next));
        CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(next, LIT("v"), &value));
        CHECK_INT(1, value);
        kstone_free(unconst(kstone_version()));
        CHECK(strlen(kstone_version()) > 0);
        kstone_free(unconst(kstone_status_text(KSTONE_ERR_IO)));
        CHECK(strlen(kstone_status_text(KSTONE_ERR_IO)) > 0);
        kstone_free(unconst(kstone_status_text(12345)));
        CHECK(strlen(kstone_status_text(12345)) > 0);
        kstone_free(unconst(kstone_error_name(f.error)));
        CHECK_STR("ValidationException", kstone_error_name(f.error));
        kstone_free(unconst(kstone_error_message(f.error)));
        CHECK(strlen(kstone_error_message(f.error)) > 0);
        kstone_free(unconst(kstone_error_name(NULL)));
        kstone_free(unconst(kstone_error_message(NULL)));
    }
    /* An item of a page or an iterator is like any that was read: it can be put, but not changed. */
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_set_i64((kstone_item *)unconst(first), LIT("v"), 2));
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_item_remove((kstone_item *)unconst(next), LIT("v")));
    CHECK_OK(kstone_put(f.db, LIT("q"), NO_SK, first, &err));
    CHECK_OK(kstone_put(f.db, LIT("r"), NO_SK, next, &err));
    CHECK_INT(1, get_number(f.db, "q", NULL));
    CHECK_INT(1, get_number(f.db, "r", NULL));
    kstone_free(iter);
    tear_down(f);
}

int main(void) {
    null_handles_and_outputs_of_databases();
    null_items();
    impossible_names_and_paths();
    impossible_values();
    null_handles_and_outputs_of_reads_and_writes();
    impossible_keys();
    null_handles_of_conditional_writes();
    impossible_keys_and_expressions_of_conditional_writes();
    null_handles_of_batches();
    null_handles_and_outputs_of_pages_and_iterators();
    a_null_spec_scans_everything();
    impossible_bytes_in_a_spec();
    handles_of_the_wrong_kind();
    freeing_what_is_borrowed_does_nothing();
    return check_report();
}
