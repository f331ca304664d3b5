package sae

import (
	"crypto/subtle"
	"encoding/binary"
	"math/bits"

	"filippo.io/bigmod"
)

// size is the length of field elements and scalars of P-256, in bytes.
const size = 32

// number is a field element or scalar, big-endian.
type number [size]byte

// modulus computes with numbers below it, in a time that depends on none of them.
type modulus struct {
	n     number
	value *bigmod.Modulus
}

func newModulus(n number) modulus {
	m, err := bigmod.NewModulus(n[:])
	if err != nil {
		panic(err) // it is one of the two constants
	}
	return modulus{n: n, value: m}
}

// nat returns a as the library has it. A number not below the modulus becomes so.
func (m modulus) nat(a number) *bigmod.Nat {
	x, err := bigmod.NewNat().SetOverflowingBytes(a[:], m.value)
	if err != nil {
		panic(err) // both moduli have all of their bits
	}
	return x
}

func (m modulus) number(x *bigmod.Nat) number { return number(x.Bytes(m.value)) }

func (m modulus) add(a, b number) number { return m.number(m.nat(a).Add(m.nat(b), m.value)) }
func (m modulus) sub(a, b number) number { return m.number(m.nat(a).Sub(m.nat(b), m.value)) }
func (m modulus) mul(a, b number) number { return m.number(m.nat(a).Mul(m.nat(b), m.value)) }
func (m modulus) pow(a, e number) number {
	return m.number(bigmod.NewNat().Exp(m.nat(a), e[:], m.value))
}

// reduce returns wide modulo m.
func (m modulus) reduce(wide [size + size/2]byte) number {
	full := make([]byte, len(wide))
	for i := range full {
		full[i] = 0xff
	}
	all, err := bigmod.NewModulus(full)
	if err != nil {
		panic(err)
	}
	x, err := bigmod.NewNat().SetOverflowingBytes(wide[:], all)
	if err != nil {
		panic(err)
	}
	return m.number(bigmod.NewNat().Mod(x, m.value))
}

// below returns 1 where a is less than m, else 0.
func (m modulus) below(a number) int {
	var borrow uint64
	for i := size - 8; i >= 0; i -= 8 {
		_, borrow = bits.Sub64(binary.BigEndian.Uint64(a[i:]), binary.BigEndian.Uint64(m.n[i:]), borrow)
	}
	return int(borrow)
}

func equal(a, b number) int { return subtle.ConstantTimeCompare(a[:], b[:]) }

// pick returns a where choice is 1, b where it is 0.
func pick(choice int, a, b number) number {
	subtle.ConstantTimeCopy(choice, b[:], a[:])
	return b
}

// small returns a number of one byte.
func small(v byte) number { return number{size - 1: v} }
