// The database: every call, its noexcept form, its errors, and who owns what comes out.
#include "kstone.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::string_view_literals;

static_assert(noexcept(std::declval<kstone::database &>().try_put("k", {})), "the hot path throws nothing");
static_assert(noexcept(std::declval<kstone::database &>().try_get("k", std::declval<kstone::stored_item &>())));
static_assert(noexcept(std::declval<kstone::database &>().try_erase("k")));
static_assert(noexcept(std::declval<kstone::database &>().try_put_if("k", {}, std::declval<kstone::condition &>())));
static_assert(noexcept(std::declval<kstone::database &>().try_erase_if("k", std::declval<kstone::condition &>())));
static_assert(noexcept(std::declval<kstone::database &>().try_update("k", std::declval<kstone::update &>())));
static_assert(noexcept(std::declval<kstone::item_view>().try_get("n", std::declval<int &>())));
static_assert(noexcept(std::declval<kstone::item &>().try_set("n", 1)));

#if defined(__cpp_lib_ranges)
static_assert(std::forward_iterator<kstone::attribute_range::iterator>);
static_assert(std::input_iterator<kstone::page::iterator> && std::input_iterator<kstone::cursor::iterator>);
static_assert(std::input_iterator<kstone::page_range<kstone::query>::iterator>);
#endif

kstone::item number(int n) { return kstone::item().set("n", n); }

// Five items, "a" to "e" with n from 0 to 4, under "p".
kstone::database letters() {
    kstone::database db;
    for (int i = 0; i < 5; i++) {
        db.put({"p", std::string(1, static_cast<char>('a' + i))}, number(i));
    }
    return db;
}

// The sort keys of whatever holds items.
template <class Range> std::string sort_keys(Range &&items) {
    std::string keys;
    for (kstone::item_view item : items) {
        keys += item.sk().text();
    }
    return keys;
}

// What is thrown by `f`, which must throw.
template <class F> kstone::error thrown(F f) {
    try {
        f();
    } catch (const kstone::error &error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return kstone::error(kstone::status::ok, nullptr);
}

TEST(Database, PutsGetsAndErases) {
    kstone::database db;
    EXPECT_EQ(std::nullopt, db.get("user#1"));
    db.put("user#1", number(1));
    db.put({"user#1", "s"}, number(2));
    EXPECT_EQ(1, db.get("user#1")->at<int>("n"));
    EXPECT_EQ(2, db.get({"user#1", "s"})->at<int>("n"));
    EXPECT_EQ("s", db.get({"user#1", "s"})->sk().text());
    db.erase("user#1");
    db.erase("user#1");
    EXPECT_EQ(std::nullopt, db.get("user#1"));
    EXPECT_TRUE(db.get({"user#1", "s"}));
    db.clear();
    EXPECT_FALSE(db.get({"user#1", "s"}));
}

TEST(Database, DoesTheSameWithoutExceptions) {
    kstone::database db;
    kstone::stored_item found;
    EXPECT_EQ(kstone::status::not_found, db.try_get("k", found));
    EXPECT_FALSE(found);
    EXPECT_EQ(kstone::status::ok, db.try_put("k", number(1)));
    EXPECT_EQ(kstone::status::ok, db.try_get("k", found));
    EXPECT_EQ(1, found.at<int>("n"));
    EXPECT_EQ(kstone::status::invalid, db.try_put("", number(1)));
    EXPECT_EQ(kstone::status::limit, db.try_get(std::string(2049, 'k'), found));
    EXPECT_EQ(1, found.at<int>("n"));
    EXPECT_EQ(kstone::status::misuse, db.try_put("k", kstone::item_view()));
    EXPECT_EQ(kstone::status::ok, db.try_erase("k"));
    EXPECT_EQ(kstone::status::not_found, db.try_get("k", found));
    EXPECT_EQ(kstone::status::invalid, db.try_erase(""));
    kstone::page page;
    EXPECT_EQ(kstone::status::invalid, db.try_query(kstone::query(""), page));
    EXPECT_FALSE(page);
    EXPECT_EQ(kstone::status::ok, db.try_query(kstone::query("k"), page));
    EXPECT_TRUE(page && page.empty());
    EXPECT_EQ(kstone::status::ok, db.try_scan({}, page));
    EXPECT_EQ(kstone::status::invalid, db.try_scan({}, page, "no token"));
}

TEST(Database, KeysAreBytes) {
    kstone::database db;
    const std::vector<std::uint8_t> bytes = {0, 255};
    db.put({bytes, "\0"sv}, number(1));
    db.put("a\0b"sv, number(2));
    EXPECT_EQ(1, db.get({"\0\xff"sv, "\0"sv})->at<int>("n"));
    EXPECT_EQ(bytes, db.get({bytes, "\0"sv})->pk());
    EXPECT_EQ(2, db.get("a\0b"sv)->at<int>("n"));
    EXPECT_FALSE(db.get("a"));
}

TEST(Database, ErrorsSayWhatIsWrong) {
    kstone::database db;
    const kstone::error error = thrown([&] { db.put(std::string(2049, 'k'), number(1)); });
    EXPECT_EQ(kstone::status::limit, error.code());
    EXPECT_EQ("ValidationException", error.name());
    EXPECT_NE(nullptr, std::strstr(error.what(), "2048"));
    EXPECT_EQ(std::nullopt, error.index());
    EXPECT_FALSE(error.item());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.get(""); }).code());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { db.erase(""); }).code());
    EXPECT_EQ(kstone::status::invalid, thrown([] { kstone::database({"{\"no\":1}", 0}); }).code());
    EXPECT_EQ(kstone::status::invalid, thrown([] { kstone::database({{}, 100000}); }).code());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { db.put_json("k", "[]"); }).code());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.iterate(kstone::query("")); }).code());
}

