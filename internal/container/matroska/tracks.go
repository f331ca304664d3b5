package matroska

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"manofwar/internal/container"
	"manofwar/internal/container/codec"
	"manofwar/internal/media"
)

// track is one track of a movie.
type track struct {
	info            container.Track
	number          uint64
	codecID         string
	private         []byte
	codecDelay      uint64 // in nanoseconds, to be taken off every time
	defaultDuration uint64 // of a frame, in nanoseconds, 0: unknown
	bitDepth        uint64
	display         [3]uint64 // width, height, unit
	colour          *[4]uint64
	opaque          bool // its blocks are compressed or encrypted in ways that are not undone here

	delay int64 // codecDelay in ticks
	keys  []int64
	cues  []cue
}

// cue is where a keyframe is: in which cluster and, where the cues say so, how far into it; 0 is not said.
type cue struct{ pts, cluster, within int64 }

func (m *Movie) readTracks(data []byte) error {
	for id, entry := range children(data) {
		if id != idTrackEntry {
			continue
		}
		if len(m.tracks) == maxTracks {
			return container.Corrupt("more than %d tracks", maxTracks)
		}
		t := readTrack(entry)
		if t.number == 0 || m.byNumber(t.number) != nil {
			continue
		}
		t.info.Config = t.configure()
		m.tracks = append(m.tracks, t)
	}
	return nil
}

func (m *Movie) byNumber(n uint64) *track {
	for _, t := range m.tracks {
		if t.number == n {
			return t
		}
	}
	return nil
}

func readTrack(entry []byte) *track {
	t := &track{}
	t.info.Language, t.info.Default = "eng", true // what the absence of the elements means
	bcp47, encodings := false, []byte(nil)
	for id, v := range children(entry) {
		switch id {
		case idTrackNumber:
			t.number = number(v)
		case idTrackType:
			t.info.Kind = map[uint64]media.StreamKind{1: media.Video, 2: media.Audio, 17: media.Subtitle}[number(v)]
		case idCodecID:
			t.codecID = text(v)
		case idCodecPrivate:
			t.private = v
		case idLanguage:
			if !bcp47 {
				t.info.Language = text(v)
			}
		case idLanguageBCP47:
			t.info.Language, bcp47 = text(v), true
		case idName:
			t.info.Title = text(v)
		case idFlagDefault:
			t.info.Default = number(v) != 0
		case idDefaultDuration:
			t.defaultDuration = number(v)
		case idCodecDelay:
			t.codecDelay = min(number(v), 10e9)
		case idVideo:
			t.readVideo(v)
		case idAudio:
			t.readAudio(v)
		case idContentEncodings:
			encodings = v
		}
	}
	t.readEncodings(encodings) // whose meaning depends on the track's kind
	if t.info.Language == "und" {
		t.info.Language = ""
	}
	if t.info.Kind == media.Video && t.defaultDuration > 0 {
		t.info.FrameRate = math.Round(1e12/float64(t.defaultDuration)) / 1000
	}
	return t
}

func (t *track) readVideo(data []byte) {
	for id, v := range children(data) {
		switch id {
		case idPixelWidth:
			t.info.Width = int(min(number(v), math.MaxUint16))
		case idPixelHeight:
			t.info.Height = int(min(number(v), math.MaxUint16))
		case idDisplayWidth:
			t.display[0] = number(v)
		case idDisplayHeight:
			t.display[1] = number(v)
		case idDisplayUnit:
			t.display[2] = number(v)
		case idColour:
			t.colour = &[4]uint64{2, 2, 2, 0} // primaries, transfer, matrix: unspecified
			for id, v := range children(v) {
				switch id {
				case idPrimaries:
					t.colour[0] = number(v)
				case idTransfer:
					t.colour[1] = number(v)
				case idMatrix:
					t.colour[2] = number(v)
				case idColourRange:
					t.colour[3] = number(v)
				}
			}
		}
	}
}

func (t *track) readAudio(data []byte) {
	t.info.SampleRate, t.info.Channels = 8000, 1 // what the absence of the elements means
	for id, v := range children(data) {
		switch id {
		case idSamplingFrequency:
			if f := float(v); f > 0 && f < math.MaxInt32 {
				t.info.SampleRate = int(f)
			}
		case idChannels:
			t.info.Channels = int(min(number(v), 255))
		case idBitDepth:
			t.bitDepth = number(v)
		}
	}
}

