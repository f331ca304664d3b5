package portal

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	initapi "manofwar/init/api"
	"manofwar/internal/ipc"
	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
	catalogapi "manofwar/services/catalog/api"
	streamapi "manofwar/services/stream/api"
)

var errAway = errors.New("nobody there")

// nobody is sources that never answer.
func nobody() sources {
	return sources{
		library: func(context.Context) (s catalogapi.Status, err error) { return s, errAway },
		stream:  func(context.Context) (s streamapi.Status, err error) { return s, errAway },
		network: func(context.Context) (s netapi.Status, err error) { return s, errAway },
		device:  func(context.Context) (s initapi.Status, err error) { return s, errAway },
		disks:   func(context.Context) (s []initapi.Disk, err error) { return s, errAway },
	}
}

// everybody is sources that answer what a healthy device does.
func everybody() sources {
	return sources{
		library: func(context.Context) (catalogapi.Status, error) { return testLibrary, nil },
		stream:  func(context.Context) (streamapi.Status, error) { return streamapi.Status{Transcode: "7.1"}, nil },
		network: func(context.Context) (netapi.Status, error) { return testNetwork, nil },
		device:  func(context.Context) (initapi.Status, error) { return testDevice, nil },
		disks:   func(context.Context) ([]initapi.Disk, error) { return nil, nil },
	}
}

func newWatch(s sources) *watch {
	w := &watch{
		sources: s, log: slog.New(slog.DiscardHandler),
		kick: make(chan struct{}, 1), arrived: make(chan struct{}, 1),
	}
	p := &Service{watch: w}
	w.shape = p.device
	return w
}

// newsReader reads what the watch tells a browser.
type newsReader struct {
	t    *testing.T
	news <-chan ipc.Event
}

// within returns the next event, which has to come in time.
func (r newsReader) within(d time.Duration) ipc.Event {
	r.t.Helper()
	select {
	case ev := <-r.news:
		return ev
	case <-time.After(d):
		r.t.Fatalf("no news for %v", d)
		return ipc.Event{}
	}
}

// none checks that nothing is told for a while.
func (r newsReader) none(d time.Duration) {
	r.t.Helper()
	select {
	case ev := <-r.news:
		r.t.Errorf("unexpected news: %s %s", ev.Kind, ev.Data)
	case <-time.After(d):
	}
}

// watching runs a watch in a synctest bubble, with one reader who has seen the first state.
func watching(t *testing.T, s sources, f func(w *watch, r newsReader)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch(s)
		w.enter()
		news, stop := w.news.Subscribe()
		defer stop()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.run(ctx) }()
		f(w, newsReader{t, news})
		cancel()
		<-done
	})
}

func TestNewsIsWhatChanged(t *testing.T) {
	s := everybody()
	var music, memory atomic.Int64
	s.library = func(context.Context) (catalogapi.Status, error) {
		l := testLibrary
		l.Music = int(music.Load())
		return l, nil
	}
	s.device = func(context.Context) (initapi.Status, error) {
		d := testDevice
		d.Boot.Uptime = time.Duration(time.Now().UnixNano())
		d.Services = []initapi.Service{{Name: "catalog", Memory: memory.Add(1)}}
		return d, nil
	}
	watching(t, s, func(w *watch, r newsReader) {
		for _, want := range []string{"library", "network", "device", "notices"} {
			if ev := r.within(time.Second); ev.Kind != want {
				t.Errorf("first state: got %q; want %q", ev.Kind, want)
			}
		}
		r.none(time.Hour)
		tell(w.kick) // nothing but memory and uptime has changed
		r.none(time.Hour)
		music.Store(5)
		tell(w.kick)
		ev := r.within(2 * pace)
		var l catalogapi.Status
		if err := json.Unmarshal(ev.Data, &l); ev.Kind != "library" || err != nil || l.Music != 5 {
			t.Errorf("got %s %s", ev.Kind, ev.Data)
		}
		r.none(time.Hour)
	})
}

