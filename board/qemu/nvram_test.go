package qemu_test

import (
	"errors"
	"testing"

	"manofwar/board"
	"manofwar/board/qemu"
)

func TestRecord(t *testing.T) {
	for _, want := range []qemu.Record{{}, {Partition: 2}, {Partition: 3}, {Trial: true}} {
		got, err := qemu.ParseRecord(want.Sector())
		if err != nil || got != want || len(want.Sector()) != qemu.SectorSize {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
		if r := qemu.Board().Restart(board.Next(want)); string(r.Sector) != string(want.Sector()) || r.Argument != "" {
			t.Errorf("restart into %+v: %+v", want, r)
		}
	}
	for _, empty := range [][]byte{nil, make([]byte, qemu.SectorSize)} {
		if got, err := qemu.ParseRecord(empty); err != nil || got != (qemu.Record{}) {
			t.Errorf("an empty sector: %+v, %v", got, err)
		}
	}
	damaged := qemu.Record{Partition: 2}.Sector()
	damaged[8] = 3
	if _, err := qemu.ParseRecord(damaged); !errors.Is(err, qemu.ErrRecord) {
		t.Errorf("a damaged record: %v", err)
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add(qemu.Record{Partition: 3}.Sector())
	f.Fuzz(func(t *testing.T, sector []byte) {
		r, err := qemu.ParseRecord(sector)
		if err != nil {
			return
		}
		if back, err := qemu.ParseRecord(r.Sector()); err != nil || back != r {
			t.Errorf("%+v reads back as %+v, %v", r, back, err)
		}
	})
}
