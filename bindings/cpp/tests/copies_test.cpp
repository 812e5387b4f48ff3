// What becomes of a whole database: forks, snapshots, exports, and memory that is bounded.
#include "kstone.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace {

// A directory of its own, gone with the test.
class Copies : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "kstone-XXXXXX";
        ASSERT_NE(nullptr, mkdtemp(pattern.data()));
        directory_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::filesystem::path file(const char *name) const { return directory_ / name; }

    void write(const std::filesystem::path &path, std::string_view text) {
        std::ofstream(path, std::ios::binary) << text;
    }

  private:
    std::filesystem::path directory_;
};

kstone::item number(int n) { return kstone::item().set("n", n); }

// What a call throws.
template <class F> kstone::status thrown(F f) {
    try {
        f();
    } catch (const kstone::error &error) {
        return error.code();
    }
    return kstone::status::ok;
}

TEST_F(Copies, AForkAndItsOriginDoNotSeeEachOther) {
    kstone::options how;
    how.schema = R"({"ttl_attribute":"until"})";
    kstone::database fork(nullptr);
    {
        kstone::database db(how);
        db.set_time(1000);
        db.put("a", number(1));
        db.put("late", kstone::item().set("until", 900));
        fork = db.fork();
        db.put("a", number(2));
        db.put("b", number(3));
        EXPECT_EQ(1, fork.get("a")->at<int>("n"));
        fork.erase("a");
        EXPECT_EQ(2, db.get("a")->at<int>("n"));
    }
    EXPECT_FALSE(fork.get("a"));
    EXPECT_FALSE(fork.get("b"));
    EXPECT_FALSE(fork.get("late")) << "it has schema and time";
    fork.put("c", number(4));
    EXPECT_EQ(1U, fork.scan().size());
    const kstone::database none(nullptr);
    EXPECT_EQ(kstone::status::misuse, thrown([&] { (void)none.fork(); }));
}

TEST_F(Copies, ASnapshotBringsEverythingBack) {
    kstone::options how;
    how.schema = R"({"global_indexes":[{"name":"by-n","partition_key":"n"}]})";
    kstone::database db(how);
    for (int i = 0; i < 100; i++) {
        db.put({"p", std::to_string(i)}, number(i));
    }
    db.snapshot_save(file("db.ksnap"));
    EXPECT_EQ(100U, db.snapshot_progress().done);
    EXPECT_EQ(100U, db.snapshot_progress().total);
    kstone::database loaded;
    loaded.snapshot_load(file("db.ksnap"));
    EXPECT_EQ(100U, loaded.scan().size());
    EXPECT_EQ("42", loaded.query(kstone::query::where("n = :n").with(":n", 42).index("by-n"))[0].sk().text());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { loaded.snapshot_load(file("db.ksnap")); })) << "it is not empty";

    kstone::database empty;
    EXPECT_EQ(kstone::status::io, thrown([&] { empty.snapshot_load(file("none")); }));
    EXPECT_EQ(kstone::status::invalid, thrown([&] { db.snapshot_save(""); }));
    EXPECT_EQ(kstone::status::io, thrown([&] { db.snapshot_save(file("no-directory/db.ksnap")); }));
    write(file("bad"), "no snapshot");
    EXPECT_EQ(kstone::status::corrupt, thrown([&] { empty.snapshot_load(file("bad")); }));
    EXPECT_TRUE(empty.scan().empty());
}

TEST_F(Copies, ItemsAreExportedAndImported) {
    kstone::database db;
    db.put({"a", "s"}, number(1));
    db.put("b", number(2));
    db.export_json(file("items.json"));
    kstone::database other;
    const kstone::imported all = other.import_json(file("items.json"));
    EXPECT_EQ(2U, all.loaded);
    EXPECT_EQ(0U, all.skipped);
    EXPECT_EQ("", all.reasons.view());
    EXPECT_EQ(1, other.get({"a", "s"})->at<int>("n"));

    write(file("users.json"), "{\"Item\":{\"id\":{\"N\":\"7\"},\"at\":{\"S\":\"x\"}}}\n{\n");
    EXPECT_EQ(kstone::status::corrupt, thrown([&] { other.import_json(file("users.json")); }));
    kstone::import_options how;
    how.pk_name = "id";
    how.sk_name = "at";
    how.skip_bad = true;
    const kstone::imported some = other.import_json(file("users.json"), how);
    EXPECT_EQ(1U, some.loaded);
    EXPECT_EQ(1U, some.skipped);
    EXPECT_NE(std::string_view::npos, some.reasons.view().find("line 2")) << some.reasons.view();
    EXPECT_TRUE(other.get({"7", "x"}));
    EXPECT_EQ(kstone::status::io, thrown([&] { other.import_json(file("none")); }));
}

TEST_F(Copies, MemoryIsBounded) {
    kstone::options how;
    how.memory_max_bytes = 1 << 20;
    how.background_compaction = true;
    const std::string text(10'000, 'x');
    const kstone::item large = kstone::item().set("text", text);
    kstone::database refuses(how);
    kstone::status s = kstone::status::ok;
    for (int i = 0; i < 1000 && s == kstone::status::ok; i++) {
        s = refuses.try_put(std::to_string(i), large);
    }
    EXPECT_EQ(kstone::status::limit, s);

    how.eviction = kstone::eviction::lru;
    kstone::database evicts(how);
    for (int i = 0; i < 1000; i++) {
        evicts.put(std::to_string(i), large);
    }
    EXPECT_TRUE(evicts.get("999"));
    EXPECT_FALSE(evicts.get("0"));
    how.memory_max_bytes = 1000;
    EXPECT_EQ(kstone::status::invalid, thrown([&] { kstone::database none(how); }));
}

} // namespace
