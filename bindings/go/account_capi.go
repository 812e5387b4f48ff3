//go:build cgo

package kstone

// The calls into C of accounts: see capi.go.

/*
#include "shim.h"

#cgo noescape kgo_account_call
#cgo nocallback kgo_account_call
*/
import "C"

import (
	"runtime"
	"sync"
	"time"
	"unsafe"
)

type cAccount = *C.kstone_account

// cResponse is the library's memory for one answer after another; what is in it is copied out before it is given back.
type cResponse struct{ answer C.kgo_answer }

// responses are those that no call uses. One that is dropped from here is freed by the collector's doing.
var responses sync.Pool

// lendResponse gives one that no other call has.
func lendResponse() *cResponse {
	if response, ok := responses.Get().(*cResponse); ok {
		return response
	}
	return new(cResponse)
}

func cAccountOpen(how *AccountOptions) (cAccount, error) {
	var a arena
	from := C.kgo_account_options{
		region:             a.optional(how.Region),
		account_id:         a.optional(how.AccountID),
		files_root:         a.optional(how.FilesRoot),
		memory_max_bytes:   C.uint64_t(how.MemoryLimit),
		epoch_seconds:      C.int64_t(epochSeconds(how.Time)),
		transition_seconds: C.uint32_t(how.Transition / time.Second),
	}
	if how.EvictLRU {
		from.eviction = C.KSTONE_EVICT_LRU
	}
	if how.HideExpired {
		from.ttl = C.KSTONE_TTL_HIDDEN
	}
	if how.ClassicTexts {
		from.texts = C.KSTONE_TEXTS_CLASSIC
	}
	if how.BackgroundCompaction {
		from.flags = C.KSTONE_OPEN_BACKGROUND_COMPACTION
	}
	var account cAccount
	var cerr *C.kstone_error
	status := C.kgo_account_open(a.base(), &from, &account, &cerr)
	return account, failure(status, cerr)
}

func cAccountFree(account cAccount) { C.kstone_free(unsafe.Pointer(account)) }

func cAccountCall(account cAccount, target string, body []byte) (int, []byte, error) {
	response := lendResponse()
	had := response.answer.response != nil
	var cerr *C.kstone_error
	status := C.kgo_account_call(account, textChars(target), C.size_t(len(target)), bytesPointer(body),
		C.size_t(len(body)), &response.answer, &cerr)
	if !had && response.answer.response != nil {
		runtime.AddCleanup(response, func(handle *C.kstone_response) { C.kstone_free(unsafe.Pointer(handle)) },
			response.answer.response)
	}
	if err := failure(status, cerr); err != nil {
		return 0, nil, err
	}
	answered, copied := int(response.answer.status), append([]byte(nil), lent(response.answer.body)...)
	responses.Put(response)
	return answered, copied, nil
}

func cAccountTable(account cAccount, name string) (cDB, error) {
	var table cDB
	var cerr *C.kstone_error
	status := C.kstone_account_table(account, textChars(name), C.size_t(len(name)), &table, &cerr)
	return table, failure(status, cerr)
}

func cAccountSetTime(account cAccount, epochSeconds int64) error {
	var cerr *C.kstone_error
	status := C.kstone_account_set_time(account, C.int64_t(epochSeconds), &cerr)
	return failure(status, cerr)
}

func cAccountFork(account cAccount) (cAccount, error) {
	var fork cAccount
	var cerr *C.kstone_error
	status := C.kstone_account_fork(account, &fork, &cerr)
	return fork, failure(status, cerr)
}

func cAccountSnapshotSave(account cAccount, path string) error {
	var cerr *C.kstone_error
	status := C.kstone_account_snapshot_save(account, textChars(path), C.size_t(len(path)), &cerr)
	return failure(status, cerr)
}

func cAccountSnapshotLoad(account cAccount, path string) error {
	var cerr *C.kstone_error
	status := C.kstone_account_snapshot_load(account, textChars(path), C.size_t(len(path)), &cerr)
	return failure(status, cerr)
}

func cAccountStatsJSON(account cAccount) (string, error) {
	var text *C.char
	var length C.size_t
	var cerr *C.kstone_error
	status := C.kstone_account_stats_json(account, &text, &length, &cerr)
	return ownText(text, length), failure(status, cerr)
}
