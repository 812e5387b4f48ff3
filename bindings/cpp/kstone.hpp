/**
 * @file kstone.hpp
 * kstone for C++17 and later: DynamoDB's data model in memory, over the C library. Header-only.
 *
 *     kstone::database db;
 *     db.put({"CA", "SFO"}, kstone::item().set("name", "San Francisco International").set("runways", 4));
 *     if (auto airport = db.get({"CA", "SFO"})) {
 *         std::cout << airport->at<std::string_view>("name") << '\n';   // points into the stored item: no copy
 *     }
 *     for (kstone::item_view airport : db.iterate(kstone::query("CA").begins_with("S"))) { ... }
 *     for (kstone::item_view row : db.execute("SELECT sk, name FROM items WHERE pk = ? LIMIT 3", "CA")) { ... }
 *     kstone::database copy = db.fork();                                    // isolated, in microseconds
 *
 * kstone.h says what each call costs and means; here stands what C++ adds.
 *
 * ERRORS. A call that fails throws kstone::error, which has the status, DynamoDB's name for it, a message, and where
 * there is one the operation of a batch and the item that made a condition fail. "Not found" is no error but an empty
 * std::optional. Functions named try_... are noexcept and return the status instead, without any details: they are for
 * the hot path, and are each one call into the library. A write that failed has changed nothing. Where this header
 * itself runs out of memory, std::bad_alloc is thrown; the library ends the process.
 *
 * OWNERSHIP. What owns something (database, item, stored_item, page, cursor, batch, text) can be moved but not copied,
 * and releases it when it goes. What is borrowed (item_view, value, attribute, bytes_view, std::string_view) is good as
 * long as what it was borrowed from is neither changed nor gone: until then nothing is copied. Items, pages and cursors
 * outlive the database they came from. What is passed in is copied, and may go when the call returns. An object that
 * was moved from may be assigned to or destroyed; every other use of it is an error with status::misuse.
 *
 * THREADS. Any number of threads may use one database at once. Everything else may go from thread to thread but is used
 * by one at a time, also for reading.
 *
 * TEXT AND BYTES. Names, expressions and JSON are std::string_view. Keys and binary values are bytes_view, which is
 * made implicitly of text and of whatever holds bytes one after the other: std::string, std::vector<std::byte>, an
 * array of unsigned char, std::span. A string literal ends at its first NUL: write "a\0b"sv.
 */
#ifndef KSTONE_HPP
#define KSTONE_HPP

#include "kstone.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace kstone {

class item;
class item_view;

/** The outcome of a call: 0 is success, above 0 is no error, below 0 is an error. The values are those of kstone.h. */
enum class status : std::int32_t {
    ok = KSTONE_OK,
    /** No item under that key, or nothing at that path. */
    not_found = KSTONE_NOT_FOUND,
    /** The cursor has come to its end. */
    done = KSTONE_DONE,
    /** An object that was moved from, or a mistake in this header. */
    misuse = KSTONE_ERR_MISUSE,
    /** A key, item, request or JSON text is not acceptable. */
    invalid = KSTONE_ERR_INVALID,
    /** The condition of a write did not hold: nothing was written. */
    condition_failed = KSTONE_ERR_CONDITION_FAILED,
    /** Another transaction was in the way: try again. */
    conflict = KSTONE_ERR_CONFLICT,
    /** A documented size limit is passed. */
    limit = KSTONE_ERR_LIMIT,
    /** The attribute is of another type than what was asked for. */
    type = KSTONE_ERR_TYPE,
    /** Data to be loaded fails its checks. */
    corrupt = KSTONE_ERR_CORRUPT,
    /** The operating system refused to read or write a file. */
    io = KSTONE_ERR_IO,
    /** The library failed inside. */
    panic = KSTONE_ERR_PANIC,
    /** A reader of the change stream fell behind what the stream keeps. */
    trimmed = KSTONE_ERR_TRIMMED
};

/** A short phrase for a status, such as "not found". Good for as long as the library is loaded. Any thread. */
inline const char *to_string(status s) noexcept { return kstone_status_text(static_cast<kstone_status>(s)); }

/** The version of the library that is loaded, as "MAJOR.MINOR.PATCH". Any thread. */
inline std::string_view version() noexcept { return kstone_version(); }

/** How items are written as JSON: DynamoDB's typed form, {"age":{"N":"30"}}, or plain JSON, {"age":30}. */
enum class json : std::uint32_t { typed = 0, plain = KSTONE_JSON_PLAIN };

/** The types of values. */
enum class type : std::uint32_t {
    text = KSTONE_TYPE_S,
    number = KSTONE_TYPE_N,
    bytes = KSTONE_TYPE_B,
    boolean = KSTONE_TYPE_BOOL,
    null = KSTONE_TYPE_NULL,
    list = KSTONE_TYPE_L,
    map = KSTONE_TYPE_M,
    text_set = KSTONE_TYPE_SS,
    number_set = KSTONE_TYPE_NS,
    bytes_set = KSTONE_TYPE_BS
};

namespace detail {

template <class T>
inline constexpr bool is_byte = std::is_same_v<T, char> || std::is_same_v<T, signed char> ||
                                std::is_same_v<T, unsigned char> || std::is_same_v<T, std::byte>;

/** Has data() and size() over bytes, and is no text. */
template <class T, class = void> inline constexpr bool is_buffer = false;
template <class T>
inline constexpr bool
    is_buffer<T, std::void_t<decltype(std::declval<const T &>().data()), decltype(std::declval<const T &>().size())>> =
        is_byte<std::remove_cv_t<std::remove_pointer_t<decltype(std::declval<const T &>().data())>>> &&
        !std::is_convertible_v<const T &, std::string_view>;

struct release {
    void operator()(void *p) const noexcept { kstone_free(p); }
};
template <class T> using owned = std::unique_ptr<T, release>;

} // namespace detail

/**
 * Borrowed bytes: a pointer and a length. Made implicitly of text and of what holds bytes one after the other. Does not
 * own or copy them.
 */
class bytes_view {
  public:
    constexpr bytes_view() noexcept = default;

    /** `size` bytes from `data` on; `data` may be null where there are none. */
    bytes_view(const void *data, std::size_t size) noexcept
        : data_(static_cast<const std::uint8_t *>(data)), size_(size) {}

    /** The bytes of a text, without a NUL behind it. */
    template <class T, std::enable_if_t<std::is_convertible_v<const T &, std::string_view>, int> = 0>
    bytes_view(const T &text) noexcept : bytes_view(std::string_view(text).data(), std::string_view(text).size()) {}

    /** What a vector, array or span of bytes holds. */
    template <class T, std::enable_if_t<detail::is_buffer<T>, int> = 0>
    bytes_view(const T &buffer) noexcept : bytes_view(static_cast<const void *>(buffer.data()), buffer.size()) {}

    /** What the C library lends. */
    bytes_view(kstone_bytes bytes) noexcept : data_(bytes.data), size_(bytes.len) {}

    const std::uint8_t *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    const std::uint8_t *begin() const noexcept { return data_; }
    const std::uint8_t *end() const noexcept { return data_ + size_; }

    /** The same bytes as characters, whatever they are. */
    std::string_view text() const noexcept { return {reinterpret_cast<const char *>(data_), size_}; }

    friend bool operator==(bytes_view a, bytes_view b) noexcept { return a.text() == b.text(); }
    friend bool operator!=(bytes_view a, bytes_view b) noexcept { return !(a == b); }

  private:
    const std::uint8_t *data_ = nullptr;
    std::size_t size_ = 0;
};

/**
 * An exact number as decimal text, such as "-12.5": what item::set takes to be a number and no text, and what find and
 * at return of a number with all of its up to 38 digits. Borrowed.
 */
struct number {
    std::string_view digits;

    constexpr explicit number(std::string_view decimal) noexcept : digits(decimal) {}
    constexpr number() noexcept = default;
};

/**
 * What a failed call throws. Copies share the details, and never throw. Good for as long as it is kept, also when the
 * database is gone. One thread at a time.
 */
class error : public std::exception {
  public:
    /** Takes over `details`, which may be null: then the status is all that is known. */
    error(status code, kstone_error *details) : code_(code), details_(details, detail::release()) {}

    /** What happened; the number in kstone.h. */
    status code() const noexcept { return code_; }

    /** For people: it names the argument, and the limit and the size found where there is one. */
    const char *what() const noexcept override {
        return details_ ? kstone_error_message(details_.get()) : to_string(code_);
    }

    /** DynamoDB's exception, such as "ValidationException"; empty where it has none. */
    std::string_view name() const noexcept { return kstone_error_name(details_.get()); }

    /** Which operation of a batch failed, counted from 0; nothing where no one operation is at fault. */
    std::optional<std::size_t> index() const noexcept {
        const std::int32_t index = kstone_error_index(details_.get());
        return index < 0 ? std::nullopt : std::optional<std::size_t>(static_cast<std::size_t>(index));
    }

    /**
     * The item that made a condition fail, where condition::return_old asked for it; an empty view where it did not or
     * where there was none. Borrowed from the error and its copies.
     */
    item_view item() const noexcept;

  private:
    status code_;
    std::shared_ptr<kstone_error> details_;
};

/** The error of a condition that did not hold, also in a transaction: the one that programs count on. */
class condition_failed : public error {
  public:
    using error::error;
};

namespace detail {

[[noreturn]] inline void raise(kstone_status s, kstone_error *details = nullptr) {
    if (s == KSTONE_ERR_CONDITION_FAILED) {
        throw condition_failed(static_cast<status>(s), details);
    }
    throw error(static_cast<status>(s), details);
}

/** Calls `f(&err)`, and throws where it fails. Returns the status, which is no error. */
template <class F> status call(F f) {
    kstone_error *err = nullptr;
    const kstone_status s = f(&err);
    if (s < 0) {
        raise(s, err);
    }
    return static_cast<status>(s);
}

/** A function that C calls back, and what it threw: an exception must not cross C. */
template <class F> struct thrower {
    F &function;
    std::exception_ptr thrown;

    template <class G> kstone_status run(G g) noexcept {
        try {
            g();
            return KSTONE_OK;
        } catch (...) {
            thrown = std::current_exception();
            return KSTONE_ERR_IO;
        }
    }

    /** Calls `f(&err)`, and throws what the function threw, or where it fails otherwise. */
    template <class G> void call(G f) {
        kstone_error *err = nullptr;
        const kstone_status s = f(&err);
        if (thrown) {
            kstone_free(err);
            std::rethrow_exception(thrown);
        }
        if (s < 0) {
            raise(s, err);
        }
    }
};

inline std::uint32_t flags_of(json form) noexcept { return static_cast<std::uint32_t>(form); }

} // namespace detail

/** Text that the library made: owned, ends with a NUL, converts to std::string_view. One thread at a time. */
class text {
  public:
    text() noexcept = default;

    /** Takes over what came out of the C library. */
    text(char *data, std::size_t size) noexcept : data_(data), size_(size) {}

    std::string_view view() const noexcept { return {c_str(), size_}; }
    operator std::string_view() const noexcept { return view(); }
    const char *c_str() const noexcept { return data_ ? data_.get() : ""; }
    std::size_t size() const noexcept { return size_; }

  private:
    detail::owned<char> data_;
    std::size_t size_ = 0;
};

class element_range;
class attribute_range;

/**
 * A value of an item, borrowed from it: of an attribute, or of an element of a list, map or set. Nothing is copied.
 * Costs a type, a pointer and a length. One thread at a time may use the item it belongs to.
 */
class value {
  public:
    value() noexcept = default;
    value(kstone_value v) noexcept : type_(static_cast<kstone::type>(v.type)), bytes_(v.bytes) {}
    value(kstone::type t, bytes_view bytes) noexcept : type_(t), bytes_(bytes) {}

    kstone::type type() const noexcept { return type_; }

    /** What stands in the item: the text, the decimal text of a number, the bytes; of the rest, the stored form. */
    bytes_view bytes() const noexcept { return bytes_; }

    /**
     * The value as a T, which may be std::string_view (of a text), bytes_view (of bytes), number, bool, an integer (of
     * a number that fits it), double or float (the nearest one), or kstone::value itself.
     *
     * Returns status::type where it is of another type or does not fit; `out` is then left alone.
     */
    template <class T> status try_get(T &out) const noexcept;

