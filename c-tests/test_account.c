/* Accounts: DynamoDB's operations on any number of tables. What AWS would refuse is an answer; misuse is an error. */
#include <pthread.h>
#include <unistd.h>

#include "support.h"

#define TARGET(operation) "DynamoDB_20120810." operation

static const char create_music[] =
    "{\"TableName\":\"Music\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":["
    "{\"AttributeName\":\"Artist\",\"AttributeType\":\"S\"},"
    "{\"AttributeName\":\"SongTitle\",\"AttributeType\":\"S\"}],"
    "\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"},"
    "{\"AttributeName\":\"SongTitle\",\"KeyType\":\"RANGE\"}]}";
static const char put_song[] =
    "{\"TableName\":\"Music\",\"Item\":{\"Artist\":{\"S\":\"No One You Know\"},\"SongTitle\":{\"S\":\"Call Me Today\"},"
    "\"v\":{\"N\":\"1\"}}}";
static const char get_song[] =
    "{\"TableName\":\"Music\",\"Key\":{\"Artist\":{\"S\":\"No One You Know\"},\"SongTitle\":{\"S\":\"Call Me Today\"}}}";
static const char describe_music[] = "{\"TableName\":\"Music\"}";

static kstone_account_options no_options(void) {
    kstone_account_options options = KSTONE_ACCOUNT_OPTIONS_INIT;
    return options;
}

static kstone_account *open_account(const kstone_account_options *options) {
    kstone_account *account = NULL;
    kstone_error *err = NULL;
    CHECK_OK(kstone_account_open(options, &account, &err));
    return account;
}

/* Sends a request and says the status of its answer. */
static int send_request(kstone_account *account, const char *target, const char *body, kstone_response **response) {
    kstone_error *err = NULL;
    CHECK_OK(kstone_account_call(account, target, KSTONE_STRLEN, body, strlen(body), response, &err));
    return (int)kstone_response_http_status(*response);
}

static kstone_account *account_with_music(kstone_response **response) {
    kstone_account *account = open_account(NULL);
    CHECK_INT(200, send_request(account, TARGET("CreateTable"), create_music, response));
    CHECK_INT(200, send_request(account, TARGET("PutItem"), put_song, response));
    return account;
}

/* Whether a text is in the body, which no NUL follows. */
static int body_has(const kstone_response *response, const char *part) {
    const kstone_bytes body = kstone_response_body(response);
    const size_t len = strlen(part);
    size_t at;
    for (at = 0; at + len <= body.len; at++) {
        if (memcmp(body.data + at, part, len) == 0) {
            return 1;
        }
    }
    fprintf(stderr, "\"%s\" is not in %.*s\n", part, (int)body.len, (const char *)body.data);
    return 0;
}

static void an_account_answers_as_aws_does(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    CHECK_BYTES("{}", kstone_response_body(response));
    CHECK(kstone_response_crc32(response) == 2745614147u);
    CHECK_SIZE(52, strlen(kstone_response_request_id(response)));
    CHECK_INT(200, send_request(account, TARGET("GetItem"), get_song, &response));
    CHECK(body_has(response, "\"v\":{\"N\":\"1\"}"));
    CHECK(body_has(response, "\"Artist\":{\"S\":\"No One You Know\"}"));
    CHECK_INT(200, send_request(account, TARGET("ListTables"), "{}", &response));
    CHECK_BYTES("{\"TableNames\":[\"Music\"]}", kstone_response_body(response));
    CHECK_INT(200, send_request(account, TARGET("DescribeTable"), describe_music, &response));
    CHECK(body_has(response, "\"TableStatus\":\"ACTIVE\""));
    CHECK(body_has(response, "arn:aws:dynamodb:us-east-1:000000000000:table/Music"));
    CHECK_INT(200, send_request(account, TARGET("DeleteTable"), describe_music, &response));
    CHECK_INT(200, send_request(account, TARGET("ListTables"), "{}", &response));
    CHECK_BYTES("{\"TableNames\":[]}", kstone_response_body(response));
    kstone_free(response);
    kstone_free(account);
}

#define VALIDATION "com.amazon.coral.validate#ValidationException"
#define SERIALIZATION "com.amazon.coral.service#SerializationException"
#define UNKNOWN "com.amazon.coral.service#UnknownOperationException"
#define NO_TABLE "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"

typedef struct refusal {
    const char *target;
    const char *body;
    const char *type;
    const char *message; /* a part of it; NULL: none is looked for */
} refusal;

