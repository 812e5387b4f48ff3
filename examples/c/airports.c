/*
 * airports.c: a tour of kstone with real data, the airports of the United States.
 *
 *     airports [--no-times] [airports.csv]
 *
 * An item is stored under a partition key, here the state, and a sort key, here the airport's code. Items of one
 * partition lie in the order of their sort keys, so ranges of them are read without a search. The rest of an item is
 * attributes: texts, exact numbers, lists and so on, without a schema.
 *
 * Read from main() at the bottom upwards; each step is a function. Two rules go through all of it:
 *   - a call returns a status: below 0 it is an error, and check() is all that this program does about errors;
 *   - what came out of a call is given back with kstone_free(), whatever it is.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "csv.h"
#include "kstone.h"

/* The columns of the file. */
enum { CODE, NAME, CITY, STATE, COUNTRY, LATITUDE, LONGITUDE, COLUMNS };
static const char *const HEADINGS[COLUMNS] = {"iata", "name", "city", "state", "country", "latitude", "longitude"};

/* Ends the program where a call failed, and says at what and why. `err` is NULL for calls that have no error object.
 * Statuses above 0 are no errors ("not found"), so it passes the status on. A program that goes on after an error
 * would free the error object here; this one leaves everything to the system. */
static kstone_status check(kstone_status status, kstone_error **err, const char *format, ...) {
    if (status < 0) {
        const char *why = err != NULL ? kstone_error_message(*err) : kstone_status_text(status);
        va_list arguments;
        va_start(arguments, format);
        fprintf(stderr, "airports: ");
        vfprintf(stderr, format, arguments);
        fprintf(stderr, ": %s\n", why);
        va_end(arguments);
        exit(EXIT_FAILURE);
    }
    return status;
}

