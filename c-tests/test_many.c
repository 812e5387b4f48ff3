/*
 * test_many.c: many items in one call, and one attribute copied out.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { KEY_BYTES = 12 };

/* `count` keys "k0", "k1" and so on, as arrays. */
typedef struct keys {
    char (*bytes)[KEY_BYTES];
    const void **pks;
    size_t *pk_lens;
    size_t count;
} keys;

static keys make_keys(size_t count) {
    keys made;
    size_t i;
    made.bytes = calloc(count + 1, sizeof *made.bytes);
    made.pks = calloc(count + 1, sizeof *made.pks);
    made.pk_lens = calloc(count + 1, sizeof *made.pk_lens);
    made.count = count;
    if (made.bytes == NULL || made.pks == NULL || made.pk_lens == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    for (i = 0; i < count; i++) {
        made.pk_lens[i] = (size_t)snprintf(made.bytes[i], KEY_BYTES, "k%zu", i);
        made.pks[i] = made.bytes[i];
    }
    return made;
}

static void free_keys(keys *of) {
    free(of->bytes);
    free(of->pks);
    free(of->pk_lens);
}

static kstone_item *number_item(int64_t value) {
    kstone_item *item = kstone_item_new();
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item, LIT("v"), value));
    return item;
}

static int64_t number_of(const kstone_item *item) {
    int64_t value = INT64_MIN;
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item, LIT("v"), &value));
    return value;
}

/* Every third key is absent; some come twice; there are more than a group, and keys of one partition. */
static void what_is_put_together_is_got_together(void) {
    enum { COUNT = 1000 };
    kstone_error *err = NULL;
    kstone_db *db = open_database(16);
    keys of = make_keys(COUNT);
    const kstone_item *items[COUNT];
    kstone_item *out[COUNT];
    size_t i, round;
    for (i = 0; i < COUNT; i++) {
        items[i] = number_item((int64_t)i);
        out[i] = UNTOUCHED(kstone_item);
    }
    CHECK_OK(kstone_put_many(db, of.pks, of.pk_lens, NULL, NULL, items, COUNT, &err));
    for (i = 0; i < COUNT; i += 3) {
        CHECK_OK(kstone_delete(db, of.pks[i], of.pk_lens[i], NO_SK, &err));
    }
    of.pks[COUNT - 1] = of.pks[1];
    of.pk_lens[COUNT - 1] = of.pk_lens[1];
    for (round = 0; round < 2; round++) {
        CHECK_OK(kstone_get_many(db, of.pks, of.pk_lens, NULL, NULL, COUNT, out, &err));
        for (i = 0; i < COUNT - 1; i++) {
            if (i % 3 == 0) {
                CHECK_NULL(out[i]);
            } else {
                CHECK_INT((int64_t)i, number_of(out[i]));
            }
        }
        CHECK_INT(1, number_of(out[COUNT - 1]));
        for (i = 0; i < COUNT; i++) {
            kstone_free(out[i]);
        }
        CHECK_OK(kstone_compact(db, &err));
    }
    for (i = 0; i < COUNT; i++) {
        kstone_free((void *)(uintptr_t)items[i]);
    }
    free_keys(&of);
    kstone_free(db);
}

static void sort_keys_are_taken_and_the_last_of_one_key_stays(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    const void *pks[] = {"p", "p", "q", "p"}, *sks[] = {"a", "b", NULL, "a"};
    const size_t pk_lens[] = {1, 1, 1, 1}, sk_lens[] = {1, 1, 0, 1};
    const kstone_item *items[4];
    kstone_item *out[4];
    size_t i;
    for (i = 0; i < 4; i++) {
        items[i] = number_item((int64_t)i);
    }
    CHECK_OK(kstone_put_many(db, pks, pk_lens, sks, sk_lens, items, 4, &err));
    CHECK_OK(kstone_get_many(db, pks, pk_lens, sks, sk_lens, 4, out, &err));
    CHECK_INT(3, number_of(out[0]));
    CHECK_INT(1, number_of(out[1]));
    CHECK_INT(2, number_of(out[2]));
    CHECK_INT(3, number_of(out[3]));
    CHECK_BYTES("b", kstone_item_sk(out[1]));
    for (i = 0; i < 4; i++) {
        kstone_free(out[i]);
        kstone_free((void *)(uintptr_t)items[i]);
    }
    kstone_free(db);
}

