// The header from C++17: owners that free by themselves, exceptions made of errors, and nothing lost on the way.
#include "support.h"

#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

// One deleter for everything that the library hands out.
struct Free {
    void operator()(void *p) const noexcept { kstone_free(p); }
};
template <class T> using Owned = std::unique_ptr<T, Free>;

static_assert(sizeof(Owned<kstone_db>) == sizeof(kstone_db *), "an owner costs nothing");
static_assert(std::is_same<kstone_status, std::int32_t>::value, "the status is a number of known size");

struct Error : std::runtime_error {
    kstone_status status;
    std::string name;
    Error(kstone_status s, const kstone_error *e)
        : std::runtime_error(kstone_error_message(e)), status(s), name(kstone_error_name(e)) {}
};

// Calls `f(arguments..., &err)`; an error becomes an exception.
template <class F, class... Arguments> kstone_status call(F f, Arguments... arguments) {
    kstone_error *raw = nullptr;
    kstone_status status = f(arguments..., &raw);
    Owned<kstone_error> err(raw);
    if (status < 0) {
        throw Error(status, err.get());
    }
    return status;
}

std::string_view view(kstone_bytes bytes) {
    return {reinterpret_cast<const char *>(bytes.data), bytes.len};
}

class Database {
  public:
    Database() {
        kstone_db *raw = nullptr;
        call(kstone_open_memory, static_cast<const kstone_options *>(nullptr), &raw);
        db_.reset(raw);
    }

    void put(std::string_view pk, std::string_view sk, const Owned<kstone_item> &item) {
        call(kstone_put, db_.get(), static_cast<const void *>(pk.data()), pk.size(),
             static_cast<const void *>(sk.data()), sk.size(), static_cast<const kstone_item *>(item.get()));
    }

    Owned<kstone_item> get(std::string_view pk, std::string_view sk) const {
        kstone_item *raw = nullptr;
        call(kstone_get, static_cast<const kstone_db *>(db_.get()), static_cast<const void *>(pk.data()), pk.size(),
             static_cast<const void *>(sk.data()), sk.size(), &raw);
        return Owned<kstone_item>(raw);
    }

    std::vector<std::string> sort_keys(std::string_view pk) const {
        std::vector<std::string> keys;
        kstone_query_spec spec{};
        spec.struct_size = sizeof spec;
        spec.pk = pk.data();
        spec.pk_len = pk.size();
        spec.limit = 2;
        Owned<kstone_page> page;
        do {
            kstone_bytes token = kstone_page_token(page.get());
            spec.token = token.data;
            spec.token_len = token.len;
            kstone_page *raw = nullptr;
            call(kstone_query, static_cast<const kstone_db *>(db_.get()),
                 static_cast<const kstone_query_spec *>(&spec), &raw);
            page.reset(raw); // the token of the old page was used before the old page goes
            for (std::size_t i = 0; i < kstone_page_count(page.get()); i++) {
                keys.emplace_back(view(kstone_item_sk(kstone_page_item(page.get(), i))));
            }
        } while (kstone_page_token(page.get()).len > 0);
        return keys;
    }

  private:
    Owned<kstone_db> db_;
};

Owned<kstone_item> item_with(std::string_view name, std::int64_t value) {
    Owned<kstone_item> item(kstone_item_new());
    CHECK_STATUS(KSTONE_OK, kstone_item_set_i64(item.get(), name.data(), name.size(), value));
    return item;
}

std::int64_t number(const Owned<kstone_item> &item, std::string_view path) {
    std::int64_t value = -1;
    CHECK_STATUS(KSTONE_OK, kstone_item_get_i64(item.get(), path.data(), path.size(), &value));
    return value;
}

void items_are_put_and_got() {
    Database db;
    db.put("user#1", {}, item_with("age", 30));
    db.put("user#1", "s", item_with("age", 31));
    CHECK_INT(30, number(db.get("user#1", {}), "age"));
    CHECK_INT(31, number(db.get("user#1", "s"), "age"));
    CHECK(db.get("user#2", {}) == nullptr);
}

void strings_with_nul_are_keys_like_others() {
    using namespace std::string_view_literals;
    Database db;
    db.put("a\0b"sv, "\0"sv, item_with("n", 1));
    db.put("a"sv, "\xff"sv, item_with("n", 2));
    CHECK_INT(1, number(db.get("a\0b"sv, "\0"sv), "n"));
    CHECK(db.get("a"sv, "\0"sv) == nullptr);
    const Owned<kstone_item> item = db.get("a\0b"sv, "\0"sv);
    CHECK(view(kstone_item_pk(item.get())) == "a\0b"sv);
    CHECK(view(kstone_item_sk(item.get())) == "\0"sv);
}

