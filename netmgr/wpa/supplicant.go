package wpa

import (
	"bytes"
	"errors"
	"fmt"

	"manofwar/netmgr/ieee80211"
)

// Supplicant is the station's side of the handshakes (clauses 12.7.6 and 12.7.7).
//
// Nothing that an attacker sends makes it install a key for a second time, which would let packet numbers start over
// (KRACK, CVE-2017-13077 to 13081): a frame must be newer than every genuine one before it, and a key that is known
// is answered but not installed. Nor does a forged first message spoil a handshake, as the keys are derived from the
// nonces of the third, which is authenticated.
type Supplicant struct {
	link  Link
	suite suite
	group ieee80211.Suite // the cipher for groups
	mfp   bool            // management frames are protected

	nonce   nonce // ours, of the handshake under way
	running bool  // a handshake is under way
	keys    *pairwise

	newest uint64 // replay counter of the newest genuine frame
	heard  bool   // there was one

	first   nonce  // the access point's, in the latest first message
	firstAt uint64 // its replay counter
	firsts  int    // how often it came

	groupKeys, managementKeys map[int][]byte // installed, by index
	over                      bool
}

// Errors that say why a frame is ignored.
var (
	errReplayed = errors.New("replayed")
	errForged   = errors.New("integrity code does not match")
	errUncalled = errors.New("not expected now")
)

// NewSupplicant returns a supplicant for one association. It fails where the link cannot be secured by this package.
func NewSupplicant(l Link) (*Supplicant, error) {
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("wpa: %w", err)
	}
	s := &Supplicant{link: l, groupKeys: make(map[int][]byte), managementKeys: make(map[int][]byte)}
	s.suite, _ = suiteOf(l.AKM)
	ap, err := rsnOf(l.AccessPointElements)
	if err != nil {
		return nil, fmt.Errorf("wpa: access point's: %w", err)
	}
	if ap.Group != ieee80211.CipherCCMP && ap.Group != ieee80211.CipherTKIP {
		return nil, fmt.Errorf("wpa: group cipher %s is not supported", ap.Group)
	}
	own, err := rsnOf(l.StationElements)
	if err != nil {
		return nil, fmt.Errorf("wpa: own: %w", err)
	}
	s.group, s.mfp = ap.Group, ap.Capabilities&own.Capabilities&ieee80211.MFPCapable != 0
	return s, nil
}

func rsnOf(es ieee80211.Elements) (ieee80211.RSN, error) {
	b, _ := es.Find(ieee80211.ElementRSN)
	return ieee80211.ParseRSN(b)
}

// Receive takes an EAPOL frame from the access point and returns what to do. An error says why the frame is ignored, which
// is worth no more than a debug message: anybody may have sent it.
func (s *Supplicant) Receive(packet []byte) ([]Action, error) {
	f, err := ParseKeyFrame(packet)
	if err != nil {
		return nil, err
	}
	if s.over || !s.suite.speaks(f) || f.Info&InfoAck == 0 || f.Info&(InfoRequest|InfoError) != 0 {
		return nil, errUncalled
	}
	if s.heard && f.Replay <= s.newest {
		return nil, errReplayed
	}
	switch {
	case f.Info&(InfoPairwise|InfoMIC) == InfoPairwise:
		return s.message1(f)
	case f.Info&InfoMIC == 0 || f.Info&(InfoSecure|InfoEncrypted) != InfoSecure|InfoEncrypted:
		return nil, errUncalled
	case f.Info&InfoPairwise != 0:
		return s.message3(f, packet)
	default:
		return s.groupMessage1(f, packet)
	}
}

// enough is how many times the same first message tells that the answer to it was wrong. Access points send it again
// after 0.1 and 1 s; one answer may have been lost.
const enough = 3

// message1 answers the access point's nonce with ours. The message is not authenticated: it changes nothing but the
// count that recognises a wrong password.
func (s *Supplicant) message1(f KeyFrame) ([]Action, error) {
	if !s.running {
		s.nonce = nonce(random(nonceSize))
		s.running, s.firsts = true, 0
	}
	switch {
	case s.firsts == 0 || f.Nonce != s.first:
		s.first, s.firstAt, s.firsts = f.Nonce, f.Replay, 1
	case f.Replay > s.firstAt:
		s.firstAt = f.Replay
		s.firsts++
	}
	if s.firsts >= enough && s.keys == nil {
		return s.end(ieee80211.ReasonHandshake, s.refused()), nil
	}
	k := s.suite.pairwise(s.link, f.Nonce, s.nonce)
	return []Action{s.answer(k, KeyFrame{
		Info: InfoPairwise, Replay: f.Replay, Nonce: s.nonce, Data: securityElements(s.link.StationElements),
	})}, nil
}

// message3 confirms the keys and installs them.
func (s *Supplicant) message3(f KeyFrame, packet []byte) ([]Action, error) {
	k, fresh := s.keys, false
	if !s.suite.genuine(packet, k) {
		if !s.running {
			return nil, errUncalled
		}
		if k, fresh = s.suite.pairwise(s.link, f.Nonce, s.nonce), true; !s.suite.genuine(packet, k) {
			return nil, errForged
		}
	}
	s.newest, s.heard = f.Replay, true
	d, err := decrypt(f, k)
	if err == nil {
		err = s.checkElements(d)
	}
	if errors.Is(err, ErrDowngrade) {
		return s.end(ieee80211.ReasonElementDiffers, err), nil
	}
	var groups []Action
	if err == nil {
		groups, err = s.installGroups(f, d)
	}
	if err != nil {
		return s.end(ieee80211.ReasonUnspecified, err), nil
	}
	acts := []Action{s.answer(k, KeyFrame{Info: InfoPairwise | InfoSecure, Replay: f.Replay})}
	if fresh {
		acts = append(acts, InstallPairwise{Key: k.tk})
	}
	acts = append(acts, groups...)
	if s.keys == nil {
		acts = append(acts, Authorize{})
	}
	if fresh {
		s.keys, s.running = k, false
	}
	return acts, nil
}

