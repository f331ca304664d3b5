package decode

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
)

// probed is what ffprobe reports.
type probed struct {
	Streams  []probedStream
	Chapters []struct {
		Start string            `json:"start_time"`
		Tags  map[string]string `json:"tags"`
	}
	Format struct {
		Name     string            `json:"format_name"`
		Start    string            `json:"start_time"`
		Duration string            `json:"duration"`
		Tags     map[string]string `json:"tags"`
	}
}

type probedStream struct {
	Type        string         `json:"codec_type"`
	Codec       string         `json:"codec_name"`
	Profile     string         `json:"profile"`
	Pixels      string         `json:"pix_fmt"`
	Range       string         `json:"color_range"`
	Width       int            `json:"width"`
	Height      int            `json:"height"`
	SampleShape string         `json:"sample_aspect_ratio"`
	FieldOrder  string         `json:"field_order"`
	Transfer    string         `json:"color_transfer"`
	RealRate    string         `json:"r_frame_rate"`
	MeanRate    string         `json:"avg_frame_rate"`
	SampleRate  string         `json:"sample_rate"`
	Channels    int            `json:"channels"`
	BitRate     string         `json:"bit_rate"`
	Duration    string         `json:"duration"`
	Disposition map[string]int `json:"disposition"`
	Tags        map[string]string
	SideData    []struct {
		Type     string  `json:"side_data_type"`
		Rotation float64 `json:"rotation"`
	} `json:"side_data_list"`
}

// info returns what the report means. It is [media.ErrUnsupported] where there is nothing to play.
func (r *probed) info() (player.Info, error) {
	info := player.Info{Container: container(r.Format.Name), Duration: parseSeconds(r.Format.Duration)}
	tags := []map[string]string{r.Format.Tags}
	for _, s := range r.Streams {
		kind, ok := s.kind()
		if !ok {
			continue
		}
		info.Streams = append(info.Streams, s.stream(kind))
		switch {
		case kind == media.Video && info.Aspect == 0:
			s.picture(&info)
		case kind == media.Audio:
			tags = append(tags, s.Tags)
		}
		if info.Duration == 0 {
			info.Duration = parseSeconds(s.Duration)
		}
	}
	if !slices.ContainsFunc(info.Streams, func(s media.Stream) bool { return s.Kind != media.Subtitle }) {
		return player.Info{}, fmt.Errorf("%w: there is no picture and no sound in it", media.ErrUnsupported)
	}
	if d := r.soundDuration(); d > 0 {
		info.Duration = d
	}
	start := parseSeconds(r.Format.Start)
	for _, c := range r.Chapters {
		info.Chapters = append(info.Chapters, player.Chapter{Start: max(parseSeconds(c.Start)-start, 0), Title: tag(c.Tags, "title")})
	}
	info.Gain = gain(tags)
	return info, nil
}

// soundDuration returns how long the sound is where nothing else is, to the sample: the file's as a whole is rounded to a
// millisecond in MP4, or says how much silence the encoder added as well. iTunSMPB has that in samples, in hexadecimal:
// zero, the delay, the padding, and what is in between.
func (r *probed) soundDuration() time.Duration {
	var only *probedStream
	for i := range r.Streams {
		if _, ok := r.Streams[i].kind(); ok {
			if only != nil {
				return 0
			}
			only = &r.Streams[i]
		}
	}
	if only == nil || only.Type != string(media.Audio) {
		return 0
	}
	for _, t := range []map[string]string{r.Format.Tags, only.Tags} {
		if f := strings.Fields(tag(t, "iTunSMPB")); len(f) > 3 {
			n, err := strconv.ParseUint(f[3], 16, 40)
			if rate := atoi(only.SampleRate); err == nil && n > 0 && rate > 0 {
				return time.Duration(float64(n) / float64(rate) * float64(time.Second))
			}
		}
	}
	return parseSeconds(only.Duration)
}

// containers are the names that package media has for those of ffmpeg.
var containers = map[string]string{"mov": "mp4", "matroska": "matroska", "mpeg": "mpegps"}

func container(name string) string {
	first, _, _ := strings.Cut(name, ",")
	return cmp.Or(containers[first], first)
}

// kind returns what a stream carries; false: nothing to play, such as a cover, which is a picture of video to ffmpeg.
func (s *probedStream) kind() (media.StreamKind, bool) {
	switch kind := media.StreamKind(s.Type); kind {
	case media.Video:
		return kind, s.Disposition["attached_pic"] == 0
	case media.Audio, media.Subtitle:
		return kind, true
	}
	return "", false
}

func (s *probedStream) stream(kind media.StreamKind) media.Stream {
	out := media.Stream{
		Kind: kind, Codec: s.Codec, Title: tag(s.Tags, "title"), Language: tag(s.Tags, "language"), Default: s.Disposition["default"] != 0,
		Channels: s.Channels, Bitrate: atoi(s.BitRate), SampleRate: atoi(s.SampleRate),
	}
	if out.Language == "und" {
		out.Language = ""
	}
	if kind == media.Video {
		out.Width, out.Height = s.Width, s.Height
		if r := s.rate(); r.Den > 0 {
			out.FrameRate = float64(r.Num) / float64(r.Den)
		}
	}
	return out
}

