//go:build cgo

package kstone

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// An Unmarshaler says itself how it is read. The value is its own to keep.
type Unmarshaler interface {
	UnmarshalKstone(Value) error
}

// UnmarshalTypeError says that a value does not fit the Go value that it is to be read into. It is an [ErrType].
type UnmarshalTypeError struct {
	// Value is the value's type, and Text the number where it is one.
	Value Type
	Text  Number
	// GoType is what it was to be read into.
	GoType reflect.Type
	// Path leads to the attribute, such as "orders[2].total".
	Path string
}

// Error names all of it.
func (e *UnmarshalTypeError) Error() string {
	what := e.Value.String()
	if e.Text != "" {
		what += " " + string(e.Text)
	}
	if e.Path == "" { // the item itself
		return fmt.Sprintf("kstone: cannot read %s into a value of type %s", what, e.GoType)
	}
	return fmt.Sprintf("kstone: cannot read %s into a value of type %s (attribute %s)", what, e.GoType, e.Path)
}

// Unwrap is [ErrType].
func (e *UnmarshalTypeError) Unwrap() error { return ErrType }

// Unmarshal reads an item into a struct or map that `into` points at: the other way of [Marshal], with the same names
// and tags. Attributes without a field are passed over, fields without an attribute stay as they are. Names are the
// same to the letter.
//
//	S     string; what has UnmarshalText, such as time.Time
//	N     int…, uint… where it is exactly one of theirs; float32, float64, the nearest; [Number]; with the option
//	      unixtime a time.Time
//	B     []byte, [n]byte: what does not fit is left out, what is missing is zero
//	BOOL  bool
//	NULL  anything: it becomes its zero value
//	L     slices; arrays as [n]byte
//	M     structs, maps; a map that is there gets more entries
//	sets  slices, arrays; map[T]struct{}
//
// Into an any goes string, [Number], []byte, bool, nil, []any, map[string]any, []string, [][]byte or []Number; into a
// [Value] the value itself; into an [Unmarshaler] what it makes of it. Pointers are made where they are nil.
//
// Errors: [UnmarshalTypeError] for the first value that does not fit; `into` may be half filled then. [ErrMisuse]
// where it is no pointer or nil, or a nil pointer to an embedded struct that is not exported would have to be set.
func Unmarshal(item Item, into any) error {
	body, err := appendBody(nil, item)
	if err != nil {
		return err
	}
	return unmarshalBody(string(body), into)
}

func unmarshalBody(body string, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return newError(ErrMisuse, fmt.Sprintf("an item is read into a pointer that is not nil, not into a %T", into))
	}
	return public(set(v.Elem(), TypeM, body, tagOptions{}))
}

// misfit is an UnmarshalTypeError whose path is still to be said, by inName and inIndex.
func misfit(v reflect.Value, t Type, payload string) error {
	f := &fault{code: ErrType, misfit: &UnmarshalTypeError{Value: t, GoType: v.Type()}}
	if t == TypeN {
		f.misfit.Text = Number(payload)
	}
	return f
}

// set reads a value into v. Texts are copied: what is read keeps no more than itself.
func set(v reflect.Value, t Type, payload string, options tagOptions) error {
	if t == TypeNull && v.Type() != valueType && !implements(reflect.PointerTo(v.Type()), unmarshalerType) {
		v.SetZero()
		return nil
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return set(v.Elem(), t, payload, options)
	}
	if done, err := setContract(v, t, payload, options); done {
		return err
	}
	switch kind := v.Kind(); {
	case kind == reflect.Interface && v.NumMethod() == 0:
		return setAny(v, t, payload)
	case t == TypeBool && kind == reflect.Bool:
		v.SetBool(payload == "\x01")
		return nil
	case t == TypeN:
		return setNumber(v, payload)
	case t == TypeS && kind == reflect.String && v.Type() != numberType:
		v.SetString(strings.Clone(payload))
		return nil
	case t == TypeB && kind == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		v.SetBytes([]byte(payload))
		return nil
	case t == TypeB && kind == reflect.Array && v.Type().Elem().Kind() == reflect.Uint8:
		v.SetZero()
		reflect.Copy(v, reflect.ValueOf([]byte(payload)))
		return nil
	case t == TypeM && kind == reflect.Struct:
		return setStruct(v, payload)
	case t == TypeM && kind == reflect.Map:
		return setMap(v, payload)
	case elementsOf(t) != 0 && (kind == reflect.Slice || kind == reflect.Array):
		return setElements(v, t, payload)
	case t >= TypeSS && kind == reflect.Map && v.Type().Elem() == reflect.TypeFor[struct{}]():
		return setKeys(v, t, payload)
	}
	return misfit(v, t, payload)
}

// setContract reads into what says itself how it is read, and into a Value.
func setContract(v reflect.Value, t Type, payload string, options tagOptions) (done bool, err error) {
	if v.Type() == valueType {
		value, err := decodeValue(t, payload, 0)
		if err == nil {
			v.Set(reflect.ValueOf(value))
		}
		return true, err
	}
	if options.unixTime && v.Type() == timeType && t == TypeN {
		seconds, err := strconv.ParseInt(payload, 10, 64)
		if err != nil {
			return true, misfit(v, t, payload)
		}
		v.Set(reflect.ValueOf(time.Unix(seconds, 0)))
		return true, nil
	}
	if !v.CanAddr() || v.Type().PkgPath() == "" {
		return false, nil
	}
	switch p := v.Addr(); {
	case implements(p.Type(), unmarshalerType):
		value, err := decodeValue(t, payload, 0)
		if err != nil {
			return true, err
		}
		return true, p.Interface().(Unmarshaler).UnmarshalKstone(value)
	case t == TypeS && implements(p.Type(), textUnmarshalerType):
		return true, p.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(payload))
	}
	return false, nil
}

