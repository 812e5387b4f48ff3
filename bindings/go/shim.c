/* shim.c: see shim.h. Statuses and errors are passed on as they come; what was made on the way is released first. */
#include "shim.h"

#include <stdlib.h>
#include <string.h>

#include "gather.h"

kgo_error kgo_error_read(const kstone_error *error) {
    const kstone_item *item = kstone_error_item(error);
    kgo_error read;
    read.index = kstone_error_index(error);
    read.has_item = item != NULL;
    read.name = kstone_error_name(error);
    read.message = kstone_error_message(error);
    read.whole = gather_whole(item);
    read.item = kstone_item_bytes(read.whole != NULL ? read.whole : item);
    return read;
}

static const char *part_data(const void *arena, kgo_part part) {
    return part.at == KGO_NONE ? NULL : (const char *)arena + part.at;
}

/* The arguments for a `const void *` and its length. */
#define PART(part) part_data(arena, (part)), (part).at == KGO_NONE ? 0 : (part).len

kstone_status kgo_open(const void *arena, const kgo_options *from, kstone_db **out, kstone_error **err) {
    kstone_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.schema_json = part_data(arena, from->schema);
    options.schema_json_len = options.schema_json != NULL ? from->schema.len : 0;
    options.memtable_max_records = from->memtable_max_records;
    options.memory_max_bytes = from->memory_max_bytes;
    options.eviction = from->eviction;
    options.flags = from->flags;
    return kstone_open_memory(&options, out, err);
}

kstone_status kgo_account_open(const void *arena, const kgo_account_options *from, kstone_account **out,
                               kstone_error **err) {
    kstone_account_options options = KSTONE_ACCOUNT_OPTIONS_INIT;
    options.region = part_data(arena, from->region);
    options.region_len = options.region != NULL ? from->region.len : 0;
    options.account_id = part_data(arena, from->account_id);
    options.account_id_len = options.account_id != NULL ? from->account_id.len : 0;
    options.files_root = part_data(arena, from->files_root);
    options.files_root_len = options.files_root != NULL ? from->files_root.len : 0;
    options.memory_max_bytes = from->memory_max_bytes;
    options.epoch_seconds = from->epoch_seconds;
    options.transition_seconds = from->transition_seconds;
    options.eviction = from->eviction;
    options.ttl = from->ttl;
    options.texts = from->texts;
    options.flags = from->flags;
    return kstone_account_open(&options, out, err);
}

kstone_status kgo_account_call(kstone_account *account, const char *target, size_t target_len, const void *body,
                               size_t body_len, kgo_answer *answer, kstone_error **err) {
    const kstone_status status =
        kstone_account_call(account, target, target_len, body, body_len, &answer->response, err);
    answer->body = kstone_response_body(answer->response);
    answer->status = kstone_response_http_status(answer->response);
    return status;
}

/* The bag that a part holds; NULL where it is not there. */
static kstone_status bag_of(const void *arena, kgo_part part, kstone_item **out, kstone_error **err) {
    *out = NULL;
    return part.at == KGO_NONE ? KSTONE_OK : kstone_item_from_bytes(PART(part), out, err);
}

/* A write's condition and what it refers to. Released with release_parts, whatever make_parts said. */
typedef struct write_parts {
    kstone_item *item;
    kstone_item *params;
    kstone_cond cond;
    kstone_item *cond_params;
} write_parts;

static kstone_status make_parts(const void *arena, const kgo_write *write, write_parts *parts, kstone_error **err) {
    kstone_status status;
    memset(parts, 0, sizeof *parts);
    parts->cond.struct_size = sizeof parts->cond;
    parts->cond.expr = part_data(arena, write->cond);
    parts->cond.expr_len = parts->cond.expr != NULL ? write->cond.len : 0;
    parts->cond.return_old = write->return_old_on_failure;
    status = bag_of(arena, write->body, &parts->item, err);
    if (status == KSTONE_OK) {
        status = bag_of(arena, write->params, &parts->params, err);
    }
    if (status == KSTONE_OK) {
        status = bag_of(arena, write->cond_params, &parts->cond_params, err);
    }
    parts->cond.params = parts->cond_params;
    return status;
}

