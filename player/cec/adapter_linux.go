package cec

import (
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// adapter is one socket's wire: an open /dev/cec. One descriptor hears and answers without waiting, the other says what we
// want and waits until it was said.
type adapter struct {
	node  string
	log   *slog.Logger
	keys  func([]Key)
	hear  int
	talk  int
	ended int            // an eventfd that ends run
	users sync.WaitGroup // of talk

	mu      sync.Mutex // guards what follows
	name    string     // of ours
	claimed bool       // we have said what we are
	device  device
}

var errNoRemote = errors.New("the adapter leaves CEC to somebody else, or is a television's")

// openAdapter opens an adapter, whether or not something is plugged in.
func openAdapter(node, name string, log *slog.Logger, keys func([]Key)) (*adapter, error) {
	a := &adapter{node: node, log: log, keys: keys, hear: -1, talk: -1, ended: -1, name: name, device: newDevice()}
	if err := a.open(); err != nil {
		a.close()
		return nil, fmt.Errorf("%s: %w", node, err)
	}
	return a, nil
}

func (a *adapter) open() (err error) {
	if a.hear, err = unix.Open(a.node, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err != nil {
		return err
	}
	if a.talk, err = unix.Open(a.node, unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		return err
	}
	if a.ended, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return err
	}
	var can caps
	if err := ioctl(a.hear, getCaps, unsafe.Pointer(&can)); err != nil {
		return err
	}
	if can.capabilities&capLogAddrs == 0 || can.capabilities&capTransmit == 0 {
		return errNoRemote
	}
	mode := uint32(initiatorAndFollower)
	if err := ioctl(a.hear, setMode, unsafe.Pointer(&mode)); err != nil {
		return fmt.Errorf("mode: %w", err)
	}
	return nil
}

// rename has the television call us something else.
func (a *adapter) rename(name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.name = name
	if !a.claimed {
		return nil
	}
	return a.claim()
}

// claim says that we are a player of our name. The kernel takes a logical address, now and whenever something is plugged in.
func (a *adapter) claim() error {
	var none logAddrs // what another process, or we before a restart, may have said
	if err := ioctl(a.hear, setLogAddrs, unsafe.Pointer(&none)); err != nil {
		return fmt.Errorf("give up the address: %w", err)
	}
	us := logAddrs{version: version14, vendor: noVendor, count: 1}
	copy(us.osdName[:len(us.osdName)-1], osdName(a.name))
	us.primaryType[0], us.addrType[0], us.allTypes[0] = primaryPlayback, addrPlayback, allPlayback
	if err := ioctl(a.hear, setLogAddrs, unsafe.Pointer(&us)); err != nil {
		return fmt.Errorf("claim an address: %w", err)
	}
	a.claimed = true
	return nil
}

// close gives the descriptors back. Nothing may use them any more.
func (a *adapter) close() {
	for _, fd := range []int{a.hear, a.talk, a.ended} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// lose ends whatever still speaks on an adapter that is gone, and gives it back.
func (a *adapter) lose() {
	a.mu.Lock()
	a.device = newDevice()
	a.mu.Unlock()
	a.users.Wait()
	a.close()
}

// stop ends run.
func (a *adapter) stop() {
	_, _ = unix.Write(a.ended, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // cannot fail: the counter is far from full
}

// run hears and answers, until stop or until the adapter is gone. What changes in the addresses is told apart from messages
// (POLLPRI), which the runtime's poller does not know of: so this waits by itself.
func (a *adapter) run() error {
	fds := []unix.PollFd{{Fd: int32(a.hear), Events: unix.POLLIN | unix.POLLPRI}, {Fd: int32(a.ended), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil {
			return fmt.Errorf("poll: %w", err)
		}
		if fds[1].Revents != 0 {
			return nil
		}
		if fds[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
			return unix.ENODEV
		}
		if err := errors.Join(a.takeEvents(), a.takeMessages()); err != nil {
			return err
		}
	}
}

// takeEvents reads what has changed.
func (a *adapter) takeEvents() error {
	for {
		var ev event
		err := ioctl(a.hear, takeEvent, unsafe.Pointer(&ev))
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("event: %w", err)
		}
		if ev.kind != stateChanged {
			continue
		}
		if err := a.moved(ev); err != nil {
			return err
		}
	}
}

// moved notes new addresses, of which the kernel also tells at the start. Once something is plugged in we say what we are,
// unless it turns out to be the end of the cable at which televisions are.
func (a *adapter) moved(ev event) error {
	self := unregistered
	if ev.mask != 0 {
		self = address(bits.TrailingZeros16(ev.mask))
	}
	a.log.Debug("addresses on the HDMI bus", "adapter", a.node, "logical", self, "physical", fmt.Sprintf("%04x", ev.path))
	a.mu.Lock()
	defer a.mu.Unlock()
	if ev.path == root {
		return errNoRemote
	}
	if ev.path != nowhere && !a.claimed {
		self = unregistered                                              // what is claimed is somebody else's
		if err := a.claim(); err != nil && !errors.Is(err, unix.EBUSY) { // who is busy will have something to tell soon
			return err
		}
	}
	a.device.moved(self, ev.path)
	return nil
}

// takeMessages reads and answers what was said.
func (a *adapter) takeMessages() error {
	for {
		var b busMessage
		err := ioctl(a.hear, receive, unsafe.Pointer(&b))
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		if b.sequence != 0 { // what became of one of our own
			continue
		}
		m, ok := parseMessage(b.data[:min(b.length, maxMessage)])
		if !ok {
			continue
		}
		a.mu.Lock()
		answers, pressed := a.device.handle(m)
		a.mu.Unlock()
		for _, answer := range answers {
			if err := a.transmit(a.hear, &busMessage{}, answer); err != nil {
				a.log.Debug("HDMI message not answered", "adapter", a.node, "opcode", m.op, "err", err)
			}
		}
		a.keys(pressed)
	}
}

// transmit sends a message. On a descriptor that waits, b then has what became of it.
func (a *adapter) transmit(fd int, b *busMessage, m message) error {
	b.length = uint32(copy(b.data[:], m.bytes()))
	return ioctl(fd, transmit, unsafe.Pointer(b))
}

var errUnheard = errors.New("nobody takes the message")

// send implements [bus].
func (a *adapter) send(m message) error {
	var b busMessage
	if err := a.transmit(a.talk, &b, m); err != nil {
		return fmt.Errorf("transmit: %w", err)
	}
	if b.txStatus&statusOK == 0 {
		return errUnheard
	}
	if m.op == activeSource {
		a.mu.Lock()
		a.device.active = a.device.self == m.from
		a.mu.Unlock()
	}
	return nil
}

// ask implements [bus].
func (a *adapter) ask(m message, answer opcode) (message, error) {
	b := busMessage{reply: byte(answer)}
	if err := a.transmit(a.talk, &b, m); err != nil {
		return message{}, fmt.Errorf("transmit: %w", err)
	}
	if b.rxStatus&statusOK == 0 || b.rxStatus&statusAborted != 0 {
		return message{}, errUnheard
	}
	got, ok := parseMessage(b.data[:min(b.length, maxMessage)])
	if !ok || got.op != answer {
		return message{}, errUnheard
	}
	return got, nil
}

// state returns what we are on this bus.
func (a *adapter) state() device {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.device
}
