package profiles

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"unicode/utf8"

	"filippo.io/age"

	"manofwar/internal/ipc"
	"manofwar/netmgr/api"
)

// An export is a file of age (age-encryption.org/v1) with a passphrase: "age -d" opens it on any computer. In it is this
// text, whose version grows when older readers would misunderstand it.
type export struct {
	Format   string           `json:"format"` // [exportFormat]
	Version  int              `json:"version"`
	Profiles []api.NewProfile `json:"profiles"`
	Settings api.Settings     `json:"settings"`
}

const (
	exportFormat  = "manofwar networks"
	exportVersion = 1
	maxExport     = 256 << 10 // bytes
)

// workFactor is scrypt's N as a power of two: 32 MiB and a tenth of a second to a second for each guess. age's own choice, 18,
// takes 256 MiB, which the service is not allowed.
const workFactor = 15

// Export returns all networks and settings, encrypted. Passwords that cannot be read are left out. The error is an
// [*ipc.Error].
func (s *Store) Export(passphrase string) ([]byte, error) {
	if utf8.RuneCountInString(passphrase) < 8 {
		return nil, invalid("passphrase", "The passphrase is too short: whoever finds the file could guess it.", "Take at least 8 characters.")
	}
	text, err := json.MarshalIndent(s.exported(), "", "\t")
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	s.deriving.Lock()
	defer s.deriving.Unlock()
	defer debug.FreeOSMemory() // what scrypt took
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	recipient.SetWorkFactor(workFactor)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return out.Bytes(), nil
}

func (s *Store) exported() export {
	e := export{Format: exportFormat, Version: exportVersion, Settings: s.Chosen(), Profiles: []api.NewProfile{}}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.state.AccessPoint.SSID == "" {
		e.Settings.AccessPoint.SSID = "" // another device has a name of its own
	}
	for _, p := range s.state.Profiles {
		n := api.NewProfile{Name: p.Name, Raw: p.SSID, Hidden: p.Hidden, Metered: p.Metered, Factory: p.Factory, Off: p.Off}
		if password, err := s.vault.open(p.ID, p.Secret); err == nil {
			n.Passphrase = &password
			e.Profiles = append(e.Profiles, n)
		}
	}
	return e
}

// Import takes in what [Store.Export] made: networks are added or changed, none is forgotten, and the settings are replaced. It
// takes all or nothing. The error is an [*ipc.Error].
func (s *Store) Import(passphrase string, data []byte) (api.Imported, error) {
	text, err := s.decrypt(passphrase, data)
	if err != nil {
		return api.Imported{}, err
	}
	e, err := parseExport(text)
	if err != nil {
		return api.Imported{}, err
	}
	err = s.update(func(st *state) error {
		for _, n := range e.Profiles {
			if _, err := s.put(st, n); err != nil {
				return err
			}
		}
		return s.choose(st, e.Settings)
	})
	if err != nil {
		return api.Imported{}, err
	}
	return api.Imported{Profiles: len(e.Profiles), Settings: true}, nil
}

// parseExport reads the text in an export. Its content is checked when it is taken in.
func parseExport(text []byte) (export, error) {
	var e export
	err := json.Unmarshal(text, &e)
	switch {
	case err != nil || e.Format != exportFormat:
		return export{}, invalid("data", "The file is no export of networks.", "Choose the file that was exported.")
	case e.Version != exportVersion:
		return export{}, &ipc.Error{
			Status: http.StatusUnprocessableEntity, Code: "unsupported", Field: "data",
			Message: fmt.Sprintf("The file is of version %d, which is newer than this device.", e.Version), Hint: "Update this device first.",
		}
	case len(e.Profiles) > Max:
		return export{}, errTooLarge
	}
	return e, nil
}

// decrypt opens an export. It bounds what a forged one can make it do: time, memory and length.
func (s *Store) decrypt(passphrase string, data []byte) ([]byte, error) {
	if len(data) > 2*maxExport {
		return nil, errTooLarge
	}
	if passphrase == "" {
		return nil, invalid("passphrase", "The passphrase is missing.", "Type the one that was chosen for the export.")
	}
	s.deriving.Lock()
	defer s.deriving.Unlock()
	defer debug.FreeOSMemory()
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	identity.SetMaxWorkFactor(workFactor)
	r, err := age.Decrypt(bytes.NewReader(data), identity)
	var text []byte
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(r, maxExport+1))
	}
	_, mismatch := errors.AsType[*age.NoIdentityMatchError](err)
	switch {
	case mismatch:
		return nil, invalid("passphrase", "The passphrase does not open this file.", "Type the one that was chosen for the export.")
	case err != nil:
		return nil, invalid("data", "The file is damaged or no export of networks.", "Choose the file that was exported.")
	case len(text) > maxExport:
		return nil, errTooLarge
	}
	return text, nil
}

var errTooLarge = invalid("data", "The file is too large to be an export of networks.", "Choose the file that was exported.")
