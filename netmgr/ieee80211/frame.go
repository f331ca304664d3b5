package ieee80211

import "encoding/binary"

// Kind is the type and subtype of a management frame, as its first byte holds them (clause 9.2.4.1.3).
type Kind byte

// The kinds of management frames.
const (
	AssociationRequest    Kind = 0x00
	AssociationResponse   Kind = 0x10
	ReassociationRequest  Kind = 0x20
	ReassociationResponse Kind = 0x30
	ProbeRequest          Kind = 0x40
	ProbeResponse         Kind = 0x50
	Beacon                Kind = 0x80
	Disassociation        Kind = 0xa0
	Authentication        Kind = 0xb0
	Deauthentication      Kind = 0xc0
	Action                Kind = 0xd0
)

// Frame is a management frame (clause 9.3.3.1). Duration and sequence number are the driver's.
type Frame struct {
	Kind      Kind
	Protected bool // the body is encrypted
	To, From  MAC
	BSSID     MAC
	Body      []byte
}

const (
	frameHeader     = 24 // bytes
	flagProtected   = 1 << 6
	flagOrder       = 1 << 7 // an HT control field follows the header
	lengthHTControl = 4
)

// ParseFrame reads a management frame, without its checksum. The body refers to b.
func ParseFrame(b []byte) (Frame, error) {
	if len(b) < frameHeader || b[0]&0x0f != 0 {
		return Frame{}, malformed("management frame")
	}
	f := Frame{
		Kind: Kind(b[0]), Protected: b[1]&flagProtected != 0,
		To: MAC(b[4:10]), From: MAC(b[10:16]), BSSID: MAC(b[16:22]), Body: b[frameHeader:],
	}
	if b[1]&flagOrder != 0 {
		if len(f.Body) < lengthHTControl {
			return Frame{}, malformed("management frame")
		}
		f.Body = f.Body[lengthHTControl:]
	}
	return f, nil
}

// Append appends the encoding to b.
func (f Frame) Append(b []byte) []byte {
	var flags byte
	if f.Protected {
		flags |= flagProtected
	}
	b = append(b, byte(f.Kind), flags, 0, 0)
	b = append(b, f.To[:]...)
	b = append(b, f.From[:]...)
	b = append(b, f.BSSID[:]...)
	return append(append(b, 0, 0), f.Body...)
}

// AuthAlgorithm is a way to authenticate before association (clause 9.4.1.1).
type AuthAlgorithm uint16

// The algorithms.
const (
	AuthOpen AuthAlgorithm = 0
	AuthSAE  AuthAlgorithm = 3
)

// Auth is the body of an authentication frame (clause 9.3.3.11).
type Auth struct {
	Algorithm   AuthAlgorithm
	Transaction uint16 // 1 is a request, and SAE's commit; 2 is an answer, and SAE's confirm
	Status      Status
	Data        []byte // of the algorithm
}

// ParseAuth reads the body of an authentication frame. The data refer to b.
func ParseAuth(b []byte) (Auth, error) {
	if len(b) < 6 {
		return Auth{}, malformed("authentication")
	}
	return Auth{
		Algorithm:   AuthAlgorithm(binary.LittleEndian.Uint16(b)),
		Transaction: binary.LittleEndian.Uint16(b[2:]),
		Status:      Status(binary.LittleEndian.Uint16(b[4:])),
		Data:        b[6:],
	}, nil
}

// Append appends the encoding to b. From the transaction on it is what the kernel's command for SAE wants.
func (a Auth) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(a.Algorithm))
	b = binary.LittleEndian.AppendUint16(b, a.Transaction)
	b = binary.LittleEndian.AppendUint16(b, uint16(a.Status))
	return append(b, a.Data...)
}

// AssocRequest is the body of an association or reassociation request (clauses 9.3.3.5 and 9.3.3.7).
type AssocRequest struct {
	Capabilities   Capabilities
	ListenInterval uint16 // in beacons
	Current        MAC    // the access point it comes from; zero: it is no reassociation
	Elements       Elements
}

// ParseAssocRequest reads the body of a frame of one of both kinds. The elements refer to it.
func ParseAssocRequest(f Frame) (AssocRequest, error) {
	fixed := 4
	if f.Kind == ReassociationRequest {
		fixed = 10
	}
	if len(f.Body) < fixed {
		return AssocRequest{}, malformed("association request")
	}
	r := AssocRequest{
		Capabilities:   Capabilities(binary.LittleEndian.Uint16(f.Body)),
		ListenInterval: binary.LittleEndian.Uint16(f.Body[2:]),
		Elements:       f.Body[fixed:],
	}
	if f.Kind == ReassociationRequest {
		r.Current = MAC(f.Body[4:10])
	}
	return r, nil
}

// Append appends the encoding to b: that of a reassociation where there is a current access point.
func (r AssocRequest) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(r.Capabilities))
	b = binary.LittleEndian.AppendUint16(b, r.ListenInterval)
	if r.Current != (MAC{}) {
		b = append(b, r.Current[:]...)
	}
	return append(b, r.Elements...)
}

// AssocResponse is the body of the answer (clauses 9.3.3.6 and 9.3.3.8).
type AssocResponse struct {
	Capabilities Capabilities
	Status       Status
	AID          uint16 // the association's number, 1 to 2007
	Elements     Elements
}

// aidMark is set in the two upper bits of every association number on the air.
const aidMark = 0xc000

// ParseAssocResponse reads the body. The elements refer to it.
func ParseAssocResponse(b []byte) (AssocResponse, error) {
	if len(b) < 6 {
		return AssocResponse{}, malformed("association response")
	}
	return AssocResponse{
		Capabilities: Capabilities(binary.LittleEndian.Uint16(b)),
		Status:       Status(binary.LittleEndian.Uint16(b[2:])),
		AID:          binary.LittleEndian.Uint16(b[4:]) &^ aidMark,
		Elements:     b[6:],
	}, nil
}

// Append appends the encoding to b.
func (r AssocResponse) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(r.Capabilities))
	b = binary.LittleEndian.AppendUint16(b, uint16(r.Status))
	b = binary.LittleEndian.AppendUint16(b, r.AID|aidMark)
	return append(b, r.Elements...)
}

// ParseReason reads the body of a deauthentication or disassociation (clauses 9.3.3.4 and 9.3.3.12).
func ParseReason(b []byte) (Reason, error) {
	if len(b) < 2 {
		return 0, malformed("deauthentication")
	}
	return Reason(binary.LittleEndian.Uint16(b)), nil
}

// Append appends the body of a deauthentication or disassociation to b.
func (r Reason) Append(b []byte) []byte { return binary.LittleEndian.AppendUint16(b, uint16(r)) }
