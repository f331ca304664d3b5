package tags

import (
	"errors"
	"io"

	"manofwar/internal/container"
	"manofwar/internal/container/matroska"
	"manofwar/internal/container/mp4"
)

// readMP4 reads an MP4 or QuickTime file.
func readMP4(w *window, f *Facts) error {
	m, err := mp4.Read(w, w.size)
	if err != nil {
		return movieError(err, "MP4")
	}
	f.movie(m.Info())
	return nil
}

// readMatroska reads a Matroska or WebM file.
func readMatroska(w *window, f *Facts) error {
	m, err := matroska.Read(w, w.size)
	if err != nil {
		return movieError(err, "Matroska")
	}
	f.movie(m.Info())
	return nil
}

func movieError(err error, name string) error {
	if errors.Is(err, container.ErrFormat) {
		return corrupt("it is not a %s file, though its name says so", name)
	}
	return err
}

// movie takes over what the readers of containers found.
func (f *Facts) movie(i *container.Info) {
	f.Duration, f.Streams, f.Tags, f.Cover = i.Duration, i.Streams(), i.Tags, i.Cover
	tidy(&f.Tags)
}

// ReadAt implements [io.ReaderAt] for readers that have a buffer of their own.
func (w *window) ReadAt(p []byte, off int64) (int, error) {
	if off >= w.off && off < w.off+int64(len(w.buf)) {
		have := w.buf[off-w.off:]
		if len(p) <= len(have) || w.off+int64(len(w.buf)) == w.size {
			n := copy(p, have)
			if n < len(p) {
				return n, io.EOF
			}
			return n, nil
		}
	}
	return w.r.ReadAt(p, off)
}
