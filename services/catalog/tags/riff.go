package tags

import (
	"math"
	"strings"

	"manofwar/internal/media"
)

// riffKeys maps the chunks of a RIFF INFO list to fields.
var riffKeys = map[string]field{
	"INAM": title, "IART": artist, "IPRD": album, "ITRK": track, "IPRT": track, "ICRD": date, "IGNR": genre,
}

// readWAV reads a RIFF WAVE file.
func readWAV(w *window, f *Facts) error {
	c := cursor{w, 12, w.size}
	var byteRate, data int64
	for range maxFrames {
		b, err := c.next(8)
		if err != nil {
			break
		}
		id, size := string(b[:4]), le32(b[4:])
		chunk := cursor{w, c.pos, min(c.pos+size, w.size)}
		switch id {
		case "fmt ":
			if byteRate, err = readWaveFormat(&chunk, f); err != nil {
				return err
			}
		case "data":
			if data = chunk.left(); size == math.MaxUint32 || size == 0 {
				data = w.size - c.pos // RF64, or a recorder that was cut off
			}
		case "LIST":
			err = readInfo(&chunk, f)
		case "id3 ", "ID3 ":
			_, err = readID3(w, chunk.pos, f)
		}
		if err != nil {
			return err
		}
		if c.skip(size+size&1) != nil {
			break
		}
	}
	if len(f.Streams) == 0 {
		return corrupt("its WAVE header is missing")
	}
	f.Duration = samples(data, byteRate)
	return nil
}

// waveCodecs names the formats of a WAVE file (Microsoft's mmreg.h).
var waveCodecs = map[int]string{
	2: "adpcm_ms", 6: "pcm_alaw", 7: "pcm_mulaw", 0x11: "adpcm_ima_wav", 0x50: "mp2", 0x55: "mp3", 0xFF: "aac",
	0x160: "wmav1", 0x161: "wmav2", 0x162: "wmapro", 0x163: "wmalossless", 0x2000: "ac3", 0x2001: "dts", 0x566F: "vorbis", 0x706D: "aac",
}

func waveCodec(tag, bits int) string {
	switch tag {
	case 1:
		return map[int]string{8: "pcm_u8", 16: "pcm_s16le", 24: "pcm_s24le", 32: "pcm_s32le"}[bits]
	case 3:
		return map[int]string{32: "pcm_f32le", 64: "pcm_f64le"}[bits]
	}
	return waveCodecs[tag]
}

func readWaveFormat(c *cursor, f *Facts) (byteRate int64, err error) {
	b, err := c.next(16)
	if err != nil {
		return 0, err
	}
	tag, channels, rate, bits := le16(b), le16(b[2:]), le32(b[4:]), le16(b[14:])
	byteRate = le32(b[8:])
	if rate == 0 || channels == 0 || byteRate == 0 {
		return 0, corrupt("its WAVE header makes no sense")
	}
	if tag == 0xFFFE { // extensible: the real one begins the GUID
		if b, err := c.next(10); err == nil {
			tag = le16(b[8:])
		}
	}
	f.Streams = []media.Stream{{
		Kind: media.Audio, Codec: waveCodec(tag, bits), Default: true,
		SampleRate: int(rate), Channels: channels, Bitrate: int(byteRate * 8),
	}}
	return byteRate, nil
}

func readInfo(c *cursor, f *Facts) error {
	b, err := c.next(4)
	if err != nil || string(b) != "INFO" {
		return ioError(err)
	}
	for range maxFrames {
		b, err := c.next(8)
		if err != nil {
			return ioError(err)
		}
		id, size := riffKeys[string(b[:4])], le32(b[4:])
		if id == noField || size > maxComment {
			if c.skip(size+size&1) != nil {
				return nil
			}
			continue
		}
		if b, err = c.next(int(size)); err != nil {
			return ioError(err)
		}
		set(&f.Tags, id, latin1(trimZeros(b)))
		if size&1 == 1 && c.skip(1) != nil {
			return nil
		}
	}
	return nil
}

func trimZeros(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}

// aiffKeys maps the text chunks of AIFF to fields.
var aiffKeys = map[string]field{"NAME": title, "AUTH": artist}

// readAIFF reads an AIFF or AIFF-C file.
func readAIFF(w *window, f *Facts) error {
	c := cursor{w, 12, w.size}
	var sound int64
	for range maxFrames {
		b, err := c.next(8)
		if err != nil {
			break
		}
		id, size := string(b[:4]), be32(b[4:])
		chunk := cursor{w, c.pos, min(c.pos+size, w.size)}
		switch id {
		case "COMM":
			err = readCommon(&chunk, f)
		case "SSND":
			sound = chunk.left()
		case "ID3 ", "id3 ":
			_, err = readID3(w, chunk.pos, f)
		case "NAME", "AUTH":
			if size <= maxComment {
				if b, err = chunk.next(int(chunk.left())); err == nil {
					set(&f.Tags, aiffKeys[id], latin1(trimZeros(b)))
				}
			}
		}
		if err != nil {
			return err
		}
		if c.skip(size+size&1) != nil {
			break
		}
	}
	if len(f.Streams) == 0 || sound == 0 {
		return corrupt("its AIFF header or its sound is missing")
	}
	return nil
}

// readCommon reads the COMM chunk: channels, frames, bits, the rate as an 80-bit float, and in AIFF-C the compression.
func readCommon(c *cursor, f *Facts) error {
	b, err := c.next(18)
	if err != nil {
		return err
	}
	channels, frames, bits := be16(b), be32(b[2:]), be16(b[6:])
	exponent := be16(b[8:])&0x7FFF - 16383 - 63
	mantissa := uint64(be32(b[10:]))<<32 | uint64(be32(b[14:]))
	rate := math.Ldexp(float64(mantissa), exponent)
	if !(rate >= 1 && rate < 1e7) || channels == 0 {
		return corrupt("its AIFF header makes no sense")
	}
	codec := map[int]string{8: "pcm_s8", 16: "pcm_s16be", 24: "pcm_s24be", 32: "pcm_s32be"}[bits]
	if b, err := c.next(4); err == nil {
		switch kind := string(b); kind {
		case "NONE", "twos":
		case "sowt":
			codec = "pcm_s16le"
		default:
			codec = strings.ToLower(clean(kind))
		}
	}
	f.Duration = samples(frames, int64(rate))
	f.Streams = []media.Stream{{Kind: media.Audio, Codec: codec, Default: true, SampleRate: int(rate), Channels: channels}}
	return nil
}
