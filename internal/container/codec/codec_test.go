package codec_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"manofwar/internal/container/codec"
)

func bytesOf(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The codecs parameters and numbers are those of MP4Box and of the standards' examples.
func TestConfigurations(t *testing.T) {
	opusHead := append([]byte("OpusHead\x01\x06\x38\x01\x80\xBB\x00\x00\x00\x00\x01"), 4, 2, 0, 4, 1, 2, 3, 5)
	for _, c := range []struct {
		name string
		make func() (codec.Config, error)
		want codec.Config
	}{
		{
			"avc high 4.0", func() (codec.Config, error) { return codec.AVC(bytesOf(t, "01640028ffe10000"), 1920, 1080) },
			codec.Config{Name: "h264", Entry: "avc1", RFC6381: "avc1.640028", Width: 1920, Height: 1080},
		},
		{"hevc main 10", func() (codec.Config, error) {
			return codec.HEVC(bytesOf(t, "010220000000b0000000000099f000fcfdfafa00000f03"), 3840, 2160)
		}, codec.Config{Name: "hevc", Entry: "hvc1", RFC6381: "hvc1.2.4.L153.B0", Width: 3840, Height: 2160}},
		{
			"av1 main 10 bit", func() (codec.Config, error) { return codec.AV1(bytesOf(t, "81084c00"), 1280, 720) },
			codec.Config{Name: "av1", Entry: "av01", RFC6381: "av01.0.08M.10", Width: 1280, Height: 720},
		},
		{
			"vp9 profile 2", func() (codec.Config, error) { return codec.VP9(bytesOf(t, "01000000020aa20202020000"), 640, 360) },
			codec.Config{Name: "vp9", Entry: "vp09", RFC6381: "vp09.02.10.10", Width: 640, Height: 360},
		},
		{
			"aac-lc", func() (codec.Config, error) { return codec.AAC(bytesOf(t, "1190")) },
			codec.Config{Name: "aac", Entry: "mp4a", RFC6381: "mp4a.40.2", SampleRate: 48000, Channels: 2},
		},
		{
			"he-aac", func() (codec.Config, error) { return codec.AAC(bytesOf(t, "2b118800")) },
			codec.Config{Name: "aac", Entry: "mp4a", RFC6381: "mp4a.40.5", SampleRate: 48000, Channels: 2},
		},
		{
			"he-aac v2", func() (codec.Config, error) { return codec.AAC(bytesOf(t, "eb098800")) },
			codec.Config{Name: "aac", Entry: "mp4a", RFC6381: "mp4a.40.29", SampleRate: 48000, Channels: 2},
		},
		{
			"mp3", func() (codec.Config, error) { return codec.MP3(44100, 2), nil },
			codec.Config{Name: "mp3", Entry: "mp4a", RFC6381: "mp4a.6B", SampleRate: 44100, Channels: 2},
		},
		{
			"ac-3 5.1", func() (codec.Config, error) { return codec.AC3Frame(bytesOf(t, "0b77a5f81c40e1df")) },
			codec.Config{Name: "ac3", Entry: "ac-3", RFC6381: "ac-3", SampleRate: 48000, Channels: 6},
		},
		{
			"opus 5.1", func() (codec.Config, error) { return codec.Opus(opusHead) },
			codec.Config{Name: "opus", Entry: "Opus", RFC6381: "opus", SampleRate: 48000, Channels: 6},
		},
	} {
		got, err := c.make()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		entry := got.SampleEntry()
		if len(entry) < 36 || string(entry[4:8]) != c.want.Entry {
			t.Errorf("%s: sample entry %x", c.name, entry)
		}
		got.Box = nil
		if got.Name != c.want.Name || got.Entry != c.want.Entry || got.RFC6381 != c.want.RFC6381 || got.Width != c.want.Width ||
			got.SampleRate != c.want.SampleRate || got.Channels != c.want.Channels {
			t.Errorf("%s: %+v; want %+v", c.name, got, c.want)
		}
	}
}

// makers are all that read foreign bytes.
var makers = map[string]func([]byte) (codec.Config, error){
	"avcC": func(b []byte) (codec.Config, error) { return codec.AVC(b, 16, 16) },
	"hvcC": func(b []byte) (codec.Config, error) { return codec.HEVC(b, 16, 16) },
	"av1C": func(b []byte) (codec.Config, error) { return codec.AV1(b, 16, 16) },
	"vpcC": func(b []byte) (codec.Config, error) { return codec.VP9(b, 16, 16) },
	"vp9":  func(b []byte) (codec.Config, error) { return codec.VP9Frame(b, 16, 16, 0) },
	"asc":  codec.AAC, "esds": codec.ESDS, "dac3": codec.AC3, "ac3": codec.AC3Frame, "dec3": codec.EAC3, "eac3": codec.EAC3Frame,
	"flac": codec.FLAC, "opus": codec.Opus, "dOps": codec.OpusBox, "alac": codec.ALAC,
}

func TestShortConfigurationsAreRefused(t *testing.T) {
	for name, make := range makers {
		for _, b := range [][]byte{nil, {0}, {1}, {0xFF}} {
			if c, err := make(b); !errors.Is(err, codec.ErrConfig) || c.Playable() {
				t.Errorf("%s of %x: %+v, %v; want ErrConfig", name, b, c, err)
			}
		}
	}
}

func FuzzConfig(f *testing.F) {
	for _, seed := range []string{"01640028ffe10000", "1190", "0b77a5f81c40e1df", "81084c00", "0380808022000000048080801440150000000001f4000001f40005808080021190068080800102"} {
		f.Add(bytesOf(f, seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, make := range makers {
			c, err := make(bytes.Clone(data))
			if err == nil && c.Playable() && len(c.SampleEntry()) > 4096+2*len(data) {
				t.Errorf("%s: a sample entry of %d bytes", name, len(c.SampleEntry()))
			}
		}
	})
}
