package load

import (
	"encoding/base64"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"orochi.invalid/e2e/kv/trial/client"
	"orochi.invalid/e2e/kv/trial/history"
)

// Recovery is how long a node took, after all faults were over, until it did what it was asked.
type Recovery struct {
	Node    int
	Seconds float64
	Error   string // it did not
}

// Recover asks each node for a write and a read of it, in a transaction too.
func (l *Load) Recover() []Recovery {
	result := make([]Recovery, len(l.options.Nodes))
	var all sync.WaitGroup
	for index := range l.options.Nodes {
		w := l.newWorker()
		w.final, w.at = true, index
		all.Add(1)
		go func(result *Recovery) {
			defer all.Done()
			*result = w.recover()
		}(&result[index])
	}
	all.Wait()
	return result
}

func (w *worker) recover() Recovery {
	begun := time.Now()
	node := w.node()
	result := Recovery{Node: node.Node.Number}
	var answer client.Answer
	step := ""
	for ; time.Since(begun) < finalWait; time.Sleep(50 * time.Millisecond) {
		key := fmt.Sprintf("%s-recovered-%d-%d", w.options.RunName, node.Node.Number, w.value())
		step = "simple key"
		if answer = node.Ask("POST", "/v1/api/keys/"+key, "1", 5*time.Second); !answer.Good() {
			continue
		}
		if answer = node.Ask("GET", "/v1/api/keys/"+key, nil, 5*time.Second); !answer.Good() {
			continue
		}
		t, opened := w.open(node)
		step, answer = "begin", opened
		if t == nil {
			continue
		}
		step, answer = "transaction", t.ask("write", put("ledger", key, 1))
		if answer.Good() {
			step, answer = "commit", t.ask("commit", nil)
		}
		if answer.Good() {
			result.Seconds = time.Since(begun).Seconds()
			return result
		}
	}
	result.Seconds = time.Since(begun).Seconds()
	result.Error = fmt.Sprintf("%s: %s %s", step, answer, answer.Body)
	return result
}

// LookAtAll reads every key that was used from every node, and what was written once by query, too.
// The error is of a node that did not answer.
func (l *Load) LookAtAll() error {
	errors := make(chan error, len(l.options.Nodes))
	for index := range l.options.Nodes {
		w := l.newWorker()
		w.final, w.at = true, index
		go func() { errors <- w.lookAtAll() }()
	}
	var first error
	for range l.options.Nodes {
		if err := <-errors; err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (l *Load) keysOf(kind string) []string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	keys := []string{}
	for key := range l.written[kind] {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func (w *worker) lookAtAll() error {
	node := w.node()
	until := time.Now().Add(2 * finalWait)
	patiently := func(what string, ask func() bool) error {
		for !ask() {
			if time.Now().After(until) {
				return fmt.Errorf("node %d did not answer in the end: %s", node.Node.Number, what)
			}
			time.Sleep(50 * time.Millisecond)
		}
		return nil
	}
	looks := []struct {
		kind string
		look func(key string) history.Op
	}{
		{history.Register, func(key string) history.Op { return w.getRegister(node, key) }},
		{history.Record, func(key string) history.Op { return w.getRecord(node, key) }},
		{history.Append, func(key string) history.Op { return w.readLists(node, []string{key}) }},
		{history.Bank, func(string) history.Op { return w.balancesByQuery(node) }},
	}
	for _, one := range looks {
		for _, key := range w.keysOf(one.kind) {
			key, look := key, one.look
			err := patiently(key, func() bool { return look(key).Outcome == history.OK })
			if err != nil {
				return err
			}
		}
	}
	return patiently("ledger", func() bool { return w.readLedger(node) })
}

// readLedger reads all ledgers with a query, and all simple keys with another.
func (w *worker) readLedger(node *client.Client) bool {
	op := w.begin(history.Ledger, "query", node)
	records, answer := w.query(node, "/v1/query", Collection, "ledger", 500)
	if !answer.Good() {
		return false
	}
	simple, answer := w.query(node, "/v1/query", "keys", "key", 500)
	if !answer.Good() {
		return false
	}
	op.Balances = map[string]int64{}
	add := func(key, value string) {
		if _, twice := op.Balances[key]; twice {
			op.Refused = key // must not be there twice
		}
		op.Balances[key], _ = integer(value)
	}
	for _, record := range records {
		add(fmt.Sprint(record["key"]), fmt.Sprint(record["value"]))
	}
	for _, record := range simple {
		if key := plain(record["key"]); strings.HasSuffix(key, "-simple") {
			add(key, plain(record["value"]))
		}
	}
	w.end(&op, answer)
	return true
}

// plain is a field of bytes as the text that it is.
func plain(value any) string {
	text, _ := base64.StdEncoding.DecodeString(fmt.Sprint(value))
	return string(text)
}
