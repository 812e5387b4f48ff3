// PartiQL: statements, their values, pages of rows, and statements in batches.
#include "kstone.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

static_assert(noexcept(std::declval<kstone::database &>().try_execute(std::declval<kstone::statement>(),
                                                                      std::declval<kstone::page &>())));

// Three orders of ada's, with totals 10, 20 and 30.
kstone::database orders() {
    kstone::database db;
    for (int i = 1; i <= 3; i++) {
        db.put({"ada", "o" + std::to_string(i)}, kstone::item().set("total", 10 * i));
    }
    return db;
}

TEST(Statements, ReadAndWrite) {
    kstone::database db = orders();
    const kstone::page rows = db.execute("SELECT sk, total FROM items WHERE pk = ? AND total > ?", "ada", 10);
    ASSERT_EQ(2U, rows.size());
    EXPECT_EQ("o2", rows[0].at<std::string_view>("sk"));
    EXPECT_EQ(30, rows[1].at<int>("total"));

    EXPECT_TRUE(db.execute("INSERT INTO items VALUE {'pk': ?, 'tags': ?}", "bob", std::vector<int>{1, 2}).empty());
    EXPECT_EQ(2, db.get("bob")->at<int>("tags[1]"));
    const auto raise = kstone::statement("UPDATE items SET total = total + ? WHERE pk = 'ada' AND sk = ? "
                                         "RETURNING ALL NEW *").bind(5).bind_json(R"({"S":"o1"})");
    EXPECT_EQ(15, db.execute(raise)[0].at<int>("total"));
    EXPECT_EQ(20, db.execute(raise)[0].at<int>("total")) << "a statement may be executed again";
    EXPECT_EQ(20, db.execute(kstone::statement(raise))[0].at<int>("total") - 5) << "and copied";
    db.execute("DELETE FROM items WHERE pk = 'bob'");
    EXPECT_FALSE(db.get("bob"));
}

TEST(Statements, TakeABagOfValues) {
    kstone::database db = orders();
    auto select = kstone::statement("SELECT * FROM items WHERE pk = ? AND sk = ?");
    select.bind_all(kstone::item().set("?1", "ada")).bind("o3");
    EXPECT_EQ(30, db.execute(select)[0].at<int>("total"));
    select.bind_all({});
    EXPECT_EQ(nullptr, select.values());
    EXPECT_THROW((void)db.execute(select), kstone::error);
}

TEST(Statements, GoOnFromPageToPage) {
    kstone::database db;
    const std::string large(300'000, 'x');
    for (int i = 0; i < 9; i++) {
        db.put({"p", std::to_string(i)}, kstone::item().set("n", i).set("large", large));
    }
    const kstone::statement select("SELECT n FROM items WHERE pk = ?", "p");
    const kstone::page first = db.execute(select);
    ASSERT_FALSE(first.token().empty());
    EXPECT_EQ(static_cast<int>(first.size()), db.execute(select, first.token())[0].at<int>("n"));
    int n = 0;
    for (const kstone::page &page : db.pages(select)) {
        for (const kstone::item_view row : page) {
            EXPECT_EQ(n++, row.at<int>("n"));
        }
    }
    EXPECT_EQ(9, n);
}

TEST(Statements, SayWhatIsWrong) {
    kstone::database db = orders();
    try {
        (void)db.execute("SELECT * FROM items WHERE pk = ? AND", "ada");
        FAIL();
    } catch (const kstone::error &error) {
        EXPECT_EQ(kstone::status::invalid, error.code());
        EXPECT_NE(nullptr, std::strstr(error.what(), "line 1")) << error.what();
    }
    try {
        db.execute("INSERT INTO items VALUE {'pk': 'ada', 'sk': 'o1'}");
        FAIL();
    } catch (const kstone::condition_failed &error) {
        EXPECT_EQ("DuplicateItemException", error.name());
    }
    kstone::page page;
    EXPECT_EQ(kstone::status::invalid, db.try_execute(kstone::statement("SELECT"), page));
    EXPECT_FALSE(page);
    EXPECT_EQ(kstone::status::ok, db.try_execute(kstone::statement("SELECT * FROM items"), page));
    EXPECT_EQ(3U, page.size());
    EXPECT_THROW(kstone::statement("SELECT ?", "\xff"), kstone::error);
}

TEST(Statements, InBatches) {
    kstone::database db = orders();
    kstone::batch reads;
    reads.execute("SELECT * FROM items WHERE pk = 'ada' AND sk = ?", "o2").execute(
        kstone::statement("SELECT * FROM items WHERE pk = 'nobody'"));
    const kstone::page page = db.transact(reads);
    ASSERT_EQ(2U, page.size());
    EXPECT_EQ(20, page[0].at<int>("total"));
    EXPECT_FALSE(page[1]);

    kstone::batch writes;
    writes.execute("EXISTS(SELECT * FROM items WHERE pk = 'ada' AND sk = 'o1' AND total > ?)", 100);
    writes.execute("DELETE FROM items WHERE pk = 'ada' AND sk = 'o2'");
    EXPECT_THROW((void)db.transact(writes), kstone::condition_failed);
    EXPECT_TRUE(db.get({"ada", "o2"}));
    EXPECT_THROW(writes.get("ada"), kstone::error) << "statements and other operations do not mix";
}

} // namespace
