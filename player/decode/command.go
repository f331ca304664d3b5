package decode

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
)

const (
	// settle is how long before the wanted place decoding of sound alone begins: codecs overlap their frames, and MP3
	// borrows bits of earlier ones. A picture needs none, it begins at a keyframe before.
	settle = 200 * time.Millisecond

	// unindexed is the same for containers without an index, in which ffmpeg finds a place but no keyframe before it.
	// Television and discs have one or two a second.
	unindexed = 2 * time.Second

	// cueShift is added to the times of subtitles on their way, so that one that began before the wanted place and is
	// still to be seen has a time that the form can write. So it is with pictures that come as they are coded: those from
	// the keyframe on lead to the place.
	cueShift = 1000 * time.Second

	// loudest is what channels may add up to when there are fewer speakers than channels. ffmpeg's own limits are 1, by
	// which speech of a film becomes hard to hear, and none, by which loud scenes crackle.
	loudest = "1.41"

	// fill is how large a hole in the sound's timestamps is filled with silence, and an overlap cut, in seconds. Smaller
	// ones are rounding: Matroska and FLV count milliseconds.
	fill = "0.05"
)

// output is one pipe from ffmpeg.
type output int

// The outputs that a request may have.
const (
	pictures output = iota
	sound
	cues
	outputs
)

// command is how ffmpeg is to be called.
type command struct {
	args  []string
	base  time.Duration // what its timestamps count from, in the item
	fds   [outputs]bool // which outputs there are; they have consecutive descriptors from 3 on
	pass  bool          // the sound is packets
	cue   cueForm       // how the subtitles come
	speed float64
}

// newCommand returns the call for a request. Pictures may come as they are coded.
func newCommand(r player.Request, coded bool) (command, error) {
	in, err := input(r.Source)
	if err != nil {
		return command{}, err
	}
	c := command{base: max(r.From, 0), speed: r.Speed}
	if c.speed == 0 || r.Pass {
		c.speed = 1
	}
	lead := min(leadOf(r), c.base)
	c.base -= lead
	c.args = []string{"-nostdin", "-hide_banner", "-loglevel", "error", "-max_error_rate", "1"} // bad sound is no reason to show no picture
	if c.base > 0 {
		c.args = append(c.args, "-ss", seconds(c.base))
	}
	c.args = append(c.args, in...)
	pictures := c.addPictures
	if coded {
		pictures = c.addCoded
	}
	for _, add := range []func(player.Request, time.Duration) error{pictures, c.addSound, c.addCues} {
		if err := add(r, lead); err != nil {
			return command{}, err
		}
	}
	return c, nil
}

// leadOf returns how much is decoded before the wanted place and thrown away.
func leadOf(r player.Request) time.Duration {
	switch {
	case r.Info.Container == "mpegts" || r.Info.Container == "mpegps":
		return unindexed
	case r.Video == player.None:
		return settle
	}
	return 0
}

// open adds an output: its descriptor is the next one.
func (c *command) open(o output, args ...string) {
	fd := 3
	for _, used := range c.fds {
		if used {
			fd++
		}
	}
	c.fds[o] = true
	c.args = append(append(c.args, args...), "pipe:"+strconv.Itoa(fd))
}

// addPictures writes raw pictures with the timestamps that the file gives them: none is doubled or left out to make up
// a constant rate.
func (c *command) addPictures(r player.Request, lead time.Duration) error {
	if r.Video == player.None {
		return nil
	}
	n, err := ordinal(r.Info.Streams, r.Video, media.Video)
	if err != nil {
		return err
	}
	format, ok := pixelFormats[r.Format]
	if !ok || r.Width <= 0 || r.Height <= 0 || (r.Format != player.XRGB8888 && (r.Width|r.Height)&1 != 0) {
		return fmt.Errorf("decode to %d×%d in format %#x: %w", r.Width, r.Height, uint32(r.Format), player.ErrFormat)
	}
	c.open(pictures, "-map", fmt.Sprintf("0:V:%d", n), "-filter:v", pictureFilters(r, lead, format),
		"-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-c:v", "rawvideo", "-pix_fmt", format, "-write_index", "0", "-f", "nut")
	return nil
}

