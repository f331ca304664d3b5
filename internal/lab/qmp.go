package lab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// qmpEvent is an asynchronous message of QEMU, such as SHUTDOWN or DEVICE_DELETED.
type qmpEvent struct {
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

// qmpReply is any other message.
type qmpReply struct {
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Class string `json:"class"`
		Desc  string `json:"desc"`
	} `json:"error"`
	Greeting json.RawMessage `json:"QMP"`
}

// monitor speaks the QEMU Machine Protocol (QEMU's docs/interop/qmp-spec.rst) on one connection.
type monitor struct {
	conn    net.Conn
	calls   sync.Mutex // one command at a time
	replies chan qmpReply
	done    chan struct{} // closed when the connection has ended

	mu      sync.Mutex // guards all below
	events  []qmpEvent
	arrived chan struct{} // closed and replaced whenever an event arrives
}

// openMonitor takes over conn and negotiates.
func openMonitor(conn net.Conn) (*monitor, error) {
	m := &monitor{conn: conn, replies: make(chan qmpReply, 1), done: make(chan struct{}), arrived: make(chan struct{})}
	go m.read()
	if _, err := m.call("qmp_capabilities", nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return m, nil
}

func (m *monitor) read() {
	defer close(m.done)
	lines := bufio.NewScanner(m.conn)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var ev qmpEvent
		if json.Unmarshal(lines.Bytes(), &ev) == nil && ev.Event != "" {
			m.mu.Lock()
			m.events = append(m.events, ev)
			close(m.arrived)
			m.arrived = make(chan struct{})
			m.mu.Unlock()
			continue
		}
		var reply qmpReply
		if json.Unmarshal(lines.Bytes(), &reply) == nil && reply.Greeting == nil {
			m.replies <- reply
		}
	}
}

// call runs one command and returns what it returned.
func (m *monitor) call(command string, arguments any) (json.RawMessage, error) {
	m.calls.Lock()
	defer m.calls.Unlock()
	msg := map[string]any{"execute": command}
	if arguments != nil {
		msg["arguments"] = arguments
	}
	if err := json.NewEncoder(m.conn).Encode(msg); err != nil {
		return nil, fmt.Errorf("qmp %s: %w", command, err)
	}
	select {
	case reply := <-m.replies:
		if reply.Error != nil {
			return nil, fmt.Errorf("qmp %s: %s: %s", command, reply.Error.Class, reply.Error.Desc)
		}
		return reply.Return, nil
	case <-m.done:
		return nil, fmt.Errorf("qmp %s: QEMU has ended", command)
	case <-time.After(30 * time.Second):
		return nil, fmt.Errorf("qmp %s: no answer", command)
	}
}

// find returns the first event of that kind that ok accepts, and a channel that closes when more have arrived.
func (m *monitor) find(kind string, ok func(qmpEvent) bool) (qmpEvent, bool, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ev := range m.events {
		if ev.Event == kind && ok(ev) {
			return ev, true, nil
		}
	}
	return qmpEvent{}, false, m.arrived
}
