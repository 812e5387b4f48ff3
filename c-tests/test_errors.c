/* Error objects: when they come, what they say, how long they live. */
#include "support.h"

static void success_leaves_the_error_alone(void) {
    kstone_error *err = UNTOUCHED(kstone_error);
    kstone_db *db = NULL;
    kstone_item *item = kstone_item_new();
    kstone_item *read = NULL;
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    kstone_iter *iter = NULL;
    const kstone_item *next = NULL;
    CHECK_STATUS(KSTONE_OK, kstone_open_memory(NULL, &db, &err));
    CHECK_UNTOUCHED(err);
    CHECK_STATUS(KSTONE_OK, kstone_item_set_num(item, LIT("n"), LIT("1"), &err));
    CHECK_UNTOUCHED(err);
    CHECK_STATUS(KSTONE_OK, kstone_put(db, LIT("k"), NO_SK, item, &err));
    CHECK_UNTOUCHED(err);
    CHECK_STATUS(KSTONE_OK, kstone_get(db, LIT("k"), NO_SK, &read, &err));
    CHECK_UNTOUCHED(err);
    CHECK_STATUS(KSTONE_OK, kstone_scan(db, &spec, &page, &err));
    CHECK_UNTOUCHED(err);
    CHECK_STATUS(KSTONE_OK, kstone_iter_open(db, &spec, &iter, &err));
    CHECK_UNTOUCHED(err);
    CHECK_STATUS(KSTONE_OK, kstone_iter_next(iter, &next, &err));
    CHECK_UNTOUCHED(err);
    CHECK_STATUS(KSTONE_DONE, kstone_iter_next(iter, &next, &err));
    CHECK_UNTOUCHED(err);
    CHECK_STATUS(KSTONE_OK, kstone_delete(db, LIT("k"), NO_SK, &err));
    CHECK_UNTOUCHED(err);
    kstone_free(iter);
    kstone_free(page);
    kstone_free(read);
    kstone_free(item);
    kstone_free(db);
}

static void not_found_is_no_error(void) {
    kstone_error *err = UNTOUCHED(kstone_error);
    kstone_item *out = UNTOUCHED(kstone_item);
    char *text = UNTOUCHED(char);
    size_t len = 77;
    kstone_db *db = open_database(0);
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_get(db, LIT("absent"), NO_SK, &out, &err));
    CHECK_UNTOUCHED(err);
    CHECK_UNTOUCHED(out);
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_get_json(db, LIT("absent"), LIT("s"), 0, &text, &len, &err));
    CHECK_UNTOUCHED(err);
    CHECK_UNTOUCHED(text);
    CHECK_SIZE(77, len);
    kstone_free(db);
}

static void the_error_pointer_may_be_null(void) {
    kstone_db *db = open_database(0);
    kstone_item *out = UNTOUCHED(kstone_item);
    kstone_item *item = kstone_item_new();
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_put(db, NULL, 0, NO_SK, item, NULL));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_get(db, NULL, 0, NO_SK, &out, NULL));
    CHECK_UNTOUCHED(out);
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_from_json(LIT("{"), 0, &out, NULL));
    CHECK_UNTOUCHED(out);
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_open_memory(NULL, NULL, NULL));
    kstone_free(item);
    kstone_free(db);
}

static void errors_carry_code_name_and_message(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = kstone_item_new();
    static const char KEY[2049] = {1};
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_put(db, NULL, 0, NO_SK, item, &err));
    CHECK_INT(KSTONE_ERR_INVALID, kstone_error_code(err));
    CHECK_STR("ValidationException", kstone_error_name(err));
    CHECK(kstone_error_message(err)[0] != '\0');
    CHECK_INT(-1, kstone_error_index(err));
    CHECK_NULL(kstone_error_item(err));
    support_free_error(&err);
    CHECK_FAILS_SAYING(KSTONE_ERR_LIMIT, "2048", kstone_put(db, KEY, sizeof KEY, NO_SK, item, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_LIMIT, "2049", kstone_put(db, KEY, sizeof KEY, NO_SK, item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put(NULL, LIT("k"), NO_SK, item, &err));
    kstone_free(item);
    kstone_free(db);
}

static void an_error_lives_until_it_is_freed(void) {
    kstone_error *first = NULL;
    kstone_error *second = NULL;
    char copy[512] = "";
    kstone_item *out = NULL;
    kstone_db *db = open_database(0);
    const char *message;
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_item_from_json(LIT("{\"a\":{\"Q\":1}}"), 0, &out, &first));
    message = kstone_error_message(first);
    strncat(copy, message, sizeof copy - 1);
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_get(db, NULL, 0, NO_SK, &out, &second));
    kstone_free(db);
    CHECK_STR(copy, kstone_error_message(first));
    CHECK_PTR(message, kstone_error_message(first));
    CHECK(strcmp(copy, kstone_error_message(second)) != 0);
    kstone_free(second);
    CHECK_STR(copy, kstone_error_message(first));
    kstone_free(first);
}

/* An error receives its object wherever the pointer pointed before: the old one is the caller's to free. */
static void an_error_replaces_what_was_there(void) {
    kstone_error *err = UNTOUCHED(kstone_error);
    kstone_db *db = open_database(0);
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_delete(db, NULL, 0, NO_SK, &err));
    CHECK(err != UNTOUCHED(kstone_error));
    CHECK_INT(KSTONE_ERR_INVALID, kstone_error_code(err));
    kstone_free(err);
    kstone_free(db);
}

/* What the caller wrote may come back in a message: as text that a C program can print, whatever the bytes were. */
static void messages_are_printable_text_whatever_the_input(void) {
    static const char JSON[] = "{\"a\\u0000b\":{\"Q\":1}}";
    static const char NUMBER[] = {'1', '\0', 'x'};
    kstone_error *err = NULL;
    kstone_item *out = NULL;
    kstone_item *item = kstone_item_new();
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_from_json(JSON, sizeof JSON - 1, 0, &out, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_set_num(item, LIT("n"), NUMBER, sizeof NUMBER, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "abc", kstone_item_set_num(item, LIT("n"), LIT("abc"), &err));
    kstone_free(item);
}

static void accessors_of_null_are_empty(void) {
    CHECK_INT(KSTONE_OK, kstone_error_code(NULL));
    CHECK_NULL(kstone_error_item(NULL));
    /* NULL or empty: both are fine, a crash is not. */
    CHECK(kstone_error_name(NULL) == NULL || kstone_error_name(NULL)[0] == '\0');
    CHECK(kstone_error_message(NULL) == NULL || kstone_error_message(NULL)[0] == '\0');
    CHECK(kstone_error_index(NULL) <= 0);
}

int main(void) {
    success_leaves_the_error_alone();
    not_found_is_no_error();
    the_error_pointer_may_be_null();
    errors_carry_code_name_and_message();
    an_error_lives_until_it_is_freed();
    an_error_replaces_what_was_there();
    messages_are_printable_text_whatever_the_input();
    accessors_of_null_are_empty();
    return check_report();
}
