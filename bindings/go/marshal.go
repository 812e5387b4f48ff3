//go:build cgo

package kstone

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Marshaler says itself how it is written. Its value may be of any type; as an item it must be a [Map].
type Marshaler interface {
	MarshalKstone() (Value, error)
}

var (
	valueType           = reflect.TypeFor[Value]()
	marshalerType       = reflect.TypeFor[Marshaler]()
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshalerType     = reflect.TypeFor[Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType            = reflect.TypeFor[time.Time]()
	numberType          = reflect.TypeFor[Number]()
	nullType            = reflect.TypeFor[Null]()
)

// Marshal makes an item of a struct, or of a map with string keys; pointers are followed.
//
// A field is an attribute under its name, or under the one of its tag, kstone:"name"; kstone:"-" leaves it out, and so
// does being unexported. Embedded structs give their fields, by encoding/json's rules. Options follow the name:
//
//	omitempty   left out where it is false, 0, a nil pointer or interface, or an empty array, slice, map or string
//	omitzero    left out where it is the zero value of its type
//	set         a slice, array or map[T]struct{} becomes a set: SS, NS or BS by the type of its elements; empty: NULL
//	unixtime    a time.Time becomes a number of seconds since 1970, as a TTL attribute must be
//
// What becomes what:
//
//	S     string; what has MarshalText, such as time.Time
//	N     int…, uint…, float32, float64, [Number]; always exact, a float by the shortest decimal that reads back as it
//	B     []byte, [n]byte
//	BOOL  bool
//	NULL  a nil pointer, interface, slice or map
//	L     other slices and arrays
//	M     structs; maps whose keys are strings or integers
//
// A [Value] is written as it is, and a [Marshaler] as what it says.
//
// Errors: [ErrInvalid] for what is none of these, an infinity, a NaN, a number or set that no item may have, text that
// is not UTF-8; [ErrLimit] for what is too deep, as a pointer to itself is. They name the attribute.
func Marshal(v any) (Item, error) {
	body, err := appendBody(nil, v)
	if err != nil {
		return nil, err
	}
	return decodeItem(string(body))
}

// appendItemOf appends the body of an item that is no Map.
func appendItemOf(b []byte, item any) ([]byte, error) {
	v := reflect.ValueOf(item)
	for range maxLevels { // not for ever: a pointer may lead to itself
		if v.Kind() != reflect.Pointer || v.IsNil() || implements(v.Type(), marshalerType) {
			break
		}
		v = v.Elem()
	}
	if v.IsValid() && !(v.Kind() == reflect.Pointer && v.IsNil()) {
		if m, ok := v.Interface().(Marshaler); ok {
			value, err := m.MarshalKstone()
			if err != nil {
				return b, err
			}
			if item, ok := value.(Map); ok {
				return appendEntries(b, item, 0)
			}
			return b, invalid("an item is a map or a struct, not a value of type %T", value)
		}
	}
	switch {
	case v.IsValid() && v.Type() == reflect.TypeFor[Map]():
		return appendEntries(b, v.Interface().(Map), 0)
	case v.Kind() == reflect.Struct && !isScalar(v.Type()):
		return appendStruct(b, v, 0)
	case v.Kind() == reflect.Map && !v.IsNil():
		return appendGoMap(b, v, 0)
	case !v.IsValid():
		return b, invalid("an item is a map or a struct, not nil")
	}
	return b, invalid("an item is a map or a struct, not a value of type %s", v.Type())
}

// isScalar says that a struct is a value, not a map.
func isScalar(t reflect.Type) bool {
	return t == nullType || implements(t, marshalerType) || implements(t, textMarshalerType)
}

// isValue says whether a type is one of the ten, or a pointer to one. What embeds one of them implements Value, too.
func isValue(t reflect.Type) bool {
	if !implements(t, valueType) {
		return false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == nullType.PkgPath() && valueTypes[t]
}

var valueTypes = map[reflect.Type]bool{
	reflect.TypeFor[String](): true, numberType: true, reflect.TypeFor[Binary](): true, reflect.TypeFor[Bool](): true,
	nullType: true, reflect.TypeFor[List](): true, reflect.TypeFor[Map](): true, reflect.TypeFor[StringSet](): true,
	reflect.TypeFor[NumberSet](): true, reflect.TypeFor[BinarySet](): true,
}

func implements(t reflect.Type, contract reflect.Type) bool {
	return t.Implements(contract)
}

// appendAny appends a value of any Go type that is inside this many lists and maps.
func appendAny(b []byte, v any, levels int) ([]byte, error) {
	if value, ok := v.(Value); ok {
		return appendValue(b, value, levels)
	}
	return appendReflected(b, reflect.ValueOf(v), levels, tagOptions{})
}

func appendReflected(b []byte, v reflect.Value, levels int, options tagOptions) ([]byte, error) {
	if !v.IsValid() {
		return appendNull(b), nil
	}
	if isNil(v) {
		return appendNull(b), nil
	}
	if done, b, err := appendContract(b, v, levels, options); done {
		return b, err
	}
	switch v.Kind() {
	case reflect.Bool:
		return appendBool(b, v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64:
		text, err := numberOf(v)
		return appendFramed(append(b, byte(TypeN)), text), err
	case reflect.String:
		return appendText(b, TypeS, v.String())
	case reflect.Interface, reflect.Pointer:
		if to := v.Elem().Kind(); to == reflect.Pointer || to == reflect.Interface {
			if err := checkRoom(b, levels); err != nil {
				return b, err
			}
			levels++ // it is none of the item's, but one that leads to itself must end
		}
		return appendReflected(b, v.Elem(), levels, options)
	case reflect.Slice, reflect.Array:
		if options.set {
			return appendReflectedSet(b, v.Type().Elem(), v.Len(), v.Index)
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return appendBytes(b, bytesOf(v)), nil
		}
		return appendGoList(b, v, levels)
	case reflect.Map:
		if options.set {
			keys := v.MapKeys()
			return appendReflectedSet(b, v.Type().Key(), len(keys), func(i int) reflect.Value { return keys[i] })
		}
		if err := checkRoom(b, levels); err != nil {
			return b, err
		}
		b, payload := open(b, TypeM)
		b, err := appendGoMap(b, v, levels+1)
		return closeFrame(b, payload), err
	case reflect.Struct:
		if err := checkRoom(b, levels); err != nil {
			return b, err
		}
		b, payload := open(b, TypeM)
		b, err := appendStruct(b, v, levels+1)
		return closeFrame(b, payload), err
	}
	return b, invalid("a value of type %s has no type of DynamoDB's", v.Type())
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsNil()
	}
	return false
}

// appendContract appends what says itself how it is written.
func appendContract(b []byte, v reflect.Value, levels int, options tagOptions) (done bool, out []byte, err error) {
	t := v.Type()
	if t.PkgPath() == "" && t.Name() != "" || v.Kind() == reflect.Interface { // a predeclared type has no methods
		return false, b, nil
	}
	if options.unixTime && t == timeType {
		seconds := v.Interface().(time.Time).Unix()
		return true, appendFramed(append(b, byte(TypeN)), strconv.FormatInt(seconds, 10)), nil
	}
	if v.CanAddr() && v.Kind() != reflect.Pointer {
		if p := v.Addr(); implements(p.Type(), marshalerType) || implements(p.Type(), textMarshalerType) {
			v, t = p, p.Type()
		}
	}
	switch {
	case !v.CanInterface():
		return false, b, nil
	case isValue(t):
		b, err = appendValue(b, reflect.Indirect(v).Interface().(Value), levels)
		return true, b, err
	case implements(t, marshalerType):
		value, err := v.Interface().(Marshaler).MarshalKstone()
		if err != nil {
			return true, b, err
		}
		b, err = appendValue(b, value, levels)
		return true, b, err
	case implements(t, textMarshalerType):
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return true, b, err
		}
		b, err = appendText(b, TypeS, string(text))
		return true, b, err
	}
	return false, b, nil
}

// numberOf is the canonical text of an integer or float.
func numberOf(v reflect.Value) (string, error) {
	switch {
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), nil
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), nil
	}
	text, err := appendFloat(nil, v.Float(), v.Type().Bits())
	return string(text), err
}

