package stream

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"manofwar/internal/container"
	"manofwar/internal/container/probe"
	"manofwar/internal/media"
)

// Segments are cut at the first keyframe that is this far from the last cut. The first is shorter, so that playing
// starts sooner.
const (
	firstSegment  = 1900 * time.Millisecond
	targetSegment = 3900 * time.Millisecond
)

// maxSegment is how long a segment can get before a film counts as one that has to be converted: a browser shows
// nothing before it has a good part of a segment.
const maxSegment = 2 * time.Minute

// presentation is a film cut for streaming. It is not changed once it is made.
type presentation struct {
	version    string
	size       int64 // of the file
	movie      container.Movie
	main       int         // the track whose keyframes are the cuts
	cuts       []int64     // where each segment starts, in ticks of the main track; the first is where the film starts
	base       int64       // added to every time: how far before 0 the main track has to be decoded, in its ticks
	renditions []rendition // the main one first
}

// rendition is one playlist: tracks that are delivered together.
type rendition struct {
	name   string
	tracks []int

	converted bool          // to AAC; the one track is then not delivered as it is
	end       time.Duration // on the film's time line
	count     int           // of segments: a sound may end before the picture does
}

// present cuts the film in src. Sounds that not every browser plays are offered as AAC too if convert, which is asked only
// where there are any, says that they can be. Where the film cannot be streamed, the error wraps [media.ErrUnsupported].
func present(src *source, convert func() bool) (*presentation, error) {
	movie, err := probe.Open(src.f, src.size)
	if err != nil {
		return nil, err
	}
	p := &presentation{version: src.key().version(), size: src.size, movie: movie}
	c, err := choose(movie.Info(), convert)
	if err != nil {
		return nil, err
	}
	p.main = c.main()
	extents := map[int]container.Extent{}
	for _, i := range append([]int{p.main}, c.audio...) {
		if _, done := extents[i]; done {
			continue
		}
		extents[i], err = movie.Index(src.f, i)
		if err != nil {
			if i != p.main { // a sound track without any sound
				c.audio = slices.DeleteFunc(slices.Clone(c.audio), func(a int) bool { return a == i })
				continue
			}
			return nil, err
		}
	}
	c.converted = slices.DeleteFunc(c.converted, func(i int) bool {
		if _, ok := rawSounds[p.track(i).Codec]; !ok || extents[i] != (container.Extent{}) {
			return false
		}
		_, err := movie.Index(src.f, i)
		return err != nil
	})
	if err := p.cut(); err != nil {
		return nil, err
	}
	p.compose(c)
	for i := range p.renditions {
		p.measure(&p.renditions[i], extents)
	}
	return p, nil
}

// choice is which tracks are delivered.
type choice struct {
	video     int   // -1: none
	audio     []int // as they are, the default one first
	converted []int // as AAC
}

// main returns the track that is cut along.
func (c choice) main() int {
	if c.video >= 0 {
		return c.video
	}
	return c.audio[0]
}

// choose selects the first picture that browsers play, and every sound.
func choose(info *container.Info, convert func() bool) (choice, error) {
	c := choice{video: -1}
	refused := map[media.StreamKind][]string{}
	for i, t := range info.Tracks {
		switch {
		case t.Kind == media.Video && t.Config.Playable() && c.video < 0:
			c.video = i
		case t.Kind == media.Audio && t.Config.Playable():
			c.audio = append(c.audio, i)
		case (t.Kind == media.Video || t.Kind == media.Audio) && !t.Config.Playable():
			refused[t.Kind] = append(refused[t.Kind], codecName(t.Config.Name))
		}
		if t.Kind == media.Audio && !everywhere[t.Config.Name] && convert() {
			c.converted = append(c.converted, i)
		}
	}
	for _, list := range [][]int{c.audio, c.converted} {
		slices.SortStableFunc(list, func(a, b int) int { return rank(info.Tracks[a]) - rank(info.Tracks[b]) })
	}
	switch {
	case c.video < 0 && len(refused[media.Video]) > 0:
		return c, unplayable("picture", refused[media.Video], "It can be downloaded and played with another program.")
	case len(c.audio) == 0 && len(refused[media.Audio]) > 0 && (c.video < 0 || len(c.converted) == 0):
		return c, unplayable("sound", refused[media.Audio], "With ffmpeg on the machine that manofwar runs on, the sound of films is converted.")
	case c.video < 0 && len(c.audio) == 0:
		return c, fmt.Errorf("%w: it holds neither picture nor sound", media.ErrUnsupported)
	case c.video < 0:
		c.converted = nil
	}
	return c, nil
}

// rank puts default tracks first.
func rank(t container.Track) int {
	if t.Default {
		return 0
	}
	return 1
}

// everywhere are the sounds that every browser plays. Others, such as Dolby Digital, play in some.
var everywhere = map[string]bool{"aac": true, "mp3": true, "flac": true, "opus": true}

func unplayable(what string, codecs []string, hint string) error {
	err := fmt.Errorf("%w: the film's %s is %s, which browsers do not play", media.ErrUnsupported, what, strings.Join(slices.Compact(codecs), " and "))
	return &media.Error{Op: "play", Err: err, Hint: hint}
}

func (p *presentation) track(i int) *container.Track { return &p.movie.Info().Tracks[i] }

