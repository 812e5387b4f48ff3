/*
 * bound.c: runs of what was prepared, each in one call. Their values come as the elements of a list in its stored form,
 * and are lent from there. Part of the extension that hatch_build.py makes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "kstone.h"

enum { KPY_FEW = 8 };

/* The values of a run: in `few`, or in memory of their own, which is freed with kpy_release. */
typedef struct kpy_values {
    kstone_value few[KPY_FEW];
    kstone_value *all;
    size_t count;
} kpy_values;

static kstone_status kpy_bind(kpy_values *values, const char *list, size_t list_len) {
    kstone_value elements = {KSTONE_TYPE_L, 0, {NULL, 0}};
    kstone_status status;
    size_t position = 0;
    size_t i = 0;
    elements.bytes.data = (const uint8_t *)list;
    elements.bytes.len = list_len;
    values->count = kstone_value_count(&elements);
    values->all = values->few;
    if (values->count > KPY_FEW) {
        values->all = malloc(values->count * sizeof *values->all);
        if (values->all == NULL) {
            return KSTONE_ERR_LIMIT;
        }
    }
    do {
        kstone_value next;
        status = kstone_value_next(&elements, &position, NULL, &next);
        if (status == KSTONE_OK && i < values->count) {
            values->all[i++] = next;
        }
    } while (status == KSTONE_OK);
    return status == KSTONE_DONE ? KSTONE_OK : status;
}

static void kpy_release(kpy_values *values) {
    if (values->all != values->few) {
        free(values->all);
    }
}

kstone_status kpy_run(kstone_db *db, const kstone_prepared *p, const char *list, size_t list_len, uint32_t limit,
                      const char *token, size_t token_len, kstone_page **out, kstone_error **err) {
    kpy_values values;
    kstone_status status = kpy_bind(&values, list, list_len);
    if (status == KSTONE_OK) {
        status = kstone_run(db, p, values.all, values.count, limit, token, token_len, out, err);
    }
    kpy_release(&values);
    return status;
}

/* `body` is the stored form of the item of a put, NULL where none is put. */
kstone_status kpy_run_write(kstone_db *db, const kstone_prepared *p, const char *pk, size_t pk_len, const char *sk,
                            size_t sk_len, const char *body, size_t body_len, const char *list, size_t list_len,
                            uint32_t returns, kstone_item **out, kstone_error **err) {
    kpy_values values;
    kstone_item *item = NULL;
    kstone_status status = body != NULL ? kstone_item_from_bytes(body, body_len, &item, err) : KSTONE_OK;
    if (status != KSTONE_OK) {
        return status;
    }
    status = kpy_bind(&values, list, list_len);
    if (status == KSTONE_OK) {
        status = kstone_run_write(db, p, pk, pk_len, sk, sk_len, item, values.all, values.count, returns, out, err);
    }
    kpy_release(&values);
    kstone_free(item);
    return status;
}
