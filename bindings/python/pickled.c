/*
 * pickled.c: items as pickles. Python has a reader of pickles in C, which makes dicts, lists and sets several times faster
 * than Python code can; here the library's stored form (docs/stored-form.md) becomes what it reads. Part of the extension
 * that hatch_build.py makes, behind Go's gather.h.
 *
 * All functions write up to `capacity` bytes and return how many there are, as snprintf does: where that is more than
 * fits, what was written is of no use. They read only what the library gives, which it has checked, and Python reads only
 * what they write: no pickle comes from anywhere else.
 *
 * Nothing is allocated, but a copy of an item of a typed table. Any thread; an item, page or buffer is for one at a time.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kstone.h"

/* What stands in the place of an item's length in kstone_page_bytes where a get of a batch found nothing. */
#define KPY_NO_ITEM 0xFFFFFFFFu

/* A name that Python has in its memo, at `place`: the items of a page tend to have the same ones. */
typedef struct kpy_name {
    const uint8_t *data;
    size_t len;
    uint8_t place;
} kpy_name;

enum { KPY_NAMES = 128, KPY_MEMO_MAX = 255, KPY_NO_DECIMAL = -1 };

typedef struct kpy_writer {
    char *data;
    size_t capacity;
    size_t len;
    int memo;        /* how many objects are in Python's memo */
    int decimal;     /* where decimal.Decimal is in it, or KPY_NO_DECIMAL */
    kpy_name *names; /* KPY_NAMES of them; NULL for a single item */
} kpy_writer;

typedef struct kpy_reader {
    const uint8_t *at;
    const uint8_t *end;
} kpy_reader;

static void kpy_put(kpy_writer *w, const void *data, size_t len) {
    if (len > 0 && w->len <= w->capacity && len <= w->capacity - w->len) {
        memcpy(w->data + w->len, data, len);
    }
    w->len += len;
}

static void kpy_op(kpy_writer *w, const char *ops) { kpy_put(w, ops, strlen(ops)); }

/* An operation that is followed by the length of bytes, and these: `brief` where one byte can say it, else `usual`. */
static void kpy_sized(kpy_writer *w, char brief, char usual, const uint8_t *data, size_t len) {
    char head[5];
    size_t head_len = 5;
    head[0] = usual;
    head[1] = (char)(len & 0xff);
    head[2] = (char)(len >> 8 & 0xff);
    head[3] = (char)(len >> 16 & 0xff);
    head[4] = (char)(len >> 24 & 0xff);
    if (len < 256) {
        head[0] = brief;
        head_len = 2;
    }
    kpy_put(w, head, head_len);
    kpy_put(w, data, len);
}

static void kpy_text(kpy_writer *w, const uint8_t *data, size_t len) { kpy_sized(w, '\x8c', 'X', data, len); }

static void kpy_bytes(kpy_writer *w, const uint8_t *data, size_t len) { kpy_sized(w, 'C', 'B', data, len); }

/* What is in the memo at this place. */
static void kpy_recall(kpy_writer *w, int place) {
    char get[2];
    get[0] = 'h';
    get[1] = (char)place;
    kpy_put(w, get, sizeof get);
}

/* A name of an attribute, which lives as long as the writer. */
static void kpy_name_of(kpy_writer *w, const uint8_t *data, size_t len) {
    kpy_name *known;
    if (w->names == NULL) {
        kpy_text(w, data, len);
        return;
    }
    known = &w->names[(len * 31 + data[0] * 7u + data[len - 1]) % KPY_NAMES];
    if (known->len == len && memcmp(known->data, data, len) == 0) {
        kpy_recall(w, known->place);
        return;
    }
    kpy_text(w, data, len);
    if (w->memo < KPY_MEMO_MAX) {
        kpy_op(w, "\x94");
        known->data = data;
        known->len = len;
        known->place = (uint8_t)w->memo++;
    }
}

/* A whole number of up to nine digits is four bytes, a longer one decimal text; all others are Decimals of it. */
static void kpy_number(kpy_writer *w, const uint8_t *digits, size_t len) {
    if (memchr(digits, '.', len) != NULL) {
        if (w->decimal != KPY_NO_DECIMAL) {
            kpy_recall(w, w->decimal);
        } else {
            kpy_op(w, "cdecimal\nDecimal\n");
            if (w->memo <= KPY_MEMO_MAX) {
                kpy_op(w, "\x94");
                w->decimal = w->memo++;
            }
        }
        kpy_text(w, digits, len);
        kpy_op(w, "\x85R");
    } else if (len - (digits[0] == '-') <= 9) {
        uint32_t number = 0;
        char bytes[5];
        size_t i;
        for (i = digits[0] == '-'; i < len; i++) {
            number = number * 10 + (uint32_t)(digits[i] - '0');
        }
        if (digits[0] == '-') {
            number = 0 - number;
        }
        bytes[0] = 'J';
        for (i = 0; i < 4; i++) {
            bytes[i + 1] = (char)(number >> (8 * i) & 0xff);
        }
        kpy_put(w, bytes, sizeof bytes);
    } else {
        kpy_op(w, "L");
        kpy_put(w, digits, len);
        kpy_op(w, "L\n");
    }
}