// cut chooses the cuts among the main track's keyframes.
func (p *presentation) cut() error {
	t := p.track(p.main)
	keys := p.movie.Keyframes(p.main)
	if t.Kind == media.Video {
		p.base = max(0, -keys[0])
	}
	p.cuts = []int64{-p.base}
	least := ticks(firstSegment, t.Timescale)
	for _, k := range keys[1:] {
		if k >= p.cuts[len(p.cuts)-1]+least {
			if duration(k-p.cuts[len(p.cuts)-1], t.Timescale) > maxSegment {
				return fmt.Errorf("%w: its keyframes are more than %v apart, too far for streaming", media.ErrUnsupported, maxSegment)
			}
			p.cuts = append(p.cuts, k)
			least = ticks(targetSegment, t.Timescale)
		}
	}
	return nil
}

// compose lays out the renditions: one of picture and sound together where there is one sound, else one for each.
func (p *presentation) compose(c choice) {
	if len(c.audio)+len(c.converted) <= 1 && len(c.converted) == 0 || c.video < 0 && len(c.audio) == 1 {
		tracks := []int{p.main}
		if c.video >= 0 {
			tracks = append(tracks, c.audio...)
		}
		p.renditions = []rendition{{name: "main", tracks: tracks}}
		return
	}
	add := func(i int, converted bool) {
		name := "main"
		if n := len(p.renditions); n > 0 {
			name = fmt.Sprintf("audio%d", n)
		}
		p.renditions = append(p.renditions, rendition{name: name, tracks: []int{i}, converted: converted})
	}
	if c.video >= 0 {
		add(c.video, false)
	}
	for _, i := range c.audio {
		add(i, false)
	}
	for _, i := range c.converted {
		add(i, true)
	}
}

// announce returns a rendition's tracks as its init segment has them.
func (p *presentation) announce(r *rendition) []container.Track {
	if r.converted {
		return []container.Track{convertedTrack(p.track(r.tracks[0]))}
	}
	tracks := make([]container.Track, len(r.tracks))
	for k, i := range r.tracks {
		tracks[k] = *p.track(i)
	}
	return tracks
}

// start returns when a segment starts on the presentation's time line.
func (p *presentation) start(n int) time.Duration {
	return duration(p.cuts[n]+p.base, p.track(p.main).Timescale)
}

// span returns which samples of a track belong to a segment: those presented in [from, to), in the track's ticks.
func (p *presentation) span(track, n int) (from, to int64) {
	main, t := p.track(p.main), p.track(track)
	convert := func(v int64) int64 { return rescale(v, main.Timescale, t.Timescale) }
	from, to = convert(p.cuts[n]), math.MaxInt64
	if n == 0 && track == p.main {
		from = math.MinInt64
	}
	if n+1 < len(p.cuts) {
		to = convert(p.cuts[n+1])
	}
	return from, to
}

// shift returns what is added to the times of a track, in its ticks.
func (p *presentation) shift(track int) int64 {
	return rescale(p.base, p.track(p.main).Timescale, p.track(track).Timescale)
}

// measure finds how far a rendition goes.
func (p *presentation) measure(r *rendition, extents map[int]container.Extent) {
	if r.converted { // as long as the picture: what is missing is silence
		r.end, r.count = p.renditions[0].end, len(p.cuts)
		return
	}
	for _, i := range r.tracks {
		r.end = max(r.end, duration(extents[i].End, p.track(i).Timescale))
		n := len(p.cuts)
		for n > 1 {
			if from, _ := p.span(i, n-1); from <= extents[i].Last {
				break
			}
			n--
		}
		r.count = max(r.count, n)
	}
}

func (p *presentation) baseDuration() time.Duration {
	return duration(p.base, p.track(p.main).Timescale)
}

// length returns how long a segment of a rendition is.
func (p *presentation) length(r *rendition, n int) time.Duration {
	if n+1 < r.count {
		return p.start(n+1) - p.start(n)
	}
	return max(r.end+p.baseDuration()-p.start(n), time.Millisecond)
}

// memory returns about how many bytes the presentation takes.
func (p *presentation) memory() int { return p.movie.Memory() + 8*len(p.cuts) + 1024 }

// rescale converts a time from one clock to another, rounding up.
func rescale(v int64, from, to uint32) int64 {
	f, t := int64(from), int64(to)
	whole, rest := v/f, v%f
	if rest < 0 {
		whole, rest = whole-1, rest+f
	}
	return whole*t + (rest*t+f-1)/f
}

func duration(v int64, scale uint32) time.Duration {
	return time.Duration(rescale(v, scale, 1e9))
}

func ticks(d time.Duration, scale uint32) int64 { return rescale(int64(d), 1e9, scale) }

// codecName returns a codec's name as people know it.
func codecName(name string) string {
	if n, ok := map[string]string{
		"dts": "DTS", "truehd": "Dolby TrueHD", "mlp": "MLP", "vorbis": "Vorbis", "mp2": "MPEG layer II", "mp1": "MPEG layer I", "wmav2": "Windows Media",
		"mpeg1video": "MPEG-1", "mpeg2video": "MPEG-2", "mpeg4": "MPEG-4 Part 2 (DivX, Xvid)", "msmpeg4v3": "DivX 3", "vp8": "VP8", "theora": "Theora",
		"mjpeg": "Motion JPEG", "prores": "ProRes", "ffv1": "FFV1", "wmv1": "Windows Media", "wmv2": "Windows Media", "wmv3": "Windows Media", "vc1": "VC-1",
		"h263": "H.263", "encrypted": "encrypted", "tta": "TTA", "wavpack": "WavPack", "amr_nb": "AMR", "amr_wb": "AMR", "h264": "H.264", "hevc": "H.265",
		"aac": "AAC", "ac3": "Dolby Digital", "eac3": "Dolby Digital Plus", "unknown": "of an unknown kind",
	}[name]; ok {
		return n
	}
	if strings.HasPrefix(name, "pcm_") || strings.HasPrefix(name, "adpcm_") {
		return "PCM"
	}
	return name
}