    /** The same as an optional: nothing where it is of another type or does not fit. */
    template <class T> std::optional<T> get() const noexcept {
        T out{};
        return try_get(out) == status::ok ? std::optional<T>(out) : std::nullopt;
    }

    /** The elements of a list in its order, or of a set in ascending order, for range-for; of all else, none. */
    element_range elements() const noexcept;

    /** The members of a map, in the order of their names' bytes, for range-for; of all else, none. */
    attribute_range members() const noexcept;

  private:
    kstone::type type_ = kstone::type::null;
    bytes_view bytes_;
};

/** A name and its value: of an item or of a map. Borrowed. */
struct attribute {
    std::string_view name;
    kstone::value value;
};

namespace detail {

/** Reads the stored form, version 1 (docs/stored-form.md), which the library has checked when it came in. */
class stored_reader {
  public:
    stored_reader() noexcept = default;
    explicit stored_reader(bytes_view bytes) noexcept : at_(bytes.begin()), end_(bytes.end()) {}

    bool at_end() const noexcept { return at_ == end_; }
    const std::uint8_t *position() const noexcept { return at_; }

    /** The next (varint length, bytes). */
    bytes_view next_bytes() noexcept {
        std::size_t length = 0;
        for (unsigned shift = 0;; shift += 7) {
            const std::uint8_t byte = *at_++;
            length |= static_cast<std::size_t>(byte & 0x7f) << shift;
            if (byte < 0x80) {
                break;
            }
        }
        const bytes_view bytes(at_, length);
        at_ += length;
        return bytes;
    }

    value next_value() noexcept {
        const auto t = static_cast<type>(*at_++);
        return {t, next_bytes()};
    }

  private:
    const std::uint8_t *at_ = nullptr;
    const std::uint8_t *end_ = nullptr;
};

/** A forward iterator over the stored form: Step takes the next T off a stored_reader. */
template <class T, class Step> class stored_iterator {
  public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T *;
    using reference = const T &;

    stored_iterator() noexcept = default;
    stored_iterator(bytes_view bytes, Step step) noexcept : rest_(bytes), step_(step) { advance(); }

    reference operator*() const noexcept { return current_; }
    pointer operator->() const noexcept { return &current_; }
    stored_iterator &operator++() noexcept {
        advance();
        return *this;
    }
    stored_iterator operator++(int) noexcept {
        stored_iterator before = *this;
        advance();
        return before;
    }

    friend bool operator==(const stored_iterator &a, const stored_iterator &b) noexcept { return a.here_ == b.here_; }
    friend bool operator!=(const stored_iterator &a, const stored_iterator &b) noexcept { return !(a == b); }

  private:
    void advance() noexcept {
        here_ = rest_.at_end() ? nullptr : rest_.position();
        if (here_ != nullptr) {
            current_ = step_(rest_);
        }
    }

    stored_reader rest_;
    Step step_{};
    T current_{};
    const std::uint8_t *here_ = nullptr; /* where current_ stands; null at the end */
};

struct next_attribute {
    attribute operator()(stored_reader &reader) const noexcept {
        const bytes_view name = reader.next_bytes();
        return {name.text(), reader.next_value()};
    }
};

/** Elements of a list carry their types; those of a set have the one that belongs to it. */
struct next_element {
    bool typed = true;
    type of_set = type::null;

    value operator()(stored_reader &reader) const noexcept {
        return typed ? reader.next_value() : value(of_set, reader.next_bytes());
    }
};

} // namespace detail

namespace detail {

/**
 * A forward iterator over the attributes of an item: those of its stored form, and, of an item of a typed table, those of
 * its key, which are not in it, at their place in the order of the names.
 */
class attribute_iterator {
  public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = attribute;
    using difference_type = std::ptrdiff_t;
    using pointer = const attribute *;
    using reference = const attribute &;

    attribute_iterator() noexcept = default;
    attribute_iterator(bytes_view body, const kstone_item *item) noexcept : stored_(body, {}) {
        kstone_bytes name;
        kstone_value found;
        while (item != nullptr && count_ < 2 && kstone_item_key_at(item, count_, &name, &found) == KSTONE_OK) {
            key_[count_++] = {bytes_view(name).text(), value(found)};
        }
    }

    reference operator*() const noexcept { return is_at_key() ? key_[at_] : *stored_; }
    pointer operator->() const noexcept { return &**this; }
    attribute_iterator &operator++() noexcept {
        if (is_at_key()) {
            ++at_;
        } else {
            ++stored_;
        }
        return *this;
    }
    attribute_iterator operator++(int) noexcept {
        attribute_iterator before = *this;
        ++*this;
        return before;
    }

    friend bool operator==(const attribute_iterator &a, const attribute_iterator &b) noexcept {
        return a.stored_ == b.stored_ && a.count_ - a.at_ == b.count_ - b.at_;
    }
    friend bool operator!=(const attribute_iterator &a, const attribute_iterator &b) noexcept { return !(a == b); }

  private:
    bool is_at_key() const noexcept {
        return at_ < count_ && (stored_ == stored() || key_[at_].name < stored_->name);
    }

    using stored = stored_iterator<attribute, next_attribute>;
    stored stored_;
    attribute key_[2];
    unsigned at_ = 0;
    unsigned count_ = 0;
};

} // namespace detail

/** The attributes of an item or the members of a map, for range-for: `for (auto [name, value] : item.attributes())`. */
class attribute_range {
  public:
    using iterator = detail::attribute_iterator;

    explicit attribute_range(bytes_view bytes, const kstone_item *item = nullptr) noexcept : bytes_(bytes), item_(item) {}
    iterator begin() const noexcept { return {bytes_, item_}; }
    iterator end() const noexcept { return {}; }

  private:
    bytes_view bytes_;
    const kstone_item *item_;
};

/** The elements of a list or set, for range-for. */
class element_range {
  public:
    using iterator = detail::stored_iterator<value, detail::next_element>;

    element_range(bytes_view bytes, detail::next_element step) noexcept : bytes_(bytes), step_(step) {}
    iterator begin() const noexcept { return {bytes_, step_}; }
    iterator end() const noexcept { return {}; }

  private:
    bytes_view bytes_;
    detail::next_element step_;
};

inline attribute_range value::members() const noexcept {
    return attribute_range(type_ == kstone::type::map ? bytes_ : bytes_view());
}

inline element_range value::elements() const noexcept {
    switch (type_) {
    case kstone::type::list: return {bytes_, {true, kstone::type::null}};
    case kstone::type::text_set: return {bytes_, {false, kstone::type::text}};
    case kstone::type::number_set: return {bytes_, {false, kstone::type::number}};
    case kstone::type::bytes_set: return {bytes_, {false, kstone::type::bytes}};
    default: return {bytes_view(), {}};
    }
}

template <class T> status value::try_get(T &out) const noexcept {
    const std::string_view characters = bytes_.text();
    if constexpr (std::is_same_v<T, value>) {
        out = *this;
        return status::ok;
    } else if constexpr (std::is_same_v<T, std::string_view>) {
        if (type_ != kstone::type::text) {
            return status::type;
        }
        out = characters;
        return status::ok;
    } else if constexpr (std::is_same_v<T, bytes_view>) {
        if (type_ != kstone::type::bytes) {
            return status::type;
        }
        out = bytes_;
        return status::ok;
    } else if constexpr (std::is_same_v<T, bool>) {
        if (type_ != kstone::type::boolean) {
            return status::type;
        }
        out = *bytes_.data() != 0;
        return status::ok;
    } else if constexpr (std::is_same_v<T, number>) {
        if (type_ != kstone::type::number) {
            return status::type;
        }
        out = number(characters);
        return status::ok;
    } else {
        static_assert(std::is_arithmetic_v<T>, "a value is read as std::string_view, bytes_view, number, bool, an "
                                               "integer, a floating-point number or kstone::value");
        T parsed{};
        const char *end = characters.data() + characters.size();
        if (type_ != kstone::type::number) {
            return status::type;
        }
        const auto [stopped, problem] = std::from_chars(characters.data(), end, parsed);
        if (problem != std::errc() || stopped != end) {
            return status::type;
        }
        out = parsed;
        return status::ok;
    }
}

namespace detail {

/** What an item and its views have in common: getters. Self::handle() is the item. */
template <class Self> class readable {
  public:
    /**
     * The value that `path` leads to, as a T: see value::try_get for what T may be. A path is a name ("title") and from
     * there members and elements: address.city, tags[0]. Views point into the item.
     *
     * Returns status::not_found where the path leads nowhere, status::type where the value is of another type or does
     * not fit a T, status::invalid where it is no path; `out` is left alone then. Costs the number of attributes before
     * it; nothing is allocated or copied.
     */
    template <class T> status try_get(std::string_view path, T &out) const noexcept {
        kstone_value found;
        const kstone_status s = kstone_item_get(handle(), path.data(), path.size(), &found);
        return s == KSTONE_OK ? value(found).try_get(out) : static_cast<status>(s);
    }

    /** The same; nothing where the path leads nowhere. Throws error with status::type or status::invalid. */
    template <class T> std::optional<T> find(std::string_view path) const {
        T out{};
        const status s = try_get(path, out);
        if (s != status::ok && s != status::not_found) {
            raise(static_cast<kstone_status>(s));
        }
        return s == status::ok ? std::optional<T>(out) : std::nullopt;
    }

    /** The same for what must be there: throws error with status::not_found where the path leads nowhere. */
    template <class T> T at(std::string_view path) const {
        T out{};
        const status s = try_get(path, out);
        if (s != status::ok) {
            raise(static_cast<kstone_status>(s));
        }
        return out;
    }

    /** Whether the path leads to something, also to NULL. False where it is no path. */
    bool contains(std::string_view path) const noexcept {
        value ignored;
        return try_get(path, ignored) == status::ok;
    }

    /** How many attributes the item has. Costs their number. */
    std::size_t size() const noexcept { return kstone_item_count(handle()); }
    bool empty() const noexcept { return size() == 0; }

    /** All attributes in the order of their names' bytes. Borrowed; a step costs a few nanoseconds. */
    attribute_range attributes() const noexcept { return attribute_range(kstone_item_bytes(handle()), handle()); }

    /** The partition key of an item that was read; empty for a built one. Borrowed. */
    bytes_view pk() const noexcept { return kstone_item_pk(handle()); }

    /** The sort key of an item that was read; empty where it has none, and for a built one. Borrowed. */
    bytes_view sk() const noexcept { return kstone_item_sk(handle()); }

    /** The attributes as JSON. The key of an untyped table is no attribute, and is not written. */
    text to_json(json form = json::typed) const {
        char *data = nullptr;
        std::size_t size = 0;
        call([&](kstone_error **err) { return kstone_item_to_json(handle(), flags_of(form), &data, &size, err); });
        return {data, size};
    }

    /** A built item with the same attributes: the way to change one that was read. Copies it. */
    item clone() const;

  private:
    const kstone_item *handle() const noexcept { return static_cast<const Self &>(*this).get(); }
};

} // namespace detail

/** An item of somebody else's, of a page, cursor, error or owner: borrowed from it. Copying a view costs a pointer. */
class item_view : public detail::readable<item_view> {
  public:
    item_view() noexcept = default;
    item_view(const kstone_item *handle) noexcept : handle_(handle) {}

    /** Whether there is an item. Where there is none, getters say status::misuse. */
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /** The C handle. */
    const kstone_item *get() const noexcept { return handle_; }

  private:
    const kstone_item *handle_ = nullptr;
};

inline item_view error::item() const noexcept { return kstone_error_item(details_.get()); }

/**
 * An item that was read: the stored item itself, not a copy. It never changes, and stays as it is when the key is
 * overwritten or deleted and when the database goes. One thread at a time.
 */
class stored_item : public detail::readable<stored_item> {
  public:
    stored_item() noexcept = default;

    /** Takes over what came out of the C library. */
    explicit stored_item(kstone_item *handle) noexcept : handle_(handle) {}

    operator item_view() const noexcept { return handle_.get(); }
    explicit operator bool() const noexcept { return handle_ != nullptr; }
    const kstone_item *get() const noexcept { return handle_.get(); }

  private:
    detail::owned<kstone_item> handle_;
};

class list;
class map;

