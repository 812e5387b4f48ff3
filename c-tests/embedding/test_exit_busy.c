/* exit() while threads are in the library, with a call from an exit handler; each time in a process of its own. */
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

static kstone_db *db;

static void *write_and_read(void *argument) {
    unsigned i;
    for (i = 0;; i = (i + 1) % 1000) {
        char pk[16];
        kstone_item *item = NULL;
        snprintf(pk, sizeof pk, "%u", i);
        put_number(db, pk, NULL, (int64_t)i);
        if (kstone_get(db, pk, strlen(pk), NO_SK, &item, NULL) == KSTONE_OK) {
            kstone_free(item);
        }
    }
    return argument;
}

static void put_at_exit(void) {
    put_number(db, "at exit", NULL, 1);
    if (get_number(db, "at exit", NULL) != 1) {
        _exit(3);
    }
}

static void exit_while_busy(size_t round) {
    kstone_options options = default_options();
    struct timespec pause;
    int i;
    alarm(60);
    options.flags = KSTONE_OPEN_BACKGROUND_COMPACTION;
    options.memtable_max_records = 16;
    if (kstone_open_memory(&options, &db, NULL) != KSTONE_OK || atexit(put_at_exit) != 0) {
        _exit(4);
    }
    for (i = 0; i < 4; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, write_and_read, NULL) != 0) {
            _exit(5);
        }
    }
    pause.tv_sec = 0;
    pause.tv_nsec = (long)(round % 10) * 1000000;
    nanosleep(&pause, NULL);
    exit(0);
}

int main(void) {
    size_t i;
    for (i = 0; i < test_scale(50); i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0) {
            exit_while_busy(i);
        }
        CHECK(pid > 0);
        CHECK_INT(pid, waitpid(pid, &status, 0));
        CHECK_INT(0, status);
    }
    return check_report();
}
