/*
 * shim.h: what Go calls, one crossing for each request.
 *
 * Go must not hand out memory that points at other memory of Go's. So a request with more than two or three parts is a
 * struct of places in one buffer, the arena, which holds keys, texts and stored forms one behind the other; the
 * functions here build from it what kstone.h asks for.
 *
 * Nothing here keeps a pointer into the arena, or into the request, after it has returned. All functions may be called
 * from any thread; a kgo_iter is for one at a time.
 */
#ifndef KSTONE_GO_SHIM_H
#define KSTONE_GO_SHIM_H

#include "kstone.h"

/* As the `at` of a part: it is not there. */
#define KGO_NONE SIZE_MAX

/* Bytes of the arena. */
typedef struct kgo_part {
    size_t at;
    size_t len;
} kgo_part;

/* One of many keys, and what is to be put under it, in its stored form. */
typedef struct kgo_key {
    kgo_part pk;
    kgo_part sk;
    kgo_part body;
} kgo_key;

/* Bytes that the shim has made, to be given to kgo_release. */
typedef struct kgo_bytes {
    uint8_t *data;
    size_t len;
} kgo_bytes;

/* How a database is to be, as kstone_options. */
typedef struct kgo_options {
    kgo_part schema;
    uint64_t memtable_max_records;
    uint64_t memory_max_bytes;
    uint32_t eviction;
    uint32_t flags;
} kgo_options;

/* One write, alone or in a batch. */
typedef struct kgo_write {
    uint32_t kind; /* one of KGO_PUT and so on */
    uint32_t return_values;
    uint32_t return_old_on_failure;
    kgo_part pk;
    kgo_part sk;
    kgo_part body;        /* of a put: its stored form */
    kgo_part expr;        /* of an update; the text of a statement */
    kgo_part params;      /* of either: the bag's stored form */
    kgo_part cond;        /* the condition; KGO_NONE: none */
    kgo_part cond_params; /* its bag; KGO_NONE: none, or the update's */
} kgo_write;

enum { KGO_PUT, KGO_UPDATE, KGO_DELETE, KGO_CHECK, KGO_GET, KGO_EXECUTE, KGO_PUT_ITEM };

/* What a query or scan wants, as kstone_query_spec. */
typedef struct kgo_spec {
    uint32_t sk_op;
    uint32_t flags;
    uint32_t limit;
    uint32_t segment;
    uint32_t segments;
    kgo_part pk;
    kgo_part sk1;
    kgo_part sk2;
    kgo_part index;
    kgo_part filter;
    kgo_part projection;
    kgo_part params;
    kgo_part token;
    kgo_part key_expr;
    kgo_part start_after;
} kgo_spec;

/* How items are imported, as kstone_import_spec, and what came of it. */
typedef struct kgo_import {
    kgo_part path;
    kgo_part pk_name;
    kgo_part sk_name;
    uint32_t flags;
    size_t loaded;
    size_t skipped;
    char *reasons; /* to be freed */
} kgo_import;

/* An item that came back. `handle` lends `body`, and is NULL where no item did. */
typedef struct kgo_item {
    kstone_item *handle;
    kstone_bytes body;
} kgo_item;

/* A page that came back. `handle` lends the rest. */
typedef struct kgo_page {
    kstone_page *handle;
    kstone_bytes items;
    kstone_bytes token;
    size_t count;
    size_t scanned;
} kgo_page;

/* All that an error says, lent by it. `item.data` is NULL where there is no item, or one without attributes. */
typedef struct kgo_error {
    int32_t index;
    int32_t has_item;
    const char *name;
    const char *message;
    kstone_bytes item;
    kstone_item *whole; /* to be freed */
} kgo_error;

/* An iterator and the items it gave last. */
typedef struct kgo_iter kgo_iter;

kgo_error kgo_error_read(const kstone_error *error);

kstone_status kgo_open(const void *arena, const kgo_options *options, kstone_db **out, kstone_error **err);
kstone_status kgo_write_one(kstone_db *db, const void *arena, const kgo_write *write, kgo_item *out,
                            kstone_error **err);
kstone_status kgo_batch_run(kstone_db *db, const void *arena, const kgo_write *writes, size_t count, uint32_t flags,
                            kgo_page *out, kstone_error **err);
kstone_status kgo_query(const kstone_db *db, const void *arena, const kgo_spec *spec, kgo_page *out,
                        kstone_error **err);
