//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/board"
	"manofwar/board/qemu"
	"manofwar/init/api"
	"manofwar/init/disks"
	"manofwar/internal/media"
	"manofwar/internal/slot"
	"manofwar/internal/uevent"
)

// newMachine returns a machine that has booted from slot A of the qemu board, and never touches this one.
func newMachine(t *testing.T) machine {
	t.Helper()
	s := newSystem(console{new(bytes.Buffer)})
	s.board, s.boot = qemu.Board(), handoff{Slot: slot.A.Number, Version: "dev-1", Developer: true, Verify: time.Second}
	return machine{s, disks.NewManager(disks.Config{Log: slog.New(slog.DiscardHandler)})}
}

func TestStatusOfTheMachine(t *testing.T) {
	m := newMachine(t)
	m.rescue = api.Data{Rescue: "the card takes no changes"}
	m.fault(errors.New("no loopback"))
	m.fault(nil)
	m.fault(errors.New("setup.json: bad"))
	m.fault(errors.New("no loopback")) // again
	s := m.Status()
	if s.Boot.Board != "qemu" || s.Boot.Slot != 2 || !s.Boot.Developer || s.Boot.Verify != time.Second || s.Boot.Uptime <= 0 {
		t.Errorf("%+v", s.Boot)
	}
	if s.Data.Rescue == "" || s.Watchdog != api.WatchdogNone || s.Degraded != "no loopback; setup.json: bad" {
		t.Errorf("%+v", s)
	}
}

func TestNoServicesIsNoHealth(t *testing.T) {
	m := newMachine(t)
	if err := m.healthy(); err != nil {
		t.Errorf("while it is starting: %v", err)
	}
	m.cripple(nil)
	if err := m.healthy(); err != nil {
		t.Errorf("nothing has gone wrong: %v", err)
	}
	m.cripple(errors.New("services.json: a listed twice"))
	if err := m.healthy(); err == nil {
		t.Error("well, without a supervisor")
	}
}

func TestOnlyTheFirstEndCounts(t *testing.T) {
	m := newMachine(t)
	if err := m.PowerOff(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []func() error{m.Restart, m.PowerOff, m.FactoryReset} {
		if err := f(); !errors.Is(err, media.ErrBusy) {
			t.Errorf("got %v", err)
		}
	}
	if end := <-m.end; !end.off || end.forget {
		t.Errorf("%+v", end)
	}
}

func TestEraseWantsTheCodeFromTheScreen(t *testing.T) {
	m := newMachine(t)
	if err := m.EraseData(""); !errors.Is(err, media.ErrInvalid) {
		t.Errorf("a machine that is well: %v", err)
	}
	m.rescue.Rescue, m.eraseCode, m.guesses = "broken", "123456", 3
	if err := m.EraseData("000000"); !errors.Is(err, media.ErrDenied) {
		t.Errorf("a wrong code: %v", err)
	}
	if err := m.EraseData("123456"); err != nil {
		t.Errorf("the right code: %v", err)
	}
	if end := <-m.end; !end.forget || end.off {
		t.Errorf("%+v", end)
	}
	for range 2 {
		_ = m.EraseData("000000")
	}
	if err := m.EraseData("123456"); !errors.Is(err, media.ErrDenied) {
		t.Errorf("the right code after three wrong ones: %v", err)
	}
	m.eraseCode, m.guesses = "", 0 // it could not be made
	if err := m.EraseData(""); !errors.Is(err, media.ErrDenied) {
		t.Errorf("no code at all: %v", err)
	}
}

func TestEraseCodesDiffer(t *testing.T) {
	seen := make(map[string]bool)
	for range 20 {
		code, err := newEraseCode()
		if err != nil || len(code) != 6 {
			t.Fatalf("%q, %v", code, err)
		}
		seen[code] = true
	}
	if len(seen) < 15 {
		t.Errorf("only %d codes of 20 differ", len(seen))
	}
}

func TestRescueVerbsWantAMachineInRescue(t *testing.T) {
	m := newMachine(t)
	if err := m.RetryData(t.Context()); !errors.Is(err, media.ErrInvalid) {
		t.Errorf("retry: %v", err)
	}
	if err := m.ExportData(t.Context(), new(bytes.Buffer)); !errors.Is(err, media.ErrInvalid) {
		t.Errorf("export: %v", err)
	}
	m.rescue.Rescue = "broken"
	m.rescuer.Lock() // something is at work
	if err := m.RetryData(t.Context()); !errors.Is(err, media.ErrBusy) {
		t.Errorf("two repairs at once: %v", err)
	}
	if err := m.ExportData(t.Context(), new(bytes.Buffer)); !errors.Is(err, media.ErrBusy) {
		t.Errorf("an export during a repair: %v", err)
	}
}

func TestTrialNeedsASlotThatIsNotOnTrial(t *testing.T) {
	m := newMachine(t)
	m.boot.Trial = true
	if err := m.Trial(t.Context()); !errors.Is(err, media.ErrBusy) {
		t.Errorf("on trial: %v", err)
	}
	if _, err := m.OpenSlot(); !errors.Is(err, media.ErrBusy) {
		t.Errorf("open on trial: %v", err)
	}
	if !m.Status().Boot.Trial {
		t.Error("status does not tell of the trial")
	}
	m.committed.Store(true)
	if m.Status().Boot.Trial {
		t.Error("still on trial after a commit")
	}
	m.boot = handoff{}
	if _, err := m.OpenSlot(); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("open without a slot: %v", err)
	}
	for _, f := range []func(context.Context) error{m.Trial, m.Commit} {
		if err := f(t.Context()); !errors.Is(err, media.ErrUnsupported) {
			t.Errorf("without a slot: %v", err)
		}
	}
}

