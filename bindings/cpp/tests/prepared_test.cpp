// Prepared requests: values of every form, every kind, batches, forks, threads, what is refused.
#include "kstone.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

kstone::status failure(const std::function<void()> &run) {
    try {
        run();
    } catch (const kstone::error &e) {
        return e.code();
    }
    return kstone::status::ok;
}

TEST(Prepared, UpdatesTakeValuesByPosition) {
    kstone::database db;
    const kstone::prepared add =
        db.prepare(kstone::update("SET #v = if_not_exists(#v, :zero) + :by").with("#v", "v").when(
            kstone::condition(":by <> :zero")));
    ASSERT_EQ(2U, add.size());
    EXPECT_EQ(":zero", add.parameter(0));
    EXPECT_EQ(1U, add.find(":by"));
    EXPECT_FALSE(add.find(":none"));
    EXPECT_FALSE(db.run_on(add, "a", {0, 5}));
    EXPECT_EQ(7.5, db.run_on(add, "a", {0, 2.5}, kstone::returning::updated_new)->at<double>("v"));
    EXPECT_THROW(db.run_on(add, "a", {0, 0}), kstone::condition_failed);
}

TEST(Prepared, ValuesOfEveryFormAreBound) {
    kstone::database db;
    const kstone::prepared set = db.prepare(kstone::update("SET v = :v"));
    const auto stored = [&](const kstone::bound &v) {
        db.run_on(set, "k", {v});
        return std::string(db.get("k")->to_json());
    };
    EXPECT_EQ(R"({"v":{"S":"text"}})", stored("text"));
    EXPECT_EQ(R"({"v":{"S":"text"}})", stored(std::string("text")));
    EXPECT_EQ(R"({"v":{"N":"-9223372036854775808"}})", stored(std::numeric_limits<std::int64_t>::min()));
    EXPECT_EQ(R"({"v":{"N":"200"}})", stored(std::uint8_t{200}));
    EXPECT_EQ(R"({"v":{"N":"0.25"}})", stored(0.25F));
    EXPECT_EQ(R"({"v":{"BOOL":true}})", stored(true));
    EXPECT_EQ(R"({"v":{"BOOL":false}})", stored(false));
    EXPECT_EQ(R"({"v":{"NULL":true}})", stored(nullptr));
    EXPECT_EQ(R"({"v":{"B":"AAE="}})", stored(std::vector<std::uint8_t>{0, 1}));
    const kstone::item other = kstone::item().set_json("l", R"({"L":[{"N":"1"},{"SS":["a"]}]})");
    EXPECT_EQ(R"({"v":{"L":[{"N":"1"},{"SS":["a"]}]}})", stored(*other.find<kstone::value>("l")));
}

TEST(Prepared, PutsDeletionsAndChecks) {
    kstone::database db;
    const kstone::prepared insert = db.prepare_put(kstone::condition("attribute_not_exists(pk)"));
    const kstone::item seven = kstone::item().set("v", 7);
    db.run_on(insert, {"a", "s"}, seven);
    EXPECT_THROW(db.run_on(insert, {"a", "s"}, seven), kstone::condition_failed);
    const kstone::prepared check = db.prepare_check(kstone::condition("#v = :v").with("#v", "v"));
    const kstone::prepared put = db.prepare_put();
    EXPECT_EQ(7, db.run_on(put, {"a", "s"}, seven, {}, kstone::returning::all_old)->at<int>("v"));
    kstone::batch both;
    both.run_on(check, {"a", "s"}, {7}).run_on(put, "b", seven);
    db.transact(both);
    EXPECT_EQ(7, db.get("b")->at<int>("v"));
    const kstone::prepared erase = db.prepare_erase(kstone::condition("v = :v"));
    EXPECT_THROW(db.run_on(erase, "b", {8}), kstone::condition_failed);
    db.run_on(erase, "b", {7});
    EXPECT_FALSE(db.get("b"));
}

TEST(Prepared, QueriesGivePagesAndCursors) {
    kstone::database db;
    for (int i = 0; i < 10; i++) {
        db.put({"p", std::to_string(i)}, kstone::item().set("v", i));
    }
    const kstone::prepared since = db.prepare(kstone::query::where("pk = :p AND sk >= :from").filter("v < :below"));
    const kstone::page first = db.run(since, {"p", "4", 8}, 3);
    EXPECT_EQ(3U, first.size());
    EXPECT_EQ(1U, db.run(since, {"p", "4", 8}, 0, first.token()).size());
    int found = 0;
    for (const kstone::item_view item : db.open(since, {"p", "4", 8})) {
        EXPECT_EQ(4 + found++, item.at<int>("v"));
    }
    EXPECT_EQ(4, found);
}

TEST(Prepared, StatementsOutliveTheirDatabase) {
    auto db = std::make_unique<kstone::database>();
    const kstone::prepared insert = db->prepare("INSERT INTO items VALUE {'pk': ?, 'v': ?}");
    db->run(insert, {"a", 1});
    kstone::database fork = db->fork();
    db.reset();
    EXPECT_THROW(fork.run(insert, {"a", 1}), kstone::condition_failed);
    kstone::batch more;
    more.run(insert, {"b", 2}).run(insert, {"c", 3});
    fork.run(more);
    EXPECT_EQ(3U, fork.run(fork.prepare("SELECT * FROM items")).size());
}

TEST(Prepared, WhatDoesNotFitIsRefused) {
    kstone::database db;
    const kstone::prepared update = db.prepare(kstone::update("SET v = :a, w = :b"));
    EXPECT_EQ(kstone::status::invalid, failure([&] { db.run_on(update, "k", {1}); }));
    EXPECT_EQ(kstone::status::invalid, failure([&] { db.run_on(update, "k", {1, 2, 3}); }));
    EXPECT_EQ(kstone::status::invalid, failure([&] { db.run_on(update, "k", {1, "\xff"}); }));
    EXPECT_EQ(kstone::status::misuse, failure([&] { db.run(update, {1, 2}); }));
    EXPECT_EQ(kstone::status::invalid, failure([&] { db.prepare("SELECT FROM"); }));
    EXPECT_EQ(kstone::status::invalid, failure([&] { db.prepare(kstone::update("SET v = :v").with(":v", 1)); }));
    EXPECT_TRUE(db.execute("SELECT * FROM items").empty());
}

TEST(Prepared, OneIsRunByManyThreads) {
    kstone::database db;
    const kstone::prepared add = db.prepare(kstone::update("ADD v :n"));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&] {
            for (int i = 0; i < 200; i++) {
                db.run_on(add, "sum", {1});
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(800, db.get("sum")->at<int>("v"));
}

} // namespace
