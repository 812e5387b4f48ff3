/* documents.c: items of 1 KB and 20 attributes: filters, and an index that is built and dropped. */
#include "instructions.h"

enum {
    DOCUMENTS = 1000,
    ATTRIBUTES = 20,
    TEXT_BYTES = 42,
    /* How many values an attribute has. */
    DISTINCT = 100
};

/* Attribute number i of document number n: one of a hundred texts. */
static size_t choice(size_t n, size_t i) {
    return (size_t)(scrambled(n * ATTRIBUTES + i) % DISTINCT);
}

static void write_text(char text[TEXT_BYTES + 1], size_t chosen) {
    snprintf(text, TEXT_BYTES + 1, "value-%06u-of-an-attribute-of-a-document", (unsigned)chosen);
}

static void load_documents(void) {
    size_t n;
    size_t i;
    char text[TEXT_BYTES + 1];
    char name[] = "a00";
    make_keys(DOCUMENTS, 1);
    open_with(NULL);
    kstone_free(item);
    item = kstone_item_new();
    for (n = 0; n < DOCUMENTS; n++) {
        for (i = 0; i < ATTRIBUTES; i++) {
            name[1] = (char)('0' + i / 10);
            name[2] = (char)('0' + i % 10);
            write_text(text, choice(n, i));
            OK(kstone_item_set_str(item, name, sizeof name - 1, text, TEXT_BYTES));
        }
        OK(kstone_put(db, PK(&keys[n]), NO_SK, item, NULL));
    }
    params = kstone_item_new();
}

static const char *filter;
static size_t passing;

static void filter_one(size_t n) {
    kstone_query_spec spec = {0};
    kstone_page *page = NULL;
    size_t found = 0;
    (void)n;
    spec.struct_size = sizeof spec;
    spec.filter = filter;
    spec.filter_len = KSTONE_STRLEN;
    spec.params = params;
    do {
        kstone_page *last = page;
        kstone_bytes token;
        OK(kstone_scan(db, &spec, &page, NULL));
        kstone_free(last);
        found += kstone_page_count(page);
        token = kstone_page_token(page);
        spec.token = token.data;
        spec.token_len = token.len;
    } while (spec.token_len > 0);
    kstone_free(page);
    require(found == passing, "a filter does not let through what it should");
}

/* Of the attribute in the middle, that many values are asked for: ":0", ":1" and so on. */
static void filter_documents(const char *text, size_t values) {
    size_t n;
    char name[] = ":0";
    char value[TEXT_BYTES + 1];
    load_documents();
    for (n = 0; n < values; n++) {
        name[1] = (char)('0' + n);
        write_text(value, n);
        OK(kstone_item_set_str(params, name, sizeof name - 1, value, TEXT_BYTES));
    }
    for (n = 0; n < DOCUMENTS; n++) {
        passing += choice(n, 10) < values;
    }
    filter = text;
    count_after(filter_one, 2, 10, DOCUMENTS);
}

static void filter_equal(void) {
    filter_documents("a10 = :0", 1);
}

static void filter_or(void) {
    filter_documents("a10 = :0 OR a10 = :1", 2);
}

static void filter_in(void) {
    filter_documents("a10 IN (:0, :1, :2, :3, :4, :5)", 6);
}

static const char indexed[] =
    "{\"name\":\"items\",\"global_indexes\":[{\"name\":\"by-a10\",\"partition_key\":\"a10\"}]}";

static void index_one(size_t n) {
    (void)n;
    OK(kstone_configure(db, LIT(indexed), NULL));
    OK(kstone_configure(db, NULL, 0, NULL));
}

/* An index comes and goes: of each document, an entry made and dropped. */
static void build_index(void) {
    load_documents();
    count_after(index_one, 1, 5, DOCUMENTS);
}

const workload document_workloads[] = {
    {"filter-doc", filter_equal},
    {"filter-doc-or", filter_or},
    {"filter-doc-in", filter_in},
    {"index-doc", build_index},
    {NULL, NULL},
};
