//go:build cgo

package kstone

import (
	"context"
	"fmt"
	"testing"
	"unsafe"

	"github.com/keystonedb/kstone/bindings/go/internal/cloop"
)

// Each benchmark has its twin in C: the same items, keys and order, in a loop on the other side of the boundary, as a
// C program would write it. The difference is what Go costs: the crossing, and an item's way into Go's memory and back.

// benchItems is how many items the databases of the benchmarks hold.
const benchItems = 10_000

func benchKey(i int) string { return fmt.Sprintf("user#%08d", i%benchItems) }

type benchUser struct {
	Age    int    `kstone:"age"`
	City   string `kstone:"city"`
	Email  string `kstone:"email"`
	Name   string `kstone:"name"`
	Active bool   `kstone:"active"`
}

var (
	benchStruct = benchUser{Age: 30, City: "Oslo", Email: "alice@example.com", Name: "Alice", Active: true}
	benchItem   = Item{
		"age": Int(30), "city": String("Oslo"), "email": String("alice@example.com"), "name": String("Alice"),
		"active": Bool(true),
	}
)

func benchDB(b *testing.B) (*DB, []string) {
	db, err := OpenMemory()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	keys := make([]string, benchItems)
	for i := range keys {
		keys[i] = benchKey(i)
		if err := db.Put(keys[i], "", benchItem); err != nil {
			b.Fatal(err)
		}
		if err := db.Put("all", keys[i], benchItem); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	b.ReportAllocs()
	return db, keys
}

func BenchmarkPut(b *testing.B) {
	b.Run("item", func(b *testing.B) {
		db, keys := benchDB(b)
		for i := range b.N {
			if err := db.Put(keys[i%benchItems], "", benchItem); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("struct", func(b *testing.B) {
		db, keys := benchDB(b)
		for i := range b.N {
			if err := db.Put(keys[i%benchItems], "", &benchStruct); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("C", func(b *testing.B) {
		db, _ := benchDB(b)
		cLoop(b, db, cloop.Put)
	})
}

func BenchmarkGet(b *testing.B) {
	b.Run("item", func(b *testing.B) {
		db, keys := benchDB(b)
		for i := range b.N {
			if item, err := db.Get(keys[i%benchItems], ""); err != nil || len(item) != 5 {
				b.Fatal(item, err)
			}
		}
	})
	b.Run("struct", func(b *testing.B) {
		db, keys := benchDB(b)
		for i := range b.N {
			var user benchUser
			if err := db.GetInto(keys[i%benchItems], "", &user); err != nil || user.Age != 30 {
				b.Fatal(user, err)
			}
		}
	})
	b.Run("C", func(b *testing.B) {
		db, _ := benchDB(b)
		cLoop(b, db, cloop.Get)
	})
}

func BenchmarkQuery100(b *testing.B) {
	b.Run("items", func(b *testing.B) {
		db, _ := benchDB(b)
		for range b.N {
			page, err := db.QueryPage(Query{PK: "all", Limit: 100})
			if err != nil || page.Count != 100 {
				b.Fatal(err)
			}
		}
	})
	b.Run("iterator", func(b *testing.B) {
		db, _ := benchDB(b)
		for range b.N {
			seen := 0
			for _, err := range db.Query(context.Background(), Query{PK: "all", Limit: 100}) {
				if err != nil {
					b.Fatal(err)
				}
				if seen++; seen == 100 {
					break
				}
			}
		}
	})
	b.Run("C", func(b *testing.B) {
		db, _ := benchDB(b)
		cLoop(b, db, cloop.Query)
	})
}

// cLoop runs one of the loops in C.
func cLoop(b *testing.B, db *DB, loop func(unsafe.Pointer, int) bool) {
	if !loop(unsafe.Pointer(db.core.db), b.N) {
		b.Fatal("a call in C failed")
	}
}
