/*
 * Mistakes on purpose, one for each argument. Run under valgrind or a sanitizer, which must report them: a checker that
 * cannot see into the library would report nothing, and every other test would look clean.
 *
 *   leak            a database is never freed
 *   use_after_free  the message of an error is read after the error was freed
 *   race            two threads change one item, which only one at a time may use
 */
#include <kstone.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static int leak(void) {
    kstone_db *db = NULL;
    return kstone_open_memory(NULL, &db, NULL) == KSTONE_OK ? 0 : 2;
}

static int use_after_free(void) {
    kstone_error *error = NULL;
    const char *message = NULL;
    if (kstone_open_memory(NULL, NULL, &error) == KSTONE_OK) {
        return 2;
    }
    message = kstone_error_message(error);
    kstone_free(error);
    return message[0] == '\0' ? 2 : 0;
}

/* The thread changes the item, then main does, while the thread lives: one after the other in time, so that nothing
 * breaks, but through relaxed accesses, which order nothing else. */
static atomic_int race_stage;

static void race_wait_for(int stage) {
    while (atomic_load_explicit(&race_stage, memory_order_relaxed) < stage) {
    }
}

static void *race_thread(void *item) {
    kstone_item_set_bool((kstone_item *)item, "flag", 4, 1);
    atomic_store_explicit(&race_stage, 1, memory_order_relaxed);
    race_wait_for(2);
    return NULL;
}

static int race(void) {
    pthread_t thread;
    kstone_item *item = kstone_item_new();
    if (pthread_create(&thread, NULL, race_thread, item) != 0) {
        return 2;
    }
    race_wait_for(1);
    kstone_item_set_bool(item, "flag", 4, 0);
    atomic_store_explicit(&race_stage, 2, memory_order_relaxed);
    pthread_join(thread, NULL);
    kstone_free(item);
    return 0;
}

int main(int argc, char **argv) {
    const char *mistake = argc == 2 ? argv[1] : "";
    if (strcmp(mistake, "leak") == 0) {
        return leak();
    }
    if (strcmp(mistake, "use_after_free") == 0) {
        return use_after_free();
    }
    if (strcmp(mistake, "race") == 0) {
        return race();
    }
    fprintf(stderr, "usage: canary leak|use_after_free|race\n");
    return 2;
}
