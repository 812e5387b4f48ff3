//go:build cgo

package kstone

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// Account is any number of tables in memory behind DynamoDB's operations: the JSON that an SDK would send goes in, the
// JSON that AWS would answer comes out, without a socket. Any number of goroutines may use one at once.
//
//	account, err := kstone.OpenAccount(kstone.AccountOptions{})
//	if err != nil {
//		return err
//	}
//	defer account.Close()
//	var found struct{ Item map[string]map[string]any }
//	err = account.Do("GetItem", map[string]any{"TableName": "Music", "Key": key}, &found)
//
// [Account.Close] releases its memory at once, as [DB.Close] does. The zero Account is a closed one.
type Account struct{ core *accountCore }

// accountCore is what an Account and its copies share, guarded by gates as the core of a DB is.
type accountCore struct {
	gates   [gateCount]gate
	account cAccount // nil once closed; guarded by the gates
	cleanup runtime.Cleanup
}

// AccountOptions says how an account is to be. The zero AccountOptions are the defaults.
type AccountOptions struct {
	// Region is what ARNs name; empty: us-east-1.
	Region string
	// AccountID is the number that ARNs name, twelve digits; empty: 000000000000.
	AccountID string
	// FilesRoot is the folder whose folders are the buckets of exports and imports; empty: there is none, and these are
	// refused.
	FilesRoot string
	// MemoryLimit is the most bytes that all tables may take, at least 1 MiB; 0: no limit.
	MemoryLimit uint64
	// EvictLRU drops the items not used for the longest time where a write reaches MemoryLimit.
	EvictLRU bool
	// Time is what the account shows until [Account.SetTime]; the zero time: the system's clock.
	Time time.Time
	// Transition is for how long, in whole seconds, a new table is CREATING and a changed one UPDATING.
	Transition time.Duration
	// HideExpired has items whose time to live has passed be gone at once; otherwise they are shown until they are
	// removed, as DynamoDB does.
	HideExpired bool
	// ClassicTexts gives refusals the texts of the regions that AWS has not moved to its new validation.
	ClassicTexts bool
	// BackgroundCompaction has a thread of the library's merge what has gathered, so that writers need not.
	BackgroundCompaction bool
}

// Response is an answer. It may be read by any number of goroutines.
type Response struct {
	// Status is that of the HTTP answer that AWS would give: 200; 400 and above for what it refuses.
	Status int
	// Body is JSON, as AWS would send it.
	Body []byte

	requestID atomic.Pointer[string]
}

// AccountError is why AWS would refuse a request.
type AccountError struct {
	// Status is that of the HTTP answer: 400 and above.
	Status int
	// Code is the name of the exception, such as "ResourceNotFoundException".
	Code string
	// Message says what is wrong, in AWS's words; some exceptions have none.
	Message string
	// Body is the whole answer: it may say more, such as the reasons of a transaction.
	Body []byte
}

// Error is the code and the message.
func (e *AccountError) Error() string {
	if e.Message == "" {
		return "kstone: " + e.Code
	}
	return "kstone: " + e.Code + ": " + e.Message
}

// OpenAccount opens an account without tables. It costs microseconds and a few KiB.
//
// Errors: [ErrInvalid] where an option is out of its range.
func OpenAccount(how AccountOptions) (*Account, error) {
	if how.Transition < 0 || how.Transition%time.Second != 0 || how.Transition/time.Second > 1<<32-1 {
		return nil, newError(ErrInvalid, fmt.Sprintf("Transition is %v: it is whole seconds", how.Transition))
	}
	open, err := cAccountOpen(&how)
	if err != nil {
		return nil, err
	}
	return adoptAccount(open), nil
}

func adoptAccount(open cAccount) *Account {
	account := &Account{core: &accountCore{account: open}}
	account.core.cleanup = runtime.AddCleanup(account.core, cAccountFree, open)
	return account
}

// Close frees the account and its tables, once the calls that are under way have returned. Every later call is
// [ErrClosed]. What was handed out stays good, databases of [Account.Table] included. Closing again does nothing. The
// error is always nil; it is there for [io.Closer].
func (a *Account) Close() error {
	if a == nil || a.core == nil {
		return nil
	}
	for i := range a.core.gates {
		a.core.gates[i].Lock()
		defer a.core.gates[i].Unlock()
	}
	if a.core.account != nil {
		a.core.cleanup.Stop()
		cAccountFree(a.core.account)
		a.core.account = nil
	}
	return nil
}

// do runs a call on the account, which stays open for as long. The gate is any: calls meet on few.
func (a *Account) do(call func(cAccount) error) error {
	if a == nil || a.core == nil {
		return ErrClosed
	}
	gate := &a.core.gates[rand.Uint32()%gateCount]
	gate.RLock()
	defer gate.RUnlock()
	if a.core.account == nil {
		return ErrClosed
	}
	return call(a.core.account)
}

