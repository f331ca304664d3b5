package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	castapi "manofwar/services/cast/api"
)

// songLength is far longer than the test listens: on a busy computer nothing that it waits for passes by meanwhile.
const songLength = 30 * time.Second

// TestServePlays plays two songs through everything that runs on a dongle, but for its screen and its sound card: the page's
// API, cast, the library, the player and its decoder.
func TestServePlays(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg to decode")
	}
	dir := t.TempDir()
	for i, name := range []string{"a.wav", "b.wav"} {
		if err := os.WriteFile(filepath.Join(dir, name), tone(float64(440*(i+1)), songLength), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base := serveHere(t, "--player=silent", dir) + "/api/v1"
	news := listen(t, base+"/events")
	tv, songs := false, false // whichever is told first: neither is told twice
	news.until(t, "the TV and the songs", func(kind string, data []byte) bool {
		tv = tv || kind == "renderers" && bytes.Contains(data, []byte(`"kind":"tv"`))
		songs = songs || kind == "library" && bytes.Contains(data, []byte(`"music":2`))
		return tv && songs
	})
	tapped := time.Now()
	s := post(t, base+"/cast/play", `{"renderer":"tv","search":{"kind":"music"}}`)
	if s.Total != 2 || s.Entry == nil {
		t.Fatalf("got %+v", s)
	}
	control := func(body string) { post(t, base+"/cast/sessions/"+s.ID+"/control", body) }
	playing := func(index int) time.Duration {
		t.Helper()
		return time.Duration(news.session(t, "playing", func(s castapi.Session) bool { return s.State == castapi.Playing && s.Index == index }).Position)
	}
	playing(0)
	t.Logf("plays %v after the tap", time.Since(tapped).Round(time.Millisecond))
	control(`{"do":"pause"}`)
	const last = songLength - time.Second
	news.session(t, "paused", func(s castapi.Session) bool { return s.State == castapi.Paused && time.Duration(s.Position) < last })
	control(fmt.Sprintf(`{"do":"seek","to":%g}`, last.Seconds()))
	news.session(t, "paused near the end", func(s castapi.Session) bool {
		return s.State == castapi.Paused && s.Index == 0 && (time.Duration(s.Position)-last).Abs() < 10*time.Millisecond
	})
	began := time.Now()
	control(`{"do":"play"}`)
	if at, most := playing(1), time.Since(began)-time.Second+100*time.Millisecond; at > most {
		t.Errorf("the second song is at %v, and cannot be past %v", at, most)
	}
	control(fmt.Sprintf(`{"do":"seek","to":%g}`, last.Seconds()))
	end := news.session(t, "stopped", func(s castapi.Session) bool { return s.State == castapi.Stopped })
	if end.Problem != nil {
		t.Errorf("ended with %+v", end.Problem)
	}
}

// serveHere runs "manofwar serve" until the test ends and returns its address.
func serveHere(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer w.Close()
		args := append([]string{"serve", "--listen=127.0.0.1:0", "--state=" + t.TempDir()}, args...)
		if err := run(ctx, args, terminal{in: strings.NewReader(""), out: w, err: t.Output()}); err != nil && ctx.Err() == nil {
			t.Errorf("serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "Open "); ok {
			go func() { _, _ = io.Copy(io.Discard, r) }() // it ends with the program
			return address
		}
	}
	t.Fatal("serve says no address")
	return ""
}

// newspaper is the page's stream of events. It is closed when that ends.
type newspaper struct{ events chan [2]string }

func listen(t *testing.T, url string) newspaper {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	n := newspaper{make(chan [2]string, 1000)}
	go func() {
		defer resp.Body.Close()
		defer close(n.events)
		kind := ""
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if k, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				kind = k
			} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				n.events <- [2]string{kind, data}
			}
		}
	}()
	return n
}

// until reads on until is reports what was waited for. What comes before that is forgotten, but told if it was all there is.
func (n newspaper) until(t *testing.T, what string, is func(kind string, data []byte) bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	var read [][2]string
	for {
		select {
		case ev, ok := <-n.events:
			if !ok {
				t.Fatalf("the news ended before any of %s; they were %q", what, read)
			}
			if is(ev[0], []byte(ev[1])) {
				return
			}
			read = append(read, ev)
		case <-deadline:
			t.Fatalf("no news of %s; they were %q", what, read)
		}
	}
}

// session reads on until the one session is as is wants it. It is told of by itself when it changes, and in a list with all
// others whenever the door has just found cast, which may be after it began.
func (n newspaper) session(t *testing.T, what string, is func(castapi.Session) bool) (s castapi.Session) {
	t.Helper()
	n.until(t, "the session "+what, func(kind string, data []byte) bool {
		s = castapi.Session{}
		switch kind {
		case "session":
			return json.Unmarshal(data, &s) == nil && is(s)
		case "sessions":
			var all castapi.Sessions
			if json.Unmarshal(data, &all) != nil || len(all.Sessions) != 1 {
				return false
			}
			s = all.Sessions[0]
			return is(s)
		}
		return false
	})
	return s
}

func post(t *testing.T, url, body string) (s castapi.Session) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("POST %s %s: %s, %v", url, body, resp.Status, err)
	}
	return s
}

// tone is a WAV file (RIFF, 16 bits, one channel, 48 kHz) of one frequency in Hz.
func tone(frequency float64, length time.Duration) []byte {
	const rate = 48000
	n := int(length.Seconds() * rate)
	var b bytes.Buffer
	b.WriteString("RIFF")
	for _, v := range []any{uint32(36 + 2*n), []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16), []byte("data"), uint32(2 * n)} {
		_ = binary.Write(&b, binary.LittleEndian, v) // a buffer takes everything
	}
	for i := range n {
		_ = binary.Write(&b, binary.LittleEndian, int16(8000*math.Sin(2*math.Pi*frequency*float64(i)/rate)))
	}
	return b.Bytes()
}
