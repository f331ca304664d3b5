package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"manofwar/internal/media"
	"manofwar/player/api"
)

// stormy is how many throw commands at once, each of which waits for its answer.
const stormy = 4

// thrower throws random commands at the dongle's player, over its socket as cast does.
type thrower struct {
	player *api.Client
	random *rand.Rand
	paths  []string // of what there is to play
	name   string   // that no other one has
	keys   int
}

// runStorm throws count commands, always the same for the same seed, and prints what the player says once it is calm. The last
// one is a seek: it ends what is played a little faster or slower to keep step with others.
func runStorm(seed, count string, paths []string) error {
	s, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	player := api.NewClient(runDir)
	var throwers sync.WaitGroup
	var failed [stormy]error
	for i := range stormy {
		t := &thrower{player: player, random: rand.New(rand.NewPCG(s, uint64(i))), paths: paths, name: fmt.Sprintf("%d-%d", s, i)}
		throwers.Go(func() { failed[i] = t.run((n - 1 + i) / stormy) })
	}
	throwers.Wait()
	if err := errors.Join(failed[:]...); err != nil {
		return err
	}
	if err := call(func(ctx context.Context) error { return player.Seek(ctx, api.Seek{By: media.Duration(time.Second)}) }); err != nil {
		return err
	}
	return printCalm(player)
}

func (t *thrower) run(n int) error {
	for i := range n {
		if err := t.throw(); err != nil {
			return fmt.Errorf("command %d of %s: %w", i, t.name, err)
		}
	}
	return nil
}

// throw does something, and sometimes lets it be for a while.
func (t *thrower) throw() error {
	pick := t.random.IntN(total(commands))
	for _, c := range commands {
		if pick -= c.often; pick < 0 {
			if err := call(func(ctx context.Context) error { return c.do(ctx, t) }); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			break
		}
	}
	if t.random.IntN(100) == 0 {
		time.Sleep(time.Duration(t.random.IntN(500)) * time.Millisecond)
	}
	return nil
}

// command is one that can be thrown, and how often beside the others.
type command struct {
	name  string
	often int
	do    func(context.Context, *thrower) error
}

var commands = []command{
	{"load", 4, func(ctx context.Context, t *thrower) error {
		next := t.item("")
		return t.player.Load(ctx, api.Load{Item: t.item(""), Next: &next, Paused: t.random.IntN(4) == 0})
	}},
	{"next", 6, func(ctx context.Context, t *thrower) error {
		if t.random.IntN(4) == 0 {
			return t.player.SetNext(ctx, nil)
		}
		it := t.item("")
		return t.player.SetNext(ctx, &it)
	}},
	{"play", 15, func(ctx context.Context, t *thrower) error { return t.player.Play(ctx) }},
	{"pause", 12, func(ctx context.Context, t *thrower) error { return t.player.Pause(ctx) }},
	{"stop", 2, func(ctx context.Context, t *thrower) error { return t.player.Stop(ctx) }},
	{"seek", 10, func(ctx context.Context, t *thrower) error {
		to := media.Duration(t.random.Int64N(int64(20 * time.Second)))
		return t.player.Seek(ctx, api.Seek{To: &to})
	}},
	{"seek by", 8, func(ctx context.Context, t *thrower) error {
		return t.player.Seek(ctx, api.Seek{By: media.Duration(t.random.Int64N(int64(20*time.Second))) - media.Duration(10*time.Second)})
	}},
	{"volume", 15, func(ctx context.Context, t *thrower) error {
		volume, muted := t.random.IntN(101), t.random.IntN(4) == 0
		return t.player.Change(ctx, api.Change{Volume: &volume, Muted: &muted})
	}},
	{"speed", 4, func(ctx context.Context, t *thrower) error {
		speed := 1.0
		if t.random.IntN(2) == 0 {
			speed = 0.5 + 1.5*t.random.Float64()
		}
		return t.player.Change(ctx, api.Change{Speed: &speed})
	}},
	{"tracks", 6, func(ctx context.Context, t *thrower) error {
		audio, subtitle := t.random.IntN(4)-1, t.random.IntN(4)-1
		return t.player.Change(ctx, api.Change{Audio: &audio, Subtitle: &subtitle})
	}},
	{"align", 4, func(ctx context.Context, t *thrower) error {
		return t.player.Align(ctx, api.Align{Key: t.key(), Position: media.Duration(t.random.Int64N(int64(5 * time.Second))), At: time.Now()})
	}},
	{"settings", 2, func(ctx context.Context, t *thrower) error {
		return t.player.Set(ctx, api.Settings{
			ReplayGain: []string{"off", "track", "album"}[t.random.IntN(3)], MatchRate: t.random.IntN(2) == 0,
			Crossfade: media.Duration(t.random.IntN(3)) * media.Duration(time.Second),
		})
	}},
	{"notice", 6, func(ctx context.Context, t *thrower) error {
		return t.player.Notice(ctx, api.Notice{Text: "Storm", For: media.Duration(t.random.IntN(int(time.Second)))})
	}},
	{"status", 6, func(ctx context.Context, t *thrower) error {
		_, err := t.player.Status(ctx)
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
func (t *thrower) item(path string) api.Item {
	if path == "" {
		path = "/media/nothing.flac"
		if t.random.IntN(8) > 0 {
			path = t.paths[t.random.IntN(len(t.paths))]
		}
	}
	kind := media.Film
	if filepath.Ext(path) == ".flac" {
		kind = media.Music
	}
	t.keys++
	return api.Item{Key: t.key(), Kind: kind, Path: path, Title: filepath.Base(path)}
}

// key names the newest entry.
func (t *thrower) key() string { return fmt.Sprintf("%s-%d", t.name, t.keys) }
