/*
 * csv.h: reads comma-separated values as RFC 4180 writes them.
 *
 * A field may be quoted; inside quotes, commas and line ends are part of the field and a quote is written twice. Lines
 * end in LF or CRLF, the last one with or without. Anything else about quotes is an error with its line number.
 */
#ifndef CSV_H
#define CSV_H

#include <stddef.h>
#include <stdio.h>

#define CSV_FIELDS_MAX 64

/* A reader and its current record. Set it up with csv_init, and release what it holds with csv_free. */
typedef struct csv_reader {
    FILE *file;
    size_t line;                        /* on which the current record began, from 1 */
    size_t next_line;                   /* on which the next one begins */
    char *text;                         /* the record's fields one after another, each with a NUL behind */
    size_t text_len;
    size_t text_size;
    size_t field_count;
    size_t field_starts[CSV_FIELDS_MAX];
    size_t field_lens[CSV_FIELDS_MAX];
    char error[128];                    /* after CSV_ERROR: what is wrong, with the line */
} csv_reader;

typedef enum csv_result { CSV_RECORD, CSV_END, CSV_ERROR } csv_result;

/* The file stays the caller's. */
void csv_init(csv_reader *csv, FILE *file);

/* Reads the next record. An empty line is a record with one empty field. */
csv_result csv_next(csv_reader *csv);

/* Field i of the current record, NUL-terminated; good until the next csv_next. A field may hold a NUL of its own, so
 * csv_field_len has the last word. */
const char *csv_field(const csv_reader *csv, size_t i);
size_t csv_field_len(const csv_reader *csv, size_t i);

void csv_free(csv_reader *csv);

#endif
