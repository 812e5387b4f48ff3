//go:build cgo

package kstone

import (
	"context"
	"runtime"
	"slices"
	"strings"
)

// Prepared is a statement, a write or a query that was read once, to be run many times: parsed, its #names resolved.
// Its values come with each run, so any number of goroutines may run one at once. A run is one call into the library.
//
// It belongs to no database: it runs on the one that it was prepared with, on forks of it and on any other, before and
// after that one is closed. What a run reads is decided by the schema in force then. It is freed with the last reference
// to it.
type Prepared struct {
	handle     cPrepared
	parameters []string
}

func adoptPrepared(handle cPrepared, parameters []string) *Prepared {
	p := &Prepared{handle: handle, parameters: parameters}
	runtime.AddCleanup(p, cPreparedFree, handle)
	return p
}

// Parameters are the names of what a run gives values for, in their order: "?1" and so on of a statement, ":name" of
// expressions, each once, those of an update before those of its condition.
func (p *Prepared) Parameters() []string { return slices.Clone(p.parameters) }

// Values puts values by name, such as ":max", in the order of the parameters.
//
// Errors: [ErrInvalid] where one is missing or none of them.
func (p *Prepared) Values(named Params) ([]any, error) {
	values := make([]any, len(p.parameters))
	for i, name := range p.parameters {
		value, given := named[name]
		if !given {
			return nil, newError(ErrInvalid, "the parameters are "+strings.Join(p.parameters, ", ")+": "+name+
				" has no value")
		}
		values[i] = value
	}
	for name := range named {
		if !slices.Contains(p.parameters, name) {
			return nil, newError(ErrInvalid, "the parameters are "+strings.Join(p.parameters, ", ")+": "+name+
				" is none of them")
		}
	}
	return values, nil
}

// Prepare reads a PartiQL statement once, for [DB.Run].
//
//	insert, err := db.Prepare("INSERT INTO items VALUE {'pk': ?, 'born': ?}")
//	for name, born := range people {
//		_, err = db.Run(ctx, insert, name, born)
//	}
//
// Errors: as [DB.Execute], as far as no value is needed to tell.
func (db *DB) Prepare(statement string) (*Prepared, error) {
	return db.prepareWrite(prepareStatement, &Op{expr: statement}, nil)
}

// PrepareUpdate reads an update once, for [DB.RunWrite]. names are what the #names of expression and condition stand
// for; the params of [If] are #names too. [ReturnOnFailure] is the other option that it takes.
//
// Errors: as [DB.Update], as far as no value is needed to tell.
func (db *DB) PrepareUpdate(expression string, names Params, opts ...WriteOption) (*Prepared, error) {
	op := Op{expr: expression}
	return db.prepareWrite(prepareUpdate, op.with(opts), names)
}

// PreparePut reads the condition of a put once, for [DB.RunWrite]. Options are as of [DB.PrepareUpdate].
//
// Errors: as [DB.Put], as far as no value and no item is needed to tell.
func (db *DB) PreparePut(opts ...WriteOption) (*Prepared, error) {
	var op Op
	return db.prepareWrite(preparePut, op.with(opts), nil)
}

// PrepareDelete reads the condition of a delete once, for [DB.RunWrite]. Options are as of [DB.PrepareUpdate].
//
// Errors: as [DB.Delete], as far as no value is needed to tell.
func (db *DB) PrepareDelete(opts ...WriteOption) (*Prepared, error) {
	var op Op
	return db.prepareWrite(prepareDelete, op.with(opts), nil)
}

// PrepareQuery reads a query once, for [DB.Run]. Its Params are #names alone, its Limit is that of runs that have none,
// and a Token belongs to a run.
//
// Errors: as [DB.Query], as far as no value is needed to tell.
func (db *DB) PrepareQuery(query Query) (*Prepared, error) {
	spec := query.spec()
	if err := spec.checkPartition(); err != nil {
		return nil, err
	}
	read, err := readOf(&spec)
	if err != nil {
		return nil, err
	}
	return db.prepare(prepareQueryOf(read))
}

