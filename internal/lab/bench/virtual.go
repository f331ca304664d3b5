package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/media"
	"manofwar/player/api"
)

// Together is how well a film's pictures and sound keep together on a dongle's television, through a seek and a pause.
type Together struct {
	Offset  float64 // 95th percentile, in ms: of how far pictures are from when they were due by the sound that is heard
	Shown   int     // pictures
	Dropped int     // pictures that came too late
	Dry     int     // how often the sound ran dry
}

// The film of the bench is small, and so is its television, as small as they are: a guest that counts its instructions is a slow
// computer.
const (
	virtualBoard           = "qemu-amd64"
	filmWide, filmHigh     = 320, 180
	screenWide, screenHigh = 640, 480
	virtualMemory          = 768 // MiB
	virtualLimit           = 25 * time.Minute
	virtualStep            = 5 * time.Minute // that any one thing may take, by the host's clock
	virtualPoll            = 2 * time.Second // by the host's clock: to be asked is work for the guest
)

// InVirtualTime plays a film of flashes and beeps on the real image, with a screen and a sound card, in a guest whose clock counts
// its instructions: what else the host does changes nothing. say gets what happens, by lines.
//
// In such a guest a disk takes no time of the processor's but all of the clock's, so the film is played once before, as it is
// measured: then it and its decoder are in memory.
func InVirtualTime(ctx context.Context, dir string, say func(string)) (t Together, err error) {
	m, err := virtualTelevision(ctx, dir)
	if err != nil {
		return t, err
	}
	defer m.Close()
	v := virtual{m: m, say: say}
	if err := v.await(ctx, "the film is in the library", func() bool {
		var found struct{ Items []struct{ ID string } }
		if m.JSON(ctx, guestPort, "/api/v1/items?kind=film", &found) != nil || len(found.Items) == 0 {
			return false
		}
		v.film = found.Items[0].ID
		return true
	}); err != nil {
		return t, err
	}
	for range 2 {
		if t, err = v.play(ctx); err != nil {
			return t, err
		}
	}
	return t, nil
}

// virtualTelevision boots the dongle with the film on a stick.
func virtualTelevision(ctx context.Context, dir string) (*lab.Machine, error) {
	library := filepath.Join(dir, "library")
	if err := os.Mkdir(library, 0o755); err != nil {
		return nil, err
	}
	err := lab.FFmpeg(ctx, "-f", "lavfi", "-i", fmt.Sprintf("color=black:s=%dx%d:r=30,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.1)'", filmWide, filmHigh),
		"-f", "lavfi", "-i", "aevalsrc='0.5*lt(mod(t,1),0.1)*sin(2*PI*1000*t)':s=48000", "-t", "300", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "60",
		"-c:a", "aac", "-ac", "2", filepath.Join(library, "Flash and Beep (2026).mkv"))
	if err != nil {
		return nil, err
	}
	stick := filepath.Join(dir, "stick.img")
	if err := lab.Ext4Disk(ctx, stick, library, "Films", 64<<20); err != nil {
		return nil, err
	}
	image, err := lab.Image(ctx, lab.ImageOptions{Dir: dir, Board: virtualBoard})
	if err != nil {
		return nil, err
	}
	m, err := lab.Start(ctx, dir, lab.Config{
		Image: image, Board: virtualBoard, Memory: virtualMemory, Counted: true, Limit: virtualLimit, Ports: []int{guestPort},
		Disks: []lab.Disk{{ID: "stick", Path: stick, USB: true}}, Screen: &lab.Screen{Width: screenWide, Height: screenHigh}, Sound: &lab.Sound{},
	})
	if err != nil {
		return nil, err
	}
	if err := m.AwaitPage(ctx, guestPort); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// virtual is a television in virtual time.
type virtual struct {
	m    *lab.Machine
	film string
	say  func(string)
}

// play plays the film from its begin, leaps, waits and goes on, all as somebody does on the page. What it returns is of the whole.
func (v virtual) play(ctx context.Context) (t Together, err error) {
	var s castSession
	if err := v.post(ctx, "/api/v1/cast/play", map[string]any{"renderer": "tv", "items": []string{v.film}}, &s); err != nil {
		return t, err
	}
	control := func(do map[string]any) error {
		return v.post(ctx, "/api/v1/cast/sessions/"+s.ID+"/control", do, nil)
	}
	steps := []struct {
		what string
		do   map[string]any // nil: nothing
		ok   func(castSession) bool
	}{
		{"the film plays", nil, func(s castSession) bool { return s.State == "playing" && s.Position > 6 }},
		{"it plays elsewhere", map[string]any{"do": "seek", "to": 20}, func(s castSession) bool { return s.State == "playing" && s.Position > 26 }},
		{"it waits", map[string]any{"do": "pause"}, func(s castSession) bool { return s.State == "paused" }},
		{"it goes on", map[string]any{"do": "play"}, func(s castSession) bool { return s.State == "playing" && s.Position > 32 }},
	}
	for _, step := range steps {
		if step.do != nil {
			if err := control(step.do); err != nil {
				return t, err
			}
		}
		var last castSession
		err := v.await(ctx, step.what, func() bool {
			last = castSession{}
			return v.m.JSON(ctx, guestPort, "/api/v1/cast/sessions/"+s.ID, &last) == nil && step.ok(last)
		})
		if err != nil {
			return t, fmt.Errorf("%w; last %+v", err, last)
		}
		if t, err = v.together(ctx); err != nil {
			return t, err
		}
		v.say(fmt.Sprintf("%s, at %.1f s: %+v", step.what, last.Position, t))
	}
	if t.Shown == 0 {
		return t, errors.New("no picture was shown")
	}
	return t, v.post(ctx, "/api/v1/cast/sessions/"+s.ID+"/control", map[string]any{"do": "pause"}, nil)
}

// together returns how it has been since the film began.
func (v virtual) together(ctx context.Context) (Together, error) {
	var tv struct{ Sync api.Sync }
	err := v.m.JSON(ctx, guestPort, "/api/v1/player/settings", &tv)
	return Together{Offset: milliseconds(tv.Sync.Offset), Shown: tv.Sync.Shown, Dropped: tv.Sync.Dropped, Dry: tv.Sync.Underruns}, err
}

func milliseconds(d media.Duration) float64 { return time.Duration(d).Seconds() * 1e3 }

// castSession is the part of a session that the benches look at.
type castSession struct {
	ID       string
	State    string
	Position float64 // in seconds
}

func (v virtual) post(ctx context.Context, path string, body, answer any) error {
	return call(ctx, http.MethodPost, "http://"+v.m.Addr(guestPort)+path, body, answer)
}

// await asks now and then until ok says yes.
func (v virtual) await(ctx context.Context, what string, ok func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, virtualStep, fmt.Errorf("it took more than %v", virtualStep))
	defer cancel()
	return v.m.Await(ctx, what, func() bool {
		if ok() {
			return true
		}
		_ = peace(ctx, virtualPoll) // Await sees that ctx has ended
		return false
	})
}

// call sends body to the web API and decodes the answer, if there is to be one.
func call(ctx context.Context, method, url string, body, answer any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if data, err = io.ReadAll(resp.Body); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s: %s", url, resp.Status, data)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(data, answer)
}
