package matroska

import (
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"math"
	"math/bits"

	"manofwar/internal/container"
	"manofwar/internal/media"
)

// Element IDs (RFC 8794 for EBML, RFC 9559 for Matroska).
const (
	idEBML, idDocType                                                              = 0x1A45DFA3, 0x4282
	idSegment, idSeekHead, idInfo, idTracks, idCluster, idCues                     = 0x18538067, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B
	idTags, idChapters, idAttachments, idVoid                                      = 0x1254C367, 0x1043A770, 0x1941A469, 0xEC
	idSeek, idSeekID, idSeekPosition                                               = 0x4DBB, 0x53AB, 0x53AC
	idTimestampScale, idDuration, idTitle                                          = 0x2AD7B1, 0x4489, 0x7BA9
	idTrackEntry, idTrackNumber, idTrackType, idCodecID, idCodecPrivate            = 0xAE, 0xD7, 0x83, 0x86, 0x63A2
	idLanguage, idLanguageBCP47, idName, idFlagDefault, idDefaultDuration          = 0x22B59C, 0x22B59D, 0x536E, 0x88, 0x23E383
	idCodecDelay, idVideo, idAudio, idFlagEnabled                                  = 0x56AA, 0xE0, 0xE1, 0xB9
	idPixelWidth, idPixelHeight, idDisplayWidth, idDisplayHeight, idDisplayUnit    = 0xB0, 0xBA, 0x54B0, 0x54BA, 0x54B2
	idColour, idMatrix, idTransfer, idPrimaries, idColourRange                     = 0x55B0, 0x55B1, 0x55BA, 0x55BB, 0x55B9
	idSamplingFrequency, idChannels, idBitDepth                                    = 0xB5, 0x9F, 0x6264
	idContentEncodings, idContentEncoding, idEncodingScope, idCompression          = 0x6D80, 0x6240, 0x5032, 0x5034
	idCompressionAlgorithm, idCompressionSettings, idEncryption                    = 0x4254, 0x4255, 0x5035
	idTimestamp, idSimpleBlock, idBlockGroup, idBlock, idBlockDuration, idRefBlock = 0xE7, 0xA3, 0xA0, 0xA1, 0x9B, 0xFB
	idCuePoint, idCueTime, idCueTrackPositions, idCueTrack, idCueClusterPosition   = 0xBB, 0xB3, 0xB7, 0xF7, 0xF1
	idCueRelativePosition                                                          = 0xF0
	idTag, idTargets, idTagTrackUID, idSimpleTag, idTagName, idTagString           = 0x7373, 0x63C0, 0x63C5, 0x67C8, 0x45A3, 0x4487
	idEdition, idChapterAtom, idChapterStart, idChapterDisplay, idChapterString    = 0x45B9, 0xB6, 0x91, 0x80, 0x85
	idAttachedFile, idFileName, idFileMediaType, idFileData                        = 0x61A7, 0x466E, 0x4660, 0x465C
)

// element is one element in the file: its ID and where its payload is.
type element struct {
	id         uint32
	start, end int64 // of the payload
	unknown    bool  // the size is not given: end is where that which holds it ends
	cut        bool  // it goes on beyond what holds it
}

func (e element) size() int64 { return e.end - e.start }

// readElement reads the header of the element at from, in something that ends at to.
func readElement(r io.ReaderAt, from, to int64) (element, error) {
	var head [12]byte
	n, err := r.ReadAt(head[:min(12, max(to-from, 0))], from)
	if n < 2 {
		if err == nil || errors.Is(err, io.EOF) {
			err = container.Corrupt("it ends at byte %d, in the middle of something", from+int64(n))
		}
		return element{}, err
	}
	id, idLen := vint(head[:n], true)
	if idLen == 0 || idLen > 4 {
		return element{}, container.Corrupt("there is no element at byte %d", from)
	}
	size, sizeLen := vint(head[idLen:n], false)
	if sizeLen == 0 {
		return element{}, container.Corrupt("element %X at byte %d has no size", id, from)
	}
	e := element{id: uint32(id), start: from + int64(idLen+sizeLen)}
	switch rest := to - e.start; {
	case size == 1<<(7*sizeLen)-1:
		e.unknown, e.end = true, to
	case rest < 0 || size > uint64(rest):
		e.cut, e.end = true, to
	default:
		e.end = e.start + int64(size)
	}
	return e, nil
}

// vint reads a variable-length number, with its length marker where keep is set, and returns how long it is; 0 where
// it is not whole.
func vint(data []byte, keep bool) (v uint64, n int) {
	if len(data) == 0 || data[0] == 0 {
		return 0, 0
	}
	n = bits.LeadingZeros8(data[0]) + 1
	if n > len(data) {
		return 0, 0
	}
	v = uint64(data[0])
	if !keep {
		v &= 1<<(8-n) - 1
	}
	for _, b := range data[1:n] {
		v = v<<8 | uint64(b)
	}
	return v, n
}

// payload reads an element's payload, which must not be longer than limit bytes.
func payload(r io.ReaderAt, e element, limit int64) ([]byte, error) {
	if e.size() > limit || e.unknown {
		return nil, container.Corrupt("element %X at byte %d is too large: %d bytes", e.id, e.start, e.size())
	}
	p := make([]byte, e.size())
	if n, err := r.ReadAt(p, e.start); n < len(p) {
		if errors.Is(err, io.EOF) {
			err = container.Corrupt("it ends at byte %d, in the middle of something", e.start+int64(n))
		}
		return nil, err
	}
	if e.cut {
		return nil, container.Corrupt("element %X at byte %d is cut off", e.id, e.start)
	}
	return p, nil
}

// children yields the elements in a payload that is in memory, up to the first malformed one.
func children(data []byte) iter.Seq2[uint32, []byte] {
	return func(yield func(uint32, []byte) bool) {
		for len(data) > 0 {
			id, n := vint(data, true)
			if n == 0 || n > 4 {
				return
			}
			size, m := vint(data[n:], false)
			if m == 0 {
				return
			}
			data = data[n+m:]
			if size > uint64(len(data)) || !yield(uint32(id), data[:size]) {
				return
			}
			data = data[size:]
		}
	}
}

// number reads an unsigned integer of up to eight bytes.
func number(data []byte) (v uint64) {
	for _, b := range data[:min(len(data), 8)] {
		v = v<<8 | uint64(b)
	}
	return v
}

// float reads a floating-point number of four or eight bytes.
func float(data []byte) float64 {
	switch len(data) {
	case 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(data)))
	case 8:
		return math.Float64frombits(binary.BigEndian.Uint64(data))
	}
	return 0
}

func isFormat(err error) bool { return errors.Is(err, media.ErrCorrupt) }
