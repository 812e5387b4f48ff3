// Eight threads on one database, through this header: each reads back what it wrote, all of them count one counter, and
// what is read is never half of what somebody wrote.
#include "kstone.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int thread_count = 8;

// How much work is done, in percent: KSTONE_TEST_SCALE, 100 where it is not set.
int scaled(int amount) {
    const char *text = std::getenv("KSTONE_TEST_SCALE");
    return amount * (text != nullptr ? std::atoi(text) : 100) / 100;
}

// One thread's work; returns how much of what it found was wrong. Expectations belong to the main thread.
int work(kstone::database &db, int thread, int steps) {
    const std::string own = "own#" + std::to_string(thread);
    const auto count = kstone::update("ADD n :one").with(":one", 1);
    int wrong = 0;
    for (int step = 0; step < steps; step++) {
        const std::string sk = std::to_string(step % 50);
        db.put({own, sk}, kstone::item().set("a", step).set("b", std::to_string(step)));
        wrong += db.get({own, sk})->at<int>("a") != step;
        db.put({"shared", sk}, kstone::item().set("a", step).set("b", std::to_string(step)));
        (void)db.update("counter", count);
        for (kstone::item_view item : db.query(kstone::query("shared").begins_with("1"))) {
            wrong += std::to_string(item.at<int>("a")) != item.at<std::string_view>("b");
        }
        if (step % 16 == 0) {
            int seen = 0;
            for (kstone::item_view item : db.iterate(kstone::query(own))) {
                seen += static_cast<bool>(item.pk() == kstone::bytes_view(own));
            }
            wrong += seen != std::min(step + 1, 50);
        }
        try {
            db.put("", kstone::item());
            wrong++;
        } catch (const kstone::error &error) {
            wrong += error.code() != kstone::status::invalid;
        }
    }
    return wrong;
}

TEST(Threads, EightShareADatabase) {
    const int steps = scaled(2000);
    kstone::database db;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < thread_count; thread++) {
        threads.emplace_back([&db, &wrong, thread, steps] { wrong += work(db, thread, steps); });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(0, wrong);
    EXPECT_EQ(thread_count * steps, db.get("counter")->at<int>("n"));
}

TEST(Threads, OwnersMayChangeThreads) {
    kstone::database db;
    db.put("k", kstone::item().set("n", 7));
    std::optional<kstone::stored_item> item = db.get("k");
    std::thread([moved = std::move(item)] { EXPECT_EQ(7, moved->at<int>("n")); }).join();
}

} // namespace
