// The requests of DynamoDB's getting-started guide, sent to an account in this process: a table of songs is made,
// filled, read, changed, queried, scanned and deleted.
//
//	go run ./getting-started
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	kstone "github.com/keystonedb/kstone/bindings/go"
)

type object = map[string]any

func text(s string) object   { return object{"S": s} }
func number(n string) object { return object{"N": n} }

func key(artist, song string) object {
	return object{"Artist": text(artist), "SongTitle": text(song)}
}

func put(artist, song, album, awards string) object {
	item := key(artist, song)
	item["AlbumTitle"], item["Awards"] = text(album), number(awards)
	return object{"TableName": "Music", "Item": item}
}

var requests = []struct {
	operation string
	body      any
}{
	{"CreateTable", object{
		"TableName":   "Music",
		"BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []object{
			{"AttributeName": "Artist", "AttributeType": "S"},
			{"AttributeName": "SongTitle", "AttributeType": "S"},
		},
		"KeySchema": []object{
			{"AttributeName": "Artist", "KeyType": "HASH"},
			{"AttributeName": "SongTitle", "KeyType": "RANGE"},
		},
	}},
	{"PutItem", put("No One You Know", "Call Me Today", "Somewhat Famous", "1")},
	{"PutItem", put("No One You Know", "Howdy", "Somewhat Famous", "2")},
	{"PutItem", put("Acme Band", "Happy Day", "Songs About Life", "10")},
	{"PutItem", put("Acme Band", "PartiQL Rocks", "Another Album Title", "8")},
	{"GetItem", object{"TableName": "Music", "ConsistentRead": true, "Key": key("Acme Band", "Happy Day")}},
	{"UpdateItem", object{
		"TableName":                 "Music",
		"Key":                       key("Acme Band", "Happy Day"),
		"UpdateExpression":          "SET AlbumTitle = :newval",
		"ExpressionAttributeValues": object{":newval": text("Updated Album Title")},
		"ReturnValues":              "ALL_NEW",
	}},
	{"Query", object{
		"TableName":                 "Music",
		"KeyConditionExpression":    "Artist = :name",
		"ExpressionAttributeValues": object{":name": text("Acme Band")},
	}},
	{"Scan", object{
		"TableName":                 "Music",
		"FilterExpression":          "Awards < :few",
		"ExpressionAttributeValues": object{":few": number("2")},
	}},
	{"DeleteTable", object{"TableName": "Music"}},
	// What AWS refuses is an answer too, unless Account.Do makes an error of it.
	{"GetItem", object{"TableName": "Music", "Key": key("Acme Band", "Happy Day")}},
}

// run prints what AWS would answer, but for descriptions of tables, which are long and never the same.
func run(out io.Writer) error {
	account, err := kstone.OpenAccount(kstone.AccountOptions{})
	if err != nil {
		return err
	}
	defer account.Close()
	for _, request := range requests {
		answer, err := account.Call(request.operation, request.body)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %d", request.operation, answer.Status)
		if !strings.Contains(request.operation, "Table") {
			fmt.Fprintf(out, " %s", answer.Body)
		}
		fmt.Fprintln(out)
	}
	return nil
}

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}
