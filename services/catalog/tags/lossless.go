package tags

import "manofwar/internal/media"

// wavPackRates are the sample rates that a WavPack block header tells by number.
var wavPackRates = [...]int{6000, 8000, 9600, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000, 192000}

// readWavPack reads the first block header of a WavPack file (its format document, section 2), and the tag at the end.
func readWavPack(w *window, f *Facts) error {
	b, err := w.at(0, 32)
	if err != nil || string(b[:4]) != "wvpk" {
		return orCorrupt(err, "it is not a WavPack file, though its name says so")
	}
	total, flags := le32(b[12:])|int64(b[11])<<32, le32(b[24:])
	s := media.Stream{Kind: media.Audio, Codec: "wavpack", Default: true, Channels: 2}
	if flags&4 != 0 {
		s.Channels = 1
	}
	if i := int(flags >> 23 & 15); i < len(wavPackRates) {
		s.SampleRate = wavPackRates[i]
	}
	if uint32(total) != 1<<32-1 { // all ones: unknown
		f.Duration = samples(total, int64(s.SampleRate))
	}
	f.Streams = []media.Stream{s}
	readTrailers(w, f)
	return nil
}

// readTTA reads the header of a True Audio file, behind and in front of tags.
func readTTA(w *window, f *Facts) error {
	at, err := readID3(w, 0, f)
	if err != nil {
		return err
	}
	b, err := w.at(at, 18)
	if err != nil || string(b[:4]) != "TTA1" {
		return orCorrupt(err, "it is not a True Audio file, though its name says so")
	}
	s := media.Stream{Kind: media.Audio, Codec: "tta", Default: true, Channels: le16(b[6:]), SampleRate: int(le32(b[10:]))}
	f.Duration = samples(le32(b[14:]), int64(s.SampleRate))
	f.Streams = []media.Stream{s}
	if at == 0 {
		readTrailers(w, f)
	}
	return nil
}

// readMonkey reads the header of a Monkey's Audio file of version 3.98 and later, and the tag at its end.
func readMonkey(w *window, f *Facts) error {
	b, err := w.at(0, 12)
	if err != nil || string(b[:4]) != "MAC " {
		return orCorrupt(err, "it is not a Monkey's Audio file, though its name says so")
	}
	s := media.Stream{Kind: media.Audio, Codec: "ape", Default: true}
	if version := le16(b[4:]); version >= 3980 {
		descriptor := le32(b[8:])
		h, err := w.at(descriptor, 24)
		if err != nil {
			return err
		}
		perFrame, last, frames := le32(h[4:]), le32(h[8:]), le32(h[12:])
		s.Channels, s.SampleRate = le16(h[18:]), int(le32(h[20:]))
		if frames > 0 {
			f.Duration = samples((frames-1)*perFrame+last, int64(s.SampleRate))
		}
	}
	f.Streams = []media.Stream{s}
	readTrailers(w, f)
	return nil
}
