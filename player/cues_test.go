package player

import (
	"image"
	"testing"
	"time"
)

// TestCuesThatNeverEnd has a film whose subtitles stay for ever: there is always room for the next, or its decoder, which
// writes them in turn with its pictures, would wait for ever too.
func TestCuesThatNeverEnd(t *testing.T) {
	tr := &track{room: make(chan struct{}, 1)}
	const end = 100 * time.Hour
	for i := range 3 * maxCues {
		at := time.Duration(i) * time.Second
		tr.cues = append(tr.cues, Cue{From: at, To: end})
		if len(tr.cues) < maxCues {
			continue
		}
		if cues, change := tr.cuesAt(at - 1); len(tr.cues) != maxCues || len(cues) != maxCues-1 || change != at || len(tr.room) != 0 {
			t.Fatalf("one lies ahead: %d of %d are seen until %v", len(cues), len(tr.cues), change)
		}
		cues, change := tr.cuesAt(at)
		if len(cues) != maxCues/2 || cues[len(cues)-1].From != at || change != end {
			t.Fatalf("%d are seen until %v", len(cues), change)
		}
		select {
		case <-tr.room:
		default:
			t.Fatal("there is no room")
		}
	}
}

// TestPicturesOfSubtitlesAreFew has a film whose subtitles are large pictures, drawn anew with every one of its own.
func TestPicturesOfSubtitlesAreFew(t *testing.T) {
	for _, c := range []struct {
		size image.Point
		most int // that are held
	}{
		{image.Pt(1920, 200), 17},  // 1.5 MB each
		{image.Pt(3840, 2160), 3},  // 33 MB
		{image.Pt(32, 8), maxCues}, // nothing
	} {
		tr := &track{room: make(chan struct{}, 1)}
		const frame = time.Second / 24
		at, read := time.Duration(0), 0
		for next := range 2000 {
			from := time.Duration(next) * frame
			tr.endPicture(from)
			tr.cues = append(tr.cues, Cue{From: from, To: from + time.Minute, Image: image.NewRGBA(image.Rectangle{Max: c.size})})
			if read++; len(tr.cues) > c.most {
				t.Fatalf("%v: %d are held", c.size, len(tr.cues))
			}
			for tr.manyCues() { // the film goes on
				if at += frame; at > from+frame {
					t.Fatalf("%v: there is no room after the last of %d", c.size, len(tr.cues))
				}
				if seen, _ := tr.cuesAt(at); len(seen) != 1 {
					t.Fatalf("%v: %d are seen", c.size, len(seen))
				}
			}
			if read > 4*c.most {
				break
			}
		}
	}
}
