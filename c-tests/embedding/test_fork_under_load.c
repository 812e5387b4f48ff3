/* fork(2) while threads write: what a child may do with a database that the parent's threads are at is in the header. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static atomic_int stopping;

static void *write_on(void *argument) {
    kstone_db *db = (kstone_db *)argument;
    int i;
    for (i = 0; !stopping; i = (i + 1) % 1000) {
        char pk[16];
        snprintf(pk, sizeof pk, "%d", i);
        put_number(db, pk, NULL, i);
    }
    return NULL;
}

static kstone_db *open_with(uint32_t flags) {
    kstone_options options = default_options();
    kstone_error *err = NULL;
    kstone_db *db = NULL;
    options.flags = flags;
    options.memtable_max_records = 16;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    return db;
}

/* In the child: a database that nobody was at in the moment of the fork, and one of its own, take everything. */
static int child(kstone_db *idle) {
    kstone_db *own = open_with(0);
    kstone_error *err = NULL;
    int i;
    check_failed_count = 0;
    CHECK_INT(1, get_number(idle, "idle", NULL));
    for (i = 0; i < 500; i++) {
        char pk[16];
        snprintf(pk, sizeof pk, "%d", i);
        put_number(idle, pk, NULL, i);
        put_number(own, pk, NULL, i);
    }
    CHECK_OK(kstone_compact(idle, &err));
    CHECK_INT(499, get_number(idle, "499", NULL));
    CHECK_INT(499, get_number(own, "499", NULL));
    kstone_free(own);
    kstone_free(idle);
    return check_failed_count == 0 ? 0 : 1;
}

static void children_use_what_nobody_is_at(uint32_t flags) {
    kstone_db *busy = open_with(flags);
    kstone_db *idle = open_with(flags);
    pthread_t threads[4];
    size_t i;
    put_number(idle, "idle", NULL, 1);
    stopping = 0;
    for (i = 0; i < 4; i++) {
        CHECK_INT(0, pthread_create(&threads[i], NULL, write_on, busy));
    }
    for (i = 0; i < test_scale(50); i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0) {
            alarm(60);
            _exit(child(idle));
        }
        CHECK(pid > 0);
        CHECK_INT(pid, waitpid(pid, &status, 0));
        CHECK_INT(0, status);
    }
    stopping = 1;
    for (i = 0; i < 4; i++) {
        CHECK_INT(0, pthread_join(threads[i], NULL));
    }
    CHECK_INT(1, get_number(idle, "idle", NULL));
    kstone_free(idle);
    kstone_free(busy);
}

typedef struct bytes {
    char *data;
    size_t len, at;
    int is_child;
} bytes;

static kstone_status append(void *user_data, const void *data, size_t len) {
    bytes *to = (bytes *)user_data;
    to->data = realloc(to->data, to->len + len);
    if (to->data == NULL) {
        return KSTONE_ERR_IO;
    }
    memcpy(to->data + to->len, data, len);
    to->len += len;
    return KSTONE_OK;
}

/* Forks in the middle, where helper threads are at work; both processes go on. */
static kstone_status take_and_fork(void *user_data, void *buffer, size_t capacity, size_t *len) {
    bytes *from = (bytes *)user_data;
    size_t left = from->len - from->at;
    *len = left < capacity ? left : capacity;
    if (from->at < from->len / 2 && from->at + *len >= from->len / 2) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0) {
            alarm(60);
            from->is_child = 1;
        } else {
            CHECK_INT(pid, waitpid(pid, &status, 0));
            CHECK_INT(0, status);
        }
    }
    memcpy(buffer, from->data + from->at, *len);
    from->at += *len;
    return KSTONE_OK;
}

/* A child has none of the threads that share a load: it is told so, and neither waits for them nor fails inside. */
static void a_load_whose_function_forks_goes_on_in_the_parent(void) {
    enum { ITEMS = 20000 };
    kstone_db *db = open_with(0);
    kstone_error *err = NULL;
    bytes snapshot = {NULL, 0, 0, 0};
    int i;
    for (i = 0; i < ITEMS; i++) {
        char pk[64];
        snprintf(pk, sizeof pk, "a key that makes the snapshot some blocks longer, %d", i);
        put_number(db, pk, NULL, i);
    }
    CHECK_OK(kstone_snapshot_save_to(db, append, &snapshot, &err));
    for (i = 0; i < 5; i++) {
        kstone_db *again = open_with(0);
        uint64_t items = 1;
        kstone_status status;
        snapshot.at = 0;
        status = kstone_snapshot_load_from(again, take_and_fork, &snapshot, &err);
        if (snapshot.is_child) {
            check_failed_count = 0;
            CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "forked", status);
            CHECK_OK(kstone_count(again, &items, &err));
            CHECK_INT(0, (int)items);
            put_number(again, "own", NULL, 7);
            CHECK_INT(7, get_number(again, "own", NULL));
            _exit(check_failed_count == 0 ? 0 : 1);
        }
        CHECK_OK(status);
        CHECK_OK(kstone_count(again, &items, &err));
        CHECK_INT(ITEMS, (int)items);
        kstone_free(again);
    }
    free(snapshot.data);
    kstone_free(db);
}

int main(void) {
    a_load_whose_function_forks_goes_on_in_the_parent();
    children_use_what_nobody_is_at(0);
    children_use_what_nobody_is_at(KSTONE_OPEN_BACKGROUND_COMPACTION);
    return check_report();
}
