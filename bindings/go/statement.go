//go:build cgo

package kstone

import (
	"context"
	"strconv"
)

// Statement is a request in PartiQL, DynamoDB's dialect of SQL: SELECT, INSERT, UPDATE and DELETE on the table, which
// is called items unless its schema has a name. The key is addressed as pk and sk; "table"."index" reads an index.
// docs/partiql.md is the reference.
type Statement struct {
	// Text has a ? for each parameter. It is parsed once: keep it constant, and vary the parameters.
	Text string
	// Params are what each ? stands for, in order: a [Value], or anything that [Marshal] takes as a member.
	Params []any
	// Token is where to go on: the Token of the page before.
	Token []byte
}

// bag names parameters as the library does: ?1, ?2 and so on.
func bag(params []any) Params {
	if params == nil {
		return nil
	}
	named := make(Params, len(params))
	for i, param := range params {
		named["?"+strconv.Itoa(i+1)] = param
	}
	return named
}

// Execute executes a statement and gives all rows of a SELECT, or of a write with RETURNING; none of any other write. A
// row has the columns of the SELECT list as its attributes; with SELECT * it is the whole item, in which the key stands
// as the attributes pk and sk. A context that is done ends it between two pages.
//
//	rows, err := db.Execute(ctx, "SELECT total FROM items WHERE pk = ? AND status = ?", "ada", "open")
//
// Errors: [ErrInvalid] where the statement is not well-formed (the message has line, column and an excerpt), names
// another table or an index that is not there, or where a parameter is missing, left over or of an unfit type;
// [ErrConditionFailed] where the WHERE clause of an UPDATE or DELETE does not hold, and for an INSERT of a key that is
// there; [ErrLimit]; [ErrClosed]; the context's. A write that fails changes nothing.
func (db *DB) Execute(ctx context.Context, statement string, params ...any) ([]Item, error) {
	var rows []Item
	request := Statement{Text: statement, Params: params}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		page, err := db.ExecutePage(request)
		if err != nil {
			return nil, err
		}
		for _, entry := range page.Entries {
			rows = append(rows, entry.Item)
		}
		if page.Token == nil {
			return rows, nil
		}
		request.Token = page.Token
	}
}

// ExecutePage executes a statement and gives one page of its rows, for those that pass its token on. A page ends after
// 1 MiB of items that were examined; it may be empty and have a token. Rows that are grouped or sorted come in one.
//
// Errors: as [DB.Execute].
func (db *DB) ExecutePage(statement Statement) (*Page, error) {
	return db.execute(statement.Text, bag(statement.Params), statement.Token)
}

func (db *DB) execute(text string, params Params, token []byte) (*Page, error) {
	statement, err := statementOf(text, params, token)
	if err != nil {
		return nil, err
	}
	open, gate, err := db.enter(text)
	if err != nil {
		return nil, err
	}
	defer gate.RUnlock()
	return cExecute(open, statement)
}

// StatementOp is a [DB.Execute] of a statement about one item, whose whole key it names; a SELECT counts as a get. A
// batch with statements holds nothing else. In a transaction, either all are SELECTs or none, and
// "EXISTS(SELECT * FROM items WHERE pk = 'a' AND stock > 0)" is a condition next to writes.
func StatementOp(statement string, params ...any) Op {
	return Op{kind: opExecute, expr: statement, params: bag(params)}
}