void errors_become_exceptions() {
    Database db;
    bool thrown = false;
    try {
        db.put({}, {}, item_with("n", 1));
    } catch (const Error &error) {
        thrown = true;
        CHECK_INT(KSTONE_ERR_INVALID, error.status);
        CHECK_STR("ValidationException", error.name.c_str());
        CHECK(std::strlen(error.what()) > 0);
    }
    CHECK(thrown);
    thrown = false;
    try {
        db.put(std::string(2049, 'k'), {}, item_with("n", 1));
    } catch (const Error &error) {
        thrown = true;
        CHECK_INT(KSTONE_ERR_LIMIT, error.status);
        CHECK_CONTAINS("2048", error.what());
    }
    CHECK(thrown);
}

void pages_are_walked() {
    Database db;
    for (const char *sk : {"c", "a", "e", "b", "d"}) {
        db.put("p", sk, item_with("n", 1));
    }
    CHECK((db.sort_keys("p") == std::vector<std::string>{"a", "b", "c", "d", "e"}));
    CHECK(db.sort_keys("q").empty());
}

void owners_move_and_free_in_any_order() {
    Owned<kstone_item> kept;
    {
        Database db;
        db.put("p", "s", item_with("n", 5));
        Owned<kstone_item> read = db.get("p", "s");
        kept = std::move(read);
        CHECK(read == nullptr);
    }
    CHECK_INT(5, number(kept, "n"));
    std::vector<Owned<kstone_item>> many;
    for (int i = 0; i < 100; i++) {
        many.emplace_back(kstone_item_clone(kept.get()));
    }
    kept.reset();
    CHECK_INT(5, number(many.back(), "n"));
}

void threads_share_a_database() {
    Database db;
    std::vector<std::thread> threads;
    const std::int64_t count = static_cast<std::int64_t>(test_scale(500));
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&db, t, count] {
            const std::string pk = "t" + std::to_string(t);
            for (std::int64_t i = 0; i < count; i++) {
                db.put(pk, std::to_string(i), item_with("n", i * t));
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    for (int t = 0; t < 4; t++) {
        CHECK_SIZE(static_cast<std::size_t>(count), db.sort_keys("t" + std::to_string(t)).size());
        CHECK_INT((count - 1) * t, number(db.get("t" + std::to_string(t), std::to_string(count - 1)), "n"));
    }
}

void values_of_all_types_are_told_apart() {
    Owned<kstone_item> item(item_of("{\"a\":{\"S\":\"x\"},\"b\":{\"N\":\"1\"},\"c\":{\"B\":\"AA==\"},"
                                    "\"d\":{\"BOOL\":true},\"e\":{\"NULL\":true},\"f\":{\"L\":[]},"
                                    "\"g\":{\"M\":{}},\"h\":{\"SS\":[\"x\"]},"
                                    "\"i\":{\"NS\":[\"1\"]},\"j\":{\"BS\":[\"AA==\"]}}"));
    std::map<std::string, std::uint32_t> types;
    for (std::size_t i = 0; i < kstone_item_count(item.get()); i++) {
        kstone_bytes name{};
        kstone_value value{};
        CHECK_STATUS(KSTONE_OK, kstone_item_at(item.get(), i, &name, &value));
        types.emplace(view(name), value.type);
    }
    CHECK((types == std::map<std::string, std::uint32_t>{{"a", KSTONE_TYPE_S},
                                                         {"b", KSTONE_TYPE_N},
                                                         {"c", KSTONE_TYPE_B},
                                                         {"d", KSTONE_TYPE_BOOL},
                                                         {"e", KSTONE_TYPE_NULL},
                                                         {"f", KSTONE_TYPE_L},
                                                         {"g", KSTONE_TYPE_M},
                                                         {"h", KSTONE_TYPE_SS},
                                                         {"i", KSTONE_TYPE_NS},
                                                         {"j", KSTONE_TYPE_BS}}));
}

} // namespace

int main() {
    items_are_put_and_got();
    strings_with_nul_are_keys_like_others();
    errors_become_exceptions();
    pages_are_walked();
    owners_move_and_free_in_any_order();
    threads_share_a_database();
    values_of_all_types_are_told_apart();
    return check_report();
}