static const refusal refusals[] = {
    /* No operation, or none of this version. */
    {"", "{}", UNKNOWN, NULL},
    {"PutItem", "{}", UNKNOWN, NULL},
    {".", "{}", UNKNOWN, NULL},
    {"DynamoDB_20120810", "{}", UNKNOWN, NULL},
    {"DynamoDB_20120810.", "{}", UNKNOWN, NULL},
    {"DynamoDB_20120810.putitem", "{}", UNKNOWN, NULL},
    {"DynamoDB_20111205.PutItem", "{}", UNKNOWN, NULL},
    {"DynamoDB_20120810.PutItem ", "{}", UNKNOWN, NULL},
    {"DynamoDBStreams_20120810.PutItem", "{}", UNKNOWN, NULL},
    {"DynamoDB_20120810.GetRecords", "{}", UNKNOWN, NULL},
    {"DynamoDB_20120810.\xff\xfe", "{}", UNKNOWN, NULL},
    /* No JSON. */
    {TARGET("PutItem"), "", SERIALIZATION, NULL},
    {TARGET("PutItem"), "hi", SERIALIZATION, NULL},
    {TARGET("PutItem"), "{", SERIALIZATION, NULL},
    {TARGET("PutItem"), "{\"a\":}", SERIALIZATION, NULL},
    {TARGET("PutItem"), "{\"a\":1,}", SERIALIZATION, NULL},
    {TARGET("PutItem"), "{\"a\":1}}", SERIALIZATION, NULL},
    {TARGET("PutItem"), "{\"a\":\"\xff\"}", SERIALIZATION, NULL},
    {TARGET("PutItem"), "nul", SERIALIZATION, NULL},
    /* JSON of another type than the member has. */
    {TARGET("PutItem"), "{\"TableName\":7}", SERIALIZATION, "NUMBER_VALUE cannot be converted to String"},
    {TARGET("PutItem"), "{\"Item\":{\"Attr\":\"23\"}}", SERIALIZATION, "Unexpected value type in payload"},
    {TARGET("PutItem"), "{\"Item\":{\"Attr\":{\"S\":{}}}}", SERIALIZATION, NULL},
    {TARGET("GetItem"), "{\"Key\":[]}", SERIALIZATION, NULL},
    {TARGET("ListTables"), "{\"Limit\":\"x\"}", SERIALIZATION, NULL},
    /* Members that are missing, or out of their range. */
    {TARGET("PutItem"), "{}", VALIDATION, "tableName"},
    {TARGET("GetItem"), "{\"TableName\":\"Music\"}", VALIDATION, "key"},
    {TARGET("GetItem"), "{\"TableName\":\"\",\"Key\":{}}", VALIDATION, "tableName"},
    {TARGET("GetItem"), "{\"TableName\":\"a;\",\"Key\":{}}", VALIDATION, NULL},
    {TARGET("ListTables"), "{\"Limit\":0}", VALIDATION, NULL},
    {TARGET("ListTables"), "{\"Limit\":101}", VALIDATION, NULL},
    {TARGET("Query"), "{\"TableName\":\"Music\",\"Select\":\"nothing\"}", VALIDATION, NULL},
    {TARGET("CreateTable"), "{}", VALIDATION, NULL},
    {TARGET("CreateTable"), "{\"TableName\":\"abc\"}", VALIDATION, NULL},
    /* Values. */
    {TARGET("PutItem"), "{\"TableName\":\"Music\",\"Item\":{\"a\":{}}}", VALIDATION, "is empty"},
    {TARGET("PutItem"), "{\"TableName\":\"Music\",\"Item\":{\"a\":{\"S\":\"a\",\"N\":\"1\"}}}", VALIDATION,
     "more than one datatypes set"},
    {TARGET("PutItem"), "{\"TableName\":\"Music\",\"Item\":{\"a\":{\"N\":\"b\"}}}", VALIDATION,
     "cannot be converted to a numeric value"},
    {TARGET("PutItem"), "{\"TableName\":\"Music\",\"Item\":{\"a\":{\"SS\":[]}}}", VALIDATION, "may not be empty"},
    {TARGET("PutItem"), "{\"TableName\":\"Music\",\"Item\":{\"a\":{\"SS\":[\"b\",\"b\"]}}}", VALIDATION, "duplicates"},
    /* Rules between members. */
    {TARGET("GetItem"),
     "{\"TableName\":\"Music\",\"Key\":{},\"AttributesToGet\":[\"a\"],\"ProjectionExpression\":\"a\"}", VALIDATION,
     "Can not use both expression and non-expression parameters"},
    {TARGET("GetItem"), "{\"TableName\":\"Music\",\"Key\":{},\"ExpressionAttributeNames\":{\"#a\":\"b\"}}", VALIDATION,
     "ExpressionAttributeNames"},
    {TARGET("CreateTable"),
     "{\"TableName\":\"abc\",\"AttributeDefinitions\":[{\"AttributeName\":\"a\",\"AttributeType\":\"S\"}],"
     "\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"}]}",
     VALIDATION, "must both be specified when BillingMode is PROVISIONED"},
    /* Keys and tables. */
    {TARGET("GetItem"), "{\"TableName\":\"Nobody\",\"Key\":{\"a\":{\"S\":\"b\"}}}", NO_TABLE, "not found"},
    {TARGET("PutItem"), "{\"TableName\":\"Nobody\",\"Item\":{\"a\":{\"S\":\"b\"}}}", NO_TABLE, "not found"},
    {TARGET("DescribeTable"), "{\"TableName\":\"Nobody\"}", NO_TABLE, "Nobody"},
    {TARGET("DeleteTable"), "{\"TableName\":\"Nobody\"}", NO_TABLE, "Nobody"},
    {TARGET("PutItem"), "{\"TableName\":\"Music\",\"Item\":{\"Artist\":{\"S\":\"b\"}}}", VALIDATION, "SongTitle"},
    {TARGET("PutItem"), "{\"TableName\":\"Music\",\"Item\":{\"Artist\":{\"N\":\"1\"},\"SongTitle\":{\"S\":\"b\"}}}",
     VALIDATION, "Artist"},
    {TARGET("GetItem"), "{\"TableName\":\"Music\",\"Key\":{\"Artist\":{\"S\":\"b\"}}}", VALIDATION,
     "does not match the schema"},
    {TARGET("GetItem"), "{\"TableName\":\"Music\",\"Key\":{\"Artist\":{\"N\":\"1\"},\"SongTitle\":{\"S\":\"b\"}}}",
     VALIDATION, "does not match the schema"},
};

