//go:build cgo

package kstone

// All calls into C are in this file, and what C calls back is in callback.go. Every request crosses once; what comes back is copied into Go's memory, and freed
// before the function returns, so that no other file sees a C pointer but the database's. C keeps no Go pointer.

/*
#include "shim.h"

#cgo noescape kstone_put_bytes
#cgo nocallback kstone_put_bytes
#cgo noescape kstone_get_bytes
#cgo nocallback kstone_get_bytes
#cgo noescape kstone_delete
#cgo nocallback kstone_delete
#cgo noescape kstone_get_attribute
#cgo nocallback kstone_get_attribute
#cgo noescape kgo_get_many
#cgo nocallback kgo_get_many
#cgo noescape kgo_put_many
#cgo nocallback kgo_put_many
#cgo noescape kgo_write_one
#cgo nocallback kgo_write_one
#cgo noescape kgo_run
#cgo nocallback kgo_run
#cgo noescape kgo_run_write
#cgo nocallback kgo_run_write
#cgo noescape kgo_query
#cgo nocallback kgo_query
#cgo noescape kgo_scan
#cgo nocallback kgo_scan
*/
import "C"

import "unsafe"

type (
	cDB     = *C.kstone_db
	cIter   = *C.kgo_iter
	cCursor = *C.kstone_cursor
	// cPrepared is run by any number of goroutines at once.
	cPrepared = *C.kstone_prepared
)

// getBufferBytes is the size of the buffer on the stack that most items fit into.
const getBufferBytes = 512

func textPointer(text string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(text)) }

func textChars(text string) *C.char { return (*C.char)(textPointer(text)) }

func bytesPointer(bytes []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(bytes)) }

// lent views bytes of the library's, for as long as what lends them is not freed.
func lent(bytes C.kstone_bytes) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(bytes.data)), int(bytes.len))
}

// failure turns a status below 0 and its error object, which it frees, into an error. cerr may be nil.
func failure(status C.kstone_status, cerr *C.kstone_error) error {
	if status >= 0 {
		return nil
	}
	code := Code(status)
	if cerr == nil {
		return newError(code, code.text())
	}
	read := C.kgo_error_read(cerr)
	err := &Error{
		Code:    code,
		Name:    C.GoString(read.name),
		Message: C.GoString(read.message),
		Index:   int(read.index),
	}
	if read.has_item != 0 {
		err.Item, _ = decodeItem(string(lent(read.item)))
	}
	C.kstone_free(unsafe.Pointer(read.whole))
	C.kstone_free(unsafe.Pointer(cerr))
	return err
}

// found is failure for calls that may find nothing.
func found(status C.kstone_status, cerr *C.kstone_error) error {
	if status == C.KSTONE_NOT_FOUND {
		return ErrNotFound
	}
	return failure(status, cerr)
}

func cVersion() string { return C.GoString(C.kstone_version()) }

func cStatusText(code Code) string { return C.GoString(C.kstone_status_text(C.kstone_status(code))) }

func cOpen(o *options) (cDB, error) {
	var a arena
	from := C.kgo_options{
		schema:               a.optional(o.schema),
		memtable_max_records: C.uint64_t(o.memtableMaxRecords),
		memory_max_bytes:     C.uint64_t(o.memoryMaxBytes),
	}
	if o.evictLRU {
		from.eviction = C.KSTONE_EVICT_LRU
	}
	if o.backgroundCompaction {
		from.flags = C.KSTONE_OPEN_BACKGROUND_COMPACTION
	}
	var db cDB
	var cerr *C.kstone_error
	status := C.kgo_open(a.base(), &from, &db, &cerr)
	return db, failure(status, cerr)
}

func cFork(db cDB) (cDB, error) {
	var fork cDB
	var cerr *C.kstone_error
	status := C.kstone_fork(db, &fork, &cerr)
	return fork, failure(status, cerr)
}

func cFree(db cDB) { C.kstone_free(unsafe.Pointer(db)) }

func cPut(db cDB, pk, sk string, body []byte) error {
	var cerr *C.kstone_error
	status := C.kstone_put_bytes(db, textPointer(pk), C.size_t(len(pk)), textPointer(sk), C.size_t(len(sk)),
		bytesPointer(body), C.size_t(len(body)), &cerr)
	return failure(status, cerr)
}

