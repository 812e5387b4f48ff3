// Runs the suite of bindings/conformance, whose README tells the format, through kstone.hpp. As C's runner does, it walks
// the files as slices of text, and has the library read what they hold. KSTONE_CONFORMANCE names the directory.
#include "json_slice.h"
#include "kstone_account.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using strings = std::vector<std::string>;

std::string_view view(slice value) { return {value.data, value.len}; }
bool is_there(slice value) { return value.data != nullptr; }
bool is_true(slice object, const char *name) { return slice_is(slice_member(object, name), "true"); }

// What the library reads as the value of a JSON string.
std::string text_of(slice json) {
    kstone::item item;
    item.set_json("v", view(json), kstone::json::plain);
    return std::string(item.at<std::string_view>("v"));
}

std::string bytes_of(slice value) {
    if (const slice base64 = slice_member(value, "base64"); is_there(base64)) {
        kstone::item item;
        item.set_json("v", "{\"B\":" + std::string(view(base64)) + "}");
        return std::string(item.at<kstone::bytes_view>("v").text());
    }
    if (const slice repeated = slice_member(value, "repeat"); is_there(repeated)) {
        std::string all;
        for (int i = std::stoi(std::string(view(slice_member(value, "times")))); i > 0; i--) {
            all += text_of(repeated);
        }
        return all;
    }
    return is_there(value) ? text_of(value) : std::string();
}

std::string text_at(slice object, const char *name) { return bytes_of(slice_member(object, name)); }

std::uint32_t number_at(slice object, const char *name) {
    const slice value = slice_member(object, name);
    return is_there(value) ? static_cast<std::uint32_t>(std::stoul(std::string(view(value)))) : 0;
}

// The elements of an array.
std::vector<slice> elements_of(slice array) {
    std::vector<slice> elements;
    slice_iter iter = slice_open(array);
    slice element;
    while (slice_next(&iter, &element) != 0) {
        elements.push_back(element);
    }
    return elements;
}

kstone::item item_of(slice value) { return kstone::item::from_json(view(value)); }

std::string json_of(kstone::item_view item) { return item ? std::string(item.to_json().view()) : "null"; }

std::string json_of(const std::optional<kstone::stored_item> &item) {
    return item ? json_of(kstone::item_view(*item)) : "null";
}

// JSON as the library writes the value that it is, with the members of its objects in order.
std::string json_in_order(std::string_view json) {
    return json_of(kstone::item().set_json("v", json, kstone::json::plain));
}

// An expected item as the library writes it; "null" stays what it is.
std::string json_of_expected(slice value) { return slice_is(value, "null") ? "null" : json_of(item_of(value)); }

std::string key_text(std::string_view pk, std::string_view sk) {
    std::ostringstream out;
    out << std::hex;
    for (const std::string_view part : {pk, sk}) {
        for (const char c : part) {
            out << (static_cast<unsigned>(c) & 0xff) << ' ';
        }
        out << '/';
    }
    return out.str();
}

struct Key {
    std::string pk;
    std::string sk;

    explicit Key(slice step) : pk(text_at(step, "pk")), sk(text_at(step, "sk")) {}
    operator kstone::key() const { return {pk, sk}; }
};

// Gives an expression its bag, where the step has one.
template <class Expression> Expression with_params(Expression expression, slice step) {
    if (const slice params = slice_member(step, "params"); is_there(params)) {
        expression.with_all(item_of(params));
    }
    return expression;
}

kstone::condition condition_of(slice step) {
    const slice value = slice_member(step, "cond");
    if (!is_there(value)) {
        return {};
    }
    auto condition = with_params(kstone::condition(text_at(value, "expr")), value);
    condition.return_old(is_true(value, "return_old"));
    return condition;
}

kstone::update update_of(slice step) {
    static const std::map<std::string, kstone::returning> returns = {{"", kstone::returning::none},
                                                                     {"ALL_OLD", kstone::returning::all_old},
                                                                     {"UPDATED_OLD", kstone::returning::updated_old},
                                                                     {"ALL_NEW", kstone::returning::all_new},
                                                                     {"UPDATED_NEW", kstone::returning::updated_new}};
    auto update = with_params(kstone::update(text_at(step, "expr")), step);
    update.when(condition_of(step)).returns(returns.at(text_at(step, "return")));
    return update;
}

