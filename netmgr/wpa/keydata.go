package wpa

import (
	"encoding/binary"
	"fmt"

	"manofwar/netmgr/ieee80211"
)

// The kinds of key data beside elements (table 12-9).
const (
	kdeGTK   ieee80211.Suite = 0x000fac01
	kdePMKID ieee80211.Suite = 0x000fac04
	kdeIGTK  ieee80211.Suite = 0x000fac09
)

// kde is both the identifier of key data and, with no content, of their padding. It is a vendor's element otherwise.
const kde = ieee80211.ElementVendor

// GroupKey is a key for frames to groups in key data.
type GroupKey struct {
	Index    int
	Key      []byte
	Sequence [6]byte // of management keys only: the GTK's is in the frame
}

// KeyData is what the data of an EAPOL-Key frame hold (clause 12.7.2), decrypted.
type KeyData struct {
	Elements ieee80211.Elements // all of it: RSN elements are found among the rest
	GTK      *GroupKey
	IGTK     *GroupKey
	PMKID    []byte
}

// ParseKeyData reads key data. What it returns refers to b. Of a kind that comes twice the last counts.
func ParseKeyData(b []byte) (KeyData, error) {
	d := KeyData{Elements: b}
	for e := range d.Elements.All() {
		if e.ID != kde || len(e.Data) < 4 {
			continue
		}
		if err := d.read(e); err != nil {
			return KeyData{}, err
		}
	}
	return d, nil
}

func (d *KeyData) read(e ieee80211.Element) error {
	kind, v := ieee80211.Suite(binary.BigEndian.Uint32(e.Data)), e.Data[4:]
	ok := true
	switch kind {
	case kdeGTK: // index and flags, a reserved byte, the key
		if ok = len(v) >= 2+16 && len(v) <= 2+32 && v[0]&3 != 0; ok {
			d.GTK = &GroupKey{Index: int(v[0] & 3), Key: v[2:]}
		}
	case kdeIGTK: // index, packet number, the key
		if ok = len(v) == 2+6+16 && v[0]&^1 == 4 && v[1] == 0; ok {
			d.IGTK = &GroupKey{Index: int(v[0]), Sequence: [6]byte(v[2:]), Key: v[8:]}
		}
	case kdePMKID:
		if ok = len(v) == 16; ok {
			d.PMKID = v
		}
	}
	if !ok {
		return fmt.Errorf("key data of kind %s: %w", kind, ErrMalformed)
	}
	return nil
}

// appendKDE appends key data of a kind.
func appendKDE(b []byte, kind ieee80211.Suite, content ...byte) []byte {
	data := []byte{byte(kind >> 24), byte(kind >> 16), byte(kind >> 8), byte(kind)}
	return ieee80211.Element{ID: kde, Data: append(data, content...)}.Append(b)
}

// Append appends the key data to b: elements first, then keys.
func (d KeyData) Append(b []byte) []byte {
	b = append(b, d.Elements...)
	if d.PMKID != nil {
		b = appendKDE(b, kdePMKID, d.PMKID...)
	}
	if k := d.GTK; k != nil {
		b = appendKDE(b, kdeGTK, append([]byte{byte(k.Index), 0}, k.Key...)...)
	}
	if k := d.IGTK; k != nil {
		content := append([]byte{byte(k.Index), 0}, k.Sequence[:]...)
		b = appendKDE(b, kdeIGTK, append(content, k.Key...)...)
	}
	return b
}

// pad makes key data long enough for key wrap (clause 12.7.2).
func pad(b []byte) []byte {
	if len(b)%wrapBlock == 0 && len(b) >= 2*wrapBlock {
		return b
	}
	b = append(b, kde)
	for len(b)%wrapBlock != 0 || len(b) < 2*wrapBlock {
		b = append(b, 0)
	}
	return b
}