// groupMessage1 confirms new group keys and installs them.
func (s *Supplicant) groupMessage1(f KeyFrame, packet []byte) ([]Action, error) {
	if s.keys == nil {
		return nil, errUncalled
	}
	if !s.suite.genuine(packet, s.keys) {
		return nil, errForged
	}
	s.newest, s.heard = f.Replay, true
	d, err := decrypt(f, s.keys)
	if err != nil {
		return s.end(ieee80211.ReasonUnspecified, err), nil
	}
	groups, err := s.installGroups(f, d)
	if err != nil {
		return s.end(ieee80211.ReasonUnspecified, err), nil
	}
	return append([]Action{s.answer(s.keys, KeyFrame{Info: InfoSecure, Replay: f.Replay})}, groups...), nil
}

// decrypt reads the data of a genuine frame.
func decrypt(f KeyFrame, k *pairwise) (KeyData, error) {
	b, err := unwrap(k.kek, f.Data)
	if err != nil {
		return KeyData{}, err
	}
	return ParseKeyData(b)
}

// checkElements finds out whether what the access point announced, which anybody can change on the way, is what it meant
// (clause 12.7.6.4). Without SAE the extension element decides nothing, and some access points leave it out.
func (s *Supplicant) checkElements(d KeyData) error {
	for _, id := range []byte{ieee80211.ElementRSN, ieee80211.ElementRSNX} {
		if id == ieee80211.ElementRSNX && s.link.AKM != ieee80211.AKMSAE {
			continue
		}
		if !bytes.Equal(d.Elements.Whole(id), s.link.AccessPointElements.Whole(id)) {
			return ErrDowngrade
		}
	}
	return nil
}

// installGroups installs the group keys of genuine key data unless they are known.
func (s *Supplicant) installGroups(f KeyFrame, d KeyData) ([]Action, error) {
	if d.GTK == nil {
		return nil, fmt.Errorf("no group key: %w", ErrMalformed)
	}
	key := append([]byte(nil), d.GTK.Key...)
	if len(key) != groupKeySize(s.group) {
		return nil, fmt.Errorf("group key of %d bytes: %w", len(key), ErrMalformed)
	}
	if s.group == ieee80211.CipherTKIP { // it names the MIC keys as the sender uses them
		copy(key[16:], d.GTK.Key[24:])
		copy(key[24:], d.GTK.Key[16:24])
	}
	var acts []Action
	if learn(s.groupKeys, d.GTK.Index, key) {
		acts = append(acts, InstallGroup{Index: d.GTK.Index, Cipher: s.group, Key: key, Sequence: [6]byte(f.RSC[:])})
	}
	if k := d.IGTK; k != nil && s.mfp && learn(s.managementKeys, k.Index, k.Key) {
		acts = append(acts, InstallManagement{Index: k.Index, Key: k.Key, Sequence: k.Sequence})
	}
	return acts, nil
}

func groupKeySize(cipher ieee80211.Suite) int {
	if cipher == ieee80211.CipherTKIP {
		return 32
	}
	return 16
}

// learn remembers a key. It reports false where the key is known, under any index.
func learn(known map[int][]byte, index int, key []byte) bool {
	for _, k := range known {
		if bytes.Equal(k, key) {
			return false
		}
	}
	known[index] = key
	return true
}

// answer returns a frame to the access point. Old ones want the oldest version of 802.1X.
func (s *Supplicant) answer(k *pairwise, f KeyFrame) Action {
	f.Protocol = 1
	return Send{Frame: s.suite.seal(f, k.kck)}
}

func (s *Supplicant) end(reason ieee80211.Reason, err error) []Action {
	s.over = true
	return []Action{Deauth{Reason: reason, Err: err}}
}

// errRefused stands where the password has been proved before and the handshake fails all the same.
var errRefused = errors.New("the access point does not accept the handshake")

// refused says what it means that the access point does not go on after our answer.
func (s *Supplicant) refused() error {
	if s.link.AKM == ieee80211.AKMSAE {
		return errRefused
	}
	return ErrWrongPassword
}

// Refused says what it means that the access point ended the link for a reason: it wraps [ErrWrongPassword] where that
// is how it turned down our answer, and is nil where the handshake explains nothing.
func (s *Supplicant) Refused(reason ieee80211.Reason) error {
	if s.keys != nil || s.firsts == 0 {
		return nil
	}
	switch {
	case reason == ieee80211.ReasonHandshake, reason == ieee80211.ReasonMIC,
		reason == ieee80211.ReasonInvalidAuth && s.firsts > 1:
		return fmt.Errorf("%w (%s)", s.refused(), reason)
	default:
		return nil
	}
}

// Authorized reports whether the link is secured.
func (s *Supplicant) Authorized() bool { return s.keys != nil && !s.over }
