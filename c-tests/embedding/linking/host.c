/* A program that loads plugins, each with a libkstone.a of its own, while it may have libkstone.so itself. */
#include <dlfcn.h>

#include "check.h"

#if defined(WITH_KSTONE)
#include "support.h"
#endif

static int (*find_use(void *plugin))(void) {
    void *found = dlsym(plugin, "plugin_use");
    int (*use)(void) = NULL;
    CHECK(found != NULL);
    memcpy(&use, &found, sizeof found);
    return use;
}

static void use_plugins(int count, char **paths, int flags) {
    void *plugins[4] = {NULL};
    int i, round;
    for (i = 0; i < count && i < 4; i++) {
        plugins[i] = dlopen(paths[i], flags);
        if (!check_count(plugins[i] != NULL)) {
            fprintf(stderr, "%s\n", dlerror());
            return;
        }
    }
    for (round = 0; round < 3; round++) {
        for (i = 0; i < count && i < 4; i++) {
            CHECK_INT(0, find_use(plugins[i])());
        }
#if defined(WITH_KSTONE)
        {
            kstone_db *db = open_database(0);
            put_number(db, "host", "sk", round);
            CHECK_INT(round, get_number(db, "host", "sk"));
            kstone_free(db);
        }
#endif
    }
    for (i = 0; i < count && i < 4; i++) {
        CHECK_INT(0, dlclose(plugins[i]));
    }
}

int main(int argc, char **argv) {
    int turn;
    CHECK(argc > 1);
    for (turn = 0; turn < 10; turn++) {
        use_plugins(argc - 1, argv + 1, RTLD_NOW | RTLD_LOCAL);
        use_plugins(argc - 1, argv + 1, RTLD_NOW | RTLD_GLOBAL);
    }
    return check_report();
}
