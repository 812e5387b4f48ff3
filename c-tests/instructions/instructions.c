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
#include <valgrind/callgrind.h>

#include "instructions.h"

void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

void fail_status(kstone_status found, kstone_status expected, const char *what) {
    fprintf(stderr, "%s: expected status %d, found %d\n", what, (int)expected, (int)found);
    exit(1);
}

void count_after(operation *run, size_t unseen, size_t operations, size_t answer) {
    size_t n;
    for (n = 0; n < unseen; n++) {
        run(n);
    }
    CALLGRIND_START_INSTRUMENTATION;
    for (; n < unseen + operations; n++) {
        run(n);
    }
    CALLGRIND_STOP_INSTRUMENTATION;
    printf("%zu\n", operations * answer);
}

void count_all(operation *run, size_t operations, size_t answer) {
    count_after(run, WARM_UP, operations, answer);
}

void count(operation *run, size_t operations) {
    count_all(run, operations, 1);
}

/* KEYS */

key *keys;

uint64_t scrambled(uint64_t x) {
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

void make_keys(size_t number, unsigned stripes) {
    size_t n;
    keys = calloc(number, sizeof *keys);
    require(keys != NULL, "out of memory");
    for (n = 0; n < number; n++) {
        keys[n] = key_in_stripe((unsigned)(n % stripes), n);
    }
}

/* RECORDS */

kstone_db *db;
kstone_item *item;
kstone_item *params;

void open_with(const char *schema) {
    kstone_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.schema_json = schema;
    options.schema_json_len = KSTONE_STRLEN;
    OK(kstone_open_memory(schema != NULL ? &options : NULL, &db, NULL));
    item = kstone_item_new();
    OK(kstone_item_set_str(item, LIT("v"), LIT(VALUE_TEXT)));
}

void load_points_with(const char *schema, size_t more) {
    size_t n;
    make_keys(RECORDS + more, 1);
    open_with(schema);
    for (n = 0; n < RECORDS; n++) {
        OK(kstone_put(db, PK(&keys[n]), NO_SK, item, NULL));
    }
}

void load_points(size_t more) {
    load_points_with(NULL, more);
}

void load_numbered(size_t more) {
    size_t n;
    make_keys(RECORDS + more, 1);
    open_with(NULL);
    for (n = 0; n < RECORDS; n++) {
        OK(kstone_item_set_i64(item, LIT("n"), (int64_t)(n % 100)));
        OK(kstone_put(db, PK(&keys[n]), NO_SK, item, NULL));
    }
    params = kstone_item_new();
}

void read_page(const kstone_query_spec *spec, size_t expected, page_read *read) {
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

static const workload *const families[] = {read_workloads,     write_workloads, schema_workloads, prepared_workloads,
                                           document_workloads, item_workloads,  account_workloads};

int main(int argc, char **argv) {
    size_t i;
    const workload *each;
    for (i = 0; i < sizeof families / sizeof families[0]; i++) {
        for (each = families[i]; each->name != NULL; each++) {
            if (argc < 2) {
                puts(each->name);
            } else if (strcmp(argv[1], each->name) == 0) {
                each->run();
                kstone_free(params);
                kstone_free(item);
                kstone_free(db);
                free(keys);
                return 0;
            }
        }
    }
    require(argc < 2, "no workload has that name");
    return 0;
}
