//go:build cgo

package kstone_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	kstone "github.com/keystonedb/kstone/bindings/go"
)

func open() *kstone.DB {
	db, err := kstone.OpenMemory()
	if err != nil {
		log.Fatal(err)
	}
	return db
}

func Example() {
	type Order struct {
		Price kstone.Number `kstone:"price"`
		Tags  []string      `kstone:"tags,set,omitempty"`
	}
	db, err := kstone.OpenMemory()
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for day, price := range map[string]kstone.Number{"2024-05-17": "12.50", "2024-05-18": "3", "2024-06-01": "99"} {
		if err := db.Put("ada", day, Order{Price: price}); err != nil {
			log.Fatal(err)
		}
	}
	for entry, err := range db.Query(context.Background(), kstone.Query{PK: "ada", SK: kstone.BeginsWith("2024-05")}) {
		if err != nil {
			log.Fatal(err)
		}
		var order Order
		if err := kstone.Unmarshal(entry.Item, &order); err != nil {
			log.Fatal(err)
		}
		fmt.Println(entry.SK, order.Price)
	}
	// Output:
	// 2024-05-17 12.5
	// 2024-05-18 3
}

func ExampleIf() {
	db := open()
	defer db.Close()
	for _, who := range []string{"Ada", "Bo"} {
		seat := kstone.Item{"who": kstone.String(who)}
		err := db.Put("seat#12A", "", seat, kstone.If("attribute_not_exists(pk)", nil), kstone.ReturnOnFailure())
		var failed *kstone.Error
		switch {
		case errors.Is(err, kstone.ErrConditionFailed) && errors.As(err, &failed):
			fmt.Println("taken by", failed.Item["who"])
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Println(who, "has it")
		}
	}
	// Output:
	// Ada has it
	// taken by Ada
}

func ExampleDB_Update() {
	db := open()
	defer db.Close()
	for range 3 {
		item, err := db.Update("page#1", "", "ADD visits :one", kstone.Params{":one": 1},
			kstone.Returning(kstone.ReturnUpdatedNew))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(item["visits"])
	}
	// Output:
	// 1
	// 2
	// 3
}

func ExampleDB_Transact() {
	db := open()
	defer db.Close()
	if err := db.Put("ada", "", kstone.Item{"cents": kstone.Int(100)}); err != nil {
		log.Fatal(err)
	}
	cents := kstone.Params{":c": 150}
	_, err := db.Transact(
		kstone.UpdateOp("ada", "", "SET cents = cents - :c", cents, kstone.If("cents >= :c", nil)),
		kstone.UpdateOp("bo", "", "ADD cents :c", cents))
	var failed *kstone.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Name, "because of operation", failed.Index)
	}
	// Output: TransactionCanceledException because of operation 0
}

func ExampleMarshal() {
	item, err := kstone.Marshal(struct {
		Name  string         `kstone:"name"`
		Tags  []string       `kstone:"tags,set"`
		Sizes map[string]int `kstone:"sizes"`
		Note  string         `kstone:"note,omitempty"`
	}{Name: "Mill", Tags: []string{"used", "novel"}, Sizes: map[string]int{"pages": 579}})
	if err != nil {
		log.Fatal(err)
	}
	text, err := item.MarshalJSON()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
	// Output: {"name":{"S":"Mill"},"sizes":{"M":{"pages":{"N":"579"}}},"tags":{"SS":["novel","used"]}}
}
