package sae

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func check(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !bytes.Equal(got, unhex(t, want)) {
		t.Errorf("%s is %x, want %s", what, got, want)
	}
}

// TestVectors checks clause J.10's exchange by hunting and pecking, and that of the standard's draft, in which the password has
// an identifier (hashed after it) and confirms are given.
func TestVectors(t *testing.T) {
	for _, tt := range []struct {
		name, password, own, peer, rand, mask string
		commit, theirs, kck, pmk, pmkid       string
		confirm, theirConfirm                 string
	}{
		{
			name: "J.10", password: "mekmitasdigoat", own: "4d3f2fffe387", peer: "a5d8aa958e3c",
			rand: "992465fd3daa3c60aa6565b7f62a2a7f2e12dd12f198faf4fbed89d7ff1ace94",
			mask: "9507a90f777a044d6a0830b91ea3d5dd70bece44e1acffb86983b5e1bf9fb322",
			commit: `1300 2e2c0f0db52440ad146d967114ce005ce1eab0aa2c2e5c2871b774f6c2575c65
				d5ad9e00829707aa36ba8b859738fc961d08243505f47c035376d7ac4bc8d7b9
				5083bf43827d0fc31ed778dd3671fd21a46d1091d64b6f9a1e1272621325dbe1`,
			theirs: `1300 591b96f3397fb945100848e7b550543b6720d88337ee93fc49fd6df7e08b5223
				e71b9bb048d3873f20556953a96c91536fd8ee6ca9b4a68a148b056a909be03e
				83ae208f60f8ef5537858074db06687032399862999b511e0a1552a5fea317c2`,
			kck:   "1e733f6d9bd53256287304338831b09a39406d121017073a5c30db36f36cb81a",
			pmk:   "4e4dfab1a2dd8ac1a91790f953faaa452ae5c6873ab75b63605ba663f8a7fe59",
			pmkid: "8747a600eea3f9f22475df58ca1e5498",
		},
		{
			name: "draft", password: "mekmitasdigoat" + "psk4internet", own: "827b919dd4b9", peer: "1eec49ea6488",
			rand: "a906f61e4d3a5d4eb2965ff34cf917dd044445c878c17ca5d5b93786da9f83cf",
			mask: "4234b4fb17aa435c52fbfdebe64039b43478200e54ff7b6e07b69cad74153c15",
			commit: `1300 eb3bab1964e4a0ab05925ddf3339519138bc65d6cdc0f813dd6fd4344eb4bfe4
				4b5c21597658f4e3eddfb4b99f25b4d6540f32ff1fd5c530c60a794448610bc6
				de3d92bdbbd47d935980ca6cf8988ab6630be6764c885ceb9793970f695217ee`,
			theirs: `1300 5564f045b2ea1e566cf1dd741f70d9be35d2df5b9a5502946ee03cf8dae27e1e
				05b8430eb7a99e24877ce69baf3dc580e309633d6b385f83ee1c3ec3591f1a53
				93c06e805ddceb2fde50930dd7cfebb987c6ff9666af164eb5184d8e6662ed6a`,
			kck:          "599d6f1e27548be8499dceed2feccf94818ce1c79f1b4eb3d6a53228a09bf3ed",
			pmk:          "7aead86fba4c3221fc437f5f14d70d854ea5d5aac1690116793081eda4d557c5",
			pmkid:        "40a09b6017cebf0072843b5352aa2b4f",
			confirm:      "0100 12d9d5c78c500526d36c41dbc56aedf2914cedddd7cad4a58c48f83dbde9fc77",
			theirConfirm: "0100 02871cf906898b8060ec184143be77b8c08a8019b13eb6d0aef0d8383dfac2fd",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := New(Config{Own: ieee80211.MAC(unhex(t, tt.own)), Peer: ieee80211.MAC(unhex(t, tt.peer)), Password: tt.password})
			if _, err := e.Start(); err != nil {
				t.Fatal(err)
			}
			if again, err := e.choose(number(unhex(t, tt.rand)), number(unhex(t, tt.mask))); again || err != nil {
				t.Fatal(again, err)
			}
			check(t, "commit", e.commit().Data, tt.commit)
			out, err := e.Receive(frame(transactionCommit, ieee80211.StatusSuccess, unhex(t, tt.theirs)))
			if err != nil {
				t.Fatal(err)
			}
			check(t, "KCK", e.kck, tt.kck)
			check(t, "PMK", e.pmk, tt.pmk)
			check(t, "PMKID", e.pmkid[:], tt.pmkid)
			if tt.confirm == "" {
				return
			}
			check(t, "confirm", out[0].Data, tt.confirm)
			if _, err := e.Receive(frame(transactionConfirm, ieee80211.StatusSuccess, unhex(t, tt.theirConfirm))); err != nil {
				t.Error(err)
			}
			if _, _, ok := e.Key(); !ok {
				t.Error("not accepted")
			}
		})
	}
}

