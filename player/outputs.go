package player

import (
	"math"
	"time"

	"manofwar/internal/media"
	"manofwar/player/api"
)

// outputs is what the engine knows of the display and the cards.
type outputs struct {
	screen        Screen
	seen          bool  // there is a screen
	dark          error // why there is none though one may be connected; nil: the display does not say
	screenChanges int
	cards         []Card
	cardChanges   int
	card          Card                 // in use; zero: none
	form          SoundFormat          //
	missing       *api.Problem         // why nothing is heard
	retry         time.Time            // when the cards are tried again, although they did not change
	formats       map[wish]SoundFormat // what cards made of wishes
}

// wish is a form of sound asked for on a card.
type wish struct {
	card string
	form SoundFormat
}

func (o *outputs) look(opt Options) {
	o.screen, o.seen = opt.Display.Screen()
	if d, ok := opt.Display.(interface{ Problem() error }); ok {
		o.dark = d.Problem()
	}
	o.cards = opt.Sound.Cards()
}

// choose returns the card to open: the chosen one, else the first, which the adapter holds to be the best.
func (o *outputs) choose(chosen string) string {
	if chosen == "" && len(o.cards) > 0 {
		return o.cards[0].ID
	}
	return chosen
}

// becomes returns what a card is known to make of a wish, and expects the best otherwise.
func (o *outputs) becomes(card string, want SoundFormat) SoundFormat {
	if got, ok := o.formats[wish{card, want}]; ok {
		return got
	}
	return want
}

// offset returns how much later than pictures sound is wanted on the card that is used.
func (e *Engine) offset() time.Duration {
	if d, ok := e.settings.Offsets[e.outputs.choose(e.settings.Card)]; ok {
		return time.Duration(d)
	}
	return time.Duration(e.settings.Offset)
}

// screensChanged looks at the display again. A film that is not decoded for the screen that is there now is opened anew.
func (e *Engine) screensChanged() {
	e.cardsChanged() // a screen has sound
	e.outputs.screenChanges++
	if !e.outputs.seen {
		return
	}
	e.mode = Mode{}
	e.laying.Lock()
	e.layOver()
	e.laying.Unlock()
	c := e.current
	if c != nil {
		c.unseen = false
	}
	if c == nil || c.track == nil || c.info == nil || !c.wantsVideo() {
		return
	}
	_, theirs := c.track.pool.(lent) // frames of a card that another one may have replaced
	if r, err := c.request(c.info, e.conditions(c)); err == nil && (theirs || r.Video != c.track.req.Video || r.Format != c.track.req.Format || r.size() != c.track.req.size()) {
		e.reopen(e.position())
	}
}

// cardsChanged looks at the cards again; the deck tries what it lacks.
func (e *Engine) cardsChanged() {
	e.outputs.look(e.opt)
	e.outputs.cardChanges++
	clear(e.outputs.formats)
}

// describe returns the status.
func (e *Engine) describe() api.Status {
	s := api.Status{
		State: api.Idle, At: e.now, Speed: e.speed, Volume: e.volume, Muted: e.muted, Audio: None, Subtitle: None,
		Problem: e.problem, Settings: e.settings, Sync: e.measured(),
	}
	if o := &e.outputs; o.seen {
		m := o.screen.Mode
		s.Display = &api.Display{Connector: o.screen.Connector, Name: o.screen.Name, Width: m.Width, Height: m.Height, Refresh: m.Refresh}
	}
	if o := &e.outputs; len(o.cards) > 0 {
		s.Sound = &api.Sound{Card: o.card.ID, Rate: o.form.Rate, Channels: o.form.Channels, Sample: string(o.form.Sample)}
		for _, c := range o.cards {
			s.Sound.Cards = append(s.Sound.Cards, api.Card{ID: c.ID, Name: c.Name, HDMI: c.HDMI})
		}
	}
	if n := e.next; n != nil {
		s.Next = n.item.Key
	}
	if e.current != nil {
		e.describeItem(&s, e.current)
	}
	return s
}

// describeItem adds what is played.
func (e *Engine) describeItem(s *api.Status, c *entry) {
	it := c.item
	s.Item, s.State, s.Duration, s.Position = &it, e.state(c), duration(c.duration()), duration(e.position())
	if s.Problem == nil {
		s.Problem = e.outputs.missing
	}
	if t := c.track; t != nil && t.pool != nil {
		s.Decoding = api.Software
		if _, ok := t.pool.(lent); ok {
			s.Decoding = api.Hardware
		}
	}
	if c.info == nil {
		return
	}
	s.Streams, s.Subtitle = c.info.Streams, c.subtitle
	if s.Audio = c.audio; s.Audio == unset {
		s.Audio = pick(c.info.Streams, media.Audio)
	}
	for _, ch := range c.info.Chapters {
		s.Chapters = append(s.Chapters, api.Chapter{Start: duration(ch.Start), Title: ch.Title})
	}
	if s.Problem == nil && s.Display == nil && c.wantsVideo() && pick(c.info.Streams, media.Video) != None {
		s.Problem = noDisplay(e.outputs.dark, c.spawned)
	}
}

// state returns what the player is doing with an item.
func (e *Engine) state(c *entry) api.State {
	heard, _ := e.line.at(e.now)
	switch {
	case c.track == nil || heard != c.track:
		return api.Loading
	case e.paused:
		return api.Paused
	case !c.began || c.dry:
		return api.Loading
	}
	return api.Playing
}

// position returns where the current item is, or will be when its track begins.
func (e *Engine) position() time.Duration {
	c := e.current
	if heard, at := e.line.at(e.now); c.track != nil && heard == c.track {
		return at
	}
	return c.from
}

// measured returns how well pictures and sound keep together.
func (e *Engine) measured() api.Sync {
	shown, dropped, off := e.projector.sync.read()
	return api.Sync{
		Shown: shown, Dropped: dropped, Underruns: int(e.deck.underruns.Load()), Offset: duration(off),
		Drift: math.Round(e.line.drift()) + 0, // not -0, which JSON would have
	}
}

func duration(d time.Duration) media.Duration { return media.Duration(d) }
