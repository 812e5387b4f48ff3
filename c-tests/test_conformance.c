/*
 * Runs the suite of bindings/conformance, whose README tells the format, on the C ABI.
 *
 * The cases are read as slices of the file's text. What they hold, strings, keys, items and bags, is read by the
 * library's own JSON functions. Items are compared as the typed JSON that the library writes, which has one form for
 * each item.
 *
 * KSTONE_CONFORMANCE names the directory; CTest sets it. In its subdirectory `wrong` are cases that must fail: a runner
 * that checks nothing would pass all others.
 */
#include "json_slice.h"
#include "support.h"

#include <dirent.h>
#include <unistd.h>

enum { NAMES_MAX = 8, KEPT_MAX = 2048, CASES_MIN = 247, WRONG_CASES_MIN = 41 };

/* While cases run that must fail, what they find is not printed. */
static int is_quiet;

/* A database or token that steps speak of by name. */
typedef struct named {
    slice name;
    void *data;
    size_t len;
} named;

/* One case at work. */
typedef struct runner {
    const char *file;
    slice case_name;
    size_t step;
    named dbs[NAMES_MAX];
    named accounts[NAMES_MAX];
    named tokens[NAMES_MAX];
    char directory[64]; /* of the files that the steps share; empty until one is named */
    /* What lives as long as the step: memory, and handles of the library. */
    void *blocks[KEPT_MAX];
    void *handles[KEPT_MAX];
    size_t block_count;
    size_t handle_count;
} runner;

/* What a step found, for its `expect`. Everything in it is kept by the runner. */
typedef struct outcome {
    kstone_status status;
    kstone_error *err;
    int has_no_error; /* the function that failed says it all with its status */
    const char *item; /* typed JSON; "null": none */
    const char *json;
    int http;
    const char *answer;
    size_t count;
    size_t scanned;
    kstone_bytes token;
    const char **items; /* typed JSON; "null" where a get of a batch found nothing */
    const char **keys;  /* hexadecimal, with a slash between the two */
    size_t length;
} outcome;

static void complain(const runner *r, const char *what, const char *expected, const char *found) {
    if (is_quiet) {
        return;
    }
    fprintf(stderr, "%s: %.*s: step %zu: %s", r->file, (int)r->case_name.len, r->case_name.data, r->step, what);
    if (expected != NULL) {
        fprintf(stderr, ":\n  expected %s\n  found    %s", expected, found != NULL ? found : "(NULL)");
    }
    fprintf(stderr, "\n");
}

static void check_same(const runner *r, const char *what, const char *expected, const char *found) {
    if (!check_count(found != NULL && strcmp(expected, found) == 0)) {
        complain(r, what, expected, found);
    }
}

/* The suite itself is at fault: there is no going on. */
static void suite_error(const runner *r, const char *what) {
    is_quiet = 0;
    complain(r, what, NULL, NULL);
    exit(1);
}

/* ---- what lives as long as the step ---- */

static char *allocate(runner *r, size_t len) {
    char *block = (char *)calloc(1, len + 1);
    if (block == NULL || r->block_count == KEPT_MAX) {
        suite_error(r, "the step needs too much memory");
    }
    r->blocks[r->block_count++] = block;
    return block;
}

static void keep_handle(runner *r, void *handle) {
    if (r->handle_count == KEPT_MAX) {
        suite_error(r, "the step needs too many handles");
    }
    r->handles[r->handle_count++] = handle;
}

static void forget_step(runner *r) {
    while (r->handle_count > 0) {
        kstone_free(r->handles[--r->handle_count]);
    }
    while (r->block_count > 0) {
        free(r->blocks[--r->block_count]);
    }
}

/* ---- values of the files ---- */

/* The text of a value as it is written. */
static char *keep(runner *r, slice value) {
    char *copy = allocate(r, value.len);
    memcpy(copy, value.data, value.len);
    return copy;
}

/* A list of `count` pointers. */
static const char **list_of(runner *r, size_t count) {
    return (const char **)(void *)allocate(r, (count + 1) * sizeof(char *));
}

static size_t length_of(slice array) {
    slice_iter iter = slice_open(array);
    slice element;
    size_t length = 0;
    while (slice_next(&iter, &element)) {
        length++;
    }
    return length;
}

/* What the library reads as the value of a JSON text: the characters of a string, the bytes of a {"B": ...}. */
static kstone_bytes decode(runner *r, const char *json, size_t len, uint32_t flags) {
    kstone_item *item = kstone_item_new();
    kstone_value value = no_value();
    kstone_bytes bytes;
    char *copy;
    if (kstone_item_set_json(item, LIT("v"), json, len, flags, NULL) != KSTONE_OK ||
        kstone_item_get(item, LIT("v"), &value) != KSTONE_OK) {
        suite_error(r, "a text that is none");
    }
    copy = allocate(r, value.bytes.len);
    if (value.bytes.len > 0) {
        memcpy(copy, value.bytes.data, value.bytes.len);
    }
    bytes.data = (const uint8_t *)copy;
    bytes.len = value.bytes.len;
    kstone_free(item);
    return bytes;
}

/* A whole number; 0 where there is none. */
static uint64_t number_at(runner *r, slice object, const char *name) {
    slice value = slice_member(object, name);
    char digits[24] = "";
    if (value.data == NULL) {
        return 0;
    }
    if (value.len >= sizeof digits || strspn(value.data, "0123456789") < value.len) {
        suite_error(r, "a number that is none");
    }
    memcpy(digits, value.data, value.len);
    return strtoull(digits, NULL, 10);
}

/* The bytes of {"base64": ...}. */
static kstone_bytes bytes_of_base64(runner *r, slice base64) {
    char *typed = allocate(r, base64.len + 8);
    sprintf(typed, "{\"B\":%.*s}", (int)base64.len, base64.data);
    return decode(r, typed, KSTONE_STRLEN, 0);
}

/* The bytes of {"repeat": ..., "times": ...}. */
static kstone_bytes bytes_repeated(runner *r, slice text, size_t times) {
    kstone_bytes once = decode(r, text.data, text.len, KSTONE_JSON_PLAIN);
    kstone_bytes bytes;
    char *copies = allocate(r, once.len * times);
    size_t i;
    for (i = 0; i < times; i++) {
        memcpy(copies + i * once.len, once.data, once.len);
    }
    bytes.data = (const uint8_t *)copies;
    bytes.len = once.len * times;
    return bytes;
}

/* A string or what stands for one; (NULL, 0) where there is none. */
static kstone_bytes bytes_of(runner *r, slice value) {
    kstone_bytes none = {NULL, 0};
    slice base64 = slice_member(value, "base64");
    slice repeated = slice_member(value, "repeat");
    if (value.data == NULL) {
        return none;
    }
    if (base64.data != NULL) {
        return bytes_of_base64(r, base64);
    }
    if (repeated.data != NULL) {
        return bytes_repeated(r, repeated, (size_t)number_at(r, value, "times"));
    }
    return decode(r, value.data, value.len, KSTONE_JSON_PLAIN);
}

