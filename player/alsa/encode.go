package alsa

import (
	"manofwar/player"
	"manofwar/player/alsa/iec958"
)

// encoder makes of the frames that the player writes those that a device takes.
type encoder struct {
	from  player.SampleFormat
	to    shape
	order []int // of the device's channels: which of the player's each is, -1 for silence; nil: the same
	iec   *iec958.Packer

	ordered, packed []byte // what the last call returned, for the next
}

// newEncoder returns one for frames of the device's own number of channels.
func newEncoder(to shape, from player.SampleFormat, order []int) *encoder {
	e := &encoder{from: from, to: to, order: order}
	if from == player.IEC {
		e.order = nil // channels of a compressed stream are no speakers
	}
	if to.format == formatIEC958 {
		f := iec958.Form{Rate: to.rate, Channels: to.channels, Bits: 24, NonAudio: from == player.IEC}
		if e.width() == 2 {
			f.Bits = 16
		}
		e.iec = iec958.New(f)
	}
	return e
}

// reset starts a stream anew.
func (e *encoder) reset() {
	if e.iec != nil {
		e.iec.Reset()
	}
}

// width is the bytes of a sample as the player writes it.
func (e *encoder) width() int {
	return player.SoundFormat{Channels: 1, Sample: e.from}.FrameSize()
}

// frameSize is the bytes of a frame as the player writes it.
func (e *encoder) frameSize() int { return e.width() * e.to.channels }

// chunk is how many frames to encode at a time.
func (e *encoder) chunk() int { return max(e.to.period, 256) }

// encode returns the frames in the device's form, which are good until the next call.
func (e *encoder) encode(frames []byte) []byte {
	if e.order != nil {
		e.ordered = reorder(e.ordered[:0], frames, e.order, e.width())
		frames = e.ordered
	}
	switch {
	case e.iec != nil && e.width() == 2:
		e.packed = e.iec.Pack16(e.packed[:0], frames)
	case e.iec != nil && e.from == player.S24:
		e.packed = e.iec.Pack24(e.packed[:0], frames)
	case e.to.format == formatS24x3:
		e.packed = threeBytes(e.packed[:0], frames)
	default:
		return frames
	}
	return e.packed
}

// reorder appends frames with their channels in another order.
func reorder(dst, frames []byte, order []int, width int) []byte {
	silence := make([]byte, width)
	for ; len(frames) >= width*len(order); frames = frames[width*len(order):] {
		for _, from := range order {
			if from < 0 {
				dst = append(dst, silence...)
				continue
			}
			dst = append(dst, frames[from*width:(from+1)*width]...)
		}
	}
	return dst
}

// threeBytes appends samples without the fourth byte, which is sign.
func threeBytes(dst, samples []byte) []byte {
	for ; len(samples) >= 4; samples = samples[4:] {
		dst = append(dst, samples[:3]...)
	}
	return dst
}

// position is a SNDRV_CHMAP_*: which speaker a channel is for.
type position int64

// The positions that there are in more than two channels.
const (
	frontLeft  position = 3
	frontRight position = 4
	rearLeft   position = 5
	rearRight  position = 6
	centre     position = 7
	lowEffects position = 8
	sideLeft   position = 9
	sideRight  position = 10
)

// waveOrder is how the player writes six and eight channels.
var waveOrder = []position{frontLeft, frontRight, centre, lowEffects, rearLeft, rearRight, sideLeft, sideRight}

// Orders that are usual where a card does not tell its own: analogue cards', and that of CEA-861's allocations 0x0b and 0x13.
var (
	analogueOrder = []position{frontLeft, frontRight, rearLeft, rearRight, centre, lowEffects, sideLeft, sideRight}
	hdmiOrder     = []position{frontLeft, frontRight, lowEffects, centre, rearLeft, rearRight, sideLeft, sideRight}
)

// channelOrder says which of the player's channels each of a card's is. Six and eight channels have one order in the
// player; of other numbers there are several, and they are left as they are.
func channelOrder(card []position) []int {
	n := len(card)
	if n != 6 && n != 8 {
		return nil
	}
	order, same := make([]int, n), true
	for i, p := range card {
		order[i] = -1
		for j, w := range waveOrder[:n] {
			if p == w || n == 6 && (p == sideLeft && w == rearLeft || p == sideRight && w == rearRight) {
				order[i] = j
			}
		}
		same = same && order[i] == i
	}
	if same {
		return nil
	}
	return order
}
