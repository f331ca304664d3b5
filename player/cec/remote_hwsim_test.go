//go:build hwsim

package cec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestRemote speaks to a television: the other end of the kernel's simulated HDMI cable (vivid).
func TestRemote(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	set := plugTelevision(t)
	r, err := Open("Living room dongle", "", slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	us := func() device {
		r.mu.Lock()
		defer r.mu.Unlock()
		if a := r.first(); a != nil {
			return a.state()
		}
		return newDevice()
	}
	await(t, ctx, "we have an address", func() bool { return us().present() })

	t.Run("it knows our name", func(t *testing.T) {
		if name, ok := set.ask(us(), 0x46, 0x47); !ok || string(name) != "Living room do" {
			t.Errorf("we are called %q", name)
		}
		if status, ok := set.ask(us(), byte(givePowerStatus), byte(reportPowerStatus)); !ok || !bytes.Equal(status, []byte{powerOn}) {
			t.Errorf("we are % x", status)
		}
		if err := r.SetName("Kitchen"); err != nil {
			t.Fatal(err)
		}
		await(t, ctx, "we have another name", func() bool { // between the two we are nobody
			name, _ := set.ask(us(), 0x46, 0x47)
			return string(name) == "Kitchen"
		})
		await(t, ctx, "we have an address", func() bool { return us().present() })
	})
	t.Run("keys", func(t *testing.T) {
		for code, want := range map[byte]string{0x46: Pause, 0x44: Play, 0x4b: Next, 0x00: OK, 0x0d: Back, 0x41: Louder} {
			set.say(t, us(), byte(keyPressed), code)
			set.say(t, us(), byte(keyPressed), code)
			set.say(t, us(), byte(keyReleased))
			for _, held := range []bool{false, true} {
				select {
				case k := <-r.Keys():
					if k != (Key{want, held}) {
						t.Errorf("%#x: %+v", code, k)
					}
				case <-ctx.Done():
					t.Fatalf("%#x: no key", code)
				}
			}
		}
	})
	t.Run("nobody is disturbed", func(t *testing.T) {
		if heard := set.all(); slices.ContainsFunc(heard, steals) {
			t.Errorf("before we were asked: %q", heard)
		}
	})
	t.Run("it wakes up", func(t *testing.T) {
		set.clear()
		set.power(1)
		r.WakeTV()
		await(t, ctx, "it was asked whether it is on", func() bool { return slices.Contains(set.all(), "8f") })
		if heard := set.all(); !slices.Equal(heard[:2], []string{"04", "82 10 00"}) {
			t.Errorf("heard %q", heard)
		}
		r.WakeTV() // for another film, while it has not said that it is on
		await(t, ctx, "it is woken for the other film", func() bool {
			heard := set.all()
			return count(heard, "04") == 2 && count(heard, "82 10 00") == 2
		})
		asked := count(set.all(), "8f")
		await(t, ctx, "it was asked on behalf of the other film", func() bool { return count(set.all(), "8f") >= asked+2 }) // one may be the first film's
		set.power(powerOn)
		await(t, ctx, "it is told again", func() bool { return count(set.all(), "82 10 00") == 3 })
	})
	t.Run("it goes to sleep", func(t *testing.T) {
		r.Standby()
		await(t, ctx, "it is told to", func() bool { return slices.Contains(set.all(), "36") })
	})
	t.Run("the plug says nothing", func(t *testing.T) {
		set.clear()
		for range 2 {
			set.edid(t, nil)
			await(t, ctx, "we are unplugged", func() bool { return !us().present() })
			r.WakeTV() // nobody is there
			set.edid(t, set.description)
			await(t, ctx, "we are plugged in", func() bool { return us().present() })
			await(t, ctx, "the television is back on the bus", func() bool { return set.said(us(), 0x45) })
		}
		if heard := set.all(); slices.ContainsFunc(heard, steals) {
			t.Errorf("when we were plugged in: %q", heard)
		}
		if us().active {
			t.Error("we take ourselves for shown")
		}
	})
	t.Run("the adapter comes and goes", func(t *testing.T) {
		set.close()
		bind(t, "unbind")
		await(t, ctx, "the adapter is gone", func() bool { return !us().present() })
		bind(t, "bind")
		set = plugTelevision(t)
		await(t, ctx, "the adapter is back", func() bool { return us().present() })
		set.say(t, us(), byte(keyPressed), 0x45)
		select {
		case k := <-r.Keys():
			if k.Name != Stop {
				t.Errorf("got %+v", k)
			}
		case <-ctx.Done():
			t.Fatal("no key")
		}
	})
}

// steals tells whether a message asks for the television's screen.
func steals(m string) bool {
	return strings.HasPrefix(m, "82") || strings.HasPrefix(m, "04") || strings.HasPrefix(m, "0d")
}

func count(list []string, want string) (n int) {
	for _, m := range list {
		if m == want {
			n++
		}
	}
	return n
}

func await(t *testing.T, ctx context.Context, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not in time: %s", what)
		}
	}
}

func modprobe(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("modprobe", args...).CombinedOutput(); err != nil {
		t.Fatalf("modprobe %v: %v: %s", args, err, out)
	}
}

// bind parts the simulated hardware from its driver, or brings them together.
func bind(t *testing.T, how string) {
	t.Helper()
	must(t, how, os.WriteFile("/sys/bus/platform/drivers/vivid/"+how, []byte("vivid.0"), 0))
}

// television is the other end of the cable.
type television struct {
	hear, talk  int
	video       int    // vivid's HDMI input, which has the description of the screen
	description []byte // EDID
	ended       chan struct{}
	once        sync.Once

	mu    sync.Mutex
	on    byte // what it says of its power
	heard []string
}

