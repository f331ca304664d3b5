package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// aacRates are the sampling frequencies by index (ISO/IEC 14496-3, table 1.18).
var aacRates = []int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// AAC returns the configuration of AAC from an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
func AAC(asc []byte) (Config, error) {
	c := Config{Name: "aac"}
	b := bitsOf(asc)
	object := aacObject(b)
	c.SampleRate = aacRate(b)
	channels := int(b.read(4))
	announced := object
	if object == 5 || object == 29 { // SBR, PS: the output's rate, then the core's object type
		c.SampleRate = aacRate(b)
		object = aacObject(b)
		if announced == 29 {
			channels = 2
		}
	}
	if b.over || object == 0 || c.SampleRate == 0 {
		return c, malformed("AudioSpecificConfig")
	}
	switch {
	case channels == 7:
		channels = 8
	case channels == 0: // a program_config_element says
		channels = 2
	}
	c.Channels = channels
	c.Entry, c.RFC6381 = "mp4a", fmt.Sprintf("mp4a.40.%d", announced)
	c.Box = esds(0x40, asc)
	return c, nil
}

func aacObject(b *bitReader) int {
	if o := int(b.read(5)); o != 31 {
		return o
	}
	return 32 + int(b.read(6))
}

func aacRate(b *bitReader) int {
	i := int(b.read(4))
	switch {
	case i == 15:
		return int(b.read(24))
	case i < len(aacRates):
		return aacRates[i]
	}
	return 0
}

// MP3 returns the configuration of MPEG-1 or MPEG-2 layer III audio.
func MP3(sampleRate, channels int) Config {
	object := byte(0x6B) // ISO/IEC 11172-3
	if sampleRate < 32000 {
		object = 0x69 // ISO/IEC 13818-3
	}
	return Config{
		Name: "mp3", Entry: "mp4a", RFC6381: fmt.Sprintf("mp4a.%02X", object), Box: esds(object, nil),
		SampleRate: sampleRate, Channels: channels,
	}
}

// esds returns an ES descriptor in its box (ISO/IEC 14496-1, 7.2.6.5).
func esds(object byte, specific []byte) []byte {
	decoder := append([]byte{object, 0x15, 0, 0, 0}, make([]byte, 8)...) // audio stream, buffer size, max and average bit rate
	if len(specific) > 0 {
		decoder = append(decoder, descriptor(5, specific)...)
	}
	es := append([]byte{0, 1, 0}, descriptor(4, decoder)...) // ES_ID, flags
	es = append(es, descriptor(6, []byte{2})...)             // SLConfigDescriptor: MP4's
	return box("esds", make([]byte, 4), descriptor(3, es))
}

// descriptor wraps a payload with a tag and the four-byte form of its length.
func descriptor(tag byte, payload []byte) []byte {
	n := len(payload)
	return append([]byte{tag, 0x80 | byte(n>>21&0x7F), 0x80 | byte(n>>14&0x7F), 0x80 | byte(n>>7&0x7F), byte(n & 0x7F)}, payload...)
}

// acChannels are the full-range channels by acmod (ETSI TS 102 366, table 4.3).
var acChannels = [8]int{2, 1, 2, 3, 3, 4, 4, 5}

var acRates = [4]int{48000, 44100, 32000, 0}

// AC3 returns the configuration of AC-3 from an AC3SpecificBox's payload (ETSI TS 102 366, F.4).
func AC3(dac3 []byte) (Config, error) {
	c := Config{Name: "ac3"}
	if len(dac3) < 3 {
		return c, malformed("dac3")
	}
	b := bitsOf(dac3)
	c.SampleRate = acRates[b.read(2)]
	b.read(8)
	c.Channels = acChannels[b.read(3)] + int(b.read(1))
	if c.SampleRate == 0 {
		return c, malformed("dac3")
	}
	c.Entry, c.RFC6381, c.Box = "ac-3", "ac-3", box("dac3", dac3[:3])
	return c, nil
}