TEST(Database, ItemsAndPagesOutliveIt) {
    std::optional<kstone::stored_item> item;
    kstone::page page;
    kstone::cursor cursor;
    {
        kstone::database db = letters();
        item = db.get({"p", "c"});
        page = db.query(kstone::query("p"));
        cursor = db.iterate(kstone::query("p"));
        db.put({"p", "c"}, number(100));
        db.erase({"p", "d"});
    }
    EXPECT_EQ(2, item->at<int>("n"));
    EXPECT_EQ("abcde", sort_keys(page));
    EXPECT_EQ("abcde", sort_keys(cursor));
}

TEST(Database, MovesAndTellsOfUseAfterwards) {
    kstone::database db = letters();
    kstone::database moved = std::move(db);
    EXPECT_TRUE(moved.get({"p", "a"}));
    EXPECT_FALSE(db); // NOLINT(bugprone-use-after-move): that this is told is what is tested
    EXPECT_EQ(kstone::status::misuse, thrown([&] { (void)db.get("p"); }).code());
    EXPECT_EQ(kstone::status::misuse, db.try_put("p", number(1)));
    db = std::move(moved);
    EXPECT_EQ(5U, db.scan().size());
}

TEST(Database, JsonInAndOut) {
    kstone::database db;
    db.put_json("k", R"({"n":1,"l":[true]})", kstone::json::plain);
    EXPECT_EQ(R"({"l":{"L":[{"BOOL":true}]},"n":{"N":"1"}})"sv, *db.get_json("k"));
    EXPECT_EQ(R"({"l":[true],"n":1})"sv, *db.get_json("k", kstone::json::plain));
    EXPECT_FALSE(db.get_json("nobody"));
    EXPECT_NE(std::string_view::npos, db.stats_json().view().find("\"items\":1"));
}

TEST(Conditions, DecideAndGiveBackTheOldItem) {
    kstone::database db;
    const kstone::condition absent = kstone::condition("attribute_not_exists(pk)").return_old();
    EXPECT_FALSE(db.put_if("k", number(1), absent));
    try {
        (void)db.put_if("k", number(2), absent);
        FAIL();
    } catch (const kstone::condition_failed &error) {
        EXPECT_EQ(kstone::status::condition_failed, error.code());
        EXPECT_EQ("ConditionalCheckFailedException", error.name());
        EXPECT_STREQ("The conditional request failed", error.what());
        EXPECT_EQ(1, error.item().at<int>("n"));
        EXPECT_EQ("k", error.item().pk().text());
    }
    EXPECT_EQ(1, db.put_if("k", number(2), {})->at<int>("n"));
    const auto is_two = kstone::condition("#n = :two").with("#n", "n").with(":two", 2);
    EXPECT_EQ(2, db.erase_if("k", is_two)->at<int>("n"));
    EXPECT_THROW(db.erase_if("k", is_two), kstone::condition_failed);
    EXPECT_EQ(std::nullopt, db.erase_if("k", {}));
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.put_if("k", number(1), kstone::condition("")); }).code());
}