namespace detail {

template <class T> inline constexpr bool is_text = std::is_convertible_v<const T &, std::string_view>;
template <class T> inline constexpr bool is_bytes = std::is_convertible_v<const T &, bytes_view>;

/** What one call of C sets; all else goes as JSON. */
template <class T>
inline constexpr bool is_scalar = std::is_same_v<T, std::nullptr_t> || std::is_arithmetic_v<T> ||
                                  std::is_same_v<T, number> || is_text<T> || is_bytes<T>;

template <class T, class = void> inline constexpr bool is_range = false;
template <class T>
inline constexpr bool
    is_range<T, std::void_t<typename T::value_type, decltype(std::declval<const T &>().begin()),
                            decltype(std::declval<const T &>().end())>> = true;

/** std::map and its kin have a mapped_type, std::set and its kin a key_type alone. */
template <class T, class = void> inline constexpr bool has_keys = false;
template <class T> inline constexpr bool has_keys<T, std::void_t<typename T::key_type>> = is_range<T>;
template <class T, class = void> inline constexpr bool is_map_like = false;
template <class T> inline constexpr bool is_map_like<T, std::void_t<typename T::mapped_type>> = has_keys<T>;

template <class T> inline constexpr bool is_optional = false;
template <class T> inline constexpr bool is_optional<std::optional<T>> = true;

template <class T> constexpr void check_integer() noexcept {
    static_assert(!is_byte<T> && !std::is_same_v<T, wchar_t> && !std::is_same_v<T, char16_t> &&
                      !std::is_same_v<T, char32_t>,
                  "a character is neither text nor a number: say which");
}

/** Writes values as DynamoDB's typed JSON, {"S":"a"}. What is wrong with them, the library says. */
class typed_writer {
  public:
    template <class T> void value(const T &v) {
        static_assert(!std::is_pointer_v<T> || is_text<T>, "no pointers but to text");
        if constexpr (std::is_same_v<T, std::nullptr_t>) {
            out_ += "{\"NULL\":true}";
        } else if constexpr (std::is_same_v<T, bool>) {
            out_ += v ? "{\"BOOL\":true}" : "{\"BOOL\":false}";
        } else if constexpr (std::is_same_v<T, number>) {
            member("N", [&] { quoted(v.digits); });
        } else if constexpr (std::is_arithmetic_v<T>) {
            arithmetic(v);
        } else if constexpr (is_text<T>) {
            member("S", [&] { quoted(v); });
        } else if constexpr (is_bytes<T>) {
            member("B", [&] { base64(v); });
        } else if constexpr (is_optional<T>) {
            v ? value(*v) : value(nullptr);
        } else if constexpr (std::is_same_v<T, kstone::value>) {
            copy(v);
        } else if constexpr (std::is_convertible_v<const T &, item_view>) {
            copy_members(item_view(v).attributes());
        } else if constexpr (std::is_same_v<T, list>) {
            member("L", [&] { out_ += '[' + v.elements_ + ']'; });
        } else if constexpr (std::is_same_v<T, map>) {
            member("M", [&] { out_ += '{' + v.members_ + '}'; });
        } else if constexpr (is_map_like<T>) {
            static_assert(is_text<typename T::key_type>, "the names of a map are text");
            member("M", [&] {
                braced('{', '}', v, [&](const auto &entry) {
                    quoted(entry.first);
                    out_ += ':';
                    value<typename T::mapped_type>(entry.second);
                });
            });
        } else if constexpr (has_keys<T>) {
            using element = typename T::key_type;
            static_assert(is_text<element> || is_bytes<element> || std::is_same_v<element, number> ||
                              (std::is_arithmetic_v<element> && !std::is_same_v<element, bool>),
                          "a set holds text, bytes or numbers");
            constexpr auto type_name = is_text<element> ? "SS" : is_bytes<element> ? "BS" : "NS";
            member(type_name, [&] { elements(v, &typed_writer::bare<element>); });
        } else {
            static_assert(is_range<T>, "an attribute is set to text, bytes, a number, a truth value, nullptr, a "
                                       "kstone::value, list, map or item, an optional, or a container of these");
            member("L", [&] { elements(v, &typed_writer::value<typename T::value_type>); });
        }
    }

    /** Puts a comma before what follows, unless it comes first. */
    void separate() {
        if (!out_.empty() && out_.back() != '[' && out_.back() != '{') {
            out_ += ',';
        }
    }

    void quoted(std::string_view characters) {
        static constexpr char digits[] = "0123456789abcdef";
        out_ += '"';
        for (const char c : characters) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte < 0x20) {
                out_ += "\\u00";
                out_ += digits[byte >> 4];
                out_ += digits[byte & 0xf];
            } else {
                if (c == '"' || c == '\\') {
                    out_ += '\\';
                }
                out_ += c;
            }
        }
        out_ += '"';
    }

    void raw(char c) { out_ += c; }
    std::string take() noexcept { return std::move(out_); }
    explicit typed_writer(std::string before = {}) noexcept : out_(std::move(before)) {}

  private:
    template <class F> void member(const char *type_name, F content) {
        out_ += "{\"";
        out_ += type_name;
        out_ += "\":";
        content();
        out_ += '}';
    }

    template <class Range, class F> void braced(char opening, char closing, const Range &range, F each) {
        out_ += opening;
        for (const auto &element : range) {
            separate();
            each(element);
        }
        out_ += closing;
    }

    template <class Range, class T> void elements(const Range &range, void (typed_writer::*write)(const T &)) {
        braced('[', ']', range, [&](const T &element) { (this->*write)(element); });
    }

    /** An element of a set, whose type stands before it. */
    template <class T> void bare(const T &v) {
        if constexpr (is_text<T>) {
            quoted(v);
        } else if constexpr (is_bytes<T>) {
            base64(v);
        } else if constexpr (std::is_same_v<T, number>) {
            quoted(v.digits);
        } else {
            digits_of(v);
        }
    }

    template <class T> void arithmetic(T v) {
        member("N", [&] { digits_of(v); });
    }

    template <class T> void digits_of(T v) {
        char digits[32];
        if constexpr (std::is_integral_v<T>) {
            check_integer<T>();
            quoted({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, v).ptr - digits)});
        } else {
            const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<double>(v)).ptr;
            quoted({digits, static_cast<std::size_t>(end - digits)});
        }
    }

    void base64(bytes_view bytes) {
        static constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        out_ += '"';
        for (std::size_t at = 0; at < bytes.size(); at += 3) {
            const std::size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
            std::uint32_t group = 0;
            for (std::size_t i = 0; i < 3; i++) {
                group = group << 8 | (i < count ? bytes.data()[at + i] : 0U);
            }
            for (std::size_t i = 0; i < 4; i++) {
                out_ += i <= count ? letters[group >> (18 - 6 * i) & 0x3f] : '=';
            }
        }
        out_ += '"';
    }

    /** A value of another item. */
    void copy(kstone::value v);
    void copy_members(const attribute_range &members);

    std::string out_;
};

} // namespace detail

/** A list of values of any types, to be set as an attribute: `kstone::list().add("a", 1, nullptr)`. */
class list {
  public:
    /** Adds elements, each of what item::set takes: lists and maps too. */
    template <class... Values> list &add(const Values &...values) & {
        (append(values), ...);
        return *this;
    }
    template <class... Values> list &&add(const Values &...values) && { return std::move(add(values...)); }

  private:
    friend class detail::typed_writer;

    template <class T> void append(const T &v) {
        detail::typed_writer writer(std::move(elements_));
        writer.separate();
        writer.value<std::decay_t<const T>>(v);
        elements_ = writer.take();
    }

    std::string elements_; /* typed JSON, separated by commas */
};

/** A map of values of any types, to be set as an attribute: `kstone::map().set("city", "Berlin")`. Each name once. */
class map {
  public:
    /** Adds a member: what item::set takes, lists and maps too. */
    template <class T> map &set(std::string_view name, const T &v) & {
        detail::typed_writer writer(std::move(members_));
        writer.separate();
        writer.quoted(name);
        writer.raw(':');
        writer.value<std::decay_t<const T>>(v);
        members_ = writer.take();
        return *this;
    }
    template <class T> map &&set(std::string_view name, const T &v) && { return std::move(set(name, v)); }

  private:
    friend class detail::typed_writer;

    std::string members_; /* typed JSON, separated by commas */
};

inline void detail::typed_writer::copy_members(const attribute_range &members) {
    member("M", [&] {
        braced('{', '}', members, [&](const attribute &entry) {
            quoted(entry.name);
            out_ += ':';
            copy(entry.value);
        });
    });
}

inline void detail::typed_writer::copy(kstone::value v) {
    const auto each_bare = [&](const char *type_name, auto write) {
        member(type_name, [&] { braced('[', ']', v.elements(), write); });
    };
    switch (v.type()) {
    case type::text: return value(v.bytes().text());
    case type::number: return value(number(v.bytes().text()));
    case type::bytes: return value(v.bytes());
    case type::boolean: return value(*v.bytes().data() != 0);
    case type::null: return value(nullptr);
    case type::list: return member("L", [&] { braced('[', ']', v.elements(), [&](kstone::value e) { copy(e); }); });
    case type::map: return copy_members(v.members());
    case type::text_set: return each_bare("SS", [&](kstone::value e) { quoted(e.bytes().text()); });
    case type::number_set: return each_bare("NS", [&](kstone::value e) { quoted(e.bytes().text()); });
    case type::bytes_set: return each_bare("BS", [&](kstone::value e) { base64(e.bytes()); });
    }
}

namespace detail {

template <class T>
kstone_status set(kstone_item *it, std::string_view name, const T &v, kstone_error **err) noexcept(is_scalar<T>) {
    static_assert(!std::is_pointer_v<T> || is_text<T>, "no pointers but to text");
    if constexpr (std::is_same_v<T, std::nullptr_t>) {
        return kstone_item_set_null(it, name.data(), name.size());
    } else if constexpr (std::is_same_v<T, bool>) {
        return kstone_item_set_bool(it, name.data(), name.size(), v ? 1 : 0);
    } else if constexpr (std::is_same_v<T, number>) {
        return kstone_item_set_num(it, name.data(), name.size(), v.digits.data(), v.digits.size(), err);
    } else if constexpr (std::is_floating_point_v<T>) {
        return kstone_item_set_f64(it, name.data(), name.size(), static_cast<double>(v));
    } else if constexpr (std::is_integral_v<T>) {
        check_integer<T>();
        if constexpr (std::is_unsigned_v<T> && sizeof(T) >= sizeof(std::int64_t)) {
            if (v > static_cast<T>(std::numeric_limits<std::int64_t>::max())) {
                char digits[24];
                const char *end = std::to_chars(digits, digits + sizeof digits, v).ptr;
                return kstone_item_set_num(it, name.data(), name.size(), digits, static_cast<std::size_t>(end - digits),
                                           err);
            }
        }
        return kstone_item_set_i64(it, name.data(), name.size(), static_cast<std::int64_t>(v));
    } else if constexpr (is_text<T>) {
        const std::string_view text = v;
        return kstone_item_set_str(it, name.data(), name.size(), text.data(), text.size());
    } else if constexpr (is_bytes<T>) {
        const bytes_view bytes = v;
        return kstone_item_set_bin(it, name.data(), name.size(), bytes.data(), bytes.size());
    } else {
        typed_writer writer;
        writer.value(v);
        const std::string json = writer.take();
        return kstone_item_set_json(it, name.data(), name.size(), json.data(), json.size(), 0, err);
    }
}

} // namespace detail

/**
 * An item to be filled and put, as often as you like; also the bag of an expression's values. Setters return the item,
 * so that they can be chained. One thread at a time.
 */
class item : public detail::readable<item> {
  public:
    /** An item without attributes. */
    item() : handle_(kstone_item_new()) {}

    /** Takes over what came out of the C library. */
    explicit item(kstone_item *handle) noexcept : handle_(handle) {}

    /** An item from a JSON object. Throws error, whose message says line and column, or the path of a bad value. */
    static item from_json(std::string_view text, json form = json::typed) {
        kstone_item *handle = nullptr;
        detail::call([&](kstone_error **err) {
            return kstone_item_from_json(text.data(), text.size(), detail::flags_of(form), &handle, err);
        });
        return item(handle);
    }

