//go:build vm

package vm

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/lab/guest"
	"manofwar/internal/lab/peers"
)

var update = flag.Bool("update", false, "keep what is on the guest's screen as what should be")

// answers does what test programs in a guest ask for by [guest.Ask]:
//
//	look NAME             compare the screen with testdata/NAME.png
//	screen WIDTH HEIGHT   plug in a screen of that size; 0 0: pull the plug
//	dac in, dac out       plug in the USB DAC, or pull it out
//	mark CARD             remember how much has been recorded of a sound card
//	heard CARD FILE       compare what was recorded since with a file in the guest
type answers struct {
	t     *testing.T
	world *peers.World
	dir   string // in the guest
	shots []time.Duration
	marks map[lab.SoundCard]int
}

// serve answers what the program asks, until it ends.
func (a *answers) serve(ctx context.Context, program *peers.Program) {
	for mark := 0; ; {
		line, err := program.Expect(ctx, mark, guest.Asking)
		if err != nil {
			break // it has ended: Wait says how
		}
		mark += strings.Index(program.String()[mark:], line[0]) + len(line[0])
		text := ""
		if err := a.do(ctx, strings.Fields(line[2])); err != nil {
			a.t.Errorf("%s: %v", line[2], err)
			text = err.Error()
		}
		number, err := strconv.ParseInt(line[1], 10, 64)
		must(a.t, err)
		must(a.t, a.world.Outside().Write(ctx, path.Join(a.dir, guest.AnswerName(number)), 0o644, strings.NewReader(text)))
	}
	if n := len(a.shots); n > 0 {
		var sum time.Duration
		for _, d := range a.shots {
			sum += d
		}
		a.t.Logf("%d screendumps, %v each", n, sum/time.Duration(n))
	}
}

func (a *answers) do(ctx context.Context, words []string) error {
	switch {
	case len(words) == 2 && words[0] == "look":
		return a.look(ctx, words[1])
	case len(words) == 3 && words[0] == "screen":
		width, werr := strconv.Atoi(words[1])
		height, herr := strconv.Atoi(words[2])
		if err := errors.Join(werr, herr); err != nil {
			return err
		}
		if width == 0 {
			return a.world.UnplugScreen(ctx)
		}
		return a.world.PlugScreen(ctx, lab.Screen{Width: width, Height: height})
	case len(words) == 2 && words[0] == "dac":
		return a.dac(ctx, words[1])
	case len(words) == 2 && words[0] == "mark":
		return a.mark(lab.SoundCard(words[1]))
	case len(words) == 3 && words[0] == "heard":
		return a.heard(ctx, lab.SoundCard(words[1]), words[2])
	}
	return errors.New("the lab does not know how")
}

// look compares the screen with what it should be. A screen that does not match is kept for a person.
func (a *answers) look(ctx context.Context, name string) error {
	began := time.Now()
	got, err := a.world.Screendump(ctx)
	if err != nil {
		return err
	}
	a.shots = append(a.shots, time.Since(began))
	file := filepath.Join("testdata", filepath.Base(name)+".png")
	if *update {
		return writePNG(file, got)
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		return err
	}
	if err := samePixels(got, want); err != nil {
		kept := filepath.Join(os.TempDir(), "manofwar-screen-"+filepath.Base(name)+".png")
		return errors.Join(fmt.Errorf("%w; the screen is kept as %s", err, kept), writePNG(kept, got))
	}
	return nil
}

// samePixels compares the colours of two pictures.
func samePixels(got, want image.Image) error {
	if got.Bounds() != want.Bounds() {
		return fmt.Errorf("the screen is %v, want %v", got.Bounds(), want.Bounds())
	}
	differ, first := 0, image.Point{}
	for y := want.Bounds().Min.Y; y < want.Bounds().Max.Y; y++ {
		for x := want.Bounds().Min.X; x < want.Bounds().Max.X; x++ {
			if color.RGBAModel.Convert(got.At(x, y)) == color.RGBAModel.Convert(want.At(x, y)) {
				continue
			}
			if differ == 0 {
				first = image.Pt(x, y)
			}
			differ++
		}
	}
	if differ > 0 {
		return fmt.Errorf("%d pixels differ, the first at %v: %v instead of %v", differ, first, got.At(first.X, first.Y), want.At(first.X, first.Y))
	}
	return nil
}

func writePNG(file string, img image.Image) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	small := image.NewPaletted(img.Bounds(), nil) // few colours take few bytes
	seen := make(map[color.RGBA]bool)
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y && len(seen) <= 256; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			if !seen[c] {
				seen[c] = true
				small.Palette = append(small.Palette, c)
			}
		}
	}
	if len(seen) <= 256 {
		draw.Draw(small, small.Rect, img, img.Bounds().Min, draw.Src)
		img = small
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	return errors.Join(encoder.Encode(f, img), f.Close())
}
