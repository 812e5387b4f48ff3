/* What the disk is told when a file is replaced, in which order, and what becomes of the file where the disk refuses. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static char directory[64];
static char path[96];

/* What was asked of the disk since the last look: f for a file synced, d for a directory synced, r for a rename. */
static char asked[16];
/* Which of these is to fail; 0 for none. */
static char failing;

/* Notes it; -1 where it is to fail. */
static int ask(char what) {
    size_t len = strlen(asked);
    CHECK(len + 1 < sizeof asked);
    asked[len] = what;
    if (what != failing) {
        return 0;
    }
    errno = EIO;
    return -1;
}

/* In the place of the C library's: the test asks whether it is called, not what it does. */
int fsync(int fd) {
    struct stat about;
    CHECK_INT(0, fstat(fd, &about));
    return ask(S_ISDIR(about.st_mode) ? 'd' : 'f');
}

int rename(const char *from, const char *to) {
    return ask('r') == 0 ? renameat(AT_FDCWD, from, AT_FDCWD, to) : -1;
}

static kstone_db *database_of(size_t items) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_item *item = item_of("{\"v\":{\"S\":\"some text, so that the file is not too small\"}}");
    size_t i;
    for (i = 0; i < items; i++) {
        char pk[32];
        snprintf(pk, sizeof pk, "item#%zu", i);
        CHECK_OK(kstone_put(db, pk, strlen(pk), NO_SK, item, &err));
    }
    kstone_free(item);
    return db;
}

static size_t items_in_file(void) {
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_query_spec spec = scan_spec();
    kstone_page *page = NULL;
    size_t count;
    CHECK_OK(kstone_snapshot_load(db, path, KSTONE_STRLEN, &err));
    CHECK_OK(kstone_scan(db, &spec, &page, &err));
    count = kstone_page_count(page);
    kstone_free(page);
    kstone_free(db);
    return count;
}

/* Nothing but the file is there. */
static void check_alone(void) {
    char aside[112];
    snprintf(aside, sizeof aside, "%s-aside", directory);
    CHECK_INT(0, renameat(AT_FDCWD, path, AT_FDCWD, aside));
    CHECK_INT(0, rmdir(directory));
    CHECK_INT(0, mkdir(directory, 0700));
    CHECK_INT(0, renameat(AT_FDCWD, aside, AT_FDCWD, path));
}

typedef kstone_status (*replace)(const kstone_db *db, const char *path, size_t path_len, kstone_error **err);

static void a_file_is_synced_before_it_is_renamed_and_its_directory_after(void) {
    static const replace REPLACE[] = {kstone_snapshot_save, kstone_export_json};
    kstone_db *db = database_of(10);
    kstone_error *err = NULL;
    size_t i;
    for (i = 0; i < 2; i++) {
        memset(asked, 0, sizeof asked);
        CHECK_OK(REPLACE[i](db, path, KSTONE_STRLEN, &err));
        CHECK_STR("frd", asked);
    }
    kstone_free(db);
}

static void what_cannot_be_synced_or_renamed_does_not_replace_the_file(void) {
    kstone_db *first = database_of(10);
    kstone_db *second = database_of(20);
    kstone_error *err = NULL;
    const char *at;
    CHECK_OK(kstone_snapshot_save(first, path, KSTONE_STRLEN, &err));
    for (at = "fr"; *at != 0; at++) {
        memset(asked, 0, sizeof asked);
        failing = *at;
        CHECK_FAILS_SAYING(KSTONE_ERR_IO, path, kstone_snapshot_save(second, path, KSTONE_STRLEN, &err));
        failing = 0;
        CHECK_SIZE(10, items_in_file());
        check_alone();
    }
    /* At the very end the new file has its name already; that this might not last is said. */
    memset(asked, 0, sizeof asked);
    failing = 'd';
    CHECK_FAILS_SAYING(KSTONE_ERR_IO, path, kstone_snapshot_save(second, path, KSTONE_STRLEN, &err));
    failing = 0;
    CHECK_SIZE(20, items_in_file());
    check_alone();
    kstone_free(first);
    kstone_free(second);
}

/* A disk that is full after so many bytes, whichever number that is. */
static void a_disk_that_is_full_leaves_the_file_as_it_was(void) {
    kstone_db *first = database_of(10);
    kstone_db *second = database_of(100);
    kstone_error *err = NULL;
    struct rlimit before, full;
    struct stat about;
    rlim_t size;
    CHECK_OK(kstone_snapshot_save(second, path, KSTONE_STRLEN, &err));
    CHECK_INT(0, stat(path, &about));
    CHECK_OK(kstone_snapshot_save(first, path, KSTONE_STRLEN, &err));
    CHECK_INT(0, getrlimit(RLIMIT_FSIZE, &before));
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    for (size = 0; size < (rlim_t)about.st_size; size += 1 + (rlim_t)about.st_size / 16) {
        kstone_status status;
        full = before;
        full.rlim_cur = size;
        CHECK_INT(0, setrlimit(RLIMIT_FSIZE, &full));
        status = kstone_snapshot_save(second, path, KSTONE_STRLEN, &err);
        CHECK_INT(0, setrlimit(RLIMIT_FSIZE, &before));
        CHECK_INT(KSTONE_ERR_IO, status);
        CHECK(strstr(kstone_error_message(err), "File too large") != NULL);
        kstone_free(err);
        err = NULL;
        memset(asked, 0, sizeof asked);
        CHECK_SIZE(10, items_in_file());
        check_alone();
    }
    kstone_free(first);
    kstone_free(second);
}

int main(void) {
    strcpy(directory, "/tmp/kstone-test-XXXXXX");
    if (mkdtemp(directory) == NULL) {
        perror("mkdtemp");
        return 1;
    }
    snprintf(path, sizeof path, "%s/db.kstone", directory);
    a_file_is_synced_before_it_is_renamed_and_its_directory_after();
    what_cannot_be_synced_or_renamed_does_not_replace_the_file();
    a_disk_that_is_full_leaves_the_file_as_it_was();
    CHECK_INT(0, unlink(path));
    CHECK_INT(0, rmdir(directory));
    return check_report();
}
