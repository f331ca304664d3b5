// Package guest is what the owner lets those do who come by a protocol without passwords: which of these protocols are
// spoken at all, and which libraries their guests see. All are off until the owner turns them on, and what is turned on
// shares nothing until libraries were chosen.
//
// A protocol runs inside [Guests.While], which begins and ends it as the owner chooses, and looks at the library through
// a [Library], which knows the choice of the moment. The protocols themselves are the packages upnp and mpd beside this one.
package guest

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"

	"manofwar/internal/atomicfile"
	"manofwar/internal/media"
)

// Protocol is one way in.
type Protocol string

// The protocols.
const (
	Renderer Protocol = "renderer" // UPnP MediaRenderer: others play on this device's TV
	Server   Protocol = "server"   // UPnP MediaServer: televisions and players browse the library
	MPD      Protocol = "mpd"      // Music Player Daemon: its clients browse the library and play wherever cast does, at first on this device's TV
)

// Choice is what the owner has chosen for a protocol.
type Choice struct {
	On        bool       `json:"on"`
	Libraries []media.ID `json:"libraries"` // that are shared, in no order; those that are not known at the moment stay chosen. Of a Renderer: none count
}

// Choices are all of them.
type Choices map[Protocol]Choice

// maxLibraries bounds those of a choice: what the catalog can be asked to keep to.
const maxLibraries = 64

// file is where the choices are kept, in the service's state directory.
const file = "guests.json"

// Guests keeps the choices, and tells who has to know. Its methods may be called from any goroutine.
type Guests struct {
	path string
	log  *slog.Logger

	mu       sync.Mutex // guards the rest
	choices  Choices
	changed  chan struct{} // closed when a choice is another, and replaced
	troubles map[Protocol]error
}

// Open reads what was chosen. A file that cannot be read or understood counts as nothing shared.
func Open(stateDir string, log *slog.Logger) *Guests {
	g := &Guests{
		path: filepath.Join(stateDir, file), log: log, choices: Choices{}, changed: make(chan struct{}),
		troubles: map[Protocol]error{},
	}
	var kept Choices
	err := atomicfile.ReadJSON(g.path, &kept)
	if err == nil {
		err = check(kept)
	}
	if err == nil {
		g.choices = whole(kept)
		return g
	}
	if !errors.Is(err, fs.ErrNotExist) {
		log.Warn("choices for guests not read: nothing is shared", "err", err)
	}
	g.choices = whole(nil)
	return g
}

// whole returns c with every protocol in it.
func whole(c Choices) Choices {
	all := Choices{}
	for _, p := range []Protocol{Renderer, Server, MPD} {
		choice := c[p]
		choice.Libraries = append(make([]media.ID, 0, len(choice.Libraries)), choice.Libraries...)
		slices.Sort(choice.Libraries)
		choice.Libraries = slices.Compact(choice.Libraries)
		all[p] = choice
	}
	return all
}

// check returns an error that wraps [media.ErrInvalid] and names the field that is wrong.
func check(c Choices) error {
	for p, choice := range c {
		switch {
		case p != Renderer && p != Server && p != MPD:
			return invalid(fmt.Sprintf("%.40q", p), "expected renderer, server or mpd")
		case len(choice.Libraries) > maxLibraries:
			return invalid(string(p)+".libraries", fmt.Sprintf("expected at most %d", maxLibraries))
		}
		for _, id := range choice.Libraries {
			if id == "" || len(id) > maxID {
				return invalid(string(p)+".libraries", "not a library's id")
			}
		}
	}
	return nil
}

// maxID is far above the length of a library's ID, in bytes.
const maxID = 64

func invalid(field, why string) error {
	return &media.Error{Op: "choose what guests may do", Path: field, Err: fmt.Errorf("%w: %s", media.ErrInvalid, why)}
}

// Choices returns a copy of all choices, every protocol among them.
func (g *Guests) Choices() Choices {
	g.mu.Lock()
	defer g.mu.Unlock()
	return whole(g.choices)
}

// Choose keeps the choices for the protocols that c names, and has them followed. The error wraps [media.ErrInvalid] where
// they make no sense; where they cannot be written nothing changes.
func (g *Guests) Choose(c Choices) error {
	if err := check(c); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	next := whole(g.choices)
	for p, choice := range c {
		next[p] = choice
	}
	next = whole(next)
	if err := atomicfile.WriteJSON(g.path, next, 0o600); err != nil {
		return fmt.Errorf("keep what guests may do: %w", err)
	}
	g.choices = next
	close(g.changed)
	g.changed = make(chan struct{})
	return nil
}

// choice returns that for p, and a channel that is closed when any choice changes.
func (g *Guests) choice(p Protocol) (Choice, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.choices[p], g.changed
}

// trouble notes what keeps a protocol from being spoken; nil: nothing does.
func (g *Guests) trouble(p Protocol, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.troubles[p] = err
}

// Troubles returns what keeps protocols that are on from being spoken.
func (g *Guests) Troubles() map[Protocol]error {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := map[Protocol]error{}
	for p, err := range g.troubles {
		if err != nil && g.choices[p].On {
			out[p] = err
		}
	}
	return out
}
