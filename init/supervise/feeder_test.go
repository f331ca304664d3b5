package supervise

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/init/api"
)

// dog is a watchdog that remembers when it was fed last.
type dog struct {
	mu   sync.Mutex // guards all below
	last time.Time
	bad  error
}

func (d *dog) ping() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = time.Now()
	return nil
}

func (d *dog) healthy() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bad
}

func (d *dog) turn(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bad = err
}

// feeder returns a Feeder of the dog's that keeps its record in a file, and runs it until the test ends.
func (d *dog) feeder(t *testing.T, record string) *Feeder {
	f := &Feeder{
		Ping: d.ping, Every: time.Second, Healthy: d.healthy, Record: func() string { return record },
		Log: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go f.Run(ctx)
	return f
}

func (d *dog) fed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Since(d.last) <= time.Second
}

func TestFeederLetsGoWhileUnhealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(dog)
		f := d.feeder(t, filepath.Join(t.TempDir(), "resets.json"))
		time.Sleep(time.Minute)
		if state, _ := f.State(); state != api.WatchdogFed || !d.fed() {
			t.Errorf("state %s, fed %t", state, d.fed())
		}
		d.turn(errors.New("portal: gone"))
		time.Sleep(5 * time.Second)
		if state, reason := f.State(); state != api.WatchdogLetGo || reason != "portal: gone" || d.fed() {
			t.Errorf("state %s (%s), fed %t", state, reason, d.fed())
		}
		d.turn(nil) // it came back before the watchdog bit
		time.Sleep(5 * time.Second)
		if state, reason := f.State(); state != api.WatchdogFed || reason != "" || !d.fed() {
			t.Errorf("state %s (%s), fed %t", state, reason, d.fed())
		}
	})
}

func TestFeederResetsThreeTimesAnHour(t *testing.T) {
	record := filepath.Join(t.TempDir(), "resets.json")
	synctest.Test(t, func(t *testing.T) {
		boot := func(want string) {
			t.Helper()
			d := &dog{bad: errors.New("sick")}
			f := d.feeder(t, record)
			time.Sleep(10 * time.Minute)
			if state, _ := f.State(); state != want || d.fed() != (want == api.WatchdogDegraded) {
				t.Errorf("state %s, fed %t; want %s", state, d.fed(), want)
			}
		}
		for range maxResets {
			boot(api.WatchdogLetGo)
		}
		boot(api.WatchdogDegraded)
		time.Sleep(time.Hour)
		boot(api.WatchdogLetGo)
	})
}

func TestFeederWithoutARecordNeverLetsGo(t *testing.T) {
	for name, record := range map[string]string{"no /data": "", "a full /data": filepath.Join(t.TempDir(), "missing", "resets.json")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &dog{bad: errors.New("sick")}
				f := d.feeder(t, record)
				time.Sleep(time.Minute)
				if state, reason := f.State(); state != api.WatchdogDegraded || reason != "sick" || !d.fed() {
					t.Errorf("state %s (%s), fed %t", state, reason, d.fed())
				}
			})
		})
	}
}

func TestFeederAlwaysLetsGoOfATrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dog{bad: errors.New("sick")}
		f := &Feeder{
			Ping: d.ping, Every: time.Second, Healthy: d.healthy, Record: func() string { return "" }, Escape: func() bool { return true },
			Log: slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go f.Run(ctx)
		time.Sleep(time.Minute)
		if state, _ := f.State(); state != api.WatchdogLetGo || d.fed() {
			t.Errorf("state %s, fed %t", state, d.fed())
		}
	})
}

func TestFeederForgetsADamagedRecord(t *testing.T) {
	record := filepath.Join(t.TempDir(), "resets.json")
	if err := os.WriteFile(record, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		d := &dog{bad: errors.New("sick")}
		f := d.feeder(t, record)
		time.Sleep(time.Minute)
		if state, _ := f.State(); state != api.WatchdogLetGo {
			t.Errorf("state %s", state)
		}
	})
}
