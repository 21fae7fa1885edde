// Package client asks nodes over HTTP and says of each answer what it promises.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"orochi.invalid/e2e/kv/trial/history"
)

// Node is where a node answers: its number, HTTP address and network namespace ("" is our own).
type Node struct {
	Number    int
	Address   string
	Namespace string
}

// ParseNodes reads "1=127.0.0.1:8001,2=127.0.0.1:8001@/run/netns/n2".
func ParseNodes(text string) ([]Node, error) {
	var nodes []Node
	for _, part := range strings.Split(text, ",") {
		number, rest, found := strings.Cut(part, "=")
		value, err := strconv.Atoi(number)
		if !found || err != nil {
			return nil, fmt.Errorf("node %q: expected NUMBER=HOST:PORT[@NAMESPACE]", part)
		}
		address, namespace, _ := strings.Cut(rest, "@")
		nodes = append(nodes, Node{value, address, namespace})
	}
	return nodes, nil
}

const setnsSystemCall = 308 // x86-64; arm64 has 268

func setns(file *os.File) error {
	number := uintptr(setnsSystemCall)
	if runtime.GOARCH == "arm64" {
		number = 268
	}
	if _, _, errno := syscall.RawSyscall(number, file.Fd(), syscall.CLONE_NEWNET, 0); errno != 0 {
		return errno
	}
	return nil
}

// Within runs body on a thread that is in a network namespace; sockets made there stay there.
func Within(namespace string, body func() error) error {
	if namespace == "" {
		return body()
	}
	there, err := os.Open(namespace)
	if err != nil {
		return err
	}
	defer there.Close()
	runtime.LockOSThread()
	here, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", syscall.Gettid()))
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer here.Close()
	if err := setns(there); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	result := body()
	if err := setns(here); err == nil {
		runtime.UnlockOSThread() // else the thread ends with the goroutine
	}
	return result
}

// Client asks one node over connections of its own.
type Client struct {
	Node Node
	http *http.Client
}

var errNotSent = errors.New("not sent")

func New(node Node) *Client {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		var connection net.Conn
		err := Within(node.Namespace, func() error {
			var err error
			connection, err = (&net.Dialer{Timeout: 2 * time.Second, FallbackDelay: -1}).DialContext(ctx, network, address)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("%w: %v", errNotSent, err)
		}
		return connection, nil
	}
	return &Client{node, &http.Client{Transport: &http.Transport{
		DialContext: dial, MaxIdleConnsPerHost: 1, DisableCompression: true, IdleConnTimeout: 20 * time.Second}}}
}

// Answer is what came back. Status 0: nothing did.
type Answer struct {
	Status  int
	Code    string // of the body, or why there is none
	Body    []byte
	NotSent bool // nobody can have heard it
}

func (a Answer) String() string { return strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, a.Code)) }

// Good says that it was done.
func (a Answer) Good() bool { return a.Status >= 200 && a.Status < 300 }

// Outcome of a request that changes something, by what the guide promises of its status.
func (a Answer) Outcome() history.Outcome {
	switch {
	case a.Good():
		return history.OK
	case a.NotSent:
		return history.Fail
	case a.Status == 0, a.Status == http.StatusGatewayTimeout, a.Status == http.StatusInternalServerError:
		return history.Unknown
	default:
		return history.Fail
	}
}

func (a Answer) Into(value any) error {
	decoder := json.NewDecoder(bytes.NewReader(a.Body))
	decoder.UseNumber()
	return decoder.Decode(value)
}

// Ask sends one request. A string or []byte goes as it is, anything else as JSON.
func (c *Client) Ask(method, path string, body any, timeout time.Duration) Answer {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var reader io.Reader
	contentType := ""
	switch value := body.(type) {
	case nil:
		if method == http.MethodPost {
			reader = http.NoBody
		}
	case string:
		reader, contentType = strings.NewReader(value), "text/plain"
	default:
		encoded, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		reader, contentType = bytes.NewReader(encoded), "application/json"
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.Node.Address+path, reader)
	if err != nil {
		panic(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{Code: cause(err), NotSent: errors.Is(err, errNotSent)}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return Answer{Code: "body: " + cause(err)}
	}
	answer := Answer{Status: response.StatusCode, Body: content}
	if !answer.Good() {
		var problem struct{ Code string }
		if json.Unmarshal(content, &problem) == nil {
			answer.Code = problem.Code
		}
	}
	return answer
}

func cause(err error) string {
	var asURL *url.Error
	if errors.As(err, &asURL) {
		err = asURL.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}
