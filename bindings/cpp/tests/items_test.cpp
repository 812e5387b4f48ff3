// Items: what is set and read, what is refused, and that nothing is copied on the way.
#include "kstone.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace {

using namespace std::string_view_literals;

// An owner costs a pointer, a view too; owners move, and views are copied for nothing.
static_assert(sizeof(kstone::item) == sizeof(void *));
static_assert(sizeof(kstone::stored_item) == sizeof(void *));
static_assert(sizeof(kstone::item_view) == sizeof(void *));
static_assert(sizeof(kstone::database) == sizeof(void *));
template <class T>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
                            !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(moves_only<kstone::database> && moves_only<kstone::item> && moves_only<kstone::stored_item> &&
              moves_only<kstone::page> && moves_only<kstone::cursor> && moves_only<kstone::batch> &&
              moves_only<kstone::text>);
static_assert(std::is_trivially_copyable_v<kstone::item_view> && std::is_trivially_copyable_v<kstone::value> &&
              std::is_trivially_copyable_v<kstone::bytes_view>);
static_assert(std::is_nothrow_copy_constructible_v<kstone::error>, "as an exception must be");
// What was read cannot be changed: that is no error at run time, it does not compile.
template <class T, class = void> constexpr bool has_setter = false;
template <class T> constexpr bool has_setter<T, std::void_t<decltype(std::declval<T &>().set("a", 1))>> = true;
static_assert(has_setter<kstone::item> && !has_setter<kstone::stored_item> && !has_setter<kstone::item_view>);

// The status with which a call throws; ok where it does not.
template <class F> kstone::status thrown(F f) {
    try {
        f();
    } catch (const kstone::error &error) {
        EXPECT_STRNE("", error.what());
        return error.code();
    }
    return kstone::status::ok;
}

TEST(Items, EveryTypeIsSetAndRead) {
    const std::vector<unsigned char> vector = {0, 255};
    const std::array<std::byte, 1> array = {std::byte{7}};
    const std::string text = "Ada";
    kstone::item item;
    item.set("text", text).set("literal", "x").set("empty", "").set("nul", "a\0b"sv);
    item.set("int", -5).set("unsigned", 7U).set("wide", std::numeric_limits<std::uint64_t>::max());
    item.set("double", 0.5).set("exact", kstone::number("12345678901234567890.123456789012345678"));
    item.set("vector", vector).set("array", array).set("bytes", kstone::bytes_view("\xff", 1));
    item.set("yes", true).set("no", false).set("null", nullptr);
    EXPECT_EQ(15U, item.size());
    EXPECT_EQ("Ada", item.at<std::string_view>("text"));
    EXPECT_EQ("x", item.at<std::string_view>("literal"));
    EXPECT_EQ("", item.at<std::string_view>("empty"));
    EXPECT_EQ("a\0b"sv, item.at<std::string_view>("nul"));
    EXPECT_EQ(-5, item.at<int>("int"));
    EXPECT_EQ(7, item.at<std::int64_t>("unsigned"));
    EXPECT_EQ(std::numeric_limits<std::uint64_t>::max(), item.at<std::uint64_t>("wide"));
    EXPECT_EQ(0.5, item.at<double>("double"));
    EXPECT_EQ(0.5F, item.at<float>("double"));
    EXPECT_EQ("12345678901234567890.123456789012345678", item.at<kstone::number>("exact").digits);
    EXPECT_EQ(vector, item.at<kstone::bytes_view>("vector"));
    EXPECT_EQ("\x07", item.at<kstone::bytes_view>("array").text());
    EXPECT_EQ("\xff", item.at<kstone::bytes_view>("bytes").text());
    EXPECT_TRUE(item.at<bool>("yes"));
    EXPECT_FALSE(item.at<bool>("no"));
    EXPECT_EQ(kstone::type::null, item.at<kstone::value>("null").type());
}

