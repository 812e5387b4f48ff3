/* A program of somebody else's, built against an installed kstone: puts an item, reads it back. */
#include <inttypes.h>
#include <kstone.h>
#include <stdio.h>

static int complain(kstone_error *error) {
    fprintf(stderr, "kstone: %s\n", kstone_error_message(error));
    kstone_free(error);
    return 1;
}

int main(void) {
    kstone_error *error = NULL;
    kstone_db *db = NULL;
    kstone_item *item = NULL;
    kstone_item *found = NULL;
    int64_t age = 0;

    if (kstone_open_memory(NULL, &db, &error) != KSTONE_OK) {
        return complain(error);
    }
    item = kstone_item_new();
    kstone_item_set_i64(item, "age", KSTONE_STRLEN, 30);
    if (kstone_put(db, "user#1", 6, NULL, 0, item, &error) != KSTONE_OK ||
        kstone_get(db, "user#1", 6, NULL, 0, &found, &error) != KSTONE_OK) {
        return complain(error);
    }
    if (kstone_item_get_i64(found, "age", KSTONE_STRLEN, &age) != KSTONE_OK || age != 30) {
        fprintf(stderr, "age is %" PRId64 " instead of 30\n", age);
        return 1;
    }
    kstone_free(item);
    kstone_free(found);
    kstone_free(db);
    printf("kstone %s works\n", kstone_version());
    return 0;
}
