package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/lab/guest"
	"manofwar/internal/media"
	"manofwar/player/api"
)

// storm throws random commands at the dongle's player, over its socket as cast does, and prints as JSON what the player takes
// of the machine when it is idle before and after.
type storm struct {
	player *api.Client
	random *rand.Rand
	paths  []string // of what there is to play
	keys   int
}

const (
	// answerLimit is how long the player may take to answer a command, calmLimit how long to come to rest after many.
	answerLimit = 20 * time.Second
	calmLimit   = time.Minute
	// calmEvery is after how many commands it has to.
	calmEvery = 500
)

// newStorm returns one that always throws the same for the same seed.
func newStorm(seed uint64, paths []string) *storm {
	return &storm{
		player: api.NewClient("/proc/1/root/run/manofwar"), // the dongle's root: this program has another one
		random: rand.New(rand.NewPCG(seed, 1)), paths: paths,
	}
}

// runStorm throws count commands.
func runStorm(seed, count string, paths []string) error {
	s, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	report, err := newStorm(s, paths).run(n)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

func (s *storm) run(n int) (report guest.Storm, err error) {
	chosen, err := s.status()
	if err != nil {
		return report, err
	}
	if report.Before, err = s.idle(); err != nil {
		return report, err
	}
	for i := range n {
		if err := s.throw(); err != nil {
			return report, fmt.Errorf("command %d: %w", i, err)
		}
		if (i+1)%calmEvery != 0 {
			continue
		}
		if err := s.calm(); err != nil {
			return report, fmt.Errorf("after %d commands: %w", i+1, err)
		}
	}
	report.Commands = n
	if err := s.restore(chosen); err != nil {
		return report, err
	}
	report.After, err = s.idle()
	return report, err
}

// idle plays everything once, has the player stop, waits until nothing decodes any more, and measures it.
func (s *storm) idle() (u guest.Usage, err error) {
	for _, path := range s.paths {
		if err := s.call(func(ctx context.Context) error { return s.player.Load(ctx, api.Load{Item: s.item(path)}) }); err != nil {
			return u, err
		}
		if _, err := s.until("it plays", func(now api.Status) bool { return now.State == api.Playing }); err != nil {
			return u, err
		}
	}
	if err := s.call(s.player.Stop); err != nil {
		return u, err
	}
	if _, err := s.until("it is idle", func(now api.Status) bool { return now.State == api.Idle }); err != nil {
		return u, err
	}
	deadline := time.Now().Add(calmLimit)
	for {
		if u, err = usage("player"); err != nil || u.Children == 0 {
			return u, err
		}
		if time.Now().After(deadline) {
			return u, fmt.Errorf("%d decoders go on though nothing is played", u.Children)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// restore lets everything be as it was, but for what is played.
func (s *storm) restore(was api.Status) error {
	muted := false
	for _, do := range []func(context.Context) error{
		func(ctx context.Context) error { return s.player.Set(ctx, was.Settings) },
		func(ctx context.Context) error {
			return s.player.Change(ctx, api.Change{Volume: &was.Volume, Speed: &was.Speed, Muted: &muted})
		},
	} {
		if err := s.call(do); err != nil {
			return err
		}
	}
	return nil
}

// calm waits until what was asked for last is so, and looks whether the player's words fit together.
func (s *storm) calm() error {
	now, err := s.until("it has opened what it was to play", func(now api.Status) bool { return now.State != api.Loading })
	if err != nil {
		return err
	}
	if (now.Item == nil) != (now.State == api.Idle) || now.Position < 0 || now.Duration > 0 && now.Position > now.Duration {
		return fmt.Errorf("it is %s of %+v at %v of %v", now.State, now.Item, time.Duration(now.Position), time.Duration(now.Duration))
	}
	return nil
}

// until asks until ok is pleased.
func (s *storm) until(what string, ok func(api.Status) bool) (now api.Status, err error) {
	deadline := time.Now().Add(calmLimit)
	for {
		if now, err = s.status(); err != nil || ok(now) {
			return now, err
		}
		if time.Now().After(deadline) {
			return now, fmt.Errorf("not within %v: %s; it is %s at %v", calmLimit, what, now.State, time.Duration(now.Position))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *storm) status() (now api.Status, err error) {
	return now, s.call(func(ctx context.Context) (err error) {
		now, err = s.player.Status(ctx)
		return err
	})
}

// call does one thing. A command that means nothing now may be refused; none may go without an answer.
func (s *storm) call(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), answerLimit)
	defer cancel()
	err := do(ctx)
	if errors.Is(err, media.ErrInvalid) || errors.Is(err, media.ErrNotFound) {
		return nil
	}
	return err
}

// throw does something, and sometimes lets it be for a while.
func (s *storm) throw() error {
	pick := s.random.IntN(total(commands))
	for _, c := range commands {
		if pick -= c.often; pick < 0 {
			if err := s.call(func(ctx context.Context) error { return c.do(ctx, s) }); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			break
		}
	}
	if s.random.IntN(100) == 0 {
		time.Sleep(time.Duration(s.random.IntN(500)) * time.Millisecond)
	}
	return nil
}

// command is one that can be thrown, and how often beside the others.
type command struct {
	name  string
	often int
	do    func(context.Context, *storm) error
}

var commands = []command{
	{"load", 4, func(ctx context.Context, s *storm) error {
		next := s.item("")
		return s.player.Load(ctx, api.Load{Item: s.item(""), Next: &next, Paused: s.random.IntN(4) == 0})
	}},
	{"next", 6, func(ctx context.Context, s *storm) error {
		if s.random.IntN(4) == 0 {
			return s.player.SetNext(ctx, nil)
		}
		it := s.item("")
		return s.player.SetNext(ctx, &it)
	}},
	{"play", 15, func(ctx context.Context, s *storm) error { return s.player.Play(ctx) }},
	{"pause", 12, func(ctx context.Context, s *storm) error { return s.player.Pause(ctx) }},
	{"stop", 2, func(ctx context.Context, s *storm) error { return s.player.Stop(ctx) }},
	{"seek", 10, func(ctx context.Context, s *storm) error {
		to := media.Duration(s.random.Int64N(int64(20 * time.Second)))
		return s.player.Seek(ctx, api.Seek{To: &to})
	}},
	{"seek by", 8, func(ctx context.Context, s *storm) error {
		return s.player.Seek(ctx, api.Seek{By: media.Duration(s.random.Int64N(int64(20*time.Second))) - media.Duration(10*time.Second)})
	}},
	{"volume", 15, func(ctx context.Context, s *storm) error {
		volume, muted := s.random.IntN(101), s.random.IntN(4) == 0
		return s.player.Change(ctx, api.Change{Volume: &volume, Muted: &muted})
	}},
	{"speed", 4, func(ctx context.Context, s *storm) error {
		speed := 0.5 + 1.5*s.random.Float64()
		return s.player.Change(ctx, api.Change{Speed: &speed})
	}},
	{"tracks", 6, func(ctx context.Context, s *storm) error {
		audio, subtitle := s.random.IntN(4)-1, s.random.IntN(4)-1
		return s.player.Change(ctx, api.Change{Audio: &audio, Subtitle: &subtitle})
	}},
	{"align", 4, func(ctx context.Context, s *storm) error {
		return s.player.Align(ctx, api.Align{Key: strconv.Itoa(s.keys), Position: media.Duration(s.random.Int64N(int64(5 * time.Second))), At: time.Now()})
	}},
	{"settings", 2, func(ctx context.Context, s *storm) error {
		return s.player.Set(ctx, api.Settings{
			ReplayGain: []string{"off", "track", "album"}[s.random.IntN(3)], MatchRate: s.random.IntN(2) == 0,
			Crossfade: media.Duration(s.random.IntN(3)) * media.Duration(time.Second),
		})
	}},
	{"notice", 6, func(ctx context.Context, s *storm) error {
		return s.player.Notice(ctx, api.Notice{Text: "Storm", For: media.Duration(s.random.IntN(int(time.Second)))})
	}},
	{"status", 6, func(ctx context.Context, s *storm) error {
		_, err := s.player.Status(ctx)
		return err
	}},
}

func total(list []command) (n int) {
	for _, c := range list {
		n += c.often
	}
	return n
}

// item returns a new entry; of an empty path, any, and now and then of one that is not there.
func (s *storm) item(path string) api.Item {
	if path == "" {
		path = "/media/nothing.flac"
		if s.random.IntN(8) > 0 {
			path = s.paths[s.random.IntN(len(s.paths))]
		}
	}
	kind := media.Film
	if filepath.Ext(path) == ".flac" {
		kind = media.Music
	}
	s.keys++
	return api.Item{Key: strconv.Itoa(s.keys), Kind: kind, Path: path, Title: filepath.Base(path)}
}

// usage measures one of the dongle's services.
func usage(service string) (u guest.Usage, err error) {
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return u, err
	}
	var pid string
	parents := make(map[string]string)
	for _, proc := range procs {
		line, err := os.ReadFile(filepath.Join(proc, "cmdline"))
		if err != nil {
			continue // it has ended
		}
		if bytes.Equal(line, []byte("/bin/manofwar\x00"+service+"\x00")) {
			pid = filepath.Base(proc)
		}
		parents[filepath.Base(proc)] = field(proc, "PPid")
	}
	if pid == "" {
		return u, fmt.Errorf("%s does not run", service)
	}
	for _, parent := range parents {
		if parent == pid {
			u.Children++
		}
	}
	open, err := os.ReadDir(filepath.Join("/proc", pid, "fd"))
	if err != nil {
		return u, err
	}
	u.PID, u.Files = pid, len(open)
	for name, to := range map[string]*int{"VmRSS": &u.Resident, "Threads": &u.Threads} {
		if _, err := fmt.Sscan(field(filepath.Join("/proc", pid), name), to); err != nil {
			return u, fmt.Errorf("%s of %s: %w", name, service, err)
		}
	}
	return u, nil
}

// field returns what /proc says of a process under a name.
func field(proc, name string) string {
	text, _ := os.ReadFile(filepath.Join(proc, "status")) // it may have ended
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
