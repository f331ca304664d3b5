package dongle

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/peerlink"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

func TestTrustIsGivenOnBothSides(t *testing.T) {
	a, b := newHome(t, "Living room", t.TempDir(), peerlink.Skew{}), newHome(t, "Küche", t.TempDir(), peerlink.Skew{})
	if err := a.network.Trust(b.id()); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("trusted what was never seen: %v", err)
	}
	a.find(b)
	if d := a.knows(b); d.Name != "Küche" || !d.Here || d.Trusted || d.Short != b.network.Holder.ID.Short() {
		t.Errorf("found: %+v", d)
	}
	if err := a.network.Trust(b.id()); err != nil {
		t.Fatal(err)
	}
	a.until("waits for the other side", func() bool { return a.knows(b).Problem != "" })
	b.until("is asked", func() bool { d := b.knows(a); return d.Asks && d.Name == "Living room" && !d.Trusted })
	if a.place(b) != nil || b.place(a) != nil {
		t.Error("one side is enough")
	}
	if err := b.network.Trust(a.id()); err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]*home{{a, b}, {b, a}} {
		pair[0].until("has a place to play at", func() bool { return pair[0].place(pair[1]) != nil })
		d := pair[0].knows(pair[1])
		if !d.Trusted || !d.Trusts || d.Problem != "" || d.Since.IsZero() || d.Asks {
			t.Errorf("%s: %+v", pair[0].name, d)
		}
	}
	a.mu.Lock()
	info := a.infos[api.DonglePrefix+b.id()]
	a.mu.Unlock()
	if info.Name != "Küche" || info.Kind != api.Another || !info.Exact || info.Detail != "Test TV" {
		t.Errorf("place: %+v", info)
	}
	if err := b.network.Distrust(a.id()); err != nil {
		t.Fatal(err)
	}
	a.until("has no place any more", func() bool { return a.place(b) == nil })
	b.until("has no place any more", func() bool { return b.place(a) == nil })
}

// TestLateAnswersCountNoMore has a link be answered after its device was removed, and after that was trusted anew.
func TestLateAnswersCountNoMore(t *testing.T) {
	a, b := newHome(t, "A", t.TempDir(), peerlink.Skew{}), newHome(t, "B", t.TempDir(), peerlink.Skew{})
	a.befriend(b)
	a.network.mu.Lock()
	old := a.network.devices[b.network.Holder.ID].link
	a.network.mu.Unlock()
	if err := a.network.Distrust(b.id()); err != nil {
		t.Fatal(err)
	}
	old.told(true, true)
	if d := a.knows(b); d.Trusts || d.Problem != "" {
		t.Errorf("removed: %+v", d)
	}
	if err := a.network.Trust(b.id()); err != nil {
		t.Fatal(err)
	}
	a.until("has a place again", func() bool { return a.place(b) != nil && a.knows(b).Here })
	old.told(false, false)
	if d := a.knows(b); !d.Here || !d.Trusts {
		t.Errorf("trusted anew: %+v", d)
	}
}

// TestAProvedAddressStays has somebody say in the network that a device, which answers, is elsewhere.
func TestAProvedAddressStays(t *testing.T) {
	a, b := newHome(t, "A", t.TempDir(), peerlink.Skew{}), newHome(t, "B", t.TempDir(), peerlink.Skew{})
	a.befriend(b)
	proved := fmt.Sprintf("127.0.0.1:%d", b.network.port)
	a.network.mu.Lock()
	l := a.network.devices[b.network.Holder.ID].link
	a.network.mu.Unlock()
	for _, said := range [][]string{{"192.0.2.1:1"}, {"192.0.2.1:1", proved}, {"192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1", "192.0.2.4:1"}} {
		a.network.Found(peerlink.Found{ID: b.network.Holder.ID, Name: "B", Addresses: said})
		a.network.mu.Lock()
		all := slices.Clone(a.network.devices[b.network.Holder.ID].addresses)
		a.network.mu.Unlock()
		if got := l.address(); got != proved || all[1] != said[0] || len(all) > maxAddresses {
			t.Errorf("after %v: at %s of %v", said, got, all)
		}
	}
}

// TestTrustOutlivesARestart, and so does who a device is.
func TestTrustOutlivesARestart(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	a, b := newHome(t, "A", dirs[0], peerlink.Skew{}), newHome(t, "B", dirs[1], peerlink.Skew{})
	a.befriend(b)
	b.stop()
	a.until("is alone", func() bool { return a.place(b) == nil && !a.knows(b).Here })
	again := newHome(t, "B", dirs[1], peerlink.Skew{Offset: time.Hour})
	if again.id() != b.id() {
		t.Fatal("it is somebody else")
	}
	a.find(again) // on another port
	a.until("has a place again", func() bool { return a.place(again) != nil })
}

// TestNothingMoreWithoutTrust has a film fetched when its owner trusts the other device no more.
func TestNothingMoreWithoutTrust(t *testing.T) {
	a, b := newHome(t, "A", t.TempDir(), peerlink.Skew{}), newHome(t, "B", t.TempDir(), peerlink.Skew{})
	a.befriend(b)
	film := filepath.Join(t.TempDir(), "film.mkv")
	if err := os.WriteFile(film, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const size = 16 << 30 // of nothing: more than passes before it is cut off
	if err := os.Truncate(film, size); err != nil {
		t.Fatal(err)
	}
	item := &renderer.Item{Key: "s1.1.1", Media: media.Item{ID: "i1", Kind: media.Film, Tags: media.Tags{Title: "Film"}}, Path: film}
	a.place(b).Order(renderer.Order{Entry: item, Play: true, Speed: 1, Seek: api.Seek{Number: 1}})
	address := ""
	b.until("has it", func() bool {
		s, _ := b.player.Status(t.Context())
		if s.Item != nil {
			address = s.Item.URL
		}
		return address != ""
	})
	req, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := a.network.Distrust(b.id()); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Errorf("%d bytes of %d came", n, int64(size))
	}
	a.until("offers it no more", func() bool {
		_, ok := a.network.door.offeredTo(b.network.Holder.ID, "s1.1.1")
		return !ok
	})
}

// TestNothingIsWaitedForWithoutTrust has a device be removed while the rest of its command is still to come.
func TestNothingIsWaitedForWithoutTrust(t *testing.T) {
	a, b := newHome(t, "A", t.TempDir(), peerlink.Skew{}), newHome(t, "B", t.TempDir(), peerlink.Skew{})
	a.befriend(b)
	tr, err := peerlink.Dial(a.network.Holder, b.network.Holder.ID, func() string { return fmt.Sprintf("127.0.0.1:%d", b.network.port) })
	if err != nil {
		t.Fatal(err)
	}
	defer tr.CloseIdleConnections()
	conn, err := tr.DialContext(t.Context(), "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /player/load HTTP/1.1\r\nHost: b\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, len("HTTP/1.1 100"))
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 100" {
		t.Fatalf("it is not read: %q, %v", answer, err)
	}
	if err := b.network.Distrust(a.id()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("it is waited for")
	}
}
