/*
 * kstone: DynamoDB's data model in memory, as a C library.
 *
 * A database maps keys to items. A key is a partition key and, optionally, a sort key; an item is a set of typed
 * attributes. Items of one partition are kept in the order of their sort keys and are queried by range. Nothing is
 * written to disk unless the program asks for it (snapshots, exports): otherwise the data ends with the process.
 *
 * This header is the manual. It is generated: its text is in include/kstone.h.in, the comments of its functions are in
 * src/, and scripts/header puts them together.
 *
 * CONTENTS
 *   First program      Conventions        Process and system                    Versions
 *   Handles            Statuses and errors                   The library (kstone_free)
 *   Databases          Items              Nested values      Building items     Building lists, maps and sets
 *   Reading and writing                   Conditions         Queries            Pages
 *   Iterators          Cursors            Batches            PartiQL            Prepared requests
 *   Schema and stream  Snapshots          Export and import  Callbacks          Accounts
 *   Statistics         Maintenance        Stored form
 *
 *
 * FIRST PROGRAM
 *
 * Open a database, put an item, get it back, free what was handed out.
 *
 *     static int first_program(void) {
 *         kstone_db *db = NULL;
 *         kstone_item *item = kstone_item_new();
 *         kstone_item *found = NULL;
 *         kstone_error *err = NULL;
 *         int64_t age = 0;
 *         if (kstone_open_memory(NULL, &db, &err) == KSTONE_OK) {
 *             kstone_item_set_str(item, "name", KSTONE_STRLEN, "Alice", KSTONE_STRLEN);
 *             kstone_item_set_i64(item, "age", KSTONE_STRLEN, 30);
 *             if (kstone_put(db, "user#1", 6, NULL, 0, item, &err) == KSTONE_OK &&
 *                 kstone_get(db, "user#1", 6, NULL, 0, &found, &err) == KSTONE_OK) {
 *                 kstone_item_get_i64(found, "age", KSTONE_STRLEN, &age);
 *             }
 *         }
 *         if (err != NULL) {
 *             fprintf(stderr, "%s\n", kstone_error_message(err));
 *         }
 *         kstone_free(err);
 *         kstone_free(found);
 *         kstone_free(item);
 *         kstone_free(db);
 *         return age == 30;
 *     }
 *
 * Compile it with: cc program.c $(pkg-config --cflags --libs kstone)
 *
 *
 * CONVENTIONS
 *
 * They hold for every function; a function's own comment says what is special about it.
 *
 * 1. Status. A function that can fail returns a kstone_status. 0 (KSTONE_OK) is success. A status above 0 is no error:
 *    KSTONE_NOT_FOUND, KSTONE_DONE. A status below 0 is an error. The numbers never change their meaning.
 *
 * 2. Errors. The last parameter of most of these functions is a kstone_error **err, which may be NULL. When the
 *    status is below 0, *err is set to a new error object, which you own; otherwise *err is not touched. What *err
 *    pointed at before is not freed. There is no "last error" of a thread. Most setters and all getters of items, and
 *    the functions that add to a batch, have no err: the status says everything.
 *
 * 3. Ownership. One function releases everything: kstone_free. Handles and text that come from an out parameter, or
 *    from a function named ..._new or ..._clone, are yours: give each of them to kstone_free once. kstone_free(NULL)
 *    does nothing. What is returned as const is borrowed: it is valid until the object it was borrowed from is changed
 *    or freed, and kstone_free of it does nothing. Items, pages, iterators, cursors, responses and errors stay valid
 *    when the database or account is freed before them. The pointers inside a kstone_bytes or kstone_value are no
 *    handles: never free them.
 *
 * 4. Inputs. Bytes and text come as a pointer and a length, and are copied: yours may change or go when the call
 *    returns. Bytes and text may hold NULs. Empty is (NULL, 0); a pointer with length 0 is empty too. For text
 *    (const char *) the length KSTONE_STRLEN means "up to the NUL"; for bytes (const void *) it is
 *    KSTONE_ERR_MISUSE. Text is UTF-8: anything else is KSTONE_ERR_INVALID. An empty sort key means no sort key; an
 *    empty partition key is KSTONE_ERR_INVALID. Inputs may be borrowed from the very object that the call changes.
 *
 * 5. Threads. Any number of threads may use one kstone_db or kstone_account at once. What is passed as a pointer to
 *    const is only read: any number of threads may read one item, page, prepared request, response or error at once, as
 *    long as nobody changes or frees it, or the object it was borrowed from. A handle that a call changes (a built item
 *    in a setter, an iterator in kstone_iter_next, a batch, a response in kstone_account_call) is used by one thread at
 *    a time, whichever thread that is.
 *
 * 6. Outputs. They are written only with KSTONE_OK; with any other status they are not touched, so set your pointers
 *    to NULL before the call if you free them after it. A write that fails changes nothing. An out parameter that is
 *    NULL is KSTONE_ERR_MISUSE, unless its function says that it may be NULL. Text that comes out (char **) ends with a
 *    NUL, which its length does not count.
 *
 * 7. Structs. A struct that you pass begins with struct_size, its sizeof, which KSTONE_..._INIT sets. Structs only ever
 *    grow at their end. Zero always means the default, and NULL instead of a struct means all defaults. An unknown flag
 *    and a field that this version does not serve are KSTONE_ERR_INVALID, never ignored. A struct from an older header
 *    works; one from a newer header works as long as its new fields are 0.
 *
 * 8. Internal failures. A bug in the library ends in KSTONE_ERR_PANIC and a line on standard error; it does not unwind
 *    into your program. If it happened during a write, the database refuses all further use with the same status.
 *
 * 9. Accessors return their answer itself instead of a status. They take NULL and answer 0, NULL or empty.
 *
 * 10. Misuse. NULL where something is needed, an impossible length, and a handle of the wrong kind are
 *    KSTONE_ERR_MISUSE, as far as the library can tell. A pointer that never came from this library, or that was freed,
 *    is undefined behaviour.
 *
 * 11. Compatibility. Functions are only ever added; one that changes gets a new name. Handles are incomplete types.
 *    docs/abi.md says what each version promises.
 *
 *
 * PROCESS AND SYSTEM
 *
 * Threads of its own. The library starts a thread for a database or account that is opened with
 * KSTONE_OPEN_BACKGROUND_COMPACTION, one for each, which ends when that is freed; and for the load of a snapshot of
 * more than 256 KiB, and for kstone_import_json of a file of more than 500 records or 32 KiB, up to three, one for each
 * further processor that the process may use, which have ended when the call returns. Where none can be started, and in
 * a child of fork, such a call works alone. No other function starts one. All of them block all signals. The library
 * calls nothing back, except the functions of CALLBACKS, on the thread that called it.
 *
 * fork(2). A child that goes on as one thread may use and free its copy of a database, independently of the parent, if
 * no other thread was inside a call with that database at the moment of the fork: a lock that such a thread holds stays
 * locked in the child. It may open databases of its own. A child that starts threads, or opens a database with
 * KSTONE_OPEN_BACKGROUND_COMPACTION, needs that no other thread was inside any call of the library. The thread that
 * this flag starts counts as another thread, and may be at work for some time after a write; it does not exist in the
 * child, whose writes merge sorted runs themselves. A child that only calls exec or _exit needs none of this.
 *
 * Signals. The library installs no signal handlers and changes no signal mask of your threads. No function may be
 * called from a signal handler. File functions go on when a signal interrupts them. No function is a cancellation
 * point: pthread_cancel waits until the library has returned. Asynchronous cancellation must be off during a call.
 *
 * Stack. 48 KiB are enough for every function, thread-local storage included, but for PartiQL: a statement that is
 * nested as deep as allowed (32 levels) needs 160 KiB.
 *
 * Memory. The library has an allocator of its own (mimalloc, unless it was built without it), which it shares with
 * nothing: malloc and free of your program are not replaced, and memory never passes from one side to the other for the
 * other to release. Freed memory is used again by the library; kstone_compact and kstone_clear give it back to the
 * system. After mlockall(MCL_FUTURE) a database takes up to 32 MiB more, which the allocator keeps for the next ones.
 * Where memory runs out, the process is ended: memory_max_bytes of kstone_options bounds a database.
 */
#ifndef KSTONE_H
#define KSTONE_H

#include <stddef.h>
#include <stdint.h>

/**
 * Before a function whose result may not be ignored: the compiler warns where it is. Define it yourself, before the
 * header is included, to change that.
 */
#ifndef KSTONE_MUST_USE
#if (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L) || (defined(__cplusplus) && __cplusplus >= 201703L)
#define KSTONE_MUST_USE [[nodiscard]]
#elif defined(__GNUC__)
#define KSTONE_MUST_USE __attribute__((warn_unused_result))
#else
#define KSTONE_MUST_USE
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif


/* ---------------------------------------------------------------------------------------------------------------------
 * VERSIONS
 *
 * KSTONE_VERSION and its parts are the version of this header, at compile time; kstone_version and
 * kstone_version_number give the version of the library that is loaded. A program works with any library of the same
 * MAJOR version that is not older than its header.
 */

/** The version of this header, as "MAJOR.MINOR.PATCH". */
#define KSTONE_VERSION "0.1.0"

/** The version as a number that can be compared: MAJOR * 10000 + MINOR * 100 + PATCH. */
#define KSTONE_VERSION_NUMBER (KSTONE_VERSION_MAJOR * 10000 + KSTONE_VERSION_MINOR * 100 + KSTONE_VERSION_PATCH)

/** The first part of the version. */
#define KSTONE_VERSION_MAJOR 0

/** The second part of the version. */
#define KSTONE_VERSION_MINOR 1

/** The third part of the version. */
#define KSTONE_VERSION_PATCH 0


/* ---------------------------------------------------------------------------------------------------------------------
 * HANDLES
 *
 * What the library hands out, as pointers to incomplete types. kstone_free releases each of them.
 */

/** Tables in memory behind DynamoDB's operations. */
typedef struct kstone_account kstone_account;

/** A list of operations to be run together. */
typedef struct kstone_batch kstone_batch;

/** A cursor over items, at a point in time. */
typedef struct kstone_cursor kstone_cursor;

/** A database in memory, or a table of an account. */
typedef struct kstone_db kstone_db;

/** What a failed call says about itself. Any number of threads may read one at once. */
typedef struct kstone_error kstone_error;

/** An item: a built one, or one that was read. */
typedef struct kstone_item kstone_item;

/** An iterator over items, at a point in time. */
typedef struct kstone_iter kstone_iter;

/** What one query, scan, statement or batch found. Any number of threads may read one at once. */
typedef struct kstone_page kstone_page;

/** A statement, a write or a query that was read once. Any number of threads may run one at once. */
typedef struct kstone_prepared kstone_prepared;

/** The answer to one request after another. */
typedef struct kstone_response kstone_response;

/**
 * As the length of a const char pointer: the text ends at its NUL. Lengths of const void pointers are always given.
 */
#define KSTONE_STRLEN ((size_t)-1)


/* ---------------------------------------------------------------------------------------------------------------------
 * STATUSES AND ERRORS
 *
 * Every call that can fail returns a kstone_status. A call that fails also describes itself in an error object, where
 * the caller passes a kstone_error **: pass NULL where the status is enough. An error belongs to its caller alone, and
 * stays valid for as long as it is kept, also when the database is freed.
 *
 *     static int report(kstone_status status, kstone_error *err) {
 *         if (status >= 0) {
 *             return 0;
 *         }
 *         fprintf(stderr, "%s: %s (%s)\n", kstone_status_text(status), kstone_error_message(err),
 *                 kstone_error_name(err));
 *         kstone_free(err);
 *         return 1;
 *     }
 */

/** Success. */
#define KSTONE_OK 0

/** No error: there is no item under that key, or nothing at that path. */
#define KSTONE_NOT_FOUND 1

/** No error: the iterator has come to its end. */
#define KSTONE_DONE 2

/** An argument is NULL or impossible, or a handle is of the wrong kind: fix the program. */
#define KSTONE_ERR_MISUSE (-1)

/** A key, item, request or JSON text is not acceptable: fix what the message names. */
#define KSTONE_ERR_INVALID (-2)

/** The condition of a write did not hold: nothing was written. */
#define KSTONE_ERR_CONDITION_FAILED (-3)

/** Another transaction was in the way: try again. Not returned yet. */
#define KSTONE_ERR_CONFLICT (-4)

/** A documented size limit is passed: the message names the limit and the size found. */
#define KSTONE_ERR_LIMIT (-5)

/** The attribute is of another type than the function reads. */
#define KSTONE_ERR_TYPE (-6)

/** A snapshot or a file to import fails its checks: the message says where, and nothing was loaded. */
#define KSTONE_ERR_CORRUPT (-7)

/** The operating system refused to read or write a file: the message names the file and the cause. */
#define KSTONE_ERR_IO (-8)

/**
 * The library failed inside, which is a bug in it. A database whose write failed so refuses further use, with this
 * status: free it and open another.
 */
#define KSTONE_ERR_PANIC (-9)

/** A reader of the change stream fell behind what the stream keeps. */
#define KSTONE_ERR_TRIMMED (-10)

/** The outcome of a call: 0 is success, above 0 is no error, below 0 is an error. */
typedef int32_t kstone_status;

/**
 * A short phrase for a status, such as "not found". Never NULL: a status that this version does not know gets a
 * phrase too. Borrowed, and valid for as long as the library is loaded. Any thread.
 */
const char *kstone_status_text(kstone_status status);

/** The status that came with the error. KSTONE_OK for NULL. */
kstone_status kstone_error_code(const kstone_error *e);

/**
 * The name of the exception that DynamoDB throws in such a case, such as "ValidationException"; empty where DynamoDB
 * has none, and for NULL. Where an operation cancels an atomic batch the name is "TransactionCanceledException",
 * whatever the code. Never NULL. Borrowed, and valid for as long as the library is loaded.
 */
const char *kstone_error_name(const kstone_error *e);

/**
 * What went wrong, for people: it names the argument, and the limit and the size found where there is one. The
 * wording may change between versions. UTF-8, empty for NULL, never NULL. Borrowed from the error.
 */
const char *kstone_error_message(const kstone_error *e);

/**
 * Which operation of a batch failed, counted from 0 in the order in which they were added, or which element of
 * kstone_get_many and kstone_put_many is wrong; -1 where the call is another or as a whole at fault, and for NULL.
 */
int32_t kstone_error_index(const kstone_error *e);

/**
 * The item that made a condition fail, where kstone_cond.return_old asked for it; NULL where it did not, where there
 * was no item, and for NULL. It is the stored item, not a copy. Borrowed from the error: kstone_free leaves it alone,
 * and it is gone when the error is freed.
 */
const kstone_item *kstone_error_item(const kstone_error *e);


/* ---------------------------------------------------------------------------------------------------------------------
 * THE LIBRARY
 */

/**
 * The version of the library that is loaded, as "MAJOR.MINOR.PATCH". Borrowed, and valid for as long as the library is
 * loaded. Any thread.
 */
const char *kstone_version(void);

/** The same as a number that can be compared: MAJOR * 10000 + MINOR * 100 + PATCH. Any thread. */
uint32_t kstone_version_number(void);

/**
 * Releases everything that this library hands out: a database, account, response, item, page, iterator, cursor, batch,
 * prepared request, error or text.
 * NULL is fine. What is borrowed (returned as const) is left alone, because its parent releases it. Everything is
 * released once; using it afterwards is undefined. The data of a kstone_bytes or kstone_value is no handle: it points
 * into an item or page and is never given to this function.
 *
 * Freeing an item that was read drops a reference; the item's bytes go with the last one. Freeing a database releases
 * all that is stored, except for what items, pages, iterators and cursors still refer to: they stay valid. So it is
 * with an account, whose tables also stay for as long as a database of kstone_account_table is not freed.
 *
 * Cost: an item or text, about as much as free; a page, the number of its items; a database, the number of its items.
 * A database with KSTONE_OPEN_BACKGROUND_COMPACTION also waits for the merge that its thread is at, and for the
 * thread.
 * Threads: nobody else may use the handle, or anything borrowed from it, while it is freed or later.
 */
void kstone_free(void *p);


/* ---------------------------------------------------------------------------------------------------------------------
 * DATABASES
 *
 * A database is in memory: no file is written unless a function is asked to (snapshots, exports), and the data is gone
 * when the database is freed. A database has no name; a program may open as many as it likes. An empty one takes
 * 2 KiB, 16 KiB more come with its first write. Any number of threads may use one database at once.
 *
 *     static kstone_db *open_with_limit(void) {
 *         kstone_options options = KSTONE_OPTIONS_INIT;
 *         kstone_db *db = NULL;
 *         options.memory_max_bytes = 64 * 1024 * 1024;
 *         options.eviction = KSTONE_EVICT_LRU;
 *         return kstone_open_memory(&options, &db, NULL) == KSTONE_OK ? db : NULL;
 *     }
 *
 * A table is untyped unless its schema names and types its key (schema_json). In an untyped table keys are bytes,
 * called pk and sk; they are compared as bytes, and are no attributes of the item. In a typed one the key attributes
 * belong to the item, as in DynamoDB: whatever shows an item shows them among its attributes, and kstone_put_item takes
 * the key from the item. A pk or sk argument is then the text of S or of N ("12", "1.2e1": the same key), or the bytes
 * of B; numbers are in the order of numbers. A key that is missing, empty, or not of its type is KSTONE_ERR_INVALID,
 * naming the attribute. An item may be put under its key with its key attributes, which must equal the key, or without
 * them.
 *
 *     static int64_t best_of_ann(void) {
 *         static const char schema[] = "{\"partition_key\":{\"name\":\"user\",\"type\":\"S\"},"
 *                                      "\"sort_key\":{\"name\":\"score\",\"type\":\"N\"}}";
 *         kstone_options options = KSTONE_OPTIONS_INIT;
 *         kstone_query_spec spec = KSTONE_QUERY_SPEC_INIT;
 *         kstone_db *db = NULL;
 *         kstone_page *page = NULL;
 *         kstone_item *item = kstone_item_new();
 *         int64_t best = 0;
 *         options.schema_json = schema;
 *         options.schema_json_len = KSTONE_STRLEN;
 *         kstone_item_set_str(item, "user", KSTONE_STRLEN, "ann", KSTONE_STRLEN);
 *         spec.pk = "ann";
 *         spec.pk_len = 3;
 *         spec.flags = KSTONE_QUERY_REVERSE;
 *         if (kstone_open_memory(&options, &db, NULL) == KSTONE_OK) {
 *             kstone_item_set_i64(item, "score", KSTONE_STRLEN, 9);
 *             (void)kstone_put_item(db, item, NULL);
 *             kstone_item_set_i64(item, "score", KSTONE_STRLEN, 12);
 *             (void)kstone_put_item(db, item, NULL);
 *             if (kstone_query(db, &spec, &page, NULL) == KSTONE_OK) {
 *                 kstone_item_get_i64(kstone_page_item(page, 0), "score", KSTONE_STRLEN, &best);
 *             }
 *         }
 *         kstone_free(page);
 *         kstone_free(item);
 *         kstone_free(db);
 *         return best;
 *     }
 */