    /**
     * Sets an attribute in the place of what has that name. What becomes what:
     *
     *     S      what converts to std::string_view
     *     N      integers, floating-point numbers, and kstone::number for exact decimals
     *     B      bytes_view; vectors, arrays and spans of bytes
     *     BOOL   bool
     *     NULL   nullptr; an optional without a value
     *     L      kstone::list; vectors, arrays and other ranges of all these
     *     M      kstone::map; std::map and its kin, with text as keys; an item
     *     SS, NS, BS   std::set and its kin, of text, numbers or bytes: not empty
     *     any    kstone::value, of this item or another one; an optional that has a value
     *
     * Copies it. Scalars and bytes are one call; the rest is written as JSON and parsed.
     *
     * Throws error with status::invalid (an empty name, no UTF-8, an infinity, more than 38 digits, an empty set, a
     * name that comes twice) or status::limit; the item is then as it was.
     */
    template <class T> item &set(std::string_view name, const T &v) & {
        detail::call([&](kstone_error **err) { return detail::set<std::decay_t<const T>>(get(), name, v, err); });
        return *this;
    }
    template <class T> item &&set(std::string_view name, const T &v) && { return std::move(set(name, v)); }

    /** The same without exceptions, for what becomes S, N, B, BOOL or NULL. */
    template <class T> status try_set(std::string_view name, const T &v) noexcept {
        static_assert(detail::is_scalar<std::decay_t<const T>>, "set writes these as JSON, for which it needs memory");
        return static_cast<status>(detail::set<std::decay_t<const T>>(get(), name, v, nullptr));
    }

    /**
     * Sets any value from JSON. Typed: {"SS":["a","b"]}; plain: ["a",1,null].
     * Throws as set does, and where the JSON is none.
     */
    item &set_json(std::string_view name, std::string_view text, json form = json::typed) & {
        detail::call([&](kstone_error **err) {
            return kstone_item_set_json(get(), name.data(), name.size(), text.data(), text.size(),
                                        detail::flags_of(form), err);
        });
        return *this;
    }
    item &&set_json(std::string_view name, std::string_view text, json form = json::typed) && {
        return std::move(set_json(name, text, form));
    }

    /** Takes an attribute away; false where there is none of that name. Throws where the name is none. */
    bool erase(std::string_view name) {
        const kstone_status s = kstone_item_remove(get(), name.data(), name.size());
        if (s < 0) {
            detail::raise(s);
        }
        return s == KSTONE_OK;
    }

    operator item_view() const noexcept { return handle_.get(); }
    explicit operator bool() const noexcept { return handle_ != nullptr; }
    const kstone_item *get() const noexcept { return handle_.get(); }
    kstone_item *get() noexcept { return handle_.get(); }

  private:
    detail::owned<kstone_item> handle_;
};

template <class Self> item detail::readable<Self>::clone() const {
    kstone_item *copy = kstone_item_clone(handle());
    if (copy == nullptr) {
        raise(KSTONE_ERR_MISUSE);
    }
    return item(copy);
}

/** A key, borrowed: a partition key and, where there is one, a sort key. Written "user#1" or {"CA", "SFO"}. */
struct key {
    bytes_view pk;
    bytes_view sk;

    template <class T, std::enable_if_t<std::is_convertible_v<const T &, bytes_view>, int> = 0>
    key(const T &partition) noexcept : pk(partition) {}
    key(bytes_view partition, bytes_view sort) noexcept : pk(partition), sk(sort) {}
};

/** What database::get_attribute has copied: a KSTONE_TYPE_S and so on, KSTONE_TYPE_NONE for no attribute, and how long. */
struct copied {
    std::uint32_t type = KSTONE_TYPE_NONE;
    std::size_t size = 0;
};

namespace detail {

/** Keys as C takes many of them. */
struct key_arrays {
    std::vector<const void *> pks, sks;
    std::vector<std::size_t> pk_lens, sk_lens;

    template <class At> key_arrays(std::size_t count, const At &at) {
        pks.reserve(count), sks.reserve(count), pk_lens.reserve(count), sk_lens.reserve(count);
        for (std::size_t i = 0; i < count; i++) {
            const key &k = at(i);
            pks.push_back(k.pk.data()), pk_lens.push_back(k.pk.size());
            sks.push_back(k.sk.data()), sk_lens.push_back(k.sk.size());
        }
    }
};

/** The bag of an expression, empty until something is put in. Self::with chains. */
template <class Self> class with_values {
  public:
    /**
     * What a name in the expression stands for: ":value" for a value, as item::set takes it, "#name" for an attribute's
     * name, given as text. Everything must be used. Throws as item::set.
     */
    template <class T> Self &with(std::string_view name, const T &v) {
        bag().set(name, v);
        return static_cast<Self &>(*this);
    }

    /** The same for a value in JSON. Throws as item::set_json. */
    Self &with_json(std::string_view name, std::string_view text, json form = json::typed) {
        bag().set_json(name, text, form);
        return static_cast<Self &>(*this);
    }

    /** A whole bag in the place of what there is: copied. */
    Self &with_all(item_view values) {
        bag_ = values ? std::optional<item>(values.clone()) : std::nullopt;
        return static_cast<Self &>(*this);
    }

  protected:
    with_values() noexcept = default;
    ~with_values() = default;
    with_values(const with_values &other) : bag_(other.copy_of_bag()) {}
    with_values(with_values &&) noexcept = default;
    with_values &operator=(const with_values &other) {
        bag_ = other.copy_of_bag();
        return *this;
    }
    with_values &operator=(with_values &&) noexcept = default;

    const kstone_item *params() const noexcept { return bag_ ? bag_->get() : nullptr; }

  private:
    item &bag() { return bag_ ? *bag_ : bag_.emplace(); }
    std::optional<item> copy_of_bag() const { return bag_ ? std::optional<item>(bag_->clone()) : std::nullopt; }

    std::optional<item> bag_;
};

/** A key of its own that may not be there, for which C has NULL. */
struct key_to_start_after : with_values<key_to_start_after> {
    const kstone_item *get() const noexcept { return params(); }
};

/** A text of its own that may not be there, for which C has NULL. */
class given_text {
  public:
    given_text() noexcept = default;
    explicit given_text(std::string_view text) : text_(text), is_given_(true) {}

    const char *data() const noexcept { return is_given_ ? text_.data() : nullptr; }
    std::size_t size() const noexcept { return text_.size(); }

  private:
    std::string text_;
    bool is_given_ = false;
};

} // namespace detail

/**
 * The condition of a write, in DynamoDB's grammar; without an expression, none. Owns what it is given. One thread at a
 * time.
 *
 *     kstone::condition("price < :max AND attribute_exists(pk)").with(":max", 100)
 */
class condition : public detail::with_values<condition> {
  public:
    condition() noexcept = default;

    /** Not yet parsed: what uses it says what is wrong with it. */
    explicit condition(std::string_view expression) : expression_(expression) {}

    /** Where the condition does not hold, error::item gives the item that is there. */
    condition &return_old(bool wanted = true) noexcept {
        return_old_ = wanted;
        return *this;
    }

    /** What C takes; borrowed from this. */
    kstone_cond get() const noexcept {
        kstone_cond cond{};
        cond.struct_size = sizeof cond;
        cond.expr = expression_.data();
        cond.expr_len = expression_.size();
        cond.params = params();
        cond.return_old = return_old_ ? 1 : 0;
        return cond;
    }

  private:
    detail::given_text expression_;
    bool return_old_ = false;
};

/** What an update gives back. */
enum class returning : std::uint32_t {
    none = KSTONE_RETURN_NONE,
    all_old = KSTONE_RETURN_ALL_OLD,
    updated_old = KSTONE_RETURN_UPDATED_OLD,
    all_new = KSTONE_RETURN_ALL_NEW,
    updated_new = KSTONE_RETURN_UPDATED_NEW
};

/**
 * An update expression. Owns what it is given. One thread at a time.
 *
 *     kstone::update("SET stock = stock - :n").with(":n", 2).when(kstone::condition("stock >= :n"))
 */
class update : public detail::with_values<update> {
  public:
    /** Not yet parsed: what uses it says what is wrong with it. */
    explicit update(std::string_view expression) : expression_(expression) {}

    /** Only where this holds. A condition without values of its own reads those of the update. */
    update &when(condition holds) noexcept {
        condition_ = std::move(holds);
        return *this;
    }

    /** What database::update gives back; nothing unless this is called. */
    update &returns(returning what) noexcept {
        returning_ = what;
        return *this;
    }

    std::string_view expression() const noexcept { return expression_; }
    const condition &when() const noexcept { return condition_; }
    returning returns() const noexcept { return returning_; }

    /** The bag as C takes it: null where it is empty. Borrowed. */
    const kstone_item *values() const noexcept { return params(); }

  private:
    std::string expression_;
    condition condition_;
    returning returning_ = returning::none;
};

/**
 * A PartiQL statement and the values of its question marks. Owns what it is given, and may be executed as often as you
 * like. One thread at a time.
 *
 *     kstone::statement("SELECT total FROM items WHERE pk = ? AND total > ?", "ada", 10)
 *
 * The text is parsed once: keep it constant, and vary the values. docs/partiql.md is the reference.
 */
class statement : private detail::with_values<statement> {
    friend class detail::with_values<statement>;

  public:
    /** Not yet parsed: what executes it says what is wrong. Values as item::set takes them; throws as it does. */
    template <class... Values> explicit statement(std::string_view text, const Values &...values) : text_(text) {
        (bind(values), ...);
    }

    /** The value of the next question mark. Throws as item::set. */
    template <class T> statement &bind(const T &v) { return with(next(), v); }

    /** The same for what is written as JSON. Throws as item::set_json. */
    statement &bind_json(std::string_view json_text, json form = json::typed) {
        return with_json(next(), json_text, form);
    }

    /** A whole bag of values, "?1", "?2" and so on, in the place of what there is: copied. */
    statement &bind_all(item_view values) {
        bound_ = values ? values.size() : 0;
        return with_all(values);
    }

    std::string_view text() const noexcept { return text_; }

    /** The bag as C takes it: null where it is empty. Borrowed. */
    const kstone_item *values() const noexcept { return params(); }

  private:
    std::string next() { return "?" + std::to_string(++bound_); }

    std::string text_;
    std::size_t bound_ = 0;
};

namespace detail {

/** What queries and scans have in common. Owns what it is given, so that it may be kept and used again. */
template <class Self> class request : public with_values<Self> {
  public:
    /** Reads an index of the schema instead of the items themselves. */
    Self &index(std::string_view name) {
        index_ = given_text(name);
        return self();
    }

    /** Returns only the items for which the expression holds. Saves the items, not the work of looking at them. */
    Self &filter(std::string_view expression) {
        filter_ = given_text(expression);
        return self();
    }

    /** Returns parts of the items: paths, separated by commas. */
    Self &project(std::string_view paths) {
        projection_ = given_text(paths);
        return self();
    }

    /** How many items to look at, for a page, or for a cursor in all; 0: a page of up to 1 MiB, a cursor to the end. */
    Self &limit(std::uint32_t items) noexcept {
        spec_.limit = items;
        return self();
    }

    /**
     * Begins behind the item of this key, which need not exist, where no token says where to go on: the attributes of the
     * table's key (pk and sk in an untyped table) and, of an index, those of its key. Copied.
     */
    Self &start_after(item_view key) {
        start_after_.with_all(key);
        return self();
    }

    /** Counts the items of a page, and hands out none. */
    Self &count_only() noexcept { return flag(KSTONE_QUERY_COUNT); }

    /** Returns items with their key alone, as its attributes: pk and sk in an untyped table. */
    Self &keys_only() noexcept { return flag(KSTONE_QUERY_KEYS_ONLY); }

    /** What C takes, going on at `token`; borrowed from this and from the token. */
    kstone_query_spec get(bytes_view token = {}) const noexcept {
        kstone_query_spec spec = spec_;
        spec.struct_size = sizeof spec;
        point(partition_, spec.pk, spec.pk_len);
        point(sort_[0], spec.sk1, spec.sk1_len);
        point(sort_[1], spec.sk2, spec.sk2_len);
        point(key_expression_, spec.key_expr, spec.key_expr_len);
        point(index_, spec.index, spec.index_len);
        point(filter_, spec.filter, spec.filter_len);
        point(projection_, spec.projection, spec.projection_len);
        spec.params = this->params();
        spec.token = token.data();
        spec.token_len = token.size();
        spec.start_after = token.empty() ? start_after_.get() : nullptr;
        return spec;
    }

  protected:
    request() noexcept = default;
    ~request() = default;
    request(const request &) = default;
    request(request &&) noexcept = default;
    request &operator=(const request &) = default;
    request &operator=(request &&) noexcept = default;

    Self &self() noexcept { return static_cast<Self &>(*this); }

    Self &flag(std::uint32_t bit) noexcept {
        spec_.flags |= bit;
        return self();
    }

    kstone_query_spec spec_{}; /* numbers only; get() adds the pointers */
    given_text partition_;
    given_text sort_[2];
    given_text key_expression_;

  private:
    template <class Pointer> static void point(const given_text &from, Pointer &data, std::size_t &size) noexcept {
        data = from.data();
        size = from.size();
    }

    given_text index_;
    given_text filter_;
    given_text projection_;
    key_to_start_after start_after_;
};

} // namespace detail