// bytesOf is the bytes of a []byte or [n]byte.
func bytesOf(v reflect.Value) []byte {
	if v.Kind() == reflect.Slice || v.CanAddr() {
		return v.Bytes()
	}
	bytes := make([]byte, v.Len())
	reflect.Copy(reflect.ValueOf(bytes), v)
	return bytes
}

func appendGoList(b []byte, v reflect.Value, levels int) ([]byte, error) {
	if err := checkRoom(b, levels); err != nil {
		return b, err
	}
	b, payload := open(b, TypeL)
	for i := range v.Len() {
		var err error
		if b, err = appendReflected(b, v.Index(i), levels+1, tagOptions{}); err == nil {
			err = checkSize(b)
		}
		if err != nil {
			return b, inIndex(err, i)
		}
	}
	return closeFrame(b, payload), nil
}

// appendReflectedSet appends a set of n elements, whose type says which.
func appendReflectedSet(b []byte, element reflect.Type, n int, at func(int) reflect.Value) ([]byte, error) {
	if n == 0 {
		return appendNull(b), nil
	}
	switch kind := element.Kind(); {
	case element == numberType:
		numbers := make([]Number, n)
		for i := range numbers {
			numbers[i] = Number(at(i).String())
		}
		return appendNumberSet(b, numbers)
	case kind == reflect.String:
		texts := make([]string, n)
		for i := range texts {
			texts[i] = at(i).String()
		}
		return appendStringSet(b, texts)
	case kind >= reflect.Int && kind <= reflect.Float64:
		numbers := make([]Number, n)
		for i := range numbers {
			text, err := numberOf(at(i))
			if err != nil {
				return b, inIndex(err, i)
			}
			numbers[i] = Number(text)
		}
		return appendNumberSet(b, numbers)
	case (kind == reflect.Slice || kind == reflect.Array) && element.Elem().Kind() == reflect.Uint8:
		elements := make([]string, n)
		for i := range elements {
			elements[i] = string(bytesOf(at(i)))
		}
		return appendBinarySet(b, elements)
	}
	return b, invalid("a set's elements are texts, numbers or bytes, not of type %s", element)
}

