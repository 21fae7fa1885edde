// Goal: etcd in the shapes of `orochi kv bench`, with the same keys, values, threads and report, by
// etcd's own client. One line of JSON for each shape.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

type shape struct {
	read, update, insert, scan, modify, txn int // per cent
	keys                                    string
	alone                                   bool
}

var shapes = map[string]shape{
	"put1": {insert: 100, alone: true},
	"put":  {insert: 100},
	"get":  {read: 100, keys: "uniform"},
	"txn":  {txn: 100, keys: "uniform"},
	"a":    {read: 50, update: 50, keys: "zipfian"},
	"b":    {read: 95, update: 5, keys: "zipfian"},
	"c":    {read: 100, keys: "zipfian"},
	"d":    {read: 95, insert: 5, keys: "latest"},
	"e":    {scan: 95, insert: 5, keys: "zipfian"},
	"f":    {read: 50, modify: 50, keys: "zipfian"},
}

// As cli/kv/zipfian.h: YCSB's method and constant.
type zipfian struct {
	count     uint64
	zeta, eta float64
}

const theta = 0.99

func newZipfian(count uint64) *zipfian {
	zeta := 0.0
	for rank := uint64(1); rank <= count; rank++ {
		zeta += math.Pow(float64(rank), -theta)
	}
	zetaTwo := 1 + math.Pow(2, -theta)
	eta := (1 - math.Pow(2/float64(count), 1-theta)) / (1 - zetaTwo/zeta)
	return &zipfian{count, zeta, eta}
}

func (z *zipfian) rank(random *rand.Rand) uint64 {
	drawn := random.Float64()
	scaled := drawn * z.zeta
	if scaled < 1 {
		return 0
	}
	if scaled < 1+math.Pow(0.5, theta) {
		return 1
	}
	rank := uint64(float64(z.count) * math.Pow(z.eta*drawn-z.eta+1, 1/(1-theta)))
	return min(rank, z.count-1)
}

func (z *zipfian) scattered(random *rand.Rand) uint64 {
	hash := fnv.New64a()
	rank := z.rank(random)
	var bytes [8]byte
	for index := range bytes {
		bytes[index] = byte(rank >> (8 * index))
	}
	hash.Write(bytes[:])
	return hash.Sum64() % z.count
}

type data struct {
	rows      uint64
	valueSize int
	prefix    string
	inserted  atomic.Uint64
}

func (d *data) key(number uint64) string { return fmt.Sprintf("%s%012d", d.prefix, number) }

type worker struct {
	client *clientv3.Client
	shape  shape
	data   *data
	zipf   *zipfian
	random *rand.Rand
	value  []byte
}

func (w *worker) row() string {
	w.value[w.random.Intn(len(w.value))] = byte(w.random.Intn(256))
	return string(w.value)
}

func (w *worker) drawKey() string {
	switch w.shape.keys {
	case "zipfian":
		return w.data.key(w.zipf.scattered(w.random))
	case "latest":
		newest := w.data.rows + w.data.inserted.Load() - 1
		return w.data.key(newest - min(newest, w.zipf.rank(w.random)))
	}
	return w.data.key(uint64(w.random.Int63n(int64(w.data.rows))))
}

// The second result: it lost a conflict.
func (w *worker) run(ctx context.Context) (error, bool) {
	s := w.shape
	left := w.random.Intn(100)
	next := func(share int) bool { left -= share; return left < 0 }
	var err error
	switch {
	case next(s.read):
		_, err = w.client.Get(ctx, w.drawKey())
	case next(s.update):
		_, err = w.client.Put(ctx, w.drawKey(), w.row())
	case next(s.insert):
		_, err = w.client.Put(ctx, w.data.key(w.data.rows+w.data.inserted.Add(1)-1), w.row())
	case next(s.scan):
		_, err = w.client.Get(ctx, w.drawKey(), clientv3.WithFromKey(),
			clientv3.WithLimit(1+w.random.Int63n(100)))
	case next(s.modify):
		return w.modify(ctx)
	default:
		key := w.drawKey()
		_, err = w.client.Txn(ctx).Then(clientv3.OpGet(key), clientv3.OpPut(key, w.row()),
			clientv3.OpPut(key+"/1", w.row())).Commit()
	}
	return err, false
}

func (w *worker) modify(ctx context.Context) (error, bool) {
	key := w.drawKey()
	read, err := w.client.Get(ctx, key)
	if err != nil || len(read.Kvs) == 0 {
		return err, false
	}
	same := clientv3.Compare(clientv3.ModRevision(key), "=", read.Kvs[0].ModRevision)
	wrote, err := w.client.Txn(ctx).If(same).Then(clientv3.OpPut(key, w.row())).Commit()
	return err, err == nil && !wrote.Succeeded
}

