package native

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	"manofwar/player/api"
	"manofwar/player/cec"
)

// deskEngine notes what it is told.
type deskEngine struct {
	now  api.Status
	told []string
}

func (e *deskEngine) note(format string, args ...any) {
	e.told = append(e.told, fmt.Sprintf(format, args...))
}
func (e *deskEngine) Status() api.Status { return e.now }
func (e *deskEngine) Play()              { e.note("play") }
func (e *deskEngine) Pause()             { e.note("pause") }
func (e *deskEngine) Stop()              { e.note("stop") }
func (e *deskEngine) Seek(s api.Seek)    { e.note("seek %v", time.Duration(s.By)) }
func (e *deskEngine) Change(c api.Change) {
	for name, v := range map[string]*int{"volume": c.Volume, "audio": c.Audio, "subtitle": c.Subtitle} {
		if v != nil {
			e.note("%s %d", name, *v)
		}
	}
	if c.Muted != nil && *c.Muted {
		e.note("mute")
	}
}

func TestKeys(t *testing.T) {
	streams := []media.Stream{{Kind: media.Video}, {Kind: media.Audio}, {Kind: media.Subtitle}, {Kind: media.Audio}}
	playing := api.Status{State: api.Playing, Item: film, Volume: 98, Streams: streams, Audio: 1, Subtitle: -1}
	paused, muted, one, song := playing, playing, playing, playing
	paused.State, muted.Muted = api.Paused, true
	one.Streams = streams[:2]
	song.Item = &api.Item{Key: "9", Kind: media.Music}
	for _, c := range []struct {
		key  cec.Key
		now  api.Status
		want string
	}{
		{cec.Key{Name: cec.Play}, paused, "play"},
		{cec.Key{Name: cec.OK}, paused, "play"},
		{cec.Key{Name: cec.OK}, playing, "pause"},
		{cec.Key{Name: cec.OK, Held: true}, playing, ""},
		{cec.Key{Name: cec.PlayPause}, playing, "pause"},
		{cec.Key{Name: cec.Stop}, playing, "stop"},
		{cec.Key{Name: cec.Next}, playing, "ask next"},
		{cec.Key{Name: cec.Previous}, playing, "ask previous"},
		{cec.Key{Name: cec.Right}, playing, "seek 10s"},
		{cec.Key{Name: cec.Rewind, Held: true}, playing, "seek -10s"},
		{cec.Key{Name: cec.Louder}, playing, "volume 100"},
		{cec.Key{Name: cec.Softer}, playing, "volume 94"},
		{cec.Key{Name: cec.Mute}, playing, "volume 98, mute"},
		{cec.Key{Name: cec.Mute}, muted, "volume 98"},
		{cec.Key{Name: cec.Audio}, playing, "audio 3"},
		{cec.Key{Name: cec.Subtitle}, playing, "subtitle 2"},
		{cec.Key{Name: cec.Audio}, one, ""},
		{cec.Key{Name: cec.Subtitle}, one, ""},
		{cec.Key{Name: cec.Off}, playing, "pause"},
		{cec.Key{Name: cec.Off}, song, ""},
		{cec.Key{Name: cec.Menu}, playing, ""},
	} {
		e := &deskEngine{now: c.now}
		controls := newControls(nil, e, func(k api.Key) { e.note("ask %s", k.Name) }, func() {}, nil)
		controls.press(c.key)
		if got := strings.Join(e.told, ", "); got != c.want {
			t.Errorf("%+v while %s: got %q, want %q", c.key, c.now.State, got, c.want)
		}
	}
}

// set is a television that counts.
type set struct {
	keys         chan cec.Key
	woken, slept atomic.Int32
	name         atomic.Value
}

func (s *set) Keys() <-chan cec.Key      { return s.keys }
func (s *set) WakeTV()                   { s.woken.Add(1) }
func (s *set) SetName(name string) error { s.name.Store(name); return nil }
func (s *set) Standby()                  { s.slept.Add(1) }

func TestTelevisionIsWokenAndPutToSleep(t *testing.T) {
	status := func(state api.State, it *api.Item, card string) api.Status {
		return api.Status{
			State: state, Item: it, Settings: api.Settings{CEC: true, Standby: true},
			Sound: &api.Sound{Card: card, Cards: []api.Card{{ID: "hdmi", HDMI: true}, {ID: "jack"}}},
		}
	}
	other := &api.Item{Key: "3", Kind: media.Music}
	synctest.Test(t, func(t *testing.T) {
		tv := &set{keys: make(chan cec.Key)}
		c := newControls(tv, &deskEngine{}, nil, nil, nil)
		done := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { defer close(done); c.run(ctx) }()
		step := func(what string, s api.Status, woken int32) {
			t.Helper()
			c.tell(s)
			synctest.Wait()
			if tv.woken.Load() != woken {
				t.Errorf("%s: woken %d times, want %d", what, tv.woken.Load(), woken)
			}
		}
		c.name("")
		c.name("Attic")
		if synctest.Wait(); tv.name.Load() != "Attic" {
			t.Errorf("it is called %v", tv.name.Load())
		}
		step("nothing", status(api.Idle, nil, "jack"), 0)
		step("music on the HiFi", status(api.Playing, song, "jack"), 0)
		step("nothing again", status(api.Idle, nil, "jack"), 0)
		step("music on the television", status(api.Loading, song, "hdmi"), 1)
		step("it plays", status(api.Playing, song, "hdmi"), 1)
		step("the next song", status(api.Playing, other, "hdmi"), 1)
		step("it waits", status(api.Paused, other, "hdmi"), 1)
		step("nothing", status(api.Idle, nil, "hdmi"), 1)
		step("a film", status(api.Loading, film, "jack"), 2)
		step("the end", status(api.Idle, nil, "jack"), 2)
		time.Sleep(idleFor - time.Second)
		if synctest.Wait(); tv.slept.Load() != 0 {
			t.Error("put to sleep too early")
		}
		time.Sleep(2 * time.Second)
		if synctest.Wait(); tv.slept.Load() != 1 {
			t.Errorf("put to sleep %d times", tv.slept.Load())
		}
		step("music on the HiFi again", status(api.Playing, song, "jack"), 2)
		step("a film after it", status(api.Loading, film, "jack"), 3)
		step("it plays", status(api.Playing, film, "jack"), 3)
		step("it is paused", status(api.Paused, film, "jack"), 3)
		step("it is sought in", status(api.Loading, film, "jack"), 3)
		step("it waits there", status(api.Paused, film, "jack"), 3)
		step("it goes on", status(api.Playing, film, "jack"), 4)
		step("it is sought in while it plays", status(api.Loading, film, "jack"), 4)
		step("it goes on by itself", status(api.Playing, film, "jack"), 4)
		step("nothing is left", status(api.Idle, nil, "jack"), 4)
		off := status(api.Loading, film, "jack")
		off.Settings.CEC = false
		step("a film, but not to be woken", off, 4)
		cancel()
		<-done
	})
}