// TestScanDoesNotKeepEveryoneBusy checks that a flood of events leads to a look every now and then.
func TestScanDoesNotKeepEveryoneBusy(t *testing.T) {
	s := everybody()
	var asked atomic.Int64
	s.library = func(context.Context) (catalogapi.Status, error) {
		l := testLibrary
		l.Scan.Done = int(asked.Add(1))
		return l, nil
	}
	s.events = map[string]follow{"catalog": func(ctx context.Context) (iter.Seq2[ipc.Event, error], error) {
		return func(yield func(ipc.Event, error) bool) {
			for range 1000 {
				time.Sleep(10 * time.Millisecond)
				if !yield(ipc.Event{Kind: "status", Data: []byte("{}")}, nil) {
					return
				}
			}
			<-ctx.Done()
		}, nil
	}}
	watching(t, s, func(w *watch, r newsReader) {
		end := time.After(10 * time.Second)
		for {
			select {
			case <-r.news:
				continue
			case <-end:
			}
			break
		}
		if n := asked.Load(); n < 15 || n > 25 {
			t.Errorf("asked the catalog %d times in 10 s", n)
		}
	})
}

func TestServiceThatGoesAndComesBack(t *testing.T) {
	s := everybody()
	var away atomic.Bool
	s.library = func(context.Context) (catalogapi.Status, error) {
		if away.Load() {
			return catalogapi.Status{}, errAway
		}
		return testLibrary, nil
	}
	watching(t, s, func(w *watch, r newsReader) {
		for range 4 {
			r.within(time.Second)
		}
		away.Store(true)
		tell(w.kick)
		ev := r.within(2 * pace)
		var n []Notice
		if err := json.Unmarshal(ev.Data, &n); ev.Kind != "notices" || err != nil || len(n) != 1 || n[0].Code != "service-away" {
			t.Fatalf("got %s %s", ev.Kind, ev.Data)
		}
		r.none(time.Minute) // and it keeps its date
		away.Store(false)
		if ev := r.within(againAfter + 2*pace); ev.Kind != "notices" || string(ev.Data) != "[]" {
			t.Errorf("got %s %s", ev.Kind, ev.Data)
		}
	})
}

// TestNameIsLearnedSoon checks that a device that has just started is not called by a name that it refuses for long:
// nobody reads yet, and the network is the last to answer.
func TestNameIsLearnedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := everybody()
		began := time.Now()
		s.network = func(context.Context) (netapi.Status, error) {
			switch up := time.Since(began); {
			case up < 3*time.Second:
				return netapi.Status{}, errAway
			case up < 6*time.Second:
				return netapi.Status{}, nil // no name is won yet
			}
			return testNetwork, nil
		}
		s.events = map[string]follow{"netmgr": func(ctx context.Context) (iter.Seq2[ipc.Event, error], error) {
			return func(yield func(ipc.Event, error) bool) {
				time.Sleep(6 * time.Second)
				yield(ipc.Event{Kind: "status"}, nil)
			}, nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		w := newWatch(s)
		ended := make(chan struct{})
		go func() { defer close(ended); w.run(ctx) }()
		time.Sleep(6*time.Second + 2*pace)
		if got := w.hostname(); got != testNetwork.Hostname {
			t.Errorf("the name is %q", got)
		}
		cancel()
		<-ended
	})
}

// TestNothingIsMissedBeforeTheStream checks that what happens between the first look and the moment when a service's
// news are heard is not lost, and is known at once: though nobody reads, a phone may be joining.
func TestNothingIsMissedBeforeTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := everybody()
		var network atomic.Pointer[netapi.Status]
		network.Store(&testNetwork)
		s.network = func(context.Context) (netapi.Status, error) { return *network.Load(), nil }
		s.events = map[string]follow{"netmgr": func(ctx context.Context) (iter.Seq2[ipc.Event, error], error) {
			time.Sleep(2 * time.Second)
			return func(func(ipc.Event, error) bool) { <-ctx.Done() }, nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		w := newWatch(s)
		ended := make(chan struct{})
		go func() { defer close(ended); w.run(ctx) }()
		time.Sleep(time.Second)
		renamed := testNetwork
		renamed.Hostname = "kitchen"
		network.Store(&renamed)
		time.Sleep(time.Second + pace)
		if got := w.hostname(); got != "kitchen" {
			t.Errorf("the name is still %q", got)
		}
		cancel()
		<-ended
	})
}