func (db *DB) prepareWrite(kind uint32, op *Op, names Params) (*Prepared, error) {
	if op.returned != nil || op.returns != ReturnNone {
		return nil, newError(ErrInvalid, "what comes back is said by each run: WriteRun.Returns")
	}
	from, err := prepareOf(kind, op, names)
	if err != nil {
		return nil, err
	}
	return db.prepare(from)
}

func (db *DB) prepare(from *cPrepare) (*Prepared, error) {
	open, gate, err := db.enter("")
	if err != nil {
		return nil, err
	}
	defer gate.RUnlock()
	handle, parameters, err := cPrepareRequest(open, from)
	if err != nil {
		return nil, err
	}
	return adoptPrepared(handle, parameters), nil
}

// with is the operation with its options.
func (op *Op) with(opts []WriteOption) *Op {
	for _, opt := range opts {
		opt(op)
	}
	return op
}

// PageRun is a run of a prepared statement or query for one page.
type PageRun struct {
	// Values are those of the parameters, in their order: each a [Value], or anything that [Marshal] takes as a member.
	Values []any
	// Limit is how many items to examine; 0: what the query was prepared with, or up to 1 MiB of them.
	Limit uint32
	// Token is where to go on: the Token of the page before.
	Token []byte
}

// WriteRun is a run of a prepared write.
type WriteRun struct {
	// Item is what a put stores: an [Item], or what [Marshal] takes. Other writes have none.
	Item any
	// Values are those of the parameters, as in PageRun.
	Values []any
	// Returns is what comes back of the item; of a put or delete ReturnNone or ReturnAllOld.
	Returns ReturnValues
}

// Run runs a prepared statement or query, and gives all rows or items. values are those of the parameters, in their
// order. A context that is done ends it between two pages.
//
// Errors: as [DB.Execute] and [DB.Query]; [ErrInvalid] for values that are not as many as the parameters or do not fit;
// [ErrMisuse] where a write was prepared.
func (db *DB) Run(ctx context.Context, p *Prepared, values ...any) ([]Item, error) {
	var rows []Item
	run := PageRun{Values: values}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		page, err := db.RunPage(p, run)
		if err != nil {
			return nil, err
		}
		for _, entry := range page.Entries {
			rows = append(rows, entry.Item)
		}
		if page.Token == nil {
			return rows, nil
		}
		run.Token = page.Token
	}
}

// RunPage runs a prepared statement or query for one page.
//
// Errors: as [DB.Run].
func (db *DB) RunPage(p *Prepared, run PageRun) (*Page, error) {
	if p == nil {
		return nil, newError(ErrMisuse, "a Prepared is needed, found nil")
	}
	crossing, err := runOf(run.Values, run.Limit, run.Token)
	if err != nil {
		return nil, err
	}
	open, gate, err := db.enter("")
	if err != nil {
		return nil, err
	}
	defer gate.RUnlock()
	defer runtime.KeepAlive(p)
	return cRunPage(open, p.handle, crossing)
}

// RunWrite runs a prepared put, update or delete on the item of a key. What comes back is what run.Returns asks for, nil
// where there is nothing.
//
// Errors: as [DB.Update], [DB.Put] and [DB.Delete]; [ErrInvalid] for values that are not as many as the parameters or do
// not fit; [ErrMisuse] where no write was prepared.
func (db *DB) RunWrite(p *Prepared, pk, sk string, run WriteRun) (Item, error) {
	if p == nil {
		return nil, newError(ErrMisuse, "a Prepared is needed, found nil")
	}
	crossing, err := runWriteOf(pk, sk, &run)
	if err != nil {
		return nil, err
	}
	open, gate, err := db.enter(pk)
	if err != nil {
		return nil, err
	}
	defer gate.RUnlock()
	defer runtime.KeepAlive(p)
	return cRunWrite(open, p.handle, crossing)
}
