/*
 * many.c: many items in one call, for Go. Keys and items are parts of one arena, as in shim.c.
 */
#include <stdlib.h>
#include <string.h>

#include "shim.h"

enum { HEAD_BYTES = 8 };

/* Arrays of keys as the library takes them, in one block that begins with `pks`. */
typedef struct key_arrays {
    const void **pks;
    const void **sks;
    size_t *pk_lens;
    size_t *sk_lens;
} key_arrays;

static void *allocate(size_t count, size_t size) {
    void *block = malloc((count > 0 ? count : 1) * size);
    if (block == NULL) {
        abort(); /* as the library does where memory runs out */
    }
    return block;
}

static key_arrays keys_of(const void *arena, const kgo_key *keys, size_t count) {
    key_arrays of;
    size_t i;
    of.pks = allocate(count, 2 * sizeof *of.pks + 2 * sizeof *of.pk_lens);
    of.sks = of.pks + count;
    of.pk_lens = (size_t *)(of.sks + count);
    of.sk_lens = of.pk_lens + count;
    for (i = 0; i < count; i++) {
        of.pks[i] = (const char *)arena + keys[i].pk.at;
        of.sks[i] = (const char *)arena + keys[i].sk.at;
        of.pk_lens[i] = keys[i].pk.len;
        of.sk_lens[i] = keys[i].sk.len;
    }
    return of;
}

static uint8_t *put_length(uint8_t *at, size_t length, size_t bytes) {
    size_t i;
    for (i = 0; i < bytes; i++) {
        *at++ = (uint8_t)(length >> (8 * i));
    }
    return at;
}

static uint8_t *put_bytes(uint8_t *at, kstone_bytes bytes) {
    if (bytes.len > 0) {
        memcpy(at, bytes.data, bytes.len);
    }
    return at + bytes.len;
}

/* The items as kstone_page_bytes has them. Frees them. */
static kgo_bytes pack(kstone_item **items, size_t count) {
    kgo_bytes packed = {NULL, 0};
    uint8_t *at;
    size_t i;
    packed.len = count * HEAD_BYTES;
    for (i = 0; i < count; i++) {
        packed.len += kstone_item_pk(items[i]).len + kstone_item_sk(items[i]).len + kstone_item_bytes(items[i]).len;
    }
    at = packed.data = allocate(packed.len, 1);
    for (i = 0; i < count; i++) {
        const kstone_bytes pk = kstone_item_pk(items[i]), sk = kstone_item_sk(items[i]);
        const kstone_bytes body = kstone_item_bytes(items[i]);
        at = put_length(at, pk.len, 2);
        at = put_length(at, sk.len, 2);
        at = put_length(at, items[i] != NULL ? body.len : 0xFFFFFFFFu, 4);
        at = put_bytes(put_bytes(put_bytes(at, pk), sk), body);
        kstone_free(items[i]);
    }
    return packed;
}

kstone_status kgo_get_many(const kstone_db *db, const void *arena, const kgo_key *keys, size_t count, kgo_bytes *out,
                           kstone_error **err) {
    const key_arrays of = keys_of(arena, keys, count);
    kstone_item **items = allocate(count, sizeof *items);
    const kstone_status status =
        kstone_get_many(db, of.pks, of.pk_lens, of.sks, of.sk_lens, count, items, err);
    if (status == KSTONE_OK) {
        *out = pack(items, count);
    }
    free(items);
    free(of.pks);
    return status;
}

void kgo_release(kgo_bytes bytes) { free(bytes.data); }

kstone_status kgo_put_many(kstone_db *db, const void *arena, const kgo_key *keys, size_t count, kstone_error **err) {
    const key_arrays of = keys_of(arena, keys, count);
    const kstone_item **items = allocate(count, sizeof *items);
    kstone_status status = KSTONE_OK;
    size_t made;
    for (made = 0; made < count && status == KSTONE_OK; made++) {
        kstone_item *item = NULL;
        status = kstone_item_from_bytes((const char *)arena + keys[made].body.at, keys[made].body.len, &item, err);
        items[made] = item;
    }
    if (status == KSTONE_OK) {
        status = kstone_put_many(db, of.pks, of.pk_lens, of.sks, of.sk_lens, items, count, err);
    }
    while (made > 0) {
        kstone_free((void *)items[--made]);
    }
    free(items);
    free(of.pks);
    return status;
}