TEST(Conditions, DoTheSameWithoutExceptions) {
    kstone::database db;
    const auto absent = kstone::condition("attribute_not_exists(pk)");
    const auto is_one = kstone::condition("n = :one").with(":one", 1);
    kstone::stored_item old;
    EXPECT_EQ(kstone::status::ok, db.try_put_if("k", number(1), absent, &old));
    EXPECT_FALSE(old);
    EXPECT_EQ(kstone::status::condition_failed, db.try_put_if("k", number(2), absent));
    EXPECT_EQ(kstone::status::ok, db.try_put_if("k", number(2), is_one, &old));
    EXPECT_EQ(1, old.at<int>("n"));
    EXPECT_EQ(kstone::status::condition_failed, db.try_erase_if("k", is_one, &old));
    EXPECT_EQ(1, old.at<int>("n")) << "it is left alone";

    const auto add = kstone::update("ADD n :d").with(":d", 3).returns(kstone::returning::all_new);
    EXPECT_EQ(kstone::status::ok, db.try_update("k", add, &old));
    EXPECT_EQ(5, old.at<int>("n"));
    EXPECT_EQ(kstone::status::ok, db.try_update("k", kstone::update("SET n = :one").with(":one", 1)));
    EXPECT_EQ(kstone::status::invalid, db.try_update("k", kstone::update("SET")));
    EXPECT_EQ(kstone::status::ok, db.try_erase_if("k", is_one, &old));
    EXPECT_EQ(1, old.at<int>("n"));
    EXPECT_FALSE(db.get("k"));
}

TEST(Conditions, AreCopiedWithTheirBags) {
    kstone::database db;
    kstone::condition one = kstone::condition("n = :v").with(":v", 1);
    kstone::condition two = one;
    two.with(":v", 2);
    db.put("k", number(1));
    EXPECT_THROW(db.put_if("k", number(5), two), kstone::condition_failed);
    EXPECT_TRUE(db.put_if("k", number(2), one));
    one = two;
    EXPECT_TRUE(db.put_if("k", number(3), one));
    EXPECT_THROW(db.put_if("k", number(3), two), kstone::condition_failed);
    // A bag of somebody else's is copied, and an empty one takes everything away.
    two.with_all(kstone::item().set(":v", 3));
    EXPECT_TRUE(db.put_if("k", number(4), two));
    two.with_all({});
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.put_if("k", number(4), two); }).code());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { one.with("", 1); }).code());
}

TEST(Updates, ReturnWhatIsAsked) {
    kstone::database db;
    const auto add = kstone::update("ADD visits :one").with(":one", 1).returns(kstone::returning::updated_new);
    EXPECT_EQ(1, db.update("k", add)->at<int>("visits"));
    EXPECT_EQ(2, db.update("k", add)->at<int>("visits"));
    EXPECT_FALSE(db.update("k", kstone::update("SET a = :a").with_json(":a", "[1]", kstone::json::plain)));
    EXPECT_EQ(1, db.get("k")->at<int>("a[0]"));
    const auto old = kstone::update("REMOVE a").returns(kstone::returning::updated_old);
    EXPECT_EQ("{\"a\":[1]}"sv, db.update("k", old)->to_json(kstone::json::plain));
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.update("k", kstone::update("SET")); }).code());
}

TEST(Updates, MayBeConditional) {
    kstone::database db;
    db.put("k", kstone::item().set("stock", 3));
    auto take = kstone::update("SET stock = stock - :n").with(":n", 2);
    take.when(kstone::condition("stock >= :n").return_old());
    EXPECT_FALSE(db.update("k", take));
    try {
        (void)db.update("k", take);
        FAIL();
    } catch (const kstone::condition_failed &error) {
        EXPECT_EQ(1, error.item().at<int>("stock"));
    }
    // A condition with a bag of its own reads that.
    take.when(kstone::condition("stock < :max").with(":max", 5));
    EXPECT_FALSE(db.update("k", take));
    EXPECT_EQ(-1, db.get("k")->at<int>("stock"));
}

