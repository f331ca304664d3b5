package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/service"
	catalog "manofwar/services/catalog/api"
	"manofwar/services/portal"
	"manofwar/services/stream"
)

// seekRounds is how often each side is measured; the median counts.
const seekRounds = 7

// Seek measures a seek into the middle of a film of two hours in 1080p: the time until the first segment there is
// delivered whole over HTTP on loopback, by the real portal and stream service, and by ffmpeg cutting the same stretch to
// a file of the same kind by copying. dir is where the film is kept between runs: it
// takes 8 GB.
func Seek(ctx context.Context, dir string) (ours, ffmpeg time.Duration, err error) {
	film, err := longFilm(ctx, dir)
	if err != nil {
		return 0, 0, err
	}
	var times [2][]time.Duration
	for range seekRounds {
		t, at, length, err := seekOurs(ctx, film)
		if err != nil {
			return 0, 0, fmt.Errorf("seek by manofwar: %w", err)
		}
		times[0] = append(times[0], t)
		if t, err = seekFFmpeg(ctx, film, at, length); err != nil {
			return 0, 0, fmt.Errorf("seek by ffmpeg: %w", err)
		}
		times[1] = append(times[1], t)
	}
	slices.Sort(times[0])
	slices.Sort(times[1])
	return times[0][seekRounds/2], times[1][seekRounds/2], nil
}

// longFilm makes a minute and repeats it 120 times.
func longFilm(ctx context.Context, dir string) (string, error) {
	film := filepath.Join(dir, "two-hours-1080p.mp4")
	if _, err := os.Stat(film); err == nil {
		return film, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unit, partial := filepath.Join(dir, "minute.mp4"), filepath.Join(dir, "partial.mp4")
	defer os.Remove(unit)
	defer os.Remove(partial)
	for _, args := range [][]string{
		{
			"-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=24:d=60", "-f", "lavfi", "-i", "sine=f=440:b=2:r=48000:d=60", "-c:v", "libx264", "-preset", "ultrafast",
			"-b:v", "8M", "-maxrate", "10M", "-bufsize", "16M", "-bf", "2", "-g", "96", "-keyint_min", "24", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k", "-ac", "2", unit,
		},
		{"-stream_loop", "119", "-i", unit, "-c", "copy", "-movflags", "+faststart", partial},
	} {
		cmd := exec.CommandContext(ctx, "ffmpeg", append([]string{"-nostdin", "-loglevel", "error", "-y"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("make a film of two hours: %w: %s", err, out)
		}
	}
	return film, os.Rename(partial, film)
}

// shelf is a library of one film.
type shelf string

func (s shelf) File(context.Context, media.ID) (catalog.File, error) {
	return catalog.File{Path: string(s), Item: media.Item{ID: "film", Path: filepath.Base(string(s))}}, nil
}

// seekOurs returns how long the segment in the middle took, and which stretch of the film it is. As with any player, the
// playlist was read before: that is when the film is indexed.
func seekOurs(ctx context.Context, film string) (t time.Duration, at, length float64, err error) {
	err = withServices(ctx, film, func(base string) error {
		var playlist strings.Builder
		if err := receive(ctx, base+"/media/film/hls/main.m3u8", &playlist); err != nil {
			return err
		}
		var name string
		name, at, length = middle(playlist.String())
		start := time.Now()
		err := receive(ctx, base+"/media/film/hls/"+name, io.Discard)
		t = time.Since(start)
		return err
	})
	return t, at, length, err
}

// middle returns the segment in the middle of a playlist, when it starts and how long it is, in seconds.
func middle(playlist string) (name string, at, length float64) {
	lines := strings.Split(playlist, "\n")
	total := strings.Count(playlist, "#EXTINF:")
	for n, i := 0, 0; i+1 < len(lines); i++ {
		v, ok := strings.CutPrefix(lines[i], "#EXTINF:")
		if !ok {
			continue
		}
		length, _ = strconv.ParseFloat(strings.TrimSuffix(v, ","), 64) // 0 makes ffmpeg fail
		if n++; n > total/2 {
			return lines[i+1], at, length
		}
		at += length
	}
	return "", 0, 0
}

// withServices runs a portal and a stream service that know the film while f runs.
func withServices(ctx context.Context, film string, f func(base string) error) (err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(ctx)
	addresses := make(chan string, 1)
	services := map[string]service.Service{
		"stream": stream.New(stream.Options{Library: shelf(film)}),
		"portal": portal.New(portal.Options{
			Listen: []string{"127.0.0.1:0"}, Version: "bench", Hosted: true, UI: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}},
			Listening: func(a net.Addr) { addresses <- a.String() },
		}),
	}
	ready, ended := make(chan struct{}, len(services)), make(chan error, len(services))
	for name, s := range services {
		state := filepath.Join(dir, name)
		if err := os.Mkdir(state, 0o700); err != nil {
			cancel()
			return err
		}
		go func() {
			ended <- s.Run(ctx, service.Env{
				Name: name, StateDir: state, RunDir: dir, Log: slog.New(slog.DiscardHandler),
				Ready: func() { ready <- struct{}{} }, Healthy: func(error) {},
			})
		}()
	}
	defer func() {
		cancel()
		for range services {
			if e := <-ended; err == nil && e != nil && !errors.Is(e, context.Canceled) {
				err = e
			}
		}
	}()
	for range services {
		select {
		case <-ready:
		case e := <-ended:
			ended <- nil // for the loop above
			return e
		}
	}
	return f("http://" + <-addresses)
}

// receive copies the body of an answer that has to be a success.
func receive(ctx context.Context, url string, to io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	_, err = io.Copy(to, resp.Body)
	return err
}

// seekFFmpeg returns how long ffmpeg takes to cut the stretch.
func seekFFmpeg(ctx context.Context, film string, at, length float64) (time.Duration, error) {
	out, err := os.CreateTemp("", "bench-*.mp4")
	if err != nil {
		return 0, err
	}
	defer os.Remove(out.Name())
	if err := out.Close(); err != nil {
		return 0, err
	}
	seconds := func(f float64) string { return strconv.FormatFloat(f, 'f', 3, 64) }
	cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-ss", seconds(at+0.01), "-i", film, "-t", seconds(length), "-c", "copy",
		"-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-f", "mp4", out.Name())
	start := time.Now()
	if text, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, text)
	}
	return time.Since(start), nil
}
