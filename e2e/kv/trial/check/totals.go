package check

import (
	"sort"
	"strings"

	"orochi.invalid/e2e/kv/trial/history"
)

// Opening balance of each account.
const Opening = 1000

// BankTotal checks that whoever saw all accounts saw all the money.
func BankTotal(ops []history.Op, verdict *Verdict) {
	accounts := 0
	for _, op := range ops {
		if len(op.Balances) > accounts && op.Kind == history.Bank {
			accounts = len(op.Balances)
		}
	}
	for _, op := range ops {
		if op.Kind != history.Bank || op.F == "transfer" || op.Outcome != history.OK {
			continue
		}
		verdict.Judged["bank"]++
		total := int64(0)
		for _, balance := range op.Balances {
			total += balance
		}
		if len(op.Balances) != accounts || total != int64(accounts)*Opening {
			verdict.problem("bank", "%d accounts with %d together, not %d with %d: %s", len(op.Balances), total,
				accounts, int64(accounts)*Opening, describe(op))
		}
	}
}

// LedgerKept checks what was written once against what every node answered after the end.
func LedgerKept(ops []history.Op, verdict *Verdict) {
	looked := 0
	for _, look := range ops {
		if look.Kind != history.Ledger || look.F != "query" || look.Outcome != history.OK || !look.Final {
			continue
		}
		looked++
		if look.Refused != "" {
			verdict.problem("ledger", "node %d's query had %s twice", look.Node, look.Refused)
		}
		known := map[string]bool{}
		for _, op := range ops {
			if op.Kind != history.Ledger || op.F == "query" {
				continue
			}
			verdict.Judged["ledger"]++
			there := 0
			for _, key := range op.Keys {
				known[key] = true
				if value, found := look.Balances[key]; found {
					there++
					if value != op.Value {
						verdict.problem("ledger", "node %d has %d under %s: %s", look.Node, value, key, describe(op))
					}
				}
			}
			switch {
			case op.Outcome == history.OK && there < len(op.Keys):
				verdict.problem("ledger", "lost: node %d has %d of %d keys (%v): %s", look.Node, there, len(op.Keys),
					op.Keys, describe(op))
			case op.Outcome == history.Fail && there > 0:
				verdict.problem("ledger", "node %d has what was refused (%v): %s", look.Node, op.Keys, describe(op))
			case there > 0 && there < len(op.Keys):
				verdict.problem("ledger", "node %d has %d of %d keys that belong together (%v): %s", look.Node, there,
					len(op.Keys), op.Keys, describe(op))
			}
		}
		for key := range look.Balances {
			if !known[key] && !strings.Contains(key, "-recovered-") {
				verdict.problem("ledger", "node %d has %s, which nobody wrote", look.Node, key)
			}
		}
	}
	nodesAgree(ops, verdict)
}

// nodesAgree: after the end nobody writes, so all nodes answer the same; an unknown write may still
// come in between, which a second difference would show.
func nodesAgree(ops []history.Op, verdict *Verdict) {
	var first *history.Op
	for index := range ops {
		op := &ops[index]
		if op.Kind != history.Ledger || op.F != "query" || op.Outcome != history.OK || !op.Final {
			continue
		}
		if first == nil {
			first = op
			continue
		}
		for key := range first.Balances {
			if _, found := op.Balances[key]; !found && !strings.Contains(key, "-recovered-") {
				verdict.problem("ledger", "nodes differ: node %d has %s, node %d does not", first.Node, key, op.Node)
			}
		}
	}
}

// Timestamps checks that they are in the order of time: whoever ended before another began has the lower
// one, and no two that wrote have the same. A read of a record is told the time of the state it saw: of
// all writes up to then the last.
func Timestamps(ops []history.Op, verdict *Verdict) {
	var stamped []history.Op
	for _, op := range ops {
		// One that was resolved by an inquiry returned later than it knows.
		if op.Timestamp != 0 && op.Outcome == history.OK && op.Refused == "" {
			stamped = append(stamped, op)
		}
	}
	verdict.Judged["timestamps"] = len(stamped)
	ends := append([]history.Op{}, stamped...)
	sort.Slice(ends, func(a, b int) bool { return ends[a].Return < ends[b].Return })
	var highest *history.Op
	next := 0
	writers := map[uint64]history.Op{}
	for _, op := range stamped { // in the order of calls
		for ; next < len(ends) && ends[next].Return < op.Call; next++ {
			if highest == nil || ends[next].Timestamp > highest.Timestamp {
				highest = &ends[next]
			}
		}
		if highest != nil && (op.Timestamp < highest.Timestamp || writes(op) && op.Timestamp == highest.Timestamp) {
			verdict.problem("timestamps", "%d is not after %d, which ended before: [%s] and [%s]", op.Timestamp,
				highest.Timestamp, describe(op), describe(*highest))
		}
		if writes(op) {
			if other, twice := writers[op.Timestamp]; twice {
				verdict.problem("timestamps", "%d was given to two: [%s] and [%s]", op.Timestamp, describe(op),
					describe(other))
			}
			writers[op.Timestamp] = op
		}
	}
	readsOfTheirTime(stamped, verdict)
}

func writes(op history.Op) bool {
	switch op.Kind {
	case history.Append:
		for _, micro := range op.Micros {
			if micro.F == "a" {
				return true
			}
		}
		return false
	case history.Bank:
		return op.F == "transfer"
	case history.Ledger:
		return op.F != "query"
	}
	return op.F != "get"
}

func readsOfTheirTime(stamped []history.Op, verdict *Verdict) {
	wrote := map[string][]history.Op{} // key to writes in the order of timestamps
	at := map[int64]uint64{}           // value to when it was written
	for _, op := range stamped {
		if op.Kind == history.Record && writes(op) {
			wrote[op.Key] = append(wrote[op.Key], op)
			if op.F != "delete" {
				at[op.Value] = op.Timestamp
			}
		}
	}
	for key := range wrote {
		list := wrote[key]
		sort.Slice(list, func(a, b int) bool { return list[a].Timestamp < list[b].Timestamp })
	}
	for _, op := range stamped {
		if op.Kind != history.Record || op.F != "get" {
			continue
		}
		list := wrote[op.Key]
		count := sort.Search(len(list), func(index int) bool { return list[index].Timestamp > op.Timestamp })
		written, known := at[op.Found]
		if known && written > op.Timestamp {
			verdict.problem("timestamps", "read %d, of a later time (%d): %s", op.Found, written, describe(op))
		}
		if count == 0 || !known {
			continue // of an unknown write, or of none
		}
		if last := list[count-1]; last.Timestamp > written {
			verdict.problem("timestamps", "read %d of time %d as of %d, though [%s] wrote %d at %d", op.Found, written,
				op.Timestamp, describe(last), last.Value, last.Timestamp)
		}
	}
}
