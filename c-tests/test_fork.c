/* Forks: isolated copies, also while both sides are written and after either is freed. */
#include "support.h"

#include <pthread.h>

static kstone_db *fork_of(const kstone_db *db) {
    kstone_error *err = NULL;
    kstone_db *fork = NULL;
    CHECK_OK(kstone_fork(db, &fork, &err));
    return fork;
}

static void check_absent(const kstone_db *db, const char *pk) {
    kstone_error *err = NULL;
    kstone_item *item = NULL;
    CHECK_STATUS(KSTONE_NOT_FOUND, kstone_get(db, pk, strlen(pk), NULL, 0, &item, &err));
    CHECK_PTR(NULL, item);
}

static void neither_side_sees_what_the_other_writes(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_db *fork;
    put_number(db, "shared", "", 1);
    put_number(db, "gone", "", 1);
    fork = fork_of(db);
    put_number(db, "shared", "", 2);
    put_number(fork, "shared", "", 3);
    put_number(fork, "fork's", "", 4);
    CHECK_OK(kstone_delete(fork, LIT("gone"), NULL, 0, &err));
    CHECK_INT(2, get_number(db, "shared", ""));
    CHECK_INT(3, get_number(fork, "shared", ""));
    CHECK_INT(1, get_number(db, "gone", ""));
    check_absent(fork, "gone");
    check_absent(db, "fork's");
    CHECK_OK(kstone_clear(db, &err));
    CHECK_INT(3, get_number(fork, "shared", ""));
    kstone_free(db);
    CHECK_INT(4, get_number(fork, "fork's", ""));
    kstone_free(fork);
}

static void a_fork_of_a_fork_outlives_both(void) {
    kstone_db *db = open_database(2);
    kstone_db *child, *grandchild;
    int i;
    char pk[8];
    for (i = 0; i < 500; i++) {
        snprintf(pk, sizeof pk, "%d", i);
        put_number(db, pk, "", i);
    }
    child = fork_of(db);
    put_number(child, "7", "", 70);
    grandchild = fork_of(child);
    put_number(grandchild, "8", "", 80);
    kstone_free(child);
    kstone_free(db);
    CHECK_INT(70, get_number(grandchild, "7", ""));
    CHECK_INT(80, get_number(grandchild, "8", ""));
    CHECK_INT(499, get_number(grandchild, "499", ""));
    kstone_free(grandchild);
}

typedef struct side {
    kstone_db *db;
    int64_t value;
} side;

static void *write_side(void *argument) {
    side *mine = (side *)argument;
    char pk[8];
    size_t i, round;
    for (round = 0; round < test_scale(20); round++) {
        for (i = 0; i < 300; i++) {
            snprintf(pk, sizeof pk, "%zu", i);
            put_number(mine->db, pk, "", mine->value);
        }
    }
    for (i = 0; i < 300; i++) {
        snprintf(pk, sizeof pk, "%zu", i);
        CHECK_INT(mine->value, get_number(mine->db, pk, ""));
    }
    return NULL;
}

static void both_sides_are_written_at_once(void) {
    kstone_db *db = open_database(10);
    side sides[4];
    pthread_t threads[4];
    size_t i;
    char pk[8];
    for (i = 0; i < 300; i++) {
        snprintf(pk, sizeof pk, "%zu", i);
        put_number(db, pk, "", -1);
    }
    for (i = 0; i < 4; i++) {
        sides[i].db = i == 0 ? db : fork_of(db);
        sides[i].value = (int64_t)i;
    }
    for (i = 0; i < 4; i++) {
        CHECK_INT(0, pthread_create(&threads[i], NULL, write_side, &sides[i]));
    }
    for (i = 0; i < 4; i++) {
        CHECK_INT(0, pthread_join(threads[i], NULL));
    }
    for (i = 0; i < 4; i++) {
        kstone_free(sides[i].db);
    }
}

static void wrong_arguments_are_misuse(void) {
    kstone_error *err = NULL;
    kstone_db *db = open_database(0);
    kstone_db *fork = UNTOUCHED(kstone_db);
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_fork(NULL, &fork, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_fork(db, NULL, &err));
    CHECK_UNTOUCHED(fork);
    kstone_free(db);
}

int main(void) {
    neither_side_sees_what_the_other_writes();
    a_fork_of_a_fork_outlives_both();
    both_sides_are_written_at_once();
    wrong_arguments_are_misuse();
    return check_report();
}
