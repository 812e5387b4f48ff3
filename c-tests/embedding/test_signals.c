/* Signals that are sent to the process run on threads of the program's, never on the one that compacts. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "support.h"

static pthread_t receiver;
static atomic_int received;
static atomic_int received_elsewhere;

static void note(int signal_number) {
    (void)signal_number;
    if (pthread_equal(pthread_self(), receiver)) {
        received++;
    } else {
        received_elsewhere++;
    }
}

static atomic_int stopping;

static void *receive(void *argument) {
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    while (!stopping) {
        usleep(1000);
    }
    return argument;
}

/* The signals, as bits, that the thread of this name blocks; 0 where there is no such thread. */
static unsigned long long blocked_by(const char *name) {
    DIR *tasks = opendir("/proc/self/task");
    unsigned long long blocked = 0;
    struct dirent *task;
    while (tasks != NULL && (task = readdir(tasks)) != NULL) {
        char path[300], line[256];
        int is_named = 0;
        FILE *status;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        status = fopen(path, "r");
        while (status != NULL && fgets(line, sizeof line, status) != NULL) {
            if (strncmp(line, "Name:\t", 6) == 0) {
                is_named = strncmp(line + 6, name, strlen(name)) == 0;
            }
            if (is_named && strncmp(line, "SigBlk:\t", 8) == 0) {
                blocked = strtoull(line + 8, NULL, 16);
            }
        }
        if (status != NULL) {
            fclose(status);
        }
    }
    if (tasks != NULL) {
        closedir(tasks);
    }
    return blocked;
}

int main(void) {
    static const int sent[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM, SIGPIPE, SIGWINCH, SIGURG};
    kstone_options options = default_options();
    kstone_error *err = NULL;
    kstone_db *db = NULL;
    struct sigaction action;
    sigset_t all, before, after;
    size_t i, kind;
    int expected = 0;
    unsigned long long blocked;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    for (i = 0; i < sizeof sent / sizeof *sent; i++) {
        CHECK_INT(0, sigaction(sent[i], &action, NULL));
    }
    /* The thread is started by one that blocks nothing, whose mask it would have. */
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    options.flags = KSTONE_OPEN_BACKGROUND_COMPACTION;
    options.memtable_max_records = 16;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (i = 1; i < 32; i++) {
        CHECK_INT(sigismember(&before, (int)i), sigismember(&after, (int)i));
    }
    /* A thread gives itself its name once it runs. */
    for (i = 0; (blocked = blocked_by("kstone-compact")) == 0 && i < 5000; i++) {
        usleep(1000);
    }
    for (i = 0; i < sizeof sent / sizeof *sent; i++) {
        if (!check_count((blocked >> (sent[i] - 1) & 1) == 1)) {
            fprintf(stderr, "the compaction thread takes signal %d\n", sent[i]);
        }
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    CHECK_INT(0, pthread_create(&receiver, NULL, receive, NULL));
    for (i = 0; i < test_scale(50); i++) {
        for (kind = 0; kind < sizeof sent / sizeof *sent; kind++) {
            char pk[16];
            snprintf(pk, sizeof pk, "%zu", i * 7 % 100);
            put_number(db, pk, NULL, (int64_t)i);
            CHECK_INT(0, kill(getpid(), sent[kind]));
            expected++;
            while (received + received_elsewhere < expected) {
                usleep(10);
            }
        }
    }
    CHECK_INT(expected, received);
    CHECK_INT(0, received_elsewhere);
    stopping = 1;
    CHECK_INT(0, pthread_join(receiver, NULL));
    kstone_free(db);
    return check_report();
}
