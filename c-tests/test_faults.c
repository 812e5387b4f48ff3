/*
 * Every call to the file system and for threads fails, one after another: of each operation the first, then the second,
 * and so on until it meets no failure. Whatever fails, the error says what and why, the file is the old one or the new
 * one, nothing is left next to it, no descriptor is lost, and the database goes on as if nothing had been asked.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

/* The sanitizers need to see threads begin by their own pthread_create. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FAULTY_THREADS 1
#endif

static char directory[64];
static char path[96];
static char link_path[96];

/* FAULTS */

/* What a call that is to fail does instead of its work. SHORT: a part of it, where it can. */
enum { SHORT = -1 };

/* A kind of failure: an errno or SHORT, of one call or of it and all that follow. */
struct fault {
    int error;
    int lasting;
};

static struct fault fault;
/* How many calls are left until it fails; 0: no call fails. */
static int left;
static int failed;

/* Whether this call is to fail: errno is set then. */
static int fails(void) {
    if (left == 0 || fault.error == SHORT) {
        return 0;
    }
    if (left > 1) {
        left--;
        return 0;
    }
    if (!fault.lasting) {
        left = 0;
    }
    failed++;
    errno = fault.error;
    return 1;
}

/* How many bytes of `len` this call is to do. */
static size_t some_of(size_t len) {
    if (left == 0 || fault.error != SHORT || len < 2 || --left > 0) {
        return len;
    }
    failed++;
    return 1;
}

static void begin_faults(struct fault of, int at) {
    fault = of;
    failed = 0;
    left = at;
}

/* Whether any call has failed. */
static int end_faults(void) {
    left = 0;
    return failed > 0;
}

/* In the place of the C library's, for this program and what it is linked with. */
static int open_with(const char *name, int flags, mode_t mode) {
    return fails() ? -1 : (int)syscall(SYS_openat, AT_FDCWD, name, flags, mode);
}

#define OPEN(function)                                 \
    int function(const char *name, int flags, ...) {   \
        mode_t mode = 0;                               \
        if ((flags & O_CREAT) != 0) {                  \
            va_list rest;                              \
            va_start(rest, flags);                     \
            mode = va_arg(rest, mode_t);               \
            va_end(rest);                              \
        }                                              \
        return open_with(name, flags | O_LARGEFILE, mode); \
    }
OPEN(open)
OPEN(open64)

ssize_t read(int fd, void *buffer, size_t len) {
    return fails() ? -1 : syscall(SYS_read, fd, buffer, some_of(len));
}

ssize_t write(int fd, const void *buffer, size_t len) {
    return fails() ? -1 : syscall(SYS_write, fd, buffer, some_of(len));
}

int fsync(int fd) {
    return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to) {
    return fails() ? -1 : renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlink(const char *name) {
    return fails() ? -1 : unlinkat(AT_FDCWD, name, 0);
}

int fchmod(int fd, mode_t mode) {
    return fails() ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

ssize_t readlink(const char *name, char *buffer, size_t len) {
    return fails() ? -1 : readlinkat(AT_FDCWD, name, buffer, len);
}

int statx(int at, const char *restrict name, int flags, unsigned mask, struct statx *restrict about) {
    return fails() ? -1 : (int)syscall(SYS_statx, at, name, flags, mask, about);
}

off_t lseek(int fd, off_t offset, int whence) {
    return fails() ? -1 : (off_t)syscall(SYS_lseek, fd, offset, whence);
}

off64_t lseek64(int fd, off64_t offset, int whence) {
    return fails() ? -1 : (off64_t)syscall(SYS_lseek, fd, offset, whence);
}

/* The descriptor is gone, whatever close returns. */
int close(int fd) {
    int result = (int)syscall(SYS_close, fd);
    return fails() ? -1 : result;
}

/* The C library's own function of this name, as bytes: ISO C has no cast for it. */
static void find_next(const char *name, void *function) {
    void *found = dlsym(RTLD_NEXT, name);
    CHECK(found != NULL);
    memcpy(function, &found, sizeof found);
}

char *realpath(const char *restrict name, char *restrict resolved) {
    static char *(*next)(const char *, char *);
    if (next == NULL) {
        find_next("realpath", &next);
    }
    return fails() ? NULL : next(name, resolved);
}

#ifdef FAULTY_THREADS
/* Whether no thread can be started, and how many were to be. */
static int threads_are_refused;
static int threads_refused;

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*start)(void *),
                   void *restrict argument) {
    static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (next == NULL) {
        find_next("pthread_create", &next);
    }
    if (threads_are_refused) {
        threads_refused++;
        return EAGAIN;
    }
    return fails() ? EAGAIN : next(thread, attributes, start, argument);
}
#endif

