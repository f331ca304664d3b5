package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
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

// TestServePlays plays two songs through everything that runs on a dongle, but for its screen and its sound card: the page's
// API, cast, the library, the player and its decoder.
func TestServePlays(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg to decode")
	}
	dir := t.TempDir()
	for i, name := range []string{"a.wav", "b.wav"} {
		if err := os.WriteFile(filepath.Join(dir, name), tone(float64(440*(i+1)), 3*time.Second), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base := serveHere(t, "--player=silent", dir) + "/api/v1"
	news := listen(t, base+"/events")
	news.until(t, "the TV", func(kind string, data []byte) bool {
		return kind == "renderers" && bytes.Contains(data, []byte(`"kind":"tv"`))
	})
	news.until(t, "the songs", func(kind string, data []byte) bool {
		return kind == "library" && bytes.Contains(data, []byte(`"music":2`))
	})
	tapped := time.Now()
	s := post(t, base+"/cast/play", `{"renderer":"tv","search":{"kind":"music"}}`)
	if s.Total != 2 || s.Entry == nil {
		t.Fatalf("got %+v", s)
	}
	playing := func(index int) castapi.Session {
		return news.session(t, func(s castapi.Session) bool { return s.State == castapi.Playing && s.Index == index })
	}
	playing(0)
	t.Logf("plays %v after the tap", time.Since(tapped).Round(time.Millisecond))
	post(t, base+"/cast/sessions/"+s.ID+"/control", `{"do":"pause"}`)
	paused := news.session(t, func(s castapi.Session) bool { return s.State == castapi.Paused })
	post(t, base+"/cast/sessions/"+s.ID+"/control", `{"do":"seek","to":2}`)
	post(t, base+"/cast/sessions/"+s.ID+"/control", `{"do":"play"}`)
	if at := playing(0).Position; at < paused.Position || time.Duration(at) > 3*time.Second {
		t.Errorf("sought to 2 s from %v, and is at %v", time.Duration(paused.Position), time.Duration(at))
	}
	if at := time.Duration(playing(1).Position); at > time.Second {
		t.Errorf("the second song begins at %v", at)
	}
	end := news.session(t, func(s castapi.Session) bool { return s.State == castapi.Stopped })
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

// newspaper is the page's stream of events.
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

// until reads on until is reports what was waited for.
func (n newspaper) until(t *testing.T, what string, is func(kind string, data []byte) bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case ev := <-n.events:
			if is(ev[0], []byte(ev[1])) {
				return
			}
		case <-deadline:
			t.Fatalf("no news of %s", what)
		}
	}
}

func (n newspaper) session(t *testing.T, is func(castapi.Session) bool) (s castapi.Session) {
	t.Helper()
	n.until(t, "the session", func(kind string, data []byte) bool {
		s = castapi.Session{}
		return kind == "session" && json.Unmarshal(data, &s) == nil && is(s)
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
