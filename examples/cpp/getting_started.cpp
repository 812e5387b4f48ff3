// The requests of DynamoDB's getting-started guide, sent to an account in this process: a table of songs is made,
// filled, read, changed, queried, scanned and deleted.
//
//     c++ -std=c++17 examples/cpp/getting_started.cpp $(pkg-config --cflags --libs kstone) -o getting_started
#include <kstone_account.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view create_music = R"({
    "TableName": "Music",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "Artist", "AttributeType": "S"},
        {"AttributeName": "SongTitle", "AttributeType": "S"}
    ],
    "KeySchema": [
        {"AttributeName": "Artist", "KeyType": "HASH"},
        {"AttributeName": "SongTitle", "KeyType": "RANGE"}
    ]
})";
constexpr std::string_view happy_day = R"("Key": {"Artist": {"S": "Acme Band"}, "SongTitle": {"S": "Happy Day"}})";

std::string song(const std::string &artist, const std::string &title, const std::string &album, int awards) {
    return R"({"TableName": "Music", "Item": {"Artist": {"S": ")" + artist + R"("}, "SongTitle": {"S": ")" + title +
           R"("}, "AlbumTitle": {"S": ")" + album + R"("}, "Awards": {"N": ")" + std::to_string(awards) + "\"}}}";
}

// What AWS would print, but for descriptions of tables, which are long and never the same.
void ask(kstone::account &account, std::string_view operation, std::string_view body) {
    const kstone::response answer = account.call(operation, body);
    std::cout << operation << ": " << answer.status();
    if (operation.find("Table") == std::string_view::npos) {
        std::cout << ' ' << answer.body();
    }
    std::cout << '\n';
}

void send_all(kstone::account &account) {
    ask(account, "CreateTable", create_music);
    ask(account, "PutItem", song("No One You Know", "Call Me Today", "Somewhat Famous", 1));
    ask(account, "PutItem", song("No One You Know", "Howdy", "Somewhat Famous", 2));
    ask(account, "PutItem", song("Acme Band", "Happy Day", "Songs About Life", 10));
    ask(account, "PutItem", song("Acme Band", "PartiQL Rocks", "Another Album Title", 8));
    ask(account, "GetItem", R"({"TableName": "Music", "ConsistentRead": true, )" + std::string(happy_day) + "}");
    ask(account, "UpdateItem", R"({"TableName": "Music", )" + std::string(happy_day) + R"(,
        "UpdateExpression": "SET AlbumTitle = :newval",
        "ExpressionAttributeValues": {":newval": {"S": "Updated Album Title"}},
        "ReturnValues": "ALL_NEW"})");
    ask(account, "Query", R"({"TableName": "Music",
        "KeyConditionExpression": "Artist = :name",
        "ExpressionAttributeValues": {":name": {"S": "Acme Band"}}})");
    ask(account, "Scan", R"({"TableName": "Music",
        "FilterExpression": "Awards < :few",
        "ExpressionAttributeValues": {":few": {"N": "2"}}})");
    ask(account, "DeleteTable", R"({"TableName": "Music"})");
    // What AWS refuses is an answer too, unless response::check() is asked to throw it.
    ask(account, "GetItem", R"({"TableName": "Music", )" + std::string(happy_day) + "}");
}

} // namespace

int main() {
    try {
        kstone::account account;
        send_all(account);
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
