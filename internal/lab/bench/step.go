package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/null"
)

// Of two players in step.
const (
	stepSong    = 70 * time.Second
	stepSettles = 15 * time.Second
	stepFor     = 45 * time.Second
	stepPPM     = 50.0                   // by which one card is fast and the other slow
	stepEvery   = time.Second            // the second one is told where the first one is
	stepLook    = 100 * time.Millisecond // between two comparisons
)

// InStep plays the same song by two players on cards whose clocks are 100 ppm apart, and returns by how many ms what they play differs
// at one time, the 95th percentile. The second one is told every second where the first one is, and by a clock that is off by
// a millisecond at random: that is what another dongle in the home would know. Of a computer so busy that sound runs dry the
// figure says little: say gets how often each began anew.
func InStep(ctx context.Context, dir string, say func(string)) (p95 float64, err error) {
	song, err := slope(ctx, dir)
	if err != nil {
		return 0, err
	}
	var looks []time.Time
	var heard [2][]null.Run
	err = withRoomOf(ctx, null.SoundOptions{Record: true, Sample: player.S32, PPM: stepPPM}, func(first *room) error {
		return withRoomOf(ctx, null.SoundOptions{Record: true, Sample: player.S32, PPM: -stepPPM}, func(second *room) error {
			for _, r := range []*room{first, second} {
				r.Load(api.Load{Item: api.Item{Key: "song", Kind: media.Music, Title: "Song", Path: song}})
				if err := r.plays(ctx); err != nil {
					return err
				}
			}
			if looks, err = follow(ctx, first, second); err != nil {
				return err
			}
			heard = [2][]null.Run{first.sound.Runs(), second.sound.Runs()}
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	say(fmt.Sprintf("the sound of the two began %d and %d times", len(heard[0]), len(heard[1])))
	var apart []float64
	for _, at := range looks {
		a, ok1 := slopeAt(heard[0], stepPPM, at)
		b, ok2 := slopeAt(heard[1], -stepPPM, at)
		if ok1 && ok2 { // one that ran dry, as on a busy computer, plays nothing to be compared
			apart = append(apart, math.Abs((a-b).Seconds()*1e3))
		}
	}
	if len(apart) < len(looks)*9/10 {
		return 0, fmt.Errorf("both were heard at %d of %d times only", len(apart), len(looks))
	}
	return percentile(apart, 95), nil
}

// follow has the second player keep step with the first, and returns the times at which they are to be compared.
func follow(ctx context.Context, first, second *room) (looks []time.Time, err error) {
	random := rand.New(rand.NewPCG(3, 4))
	began := time.Now()
	told := time.Time{}
	for time.Since(began) < stepSettles+stepFor {
		if time.Since(told) >= stepEvery {
			told = time.Now()
			s := first.Status()
			if s.State != api.Playing || second.Status().State == api.Idle {
				return nil, fmt.Errorf("they are %s and %s", s.State, second.Status().State)
			}
			off := time.Duration(random.NormFloat64() * float64(time.Millisecond))
			second.Align(api.Align{Key: "song", Position: s.Position, At: s.At.Add(off)})
		}
		if err := peace(ctx, stepLook); err != nil {
			return nil, err
		}
		if time.Since(began) > stepSettles {
			looks = append(looks, time.Now())
		}
	}
	return looks, peace(ctx, stepLook) // so that all looks are at what was heard
}

// slope writes a song that rises from the least to the greatest sample: each says where in the song it is.
func slope(ctx context.Context, dir string) (string, error) {
	frames := int(stepSong.Seconds()) * songRate
	var raw bytes.Buffer
	for i := range frames {
		v := int32((float64(i)/float64(frames)*2 - 1) * math.MaxInt32)
		_ = binary.Write(&raw, binary.LittleEndian, v) // a buffer takes everything
	}
	pcm, song := filepath.Join(dir, "slope.pcm"), filepath.Join(dir, "slope.flac")
	if err := os.WriteFile(pcm, raw.Bytes(), 0o600); err != nil {
		return "", err
	}
	err := lab.FFmpeg(ctx, "-f", "s32le", "-ar", fmt.Sprint(songRate), "-ac", "1", "-i", pcm, "-c:a", "flac", song)
	return song, errors.Join(err, os.Remove(pcm))
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
		return time.Duration((v + 1) / 2 * float64(stepSong)), true
	}
	return 0, false
}