/* Each comes with status 400, changes nothing, and is followed by a request that is served. */
static void what_aws_refuses_is_an_answer(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    size_t i;
    for (i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const refusal *its = &refusals[i];
        const int status = send_request(account, its->target, its->body, &response);
        if (!check_count(status == 400)) {
            fprintf(stderr, "refusal %zu: %s %s: status %d\n", i, its->target, its->body, status);
        }
        CHECK(body_has(response, its->type));
        CHECK(its->message == NULL || body_has(response, its->message));
    }
    CHECK_INT(400, send_request(account, TARGET("CreateTable"), create_music, &response));
    CHECK(body_has(response, "ResourceInUseException"));
    CHECK_INT(200, send_request(account, TARGET("GetItem"), get_song, &response));
    CHECK(body_has(response, "\"v\":{\"N\":\"1\"}"));
    CHECK_INT(200, send_request(account, TARGET("ListTables"), "{}", &response));
    CHECK_BYTES("{\"TableNames\":[\"Music\"]}", kstone_response_body(response));
    kstone_free(response);
    kstone_free(account);
}

static void a_body_that_is_too_large_is_an_answer_without_a_body(void) {
    enum { TOO_LARGE = 16 * 1024 * 1024 + 1 };
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    kstone_error *err = NULL;
    char *body = (char *)malloc(TOO_LARGE);
    memset(body, ' ', TOO_LARGE);
    CHECK_OK(kstone_account_call(account, LIT("DynamoDB_20120810.PutItem"), body, TOO_LARGE, &response, &err));
    CHECK_INT(413, kstone_response_http_status(response));
    CHECK_SIZE(0, kstone_response_body(response).len);
    CHECK_INT(200, send_request(account, TARGET("GetItem"), get_song, &response));
    free(body);
    kstone_free(response);
    kstone_free(account);
}

/* A NUL is a byte as any other: it ends neither target nor body. */
static void a_nul_ends_nothing(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    kstone_error *err = NULL;
    CHECK_OK(kstone_account_call(account, LIT("DynamoDB_20120810.ListTables\0"), LIT("{}"), &response, &err));
    CHECK(body_has(response, UNKNOWN));
    CHECK_OK(kstone_account_call(account, LIT("DynamoDB_20120810.ListTables"), LIT("{}\0"), &response, &err));
    CHECK(body_has(response, SERIALIZATION));
    kstone_free(response);
    kstone_free(account);
}