// setAny reads into an any what Go has for it.
func setAny(v reflect.Value, t Type, payload string) error {
	types := [...]reflect.Type{
		TypeS: reflect.TypeFor[string](), TypeN: numberType, TypeB: reflect.TypeFor[[]byte](),
		TypeBool: reflect.TypeFor[bool](), TypeL: reflect.TypeFor[[]any](), TypeM: reflect.TypeFor[map[string]any](),
		TypeSS: reflect.TypeFor[[]string](), TypeNS: reflect.TypeFor[[]Number](), TypeBS: reflect.TypeFor[[][]byte](),
	}
	made := reflect.New(types[t]).Elem()
	err := set(made, t, payload, tagOptions{})
	v.Set(made)
	return err
}

func setNumber(v reflect.Value, payload string) error {
	bits := func() int { return v.Type().Bits() }
	switch {
	case v.Type() == numberType:
		v.SetString(strings.Clone(payload))
		return nil
	case v.CanInt():
		if n, err := strconv.ParseInt(payload, 10, bits()); err == nil {
			v.SetInt(n)
			return nil
		}
	case v.CanUint():
		if n, err := strconv.ParseUint(payload, 10, bits()); err == nil {
			v.SetUint(n)
			return nil
		}
	case v.CanFloat():
		if f, err := strconv.ParseFloat(payload, bits()); err == nil {
			v.SetFloat(f)
			return nil
		}
	}
	return misfit(v, TypeN, payload)
}

func setStruct(v reflect.Value, payload string) error {
	fields := fieldsOf(v.Type())
	for c := (cursor{payload}); c.more(); {
		name, t, payload, ok := c.entry()
		if !ok {
			return errMalformed
		}
		f := fields.byName[name]
		if f == nil {
			continue
		}
		member, ok := f.at(v, true)
		if !ok {
			const message = "the pointer to the embedded %s is nil, and cannot be set: its type is not exported"
			return inName(&fault{code: ErrMisuse, message: fmt.Sprintf(message, member.Type().Elem())}, name)
		}
		if err := set(member, t, payload, f.tagOptions); err != nil {
			return inName(err, name)
		}
	}
	return nil
}

func setMap(v reflect.Value, payload string) error {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for c := (cursor{payload}); c.more(); {
		name, t, payload, ok := c.entry()
		if !ok {
			return errMalformed
		}
		key := reflect.New(v.Type().Key()).Elem()
		member := reflect.New(v.Type().Elem()).Elem()
		err := setKey(key, name)
		if err == nil {
			err = set(member, t, payload, tagOptions{})
		}
		if err != nil {
			return inName(err, quoted(name))
		}
		v.SetMapIndex(key, member)
	}
	return nil
}

// setKey reads the name of an entry into a key.
func setKey(key reflect.Value, name string) error {
	switch {
	case key.Kind() == reflect.String:
		key.SetString(strings.Clone(name))
		return nil
	case key.CanInt():
		if n, err := strconv.ParseInt(name, 10, key.Type().Bits()); err == nil {
			key.SetInt(n)
			return nil
		}
	case key.CanUint():
		if n, err := strconv.ParseUint(name, 10, key.Type().Bits()); err == nil {
			key.SetUint(n)
			return nil
		}
	}
	return misfit(key, TypeS, name)
}

// elementsOf is the type of the elements of a set; of a list any type, TypeNull; 0 of all others.
func elementsOf(t Type) Type {
	switch t {
	case TypeL:
		return TypeNull
	case TypeSS, TypeNS, TypeBS:
		return t - TypeSS + TypeS
	}
	return 0
}

// element takes the next element of a list or set.
func (c *cursor) element(of Type) (t Type, payload string, ok bool) {
	if of == TypeL {
		return c.value()
	}
	payload, ok = c.framed()
	return elementsOf(of), payload, ok
}

func setElements(v reflect.Value, of Type, payload string) error {
	c := cursor{payload}
	n := c.count(func(c *cursor) bool { _, _, ok := c.element(of); return ok })
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), n, n))
	} else {
		v.SetZero()
	}
	for i := 0; c.more(); i++ {
		t, payload, ok := c.element(of)
		if !ok {
			return errMalformed
		}
		if i >= v.Len() { // an array has no more room
			break
		}
		if err := set(v.Index(i), t, payload, tagOptions{}); err != nil {
			return inIndex(err, i)
		}
	}
	return nil
}

// setKeys reads a set into the keys of a map.
func setKeys(v reflect.Value, of Type, payload string) error {
	v.Set(reflect.MakeMap(v.Type()))
	none := reflect.New(v.Type().Elem()).Elem()
	for c := (cursor{payload}); c.more(); {
		t, payload, ok := c.element(of)
		if !ok {
			return errMalformed
		}
		key := reflect.New(v.Type().Key()).Elem()
		if err := set(key, t, payload, tagOptions{}); err != nil {
			return err
		}
		v.SetMapIndex(key, none)
	}
	return nil
}