static void release_parts(write_parts *parts) {
    kstone_free(parts->item);
    kstone_free(parts->params);
    kstone_free(parts->cond_params);
}

/* An item that came back, whole; NULL where none did. */
static void fill_item(kstone_item *returned, kgo_item *out) {
    kstone_item *whole = gather_whole(returned);
    if (whole != NULL) {
        kstone_free(returned);
        returned = whole;
    }
    out->handle = returned;
    out->body = kstone_item_bytes(returned);
}

kstone_status kgo_write_one(kstone_db *db, const void *arena, const kgo_write *write, kgo_item *out,
                            kstone_error **err) {
    write_parts parts;
    kstone_item *returned = NULL;
    kstone_item **wanted = write->return_values == KSTONE_RETURN_NONE ? NULL : &returned;
    kstone_status status = make_parts(arena, write, &parts, err);
    if (status == KSTONE_OK) {
        switch (write->kind) {
        case KGO_PUT:
            status = kstone_put_if(db, PART(write->pk), PART(write->sk), parts.item, &parts.cond, wanted, err);
            break;
        case KGO_PUT_ITEM:
            status = kstone_put_item(db, parts.item, err);
            break;
        case KGO_DELETE:
            status = kstone_delete_if(db, PART(write->pk), PART(write->sk), &parts.cond, wanted, err);
            break;
        default:
            status = kstone_update(db, PART(write->pk), PART(write->sk), PART(write->expr), parts.params, &parts.cond,
                                   write->return_values, wanted, err);
        }
    }
    release_parts(&parts);
    fill_item(returned, out);
    return status;
}

static void fill_page(kstone_page *page, kgo_page *out) {
    out->handle = page;
    out->items = kstone_page_bytes(page);
    out->token = kstone_page_token(page);
    out->count = kstone_page_count(page);
    out->scanned = kstone_page_scanned(page);
}

/* What adds to a batch has no error object of its own: the operation it would have been says what is wrong. */
static kstone_status add(kstone_batch *batch, const void *arena, const kgo_write *write, kstone_error **err) {
    write_parts parts;
    kstone_status status = make_parts(arena, write, &parts, err);
    if (status == KSTONE_OK) {
        switch (write->kind) {
        case KGO_PUT:
            status = kstone_batch_put(batch, PART(write->pk), PART(write->sk), parts.item, &parts.cond);
            break;
        case KGO_PUT_ITEM:
            status = kstone_batch_put_item(batch, parts.item, &parts.cond);
            break;
        case KGO_UPDATE:
            status = kstone_batch_update(batch, PART(write->pk), PART(write->sk), PART(write->expr), parts.params,
                                         &parts.cond);
            break;
        case KGO_DELETE:
            status = kstone_batch_delete(batch, PART(write->pk), PART(write->sk), &parts.cond);
            break;
        case KGO_CHECK:
            status = kstone_batch_check(batch, PART(write->pk), PART(write->sk), &parts.cond);
            break;
        case KGO_EXECUTE:
            status = kstone_batch_execute(batch, PART(write->expr), parts.params);
            break;
        default:
            status = kstone_batch_get(batch, PART(write->pk), PART(write->sk));
        }
    }
    release_parts(&parts);
    return status;
}

kstone_status kgo_batch_run(kstone_db *db, const void *arena, const kgo_write *writes, size_t count, uint32_t flags,
                            kgo_page *out, kstone_error **err) {
    kstone_batch *batch = kstone_batch_new();
    kstone_page *page = NULL;
    kstone_status status = KSTONE_OK;
    size_t i;
    for (i = 0; i < count && status == KSTONE_OK; i++) {
        status = add(batch, arena, &writes[i], err);
    }
    out->count = i; /* where it failed while it was built: the operation behind the culprit */
    if (status == KSTONE_OK) {
        status = kstone_batch_run(db, batch, flags, &page, err);
    }
    kstone_free(batch);
    if (status == KSTONE_OK) {
        fill_page(page, out);
    }
    return status;
}

/* What a spec points at. */
typedef struct spec_bags {
    kstone_item *params;
    kstone_item *start_after;
} spec_bags;

