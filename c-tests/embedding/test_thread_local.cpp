// Every function from the destructor of a C++ thread_local that is older than the library's own, and so goes after them.
#include <thread>

#include "calls.h"

namespace {

struct Last {
    calls_world *world = nullptr;
    const call *its_call = nullptr;
    ~Last() {
        if (its_call != nullptr) {
            its_call->run(world);
        }
    }
};

thread_local Last last;

void every_function_works_in_a_late_destructor() {
    calls_world world;
    calls_open(&world);
    for (const call &tried : calls) {
        std::thread([&] {
            last.world = &world;
            last.its_call = &tried;
            for (const call &before : calls) {
                before.run(&world);
            }
        }).join();
        CHECK_INT(7, get_number(world.db, "wide", "s007"));
    }
    calls_close(&world);
}

}  // namespace

int main() {
    every_function_works_in_a_late_destructor();
    return check_report();
}
