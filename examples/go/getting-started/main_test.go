package main

import (
	"os"
	"strings"
	"testing"
)

// The guide's requests are answered alike in every language.
func TestTheOutputIsThatOfTheOthers(t *testing.T) {
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	expected, err := os.ReadFile("../../data/getting-started.txt")
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(expected) {
		t.Errorf("expected\n%s\nfound\n%s", expected, &out)
	}
}
