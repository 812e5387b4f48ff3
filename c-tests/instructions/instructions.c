/*
 * instructions.c: the workloads whose instructions scripts/instructions counts, one in each run.
 *
 *     valgrind --tool=callgrind --instr-atstart=no instructions <workload>
 *     instructions                    names the workloads
 *
 * Each workload makes its records, does its operation a few times unseen, so that what is done once is done, and then a
 * fixed number of times with callgrind looking on. It prints that number. A call that fails ends the program.
 *
 * Counts repeat exactly: keys follow from a fixed seed, no workload reads a clock, and one thread does everything. All
 * records lie in one stripe (the CRC-32 of the partition key modulo 256): a stripe is a world of its own, so 4,500
 * records in one cost what 1,152,000 cost in all 256. The library's defaults flush after 1,000 records: workloads that
 * write meet flushes and merges in their due share, reads find 500 records in the memtable and the others in runs.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

#include "kstone.h"

/* A literal as pointer and length. */
#define LIT(text) (text), (sizeof(text) - 1)

/* The call succeeds, or the program ends. */
#define OK(call) expect((call), KSTONE_OK, #call)
#define NOT_FOUND(call) expect((call), KSTONE_NOT_FOUND, #call)

enum {
    KEY_BYTES = 16,
    RECORDS = 4500,
    PARTITION_RECORDS = 10,
    PARTITIONS = RECORDS / PARTITION_RECORDS,
    /* Operations that are not counted, at the start of a workload. */
    WARM_UP = 100
};

/* As many bytes as the yardstick's values have. */
#define VALUE_TEXT \
    "anlqptxnwkckbnxxqsoijvwrzjxvdpvnvfaifvbbbrqotgptzahgtfztryrjeahhqkyiywmnywgyyznimlyhskpnkbsdfqwtjgrq"

/* An order with an address and three lines, as an application might store it. */
static const char document[] =
    "{\"address\":{\"city\":\"Utrecht\",\"street\":\"Oudegracht 231\",\"zip\":\"3511 NK\"},\"customer\":\"c-204871\","
    "\"delivered\":false,\"lines\":[{\"amount\":2,\"price\":19.95,\"sku\":\"A-1001\"},{\"amount\":1,\"price\":4.5,"
    "\"sku\":\"B-2040\"},{\"amount\":12,\"price\":0.99,\"sku\":\"C-0007\"}],\"note\":\"Leave it with the neighbours at "
    "number 233, please.\",\"ordered\":\"2024-05-17T09:31:22Z\",\"priority\":3,\"tags\":[\"gift\",\"express\"],"
    "\"total\":56.28,\"weight\":1.25}";

static void expect(kstone_status found, kstone_status expected, const char *what) {
    if (found != expected) {
        fprintf(stderr, "%s: expected status %d, found %d\n", what, (int)expected, (int)found);
        exit(1);
    }
}

