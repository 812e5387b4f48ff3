//go:build cgo

package kstone

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// The stored form, version 1, as docs/stored-form.md describes it. What is written here is checked once more by the
// library; the checks here are those whose message can name the attribute.

const (
	maxNameBytes = 65_535
	maxBodyBytes = 1 << 20
	maxLevels    = 32
)

func appendVarint(b []byte, n int) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

func appendFramed(b []byte, payload string) []byte {
	return append(appendVarint(b, len(payload)), payload...)
}

// A container's length comes before its payload and is known after it: open leaves a byte for it, and closeFrame, told
// where the payload begins, fills in the length, moving the payload where that takes more bytes.
func open(b []byte, t Type) (grown []byte, payload int) {
	b = append(b, byte(t), 0)
	return b, len(b)
}

func closeFrame(b []byte, payload int) []byte {
	length := len(b) - payload
	if length < 0x80 {
		b[payload-1] = byte(length)
		return b
	}
	var prefix [10]byte
	varint := appendVarint(prefix[:0], length)
	b = append(b, varint[1:]...)
	copy(b[payload-1+len(varint):], b[payload:payload+length])
	copy(b[payload-1:], varint)
	return b
}

func appendName(b []byte, name string) ([]byte, error) {
	switch {
	case name == "":
		return b, invalid("an attribute name may not be empty")
	case len(name) > maxNameBytes:
		return b, tooLarge("Attribute name", "bytes", maxNameBytes, len(name))
	case !utf8.ValidString(name):
		return b, invalid("an attribute name is not UTF-8")
	}
	return appendFramed(b, name), nil
}

func appendText(b []byte, t Type, text string) ([]byte, error) {
	if !utf8.ValidString(text) {
		return b, invalid("the text is not UTF-8")
	}
	return appendFramed(append(b, byte(t)), text), nil
}

func appendNumber(b []byte, n Number) ([]byte, error) {
	text, err := canonical(string(n))
	return appendFramed(append(b, byte(TypeN)), text), err
}

func appendBytes(b []byte, bytes []byte) []byte {
	b = appendVarint(append(b, byte(TypeB)), len(bytes))
	return append(b, bytes...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, byte(TypeBool), 1, 1)
	}
	return append(b, byte(TypeBool), 1, 0)
}

func appendNull(b []byte) []byte { return append(b, byte(TypeNull), 0) }

// checkRoom refuses what is too deep or too large before it grows any further.
func checkRoom(b []byte, levels int) error {
	if levels >= maxLevels {
		return tooLarge("Nesting Levels", "levels", maxLevels, levels+1)
	}
	return checkSize(b)
}

// checkSize is asked after each element: the same text may stand in a list a million times.
func checkSize(b []byte) error {
	if len(b) > 2*maxBodyBytes {
		return tooLarge("Item size as stored", "bytes", maxBodyBytes, len(b))
	}
	return nil
}

// appendValue appends a value that is inside this many lists and maps.
func appendValue(b []byte, value Value, levels int) ([]byte, error) {
	switch v := value.(type) {
	case nil, Null:
		return appendNull(b), nil
	case String:
		return appendText(b, TypeS, string(v))
	case Number:
		return appendNumber(b, v)
	case Binary:
		return appendBytes(b, v), nil
	case Bool:
		return appendBool(b, bool(v)), nil
	case List:
		if err := checkRoom(b, levels); err != nil {
			return b, err
		}
		b, payload := open(b, TypeL)
		for i, element := range v {
			var err error
			if b, err = appendValue(b, element, levels+1); err == nil {
				err = checkSize(b)
			}
			if err != nil {
				return b, inIndex(err, i)
			}
		}
		return closeFrame(b, payload), nil
	case Map:
		if err := checkRoom(b, levels); err != nil {
			return b, err
		}
		b, payload := open(b, TypeM)
		b, err := appendEntries(b, v, levels+1)
		return closeFrame(b, payload), err
	case StringSet:
		return appendStringSet(b, slices.Clone(v))
	case NumberSet:
		return appendNumberSet(b, slices.Clone(v))
	case BinarySet:
		texts := make([]string, len(v))
		for i, element := range v {
			texts[i] = string(element)
		}
		return appendBinarySet(b, texts)
	}
	// A pointer to one of them, or a struct that embeds one, has its methods too.
	return appendReflected(b, reflect.ValueOf(value), levels, tagOptions{})
}