TEST(Queries, EveryRange) {
    const kstone::database db = letters();
    const auto found = [&](const kstone::query &q) { return sort_keys(db.query(q)); };
    EXPECT_EQ("abcde", found(kstone::query("p")));
    EXPECT_EQ("", found(kstone::query("nobody")));
    EXPECT_EQ("c", found(kstone::query("p").equal("c")));
    EXPECT_EQ("ab", found(kstone::query("p").less("c")));
    EXPECT_EQ("abc", found(kstone::query("p").less_equal("c")));
    EXPECT_EQ("de", found(kstone::query("p").greater("c")));
    EXPECT_EQ("cde", found(kstone::query("p").greater_equal("c")));
    EXPECT_EQ("bcd", found(kstone::query("p").between("b", "d")));
    EXPECT_EQ("b", found(kstone::query("p").begins_with("b")));
    EXPECT_EQ("edcba", found(kstone::query("p").reverse()));
    EXPECT_EQ("e", found(kstone::query("p").between("b", "d").greater("d")));
    EXPECT_EQ("de", found(kstone::query::where("pk = :p AND sk > :c").with(":p", "p").with(":c", "c")));
    EXPECT_EQ("be", found(kstone::query("p").filter("n IN (:a, :b)").with(":a", 1).with(":b", 4)));
}

TEST(Queries, CountProjectAndKeysOnly) {
    const kstone::database db = letters();
    const kstone::page counted = db.query(kstone::query("p").filter("n > :v").with(":v", 2).count_only());
    EXPECT_EQ(2U, counted.size());
    EXPECT_EQ(5U, counted.scanned());
    EXPECT_TRUE(counted.begin() == counted.end()) << "no items are handed out";
    EXPECT_FALSE(counted[0]);
    const kstone::page keys = db.query(kstone::query("p").keys_only().limit(1));
    EXPECT_EQ(R"({"pk":"p","sk":"a"})"sv, keys[0].to_json(kstone::json::plain));
    const kstone::page nothing = db.query(kstone::query("p").project("nope").limit(1));
    EXPECT_TRUE(nothing[0] && nothing[0].empty());
    EXPECT_EQ(R"({"Count":1,"Items":[{"n":4}],"ScannedCount":1})"sv,
              db.query(kstone::query("p").reverse().limit(1)).to_json(kstone::json::plain));
}

TEST(Queries, PagesAreWalked) {
    const kstone::database db = letters();
    std::vector<std::string> pages;
    for (const kstone::page &page : db.pages(kstone::query("p").limit(2))) {
        pages.push_back(sort_keys(page));
    }
    EXPECT_EQ((std::vector<std::string>{"ab", "cd", "e"}), pages);
    // By hand, with a token that is kept.
    const auto q = kstone::query("p").limit(2).reverse();
    const kstone::page first = db.query(q);
    const std::string token(first.token().text());
    EXPECT_EQ("ed", sort_keys(first));
    EXPECT_EQ("cb", sort_keys(db.query(q, token)));
    EXPECT_EQ("cb", sort_keys(db.iterate(q, token)));
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.query(kstone::query("q"), token); }).code());
    std::size_t items = 0;
    for (const kstone::page &page : db.pages(kstone::scan().limit(3))) {
        items += page.size();
    }
    EXPECT_EQ(5U, items);
    EXPECT_THROW(
        {
            for (const kstone::page &page : db.pages(kstone::query("p").index("nope"))) {
                ADD_FAILURE() << page.size();
            }
        },
        kstone::error);
}

TEST(Queries, OwnWhatTheyAreGiven) {
    const kstone::database db = letters();
    auto q = kstone::query(std::string("p")).between(std::string("b"), std::string("c"));
    q.filter(std::string("n >= :low AND n < :high ")).with(std::string(":low"), 0).with(":high", 9);
    const kstone::query copy = q;
    q = kstone::query("nobody");
    EXPECT_EQ("bc", sort_keys(db.query(copy)));
    EXPECT_EQ("bc", sort_keys(db.iterate(copy)));
}

TEST(Cursors, ShowOneMoment) {
    kstone::database db = letters();
    std::string seen;
    for (kstone::item_view item : db.iterate(kstone::query("p"))) {
        seen += item.sk().text();
        db.erase({"p", item.sk()});
        db.put({"p", "z" + seen}, number(0));
    }
    EXPECT_EQ("abcde", seen);
    kstone::cursor cursor = db.iterate(kstone::scan().limit(1));
    kstone::item_view item;
    EXPECT_EQ(kstone::status::ok, cursor.try_next(item));
    EXPECT_EQ("p", item.pk().text());
    EXPECT_EQ(kstone::status::done, cursor.try_next(item));
    EXPECT_TRUE(item);
    EXPECT_FALSE(cursor.next());
    EXPECT_FALSE(cursor.next());
    EXPECT_TRUE(cursor.begin() == cursor.end());
    EXPECT_EQ(kstone::status::misuse, thrown([] { (void)kstone::cursor().next(); }).code());
}