static void require(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

/* An operation of a workload, the n-th of it. */
typedef void operation(size_t n);

/* Does the operation unseen, numbers 0 to WARM_UP - 1, and then counted, with the numbers that follow. */
static void count_all(operation *run, size_t operations, size_t answer) {
    size_t n;
    for (n = 0; n < WARM_UP; n++) {
        run(n);
    }
    CALLGRIND_START_INSTRUMENTATION;
    for (; n < WARM_UP + operations; n++) {
        run(n);
    }
    CALLGRIND_STOP_INSTRUMENTATION;
    printf("%zu\n", operations * answer);
}

static void count(operation *run, size_t operations) {
    count_all(run, operations, 1);
}

/* KEYS */

typedef struct key {
    uint8_t bytes[KEY_BYTES];
} key;

static uint64_t scrambled(uint64_t x) {
    x = (x + 1) * 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static unsigned stripe_of(const uint8_t *bytes, size_t len) {
    uint32_t crc = 0xFFFFFFFFu;
    size_t i;
    int bit;
    for (i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
        }
    }
    return ~crc & 0xFF;
}

/* Key number n of those in the stripe: scrambled, with the last two bytes that lead there. */
static key key_in_stripe(unsigned stripe, uint64_t n) {
    key made;
    uint64_t parts[2];
    unsigned tail;
    parts[0] = scrambled(2 * n);
    parts[1] = scrambled(2 * n + 1);
    memcpy(made.bytes, parts, KEY_BYTES);
    for (tail = 0; tail < 0x10000; tail++) {
        made.bytes[KEY_BYTES - 2] = (uint8_t)(tail >> 8);
        made.bytes[KEY_BYTES - 1] = (uint8_t)tail;
        if (stripe_of(made.bytes, KEY_BYTES) == stripe) {
            return made;
        }
    }
    require(0, "no tail leads into the stripe");
    return made;
}

static key *keys;

/* The keys that a workload uses, in so many stripes by turns: made before anything is counted. */
static void make_keys(size_t number, unsigned stripes) {
    size_t n;
    keys = calloc(number, sizeof *keys);
    require(keys != NULL, "out of memory");
    for (n = 0; n < number; n++) {
        keys[n] = key_in_stripe((unsigned)(n % stripes), n);
    }
}

/* Key number n of those loaded, in an order that is not that of loading. */
static const key *loaded_key(size_t n) {
    return &keys[n * 2657 % RECORDS];
}

#define PK(key) (key)->bytes, KEY_BYTES
#define NO_SK NULL, 0

/* RECORDS */

static kstone_db *db;
static kstone_item *item;
static kstone_item *params;

/* An attribute of a value that was read: what it says must be right, and it is touched as a caller would. */
static void check_value(const kstone_item *found) {
    kstone_value value;
    OK(kstone_item_get(found, LIT("v"), &value));
    require(value.bytes.len == sizeof(VALUE_TEXT) - 1, "a value is not what was put");
}

static void open_with(const char *schema) {
    kstone_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.schema_json = schema;
    options.schema_json_len = KSTONE_STRLEN;
    OK(kstone_open_memory(schema != NULL ? &options : NULL, &db, NULL));
    item = kstone_item_new();
    OK(kstone_item_set_str(item, LIT("v"), LIT(VALUE_TEXT)));
}

/* A database of RECORDS points, and keys for so many more. */
static void load_points(size_t more) {
    size_t n;
    make_keys(RECORDS + more, 1);
    open_with(NULL);
    for (n = 0; n < RECORDS; n++) {
        OK(kstone_put(db, PK(&keys[n]), NO_SK, item, NULL));
    }
}

/* PARTITIONS of PARTITION_RECORDS, put in the order of their sort keys' scrambled numbers. */
static void load_partitions(void) {
    size_t i;
    make_keys(PARTITIONS, 1);
    open_with(NULL);
    for (i = 0; i < RECORDS; i++) {
        size_t n = i * 2657 % RECORDS;
        uint64_t sk = scrambled(n % PARTITION_RECORDS);
        OK(kstone_put(db, PK(&keys[n / PARTITION_RECORDS]), &sk, sizeof sk, item, NULL));
    }
}

/* Points with a number n next to v, for expressions. */
static void load_numbered(size_t more) {
    size_t n;
    make_keys(RECORDS + more, 1);
    open_with(NULL);
    for (n = 0; n < RECORDS; n++) {
        OK(kstone_item_set_i64(item, LIT("n"), (int64_t)(n % 100)));
        OK(kstone_put(db, PK(&keys[n]), NO_SK, item, NULL));
    }
    params = kstone_item_new();
}

/* WORKLOADS: reads */

static void get_one(size_t n) {
    kstone_item *found = NULL;
    OK(kstone_get(db, PK(loaded_key(n)), NO_SK, &found, NULL));
    check_value(found);
    kstone_free(found);
}

static void get(void) {
    load_points(0);
    count(get_one, RECORDS);
}

/* The same by a statement that the database knows: what get costs, and what PartiQL adds. */
static void select_one(size_t n) {
    kstone_page *page = NULL;
    const key *binary = loaded_key(n);
    /* A key of UTF-8 would be a text: none begins with such a byte. */
    while ((binary->bytes[0] & 0xC0) != 0x80) {
        binary = loaded_key(++n);
    }
    OK(kstone_item_set_bin(params, LIT("?1"), PK(binary)));
    OK(kstone_execute(db, LIT("SELECT * FROM items WHERE pk = ? AND sk IS MISSING"), params, NULL, 0, &page, NULL));
    require(kstone_page_count(page) == 1, "a key has not one row");
    check_value(kstone_page_item(page, 0));
    kstone_free(page);
}

static void select_by_key(void) {
    load_points(0);
    params = kstone_item_new();
    count(select_one, RECORDS);
}

static void get_absent_one(size_t n) {
    kstone_item *found = NULL;
    NOT_FOUND(kstone_get(db, PK(&keys[RECORDS + n]), NO_SK, &found, NULL));
}

static void get_absent(void) {
    load_points(RECORDS + WARM_UP);
    count(get_absent_one, RECORDS);
}

static void read_page(kstone_query_spec *spec, size_t expected,
                      kstone_status (*read)(const kstone_db *, const kstone_query_spec *, kstone_page **,
                                            kstone_error **)) {
    kstone_page *page = NULL;
    size_t i;
    size_t items;
    OK(read(db, spec, &page, NULL));
    items = kstone_page_count(page);
    require(items == expected, "a page has not as many items as it should");
    for (i = 0; i < items; i++) {
        check_value(kstone_page_item(page, i));
    }
    kstone_free(page);
}

static void query10_one(size_t n) {
    kstone_query_spec spec = {0};
    spec.struct_size = sizeof spec;
    spec.pk = keys[n * 263 % PARTITIONS].bytes;
    spec.pk_len = KEY_BYTES;
    read_page(&spec, PARTITION_RECORDS, kstone_query);
}

static void query10(void) {
    load_partitions();
    count(query10_one, 2000);
}

static void last_one(size_t n) {
    kstone_query_spec spec = {0};
    spec.struct_size = sizeof spec;
    spec.pk = keys[n * 263 % PARTITIONS].bytes;
    spec.pk_len = KEY_BYTES;
    spec.flags = KSTONE_QUERY_REVERSE;
    spec.limit = 1;
    read_page(&spec, 1, kstone_query);
}

static void last(void) {
    load_partitions();
    count(last_one, 2000);
}

static void query_index_one(size_t n) {
    static const char emails[] = "abcdefghij0123456789abcdefghij";
    kstone_query_spec spec = {0};
    spec.struct_size = sizeof spec;
    spec.index = "by-email";
    spec.index_len = KSTONE_STRLEN;
    spec.pk = emails + n % 20;
    spec.pk_len = 10;
    spec.limit = 10;
    read_page(&spec, 10, kstone_query);
}

/* 20 addresses, 225 items of each, and a query reads 10. */
static void query_index(void) {
    static const char emails[] = "abcdefghij0123456789abcdefghij";
    size_t n;
    make_keys(RECORDS, 1);
    open_with("{\"name\":\"items\",\"global_indexes\":[{\"name\":\"by-email\",\"partition_key\":\"email\"}]}");
    for (n = 0; n < RECORDS; n++) {
        OK(kstone_item_set_str(item, LIT("email"), emails + n % 20, 10));
        OK(kstone_put(db, PK(&keys[n]), NO_SK, item, NULL));
    }
    count(query_index_one, 2000);
}

static void scan_one(size_t n) {
    kstone_query_spec spec = {0};
    (void)n;
    spec.struct_size = sizeof spec;
    read_page(&spec, RECORDS, kstone_scan);
}

static void scan(void) {
    load_points(0);
    count_all(scan_one, 10, RECORDS);
}

static void iterate_one(size_t n) {
    kstone_iter *iter = NULL;
    const kstone_item *found = NULL;
    size_t items = 0;
    (void)n;
    OK(kstone_iter_open(db, NULL, &iter, NULL));
    while (kstone_iter_next(iter, &found, NULL) == KSTONE_OK) {
        check_value(found);
        items++;
    }
    require(items == RECORDS, "an iterator has not shown all items");
    kstone_free(iter);
}

static void iterate(void) {
    load_points(0);
    count_all(iterate_one, 10, RECORDS);
}

/* The filter lets every tenth item through. */
static void filter_one(size_t n) {
    kstone_query_spec spec = {0};
    (void)n;
    spec.struct_size = sizeof spec;
    spec.filter = "n >= :n";
    spec.filter_len = KSTONE_STRLEN;
    spec.params = params;
    read_page(&spec, RECORDS / 10, kstone_scan);
}

static void filter(void) {
    load_numbered(0);
    OK(kstone_item_set_i64(params, LIT(":n"), 90));
    count_all(filter_one, 10, RECORDS);
}

/* WORKLOADS: writes */

static void put_one(size_t n) {
    OK(kstone_put(db, PK(&keys[RECORDS + n]), NO_SK, item, NULL));
}

static void put(void) {
    load_points(4 * RECORDS + WARM_UP);
    count(put_one, 4 * RECORDS);
}

static void overwrite_one(size_t n) {
    OK(kstone_put(db, PK(loaded_key(n)), NO_SK, item, NULL));
}

static void overwrite(void) {
    load_points(0);
    count(overwrite_one, 4 * RECORDS);
}

static void delete_one(size_t n) {
    OK(kstone_delete(db, PK(loaded_key(n)), NO_SK, NULL));
}

static void delete(void) {
    load_points(0);
    count(delete_one, RECORDS - WARM_UP);
}

static void put_if_one(size_t n) {
    kstone_cond cond = {0};
    cond.struct_size = sizeof cond;
    cond.expr = "attribute_not_exists(pk)";
    cond.expr_len = KSTONE_STRLEN;
    OK(kstone_put_if(db, PK(&keys[RECORDS + n]), NO_SK, item, &cond, NULL, NULL));
}

static void put_if(void) {
    load_points(4 * RECORDS + WARM_UP);
    count(put_if_one, 4 * RECORDS);
}

static void update_one(size_t n) {
    OK(kstone_update(db, PK(loaded_key(n)), NO_SK, LIT("SET n = n + :n"), params, NULL, KSTONE_RETURN_NONE, NULL,
                     NULL));
}

static void update(void) {
    load_numbered(0);
    OK(kstone_item_set_i64(params, LIT(":n"), 1));
    count(update_one, 2 * RECORDS);
}

static void transact_one(size_t n) {
    kstone_batch *batch = kstone_batch_new();
    size_t i;
    for (i = 0; i < 4; i++) {
        OK(kstone_batch_put(batch, PK(&keys[4 * n + i]), NO_SK, item, NULL));
    }
    OK(kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, NULL, NULL));
    kstone_free(batch);
}

