//go:build vm

package vm

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"manofwar/internal/lab/peers"
)

// set is the television at the other end of the kernel's simulated cable (vivid): everyone's CEC tool, cec-ctl.
type set struct {
	world *peers.World
	node  string
	bus   *peers.Program // what is said on the cable
	read  int            // of what it printed
}

// turnOn makes the input of vivid a television, and listens.
func turnOn(t *testing.T, w *peers.World) *set {
	t.Helper()
	s := &set{world: w}
	must(t, w.Await(t.Context(), "there is a television's end", func() bool {
		for _, n := range []string{"/dev/cec0", "/dev/cec1"} {
			out, err := w.Outside().Run(t.Context(), "cec-ctl", "-d", n)
			if err == nil && strings.Contains(out, "Physical Address           : 0.0.0.0") {
				s.node = n
			}
		}
		return s.node != ""
	}))
	_, err := s.tell(t.Context(), "--tv", "--osd-name", "Telly")
	must(t, err)
	s.bus, err = w.Outside().Start(context.WithoutCancel(t.Context()), "stdbuf", "-oL", "cec-ctl", "-d", s.node, "--monitor") // ends with the machine
	must(t, err)
	return s
}

// turnOff lets go of the television's end.
func (s *set) turnOff() { s.bus.Kill() }

// tell has cec-ctl do something.
func (s *set) tell(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return s.world.Outside().Run(ctx, append([]string{"cec-ctl", "-d", s.node}, args...)...)
}

// heard waits until the television was told something since this was last asked.
func (s *set) heard(t *testing.T, message string) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("the television has heard only:\n%s", s.bus))
	defer cancel()
	if _, err := s.bus.Expect(ctx, s.read, message); err != nil {
		t.Fatalf("%s: %v", message, err)
	}
}

// forget has heard look at what is said from now on.
func (s *set) forget() { s.read = len(s.bus.String()) }

// taking is what a device says that wants to be seen, as cec-ctl prints it.
var taking = regexp.MustCompile(`: (ACTIVE_SOURCE|IMAGE_VIEW_ON|TEXT_VIEW_ON) `)

// taken tells whether the dongle has asked for the television's screen since forget.
func (s *set) taken() bool {
	return taking.MatchString(s.bus.String()[s.read:])
}

// press presses a key and lets it go.
func (s *set) press(t *testing.T, code byte) {
	t.Helper()
	for _, message := range [][]string{{"--user-control-pressed", fmt.Sprintf("ui-cmd=%#02x", code)}, {"--user-control-released"}} {
		_, err := s.tell(t.Context(), append([]string{"--to", "4"}, message...)...)
		must(t, err)
	}
}

// knows waits until the television knows the dongle by its name.
func (tv *television) knows(t *testing.T) {
	t.Helper()
	must(t, tv.Await(t.Context(), "the dongle says its name", func() bool {
		out, err := tv.set.tell(t.Context(), "--to", "4", "--give-osd-name")
		return err == nil && strings.Contains(out, "name: manofwar")
	}))
}

// found has a television ask who is at its input; then the adapter goes, and comes back as another one, of which the player,
// which is nobody in its sandbox, knew nothing when it was started.
func (tv *television) found(t *testing.T) {
	tv.set = turnOn(t, tv.World)
	tv.knows(t)
	tv.set.turnOff()
	for _, how := range []string{"unbind", "bind"} {
		_, err := tv.Outside().Run(t.Context(), "sh", "-ec", "echo vivid.0 >/sys/bus/platform/drivers/vivid/"+how)
		must(t, err)
	}
	tv.set = turnOn(t, tv.World)
	tv.knows(t)
}

// undisturbed holds the dongle to leaving the television alone: songs came from a HiFi's card.
func (tv *television) undisturbed(t *testing.T) {
	if tv.set.taken() {
		t.Errorf("nothing was to be seen, and the television is taken:\n%s", tv.set.bus)
	}
}

// The codes of keys (CEC 1.4, table 27).
const (
	keyLouder, keySofter, keyMute                     = 0x41, 0x42, 0x43
	keyPlay, keyStop, keyPause, keyRewind, keyForward = 0x44, 0x45, 0x46, 0x48, 0x49
	keyNext, keyPrevious                              = 0x4b, 0x4c
)

