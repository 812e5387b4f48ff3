//go:build cgo

package kstone

// Type is one of DynamoDB's ten types.
type Type uint8

// The types, numbered as in kstone.h.
const (
	TypeS Type = iota + 1
	TypeN
	TypeB
	TypeBool
	TypeNull
	TypeL
	TypeM
	TypeSS
	TypeNS
	TypeBS
)

var typeNames = [...]string{"?", "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"}

// String is DynamoDB's name of the type, such as "S" or "BOOL".
func (t Type) String() string {
	if int(t) >= len(typeNames) {
		t = 0
	}
	return typeNames[t]
}

// Value is an attribute's value: one of [String], [Number], [Binary], [Bool], [Null], [List], [Map], [StringSet],
// [NumberSet] and [BinarySet]. A nil Value is written as [Null].
//
// Values that were read belong to their reader. Texts of one item share its memory: a text that is kept keeps the
// others of its item too; strings.Clone makes it independent.
type Value interface {
	// Type is the value's type in DynamoDB's sense.
	Type() Type
	value()
}

type (
	// String is text (S), in UTF-8. It may be empty, and may hold NULs.
	String string
	// Number is an exact decimal (N), as text: up to 38 significant digits, magnitudes from 1E-130 to
	// 9.99…E+125. Any spelling may be written, such as "1.50e2"; what is read is canonical, such as "150": equal
	// numbers are equal texts. See [Int], [Float] and [Number.Int64].
	Number string
	// Binary is bytes (B).
	Binary []byte
	// Bool is true or false (BOOL).
	Bool bool
	// Null is NULL: the attribute is there and says that it is nothing.
	Null struct{}
	// List is a list of values of any types (L).
	List []Value
	// Map is values by name (M); nested up to 32 lists and maps deep.
	Map map[string]Value
	// StringSet is a set of texts (SS): at least one, no two equal. What is read is in the order of their bytes.
	StringSet []string
	// NumberSet is a set of numbers (NS): at least one, no two equal. What is read is in numeric order.
	NumberSet []Number
	// BinarySet is a set of bytes (BS): at least one, no two equal. What is read is in the order of their bytes.
	BinarySet [][]byte
)

// Item is what is stored under a key: attributes by name. Names are UTF-8 of 1 to 65,535 bytes.
type Item = Map

// Type is [TypeS].
func (String) Type() Type { return TypeS }

// Type is [TypeN].
func (Number) Type() Type { return TypeN }

// Type is [TypeB].
func (Binary) Type() Type { return TypeB }

// Type is [TypeBool].
func (Bool) Type() Type { return TypeBool }

// Type is [TypeNull].
func (Null) Type() Type { return TypeNull }

// Type is [TypeL].
func (List) Type() Type { return TypeL }

// Type is [TypeM].
func (Map) Type() Type { return TypeM }

// Type is [TypeSS].
func (StringSet) Type() Type { return TypeSS }

// Type is [TypeNS].
func (NumberSet) Type() Type { return TypeNS }

// Type is [TypeBS].
func (BinarySet) Type() Type { return TypeBS }

func (String) value()    {}
func (Number) value()    {}
func (Binary) value()    {}
func (Bool) value()      {}
func (Null) value()      {}
func (List) value()      {}
func (Map) value()       {}
func (StringSet) value() {}
func (NumberSet) value() {}
func (BinarySet) value() {}
