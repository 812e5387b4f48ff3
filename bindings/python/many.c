/*
 * many.c: many items, or one attribute, in one call of Python's. Part of the extension that hatch_build.py makes, behind
 * pickled.c, whose pickles it writes.
 *
 * Keys come as they lie one after the other in `keys`: of key i the partition key, lens[2 * i] bytes, and the sort key,
 * lens[2 * i + 1] bytes. Where memory runs out the process ends, as the library does.
 */
static gathered kpy_gather_keys(const char *keys, const size_t *lens, size_t count) {
    gathered of = gather(count);
    size_t i;
    for (i = 0; i < count; i++) {
        of.pk_lens[i] = lens[2 * i];
        of.sk_lens[i] = lens[2 * i + 1];
        of.pks[i] = keys;
        of.sks[i] = keys + of.pk_lens[i];
        keys += of.pk_lens[i] + of.sk_lens[i];
    }
    return of;
}

static size_t kpy_items(kstone_item *const *items, size_t count, char *out, size_t capacity) {
    kpy_writer w = kpy_begin(out, capacity);
    kpy_name names[KPY_NAMES];
    size_t i;
    memset(names, 0, sizeof names);
    w.names = names;
    kpy_op(&w, "](");
    for (i = 0; i < count; i++) {
        const kstone_bytes pk = kstone_item_pk(items[i]);
        const kstone_bytes sk = kstone_item_sk(items[i]);
        if (items[i] == NULL) {
            kpy_op(&w, "NNN");
            continue;
        }
        kpy_bytes(&w, pk.data, pk.len);
        kpy_bytes(&w, sk.data, sk.len);
        kpy_item(&w, items[i]);
    }
    kpy_op(&w, "e");
    return kpy_end(&w);
}

/* kstone_get_many: *out becomes a list as kpy_page writes one, to be given to kpy_free_text. */
kstone_status kpy_get_many(const kstone_db *db, const char *keys, const size_t *lens, size_t count, char **out,
                           size_t *out_len, kstone_error **err) {
    const gathered of = kpy_gather_keys(keys, lens, count);
    kstone_item **items = NULL;
    const kstone_status status = gather_get(db, of, &items, err);
    size_t i;
    free(of.pks);
    if (status == KSTONE_OK) {
        *out_len = kpy_items(items, count, NULL, 0);
        *out = gather_allocate(*out_len, 1);
        kpy_items(items, count, *out, *out_len);
        for (i = 0; i < count; i++) {
            kstone_free(items[i]);
        }
    }
    free(items);
    return status;
}

void kpy_free_text(char *out) { free(out); }

/* kstone_put_many of stored forms, which lie one after the other in `bodies`. */
kstone_status kpy_put_many(kstone_db *db, const char *keys, const size_t *lens, const char *bodies,
                           const size_t *body_lens, size_t count, kstone_error **err) {
    gathered of = kpy_gather_keys(keys, lens, count);
    kstone_status status;
    size_t i;
    for (i = 0; i < count; i++) {
        of.bodies[i] = bodies;
        of.body_lens[i] = body_lens[i];
        bodies += body_lens[i];
    }
    status = gather_put(db, of, err);
    free(of.pks);
    return status;
}

/*
 * kstone_get_attribute, with the pickle of the value in the place of its bytes: *out_len says how many bytes it has, which
 * are written where they are not more than fit. KSTONE_NOT_FOUND also where the item has no such attribute.
 */
kstone_status kpy_get_attribute(const kstone_db *db, const void *pk, size_t pk_len, const void *sk, size_t sk_len,
                                const char *path, size_t path_len, char *out, size_t capacity, size_t *out_len,
                                kstone_error **err) {
    uint8_t near_by[1024];
    uint8_t *buffer = near_by;
    size_t size = sizeof near_by;
    size_t len = 0;
    uint32_t type = KSTONE_TYPE_NONE;
    kstone_status status;
    for (;;) {
        status = kstone_get_attribute(db, pk, pk_len, sk, sk_len, path, path_len, buffer, size, &len, &type, err);
        if (status != KSTONE_OK || len <= size) {
            break;
        }
        if (buffer != near_by) {
            free(buffer);
        }
        size = len;
        buffer = gather_allocate(size, 1);
    }
    if (status == KSTONE_OK && type == KSTONE_TYPE_NONE) {
        status = KSTONE_NOT_FOUND;
    }
    if (status == KSTONE_OK) {
        kpy_writer w = kpy_begin(out, capacity);
        const kpy_reader value = {buffer, buffer + len};
        kpy_value(&w, type, value);
        *out_len = kpy_end(&w);
    }
    if (buffer != near_by) {
        free(buffer);
    }
    return status;
}
