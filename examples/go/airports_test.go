package main

import (
	"os"
	"strings"
	"testing"
)

// The binding's README shows what this program prints.
func TestTheReadmeShowsTheOutput(t *testing.T) {
	var out strings.Builder
	if err := run(&out, "../data/airports.csv", false); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../bindings/go/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```\n"+out.String()+"```\n") {
		t.Errorf("bindings/go/README.md does not show this:\n%s", &out)
	}
}

func TestAFileThatIsNoneIsAnError(t *testing.T) {
	var out strings.Builder
	for _, path := range []string{"nowhere.csv", "go.mod"} {
		if err := run(&out, path, false); err == nil {
			t.Error(path, out.String())
		}
	}
}
