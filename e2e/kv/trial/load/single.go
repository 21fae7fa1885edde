package load

import (
	"fmt"
	"net/http"
	"strconv"

	"orochi.invalid/e2e/kv/trial/client"
	"orochi.invalid/e2e/kv/trial/history"
)

// register uses a simple key.
func (w *worker) register(group *keyGroup) {
	key := group.key(w.random)
	w.note(history.Register, key)
	var outcome history.Outcome
	switch choice := w.random.Intn(10); {
	case choice < 5:
		w.getRegister(w.node(), key) // a read that got no answer makes nothing hard to judge
	case choice < 9:
		node := w.node()
		op := w.begin(history.Register, "put", node)
		op.Key, op.Value = key, w.value()
		w.end(&op, node.Ask("POST", "/v1/api/keys/"+key, strconv.FormatInt(op.Value, 10), w.timeout()))
		outcome = op.Outcome
	default:
		node := w.node()
		op := w.begin(history.Register, "delete", node)
		op.Key = key
		answer := node.Ask("DELETE", "/v1/api/keys/"+key, nil, w.timeout())
		if answer.Status == http.StatusNotFound {
			op.Outcome, op.Refused = history.OK, "absent"
		}
		w.end(&op, answer)
		outcome = op.Outcome
	}
	group.ended(outcome)
}

func (w *worker) getRegister(node *client.Client, key string) history.Op {
	op := w.begin(history.Register, "get", node)
	op.Key = key
	answer := node.Ask("GET", "/v1/api/keys/"+key, nil, w.timeout())
	w.endRead(&op, answer, func() (int64, bool) { return integer(string(answer.Body)) })
	return op
}

// endRead: what is not there is 0; a read without an answer happened to nobody.
func (w *worker) endRead(op *history.Op, answer client.Answer, value func() (int64, bool)) {
	switch {
	case answer.Good():
		found, readable := value()
		if !readable {
			found = -1 // no client wrote it: the judge will say so
		}
		op.Outcome, op.Found, op.Told = history.OK, found, true
	case answer.Status == http.StatusNotFound && answer.Code == "not_found":
		op.Outcome, op.Found, op.Told = history.OK, 0, true
	default:
		op.Outcome = history.Fail
	}
	w.end(op, answer)
}

type recordAnswer struct {
	Record    map[string]any
	Records   []map[string]any
	Timestamp string
	Reason    string
}

func stamp(text string) uint64 {
	value, _ := strconv.ParseUint(text, 10, 64)
	return value
}

// record uses a record of /v1, with conditions.
func (w *worker) record(group *keyGroup) {
	key := group.key(w.random)
	w.note(history.Record, key)
	node := w.node()
	choice := w.random.Intn(20)
	if choice < 8 {
		w.getRecord(node, key)
		return
	}
	var op history.Op
	body := map[string]any{}
	switch {
	case choice < 11:
		op = w.begin(history.Record, "put", node)
		op.Value = w.value()
		body = put("record", key, op.Value)
	case choice < 13:
		op = w.begin(history.Record, "insert", node)
		op.Value = w.value()
		body = put("record", key, op.Value)
		body["op"] = "insert"
	case choice < 15:
		op = w.begin(history.Record, "delete", node)
		body = place("record", key)
		body["op"], body["return"] = "delete", w.random.Intn(2) == 0
		body["if"] = map[string]any{"presence": "present"}
	default:
		read := w.getRecord(node, key)
		if read.Outcome != history.OK || read.Found <= 0 {
			return
		}
		if choice < 18 {
			op = w.begin(history.Record, "cas", node)
			op.Old, op.Value = read.Found, w.value()
			body = place("record", key)
			body["op"], body["set"] = "update", map[string]any{"value": op.Value}
			body["if"] = map[string]any{"filter": map[string]any{"op": "EQ",
				"args": []any{map[string]any{"field": "value"}, map[string]any{"literal": op.Old}}}}
		} else {
			op = w.begin(history.Record, "since", node)
			op.Old, op.Value = read.Found, w.value()
			body = put("record", key, op.Value)
			body["if"] = map[string]any{"unchanged_since": fmt.Sprint(read.Timestamp)}
		}
	}
	op.Key = key
	answer := node.Ask("POST", "/v1/write", body, w.timeout())
	var told recordAnswer
	if answer.Status != 0 {
		_ = answer.Into(&told)
	}
	op.Timestamp = stamp(told.Timestamp)
	if answer.Status == http.StatusPreconditionFailed {
		op.Outcome, op.Refused, op.Code = history.OK, told.Reason, ""
		if value, known := integer(told.Record["value"]); known {
			op.Found, op.Told = value, true
		}
	} else if answer.Good() && op.F == "delete" && len(told.Records) == 1 {
		op.Found, _ = integer(told.Records[0]["value"])
		op.Told = true
	}
	w.end(&op, answer)
	group.ended(op.Outcome)
}

func (w *worker) getRecord(node *client.Client, key string) history.Op {
	op := w.begin(history.Record, "get", node)
	op.Key = key
	answer := node.Ask("POST", "/v1/read", place("record", key), w.timeout())
	var told recordAnswer
	if answer.Status != 0 {
		_ = answer.Into(&told)
	}
	op.Timestamp = stamp(told.Timestamp)
	w.endRead(&op, answer, func() (int64, bool) { return integer(told.Record["value"]) })
	return op
}

// ledger writes keys that nobody wrote before, one or several at once.
func (w *worker) ledger(*keyGroup) {
	node := w.node()
	op := w.begin(history.Ledger, "put", node)
	count := 1 + 2*w.random.Intn(2)
	for index := 0; index < count; index++ {
		op.Value = w.value()
		op.Keys = append(op.Keys, fmt.Sprintf("%s-%d", w.options.RunName, op.Value))
	}
	if count == 1 && w.random.Intn(2) == 0 {
		op.F = "simple"
		op.Keys[0] += "-simple"
		w.end(&op, node.Ask("POST", "/v1/api/keys/"+op.Keys[0], fmt.Sprint(op.Value), w.timeout()))
		return
	}
	var writes []any
	for _, key := range op.Keys {
		writes = append(writes, put("ledger", key, op.Value))
	}
	answer := node.Ask("POST", "/v1/write", map[string]any{"writes": writes}, w.timeout())
	var told recordAnswer
	if answer.Good() {
		_ = answer.Into(&told)
	}
	op.Timestamp = stamp(told.Timestamp)
	w.end(&op, answer)
}
