//go:build cgo

package kstone

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func lettersDB(t *testing.T) *DB {
	t.Helper()
	db := openTest(t)
	for _, sk := range []string{"b", "d", "f", "h", "j"} {
		if err := db.Put("p", sk, Item{}); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// at fails where a cursor is not on the item of this sort key; "" is none.
func at(t *testing.T, cursor *Cursor, found bool, sk string) {
	t.Helper()
	if err := cursor.Err(); err != nil || found != (sk != "") || cursor.Entry().SK != sk {
		t.Errorf("at %q (%v, %v), not at %q", cursor.Entry().SK, found, err, sk)
	}
}

func TestACursorGoesForwardBackAndToAnyKey(t *testing.T) {
	db := lettersDB(t)
	cursor := must[*Cursor](t)(db.QueryCursor(Query{PK: "p"}))
	if err := db.Clear(); err != nil {
		t.Fatal(err)
	}
	at(t, cursor, cursor.Prev(), "")
	at(t, cursor, cursor.Next(), "b")
	at(t, cursor, cursor.Seek("", "e"), "f")
	at(t, cursor, cursor.Prev(), "d")
	at(t, cursor, cursor.Seek("p", "h"), "h")
	at(t, cursor, cursor.Last(), "j")
	at(t, cursor, cursor.Next(), "")
	at(t, cursor, cursor.Prev(), "j")
	at(t, cursor, cursor.Seek("", "k"), "")
	at(t, cursor, cursor.First(), "b")
	if cursor.Seek("q", "b") || !errors.Is(cursor.Err(), ErrInvalid) {
		t.Error("another partition:", cursor.Err())
	}
	if cursor.Seek("", strings.Repeat("x", 1025)) || !errors.Is(cursor.Err(), ErrLimit) {
		t.Error("a long key:", cursor.Err())
	}
	at(t, cursor, cursor.Next(), "d")
	if err := cursor.Close(); err != nil {
		t.Error(err)
	}
	if cursor.Next() || !errors.Is(cursor.Err(), ErrClosed) || cursor.Close() != nil {
		t.Error("closed:", cursor.Err())
	}
}

func TestCursorsInReverseAndOverAll(t *testing.T) {
	db := lettersDB(t)
	down := must[*Cursor](t)(db.QueryCursor(Query{PK: "p", SK: Less("j"), Reverse: true}))
	at(t, down, down.First(), "h")
	at(t, down, down.Seek("", "e"), "d")
	at(t, down, down.Next(), "b")
	all := must[*Cursor](t)(db.ScanCursor(Scan{}))
	at(t, all, all.Seek("p", "f"), "f")
	if all.Seek("", "f") || !errors.Is(all.Err(), ErrInvalid) {
		t.Error("no partition:", all.Err())
	}
	for _, query := range []Query{{PK: "p", Limit: 1}, {PK: "p", Token: []byte("t")}, {}} {
		if _, err := db.QueryCursor(query); !errors.Is(err, ErrInvalid) {
			t.Error(query, err)
		}
	}
	refused := 0
	for _, err := range db.QuerySnapshot(background, Query{}) {
		if errors.Is(err, ErrInvalid) {
			refused++
		} else {
			t.Error("a snapshot of a query without a partition:", err)
		}
	}
	if refused != 1 {
		t.Error("refused", refused)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ScanCursor(Scan{}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	at(t, all, all.Seek("p", "g"), "h")
}

func TestRandomMovesOfACursorAreThoseOfASlice(t *testing.T) {
	db := openTest(t)
	random := rand.New(rand.NewSource(3))
	var keys []string
	for i := range 600 {
		keys = append(keys, fmt.Sprintf("%04d", 3*i))
		if err := db.Put("p", keys[i], Item{}); err != nil {
			t.Fatal(err)
		}
	}
	cursor, place := must[*Cursor](t)(db.QueryCursor(Query{PK: "p"})), -1
	for range 3000 {
		var found bool
		switch random.Intn(8) {
		case 0:
			sought := fmt.Sprintf("%04d", random.Intn(1900))
			place, _ = slices.BinarySearch(keys, sought)
			found = cursor.Seek("", sought)
		case 1, 2, 3:
			found, place = cursor.Prev(), max(place-1, -1)
		default:
			found, place = cursor.Next(), min(place+1, len(keys))
		}
		expected := ""
		if place >= 0 && place < len(keys) {
			expected = keys[place]
		}
		at(t, cursor, found, expected)
	}
}

func TestGoroutinesMayShareACursor(t *testing.T) {
	db := openTest(t)
	numbered(t, db, "p", 300)
	cursor := must[*Cursor](t)(db.QueryCursor(Query{PK: "p"}))
	var group sync.WaitGroup
	var mutex sync.Mutex
	moves := 0
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for cursor.Next() {
				mutex.Lock()
				moves++
				mutex.Unlock()
			}
		}()
	}
	group.Wait()
	if moves != 300 {
		t.Error(moves)
	}
}

func TestStatisticsComeOneByOne(t *testing.T) {
	db := lettersDB(t)
	if count := must[uint64](t)(db.Count()); count != 5 {
		t.Error(count)
	}
	stats := must[Stats](t)(db.Stats())
	text := must[[]byte](t)(json.Marshal(stats))
	var members map[string]json.Number
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	// By their names, in the order of the constants.
	names := strings.Fields("items live_bytes total_bytes memory_max_bytes index_entries index_entry_bytes " +
		"memtable_bytes sst_bytes filter_bytes wal_bytes eviction_bytes base_bytes stream_bytes memtable_records " +
		"wal_records sst_records stream_records tombstones ssts stripes ssts_per_stripe_max flushes compactions " +
		"evictions hits misses")
	for i, name := range names {
		value := must[uint64](t)(db.Stat(Statistic(i + 1)))
		if members[name].String() != fmt.Sprint(value) {
			t.Error(name, value, members[name])
		}
	}
	if StatMisses != Statistic(len(names)) || len(members) != len(names)+1 {
		t.Error(StatMisses, len(members))
	}
	for _, wrong := range []Statistic{0, StatMisses + 1} {
		if _, err := db.Stat(wrong); !errors.Is(err, ErrInvalid) {
			t.Error(wrong, err)
		}
	}
}

func TestSnapshotsGoThroughWritersAndReaders(t *testing.T) {
	db := openTest(t)
	numbered(t, db, "p", 500)
	var saved bytes.Buffer
	if err := db.SaveSnapshotTo(&saved); err != nil {
		t.Fatal(err)
	}
	readers := map[string]io.Reader{
		"whole":  bytes.NewReader(saved.Bytes()),
		"bytes":  iotest.OneByteReader(bytes.NewReader(saved.Bytes())),
		"at end": iotest.DataErrReader(bytes.NewReader(saved.Bytes())),
	}
	for name, reader := range readers {
		again := openTest(t)
		if err := again.LoadSnapshotFrom(reader); err != nil {
			t.Error(name, err)
		}
		if count := must[uint64](t)(again.Count()); count != 500 {
			t.Error(name, count)
		}
	}
	if err := db.LoadSnapshotFrom(bytes.NewReader(saved.Bytes())); !errors.Is(err, ErrInvalid) {
		t.Error("not empty:", err)
	}
	if err := openTest(t).LoadSnapshotFrom(bytes.NewReader(saved.Bytes()[1:])); !errors.Is(err, ErrCorrupt) {
		t.Error("damaged:", err)
	}
}

type badStream struct{ read int }

func (badStream) Write(data []byte) (int, error)    { return len(data) - 1, nil }
func (b badStream) Read(buffer []byte) (int, error) { return b.read, nil }

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("stop") }

func TestWhatAStreamSaysIsWhatTheCallSays(t *testing.T) {
	db := lettersDB(t)
	enough := errors.New("enough")
	empty := openTest(t)
	if err := empty.LoadSnapshotFrom(iotest.ErrReader(enough)); !errors.Is(err, enough) {
		t.Error(err)
	}
	if err := empty.LoadSnapshotFrom(badStream{0}); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
	for _, impossible := range []int{-1, 1 << 30} {
		if err := empty.LoadSnapshotFrom(badStream{impossible}); err == nil || errors.Is(err, io.ErrNoProgress) {
			t.Error(impossible, err)
		}
	}
	if err := db.SaveSnapshotTo(badStream{}); !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
	func() {
		defer func() {
			if recovered := recover(); recovered != "stop" {
				t.Error(recovered)
			}
		}()
		_ = db.SaveSnapshotTo(panicking{})
	}()
	if count := must[uint64](t)(empty.Count()); count != 0 {
		t.Error(count)
	}
	if err := db.Close(); err != nil {
		t.Fatal("the save that panicked still holds the database:", err)
	}
	if err := db.SaveSnapshotTo(io.Discard); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
