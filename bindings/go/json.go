//go:build cgo

package kstone

import (
	"encoding/json"
	"reflect"
)

// Items as DynamoDB's typed JSON, {"age":{"N":"30"}}, for encoding/json.

type typed map[string]any

func jsonOf(value Value) any {
	switch v := value.(type) {
	case nil, Null:
		return typed{"NULL": true}
	case String:
		return typed{"S": string(v)}
	case Number:
		return typed{"N": string(v)}
	case Binary:
		if v == nil {
			v = Binary{}
		}
		return typed{"B": []byte(v)}
	case Bool:
		return typed{"BOOL": bool(v)}
	case List:
		elements := make([]any, len(v))
		for i, element := range v {
			elements[i] = jsonOf(element)
		}
		return typed{"L": elements}
	case Map:
		return typed{"M": v}
	case StringSet:
		return typed{"SS": []string(v)}
	case NumberSet:
		return typed{"NS": []Number(v)}
	case BinarySet:
		return typed{"BS": [][]byte(v)}
	}
	// A pointer to one of them has its methods too.
	if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && isValue(v.Type()) {
		if v.IsNil() {
			return jsonOf(nil)
		}
		return jsonOf(v.Elem().Interface().(Value))
	}
	return embedding{value}
}

// embedding is a struct of the program's that has a value's methods, since it embeds one.
type embedding struct{ value Value }

func (e embedding) MarshalJSON() ([]byte, error) {
	const name = "v"
	item, err := Marshal(map[string]any{name: e.value})
	if err != nil {
		return nil, err
	}
	return json.Marshal(jsonOf(item[name]))
}

// MarshalJSON is the item in DynamoDB's typed form, names in order: {"age":{"N":"30"}}.
//
// Errors: those of [Marshal], for a struct of the program's among the values.
func (m Map) MarshalJSON() ([]byte, error) {
	entries := make(map[string]any, len(m))
	for name, value := range m {
		entries[name] = jsonOf(value)
	}
	return json.Marshal(entries)
}

// UnmarshalJSON reads an item in DynamoDB's typed form; null is a nil item. Numbers, sets and sizes are checked where
// the item is written.
//
// Errors: [ErrInvalid] for what is no such item, naming the attribute.
func (m *Map) UnmarshalJSON(text []byte) error {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(text, &entries); err != nil {
		return err
	}
	if entries == nil {
		*m = nil
		return nil
	}
	*m = make(Map, len(entries))
	for name, raw := range entries {
		value, err := valueOf(raw)
		if err != nil {
			return public(inName(err, quoted(name)))
		}
		(*m)[name] = value
	}
	return nil
}

func valueOf(raw json.RawMessage) (Value, error) {
	var member map[string]json.RawMessage
	if err := json.Unmarshal(raw, &member); err != nil {
		return nil, invalid("no typed value: %v", err)
	}
	if len(member) != 1 {
		return nil, invalid("Supplied AttributeValue must contain exactly one of the supported datatypes")
	}
	var value Value
	var err error
	for t, payload := range member {
		value, err = typedValue(t, payload)
	}
	return value, err
}

// read reads JSON that must not be null.
func read[T any](payload json.RawMessage) (v T, err error) {
	if string(payload) == "null" {
		return v, invalid("null is no value")
	}
	if err = json.Unmarshal(payload, &v); err != nil {
		err = invalid("%v", err)
	}
	return v, err
}

func typedValue(t string, payload json.RawMessage) (Value, error) {
	switch t {
	case "S":
		v, err := read[string](payload)
		return String(v), err
	case "N":
		v, err := read[string](payload)
		return Number(v), err
	case "B":
		v, err := read[[]byte](payload)
		return Binary(v), err
	case "BOOL":
		v, err := read[bool](payload)
		return Bool(v), err
	case "NULL":
		v, err := read[bool](payload)
		if err == nil && !v {
			err = invalid("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
		return Null{}, err
	case "L":
		return listOf(payload)
	case "M":
		v, err := read[Map](payload)
		return v, err
	case "SS":
		v, err := read[[]string](payload)
		return StringSet(v), err
	case "NS":
		v, err := read[[]Number](payload)
		return NumberSet(v), err
	case "BS":
		v, err := read[[][]byte](payload)
		return BinarySet(v), err
	}
	return nil, invalid("%q is no type", t)
}

func listOf(payload json.RawMessage) (Value, error) {
	raws, err := read[[]json.RawMessage](payload)
	if err != nil {
		return nil, err
	}
	elements := make(List, len(raws))
	for i, raw := range raws {
		if elements[i], err = valueOf(raw); err != nil {
			return nil, inIndex(err, i)
		}
	}
	return elements, nil
}
