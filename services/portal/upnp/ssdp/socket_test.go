package ssdp

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/ipv4"
)

// broken is a socket on which nothing can be read for a while, then one message, and then nothing for ever.
type broken struct{ tries, until int }

func (b *broken) ReadFrom(buf []byte) (int, *ipv4.ControlMessage, net.Addr, error) {
	if b.tries++; b.tries == b.until {
		return copy(buf, "hello"), nil, &net.UDPAddr{IP: net.IPv4(192, 168, 1, 9), Port: 5}, nil
	}
	return 0, nil, nil, errors.New("no buffer space")
}

// TestErrorsThatStay are waited out, and do not keep the processor busy.
func TestErrorsThatStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &socket{packets: make(chan packet, 1)}
		in := &broken{until: 11}
		s.reading.Go(func() { s.read(ctx, in) })
		begun := time.Now()
		if p := <-s.packets; string(p.data) != "hello" || p.from.String() != "192.168.1.9:5" || time.Since(begun) != 10*readAgain {
			t.Errorf("%s from %v after %v", p.data, p.from, time.Since(begun))
		}
		cancel()
		s.reading.Wait()
		if in.tries > 12 {
			t.Errorf("read %d times", in.tries)
		}
	})
}
