//go:build cgo

package kstone

import (
	"errors"
	"fmt"
	"strings"
)

// Code says what kind of failure an error is: the status of kstone.h. Codes are errors themselves, so that
//
//	errors.Is(err, kstone.ErrConditionFailed)
//
// holds for every [*Error] of that code, however it was wrapped.
type Code int32

// The codes of errors. ErrNotFound and ErrClosed come as they are; all others as the Code of an [*Error].
const (
	// ErrNotFound: there is no item under that key.
	ErrNotFound Code = 1
	// ErrMisuse: an argument is impossible. Fix the program.
	ErrMisuse Code = -1
	// ErrInvalid: a key, an item, an expression or a request is not acceptable. The message says what and where.
	ErrInvalid Code = -2
	// ErrConditionFailed: the condition of a write did not hold, nothing was written.
	ErrConditionFailed Code = -3
	// ErrConflict: another transaction was in the way.
	ErrConflict Code = -4
	// ErrLimit: a documented size limit is passed. The message names the limit and the size found.
	ErrLimit Code = -5
	// ErrType: a value is of another type than what it is to be read into; see [UnmarshalTypeError].
	ErrType Code = -6
	// ErrCorrupt: data to be loaded fails its checks.
	ErrCorrupt Code = -7
	// ErrIO: the operating system refused to read or write a file.
	ErrIO Code = -8
	// ErrPanic: the library failed inside. A database whose write failed so refuses further use.
	ErrPanic Code = -9
	// ErrTrimmed: a reader of the change stream fell behind what the stream keeps.
	ErrTrimmed Code = -10
	// ErrClosed: the database was closed.
	ErrClosed Code = 1000
)

// Error is the code's phrase, such as "kstone: not found".
func (c Code) Error() string { return "kstone: " + c.text() }

func (c Code) text() string {
	if c == ErrClosed {
		return "the database is closed"
	}
	return cStatusText(c)
}

// Error is what a call that failed says about it. Nothing was changed by that call.
//
// It may be kept, and read by any number of goroutines.
type Error struct {
	// Code is the kind of failure.
	Code Code
	// Name is the exception that DynamoDB throws in such a case, such as "ValidationException", or empty.
	// Where an operation cancels a transaction it is "TransactionCanceledException", whatever the code.
	Name string
	// Message is for people. Its wording may change between versions.
	Message string
	// Index is the operation of a batch or transaction that failed, counted from 0; -1 where there is none.
	Index int
	// Item is the item that made a condition fail, where [ReturnOnFailure] asked for it and there is one.
	Item Item
}

// Error is the message, with the operation's index where there is one.
func (e *Error) Error() string {
	if e.Index >= 0 {
		return fmt.Sprintf("kstone: operation %d: %s", e.Index, e.Message)
	}
	return "kstone: " + e.Message
}

// Unwrap is the code, for [errors.Is].
func (e *Error) Unwrap() error { return e.Code }

// newError is an error that did not come with an object of the library's.
func newError(code Code, message string) *Error {
	err := &Error{Code: code, Message: message, Index: -1}
	if code == ErrInvalid || code == ErrLimit || code == ErrType {
		err.Name = "ValidationException"
	}
	return err
}

// ofOperation says which operation of a batch failed.
func ofOperation(err error, index int) error {
	var e *Error
	if errors.As(err, &e) {
		e.Index = index
	}
	return err
}

// fault is why a value cannot be written, or be read into a Go value, and where in the item it is.
type fault struct {
	code    Code
	message string
	path    string
	misfit  *UnmarshalTypeError // in the place of code and message
}

func invalid(format string, args ...any) error {
	return &fault{code: ErrInvalid, message: fmt.Sprintf(format, args...)}
}

func tooLarge(what, unit string, limit, found int) error {
	return &fault{code: ErrLimit, message: fmt.Sprintf(
		"%s has exceeded the maximum allowed size: the limit is %d %s, found %d", what, limit, unit, found)}
}

func (f *fault) Error() string { return "kstone: " + f.message }

// inName says that what failed lies under a name.
func inName(err error, name string) error {
	var f *fault
	if errors.As(err, &f) {
		f.path = "." + name + f.path
	}
	return err
}

// inIndex says that what failed is an element of a list.
func inIndex(err error, index int) error {
	var f *fault
	if errors.As(err, &f) {
		f.path = fmt.Sprintf("[%d]%s", index, f.path)
	}
	return err
}

// public turns a fault into an [*Error] that names the attribute.
func public(err error) error {
	if err == nil {
		return nil
	}
	var f *fault
	if !errors.As(err, &f) {
		return err
	}
	path := strings.TrimPrefix(f.path, ".")
	if f.misfit != nil {
		f.misfit.Path = path
		return f.misfit
	}
	if path == "" {
		return newError(f.code, f.message)
	}
	return newError(f.code, fmt.Sprintf("%s (attribute %s)", f.message, path))
}
