package mp4

import (
	"encoding/binary"
	"io"
	"math"

	"manofwar/internal/container"
	"manofwar/internal/container/codec"
)

// maxDescription bounds a sample description: a few KB of parameter sets is usual.
const maxDescription = 1 << 20

// readDescriptions reads the first sample description (stsd). Files that change description in the middle of a track
// are rare, and their later ones are nearly always the same.
func (t *track) readDescriptions(r io.ReaderAt, stsd box) error {
	for b, err := range boxes(r, stsd.start+8, stsd.end) {
		if err != nil {
			return err
		}
		if t.info.Config.Name != "" {
			continue
		}
		data, err := payload(r, b, maxDescription)
		if err != nil {
			return err
		}
		t.info.Config = describeEntry(b.typ, t.handler, data)
	}
	return nil
}

// entryNames are the codecs by sample entry whose configuration is not read: they are named, so that a page can say
// why they do not play.
var entryNames = map[string]string{
	"mp4v": "mpeg4", "jpeg": "mjpeg", "mjpa": "mjpeg", "mjpb": "mjpeg", "apch": "prores", "apcn": "prores", "apcs": "prores", "apco": "prores",
	"ap4h": "prores", "ap4x": "prores", "vp08": "vp8", "s263": "h263", "h263": "h263", "SVQ3": "svq3", "dvhe": "dolby-vision", "dvh1": "dolby-vision",
	"dtsc": "dts", "dtsh": "dts", "dtsl": "dts", "dtse": "dts", "dtsx": "dts", "mlpa": "truehd", "samr": "amr_nb", "sawb": "amr_wb",
	"sowt": "pcm_s16le", "twos": "pcm_s16be", "in24": "pcm_s24be", "in32": "pcm_s32be", "fl32": "pcm_f32be", "lpcm": "pcm_s16le", "ipcm": "pcm_s16le",
	"fpcm": "pcm_f32le", "ulaw": "pcm_mulaw", "alaw": "pcm_alaw", "raw ": "pcm_u8", "ima4": "adpcm_ima_qt", "encv": "encrypted", "enca": "encrypted",
	"tx3g": "mov_text", "text": "mov_text", "wvtt": "webvtt", "stpp": "ttml", "c608": "eia_608", "mp4s": "dvd_subtitle", "vobs": "dvd_subtitle",
	"tmcd": "timecode", "hev1": "hevc", "hvc1": "hevc", "avc1": "h264", "avc3": "h264", "ac-3": "ac3", "ec-3": "eac3", "fLaC": "flac", "Opus": "opus",
	"alac": "alac", "vp09": "vp9", "av01": "av1", ".mp3": "mp3", "mp4a": "aac",
}

// describeEntry reads a sample entry's payload. One that is malformed yields the codec's name only.
func describeEntry(typ, handler string, data []byte) codec.Config {
	c := codec.Config{Name: entryNames[typ]}
	if c.Name == "" {
		c.Name = "unknown"
		if typ >= " " && typ < "\x7f" {
			c.Name = typ
		}
	}
	switch handler {
	case "vide":
		if len(data) >= 78 {
			c.Width, c.Height = int(binary.BigEndian.Uint16(data[24:])), int(binary.BigEndian.Uint16(data[26:]))
			return describeVisual(c, typ, data[78:])
		}
	case "soun":
		if len(data) >= 28 {
			c.Channels, c.SampleRate = int(binary.BigEndian.Uint16(data[16:])), int(binary.BigEndian.Uint16(data[24:]))
			return describeSound(c, typ, data)
		}
	}
	return c
}

// visualExtras are boxes of a video's sample entry that matter to a display and are passed on as they are.
var visualExtras = map[string]bool{"pasp": true, "colr": true, "mdcv": true, "clli": true, "dvcC": true, "dvvC": true, "clap": true, "SmDm": true, "CoLL": true}

// describeVisual reads the boxes in a VisualSampleEntry.
func describeVisual(c codec.Config, typ string, children []byte) codec.Config {
	var extra []byte
	found := c
	for name, data := range childBoxes(children) {
		var got codec.Config
		var err error
		switch {
		case name == "avcC" && (typ == "avc1" || typ == "avc3"):
			got, err = codec.AVC(data, c.Width, c.Height)
		case name == "hvcC" && (typ == "hvc1" || typ == "hev1"):
			got, err = codec.HEVC(data, c.Width, c.Height)
		case name == "av1C":
			got, err = codec.AV1(data, c.Width, c.Height)
		case name == "vpcC" && typ == "vp09":
			got, err = codec.VP9(data, c.Width, c.Height)
		case visualExtras[name]:
			extra = append(binary.BigEndian.AppendUint32(extra, uint32(8+len(data))), name...)
			extra = append(extra, data...)
			continue
		default:
			continue
		}
		if err == nil {
			found = got
		}
	}
	if found.Playable() {
		found.Extra = extra
	}
	return found
}

// describeSound reads the boxes in an AudioSampleEntry, in QuickTime's versions 0 to 2 of it.
func describeSound(c codec.Config, typ string, data []byte) codec.Config {
	children := data[28:]
	switch binary.BigEndian.Uint16(data[8:]) { // QuickTime's version; 0 in MP4
	case 1:
		children = children[min(16, len(children)):]
	case 2:
		if len(data) >= 64 {
			c.SampleRate = int(math.Float64frombits(binary.BigEndian.Uint64(data[32:])))
			c.Channels = int(binary.BigEndian.Uint32(data[40:]))
			children = data[64:]
		}
	}
	if typ == ".mp3" {
		return codec.MP3(c.SampleRate, c.Channels)
	}
	return soundBoxes(c, children, 0)
}

// soundBoxes finds the codec's configuration, which QuickTime wraps in a wave box.
func soundBoxes(c codec.Config, children []byte, depth int) codec.Config {
	for name, data := range childBoxes(children) {
		var got codec.Config
		var err error
		switch {
		case name == "wave" && depth == 0:
			got = soundBoxes(c, data, 1)
		case name == "esds" && len(data) > 4:
			if got, err = codec.ESDS(data[4:]); got.Name == "mp3" {
				got = codec.MP3(c.SampleRate, c.Channels)
			}
		case name == "dac3":
			got, err = codec.AC3(data)
		case name == "dec3":
			got, err = codec.EAC3(data)
		case name == "dfLa" && len(data) > 4:
			got, err = codec.FLAC(data[4:])
		case name == "dOps":
			got, err = codec.OpusBox(data)
		case name == "alac" && len(data) > 4:
			got, err = codec.ALAC(data[4:])
		default:
			continue
		}
		if err == nil && got.Name != "" {
			if got.SampleRate == 0 {
				got.SampleRate, got.Channels = c.SampleRate, c.Channels
			}
			return got
		}
	}
	return c
}

// childBoxes yields the boxes in a payload that is in memory, up to the first malformed one.
func childBoxes(data []byte) func(yield func(string, []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for len(data) >= 8 {
			n := binary.BigEndian.Uint32(data)
			if n < 8 || uint64(n) > uint64(len(data)) || !yield(string(data[4:8]), data[8:n]) {
				return
			}
			data = data[n:]
		}
	}
}

var _ container.Movie = (*Movie)(nil)
