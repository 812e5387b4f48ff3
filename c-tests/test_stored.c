/*
 * The stored form: items and pages as bytes, bytes as items; golden bytes, buffers of every size, what is refused,
 * and threads that read what others write.
 */
#include "support.h"

#include <pthread.h>

/* {"a": NULL, "n": N 7} */
#define BODY "\x01" "a" "\x05\x00" "\x01" "n" "\x02\x01" "7"
#define BODY_LEN (sizeof(BODY) - 1)

static void put_body(kstone_db *db, const char *pk, const void *sk, size_t sk_len) {
    kstone_error *err = NULL;
    CHECK_OK(kstone_put_bytes(db, pk, strlen(pk), sk, sk_len, LIT(BODY), &err));
}

/* One attribute of every type; the same bytes as docs/stored-form.md says. */
static void every_type_has_its_bytes(void) {
    static const struct {
        const char *json;
        const char *bytes;
        size_t len;
    } GOLDEN[] = {
        {"{\"a\":{\"S\":\"h\\u00e9\"}}", LIT("\x01" "a" "\x01\x03" "h\xc3\xa9")},
        {"{\"a\":{\"N\":\"-1.50E2\"}}", LIT("\x01" "a" "\x02\x04" "-150")},
        {"{\"a\":{\"B\":\"AP8=\"}}", LIT("\x01" "a" "\x03\x02\x00\xff")},
        {"{\"a\":{\"BOOL\":true}}", LIT("\x01" "a" "\x04\x01\x01")},
        {"{\"a\":{\"NULL\":true}}", LIT("\x01" "a" "\x05\x00")},
        {"{\"a\":{\"L\":[{\"N\":\"1\"},{\"S\":\"x\"}]}}", LIT("\x01" "a" "\x06\x06\x02\x01" "1" "\x01\x01" "x")},
        {"{\"a\":{\"M\":{\"b\":{\"BOOL\":true}}}}", LIT("\x01" "a" "\x07\x05\x01" "b" "\x04\x01\x01")},
        {"{\"a\":{\"SS\":[\"b\",\"a\"]}}", LIT("\x01" "a" "\x08\x04\x01" "a" "\x01" "b")},
        {"{\"a\":{\"NS\":[\"10\",\"9\"]}}", LIT("\x01" "a" "\x09\x05\x01" "9" "\x02" "10")},
        {"{\"a\":{\"BS\":[\"Ag==\",\"AQ==\"]}}", LIT("\x01" "a" "\x0a\x04\x01\x01\x01\x02")},
    };
    kstone_error *err = NULL;
    size_t i;
    for (i = 0; i < sizeof GOLDEN / sizeof GOLDEN[0]; i++) {
        kstone_item *item = item_of(GOLDEN[i].json);
        kstone_item *again = NULL;
        kstone_bytes bytes = kstone_item_bytes(item);
        CHECK_MEM(GOLDEN[i].bytes, GOLDEN[i].len, bytes.data, bytes.len);
        CHECK_OK(kstone_item_from_bytes(GOLDEN[i].bytes, GOLDEN[i].len, &again, &err));
        bytes = kstone_item_bytes(again);
        CHECK_MEM(GOLDEN[i].bytes, GOLDEN[i].len, bytes.data, bytes.len);
        kstone_free(again);
        kstone_free(item);
    }
}

/* An item made of bytes is a built one: it changes, and leaves the bytes as they were. */
static void an_item_of_bytes_can_be_changed(void) {
    char body[] = BODY;
    kstone_error *err = NULL;
    kstone_item *item = NULL;
    int64_t n = 0;
    CHECK_OK(kstone_item_from_bytes(body, BODY_LEN, &item, &err));
    memset(body, 0xff, BODY_LEN);
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("n"), &n));
    CHECK_INT(7, n);
    CHECK_STATUS(KSTONE_OK, kstone_item_remove(item, LIT("n")));
    CHECK_BYTES("\x01" "a" "\x05\x00", kstone_item_bytes(item));
    CHECK_STATUS(KSTONE_OK, kstone_item_remove(item, LIT("a")));
    CHECK_EMPTY(kstone_item_bytes(item));
    kstone_free(item);
    CHECK_OK(kstone_item_from_bytes(NULL, 0, &item, &err));
    CHECK_SIZE(0, kstone_item_count(item));
    kstone_free(item);
}

static void bytes_are_borrowed_from_whatever_lends_an_item(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = scan_spec();
    kstone_item *read = NULL;
    kstone_page *page = NULL;
    kstone_iter *iter = NULL;
    const kstone_item *next = NULL;
    put_body(db, "p", NO_SK);
    CHECK_OK(kstone_get(db, LIT("p"), NO_SK, &read, &err));
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    CHECK_STATUS(KSTONE_OK, kstone_iter_next(iter, &next, &err));
    CHECK_OK(kstone_delete(db, LIT("p"), NO_SK, &err));
    kstone_free(db);
    CHECK_BYTES(BODY, kstone_item_bytes(read));
    CHECK_BYTES(BODY, kstone_item_bytes(kstone_page_item(page, 0)));
    CHECK_BYTES(BODY, kstone_item_bytes(next));
    kstone_free(iter);
    kstone_free(page);
    kstone_free(read);
}