// cGet gives the stored form of an item.
func cGet(db cDB, pk, sk string) (string, error) {
	var stack [getBufferBytes]byte
	buffer := stack[:]
	for {
		var length C.size_t
		var cerr *C.kstone_error
		status := C.kstone_get_bytes(db, textPointer(pk), C.size_t(len(pk)), textPointer(sk), C.size_t(len(sk)),
			bytesPointer(buffer), C.size_t(len(buffer)), &length, &cerr)
		if err := found(status, cerr); err != nil {
			return "", err
		}
		if int(length) <= len(buffer) {
			return string(buffer[:length]), nil
		}
		buffer = make([]byte, length)
	}
}

// cGetAttribute gives one attribute of an item.
func cGetAttribute(db cDB, pk, sk, path string) (Value, error) {
	var stack [getBufferBytes]byte
	buffer := stack[:]
	for {
		var length C.size_t
		var kind C.uint32_t
		var cerr *C.kstone_error
		status := C.kstone_get_attribute(db, textPointer(pk), C.size_t(len(pk)), textPointer(sk), C.size_t(len(sk)),
			textChars(path), C.size_t(len(path)), bytesPointer(buffer), C.size_t(len(buffer)), &length, &kind, &cerr)
		if err := found(status, cerr); err != nil {
			return nil, err
		}
		if kind == C.KSTONE_TYPE_NONE {
			return nil, ErrNotFound
		}
		if int(length) <= len(buffer) {
			return decodeValue(Type(kind), string(buffer[:length]), 0)
		}
		buffer = make([]byte, length)
	}
}

// cKeys writes many keys.
func cKeys(a *arena, count int, key func(i int) (pk, sk string)) []C.kgo_key {
	parts := make([]C.kgo_key, count)
	for i := range parts {
		pk, sk := key(i)
		parts[i] = C.kgo_key{pk: a.text(pk), sk: a.text(sk)}
	}
	return parts
}

// cBody writes what is to be put under one of them.
func cBody(a *arena, part *C.kgo_key, item any) error {
	at := len(a.bytes)
	body, err := appendBody(nil, item)
	a.bytes = append(a.bytes, body...)
	part.body = C.kgo_part{at: C.size_t(at), len: C.size_t(len(body))}
	return err
}

func cGetMany(db cDB, a *arena, keys []C.kgo_key) ([]Entry, error) {
	var out C.kgo_bytes
	var cerr *C.kstone_error
	status := C.kgo_get_many(db, a.base(), unsafe.SliceData(keys), C.size_t(len(keys)), &out, &cerr)
	if err := failure(status, cerr); err != nil {
		return nil, err
	}
	defer C.kgo_release(out)
	return decodeEntries(unsafe.Slice((*byte)(out.data), int(out.len)))
}

func cPutMany(db cDB, a *arena, keys []C.kgo_key) error {
	var cerr *C.kstone_error
	status := C.kgo_put_many(db, a.base(), unsafe.SliceData(keys), C.size_t(len(keys)), &cerr)
	return failure(status, cerr)
}

func cDelete(db cDB, pk, sk string) error {
	var cerr *C.kstone_error
	status := C.kstone_delete(db, textPointer(pk), C.size_t(len(pk)), textPointer(sk), C.size_t(len(sk)), &cerr)
	return failure(status, cerr)
}

func cPutJSON(db cDB, pk, sk, json string, flags uint32) error {
	var cerr *C.kstone_error
	status := C.kstone_put_json(db, textPointer(pk), C.size_t(len(pk)), textPointer(sk), C.size_t(len(sk)),
		textChars(json), C.size_t(len(json)), C.uint32_t(flags), &cerr)
	return failure(status, cerr)
}

func cGetJSON(db cDB, pk, sk string, flags uint32) (string, error) {
	var text *C.char
	var length C.size_t
	var cerr *C.kstone_error
	status := C.kstone_get_json(db, textPointer(pk), C.size_t(len(pk)), textPointer(sk), C.size_t(len(sk)),
		C.uint32_t(flags), &text, &length, &cerr)
	return ownText(text, length), found(status, cerr)
}

// ownText copies text that the library handed out, and frees it. It may be nil.
func ownText(text *C.char, length C.size_t) string {
	defer C.kstone_free(unsafe.Pointer(text))
	return C.GoStringN(text, C.int(length))
}

