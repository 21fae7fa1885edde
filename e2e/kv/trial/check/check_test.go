package check

// Goal: the judges find what is wrong, and nothing where nothing is. Method: histories as they would be
// recorded, right ones and ones with a planted mistake each.

import (
	"strings"
	"testing"

	h "orochi.invalid/e2e/kv/trial/history"
)

func op(kind, f string, call, end int64, change func(*h.Op)) h.Op {
	made := h.Op{Kind: kind, F: f, Key: "k", Call: call, Return: end, Outcome: h.OK}
	if change != nil {
		change(&made)
	}
	return made
}

func put(kind string, value, call, end int64) h.Op {
	return op(kind, "put", call, end, func(o *h.Op) { o.Value = value })
}

func get(kind string, found, call, end int64) h.Op {
	return op(kind, "get", call, end, func(o *h.Op) { o.Found, o.Told = found, true })
}

func conditional(f string, old, value, call, end int64, refused string, found int64) h.Op {
	return op(h.Record, f, call, end, func(o *h.Op) {
		o.Old, o.Value, o.Refused = old, value, refused
		if refused != "" {
			o.Found, o.Told = found, found != 0
		}
	})
}

func as(outcome h.Outcome, o h.Op) h.Op {
	o.Outcome = outcome
	return o
}

func at(timestamp uint64, o h.Op) h.Op {
	o.Timestamp = timestamp
	return o
}

func r(key string, list ...int64) h.Micro { return h.Micro{F: "r", Key: key, List: list} }
func a(key string, element int64) h.Micro { return h.Micro{F: "a", Key: key, Element: element} }
func lists(call, end int64, micros ...h.Micro) h.Op {
	return op(h.Append, "transaction", call, end, func(o *h.Op) { o.Micros = micros })
}
func last(o h.Op) h.Op {
	o.Final = true
	return o
}

func balances(call int64, values ...int64) h.Op {
	return op(h.Bank, "query", call, call+1, func(o *h.Op) {
		o.Balances = map[string]int64{}
		for index, value := range values {
			o.Balances[string(rune('a'+index))] = value
		}
	})
}

func wrote(outcome h.Outcome, value int64, keys ...string) h.Op {
	return op(h.Ledger, "put", 1, 2, func(o *h.Op) { o.Outcome, o.Value, o.Keys = outcome, value, keys })
}

func ledger(node int, entries map[string]int64) h.Op {
	return op(h.Ledger, "query", 10, 11, func(o *h.Op) { o.Node, o.Balances, o.Final = node, entries, true })
}

