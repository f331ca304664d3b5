package profiles

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/setup"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

const serial = "10000000abcdef01"

func open(t *testing.T, dir, serial string) *Store {
	t.Helper()
	s, err := Open(Options{Dir: dir, RunDir: filepath.Join(dir, "run"), Serial: serial, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func text(s string) *string { return &s }

func add(t *testing.T, s *Store, n api.NewProfile) api.Profile {
	t.Helper()
	p, err := s.Create(n)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func password(t *testing.T, s *Store, id string) string {
	t.Helper()
	p, err := s.Password(id)
	if err != nil {
		t.Errorf("password of %s: %v", id, err)
	}
	return p
}

// names lists the known networks in order.
func names(s *Store) string {
	var out []string
	for _, p := range s.List() {
		out = append(out, p.Name)
	}
	return strings.Join(out, " ")
}

// TestRestart finds everything again, and nothing that is secret in any file.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, serial)
	home := add(t, s, api.NewProfile{Name: "Home", SSID: "Home-5G", Passphrase: text("correct horse")})
	add(t, s, api.NewProfile{Name: "Phone", Raw: []byte("\xff\x00phone"), Passphrase: text("swordfish!"), Metered: true})
	add(t, s, api.NewProfile{Name: "Cafe", SSID: "Cafe"})
	if _, err := s.Choose(api.Settings{Country: text("DE"), AccessPoint: &api.AccessPointSettings{SSID: "Mine", Passphrase: "fixed secret", Permanent: true}}); err != nil {
		t.Fatal(err)
	}
	s.Learn([]netmgr.Known{{ID: home.ID, Channels: []int{5180, 2412}, UsedAt: time.Now()}, {ID: "unknown", Channels: []int{1}}})
	s.saveLearned()

	again := open(t, dir, serial)
	if got := names(again); got != "Home Cafe Phone" {
		t.Errorf("order %q", got)
	}
	if password(t, again, home.ID) != "correct horse" || again.Passphrase() != "fixed secret" || again.Country() != "DE" || again.Trouble() != "" {
		t.Errorf("%q, %q, %q", again.Passphrase(), again.Country(), again.Trouble())
	}
	want := netmgr.Profile{ID: home.ID, SSID: "Home-5G", Channels: []int{5180, 2412}}
	set := again.Settings()
	if got := set.Profiles[0]; got.ID != want.ID || got.SSID != want.SSID || got.Open || !slices.Equal(got.Channels, want.Channels) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if ssid := set.Profiles[2].SSID; ssid != "\xff\x00phone" || !set.Profiles[2].Metered || !set.Profiles[1].Open {
		t.Errorf("%+v", set.Profiles)
	}
	if ap := set.AccessPoint; ap.SSID != "Mine" || !ap.Permanent || !set.Setup {
		t.Errorf("%+v", set)
	}
	err := filepath.Walk(dir, func(path string, i os.FileInfo, err error) error {
		if err != nil || i.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, secret := range []string{"correct horse", "swordfish!", "fixed secret"} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s has %q", path, secret)
			}
		}
		if i.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, i.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestSetup takes in what was put on the card by a laptop, once, and removes it only when it is kept.
func TestSetup(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, serial)
	old := add(t, s, api.NewProfile{SSID: "Old", Passphrase: text("correct horse")})
	again := add(t, s, api.NewProfile{Name: "Our home", SSID: "Home", Passphrase: text("a former one")})
	data, err := setup.Setup{
		WiFi:        []setup.WiFi{{SSID: "Home", Passphrase: "a new one"}, {SSID: "Hidden", Hidden: true}},
		Country:     "DE",
		AccessPoint: &setup.AccessPoint{Passphrase: "from the laptop"},
	}.JSON()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, setup.Name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, serial)
	if got := names(s); got != "Our home Hidden Old" || password(t, s, again.ID) != "a new one" || password(t, s, old.ID) != "correct horse" {
		t.Errorf("names %q", got)
	}
	if s.Country() != "DE" || s.Passphrase() != "from the laptop" || s.Settings().Setup || s.Trouble() != "" {
		t.Errorf("%q, %q, %+v", s.Country(), s.Passphrase(), s.Settings())
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("still there")
	}
	if err := os.WriteFile(path, []byte(`{"wifi":[{"ssid":""}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if s = open(t, dir, serial); !strings.Contains(s.Trouble(), "wifi[0].ssid") || names(s) != "Our home Hidden Old" {
		t.Errorf("trouble %q", s.Trouble())
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("one with a mistake was removed")
	}
}

// TestBounds knows only so many networks, and each once.
func TestBounds(t *testing.T) {
	s := open(t, t.TempDir(), serial)
	for i := range Max {
		add(t, s, api.NewProfile{SSID: fmt.Sprint("net", i)})
	}
	var e *ipc.Error
	if _, err := s.Create(api.NewProfile{SSID: "one more"}); !errors.Is(err, media.ErrFull) || !errors.As(err, &e) || e.Hint == "" {
		t.Errorf("%v", err)
	}
	if _, err := s.Candidate(api.NewProfile{SSID: "one more"}); !errors.Is(err, media.ErrFull) {
		t.Errorf("%v", err)
	}
	add(t, s, api.NewProfile{SSID: "net7", Passphrase: text("correct horse")})
	if list := s.List(); len(list) != Max || list[7].Open {
		t.Errorf("%d, %+v", len(list), list[7])
	}
	for range 3 * maxCandidates {
		if _, err := s.Candidate(api.NewProfile{SSID: "net7"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.candidates) != maxCandidates {
		t.Errorf("%d candidates", len(s.candidates))
	}
}

// TestPassphrase draws one for each boot, which a restart of the service keeps.
func TestPassphrase(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, serial)
	if err := setup.CheckPassphrase(first.Passphrase()); err != nil {
		t.Error(err)
	}
	if again := open(t, dir, serial); again.Passphrase() != first.Passphrase() {
		t.Error("a restart of the service throws out the phones")
	}
	if err := os.RemoveAll(filepath.Join(dir, "run")); err != nil {
		t.Fatal(err)
	}
	if next := open(t, dir, serial); next.Passphrase() == first.Passphrase() {
		t.Error("the same at the next boot")
	}
	one, two := first.Settings().AccessPoint.SSID, open(t, t.TempDir(), "2000").Settings().AccessPoint.SSID
	if one == two || !strings.HasPrefix(one, "manofwar ") || len(one) != len("manofwar ")+4 {
		t.Errorf("%q and %q", one, two)
	}
}

// TestLearned is written soon when a restart would miss it, and seldom otherwise.
func TestLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir, serial)
		k := netmgr.Known{ID: add(t, s, api.NewProfile{SSID: "Home"}).ID}
		go s.Run(t.Context())
		writtenAfter := func(d time.Duration) bool {
			s.Learn([]netmgr.Known{k})
			time.Sleep(d)
			synctest.Wait()
			_, err := os.Stat(filepath.Join(dir, learnedName))
			defer os.Remove(filepath.Join(dir, learnedName))
			return err == nil
		}
		if writtenAfter(2 * learnSoon) {
			t.Error("written for nothing")
		}
		k.Failure, k.FailedAt = "Wrong password for Home.", time.Now()
		if !writtenAfter(2*learnSoon) || s.List()[0].Failure == "" {
			t.Error("a failure is not written soon")
		}
		k.Channels, k.Failure, k.FailedAt, k.UsedAt = []int{2412}, "", time.Time{}, time.Now()
		if p := s.List()[0]; !writtenAfter(2*learnSoon) || s.List()[0].Failure != "" || s.List()[0].UsedAt.IsZero() {
			t.Errorf("a new channel is not written soon: %+v", p)
		}
		k.Channels = []int{5180, 2412}
		if !writtenAfter(2 * learnSoon) {
			t.Error("another channel is not written soon")
		}
		for range 10 {
			slices.Reverse(k.Channels)
			k.UsedAt = time.Now()
			if writtenAfter(2 * learnSoon) {
				t.Error("written for nothing new")
			}
		}
		if !writtenAfter(learnLater) {
			t.Error("never written")
		}
		k.UsedAt = k.UsedAt.Add(time.Millisecond) // as the policy tells the same moment again
		if writtenAfter(2 * learnLater) {
			t.Error("written for a wobble")
		}
	})
}

func FuzzSetup(f *testing.F) {
	f.Add([]byte(`{"wifi":[{"ssid":"Home","passphrase":"correct horse"},{"ssid":"Home"}],"country":"DE","access_point":{"passphrase":"12345678"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		wanted, err := setup.Parse(data)
		if err != nil {
			return
		}
		dir := t.TempDir()
		s := open(t, dir, serial)
		if err := s.apply(wanted); err != nil && !errors.Is(err, media.ErrFull) {
			t.Errorf("%v of %s", err, data)
		}
		if got := s.List(); len(got) > max(Max, len(wanted.WiFi)) {
			t.Errorf("%d networks", len(got))
		}
	})
}

func FuzzExport(f *testing.F) {
	f.Add([]byte(`{"format":"manofwar networks","version":1,"profiles":[{"raw":"SG9tZQ==","passphrase":"correct horse"}],"settings":{"country":"DE","judge":{"off":true}}}`))
	s, err := Open(Options{Dir: f.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := parseExport(data)
		if err != nil {
			return
		}
		st := state{Version: version}
		for _, n := range e.Profiles {
			if _, err := s.put(&st, n); err != nil {
				return
			}
		}
		if err := s.choose(&st, e.Settings); err != nil {
			return
		}
		written, err := json.Marshal(st)
		if err != nil {
			t.Fatal(err)
		}
		if _, bad, err := parse(written); err != nil || bad != 0 {
			t.Errorf("what was taken in is not sound: %d, %v\n%s", bad, err, written)
		}
	})
}

// FuzzImport is for the container: whatever it is, it is refused or opened, within bounds.
func FuzzImport(f *testing.F) {
	s, err := Open(Options{Dir: f.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 15 ZV/AhotwSGqaPCU43cepl4WYUouAa17a3xpu4G2yi5k\n"))
	f.Add([]byte("age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 30 ZV/AhotwSGqaPCU43cepl4WYUouAa17a3xpu4G2yi5k\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e *ipc.Error
		if _, err := s.Import("a passphrase", data); err != nil && !errors.As(err, &e) {
			t.Errorf("%v", err)
		}
	})
}

// TestDeviceName takes a name that a person gives, keeps it, and calls the access point by it where nobody chose otherwise.
func TestDeviceName(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, serial)
	mark := strings.TrimPrefix(s.Settings().AccessPoint.SSID, "manofwar ")
	if c := s.Chosen(); c.Name != nil || len(mark) != 4 {
		t.Errorf("nobody gave a name, and it is %q, %q", *c.Name, mark)
	}
	for _, tt := range []struct{ name, want, ssid string }{
		{"Wohnzimmer TV", "Wohnzimmer TV", "Wohnzimmer TV " + mark},
		{"  Küche\t", "Küche", "Küche " + mark},
		{strings.Repeat("ü", 63), strings.Repeat("ü", 63), strings.Repeat("ü", 13) + " " + mark}, // 26 bytes, as 27 would cut one in two
		{"In the very middle of house 5", "In the very middle of house 5", "In the very middle of house " + mark},
		{"👩‍🚀", "👩‍🚀", "👩‍🚀 " + mark},
		{"", "", ""},
		{" ", "", ""},
		{strings.Repeat("x", 64), "", ""},
		{"a\nb", "", ""},
		{"a\x00", "", ""},
		{"\xff", "", ""},
	} {
		got, err := s.Choose(api.Settings{Name: &tt.name})
		if tt.want == "" {
			if e, ok := errors.AsType[*ipc.Error](err); !ok || e.Field != "name" || e.Hint == "" {
				t.Errorf("%q: %v, want an error about the name", tt.name, err)
			}
			continue
		}
		if err != nil || *got.Name != tt.want || got.AccessPoint.SSID != tt.ssid {
			t.Errorf("%q: %v; %+v, %+v", tt.name, err, got, got.AccessPoint)
		}
		if again := open(t, dir, serial).Settings(); again.Name != tt.want || again.AccessPoint.SSID != tt.ssid || !again.AccessPoint.Default {
			t.Errorf("%q after a restart: %q, %+v", tt.name, again.Name, again.AccessPoint)
		}
	}
	if _, err := s.Choose(api.Settings{AccessPoint: &api.AccessPointSettings{SSID: "mine"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Choose(api.Settings{Name: text("Kitchen")}); err != nil {
		t.Fatal(err)
	}
	if got := s.Settings(); got.Name != "Kitchen" || got.AccessPoint.SSID != "mine" || got.AccessPoint.Default {
		t.Errorf("with an SSID that was chosen: %+v", got)
	}
	e := s.exported()
	if other := open(t, t.TempDir(), "2"); e.Settings.Name == nil || other.update(func(st *state) error { return other.choose(st, e.Settings) }) != nil || other.Settings().Name != "Kitchen" {
		t.Errorf("an export does not carry the name: %v", e.Settings.Name)
	}
}
