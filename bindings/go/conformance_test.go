//go:build cgo

package kstone

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// The suite that all bindings share; bindings/conformance/README.md says what its files mean.

const conformanceDir = "../conformance"

// How many cases there are at least: fewer mean that they were not found.
const (
	leastCases      = 247
	leastWrongCases = 41
)

type conformanceFile struct {
	Section string
	About   string
	Cases   []conformanceCase
}

type conformanceCase struct {
	Name    string
	Options *caseOptions
	Steps   []json.RawMessage
}

type caseOptions struct {
	Schema             json.RawMessage
	MemtableMaxRecords uint64 `json:"memtable_max_records"`
	MemoryMaxBytes     uint64 `json:"memory_max_bytes"`
	Evict              bool
}

// caseKey is text, bytes in base64, or a text repeated.
type caseKey string

func (k *caseKey) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		return json.Unmarshal(text, (*string)(k))
	}
	var key struct {
		Base64 []byte
		Repeat string
		Times  int
	}
	err := strict(text, &key)
	*k = caseKey(string(key.Base64) + strings.Repeat(key.Repeat, key.Times))
	return err
}

type caseCondition struct {
	Expr      string
	Params    Item
	ReturnOld bool `json:"return_old"`
}

// caseRead is what the README calls SPEC.
type caseRead struct {
	SKOp       string  `json:"sk_op"`
	SK1        caseKey `json:"sk1"`
	SK2        caseKey `json:"sk2"`
	KeyExpr    *string `json:"key_expr"`
	Index      string
	Filter     *string
	Projection *string
	Limit      uint32
	Reverse    bool
	Count      bool
	KeysOnly   bool `json:"keys_only"`
	Segment    uint32
	Segments   uint32
	Token      json.RawMessage
	SaveToken  string `json:"save_token"`
	StartAfter Item   `json:"start_after"`
}

type caseStep struct {
	Op         string
	DB         string
	PK, SK     caseKey
	Item       Item
	Cond       *caseCondition
	Expr       string
	Params     Item
	Return     string
	JSON       string
	Plain      bool
	Operations []caseStep
	Moves      []caseStep
	Atomic     bool
	Schema     json.RawMessage
	Seconds    int64
	After      uint64
	Max        int
	As         string
	Options    *caseOptions
	Statement  string
	File       string
	Account    string
	Operation  string
	Body       json.RawMessage
	Text       *string
	Table      string
	Classic    bool
	Expect     *caseExpect
	caseRead
}

// caseExpect has what is not there as nil.
type caseExpect struct {
	Status    string
	Name      *string
	Message   *string
	Index     *int
	ErrorItem json.RawMessage `json:"error_item"`
	Item      json.RawMessage
	Items     []Item
	Keys      [][]caseKey
	AnyOrder  bool `json:"any_order"`
	Count     *int
	Scanned   *int
	Token     *bool
	JSON      *string
	Records   []caseRecord
	HTTP      *int
	Answer    any
}

type caseRecord struct {
	Event    string
	Keys     Item
	New, Old Item
	ByTTL    bool `json:"by_ttl"`

	ByEviction bool `json:"by_eviction"`
}

// outcome is what came of a step.
type outcome struct {
	err     error
	item    Item
	items   []Item
	keys    [][]caseKey
	count   int
	scanned int
	token   []byte
	json    string
	records []caseRecord
	http    int
	answer  any
}

var statusNames = map[Code]string{
	0: "KSTONE_OK", ErrNotFound: "KSTONE_NOT_FOUND", ErrMisuse: "KSTONE_ERR_MISUSE", ErrInvalid: "KSTONE_ERR_INVALID",
	ErrConditionFailed: "KSTONE_ERR_CONDITION_FAILED", ErrConflict: "KSTONE_ERR_CONFLICT", ErrLimit: "KSTONE_ERR_LIMIT",
	ErrType: "KSTONE_ERR_TYPE", ErrCorrupt: "KSTONE_ERR_CORRUPT", ErrIO: "KSTONE_ERR_IO", ErrPanic: "KSTONE_ERR_PANIC",
	ErrTrimmed: "KSTONE_ERR_TRIMMED",
}

