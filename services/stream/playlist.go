package stream

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"manofwar/internal/media"
)

// multivariant returns the playlist that names the others (RFC 8216, 4.3.4). Sounds of one codec form a group, and the
// picture is offered once with each group: a browser takes the first that it can play.
func (p *presentation) multivariant() string {
	var b strings.Builder
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n")
	main := p.track(p.main)
	var groups []string
	if len(p.renditions) > 1 {
		groups = p.writeAudio(&b)
	} else {
		groups = []string{""}
	}
	for _, g := range groups {
		codecs := []string{main.RFC6381}
		for _, t := range p.announce(&p.renditions[0])[1:] {
			codecs = append(codecs, t.RFC6381)
		}
		if g != "" && main.Kind == media.Video {
			codecs = append(codecs, g)
		}
		rate := p.bitrate()
		fmt.Fprintf(&b, "#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,CODECS=%q", rate, rate, strings.Join(codecs, ","))
		if main.Kind == media.Video {
			fmt.Fprintf(&b, ",RESOLUTION=%dx%d", main.Width, main.Height)
			if main.FrameRate > 0 {
				fmt.Fprintf(&b, ",FRAME-RATE=%.3f", main.FrameRate)
			}
		}
		if g != "" {
			fmt.Fprintf(&b, ",AUDIO=%q", g)
		}
		fmt.Fprintf(&b, "\nmain.m3u8?v=%s\n", p.version)
	}
	return b.String()
}

// writeAudio writes the sounds and returns the names of their groups, which are their codecs.
func (p *presentation) writeAudio(b *strings.Builder) (groups []string) {
	for n, r := range p.renditions {
		t := p.announce(&r)[0]
		if t.Kind != media.Audio {
			continue
		}
		first := !slices.Contains(groups, t.RFC6381)
		if first {
			groups = append(groups, t.RFC6381)
		}
		fmt.Fprintf(b, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=%q,NAME=%q", t.RFC6381, p.audioName(n))
		if t.Language != "" {
			fmt.Fprintf(b, ",LANGUAGE=%q", attribute(t.Language))
		}
		if first {
			b.WriteString(",DEFAULT=YES")
		}
		fmt.Fprintf(b, ",AUTOSELECT=YES,CHANNELS=\"%d\"", max(t.Channels, 1))
		if n > 0 { // else it is the main rendition itself
			fmt.Fprintf(b, ",URI=\"%s.m3u8?v=%s\"", r.name, p.version)
		}
		b.WriteString("\n")
	}
	return groups
}

// audioName returns a name for a sound that no other sound of the film has.
func (p *presentation) audioName(n int) string {
	t := p.track(p.renditions[n].tracks[0])
	name := attribute(t.Title)
	if name == "" {
		name = attribute(t.Language)
	}
	if name == "" {
		name = "Audio"
	}
	for m, r := range p.renditions {
		o := p.track(r.tracks[0])
		if m != n && o.Kind == media.Audio && o.Title == t.Title && o.Language == t.Language && r.tracks[0] != p.renditions[n].tracks[0] {
			return fmt.Sprintf("%s (%s, %d)", name, codecName(t.Codec), n)
		}
	}
	return name
}

// attribute makes text fit for a quoted string of a playlist.
func attribute(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '"' {
			return '\''
		}
		if r < ' ' || r == '\\' {
			return -1
		}
		return r
	}, text)
}

// bitrate returns the film's average bits per second, which stands for the peak too: there is nothing to choose between.
func (p *presentation) bitrate() int64 {
	seconds := (p.renditions[0].end + p.baseDuration()).Seconds()
	return int64(float64(p.size) * 8 / max(seconds, 0.001))
}

// mediaPlaylist returns a rendition's playlist: every segment, with how long it really is.
func (p *presentation) mediaPlaylist(r *rendition) string {
	var b strings.Builder
	longest, n := 0.0, r.count
	for i := range n {
		longest = max(longest, p.length(r, i).Seconds())
	}
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%d\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n", int(math.Ceil(longest)))
	fmt.Fprintf(&b, "#EXT-X-MAP:URI=\"%s.mp4?v=%s\"\n", r.name, p.version)
	for i := range n {
		fmt.Fprintf(&b, "#EXTINF:%.6f,\n%s-%d.m4s?v=%s\n", p.length(r, i).Seconds(), r.name, i, p.version)
	}
	b.WriteString("#EXT-X-ENDLIST\n")
	return b.String()
}
