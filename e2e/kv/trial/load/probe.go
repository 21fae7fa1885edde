package load

import (
	"fmt"
	"sync"
	"time"

	"orochi.invalid/e2e/kv/trial/client"
)

// Outage is the longest time in which something could not be written.
type Outage struct {
	Key     string
	Seconds float64
	Node    int // that was asked last, and what it said
	Answer  string
}

const (
	probedKeys    = 8
	probePatience = time.Second
	probePause    = 100 * time.Millisecond
)

// Probe writes simple keys and records, which are in several partitions, at these nodes in turn, each key
// on its own, and says how long the longest outage of each was.
func Probe(nodes []client.Node, last time.Duration) []Outage {
	begun := time.Now()
	outages := make([]Outage, 2*probedKeys)
	var all sync.WaitGroup
	for index := range outages {
		index := index
		all.Add(1)
		go func() {
			defer all.Done()
			key := fmt.Sprintf("probe-%d", index)
			path, body := "/v1/api/keys/"+key, any("1")
			if index%2 == 0 {
				path, body = "/v1/write", any(put("record", key, 1))
			}
			outages[index] = probeOne(nodes, index, path, body, begun, last)
			outages[index].Key = path + " " + key
		}()
	}
	all.Wait()
	return outages
}

func probeOne(nodes []client.Node, turn int, path string, body any, begun time.Time, last time.Duration) Outage {
	var clients []*client.Client
	for _, node := range nodes {
		clients = append(clients, client.New(node))
	}
	var worst Outage
	good := begun
	for time.Since(begun) < last {
		turn++
		asked := clients[turn%len(clients)]
		answer := asked.Ask("POST", path, body, probePatience)
		if outage := time.Since(good).Seconds(); outage > worst.Seconds {
			worst = Outage{Seconds: outage, Node: asked.Node.Number, Answer: answer.String()}
		}
		if answer.Good() {
			good = time.Now()
			time.Sleep(probePause)
		} else {
			time.Sleep(probePause / 5)
		}
	}
	return worst
}