// TestNewsOutliveASlowAnswer checks that an answer that was on its way when the network changed does not undo what it said.
func TestNewsOutliveASlowAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := everybody()
		s.network = func(context.Context) (netapi.Status, error) {
			time.Sleep(2 * time.Second)
			return testNetwork, nil
		}
		s.events = map[string]follow{"netmgr": func(ctx context.Context) (iter.Seq2[ipc.Event, error], error) {
			return func(yield func(ipc.Event, error) bool) {
				time.Sleep(time.Second)
				yield(ipc.Event{Kind: "status", Data: []byte(`{"hostname":"kitchen"}`)}, nil)
				<-ctx.Done()
			}, nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		w := newWatch(s)
		ended := make(chan struct{})
		go func() { defer close(ended); w.run(ctx) }()
		time.Sleep(2*time.Second + pace/2)
		if got := w.hostname(); got != "kitchen" {
			t.Errorf("the name is %q again", got)
		}
		cancel()
		<-ended
	})
}

// TestStreamsAreConnectedAgain checks that a service that is down is tried ever more rarely, and one that works is
// connected once.
func TestStreamsAreConnectedAgain(t *testing.T) {
	s := everybody()
	var tries atomic.Int64
	s.events = map[string]follow{"catalog": func(ctx context.Context) (iter.Seq2[ipc.Event, error], error) {
		if tries.Add(1) < 6 {
			return nil, errAway
		}
		return func(yield func(ipc.Event, error) bool) {
			if yield(ipc.Event{Kind: "changed", Data: []byte(`{"revision":8}`)}, nil) {
				<-ctx.Done()
			}
		}, nil
	}}
	watching(t, s, func(w *watch, r newsReader) {
		start := time.Now()
		for {
			if ev := r.within(time.Minute); ev.Kind == "changed" {
				break
			}
		}
		if took := time.Since(start); took < 5*time.Second || took > 10*time.Second {
			t.Errorf("five failures took %v", took)
		}
		r.none(time.Hour)
		if n := tries.Load(); n != 6 {
			t.Errorf("%d connections", n)
		}
	})
}

// TestEventsOfTheWeb goes the whole way, from a service's socket to a browser.
func TestEventsOfTheWeb(t *testing.T) {
	b := launch(t, Options{})
	got := b.listen(t)
	for _, want := range []string{"library", "network", "device", "notices"} {
		if ev := <-got; ev.Kind != want {
			t.Errorf("first state: got %q; want %q", ev.Kind, want)
		}
	}
	for {
		if err := b.library.Publish("changed", catalogapi.Changed{Revision: 8}); err != nil {
			t.Fatal(err)
		}
		select {
		case ev := <-got:
			if ev.Kind != "changed" {
				continue // what the portal has learned meanwhile
			}
			if string(ev.Data) != `{"revision":8}` {
				t.Errorf("got %s %s", ev.Kind, ev.Data)
			}
			return
		case <-time.After(20 * time.Millisecond): // the portal is not connected to the catalog yet
		}
	}
}

func TestReadersAreBounded(t *testing.T) {
	w := newWatch(nobody())
	for range maxReaders {
		if !w.enter() {
			t.Fatal("refused too early")
		}
	}
	if w.enter() {
		t.Error("one too many")
	}
	w.leave()
	if !w.enter() {
		t.Error("one has left, but none is let in")
	}
}

