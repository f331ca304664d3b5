package wpa

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// block returns AES under a key that this package has cut to size itself.
func block(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	return b
}

// cmac is AES-CMAC (RFC 4493).
func cmac(key, message []byte) (mac [micSize]byte) {
	b := block(key)
	var k [aes.BlockSize]byte
	b.Encrypt(k[:], k[:])
	double(&k)
	for len(message) > aes.BlockSize {
		subtle.XORBytes(mac[:], mac[:], message[:aes.BlockSize])
		b.Encrypt(mac[:], mac[:])
		message = message[aes.BlockSize:]
	}
	subtle.XORBytes(mac[:], mac[:], message)
	if len(message) < aes.BlockSize {
		mac[len(message)] ^= 0x80
		double(&k)
	}
	subtle.XORBytes(mac[:], mac[:], k[:])
	b.Encrypt(mac[:], mac[:])
	return mac
}

// double multiplies by x in the field of CMAC.
func double(k *[aes.BlockSize]byte) {
	hi, lo := binary.BigEndian.Uint64(k[:8]), binary.BigEndian.Uint64(k[8:])
	carry := -(hi >> 63) & 0x87
	binary.BigEndian.PutUint64(k[:8], hi<<1|lo>>63)
	binary.BigEndian.PutUint64(k[8:], lo<<1^carry)
}

// wrapBlock is the unit of key wrap, in bytes.
const wrapBlock = 8

// wrapCheck is what unwrapping must give back (RFC 3394, section 2.2.3.1).
const wrapCheck = 0xa6a6a6a6a6a6a6a6

// wrap encrypts key data, a multiple of 8 and at least 16 bytes, with AES key wrap (RFC 3394).
func wrap(kek, data []byte) []byte {
	b := block(kek)
	out := append(make([]byte, wrapBlock, wrapBlock+len(data)), data...)
	var buf [2 * wrapBlock]byte
	a, t := uint64(wrapCheck), uint64(0)
	for range 6 {
		for r := out[wrapBlock:]; len(r) > 0; r = r[wrapBlock:] {
			t++
			binary.BigEndian.PutUint64(buf[:], a)
			copy(buf[wrapBlock:], r[:wrapBlock])
			b.Encrypt(buf[:], buf[:])
			a = binary.BigEndian.Uint64(buf[:]) ^ t
			copy(r, buf[wrapBlock:])
		}
	}
	binary.BigEndian.PutUint64(out, a)
	return out
}

// unwrap decrypts what wrap made, and checks that nobody has changed it.
func unwrap(kek, data []byte) ([]byte, error) {
	n := len(data)/wrapBlock - 1
	if len(data)%wrapBlock != 0 || n < 2 {
		return nil, fmt.Errorf("wrapped keys of %d bytes: %w", len(data), ErrMalformed)
	}
	b := block(kek)
	a, t := binary.BigEndian.Uint64(data), uint64(6*n)
	out := append([]byte(nil), data[wrapBlock:]...)
	var buf [2 * wrapBlock]byte
	for range 6 {
		for i := n - 1; i >= 0; i-- {
			r := out[i*wrapBlock:]
			binary.BigEndian.PutUint64(buf[:], a^t)
			copy(buf[wrapBlock:], r[:wrapBlock])
			b.Decrypt(buf[:], buf[:])
			a = binary.BigEndian.Uint64(buf[:])
			copy(r, buf[wrapBlock:])
			t--
		}
	}
	if a != wrapCheck {
		return nil, fmt.Errorf("wrapped keys: %w", ErrMalformed)
	}
	return out, nil
}
