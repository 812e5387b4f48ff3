//go:build cgo

package kstone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var background = context.Background()

// collect reads an iterator to its end.
func collect(t *testing.T, seq func(func(Entry, error) bool)) []Entry {
	t.Helper()
	var entries []Entry
	for entry, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry)
	}
	return entries
}

// sortKeys of entries, joined.
func sortKeys(entries []Entry) string {
	var keys []string
	for _, entry := range entries {
		keys = append(keys, entry.SK)
	}
	return strings.Join(keys, " ")
}

// numbered fills a partition with n items {"n": i} under the sort keys 000, 001 and so on.
func numbered(t testing.TB, db *DB, pk string, n int) {
	t.Helper()
	for i := range n {
		if err := db.Put(pk, fmt.Sprintf("%03d", i), Item{"n": Int(i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKeysAreAnyBytes(t *testing.T) {
	db := openTest(t)
	keys := []string{"a", "a\x00", "a\x00b", "\xff\xfe", "é", strings.Repeat("k", 1024)}
	for i, key := range keys {
		if err := db.Put("p"+key, key, Item{"n": Int(i)}); err != nil {
			t.Fatal(err)
		}
	}
	for i, key := range keys {
		if item, err := db.Get("p"+key, key); err != nil || item["n"] != Int(i) {
			t.Errorf("%q: %v, %v", key, item, err)
		}
		if _, err := db.Get("p"+key, ""); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q without its sort key: %v", key, err)
		}
		entries := collect(t, db.Query(background, Query{PK: "p" + key}))
		if len(entries) != 1 || entries[0].PK != "p"+key || entries[0].SK != key {
			t.Errorf("%q: %v", key, entries)
		}
	}
	for _, err := range []error{db.Put("", "", Item{}), db.Delete("", "")} {
		if !errors.Is(err, ErrInvalid) {
			t.Error("an empty partition key:", err)
		}
	}
	if err := db.Put(strings.Repeat("k", 2049), "", Item{}); !errors.Is(err, ErrLimit) {
		t.Error("a long partition key:", err)
	}
}

func TestAnItemOfAnySizeComesBack(t *testing.T) {
	db := openTest(t)
	for _, size := range []int{0, getBufferBytes - 4, getBufferBytes - 3, getBufferBytes, 5000, 400<<10 - 10} {
		text := String(strings.Repeat("x", size))
		if err := db.Put("p", "", Item{"a": text}); err != nil {
			t.Fatal(err)
		}
		if item, err := db.Get("p", ""); err != nil || item["a"] != text {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestConditionsDecide(t *testing.T) {
	db := openTest(t)
	absent := If("attribute_not_exists(pk)", nil)
	if err := db.Put("p", "", Item{"v": Int(1)}, absent); err != nil {
		t.Fatal(err)
	}
	var failed *Error
	err := db.Put("p", "", Item{"v": Int(2)}, absent, ReturnOnFailure())
	if !errors.Is(err, ErrConditionFailed) || errors.Is(err, ErrInvalid) || !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if failed.Name != "ConditionalCheckFailedException" || failed.Message != "The conditional request failed" ||
		failed.Index != -1 || !reflect.DeepEqual(failed.Item, Item{"v": Number("1")}) {
		t.Errorf("%+v", failed)
	}
	if err := db.Delete("p", "", absent); !errors.As(err, &failed) || failed.Item != nil {
		t.Error("an item that nobody asked for:", failed.Item)
	}
	if err := fmt.Errorf("wrapped: %w", err); !errors.Is(err, ErrConditionFailed) {
		t.Error(err)
	}
	var code Code
	if !errors.As(err, &code) || code != ErrConditionFailed || code.Error() != "kstone: the condition did not hold" {
		t.Error(code)
	}
	if err := db.Put("p", "", Item{"v": Int(2)}, If("v = :v AND missing", nil)); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if err := db.Put("p", "", Item{"v": Int(2)}, If("", nil)); !errors.Is(err, ErrInvalid) {
		t.Error("an empty condition:", err)
	}
	if err := db.Put("p", "", Item{"v": Int(2)}, If("v = :v", Params{":v": 1})); err != nil {
		t.Error(err)
	}
	if item, err := db.Get("p", ""); err != nil || item["v"] != Number("2") {
		t.Error(item, err)
	}
}

func TestWritesReturnWhatWasThere(t *testing.T) {
	db := openTest(t)
	old := Item{"untouched": Null{}}
	if err := db.Put("p", "", Item{"v": Int(1)}, ReturnOld(&old)); err != nil || old != nil {
		t.Error(old, err)
	}
	if err := db.Put("p", "", Item{"v": Int(2)}, ReturnOld(&old)); err != nil || old["v"] != Number("1") {
		t.Error(old, err)
	}
	if err := db.Delete("p", "", ReturnOld(&old)); err != nil || old["v"] != Number("2") {
		t.Error(old, err)
	}
	if err := db.Delete("p", "", ReturnOld(&old)); err != nil || old != nil {
		t.Error(old, err)
	}
}

func TestOptionsThatMeanNothingAreRefused(t *testing.T) {
	db := openTest(t)
	var old Item
	_, putErr := db.Batch(GetOp("p", ""), PutOp("p", "", Item{}, ReturnOld(&old)))
	_, updateErr := db.Transact(UpdateOp("p", "", "REMOVE a", nil, Returning(ReturnAllNew)))
	calls := map[string]error{
		"ReturnOld in a batch": putErr, "Returning in a transaction": updateErr,
		"Returning of a put":    db.Put("p", "", Item{}, Returning(ReturnAllNew)),
		"Returning of a delete": db.Delete("p", "", Returning(ReturnAllOld)),
	}
	for name, err := range calls {
		if !errors.Is(err, ErrInvalid) {
			t.Error(name, err)
		}
	}
	if _, err := db.Get("p", ""); !errors.Is(err, ErrNotFound) {
		t.Error("a write that was refused has written:", err)
	}
	if err := db.Put("p", "", Item{"v": Int(1)}); err != nil {
		t.Fatal(err)
	}
	if item, err := db.Update("p", "", "REMOVE v", nil, ReturnOld(&old)); err != nil || !reflect.DeepEqual(item, old) ||
		old["v"] != Number("1") {
		t.Error(item, old, err)
	}
}

func TestUpdates(t *testing.T) {
	db := openTest(t)
	update := func(expression string, params Params, opts ...WriteOption) Item {
		t.Helper()
		return must[Item](t)(db.Update("p", "", expression, params, opts...))
	}
	if item := update("ADD visits :one SET #n = :name", Params{":one": 1, ":name": "Ada", "#n": "name"}); item != nil {
		t.Error("nothing was asked for:", item)
	}
	all := update("ADD visits :one", Params{":one": Int(2)}, Returning(ReturnAllNew))
	if !reflect.DeepEqual(all, Item{"visits": Number("3"), "name": String("Ada")}) {
		t.Error(all)
	}
	if item := update("REMOVE visits", nil, Returning(ReturnUpdatedOld)); !reflect.DeepEqual(item,
		Item{"visits": Number("3")}) {
		t.Error(item)
	}
	if item := update("REMOVE visits", nil, Returning(ReturnUpdatedNew)); item != nil {
		t.Error(item)
	}
	// Without params of its own the condition reads the update's.
	item := update("SET #n = :name", Params{":name": "Bo", "#n": "name", ":old": "Ada"}, If("#n = :old", nil),
		Returning(ReturnAllOld))
	if item["name"] != String("Ada") {
		t.Error(item)
	}
	if _, err := db.Update("p", "", "SET missing = absent + :one", Params{":one": 1}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := db.Update("p", "", "", nil); !errors.Is(err, ErrInvalid) {
		t.Error("an empty update:", err)
	}
	_, err := db.Update("p", "", "SET a = :x", Params{":x": []any{1, func() {}}})
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "(attribute :x[1])") {
		t.Error(err)
	}
}

func TestATransactionIsAllOrNothing(t *testing.T) {
	db := openTest(t)
	account := func(name string) int64 {
		item := must[Item](t)(db.Get(name, ""))
		return must[int64](t)(item["cents"].(Number).Int64())
	}
	transfer := func(from, to string, cents int) error {
		params := Params{":c": cents}
		_, err := db.Transact(
			UpdateOp(from, "", "SET cents = cents - :c", params, If("cents >= :c", nil)),
			UpdateOp(to, "", "SET cents = cents + :c", params, If("attribute_exists(pk)", nil), ReturnOnFailure()))
		return err
	}
	for _, name := range []string{"ada", "bo"} {
		if err := db.Put(name, "", Item{"cents": Int(100)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := transfer("ada", "bo", 30); err != nil || account("ada") != 70 || account("bo") != 130 {
		t.Error(err)
	}
	var failed *Error
	err := transfer("ada", "bo", 71)
	if !errors.Is(err, ErrConditionFailed) || !errors.As(err, &failed) || failed.Index != 0 ||
		failed.Name != "TransactionCanceledException" || !strings.Contains(err.Error(), "operation 0: ") {
		t.Errorf("%+v", err)
	}
	if err := transfer("ada", "nobody", 1); !errors.As(err, &failed) || failed.Index != 1 {
		t.Errorf("%+v", err)
	}
	if account("ada") != 70 || account("bo") != 130 {
		t.Error("a part of a transaction was done")
	}
	found, err := db.Transact(GetOp("bo", ""), GetOp("nobody", ""), GetOp("ada", ""), CheckOp("new", "",
		"attribute_not_exists(pk)", nil))
	if err != nil || len(found) != 3 || found[0]["cents"] != Number("130") || found[1] != nil ||
		found[2]["cents"] != Number("70") {
		t.Error(found, err)
	}
	if _, err := db.Transact(); !errors.Is(err, ErrInvalid) {
		t.Error("an empty transaction:", err)
	}
	if _, err := db.Transact(DeleteOp("ada", ""), GetOp("ada", "")); !errors.Is(err, ErrInvalid) ||
		account("ada") != 70 {
		t.Error("an item twice:", err)
	}
}

func TestABatchRunsInOrder(t *testing.T) {
	db := openTest(t)
	found, err := db.Batch(GetOp("p", ""), PutOp("p", "", &address{City: "Oslo"}), GetOp("p", ""), DeleteOp("p",
		""), GetOp("p", ""))
	if err != nil || len(found) != 3 || found[0] != nil || found[1]["city"] != String("Oslo") || found[2] != nil {
		t.Error(found, err)
	}
	var failed *Error
	_, err = db.Batch(PutOp("a", "", Item{}), PutOp("b", "", Item{"x": Number("ten")}))
	if !errors.Is(err, ErrInvalid) || !errors.As(err, &failed) || failed.Index != 1 {
		t.Error("an item that cannot be written:", err)
	}
	_, err = db.Batch(PutOp("a", "", Item{}), GetOp("b", ""), PutOp("", "", Item{}))
	if !errors.Is(err, ErrInvalid) || !errors.As(err, &failed) || failed.Index != 2 ||
		failed.Name != "ValidationException" {
		t.Errorf("a key that cannot be: %+v", err)
	}
	if _, err := db.Get("a", ""); !errors.Is(err, ErrNotFound) {
		t.Error("a batch that cannot be built was begun:", err)
	}
	if _, err := db.Batch(slices.Repeat([]Op{DeleteOp("p", "")}, 1000)...); err != nil {
		t.Error("1,000 writes:", err)
	}
}

func TestQueriesSelectRanges(t *testing.T) {
	db := openTest(t)
	for i, sk := range []string{"", "a", "aa", "ab", "b"} {
		if err := db.Put("p", sk, Item{"n": Int(i), "even": Bool(i%2 == 0)}); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		query Query
		want  string
	}{
		{Query{PK: "p"}, " a aa ab b"},
		{Query{PK: "p", SK: Equal("aa")}, "aa"},
		{Query{PK: "p", SK: Less("aa")}, "a"},
		{Query{PK: "p", SK: AtMost("aa")}, "a aa"},
		{Query{PK: "p", SK: Greater("aa")}, "ab b"},
		{Query{PK: "p", SK: AtLeast("aa")}, "aa ab b"},
		{Query{PK: "p", SK: Between("a", "ab")}, "a aa ab"},
		{Query{PK: "p", SK: BeginsWith("a"), Reverse: true}, "ab aa a"},
		{Query{PK: "p", SK: BeginsWith("a"), Limit: 1}, "a aa ab"},
		{Query{KeyCondition: "pk = :p AND sk > :s", Params: Params{":p": "p", ":s": "a"}}, "aa ab b"},
		{Query{PK: "p", Filter: "even = :t AND n > :n", Params: Params{":t": true, ":n": 0}, Limit: 2}, "aa b"},
		{Query{PK: "absent"}, ""},
	}
	for _, c := range cases {
		if found := sortKeys(collect(t, db.Query(background, c.query))); found != c.want {
			t.Errorf("%+v: expected %q, found %q", c.query, c.want, found)
		}
		want := len(strings.Fields(c.want))
		if strings.HasPrefix(c.want, " ") {
			want++
		}
		if found, err := db.QueryCount(background, c.query); err != nil || found != want {
			t.Errorf("%+v: expected %d, counted %d, %v", c.query, want, found, err)
		}
	}
	projected := collect(t, db.Query(background, Query{PK: "p", SK: Equal("a"), Projection: "n"}))
	if !reflect.DeepEqual(projected, []Entry{{PK: "p", SK: "a", Item: Item{"n": Number("1")}}}) {
		t.Error(projected)
	}
	keys := collect(t, db.Query(background, Query{PK: "p", SK: Equal("a"), KeysOnly: true}))
	if !reflect.DeepEqual(keys[0].Item, Item{"pk": String("p"), "sk": String("a")}) {
		t.Error(keys)
	}
	for _, query := range []Query{{}, {PK: "p", Filter: "n >"}, {PK: "p", Index: "none"}, {PK: "p",
		Params: Params{":x": 1}}} {
		seen := 0
		for entry, err := range db.Query(background, query) {
			if seen++; !errors.Is(err, ErrInvalid) || entry.Item != nil {
				t.Errorf("%+v: %v, %v", query, entry, err)
			}
		}
		if seen != 1 {
			t.Errorf("%+v: %d errors", query, seen)
		}
	}
}

func TestPagesGoOnWhereTheyEnded(t *testing.T) {
	db := openTest(t)
	numbered(t, db, "p", 5)
	page := must[*Page](t)(db.QueryPage(Query{PK: "p", Limit: 2, Filter: "n <> :n", Params: Params{":n": 1}}))
	if page.Count != 1 || page.Scanned != 2 || len(page.Entries) != 1 || page.Token == nil {
		t.Errorf("%+v", page)
	}
	page = must[*Page](t)(db.QueryPage(Query{PK: "p", Token: page.Token}))
	if sortKeys(page.Entries) == "" {
		t.Errorf("%+v", page)
	}
	if _, err := db.QueryPage(Query{PK: "p", Token: []byte("made up")}); !errors.Is(err, ErrInvalid) {
		t.Error("a token that is none:", err)
	}
	scan := must[*Page](t)(db.ScanPage(Scan{Limit: 3}))
	rest := must[*Page](t)(db.ScanPage(Scan{Token: scan.Token}))
	if found := sortKeys(append(scan.Entries, rest.Entries...)); found != "000 001 002 003 004" || rest.Token != nil {
		t.Error(found, rest.Token)
	}
}

func TestScansAndTheirParts(t *testing.T) {
	db := openTest(t)
	for i := range 20 {
		numbered(t, db, fmt.Sprint("p", i), 5)
	}
	seen := map[string]bool{}
	for segment := range uint32(3) {
		for _, entry := range collect(t, db.Scan(background, Scan{Segment: segment, Segments: 3, Limit: 7})) {
			seen[entry.PK+entry.SK] = true
		}
	}
	if count, err := db.ScanCount(background, Scan{Limit: 7}); err != nil || count != 100 || len(seen) != 100 {
		t.Error(count, len(seen), err)
	}
	if _, err := db.ScanPage(Scan{Segment: 3, Segments: 3}); !errors.Is(err, ErrInvalid) {
		t.Error("a segment that is none:", err)
	}
}

func TestASnapshotShowsOneMoment(t *testing.T) {
	db := openTest(t)
	numbered(t, db, "p", 300)
	text := String(strings.Repeat("x", 1000)) // more than one chunk
	for i := range 300 {
		must[Item](t)(db.Update("p", fmt.Sprintf("%03d", i), "SET x = :x", Params{":x": text}))
	}
	for name, seq := range map[string]func(func(Entry, error) bool){
		"query": db.QuerySnapshot(background, Query{PK: "p"}), "scan": db.ScanSnapshot(background, Scan{}),
	} {
		numbered(t, db, "p", 300)
		var sum int64
		for entry, err := range seq {
			if err != nil {
				t.Fatal(name, err)
			}
			if sum == 0 {
				if _, err := db.Batch(DeleteOp("p", "299"), PutOp("p", "150", Item{"n": Int(-1)}), PutOp("p",
					"400", Item{"n": Int(-1)})); err != nil {
					t.Fatal(err)
				}
			}
			sum += 1 + must[int64](t)(entry.Item["n"].(Number).Int64())
		}
		if sum != 300*301/2 {
			t.Error(name, sum)
		}
		if err := db.Delete("p", "400"); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range db.QuerySnapshot(background, Query{PK: "p", Filter: "n >"}) {
		if !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	}
}

func TestAnIteratorMayBeLeftAndTheDatabaseClosedInside(t *testing.T) {
	db := openTest(t)
	numbered(t, db, "p", 10)
	for name, seq := range map[string]func(func(Entry, error) bool){
		"pages": db.Query(background, Query{PK: "p", Limit: 3}), "snapshot": db.QuerySnapshot(background, Query{PK: "p"}),
	} {
		seen := 0
		for entry := range seq {
			if seen++; entry.SK == "004" {
				break
			}
		}
		if seen != 5 {
			t.Error(name, seen)
		}
	}
	seen := 0
	for entry, err := range db.Query(background, Query{PK: "p", Limit: 3}) {
		if seen++; seen == 1 {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if seen <= 3 && (err != nil || entry.Item["n"] != Int(seen-1)) || seen == 4 && !errors.Is(err, ErrClosed) {
			t.Error(seen, entry, err)
		}
	}
	if seen != 4 {
		t.Error("the page that was there, then an error:", seen)
	}
}

func TestAContextEndsAnIterator(t *testing.T) {
	db := openTest(t)
	numbered(t, db, "p", 10)
	for _, read := range []func(context.Context) func(func(Entry, error) bool){
		func(ctx context.Context) func(func(Entry, error) bool) {
			return db.Query(ctx, Query{PK: "p", Limit: 2})
		},
		func(ctx context.Context) func(func(Entry, error) bool) { return db.Scan(ctx, Scan{Limit: 2}) },
	} {
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		seen := 0
		var last error
		for _, err := range read(ctx) {
			seen, last = seen+1, err
			cancel()
		}
		if seen != 3 || !errors.Is(last, context.Canceled) {
			t.Error(seen, last)
		}
		for _, err := range db.QuerySnapshot(ctx, Query{PK: "p"}) {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		if _, err := db.ScanCount(ctx, Scan{}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestAClosedDatabaseRefusesEverything(t *testing.T) {
	db := openTest(t)
	numbered(t, db, "p", 2)
	item := must[Item](t)(db.Get("p", "001"))
	page := must[*Page](t)(db.QueryPage(Query{PK: "p"}))
	var closer io.Closer = db
	for range 2 {
		if err := closer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if item["n"] != Number("1") || page.Entries[1].Item["n"] != Number("1") {
		t.Error("what was read is gone")
	}
	one := func(_ any, err error) error { return err }
	calls := map[string]error{
		"Put": db.Put("p", "", Item{}), "Get": one(db.Get("p", "")), "GetInto": db.GetInto("p", "", &item),
		"Delete": db.Delete("p", ""), "conditional": db.Delete("p", "", If("attribute_exists(pk)", nil)),
		"Update": one(db.Update("p", "", "REMOVE a", nil)), "PutJSON": db.PutJSON("p", "", "{}", TypedJSON),
		"GetJSON": one(db.GetJSON("p", "", TypedJSON)), "Transact": one(db.Transact(GetOp("p", ""))),
		"Batch":     one(db.Batch()),
		"QueryPage": one(db.QueryPage(Query{PK: "p"})), "ScanPage": one(db.ScanPage(Scan{})),
		"QueryCount": one(db.QueryCount(background, Query{PK: "p"})), "Clear": db.Clear(), "Flush": db.Flush(),
		"Compact": db.Compact(), "Configure": db.Configure(Schema{}), "SetTime": db.SetTime(time.Now()),
		"PurgeExpired": one(db.PurgeExpired()), "Stats": one(db.Stats()), "StreamRead": one(db.StreamRead(0, 1)),
		"Fork": one(db.Fork()), "Execute": one(db.Execute(background, "SELECT * FROM items")),
		"SaveSnapshot": db.SaveSnapshot("x"), "LoadSnapshot": db.LoadSnapshot("x"), "ExportJSON": db.ExportJSON("x"),
		"ImportJSON": one(db.ImportJSON("x", Import{})),
	}
	for _, err := range db.QuerySnapshot(background, Query{PK: "p"}) {
		calls["QuerySnapshot"] = err
	}
	for name, err := range calls {
		if !errors.Is(err, ErrClosed) || err.Error() != "kstone: the database is closed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJSON(t *testing.T) {
	db := openTest(t)
	if err := db.PutJSON("p", "", `{"n":12345678901234567890.5,"l":["x",null]}`, PlainJSON); err != nil {
		t.Fatal(err)
	}
	typed := must[string](t)(db.GetJSON("p", "", TypedJSON))
	if typed != `{"l":{"L":[{"S":"x"},{"NULL":true}]},"n":{"N":"12345678901234567890.5"}}` {
		t.Error(typed)
	}
	if plain := must[string](t)(db.GetJSON("p", "",
		PlainJSON)); plain != `{"l":["x",null],"n":12345678901234567890.5}` {
		t.Error(plain)
	}
	if _, err := db.GetJSON("absent", "", TypedJSON); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	err := db.PutJSON("p", "", `{"a":{"S":5}}`, TypedJSON)
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "attribute a") {
		t.Error(err)
	}
	var item Item
	for _, text := range []string{
		`5`, `{"a":5}`, `{"a":{}}`, `{"a":{"S":"x","N":"1"}}`, `{"a":{"X":"x"}}`, `{"a":{"S":null}}`, `{"a":{"N":1}}`,
		`{"a":{"B":"?"}}`, `{"a":{"NULL":false}}`, `{"a":{"L":[{"S":1}]}}`, `{"a":{"M":{"b":{"BOOL":"x"}}}}`,
	} {
		if err := item.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s is %v", text, item)
		}
	}
	if err := item.UnmarshalJSON([]byte(`null`)); err != nil || item != nil {
		t.Error(item, err)
	}
}

func TestIndexesExpiryAndStreams(t *testing.T) {
	db := openTest(t, WithSchema(Schema{
		Name: "orders",
		LocalIndexes: []LocalIndex{{Name: "by-total", SortKey: "total",
			Projection: Projection{Include: []string{"note"}}}},
		GlobalIndexes: []GlobalIndex{{Name: "by-status", PartitionKey: "status", Projection: Projection{KeysOnly: true}}},
		TTLAttribute:  "expires",
		Stream:        &StreamSpec{ViewType: ViewNewAndOldImages},
	}))
	now := time.Unix(1_000_000, 0)
	if err := db.SetTime(now); err != nil {
		t.Fatal(err)
	}
	for i, total := range []int{30, 5, 200} {
		order := Item{"total": Int(total), "status": String("open"), "note": String("n"),
			"expires": Int(1_000_000 + int64(total))}
		if err := db.Put("ada", fmt.Sprint(i), order); err != nil {
			t.Fatal(err)
		}
	}
	byTotal := collect(t, db.Query(background, Query{Index: "by-total", KeyCondition: "pk = :p AND #t > :t",
		Params: Params{":p": "ada", ":t": 10, "#t": "total"}}))
	if sortKeys(byTotal) != "0 2" || byTotal[0].Item["note"] != String("n") || byTotal[0].Item["status"] != nil {
		t.Error(byTotal)
	}
	open := Query{Index: "by-status", PK: "open"}
	if count, err := db.QueryCount(background, open); err != nil || count != 3 {
		t.Error(count, err)
	}
	if err := db.SetTime(now.Add(100 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if count, err := db.QueryCount(background, open); err != nil || count != 1 {
		t.Error("what has expired is seen:", count, err)
	}
	if purged, err := db.PurgeExpired(); err != nil || purged != 2 {
		t.Error(purged, err)
	}
	records, err := db.StreamRead(0, 1000)
	if err != nil || len(records) != 5 {
		t.Fatal(records, err)
	}
	first, last := records[0], records[4]
	if first.Event != "INSERT" || first.OldImage != nil || first.NewImage["total"] != Number("30") || first.ByTTL ||
		!first.Time.Equal(now) || !reflect.DeepEqual(first.Keys, Item{"pk": String("ada"), "sk": String("0")}) {
		t.Errorf("%+v", first)
	}
	if last.Event != "REMOVE" || last.NewImage != nil || last.OldImage == nil || !last.ByTTL {
		t.Errorf("%+v", last)
	}
	if records, err := db.StreamRead(last.SequenceNumber, 10); err != nil || len(records) != 0 {
		t.Error(records, err)
	}
	if _, err := db.StreamRead(0, -1); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if err := db.Configure(Schema{Stream: &StreamSpec{ViewType: ViewKeysOnly, Capacity: 1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.QueryPage(open); !errors.Is(err, ErrInvalid) {
		t.Error("an index that is gone:", err)
	}
	numbered(t, db, "p", 3)
	if _, err := db.StreamRead(last.SequenceNumber, 10); !errors.Is(err, ErrTrimmed) {
		t.Error(err)
	}
	if err := db.Configure(Schema{GlobalIndexes: []GlobalIndex{{Name: "x"}}}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	for name, opt := range map[string]Option{
		"memtable": WithMemtableRecords(1 << 40), "schema": WithSchemaJSON(`{"unknown":1}`), "limit": WithMemoryLimit(1),
		"eviction without a limit": WithLRUEviction(),
	} {
		if db, err := OpenMemory(opt); !errors.Is(err, ErrInvalid) || db != nil {
			t.Error(name, db, err)
		}
	}
	db := openTest(t, WithMemtableRecords(10), WithBackgroundCompaction(), WithMemoryLimit(4<<20))
	text := String(strings.Repeat("x", 10_000))
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		err = db.Put("p", fmt.Sprint(i), Item{"x": text})
	}
	if !errors.Is(err, ErrLimit) {
		t.Error("ten megabytes in four:", err)
	}
	lru := openTest(t, WithMemoryLimit(4<<20), WithLRUEviction())
	for i := range 1000 {
		if err := lru.Put(fmt.Sprint(i), "", Item{"x": text}); err != nil {
			t.Fatal(err)
		}
	}
	if stats := must[Stats](t)(lru.Stats()); stats.Evictions == 0 || stats.TotalBytes > stats.MemoryMaxBytes {
		t.Errorf("%+v", stats)
	}
}

func TestStatsClearFlushCompact(t *testing.T) {
	db := openTest(t)
	numbered(t, db, "p", 100)
	if err := errors.Join(db.Flush(), db.Compact()); err != nil {
		t.Fatal(err)
	}
	stats := must[Stats](t)(db.Stats())
	if stats.Items != 100 || stats.SSTRecords != 100 || stats.Flushes != 1 || stats.LiveBytes == 0 ||
		stats.TotalBytes == 0 {
		t.Errorf("%+v", stats)
	}
	if err := db.Clear(); err != nil {
		t.Fatal(err)
	}
	if stats := must[Stats](t)(db.Stats()); stats.Items != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestAForkIsADatabaseOfItsOwn(t *testing.T) {
	db := openTest(t)
	numbered(t, db, "p", 10)
	fork := must[*DB](t)(db.Fork())
	if err := errors.Join(fork.Delete("p", "000"), db.Delete("p", "001"), db.Close()); err != nil {
		t.Fatal(err)
	}
	if count, err := fork.ScanCount(background, Scan{}); err != nil || count != 9 {
		t.Error(count, err)
	}
	if item, err := fork.Get("p", "001"); err != nil || item["n"] != Number("1") {
		t.Error(item, err)
	}
	if err := fork.Close(); err != nil {
		t.Error(err)
	}
}

func TestStatements(t *testing.T) {
	db := openTest(t)
	execute := func(text string, params ...any) []Item {
		t.Helper()
		return must[[]Item](t)(db.Execute(background, text, params...))
	}
	for i := range 12 {
		rows := execute("INSERT INTO items VALUE {'pk': ?, 'sk': ?, 'n': ?}", "p", fmt.Sprintf("%03d", i), i)
		if rows != nil {
			t.Error(rows)
		}
	}
	// Ten parameters and more keep their order.
	rows := execute("SELECT n FROM items WHERE pk = ? AND n IN [?,?,?,?,?,?,?,?,?,?]", "p", 11, 10, 9, 8, 7, 20,
		21, 22, 23, 24)
	if len(rows) != 5 || !reflect.DeepEqual(rows[0], Item{"n": Number("7")}) {
		t.Error(rows)
	}
	rows = execute("UPDATE items SET n = n + 1 WHERE pk = ? AND sk = ? RETURNING ALL NEW *", "p", "000")
	if len(rows) != 1 || rows[0]["n"] != Number("1") {
		t.Error(rows)
	}
	_, err := db.Execute(background, "INSERT INTO items VALUE {'pk': 'p', 'sk': '000'}")
	var failed *Error
	if !errors.Is(err, ErrConditionFailed) || !errors.As(err, &failed) || failed.Name != "DuplicateItemException" {
		t.Error(err)
	}
	for _, text := range []string{"", "SELECT", "SELECT * FROM other", "SELECT * FROM items WHERE pk = ?"} {
		if _, err := db.Execute(background, text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := db.Execute(background, "SELECT * FROM items", func() {}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	done, cancel := context.WithCancel(background)
	cancel()
	if _, err := db.Execute(done, "SELECT * FROM items"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	found, err := db.Transact(StatementOp("SELECT * FROM items WHERE pk = 'p' AND sk = ?", "001"),
		StatementOp("SELECT * FROM items WHERE pk = 'p' AND sk = ?", "absent"))
	if err != nil || len(found) != 2 || found[0]["n"] != Number("1") || found[1] != nil {
		t.Error(found, err)
	}
	_, err = db.Transact(StatementOp("DELETE FROM items WHERE pk = 'p' AND sk = '001'"),
		StatementOp("EXISTS(SELECT * FROM items WHERE pk = 'p' AND sk = '002' AND n = ?)", 5))
	if !errors.Is(err, ErrConditionFailed) || !errors.As(err, &failed) || failed.Index != 1 {
		t.Error(err)
	}
	if rows := execute("SELECT COUNT(*) AS c FROM items"); rows[0]["c"] != Number("12") {
		t.Error(rows)
	}
}

func TestPagesOfStatements(t *testing.T) {
	db := openTest(t)
	text := String(strings.Repeat("x", 100_000))
	for i := range 25 {
		if err := db.Put("p", fmt.Sprintf("%03d", i), Item{"x": text}); err != nil {
			t.Fatal(err)
		}
	}
	statement := Statement{Text: "SELECT sk FROM items WHERE pk = ?", Params: []any{"p"}}
	first := must[*Page](t)(db.ExecutePage(statement))
	if first.Token == nil || first.Count == 0 || first.Count >= 25 {
		t.Error(first)
	}
	if rows := must[[]Item](t)(db.Execute(background, statement.Text, "p")); len(rows) != 25 ||
		rows[24]["sk"] != String("024") {
		t.Error(rows)
	}
	statement.Text, statement.Token = "SELECT pk FROM items WHERE pk = ?", first.Token
	if _, err := db.ExecutePage(statement); !errors.Is(err, ErrInvalid) {
		t.Error("a token of another statement:", err)
	}
}

func TestSnapshotsAndExports(t *testing.T) {
	db := openTest(t, WithSchema(Schema{TTLAttribute: "expires"}))
	numbered(t, db, "p", 100)
	dir := t.TempDir()
	snapshot, lines := filepath.Join(dir, "db.kstone"), filepath.Join(dir, "db.jsonl")
	if err := errors.Join(db.SaveSnapshot(snapshot), db.ExportJSON(lines)); err != nil {
		t.Fatal(err)
	}
	if done, total, err := db.SnapshotProgress(); err != nil || done != 100 || total != 100 {
		t.Error(done, total, err)
	}
	loaded, imported := openTest(t), openTest(t)
	if err := loaded.LoadSnapshot(snapshot); err != nil {
		t.Fatal(err)
	}
	if found, err := imported.ImportJSON(lines, Import{}); err != nil || found != (Imported{Loaded: 100}) {
		t.Error(found, err)
	}
	for _, other := range []*DB{loaded, imported} {
		if count, err := other.ScanCount(background, Scan{}); err != nil || count != 100 {
			t.Error(count, err)
		}
	}
	if err := loaded.LoadSnapshot(snapshot); !errors.Is(err, ErrInvalid) {
		t.Error("a database that holds items:", err)
	}
	if err := openTest(t).LoadSnapshot(lines); !errors.Is(err, ErrCorrupt) {
		t.Error("a file that is no snapshot:", err)
	}
	for _, err := range []error{db.SaveSnapshot(filepath.Join(dir, "no", "where")),
		openTest(t).LoadSnapshot(filepath.Join(dir, "nowhere"))} {
		if !errors.Is(err, ErrIO) || !strings.Contains(err.Error(), dir) {
			t.Error(err)
		}
	}
	if err := db.ExportJSON(""); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	own := `{"Item":{"song":{"S":"a"},"n":{"N":"1"}}}` + "\nno JSON\n"
	if err := os.WriteFile(lines, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := imported.ImportJSON(lines, Import{PKName: "song"}); !errors.Is(err, ErrCorrupt) ||
		!strings.Contains(err.Error(), "2") {
		t.Error(err)
	}
	found, err := imported.ImportJSON(lines, Import{PKName: "song", SkipBad: true})
	if err != nil || found.Loaded != 1 || found.Skipped != 1 || found.Reasons == "" {
		t.Error(found, err)
	}
	if item, err := imported.Get("a", ""); err != nil || item["n"] != Number("1") {
		t.Error(item, err)
	}
}

func TestWhatIsReadIsTheReaders(t *testing.T) {
	db := openTest(t)
	written := Item{"b": Binary{1, 2}, "m": Map{"n": Int(1)}}
	if err := db.Put("p", "", written); err != nil {
		t.Fatal(err)
	}
	first := must[Item](t)(db.Get("p", ""))
	kept := maps.Clone(first)
	first["b"].(Binary)[0] = 9
	first["m"].(Map)["n"] = Null{}
	written["b"].(Binary)[1] = 9
	if err := db.Put("p", "", Item{}); err != nil {
		t.Fatal(err)
	}
	if kept["b"].(Binary)[1] != 2 {
		t.Error("an item that was read changed when its key was written")
	}
}

func TestVersion(t *testing.T) {
	if strings.Count(Version(), ".") != 2 {
		t.Error(Version())
	}
}

func TestTypesHaveDynamoDBsNames(t *testing.T) {
	values := []Value{
		String(""), Number("0"), Binary(nil), Bool(true), Null{}, List(nil), Map(nil), StringSet(nil), NumberSet(nil),
		BinarySet(nil),
	}
	names := ""
	for i, value := range values {
		if value.Type() != Type(i+1) {
			t.Errorf("%T is %d", value, value.Type())
		}
		names += value.Type().String() + " "
	}
	if names != "S N B BOOL NULL L M SS NS BS " || Type(200).String() != "?" {
		t.Error(names)
	}
}
