// airports.cpp: a tour of kstone with real data, the airports of the United States. It does what examples/c does,
// and prints the same.
//
//     airports [--no-times] [airports.csv]
//
// An item is stored under a partition key, here the state, and a sort key, here the airport's code. Items of one
// partition lie in the order of their sort keys, so ranges of them are read without a search. The rest of an item is
// attributes: texts, exact numbers, lists and so on, without a schema.
//
// Read from main() at the bottom upwards; each step is a function. Errors are exceptions, and what was got gives itself
// back.
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <kstone.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

// The columns of the file.
enum { code, name, city, state, country, latitude, longitude, columns };
constexpr std::array<std::string_view, columns> headings = {"iata",    "name",     "city",     "state",
                                                            "country", "latitude", "longitude"};
using row = std::vector<std::string>;

// Splits a line at its commas. A field in quotes may hold commas, and quotes that are doubled.
row split(std::string_view line) {
    row fields(1);
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); i++) {
        if (line[i] == '"') {
            if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
                fields.back() += line[i++];
            } else {
                quoted = !quoted;
            }
        } else if (line[i] == ',' && !quoted) {
            fields.emplace_back();
        } else if (line[i] != '\r') {
            fields.back() += line[i];
        }
    }
    if (quoted || fields.size() != columns) {
        throw std::runtime_error("no airport: " + std::string(line));
    }
    return fields;
}

// Stores one row of the file under (state, code), which therefore are no attributes.
void put_airport(kstone::database &db, const row &fields) {
    kstone::item item;
    for (const std::size_t column : {name, city, country}) {
        item.set(headings[column], fields[column]);
    }
    for (const std::size_t column : {latitude, longitude}) {
        item.set(headings[column], kstone::number(fields[column])); // kept exactly, digit for digit
    }
    db.put({fields[state], fields[code]}, item);
}

// Loads the whole file; returns how many airports it has.
std::size_t load(kstone::database &db, const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::string line;
    std::size_t rows = 0;
    if (!std::getline(file, line) || split(line) != row(headings.begin(), headings.end())) {
        throw std::runtime_error(path + ": no file of airports");
    }
    for (; std::getline(file, line); rows++) {
        put_airport(db, split(line));
    }
    return rows;
}

// Arguments for "%.*s".
#define TEXT(view) static_cast<int>((view).size()), (view).data()

// Attributes are views into the stored items: nothing is copied.
template <class Items> void print(const Items &airports) {
    for (kstone::item_view airport : airports) {
        const std::string_view iata = airport.sk().text();
        const auto title = airport.at<std::string_view>("name");
        const auto place = airport.at<std::string_view>("city");
        std::printf("  %.*s  %.*s, %.*s\n", TEXT(iata), TEXT(title), TEXT(place));
    }
}

// A query reads one partition: all of it or a range, from either end.
void query_a_range(const kstone::database &db) {
    auto query = kstone::query("CA").between("SAC", "SFO");
    const kstone::page found = db.query(query);
    std::printf("\nCalifornia from SAC to SFO, %zu airports:\n", found.size());
    print(found);
    std::printf("\nThe same range from its end, three of them:\n");
    print(db.query(query.reverse().limit(3)));
}

// A scan reads everything, a page at a time.
void scan_everything(const kstone::database &db, std::size_t loaded) {
    constexpr std::uint32_t limit = 500;
    std::size_t pages = 0;
    std::size_t airports = 0;
    std::size_t abroad = 0;
    std::size_t stateless = 0;
    for (const kstone::page &page : db.pages(kstone::scan().limit(limit))) {
        pages++;
        airports += page.size();
        for (kstone::item_view airport : page) {
            abroad += airport.at<std::string_view>("country") != "USA";
            stateless += airport.pk().text() == "NA";
        }
    }
    std::printf("\nA scan in pages of %u: %zu pages, %zu airports; %zu have the state \"NA\", %zu lie outside the USA.\n",
                static_cast<unsigned>(limit), pages, airports, stateless, abroad);
    if (airports != loaded) {
        throw std::runtime_error("the scan found another number of airports than were loaded");
    }
}

// A get refers to the stored item; it stays good whatever happens to the database.
void read_one(const kstone::database &db) {
    const auto airport = db.get({"NY", "JFK"});
    if (!airport) {
        std::printf("\nThere is no JFK in this file.\n");
        return;
    }
    const auto north = airport->at<double>("latitude");
    const auto east = airport->at<double>("longitude");
    std::printf("\nJFK lies at %.4f %s, %.4f %s. As JSON:\n", std::abs(north), north < 0 ? "south" : "north",
                std::abs(east), east < 0 ? "west" : "east");
    std::printf("  %s\n", airport->to_json(kstone::json::plain).c_str());
}

// How many airports a state has, counted without handing them out; a page counts up to 1 MiB of items.
std::size_t count(const kstone::database &db, std::string_view of_state) {
    std::size_t found = 0;
    for (const kstone::page &page : db.pages(kstone::query(of_state).count_only())) {
        found += page.size();
    }
    return found;
}

void delete_one(kstone::database &db) {
    const std::size_t before = count(db, "CA");
    db.erase({"CA", "SFO"});
    const auto status = db.get({"CA", "SFO"}) ? kstone::status::ok : kstone::status::not_found;
    std::printf("\nSFO deleted; getting it now says \"%s\". California had %zu airports and has %zu.\n",
                kstone::to_string(status), before, count(db, "CA"));
}

void run(const std::string &path, bool times) {
    using clock = std::chrono::steady_clock;
    kstone::database db;

    const auto start = clock::now();
    const std::size_t loaded = load(db, path);
    const std::chrono::duration<double> seconds = clock::now() - start;
    std::printf("kstone %.*s: loaded %zu airports", TEXT(kstone::version()), loaded);
    if (times) {
        std::printf(" in %.1f ms, %.0f a second, reading the file included", seconds.count() * 1000,
                    static_cast<double>(loaded) / seconds.count());
    }
    std::printf(".\n");

    query_a_range(db);
    scan_everything(db, loaded);
    read_one(db);
    delete_one(db);
    std::printf("\nThe database about itself:\n  %s\n", db.stats_json().c_str());
    std::printf("\nDone.\n"); // and here all that was stored goes
}

} // namespace

int main(int argc, char **argv) {
    std::string path = "examples/data/airports.csv";
    bool times = true;
    for (int i = 1; i < argc; i++) {
        const std::string_view argument = argv[i];
        if (argument == "--no-times") {
            times = false;
        } else if (argument.substr(0, 1) == "-") {
            std::fprintf(stderr, "usage: %s [--no-times] [airports.csv]\n", argv[0]);
            return 1;
        } else {
            path = argument;
        }
    }
    try {
        run(path, times);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "airports: %s\n", error.what());
        return 1;
    }
    return 0;
}
