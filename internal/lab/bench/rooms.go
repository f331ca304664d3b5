package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/lab"
	"manofwar/internal/lab/cable"
	"manofwar/internal/media"
	"manofwar/player/null"
	castapi "manofwar/services/cast/api"
)

// Of two rooms in step.
const (
	roomSong    = 90 * time.Second
	roomSettles = 15 * time.Second
	roomFor     = 60 * time.Second
	roomPPM     = 50.0                   // by which one card is fast and the other slow
	clockPPM    = 100.0                  // by which one dongle's clock is fast
	clockAhead  = 5 * time.Hour          // and how far it is ahead
	roomLook    = 100 * time.Millisecond // between two comparisons
)

// between is what is between the rooms: a radio that others use as well.
var between = cable.Quality{Delay: 5 * time.Millisecond, Jitter: 3 * time.Millisecond, Loss: 0.01, Seed: 7}

// Rooms has two dongles play the same song in step, and returns by how many ms what they play differs at one time, the 95th
// percentile over a minute. Each is a set of real services in a network namespace of its own: they find each other by DNS-SD,
// are told to trust each other, and speak over TLS through a [cable] that delays and loses. The second one has no library: it
// gets the song from the first. Their sound cards are 100 ppm apart, and so are their clocks, of which one is hours ahead.
// What the cards played is compared by the host's clock. Of a computer so busy that sound runs dry the figure says little: say
// gets how often each began anew.
func Rooms(ctx context.Context, dir string, say func(string)) (p95 float64, err error) {
	if os.Geteuid() != 0 {
		return 0, errors.New("needs root, to make network namespaces")
	}
	programs, err := imagePrograms(ctx)
	if err != nil {
		return 0, err
	}
	program := filepath.Join(dir, "roommate")
	if err := lab.GoBuild(ctx, program, "manofwar/internal/lab/roommate"); err != nil {
		return 0, err
	}
	home := [2]*dongle{}
	for i := range home {
		home[i] = &dongle{name: fmt.Sprintf("mow-%d-%d", os.Getpid(), i), dir: filepath.Join(dir, strconv.Itoa(i)), program: program, programs: programs}
		home[i].ppm = roomPPM * float64(1-2*i)
		defer home[i].clear()
		if err := home[i].prepare(ctx); err != nil {
			return 0, err
		}
	}
	home[1].ahead, home[1].clockPPM = clockAhead, clockPPM
	if err := slope(ctx, home[0].library()); err != nil {
		return 0, err
	}
	calm, err := urgent() // of a dongle, or a network, that has to wait for its turn the figure says nothing
	if err != nil {
		say(err.Error())
	}
	defer calm()
	wire, err := cable.Plug(ctx, [2]string{home[0].name, home[1].name}, [2]string{"10.77.0.1/24", "10.77.0.2/24"}, between)
	if err != nil {
		return 0, err
	}
	defer wire.Unplug()
	for _, d := range home {
		if err := d.start(ctx); err != nil {
			return 0, err
		}
	}
	began, err := together(ctx, home[0], home[1])
	if err != nil {
		return 0, errors.Join(err, home[0].said(), home[1].said())
	}
	if err := peace(ctx, roomSettles+roomFor); err != nil {
		return 0, err
	}
	ended := time.Now()
	var heard [2][]null.Run
	for i, d := range home {
		if heard[i], err = d.stop(); err != nil {
			return 0, errors.Join(err, d.said())
		}
	}
	say(fmt.Sprintf("the sound of the two began %d and %d times", len(heard[0]), len(heard[1])))
	return apart(heard, began.Add(roomSettles), ended.Add(-2*roomLook))
}

// apart returns by how many ms two cards differed from one time to another, the 95th percentile.
func apart(heard [2][]null.Run, from, to time.Time) (float64, error) {
	var ms []float64
	looks := 0
	for at := from; at.Before(to); at = at.Add(roomLook) {
		looks++
		a, ok1 := slopeAt(heard[0], roomPPM, at)
		b, ok2 := slopeAt(heard[1], -roomPPM, at)
		if ok1 && ok2 { // one that ran dry, as on a busy computer, plays nothing to be compared
			ms = append(ms, math.Abs((a-b).Seconds()*1e3))
		}
	}
	if len(ms) < looks*9/10 {
		return 0, fmt.Errorf("both were heard at %d of %d times only", len(ms), looks)
	}
	return percentile(ms, 95), nil
}