/* Four stripes are written, one record in each. */
static void transact(void) {
    make_keys(4 * RECORDS, 4);
    open_with(NULL);
    count(transact_one, RECORDS - WARM_UP);
}

/* A write on either side of a fork, whose end is part of it. */
static void fork_one(size_t n) {
    kstone_db *fork = NULL;
    OK(kstone_put(db, PK(loaded_key(n)), NO_SK, item, NULL));
    OK(kstone_fork(db, &fork, NULL));
    OK(kstone_put(fork, PK(loaded_key(n + 1)), NO_SK, item, NULL));
    kstone_free(fork);
}

static void fork_and_write(void) {
    load_points(0);
    count(fork_one, 200);
}

/* WORKLOADS: items and JSON */

static void item_one(size_t n) {
    kstone_item *built = kstone_item_new();
    (void)n;
    OK(kstone_item_set_str(built, LIT("v"), LIT(VALUE_TEXT)));
    kstone_free(built);
}

static void build_item(void) {
    count(item_one, 1000);
}

static void item10_one(size_t n) {
    kstone_item *built = kstone_item_new();
    (void)n;
    OK(kstone_item_set_str(built, LIT("city"), LIT("Utrecht")));
    OK(kstone_item_set_str(built, LIT("customer"), LIT("c-204871")));
    OK(kstone_item_set_bool(built, LIT("delivered"), 0));
    OK(kstone_item_set_i64(built, LIT("lines"), 3));
    OK(kstone_item_set_str(built, LIT("note"), LIT("Leave it with the neighbours at number 233, please.")));
    OK(kstone_item_set_str(built, LIT("ordered"), LIT("2024-05-17T09:31:22Z")));
    OK(kstone_item_set_i64(built, LIT("priority"), 3));
    OK(kstone_item_set_str(built, LIT("street"), LIT("Oudegracht 231")));
    OK(kstone_item_set_i64(built, LIT("total"), 5628));
    OK(kstone_item_set_str(built, LIT("zip"), LIT("3511 NK")));
    kstone_free(built);
}

