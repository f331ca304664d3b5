package screen

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // the forms that covers come in
	_ "image/png"
	"io"
	"math"

	xdraw "golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

// Art is a decoded cover or poster. It does not change.
type Art struct {
	pixels *image.RGBA // opaque
	tint   tint
}

// ErrLarge is the error of a picture that would take more memory to decode than a player may have.
var ErrLarge = errors.New("the picture is too large")

// What is decoded at most: the second is what the decoder needs meanwhile, enough for a cover of 3000 × 3000 in the form
// that takes most, on a board of 512 MB.
const (
	artPixels = 40_000_000
	artMemory = 144 << 20
)

// DecodeArt reads a JPEG, PNG or WebP and keeps it with its longer side at most side pixels; [Artist.ArtSide] knows
// how many a screen can use. Errors are [ErrLarge], [image.ErrFormat], or the decoder's.
func DecodeArt(r io.ReadSeeker, side int) (*Art, error) {
	config, format, err := image.DecodeConfig(bufio.NewReader(r))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	if err := fits(config, format, bufio.NewReader(r)); err != nil {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	img, _, err := image.Decode(bufio.NewReader(r))
	if err != nil {
		return nil, fmt.Errorf("decode picture: %w", err)
	}
	b := img.Bounds()
	if b.Dx() != config.Width || b.Dy() != config.Height {
		return nil, fmt.Errorf("decode picture: %d × %d are not the %d × %d it says", b.Dx(), b.Dy(), config.Width, config.Height)
	}
	return NewArt(img, side), nil
}

// fits refuses a picture that is too large to decode; r is at its beginning.
func fits(c image.Config, format string, r *bufio.Reader) error {
	if c.Width < 1 || c.Height < 1 {
		return fmt.Errorf("read picture: %w", image.ErrFormat)
	}
	per := 4.0 // bytes a pixel
	switch {
	case format == "jpeg":
		per = jpegCost(r)
	case format == "png" && (c.ColorModel == color.RGBA64Model || c.ColorModel == color.NRGBA64Model):
		per = 8
	}
	if c.Width > artPixels/c.Height || float64(c.Width*c.Height)*per > artMemory {
		return fmt.Errorf("%w: %d × %d", ErrLarge, c.Width, c.Height)
	}
	return nil
}

// jpegCost returns how many bytes a pixel of a JPEG takes to decode, by its frame header (ITU-T T.81, B.2.2): one for each
// sample, and four more in a progressive one, whose coefficients are all held until the end.
func jpegCost(r *bufio.Reader) float64 {
	const worst = 4*5 + 4
	if _, err := r.Discard(2); err != nil { // SOI
		return worst
	}
	for {
		head, err := r.Peek(4)
		if err != nil || head[0] != 0xff {
			return worst
		}
		marker, n := head[1], int(head[2])<<8|int(head[3])
		if marker == 0xff { // padding
			_, _ = r.Discard(1) // it was seen by Peek
			continue
		}
		if marker < 0xc0 || marker > 0xc2 {
			if _, err := r.Discard(2 + n); err != nil || n < 2 {
				return worst
			}
			continue
		}
		frame, err := r.Peek(2 + n)
		if err != nil || n < 8 || n != 8+3*int(frame[9]) {
			return worst
		}
		samples, most := 0, 1
		for i := 10; i < len(frame); i += 3 {
			one := int(frame[i+1]>>4) * int(frame[i+1]&15)
			samples, most = samples+one, max(most, one)
		}
		cost := float64(samples) / float64(most)
		if marker == 0xc2 {
			cost *= 5
		}
		if frame[9] == 4 {
			cost += 4 // cyan, magenta, yellow and black are joined in the end
		}
		return cost
	}
}

// NewArt keeps a picture with its longer side at most side pixels, without what of it is transparent.
func NewArt(img image.Image, side int) *Art {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if long := max(w, h); long > side {
		w, h = max(1, w*side/long), max(1, h*side/long)
	}
	a := &Art{pixels: resize(img, b, image.Pt(w, h))}
	a.tint = tintOfImage(a.pixels)
	return a
}

// ArtSide returns how large a picture can be of use on a screen, for [DecodeArt]: full size where it fills the
// scene [Playing], or small as one of many on [Idle].
func ArtSide(size image.Point, full bool) int {
	if full {
		return min(size.X, size.Y) * 64 / 100
	}
	return min(size.X, size.Y) * 32 / 100
}

// resize scales a part of a picture, onto black. It holds a few lines beyond the result, where x/image's better kernels
// take 32 bytes a pixel: shrinking averages what falls into each pixel, line by line.
func resize(src image.Image, part image.Rectangle, size image.Point) *image.RGBA {
	dst := image.NewRGBA(image.Rectangle{Max: size})
	if size.X > part.Dx() || size.Y > part.Dy() {
		draw.Draw(dst, dst.Rect, image.Black, image.Point{}, draw.Src)
		xdraw.ApproxBiLinear.Scale(dst, dst.Rect, src, part, draw.Over, nil)
		return dst
	}
	line := image.NewRGBA(image.Rect(part.Min.X, 0, part.Max.X, 1))
	across := shares(part.Dx(), size.X)
	down := shares(part.Dy(), size.Y)
	sums := make([]uint64, 3*size.X)
	row := make([]uint32, 3*size.X)
	y := 0
	for i, s := range down {
		draw.Draw(line, line.Rect, image.Black, image.Point{}, draw.Src)
		draw.Draw(line, line.Rect, src, image.Pt(part.Min.X, part.Min.Y+i), draw.Over)
		clear(row)
		x := 0
		for j, t := range across {
			p := line.Pix[4*j : 4*j+3 : 4*j+3]
			for k, v := range p {
				row[3*x+k] += uint32(v) * t.first
			}
			if t.last {
				if x++; x < size.X {
					for k, v := range p {
						row[3*x+k] += uint32(v) * t.rest
					}
				}
			}
		}
		for k, v := range row {
			sums[k] += uint64(v) * uint64(s.first)
		}
		if !s.last {
			continue
		}
		total := uint64(part.Dx()) * uint64(part.Dy()) // every weight adds up to the source's length
		out := dst.Pix[y*dst.Stride : (y+1)*dst.Stride]
		for x := range size.X {
			for k := range 3 {
				out[4*x+k] = uint8((sums[3*x+k] + total/2) / total)
			}
			out[4*x+3] = 0xff
		}
		if y++; y < size.Y {
			for k, v := range row {
				sums[k] = uint64(v) * uint64(s.rest)
			}
		}
	}
	return dst
}

// share is how a source pixel is divided: first counts for the pixel under way; last ends that, and rest counts for
// the next one.
type share struct {
	first, rest uint32
	last        bool
}

// shares divides from pixels over to pixels, no more than those. The weights of each add up to from.
func shares(from, to int) []share {
	out := make([]share, from)
	need := from
	for i := range out {
		s := share{first: uint32(min(need, to))}
		if need -= int(s.first); need == 0 {
			s.rest = uint32(to) - s.first
			s.last = true
			need = from - int(s.rest)
		}
		out[i] = s
	}
	return out
}

// tint is the colour that artwork lends to its surroundings, without a lightness.
type tint struct {
	hue, other float64 // in degrees
	chroma     float64 // of both
}

// tintOf is the tint of a title without a picture, the same as on the page.
func tintOf(title string) tint {
	hue := float64(hash(title) % 360)
	return tint{hue, math.Mod(hue+40, 360), 0.08}
}

// hash is FNV-1a over UTF-16 code units, as the page computes it.
func hash(text string) uint32 {
	h := uint32(0x811c9dc5)
	for _, r := range text {
		if r >= 0x10000 {
			r -= 0x10000
			h = (h ^ uint32(0xD800+r>>10)) * 0x01000193
			r = 0xDC00 + r&0x3ff
		}
		h = (h ^ uint32(r)) * 0x01000193
	}
	return h
}

const hueBins = 18 // of 20 degrees

// tintOfImage finds the two prevailing colours, by how much of a picture has them and how vivid they are. It is the
// page's lib/colour.ts.
func tintOfImage(img *image.RGBA) tint {
	small := img
	if b := img.Rect; b.Dx() > 32 && b.Dy() > 32 {
		small = resize(img, b, image.Pt(32, 32))
	}
	var weights [hueBins]float64
	var chroma, total float64
	for i := 0; i+3 < len(small.Pix); i += 4 {
		_, a, b := oklab(decode8(small.Pix[i]), decode8(small.Pix[i+1]), decode8(small.Pix[i+2]))
		vivid := math.Hypot(a, b)
		hue := math.Mod(math.Atan2(b, a)*180/math.Pi+360, 360)
		weights[int(hue/20)%hueBins] += vivid
		chroma += vivid * vivid
		total += vivid
	}
	if total < float64(len(small.Pix))/400 {
		return tint{260, 260, 0.012} // black and white
	}
	near := func(i int) float64 {
		return weights[i] + (weights[(i+1)%hueBins]+weights[(i+hueBins-1)%hueBins])/2
	}
	main := 0
	for i := range weights {
		if near(i) > near(main) {
			main = i
		}
	}
	other := -1
	for i := range weights {
		if away := min((i-main+hueBins)%hueBins, (main-i+hueBins)%hueBins); away > 2 && (other < 0 || near(i) > near(other)) {
			other = i
		}
	}
	if near(other) <= near(main)*0.3 {
		other = main + 1
	}
	return tint{float64(main*20 + 10), float64((other*20 + 10) % 360), min(max(chroma/total, 0.03), 0.12)}
}
