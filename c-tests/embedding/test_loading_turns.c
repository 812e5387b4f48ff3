/* dlopen, use and dlclose in turns: by threads that end before and after, and with threads that outlive a dlclose. */
#include <semaphore.h>

#include "loaded.h"

static const char *path;

static void *load_use_and_unload(void *argument) {
    loaded library = load(path);
    loaded_use(&library, 10);
    CHECK_INT(0, dlclose(library.library));
    return argument;
}

typedef struct user {
    loaded library;
    sem_t used;
    sem_t unloaded;
} user;

static void *use_and_end_after_it_is_unloaded(void *argument) {
    user *its = (user *)argument;
    loaded_use(&its->library, 10);
    sem_post(&its->used);
    while (sem_wait(&its->unloaded) != 0) {
    }
    return NULL;
}

static void a_thread_ends_after_the_library_is_unloaded(void) {
    user its;
    pthread_t thread;
    its.library = load(path);
    CHECK_INT(0, sem_init(&its.used, 0, 0));
    CHECK_INT(0, sem_init(&its.unloaded, 0, 0));
    CHECK_INT(0, pthread_create(&thread, NULL, use_and_end_after_it_is_unloaded, &its));
    while (sem_wait(&its.used) != 0) {
    }
    CHECK_INT(0, dlclose(its.library.library));
    CHECK_INT(0, sem_post(&its.unloaded));
    CHECK_INT(0, pthread_join(thread, NULL));
}

int main(int argc, char **argv) {
    int i;
    CHECK_INT(2, argc);
    path = argv[1];
    for (i = 0; i < 50; i++) {
        load_use_and_unload(NULL);
        run_in_a_thread(load_use_and_unload, NULL);
        a_thread_ends_after_the_library_is_unloaded();
    }
    return check_report();
}