// readEncodings reads what was done to the blocks. Only one header stripping can be undone.
func (t *track) readEncodings(data []byte) {
	for id, encoding := range children(data) {
		if id != idContentEncoding {
			continue
		}
		scope, algorithm, encrypted := uint64(1), uint64(0), false
		var settings []byte
		for id, v := range children(encoding) {
			switch id {
			case idEncodingScope:
				scope = number(v)
			case idEncryption:
				encrypted = true
			case idCompression:
				for id, v := range children(v) {
					switch id {
					case idCompressionAlgorithm:
						algorithm = number(v)
					case idCompressionSettings:
						settings = v
					}
				}
			}
		}
		switch {
		case scope&1 == 0: // not the blocks
		case algorithm == 0 && !encrypted && t.info.Kind == media.Subtitle && !t.info.Zlib:
			t.info.Zlib = true
		case encrypted || algorithm != 3 || t.info.Prefix != nil || len(settings) > 256:
			t.opaque = true
		default:
			t.info.Prefix = append([]byte(nil), settings...)
		}
	}
}

// names are the codecs whose configuration is not read: they are named, so that a page can say why they do not play.
var names = map[string]string{
	"V_VP8": "vp8", "V_MPEG1": "mpeg1video", "V_MPEG2": "mpeg2video", "V_MPEG4/ISO/SP": "mpeg4", "V_MPEG4/ISO/ASP": "mpeg4",
	"V_MPEG4/ISO/AP": "mpeg4", "V_MPEG4/MS/V3": "msmpeg4v3", "V_THEORA": "theora", "V_PRORES": "prores", "V_MJPEG": "mjpeg", "V_FFV1": "ffv1",
	"A_DTS": "dts", "A_DTS/EXPRESS": "dts", "A_DTS/LOSSLESS": "dts", "A_TRUEHD": "truehd", "A_MLP": "mlp", "A_MPEG/L1": "mp1", "A_MPEG/L2": "mp2",
	"A_VORBIS": "vorbis", "A_PCM/FLOAT/IEEE": "pcm_f32le", "A_PCM/INT/BIG": "pcm_s16be", "A_PCM/INT/LIT": "pcm_s16le", "A_TTA1": "tta", "A_WAVPACK4": "wavpack",
	"S_TEXT/UTF8": "subrip", "S_TEXT/ASS": "ass", "S_TEXT/SSA": "ass", "S_ASS": "ass", "S_SSA": "ass", "S_TEXT/WEBVTT": "webvtt",
	"D_WEBVTT/SUBTITLES": "webvtt", "S_HDMV/PGS": "hdmv_pgs_subtitle", "S_VOBSUB": "dvd_subtitle", "S_DVBSUB": "dvb_subtitle", "S_HDMV/TEXTST": "hdmv_text_subtitle",
	"V_MPEG4/ISO/AVC": "h264", "V_MPEGH/ISO/HEVC": "hevc", "V_AV1": "av1", "V_VP9": "vp9",
	"A_MPEG/L3": "mp3", "A_FLAC": "flac", "A_OPUS": "opus", "A_ALAC": "alac", "A_AC3": "ac3", "A_AC3/BSID9": "ac3", "A_EAC3": "eac3",
}

// configure reads the codec's configuration. One that is malformed yields the codec's name only.
func (t *track) configure() codec.Config {
	c := codec.Config{Name: names[t.codecID], Width: t.info.Width, Height: t.info.Height}
	if t.info.Kind != media.Video {
		c.Width, c.Height = 0, 0
	}
	if t.bitDepth > 0 && strings.HasPrefix(c.Name, "pcm_s16") {
		c.Name = fmt.Sprintf("pcm_s%d%s", t.bitDepth, c.Name[len("pcm_s16"):])
	}
	var got codec.Config
	var err error
	switch {
	case t.opaque:
		return c
	case t.codecID == "V_MPEG4/ISO/AVC":
		got, err = codec.AVC(t.private, c.Width, c.Height)
	case t.codecID == "V_MPEGH/ISO/HEVC":
		got, err = codec.HEVC(t.private, c.Width, c.Height)
	case t.codecID == "V_AV1":
		got, err = codec.AV1(t.private, c.Width, c.Height)
	case t.codecID == "V_MS/VFW/FOURCC":
		return t.fourCC(c)
	case t.codecID == "A_MPEG/L3":
		got = codec.MP3(t.info.SampleRate, t.info.Channels)
	case t.codecID == "A_FLAC":
		got, err = codec.FLAC(t.private)
	case t.codecID == "A_OPUS":
		got, err = codec.Opus(t.private)
	case t.codecID == "A_ALAC":
		got, err = codec.ALAC(t.private)
	case t.codecID == "A_AAC" || strings.HasPrefix(t.codecID, "A_AAC/"):
		c.Name = "aac"
		got, err = codec.AAC(t.aacConfig())
	case c.Name == "":
		c.Name = strings.ToLower(t.codecID)
		return c
	default:
		return c
	}
	if err != nil {
		return c
	}
	got.Extra = append(got.Extra, t.visualBoxes(got)...)
	return got
}