TEST(Items, ContainersBecomeDocumentsAndSets) {
    kstone::item item;
    item.set("list", std::vector<std::string>{"a", "b\"\\\n\x1f"})
        .set("none", std::vector<double>())
        .set("truths", std::vector<bool>{true, false})
        .set("map", std::map<std::string, std::vector<int>>{{"x", {1, -2}}, {"y", {}}})
        .set("texts", std::set<std::string>{"b", "a"})
        .set("numbers", std::unordered_set<std::uint64_t>{18446744073709551615U, 0})
        .set("halves", std::set<double>{0.5, -1e20})
        .set("bytes", std::set<std::vector<unsigned char>>{{0}, {0xff, 1}, {1, 2, 3}})
        .set("here", std::optional<int>(7))
        .set("away", std::optional<std::string>())
        .set("mixed", kstone::list()
                          .add("a", 1, 2.5, true, nullptr, kstone::number("1.10"), std::array<std::byte, 1>{})
                          .add(kstone::map().set("k", kstone::list()).set("s", std::set<int>{1}), kstone::list()));
    const std::string expected =
        R"({"away":{"NULL":true},"bytes":{"BS":["AA==","AQID","/wE="]},"halves":{"NS":["-100000000000000000000","0.5"]},)"
        R"("here":{"N":"7"},"list":{"L":[{"S":"a"},{"S":"b\"\\\n\u001f"}]},)"
        R"("map":{"M":{"x":{"L":[{"N":"1"},{"N":"-2"}]},"y":{"L":[]}}},)"
        R"("mixed":{"L":[{"S":"a"},{"N":"1"},{"N":"2.5"},{"BOOL":true},{"NULL":true},{"N":"1.1"},{"B":"AA=="},)"
        R"({"M":{"k":{"L":[]},"s":{"NS":["1"]}}},{"L":[]}]},"none":{"L":[]},)"
        R"("numbers":{"NS":["0","18446744073709551615"]},"texts":{"SS":["a","b"]},)"
        R"("truths":{"L":[{"BOOL":true},{"BOOL":false}]}})";
    EXPECT_EQ(expected, item.to_json().view());

    kstone::item copy;
    for (const auto &[name, value] : item.attributes()) {
        copy.set(name, value);
    }
    EXPECT_EQ(expected, copy.to_json().view()) << "every value goes from item to item";
    EXPECT_EQ("{\"item\":{\"M\":" + expected + "}}", kstone::item().set("item", item).to_json().view());
}

TEST(Items, ContainersThatCannotBeAreRefused) {
    const auto refused = [](auto value) {
        kstone::item item;
        item.set("v", 1);
        try {
            item.set("v", value);
        } catch (const kstone::error &error) {
            EXPECT_EQ(1, item.at<int>("v"));
            return error.code();
        }
        return kstone::status::ok;
    };
    EXPECT_EQ(kstone::status::invalid, refused(std::set<int>()));
    EXPECT_EQ(kstone::status::invalid, refused(std::vector<std::string>{"\xff"}));
    EXPECT_EQ(kstone::status::invalid, refused(std::vector<double>{std::numeric_limits<double>::quiet_NaN()}));
    EXPECT_EQ(kstone::status::invalid, refused(std::vector<kstone::number>{kstone::number("1\"}")}));
    EXPECT_EQ(kstone::status::invalid, refused(std::map<std::string, int>{{"", 1}}));
    EXPECT_EQ(kstone::status::invalid, refused(kstone::map().set("a", 1).set("a", 2)));
    kstone::list deep;
    for (int i = 0; i < 40; i++) {
        deep = kstone::list().add(deep);
    }
    EXPECT_EQ(kstone::status::limit, refused(deep));
}

TEST(Items, WhatIsNotThereIsNothingAndWhatIsOfAnotherTypeAnError) {
    const kstone::item item = kstone::item().set("n", 300).set("half", 0.5).set("s", "x").set("minus", -1);
    EXPECT_EQ(std::nullopt, item.find<int>("nope"));
    EXPECT_EQ(300, item.find<int>("n"));
    EXPECT_TRUE(item.contains("n"));
    EXPECT_FALSE(item.contains("nope"));
    EXPECT_EQ(kstone::status::not_found, thrown([&] { (void)item.at<int>("nope"); }));
    EXPECT_EQ(kstone::status::type, thrown([&] { (void)item.at<std::string_view>("n"); }));
    EXPECT_EQ(kstone::status::type, thrown([&] { (void)item.find<int>("s"); }));
    EXPECT_EQ(kstone::status::type, thrown([&] { (void)item.find<kstone::bytes_view>("s"); }));
    EXPECT_EQ(kstone::status::type, thrown([&] { (void)item.find<bool>("n"); }));
    EXPECT_EQ(kstone::status::type, thrown([&] { (void)item.find<kstone::number>("s"); }));
    EXPECT_EQ(kstone::status::invalid, thrown([&] { (void)item.find<int>("a["); }));
    // Numbers that do not fit what is asked for.
    EXPECT_EQ(kstone::status::type, thrown([&] { (void)item.at<std::int8_t>("n"); }));
    EXPECT_EQ(kstone::status::type, thrown([&] { (void)item.at<int>("half"); }));
    EXPECT_EQ(kstone::status::type, thrown([&] { (void)item.at<unsigned>("minus"); }));
    // The noexcept form leaves alone what it cannot fill.
    int out = 77;
    EXPECT_EQ(kstone::status::not_found, item.try_get("nope", out));
    EXPECT_EQ(kstone::status::type, item.try_get("s", out));
    EXPECT_EQ(77, out);
    EXPECT_EQ(kstone::status::ok, item.try_get("n", out));
    EXPECT_EQ(300, out);
}

