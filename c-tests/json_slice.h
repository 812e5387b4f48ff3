/*
 * json_slice.h: reads JSON text without copying or changing it. A slice is the text of one value. Objects and arrays
 * are iterated, strings and numbers are left as they are written: kstone's own JSON functions read those.
 *
 * For texts that are known to be JSON: of others the result is some slice of the text, never one beyond it.
 */
#ifndef KSTONE_JSON_SLICE_H
#define KSTONE_JSON_SLICE_H

#include <stddef.h>
#include <string.h>

typedef struct slice {
    const char *data; /* NULL: there is no such value */
    size_t len;
} slice;

/* What is left of an object or array to iterate over. */
typedef struct slice_iter {
    const char *at;
    const char *end;
} slice_iter;

static inline const char *slice_skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
    }
    return at;
}

/* Behind the closing quote of the string that begins at `at`. */
static inline const char *slice_string_end(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\' && at + 1 < end) {
            at++;
        }
    }
    return at < end ? at + 1 : end;
}

/* Behind the value that begins at `at`, whatever it is. */
static inline const char *slice_value_end(const char *at, const char *end) {
    size_t depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = slice_string_end(at, end);
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            depth -= depth > 0;
            at++;
        } else if (depth > 0) {
            at++;
        } else {
            while (at < end && strchr(",]} \n\r\t", *at) == NULL) {
                at++;
            }
        }
        if (depth == 0) {
            break;
        }
    }
    return at;
}

/* Takes the value at `*at`, and moves behind it. */
static inline slice slice_take(const char **at, const char *end) {
    slice value;
    value.data = slice_skip_space(*at, end);
    *at = slice_value_end(value.data, end);
    value.len = (size_t)(*at - value.data);
    return value;
}

/* The value of a whole text. */
static inline slice slice_of(const char *text, size_t len) {
    return slice_take(&text, text + len);
}

static inline int slice_begins(slice value, char with) {
    return value.data != NULL && value.len > 0 && value.data[0] == with;
}

/* Of an object or array; everything else is empty. */
static inline slice_iter slice_open(slice value) {
    slice_iter iter = {NULL, NULL};
    if (slice_begins(value, '{') || slice_begins(value, '[')) {
        iter.at = value.data + 1;
        iter.end = value.data + value.len - 1;
    }
    return iter;
}

/* The next element of an array; 0 at the end. */
static inline int slice_next(slice_iter *iter, slice *value) {
    iter->at = slice_skip_space(iter->at, iter->end);
    if (iter->at < iter->end && *iter->at == ',') {
        iter->at++;
    }
    *value = slice_take(&iter->at, iter->end);
    return value->len > 0;
}

/* The next member of an object, its name as written, in quotes; 0 at the end. */
static inline int slice_next_member(slice_iter *iter, slice *name, slice *value) {
    if (!slice_next(iter, name)) {
        return 0;
    }
    iter->at = slice_skip_space(iter->at, iter->end);
    if (iter->at < iter->end && *iter->at == ':') {
        iter->at++;
    }
    *value = slice_take(&iter->at, iter->end);
    return value->len > 0;
}

/* The value is this text, as it is written. */
static inline int slice_is(slice value, const char *text) {
    return value.data != NULL && value.len == strlen(text) && memcmp(value.data, text, value.len) == 0;
}

/* The value is this string, which needs no escapes. */
static inline int slice_is_string(slice value, const char *text) {
    return slice_begins(value, '"') && value.len == strlen(text) + 2 &&
           memcmp(value.data + 1, text, value.len - 2) == 0;
}

/* The member of this name, which needs no escapes; a slice of NULL where there is none. */
static inline slice slice_member(slice object, const char *wanted) {
    slice_iter iter = slice_open(object);
    slice none = {NULL, 0};
    slice name;
    slice value;
    while (slice_next_member(&iter, &name, &value)) {
        if (slice_is_string(name, wanted)) {
            return value;
        }
    }
    return none;
}

#endif
