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
	Name       string     `json:"name"`
	SortKey    string     `json:"sort_key"`
	Projection Projection `json:"projection,omitzero"`
}

// GlobalIndex groups and orders all items by other attributes. Items without them are not in the index.
type GlobalIndex struct {
	Name         string     `json:"name"`
	PartitionKey string     `json:"partition_key"`
	SortKey      string     `json:"sort_key,omitempty"`
	Projection   Projection `json:"projection,omitzero"`
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
