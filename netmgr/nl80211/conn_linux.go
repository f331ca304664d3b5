package nl80211

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Group is a set of events that a [Conn] can ask for.
type Group string

// The groups.
const (
	GroupConfig     Group = unix.NL80211_MULTICAST_GROUP_CONFIG // radios and interfaces come and go
	GroupScan       Group = unix.NL80211_MULTICAST_GROUP_SCAN
	GroupMLME       Group = unix.NL80211_MULTICAST_GROUP_MLME // authentication, association, stations, channels
	GroupRegulatory Group = unix.NL80211_MULTICAST_GROUP_REG
)

// Conn is a socket to nl80211. It is safe for concurrent use. What it owns in the kernel, as an access point's interface
// or an association made with it, ends with it, however the process ends.
type Conn struct {
	file   *os.File
	raw    syscall.RawConn
	family uint16
	done   chan struct{} // closed when the reader has ended

	mu        sync.Mutex // guards what follows
	sequence  uint32
	pending   map[uint32]*call
	listeners map[*Listener]struct{}
	err       error // why the reader ended
}

// Dial opens a socket that hears the events of some groups. Those that concern only whoever asked for them, as received
// frames, are heard without any.
func Dial(groups ...Group) (*Conn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_GENERIC)
	if err != nil {
		return nil, fmt.Errorf("nl80211: socket: %w", err)
	}
	if err := setup(fd); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("nl80211: socket: %w", err)
	}
	c, err := newConn(fd)
	if err != nil {
		return nil, err
	}
	if err := c.join(groups); err != nil {
		return nil, errors.Join(fmt.Errorf("nl80211: %w", err), c.Close())
	}
	return c, nil
}

// Over returns a connection over a socket that is open already, and owns it. It is for tests, whose kernel is at the other
// end; see package nl80211test.
func Over(fd int) (*Conn, error) {
	c, err := newConn(fd)
	if err != nil {
		return nil, err
	}
	if err := c.join(nil); err != nil {
		return nil, errors.Join(fmt.Errorf("nl80211: %w", err), c.Close())
	}
	return c, nil
}

// receiveBuffer holds a burst of events, in bytes: the answers to a scan of a crowded house come on the same socket.
const receiveBuffer = 1 << 20

func setup(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer); err != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer); err != nil {
			return err
		}
	}
	for _, option := range []int{unix.NETLINK_EXT_ACK, unix.NETLINK_CAP_ACK} {
		if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, option, 1); err != nil {
			return err
		}
	}
	return unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

func newConn(fd int) (*Conn, error) {
	c := &Conn{
		file: os.NewFile(uintptr(fd), "nl80211"), done: make(chan struct{}),
		pending: make(map[uint32]*call), listeners: make(map[*Listener]struct{}),
	}
	var err error
	if c.raw, err = c.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, c.file.Close())
	}
	go c.read()
	return c, nil
}

// join finds the family, whose number every boot gives anew, and its groups.
func (c *Conn) join(groups []Group) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var a encoder
	a.text(unix.CTRL_ATTR_FAMILY_NAME, unix.NL80211_GENL_NAME)
	answers, err := c.call(ctx, message{family: unix.GENL_ID_CTRL, command: unix.CTRL_CMD_GETFAMILY, flags: unix.NLM_F_ACK, attributes: a})
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("this kernel has no WiFi (cfg80211): %w", err)
	case err != nil:
		return fmt.Errorf("find the family: %w", err)
	case len(answers) == 0:
		return fmt.Errorf("find the family: %w", errMalformed)
	}
	family := parse(answers[0])
	c.family = family.u16(unix.CTRL_ATTR_FAMILY_ID)
	numbers := make(map[Group]int)
	for _, b := range list(family[unix.CTRL_ATTR_MCAST_GROUPS]) {
		g := parse(b)
		numbers[Group(g.text(unix.CTRL_ATTR_MCAST_GRP_NAME))] = int(g.u32(unix.CTRL_ATTR_MCAST_GRP_ID))
	}
	for _, g := range groups {
		if err := c.setOption(unix.NETLINK_ADD_MEMBERSHIP, numbers[g]); err != nil {
			return fmt.Errorf("join the group %s: %w", g, err)
		}
	}
	return nil
}

func (c *Conn) setOption(option, value int) error {
	var err error
	if controlErr := c.raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_NETLINK, option, value)
	}); controlErr != nil {
		return controlErr
	}
	return err
}

// Close ends the socket and waits for its reader. Requests under way fail, listeners are closed.
func (c *Conn) Close() error {
	err := c.file.Close()
	<-c.done
	return err
}

// patience is how long the kernel may take to answer. It answers before the request returns, but for dumps.
const patience = 10 * time.Second

// do sends a request that is answered by success or failure only.
func (c *Conn) do(ctx context.Context, name string, command uint8, a encoder) error {
	_, err := c.ask(ctx, name, message{command: command, flags: unix.NLM_F_ACK, attributes: a})
	return err
}

// get sends a request and returns its one answer.
func (c *Conn) get(ctx context.Context, name string, command uint8, a encoder) (attributes, error) {
	answers, err := c.ask(ctx, name, message{command: command, flags: unix.NLM_F_ACK, attributes: a})
	if err != nil {
		return nil, err
	}
	if len(answers) == 0 {
		return nil, fmt.Errorf("nl80211: %s: no answer: %w", name, errMalformed)
	}
	return parse(answers[0]), nil
}

// dump sends a request for a list and returns the encoded attributes of each of its parts.
func (c *Conn) dump(ctx context.Context, name string, command uint8, a encoder) ([][]byte, error) {
	return c.ask(ctx, name, message{command: command, flags: unix.NLM_F_DUMP, attributes: a})
}

func (c *Conn) ask(ctx context.Context, name string, m message) ([][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m.family = c.family
	answers, err := c.call(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("nl80211: %s: %w", name, err)
	}
	return answers, nil
}
