package wpa

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/netmgr/ieee80211"
)

// link returns one with an AKM, and protected management frames where that is not plain WPA2.
func link(akm ieee80211.Suite) Link {
	r := ieee80211.RSN{Group: ieee80211.CipherCCMP, Pairwise: []ieee80211.Suite{ieee80211.CipherCCMP}, AKMs: []ieee80211.Suite{akm}}
	if akm != ieee80211.AKMPSK {
		r.Capabilities = ieee80211.MFPCapable
	}
	own := r.Element().Append(nil)
	offered := r
	offered.AKMs = []ieee80211.Suite{ieee80211.AKMPSK, ieee80211.AKMPSKSHA256, ieee80211.AKMSAE}
	offered.Capabilities = ieee80211.MFPCapable
	theirs := offered.Element().Append(nil)
	if akm == ieee80211.AKMSAE {
		own = ieee80211.RSNXHashToElement.Element().Append(own)
		theirs = ieee80211.RSNXHashToElement.Element().Append(theirs)
	}
	return Link{
		AccessPoint: ieee80211.MAC{2, 0, 0, 0, 0, 1}, Station: ieee80211.MAC{2, 0, 0, 0, 0, 2},
		AKM: akm, PMK: bytes.Repeat([]byte{7}, PMKSize), AccessPointElements: theirs, StationElements: own,
	}
}

// side is one end of a link, and what it was told to do.
type side struct {
	acts []Action
	sent [][]byte
}

func (s *side) do(acts []Action) {
	for _, a := range acts {
		if f, ok := a.(Send); ok {
			s.sent = append(s.sent, f.Frame)
			continue
		}
		s.acts = append(s.acts, a)
	}
}

// take returns the frames sent since it was called last.
func (s *side) take() [][]byte {
	sent := s.sent
	s.sent = nil
	return sent
}

// told returns the actions of one kind.
func told[T Action](s *side) (all []T) {
	for _, a := range s.acts {
		if v, ok := a.(T); ok {
			all = append(all, v)
		}
	}
	return all
}

// lab is a station and an access point. Its clock is that of the bubble.
type lab struct {
	t           *testing.T
	supplicant  *Supplicant
	auth        *Authenticator
	group       *Group
	station, ap side
}

func newLab(t *testing.T, station, ap Link) *lab {
	t.Helper()
	l := &lab{t: t, group: NewGroup()}
	l.group.Sequence = func(int) [6]byte { return [6]byte{9} }
	l.group.Install()
	var err error
	if l.supplicant, err = NewSupplicant(station); err != nil {
		t.Fatal(err)
	}
	if l.auth, err = NewAuthenticator(Association{Link: ap, Group: l.group, PMKID: &ieee80211.PMKID{1}}); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) toStation(packet []byte) error {
	acts, err := l.supplicant.Receive(packet)
	l.station.do(acts)
	return err
}

func (l *lab) toAP(packet []byte) error {
	acts, err := l.auth.Receive(time.Now(), packet)
	l.ap.do(acts)
	return err
}

// settle carries all frames until nobody sends any more.
func (l *lab) settle() {
	for len(l.station.sent)+len(l.ap.sent) > 0 {
		for _, f := range l.ap.take() {
			_ = l.toStation(f)
		}
		for _, f := range l.station.take() {
			_ = l.toAP(f)
		}
	}
}

// expire waits for the access point's deadline.
func (l *lab) expire() bool {
	d, ok := l.auth.Deadline()
	if ok {
		<-time.After(time.Until(d))
		l.ap.do(l.auth.Expire(time.Now()))
	}
	return ok
}

// agree checks that both sides have installed the same keys, each once.
func (l *lab) agree() {
	l.t.Helper()
	a, b := told[InstallPairwise](&l.station), told[InstallPairwise](&l.ap)
	if len(a) != 1 || !reflect.DeepEqual(a, b) {
		l.t.Errorf("pairwise keys %x and %x", a, b)
	}
	if n, m := len(told[Authorize](&l.station)), len(told[Authorize](&l.ap)); n != 1 || m != 1 {
		l.t.Errorf("authorized %d and %d times", n, m)
	}
	l.unique()
	g := told[InstallGroup](&l.station)
	want := InstallGroup{Index: l.group.traffic.Index, Cipher: ieee80211.CipherCCMP, Key: l.group.traffic.Key}
	if l.group.installed == l.group.generation { // else nothing was sent with it
		want.Sequence = [6]byte{9}
	}
	if len(g) == 0 || !reflect.DeepEqual(g[len(g)-1], want) {
		l.t.Errorf("group keys %+v, want %+v at last", g, want)
	}
}