static kstone_bytes bytes_at(runner *r, slice object, const char *name) {
    return bytes_of(r, slice_member(object, name));
}

/* The same for text: NULL where there is none. `len` may be NULL, since the text ends with a NUL. */
static const char *text_at(runner *r, slice object, const char *name, size_t *len) {
    kstone_bytes text = bytes_at(r, object, name);
    if (len != NULL) {
        *len = text.len;
    }
    return (const char *)text.data;
}

static int is_true(slice object, const char *name) {
    return slice_is(slice_member(object, name), "true");
}

/* An item or bag; NULL where there is none. */
static const kstone_item *item_at(runner *r, slice object, const char *name) {
    slice value = slice_member(object, name);
    kstone_item *item = NULL;
    if (value.data != NULL && kstone_item_from_json(value.data, value.len, 0, &item, NULL) != KSTONE_OK) {
        suite_error(r, "an item that is none");
    }
    keep_handle(r, item);
    return item;
}

static const char *json_of(runner *r, const kstone_item *item) {
    char *json = NULL;
    size_t len = 0;
    if (item == NULL) {
        return "null";
    }
    CHECK_STATUS(KSTONE_OK, kstone_item_to_json(item, 0, &json, &len, NULL));
    keep_handle(r, json);
    return json;
}

/* An expected item as the library writes it; "null" stays what it is. */
static const char *json_of_expected(runner *r, slice value) {
    kstone_item *item = NULL;
    if (slice_is(value, "null")) {
        return "null";
    }
    if (kstone_item_from_json(value.data, value.len, 0, &item, NULL) != KSTONE_OK) {
        suite_error(r, "an expected item that is none");
    }
    keep_handle(r, item);
    return json_of(r, item);
}

static const char *hex_of_key(runner *r, kstone_bytes pk, kstone_bytes sk) {
    char *hex = allocate(r, 2 * (pk.len + sk.len) + 1);
    char *at = hex;
    size_t i;
    for (i = 0; i < pk.len; i++) {
        at += sprintf(at, "%02x", pk.data[i]);
    }
    *at++ = '/';
    for (i = 0; i < sk.len; i++) {
        at += sprintf(at, "%02x", sk.data[i]);
    }
    return hex;
}

typedef struct key {
    kstone_bytes pk;
    kstone_bytes sk;
} key;

static key key_of(runner *r, slice step) {
    key k;
    k.pk = bytes_at(r, step, "pk");
    k.sk = bytes_at(r, step, "sk");
    return k;
}

/* Arguments for functions that take a key. */
#define KEY(k) (k).pk.data, (k).pk.len, (k).sk.data, (k).sk.len

/* The condition of a step in *cond; NULL where it has none. */
static const kstone_cond *cond_at(runner *r, slice step, kstone_cond *cond) {
    slice value = slice_member(step, "cond");
    if (value.data == NULL) {
        return NULL;
    }
    memset(cond, 0, sizeof *cond);
    cond->struct_size = sizeof *cond;
    cond->expr = text_at(r, value, "expr", &cond->expr_len);
    cond->params = item_at(r, value, "params");
    cond->return_old = is_true(value, "return_old") ? 1 : 0;
    return cond;
}

/* ---- names ---- */

/* The entry of this name, or a free one for it. */
static named *entry_of(const runner *r, named *table, slice name) {
    size_t i;
    for (i = 0; i < NAMES_MAX && table[i].name.data != NULL; i++) {
        if (table[i].name.len == name.len && memcmp(table[i].name.data, name.data, name.len) == 0) {
            return &table[i];
        }
    }
    if (i == NAMES_MAX) {
        suite_error(r, "too many names in one case");
    }
    table[i].name = name;
    return &table[i];
}

static named *db_entry(runner *r, slice name) {
    slice by_default = {"\"main\"", 6};
    return entry_of(r, r->dbs, name.data != NULL ? name : by_default);
}

static named *account_entry(runner *r, slice name) {
    slice by_default = {"\"main\"", 6};
    return entry_of(r, r->accounts, name.data != NULL ? name : by_default);
}

static kstone_account *account_at(runner *r, slice step) {
    return (kstone_account *)account_entry(r, slice_member(step, "account"))->data;
}

static kstone_bytes token_at(runner *r, slice step) {
    slice value = slice_member(step, "token");
    kstone_bytes token = {NULL, 0};
    if (slice_begins(value, '"')) {
        named *entry = entry_of(r, r->tokens, value);
        token.data = (const uint8_t *)entry->data;
        token.len = entry->len;
        if (token.len == 0) {
            suite_error(r, "no such token was saved");
        }
        return token;
    }
    return bytes_of(r, value);
}

static void save_token(runner *r, slice step, kstone_bytes token) {
    slice name = slice_member(step, "save_token");
    named *entry;
    if (name.data == NULL) {
        return;
    }
    if (token.len == 0) {
        suite_error(r, "there is no token to be saved");
    }
    entry = entry_of(r, r->tokens, name);
    free(entry->data);
    entry->data = malloc(token.len);
    memcpy(entry->data, token.data, token.len);
    entry->len = token.len;
}

/* ---- operations ---- */

static kstone_status open_with(runner *r, slice options_json, kstone_db **db, kstone_error **err) {
    kstone_options options = default_options();
    slice schema = slice_member(options_json, "schema");
    options.schema_json = schema.data;
    options.schema_json_len = schema.len;
    options.memtable_max_records = number_at(r, options_json, "memtable_max_records");
    options.memory_max_bytes = number_at(r, options_json, "memory_max_bytes");
    options.eviction = is_true(options_json, "evict") ? KSTONE_EVICT_LRU : KSTONE_EVICT_NONE;
    return kstone_open_memory(&options, db, err);
}

static void op_open(runner *r, kstone_db *unused, slice step, outcome *out) {
    kstone_db *db = NULL;
    named *entry = db_entry(r, slice_member(step, "as"));
    (void)unused;
    out->status = open_with(r, slice_member(step, "options"), &db, &out->err);
    kstone_free(entry->data);
    entry->data = db;
}

static void op_close(runner *r, kstone_db *db, slice step, outcome *out) {
    db_entry(r, slice_member(step, "db"))->data = NULL;
    kstone_free(db);
    out->status = KSTONE_OK;
}

static void op_put(runner *r, kstone_db *db, slice step, outcome *out) {
    out->status = kstone_put(db, KEY(key_of(r, step)), item_at(r, step, "item"), &out->err);
}

static void op_put_item(runner *r, kstone_db *db, slice step, outcome *out) {
    out->status = kstone_put_item(db, item_at(r, step, "item"), &out->err);
}

