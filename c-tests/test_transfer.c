/* Export and import: there and back, key attributes, bad records, options that cannot be. */
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
    snprintf(path, sizeof path, "%s/items.jsonl", directory);
}

static void write_file(const char *text) {
    FILE *file = fopen(path, "wb");
    CHECK_SIZE(strlen(text), fwrite(text, 1, strlen(text), file));
    CHECK_INT(0, fclose(file));
}

static char *read_file(void) {
    char *text = calloc(1, 1 << 16);
    FILE *file = fopen(path, "rb");
    size_t len = fread(text, 1, (1 << 16) - 1, file);
    fclose(file);
    CHECK_SIZE(strlen(text), len);
    return text;
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

static kstone_import_spec import_spec(uint32_t flags) {
    kstone_import_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.flags = flags;
    return spec;
}

static void what_is_exported_comes_back_and_exports_alike(void) {
    static const char JSON[] =
        "{\"b\":{\"B\":\"AP8=\"},\"l\":{\"L\":[{\"N\":\"1.5\"},{\"NULL\":true}]},\"s\":{\"S\":\"x\"}}";
    kstone_db *db = open_database(0);
    kstone_db *again = open_database(0);
    kstone_error *err = NULL;
    kstone_item *item = item_of(JSON);
    kstone_item *found = NULL;
    char *first, *second;
    size_t loaded = 0;
    CHECK_OK(kstone_put(db, LIT("user#1"), LIT("profile"), item, &err));
    CHECK_OK(kstone_put(db, LIT("\0\xff"), LIT("\xff\0"), item, &err));
    CHECK_OK(kstone_export_json(db, path, KSTONE_STRLEN, &err));
    first = read_file();
    CHECK_CONTAINS("{\"Item\":{\"pk\":{\"S\":\"user#1\"},\"sk\":{\"S\":\"profile\"},\"b\":{\"B\":\"AP8=\"},", first);
    CHECK_CONTAINS("{\"Item\":{\"pk\":{\"B\":\"AP8=\"},\"sk\":{\"B\":\"/wA=\"},", first);
    CHECK_OK(kstone_import_json(again, path, strlen(path), NULL, &loaded, NULL, NULL, &err));
    CHECK_SIZE(2, loaded);
    CHECK_OK(kstone_get(again, LIT("\0\xff"), LIT("\xff\0"), &found, &err));
    CHECK_SIZE(3, kstone_item_count(found));
    CHECK_OK(kstone_export_json(again, path, KSTONE_STRLEN, &err));
    second = read_file();
    CHECK_STR(first, second);
    free(first);
    free(second);
    kstone_free(found);
    kstone_free(item);
    kstone_free(again);
    kstone_free(db);
}

static void key_attributes_are_those_that_the_spec_names(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_import_spec spec = import_spec(0);
    kstone_item *found = NULL;
    kstone_value value = no_value();
    write_file("{\"Item\":{\"Artist\":{\"S\":\"Acme\"},\"Year\":{\"N\":\"1998.0\"}}}\r\n\r\n"
               "{\"Artist\":{\"S\":\"Acme\"},\"Year\":{\"N\":\"2001\"}}");
    spec.pk_name = "Artist!";
    spec.pk_name_len = 6;
    spec.sk_name = "Year";
    spec.sk_name_len = KSTONE_STRLEN;
    CHECK_OK(kstone_import_json(db, path, KSTONE_STRLEN, &spec, NULL, NULL, NULL, &err));
    CHECK_SIZE(2, count_items(db));
    CHECK_OK(kstone_get(db, LIT("Acme"), LIT("1998"), &found, &err));
    CHECK_STATUS(KSTONE_OK, kstone_item_get(found, LIT("Year"), &value));
    CHECK_BYTES("1998", value.bytes);
    kstone_free(found);
    kstone_free(db);
}

static void the_first_bad_record_ends_an_import_before_it_begins(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    char place[128];
    size_t loaded = 77, skipped = 77;
    char *reasons = UNTOUCHED(char);
    write_file("{\"pk\":{\"S\":\"a\"}}\n\n{\"pk\":{\"S\":\"b\"},\"n\":{\"N\":\"x\"}}\nnonsense\n");
    snprintf(place, sizeof place, "%s, line 3: ", path);
    CHECK_FAILS_SAYING(KSTONE_ERR_CORRUPT, place,
                       kstone_import_json(db, path, KSTONE_STRLEN, NULL, &loaded, &skipped, &reasons, &err));
    CHECK_SIZE(77, loaded);
    CHECK_SIZE(77, skipped);
    CHECK_UNTOUCHED(reasons);
    CHECK_SIZE(0, count_items(db));
    kstone_free(db);
}

static void bad_records_are_skipped_counted_and_told_of(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_import_spec spec = import_spec(KSTONE_IMPORT_SKIP);
    size_t loaded = 0, skipped = 0;
    char *reasons = NULL;
    write_file("{\"pk\":{\"S\":\"a\"}}\n{\"n\":{\"N\":\"x\"}}\nnonsense\n{\"pk\":{\"S\":\"b\"}}\n");
    CHECK_OK(kstone_import_json(db, path, KSTONE_STRLEN, &spec, &loaded, &skipped, &reasons, &err));
    CHECK_SIZE(2, loaded);
    CHECK_SIZE(2, skipped);
    CHECK_SIZE(2, count_items(db));
    CHECK_CONTAINS("line 2: ", reasons);
    CHECK_CONTAINS("(attribute n, column 11)\nline 3: invalid JSON", reasons);
    kstone_free(reasons);
    write_file("");
    CHECK_OK(kstone_import_json(db, path, KSTONE_STRLEN, &spec, &loaded, &skipped, &reasons, &err));
    CHECK(loaded == 0 && skipped == 0);
    CHECK_STR("", reasons);
    kstone_free(reasons);
    kstone_free(db);
}

static void other_forms_of_json_are_read(void) {
    static const char *const FILES[] = {
        "{\"pk\":\"a\",\"v\":1}\n",
        "[\n {\"pk\": \"a\",\n  \"v\": 1}\n]\n",
        "{\n \"Items\": [\n  {\"pk\": {\"S\": \"a\"}, \"v\": {\"N\": \"1\"}}\n ],\n \"Count\": 1\n}\n",
        "{\"Metadata\":{},\"Keys\":{\"pk\":{\"S\":\"a\"}},\"NewImage\":{\"pk\":{\"S\":\"a\"},\"v\":{\"N\":\"1\"}}}\n",
    };
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    size_t i, loaded;
    for (i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        loaded = 0;
        write_file(FILES[i]);
        CHECK_OK(kstone_import_json(db, path, KSTONE_STRLEN, NULL, &loaded, NULL, NULL, &err));
        CHECK_SIZE(1, loaded);
        CHECK_INT(1, (int)get_number(db, "a", NULL));
        CHECK_OK(kstone_clear(db, &err));
    }
    put_number(db, "a", NULL, 1);
    write_file("{\"Metadata\":{},\"Keys\":{\"pk\":{\"S\":\"a\"}}}\n");
    CHECK_OK(kstone_import_json(db, path, KSTONE_STRLEN, NULL, &loaded, NULL, NULL, &err));
    CHECK_SIZE(1, loaded);
    CHECK_SIZE(0, count_items(db));
    write_file("[\n{\"pk\":\"a\"},\n{\"pk\":[]}]");
    CHECK_FAILS_SAYING(KSTONE_ERR_CORRUPT, "line 3: the key attribute pk is of type L",
                       kstone_import_json(db, path, KSTONE_STRLEN, NULL, NULL, NULL, NULL, &err));
    write_file("PAR1");
    CHECK_FAILS_SAYING(KSTONE_ERR_CORRUPT, "this is a Parquet file",
                       kstone_import_json(db, path, KSTONE_STRLEN, NULL, NULL, NULL, NULL, &err));
    CHECK_SIZE(0, count_items(db));
    kstone_free(db);
}

/* A path is bytes. */
static void paths_need_not_be_text(void) {
    kstone_db *db = open_database(0);
    kstone_db *again = open_database(0);
    kstone_error *err = NULL;
    char lines[128], snapshot[128];
    snprintf(lines, sizeof lines, "%s/\xff\xfe.jsonl", directory);
    snprintf(snapshot, sizeof snapshot, "%s/\xfd.kstone", directory);
    put_number(db, "a", NULL, 1);
    CHECK_OK(kstone_export_json(db, lines, KSTONE_STRLEN, &err));
    CHECK_OK(kstone_snapshot_save(db, snapshot, strlen(snapshot), &err));
    CHECK_OK(kstone_snapshot_load(again, snapshot, KSTONE_STRLEN, &err));
    CHECK_OK(kstone_import_json(again, lines, KSTONE_STRLEN, NULL, NULL, NULL, NULL, &err));
    CHECK_INT(1, (int)get_number(again, "a", NULL));
    CHECK_INT(0, unlink(lines));
    CHECK_INT(0, unlink(snapshot));
    kstone_free(again);
    kstone_free(db);
}

static void specs_that_cannot_be_are_refused(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_import_spec spec = import_spec(2);
    write_file("{\"pk\":{\"S\":\"a\"}}\n");
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "flags",
                       kstone_import_json(db, path, KSTONE_STRLEN, &spec, NULL, NULL, NULL, &err));
    spec = import_spec(0);
    spec.reserved = 1;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "kstone_import_spec.reserved",
                       kstone_import_json(db, path, KSTONE_STRLEN, &spec, NULL, NULL, NULL, &err));
    spec = import_spec(0);
    spec.struct_size = 3;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "kstone_import_spec.struct_size is 3",
                       kstone_import_json(db, path, KSTONE_STRLEN, &spec, NULL, NULL, NULL, &err));
    spec = import_spec(0);
    spec.pk_name = "";
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "name of a key attribute is empty",
                       kstone_import_json(db, path, KSTONE_STRLEN, &spec, NULL, NULL, NULL, &err));
    spec.pk_name = "\xff";
    spec.pk_name_len = 1;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "kstone_import_spec.pk_name is not UTF-8",
                       kstone_import_json(db, path, KSTONE_STRLEN, &spec, NULL, NULL, NULL, &err));
    spec.pk_name = spec.sk_name = "same";
    spec.pk_name_len = spec.sk_name_len = KSTONE_STRLEN;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "both",
                       kstone_import_json(db, path, KSTONE_STRLEN, &spec, NULL, NULL, NULL, &err));
    CHECK_SIZE(0, count_items(db));
    kstone_free(db);
}

