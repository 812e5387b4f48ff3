/* The CSV reader of the examples: what it takes, and where it says that a file is wrong. */
#include "check.h"

#include <stdlib.h>

#include "../examples/c/csv.c"

static FILE *file_of(const char *text, size_t len) {
    FILE *file = tmpfile();
    if (file == NULL || fwrite(text, 1, len, file) != len) {
        perror("tmpfile");
        exit(1);
    }
    rewind(file);
    return file;
}

/* Reads `text` and writes it down again in a form of its own: fields in <>, a record a line, "!" and the error. */
static void check_reads(const char *text, size_t len, const char *expected) {
    char found[512] = "";
    size_t end = 0;
    csv_reader csv;
    csv_result result;
    FILE *file = file_of(text, len);
    csv_init(&csv, file);
    while ((result = csv_next(&csv)) == CSV_RECORD) {
        size_t i;
        for (i = 0; i < csv.field_count; i++) {
            CHECK_SIZE(strlen(csv_field(&csv, i)), csv_field_len(&csv, i));
            end += (size_t)snprintf(found + end, sizeof found - end, "<%s>", csv_field(&csv, i));
        }
        end += (size_t)snprintf(found + end, sizeof found - end, "%zu;", csv.line);
    }
    if (result == CSV_ERROR) {
        snprintf(found + end, sizeof found - end, "!%s", csv.error);
    } else {
        CHECK_INT(CSV_END, csv_next(&csv)); /* the end stays the end */
    }
    CHECK_STR(expected, found);
    csv_free(&csv);
    fclose(file);
}
#define READS(text, expected) check_reads((text), sizeof(text) - 1, (expected))

static void plain_fields(void) {
    READS("", "");
    READS("a", "<a>1;");
    READS("a\n", "<a>1;");
    READS("a,b,c\nd,e,f\n", "<a><b><c>1;<d><e><f>2;");
    READS("a,b\nc,d", "<a><b>1;<c><d>2;");
    READS(",\n", "<><>1;");
    READS("\n\na\n", "<>1;<>2;<a>3;");
    READS(" a , b \n", "< a >< b >1;");
}

static void line_ends(void) {
    READS("a,b\r\nc,d\r\n", "<a><b>1;<c><d>2;");
    READS("a\r\nb", "<a>1;<b>2;");
    READS("a\rb\n", "<a\rb>1;");
    READS("a\r", "<a\r>1;");
    READS("\"a\"\r\n\"b\"\r\n", "<a>1;<b>2;");
}

static void quoted_fields(void) {
    READS("\"a\"", "<a>1;");
    READS("\"\",\"\"\n", "<><>1;");
    READS("\"a,b\",c\n", "<a,b><c>1;");
    READS("\"a\nb\",c\nd\n", "<a\nb><c>1;<d>3;");
    READS("\"a\r\nb\",c\n", "<a\r\nb><c>1;");
    READS("\"W. H. \"\"Bud\"\" Barron\",x\n", "<W. H. \"Bud\" Barron><x>1;");
    READS("\"\"\"\"\n", "<\">1;");
    READS("\"\"\"\"\"\"\n", "<\"\">1;");
    READS("a,\"b\"", "<a><b>1;");
}

static void malformed_files_name_the_line(void) {
    READS("a\nb,\"c\n", "<a>1;!line 2: the quote that opens here is never closed");
    READS("a\n\"b\nc\nd", "<a>1;!line 2: the quote that opens here is never closed");
    READS("a\nb\"c\n", "<a>1;!line 2: a quote inside a field that does not begin with one");
    READS("\"a\"b\n", "!line 1: a closing quote is followed by something else than a comma");
    READS("\"a\n\n\"b\n", "!line 3: a closing quote is followed by something else than a comma");
    READS("\"a\" ,b\n", "!line 1: a closing quote is followed by something else than a comma");
}

static void a_nul_is_a_character_like_others(void) {
    csv_reader csv;
    FILE *file = file_of("a\0b,c\n", 6);
    csv_init(&csv, file);
    CHECK_INT(CSV_RECORD, csv_next(&csv));
    CHECK_SIZE(2, csv.field_count);
    CHECK_MEM("a\0b", 3, csv_field(&csv, 0), csv_field_len(&csv, 0));
    CHECK_STR("c", csv_field(&csv, 1));
    csv_free(&csv);
    fclose(file);
}

static void long_and_many_fields(void) {
    csv_reader csv;
    FILE *file;
    char *text = (char *)malloc(100001);
    char fields[2 * CSV_FIELDS_MAX + 2];
    memset(text, 'x', 100000);
    text[100000] = '\n';
    file = file_of(text, 100001);
    csv_init(&csv, file);
    CHECK_INT(CSV_RECORD, csv_next(&csv));
    CHECK_MEM(text, 100000, csv_field(&csv, 0), csv_field_len(&csv, 0));
    csv_free(&csv);
    fclose(file);
    free(text);

    memset(fields, ',', sizeof fields);
    file = file_of(fields, CSV_FIELDS_MAX - 1);
    csv_init(&csv, file);
    CHECK_INT(CSV_RECORD, csv_next(&csv));
    CHECK_SIZE(CSV_FIELDS_MAX, csv.field_count);
    csv_free(&csv);
    fclose(file);

    file = file_of(fields, CSV_FIELDS_MAX);
    csv_init(&csv, file);
    CHECK_INT(CSV_ERROR, csv_next(&csv));
    CHECK_STR("line 1: too many fields", csv.error);
    csv_free(&csv);
    fclose(file);
}

int main(void) {
    plain_fields();
    line_ends();
    quoted_fields();
    malformed_files_name_the_line();
    a_nul_is_a_character_like_others();
    long_and_many_fields();
    return check_report();
}
