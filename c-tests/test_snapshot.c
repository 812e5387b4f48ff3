/* Snapshots: there and back, damage, what files can do wrong, progress under threads. */
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

/* A directory of this test alone, and a file in it. */
static char directory[64];
static char path[96];

static void make_directory(void) {
    strcpy(directory, "/tmp/kstone-test-XXXXXX");
    if (mkdtemp(directory) == NULL) {
        perror("mkdtemp");
        exit(1);
    }
    snprintf(path, sizeof path, "%s/db.kstone", directory);
}

static kstone_db *open_with_schema(const char *schema) {
    kstone_options options = default_options();
    kstone_db *db = NULL;
    kstone_error *err = NULL;
    options.schema_json = schema;
    options.schema_json_len = KSTONE_STRLEN;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    return db;
}

static void put_json(kstone_db *db, const char *pk, const char *json) {
    kstone_error *err = NULL;
    kstone_item *item = item_of(json);
    CHECK_OK(kstone_put(db, pk, strlen(pk), NO_SK, item, &err));
    kstone_free(item);
}

static size_t count_items(const kstone_db *db) {
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    kstone_error *err = NULL;
    size_t count;
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    count = kstone_page_count(page);
    kstone_free(page);
    return count;
}

static void items_schema_and_indexes_come_back(void) {
    static const char SCHEMA[] =
        "{\"name\":\"people\",\"global_indexes\":[{\"name\":\"by-city\",\"partition_key\":\"city\"}]}";
    kstone_db *db = open_with_schema(SCHEMA);
    kstone_db *again = open_database(0);
    kstone_error *err = NULL;
    kstone_query_spec spec = query_spec("Oslo", 4);
    kstone_page *page = NULL;
    kstone_item *found = NULL;
    kstone_item *binary = item_of("{\"v\":{\"B\":\"AP8=\"}}");
    put_json(db, "ann", "{\"city\":{\"S\":\"Oslo\"}}");
    put_json(db, "bob", "{\"city\":{\"S\":\"Rome\"}}");
    CHECK_OK(kstone_put(db, LIT("\0\xff"), LIT("\xff\0"), binary, &err));
    CHECK_OK(kstone_snapshot_save(db, path, KSTONE_STRLEN, &err));
    CHECK_OK(kstone_snapshot_load(again, path, strlen(path), &err));
    CHECK_SIZE(3, count_items(again));
    CHECK_OK(kstone_get(again, LIT("\0\xff"), LIT("\xff\0"), &found, &err));
    CHECK_SIZE(1, kstone_item_count(found));
    spec.index = "by-city";
    spec.index_len = KSTONE_STRLEN;
    CHECK_OK(kstone_query(again, &spec, &page, &err));
    CHECK_SIZE(1, kstone_page_count(page));
    kstone_free(page);
    kstone_free(found);
    kstone_free(binary);
    kstone_free(again);
    kstone_free(db);
}

