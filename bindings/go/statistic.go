//go:build cgo

package kstone

// A Statistic is one number of [Stats].
type Statistic uint32

// The statistics, as the fields of [Stats] say them.
const (
	StatItems Statistic = iota + 1
	StatLiveBytes
	StatTotalBytes
	StatMemoryMaxBytes
	StatIndexEntries
	StatIndexEntryBytes
	StatMemtableBytes
	StatSSTBytes
	StatFilterBytes
	StatWALBytes
	StatEvictionBytes
	StatBaseBytes
	StatStreamBytes
	StatMemtableRecords
	StatWALRecords
	StatSSTRecords
	StatStreamRecords
	StatTombstones
	StatSSTs
	StatStripes
	StatSSTsPerStripeMax
	StatFlushes
	StatCompactions
	StatEvictions
	StatHits
	StatMisses
)

// Stat gives one number about the database.
//
// Errors: [ErrInvalid] for a statistic that is none; [ErrClosed].
func (db *DB) Stat(statistic Statistic) (uint64, error) {
	var value uint64
	err := db.do(func(open cDB) (err error) {
		value, err = cStat(open, statistic)
		return err
	})
	return value, err
}

// Count is how many items there are, expired ones that were not removed yet included.
//
// Errors: [ErrClosed].
func (db *DB) Count() (uint64, error) { return db.Stat(StatItems) }
