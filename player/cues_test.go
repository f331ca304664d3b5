package player

import (
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
