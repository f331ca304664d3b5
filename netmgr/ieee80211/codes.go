package ieee80211

import "fmt"

// Status is the outcome of an authentication or association (table 9-50).
type Status uint16

// The outcomes that this device gives or understands.
const (
	StatusSuccess           Status = 0
	StatusUnspecified       Status = 1
	StatusUnsupportedAuth   Status = 13
	StatusSequence          Status = 14 // a transaction out of its order
	StatusChallenge         Status = 15 // for SAE: the confirm does not verify
	StatusFull              Status = 17
	StatusRates             Status = 18 // not all of the rates that everybody must support
	StatusTryLater          Status = 30
	StatusUnprotected       Status = 31 // of management frames: the two sides' policies cannot be met
	StatusInvalidElement    Status = 40
	StatusInvalidGroup      Status = 41 // cipher
	StatusInvalidPairwise   Status = 42
	StatusInvalidAKM        Status = 43
	StatusUnsupportedRSN    Status = 44 // version
	StatusInvalidRSN        Status = 45 // capabilities
	StatusInvalidPMKID      Status = 53
	StatusAntiClogging      Status = 76 // send the commit again, with this token
	StatusUnsupportedGroup  Status = 77 // a finite cyclic group
	StatusHashToElement     Status = 126
	StatusUnknownIdentifier Status = 123 // of a password
)

var statuses = map[Status]string{
	StatusSuccess: "success", StatusUnspecified: "refused", StatusUnsupportedAuth: "authentication algorithm not supported",
	StatusSequence: "authentication out of order", StatusChallenge: "challenge failed", StatusFull: "too many stations",
	StatusRates: "no rates in common", StatusUnprotected: "protection of management frames refused",
	StatusTryLater: "try again later", StatusInvalidElement: "invalid element", StatusInvalidGroup: "group cipher refused",
	StatusInvalidPairwise: "pairwise cipher refused", StatusInvalidAKM: "authentication method refused",
	StatusUnsupportedRSN: "RSN version not supported", StatusInvalidRSN: "RSN capabilities refused",
	StatusInvalidPMKID: "key is not remembered", StatusAntiClogging: "anti-clogging token wanted",
	StatusUnsupportedGroup: "cyclic group not supported", StatusHashToElement: "success by hash-to-element",
	StatusUnknownIdentifier: "password identifier is not known",
}

// String returns words for a log.
func (s Status) String() string {
	if w, ok := statuses[s]; ok {
		return w
	}
	return fmt.Sprintf("status %d", uint16(s))
}

// Reason is why somebody was sent away (table 9-49).
type Reason uint16

// The reasons that this device gives or understands.
const (
	ReasonUnspecified    Reason = 1
	ReasonInvalidAuth    Reason = 2 // authentication is no longer valid
	ReasonLeaving        Reason = 3
	ReasonInactivity     Reason = 4
	ReasonFull           Reason = 5
	ReasonClass2         Reason = 6 // it asks to associate, and is not authenticated
	ReasonClass3         Reason = 7 // it sends data, and is not associated
	ReasonInvalidElement Reason = 13
	ReasonMIC            Reason = 14
	ReasonHandshake      Reason = 15 // 4-way handshake timeout
	ReasonGroupHandshake Reason = 16 // group key handshake timeout
	ReasonElementDiffers Reason = 17 // in the handshake from before it
	ReasonBadGroupCipher Reason = 18
	ReasonBadAKM         Reason = 20
)

var reasons = map[Reason]string{
	ReasonUnspecified: "unspecified", ReasonInvalidAuth: "authentication no longer valid", ReasonLeaving: "leaving",
	ReasonInactivity: "inactivity", ReasonFull: "too many stations", ReasonInvalidElement: "invalid element",
	ReasonMIC: "message integrity failure", ReasonHandshake: "handshake timed out",
	ReasonGroupHandshake: "group handshake timed out", ReasonElementDiffers: "security settings differ in the handshake",
	ReasonBadGroupCipher: "group cipher refused", ReasonBadAKM: "authentication method refused",
}

// String returns words for a log.
func (r Reason) String() string {
	if w, ok := reasons[r]; ok {
		return w
	}
	return fmt.Sprintf("reason %d", uint16(r))
}
