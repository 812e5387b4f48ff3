/*
 * memory.h: what the kernel says of this process's memory.
 */
#ifndef KSTONE_TEST_MEMORY_H
#define KSTONE_TEST_MEMORY_H

#include "support.h"

/* The number in KiB of a line of /proc/self/status: "VmRSS:", "VmSize:", "VmLck:". */
static inline size_t memory_kib(const char *line_name) {
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    size_t found = 0;
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, line_name, strlen(line_name)) == 0) {
            found = strtoul(line + strlen(line_name), NULL, 10);
        }
    }
    if (status != NULL) {
        fclose(status);
    }
    CHECK(found > 0);
    return found;
}

#endif