func TestNotices(t *testing.T) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	healthy := func() view {
		l, n, d := testLibrary, testNetwork, testDevice
		return view{parts: parts{Library: &l, Stream: &streamapi.Status{Transcode: "7"}, Network: &n, Device: &d}}
	}
	for name, tt := range map[string]struct {
		change func(v *view)
		want   string // code, and subject if any
	}{
		"all is well":       {func(*view) {}, ""},
		"rescue":            {func(v *view) { v.Device.Data.Rescue = "it cannot be repaired" }, "data-rescue"},
		"read-only":         {func(v *view) { v.Device.Data.ReadOnly = true }, "data-read-only"},
		"full":              {func(v *view) { v.Device.Data.Full = true }, "data-full"},
		"rescue, read-only": {func(v *view) { v.Device.Data = initapi.Data{Rescue: "x", ReadOnly: true} }, "data-rescue"},
		"catalog silent":    {func(v *view) { v.Library = nil }, "service-away The library"},
		"catalog loops": {func(v *view) {
			v.Library = nil
			v.Device.Services = []initapi.Service{{Name: "catalog", State: initapi.Backoff, Restarts: 3, Since: since}, {Name: "stream"}, {Name: "netmgr"}}
		}, "service-failing The library"},
		"one crash": {func(v *view) {
			v.Device.Services = []initapi.Service{{Name: "catalog", State: initapi.Backoff, Restarts: 1}}
		}, ""},
		"program of a user": {func(v *view) { v.Device.Services = []initapi.Service{{Name: "hello", State: initapi.Failed}} }, "service-failing hello"},
		"no network here":   {func(v *view) { v.hosted, v.Network, v.Device.Services = true, nil, nil }, ""},
		"index not saved":   {func(v *view) { v.Library.Trouble = "disk full" }, "library-trouble"},
		"network trouble":   {func(v *view) { v.Network.Trouble = "no driver" }, "network-trouble"},
		"disk pulled":       {func(v *view) { v.Library.Roots = []media.Root{{Name: "MUSIC", Disk: "d", Away: true}} }, "disk-away MUSIC"},
		"folder gone":       {func(v *view) { v.Library.Roots = []media.Root{{Name: "Films", Away: true}} }, "folder-away Films"},
		"scan stopped":      {func(v *view) { v.Library.Roots = []media.Root{{Name: "Films", Error: "input/output error"}} }, "library-incomplete Films"},
		"disk unreadable": {func(v *view) {
			v.Library.Roots, v.Disks = nil, []initapi.Disk{{Name: "STICK", Error: "unknown format"}}
		}, "disk-unreadable STICK"},
		"no disk":             {func(v *view) { v.Library.Roots = nil }, "no-media"},
		"no folder":           {func(v *view) { v.hosted, v.Library.Roots = true, nil }, "no-folders"},
		"nothing found":       {func(v *view) { v.Library.Music, v.Library.Films, v.Library.Scan.Finished = 0, 0, since }, "library-empty"},
		"nothing found yet":   {func(v *view) { v.Library.Music, v.Library.Films, v.Library.Scan.Running = 0, 0, true }, ""},
		"no ffmpeg, hosted":   {func(v *view) { v.hosted, v.Stream.Transcode = true, "" }, "no-transcode"},
		"no ffmpeg in image":  {func(v *view) { v.Stream.Transcode = "" }, "image-no-transcode"},
		"degraded":            {func(v *view) { v.Device.Degraded = "three resets" }, "degraded"},
		"PID 1 silent":        {func(v *view) { v.Device = nil }, "service-away The device itself"},
		"stream not up there": {func(v *view) { v.Stream = nil; v.Device.Services = []initapi.Service{{Name: "catalog"}} }, ""},
	} {
		v := healthy()
		tt.change(&v)
		got := ""
		for _, n := range look(v) {
			got += n.Code
			if n.Subject != "" {
				got += " " + n.Subject
			}
			if n.Message == "" || n.Level == "" {
				t.Errorf("%s: %+v", name, n)
			}
		}
		if got != tt.want {
			t.Errorf("%s: got %q; want %q", name, got, tt.want)
		}
	}
}
