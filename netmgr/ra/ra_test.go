package ra

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

var (
	ours  = netip.MustParsePrefix("fd12:3456:789a::1/64")
	phone = netip.MustParseAddr("fe80::9")
)

// air is the [Conn] of a test.
type air struct {
	solicitations chan netip.Addr
	sent          chan sent
	fail          int // times
}

type sent struct {
	to netip.Addr
	at time.Time
}

func (a *air) Solicitations() <-chan netip.Addr { return a.solicitations }

func (a *air) Send(to netip.Addr, _ []byte) error {
	if a.fail > 0 {
		a.fail--
		return errors.New("no address yet")
	}
	a.sent <- sent{to, time.Now()}
	return nil
}

// TestPace advertises soon and then seldom, answers a neighbour at once, and everybody no more often than every 3 s.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		a := &air{solicitations: make(chan netip.Addr), sent: make(chan sent, 16), fail: 2}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		adv := Advertiser{Address: ours, Conn: a, Log: slog.New(slog.DiscardHandler)}
		go func() { adv.Run(ctx); close(ended) }()

		first := <-a.sent
		if first.to != AllNodes || first.at.Sub(began) != 2*failurePause {
			t.Errorf("first to %v after %v", first.to, first.at.Sub(began))
		}
		a.solicitations <- phone
		if s := <-a.sent; s.to != phone || s.at != first.at {
			t.Errorf("answer to %v after %v", s.to, s.at.Sub(first.at))
		}
		for range 5 {
			a.solicitations <- netip.IPv6Unspecified()
		}
		before := <-a.sent
		if before.to != AllNodes || before.at.Sub(first.at) != betweenAll {
			t.Errorf("answer to %v after %v", before.to, before.at.Sub(first.at))
		}
		for i := range 10 {
			s := <-a.sent
			gap := s.at.Sub(before.at)
			if i == 0 && gap != firstPause || i > 0 && (gap < minInterval || gap > maxInterval) {
				t.Errorf("advertisement %d after %v", i, gap)
			}
			before = s
		}
		cancel()
		<-ended
	})
}

// TestAdvertisement writes what RFC 4861 has.
func TestAdvertisement(t *testing.T) {
	a := Advertiser{Address: ours, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}}
	b := a.advertisement()
	if len(b) != 16+8+32+24 || len(b)%8 != 0 || b[0] != 134 || b[6] != 0 || b[7] != 0 {
		t.Errorf("advertisement %x", b)
	}
}

// TestSolicits takes valid solicitations only.
func TestSolicits(t *testing.T) {
	plain := []byte{133, 0, 0, 0, 0, 0, 0, 0}
	source := append(append([]byte(nil), plain...), 1, 1, 2, 0, 0, 0, 0, 9)
	for _, c := range []struct {
		name string
		from netip.Addr
		data []byte
		want bool
	}{
		{"plain", phone, plain, true},
		{"with its hardware address", phone, source, true},
		{"without an address", netip.IPv6Unspecified(), plain, true},
		{"both", netip.IPv6Unspecified(), source, false},
		{"from elsewhere", netip.MustParseAddr("2001:db8::1"), plain, false},
		{"short", phone, plain[:7], false},
		{"an advertisement", phone, append([]byte{134}, plain[1:]...), false},
		{"an option without length", phone, append(append([]byte(nil), plain...), 1, 0, 0, 0, 0, 0, 0, 0), false},
		{"an option cut short", phone, source[:12], false},
	} {
		if got := solicits(c.from, c.data); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestOwnAddress makes one network up and keeps it.
func TestOwnAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "network6")
	first, err := OwnAddress(path)
	if err != nil || first.Bits() != 64 || first.Addr().AsSlice()[0] != 0xfd || !first.Addr().IsPrivate() {
		t.Fatalf("%v, %v", first, err)
	}
	if again, err := OwnAddress(path); err != nil || again != first {
		t.Errorf("%v, was %v: %v", again, first, err)
	}
	if err := os.WriteFile(path, []byte("2001:db8::1/64"), 0o644); err != nil {
		t.Fatal(err)
	}
	if other, err := OwnAddress(path); err != nil || other == first || other.Addr().AsSlice()[0] != 0xfd {
		t.Errorf("%v, %v", other, err)
	}
	if _, err := OwnAddress(filepath.Join(path, "x")); err == nil {
		t.Error("no error without a directory")
	}
}

// FuzzSolicits reads whatever neighbours send.
func FuzzSolicits(f *testing.F) {
	f.Add([]byte{133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 9}, false)
	f.Fuzz(func(t *testing.T, b []byte, unspecified bool) {
		from := phone
		if unspecified {
			from = netip.IPv6Unspecified()
		}
		if solicits(from, b) && b[0] != 133 {
			t.Errorf("%x", b)
		}
	})
}