/* The item that came out of a call, if any. */
static void found_item(runner *r, kstone_item *item, outcome *out) {
    keep_handle(r, item);
    out->item = json_of(r, item);
}

static void op_get(runner *r, kstone_db *db, slice step, outcome *out) {
    kstone_item *item = NULL;
    key k = key_of(r, step);
    out->status = kstone_get(db, KEY(k), &item, &out->err);
    if (out->status == KSTONE_OK) {
        check_same(r, "the key of the item", hex_of_key(r, k.pk, k.sk),
                   hex_of_key(r, kstone_item_pk(item), kstone_item_sk(item)));
    }
    found_item(r, item, out);
}

static void op_delete(runner *r, kstone_db *db, slice step, outcome *out) {
    out->status = kstone_delete(db, KEY(key_of(r, step)), &out->err);
}

static void op_put_if(runner *r, kstone_db *db, slice step, outcome *out) {
    kstone_cond cond;
    kstone_item *old = NULL;
    out->status = kstone_put_if(db, KEY(key_of(r, step)), item_at(r, step, "item"), cond_at(r, step, &cond), &old,
                                &out->err);
    found_item(r, old, out);
}

static void op_delete_if(runner *r, kstone_db *db, slice step, outcome *out) {
    kstone_cond cond;
    kstone_item *old = NULL;
    out->status = kstone_delete_if(db, KEY(key_of(r, step)), cond_at(r, step, &cond), &old, &out->err);
    found_item(r, old, out);
}

/* The number of a name in a list of them, counted from 1; 0 where there is no value. */
static uint32_t choice_of(runner *r, slice value, const char *const *names, size_t count) {
    uint32_t i;
    if (value.data == NULL) {
        return 0;
    }
    for (i = 0; i < count; i++) {
        if (slice_is_string(value, names[i])) {
            return i + 1;
        }
    }
    suite_error(r, "an unknown sk_op or return");
    return 0;
}

/* Whether updates and statements are prepared: the suite is run once without, once with it. */
static int prepares;

enum { VALUES_MAX = 32 };

/* The values of what was prepared out of these bags, of which any may be NULL: whether all of them are there, and
 * nothing else. */
static int values_of(const kstone_prepared *prepared, const kstone_item *const *bags, size_t bag_count,
                     kstone_value *values) {
    size_t count = kstone_prepared_count(prepared);
    size_t given = 0;
    size_t i, b;
    for (b = 0; b < bag_count; b++) {
        for (i = 0; i < kstone_item_count(bags[b]); i++) {
            kstone_bytes name;
            kstone_value value;
            CHECK_STATUS(KSTONE_OK, kstone_item_at(bags[b], i, &name, &value));
            given += name.len > 0 && name.data[0] != '#';
        }
    }
    if (count > VALUES_MAX || given != count) {
        return 0;
    }
    for (i = 0; i < count; i++) {
        kstone_bytes name = kstone_prepared_name(prepared, i);
        int found = 0;
        for (b = 0; b < bag_count && !found; b++) {
            found = kstone_item_get(bags[b], (const char *)name.data, name.len, &values[i]) == KSTONE_OK;
        }
        if (!found) {
            return 0;
        }
    }
    return 1;
}

/* The #names of a bag, as a bag of their own; NULL where there are none. */
static const kstone_item *names_of(runner *r, const kstone_item *bag) {
    kstone_item *names = bag != NULL ? kstone_item_clone(bag) : NULL;
    size_t i;
    keep_handle(r, names);
    for (i = 0; bag != NULL && i < kstone_item_count(bag); i++) {
        kstone_bytes name;
        kstone_value value;
        CHECK_STATUS(KSTONE_OK, kstone_item_at(bag, i, &name, &value));
        if (name.len == 0 || name.data[0] != '#') {
            CHECK_STATUS(KSTONE_OK, kstone_item_remove(names, (const char *)name.data, name.len));
        }
    }
    return names != NULL && kstone_item_count(names) > 0 ? names : NULL;
}

/* An update in its prepared form; 0 where its bags are wrong, which the other form says as the suite has it. */
static int update_prepared(runner *r, kstone_db *db, slice step, uint32_t returns, kstone_item **returned,
                           outcome *out) {
    kstone_prepare_spec spec = KSTONE_PREPARE_SPEC_INIT;
    kstone_prepared *prepared = NULL;
    kstone_cond cond;
    kstone_value values[VALUES_MAX];
    const kstone_item *bags[2];
    int holds = cond_at(r, step, &cond) != NULL;
    bags[0] = item_at(r, step, "params");
    bags[1] = holds ? cond.params : NULL;
    spec.kind = KSTONE_PREPARE_UPDATE;
    spec.text = text_at(r, step, "expr", &spec.text_len);
    spec.names = names_of(r, bags[0]);
    if (holds) {
        cond.params = names_of(r, bags[1]);
        spec.cond = &cond;
    }
    if (kstone_prepare(db, &spec, &prepared, NULL) != KSTONE_OK) {
        return 0;
    }
    keep_handle(r, prepared);
    if (!values_of(prepared, bags, 2, values)) {
        return 0;
    }
    out->status = kstone_run_write(db, prepared, KEY(key_of(r, step)), NULL, values, kstone_prepared_count(prepared),
                                   returns, returned, &out->err);
    return 1;
}

static void op_update(runner *r, kstone_db *db, slice step, outcome *out) {
    static const char *const RETURNS[] = {"ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"};
    kstone_cond cond;
    kstone_item *returned = NULL;
    size_t expr_len = 0;
    const char *expr = text_at(r, step, "expr", &expr_len);
    uint32_t returns = choice_of(r, slice_member(step, "return"), RETURNS, 4);
    if (!prepares || !update_prepared(r, db, step, returns, &returned, out)) {
        out->status = kstone_update(db, KEY(key_of(r, step)), expr, expr_len, item_at(r, step, "params"),
                                    cond_at(r, step, &cond), returns, &returned, &out->err);
    }
    found_item(r, returned, out);
}

static void op_put_json(runner *r, kstone_db *db, slice step, outcome *out) {
    size_t len = 0;
    const char *json = text_at(r, step, "json", &len);
    out->status = kstone_put_json(db, KEY(key_of(r, step)), json, len, is_true(step, "plain") ? KSTONE_JSON_PLAIN : 0,
                                  &out->err);
}

static void op_get_json(runner *r, kstone_db *db, slice step, outcome *out) {
    char *json = NULL;
    size_t len = 0;
    out->status = kstone_get_json(db, KEY(key_of(r, step)), is_true(step, "plain") ? KSTONE_JSON_PLAIN : 0, &json, &len,
                                  &out->err);
    keep_handle(r, json);
    out->json = json;
}

static uint32_t flag(slice step, const char *name, uint32_t value) {
    return is_true(step, name) ? value : 0;
}