TEST(Items, SettersRefuseAndLeaveTheItemAsItWas) {
    kstone::item item = kstone::item().set("n", 1);
    EXPECT_EQ(kstone::status::invalid, thrown([&] { item.set("", 1); }));
    EXPECT_EQ(kstone::status::invalid, thrown([&] { item.set("s", "\xff"); }));
    EXPECT_EQ(kstone::status::invalid, thrown([&] { item.set("n", kstone::number("1x")); }));
    EXPECT_EQ(kstone::status::invalid, thrown([&] { item.set("n", std::numeric_limits<double>::infinity()); }));
    EXPECT_EQ(kstone::status::limit, thrown([&] { item.set("s", std::string(500 * 1024, 'x')); }));
    EXPECT_EQ(kstone::status::invalid, item.try_set("n", kstone::number("")));
    EXPECT_EQ(kstone::status::invalid, thrown([&] { item.set_json("n", "{\"N\":1}"); }));
    EXPECT_EQ("{\"n\":{\"N\":\"1\"}}", item.to_json().view());
    EXPECT_EQ(kstone::status::ok, item.try_set("n", 2));
    EXPECT_EQ(2, item.at<int>("n"));
    EXPECT_TRUE(item.erase("n"));
    EXPECT_FALSE(item.erase("n"));
    EXPECT_EQ(kstone::status::invalid, thrown([&] { item.erase("\xff"); }));
    EXPECT_TRUE(item.empty());
}

TEST(Items, ExactNumbersSayWhatIsWrong) {
    kstone::item item;
    try {
        item.set("n", kstone::number("1.2.3"));
        FAIL();
    } catch (const kstone::error &error) {
        EXPECT_EQ("ValidationException", error.name());
        EXPECT_EQ(std::nullopt, error.index());
        EXPECT_FALSE(error.item());
    }
}

TEST(Items, AttributesAreWalkedInOrderOfTheirNames) {
    const kstone::item item = kstone::item().set("b", 2).set("a", "x").set("c", nullptr);
    std::string seen;
    for (const auto &[name, value] : item.attributes()) {
        seen += name;
        seen += value.bytes().text();
    }
    EXPECT_EQ("axb2c", seen);
    const kstone::attribute_range attributes = item.attributes();
    EXPECT_EQ(3, std::distance(attributes.begin(), attributes.end()));
    EXPECT_EQ("a", attributes.begin()->name);
    const kstone::item nothing;
    EXPECT_TRUE(nothing.attributes().begin() == nothing.attributes().end());
}

TEST(Items, DocumentsAreWalkedInPlace) {
    const kstone::item item = kstone::item::from_json(
        R"({"l":[1,"two",[3],{"four":4}],"m":{"x":1,"y":[]}})", kstone::json::plain);
    EXPECT_EQ("two", item.at<std::string_view>("l[1]"));
    EXPECT_EQ(3, item.at<int>("l[2][0]"));
    EXPECT_EQ(4, item.at<int>("l[3].four"));
    std::vector<kstone::type> types;
    for (const kstone::value &element : item.at<kstone::value>("l").elements()) {
        types.push_back(element.type());
    }
    EXPECT_EQ((std::vector<kstone::type>{kstone::type::number, kstone::type::text, kstone::type::list,
                                         kstone::type::map}),
              types);
    std::string names;
    for (const auto &[name, value] : item.at<kstone::value>("m").members()) {
        names += name;
        EXPECT_EQ(name == "x" ? std::optional<int>(1) : std::nullopt, value.get<int>());
    }
    EXPECT_EQ("xy", names);
    // A text has neither elements nor members.
    const auto text = item.at<kstone::value>("l[1]");
    EXPECT_TRUE(text.elements().begin() == text.elements().end());
    EXPECT_TRUE(text.members().begin() == text.members().end());
}

TEST(Items, SetsAreWalkedInPlaceAsWhatTheyHold) {
    kstone::item item;
    item.set_json("ss", R"({"SS":["b","a",""]})").set_json("ns", R"({"NS":["10","9"]})");
    item.set_json("bs", R"({"BS":["/w==","AA=="]})");
    std::string texts;
    for (const kstone::value &element : item.at<kstone::value>("ss").elements()) {
        texts += "<" + std::string(element.get<std::string_view>().value()) + ">";
    }
    EXPECT_EQ("<><a><b>", texts);
    int sum = 0;
    for (const kstone::value &element : item.at<kstone::value>("ns").elements()) {
        sum = sum * 100 + element.get<int>().value();
    }
    EXPECT_EQ(910, sum);
    std::vector<std::uint8_t> bytes;
    for (const kstone::value &element : item.at<kstone::value>("bs").elements()) {
        bytes.push_back(*element.get<kstone::bytes_view>().value().data());
    }
    EXPECT_EQ((std::vector<std::uint8_t>{0, 255}), bytes);
}

