package decode

import "fmt"

// sdr turns a picture of HDR10 (SMPTE ST 2084, ITU-R BT.2020) into one for a screen without HDR, in 10 bits before and
// after: by a table for each of brightness and colours, which costs a 1080p film 2% of a core. To do it as the standards
// have it, in linear light, costs 40%, which the boards do not have.
//
// Brightness is exact: white of a page (203 cd/m², BT.2408) becomes three quarters, and what is brighter is compressed up
// to 1000 cd/m². Colours are not: how much wider their differences must be depends on the brightness, and on their
// neighbours in the larger gamut; the factors are those that fit best in the middle.
func sdr() string {
	const (
		white = 203.0
		peak  = 1000.0 / white
		// The inverse of the curve's exponents (ST 2084, 5.1).
		inverseM1, inverseM2 = 1 / 0.1593017578125, 1 / 78.84375
		c1, c2, c3           = 0.8359375, 18.8515625, 18.6875
		cb, cr               = 1.9, 2.2
	)
	code := fmt.Sprintf("st(0,pow(clip((val-64)/876,0,1),%g))", inverseM2)
	light := fmt.Sprintf("st(1,%g*pow(max(ld(0)-%g,0)/(%g-%g*ld(0)),%g))", 10000/white, c1, c2, c3, inverseM1)
	mapped := fmt.Sprintf("64+876*pow(clip(ld(1)*(1+ld(1)/%g)/(1+ld(1)),0,1),1/2.4)", peak*peak)
	return fmt.Sprintf("lutyuv=y='%s*0+%s*0+%s':u='512+(val-512)*%g':v='512+(val-512)*%g'", code, light, mapped, cb, cr)
}