/**
 * Which items of one partition to read, in the order of their sort keys' bytes. Owns what it is given; may be copied,
 * and used as often as you like. One thread at a time.
 *
 *     kstone::query("CA").between("SAC", "SFO").reverse().limit(3)
 *     kstone::query::where("pk = :p AND sk >= :from").with(":p", "CA").with(":from", "S")
 *
 * The methods return the query itself: `auto q = kstone::query("CA").limit(3);` makes a copy of it, which is good;
 * `auto &q = kstone::query("CA").limit(3);` would refer to one that is gone.
 */
class query : public detail::request<query> {
  public:
    /** The partition with this key; of an index, the value of its partition key. */
    explicit query(bytes_view partition) { partition_ = detail::given_text(partition.text()); }

    /** A key condition as text: "pk = :p", alone or with AND and one condition on sk; of an index, on its keys. */
    static query where(std::string_view key_expression) {
        query q;
        q.key_expression_ = detail::given_text(key_expression);
        return q;
    }

    /** The sort key is this. Of this and the next six the last one called counts. */
    query &equal(bytes_view sort) { return sort_keys(KSTONE_SK_EQ, sort); }
    /** The sort key comes before this. */
    query &less(bytes_view sort) { return sort_keys(KSTONE_SK_LT, sort); }
    /** The sort key comes before this, or is this. */
    query &less_equal(bytes_view sort) { return sort_keys(KSTONE_SK_LE, sort); }
    /** The sort key comes after this. */
    query &greater(bytes_view sort) { return sort_keys(KSTONE_SK_GT, sort); }
    /** The sort key comes after this, or is this. */
    query &greater_equal(bytes_view sort) { return sort_keys(KSTONE_SK_GE, sort); }
    /** The sort key begins with these bytes. */
    query &begins_with(bytes_view prefix) { return sort_keys(KSTONE_SK_BEGINS_WITH, prefix); }
    /** The sort key lies from one to the other, both included. */
    query &between(bytes_view from, bytes_view to) {
        return sort_keys(KSTONE_SK_BETWEEN, from, detail::given_text(to.text()));
    }

    /** From the greatest sort key down. */
    query &reverse() noexcept { return flag(KSTONE_QUERY_REVERSE); }

  private:
    query() noexcept = default;

    query &sort_keys(std::uint32_t op, bytes_view sort, detail::given_text upper_end = {}) {
        sort_[0] = detail::given_text(sort.text());
        sort_[1] = std::move(upper_end);
        spec_.sk_op = op;
        return *this;
    }
};

/**
 * Which of all items to read, in an order of the library's own that stays the same from page to page. As query, what it
 * is given is its own.
 */
class scan : public detail::request<scan> {
  public:
    /** All items, or with index those of an index. */
    scan() noexcept {}

    /** One of `segments` parts, counted from 0, which together are all items, each once. */
    scan &segment(std::uint32_t part, std::uint32_t segments) noexcept {
        spec_.segment = part;
        spec_.segments = segments;
        return *this;
    }
};

/**
 * A value for a run of what was prepared, made of what item::set takes for a single value: text, bytes, a number, a bool,
 * null, or a value that an item gave. Lends what it was made of, which stays where it is until the call returns.
 */
class bound {
  public:
    template <class T> bound(const T &v) {
        if constexpr (std::is_same_v<T, value>) {
            as(static_cast<std::uint32_t>(v.type()), v.bytes());
        } else if constexpr (std::is_same_v<T, number>) {
            as(KSTONE_TYPE_N, v.digits());
        } else if constexpr (std::is_same_v<T, bool>) {
            as(KSTONE_TYPE_BOOL, std::string_view(v ? "\1" : "\0", 1));
        } else if constexpr (std::is_null_pointer_v<T>) {
            as(KSTONE_TYPE_NULL, {});
        } else if constexpr (std::is_integral_v<T>) {
            static_assert(sizeof(T) < sizeof(std::int64_t) || std::is_signed_v<T>,
                          "an unsigned number of 64 bits may be beyond int64_t: bind it as a kstone::number");
            integer_ = v;
            form_ = form::integer;
        } else if constexpr (std::is_floating_point_v<T>) {
            real_ = static_cast<double>(v);
            form_ = form::real;
        } else if constexpr (std::is_convertible_v<const T &, std::string_view>) {
            as(KSTONE_TYPE_S, std::string_view(v));
        } else {
            as(KSTONE_TYPE_B, bytes_view(v));
        }
    }

    /** What C takes; borrowed from this. */
    kstone_value get() const noexcept {
        switch (form_) {
        case form::integer: return {KSTONE_VALUE_I64, 0, {address(integer_), sizeof integer_}};
        case form::real: return {KSTONE_VALUE_F64, 0, {address(real_), sizeof real_}};
        default: return {type_, 0, {bytes_.data(), bytes_.size()}};
        }
    }

  private:
    enum class form { bytes, integer, real };

    void as(std::uint32_t type, bytes_view bytes) noexcept {
        type_ = type;
        bytes_ = bytes;
    }

    template <class T> static const std::uint8_t *address(const T &v) noexcept {
        return reinterpret_cast<const std::uint8_t *>(&v);
    }

    form form_ = form::bytes;
    std::uint32_t type_ = 0;
    bytes_view bytes_;
    std::int64_t integer_ = 0;
    double real_ = 0;
};

/** The values of a run, in the order of the parameters: `{"ada", 10}`, or a vector of bound. Lends them. */
class bound_list {
  public:
    bound_list() noexcept = default;
    bound_list(std::initializer_list<bound> values) noexcept : size_(values.size()) {
        // What it is called with lives until the call returns.
        const bound *first = values.begin();
        first_ = first;
    }
    bound_list(const std::vector<bound> &values) noexcept : first_(values.data()), size_(values.size()) {}

    const bound *begin() const noexcept { return first_; }
    const bound *end() const noexcept { return first_ + size_; }
    std::size_t size() const noexcept { return size_; }

  private:
    const bound *first_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail {

/** The values of a run as C takes them. */
class bound_values {
  public:
    explicit bound_values(bound_list values) : size_(values.size()) {
        if (size_ > few_.size()) {
            many_.resize(size_);
        }
        kstone_value *at = many_.empty() ? few_.data() : many_.data();
        for (const bound &v : values) {
            *at++ = v.get();
        }
    }

    const kstone_value *data() const noexcept { return many_.empty() ? few_.data() : many_.data(); }
    std::size_t size() const noexcept { return size_; }

  private:
    std::array<kstone_value, 8> few_;
    std::vector<kstone_value> many_;
    std::size_t size_;
};

} // namespace detail

/**
 * A statement, a write or a query that was read once: what database::prepare gives. Its values come with each run, so
 * any number of threads may run one at once. It belongs to no database: it runs on the one that it was prepared with, on
 * forks of it and on any other, and outlives them.
 *
 *     const kstone::prepared visit = db.prepare(kstone::update("ADD visits :n"));
 *     db.run_on(visit, "page", {1});
 */
class prepared {
  public:
    /** How many values a run gives. */
    std::size_t size() const noexcept { return kstone_prepared_count(get()); }

    /** The name of a parameter, counted from 0: ":n", or "?1" for the first of a statement. Lent by this. */
    std::string_view parameter(std::size_t i) const noexcept { return bytes_view(kstone_prepared_name(get(), i)).text(); }

    /** At which position the value of this name is given, sign included; nothing where there is no such parameter. */
    std::optional<std::size_t> find(std::string_view name) const noexcept {
        std::size_t position = 0;
        const kstone_status s = kstone_prepared_find(get(), name.data(), name.size(), &position);
        return s == KSTONE_OK ? std::optional<std::size_t>(position) : std::nullopt;
    }

    const kstone_prepared *get() const noexcept { return handle_.get(); }

  private:
    friend class database;

    explicit prepared(kstone_prepared *handle) noexcept : handle_(handle) {}

    detail::owned<kstone_prepared> handle_;
};

/**
 * What a query, a scan or a batch found. Refers to the stored items, and does not copy them; outlives the database.
 * For range-for over the items; of a batch, an item_view for each get, empty where it found nothing. One thread at a
 * time.
 */
class page {
  public:
    /** An input iterator over the items. */
    class iterator {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = item_view;
        using difference_type = std::ptrdiff_t;
        using pointer = const item_view *;
        using reference = item_view;

        iterator() noexcept = default;
        iterator(const kstone_page *page, std::size_t index) noexcept : page_(page), index_(index) {}

        item_view operator*() const noexcept { return kstone_page_item(page_, index_); }
        iterator &operator++() noexcept {
            ++index_;
            return *this;
        }
        iterator operator++(int) noexcept { return {page_, index_++}; }
        friend bool operator==(const iterator &a, const iterator &b) noexcept { return a.index_ == b.index_; }
        friend bool operator!=(const iterator &a, const iterator &b) noexcept { return !(a == b); }

      private:
        const kstone_page *page_ = nullptr;
        std::size_t index_ = 0;
    };

    page() noexcept = default;

    /** Takes over what came out of the C library; `counted`: with KSTONE_QUERY_COUNT, so that there are no items. */
    explicit page(kstone_page *handle, bool counted = false) noexcept : handle_(handle), counted_(counted) {}

    /** How many items the page found, after any filter, also where it only counted them. */
    std::size_t size() const noexcept { return kstone_page_count(get()); }
    bool empty() const noexcept { return size() == 0; }

    /** How many items were examined for the page, before any filter. */
    std::size_t scanned() const noexcept { return kstone_page_scanned(get()); }

    /** Item i, borrowed; an empty view from size() on, and where the page only counted. */
    item_view operator[](std::size_t i) const noexcept { return kstone_page_item(get(), i); }
    iterator begin() const noexcept { return {get(), 0}; }
    iterator end() const noexcept { return {get(), counted_ ? 0 : size()}; }

    /** Where the next page begins; empty at the end. Borrowed: use it before the page goes, or copy the bytes. */
    bytes_view token() const noexcept { return kstone_page_token(get()); }

    /** {"Count":2,"Items":[...],"ScannedCount":2}. Throws error. */
    text to_json(json form = json::typed) const {
        char *data = nullptr;
        std::size_t size = 0;
        detail::call([&](kstone_error **err) {
            return kstone_page_to_json(get(), detail::flags_of(form), &data, &size, err);
        });
        return {data, size};
    }

    explicit operator bool() const noexcept { return handle_ != nullptr; }
    const kstone_page *get() const noexcept { return handle_.get(); }

  private:
    detail::owned<kstone_page> handle_;
    bool counted_ = false;
};

/**
 * One item after another, of a partition or of all, as the database was when the cursor was made; for range-for, once.
 * Keeps the items of that moment in memory. Outlives the database. One thread at a time.
 */
class cursor {
  public:
    /** An input iterator: ++ goes to the next item, which takes the place of the one before. Throws error. */
    class iterator {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = item_view;
        using difference_type = std::ptrdiff_t;
        using pointer = const item_view *;
        using reference = item_view;

        iterator() noexcept = default;
        explicit iterator(cursor *from) : from_(from) { ++*this; }

        item_view operator*() const noexcept { return current_; }
        iterator &operator++() {
            current_ = from_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator &a, const iterator &b) noexcept {
            return a.current_.get() == b.current_.get();
        }
        friend bool operator!=(const iterator &a, const iterator &b) noexcept { return !(a == b); }

      private:
        cursor *from_ = nullptr;
        item_view current_;
    };

