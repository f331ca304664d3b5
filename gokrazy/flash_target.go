package gokrazy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

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
