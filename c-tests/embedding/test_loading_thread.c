/* The thread that loads the library ends; others, which may get its address, go on. What is loaded is the argument. */
#include "loaded.h"

static const char *path;
static loaded library;

static void *load_and_use(void *argument) {
    library = load(path);
    loaded_use(&library, 10);
    return argument;
}

static void *use(void *argument) {
    loaded_use(&library, 100);
    return argument;
}

int main(int argc, char **argv) {
    int i;
    CHECK_INT(2, argc);
    path = argv[1];
    run_in_a_thread(load_and_use, NULL);
    for (i = 0; i < 20; i++) {
        run_in_a_thread(use, NULL);
    }
    use(NULL);
    return check_report();
}
