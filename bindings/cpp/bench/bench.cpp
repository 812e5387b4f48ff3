// What C++ costs compared with C: the same work through kstone.h, through kstone.hpp, and through its noexcept forms, in one
// run. The three take turns, round by round, so that what disturbs the machine disturbs all of them; the medians and
// their ratios to C are printed.
//
//     bench [--rounds N] [--operations N]
//
// Say nothing of numbers from a machine that does other things meanwhile.
#include <kstone.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace {

constexpr std::size_t key_count = 10'000;
constexpr std::size_t per_partition = 10;

// The database and the keys that everybody uses: 1000 partitions of ten items.
struct Stage {
    kstone::database db;
    std::vector<std::string> partitions;
    std::array<std::string, per_partition> sort_keys;

    Stage() {
        for (std::size_t i = 0; i < per_partition; i++) {
            sort_keys[i] = "order#" + std::to_string(i);
        }
        for (std::size_t i = 0; i < key_count / per_partition; i++) {
            partitions.push_back("customer#" + std::to_string(i * 7919));
        }
        for (std::size_t i = 0; i < key_count; i++) {
            db.put({partition(i), sort_key(i)}, item(i));
        }
    }

    // In an order that the processor does not foresee.
    const std::string &partition(std::size_t i) const { return partitions[i * 31 % partitions.size()]; }
    const std::string &sort_key(std::size_t i) const { return sort_keys[i / partitions.size() % per_partition]; }

    static kstone::item item(std::size_t i) {
        return kstone::item().set("name", "a name of some length").set("number", i);
    }
};

// Each does `operations` of its kind, and returns a number that no compiler can do without.
using work = std::function<std::size_t(Stage &, std::size_t operations)>;

struct Row {
    const char *name;
    work c;
    work cpp;
    work noexcept_forms;
};

std::size_t put_c(Stage &stage, std::size_t operations) {
    std::size_t done = 0;
    for (std::size_t i = 0; i < operations; i++) {
        const std::string &pk = stage.partition(i);
        const std::string &sk = stage.sort_key(i);
        kstone_item *item = kstone_item_new();
        kstone_item_set_str(item, "name", 4, "a name of some length", 21);
        kstone_item_set_i64(item, "number", 6, static_cast<std::int64_t>(i));
        done += kstone_put(stage.db.get(), pk.data(), pk.size(), sk.data(), sk.size(), item, nullptr) == KSTONE_OK;
        kstone_free(item);
    }
    return done;
}

std::size_t put_cpp(Stage &stage, std::size_t operations) {
    for (std::size_t i = 0; i < operations; i++) {
        stage.db.put({stage.partition(i), stage.sort_key(i)},
                     kstone::item().set("name", "a name of some length").set("number", i));
    }
    return operations;
}

std::size_t put_noexcept(Stage &stage, std::size_t operations) {
    std::size_t done = 0;
    for (std::size_t i = 0; i < operations; i++) {
        kstone::item item;
        item.try_set("name", "a name of some length");
        item.try_set("number", i);
        done += stage.db.try_put({stage.partition(i), stage.sort_key(i)}, item) == kstone::status::ok;
    }
    return done;
}

std::size_t get_c(Stage &stage, std::size_t operations) {
    std::size_t done = 0;
    for (std::size_t i = 0; i < operations; i++) {
        const std::string &pk = stage.partition(i);
        const std::string &sk = stage.sort_key(i);
        kstone_item *item = nullptr;
        done += kstone_get(stage.db.get(), pk.data(), pk.size(), sk.data(), sk.size(), &item, nullptr) == KSTONE_OK;
        kstone_free(item);
    }
    return done;
}

std::size_t get_cpp(Stage &stage, std::size_t operations) {
    std::size_t done = 0;
    for (std::size_t i = 0; i < operations; i++) {
        done += stage.db.get({stage.partition(i), stage.sort_key(i)}).has_value() ? 1U : 0U;
    }
    return done;
}

std::size_t get_noexcept(Stage &stage, std::size_t operations) {
    std::size_t done = 0;
    for (std::size_t i = 0; i < operations; i++) {
        kstone::stored_item item;
        done += stage.db.try_get({stage.partition(i), stage.sort_key(i)}, item) == kstone::status::ok;
    }
    return done;
}

std::size_t read_c(Stage &stage, std::size_t operations) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < operations; i++) {
        const std::string &pk = stage.partition(i);
        const std::string &sk = stage.sort_key(i);
        kstone_item *item = nullptr;
        kstone_value name;
        std::int64_t number = 0;
        if (kstone_get(stage.db.get(), pk.data(), pk.size(), sk.data(), sk.size(), &item, nullptr) == KSTONE_OK &&
            kstone_item_get(item, "name", 4, &name) == KSTONE_OK &&
            kstone_item_get_i64(item, "number", 6, &number) == KSTONE_OK) {
            sum += name.bytes.len + static_cast<std::size_t>(number);
        }
        kstone_free(item);
    }
    return sum;
}