    cursor() noexcept = default;

    /** Takes over what came out of the C library. */
    explicit cursor(kstone_iter *handle) noexcept : handle_(handle) {}

    /** The next item, borrowed until the next call; an empty view at the end. Throws error. */
    item_view next() {
        const kstone_item *found = nullptr;
        detail::call([&](kstone_error **err) { return kstone_iter_next(handle_.get(), &found, err); });
        return found;
    }

    /** The same without exceptions: status::done at the end, `out` is left alone then. */
    status try_next(item_view &out) noexcept {
        const kstone_item *found = nullptr;
        const kstone_status s = kstone_iter_next(handle_.get(), &found, nullptr);
        if (s == KSTONE_OK) {
            out = found;
        }
        return static_cast<status>(s);
    }

    iterator begin() { return iterator(this); }
    iterator end() noexcept { return {}; }
    kstone_iter *get() noexcept { return handle_.get(); }

  private:
    detail::owned<kstone_iter> handle_;
};

/**
 * A place among the items of a partition or of all, as the database was when it was made, that goes forward, back and
 * to any key. Each move gives the item that it comes to, borrowed until the next move, or an empty view where there is
 * none: before the first item or behind the last one, from where it can go back. Outlives the database. One thread at a
 * time.
 */
class scroll_cursor {
  public:
    scroll_cursor() noexcept = default;

    /** Takes over what came out of the C library. */
    explicit scroll_cursor(kstone_cursor *handle) noexcept : handle_(handle) {}

    /** Goes to the first item. All moves throw error. */
    item_view first() { return go(kstone_cursor_first); }
    /** Goes to the last item. */
    item_view last() { return go(kstone_cursor_last); }
    /** Goes to the next item. */
    item_view next() { return go(kstone_cursor_next); }
    /** Goes to the item before. */
    item_view prev() { return go(kstone_cursor_prev); }

    /**
     * Goes to the first item at this sort key of the partition or behind it. Throws error with status::limit for a key
     * that is too long, status::invalid for a cursor over all items or over an index; it stays where it was then.
     */
    item_view seek_sort(bytes_view sk) { return seek(key(bytes_view(), sk)); }

    /** The same with a whole key, which is needed where the cursor is over all items. */
    item_view seek(const key &to) {
        const kstone_item *found = nullptr;
        detail::call([&](kstone_error **err) {
            return kstone_cursor_seek(get(), to.pk.data(), to.pk.size(), to.sk.data(), to.sk.size(), &found, err);
        });
        return found;
    }

    /** The item that the cursor is on, or an empty view. */
    item_view item() const noexcept { return kstone_cursor_item(handle_.get()); }
    kstone_cursor *get() noexcept { return handle_.get(); }

  private:
    item_view go(kstone_status (*move)(kstone_cursor *, const kstone_item **, kstone_error **)) {
        const kstone_item *found = nullptr;
        detail::call([&](kstone_error **err) { return move(get(), &found, err); });
        return found;
    }

    detail::owned<kstone_cursor> handle_;
};

/**
 * Reads and writes to be done in one call: see database::run and database::transact. Holds copies of what it is given,
 * belongs to no database, and may be run as often as you like. One thread at a time.
 *
 * What adds throws error with status::invalid or status::limit for a key or text that cannot be; expressions and items
 * are checked when the batch is run. Methods return the batch, so that they can be chained.
 */
class batch {
  public:
    batch() : handle_(kstone_batch_new()) {}

    /** Adds a put, on a condition or without one. */
    batch &put(const key &k, item_view item, const condition &when = {}) {
        const kstone_cond cond = when.get();
        return added(kstone_batch_put(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), item.get(), &cond));
    }

    /** Adds a put of an item under the key that its own attributes are: see database::put_item. */
    batch &put_item(item_view item, const condition &when = {}) {
        const kstone_cond cond = when.get();
        return added(kstone_batch_put_item(get(), item.get(), &cond));
    }

    /** Adds an update, which may not ask for anything in return: error with status::invalid. */
    batch &update(const key &k, const kstone::update &change) {
        if (change.returns() != returning::none) {
            detail::raise(KSTONE_ERR_INVALID);
        }
        const kstone_cond cond = change.when().get();
        const std::string_view expr = change.expression();
        return added(kstone_batch_update(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), expr.data(),
                                         expr.size(), change.values(), &cond));
    }

    /** Adds a deletion. */
    batch &erase(const key &k, const condition &when = {}) {
        const kstone_cond cond = when.get();
        return added(kstone_batch_delete(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), &cond));
    }

    /** Adds a condition on an item that the batch does not write. It counts as a write. */
    batch &check(const key &k, const condition &holds) {
        const kstone_cond cond = holds.get();
        return added(kstone_batch_check(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), &cond));
    }

    /** Adds a get: the page that comes of running the batch has an item_view for each. */
    batch &get(const key &k) {
        return added(kstone_batch_get(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size()));
    }

    /**
     * Adds a statement about one item, whose whole key it names; a SELECT counts as a get. A batch of statements holds
     * nothing else. In a transaction either all are SELECTs or none, and EXISTS(SELECT ...) is a condition next to
     * writes.
     */
    batch &execute(const statement &what) {
        return added(kstone_batch_execute(get(), what.text().data(), what.text().size(), what.values()));
    }
    template <class... Values> batch &execute(std::string_view text, const Values &...values) {
        return execute(statement(text, values...));
    }

    /** Adds a run of a prepared update, delete or check, which may be freed before the batch is run. */
    batch &run_on(const prepared &what, const key &k, bound_list values = {}) {
        return add(what, k, nullptr, values);
    }

    /** Adds a run of a prepared put. */
    batch &run_on(const prepared &what, const key &k, item_view item, bound_list values = {}) {
        return add(what, k, item.get(), values);
    }

    /** Adds a run of a prepared statement. */
    batch &run(const prepared &what, bound_list values = {}) { return add(what, key(bytes_view()), nullptr, values); }

    kstone_batch *get() noexcept { return handle_.get(); }

  private:
    batch &add(const prepared &what, const key &k, const kstone_item *item, bound_list values) {
        const detail::bound_values given(values);
        return added(kstone_batch_prepared(get(), what.get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), item,
                                           given.data(), given.size()));
    }

    batch &added(kstone_status s) {
        if (s != KSTONE_OK) {
            detail::raise(s);
        }
        return *this;
    }

    detail::owned<kstone_batch> handle_;
};

/** What is evicted where a write reaches the limit of options::memory_max_bytes. */
enum class eviction : std::uint32_t {
    /** Expired items go; where that does not do, the write fails with status::limit. */
    none = KSTONE_EVICT_NONE,
    /** Expired items go, then those that were not used for the longest time. */
    lru = KSTONE_EVICT_LRU
};

/** How a database is to be. Views are borrowed until it is open. */
struct options {
    /** Indexes, expiry and a change stream, as JSON: see kstone_options.schema_json. Empty: none. */
    std::string_view schema{};
    /** After how many writes a stripe turns what it has collected into a sorted run: 1 to 65,536, or 0 for 1000. */
    std::uint64_t memtable_max_records = 0;
    /** The most bytes that the database may take, as total_bytes of stats_json counts: 0 (no limit) or from 1 MiB. */
    std::uint64_t memory_max_bytes = 0;
    /** What is evicted at that limit. */
    kstone::eviction eviction = kstone::eviction::none;
    /** A thread of the library's own does the merging of sorted runs, so that writers need not. */
    bool background_compaction = false;
};

/** How far a save or load has come: `done` of `total` items; `total` is 0 until they are counted. */
struct progress {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
};

/** How items are imported. Without changes, what database::export_json writes. Views are borrowed for the call. */
struct import_options {
    /** The attribute that is the partition key; empty: pk. */
    std::string_view pk_name{};
    /** The attribute that is the sort key, which every item must have; empty: none where pk_name is set, or sk. */
    std::string_view sk_name{};
    /** Passes over bad records instead of refusing the file. */
    bool skip_bad = false;
};

/** What an import came to. */
struct imported {
    /** How many items were put. */
    std::size_t loaded = 0;
    /** How many records were bad. */
    std::size_t skipped = 0;
    /** A line for each of the first ten bad records. */
    text reasons;
};

template <class Request> class page_range;

/**
 * A database in memory. Costs a few KiB while it is empty; all is gone when it goes, except for what items, pages and
 * cursors still refer to.
 *
 * Any number of threads may use one at once, all functions but the destructor, moving and assigning.
 */
class database {
  public:
    /** Opens an empty database. Throws error with status::invalid where an option is out of range or no schema. */
    explicit database(const options &how = {}) {
        kstone_options raw{};
        kstone_db *handle = nullptr;
        raw.struct_size = sizeof raw;
        raw.schema_json = how.schema.empty() ? nullptr : how.schema.data();
        raw.schema_json_len = how.schema.size();
        raw.memtable_max_records = how.memtable_max_records;
        raw.memory_max_bytes = how.memory_max_bytes;
        raw.eviction = static_cast<std::uint32_t>(how.eviction);
        raw.flags = how.background_compaction ? KSTONE_OPEN_BACKGROUND_COMPACTION : 0;
        detail::call([&](kstone_error **err) { return kstone_open_memory(&raw, &handle, err); });
        handle_.reset(handle);
    }

    /** Takes over what came out of the C library. */
    explicit database(kstone_db *handle) noexcept : handle_(handle) {}

    /**
     * A database of its own that holds what this one holds now and shares its memory: writes on either side never show
     * on the other, and either may go before the other. It has this one's options, schema and time. The fixture for
     * tests: fill one database, give each test a fork. Costs some tens of microseconds, however many items there are.
     */
    database fork() const {
        kstone_db *made = nullptr;
        detail::call([&](kstone_error **err) { return kstone_fork(get(), &made, err); });
        return database(made);
    }