// together has the two trust each other and the first one play the song with the second, and returns when both do.
func together(ctx context.Context, first, second *dongle) (began time.Time, err error) {
	for _, pair := range [][2]*dongle{{first, second}, {second, first}} {
		err := until(ctx, "they find and trust each other", func() error {
			found, err := pair[0].cast.Devices(ctx)
			if err != nil {
				return err
			}
			if len(found.Devices) != 1 {
				return fmt.Errorf("found %d devices", len(found.Devices))
			}
			return pair[0].cast.Trust(ctx, found.Devices[0].ID)
		})
		if err != nil {
			return began, err
		}
	}
	var other string
	err = until(ctx, "the other is a place to play at", func() error {
		list, err := first.cast.Renderers(ctx)
		if err != nil {
			return err
		}
		for _, r := range list.Renderers {
			if r.Kind == castapi.Another && r.Problem == "" {
				other = r.ID
				return nil
			}
		}
		return fmt.Errorf("places: %+v", list.Renderers)
	})
	if err != nil {
		return began, err
	}
	var s castapi.Session
	err = until(ctx, "the song is in the library", func() error {
		s, err = first.cast.Play(ctx, castapi.Play{What: castapi.What{Search: &castapi.Search{Kind: media.Music}}, Renderer: castapi.TV})
		return err
	})
	if err != nil {
		return began, err
	}
	if _, err := first.cast.With(ctx, s.ID, castapi.With{Renderers: []string{other}}); err != nil {
		return began, err
	}
	return began, until(ctx, "both play", func() error {
		began = time.Now()
		s, err = first.cast.Session(ctx, s.ID)
		if err == nil && (s.State != castapi.Playing || len(s.With) != 1 || s.With[0].State != castapi.Playing) {
			err = fmt.Errorf("they are %s and %+v, problem %+v", s.State, s.With, s.Problem)
		}
		return err
	})
}

// dongle is one of the two.
type dongle struct {
	name, dir         string // of its namespace, of all that it keeps
	program, programs string
	ppm, clockPPM     float64
	ahead             time.Duration
	cast              *castapi.Client
	cmd               *exec.Cmd
	log               bytes.Buffer // written to by the process, read when that has ended
}

func (d *dongle) library() string { return filepath.Join(d.dir, "library") }

// prepare makes its namespace and its folders.
func (d *dongle) prepare(ctx context.Context) error {
	for _, sub := range []string{"library", "state", "run"} {
		if err := os.MkdirAll(filepath.Join(d.dir, sub), 0o700); err != nil {
			return err
		}
	}
	if out, err := exec.CommandContext(ctx, "ip", "netns", "add", d.name).CombinedOutput(); err != nil {
		return fmt.Errorf("network namespace: %w: %s", err, out)
	}
	return nil
}

// start starts its services.
func (d *dongle) start(ctx context.Context) error {
	d.cmd = exec.CommandContext(ctx, "ip", "netns", "exec", d.name, d.program, "-library", d.library(), "-state", filepath.Join(d.dir, "state"), "-run", filepath.Join(d.dir, "run"),
		"-record", filepath.Join(d.dir, "heard"), "-programs", d.programs,
		"-ppm", fmt.Sprint(d.ppm), "-ahead", d.ahead.String(), "-clock-ppm", fmt.Sprint(d.clockPPM))
	d.cmd.Stderr = &d.log
	d.cmd.Cancel = func() error { return d.cmd.Process.Signal(syscall.SIGTERM) }
	d.cmd.WaitDelay = 10 * time.Second
	d.cast = castapi.NewClient(filepath.Join(d.dir, "run"))
	if err := d.cmd.Start(); err != nil {
		return err
	}
	return until(ctx, "it answers", func() error {
		_, err := os.Stat(ipc.SocketPath(filepath.Join(d.dir, "run"), castapi.Name))
		return err
	})
}

// stop ends it, and returns what was heard.
func (d *dongle) stop() (runs []null.Run, err error) {
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return nil, err
	}
	err = d.cmd.Wait()
	d.cmd = nil
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(d.dir, "heard"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return runs, gob.NewDecoder(f).Decode(&runs)
}

// said ends it, and returns the last of its log.
func (d *dongle) said() error {
	d.end()
	log := d.log.Bytes()
	return fmt.Errorf("%s: %s", d.name, log[max(0, len(log)-4000):])
}

func (d *dongle) end() {
	if d.cmd != nil && d.cmd.Process != nil {
		_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		_ = d.cmd.Wait()
		d.cmd = nil
	}
}

// clear ends it and removes its namespace.
func (d *dongle) clear() {
	d.end()
	_ = exec.Command("ip", "netns", "delete", d.name).Run() // it may not have come to be
}

// slope writes a song that rises from the least to the greatest sample into a folder: each says where in the song it is.
func slope(ctx context.Context, dir string) error {
	frames := int(roomSong.Seconds()) * songRate
	var raw bytes.Buffer
	for i := range frames {
		v := int32((float64(i)/float64(frames)*2 - 1) * math.MaxInt32)
		_ = binary.Write(&raw, binary.LittleEndian, v) // a buffer takes everything
	}
	pcm := filepath.Join(dir, ".slope.pcm")
	if err := os.WriteFile(pcm, raw.Bytes(), 0o600); err != nil {
		return err
	}
	err := lab.FFmpeg(ctx, "-f", "s32le", "-ar", fmt.Sprint(songRate), "-ac", "1", "-i", pcm, "-c:a", "flac", filepath.Join(dir, "Slope.flac"))
	return errors.Join(err, os.Remove(pcm))
}

// slopeAt returns where in the song a card was at a time.
func slopeAt(runs []null.Run, ppm float64, at time.Time) (time.Duration, bool) {
	for _, run := range runs {
		size := run.Format.FrameSize()
		i := int(at.Sub(run.At).Seconds() * float64(run.Format.Rate) * (1 + ppm/1e6))
		if at.Before(run.At) || (i+1)*size > len(run.PCM) {
			continue
		}
		v := float64(int32(binary.LittleEndian.Uint32(run.PCM[i*size:]))) / (1 << 31)
		return time.Duration((v + 1) / 2 * float64(roomSong)), true
	}
	return 0, false
}