static kstone_query_spec spec_of(runner *r, slice step) {
    static const char *const SK_OPS[] = {"EQ", "LT", "LE", "GT", "GE", "BETWEEN", "BEGINS_WITH"};
    kstone_query_spec spec = scan_spec();
    kstone_bytes pk = bytes_at(r, step, "pk");
    kstone_bytes sk1 = bytes_at(r, step, "sk1");
    kstone_bytes sk2 = bytes_at(r, step, "sk2");
    kstone_bytes token = token_at(r, step);
    spec.pk = pk.data;
    spec.pk_len = pk.len;
    spec.sk_op = choice_of(r, slice_member(step, "sk_op"), SK_OPS, 7);
    spec.sk1 = sk1.data;
    spec.sk1_len = sk1.len;
    spec.sk2 = sk2.data;
    spec.sk2_len = sk2.len;
    spec.flags = flag(step, "reverse", KSTONE_QUERY_REVERSE) | flag(step, "count", KSTONE_QUERY_COUNT) |
                 flag(step, "keys_only", KSTONE_QUERY_KEYS_ONLY);
    spec.index = text_at(r, step, "index", &spec.index_len);
    spec.key_expr = text_at(r, step, "key_expr", &spec.key_expr_len);
    spec.filter = text_at(r, step, "filter", &spec.filter_len);
    spec.projection = text_at(r, step, "projection", &spec.projection_len);
    spec.params = item_at(r, step, "params");
    spec.token = token.data;
    spec.token_len = token.len;
    spec.start_after = item_at(r, step, "start_after");
    spec.limit = (uint32_t)number_at(r, step, "limit");
    spec.segment = (uint32_t)number_at(r, step, "segment");
    spec.segments = (uint32_t)number_at(r, step, "segments");
    return spec;
}

/* One more item of a page or an iterator, at place out->length of lists that are long enough. */
static void found_element(runner *r, const kstone_item *item, outcome *out) {
    out->items[out->length] = json_of(r, item);
    out->keys[out->length] = hex_of_key(r, kstone_item_pk(item), kstone_item_sk(item));
    out->length++;
}

static void found_page(runner *r, kstone_page *page, outcome *out) {
    size_t i;
    keep_handle(r, page);
    out->count = kstone_page_count(page);
    out->scanned = kstone_page_scanned(page);
    out->token = kstone_page_token(page);
    out->items = list_of(r, out->count);
    out->keys = list_of(r, out->count);
    for (i = 0; i < out->count; i++) {
        found_element(r, kstone_page_item(page, i), out);
    }
}

static void op_query(runner *r, kstone_db *db, slice step, outcome *out) {
    kstone_query_spec spec = spec_of(r, step);
    kstone_page *page = NULL;
    out->status = kstone_query(db, &spec, &page, &out->err);
    found_page(r, page, out);
    save_token(r, step, out->token);
}

static void op_scan(runner *r, kstone_db *db, slice step, outcome *out) {
    kstone_query_spec spec = spec_of(r, step);
    kstone_page *page = NULL;
    out->status = kstone_scan(db, &spec, &page, &out->err);
    found_page(r, page, out);
    save_token(r, step, out->token);
}

static void op_iterate(runner *r, kstone_db *db, slice step, outcome *out) {
    enum { ITEMS_MAX = 500 };
    kstone_query_spec spec = spec_of(r, step);
    kstone_iter *iter = NULL;
    const kstone_item *item = NULL;
    out->items = list_of(r, ITEMS_MAX);
    out->keys = list_of(r, ITEMS_MAX);
    out->status = kstone_iter_open(db, &spec, &iter, &out->err);
    if (out->status != KSTONE_OK) {
        return;
    }
    while ((out->status = kstone_iter_next(iter, &item, &out->err)) == KSTONE_OK && out->length < ITEMS_MAX) {
        found_element(r, item, out);
    }
    if (out->status == KSTONE_DONE) {
        out->status = KSTONE_OK;
    }
    out->count = out->length;
    kstone_free(iter);
}

static kstone_status move(runner *r, kstone_cursor *cursor, slice step, const kstone_item **item, kstone_error **err) {
    static const char *const MOVES[] = {"first", "last", "next", "prev", "seek"};
    key to = key_of(r, step);
    switch (choice_of(r, slice_member(step, "op"), MOVES, 5)) {
    case 1:
        return kstone_cursor_first(cursor, item, err);
    case 2:
        return kstone_cursor_last(cursor, item, err);
    case 3:
        return kstone_cursor_next(cursor, item, err);
    case 4:
        return kstone_cursor_prev(cursor, item, err);
    default:
        return kstone_cursor_seek(cursor, KEY(to), item, err);
    }
}

static void op_cursor(runner *r, kstone_db *db, slice step, outcome *out) {
    enum { MOVES_MAX = 50 };
    kstone_query_spec spec = spec_of(r, step);
    slice_iter moves = slice_open(slice_member(step, "moves"));
    slice one;
    kstone_cursor *cursor = NULL;
    out->items = list_of(r, MOVES_MAX);
    out->keys = list_of(r, MOVES_MAX);
    out->status = kstone_cursor_open(db, &spec, &cursor, &out->err);
    while (out->status >= KSTONE_OK && out->length < MOVES_MAX && slice_next(&moves, &one)) {
        const kstone_item *item = NULL;
        out->status = move(r, cursor, one, &item, &out->err);
        if (out->status == KSTONE_OK) {
            found_element(r, item, out);
        }
    }
    if (out->status == KSTONE_DONE) {
        out->status = KSTONE_OK;
    }
    out->count = out->length;
    kstone_free(cursor);
}

static void op_count(runner *r, kstone_db *db, slice step, outcome *out) {
    uint64_t count = 0;
    (void)r;
    (void)step;
    out->status = kstone_count(db, &count, &out->err);
    out->count = (size_t)count;
}

static void op_execute(runner *r, kstone_db *db, slice step, outcome *out) {
    size_t len = 0;
    const char *statement = text_at(r, step, "statement", &len);
    kstone_bytes token = token_at(r, step);
    kstone_page *page = NULL;
    const kstone_item *params = item_at(r, step, "params");
    kstone_prepare_spec spec = KSTONE_PREPARE_SPEC_INIT;
    kstone_prepared *prepared = NULL;
    kstone_value values[VALUES_MAX];
    spec.kind = KSTONE_PREPARE_STATEMENT;
    spec.text = statement;
    spec.text_len = len;
    if (prepares && kstone_prepare(db, &spec, &prepared, NULL) == KSTONE_OK &&
        values_of(prepared, &params, 1, values)) {
        out->status = kstone_run(db, prepared, values, kstone_prepared_count(prepared), 0, token.data, token.len, &page,
                                 &out->err);
    } else {
        out->status = kstone_execute(db, statement, len, params, token.data, token.len, &page, &out->err);
    }
    keep_handle(r, prepared);
    found_page(r, page, out);
    save_token(r, step, out->token);
}

