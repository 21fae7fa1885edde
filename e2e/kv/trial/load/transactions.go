package load

import (
	"fmt"
	"net/url"
	"time"

	"orochi.invalid/e2e/kv/trial/client"
	"orochi.invalid/e2e/kv/trial/history"
)

// transaction is one that lives between calls.
type transaction struct {
	w       *worker
	node    *client.Client
	id      string
	timeout time.Duration
}

func (w *worker) open(node *client.Client) (*transaction, client.Answer) {
	timeout := w.timeout()
	answer := node.Ask("POST", "/v1/txn/begin", nil, timeout)
	var told struct{ Transaction string }
	if !answer.Good() || answer.Into(&told) != nil {
		return nil, answer
	}
	return &transaction{w, node, told.Transaction, timeout}, answer
}

func (t *transaction) ask(what string, body any) client.Answer {
	return t.node.Ask("POST", "/v1/txn/"+t.id+"/"+what, body, t.timeout)
}

func (t *transaction) read(schema, key string) (map[string]any, client.Answer) {
	answer := t.ask("read", place(schema, key))
	var told recordAnswer
	if answer.Status != 0 {
		_ = answer.Into(&told)
	}
	return told.Record, answer
}

// commit fills in what became of the transaction; when the answer was lost, sometimes by asking.
func (t *transaction) commit(op *history.Op) client.Answer {
	answer := t.ask("commit", nil)
	op.Transaction = t.id
	var told struct{ Timestamp, Anchor string }
	if answer.Status != 0 {
		_ = answer.Into(&told)
	}
	op.Timestamp = stamp(told.Timestamp)
	if answer.Outcome() == history.Unknown && t.w.random.Intn(2) == 0 {
		t.inquire(op, told.Anchor)
	}
	return answer
}

