/*
 * loaded.h: the library by dlopen, as a plugin or a language's FFI has it.
 */
#ifndef KSTONE_TEST_LOADED_H
#define KSTONE_TEST_LOADED_H

#include <dlfcn.h>
#include <pthread.h>

#include "support.h"

/* The functions that are used here, by their names. */
typedef struct loaded {
    void *library;
    kstone_status (*open)(const kstone_options *, kstone_db **, kstone_error **);
    kstone_status (*put)(kstone_db *, const void *, size_t, const void *, size_t, const char *, size_t, uint32_t,
                         kstone_error **);
    kstone_status (*get)(const kstone_db *, const void *, size_t, const void *, size_t, kstone_item **,
                         kstone_error **);
    void (*release)(void *);
} loaded;

/* ISO C knows no way from void * to a function. */
static inline void loaded_find(void *library, const char *name, void *place) {
    void *found = dlsym(library, name);
    CHECK(found != NULL);
    memcpy(place, &found, sizeof found);
}

static inline loaded load(const char *path) {
    loaded its;
    memset(&its, 0, sizeof its);
    its.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (its.library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    loaded_find(its.library, "kstone_open_memory", &its.open);
    loaded_find(its.library, "kstone_put_json", &its.put);
    loaded_find(its.library, "kstone_get", &its.get);
    loaded_find(its.library, "kstone_free", &its.release);
    return its;
}

/* Puts `count` items into a database and reads them. */
static inline void loaded_use(const loaded *its, int count) {
    kstone_db *db = NULL;
    int i;
    CHECK_INT(KSTONE_OK, its->open(NULL, &db, NULL));
    for (i = 0; i < count; i++) {
        char pk[16];
        kstone_item *item = NULL;
        snprintf(pk, sizeof pk, "%d", i);
        CHECK_INT(KSTONE_OK, its->put(db, pk, strlen(pk), NO_SK, LIT("{\"a\":{\"S\":\"text\"}}"), 0, NULL));
        CHECK_INT(KSTONE_OK, its->get(db, pk, strlen(pk), NO_SK, &item, NULL));
        CHECK(item != NULL);
        its->release(item);
    }
    its->release(db);
}

static inline void run_in_a_thread(void *(*body)(void *), void *argument) {
    pthread_t thread;
    CHECK_INT(0, pthread_create(&thread, NULL, body, argument));
    CHECK_INT(0, pthread_join(thread, NULL));
}

#endif
