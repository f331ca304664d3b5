package serve

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"path/filepath"
	"time"
	"unicode/utf8"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/player/api"
)

// The bounds of what may be asked for.
const (
	maxKey       = 128 // bytes
	maxCards     = 64  // with an offset of their own
	maxText      = 1024
	maxPath      = 4096
	maxCover     = 32 << 20 // bytes of a picture
	maxPosition  = media.Duration(1000 * time.Hour)
	maxOffset    = media.Duration(2 * time.Second)
	maxCrossfade = media.Duration(12 * time.Second)
	maxNotice    = media.Duration(time.Minute)
	minSpeed     = 0.5
	maxSpeed     = 2.0
)

// wrong says which field is at fault and what it should be.
func wrong(field, format string, args ...any) error {
	return &ipc.Error{Status: http.StatusBadRequest, Code: "invalid", Field: field, Message: field + ": " + fmt.Sprintf(format, args...)}
}

func checkLoad(l api.Load) error {
	if err := checkItem("item", l.Item); err != nil || l.Next == nil {
		return err
	}
	return checkItem("next", *l.Next)
}

func checkNext(n api.Next) error {
	if n.Item == nil {
		return nil
	}
	return checkItem("item", *n.Item)
}

func checkItem(field string, it api.Item) error {
	for name, text := range map[string]string{"title": it.Title, "artist": it.Artist, "album": it.Album} {
		if len(text) > maxText || !utf8.ValidString(text) {
			return wrong(field+"."+name, "want up to %d bytes of UTF-8", maxText)
		}
	}
	switch {
	case it.Key == "" || len(it.Key) > maxKey:
		return wrong(field+".key", "want 1 to %d bytes", maxKey)
	case (it.Path == "") == (it.URL == ""):
		return wrong(field+".path", "want either path or url")
	case it.Path != "" && (!filepath.IsAbs(it.Path) || len(it.Path) > maxPath):
		return wrong(field+".path", "want an absolute path of up to %d bytes", maxPath)
	case it.Kind != media.Music && it.Kind != media.Film:
		return wrong(field+".kind", "want %q or %q", media.Music, media.Film)
	case it.Start < 0 || it.Start > maxPosition:
		return wrong(field+".start", "want 0 to %v", time.Duration(maxPosition))
	}
	if u, err := url.Parse(it.URL); it.URL != "" && (err != nil || u.Scheme != "http" || u.Host == "" || len(it.URL) > maxPath) {
		return wrong(field+".url", "want an http:// address of up to %d bytes", maxPath)
	}
	if c := it.Cover; c != nil && (c.Offset < 0 || c.Length < 0 || c.Length > maxCover || len(c.Path) > maxPath) {
		return wrong(field+".cover", "want a part of a file of up to %d bytes", maxCover)
	}
	return nil
}

func checkAlign(a api.Align) error {
	switch {
	case a.Key == "" || len(a.Key) > maxKey:
		return wrong("key", "want 1 to %d bytes", maxKey)
	case a.Position < 0 || a.Position > maxPosition:
		return wrong("position", "want 0 to %v", time.Duration(maxPosition))
	case a.At.IsZero():
		return wrong("at", "want a time")
	}
	return nil
}

func checkSeek(s api.Seek) error {
	if s.To != nil && (*s.To < 0 || *s.To > maxPosition) {
		return wrong("to", "want 0 to %v", time.Duration(maxPosition))
	}
	if s.By < -maxPosition || s.By > maxPosition {
		return wrong("by", "want up to %v", time.Duration(maxPosition))
	}
	return nil
}

func checkChange(c api.Change) error {
	if c.Volume != nil && (*c.Volume < 0 || *c.Volume > 100) {
		return wrong("volume", "want 0 to 100")
	}
	if s := c.Speed; s != nil && !(*s >= minSpeed && *s <= maxSpeed) { // NaN is neither
		return wrong("speed", "want %v to %v", minSpeed, maxSpeed)
	}
	if c.Audio != nil && (*c.Audio < -1 || *c.Audio > math.MaxInt16) {
		return wrong("audio", "want the number of a stream")
	}
	if c.Subtitle != nil && (*c.Subtitle < -1 || *c.Subtitle > math.MaxInt16) {
		return wrong("subtitle", "want the number of a stream, or -1 for none")
	}
	return nil
}

func checkNotice(n api.Notice) error {
	if n.Text == "" || len(n.Text) > maxText || !utf8.ValidString(n.Text) {
		return wrong("text", "want 1 to %d bytes of UTF-8", maxText)
	}
	if n.For < 0 || n.For > maxNotice {
		return wrong("for", "want 0 to %v", time.Duration(maxNotice))
	}
	return nil
}

func checkSettings(s api.Settings) error {
	switch {
	case s.ReplayGain != "off" && s.ReplayGain != "track" && s.ReplayGain != "album":
		return wrong("replayGain", `want "off", "track" or "album"`)
	case s.Offset < -maxOffset || s.Offset > maxOffset:
		return wrong("offset", "want up to %v either way", time.Duration(maxOffset))
	case len(s.Offsets) > maxCards:
		return wrong("offsets", "want up to %d cards", maxCards)
	case s.Crossfade < 0 || s.Crossfade > maxCrossfade:
		return wrong("crossfade", "want 0 to %v", time.Duration(maxCrossfade))
	case len(s.Card) > maxKey:
		return wrong("card", "want the ID of a card")
	case len(s.Language) > maxKey:
		return wrong("language", `want a tag such as "de"`)
	}
	for card, d := range s.Offsets {
		if card == "" || len(card) > maxKey || d < -maxOffset || d > maxOffset {
			return wrong("offsets", "want the IDs of cards, and up to %v either way", time.Duration(maxOffset))
		}
	}
	if _, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "Local" {
		return wrong("zone", `want a name such as "Europe/Berlin"`)
	}
	return nil
}
