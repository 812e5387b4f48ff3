//go:build cgo

package kstone

// An Op is one operation of a batch or transaction.
type Op struct {
	kind            opKind
	pk, sk          string
	item            any
	expr            string
	params          Params
	conditional     bool
	condition       string
	conditionParams Params
	returnOnFailure bool
	returns         ReturnValues
	returned        *Item
}

type opKind uint32

// The kinds of shim.h.
const (
	opPut opKind = iota
	opUpdate
	opDelete
	opCheck
	opGet
	opExecute
	opPutItem
)

const batchAtomic = 1

func (op *Op) apply(opts []WriteOption) {
	for _, opt := range opts {
		opt(op)
	}
}

// PutOp is a [DB.Put].
func PutOp(pk, sk string, item any, opts ...WriteOption) Op {
	op := Op{kind: opPut, pk: pk, sk: sk, item: item}
	op.apply(opts)
	return op
}

// PutItemOp is a [DB.PutItem], with an [If] or without.
func PutItemOp(item any, opts ...WriteOption) Op {
	op := Op{kind: opPutItem, item: item}
	op.apply(opts)
	return op
}

// UpdateOp is a [DB.Update] that returns nothing.
func UpdateOp(pk, sk, expression string, params Params, opts ...WriteOption) Op {
	op := Op{kind: opUpdate, pk: pk, sk: sk, expr: expression, params: params}
	op.apply(opts)
	return op
}

// DeleteOp is a [DB.Delete].
func DeleteOp(pk, sk string, opts ...WriteOption) Op {
	op := Op{kind: opDelete, pk: pk, sk: sk}
	op.apply(opts)
	return op
}

// CheckOp is a condition that must hold for an item which the batch does not write. It counts as a write.
func CheckOp(pk, sk, condition string, params Params, opts ...WriteOption) Op {
	op := Op{kind: opCheck, pk: pk, sk: sk}
	op.apply(opts)
	op.apply([]WriteOption{If(condition, params)})
	return op
}

// GetOp is a [DB.Get].
func GetOp(pk, sk string) Op { return Op{kind: opGet, pk: pk, sk: sk} }

// Transact does up to 100 operations, each on an item of its own, at one moment; or, where one fails, not one of them.
// Gets and conditions see the items as they were before, no other write comes between, and no reader sees a part.
//
// It returns an item for each get, in their order; nil where there is none.
//
// Errors: those of the operations, with [Error.Index]. Where the items as they are make it fail, [Error.Name] is
// "TransactionCanceledException", the message has a reason for every operation, and [ErrConditionFailed] stands for a
// condition that does not hold. [ErrInvalid] where there is no operation or an item is named twice; [ErrLimit] where
// there are too many.
func (db *DB) Transact(ops ...Op) ([]Item, error) { return db.run(ops, batchAtomic) }

// Batch does any number of writes and gets in order, as calls of their own would: a get sees what the writes before it
// wrote. The first that fails ends it; what was done before stays done.
//
// It returns an item for each get, in their order; nil where there is none.
//
// Errors: as [DB.Transact], each operation for itself.
func (db *DB) Batch(ops ...Op) ([]Item, error) { return db.run(ops, 0) }

func (db *DB) run(ops []Op, flags uint32) ([]Item, error) {
	key := ""
	for i := range ops {
		if ops[i].returns != ReturnNone {
			return nil, ofOperation(newError(ErrInvalid, "a batch returns what its gets find: no old or updated items"), i)
		}
		key = ops[i].pk
	}
	writes, err := writesOf(ops)
	if err != nil {
		return nil, err
	}
	open, gate, err := db.enter(key)
	if err != nil {
		return nil, err
	}
	defer gate.RUnlock()
	return cRun(open, writes, flags)
}
