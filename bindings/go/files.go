//go:build cgo

package kstone

// SaveSnapshot writes the database as it is now, items and schema, to a file, in the place of one that is there: a
// crash at any moment leaves the old file or the new one. Writers wait for a moment, not for the file. [DB.Close]
// waits for it.
//
// Errors: [ErrIO], naming the file and the cause; [ErrInvalid] for a path that is empty or no file's; [ErrClosed].
func (db *DB) SaveSnapshot(path string) error {
	return db.do(func(open cDB) error { return cSnapshotSave(open, path) })
}

// LoadSnapshot fills an empty database from a snapshot: schema and items appear at once, after all of the file was
// checked. Other options of the database stay.
//
// Errors: [ErrCorrupt] where any byte of the file is wrong, with the place; [ErrIO]; [ErrInvalid] where the database
// holds an item; [ErrClosed]. Nothing is loaded then.
func (db *DB) LoadSnapshot(path string) error {
	return db.do(func(open cDB) error { return cSnapshotLoad(open, path) })
}

// SnapshotProgress is how far the save or load has come that another goroutine has at work: done of total items. total
// is 0 until they are counted.
//
// Errors: [ErrClosed].
func (db *DB) SnapshotProgress() (done, total uint64, err error) {
	err = db.do(func(open cDB) (err error) {
		done, total, err = cSnapshotProgress(open)
		return err
	})
	return done, total, err
}

// ExportJSON writes every item to a file as a line of JSON in DynamoDB's form, as the database is at one moment.
//
// Errors: as [DB.SaveSnapshot].
func (db *DB) ExportJSON(path string) error {
	return db.do(func(open cDB) error { return cExportJSON(open, path) })
}

// Import is how items are imported. The zero Import takes what [DB.ExportJSON] writes.
type Import struct {
	// PKName is the attribute that is the partition key; empty: pk.
	PKName string
	// SKName is the attribute that is the sort key, which every item must have; empty: none where PKName is set,
	// otherwise sk, which items may lack.
	SKName string
	// SkipBad passes over bad records instead of refusing the file.
	SkipBad bool
}

// Imported is what an import came to.
type Imported struct {
	// Loaded is how many items were put, Skipped how many records were bad.
	Loaded, Skipped int
	// Reasons has a line for each of the first ten bad records.
	Reasons string
}

// ImportJSON puts an item for each line of a file.
//
// Errors: [ErrCorrupt] for a bad record, unless they are skipped: the message names the file, the line and what is
// wrong; [ErrIO] where the file cannot be read; [ErrInvalid] for a path or names that cannot be; [ErrClosed]. Nothing
// was put then, unless the file changed after it had been checked. As [DB.Put] otherwise: what came before stays.
func (db *DB) ImportJSON(path string, how Import) (Imported, error) {
	var imported Imported
	err := db.do(func(open cDB) (err error) {
		imported, err = cImportJSON(open, path, how)
		return err
	})
	return imported, err
}