func TestJudges(t *testing.T) {
	cases := []struct {
		name   string
		expect string // in the first problem; "" when all is well
		ops    []h.Op
	}{
		{"register", "", []h.Op{put(h.Register, 1, 1, 2), get(h.Register, 1, 3, 4), put(h.Register, 2, 5, 9),
			get(h.Register, 2, 6, 7), op(h.Register, "delete", 10, 11, nil), get(h.Register, 0, 12, 13)}},
		{"lost write", "no order", []h.Op{put(h.Register, 1, 1, 2), get(h.Register, 0, 3, 4)}},
		{"stale read", "no order", []h.Op{put(h.Register, 1, 1, 2), put(h.Register, 2, 3, 4), get(h.Register, 1, 5, 6)}},
		{"there and back", "no order", []h.Op{put(h.Register, 1, 1, 2), put(h.Register, 2, 3, 20),
			get(h.Register, 2, 4, 5), get(h.Register, 1, 6, 7)}},
		{"refused write is read", "no order", []h.Op{as(h.Fail, put(h.Register, 1, 1, 2)), get(h.Register, 1, 3, 4)}},
		{"unknown write comes late", "", []h.Op{put(h.Register, 1, 1, 2), as(h.Unknown, put(h.Register, 2, 3, 4)),
			get(h.Register, 1, 5, 6), get(h.Register, 2, 7, 8)}},
		{"unknown write never comes", "", []h.Op{put(h.Register, 1, 1, 2), as(h.Unknown, put(h.Register, 2, 3, 4)),
			get(h.Register, 1, 5, 6)}},
		{"unknown write before its call", "no order", []h.Op{get(h.Register, 2, 1, 2), as(h.Unknown, put(h.Register, 2, 3, 4))}},
		{"unknown write comes and goes", "no order", []h.Op{put(h.Register, 1, 1, 2), as(h.Unknown, put(h.Register, 2, 3, 4)),
			get(h.Register, 2, 5, 6), get(h.Register, 1, 7, 8)}},
		{"deleted twice", "no order", []h.Op{put(h.Register, 1, 1, 2), op(h.Register, "delete", 3, 4, nil),
			op(h.Register, "delete", 5, 6, nil)}},
		{"cas", "", []h.Op{put(h.Record, 1, 1, 2), conditional("cas", 1, 2, 3, 4, "", 0),
			conditional("cas", 1, 3, 5, 6, "filter", 2), conditional("insert", 0, 4, 7, 8, "present", 2)}},
		{"two cas of one value", "no order", []h.Op{put(h.Record, 1, 1, 2), conditional("cas", 1, 2, 3, 6, "", 0),
			conditional("cas", 1, 3, 4, 5, "", 0)}},
		{"two inserts", "no order", []h.Op{conditional("insert", 0, 1, 1, 4, "", 0), conditional("insert", 0, 2, 2, 3, "", 0)}},
		{"refused without a reason", "no order", []h.Op{put(h.Record, 1, 1, 2), conditional("cas", 1, 2, 3, 4, "filter", 1)}},
		{"refusal tells a lie", "no order", []h.Op{put(h.Record, 1, 1, 2), put(h.Record, 2, 3, 4),
			conditional("insert", 0, 4, 7, 8, "present", 1)}},
		{"changed, though not", "no order", []h.Op{put(h.Record, 1, 1, 2), conditional("since", 1, 2, 3, 4, "changed", 0)}},

		{"lists", "", []h.Op{lists(1, 2, r("x"), a("x", 1), r("x", 1)), lists(3, 4, r("x", 1), a("x", 2)),
			last(lists(5, 6, r("x", 1, 2)))}},
		{"lost append", "lost: 2", []h.Op{lists(1, 2, a("x", 1)), lists(3, 4, a("x", 2)), last(lists(5, 6, r("x", 1)))}},
		{"aborted read", "did not happen", []h.Op{as(h.Fail, lists(1, 2, a("x", 1))), lists(3, 4, r("x", 1))}},
		{"half a transaction", "ends within", []h.Op{lists(1, 9, a("x", 1), a("x", 2)), lists(3, 4, r("x", 1)),
			lists(10, 11, r("x", 1, 2))}},
		{"two orders", "for one and", []h.Op{lists(1, 2, a("x", 1)), lists(1, 2, a("x", 2)), lists(3, 4, r("x", 1, 2)),
			lists(3, 4, r("x", 2))}},
		{"element twice", "twice", []h.Op{lists(1, 2, a("x", 1)), lists(3, 4, r("x", 1, 1))}},
		{"from nowhere", "nobody appended", []h.Op{lists(3, 4, r("x", 7))}},
		{"blind to itself", "own appends", []h.Op{lists(1, 2, a("x", 1), r("x"))}},
		{"two snapshots", "differently", []h.Op{lists(1, 9, r("x"), r("x", 1)), lists(2, 3, a("x", 1))}},
		{"write skew", "a cycle", []h.Op{lists(1, 9, r("x"), a("y", 1)), lists(2, 8, r("y"), a("x", 2)),
			lists(10, 11, r("x", 2), r("y", 1))}},
		{"lost update", "a cycle", []h.Op{lists(1, 9, r("x"), a("x", 1)), lists(2, 8, r("x"), a("x", 2)),
			lists(10, 11, r("x", 1, 2))}},
		{"long fork", "a cycle", []h.Op{lists(1, 20, a("x", 1)), lists(1, 20, a("y", 2)), lists(2, 9, r("x", 1), r("y")),
			lists(2, 9, r("x"), r("y", 2))}},
		{"stale snapshot", "a cycle", []h.Op{lists(1, 2, a("x", 1)), lists(3, 4, r("x")), lists(5, 6, r("x", 1))}},
		{"causal reverse", "a cycle", []h.Op{lists(1, 2, a("x", 1)), lists(3, 4, a("y", 2)), lists(1, 9, r("x"), r("y", 2)),
			lists(10, 11, r("x", 1))}},
		{"concurrent, either way", "", []h.Op{lists(1, 9, a("x", 1)), lists(2, 3, r("x")), lists(4, 5, r("x", 1))}},
		{"unknown that happened", "", []h.Op{as(h.Unknown, lists(1, 2, a("x", 1))), lists(3, 4, r("x")), lists(5, 6, r("x", 1))}},
		{"unknown before its call", "a cycle", []h.Op{lists(1, 2, r("x", 1)), as(h.Unknown, lists(3, 4, a("x", 1)))}},

		{"bank", "", []h.Op{balances(1, 990, 1010), balances(3, 1000, 1000)}},
		{"money is lost", "together", []h.Op{balances(1, 1000, 1000), balances(3, 990, 1000)}},
		{"account is missing", "1 accounts", []h.Op{balances(1, 1000, 1000), balances(3, 1000)}},

		{"ledger", "", []h.Op{wrote(h.OK, 1, "a"), wrote(h.Unknown, 2, "b", "c"), wrote(h.Fail, 3, "d"),
			ledger(1, map[string]int64{"a": 1}), ledger(2, map[string]int64{"a": 1})}},
		{"acknowledged is lost", "lost", []h.Op{wrote(h.OK, 1, "a"), ledger(1, map[string]int64{})}},
		{"half a batch", "belong together", []h.Op{wrote(h.Unknown, 1, "a", "b"), ledger(1, map[string]int64{"a": 1})}},
		{"refused is there", "refused", []h.Op{wrote(h.Fail, 1, "a"), ledger(1, map[string]int64{"a": 1})}},
		{"wrong value", "under a", []h.Op{wrote(h.OK, 1, "a"), ledger(1, map[string]int64{"a": 2})}},
		{"nobody wrote it", "nobody wrote", []h.Op{ledger(1, map[string]int64{"a": 2})}},
		{"nodes differ", "nodes differ", []h.Op{wrote(h.Unknown, 1, "a"), ledger(1, map[string]int64{"a": 1}),
			ledger(2, map[string]int64{})}},

		{"timestamps", "", []h.Op{at(5, put(h.Record, 1, 1, 2)), at(6, get(h.Record, 1, 3, 4))}},
		{"time goes back", "is not after", []h.Op{at(5, put(h.Record, 1, 1, 2)), at(4, put(h.Record, 2, 3, 4)),
			at(9, get(h.Record, 2, 5, 6))}},
		{"one time for two", "given to two", []h.Op{at(5, put(h.Record, 1, 1, 4)), at(5, put(h.Record, 2, 2, 3))}},
		{"read of the future", "later time", []h.Op{at(5, put(h.Record, 1, 1, 9)), at(4, get(h.Record, 1, 2, 3))}},
		{"read passes over a write", "as of", []h.Op{at(1, put(h.Record, 1, 1, 9)), at(2, put(h.Record, 2, 1, 9)),
			at(3, get(h.Record, 1, 2, 8))}},
		{"internal error", "500", []h.Op{op(h.Record, "put", 1, 2, func(o *h.Op) { o.Outcome, o.Code = h.Unknown, "500 internal" })}},
	}
	for _, one := range cases {
		verdict := All(one.ops, "")
		switch {
		case len(verdict.Undecided) > 0:
			t.Errorf("%s: undecided: %v", one.name, verdict.Undecided)
		case one.expect == "" && len(verdict.Problems) > 0:
			t.Errorf("%s: %v", one.name, verdict.Problems)
		case one.expect != "" && len(verdict.Problems) == 0:
			t.Errorf("%s: nothing was found", one.name)
		case one.expect != "" && !strings.Contains(verdict.Problems[0].What, one.expect):
			t.Errorf("%s: found %q, expected %q", one.name, verdict.Problems[0].What, one.expect)
		}
	}
}
