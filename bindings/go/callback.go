package kstone

/*
#include "shim.h"
*/
import "C"

import (
	"errors"
	"io"
	"runtime/cgo"
	"unsafe"
)

// SaveSnapshotTo writes the bytes of a snapshot, as [DB.SaveSnapshot] does to a file. The writer must not use the
// database: [DB.Close] waits for the save.
//
// Errors: what the writer returns; [ErrClosed].
func (db *DB) SaveSnapshotTo(w io.Writer) error {
	return db.through(&stream{writer: w}, func(open cDB, handle C.uintptr_t) error {
		var cerr *C.kstone_error
		return failure(C.kgo_snapshot_save_to(open, handle, &cerr), cerr)
	})
}

// LoadSnapshotFrom fills an empty database with the bytes of a snapshot, up to [io.EOF]. The reader must not use the
// database.
//
// Errors: as [DB.LoadSnapshot]; what the reader returns. Nothing is loaded then.
func (db *DB) LoadSnapshotFrom(r io.Reader) error {
	return db.through(&stream{reader: r}, func(open cDB, handle C.uintptr_t) error {
		var cerr *C.kstone_error
		return failure(C.kgo_snapshot_load_from(open, handle, &cerr), cerr)
	})
}

// A stream is what C calls back, and what came of it.
type stream struct {
	writer io.Writer
	reader io.Reader
	err    error
	// What came with the last bytes that were read.
	next error
	// What the writer or reader panicked with: a panic must not cross C.
	panicked any
}

func (db *DB) through(s *stream, call func(cDB, C.uintptr_t) error) error {
	handle := cgo.NewHandle(s)
	defer handle.Delete()
	err := db.do(func(open cDB) error { return call(open, C.uintptr_t(handle)) })
	if s.panicked != nil {
		panic(s.panicked)
	}
	if s.err != nil {
		return s.err
	}
	return err
}

// guard runs a call of the stream's.
func (s *stream) guard(call func() error) (status C.kstone_status) {
	defer func() {
		if s.panicked = recover(); s.panicked != nil {
			status = C.KSTONE_ERR_IO
		}
	}()
	if s.err = call(); s.err != nil {
		return C.KSTONE_ERR_IO
	}
	return C.KSTONE_OK
}

//export kgoWrite
func kgoWrite(handle C.uintptr_t, data unsafe.Pointer, size C.size_t) C.kstone_status {
	s := cgo.Handle(handle).Value().(*stream)
	return s.guard(func() error {
		written, err := s.writer.Write(unsafe.Slice((*byte)(data), int(size)))
		if err == nil && written < int(size) {
			err = io.ErrShortWrite
		}
		return err
	})
}

// emptyReadsMax is how often a reader may give nothing, which is no end.
const emptyReadsMax = 100

//export kgoRead
func kgoRead(handle C.uintptr_t, buffer unsafe.Pointer, capacity C.size_t, size *C.size_t) C.kstone_status {
	s := cgo.Handle(handle).Value().(*stream)
	return s.guard(func() error {
		into := unsafe.Slice((*byte)(buffer), int(capacity))
		for range emptyReadsMax {
			if s.next == io.EOF {
				return nil
			}
			if s.next != nil {
				return s.next
			}
			read, err := s.reader.Read(into)
			if read < 0 || read > len(into) {
				return errors.New("kstone: the reader says that it has read an impossible number of bytes")
			}
			*size, s.next = C.size_t(read), err
			if read > 0 {
				return nil
			}
		}
		return io.ErrNoProgress
	})
}