static void free_bags(const spec_bags *bags) {
    kstone_free(bags->params);
    kstone_free(bags->start_after);
}

/* The spec that kstone.h asks for; `bags` are to be freed, whatever comes back. */
static kstone_status spec_of(const void *arena, const kgo_spec *from, kstone_query_spec *spec, spec_bags *bags,
                             kstone_error **err) {
    kstone_status status = bag_of(arena, from->params, &bags->params, err);
    bags->start_after = NULL;
    if (status == KSTONE_OK) {
        status = bag_of(arena, from->start_after, &bags->start_after, err);
    }
    memset(spec, 0, sizeof *spec);
    spec->struct_size = sizeof *spec;
    spec->sk_op = from->sk_op;
    spec->flags = from->flags;
    spec->limit = from->limit;
    spec->segment = from->segment;
    spec->segments = from->segments;
    spec->params = bags->params;
    spec->start_after = bags->start_after;
#define SET(name)                                \
    spec->name = part_data(arena, from->name);   \
    spec->name##_len = spec->name != NULL ? from->name.len : 0
    SET(pk);
    SET(sk1);
    SET(sk2);
    SET(index);
    SET(filter);
    SET(projection);
    SET(token);
    SET(key_expr);
#undef SET
    return status;
}

typedef kstone_status read_function(const kstone_db *, const kstone_query_spec *, kstone_page **, kstone_error **);

static kstone_status read_page(read_function *read, const kstone_db *db, const void *arena, const kgo_spec *from,
                               kgo_page *out, kstone_error **err) {
    kstone_query_spec spec;
    spec_bags bags;
    kstone_page *page = NULL;
    kstone_status status = spec_of(arena, from, &spec, &bags, err);
    if (status == KSTONE_OK) {
        status = read(db, &spec, &page, err);
    }
    free_bags(&bags);
    if (status == KSTONE_OK) {
        fill_page(page, out);
    }
    return status;
}

kstone_status kgo_query(const kstone_db *db, const void *arena, const kgo_spec *spec, kgo_page *out,
                        kstone_error **err) {
    return read_page(kstone_query, db, arena, spec, out, err);
}

kstone_status kgo_scan(const kstone_db *db, const void *arena, const kgo_spec *spec, kgo_page *out,
                       kstone_error **err) {
    return read_page(kstone_scan, db, arena, spec, out, err);
}

kstone_status kgo_execute(kstone_db *db, const void *arena, kgo_part statement, kgo_part params, kgo_part token,
                          kgo_page *out, kstone_error **err) {
    kstone_item *bag = NULL;
    kstone_page *page = NULL;
    kstone_status status = bag_of(arena, params, &bag, err);
    if (status == KSTONE_OK) {
        status = kstone_execute(db, PART(statement), bag, PART(token), &page, err);
    }
    kstone_free(bag);
    if (status == KSTONE_OK) {
        fill_page(page, out);
    }
    return status;
}

kstone_status kgo_prepare_request(const kstone_db *db, const void *arena, const kgo_prepare *from,
                                  kstone_prepared **out, kstone_error **err) {
    kstone_prepare_spec spec = KSTONE_PREPARE_SPEC_INIT;
    kstone_query_spec query;
    spec_bags query_bags = {NULL, NULL};
    write_parts parts;
    kstone_status status;
    spec.kind = from->kind;
    memset(&parts, 0, sizeof parts);
    if (from->kind == KSTONE_PREPARE_QUERY) {
        status = spec_of(arena, &from->query, &query, &query_bags, err);
        spec.query = &query;
    } else {
        status = make_parts(arena, &from->write, &parts, err);
        spec.text = part_data(arena, from->write.expr);
        spec.text_len = spec.text != NULL ? from->write.expr.len : 0;
        spec.names = parts.params;
        spec.cond = parts.cond.expr != NULL ? &parts.cond : NULL;
    }
    if (status == KSTONE_OK) {
        status = kstone_prepare(db, &spec, out, err);
    }
    free_bags(&query_bags);
    release_parts(&parts);
    return status;
}

enum { FEW_VALUES = 8 };

