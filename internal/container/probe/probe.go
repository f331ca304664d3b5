// Package probe opens a film without knowing what container it is in.
package probe

import (
	"errors"
	"io"

	"manofwar/internal/container"
	"manofwar/internal/container/matroska"
	"manofwar/internal/container/mp4"
)

// Open reads what the file of size bytes says of itself: an MP4 or QuickTime file, or a Matroska or WebM file. It reads
// a few KB wherever they stand, never media but the first frame of codecs that announce themselves only there.
//
// The error wraps [container.ErrFormat] where the file is neither, and [media.ErrCorrupt] where it is damaged beyond
// use; other errors are of reading.
func Open(r io.ReaderAt, size int64) (container.Movie, error) {
	if m, err := matroska.Read(r, size); !errors.Is(err, container.ErrFormat) {
		return movie(m, err)
	}
	m, err := mp4.Read(r, size)
	return movie(m, err)
}

// movie keeps a nil pointer from becoming an interface that is not nil.
func movie[M container.Movie](m M, err error) (container.Movie, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}
