/* writes.c: puts, deletes, updates, transactions and forks of records with one value. */
#include "instructions.h"

static void put_one(size_t n) {
    OK(kstone_put(db, PK(&keys[RECORDS + n]), NO_SK, item, NULL));
}

static void put(void) {
    load_points(4 * RECORDS + WARM_UP);
    count(put_one, 4 * RECORDS);
}

static void overwrite_one(size_t n) {
    OK(kstone_put(db, PK(loaded_key(n)), NO_SK, item, NULL));
}

static void overwrite(void) {
    load_points(0);
    count(overwrite_one, 4 * RECORDS);
}

static void delete_one(size_t n) {
    OK(kstone_delete(db, PK(loaded_key(n)), NO_SK, NULL));
}

static void delete(void) {
    load_points(0);
    count(delete_one, RECORDS - WARM_UP);
}

static void put_if_one(size_t n) {
    kstone_cond cond = {0};
    cond.struct_size = sizeof cond;
    cond.expr = "attribute_not_exists(pk)";
    cond.expr_len = KSTONE_STRLEN;
    OK(kstone_put_if(db, PK(&keys[RECORDS + n]), NO_SK, item, &cond, NULL, NULL));
}

static void put_if(void) {
    load_points(4 * RECORDS + WARM_UP);
    count(put_if_one, 4 * RECORDS);
}

static void update_one(size_t n) {
    OK(kstone_update(db, PK(loaded_key(n)), NO_SK, LIT("SET n = n + :n"), params, NULL, KSTONE_RETURN_NONE, NULL,
                     NULL));
}

static void update(void) {
    load_numbered(0);
    OK(kstone_item_set_i64(params, LIT(":n"), 1));
    count(update_one, 2 * RECORDS);
}

static void transact_one(size_t n) {
    kstone_batch *batch = kstone_batch_new();
    size_t i;
    for (i = 0; i < 4; i++) {
        OK(kstone_batch_put(batch, PK(&keys[4 * n + i]), NO_SK, item, NULL));
    }
    OK(kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, NULL, NULL));
    kstone_free(batch);
}

/* Four stripes are written, one record in each. */
static void transact(void) {
    make_keys(4 * RECORDS, 4);
    open_with(NULL);
    count(transact_one, RECORDS - WARM_UP);
}

/* A write on either side of a fork, whose end is part of it. */
static void fork_one(size_t n) {
    kstone_db *fork = NULL;
    OK(kstone_put(db, PK(loaded_key(n)), NO_SK, item, NULL));
    OK(kstone_fork(db, &fork, NULL));
    OK(kstone_put(fork, PK(loaded_key(n + 1)), NO_SK, item, NULL));
    kstone_free(fork);
}

static void fork_and_write(void) {
    load_points(0);
    count(fork_one, 200);
}

const workload write_workloads[] = {
    {"put", put},
    {"overwrite", overwrite},
    {"delete", delete},
    {"put-if", put_if},
    {"update", update},
    {"transact-4", transact},
    {"fork", fork_and_write},
    {NULL, NULL},
};
