/*
 * The requests of DynamoDB's getting-started guide, sent to an account in this process: a table of songs is made,
 * filled, read, changed, queried, scanned and deleted.
 *
 *     cc examples/c/getting_started.c $(pkg-config --cflags --libs kstone) -o getting_started && ./getting_started
 */
#include <stdio.h>
#include <string.h>

#include "kstone.h"

typedef struct request {
    const char *target;
    const char *body;
} request;

#define KEY(artist, song) "\"Artist\":{\"S\":\"" artist "\"},\"SongTitle\":{\"S\":\"" song "\"}"
#define SONG(artist, song, album, awards) \
    "{\"TableName\":\"Music\",\"Item\":{" KEY(artist, song) \
    ",\"AlbumTitle\":{\"S\":\"" album "\"},\"Awards\":{\"N\":\"" awards "\"}}}"

static const request requests[] = {
    {"DynamoDB_20120810.CreateTable",
     "{\"TableName\":\"Music\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":["
     "{\"AttributeName\":\"Artist\",\"AttributeType\":\"S\"},{\"AttributeName\":\"SongTitle\",\"AttributeType\":\"S\"}],"
     "\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"},"
     "{\"AttributeName\":\"SongTitle\",\"KeyType\":\"RANGE\"}]}"},
    {"DynamoDB_20120810.PutItem", SONG("No One You Know", "Call Me Today", "Somewhat Famous", "1")},
    {"DynamoDB_20120810.PutItem", SONG("No One You Know", "Howdy", "Somewhat Famous", "2")},
    {"DynamoDB_20120810.PutItem", SONG("Acme Band", "Happy Day", "Songs About Life", "10")},
    {"DynamoDB_20120810.PutItem", SONG("Acme Band", "PartiQL Rocks", "Another Album Title", "8")},
    {"DynamoDB_20120810.GetItem",
     "{\"TableName\":\"Music\",\"ConsistentRead\":true,\"Key\":{" KEY("Acme Band", "Happy Day") "}}"},
    {"DynamoDB_20120810.UpdateItem",
     "{\"TableName\":\"Music\",\"Key\":{" KEY("Acme Band", "Happy Day") "},"
     "\"UpdateExpression\":\"SET AlbumTitle = :newval\","
     "\"ExpressionAttributeValues\":{\":newval\":{\"S\":\"Updated Album Title\"}},\"ReturnValues\":\"ALL_NEW\"}"},
    {"DynamoDB_20120810.Query",
     "{\"TableName\":\"Music\",\"KeyConditionExpression\":\"Artist = :name\","
     "\"ExpressionAttributeValues\":{\":name\":{\"S\":\"Acme Band\"}}}"},
    {"DynamoDB_20120810.Scan",
     "{\"TableName\":\"Music\",\"FilterExpression\":\"Awards < :few\","
     "\"ExpressionAttributeValues\":{\":few\":{\"N\":\"2\"}}}"},
    {"DynamoDB_20120810.DeleteTable", "{\"TableName\":\"Music\"}"},
    /* What AWS refuses is an answer too. */
    {"DynamoDB_20120810.GetItem", "{\"TableName\":\"Music\",\"Key\":{" KEY("Acme Band", "Happy Day") "}}"},
};

/* What AWS would print, but for descriptions of tables, which are long and never the same. */
static void print_answer(const char *operation, const kstone_response *response) {
    const kstone_bytes body = kstone_response_body(response);
    printf("%s: %d", operation, (int)kstone_response_http_status(response));
    if (strstr(operation, "Table") == NULL) {
        printf(" %.*s", (int)body.len, (const char *)body.data);
    }
    printf("\n");
}

int main(void) {
    kstone_account *account = NULL;
    kstone_response *response = NULL; /* the first call makes it, and all others use it again */
    kstone_error *err = NULL;
    kstone_status status = kstone_account_open(NULL, &account, &err);
    size_t i;
    for (i = 0; i < sizeof requests / sizeof *requests && status == KSTONE_OK; i++) {
        const request *its = &requests[i];
        status = kstone_account_call(account, its->target, KSTONE_STRLEN, its->body, strlen(its->body), &response, &err);
        if (status == KSTONE_OK) {
            print_answer(strchr(its->target, '.') + 1, response);
        }
    }
    if (status != KSTONE_OK) {
        fprintf(stderr, "%s\n", kstone_error_message(err));
    }
    kstone_free(err);
    kstone_free(response);
    kstone_free(account);
    return status == KSTONE_OK ? 0 : 1;
}