static void build_item10(void) {
    count(item10_one, 1000);
}

static void read10_one(size_t n) {
    kstone_value value;
    int64_t number = 0;
    (void)n;
    OK(kstone_item_get(item, LIT("customer"), &value));
    OK(kstone_item_get(item, LIT("note"), &value));
    OK(kstone_item_get(item, LIT("weight"), &value));
    OK(kstone_item_get(item, LIT("address.city"), &value));
    OK(kstone_item_get(item, LIT("lines[2].sku"), &value));
    OK(kstone_item_get(item, LIT("delivered"), &value));
    OK(kstone_item_get(item, LIT("tags[0]"), &value));
    OK(kstone_item_get_i64(item, LIT("priority"), &number));
    OK(kstone_item_get_i64(item, LIT("lines[1].amount"), &number));
    NOT_FOUND(kstone_item_get(item, LIT("missing"), &value));
}

static void read_item10(void) {
    OK(kstone_item_from_json(LIT(document), KSTONE_JSON_PLAIN, &item, NULL));
    count(read10_one, 1000);
}

static uint32_t json_form;

static void json_in_one(size_t n) {
    kstone_item *read = NULL;
    (void)n;
    OK(kstone_item_from_json(LIT(document), json_form, &read, NULL));
    kstone_free(read);
}

