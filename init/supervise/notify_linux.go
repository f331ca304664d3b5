package supervise

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// HealthKey is the sd_notify(3) variable by which a service reports health: empty is good, else what is wrong.
const HealthKey = "X_MANOFWAR_HEALTH"

// maxNotify bounds one message.
const maxNotify = 4096

// notifySocket receives a service's sd_notify(3) messages: datagrams of "KEY=value" lines. It belongs to the service's
// user and lets nobody else write, so that one service cannot speak for another.
type notifySocket struct {
	conn *net.UnixConn
	path string
}

func listenNotify(path string, uid int) (*notifySocket, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("notify socket: %w", err)
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("notify socket: %w", err)
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.Chown(path, uid, -1)); err != nil {
		return nil, errors.Join(fmt.Errorf("notify socket: %w", err), conn.Close())
	}
	return &notifySocket{conn: conn, path: path}, nil
}

// receive passes messages on to run until [notifySocket.finish], and then those that are still waiting: what a service
// says last counts.
func (n *notifySocket) receive(run Report) {
	buf := make([]byte, maxNotify)
	for {
		size, err := n.conn.Read(buf)
		if err != nil {
			break // by finish: reading a bound datagram socket fails for no other reason
		}
		parseNotify(string(buf[:size]), run)
	}
	raw, err := n.conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // it only fails on a socket that is closed
		for {
			size, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			parseNotify(string(buf[:size]), run)
		}
	})
}

// finish ends receive. Whoever could send has ended.
func (n *notifySocket) finish() { _ = n.conn.SetReadDeadline(time.Unix(1, 0)) }

// parseNotify acts on the variables it knows and ignores the others, as sd_notify(3) asks.
func parseNotify(message string, run Report) {
	for line := range strings.Lines(message) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch {
		case key == "READY" && value == "1":
			run.Ready()
		case key == HealthKey && value == "":
			run.Healthy(nil)
		case key == HealthKey:
			run.Healthy(errors.New(strings.ToValidUTF8(value, "\uFFFD")))
		}
	}
}

func (n *notifySocket) close() {
	_ = n.conn.Close()    // nothing is buffered that could be lost
	_ = os.Remove(n.path) // Go does so for stream sockets only
}
