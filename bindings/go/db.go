//go:build cgo

package kstone

import (
	"encoding/json"
	"hash/maphash"
	"runtime"
	"sync"
	"time"
)

// DB is a database in memory. Any number of goroutines may use one at once; each call sees the effect of every call
// that returned before it began.
//
// [DB.Close] releases its memory at once. A database that is dropped without Close is released some time after the
// garbage collector has found that out; Go's collector does not see how large it is, so do not rely on that. A DB that
// is copied is the same database; the zero DB is a closed one.
type DB struct{ core *core }

// core is what a DB and its copies share. A call holds one of the gates while it is inside the library, and Close takes
// them all: nobody is inside when the database is freed. A gate that is held keeps the core, too. The gates are many so
// that calls on different keys do not write to the same cache line.
type core struct {
	gates   [gateCount]gate
	db      cDB // nil once closed; guarded by the gates
	cleanup runtime.Cleanup
}

const gateCount = 16

type gate struct {
	sync.RWMutex
	_ [128 - 24]byte // a pair of cache lines
}

var gateSeed = maphash.MakeSeed()

// close frees the database, once nobody is inside. A second call does nothing.
func (c *core) close() {
	for i := range c.gates {
		c.gates[i].Lock()
		defer c.gates[i].Unlock()
	}
	if c.db != nil {
		c.cleanup.Stop()
		cFree(c.db)
		c.db = nil
	}
}

// enter holds the database open until the gate's RUnlock. The key spreads calls over the gates.
func (db *DB) enter(key string) (cDB, *gate, error) {
	if db == nil || db.core == nil {
		return nil, nil, ErrClosed
	}
	gate := &db.core.gates[maphash.String(gateSeed, key)%gateCount]
	gate.RLock()
	open := db.core.db
	if open == nil {
		gate.RUnlock()
		return nil, nil, ErrClosed
	}
	return open, gate, nil
}

func adopt(open cDB) *DB {
	db := &DB{core: &core{db: open}}
	db.core.cleanup = runtime.AddCleanup(db.core, cFree, open)
	return db
}

// An Option says how a database is to be.
type Option func(*options) error

type options struct {
	schema               string
	memtableMaxRecords   uint64
	memoryMaxBytes       uint64
	evictLRU             bool
	backgroundCompaction bool
}

// WithSchema opens a database with indexes, expiry or a change stream.
func WithSchema(schema Schema) Option {
	return func(o *options) error {
		text, err := json.Marshal(schema)
		o.schema = string(text)
		return err
	}
}

// WithSchemaJSON is [WithSchema] for a schema in JSON, in the form that kstone.h describes at
// kstone_options.schema_json.
func WithSchemaJSON(schema string) Option {
	return func(o *options) error {
		o.schema = schema
		return nil
	}
}

// WithMemtableRecords says after how many writes each of the 256 stripes turns what it has collected into a sorted run:
// 1 to 65,536; the default is 1000.
func WithMemtableRecords(n uint64) Option {
	return func(o *options) error {
		o.memtableMaxRecords = n
		return nil
	}
}

// WithMemoryLimit says how many bytes the database may take, as [Stats.TotalBytes] counts: at least 1 MiB. A write that
// might pass it removes expired items first; where that does not suffice it is [ErrLimit].
func WithMemoryLimit(bytes uint64) Option {
	return func(o *options) error {
		o.memoryMaxBytes = bytes
		return nil
	}
}

// WithLRUEviction drops the items not used for the longest time where a write reaches the limit of [WithMemoryLimit].
func WithLRUEviction() Option {
	return func(o *options) error {
		o.evictLRU = true
		return nil
	}
}

// WithBackgroundCompaction has a thread of the library's merge what has gathered, so that writers need not.
func WithBackgroundCompaction() Option {
	return func(o *options) error {
		o.backgroundCompaction = true
		return nil
	}
}

// OpenMemory opens an empty database. It costs microseconds and a few KiB. All is gone when it is closed.
//
// Errors: [ErrInvalid] where an option is out of range or the schema is none.
func OpenMemory(opts ...Option) (*DB, error) {
	var o options
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	open, err := cOpen(&o)
	if err != nil {
		return nil, err
	}
	return adopt(open), nil
}

// Close frees the database and all that it holds, once the calls that are under way have returned. Every later call
// is [ErrClosed]. Items, pages and iterators that were handed out stay good. Closing again does nothing. The error is
// always nil; it is there for [io.Closer].
func (db *DB) Close() error {
	if db != nil && db.core != nil {
		db.core.close()
	}
	return nil
}