// plugTelevision makes vivid's input a television.
func plugTelevision(t *testing.T) *television {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to load a simulated television")
	}
	modprobe(t, "vivid", "n_devs=1", "num_inputs=1", "input_types=0x3", "num_outputs=1", "output_types=0x1", "node_types=0x101")
	v := &television{hear: -1, talk: -1, ended: make(chan struct{})}
	nodes, err := filepath.Glob("/dev/cec*")
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range nodes {
		if fd := openNode(t, node, unix.O_NONBLOCK); isRoot(t, fd) {
			v.hear, v.talk = fd, openNode(t, node, 0)
		} else {
			_ = unix.Close(fd)
		}
	}
	if v.hear < 0 {
		t.Fatalf("none of %v is a television's", nodes)
	}
	mode := uint32(initiatorAndFollower)
	must(t, "mode", ioctl(v.hear, setMode, unsafe.Pointer(&mode)))
	us := logAddrs{version: version14, vendor: noVendor, count: 1}
	copy(us.osdName[:], "TV")
	us.allTypes[0] = 0x80
	must(t, "claim", ioctl(v.talk, setLogAddrs, unsafe.Pointer(&us)))
	v.openVideo(t)
	t.Cleanup(v.close)
	go v.listen()
	return v
}

func openNode(t *testing.T, node string, flags int) int {
	t.Helper()
	fd, err := unix.Open(node, unix.O_RDWR|unix.O_CLOEXEC|flags, 0)
	must(t, node, err)
	return fd
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func isRoot(t *testing.T, fd int) bool {
	t.Helper()
	var path uint16
	must(t, "physical address", ioctl(fd, getPath, unsafe.Pointer(&path)))
	return path == root
}

func (v *television) close() {
	v.once.Do(func() {
		close(v.ended)
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, fd := range []int{v.hear, v.talk, v.video} {
			_ = unix.Close(fd)
		}
		v.hear = -1
	})
}

// listen keeps what is said to it or to all, and answers for its power.
func (v *television) listen() {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-v.ended:
			return
		case <-tick.C:
		}
		v.mu.Lock()
		var b busMessage
		if v.hear >= 0 && ioctl(v.hear, receive, unsafe.Pointer(&b)) == nil && b.sequence == 0 && b.length > 1 {
			v.heard = append(v.heard, fmt.Sprintf("% x", b.data[1:b.length]))
			if opcode(b.data[1]) == givePowerStatus {
				answer := busMessage{length: 3}
				copy(answer.data[:], []byte{b.data[0] >> 4, byte(reportPowerStatus), v.on})
				_ = ioctl(v.hear, transmit, unsafe.Pointer(&answer))
			}
		}
		v.mu.Unlock()
	}
}

func (v *television) all() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.heard)
}

func (v *television) clear() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.heard = nil
}

func (v *television) power(status byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.on = status
}

// say sends a message to us.
func (v *television) say(t *testing.T, us device, words ...byte) {
	t.Helper()
	if !v.said(us, words...) {
		t.Fatalf("% x was not taken", words)
	}
}

// said sends a message to us and tells whether that was taken.
func (v *television) said(us device, words ...byte) bool {
	b := busMessage{length: uint32(1 + len(words))}
	copy(b.data[:], append([]byte{byte(us.self)}, words...))
	return ioctl(v.talk, transmit, unsafe.Pointer(&b)) == nil && b.txStatus&statusOK != 0
}

// ask sends a message to us and returns the operands of the answer; false: there was none.
func (v *television) ask(us device, question, answer byte) ([]byte, bool) {
	b := busMessage{length: 2, reply: answer}
	copy(b.data[:], []byte{byte(us.self), question})
	if ioctl(v.talk, transmit, unsafe.Pointer(&b)) != nil || b.rxStatus&statusOK == 0 {
		return nil, false
	}
	return b.data[2:b.length], true
}

// edidBlocks is struct v4l2_edid.
type edidBlocks struct {
	pad, start, blocks uint32
	_                  [5]uint32
	edid               unsafe.Pointer
}

const (
	getPath = dirRead | 2<<16 | 'a'<<8 | 1
	getEDID = dirBoth | unsafe.Sizeof(edidBlocks{})<<16 | 'V'<<8 | 40
	setEDID = dirBoth | unsafe.Sizeof(edidBlocks{})<<16 | 'V'<<8 | 41
)

// openVideo finds vivid's HDMI input and keeps its EDID.
func (v *television) openVideo(t *testing.T) {
	t.Helper()
	nodes, err := filepath.Glob("/dev/video*")
	must(t, "video", err)
	for _, node := range nodes {
		fd := openNode(t, node, 0)
		if edid, err := readEDID(fd); err == nil {
			v.video, v.description = fd, edid
			return
		}
		_ = unix.Close(fd)
	}
	t.Fatalf("none of %v has an EDID", nodes)
}

func readEDID(fd int) ([]byte, error) {
	data := make([]byte, 256)
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&data[0])
	e := edidBlocks{blocks: 2, edid: unsafe.Pointer(&data[0])}
	if err := ioctl(fd, getEDID, unsafe.Pointer(&e)); err != nil {
		return nil, err
	}
	if e.blocks == 0 {
		return nil, errors.New("empty")
	}
	return data[:128*e.blocks], nil
}

// edid changes what the screen says of itself; nil: it is unplugged.
func (v *television) edid(t *testing.T, data []byte) {
	t.Helper()
	var pin runtime.Pinner
	defer pin.Unpin()
	e := edidBlocks{blocks: uint32(len(data) / 128)}
	if len(data) > 0 {
		pin.Pin(&data[0])
		e.edid = unsafe.Pointer(&data[0])
	}
	must(t, "EDID", ioctl(v.video, setEDID, unsafe.Pointer(&e)))
}
