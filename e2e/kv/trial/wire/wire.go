// Package wire carries packets between network namespaces, and loses, delays and repeats them.
//
// Each node's namespace has an interface whose other end is here. Rules are for one direction between
// two nodes, so a cut may be one-way. Nothing else has a way in or out.
package wire

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"orochi.invalid/e2e/kv/trial/client"
)

const (
	packetSizeMax  = 65536
	delayedMax     = 20000 // packets that wait; more are lost
	addressOfNode  = 19    // of an IPv4 header: the last byte of the destination
	ipv4HeaderSize = 20
)

// Rule for packets from one node to another. 0 stands for every node.
type Rule struct {
	From   int     `json:"from"`
	To     int     `json:"to"`
	Loss   float64 `json:"loss"` // 1: cut
	Delay  int     `json:"delay_ms"`
	Jitter int     `json:"jitter_ms"` // up to so much more, so that packets overtake each other
	Repeat float64 `json:"repeat"`
}

type direction struct{ from, to int }

type wire struct {
	mutex   sync.Mutex
	rules   map[direction]Rule
	random  *rand.Rand
	ends    map[int]*os.File
	waiting int
}

// Run: trial wire --seed S 1=/run/netns/n1 2=... ; rules as lines of JSON on its input, each list in
// place of the one before, answered with a line. Ends with its input.
func Run(arguments []string) error {
	flags := flag.NewFlagSet("wire", flag.ExitOnError)
	seed := flags.Int64("seed", 1, "of what is lost")
	_ = flags.Parse(arguments)
	w := &wire{rules: map[direction]Rule{}, random: rand.New(rand.NewSource(*seed)), ends: map[int]*os.File{}}
	for _, part := range flags.Args() {
		number, namespace, _ := strings.Cut(part, "=")
		node, err := strconv.Atoi(number)
		if err != nil {
			return fmt.Errorf("%q: expected NUMBER=NAMESPACE", part)
		}
		end, err := open(namespace)
		if err != nil {
			return fmt.Errorf("%s: %w", namespace, err)
		}
		w.ends[node] = end
	}
	for node := range w.ends {
		go w.carry(node)
	}
	fmt.Println("ready")
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		var rules []Rule
		if err := json.Unmarshal(input.Bytes(), &rules); err != nil {
			return err
		}
		w.set(rules)
		fmt.Println("done")
	}
	return nil
}

func (w *wire) set(rules []Rule) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.rules = map[direction]Rule{}
	for _, rule := range rules {
		for from := range w.ends {
			for to := range w.ends {
				if (rule.From == 0 || rule.From == from) && (rule.To == 0 || rule.To == to) {
					w.rules[direction{from, to}] = rule
				}
			}
		}
	}
}

func (w *wire) carry(from int) {
	packet := make([]byte, packetSizeMax)
	for {
		size, err := w.ends[from].Read(packet)
		if err != nil {
			return
		}
		if size < ipv4HeaderSize || packet[0]>>4 != 4 {
			continue
		}
		to := w.ends[int(packet[addressOfNode])]
		if to == nil {
			continue
		}
		times, delays := w.fate(direction{from, int(packet[addressOfNode])})
		for index := 0; index < times; index++ {
			if delays[index] == 0 {
				_, _ = to.Write(packet[:size])
				continue
			}
			late := append([]byte{}, packet[:size]...)
			time.AfterFunc(delays[index], func() {
				_, _ = to.Write(late)
				w.mutex.Lock()
				w.waiting--
				w.mutex.Unlock()
			})
		}
	}
}

// fate says how often a packet arrives, and how late each time.
func (w *wire) fate(at direction) (int, [2]time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	rule, ruled := w.rules[at]
	var delays [2]time.Duration
	if !ruled {
		return 1, delays
	}
	if rule.Loss > 0 && w.random.Float64() < rule.Loss {
		return 0, delays
	}
	times := 1
	if rule.Repeat > 0 && w.random.Float64() < rule.Repeat {
		times = 2
	}
	for index := 0; index < times; index++ {
		delays[index] = time.Duration(rule.Delay) * time.Millisecond
		if rule.Jitter > 0 {
			delays[index] += time.Duration(w.random.Int63n(int64(rule.Jitter)*1000)) * time.Microsecond
		}
		if delays[index] > 0 {
			if w.waiting >= delayedMax {
				return index, delays
			}
			w.waiting++
		}
	}
	return times, delays
}

// open makes the interface "wire" in a namespace.
func open(namespace string) (*os.File, error) {
	const (
		tunSetInterface = 0x400454ca
		flagTun         = 0x0001
		flagNoInfo      = 0x1000
	)
	var request struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], "wire")
	request.flags = flagTun | flagNoInfo
	var end *os.File
	err := client.Within(namespace, func() error {
		descriptor, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(descriptor), tunSetInterface, uintptr(unsafe.Pointer(&request)))
		if errno != 0 {
			return errno
		}
		if err := syscall.SetNonblock(descriptor, true); err != nil {
			return err
		}
		end = os.NewFile(uintptr(descriptor), "/dev/net/tun")
		return nil
	})
	return end, err
}
