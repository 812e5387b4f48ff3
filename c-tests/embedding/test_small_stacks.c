/* Small stacks: 48 KiB are enough for every function, and 160 KiB for the deepest statement, as the header says. */
#include <limits.h>
#include <pthread.h>

#include "calls.h"

#define KIB 1024

static size_t stack_kib = 48;

typedef struct task {
    const call *call;
    calls_world *world;
} task;

static void *run_task(void *argument) {
    task *its = (task *)argument;
    its->call->run(its->world);
    return NULL;
}

static void runs_on_a_small_stack(const call *tried, calls_world *world) {
    pthread_attr_t attributes;
    pthread_t thread;
    task its;
    its.call = tried;
    its.world = world;
    CHECK_INT(0, pthread_attr_init(&attributes));
    CHECK_INT(0, pthread_attr_setstacksize(&attributes, stack_kib * KIB));
    CHECK_INT(0, pthread_create(&thread, &attributes, run_task, &its));
    CHECK_INT(0, pthread_join(thread, NULL));
    CHECK_INT(0, pthread_attr_destroy(&attributes));
}

/* A level is the whole. */
#define DEEP 31

/* DEEP times `open`, then `inside`, then DEEP times `closed`. */
static void nest(char *text, size_t capacity, const char *open, const char *inside, const char *closed) {
    size_t len = 0;
    int i;
    for (i = 0; i < 2 * DEEP + 1; i++) {
        const char *part = i < DEEP ? open : i == DEEP ? inside : closed;
        len += (size_t)snprintf(text + len, capacity - len, "%s", part);
    }
}

static void put_the_deepest_item(calls_world *w) {
    char json[1024];
    kstone_error *err = NULL;
    char *out = NULL;
    size_t out_len = 0;
    nest(json, sizeof json, "{\"a\":", "{\"a\":1}", "}");
    CHECK_OK(kstone_put_json(w->db, LIT("deep"), LIT("item"), json, KSTONE_STRLEN, KSTONE_JSON_PLAIN, &err));
    CHECK_OK(kstone_get_json(w->db, LIT("deep"), LIT("item"), 0, &out, &out_len, &err));
    kstone_free(out);
}

/* With as many operators as a condition may have, each inside of the one before. */
static void update_on_the_deepest_condition(calls_world *w) {
    char condition[2048] = "";
    kstone_cond cond = calls_condition();
    kstone_item *params = calls_seven();
    kstone_error *err = NULL;
    int i;
    for (i = 0; i < 298; i++) {
        strcat(condition, "NOT ");
    }
    strcat(condition, "attribute_not_exists(v)");
    cond.expr = condition;
    CHECK_OK(kstone_update(w->db, LIT("deep"), LIT("item"), LIT("SET v = :v"), params, &cond, KSTONE_RETURN_NONE, NULL,
                           &err));
    CHECK_OK(kstone_delete(w->db, LIT("deep"), LIT("item"), &err));
    kstone_free(params);
}

static void run_the_deepest_statement(calls_world *w) {
    char condition[256], statement[512];
    kstone_page *page = NULL;
    kstone_error *err = NULL;
    nest(condition, sizeof condition, "(", "v = 7", ")");
    snprintf(statement, sizeof statement, "SELECT * FROM items WHERE %s", condition);
    CHECK_OK(kstone_execute(w->db, statement, KSTONE_STRLEN, NULL, NULL, 0, &page, &err));
    kstone_free(page);
}

/* {"pk":"zipped"} as gzip, all of it at once. */
static kstone_status give_gzip(void *given, void *buffer, size_t capacity, size_t *len) {
    static const unsigned char gzip[] = {
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x2a, 0xc8, 0x56, 0xb2, 0x52,
        0xaa, 0xca, 0x2c, 0x28, 0x48, 0x4d, 0x51, 0xaa, 0xe5, 0x02, 0x00, 0x27, 0xc4, 0x0f, 0xd6, 0x10, 0x00,
        0x00, 0x00
    };
    if (!*(int *)given) {
        *(int *)given = 1;
        CHECK(capacity >= sizeof gzip);
        memcpy(buffer, gzip, sizeof gzip);
        *len = sizeof gzip;
    }
    return KSTONE_OK;
}

static void import_gzip(calls_world *w) {
    kstone_import_spec spec = KSTONE_IMPORT_SPEC_INIT;
    kstone_error *err = NULL;
    size_t loaded = 0;
    int given = 0;
    spec.flags = KSTONE_IMPORT_SKIP;
    CHECK_OK(kstone_import_json_from(w->db, give_gzip, &given, &spec, &loaded, NULL, NULL, &err));
    CHECK_SIZE(1, loaded);
    CHECK_OK(kstone_delete(w->db, LIT("zipped"), NULL, 0, &err));
}

/* The argument, if there is one, is another size in KiB: to measure what functions need. */
int main(int argc, char **argv) {
    static const call deepest_item = {"the deepest item", put_the_deepest_item};
    static const call deepest_condition = {"the deepest condition", update_on_the_deepest_condition};
    static const call deepest_statement = {"the deepest statement", run_the_deepest_statement};
    static const call gzip = {"gzip", import_gzip};
    calls_world world;
    size_t i;
    if (argc == 2) {
        stack_kib = strtoul(argv[1], NULL, 10);
    }
    calls_open(&world);
    for (i = 0; i < CALLS_COUNT; i++) {
        calls_try(&calls[i], &world, runs_on_a_small_stack);
    }
    calls_try(&deepest_item, &world, runs_on_a_small_stack);
    calls_try(&deepest_condition, &world, runs_on_a_small_stack);
    calls_try(&gzip, &world, runs_on_a_small_stack);
    if (argc != 2) {
        stack_kib = 160;
    }
    calls_try(&deepest_statement, &world, runs_on_a_small_stack);
    calls_close(&world);
    return check_report();
}
