//go:build linux

package decode_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"manofwar/player"
	"manofwar/player/decode"
)

// TestDamagedFilesEnd changes bytes here and there. Whatever is then decoded, every read comes to an end.
func TestDamagedFilesEnd(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for _, name := range []string{"h264-aac.mp4", "h264-opus-srt.mkv", "h264-ac3.ts", "mpeg4-mp3.avi", "cbr.mp3", "vorbis.ogg", "s16.flac"} {
			whole := contents(t, file(t, name))
			for range 4 {
				bad := append([]byte(nil), whole...)
				for range 40 {
					bad[500+random.IntN(len(bad)-500)] ^= byte(1 + random.IntN(255))
				}
				path := write(t, name, bad)
				info, err := d.Probe(t.Context(), player.Source{Path: path})
				if err != nil || len(info.Streams) == 0 {
					continue
				}
				r := request(t, d, path)
				r.Rate, r.Channels = 48000, 2
				if r.Video != player.None {
					r.Width, r.Height = 160, 120 // whatever it says of itself
				}
				begin := time.Now()
				s := open(t, d, r)
				got := play(s, r)
				if took := time.Since(begin); took > 20*time.Second {
					t.Errorf("%s took %v", name, took)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				t.Logf("%s: %d pictures, %d samples, %v", name, len(got.pictures), len(got.sound), got.errs)
			}
		}
	})
}
