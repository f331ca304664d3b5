package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/decode"
	"manofwar/player/null"
)

// Reaction is how soon a command to the player is seen and heard, in ms: medians, on outputs that nobody sees or hears, while it
// plays a film of 1080p.
type Reaction struct {
	Pause    float64 // until the last picture has changed and the last sample that is not silence was heard
	Seek     float64 // until both pictures and sound of the other place are there
	PeerSeek float64 // the same leaps in mpv, until it says that it plays again; 0: it was not measured
}

// Ratio compares seeks; 0: mpv's were not measured.
func (r Reaction) Ratio() float64 {
	if r.PeerSeek == 0 {
		return 0
	}
	return r.Seek / r.PeerSeek
}

// reactRounds is how often each command is given; the median counts.
const reactRounds = 20

// React measures the player's reactions. dir is for a socket of mpv's.
func React(ctx context.Context, dir string) (r Reaction, err error) {
	film, err := playerFilm(ctx)
	if err != nil {
		return r, err
	}
	err = withRoom(ctx, func(room *room) error {
		if err := room.load(ctx, film); err != nil {
			return err
		}
		if r.Pause, err = medianOf(room.pause(ctx)); err != nil {
			return fmt.Errorf("pause: %w", err)
		}
		r.Seek, err = medianOf(room.leaps(ctx))
		return err
	})
	if err != nil {
		return r, err
	}
	if r.PeerSeek, err = medianOf(leapsOfMPV(ctx, filepath.Join(dir, "mpv.sock"), film)); err != nil {
		return r, fmt.Errorf("mpv: %w", err)
	}
	return r, nil
}

func medianOf(v []float64, err error) (float64, error) {
	if err != nil {
		return 0, err
	}
	return median(v), nil
}

// room is a player whose outputs keep all that is seen and heard.
type room struct {
	*player.Engine
	display *null.Display
	sound   *null.Sound
}

// withRoom runs a player with the image's ffmpeg while f does, in real time.
func withRoom(ctx context.Context, f func(*room) error) error {
	programs, err := imagePrograms(ctx)
	if err != nil {
		return err
	}
	decoder := &decode.Decoder{FFmpeg: filepath.Join(programs, "ffmpeg"), FFprobe: filepath.Join(programs, "ffprobe")}
	r := &room{
		display: null.NewDisplay(null.DisplayOptions{Record: true, Screen: player.Screen{
			Connector: "none", Mode: roomMode, Formats: []player.Format{player.YUV420}, Scales: true, VBlank: true,
		}}),
		sound: null.NewSound(null.SoundOptions{Record: true, Sample: player.S32}),
	}
	r.Engine = player.New(player.Options{Display: r.display, Sound: r.sound, Decoder: decoder, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = r.Run(ctx) }) // which returns nil
	err = f(r)
	cancel()
	running.Wait()
	return errors.Join(err, r.sound.Close(), r.display.Close())
}

var roomMode = player.Mode{Width: 1920, Height: 1080, Refresh: 60, Preferred: true}

// load plays a film, and returns when it does.
func (r *room) load(ctx context.Context, film string) error {
	r.Load(api.Load{Item: api.Item{Key: "film", Kind: media.Film, Title: "Film", Path: film}})
	return r.plays(ctx)
}

func (r *room) plays(ctx context.Context) error {
	return until(ctx, "it plays", func() error {
		if s := r.Status(); s.State != api.Playing {
			return fmt.Errorf("it is %s, problem %+v", s.State, s.Problem)
		}
		return nil
	})
}

// pause waits again and again, and returns how long each took.
func (r *room) pause(ctx context.Context) (took []float64, err error) {
	const plays, waits = 800 * time.Millisecond, 600 * time.Millisecond
	for n := range reactRounds {
		if err := peace(ctx, plays+time.Duration(n)*7*time.Millisecond); err != nil { // at another moment between two pictures each time
			return nil, err
		}
		asked := time.Now()
		r.Pause()
		if err := peace(ctx, waits); err != nil {
			return nil, err
		}
		if s := r.Status(); s.State != api.Paused {
			return nil, fmt.Errorf("it is %s", s.State)
		}
		runs, pictures := r.sound.Runs(), r.display.Pictures()
		if len(runs) == 0 || len(pictures) == 0 {
			return nil, errors.New("nothing was played")
		}
		last := silentFrom(runs[len(runs)-1])
		if seen := pictures[len(pictures)-1].At; seen.After(last) {
			last = seen
		}
		took = append(took, max(0, last.Sub(asked).Seconds()*1e3))
		r.Play()
		if err := r.plays(ctx); err != nil {
			return nil, err
		}
	}
	return took, nil
}