/* WHAT IS THERE */

static int open_descriptors(void) {
    DIR *all = opendir("/proc/self/fd");
    int count = 0;
    CHECK(all != NULL);
    while (all != NULL && readdir(all) != NULL) {
        count++;
    }
    closedir(all);
    return count;
}

/* How many files in the directory are neither the file nor the link to it. */
static int other_files(void) {
    DIR *all = opendir(directory);
    struct dirent *entry;
    int count = 0;
    while ((entry = readdir(all)) != NULL) {
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
        count -= strcmp(entry->d_name, "db.kstone") == 0 || strcmp(entry->d_name, "link") == 0;
    }
    closedir(all);
    return count;
}

static size_t count_items(const kstone_db *db) {
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    kstone_error *err = NULL;
    size_t count;
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    count = kstone_page_count(page);
    kstone_free(page);
    return count;
}

/* A database with these many items, whose file takes several writes. */
static kstone_db *database_of(size_t items) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_item *item = item_of("{\"v\":{\"S\":\"some text, so that the file is not too small for several writes\"}}");
    size_t i;
    for (i = 0; i < items; i++) {
        char pk[32];
        snprintf(pk, sizeof pk, "item#%zu", i);
        CHECK_OK(kstone_put(db, pk, strlen(pk), NO_SK, item, &err));
    }
    kstone_free(item);
    return db;
}

/* OPERATIONS */

enum { OLD = 10, NEW = 300 };

static kstone_db *old_db;
static kstone_db *new_db;

static kstone_status save(kstone_error **err) {
    return kstone_snapshot_save(new_db, path, KSTONE_STRLEN, err);
}

static kstone_status save_through_link(kstone_error **err) {
    return kstone_snapshot_save(new_db, link_path, KSTONE_STRLEN, err);
}

static kstone_status export_lines(kstone_error **err) {
    return kstone_export_json(new_db, path, KSTONE_STRLEN, err);
}

static size_t items_in_snapshot(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    size_t count;
    CHECK_OK(kstone_snapshot_load(db, path, KSTONE_STRLEN, &err));
    count = count_items(db);
    kstone_free(db);
    return count;
}

static size_t items_in_lines(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    size_t count;
    CHECK_OK(kstone_import_json(db, path, KSTONE_STRLEN, NULL, NULL, NULL, NULL, &err));
    count = count_items(db);
    kstone_free(db);
    return count;
}

static void old_snapshot(void) {
    kstone_error *err = NULL;
    CHECK_OK(kstone_snapshot_save(old_db, path, KSTONE_STRLEN, &err));
    CHECK_INT(0, chmod(path, 0600));
}

static void old_lines(void) {
    kstone_error *err = NULL;
    CHECK_OK(kstone_export_json(old_db, path, KSTONE_STRLEN, &err));
    CHECK_INT(0, chmod(path, 0600));
}

static void no_file(void) {
    CHECK(unlinkat(AT_FDCWD, path, 0) == 0 || errno == ENOENT);
}

/* Something that writes a file: what is there before, how it is done, how many items the file then holds. */
struct writing {
    const char *what;
    const char *named;
    void (*prepare)(void);
    kstone_status (*run)(kstone_error **err);
    size_t (*items)(void);
    size_t before;
};

/* An error names the file and what the system said. */
static void check_said(const char *what, int at, const kstone_error *err, const char *named, int error) {
    const char *message = kstone_error_message(err);
    int said = message != NULL && strstr(message, named) != NULL && strstr(message, strerror(error)) != NULL;
    if (!check_count(said)) {
        fprintf(stderr, "%s: call %d: the error does not say %s and \"%s\": %s\n", what, at, named, strerror(error),
                message != NULL ? message : "no error");
    }
}