// What queries and scans have in common.
template <class Request> Request request_of(Request request, slice step) {
    if (is_there(slice_member(step, "index"))) {
        request.index(text_at(step, "index"));
    }
    if (is_there(slice_member(step, "filter"))) {
        request.filter(text_at(step, "filter"));
    }
    if (is_there(slice_member(step, "projection"))) {
        request.project(text_at(step, "projection"));
    }
    if (const slice key = slice_member(step, "start_after"); is_there(key)) {
        request.start_after(item_of(key));
    }
    if (is_true(step, "count")) {
        request.count_only();
    }
    if (is_true(step, "keys_only")) {
        request.keys_only();
    }
    return with_params(std::move(request.limit(number_at(step, "limit"))), step);
}

kstone::query query_of(slice step) {
    const bool by_text = is_there(slice_member(step, "key_expr"));
    auto q = request_of(by_text ? kstone::query::where(text_at(step, "key_expr")) : kstone::query(text_at(step, "pk")),
                        step);
    const std::string op = text_at(step, "sk_op");
    const std::string sk1 = text_at(step, "sk1");
    static const std::map<std::string, kstone::query &(kstone::query::*)(kstone::bytes_view)> ops = {
        {"EQ", &kstone::query::equal},
        {"LT", &kstone::query::less},
        {"LE", &kstone::query::less_equal},
        {"GT", &kstone::query::greater},
        {"GE", &kstone::query::greater_equal},
        {"BEGINS_WITH", &kstone::query::begins_with}};
    if (op == "BETWEEN") {
        q.between(sk1, text_at(step, "sk2"));
    } else if (!op.empty()) {
        (q.*ops.at(op))(sk1);
    }
    if (is_true(step, "reverse")) {
        q.reverse();
    }
    return q;
}

kstone::scan scan_of(slice step) {
    auto s = request_of(kstone::scan(), step);
    return s.segment(number_at(step, "segment"), number_at(step, "segments"));
}

kstone::statement statement_of(slice step) {
    kstone::statement statement(text_at(step, "statement"));
    if (const slice params = slice_member(step, "params"); is_there(params)) {
        statement.bind_all(item_of(params));
    }
    return statement;
}

// Whether updates and statements are prepared: the suite is run without and with it.
bool prepares = false;

// The values of what was prepared out of a bag; nothing where one is missing or left over, which the other form says as
// the suite has it.
std::optional<std::vector<kstone::bound>> values_of(const kstone::prepared &prepared, const kstone::item &bag) {
    std::vector<kstone::bound> values;
    for (std::size_t i = 0; i < prepared.size(); i++) {
        const auto value = bag.find<kstone::value>(prepared.parameter(i));
        if (!value) {
            return std::nullopt;
        }
        values.emplace_back(*value);
    }
    return values.size() == bag.size() ? std::optional(values) : std::nullopt;
}

// A page of a statement in its prepared form, where it has one.
std::optional<kstone::page> run_prepared(kstone::database &db, slice step, kstone::bytes_view token) {
    if (!prepares) {
        return std::nullopt;
    }
    try {
        const kstone::prepared prepared = db.prepare(text_at(step, "statement"));
        const slice params = slice_member(step, "params");
        const kstone::item bag = is_there(params) ? item_of(params) : kstone::item();
        if (const auto values = values_of(prepared, bag)) {
            return db.run(prepared, *values, 0, token);
        }
    } catch (const kstone::condition_failed &) {
        throw;
    } catch (const kstone::error &) {
        // As text it fails, too, and says where.
    }
    return std::nullopt;
}

// What a step found.
struct Outcome {
    bool absent = false;
    std::string item;
    std::string json;
    std::string count;
    std::string scanned;
    std::string token = "false";
    std::string http;
    std::string answer;
    strings items;
    strings keys;

    void add(kstone::item_view found) {
        items.push_back(json_of(found));
        keys.push_back(key_text(found.pk().text(), found.sk().text()));
    }

