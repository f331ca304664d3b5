package player

import (
	"image"
	"math"

	"manofwar/internal/media"
)

// fit returns where on a screen a frame goes: as large as the mode allows without another shape than aspect, which is
// width by height, in the middle. A screen that does not scale gets the frame pixel by pixel.
func fit(s Screen, frame image.Point, aspect float64) image.Rectangle {
	size := frame
	if s.Scales {
		size = inside(s.Mode, frame, aspect)
	}
	at := image.Pt((s.Mode.Width-size.X)/2, (s.Mode.Height-size.Y)/2)
	return image.Rectangle{at, at.Add(size)}
}

// canvas returns where on the screen the canvas of a subtitle lies whose film is stored in a size and seen in a rectangle. A
// disc's canvas is its whole picture; a film that was cut out of that, without the black above and below, has less of it.
func canvas(film image.Rectangle, stored, canvas image.Point) image.Rectangle {
	if stored.X <= 0 || stored.Y <= 0 || canvas.X <= 0 || canvas.Y <= 0 {
		return film
	}
	x, y := float64(canvas.X)/float64(stored.X), float64(canvas.Y)/float64(stored.Y)
	least := min(x, y) // the film may have been made smaller as well
	w, h := int(math.Round(float64(film.Dx())*x/least)), int(math.Round(float64(film.Dy())*y/least))
	at := film.Min.Sub(image.Pt((w-film.Dx())/2, (h-film.Dy())/2))
	return image.Rectangle{at, at.Add(image.Pt(w, h))}
}

// inside returns the largest even size of that shape in the mode. Without an aspect the frame's own is taken.
func inside(m Mode, frame image.Point, aspect float64) image.Point {
	if !(aspect > 0.01 && aspect < 100) {
		if frame.X <= 0 || frame.Y <= 0 {
			return image.Pt(m.Width, m.Height)
		}
		aspect = float64(frame.X) / float64(frame.Y)
	}
	w, h := float64(m.Width), float64(m.Height)
	if w/h > aspect {
		w = h * aspect
	} else {
		h = w / aspect
	}
	return image.Pt(even(w, m.Width), even(h, m.Height))
}

// even rounds to an even number of pixels, at least 2 and at most limit.
func even(v float64, limit int) int {
	return max(2, min(int(math.Round(v/2))*2, limit&^1))
}

// decodeSize returns the size in which the decoder is to deliver a stream for a screen: as it is stored where the screen
// scales and that is not larger than what is seen, else as it is seen.
func decodeSize(s Screen, st media.Stream, aspect float64) image.Point {
	stored := image.Pt(st.Width&^1, st.Height&^1)
	seen := inside(s.Mode, stored, aspect)
	if s.Scales && stored.X >= 2 && stored.Y >= 2 && stored.X <= s.Mode.Width && stored.Y <= s.Mode.Height {
		return stored
	}
	return seen
}

// modeFor returns the mode of the screen's present size that suits a film's frame rate best, and whether another mode than
// the present one is worth the seconds of black that a change costs: only where the rate is then exact, or at least
// nearly so and is not now.
func modeFor(s Screen, rate Rational) (Mode, bool) {
	if rate.Num <= 0 || rate.Den <= 0 {
		return s.Mode, false
	}
	fps := float64(rate.Num) / float64(rate.Den)
	best := s.Mode
	for _, m := range s.Modes {
		if m.Width != s.Mode.Width || m.Height != s.Mode.Height || m.Interlaced != s.Mode.Interlaced {
			continue
		}
		if a, b := mismatch(m, fps), mismatch(best, fps); a < b || a == b && a < 2 && m.Refresh < best.Refresh && best != s.Mode {
			best = m
		}
	}
	return best, mismatch(best, fps) < mismatch(s.Mode, fps)
}

// mismatch says how badly pictures at fps fall onto a mode's refreshes: 0 exactly, 1 with one repeated or lost now and
// then, 2 unevenly.
func mismatch(m Mode, fps float64) int {
	n := math.Round(m.Refresh / fps)
	if n < 1 {
		return 2
	}
	switch off := math.Abs(m.Refresh/fps/n - 1); {
	case off < 0.0004: // 23.976 and 24 are 0.001 apart
		return 0
	case off < 0.002:
		return 1
	}
	return 2
}