// Fork makes a database of its own that holds what this one holds now and shares its memory: writes on either side
// never show on the other. The fixture for tests: fill one database, give each test a fork. It has the options,
// schema and time of this one, and is closed for itself; this one may be closed before it. It costs some tens of
// microseconds, however many items there are.
//
// Errors: [ErrClosed].
func (db *DB) Fork() (*DB, error) {
	var fork *DB
	err := db.do(func(open cDB) error {
		made, err := cFork(open)
		if err == nil {
			fork = adopt(made)
		}
		return err
	})
	return fork, err
}

// Version is the version of the library, as "MAJOR.MINOR.PATCH".
func Version() string { return cVersion() }

// do runs a call on the database as a whole.
func (db *DB) do(call func(cDB) error) error {
	open, gate, err := db.enter("")
	if err != nil {
		return err
	}
	defer gate.RUnlock()
	return call(open)
}

// Clear deletes all items. Readers at work see all of them, or go on with what they hold. It costs what freeing them
// costs.
//
// Errors: [ErrClosed].
func (db *DB) Clear() error { return db.do(cClear) }

// Flush turns what each stripe has collected into sorted runs now. That happens by itself and changes no answer; it is
// here for tests and measurements.
//
// Errors: [ErrClosed].
func (db *DB) Flush() error { return db.do(cFlush) }

// Compact merges the sorted runs of each stripe into one and drops what deletes have left behind. That happens by
// itself and changes no answer; after many deletes it gives memory back sooner. It costs the number of records.
//
// Errors: [ErrClosed].
func (db *DB) Compact() error { return db.do(cCompact) }

// Configure puts a schema in the place of the one that the database has. New indexes are filled before it returns;
// reads and writes go on meanwhile. It costs a pass over all items where an index is new.
//
// Errors: [ErrInvalid] for a schema that is none; nothing is changed then. [ErrClosed].
func (db *DB) Configure(schema Schema) error {
	text, err := json.Marshal(schema)
	if err != nil {
		return err
	}
	return db.ConfigureJSON(string(text))
}

// ConfigureJSON is [DB.Configure] for a schema in JSON; empty: none.
func (db *DB) ConfigureJSON(schema string) error {
	return db.do(func(open cDB) error { return cConfigure(open, schema) })
}

// SetTime fixes the time that decides what has expired; the zero time goes back to the system's clock. For tests.
//
// Errors: [ErrClosed].
func (db *DB) SetTime(t time.Time) error {
	return db.do(func(open cDB) error { return cSetTime(open, epochSeconds(t)) })
}

// PurgeExpired removes the items whose time has passed, which no read shows any more, and says how many there were. It
// costs a pass over all items.
//
// Errors: [ErrClosed].
func (db *DB) PurgeExpired() (int, error) {
	purged := 0
	err := db.do(func(open cDB) (err error) {
		purged, err = cPurgeExpired(open)
		return err
	})
	return purged, err
}

// Stats is what a database says about itself; kstone.h, at kstone_stats_json, says what is counted.
type Stats struct {
	Items             uint64  `json:"items"`
	LiveBytes         uint64  `json:"live_bytes"`  // of items and their keys
	TotalBytes        uint64  `json:"total_bytes"` // all that the database takes
	MemtableBytes     uint64  `json:"memtable_bytes"`
	SSTBytes          uint64  `json:"sst_bytes"`
	FilterBytes       uint64  `json:"filter_bytes"`
	WALBytes          uint64  `json:"wal_bytes"` // always 0: a memtable is its own log
	EvictionBytes     uint64  `json:"eviction_bytes"`
	BaseBytes         uint64  `json:"base_bytes"`
	StreamBytes       uint64  `json:"stream_bytes"`
	MemoryMaxBytes    uint64  `json:"memory_max_bytes"`
	IndexEntries      uint64  `json:"index_entries"`
	IndexEntryBytes   uint64  `json:"index_entry_bytes"`
	MemtableRecords   uint64  `json:"memtable_records"`
	WALRecords        uint64  `json:"wal_records"`
	SSTRecords        uint64  `json:"sst_records"`
	StreamRecords     uint64  `json:"stream_records"`
	SSTs              uint64  `json:"ssts"`
	Stripes           uint64  `json:"stripes"`
	SSTsPerStripeMax  uint64  `json:"ssts_per_stripe_max"`
	SSTsPerStripeMean float64 `json:"ssts_per_stripe_mean"`
	Tombstones        uint64  `json:"tombstones"`
	Flushes           uint64  `json:"flushes"`
	Compactions       uint64  `json:"compactions"`
	Evictions         uint64  `json:"evictions"`
	Hits              uint64  `json:"hits"`
	Misses            uint64  `json:"misses"`
}

// Stats gives all numbers about the database. It costs a look at those of each of 256 stripes, however many items there
// are; writers wait meanwhile.
//
// Errors: [ErrClosed].
func (db *DB) Stats() (Stats, error) {
	var stats Stats
	err := db.do(func(open cDB) error {
		text, err := cStatsJSON(open)
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(text), &stats)
	})
	return stats, err
}
