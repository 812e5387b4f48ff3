//go:build cgo

package kstone

import (
	"errors"
	"reflect"
	"sync"
	"testing"
)

func TestPreparedUpdatesTakeValuesByPositionAndName(t *testing.T) {
	db := openTest(t)
	add := must[*Prepared](t)(db.PrepareUpdate("SET #v = if_not_exists(#v, :zero) + :by", Params{"#v": "v"},
		If(":by <> :zero", nil), ReturnOnFailure()))
	if names := add.Parameters(); !reflect.DeepEqual(names, []string{":zero", ":by"}) {
		t.Fatal(names)
	}
	must[Item](t)(db.RunWrite(add, "a", "", WriteRun{Values: []any{0, 5}}))
	values := must[[]any](t)(add.Values(Params{":by": 2, ":zero": 0}))
	got := must[Item](t)(db.RunWrite(add, "a", "", WriteRun{Values: values, Returns: ReturnUpdatedNew}))
	if !reflect.DeepEqual(got, Item{"v": Number("7")}) {
		t.Error(got)
	}
	var failed *Error
	_, err := db.RunWrite(add, "a", "", WriteRun{Values: []any{0, 0}})
	if !errors.Is(err, ErrConditionFailed) || !errors.As(err, &failed) || failed.Item["v"] != Number("7") {
		t.Error(err)
	}
	for _, wrong := range []Params{{":by": 1}, {":by": 1, ":zero": 0, ":other": 1}} {
		if _, err := add.Values(wrong); !errors.Is(err, ErrInvalid) {
			t.Error(wrong, err)
		}
	}
}

func TestPreparedValuesOfEveryType(t *testing.T) {
	db := openTest(t)
	set := must[*Prepared](t)(db.PrepareUpdate("SET v = :v", nil))
	for _, value := range []Value{String(""), String("text"), Binary("\x00"), Bool(true), Null{}, Number("0.5"),
		List{Number("1"), List{Null{}}}, Map{"a": Map{"b": Bool(false)}}, StringSet{"x", "y"}, NumberSet{"1", "2"},
		BinarySet{[]byte("z")}} {
		must[Item](t)(db.RunWrite(set, "a", "", WriteRun{Values: []any{value}}))
		if got := must[Item](t)(db.Get("a", "")); !reflect.DeepEqual(got["v"], value) {
			t.Errorf("%#v became %#v", value, got["v"])
		}
	}
	text := "INSERT INTO items VALUE {'pk': 'many'"
	var values []any
	for i := range 40 {
		text += ", 'a" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + "': ?"
		values = append(values, i)
	}
	insert := must[*Prepared](t)(db.Prepare(text + "}"))
	must[[]Item](t)(db.Run(background, insert, values...))
	if got := must[Item](t)(db.Get("many", "")); len(got) != 40 || got["abn"] != Number("39") {
		t.Error(got)
	}
}

func TestPreparedPutsDeletesAndQueries(t *testing.T) {
	db := openTest(t)
	insert := must[*Prepared](t)(db.PreparePut(If("attribute_not_exists(#k)", Params{"#k": "pk"})))
	for _, sk := range []string{"1", "2", "3"} {
		must[Item](t)(db.RunWrite(insert, "p", sk, WriteRun{Item: Item{"v": Number(sk)}}))
	}
	if _, err := db.RunWrite(insert, "p", "1", WriteRun{Item: Item{}}); !errors.Is(err, ErrConditionFailed) {
		t.Error(err)
	}
	since := must[*Prepared](t)(db.PrepareQuery(Query{KeyCondition: "pk = :p AND sk >= :s",
		Filter: "v < :below"}))
	if got := must[[]Item](t)(db.Run(background, since, "p", "2", 3)); len(got) != 1 || got[0]["v"] != Number("2") {
		t.Error(got)
	}
	page := must[*Page](t)(db.RunPage(since, PageRun{Values: []any{"p", "1", 9}, Limit: 2}))
	rest := must[*Page](t)(db.RunPage(since, PageRun{Values: []any{"p", "1", 9}, Token: page.Token}))
	if page.Count != 2 || rest.Count != 1 || rest.Token != nil {
		t.Error(page, rest)
	}
	remove := must[*Prepared](t)(db.PrepareDelete(If("v = :v", nil)))
	old := must[Item](t)(db.RunWrite(remove, "p", "3", WriteRun{Values: []any{3}, Returns: ReturnAllOld}))
	if old["v"] != Number("3") {
		t.Error(old)
	}
}

func TestPreparedRunsOnForksAndOutlivesItsDatabase(t *testing.T) {
	db := must[*DB](t)(OpenMemory())
	add := must[*Prepared](t)(db.PrepareUpdate("ADD v :n", nil))
	fork := must[*DB](t)(db.Fork())
	defer fork.Close()
	db.Close()
	if _, err := db.RunWrite(add, "a", "", WriteRun{Values: []any{1}}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	must[Item](t)(fork.RunWrite(add, "a", "", WriteRun{Values: []any{1}}))
	if got := must[Item](t)(fork.Get("a", "")); got["v"] != Number("1") {
		t.Error(got)
	}
}

func TestWhatDoesNotFitAPreparedRequestIsRefused(t *testing.T) {
	db := openTest(t)
	set := must[*Prepared](t)(db.PrepareUpdate("SET v = :a, w = :b", nil))
	for _, values := range [][]any{nil, {1}, {1, 2, 3}, {1, StringSet{}}, {1, make(chan int)}} {
		if _, err := db.RunWrite(set, "k", "", WriteRun{Values: values}); err == nil {
			t.Error(values)
		}
	}
	if _, err := db.Run(background, set, 1, 2); !errors.Is(err, ErrMisuse) {
		t.Error(err)
	}
	if _, err := db.RunWrite(set, "k", "", WriteRun{Item: Item{}, Values: []any{1, 2}}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := db.RunWrite(nil, "k", "", WriteRun{}); !errors.Is(err, ErrMisuse) {
		t.Error(err)
	}
	if _, err := db.Run(background, nil); !errors.Is(err, ErrMisuse) {
		t.Error(err)
	}
	var old Item
	for _, err := range []error{
		second(db.Prepare("SELECT FROM")),
		second(db.PrepareUpdate("SET pk = :v", nil)),
		second(db.PrepareUpdate("SET v = :v", Params{":v": 1})),
		second(db.PreparePut(ReturnOld(&old))),
		second(db.PrepareQuery(Query{})),
	} {
		if !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	}
	if _, err := db.Get("k", ""); !errors.Is(err, ErrNotFound) {
		t.Error("something was written:", err)
	}
}

func second(_ *Prepared, err error) error { return err }

func TestManyGoroutinesRunOnePreparedUpdate(t *testing.T) {
	db := openTest(t)
	add := must[*Prepared](t)(db.PrepareUpdate("ADD v :n", nil))
	var group sync.WaitGroup
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 200 {
				if _, err := db.RunWrite(add, "sum", "", WriteRun{Values: []any{1}}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	if got := must[Item](t)(db.Get("sum", "")); got["v"] != Number("800") {
		t.Error(got)
	}
}