/** Items are never dropped to save memory. */
#define KSTONE_EVICT_NONE 0

/**
 * The items that were not used for the longest time go first, approximately: a read sets a mark, and a marked item
 * gets a second chance (the CLOCK policy; F. J. Corbato, "A Paging Experiment with the Multics System", 1968). Gets
 * and queries use an item, scans and iterators do not. Evicted items leave the indexes too, and a stream says REMOVE
 * with the userIdentity kstone:eviction.
 */
#define KSTONE_EVICT_LRU 1

/**
 * Flag of kstone_options: sorted runs are merged on a thread of the database's own rather than by the calls that
 * write, where one call in many otherwise waits until its stripe is merged: the larger a partition, the longer. The
 * thread ends when the database is freed.
 */
#define KSTONE_OPEN_BACKGROUND_COMPACTION 1

/**
 * How a database is to be. Set struct_size to sizeof(kstone_options) and everything else to 0, then what you want:
 * 0 always means the default. A program that was compiled against an older header passes a shorter struct, which
 * works.
 */
typedef struct kstone_options {
    /** sizeof(kstone_options), in bytes. */
    size_t struct_size;
    /**
     * Indexes, expiry and a change stream, as JSON; NULL: none. All members may be left out, none may be unknown:
     * {"name":"items", "partition_key":{"name":"user","type":"S"}, "sort_key":{"name":"score","type":"N"},
     * "local_indexes":[{"name":"by-email","sort_key":"email","projection":"ALL"}],
     * "global_indexes":[{"name":"by-status","partition_key":"status","sort_key":"age","projection":["name"]}],
     * "ttl_attribute":"expires_at", "stream":{"view_type":"NEW_IMAGE","capacity":1000}}. partition_key and sort_key
     * make the table a typed one: names of up to 255 characters, types S, N and B. The key of an index may have types,
     * too: "sort_key":{"name":"age","type":"N"}, of a global one also a list of up to four such. A projection is "ALL"
     * (the default), "KEYS_ONLY" or a list of attribute names. An item without an index's key attributes is not in it;
     * one whose time, in seconds since 1970, has passed by up to five years is invisible to every read and write,
     * unless "ttl_visible":true shows and updates it until it is removed, as DynamoDB does. Names have 3 to 255
     * letters, digits, dots, hyphens and underscores; up to 5 local and 20 global indexes; capacity is 1 to 16,777,216
     * records.
     */
    const char *schema_json;
    /** How many bytes schema_json has, or KSTONE_STRLEN. */
    size_t schema_json_len;
    /**
     * After how many writes a stripe (there are 256) turns what it has collected into a sorted run: 1 to 65,536, or 0
     * for 1000.
     * Smaller saves a little memory where keys are overwritten often, larger writes a little faster.
     */
    uint64_t memtable_max_records;
    /**
     * The most bytes that the database may take, as total_bytes of kstone_stats_json counts: 0 for no limit, otherwise
     * at least 1,048,576. A write that might pass it evicts first: expired items, then what eviction says. Where that
     * is not enough, the write is KSTONE_ERR_LIMIT and changes nothing; reads and deletes go on. A write keeps some
     * KiB for each stripe it touches; a stream gets a quarter of the limit; what iterators, pages and items in your
     * hands keep of the past is not counted.
     */
    uint64_t memory_max_bytes;
    /** What is evicted at the limit: KSTONE_EVICT_NONE or KSTONE_EVICT_LRU, which needs memory_max_bytes. */
    uint32_t eviction;
    /** KSTONE_OPEN_BACKGROUND_COMPACTION or 0. */
    uint32_t flags;
} kstone_options;

/** Initialises a kstone_options: all defaults. */
#define KSTONE_OPTIONS_INIT {sizeof(kstone_options), NULL, 0, 0, 0, 0, 0}

/**
 * Opens an empty database. options may be NULL: all defaults.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: KSTONE_ERR_INVALID where an option is out of range, not known or not served yet.
 * Cost: microseconds.
 */
KSTONE_MUST_USE kstone_status kstone_open_memory(const kstone_options *options, kstone_db **out, kstone_error **err);

/**
 * Makes a database of its own that holds what db holds now and shares its memory: writes on either side never show on
 * the other. The fixture for tests: fill one database, give each test a fork. The fork has db's options, schema and
 * time; its change stream is empty and goes on with db's sequence numbers; its statistics count what is shared as its
 * own. db may be freed before it.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: as kstone_clear.
 * Cost: some tens of microseconds, whatever the number of items; the first write to each of the 256 stripes
 * afterwards, on either side, some more. Memory grows by what is written from then on.
 * Threads: any; waits for a change of the schema, and for a load of a snapshot into db, that are under way.
 */
KSTONE_MUST_USE kstone_status kstone_fork(const kstone_db *db, kstone_db **out, kstone_error **err);

/**
 * Deletes all items. Readers at work see all of them or go on with what they hold; pages, iterators and items that
 * were handed out stay as they are. Memory that is free then goes back to the system.
 *
 * Errors: none of its own (KSTONE_ERR_PANIC where an earlier write failed inside).
 * Cost: that of freeing the items, and of giving back what all databases of the process have free.
 * Threads: any; writers wait.
 */
