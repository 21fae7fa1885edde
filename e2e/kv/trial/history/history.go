// Package history is what clients saw: one line of JSON for each operation or transaction.
package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"
)

// Outcome says what a client may believe about an operation.
type Outcome string

const (
	OK      Outcome = "ok"      // it happened, and this was its answer
	Fail    Outcome = "fail"    // the store promises that it did not happen and never will
	Unknown Outcome = "unknown" // it may have happened, or may happen later
)

// Kinds of operations: each has a judge of its own.
const (
	Register = "register" // simple keys: get, put, delete
	Record   = "record"   // records with conditions: get, put, insert, cas, since, delete
	Append   = "append"   // transactions that append to lists and read them
	Bank     = "bank"     // transfers between accounts, and all balances at once
	Ledger   = "ledger"   // keys that are written once
)

// Micro is one step of an append transaction.
type Micro struct {
	F       string  `json:"f"` // "r" or "a"
	Key     string  `json:"key"`
	Element int64   `json:"element,omitempty"` // "a"
	List    []int64 `json:"list,omitempty"`    // "r": what was read
}

// Op is one operation, or one transaction. Times are nanoseconds of one monotonic clock.
type Op struct {
	Kind        string           `json:"kind"`
	F           string           `json:"f"`
	Client      int              `json:"client"`
	Node        int              `json:"node"`
	Key         string           `json:"key,omitempty"`
	Keys        []string         `json:"keys,omitempty"`    // ledger: written together
	Value       int64            `json:"value,omitempty"`   // written; 0 is never a value
	Old         int64            `json:"old,omitempty"`     // cas, since: what must be there
	Found       int64            `json:"found,omitempty"`   // read, or told by a condition that failed; 0: absent
	Told        bool             `json:"told,omitempty"`    // Found was answered
	Refused     string           `json:"refused,omitempty"` // why the condition did not hold; the outcome is ok then
	Micros      []Micro          `json:"micros,omitempty"`
	Balances    map[string]int64 `json:"balances,omitempty"`
	Call        int64            `json:"call"`
	Return      int64            `json:"return"`
	Outcome     Outcome          `json:"outcome"`
	Code        string           `json:"code,omitempty"` // of the answer: "503 unavailable"
	Timestamp   uint64           `json:"timestamp,omitempty"`
	Transaction string           `json:"transaction,omitempty"`
	Resolved    string           `json:"resolved,omitempty"` // what an inquiry said about an unknown outcome
	Final       bool             `json:"final,omitempty"`    // after all faults were over
}

// Writer writes operations as they end. Safe for many threads.
type Writer struct {
	mutex sync.Mutex
	file  *os.File
	out   *bufio.Writer
	begun time.Time
	Count map[Outcome]int
}

func Create(path string) (*Writer, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &Writer{file: file, out: bufio.NewWriter(file), begun: time.Now(), Count: map[Outcome]int{}}, nil
}

// Now is the history's time.
func (w *Writer) Now() int64 { return int64(time.Since(w.begun)) + 1 }

func (w *Writer) Add(op Op) {
	line, err := json.Marshal(op)
	if err != nil {
		panic(err)
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.Count[op.Outcome]++
	w.out.Write(line)
	w.out.WriteByte('\n')
}

// Counts is how many operations had each outcome until now.
func (w *Writer) Counts() (ok, fail, unknown int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.Count[OK], w.Count[Fail], w.Count[Unknown]
}

func (w *Writer) Close() error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if err := w.out.Flush(); err != nil {
		return err
	}
	return w.file.Close()
}

// Read returns all operations of a file in the order of their calls.
func Read(path string) ([]Op, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var ops []Op
	scanner := bufio.NewScanner(file)
	scanner.Buffer(make([]byte, 1<<20), 1<<28)
	for scanner.Scan() {
		var op Op
		if err := json.Unmarshal(scanner.Bytes(), &op); err != nil {
			if !scanner.Scan() {
				break // whoever wrote it was killed within its last line
			}
			return nil, fmt.Errorf("%s: line %d: %w", path, len(ops)+1, err)
		}
		ops = append(ops, op)
	}
	sort.SliceStable(ops, func(a, b int) bool { return ops[a].Call < ops[b].Call })
	return ops, scanner.Err()
}
