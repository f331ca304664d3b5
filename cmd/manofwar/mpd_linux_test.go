package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMPCDrives has mpc, the Music Player Daemon's own client, find three songs and play them through everything that runs on
// a dongle but for its screen and its sound card.
func TestMPCDrives(t *testing.T) {
	for _, program := range []string{"ffmpeg", "mpc"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("needs " + program)
		}
	}
	dir := t.TempDir()
	for i := range 3 {
		recorded(t, filepath.Join(dir, fmt.Sprintf("%d.flac", i+1)), fmt.Sprintf("Wave %d", i+1), fmt.Sprintf("Sailor %d", i%2))
	}
	m := mpc{address: freeAddress(t)}
	base := serveHere(t, "--player=silent", "--mpd="+m.address, dir) + "/api/v1"
	news := listen(t, base+"/events")
	tv, root := false, ""
	news.until(t, "the TV and the songs", func(kind string, data []byte) bool { // in whatever order, each once
		var library struct {
			Music int
			Roots []struct{ ID string }
		}
		switch {
		case kind == "renderers":
			tv = tv || bytes.Contains(data, []byte(`"kind":"tv"`))
		case kind == "library" && json.Unmarshal(data, &library) == nil && library.Music == 3 && len(library.Roots) == 1:
			root = library.Roots[0].ID
		}
		return tv && root != ""
	})
	if _, err := m.try(t, "status"); err == nil {
		t.Fatal("somebody is let in whom the owner did not let in")
	}
	put(t, base+"/guests", `{"mpd":{"on":true,"libraries":["`+root+`"]}}`)
	m.until(t, "volume:", "status")

	m.expect(t, "Sailor 0\nSailor 1\n", "list", "artist")
	m.expect(t, "Wave 2\n", "--format=%title%", "search", "artist", "sailor 1")
	if got := m.run(t, "stats"); !strings.Contains(got, "Songs:        3") {
		t.Errorf("stats: %s", got)
	}
	m.run(t, "findadd", "artist", "Sailor 0")
	m.run(t, "add", strings.TrimSpace(m.run(t, "search", "title", "wave 2")))
	m.expect(t, "Wave 1\nWave 3\nWave 2\n", "--format=%title%", "playlist")

	m.run(t, "play")
	m.until(t, "[playing] #1/3", "status")
	m.expect(t, "Sailor 0: Wave 1\n", "--format=%artist%: %title%", "current")
	m.run(t, "next")
	m.until(t, "[playing] #2/3", "status")
	m.run(t, "pause")
	m.until(t, "[paused]  #2/3", "status")
	m.run(t, "seek", "00:12")
	m.until(t, "0:12/10:00", "status")
	m.run(t, "move", "3", "1")
	m.expect(t, "Wave 2\nWave 1\nWave 3\n", "--format=%title%", "playlist")
	m.run(t, "del", "2")
	m.until(t, "[paused]  #2/2", "status")
	m.run(t, "play", "1")
	m.until(t, "[playing] #1/2", "status")
	m.run(t, "stop")
	if got := m.until(t, "volume:", "status"); strings.Contains(got, "[") {
		t.Errorf("stopped, it is %s", got)
	}

	m.hears(t, "mixer", func(n int) { m.run(t, "volume", strconv.Itoa(35+n%2)) })
	m.run(t, "volume", "35")
	m.until(t, "volume: 35%", "status")
	m.run(t, "repeat", "on")
	m.run(t, "random", "on")
	m.until(t, "repeat: on    random: on", "status")
	if got := m.run(t, "outputs"); !strings.Contains(got, "is enabled") {
		t.Errorf("outputs: %s", got)
	}
	m.run(t, "clear")
	m.expect(t, "", "playlist")

	put(t, base+"/guests", `{"mpd":{"on":false,"libraries":["`+root+`"]}}`)
	for deadline := time.Now().Add(time.Minute); ; {
		if _, err := m.try(t, "status"); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it is still spoken after it was turned off")
		}
	}
}

// mpc runs the program.
type mpc struct{ address string }

func (m mpc) command(ctx context.Context, args []string) *exec.Cmd {
	host, port, _ := net.SplitHostPort(m.address)
	return exec.CommandContext(ctx, "mpc", append([]string{"--host=" + host, "--port=" + port}, args...)...)
}

func (m mpc) try(t *testing.T, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := m.command(ctx, args).CombinedOutput()
	return string(out), err
}

func (m mpc) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := m.try(t, args...)
	if err != nil {
		t.Fatalf("mpc %v: %v: %s", args, err, out)
	}
	return out
}

func (m mpc) expect(t *testing.T, want string, args ...string) {
	t.Helper()
	if got := m.run(t, args...); got != want {
		t.Errorf("mpc %v: got %q, want %q", args, got, want)
	}
}

// until runs it until it says so.
func (m mpc) until(t *testing.T, want string, args ...string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		out, err := m.try(t, args...)
		if err == nil && strings.Contains(out, want) {
			return out
		}
		if time.Now().After(deadline) {
			t.Fatalf("mpc %v: %v, %s; want %s", args, err, out, want)
		}
	}
}

// hears has it wait for news of a subsystem while something is done again and again: when it has begun to wait nobody knows.
func (m mpc) hears(t *testing.T, of string, again func(n int)) {
	t.Helper()
	told := make(chan string, 1)
	go func() {
		out, err := m.try(t, "idle", of)
		told <- fmt.Sprint(out, err)
	}()
	for n := 0; ; n++ {
		again(n)
		select {
		case got := <-told:
			if got != of+"\n<nil>" {
				t.Errorf("idle told of %q", got)
			}
			return
		default:
		}
	}
}

// recorded makes a song of ten minutes.
func recorded(t *testing.T, file, title, artist string) {
	t.Helper()
	cmd := exec.CommandContext(
		t.Context(), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=frequency=440:duration=600:sample_rate=8000",
		"-metadata", "title="+title, "-metadata", "artist="+artist, "-metadata", "album=Sea", file,
	)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// freeAddress returns one of this computer on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func put(t *testing.T, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("PUT %s: %s", url, resp.Status)
	}
}
