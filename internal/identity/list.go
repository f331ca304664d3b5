package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"manofwar/internal/atomicfile"
	"manofwar/internal/media"
)

// Right is something that a trusted device may do.
type Right string

// Play lets a device say what this one's television plays, and see it.
const Play Right = "play"

// Trusted is a device on the list.
type Trusted struct {
	ID    ID        `json:"id"`
	Name  string    `json:"name"` // what it last called itself
	Since time.Time `json:"since"`
	Seen  time.Time `json:"seen,omitzero"` // when it last proved who it is
	May   []Right   `json:"may"`
}

// MaxTrusted bounds the list: a home has fewer.
const MaxTrusted = 64

const (
	listName = "trusted.json"
	// seenEvery is how much later a device has to be seen for that to be worth a write.
	seenEvery = time.Hour
)

// List is the devices that the owner trusts. It is kept in a file, and is safe for concurrent use.
type List struct {
	name string // of the file

	mu  sync.Mutex // guards all
	all []Trusted
}

// kept is what is in the file.
type kept struct {
	Trusted []Trusted `json:"trusted"`
}

// OpenList returns the list that is kept in dir; none: it is empty. A list that cannot be read is an error: an owner who trusted
// nobody would be told nothing else.
func OpenList(dir string) (*List, error) {
	l := &List{name: filepath.Join(dir, listName)}
	var k kept
	if err := atomicfile.ReadJSON(l.name, &k); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &media.Error{
			Op: "read trusted devices", Path: l.name, Err: errors.Join(media.ErrCorrupt, err),
			Hint: "Remove the file to begin anew, and trust the other devices again.",
		}
	}
	for _, t := range k.Trusted {
		if _, err := ParseID(string(t.ID)); err != nil {
			return nil, fmt.Errorf("read trusted devices: %s: %w", l.name, err)
		}
	}
	l.all = k.Trusted[:min(len(k.Trusted), MaxTrusted)]
	return l, nil
}

// All returns a copy of the list.
func (l *List) All() []Trusted {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// Get returns one of the list.
func (l *List) Get(id ID) (Trusted, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := l.find(id); i >= 0 {
		return l.all[i], true
	}
	return Trusted{}, false
}

// May reports whether a device is trusted to do that.
func (l *List) May(id ID, r Right) bool {
	t, ok := l.Get(id)
	return ok && slices.Contains(t.May, r)
}

// Add trusts a device, on the owner's word. The error wraps [media.ErrFull].
func (l *List) Add(t Trusted) error {
	return l.change(func() (bool, error) {
		if i := l.find(t.ID); i >= 0 {
			l.all[i].Name, l.all[i].May = t.Name, t.May
			return true, nil
		}
		if len(l.all) >= MaxTrusted {
			return false, &media.Error{Op: "trust", Path: t.Name, Err: media.ErrFull, Hint: "Remove a device that is no longer in use first."}
		}
		l.all = append(l.all, t)
		return true, nil
	})
}

// Remove trusts a device no more.
func (l *List) Remove(id ID) error {
	return l.change(func() (bool, error) {
		i := l.find(id)
		if i >= 0 {
			l.all = slices.Delete(l.all, i, i+1)
		}
		return i >= 0, nil
	})
}

// Note remembers what a device calls itself, and that it was seen. It writes when that is worth it.
func (l *List) Note(id ID, name string, now time.Time) error {
	return l.change(func() (bool, error) {
		i := l.find(id)
		if i < 0 {
			return false, nil
		}
		t := &l.all[i]
		worth := name != t.Name || now.Sub(t.Seen).Abs() >= seenEvery
		t.Name, t.Seen = name, now
		return worth, nil
	})
}

// find returns a device's place in the list, or -1. The caller holds mu.
func (l *List) find(id ID) int {
	return slices.IndexFunc(l.all, func(t Trusted) bool { return t.ID == id })
}

// change does something to the list, and writes it if that says so. What could not be written is not so.
func (l *List) change(do func() (write bool, err error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := slices.Clone(l.all)
	write, err := do()
	if err != nil || !write {
		return err
	}
	if err := atomicfile.WriteJSON(l.name, kept{l.all}, 0o600); err != nil {
		l.all = was
		return err
	}
	return nil
}
