/*
 * A program with the library and, as the macros say, what else it may have: another Rust library, an allocator whose
 * functions are called as those of the library's own, a plugin.
 */
#include "support.h"

#if defined(WITH_OTHER_RUST)
uint64_t other_sum(uint64_t n);
#endif

#if defined(WITH_MIMALLOC)
/* What a program with mimalloc defines. The library has its own, and must call none of these. */
static int called;
void *mi_malloc(size_t size);
void *mi_malloc_aligned(size_t size, size_t alignment);
void *mi_zalloc(size_t size);
void *mi_realloc(void *block, size_t size);
void mi_free(void *block);
void mi_collect(int force);
void mi_option_set_default(int option, long value);
void *mi_malloc(size_t size) {
    called++;
    return malloc(size);
}
void *mi_malloc_aligned(size_t size, size_t alignment) {
    called++;
    return aligned_alloc(alignment, size);
}
void *mi_zalloc(size_t size) {
    called++;
    return calloc(1, size);
}
void *mi_realloc(void *block, size_t size) {
    called++;
    return realloc(block, size);
}
void mi_free(void *block) {
    called++;
    free(block);
}
void mi_collect(int force) {
    called += force;
}
void mi_option_set_default(int option, long value) {
    called += option != 0 || value != 0;
}
#endif

int main(void) {
    kstone_db *db = open_database(4);
    kstone_error *err = NULL;
    kstone_item *refused = NULL;
    char *json = NULL;
    size_t json_len = 0;
    int i;
    for (i = 0; i < 100; i++) {
        char pk[16];
        snprintf(pk, sizeof pk, "%d", i);
        put_number(db, pk, "sk", i);
    }
    CHECK_INT(99, get_number(db, "99", "sk"));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_item_from_json(LIT("{"), 0, &refused, &err));
    CHECK_OK(kstone_stats_json(db, &json, &json_len, &err));
    kstone_free(json);
#if defined(WITH_OTHER_RUST)
    CHECK_INT(4951, (intmax_t)other_sum(100));
#endif
    kstone_free(db);
#if defined(WITH_MIMALLOC)
    CHECK_INT(0, called);
    mi_free(mi_malloc(1));
    CHECK_INT(2, called);
#endif
    return check_report();
}
