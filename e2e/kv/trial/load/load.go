// Package load is the clients of a trial: they use a cluster until they are told to stop, record what
// they saw, and then look at everything once more.
package load

import (
	"fmt"
	"math/rand"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"orochi.invalid/e2e/kv/trial/client"
	"orochi.invalid/e2e/kv/trial/history"
)

const (
	Collection   = "trial"
	accountCount = 8
	Opening      = 1000 // of each account
	finalWait    = 30 * time.Second
)

// Options of a run. Workers: how many clients of each kind.
type Options struct {
	Nodes   []client.Node
	Seed    int64
	Workers map[string]int
	Pause   time.Duration // between two operations of a client
	RunName string        // part of all keys, so that runs do not meet
}

// Load is one run.
type Load struct {
	options  Options
	out      *history.Writer
	stopping atomic.Bool
	values   atomic.Int64 // the last value given out: each is written once
	clients  atomic.Int64

	mutex     sync.Mutex
	written   map[string]map[string]bool // kind to keys, for the last look
	accounts  []string
	listKeys  []string
	listAge   map[string]int
	listCount int
}

func New(options Options, out *history.Writer) *Load {
	l := &Load{options: options, out: out, written: map[string]map[string]bool{}, listAge: map[string]int{}}
	for index := 0; index < accountCount; index++ {
		l.accounts = append(l.accounts, fmt.Sprintf("%s-account-%d", options.RunName, index))
	}
	for len(l.listKeys) < 4 {
		l.newList()
	}
	return l
}

func (l *Load) newList() {
	l.listCount++
	key := fmt.Sprintf("%s-list-%d", l.options.RunName, l.listCount)
	l.listKeys = append(l.listKeys, key)
}

func (l *Load) Stop() { l.stopping.Store(true) }

// worker is one client: a goroutine with connections and random numbers of its own.
type worker struct {
	*Load
	number  int
	random  *rand.Rand
	clients []*client.Client
	at      int // which node it asks
	final   bool
}

func (l *Load) newWorker() *worker {
	number := int(l.clients.Add(1))
	w := &worker{Load: l, number: number, random: rand.New(rand.NewSource(l.options.Seed*1000 + int64(number)))}
	for _, node := range l.options.Nodes {
		w.clients = append(w.clients, client.New(node))
	}
	w.at = number % len(w.clients)
	return w
}

func (w *worker) node() *client.Client {
	if !w.final && w.random.Intn(3) == 0 {
		w.at = w.random.Intn(len(w.clients))
	}
	return w.clients[w.at]
}

// timeout of a request: some clients are patient, some are not.
func (w *worker) timeout() time.Duration {
	if w.final {
		return 12 * time.Second
	}
	return []time.Duration{500 * time.Millisecond, 2 * time.Second, 4 * time.Second, 12 * time.Second}[w.random.Intn(4)]
}

func (w *worker) value() int64 { return w.values.Add(1) }

func (w *worker) begin(kind, f string, node *client.Client) history.Op {
	return history.Op{Kind: kind, F: f, Client: w.number, Node: node.Node.Number, Final: w.final, Call: w.out.Now()}
}

func (w *worker) end(op *history.Op, answer client.Answer) {
	if op.Outcome == "" {
		op.Outcome = answer.Outcome()
	}
	if op.Outcome != history.OK {
		op.Code = answer.String()
	}
	op.Return = w.out.Now()
	w.out.Add(*op)
	if answer.NotSent && !w.final { // there is nobody: another node, and not at once
		w.at = w.random.Intn(len(w.clients))
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *worker) note(kind, key string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.written[kind] == nil {
		w.written[kind] = map[string]bool{}
	}
	w.written[kind][key] = true
}

// keys of one kind that the clients of a group share; after a while others, so that histories of one
// key stay short enough to be judged.
type keyGroup struct {
	mutex      sync.Mutex
	prefix     string
	generation int
	used       int
	unknown    int
}

const (
	keysOfGroup      = 3
	usesOfGeneration = 240
	unknownMax       = 6
)

func (g *keyGroup) key(random *rand.Rand) string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.used >= usesOfGeneration || g.unknown >= unknownMax {
		g.generation, g.used, g.unknown = g.generation+1, 0, 0
	}
	g.used++
	return fmt.Sprintf("%s-%d-%d", g.prefix, g.generation, random.Intn(keysOfGroup))
}

