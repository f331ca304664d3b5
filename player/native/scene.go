package native

import (
	"cmp"
	"net/netip"
	"time"

	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
	"manofwar/player/api"
	"manofwar/player/screen"
)

// scene is what is to be seen.
type scene struct {
	film  bool         // the film fills the screen: there are overlays only
	base  screen.Layer // else
	over  []screen.Layer
	until time.Time // when it is no longer right by itself; zero: never
}

// patience is how long the mark stands alone before the screen says what it knows, which may be nothing.
const patience = 8 * time.Second

// scene chooses.
func (k *known) scene(now time.Time) scene {
	var s scene
	words := screen.In(k.player.Settings.Language)
	switch it := k.player.Item; {
	case it != nil && it.Kind == media.Film && k.player.State != api.Idle:
		if k.player.State == api.Loading && k.player.Sync.Shown == 0 { // a seek goes on from a picture
			s.base = screen.Loading{Title: it.Title, Art: k.cover(), Text: words.Opening(), Since: k.loaded}
			break
		}
		s.film = true
		k.overFilm(&s, now, words)
	case it != nil:
		s.base = k.song(words)
	default:
		k.nothingPlays(&s, now, words)
	}
	k.lines(&s, now)
	return s
}

// song is the scene of music.
func (k *known) song(words screen.Language) screen.Playing {
	p, it := k.player, k.player.Item
	out := screen.Playing{
		Title: it.Title, Artist: it.Artist, Album: it.Album, Art: k.cover(),
		Position: time.Duration(p.Position), At: p.At, Duration: time.Duration(p.Duration), NextWord: words.Next(),
	}
	if out.Title == "" {
		out.Title = words.Untitled()
	}
	if p.State == api.Playing {
		out.Speed = p.Speed
	}
	if n := k.next; n != nil && n.Key == p.Next {
		out.Next = &screen.Tile{Title: cmp.Or(n.Title, words.Untitled()), Subtitle: n.Artist}
		if k.hung.next == n.Key {
			out.Next.Art = k.hung.nextCover
		}
	}
	return out
}

// ends says at what time by the clock the film is over, where the clock is right and the film goes on.
func (k *known) ends(now time.Time, words screen.Language) string {
	p := k.player
	zone, ok := k.zone()
	if !ok || p.State != api.Playing || p.Duration <= 0 || p.Speed <= 0 {
		return ""
	}
	left := time.Duration(p.Duration) - k.position(now)
	return words.Ends(now.Add(time.Duration(float64(left) / p.Speed)).In(zone))
}

// zone returns where the clock on the screen is; false: nobody has said, or the time is not known.
func (k *known) zone() (*time.Location, bool) {
	name := k.player.Settings.Zone
	zone, err := time.LoadLocation(name)
	return zone, err == nil && name != "" && !k.network.Clock.IsZero()
}

// cover is that of what plays, once it was found; nil: there is none.
func (k *known) cover() *screen.Art {
	if k.hung.key != keyOf(k.player.Item) {
		return nil
	}
	return k.hung.cover
}

// overFilm lays position, volume and subtitles over a film.
func (k *known) overFilm(s *scene, now time.Time, words screen.Language) {
	p := k.player
	for _, c := range k.cues {
		if c.Image != nil {
			s.over = append(s.over, screen.Bitmap{Image: c.Image, At: c.At, Canvas: c.Canvas})
		} else {
			s.over = append(s.over, screen.Caption{Text: c.Text})
		}
	}
	if now.Before(k.osd) || p.State == api.Paused {
		osd := screen.OSD{
			Language: words, Title: p.Item.Title, Position: k.position(now), Duration: time.Duration(p.Duration),
			Paused: p.State == api.Paused, Seeking: p.State == api.Loading,
		}
		for i, c := range p.Chapters {
			title := c.Title
			if title == "" {
				title = words.Chapter(i + 1)
			}
			osd.Chapters = append(osd.Chapters, screen.Chapter{Start: time.Duration(c.Start), Title: title})
		}
		osd.Ends = k.ends(now, words)
		osd.Audio, osd.Captions = trackName(p.Streams, p.Audio), trackName(p.Streams, p.Subtitle)
		s.over = append(s.over, osd)
		s.wake(k.osd, now)
		if p.State == api.Playing {
			s.wake(now.Truncate(time.Second).Add(time.Second), now) // the clock of the position
		}
	}
}

