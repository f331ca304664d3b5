package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"manofwar/internal/media"
)

func TestKeyIsMadeOnceAndKept(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir)
	if err != nil || again.ID != first.ID {
		t.Errorf("opened again: %v, %v; want %v", again.ID, err, first.ID)
	}
	other, err := Open(t.TempDir())
	if err != nil || other.ID == first.ID {
		t.Errorf("another device: %v, %v", other.ID, err)
	}
	info, err := os.Stat(filepath.Join(dir, keyName))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("key's file: %v, %v", info.Mode(), err)
	}
	message := []byte("hello")
	signed, err := again.Signer.Sign(rand.Reader, message, crypto.Hash(0))
	if err != nil || !ed25519.Verify(first.Signer.Public().(ed25519.PublicKey), message, signed) {
		t.Errorf("signature of the kept key is not the first one's: %v", err)
	}
	if id, err := ParseID(string(first.ID)); err != nil || id != first.ID || len(id) != idLength {
		t.Errorf("%q: %v", id, err)
	}
	if s := first.ID.Short(); !regexp.MustCompile(`^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$`).MatchString(s) {
		t.Errorf("short: %q", s)
	}
}

func TestDamagedKeyIsNotReplaced(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "nonsense": "nonsense", "another type": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"no key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), keyName)
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if h, err := Open(filepath.Dir(file)); !errors.Is(err, media.ErrCorrupt) {
				t.Errorf("got %v, %v", h.ID, err)
			}
			if kept, err := os.ReadFile(file); err != nil || string(kept) != content {
				t.Errorf("the file is now %q, %v", kept, err)
			}
		})
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewHolder(key); err == nil {
		t.Error("a key of another kind was taken")
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(strings.Repeat("a", idLength))
	f.Add(strings.Repeat("7", idLength))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		if err != nil && !errors.Is(err, media.ErrInvalid) {
			t.Error(err)
		}
		if err == nil && (string(id) != s || len(id.Short()) != 19) {
			t.Errorf("%q became %q, %q", s, id, id.Short())
		}
	})
}

func testID(n int) ID {
	return IDOf(ed25519.NewKeyFromSeed([]byte(fmt.Sprintf("%032d", n))).Public().(ed25519.PublicKey))
}

func openList(t *testing.T, dir string) *List {
	t.Helper()
	l, err := OpenList(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestList(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	l := openList(t, dir)
	if l.May(testID(1), Play) || len(l.All()) != 0 {
		t.Error("an empty list trusts somebody")
	}
	if err := l.Add(Trusted{ID: testID(1), Name: "Kitchen", Since: now, May: []Right{Play}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Add(Trusted{ID: testID(2), Name: "Attic", Since: now}); err != nil {
		t.Fatal(err)
	}
	if err := l.Note(testID(1), "Big kitchen", now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := l.Note(testID(3), "Stranger", now); err != nil {
		t.Fatal(err)
	}
	again := openList(t, dir)
	got, ok := again.Get(testID(1))
	if !ok || got.Name != "Big kitchen" || !got.Since.Equal(now) || !got.Seen.Equal(now.Add(time.Minute)) {
		t.Errorf("kept: %+v", got)
	}
	for id, want := range map[ID]bool{testID(1): true, testID(2): false, testID(3): false} {
		if again.May(id, Play) != want {
			t.Errorf("%s may play: %v", id.Short(), !want)
		}
	}
	if err := again.Remove(testID(1)); err != nil || again.May(testID(1), Play) || openList(t, dir).May(testID(1), Play) {
		t.Errorf("removed: %v", err)
	}
}

func TestListIsBounded(t *testing.T) {
	l := openList(t, t.TempDir())
	for i := range MaxTrusted {
		l.all = append(l.all, Trusted{ID: testID(i)})
	}
	if err := l.Add(Trusted{ID: testID(MaxTrusted)}); !errors.Is(err, media.ErrFull) || len(l.All()) != MaxTrusted {
		t.Errorf("%d, %v", len(l.All()), err)
	}
}

// TestListOnAFullCard has a write fail: who is not kept is not trusted either.
func TestListOnAFullCard(t *testing.T) {
	l := openList(t, t.TempDir())
	l.name = filepath.Join(t.TempDir(), "gone", listName)
	if err := l.Add(Trusted{ID: testID(1), May: []Right{Play}}); err == nil || l.May(testID(1), Play) {
		t.Errorf("trusted until the next restart: %v", err)
	}
}

func TestDamagedListIsNotAnEmptyOne(t *testing.T) {
	for _, content := range []string{"", "{", `{"trusted":[{"id":"short"}]}`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, listName), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if l, err := OpenList(dir); err == nil {
			t.Errorf("%q: %+v", content, l.All())
		}
	}
}
