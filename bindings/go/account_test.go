//go:build cgo

package kstone

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

type object = map[string]any

var createMusic = object{
	"TableName":            "Music",
	"BillingMode":          "PAY_PER_REQUEST",
	"AttributeDefinitions": []object{{"AttributeName": "Artist", "AttributeType": "S"}},
	"KeySchema":            []object{{"AttributeName": "Artist", "KeyType": "HASH"}},
}

const (
	putArtist = `{"TableName":"Music","Item":{"Artist":{"S":"Acme"},"n":{"N":"1"}}}`
	getArtist = `{"TableName":"Music","Key":{"Artist":{"S":"Acme"}}}`
	artist    = `{"Item":{"Artist":{"S":"Acme"},"n":{"N":"1"}}}`
)

func openAccount(t testing.TB, how AccountOptions) *Account {
	t.Helper()
	account, err := OpenAccount(how)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = account.Close() })
	return account
}

func accountWithMusic(t testing.TB) *Account {
	t.Helper()
	account := openAccount(t, AccountOptions{})
	if err := account.Do("CreateTable", createMusic, nil); err != nil {
		t.Fatal(err)
	}
	if err := account.Do("PutItem", putArtist, nil); err != nil {
		t.Fatal(err)
	}
	return account
}

func TestAnAccountAnswersAsAWSDoes(t *testing.T) {
	account := accountWithMusic(t)
	for _, body := range []any{getArtist, []byte(getArtist), json.RawMessage(getArtist)} {
		for _, operation := range []string{"GetItem", "DynamoDB_20120810.GetItem"} {
			response, err := account.Call(operation, body)
			if err != nil || response.Status != 200 || string(response.Body) != artist || response.Err() != nil {
				t.Fatal(operation, response, err)
			}
		}
	}
	var found struct {
		Item map[string]struct{ S, N string }
	}
	key := object{"TableName": "Music", "Key": object{"Artist": object{"S": "Acme"}}}
	if err := account.Do("GetItem", key, &found); err != nil || found.Item["n"].N != "1" {
		t.Fatal(found, err)
	}
	response, err := account.Call("ListTables", nil)
	if err != nil || string(response.Body) != `{"TableNames":["Music"]}` {
		t.Fatal(response, err)
	}
	if id := response.RequestID(); len(id) != 52 || id != response.RequestID() {
		t.Fatal(id)
	}
	if response, err = account.Call("PutItem", putArtist); err != nil || response.CRC32() != 2745614147 {
		t.Fatal(response, err)
	}
}

func TestWhatAWSRefusesIsAnAnswer(t *testing.T) {
	account := accountWithMusic(t)
	response, err := account.Call("GetItem", `{"TableName":"Nobody","Key":{"a":{"S":"b"}}}`)
	if err != nil || response.Status != 400 {
		t.Fatal(response, err)
	}
	refusal := (*AccountError)(nil)
	if !errors.As(response.Err(), &refusal) || refusal.Code != "ResourceNotFoundException" ||
		!strings.Contains(refusal.Message, "not found") || !bytes.Equal(refusal.Body, response.Body) {
		t.Fatal(refusal)
	}
	if text := refusal.Error(); text != "kstone: ResourceNotFoundException: "+refusal.Message {
		t.Fatal(text)
	}
	// The front door says Message, or nothing.
	if err := account.Do("PutItem", object{"TableName": 7}, nil); !errors.As(err, &refusal) ||
		refusal.Code != "SerializationException" || refusal.Message == "" {
		t.Fatal(err)
	}
	if err := account.Do("Nothing", nil, nil); !errors.As(err, &refusal) ||
		err.Error() != "kstone: UnknownOperationException" {
		t.Fatal(err)
	}
	if err := account.Do("PutItem", make([]byte, 16<<20+1), nil); !errors.As(err, &refusal) || refusal.Status != 413 {
		t.Fatal(err)
	}
	if _, err := account.Call("PutItem", func() {}); err == nil {
		t.Fatal("a function is no JSON")
	}
}