// position is where the item is now.
func (k *known) position(now time.Time) time.Duration {
	at := time.Duration(k.player.Position)
	if k.player.State == api.Playing {
		at += time.Duration(float64(now.Sub(k.player.At)) * k.player.Speed)
	}
	if d := time.Duration(k.player.Duration); d > 0 {
		at = min(at, d)
	}
	return max(at, 0)
}

// trackName is what a person calls a stream.
func trackName(streams []media.Stream, n int) string {
	if n < 0 || n >= len(streams) {
		return ""
	}
	if streams[n].Title != "" {
		return streams[n].Title
	}
	return streams[n].Language
}

// nothingPlays invites, or shows the time and what is new.
func (k *known) nothingPlays(s *scene, now time.Time, words screen.Language) {
	ap, link := k.network.AccessPoint, best(k.network)
	switch {
	case !k.answered && now.Sub(k.beginning) < patience:
		s.base = words.Starting(k.beginning)
		s.wake(k.beginning.Add(patience), now)
	case ap != nil && ap.Up && link == nil && k.network.Setup:
		s.base = words.Welcome(ap.SSID, ap.Passphrase)
	case k.network.Setup && link != nil && link.WiFi == nil:
		s.base = words.Cabled("http://" + addressOf(*link).String() + "/")
	case ap != nil && ap.Up && link == nil: // nothing else leads here
		s.base = words.Join(ap.SSID, ap.Passphrase)
	case k.network.Setup && link != nil:
		s.base = words.Connected(nameOf(*link), "http://"+addressOf(*link).String()+"/")
	default:
		s.base = k.idle(words, link)
	}
}

func (k *known) idle(words screen.Language, link *netapi.Link) screen.Idle {
	out := screen.Idle{
		Language: words, Name: cmp.Or(k.network.Name, k.network.Hostname), Unset: true, Heading: words.Fresh(), Fresh: k.hung.tiles,
	}
	if k.network.Hostname != "" {
		out.Address = k.network.Hostname + ".local"
	}
	if zone, err := time.LoadLocation(k.player.Settings.Zone); err == nil && k.player.Settings.Zone != "" {
		out.Zone, out.Unset = zone, k.network.Clock.IsZero()
	}
	if link != nil {
		since := time.Time{}
		if out.Address == "" {
			out.Address = addressOf(*link).String()
		}
		if !out.Unset {
			since = link.Since.In(out.Zone)
		}
		out.Network = words.Verdict(*link, since)
	}
	if out.Address != "" {
		out.Hint = words.Hint(out.Address)
	}
	return out
}

// best returns the first link with an address, which is the preferred one; nil: none has one.
func best(s netapi.Status) *netapi.Link {
	for i := range s.Links {
		if addressOf(s.Links[i]).IsValid() {
			return &s.Links[i]
		}
	}
	return nil
}

// addressOf returns an address that a person can type; invalid: the link has none.
func addressOf(l netapi.Link) netip.Addr {
	for _, p := range l.Addresses {
		if a := p.Addr().Unmap(); a.Is4() && !a.IsLinkLocalUnicast() {
			return a
		}
	}
	return netip.Addr{}
}

func nameOf(l netapi.Link) string {
	if l.WiFi != nil {
		return l.WiFi.SSID
	}
	return l.Name
}

// lines shows the volume, and the notices one after the other.
func (k *known) lines(s *scene, now time.Time) {
	if now.Before(k.volume) {
		s.over = append(s.over, screen.Volume{Level: k.player.Volume, Muted: k.player.Muted})
		s.wake(k.volume, now)
	}
	for len(k.notices) > 0 {
		n := &k.notices[0]
		if n.until.IsZero() {
			n.until = now.Add(n.last)
		}
		if now.Before(n.until) {
			s.over = append(s.over, n.Notice)
			s.wake(n.until, now)
			return
		}
		k.notices = k.notices[1:]
	}
}

// wake has the scene be chosen anew at a time, if that is to come.
func (s *scene) wake(at, now time.Time) {
	if at.After(now) && (s.until.IsZero() || at.Before(s.until)) {
		s.until = at
	}
}