std::size_t read_cpp(Stage &stage, std::size_t operations) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < operations; i++) {
        const auto item = stage.db.get({stage.partition(i), stage.sort_key(i)});
        sum += item->at<std::string_view>("name").size() + item->at<std::size_t>("number");
    }
    return sum;
}

std::size_t read_noexcept(Stage &stage, std::size_t operations) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < operations; i++) {
        kstone::stored_item item;
        std::string_view name;
        std::size_t number = 0;
        stage.db.try_get({stage.partition(i), stage.sort_key(i)}, item);
        item.try_get("name", name);
        item.try_get("number", number);
        sum += name.size() + number;
    }
    return sum;
}

std::size_t query_c(Stage &stage, std::size_t operations) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < operations; i++) {
        const std::string &pk = stage.partition(i);
        kstone_query_spec spec{};
        kstone_page *page = nullptr;
        spec.struct_size = sizeof spec;
        spec.pk = pk.data();
        spec.pk_len = pk.size();
        if (kstone_query(stage.db.get(), &spec, &page, nullptr) != KSTONE_OK) {
            std::abort();
        }
        for (std::size_t k = 0; k < kstone_page_count(page); k++) {
            found += kstone_item_sk(kstone_page_item(page, k)).len;
        }
        kstone_free(page);
    }
    return found;
}

std::size_t query_cpp(Stage &stage, std::size_t operations) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < operations; i++) {
        for (kstone::item_view item : stage.db.query(kstone::query(stage.partition(i)))) {
            found += item.sk().size();
        }
    }
    return found;
}

std::size_t query_noexcept(Stage &stage, std::size_t operations) {
    std::size_t found = 0;
    kstone::page page;
    for (std::size_t i = 0; i < operations; i++) {
        stage.db.try_query(kstone::query(stage.partition(i)), page);
        for (kstone::item_view item : page) {
            found += item.sk().size();
        }
    }
    return found;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Nanoseconds per operation. All variants must come to the same result.
double measure(const work &variant, Stage &stage, std::size_t operations, std::size_t &result) {
    const auto start = std::chrono::steady_clock::now();
    const std::size_t found = variant(stage, operations);
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    if (result != 0 && found != result) {
        std::fprintf(stderr, "bench: one variant came to %zu, another to %zu\n", result, found);
        std::exit(1);
    }
    result = found;
    return taken.count() / static_cast<double>(operations);
}

void run(const Row &row, Stage &stage, std::size_t rounds, std::size_t operations) {
    const std::array<work, 3> variants = {row.c, row.cpp, row.noexcept_forms};
    std::array<std::vector<double>, 3> taken;
    std::size_t result = 0;
    for (std::size_t round = 0; round < rounds; round++) {
        for (std::size_t turn = 0; turn < variants.size(); turn++) {
            const std::size_t variant = (round + turn) % variants.size();
            taken[variant].push_back(measure(variants[variant], stage, operations, result));
        }
    }
    const double c = median(taken[0]);
    const double cpp = median(taken[1]);
    const double plain = median(taken[2]);
    std::printf("%-28s %8.1f %8.1f %8.1f %8.3f %8.3f\n", row.name, c, cpp, plain, cpp / c, plain / c);
}

std::size_t number(const char *text) {
    char *end = nullptr;
    const unsigned long n = std::strtoul(text, &end, 10);
    if (*end != '\0' || n == 0) {
        std::fprintf(stderr, "bench: '%s' is no number of operations or rounds\n", text);
        std::exit(1);
    }
    return n;
}

} // namespace

int main(int argc, char **argv) {
    std::size_t rounds = 31;
    std::size_t operations = 100'000;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && std::strcmp(argv[i], "--rounds") == 0) {
            rounds = number(argv[i + 1]);
        } else if (i + 1 < argc && std::strcmp(argv[i], "--operations") == 0) {
            operations = number(argv[i + 1]);
        } else {
            std::fprintf(stderr, "usage: bench [--rounds N] [--operations N]\n");
            return 1;
        }
    }
    Stage stage;
    std::printf("Medians of %zu rounds of %zu operations on %zu items, in ns per operation\n", rounds, operations,
                key_count);
    std::printf("%-28s %8s %8s %8s %8s %8s\n", "", "C", "C++", "noexcept", "C++/C", "noex./C");
    const std::array<Row, 4> rows = {{{"put, two attributes", put_c, put_cpp, put_noexcept},
                                      {"get", get_c, get_cpp, get_noexcept},
                                      {"get, read two attributes", read_c, read_cpp, read_noexcept},
                                      {"query, a page of ten", query_c, query_cpp, query_noexcept}}};
    for (const Row &row : rows) {
        run(row, stage, rounds, operations);
    }
    return 0;
}
