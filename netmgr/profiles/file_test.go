package profiles

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"manofwar/internal/media"
	"manofwar/netmgr/api"
)

// TestDamage loses a file, or a part of it, in every way: names survive as far as they can, nothing is thrown away, and it is told.
func TestDamage(t *testing.T) {
	write := func(name, data string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	both := func(list ...func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			for _, f := range list {
				f(t, dir)
			}
		}
	}
	for _, c := range []struct {
		name    string
		harm    func(*testing.T, string)
		serial  string
		names   string
		locked  bool
		trouble string
		aside   string
	}{
		{"nothing", func(*testing.T, string) {}, serial, "Home Office", false, "", ""},
		{"file cut short", write(fileName, `{"version":1,"profiles":[{"id"`), serial, "Home Office", false, "second copy", fileName + ".damaged"},
		{"file empty", write(fileName, ""), serial, "Home Office", false, "second copy", fileName + ".damaged"},
		{"file too long", write(fileName, strings.Repeat(" ", maxFile+1)), serial, "Home Office", false, "second copy", fileName + ".damaged"},
		{"file gone", remove(fileName), serial, "Home Office", false, "second copy", ""},
		{"second copy gone", remove(backupName), serial, "Home Office", false, "", ""},
		{"both damaged", both(write(fileName, "x"), write(backupName, "y")), serial, "", false, "Add your networks again", fileName + ".damaged"},
		{"both gone", both(remove(fileName), remove(backupName)), serial, "", false, "", ""},
		{"one entry bad", func(t *testing.T, dir string) {
			for _, name := range []string{fileName, backupName} {
				edit(t, filepath.Join(dir, name), func(m map[string]any) {
					m["profiles"].([]any)[0].(map[string]any)["ssid"] = 7
				})
			}
		}, serial, "Office", false, "some known networks", fileName + ".damaged"},
		{"key gone", remove(keyName), serial, "Home Office", true, "", ""},
		{"key damaged", write(keyName, "short"), serial, "Home Office", true, "enter the passwords", keyName + ".damaged"},
		{"another board", func(*testing.T, string) {}, "2000", "Home Office", true, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, serial)
			home := add(t, s, api.NewProfile{Name: "Home", SSID: "Home", Passphrase: text("correct horse")})
			add(t, s, api.NewProfile{Name: "Office", SSID: "Office"})
			c.harm(t, dir)

			s = open(t, dir, c.serial)
			if got := names(s); got != c.names {
				t.Errorf("names %q, want %q", got, c.names)
			}
			if got := s.Trouble(); c.trouble == "" && got != "" || !strings.Contains(strings.ToLower(got), strings.ToLower(c.trouble)) {
				t.Errorf("trouble %q, want %q", got, c.trouble)
			}
			if _, err := os.Stat(filepath.Join(dir, c.aside)); c.aside != "" && err != nil {
				t.Error("not kept aside:", err)
			}
			if c.locked {
				checkLocked(t, s, home.ID)
			}
			if s := open(t, dir, c.serial); names(s) != c.names || s.Trouble() != "" {
				t.Errorf("the next time: %q, %q", names(s), s.Trouble())
			}
		})
	}
}

// checkLocked has a network whose password cannot be read: it is not tried, asks for its password, and works with that.
func checkLocked(t *testing.T, s *Store, id string) {
	t.Helper()
	if _, err := s.Password(id); !errors.Is(err, media.ErrCorrupt) {
		t.Errorf("password: %v", err)
	}
	if p := s.List()[0]; p.Failure == "" || p.Off {
		t.Errorf("%+v", p)
	}
	if set := s.Settings(); !set.Profiles[0].Off || set.Profiles[1].Off {
		t.Errorf("%+v", set.Profiles)
	}
	if _, err := s.Candidate(api.NewProfile{SSID: "Home"}); err == nil {
		t.Error("tried without a password")
	}
	if p, err := s.Change(id, api.NewProfile{Passphrase: text("correct horse")}); err != nil || p.Failure != "" || s.Settings().Profiles[0].Off {
		t.Errorf("%+v, %v", p, err)
	}
}

func edit(t *testing.T, path string, change func(map[string]any)) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := make(map[string]any)
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	if data, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSwapped refuses a password that was moved to another network in the file.
func TestSwapped(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, serial)
	a := add(t, s, api.NewProfile{SSID: "A", Passphrase: text("password of A")})
	add(t, s, api.NewProfile{SSID: "B", Passphrase: text("password of B")})
	edit(t, filepath.Join(dir, fileName), func(m map[string]any) {
		list := m["profiles"].([]any)
		a, b := list[0].(map[string]any), list[1].(map[string]any)
		a["secret"], b["secret"] = b["secret"], a["secret"]
	})
	if _, err := open(t, dir, serial).Password(a.ID); !errors.Is(err, media.ErrCorrupt) {
		t.Errorf("%v", err)
	}
}

// TestFullCard goes on in memory where the card cannot be written, and says so.
func TestFullCard(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "netmgr")
	s := open(t, dir, serial)
	for _, err := range []error{os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)} { // root writes to read-only directories
		if err != nil {
			t.Fatal(err)
		}
	}
	if s := open(t, dir, serial); s.Trouble() == "" || s.Passphrase() == "" {
		t.Error("opened without a directory, and not a word")
	}
	p := add(t, s, api.NewProfile{SSID: "Home", Passphrase: text("correct horse")})
	if password(t, s, p.ID) != "correct horse" || !strings.Contains(s.Trouble(), "card") {
		t.Errorf("trouble %q", s.Trouble())
	}
	for _, err := range []error{os.Remove(dir), os.Mkdir(dir, 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if add(t, s, api.NewProfile{SSID: "Other"}); s.Trouble() != "" {
		t.Errorf("trouble %q", s.Trouble())
	}
	if got := names(open(t, dir, serial)); got != "Home Other" {
		t.Errorf("names %q", got)
	}
}

func FuzzProfiles(f *testing.F) {
	f.Add([]byte(`{"version":1,"profiles":[{"id":"A","name":"Home","ssid":"SG9tZQ==","secret":"AAAA"},{"id":"A","ssid":"QQ==","open":true}],"country":"de","judge":{"operators":["x"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, bad, err := parse(data)
		if err != nil {
			return
		}
		written, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, bad2, err := parse(written)
		if err != nil || bad2 != 0 || len(again.Profiles) != len(s.Profiles) || len(s.Profiles) > Max {
			t.Errorf("%d bad, then %d: %v\n%s", bad, bad2, err, written)
		}
	})
}