TEST(Scans, AreDivided) {
    kstone::database db;
    for (int i = 0; i < 50; i++) {
        db.put(std::to_string(i), number(i));
    }
    std::vector<int> found;
    for (std::uint32_t part = 0; part < 3; part++) {
        for (kstone::item_view item : db.iterate(kstone::scan().segment(part, 3))) {
            found.push_back(item.at<int>("n"));
        }
    }
    std::sort(found.begin(), found.end());
    EXPECT_EQ(50U, found.size());
    EXPECT_TRUE(std::adjacent_find(found.begin(), found.end()) == found.end());
}

TEST(Batches, RunInOrder) {
    kstone::database db;
    kstone::batch batch;
    batch.put("a", number(1)).get("a").update("a", kstone::update("SET n = n + :d").with(":d", 5)).get("a");
    batch.get("nobody").erase("a").get("a");
    const kstone::page page = db.run(batch);
    ASSERT_EQ(4U, page.size());
    EXPECT_EQ(1, page[0].at<int>("n"));
    EXPECT_EQ(6, page[1].at<int>("n"));
    EXPECT_FALSE(page[2]);
    EXPECT_FALSE(page[3]);
    EXPECT_EQ(4, std::distance(page.begin(), page.end()));
    EXPECT_EQ(4U, db.run(batch).size());
}

TEST(Batches, TransactionsAreAllOrNothing) {
    kstone::database db;
    db.put("ann", kstone::item().set("cents", 100));
    db.put("bob", kstone::item().set("cents", 0));
    const auto transfer = [&](int cents) {
        const auto exists = kstone::condition("attribute_exists(pk)");
        kstone::batch batch;
        batch.update("bob", kstone::update("SET cents = cents + :c").with(":c", cents).when(exists));
        batch.update("ann", kstone::update("SET cents = cents - :c")
                                .with(":c", cents)
                                .when(kstone::condition("cents >= :c").return_old()));
        return db.transact(batch);
    };
    EXPECT_TRUE(transfer(30).empty());
    try {
        (void)transfer(300);
        FAIL();
    } catch (const kstone::condition_failed &error) {
        EXPECT_EQ("TransactionCanceledException", error.name());
        EXPECT_EQ(1U, error.index());
        EXPECT_EQ(70, error.item().at<int>("cents"));
        EXPECT_NE(nullptr, std::strstr(error.what(), "[None, ConditionalCheckFailed]"));
    }
    EXPECT_EQ(30, db.get("bob")->at<int>("cents"));
    kstone::batch check;
    check.check("ann", kstone::condition("cents = :c").with(":c", 70)).put("carl", number(1), kstone::condition());
    check.erase("bob", kstone::condition("cents = :c").with(":c", 30));
    EXPECT_TRUE(db.transact(check).empty());
    EXPECT_FALSE(db.get("bob"));
}

TEST(Batches, RefuseAtOnceWhatCannotBe) {
    kstone::batch batch;
    EXPECT_EQ(kstone::status::invalid, thrown([&] { batch.get(""); }).code());
    EXPECT_EQ(kstone::status::limit, thrown([&] { batch.get(std::string(2049, 'k')); }).code());
    EXPECT_EQ(kstone::status::misuse, thrown([&] { batch.put("k", {}); }).code());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { batch.check("k", {}); }).code());
    const auto wants = kstone::update("SET n = :n").with(":n", 1).returns(kstone::returning::all_new);
    EXPECT_EQ(kstone::status::invalid, thrown([&] { batch.update("k", wants); }).code());
    EXPECT_STREQ("invalid key, item or request", thrown([&] { batch.get(""); }).what());
    EXPECT_EQ("", thrown([&] { batch.get(""); }).name());
    kstone::database db;
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.run(batch); }).code()) << "it is still empty";
}

