//go:build cgo

package kstone

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func openScores(t *testing.T) (*DB, Item) {
	t.Helper()
	db := openTest(t, WithSchema(Schema{
		PartitionKey: &KeyAttribute{Name: "user", Type: "S"}, SortKey: &KeyAttribute{Name: "score", Type: "N"},
	}))
	whole := Item{"user": String("ann"), "score": Number("12"), "won": Bool(true)}
	if err := db.PutItem(whole); err != nil {
		t.Fatal(err)
	}
	return db, whole
}

func TestItemsOfTypedTablesAreWhole(t *testing.T) {
	db, whole := openScores(t)
	check := func(what string, item Item, err error) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(item, whole) {
			t.Errorf("%s: %v %v", what, item, err)
		}
	}
	item, err := db.Get("ann", "1.2e1")
	check("get", item, err)
	items, err := db.GetMany(Key{PK: "ann", SK: "12"}, Key{PK: "ann", SK: "13"})
	check("get many", items[0], err)
	if items[1] != nil {
		t.Error(items[1])
	}
	items, err = db.Batch(GetOp("ann", "12"))
	check("batch", items[0], err)
	page, err := db.QueryPage(Query{PK: "ann"})
	if err != nil || len(page.Entries) != 1 || page.Entries[0].SK != "12" {
		t.Fatal(page, err)
	}
	check("query", page.Entries[0].Item, err)
	for entry, err := range db.ScanSnapshot(context.Background(), Scan{}) {
		check("scan", entry.Item, err)
	}
	cursor, err := db.QueryCursor(Query{PK: "ann"})
	if err != nil || !cursor.Next() {
		t.Fatal(err)
	}
	check("cursor", cursor.Entry().Item, cursor.Err())
	if err := cursor.Close(); err != nil {
		t.Error(err)
	}
	var failed *Error
	if err := db.Put("ann", "12", Item{}, If("score < :n", Params{":n": 5}), ReturnOnFailure()); !errors.As(err, &failed) {
		t.Fatal(err)
	}
	check("the item of an error", failed.Item, nil)
	var old Item
	err = db.Put("ann", "12", Item{"v": String("new")}, ReturnOld(&old))
	check("the old item", old, err)
	text, err := db.GetJSON("ann", "12", PlainJSON)
	if err != nil || text != `{"score":12,"user":"ann","v":"new"}` {
		t.Error(text, err)
	}
}

func TestIndexesHaveTypedKeys(t *testing.T) {
	n, g := KeyAttribute{"n", "N"}, KeyAttribute{"g", "S"}
	schema := Schema{
		PartitionKey:  &KeyAttribute{"id", "S"},
		SortKey:       &KeyAttribute{"at", "N"},
		LocalIndexes:  []LocalIndex{{Name: "by-n", SortKey: "n", SortKeyType: "N"}, {Name: "by-any", SortKey: "any"}},
		GlobalIndexes: []GlobalIndex{{Name: "by-two", PartitionKeys: []KeyAttribute{g, n}}, {Name: "plain", PartitionKey: "g", SortKey: "n"}},
	}
	db := openTest(t, WithSchema(schema))
	if err := db.PutItem(Item{"id": String("a"), "at": Number("1"), "g": String("x"), "n": Number("2")}); err != nil {
		t.Fatal(err)
	}
	query := Query{Index: "by-two", KeyCondition: "g = :g AND n = :n", Params: Params{":g": "x", ":n": 2}}
	page, err := db.QueryPage(query)
	if err != nil || page.Count != 1 || page.Entries[0].PK != "a" {
		t.Error(page, err)
	}
	if err := db.PutItem(Item{"id": String("b"), "at": Number("1"), "g": Number("1")}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestWhatIsNoKeyOfATypedTableIsRefusedByName(t *testing.T) {
	db, _ := openScores(t)
	insert := PutItemOp(Item{"user": String("ann"), "score": Number("12")}, If("attribute_not_exists(score)", nil))
	if _, err := db.Transact(insert); !errors.Is(err, ErrConditionFailed) {
		t.Error(err)
	}
	if err := db.PutItem(Item{"user": String("ann")}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "score") {
		t.Error(err)
	}
	if _, err := db.Get("ann", ""); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "score") {
		t.Error(err)
	}
	type score struct {
		User  string `kstone:"user"`
		Score int    `kstone:"score"`
	}
	if err := db.PutItem(score{"bob", 7}); err != nil {
		t.Error(err)
	}
	if _, err := db.Get("bob", "7"); err != nil {
		t.Error(err)
	}
}