static void json_in(void) {
    json_form = KSTONE_JSON_PLAIN;
    count(json_in_one, 500);
}

static void json_out_one(size_t n) {
    char *text = NULL;
    size_t len = 0;
    (void)n;
    OK(kstone_item_to_json(item, json_form, &text, &len, NULL));
    kstone_free(text);
}

static void json_out(void) {
    json_form = KSTONE_JSON_PLAIN;
    OK(kstone_item_from_json(LIT(document), json_form, &item, NULL));
    count(json_out_one, 500);
}

static char *typed_text;
static size_t typed_len;

static void typed_in_one(size_t n) {
    kstone_item *read = NULL;
    (void)n;
    OK(kstone_item_from_json(typed_text, typed_len, 0, &read, NULL));
    kstone_free(read);
}

static void typed_in(void) {
    OK(kstone_item_from_json(LIT(document), KSTONE_JSON_PLAIN, &item, NULL));
    OK(kstone_item_to_json(item, 0, &typed_text, &typed_len, NULL));
    count(typed_in_one, 500);
    kstone_free(typed_text);
}

static void typed_out(void) {
    json_form = 0;
    OK(kstone_item_from_json(LIT(document), KSTONE_JSON_PLAIN, &item, NULL));
    count(json_out_one, 500);
}

static const struct workload {
    const char *name;
    void (*run)(void);
} workloads[] = {
    {"get", get},
    {"select", select_by_key},
    {"get-absent", get_absent},
    {"query-10", query10},
    {"query-last", last},
    {"query-index", query_index},
    {"scan", scan},
    {"iterate", iterate},
    {"filter", filter},
    {"put", put},
    {"overwrite", overwrite},
    {"delete", delete},
    {"put-if", put_if},
    {"update", update},
    {"transact-4", transact},
    {"fork", fork_and_write},
    {"item-1", build_item},
    {"item-10", build_item10},
    {"item-read-10", read_item10},
    {"json-in", json_in},
    {"json-out", json_out},
    {"json-typed-in", typed_in},
    {"json-typed-out", typed_out},
};

int main(int argc, char **argv) {
    size_t i;
    for (i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        if (argc < 2) {
            puts(workloads[i].name);
        } else if (strcmp(argv[1], workloads[i].name) == 0) {
            workloads[i].run();
            kstone_free(params);
            kstone_free(item);
            kstone_free(db);
            free(keys);
            return 0;
        }
    }
    require(argc < 2, "no workload has that name");
    return 0;
}
