/* kstone_item_get_f64 gives the nearest double in every rounding mode, and kstone_item_set_f64 its shortest text. */
#include "support.h"

#include <fenv.h>

static const int MODES[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

#define NUMBERS 2000

/* Decimal texts of which most are no double: hundredths, long fractions, large and small ones. */
static void text_of(int number, char text[48]) {
    static const char *const SPECIAL[] = {"0",
                                          "9.9",
                                          "-9.9",
                                          "0.1",
                                          "-0.3",
                                          "9007199254740993",
                                          "-9007199254740995",
                                          "1e23",
                                          "1e-130",
                                          "9.8765432109876543210987654321098765432e125",
                                          "12345678901234567890123456789012345678",
                                          "0.99999999999999999999999999999999999999"};
    int count = (int)(sizeof SPECIAL / sizeof *SPECIAL);
    if (number < count) {
        snprintf(text, 48, "%s", SPECIAL[number]);
    } else {
        snprintf(text, 48, "%s%d.%02d", number % 2 == 0 ? "" : "-", number * 7919, number % 100);
    }
}

static void doubles_are_the_nearest_in_every_mode(void) {
    int number;
    for (number = 0; number < NUMBERS; number++) {
        kstone_error *err = NULL;
        kstone_item *item = kstone_item_new();
        char text[48];
        double nearest;
        size_t mode;
        text_of(number, text);
        nearest = strtod(text, NULL);
        CHECK_OK(kstone_item_set_num(item, LIT("n"), text, KSTONE_STRLEN, &err));
        for (mode = 0; mode < sizeof MODES / sizeof *MODES; mode++) {
            double found = -1;
            double again = -1;
            kstone_status read;
            kstone_status set;
            kstone_status read_again;
            CHECK_INT(0, fesetround(MODES[mode]));
            read = kstone_item_get_f64(item, LIT("n"), &found);
            set = kstone_item_set_f64(item, LIT("f"), nearest);
            read_again = kstone_item_get_f64(item, LIT("f"), &again);
            CHECK_INT(MODES[mode], fegetround());
            CHECK_INT(0, fesetround(FE_TONEAREST));
            CHECK(read == KSTONE_OK && set == KSTONE_OK && read_again == KSTONE_OK);
            CHECK_MEM(&nearest, sizeof nearest, &found, sizeof found);
            CHECK_MEM(&nearest, sizeof nearest, &again, sizeof again);
        }
        kstone_free(item);
    }
}

int main(void) {
    doubles_are_the_nearest_in_every_mode();
    return check_report();
}