static void a_buffer_is_filled_where_the_item_fits(void) {
    static const char UNTOUCHED_BYTES[BODY_LEN + 8] = {0};
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    size_t capacity;
    put_body(db, "p", LIT("s"));
    for (capacity = 0; capacity <= BODY_LEN + 8; capacity++) {
        char buffer[BODY_LEN + 8] = {0};
        size_t len = 0;
        size_t copied = capacity >= BODY_LEN ? BODY_LEN : 0;
        CHECK_OK(kstone_get_bytes(db, LIT("p"), LIT("s"), capacity > 0 ? buffer : NULL, capacity, &len, &err));
        CHECK_SIZE(BODY_LEN, len);
        CHECK_MEM(BODY, copied, buffer, copied);
        CHECK_MEM(UNTOUCHED_BYTES, sizeof buffer - copied, buffer + copied, sizeof buffer - copied);
    }
    kstone_free(db);
}

static void an_absent_item_leaves_the_buffer_alone(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    char buffer[4] = "xyz";
    size_t len = 77;
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_get_bytes(db, LIT("p"), NO_SK, buffer, sizeof buffer, &len, &err));
    CHECK_NULL(err);
    CHECK_SIZE(77, len);
    CHECK_STR("xyz", buffer);
    kstone_free(db);
}

/* Every prefix of a form that is not one, and every byte changed to 0xff, leave the database as it is. */
static void malformed_bytes_change_nothing(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    size_t i;
    for (i = 1; i < BODY_LEN; i++) {
        char body[] = BODY;
        kstone_item *item = UNTOUCHED(kstone_item);
        body[i] = (char)0xff;
        CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "not an item: ",
                           kstone_put_bytes(db, LIT("p"), NO_SK, body, BODY_LEN, &err));
        if (i == 4) {
            continue; /* The first four bytes are an item of their own. */
        }
        CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, " at byte ", kstone_item_from_bytes(BODY, i, &item, &err));
        CHECK_UNTOUCHED(item);
        CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put_bytes(db, LIT("p"), NO_SK, BODY, i, &err));
    }
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "the attribute pk must equal the item's key",
                       kstone_put_bytes(db, LIT("p"), NO_SK, LIT("\x02" "pk" "\x01\x01" "q"), &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_put_bytes(db, NULL, 0, NO_SK, LIT(BODY), &err));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_get_bytes(db, LIT("p"), NO_SK, NULL, 0, &i, &err));
    kstone_free(db);
}

