//go:build cgo

package kstone

import (
	"context"
	"iter"
)

// Entry is an item with its key: the table's key, also where it was read through an index. Of a batch's get that found
// nothing, Item is nil.
type Entry struct {
	PK, SK string
	Item   Item
}

// Page is what one request found.
type Page struct {
	// Entries are the items; none where the request counted.
	Entries []Entry
	// Count is how many items were found, after any filter.
	Count int
	// Scanned is how many were examined, before it.
	Scanned int
	// Token says where the next page begins, nil at the end. As in DynamoDB, a page that ends at its limit has one even
	// where nothing follows.
	Token []byte
}

// SortKey is a condition on sort keys, which are ordered by their bytes. The zero SortKey is all of them.
type SortKey struct {
	op        uint32
	low, high string
}

// The operators of kstone.h.
const (
	skAny = iota
	skEq
	skLt
	skLe
	skGt
	skGe
	skBetween
	skBeginsWith
)

// Equal is the one sort key.
func Equal(sk string) SortKey { return SortKey{op: skEq, low: sk} }

// Less is all sort keys before this one.
func Less(sk string) SortKey { return SortKey{op: skLt, low: sk} }

// AtMost is all sort keys up to this one.
func AtMost(sk string) SortKey { return SortKey{op: skLe, low: sk} }

// Greater is all sort keys behind this one.
func Greater(sk string) SortKey { return SortKey{op: skGt, low: sk} }

// AtLeast is all sort keys from this one on.
func AtLeast(sk string) SortKey { return SortKey{op: skGe, low: sk} }

// Between is all sort keys from low to high, both included.
func Between(low, high string) SortKey { return SortKey{op: skBetween, low: low, high: high} }

// BeginsWith is all sort keys that begin so.
func BeginsWith(prefix string) SortKey { return SortKey{op: skBeginsWith, low: prefix} }

// Query is a request for the items of one partition, in the order of their sort keys.
type Query struct {
	// PK is the partition key, and SK says which sort keys. Of an index, they are the bytes of its key attributes.
	PK string
	SK SortKey
	// KeyCondition says the same as text instead, and values of any type: "status = :s AND age > :a".
	KeyCondition string
	// Index is the index to read instead of the items themselves.
	Index string
	// Filter is which of the items to return. It saves the items, not the work.
	Filter string
	// Projection is which parts of the items to return: "title, address.city, tags[0]".
	Projection string
	// Params are what the names in the expressions stand for.
	Params Params
	// Limit is how many items to examine for a page; 0: up to 1 MiB of items.
	Limit uint32
	// Reverse is against the order of the sort keys.
	Reverse bool
	// KeysOnly returns the keys alone, as their attributes: pk and sk in an untyped table.
	KeysOnly bool
	// Token is where to go on: the Token of the page before.
	Token []byte
	// StartAfter is the key of the item behind which to begin, in the place of Token; the item need not exist. It has the
	// attributes of the table's key ("pk" and "sk" in an untyped table) and, with Index, those of the index's key.
	StartAfter Item
}

// Scan is a request for all items, in an order of the library's own that stays the same from page to page. Items of one
// partition lie together.
type Scan struct {
	// Index, Filter, Projection, Params, Limit, KeysOnly, Token and StartAfter are as in [Query].
	Index      string
	Filter     string
	Projection string
	Params     Params
	Limit      uint32
	KeysOnly   bool
	Token      []byte
	StartAfter Item
	// Segment of Segments is a part of a parallel scan: the parts together are all items, each once.
	Segment, Segments uint32
}

const (
	queryReverse = 1 << iota
	queryCount
	queryKeysOnly
)

// readSpec is what both requests come to. Expressions are nil where there is none: an empty one is refused.
type readSpec struct {
	scan                             bool
	pk                               string
	sortKey                          SortKey
	index                            string
	keyCondition, filter, projection *string
	params                           Params
	limit, flags                     uint32
	token                            []byte
	startAfter                       Item
	segment, segments                uint32
}

// expression is nil where the text is empty.
func expression(text *string) *string {
	if *text == "" {
		return nil
	}
	return text
}

func flag(on bool, bit uint32) uint32 {
	if on {
		return bit
	}
	return 0
}

func (q *Query) spec() readSpec {
	return readSpec{
		pk: q.PK, sortKey: q.SK, index: q.Index, params: q.Params, limit: q.Limit, token: q.Token,
		startAfter:   q.StartAfter,
		keyCondition: expression(&q.KeyCondition), filter: expression(&q.Filter), projection: expression(&q.Projection),
		flags: flag(q.Reverse, queryReverse) | flag(q.KeysOnly, queryKeysOnly),
	}
}

func (s *Scan) spec() readSpec {
	return readSpec{
		scan: true, segment: s.Segment, segments: s.Segments,
		index: s.Index, params: s.Params, limit: s.Limit, token: s.Token,
		startAfter: s.StartAfter,
		filter:     expression(&s.Filter), projection: expression(&s.Projection),
		flags: flag(s.KeysOnly, queryKeysOnly),
	}
}

