//go:build cgo

package kstone

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

// golden gives the rows of the table in docs/stored-form.md: an item as typed JSON, and its bytes.
func golden(t *testing.T) map[string]string {
	text, err := os.ReadFile("../../docs/stored-form.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(text)) {
		row, found := strings.CutPrefix(strings.TrimSuffix(line, " |\n"), "| `{")
		left, right, both := strings.Cut(row, "` |")
		if !found || !both {
			continue
		}
		body, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(right, " `"), " ", ""))
		if err != nil {
			t.Fatal(line, err)
		}
		rows["{"+left] = string(body)
	}
	if len(rows) < 20 {
		t.Fatalf("only %d rows", len(rows))
	}
	return rows
}

func TestTheStoredFormIsTheDocumentedOne(t *testing.T) {
	for text, body := range golden(t) {
		var item Item
		if err := json.Unmarshal([]byte(text), &item); err != nil {
			t.Fatal(text, err)
		}
		written, err := appendBody(nil, item)
		if err != nil || string(written) != body {
			t.Errorf("%s: %x, %v", text, written, err)
		}
		read, err := decodeItem(body)
		if err != nil || !reflect.DeepEqual(read, item) {
			t.Errorf("%s: %v, %v", text, read, err)
		}
		again, err := json.Marshal(read)
		if err != nil || string(again) != text {
			t.Errorf("%s: %s, %v", text, again, err)
		}
	}
}

func TestLongPayloadsHaveLongLengths(t *testing.T) {
	for _, length := range []int{0, 127, 128, 16_383, 16_384, 300_000} {
		text := strings.Repeat("x", length)
		item := Item{"l": List{List{String(text)}, String("after")}, "z": String(text)}
		body, err := appendBody(nil, item)
		if err != nil {
			t.Fatal(err)
		}
		read, err := decodeItem(string(body))
		if err != nil || !reflect.DeepEqual(read, item) {
			t.Errorf("%d bytes do not come back: %v", length, err)
		}
	}
}

// The library is the judge of what is written: it checks every byte of a put.
func TestTheLibraryTakesEveryValue(t *testing.T) {
	db := openTest(t)
	deep := Value(Int(1))
	for range maxLevels {
		deep = List{deep}
	}
	item := Item{
		"s": String("a\x00é"), "empty": String(""), "n": Number("+1.50e2"), "tiny": Number("-1E-130"),
		"huge": Number("9.9999999999999999999999999999999999999E125"), "b": Binary("\x00\xff"), "nothing": Binary{},
		"t": Bool(true), "f": Bool(false), "null": Null{}, "nil": nil, "l": List{Null{}, List{}}, "m": Map{"é": Map{}},
		"ss": StringSet{"b", "", "a"}, "ns": NumberSet{"10", "9", "-1", "0.50"}, "bs": BinarySet{{2}, {}, {1, 0}},
		"deep": deep,
	}
	if err := db.Put("p", "", item); err != nil {
		t.Fatal(err)
	}
	want := Item{}
	for name, value := range item {
		want[name] = value
	}
	want["n"], want["tiny"] = Number("150"), Number("-0."+strings.Repeat("0", 129)+"1")
	want["huge"] = Number(strings.Repeat("9", 38) + strings.Repeat("0", 88))
	want["nil"], want["ss"] = Null{}, StringSet{"", "a", "b"}
	want["ns"], want["bs"] = NumberSet{"-1", "0.5", "9", "10"}, BinarySet{{}, {1, 0}, {2}}
	read, err := db.Get("p", "")
	if err != nil || !reflect.DeepEqual(read, want) {
		t.Errorf("%v\n%v, %v", want, read, err)
	}
	if item["ss"].(StringSet)[0] != "b" {
		t.Error("the caller's set was put in order")
	}
}

func TestAPointerToAValueIsTheValue(t *testing.T) {
	text, none := String("x"), (*String)(nil)
	body, err := appendBody(nil, Item{"a": &text, "b": none})
	if err != nil {
		t.Fatal(err)
	}
	read, err := decodeItem(string(body))
	if err != nil || !reflect.DeepEqual(read, Item{"a": String("x"), "b": Null{}}) {
		t.Error(read, err)
	}
	if text, err := json.Marshal(Item{"a": &text, "b": none}); string(text) != `{"a":{"S":"x"},"b":{"NULL":true}}` {
		t.Errorf("%s, %v", text, err)
	}
}

