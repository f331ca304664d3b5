package gokrazy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"manofwar/internal/setup"
	"manofwar/internal/slot"
)

// FlashOptions says what to write where.
type FlashOptions struct {
	Image    string       // the image, an .img or .img.zst
	Target   string       // a disk such as /dev/sdb, or a plain file
	KeepData bool         // rewrite the slots and the boot partition's own files, and leave everything else
	Setup    *setup.Setup // for the boot partition; nil: none
	Yes      bool         // do not ask

	In       io.Reader                    // the answer to the question
	Out      io.Writer                    // what will be erased, and the question
	Progress func(FlashProgress)          // about four times a second, and at each phase's end; nil: nobody listens
	now      func() time.Time             // nil: time.Now
	inspect  func(string) (Target, error) // nil: this system's own
}

// FlashProgress is how far a phase has come.
type FlashProgress struct {
	Phase string  // "write" or "verify"
	Done  int64   // in bytes
	Total int64   // in bytes
	Rate  float64 // in bytes per second, over the phase so far
	Left  time.Duration
}

// ErrDeclined is [Flash]'s error when the person did not agree.
var ErrDeclined = errors.New("nothing was written")

// Flash writes an image to a disk: only what means something, read back and compared at the end. A person can act on
// its errors: a [*TargetError] for the disk, [ErrDeclined], the image's.
//
// Without KeepData the old partition table goes first and the new one comes last, so that a card that was pulled out in
// between is empty rather than half new.
func Flash(ctx context.Context, o FlashOptions) error {
	o.defaults()
	image, err := openImage(ctx, o.Image)
	if err != nil {
		return err
	}
	defer image.Close()
	target, err := o.inspect(o.Target)
	if err != nil {
		return err
	}
	if target.Size < imageSize {
		return &TargetError{
			Path: o.Target, Err: fmt.Errorf("too small: it has %s, manofwar needs at least %s", size(target.Size), size(imageSize)),
			Hint: "Use a card of 2 GB or more.",
		}
	}
	// All that can go wrong goes wrong before the question.
	disk, err := openTarget(target)
	if err != nil {
		return err
	}
	defer disk.Close()
	plan, err := o.plan(image, disk, target)
	if err != nil {
		return err
	}
	if err := o.confirm(target); err != nil {
		return err
	}
	if err := o.write(ctx, disk, plan); err != nil {
		return &TargetError{Path: o.Target, Err: err}
	}
	if err := o.verify(ctx, disk, plan); err != nil {
		return &TargetError{Path: o.Target, Err: err, Hint: "The card or its reader is faulty. Try another one."}
	}
	return disk.done()
}

func (o *FlashOptions) defaults() {
	if o.Progress == nil {
		o.Progress = func(FlashProgress) {}
	}
	if o.now == nil {
		o.now = time.Now
	}
	if o.inspect == nil {
		o.inspect = inspectTarget
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.In == nil {
		o.In = strings.NewReader("")
	}
}

// plan chooses between a whole card and its slots only.
func (o *FlashOptions) plan(image *cardImage, disk *targetFile, target Target) (*plan, error) {
	if o.KeepData {
		return keepPlan(image, disk, o.Setup)
	}
	return wholePlan(image, target.Size, o.Setup)
}

// write puts the plan's pieces on the disk and waits until they are there.
func (o *FlashOptions) write(ctx context.Context, disk *targetFile, p *plan) error {
	m := o.meter("write", p.bytes())
	buf := make([]byte, flashBlock)
	for _, piece := range p.pieces {
		err := piece.each(ctx, buf, func(b []byte, off int64) error {
			if _, err := disk.WriteAt(b, off); err != nil {
				return err
			}
			m.add(len(b))
			// A gigabyte in the page cache would make the progress a lie and the end a long wait.
			return disk.flushSome()
		})
		if err != nil {
			return err
		}
	}
	if err := disk.Sync(); err != nil {
		return err
	}
	m.end()
	return nil
}

// verify reads everything back, from the disk and not from memory.
func (o *FlashOptions) verify(ctx context.Context, disk *targetFile, p *plan) error {
	if err := disk.dropCache(); err != nil {
		return err
	}
	m := o.meter("verify", p.bytes())
	buf, back := make([]byte, flashBlock), make([]byte, flashBlock)
	for _, piece := range p.final() {
		err := piece.each(ctx, buf, func(b []byte, off int64) error {
			if _, err := disk.ReadAt(back[:len(b)], off); err != nil {
				return err
			}
			if string(back[:len(b)]) != string(b) {
				return fmt.Errorf("reads back differently from what was written, at %d MiB", off/slot.MiB)
			}
			m.add(len(b))
			return nil
		})
		if err != nil {
			return err
		}
	}
	m.end()
	return nil
}
