package fmp4

import (
	"encoding/binary"
	"slices"

	"manofwar/internal/container"
)

// Run is the samples of one track in a media segment, in decode order.
type Run struct {
	Track   uint32 // its ID in the init segment
	Reorder int64  // the track's
	Samples []Sample
}

// Sample is a sample and where its bytes are, counted from the first byte of the segment's media data. Samples need
// not be in the order of their bytes, and bytes between them that belong to none do no harm.
type Sample struct {
	container.Sample
	At int64
}

// sample flags (ISO/IEC 14496-12, 8.8.3.1)
const (
	flagsSync    = 0x2000000 // depends on no other sample
	flagsNonSync = 0x1010000
)

// Fields of tfhd and trun that are present.
const (
	hasBaseIsMoof, hasDefaultDuration, hasDefaultFlags                 = 0x20000, 0x8, 0x20
	hasOffset, hasFirstFlags, hasDuration, hasSize, hasFlags, hasShift = 0x1, 0x4, 0x100, 0x200, 0x400, 0x800
)

// Fragment returns the head of a media segment: a movie fragment, and the header of the media data box whose size bytes
// have to follow. Every run of bytes of a track becomes a trun of its own, so that the media data can be any stretch of
// another file.
func Fragment(sequence uint32, runs []Run, size int64) []byte {
	var b buffer
	var patch []offset
	b.box("moof", func() {
		b.full("mfhd", 0, 0, func() { b.u32(sequence) })
		for _, r := range runs {
			if len(r.Samples) > 0 {
				patch = b.traf(r, patch)
			}
		}
	})
	header := 8
	if size > 1<<32-9 {
		header = 16
	}
	for _, p := range patch {
		binary.BigEndian.PutUint32(b.data[p.field:], uint32(int64(len(b.data)+header)+p.at))
	}
	if header == 16 {
		b.u32(1).str("mdat").u64(uint64(size + 16))
	} else {
		b.u32(uint32(size + 8)).str("mdat")
	}
	return b.data
}

// offset is a data offset that is filled in once the size of the moof is known.
type offset struct {
	field int   // where in the moof it is
	at    int64 // in the media data
}

// traf appends one track's part of the fragment.
func (b *buffer) traf(r Run, patch []offset) []offset {
	first := r.Samples[0]
	defaults := uint32(flagsNonSync)
	if !slices.ContainsFunc(r.Samples, func(s Sample) bool { return !s.Sync }) {
		defaults = flagsSync
	}
	b.box("traf", func() {
		b.full("tfhd", 0, hasBaseIsMoof|hasDefaultDuration|hasDefaultFlags, func() {
			b.u32(r.Track).u32(first.Duration).u32(defaults)
		})
		b.full("tfdt", 1, 0, func() { b.u64(uint64(first.DTS)) })
		for rest := r.Samples; len(rest) > 0; {
			n := 1
			for n < len(rest) && rest[n].At == rest[n-1].At+int64(rest[n-1].Size) {
				n++
			}
			patch = append(patch, offset{b.trun(rest[:n], r.Reorder, first.Duration, defaults), rest[0].At})
			rest = rest[n:]
		}
	})
	return patch
}

// trun appends samples whose bytes follow each other, with only the fields that differ from the defaults. It returns
// where the data offset is.
func (b *buffer) trun(samples []Sample, reorder int64, duration, flags uint32) (field int) {
	has := uint32(hasOffset | hasSize)
	for i, s := range samples {
		if s.Duration != duration {
			has |= hasDuration
		}
		if s.PTS+reorder != s.DTS {
			has |= hasShift
		}
		if sampleFlags(s) != flags {
			if i == 0 {
				has |= hasFirstFlags
			} else {
				has |= hasFlags
			}
		}
	}
	if has&hasFlags != 0 {
		has &^= hasFirstFlags
	}
	b.full("trun", 1, has, func() {
		b.u32(uint32(len(samples)))
		field = len(b.data)
		b.u32(0)
		if has&hasFirstFlags != 0 {
			b.u32(sampleFlags(samples[0]))
		}
		for _, s := range samples {
			if has&hasDuration != 0 {
				b.u32(s.Duration)
			}
			b.u32(s.Size)
			if has&hasFlags != 0 {
				b.u32(sampleFlags(s))
			}
			if has&hasShift != 0 {
				b.u32(uint32(int32(s.PTS + reorder - s.DTS)))
			}
		}
	})
	return field
}

func sampleFlags(s Sample) uint32 {
	if s.Sync {
		return flagsSync
	}
	return flagsNonSync
}