kstone_status kgo_scan(const kstone_db *db, const void *arena, const kgo_spec *spec, kgo_page *out,
                       kstone_error **err);
kstone_status kgo_execute(kstone_db *db, const void *arena, kgo_part statement, kgo_part params, kgo_part token,
                          kgo_page *out, kstone_error **err);
/* The items as kstone_page_bytes has them. */
kstone_status kgo_get_many(const kstone_db *db, const void *arena, const kgo_key *keys, size_t count, kgo_bytes *out,
                           kstone_error **err);
void kgo_release(kgo_bytes bytes);
kstone_status kgo_put_many(kstone_db *db, const void *arena, const kgo_key *keys, size_t count, kstone_error **err);
kstone_status kgo_import_json(kstone_db *db, const void *arena, kgo_import *import, kstone_error **err);

/* What is prepared: of KSTONE_PREPARE_QUERY `query`, of all others the rest. */
typedef struct kgo_prepare {
    uint32_t kind;
    kgo_write write;
    kgo_spec query;
} kgo_prepare;

/* The parameters of what was prepared are asked for one by one. */
kstone_status kgo_prepare_request(const kstone_db *db, const void *arena, const kgo_prepare *from,
                                  kstone_prepared **out, kstone_error **err);
/* A run, whose values are the elements of a list in its stored form, and are lent from there. */
kstone_status kgo_run(kstone_db *db, const kstone_prepared *prepared, const void *arena, kgo_part values,
                      uint32_t limit, kgo_part token, kgo_page *out, kstone_error **err);
/* A run of a prepared write: `write` has its key, its body where it is a put, and what it returns. */
kstone_status kgo_run_write(kstone_db *db, const kstone_prepared *prepared, const void *arena, const kgo_write *write,
                            kgo_part values, kgo_item *out, kstone_error **err);

/* An iterator that gives items in chunks, laid out as those of kstone_page_bytes. */
kstone_status kgo_iter_open(const kstone_db *db, const void *arena, const kgo_spec *spec, kgo_iter **out,
                            kstone_error **err);
/* The next items, until they are `enough` bytes or none follows; empty at the end. Lent until the next call. */
kstone_status kgo_iter_next(kgo_iter *iter, size_t enough, kstone_bytes *out, kstone_error **err);
void kgo_iter_free(kgo_iter *iter);

/* The item that a cursor is on, lent by it until its next move. */
typedef struct kgo_entry {
    kstone_bytes pk;
    kstone_bytes sk;
    kstone_bytes body;
    kstone_item *whole; /* to be freed */
} kgo_entry;

enum { KGO_FIRST, KGO_LAST, KGO_NEXT, KGO_PREV, KGO_SEEK };

kstone_status kgo_cursor_open(const kstone_db *db, const void *arena, const kgo_spec *spec, kstone_cursor **out,
                              kstone_error **err);
/* One move; `pk` and `sk` are those of KGO_SEEK. */
kstone_status kgo_cursor_go(kstone_cursor *cursor, uint32_t move, const void *arena, kgo_part pk, kgo_part sk,
                            kgo_entry *out, kstone_error **err);

/* How an account is to be, as kstone_account_options. */
typedef struct kgo_account_options {
    kgo_part region;
    kgo_part account_id;
    kgo_part files_root;
    uint64_t memory_max_bytes;
    int64_t epoch_seconds;
    uint32_t transition_seconds;
    uint32_t eviction;
    uint32_t ttl;
    uint32_t texts;
    uint32_t flags;
} kgo_account_options;

/* An answer. `response` lends `body`; it is NULL before the first call, and is used again by the next. */
typedef struct kgo_answer {
    kstone_response *response;
    kstone_bytes body;
    int32_t status;
} kgo_answer;

kstone_status kgo_account_open(const void *arena, const kgo_account_options *options, kstone_account **out,
                               kstone_error **err);
kstone_status kgo_account_call(kstone_account *account, const char *target, size_t target_len, const void *body,
                               size_t body_len, kgo_answer *answer, kstone_error **err);

/* Snapshots through the stream of this number, which kgoWrite or kgoRead of Go's knows. */
kstone_status kgo_snapshot_save_to(const kstone_db *db, uintptr_t stream, kstone_error **err);
kstone_status kgo_snapshot_load_from(kstone_db *db, uintptr_t stream, kstone_error **err);

#endif