// Call carries out one request: an operation's name, such as "PutItem", or what SDKs send as X-Amz-Target; and its
// body, which is JSON as bytes, a string or a [json.RawMessage], nil for {}, or whatever [json.Marshal] takes.
//
// A request that AWS would refuse is no error: [Response.Status] is 400 then, and [Response.Err] makes an error of it.
//
// Errors: [ErrClosed]; those of [json.Marshal].
func (a *Account) Call(operation string, body any) (*Response, error) {
	request, err := requestBody(body)
	if err != nil {
		return nil, err
	}
	response := new(Response)
	err = a.do(func(open cAccount) (err error) {
		response.Status, response.Body, err = cAccountCall(open, target(operation), request)
		return err
	})
	if err != nil {
		return nil, err
	}
	return response, nil
}

// Do is [Account.Call] for those who want the answer or an error: it reads the answer into out by [json.Unmarshal],
// unless out is nil.
//
// Errors: an [*AccountError] where AWS would refuse the request; as Call; those of [json.Unmarshal].
func (a *Account) Do(operation string, body, out any) error {
	response, err := a.Call(operation, body)
	if err != nil {
		return err
	}
	if err := response.Err(); err != nil || out == nil {
		return err
	}
	return json.Unmarshal(response.Body, out)
}

// Table is the table of this name as a database: the same items, without JSON. It is closed for itself, before the
// account or after it. What belongs to the account is [ErrInvalid] there: [DB.Configure], [DB.SetTime] and
// [DB.LoadSnapshot]. So is every call once the table is deleted.
//
// Errors: [ErrInvalid], with the name ResourceNotFoundException, where there is no such table; [ErrClosed].
func (a *Account) Table(name string) (*DB, error) {
	var db *DB
	err := a.do(func(open cAccount) error {
		table, err := cAccountTable(open, name)
		if err == nil {
			db = adopt(table)
		}
		return err
	})
	return db, err
}

// SetTime fixes the time of the account; the zero time goes back to the system's clock. For tests.
//
// Errors: [ErrClosed].
func (a *Account) SetTime(t time.Time) error {
	return a.do(func(open cAccount) error { return cAccountSetTime(open, epochSeconds(t)) })
}

// Fork makes an account of its own that holds what this one holds now, all tables at one moment: writes on either side
// never show on the other. It is closed for itself; this one may be closed before it. It costs some tens of microseconds
// for each table.
//
// Errors: [ErrClosed].
func (a *Account) Fork() (*Account, error) {
	var fork *Account
	err := a.do(func(open cAccount) error {
		made, err := cAccountFork(open)
		if err == nil {
			fork = adoptAccount(made)
		}
		return err
	})
	return fork, err
}

// SaveSnapshot writes all tables as they are now to a file, as [DB.SaveSnapshot] does.
//
// Errors: as there.
func (a *Account) SaveSnapshot(path string) error {
	return a.do(func(open cAccount) error { return cAccountSnapshotSave(open, path) })
}

// LoadSnapshot adds the tables of a file: all of them appear at once, after all of it was checked.
//
// Errors: [ErrCorrupt], [ErrIO] and [ErrLimit] as [DB.LoadSnapshot]; [ErrInvalid] where there is a table of one of the
// names; [ErrClosed]. Nothing is loaded then.
func (a *Account) LoadSnapshot(path string) error {
	return a.do(func(open cAccount) error { return cAccountSnapshotLoad(open, path) })
}

// StatsJSON is numbers about the account, as kstone_account_stats_json of kstone.h says them.
//
// Errors: [ErrClosed].
func (a *Account) StatsJSON() (string, error) {
	text := ""
	err := a.do(func(open cAccount) (err error) {
		text, err = cAccountStatsJSON(open)
		return err
	})
	return text, err
}

// Err is why AWS would refuse the request, an [*AccountError]; nil where it would not.
func (r *Response) Err() error {
	if r.Status == 200 {
		return nil
	}
	var said struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // also "Message": names of members match whatever their case
	}
	refusal := &AccountError{Status: r.Status, Code: "RequestEntityTooLarge", Body: r.Body}
	if json.Unmarshal(r.Body, &said) == nil {
		_, refusal.Code, _ = strings.Cut(said.Type, "#")
		refusal.Message = said.Message
	}
	return refusal
}

// CRC32 is what AWS sends as x-amz-crc32.
func (r *Response) CRC32() uint32 { return crc32.ChecksumIEEE(r.Body) }

// RequestID is what AWS sends as x-amzn-RequestId: 52 capital letters and digits, drawn when it is first asked for.
func (r *Response) RequestID() string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if id := r.requestID.Load(); id != nil {
		return *id
	}
	var drawn [52]byte
	for i := range drawn {
		drawn[i] = letters[rand.IntN(len(letters))]
	}
	id := string(drawn[:])
	r.requestID.CompareAndSwap(nil, &id)
	return *r.requestID.Load()
}

func requestBody(body any) ([]byte, error) {
	switch body := body.(type) {
	case nil:
		return []byte("{}"), nil
	case []byte:
		return body, nil
	case json.RawMessage:
		return body, nil
	case string:
		return []byte(body), nil
	}
	return json.Marshal(body)
}

// target is what an SDK would send for an operation; one that has a service in front stays as it is.
func target(operation string) string {
	switch operation {
	case "ListStreams", "DescribeStream", "GetShardIterator", "GetRecords":
		return "DynamoDBStreams_20120810." + operation
	}
	if strings.Contains(operation, ".") {
		return operation
	}
	return "DynamoDB_20120810." + operation
}

func epochSeconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
