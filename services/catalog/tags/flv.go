package tags

import (
	"encoding/binary"
	"math"

	"manofwar/internal/media"
)

var (
	flvAudio = map[byte]string{0: "pcm_s16le", 1: "adpcm_swf", 2: "mp3", 3: "pcm_s16le", 6: "nellymoser", 10: "aac", 11: "speex", 14: "mp3"}
	flvVideo = map[byte]string{2: "flv1", 3: "flashsv", 4: "vp6f", 5: "vp6a", 7: "h264", 12: "hevc"}
)

// flvTags is how many tags are looked at for the streams that the header promises.
const flvTags = 50

// readFLV reads the first tags of a Flash Video file (Adobe's specification, annex E).
func readFLV(w *window, f *Facts) error {
	b, err := w.at(0, 9)
	if err != nil || string(b[:3]) != "FLV" {
		return orCorrupt(err, "it is not a Flash Video file, though its name says so")
	}
	seen := map[byte]bool{}
	var width, height float64
	numbers := map[string]*float64{"duration": new(float64), "width": &width, "height": &height}
	c := cursor{w, be32(b[5:]) + 4, w.size}
	for range flvTags {
		b, err := c.next(12) // the tag's header and the first byte of what is in it
		if err != nil {
			break
		}
		kind, length, first := b[0]&31, int64(be24(b[1:])), b[11]
		c.pos--
		switch {
		case kind == 8 && !seen[kind]:
			f.Streams = append(f.Streams, media.Stream{
				Kind: media.Audio, Codec: flvAudio[first>>4], Default: true, Channels: int(first&1) + 1,
				SampleRate: [...]int{5512, 11025, 22050, 44100}[first>>2&3],
			})
		case kind == 9 && !seen[kind]:
			f.Streams = append(f.Streams, media.Stream{Kind: media.Video, Codec: flvVideo[first&15], Default: true})
		case kind == 18:
			b, err := w.at(c.pos, int(min(length, maxComment, c.left())))
			if ioError(err) != nil {
				return err
			}
			readFLVScript(b, numbers)
		}
		seen[kind] = true
		if c.skip(length+4) != nil {
			break
		}
	}
	f.Duration = samples(int64(*numbers["duration"]*1000), 1000)
	for i := range f.Streams {
		if s := &f.Streams[i]; s.Kind == media.Video {
			s.Width, s.Height = int(width), int(height)
		}
	}
	if len(f.Streams) == 0 {
		return corrupt("there is no sound and no picture in it")
	}
	return nil
}

// readFLVScript takes numbers out of the onMetaData array: each is a name, the type 0, and a double.
func readFLVScript(b []byte, numbers map[string]*float64) {
	for i := 0; i+2 < len(b); i++ {
		end := i + 2 + be16(b[i:])
		if end+9 > len(b) || b[end] != 0 {
			continue
		}
		if n := numbers[string(b[i+2:end])]; n != nil {
			if v := math.Float64frombits(binary.BigEndian.Uint64(b[end+1:])); v > 0 && v < 1e7 {
				*n = v
			}
		}
	}
}
