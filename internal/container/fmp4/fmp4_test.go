package fmp4_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"manofwar/internal/container"
	"manofwar/internal/container/codec"
	"manofwar/internal/container/fmp4"
	"manofwar/internal/media"
)

func sample(at int64, size uint32, dts, pts int64, sync bool) fmp4.Sample {
	return fmp4.Sample{At: at, Sample: container.Sample{Size: size, DTS: dts, PTS: pts, Duration: 10, Sync: sync}}
}

// find returns the payload of the nth box of a type, wherever it stands.
func find(t *testing.T, data []byte, typ string, n int) []byte {
	t.Helper()
	for i := 4; i+4 <= len(data); i++ {
		if string(data[i:i+4]) == typ {
			if n--; n < 0 {
				return data[i+4 : i-4+int(binary.BigEndian.Uint32(data[i-4:]))]
			}
		}
	}
	t.Fatalf("no box %q", typ)
	return nil
}

// TestRunsFollowTheBytes lays two tracks out as they interleave in a file: every stretch is a run with its own offset.
func TestRunsFollowTheBytes(t *testing.T) {
	head := fmp4.Fragment(3, []fmp4.Run{
		{Track: 1, Reorder: 5, Samples: []fmp4.Sample{sample(0, 100, 50, 50, true), sample(100, 20, 60, 80, false), sample(150, 30, 70, 66, false)}},
		{Track: 2, Samples: []fmp4.Sample{sample(120, 30, 7, 7, true)}},
		{Track: 3},
	}, 180)
	if bytes.Count(head, []byte("trun")) != 3 || bytes.Count(head, []byte("traf")) != 2 {
		t.Errorf("%d runs in %d tracks; want 3 in 2", bytes.Count(head, []byte("trun")), bytes.Count(head, []byte("traf")))
	}
	for n, want := range []int{0, 150, 120} {
		if got := int(binary.BigEndian.Uint32(find(t, head, "trun", n)[8:])) - len(head); got != want {
			t.Errorf("run %d begins at %d of the media data; want %d", n, got, want)
		}
	}
	if got := binary.BigEndian.Uint64(find(t, head, "tfdt", 0)[4:]); got != 50 {
		t.Errorf("decoding starts at %d; want 50", got)
	}
	// The third sample is shown 4 before it is decoded, which Reorder makes 1.
	run := find(t, head, "trun", 1)
	if shift := int32(binary.BigEndian.Uint32(run[len(run)-4:])); shift != 1 {
		t.Errorf("a shift of %d; want 1", shift)
	}
	if got := binary.BigEndian.Uint32(head[len(head)-8:]); got != 188 {
		t.Errorf("media data of %d bytes; want 188", got)
	}
}

func TestLargeMediaData(t *testing.T) {
	head := fmp4.Fragment(1, []fmp4.Run{{Track: 1, Samples: []fmp4.Sample{sample(0, 1, 0, 0, true)}}}, 1<<33)
	if got := binary.BigEndian.Uint64(head[len(head)-8:]); got != 1<<33+16 || string(head[len(head)-12:len(head)-8]) != "mdat" {
		t.Errorf("media data of %d bytes", got)
	}
}

func TestInit(t *testing.T) {
	config, err := codec.AVC([]byte{1, 0x64, 0, 0x28, 0xFF, 0xE0, 0}, 1920, 1080)
	if err != nil {
		t.Fatal(err)
	}
	video := container.Track{Stream: media.Stream{Kind: media.Video, Language: "deu"}, Timescale: 90000, Config: config, Reorder: 6000}
	audio := container.Track{Stream: media.Stream{Kind: media.Audio, Language: "x"}, Timescale: 44100, Config: codec.MP3(44100, 2)}
	data := fmp4.Init([]container.Track{video, audio})
	if got := binary.BigEndian.Uint64(find(t, data, "elst", 0)[16:]); got != 6000 || bytes.Count(data, []byte("elst")) != 1 {
		t.Errorf("an edit at %d, %d in all; want one at 6000", got, bytes.Count(data, []byte("elst")))
	}
	for n, want := range []uint16{'d' - 0x60, 'u' - 0x60} { // the first letter
		if got := binary.BigEndian.Uint16(find(t, data, "mdhd", n)[20:]) >> 10; got != want {
			t.Errorf("language %d begins with %d; want %d", n, got, want)
		}
	}
	if n := binary.BigEndian.Uint32(find(t, data, "mvhd", 0)[96:]); n != 3 {
		t.Errorf("the next track is %d; want 3", n)
	}
}