func (g *keyGroup) ended(outcome history.Outcome) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if outcome == history.Unknown {
		g.unknown++
	}
}

// Prepare makes what the clients use, asking until it is there.
func (l *Load) Prepare(within time.Duration) error {
	w := l.newWorker()
	w.final = true
	until := time.Now().Add(within)
	kv := func(name, kind string) map[string]any { return map[string]any{"name": name, "type": kind} }
	schema := func(name, valueType string) map[string]any {
		return map[string]any{"name": name, "version": 1,
			"fields": []any{kv("key", "text"), kv("value", valueType)}, "partition_key": []any{"key"}}
	}
	steps := []struct {
		path string
		body any
	}{
		{"/v1/collections", map[string]any{"name": Collection, "distribution": "hash", "partitions": 4}},
		{"/v1/collections/" + Collection + "/schemas", schema("record", "int64")},
		{"/v1/collections/" + Collection + "/schemas", schema("list", "text")},
		{"/v1/collections/" + Collection + "/schemas", schema("account", "int64")},
		{"/v1/collections/" + Collection + "/schemas", schema("ledger", "int64")},
		{"/v1/api/keys/" + l.options.RunName + "-first", "1"},
	}
	for _, step := range steps {
		if err := w.until(until, "POST", step.path, step.body, "already_exists"); err != nil {
			return err
		}
	}
	var writes []any
	for _, account := range l.accounts {
		writes = append(writes, put("account", account, Opening))
	}
	if l.options.Workers[history.Bank] > 0 {
		l.written[history.Bank] = map[string]bool{"accounts": true}
		return w.until(until, "POST", "/v1/write", map[string]any{"writes": writes}, "")
	}
	return nil
}

func (w *worker) until(until time.Time, method, path string, body any, goodCode string) error {
	for {
		w.at = w.random.Intn(len(w.clients))
		answer := w.node().Ask(method, path, body, 5*time.Second)
		if answer.Good() || (goodCode != "" && answer.Code == goodCode) {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("node %d: %s %s: %s %s", w.node().Node.Number, method, path, answer, answer.Body)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Run lets all clients work until Stop.
func (l *Load) Run() {
	var all sync.WaitGroup
	groups := map[string]*keyGroup{}
	for _, kind := range []string{history.Register, history.Record, history.Append, history.Bank, history.Ledger} {
		for index := 0; index < l.options.Workers[kind]; index++ {
			// Four clients at a time share keys.
			name := fmt.Sprintf("%s-%s%d", l.options.RunName, kind, index/4)
			if groups[name] == nil {
				groups[name] = &keyGroup{prefix: name}
			}
			w := l.newWorker()
			group := groups[name]
			step := map[string]func(*keyGroup){history.Register: w.register, history.Record: w.record,
				history.Append: w.append, history.Bank: w.bank, history.Ledger: w.ledger}[kind]
			all.Add(1)
			go func() {
				defer all.Done()
				for !l.stopping.Load() {
					step(group)
					time.Sleep(time.Duration(w.random.Int63n(int64(2*l.options.Pause) + 1)))
				}
			}()
		}
	}
	all.Wait()
}

func place(schema, key string) map[string]any {
	return map[string]any{"collection": Collection, "schema": schema, "key": map[string]any{"key": key}}
}

func put(schema, key string, value any) map[string]any {
	return map[string]any{"collection": Collection, "schema": schema, "op": "put",
		"record": map[string]any{"key": key, "value": value}}
}

func integer(value any) (int64, bool) {
	number, err := strconv.ParseInt(fmt.Sprint(value), 10, 64)
	return number, err == nil
}

func listText(list []int64) string {
	var parts []string
	for _, element := range list {
		parts = append(parts, strconv.FormatInt(element, 10))
	}
	return strings.Join(parts, ",")
}

func parseList(text string) []int64 {
	list := []int64{}
	for _, part := range strings.Split(text, ",") {
		if element, err := strconv.ParseInt(part, 10, 64); err == nil {
			list = append(list, element)
		}
	}
	return list
}
