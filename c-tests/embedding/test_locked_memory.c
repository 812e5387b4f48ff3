/* A program that locks its memory, and with it what the library reserves. Each case is a process of its own. */
#include <errno.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

#define MIB 1024
/* The exit code of a case that the system lets nobody try here. */
#define NOT_PERMITTED 77

static void use_a_database(void) {
    kstone_db *db = open_database(0);
    int i;
    for (i = 0; i < 1000; i++) {
        char pk[16];
        snprintf(pk, sizeof pk, "%d", i);
        put_number(db, pk, NULL, i);
    }
    CHECK_INT(999, get_number(db, "999", NULL));
    kstone_free(db);
}

/* With no limit on what may be locked, a small database takes no more than one piece of the allocator's, 32 MiB. */
static int without_a_limit(void) {
    size_t before, after;
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        perror("mlockall");
        return NOT_PERMITTED;
    }
    before = memory_kib("VmRSS:");
    use_a_database();
    after = memory_kib("VmRSS:");
    printf("mlockall: a database of 1,000 items: %zu KiB resident, %zu KiB more than before\n", after, after - before);
    CHECK(after - before < 40 * MIB);
    return check_failed_count == 0 ? 0 : 1;
}

/* A program without privileges under a limit: what the allocator reserves does not fit, and everything works. */
static int with_a_limit_of(size_t mib) {
    struct rlimit limit;
    limit.rlim_cur = limit.rlim_max = mib * 1024 * 1024;
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
        perror("setrlimit");
        return NOT_PERMITTED;
    }
    if (getuid() == 0) {
        CHECK_INT(0, setgid(65534));
        CHECK_INT(0, setuid(65534));
    }
    if (mlockall(MCL_FUTURE) != 0) {
        perror("mlockall");
        return NOT_PERMITTED;
    }
    use_a_database();
    printf("mlockall under a limit of %zu MiB: %zu KiB locked\n", mib, memory_kib("VmLck:"));
    return check_failed_count == 0 ? 0 : 1;
}

static void in_a_process(int (*run)(size_t), size_t argument) {
    int status = -1;
    pid_t pid;
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        int code;
        check_failed_count = 0;
        code = run(argument);
        fflush(stdout);
        _exit(code);
    }
    CHECK(pid > 0);
    CHECK_INT(pid, waitpid(pid, &status, 0));
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_PERMITTED) {
        printf("skipped: not permitted here\n");
        return;
    }
    CHECK_INT(0, status);
}

static int run_without_a_limit(size_t unused) {
    (void)unused;
    return without_a_limit();
}

int main(void) {
    in_a_process(run_without_a_limit, 0);
    in_a_process(with_a_limit_of, 256);
    in_a_process(with_a_limit_of, 48);
    in_a_process(with_a_limit_of, 8);
    return check_report();
}
