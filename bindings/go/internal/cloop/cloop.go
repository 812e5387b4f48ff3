// Package cloop is what the benchmarks of kstone are held against: the same work in C, without Go between the calls.
package cloop

/*
#cgo CFLAGS: -I${SRCDIR}/../..
#include <kstone.h>
#include <stdio.h>
#include <string.h>

#define ITEMS 10000
#define STR(name, text) kstone_item_set_str(item, name, sizeof(name) - 1, text, sizeof(text) - 1)

static char keys[ITEMS][16];

static void make_keys(void) {
    size_t i;
    for (i = 0; i < ITEMS; i++) {
        snprintf(keys[i], sizeof keys[i], "user#%08zu", i);
    }
}

// The loops return 0 where every call did what it should.
static int put_loop(void *db, size_t n) {
    size_t i;
    for (i = 0; i < n; i++) {
        kstone_item *item = kstone_item_new();
        kstone_status status;
        kstone_item_set_bool(item, "active", 6, 1);
        kstone_item_set_i64(item, "age", 3, 30);
        STR("city", "Oslo");
        STR("email", "alice@example.com");
        STR("name", "Alice");
        status = kstone_put(db, keys[i % ITEMS], 13, NULL, 0, item, NULL);
        kstone_free(item);
        if (status != KSTONE_OK) {
            return 1;
        }
    }
    return 0;
}

// Reads all five attributes, as a Go struct has them.
static int read_user(const kstone_item *item) {
    int64_t age = 0;
    kstone_value city, email, name, active;
    return kstone_item_get(item, "active", 6, &active) != KSTONE_OK ||
           kstone_item_get_i64(item, "age", 3, &age) != KSTONE_OK ||
           kstone_item_get(item, "city", 4, &city) != KSTONE_OK ||
           kstone_item_get(item, "email", 5, &email) != KSTONE_OK ||
           kstone_item_get(item, "name", 4, &name) != KSTONE_OK || age != 30;
}

static int get_loop(void *db, size_t n) {
    size_t i;
    for (i = 0; i < n; i++) {
        kstone_item *item = NULL;
        if (kstone_get(db, keys[i % ITEMS], 13, NULL, 0, &item, NULL) != KSTONE_OK || read_user(item)) {
            return 1;
        }
        kstone_free(item);
    }
    return 0;
}

static int query_loop(void *db, size_t n) {
    kstone_query_spec spec = {.struct_size = sizeof spec, .pk = "all", .pk_len = 3, .limit = 100};
    size_t i, j;
    for (i = 0; i < n; i++) {
        kstone_page *page = NULL;
        if (kstone_query(db, &spec, &page, NULL) != KSTONE_OK) {
            return 1;
        }
        for (j = 0; j < 100; j++) {
            if (read_user(kstone_page_item(page, j))) {
                return 1;
            }
        }
        kstone_free(page);
    }
    return 0;
}
*/
import "C"

import "unsafe"

func init() { C.make_keys() }

// Put stores n items, Get reads n, Query reads n pages of 100; each says whether all went well. The database is the
// handle of the C library.
func Put(db unsafe.Pointer, n int) bool { return C.put_loop(db, C.size_t(n)) == 0 }

// Get is described at [Put].
func Get(db unsafe.Pointer, n int) bool { return C.get_loop(db, C.size_t(n)) == 0 }

// Query is described at [Put].
func Query(db unsafe.Pointer, n int) bool { return C.query_loop(db, C.size_t(n)) == 0 }
