package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	_ "image/gif" // decoders
	"image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"manofwar/internal/atomicfile"
	"manofwar/internal/container"
)

const (
	// maxThumbnails bounds the cache on disk, in bytes.
	maxThumbnails = 64 << 20
	// maxPixels bounds the picture that is scaled here: a progressive JPEG of that size takes 70 MB to decode.
	maxPixels = 10 << 20
	// maxPictureBytes bounds its file.
	maxPictureBytes = 20 << 20
	// thumbnailQuality is the JPEG quality at which artefacts are no longer seen at this size.
	thumbnailQuality = 85
)

// errKeep says that the original picture is to be used: it is small enough already, or of no kind that is scaled here.
var errKeep = errors.New("keep the original")

// covers makes small covers and keeps them on disk. Two are made at a time, for each takes memory and a processor.
type covers struct {
	dir   string
	slots chan struct{}

	mu   sync.Mutex // guards size
	size int64      // of all files in dir; negative: not known yet
}

func newCovers(dir string) *covers { return &covers{dir: dir, slots: make(chan struct{}, 2), size: -1} }

// thumbnail returns picture p as a JPEG that fits a square of size pixels. The error is [errKeep] where the original
// will do, and wraps [media.ErrCorrupt] where the picture is damaged. A cache that cannot be written is no error.
func (c *covers) thumbnail(ctx context.Context, p picture, version string, size int) ([]byte, error) {
	name := filepath.Join(c.dir, fmt.Sprintf("%s-%d.jpg", version, size))
	if data, err := os.ReadFile(name); err == nil {
		now := time.Now()
		_ = os.Chtimes(name, now, now) // the oldest go first
		return data, nil
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	small, err := shrink(p, size)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.dir, 0o700); err == nil && atomicfile.Write(name, small, 0o600) == nil {
		c.account(int64(len(small)))
	}
	return small, nil
}

// account adds to the size of the cache and, where it has grown too large, removes the oldest quarter.
func (c *covers) account(added int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size >= 0 {
		if c.size += added; c.size <= maxThumbnails {
			return
		}
	}
	type file struct {
		name string
		size int64
		used time.Time
	}
	var files []file
	c.size = 0
	_ = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what cannot be seen cannot be removed
		}
		if info, err := d.Info(); err == nil {
			files = append(files, file{path, info.Size(), info.ModTime()})
			c.size += info.Size()
		}
		return nil
	})
	if c.size <= maxThumbnails {
		return
	}
	slices.SortFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
	for _, f := range files {
		if c.size <= maxThumbnails/4*3 {
			return
		}
		if os.Remove(f.name) == nil {
			c.size -= f.size
		}
	}
}

// shrink decodes a picture and makes it small.
func shrink(p picture, size int) ([]byte, error) {
	if p.length > maxPictureBytes {
		return nil, errKeep
	}
	f, err := os.Open(p.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, p.length)
	if _, err := f.ReadAt(data, p.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head, _, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case errors.Is(err, image.ErrFormat) && !claimsKnown(p.kind):
		return nil, errKeep
	case err != nil:
		return nil, container.Corrupt("its picture: %w", err)
	case head.Width <= size && head.Height <= size, head.Width > maxPixels/max(head.Height, 1):
		return nil, errKeep
	}
	src, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, container.Corrupt("its picture: %w", err)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, scale(src, size), &jpeg.Options{Quality: thumbnailQuality}); err != nil {
		return nil, fmt.Errorf("write thumbnail: %w", err)
	}
	return b.Bytes(), nil
}

// claimsKnown reports whether a picture says that it is of a kind that is read here.
func claimsKnown(kind string) bool {
	return kind == "image/jpeg" || kind == "image/png" || kind == "image/gif"
}

// scale returns src made to fit a square of size pixels, each pixel the mean of those that it covers, on white.
func scale(src image.Image, size int) *image.RGBA {
	in := src.Bounds()
	w, h := in.Dx(), in.Dy()
	if w > h {
		w, h = size, max(h*size/w, 1)
	} else {
		w, h = max(w*size/h, 1), size
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	// One band of source rows at a time, so that the whole picture is never in memory twice.
	for y := range h {
		y0, y1 := in.Dy()*y/h, max(in.Dy()*(y+1)/h, in.Dy()*y/h+1)
		band := image.NewRGBA(image.Rect(0, 0, in.Dx(), y1-y0))
		draw.Draw(band, band.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(band, band.Rect, src, image.Pt(in.Min.X, in.Min.Y+y0), draw.Over)
		for x := range w {
			x0, x1 := in.Dx()*x/w, max(in.Dx()*(x+1)/w, in.Dx()*x/w+1)
			meanOf(band, x0, x1, out.Pix[out.PixOffset(x, y):])
		}
	}
	return out
}

// meanOf writes the mean colour of columns x0 to x1 to pix.
func meanOf(band *image.RGBA, x0, x1 int, pix []byte) {
	var sum [3]int
	for y := range band.Rect.Dy() {
		row := band.Pix[y*band.Stride+4*x0 : y*band.Stride+4*x1]
		for i := 0; i < len(row); i += 4 {
			sum[0], sum[1], sum[2] = sum[0]+int(row[i]), sum[1]+int(row[i+1]), sum[2]+int(row[i+2])
		}
	}
	n := band.Rect.Dy() * (x1 - x0)
	for c := range sum {
		pix[c] = byte((sum[c] + n/2) / n)
	}
	pix[3] = 0xFF
}