// AC3Frame returns the configuration of AC-3 from a frame (ETSI TS 102 366, 4.3).
func AC3Frame(frame []byte) (Config, error) {
	b := bitsOf(frame)
	if b.read(16) != 0x0B77 {
		return Config{Name: "ac3"}, malformed("no AC-3 sync word")
	}
	b.read(16)
	fscod, rate, bsid, bsmod, acmod := b.read(2), b.read(6)>>1, b.read(5), b.read(3), b.read(3)
	if acmod&1 != 0 && acmod != 1 {
		b.read(2) // centre mix level
	}
	if acmod&4 != 0 {
		b.read(2) // surround mix level
	}
	if acmod == 2 {
		b.read(2) // Dolby Surround mode
	}
	lfe := b.read(1)
	if b.over || bsid > 10 {
		return Config{Name: "ac3"}, malformed("AC-3 frame header")
	}
	return AC3(fields(2, fscod, 5, bsid, 3, bsmod, 3, acmod, 1, lfe, 5, rate, 5, 0))
}

// EAC3 returns the configuration of E-AC-3 from an EC3SpecificBox's payload (ETSI TS 102 366, F.6).
func EAC3(dec3 []byte) (Config, error) {
	c := Config{Name: "eac3"}
	b := bitsOf(dec3)
	b.read(16)
	c.SampleRate = acRates[b.read(2)]
	b.read(10)
	c.Channels = acChannels[b.read(3)] + int(b.read(1))
	b.read(3)
	if b.read(4) > 0 {
		c.Channels += 2 // a dependent substream: 7.1 as 5.1 and a pair
	}
	if b.over {
		return c, malformed("dec3")
	}
	c.Entry, c.RFC6381, c.Box = "ec-3", "ec-3", box("dec3", dec3)
	return c, nil
}

// EAC3Frame returns the configuration of E-AC-3 from the frames of one packet (ETSI TS 102 366, E.1.2): an independent
// substream and, for more than 5.1, a dependent one.
func EAC3Frame(packet []byte) (Config, error) {
	c := Config{Name: "eac3"}
	b := bitsOf(packet)
	sync := b.read(16)
	kind, _, words, fscod, half := b.read(2), b.read(3), b.read(11)+1, b.read(2), b.read(2)
	blocks := []uint64{1, 2, 3, 6}[half]
	rate := acRates[fscod]
	if fscod == 3 { // half rates, always six blocks
		rate, blocks = []int{24000, 22050, 16000, 0}[half], 6
	}
	acmod, lfe, bsid := b.read(3), b.read(1), b.read(5)
	if b.over || sync != 0x0B77 || kind == 1 || bsid < 11 || bsid > 16 || rate == 0 {
		return c, malformed("E-AC-3 frame header")
	}
	kbits := words * 16 * uint64(rate) / (blocks * 256) / 1000
	dependent := uint64(0)
	if next := int(words * 2); next+3 < len(packet) && packet[next] == 0x0B && packet[next+1] == 0x77 && packet[next+2]>>6 == 1 {
		dependent = 1
	}
	head := []uint64{13, kbits, 3, 0, 2, fscod, 5, bsid, 1, 0, 1, 0, 3, 0, 3, acmod, 1, lfe, 3, 0, 4, dependent}
	if dependent == 1 {
		head = append(head, 9, 2) // chan_loc: the rear pair
	} else {
		head = append(head, 1, 0)
	}
	c, err := EAC3(fields(head...))
	c.SampleRate = rate
	return c, err
}

// FLAC returns the configuration of FLAC from its metadata blocks (RFC 9639, 8), with or without the "fLaC" before
// them. Only STREAMINFO is kept.
func FLAC(metadata []byte) (Config, error) {
	c := Config{Name: "flac"}
	metadata = bytes.TrimPrefix(metadata, []byte("fLaC"))
	if len(metadata) < 38 || metadata[0]&0x7F != 0 {
		return c, malformed("FLAC without STREAMINFO")
	}
	info := append([]byte{0x80, 0, 0, 34}, metadata[4:38]...) // the last block, STREAMINFO
	c.SampleRate = int(info[14])<<12 | int(info[15])<<4 | int(info[16])>>4
	c.Channels = int(info[16]>>1&7) + 1
	if c.SampleRate == 0 {
		return c, malformed("FLAC sample rate")
	}
	c.Entry, c.RFC6381, c.Box = "fLaC", "fLaC", box("dfLa", make([]byte, 4), info)
	return c, nil
}

