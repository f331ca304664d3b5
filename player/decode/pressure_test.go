//go:build linux

package decode_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"manofwar/internal/container/fixture"
	"manofwar/player"
	"manofwar/player/decode"
)

// TestStalledReader stops taking pictures, then sound, and looks how far the other gets. What the buffers hold is what a
// player may rely on; see [decode.Decoder.Open].
func TestStalledReader(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for nothing to happen")
	}
	path := fixture.File(t, "film-1080p30.mkv", "-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30:d=20", "-f", "lavfi", "-i", "sine=d=20:r=48000", "-ac", "2",
		"-c:v", "libx264", "-preset", "veryfast", "-b:v", "8M", "-g", "60", "-pix_fmt", "yuv420p", "-c:a", "aac")
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		r := request(t, d, path)
		sound := stalled(t, d, r, func(s player.Stream) (time.Duration, error) {
			n, at, err := s.Sound(make([]float32, 960))
			return at + time.Duration(n/2)*time.Second/48000, err
		})
		f := frame(r.Format, r.Width, r.Height, 0)
		pictures := stalled(t, d, r, func(s player.Stream) (time.Duration, error) { return s.Picture(f) })
		if sound < 100*time.Millisecond || pictures < time.Second {
			t.Error("the buffers hold too little")
		}
		t.Logf("sound goes on for %v without pictures taken, pictures for %v without sound", sound, pictures)
	})
}

// runs reports whether a process could go on if it were let (proc_pid_stat(5), the states R and D).
func runs(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	return slices.ContainsFunc(threads, func(path string) bool {
		stat, err := os.ReadFile(path)
		_, state, _ := strings.Cut(string(stat), ") ")
		return err == nil && (strings.HasPrefix(state, "R") || strings.HasPrefix(state, "D"))
	})
}

// stalled reads until nothing has come for a second, and returns how far that was.
func stalled(t *testing.T, d *decode.Decoder, r player.Request, read func(player.Stream) (time.Duration, error)) time.Duration {
	t.Helper()
	s := open(t, d, r)
	var reached atomic.Int64
	done := make(chan struct{})
	beat := make(chan struct{}, 1)
	go func() {
		defer close(done)
		for {
			at, err := read(s)
			if err != nil {
				if !errors.Is(err, os.ErrClosed) {
					t.Errorf("it ended with %v", err)
				}
				return
			}
			reached.Store(int64(at))
			select {
			case beat <- struct{}{}:
			default:
			}
		}
	}()
	for began, quiet := time.Now(), false; !quiet; {
		if time.Since(began) > 5*time.Minute {
			t.Error("the decoder does not come to rest")
			break
		}
		select {
		case <-beat:
		case <-time.After(1500 * time.Millisecond):
			quiet = !slices.ContainsFunc(children(t), runs) // on a busy machine it has only not had its turn yet
		}
	}
	for _, pid := range children(t) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err == nil {
			t.Logf("ffmpeg has %s", regexp.MustCompile(`VmRSS:\s*(.*)`).FindStringSubmatch(string(status))[1])
		}
	}
	_ = s.Close()
	<-done
	return time.Duration(reached.Load())
}