TEST(Schemas, IndexesTtlAndStreams) {
    kstone::options how;
    how.schema = R"({"ttl_attribute":"until","stream":{"view_type":"KEYS_ONLY"}})";
    how.memtable_max_records = 2;
    kstone::database db(how);
    db.set_time(1000);
    db.put("a", kstone::item().set("until", 1000).set("kind", "x").set("n", 2));
    db.put("b", kstone::item().set("until", 9000).set("kind", "x").set("n", 1));
    db.configure(R"({"ttl_attribute":"until","stream":{"view_type":"KEYS_ONLY"},
                     "global_indexes":[{"name":"by-kind","partition_key":"kind","sort_key":"n"}]})");
    EXPECT_EQ("b", db.query(kstone::query("x").index("by-kind").limit(1))[0].pk().text());
    EXPECT_EQ(2U, db.scan(kstone::scan().index("by-kind")).size());
    db.set_time(2000);
    EXPECT_FALSE(db.get("a"));
    EXPECT_EQ(1U, db.purge_expired());
    EXPECT_EQ(0U, db.purge_expired());
    EXPECT_NE(std::string_view::npos, db.stream_read(2, 10).view().find("\"REMOVE\""));
    EXPECT_EQ("{\"Records\":[]}"sv, db.stream_read(3, 10));
    db.flush();
    db.compact();
    EXPECT_EQ(1U, db.scan().size());
    db.configure({});
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.stream_read(0, 1); }).code());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { db.configure("{"); }).code());
}

TEST(ScrollCursors, GoForwardBackAndToAnyKey) {
    kstone::scroll_cursor cursor;
    EXPECT_FALSE(cursor.item());
    EXPECT_EQ(kstone::status::misuse, thrown([&] { (void)cursor.next(); }).code());
    {
        kstone::database db = letters();
        cursor = db.scroll(kstone::query("p"));
        db.clear();
    }
    EXPECT_FALSE(cursor.prev());
    EXPECT_EQ("a", cursor.next().sk().text());
    EXPECT_EQ("c", cursor.seek_sort("bb").sk().text());
    EXPECT_EQ("b", cursor.prev().sk().text());
    EXPECT_EQ("b", cursor.item().sk().text());
    EXPECT_EQ("e", cursor.last().sk().text());
    EXPECT_FALSE(cursor.next());
    EXPECT_FALSE(cursor.item());
    EXPECT_EQ("e", cursor.prev().sk().text());
    EXPECT_EQ("d", cursor.seek({"p", "d"}).sk().text());
    EXPECT_FALSE(cursor.seek_sort("f"));
    EXPECT_EQ("a", cursor.first().sk().text());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)cursor.seek({"q", "d"}); }).code());
    EXPECT_EQ("a", cursor.item().sk().text());
}

TEST(ScrollCursors, ReverseWholeTablesAndWhatCannotBe) {
    kstone::database db = letters();
    kstone::scroll_cursor down = db.scroll(kstone::query("p").reverse());
    EXPECT_EQ("c", down.seek_sort("cc").sk().text());
    EXPECT_EQ("b", down.next().sk().text());
    kstone::scroll_cursor all = db.scroll();
    EXPECT_EQ("b", all.seek({"p", "b"}).sk().text());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)all.seek_sort("b"); }).code());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.scroll(kstone::query("p").limit(1)); }).code());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.scroll(kstone::scan().limit(1)); }).code());
}

TEST(Statistics, OneByOne) {
    kstone::database db = letters();
    EXPECT_EQ(5U, db.count());
    EXPECT_EQ(5U, db.stat(KSTONE_STAT_ITEMS));
    EXPECT_GE(db.stat(KSTONE_STAT_TOTAL_BYTES), db.stat(KSTONE_STAT_LIVE_BYTES));
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.stat(0); }).code());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)db.stat(KSTONE_STAT_MISSES + 1); }).code());
}

TEST(Snapshots, ThroughFunctions) {
    kstone::database db = letters();
    std::string bytes;
    db.snapshot_save_to([&](const char *data, std::size_t size) { bytes.append(data, size); });
    std::size_t at = 0;
    const auto take = [&](char *buffer, std::size_t capacity) {
        const std::size_t size = std::min<std::size_t>({capacity, bytes.size() - at, 10});
        bytes.copy(buffer, size, at);
        at += size;
        return size;
    };
    kstone::database again;
    again.snapshot_load_from(take);
    EXPECT_EQ(5U, again.count());
    EXPECT_EQ(kstone::status::invalid, thrown([&] { again.snapshot_load_from(take); }).code());
    // What the function throws comes out here, and nothing is loaded.
    kstone::database empty;
    const auto failing = [&](char *, std::size_t) -> std::size_t { throw std::string("enough"); };
    EXPECT_THROW(empty.snapshot_load_from(failing), std::string);
    EXPECT_THROW(db.snapshot_save_to([](const char *, std::size_t) { throw 1; }), int);
    at = 7;
    EXPECT_EQ(kstone::status::corrupt, thrown([&] { empty.snapshot_load_from(take); }).code());
    EXPECT_EQ(0U, empty.count());
}

} // namespace