// appendEntries appends the entries of a map, or of an item, in the order of their names.
func appendEntries(b []byte, m Map, levels int) ([]byte, error) {
	type entry struct {
		name  string
		value Value
	}
	var few [16]entry
	entries := few[:0]
	for name, value := range m {
		entries = append(entries, entry{name, value})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for _, entry := range entries {
		var err error
		if b, err = appendName(b, entry.name); err == nil {
			b, err = appendValue(b, entry.value, levels)
		}
		if err == nil {
			err = checkSize(b)
		}
		if err != nil {
			return b, inName(err, quoted(entry.name))
		}
	}
	return b, nil
}

// The three sets own the elements that they are given, and put them in order.

func appendStringSet(b []byte, texts []string) ([]byte, error) {
	for i, text := range texts {
		if !utf8.ValidString(text) {
			return b, inIndex(invalid("the text is not UTF-8"), i)
		}
	}
	slices.Sort(texts)
	return appendSet(b, TypeSS, texts, "An string set  may not be empty", quoted)
}

func appendNumberSet(b []byte, numbers []Number) ([]byte, error) {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		var err error
		if texts[i], err = canonical(string(n)); err != nil {
			return b, inIndex(err, i)
		}
	}
	slices.SortFunc(texts, compareNumbers)
	return appendSet(b, TypeNS, texts, "An number set  may not be empty", quoted)
}

func appendBinarySet(b []byte, elements []string) ([]byte, error) {
	slices.Sort(elements)
	asHex := func(element string) string { return hex.EncodeToString([]byte(element)) }
	return appendSet(b, TypeBS, elements, "Binary sets should not be empty", asHex)
}

func appendSet(b []byte, t Type, elements []string, empty string, show func(string) string) ([]byte, error) {
	const prefix = "One or more parameter values were invalid: "
	if len(elements) == 0 {
		return b, invalid("%s", prefix+empty)
	}
	b, payload := open(b, t)
	for i, element := range elements {
		if i > 0 && element == elements[i-1] {
			return b, invalid(prefix+"Input collection [%s] contains duplicates.", list(elements, show))
		}
		b = appendFramed(b, element)
	}
	return closeFrame(b, payload), nil
}

// list shows the first elements of a set.
func list(elements []string, show func(string) string) string {
	const shown = 8
	texts := make([]string, 0, shown+1)
	for i, element := range elements {
		if i == shown {
			texts = append(texts, "…")
			break
		}
		texts = append(texts, show(element))
	}
	return strings.Join(texts, ", ")
}

// appendBody appends the stored form of an item: a [Map], or anything that [Marshal] takes.
func appendBody(b []byte, item any) ([]byte, error) {
	var err error
	if m, ok := item.(Map); ok {
		b, err = appendEntries(b, m, 0)
	} else {
		b, err = appendItemOf(b, item)
	}
	return b, public(err)
}

// appendParams appends the stored form of a bag.
func appendParams(b []byte, params Params) ([]byte, error) {
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		var err error
		if b, err = appendName(b, name); err == nil {
			b, err = appendAny(b, params[name], 0)
		}
		if err != nil {
			return b, public(inName(err, quoted(name)))
		}
	}
	return b, nil
}

// appendRunValues appends the values of a run, as the elements of a list are stored.
func appendRunValues(b []byte, values []any) ([]byte, error) {
	start := len(b)
	for i, value := range values {
		var err error
		if b, err = appendAny(b, value, 0); err == nil {
			err = checkSize(b[start:])
		}
		if err != nil {
			return b, public(inName(err, fmt.Sprintf("value %d", i+1)))
		}
	}
	return b, nil
}