kstone_status kstone_clear(kstone_db *db, kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * ITEMS
 *
 * An item is a set of named attributes, each of one of DynamoDB's ten types. There are two kinds of items:
 *
 * A built item comes from kstone_item_new, kstone_item_clone or kstone_item_from_json and belongs to you. It can be
 * changed, read, and put as often as you like. Any number of threads may read it at once while nobody changes it.
 *
 * An item that was read comes from kstone_get or from a write that returns one (yours to free), or from a page, an
 * iterator, a cursor or an error (borrowed). It is the stored item itself, not a copy: reading it allocates nothing.
 * It never changes, so any number of threads may read it at once, and it stays valid when the item is overwritten or
 * deleted and when the database is freed. Setting an attribute of it is KSTONE_ERR_MISUSE; kstone_item_clone makes a
 * built item of it.
 *
 * The key of an item of an untyped table is no attribute: kstone_item_pk and kstone_item_sk give it. An item may have
 * attributes named pk and sk as long as they are equal to the key under which it is put. Of an item of a typed table
 * the key's attributes are attributes as any, though they are stored in the key alone.
 *
 * Names are UTF-8 text of 1 to 65,535 bytes. Attributes are kept in the order of the bytes of their names.
 *
 *     static void print_book(const kstone_item *item) {
 *         kstone_value title;
 *         kstone_value tag;
 *         double price;
 *         if (kstone_item_get(item, "title", KSTONE_STRLEN, &title) == KSTONE_OK &&
 *             kstone_item_get(item, "tags[0]", KSTONE_STRLEN, &tag) == KSTONE_OK &&
 *             kstone_item_get_f64(item, "price", KSTONE_STRLEN, &price) == KSTONE_OK) {
 *             printf("%.*s (%.*s): %.2f\n", (int)title.bytes.len, (const char *)title.bytes.data,
 *                    (int)tag.bytes.len, (const char *)tag.bytes.data, price);
 *         }
 *     }
 */

/** Flag of the functions on JSON: {"age":30} instead of DynamoDB's typed form {"age":{"N":"30"}}. */
#define KSTONE_JSON_PLAIN 1u

/** Text. */
#define KSTONE_TYPE_S 1

/** A number: exact decimal of up to 38 digits. */
#define KSTONE_TYPE_N 2

/** Bytes. */
#define KSTONE_TYPE_B 3

/** True or false. */
#define KSTONE_TYPE_BOOL 4

/** NULL. */
#define KSTONE_TYPE_NULL 5

/** A list of values. */
#define KSTONE_TYPE_L 6

/** A map of names to values. */
#define KSTONE_TYPE_M 7

/** A set of texts. */
#define KSTONE_TYPE_SS 8

/** A set of numbers. */
#define KSTONE_TYPE_NS 9

/** A set of bytes. */
#define KSTONE_TYPE_BS 10

/** Bytes that belong to something else: never NUL-terminated, never to be freed. Empty is (NULL, 0). */
typedef struct kstone_bytes {
    /** The first byte; NULL where there is none. */
    const uint8_t *data;
    /** How many bytes. */
    size_t len;
} kstone_bytes;

/** One attribute's value, borrowed from its item. */
typedef struct kstone_value {
    /** One of KSTONE_TYPE_S and so on. */
    uint32_t type;
    /** 0. */
    uint32_t reserved;
    /**
     * S: the text, in UTF-8. N: the number as decimal text, such as "-12.5": no exponent, no superfluous zero.
     * B: the bytes. BOOL: one byte, 1 or 0. NULL: empty. L, M and sets: the stored form of what they hold, which
     * kstone_value_at, kstone_value_next and kstone_value_find read, and into which a path leads.
     */
    kstone_bytes bytes;
} kstone_value;

/**
 * A built item with the same attributes as another, whichever sort that is: the way to change an item that was read.
 * NULL where it is NULL or no item.
 *
 * Ownership: the copy is yours, release it with kstone_free.
 * Cost: a copy of the item.
 */
KSTONE_MUST_USE kstone_item *kstone_item_clone(const kstone_item *it);

/**
 * The value of the attribute that path leads to: a name ("title"), and from there members of maps and elements of
 * lists, counted from 0 (address.city, tags[0], orders[2].total). A name that holds a dot or a bracket cannot be
 * written in a path; kstone_item_at finds it.
 *
 * Returns KSTONE_NOT_FOUND where the path leads nowhere.
 * Ownership: the bytes of *out are borrowed. They stay valid until the item is changed or freed, or what it was
 * borrowed from is.
 * Errors: KSTONE_ERR_INVALID where path is not UTF-8 or no path.
 * Cost: the number of attributes before it; nothing is allocated or copied.
 */
kstone_status kstone_item_get(const kstone_item *it, const char *path, size_t path_len, kstone_value *out);

/**
 * The same for a number that fits an int64_t.
 *
 * Errors: as kstone_item_get, and KSTONE_ERR_TYPE where the attribute is no N, has a fraction, or does not fit.
 */
kstone_status kstone_item_get_i64(const kstone_item *it, const char *path, size_t path_len, int64_t *out);

/**
 * The same for a number as the nearest double; a number has up to 38 digits, a double about 16. The rounding mode of
 * the thread (fesetround) changes nothing.
 *
 * Errors: as kstone_item_get, and KSTONE_ERR_TYPE where the attribute is no N.
 */
kstone_status kstone_item_get_f64(const kstone_item *it, const char *path, size_t path_len, double *out);

/**
 * How many attributes the item has. 0 for NULL.
 *
 * Cost: the number of attributes; nothing is allocated.
 */
size_t kstone_item_count(const kstone_item *it);

/**
 * The name and value of attribute i, counted from 0 in the order of the names' bytes. Both outputs are needed.
 *
 * Returns KSTONE_NOT_FOUND from kstone_item_count on.
 * Ownership: as kstone_item_get, the name too.
 * Cost: i steps of a few nanoseconds; reading all n attributes so takes n * n / 2 steps.
 */
kstone_status kstone_item_at(const kstone_item *it, size_t i, kstone_bytes *name, kstone_value *out);

/**
 * The partition key of an item that was read, borrowed from it, as kstone_get takes it: a number as its text. Empty
 * for a built item and for NULL.
 *
 * Cost: none.
 */
kstone_bytes kstone_item_pk(const kstone_item *it);

/**
 * The sort key of an item that was read, borrowed from it, as kstone_item_pk. Empty where it has none, for a built
 * item and for NULL.
 *
 * Cost: none.
 */
kstone_bytes kstone_item_sk(const kstone_item *it);

/**
 * The name and value of attribute i, counted from 0 in the order of the names' bytes, among those that an item of a
 * typed table has in its key and not in its stored form: kstone_item_bytes does not show them, all other functions
 * do. Both outputs are needed.
 *
 * Returns KSTONE_NOT_FOUND from their number on, which is 1 or 2: at once for any other item.
 * Ownership: as kstone_item_get; the name stays valid for as long as the library is loaded.
 * Cost: none.
 */
kstone_status kstone_item_key_at(const kstone_item *it, size_t i, kstone_bytes *name, kstone_value *out);

/**
 * The item's attributes as a JSON object: DynamoDB's typed form, {"age":{"N":"30"}}, or with KSTONE_JSON_PLAIN
 * {"age":30}. Plain JSON has no bytes and no sets: B becomes base64 text, a set becomes a list. Numbers are written
 * with all their digits. The key of an untyped table is no attribute and is not written: put attributes pk and sk
 * into the item if its JSON is to show them.
 *
 * Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
 * Errors: KSTONE_ERR_INVALID where flags holds an unknown bit.
 * Cost: the size of the item.
 */
kstone_status kstone_item_to_json(const kstone_item *it,
                                  uint32_t flags,
                                  char **out,
                                  size_t *out_len,
                                  kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * NESTED VALUES
 *
 * A kstone_value that is a list, a map or a set is read member by member, to any depth, without JSON and without a
 * copy: kstone_value_next goes through all of them, kstone_value_at and kstone_value_find lead to one. The values
 * that come out are borrowed from the same item, whatever that is: built, read, or from a page, an iterator or a
 * cursor.
 *
 *     static double sum_of_lines(const kstone_item *order) {
 *         kstone_value lines, line, price;
 *         size_t position = 0;
 *         double sum = 0;
 *         if (kstone_item_get(order, "lines", KSTONE_STRLEN, &lines) == KSTONE_OK) {
 *             while (kstone_value_next(&lines, &position, NULL, &line) == KSTONE_OK) {
 *                 if (kstone_value_find(&line, "price", KSTONE_STRLEN, &price) == KSTONE_OK) {
 *                     char digits[40];
 *                     double value = 0;
 *                     if (price.type == KSTONE_TYPE_N && price.bytes.len < sizeof digits) {
 *                         memcpy(digits, price.bytes.data, price.bytes.len);
 *                         digits[price.bytes.len] = 0;
 *                         if (sscanf(digits, "%lf", &value) == 1) {
 *                             sum += value;
 *                         }
 *                     }
 *                 }
 *             }
 *         }
 *         return sum;
 *     }
 */

/**
 * How many others a value holds: the members of a map, the elements of a list or set. 0 for a value of any other
 * type, for NULL, and for what is no value of this library as far as can be told.
 *
 * Cost: their number; nothing is allocated.
 * Threads: any; a value may be read by many threads at once.
 */
size_t kstone_value_count(const kstone_value *v);

/**
 * Member i of a value, counted from 0 in stored order: maps by the bytes of their names, lists as they are, sets by
 * their elements' bytes, or by value where they are numbers. *name becomes the name in a map, and empty in a list or
 * set; name may be NULL. out may be v itself.
 *
 * Returns KSTONE_NOT_FOUND from kstone_value_count on.
 * Ownership: the bytes of *name and *out are borrowed from the item that v was borrowed from, and stay valid as long
 * as those of v.
 * Errors: KSTONE_ERR_TYPE where v holds no others, KSTONE_ERR_INVALID where it is no value of this library as far as
 * can be told: of what is read here every byte is checked to lie inside of v.
 * Cost: i; for all members one after another kstone_value_next takes one step each. Nothing is allocated or copied.
 * Threads: as kstone_value_count.
 */
kstone_status kstone_value_at(const kstone_value *v, size_t i, kstone_bytes *name, kstone_value *out);

/**
 * The member of a map with this name, which is compared byte by byte: dots and brackets mean nothing special, so this
 * finds what a path cannot.
 *
 * Returns KSTONE_NOT_FOUND where the map has no such member.
 * Ownership, threads: as kstone_value_at.
 * Errors: KSTONE_ERR_TYPE where v is no map; otherwise as kstone_value_at.
 * Cost: the number of members before it; nothing is allocated or copied.
 */
kstone_status kstone_value_find(const kstone_value *v, const char *name, size_t name_len, kstone_value *out);

/**
 * The next member of a value. *position says where it begins; it is 0 for the first, and becomes that of the member
 * after it. Otherwise as kstone_value_at.
 *
 * Returns KSTONE_DONE behind the last member.
 * Ownership, threads: as kstone_value_at.
 * Errors: as kstone_value_at, and KSTONE_ERR_INVALID for a position where no member begins, as far as can be told.
 * Cost: one step; nothing is allocated or copied.
 */
kstone_status kstone_value_next(const kstone_value *v, size_t *position, kstone_bytes *name, kstone_value *out);


/* ---------------------------------------------------------------------------------------------------------------------
 * BUILDING ITEMS
 *
 * A built item starts empty and is filled by setters. Setting an attribute that exists replaces it. A setter that
 * fails leaves the item as it was, and what was borrowed from the item stays valid.
 *
 *     static kstone_item *a_book(void) {
 *         kstone_item *item = kstone_item_new();
 *         kstone_item_set_str(item, "title", KSTONE_STRLEN, "The Mill on the Floss", KSTONE_STRLEN);
 *         kstone_item_set_i64(item, "year", KSTONE_STRLEN, 1860);
 *         kstone_item_set_num(item, "price", KSTONE_STRLEN, "9.90", KSTONE_STRLEN, NULL);
 *         kstone_item_set_json(item, "tags", KSTONE_STRLEN, "[\"novel\",\"used\"]", KSTONE_STRLEN,
 *                              KSTONE_JSON_PLAIN, NULL);
 *         return item;
 *     }
 */

/**
 * An item without attributes, to be filled.
 *
 * Ownership: it is yours, release it with kstone_free. Putting it copies it, so one item may be changed and put many
 * times.
 * Cost: a few nanoseconds; the memory of the items a thread freed last is used again.
 */
KSTONE_MUST_USE kstone_item *kstone_item_new(void);

/**
 * Sets a text, which may be empty and may hold NULs.
 *
 * Errors of all setters: KSTONE_ERR_MISUSE where it is NULL or an item that was read; KSTONE_ERR_INVALID where the
 * name is empty, or name or text are not UTF-8; KSTONE_ERR_LIMIT where the name is too long, the value alone is larger
 * than 400 KB, or the item would take more than 1 MiB. (What DynamoDB allows an item in all, 400 KB with its key, is
 * checked when it is put.) A setter that fails leaves the item as it was.
 * Cost of all setters: a copy of name and value, cheapest in the order of the names' bytes; names in any other order
 * are sorted once, when the item is read or put.
 */
kstone_status kstone_item_set_str(kstone_item *it, const char *name, size_t name_len, const char *v, size_t v_len);

/**
 * Sets a number from decimal text: "3", "-0.5", "6.02E23". It is kept exactly, with up to 38 significant digits and
 * magnitudes from 1E-130 to 9.99E+125, as DynamoDB does; equal numbers are equal however they were written.
 *
 * Errors: as kstone_item_set_str, and KSTONE_ERR_INVALID where the text is no number or not within these bounds;
 * KSTONE_ERR_LIMIT for text of more than 1024 bytes.
 */
kstone_status kstone_item_set_num(kstone_item *it,
                                  const char *name,
                                  size_t name_len,
                                  const char *v,
                                  size_t v_len,
                                  kstone_error **err);

/** Sets a number from an integer. */
kstone_status kstone_item_set_i64(kstone_item *it, const char *name, size_t name_len, int64_t v);

/**
 * Sets a number from a double: the shortest decimal that reads back as the same double.
 *
 * Errors: as kstone_item_set_str, and KSTONE_ERR_INVALID for an infinity, a NaN, and what lies beyond the bounds that
 * kstone_item_set_num names.
 */
kstone_status kstone_item_set_f64(kstone_item *it, const char *name, size_t name_len, double v);

/** Sets bytes. KSTONE_STRLEN is not for bytes: it is KSTONE_ERR_MISUSE. */
kstone_status kstone_item_set_bin(kstone_item *it, const char *name, size_t name_len, const void *v, size_t v_len);

/** Sets a truth value: 0 is false, all else is true. */
kstone_status kstone_item_set_bool(kstone_item *it, const char *name, size_t name_len, int v);

/** Sets NULL, which is a value of its own: the attribute is there and says that it is nothing. */
kstone_status kstone_item_set_null(kstone_item *it, const char *name, size_t name_len);

/**
 * Takes an attribute away.
 *
 * Returns KSTONE_NOT_FOUND where the item has none of that name.
 * Cost: the size of the item.
 */
kstone_status kstone_item_remove(kstone_item *it, const char *name, size_t name_len);

/**
 * Sets any value from JSON, and is the way to lists, maps and sets. Typed form: {"SS":["a","b"]}, {"L":[{"N":"1"}]}.
 * With KSTONE_JSON_PLAIN: ["a",1,null] and so on, where a string becomes S, a number N, an object M, an array L.
 *
 * Errors: as kstone_item_set_str, and KSTONE_ERR_INVALID where the JSON or a value in it is not acceptable; the
 * message says where.
 */
kstone_status kstone_item_set_json(kstone_item *it,
                                   const char *name,
                                   size_t name_len,
                                   const char *json,
                                   size_t json_len,
                                   uint32_t flags,
                                   kstone_error **err);

/**
 * A built item from a JSON object, in DynamoDB's typed form or, with KSTONE_JSON_PLAIN, as plain JSON. Numbers keep
 * all their digits.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: KSTONE_ERR_INVALID where the text is no JSON object (the message says line and column), holds a name twice,
 * or a value in it is not acceptable (the message says the path); KSTONE_ERR_LIMIT where the item is too large or too
 * deep.
 * Cost: the length of the text.
 */
KSTONE_MUST_USE
kstone_status kstone_item_from_json(const char *json,
                                    size_t len,
                                    uint32_t flags,
                                    kstone_item **out,
                                    kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * BUILDING LISTS, MAPS AND SETS
 *
 * kstone_item_open opens a list, a map or a set as an attribute; what is set until kstone_item_close becomes a member
 * of it, also further lists, maps and sets. Members are written in the stored form at once: there is no tree and no
 * JSON in between. Each open needs its close; kstone_item_cancel drops what is open.
 *
 *     static kstone_status an_order(kstone_item *item) {
 *         kstone_status status;
 *         kstone_item_open(item, "lines", KSTONE_STRLEN, KSTONE_TYPE_L, NULL);
 *         kstone_item_open(item, NULL, 0, KSTONE_TYPE_M, NULL);
 *         kstone_item_set_str(item, "book", KSTONE_STRLEN, "The Mill on the Floss", KSTONE_STRLEN);
 *         kstone_item_set_num(item, "price", KSTONE_STRLEN, "9.90", KSTONE_STRLEN, NULL);
 *         kstone_item_close(item, NULL);
 *         kstone_item_close(item, NULL);
 *         kstone_item_open(item, "tags", KSTONE_STRLEN, KSTONE_TYPE_SS, NULL);
 *         kstone_item_set_str(item, NULL, 0, "novel", KSTONE_STRLEN);
 *         kstone_item_set_str(item, NULL, 0, "used", KSTONE_STRLEN);
 *         status = kstone_item_close(item, NULL);
 *         if (status != KSTONE_OK) {
 *             kstone_item_cancel(item);
 *         }
 *         return status;
 *     }
 */

/**
 * Opens a list, a map or a set: type is KSTONE_TYPE_L, KSTONE_TYPE_M, KSTONE_TYPE_SS, KSTONE_TYPE_NS or
 * KSTONE_TYPE_BS. Until kstone_item_close, the setters (kstone_item_set_str and so on) and this function add to it:
 * under a name in a map, where the last of one name stays, and without one (NULL, 0) in a list or set. Where nothing
 * is open, name is that of the attribute.
 *
 * As long as anything is open the item is not complete: reading, putting, cloning it and kstone_item_remove are
 * KSTONE_ERR_MISUSE, and accessors see an empty item. The attribute takes the place of one of its name when its
 * outermost list, map or set is closed, not before.
 *
 * Errors: KSTONE_ERR_MISUSE where it is NULL or an item that was read; KSTONE_ERR_INVALID for another type, inside a
 * set, and for a name that is missing in a map or given in a list; KSTONE_ERR_LIMIT for more than 32 lists and maps
 * inside each other, for a name that is too long, and for more than 1 MiB. The item stays as it was then.
 * Cost: as a setter. Members are written once, where they belong; a map or set whose members do not come in order is
 * sorted once, when it is closed.
 */
kstone_status kstone_item_open(kstone_item *it, const char *name, size_t name_len, uint32_t type, kstone_error **err);

/**
 * Closes the list, map or set that was opened last and is open still.
 *
 * Errors: KSTONE_ERR_MISUSE where nothing is open, or it is NULL or an item that was read; KSTONE_ERR_INVALID for a
 * set that is empty or has an element twice; KSTONE_ERR_LIMIT where the item would take more than 1 MiB. It stays
 * open then: an empty set can be added to, and kstone_item_cancel ends all else.
 * Cost: nothing to speak of where members came in order, a sort of them otherwise, and a copy of the attribute.
 */
kstone_status kstone_item_close(kstone_item *it, kstone_error **err);

/**
 * Drops the attribute that is open, with all that was added to it. The item is then as it was before that was opened.
 *
 * Returns KSTONE_NOT_FOUND where nothing is open.
 * Errors: KSTONE_ERR_MISUSE where it is NULL or an item that was read.
 */
kstone_status kstone_item_cancel(kstone_item *it);


/* ---------------------------------------------------------------------------------------------------------------------
 * READING AND WRITING
 *
 * An item is stored under a partition key of 1 to 2048 bytes and, optionally, a sort key of up to 1024 bytes; an empty
 * sort key (NULL, 0) means no sort key. Items of one partition are kept in the order of their sort keys' bytes, and
 * kstone_query reads ranges of them. Keys are bytes: they may hold NULs, so their lengths are always given.
 *
 *     static kstone_status move_book(kstone_db *db, const char *from, size_t from_len, const char *to, size_t to_len,
 *                                    kstone_error **err) {
 *         kstone_item *book = NULL;
 *         kstone_status status = kstone_get(db, "books", 5, from, from_len, &book, err);
 *         if (status != KSTONE_OK) {
 *             return status;
 *         }
 *         status = kstone_put(db, "books", 5, to, to_len, book, err);
 *         kstone_free(book);
 *         return status == KSTONE_OK ? kstone_delete(db, "books", 5, from, from_len, err) : status;
 *     }
 *
 * Many items go out and in by one call each, in arrays:
 *
 *     static kstone_status copy_two(const kstone_db *from, kstone_db *to, kstone_error **err) {
 *         const void *const pks[] = {"ada", "bob"};
 *         const size_t pk_lens[] = {3, 3};
 *         kstone_item *found[] = {NULL, NULL};
 *         kstone_status status = kstone_get_many(from, pks, pk_lens, NULL, NULL, 2, found, err);
 *         if (status == KSTONE_OK && found[0] != NULL && found[1] != NULL) {
 *             const kstone_item *items[2];
 *             items[0] = found[0];
 *             items[1] = found[1];
 *             status = kstone_put_many(to, pks, pk_lens, NULL, NULL, items, 2, err);
 *         }
 *         kstone_free(found[0]);
 *         kstone_free(found[1]);
 *         return status;
 *     }
 */

/**
 * Stores a copy of the item under a key, in place of what was there. The item may be built, read or borrowed, and may
 * come from another database.
 *
 * Errors: KSTONE_ERR_INVALID where the partition key is empty, or an attribute of the key's name (pk and sk in an
 * untyped table) says something else than the key; KSTONE_ERR_LIMIT where a key is too long or the item, with its key
 * and as DynamoDB counts, is larger than 400 KB: the key counts as attributes, of an untyped table named pk and sk. A
 * put that fails changes nothing.
 * Cost: one allocation and one copy of the item; now and then a stripe's flush on top, tens of microseconds, and
 * seldom the merging of a whole stripe: a millisecond for some ten thousand items under one partition key.
 * Threads: any. Writes to different partitions seldom wait for each other.
 */
kstone_status kstone_put(kstone_db *db,
                         const void *pk,
                         size_t pk_len,
                         const void *sk,
                         size_t sk_len,
                         const kstone_item *item,
                         kstone_error **err);

/**
 * Stores a copy of the item under the key that its own attributes are: those that the schema names as the table's
 * key, pk and, where it has one, sk in an untyped table. In all other ways as kstone_put.
 *
 * Errors: as kstone_put; KSTONE_ERR_INVALID naming the key attribute that is missing, empty or of another type than
 * the key's.
 */
kstone_status kstone_put_item(kstone_db *db, const kstone_item *item, kstone_error **err);

/**
 * The item under a key. It is not copied: *out refers to the stored item, which stays as it is when the key is
 * overwritten or deleted later.
 *
 * Returns KSTONE_NOT_FOUND where there is none; *out is then left alone.
 * Ownership: *out is yours, release it with kstone_free. An item that is kept keeps its memory.
 * Errors: KSTONE_ERR_INVALID where the partition key is empty; KSTONE_ERR_LIMIT where a key is too long.
 * Cost: one look-up; nothing is allocated or copied.
 * Threads: any.
 */
KSTONE_MUST_USE
kstone_status kstone_get(const kstone_db *db,
                         const void *pk,
                         size_t pk_len,
                         const void *sk,
                         size_t sk_len,
                         kstone_item **out,
                         kstone_error **err);

/**
 * Deletes the item under a key. KSTONE_OK also where there is none, as in DynamoDB.
 *
 * Errors: as kstone_get.
 * Cost: that of putting an empty item, and a look-up.
 * Threads: any.
 */
kstone_status kstone_delete(kstone_db *db,
                            const void *pk,
                            size_t pk_len,
                            const void *sk,
                            size_t sk_len,
                            kstone_error **err);

/**
 * kstone_item_from_json and kstone_put in one.
 *
 * Errors: those of both.
 */
kstone_status kstone_put_json(kstone_db *db,
                              const void *pk,
                              size_t pk_len,
                              const void *sk,
                              size_t sk_len,
                              const char *json,
                              size_t json_len,
                              uint32_t flags,
                              kstone_error **err);

/**
 * kstone_get and kstone_item_to_json in one.
 *
 * Returns KSTONE_NOT_FOUND where there is no item.
 * Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
 * Errors: those of both.
 */
KSTONE_MUST_USE
kstone_status kstone_get_json(const kstone_db *db,
                              const void *pk,
                              size_t pk_len,
                              const void *sk,
                              size_t sk_len,
                              uint32_t flags,
                              char **out,
                              size_t *out_len,
                              kstone_error **err);

/** No value: what kstone_get_attribute says of an item that has no such attribute. */
#define KSTONE_TYPE_NONE 0

/**
 * One attribute of the item under a key, copied into your buffer: kstone_get, kstone_item_get and a copy in one,
 * without the item between them. path is as for kstone_item_get. *type becomes the value's type, one of
 * KSTONE_TYPE_S and so on, and the buffer gets the bytes that a kstone_value has: the text of S and of N, the bytes
 * of B, one byte, 1 or 0, of BOOL, none of NULL, and of L, M and sets the stored form of what they hold, which
 * kstone_value_at and its like read from a kstone_value of this type and these bytes.
 *
 * *len becomes the length of the value, whatever the capacity of the buffer: where it is more than capacity, nothing
 * was copied. Call again with a buffer of *len bytes then, and look at *len again, since others may have put a
 * longer value meanwhile. A buffer of capacity 0 may be NULL, and asks for type and length alone.
 *
 * Returns KSTONE_NOT_FOUND where there is no item; buffer, *len and *type are then left alone. Where there is one
 * that path leads nowhere in, it returns KSTONE_OK, *type is KSTONE_TYPE_NONE and *len is 0.
 * Errors: as kstone_get and kstone_item_get, and KSTONE_ERR_MISUSE where buffer is NULL and capacity is not 0.
 * Cost: one look-up and the copy; nothing is allocated. Writers of items near this one wait for the copy.
 * Threads: any.
 */
KSTONE_MUST_USE
kstone_status kstone_get_attribute(const kstone_db *db,
                                   const void *pk,
                                   size_t pk_len,
                                   const void *sk,
                                   size_t sk_len,
                                   const char *path,
                                   size_t path_len,
                                   void *buffer,
                                   size_t capacity,
                                   size_t *len,
                                   uint32_t *type,
                                   kstone_error **err);

/**
 * Gets many items in one call: each of out becomes the item under the key of its place, or NULL where there is none.
 * The arrays have count elements each; sks and sk_lens may both be NULL, then no key has a sort key. A key may come
 * twice.
 *
 * The items need not be of one moment: where others write meanwhile some may be older than others, as with calls of
 * kstone_get one after the other. Gets of a kstone_batch with KSTONE_BATCH_ATOMIC are of one moment.
 *
 * Ownership: each of out is yours, release it with kstone_free.
 * Errors: as kstone_get, and KSTONE_ERR_MISUSE where an array is NULL; kstone_error_index says which key is wrong.
 * Nothing is written to out then.
 * Cost: a look-up for each key; the memory that they wait for is asked for ahead, 16 keys at a time, so that many
 * keys take a fraction of as many calls. Nothing is allocated or copied.
 * Threads: any.
 */
KSTONE_MUST_USE
kstone_status kstone_get_many(const kstone_db *db,
                              const void *const *pks,
                              const size_t *pk_lens,
                              const void *const *sks,
                              const size_t *sk_lens,
                              size_t count,
                              kstone_item **out,
                              kstone_error **err);

/**
 * Puts many items in one call, each as kstone_put would and in their order: of several under one key the last one
 * stays. The arrays have count elements each; sks and sk_lens may both be NULL, then no key has a sort key.
 *
 * Each item is stored by itself: readers may see some before the others. A kstone_batch with KSTONE_BATCH_ATOMIC
 * stores its items as one. All keys and items are looked at before anything is stored: where one is refused nothing
 * is. Where the memory limit is reached on the way, what was stored before stays. So it does where another thread
 * changes the schema during the call, and the new one refuses an item that is yet to be stored.
 *
 * Errors: as kstone_put, and KSTONE_ERR_MISUSE where an array is NULL; kstone_error_index says which element is
 * wrong.
 * Cost: that of the puts, but for the calls and the locks: each stripe's is taken once for some thousands of items. In
 * a database that has indexes, a stream, a TTL attribute or a memory limit the items are stored one by one.
 * Threads: any.
 */
kstone_status kstone_put_many(kstone_db *db,
                              const void *const *pks,
                              const size_t *pk_lens,
                              const void *const *sks,
                              const size_t *sk_lens,
                              const kstone_item *const *items,
                              size_t count,
                              kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * CONDITIONS, CONDITIONAL WRITES AND UPDATES
 *
 * Conditions, filters, projections, key conditions and updates are texts in DynamoDB's grammar, with its limits (4 KB,
 * 300 operators), its reserved words and its messages:
 *
 *  - condition and filter: = <> < <= > >= BETWEEN IN AND OR NOT ( ), attribute_exists, attribute_not_exists,
 *    attribute_type, begins_with, contains, size. "price < :max AND contains(tags, :tag)"
 *  - key condition: the key only. "pk = :p AND sk BETWEEN :from AND :to"
 *  - projection: paths. "title, address.city, tags[0]"
 *  - update: SET (with + - if_not_exists list_append), REMOVE, ADD, DELETE. "SET stock = stock - :n REMOVE note"
 *
 * In an expression on a typed table the key's attributes have the names that its schema gives them. In one on an
 * untyped table pk and sk are the item's key, which is compared as bytes: with text and with binary values alike,
 * whatever it spells. It is shown as text where it is UTF-8, as binary in all other cases. An item without a sort key
 * has no sk: a comparison of it does not hold. So "attribute_not_exists(pk)" means that there is no item yet, and no
 * update may change them.
 *
 * Values are never written into the text. They come in a bag, which is an ordinary item: its attribute ":max" is the
 * value of :max, and its attribute "#s", a text, is the attribute name for which #s stands. A name that is a reserved
 * word, or holds a dot, needs such a #name. Whatever an expression names must be in its bag, and everything in the bag
 * must be used: otherwise KSTONE_ERR_INVALID. NULL is an empty bag. Bags are copied; one serves many calls.
 *
 * Expressions are parsed once: the database caches the texts that it saw last. So keep the text constant and vary the
 * bag.
 *
 * A conditional write and an update look at the stored item and write in one step: no other write comes between, so of
 * several writers that race for a key on one condition exactly one wins.
 *
 *     static int reserve_seat(kstone_db *db, const char *seat, size_t seat_len, const char *owner) {
 *         kstone_cond cond = KSTONE_COND_INIT;
 *         kstone_item *item = kstone_item_new();
 *         kstone_error *err = NULL;
 *         kstone_value other;
 *         kstone_status status;
 *         cond.expr = "attribute_not_exists(pk)";
 *         cond.expr_len = KSTONE_STRLEN;
 *         cond.return_old = 1;
 *         kstone_item_set_str(item, "owner", KSTONE_STRLEN, owner, KSTONE_STRLEN);
 *         status = kstone_put_if(db, seat, seat_len, NULL, 0, item, &cond, NULL, &err);
 *         if (status == KSTONE_ERR_CONDITION_FAILED &&
 *             kstone_item_get(kstone_error_item(err), "owner", KSTONE_STRLEN, &other) == KSTONE_OK) {
 *             printf("taken by %.*s\n", (int)other.bytes.len, (const char *)other.bytes.data);
 *         }
 *         kstone_free(err);
 *         kstone_free(item);
 *         return status == KSTONE_OK;
 *     }
 *
 *     static int64_t count_visit(kstone_db *db, const char *user, size_t user_len) {
 *         kstone_item *params = kstone_item_new();
 *         kstone_item *now = NULL;
 *         int64_t visits = -1;
 *         kstone_item_set_i64(params, ":one", KSTONE_STRLEN, 1);
 *         if (kstone_update(db, user, user_len, NULL, 0, "ADD visits :one", KSTONE_STRLEN, params, NULL,
 *                           KSTONE_RETURN_UPDATED_NEW, &now, NULL) == KSTONE_OK) {
 *             kstone_item_get_i64(now, "visits", KSTONE_STRLEN, &visits);
 *         }
 *         kstone_free(now);
 *         kstone_free(params);
 *         return visits;
 *     }
 */

/**
 * The condition of a write. Set struct_size to sizeof(kstone_cond) and everything else to 0, then what you want.
 * Instead of a kstone_cond, NULL means no condition.
 */
typedef struct kstone_cond {
    /** sizeof(kstone_cond), in bytes. */
    size_t struct_size;
    /** The condition; NULL: none. An empty text is KSTONE_ERR_INVALID. */
    const char *expr;
    /** How many bytes expr has, or KSTONE_STRLEN. */
    size_t expr_len;
    /** What its :values and #names stand for; NULL: nothing, or with an update what the update's stand for. */
    const kstone_item *params;
    /** 1: where the condition does not hold, kstone_error_item gives the item that is there. 0: it gives NULL. */
    uint32_t return_old;
    /** 0. */
    uint32_t reserved;
} kstone_cond;

/** Initialises a kstone_cond: no condition. */
#define KSTONE_COND_INIT {sizeof(kstone_cond), NULL, 0, NULL, 0, 0}

/** kstone_update returns nothing of the item. */
#define KSTONE_RETURN_NONE 0

/** kstone_update returns the item as it was. */
#define KSTONE_RETURN_ALL_OLD 1

/** kstone_update returns what the update's paths led to before. */
#define KSTONE_RETURN_UPDATED_OLD 2

/** kstone_update returns the item as it is now. */
#define KSTONE_RETURN_ALL_NEW 3

/** kstone_update returns what the update's paths lead to now. */
#define KSTONE_RETURN_UPDATED_NEW 4

/**
 * kstone_put on a condition. cond may be NULL, and old too; otherwise *old becomes the item that was replaced, or NULL
 * where there was none.
 *
 * Ownership: *old is yours, release it with kstone_free.
 * Errors: as kstone_put; KSTONE_ERR_CONDITION_FAILED where the condition does not hold for the item that is there (or
 * for none), with that item in kstone_error_item where cond->return_old asked for it; KSTONE_ERR_INVALID where
 * expression and bag are not as kstone_cond says: the message names the token and its position.
 * Cost: a look-up and what kstone_put costs; the old item is not copied.
 * Threads: any. Writes to the stripe wait while the condition is evaluated.
 */
KSTONE_MUST_USE
kstone_status kstone_put_if(kstone_db *db,
                            const void *pk,
                            size_t pk_len,
                            const void *sk,
                            size_t sk_len,
                            const kstone_item *item,
                            const kstone_cond *cond,
                            kstone_item **old,
                            kstone_error **err);

/**
 * kstone_delete on a condition. cond may be NULL, and old too; otherwise *old becomes the item that was deleted, or
 * NULL where there was none. Without a condition, deleting what is not there is KSTONE_OK.
 *
 * Ownership, threads: as kstone_put_if.
 * Errors: as kstone_delete, and those of kstone_put_if about the condition.
 * Cost: a look-up and what kstone_delete costs.
 */
KSTONE_MUST_USE
kstone_status kstone_delete_if(kstone_db *db,
                               const void *pk,
                               size_t pk_len,
                               const void *sk,
                               size_t sk_len,
                               const kstone_cond *cond,
                               kstone_item **old,
                               kstone_error **err);

/**
 * Changes an item by an update expression; where there is no item, it is made. Every clause reads the item as it was
 * before the update.
 *
 * params is the bag of expr, cond->params that of the condition; where cond->params is NULL, both read params. Each
 * entry of a bag must be used by an expression that reads it.
 *
 * return_values is one of KSTONE_RETURN_NONE and so on. returned may be NULL; otherwise *returned becomes an item
 * under the same key with what was asked for, or NULL where there is nothing: with KSTONE_RETURN_NONE, for the old
 * state of an item that was not there, or where no path leads to anything.
 *
 * Ownership: *returned is yours, release it with kstone_free.
 * Errors: those of kstone_put_if; KSTONE_ERR_INVALID where expr is empty, its paths overlap, a path leads through
 * something that is neither map nor list, or an operand is missing in the item or of a type that does not fit;
 * KSTONE_ERR_LIMIT where the item would become larger than 400 KB.
 * Cost: a look-up, a copy of the item as it is changed, and what kstone_put costs.
 * Threads: as kstone_put_if.
 */
KSTONE_MUST_USE
kstone_status kstone_update(kstone_db *db,
                            const void *pk,
                            size_t pk_len,
                            const void *sk,
                            size_t sk_len,
                            const char *expr,
                            size_t expr_len,
                            const kstone_item *params,
                            const kstone_cond *cond,
                            uint32_t return_values,
                            kstone_item **returned,
                            kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * QUERIES
 *
 * A query reads items of one partition, a range of their sort keys; a scan reads all items. Both read page by page
 * (kstone_query, kstone_scan) or through an iterator (kstone_iter_open). A kstone_query_spec says what to read.
 *
 * A filter passes the items for which it holds; a projection returns parts of them; key_expr says in one text what pk,
 * sk_op, sk1 and sk2 say. CONDITIONS tells how they are written. They share one bag, params.
 *
 * A filter saves you the items, not the work: limit bounds the items that are examined, and kstone_page_scanned counts
 * them, while kstone_page_count counts those that passed the filter.
 *
 *     static size_t count_unpaid(const kstone_db *db, const char *customer, size_t customer_len, double over) {
 *         kstone_query_spec spec = KSTONE_QUERY_SPEC_INIT;
 *         kstone_item *params = kstone_item_new();
 *         kstone_page *page = NULL;
 *         size_t count = 0;
 *         kstone_item_set_str(params, ":c", KSTONE_STRLEN, customer, customer_len);
 *         kstone_item_set_f64(params, ":over", KSTONE_STRLEN, over);
 *         kstone_item_set_bool(params, ":no", KSTONE_STRLEN, 0);
 *         spec.flags = KSTONE_QUERY_COUNT;
 *         spec.key_expr = "pk = :c";
 *         spec.filter = "total > :over AND paid = :no";
 *         spec.key_expr_len = spec.filter_len = KSTONE_STRLEN;
 *         spec.params = params;
 *         if (kstone_query(db, &spec, &page, NULL) == KSTONE_OK) {
 *             count = kstone_page_count(page);
 *         }
 *         kstone_free(page);
 *         kstone_free(params);
 *         return count;
 *     }
 */

/** Every sort key. */
#define KSTONE_SK_ANY 0

/** The sort key sk1 alone. */
#define KSTONE_SK_EQ 1

/** Sort keys before sk1. */
#define KSTONE_SK_LT 2

/** Sort keys up to sk1, which is included. */
#define KSTONE_SK_LE 3

/** Sort keys after sk1. */
#define KSTONE_SK_GT 4

/** Sort keys from sk1 on, which is included. */
#define KSTONE_SK_GE 5

/** Sort keys from sk1 to sk2, both included. */
#define KSTONE_SK_BETWEEN 6

/** Sort keys that begin with the bytes of sk1. */
#define KSTONE_SK_BEGINS_WITH 7

/** Flag of a kstone_query_spec: from the greatest sort key down. */
#define KSTONE_QUERY_REVERSE 1u

/**
 * Flag of a kstone_query_spec: count the items of the page, hand out none. The token goes on as with items. A scan of
 * all items, or of an index, that has no filter, limit, token and segments counts them in one page, of any size.
 */
#define KSTONE_QUERY_COUNT 2u

/** Flag of a kstone_query_spec: items with their key alone, as its attributes (pk and sk in an untyped table). */
#define KSTONE_QUERY_KEYS_ONLY 4u

/**
 * What to query or scan. Set struct_size to sizeof(kstone_query_spec) and everything else to 0, then what you want.
 * What the function does not use must stay 0; the field's comment says which functions use it. Everything is copied
 * during the call.
 */
typedef struct kstone_query_spec {
    /** sizeof(kstone_query_spec), in bytes. */
    size_t struct_size;
    /**
     * kstone_query: the partition key, needed unless key_expr gives it. kstone_iter_open: the partition key, or NULL
     * for all items.
     */
    const void *pk;
    /** How many bytes pk has. */
    size_t pk_len;
    /**
     * With pk: which sort keys, one of KSTONE_SK_ANY and so on. Items without a sort key come before all others;
     * KSTONE_SK_ANY and KSTONE_SK_EQ with an empty sk1 alone select them.
     */
    uint32_t sk_op;
    /**
     * Any of KSTONE_QUERY_REVERSE (with pk), KSTONE_QUERY_COUNT and KSTONE_QUERY_KEYS_ONLY (one of the two; an
     * iterator does not count).
     */
    uint32_t flags;
    /** The sort key that sk_op speaks of. */
    const void *sk1;
    /** How many bytes sk1 has. */
    size_t sk1_len;
    /** The upper end of KSTONE_SK_BETWEEN. */
    const void *sk2;
    /** How many bytes sk2 has. */
    size_t sk2_len;
    /**
     * The index of the schema to read instead of the items themselves; NULL: none. pk and sk_* then say the values of
     * its key attributes, as bytes, those of text or of binary, or as the text of a number where the schema says that
     * it is one; key_expr says values of any type.
     */
    const char *index;
    /** How many bytes index has, or KSTONE_STRLEN. */
    size_t index_len;
    /** Which of the items to return; NULL: all. A query's filter says nothing of the key. */
    const char *filter;
    /** How many bytes filter has, or KSTONE_STRLEN. */
    size_t filter_len;
    /** Which parts of the items to return; NULL: all of them. Not with KSTONE_QUERY_COUNT or KSTONE_QUERY_KEYS_ONLY. */
    const char *projection;
    /** How many bytes projection has, or KSTONE_STRLEN. */
    size_t projection_len;
    /** What the :values and #names of key_expr, filter and projection stand for; NULL: nothing. */
    const kstone_item *params;
    /**
     * Where to go on, from kstone_page_token of the page before. The keys, sk_op or key_expr, direction and segments
     * must be as they were for that page; limit may change.
     */
    const void *token;
    /** How many bytes token has. */
    size_t token_len;
    /**
     * A page: how many items to examine for it; 0: up to 1 MiB of items. An iterator: how many items to examine in
     * all; 0: to the end.
     */
    uint32_t limit;
    /** Without pk: which part of a parallel scan, from 0. */
    uint32_t segment;
    /**
     * Without pk: how many parts the scan has; 0 or 1: it is not divided. The parts together are all items, each
     * once, and may be scanned by a thread each. At most 1,000,000.
     */
    uint32_t segments;
    /** 0. */
    uint32_t reserved;
    /**
     * Instead of pk, sk_op, sk1 and sk2, with the key's own names in a typed table: "pk = :p", alone or with AND and
     * one condition on sk, such as "sk >= :from" or "begins_with(sk, :start)".
     */
    const char *key_expr;
    /** How many bytes key_expr has, or KSTONE_STRLEN. */
    size_t key_expr_len;
    /**
     * Instead of token: the key of the item behind which to begin, which need not exist; NULL: none. It has the
     * attributes of the table's key (pk and sk in an untyped table) and, with index, those of the index's key, no
     * others, and is one that the request could return. Not for a cursor, which seeks, nor for kstone_prepare.
     */
    const kstone_item *start_after;
} kstone_query_spec;

/** Initialises a kstone_query_spec: all items. */
#define KSTONE_QUERY_SPEC_INIT                                                                                         \
        {sizeof(kstone_query_spec), NULL, 0, 0, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, NULL, 0, 0, 0,   \
         0, 0, NULL, 0, NULL}


/* ---------------------------------------------------------------------------------------------------------------------
 * PAGES
 *
 * A page is what one kstone_query, kstone_scan, kstone_execute or kstone_batch_run found: items, and a token that
 * says where the next page begins. A page refers to the stored items and does not copy them. It never changes, so any
 * number of threads may read it and its items at once; it stays valid when the database changes or is freed.
 *
 * Every page is exact for the moment it was made. Between two pages others may write: a key that exists all the time
 * is seen exactly once, one that is written or deleted meanwhile at most once.
 *
 *     static size_t print_orders_of_may(const kstone_db *db, const char *customer, size_t customer_len) {
 *         kstone_query_spec spec = KSTONE_QUERY_SPEC_INIT;
 *         kstone_page *page = NULL;
 *         kstone_page *last = NULL;
 *         size_t found = 0;
 *         spec.pk = customer;
 *         spec.pk_len = customer_len;
 *         spec.sk_op = KSTONE_SK_BEGINS_WITH;
 *         spec.sk1 = "2024-05-";
 *         spec.sk1_len = 8;
 *         spec.limit = 100;
 *         do {
 *             kstone_status status = kstone_query(db, &spec, &page, NULL);
 *             size_t i;
 *             kstone_free(last);
 *             if (status != KSTONE_OK) {
 *                 return found;
 *             }
 *             for (i = 0; i < kstone_page_count(page); i++) {
 *                 kstone_bytes day = kstone_item_sk(kstone_page_item(page, i));
 *                 printf("%.*s\n", (int)day.len, (const char *)day.data);
 *                 found++;
 *             }
 *             spec.token = kstone_page_token(page).data;
 *             spec.token_len = kstone_page_token(page).len;
 *             last = page;
 *         } while (spec.token_len > 0);
 *         kstone_free(last);
 *         return found;
 *     }
 */

/**
 * A page of the items of one partition, in the order of their sort keys' bytes or, with KSTONE_QUERY_REVERSE,
 * against it. The page ends when spec->limit items were examined, or with the item at which their sizes, as
 * DynamoDB counts them, reach 1 MiB, whatever the filter lets through: a page may be empty and have a token.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: KSTONE_ERR_INVALID where spec has neither pk nor key_expr, a field that a query has no use for, an unknown
 * flag or sk_op, a token of another query, an expression or a bag that is not as kstone_cond says, or a filter on pk
 * or sk, which belong into the key condition; KSTONE_ERR_LIMIT where a key is too long.
 * Cost: a search for the first item, then the number of items examined, however many the partition has; an allocation
 * for the page and one for its items, a few more where anything but pk, sk_op and limit is set, and a reference for
 * each item. Deleted items among them are examined too until their stripe is
 * compacted. A projection copies what it returns.
 * Threads: any. The stripe is locked while references are taken, not while you read, nor while a filter is evaluated.
 */
KSTONE_MUST_USE
kstone_status kstone_query(const kstone_db *db,
                           const kstone_query_spec *spec,
                           kstone_page **out,
                           kstone_error **err);

/**
 * A page of all items, or of one of spec->segments parts of them. spec may be NULL: all defaults. The order is the
 * library's own and stays the same from page to page; items of one partition lie together, in the order of their sort
 * keys.
 *
 * Ownership, threads: as kstone_query.
 * Errors: KSTONE_ERR_INVALID where spec has a pk or another field that a scan has no use for, an unknown flag, a
 * segment that does not exist, a token of another scan, or an expression or a bag that is not as kstone_cond says.
 * Cost: as kstone_query. What KSTONE_QUERY_COUNT counts in one page is known without a look at an item, unless some may
 * have expired.
 */
KSTONE_MUST_USE
kstone_status kstone_scan(const kstone_db *db,
                          const kstone_query_spec *spec,
                          kstone_page **out,
                          kstone_error **err);

/**
 * How many items the page found, after any filter. With KSTONE_QUERY_COUNT it found them without handing them out. Of
 * a batch: how many gets it has. 0 for NULL.
 */
size_t kstone_page_count(const kstone_page *p);

/** How many items were examined for the page, before any filter. Of a batch: how many gets it has. 0 for NULL. */
size_t kstone_page_scanned(const kstone_page *p);

/**
 * Item i of the page, counted from 0, borrowed from it: kstone_free leaves it alone, and it is gone when the page is
 * freed. Of a batch: what its get i found, NULL where there is no item. NULL from kstone_page_count on, with
 * KSTONE_QUERY_COUNT, and for NULL.
 *
 * Cost: none.
 */
const kstone_item *kstone_page_item(const kstone_page *p, size_t i);

/**
 * Where the next page begins, for kstone_query_spec.token; empty at the end, and for NULL. As in DynamoDB, a page that
 * ends at its limit has a token even if nothing follows: the next page is empty then. Borrowed from the page: free
 * that after the next call, not before. The bytes mean nothing to anybody else; they may be stored and sent, and work
 * with any database that holds the items.
 */
kstone_bytes kstone_page_token(const kstone_page *p);

/**
 * The page as a JSON object, {"Count":2,"Items":[...],"ScannedCount":2}, each item as kstone_item_to_json writes it.
 * Keys of an untyped table are not in it but for those that are attributes too. A get of a batch that found nothing
 * is null. Where the next page begins is not in it: kstone_page_token says that.
 *
 * Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
 * Errors: KSTONE_ERR_INVALID where flags holds an unknown bit.
 * Cost: the size of the items.
 */
kstone_status kstone_page_to_json(const kstone_page *p,
                                  uint32_t flags,
                                  char **out,
                                  size_t *out_len,
                                  kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * ITERATORS
 *
 * An iterator gives one item after another, of a partition or of the whole database. It reads a point-in-time view:
 * the database as it was when the iterator was opened, whatever is written, deleted or cleared meanwhile, and also
 * when the database is freed. While it exists it keeps the items of that moment in memory. One thread at a time may
 * use it.
 *
 *     static double sum_of_totals(const kstone_db *db) {
 *         kstone_iter *iter = NULL;
 *         const kstone_item *item = NULL;
 *         double sum = 0;
 *         if (kstone_iter_open(db, NULL, &iter, NULL) == KSTONE_OK) {
 *             while (kstone_iter_next(iter, &item, NULL) == KSTONE_OK) {
 *                 double total;
 *                 if (kstone_item_get_f64(item, "total", KSTONE_STRLEN, &total) == KSTONE_OK) {
 *                     sum += total;
 *                 }
 *             }
 *         }
 *         kstone_free(iter);
 *         return sum;
 *     }
 */

/**
 * Opens an iterator over one partition (spec->pk or key_expr is set, and all that kstone_query understands), or over
 * all items or a segment of them (neither is set, and all that kstone_scan understands). spec may be NULL: all items.
 * With limit the iterator ends after it has examined that many items in all; with token it goes on where a page of the
 * same query or scan ended. KSTONE_QUERY_COUNT is KSTONE_ERR_INVALID: kstone_query and kstone_scan count.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: as kstone_query or kstone_scan.
 * Cost: where there are no more than 256 items to examine, or limit is no more than that, a reference for each. In all
 * other cases a count for each stripe (one for a partition, 256 for all items); nothing is copied. An iterator over all
 * items takes these counts once it has examined some 250 of them, or at the next write, which waits for that. The
 * iterator then shares the stripes with the database, so the next write to each of them costs more, once: it makes a
 * tree of the stripe's own, for which the records collected since the last flush become a sorted run, which may be
 * merged.
 * Threads: any.
 */
KSTONE_MUST_USE
kstone_status kstone_iter_open(const kstone_db *db,
                               const kstone_query_spec *spec,
                               kstone_iter **out,
                               kstone_error **err);

/**
 * The next item.
 *
 * Returns KSTONE_DONE at the end and from then on; *out is then left alone.
 * Ownership: *out is borrowed from the iterator. It is valid until the next call of this function with the same
 * iterator, or until the iterator is freed; kstone_put, kstone_item_clone and the getters take it.
 * Errors: KSTONE_ERR_MISUSE; KSTONE_ERR_PANIC where a write that was under way when the iterator was opened has
 * panicked since.
 * Cost: a step, and one for each item that the filter skips. Nothing is counted or copied, except for the keys with
 * KSTONE_QUERY_KEYS_ONLY and the parts that a projection returns.
 */
KSTONE_MUST_USE kstone_status kstone_iter_next(kstone_iter *it, const kstone_item **out, kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * CURSORS
 *
 * A cursor is a place among the items of a partition or of the whole database that goes forward, back, and to any
 * key. It reads a point-in-time view, as an iterator does, and outlives the database too. One thread at a time may
 * use it.
 *
 *     static void print_around(const kstone_db *db, const char *log, const char *time) {
 *         kstone_query_spec spec = KSTONE_QUERY_SPEC_INIT;
 *         kstone_cursor *cursor = NULL;
 *         const kstone_item *item = NULL;
 *         spec.pk = log;
 *         spec.pk_len = strlen(log);
 *         if (kstone_cursor_open(db, &spec, &cursor, NULL) != KSTONE_OK) {
 *             return;
 *         }
 *         if (kstone_cursor_seek(cursor, NULL, 0, time, strlen(time), &item, NULL) == KSTONE_OK) {
 *             printf("at or after: %.*s\n", (int)kstone_item_sk(item).len, (const char *)kstone_item_sk(item).data);
 *         }
 *         if (kstone_cursor_prev(cursor, &item, NULL) == KSTONE_OK) {
 *             printf("before: %.*s\n", (int)kstone_item_sk(item).len, (const char *)kstone_item_sk(item).data);
 *         }
 *         kstone_free(cursor);
 *     }
 */

/**
 * Opens a cursor over one partition (spec->pk or key_expr is set) or over all items or a segment of them (neither is
 * set), before the first of them. spec may be NULL: all items. Filters, projections and an index are as in
 * kstone_iter_open; limit and token are KSTONE_ERR_INVALID, since a cursor goes as far as it is told to and seeks.
 *
 * The order is that of kstone_query or kstone_scan: with KSTONE_QUERY_REVERSE, from the greatest sort key down, so
 * that "next" and "behind" are towards lesser sort keys. Over all items it is the library's own order, in which those
 * of a partition stand together by their sort keys.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors, cost: as kstone_iter_open.
 * Threads: any.
 */
kstone_status kstone_cursor_open(const kstone_db *db,
                                 const kstone_query_spec *spec,
                                 kstone_cursor **out,
                                 kstone_error **err);

/**
 * Goes to the first item.
 *
 * Returns, of all moves, KSTONE_DONE where there is no item to go to: the cursor is then before the first item or
 * behind the last one, from where kstone_cursor_next or kstone_cursor_prev goes back to it. *out is left alone.
 * Ownership, of all moves: *out is borrowed from the cursor, and good until the next move or until the cursor is
 * freed. out may be NULL: kstone_cursor_item says the same.
 * Errors, of all moves: KSTONE_ERR_MISUSE; the cursor stays where it was.
 * Cost: a search in each sorted run.
 * Threads, of all moves: one at a time; the database may be used by others, and freed.
 */
kstone_status kstone_cursor_first(kstone_cursor *it, const kstone_item **out, kstone_error **err);

/** Goes to the last item. Otherwise as kstone_cursor_first. */
kstone_status kstone_cursor_last(kstone_cursor *it, const kstone_item **out, kstone_error **err);

/**
 * Goes to the first item at this key or behind it, or, where there is none, behind the last item. In a partition pk
 * may be (NULL, 0), and is the partition otherwise; sk (NULL, 0) is before all other sort keys. Over all items, the
 * key need not be there: its place in the library's order is found all the same.
 *
 * Returns, ownership, threads: as kstone_cursor_first.
 * Errors: as kstone_cursor_first; KSTONE_ERR_INVALID for the key of another partition, for no pk where the cursor is
 * over all items, and for a cursor over an index, whose spec may have a condition instead; KSTONE_ERR_LIMIT for a key
 * that is too long.
 * Cost: a search in each sorted run, whatever the distance.
 */
kstone_status kstone_cursor_seek(kstone_cursor *it,
                                 const void *pk,
                                 size_t pk_len,
                                 const void *sk,
                                 size_t sk_len,
                                 const kstone_item **out,
                                 kstone_error **err);

/**
 * Goes to the next item: from before the first one to the first, from the last one to behind it, where it stays.
 *
 * Returns, ownership, errors, threads: as kstone_cursor_first.
 * Cost: a step, or as many as the filter passes over. References to the items are taken 16 at a time, then 32, and so
 * on up to 256; the items are not copied but for what a projection returns.
 */
kstone_status kstone_cursor_next(kstone_cursor *it, const kstone_item **out, kstone_error **err);

/**
 * Goes to the item before: from behind the last one to the last, from the first one to before it, where it stays.
 * Otherwise as kstone_cursor_next.
 */
kstone_status kstone_cursor_prev(kstone_cursor *it, const kstone_item **out, kstone_error **err);

/**
 * The item that the cursor is on, borrowed from it as by a move. NULL before the first item and behind the last one,
 * and for NULL.
 *
 * Cost: none.
 */
const kstone_item *kstone_cursor_item(const kstone_cursor *it);


/* ---------------------------------------------------------------------------------------------------------------------
 * BATCHES AND TRANSACTIONS
 *
 * A batch is a list of reads and writes that is built first and run then: with KSTONE_BATCH_ATOMIC as a transaction,
 * otherwise one operation after the other. It holds copies of what it was given, belongs to no database, and may be
 * run as often as you like, by one thread at a time.
 *
 * The functions that add to a batch have no err: an impossible key, handle or text is refused at once, by the status,
 * and the batch stays as it was. Expressions and items are checked when the batch is run; the error then says what is
 * wrong with which operation.
 *
 *     static kstone_status transfer(kstone_db *db, const char *from, const char *to, int64_t cents) {
 *         kstone_cond funded = KSTONE_COND_INIT;
 *         kstone_cond exists = KSTONE_COND_INIT;
 *         kstone_batch *batch = kstone_batch_new();
 *         kstone_item *params = kstone_item_new();
 *         kstone_error *err = NULL;
 *         kstone_status status;
 *         funded.expr = "cents >= :c";
 *         exists.expr = "attribute_exists(pk)";
 *         funded.expr_len = exists.expr_len = KSTONE_STRLEN;
 *         kstone_item_set_i64(params, ":c", KSTONE_STRLEN, cents);
 *         kstone_batch_update(batch, from, strlen(from), NULL, 0, "SET cents = cents - :c", KSTONE_STRLEN, params,
 *                             &funded);
 *         kstone_batch_update(batch, to, strlen(to), NULL, 0, "SET cents = cents + :c", KSTONE_STRLEN, params,
 *                             &exists);
 *         status = kstone_batch_run(db, batch, KSTONE_BATCH_ATOMIC, NULL, &err);
 *         if (status == KSTONE_ERR_CONDITION_FAILED) {
 *             printf("%s\n", kstone_error_index(err) == 0 ? "not enough money" : "no such account");
 *         }
 *         kstone_free(err);
 *         kstone_free(params);
 *         kstone_free(batch);
 *         return status;
 *     }
 */

/** Flag of kstone_batch_run: all of the operations or not one of them, at one moment. */
#define KSTONE_BATCH_ATOMIC 1u

/**
 * A batch without operations, to be filled.
 *
 * Ownership: it is yours, release it with kstone_free.
 */
KSTONE_MUST_USE kstone_batch *kstone_batch_new(void);

/**
 * Adds a kstone_put_if. cond may be NULL.
 *
 * Errors of all functions that add: KSTONE_ERR_MISUSE where b or the item is NULL, or a handle is of another kind;
 * KSTONE_ERR_INVALID where the partition key is empty, a field of cond is not served, an expression is empty or not
 * UTF-8, or a bag holds something that is no :value or #name; KSTONE_ERR_LIMIT where a key is too long.
 * Cost: a copy of what comes in.
 */
kstone_status kstone_batch_put(kstone_batch *b,
                               const void *pk,
                               size_t pk_len,
                               const void *sk,
                               size_t sk_len,
                               const kstone_item *item,
                               const kstone_cond *cond);

/**
 * Adds a put of an item under the key that its own attributes are, as kstone_put_item takes it. cond may be NULL.
 *
 * Errors, cost: as kstone_batch_put. What the key is depends on the database: a key attribute that is missing, empty
 * or of a wrong type is refused by kstone_batch_run, before anything is done.
 */
kstone_status kstone_batch_put_item(kstone_batch *b, const kstone_item *item, const kstone_cond *cond);

/**
 * Adds a kstone_update that returns nothing of the item. cond may be NULL; the bags are those of kstone_update.
 *
 * Errors, cost: as kstone_batch_put.
 */
kstone_status kstone_batch_update(kstone_batch *b,
                                  const void *pk,
                                  size_t pk_len,
                                  const void *sk,
                                  size_t sk_len,
                                  const char *expr,
                                  size_t expr_len,
                                  const kstone_item *params,
                                  const kstone_cond *cond);

/**
 * Adds a kstone_delete_if. cond may be NULL.
 *
 * Errors, cost: as kstone_batch_put.
 */
kstone_status kstone_batch_delete(kstone_batch *b,
                                  const void *pk,
                                  size_t pk_len,
                                  const void *sk,
                                  size_t sk_len,
                                  const kstone_cond *cond);

/**
 * Adds a condition that must hold for an item which the batch does not write. It counts as a write.
 *
 * Errors, cost: as kstone_batch_put, and KSTONE_ERR_INVALID where cond or cond->expr is NULL.
 */
kstone_status kstone_batch_check(kstone_batch *b,
                                 const void *pk,
                                 size_t pk_len,
                                 const void *sk,
                                 size_t sk_len,
                                 const kstone_cond *cond);

/**
 * Adds a kstone_get. What it finds is an item of the page that kstone_batch_run gives.
 *
 * Errors, cost: as kstone_batch_put.
 */
kstone_status kstone_batch_get(kstone_batch *b, const void *pk, size_t pk_len, const void *sk, size_t sk_len);

/**
 * Adds a PartiQL statement; see kstone_execute for its parameters. A batch of statements holds nothing else. Each
 * statement is about one item, whose whole key it names: INSERT, UPDATE, DELETE, or a SELECT, which counts as a get.
 * With KSTONE_BATCH_ATOMIC either all of them are SELECTs or none, nothing is returned by a write, and "EXISTS(SELECT
 * * FROM items WHERE pk = 'a' AND stock > 0)" is a condition next to writes. Without it there may be any number.
 *
 * Errors: as kstone_batch_put, and KSTONE_ERR_INVALID where the batch holds other operations or a parameter is not
 * called ?1, ?2 and so on. Cost: as kstone_batch_put.
 */
kstone_status kstone_batch_execute(kstone_batch *b, const char *statement, size_t len, const kstone_item *params);

/**
 * Adds a run of what was prepared: a write on the item of a key, as kstone_run_write takes it, or a statement, which
 * names its key itself: then pk, sk and it are (NULL, 0) and NULL. A batch holds statements or other operations.
 *
 * Errors: as kstone_batch_put and kstone_run; KSTONE_ERR_MISUSE for a prepared query. Cost: a copy of key, item and
 * values. p may be freed before the batch is run.
 */
kstone_status kstone_batch_prepared(kstone_batch *b,
                                    const kstone_prepared *p,
                                    const void *pk,
                                    size_t pk_len,
                                    const void *sk,
                                    size_t sk_len,
                                    const kstone_item *it,
                                    const kstone_value *values,
                                    size_t count);

/**
 * Does the operations of a batch. *out becomes a page with an item for each get, in their order: kstone_page_item is
 * NULL for what is not there. out may be NULL.
 *
 * With KSTONE_BATCH_ATOMIC all operations are done at one moment, or, where one fails, not one of them: the gets and
 * conditions see the items as they were before the batch, no other write comes between, and no reader sees a part of
 * it. Up to 100 operations, each on an item of its own.
 *
 * Without it the operations are done in order, as if you had made the calls yourself, so a get sees what the writes
 * before it wrote. What can be said without the items that are there is checked first: where a key, an item, an
 * expression or an attribute that an index refuses is wrong, nothing is done. Otherwise the first operation that fails
 * ends the run: what was done before it stays done, and *out is not written. There may be any number of operations, and
 * several on one item.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: those of the operations; kstone_error_index says which operation failed (the first of several), and
 * kstone_error_item gives its item where its condition asked for that. Where an atomic batch fails for what the items
 * are, kstone_error_name is "TransactionCanceledException" and the message has a reason for every operation;
 * KSTONE_ERR_CONDITION_FAILED stands for a condition that does not hold. KSTONE_ERR_INVALID where the batch is empty,
 * flags holds an unknown bit, or an atomic batch names an item twice; KSTONE_ERR_LIMIT where an atomic one has more
 * than 100 operations or 4 MB, nothing is done then.
 * Cost: the sum of the operations. An atomic batch keeps the stripes of its items locked meanwhile, shared where it
 * only reads.
 * Threads: any for db. Atomic batches wait for each other but never deadlock.
 */
KSTONE_MUST_USE
kstone_status kstone_batch_run(kstone_db *db,
                               kstone_batch *b,
                               uint32_t flags,
                               kstone_page **out,
                               kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * PARTIQL
 *
 * PartiQL in DynamoDB's dialect: SELECT, INSERT, UPDATE and DELETE on the table, which is called "items" unless its
 * schema has a name. The key is addressed as pk and sk, "table"."index" reads an index, and EXPLAIN SELECT tells what
 * a SELECT would read. docs/partiql.md is the reference.
 *
 * Pass values as parameters: every ? of the statement takes the next attribute of a bag, "?1", "?2" and so on, of any
 * type. Texts stand between single quotes, and names that are no plain words between double quotes. A statement is
 * parsed once: the database caches those that it saw last. So keep the text constant and vary the bag.
 *
 *     static size_t print_open_orders(kstone_db *db, const char *customer) {
 *         static const char select[] = "SELECT sk, total FROM items WHERE pk = ? AND status = 'open' ORDER BY sk DESC";
 *         kstone_item *params = kstone_item_new();
 *         kstone_page *page = NULL;
 *         kstone_error *err = NULL;
 *         size_t rows = 0;
 *         size_t i;
 *         kstone_item_set_str(params, "?1", KSTONE_STRLEN, customer, KSTONE_STRLEN);
 *         if (kstone_execute(db, select, KSTONE_STRLEN, params, NULL, 0, &page, &err) == KSTONE_OK) {
 *             rows = kstone_page_count(page);
 *             for (i = 0; i < rows; i++) {
 *                 kstone_value total;
 *                 if (kstone_item_get(kstone_page_item(page, i), "total", KSTONE_STRLEN, &total) == KSTONE_OK) {
 *                     printf("%.*s\n", (int)total.bytes.len, (const char *)total.bytes.data);
 *                 }
 *             }
 *         } else {
 *             fprintf(stderr, "%s\n", kstone_error_message(err));
 *         }
 *         kstone_free(err);
 *         kstone_free(page);
 *         kstone_free(params);
 *         return rows;
 *     }
 */

/**
 * Executes a statement. *out becomes a page with the rows of a SELECT, or of a write with RETURNING, and an empty one
 * of any other write. params may be NULL: no parameters. token is where the last page of the same statement with the
 * same parameters ended, as kstone_page_token gave it; (NULL, 0) at first. out may be NULL.
 *
 * A row has the columns of the SELECT list as its attributes; with SELECT * it is the whole item, in which the key
 * stands as the attributes pk and sk. A page ends after 1 MiB of items that were examined, so it may be empty and have
 * a token. Rows that are grouped or sorted come in one page.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: KSTONE_ERR_INVALID where the statement is not well-formed (the message has line, column and an excerpt),
 * names another table ("ResourceNotFoundException") or an index that is not there, where a parameter is missing, left
 * over or of an unfit type, and for a token of another statement; KSTONE_ERR_CONDITION_FAILED where the WHERE clause
 * of an UPDATE or DELETE does not hold, and for an INSERT of a key that is there ("DuplicateItemException");
 * KSTONE_ERR_LIMIT where the statement has more than 8192 characters, an item would be too large, or more than 64 MiB
 * would have to be sorted. A write that fails changes nothing.
 * Cost: a look-up of the text in the database's cache, then what kstone_get, kstone_query, kstone_scan or a write
 * costs, and a copy of each row.
 * Threads: any.
 */
KSTONE_MUST_USE
kstone_status kstone_execute(kstone_db *db,
                             const char *statement,
                             size_t len,
                             const kstone_item *params,
                             const void *token,
                             size_t token_len,
                             kstone_page **out,
                             kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * PREPARED REQUESTS
 *
 * kstone_prepare reads a PartiQL statement, an update, the condition of a write or a query once; kstone_run,
 * kstone_run_write and kstone_run_iter run it as often as you like. A run gives the values of the parameters: as an
 * array, by position, kstone_prepared_find saying at which position a name is.
 *
 * Values come with the run and are not kept in the handle, as they are in SQLite or DuckDB: so one prepared request is
 * run by any number of threads at once, nothing of one run is left for the next, and a run is one call. They are
 * borrowed during the call, not copied. A prepared request belongs to no database: it runs on the one that it was
 * prepared with, on its forks, and on any other, and may be freed before or after them.
 *
 *     static kstone_status add_visits(kstone_db *db, const char *const *pages, size_t number, int64_t visits) {
 *         kstone_prepare_spec spec = KSTONE_PREPARE_SPEC_INIT;
 *         kstone_prepared *update = NULL;
 *         kstone_status status;
 *         kstone_value value = {KSTONE_VALUE_I64, 0, {NULL, sizeof visits}};
 *         size_t i;
 *         spec.kind = KSTONE_PREPARE_UPDATE;
 *         spec.text = "ADD visits :n";
 *         spec.text_len = KSTONE_STRLEN;
 *         status = kstone_prepare(db, &spec, &update, NULL);
 *         value.bytes.data = (const uint8_t *)&visits;
 *         for (i = 0; i < number && status == KSTONE_OK; i++) {
 *             status = kstone_run_write(db, update, pages[i], strlen(pages[i]), NULL, 0, NULL, &value, 1,
 *                                       KSTONE_RETURN_NONE, NULL, NULL);
 *         }
 *         kstone_free(update);
 *         return status;
 *     }
 */

/**
 * Of a value that is bound: an int64_t, to which bytes.data points; bytes.len is its size, 8. It is bound as a number.
 */
#define KSTONE_VALUE_I64 257

/**
 * Of a value that is bound: a double, to which bytes.data points; bytes.len is its size, 8. It is bound as a number.
 */
#define KSTONE_VALUE_F64 258

/** Prepares a PartiQL statement: text. */
#define KSTONE_PREPARE_STATEMENT 1

/** Prepares a kstone_put_if: cond, or none. Each run gives key and item. */
#define KSTONE_PREPARE_PUT 2

/** Prepares a kstone_update: text, names, cond. Each run gives the key. */
#define KSTONE_PREPARE_UPDATE 3

/** Prepares a kstone_delete_if: cond, or none. Each run gives the key. */
#define KSTONE_PREPARE_DELETE 4

/**
 * Prepares a kstone_batch_check: cond. Each run gives the key. It is for batches; kstone_run_write of it alone says
 * whether the condition holds, and writes nothing.
 */
#define KSTONE_PREPARE_CHECK 5

/** Prepares a kstone_query: query. */
#define KSTONE_PREPARE_QUERY 6

/**
 * What to prepare. Set struct_size to sizeof(kstone_prepare_spec) and everything else to 0, then what you want. What
 * the kind does not use must stay 0. Everything is copied during the call.
 */
typedef struct kstone_prepare_spec {
    /** sizeof(kstone_prepare_spec), in bytes. */
    size_t struct_size;
    /** One of KSTONE_PREPARE_STATEMENT and so on. */
    uint32_t kind;
    /** 0. */
    uint32_t reserved;
    /** KSTONE_PREPARE_STATEMENT: the statement. KSTONE_PREPARE_UPDATE: the update expression. */
    const char *text;
    /** How many bytes text has, or KSTONE_STRLEN. */
    size_t text_len;
    /**
     * KSTONE_PREPARE_UPDATE: what the #names of text stand for, and those of the condition where that has no params;
     * NULL: nothing. :values are given at every run.
     */
    const kstone_item *names;
    /** The condition of a write, whose params hold #names alone; NULL: none. KSTONE_PREPARE_CHECK needs one. */
    const kstone_cond *cond;
    /**
     * KSTONE_PREPARE_QUERY: the query, whose params hold #names alone. Its limit is that of the runs that have none,
     * and a token belongs to a run.
     */
    const kstone_query_spec *query;
} kstone_prepare_spec;

/**
 * Reads a statement, a write or a query once, to be run many times: it is parsed, its #names are resolved, its paths
 * and its index are checked. What is left for a run are its values and the work itself.
 *
 * What is prepared belongs to no database: it runs on the one that it was prepared with, on forks of it and on any
 * other, before and after that one is freed. Names of tables and indexes are looked up here and at every run, and a
 * statement is planned by the schema in force then, so a change of the schema changes a plan, or the run says what is
 * missing.
 *
 * Ownership: *out is yours, release it with kstone_free. Nothing is borrowed from spec.
 * Errors: KSTONE_ERR_INVALID for an unknown kind, a field that the kind does not use, a :value in a bag, and what
 * kstone_execute, kstone_put_if, kstone_update, kstone_delete_if or kstone_query refuse without looking at a value or
 * an item; KSTONE_ERR_LIMIT for a text that is too long; KSTONE_ERR_MISUSE for a handle of another kind.
 * Cost: reading the texts. It keeps some 50 bytes for each of their characters.
 * Threads: any.
 */
KSTONE_MUST_USE
kstone_status kstone_prepare(const kstone_db *db,
                             const kstone_prepare_spec *spec,
                             kstone_prepared **out,
                             kstone_error **err);

/**
 * How many parameters it has: the values that a run gives. 0 for NULL.
 *
 * Those of a statement are its ?, in their order. Those of expressions are their :values, each once, in the order of
 * their first appearance: in the update before the condition, in the key condition before the filter.
 */
size_t kstone_prepared_count(const kstone_prepared *p);

/**
 * The name of parameter i, counted from 0: ":max", or "?1" for the first of a statement. Borrowed from p. Empty from
 * kstone_prepared_count on, and for NULL.
 */
kstone_bytes kstone_prepared_name(const kstone_prepared *p, size_t i);

/**
 * Where among its values a run gives that of this name, sign included: ":max". Look it up once, and bind by position.
 *
 * Returns KSTONE_NOT_FOUND where nothing that was prepared names it; *position is left alone then.
 * Errors: KSTONE_ERR_MISUSE; KSTONE_ERR_INVALID where name is not UTF-8.
 */
kstone_status kstone_prepared_find(const kstone_prepared *p, const char *name, size_t name_len, size_t *position);

/**
 * Runs a statement or a query: *out becomes the page that kstone_execute or kstone_query gives. out may be NULL for a
 * statement. limit is the most items to examine, 0: what the query was prepared with, or up to 1 MiB of items. token
 * is where the last page of the same run ended, (NULL, 0) at first; pages of prepared and of other requests go on with
 * each other's tokens.
 *
 * values are as many as the parameters, in their order, and are borrowed during the call. A kstone_value that an
 * item gave is bound as it is. For another one set type and bytes: to KSTONE_TYPE_S and so on, with the bytes that
 * kstone_value.bytes speaks of, where a number may be any decimal text; or to KSTONE_VALUE_I64 and KSTONE_VALUE_F64,
 * with a pointer to a number of C.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: as kstone_execute and kstone_query; KSTONE_ERR_INVALID for values that are not as many as the parameters,
 * and for one that is unbound (its type is 0) or malformed, which the message names; KSTONE_ERR_MISUSE where p is a
 * prepared write.
 * Cost: that of the work; a query copies its filter's values.
 * Threads: any; one p may be run by many threads at once.
 */
KSTONE_MUST_USE
kstone_status kstone_run(kstone_db *db,
                         const kstone_prepared *p,
                         const kstone_value *values,
                         size_t count,
                         uint32_t limit,
                         const void *token,
                         size_t token_len,
                         kstone_page **out,
                         kstone_error **err);

/**
 * Runs a query as an iterator, as kstone_iter_open opens one: limit is how many items to examine in all, 0: what the
 * query was prepared with, or to the end. values are as in kstone_run.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: as kstone_iter_open and kstone_run; KSTONE_ERR_MISUSE where p is no prepared query.
 * Cost, threads: as kstone_iter_open.
 */
KSTONE_MUST_USE
kstone_status kstone_run_iter(const kstone_db *db,
                              const kstone_prepared *p,
                              const kstone_value *values,
                              size_t count,
                              uint32_t limit,
                              kstone_iter **out,
                              kstone_error **err);

/**
 * Runs a write on the item of a key: what kstone_put_if, kstone_update or kstone_delete_if does. it is the item of a
 * put, NULL for the others. values are as in kstone_run. return_values is one of KSTONE_RETURN_NONE and so on, of a
 * put or a delete KSTONE_RETURN_NONE or KSTONE_RETURN_ALL_OLD. returned may be NULL; otherwise *returned becomes what
 * was asked for, or NULL where there is nothing.
 *
 * Ownership: *returned is yours, release it with kstone_free.
 * Errors: as those functions and kstone_run; KSTONE_ERR_INVALID for an item where none is put, and none where one is;
 * KSTONE_ERR_MISUSE where p is no prepared write. A write that fails changes nothing.
 * Cost: as those functions, without reading an expression or a bag: nothing is copied but what is stored.
 * Threads: as kstone_run and those functions.
 */
KSTONE_MUST_USE
kstone_status kstone_run_write(kstone_db *db,
                               const kstone_prepared *p,
                               const void *pk,
                               size_t pk_len,
                               const void *sk,
                               size_t sk_len,
                               const kstone_item *it,
                               const kstone_value *values,
                               size_t count,
                               uint32_t return_values,
                               kstone_item **returned,
                               kstone_error **err);

/** Initialises a kstone_prepare_spec. */
#define KSTONE_PREPARE_SPEC_INIT {sizeof(kstone_prepare_spec), 0, 0, NULL, 0, NULL, NULL, NULL}


/* ---------------------------------------------------------------------------------------------------------------------
 * SCHEMA, EXPIRY AND CHANGE STREAM
 *
 * A schema gives a database secondary indexes, a TTL attribute and a change stream. It is given when the database is
 * opened (kstone_options.schema_json) and changed by kstone_configure.
 */

/**
 * Replaces the schema of the database; NULL and 0: none. The names and types of its key stay as they are, but an
 * untyped database without items may get some. New indexes are filled before this returns, dropped ones are gone, and
 * reads and writes go on meanwhile. Items that a new index cannot hold are left out of it, as in DynamoDB's backfill.
 * See kstone_options.schema_json for the form.
 *
 * Errors: KSTONE_ERR_INVALID for a schema that is none, saying what and where, and for a table of an account; nothing
 * is changed then.
 * Cost: one pass over all items where an index is new. Dropping an index takes microseconds whatever it holds: the
 * memory of its entries is given back bit by bit with the writes that follow, or by kstone_compact; until then
 * kstone_stats_json counts them.
 * Threads: any; a second call waits for the first.
 */
kstone_status kstone_configure(kstone_db *db, const char *schema_json, size_t len, kstone_error **err);

/**
 * Fixes the time that decides what has expired, in seconds since 1970; 0 goes back to the system's clock. For tests.
 *
 * Errors: KSTONE_ERR_INVALID for a table of an account.
 * Cost: none.
 */
kstone_status kstone_set_time(kstone_db *db, int64_t epoch_seconds, kstone_error **err);

/**
 * Removes the items whose time has passed, which no read shows any more, with their index entries. *purged says how
 * many; it may be NULL. A stream tells of each that TTL removed it. kstone_compact does the same on its way.
 *
 * Errors: none of its own.
 * Cost: one pass over all items.
 */
kstone_status kstone_purge_expired(kstone_db *db, size_t *purged, kstone_error **err);

/**
 * The changes after a sequence number, oldest first, as DynamoDB's stream records: {"Records":[...]}. At most max of
 * them, at most 1000, at most about 1 MiB; none where nothing has changed since. Begin with 0; go on after the
 * dynamodb.SequenceNumber of the last record, which is decimal text with leading zeros. kstone_clear empties the
 * stream, and a stream that is configured anew goes on with the numbers of the old: a reader of before is then told
 * that it missed something.
 *
 * Ownership: *json is yours, release it with kstone_free. *json_len does not count the NUL at its end.
 * Errors: KSTONE_ERR_TRIMMED where the stream no longer holds some of them: read the items anew, then go on where the
 * message says; KSTONE_ERR_INVALID where the schema asks for no stream, or max is 0.
 * Cost: the size of the records.
 */
kstone_status kstone_stream_read(const kstone_db *db,
                                 uint64_t after,
                                 size_t max,
                                 char **json,
                                 size_t *json_len,
                                 kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * SNAPSHOTS
 *
 * A snapshot is a file with everything that a database held at one moment: its items and its schema. Its format is
 * documented (docs/snapshot-format.md) and guarded by checksums: a file that was truncated or changed anywhere is
 * refused as a whole. Index entries are not in it, since they follow from items and schema; nor is the stream.
 *
 * A path is the bytes of a file's name as the operating system takes it, without a NUL inside; on systems other than
 * Unix it is UTF-8. Its length may be KSTONE_STRLEN.
 *
 *     static int checkpoint(const kstone_db *db, const char *path) {
 *         kstone_error *err = NULL;
 *         if (kstone_snapshot_save(db, path, KSTONE_STRLEN, &err) != KSTONE_OK) {
 *             fprintf(stderr, "%s\n", kstone_error_message(err));
 *             kstone_free(err);
 *             return 0;
 *         }
 *         return 1;
 *     }
 *
 *     static int resume(kstone_db *db, const char *path) {
 *         kstone_error *err = NULL;
 *         if (kstone_snapshot_load(db, path, KSTONE_STRLEN, &err) != KSTONE_OK) {
 *             fprintf(stderr, "starting empty: %s\n", kstone_error_message(err));
 *             kstone_free(err);
 *             return 0;
 *         }
 *         return 1;
 *     }
 */

/**
 * Writes the database as it is now to a file, replacing one that exists. The file is written next to its
 * place, synced and renamed into it: a crash at any moment leaves the old file or the new one, never a part of one. (A
 * process that is killed may leave a file .kstone-*.tmp in the directory, which can be deleted.)
 *
 * Errors: KSTONE_ERR_IO, naming the file and the cause; KSTONE_ERR_INVALID where the path is empty, holds a NUL or is
 * that of something else than a file. The file is then as it was.
 * Cost: two passes over the items and a copy of them to the disk. Memory: some hundred KiB, and what is overwritten
 * meanwhile.
 * Threads: any; writers wait for the point-in-time view, not for the file.
 */
KSTONE_MUST_USE
kstone_status kstone_snapshot_save(const kstone_db *db,
                                   const char *path,
                                   size_t path_len,
                                   kstone_error **err);

/**
 * Fills an empty database from a snapshot: schema and items appear at once, after all of the file was read and
 * checked. The schema of the file takes the place of the database's own; its other options stay. A reader of the
 * stream gets KSTONE_ERR_TRIMMED, since what is loaded was never in the stream. A file of an account is loaded where it
 * has one table.
 *
 * Errors: KSTONE_ERR_CORRUPT where any byte of the file is wrong, with the place; KSTONE_ERR_IO; KSTONE_ERR_INVALID
 * where the database holds an item, or gets one meanwhile, for a path as in kstone_snapshot_save, for a file of
 * another version, and for a table of an account; KSTONE_ERR_LIMIT where the items do not fit memory_max_bytes.
 * Nothing is loaded then.
 * Cost: a read of the file, a check and a copy of each item, and its index entries; the work on a large file is shared
 * with up to three threads of the library's, which have ended when this returns.
 * Threads: any; reads and writes go on meanwhile, kstone_fork and kstone_configure wait.
 */
KSTONE_MUST_USE
kstone_status kstone_snapshot_load(kstone_db *db,
                                   const char *path,
                                   size_t path_len,
                                   kstone_error **err);

/**
 * How far the save or load has come that another thread has at work on this database: *done of *total items. total is
 * 0 until they are counted. Where none is at work, what the last one came to; where several are, the one that moved
 * last. done and total may be NULL.
 *
 * Errors: none of its own.
 * Cost: tens of nanoseconds.
 */
kstone_status kstone_snapshot_progress(const kstone_db *db, uint64_t *done, uint64_t *total, kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * EXPORT AND IMPORT
 *
 * The way to DynamoDB and back: a file of lines, each an item in the form of DynamoDB's table exports,
 * {"Item":{"pk":{"S":"user#1"},"sk":{"S":"profile"},"age":{"N":"30"}}}. The key comes first, as the attributes pk and
 * sk: S where its bytes are UTF-8, otherwise B; no sk where the item has none. Then come the attributes of the item by
 * name. What was exported and imported again exports as the same bytes. Paths are as in SNAPSHOTS.
 *
 * An import also takes: lines that are an item without {"Item":...} around it; plain JSON, such as {"pk":"a","n":1},
 * where the first item is plain; arrays of items, over lines or not; what aws dynamodb scan and query print; items
 * that go over lines, one after another; DynamoDB's incremental exports, whose records put an item or delete one;
 * and each of these compressed by gzip. It skips blank lines, a byte order mark, and the CR before an LF. A line,
 * and an item in JSON that goes over lines, has up to 8,388,608 bytes. Items are put one by one as by kstone_put,
 * through indexes and into the stream, and replace items that exist. The attributes pk and sk are the key itself and
 * do not stay in the item; a key attribute of another name (see kstone_import_spec) does.
 *
 *     static int load_songs(kstone_db *db, const char *path) {
 *         kstone_import_spec spec = KSTONE_IMPORT_SPEC_INIT;
 *         kstone_error *err = NULL;
 *         size_t loaded = 0, skipped = 0;
 *         char *reasons = NULL;
 *         spec.pk_name = "Artist";
 *         spec.sk_name = "SongTitle";
 *         spec.pk_name_len = spec.sk_name_len = KSTONE_STRLEN;
 *         spec.flags = KSTONE_IMPORT_SKIP;
 *         if (kstone_import_json(db, path, KSTONE_STRLEN, &spec, &loaded, &skipped, &reasons, &err) < 0) {
 *             fprintf(stderr, "%s\n", kstone_error_message(err));
 *             kstone_free(err);
 *             return 0;
 *         }
 *         printf("%lu songs, %lu bad records\n%s", (unsigned long)loaded, (unsigned long)skipped, reasons);
 *         kstone_free(reasons);
 *         return 1;
 *     }
 */

/**
 * Flag of a kstone_import_spec: bad records are skipped and counted. Without it the first one ends the import before
 * anything is put.
 */
#define KSTONE_IMPORT_SKIP 1u

/**
 * How to import. Set struct_size to sizeof(kstone_import_spec) and everything else to 0, then what you want. Instead
 * of a kstone_import_spec, NULL means all defaults.
 */
typedef struct kstone_import_spec {
    /** sizeof(kstone_import_spec), in bytes. */
    size_t struct_size;
    /** The attribute that is the partition key: S, B or N; the text of an N is the key. NULL: pk, which is S or B. */
    const char *pk_name;
    /** How many bytes pk_name has, or KSTONE_STRLEN. */
    size_t pk_name_len;
    /**
     * The attribute that is the sort key, which every item must have. NULL: none where pk_name is set, otherwise sk,
     * which items may lack.
     */
    const char *sk_name;
    /** How many bytes sk_name has, or KSTONE_STRLEN. */
    size_t sk_name_len;
    /** KSTONE_IMPORT_SKIP or 0. */
    uint32_t flags;
    /** 0. */
    uint32_t reserved;
} kstone_import_spec;

/** Initialises a kstone_import_spec: all defaults. */
#define KSTONE_IMPORT_SPEC_INIT {sizeof(kstone_import_spec), NULL, 0, NULL, 0, 0, 0}

/**
 * Writes every item to a file as a line of JSON, as the database is at one moment, replacing a file that exists, as
 * safely as kstone_snapshot_save. Items that have expired are left out.
 *
 * Errors: KSTONE_ERR_IO, naming the file and the cause; KSTONE_ERR_INVALID for a path as in kstone_snapshot_save. The
 * file is then as it was.
 * Cost: one pass over the items. Memory: some MiB, and what is overwritten meanwhile.
 * Threads: any; writers wait for the point-in-time view, not for the file.
 */
KSTONE_MUST_USE
kstone_status kstone_export_json(const kstone_db *db,
                                 const char *path,
                                 size_t path_len,
                                 kstone_error **err);

/**
 * Puts the items of a file. spec may be NULL. *loaded says how many records were put, or deleted their item in an
 * incremental export, and *skipped how many were bad; *reasons is a text for people with a line for each of the first
 * ten of these, empty where there are none. All three may be NULL. Without KSTONE_IMPORT_SKIP the file is read twice,
 * first to check every record; so a pipe can only be imported with it.
 *
 * Ownership: *reasons is yours, release it with kstone_free.
 * Errors: KSTONE_ERR_CORRUPT for a bad record, unless they are skipped: the message names the file, the line, and what
 * is wrong; KSTONE_ERR_IO where the file cannot be read, also where its gzip data is truncated or damaged;
 * KSTONE_ERR_INVALID for a path or names that cannot be. Nothing was put then, unless the file failed, or was changed,
 * after it had been checked. As kstone_put otherwise: then what came before stays.
 * Cost: a parse and a put for each item, a second parse without KSTONE_IMPORT_SKIP. Memory: an item and its text; of a
 * file that is no pipe some hundred KiB of text, which is read ahead.
 * Threads: any; others see items as they come. Of a file that is no pipe the parsing is shared by helper threads where
 * the process may use more than one processor; they end with the call.
 */
KSTONE_MUST_USE
kstone_status kstone_import_json(kstone_db *db,
                                 const char *path,
                                 size_t path_len,
                                 const kstone_import_spec *spec,
                                 size_t *loaded,
                                 size_t *skipped,
                                 char **reasons,
                                 kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * CALLBACKS
 *
 * Snapshots, exports and imports to and from anything: a function of yours takes or gives the bytes, instead of a
 * file. It is called by the thread that makes the call, before the call returns, with the user_data of the call.
 *
 * The function returns KSTONE_OK to go on. Any other status ends the call: below 0, the call returns that status, be
 * it one of the library's or a number of your own; above 0, KSTONE_ERR_IO. It is not called again then.
 *
 * It must return: not by a C++ exception, which ends the process, nor by longjmp, which leaves locks held and memory
 * allocated. pthread_cancel waits until the call has returned. What it may do with the same database is said by each
 * call; with other databases and handles it may do anything.
 *
 *     static kstone_status append(void *user_data, const void *data, size_t len) {
 *         return fwrite(data, 1, len, (FILE *)user_data) == len ? KSTONE_OK : KSTONE_ERR_IO;
 *     }
 *
 *     static kstone_status take(void *user_data, void *buffer, size_t capacity, size_t *len) {
 *         *len = fread(buffer, 1, capacity, (FILE *)user_data);
 *         return ferror((FILE *)user_data) ? KSTONE_ERR_IO : KSTONE_OK;
 *     }
 *
 *     static kstone_status copy_through(const kstone_db *from, kstone_db *to, FILE *file) {
 *         kstone_status status = kstone_snapshot_save_to(from, append, file, NULL);
 *         rewind(file);
 *         return status == KSTONE_OK ? kstone_snapshot_load_from(to, take, file, NULL) : status;
 *     }
 */

/**
 * Takes the next len bytes, which are at data until the function returns; len is never 0. Returns KSTONE_OK, or
 * another status to end the call that it was given to.
 */
typedef kstone_status (*kstone_write_fn)(void *user_data, const void *data, size_t len);

/**
 * Puts the next bytes into buffer, which takes capacity of them, and says in *len how many those are: as few
 * as it likes, 0 only at the end of the input. *len is 0 when it is called. Returns KSTONE_OK, or another status to
 * end the call that it was given to.
 */
typedef kstone_status (*kstone_read_fn)(void *user_data, void *buffer, size_t capacity, size_t *len);

/**
 * Writes the database as it is now, as kstone_snapshot_save does, to a function instead of a file: the same bytes.
 *
 * Errors: what the function returns below 0, where it ends the save; KSTONE_ERR_IO where it does so with a status
 * above 0; KSTONE_ERR_MISUSE where the function is NULL. What was written until then is no snapshot: nothing loads
 * it.
 * Cost: as kstone_snapshot_save; some 64 KiB or more with each call of the function.
 * Threads: any. The function is called by this thread, before this function returns, and with no lock held: it may do
 * anything with this database but free it. See "Callbacks".
 */
kstone_status kstone_snapshot_save_to(const kstone_db *db, kstone_write_fn write, void *user_data, kstone_error **err);

/**
 * Fills an empty database with a snapshot, as kstone_snapshot_load does, from a function instead of a file. The
 * function is called until it says that the input ends.
 *
 * Errors: as kstone_snapshot_load; what the function returns below 0, where it ends the load, KSTONE_ERR_IO where it
 * does so with a status above 0; KSTONE_ERR_MISUSE where the function is NULL or says that it has put more bytes into
 * the buffer than it takes; KSTONE_ERR_INVALID in the child where the function calls fork and returns in both. Nothing
 * is loaded then.
 * Cost: as kstone_snapshot_load.
 * Threads: any. The function is called by this thread, before this function returns. It may use this database, but
 * neither free it nor change it as a whole: kstone_snapshot_load, kstone_snapshot_load_from, kstone_configure and
 * kstone_fork of this database would wait for the load, and are KSTONE_ERR_INVALID inside of it. See "Callbacks".
 */
kstone_status kstone_snapshot_load_from(kstone_db *db, kstone_read_fn read, void *user_data, kstone_error **err);

/**
 * Writes every item as a line of JSON, as kstone_export_json does, to a function instead of a file.
 *
 * Errors, threads: as kstone_snapshot_save_to.
 * Cost: as kstone_export_json; some 8 KiB or more with each call of the function.
 */
kstone_status kstone_export_json_to(const kstone_db *db, kstone_write_fn write, void *user_data, kstone_error **err);

/**
 * Puts an item for each line, as kstone_import_json does, from a function instead of a file. Since that can be read
 * only once, spec must have KSTONE_IMPORT_SKIP.
 *
 * Ownership: as kstone_import_json.
 * Errors: as kstone_import_json, where a file fails, and as kstone_snapshot_load_from about the function;
 * KSTONE_ERR_INVALID without KSTONE_IMPORT_SKIP. What came before stays.
 * Cost: as kstone_import_json.
 * Threads: any. The function is called by this thread, before this function returns, and with no lock held: it may do
 * anything with this database but free it. See "Callbacks".
 */
kstone_status kstone_import_json_from(kstone_db *db,
                                      kstone_read_fn read,
                                      void *user_data,
                                      const kstone_import_spec *spec,
                                      size_t *loaded,
                                      size_t *skipped,
                                      char **reasons,
                                      kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * ACCOUNTS
 *
 * DynamoDB's operations in process: the JSON that an SDK would send goes in, the JSON that AWS would answer comes out,
 * without a socket, a server or a region. An account has any number of tables, which CreateTable makes and DeleteTable
 * drops; transactions and batches span them.
 *
 * A request that AWS would refuse is no error of the call: the status is KSTONE_OK, and the response has the status 400
 * of HTTP and the body that AWS would send. Statuses below 0 are for mistakes of the program.
 *
 *     static kstone_status ask(kstone_account *account, const char *target, const char *json,
 *                              kstone_response **answer) {
 *         kstone_error *err = NULL;
 *         kstone_status status =
 *             kstone_account_call(account, target, KSTONE_STRLEN, json, strlen(json), answer, &err);
 *         if (status == KSTONE_OK) {
 *             kstone_bytes body = kstone_response_body(*answer);
 *             printf("%d %.*s\n", (int)kstone_response_http_status(*answer), (int)body.len, (const char *)body.data);
 *         } else {
 *             fprintf(stderr, "%s\n", kstone_error_message(err));
 *             kstone_free(err);
 *         }
 *         return status;
 *     }
 *
 *     static int first_account(void) {
 *         static const char create[] =
 *             "{\"TableName\":\"Music\",\"BillingMode\":\"PAY_PER_REQUEST\","
 *             "\"AttributeDefinitions\":[{\"AttributeName\":\"Artist\",\"AttributeType\":\"S\"},"
 *             "{\"AttributeName\":\"SongTitle\",\"AttributeType\":\"S\"}],"
 *             "\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"},"
 *             "{\"AttributeName\":\"SongTitle\",\"KeyType\":\"RANGE\"}]}";
 *         static const char put[] =
 *             "{\"TableName\":\"Music\",\"Item\":{\"Artist\":{\"S\":\"No One You Know\"},"
 *             "\"SongTitle\":{\"S\":\"Call Me Today\"},\"Awards\":{\"N\":\"1\"}}}";
 *         static const char get[] =
 *             "{\"TableName\":\"Music\",\"Key\":{\"Artist\":{\"S\":\"No One You Know\"},"
 *             "\"SongTitle\":{\"S\":\"Call Me Today\"}}}";
 *         kstone_account *account = NULL;
 *         kstone_response *answer = NULL;
 *         int is_found = 0;
 *         if (kstone_account_open(NULL, &account, NULL) == KSTONE_OK &&
 *             ask(account, "DynamoDB_20120810.CreateTable", create, &answer) == KSTONE_OK &&
 *             ask(account, "DynamoDB_20120810.PutItem", put, &answer) == KSTONE_OK &&
 *             ask(account, "DynamoDB_20120810.GetItem", get, &answer) == KSTONE_OK) {
 *             is_found = kstone_response_http_status(answer) == 200;
 *         }
 *         kstone_free(answer);
 *         kstone_free(account);
 *         return is_found;
 *     }
 *
 * kstone_account_table gives one of the tables as a kstone_db, for what is quicker or handier without JSON: items by
 * their keys, iterators, prepared requests, imports.
 *
 *     static int64_t awards_of(kstone_account *account, const char *artist, const char *song) {
 *         kstone_db *music = NULL;
 *         kstone_item *item = NULL;
 *         int64_t awards = 0;
 *         if (kstone_account_table(account, "Music", KSTONE_STRLEN, &music, NULL) == KSTONE_OK &&
 *             kstone_get(music, artist, strlen(artist), song, strlen(song), &item, NULL) == KSTONE_OK) {
 *             kstone_item_get_i64(item, "Awards", KSTONE_STRLEN, &awards);
 *         }
 *         kstone_free(item);
 *         kstone_free(music);
 *         return awards;
 *     }
 */

/**
 * DynamoDB's rule: an item whose time has passed is shown and can be written until it is removed, which happens with
 * writes near it and with kstone_purge_expired.
 */
#define KSTONE_TTL_VISIBLE 0

/** kstone's rule: an item whose time has passed is gone at once. */
#define KSTONE_TTL_HIDDEN 1

/** The texts of the regions that AWS moved to its new validation in 2026, such as us-east-1. */
#define KSTONE_TEXTS_CURRENT 0

/** The texts of all other regions. */
#define KSTONE_TEXTS_CLASSIC 1

/**
 * How an account is to be. Set struct_size to sizeof(kstone_account_options) and everything else to 0, then what you
 * want: 0 always means the default.
 */
typedef struct kstone_account_options {
    /** sizeof(kstone_account_options), in bytes. */
    size_t struct_size;
    /** The region that ARNs name: up to 32 lower-case letters, digits and hyphens. NULL: us-east-1. */
    const char *region;
    /** How many bytes region has, or KSTONE_STRLEN. */
    size_t region_len;
    /** The account's number that ARNs name: twelve digits. NULL: 000000000000. */
    const char *account_id;
    /** How many bytes account_id has, or KSTONE_STRLEN. */
    size_t account_id_len;
    /**
     * The folder whose folders are the buckets of ExportTableToPointInTime and ImportTable: a path as in SNAPSHOTS.
     * NULL: there is none, and these are refused.
     */
    const char *files_root;
    /** How many bytes files_root has, or KSTONE_STRLEN. */
    size_t files_root_len;
    /**
     * The most bytes that all tables together may take: as kstone_options.memory_max_bytes. What does not fit is a
     * response with status 400.
     */
    uint64_t memory_max_bytes;
    /**
     * The time that the account shows until kstone_account_set_time says another one, in seconds since 1970; 0: that of
     * the system's clock.
     */
    int64_t epoch_seconds;
    /**
     * For how many seconds a new table is CREATING and a changed one UPDATING, by the account's time. 0: a table is
     * ACTIVE at once, so that programs which wait for it need not.
     */
    uint32_t transition_seconds;
    /** What is evicted at memory_max_bytes, of whichever table: KSTONE_EVICT_NONE or KSTONE_EVICT_LRU. */
    uint32_t eviction;
    /** What an item is whose time to live has passed: KSTONE_TTL_VISIBLE or KSTONE_TTL_HIDDEN. */
    uint32_t ttl;
    /** Which texts refusals have: KSTONE_TEXTS_CURRENT or KSTONE_TEXTS_CLASSIC. */
    uint32_t texts;
    /** KSTONE_OPEN_BACKGROUND_COMPACTION or 0. */
    uint32_t flags;
    /** Leave it 0. */
    uint32_t reserved;
} kstone_account_options;

/** Initialises a kstone_account_options: all defaults. */
#define KSTONE_ACCOUNT_OPTIONS_INIT {sizeof(kstone_account_options), NULL, 0, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/**
 * Opens an account without tables. options may be NULL: all defaults.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: KSTONE_ERR_INVALID where an option is out of range, not known or not served yet.
 * Cost: microseconds, and a few KiB.
 */
KSTONE_MUST_USE
kstone_status kstone_account_open(const kstone_account_options *options,
                                  kstone_account **out,
                                  kstone_error **err);

/**
 * Carries out one request of DynamoDB's. target is what SDKs send as X-Amz-Target, such as
 * "DynamoDB_20120810.PutItem" or "DynamoDBStreams_20120810.GetRecords"; body is the JSON of the request. *response is
 * NULL or a response of an earlier call: then that is used again with the memory it has, so that a caller who keeps
 * one allocates nothing for an answer that is no longer than those before it.
 *
 * KSTONE_OK says that there is an answer. Whether AWS would refuse the request is in the response: status 400 and the
 * body that AWS would send. That holds for whatever target and body are: an unknown operation, a body that is no JSON,
 * a table that is not there, a condition that does not hold.
 *
 * Ownership: *response is yours, release it with kstone_free. What was borrowed from a response that is used again is
 * gone; target and body may be borrowed from it.
 * Errors: KSTONE_ERR_MISUSE where account is none, response is NULL or *response something else, or a length is
 * impossible; *response is as it was then. KSTONE_ERR_PANIC; a response that was used again says nothing then.
 * Cost: that of the operation.
 * Threads: any number on one account; a response is used by one at a time.
 */
kstone_status kstone_account_call(kstone_account *account,
                                  const char *target,
                                  size_t target_len,
                                  const void *body,
                                  size_t body_len,
                                  kstone_response **response,
                                  kstone_error **err);

/**
 * The table of this name as a database: items as they are stored, by their keys, next to the requests that name the
 * table. Writes on either side show on the other. Once the table is deleted, every call is KSTONE_ERR_INVALID.
 *
 * What belongs to the account, and not to one of its tables, is KSTONE_ERR_INVALID there: kstone_configure (UpdateTable
 * and UpdateTimeToLive do it), kstone_set_time, kstone_snapshot_load and kstone_snapshot_load_from. A kstone_fork of
 * it is a database of its own, which belongs to no account.
 *
 * Ownership: *out is yours, release it with kstone_free, before the account or after it.
 * Errors: KSTONE_ERR_INVALID, named ResourceNotFoundException, where there is no such table.
 * Cost: tens of nanoseconds.
 * Threads: any.
 */
KSTONE_MUST_USE
kstone_status kstone_account_table(const kstone_account *account,
                                   const char *name,
                                   size_t name_len,
                                   kstone_db **out,
                                   kstone_error **err);

/**
 * Fixes the time of the account, in seconds since 1970: what has expired, when tables become ACTIVE, the dates in
 * answers; 0 goes back to the system's clock. For tests.
 *
 * Errors: none of its own.
 * Cost: none; a look at each table where the time goes back.
 * Threads: any.
 */
kstone_status kstone_account_set_time(kstone_account *account, int64_t epoch_seconds, kstone_error **err);

/**
 * Makes an account of its own that holds what this one holds now, all tables at one moment, and shares its memory:
 * writes on either side never show on the other. The fixture for tests: fill one account, give each test a fork. The
 * fork has the options and the time of this one, which may be freed before it.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: none of its own (KSTONE_ERR_PANIC where an earlier write failed inside).
 * Cost: some tens of microseconds for each table that has items, whatever their number; memory grows by what is written
 * from then on.
 * Threads: any; waits for requests that make, change or delete tables.
 */
KSTONE_MUST_USE
kstone_status kstone_account_fork(const kstone_account *account,
                                  kstone_account **out,
                                  kstone_error **err);

/**
 * Writes all tables as they are now to a file, as kstone_snapshot_save does: items, indexes, and what DynamoDB says of
 * tables. What streams recorded, backups and tokens of requests are not in it: loaded, a table with a stream has a new
 * one, without records.
 *
 * Errors, cost, threads: as kstone_snapshot_save.
 */
KSTONE_MUST_USE
kstone_status kstone_account_snapshot_save(const kstone_account *account,
                                           const char *path,
                                           size_t path_len,
                                           kstone_error **err);

/**
 * Adds the tables of a file to the account: all of them appear at once, after all of the file was read and checked. A
 * file of kstone_snapshot_save is one table, called items; where its schema names no key attributes, DynamoDB's
 * operations call them pk and sk, both of type S, and show items without them.
 *
 * Errors: as kstone_snapshot_load; KSTONE_ERR_INVALID where the account has a table of one of these names. Nothing is
 * loaded then.
 * Cost: as kstone_snapshot_load.
 * Threads: any; requests to the tables that are there go on meanwhile, those that make, change or delete tables wait.
 */
KSTONE_MUST_USE
kstone_status kstone_account_snapshot_load(kstone_account *account,
                                           const char *path,
                                           size_t path_len,
                                           kstone_error **err);

/**
 * Numbers about the tables as a JSON object, for people and dashboards: {"tables":{"Music":{"items":1,...}}}, of each
 * table what kstone_stats_json says. Later versions may add members.
 *
 * Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
 * Errors: as kstone_account_fork.
 * Cost: that of kstone_stats_json for each table.
 * Threads: any.
 */
kstone_status kstone_account_stats_json(const kstone_account *account, char **out, size_t *out_len, kstone_error **err);

/**
 * The status of the HTTP answer that AWS would give: 200; 400 for what AWS refuses, 413 for a body of over 16 MiB, 500
 * where the account failed inside. 0 for NULL.
 */
int32_t kstone_response_http_status(const kstone_response *r);

/**
 * The body of the answer: JSON, as AWS would send it. Of a refusal {"__type":"...","message":"..."}; empty where the
 * status is 413, and for NULL. No NUL follows it.
 *
 * Ownership: borrowed from the response: it is gone when that is used for another call, or freed.
 */
kstone_bytes kstone_response_body(const kstone_response *r);

/**
 * The CRC-32 of the body, which AWS sends as x-amz-crc32 and clients check. 0 for NULL.
 *
 * Cost: a pass over the body.
 */
uint32_t kstone_response_crc32(const kstone_response *r);

/**
 * The number of the request, which AWS sends as x-amzn-RequestId: 52 capital letters and digits, made at random when
 * it is first asked for. Empty for NULL, never NULL. Borrowed from the response, as its body is.
 */
const char *kstone_response_request_id(const kstone_response *r);


/* ---------------------------------------------------------------------------------------------------------------------
 * STATISTICS
 *
 * kstone_count and kstone_stat give one number, kstone_stats_json all of them as text.
 */

/** Items, expired ones that were not removed yet included. */
#define KSTONE_STAT_ITEMS 1

/** Bytes of the items' records: keys, stored form and header. */
#define KSTONE_STAT_LIVE_BYTES 2

/** Bytes of everything that the database holds. */
#define KSTONE_STAT_TOTAL_BYTES 3

/** The most that KSTONE_STAT_TOTAL_BYTES may come to; 0: no limit. */
#define KSTONE_STAT_MEMORY_MAX_BYTES 4

/** Entries of secondary indexes, those of dropped ones included until their memory is given back. */
#define KSTONE_STAT_INDEX_ENTRIES 5

/** Bytes of those entries' records. */
#define KSTONE_STAT_INDEX_ENTRY_BYTES 6

/** Bytes of the records in memtables, and of their handles. */
#define KSTONE_STAT_MEMTABLE_BYTES 7

/** Bytes of the records in sorted runs (SSTs), garbage included, and of their handles. */
#define KSTONE_STAT_SST_BYTES 8

/** Bytes of what finds records. */
#define KSTONE_STAT_FILTER_BYTES 9

/** Bytes that write-ahead logs hold in addition to memtables: always 0, since a memtable is its log. */
#define KSTONE_STAT_WAL_BYTES 10

/** Bytes of the queues of what to evict next. */
#define KSTONE_STAT_EVICTION_BYTES 11

/** Bytes of the database without any record. */
#define KSTONE_STAT_BASE_BYTES 12

/** Bytes of the change stream. */
#define KSTONE_STAT_STREAM_BYTES 13

/** Records in memtables. */
#define KSTONE_STAT_MEMTABLE_RECORDS 14

/** Records in write-ahead logs: those of the memtables. */
#define KSTONE_STAT_WAL_RECORDS 15

/** Records in sorted runs, garbage included. */
#define KSTONE_STAT_SST_RECORDS 16

/** Records of the change stream. */
#define KSTONE_STAT_STREAM_RECORDS 17

/** Marks of deletions that still hide something. */
#define KSTONE_STAT_TOMBSTONES 18

/** Sorted runs. */
#define KSTONE_STAT_SSTS 19

/** Stripes, of 256, that hold anything. */
#define KSTONE_STAT_STRIPES 20

/** Sorted runs of the stripe that has most. */
#define KSTONE_STAT_SSTS_PER_STRIPE_MAX 21

/** Memtables that became a sorted run since the database was opened. */
#define KSTONE_STAT_FLUSHES 22

/** Merges of sorted runs since the database was opened. */
#define KSTONE_STAT_COMPACTIONS 23

/** Items evicted since the database was opened. */
#define KSTONE_STAT_EVICTIONS 24

/** Look-ups by key that found an item since the database was opened. */
#define KSTONE_STAT_HITS 25

/** Look-ups by key that found none since the database was opened. */
#define KSTONE_STAT_MISSES 26

/**
 * How many items the database has, expired ones that were not removed yet included: KSTONE_STAT_ITEMS.
 *
 * Errors, cost, threads: as kstone_stat.
 */
kstone_status kstone_count(const kstone_db *db, uint64_t *count, kstone_error **err);

/**
 * One number about the database: statistic is KSTONE_STAT_ITEMS or another of those above.
 *
 * Errors: KSTONE_ERR_INVALID for a statistic that this version does not know; KSTONE_ERR_PANIC as for kstone_clear.
 * Cost: as kstone_stats_json, without its text.
 * Threads: any.
 */
kstone_status kstone_stat(const kstone_db *db, uint32_t statistic, uint64_t *value, kstone_error **err);

/**
 * Numbers about the database as a JSON object, for people and dashboards; later versions may add members. Items, and
 * live_bytes of their records; total_bytes and its parts memtable_bytes, sst_bytes, filter_bytes (what finds
 * records), wal_bytes (always 0: a memtable is its own log), eviction_bytes, base_bytes, stream_bytes;
 * memory_max_bytes; index_entries and index_entry_bytes of secondary indexes; memtable_records, wal_records (the
 * same number), sst_records, stream_records; ssts, stripes (that hold anything), ssts_per_stripe_max and
 * ssts_per_stripe_mean; tombstones; and, since the database was opened, flushes, compactions, evictions, and hits and
 * misses of look-ups by key.
 *
 * Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
 * Errors: as kstone_clear.
 * Cost: a look at the numbers of each of 256 stripes, however many items there are; writers wait meanwhile.
 */
kstone_status kstone_stats_json(const kstone_db *db, char **out, size_t *out_len, kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * MAINTENANCE
 *
 * The library maintains itself: none of these functions is needed, and none changes an answer.
 */

/**
 * Turns what each stripe has collected into sorted runs now. This happens by itself (see
 * kstone_options.memtable_max_records) and changes no answer; it is here for tests and measurements.
 *
 * Errors: as kstone_clear.
 * Cost: tens of microseconds for 1000 collected records; stripes are done one after another.
 */
kstone_status kstone_flush(kstone_db *db, kstone_error **err);

/**
 * Merges the sorted runs of each stripe into one, drops what deletes have left behind, and gives the memory that is
 * free back to the system, as kstone_clear does too. Merging and dropping happen by themselves and change no answer;
 * memory that is free is used again, but much of it stays with the process until this is called.
 *
 * Errors: as kstone_clear.
 * Cost: the number of records; stripes are done one after another.
 */
kstone_status kstone_compact(kstone_db *db, kstone_error **err);


/* ---------------------------------------------------------------------------------------------------------------------
 * STORED FORM
 *
 * Advanced: items as the bytes in which they are kept, version 1, which docs/stored-form.md describes: one buffer with
 * all attributes, read and written without a call for each. Language bindings use it, where a call costs more than the
 * work it does; in C and C++ items are handier. Version 1 never changes: equal items have equal bytes.
 *
 *     static kstone_status copy_first_page(const kstone_db *from, kstone_db *to, const void *pk, size_t pk_len) {
 *         kstone_query_spec spec = KSTONE_QUERY_SPEC_INIT;
 *         kstone_page *page = NULL;
 *         kstone_bytes rest;
 *         kstone_status status;
 *         spec.pk = pk;
 *         spec.pk_len = pk_len;
 *         status = kstone_query(from, &spec, &page, NULL);
 *         rest = kstone_page_bytes(page);
 *         while (status == KSTONE_OK && rest.len > 0) {
 *             const unsigned char *head = rest.data;
 *             size_t p = head[0] | (size_t)head[1] << 8;
 *             size_t s = head[2] | (size_t)head[3] << 8;
 *             size_t n = head[4] | (size_t)head[5] << 8 | (size_t)head[6] << 16 | (size_t)head[7] << 24;
 *             status = kstone_put_bytes(to, head + 8, p, head + 8 + p, s, head + 8 + p + s, n, NULL);
 *             rest.data += 8 + p + s + n;
 *             rest.len -= 8 + p + s + n;
 *         }
 *         kstone_free(page);
 *         return status;
 *     }
 */

/**
 * The stored form of an item, built or read. Empty for an item without attributes, for NULL, and for what is no item.
 * Of an item that was read from a typed table the key attributes are not in it, since they are stored in the key:
 * kstone_item_key_at says them, and a kstone_item_clone has all of them in its stored form.
 *
 * Ownership: borrowed. The bytes stay valid until the item is changed or freed, or what it was borrowed from is.
 * Cost: none for an item that was read; a built one whose attributes were not set in order is put in order first.
 */
kstone_bytes kstone_item_bytes(const kstone_item *it);

/**
 * A built item from a stored form, wherever that comes from: every byte is checked.
 *
 * Ownership: *out is yours, release it with kstone_free.
 * Errors: KSTONE_ERR_INVALID where the bytes are no stored form, the message says why and at which byte;
 * KSTONE_ERR_LIMIT where they are more than 1 MiB.
 * Cost: one pass over the bytes, and a copy.
 */
KSTONE_MUST_USE
kstone_status kstone_item_from_bytes(const void *body,
                                     size_t body_len,
                                     kstone_item **out,
                                     kstone_error **err);

/**
 * kstone_item_from_bytes and kstone_put in one, without the item between them.
 *
 * Errors: those of both.
 * Cost: that of kstone_put, and one pass over the bytes.
 * Threads: any.
 */
kstone_status kstone_put_bytes(kstone_db *db,
                               const void *pk,
                               size_t pk_len,
                               const void *sk,
                               size_t sk_len,
                               const void *body,
                               size_t body_len,
                               kstone_error **err);

/**
 * The item under a key, copied into your buffer in its stored form, key attributes of a typed table included. *len
 * becomes the length of the item, whatever the capacity of the buffer: where it is more than capacity, nothing was
 * copied. Call again with a buffer of *len bytes then, and look at *len again, since others may have put a longer
 * item meanwhile. A buffer of capacity 0 may be NULL, and asks for the length alone.
 *
 * Returns KSTONE_NOT_FOUND where there is no item; buffer and *len are then left alone.
 * Errors: as kstone_get, and KSTONE_ERR_MISUSE where buffer is NULL and capacity is not 0.
 * Cost: one look-up and the copy; nothing is allocated, unless the table is typed. Writers of items near this one
 * wait for the copy.
 * Threads: any.
 */
KSTONE_MUST_USE
kstone_status kstone_get_bytes(const kstone_db *db,
                               const void *pk,
                               size_t pk_len,
                               const void *sk,
                               size_t sk_len,
                               void *buffer,
                               size_t capacity,
                               size_t *len,
                               kstone_error **err);

/**
 * All items of a page in one buffer, one after the other, in the page's order. Empty where the page has no items, for
 * NULL, and for what is no page. Each item is
 *
 * - a head of 8 bytes: the length of the partition key in 2 bytes, that of the sort key in 2, that of the stored form
 *   in 4, all unsigned, the least significant byte first;
 * - the partition key and the sort key as kstone_item_pk and kstone_item_sk give them, and the stored form, key
 *   attributes of a typed table included.
 *
 * The key is the table's, also where the page came through an index. What a get of a batch did not find has a head
 * too, so that the i-th head belongs to the i-th get: its lengths are 0, 0 and 0xFFFFFFFF, and nothing follows it.
 *
 * Ownership: borrowed from the page: it is gone when the page is freed.
 * Cost: a copy of the items, made by the first call and kept.
 */
kstone_bytes kstone_page_bytes(const kstone_page *p);

#ifdef __cplusplus
}
#endif
#endif /* KSTONE_H */