// arena collects the parts of a request. A request is written into one before a call enters the database, since what the
// program's own types do when they are written is not ours to know: they may use the database, or close it.
type arena struct{ bytes []byte }

// none is the part that is not there.
var none = C.kgo_part{at: C.SIZE_MAX}

func (a *arena) text(text string) C.kgo_part {
	at := len(a.bytes)
	a.bytes = append(a.bytes, text...)
	return C.kgo_part{at: C.size_t(at), len: C.size_t(len(text))}
}

// optional is none where the text is empty.
func (a *arena) optional(text string) C.kgo_part {
	if text == "" {
		return none
	}
	return a.text(text)
}

// expression is none where the text is nil.
func (a *arena) expression(text *string) C.kgo_part {
	if text == nil {
		return none
	}
	return a.text(*text)
}

func (a *arena) params(params Params) (C.kgo_part, error) {
	if params == nil {
		return none, nil
	}
	at := len(a.bytes)
	var err error
	a.bytes, err = appendParams(a.bytes, params)
	return C.kgo_part{at: C.size_t(at), len: C.size_t(len(a.bytes) - at)}, err
}

func (a *arena) body(item any) (C.kgo_part, error) {
	at := len(a.bytes)
	var err error
	a.bytes, err = appendBody(a.bytes, item)
	return C.kgo_part{at: C.size_t(at), len: C.size_t(len(a.bytes) - at)}, err
}

// base is where the arena's parts are counted from. Never nil, so that an empty part is not taken for none.
func (a *arena) base() unsafe.Pointer {
	if cap(a.bytes) == 0 {
		a.bytes = make([]byte, 0, 1)
	}
	return bytesPointer(a.bytes)
}

func (a *arena) write(op *Op) (w C.kgo_write, err error) {
	w = C.kgo_write{
		kind: C.uint32_t(op.kind), return_values: C.uint32_t(op.returns),
		pk: a.text(op.pk), sk: a.text(op.sk),
		body: none, expr: none, params: none, cond: none, cond_params: none,
	}
	if op.returnOnFailure {
		w.return_old_on_failure = 1
	}
	if op.kind == opPut || op.kind == opPutItem {
		if w.body, err = a.body(op.item); err != nil {
			return w, err
		}
	}
	if op.kind == opUpdate || op.kind == opExecute {
		w.expr = a.text(op.expr)
		if w.params, err = a.params(op.params); err != nil {
			return w, err
		}
	}
	if op.conditional {
		w.cond = a.text(op.condition)
		w.cond_params, err = a.params(op.conditionParams)
	}
	return w, err
}

// cWrites are writes in the form in which they cross.
type cWrites struct {
	arena
	writes []C.kgo_write
}

func writesOf(ops []Op) (*cWrites, error) {
	w := cWrites{writes: make([]C.kgo_write, len(ops))}
	for i := range ops {
		var err error
		if w.writes[i], err = w.write(&ops[i]); err != nil {
			return nil, ofOperation(err, i)
		}
	}
	return &w, nil
}

func writeOf(op *Op) (*cWrites, error) {
	var w cWrites
	write, err := w.write(op)
	w.writes = []C.kgo_write{write}
	return &w, err
}

// cWrite does one write; the item is nil where none comes back.
func cWrite(db cDB, w *cWrites) (Item, error) {
	var out C.kgo_item
	var cerr *C.kstone_error
	status := C.kgo_write_one(db, w.base(), &w.writes[0], &out, &cerr)
	if err := failure(status, cerr); err != nil || out.handle == nil {
		return nil, err
	}
	item, err := decodeItem(string(lent(out.body)))
	C.kstone_free(unsafe.Pointer(out.handle))
	return item, err
}

// cRun runs a batch and gives what its gets found.
func cRun(db cDB, w *cWrites, flags uint32) ([]Item, error) {
	var out C.kgo_page
	var cerr *C.kstone_error
	status := C.kgo_batch_run(db, w.base(), unsafe.SliceData(w.writes), C.size_t(len(w.writes)), C.uint32_t(flags), &out,
		&cerr)
	if err := failure(status, cerr); err != nil {
		if cerr == nil { // it was refused while the batch was built
			err = ofOperation(err, int(out.count)-1)
		}
		return nil, err
	}
	page, err := takePage(&out)
	items := make([]Item, len(page.Entries))
	for i, entry := range page.Entries {
		items[i] = entry.Item
	}
	return items, err
}