// strict is json.Unmarshal that refuses what it does not know.
func strict(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// conformanceFiles reads the files of a directory.
func conformanceFiles(t *testing.T, directory string) []conformanceFile {
	paths, err := filepath.Glob(filepath.Join(directory, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var files []conformanceFile
	for _, path := range paths {
		if filepath.Base(path) == "schema.json" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file conformanceFile
		if err := strict(text, &file); err != nil || len(file.Cases) == 0 {
			t.Fatalf("%s: %d cases, %v", path, len(file.Cases), err)
		}
		files = append(files, file)
	}
	return files
}

func TestConformance(t *testing.T) {
	cases := 0
	for _, file := range conformanceFiles(t, conformanceDir) {
		cases += len(file.Cases)
		t.Run(file.Section, func(t *testing.T) {
			for _, c := range file.Cases {
				t.Run(c.Name, func(t *testing.T) {
					for _, prepares := range []bool{false, true} {
						if differs := c.run(t, prepares); differs != "" {
							t.Fatalf("prepared: %v: %s", prepares, differs)
						}
					}
				})
			}
		})
	}
	if cases < leastCases {
		t.Fatalf("%s: found %d cases, expected %d at least", conformanceDir, cases, leastCases)
	}
}

// A runner that checks nothing would pass all cases but these.
func TestWrongCasesOfConformanceFail(t *testing.T) {
	wrong := 0
	for _, file := range conformanceFiles(t, filepath.Join(conformanceDir, "wrong")) {
		for _, c := range file.Cases {
			wrong++
			if c.run(t, false) == "" {
				t.Errorf("%s did not fail", c.Name)
			}
		}
	}
	if wrong < leastWrongCases {
		t.Fatalf("found %d cases, expected %d at least", wrong, leastWrongCases)
	}
}

// caseRun is a case that runs.
type caseRun struct {
	t *testing.T
	// Whether what can be prepared is prepared.
	prepares bool
	dir      string // of the files that the steps share
	dbs      map[string]*DB
	accounts map[string]*Account
	tokens   map[string][]byte
}

func (r *caseRun) path(file string) string {
	if r.dir == "" {
		r.dir = r.t.TempDir()
	}
	return filepath.Join(r.dir, file)
}

// run says what differs from what is expected, or nothing.
func (c conformanceCase) run(t *testing.T, prepares bool) string {
	r := caseRun{t: t, prepares: prepares, dbs: map[string]*DB{}, tokens: map[string][]byte{}}
	r.accounts = map[string]*Account{}
	if err := r.open("main", c.Options); err != nil {
		t.Fatal(err)
	}
	for i, text := range c.Steps {
		var step caseStep
		if err := strict(text, &step); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if step.DB == "" {
			step.DB = "main"
		}
		var found outcome
		if r.doAccount(&step, &found); found.err == errNoAccount {
			found.err = nil
			r.do(&step, &found)
		}
		expect := step.Expect
		if expect == nil {
			expect = &caseExpect{}
		}
		if differs := expect.compare(&found); differs != "" {
			return fmt.Sprintf("step %d: %s: %s", i, step.Op, differs)
		}
	}
	return ""
}

func (r *caseRun) open(name string, o *caseOptions) error {
	var opts []Option
	if o != nil {
		opts = append(opts, WithSchemaJSON(string(o.Schema)), WithMemtableRecords(o.MemtableMaxRecords))
		if o.MemoryMaxBytes > 0 {
			opts = append(opts, WithMemoryLimit(o.MemoryMaxBytes))
		}
		if o.Evict {
			opts = append(opts, WithLRUEviction())
		}
	}
	db, err := OpenMemory(opts...)
	if err == nil {
		r.adopt(name, db)
	}
	return err
}

func (r *caseRun) adopt(name string, db *DB) {
	r.t.Cleanup(func() { _ = db.Close() })
	r.dbs[name] = db
}

// updatePrepared does an update in its prepared form; false where its bags are wrong, which the other form says as the
// suite has it.
func (r *caseRun) updatePrepared(db *DB, step *caseStep, returns ReturnValues, out *outcome) bool {
	names, values := Params{}, Params{}
	split := func(bag Item) {
		for name, value := range bag {
			if strings.HasPrefix(name, "#") {
				names[name] = value
			} else {
				values[name] = value
			}
		}
	}
	split(step.Params)
	var opts []WriteOption
	if step.Cond != nil {
		split(step.Cond.Params)
		opts = append(opts, If(step.Cond.Expr, nil))
		if step.Cond.ReturnOld {
			opts = append(opts, ReturnOnFailure())
		}
	}
	update, err := db.PrepareUpdate(step.Expr, names, opts...)
	if err != nil {
		return false
	}
	given, err := update.Values(values)
	if err != nil {
		return false
	}
	out.item, out.err = db.RunWrite(update, string(step.PK), string(step.SK), WriteRun{Values: given, Returns: returns})
	return true
}

// paramsOf gives a bag as a program would: nil where there is none.
func paramsOf(bag Item) Params {
	if bag == nil {
		return nil
	}
	params := Params{}
	for name, value := range bag {
		params[name] = value
	}
	return params
}

// numbered gives the parameters of a statement, ?1 and so on, in order.
func (r *caseRun) numbered(bag Item) []any {
	var params []any
	for i := range len(bag) {
		param, ok := bag[fmt.Sprintf("?%d", i+1)]
		if !ok {
			r.t.Fatalf("parameters that are not numbered: %v", bag)
		}
		params = append(params, param)
	}
	return params
}

func (c *caseCondition) options() []WriteOption {
	if c == nil {
		return nil
	}
	opts := []WriteOption{If(c.Expr, paramsOf(c.Params))}
	if c.ReturnOld {
		opts = append(opts, ReturnOnFailure())
	}
	return opts
}

// errNoAccount says that a step is one of databases.
var errNoAccount = errors.New("no operation of accounts")

// doAccount does what a step does with an account.
func (r *caseRun) doAccount(step *caseStep, out *outcome) {
	account := r.accounts[cmp.Or(step.Account, "main")]
	switch step.Op {
	case "account_open":
		account, err := OpenAccount(AccountOptions{ClassicTexts: step.Classic})
		if out.err = err; err == nil {
			r.t.Cleanup(func() { _ = account.Close() })
			r.accounts[cmp.Or(step.As, "main")] = account
		}
	case "account_close":
		out.err = account.Close()
	case "account_fork":
		fork, err := account.Fork()
		if out.err = err; err == nil {
			r.t.Cleanup(func() { _ = fork.Close() })
			r.accounts[step.As] = fork
		}
	case "account_save":
		out.err = account.SaveSnapshot(r.path(step.File))
	case "account_load":
		out.err = account.LoadSnapshot(r.path(step.File))
	case "account_time":
		out.err = account.SetTime(time.Unix(step.Seconds, 0))
	case "call":
		r.call(account, step, out)
	case "table":
		table, err := account.Table(step.Table)
		if out.err = err; err == nil {
			r.adopt(step.As, table)
		}
	default:
		out.err = errNoAccount
	}
}

func (r *caseRun) call(account *Account, step *caseStep, out *outcome) {
	var body any
	switch {
	case step.Body != nil:
		body = step.Body
	case step.Text != nil:
		body = *step.Text
	}
	response, err := account.Call(step.Operation, body)
	if out.err = err; err != nil {
		return
	}
	out.http = response.Status
	if err := json.Unmarshal(response.Body, &out.answer); err != nil {
		r.t.Fatalf("%s: %v", response.Body, err)
	}
}

func (r *caseRun) do(step *caseStep, out *outcome) {
	db := r.dbs[step.DB]
	if db == nil {
		r.t.Fatalf("no database is called %q", step.DB)
	}
	pk, sk := string(step.PK), string(step.SK)
	form := JSONForm(flag(step.Plain, uint32(PlainJSON)))
	switch step.Op {
	case "put":
		out.err = db.Put(pk, sk, step.Item)
	case "put_item":
		out.err = db.PutItem(step.Item)
	case "get":
		out.item, out.err = db.Get(pk, sk)
	case "delete":
		out.err = db.Delete(pk, sk)
	case "put_if":
		out.err = db.Put(pk, sk, step.Item, append(step.Cond.options(), ReturnOld(&out.item))...)
	case "delete_if":
		out.err = db.Delete(pk, sk, append(step.Cond.options(), ReturnOld(&out.item))...)
	case "update":
		values := slices.Index([]string{"", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"}, step.Return)
		if r.prepares && r.updatePrepared(db, step, ReturnValues(values), out) {
			break
		}
		opts := append(step.Cond.options(), Returning(ReturnValues(values)))
		out.item, out.err = db.Update(pk, sk, step.Expr, paramsOf(step.Params), opts...)
	case "put_json":
		out.err = db.PutJSON(pk, sk, step.JSON, form)
	case "get_json":
		out.json, out.err = db.GetJSON(pk, sk, form)
	case "get_many":
		getMany(db, step, out)
	case "put_many":
		putMany(db, step, out)
	case "query", "scan":
		page, err := db.page(r.spec(step, step.Op == "scan"))
		r.took(step, page, err, out)
	case "execute":
		if r.prepares {
			if statement, err := db.Prepare(step.Statement); err == nil {
				page, err := db.RunPage(statement, PageRun{Values: r.numbered(step.Params), Token: r.token(step.Token)})
				r.took(step, page, err, out)
				break
			}
		}
		page, err := db.ExecutePage(Statement{
			Text: step.Statement, Params: r.numbered(step.Params), Token: r.token(step.Token),
		})
		r.took(step, page, err, out)
	case "snapshot_save":
		out.err = db.SaveSnapshot(r.path(step.File))
	case "snapshot_load":
		out.err = db.LoadSnapshot(r.path(step.File))
	case "export_json":
		out.err = db.ExportJSON(r.path(step.File))
	case "import_json":
		imported, err := db.ImportJSON(r.path(step.File), Import{})
		out.count, out.err = imported.Loaded, err
	case "iterate":
		r.iterate(db, step, out)
	case "cursor":
		r.cursor(db, step, out)
	case "count":
		count, err := db.Count()
		out.count, out.err = int(count), err
	case "batch":
		r.batch(db, step, out)
	case "configure":
		out.err = db.ConfigureJSON(string(step.Schema))
	case "set_time":
		at := time.Time{}
		if step.Seconds != 0 {
			at = time.Unix(step.Seconds, 0)
		}
		out.err = db.SetTime(at)
	case "purge_expired":
		out.count, out.err = db.PurgeExpired()
	case "stream_read":
		r.stream(db, step, out)
	case "flush":
		out.err = db.Flush()
	case "compact":
		out.err = db.Compact()
	case "clear":
		out.err = db.Clear()
	case "open":
		out.err = r.open(step.As, step.Options)
	case "fork":
		fork, err := db.Fork()
		if out.err = err; err == nil {
			r.adopt(step.As, fork)
		}
	case "close":
		out.err = db.Close()
	default:
		r.t.Fatalf("no operation is called %q", step.Op)
	}
}

// spec makes a request as a program would, of a Query or Scan, and adds what neither can say: empty expressions, and
// what does not belong to it, for the library to refuse; and counting, which has functions of its own.
func (r *caseRun) spec(step *caseStep, isScan bool) readSpec {
	text := func(expression *string) string {
		if expression == nil {
			return ""
		}
		return *expression
	}
	query := Query{
		PK: string(step.PK), KeyCondition: text(step.KeyExpr), Index: step.Index, Filter: text(step.Filter),
		Projection: text(step.Projection), Params: paramsOf(step.Params), Limit: step.Limit, Reverse: step.Reverse,
		KeysOnly: step.KeysOnly, Token: r.token(step.Token), SK: r.sortKey(step),
		StartAfter: step.StartAfter,
	}
	scan := Scan{
		Index: query.Index, Filter: query.Filter, Projection: query.Projection, Params: query.Params,
		Limit: query.Limit, KeysOnly: query.KeysOnly, Token: query.Token,
		Segment: step.Segment, Segments: step.Segments, StartAfter: query.StartAfter,
	}
	spec := query.spec()
	if isScan {
		spec = scan.spec()
		spec.pk, spec.sortKey = query.PK, query.SK
		spec.flags |= flag(step.Reverse, queryReverse)
	} else {
		spec.segment, spec.segments = step.Segment, step.Segments
	}
	spec.flags |= flag(step.Count, queryCount)
	for to, from := range map[**string]*string{
		&spec.keyCondition: step.KeyExpr, &spec.filter: step.Filter, &spec.projection: step.Projection,
	} {
		if from != nil && *from == "" || from != nil && isScan && from == step.KeyExpr {
			*to = from
		}
	}
	return spec
}

func (r *caseRun) sortKey(step *caseStep) SortKey {
	low, high := string(step.SK1), string(step.SK2)
	switch step.SKOp {
	case "":
		return SortKey{}
	case "EQ":
		return Equal(low)
	case "LT":
		return Less(low)
	case "LE":
		return AtMost(low)
	case "GT":
		return Greater(low)
	case "GE":
		return AtLeast(low)
	case "BETWEEN":
		return Between(low, high)
	case "BEGINS_WITH":
		return BeginsWith(low)
	}
	r.t.Fatalf("no sk_op is called %q", step.SKOp)
	return SortKey{}
}

// token is one that was saved, or one that is made up.
func (r *caseRun) token(text json.RawMessage) []byte {
	if text == nil {
		return nil
	}
	var name caseKey
	if err := json.Unmarshal(text, &name); err != nil {
		r.t.Fatal(err)
	}
	if text[0] == '{' {
		return []byte(name)
	}
	token, ok := r.tokens[string(name)]
	if !ok {
		r.t.Fatalf("no token is called %q", name)
	}
	return token
}

func (r *caseRun) took(step *caseStep, page *Page, err error, out *outcome) {
	out.err = err
	if err != nil {
		return
	}
	for _, entry := range page.Entries {
		out.add(entry)
	}
	out.count, out.scanned, out.token = page.Count, page.Scanned, page.Token
	if step.SaveToken != "" {
		r.tokens[step.SaveToken] = page.Token
	}
}

func (o *outcome) add(entry Entry) {
	key := []caseKey{caseKey(entry.PK)}
	if entry.SK != "" {
		key = append(key, caseKey(entry.SK))
	}
	o.items, o.keys = append(o.items, entry.Item), append(o.keys, key)
}

func (r *caseRun) iterate(db *DB, step *caseStep, out *outcome) {
	isScan := step.PK == "" && step.KeyExpr == nil
	for entry, err := range db.snapshot(context.Background(), r.spec(step, isScan)) {
		if err != nil {
			out.err = err
			return
		}
		out.add(entry)
		out.count++
	}
}

func (r *caseRun) cursor(db *DB, step *caseStep, out *outcome) {
	cursor, err := db.cursor(r.spec(step, step.PK == "" && step.KeyExpr == nil))
	if err != nil {
		out.err = err
		return
	}
	defer cursor.Close()
	moves := map[string]func() bool{
		"first": cursor.First, "last": cursor.Last, "next": cursor.Next, "prev": cursor.Prev,
	}
	for _, move := range step.Moves {
		moveTo := moves[move.Op]
		if move.Op == "seek" {
			moveTo = func() bool { return cursor.Seek(string(move.PK), string(move.SK)) }
		}
		if moveTo() {
			out.add(cursor.Entry())
			out.count++
		}
		if out.err = cursor.Err(); out.err != nil {
			return
		}
	}
}

func (r *caseRun) batch(db *DB, step *caseStep, out *outcome) {
	var ops []Op
	for _, op := range step.Operations {
		pk, sk, opts := string(op.PK), string(op.SK), op.Cond.options()
		switch op.Op {
		case "put":
			ops = append(ops, PutOp(pk, sk, op.Item, opts...))
		case "put_item":
			ops = append(ops, PutItemOp(op.Item, opts...))
		case "update":
			ops = append(ops, UpdateOp(pk, sk, op.Expr, paramsOf(op.Params), opts...))
		case "delete":
			ops = append(ops, DeleteOp(pk, sk, opts...))
		case "check":
			check := CheckOp(pk, sk, op.Cond.Expr, paramsOf(op.Cond.Params), opts...)
			ops = append(ops, check)
		case "get":
			ops = append(ops, GetOp(pk, sk))
		case "execute":
			ops = append(ops, StatementOp(op.Statement, r.numbered(op.Params)...))
		default:
			r.t.Fatalf("no operation of a batch is called %q", op.Op)
		}
	}
	run := db.Batch
	if step.Atomic {
		run = db.Transact
	}
	out.items, out.err = run(ops...)
	out.count = len(out.items)
}

func getMany(db *DB, step *caseStep, out *outcome) {
	var keys []Key
	for _, op := range step.Operations {
		keys = append(keys, Key{PK: string(op.PK), SK: string(op.SK)})
	}
	out.items, out.err = db.GetMany(keys...)
	out.count = len(out.items)
}

func putMany(db *DB, step *caseStep, out *outcome) {
	var items []KeyedItem
	for _, op := range step.Operations {
		items = append(items, KeyedItem{PK: string(op.PK), SK: string(op.SK), Item: op.Item})
	}
	out.err = db.PutMany(items...)
}

func (r *caseRun) stream(db *DB, step *caseStep, out *outcome) {
	records, err := db.StreamRead(step.After, step.Max)
	out.err = err
	for _, record := range records {
		out.records = append(out.records, caseRecord{
			Event: record.Event, Keys: record.Keys, New: record.NewImage, Old: record.OldImage, ByTTL: record.ByTTL,
			ByEviction: record.ByEviction,
		})
	}
}

// compare says what differs, or nothing.
func (e *caseExpect) compare(found *outcome) string {
	var failed Error
	if err := (*Error)(nil); errors.As(found.err, &err) {
		failed = *err
	}
	var code Code
	if found.err != nil && !errors.As(found.err, &code) {
		return "an error without a code: " + found.err.Error()
	}
	status := e.Status
	if status == "" {
		status = "KSTONE_OK"
	}
	if statusNames[code] != status {
		return fmt.Sprintf("expected %s, found %s: %v", status, statusNames[code], found.err)
	}
	var differs []string
	check := func(what string, same bool, expected, found any) {
		if !same {
			differs = append(differs, fmt.Sprintf("%s: expected %v, found %v", what, expected, found))
		}
	}
	if e.Name != nil {
		check("name", *e.Name == failed.Name, *e.Name, failed.Name)
	}
	if e.Message != nil {
		check("message", strings.Contains(failed.Message, *e.Message), *e.Message, failed.Message)
	}
	if e.Index != nil {
		check("index", *e.Index == failed.Index, *e.Index, failed.Index)
	}
	if e.ErrorItem != nil {
		check("error_item", sameItem(e.ErrorItem, failed.Item), string(e.ErrorItem), failed.Item)
	}
	if e.Item != nil {
		check("item", sameItem(e.Item, found.item), string(e.Item), found.item)
	}
	if e.Items != nil {
		check("items", sameList(e.Items, found.items, e.AnyOrder), e.Items, found.items)
	}
	if e.Keys != nil {
		check("keys", sameList(e.Keys, found.keys, e.AnyOrder), e.Keys, found.keys)
	}
	if e.Count != nil {
		check("count", *e.Count == found.count, *e.Count, found.count)
	}
	if e.Scanned != nil {
		check("scanned", *e.Scanned == found.scanned, *e.Scanned, found.scanned)
	}
	if e.Token != nil {
		check("token", *e.Token == (found.token != nil), *e.Token, found.token)
	}
	if e.JSON != nil {
		check("json", *e.JSON == found.json, *e.JSON, found.json)
	}
	if e.HTTP != nil {
		check("http", *e.HTTP == found.http, *e.HTTP, found.http)
	}
	if e.Answer != nil {
		check("answer", reflect.DeepEqual(e.Answer, found.answer), e.Answer, found.answer)
	}
	if e.Records != nil {
		check("records", sameList(e.Records, found.records, false), e.Records, found.records)
	}
	return strings.Join(differs, "\n")
}

func sameItem(expected json.RawMessage, found Item) bool {
	var item Item
	return json.Unmarshal(expected, &item) == nil && reflect.DeepEqual(item, found)
}

// sameList says whether both lists have equal elements, in any order where that does not matter.
func sameList[T any](expected, found []T, anyOrder bool) bool {
	if len(expected) != len(found) {
		return false
	}
	left := slices.Clone(found)
	for _, element := range expected {
		at := slices.IndexFunc(left, func(other T) bool { return reflect.DeepEqual(element, other) })
		if at < 0 || (!anyOrder && at > 0) {
			return false
		}
		left = slices.Delete(left, at, at+1)
	}
	return true
}
