// Airports is a tour of kstone with real data, the airports of the United States:
//
//	go run . [-no-times] [../data/airports.csv]
//
// An item is stored under a partition key, here the state, and a sort key, here the airport's code. Items of one
// partition lie in the order of their sort keys, so ranges of them are read without a search.
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"
	"time"

	kstone "github.com/keystonedb/kstone/bindings/go"
)

// Airport is an item: a field is an attribute. Coordinates are numbers of exactly the digits that the file has.
type Airport struct {
	Name      string        `kstone:"name"`
	City      string        `kstone:"city"`
	Country   string        `kstone:"country"`
	Latitude  kstone.Number `kstone:"latitude"`
	Longitude kstone.Number `kstone:"longitude"`
}

// headings are the columns of the file.
var headings = []string{"iata", "name", "city", "state", "country", "latitude", "longitude"}

func main() {
	log.SetFlags(0)
	log.SetPrefix("airports: ")
	noTimes := flag.Bool("no-times", false, "leave out what differs from run to run")
	flag.Parse()
	path := "../data/airports.csv"
	if flag.NArg() > 0 {
		path = flag.Arg(0)
	}
	if err := run(os.Stdout, path, !*noTimes); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer, path string, times bool) error {
	db, err := kstone.OpenMemory()
	if err != nil {
		return err
	}
	defer db.Close() // and all that was stored is gone

	start := time.Now()
	loaded, err := load(db, path)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "kstone %s: loaded %d airports", kstone.Version(), loaded)
	if took := time.Since(start); times {
		fmt.Fprintf(out, " in %.1f ms, %.0f a second, reading the file included",
			float64(took.Microseconds())/1000, float64(loaded)/took.Seconds())
	}
	fmt.Fprintln(out, ".")

	for _, step := range []func(io.Writer, *kstone.DB) error{queryARange, scanEverything, readOne, changeOne,
		deleteOne} {
		if err := step(out, db); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\nDone.")
	return nil
}

// load stores each row of the file under (state, code); it says how many there are.
func load(db *kstone.DB, path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	rows := csv.NewReader(file)
	first, err := rows.Read()
	if err != nil {
		return 0, err
	}
	if !slices.Equal(first, headings) {
		return 0, fmt.Errorf("%s: the columns are %v, not %v", path, first, headings)
	}
	for loaded := 0; ; loaded++ {
		row, err := rows.Read()
		if err == io.EOF {
			return loaded, nil
		}
		if err != nil {
			return loaded, err
		}
		airport := Airport{
			Name: row[1], City: row[2], Country: row[4], Latitude: kstone.Number(row[5]), Longitude: kstone.Number(row[6]),
		}
		if err := db.Put(row[3], row[0], &airport); err != nil {
			return loaded, fmt.Errorf("%s: %s: %w", path, row[0], err)
		}
	}
}

func printAll(out io.Writer, entries []kstone.Entry) {
	for _, entry := range entries {
		fmt.Fprintf(out, "  %s  %s, %s\n", entry.SK, entry.Item["name"], entry.Item["city"])
	}
}

// queryARange reads a part of one partition: page by page where it is large, or one page of what is asked for.
func queryARange(out io.Writer, db *kstone.DB) error {
	query := kstone.Query{PK: "CA", SK: kstone.Between("SAC", "SFO")}
	var found []kstone.Entry
	for entry, err := range db.Query(context.Background(), query) {
		if err != nil {
			return err
		}
		found = append(found, entry)
	}
	fmt.Fprintf(out, "\nCalifornia from SAC to SFO, %d airports:\n", len(found))
	printAll(out, found)

	query.Reverse, query.Limit = true, 3
	page, err := db.QueryPage(query)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\nThe same range from its end, three of them:")
	printAll(out, page.Entries)
	return nil
}

// scanEverything reads all items; a page at a time crosses the boundary to the library.
func scanEverything(out io.Writer, db *kstone.DB) error {
	airports, stateless, abroad := 0, 0, 0
	for entry, err := range db.Scan(context.Background(), kstone.Scan{Limit: 500}) {
		if err != nil {
			return err
		}
		airports++
		if entry.PK == "NA" {
			stateless++
		}
		if entry.Item["country"] != kstone.String("USA") {
			abroad++
		}
	}
	fmt.Fprintf(out, "\nA scan in pages of 500: %d airports; %d have the state \"NA\", %d lie outside the USA.\n",
		airports, stateless, abroad)
	return nil
}

// readOne reads into a struct, and as JSON.
func readOne(out io.Writer, db *kstone.DB) error {
	var airport Airport
	if err := db.GetInto("NY", "JFK", &airport); err != nil {
		return err
	}
	json, err := db.GetJSON("NY", "JFK", kstone.PlainJSON)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s lies at %s north, %s west. As JSON:\n  %s\n", airport.Name, airport.Latitude,
		strings.TrimPrefix(string(airport.Longitude), "-"), json)
	return nil
}

// changeOne counts a visit, and refuses a change whose condition does not hold.
func changeOne(out io.Writer, db *kstone.DB) error {
	visit := kstone.Params{":one": 1}
	item, err := db.Update("NY", "JFK", "ADD visits :one", visit, kstone.Returning(kstone.ReturnUpdatedNew))
	if err != nil {
		return err
	}
	_, err = db.Update("NY", "JKF", "ADD visits :one", visit, kstone.If("attribute_exists(pk)", nil))
	if !errors.Is(err, kstone.ErrConditionFailed) {
		return fmt.Errorf("an airport that is not there was visited: %w", err)
	}
	fmt.Fprintf(out, "\nVisits of JFK: %s. Visiting JKF, which is not there, says %q.\n", item["visits"], err)
	return nil
}

func deleteOne(out io.Writer, db *kstone.DB) error {
	california := kstone.Query{PK: "CA"}
	before, err := db.QueryCount(context.Background(), california)
	if err != nil {
		return err
	}
	if err := db.Delete("CA", "SFO"); err != nil {
		return err
	}
	_, missing := db.Get("CA", "SFO")
	if !errors.Is(missing, kstone.ErrNotFound) {
		return fmt.Errorf("SFO is still there: %w", missing)
	}
	after, err := db.QueryCount(context.Background(), california)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nSFO deleted; getting it now says %q. California had %d airports and has %d.\n", missing,
		before, after)
	return nil
}
