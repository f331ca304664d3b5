package nl80211

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// message is a request of generic netlink (linux/netlink.h, linux/genetlink.h).
type message struct {
	family     uint16
	command    uint8
	flags      uint16
	attributes encoder
}

const (
	headerSize        = unix.NLMSG_HDRLEN // of netlink
	genericHeaderSize = 4                 // of generic netlink, after it
)

func (m message) encode(sequence uint32) []byte {
	size := headerSize + genericHeaderSize + len(m.attributes)
	b := make([]byte, 0, size)
	b = binary.NativeEndian.AppendUint32(b, uint32(size))
	b = binary.NativeEndian.AppendUint16(b, m.family)
	b = binary.NativeEndian.AppendUint16(b, m.flags|unix.NLM_F_REQUEST)
	b = binary.NativeEndian.AppendUint32(b, sequence)
	b = binary.NativeEndian.AppendUint32(b, 0) // from: the kernel fills it in
	b = append(b, m.command, 0, 0, 0)
	return append(b, m.attributes...)
}

// call is a request under way.
type call struct {
	answers [][]byte
	size    int // of the answers, in bytes
	err     error
	done    chan struct{}
}

// maxAnswers bounds what one request may be answered with, in bytes.
const maxAnswers = 8 << 20

// Errors of the socket itself.
var (
	errMalformed = errors.New("malformed answer")
	errTooMuch   = errors.New("answer is too long")
	// errOverrun says that the kernel threw away messages, because the reader did not keep up.
	errOverrun = errors.New("messages were lost")
	errChanged = errors.New("the list changed while it was read")
)

// Error is what the kernel answers to a request that it refuses. It unwraps to the [unix.Errno].
type Error struct {
	Errno   unix.Errno
	Message string // the kernel's own words; empty: none
}

func (e *Error) Error() string {
	if e.Message != "" {
		return fmt.Sprintf("%s (%s)", e.Message, e.Errno)
	}
	return e.Errno.Error()
}

func (e *Error) Unwrap() error { return e.Errno }

// call sends a message and waits for all answers to it.
func (c *Conn) call(ctx context.Context, m message) ([][]byte, error) {
	w := &call{done: make(chan struct{})}
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return nil, c.err
	}
	if c.sequence++; c.sequence == 0 { // which events have
		c.sequence++
	}
	sequence := c.sequence
	c.pending[sequence] = w
	c.mu.Unlock()
	if err := c.send(m.encode(sequence)); err != nil {
		c.forget(sequence)
		return nil, err
	}
	select {
	case <-w.done:
		return w.answers, w.err
	case <-ctx.Done():
		c.forget(sequence)
		return nil, ctx.Err()
	}
}

func (c *Conn) forget(sequence uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, sequence)
}

func (c *Conn) send(b []byte) error {
	var err error
	if waitErr := c.raw.Write(func(fd uintptr) bool {
		_, err = unix.Write(int(fd), b)
		return err != unix.EAGAIN && err != unix.EINTR
	}); waitErr != nil {
		return os.ErrClosed // package poll has an error of its own for that
	}
	if err != nil {
		return os.NewSyscallError("send", err)
	}
	return nil
}

// datagram is the longest that the kernel makes for a dump, in bytes.
const datagram = 32 << 10

// read takes in answers and events until the socket is closed.
func (c *Conn) read() {
	defer close(c.done)
	buf := make([]byte, datagram)
	for {
		n, err := c.receive(buf)
		switch {
		case errors.Is(err, unix.EINVAL): // of a kernel that a dump ended in while it looked for more of it: nothing is lost
		case errors.Is(err, unix.ENOBUFS):
			c.overrun()
		case err != nil:
			c.end(err)
			return
		case n > len(buf): // no kernel does that to this socket: it would have had to fit the last buffer
			c.overrun()
		default:
			c.take(buf[:n])
		}
	}
}

// receive returns the length of the next datagram of the kernel, even where it is longer than buf.
func (c *Conn) receive(buf []byte) (int, error) {
	for {
		var (
			n    int
			from unix.Sockaddr
			err  error
		)
		if waitErr := c.raw.Read(func(fd uintptr) bool {
			n, from, err = unix.Recvfrom(int(fd), buf, unix.MSG_TRUNC)
			return err != unix.EAGAIN && err != unix.EINTR
		}); waitErr != nil {
			return 0, os.ErrClosed
		}
		if err != nil {
			return 0, os.NewSyscallError("receive", err)
		}
		if nl, ok := from.(*unix.SockaddrNetlink); ok && nl.Pid != 0 {
			continue // another process sent it
		}
		return n, nil
	}
}

// take reads the messages of a datagram.
func (c *Conn) take(b []byte) {
	for len(b) >= headerSize {
		size := int(binary.NativeEndian.Uint32(b))
		if size < headerSize || size > len(b) {
			return
		}
		kind, sequence := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint32(b[8:])
		c.dispatch(kind, binary.NativeEndian.Uint16(b[6:]), sequence, b[headerSize:size])
		b = b[min(align(size), len(b)):]
	}
}

// dispatch gives a message to the request it answers, or to those who listen to events.
func (c *Conn) dispatch(kind, flags uint16, sequence uint32, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.pending[sequence]
	if w == nil {
		if kind == c.family && sequence == 0 && len(body) >= genericHeaderSize {
			c.tell(body[0], body[genericHeaderSize:])
		}
		return
	}
	if flags&unix.NLM_F_DUMP_INTR != 0 {
		w.err = errChanged
	}
	switch {
	case kind == unix.NLMSG_ERROR || kind == unix.NLMSG_DONE:
		if err := result(flags, body); err != nil {
			w.err = err
		}
		delete(c.pending, sequence)
		close(w.done)
	case len(body) < genericHeaderSize:
	case w.size+len(body) > maxAnswers:
		w.err = errTooMuch
	default:
		w.size += len(body)
		w.answers = append(w.answers, append([]byte(nil), body[genericHeaderSize:]...))
	}
}

// flagTLVs says that attributes follow in an acknowledgement (NLM_F_ACK_TLVS).
const flagTLVs = unix.NLM_F_ACK_TLVS

// result reads how a request went.
func result(flags uint16, body []byte) error {
	if len(body) < 4 {
		return nil // the end of a dump, from old kernels
	}
	errno := -int32(binary.NativeEndian.Uint32(body))
	if errno <= 0 {
		return nil
	}
	e := &Error{Errno: unix.Errno(errno)}
	if after := 4 + headerSize; flags&flagTLVs != 0 && len(body) >= after {
		e.Message = parse(body[after:]).text(unix.NLMSGERR_ATTR_MSG)
	}
	return e
}

// overrun fails whatever may have lost its answer, and lets listeners know.
func (c *Conn) overrun() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(errOverrun)
	for l := range c.listeners {
		l.give(Overrun{})
	}
}

func (c *Conn) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	c.fail(err)
	for l := range c.listeners {
		delete(c.listeners, l)
		close(l.events)
	}
}

// fail ends all requests. The lock is the caller's.
func (c *Conn) fail(err error) {
	for sequence, w := range c.pending {
		w.err = err
		delete(c.pending, sequence)
		close(w.done)
	}
}
