package dhcp

import (
	"encoding/binary"
	"net/netip"
)

const (
	ipHeader   = 20
	udpHeader  = 8
	protoUDP   = 17
	ttlDefault = 64
)

// datagram returns message in UDP in IPv4 (RFC 768, RFC 791), from the client's port to the server's.
func datagram(from, to netip.Addr, message []byte) []byte {
	b := make([]byte, ipHeader+udpHeader+len(message))
	ip, udp := b[:ipHeader], b[ipHeader:]
	ip[0] = 4<<4 | ipHeader/4
	ip[1] = 0x10 // low delay, as DHCP clients mark it
	binary.BigEndian.PutUint16(ip[2:], uint16(len(b)))
	ip[8] = ttlDefault
	ip[9] = protoUDP
	copy(ip[12:], from.AsSlice())
	copy(ip[16:], to.AsSlice())
	binary.BigEndian.PutUint16(ip[10:], ^sum(0, ip))

	binary.BigEndian.PutUint16(udp[0:], 68)
	binary.BigEndian.PutUint16(udp[2:], 67)
	binary.BigEndian.PutUint16(udp[4:], uint16(len(udp)))
	copy(udp[udpHeader:], message)
	check := ^sum(pseudo(ip, len(udp)), udp)
	if check == 0 {
		check = 0xffff // zero says that there is none
	}
	binary.BigEndian.PutUint16(udp[6:], check)
	return b
}

// payload returns the UDP payload of an IPv4 packet to the client's port. It reports false for what is none or broken.
// Without checksum that of UDP is not looked at: it was left to hardware that never saw the packet.
func payload(b []byte, checksum bool) ([]byte, bool) {
	if len(b) < ipHeader || b[0]>>4 != 4 {
		return nil, false
	}
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if header < ipHeader || total < header+udpHeader || total > len(b) || b[9] != protoUDP ||
		binary.BigEndian.Uint16(b[6:])&0x3fff != 0 || sum(0, b[:header]) != 0xffff {
		return nil, false
	}
	ip, udp := b[:header], b[header:total]
	length := int(binary.BigEndian.Uint16(udp[4:]))
	if length < udpHeader || length > len(udp) || binary.BigEndian.Uint16(udp[2:]) != 68 {
		return nil, false
	}
	udp = udp[:length]
	if checksum && binary.BigEndian.Uint16(udp[6:]) != 0 && sum(pseudo(ip, length), udp) != 0xffff {
		return nil, false
	}
	return udp[udpHeader:], true
}

// pseudo returns the sum over the pseudo header that UDP's checksum covers.
func pseudo(ip []byte, length int) uint32 {
	return uint32(sum(0, ip[12:20])) + protoUDP + uint32(length)
}

// sum returns the ones' complement sum of RFC 1071.
func sum(start uint32, b []byte) uint16 {
	for ; len(b) >= 2; b = b[2:] {
		start += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		start += uint32(b[0]) << 8
	}
	for start > 0xffff {
		start = start>>16 + start&0xffff
	}
	return uint16(start)
}
