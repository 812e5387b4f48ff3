//go:build cgo

package kstone

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// residentBytes is what the process has in memory, Go's garbage given back first.
func residentBytes(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(string(bytes.Fields(text)[1]))
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// scaled is how often something is done: less under the race detector.
func scaled(n int) int {
	if raceDetector {
		n /= 20
	}
	return n
}

// TestMemoryStaysFlat does a million cycles of put, get and query, with everything else now and then. One leaked error
// object, item or page in a hundred cycles would be a megabyte at least.
func TestMemoryStaysFlat(t *testing.T) {
	const keys, slack = 512, 4 << 20
	db := openTest(t)
	cycles := func(n int) {
		for i := range n {
			pk := "user#" + strconv.Itoa(i%keys)
			if err := db.Put(pk, "s", benchItem); err != nil {
				t.Fatal(err)
			}
			if item, err := db.Get(pk, "s"); err != nil || len(item) != len(benchItem) {
				t.Fatal(item, err)
			}
			if page, err := db.QueryPage(Query{PK: pk}); err != nil || page.Count != 1 {
				t.Fatal(page, err)
			}
			if i%100 == 0 {
				everyCall(t, db, pk)
			}
		}
	}
	n := scaled(1_000_000)
	cycles(n / 10)
	before := residentBytes(t)
	cycles(n)
	if after := residentBytes(t); after > before+slack {
		t.Errorf("%d cycles: %d bytes before, %d after", n, before, after)
	}
}

// everyCall makes each call that hands something out, also where it fails.
func everyCall(t *testing.T, db *DB, pk string) {
	t.Helper()
	fork, err := db.Fork()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fork.Delete(pk, "s"), fork.Close()); err != nil {
		t.Fatal(err)
	}
	var user benchUser
	var old Item
	_, updateErr := db.Update(pk, "s", "SET age = :a", Params{":a": 31}, Returning(ReturnAllNew))
	_, transactErr := db.Transact(PutOp(pk, "s", &benchStruct), GetOp("absent", ""))
	text, jsonErr := db.GetJSON(pk, "s", PlainJSON)
	rows, executeErr := db.Execute(background, "SELECT * FROM items WHERE pk = ?", pk)
	if len(rows) != 1 {
		t.Fatal(rows)
	}
	err = errors.Join(updateErr, transactErr, jsonErr, executeErr, db.GetInto(pk, "s", &user),
		db.Put(pk, "s", &user, If("age = :a", Params{":a": 30}), ReturnOld(&old)))
	if err != nil || old == nil || !strings.Contains(text, `"Oslo"`) {
		t.Fatal(err, old, text)
	}
	entries := 0
	for _, err := range db.QuerySnapshot(background, Query{PK: pk}) {
		if err != nil {
			t.Fatal(err)
		}
		entries++
		break
	}
	err = db.Put(pk, "s", &user, If("attribute_not_exists(pk)", nil), ReturnOnFailure())
	_, keyErr := db.Get("", "")
	_, queryErr := db.QueryPage(Query{PK: pk, Filter: "age >"})
	_, runErr := db.Batch(GetOp(pk, "s"), DeleteOp("", ""))
	_, statementErr := db.Execute(background, "SELECT")
	if entries != 1 || !errors.Is(statementErr, ErrInvalid) || !errors.Is(err, ErrConditionFailed) || !errors.Is(keyErr, ErrInvalid) ||
		!errors.Is(queryErr, ErrInvalid) || !errors.Is(runErr, ErrInvalid) {
		t.Fatal(entries, err, keyErr, queryErr, runErr)
	}
}

// TestADatabaseLetGoOfIsFreed opens databases and forgets them: without the cleanup they would come to 200 MB.
func TestADatabaseLetGoOfIsFreed(t *testing.T) {
	const databases, slack = 200, 64 << 20
	text := String(strings.Repeat("x", 100_000))
	before := residentBytes(t)
	for range databases {
		db, err := OpenMemory()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			if err := db.Put("p", strconv.Itoa(i), Item{"x": text}); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC() // and the cleanups it finds run on their own goroutine
	}
	for range 100 {
		if residentBytes(t) < before+slack {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d bytes before, %d after", before, residentBytes(t))
}

// TestGoroutinesHammerOneDatabase has eight of them add to one counter, move money between accounts, read both, and
// iterate; every sum comes out.
func TestGoroutinesHammerOneDatabase(t *testing.T) {
	const goroutines, accounts = 8, 4
	rounds := scaled(20_000)
	db := openTest(t, WithMemtableRecords(50))
	for i := range accounts {
		if err := db.Put("account", strconv.Itoa(i), Item{"cents": Int(1000)}); err != nil {
			t.Fatal(err)
		}
	}
	var wait sync.WaitGroup
	for g := range goroutines {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range rounds {
				if err := hammer(db, g, i, accounts); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	wait.Wait()
	counter := must[Item](t)(db.Get("counter", ""))
	if counter["n"] != Int(goroutines*rounds) {
		t.Error("additions are lost:", counter)
	}
	for g := range goroutines {
		if item, err := db.Get("own", strconv.Itoa(g)); err != nil || item["round"] != Int(rounds-1) {
			t.Error(g, item, err)
		}
	}
}

// hammer is one round of one goroutine.
func hammer(db *DB, g, i, accounts int) error {
	own := strconv.Itoa(g)
	if _, err := db.Update("counter", "", "ADD n :one", Params{":one": 1}); err != nil {
		return err
	}
	if err := db.Put("own", own, map[string]any{"round": i}); err != nil {
		return err
	}
	if item, err := db.Get("own", own); err != nil || item["round"] != Int(i) {
		return fmt.Errorf("goroutine %d round %d: %v, %v", g, i, item, err)
	}
	from, to := strconv.Itoa((g+i)%accounts), strconv.Itoa((g+i+1)%accounts)
	params := Params{":c": i % 7}
	_, err := db.Transact(
		UpdateOp("account", from, "SET cents = cents - :c", params, If("cents >= :c", nil)),
		UpdateOp("account", to, "SET cents = cents + :c", params))
	if err != nil && !errors.Is(err, ErrConditionFailed) {
		return err
	}
	if i%10 > 0 {
		return nil
	}
	sum := int64(0)
	read := db.Query(background, Query{PK: "account"})
	if i%20 == 0 {
		read = db.QuerySnapshot(background, Query{PK: "account"})
	}
	for entry, err := range read {
		if err != nil {
			return err
		}
		cents, err := entry.Item["cents"].(Number).Int64()
		if err != nil {
			return err
		}
		sum += cents
	}
	if sum != int64(accounts*1000) {
		return fmt.Errorf("a reader saw %d cents", sum)
	}
	return nil
}

// TestCloseWaitsForCallsUnderWay closes databases that eight goroutines use: each call is done, or says ErrClosed.
func TestCloseWaitsForCallsUnderWay(t *testing.T) {
	for range 20 {
		db := openTest(t)
		var wait sync.WaitGroup
		begun := make(chan struct{}, 8)
		for g := range 8 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				for i := 0; ; i++ {
					err := db.Put(strconv.Itoa(g), "", benchItem)
					if err == nil {
						_, err = db.QueryPage(Query{PK: strconv.Itoa(g)})
					}
					if err != nil {
						if !errors.Is(err, ErrClosed) {
							t.Error(err)
						}
						return
					}
					if i == 0 {
						begun <- struct{}{}
					}
				}
			}()
		}
		<-begun
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		wait.Wait()
	}
}