/* The values of a run: in `few`, or in memory of their own. */
typedef struct run_values {
    kstone_value few[FEW_VALUES];
    kstone_value *all;
    size_t count;
} run_values;

static void bind_values(const void *arena, kgo_part part, run_values *values) {
    kstone_value list = {KSTONE_TYPE_L, 0, {NULL, 0}};
    size_t position = 0;
    size_t i;
    list.bytes.data = (const uint8_t *)part_data(arena, part);
    list.bytes.len = part.len;
    values->count = kstone_value_count(&list);
    values->all = values->few;
    if (values->count > FEW_VALUES) {
        values->all = malloc(values->count * sizeof *values->all);
        if (values->all == NULL) {
            abort(); /* as the library does where memory runs out */
        }
    }
    for (i = 0; i < values->count; i++) {
        if (kstone_value_next(&list, &position, NULL, &values->all[i]) != KSTONE_OK) {
            values->count = i; /* cannot be: Go has just written them, and they were counted */
        }
    }
}

static void release_values(run_values *values) {
    if (values->all != values->few) {
        free(values->all);
    }
}

kstone_status kgo_run(kstone_db *db, const kstone_prepared *prepared, const void *arena, kgo_part part, uint32_t limit,
                      kgo_part token, kgo_page *out, kstone_error **err) {
    run_values values;
    kstone_page *page = NULL;
    kstone_status status;
    bind_values(arena, part, &values);
    status = kstone_run(db, prepared, values.all, values.count, limit, PART(token), &page, err);
    release_values(&values);
    if (status == KSTONE_OK) {
        fill_page(page, out);
    }
    return status;
}

kstone_status kgo_run_write(kstone_db *db, const kstone_prepared *prepared, const void *arena, const kgo_write *write,
                            kgo_part part, kgo_item *out, kstone_error **err) {
    run_values values;
    kstone_item *item = NULL;
    kstone_item *returned = NULL;
    kstone_item **wanted = write->return_values == KSTONE_RETURN_NONE ? NULL : &returned;
    kstone_status status = bag_of(arena, write->body, &item, err);
    if (status == KSTONE_OK) {
        bind_values(arena, part, &values);
        status = kstone_run_write(db, prepared, PART(write->pk), PART(write->sk), item, values.all, values.count,
                                  write->return_values, wanted, err);
        release_values(&values);
    }
    kstone_free(item);
    fill_item(returned, out);
    return status;
}

kstone_status kgo_import_json(kstone_db *db, const void *arena, kgo_import *import, kstone_error **err) {
    kstone_import_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.pk_name = part_data(arena, import->pk_name);
    spec.pk_name_len = spec.pk_name != NULL ? import->pk_name.len : 0;
    spec.sk_name = part_data(arena, import->sk_name);
    spec.sk_name_len = spec.sk_name != NULL ? import->sk_name.len : 0;
    spec.flags = import->flags;
    return kstone_import_json(db, PART(import->path), &spec, &import->loaded, &import->skipped, &import->reasons, err);
}

struct kgo_iter {
    kstone_iter *iter;
    uint8_t *items;
    size_t len;
    size_t capacity;
};

kstone_status kgo_iter_open(const kstone_db *db, const void *arena, const kgo_spec *from, kgo_iter **out,
                            kstone_error **err) {
    kstone_query_spec spec;
    spec_bags bags;
    kstone_iter *iter = NULL;
    kstone_status status = spec_of(arena, from, &spec, &bags, err);
    if (status == KSTONE_OK) {
        status = kstone_iter_open(db, &spec, &iter, err);
    }
    free_bags(&bags);
    if (status == KSTONE_OK) {
        kgo_iter *made = calloc(1, sizeof *made);
        if (made == NULL) {
            abort(); /* as the library does where memory runs out */
        }
        made->iter = iter;
        *out = made;
    }
    return status;
}

static void append(kgo_iter *iter, const void *data, size_t len) {
    if (len > iter->capacity - iter->len) {
        iter->capacity = 2 * (iter->len + len);
        iter->items = realloc(iter->items, iter->capacity);
        if (iter->items == NULL) {
            abort();
        }
    }
    if (len > 0) {
        memcpy(iter->items + iter->len, data, len);
        iter->len += len;
    }
}

