package wpa

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// Info is the information of an EAPOL-Key frame (figure 12-35).
type Info uint16

// The flags of the information. Its lowest three bits are the version of the key descriptor.
const (
	InfoPairwise  Info = 1 << 3
	InfoInstall   Info = 1 << 6
	InfoAck       Info = 1 << 7 // an answer is wanted: the access point sent it
	InfoMIC       Info = 1 << 8
	InfoSecure    Info = 1 << 9
	InfoError     Info = 1 << 10
	InfoRequest   Info = 1 << 11
	InfoEncrypted Info = 1 << 12

	infoVersion Info = 7
)

// KeyFrame is an EAPOL-Key frame (clause 12.7.2), inside an 802.1X packet.
type KeyFrame struct {
	Protocol  byte // version of 802.1X, 1 to 3; receivers take any
	Info      Info
	KeyLength uint16 // of the temporal key, in bytes
	Replay    uint64
	Nonce     [nonceSize]byte
	RSC       [8]byte       // the group key's packet number, the lowest byte first
	MIC       [micSize]byte // over the packet with zeros in its place
	Data      []byte        // key data, encrypted where Info says so
}

// Where the fields are, in bytes from the beginning of the packet. Between nonce and RSC is an IV that only WPA1 uses, after
// the RSC eight reserved bytes.
const (
	packetHeader  = 4
	offDescriptor = 4
	offInfo       = 5
	offKeyLength  = 7
	offReplay     = 9
	offNonce      = 17
	offRSC        = 65
	offMIC        = 81
	offDataLength = 97
	offData       = 99

	packetKey     = 3 // EAPOL-Key among 802.1X packets
	descriptorRSN = 2
)

// ParseKeyFrame reads an 802.1X packet, without Ethernet's header. What follows it, as padding, is not looked at. The data
// refer to b.
func ParseKeyFrame(b []byte) (KeyFrame, error) {
	if len(b) < offData || b[1] != packetKey || b[offDescriptor] != descriptorRSN {
		return KeyFrame{}, fmt.Errorf("EAPOL-Key frame: %w", ErrMalformed)
	}
	end := packetHeader + int(binary.BigEndian.Uint16(b[2:]))
	data := offData + int(binary.BigEndian.Uint16(b[offDataLength:]))
	if end > len(b) || data > end {
		return KeyFrame{}, fmt.Errorf("EAPOL-Key frame's length: %w", ErrMalformed)
	}
	return KeyFrame{
		Protocol:  b[0],
		Info:      Info(binary.BigEndian.Uint16(b[offInfo:])),
		KeyLength: binary.BigEndian.Uint16(b[offKeyLength:]),
		Replay:    binary.BigEndian.Uint64(b[offReplay:]),
		Nonce:     [nonceSize]byte(b[offNonce:]),
		RSC:       [8]byte(b[offRSC : offRSC+8]),
		MIC:       [micSize]byte(b[offMIC : offMIC+micSize]),
		Data:      b[offData:data],
	}, nil
}

// Append appends the encoding to b.
func (f KeyFrame) Append(b []byte) []byte {
	p := make([]byte, offData, offData+len(f.Data))
	p[0], p[1] = f.Protocol, packetKey
	binary.BigEndian.PutUint16(p[2:], uint16(offData-packetHeader+len(f.Data)))
	p[offDescriptor] = descriptorRSN
	binary.BigEndian.PutUint16(p[offInfo:], uint16(f.Info))
	binary.BigEndian.PutUint16(p[offKeyLength:], f.KeyLength)
	binary.BigEndian.PutUint64(p[offReplay:], f.Replay)
	copy(p[offNonce:], f.Nonce[:])
	copy(p[offRSC:], f.RSC[:])
	copy(p[offMIC:], f.MIC[:])
	binary.BigEndian.PutUint16(p[offDataLength:], uint16(len(f.Data)))
	return append(append(b, p...), f.Data...)
}

// seal returns the encoding of a frame of the suite, with its integrity code where a key to confirm is given.
func (s suite) seal(f KeyFrame, kck []byte) []byte {
	f.Info |= Info(s.version)
	if kck == nil {
		return f.Append(nil)
	}
	f.Info |= InfoMIC
	f.MIC = [micSize]byte{}
	p := f.Append(nil)
	mic := s.mic(kck, p)
	copy(p[offMIC:], mic[:])
	return p
}

// genuine reports whether a received packet's integrity code is right.
func (s suite) genuine(packet []byte, k *pairwise) bool {
	if k == nil {
		return false
	}
	p := append([]byte(nil), packet[:packetHeader+int(binary.BigEndian.Uint16(packet[2:]))]...)
	claimed := [micSize]byte(p[offMIC:])
	clear(p[offMIC : offMIC+micSize])
	mic := s.mic(k.kck, p)
	return subtle.ConstantTimeCompare(mic[:], claimed[:]) == 1
}

// speaks reports whether a frame's descriptor is of the suite's version.
func (s suite) speaks(f KeyFrame) bool { return uint16(f.Info&infoVersion) == s.version }