// inquire asks what became of it, until that is decided or nobody says so.
func (t *transaction) inquire(op *history.Op, anchor string) {
	path := "/v1/txn/" + t.id
	if anchor != "" {
		path += "?anchor=" + url.QueryEscape(anchor)
	}
	for attempt := 0; attempt < 40; attempt++ {
		node := t.node
		if anchor != "" { // any node can be asked
			node = t.w.clients[t.w.random.Intn(len(t.w.clients))]
		}
		answer := node.Ask("GET", path, nil, 2*time.Second)
		var told struct{ Outcome, Timestamp string }
		if answer.Good() {
			_ = answer.Into(&told)
		}
		switch told.Outcome {
		case "committed":
			op.Outcome, op.Resolved, op.Timestamp = history.OK, told.Outcome, stamp(told.Timestamp)
			return
		case "aborted":
			op.Outcome, op.Resolved = history.Fail, told.Outcome
			return
		case "unknown":
			op.Resolved = told.Outcome
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	op.Resolved = "no answer"
}

func (t *transaction) abort() { t.ask("abort", nil) }

func (w *worker) someLists() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	order := w.random.Perm(len(w.listKeys))
	keys := []string{}
	for _, index := range order[:1+w.random.Intn(3)] {
		keys = append(keys, w.listKeys[index])
	}
	return keys
}

const listLengthMax = 40

// usedList retires a list that has grown long.
func (w *worker) usedList(key string, length int) {
	if length < listLengthMax {
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for index, have := range w.listKeys {
		if have == key {
			w.listKeys = append(w.listKeys[:index], w.listKeys[index+1:]...)
			w.newList()
			return
		}
	}
}

// append reads lists and appends to them in one transaction, of one of three forms.
func (w *worker) append(*keyGroup) {
	keys := w.someLists()
	for _, key := range keys {
		w.note(history.Append, key)
	}
	switch w.random.Intn(6) {
	case 0:
		w.readLists(w.node(), keys)
	case 1:
		w.appendAtOnce(w.node(), keys)
	default:
		w.appendInTransaction(w.node(), keys)
	}
}

func (w *worker) appendInTransaction(node *client.Client, keys []string) {
	op := w.begin(history.Append, "transaction", node)
	t, answer := w.open(node)
	if t == nil {
		op.Outcome = history.Fail // whatever was begun was never told to commit
		w.end(&op, answer)
		return
	}
	for step, count := 0, 1+w.random.Intn(4); step < count; step++ {
		key := keys[w.random.Intn(len(keys))]
		record, answer := t.read("list", key)
		if !answer.Good() && answer.Status != 404 {
			w.giveUp(&op, t, answer)
			return
		}
		text, _ := record["value"].(string)
		list := parseList(text)
		op.Micros = append(op.Micros, history.Micro{F: "r", Key: key, List: list})
		if w.random.Intn(3) == 0 {
			continue
		}
		element := w.value()
		op.Micros = append(op.Micros, history.Micro{F: "a", Key: key, Element: element})
		if answer = t.ask("write", put("list", key, listText(append(list, element)))); !answer.Good() {
			w.giveUp(&op, t, answer)
			return
		}
		w.usedList(key, len(list)+1)
		if w.random.Intn(8) == 0 {
			time.Sleep(time.Duration(w.random.Intn(30)) * time.Millisecond)
		}
	}
	if w.random.Intn(20) == 0 {
		op.Outcome, op.F = history.Fail, "aborted"
		t.abort()
		w.end(&op, client.Answer{})
		return
	}
	w.end(&op, t.commit(&op))
}

// giveUp ends a transaction that was never told to commit.
func (w *worker) giveUp(op *history.Op, t *transaction, answer client.Answer) {
	op.Outcome = history.Fail
	if w.random.Intn(10) > 0 { // else others have to wait until it has been idle for too long
		t.abort()
	}
	w.end(op, answer)
}

// readLists reads in one request, or by query in a transaction.
func (w *worker) readLists(node *client.Client, keys []string) history.Op {
	op := w.begin(history.Append, "read", node)
	var reads []any
	for _, key := range keys {
		reads = append(reads, place("list", key))
	}
	answer := node.Ask("POST", "/v1/txn", map[string]any{"reads": reads}, w.timeout())
	if !answer.Good() {
		op.Outcome = history.Fail
	} else {
		lists := readsOf(answer)
		for index, key := range keys {
			op.Micros = append(op.Micros, history.Micro{F: "r", Key: key, List: lists[index]})
		}
	}
	w.end(&op, answer)
	return op
}

func readsOf(answer client.Answer) [][]int64 {
	var told struct{ Reads []map[string]any }
	_ = answer.Into(&told)
	lists := make([][]int64, 0, len(told.Reads))
	for _, record := range told.Reads {
		text, _ := record["value"].(string)
		lists = append(lists, parseList(text))
	}
	return lists
}

// appendAtOnce reads the lists, then appends to all of them in one request if they are as read.
func (w *worker) appendAtOnce(node *client.Client, keys []string) {
	var reads []any
	for _, key := range keys {
		reads = append(reads, place("list", key))
	}
	answer := node.Ask("POST", "/v1/txn", map[string]any{"reads": reads}, w.timeout())
	if !answer.Good() {
		return
	}
	lists := readsOf(answer)
	op := w.begin(history.Append, "at once", node)
	var writes []any
	for index, key := range keys {
		element := w.value()
		op.Micros = append(op.Micros, history.Micro{F: "r", Key: key, List: lists[index]},
			history.Micro{F: "a", Key: key, Element: element})
		write := put("list", key, listText(append(append([]int64{}, lists[index]...), element)))
		if len(lists[index]) == 0 {
			write["op"] = "insert"
		} else {
			write["if"] = map[string]any{"filter": map[string]any{"op": "EQ", "args": []any{
				map[string]any{"field": "value"}, map[string]any{"literal": listText(lists[index])}}}}
		}
		writes = append(writes, write)
	}
	answer = node.Ask("POST", "/v1/txn", map[string]any{"writes": writes}, w.timeout())
	var told recordAnswer
	if answer.Good() {
		_ = answer.Into(&told)
	}
	op.Timestamp = stamp(told.Timestamp)
	w.end(&op, answer)
}

// bank moves money, or looks at all of it.
func (w *worker) bank(*keyGroup) {
	node := w.node()
	switch w.random.Intn(8) {
	case 0:
		w.balancesAtOnce(node)
	case 1:
		w.balancesByQuery(node)
	case 2:
		w.balancesInTransaction(node)
	default:
		w.transfer(node)
	}
}

func (w *worker) transfer(node *client.Client) {
	order := w.random.Perm(len(w.accounts))
	from, to := w.accounts[order[0]], w.accounts[order[1]]
	amount := 1 + w.random.Int63n(50)
	op := w.begin(history.Bank, "transfer", node)
	t, answer := w.open(node)
	if t == nil {
		op.Outcome = history.Fail
		w.end(&op, answer)
		return
	}
	var writes []any
	for _, change := range []struct {
		account string
		by      int64
	}{{from, -amount}, {to, amount}} {
		record, answer := t.read("account", change.account)
		balance, readable := integer(record["value"])
		if !answer.Good() || !readable {
			w.giveUp(&op, t, answer)
			return
		}
		writes = append(writes, put("account", change.account, balance+change.by))
	}
	for _, write := range writes {
		if answer := t.ask("write", write); !answer.Good() {
			w.giveUp(&op, t, answer)
			return
		}
	}
	op.Key, op.Value = from+" "+to, amount
	w.end(&op, t.commit(&op))
}

func (w *worker) balancesAtOnce(node *client.Client) {
	op := w.begin(history.Bank, "at once", node)
	var reads []any
	for _, account := range w.accounts {
		reads = append(reads, place("account", account))
	}
	answer := node.Ask("POST", "/v1/txn", map[string]any{"reads": reads}, w.timeout())
	var told struct{ Reads []map[string]any }
	if !answer.Good() || answer.Into(&told) != nil {
		op.Outcome = history.Fail
	}
	w.endBalances(&op, answer, told.Reads)
}

func (w *worker) endBalances(op *history.Op, answer client.Answer, records []map[string]any) {
	op.Balances = map[string]int64{}
	for _, record := range records {
		balance, _ := integer(record["value"])
		op.Balances[fmt.Sprint(record["key"])] = balance
	}
	w.end(op, answer)
}

func (w *worker) balancesByQuery(node *client.Client) history.Op {
	op := w.begin(history.Bank, "query", node)
	records, answer := w.query(node, "/v1/query", Collection, "account", 3)
	if !answer.Good() {
		op.Outcome = history.Fail
	}
	w.endBalances(&op, answer, records)
	return op
}

func (w *worker) balancesInTransaction(node *client.Client) {
	op := w.begin(history.Bank, "transaction", node)
	t, answer := w.open(node)
	if t == nil {
		op.Outcome = history.Fail
		w.end(&op, answer)
		return
	}
	var records []map[string]any
	if w.random.Intn(2) == 0 {
		records, answer = w.query(node, "/v1/txn/"+t.id+"/query", Collection, "account", 3)
		if !answer.Good() {
			w.giveUp(&op, t, answer)
			return
		}
	} else {
		for _, account := range w.accounts {
			record, answer := t.read("account", account)
			if !answer.Good() {
				w.giveUp(&op, t, answer)
				return
			}
			records = append(records, record)
		}
	}
	answer = t.commit(&op)
	if op.Outcome == "" && !answer.Good() {
		op.Outcome = history.Fail // what was read may be believed only when it committed
	}
	w.endBalances(&op, answer, records)
}

// query reads all pages of a schema.
func (w *worker) query(node *client.Client, path, collection, schema string, pageSize int) ([]map[string]any, client.Answer) {
	var records []map[string]any
	token := ""
	for {
		body := map[string]any{"collection": collection, "schema": schema, "page": map[string]any{"records": pageSize}}
		if token != "" {
			body["token"] = token
		}
		answer := node.Ask("POST", path, body, w.timeout())
		var told struct {
			Records []map[string]any
			Token   string
		}
		if !answer.Good() {
			return nil, answer
		}
		if err := answer.Into(&told); err != nil {
			return nil, client.Answer{Code: "answer: " + err.Error()}
		}
		records = append(records, told.Records...)
		if token = told.Token; token == "" {
			return records, answer
		}
	}
}