static double seconds_now(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Stores one row of the file under (state, code). */
static void put_airport(kstone_db *db, const csv_reader *row) {
    kstone_error *err = NULL;
    kstone_item *item = kstone_item_new();
    size_t column;

    for (column = 0; column < COLUMNS; column++) {
        const char *name = HEADINGS[column];
        const char *text = csv_field(row, column);
        size_t len = csv_field_len(row, column);
        if (column == CODE || column == STATE) {
            continue; /* they are the key */
        }
        if (column == LATITUDE || column == LONGITUDE) {
            /* A number is given as text and kept exactly, digit for digit. */
            check(kstone_item_set_num(item, name, KSTONE_STRLEN, text, len, &err), &err, "line %zu, %s", row->line,
                  name);
        } else {
            check(kstone_item_set_str(item, name, KSTONE_STRLEN, text, len), NULL, "line %zu, %s", row->line, name);
        }
    }
    check(kstone_put(db, csv_field(row, STATE), csv_field_len(row, STATE), csv_field(row, CODE),
                     csv_field_len(row, CODE), item, &err),
          &err, "line %zu", row->line);
    kstone_free(item);
}

/* Loads the whole file; returns how many airports it has. */
static size_t load(kstone_db *db, const char *path) {
    csv_reader csv;
    csv_result result;
    size_t rows = 0;
    size_t column;
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    csv_init(&csv, file);
    while ((result = csv_next(&csv)) == CSV_RECORD) {
        if (csv.field_count != COLUMNS) {
            fprintf(stderr, "%s: line %zu: %zu fields instead of %d\n", path, csv.line, csv.field_count, (int)COLUMNS);
            exit(EXIT_FAILURE);
        }
        if (csv.line > 1) {
            put_airport(db, &csv);
            rows++;
            continue;
        }
        for (column = 0; column < COLUMNS; column++) {
            if (strcmp(csv_field(&csv, column), HEADINGS[column]) != 0) {
                fprintf(stderr, "%s: line 1: column %zu is not \"%s\"\n", path, column + 1, HEADINGS[column]);
                exit(EXIT_FAILURE);
            }
        }
    }
    if (result == CSV_ERROR) {
        fprintf(stderr, "%s: %s\n", path, csv.error);
        exit(EXIT_FAILURE);
    }
    csv_free(&csv);
    fclose(file);
    return rows;
}

/* A text attribute as pointer and length. It points into the stored item: nothing is copied, and nothing is freed. */
static kstone_bytes text_of(const kstone_item *item, const char *name) {
    kstone_value value;
    check(kstone_item_get(item, name, KSTONE_STRLEN, &value), NULL, name);
    return value.bytes;
}

/* Arguments for "%.*s". */
#define TEXT(bytes) (int)(bytes).len, (const char *)(bytes).data

static void print_page(const kstone_page *page) {
    size_t i;
    for (i = 0; i < kstone_page_count(page); i++) {
        const kstone_item *airport = kstone_page_item(page, i);
        kstone_bytes code = kstone_item_sk(airport);
        kstone_bytes name = text_of(airport, "name");
        kstone_bytes city = text_of(airport, "city");
        printf("  %.*s  %.*s, %.*s\n", TEXT(code), TEXT(name), TEXT(city));
    }
}

/* A query reads one partition. A spec is zeroed, told its size, and then says what is wanted. */
static kstone_query_spec airports_of(const char *state) {
    kstone_query_spec spec = {0};
    spec.struct_size = sizeof spec;
    spec.pk = state;
    spec.pk_len = strlen(state);
    return spec;
}

static void query_a_range(const kstone_db *db) {
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    kstone_query_spec spec = airports_of("CA");

    spec.sk_op = KSTONE_SK_BETWEEN;
    spec.sk1 = "SAC";
    spec.sk1_len = 3;
    spec.sk2 = "SFO";
    spec.sk2_len = 3;
    check(kstone_query(db, &spec, &page, &err), &err, "querying California");
    printf("\nCalifornia from SAC to SFO, %zu airports:\n", kstone_page_count(page));
    print_page(page);
    kstone_free(page);

    spec.flags = KSTONE_QUERY_REVERSE;
    spec.limit = 3;
    check(kstone_query(db, &spec, &page, &err), &err, "querying California in reverse");
    printf("\nThe same range from its end, three of them:\n");
    print_page(page);
    kstone_free(page);
}

/* A scan reads everything, a page at a time. Each page says with a token where the next one begins. */
static void scan_everything(const kstone_db *db, size_t loaded) {
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    kstone_query_spec spec = {0};
    size_t pages = 0;
    size_t airports = 0;
    size_t abroad = 0;
    size_t stateless = 0;
    size_t i;

    spec.struct_size = sizeof spec;
    spec.limit = 500;
    do {
        kstone_page *last = page;
        kstone_bytes token = kstone_page_token(last); /* empty for the first page, where last is NULL */
        spec.token = token.data;
        spec.token_len = token.len;
        check(kstone_scan(db, &spec, &page, &err), &err, "scanning");
        kstone_free(last);

        pages++;
        airports += kstone_page_count(page);
        for (i = 0; i < kstone_page_count(page); i++) {
            const kstone_item *airport = kstone_page_item(page, i);
            kstone_bytes country = text_of(airport, "country");
            kstone_bytes state = kstone_item_pk(airport);
            abroad += country.len != 3 || memcmp(country.data, "USA", 3) != 0;
            stateless += state.len == 2 && memcmp(state.data, "NA", 2) == 0;
        }
    } while (kstone_page_token(page).len > 0);
    kstone_free(page);

    printf("\nA scan in pages of %u: %zu pages, %zu airports; %zu have the state \"NA\", %zu lie outside the USA.\n",
           (unsigned)spec.limit, pages, airports, stateless, abroad);
    if (airports != loaded) {
        fprintf(stderr, "airports: %zu were loaded, but the scan found %zu\n", loaded, airports);
        exit(EXIT_FAILURE);
    }
}

/* A get refers to the stored item; it stays good whatever happens to the database. */
static void read_one(const kstone_db *db) {
    kstone_error *err = NULL;
    kstone_item *airport = NULL;
    double latitude = 0;
    double longitude = 0;
    char *json = NULL;
    size_t json_len = 0;

    if (check(kstone_get(db, "NY", 2, "JFK", 3, &airport, &err), &err, "getting JFK") == KSTONE_NOT_FOUND) {
        printf("\nThere is no JFK in this file.\n");
        return;
    }
    check(kstone_item_get_f64(airport, "latitude", KSTONE_STRLEN, &latitude), NULL, "latitude");
    check(kstone_item_get_f64(airport, "longitude", KSTONE_STRLEN, &longitude), NULL, "longitude");
    printf("\nJFK lies at %.4f %s, %.4f %s. As JSON:\n", latitude < 0 ? -latitude : latitude,
           latitude < 0 ? "south" : "north", longitude < 0 ? -longitude : longitude, longitude < 0 ? "west" : "east");
    check(kstone_item_to_json(airport, KSTONE_JSON_PLAIN, &json, &json_len, &err), &err, "writing JSON");
    printf("  %s\n", json);
    kstone_free(json);
    kstone_free(airport);
}

/* How many airports a state has, counted without handing them out. */
static size_t count(const kstone_db *db, const char *state) {
    kstone_error *err = NULL;
    kstone_page *page = NULL;
    kstone_query_spec spec = airports_of(state);
    size_t found = 0;
    spec.flags = KSTONE_QUERY_COUNT;
    do { /* A page counts up to 1 MiB of items; its token goes on from there. */
        kstone_page *next = NULL;
        check(kstone_query(db, &spec, &next, &err), &err, "counting");
        kstone_free(page); /* spec.token belonged to it until now */
        page = next;
        found += kstone_page_count(page);
        spec.token = kstone_page_token(page).data;
        spec.token_len = kstone_page_token(page).len;
    } while (spec.token_len > 0);
    kstone_free(page);
    return found;
}

static void delete_one(kstone_db *db) {
    kstone_error *err = NULL;
    kstone_item *airport = NULL;
    size_t before = count(db, "CA");
    kstone_status status;

    check(kstone_delete(db, "CA", 2, "SFO", 3, &err), &err, "deleting SFO");
    status = check(kstone_get(db, "CA", 2, "SFO", 3, &airport, &err), &err, "getting SFO");
    printf("\nSFO deleted; getting it now says \"%s\". California had %zu airports and has %zu.\n",
           kstone_status_text(status), before, count(db, "CA"));
    kstone_free(airport); /* NULL where nothing was found, which is fine */
}

static void show_stats(const kstone_db *db) {
    kstone_error *err = NULL;
    char *json = NULL;
    size_t json_len = 0;
    check(kstone_stats_json(db, &json, &json_len, &err), &err, "reading statistics");
    printf("\nThe database about itself:\n  %s\n", json);
    kstone_free(json);
}

int main(int argc, char **argv) {
    const char *path = "examples/data/airports.csv";
    int times = 1;
    kstone_error *err = NULL;
    kstone_db *db = NULL;
    double start;
    double seconds;
    size_t loaded;
    int i;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--no-times") == 0) {
            times = 0;
        } else if (argv[i][0] == '-') {
            fprintf(stderr, "usage: %s [--no-times] [airports.csv]\n", argv[0]);
            return EXIT_FAILURE;
        } else {
            path = argv[i];
        }
    }

    check(kstone_open_memory(NULL, &db, &err), &err, "opening a database");

    start = seconds_now();
    loaded = load(db, path);
    seconds = seconds_now() - start;
    printf("kstone %s: loaded %zu airports", kstone_version(), loaded);
    if (times && seconds > 0) {
        printf(" in %.1f ms, %.0f a second, reading the file included", seconds * 1000, (double)loaded / seconds);
    }
    printf(".\n");

    query_a_range(db);
    scan_everything(db, loaded);
    read_one(db);
    delete_one(db);
    show_stats(db);

    kstone_free(db); /* and all that was stored is gone */
    printf("\nDone.\n");
    return EXIT_SUCCESS;
}
