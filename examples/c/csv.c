/* csv.c: see csv.h. One character at a time; a state says where in a field it stands. */
#include "csv.h"

#include <stdlib.h>
#include <string.h>

void csv_init(csv_reader *csv, FILE *file) {
    memset(csv, 0, sizeof *csv);
    csv->file = file;
    csv->next_line = 1;
}

void csv_free(csv_reader *csv) {
    free(csv->text);
    csv->text = NULL;
}

const char *csv_field(const csv_reader *csv, size_t i) {
    return csv->text + csv->field_starts[i];
}

size_t csv_field_len(const csv_reader *csv, size_t i) {
    return csv->field_lens[i];
}

static csv_result fail(csv_reader *csv, size_t line, const char *what) {
    snprintf(csv->error, sizeof csv->error, "line %zu: %s", line, what);
    return CSV_ERROR;
}

static int append(csv_reader *csv, char c) {
    if (csv->text_len == csv->text_size) {
        size_t size = csv->text_size > 0 ? 2 * csv->text_size : 256;
        char *text = realloc(csv->text, size);
        if (text == NULL) {
            return 0;
        }
        csv->text = text;
        csv->text_size = size;
    }
    csv->text[csv->text_len++] = c;
    return 1;
}

/* Closes the field that began at `start`. */
static int end_field(csv_reader *csv, size_t start) {
    if (csv->field_count == CSV_FIELDS_MAX) {
        return 0;
    }
    csv->field_starts[csv->field_count] = start;
    csv->field_lens[csv->field_count++] = csv->text_len - start;
    return append(csv, '\0');
}

/* The next character, a CRLF as LF; EOF at the end. */
static int next_char(csv_reader *csv) {
    int c = getc(csv->file);
    if (c == '\r') {
        int after = getc(csv->file);
        if (after == '\n') {
            return '\n';
        }
        if (after != EOF) {
            ungetc(after, csv->file);
        }
    }
    return c;
}

csv_result csv_next(csv_reader *csv) {
    enum { FIELD_START, PLAIN, QUOTED, QUOTE_IN_QUOTED } state = FIELD_START;
    size_t start = 0;
    size_t quote_line = 0;
    int c = getc(csv->file);

    csv->line = csv->next_line;
    csv->text_len = 0;
    csv->field_count = 0;
    if (c == EOF) {
        return ferror(csv->file) ? fail(csv, csv->line, "the file cannot be read") : CSV_END;
    }
    ungetc(c, csv->file);

    for (;;) {
        int ends_line;
        /* Inside quotes a CRLF is data, and stays two characters. */
        c = state == QUOTED ? getc(csv->file) : next_char(csv);
        if (c == '\n') {
            csv->next_line++;
        }
        if (state == QUOTED) {
            if (c == EOF) {
                return fail(csv, quote_line, "the quote that opens here is never closed");
            } else if (c == '"') {
                state = QUOTE_IN_QUOTED;
            } else if (!append(csv, (char)c)) {
                return fail(csv, csv->line, "out of memory");
            }
            continue;
        }
        if (state == QUOTE_IN_QUOTED && c == '"') { /* two quotes are one */
            if (!append(csv, '"')) {
                return fail(csv, csv->line, "out of memory");
            }
            state = QUOTED;
            continue;
        }

        ends_line = c == '\n' || c == EOF;
        if (c == ',' || ends_line) {
            if (c == EOF && ferror(csv->file)) {
                return fail(csv, csv->line, "the file cannot be read");
            }
            if (!end_field(csv, start)) {
                return fail(csv, csv->line, "too many fields");
            }
            if (ends_line) {
                return CSV_RECORD;
            }
            start = csv->text_len;
            state = FIELD_START;
        } else if (state == QUOTE_IN_QUOTED) {
            return fail(csv, csv->next_line, "a closing quote is followed by something else than a comma");
        } else if (c == '"' && state == FIELD_START) {
            state = QUOTED;
            quote_line = csv->next_line;
        } else if (c == '"') {
            return fail(csv, csv->next_line, "a quote inside a field that does not begin with one");
        } else {
            if (!append(csv, (char)c)) {
                return fail(csv, csv->line, "out of memory");
            }
            state = PLAIN;
        }
    }
}