// unique checks that no key was installed twice.
func (l *lab) unique() {
	l.t.Helper()
	seen := make(map[string]bool)
	for _, a := range l.station.acts {
		var key string
		switch a := a.(type) {
		case InstallPairwise:
			key = fmt.Sprintf("pairwise %x", a.Key)
		case InstallGroup:
			key = fmt.Sprintf("group %x", a.Key)
		case InstallManagement:
			key = fmt.Sprintf("management %x", a.Key)
		default:
			continue
		}
		if seen[key] {
			l.t.Errorf("reinstalled: %s", key)
		}
		seen[key] = true
	}
}

var akms = []ieee80211.Suite{ieee80211.AKMPSK, ieee80211.AKMPSKSHA256, ieee80211.AKMSAE}

func TestHandshake(t *testing.T) {
	for _, akm := range akms {
		t.Run(akm.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, link(akm), link(akm))
				l.ap.do(l.auth.Start(time.Now()))
				l.settle()
				l.agree()
				if protected := len(told[InstallManagement](&l.station)) == 1; protected != (akm != ieee80211.AKMPSK) {
					t.Errorf("management frames protected: %v", protected)
				}
				if !l.supplicant.Authorized() || !l.auth.Authorized() {
					t.Error("not authorized")
				}
				l.group.Rotate()
				if !l.auth.Rekeying() {
					t.Error("nothing to rekey")
				}
				l.ap.do(l.auth.Rekey(time.Now()))
				l.settle()
				l.agree()
				if n := len(told[InstallGroup](&l.station)); n != 2 || l.auth.Rekeying() {
					t.Errorf("%d group keys, still rekeying: %v", n, l.auth.Rekeying())
				}
			})
		})
	}
}

func TestWrongPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		wrong := link(ieee80211.AKMPSK)
		wrong.PMK = make([]byte, PMKSize)
		l := newLab(t, wrong, link(ieee80211.AKMPSK))
		l.ap.do(l.auth.Start(time.Now()))
		l.settle()
		if n := len(told[WrongPassword](&l.ap)); n != 1 {
			t.Errorf("the access point noticed %d times", n)
		}
		if err := l.supplicant.Refused(ieee80211.ReasonHandshake); !errors.Is(err, ErrWrongPassword) {
			t.Errorf("refused: %v", err)
		}
		for len(told[Deauth](&l.station)) == 0 && l.expire() {
			l.settle()
		}
		if d := told[Deauth](&l.station); len(d) != 1 || !errors.Is(d[0].Err, ErrWrongPassword) {
			t.Errorf("the station ended with %+v", d)
		}
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("the station noticed after %v", d)
		}
		for l.expire() {
			l.settle()
		}
		if d := told[Deauth](&l.ap); len(d) != 1 || !errors.Is(d[0].Err, ErrWrongPassword) || d[0].Reason != ieee80211.ReasonHandshake {
			t.Errorf("the access point ended with %+v", d)
		}
	})
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l := newLab(t, link(ieee80211.AKMPSK), link(ieee80211.AKMPSK))
		l.ap.do(l.auth.Start(time.Now()))
		for l.expire() {
		}
		if d := told[Deauth](&l.ap); len(d) != 1 || !errors.Is(d[0].Err, ErrTimeout) || time.Since(began) > 4*time.Second {
			t.Errorf("ended with %+v after %v", d, time.Since(began))
		}
		if n := len(l.ap.sent); n != tries {
			t.Errorf("sent %d times", n)
		}
	})
}