    void take(const kstone::page &page) {
        for (kstone::item_view found : page) {
            add(found);
        }
        count = std::to_string(page.size());
        scanned = std::to_string(page.scanned());
        token = page.token().empty() ? "false" : "true";
    }
};

kstone::options options_of(slice options_json) {
    kstone::options options;
    if (const slice schema = slice_member(options_json, "schema"); is_there(schema)) {
        options.schema = view(schema);
    }
    options.memtable_max_records = number_at(options_json, "memtable_max_records");
    options.memory_max_bytes = number_at(options_json, "memory_max_bytes");
    options.eviction = is_true(options_json, "evict") ? kstone::eviction::lru : kstone::eviction::none;
    return options;
}

// What a step asks for that no query of C++ can say, since it does not compile.
bool cannot_be_said(slice step, const std::string &op) {
    const bool has_partition = is_there(slice_member(step, "pk")) || is_there(slice_member(step, "key_expr"));
    if (op == "query") {
        return !has_partition;
    }
    return op == "scan" && (has_partition || is_there(slice_member(step, "sk_op")) || is_true(step, "reverse"));
}

// One case at work.
class Case {
  public:
    explicit Case(slice test) { dbs_["main"] = kstone::database(options_of(slice_member(test, "options"))); }
    Case(const Case &) = delete;
    Case &operator=(const Case &) = delete;
    ~Case() {
        if (!directory_.empty()) {
            std::filesystem::remove_all(directory_);
        }
    }

    void run(slice step) {
        const std::string op = text_at(step, "op");
        const slice expect = slice_member(step, "expect");
        Outcome out;
        if (cannot_be_said(step, op)) {
            EXPECT_EQ("KSTONE_ERR_INVALID", text_at(expect, "status"));
            return;
        }
        std::optional<kstone::error> error;
        try {
            operations().at(op)(*this, step, out);
        } catch (const kstone::error &thrown) {
            error = thrown;
        }
        check_error(expect, out, error);
        check_found(expect, out);
    }

  private:
    using step_function = std::function<void(Case &, slice, Outcome &)>;

    kstone::database &db(slice step) {
        const std::string name = text_at(step, "db");
        return dbs_.at(name.empty() ? "main" : name);
    }

    // The path of a file that the case's steps share.
    std::filesystem::path path(slice step) {
        if (directory_.empty()) {
            std::string pattern = testing::TempDir() + "kstone-XXXXXX";
            if (mkdtemp(pattern.data()) == nullptr) {
                throw std::runtime_error("there is no place for files");
            }
            directory_ = pattern;
        }
        return directory_ / text_at(step, "file");
    }

    std::string token(slice step) const {
        const slice value = slice_member(step, "token");
        return slice_begins(value, '"') ? tokens_.at(text_of(value)) : bytes_of(value);
    }

    void take(const kstone::page &page, slice step, Outcome &out) {
        out.take(page);
        if (const slice name = slice_member(step, "save_token"); is_there(name)) {
            tokens_[text_of(name)] = page.token().text();
        }
    }

    void iterate(slice step, Outcome &out) {
        const bool has_partition = is_there(slice_member(step, "pk")) || is_there(slice_member(step, "key_expr"));
        kstone::cursor cursor = has_partition ? db(step).iterate(query_of(step), token(step))
                                              : db(step).iterate(scan_of(step), token(step));
        for (kstone::item_view item : cursor) {
            out.add(item);
        }
        out.count = std::to_string(out.items.size());
    }

    void scroll(slice step, Outcome &out) {
        const bool has_partition = is_there(slice_member(step, "pk")) || is_there(slice_member(step, "key_expr"));
        if (is_there(slice_member(step, "token"))) {
            throw kstone::error(kstone::status::invalid, nullptr); // the types have no place for it
        }
        kstone::scroll_cursor cursor =
            has_partition ? db(step).scroll(query_of(step)) : db(step).scroll(scan_of(step));
        for (const slice &move : elements_of(slice_member(step, "moves"))) {
            const std::string op = text_at(move, "op");
            const kstone::item_view item = op == "first"  ? cursor.first()
                                           : op == "last" ? cursor.last()
                                           : op == "next" ? cursor.next()
                                           : op == "prev" ? cursor.prev()
                                                          : cursor.seek(Key(move));
            if (item) {
                out.add(item);
            }
        }
        out.count = std::to_string(out.items.size());
    }

