package gokrazy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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

// Target is a disk or a file, as a person knows it.
type Target struct {
	Path       string
	Model      string // empty: unknown, or a file
	Size       int64  // in bytes
	Removable  bool   // a card reader or a USB stick
	File       bool   // a plain file, not a disk
	Partitions []TargetPartition
}

// TargetPartition is a partition that a flash erases.
type TargetPartition struct {
	Name  string // as in sdb1
	Size  int64  // in bytes
	Type  string // of the file system; empty: unknown
	Label string
}

// TargetError says why a target cannot be written, and what to do.
type TargetError struct {
	Path string
	Err  error
	Hint string // what to do; may be empty
}

func (e *TargetError) Error() string {
	s := e.Path + ": " + e.Err.Error()
	if e.Hint != "" {
		s += "\n" + e.Hint
	}
	return s
}

func (e *TargetError) Unwrap() error { return e.Err }

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

// confirm shows what is about to be lost, and wants to hear that this is meant. A disk that is built in must be named.
func (o *FlashOptions) confirm(t Target) error {
	fmt.Fprint(o.Out, describe(t, o.KeepData))
	if o.Yes {
		return nil
	}
	want := "yes"
	if !t.File && !t.Removable {
		want = t.Path
		fmt.Fprintln(o.Out, "This disk does not look like a card or a stick.")
	}
	fmt.Fprintf(o.Out, "Type %s to go on: ", want)
	answer, err := bufio.NewReader(o.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	fmt.Fprintln(o.Out)
	if answer = strings.TrimSpace(answer); answer == "" || answer != want && answer != t.Path {
		return ErrDeclined
	}
	return nil
}

// describe is what confirm shows.
func describe(t Target, keep bool) string {
	var b strings.Builder
	what := "all that is on it will be erased"
	if keep {
		what = "the system will be replaced, your data stays"
	}
	model := t.Model
	if t.File {
		model = "a file"
	}
	fmt.Fprintf(&b, "%s (%s): %s.\n", t.Path, strings.TrimPrefix(model+", "+size(t.Size), ", "), what)
	if keep {
		return b.String()
	}
	for _, p := range t.Partitions {
		fmt.Fprintf(&b, "  %-12s %9s  %-8s %s\n", p.Name, size(p.Size), p.Type, p.Label)
	}
	if len(t.Partitions) == 0 && !t.File {
		b.WriteString("  It has no partitions.\n")
	}
	return b.String()
}

// size writes a number of bytes as cards are sold: in powers of a thousand.
func size(n int64) string {
	switch {
	case n >= 1e12:
		return fmt.Sprintf("%.1f TB", float64(n)/1e12)
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
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

// meter reports progress at most every quarter of a second.
type meter struct {
	o           *FlashOptions
	p           FlashProgress
	start, last time.Time
}

func (o *FlashOptions) meter(phase string, total int64) *meter {
	now := o.now()
	return &meter{o: o, p: FlashProgress{Phase: phase, Total: total}, start: now, last: now}
}

func (m *meter) add(n int) {
	m.p.Done += int64(n)
	if now := m.o.now(); now.Sub(m.last) >= 250*time.Millisecond {
		m.last = now
		m.report()
	}
}

func (m *meter) end() {
	m.p.Done = m.p.Total
	m.report()
}

func (m *meter) report() {
	p := m.p
	if elapsed := m.o.now().Sub(m.start).Seconds(); elapsed > 0 && p.Done > 0 {
		p.Rate = float64(p.Done) / elapsed
		p.Left = time.Duration(float64(p.Total-p.Done) / p.Rate * float64(time.Second))
	}
	m.o.Progress(p)
}

// openTarget opens the target for [Flash].
func openTarget(t Target) (*targetFile, error) {
	flags := os.O_RDWR
	if !t.File {
		flags |= exclusive
	}
	f, err := os.OpenFile(t.Path, flags, 0)
	if err != nil {
		return nil, &TargetError{Path: t.Path, Err: errors.Unwrap(err), Hint: openHint(err)}
	}
	return &targetFile{File: f, disk: !t.File}, nil
}

func openHint(err error) string {
	if errors.Is(err, os.ErrPermission) {
		return "Writing to a disk takes root: use sudo."
	}
	return "Something uses the disk. Close it, and unmount what is on it."
}

// targetFile is an open target.
type targetFile struct {
	*os.File
	disk      bool
	unflushed int
}
