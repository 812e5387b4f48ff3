//go:build cgo

package kstone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What programs should not do, and what becomes of it.

// closing closes the database while it is written.
type closing struct{ db *DB }

func (c closing) MarshalKstone() (Value, error) { return String("v"), c.db.Close() }

// A value of the program's is asked how it is written before the call enters the database: it may use it, and close it.
func TestAMarshalerMayUseTheDatabase(t *testing.T) {
	ctx := context.Background()
	params := func(db *DB) Params { return Params{":v": closing{db}} }
	calls := map[string]func(db *DB) error{
		"Put": func(db *DB) error { return db.Put("a", "", map[string]any{"v": closing{db}}) },
		"PutIf": func(db *DB) error {
			return db.Put("a", "", map[string]any{"v": closing{db}}, If("attribute_exists(v)", nil))
		},
		"Condition": func(db *DB) error { return db.Delete("a", "", If("v = :v", params(db))) },
		"Update":    func(db *DB) error { _, err := db.Update("a", "", "SET v = :v", params(db)); return err },
		"Transact": func(db *DB) error {
			_, err := db.Transact(PutOp("a", "", map[string]any{"v": closing{db}}))
			return err
		},
		"QueryPage": func(db *DB) error {
			_, err := db.QueryPage(Query{PK: "a", Filter: "v = :v", Params: params(db)})
			return err
		},
		"ScanCount": func(db *DB) error {
			_, err := db.ScanCount(ctx, Scan{Filter: "v = :v", Params: params(db)})
			return err
		},
		"Execute": func(db *DB) error {
			_, err := db.Execute(ctx, "SELECT * FROM items WHERE pk = ?", closing{db})
			return err
		},
		"Batch": func(db *DB) error {
			_, err := db.Batch(StatementOp("SELECT * FROM items WHERE pk = ?", closing{db}))
			return err
		},
		"Unmarshal": func(db *DB) error { return db.GetInto("a", "", &struct{ V closing }{closing{db}}) },
		"ScanAtOnce": func(db *DB) error {
			return firstError(db.ScanSnapshot(ctx, Scan{Filter: "v = :v", Params: params(db)}))
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			db := openTest(t)
			ended := make(chan error, 1)
			go func() { ended <- call(db) }()
			select {
			case err := <-ended:
				if !errors.Is(err, ErrClosed) && !(name == "Unmarshal" && errors.Is(err, ErrNotFound)) {
					t.Fatalf("%v", err)
				}
			case <-time.After(time.Minute):
				t.Fatal("it waits for itself")
			}
		})
	}
}

func firstError(entries iter.Seq2[Entry, error]) error {
	for _, err := range entries {
		return err
	}
	return nil
}

func TestNoDatabaseIsAClosedOne(t *testing.T) {
	var zero DB
	for name, db := range map[string]*DB{"nil": nil, "zero": &zero} {
		_, forkErr := db.Fork()
		for call, err := range map[string]error{
			"Put": db.Put("a", "", Item{}), "Scan": firstError(db.Scan(context.Background(), Scan{})), "Clear": db.Clear(),
			"Fork": forkErr,
		} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("%s.%s: %v", name, call, err)
			}
		}
		if err := db.Close(); err != nil {
			t.Errorf("%s.Close: %v", name, err)
		}
	}
}