static void files_and_handles_that_cannot_be_are_named(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    char missing[128];
    snprintf(missing, sizeof missing, "%s/missing/items.jsonl", directory);
    CHECK_FAILS_SAYING(KSTONE_ERR_IO, missing, kstone_export_json(db, missing, KSTONE_STRLEN, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_IO, missing,
                       kstone_import_json(db, missing, KSTONE_STRLEN, NULL, NULL, NULL, NULL, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "NUL", kstone_export_json(db, LIT("a\0b"), &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "path is empty",
                       kstone_import_json(db, "", KSTONE_STRLEN, NULL, NULL, NULL, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_export_json(NULL, path, KSTONE_STRLEN, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_import_json(NULL, path, KSTONE_STRLEN, NULL, NULL, NULL, NULL, &err));
    kstone_free(db);
}

int main(void) {
    make_directory();
    what_is_exported_comes_back_and_exports_alike();
    key_attributes_are_those_that_the_spec_names();
    the_first_bad_record_ends_an_import_before_it_begins();
    bad_records_are_skipped_counted_and_told_of();
    other_forms_of_json_are_read();
    paths_need_not_be_text();
    specs_that_cannot_be_are_refused();
    files_and_handles_that_cannot_be_are_named();
    CHECK_INT(0, unlink(path));
    CHECK_INT(0, rmdir(directory));
    return check_report();
}
