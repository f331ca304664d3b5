package profiles

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"manofwar/internal/atomicfile"
	"manofwar/netmgr/api"
)

const (
	fileName   = "profiles.json"
	backupName = "profiles.backup.json"
	version    = 1
	maxFile    = 1 << 20 // bytes
)

// state is what profiles.json has.
type state struct {
	Version     int               `json:"version"`
	Profiles    []profile         `json:"profiles"`       // in the order of preference
	Name        string            `json:"name,omitempty"` // of the device
	AccessPoint accessPoint       `json:"access_point"`
	Country     string            `json:"country,omitempty"`
	Judge       api.JudgeSettings `json:"judge"`
	Done        bool              `json:"done"`
}

// profile is one known network.
type profile struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	SSID    []byte `json:"ssid"`
	Open    bool   `json:"open,omitempty"`
	Hidden  bool   `json:"hidden,omitempty"`
	Metered bool   `json:"metered,omitempty"`
	Factory bool   `json:"factory,omitempty"`
	Off     bool   `json:"off,omitempty"`
	Secret  []byte `json:"secret,omitempty"` // its password, sealed with its ID; nil: open
}

// accessPoint is the device's own network.
type accessPoint struct {
	SSID      string `json:"ssid,omitempty"` // empty: the device's name
	Open      bool   `json:"open,omitempty"`
	Permanent bool   `json:"permanent,omitempty"`
	Off       bool   `json:"off,omitempty"`
	Secret    []byte `json:"secret,omitempty"` // sealed with [accessPointID]; nil: another passphrase at each boot
}

// accessPointID is what the access point's passphrase is sealed with: no profile's ID is like it.
const accessPointID = "access point"

func (s *state) find(id string) int {
	return slices.IndexFunc(s.Profiles, func(p profile) bool { return p.ID == id })
}

func (s *state) findSSID(ssid []byte) int {
	return slices.IndexFunc(s.Profiles, func(p profile) bool { return string(p.SSID) == string(ssid) })
}

// clone copies what a change may change. Byte slices are replaced, never written to.
func (s *state) clone() state {
	out := *s
	out.Profiles = slices.Clone(s.Profiles)
	return out
}

// parse reads profiles.json. What is wrong in it is left out and counted: one bad entry must not cost the others.
func parse(data []byte) (state, int, error) {
	var raw struct {
		state
		Profiles []json.RawMessage `json:"profiles"`
	}
	if len(data) > maxFile {
		return state{}, 0, fmt.Errorf("%d bytes, want at most %d", len(data), maxFile)
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return state{}, 0, err
	}
	s, bad := raw.state, 0
	if s.Version != version {
		bad++ // of another version of this program: what is there to understand is understood
	}
	s.Version, s.Profiles = version, nil
	for _, r := range raw.Profiles {
		var p profile
		if err := json.Unmarshal(r, &p); err != nil || !p.sound() || s.find(p.ID) >= 0 || s.findSSID(p.SSID) >= 0 || len(s.Profiles) == Max {
			bad++
			continue
		}
		s.Profiles = append(s.Profiles, p)
	}
	return s, bad + s.repair(), nil
}

// sound holds the rules of an entry.
func (p *profile) sound() bool {
	return len(p.ID) > 0 && len(p.ID) <= 64 && checkSSID(p.SSID) == nil && checkName(p.Name) == nil &&
		p.Open == (len(p.Secret) == 0) && len(p.Secret) <= 256
}

// repair sets to their defaults those settings that are wrong, and counts them.
func (s *state) repair() (bad int) {
	if _, err := checkDeviceName(s.Name); s.Name != "" && err != nil {
		s.Name = ""
		bad++
	}
	if checkCountry(s.Country) != nil {
		s.Country = ""
		bad++
	}
	if len(s.AccessPoint.SSID) > maxSSID || len(s.AccessPoint.Secret) > 256 {
		s.AccessPoint = accessPoint{}
		bad++
	}
	if checkJudge(s.Judge) != nil {
		s.Judge.Operators = nil
		bad++
	}
	return bad
}

// load reads the file, or its second copy.
func (s *Store) load() {
	path := s.path(fileName)
	main, bad, err := read(path)
	if err == nil && bad == 0 {
		s.state = main
		return
	}
	second, bad2, err2 := read(s.path(backupName))
	fresh := errors.Is(err, fs.ErrNotExist)
	if fresh && errors.Is(err2, fs.ErrNotExist) {
		s.state = state{Version: version}
		return
	}
	if !fresh {
		s.keepAside(path)
	}
	switch {
	case err2 == nil && (err != nil || bad2 < bad):
		s.state = second
		s.setTrouble("load", "The list of known networks was damaged. Its second copy is in use.", err)
	case err == nil:
		s.state = main
		s.setTrouble("load", "Some known networks or settings could not be read. Look through the list.", fmt.Errorf("%d entries", bad))
	default:
		s.state = state{Version: version}
		s.setTrouble("load", "The list of known networks could not be read. Add your networks again.", errors.Join(err, err2))
	}
	if err := s.save(s.state); err != nil {
		s.setTrouble("save", unsaved, err)
	}
}

func read(path string) (state, int, error) {
	f, err := os.Open(path)
	if err != nil {
		return state{}, 0, err
	}
	defer f.Close()
	data, err := readAll(f, maxFile)
	if err != nil {
		return state{}, 0, err
	}
	return parse(data)
}

// unsaved is what a person is told of a card that does not take a change.
const unsaved = "The card cannot be written: changes to your networks hold until the next restart only."

// save writes both copies, one after the other: a power cut, or a block of the card that goes bad, spares one of them.
func (s *Store) save(st state) error {
	if err := atomicfile.WriteJSON(s.path(fileName), st, 0o600); err != nil {
		return err
	}
	return atomicfile.WriteJSON(s.path(backupName), st, 0o600)
}

// keepAside renames what cannot be used, for whoever can. The first few are kept, then the last is replaced.
func (s *Store) keepAside(path string) {
	for i := 1; i <= 5; i++ {
		to := path + ".damaged"
		if i > 1 {
			to = fmt.Sprintf("%s.%d", to, i)
		}
		if _, err := os.Lstat(to); err == nil && i < 5 {
			continue
		}
		if err := os.Rename(path, to); err != nil {
			s.options.Log.Warn("damaged file not kept aside", "path", path, "err", err)
		}
		return
	}
}
