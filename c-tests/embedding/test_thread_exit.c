/* Every function from the destructor of a pthread key: the thread's own variables, the library's too, may be gone. */
#include <pthread.h>

#include "calls.h"

typedef struct exiting {
    calls_world *world;
    const call *call;
    /* Whether the thread used the library before it ends. */
    int used_before;
    int rounds;
} exiting;

static pthread_key_t key;

/* Asks to be called again, as often as the system does that: the later rounds come after all other destructors. */
static void at_exit(void *argument) {
    exiting *mine = (exiting *)argument;
    mine->call->run(mine->world);
    if (++mine->rounds < 4) {
        CHECK_INT(0, pthread_setspecific(key, mine));
    }
}

static void *end_with_a_call(void *argument) {
    exiting *mine = (exiting *)argument;
    size_t i;
    CHECK_INT(0, pthread_setspecific(key, mine));
    for (i = 0; mine->used_before && i < CALLS_COUNT; i++) {
        calls[i].run(mine->world);
    }
    return NULL;
}

static void every_function_works_while_a_thread_ends(int used_before) {
    calls_world world;
    size_t i;
    calls_open(&world);
    for (i = 0; i < CALLS_COUNT; i++) {
        exiting its;
        pthread_t thread;
        its.world = &world;
        its.call = &calls[i];
        its.used_before = used_before;
        its.rounds = 0;
        CHECK_INT(0, pthread_create(&thread, NULL, end_with_a_call, &its));
        CHECK_INT(0, pthread_join(thread, NULL));
        if (!check_count(its.rounds > 0 && get_number(world.db, "wide", "s007") == 7)) {
            fprintf(stderr, "after %s at a thread's end the database is not as it was\n", calls[i].name);
        }
    }
    calls_close(&world);
}

int main(void) {
    calls_check_complete();
    CHECK_INT(0, pthread_key_create(&key, at_exit));
    every_function_works_while_a_thread_ends(0);
    every_function_works_while_a_thread_ends(1);
    return check_report();
}
