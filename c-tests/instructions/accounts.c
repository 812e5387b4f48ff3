/* accounts.c: DynamoDB's operations on an account, JSON in and out: the bodies are made before anything is counted, and one
 * response is used again. */
#include "instructions.h"

enum { BODY_BYTES = 1024, PUTS_OF_A_TRANSACTION = 4, OPERATIONS = 2000 };

static kstone_account *account;
static kstone_response *response;

/* The bodies of a workload, and the operation that they are sent to. */
static char (*bodies)[BODY_BYTES];
static size_t *body_lens;
static const char *target;
static size_t target_len;

#define TABLE "\"TableName\":\"Orders\""
#define KEY_FORMAT "\"pk\":{\"S\":\"customer-%07u\"},\"sk\":{\"S\":\"order-%05u\"}"
#define ITEM_FORMAT \
    "\"Item\":{" KEY_FORMAT ",\"n\":{\"N\":\"%u\"},\"paid\":{\"BOOL\":true},\"city\":{\"S\":\"Utrecht\"}}"
#define KEY_OF(number) (unsigned)((number) / PARTITION_RECORDS), (unsigned)((number) % PARTITION_RECORDS)

/* Writes the body of request number n and says how long it is. */
typedef size_t body_maker(size_t n, char *body);

static size_t formatted(int len) {
    require(len > 0 && len < BODY_BYTES, "a body is too long");
    return (size_t)len;
}

#define FORMAT(body, ...) formatted(snprintf((body), BODY_BYTES, __VA_ARGS__))

static void ask(const char *body, size_t len) {
    OK(kstone_account_call(account, target, target_len, body, len, &response, NULL));
    require(kstone_response_http_status(response) == 200, "an account refuses a request");
    require(kstone_response_body(response).len >= 2, "an answer is no object");
}

static void ask_number(size_t n) {
    ask(bodies[n], body_lens[n]);
}

static void send_to(const char *name) {
    target = name;
    target_len = strlen(name);
}

static size_t put_body(size_t number, size_t n, char *body) {
    return FORMAT(body, "{" TABLE "," ITEM_FORMAT "}", KEY_OF(number), (unsigned)n);
}

/* An account with a table of RECORDS items of five attributes, ten to a partition. */
static void load_orders(void) {
    static const char create[] =
        "{" TABLE ",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":["
        "{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},{\"AttributeName\":\"sk\",\"AttributeType\":\"S\"}],"
        "\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}]}";
    char body[BODY_BYTES];
    size_t n;
    OK(kstone_account_open(NULL, &account, NULL));
    OK(kstone_account_set_time(account, 1700000000, NULL));
    send_to("DynamoDB_20120810.CreateTable");
    ask(create, sizeof create - 1);
    send_to("DynamoDB_20120810.PutItem");
    for (n = 0; n < RECORDS; n++) {
        ask(body, put_body(n, n, body));
    }
}

static void measure(const char *name, body_maker *make) {
    size_t all = WARM_UP + OPERATIONS;
    size_t n;
    load_orders();
    send_to(name);
    bodies = calloc(all, sizeof *bodies);
    body_lens = calloc(all, sizeof *body_lens);
    require(bodies != NULL && body_lens != NULL, "out of memory");
    for (n = 0; n < all; n++) {
        body_lens[n] = make(n, bodies[n]);
    }
    count(ask_number, OPERATIONS);
    free(bodies);
    free(body_lens);
    kstone_free(response);
    kstone_free(account);
}

/* The number of an item, in an order that is not that of loading. */
static size_t loaded_number(size_t n) {
    return n * 2657 % RECORDS;
}

static size_t put_new_body(size_t n, char *body) {
    return put_body(RECORDS + n, n, body);
}

static void put_new(void) {
    measure("DynamoDB_20120810.PutItem", put_new_body);
}

static size_t put_over_body(size_t n, char *body) {
    return put_body(loaded_number(n), n, body);
}

static void put_over(void) {
    measure("DynamoDB_20120810.PutItem", put_over_body);
}

static size_t get_body(size_t n, char *body) {
    size_t number = loaded_number(n);
    return FORMAT(body, "{" TABLE ",\"Key\":{" KEY_FORMAT "}}", KEY_OF(number));
}

static void get(void) {
    measure("DynamoDB_20120810.GetItem", get_body);
}

static size_t query_body(size_t n, char *body) {
    return FORMAT(body,
                  "{" TABLE ",\"KeyConditionExpression\":\"pk = :p\","
                  "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"customer-%07u\"}}}",
                  (unsigned)(n * 263 % PARTITIONS));
}

static void query10(void) {
    measure("DynamoDB_20120810.Query", query_body);
}

static size_t update_body(size_t n, char *body) {
    size_t number = loaded_number(n);
    return FORMAT(body,
                  "{" TABLE ",\"Key\":{" KEY_FORMAT "},\"UpdateExpression\":\"SET n = n + :x\","
                  "\"ExpressionAttributeValues\":{\":x\":{\"N\":\"1\"}}}",
                  KEY_OF(number));
}

static void update(void) {
    measure("DynamoDB_20120810.UpdateItem", update_body);
}

static size_t transact_body(size_t n, char *body) {
    size_t len = FORMAT(body, "{\"TransactItems\":[");
    size_t i;
    for (i = 0; i < PUTS_OF_A_TRANSACTION; i++) {
        size_t number = loaded_number(PUTS_OF_A_TRANSACTION * n + i);
        len += formatted(snprintf(body + len, BODY_BYTES - len, "%s{\"Put\":{" TABLE "," ITEM_FORMAT "}}",
                                  i > 0 ? "," : "", KEY_OF(number), (unsigned)n));
        require(len < BODY_BYTES, "a body is too long");
    }
    return len + formatted(snprintf(body + len, BODY_BYTES - len, "]}"));
}

static void transact4(void) {
    measure("DynamoDB_20120810.TransactWriteItems", transact_body);
}

const workload account_workloads[] = {
    {"ddb-put", put_new},      {"ddb-put-over", put_over}, {"ddb-get", get},
    {"ddb-query-10", query10}, {"ddb-update", update},     {"ddb-transact-4", transact4},
    {NULL, NULL},
};
