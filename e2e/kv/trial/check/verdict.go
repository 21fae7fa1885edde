// Package check judges histories.
package check

import (
	"fmt"
	"sort"

	"orochi.invalid/e2e/kv/trial/history"
)

// Problem is something that the store promised would not happen.
type Problem struct {
	Judge string
	What  string
}

// Verdict of all judges. Undecided: a judge gave up; nothing may be concluded about what it looked at.
type Verdict struct {
	Problems  []Problem
	Undecided []Problem
	Judged    map[string]int // judge to how many operations, keys or transactions it looked at
}

func (v *Verdict) problem(judge, format string, arguments ...any) {
	v.Problems = append(v.Problems, Problem{judge, fmt.Sprintf(format, arguments...)})
}

// All runs every judge. drawings is a directory for pictures of what is wrong, or "".
func All(ops []history.Op, drawings string) *Verdict {
	verdict := &Verdict{Judged: map[string]int{}}
	Linearizable(ops, drawings, verdict)
	Serializable(ops, verdict)
	BankTotal(ops, verdict)
	LedgerKept(ops, verdict)
	Timestamps(ops, verdict)
	Answers(ops, verdict)
	return verdict
}

// Answers looks for answers that no client should ever get.
func Answers(ops []history.Op, verdict *Verdict) {
	bad := map[string]int{}
	example := map[string]history.Op{}
	for _, op := range ops {
		verdict.Judged["answers"]++
		for _, code := range []string{"500", "400", "415", "405", "413", "403 forbidden"} {
			if len(op.Code) >= len(code) && op.Code[:len(code)] == code {
				bad[op.Code]++
				example[op.Code] = op
			}
		}
	}
	codes := []string{}
	for code := range bad {
		codes = append(codes, code)
	}
	sort.Strings(codes)
	for _, code := range codes {
		op := example[code]
		verdict.problem("answers", "%d times %q, as to %s %s of node %d at %s", bad[code], code, op.Kind, op.F,
			op.Node, seconds(op.Call))
	}
}

func seconds(nanoseconds int64) string { return fmt.Sprintf("%.3f s", float64(nanoseconds)/1e9) }

func describe(op history.Op) string {
	return fmt.Sprintf("%s %s by client %d at node %d, %s to %s, %s %s", op.Kind, op.F, op.Client, op.Node,
		seconds(op.Call), seconds(op.Return), op.Outcome, op.Code)
}