static kstone_status add_operation(runner *r, kstone_batch *batch, slice operation) {
    slice op = slice_member(operation, "op");
    key k = key_of(r, operation);
    kstone_cond storage;
    const kstone_cond *cond = cond_at(r, operation, &storage);
    if (slice_is_string(op, "put")) {
        return kstone_batch_put(batch, KEY(k), item_at(r, operation, "item"), cond);
    }
    if (slice_is_string(op, "put_item")) {
        return kstone_batch_put_item(batch, item_at(r, operation, "item"), cond);
    }
    if (slice_is_string(op, "update")) {
        size_t expr_len = 0;
        const char *expr = text_at(r, operation, "expr", &expr_len);
        return kstone_batch_update(batch, KEY(k), expr, expr_len, item_at(r, operation, "params"), cond);
    }
    if (slice_is_string(op, "delete")) {
        return kstone_batch_delete(batch, KEY(k), cond);
    }
    if (slice_is_string(op, "check")) {
        return kstone_batch_check(batch, KEY(k), cond);
    }
    if (slice_is_string(op, "execute")) {
        size_t len = 0;
        const char *statement = text_at(r, operation, "statement", &len);
        return kstone_batch_execute(batch, statement, len, item_at(r, operation, "params"));
    }
    if (!slice_is_string(op, "get")) {
        suite_error(r, "an unknown operation of a batch");
    }
    return kstone_batch_get(batch, KEY(k));
}

static void op_batch(runner *r, kstone_db *db, slice step, outcome *out) {
    slice_iter operations = slice_open(slice_member(step, "operations"));
    slice operation;
    kstone_page *page = NULL;
    kstone_batch *batch = kstone_batch_new();
    keep_handle(r, batch);
    while (slice_next(&operations, &operation)) {
        out->status = add_operation(r, batch, operation);
        if (out->status != KSTONE_OK) {
            out->has_no_error = 1;
            return;
        }
    }
    out->status = kstone_batch_run(db, batch, flag(step, "atomic", KSTONE_BATCH_ATOMIC), &page, &out->err);
    found_page(r, page, out);
}

enum { MANY_MAX = 16 };

/* The operations of get_many and put_many, as arrays. */
typedef struct many {
    const void *pks[MANY_MAX], *sks[MANY_MAX];
    size_t pk_lens[MANY_MAX], sk_lens[MANY_MAX];
    const kstone_item *items[MANY_MAX];
    size_t count;
} many;

static many many_of(runner *r, slice step, const char *op) {
    slice_iter operations = slice_open(slice_member(step, "operations"));
    slice operation;
    many of;
    memset(&of, 0, sizeof of);
    while (slice_next(&operations, &operation)) {
        key k = key_of(r, operation);
        if (of.count == MANY_MAX || !slice_is_string(slice_member(operation, "op"), op)) {
            suite_error(r, "too many operations, or an unknown one");
        }
        of.pks[of.count] = k.pk.data;
        of.pk_lens[of.count] = k.pk.len;
        of.sks[of.count] = k.sk.data;
        of.sk_lens[of.count] = k.sk.len;
        of.items[of.count++] = item_at(r, operation, "item");
    }
    return of;
}

static void op_get_many(runner *r, kstone_db *db, slice step, outcome *out) {
    many of = many_of(r, step, "get");
    kstone_item *items[MANY_MAX] = {NULL};
    size_t i;
    out->status = kstone_get_many(db, of.pks, of.pk_lens, of.sks, of.sk_lens, of.count, items, &out->err);
    out->count = of.count;
    out->items = list_of(r, of.count);
    out->keys = list_of(r, of.count);
    for (i = 0; i < of.count; i++) {
        keep_handle(r, items[i]);
        found_element(r, items[i], out);
    }
}

static void op_put_many(runner *r, kstone_db *db, slice step, outcome *out) {
    many of = many_of(r, step, "put");
    out->status = kstone_put_many(db, of.pks, of.pk_lens, of.sks, of.sk_lens, of.items, of.count, &out->err);
}

static void op_configure(runner *r, kstone_db *db, slice step, outcome *out) {
    slice schema = slice_member(step, "schema");
    (void)r;
    out->status = kstone_configure(db, schema.data, schema.len, &out->err);
}

static void op_set_time(runner *r, kstone_db *db, slice step, outcome *out) {
    out->status = kstone_set_time(db, (int64_t)number_at(r, step, "seconds"), &out->err);
}

static void op_purge_expired(runner *r, kstone_db *db, slice step, outcome *out) {
    (void)r;
    (void)step;
    out->status = kstone_purge_expired(db, &out->count, &out->err);
}

static void op_stream_read(runner *r, kstone_db *db, slice step, outcome *out) {
    char *json = NULL;
    size_t len = 0;
    out->status = kstone_stream_read(db, number_at(r, step, "after"), (size_t)number_at(r, step, "max"), &json, &len,
                                     &out->err);
    keep_handle(r, json);
    out->json = json;
}

static void op_flush(runner *r, kstone_db *db, slice step, outcome *out) {
    (void)r;
    (void)step;
    out->status = kstone_flush(db, &out->err);
}

static void op_compact(runner *r, kstone_db *db, slice step, outcome *out) {
    (void)r;
    (void)step;
    out->status = kstone_compact(db, &out->err);
}

static void op_clear(runner *r, kstone_db *db, slice step, outcome *out) {
    (void)r;
    (void)step;
    out->status = kstone_clear(db, &out->err);
}

static void op_fork(runner *r, kstone_db *db, slice step, outcome *out) {
    kstone_db *fork = NULL;
    named *entry = db_entry(r, slice_member(step, "as"));
    out->status = kstone_fork(db, &fork, &out->err);
    kstone_free(entry->data);
    entry->data = fork;
}

/* The path of a file that the case's steps share. */
static const char *path_at(runner *r, slice step) {
    const char *file = text_at(r, step, "file", NULL);
    char *path = allocate(r, sizeof r->directory + strlen(file) + 1);
    if (r->directory[0] == '\0') {
        strcpy(r->directory, "/tmp/kstone-conformance-XXXXXX");
        if (mkdtemp(r->directory) == NULL) {
            suite_error(r, "there is no place for files");
        }
    }
    sprintf(path, "%s/%s", r->directory, file);
    return path;
}