static void a_snapshot_is_loaded_into_an_empty_database_alone(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    put_json(db, "a", "{}");
    CHECK_OK(kstone_snapshot_save(db, path, KSTONE_STRLEN, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "empty", kstone_snapshot_load(db, path, KSTONE_STRLEN, &err));
    CHECK_SIZE(1, count_items(db));
    CHECK_OK(kstone_clear(db, &err));
    CHECK_OK(kstone_snapshot_load(db, path, KSTONE_STRLEN, &err));
    CHECK_SIZE(1, count_items(db));
    kstone_free(db);
}

static unsigned char *read_file(size_t *len) {
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = malloc(1 << 16);
    *len = fread(bytes, 1, 1 << 16, file);
    fclose(file);
    return bytes;
}

static void write_file(const unsigned char *bytes, size_t len) {
    FILE *file = fopen(path, "wb");
    CHECK_SIZE(len, fwrite(bytes, 1, len, file));
    CHECK_INT(0, fclose(file));
}

/* Every byte of it, one after the other, and every length. */
static void damage_is_found_wherever_it_is(void) {
    kstone_db *db = open_database(0);
    kstone_db *again = open_database(0);
    kstone_error *err = NULL;
    unsigned char *bytes;
    size_t len, at;
    put_json(db, "a", "{\"v\":{\"S\":\"some text\"}}");
    CHECK_OK(kstone_snapshot_save(db, path, KSTONE_STRLEN, &err));
    bytes = read_file(&len);
    for (at = 0; at < len; at++) {
        bytes[at] = (unsigned char)(bytes[at] ^ (1U << (at % 8)));
        write_file(bytes, len);
        CHECK_FAILS_SAYING(KSTONE_ERR_CORRUPT, path, kstone_snapshot_load(again, path, KSTONE_STRLEN, &err));
        bytes[at] = (unsigned char)(bytes[at] ^ (1U << (at % 8)));
        write_file(bytes, at);
        CHECK_FAILS_SAYING(KSTONE_ERR_CORRUPT, "byte", kstone_snapshot_load(again, path, KSTONE_STRLEN, &err));
    }
    CHECK_SIZE(0, count_items(again));
    write_file(bytes, len);
    CHECK_OK(kstone_snapshot_load(again, path, KSTONE_STRLEN, &err));
    CHECK_SIZE(1, count_items(again));
    free(bytes);
    kstone_free(again);
    kstone_free(db);
}

static void files_that_cannot_be_are_named(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    char missing[128];
    snprintf(missing, sizeof missing, "%s/missing/db.kstone", directory);
    CHECK_FAILS_SAYING(KSTONE_ERR_IO, missing, kstone_snapshot_save(db, missing, KSTONE_STRLEN, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_IO, "No such file", kstone_snapshot_load(db, missing, KSTONE_STRLEN, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_IO, "directory", kstone_snapshot_load(db, directory, KSTONE_STRLEN, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "not a file", kstone_snapshot_save(db, directory, KSTONE_STRLEN, &err));
    kstone_free(db);
}

static void paths_that_are_none_are_refused(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "path is empty", kstone_snapshot_save(db, "", KSTONE_STRLEN, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "path is empty", kstone_snapshot_save(db, NULL, 0, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "NUL at offset 1", kstone_snapshot_load(db, LIT("a\0b"), &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "path is NULL", kstone_snapshot_load(db, NULL, KSTONE_STRLEN, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_MISUSE, "path is NULL", kstone_snapshot_load(db, NULL, 3, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_snapshot_save(NULL, path, KSTONE_STRLEN, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_snapshot_load(NULL, path, KSTONE_STRLEN, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_snapshot_progress(NULL, NULL, NULL, &err));
    kstone_free(db);
}

static void a_path_need_not_be_text(void) {
    kstone_db *db = open_database(0);
    kstone_db *again = open_database(0);
    kstone_error *err = NULL;
    char odd[128];
    snprintf(odd, sizeof odd, "%s/\xff\xfe caf\xe9", directory);
    put_json(db, "a", "{}");
    CHECK_OK(kstone_snapshot_save(db, odd, KSTONE_STRLEN, &err));
    CHECK_OK(kstone_snapshot_load(again, odd, strlen(odd), &err));
    CHECK_SIZE(1, count_items(again));
    CHECK_INT(0, unlink(odd));
    kstone_free(again);
    kstone_free(db);
}

static void *save_often(void *argument) {
    kstone_db *db = argument;
    kstone_error *err = NULL;
    size_t i;
    for (i = 0; i < test_scale(20); i++) {
        CHECK_OK(kstone_snapshot_save(db, path, KSTONE_STRLEN, &err));
    }
    return NULL;
}

static void *put_often(void *argument) {
    kstone_db *db = argument;
    size_t i;
    for (i = 0; i < test_scale(2000); i++) {
        char pk[32];
        snprintf(pk, sizeof pk, "item#%zu", i % 100);
        put_json(db, pk, i % 2 == 0 ? "{\"v\":{\"S\":\"even\"}}" : "{\"v\":{\"S\":\"odd\"}}");
    }
    return NULL;
}

/* One thread saves, one writes, this one polls; what was saved last is whole. */
static void progress_is_polled_while_others_save_and_write(void) {
    kstone_db *db = open_database(10);
    kstone_db *again = open_database(0);
    kstone_error *err = NULL;
    pthread_t saver, writer;
    uint64_t done = 1, total = 1;
    size_t i;
    CHECK_OK(kstone_snapshot_progress(db, &done, &total, &err));
    CHECK(done == 0 && total == 0);
    put_json(db, "item#0", "{}");
    CHECK_INT(0, pthread_create(&saver, NULL, save_often, db));
    CHECK_INT(0, pthread_create(&writer, NULL, put_often, db));
    for (i = 0; i < test_scale(1000); i++) {
        CHECK_OK(kstone_snapshot_progress(db, &done, &total, &err));
        CHECK(done <= total && total <= 100);
    }
    pthread_join(saver, NULL);
    pthread_join(writer, NULL);
    CHECK_OK(kstone_snapshot_progress(db, &done, NULL, &err));
    CHECK_OK(kstone_snapshot_progress(db, NULL, &total, &err));
    CHECK(done == total && total >= 1);
    CHECK_OK(kstone_snapshot_load(again, path, KSTONE_STRLEN, &err));
    CHECK_SIZE((size_t)total, count_items(again));
    kstone_free(again);
    kstone_free(db);
}

int main(void) {
    make_directory();
    items_schema_and_indexes_come_back();
    a_snapshot_is_loaded_into_an_empty_database_alone();
    damage_is_found_wherever_it_is();
    files_that_cannot_be_are_named();
    paths_that_are_none_are_refused();
    a_path_need_not_be_text();
    progress_is_polled_while_others_save_and_write();
    CHECK_INT(0, unlink(path));
    /* Nothing else was left in it. */
    CHECK_INT(0, rmdir(directory));
    return check_report();
}
