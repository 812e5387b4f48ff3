//go:build cgo

package kstone

import (
	"errors"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
)

func TestEverySpellingHasOneCanonicalText(t *testing.T) {
	spellings := map[string]string{
		"0":                                   "0 -0 +0 0.0 -0.000 .0 0. 00 0E999999999999999999999 -0e-5 000.000E+7",
		"5":                                   "5 05 5.0 +5 5. 50E-1 0.5e1 .5E1 5e0 5E+0 5E-0 00005.0000 500000e-5",
		"-5":                                  "-5 -05 -5.0 -50e-1 -0.05E2",
		"0.5":                                 "0.5 .5 00.50 5E-1 +.5 0.5e0 0.05e+1",
		"-0.5":                                "-0.5 -.5 -5e-1",
		"1000":                                "1000 1E3 1e+3 1.000e3 0.001e6 1000.000 10E00000000000000000002",
		"12.34":                               "12.34 1234e-2 0.1234e2 012.3400",
		"100.001":                             "100.001 100001e-3 0.100001E3",
		"1" + strings.Repeat("0", 125):        "1E125 0.1e126",
		"0." + strings.Repeat("0", 129) + "1": "1E-130 0.1E-129",
	}
	for want, texts := range spellings {
		for text := range strings.FieldsSeq(texts) {
			if found, err := canonical(text); err != nil || found != want {
				t.Errorf("%s: expected %s, found %s, %v", text, want, found, err)
			}
		}
	}
}

func TestWhatIsNoNumberIsRefused(t *testing.T) {
	nines := strings.Repeat("9", 38)
	cases := map[string]string{
		"Number overflow.":  "1E126 -1E126 10E125 1e999999999 1e99999999999999999999999999 " + nines + "E89",
		"Number underflow.": "1E-131 -1E-131 0.1E-130 9.9E-131 1e-999999999 1e-99999999999999999999",
		"Attempting to store more than 38 significant digits": nines + "9 0." + nines + "9 1" + strings.Repeat("0",
			37) + "1",
		"cannot be converted to a numeric value": "- + . -. e e5 1e 1e+ 1e5.0 1.2.3 .. --1 +-1 1- 1,5 1_000 0x10 NaN inf " +
			"ten ٣ 1٣ ½ 1\x00 \xff $1 -e1 .e1",
	}
	for message, texts := range cases {
		for text := range strings.FieldsSeq(texts) {
			if found, err := canonical(text); err == nil || !strings.Contains(err.Error(), message) {
				t.Errorf("%q: expected %q, found %s, %v", text, message, found, err)
			}
		}
	}
	if _, err := canonical(""); err == nil {
		t.Error("nothing is no number")
	}
	if _, err := canonical(strings.Repeat("0", maxNumberBytes+1)); !errors.Is(public(err), ErrLimit) {
		t.Error("long text:", err)
	}
}

// What Go takes for a number the library takes too, in the same spelling; against math/big and the library.
func FuzzCanonical(f *testing.F) {
	for _, text := range []string{"0", "-1.50e2", "1E-130", ".5", "9.99e125", "1e", "00",
		"12345678901234567890123456789"} {
		f.Add(text)
	}
	db := openTest(f)
	f.Fuzz(func(t *testing.T, text string) {
		found, err := canonical(text)
		if strings.ContainsAny(text,
			"\"\\") || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			return // it would have to be escaped as JSON
		}
		if text != "" {
			jsonErr := db.PutJSON("p", "", `{"n":{"N":"`+text+`"}}`, TypedJSON)
			if (err == nil) != (jsonErr == nil) {
				t.Fatalf("%q: %v here, %v there", text, err, jsonErr)
			}
		}
		if err != nil {
			return
		}
		item, getErr := db.Get("p", "")
		if getErr != nil || item["n"] != Number(found) {
			t.Fatalf("%q: %v here, %v there", text, found, item)
		}
		if exact, ok := new(big.Rat).SetString(text); !ok || exact.Cmp(rat(found)) != 0 {
			t.Fatalf("%q is not %s", text, found)
		}
	})
}

func rat(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return r
}

func TestOrderIsNumeric(t *testing.T) {
	ascending := strings.Fields("-1000 -100.5 -100 -99.9 -10 -9 -1.5 -1.25 -1 -0.5 -0.05 -0.01 0 0.01 0.05 0.0501 0.5 1 " +
		"1.25 1.5 9 10 99.9 100 100.5 1000")
	if !slices.IsSortedFunc(ascending, compareNumbers) {
		t.Error("ascending numbers are not sorted")
	}
	for i, a := range ascending {
		for j, b := range ascending {
			if found := compareNumbers(a, b); (found < 0) != (i < j) || (found == 0) != (i == j) {
				t.Errorf("%s and %s: %d", a, b, found)
			}
		}
	}
}

func TestNumbersAndGoNumbers(t *testing.T) {
	for _, n := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64} {
		if found, err := Int(n).Int64(); err != nil || found != n {
			t.Error(n, found, err)
		}
	}
	if found := Int(uint64(math.MaxUint64)); found != "18446744073709551615" {
		t.Error(found)
	}
	for _, text := range []Number{"0.5", "9223372036854775808", "1e30"} {
		if found, err := text.Int64(); !errors.Is(err, ErrType) {
			t.Error(text, found, err)
		}
	}
	for _, f := range []float64{0, 0.1, -1.5, 1e100, 5e-100, math.Pi} {
		if found, err := Float(f).Float64(); err != nil || found != f {
			t.Error(f, found, err)
		}
	}
	if found, err := Number("1E3").Int64(); err != nil || found != 1000 {
		t.Error(found, err)
	}
	for _, n := range []Number{"x", Float(math.NaN()), Float(math.Inf(-1)), "1e999"} {
		_, intErr := n.Int64()
		_, floatErr := n.Float64()
		if !errors.Is(intErr, ErrInvalid) || !errors.Is(floatErr, ErrInvalid) {
			t.Error(n, intErr, floatErr)
		}
	}
}
