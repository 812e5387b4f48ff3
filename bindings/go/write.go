//go:build cgo

package kstone

// Params are what the names in expressions stand for: ":max" a value, "#s" the name of an attribute. A value is a
// [Value], or anything that [Marshal] takes as a member: a number, a text, a slice and so on. Every name that an
// expression uses must be there, and every one that is there must be used.
type Params map[string]any

// ReturnValues says what [DB.Update] returns of the item.
type ReturnValues uint32

const (
	// ReturnNone: nothing, the default.
	ReturnNone ReturnValues = iota
	// ReturnAllOld: the item as it was.
	ReturnAllOld
	// ReturnUpdatedOld: what the update's paths led to before.
	ReturnUpdatedOld
	// ReturnAllNew: the item as it is now.
	ReturnAllNew
	// ReturnUpdatedNew: what the update's paths lead to now.
	ReturnUpdatedNew
)

// A WriteOption says what else a write looks at, and what it returns. The next use of the same option replaces the
// one before.
type WriteOption func(*Op)

// If lets a write happen only where the condition holds for the item that is there, or for none:
// If("attribute_not_exists(pk)", nil). Looking and writing are one step; of several that race, exactly one wins.
// With params nil an update's condition reads the update's own. The grammar is DynamoDB's.
//
// Errors of the write: [ErrConditionFailed] where it does not hold; [ErrInvalid] where condition and params are not
// acceptable, naming the token and its position.
func If(condition string, params Params) WriteOption {
	return func(op *Op) {
		op.conditional, op.condition, op.conditionParams = true, condition, params
	}
}

// ReturnOnFailure has the item that made a condition fail come back as [Error.Item].
func ReturnOnFailure() WriteOption {
	return func(op *Op) { op.returnOnFailure = true }
}

// ReturnOld has a write say in *old what was there; nil where nothing was. A batch has no use for it: [ErrInvalid].
func ReturnOld(old *Item) WriteOption {
	return func(op *Op) { op.returns, op.returned = ReturnAllOld, old }
}

// Returning has an update return parts of the item. Other writes have no use for it: [ErrInvalid].
func Returning(values ReturnValues) WriteOption {
	return func(op *Op) { op.returns = values }
}

// Update changes an item by an update expression, such as "SET stock = stock - :n REMOVE note"; where there is no item,
// it is made. Every clause reads the item as it was before.
//
// What comes back is what [Returning] asked for, nil where there is nothing.
//
// Errors: as [DB.Put], and [ErrInvalid] where the expression is not acceptable, or an operand is missing in the item or
// of a type that does not fit.
func (db *DB) Update(pk, sk, expression string, params Params, opts ...WriteOption) (Item, error) {
	op := UpdateOp(pk, sk, expression, params, opts...)
	return db.write(&op)
}

// write does one write, and gives what comes back.
func (db *DB) write(op *Op) (Item, error) {
	if op.kind != opUpdate && op.returns != ReturnNone && op.returned == nil {
		return nil, newError(ErrInvalid, "Returning is for updates: a put or delete has ReturnOld")
	}
	write, err := writeOf(op)
	if err != nil {
		return nil, err
	}
	open, gate, err := db.enter(op.pk)
	if err != nil {
		return nil, err
	}
	defer gate.RUnlock()
	item, err := cWrite(open, write)
	if err == nil && op.returned != nil {
		*op.returned = item
	}
	return item, err
}
