//go:build cgo

package kstone

import "encoding/json"

// Schema is what a table has besides its items, and what its keys are. The zero Schema is none.
type Schema struct {
	// Name is the table's, of 3 to 255 letters, digits, dots, hyphens and underscores; optional.
	Name string `json:"name,omitempty"`
	// PartitionKey and SortKey, where they are there, name and type the keys: the table is typed, from its opening on, and
	// its items show their key attributes, as DynamoDB's do.
	PartitionKey *KeyAttribute `json:"partition_key,omitempty"`
	SortKey      *KeyAttribute `json:"sort_key,omitempty"`
	// LocalIndexes are up to 5.
	LocalIndexes []LocalIndex `json:"local_indexes,omitempty"`
	// GlobalIndexes are up to 20.
	GlobalIndexes []GlobalIndex `json:"global_indexes,omitempty"`
	// TTLAttribute is the attribute, a number of seconds since 1970, behind which an item is invisible to every read.
	TTLAttribute string `json:"ttl_attribute,omitempty"`
	// TTLVisible shows and updates such an item until something removes it, as DynamoDB does.
	TTLVisible bool `json:"ttl_visible,omitempty"`
	// Stream asks for a change stream.
	Stream *StreamSpec `json:"stream,omitempty"`
}

// KeyAttribute is the name of an attribute of a table's key, and the type of its values: "S", "N" or "B".
type KeyAttribute struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// LocalIndex orders the items of each partition by another attribute. Items without it are not in the index.
type LocalIndex struct {
	Name    string
	SortKey string
	// SortKeyType is the type of its values, "S", "N" or "B"; empty: values of all types are in the index.
	SortKeyType string
	Projection  Projection
}

// MarshalJSON is the index as a schema has it.
func (i LocalIndex) MarshalJSON() ([]byte, error) {
	return json.Marshal(indexJSON{Name: i.Name, SortKey: keyJSON(i.SortKey, i.SortKeyType, nil), Projection: i.Projection})
}

// GlobalIndex groups and orders all items by other attributes. Items without them are not in the index.
type GlobalIndex struct {
	Name         string
	PartitionKey string
	SortKey      string
	// PartitionKeys and SortKeys are in the place of the former two: up to four attributes each, with their types.
	PartitionKeys []KeyAttribute
	SortKeys      []KeyAttribute
	Projection    Projection
}

// MarshalJSON is the index as a schema has it.
func (i GlobalIndex) MarshalJSON() ([]byte, error) {
	return json.Marshal(indexJSON{
		Name: i.Name, PartitionKey: keyJSON(i.PartitionKey, "", i.PartitionKeys), SortKey: keyJSON(i.SortKey, "", i.SortKeys),
		Projection: i.Projection,
	})
}

type indexJSON struct {
	Name         string     `json:"name"`
	PartitionKey any        `json:"partition_key,omitempty"`
	SortKey      any        `json:"sort_key,omitempty"`
	Projection   Projection `json:"projection,omitzero"`
}

// keyJSON is the key of an index: a name, an attribute with its type, or several; nil where there is none.
func keyJSON(name, kind string, several []KeyAttribute) any {
	switch {
	case several != nil:
		return several
	case kind != "":
		return KeyAttribute{Name: name, Type: kind}
	case name != "":
		return name
	}
	return nil
}

// Projection is which attributes an index returns. The zero Projection is all of them.
type Projection struct {
	// KeysOnly is those of the keys alone.
	KeysOnly bool
	// Include is these besides the keys.
	Include []string
}

// MarshalJSON is the projection as a schema has it.
func (p Projection) MarshalJSON() ([]byte, error) {
	switch {
	case p.KeysOnly:
		return []byte(`"KEYS_ONLY"`), nil
	case p.Include != nil:
		return json.Marshal(p.Include)
	}
	return []byte(`"ALL"`), nil
}

// The views of an item that a stream gives.
const (
	ViewKeysOnly        = "KEYS_ONLY"
	ViewNewImage        = "NEW_IMAGE"
	ViewOldImage        = "OLD_IMAGE"
	ViewNewAndOldImages = "NEW_AND_OLD_IMAGES"
)

// StreamSpec is how a change stream is to be.
type StreamSpec struct {
	// ViewType is one of ViewKeysOnly and so on.
	ViewType string `json:"view_type"`
	// Capacity is how many records the stream keeps: 1 to 16,777,216, or 0 for the default.
	Capacity int `json:"capacity,omitempty"`
}