static void remove_files(const runner *r) {
    DIR *directory = r->directory[0] != '\0' ? opendir(r->directory) : NULL;
    const struct dirent *entry;
    char path[512];
    if (directory == NULL) {
        return;
    }
    while ((entry = readdir(directory)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", r->directory, entry->d_name);
        unlink(path); /* not "." and "..", which are no files */
    }
    closedir(directory);
    CHECK_INT(0, rmdir(r->directory));
}

static void op_snapshot_save(runner *r, kstone_db *db, slice step, outcome *out) {
    out->status = kstone_snapshot_save(db, path_at(r, step), KSTONE_STRLEN, &out->err);
}

static void op_snapshot_load(runner *r, kstone_db *db, slice step, outcome *out) {
    out->status = kstone_snapshot_load(db, path_at(r, step), KSTONE_STRLEN, &out->err);
}

static void op_export_json(runner *r, kstone_db *db, slice step, outcome *out) {
    out->status = kstone_export_json(db, path_at(r, step), KSTONE_STRLEN, &out->err);
}

static void op_import_json(runner *r, kstone_db *db, slice step, outcome *out) {
    out->status = kstone_import_json(db, path_at(r, step), KSTONE_STRLEN, NULL, &out->count, NULL, NULL, &out->err);
}

static void op_account_open(runner *r, kstone_db *unused, slice step, outcome *out) {
    kstone_account_options options = KSTONE_ACCOUNT_OPTIONS_INIT;
    kstone_account *account = NULL;
    named *entry = account_entry(r, slice_member(step, "as"));
    (void)unused;
    options.texts = is_true(step, "classic") ? KSTONE_TEXTS_CLASSIC : KSTONE_TEXTS_CURRENT;
    out->status = kstone_account_open(&options, &account, &out->err);
    kstone_free(entry->data);
    entry->data = account;
}

static void op_account_close(runner *r, kstone_db *unused, slice step, outcome *out) {
    named *entry = account_entry(r, slice_member(step, "account"));
    (void)unused;
    kstone_free(entry->data);
    entry->data = NULL;
    out->status = KSTONE_OK;
}

static void op_account_fork(runner *r, kstone_db *unused, slice step, outcome *out) {
    kstone_account *fork = NULL;
    named *entry = account_entry(r, slice_member(step, "as"));
    (void)unused;
    out->status = kstone_account_fork(account_at(r, step), &fork, &out->err);
    kstone_free(entry->data);
    entry->data = fork;
}

static void op_account_save(runner *r, kstone_db *unused, slice step, outcome *out) {
    (void)unused;
    out->status = kstone_account_snapshot_save(account_at(r, step), path_at(r, step), KSTONE_STRLEN, &out->err);
}

static void op_account_load(runner *r, kstone_db *unused, slice step, outcome *out) {
    (void)unused;
    out->status = kstone_account_snapshot_load(account_at(r, step), path_at(r, step), KSTONE_STRLEN, &out->err);
}

static void op_account_time(runner *r, kstone_db *unused, slice step, outcome *out) {
    (void)unused;
    out->status = kstone_account_set_time(account_at(r, step), (int64_t)number_at(r, step, "seconds"), &out->err);
}

/* What SDKs send for an operation; one that has a service in front stays as it is. */
static const char *target_at(runner *r, slice step) {
    static const char of_streams[] = " ListStreams DescribeStream GetShardIterator GetRecords ";
    const char *operation = text_at(r, step, "operation", NULL);
    char *target = allocate(r, strlen(operation) + 32);
    sprintf(target, " %s ", operation);
    if (strchr(operation, '.') != NULL) {
        return operation;
    }
    sprintf(target, "%s_20120810.%s", strstr(of_streams, target) != NULL ? "DynamoDBStreams" : "DynamoDB", operation);
    return target;
}

/* JSON as the library writes the value that it is, with the members of its objects in order. */
static const char *json_in_order(runner *r, const char *json, size_t len) {
    kstone_item *item = kstone_item_new();
    if (kstone_item_set_json(item, LIT("v"), json, len, KSTONE_JSON_PLAIN, NULL) != KSTONE_OK) {
        suite_error(r, "an answer that is no JSON");
    }
    keep_handle(r, item);
    return json_of(r, item);
}

static void op_call(runner *r, kstone_db *unused, slice step, outcome *out) {
    const char *target = target_at(r, step);
    slice body = slice_member(step, "body");
    kstone_bytes text = bytes_at(r, step, "text");
    kstone_response *response = NULL;
    (void)unused;
    if (body.data == NULL) {
        body = slice_member(step, "text").data != NULL ? slice_of((const char *)text.data, text.len) : slice_of("{}", 2);
    }
    out->status = kstone_account_call(account_at(r, step), target, KSTONE_STRLEN, body.data, body.len, &response,
                                      &out->err);
    keep_handle(r, response);
    out->http = (int)kstone_response_http_status(response);
    text = kstone_response_body(response);
    out->answer = text.len > 0 ? json_in_order(r, (const char *)text.data, text.len) : "";
}

static void op_table(runner *r, kstone_db *unused, slice step, outcome *out) {
    kstone_db *table = NULL;
    size_t len = 0;
    const char *name = text_at(r, step, "table", &len);
    named *entry = db_entry(r, slice_member(step, "as"));
    (void)unused;
    out->status = kstone_account_table(account_at(r, step), name, len, &table, &out->err);
    kstone_free(entry->data);
    entry->data = table;
}

#define SPEC                                                                                            \
    "pk sk_op sk1 sk2 key_expr index filter projection params limit reverse count keys_only segment segments token "    \
    "start_after "
#define PAGE " items keys any_order count scanned token "

/* What there is: the op, its arguments, and what may be expected of it besides what every step may expect. */
static const struct operation {
    const char *name;
    const char *arguments;
    const char *expectations;
    void (*run)(runner *r, kstone_db *db, slice step, outcome *out);
} OPERATIONS[] = {
    {"put", " pk sk item ", "", op_put},
    {"put_item", " item ", "", op_put_item},
    {"get", " pk sk ", " item ", op_get},
    {"delete", " pk sk ", "", op_delete},
    {"put_if", " pk sk item cond ", " item ", op_put_if},
    {"delete_if", " pk sk cond ", " item ", op_delete_if},
    {"update", " pk sk expr params cond return ", " item ", op_update},
    {"put_json", " pk sk json plain ", "", op_put_json},
    {"get_json", " pk sk plain ", " json ", op_get_json},
    {"query", " save_token " SPEC, PAGE, op_query},
    {"scan", " save_token " SPEC, PAGE, op_scan},
    {"iterate", " " SPEC, " items keys any_order count ", op_iterate},
    {"cursor", " moves " SPEC, " items keys any_order count ", op_cursor},
    {"count", "", " count ", op_count},
    {"batch", " operations atomic ", " items count ", op_batch},
    {"get_many", " operations ", " items count ", op_get_many},
    {"put_many", " operations ", "", op_put_many},
    {"execute", " statement params token save_token ", PAGE, op_execute},
    {"configure", " schema ", "", op_configure},
    {"set_time", " seconds ", "", op_set_time},
    {"purge_expired", "", " count ", op_purge_expired},
    {"stream_read", " after max ", " records ", op_stream_read},
    {"flush", "", "", op_flush},
    {"compact", "", "", op_compact},
    {"clear", "", "", op_clear},
    {"open", " as options ", "", op_open},
    {"fork", " as ", "", op_fork},
    {"close", "", "", op_close},
    {"snapshot_save", " file ", "", op_snapshot_save},
    {"snapshot_load", " file ", "", op_snapshot_load},
    {"export_json", " file ", "", op_export_json},
    {"import_json", " file ", " count ", op_import_json},
    {"account_open", " as classic ", "", op_account_open},
    {"account_close", " account ", "", op_account_close},
    {"account_time", " account seconds ", "", op_account_time},
    {"account_fork", " account as ", "", op_account_fork},
    {"account_save", " account file ", "", op_account_save},
    {"account_load", " account file ", "", op_account_load},
    {"call", " account operation body text ", " http answer ", op_call},
    {"table", " account table as ", "", op_table},
};

/* ---- expectations ---- */

static const struct {
    const char *name;
    kstone_status status;
} STATUSES[] = {
    {"KSTONE_OK", KSTONE_OK},
    {"KSTONE_NOT_FOUND", KSTONE_NOT_FOUND},
    {"KSTONE_DONE", KSTONE_DONE},
    {"KSTONE_ERR_MISUSE", KSTONE_ERR_MISUSE},
    {"KSTONE_ERR_INVALID", KSTONE_ERR_INVALID},
    {"KSTONE_ERR_CONDITION_FAILED", KSTONE_ERR_CONDITION_FAILED},
    {"KSTONE_ERR_CONFLICT", KSTONE_ERR_CONFLICT},
    {"KSTONE_ERR_LIMIT", KSTONE_ERR_LIMIT},
    {"KSTONE_ERR_TYPE", KSTONE_ERR_TYPE},
    {"KSTONE_ERR_CORRUPT", KSTONE_ERR_CORRUPT},
    {"KSTONE_ERR_IO", KSTONE_ERR_IO},
    {"KSTONE_ERR_PANIC", KSTONE_ERR_PANIC},
    {"KSTONE_ERR_TRIMMED", KSTONE_ERR_TRIMMED},
};

static const char *name_of(kstone_status status) {
    size_t i;
    for (i = 0; i < sizeof STATUSES / sizeof STATUSES[0]; i++) {
        if (STATUSES[i].status == status) {
            return STATUSES[i].name;
        }
    }
    return "an unknown status";
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_list(runner *r, slice expect, const char *what, const char **expected, size_t expected_length,
                       const char **found, size_t found_length) {
    size_t i;
    if (!check_count(expected_length == found_length)) {
        complain(r, what, "another number of them", found_length > 0 ? found[0] : "none");
        return;
    }
    if (is_true(expect, "any_order")) {
        qsort((void *)expected, expected_length, sizeof *expected, by_text);
        qsort((void *)found, found_length, sizeof *found, by_text);
    }
    for (i = 0; i < expected_length; i++) {
        check_same(r, what, expected[i], found[i]);
    }
}

static void check_items(runner *r, slice expect, const outcome *out) {
    slice value = slice_member(expect, "items");
    slice_iter iter = slice_open(value);
    const char **expected = list_of(r, length_of(value));
    size_t length = 0;
    while (slice_next(&iter, &value)) {
        expected[length++] = json_of_expected(r, value);
    }
    check_list(r, expect, "items", expected, length, out->items, out->length);
}

static void check_keys(runner *r, slice expect, const outcome *out) {
    slice value = slice_member(expect, "keys");
    slice_iter iter = slice_open(value);
    const char **expected = list_of(r, length_of(value));
    size_t length = 0;
    while (slice_next(&iter, &value)) {
        slice_iter parts = slice_open(value);
        slice pk = {NULL, 0};
        slice sk = {NULL, 0};
        if (!slice_next(&parts, &pk)) {
            suite_error(r, "a key that is none");
        }
        if (!slice_next(&parts, &sk)) {
            sk.data = NULL;
        }
        expected[length++] = hex_of_key(r, bytes_of(r, pk), bytes_of(r, sk));
    }
    check_list(r, expect, "keys", expected, length, out->keys, out->length);
}

/* An image of a stream record; both are slices of NULL where there is none. */
static void check_image(runner *r, const char *what, slice expected, slice found) {
    const char *texts[2];
    texts[0] = expected.data != NULL ? json_of_expected(r, expected) : "no image";
    texts[1] = found.data != NULL ? json_of_expected(r, found) : "no image";
    check_same(r, what, texts[0], texts[1]);
}

static void check_records(runner *r, slice expected_records, const outcome *out) {
    slice found_records = out->json != NULL ? slice_of(out->json, strlen(out->json)) : expected_records;
    slice_iter expected_iter = slice_open(expected_records);
    slice_iter found_iter = slice_open(slice_member(found_records, "Records"));
    slice expected;
    slice found;
    while (slice_next(&expected_iter, &expected)) {
        slice data;
        const char *remover;
        if (!slice_next(&found_iter, &found)) {
            check_same(r, "records", "another record", "the end");
            return;
        }
        data = slice_member(found, "dynamodb");
        check_same(r, "event", text_at(r, expected, "event", NULL), text_at(r, found, "eventName", NULL));
        check_image(r, "keys", slice_member(expected, "keys"), slice_member(data, "Keys"));
        check_image(r, "new image", slice_member(expected, "new"), slice_member(data, "NewImage"));
        check_image(r, "old image", slice_member(expected, "old"), slice_member(data, "OldImage"));
        remover = text_at(r, slice_member(found, "userIdentity"), "principalId", NULL);
        check_same(r, "what removed it",
                   is_true(expected, "by_ttl")        ? "dynamodb.amazonaws.com"
                   : is_true(expected, "by_eviction") ? "kstone:eviction"
                                                      : "a caller",
                   remover != NULL ? remover : "a caller");
    }
    check_same(r, "records", "the end", slice_next(&found_iter, &found) ? "another record" : "the end");
}

/* An error object is there where the status says so, and says what is expected of it. */
static void check_error(runner *r, slice expect, const outcome *out) {
    kstone_bytes message = bytes_at(r, expect, "message");
    slice index = slice_member(expect, "index");
    slice item = slice_member(expect, "error_item");
    const char *name = text_at(r, expect, "name", NULL);
    char *found_index = allocate(r, 16);
    check_same(r, "the error's code", name_of(out->status < 0 && !out->has_no_error ? out->status : KSTONE_OK),
               name_of(kstone_error_code(out->err)));
    if (name != NULL) {
        check_same(r, "name", name, kstone_error_name(out->err));
    }
    if (message.data != NULL &&
        !check_count(strstr(kstone_error_message(out->err), (const char *)message.data) != NULL)) {
        complain(r, "message", (const char *)message.data, kstone_error_message(out->err));
    }
    if (index.data != NULL) {
        sprintf(found_index, "%d", (int)kstone_error_index(out->err));
        check_same(r, "index", keep(r, index), found_index);
    }
    if (item.data != NULL) {
        check_same(r, "error_item", json_of_expected(r, item), json_of(r, kstone_error_item(out->err)));
    }
}

/* Every member's name is one of `known`, which are written with a space on both sides. */
static void check_members(runner *r, slice object, const char *known, const char *more) {
    slice_iter members = slice_open(object);
    slice name;
    slice value;
    while (slice_next_member(&members, &name, &value)) {
        char *word = keep(r, name);
        word[0] = word[name.len - 1] = ' ';
        if (strstr(known, word) == NULL && strstr(more, word) == NULL) {
            suite_error(r, word);
        }
    }
}

static void check_count_of(runner *r, slice expect, const char *what, size_t found) {
    char *text = allocate(r, 24);
    slice value = slice_member(expect, what);
    if (value.data != NULL) {
        sprintf(text, "%zu", found);
        check_same(r, what, keep(r, value), text);
    }
}

static void check_outcome(runner *r, slice expect, const outcome *out) {
    const char *status = text_at(r, expect, "status", NULL);
    const char *json = text_at(r, expect, "json", NULL);
    slice token = slice_member(expect, "token");
    slice item = slice_member(expect, "item");
    slice records = slice_member(expect, "records");
    slice answer = slice_member(expect, "answer");
    check_same(r, kstone_error_message(out->err), status != NULL ? status : "KSTONE_OK", name_of(out->status));
    check_error(r, expect, out);
    check_count_of(r, expect, "count", out->count);
    check_count_of(r, expect, "scanned", out->scanned);
    check_count_of(r, expect, "http", (size_t)out->http);
    if (answer.data != NULL) {
        check_same(r, "answer", json_in_order(r, answer.data, answer.len), out->answer);
    }
    if (json != NULL) {
        check_same(r, "json", json, out->json);
    }
    if (token.data != NULL) {
        check_same(r, "token", keep(r, token), out->token.len > 0 ? "true" : "false");
    }
    if (item.data != NULL) {
        check_same(r, "item", json_of_expected(r, item), out->item);
    }
    if (slice_member(expect, "items").data != NULL) {
        check_items(r, expect, out);
    }
    if (slice_member(expect, "keys").data != NULL) {
        check_keys(r, expect, out);
    }
    if (records.data != NULL) {
        check_records(r, records, out);
    }
}

/* ---- cases and files ---- */

static void run_step(runner *r, slice step) {
    slice op = slice_member(step, "op");
    slice expect = slice_member(step, "expect");
    kstone_db *db = (kstone_db *)db_entry(r, slice_member(step, "db"))->data;
    outcome out;
    size_t i;
    memset(&out, 0, sizeof out);
    for (i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        if (slice_is_string(op, OPERATIONS[i].name)) {
            check_members(r, step, " op db expect ", OPERATIONS[i].arguments);
            check_members(r, expect, " status name message index error_item ", OPERATIONS[i].expectations);
            OPERATIONS[i].run(r, db, step, &out);
            check_outcome(r, expect, &out);
            kstone_free(out.err);
            forget_step(r);
            return;
        }
    }
    suite_error(r, "an unknown op");
}

static void run_case(const char *file, slice test) {
    static runner r; /* it is large, and one is enough */
    slice_iter steps = slice_open(slice_member(test, "steps"));
    slice step;
    size_t i;
    kstone_error *err = NULL;
    kstone_db *db = NULL;
    memset(&r, 0, sizeof r);
    r.file = file;
    r.case_name = slice_member(test, "name");
    CHECK_OK(open_with(&r, slice_member(test, "options"), &db, &err));
    db_entry(&r, slice_of("\"main\"", 6))->data = db;
    for (; slice_next(&steps, &step); r.step++) {
        run_step(&r, step);
    }
    if (r.step == 0) {
        suite_error(&r, "there are no steps");
    }
    remove_files(&r);
    for (i = 0; i < NAMES_MAX; i++) {
        kstone_free(r.dbs[i].data);
        kstone_free(r.accounts[i].data);
        free(r.tokens[i].data);
    }
}

static char *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    long size = -1;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        *len = (size_t)size;
        text = (char *)malloc(*len + 1);
    }
    if (text == NULL || fread(text, 1, *len, file) != *len) {
        perror(path);
        exit(1);
    }
    text[*len] = '\0';
    fclose(file);
    return text;
}