/* The handle and the memory of its body: an answer that is no longer than those before it takes none. */
static void a_response_is_used_again(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    const kstone_response *const handle = response;
    const uint8_t *body;
    char id[64];
    int i;
    CHECK_INT(200, send_request(account, TARGET("GetItem"), get_song, &response));
    body = kstone_response_body(response).data;
    strcpy(id, kstone_response_request_id(response));
    CHECK_STR(id, kstone_response_request_id(response));
    for (i = 0; i < 100; i++) {
        CHECK_INT(200, send_request(account, TARGET("PutItem"), put_song, &response));
        CHECK_INT(200, send_request(account, TARGET("GetItem"), get_song, &response));
        CHECK_PTR(handle, response);
        CHECK_PTR(body, kstone_response_body(response).data);
    }
    CHECK(strcmp(id, kstone_response_request_id(response)) != 0);
    CHECK_INT(400, send_request(account, TARGET("GetItem"), "{}", &response));
    CHECK_PTR(handle, response);
    CHECK_INT(200, send_request(account, TARGET("GetItem"), get_song, &response));
    CHECK(body_has(response, "\"v\":{\"N\":\"1\"}"));
    kstone_free(response);
    kstone_free(account);
}

/* What is borrowed from a response is good input for the call that uses it again. */
static void a_request_may_be_borrowed_from_the_response_it_uses_again(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    kstone_error *err = NULL;
    kstone_bytes body;
    int i;
    for (i = 0; i < 3; i++) {
        /* {"TableNames":["Music"]}: a body that has no member which PutItem knows, and then a part of it. */
        CHECK_INT(200, send_request(account, TARGET("ListTables"), "{}", &response));
        body = kstone_response_body(response);
        CHECK_OK(kstone_account_call(account, LIT("DynamoDB_20120810.PutItem"), body.data, body.len, &response, &err));
        CHECK(body_has(response, VALIDATION));
        CHECK_INT(200, send_request(account, TARGET("ListTables"), "{}", &response));
        body = kstone_response_body(response);
        CHECK_OK(kstone_account_call(account, LIT("DynamoDB_20120810.PutItem"), body.data + 1, body.len - 2, &response,
                                     &err));
        CHECK(body_has(response, SERIALIZATION));
        CHECK_OK(kstone_account_call(account, kstone_response_request_id(response), KSTONE_STRLEN, LIT("{}"), &response,
                                     &err));
        CHECK(body_has(response, UNKNOWN));
    }
    kstone_free(response);
    kstone_free(account);
}

static void a_response_outlives_its_account(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    kstone_account *other = open_account(NULL);
    CHECK_INT(200, send_request(account, TARGET("GetItem"), get_song, &response));
    kstone_free(account);
    CHECK(body_has(response, "No One You Know"));
    CHECK_SIZE(52, strlen(kstone_response_request_id(response)));
    CHECK_INT(400, send_request(other, TARGET("GetItem"), get_song, &response));
    CHECK(body_has(response, NO_TABLE));
    kstone_free(other);
    kstone_free(response);
}

