package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"manofwar/internal/lab"
	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/null"
)

// A song of the bench is noise, cut in two.
const (
	songRate   = 48000
	songFrames = 4 * songRate // of each half
)

// gaplessForms are the kinds of files whose halves are joined.
var gaplessForms = []struct {
	name string
	args []string
}{
	{"half.flac", []string{"-c:a", "flac"}},
	{"half.mp3", []string{"-c:a", "libmp3lame", "-b:a", "256k"}},
	{"half.m4a", []string{"-c:a", "aac", "-b:a", "256k"}},
	{"half.opus", []string{"-c:a", "libopus", "-b:a", "256k"}},
}

// gaplessTries is how often a form is played whose sound ran dry at the joint, as it does on a computer that is busy elsewhere.
const gaplessTries = 3

// Gapless plays two halves of noise one after the other, in every form, and returns how many samples are missing or too many
// at the worst joint. say gets the count of each form.
func Gapless(ctx context.Context, dir string, say func(string)) (worst int, err error) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]int16, 2*songFrames) // the same on both channels
	for i := range noise {
		noise[i] = int16(random.IntN(16000) - 8000)
	}
	for _, form := range gaplessForms {
		halves, err := encodeHalves(ctx, dir, noise, form.name, form.args)
		if err != nil {
			return 0, err
		}
		off, err := joint(ctx, halves, noise)
		for try := 1; try < gaplessTries && errors.Is(err, errDry); try++ {
			say(form.name + ": " + err.Error())
			off, err = joint(ctx, halves, noise)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", form.name, err)
		}
		say(fmt.Sprintf("%s: %+d samples at the joint", form.name, off))
		worst = max(worst, off, -off)
	}
	return worst, nil
}

func encodeHalves(ctx context.Context, dir string, noise []int16, name string, args []string) (halves [2]string, err error) {
	for n := range halves {
		var raw bytes.Buffer
		for _, v := range noise[n*songFrames : (n+1)*songFrames] {
			_ = binary.Write(&raw, binary.LittleEndian, [2]int16{v, v}) // a buffer takes everything
		}
		pcm := filepath.Join(dir, "half.pcm")
		if err := os.WriteFile(pcm, raw.Bytes(), 0o600); err != nil {
			return halves, err
		}
		halves[n] = filepath.Join(dir, fmt.Sprintf("%d-%s", n+1, name))
		input := []string{"-f", "s16le", "-ar", fmt.Sprint(songRate), "-ac", "2", "-i", pcm}
		if err := lab.FFmpeg(ctx, append(append(input, args...), halves[n])...); err != nil {
			return halves, err
		}
	}
	return halves, nil
}

// errDry says that nothing is known of a joint.
var errDry = errors.New("the sound ran dry at the joint")

// joint plays the halves and returns by how many samples what follows the joint is late, compared with what precedes it;
// negative: samples are missing.
func joint(ctx context.Context, halves [2]string, noise []int16) (int, error) {
	const piece, margin = 8192, 1024 // frames; encoders spoil those next to a cut
	runs, err := hear(ctx, halves)
	if err != nil {
		return 0, err
	}
	for _, run := range runs {
		heard, err := left(run)
		if err != nil {
			return 0, err
		}
		before, ok1 := find(heard, noise[songFrames-margin-piece:songFrames-margin])
		after, ok2 := find(heard, noise[songFrames+margin:songFrames+margin+piece])
		if ok1 && ok2 {
			return after - before - piece - 2*margin, nil
		}
	}
	return 0, errDry
}

// hear plays two songs and returns what was heard.
func hear(ctx context.Context, songs [2]string) (runs []null.Run, err error) {
	err = withRoom(ctx, func(r *room) error {
		item := func(n int) api.Item {
			return api.Item{Key: fmt.Sprint(n), Kind: media.Music, Title: "Half", Album: "Noise", Path: songs[n]}
		}
		second := item(1)
		r.Load(api.Load{Item: item(0), Next: &second})
		if err := r.plays(ctx); err != nil {
			return err
		}
		err := until(ctx, "both songs are over", func() error {
			if s := r.Status(); s.State != api.Idle || s.Problem != nil {
				return fmt.Errorf("it is %s, problem %+v", s.State, s.Problem)
			}
			return nil
		})
		runs = r.sound.Runs()
		return err
	})
	return runs, err
}

// left returns the left channel of a run as 16 bits.
func left(run null.Run) ([]int16, error) {
	form := run.Format
	if form.Rate != songRate || form.Sample != player.S32 {
		return nil, fmt.Errorf("it was played as %+v", form)
	}
	var v []int16
	for p := run.PCM; len(p) >= form.FrameSize(); p = p[form.FrameSize():] {
		v = append(v, int16((int64(int32(binary.LittleEndian.Uint32(p)))+1<<15)>>16))
	}
	return v, nil
}

// find returns where a piece of noise begins in what was heard. A beginning of the piece is looked for everywhere; all of it
// has to be where that is.
func find(heard, piece []int16) (at int, ok bool) {
	const probe = 512
	var best float64
	for i := range max(0, len(heard)-len(piece)+1) {
		if dot := product(heard[i:], piece[:probe]); dot > best {
			best, at = dot, i
		}
	}
	if best == 0 {
		return 0, false
	}
	there := product(heard[at:], piece)
	return at, there*there > product(piece, piece)*product(heard[at:at+len(piece)], heard[at:at+len(piece)])/4
}

// product is the inner product of b with the beginning of a.
func product(a, b []int16) (sum float64) {
	for i, v := range b {
		sum += float64(v) * float64(a[i])
	}
	return sum
}
