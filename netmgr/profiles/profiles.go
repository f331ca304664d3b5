// Package profiles keeps the networks that the owner knows and what he has chosen beside them: in the service's own
// directory, in the order of preference, with their passwords encrypted.
//
//	profiles.json           networks and settings, replaced atomically; profiles.backup.json is a second copy
//	learned.json            channels, last uses and failures: losing it costs a scan
//	key                     what passwords are encrypted with, together with the board's serial number
//	profiles.json.damaged   what could not be read, kept for whoever can
//
// A network is forgotten when the owner says so, never because of a failure: neither one of the network nor one of the
// card. What cannot be read is kept aside and told ([Store.Trouble]); a network whose password cannot be read any more
// stays, and its password is asked for again.
//
// Which network is joined when is the policy's business ([manofwar/netmgr]), which gets all of this as [netmgr.Settings].
package profiles

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"manofwar/internal/media"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// Max is how many networks can be known.
const Max = 64

// Options are what [Open] needs.
type Options struct {
	Dir    string // the service's own, kept across reboots
	RunDir string // kept until the next boot only; empty: none
	Serial string // the board's serial number; empty: it has none
	Name   string // what the device's own network is called, before what tells devices apart, while the owner calls it nothing else; empty: "manofwar"
	Log    *slog.Logger
}

// Store is all that is known. It is safe for concurrent use. Reading never waits for the card; a change that the card does
// not take holds until the next restart, and [Store.Trouble] says so.
type Store struct {
	options Options
	vault   vault
	changes chan struct{}
	learnt  chan struct{}

	changing sync.Mutex         // held while a change is made and written
	written  map[string]learned // what learned.json has; guarded by changing

	deriving sync.Mutex // held while a key is made of a passphrase: one at a time has the memory

	mu         sync.RWMutex // guards what follows
	state      state
	learned    map[string]learned // by the profile's ID
	candidates []candidate
	passphrase string            // of the access point, where the owner has set none
	trouble    map[string]string // what is wrong, by what it is wrong with
}

// Open reads what is kept in the directory, takes in what setup.json there says, and repairs what can be. A card that cannot be
// read or written is no error but a trouble: the network is needed all the more then.
func Open(o Options) (*Store, error) {
	if o.Name == "" {
		o.Name = "manofwar"
	}
	s := &Store{
		options: o, changes: make(chan struct{}, 1), learnt: make(chan struct{}, 1),
		learned: make(map[string]learned), trouble: make(map[string]string),
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		s.setTrouble("save", unsaved, err)
	}
	s.openVault()
	s.load()
	s.loadLearned()
	if err := s.openPassphrase(); err != nil {
		return nil, fmt.Errorf("known networks: %w", err)
	}
	s.takeSetup()
	s.signal()
	return s, nil
}

// Changes tells that [Store.Settings], or what else the owner may choose, is another now. There is one at the start. Changes
// that come together are told once; it is for one reader.
func (s *Store) Changes() <-chan struct{} { return s.changes }

func (s *Store) signal() { poke(s.changes) }

func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// Settings returns what the policy is to know. A network whose password cannot be read is off in it: joining it could
// only fail.
func (s *Store) Settings() netmgr.Settings {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out netmgr.Settings
	for _, p := range s.state.Profiles {
		_, err := s.vault.open(p.ID, p.Secret)
		known := p.policy(err != nil)
		known.Channels = slices.Clone(s.learned[p.ID].Channels)
		out.Profiles = append(out.Profiles, known)
	}
	ap := s.state.AccessPoint
	out.Name = s.state.Name
	out.AccessPoint.SSID, out.AccessPoint.Default = s.accessPointSSID(), ap.SSID == ""
	out.AccessPoint.Open, out.AccessPoint.Permanent, out.AccessPoint.Off = ap.Open, ap.Permanent, ap.Off
	out.Setup = !s.state.Done
	return out
}

// policy returns the network as the policy knows it.
func (p profile) policy(locked bool) netmgr.Profile {
	return netmgr.Profile{
		ID: p.ID, SSID: string(p.SSID), Open: p.Open, Hidden: p.Hidden, Metered: p.Metered, Off: p.Off || locked,
	}
}

// List returns the known networks in the order of preference.
func (s *Store) List() []api.Profile {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]api.Profile, 0, len(s.state.Profiles))
	for _, p := range s.state.Profiles {
		out = append(out, s.describe(p))
	}
	return out
}

// describe returns the network as others see it. The lock is held.
func (s *Store) describe(p profile) api.Profile {
	l := s.learned[p.ID]
	out := api.Profile{
		ID: p.ID, Name: p.Name, SSID: readable(p.SSID), Raw: slices.Clone(p.SSID),
		Open: p.Open, Hidden: p.Hidden, Metered: p.Metered, Factory: p.Factory, Off: p.Off,
		Failure: l.Failure, FailedAt: l.FailedAt, UsedAt: l.UsedAt,
	}
	if _, err := s.vault.open(p.ID, p.Secret); err != nil {
		out.Failure = "Its password cannot be read on this device. Enter it again."
	}
	return out
}

// Password returns the password of a network, known or being tried; an open one's is empty. The error wraps
// media.ErrNotFound for an unknown ID and media.ErrCorrupt where the password cannot be read.
func (s *Store) Password(id string) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i := s.candidate(id); i >= 0 {
		return s.candidates[i].password, nil
	}
	i := s.state.find(id)
	if i < 0 {
		return "", unknown(id)
	}
	p := s.state.Profiles[i]
	password, err := s.vault.open(p.ID, p.Secret)
	if err != nil {
		return "", &media.Error{Op: "read the password of", Path: p.Name, Err: err, Hint: "Enter it again."}
	}
	return password, nil
}

func unknown(id string) error {
	return fmt.Errorf("network %q: %w", id, media.ErrNotFound)
}

// Trouble says in words for a person what could not be kept or read; empty: nothing.
func (s *Store) Trouble() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, what := range []string{"save", "load", "key", "setup"} {
		if t := s.trouble[what]; t != "" {
			return t
		}
	}
	return ""
}

// setTrouble notes what is wrong with one thing; an empty text: nothing any more. The log has it too, as nobody may be
// asking.
func (s *Store) setTrouble(what, text string, err error) {
	if text != "" {
		s.options.Log.Warn("known networks", "trouble", text, "err", err)
	}
	s.mu.Lock()
	s.trouble[what] = text
	s.mu.Unlock()
}

func (s *Store) path(name string) string { return filepath.Join(s.options.Dir, name) }
