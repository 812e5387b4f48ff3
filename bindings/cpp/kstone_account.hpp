/**
 * @file kstone_account.hpp
 * Accounts: DynamoDB's operations in process, for C++17 and later, over kstone.hpp.
 *
 *     kstone::account account;
 *     account.call("CreateTable", R"({"TableName": "Music", ...})");
 *     account.call("PutItem", R"({"TableName": "Music", "Item": {"Artist": {"S": "No One You Know"}, ...}})");
 *     kstone::response found = account.call("GetItem", R"({"TableName": "Music", "Key": {...}})");
 *     std::cout << found.status() << ' ' << found.body() << '\n';           // JSON, as AWS would answer
 *     kstone::database music = account.table("Music");                      // the same items, without JSON
 *
 * A request that AWS would refuse is no exception: response::status() is 400, and the body is what AWS would send.
 * response::check() throws a refusal where that is easier. kstone::error is for mistakes of the program.
 *
 * Ownership and threads are as in kstone.hpp: any number of threads may use one account at once, a response belongs to
 * one.
 */
#ifndef KSTONE_ACCOUNT_HPP
#define KSTONE_ACCOUNT_HPP

#include "kstone.hpp"

namespace kstone {

/** What an item is whose time to live has passed. */
enum class expired_items : std::uint32_t {
    /** Shown until it is removed, which happens with writes near it: DynamoDB's rule. */
    visible = KSTONE_TTL_VISIBLE,
    /** Gone at once: kstone's rule. */
    hidden = KSTONE_TTL_HIDDEN
};

/** Which texts refusals have. */
enum class refusal_texts : std::uint32_t {
    /** Those of the regions that AWS moved to its new validation in 2026, such as us-east-1. */
    current = KSTONE_TEXTS_CURRENT,
    /** Those of all other regions. */
    classic = KSTONE_TEXTS_CLASSIC
};

/** How an account is to be. Views are borrowed until it is open. */
struct account_options {
    /** The region that ARNs name; empty: us-east-1. */
    std::string_view region{};
    /** The account's number that ARNs name, twelve digits; empty: 000000000000. */
    std::string_view account_id{};
    /** The folder whose folders are the buckets of exports and imports; empty: there is none, and these are refused. */
    std::string_view files_root{};
    /** The most bytes that all tables may take: 0 (no limit) or from 1 MiB. */
    std::uint64_t memory_max_bytes = 0;
    /** The time that it shows until account::set_time, in seconds since 1970; 0: that of the system's clock. */
    std::int64_t epoch_seconds = 0;
    /** For how many seconds a new table is CREATING and a changed one UPDATING. */
    std::uint32_t transition_seconds = 0;
    /** What is evicted at memory_max_bytes. */
    kstone::eviction eviction = kstone::eviction::none;
    /** What an item is whose time has passed. */
    expired_items expired = expired_items::visible;
    /** Which texts refusals have. */
    refusal_texts texts = refusal_texts::current;
    /** A thread of the library's own does the merging of sorted runs, so that writers need not. */
    bool background_compaction = false;
};

/** What response::check throws where AWS would refuse the request. Copies share the text, and never throw. */
class refusal : public std::exception {
  public:
    /** The status of the answer, and its body. */
    refusal(int status, std::string_view body) : status_(status), body_(std::make_shared<const std::string>(body)) {}

    /** The status of the HTTP answer: 400 and above. */
    int status() const noexcept { return status_; }

    /** The body of the answer, JSON: "__type" names the exception, "message" says what is wrong. */
    std::string_view body() const noexcept { return *body_; }

    /** The body. */
    const char *what() const noexcept override { return body_->c_str(); }

  private:
    int status_;
    std::shared_ptr<const std::string> body_;
};

/** An answer, and the memory for the next one. Outlives its account. One thread at a time. */
class response {
  public:
    /** None yet: status() is 0. */
    response() noexcept = default;

    /** The status of the HTTP answer that AWS would give: 200; 400 and above for what it refuses. */
    int status() const noexcept { return static_cast<int>(kstone_response_http_status(handle_.get())); }

    /** Whether AWS would carry out the request. */
    bool ok() const noexcept { return status() == 200; }

    /** The body: JSON. Borrowed until the response is used for another call. */
    std::string_view body() const noexcept { return bytes_view(kstone_response_body(handle_.get())).text(); }

    /** The CRC-32 of the body, which AWS sends as x-amz-crc32. */
    std::uint32_t crc32() const noexcept { return kstone_response_crc32(handle_.get()); }

    /** The number of the request, which AWS sends as x-amzn-RequestId. Borrowed as the body is. */
    std::string_view request_id() const noexcept { return kstone_response_request_id(handle_.get()); }

    /** Throws a refusal where AWS would refuse the request; otherwise the response itself. */
    const response &check() const & {
        if (!ok()) {
            throw refusal(status(), body());
        }
        return *this;
    }

    /** The same of a temporary, which is moved out. */
    response check() && {
        std::as_const(*this).check();
        return std::move(*this);
    }

    /** The C library's handle, borrowed; null before the first answer. */
    const kstone_response *get() const noexcept { return handle_.get(); }

  private:
    friend class account;