static void misuse_is_told(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = UNTOUCHED(kstone_item);
    char buffer[64];
    size_t len = 77;
    put_body(db, "p", NO_SK);
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_from_bytes(NULL, 1, &item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_from_bytes(BODY, KSTONE_STRLEN, &item, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_item_from_bytes(LIT(BODY), NULL, &err));
    CHECK_UNTOUCHED(item);
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_bytes(NULL, LIT("q"), NO_SK, LIT(BODY), &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_bytes(db, LIT("q"), NO_SK, NULL, 4, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_bytes(db, NULL, 1, NO_SK, LIT(BODY), &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get_bytes(NULL, LIT("p"), NO_SK, buffer, sizeof buffer, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get_bytes(db, NULL, 1, NO_SK, buffer, sizeof buffer, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get_bytes(db, LIT("p"), NO_SK, NULL, 1, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_get_bytes(db, LIT("p"), NO_SK, buffer, sizeof buffer, NULL, &err));
    CHECK_SIZE(77, len);
    CHECK_EMPTY(kstone_item_bytes(NULL));
    CHECK_EMPTY(kstone_item_bytes((const kstone_item *)db));
    CHECK_EMPTY(kstone_page_bytes(NULL));
    CHECK_EMPTY(kstone_page_bytes((const kstone_page *)db));
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_get_bytes(db, LIT("q"), NO_SK, NULL, 0, &len, &err));
    kstone_free(db);
}

/* A page's buffer, read head by head, against the page's items read one by one. */
static void check_page_bytes(const kstone_page *page) {
    kstone_bytes rest = kstone_page_bytes(page);
    const uint8_t *at = rest.data;
    const uint8_t *end = rest.len > 0 ? at + rest.len : at;
    size_t i;
    for (i = 0; i < kstone_page_count(page) && end - at >= 8; i++) {
        const kstone_item *item = kstone_page_item(page, i);
        size_t pk_len = at[0] | (size_t)at[1] << 8;
        size_t sk_len = at[2] | (size_t)at[3] << 8;
        size_t body_len = at[4] | (size_t)at[5] << 8 | (size_t)at[6] << 16 | (size_t)at[7] << 24;
        at += 8;
        if (item == NULL) {
            CHECK(pk_len == 0 && sk_len == 0 && body_len == 0xFFFFFFFF);
        } else {
            CHECK(pk_len + sk_len + body_len <= (size_t)(end - at));
            CHECK_MEM(kstone_item_pk(item).data, kstone_item_pk(item).len, at, pk_len);
            CHECK_MEM(kstone_item_sk(item).data, kstone_item_sk(item).len, at + pk_len, sk_len);
            at += pk_len + sk_len;
            CHECK_MEM(kstone_item_bytes(item).data, kstone_item_bytes(item).len, at, body_len);
            at += body_len;
        }
    }
    CHECK_SIZE(kstone_page_count(page), i);
    CHECK_PTR(end, at);
}

static void a_page_is_one_buffer(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = query_spec(LIT("p"));
    kstone_batch *batch = kstone_batch_new();
    kstone_page *query = NULL;
    kstone_page *scan = NULL;
    kstone_page *gets = NULL;
    kstone_page *empty = NULL;
    char pk[2048];
    char sk[1024];
    memset(pk, 'k', sizeof pk);
    memset(sk, 0xff, sizeof sk);
    put_body(db, "p", NO_SK);
    put_body(db, "p", LIT("a\0b"));
    CHECK_OK(kstone_put_bytes(db, LIT("p"), LIT("empty"), NULL, 0, &err));
    CHECK_OK(kstone_put_bytes(db, pk, sizeof pk, sk, sizeof sk, LIT(BODY), &err));
    CHECK_OK(kstone_query(db, &spec, &query, &err));
    CHECK_OK(kstone_scan(db, NULL, &scan, &err));
    CHECK_STATUS(KSTONE_OK, kstone_batch_get(batch, LIT("absent"), NO_SK));
    CHECK_STATUS(KSTONE_OK, kstone_batch_get(batch, LIT("p"), NO_SK));
    CHECK_STATUS(KSTONE_OK, kstone_batch_get(batch, LIT("p"), LIT("absent")));
    CHECK_OK(kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, &gets, &err));
    spec = query_spec(LIT("absent"));
    CHECK_OK(kstone_query(db, &spec, &empty, &err));
    kstone_free(db);
    CHECK_SIZE(3, kstone_page_count(query));
    CHECK_SIZE(4, kstone_page_count(scan));
    CHECK_SIZE(3, kstone_page_count(gets));
    check_page_bytes(query);
    check_page_bytes(scan);
    check_page_bytes(gets);
    CHECK_PTR(kstone_page_bytes(scan).data, kstone_page_bytes(scan).data);
    CHECK_EMPTY(kstone_page_bytes(empty));
    kstone_free(empty);
    kstone_free(gets);
    kstone_free(scan);
    kstone_free(query);
    kstone_free(batch);
}

static void *put_texts(void *arg) {
    kstone_db *db = (kstone_db *)arg;
    kstone_error *err = NULL;
    size_t round;
    for (round = 0; round < test_scale(20000); round++) {
        char body[200] = {1, 'a', 1, 0};
        size_t len = 1 + round * 7 % 127;
        body[3] = (char)len;
        memset(body + 4, (int)len, len);
        CHECK_OK(kstone_put_bytes(db, LIT("p"), NO_SK, body, 4 + len, &err));
    }
    return NULL;
}

/* One thread puts texts of n bytes n; what another reads is always one of them, whole. */
static void readers_see_whole_items(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(10);
    pthread_t writer;
    size_t round;
    CHECK_OK(kstone_put_bytes(db, LIT("p"), NO_SK, LIT("\x01" "a" "\x01\x01\x01"), &err));
    CHECK_INT(0, pthread_create(&writer, NULL, put_texts, db));
    for (round = 0; round < test_scale(20000); round++) {
        unsigned char body[200];
        unsigned char expected[200];
        size_t len = 0;
        CHECK_OK(kstone_get_bytes(db, LIT("p"), NO_SK, body, sizeof body, &len, &err));
        memset(expected, body[3], sizeof expected);
        CHECK_MEM(expected, body[3], body + 4, len - 4);
    }
    CHECK_INT(0, pthread_join(writer, NULL));
    kstone_free(db);
}

int main(void) {
    every_type_has_its_bytes();
    an_item_of_bytes_can_be_changed();
    bytes_are_borrowed_from_whatever_lends_an_item();
    a_buffer_is_filled_where_the_item_fits();
    an_absent_item_leaves_the_buffer_alone();
    malformed_bytes_change_nothing();
    misuse_is_told();
    a_page_is_one_buffer();
    readers_see_whole_items();
    return check_report();
}