type options struct {
	threads         int
	seconds, warmup float64
	seed            int64
}

func runShape(name string, clients []*clientv3.Client, d *data, zipf *zipfian, o options) map[string]any {
	s := shapes[name]
	threads := o.threads
	if s.alone {
		threads = 1
	}
	var measures, ends atomic.Bool
	var mutex sync.Mutex
	var durations []float64 // microseconds
	conflicts, failures, firstError := 0, 0, ""
	var group sync.WaitGroup
	for index := 0; index < threads; index++ {
		group.Add(1)
		go func(index int) {
			defer group.Done()
			w := &worker{clients[index%len(clients)], s, d, zipf,
				rand.New(rand.NewSource(o.seed*1000 + int64(index))), make([]byte, d.valueSize)}
			w.random.Read(w.value)
			var mine []float64
			lost, failed, why := 0, 0, ""
			for !ends.Load() {
				begin := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				err, conflict := w.run(ctx)
				cancel()
				duration := time.Since(begin)
				if !measures.Load() {
					continue
				}
				if err != nil {
					failed++
					why = err.Error()
				} else if conflict {
					lost++
				} else {
					mine = append(mine, float64(duration.Nanoseconds())/1000)
				}
			}
			mutex.Lock()
			defer mutex.Unlock()
			durations = append(durations, mine...)
			conflicts += lost
			failures += failed
			if firstError == "" {
				firstError = why
			}
		}(index)
	}
	time.Sleep(time.Duration(o.warmup * float64(time.Second)))
	measures.Store(true)
	begin := time.Now()
	time.Sleep(time.Duration(o.seconds * float64(time.Second)))
	measures.Store(false)
	elapsed := time.Since(begin).Seconds()
	ends.Store(true)
	group.Wait()
	return report(name, threads, elapsed, durations, conflicts, failures, firstError)
}

func report(name string, threads int, elapsed float64, durations []float64, conflicts, failures int,
	firstError string) map[string]any {
	sort.Float64s(durations)
	sum := 0.0
	for _, one := range durations {
		sum += one
	}
	at := func(fraction float64) float64 {
		if len(durations) == 0 {
			return 0
		}
		return durations[min(int(fraction*float64(len(durations))), len(durations)-1)]
	}
	return map[string]any{
		"shape": name, "threads": threads, "seconds": elapsed, "operations": len(durations),
		"per_second": float64(len(durations)) / elapsed,
		"mean_us":    sum / math.Max(1, float64(len(durations))), "p50_us": at(0.5), "p90_us": at(0.9),
		"p99_us": at(0.99), "p999_us": at(0.999), "max_us": at(1), "conflicts": conflicts,
		"unknown": 0, "errors": failures, "first_error": firstError,
	}
}

func load(clients []*clientv3.Client, d *data) error {
	const batch = 100 // operations of one transaction, at most 128 by default
	w := &worker{data: d, random: rand.New(rand.NewSource(1)), value: make([]byte, d.valueSize)}
	for row := uint64(0); row < d.rows; row += batch {
		var puts []clientv3.Op
		for next := row; next < min(row+batch, d.rows); next++ {
			puts = append(puts, clientv3.OpPut(d.key(next), w.row()))
		}
		if _, err := clients[0].Txn(context.Background()).Then(puts...).Commit(); err != nil {
			return err
		}
	}
	return nil
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd_driver:", err)
		os.Exit(1)
	}
}

func main() {
	nodes := flag.String("nodes", "127.0.0.1:2379", "where members are, separated by commas")
	names := flag.String("shape", "put1,put,get,txn", "shapes, separated by commas")
	var o options
	d := &data{}
	flag.IntVar(&o.threads, "threads", 16, "requests at a time")
	flag.Float64Var(&o.seconds, "seconds", 5, "of each shape")
	flag.Float64Var(&o.warmup, "warmup", 0.5, "seconds before it counts")
	flag.Int64Var(&o.seed, "seed", 1, "of keys and values")
	flag.Uint64Var(&d.rows, "rows", 10000, "loaded before")
	flag.IntVar(&d.valueSize, "value-size", 256, "bytes of a value")
	flag.Parse()
	d.prefix = fmt.Sprintf("%08x-", uint32(time.Now().UnixNano()))
	var clients []*clientv3.Client
	for _, node := range strings.Split(*nodes, ",") {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{node}, DialTimeout: 5 * time.Second})
		fail(err)
		defer client.Close()
		clients = append(clients, client)
	}
	fail(load(clients, d))
	zipf := newZipfian(max(d.rows, 2))
	output := json.NewEncoder(os.Stdout)
	for _, name := range strings.Split(*names, ",") {
		if _, found := shapes[name]; !found {
			fail(fmt.Errorf("there is no shape %q", name))
		}
		fail(output.Encode(runShape(name, clients, d, zipf, o)))
	}
}