func TestWhatNoItemMayHoldIsRefusedByName(t *testing.T) {
	deep := Value(Int(1))
	for range maxLevels + 1 {
		deep = List{deep}
	}
	cases := []struct {
		item    Item
		code    Code
		message string
	}{
		{Item{"": Null{}}, ErrInvalid, "an attribute name may not be empty"},
		{Item{strings.Repeat("n", 65_536): Null{}}, ErrLimit, "Attribute name has exceeded"},
		{Item{"\xff": Null{}}, ErrInvalid, "an attribute name is not UTF-8"},
		{Item{"a": String("\xff")}, ErrInvalid, "the text is not UTF-8 (attribute a)"},
		{Item{"a": Number("ten")}, ErrInvalid, "cannot be converted to a numeric value: ten (attribute a)"},
		{Item{"a": List{Null{}, Map{"b": Number("1e999")}}}, ErrInvalid, "Number overflow."},
		{Item{"a": List{Null{}, Map{"b": Number("1e999")}}}, ErrInvalid, "(attribute a[1].b)"},
		{Item{"a": StringSet{}}, ErrInvalid, "An string set  may not be empty (attribute a)"},
		{Item{"a": NumberSet{}}, ErrInvalid, "An number set  may not be empty (attribute a)"},
		{Item{"a": BinarySet{}}, ErrInvalid, "Binary sets should not be empty (attribute a)"},
		{Item{"a": StringSet{"x", "y", "x"}}, ErrInvalid, "[x, x, y] contains duplicates. (attribute a)"},
		{Item{"a": NumberSet{"1", "1.0"}}, ErrInvalid, "[1, 1] contains duplicates. (attribute a)"},
		{Item{"a": BinarySet{{255}, {255}}}, ErrInvalid, "[ff, ff] contains duplicates. (attribute a)"},
		{Item{"a": StringSet{"\xff"}}, ErrInvalid, "the text is not UTF-8 (attribute a[0])"},
		{Item{"a": NumberSet{"1", "x"}}, ErrInvalid, "(attribute a[1])"},
		{Item{"a": deep}, ErrLimit, "Nesting Levels has exceeded the maximum allowed size: the limit is 32 levels"},
		{Item{"a": String(strings.Repeat("x", 400<<10))}, ErrLimit, "Item size has exceeded"},
		{Item{"pk": String("q")}, ErrInvalid, "the attribute pk must equal the item's key"},
	}
	db := openTest(t)
	for _, c := range cases {
		err := db.Put("p", "", c.item)
		var failed *Error
		if !errors.Is(err, c.code) || !errors.As(err, &failed) || !strings.Contains(failed.Message, c.message) ||
			failed.Name != "ValidationException" || failed.Index != -1 {
			t.Errorf("expected %v, %q; found %v", c.code, c.message, err)
		}
	}
	if _, err := db.Get("p", ""); !errors.Is(err, ErrNotFound) {
		t.Error("a put that failed has written:", err)
	}
}

// FuzzDecode: whatever the bytes, reading ends without a panic; what reads as an item is written as it was, or refused.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x01a\x07\x0d\x01l\x06\x09\x07\x05\x01n\x02\x017\x06\x00"))
	f.Add([]byte("\x01a\x08\x07\x01a\x02ab\x01b"))
	f.Add([]byte("\x01a\x80"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if item, err := decodeItem(string(body)); err == nil {
			_, _ = appendBody(nil, item)
		}
		_, _ = decodeEntries(body)
		var into any = &struct {
			A any `kstone:"a"`
			L []int
			M map[string]Value
		}{}
		_ = unmarshalBody(string(body), into)
	})
}

func TestMalformedBytesAreAnError(t *testing.T) {
	body := "\x01a\x06\x06\x02\x011\x01\x01x"
	for cut := 1; cut < len(body); cut++ {
		if item, err := decodeItem(body[:cut]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d bytes: %v, %v", cut, item, err)
		}
		var into map[string]any
		if err := unmarshalBody(body[:cut], &into); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d bytes: %v, %v", cut, into, err)
		}
	}
	nested := "\x05\x00"
	for range 100 {
		nested = "\x06" + string(appendVarint(nil, len(nested))) + nested
	}
	if _, err := decodeItem("\x01a" + nested); !errors.Is(err, ErrCorrupt) {
		t.Error("a hundred levels:", err)
	}
	for _, page := range []string{"\x01", "\x01\x00\x00\x00\x00\x00\x00\x00", "\x01\x00\x00\x00\x01\x00\x00\x00px"} {
		if entries, err := decodeEntries([]byte(page)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%q: %v, %v", page, entries, err)
		}
	}
}
