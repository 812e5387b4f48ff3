//go:build cgo

package kstone

import (
	"os"
	"strings"
	"testing"
)

// openTest opens a database that is closed when the test ends.
func openTest(t testing.TB, opts ...Option) *DB {
	t.Helper()
	db, err := OpenMemory(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// must passes a value on where its error is nil.
func must[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// source reads a file of the checkout.
func source(t *testing.T, path string) string {
	t.Helper()
	return string(must[[]byte](t)(os.ReadFile(path)))
}

func TestTheReadmeShowsTheExample(t *testing.T) {
	_, rest, _ := strings.Cut(source(t, "example_test.go"), "func Example() {\n")
	body, _, found := strings.Cut(rest, "\t// Output:")
	body = strings.TrimPrefix(strings.ReplaceAll("\n"+body, "\n\t", "\n"), "\n")
	if !found || !strings.Contains(source(t, "README.md"), "```go\n"+body+"```\n") {
		t.Errorf("README.md does not show this:\n%s", body)
	}
}

func TestTheLibrariesAreTheRecordedOnes(t *testing.T) {
	_, rest, _ := strings.Cut(source(t, "../../cmake/kstone-native-libs.cmake"), "set(KSTONE_NATIVE_LIBS ")
	recorded, _, found := strings.Cut(rest, ")")
	flags := "-l:libkstone.a -l" + strings.ReplaceAll(recorded, " ", " -l") + "\n"
	if !found || !strings.Contains(source(t, "cgo_static.go"), flags) {
		t.Errorf("cgo_static.go does not link %s", flags)
	}
}
