package stream

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"manofwar/internal/container"
	"manofwar/internal/container/probe"
	"manofwar/internal/media"
	catalog "manofwar/services/catalog/api"
	"manofwar/services/stream/api"
)

const (
	maxSubtitle  = 64 << 10 // bytes of one subtitle
	maxSubtitles = 1 << 20  // bytes of all of them: a film's are about 100 KB
)

// subtitles plans the item's nth subtitle stream as WebVTT. A picture of text, as DVDs have it, is not text: that is
// [media.ErrUnsupported].
func (s *Service) subtitles(r *http.Request, f catalog.File) (api.Plan, error) {
	number, ok := strings.CutSuffix(r.PathValue("name"), ".vtt")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 {
		return api.Plan{}, &media.Error{Op: "find subtitles", Path: r.PathValue("name"), Err: media.ErrNotFound}
	}
	src, err := openSource(f)
	if err != nil {
		return api.Plan{}, err
	}
	defer src.close()
	film, err := s.index.presentation(r.Context(), src)
	if err != nil {
		return api.Plan{}, src.explain(err)
	}
	text, err := webVTT(src, n, film.baseDuration())
	if err != nil {
		return api.Plan{}, src.explain(err)
	}
	return api.Plan{
		Type: "text/vtt; charset=utf-8", ETag: fmt.Sprintf("\"%s-%d\"", film.version, n), Modified: src.modified,
		Parts: []api.Part{{Inline: text}},
	}, nil
}

// webVTT reads the nth subtitle stream. Its times are delayed as the film's are.
func webVTT(src *source, n int, delay time.Duration) ([]byte, error) {
	movie, err := probe.Open(src.f, src.size) // of its own: indexing a track changes what others may be using
	if err != nil {
		return nil, err
	}
	for i, t := range movie.Info().Tracks {
		if t.Kind != media.Subtitle {
			continue
		}
		if n--; n >= 0 {
			continue
		}
		text := textOf(movie.Info().Format, t.Codec)
		if text == nil {
			return nil, fmt.Errorf("%w: these subtitles are of type %s, which are no text", media.ErrUnsupported, t.Codec)
		}
		if _, err := movie.Index(src.f, i); err != nil {
			return nil, err
		}
		samples, err := movie.Samples(src.f, i, math.MinInt64, math.MaxInt64, nil)
		if err != nil {
			return nil, err
		}
		return writeVTT(src.f, t, samples, text, delay)
	}
	return nil, fmt.Errorf("it has no such subtitles: %w", media.ErrNotFound)
}

// writeVTT writes the subtitles (WebVTT, W3C, 4.1). One that cannot be read is left out.
func writeVTT(r io.ReaderAt, t container.Track, samples []container.Sample, text func([]byte) string, delay time.Duration) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("WEBVTT\n")
	for k, s := range samples {
		data, err := payload(r, t, s)
		if err != nil {
			if errors.Is(err, media.ErrCorrupt) {
				continue
			}
			return nil, err
		}
		body := text(data)
		if body == "" || b.Len()+len(body) > maxSubtitles {
			continue
		}
		start := duration(s.PTS, t.Timescale) + delay
		end := start + duration(int64(s.Duration), t.Timescale)
		if s.Duration == 0 { // not said: until the next one, at most a few seconds
			end = start + 5*time.Second
			if k+1 < len(samples) {
				end = min(end, duration(samples[k+1].PTS, t.Timescale)+delay)
			}
		}
		if start < 0 || end <= start {
			continue
		}
		fmt.Fprintf(&b, "\n%s --> %s\n%s\n", timestamp(start), timestamp(end), body)
	}
	return b.Bytes(), nil
}

func timestamp(d time.Duration) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3600000, ms/60000%60, ms/1000%60, ms%1000)
}