// addCoded hands pictures over as they are coded, from the keyframe before the wanted place on, in the form in which the
// kernel's decoders want them: streams that need no container.
func (c *command) addCoded(r player.Request, _ time.Duration) error {
	n, err := ordinal(r.Info.Streams, r.Video, media.Video)
	if err != nil {
		return err
	}
	args := []string{"-map", fmt.Sprintf("0:V:%d", n), "-c:v", "copy"}
	if filter := bareForm[r.Info.Streams[r.Video].Codec]; filter != "" {
		args = append(args, "-bsf:v", filter)
	}
	c.open(pictures, append(args, "-avoid_negative_ts", "disabled", "-output_ts_offset", seconds(cueShift), "-write_index", "0", "-f", "nut")...)
	return nil
}

// bareForm are ffmpeg's filters that make it. Other codecs have it always.
var bareForm = map[string]string{"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb", "mpeg4": "mpeg4_unpack_bframes"}

// pixelFormats are ffmpeg's names.
var pixelFormats = map[player.Format]string{player.XRGB8888: "bgr0", player.YUV420: "yuv420p", player.NV12: "nv12"}

func pictureFilters(r player.Request, lead time.Duration, format string) string {
	var filters []string
	if lead > 0 {
		filters = append(filters, "trim=start="+seconds(lead))
	}
	if r.Info.Interlace {
		filters = append(filters, "bwdif=mode="+deinterlaceMode(r.Info.Streams[r.Video].Height)+":deint=interlaced")
	}
	filters = append(filters, fmt.Sprintf("scale=%d:%d:flags=fast_bilinear%s", r.Width, r.Height, colours(r)))
	return strings.Join(append(filters, "format="+format, "setsar=1"), ",")
}

// colours returns the rest of the filter that scales. Few files say how their colours are coded; their size does. swscale
// takes them all for standard definition, and a display goes by the size of the frame.
func colours(r player.Request) string {
	s := r.Info.Streams[r.Video]
	in, out := matrix(s.Width, s.Height), matrix(r.Width, r.Height)
	rest := ""
	if r.Info.HDR {
		in, rest = "bt709", ",format=yuv420p10le,"+sdr()+",scale=flags=fast_bilinear"
	}
	switch {
	case r.Format == player.XRGB8888:
		return rest + ":in_color_matrix=" + in
	case in != out:
		return rest + ":out_range=tv:in_color_matrix=" + in + ":out_color_matrix=" + out
	}
	return rest + ":out_range=tv"
}

// matrix returns how the colours of a picture of that size are coded.
func matrix(width, height int) string {
	if width > 1024 || height > 576 {
		return "bt709"
	}
	return "bt601"
}

// deinterlaceMode makes a picture of each field, as a television does, where that is cheap, else one of each two.
func deinterlaceMode(height int) string {
	if height <= 576 {
		return "send_field"
	}
	return "send_frame"
}

// addSound writes sound as 32-bit floats, or packets as they are for packing.
func (c *command) addSound(r player.Request, lead time.Duration) error {
	if r.Audio == player.None {
		return nil
	}
	n, err := ordinal(r.Info.Streams, r.Audio, media.Audio)
	if err != nil {
		return err
	}
	stream := r.Info.Streams[r.Audio]
	from := []string{"-map", fmt.Sprintf("0:a:%d", n)}
	if r.Pass {
		return c.passSound(stream, from)
	}
	layout, ok := layouts[r.Channels]
	if !ok || r.Rate <= 0 {
		return fmt.Errorf("decode to %d channels at %d Hz: %w", r.Channels, r.Rate, player.ErrFormat)
	}
	filters := c.trim(r, lead)
	if stream.Channels == 1 && r.Channels == 2 {
		filters += "pan=stereo|c0=c0|c1=c0," // swresample makes it quieter by 3 dB
	}
	filters += fmt.Sprintf("aresample=%d:async=1:min_hard_comp=%s:rematrix_maxval=%s,aformat=sample_fmts=flt:channel_layouts=%s", r.Rate, fill, loudest, layout)
	filters += tempo(c.speed)
	c.open(sound, append(from, "-filter:a", filters, "-c:a", "pcm_f32le", "-write_index", "0", "-f", "nut")...)
	return nil
}

