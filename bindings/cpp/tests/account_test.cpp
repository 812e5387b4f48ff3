// Accounts through kstone_account.hpp.
#include "kstone_account.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::string_view create_music =
    R"({"TableName":"Music","BillingMode":"PAY_PER_REQUEST",)"
    R"("AttributeDefinitions":[{"AttributeName":"Artist","AttributeType":"S"}],)"
    R"("KeySchema":[{"AttributeName":"Artist","KeyType":"HASH"}]})";
constexpr std::string_view put_artist = R"({"TableName":"Music","Item":{"Artist":{"S":"Acme"},"n":{"N":"1"}}})";
constexpr std::string_view get_artist = R"({"TableName":"Music","Key":{"Artist":{"S":"Acme"}}})";
constexpr std::string_view artist = R"({"Item":{"Artist":{"S":"Acme"},"n":{"N":"1"}}})";

kstone::account with_music(const kstone::account_options &how = {}) {
    kstone::account account(how);
    account.call("CreateTable", create_music).check();
    account.call("PutItem", put_artist).check();
    return account;
}

TEST(Account, answers_as_aws_does) {
    kstone::account account = with_music();
    const kstone::response found = account.call("GetItem", get_artist);
    EXPECT_EQ(found.status(), 200);
    EXPECT_TRUE(found.ok());
    EXPECT_EQ(found.body(), artist);
    EXPECT_EQ(found.request_id().size(), 52u);
    EXPECT_EQ(account.call("DynamoDB_20120810.GetItem", get_artist).body(), artist);
    EXPECT_EQ(account.call("PutItem", put_artist).crc32(), 2745614147u);
}

TEST(Account, a_refusal_is_an_answer_and_thrown_where_asked) {
    kstone::account account = with_music();
    const kstone::response refused = account.call("GetItem", R"({"TableName":"Nobody","Key":{"a":{"S":"b"}}})");
    EXPECT_EQ(refused.status(), 400);
    EXPECT_NE(refused.body().find("ResourceNotFoundException"), std::string_view::npos);
    try {
        refused.check();
        FAIL() << "nothing was thrown";
    } catch (const kstone::refusal &thrown) {
        EXPECT_EQ(thrown.status(), 400);
        EXPECT_EQ(thrown.body(), refused.body());
        EXPECT_EQ(std::string(thrown.what()), thrown.body());
    }
    EXPECT_THROW(account.call("Nothing", "{}").check(), kstone::refusal);
    EXPECT_EQ(account.call(std::string(200, 'x'), "{}").status(), 400);
    EXPECT_EQ(account.call("", "{}").status(), 400);
    EXPECT_EQ(account.call("PutItem", "").status(), 400);
}

TEST(Account, streams_have_a_service_of_their_own) {
    kstone::account account;
    for (const char *operation : {"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"}) {
        const kstone::response answer = account.call(operation, "{}");
        EXPECT_EQ(answer.body(), account.call("DynamoDBStreams_20120810." + std::string(operation), "{}").body());
    }
}

TEST(Account, a_response_is_used_again) {
    kstone::account account = with_music();
    kstone::response answer;
    EXPECT_EQ(answer.status(), 0);
    EXPECT_TRUE(answer.body().empty() && answer.request_id().empty());
    account.call("GetItem", get_artist, answer);
    const void *const handle = answer.get();
    const char *const body = answer.body().data();
    for (int i = 0; i < 10; i++) {
        account.call("GetItem", get_artist, answer);
        EXPECT_EQ(answer.get(), handle);
        EXPECT_EQ(answer.body().data(), body);
    }
    account.call("PutItem", answer.body(), answer);
    EXPECT_EQ(answer.status(), 400);
    kstone::response moved = std::move(answer);
    EXPECT_EQ(moved.status(), 400);
    EXPECT_EQ(answer.status(), 0);
}

