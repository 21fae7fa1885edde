package check

import (
	"fmt"
	"sort"
	"strings"

	"orochi.invalid/e2e/kv/trial/history"
)

// Serializable judges transactions that read lists and append to them: the longest list that was read
// of a key is the order of its writers, so who wrote before whom, who read what whom wrote, and who
// ended before whom began is known, and must have no cycle (strict serializability).
//
//  1. What is read of a key must be a prefix of the longest list; without elements of failed
//     transactions, without half of a transaction's appends.
//  2. What was acknowledged must be in the longest list when that was read after the end.
//  3. The graph over what happened has no cycle.
func Serializable(ops []history.Op, verdict *Verdict) {
	j := &listJudge{verdict: verdict, writer: map[int64]int{}, longest: map[string][]int64{}, lastLook: map[string]int64{}}
	for _, op := range ops {
		if op.Kind == history.Append {
			j.ops = append(j.ops, op)
		}
	}
	verdict.Judged["serializable"] = len(j.ops)
	j.collect()
	j.checkReads()
	j.checkKept()
	if len(verdict.Problems) == 0 || !j.broken {
		j.checkCycles()
	}
}

type listJudge struct {
	verdict  *Verdict
	ops      []history.Op
	writer   map[int64]int // element to the transaction that appended it
	longest  map[string][]int64
	lastLook map[string]int64 // when the last read after all faults began
	broken   bool             // there is no order of a key's elements, so no graph
}

func (j *listJudge) problem(format string, arguments ...any) {
	j.verdict.problem("serializable", format, arguments...)
}

func (j *listJudge) collect() {
	for index, op := range j.ops {
		for _, micro := range op.Micros {
			if micro.F == "a" {
				j.writer[micro.Element] = index
			}
		}
	}
	for _, op := range j.ops {
		if op.Outcome != history.OK {
			continue
		}
		own := map[string]bool{}
		for _, micro := range op.Micros {
			if micro.F == "a" {
				own[micro.Key] = true
			} else if !own[micro.Key] {
				if len(micro.List) > len(j.longest[micro.Key]) {
					j.longest[micro.Key] = micro.List
				}
				if op.Final && op.Call > j.lastLook[micro.Key] {
					j.lastLook[micro.Key] = op.Call
				}
			}
		}
	}
}

func (j *listJudge) checkReads() {
	for key, list := range j.longest {
		seen := map[int64]bool{}
		for _, element := range list {
			if seen[element] {
				j.broken = true
				j.problem("list %s has %d twice", key, element)
			}
			seen[element] = true
		}
	}
	for _, op := range j.ops {
		if op.Outcome != history.OK {
			continue
		}
		appended := map[string][]int64{}
		before := map[string][]int64{}
		for _, micro := range op.Micros {
			if micro.F == "a" {
				appended[micro.Key] = append(appended[micro.Key], micro.Element)
				continue
			}
			foreign, own := micro.List, appended[micro.Key]
			if len(own) > 0 {
				if len(foreign) < len(own) || !equal(foreign[len(foreign)-len(own):], own) {
					j.problem("does not see its own appends to %s: %s", micro.Key, describe(op))
					continue
				}
				foreign = foreign[:len(foreign)-len(own)]
			}
			if first, again := before[micro.Key]; again && !equal(first, foreign) {
				j.problem("reads %s twice, and differently: %s", micro.Key, describe(op))
			}
			before[micro.Key] = foreign
			j.checkRead(op, micro.Key, foreign)
		}
	}
}

func equal(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for index := range a {
		if a[index] != b[index] {
			return false
		}
	}
	return true
}