// takePage copies a page and frees it.
func takePage(out *C.kgo_page) (*Page, error) {
	entries, err := decodeEntries(lent(out.items))
	page := &Page{
		Entries: entries,
		Count:   int(out.count),
		Scanned: int(out.scanned),
		Token:   append([]byte(nil), lent(out.token)...),
	}
	C.kstone_free(unsafe.Pointer(out.handle))
	return page, err
}

// cRead is what a query or scan wants, in the form in which it crosses.
type cRead struct {
	arena
	spec C.kgo_spec
	scan bool
}

func readOf(spec *readSpec) (*cRead, error) {
	r := cRead{scan: spec.scan}
	a := &r.arena
	s := C.kgo_spec{
		sk_op: C.uint32_t(spec.sortKey.op), flags: C.uint32_t(spec.flags), limit: C.uint32_t(spec.limit),
		segment: C.uint32_t(spec.segment), segments: C.uint32_t(spec.segments),
		pk: a.optional(spec.pk), sk1: none, sk2: none,
		index: a.optional(spec.index), token: a.optional(string(spec.token)),
		key_expr: a.expression(spec.keyCondition), filter: a.expression(spec.filter),
		projection: a.expression(spec.projection), start_after: none,
	}
	if spec.sortKey.op != skAny {
		s.sk1, s.sk2 = a.text(spec.sortKey.low), a.optional(spec.sortKey.high)
	}
	var err error
	s.params, err = a.params(spec.params)
	if err == nil && spec.startAfter != nil {
		s.start_after, err = a.body(spec.startAfter)
	}
	r.spec = s
	return &r, err
}

func cPage(db cDB, r *cRead) (*Page, error) {
	var out C.kgo_page
	var cerr *C.kstone_error
	var status C.kstone_status
	if r.scan {
		status = C.kgo_scan(db, r.base(), &r.spec, &out, &cerr)
	} else {
		status = C.kgo_query(db, r.base(), &r.spec, &out, &cerr)
	}
	if err := failure(status, cerr); err != nil {
		return nil, err
	}
	return takePage(&out)
}

// cStatement is a statement in the form in which it crosses.
type cStatement struct {
	arena
	statement, params, token C.kgo_part
}

func statementOf(text string, params Params, token []byte) (*cStatement, error) {
	var s cStatement
	var err error
	s.statement, s.token = s.text(text), s.optional(string(token))
	s.params, err = s.arena.params(params)
	return &s, err
}

func cExecute(db cDB, s *cStatement) (*Page, error) {
	var out C.kgo_page
	var cerr *C.kstone_error
	status := C.kgo_execute(db, s.base(), s.statement, s.params, s.token, &out, &cerr)
	if err := failure(status, cerr); err != nil {
		return nil, err
	}
	return takePage(&out)
}

// The kinds of kstone_prepare_spec.
const (
	prepareStatement = C.KSTONE_PREPARE_STATEMENT
	preparePut       = C.KSTONE_PREPARE_PUT
	prepareUpdate    = C.KSTONE_PREPARE_UPDATE
	prepareDelete    = C.KSTONE_PREPARE_DELETE
	prepareQuery     = C.KSTONE_PREPARE_QUERY
)

// cPrepare is what is to be prepared, in the form in which it crosses.
type cPrepare struct {
	arena
	from C.kgo_prepare
}

func prepareOf(kind uint32, op *Op, names Params) (*cPrepare, error) {
	var p cPrepare
	w := C.kgo_write{body: none, expr: none, params: none, cond: none, cond_params: none}
	var err error
	if kind == prepareStatement || kind == prepareUpdate {
		w.expr = p.text(op.expr)
		w.params, err = p.params(names)
	}
	if err == nil && op.conditional {
		w.cond = p.text(op.condition)
		w.cond_params, err = p.params(op.conditionParams)
	}
	if op.returnOnFailure {
		w.return_old_on_failure = 1
	}
	p.from = C.kgo_prepare{kind: C.uint32_t(kind), write: w}
	return &p, err
}

func prepareQueryOf(r *cRead) *cPrepare {
	return &cPrepare{arena: r.arena, from: C.kgo_prepare{kind: prepareQuery, query: r.spec}}
}