// TestDowngrade changes what was announced: the handshake must end on the side that was deceived.
func TestDowngrade(t *testing.T) {
	for _, akm := range akms {
		synctest.Test(t, func(t *testing.T) {
			deceived := link(akm)
			deceived.AccessPointElements = link(ieee80211.AKMSAE).StationElements
			l := newLab(t, deceived, link(akm))
			l.ap.do(l.auth.Start(time.Now()))
			l.settle()
			if d := told[Deauth](&l.station); len(d) != 1 || !errors.Is(d[0].Err, ErrDowngrade) || d[0].Reason != ieee80211.ReasonElementDiffers {
				t.Errorf("%v: the station ended with %+v", akm, d)
			}
			if len(told[InstallPairwise](&l.station)) != 0 || l.supplicant.Authorized() {
				t.Errorf("%v: keys installed all the same", akm)
			}

			deceived = link(akm)
			deceived.StationElements = link(ieee80211.AKMSAE).AccessPointElements
			l = newLab(t, link(akm), deceived)
			l.ap.do(l.auth.Start(time.Now()))
			l.settle()
			if d := told[Deauth](&l.ap); len(d) != 1 || !errors.Is(d[0].Err, ErrDowngrade) {
				t.Errorf("%v: the access point ended with %+v", akm, d)
			}
		})
	}
}

// TestForgedFirst floods the station with first messages, before and after the handshake.
func TestForgedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, link(ieee80211.AKMPSK), link(ieee80211.AKMPSK))
		forge := func() {
			for i := range uint64(5) {
				f := KeyFrame{Info: InfoPairwise | InfoAck, Replay: 1000 + i, Nonce: nonce(random(nonceSize))}
				if err := l.toStation(l.supplicant.suite.seal(f, nil)); err != nil {
					t.Error(err)
				}
			}
			l.station.take()
		}
		l.ap.do(l.auth.Start(time.Now()))
		m1 := l.ap.take()[0]
		forge()
		_ = l.toStation(m1)
		m2 := l.station.take()[0]
		_ = l.toAP(m2)
		forge()
		l.settle()
		l.agree()
		forge()
		l.group.Rotate()
		l.ap.do(l.auth.Rekey(time.Now()))
		l.settle()
		l.agree()
	})
}

// TestPairwiseRekey lets the access point begin again on a link that is up: new keys on both sides, and authorized once.
func TestPairwiseRekey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, link(ieee80211.AKMSAE), link(ieee80211.AKMSAE))
		nonces := make(map[nonce]bool)
		for range 3 {
			l.ap.do(l.auth.Start(time.Now()))
			_ = l.toStation(l.ap.take()[0])
			f, err := ParseKeyFrame(l.station.sent[0])
			if err != nil || nonces[f.Nonce] {
				t.Errorf("nonce %x used again, %v", f.Nonce, err)
			}
			nonces[f.Nonce] = true
			l.settle()
		}
		a, b := told[InstallPairwise](&l.station), told[InstallPairwise](&l.ap)
		if len(a) != 3 || !reflect.DeepEqual(a, b) {
			t.Errorf("keys %x and %x", a, b)
		}
		l.unique()
		if n := len(told[Authorize](&l.station)); n != 1 {
			t.Errorf("authorized %d times", n)
		}
	})
}

// TestLostFourth makes the third message come again after the keys are in place: it is answered, nothing else.
func TestLostFourth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, link(ieee80211.AKMPSK), link(ieee80211.AKMPSK))
		l.ap.do(l.auth.Start(time.Now()))
		_ = l.toStation(l.ap.take()[0])
		_ = l.toAP(l.station.take()[0])
		m3 := l.ap.take()[0]
		_ = l.toStation(m3)
		l.station.take() // lost
		if err := l.toStation(m3); !errors.Is(err, errReplayed) {
			t.Errorf("replayed: %v", err)
		}
		l.expire()
		l.settle()
		l.agree()
	})
}