// TestHashToElement checks clause J.10's points of hash-to-element. The password's identifier is hashed after it.
func TestHashToElement(t *testing.T) {
	c := p256()
	for u, want := range map[string]string{
		"dc941bc3c6a2b4948b6c61d55590ecb1f0c51c4b1bebaff677e593698d5a53c6": `a07c260764a13445ff8cd97c5acc644e7119bde51bad42583eed6f4109639e6b
			3bdc8df0d32337936c74df604933a454142251c53c576c0351b28deaf9428d7e`,
		"1b8375a518bc21396ad6a65e5597e0bf80d793b6d66e2534a6e7dfe3ee22616f": `72cd2a967a837fea5051f0133db46227775ba09f7b6dfb99ae7a8ef22c7d34a0
			864390d797d352b368d311af515bde116fe54459fec867ee18a8a1619ca3ff59`,
	} {
		p, err := c.mapToCurve(number(unhex(t, u)))
		if err != nil {
			t.Fatal(err)
		}
		check(t, "point", p.Bytes()[1:], want)
	}
	s, err := NewSecret("byteme", "mekmitasdigoat"+"psk4internet")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "PT", s.point.Bytes()[1:], `b6e38c98750c684b5d17c3d8c9a4100b39931279187ca6cced5f37ef46ddfa97
		5687e972e50f73e3898861e7edad21bea7d5f622df88243bb804920ae8e647fa`)
	pwe, err := s.element(ieee80211.MAC{0x00, 0x09, 0x5b, 0x66, 0xec, 0x1e}, ieee80211.MAC{0x00, 0x0b, 0x6b, 0xd9, 0x02, 0x46})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "PWE", pwe.Bytes()[1:], `c93049b9e64000f848201649e999f2b5c22dea69b5632c9df4d633b8aa1f6c1e
		73634e94b53d82e7383a8d258199d9dc1a5ee8269d060382ccbf33e614ff59a0`)
}

// TestMapExceptions maps what makes the mapping's denominator zero.
func TestMapExceptions(t *testing.T) {
	for _, u := range []number{{}, small(1), p256().p.sub(number{}, small(1))} {
		if _, err := p256().mapToCurve(u); err != nil {
			t.Errorf("%x: %v", u, err)
		}
	}
}

func TestModulus(t *testing.T) {
	p := p256().p
	minus := p.sub(number{}, small(1))
	if p.add(minus, small(1)) != (number{}) || p.mul(minus, minus) != small(1) || p.pow(small(3), small(4)) != small(81) {
		t.Error("arithmetic is wrong")
	}
	var all number
	for i := range all {
		all[i] = 0xff
	}
	if p.below(minus) != 1 || p.below(p.n) != 0 || p.below(all) != 0 || p.below(number{}) != 1 {
		t.Error("order is wrong")
	}
	if pick(1, small(1), small(2)) != small(1) || pick(0, small(1), small(2)) != small(2) {
		t.Error("choice is wrong")
	}
	var wide [48]byte
	wide[15] = 1 // 2^256
	if got, want := p.reduce(wide), p.sub(p.sub(all, number{}), p.sub(number{}, small(1))); got != want {
		t.Errorf("2^256 is %x, want %x", got, want)
	}
}

