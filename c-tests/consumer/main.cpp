// The same in C++: puts an item, reads it back.
#include <iostream>
#include <kstone.hpp>

int main() {
    try {
        kstone::database db;
        db.put("user#1", kstone::item().set("age", 30));
        if (db.get("user#1").value().at<int>("age") != 30) {
            std::cerr << "age is not 30\n";
            return 1;
        }
        std::cout << "kstone " << kstone::version() << " works\n";
    } catch (const kstone::error &error) {
        std::cerr << "kstone: " << error.what() << '\n';
        return 1;
    }
}