/* A case that must fail: it counts as one check, which passes where one of the case's own did not. */
static void run_wrong_case(const char *file, slice test) {
    unsigned long passed = check_passed_count;
    unsigned long failed = check_failed_count;
    int was_found;
    is_quiet = 1;
    run_case(file, test);
    is_quiet = 0;
    was_found = check_failed_count > failed;
    check_passed_count = passed;
    check_failed_count = failed;
    if (!check_count(was_found)) {
        fprintf(stderr, "%s: %.*s: did not fail\n", file, (int)slice_member(test, "name").len,
                slice_member(test, "name").data);
    }
}

/* Returns how many cases the file has. */
static size_t run_file(const char *directory, const char *name, void (*run)(const char *file, slice test)) {
    char path[4096];
    size_t len = 0;
    size_t count = 0;
    char *text;
    slice_iter cases;
    slice test;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    text = read_file(path, &len);
    cases = slice_open(slice_member(slice_of(text, len), "cases"));
    for (; slice_next(&cases, &test); count++) {
        run(name, test);
    }
    CHECK(count > 0);
    printf("%s: %zu cases\n", name, count);
    free(text);
    return count;
}

/* Returns how many cases the files of a directory have. */
static size_t run_directory(const char *path, void (*run)(const char *file, slice test)) {
    DIR *directory = opendir(path);
    const struct dirent *entry;
    size_t count = 0;
    if (directory == NULL) {
        perror(path);
        exit(1);
    }
    while ((entry = readdir(directory)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0 && strcmp(entry->d_name, "schema.json") != 0) {
            count += run_file(path, entry->d_name, run);
        }
    }
    closedir(directory);
    return count;
}

int main(void) {
    const char *path = getenv("KSTONE_CONFORMANCE");
    char wrong[4096];
    if (path == NULL) {
        fprintf(stderr, "KSTONE_CONFORMANCE does not name the directory of the suite\n");
        return 1;
    }
    for (; prepares < 2; prepares++) {
        CHECK(run_directory(path, run_case) >= CASES_MIN);
    }
    prepares = 0;
    snprintf(wrong, sizeof wrong, "%s/wrong", path);
    CHECK(run_directory(wrong, run_wrong_case) >= WRONG_CASES_MIN);
    return check_report();
}