var (
	apMAC  = ieee80211.MAC{2, 0, 0, 0, 0, 1}
	staMAC = ieee80211.MAC{2, 0, 0, 0, 0, 2}
)

// pair returns a station and an access point of one network. The station uses hash-to-element where hashed says so.
func pair(t testing.TB, stationPassword, apPassword string, hashed bool) (station, ap *Exchange) {
	t.Helper()
	secret := func(password string) *Secret {
		s, err := NewSecret("home", password)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	c := Config{Own: staMAC, Peer: apMAC, Password: stationPassword}
	if hashed {
		c.Secret = secret(stationPassword)
	}
	return New(c), New(Config{Own: apMAC, Peer: staMAC, Password: apPassword, Secret: secret(apPassword)})
}

// run exchanges frames until nobody answers, each of them twice. It returns the first errors of both.
func run(station, ap *Exchange) (stationErr, apErr error) {
	first, err := station.Start()
	if err != nil {
		return err, nil
	}
	frames := []ieee80211.Auth{first}
	for to := 0; len(frames) > 0; to++ {
		e, errp := ap, &apErr
		if to%2 == 1 {
			e, errp = station, &stationErr
		}
		var next []ieee80211.Auth
		for _, f := range frames {
			out, err := e.Receive(f)
			if err != nil && *errp == nil {
				*errp = err
			}
			next = append(next, out...)
			if again, err := e.Receive(f); err == nil && !reflect.DeepEqual(again, out) {
				return errors.New("another answer to the same frame"), nil
			}
		}
		frames = next
	}
	return stationErr, apErr
}

func TestExchange(t *testing.T) {
	for _, hashed := range []bool{false, true} {
		station, ap := pair(t, "correct horse", "correct horse", hashed)
		if s, a := run(station, ap); s != nil || a != nil {
			t.Fatalf("hashed %v: %v, %v", hashed, s, a)
		}
		k1, id1, ok1 := station.Key()
		k2, id2, ok2 := ap.Key()
		if !ok1 || !ok2 || !bytes.Equal(k1, k2) || id1 != id2 || len(k1) != wpa.PMKSize {
			t.Errorf("hashed %v: %x %v %v, %x %v %v", hashed, k1, id1, ok1, k2, id2, ok2)
		}
	}
}

func TestWrongPassword(t *testing.T) {
	for _, hashed := range []bool{false, true} {
		station, ap := pair(t, "wrong", "right", hashed)
		s, a := run(station, ap)
		if !errors.Is(s, wpa.ErrWrongPassword) || !errors.Is(a, wpa.ErrWrongPassword) || !station.Over() || !ap.Over() {
			t.Errorf("hashed %v: %v, %v", hashed, s, a)
		}
		if _, _, ok := station.Key(); ok {
			t.Error("there is a key")
		}
	}
}

func start(t testing.TB, e *Exchange) ieee80211.Auth {
	t.Helper()
	f, err := e.Start()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestToken(t *testing.T) {
	for _, hashed := range []bool{false, true} {
		station, ap := pair(t, "password", "password", hashed)
		door := NewDoorman()
		commit := start(t, station)
		challenge, ok := door.Admit(staMAC, commit)
		if ok || challenge.Status != ieee80211.StatusAntiClogging {
			t.Fatalf("admitted without token: %+v", challenge)
		}
		out, err := station.Receive(challenge)
		if err != nil || len(out) != 1 {
			t.Fatal(out, err)
		}
		if _, ok := door.Admit(apMAC, out[0]); ok {
			t.Error("another station's token was taken")
		}
		if _, ok := door.Admit(staMAC, out[0]); !ok {
			t.Error("the token was not taken")
		}
		answer, err := ap.Receive(out[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := station.Receive(answer[0]); err != nil {
			t.Errorf("after the token: %v", err)
		}

		station, _ = pair(t, "password", "password", hashed)
		start(t, station)
		for range enough {
			if _, err := station.Receive(challenge); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := station.Receive(challenge); !errors.Is(err, ErrRefused) {
			t.Errorf("asked without end: %v", err)
		}
	}
}

// TestBadCommits gives a station what must not be answered by a confirm.
func TestBadCommits(t *testing.T) {
	_, other := pair(t, "password", "password", false)
	fresh, _ := pair(t, "password", "password", false)
	good, err := other.Receive(start(t, fresh))
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, b ...byte) []byte {
		d := bytes.Clone(good[0].Data)
		copy(d[at:], b)
		return d
	}
	order := p256().n.n
	for name, tt := range map[string]struct {
		status ieee80211.Status
		data   []byte
		over   bool
	}{
		"empty":             {data: nil},
		"short":             {data: good[0].Data[:97]},
		"other group":       {data: change(0, 20, 0)},
		"scalar 0":          {data: change(2, make([]byte, 32)...)},
		"scalar 1":          {data: change(2, append(make([]byte, 31), 1)...)},
		"scalar of order":   {data: change(2, order[:]...)},
		"not on the curve":  {data: change(97, good[0].Data[97]^1)},
		"x beyond":          {data: change(34, bytes.Repeat([]byte{0xff}, 32)...)},
		"hashed unasked":    {status: ieee80211.StatusHashToElement, data: good[0].Data, over: true},
		"group refused":     {status: ieee80211.StatusUnsupportedGroup, data: []byte{19, 0}, over: true},
		"refused":           {status: ieee80211.StatusUnspecified, over: true},
		"empty token":       {status: ieee80211.StatusAntiClogging, data: []byte{19, 0}},
		"token without end": {status: ieee80211.StatusAntiClogging, data: make([]byte, 900)},
	} {
		station, _ := pair(t, "password", "password", false)
		start(t, station)
		out, err := station.Receive(frame(transactionCommit, tt.status, tt.data))
		if err == nil || out != nil || station.Over() != tt.over {
			t.Errorf("%s: got %v, %v, over %v", name, out, err, station.Over())
		}
	}
	station, _ := pair(t, "password", "password", false)
	if _, err := station.Receive(start(t, station)); !errors.Is(err, errReflected) {
		t.Errorf("reflected: %v", err)
	}
}

func TestAccessPointRefuses(t *testing.T) {
	station, _ := pair(t, "password", "password", false)
	hunted := start(t, station)
	station, _ = pair(t, "password", "password", true)
	hashed := start(t, station)
	other := hunted
	other.Data = append([]byte{20, 0}, hunted.Data[2:]...)
	lied := hashed
	lied.Data = ieee80211.Extension(ieee80211.ExtensionRejectedGroups, []byte{20, 0, 19, 0}).Append(bytes.Clone(hashed.Data))
	_, ap := pair(t, "password", "password", false)
	for name, tt := range map[string]struct {
		change func(*Config)
		frame  ieee80211.Auth
		status ieee80211.Status
	}{
		"other group":      {func(*Config) {}, other, ieee80211.StatusUnsupportedGroup},
		"hunted":           {func(c *Config) { c.HashOnly = true }, hunted, ieee80211.StatusUnspecified},
		"hashed":           {func(c *Config) { c.Secret = nil }, hashed, ieee80211.StatusUnspecified},
		"rejects P-256":    {func(*Config) {}, lied, ieee80211.StatusUnspecified},
		"unknown status":   {func(*Config) {}, frame(transactionCommit, 99, hunted.Data), ieee80211.StatusUnspecified},
		"nothing in it":    {func(*Config) {}, frame(transactionCommit, 0, nil), ieee80211.StatusUnspecified},
		"confirm too soon": {func(*Config) {}, frame(transactionConfirm, 0, make([]byte, 34)), 0},
	} {
		c := ap.config
		tt.change(&c)
		e := New(c)
		out, err := e.Receive(tt.frame)
		if err == nil {
			t.Errorf("%s: taken", name)
		}
		if tt.status != 0 && (len(out) != 1 || out[0].Status != tt.status || !e.Over()) {
			t.Errorf("%s: got %+v", name, out)
		}
	}
}

// TestRejectedGroups takes a station that first tried a group which we do not have: the key depends on that.
func TestRejectedGroups(t *testing.T) {
	station, ap := pair(t, "password", "password", true)
	start(t, station)
	station.own.rejected = []byte{20, 0}
	answer, err := ap.Receive(station.commit())
	if err != nil {
		t.Fatal(err)
	}
	station.own.rejected = nil
	if _, err := station.Receive(answer[0]); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(station.pmk, ap.pmk) {
		t.Error("what was rejected makes no difference")
	}
}

func TestRestartAndRepeat(t *testing.T) {
	station, ap := pair(t, "password", "password", true)
	if s, a := run(station, ap); s != nil || a != nil {
		t.Fatal(s, a)
	}
	again, _ := pair(t, "password", "password", true)
	if _, err := ap.Receive(start(t, again)); !errors.Is(err, ErrRestarted) {
		t.Errorf("a second commit: %v", err)
	}
	late := station.ownConfirm() // as if the access point's had been lost
	out, err := ap.Receive(late)
	if err != nil || len(out) != 1 || !bytes.HasPrefix(out[0].Data, []byte{0xff, 0xff}) {
		t.Errorf("a late confirm: %+v, %v", out, err)
	}
	forged := late
	forged.Data = append([]byte{9, 0}, late.Data[2:]...)
	if out, err := ap.Receive(forged); err == nil || out != nil || ap.Over() {
		t.Errorf("a forged one: %+v, %v", out, err)
	}
	station.sent = 0
	if out, err := ap.Receive(station.ownConfirm()); err == nil || out != nil {
		t.Errorf("an old one: %+v, %v", out, err)
	}
	if _, ok := ap.Again(); ok {
		t.Error("something left to send")
	}
}

// FuzzStation receives anything in answer to a commit.
func FuzzStation(f *testing.F) { fuzz(f, true) }

// FuzzAccessPoint receives anything as a commit, and then as a confirm.
func FuzzAccessPoint(f *testing.F) { fuzz(f, false) }

func fuzz(f *testing.F, asStation bool) {
	station, ap := pair(f, "password", "password", true)
	commit := start(f, station)
	f.Add(uint16(1), uint16(126), commit.Data)
	f.Add(uint16(1), uint16(76), []byte{19, 0, 255, 3, 93, 1, 2})
	f.Add(uint16(2), uint16(0), make([]byte, 34))
	f.Fuzz(func(t *testing.T, transaction, status uint16, data []byte) {
		e := New(ap.config)
		if asStation {
			begun := *station // the curve's work is not what is tested
			e = &begun
		}
		for _, n := range []uint16{transaction, transactionConfirm} {
			out, _ := e.Receive(frame(n, ieee80211.Status(status), data))
			for _, a := range out {
				if len(a.Data) > 1024 {
					t.Fatalf("answered with %d bytes", len(a.Data))
				}
			}
		}
		if _, _, ok := e.Key(); ok {
			t.Fatal("accepted")
		}
	})
}

func BenchmarkHunt(b *testing.B) {
	for b.Loop() {
		if _, err := hunt("password", apMAC, staMAC); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSecret(b *testing.B) {
	for b.Loop() {
		if _, err := NewSecret("home", "password"); err != nil {
			b.Fatal(err)
		}
	}
}
