//go:build cgo

package kstone

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestManyItemsInOneCall(t *testing.T) {
	db := openTest(t)
	puts := make([]KeyedItem, 100)
	keys := make([]Key, 0, 202)
	for i := range puts {
		puts[i] = KeyedItem{PK: fmt.Sprint(i), SK: "s", Item: Item{"n": Number(fmt.Sprint(i))}}
		keys = append(keys, Key{puts[i].PK, "s"}, Key{puts[i].PK, ""})
	}
	keys = append(keys, keys[0], keys[2])
	if err := db.PutMany(puts...); err != nil {
		t.Fatal(err)
	}
	items, err := db.GetMany(keys...)
	if err != nil || len(items) != len(keys) {
		t.Fatal(len(items), err)
	}
	for i, item := range items[:200] {
		if i%2 == 1 {
			if item != nil {
				t.Errorf("%d: %v", i, item)
			}
		} else if !reflect.DeepEqual(item, puts[i/2].Item) {
			t.Errorf("%d: %v", i, item)
		}
	}
	if !reflect.DeepEqual(items[200:], []Item{items[0], items[2]}) {
		t.Error(items[200:])
	}
	if items, err := db.GetMany(); err != nil || len(items) != 0 {
		t.Error(items, err)
	}
	if err := db.PutMany(); err != nil {
		t.Error(err)
	}
}

func TestAWrongElementOfManyIsNamed(t *testing.T) {
	db := openTest(t)
	fine := KeyedItem{PK: "a", Item: Item{}}
	for _, wrong := range []KeyedItem{
		{PK: "", Item: Item{}},
		{PK: strings.Repeat("k", 2049), Item: Item{}},
		{PK: "b", Item: Item{"pk": String("c")}},
		{PK: "b", Item: Item{"": String("c")}},
	} {
		err := db.PutMany(fine, wrong, fine)
		var failure *Error
		if !errors.As(err, &failure) || failure.Index != 1 {
			t.Error(err)
		}
	}
	_, err := db.GetMany(Key{PK: "a"}, Key{})
	var failure *Error
	if !errors.As(err, &failure) || failure.Index != 1 || !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if n, err := db.Count(); n != 0 || err != nil {
		t.Error(n, err)
	}
}

func TestOneAttributeIsCopied(t *testing.T) {
	db := openTest(t)
	long := String(strings.Repeat("x", 5000))
	item := Item{"n": Number("-12.5"), "l": List{String("a"), Map{"deep": Bool(true)}}, "long": long, "z": Null{}}
	if err := db.Put("p", "s", item); err != nil {
		t.Fatal(err)
	}
	for path, expected := range map[string]Value{
		"n": item["n"], "l": item["l"], "l[1].deep": Bool(true), "long": long, "z": Null{},
	} {
		if value, err := db.GetAttribute("p", "s", path); err != nil || !reflect.DeepEqual(value, expected) {
			t.Error(path, value, err)
		}
	}
	for _, absent := range [][3]string{{"p", "s", "no"}, {"p", "s", "l[7]"}, {"p", "", "n"}} {
		if value, err := db.GetAttribute(absent[0], absent[1], absent[2]); !errors.Is(err, ErrNotFound) {
			t.Error(absent, value, err)
		}
	}
	if _, err := db.GetAttribute("p", "s", "l["); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}
