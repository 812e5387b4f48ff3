/*
 * many.c: many items in one call, for Go. Keys and items are parts of one arena, as in shim.c.
 */
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "shim.h"

enum { HEAD_BYTES = 8 };

static gathered gather_keys(const void *arena, const kgo_key *keys, size_t count) {
    gathered of = gather(count);
    size_t i;
    for (i = 0; i < count; i++) {
        of.pks[i] = (const char *)arena + keys[i].pk.at;
        of.sks[i] = (const char *)arena + keys[i].sk.at;
        of.bodies[i] = (const char *)arena + keys[i].body.at;
        of.pk_lens[i] = keys[i].pk.len;
        of.sk_lens[i] = keys[i].sk.len;
        of.body_lens[i] = keys[i].body.len;
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
    kstone_item **wholes = gather_allocate(count, sizeof *wholes);
    kstone_bytes *bodies = gather_allocate(count, sizeof *bodies);
    uint8_t *at;
    size_t i;
    packed.len = count * HEAD_BYTES;
    for (i = 0; i < count; i++) {
        wholes[i] = gather_whole(items[i]);
        bodies[i] = kstone_item_bytes(wholes[i] != NULL ? wholes[i] : items[i]);
        packed.len += kstone_item_pk(items[i]).len + kstone_item_sk(items[i]).len + bodies[i].len;
    }
    at = packed.data = gather_allocate(packed.len, 1);
    for (i = 0; i < count; i++) {
        const kstone_bytes pk = kstone_item_pk(items[i]), sk = kstone_item_sk(items[i]);
        at = put_length(at, pk.len, 2);
        at = put_length(at, sk.len, 2);
        at = put_length(at, items[i] != NULL ? bodies[i].len : 0xFFFFFFFFu, 4);
        at = put_bytes(put_bytes(put_bytes(at, pk), sk), bodies[i]);
        kstone_free(wholes[i]);
        kstone_free(items[i]);
    }
    free(wholes);
    free(bodies);
    return packed;
}

kstone_status kgo_get_many(const kstone_db *db, const void *arena, const kgo_key *keys, size_t count, kgo_bytes *out,
                           kstone_error **err) {
    const gathered of = gather_keys(arena, keys, count);
    kstone_item **items = NULL;
    const kstone_status status = gather_get(db, of, &items, err);
    if (status == KSTONE_OK) {
        *out = pack(items, count);
    }
    free(items);
    free(of.pks);
    return status;
}

void kgo_release(kgo_bytes bytes) { free(bytes.data); }

kstone_status kgo_put_many(kstone_db *db, const void *arena, const kgo_key *keys, size_t count, kstone_error **err) {
    const gathered of = gather_keys(arena, keys, count);
    const kstone_status status = gather_put(db, of, err);
    free(of.pks);
    return status;
}
