/* A plugin that brings libkstone.a with it. */
#include "kstone.h"

int plugin_use(void);

/* 0 where an item that is put is there. */
int plugin_use(void) {
    kstone_db *db = NULL;
    kstone_item *item = NULL;
    kstone_status status = kstone_open_memory(NULL, &db, NULL);
    if (status == KSTONE_OK) {
        status = kstone_put_json(db, "pk", 2, NULL, 0, "{\"a\":{\"S\":\"text\"}}", KSTONE_STRLEN, 0, NULL);
    }
    if (status == KSTONE_OK) {
        status = kstone_get(db, "pk", 2, NULL, 0, &item, NULL);
    }
    kstone_free(item);
    kstone_free(db);
    return (int)status;
}