/* The next (varint length, bytes). */
static kpy_reader kpy_next(kpy_reader *r) {
    kpy_reader taken;
    size_t len = 0;
    unsigned shift = 0;
    do {
        len |= (size_t)(*r->at & 0x7f) << shift;
        shift += 7;
    } while (*r->at++ > 0x7f);
    taken.at = r->at;
    taken.end = r->at += len;
    return taken;
}

static void kpy_value(kpy_writer *w, unsigned type, kpy_reader payload);

static void kpy_entries(kpy_writer *w, kpy_reader r) {
    kpy_op(w, "}(");
    while (r.at < r.end) {
        kpy_reader name = kpy_next(&r);
        unsigned type = *r.at++;
        kpy_name_of(w, name.at, (size_t)(name.end - name.at));
        kpy_value(w, type, kpy_next(&r));
    }
    kpy_op(w, "u");
}

/* Lists and maps lie in each other up to 32 levels deep. */
static void kpy_value(kpy_writer *w, unsigned type, kpy_reader r) {
    const size_t len = (size_t)(r.end - r.at);
    switch (type) {
    case KSTONE_TYPE_S:
        kpy_text(w, r.at, len);
        break;
    case KSTONE_TYPE_N:
        kpy_number(w, r.at, len);
        break;
    case KSTONE_TYPE_B:
        kpy_bytes(w, r.at, len);
        break;
    case KSTONE_TYPE_BOOL:
        kpy_op(w, *r.at != 0 ? "\x88" : "\x89");
        break;
    case KSTONE_TYPE_L:
        kpy_op(w, "](");
        while (r.at < r.end) {
            const unsigned element = *r.at++;
            kpy_value(w, element, kpy_next(&r));
        }
        kpy_op(w, "e");
        break;
    case KSTONE_TYPE_M:
        kpy_entries(w, r);
        break;
    case KSTONE_TYPE_SS:
    case KSTONE_TYPE_NS:
    case KSTONE_TYPE_BS:
        kpy_op(w, "\x8f(");
        while (r.at < r.end) {
            kpy_value(w, type - KSTONE_TYPE_SS + KSTONE_TYPE_S, kpy_next(&r));
        }
        kpy_op(w, "\x90");
        break;
    default:
        kpy_op(w, "N");
    }
}

static kpy_writer kpy_begin(char *out, size_t capacity) {
    kpy_writer w;
    w.data = out;
    w.capacity = capacity;
    w.len = 0;
    w.memo = 0;
    w.decimal = KPY_NO_DECIMAL;
    w.names = NULL;
    kpy_op(&w, "\x80\x04");
    return w;
}

static size_t kpy_end(kpy_writer *w) {
    kpy_op(w, ".");
    return w->len;
}

static kpy_reader kpy_read(kstone_bytes bytes) {
    kpy_reader r;
    r.at = bytes.data;
    r.end = bytes.len > 0 ? bytes.data + bytes.len : bytes.data;
    return r;
}

/* A dict of an item's attributes, those of its key in a typed table among them. */
static void kpy_item(kpy_writer *w, const kstone_item *item) {
    kstone_item *whole = gather_whole(item);
    kpy_entries(w, kpy_read(kstone_item_bytes(whole != NULL ? whole : item)));
    kstone_free(whole);
}

size_t kpy_attributes(const kstone_item *item, char *out, size_t capacity) {
    kpy_writer w = kpy_begin(out, capacity);
    kpy_item(&w, item);
    return kpy_end(&w);
}

/*
 * kstone_get, with a dict of the attributes in the place of the item: *out_len says how many bytes it has, which are
 * written where they are not more than fit.
 */
kstone_status kpy_get(const kstone_db *db, const void *pk, size_t pk_len, const void *sk, size_t sk_len, char *out,
                      size_t capacity, size_t *out_len, kstone_error **err) {
    kstone_item *item = NULL;
    const kstone_status status = kstone_get(db, pk, pk_len, sk, sk_len, &item, err);
    if (status == KSTONE_OK) {
        *out_len = kpy_attributes(item, out, capacity);
        kstone_free(item);
    }
    return status;
}

static size_t kpy_length_at(const uint8_t *at, size_t bytes) {
    size_t length = 0;
    size_t i;
    for (i = 0; i < bytes; i++) {
        length |= (size_t)at[i] << (8 * i);
    }
    return length;
}

/*
 * A list of three elements for each item of a page: partition key and sort key, both bytes, and a dict of the
 * attributes; three times None for what a get of a batch did not find.
 */
size_t kpy_page(const kstone_page *page, char *out, size_t capacity) {
    kpy_writer w = kpy_begin(out, capacity);
    kpy_reader r = kpy_read(kstone_page_bytes(page));
    kpy_name names[KPY_NAMES];
    memset(names, 0, sizeof names);
    w.names = names;
    kpy_op(&w, "](");
    while (r.at < r.end) {
        const size_t pk = kpy_length_at(r.at, 2);
        const size_t sk = kpy_length_at(r.at + 2, 2);
        const size_t body = kpy_length_at(r.at + 4, 4);
        kpy_reader entries;
        r.at += 8;
        if (body == KPY_NO_ITEM) {
            kpy_op(&w, "NNN");
            continue;
        }
        kpy_bytes(&w, r.at, pk);
        kpy_bytes(&w, r.at + pk, sk);
        entries.at = r.at + pk + sk;
        entries.end = r.at = entries.at + body;
        kpy_entries(&w, entries);
    }
    kpy_op(&w, "e");
    return kpy_end(&w);
}
