/* 1,000 threads at once, each with a database of its own: what they take together is bounded. */
#include <pthread.h>
#include <semaphore.h>

#include "memory.h"

#define ITEMS 20

static sem_t ready, done;

static void *hold_a_database(void *argument) {
    kstone_db *db = open_database(0);
    int i;
    for (i = 0; i < ITEMS; i++) {
        char pk[16];
        snprintf(pk, sizeof pk, "%d", i);
        put_number(db, pk, NULL, i);
    }
    sem_post(&ready);
    while (sem_wait(&done) != 0) {
    }
    CHECK_INT(ITEMS - 1, get_number(db, "19", NULL));
    kstone_free(db);
    return argument;
}

int main(void) {
    size_t count = test_scale(1000), i, before, after;
    pthread_t *threads = (pthread_t *)calloc(count, sizeof *threads);
    pthread_attr_t attributes;
    CHECK_INT(0, sem_init(&ready, 0, 0));
    CHECK_INT(0, sem_init(&done, 0, 0));
    CHECK_INT(0, pthread_attr_init(&attributes));
    CHECK_INT(0, pthread_attr_setstacksize(&attributes, 256 * 1024));
    before = memory_kib("VmRSS:");
    for (i = 0; i < count; i++) {
        CHECK_INT(0, pthread_create(&threads[i], &attributes, hold_a_database, NULL));
    }
    for (i = 0; i < count; i++) {
        while (sem_wait(&ready) != 0) {
        }
    }
    after = memory_kib("VmRSS:");
    printf("%zu threads with a database of %d items each: %zu KiB, %zu KiB each\n", count, ITEMS, after - before,
           (after - before) / count);
    CHECK((after - before) / count < 600);
    for (i = 0; i < count; i++) {
        sem_post(&done);
    }
    for (i = 0; i < count; i++) {
        CHECK_INT(0, pthread_join(threads[i], NULL));
    }
    free(threads);
    return check_report();
}