TEST(Account, a_table_is_a_database_of_the_same_items) {
    kstone::account account = with_music();
    kstone::database music = account.table("Music");
    EXPECT_EQ(music.get({"Acme"})->at<int>("n"), 1);
    music.put({"Acme"}, kstone::item().set("n", 2));
    EXPECT_NE(account.call("GetItem", get_artist).body().find(R"("N":"2")"), std::string_view::npos);
    EXPECT_THROW(music.set_time(5), kstone::error);
    try {
        account.table("Nobody");
        FAIL() << "nothing was thrown";
    } catch (const kstone::error &thrown) {
        EXPECT_EQ(thrown.code(), kstone::status::invalid);
        EXPECT_EQ(thrown.name(), "ResourceNotFoundException");
    }
    account.call("DeleteTable", R"({"TableName":"Music"})").check();
    EXPECT_THROW(music.get({"Acme"}), kstone::error);
}

TEST(Account, options_are_kept_to_and_checked) {
    kstone::account_options how;
    how.region = "eu-central-1";
    how.account_id = "123456789012";
    how.files_root = "/tmp";
    how.epoch_seconds = 1500000000;
    how.memory_max_bytes = 1 << 20;
    how.eviction = kstone::eviction::lru;
    how.expired = kstone::expired_items::hidden;
    how.texts = kstone::refusal_texts::classic;
    kstone::account account(how);
    const kstone::response made = account.call("CreateTable", create_music);
    EXPECT_NE(made.body().find("arn:aws:dynamodb:eu-central-1:123456789012:table/Music"), std::string_view::npos);
    EXPECT_NE(made.body().find("\"CreationDateTime\":1500000000"), std::string_view::npos);
    const kstone::response refused = account.call("PutItem", R"({"TableName":"Music","Item":{"a":{"SS":[]}}})");
    EXPECT_NE(refused.body().find(R"("message":"One or more)"), std::string_view::npos);
    how.account_id = "7";
    EXPECT_THROW(kstone::account{how}, kstone::error);
}

TEST(Account, a_fork_is_an_account_of_its_own) {
    kstone::account account = with_music();
    kstone::account fork = account.fork();
    account.call("DeleteTable", R"({"TableName":"Music"})").check();
    EXPECT_EQ(fork.call("GetItem", get_artist).body(), artist);
    EXPECT_FALSE(account.call("GetItem", get_artist).ok());
    EXPECT_NE(fork.stats_json().view().find("\"items\":1"), std::string_view::npos);
}

TEST(Account, a_snapshot_has_all_tables) {
    const std::string path = testing::TempDir() + "kstone-account-snapshot-" + std::to_string(::getpid());
    kstone::account account = with_music();
    account.snapshot_save(path);
    kstone::account loaded;
    loaded.snapshot_load(path);
    EXPECT_EQ(loaded.call("GetItem", get_artist).body(), artist);
    EXPECT_THROW(loaded.snapshot_load(path), kstone::error);
    EXPECT_THROW(loaded.snapshot_load("/nowhere/at/all"), kstone::error);
    EXPECT_EQ(std::remove(path.c_str()), 0);
}

TEST(Account, an_account_that_was_moved_from_is_misused) {
    kstone::account account = with_music();
    kstone::account moved = std::move(account);
    EXPECT_TRUE(moved.call("GetItem", get_artist).ok());
    EXPECT_THROW(account.call("GetItem", get_artist), kstone::error);
    EXPECT_THROW(account.table("Music"), kstone::error);
    EXPECT_THROW(account.set_time(1), kstone::error);
}

TEST(Account, any_number_of_threads_use_one) {
    kstone::account account = with_music();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) {
        threads.emplace_back([&] {
            kstone::response answer;
            for (int j = 0; j < 200; j++) {
                account.call("PutItem", put_artist, answer);
                account.call("GetItem", get_artist, answer);
                EXPECT_EQ(answer.body(), artist);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

} // namespace
