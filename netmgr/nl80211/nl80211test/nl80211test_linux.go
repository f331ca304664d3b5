// Package nl80211test stands in for the kernel's WiFi in tests: what requests are answered with, and which events there are, is a
// test's to say. With it runs what no simulated radio does, as firmware that makes the keys by itself.
//
// Messages are those of generic netlink, over a pair of sockets (linux/netlink.h, linux/genetlink.h).
package nl80211test

import (
	"encoding/binary"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/nl80211"
)

// Attribute is one attribute of a message.
type Attribute struct {
	Kind uint16
	Data []byte
}

// The attributes of most messages.

// U16 returns an attribute with a number of 16 bits.
func U16(kind, v uint16) Attribute {
	return Attribute{kind, binary.NativeEndian.AppendUint16(nil, v)}
}

// U32 returns an attribute with a number of 32 bits.
func U32(kind uint16, v uint32) Attribute {
	return Attribute{kind, binary.NativeEndian.AppendUint32(nil, v)}
}

// Nest returns an attribute of attributes.
func Nest(kind uint16, inner ...Attribute) Attribute {
	return Attribute{kind | unix.NLA_F_NESTED, Encode(inner...)}
}

// Encode returns the encoding of attributes.
func Encode(list ...Attribute) []byte {
	var b []byte
	for _, a := range list {
		b = binary.NativeEndian.AppendUint16(b, uint16(4+len(a.Data)))
		b = binary.NativeEndian.AppendUint16(b, a.Kind)
		b = append(b, a.Data...)
		b = append(b, make([]byte, -len(b)&3)...)
	}
	return b
}

// Request is what the kernel was asked.
type Request struct {
	Command    uint8
	Dump       bool
	Attributes map[uint16][]byte
}

// U32 returns a number among the attributes; 0: there is none.
func (r Request) U32(kind uint16) uint32 {
	if b := r.Attributes[kind]; len(b) == 4 {
		return binary.NativeEndian.Uint32(b)
	}
	return 0
}

// Answer is what the kernel says to a request: messages of encoded attributes, or an error.
type Answer struct {
	Messages [][]byte
	Errno    unix.Errno
	Reason   string // with the error, in the kernel's words
}

// Kernel is what stands in for the kernel.
type Kernel struct {
	file    *os.File
	answer  func(*Kernel, Request) Answer
	running sync.WaitGroup

	state   sync.Mutex // held while requests are answered
	writing sync.Mutex
}

// Family is the number of nl80211 in this kernel.
const Family = 0x20

// New returns a kernel, and a connection to it. Requests are answered one after the other, by a goroutine of its own, in
// which events can be told too. Both end with the test.
func New(t *testing.T, answer func(*Kernel, Request) Answer) (*Kernel, *nl80211.Conn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	k := &Kernel{file: os.NewFile(uintptr(fds[1]), "kernel"), answer: answer}
	k.running.Go(k.run)
	c, err := nl80211.Over(fds[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close() // a test may have done so
		_ = k.file.Close()
		k.running.Wait()
	})
	return k, c
}

func (k *Kernel) run() {
	buf := make([]byte, 1<<16)
	for {
		n, err := k.file.Read(buf)
		if err != nil || n < 20 {
			return
		}
		k.take(buf[:n])
	}
}

// take answers one request: header of 16 bytes, header of generic netlink, attributes.
func (k *Kernel) take(b []byte) {
	sequence := binary.NativeEndian.Uint32(b[8:])
	if binary.NativeEndian.Uint16(b[4:]) == unix.GENL_ID_CTRL {
		k.send(unix.GENL_ID_CTRL, 0, sequence, 1, Encode(U16(unix.CTRL_ATTR_FAMILY_ID, Family)))
		k.finish(sequence, false, Answer{})
		return
	}
	r := Request{
		Command: b[16], Dump: binary.NativeEndian.Uint16(b[6:])&unix.NLM_F_DUMP == unix.NLM_F_DUMP,
		Attributes: Decode(append([]byte(nil), b[20:]...)),
	}
	var a Answer
	k.Do(func() { a = k.answer(k, r) })
	for _, m := range a.Messages {
		k.send(Family, unix.NLM_F_MULTI, sequence, r.Command, m)
	}
	k.finish(sequence, r.Dump, a)
}

// Do runs f while no request is answered, so that it may look at what the answers depend on.
func (k *Kernel) Do(f func()) {
	k.state.Lock()
	defer k.state.Unlock()
	f()
}

// Decode returns attributes by their kind.
func Decode(b []byte) map[uint16][]byte {
	out := make(map[uint16][]byte)
	for len(b) >= 4 {
		size := int(binary.NativeEndian.Uint16(b))
		if size < 4 || size > len(b) {
			break
		}
		out[binary.NativeEndian.Uint16(b[2:])&^unix.NLA_F_NESTED] = b[4:size]
		b = b[min((size+3)&^3, len(b)):]
	}
	return out
}

// Tell tells an event.
func (k *Kernel) Tell(command uint8, list ...Attribute) {
	k.send(Family, 0, 0, command, Encode(list...))
}

// Send sends what is not even a message.
func (k *Kernel) Send(b []byte) {
	k.writing.Lock()
	defer k.writing.Unlock()
	_, _ = k.file.Write(b) // the connection may be closed already
}

func (k *Kernel) send(kind, flags uint16, sequence uint32, command uint8, attributes []byte) {
	k.Send(message(kind, flags, sequence, append([]byte{command, 1, 0, 0}, attributes...)))
}

func (k *Kernel) finish(sequence uint32, dump bool, a Answer) {
	kind, flags := uint16(unix.NLMSG_ERROR), uint16(unix.NLM_F_CAPPED)
	if dump && a.Errno == 0 {
		kind = unix.NLMSG_DONE
	}
	body := binary.NativeEndian.AppendUint32(nil, uint32(-int32(a.Errno)))
	if kind == unix.NLMSG_ERROR {
		body = append(body, make([]byte, 16)...) // the request's header
	}
	if a.Reason != "" {
		flags |= unix.NLM_F_ACK_TLVS
		body = append(body, Encode(Attribute{unix.NLMSGERR_ATTR_MSG, append([]byte(a.Reason), 0)})...)
	}
	k.Send(message(kind, flags, sequence, body))
}

func message(kind, flags uint16, sequence uint32, body []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(16+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, sequence)
	b = binary.NativeEndian.AppendUint32(b, 0)
	return append(b, body...)
}
