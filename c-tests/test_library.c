/* The library as such: version, status texts, kstone_free. */
#include "support.h"

static const kstone_status KNOWN[] = {
    KSTONE_OK,           KSTONE_NOT_FOUND,          KSTONE_DONE,         KSTONE_ERR_MISUSE, KSTONE_ERR_INVALID,
    KSTONE_ERR_CONDITION_FAILED, KSTONE_ERR_CONFLICT, KSTONE_ERR_LIMIT,  KSTONE_ERR_TYPE,   KSTONE_ERR_CORRUPT,
    KSTONE_ERR_IO,       KSTONE_ERR_PANIC,          KSTONE_ERR_TRIMMED,
};
#define KNOWN_COUNT (sizeof KNOWN / sizeof KNOWN[0])

static void version_text_and_number_agree(void) {
    unsigned major = 999;
    unsigned minor = 999;
    unsigned patch = 999;
    CHECK(kstone_version() != NULL);
    CHECK_INT(3, sscanf(kstone_version(), "%u.%u.%u", &major, &minor, &patch));
    CHECK_INT(major * 10000 + minor * 100 + patch, kstone_version_number());
    CHECK_PTR(kstone_version(), kstone_version());
}

/* The header's version, which a program is compiled with, is that of the library that is built with it. */
static void the_version_of_the_header_is_that_of_the_library(void) {
    char text[32];
    CHECK_INT(kstone_version_number(), KSTONE_VERSION_NUMBER);
    CHECK(strcmp(kstone_version(), KSTONE_VERSION) == 0);
    snprintf(text, sizeof text, "%d.%d.%d", KSTONE_VERSION_MAJOR, KSTONE_VERSION_MINOR, KSTONE_VERSION_PATCH);
    CHECK(strcmp(KSTONE_VERSION, text) == 0);
}

/* An initialised struct is its size and nothing else: all defaults. */
static void initialisers_say_the_size_and_nothing_else(void) {
    kstone_options options = KSTONE_OPTIONS_INIT;
    kstone_cond cond = KSTONE_COND_INIT;
    kstone_query_spec spec = KSTONE_QUERY_SPEC_INIT;
    kstone_import_spec import = KSTONE_IMPORT_SPEC_INIT;
    static const char ZERO[sizeof(kstone_query_spec)];
    const size_t size = sizeof(size_t);
    CHECK_SIZE(sizeof options, options.struct_size);
    CHECK_SIZE(sizeof cond, cond.struct_size);
    CHECK_SIZE(sizeof spec, spec.struct_size);
    CHECK_SIZE(sizeof import, import.struct_size);
    CHECK(memcmp((const char *)&options + size, ZERO, sizeof options - size) == 0);
    CHECK(memcmp((const char *)&cond + size, ZERO, sizeof cond - size) == 0);
    CHECK(memcmp((const char *)&spec + size, ZERO, sizeof spec - size) == 0);
    CHECK(memcmp((const char *)&import + size, ZERO, sizeof import - size) == 0);
}

/* The numbers are the interface: bindings in other languages write them down. */
static void status_codes_are_the_documented_numbers(void) {
    size_t i;
    CHECK_INT(0, KNOWN[0]);
    CHECK_INT(1, KNOWN[1]);
    CHECK_INT(2, KNOWN[2]);
    for (i = 3; i < KNOWN_COUNT; i++) {
        CHECK_INT(-(intmax_t)(i - 2), KNOWN[i]);
    }
    CHECK_INT(4, sizeof(kstone_status));
}

static void every_status_has_its_own_text(void) {
    size_t i;
    size_t j;
    for (i = 0; i < KNOWN_COUNT; i++) {
        const char *text = kstone_status_text(KNOWN[i]);
        CHECK(text != NULL && text[0] != '\0');
        for (j = 0; j < i; j++) {
            CHECK(strcmp(text, kstone_status_text(KNOWN[j])) != 0);
        }
    }
}

static void unknown_status_has_a_text_too(void) {
    static const kstone_status UNKNOWN[] = {3, 99, -11, -1000, INT32_MIN, INT32_MAX};
    size_t i;
    for (i = 0; i < sizeof UNKNOWN / sizeof UNKNOWN[0]; i++) {
        const char *text = kstone_status_text(UNKNOWN[i]);
        CHECK(text != NULL && text[0] != '\0');
    }
}

static void free_takes_null_and_every_kind(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_query_spec spec = scan_spec();
    kstone_item *item = kstone_item_new();
    kstone_item *clone = kstone_item_clone(item);
    kstone_item *read = NULL;
    kstone_page *page = NULL;
    kstone_iter *iter = NULL;
    char *text = NULL;
    size_t len = 0;
    kstone_free(NULL);
    CHECK(item != NULL);
    CHECK(clone != NULL);
    CHECK_OK(kstone_put(db, LIT("k"), NO_SK, item, &err));
    CHECK_OK(kstone_get(db, LIT("k"), NO_SK, &read, &err));
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    CHECK_OK(kstone_iter_open(db, &spec, &iter, &err));
    CHECK_OK(kstone_stats_json(db, &text, &len, &err));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_put(db, NULL, 0, NO_SK, item, &err));
    CHECK(err != NULL);
    kstone_free(item);
    kstone_free(clone);
    kstone_free(read);
    kstone_free(page);
    kstone_free(iter);
    kstone_free(text);
    kstone_free(err);
    kstone_free(db);
}

int main(void) {
    version_text_and_number_agree();
    the_version_of_the_header_is_that_of_the_library();
    initialisers_say_the_size_and_nothing_else();
    status_codes_are_the_documented_numbers();
    every_status_has_its_own_text();
    unknown_status_has_a_text_too();
    free_takes_null_and_every_kind();
    return check_report();
}