func cPrepareRequest(db cDB, p *cPrepare) (cPrepared, []string, error) {
	var prepared cPrepared
	var cerr *C.kstone_error
	status := C.kgo_prepare_request(db, p.base(), &p.from, &prepared, &cerr)
	if err := failure(status, cerr); err != nil {
		return nil, nil, err
	}
	names := make([]string, C.kstone_prepared_count(prepared))
	for i := range names {
		names[i] = string(lent(C.kstone_prepared_name(prepared, C.size_t(i))))
	}
	return prepared, names, nil
}

func cPreparedFree(p cPrepared) { C.kstone_free(unsafe.Pointer(p)) }

// cRunOf is a run of what was prepared, in the form in which it crosses.
type cRunOf struct {
	arena
	values, token C.kgo_part
	limit         C.uint32_t
	write         C.kgo_write
}

func runOf(values []any, limit uint32, token []byte) (*cRunOf, error) {
	r := cRunOf{limit: C.uint32_t(limit)}
	var err error
	r.values, err = r.arena.values(values)
	r.token = r.optional(string(token))
	return &r, err
}

func runWriteOf(pk, sk string, run *WriteRun) (*cRunOf, error) {
	var r cRunOf
	r.write = C.kgo_write{return_values: C.uint32_t(run.Returns), pk: r.text(pk), sk: r.text(sk), body: none}
	var err error
	if r.values, err = r.arena.values(run.Values); err == nil && run.Item != nil {
		r.write.body, err = r.body(run.Item)
	}
	return &r, err
}

// values are those of a run, as the elements of a list are stored.
func (a *arena) values(values []any) (C.kgo_part, error) {
	at := len(a.bytes)
	var err error
	a.bytes, err = appendRunValues(a.bytes, values)
	return C.kgo_part{at: C.size_t(at), len: C.size_t(len(a.bytes) - at)}, err
}

func cRunPage(db cDB, p cPrepared, r *cRunOf) (*Page, error) {
	var out C.kgo_page
	var cerr *C.kstone_error
	status := C.kgo_run(db, p, r.base(), r.values, r.limit, r.token, &out, &cerr)
	if err := failure(status, cerr); err != nil {
		return nil, err
	}
	return takePage(&out)
}

// cRunWrite does a prepared write; the item is nil where none comes back.
func cRunWrite(db cDB, p cPrepared, r *cRunOf) (Item, error) {
	var out C.kgo_item
	var cerr *C.kstone_error
	status := C.kgo_run_write(db, p, r.base(), &r.write, r.values, &out, &cerr)
	if err := failure(status, cerr); err != nil || out.handle == nil {
		return nil, err
	}
	item, err := decodeItem(string(lent(out.body)))
	C.kstone_free(unsafe.Pointer(out.handle))
	return item, err
}

func cIterOpen(db cDB, r *cRead) (cIter, error) {
	var iter cIter
	var cerr *C.kstone_error
	status := C.kgo_iter_open(db, r.base(), &r.spec, &iter, &cerr)
	return iter, failure(status, cerr)
}

// cIterNext gives the next items, at least one until there are no more.
func cIterNext(iter cIter, enough int) ([]Entry, error) {
	var out C.kstone_bytes
	var cerr *C.kstone_error
	status := C.kgo_iter_next(iter, C.size_t(enough), &out, &cerr)
	if err := failure(status, cerr); err != nil {
		return nil, err
	}
	return decodeEntries(lent(out))
}

func cIterFree(iter cIter) { C.kgo_iter_free(iter) }

func cCursorOpen(db cDB, r *cRead) (cCursor, error) {
	var cursor cCursor
	var cerr *C.kstone_error
	status := C.kgo_cursor_open(db, r.base(), &r.spec, &cursor, &cerr)
	return cursor, failure(status, cerr)
}

// How a cursor moves.
const (
	moveFirst = C.KGO_FIRST
	moveLast  = C.KGO_LAST
	moveNext  = C.KGO_NEXT
	movePrev  = C.KGO_PREV
	moveSeek  = C.KGO_SEEK
)