// appendGoMap appends the entries of a Go map.
func appendGoMap(b []byte, v reflect.Value, levels int) ([]byte, error) {
	type entry struct {
		name  string
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for pairs := v.MapRange(); pairs.Next(); {
		name, err := nameOfKey(pairs.Key())
		if err != nil {
			return b, err
		}
		entries = append(entries, entry{name, pairs.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for _, entry := range entries {
		var err error
		if b, err = appendName(b, entry.name); err == nil {
			b, err = appendReflected(b, entry.value, levels, tagOptions{})
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

func nameOfKey(key reflect.Value) (string, error) {
	switch {
	case key.Kind() == reflect.String:
		return key.String(), nil
	case key.CanInt() || key.CanUint():
		return fmt.Sprint(key.Interface()), nil
	}
	return "", invalid("a map's keys are strings or integers, not of type %s", key.Type())
}

// appendStruct appends the entries of a struct.
func appendStruct(b []byte, v reflect.Value, levels int) ([]byte, error) {
	list := fieldsOf(v.Type()).list
	for i := range list {
		f := &list[i]
		member, ok := f.at(v, false)
		if !ok || f.omitted(member) {
			continue
		}
		var err error
		if b, err = appendName(b, f.name); err == nil {
			b, err = appendReflected(b, member, levels, f.tagOptions)
		}
		if err != nil {
			return b, inName(err, f.name)
		}
	}
	return b, nil
}