    void run_batch(slice step, Outcome &out) {
        kstone::batch batch;
        for (const slice &operation : elements_of(slice_member(step, "operations"))) {
            const std::string op = text_at(operation, "op");
            if (op == "execute") {
                batch.execute(statement_of(operation));
                continue;
            }
            if (op == "put_item") {
                batch.put_item(item_of(slice_member(operation, "item")), condition_of(operation));
                continue;
            }
            const Key key(operation);
            if (op == "put") {
                batch.put(key, item_of(slice_member(operation, "item")), condition_of(operation));
            } else if (op == "update") {
                batch.update(key, update_of(operation));
            } else if (op == "delete") {
                batch.erase(key, condition_of(operation));
            } else if (op == "check") {
                batch.check(key, condition_of(operation));
            } else if (op == "get") {
                batch.get(key);
            } else {
                throw std::out_of_range("an unknown operation of a batch");
            }
        }
        out.take(is_true(step, "atomic") ? db(step).transact(batch) : db(step).run(batch));
    }

    void get_many(slice step, Outcome &out) {
        const std::vector<slice> operations = elements_of(slice_member(step, "operations"));
        const std::vector<Key> named(operations.begin(), operations.end());
        const auto found = db(step).get_many(std::vector<kstone::key>(named.begin(), named.end()));
        for (const std::optional<kstone::stored_item> &item : found) {
            out.items.push_back(json_of(item));
        }
        out.count = std::to_string(found.size());
    }

    void put_many(slice step) {
        const std::vector<slice> operations = elements_of(slice_member(step, "operations"));
        const std::vector<Key> named(operations.begin(), operations.end());
        std::vector<kstone::item> items;
        std::vector<std::pair<kstone::key, kstone::item_view>> puts;
        items.reserve(operations.size());
        for (std::size_t i = 0; i < operations.size(); i++) {
            items.push_back(item_of(slice_member(operations[i], "item")));
            puts.emplace_back(named[i], items.back());
        }
        db(step).put_many(puts);
    }

    kstone::account &account(slice step) {
        const std::string name = text_at(step, "account");
        return accounts_.at(name.empty() ? "main" : name);
    }

    void open_account(slice step) {
        kstone::account_options how;
        how.texts = is_true(step, "classic") ? kstone::refusal_texts::classic : kstone::refusal_texts::current;
        const std::string name = text_at(step, "as");
        accounts_.insert_or_assign(name.empty() ? "main" : name, kstone::account(how));
    }

    void call(slice step, Outcome &out) {
        const slice body = slice_member(step, "body");
        const slice text = slice_member(step, "text");
        const std::string request = is_there(body) ? std::string(view(body)) : is_there(text) ? text_of(text) : "{}";
        const kstone::response answer = account(step).call(text_at(step, "operation"), request);
        out.http = std::to_string(answer.status());
        out.answer = answer.body().empty() ? "" : json_in_order(answer.body());
    }

    static kstone::json form_of(slice step) { return is_true(step, "plain") ? kstone::json::plain : kstone::json::typed; }

    static const std::map<std::string, step_function> &operations();

    // Absence is an empty optional here, where C has a status.
    static std::string status_of(const Outcome &out, const std::optional<kstone::error> &error) {
        static const std::map<kstone::status, std::string> names = {
            {kstone::status::invalid, "KSTONE_ERR_INVALID"},   {kstone::status::limit, "KSTONE_ERR_LIMIT"},
            {kstone::status::trimmed, "KSTONE_ERR_TRIMMED"},   {kstone::status::conflict, "KSTONE_ERR_CONFLICT"},
            {kstone::status::corrupt, "KSTONE_ERR_CORRUPT"},   {kstone::status::io, "KSTONE_ERR_IO"},
            {kstone::status::misuse, "KSTONE_ERR_MISUSE"},     {kstone::status::type, "KSTONE_ERR_TYPE"},
            {kstone::status::condition_failed, "KSTONE_ERR_CONDITION_FAILED"}};
        if (error) {
            return names.at(error->code());
        }
        return out.absent ? "KSTONE_NOT_FOUND" : "KSTONE_OK";
    }