func TestATableOfAnAccountIsADatabase(t *testing.T) {
	account := accountWithMusic(t)
	music, err := account.Table("Music")
	if err != nil {
		t.Fatal(err)
	}
	defer music.Close()
	if item, err := music.Get("Acme", ""); err != nil || item["n"] != Int(1) {
		t.Fatal(item, err)
	}
	if err := music.SetTime(time.Unix(5, 0)); !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
	var failed *Error
	if _, err := account.Table("Nobody"); !errors.As(err, &failed) || failed.Name != "ResourceNotFoundException" {
		t.Fatal(err)
	}
	_ = account.Close()
	if item, err := music.Get("Acme", ""); err != nil || item["n"] != Int(1) {
		t.Fatal(item, err)
	}
}

func TestOptionsOfAnAccount(t *testing.T) {
	account := openAccount(t, AccountOptions{
		Region: "eu-central-1", AccountID: "123456789012", Time: time.Unix(1500000000, 0), MemoryLimit: 1 << 20,
		FilesRoot: t.TempDir(), EvictLRU: true, HideExpired: true, ClassicTexts: true, BackgroundCompaction: true,
	})
	response, err := account.Call("CreateTable", createMusic)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"arn:aws:dynamodb:eu-central-1:123456789012:table/Music", `"CreationDateTime":1500000000`, `"TableStatus":"CREATING"`,
	} {
		if !strings.Contains(string(response.Body), part) {
			t.Error(part, string(response.Body))
		}
	}
	if err := account.SetTime(time.Unix(1600000000, 0)); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []AccountOptions{
		{Region: "EU"}, {AccountID: "1"}, {MemoryLimit: 1}, {EvictLRU: true}, {Transition: -time.Second},
		{Transition: time.Millisecond}, {Transition: 1 << 33 * time.Second},
	} {
		if account, err := OpenAccount(wrong); !errors.Is(err, ErrInvalid) {
			t.Error(wrong, account, err)
		}
	}
}

func TestForksAndSnapshotsOfAnAccount(t *testing.T) {
	account := accountWithMusic(t)
	fork, err := account.Fork()
	if err != nil {
		t.Fatal(err)
	}
	defer fork.Close()
	path := t.TempDir() + "/account"
	if err := account.SaveSnapshot(path); err != nil {
		t.Fatal(err)
	}
	if err := account.Do("DeleteTable", object{"TableName": "Music"}, nil); err != nil {
		t.Fatal(err)
	}
	loaded := openAccount(t, AccountOptions{})
	if err := loaded.LoadSnapshot(path); err != nil {
		t.Fatal(err)
	}
	for _, other := range []*Account{fork, loaded} {
		if response, err := other.Call("GetItem", getArtist); err != nil || string(response.Body) != artist {
			t.Error(response, err)
		}
		if stats, err := other.StatsJSON(); err != nil || !strings.Contains(stats, `"items":1`) {
			t.Error(stats, err)
		}
	}
	if err := loaded.LoadSnapshot(path); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if err := loaded.LoadSnapshot(path + "/nothing"); !errors.Is(err, ErrIO) {
		t.Error(err)
	}
}

func TestAClosedAccountSaysSo(t *testing.T) {
	account := accountWithMusic(t)
	for range 2 {
		if err := account.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, closed := range []*Account{account, {}, nil} {
		_, err := closed.Call("ListTables", nil)
		_, tableErr := closed.Table("Music")
		_, forkErr := closed.Fork()
		for _, err := range []error{err, tableErr, forkErr, closed.SaveSnapshot("x"), closed.LoadSnapshot("x"), closed.SetTime(time.Time{}), closed.Do("ListTables", nil, nil)} {
			if !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		}
	}
}

func TestManyGoroutinesUseOneAccount(t *testing.T) {
	account := accountWithMusic(t)
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 100 {
				if err := account.Do("PutItem", putArtist, nil); err != nil {
					t.Error(err)
				}
				if response, err := account.Call("GetItem", getArtist); err != nil || string(response.Body) != artist {
					t.Error(response, err)
				}
			}
		}()
	}
	group.Wait()
}

func BenchmarkAccountGetItem(b *testing.B) {
	account := accountWithMusic(b)
	body := []byte(getArtist)
	b.ReportAllocs()
	for b.Loop() {
		if response, err := account.Call("GetItem", body); err != nil || response.Status != 200 {
			b.Fatal(response, err)
		}
	}
}