    /** Stores a copy of the item under a key, in the place of what was there. Throws error: status::invalid, limit. */
    void put(const key &k, item_view item) {
        detail::call([&](kstone_error **err) {
            return kstone_put(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), item.get(), err);
        });
    }

    /**
     * Stores a copy of the item under the key that its own attributes are: those that the schema names as the table's
     * key, pk and sk in an untyped table. Throws as put, and error with status::invalid naming the key attribute that is
     * missing, empty or of another type.
     */
    void put_item(item_view item) {
        detail::call([&](kstone_error **err) { return kstone_put_item(get(), item.get(), err); });
    }

    /** The same as put without exceptions: one call. */
    status try_put(const key &k, item_view item) noexcept {
        return static_cast<status>(
            kstone_put(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), item.get(), nullptr));
    }

    /**
     * The item under a key, not a copy; nothing where there is none. Keep it in a variable for as long as views into it
     * are used: `for (auto [name, value] : db.get(k)->attributes())` would read an item that is gone. Throws
     * error where the key cannot be. Costs one look-up.
     */
    std::optional<stored_item> get(const key &k) const {
        kstone_item *found = nullptr;
        detail::call([&](kstone_error **err) {
            return kstone_get(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), &found, err);
        });
        return optional_item(found);
    }

    /** The same without exceptions: one call. `out` is left alone unless status::ok is returned. */
    status try_get(const key &k, stored_item &out) const noexcept {
        kstone_item *found = nullptr;
        const kstone_status s =
            kstone_get(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), &found, nullptr);
        if (s == KSTONE_OK) {
            out = stored_item(found);
        }
        return static_cast<status>(s);
    }

    /**
     * The items under many keys, in their order, nothing where there is none; a key may come twice. The items need not
     * be of one moment. One call, and a fraction of the time of as many gets. Throws error where a key cannot be:
     * error::index() says which.
     */
    std::vector<std::optional<stored_item>> get_many(const std::vector<key> &keys) const {
        const detail::key_arrays of(keys.size(), [&](std::size_t i) -> const key & { return keys[i]; });
        std::vector<kstone_item *> found(keys.size());
        std::vector<std::optional<stored_item>> items;
        items.reserve(keys.size());
        detail::call([&](kstone_error **err) {
            return kstone_get_many(get(), of.pks.data(), of.pk_lens.data(), of.sks.data(), of.sk_lens.data(), keys.size(),
                                   found.data(), err);
        });
        for (kstone_item *one : found) {
            items.push_back(optional_item(one));
        }
        return items;
    }

    /**
     * Stores copies of many items in one call, in their order: of several under one key the last one stays. Each is
     * stored by itself, but all are looked at before the first is stored. Throws error: status::invalid, limit;
     * error::index() says which.
     */
    void put_many(const std::vector<std::pair<key, item_view>> &puts) {
        const detail::key_arrays of(puts.size(), [&](std::size_t i) -> const key & { return puts[i].first; });
        std::vector<const kstone_item *> items;
        items.reserve(puts.size());
        for (const auto &put : puts) {
            items.push_back(put.second.get());
        }
        detail::call([&](kstone_error **err) {
            return kstone_put_many(get(), of.pks.data(), of.pk_lens.data(), of.sks.data(), of.sk_lens.data(), items.data(),
                                   puts.size(), err);
        });
    }

    /**
     * One attribute of the item under a key, copied into `buffer`: what `path` leads to, as item_view::find takes it.
     * Nothing where there is no item; type is KSTONE_TYPE_NONE where the item has no such attribute. Where size is more
     * than capacity nothing was copied. One call, one look-up; nothing is allocated. Throws error where the key or the
     * path cannot be.
     */
    std::optional<copied> get_attribute(const key &k, std::string_view path, void *buffer, std::size_t capacity) const {
        copied found{};
        const status s = detail::call([&](kstone_error **err) {
            return kstone_get_attribute(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), path.data(), path.size(),
                                        buffer, capacity, &found.size, &found.type, err);
        });
        return s == status::not_found ? std::nullopt : std::optional<copied>(found);
    }

    /** Deletes the item under a key, whether there is one or not. Throws error where the key cannot be. */
    void erase(const key &k) {
        detail::call([&](kstone_error **err) {
            return kstone_delete(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), err);
        });
    }

    /** The same without exceptions: one call. */
    status try_erase(const key &k) noexcept {
        return static_cast<status>(
            kstone_delete(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), nullptr));
    }

    /**
     * Puts an item where the condition holds for what is there, and gives back what it replaced, if anything. No other
     * write comes between. Throws condition_failed, and error where item, key or expression cannot be.
     */
    std::optional<stored_item> put_if(const key &k, item_view item, const condition &when) {
        kstone_item *old = nullptr;
        const kstone_cond cond = when.get();
        detail::call([&](kstone_error **err) {
            return kstone_put_if(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), item.get(), &cond, &old,
                                 err);
        });
        return optional_item(old);
    }

    /**
     * The same without exceptions, for conditions that often fail: status::condition_failed. Where `replaced` is given
     * it becomes what was replaced, empty where nothing was; it is left alone where nothing was written.
     */
    status try_put_if(const key &k, item_view item, const condition &when, stored_item *replaced = nullptr) noexcept {
        const kstone_cond cond = when.get();
        return try_returning(replaced, [&](kstone_item **old) {
            return kstone_put_if(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), item.get(), &cond, old,
                                 nullptr);
        });
    }

    /** Deletes an item where the condition holds, and gives it back. Throws as put_if. */
    std::optional<stored_item> erase_if(const key &k, const condition &when) {
        kstone_item *old = nullptr;
        const kstone_cond cond = when.get();
        detail::call([&](kstone_error **err) {
            return kstone_delete_if(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), &cond, &old, err);
        });
        return optional_item(old);
    }

    /** The same without exceptions; as try_put_if. */
    status try_erase_if(const key &k, const condition &when, stored_item *erased = nullptr) noexcept {
        const kstone_cond cond = when.get();
        return try_returning(erased, [&](kstone_item **old) {
            return kstone_delete_if(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), &cond, old, nullptr);
        });
    }

    /**
     * Changes an item, or makes it where there is none, and gives back what update::returns asks for, if there is such.
     * No other write comes between. Throws condition_failed, and error where the item cannot be changed so.
     */
    std::optional<stored_item> update(const key &k, const kstone::update &change) {
        kstone_item *returned = nullptr;
        const kstone_cond cond = change.when().get();
        const std::string_view expr = change.expression();
        detail::call([&](kstone_error **err) {
            return kstone_update(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), expr.data(), expr.size(),
                                 change.values(), &cond, static_cast<std::uint32_t>(change.returns()), &returned, err);
        });
        return optional_item(returned);
    }

    /** The same without exceptions: `returned`, where it is given, becomes what update::returns asks for. */
    status try_update(const key &k, const kstone::update &change, stored_item *returned = nullptr) noexcept {
        const kstone_cond cond = change.when().get();
        const std::string_view expr = change.expression();
        return try_returning(returned, [&](kstone_item **out) {
            return kstone_update(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), expr.data(), expr.size(),
                                 change.values(), &cond, static_cast<std::uint32_t>(change.returns()), out, nullptr);
        });
    }

    /** item::from_json and put in one. Throws what these throw. */
    void put_json(const key &k, std::string_view text, json form = json::typed) {
        detail::call([&](kstone_error **err) {
            return kstone_put_json(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), text.data(), text.size(),
                                   detail::flags_of(form), err);
        });
    }

    /** get and to_json in one; nothing where there is no item. Throws error where the key cannot be. */
    std::optional<text> get_json(const key &k, json form = json::typed) const {
        char *data = nullptr;
        std::size_t size = 0;
        const status s = detail::call([&](kstone_error **err) {
            return kstone_get_json(get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), detail::flags_of(form),
                                   &data, &size, err);
        });
        return s == status::ok ? std::optional<text>(text(data, size)) : std::nullopt;
    }

    /**
     * One page of a query: what is there now, up to 1 MiB or the query's limit, from its beginning or from where
     * `token` says (page::token of the page before). Throws error: for what the query says, and for a token of another
     * query.
     */
    page query(const kstone::query &q, bytes_view token = {}) const { return read(kstone_query, q.get(token)); }

    /** The same without exceptions. `out` is left alone unless status::ok is returned. */
    status try_query(const kstone::query &q, page &out, bytes_view token = {}) const noexcept {
        return try_read(kstone_query, q.get(token), out);
    }

    /** One page of a scan; as query. */
    page scan(const kstone::scan &s = {}, bytes_view token = {}) const { return read(kstone_scan, s.get(token)); }

    /** The same without exceptions. */
    status try_scan(const kstone::scan &s, page &out, bytes_view token = {}) const noexcept {
        return try_read(kstone_scan, s.get(token), out);
    }

    /**
     * All pages, one after the other, for range-for: `for (const kstone::page &p : db.pages(query))`. Every page is
     * exact for its moment; others may write between two. Borrows the database; a step throws error.
     */
    page_range<kstone::query> pages(kstone::query q) const;
    page_range<kstone::scan> pages(kstone::scan s) const;
    page_range<statement> pages(statement what);

    /** All items of a query or scan as they are now, for range-for. Throws error. */
    cursor iterate(const kstone::query &q, bytes_view token = {}) const { return open_cursor(q.get(token)); }
    cursor iterate(const kstone::scan &s = {}, bytes_view token = {}) const { return open_cursor(s.get(token)); }

    /**
     * A cursor over the items of a query or scan as they are now, that goes forward, back, and to any key. Throws error
     * with status::invalid for a limit; otherwise as iterate.
     */
    scroll_cursor scroll(const kstone::query &q) const { return open_scroll(q.get({})); }
    scroll_cursor scroll(const kstone::scan &s = {}) const { return open_scroll(s.get({})); }

    /**
     * Executes a statement. The page has the rows of a SELECT, or of a write with RETURNING, and is empty for any other
     * write. A row has the columns of the SELECT list as its attributes; with SELECT * it is the whole item, in which
     * the key stands as the attributes pk and sk. `token` goes on where a page of the same statement ended.
     *
     * Throws error with status::invalid where the statement is not well-formed (the message has line, column and an
     * excerpt) or a value is missing, left over or of an unfit type; condition_failed where the WHERE clause of an
     * UPDATE or DELETE does not hold, and for an INSERT of a key that is there; status::limit.
     */
    page execute(const statement &what, bytes_view token = {}) {
        kstone_page *found = nullptr;
        detail::call([&](kstone_error **err) { return execute(what, token, &found, err); });
        return page(found);
    }

    /** The same, with the values of the question marks: `db.execute("SELECT * FROM items WHERE pk = ?", "ada")`. */
    template <class... Values> page execute(std::string_view text, const Values &...values) {
        return execute(statement(text, values...));
    }

    /** The same without exceptions. `out` is left alone unless status::ok is returned. */
    status try_execute(const statement &what, page &out, bytes_view token = {}) noexcept {
        kstone_page *found = nullptr;
        const kstone_status s = execute(what, token, &found, nullptr);
        if (s == KSTONE_OK) {
            out = page(found);
        }
        return static_cast<status>(s);
    }

    /** Reads a statement once, to be run many times. Throws as execute, as far as no value is needed to tell. */
    prepared prepare(std::string_view statement) const {
        kstone_prepare_spec spec = of_kind(KSTONE_PREPARE_STATEMENT);
        spec.text = statement.data();
        spec.text_len = statement.size();
        return prepare(spec);
    }

    /** Reads an update once. What it is given with `with` are "#names"; values come with each run. Throws as update. */
    prepared prepare(const kstone::update &change) const {
        const kstone_cond cond = change.when().get();
        kstone_prepare_spec spec = of_kind(KSTONE_PREPARE_UPDATE);
        spec.text = change.expression().data();
        spec.text_len = change.expression().size();
        spec.names = change.values();
        spec.cond = &cond;
        return prepare(spec);
    }

    /** Reads a query once. Throws as query. */
    prepared prepare(const kstone::query &q) const {
        const kstone_query_spec query = q.get({});
        kstone_prepare_spec spec = of_kind(KSTONE_PREPARE_QUERY);
        spec.query = &query;
        return prepare(spec);
    }

    /** Reads the condition of a put, of a deletion or of a batch::check once. Throws as put_if. */
    prepared prepare_put(const condition &when = {}) const { return prepare(KSTONE_PREPARE_PUT, when); }
    prepared prepare_erase(const condition &when = {}) const { return prepare(KSTONE_PREPARE_DELETE, when); }
    prepared prepare_check(const condition &holds) const { return prepare(KSTONE_PREPARE_CHECK, holds); }

    /**
     * Runs a prepared statement or query: a page, as execute and query give it. `limit` is how many items to examine,
     * 0: what the query was prepared with. Throws what these throw, and error with status::invalid, naming it, for a
     * value that is missing, left over or does not fit, with status::misuse for a prepared write.
     */
    page run(const prepared &what, bound_list values = {}, std::uint32_t limit = 0, bytes_view token = {}) {
        const detail::bound_values given(values);
        kstone_page *found = nullptr;
        detail::call([&](kstone_error **err) {
            return kstone_run(get(), what.get(), given.data(), given.size(), limit, token.data(), token.size(), &found,
                              err);
        });
        return page(found);
    }

    /** Runs a prepared query as a cursor. Throws as run. */
    cursor open(const prepared &what, bound_list values = {}, std::uint32_t limit = 0) const {
        const detail::bound_values given(values);
        kstone_iter *handle = nullptr;
        detail::call([&](kstone_error **err) {
            return kstone_run_iter(get(), what.get(), given.data(), given.size(), limit, &handle, err);
        });
        return cursor(handle);
    }

    /** Runs a prepared update or deletion, and gives back what is asked for, if there is such. Throws as update. */
    std::optional<stored_item> run_on(const prepared &what, const key &k, bound_list values = {},
                                      returning wanted = returning::none) {
        return run_write(what, k, nullptr, values, wanted);
    }

    /** Runs a prepared put. Throws as put_if. */
    std::optional<stored_item> run_on(const prepared &what, const key &k, item_view item, bound_list values = {},
                                      returning wanted = returning::none) {
        return run_write(what, k, item.get(), values, wanted);
    }

    /**
     * Does the operations of a batch in order, as if each were a call; the page has what its gets found. The first that
     * fails ends the run, what was done before it stays, and error::index says which it was. There may be any number.
     * Throws condition_failed and error.
     */
    page run(batch &operations) { return run(operations, 0); }

    /**
     * Does the operations of a batch at one moment, or not one of them: up to 100, each on an item of its own. Gets see
     * the items as they were before. Throws condition_failed where a condition did not hold, and error; error::name is
     * then "TransactionCanceledException", and the message has a reason for every operation.
     */
    page transact(batch &operations) { return run(operations, KSTONE_BATCH_ATOMIC); }

    /** Puts a schema (see options::schema) in the place of the one there is; empty: none. New indexes are filled. */
    void configure(std::string_view schema) {
        detail::call([&](kstone_error **err) {
            return kstone_configure(get(), schema.empty() ? nullptr : schema.data(), schema.size(), err);
        });
    }

    /** Fixes the time that decides what has expired, in seconds since 1970; 0: the system's clock. For tests. */
    void set_time(std::int64_t epoch_seconds) {
        detail::call([&](kstone_error **err) { return kstone_set_time(get(), epoch_seconds, err); });
    }

    /** Removes the items whose time has passed, which no read shows any more, and says how many. */
    std::size_t purge_expired() {
        std::size_t purged = 0;
        detail::call([&](kstone_error **err) { return kstone_purge_expired(get(), &purged, err); });
        return purged;
    }

    /**
     * The changes after a sequence number, at most `max`, as DynamoDB's stream records: {"Records":[...]}. Throws error
     * with status::trimmed where the stream has dropped some of them, status::invalid where there is no stream.
     */
    text stream_read(std::uint64_t after, std::size_t max) const {
        char *data = nullptr;
        std::size_t size = 0;
        detail::call([&](kstone_error **err) { return kstone_stream_read(get(), after, max, &data, &size, err); });
        return {data, size};
    }

    /**
     * Writes the database as it is now, items and schema, to a file, in the place of one that is there: a crash at any
     * moment leaves the old file or the new one. Writers wait for a moment, not for the file. A std::filesystem::path
     * converts. Throws error with status::io, naming the file and the cause, or status::invalid for a path that cannot
     * be.
     */
    void snapshot_save(const std::string &path) const {
        detail::call([&](kstone_error **err) { return kstone_snapshot_save(get(), path.data(), path.size(), err); });
    }

    /**
     * Fills an empty database from a snapshot: schema and items appear at once, after all of the file was checked, or
     * nothing does. Throws error with status::corrupt, with the place, status::io, or status::invalid where the
     * database holds an item.
     */
    void snapshot_load(const std::string &path) {
        detail::call([&](kstone_error **err) { return kstone_snapshot_load(get(), path.data(), path.size(), err); });
    }

    /** How far the save or load has come that another thread has at work. */
    progress snapshot_progress() const {
        progress now;
        detail::call([&](kstone_error **err) { return kstone_snapshot_progress(get(), &now.done, &now.total, err); });
        return now;
    }

    /**
     * Writes the bytes of a snapshot through `write(const char *data, std::size_t size)`, called by this thread. It may
     * use this database. Throws what `write` throws, when the save has ended; error otherwise.
     */
    template <class F> void snapshot_save_to(F &&write) const {
        detail::thrower<F> to{write, nullptr};
        const auto f = [](void *self, const void *data, std::size_t size) noexcept -> kstone_status {
            auto &t = *static_cast<detail::thrower<F> *>(self);
            return t.run([&] { t.function(static_cast<const char *>(data), size); });
        };
        to.call([&](kstone_error **err) { return kstone_snapshot_save_to(get(), f, &to, err); });
    }

    /**
     * Fills an empty database with a snapshot that `read(char *buffer, std::size_t capacity)` gives, called by this
     * thread; it returns how many bytes it has read, 0 at the end only. It may read and write this database, but not
     * load, fork or configure it. Throws what `read` throws, when the load has ended; error otherwise. Nothing is
     * loaded then.
     */
    template <class F> void snapshot_load_from(F &&read) {
        detail::thrower<F> from{read, nullptr};
        const auto f = [](void *self, void *buffer, std::size_t capacity, std::size_t *size) noexcept -> kstone_status {
            auto &t = *static_cast<detail::thrower<F> *>(self);
            return t.run([&] { *size = t.function(static_cast<char *>(buffer), capacity); });
        };
        from.call([&](kstone_error **err) { return kstone_snapshot_load_from(get(), f, &from, err); });
    }

    /** Writes every item to a file as a line of JSON in DynamoDB's form, as of one moment. Throws as snapshot_save. */
    void export_json(const std::string &path) const {
        detail::call([&](kstone_error **err) { return kstone_export_json(get(), path.data(), path.size(), err); });
    }

    /**
     * Puts an item for each line of a file. Throws error with status::corrupt for a bad record, unless they are
     * skipped: the message names the file, the line and what is wrong; status::io; status::invalid for a path or name
     * that cannot be. Nothing was put then, unless the file changed after it had been checked. As put otherwise: what
     * came before stays.
     */
    imported import_json(const std::string &path, const import_options &how = {}) {
        imported result;
        kstone_import_spec spec{};
        char *reasons = nullptr;
        spec.struct_size = sizeof spec;
        spec.pk_name = how.pk_name.empty() ? nullptr : how.pk_name.data();
        spec.pk_name_len = how.pk_name.size();
        spec.sk_name = how.sk_name.empty() ? nullptr : how.sk_name.data();
        spec.sk_name_len = how.sk_name.size();
        spec.flags = how.skip_bad ? KSTONE_IMPORT_SKIP : 0;
        detail::call([&](kstone_error **err) {
            return kstone_import_json(get(), path.data(), path.size(), &spec, &result.loaded, &result.skipped, &reasons,
                                      err);
        });
        result.reasons = text(reasons, std::strlen(reasons));
        return result;
    }

    /** Deletes all items. */
    void clear() {
        detail::call([&](kstone_error **err) { return kstone_clear(get(), err); });
    }

    /** Turns what was collected into sorted runs now: for tests and measurements. */
    void flush() {
        detail::call([&](kstone_error **err) { return kstone_flush(get(), err); });
    }

    /** Merges the sorted runs, and drops what deletes have left behind. */
    void compact() {
        detail::call([&](kstone_error **err) { return kstone_compact(get(), err); });
    }

    /** How many items there are. */
    std::uint64_t count() const {
        std::uint64_t n = 0;
        detail::call([&](kstone_error **err) { return kstone_count(get(), &n, err); });
        return n;
    }

    /** One number about the database: KSTONE_STAT_ITEMS and so on. Throws error with status::invalid for another. */
    std::uint64_t stat(std::uint32_t statistic) const {
        std::uint64_t n = 0;
        detail::call([&](kstone_error **err) { return kstone_stat(get(), statistic, &n, err); });
        return n;
    }

    /** Numbers about the database as a JSON object. Walks over all items. */
    text stats_json() const {
        char *data = nullptr;
        std::size_t size = 0;
        detail::call([&](kstone_error **err) { return kstone_stats_json(get(), &data, &size, err); });
        return {data, size};
    }

    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /** The C handle, for what this class does not do. */
    const kstone_db *get() const noexcept { return handle_.get(); }
    kstone_db *get() noexcept { return handle_.get(); }

  private:
    using read_function = kstone_status (*)(const kstone_db *, const kstone_query_spec *, kstone_page **,
                                            kstone_error **);

    static std::optional<stored_item> optional_item(kstone_item *handle) noexcept {
        return handle == nullptr ? std::nullopt : std::optional<stored_item>(stored_item(handle));
    }

    template <class F> static status try_returning(stored_item *out, F write) noexcept {
        kstone_item *returned = nullptr;
        const kstone_status s = write(out == nullptr ? nullptr : &returned);
        if (s == KSTONE_OK && out != nullptr) {
            *out = stored_item(returned);
        }
        return static_cast<status>(s);
    }

    static bool counts(const kstone_query_spec &spec) noexcept { return (spec.flags & KSTONE_QUERY_COUNT) != 0; }

    page read(read_function f, const kstone_query_spec &spec) const {
        kstone_page *found = nullptr;
        detail::call([&](kstone_error **err) { return f(get(), &spec, &found, err); });
        return page(found, counts(spec));
    }

    status try_read(read_function f, const kstone_query_spec &spec, page &out) const noexcept {
        kstone_page *found = nullptr;
        const kstone_status s = f(get(), &spec, &found, nullptr);
        if (s == KSTONE_OK) {
            out = page(found, counts(spec));
        }
        return static_cast<status>(s);
    }

    static kstone_prepare_spec of_kind(std::uint32_t kind) noexcept {
        kstone_prepare_spec spec{};
        spec.struct_size = sizeof spec;
        spec.kind = kind;
        return spec;
    }

    prepared prepare(std::uint32_t kind, const condition &when) const {
        const kstone_cond cond = when.get();
        kstone_prepare_spec spec = of_kind(kind);
        spec.cond = &cond;
        return prepare(spec);
    }

    prepared prepare(const kstone_prepare_spec &spec) const {
        kstone_prepared *out = nullptr;
        detail::call([&](kstone_error **err) { return kstone_prepare(get(), &spec, &out, err); });
        return prepared(out);
    }

    std::optional<stored_item> run_write(const prepared &what, const key &k, const kstone_item *item, bound_list values,
                                         returning wanted) {
        const detail::bound_values given(values);
        kstone_item *returned = nullptr;
        detail::call([&](kstone_error **err) {
            return kstone_run_write(get(), what.get(), k.pk.data(), k.pk.size(), k.sk.data(), k.sk.size(), item,
                                    given.data(), given.size(), static_cast<std::uint32_t>(wanted), &returned, err);
        });
        return optional_item(returned);
    }

    scroll_cursor open_scroll(const kstone_query_spec &spec) const {
        kstone_cursor *handle = nullptr;
        detail::call([&](kstone_error **err) { return kstone_cursor_open(get(), &spec, &handle, err); });
        return scroll_cursor(handle);
    }

    cursor open_cursor(const kstone_query_spec &spec) const {
        kstone_iter *handle = nullptr;
        detail::call([&](kstone_error **err) { return kstone_iter_open(get(), &spec, &handle, err); });
        return cursor(handle);
    }

    kstone_status execute(const statement &what, bytes_view token, kstone_page **out, kstone_error **err) noexcept {
        return kstone_execute(get(), what.text().data(), what.text().size(), what.values(), token.data(), token.size(),
                              out, err);
    }

    page run(batch &operations, std::uint32_t flags) {
        kstone_page *found = nullptr;
        detail::call([&](kstone_error **err) {
            return kstone_batch_run(get(), operations.get(), flags, &found, err);
        });
        return page(found);
    }

    detail::owned<kstone_db> handle_;
};

