package native

import (
	"context"
	"image"
	"log/slog"
	"sync"
	"time"

	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/screen"
)

// stage decides what the screen shows beside the film, and has it drawn. What it is told wakes it; it sleeps until then or
// until the picture looks different by itself.
type stage struct {
	artist *screen.Artist
	art    *gallery
	out    curtain
	log    *slog.Logger
	kick   chan struct{} // something was told; holds one
	atWork sync.Mutex    // guards the artist and what belongs to it: pictures

	mu    sync.Mutex // guards the rest
	known known
}

// curtain is where pictures go.
type curtain interface {
	Size() image.Point                              // of the screen; zero: there is none
	SetScreen(player.Still)                         // shown while no film is
	Overlay(draw func() (*image.RGBA, image.Point)) // over whatever is shown; nil: nothing. draw may paint into the memory of the last one
}

// known is what the stage has been told.
type known struct {
	player    api.Status
	network   netapi.Status
	answered  bool // the network manager has, once
	fresh     []media.Album
	next      *api.Item    // that was last said to follow; nil: none was
	cues      []player.Cue // to be seen now
	hung      hung
	notices   []notice
	osd       time.Time // until when the position lies over the film
	volume    time.Time // until when the volume is shown
	beginning time.Time
	loaded    time.Time // when the item was
}

// notice is a line, and how long it is shown once it is its turn.
type notice struct {
	screen.Notice
	last  time.Duration
	until time.Time // zero: not yet
}

// How long things stay, as people expect of a television.
const (
	osdFor      = 3 * time.Second
	volumeFor   = 2 * time.Second
	noticeFor   = 5 * time.Second
	mostNotices = 3 // that wait
)

func newStage(artist *screen.Artist, art *gallery, out curtain, log *slog.Logger) *stage {
	return &stage{artist: artist, art: art, out: out, log: log, kick: make(chan struct{}, 1), known: known{beginning: time.Now()}}
}

// tell lets f alter what is known.
func (s *stage) tell(f func(*known)) {
	s.mu.Lock()
	f(&s.known)
	s.mu.Unlock()
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// setPlayer takes note of what is played. What a person has just changed is shown over a film for a moment, what could
// not be played in one line.
func (s *stage) setPlayer(now api.Status) {
	s.tell(func(k *known) {
		before := k.player
		k.player = now
		if p := now.Problem; p != nil && (before.Problem == nil || *before.Problem != *p) {
			k.notice(screen.In(now.Settings.Language).Trouble(*p), noticeFor)
		}
		if keyOf(before.Item) != keyOf(now.Item) {
			k.loaded = time.Now()
		}
		if before.State != "" && (before.Volume != now.Volume || before.Muted != now.Muted) { // the first one changes nothing
			k.volume = time.Now().Add(volumeFor)
		}
		if before.State != now.State || before.Audio != now.Audio || before.Subtitle != now.Subtitle || keyOf(before.Item) != keyOf(now.Item) {
			k.osd = time.Now().Add(osdFor)
		}
	})
}

func keyOf(it *api.Item) string {
	if it == nil {
		return ""
	}
	return it.Key
}

// setNetwork takes note of the network, and says so in one line when another WiFi is in use.
func (s *stage) setNetwork(now netapi.Status) {
	s.tell(func(k *known) {
		words := screen.In(k.player.Settings.Language)
		before, after := wifiOf(k.network), wifiOf(now)
		if k.answered && !now.Setup && before != after {
			n := screen.Notice{Text: words.WiFi(before, after), Mood: screen.Good}
			if after == "" {
				n.Mood = screen.Warning
			}
			k.notice(n, noticeFor)
		}
		k.network, k.answered = now, true
	})
}

// wifiOf returns the name of the WiFi in use, empty if there is none.
func wifiOf(s netapi.Status) string {
	for _, l := range s.Links {
		if l.WiFi != nil && len(l.Addresses) > 0 {
			return l.WiFi.SSID
		}
	}
	return ""
}

// touch shows where the film is, as somebody has a remote control in hand.
func (s *stage) touch() { s.tell(func(k *known) { k.osd = time.Now().Add(osdFor) }) }

// setNext takes note of what is to follow. Whether it still is, the player's status says.
func (s *stage) setNext(next *api.Item) { s.tell(func(k *known) { k.next = next }) }

func (s *stage) setCues(cues []player.Cue) { s.tell(func(k *known) { k.cues = cues }) }

func (s *stage) setFresh(albums []media.Album) { s.tell(func(k *known) { k.fresh = albums }) }

func (s *stage) notice(n api.Notice) {
	s.tell(func(k *known) {
		last := time.Duration(n.For)
		if last == 0 {
			last = noticeFor
		}
		k.notice(screen.Notice{Text: n.Text}, last)
	})
}

// notice has a line wait for its turn. Of too many the oldest that still waits is left out.
func (k *known) notice(n screen.Notice, last time.Duration) {
	if len(k.notices) > mostNotices {
		k.notices = append(k.notices[:1], k.notices[2:]...)
	}
	k.notices = append(k.notices, notice{Notice: n, last: last})
}

// run draws until ctx ends.
func (s *stage) run(ctx context.Context) {
	var hanging sync.WaitGroup
	hanging.Go(func() { s.art.run(ctx, func(h hung) { s.tell(func(k *known) { k.hung = h }) }) })
	defer hanging.Wait()
	p := painter{stage: s}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.kick:
		case <-timer.C:
		}
		s.mu.Lock()
		now, size := time.Now(), s.out.Size()
		scene := s.known.scene(now)
		s.art.ask(wall{size, s.known.player.Item, s.known.next, s.known.fresh})
		s.mu.Unlock()
		next := p.paint(now, size, scene)
		if next.IsZero() {
			timer.Stop()
			continue
		}
		timer.Reset(max(time.Until(next), leastPause))
	}
}

// leastPause is the least time between two pictures: the screen is not the film.
const leastPause = 40 * time.Millisecond
