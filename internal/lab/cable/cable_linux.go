package cable

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Device is what each end is called in its namespace.
const Device = "home0"

// Cable is a cable that is plugged in.
type Cable struct {
	ends [2]*os.File
	wg   sync.WaitGroup
}

// Plug joins two namespaces, as ip-netns(8) names them, with one address each, such as "10.77.0.1/24". It needs root.
func Plug(ctx context.Context, namespaces, addresses [2]string, q Quality) (c *Cable, err error) {
	c = &Cable{}
	for i, ns := range namespaces {
		if c.ends[i], err = end(ctx, ns, addresses[i], fmt.Sprintf("mow%d-%d", os.Getpid(), i)); err != nil {
			c.Unplug()
			return nil, fmt.Errorf("cable into %s: %w", ns, err)
		}
	}
	for i := range c.ends {
		random := rand.New(rand.NewPCG(q.Seed, uint64(i)))
		c.wg.Go(func() { carry(c.ends[i], c.ends[1-i], func() (time.Duration, bool) { return q.fate(random) }) })
	}
	return c, nil
}

// Unplug removes it.
func (c *Cable) Unplug() {
	for _, f := range c.ends {
		if f != nil {
			_ = f.Close() // the device goes with it
		}
	}
	c.wg.Wait()
}

// end makes a TAP device and puts it into a namespace.
func end(ctx context.Context, ns, address, name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	ifr, err := unix.NewIfreq(name)
	if err == nil {
		ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	f := os.NewFile(uintptr(fd), name)
	for _, args := range [][]string{
		{"link", "set", name, "netns", ns, "name", Device},
		{"-n", ns, "address", "add", address, "dev", Device},
		{"-n", ns, "link", "set", Device, "up"},
		{"-n", ns, "link", "set", "lo", "up"},
	} {
		if out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil {
			return nil, errors.Join(fmt.Errorf("ip %v: %w: %s", args, err, out), f.Close())
		}
	}
	return f, nil
}

// frame is on its way.
type frame struct {
	data []byte
	due  time.Time
}

const (
	maxFrame = 2048
	onTheWay = 1024 // frames that a cable holds; more are lost
)

// carry passes frames on from one end to the other until an end is closed.
func carry(from, to *os.File, fate func() (time.Duration, bool)) {
	way := make(chan frame, onTheWay)
	var wg sync.WaitGroup
	wg.Go(func() {
		for f := range way {
			time.Sleep(time.Until(f.due))
			_, _ = to.Write(f.data) // an end that is not up, or no more, loses it
		}
	})
	buf := make([]byte, maxFrame)
	for {
		n, err := from.Read(buf)
		if errors.Is(err, os.ErrClosed) {
			break
		}
		if err != nil { // the other end is being set up
			time.Sleep(time.Millisecond)
			continue
		}
		d, arrives := fate()
		if !arrives {
			continue
		}
		select {
		case way <- frame{append([]byte(nil), buf[:n]...), time.Now().Add(d)}:
		default:
		}
	}
	close(way)
	wg.Wait()
}