// picture sets what the picture's shape and rate are when it is shown.
func (s *probedStream) picture(info *player.Info) {
	if s.Width <= 0 || s.Height <= 0 {
		info.Aspect = 4.0 / 3
	} else {
		info.Aspect = float64(s.Width) / float64(s.Height)
	}
	if num, den, ok := ratio(s.SampleShape, ":"); ok {
		info.Aspect *= float64(num) / float64(den)
	}
	info.Coding = player.Coding{Profile: s.Profile, Plain: s.Pixels == "yuv420p" && s.Range != "pc"}
	for _, d := range s.SideData {
		info.Coding.Turned = info.Coding.Turned || d.Type == "Display Matrix"
		if quarter := math.Mod(math.Abs(d.Rotation), 180); quarter > 45 && quarter < 135 { // ffmpeg turns it
			info.Aspect = 1 / info.Aspect
		}
	}
	info.Interlace = slices.Contains([]string{"tt", "bb", "tb", "bt"}, s.FieldOrder)
	info.HDR = s.Transfer == "smpte2084"
	info.Rate = s.rate()
	if info.Interlace && deinterlaceMode(s.Height) == "send_field" {
		info.Rate.Num *= 2
	}
}

// standard are the rates that films and television have.
var standard = []player.Rational{
	{Num: 24000, Den: 1001},
	{Num: 24, Den: 1},
	{Num: 25, Den: 1},
	{Num: 30000, Den: 1001},
	{Num: 30, Den: 1},
	{Num: 48, Den: 1},
	{Num: 50, Den: 1},
	{Num: 60000, Den: 1001},
	{Num: 60, Den: 1},
	{Num: 120, Den: 1},
}

// rate returns the rate of whole pictures. ffprobe finds two: the lowest that all timestamps fit, which is exact but that
// of fields where a picture has two, and in a file with a variable rate far too high; and the mean, which is off where
// timestamps are rounded or the last picture is long.
func (s *probedStream) rate() player.Rational {
	num, den, ok := ratio(s.MeanRate, "/")
	realNum, realDen, realOK := ratio(s.RealRate, "/")
	mean, lowest := float64(num)/float64(max(den, 1)), float64(realNum)/float64(max(realDen, 1))
	switch {
	case !ok && !realOK:
		return player.Rational{}
	case !ok, realOK && math.Abs(mean-lowest) < 0.01*lowest:
		return nearest(player.Rational{Num: realNum, Den: realDen}, 1e-5)
	}
	return nearest(player.Rational{Num: num, Den: den}, 4e-4)
}

// nearest returns the standard rate that is as near, as a part of it, else r.
func nearest(r player.Rational, within float64) player.Rational {
	f := float64(r.Num) / float64(r.Den)
	for _, s := range standard {
		if g := float64(s.Num) / float64(s.Den); math.Abs(f-g) < within*g {
			return s
		}
	}
	return r
}

// gain returns what ReplayGain 2.0 says, or for Opus RFC 7845, 5.2.1: in 1/256 dB, to a level that is 5 dB lower.
func gain(tags []map[string]string) (g player.Gain) {
	for _, f := range []struct {
		name string
		into *float64
	}{
		{"replaygain_track_gain", &g.Track},
		{"replaygain_track_peak", &g.TrackPeak},
		{"replaygain_album_gain", &g.Album},
		{"replaygain_album_peak", &g.AlbumPeak},
	} {
		for _, t := range tags {
			text := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(strings.ToLower(tag(t, f.name))), "db"))
			if v, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(v) < 100 && *f.into == 0 {
				*f.into = v
			}
		}
	}
	for _, f := range []struct {
		name string
		into *float64
	}{{"r128_track_gain", &g.Track}, {"r128_album_gain", &g.Album}} {
		for _, t := range tags {
			if v, err := strconv.Atoi(strings.TrimSpace(tag(t, f.name))); err == nil && v >= math.MinInt16 && v <= math.MaxInt16 && *f.into == 0 {
				*f.into = float64(v)/256 + 5
			}
		}
	}
	return g
}

// tag returns a tag whose name is written in any case.
func tag(tags map[string]string, name string) string {
	for k, v := range tags {
		if strings.EqualFold(k, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func ratio(s, separator string) (num, den int64, ok bool) {
	a, b, _ := strings.Cut(s, separator)
	num, err1 := strconv.ParseInt(a, 10, 64)
	den, err2 := strconv.ParseInt(b, 10, 64)
	return num, den, err1 == nil && err2 == nil && num > 0 && den > 0
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

func parseSeconds(s string) time.Duration {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1e7 {
		return 0
	}
	return time.Duration(math.Round(v * 1e9))
}