// Lengths of 128 bytes and more take two bytes and more in the stored form.
TEST(Items, LongValuesAreWalkedToo) {
    const std::string text(300, 'x');
    const std::string name(20000, 'n');
    const kstone::item item = kstone::item().set("a", text).set(name, 1).set("z", 2);
    std::vector<std::size_t> lengths;
    for (const auto &[found, value] : item.attributes()) {
        lengths.push_back(found.size());
        lengths.push_back(value.bytes().size());
    }
    EXPECT_EQ((std::vector<std::size_t>{1, 300, 20000, 1, 1, 1}), lengths);
}

TEST(Items, GettersPointIntoTheItem) {
    kstone::database db;
    db.put("k", kstone::item().set("text", "a text of some length").set_json("l", R"({"L":[{"S":"x"}]})"));
    const kstone::stored_item first = *db.get("k");
    const kstone::stored_item second = *db.get("k");
    EXPECT_EQ(static_cast<const void *>(first.at<std::string_view>("text").data()),
              static_cast<const void *>(second.at<std::string_view>("text").data()));
    EXPECT_EQ(static_cast<const void *>(first.at<std::string_view>("l[0]").data()),
              static_cast<const void *>(first.at<kstone::value>("l").elements().begin()->bytes().data()));
}

TEST(Items, OwnersMove) {
    kstone::item item = kstone::item().set("n", 1);
    kstone::item moved = std::move(item);
    EXPECT_EQ(1, moved.at<int>("n"));
    EXPECT_FALSE(item); // NOLINT(bugprone-use-after-move): that this is told is what is tested
    EXPECT_EQ(kstone::status::misuse, thrown([&] { (void)item.at<int>("n"); }));
    EXPECT_EQ(kstone::status::misuse, thrown([&] { item.set("n", 1); }));
    EXPECT_EQ(kstone::status::misuse, thrown([&] { (void)item.clone(); }));
    item = moved.clone();
    moved.set("n", 2);
    EXPECT_EQ(1, item.at<int>("n"));
}

TEST(Items, JsonInBothForms) {
    const kstone::item item = kstone::item::from_json(R"({"n":{"N":"1"},"s":{"S":"x"}})");
    EXPECT_EQ(R"({"n":1,"s":"x"})", item.to_json(kstone::json::plain).view());
    EXPECT_EQ(R"({"n":{"N":"1"},"s":{"S":"x"}})"sv, item.to_json());
    EXPECT_STREQ(R"({"n":1,"s":"x"})", item.to_json(kstone::json::plain).c_str());
    EXPECT_EQ("", kstone::text().view());
    try {
        (void)kstone::item::from_json("{\"a\":\n1}");
        FAIL();
    } catch (const kstone::error &error) {
        EXPECT_EQ(kstone::status::invalid, error.code());
        EXPECT_NE(nullptr, std::strstr(error.what(), "a"));
    }
}

TEST(Items, ViewsOfNothing) {
    const kstone::item_view nothing;
    EXPECT_FALSE(nothing);
    EXPECT_EQ(0U, nothing.size());
    EXPECT_TRUE(nothing.pk().empty());
    EXPECT_TRUE(nothing.attributes().begin() == nothing.attributes().end());
    EXPECT_EQ(kstone::status::misuse, thrown([&] { (void)nothing.find<int>("n"); }));
    EXPECT_EQ(std::nullopt, kstone::value().get<int>());
}

TEST(Bytes, AreMadeOfWhatHoldsThem) {
    const std::string string = "ab";
    const std::vector<std::byte> vector = {std::byte{'a'}, std::byte{'b'}};
    const std::array<unsigned char, 2> array = {'a', 'b'};
    const std::array<kstone::bytes_view, 5> same = {string, vector, array, "ab", "ab"sv};
    for (const kstone::bytes_view &bytes : same) {
        EXPECT_EQ(same[0], bytes);
        EXPECT_EQ("ab", bytes.text());
        EXPECT_EQ(2, std::distance(bytes.begin(), bytes.end()));
    }
    EXPECT_NE(same[0], kstone::bytes_view("abc"));
    EXPECT_TRUE(kstone::bytes_view().empty());
    EXPECT_FALSE((std::is_convertible_v<std::vector<int>, kstone::bytes_view>));
}

TEST(Library, TellsItsVersionAndStatuses) {
    EXPECT_EQ(kstone_version(), kstone::version());
    EXPECT_STREQ("not found", kstone::to_string(kstone::status::not_found));
    EXPECT_STREQ("the condition did not hold", kstone::to_string(kstone::status::condition_failed));
}

} // namespace
