//go:build cgo

package kstone

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// field is a field of a struct that is an attribute.
type field struct {
	name   string
	index  []int
	typ    reflect.Type
	tagged bool
	tagOptions
}

type tagOptions struct {
	omitEmpty bool
	omitZero  bool
	set       bool
	unixTime  bool
}

// fields are those of a struct in the order of the attributes' names, and where each is.
type fields struct {
	list   []field
	byName map[string]*field
}

var fieldCache sync.Map // of *fields by reflect.Type

func fieldsOf(t reflect.Type) *fields {
	if cached, ok := fieldCache.Load(t); ok {
		return cached.(*fields)
	}
	made, _ := fieldCache.LoadOrStore(t, collectFields(t))
	return made.(*fields)
}

// collectFields finds a struct's attributes, with those of embedded structs. Of fields with the same name the one
// that is embedded least deep counts; of several there the one with a tag; else none of them, as in encoding/json.
func collectFields(t reflect.Type) *fields {
	var found []field
	collectInto(&found, t, nil, map[reflect.Type]bool{})
	slices.SortStableFunc(found, func(a, b field) int {
		if byName := strings.Compare(a.name, b.name); byName != 0 {
			return byName
		}
		if byDepth := len(a.index) - len(b.index); byDepth != 0 {
			return byDepth
		}
		return int(flag(b.tagged, 1)) - int(flag(a.tagged, 1))
	})
	made := &fields{byName: make(map[string]*field, len(found))}
	for at := 0; at < len(found); {
		next := at + 1
		for next < len(found) && found[next].name == found[at].name {
			next++
		}
		first := found[at]
		if next == at+1 || len(found[at+1].index) > len(first.index) || first.tagged != found[at+1].tagged {
			made.list = append(made.list, first)
		}
		at = next
	}
	for i := range made.list {
		made.byName[made.list[i].name] = &made.list[i]
	}
	return made
}

// collectInto appends the fields of t, which lies at index; `above` are the structs around it, so that one that embeds
// a pointer to itself ends.
func collectInto(found *[]field, t reflect.Type, index []int, above map[reflect.Type]bool) {
	if above[t] {
		return
	}
	above[t] = true
	defer delete(above, t)
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("kstone")
		if tag == "-" {
			continue
		}
		name, options := parseTag(tag)
		at := append(slices.Clone(index), i)
		if f.Anonymous && name == "" {
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			if embedded.Kind() == reflect.Struct && !isScalar(embedded) {
				collectInto(found, embedded, at, above)
				continue
			}
		}
		if !f.IsExported() {
			continue
		}
		tagged := name != ""
		if !tagged {
			name = f.Name
		}
		*found = append(*found, field{name: name, index: at, typ: f.Type, tagged: tagged, tagOptions: options})
	}
}

func parseTag(tag string) (name string, options tagOptions) {
	name, rest, _ := strings.Cut(tag, ",")
	for option := range strings.SplitSeq(rest, ",") {
		switch option {
		case "omitempty":
			options.omitEmpty = true
		case "omitzero":
			options.omitZero = true
		case "set":
			options.set = true
		case "unixtime":
			options.unixTime = true
		}
	}
	return name, options
}

// omitted says whether a field is left out.
func (f *field) omitted(v reflect.Value) bool {
	return f.omitZero && v.IsZero() || f.omitEmpty && isEmpty(v)
}

// isEmpty is encoding/json's idea of empty.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// at is the field of a struct. Where an embedded pointer on the way is nil it is made, or the field is not there. One to
// a struct that is not exported cannot be made.
func (f *field) at(v reflect.Value, make bool) (reflect.Value, bool) {
	for _, i := range f.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !make || !v.CanSet() {
					return v, false
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, true
}
