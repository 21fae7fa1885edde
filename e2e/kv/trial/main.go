// Command trial has what a trial of real processes needs beside the processes: clients that record what
// they saw, judges of that, and a wire between network namespaces.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"orochi.invalid/e2e/kv/trial/check"
	"orochi.invalid/e2e/kv/trial/client"
	"orochi.invalid/e2e/kv/trial/history"
	"orochi.invalid/e2e/kv/trial/load"
	"orochi.invalid/e2e/kv/trial/wire"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: trial load|judge|probe|wire ...")
		os.Exit(2)
	}
	commands := map[string]func([]string) error{"load": runLoad, "judge": runJudge, "probe": runProbe, "wire": wire.Run}
	command, known := commands[os.Args[1]]
	if !known {
		fmt.Fprintf(os.Stderr, "trial: no command %q\n", os.Args[1])
		os.Exit(2)
	}
	if err := command(os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "trial: %v\n", err)
		os.Exit(1)
	}
}

// runLoad says "ready" when its clients begin, "stopped" when they ended after a line on its input, and
// then takes its last look and says as JSON how that went. It ends with its input.
func runLoad(arguments []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	nodes := flags.String("nodes", "", "NUMBER=HOST:PORT[@NAMESPACE],...")
	seed := flags.Int64("seed", 1, "of the clients' random numbers")
	workers := flags.String("workers", "register=4,record=4,append=6,bank=4,ledger=2", "clients of each kind")
	pause := flags.Duration("pause", 10*time.Millisecond, "between two operations of a client, on average")
	out := flags.String("out", "", "the history")
	name := flags.String("name", "run", "part of all keys")
	limit := flags.Duration("limit", 30*time.Minute, "after which it ends by itself")
	_ = flags.Parse(arguments)
	parsed, err := client.ParseNodes(*nodes)
	if err != nil {
		return err
	}
	options := load.Options{Nodes: parsed, Seed: *seed, Pause: *pause, RunName: *name, Workers: map[string]int{}}
	for _, part := range strings.Split(*workers, ",") {
		kind, count, _ := strings.Cut(part, "=")
		if options.Workers[kind], err = strconv.Atoi(count); err != nil {
			return fmt.Errorf("--workers %q: %w", part, err)
		}
	}
	writer, err := history.Create(*out)
	if err != nil {
		return err
	}
	l := load.New(options, writer)
	time.AfterFunc(*limit, func() {
		fmt.Fprintln(os.Stderr, "trial: the load's limit is over")
		os.Exit(1)
	})
	if err := l.Prepare(30 * time.Second); err != nil {
		return fmt.Errorf("preparing: %w", err)
	}
	fmt.Println("ready")
	input := bufio.NewScanner(os.Stdin)
	stopped := make(chan bool)
	go func() {
		l.Run()
		close(stopped)
	}()
	go func() {
		for range time.Tick(time.Second) {
			ok, fail, unknown := writer.Counts()
			fmt.Fprintf(os.Stderr, "%6.1f s: %d ok, %d failed, %d unknown\n", float64(writer.Now())/1e9, ok, fail, unknown)
		}
	}()
	input.Scan()
	l.Stop()
	recovered := l.Recover() // at once: clients that still wait must not hide who does not answer
	<-stopped
	problem := ""
	if err := l.LookAtAll(); err != nil {
		problem = err.Error()
	}
	if err := writer.Close(); err != nil {
		return err
	}
	ok, fail, unknown := writer.Counts()
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"recovered": recovered, "problem": problem,
		"ok": ok, "failed": fail, "unknown": unknown})
}

// runProbe prints the longest outage of each of some keys.
func runProbe(arguments []string) error {
	flags := flag.NewFlagSet("probe", flag.ExitOnError)
	nodes := flags.String("nodes", "", "NUMBER=HOST:PORT[@NAMESPACE],...")
	last := flags.Duration("for", 10*time.Second, "how long to look")
	_ = flags.Parse(arguments)
	parsed, err := client.ParseNodes(*nodes)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(load.Probe(parsed, *last))
}

// runJudge prints what is wrong with a history; 0 when nothing is.
func runJudge(arguments []string) error {
	flags := flag.NewFlagSet("judge", flag.ExitOnError)
	drawings := flags.String("drawings", "", "directory for pictures of what is wrong")
	most := flags.Int("most", 10, "problems of one judge to print")
	_ = flags.Parse(arguments)
	ops, err := history.Read(flags.Arg(0))
	if err != nil {
		return err
	}
	verdict := check.All(ops, *drawings)
	names := []string{}
	for name := range verdict.Judged {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Printf("judged %-13s %7d\n", name, verdict.Judged[name])
	}
	printed := map[string]int{}
	for _, problem := range verdict.Problems {
		if printed[problem.Judge]++; printed[problem.Judge] <= *most {
			fmt.Printf("WRONG %s: %s\n", problem.Judge, problem.What)
		}
	}
	for _, problem := range verdict.Undecided {
		fmt.Printf("UNDECIDED %s: %s\n", problem.Judge, problem.What)
	}
	if len(verdict.Problems)+len(verdict.Undecided) > 0 {
		return fmt.Errorf("%d problems, %d undecided", len(verdict.Problems), len(verdict.Undecided))
	}
	return nil
}