// TestForgedAnswers changes each byte of everything that is authenticated: nothing may come of it, and the genuine frame
// must still be taken afterwards.
func TestForgedAnswers(t *testing.T) {
	for _, akm := range akms {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, link(akm), link(akm))
			pass := func(from, to *side, deliver func([]byte) error) {
				t.Helper()
				packet := from.take()[0]
				acts := len(to.acts)
				for i := range packet {
					forged := bytes.Clone(packet)
					forged[i] ^= 1 << (i % 8)
					_ = deliver(forged)
				}
				to.take() // answers to what looks like a first message
				for _, a := range to.acts[acts:] {
					if _, ok := a.(WrongPassword); !ok {
						t.Errorf("%v: a forged frame did %T", akm, a)
					}
				}
				if err := deliver(packet); err != nil {
					t.Errorf("%v: the genuine frame: %v", akm, err)
				}
			}
			l.ap.do(l.auth.Start(time.Now()))
			_ = l.toStation(l.ap.take()[0])
			pass(&l.station, &l.ap, l.toAP)
			pass(&l.ap, &l.station, l.toStation)
			pass(&l.station, &l.ap, l.toAP)
			l.agree()
			l.group.Rotate()
			l.ap.do(l.auth.Rekey(time.Now()))
			pass(&l.ap, &l.station, l.toStation)
			pass(&l.station, &l.ap, l.toAP)
			l.agree()
			if l.auth.Rekeying() {
				t.Error("still rekeying")
			}
		})
	}
}

// TestSecondAgain lets the second message come twice: once as it was, which is nothing new, and once with another nonce,
// as some stations answer the first message when it comes again.
func TestSecondAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, link(ieee80211.AKMPSK), link(ieee80211.AKMPSK))
		l.ap.do(l.auth.Start(time.Now()))
		m1 := l.ap.take()[0]
		_ = l.toStation(m1)
		m2 := l.station.take()[0]
		_ = l.toAP(m2)
		if err := l.toAP(m2); !errors.Is(err, errUncalled) {
			t.Errorf("again: %v", err)
		}
		l.ap.take() // the third is lost
		l.supplicant.running = false
		_ = l.toStation(m1)
		l.settle()
		l.agree()
	})
}

// TestTKIPGroup checks the order of the MIC keys that the kernel wants.
func TestTKIPGroup(t *testing.T) {
	l := link(ieee80211.AKMPSK)
	l.AccessPointElements = ieee80211.RSN{Group: ieee80211.CipherTKIP}.Element().Append(nil)
	s, err := NewSupplicant(l)
	if err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	acts, err := s.installGroups(KeyFrame{}, KeyData{GTK: &GroupKey{Index: 1, Key: key}})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "key", acts[0].(InstallGroup).Key, "000102030405060708090a0b0c0d0e0f 18191a1b1c1d1e1f 1011121314151617")
}

func TestBadLinks(t *testing.T) {
	for name, change := range map[string]func(*Link){
		"AKM":             func(l *Link) { l.AKM = ieee80211.AKMFTPSK },
		"PMK":             func(l *Link) { l.PMK = nil },
		"no RSN element":  func(l *Link) { l.StationElements = nil },
		"broken elements": func(l *Link) { l.StationElements = ieee80211.Elements{ieee80211.ElementRSN, 0} },
		"group cipher": func(l *Link) {
			l.AccessPointElements = ieee80211.RSN{Group: ieee80211.CipherNoGroup}.Element().Append(nil)
		},
	} {
		l := link(ieee80211.AKMPSK)
		change(&l)
		if _, err := NewSupplicant(l); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// FuzzSupplicant receives anything in the midst of a handshake.
func FuzzSupplicant(f *testing.F) {
	f.Add(KeyFrame{Info: InfoPairwise | InfoAck | 2, Replay: 1}.Append(nil))
	f.Add(KeyFrame{Info: InfoPairwise | InfoAck | InfoMIC | InfoSecure | InfoEncrypted | 2, Replay: 1, Data: make([]byte, 48)}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := NewSupplicant(link(ieee80211.AKMPSK))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			acts, _ := s.Receive(b)
			for _, a := range acts {
				if _, ok := a.(Send); !ok {
					t.Fatalf("did %T", a)
				}
			}
		}
	})
}

// FuzzAuthenticator receives anything in the midst of a handshake.
func FuzzAuthenticator(f *testing.F) {
	f.Add(KeyFrame{Info: InfoPairwise | InfoMIC | 2, Replay: 1, Data: []byte{48, 0}}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := NewAuthenticator(Association{Link: link(ieee80211.AKMPSK), Group: NewGroup()})
		if err != nil {
			t.Fatal(err)
		}
		a.Start(time.Time{})
		for range 2 {
			acts, _ := a.Receive(time.Time{}, b)
			for _, act := range acts {
				if _, ok := act.(WrongPassword); !ok {
					t.Fatalf("did %T", act)
				}
			}
		}
	})
}
