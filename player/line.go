package player

import (
	"math"
	"sync"
	"time"
)

// line is the line along which everything is played: its frames are those of the sound that was and will be heard, one
// track after the other, and its [clock] says when. It stands still while nothing is heard. The deck moves it; whoever
// shows pictures or asks for the position reads it.
type line struct {
	changed chan struct{} // receives when the line began or ceased to move, or got another mark

	mu     sync.Mutex
	clock  clock
	rate   int     // frames per second
	moving bool    //
	stand  float64 // where it is if it does not move
	marks  []mark  // in order
}

// mark says which track is heard from a frame on.
type mark struct {
	frame int64
	track *track
	pts   time.Duration // in the track's item
	speed float64       // of the item's time against the line's
}

func newLine() *line { return &line{changed: make(chan struct{}, 1), rate: 48000} }

func (l *line) tell() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// reset begins a new line, which stands at its frame 0.
func (l *line) reset(rate int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rate, l.moving, l.stand, l.marks = rate, false, 0, nil
	l.tell()
}

// drift returns by how many millionths its frames pass faster than they should; 0: not known, or it stands still.
func (l *line) drift() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.moving {
		return 0
	}
	return l.clock.drift(l.rate)
}

// add says what is heard from the mark on.
func (l *line) add(m mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.marks) > 0 && l.marks[len(l.marks)-1].frame >= m.frame {
		l.marks = l.marks[:len(l.marks)-1]
	}
	l.marks = append(l.marks, m)
	l.tell()
}

// bend says that what is heard last goes on at another speed from frame on.
func (l *line) bend(frame int64, speed float64) {
	l.mu.Lock()
	if len(l.marks) == 0 {
		l.mu.Unlock()
		return
	}
	m := l.marks[len(l.marks)-1]
	m.pts, m.frame, m.speed = m.at(float64(frame), l.rate), max(frame, m.frame), speed
	l.mu.Unlock()
	l.add(m)
}

// at returns where in the item a frame after the mark is.
func (m mark) at(frame float64, rate int) time.Duration {
	passed := max(0, frame-float64(m.frame)) / float64(rate) * m.speed
	return m.pts + time.Duration(math.Round(passed*float64(time.Second)))
}

// cut forgets what was to be heard from frame on.
func (l *line) cut(frame int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.marks) > 0 && l.marks[len(l.marks)-1].frame >= frame {
		l.marks = l.marks[:len(l.marks)-1]
	}
}

// forget drops the marks that lie behind frame, but for the last of them.
func (l *line) forget(frame int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.marks) > 1 && l.marks[1].frame <= frame {
		l.marks = l.marks[1:]
	}
}

// look moves the line: frame is heard at t.
func (l *line) look(t time.Time, frame int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.moving {
		l.clock.look(t, float64(frame), l.rate)
		return
	}
	l.clock.start(t, float64(frame), l.rate)
	l.moving = true
	l.tell()
}

// stop lets the line stand at a frame.
func (l *line) stop(frame int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moving, l.stand = false, float64(frame)
	l.tell()
}

// moves reports whether something is heard.
func (l *line) moves() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.moving
}

// frameAt returns which frame is heard at t.
func (l *line) frameAt(t time.Time) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frameLocked(t)
}

func (l *line) frameLocked(t time.Time) float64 {
	if !l.moving {
		return l.stand
	}
	return l.clock.frameAt(t)
}

// timeOf returns when a frame is heard; false: the line stands.
func (l *line) timeOf(frame int64) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clock.timeOf(float64(frame)), l.moving
}

// at returns which track is heard at t, and where in its item; nil: none.
func (l *line) at(t time.Time) (*track, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	frame := l.frameLocked(t)
	for i := len(l.marks) - 1; i >= 0; i-- {
		m := l.marks[i]
		if float64(m.frame) <= frame || i == 0 {
			return m.track, m.at(frame, l.rate)
		}
	}
	return nil, 0
}

// due returns when a moment of a track is heard; false: not yet known, because the line stands or does not reach it.
func (l *line) due(t *track, pts time.Duration) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.moving {
		return time.Time{}, false
	}
	for i := len(l.marks) - 1; i >= 0; i-- {
		if m := l.marks[i]; m.track == t {
			return l.clock.timeOf(float64(m.frame) + (pts-m.pts).Seconds()/m.speed*float64(l.rate)), true
		}
	}
	return time.Time{}, false
}
