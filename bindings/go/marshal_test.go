//go:build cgo

package kstone

import (
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

type address struct {
	City string `kstone:"city"`
	Zip  *int   `kstone:"zip,omitempty"`
}

type base struct {
	ID      uint64 `kstone:"id"`
	Version int
}

type celsius float64

func (c celsius) MarshalKstone() (Value, error) {
	if c < -273.15 {
		return nil, errAbsoluteZero
	}
	return Map{"celsius": Float(float64(c))}, nil
}

func (c *celsius) UnmarshalKstone(value Value) error {
	m, ok := value.(Map)
	if !ok {
		return errAbsoluteZero
	}
	n, _ := m["celsius"].(Number)
	f, err := n.Float64()
	*c = celsius(f)
	return err
}

var errAbsoluteZero = errors.New("colder than can be")

type everything struct {
	base
	Text     string              `kstone:"text"`
	Bool     bool                `kstone:"bool"`
	Int      int8                `kstone:"int"`
	Uint     uint16              `kstone:"uint"`
	Float    float32             `kstone:"float"`
	Exact    Number              `kstone:"exact"`
	Bytes    []byte              `kstone:"bytes"`
	Array    [3]byte             `kstone:"array"`
	List     []address           `kstone:"list"`
	Map      map[string]int      `kstone:"map"`
	ByNumber map[int]string      `kstone:"by_number"`
	Address  address             `kstone:"address"`
	Pointer  *address            `kstone:"pointer"`
	Nothing  *address            `kstone:"nothing"`
	Any      any                 `kstone:"any"`
	Value    Value               `kstone:"value"`
	Texts    []string            `kstone:"texts,set"`
	Numbers  []int               `kstone:"numbers,set"`
	Exacts   NumberSet           `kstone:"exacts"`
	Binaries [][]byte            `kstone:"binaries,set"`
	Keys     map[string]struct{} `kstone:"keys,set"`
	NoSet    []string            `kstone:"no_set,set"`
	Time     time.Time           `kstone:"time"`
	Expires  time.Time           `kstone:"expires,unixtime"`
	Addr     netip.Addr          `kstone:"addr"`
	Warmth   celsius             `kstone:"warmth"`
	Left     string              `kstone:"-"`
	Empty    string              `kstone:"empty,omitempty"`
	Zero     time.Time           `kstone:"zero,omitzero"`
	hidden   int
}

func sampleOfEverything() everything {
	zip := 1234
	return everything{
		base: base{ID: math.MaxUint64, Version: 2}, Text: "text", Bool: true, Int: -5, Uint: 7, Float: 0.1, Exact: "0.25",
		Bytes: []byte{0, 255}, Array: [3]byte{1, 2, 3}, List: []address{{City: "Oslo", Zip: &zip}, {}},
		Map: map[string]int{"b": 2, "a": 1}, ByNumber: map[int]string{-1: "x"}, Address: address{City: "Bergen"},
		Pointer: &address{City: "Alta"}, Any: []any{"x", Number("1"), nil, true, map[string]any{"k": []byte{1}}},
		Value: List{Null{}}, Texts: []string{"b", "a"}, Numbers: []int{10, 9}, Exacts: NumberSet{"1", "2"},
		Binaries: [][]byte{{1}}, Keys: map[string]struct{}{"k": {}}, Time: time.Date(2024, 5, 17, 1, 2, 3, 4, time.UTC),
		Expires: time.Unix(1_700_000_000, 0), Addr: netip.MustParseAddr("192.0.2.1"), Warmth: 21.5,
		Left: "left out", hidden: 1,
	}
}

func TestAStructIsAnItem(t *testing.T) {
	item, err := Marshal(sampleOfEverything())
	want := Item{
		"id": Number("18446744073709551615"), "Version": Number("2"), "text": String("text"), "bool": Bool(true),
		"int": Number("-5"), "uint": Number("7"), "float": Number("0.1"), "exact": Number("0.25"),
		"bytes": Binary{0, 255}, "array": Binary{1, 2, 3},
		"list": List{Map{"city": String("Oslo"), "zip": Number("1234")}, Map{"city": String("")}},
		"map":  Map{"a": Number("1"), "b": Number("2")}, "by_number": Map{"-1": String("x")},
		"address": Map{"city": String("Bergen")}, "pointer": Map{"city": String("Alta")}, "nothing": Null{},
		"any":   List{String("x"), Number("1"), Null{}, Bool(true), Map{"k": Binary{1}}},
		"value": List{Null{}}, "texts": StringSet{"a", "b"}, "numbers": NumberSet{"9", "10"},
		"exacts":   NumberSet{"1", "2"},
		"binaries": BinarySet{{1}}, "keys": StringSet{"k"}, "no_set": Null{},
		"time": String("2024-05-17T01:02:03.000000004Z"), "expires": Number("1700000000"), "addr": String("192.0.2.1"),
		"warmth": Map{"celsius": Number("21.5")},
	}
	if err != nil || !reflect.DeepEqual(item, want) {
		t.Errorf("expected %v\nfound    %v, %v", want, item, err)
	}
}

func TestAnItemIsReadIntoTheStructItWas(t *testing.T) {
	written := sampleOfEverything()
	db := openTest(t)
	if err := db.Put("p", "s", &written); err != nil {
		t.Fatal(err)
	}
	var read, again everything
	if err := db.GetInto("p", "s", &read); err != nil {
		t.Fatal(err)
	}
	written.Left, written.hidden = "", 0
	written.Texts, written.Numbers = []string{"a", "b"}, []int{9, 10}
	if !reflect.DeepEqual(read, written) {
		t.Errorf("expected %+v\nfound    %+v", written, read)
	}
	if err := Unmarshal(must[Item](t)(db.Get("p", "s")), &again); err != nil || !reflect.DeepEqual(again, read) {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestMapsAndPointersAreItems(t *testing.T) {
	zip := 5
	inner := &address{City: "Oslo", Zip: &zip}
	want := Item{"city": String("Oslo"), "zip": Number("5")}
	for _, v := range []any{inner, &inner, *inner, map[string]any{"city": "Oslo", "zip": 5}, want, &want} {
		if item, err := Marshal(v); err != nil || !reflect.DeepEqual(item, want) {
			t.Errorf("%T: %v, %v", v, item, err)
		}
	}
	if item, err := Marshal(celsius(1)); err != nil || item["celsius"] != Number("1") {
		t.Error(item, err)
	}
	into := map[string]int{"other": 1}
	if err := Unmarshal(Item{"a": Number("2")}, &into); err != nil || into["a"] != 2 || into["other"] != 1 {
		t.Error(into, err)
	}
	var pointer *address
	if err := Unmarshal(want, &pointer); err != nil || *pointer.Zip != 5 {
		t.Error(pointer, err)
	}
	var whole Item
	if err := Unmarshal(want, &whole); err != nil || !reflect.DeepEqual(whole, want) {
		t.Error(whole, err)
	}
}

func TestWhatGoHasForEachTypeInAnAny(t *testing.T) {
	item := Item{
		"s": String("x"), "n": Number("1.50"), "b": Binary{1}, "t": Bool(true), "z": Null{}, "l": List{String("y")},
		"m": Map{"k": Number("2")}, "ss": StringSet{"a"}, "ns": NumberSet{"1"}, "bs": BinarySet{{2}},
	}
	want := map[string]any{
		"s": "x", "n": Number("1.5"), "b": []byte{1}, "t": true, "z": nil, "l": []any{"y"},
		"m": map[string]any{"k": Number("2")}, "ss": []string{"a"}, "ns": []Number{"1"}, "bs": [][]byte{{2}},
	}
	var found any
	if err := Unmarshal(item, &found); err != nil || !reflect.DeepEqual(found, want) {
		t.Error(found, err)
	}
	if again, err := Marshal(found); err != nil || again["n"] != Number("1.5") || again["l"].Type() != TypeL {
		t.Error(again, err)
	}
}

func TestEmbeddedStructsFollowEncodingJSON(t *testing.T) {
	type Deep struct{ A, B string }
	type Left struct {
		Deep
		B string
		C string
	}
	type Right struct{ C, D string }
	type Tagged struct {
		X string `kstone:"D"`
	}
	type node struct {
		*Left
		Right
		Tagged
		N string
	}
	item, err := Marshal(node{Left: &Left{Deep{"a", "hidden"}, "b", "both"}, Right: Right{"both", "hidden"},
		Tagged: Tagged{"d"}})
	want := Item{"A": String("a"), "B": String("b"), "D": String("d"), "N": String("")}
	if err != nil || !reflect.DeepEqual(item, want) {
		t.Error(item, err)
	}
	var back node
	if err := Unmarshal(want, &back); err != nil || back.Left == nil || back.A != "a" || back.X != "d" {
		t.Errorf("%+v, %v", back, err)
	}
	if item, err := Marshal(node{}); err != nil || len(item) != 2 {
		t.Error("a nil embedded pointer has no attributes:", item, err)
	}
	type Ring struct {
		*Ring
		A string
	}
	if item, err := Marshal(Ring{A: "x"}); err != nil || len(item) != 1 {
		t.Error("a struct that embeds itself:", item, err)
	}
}

func TestAnEmbeddedPointerToWhatIsNotExportedIsReadWhereItIsThere(t *testing.T) {
	type hidden struct{ A int }
	type node struct{ *hidden }
	want := Item{"A": Int(1)}
	if item, err := Marshal(node{&hidden{1}}); err != nil || !reflect.DeepEqual(item, want) {
		t.Error(item, err)
	}
	made := node{&hidden{}}
	if err := Unmarshal(want, &made); err != nil || made.A != 1 {
		t.Error(made, err)
	}
	var none node
	if err := Unmarshal(want, &none); !errors.Is(err, ErrMisuse) || !strings.Contains(err.Error(), "kstone.hidden is nil") {
		t.Error(none, err)
	}
	if item, err := Marshal(none); err != nil || len(item) != 0 {
		t.Error(item, err)
	}
}

func TestWhatIsNoItemIsRefused(t *testing.T) {
	type pointer *pointer
	var self pointer
	self = &self
	var loop any
	loop = &loop
	type list struct{ Next *list }
	ring := &list{}
	ring.Next = ring
	cases := []struct {
		v       any
		code    Code
		message string
	}{
		{nil, ErrInvalid, "an item is a map or a struct, not nil"},
		{(*address)(nil), ErrInvalid, "not a value of type *kstone.address"},
		{5, ErrInvalid, "not a value of type int"},
		{time.Now(), ErrInvalid, "not a value of type time.Time"},
		{String("x"), ErrInvalid, "not a value of type kstone.String"},
		{self, ErrInvalid, "an item is a map or a struct"},
		{map[string]any{"a": self}, ErrLimit, "Nesting Levels"},
		{map[string]any{"a": loop}, ErrLimit, "Nesting Levels"},
		{ring, ErrLimit, "Nesting Levels"},
		{map[string]any{"a": make(chan int)}, ErrInvalid,
			"a value of type chan int has no type of DynamoDB's (attribute a)"},
		{map[string]any{"a": []float64{1, math.NaN()}}, ErrInvalid, "(attribute a[1])"},
		{map[string]any{"a": math.Inf(1)}, ErrInvalid, "cannot be converted to a numeric value: +Inf"},
		{map[string]any{"a": 1e200}, ErrInvalid, "Number overflow."},
		{map[bool]int{true: 1}, ErrInvalid, "a map's keys are strings or integers, not of type bool"},
		{struct {
			A []bool `kstone:"a,set"`
		}{[]bool{true}}, ErrInvalid, "a set's elements are texts, numbers or bytes, not of type bool (attribute a)"},
		{struct {
			A []string `kstone:"a,set"`
		}{[]string{"x", "x"}}, ErrInvalid, "contains duplicates. (attribute a)"},
	}
	for _, c := range cases {
		item, err := Marshal(c.v)
		if !errors.Is(err, c.code) || !strings.Contains(err.Error(), c.message) {
			t.Errorf("expected %q, found %v, %v", c.message, item, err)
		}
	}
	if _, err := Marshal(map[string]celsius{"a": -300}); !errors.Is(err, errAbsoluteZero) {
		t.Error("a Marshaler's error is lost:", err)
	}
}

func TestWhatDoesNotFitIsATypeError(t *testing.T) {
	var into struct {
		Int   int8                `kstone:"int"`
		Uint  uint                `kstone:"uint"`
		F     float32             `kstone:"f"`
		Text  string              `kstone:"text"`
		Exact Number              `kstone:"exact"`
		Bool  bool                `kstone:"bool"`
		Ints  []int               `kstone:"ints"`
		Set   map[string]struct{} `kstone:"set"`
		Map   map[int]string      `kstone:"map"`
		Time  time.Time           `kstone:"time,unixtime"`
		Deep  struct{ L []struct{ N int8 } }
	}
	cases := []struct {
		item Item
		want string
	}{
		{Item{"int": Number("128")}, "cannot read N 128 into a value of type int8 (attribute int)"},
		{Item{"int": Number("1.5")}, "cannot read N 1.5 into a value of type int8 (attribute int)"},
		{Item{"uint": Number("-1")}, "cannot read N -1 into a value of type uint (attribute uint)"},
		{Item{"f": Number("1e100")}, "into a value of type float32 (attribute f)"},
		{Item{"text": Number("1")}, "cannot read N 1 into a value of type string (attribute text)"},
		{Item{"text": Binary{1}}, "cannot read B into a value of type string (attribute text)"},
		{Item{"exact": String("1")}, "cannot read S into a value of type kstone.Number (attribute exact)"},
		{Item{"bool": String("true")}, "cannot read S into a value of type bool (attribute bool)"},
		{Item{"ints": StringSet{"a"}}, "cannot read S into a value of type int (attribute ints[0])"},
		{Item{"ints": Map{}}, "cannot read M into a value of type []int (attribute ints)"},
		{Item{"set": NumberSet{"1"}}, "cannot read N 1 into a value of type string (attribute set)"},
		{Item{"map": Map{"x": String("y")}}, "cannot read S into a value of type int (attribute map.x)"},
		{Item{"time": Number("1.5")}, "cannot read N 1.5 into a value of type time.Time (attribute time)"},
		{Item{"Deep": Map{"L": List{Map{}, Map{"N": Number("300")}}}}, "type int8 (attribute Deep.L[1].N)"},
	}
	for _, c := range cases {
		err := Unmarshal(c.item, &into)
		var misfit *UnmarshalTypeError
		if !errors.Is(err, ErrType) || !errors.As(err, &misfit) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("expected %q, found %v", c.want, err)
		}
	}
	for _, nowhere := range []any{nil, into, (*address)(nil)} {
		if err := Unmarshal(Item{}, nowhere); !errors.Is(err, ErrMisuse) {
			t.Errorf("%T: %v", nowhere, err)
		}
	}
	var warm struct{ W celsius }
	if err := Unmarshal(Item{"W": String("hot")}, &warm); !errors.Is(err, errAbsoluteZero) {
		t.Error("an Unmarshaler's error is lost:", err)
	}
}

func TestNullMakesZeroAndOtherAttributesArePassedOver(t *testing.T) {
	zip := 1
	into := address{City: "Oslo", Zip: &zip}
	if err := Unmarshal(Item{"zip": Null{}, "unknown": List{Bool(true)}, "City": String("other case")},
		&into); err != nil ||
		into.Zip != nil || into.City != "Oslo" {
		t.Errorf("%+v, %v", into, err)
	}
	if err := Unmarshal(Item{"city": Null{}}, &into); err != nil || into.City != "" {
		t.Errorf("%+v, %v", into, err)
	}
}

func TestArraysTakeWhatFits(t *testing.T) {
	into := struct {
		B [2]byte
		L [2]string
		S [3]int
	}{B: [2]byte{9, 9}, S: [3]int{9, 9, 9}}
	err := Unmarshal(Item{"B": Binary{1, 2, 3}, "L": List{String("a"), String("b"), String("c")},
		"S": NumberSet{"1"}}, &into)
	if err != nil || into.B != [2]byte{1, 2} || into.L != [2]string{"a", "b"} || into.S != [3]int{1, 0, 0} {
		t.Error(into, err)
	}
}
