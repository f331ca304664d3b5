package arp

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	macA = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	macB = net.HardwareAddr{2, 0, 0, 0, 0, 2}
	ours = netip.MustParseAddr("192.0.2.9")
)

// ether is a link without a wire: what one host sends, all others get.
type ether struct {
	mu    sync.Mutex // guards hosts
	hosts []*fakeConn
	sent  []Packet
}

type fakeConn struct {
	ether   *ether
	packets chan Packet
}

func (e *ether) join() *fakeConn {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := &fakeConn{e, make(chan Packet, 64)}
	e.hosts = append(e.hosts, c)
	return c
}

func (c *fakeConn) Packets() <-chan Packet { return c.packets }

func (c *fakeConn) Broadcast(p Packet) error {
	c.ether.mu.Lock()
	defer c.ether.mu.Unlock()
	c.ether.sent = append(c.ether.sent, p)
	for _, h := range c.ether.hosts {
		if h != c {
			h.packets <- p
		}
	}
	return nil
}

// user answers for an address, as a host that has it does.
func (e *ether) user(ctx context.Context, mac net.HardwareAddr, a netip.Addr) {
	c := e.join()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case p := <-c.packets:
				if !p.Reply && p.TargetIP == a {
					_ = c.Broadcast(Packet{Reply: true, SenderMAC: mac, SenderIP: a, TargetMAC: p.SenderMAC, TargetIP: p.SenderIP})
				}
			}
		}
	}()
}

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		name  string
		inUse bool
		other func(context.Context, *ether)
		rival net.HardwareAddr
	}{
		{"free", false, func(context.Context, *ether) {}, nil},
		{"used", false, func(ctx context.Context, e *ether) { e.user(ctx, macB, ours) }, macB},
		{"our own echo", false, func(ctx context.Context, e *ether) { e.user(ctx, macA, ours) }, nil},
		{"probed by another", false, func(_ context.Context, e *ether) {
			_ = e.join().Broadcast(Packet{SenderMAC: macB, SenderIP: netip.IPv4Unspecified(), TargetIP: ours})
		}, macB},
		{"probed by another while in use", true, func(_ context.Context, e *ether) {
			_ = e.join().Broadcast(Packet{SenderMAC: macB, SenderIP: netip.IPv4Unspecified(), TargetIP: ours})
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, began := &ether{}, time.Now()
				claim := Claim{Conn: e.join(), MAC: macA, Address: ours, InUse: c.inUse}
				c.other(t.Context(), e)
				if rival := claim.Probe(t.Context()); !bytes.Equal(rival, c.rival) {
					t.Errorf("rival %v, want %v", rival, c.rival)
				}
				if took := time.Since(began); took > 1200*time.Millisecond {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// TestHold defends an address once in ten seconds, and gives it up when that was not enough.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &ether{}
		claim := Claim{Conn: e.join(), MAC: macA, Address: ours}
		rival := e.join()
		lost := make(chan net.HardwareAddr)
		go func() { lost <- claim.Hold(t.Context()) }()
		take := func() { _ = rival.Broadcast(Packet{SenderMAC: macB, SenderIP: ours, TargetIP: ours}) }
		pass(time.Minute)
		for range 3 {
			take()
			synctest.Wait()
			pass(defendInterval)
		}
		take()
		synctest.Wait()
		take()
		if got := <-lost; !bytes.Equal(got, macB) {
			t.Errorf("lost to %v", got)
		}
		synctest.Wait()
		defences := 0
		for _, p := range e.sent {
			if bytes.Equal(p.SenderMAC, macA) && p.SenderIP == ours {
				defences++
			}
		}
		if defences != announceNum+4 {
			t.Errorf("announced %d times", defences)
		}
	})
}

// TestSelfAssign gives the same card the same address, and another when that is used.
func TestSelfAssign(t *testing.T) {
	claim := func(t *testing.T, e *ether) netip.Prefix {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		told := make(chan netip.Prefix, 8)
		go SelfAssign(ctx, e.join(), macA, func(p netip.Prefix) { told <- p })
		select {
		case p := <-told:
			return p
		case <-ctx.Done():
			t.Fatal("no address within a minute")
			return netip.Prefix{}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		first, again := claim(t, &ether{}), claim(t, &ether{})
		if first != again || !first.Addr().IsLinkLocalUnicast() || first.Bits() != 16 {
			t.Errorf("claimed %v, then %v", first, again)
		}
		e := &ether{}
		e.user(t.Context(), macB, first.Addr())
		if other := claim(t, e); other == first {
			t.Errorf("claimed %v, which is used", other)
		}
	})
}

func TestParse(t *testing.T) {
	want := Packet{Reply: true, SenderMAC: macA, SenderIP: ours, TargetMAC: macB, TargetIP: netip.MustParseAddr("192.0.2.7")}
	data := want.Append(nil)
	got, err := Parse(append(data, make([]byte, 18)...)) // padded by Ethernet
	if err != nil || got.SenderIP != want.SenderIP || got.TargetIP != want.TargetIP || !got.Reply || !bytes.Equal(got.SenderMAC, macA) || !bytes.Equal(got.TargetMAC, macB) {
		t.Errorf("%+v, %v", got, err)
	}
	for at := range 8 {
		bad := bytes.Clone(data)
		bad[at] ^= 0x40
		if _, err := Parse(bad); !errors.Is(err, errMalformed) {
			t.Errorf("byte %d may be wrong: %v", at, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Packet{SenderMAC: macA, SenderIP: ours, TargetIP: ours}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			return
		}
		if got := p.Append(nil); !bytes.Equal(got, b[:size]) {
			t.Errorf("%x became %x", b[:size], got)
		}
	})
}

// pass lets time go by in a synctest bubble, and what it brings be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