static void misuse_is_an_error_and_no_answer(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    kstone_db *db = open_database(0);
    kstone_error *err = NULL;
    kstone_response *none = NULL;
    kstone_response *wrong = (kstone_response *)(void *)db;
    const char *const get = TARGET("GetItem");
    const size_t len = strlen(get_song);
    CHECK_INT(200, send_request(account, get, get_song, &response));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_call(NULL, get, KSTONE_STRLEN, get_song, len, &response, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_call((kstone_account *)(void *)db, get, KSTONE_STRLEN, get_song, len,
                                                       &response, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_call((kstone_account *)(void *)response, get, KSTONE_STRLEN, get_song,
                                                       len, &none, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_call(account, get, KSTONE_STRLEN, get_song, len, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_call(account, get, KSTONE_STRLEN, get_song, len, &wrong, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_call(account, NULL, 3, get_song, len, &response, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_call(account, NULL, KSTONE_STRLEN, get_song, len, &response, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_call(account, get, KSTONE_STRLEN, NULL, 3, &response, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE,
                kstone_account_call(account, get, KSTONE_STRLEN, get_song, KSTONE_STRLEN, &response, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE,
                kstone_account_call(account, get, KSTONE_STRLEN, get_song, SIZE_MAX / 2 + 2, &none, &err));
    CHECK_NULL(none);
    CHECK_PTR(db, wrong);
    /* The response is as it was, and a call without an error object says the same. */
    CHECK_STATUS(KSTONE_ERR_MISUSE, kstone_account_call(NULL, get, KSTONE_STRLEN, get_song, len, &response, NULL));
    CHECK_INT(200, kstone_response_http_status(response));
    CHECK(body_has(response, "No One You Know"));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_open(NULL, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_set_time(NULL, 1, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_set_time((kstone_account *)(void *)db, 1, &err));
    kstone_free(db);
    kstone_free(response);
    kstone_free(account);
}

static void accessors_of_nothing_answer_nothing(void) {
    kstone_db *db = open_database(0);
    const kstone_response *const others[] = {NULL, (const kstone_response *)(const void *)db};
    size_t i;
    for (i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK_INT(0, kstone_response_http_status(others[i]));
        CHECK_EMPTY(kstone_response_body(others[i]));
        CHECK(kstone_response_crc32(others[i]) == 0);
        CHECK_STR("", kstone_response_request_id(others[i]));
    }
    kstone_free(db);
}

static void check_options_refused(const kstone_account_options *options, const char *part) {
    kstone_error *err = NULL;
    kstone_account *account = UNTOUCHED(kstone_account);
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, part, kstone_account_open(options, &account, &err));
    CHECK_UNTOUCHED(account);
}

/* A copy of the options that are all defaults, with one field set, is refused. */
#define REFUSED(field, value, part)                      \
    do {                                                 \
        kstone_account_options options = no_options();   \
        options.field = (value);                         \
        check_options_refused(&options, part);           \
    } while (0)

static void options_out_of_their_range_are_refused(void) {
    static const char *const regions[] = {"", "US-EAST-1", "us east", "a\"b", "eu_west_1",
                                          "a-region-name-that-is-far-too-long"};
    static const char *const accounts[] = {"", "1", "12345678901", "1234567890123", "12345678901x", "000 00000000"};
    size_t i;
    for (i = 0; i < sizeof regions / sizeof *regions; i++) {
        kstone_account_options options = no_options();
        options.region = regions[i];
        options.region_len = KSTONE_STRLEN;
        check_options_refused(&options, "region");
    }
    for (i = 0; i < sizeof accounts / sizeof *accounts; i++) {
        kstone_account_options options = no_options();
        options.account_id = accounts[i];
        options.account_id_len = KSTONE_STRLEN;
        check_options_refused(&options, "twelve digits");
    }
    REFUSED(eviction, 2, "KSTONE_EVICT");
    REFUSED(eviction, KSTONE_EVICT_LRU, NULL);
    REFUSED(memory_max_bytes, 1, NULL);
    REFUSED(ttl, 2, "KSTONE_TTL");
    REFUSED(texts, 2, "KSTONE_TEXTS");
    REFUSED(flags, 2, "flags");
    REFUSED(region, "eu-west-1", "region_len is 0");
    REFUSED(account_id, "123456789012", "account_id_len is 0");
    REFUSED(files_root, "/tmp", "files_root_len is 0");
    REFUSED(reserved, 1, "not served");
    REFUSED(struct_size, 7, "struct_size");
    REFUSED(struct_size, sizeof(kstone_account_options) - 1, "struct_size");
}

typedef struct later_options {
    kstone_account_options now;
    uint64_t later[2];
} later_options;

static void older_and_newer_options_work(void) {
    static const size_t sizes[] = {
        offsetof(kstone_account_options, region),           offsetof(kstone_account_options, files_root),
        offsetof(kstone_account_options, memory_max_bytes), offsetof(kstone_account_options, epoch_seconds),
        offsetof(kstone_account_options, transition_seconds),
    };
    later_options later;
    size_t i;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        kstone_account_options *options = (kstone_account_options *)malloc(sizes[i]);
        memset(options, 0, sizes[i]);
        options->struct_size = sizes[i];
        kstone_free(open_account(options));
        free(options);
    }
    memset(&later, 0, sizeof later);
    later.now.struct_size = sizeof later;
    kstone_free(open_account(&later.now));
    later.later[1] = 1;
    check_options_refused(&later.now, "does not know");
}

static void options_are_kept_to(void) {
    kstone_account_options options = no_options();
    kstone_response *response = NULL;
    kstone_account *account;
    options.region = "eu-central-1";
    options.account_id = "123456789012";
    options.region_len = options.account_id_len = KSTONE_STRLEN;
    options.epoch_seconds = 1500000000;
    options.memory_max_bytes = 1024 * 1024;
    options.eviction = KSTONE_EVICT_LRU;
    options.flags = KSTONE_OPEN_BACKGROUND_COMPACTION;
    options.ttl = KSTONE_TTL_HIDDEN;
    options.files_root = "/tmp";
    options.files_root_len = KSTONE_STRLEN;
    account = open_account(&options);
    CHECK_INT(200, send_request(account, TARGET("CreateTable"), create_music, &response));
    CHECK(body_has(response, "arn:aws:dynamodb:eu-central-1:123456789012:table/Music"));
    CHECK(body_has(response, "\"CreationDateTime\":1500000000"));
    kstone_free(response);
    kstone_free(account);
}

/* The new validation puts a prefix before the sentence; the older regions do not. */
static void texts_are_those_of_the_regions_that_were_chosen(void) {
    static const char empty_set[] = "{\"TableName\":\"Music\",\"Item\":{\"a\":{\"SS\":[]}}}";
    kstone_account_options options = no_options();
    kstone_response *response = NULL;
    kstone_account *current = open_account(&options), *classic;
    options.texts = KSTONE_TEXTS_CLASSIC;
    classic = open_account(&options);
    CHECK_INT(400, send_request(current, TARGET("PutItem"), empty_set, &response));
    CHECK(body_has(response, "\"message\":\"1 validation error detected: One or more"));
    CHECK_INT(400, send_request(classic, TARGET("PutItem"), empty_set, &response));
    CHECK(body_has(response, "\"message\":\"One or more"));
    kstone_free(response);
    kstone_free(current);
    kstone_free(classic);
}

static void a_full_account_refuses_writes_and_goes_on(void) {
    kstone_account_options options = no_options();
    kstone_response *response = NULL;
    kstone_account *account;
    char *put = (char *)malloc(320 * 1024);
    int i, status = 200;
    options.memory_max_bytes = 1024 * 1024;
    account = open_account(&options);
    CHECK_INT(200, send_request(account, TARGET("CreateTable"), create_music, &response));
    for (i = 0; i < 8 && status == 200; i++) {
        const int len = sprintf(put, "{\"TableName\":\"Music\",\"Item\":{\"Artist\":{\"S\":\"%d\"},"
                                     "\"SongTitle\":{\"S\":\"a\"},\"text\":{\"S\":\"", i);
        memset(put + len, 'x', 300 * 1024);
        strcpy(put + len + 300 * 1024, "\"}}}");
        status = send_request(account, TARGET("PutItem"), put, &response);
    }
    CHECK_INT(400, status);
    CHECK(i > 1);
    CHECK_INT(200, send_request(account, TARGET("ListTables"), "{}", &response));
    free(put);
    kstone_free(response);
    kstone_free(account);
}

static kstone_db *table_of(const kstone_account *account, const char *name) {
    kstone_db *db = NULL;
    kstone_error *err = NULL;
    CHECK_OK(kstone_account_table(account, name, KSTONE_STRLEN, &db, &err));
    return db;
}

static void a_table_is_a_database_of_the_same_items(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    kstone_db *music = table_of(account, "Music");
    CHECK_INT(1, get_number(music, "No One You Know", "Call Me Today"));
    put_number(music, "No One You Know", "Call Me Today", 2);
    CHECK_INT(200, send_request(account, TARGET("GetItem"), get_song, &response));
    CHECK(body_has(response, "\"v\":{\"N\":\"2\"}"));
    CHECK_INT(200, send_request(account, TARGET("PutItem"), put_song, &response));
    CHECK_INT(1, get_number(music, "No One You Know", "Call Me Today"));
    kstone_free(music);
    kstone_free(response);
    kstone_free(account);
}

static const char typed_schema[] =
    "{\"partition_key\":{\"name\":\"Artist\",\"type\":\"S\"},"
    "\"sort_key\":{\"name\":\"SongTitle\",\"type\":\"S\"},\"ttl_attribute\":\"until\"}";

static void what_belongs_to_the_account_is_refused_by_its_tables(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    kstone_db *music = table_of(account, "Music"), *fork = NULL;
    kstone_error *err = NULL;
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "UpdateTable", kstone_configure(music, NULL, 0, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "kstone_account_set_time", kstone_set_time(music, 5, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "table of an account",
                       kstone_snapshot_load(music, "/nothing", KSTONE_STRLEN, &err));
    CHECK_FAILS_SAYING(KSTONE_ERR_INVALID, "table of an account",
                       kstone_snapshot_load_from(music, NULL, NULL, &err));
    /* A fork is a database of its own: it takes all of it, and its writes are its own. */
    CHECK_OK(kstone_fork(music, &fork, &err));
    CHECK_OK(kstone_set_time(fork, 5, &err));
    put_number(fork, "No One You Know", "Call Me Today", 9);
    CHECK_INT(1, get_number(music, "No One You Know", "Call Me Today"));
    CHECK_OK(kstone_configure(fork, typed_schema, KSTONE_STRLEN, &err));
    kstone_free(fork);
    CHECK_OK(kstone_clear(music, &err));
    CHECK_INT(200, send_request(account, TARGET("GetItem"), get_song, &response));
    CHECK_BYTES("{}", kstone_response_body(response));
    kstone_free(music);
    kstone_free(response);
    kstone_free(account);
}

static void a_table_that_is_not_there_is_an_error_by_name(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    kstone_db *db = UNTOUCHED(kstone_db);
    kstone_error *err = NULL;
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_account_table(account, "Nobody", KSTONE_STRLEN, &db, &err));
    CHECK_STR("ResourceNotFoundException", kstone_error_name(err));
    CHECK_CONTAINS("Nobody", kstone_error_message(err));
    kstone_free(err);
    err = NULL;
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_table(NULL, "Music", KSTONE_STRLEN, &db, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_table(account, NULL, 5, &db, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_table(account, "Music", KSTONE_STRLEN, NULL, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_account_table(account, "\xff", KSTONE_STRLEN, &db, &err));
    CHECK_UNTOUCHED(db);
    kstone_free(response);
    kstone_free(account);
}

static void a_deleted_table_refuses_every_call(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    kstone_db *music = table_of(account, "Music");
    kstone_item *item = NULL;
    kstone_error *err = NULL;
    CHECK_INT(200, send_request(account, TARGET("DeleteTable"), describe_music, &response));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_get(music, LIT("No One You Know"), LIT("Call Me Today"), &item, &err));
    CHECK_CONTAINS("deleted", kstone_error_message(err));
    kstone_free(err);
    /* A new table of the same name is another one. */
    CHECK_INT(200, send_request(account, TARGET("CreateTable"), create_music, &response));
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_get(music, LIT("No One You Know"), LIT("Call Me Today"), &item, NULL));
    kstone_free(music);
    kstone_free(response);
    kstone_free(account);
}

static void a_table_outlives_its_account(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    kstone_db *music = table_of(account, "Music");
    kstone_free(account);
    kstone_free(response);
    CHECK_INT(1, get_number(music, "No One You Know", "Call Me Today"));
    put_number(music, "No One You Know", "Call Me Today", 3);
    CHECK_INT(3, get_number(music, "No One You Know", "Call Me Today"));
    kstone_free(music);
}

static void the_time_of_an_account_stands_where_it_is_set(void) {
    kstone_response *response = NULL;
    kstone_account *account = open_account(NULL);
    kstone_error *err = NULL;
    CHECK_OK(kstone_account_set_time(account, 1234567890, &err));
    CHECK_INT(200, send_request(account, TARGET("CreateTable"), create_music, &response));
    CHECK(body_has(response, "\"CreationDateTime\":1234567890"));
    kstone_free(response);
    kstone_free(account);
}

static void a_fork_is_an_account_of_its_own(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response), *fork = NULL;
    kstone_db *music = table_of(account, "Music"), *forked = NULL;
    kstone_error *err = NULL;
    CHECK_OK(kstone_account_set_time(account, 1234567890, &err));
    CHECK_OK(kstone_account_fork(account, &fork, &err));
    forked = table_of(fork, "Music");
    put_number(music, "No One You Know", "Call Me Today", 2);
    CHECK_INT(1, get_number(forked, "No One You Know", "Call Me Today"));
    CHECK_INT(200, send_request(fork, TARGET("DeleteTable"), describe_music, &response));
    CHECK_INT(2, get_number(music, "No One You Know", "Call Me Today"));
    /* The time is that of the account, and is set by itself from then on. */
    CHECK_INT(200, send_request(fork, TARGET("CreateTable"), create_music, &response));
    CHECK(body_has(response, "\"CreationDateTime\":1234567890"));
    kstone_free(account);
    CHECK_INT(200, send_request(fork, TARGET("DescribeTable"), describe_music, &response));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_fork(NULL, &fork, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_fork(fork, NULL, &err));
    kstone_free(forked);
    kstone_free(music);
    kstone_free(fork);
    kstone_free(response);
}

static void a_snapshot_has_all_tables(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response), *loaded = open_account(NULL);
    kstone_error *err = NULL;
    kstone_db *music;
    char path[] = "/tmp/kstone-account-XXXXXX";
    const int file = mkstemp(path);
    CHECK(file >= 0);
    close(file);
    CHECK_OK(kstone_account_snapshot_save(account, path, KSTONE_STRLEN, &err));
    CHECK_OK(kstone_account_snapshot_load(loaded, path, KSTONE_STRLEN, &err));
    CHECK_INT(200, send_request(loaded, TARGET("ListTables"), "{}", &response));
    CHECK_BYTES("{\"TableNames\":[\"Music\"]}", kstone_response_body(response));
    CHECK_INT(200, send_request(loaded, TARGET("GetItem"), get_song, &response));
    CHECK(body_has(response, "\"v\":{\"N\":\"1\"}"));
    CHECK_INT(200, send_request(loaded, TARGET("DescribeTable"), describe_music, &response));
    CHECK(body_has(response, "\"TableStatus\":\"ACTIVE\""));
    CHECK(body_has(response, "PAY_PER_REQUEST"));
    music = table_of(loaded, "Music");
    CHECK_INT(1, get_number(music, "No One You Know", "Call Me Today"));
    kstone_free(music);
    /* Tables that are there already are not replaced. */
    CHECK_STATUS(KSTONE_ERR_INVALID, kstone_account_snapshot_load(loaded, path, KSTONE_STRLEN, &err));
    kstone_free(err);
    err = NULL;
    CHECK_FAILS(KSTONE_ERR_IO, kstone_account_snapshot_load(loaded, "/nowhere/at/all", KSTONE_STRLEN, &err));
    CHECK_FAILS(KSTONE_ERR_IO, kstone_account_snapshot_save(loaded, "/nowhere/at/all", KSTONE_STRLEN, &err));
    CHECK_FAILS(KSTONE_ERR_INVALID, kstone_account_snapshot_save(loaded, "", 0, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_snapshot_save(NULL, path, KSTONE_STRLEN, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_snapshot_load(NULL, path, KSTONE_STRLEN, &err));
    CHECK_INT(0, unlink(path));
    kstone_free(loaded);
    kstone_free(account);
    kstone_free(response);
}

static void statistics_are_json(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    kstone_error *err = NULL;
    char *json = UNTOUCHED(char);
    size_t len = 77;
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_stats_json(NULL, &json, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_stats_json(account, NULL, &len, &err));
    CHECK_FAILS(KSTONE_ERR_MISUSE, kstone_account_stats_json(account, &json, NULL, &err));
    CHECK_UNTOUCHED(json);
    CHECK_SIZE(77, len);
    CHECK_OK(kstone_account_stats_json(account, &json, &len, &err));
    CHECK_SIZE(strlen(json), len);
    CHECK_CONTAINS("{\"tables\":{\"Music\":{\"items\":1,", json);
    CHECK_CONTAINS("\"total_bytes\":", json);
    kstone_free(json);
    kstone_free(response);
    kstone_free(account);
}

enum { THREADS = 4 };

typedef struct worker {
    pthread_t thread;
    kstone_account *account;
    int number;
} worker;

static void *work(void *argument) {
    const worker *const its = (const worker *)argument;
    kstone_response *response = NULL;
    size_t i;
    for (i = 0; i < test_scale(500); i++) {
        char put[256], get[256], found[64];
        sprintf(put, "{\"TableName\":\"Music\",\"Item\":{\"Artist\":{\"S\":\"a\"},\"SongTitle\":{\"S\":\"%d\"},"
                     "\"v\":{\"N\":\"%d\"}}}", its->number, (int)i);
        sprintf(get, "{\"TableName\":\"Music\",\"Key\":{\"Artist\":{\"S\":\"a\"},\"SongTitle\":{\"S\":\"%d\"}}}",
                its->number);
        sprintf(found, "\"v\":{\"N\":\"%d\"}", (int)i);
        CHECK_INT(200, send_request(its->account, TARGET("PutItem"), put, &response));
        CHECK_INT(200, send_request(its->account, TARGET("GetItem"), get, &response));
        CHECK(body_has(response, found));
    }
    kstone_free(response);
    return NULL;
}

static void any_number_of_threads_use_one_account(void) {
    kstone_response *response = NULL;
    kstone_account *account = account_with_music(&response);
    worker workers[THREADS];
    int i;
    for (i = 0; i < THREADS; i++) {
        workers[i].account = account;
        workers[i].number = i;
        CHECK_INT(0, pthread_create(&workers[i].thread, NULL, work, &workers[i]));
    }
    for (i = 0; i < THREADS; i++) {
        CHECK_INT(0, pthread_join(workers[i].thread, NULL));
    }
    kstone_free(response);
    kstone_free(account);
}

int main(void) {
    an_account_answers_as_aws_does();
    what_aws_refuses_is_an_answer();
    a_body_that_is_too_large_is_an_answer_without_a_body();
    a_nul_ends_nothing();
    a_response_is_used_again();
    a_request_may_be_borrowed_from_the_response_it_uses_again();
    a_response_outlives_its_account();
    misuse_is_an_error_and_no_answer();
    accessors_of_nothing_answer_nothing();
    options_out_of_their_range_are_refused();
    older_and_newer_options_work();
    options_are_kept_to();
    texts_are_those_of_the_regions_that_were_chosen();
    a_full_account_refuses_writes_and_goes_on();
    a_table_is_a_database_of_the_same_items();
    what_belongs_to_the_account_is_refused_by_its_tables();
    a_table_that_is_not_there_is_an_error_by_name();
    a_deleted_table_refuses_every_call();
    a_table_outlives_its_account();
    the_time_of_an_account_stands_where_it_is_set();
    a_fork_is_an_account_of_its_own();
    a_snapshot_has_all_tables();
    statistics_are_json();
    any_number_of_threads_use_one_account();
    return check_report();
}
