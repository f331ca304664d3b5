package profiles

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"

	"manofwar/internal/ipc"
	"manofwar/netmgr/api"
)

// update makes a change and writes it. What the card does not take is still so until the next restart: whoever types a
// password wants to be online, whatever the card's state.
func (s *Store) update(change func(*state) error) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	next := s.state.clone() // nobody writes it without the lock of changes
	if err := change(&next); err != nil {
		return err
	}
	s.keep(next)
	return nil
}

// keep makes a state the current one and returns whether it was written. The lock of changes is held.
func (s *Store) keep(next state) error {
	err := s.save(next)
	text := ""
	if err != nil {
		text = unsaved
	}
	s.setTrouble("save", text, err)
	s.mu.Lock()
	s.state = next
	for id := range s.learned {
		if next.find(id) < 0 {
			delete(s.learned, id)
		}
	}
	s.mu.Unlock()
	s.signal()
	return err
}

// Create makes a network known. One with the same SSID is changed instead. The error is an [*ipc.Error] that says which
// field is wrong.
func (s *Store) Create(n api.NewProfile) (api.Profile, error) {
	var id string
	err := s.update(func(st *state) (err error) {
		id, err = s.put(st, n)
		return err
	})
	return s.result(id, err)
}

// put adds a network to the state, or changes the one of the same SSID.
func (s *Store) put(st *state, n api.NewProfile) (id string, err error) {
	ssid := ssidOf(n)
	if i := st.findSSID(ssid); i >= 0 {
		return st.Profiles[i].ID, s.set(st, i, n)
	}
	password := deref(n.Passphrase)
	if err := check(n, ssid, password); err != nil {
		return "", err
	}
	p := profile{ID: newID(), Name: n.Name, SSID: ssid}
	p.flags(n)
	s.protect(&p, password)
	return p.ID, st.insert(p)
}

// insert adds a network at its place: after those that are there, but for those that cost and what the router falls back
// to, which are for when nothing else is there.
func (s *state) insert(p profile) error {
	if len(s.Profiles) >= Max {
		return errFull
	}
	at := len(s.Profiles)
	if !p.last() {
		for at > 0 && s.Profiles[at-1].last() {
			at--
		}
	}
	s.Profiles = slices.Insert(s.Profiles, at, p)
	return nil
}

var errFull = &ipc.Error{
	Status: http.StatusInsufficientStorage, Code: "full",
	Message: fmt.Sprintf("%d networks are known already.", Max), Hint: "Forget one that you do not need any more.",
}

func (p *profile) last() bool { return p.Metered || p.Factory }

// set changes the network at i.
func (s *Store) set(st *state, i int, n api.NewProfile) error {
	p := st.Profiles[i]
	if ssid := ssidOf(n); len(ssid) > 0 {
		if j := st.findSSID(ssid); j >= 0 && j != i {
			return invalid("ssid", "Another known network has this name already: "+st.Profiles[j].Name+".", "Change that one, or forget it first.")
		}
		if p.Name == defaultName(p.SSID) {
			p.Name = "" // it was only called by its SSID: it is so again
		}
		p.SSID = ssid
	}
	if n.Name != "" {
		p.Name = n.Name
	}
	p.flags(n)
	if err := check(n, p.SSID, deref(n.Passphrase)); err != nil {
		return err
	}
	if n.Passphrase != nil {
		s.protect(&p, *n.Passphrase)
	}
	st.Profiles[i] = p
	return nil
}

// flags takes over what is yes or no, and names what has no name.
func (p *profile) flags(n api.NewProfile) {
	p.Hidden, p.Metered, p.Factory, p.Off = n.Hidden, n.Metered, n.Factory, n.Off
	if p.Name == "" {
		p.Name = defaultName(p.SSID)
	}
}

func (s *Store) protect(p *profile, password string) {
	p.Open, p.Secret = password == "", s.vault.seal(p.ID, password)
}

// Change changes a known network. Its error is as [Store.Create]'s, or wraps media.ErrNotFound.
func (s *Store) Change(id string, n api.NewProfile) (api.Profile, error) {
	err := s.update(func(st *state) error {
		i := st.find(id)
		if i < 0 {
			return unknown(id)
		}
		return s.set(st, i, n)
	})
	if err == nil && n.Passphrase != nil {
		s.forgetFailure(id)
	}
	return s.result(id, err)
}

// Delete forgets a network. The error wraps media.ErrNotFound.
func (s *Store) Delete(id string) error {
	return s.update(func(st *state) error {
		i := st.find(id)
		if i < 0 {
			return unknown(id)
		}
		st.Profiles = slices.Delete(st.Profiles, i, i+1)
		return nil
	})
}

// Order sets the order of preference. Networks that are not named come last, as they were. The error wraps
// media.ErrNotFound.
func (s *Store) Order(ids []string) ([]api.Profile, error) {
	err := s.update(func(st *state) error {
		var first []profile
		for _, id := range ids {
			i := st.find(id)
			if i < 0 {
				return unknown(id)
			}
			if !slices.ContainsFunc(first, func(p profile) bool { return p.ID == id }) {
				first = append(first, st.Profiles[i])
			}
		}
		rest := slices.DeleteFunc(st.Profiles, func(p profile) bool { return slices.Contains(ids, p.ID) })
		st.Profiles = append(first, rest...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.List(), nil
}

// result returns the network with this ID.
func (s *Store) result(id string, err error) (api.Profile, error) {
	if err != nil {
		return api.Profile{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := s.state.find(id)
	if i < 0 {
		return api.Profile{}, unknown(id) // somebody was quicker
	}
	return s.describe(s.state.Profiles[i]), nil
}

func newID() string { return rand.Text()[:16] }

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
