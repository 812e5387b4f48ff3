/* items.c: items and JSON, without a database. */
#include "instructions.h"

/* An order with an address and three lines, as an application might store it. */
static const char document[] =
    "{\"address\":{\"city\":\"Utrecht\",\"street\":\"Oudegracht 231\",\"zip\":\"3511 NK\"},\"customer\":\"c-204871\","
    "\"delivered\":false,\"lines\":[{\"amount\":2,\"price\":19.95,\"sku\":\"A-1001\"},{\"amount\":1,\"price\":4.5,"
    "\"sku\":\"B-2040\"},{\"amount\":12,\"price\":0.99,\"sku\":\"C-0007\"}],\"note\":\"Leave it with the neighbours at "
    "number 233, please.\",\"ordered\":\"2024-05-17T09:31:22Z\",\"priority\":3,\"tags\":[\"gift\",\"express\"],"
    "\"total\":56.28,\"weight\":1.25}";

static void item_one(size_t n) {
    kstone_item *built = kstone_item_new();
    (void)n;
    OK(kstone_item_set_str(built, LIT("v"), LIT(VALUE_TEXT)));
    kstone_free(built);
}

static void build_item(void) {
    count(item_one, 1000);
}

static void item10_one(size_t n) {
    kstone_item *built = kstone_item_new();
    (void)n;
    OK(kstone_item_set_str(built, LIT("city"), LIT("Utrecht")));
    OK(kstone_item_set_str(built, LIT("customer"), LIT("c-204871")));
    OK(kstone_item_set_bool(built, LIT("delivered"), 0));
    OK(kstone_item_set_i64(built, LIT("lines"), 3));
    OK(kstone_item_set_str(built, LIT("note"), LIT("Leave it with the neighbours at number 233, please.")));
    OK(kstone_item_set_str(built, LIT("ordered"), LIT("2024-05-17T09:31:22Z")));
    OK(kstone_item_set_i64(built, LIT("priority"), 3));
    OK(kstone_item_set_str(built, LIT("street"), LIT("Oudegracht 231")));
    OK(kstone_item_set_i64(built, LIT("total"), 5628));
    OK(kstone_item_set_str(built, LIT("zip"), LIT("3511 NK")));
    kstone_free(built);
}

static void build_item10(void) {
    count(item10_one, 1000);
}

static void read10_one(size_t n) {
    kstone_value value;
    int64_t number = 0;
    (void)n;
    OK(kstone_item_get(item, LIT("customer"), &value));
    OK(kstone_item_get(item, LIT("note"), &value));
    OK(kstone_item_get(item, LIT("weight"), &value));
    OK(kstone_item_get(item, LIT("address.city"), &value));
    OK(kstone_item_get(item, LIT("lines[2].sku"), &value));
    OK(kstone_item_get(item, LIT("delivered"), &value));
    OK(kstone_item_get(item, LIT("tags[0]"), &value));
    OK(kstone_item_get_i64(item, LIT("priority"), &number));
    OK(kstone_item_get_i64(item, LIT("lines[1].amount"), &number));
    NOT_FOUND(kstone_item_get(item, LIT("missing"), &value));
}

static void read_item10(void) {
    OK(kstone_item_from_json(LIT(document), KSTONE_JSON_PLAIN, &item, NULL));
    count(read10_one, 1000);
}

static uint32_t json_form;

static void json_in_one(size_t n) {
    kstone_item *read = NULL;
    (void)n;
    OK(kstone_item_from_json(LIT(document), json_form, &read, NULL));
    kstone_free(read);
}

static void json_in(void) {
    json_form = KSTONE_JSON_PLAIN;
    count(json_in_one, 500);
}

static void json_out_one(size_t n) {
    char *text = NULL;
    size_t len = 0;
    (void)n;
    OK(kstone_item_to_json(item, json_form, &text, &len, NULL));
    kstone_free(text);
}

static void json_out(void) {
    json_form = KSTONE_JSON_PLAIN;
    OK(kstone_item_from_json(LIT(document), json_form, &item, NULL));
    count(json_out_one, 500);
}

static char *typed_text;
static size_t typed_len;

static void typed_in_one(size_t n) {
    kstone_item *read = NULL;
    (void)n;
    OK(kstone_item_from_json(typed_text, typed_len, 0, &read, NULL));
    kstone_free(read);
}

static void typed_in(void) {
    OK(kstone_item_from_json(LIT(document), KSTONE_JSON_PLAIN, &item, NULL));
    OK(kstone_item_to_json(item, 0, &typed_text, &typed_len, NULL));
    count(typed_in_one, 500);
    kstone_free(typed_text);
}

static void typed_out(void) {
    json_form = 0;
    OK(kstone_item_from_json(LIT(document), KSTONE_JSON_PLAIN, &item, NULL));
    count(json_out_one, 500);
}

const workload item_workloads[] = {
    {"item-1", build_item},
    {"item-10", build_item10},
    {"item-read-10", read_item10},
    {"json-in", json_in},
    {"json-out", json_out},
    {"json-typed-in", typed_in},
    {"json-typed-out", typed_out},
    {NULL, NULL},
};