// silentFrom returns when the last sample of a run that is not silence was heard.
func silentFrom(run null.Run) time.Time {
	n := len(run.PCM)
	for n > 0 && run.PCM[n-1] == 0 {
		n--
	}
	frames := (n + run.Format.FrameSize() - 1) / run.Format.FrameSize()
	return run.At.Add(time.Duration(frames) * time.Second / time.Duration(run.Format.Rate))
}

// leaps are the places in the film to seek to, from one half into the other and back, between pictures that are coded whole.
func leaps() (to []time.Duration) {
	for n := range reactRounds {
		at := 3*time.Second + time.Duration(n)*1130*time.Millisecond
		if n%2 == 0 {
			at += filmHalf
		}
		to = append(to, at)
	}
	return to
}

// leaps seeks again and again, and returns how long each took.
func (r *room) leaps(ctx context.Context) (took []float64, err error) {
	for n, to := range leaps() {
		if err := peace(ctx, 1500*time.Millisecond); err != nil {
			return nil, err
		}
		asked := time.Now()
		r.Seek(api.Seek{To: new(media.Duration(to))})
		var there time.Time
		err := until(ctx, "the other place", func() error {
			runs, pictures := r.sound.Runs(), r.display.Pictures()
			run := runs[len(runs)-1]
			i := slices.IndexFunc(pictures, func(p null.Picture) bool { return p.At.After(asked) && ofSecondHalf(p) == (to >= filmHalf) })
			if i < 0 || run.At.Before(asked) {
				return fmt.Errorf("seek %d to %v: %d pictures, %d runs of sound", n+1, to, len(pictures), len(runs))
			}
			if there = pictures[i].At; run.At.After(there) {
				there = run.At
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		took = append(took, there.Sub(asked).Seconds()*1e3)
	}
	return took, nil
}

// ofSecondHalf reads the corner of a picture: the luma of its first pixel.
func ofSecondHalf(p null.Picture) bool { return byte(p.Sign) > 128 }

// leapsOfMPV has mpv seek to the same places.
func leapsOfMPV(ctx context.Context, socket, film string) (took []float64, err error) {
	mpv := exec.Command("mpv", "--no-config", "--vo=null", "--ao=null", "--hwdec=no", "--really-quiet", "--idle", "--input-ipc-server="+socket)
	err = withProgram(ctx, mpv, func(int) error {
		var conn net.Conn
		if err := until(ctx, "mpv answers", func() (err error) { conn, err = net.Dial("unix", socket); return err }); err != nil {
			return err
		}
		defer conn.Close()
		lines := bufio.NewScanner(conn)
		load, err := json.Marshal(map[string]any{"command": []string{"loadfile", film}})
		if err != nil {
			return err
		}
		if _, err := conn.Write(append(load, '\n')); err != nil {
			return err
		}
		if err := playsAgain(conn, lines); err != nil {
			return err
		}
		for _, to := range leaps() {
			if err := peace(ctx, 1500*time.Millisecond); err != nil {
				return err
			}
			asked := time.Now()
			if _, err := fmt.Fprintf(conn, `{"command":["seek",%.3f,"absolute+exact"]}`+"\n", to.Seconds()); err != nil {
				return err
			}
			if err := playsAgain(conn, lines); err != nil {
				return err
			}
			took = append(took, time.Since(asked).Seconds()*1e3)
		}
		return nil
	})
	return took, err
}

// playsAgain reads what mpv tells until it says that pictures and sound are there.
func playsAgain(conn net.Conn, lines *bufio.Scanner) error {
	if err := conn.SetReadDeadline(time.Now().Add(untilLimit)); err != nil {
		return err
	}
	for lines.Scan() {
		var said struct{ Event, Error string }
		if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
			return err
		}
		if said.Error != "" && said.Error != "success" {
			return errors.New(said.Error)
		}
		if said.Event == "playback-restart" {
			return nil
		}
	}
	return errors.Join(errors.New("it says nothing more"), lines.Err())
}
