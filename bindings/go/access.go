//go:build cgo

package kstone

import "sync"

// buffers keeps the memory in which items are written for the next call.
var buffers = sync.Pool{New: func() any { return &arena{bytes: make([]byte, 0, 1024)} }}

// keptMaxBytes is the largest buffer that is kept.
const keptMaxBytes = 64 << 10

func takeBuffer() *arena { return buffers.Get().(*arena) }

func (a *arena) keep() {
	if cap(a.bytes) <= keptMaxBytes {
		a.bytes = a.bytes[:0]
		buffers.Put(a)
	}
}

// Put stores an item under a partition key of 1 to 2048 bytes and a sort key of up to 1024, in place of what was there.
// An empty sort key is none. Keys are bytes: a Go string may hold any. In a typed table (see [Schema]) they are the text of
// S and N, and the bytes of B.
//
// The item is an [Item], or what [Marshal] makes one of: a struct, or a map with string keys. With its key it has up to
// 400 KB, as DynamoDB counts. Attributes of the key's names, pk and sk in an untyped table, must say the same as the key.
// It is copied.
//
// With [If] the write depends on what is there, with [ReturnOld] it says what was there.
//
// Errors: [ErrInvalid] and [ErrLimit] for a key or an item that is not acceptable, [ErrConditionFailed], [ErrClosed].
// A put that fails changes nothing.
func (db *DB) Put(pk, sk string, item any, opts ...WriteOption) error {
	if len(opts) > 0 {
		op := PutOp(pk, sk, item, opts...)
		_, err := db.write(&op)
		return err
	}
	buffer := takeBuffer()
	defer buffer.keep()
	var err error
	if buffer.bytes, err = appendBody(buffer.bytes, item); err != nil {
		return err
	}
	open, gate, err := db.enter(pk)
	if err != nil {
		return err
	}
	defer gate.RUnlock()
	return cPut(open, pk, sk, buffer.bytes)
}

// PutItem stores an item under the key that its own attributes are: those that the schema names as the table's key, pk and
// sk in an untyped table. [PutItemOp] does it on a condition.
//
// Errors: as [DB.Put], and [ErrInvalid] naming the key attribute that is missing, empty or of another type.
func (db *DB) PutItem(item any) error {
	op := PutItemOp(item)
	_, err := db.write(&op)
	return err
}

// Get gives the item under a key. It is yours, and stays as it is when the key is written again.
//
// Errors: [ErrNotFound] where there is none; [ErrInvalid] and [ErrLimit] for a key that cannot be, [ErrClosed].
func (db *DB) Get(pk, sk string) (Item, error) {
	body, err := db.get(pk, sk)
	if err != nil {
		return nil, err
	}
	return decodeItem(body)
}

// GetInto is [DB.Get] and [Unmarshal] in one, without the [Item] between them.
//
// Errors: those of both.
func (db *DB) GetInto(pk, sk string, into any) error {
	body, err := db.get(pk, sk)
	if err != nil {
		return err
	}
	return unmarshalBody(body, into)
}

func (db *DB) get(pk, sk string) (string, error) {
	open, gate, err := db.enter(pk)
	if err != nil {
		return "", err
	}
	defer gate.RUnlock()
	return cGet(open, pk, sk)
}

// Delete deletes the item under a key. Deleting what is not there is no error.
//
// Errors: as [DB.Put].
func (db *DB) Delete(pk, sk string, opts ...WriteOption) error {
	if len(opts) > 0 {
		op := DeleteOp(pk, sk, opts...)
		_, err := db.write(&op)
		return err
	}
	open, gate, err := db.enter(pk)
	if err != nil {
		return err
	}
	defer gate.RUnlock()
	return cDelete(open, pk, sk)
}

// JSONForm is how an item is written as JSON.
type JSONForm uint32

const (
	// TypedJSON is DynamoDB's form, {"age":{"N":"30"}}. It loses nothing. [Map.MarshalJSON] writes it too.
	TypedJSON JSONForm = 0
	// PlainJSON is {"age":30}. It has no bytes and no sets: they are written as base64 text and as lists.
	PlainJSON JSONForm = 1
)

// PutJSON is [DB.Put] of an item in JSON. Numbers keep all their digits.
//
// Errors: as [DB.Put], and [ErrInvalid] where the text is no item; the message says line and column, or the path.
func (db *DB) PutJSON(pk, sk, json string, form JSONForm) error {
	open, gate, err := db.enter(pk)
	if err != nil {
		return err
	}
	defer gate.RUnlock()
	return cPutJSON(open, pk, sk, json, uint32(form))
}

// GetJSON is [DB.Get] of an item as JSON.
//
// Errors: as [DB.Get].
func (db *DB) GetJSON(pk, sk string, form JSONForm) (string, error) {
	open, gate, err := db.enter(pk)
	if err != nil {
		return "", err
	}
	defer gate.RUnlock()
	return cGetJSON(open, pk, sk, uint32(form))
}
