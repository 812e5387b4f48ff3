//go:build cgo

package kstone

import "encoding/binary"

// Reading the stored form. The bytes are the library's own, and yet nothing here trusts them: what is malformed is an
// error, never a panic. Texts are parts of the body that is read, without a copy.

var errMalformed = newError(ErrCorrupt, "an item that came back is not in the stored form")

// cursor is what is left of a body, or of the payload of a list, map or set.
type cursor struct{ rest string }

func (c *cursor) more() bool { return c.rest != "" }

func (c *cursor) varint() (int, bool) {
	n := 0
	for i := 0; i < len(c.rest) && i < 4; i++ {
		n |= int(c.rest[i]&0x7f) << (7 * i)
		if c.rest[i] < 0x80 {
			c.rest = c.rest[i+1:]
			return n, true
		}
	}
	return 0, false
}

// framed takes bytes behind their length.
func (c *cursor) framed() (string, bool) {
	n, ok := c.varint()
	if !ok || n > len(c.rest) {
		return "", false
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken, true
}

// value takes a type and a payload.
func (c *cursor) value() (t Type, payload string, ok bool) {
	if c.rest == "" {
		return 0, "", false
	}
	t = Type(c.rest[0])
	c.rest = c.rest[1:]
	payload, ok = c.framed()
	return t, payload, ok && t >= TypeS && t <= TypeBS
}

// entry takes a name and a value.
func (c *cursor) entry() (name string, t Type, payload string, ok bool) {
	if name, ok = c.framed(); ok {
		t, payload, ok = c.value()
	}
	return name, t, payload, ok
}

// count counts what is left without taking it.
func (c cursor) count(skip func(*cursor) bool) int {
	n := 0
	for c.more() && skip(&c) {
		n++
	}
	return n
}

func skipEntry(c *cursor) bool { _, _, _, ok := c.entry(); return ok }
func skipValue(c *cursor) bool { _, _, ok := c.value(); return ok }
func skipBytes(c *cursor) bool { _, ok := c.framed(); return ok }

// decodeItem reads a body.
func decodeItem(body string) (Item, error) { return decodeMap(body, 0) }

func decodeMap(payload string, levels int) (Map, error) {
	c := cursor{payload}
	m := make(Map, c.count(skipEntry))
	for c.more() {
		name, t, payload, ok := c.entry()
		if !ok {
			return nil, errMalformed
		}
		value, err := decodeValue(t, payload, levels)
		if err != nil {
			return nil, err
		}
		m[name] = value
	}
	return m, nil
}

// decodeValue reads a value that is inside this many lists and maps.
func decodeValue(t Type, payload string, levels int) (Value, error) {
	if levels > maxLevels {
		return nil, errMalformed
	}
	switch t {
	case TypeS:
		return String(payload), nil
	case TypeN:
		return Number(payload), nil
	case TypeB:
		return Binary(payload), nil
	case TypeBool:
		return Bool(payload == "\x01"), nil
	case TypeNull:
		return Null{}, nil
	case TypeL:
		c := cursor{payload}
		list := make(List, 0, c.count(skipValue))
		for c.more() {
			t, payload, ok := c.value()
			if !ok {
				return nil, errMalformed
			}
			value, err := decodeValue(t, payload, levels+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case TypeM:
		return decodeMap(payload, levels+1)
	}
	return decodeSet(t, payload)
}

func decodeSet(t Type, payload string) (Value, error) {
	c := cursor{payload}
	n := c.count(skipBytes)
	elements := make([]string, n)
	for i := range elements {
		elements[i], _ = c.framed()
	}
	if c.more() {
		return nil, errMalformed
	}
	switch t {
	case TypeSS:
		return StringSet(elements), nil
	case TypeNS:
		set := make(NumberSet, n)
		for i, element := range elements {
			set[i] = Number(element)
		}
		return set, nil
	default:
		set := make(BinarySet, n)
		for i, element := range elements {
			set[i] = []byte(element)
		}
		return set, nil
	}
}

// decodeEntries reads what kstone_page_bytes gives. Each item gets memory of its own, so that one that is kept does not
// keep the page.
func decodeEntries(page []byte) ([]Entry, error) {
	const headBytes, noItem = 8, 0xFFFFFFFF
	var entries []Entry
	for len(page) > 0 {
		if len(page) < headBytes {
			return nil, errMalformed
		}
		pk, sk := int(binary.LittleEndian.Uint16(page)), int(binary.LittleEndian.Uint16(page[2:]))
		body := int(binary.LittleEndian.Uint32(page[4:]))
		page = page[headBytes:]
		if body == noItem {
			entries = append(entries, Entry{})
			continue
		}
		if pk+sk+body > len(page) {
			return nil, errMalformed
		}
		own := string(page[:pk+sk+body])
		page = page[pk+sk+body:]
		item, err := decodeItem(own[pk+sk:])
		if err != nil {
			return nil, err
		}
		entries = append(entries, Entry{PK: own[:pk], SK: own[pk : pk+sk], Item: item})
	}
	return entries, nil
}