static void nothing_at_all_is_fine(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    CHECK_OK(kstone_get_many(db, NULL, NULL, NULL, NULL, 0, NULL, &err));
    CHECK_OK(kstone_put_many(db, NULL, NULL, NULL, NULL, NULL, 0, &err));
    kstone_free(db);
}

/* The call fails with this status and says that it is element `at`. */
static void check_fails_at(kstone_status expected, int at, kstone_status found, kstone_error **err, int line) {
    if (found != expected || kstone_error_index(*err) != at) {
        fprintf(stderr, "line %d: expected %d at %d, found %d at %d: %s\n", line, (int)expected, at, (int)found,
                (int)kstone_error_index(*err), kstone_error_message(*err));
    }
    CHECK(found == expected && kstone_error_index(*err) == at);
    kstone_free(*err);
    *err = NULL;
}
#define FAILS_AT(status, at, call) check_fails_at((status), (at), (call), &err, __LINE__)

static void a_wrong_element_is_named_and_nothing_changes(void) {
    static char long_key[2049];
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    const void *pks[] = {"a", "b", "c"}, *sks[] = {NULL, NULL, NULL};
    size_t pk_lens[] = {1, 1, 1}, sk_lens[] = {0, 0, 0};
    kstone_item *fine = number_item(1), *lying = number_item(2), *out[3];
    const kstone_item *items[3];
    size_t i;
    uint64_t count = 1;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(lying, LIT("pk"), LIT("another")));
    for (i = 0; i < 3; i++) {
        items[i] = fine;
        out[i] = UNTOUCHED(kstone_item);
    }
    pk_lens[2] = 0;
    FAILS_AT(KSTONE_ERR_INVALID, 2, kstone_put_many(db, pks, pk_lens, NULL, NULL, items, 3, &err));
    FAILS_AT(KSTONE_ERR_INVALID, 2, kstone_get_many(db, pks, pk_lens, NULL, NULL, 3, out, &err));
    pk_lens[2] = 1;
    pks[1] = long_key;
    pk_lens[1] = sizeof long_key;
    FAILS_AT(KSTONE_ERR_LIMIT, 1, kstone_put_many(db, pks, pk_lens, NULL, NULL, items, 3, &err));
    FAILS_AT(KSTONE_ERR_LIMIT, 1, kstone_get_many(db, pks, pk_lens, NULL, NULL, 3, out, &err));
    pks[1] = NULL;
    pk_lens[1] = 1;
    FAILS_AT(KSTONE_ERR_MISUSE, 1, kstone_put_many(db, pks, pk_lens, NULL, NULL, items, 3, &err));
    FAILS_AT(KSTONE_ERR_MISUSE, 1, kstone_get_many(db, pks, pk_lens, NULL, NULL, 3, out, &err));
    pks[1] = "b";
    sk_lens[0] = KSTONE_STRLEN;
    sks[0] = "s";
    FAILS_AT(KSTONE_ERR_MISUSE, 0, kstone_put_many(db, pks, pk_lens, sks, sk_lens, items, 3, &err));
    FAILS_AT(KSTONE_ERR_MISUSE, 0, kstone_get_many(db, pks, pk_lens, sks, sk_lens, 3, out, &err));
    items[2] = lying;
    FAILS_AT(KSTONE_ERR_INVALID, 2, kstone_put_many(db, pks, pk_lens, NULL, NULL, items, 3, &err));
    items[2] = NULL;
    FAILS_AT(KSTONE_ERR_MISUSE, 2, kstone_put_many(db, pks, pk_lens, NULL, NULL, items, 3, &err));
    items[2] = fine;
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_put_many(NULL, pks, pk_lens, NULL, NULL, items, 3, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "pks", kstone_put_many(db, NULL, pk_lens, NULL, NULL, items, 3, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "pk_lens", kstone_get_many(db, pks, NULL, NULL, NULL, 3, out, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "sk_lens", kstone_get_many(db, pks, pk_lens, sks, NULL, 3, out, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "sks", kstone_get_many(db, pks, pk_lens, NULL, sk_lens, 3, out, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "items", kstone_put_many(db, pks, pk_lens, NULL, NULL, NULL, 3, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "out", kstone_get_many(db, pks, pk_lens, NULL, NULL, 3, NULL, &err));
    for (i = 0; i < 3; i++) {
        CHECK_UNTOUCHED(out[i]);
    }
    CHECK_OK(kstone_count(db, &count, &err));
    CHECK_SIZE(0, (size_t)count);
    kstone_free(fine);
    kstone_free(lying);
    kstone_free(db);
}

static kstone_db *database_of(const char *schema) {
    kstone_error *err = NULL;
    kstone_options options = default_options();
    kstone_db *db = NULL;
    options.schema_json = schema;
    options.schema_json_len = KSTONE_STRLEN;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    return db;
}

/* What an item means besides itself: entries of an index, changes of a stream, and its end. */
static void schemas_hold_for_many_as_for_one(void) {
    kstone_error *err = NULL;
    kstone_db *db = database_of("{\"global_indexes\":[{\"name\":\"by-v\",\"partition_key\":\"v\"}],\"ttl_attribute\":"
                                "\"until\",\"stream\":{\"view_type\":\"NEW_IMAGE\"}}");
    const void *pks[] = {"lives", "ended", "other"};
    const size_t pk_lens[] = {5, 5, 5};
    kstone_item *lives = number_item(7), *ended = number_item(7), *wrong = kstone_item_new(), *out[3];
    const kstone_item *items[3];
    uint64_t entries = 0;
    size_t i;
    CHECK_OK(kstone_set_time(db, 1000, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(lives, LIT("until"), 2000));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(ended, LIT("until"), 1500));
    CHECK_STATUS(KSTONE_OK, kstone_item_set_bool(wrong, LIT("v"), 1));
    items[0] = lives;
    items[1] = ended;
    items[2] = wrong;
    FAILS_AT(KSTONE_ERR_INVALID, 2, kstone_put_many(db, pks, pk_lens, NULL, NULL, items, 3, &err));
    CHECK_OK(kstone_stat(db, KSTONE_STAT_INDEX_ENTRIES, &entries, &err));
    CHECK_SIZE(0, (size_t)entries);
    CHECK_OK(kstone_put_many(db, pks, pk_lens, NULL, NULL, items, 2, &err));
    CHECK_OK(kstone_stat(db, KSTONE_STAT_INDEX_ENTRIES, &entries, &err));
    CHECK_SIZE(2, (size_t)entries);
    CHECK_OK(kstone_get_many(db, pks, pk_lens, NULL, NULL, 3, out, &err));
    CHECK(out[0] != NULL && out[1] != NULL && out[2] == NULL);
    for (i = 0; i < 3; i++) {
        kstone_free(out[i]);
    }
    CHECK_OK(kstone_set_time(db, 1600, &err));
    CHECK_OK(kstone_get_many(db, pks, pk_lens, NULL, NULL, 3, out, &err));
    CHECK(out[0] != NULL && out[1] == NULL && out[2] == NULL);
    kstone_free(out[0]);
    kstone_free(lives);
    kstone_free(ended);
    kstone_free(wrong);
    kstone_free(db);
}

/* What is read in one call is used as what is read by itself: it is evicted last. */
static void a_limit_holds_and_what_was_got_stays(void) {
    enum { COUNT = 40000 };
    kstone_error *err = NULL;
    kstone_options options = default_options();
    kstone_db *db = NULL;
    keys of = make_keys(COUNT);
    const kstone_item **items = calloc(COUNT, sizeof *items);
    kstone_item *item = number_item(1), *out[16];
    size_t i, from, kept = 0;
    CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("text"), LIT("a text of some length, to fill the memory")));
    for (i = 0; i < COUNT; i++) {
        items[i] = item;
    }
    options.memory_max_bytes = 4u << 20;
    options.eviction = KSTONE_EVICT_LRU;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    for (from = 0; from < COUNT; from += 1000) {
        CHECK_OK(kstone_put_many(db, of.pks + from, of.pk_lens + from, NULL, NULL, items + from, 1000, &err));
        CHECK_OK(kstone_get_many(db, of.pks, of.pk_lens, NULL, NULL, 16, out, &err));
        for (i = 0, kept = 0; i < 16; i++) {
            kept += out[i] != NULL;
            kstone_free(out[i]);
        }
    }
    CHECK_SIZE(16, kept);
    CHECK_OK(kstone_get_many(db, of.pks + 1000, of.pk_lens + 1000, NULL, NULL, 16, out, &err));
    for (i = 0; i < 16; i++) {
        CHECK_NULL(out[i]);
        kstone_free(out[i]);
    }
    kstone_free(db);
    kstone_free(item);
    free(items);
    free_keys(&of);
}

static void a_hundred_thousand_keys_are_one_call(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    size_t count = test_scale(100000), i;
    uint64_t items = 0;
    keys of = make_keys(count);
    kstone_item *item = number_item(3), **out = calloc(count, sizeof(kstone_item *));
    const kstone_item **puts = calloc(count, sizeof *puts);
    for (i = 0; i < count; i++) {
        puts[i] = item;
    }
    CHECK_OK(kstone_put_many(db, of.pks, of.pk_lens, NULL, NULL, puts, count, &err));
    CHECK_OK(kstone_count(db, &items, &err));
    CHECK_SIZE(count, (size_t)items);
    CHECK_OK(kstone_get_many(db, of.pks, of.pk_lens, NULL, NULL, count, out, &err));
    kstone_free(db);
    for (i = 0; i < count; i++) {
        if (out[i] == NULL || kstone_item_pk(out[i]).len != of.pk_lens[i]) {
            CHECK(0);
        }
        kstone_free(out[i]);
    }
    kstone_free(item);
    free(puts);
    free(out);
    free_keys(&of);
}

/* ATTRIBUTES */

static void every_type_is_copied_as_a_value_shows_it(void) {
    static const char *const paths[] = {"s", "n", "b", "t", "f", "z", "l", "m", "ss", "ns", "bs", "l[1]", "m.k.j[0]"};
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_item *item = item_of("{\"s\":{\"S\":\"text\"},\"n\":{\"N\":\"-12.50\"},\"b\":{\"B\":\"AAEC\"},\"t\":{\"BOOL\":"
                                "true},\"f\":{\"BOOL\":false},\"z\":{\"NULL\":true},\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":"
                                "\"two\"}]},\"m\":{\"M\":{\"k\":{\"M\":{\"j\":{\"L\":[{\"S\":\"deep\"}]}}}}},\"ss\":"
                                "{\"SS\":[\"a\",\"b\"]},\"ns\":{\"NS\":[\"1\",\"2\"]},\"bs\":{\"BS\":[\"AA==\"]}}");
    size_t i;
    CHECK_OK(kstone_put(db, LIT("p"), LIT("s"), item, &err));
    for (i = 0; i < sizeof paths / sizeof *paths; i++) {
        kstone_value value = no_value();
        size_t capacity;
        CHECK_STATUS(KSTONE_OK, kstone_item_get(item, paths[i], KSTONE_STRLEN, &value));
        for (capacity = 0; capacity <= value.bytes.len + 2; capacity++) {
            unsigned char buffer[64];
            size_t len = 77, copied = capacity >= value.bytes.len ? value.bytes.len : 0, at;
            uint32_t type = 77;
            memset(buffer, 0xAA, sizeof buffer);
            CHECK_OK(kstone_get_attribute(db, LIT("p"), LIT("s"), paths[i], KSTONE_STRLEN,
                                          capacity > 0 ? buffer : NULL, capacity, &len, &type, &err));
            CHECK_INT(value.type, type);
            CHECK_SIZE(value.bytes.len, len);
            CHECK_MEM(value.bytes.data, copied, buffer, copied);
            for (at = copied; at < sizeof buffer; at++) {
                CHECK(buffer[at] == 0xAA);
            }
        }
    }
    kstone_free(item);
    kstone_free(db);
}

static void absent_items_and_absent_attributes_are_told_apart(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    char buffer[8] = "xyz";
    size_t len = 77;
    uint32_t type = 77;
    put_number(db, "p", NULL, 5);
    CHECK_STATUS(KSTONE_NOT_FOUND,
                 kstone_get_attribute(db, LIT("q"), NO_SK, LIT("v"), buffer, sizeof buffer, &len, &type, &err));
    CHECK_SIZE(77, len);
    CHECK_INT(77, type);
    CHECK_OK(kstone_get_attribute(db, LIT("p"), NO_SK, LIT("w"), buffer, sizeof buffer, &len, &type, &err));
    CHECK_SIZE(0, len);
    CHECK_INT(KSTONE_TYPE_NONE, type);
    len = 77;
    type = 77;
    CHECK_OK(kstone_get_attribute(db, LIT("p"), NO_SK, LIT("v.w[3]"), buffer, sizeof buffer, &len, &type, &err));
    CHECK_SIZE(0, len);
    CHECK_INT(KSTONE_TYPE_NONE, type);
    CHECK_STR("xyz", buffer);
    kstone_free(db);
}

/* Wrong input is told whether the item is there or not. */
static void misuse_of_attributes_is_told(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    char buffer[8] = "xyz";
    size_t len = 77, there;
    uint32_t type = 77;
    put_number(db, "p", NULL, 5);
    for (there = 0; there < 2; there++) {
        const char *pk = there ? "p" : "q";
#define ATTRIBUTE(db, pk, pk_len, ...) kstone_get_attribute((db), (pk), (pk_len), NO_SK, __VA_ARGS__, &err)
        CHECK_FAILS(KSTONE_ERR_MISUSE, ATTRIBUTE(NULL, pk, 1, LIT("v"), buffer, 8, &len, &type));
        CHECK_FAILS(KSTONE_ERR_MISUSE, ATTRIBUTE(db, NULL, 1, LIT("v"), buffer, 8, &len, &type));
        CHECK_FAILS(KSTONE_ERR_INVALID, ATTRIBUTE(db, pk, 0, LIT("v"), buffer, 8, &len, &type));
        CHECK_FAILS(KSTONE_ERR_LIMIT, ATTRIBUTE(db, pk, 3000, LIT("v"), buffer, 8, &len, &type));
        CHECK_FAILS(KSTONE_ERR_MISUSE, ATTRIBUTE(db, pk, 1, NULL, 1, buffer, 8, &len, &type));
        CHECK_FAILS(KSTONE_ERR_INVALID, ATTRIBUTE(db, pk, 1, NULL, 0, buffer, 8, &len, &type));
        CHECK_FAILS(KSTONE_ERR_INVALID, ATTRIBUTE(db, pk, 1, LIT("v."), buffer, 8, &len, &type));
        CHECK_FAILS(KSTONE_ERR_INVALID, ATTRIBUTE(db, pk, 1, LIT("v[x]"), buffer, 8, &len, &type));
        CHECK_FAILS(KSTONE_ERR_INVALID, ATTRIBUTE(db, pk, 1, LIT("v\xff"), buffer, 8, &len, &type));
        CHECK_FAILS(KSTONE_ERR_INVALID, ATTRIBUTE(db, pk, 1, LIT("v.\xff"), buffer, 8, &len, &type));
        CHECK_FAILS(KSTONE_ERR_MISUSE, ATTRIBUTE(db, pk, 1, LIT("v"), NULL, 8, &len, &type));
        CHECK_FAILS(KSTONE_ERR_MISUSE, ATTRIBUTE(db, pk, 1, LIT("v"), buffer, 8, NULL, &type));
        CHECK_FAILS(KSTONE_ERR_MISUSE, ATTRIBUTE(db, pk, 1, LIT("v"), buffer, 8, &len, NULL));
    }
    CHECK_STR("xyz", buffer);
    CHECK(len == 77 && type == 77);
    kstone_free(db);
}

/* THREADS */

/* Puts texts of one letter each, of many lengths, over each other. */
static void *put_texts(void *arg) {
    kstone_db *db = arg;
    kstone_error *err = NULL;
    char text[120];
    size_t round, n = test_scale(20000);
    kstone_item *item = kstone_item_new();
    for (round = 0; round < n; round++) {
        memset(text, 'a' + (int)(round % 26), sizeof text);
        CHECK_STATUS(KSTONE_OK, kstone_item_set_str(item, LIT("t"), text, 1 + round % sizeof text));
        CHECK_OK(kstone_put(db, LIT("p"), NO_SK, item, &err));
        CHECK_OK(kstone_put(db, LIT("q"), NO_SK, item, &err));
    }
    kstone_free(item);
    return NULL;
}

static void readers_see_whole_values_while_others_write(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(8);
    kstone_item *item = item_of("{\"t\":{\"S\":\"a\"}}");
    const void *pks[] = {"p", "absent", "q", "p"};
    const size_t pk_lens[] = {1, 6, 1, 1};
    pthread_t writer;
    size_t round, i, n = test_scale(20000);
    CHECK_OK(kstone_put(db, LIT("p"), NO_SK, item, &err));
    CHECK_OK(kstone_put(db, LIT("q"), NO_SK, item, &err));
    CHECK_INT(0, pthread_create(&writer, NULL, put_texts, db));
    for (round = 0; round < n; round++) {
        char text[120], expected[120];
        size_t len = 0;
        uint32_t type = 0;
        kstone_item *out[4];
        CHECK_OK(kstone_get_attribute(db, LIT("p"), NO_SK, LIT("t"), text, sizeof text, &len, &type, &err));
        memset(expected, text[0], sizeof expected);
        CHECK_MEM(expected, len, text, len);
        CHECK_INT(KSTONE_TYPE_S, type);
        CHECK_OK(kstone_get_many(db, pks, pk_lens, NULL, NULL, 4, out, &err));
        CHECK_NULL(out[1]);
        for (i = 0; i < 4; i += i == 0 ? 2 : 1) {
            kstone_value value = no_value();
            CHECK_STATUS(KSTONE_OK, kstone_item_get(out[i], LIT("t"), &value));
            memset(expected, value.bytes.data[0], sizeof expected);
            CHECK_MEM(expected, value.bytes.len, value.bytes.data, value.bytes.len);
            kstone_free(out[i]);
        }
    }
    CHECK_INT(0, pthread_join(writer, NULL));
    kstone_free(item);
    kstone_free(db);
}

/* What is put may be the stored item itself, which has the length of what takes its place: a held item never changes. */
static void an_item_is_put_over_itself(void) {
    const void *pks[3] = {"k", "k", "k"};
    size_t pk_lens[3] = {1, 1, 1};
    const kstone_item *items[3];
    kstone_error *err = NULL;
    kstone_db *db = open_database(16);
    kstone_item *one = number_item(1);
    kstone_item *two = number_item(2);
    kstone_item *held = NULL;
    kstone_item *now = NULL;
    int i;
    CHECK_OK(kstone_put(db, LIT("k"), NO_SK, one, &err));
    CHECK_OK(kstone_get(db, LIT("k"), NO_SK, &held, &err));
    items[0] = items[2] = held;
    items[1] = two;
    for (i = 0; i < 3; i++) {
        CHECK_OK(kstone_put_many(db, pks, pk_lens, NULL, NULL, items, 3, &err));
        CHECK_OK(kstone_get(db, LIT("k"), NO_SK, &now, &err));
        CHECK_INT(1, number_of(now));
        CHECK_OK(kstone_put_many(db, pks, pk_lens, NULL, NULL, items, 2, &err));
        CHECK_INT(1, number_of(now));
        CHECK_INT(1, number_of(held));
        kstone_free(now);
        CHECK_OK(kstone_get(db, LIT("k"), NO_SK, &now, &err));
        CHECK_INT(2, number_of(now));
        CHECK_OK(kstone_put(db, LIT("k"), NO_SK, now, &err));
        CHECK_OK(kstone_put(db, LIT("k"), NO_SK, one, &err));
        CHECK_INT(2, number_of(now));
        kstone_free(now);
    }
    kstone_free(held);
    kstone_free(two);
    kstone_free(one);
    kstone_free(db);
}

int main(void) {
    an_item_is_put_over_itself();
    what_is_put_together_is_got_together();
    sort_keys_are_taken_and_the_last_of_one_key_stays();
    nothing_at_all_is_fine();
    a_wrong_element_is_named_and_nothing_changes();
    schemas_hold_for_many_as_for_one();
    a_limit_holds_and_what_was_got_stays();
    a_hundred_thousand_keys_are_one_call();
    every_type_is_copied_as_a_value_shows_it();
    absent_items_and_absent_attributes_are_told_apart();
    misuse_of_attributes_is_told();
    readers_see_whole_values_while_others_write();
    return check_report();
}