// A DB that was copied is the same database, which lives as long as any of its copies.
func TestACopyOfTheHandleKeepsTheDatabase(t *testing.T) {
	original, err := OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	runtime.AddCleanup(original, func(c chan struct{}) { close(c) }, gone)
	db := *original
	original = nil
	for collected := false; !collected; {
		runtime.GC()
		select {
		case <-gone:
			collected = true
		case <-time.After(time.Millisecond):
		}
	}
	runtime.GC()
	if err := db.Put("a", "", Item{"v": Int(1)}); err != nil {
		t.Fatal(err)
	}
	other := db
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := other.Put("a", "", Item{}); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

type (
	likeString struct {
		String
		Lang string
	}
	likeMap struct {
		Item
		X int
	}
	selfish struct {
		*selfish
		A int
	}
)

// A struct that embeds a value has the value's methods, and is a struct all the same.
func TestAStructThatEmbedsAValueIsAStruct(t *testing.T) {
	db := openTest(t)
	text, both := likeString{"Grüß Gott", "de"}, likeMap{Item{"a": Int(1)}, 2}
	wantText, wantBoth := Map{"String": String("Grüß Gott"), "Lang": String("de")}, Map{"Item": Map{"a": Int(1)}, "X": Int(2)}
	if err := db.Put("a", "", map[string]any{"t": text, "p": &text, "m": both}); err != nil {
		t.Fatal(err)
	}
	if err := db.Put("b", "", Item{"t": text, "p": &text, "l": List{both}}); err != nil {
		t.Fatal(err)
	}
	if err := db.Put("c", "", both); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Item{
		"a": {"t": wantText, "p": wantText, "m": wantBoth}, "b": {"t": wantText, "p": wantText, "l": List{wantBoth}}, "c": wantBoth,
	} {
		if item, err := db.Get(key, ""); err != nil || !reflect.DeepEqual(item, want) {
			t.Errorf("%s: %v, %v", key, item, err)
		}
	}
	if text, err := json.Marshal(Item{"m": both}); err != nil || string(text) != `{"m":{"M":{"Item":{"M":{"a":{"N":"1"}}},"X":{"N":"2"}}}}` {
		t.Errorf("%s, %v", text, err)
	}
	if item, err := Marshal(selfish{&selfish{A: 1}, 2}); err != nil || !reflect.DeepEqual(item, Item{"A": Int(2)}) {
		t.Errorf("%v, %v", item, err)
	}
}

// The same text may stand in an item a million times without taking any memory of Go's: it is refused while it is written.
func TestWhatGrowsWithoutBoundIsRefusedEarly(t *testing.T) {
	megabyte := strings.Repeat("x", 1<<20)
	list, values, entries := make([]string, 100_000), make(List, 100_000), Map{}
	for i := range list {
		list[i], values[i] = megabyte, String(megabyte)
		entries[fmt.Sprint(i)] = String(megabyte)
	}
	db := openTest(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for name, item := range map[string]any{
		"slice": map[string]any{"l": list}, "list": Item{"l": values}, "item": entries, "map": map[string]Map{"m": entries},
	} {
		if err := db.Put("a", "", item); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 500 {
		t.Errorf("allocated %d MiB", grown)
	}
}

func TestAnItemIsReadIntoWhatCanBeAnItem(t *testing.T) {
	var n int
	err := Unmarshal(Item{"a": Int(1)}, &n)
	if !errors.Is(err, ErrType) || err.Error() != "kstone: cannot read M into a value of type int" {
		t.Errorf("%v", err)
	}
	var whatever any
	if err := Unmarshal(Item{"a": Int(1)}, &whatever); err != nil || !reflect.DeepEqual(whatever, map[string]any{"a": Number("1")}) {
		t.Errorf("%v, %v", whatever, err)
	}
	for _, into := range []any{nil, n, (*int)(nil), Item{}} {
		if err := Unmarshal(Item{}, into); !errors.Is(err, ErrMisuse) {
			t.Errorf("%T: %v", into, err)
		}
	}
	var withChannel struct{ C chan int }
	if err := Unmarshal(Item{"C": Int(1)}, &withChannel); !errors.Is(err, ErrType) {
		t.Errorf("%v", err)
	}
}

func TestBadRequestsSayWhatIsWrong(t *testing.T) {
	db := openTest(t)
	second := func(_ any, err error) error { return err }
	for want, err := range map[string]error{
		"path is empty":                   db.SaveSnapshot(""),
		"path holds a NUL at offset 1":    db.ExportJSON("a\x00b"),
		"invalid JSON":                    db.PutJSON("a", "", "", PlainJSON),
		"invalid schema":                  db.ConfigureJSON("{"),
		"wasn't well formed":              second(db.Execute(context.Background(), "")),
		"without operations":              second(db.Batch()),
		"pk is needed":                    second(db.QueryPage(Query{})),
		"expr is empty":                   second(db.Update("a", "", "", nil)),
		"expr is not UTF-8":               second(db.Update("a", "", "SET \xff = :x", Params{":x": 1})),
		"an attribute name is not UTF-8":  db.Put("a", "", map[string]int{"\xff": 1}),
		"text is not UTF-8 (attribute t)": db.Put("a", "", Item{"t": String("\xff")}),
		"numeric value: NaN":              db.Put("a", "", map[string]float64{"f": math.NaN()}),
		"no type of DynamoDB's":           db.Put("a", "", map[string]any{"c": complex(1, 1)}),
		"partition key is empty":          db.Put("", "", Item{}),
		"not nil":                         db.Put("a", "", nil),
		"type time.Time":                  db.Put("a", "", time.Now()),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, and not %q", err, want)
		}
	}
	if stats, err := db.Stats(); err != nil || stats.Items != 0 {
		t.Errorf("%v, %v", stats, err)
	}
}

// An iterator that is left half-way, by a panic too, holds nothing.
func TestAnIteratorThatIsLeftHoldsNothing(t *testing.T) {
	db := openTest(t)
	for i := range 100 {
		if err := db.Put("a", fmt.Sprint(i), Item{}); err != nil {
			t.Fatal(err)
		}
	}
	next, stop := iter.Pull2(db.QuerySnapshot(context.Background(), Query{PK: "a"}))
	next()
	for _, entries := range []iter.Seq2[Entry, error]{
		db.Scan(context.Background(), Scan{}), db.ScanSnapshot(context.Background(), Scan{}),
	} {
		func() {
			defer func() { _ = recover() }()
			for range entries {
				panic("the loop's")
			}
		}()
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if entry, err, ok := next(); err != nil || !ok || entry.PK != "a" {
		t.Errorf("%v, %v, %v", entry, err, ok)
	}
	stop()
}