func TestMilestones(t *testing.T) {
	var out bytes.Buffer
	s := newSystem(console{&out})
	s.unready = map[string]bool{"a": true, "b": true}
	s.changed(api.Service{Name: "a", State: api.Running})
	s.changed(api.Service{Name: "a", State: api.Running, Ready: true})
	s.changed(api.Service{Name: "a", State: api.Running, Ready: true, Health: "meh"})
	s.changed(api.Service{Name: "b", State: api.Running, Ready: true})
	var keys []string
	for line := range strings.Lines(out.String()) {
		key, _, _ := strings.Cut(line, "=")
		keys = append(keys, strings.TrimPrefix(key, "manofwar: "))
	}
	if fmt.Sprint(keys) != "[ready.a_s ready.b_s ready.all_s]" {
		t.Errorf("got %v", keys)
	}
}

func TestConsoleMarksEveryLine(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(handler{c: console{&out}}).With("board", "qemu")
	log.Info("two things", "err", errors.Join(errors.New("one"), errors.New("two")))
	log.Debug("not for the screen")
	if got, want := out.String(), "manofwar: two things board=qemu err=one\nmanofwar: two\n"; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
}

func TestConsoleNeverWaits(t *testing.T) {
	r, w, err := os.Pipe() // nobody reads: it fills up, like a line under scroll lock
	if err != nil {
		t.Fatal(err)
	}
	p := newPatient(w)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.run(ctx)
	}()
	line := bytes.Repeat([]byte{'x'}, 4096)
	for range 1000 {
		if _, err := p.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := r.Close(); err != nil { // and now the writer gets an error
		t.Fatal(err)
	}
	<-done
}

func TestWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		wg.Go(func() { time.Sleep(time.Minute) })
		if waitFor(&wg, time.Second) {
			t.Error("waited for something that takes a minute, in a second")
		}
		if !waitFor(&wg, 2*time.Minute) {
			t.Error("gave up too soon")
		}
	})
}

func TestStage1IsNotFedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fed := 0
		begin := time.Now()
		feed(func() error { fed++; return errors.New("nobody hears of it") }, 4*time.Second, stage1Limit)
		if took := time.Since(begin); took < stage1Limit || took > stage1Limit+4*time.Second || fed < 70 {
			t.Errorf("fed %d times in %v", fed, took)
		}
	})
}

func TestHandoffSurvivesExec(t *testing.T) {
	s := newSystem(console{new(bytes.Buffer)})
	t.Setenv(handoffKey, `{"board":"qemu","disk":"vda","slot":3,"trial":true,"version":"1","verify":1000}`)
	if err := s.inherit(); err == nil || !strings.Contains(err.Error(), board.NamePath) { // this computer is no board
		t.Errorf("got %v", err)
	}
	if s.boot.Slot != 3 || !s.boot.Trial || s.data.Device() != "/dev/vda4" || s.watchdog != nil {
		t.Errorf("%+v, data on %s", s.boot, s.data.Device())
	}
	if os.Getenv(handoffKey) != "" {
		t.Error("services would inherit the handoff")
	}
	t.Setenv(handoffKey, "")
	if err := s.inherit(); err == nil {
		t.Error("PID 1 without stage 1's word")
	}
}

func TestDiskEvent(t *testing.T) {
	for _, tt := range []struct {
		in   uevent.Event
		want disks.Event
	}{
		{uevent.Event{Action: "add", Path: "/devices/x/block/sda/sda1"}, disks.Event{Name: "sda1"}},
		{uevent.Event{Action: "remove", Path: "/devices/x/block/sda"}, disks.Event{Name: "sda", Remove: true}},
		{uevent.Event{Subsystem: "block"}, disks.Event{}},
	} {
		if got := diskEvent(tt.in); got != tt.want {
			t.Errorf("%+v: got %+v", tt.in, got)
		}
	}
}

func TestModprobeOfNothing(t *testing.T) {
	if err := modprobe([]string{"-q", "--", ""}); err != nil {
		t.Errorf("got %v", err)
	}
	if err := modprobe([]string{"-q", "--", "manofwar-no-such-module"}); !errors.Is(err, errNoModule) {
		t.Errorf("got %v", err)
	}
}