// trim cuts sound at both ends. ffmpeg does not leave out what an encoder of AAC added at the end, though MP4 says how
// long the sound is.
func (c *command) trim(r player.Request, lead time.Duration) string {
	var ends []string
	if lead > 0 {
		ends = append(ends, "start="+seconds(lead))
	}
	if r.Video == player.None && r.Info.Container == "mp4" && r.Info.Duration > c.base {
		ends = append(ends, "end="+seconds(r.Info.Duration-c.base))
	}
	if len(ends) == 0 {
		return ""
	}
	return "atrim=" + strings.Join(ends, ":") + ","
}

// layouts are ffmpeg's names of the usual arrangements of so many speakers. Samples are interleaved in its order, which
// is that of WAVE: front left and right, centre, low frequencies, then the rest.
var layouts = map[int]string{1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}

// tempo returns the filters that change the speed and keep the pitch. One takes 0.5 at the least.
func tempo(speed float64) string {
	var b strings.Builder
	for ; speed < 0.5; speed *= 2 {
		b.WriteString(",atempo=0.5")
	}
	if speed != 1 {
		fmt.Fprintf(&b, ",atempo=%s", strconv.FormatFloat(speed, 'f', -1, 64))
	}
	return b.String()
}

// ordinal returns how many streams of the kind in the item's own file come before the one at index i.
func ordinal(streams []media.Stream, i int, kind media.StreamKind) (n int, err error) {
	if i < 0 || i >= len(streams) || streams[i].Kind != kind {
		return 0, fmt.Errorf("decode stream %d of %d as %s: %w", i, len(streams), kind, media.ErrInvalid)
	}
	for _, s := range streams[:i] {
		if s.Kind == kind && s.File == "" {
			n++
		}
	}
	return n, nil
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 9, 64) }

// passSound hands over packets as they are; their timestamps stay exact that way, which the packed form has none of.
func (c *command) passSound(s media.Stream, from []string) error {
	if s.Codec != "ac3" && s.Codec != "eac3" && s.Codec != "dts" {
		return fmt.Errorf("pass on %s: %w", s.Codec, media.ErrUnsupported)
	}
	c.pass = true
	c.open(sound, append(from, "-c:a", "copy", "-write_index", "0", "-f", "nut")...)
	return nil
}

// addCues writes text as SubRip, whichever kind of text it was, and pictures as they are.
func (c *command) addCues(r player.Request, _ time.Duration) error {
	if r.Subtitle == player.None {
		return nil
	}
	n, err := ordinal(r.Info.Streams, r.Subtitle, media.Subtitle)
	if err != nil {
		return err
	}
	stream := r.Info.Streams[r.Subtitle]
	if stream.File != "" {
		return nil
	}
	from := []string{"-map", fmt.Sprintf("0:s:%d", n), "-avoid_negative_ts", "disabled", "-output_ts_offset", seconds(cueShift), "-flush_packets", "1"}
	switch stream.Codec {
	case "hdmv_pgs_subtitle":
		c.cue = pgs
		from = append(from, "-c:s", "copy", "-f", "sup")
	case "dvd_subtitle":
		c.cue = vobsub
		from = append(from, "-c:s", "copy", "-write_index", "0", "-f", "nut")
	case "dvb_subtitle":
		c.cue = dvb
		from = append(from, "-c:s", "copy", "-write_index", "0", "-f", "nut")
	case "dvb_teletext", "xsub", "hdmv_text_subtitle", "arib_caption":
		return &media.Error{Op: "show subtitles of", Path: name(r.Source), Err: fmt.Errorf("%w: they are of type %s", media.ErrUnsupported, stream.Codec)}
	default:
		c.cue = text
		from = append(from, "-c:s", "srt", "-f", "srt")
	}
	c.open(cues, from...)
	return nil
}

// cueForm is how subtitles come through their pipe.
type cueForm int

const (
	text cueForm = iota // SubRip
	pgs
	vobsub // in NUT
	dvb    // likewise
)
