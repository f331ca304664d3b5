package gokrazy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// compress writes the image's .zst, which plain zstd undoes, and notes both checksums.
func (b *build) compress(ctx context.Context, image string, r *Result) error {
	in, err := os.Open(image)
	if err != nil {
		return err
	}
	defer in.Close()
	r.Zstd = b.Out + ".zst"
	partial := image + ".zst"
	out, err := os.Create(partial)
	if err != nil {
		return err
	}
	defer out.Close()
	rawSum, zstdSum := sha256.New(), sha256.New()
	// The window is the largest that every decoder accepts unasked. One encoder, because the order in which several
	// finish must not show.
	z, err := zstd.NewWriter(io.MultiWriter(out, zstdSum),
		zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(8<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.MultiWriter(z, rawSum), &contextReader{ctx, in}); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	info, err := out.Stat()
	if err != nil {
		return err
	}
	r.SHA256, r.ZstdSum, r.ZstdSize = hex.EncodeToString(rawSum.Sum(nil)), hex.EncodeToString(zstdSum.Sum(nil)), info.Size()
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(partial, r.Zstd)
}

// contextReader stops reading when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