// Query gives the items of one partition, one after the other, page by page. Each page is exact for the moment it was
// read; between two of them others may write. [DB.QuerySnapshot] gives all of them at one moment.
//
//	for entry, err := range db.Query(ctx, kstone.Query{PK: "CA", SK: kstone.Between("SAC", "SFO")}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(entry.SK, entry.Item["name"])
//	}
//
// An error comes with an empty Entry, and ends it. A context that is done is such an error, looked at before each page.
// The loop may use the database, and close it too.
//
// Errors: [ErrInvalid] for a request that is not acceptable, [ErrLimit] for a key that is too long, [ErrClosed], the
// context's.
func (db *DB) Query(ctx context.Context, query Query) iter.Seq2[Entry, error] {
	return db.entries(ctx, query.spec())
}

// Scan gives all items, page by page, as [DB.Query] does.
func (db *DB) Scan(ctx context.Context, scan Scan) iter.Seq2[Entry, error] {
	return db.entries(ctx, scan.spec())
}

// QueryPage gives one page, for those that pass its token on.
//
// Errors: as [DB.Query].
func (db *DB) QueryPage(query Query) (*Page, error) { return db.page(query.spec()) }

// ScanPage gives one page of all items.
//
// Errors: as [DB.Query].
func (db *DB) ScanPage(scan Scan) (*Page, error) { return db.page(scan.spec()) }

// QueryCount counts what [DB.Query] would give, without handing it out.
//
// Errors: as [DB.Query].
func (db *DB) QueryCount(ctx context.Context, query Query) (int, error) {
	return db.count(ctx, query.spec())
}

// ScanCount counts what [DB.Scan] would give, without handing it out.
//
// Errors: as [DB.Query].
func (db *DB) ScanCount(ctx context.Context, scan Scan) (int, error) {
	return db.count(ctx, scan.spec())
}

// QuerySnapshot gives what [DB.Query] gives, all of it as it was when the loop began, whatever is written meanwhile. As
// long as the loop runs it keeps the items of that moment in memory. Limit bounds the items examined in all.
//
// Errors: as [DB.Query].
func (db *DB) QuerySnapshot(ctx context.Context, query Query) iter.Seq2[Entry, error] {
	return db.snapshot(ctx, query.spec())
}

// ScanSnapshot gives what [DB.Scan] gives, as [DB.QuerySnapshot] does.
func (db *DB) ScanSnapshot(ctx context.Context, scan Scan) iter.Seq2[Entry, error] {
	return db.snapshot(ctx, scan.spec())
}

func (db *DB) page(spec readSpec) (*Page, error) {
	read, err := readOf(&spec)
	if err != nil {
		return nil, err
	}
	open, gate, err := db.enter(spec.pk)
	if err != nil {
		return nil, err
	}
	defer gate.RUnlock()
	return cPage(open, read)
}

// pages gives a request's pages until one has no token.
func (db *DB) pages(ctx context.Context, spec readSpec) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		for {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			page, err := db.page(spec)
			if !yield(page, err) || err != nil || page.Token == nil {
				return
			}
			spec.token, spec.startAfter = page.Token, nil
		}
	}
}

func (db *DB) entries(ctx context.Context, spec readSpec) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for page, err := range db.pages(ctx, spec) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, entry := range page.Entries {
				if !yield(entry, nil) {
					return
				}
			}
		}
	}
}

func (db *DB) count(ctx context.Context, spec readSpec) (int, error) {
	spec.flags |= queryCount
	count := 0
	for page, err := range db.pages(ctx, spec) {
		if err != nil {
			return 0, err
		}
		count += page.Count
	}
	return count, nil
}

// chunkBytes is how much an iterator fetches at once.
const chunkBytes = 64 << 10

func (db *DB) snapshot(ctx context.Context, spec readSpec) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		it, err := db.openIter(spec)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer cIterFree(it)
		for {
			err := ctx.Err()
			var chunk []Entry
			if err == nil {
				chunk, err = cIterNext(it, chunkBytes)
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, entry := range chunk {
				if !yield(entry, nil) {
					return
				}
			}
			if len(chunk) == 0 {
				return
			}
		}
	}
}

// checkPartition refuses a query without a partition, which C would take for a scan.
func (s *readSpec) checkPartition() error {
	if s.scan || s.pk != "" || s.keyCondition != nil {
		return nil
	}
	return newError(ErrInvalid, "a query needs a partition: PK or KeyCondition")
}

func (db *DB) openIter(spec readSpec) (cIter, error) {
	if err := spec.checkPartition(); err != nil {
		return nil, err
	}
	read, err := readOf(&spec)
	if err != nil {
		return nil, err
	}
	open, gate, err := db.enter(spec.pk)
	if err != nil {
		return nil, err
	}
	defer gate.RUnlock()
	return cIterOpen(open, read)
}
