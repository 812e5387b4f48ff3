/* pthread_cancel takes a thread at a point of the program's, never inside of a function of the library. */
#include <pthread.h>
#include <time.h>

#include "calls.h"

typedef struct cancelled {
    calls_world *world;
    const call *call;
    int returned;
} cancelled;

/* The request is there before the call: whatever in it can be cancelled would be. */
static void *call_with_a_request(void *argument) {
    cancelled *mine = (cancelled *)argument;
    CHECK_INT(0, pthread_cancel(pthread_self()));
    mine->call->run(mine->world);
    mine->returned = 1;
    pthread_testcancel();
    return NULL;
}

static void is_no_cancellation_point(const call *tried, calls_world *world) {
    cancelled its;
    pthread_t thread;
    void *result = NULL;
    its.world = world;
    its.call = tried;
    its.returned = 0;
    CHECK_INT(0, pthread_create(&thread, NULL, call_with_a_request, &its));
    CHECK_INT(0, pthread_join(thread, &result));
    CHECK(its.returned);
    CHECK_PTR(PTHREAD_CANCELED, result);
}

static void no_function_is_a_cancellation_point(void) {
    calls_world world;
    size_t i;
    calls_open(&world);
    for (i = 0; i < CALLS_COUNT; i++) {
        calls_try(&calls[i], &world, is_no_cancellation_point);
    }
    calls_close(&world);
}

static void *work_with_files(void *argument) {
    calls_world *world = (calls_world *)argument;
    while (world != NULL) {
        call_kstone_snapshot_save(world);
        call_kstone_snapshot_load(world);
        call_kstone_export_json(world);
        call_kstone_import_json(world);
        pthread_testcancel();
    }
    return NULL;
}

static void work_with_files_is_done_before_a_thread_is_cancelled(void) {
    calls_world world;
    size_t i;
    calls_open(&world);
    for (i = 0; i < test_scale(100); i++) {
        struct timespec pause;
        pthread_t thread;
        void *result = NULL;
        pause.tv_sec = 0;
        pause.tv_nsec = (long)(i * 37 % 100) * 100000;
        CHECK_INT(0, pthread_create(&thread, NULL, work_with_files, &world));
        nanosleep(&pause, NULL);
        CHECK_INT(0, pthread_cancel(thread));
        CHECK_INT(0, pthread_join(thread, &result));
        CHECK_PTR(PTHREAD_CANCELED, result);
    }
    CHECK_INT(7, get_number(world.db, "wide", "s007"));
    calls_close(&world);
}

int main(void) {
    no_function_is_a_cancellation_point();
    work_with_files_is_done_before_a_thread_is_cancelled();
    return check_report();
}
