/*
 * gather.h: the arrays that kstone_get_many and kstone_put_many take, gathered from keys and stored forms that lie
 * anywhere, and the whole of an item. For the C of the bindings of Go and Python; it is here since a Go module holds all that it is made of.
 *
 * Where memory runs out the process ends, as the library does.
 */
#ifndef KSTONE_GATHER_H
#define KSTONE_GATHER_H

#include <stdlib.h>

#include "kstone.h"

/* The parts of many keys and items, in one block that begins with `pks` and is given to free. */
typedef struct gathered {
    size_t count;
    const void **pks;
    const void **sks;
    const void **bodies; /* stored forms; a get needs none */
    size_t *pk_lens;
    size_t *sk_lens;
    size_t *body_lens;
} gathered;

static inline void *gather_allocate(size_t count, size_t size) {
    void *block = malloc((count > 0 ? count : 1) * size);
    if (block == NULL) {
        abort();
    }
    return block;
}

/* A copy of an item of a typed table, whose stored form has its key attributes, too; NULL for all others, whose own
 * stored form is all of them. */
static inline kstone_item *gather_whole(const kstone_item *item) {
    kstone_bytes name;
    kstone_value value;
    return kstone_item_key_at(item, 0, &name, &value) == KSTONE_OK ? kstone_item_clone(item) : NULL;
}

/* Arrays of `count` parts, to be filled. */
static inline gathered gather(size_t count) {
    gathered of;
    of.count = count;
    of.pks = (const void **)gather_allocate(count, 3 * sizeof *of.pks + 3 * sizeof *of.pk_lens);
    of.sks = of.pks + count;
    of.bodies = of.sks + count;
    of.pk_lens = (size_t *)(of.bodies + count);
    of.sk_lens = of.pk_lens + count;
    of.body_lens = of.sk_lens + count;
    return of;
}

/* What kstone_get_many finds: *items is given to free, and each item to kstone_free. NULL on an error. */
static inline kstone_status gather_get(const kstone_db *db, gathered of, kstone_item ***items, kstone_error **err) {
    kstone_item **found = (kstone_item **)gather_allocate(of.count, sizeof *found);
    const kstone_status status =
        kstone_get_many(db, of.pks, of.pk_lens, of.sks, of.sk_lens, of.count, found, err);
    if (status != KSTONE_OK) {
        free(found);
        found = NULL;
    }
    *items = found;
    return status;
}

/* kstone_put_many of items in their stored form. */
static inline kstone_status gather_put(kstone_db *db, gathered of, kstone_error **err) {
    const kstone_item **items = (const kstone_item **)gather_allocate(of.count, sizeof *items);
    kstone_status status = KSTONE_OK;
    size_t made;
    for (made = 0; made < of.count && status == KSTONE_OK; made++) {
        kstone_item *item = NULL;
        status = kstone_item_from_bytes(of.bodies[made], of.body_lens[made], &item, err);
        items[made] = item;
    }
    if (status == KSTONE_OK) {
        status = kstone_put_many(db, of.pks, of.pk_lens, of.sks, of.sk_lens, items, of.count, err);
    }
    while (made > 0) {
        kstone_free((void *)items[--made]);
    }
    free(items);
    return status;
}

#endif
