package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/media"
	"manofwar/player/api"
)

// PlayerLoad is what playing a film of 1080p takes, in percent of one processor, to outputs that nobody sees or hears.
type PlayerLoad struct {
	Own     float64 // of the player, without its decoder
	All     float64 // of the player with its decoder
	Peer    float64 // of mpv, which decodes by itself; 0: it was not measured
	RSS     float64 // MB of memory that the player had at most, without its decoder
	Dropped int     // pictures that came too late while it was measured
}

// Ratio compares the player and its decoder with the peer; 0: one was not measured.
func (l PlayerLoad) Ratio() float64 {
	if l.Peer == 0 {
		return 0
	}
	return l.All / l.Peer
}

const (
	loadSettles = 5 * time.Second // after the film has begun: what the begin takes is not what playing takes
	loadFor     = 20 * time.Second
)

// Load plays a film by the real player in a process of its own, and then by mpv.
func Load(ctx context.Context, dir string) (l PlayerLoad, err error) {
	film, err := playerFilm(ctx)
	if err != nil {
		return l, err
	}
	if err := loadOurs(ctx, dir, film, &l); err != nil {
		return l, err
	}
	if l.Peer, err = loadMPV(ctx, film); err != nil {
		return l, fmt.Errorf("mpv: %w", err)
	}
	return l, nil
}

func loadOurs(ctx context.Context, dir, film string, l *PlayerLoad) (err error) {
	program := filepath.Join(dir, "unseen")
	if err := lab.GoBuild(ctx, program, "manofwar/internal/lab/unseen"); err != nil {
		return err
	}
	state, sockets := filepath.Join(dir, "state"), filepath.Join(dir, "run")
	if err := errors.Join(os.Mkdir(state, 0o700), os.Mkdir(sockets, 0o700)); err != nil {
		return err
	}
	cmd, err := withImagePrograms(ctx, exec.Command(program, state, sockets))
	if err != nil {
		return err
	}
	return withProgram(ctx, cmd, func(pid int) error {
		player := api.NewClient(sockets)
		if err := until(ctx, "the player answers", func() error { _, err := player.Status(ctx); return err }); err != nil {
			return err
		}
		if err := player.Load(ctx, api.Load{Item: api.Item{Key: "film", Kind: media.Film, Title: "Film", Path: film}}); err != nil {
			return err
		}
		err := until(ctx, "the film plays", func() error {
			s, err := player.Status(ctx)
			if err == nil && (s.State != api.Playing || s.Sync.Shown == 0) {
				err = fmt.Errorf("the player says %s, problem %+v", s.State, s.Problem)
			}
			return err
		})
		if err != nil {
			return err
		}
		return l.measure(ctx, pid, player)
	})
}

// measure counts what the player and its children take while the film plays.
func (l *PlayerLoad) measure(ctx context.Context, pid int, player *api.Client) error {
	if err := peace(ctx, loadSettles); err != nil {
		return err
	}
	children, err := childrenOf(pid)
	if err != nil {
		return err
	}
	before, err := player.Status(ctx)
	if err != nil {
		return err
	}
	used, err := processorTime(ctx, loadFor, append([]int{pid}, children...)...)
	if err != nil {
		return err
	}
	after, err := player.Status(ctx)
	if err != nil {
		return err
	}
	if shown := after.Sync.Shown - before.Sync.Shown; after.State != api.Playing || shown < int(loadFor.Seconds()*30)/2 {
		return fmt.Errorf("only %d pictures were shown in %v, %s", shown, loadFor, after.State) // less than half is not playing it
	}
	l.Dropped = after.Sync.Dropped - before.Sync.Dropped
	l.Own = used[0]
	for _, u := range used {
		l.All += u
	}
	l.RSS, err = peakMemory(pid)
	return err
}

func loadMPV(ctx context.Context, film string) (float64, error) {
	var used []float64
	mpv := exec.Command("mpv", "--no-config", "--vo=null", "--ao=null", "--hwdec=no", "--really-quiet", film)
	err := withProgram(ctx, mpv, func(pid int) (err error) {
		if err := peace(ctx, loadSettles); err != nil {
			return err
		}
		if used, err = processorTime(ctx, loadFor, pid); err == nil && used[0] == 0 {
			err = errors.New("it plays nothing")
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return used[0], nil
}

// withProgram runs a program while f does. The error has the last of what the program said, if f has one.
func withProgram(ctx context.Context, cmd *exec.Cmd, f func(pid int) error) error {
	var said bytes.Buffer
	if cmd.Stderr = &said; cmd.Stdout == nil {
		cmd.Stdout = &said
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for this process, which ends the other
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	err := f(cmd.Process.Pid)
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	ended := cmd.Wait()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	return fmt.Errorf("%w; it ended by %v and said %q", err, ended, lines[max(0, len(lines)-5):])
}

// untilLimit is how long anything may take to come about.
const untilLimit = time.Minute

// until waits until ok has no error.
func until(ctx context.Context, what string, ok func() error) error {
	return untilSoon(ctx, what, 20*time.Millisecond, ok)
}

// untilSoon is until for what is to be seen as soon as it is so.
func untilSoon(ctx context.Context, what string, every time.Duration, ok func() error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	limit := time.After(untilLimit)
	for {
		err := ok()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("%s: not within %v: %w", what, untilLimit, err)
		case <-tick.C:
		}
	}
}

// processorTime returns what each process takes of a processor meanwhile, in percent.
func processorTime(ctx context.Context, d time.Duration, pids ...int) ([]float64, error) {
	read := func() (t []time.Duration, err error) {
		for _, pid := range pids {
			used, err := processorTimeOf(pid)
			if err != nil {
				return nil, err
			}
			t = append(t, used)
		}
		return t, nil
	}
	began := time.Now()
	before, err := read()
	if err != nil {
		return nil, err
	}
	if err := peace(ctx, d); err != nil {
		return nil, err
	}
	after, err := read()
	if err != nil {
		return nil, err
	}
	percent := make([]float64, len(pids))
	for i := range pids {
		percent[i] = 100 * (after[i] - before[i]).Seconds() / time.Since(began).Seconds()
	}
	return percent, nil
}

// processorTimeOf returns what a process has taken since its start: utime and stime of proc(5)'s stat, in ticks of 10 ms.
func processorTimeOf(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:])) // from the third, state, on
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("process %d: %q", pid, data)
	}
	u, err1 := strconv.Atoi(fields[utime])
	s, err2 := strconv.Atoi(fields[stime])
	return time.Duration(u+s) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// childrenOf returns the processes that a process has started.
func childrenOf(pid int) (children []int, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for _, field := range strings.Fields(string(data)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			children = append(children, child)
		}
	}
	if len(children) == 0 {
		return nil, fmt.Errorf("process %d has no decoder", pid)
	}
	return children, nil
}

// peakMemory returns the most memory that a process had, in MB: VmHWM of proc(5)'s status.
func peakMemory(pid int) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		var kb float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kb); n == 1 {
			return kb * 1024 / 1e6, nil
		}
	}
	return 0, fmt.Errorf("process %d does not say how much memory it had", pid)
}
