//go:build cgo

package kstone

// Key is a partition key and a sort key; an empty sort key is none.
type Key struct{ PK, SK string }

// KeyedItem is an item to be put under a key.
type KeyedItem struct {
	PK, SK string
	Item   any
}

// GetMany gives the items under many keys in one call, in their order; nil where there is none. A key may come twice.
// The items need not be of one moment; [DB.Transact] is for that. It takes a fraction of the time of as many calls of
// [DB.Get].
//
// Errors: as [DB.Get] but for [ErrNotFound], with [Error.Index].
func (db *DB) GetMany(keys ...Key) ([]Item, error) {
	buffer := takeBuffer()
	defer buffer.keep()
	parts := cKeys(buffer, len(keys), func(i int) (pk, sk string) { return keys[i].PK, keys[i].SK })
	open, gate, err := db.enter(gateOf(keys))
	if err != nil {
		return nil, err
	}
	defer gate.RUnlock()
	entries, err := cGetMany(open, buffer, parts)
	if err != nil {
		return nil, err
	}
	items := make([]Item, len(entries))
	for i := range entries {
		items[i] = entries[i].Item
	}
	return items, nil
}

// PutMany stores many items in one call, each as [DB.Put] would and in their order: of several under one key the last
// one stays. Each is stored by itself, so that readers may see some before the others, but all are looked at before the
// first is stored.
//
// Errors: as [DB.Put], with [Error.Index]; nothing is stored then. Where [WithMemoryLimit] is reached on the way, what
// was stored before stays.
func (db *DB) PutMany(items ...KeyedItem) error {
	buffer := takeBuffer()
	defer buffer.keep()
	parts := cKeys(buffer, len(items), func(i int) (pk, sk string) { return items[i].PK, items[i].SK })
	for i := range items {
		if err := cBody(buffer, &parts[i], items[i].Item); err != nil {
			return ofOperation(err, i)
		}
	}
	key := ""
	if len(items) > 0 {
		key = items[0].PK
	}
	open, gate, err := db.enter(key)
	if err != nil {
		return err
	}
	defer gate.RUnlock()
	return cPutMany(open, buffer, parts)
}

// GetAttribute gives one attribute of the item under a key: what path leads to, a name or "address.city" or "tags[0]".
// Nothing else of the item is copied.
//
// Errors: [ErrNotFound] where there is no item, or it has no such attribute; otherwise as [DB.Get], and [ErrInvalid]
// where path is none.
func (db *DB) GetAttribute(pk, sk, path string) (Value, error) {
	open, gate, err := db.enter(pk)
	if err != nil {
		return nil, err
	}
	defer gate.RUnlock()
	return cGetAttribute(open, pk, sk, path)
}

func gateOf(keys []Key) string {
	if len(keys) == 0 {
		return ""
	}
	return keys[0].PK
}
