package wpa

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// TestLossyAir runs handshakes and a group rekey over air that loses, doubles, delays and forges frames, with an attacker
// who repeats all that he has ever heard.
func TestLossyAir(t *testing.T) {
	authorized := 0
	const runs = 600
	for seed := range uint64(runs) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			akm := akms[seed%3]
			l := newLab(t, link(akm), link(akm))
			l.ap.do(l.auth.Start(time.Now()))
			air := air{lab: l, rand: r}
			for range 60 {
				air.tick()
				if r.IntN(20) == 0 {
					l.group.Rotate()
					l.ap.do(l.auth.Rekey(time.Now()))
				}
			}
			l.unique()
			if n := len(told[InstallPairwise](&l.ap)); n > 1 {
				t.Errorf("seed %d: the access point installed %d keys", seed, n)
			}
			if !l.auth.Authorized() || len(told[Deauth](&l.station)) > 0 {
				return // given up, after four losses in a row
			}
			authorized++
			air.calm = true
			for l.auth.Rekeying() {
				air.tick()
			}
			l.agree()
		})
	}
	t.Logf("%d of %d links came up", authorized, runs)
	if authorized < runs/2 {
		t.Errorf("only %d of %d links came up", authorized, runs)
	}
}

// air carries frames badly.
type air struct {
	*lab
	rand  *rand.Rand
	calm  bool
	heard [2][][]byte // what ever was on the air, to the station and to the access point
	late  [2][][]byte
}

// tick carries what is on the air, once; when nothing is, the access point's time is up.
func (a *air) tick() {
	deliver := [2]func([]byte) error{a.toStation, a.toAP}
	quiet := true
	for to, from := range []*side{&a.ap, &a.station} {
		frames := append(a.late[to], from.take()...)
		a.late[to] = nil
		a.rand.Shuffle(len(frames), func(i, j int) { frames[i], frames[j] = frames[j], frames[i] })
		for _, f := range frames {
			a.heard[to] = append(a.heard[to], f)
			quiet = false
			switch n := a.rand.IntN(10); {
			case a.calm:
				_ = deliver[to](f)
			case n < 2: // lost
			case n == 2:
				a.late[to] = append(a.late[to], f)
			case n == 3:
				_, _ = deliver[to](f), deliver[to](f)
			default:
				_ = deliver[to](f)
			}
		}
		if len(a.heard[to]) > 0 {
			old := bytes.Clone(a.heard[to][a.rand.IntN(len(a.heard[to]))])
			_ = deliver[to](old) // replayed
			if len(old) > 0 && !a.calm {
				old[4+a.rand.IntN(len(old)-4)] ^= 1 << a.rand.IntN(8)
				a.forge(deliver[to], old)
			}
		}
	}
	if quiet {
		a.expire()
	}
}

// forge delivers a changed frame. A first message is not authenticated: to see the rest, those are left to their own test.
func (a *air) forge(deliver func([]byte) error, packet []byte) {
	if f, err := ParseKeyFrame(packet); err != nil || f.Info&InfoMIC != 0 {
		_ = deliver(packet)
	}
}