    static void check_error(slice expect, const Outcome &out, const std::optional<kstone::error> &error) {
        const slice status = slice_member(expect, "status");
        EXPECT_EQ(is_there(status) ? text_of(status) : "KSTONE_OK", status_of(out, error))
            << (error ? error->what() : "no error");
        if (const slice name = slice_member(expect, "name"); is_there(name)) {
            EXPECT_EQ(text_of(name), error ? error->name() : "no error");
        }
        if (const slice message = slice_member(expect, "message"); is_there(message)) {
            EXPECT_NE(nullptr, std::strstr(error.value().what(), text_of(message).c_str())) << error.value().what();
        }
        if (const slice index = slice_member(expect, "index"); is_there(index)) {
            const std::optional<std::size_t> found = error.value().index();
            EXPECT_EQ(view(index), found ? std::to_string(*found) : "-1");
        }
        if (const slice item = slice_member(expect, "error_item"); is_there(item)) {
            EXPECT_EQ(json_of_expected(item), json_of(error.value().item()));
        }
    }

    static void check_list(slice expect, strings expected, strings found) {
        if (is_true(expect, "any_order")) {
            std::sort(expected.begin(), expected.end());
            std::sort(found.begin(), found.end());
        }
        EXPECT_EQ(expected, found);
    }

    static void check_found(slice expect, const Outcome &out) {
        slice_iter members = slice_open(expect);
        slice name;
        slice value;
        while (slice_next_member(&members, &name, &value) != 0) {
            const std::string member = text_of(name);
            if (member == "item") {
                EXPECT_EQ(json_of_expected(value), out.item);
            } else if (member == "items") {
                strings expected;
                for (const slice &element : elements_of(value)) {
                    expected.push_back(json_of_expected(element));
                }
                check_list(expect, expected, out.items);
            } else if (member == "keys") {
                strings expected;
                for (const slice &element : elements_of(value)) {
                    const std::vector<slice> parts = elements_of(element);
                    expected.push_back(key_text(bytes_of(parts.at(0)), parts.size() > 1 ? bytes_of(parts[1]) : ""));
                }
                check_list(expect, expected, out.keys);
            } else if (member == "count" || member == "scanned") {
                EXPECT_EQ(view(value), member == "count" ? out.count : out.scanned);
            } else if (member == "token") {
                EXPECT_EQ(view(value), out.token);
            } else if (member == "json") {
                EXPECT_EQ(text_of(value), out.json);
            } else if (member == "http") {
                EXPECT_EQ(view(value), out.http);
            } else if (member == "answer") {
                EXPECT_EQ(json_in_order(view(value)), out.answer);
            } else if (member == "records") {
                check_records(value, out.json);
            } else {
                const strings others = {"status", "name", "message", "index", "error_item", "any_order"};
                EXPECT_NE(others.end(), std::find(others.begin(), others.end(), member)) << member;
            }
        }
    }

    static std::string image_of(slice value) { return is_there(value) ? json_of_expected(value) : "no image"; }

    /// What removed the item, as the stream's JSON calls it; nothing for a caller.
    static std::string principal_of(slice expected) {
        if (is_true(expected, "by_ttl")) {
            return "dynamodb.amazonaws.com";
        }
        return is_true(expected, "by_eviction") ? "kstone:eviction" : "";
    }

    static void check_records(slice expected_records, const std::string &json) {
        const std::vector<slice> expected = elements_of(expected_records);
        const std::vector<slice> found = elements_of(slice_member(slice_of(json.data(), json.size()), "Records"));
        ASSERT_EQ(expected.size(), found.size());
        for (std::size_t i = 0; i < found.size(); i++) {
            const slice data = slice_member(found[i], "dynamodb");
            EXPECT_EQ(text_at(expected[i], "event"), text_at(found[i], "eventName"));
            EXPECT_EQ(image_of(slice_member(expected[i], "keys")), image_of(slice_member(data, "Keys")));
            EXPECT_EQ(image_of(slice_member(expected[i], "new")), image_of(slice_member(data, "NewImage")));
            EXPECT_EQ(image_of(slice_member(expected[i], "old")), image_of(slice_member(data, "OldImage")));
            EXPECT_EQ(principal_of(expected[i]), text_at(slice_member(found[i], "userIdentity"), "principalId"));
        }
    }