// Opus returns the configuration of Opus from an identification header (RFC 7845, 5.1), as Matroska stores it.
func Opus(head []byte) (Config, error) {
	if len(head) < 19 || string(head[:8]) != "OpusHead" {
		return Config{Name: "opus"}, malformed("OpusHead")
	}
	b := []byte{0, head[9]} // version, channels
	b = binary.BigEndian.AppendUint16(b, binary.LittleEndian.Uint16(head[10:]))
	b = binary.BigEndian.AppendUint32(b, binary.LittleEndian.Uint32(head[12:]))
	b = binary.BigEndian.AppendUint16(b, binary.LittleEndian.Uint16(head[16:]))
	return OpusBox(append(b, head[18:]...))
}

// OpusBox returns the configuration of Opus from an OpusSpecificBox's payload (Encapsulation of Opus in ISOBMFF, 4.3.2).
func OpusBox(dops []byte) (Config, error) {
	c := Config{Name: "opus", SampleRate: 48000}
	if len(dops) < 11 || dops[1] == 0 {
		return c, malformed("dOps")
	}
	c.Channels = int(dops[1])
	c.Entry, c.RFC6381, c.Box = "Opus", "opus", box("dOps", dops)
	return c, nil
}

// ALAC returns the configuration of Apple Lossless from its magic cookie, with or without the atoms that old files
// wrap it in.
func ALAC(cookie []byte) (Config, error) {
	c := Config{Name: "alac"}
	if len(cookie) >= 12 && string(cookie[4:8]) == "frma" {
		cookie = cookie[12:]
	}
	if len(cookie) >= 12 && string(cookie[4:8]) == "alac" {
		cookie = cookie[12:]
	}
	if len(cookie) < 24 {
		return c, malformed("ALAC cookie")
	}
	c.Channels, c.SampleRate = int(cookie[9]), int(binary.BigEndian.Uint32(cookie[20:]))
	c.Entry, c.RFC6381, c.Box = "alac", "alac", box("alac", make([]byte, 4), cookie)
	return c, nil
}

// ESDS returns the configuration that an ES descriptor carries, from an esds box's payload after its version and flags
// (ISO/IEC 14496-1, 7.2.6). Audio that is neither AAC nor MP3 comes back with its name only.
func ESDS(data []byte) (Config, error) {
	object, specific, ok := decoderConfig(data)
	switch {
	case !ok:
		return Config{}, malformed("esds")
	case object == 0x40, object >= 0x66 && object <= 0x68:
		return AAC(specific)
	}
	for _, o := range []struct {
		object byte
		name   string
	}{
		{0x69, "mp3"},
		{0x6B, "mp3"},
		{0xA5, "ac3"},
		{0xA6, "eac3"},
		{0xA9, "dts"},
		{0xDD, "vorbis"},
		{0xAD, "opus"},
		{0x20, "mpeg4"},
		{0x60, "mpeg2video"},
		{0x61, "mpeg2video"},
		{0x62, "mpeg2video"},
		{0x6A, "mpeg1video"},
		{0x6C, "mjpeg"},
	} {
		if o.object == object {
			return Config{Name: o.name}, nil
		}
	}
	return Config{Name: fmt.Sprintf("mp4-object-%02x", object)}, nil
}

// decoderConfig finds the DecoderConfigDescriptor's object type and its DecoderSpecificInfo.
func decoderConfig(data []byte) (object byte, specific []byte, ok bool) {
	for len(data) >= 2 {
		tag, n, i := data[0], 0, 1
		for i < len(data) && i <= 4 {
			n = n<<7 | int(data[i]&0x7F)
			i++
			if data[i-1]&0x80 == 0 {
				break
			}
		}
		body := data[i:]
		switch {
		case tag == 3 && len(body) >= 3: // ES_Descriptor: step inside, over what its flags say is there
			skip := 3
			if body[2]&0x80 != 0 {
				skip += 2
			}
			if body[2]&0x40 != 0 && len(body) > skip {
				skip += 1 + int(body[skip])
			}
			if body[2]&0x20 != 0 {
				skip += 2
			}
			data = body[min(skip, len(body)):]
		case tag == 4 && len(body) >= 13:
			object, ok, data = body[0], true, body[13:]
		case tag == 5 && ok:
			return object, body[:min(n, len(body))], true
		default:
			data = body[min(n, len(body)):]
		}
	}
	return object, specific, ok
}
