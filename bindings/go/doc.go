// Package kstone is DynamoDB's data model in memory: items of typed attributes under a partition key and an optional
// sort key, with conditions, update expressions, transactions, PartiQL, indexes, expiry, change streams, forks and
// snapshots. It is a binding of the C library kstone. Nothing survives the process but what [DB.SaveSnapshot] and
// [DB.ExportJSON] write.
//
//	db, err := kstone.OpenMemory()
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	err = db.Put("user#1", "", kstone.Item{"name": kstone.String("Alice"), "age": kstone.Int(30)})
//
// # Values
//
// An [Item] maps names to values of DynamoDB's ten types. Structs are items too, through [Marshal], [Unmarshal] and the
// tag kstone:"name"; [DB.Put] and [DB.GetInto] take them directly. Numbers are exact decimals of 38 digits: [Number].
//
// # Accounts
//
// An [Account] is any number of tables behind DynamoDB's operations: [Account.Call] takes the JSON that an SDK would
// send, and gives the JSON that AWS would answer.
//
// # Errors
//
// A call that fails changed nothing. errors.Is tells the kind, such as [ErrConditionFailed] or [ErrNotFound]; errors.As
// with an [*Error] tells DynamoDB's name of it, the message, the operation of a batch, and the item that made a
// condition fail.
//
// # Ownership
//
// What is passed in is copied, what is given out is Go's own memory. A [DB] is closed by its owner: [DB.Close].
//
// # Goroutines
//
// Any number may use one [DB] at once; writes to different partitions seldom wait for each other. Items, pages and
// errors may be read by many, and changed by one.
//
// # Contexts
//
// A call into the library cannot be interrupted, and most take microseconds. What reads page by page takes a context,
// and looks at it before each page. Those that pass over all items, such as [DB.Compact] or [DB.SaveSnapshot], are
// one call; [DB.SnapshotProgress] says how far it has come.
//
// # Building
//
// cgo links libkstone.a of the checkout that this package lies in, after make library, or of /usr/local after
// make install; otherwise CGO_LDFLAGS=-L… says where. The tag kstone_dynamic links libkstone.so. The header is in the
// package, so that go mod vendor takes it along.
package kstone