// payload reads a subtitle, and undoes what was done to it.
func payload(r io.ReaderAt, t container.Track, s container.Sample) ([]byte, error) {
	if s.Size > maxSubtitle {
		return nil, container.Corrupt("a subtitle of %d bytes", s.Size)
	}
	data := make([]byte, s.Size)
	if _, err := r.ReadAt(data, s.Offset); err != nil {
		return nil, err
	}
	data = append(bytes.Clone(t.Prefix), data...)
	if !t.Zlib {
		return data, nil
	}
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, container.Corrupt("a subtitle: %w", err)
	}
	data, err = io.ReadAll(io.LimitReader(z, maxSubtitle))
	if err != nil {
		return nil, container.Corrupt("a subtitle: %w", err)
	}
	return data, nil
}

// textOf returns what makes a WebVTT cue of a subtitle, nil for kinds that are not text.
func textOf(format, codec string) func([]byte) string {
	switch {
	case codec == "subrip", codec == "webvtt" && format == "matroska":
		return func(data []byte) string { return cueText(string(data)) }
	case codec == "ass":
		return func(data []byte) string { return cueText(fromASS(string(data))) }
	case codec == "mov_text":
		return func(data []byte) string { return cueText(fromTX3G(data)) }
	}
	return nil
}

// fromTX3G returns the text of a sample of 3GPP timed text (3GPP TS 26.245, 5.17): its length, the text in UTF-8 or
// UTF-16, and boxes of style.
func fromTX3G(data []byte) string {
	if len(data) < 2 {
		return ""
	}
	n := int(data[0])<<8 | int(data[1])
	data = data[2:min(2+n, len(data))]
	if len(data) < 2 || data[0] != 0xFE || data[1] != 0xFF {
		return string(data)
	}
	var units []uint16
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, uint16(data[i])<<8|uint16(data[i+1]))
	}
	return string(utf16.Decode(units))
}

// fromASS returns the text of an event of Advanced SubStation as Matroska stores it: eight fields, then the text with
// overrides in braces.
func fromASS(event string) string {
	for range 8 {
		_, event, _ = strings.Cut(event, ",")
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(event, "{")
		b.WriteString(before)
		override, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			break
		}
		for _, o := range strings.Split(override, `\`) {
			switch o {
			case "i1":
				b.WriteString("<i>")
			case "i0":
				b.WriteString("</i>")
			case "p1", "p2", "p3", "p4": // a drawing follows, not text
				return ""
			}
		}
		event = after
	}
	return strings.NewReplacer(`\N`, "\n", `\n`, "\n", `\h`, " ").Replace(b.String())
}

// cueText makes text fit for a WebVTT cue: italics, bold and underline stay, other markup goes, and no line is empty.
func cueText(text string) string {
	text = strings.ToValidUTF8(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(text), "\uFFFD")
	var b strings.Builder
	for text != "" {
		i := strings.IndexAny(text, "<&>")
		if i < 0 {
			b.WriteString(text)
			break
		}
		b.WriteString(text[:i])
		tag, after, closed := strings.Cut(text[i+1:], ">")
		switch {
		case text[i] == '<' && closed && isMarkup(tag):
			if keep(tag) {
				b.WriteString("<" + strings.ToLower(tag) + ">")
			}
			text = after
			continue
		case text[i] == '<':
			b.WriteString("&lt;")
		case text[i] == '>':
			b.WriteString("&gt;")
		case isEntity(text[i:]):
			b.WriteString("&")
		default:
			b.WriteString("&amp;")
		}
		text = text[i+1:]
	}
	var lines []string
	for line := range strings.SplitSeq(b.String(), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// isMarkup reports whether what stands in angle brackets is a tag: a letter, or a slash and a letter.
func isMarkup(tag string) bool {
	tag = strings.TrimPrefix(tag, "/")
	return tag != "" && (tag[0]|0x20 >= 'a' && tag[0]|0x20 <= 'z') && !strings.ContainsAny(tag, "<\n")
}

func keep(tag string) bool {
	switch strings.ToLower(strings.TrimPrefix(tag, "/")) {
	case "i", "b", "u":
		return true
	}
	return false
}

func isEntity(text string) bool {
	for _, e := range []string{"&amp;", "&lt;", "&gt;", "&nbsp;", "&lrm;", "&rlm;"} {
		if strings.HasPrefix(text, e) {
			return true
		}
	}
	return false
}
