package profiles

import (
	"slices"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// candidate is a network that is being tried: it becomes known when it let itself be joined, and leaves no trace else.
type candidate struct {
	profile
	password string
}

// maxCandidates is how many can be tried at once. The policy tries one; more come from impatient fingers.
const maxCandidates = 4

// Candidate takes a network to be tried and returns it for [netmgr.Try]. Of a network that is known already it takes over what n
// leaves open: name, place, marks and, with a nil Passphrase, the password. The error is as [Store.Create]'s.
func (s *Store) Candidate(n api.NewProfile) (netmgr.Profile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ssid, password := ssidOf(n), deref(n.Passphrase)
	c := candidate{profile: profile{ID: newID(), Name: n.Name, SSID: ssid}}
	if i := s.state.findSSID(ssid); i >= 0 {
		old := s.state.Profiles[i]
		if n.Name == "" {
			c.Name = old.Name
		}
		n.Hidden, n.Metered, n.Factory = n.Hidden || old.Hidden, n.Metered || old.Metered, n.Factory || old.Factory
		if n.Passphrase == nil {
			known, err := s.vault.open(old.ID, old.Secret)
			if err != nil {
				return netmgr.Profile{}, invalid("passphrase", "The password of "+old.Name+" cannot be read on this device.", "Enter it again.")
			}
			password = known
		}
	} else if len(s.state.Profiles) >= Max {
		return netmgr.Profile{}, errFull
	}
	if err := check(n, ssid, password); err != nil {
		return netmgr.Profile{}, err
	}
	n.Off = false
	c.flags(n)
	c.password, c.Open = password, password == ""
	if len(s.candidates) == maxCandidates {
		s.candidates = slices.Delete(s.candidates, 0, 1)
	}
	s.candidates = append(s.candidates, c)
	return c.policy(false), nil
}

// candidate returns the place of the candidate with this ID, or -1. The lock is held.
func (s *Store) candidate(id string) int {
	return slices.IndexFunc(s.candidates, func(c candidate) bool { return c.ID == id })
}

// Keep makes a candidate a known network, with the same ID, because it let itself be joined. Where the same SSID was known it
// takes that one's place. It does nothing for a network that is known already; the error wraps media.ErrNotFound for others.
func (s *Store) Keep(id string) (api.Profile, error) {
	s.mu.RLock()
	i := s.candidate(id)
	var c candidate
	if i >= 0 {
		c = s.candidates[i]
	}
	s.mu.RUnlock()
	if i < 0 {
		return s.result(id, nil)
	}
	err := s.update(func(st *state) error {
		p := c.profile
		s.protect(&p, c.password)
		if i := st.findSSID(p.SSID); i >= 0 {
			st.Profiles[i] = p
			return nil
		}
		return st.insert(p)
	})
	if err == nil {
		s.Discard(id)
	}
	return s.result(id, err)
}

// Discard forgets a candidate. A network that was known before stays as it was.
func (s *Store) Discard(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.candidates = slices.DeleteFunc(s.candidates, func(c candidate) bool { return c.ID == id })
}