func (j *listJudge) checkRead(op history.Op, key string, list []int64) {
	longest := j.longest[key]
	if len(list) > len(longest) || !equal(longest[:len(list)], list) {
		j.broken = true
		j.problem("list %s was %v for one and %v for another: %s", key, longest, list, describe(op))
		return
	}
	for _, element := range list {
		writer, known := j.writer[element]
		if !known {
			j.problem("list %s has %d, which nobody appended: %s", key, element, describe(op))
		} else if j.ops[writer].Outcome == history.Fail {
			j.problem("list %s has %d of a transaction that did not happen (%s): %s", key, element,
				describe(j.ops[writer]), describe(op))
		}
	}
	if len(list) > 0 {
		last := list[len(list)-1]
		if writer, known := j.writer[last]; known {
			elements := appends(j.ops[writer], key)
			if elements[len(elements)-1] != last {
				j.problem("list %s ends within a transaction (%s): %s", key, describe(j.ops[writer]), describe(op))
			}
		}
	}
}

func appends(op history.Op, key string) []int64 {
	var elements []int64
	for _, micro := range op.Micros {
		if micro.F == "a" && micro.Key == key {
			elements = append(elements, micro.Element)
		}
	}
	return elements
}

func (j *listJudge) checkKept() {
	for _, op := range j.ops {
		if op.Outcome != history.OK {
			continue
		}
		for _, micro := range op.Micros {
			if micro.F != "a" || j.lastLook[micro.Key] < op.Return {
				continue
			}
			if !contains(j.longest[micro.Key], micro.Element) {
				j.problem("lost: %d is not in list %s in the end: %s", micro.Element, micro.Key, describe(op))
			}
		}
	}
}

func contains(list []int64, element int64) bool {
	for _, one := range list {
		if one == element {
			return true
		}
	}
	return false
}

type edge struct {
	to  int
	why string
}

// checkCycles builds the graph. Beside a node for each transaction there is one for each end, in the
// order of time: a transaction leads to its end, an end to the next, and the last one before a call to
// that call's transaction. So "ended before it began" needs two edges for each transaction.
func (j *listJudge) checkCycles() {
	happened := map[int]bool{}
	for index, op := range j.ops {
		happened[index] = op.Outcome == history.OK
	}
	for _, list := range j.longest {
		for _, element := range list {
			if writer, known := j.writer[element]; known {
				happened[writer] = true
			}
		}
	}
	graph := make([][]edge, 2*len(j.ops))
	add := func(from, to int, why string) {
		if from != to && happened[from] && happened[to] {
			graph[from] = append(graph[from], edge{to, why})
		}
	}
	for key, list := range j.longest {
		for index := 1; index < len(list); index++ {
			add(j.writer[list[index-1]], j.writer[list[index]], "ww "+key)
		}
	}
	for reader, op := range j.ops {
		if !happened[reader] || op.Outcome != history.OK {
			continue // what an unknown one read was believed by nobody
		}
		wrote := map[string]bool{}
		for _, micro := range op.Micros {
			if micro.F == "a" {
				wrote[micro.Key] = true
				continue
			}
			longest, count := j.longest[micro.Key], len(micro.List)
			if wrote[micro.Key] {
				continue // ordered by its own append
			}
			if count > 0 {
				add(j.writer[micro.List[count-1]], reader, "wr "+micro.Key)
			}
			if count < len(longest) {
				add(reader, j.writer[longest[count]], "rw "+micro.Key)
			}
		}
	}
	j.addTime(graph, happened)
	for _, cycle := range cycles(graph, len(j.ops)) {
		var steps []string
		for _, step := range cycle {
			if step.to < len(j.ops) {
				steps = append(steps, fmt.Sprintf("-%s-> [%s %s]", step.why, describe(j.ops[step.to]), micros(j.ops[step.to])))
			}
		}
		j.problem("a cycle: %s", strings.Join(steps, " "))
	}
}

func micros(op history.Op) string {
	var parts []string
	for _, micro := range op.Micros {
		if micro.F == "a" {
			parts = append(parts, fmt.Sprintf("a %s %d", micro.Key, micro.Element))
		} else {
			parts = append(parts, fmt.Sprintf("r %s %v", micro.Key, micro.List))
		}
	}
	return strings.Join(parts, "; ")
}