static int file_is_there(void) {
    return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

/* One attempt, of which call `at` fails; whether any did. */
static int write_with_fault(const struct writing *writing, struct fault of, int at) {
    kstone_error *err = NULL;
    kstone_status status;
    struct stat about;
    int descriptors, any;
    writing->prepare();
    descriptors = open_descriptors();
    begin_faults(of, at);
    status = writing->run(&err);
    any = end_faults();
    CHECK_INT(descriptors, open_descriptors());
    if (status == KSTONE_OK) {
        CHECK_NULL(err);
        CHECK_SIZE(NEW, writing->items());
    } else {
        CHECK_INT(KSTONE_ERR_IO, status);
        check_said(writing->what, at, err, writing->named, of.error);
        /* The new one where only the directory could not be synced. */
        if (file_is_there()) {
            size_t found = writing->items();
            CHECK(found == NEW || (writing->before > 0 && found == writing->before));
        } else {
            CHECK_SIZE(0, writing->before);
        }
    }
    if (writing->before > 0) {
        CHECK_INT(0, stat(path, &about));
        CHECK_INT(0600, (int)(about.st_mode & 0777));
    }
    /* Where every call fails from one on, what was begun cannot be removed either. */
    if (!of.lasting) {
        CHECK_INT(0, other_files());
    }
    kstone_free(err);
    CHECK_SIZE(NEW, count_items(new_db));
    return any;
}

static void remove_other_files(void) {
    DIR *all = opendir(directory);
    struct dirent *entry;
    while ((entry = readdir(all)) != NULL) {
        if (strncmp(entry->d_name, ".kstone-", 8) == 0) {
            CHECK_INT(0, unlinkat(dirfd(all), entry->d_name, 0));
        }
    }
    closedir(all);
}

static const struct fault FAULTS[] = {{EIO, 0},   {ENOSPC, 0}, {EINTR, 0}, {EMFILE, 0},
                                      {EACCES, 0}, {SHORT, 0},  {EIO, 1},   {ENOSPC, 1}};
enum { FAULTS_LEN = sizeof FAULTS / sizeof *FAULTS, CALLS_MAX = 1000 };

static void whatever_fails_a_file_is_the_old_one_or_the_new_one(void) {
    const struct writing WRITING[] = {
        {"save", path, old_snapshot, save, items_in_snapshot, OLD},
        {"save of a new file", path, no_file, save, items_in_snapshot, 0},
        {"save through a link", link_path, old_snapshot, save_through_link, items_in_snapshot, OLD},
        {"save through a link to nothing", link_path, no_file, save_through_link, items_in_snapshot, 0},
        {"export", path, old_lines, export_lines, items_in_lines, OLD},
        {"export of a new file", path, no_file, export_lines, items_in_lines, 0},
    };
    size_t i, f;
    for (i = 0; i < sizeof WRITING / sizeof *WRITING; i++) {
        for (f = 0; f < FAULTS_LEN; f++) {
            int at = 1;
            while (write_with_fault(&WRITING[i], FAULTS[f], at) && at < CALLS_MAX) {
                remove_other_files();
                at++;
            }
            /* At least an open, some writes, two syncs and a rename were in reach. */
            CHECK(at > (FAULTS[f].error == SHORT ? 2 : 6) && at < CALLS_MAX);
            remove_other_files();
        }
    }
    no_file();
}

/* A load shows everything or nothing, an import some of the items, the first ones, where the file fails at last. */
static int read_with_fault(int is_load, struct fault of, int at) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_status status;
    size_t found;
    int descriptors = open_descriptors(), any;
    begin_faults(of, at);
    status = is_load ? kstone_snapshot_load(db, path, KSTONE_STRLEN, &err)
                     : kstone_import_json(db, path, KSTONE_STRLEN, NULL, NULL, NULL, NULL, &err);
    any = end_faults();
    CHECK_INT(descriptors, open_descriptors());
    found = count_items(db);
    if (status == KSTONE_OK) {
        CHECK_SIZE(NEW, found);
    } else if (kstone_error_code(err) == KSTONE_ERR_INVALID) {
        /* What cannot be sought is taken for a pipe, by name. */
        CHECK(!is_load && found == 0 && strstr(kstone_error_message(err), path) != NULL);
    } else {
        CHECK_INT(KSTONE_ERR_IO, status);
        check_said(is_load ? "load" : "import", at, err, path, of.error);
        CHECK(is_load ? found == 0 : found <= NEW);
    }
    kstone_free(err);
    err = NULL;
    CHECK_OK(is_load && found > 0 ? KSTONE_OK
             : is_load            ? kstone_snapshot_load(db, path, KSTONE_STRLEN, &err)
                       : kstone_import_json(db, path, KSTONE_STRLEN, NULL, NULL, NULL, NULL, &err));
    CHECK_SIZE(NEW, count_items(db));
    kstone_free(db);
    return any;
}

static void a_file_that_fails_while_it_is_read_leaves_a_sound_database(void) {
    int is_load;
    size_t f;
    for (is_load = 0; is_load < 2; is_load++) {
        kstone_error *err = NULL;
        CHECK_OK(is_load ? save(&err) : export_lines(&err));
        for (f = 0; f < FAULTS_LEN; f++) {
            int at = 1;
            while (read_with_fault(is_load, FAULTS[f], at) && at < CALLS_MAX) {
                at++;
            }
            CHECK(at > 3 && at < CALLS_MAX);
        }
        no_file();
    }
}