    std::filesystem::path directory_;
    std::map<std::string, kstone::database> dbs_;
    std::map<std::string, kstone::account> accounts_;
    std::map<std::string, std::string> tokens_;
};

const std::map<std::string, Case::step_function> &Case::operations() {
    static const std::map<std::string, step_function> table = {
        {"put", [](Case &c, slice s, Outcome &) { c.db(s).put(Key(s), item_of(slice_member(s, "item"))); }},
        {"put_item", [](Case &c, slice s, Outcome &) { c.db(s).put_item(item_of(slice_member(s, "item"))); }},
        {"get",
         [](Case &c, slice s, Outcome &out) {
             const std::optional<kstone::stored_item> item = c.db(s).get(Key(s));
             out.absent = !item;
             out.item = json_of(item);
         }},
        {"delete", [](Case &c, slice s, Outcome &) { c.db(s).erase(Key(s)); }},
        {"put_if",
         [](Case &c, slice s, Outcome &out) {
             out.item = json_of(c.db(s).put_if(Key(s), item_of(slice_member(s, "item")), condition_of(s)));
         }},
        {"delete_if",
         [](Case &c, slice s, Outcome &out) { out.item = json_of(c.db(s).erase_if(Key(s), condition_of(s))); }},
        {"update", [](Case &c, slice s, Outcome &out) { out.item = json_of(c.db(s).update(Key(s), update_of(s))); }},
        {"put_json", [](Case &c, slice s, Outcome &) { c.db(s).put_json(Key(s), text_at(s, "json"), form_of(s)); }},
        {"get_json",
         [](Case &c, slice s, Outcome &out) {
             const std::optional<kstone::text> json = c.db(s).get_json(Key(s), form_of(s));
             out.absent = !json;
             out.json = json ? json->view() : "";
         }},
        {"query", [](Case &c, slice s, Outcome &out) { c.take(c.db(s).query(query_of(s), c.token(s)), s, out); }},
        {"scan", [](Case &c, slice s, Outcome &out) { c.take(c.db(s).scan(scan_of(s), c.token(s)), s, out); }},
        {"execute",
         [](Case &c, slice s, Outcome &out) {
             std::optional<kstone::page> rows = run_prepared(c.db(s), s, c.token(s));
             c.take(rows ? std::move(*rows) : c.db(s).execute(statement_of(s), c.token(s)), s, out);
         }},
        {"iterate", [](Case &c, slice s, Outcome &out) { c.iterate(s, out); }},
        {"cursor", [](Case &c, slice s, Outcome &out) { c.scroll(s, out); }},
        {"count", [](Case &c, slice s, Outcome &out) { out.count = std::to_string(c.db(s).count()); }},
        {"batch", [](Case &c, slice s, Outcome &out) { c.run_batch(s, out); }},
        {"get_many", [](Case &c, slice s, Outcome &out) { c.get_many(s, out); }},
        {"put_many", [](Case &c, slice s, Outcome &) { c.put_many(s); }},
        {"configure",
         [](Case &c, slice s, Outcome &) {
             const slice schema = slice_member(s, "schema");
             c.db(s).configure(is_there(schema) ? view(schema) : std::string_view());
         }},
        {"set_time", [](Case &c, slice s, Outcome &) { c.db(s).set_time(number_at(s, "seconds")); }},
        {"purge_expired",
         [](Case &c, slice s, Outcome &out) { out.count = std::to_string(c.db(s).purge_expired()); }},
        {"stream_read",
         [](Case &c, slice s, Outcome &out) {
             out.json = c.db(s).stream_read(number_at(s, "after"), number_at(s, "max")).view();
         }},
        {"flush", [](Case &c, slice s, Outcome &) { c.db(s).flush(); }},
        {"compact", [](Case &c, slice s, Outcome &) { c.db(s).compact(); }},
        {"clear", [](Case &c, slice s, Outcome &) { c.db(s).clear(); }},
        {"open",
         [](Case &c, slice s, Outcome &) {
             c.dbs_[text_at(s, "as")] = kstone::database(options_of(slice_member(s, "options")));
         }},
        {"fork", [](Case &c, slice s, Outcome &) { c.dbs_[text_at(s, "as")] = c.db(s).fork(); }},
        {"close", [](Case &c, slice s, Outcome &) { c.dbs_.erase(text_at(s, "db")); }},
        {"snapshot_save", [](Case &c, slice s, Outcome &) { c.db(s).snapshot_save(c.path(s)); }},
        {"snapshot_load", [](Case &c, slice s, Outcome &) { c.db(s).snapshot_load(c.path(s)); }},
        {"export_json", [](Case &c, slice s, Outcome &) { c.db(s).export_json(c.path(s)); }},
        {"account_open", [](Case &c, slice s, Outcome &) { c.open_account(s); }},
        {"account_close",
         [](Case &c, slice s, Outcome &) {
             const std::string name = text_at(s, "account");
             c.accounts_.erase(name.empty() ? "main" : name);
         }},
        {"account_time", [](Case &c, slice s, Outcome &) { c.account(s).set_time(number_at(s, "seconds")); }},
        {"account_fork",
         [](Case &c, slice s, Outcome &) { c.accounts_.insert_or_assign(text_at(s, "as"), c.account(s).fork()); }},
        {"account_save", [](Case &c, slice s, Outcome &) { c.account(s).snapshot_save(c.path(s)); }},
        {"account_load", [](Case &c, slice s, Outcome &) { c.account(s).snapshot_load(c.path(s)); }},
        {"call", [](Case &c, slice s, Outcome &out) { c.call(s, out); }},
        {"table",
         [](Case &c, slice s, Outcome &) { c.dbs_[text_at(s, "as")] = c.account(s).table(text_at(s, "table")); }},
        {"import_json",
         [](Case &c, slice s, Outcome &out) { out.count = std::to_string(c.db(s).import_json(c.path(s)).loaded); }},
    };
    return table;
}

