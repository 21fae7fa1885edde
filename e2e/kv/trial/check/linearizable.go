package check

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"

	"orochi.invalid/e2e/kv/trial/history"
)

const perKeyTimeout = 20 * time.Second

// Linearizable gives each key's operations to Porcupine. What failed must not have happened, so it is
// left out: a value that was refused and is read all the same cannot be explained then. What is unknown
// may take effect at any time after its call, or never, which is the same as at the very end.
func Linearizable(ops []history.Op, drawings string, verdict *Verdict) {
	type register struct{ kind, key string }
	byKey := map[register][]history.Op{}
	for _, op := range ops {
		read := op.F == "get"
		if op.Kind != history.Register && op.Kind != history.Record || op.Outcome == history.Fail ||
			read && op.Outcome != history.OK {
			continue
		}
		at := register{op.Kind, op.Key}
		byKey[at] = append(byKey[at], op)
	}
	keys := make([]register, 0, len(byKey))
	for key := range byKey {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(a, b int) bool { return keys[a].key < keys[b].key })
	for _, key := range keys {
		var calls []porcupine.Operation
		for _, op := range byKey[key] {
			end := op.Return
			if op.Outcome == history.Unknown {
				end = math.MaxInt64
			}
			calls = append(calls, porcupine.Operation{ClientId: op.Client, Input: op, Call: op.Call, Output: op, Return: end})
		}
		verdict.Judged["linearizable"] += len(calls)
		result, info := porcupine.CheckOperationsVerbose(Model(), calls, perKeyTimeout)
		switch result {
		case porcupine.Unknown:
			verdict.Undecided = append(verdict.Undecided, Problem{"linearizable",
				fmt.Sprintf("key %s: %d operations took longer than %s", key.key, len(calls), perKeyTimeout)})
		case porcupine.Illegal:
			where := ""
			if drawings != "" {
				where = filepath.Join(drawings, key.key+".html")
				if file, err := os.Create(where); err == nil {
					_ = porcupine.Visualize(Model(), info, file)
					file.Close()
				}
			}
			verdict.problem("linearizable", "key %s: no order of its %d operations explains what was answered %s",
				key.key, len(calls), where)
		}
	}
}

// Model of one key: its state is the value, 0 when there is none. Values are written once, so that
// "unchanged since it was read" is the same as "still the value that was read".
func Model() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return int64(0) },
		Step: func(state, input, output any) (bool, any) {
			value, op := state.(int64), output.(history.Op)
			if op.Outcome == history.Unknown {
				return true, applied(value, op)
			}
			if op.Refused != "" {
				return refusedRightly(value, op), value
			}
			switch op.F {
			case "get":
				return value == op.Found, value
			case "put":
				return true, op.Value
			case "insert":
				return value == 0, op.Value
			case "cas", "since":
				return value == op.Old, op.Value
			case "delete":
				return value != 0 && (!op.Told || value == op.Found), int64(0)
			}
			return false, value
		},
		DescribeOperation: func(input, output any) string {
			op := output.(history.Op)
			return fmt.Sprintf("%s old=%d new=%d found=%d %s %s node %d", op.F, op.Old, op.Value, op.Found, op.Refused,
				op.Outcome, op.Node)
		},
	}
}

// applied is the state after an operation that nobody has heard of.
func applied(value int64, op history.Op) int64 {
	switch op.F {
	case "put":
		return op.Value
	case "insert":
		if value == 0 {
			return op.Value
		}
	case "cas", "since":
		if value == op.Old {
			return op.Value
		}
	case "delete":
		return 0
	}
	return value
}

func refusedRightly(value int64, op history.Op) bool {
	if op.Told && value != op.Found {
		return false
	}
	switch op.Refused {
	case "absent":
		return value == 0
	case "present":
		return value != 0
	case "filter", "changed":
		return value != op.Old
	case "forgotten":
		return true
	}
	return false
}