/* A database with background compaction has a thread of its own, and so has a fork of it. */
static void a_thread_that_cannot_be_made_is_an_error_that_leaves_nothing(void) {
#ifdef FAULTY_THREADS
    const struct fault no_thread = {EAGAIN, 0};
    kstone_options options = default_options();
    kstone_db *db = UNTOUCHED(kstone_db), *copy = UNTOUCHED(kstone_db);
    kstone_error *err = NULL;
    int descriptors = open_descriptors();
    options.flags = KSTONE_OPEN_BACKGROUND_COMPACTION;
    begin_faults(no_thread, 1);
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, strerror(EAGAIN), kstone_open_memory(&options, &db, &err));
    CHECK(end_faults());
    CHECK_UNTOUCHED(db);
    db = NULL;
    CHECK_OK(kstone_open_memory(&options, &db, &err));
    put_number(db, "a", NULL, 1);
    begin_faults(no_thread, 1);
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, strerror(EAGAIN), kstone_fork(db, &copy, &err));
    CHECK(end_faults());
    CHECK_UNTOUCHED(copy);
    copy = NULL;
    put_number(db, "b", NULL, 2);
    CHECK_OK(kstone_fork(db, &copy, &err));
    CHECK_INT(1, (int)get_number(copy, "a", NULL));
    CHECK_INT(2, (int)get_number(copy, "b", NULL));
    kstone_free(copy);
    kstone_free(db);
    CHECK_INT(descriptors, open_descriptors());
#endif
}

#ifdef FAULTY_THREADS
/* How many items a snapshot of many blocks, or an export of many lines, holds, where no thread can be started. */
static void check_without_threads(size_t items, size_t (*items_in_file)(void)) {
    threads_are_refused = 1;
    threads_refused = 0;
    CHECK_SIZE(items, items_in_file());
    threads_are_refused = 0;
}

static void check_without_threads_and_in_a_child(size_t items, size_t (*items_in_file)(void)) {
    int status;
    pid_t child;
    check_without_threads(items, items_in_file);
    child = fork();
    if (child == 0) {
        check_without_threads(items, items_in_file);
        /* A child does not even try: it may be kept waiting for ever. */
        CHECK_INT(0, threads_refused);
        kstone_free(old_db);
        kstone_free(new_db);
        _exit(check_failed_count == 0 ? 0 : 1);
    }
    CHECK(child > 0);
    CHECK_INT(child, waitpid(child, &status, 0));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

static void loads_and_imports_work_alone_where_no_thread_can_be_started_and_in_a_child(void) {
#ifdef FAULTY_THREADS
    enum { ITEMS = 10000 };
    kstone_db *db = database_of(ITEMS);
    kstone_error *err = NULL;
    CHECK_OK(kstone_snapshot_save(db, path, KSTONE_STRLEN, &err));
    /* A child frees what it has: a database that only its parent knows would be lost there. */
    kstone_free(db);
    check_without_threads_and_in_a_child(ITEMS, items_in_snapshot);
    db = database_of(ITEMS);
    CHECK_OK(kstone_export_json(db, path, KSTONE_STRLEN, &err));
    kstone_free(db);
    check_without_threads_and_in_a_child(ITEMS, items_in_lines);
    no_file();
#endif
}

int main(void) {
    strcpy(directory, "/tmp/kstone-test-XXXXXX");
    if (mkdtemp(directory) == NULL) {
        perror("mkdtemp");
        return 1;
    }
    snprintf(path, sizeof path, "%s/db.kstone", directory);
    snprintf(link_path, sizeof link_path, "%s/link", directory);
    CHECK_INT(0, symlink("db.kstone", link_path));
    old_db = database_of(OLD);
    new_db = database_of(NEW);
    whatever_fails_a_file_is_the_old_one_or_the_new_one();
    a_file_that_fails_while_it_is_read_leaves_a_sound_database();
    a_thread_that_cannot_be_made_is_an_error_that_leaves_nothing();
    loads_and_imports_work_alone_where_no_thread_can_be_started_and_in_a_child();
    kstone_free(old_db);
    kstone_free(new_db);
    CHECK_INT(0, unlinkat(AT_FDCWD, link_path, 0));
    CHECK_INT(0, rmdir(directory));
    return check_report();
}
