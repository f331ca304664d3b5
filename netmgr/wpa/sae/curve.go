package sae

import (
	"encoding/hex"
	"sync"

	"filippo.io/nistec"
)

// curve is P-256: y² = x³ - 3x + b over the field of p, with a group of prime order n (FIPS 186-4, appendix D.1.2.3).
type curve struct {
	p, n   modulus
	b      number
	sqrt   number // (p+1)/4: what a square's root is its power of
	invert number // p-2
}

var p256 = sync.OnceValue(func() curve {
	c := curve{
		p: newModulus(constant("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")),
		n: newModulus(constant("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")),
		b: constant("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"),
	}
	c.sqrt = constant("3fffffffc0000000400000000000000000000000400000000000000000000000")
	c.invert = constant("ffffffff00000001000000000000000000000000fffffffffffffffffffffffd")
	return c
})

func constant(digits string) number {
	b, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	return number(b)
}

// right returns the right side of the curve's equation at x.
func (c curve) right(x number) number {
	x3 := c.p.mul(c.p.mul(x, x), x)
	return c.p.add(c.p.sub(x3, c.p.mul(small(3), x)), c.b)
}

// root returns a root of a, and 1 where there is one.
func (c curve) root(a number) (number, int) {
	r := c.p.pow(a, c.sqrt)
	return r, equal(c.p.mul(r, r), a)
}

// point returns the point at x on the curve whose y has the parity of odd, in a time that depends on neither.
func point(x number, odd byte) (*nistec.P256Point, error) {
	return nistec.NewP256Point().SetBytes(append([]byte{2 | odd&1}, x[:]...))
}

// mapToCurve is the simplified mapping of Shallue, van de Woestijne and Ulas with z = -10 (clause 12.4.4.2.3; RFC 9380,
// section 6.6.2). Parity of y is that of u.
func (c curve) mapToCurve(u number) (*nistec.P256Point, error) {
	p := c.p
	zero, z := number{}, p.sub(number{}, small(10))
	a := p.sub(zero, small(3))
	zu2 := p.mul(z, p.mul(u, u))
	m := p.add(p.mul(zu2, zu2), zu2)
	exception := equal(m, zero)

	t := p.pow(m, c.invert) // 0 in the exception
	usual := p.mul(p.mul(p.sub(zero, c.b), p.pow(a, c.invert)), p.add(t, small(1)))
	x1 := pick(exception, p.mul(c.b, p.pow(p.mul(z, a), c.invert)), usual)
	_, square := c.root(c.right(x1))
	x := pick(square, x1, p.mul(zu2, x1)) // one of both is on the curve
	return point(x, u[size-1])
}