/**
 * The pages of a query, scan or statement, one after the other, for range-for, once. Borrows the database; keeps one
 * page, which goes when the next one is read. One thread at a time.
 */
template <class Request> class page_range {
    /* A statement may write. */
    using database_type = std::conditional_t<std::is_same_v<Request, statement>, database, const database>;

  public:
    /** An input iterator: ++ reads the next page. Throws error. */
    class iterator {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = page;
        using difference_type = std::ptrdiff_t;
        using pointer = const page *;
        using reference = const page &;

        iterator() noexcept = default;
        explicit iterator(page_range *from) noexcept : from_(from) {}

        reference operator*() const noexcept { return from_->current_; }
        pointer operator->() const noexcept { return &from_->current_; }
        iterator &operator++() {
            const bytes_view token = from_->current_.token();
            if (token.empty()) {
                from_ = nullptr;
            } else {
                from_->current_ = from_->read(token);
            }
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator &a, const iterator &b) noexcept { return a.from_ == b.from_; }
        friend bool operator!=(const iterator &a, const iterator &b) noexcept { return !(a == b); }

      private:
        page_range *from_ = nullptr;
    };

    page_range(database_type &db, Request request) : db_(&db), request_(std::move(request)) {}

    /** Reads the first page. */
    iterator begin() {
        current_ = read({});
        return iterator(this);
    }
    iterator end() noexcept { return {}; }

  private:
    page read(bytes_view token) const {
        if constexpr (std::is_same_v<Request, query>) {
            return db_->query(request_, token);
        } else if constexpr (std::is_same_v<Request, scan>) {
            return db_->scan(request_, token);
        } else {
            return db_->execute(request_, token);
        }
    }

    database_type *db_;
    Request request_;
    page current_;
};

inline page_range<query> database::pages(kstone::query q) const { return {*this, std::move(q)}; }
inline page_range<scan> database::pages(kstone::scan s) const { return {*this, std::move(s)}; }
inline page_range<statement> database::pages(statement what) { return {*this, std::move(what)}; }

} // namespace kstone

#endif