std::string read_file(const std::filesystem::path &path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// Runs the cases of all files of a directory, each with `run`, and says how many there were.
std::size_t for_each_case(const std::filesystem::path &directory, const std::function<void(slice)> &run) {
    std::size_t count = 0;
    for (const auto &entry : std::filesystem::directory_iterator(directory)) {
        const std::filesystem::path &path = entry.path();
        if (path.extension() != ".json" || path.filename() == "schema.json") {
            continue;
        }
        const std::string text = read_file(path);
        for (const slice &test : elements_of(slice_member(slice_of(text.data(), text.size()), "cases"))) {
            SCOPED_TRACE(path.filename().string() + ": " + text_at(test, "name"));
            run(test);
            count++;
        }
    }
    return count;
}

void run_case(slice test) {
    Case running(test);
    const std::vector<slice> steps = elements_of(slice_member(test, "steps"));
    for (std::size_t i = 0; i < steps.size(); i++) {
        SCOPED_TRACE("step " + std::to_string(i));
        running.run(steps[i]);
    }
}

std::filesystem::path suite() {
    const char *directory = std::getenv("KSTONE_CONFORMANCE");
    if (directory == nullptr) {
        throw std::runtime_error("KSTONE_CONFORMANCE names the directory of the suite");
    }
    return directory;
}

TEST(Conformance, EveryCase) { EXPECT_GE(for_each_case(suite(), run_case), 247U); }

TEST(Conformance, EveryCasePrepared) {
    prepares = true;
    EXPECT_GE(for_each_case(suite(), run_case), 247U);
    prepares = false;
}

TEST(Conformance, WrongCasesFail) {
    const auto must_fail = [](slice test) {
        testing::TestPartResultArray results;
        {
            const testing::ScopedFakeTestPartResultReporter reporter(
                testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
            run_case(test);
        }
        EXPECT_GT(results.size(), 0);
    };
    EXPECT_GE(for_each_case(suite() / "wrong", must_fail), 41U);
}

} // namespace