// remote presses the keys of the television's remote control.
func (tv *television) remote(t *testing.T) {
	now := tv.showFilm(t, 100)
	key := func(code byte, what string, ok func(session) bool) {
		t.Helper()
		tv.set.press(t, code)
		now = tv.await(t, what, ok)
	}
	key(keyPause, "it waits", func(s session) bool { return s.State == "paused" })
	from := now.Position
	key(keyForward, "it has leapt", func(s session) bool { return math.Abs(s.Position-from-10) < 0.5 })
	key(keyRewind, "it has leapt back", func(s session) bool { return math.Abs(s.Position-from) < 0.5 })
	key(keyPlay, "it plays", func(s session) bool { return s.State == "playing" })
	volume := now.Volume
	key(keySofter, "it is softer", func(s session) bool { return s.Volume == volume-4 })
	key(keyLouder, "it is as loud as it was", func(s session) bool { return s.Volume == volume })
	key(keyMute, "it is mute", func(s session) bool { return s.Muted })
	key(keyMute, "it is heard", func(s session) bool { return !s.Muted })

	tv.play(t, longName, songNames[0])
	now = tv.await(t, "a song plays", func(s session) bool { return s.State == "playing" && s.Entry.Item.Title == "Long" })
	key(keyPause, "the song waits", func(s session) bool { return s.State == "paused" })
	key(keyNext, "the next song", func(s session) bool { return s.Index == 1 })
	key(keyPrevious, "the song before", func(s session) bool { return s.Index == 0 })
	key(keyPlay, "the song plays", func(s session) bool { return s.State == "playing" })
	key(keyStop, "nothing plays", func(s session) bool { return s.State == "paused" || s.State == "stopped" })
}

// replugged pulls the television's plug and puts it in again while a film plays.
func (tv *television) replugged(t *testing.T) {
	tv.set.forget()
	tv.showFilm(t, 0)
	tv.set.heard(t, ": ACTIVE_SOURCE ")
	tv.set.forget()
	const input = 3 // vivid's HDMI input, after a camera, a tuner and an S-Video
	plug, err := tv.Outside().Run(t.Context(), "sh", "-c",
		fmt.Sprintf("for v in /dev/video*; do v4l2-ctl -d $v --clear-edid=%d >/dev/null 2>&1 && echo $v && exit; done; v4l2-ctl --list-devices; exit 1", input))
	must(t, err)
	_, err = tv.Outside().Run(t.Context(), "v4l2-ctl", "-d", strings.TrimSpace(plug), fmt.Sprintf("--set-edid=pad=%d,type=hdmi", input))
	must(t, err)
	tv.knows(t)
	tv.await(t, "the film plays on", func(s session) bool { return s.State == "playing" })
	if tv.set.taken() {
		t.Errorf("it was only plugged in, and the television is taken:\n%s", tv.set.bus.String()[tv.set.read:])
	}
}

// quiet is how long nothing plays before a television is turned off whose owner wants that.
const quiet = 15 * time.Minute

// sleeps has the owner choose that the television is turned off when nothing has played for long. That passes quickly: the
// guest's clock leaps over what it sleeps through. So it does while the host writes what is kept, until the page gives the
// answer up and says that one is to try again.
func (tv *television) sleeps(t *testing.T) {
	choose := func(standby bool) {
		t.Helper()
		must(t, tv.Await(within(t, patience), "the choice is kept", func() bool {
			var now settings
			if tv.Ask(t.Context(), http.MethodGet, "/api/v1/player/settings", nil, &now) != nil {
				return false
			}
			now.Settings["standby"] = standby
			return tv.Ask(t.Context(), http.MethodPut, "/api/v1/player/settings", now.Settings, nil) == nil
		}))
	}
	choose(true)
	tv.set.forget()
	tv.showFilm(t, 0)
	tv.set.heard(t, ": ACTIVE_SOURCE ")
	began := tv.uptime(t)
	tv.control(t, map[string]any{"do": "stop"})
	tv.set.heard(t, `Received from Playback Device 1 to TV \(4 to 0\): STANDBY `)
	if after := tv.uptime(t) - began; after < quiet {
		t.Errorf("the television was turned off %v after the film", after)
	}
	choose(false)
}

// uptime returns how long the guest runs by its own clock.
func (tv *television) uptime(t *testing.T) time.Duration {
	t.Helper()
	out, err := tv.Outside().Run(t.Context(), "cat", "/proc/uptime")
	must(t, err)
	words := strings.Fields(out)
	if len(words) == 0 {
		t.Fatal("the guest has no clock")
	}
	up, err := time.ParseDuration(words[0] + "s")
	must(t, err)
	return up
}
