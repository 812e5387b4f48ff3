// Typed tables: items are put under their own keys, and shown whole by whatever shows them.
#include "kstone.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

kstone::database scores() {
    kstone::options options;
    options.schema = R"({"partition_key":{"name":"user","type":"S"},"sort_key":{"name":"score","type":"N"}})";
    kstone::database db(options);
    db.put_item(kstone::item().set("user", "ann").set("score", 12).set("a", 1).set("won", true));
    db.put_item(kstone::item().set("user", "ann").set("score", -3));
    return db;
}

// The names of an item's attributes, each followed by a semicolon.
template <class Item> std::string names_of(const Item &item) {
    std::string names;
    for (const auto &[name, value] : item.attributes()) {
        names += std::string(name) + ';';
    }
    return names;
}

TEST(Typed, AnItemReadIsWhole) {
    const kstone::database db = scores();
    const auto found = db.get({"ann", "12.0"});
    ASSERT_TRUE(found);
    EXPECT_EQ("a;score;user;won;", names_of(*found));
    EXPECT_EQ(4u, found->size());
    EXPECT_EQ(12, found->at<int>("score"));
    EXPECT_EQ("ann", found->at<std::string_view>("user"));
    EXPECT_EQ("12", found->sk().text());
    EXPECT_EQ("a;score;user;won;", names_of(found->clone()));
    EXPECT_EQ(R"({"a":1,"score":12,"user":"ann","won":true})", found->to_json(kstone::json::plain).view());
    const auto attributes = found->attributes();
    auto at = attributes.begin();
    const auto first = at++;
    EXPECT_EQ("a", first->name);
    EXPECT_EQ("score", at->name);
    EXPECT_EQ("12", at->value.bytes().text());
    EXPECT_NE(first, at);
    EXPECT_EQ(first, attributes.begin());
    for (; at != attributes.end(); ++at) {
    }
    EXPECT_EQ(attributes.end(), at);
}

TEST(Typed, AnItemWithNothingButItsKeyIsWhole) {
    const kstone::database db = scores();
    EXPECT_EQ("score;user;", names_of(*db.get({"ann", "-3"})));
}

TEST(Typed, IsAValueOfOtherItemsAndGoesIntoOtherTables) {
    const kstone::database db = scores();
    const auto found = db.get({"ann", "12"});
    const kstone::item outer = kstone::item().set("inner", *found);
    EXPECT_EQ(R"({"inner":{"a":1,"score":12,"user":"ann","won":true}})", outer.to_json(kstone::json::plain).view());
    kstone::database other;
    other.put("copy", *found);
    EXPECT_EQ("a;score;user;won;", names_of(*other.get("copy")));
}

TEST(Typed, BatchesTakeTheKeyOfAnItem) {
    kstone::database db = scores();
    const kstone::item item = kstone::item().set("user", "bob").set("score", 1);
    kstone::batch insert;
    insert.put_item(item, kstone::condition("attribute_not_exists(score)"));
    db.transact(insert);
    EXPECT_TRUE(db.get({"bob", "1"}));
    EXPECT_THROW(db.transact(insert), kstone::error);
    EXPECT_THROW(db.put_item(kstone::item().set("user", "bob")), kstone::error);
    EXPECT_EQ(3u, db.count());
}

} // namespace