func (j *listJudge) addTime(graph [][]edge, happened map[int]bool) {
	count := len(j.ops)
	var ends []int // transactions by the time of their end
	for index, op := range j.ops {
		if happened[index] && op.Outcome == history.OK {
			ends = append(ends, index)
		}
	}
	sort.Slice(ends, func(a, b int) bool { return j.ops[ends[a]].Return < j.ops[ends[b]].Return })
	for at, index := range ends {
		graph[index] = append(graph[index], edge{count + at, "time"})
		if at+1 < len(ends) {
			graph[count+at] = append(graph[count+at], edge{count + at + 1, "time"})
		}
	}
	for index, op := range j.ops {
		if !happened[index] {
			continue
		}
		before := sort.Search(len(ends), func(at int) bool { return j.ops[ends[at]].Return >= op.Call })
		if before > 0 {
			graph[count+before-1] = append(graph[count+before-1], edge{index, "time"})
		}
	}
}

// cycles finds a short cycle in each strongly connected part of the graph.
func cycles(graph [][]edge, transactionCount int) [][]edge {
	part := parts(graph)
	members := map[int][]int{}
	for node, name := range part {
		members[name] = append(members[name], node)
	}
	var found [][]edge
	for _, nodes := range members {
		if len(nodes) < 2 {
			continue
		}
		var best []edge
		for _, start := range nodes {
			if start >= transactionCount {
				continue
			}
			if cycle := shortest(graph, part, start); best == nil || len(cycle) < len(best) {
				best = cycle
			}
			if len(found) > 5 {
				break
			}
		}
		found = append(found, best)
	}
	return found
}

// shortest way from start back to it, within its part.
func shortest(graph [][]edge, part []int, start int) []edge {
	came := map[int]edge{} // node to the edge it was reached by, whose `to` is where that began
	queue := []int{start}
	for len(queue) > 0 {
		node := queue[0]
		queue = queue[1:]
		for _, next := range graph[node] {
			if part[next.to] != part[start] {
				continue
			}
			if _, been := came[next.to]; been {
				continue
			}
			came[next.to] = edge{node, next.why}
			if next.to == start {
				return unroll(came, start)
			}
			queue = append(queue, next.to)
		}
	}
	return nil
}

func unroll(came map[int]edge, start int) []edge {
	var cycle []edge
	for node := start; ; {
		by := came[node]
		cycle = append([]edge{{node, by.why}}, cycle...)
		if node = by.to; node == start {
			return cycle
		}
	}
}

// parts names each node's strongly connected part (Tarjan, without recursion).
func parts(graph [][]edge) []int {
	const unseen = -1
	number, low, part := make([]int, len(graph)), make([]int, len(graph)), make([]int, len(graph))
	for node := range graph {
		number[node], part[node] = unseen, unseen
	}
	type frame struct{ node, next int }
	var stack []int
	count, names := 0, 0
	for root := range graph {
		if number[root] != unseen {
			continue
		}
		frames := []frame{{root, 0}}
		for len(frames) > 0 {
			at := &frames[len(frames)-1]
			node := at.node
			if at.next == 0 {
				number[node], low[node] = count, count
				count++
				stack = append(stack, node)
			} else if to := graph[node][at.next-1].to; part[to] == unseen && low[to] < low[node] {
				low[node] = low[to]
			}
			descended := false
			for at.next < len(graph[node]) {
				to := graph[node][at.next].to
				at.next++
				if number[to] == unseen {
					frames = append(frames, frame{to, 0})
					descended = true
					break
				}
				if part[to] == unseen && number[to] < low[node] {
					low[node] = number[to]
				}
			}
			if descended {
				continue
			}
			if low[node] == number[node] {
				for {
					top := stack[len(stack)-1]
					stack = stack[:len(stack)-1]
					part[top] = names
					if top == node {
						break
					}
				}
				names++
			}
			frames = frames[:len(frames)-1]
		}
	}
	return part
}