static void append_item(kgo_iter *iter, const kstone_item *item) {
    kstone_bytes pk = kstone_item_pk(item);
    kstone_bytes sk = kstone_item_sk(item);
    kstone_item *whole = gather_whole(item);
    kstone_bytes body = kstone_item_bytes(whole != NULL ? whole : item);
    const uint8_t head[8] = {(uint8_t)pk.len,           (uint8_t)(pk.len >> 8),    (uint8_t)sk.len,
                             (uint8_t)(sk.len >> 8),    (uint8_t)body.len,         (uint8_t)(body.len >> 8),
                             (uint8_t)(body.len >> 16), (uint8_t)(body.len >> 24)};
    append(iter, head, sizeof head);
    append(iter, pk.data, pk.len);
    append(iter, sk.data, sk.len);
    append(iter, body.data, body.len);
    kstone_free(whole);
}

kstone_status kgo_iter_next(kgo_iter *iter, size_t enough, kstone_bytes *out, kstone_error **err) {
    kstone_status status = KSTONE_OK;
    iter->len = 0;
    while (iter->len < enough && status == KSTONE_OK) {
        const kstone_item *item = NULL;
        status = kstone_iter_next(iter->iter, &item, err);
        if (status == KSTONE_OK) {
            append_item(iter, item);
        }
    }
    out->data = iter->items;
    out->len = iter->len;
    return status == KSTONE_DONE ? KSTONE_OK : status;
}

void kgo_iter_free(kgo_iter *iter) {
    kstone_free(iter->iter);
    free(iter->items);
    free(iter);
}

kstone_status kgo_cursor_open(const kstone_db *db, const void *arena, const kgo_spec *from, kstone_cursor **out,
                              kstone_error **err) {
    kstone_query_spec spec;
    spec_bags bags;
    kstone_status status = spec_of(arena, from, &spec, &bags, err);
    if (status == KSTONE_OK) {
        status = kstone_cursor_open(db, &spec, out, err);
    }
    free_bags(&bags);
    return status;
}

kstone_status kgo_cursor_go(kstone_cursor *cursor, uint32_t move, const void *arena, kgo_part pk, kgo_part sk,
                            kgo_entry *out, kstone_error **err) {
    const kstone_item *item = NULL;
    kstone_status status;
    switch (move) {
    case KGO_FIRST:
        status = kstone_cursor_first(cursor, &item, err);
        break;
    case KGO_LAST:
        status = kstone_cursor_last(cursor, &item, err);
        break;
    case KGO_NEXT:
        status = kstone_cursor_next(cursor, &item, err);
        break;
    case KGO_PREV:
        status = kstone_cursor_prev(cursor, &item, err);
        break;
    default:
        status = kstone_cursor_seek(cursor, PART(pk), PART(sk), &item, err);
    }
    out->pk = kstone_item_pk(item);
    out->sk = kstone_item_sk(item);
    out->whole = gather_whole(item);
    out->body = kstone_item_bytes(out->whole != NULL ? out->whole : item);
    return status;
}

/* Go's, in stream.go. */
extern kstone_status kgoWrite(uintptr_t stream, void *data, size_t len);
extern kstone_status kgoRead(uintptr_t stream, void *buffer, size_t capacity, size_t *len);

static kstone_status write_stream(void *stream, const void *data, size_t len) {
    return kgoWrite((uintptr_t)stream, (void *)(uintptr_t)data, len);
}

static kstone_status read_stream(void *stream, void *buffer, size_t capacity, size_t *len) {
    return kgoRead((uintptr_t)stream, buffer, capacity, len);
}

kstone_status kgo_snapshot_save_to(const kstone_db *db, uintptr_t stream, kstone_error **err) {
    return kstone_snapshot_save_to(db, write_stream, (void *)stream, err);
}

kstone_status kgo_snapshot_load_from(kstone_db *db, uintptr_t stream, kstone_error **err) {
    return kstone_snapshot_load_from(db, read_stream, (void *)stream, err);
}
