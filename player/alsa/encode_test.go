package alsa

import (
	"bytes"
	"slices"
	"testing"

	"manofwar/player"
)

func TestEncode(t *testing.T) {
	six := []position{frontLeft, frontRight, rearLeft, rearRight, centre, lowEffects}
	for _, c := range []struct {
		name     string
		to       shape
		from     player.SampleFormat
		order    []int
		in, want []byte
	}{
		{"as it is", shape{format: formatS16, channels: 2}, player.S16, nil, []byte{1, 2, 3, 4}, []byte{1, 2, 3, 4}},
		{"three bytes", shape{format: formatS24x3, channels: 2}, player.S24, nil, []byte{1, 2, 3, 0, 4, 5, 0x86, 0xff}, []byte{1, 2, 3, 4, 5, 0x86}},
		{
			"channels",
			shape{format: formatS16, channels: 6},
			player.S16, channelOrder(six),
			[]byte{1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6},
			[]byte{1, 1, 2, 2, 5, 5, 6, 6, 3, 3, 4, 4},
		},
		{
			"compressed sound has none",
			shape{format: formatS16, channels: 6},
			player.IEC, channelOrder(six),
			[]byte{1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6},
			[]byte{1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6},
		},
		{"subframes", shape{format: formatIEC958, channels: 2, rate: 48000}, player.S16, nil, []byte{0x34, 0x12, 0, 0}, []byte{0x08, 0x40, 0x23, 0x81, 4, 0, 0, 0}},
		{"subframes of 24 bits", shape{format: formatIEC958, channels: 2, rate: 48000}, player.S24, nil, []byte{0x56, 0x34, 0x12, 0, 0, 0, 0, 0}, []byte{0x68, 0x45, 0x23, 0x81, 4, 0, 0, 0}},
	} {
		e := newEncoder(c.to, c.from, c.order)
		if got := e.encode(c.in); !bytes.Equal(got, c.want) {
			t.Errorf("%s: % x; want % x", c.name, got, c.want)
		}
		e.reset()
		if got := e.encode(c.in); !bytes.Equal(got, c.want) {
			t.Errorf("%s, again: % x; want % x", c.name, got, c.want)
		}
		if got, want := len(e.encode(make([]byte, 10*e.frameSize()))), 10*c.to.frameSize(); got != want {
			t.Errorf("%s: ten frames are %d bytes instead of %d", c.name, got, want)
		}
	}
}

func TestChannelOrder(t *testing.T) {
	for name, c := range map[string]struct {
		card []position
		want []int
	}{
		"stereo":          {[]position{frontLeft, frontRight}, nil},
		"quadro":          {analogueOrder[:4], nil},
		"analogue, six":   {analogueOrder[:6], []int{0, 1, 4, 5, 2, 3}},
		"analogue, eight": {analogueOrder, []int{0, 1, 4, 5, 2, 3, 6, 7}},
		"HDMI, six":       {hdmiOrder[:6], []int{0, 1, 3, 2, 4, 5}},
		"as ours":         {waveOrder, nil},
		"speakers at the side": {
			[]position{frontLeft, frontRight, centre, lowEffects, sideLeft, sideRight}, nil,
		},
		"one that we have not": {[]position{frontLeft, frontRight, 2, lowEffects, rearLeft, rearRight}, []int{0, 1, -1, 3, 4, 5}},
	} {
		if got := channelOrder(c.card); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v; want %v", name, got, c.want)
		}
	}
	if got := reorder(nil, []byte{1, 2}, []int{1, -1}, 1); !bytes.Equal(got, []byte{2, 0}) {
		t.Errorf("a channel without sound: % x", got)
	}
}