    detail::owned<kstone_response> handle_;
};

/**
 * Any number of tables in memory behind DynamoDB's operations. All is gone when it goes, except for what databases of
 * its tables still refer to.
 *
 * Any number of threads may use one at once, all functions but the destructor, moving and assigning.
 */
class account {
  public:
    /** Opens an account without tables. Throws error with status::invalid where an option is out of its range. */
    explicit account(const account_options &how = {}) {
        kstone_account_options raw{};
        kstone_account *handle = nullptr;
        raw.struct_size = sizeof raw;
        raw.region = how.region.empty() ? nullptr : how.region.data();
        raw.region_len = how.region.size();
        raw.account_id = how.account_id.empty() ? nullptr : how.account_id.data();
        raw.account_id_len = how.account_id.size();
        raw.files_root = how.files_root.empty() ? nullptr : how.files_root.data();
        raw.files_root_len = how.files_root.size();
        raw.memory_max_bytes = how.memory_max_bytes;
        raw.epoch_seconds = how.epoch_seconds;
        raw.transition_seconds = how.transition_seconds;
        raw.eviction = static_cast<std::uint32_t>(how.eviction);
        raw.ttl = static_cast<std::uint32_t>(how.expired);
        raw.texts = static_cast<std::uint32_t>(how.texts);
        raw.flags = how.background_compaction ? KSTONE_OPEN_BACKGROUND_COMPACTION : 0;
        detail::call([&](kstone_error **err) { return kstone_account_open(&raw, &handle, err); });
        handle_.reset(handle);
    }

    /** Takes over what came out of the C library. */
    explicit account(kstone_account *handle) noexcept : handle_(handle) {}

    /**
     * Carries out one request: an operation's name, such as "PutItem", or what SDKs send as X-Amz-Target; and its JSON.
     * Throws error where the account was moved from.
     */
    response call(std::string_view operation, bytes_view body) {
        response answer;
        call(operation, body, answer);
        return answer;
    }

    /**
     * The same into a response that is there already, whose memory is used again: a loop that keeps one allocates
     * nothing here. `operation` and `body` may be borrowed from it.
     */
    void call(std::string_view operation, bytes_view body, response &answer) {
        std::array<char, 96> whole;
        if (operation.find('.') == std::string_view::npos && operation.size() <= whole.size() - 32) {
            const std::string_view service =
                is_of_streams(operation) ? "DynamoDBStreams_20120810." : "DynamoDB_20120810.";
            service.copy(whole.data(), service.size());
            operation.copy(whole.data() + service.size(), operation.size());
            operation = {whole.data(), service.size() + operation.size()};
        }
        kstone_response *handle = answer.handle_.get();
        detail::call([&](kstone_error **err) {
            return kstone_account_call(get(), operation.data(), operation.size(), body.data(), body.size(), &handle,
                                       err);
        });
        if (handle != answer.handle_.get()) {
            answer.handle_.reset(handle);
        }
    }

    /**
     * The table of this name as a database: the same items, without JSON. What belongs to the account is refused there:
     * configure, set_time and snapshot_load. Throws error with status::invalid, named ResourceNotFoundException, where
     * there is no such table.
     */
    database table(std::string_view name) const {
        kstone_db *table = nullptr;
        detail::call(
            [&](kstone_error **err) { return kstone_account_table(get(), name.data(), name.size(), &table, err); });
        return database(table);
    }

    /** Fixes the time, in seconds since 1970; 0 goes back to the system's clock. For tests. */
    void set_time(std::int64_t epoch_seconds) {
        detail::call([&](kstone_error **err) { return kstone_account_set_time(get(), epoch_seconds, err); });
    }

    /**
     * An account of its own that holds what this one holds now, all tables at one moment: writes on either side never
     * show on the other, and either may go before the other. Costs some tens of microseconds for each table.
     */
    account fork() const {
        kstone_account *made = nullptr;
        detail::call([&](kstone_error **err) { return kstone_account_fork(get(), &made, err); });
        return account(made);
    }

    /** Writes all tables as they are now to a file. Throws error: status::io, invalid; the file is then as it was. */
    void snapshot_save(const std::string &path) const {
        detail::call(
            [&](kstone_error **err) { return kstone_account_snapshot_save(get(), path.data(), path.size(), err); });
    }

    /**
     * Adds the tables of a file: all of them appear at once, after all of it was checked. Throws error: status::corrupt,
     * io, limit; status::invalid also where there is a table of one of the names. Nothing is loaded then.
     */
    void snapshot_load(const std::string &path) {
        detail::call(
            [&](kstone_error **err) { return kstone_account_snapshot_load(get(), path.data(), path.size(), err); });
    }

    /** Numbers about the account as a JSON object: see kstone_account_stats_json. */
    text stats_json() const {
        char *data = nullptr;
        std::size_t size = 0;
        detail::call([&](kstone_error **err) { return kstone_account_stats_json(get(), &data, &size, err); });
        return {data, size};
    }

    /** The C library's handle, borrowed. */
    kstone_account *get() const noexcept { return handle_.get(); }

  private:
    static bool is_of_streams(std::string_view operation) noexcept {
        return operation == "ListStreams" || operation == "DescribeStream" || operation == "GetShardIterator" ||
               operation == "GetRecords";
    }

    detail::owned<kstone_account> handle_;
};

} // namespace kstone

#endif
