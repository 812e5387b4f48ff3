//go:build cgo

package kstone

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// StreamRecord is one change of an item.
type StreamRecord struct {
	// SequenceNumber rises from record to record. Give the last one to [DB.StreamRead] to go on behind it.
	SequenceNumber uint64
	// Event is "INSERT", "MODIFY" or "REMOVE".
	Event string
	// Keys has the attributes pk and, where there is a sort key, sk: text where the key is UTF-8, bytes otherwise.
	Keys Item
	// NewImage is the item as it is since, OldImage as it was before; nil where there is none or the view has none.
	NewImage, OldImage Item
	// ByTTL: the item was removed because its time had passed. ByEviction: because the database was at its memory limit.
	ByTTL, ByEviction bool
	// Time is when it happened, to the second.
	Time time.Time
}

// StreamRead gives the changes behind a sequence number, oldest first: at most limit of them, at most 1000, at most
// about 1 MiB; none where nothing has changed since. Begin with 0.
//
// Errors: [ErrTrimmed] where the stream has dropped some of them: read the items anew, then go on where the message
// says; [ErrInvalid] where the schema asks for no stream or limit is not above 0; [ErrClosed].
func (db *DB) StreamRead(after uint64, limit int) ([]StreamRecord, error) {
	var text string
	err := db.do(func(open cDB) (err error) {
		text, err = cStreamRead(open, after, max(limit, 0))
		return err
	})
	if err != nil {
		return nil, err
	}
	return parseRecords(text)
}

func parseRecords(text string) ([]StreamRecord, error) {
	var read struct {
		Records []struct {
			EventName string `json:"eventName"`
			DynamoDB  struct {
				ApproximateCreationDateTime int64
				Keys, NewImage, OldImage    Map
				SequenceNumber              string
			} `json:"dynamodb"`
			UserIdentity struct {
				PrincipalID string `json:"principalId"`
			} `json:"userIdentity"`
		}
	}
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		return nil, fmt.Errorf("kstone: stream records: %w", err)
	}
	records := make([]StreamRecord, len(read.Records))
	for i, from := range read.Records {
		change := from.DynamoDB
		number, err := strconv.ParseUint(change.SequenceNumber, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("kstone: stream records: %w", err)
		}
		records[i] = StreamRecord{
			SequenceNumber: number,
			Event:          from.EventName,
			Keys:           change.Keys,
			NewImage:       change.NewImage,
			OldImage:       change.OldImage,
			ByTTL:          from.UserIdentity.PrincipalID == "dynamodb.amazonaws.com",
			ByEviction:     from.UserIdentity.PrincipalID == "kstone:eviction",
			Time:           time.Unix(change.ApproximateCreationDateTime, 0),
		}
	}
	return records, nil
}
