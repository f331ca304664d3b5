package tags

import "manofwar/internal/media"

var adtsRates = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// adtsFrames is how many frames of a stream without a header are measured to estimate its duration.
const adtsFrames = 30

// readADTS reads AAC without a container (ISO/IEC 13818-7, section 6.2). Nothing in it tells how long it is: that is
// estimated from the first frames.
func readADTS(w *window, f *Facts) error {
	start, err := readID3(w, 0, f)
	if err != nil {
		return err
	}
	s := media.Stream{Kind: media.Audio, Codec: "aac", Default: true}
	at, frames := start, int64(0)
	for frames < adtsFrames && at+7 <= w.size {
		b, err := w.at(at, 7)
		if err != nil {
			return err
		}
		length := int64(b[3]&3)<<11 | int64(b[4])<<3 | int64(b[5]>>5)
		rate := int(b[2] >> 2 & 15)
		if b[0] != 0xFF || b[1]&0xF6 != 0xF0 || rate >= len(adtsRates) || length < 7 {
			break
		}
		s.SampleRate, s.Channels = adtsRates[rate], int(b[2]&1<<2|b[3]>>6)
		at += length
		frames++
	}
	if frames < 2 {
		return corrupt("there is no AAC audio in it")
	}
	mean := float64(at-start) / float64(frames)
	f.Duration = samples(int64(float64(w.size-start)/mean*1024), int64(s.SampleRate))
	f.Streams = []media.Stream{s}
	return nil
}

// The rates of AC-3 (ATSC A/52, table 5.18): in kb/s by half the frame size code, in Hz by fscod.
var (
	ac3Bitrates = [...]int{32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640}
	ac3Rates    = [...]int{48000, 44100, 32000}
	ac3Channels = [...]int{2, 1, 2, 3, 3, 4, 4, 5}
)

// parseAC3 reads the start of a frame (section 5.3): all frames of a stream are alike.
func parseAC3(b []byte, s *media.Stream) bool {
	if len(b) < 8 || b[0] != 0x0B || b[1] != 0x77 {
		return false
	}
	rate, size, id, mode := int(b[4]>>6), int(b[4]&63)/2, b[5]>>3, int(b[6]>>5)
	if rate == 3 || size >= len(ac3Bitrates) || id > 8 {
		return false
	}
	s.Kind, s.Codec, s.SampleRate, s.Bitrate, s.Channels = media.Audio, "ac3", ac3Rates[rate], ac3Bitrates[size]*1000, ac3Channels[mode]
	bit := 4 // of byte 6, counted from its low end: where the bass channel's flag is
	if mode&1 != 0 && mode != 1 {
		bit -= 2 // the centre's level
	}
	if mode&4 != 0 {
		bit -= 2 // the surrounds'
	}
	if mode == 2 {
		bit -= 2 // Dolby Surround
	}
	if b[6]>>bit&1 != 0 {
		s.Channels++
	}
	return true
}

// readAC3 reads AC-3 without a container.
func readAC3(w *window, f *Facts) error {
	b, err := w.at(0, int(min(w.size, 8)))
	if err != nil {
		return err
	}
	s := media.Stream{Default: true}
	if !parseAC3(b, &s) {
		return corrupt("there is no AC-3 audio in it")
	}
	f.Duration = samples(w.size*8, int64(s.Bitrate))
	f.Streams = []media.Stream{s}
	return nil
}
