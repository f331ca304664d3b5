package matroska_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"manofwar/internal/container"
	"manofwar/internal/container/matroska"
)

// el returns an element; el without a size is el(id, nil) with unknown set in its place by the caller.
func el(id uint32, payload ...[]byte) []byte {
	body := bytes.Join(payload, nil)
	return append(binary.BigEndian.AppendUint64(ident(id), 1<<56|uint64(len(body))), body...)
}

// unknown returns an element whose size is not given.
func unknown(id uint32, payload ...[]byte) []byte {
	return append(append(ident(id), 0xFF), bytes.Join(payload, nil)...)
}

func ident(id uint32) []byte {
	return bytes.TrimLeft(binary.BigEndian.AppendUint32(nil, id), "\x00")
}

func num(v byte) []byte { return []byte{v} }

// file returns a file with one MP3 track, whose entry also has extra, and clusters.
func file(extra []byte, clusters ...[]byte) []byte {
	rate := binary.BigEndian.AppendUint32(nil, math.Float32bits(48000))
	track := el(0xAE, el(0xD7, num(1)), el(0x83, num(2)), el(0x86, []byte("A_MPEG/L3")), el(0xE1, el(0xB5, rate), el(0x9F, num(2))), extra)
	return append(el(0x1A45DFA3, el(0x4282, []byte("matroska"))),
		unknown(0x18538067, append([][]byte{el(0x1549A966, el(0x2AD7B1, []byte{0x0F, 0x42, 0x40})), el(0x1654AE6B, track)}, clusters...)...)...)
}

// block is the payload of a block of track 1 at a time in the cluster.
func block(time int16, flags byte, data ...byte) []byte {
	return append(append(binary.BigEndian.AppendUint16([]byte{0x81}, uint16(time)), flags), data...)
}

func samples(t *testing.T, data []byte) []container.Sample {
	t.Helper()
	r := bytes.NewReader(data)
	m, err := matroska.Read(r, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Index(r, 0); err != nil {
		t.Fatal(err)
	}
	s, err := m.Samples(r, 0, math.MinInt64, math.MaxInt64, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLacing(t *testing.T) {
	frames := [][]byte{{1, 1, 1}, {2, 2}, {3, 3, 3, 3}}
	same := [][]byte{{1, 1}, {2, 2}, {3, 3}}
	for _, c := range []struct {
		name  string
		block []byte
		want  [][]byte
	}{
		{"none", block(0, 0x80, 1, 1, 1), frames[:1]},
		{"Xiph", block(0, 0x82, 2, 3, 2, 1, 1, 1, 2, 2, 3, 3, 3, 3), frames},
		{"fixed", block(0, 0x84, 2, 1, 1, 2, 2, 3, 3), same},
		{"EBML", block(0, 0x86, 2, 0x83, 0xBE, 1, 1, 1, 2, 2, 3, 3, 3, 3), frames}, // 3, then 62-63: one less
	} {
		for _, clusters := range [][][]byte{
			{el(0x1F43B675, el(0xE7, num(100)), el(0xA3, c.block))},
			{unknown(0x1F43B675, el(0xE7, num(100)), el(0xA3, c.block)), unknown(0x1F43B675, el(0xE7, num(200)))},
			{el(0x1F43B675, el(0xE7, num(100)), el(0xA0, el(0xA1, c.block), el(0x9B, num(72))))},
		} {
			data := file(nil, clusters...)
			got := samples(t, data)
			if len(got) != len(c.want) {
				t.Fatalf("%s: %d frames; want %d", c.name, len(got), len(c.want))
			}
			for i, s := range got {
				if !bytes.Equal(data[s.Offset:s.End()], c.want[i]) || s.PTS != 100+24*int64(i) {
					t.Errorf("%s: frame %d is %v at %d; want %v", c.name, i, data[s.Offset:s.End()], s.PTS, c.want[i])
				}
			}
		}
	}
}

func TestMalformedLacingIsLeftOut(t *testing.T) {
	for name, b := range map[string][]byte{
		"count without sizes": block(0, 0x82, 9),
		"sizes beyond it":     block(0, 0x82, 1, 200, 1, 1),
		"below zero":          block(0, 0x86, 2, 0x81, 0x80, 1, 1, 1),
		"nothing":             block(0, 0x86),
		"no header":           {0x81},
	} {
		good := el(0xA3, block(7, 0x80, 1))
		if got := samples(t, file(nil, el(0x1F43B675, el(0xA3, b), good))); len(got) != 1 || got[0].PTS != 7 {
			t.Errorf("%s: %+v; want the good block only", name, got)
		}
	}
}

func TestHeaderStripping(t *testing.T) {
	compression := el(0x6D80, el(0x6240, el(0x5034, el(0x4254, num(3)), el(0x4255, []byte{0xFF, 0xFB}))))
	data := file(compression, el(0x1F43B675, el(0xA3, block(0, 0x80, 1, 2, 3))))
	r := bytes.NewReader(data)
	m, err := matroska.Read(r, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	if track := m.Info().Tracks[0]; !bytes.Equal(track.Prefix, []byte{0xFF, 0xFB}) || !track.Config.Playable() {
		t.Errorf("track %+v", track)
	}
	zlib := el(0x6D80, el(0x6240, el(0x5034, el(0x4254, num(0)))))
	data = file(zlib, el(0x1F43B675, el(0xA3, block(0, 0x80, 1, 2, 3))))
	if m, err = matroska.Read(bytes.NewReader(data), int64(len(data))); err != nil || m.Info().Tracks[0].Config.Playable() {
		t.Errorf("zlib: %+v, %v; want a track that is not playable", m.Info().Tracks, err)
	}
}
