//go:build cgo

package kstone

import (
	"runtime"
	"sync"
)

// A Cursor is a place among the items of a query or scan as they were when it was opened, which goes forward, back and
// to any key. It outlives the database, and keeps the items of its moment in memory until it is closed or collected.
//
//	for ok := cursor.Seek("CA", "SAC"); ok; ok = cursor.Next() {
//		fmt.Println(cursor.Entry().SK)
//	}
//	if err := cursor.Err(); err != nil {
//		return err
//	}
//
// Each move says whether it came to an item. Where it did not, the cursor is before the first item or behind the last
// one, from where [Cursor.Next] or [Cursor.Prev] goes back to it. Goroutines may share a cursor: one move is made after
// the other.
type Cursor struct {
	mutex   sync.Mutex
	handle  cCursor // nil once closed; guarded by the mutex, as what follows
	cleanup runtime.Cleanup
	entry   Entry
	err     error
}

// QueryCursor opens a cursor over the items of one partition, before the first of them. With Reverse, its order is from
// the greatest sort key down.
//
// Errors: [ErrInvalid] for a query that cannot be, and one with a limit or a token, which a cursor has no use for;
// [ErrClosed].
func (db *DB) QueryCursor(query Query) (*Cursor, error) { return db.cursor(query.spec()) }

// ScanCursor opens a cursor over all items, or a segment of them, in an order of the library's own.
//
// Errors: as [DB.QueryCursor].
func (db *DB) ScanCursor(scan Scan) (*Cursor, error) { return db.cursor(scan.spec()) }

func (db *DB) cursor(spec readSpec) (*Cursor, error) {
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
	handle, err := cCursorOpen(open, read)
	if err != nil {
		return nil, err
	}
	cursor := &Cursor{handle: handle}
	cursor.cleanup = runtime.AddCleanup(cursor, cCursorFree, handle)
	return cursor, nil
}

// First goes to the first item.
func (c *Cursor) First() bool { return c.move(moveFirst, "", "") }

// Last goes to the last item.
func (c *Cursor) Last() bool { return c.move(moveLast, "", "") }

// Next goes to the next item.
func (c *Cursor) Next() bool { return c.move(moveNext, "", "") }

// Prev goes to the item before.
func (c *Cursor) Prev() bool { return c.move(movePrev, "", "") }

// Seek goes to the first item at a key or behind it. In a partition pk may be empty. [Cursor.Err] is [ErrInvalid] for the
// key of another partition, for an empty pk where the cursor is over all items, and for a cursor over an index;
// [ErrLimit] for a key that is too long: the cursor stays where it was then.
func (c *Cursor) Seek(pk, sk string) bool { return c.move(moveSeek, pk, sk) }

// Entry is the item that the last move came to; empty where it came to none.
func (c *Cursor) Entry() Entry {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.entry
}

// Err is what made the last move fail; nil where it came to an item, or where there is none.
func (c *Cursor) Err() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.err
}

// Close frees what the cursor holds. Later moves fail with [ErrClosed]; a second call does nothing.
func (c *Cursor) Close() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.handle != nil {
		c.cleanup.Stop()
		cCursorFree(c.handle)
		c.handle = nil
	}
	return nil
}

func (c *Cursor) move(move uint32, pk, sk string) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.handle == nil {
		c.entry, c.err = Entry{}, ErrClosed
		return false
	}
	entry, found, err := cCursorGo(c.handle, move, pk, sk)
	c.entry, c.err = entry, err
	runtime.KeepAlive(c)
	return found
}
