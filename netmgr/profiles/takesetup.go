package profiles

import (
	"errors"
	"io/fs"
	"os"

	"manofwar/internal/setup"
	"manofwar/netmgr/api"
)

// takeSetup takes in the part of setup.json that PID 1 has put into the service's directory, once: the networks become
// known, the most preferred first, before those that are known already. The file, which has passwords that anybody can read, is
// removed only after that was written. One with a mistake stays, and is told.
func (s *Store) takeSetup() {
	path := s.path(setup.Name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var data []byte
	if err == nil {
		data, err = readAll(f, setup.MaxSize)
		err = errors.Join(err, f.Close())
	}
	var wanted setup.Setup
	if err == nil {
		wanted, err = setup.Parse(data)
	}
	if err == nil {
		err = s.apply(wanted)
	}
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		s.setTrouble("setup", "What "+setup.Name+" says of the network was not taken over: "+err.Error(), err)
	}
}

// apply takes over what setup.json wants. It returns nil only if that is written.
func (s *Store) apply(wanted setup.Setup) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	next := s.state.clone()
	for i, w := range wanted.WiFi {
		id, err := s.put(&next, api.NewProfile{SSID: w.SSID, Passphrase: &w.Passphrase, Hidden: w.Hidden})
		if err != nil {
			return err
		}
		next.move(id, i)
	}
	if wanted.Country != "" {
		next.Country = wanted.Country
	}
	if wanted.AccessPoint != nil {
		next.AccessPoint.Open = false
		next.AccessPoint.Secret = s.vault.seal(accessPointID, wanted.AccessPoint.Passphrase)
	}
	next.Done = next.Done || len(wanted.WiFi) > 0
	return s.keep(next)
}

// move puts a network at a place in the order.
func (s *state) move(id string, to int) {
	from := s.find(id)
	p := s.Profiles[from]
	s.Profiles = append(s.Profiles[:from], s.Profiles[from+1:]...)
	to = min(to, len(s.Profiles))
	s.Profiles = append(s.Profiles[:to], append([]profile{p}, s.Profiles[to:]...)...)
}