// fourCC names a codec of Video for Windows from its BITMAPINFOHEADER.
func (t *track) fourCC(c codec.Config) codec.Config {
	if len(t.private) < 20 {
		return c
	}
	four := strings.ToUpper(string(t.private[16:20]))
	c.Name = map[string]string{
		"XVID": "mpeg4", "DIVX": "mpeg4", "DX50": "mpeg4", "FMP4": "mpeg4", "MP4V": "mpeg4", "DIV3": "msmpeg4v3", "MP43": "msmpeg4v3",
		"WMV1": "wmv1", "WMV2": "wmv2", "WMV3": "wmv3", "WVC1": "vc1", "H264": "h264", "MJPG": "mjpeg",
	}[four]
	if c.Name == "" {
		c.Name = strings.ToLower(strings.TrimSpace(four))
	}
	return c
}

// aacConfig returns the AudioSpecificConfig; very old files spell it in the codec's ID.
func (t *track) aacConfig() []byte {
	if len(t.private) > 0 {
		return t.private
	}
	for i, rate := range []int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350} {
		if rate == t.info.SampleRate {
			return binary.BigEndian.AppendUint16(nil, uint16(2<<11|i<<7|(t.info.Channels&15)<<3))
		}
	}
	return nil
}

// visualBoxes returns the pixels' shape and the colours as boxes for a sample entry.
func (t *track) visualBoxes(c codec.Config) (b []byte) {
	w, h := uint64(t.info.Width), uint64(t.info.Height)
	if c.Width == 0 || w == 0 || h == 0 {
		return nil
	}
	if dw, dh := t.display[0], t.display[1]; t.display[2] <= 3 && dw > 0 && dh > 0 && dw < 1<<16 && dh < 1<<16 && dw*h != dh*w {
		b = append(b, 0, 0, 0, 16, 'p', 'a', 's', 'p')
		x, y := dw*h, dh*w
		for k := gcd(x, y); k > 1; k = 1 {
			x, y = x/k, y/k
		}
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, uint32(x)), uint32(y))
	}
	if t.colour != nil {
		b = append(b, 0, 0, 0, 19, 'c', 'o', 'l', 'r', 'n', 'c', 'l', 'x')
		for _, v := range t.colour[:3] {
			b = binary.BigEndian.AppendUint16(b, uint16(v))
		}
		full := byte(0)
		if t.colour[3] == 2 {
			full = 0x80
		}
		b = append(b, full)
	}
	return b
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// probeFrames reads the first frame of every track whose configuration stands nowhere else.
func (m *Movie) probeFrames(r io.ReaderAt) {
	waiting := map[uint64]*track{}
	for _, t := range m.tracks {
		switch t.codecID {
		case "A_AC3", "A_AC3/BSID9", "A_EAC3", "V_VP9":
			if !t.opaque {
				waiting[t.number] = t
			}
		}
	}
	w := m.walk(r, m.first)
	var b block
	for n := 0; len(waiting) > 0 && n < 2000; n++ {
		if ok, err := w.next(&b); !ok || err != nil {
			return
		}
		t := waiting[b.track]
		if t == nil || len(b.frames) == 0 {
			continue
		}
		head := make([]byte, min(int64(b.frames[0].size), 4096))
		if _, err := r.ReadAt(head, b.frames[0].offset); err != nil {
			return
		}
		head = append(append([]byte(nil), t.info.Prefix...), head...)
		var got codec.Config
		var err error
		switch t.codecID {
		case "A_EAC3":
			got, err = codec.EAC3Frame(head)
		case "V_VP9":
			got, err = codec.VP9Frame(head, t.info.Width, t.info.Height, t.info.FrameRate)
			got.Extra = t.visualBoxes(got)
		default:
			got, err = codec.AC3Frame(head)
		}
		if err == nil {
			t.info.Config = got
		}
		delete(waiting, b.track)
	}
}