// cCursorGo moves a cursor; whether it came to an item, and which.
func cCursorGo(cursor cCursor, move uint32, pk, sk string) (Entry, bool, error) {
	var a arena
	cPK, cSK := a.optional(pk), a.optional(sk)
	var out C.kgo_entry
	var cerr *C.kstone_error
	status := C.kgo_cursor_go(cursor, C.uint32_t(move), a.base(), cPK, cSK, &out, &cerr)
	if err := failure(status, cerr); err != nil || status == C.KSTONE_DONE {
		return Entry{}, false, err
	}
	item, err := decodeItem(string(lent(out.body)))
	C.kstone_free(unsafe.Pointer(out.whole))
	return Entry{PK: string(lent(out.pk)), SK: string(lent(out.sk)), Item: item}, err == nil, err
}

func cCursorFree(cursor cCursor) { C.kstone_free(unsafe.Pointer(cursor)) }

func cConfigure(db cDB, schema string) error {
	var cerr *C.kstone_error
	chars := textChars(schema)
	if schema == "" {
		chars = nil
	}
	return failure(C.kstone_configure(db, chars, C.size_t(len(schema)), &cerr), cerr)
}

func cClear(db cDB) error {
	var cerr *C.kstone_error
	return failure(C.kstone_clear(db, &cerr), cerr)
}

func cFlush(db cDB) error {
	var cerr *C.kstone_error
	return failure(C.kstone_flush(db, &cerr), cerr)
}

func cCompact(db cDB) error {
	var cerr *C.kstone_error
	return failure(C.kstone_compact(db, &cerr), cerr)
}

func cSetTime(db cDB, epochSeconds int64) error {
	var cerr *C.kstone_error
	return failure(C.kstone_set_time(db, C.int64_t(epochSeconds), &cerr), cerr)
}

func cPurgeExpired(db cDB) (int, error) {
	var purged C.size_t
	var cerr *C.kstone_error
	status := C.kstone_purge_expired(db, &purged, &cerr)
	return int(purged), failure(status, cerr)
}

func cStat(db cDB, statistic Statistic) (uint64, error) {
	var value C.uint64_t
	var cerr *C.kstone_error
	status := C.kstone_stat(db, C.uint32_t(statistic), &value, &cerr)
	return uint64(value), failure(status, cerr)
}

func cStatsJSON(db cDB) (string, error) {
	var text *C.char
	var length C.size_t
	var cerr *C.kstone_error
	status := C.kstone_stats_json(db, &text, &length, &cerr)
	return ownText(text, length), failure(status, cerr)
}

func cStreamRead(db cDB, after uint64, limit int) (string, error) {
	var text *C.char
	var length C.size_t
	var cerr *C.kstone_error
	status := C.kstone_stream_read(db, C.uint64_t(after), C.size_t(limit), &text, &length, &cerr)
	return ownText(text, length), failure(status, cerr)
}

func cSnapshotSave(db cDB, path string) error {
	var cerr *C.kstone_error
	return failure(C.kstone_snapshot_save(db, textChars(path), C.size_t(len(path)), &cerr), cerr)
}

func cSnapshotLoad(db cDB, path string) error {
	var cerr *C.kstone_error
	return failure(C.kstone_snapshot_load(db, textChars(path), C.size_t(len(path)), &cerr), cerr)
}

func cSnapshotProgress(db cDB) (done, total uint64, err error) {
	var cDone, cTotal C.uint64_t
	var cerr *C.kstone_error
	status := C.kstone_snapshot_progress(db, &cDone, &cTotal, &cerr)
	return uint64(cDone), uint64(cTotal), failure(status, cerr)
}

func cExportJSON(db cDB, path string) error {
	var cerr *C.kstone_error
	return failure(C.kstone_export_json(db, textChars(path), C.size_t(len(path)), &cerr), cerr)
}

func cImportJSON(db cDB, path string, how Import) (Imported, error) {
	var a arena
	in := C.kgo_import{path: a.text(path), pk_name: a.optional(how.PKName), sk_name: a.optional(how.SKName)}
	if how.SkipBad {
		in.flags = C.KSTONE_IMPORT_SKIP
	}
	var cerr *C.kstone_error
	status := C.kgo_import_json(db, a.base(), &in, &cerr)
	defer C.kstone_free(unsafe.Pointer(in.reasons))
	return Imported{
		Loaded: int(in.loaded), Skipped: int(in.skipped), Reasons: C.GoString(in.reasons),
	}, failure(status, cerr)
}
