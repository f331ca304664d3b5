package stream

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/container"
	"manofwar/internal/container/fmp4"
	"manofwar/internal/media"
	"manofwar/services/stream/api"
)

// segmentAge is how long a browser may keep what it was given: names change with the file.
const segmentAge = 24 * time.Hour

// maxSegmentBytes bounds a segment: two minutes at 60 Mbit/s.
const maxSegmentBytes = 450 << 20

// A range of the file costs about as much as this many bytes: up to so many that nobody needs are sent along where
// that joins two ranges, as long as they stay a small share of the whole.
const (
	bridge      = 8 << 10
	bridgeShare = 8 // one part in so many
)

// plan plans the answer for a name of the presentation.
func (p *presentation) plan(ctx context.Context, e *engine, src *source, name string) (api.Plan, error) {
	if name == "index.m3u8" {
		return playlistPlan(p.multivariant()), nil
	}
	stem, ext, _ := strings.Cut(name, ".")
	stem, number, numbered := strings.Cut(stem, "-")
	i := slices.IndexFunc(p.renditions, func(r rendition) bool { return r.name == stem })
	n, err := strconv.Atoi(number)
	switch {
	case i < 0:
	case ext == "m3u8" && !numbered:
		return playlistPlan(p.mediaPlaylist(&p.renditions[i])), nil
	case ext == "mp4" && !numbered:
		return p.initPlan(&p.renditions[i]), nil
	case ext == "m4s" && err == nil && n >= 0 && n < p.renditions[i].count && strconv.Itoa(n) == number:
		if p.renditions[i].converted {
			return p.convertedPlan(ctx, e, src, &p.renditions[i], n)
		}
		return p.segmentPlan(src, &p.renditions[i], n)
	}
	return api.Plan{}, fmt.Errorf("%s is no part of it: %w", name, media.ErrNotFound)
}

func playlistPlan(text string) api.Plan {
	return api.Plan{Type: "application/vnd.apple.mpegurl", Parts: []api.Part{{Inline: []byte(text)}}}
}

func (p *presentation) initPlan(r *rendition) api.Plan {
	return api.Plan{Type: p.mediaType(r), Parts: []api.Part{{Inline: fmp4.Init(p.announce(r))}}}
}

func (p *presentation) mediaType(r *rendition) string {
	if p.track(r.tracks[0]).Kind == media.Audio {
		return "audio/mp4"
	}
	return "video/mp4"
}

// segmentPlan finds a segment's samples in the file and writes the head that describes them.
func (p *presentation) segmentPlan(src *source, r *rendition, n int) (api.Plan, error) {
	var pieces []piece
	runs := make([]fmp4.Run, len(r.tracks))
	for k, i := range r.tracks {
		from, to := p.span(i, n)
		samples, err := p.movie.Samples(src.f, i, from, to, nil)
		if err != nil {
			return api.Plan{}, err
		}
		runs[k].Track, runs[k].Reorder = uint32(k+1), p.track(i).Reorder
		runs[k].Samples, pieces = p.place(i, k, samples, pieces)
	}
	if len(pieces) == 0 {
		return api.Plan{}, container.Corrupt("nothing of it is there from %v on", p.start(n).Round(time.Second))
	}
	parts, size, err := gather(src.Path, pieces, runs)
	if err != nil {
		return api.Plan{}, err
	}
	head := fmp4.Fragment(uint32(n+1), runs, size)
	return api.Plan{Type: p.mediaType(r), Parts: append([]api.Part{{Inline: head}}, parts...)}, nil
}

// piece is a sample whose bytes are to be delivered: which one of which run.
type piece struct {
	run, sample  int
	offset, size int64
	prefix       []byte
}

// place puts samples on the presentation's time line. What would be shown before it begins is left out: sound that
// primes a decoder, pictures without the ones they refer to.
func (p *presentation) place(track, run int, samples []container.Sample, pieces []piece) ([]fmp4.Sample, []piece) {
	shift, prefix := p.shift(track), p.track(track).Prefix
	placed := make([]fmp4.Sample, 0, len(samples))
	for _, s := range samples {
		s.DTS, s.PTS = s.DTS+shift, s.PTS+shift
		if s.DTS < 0 || s.PTS < 0 {
			continue
		}
		pieces = append(pieces, piece{run, len(placed), s.Offset, int64(s.Size), prefix})
		s.Size += uint32(len(prefix))
		placed = append(placed, fmp4.Sample{Sample: s})
	}
	return placed, pieces
}

// gather lays the samples out as few ranges of the file as is sensible, in the file's own order, and notes for each
// where in the media data it comes to lie. It returns the ranges and their size in bytes.
func gather(path string, pieces []piece, runs []fmp4.Run) (parts []api.Part, size int64, err error) {
	slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.offset, b.offset) })
	useful, wasted := int64(0), int64(0)
	for _, s := range pieces {
		useful += s.size
	}
	if useful > maxSegmentBytes {
		return nil, 0, fmt.Errorf("%w: its keyframes are too far apart for streaming", media.ErrUnsupported)
	}
	for _, s := range pieces {
		var last *api.Part
		if len(parts) > 0 && parts[len(parts)-1].Path != "" && s.prefix == nil {
			last = &parts[len(parts)-1]
		}
		gap := int64(-1)
		if last != nil {
			gap = s.offset - last.Offset - last.Length
		}
		if gap > 0 && (gap > bridge || wasted+gap > useful/bridgeShare) {
			gap = -1
		}
		if gap < 0 {
			if s.prefix != nil {
				parts = append(parts, api.Part{Inline: s.prefix})
			}
			parts = append(parts, api.Part{Path: path, Offset: s.offset})
			last, gap = &parts[len(parts)-1], 0
		}
		wasted += gap
		runs[s.run].Samples[s.sample].At = size + gap
		if s.prefix != nil {
			size += int64(len(s.prefix))
		}
		last.Length += gap + s.size
		size += gap + s.size
	}
	return parts, size, nil
}
