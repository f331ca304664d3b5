package kms

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/player"
	"manofwar/player/kms/drm"
)

// Options say where to look. The zero value is usable.
type Options struct {
	Dir string       // of the cards; empty: /dev/dri
	Log *slog.Logger // nil: nothing is logged
}

// ErrInUse says that another program, such as a desktop, is the one that sets modes. The display is tried again.
var ErrInUse = fmt.Errorf("no screen: %w", player.ErrTaken)

// errNoCard says that there is nothing that a screen could be connected to.
var errNoCard = errors.New("no graphics card with a connector for a screen")

// Display is the screen in use. It implements [player.Display].
type Display struct {
	log     *slog.Logger
	find    func() (card, error) // opens the card and is its master
	screen  atomic.Pointer[player.Screen]
	problem atomic.Pointer[error]
	changed chan struct{}
	overlay chan struct{} // something was laid over the picture that no Show has taken yet

	cancel  context.CancelFunc
	running sync.WaitGroup

	turn sync.Mutex // held by whoever changes what is on the screen, for as long as that takes; taken before mu

	mu     sync.Mutex // guards all below; card and out change only while turn is held as well
	turned *sync.Cond // another picture is on the screen
	closed bool
	card   card     // nil: none is there
	out    *output  // nil: no screen is connected
	want   wanted   // the mode, for the same screen when it comes back
	shown  *picture // on the screen; nil: none
	flying *picture // that will be at the next blank; nil: none
	ready  *ready   // put together, to be shown next; nil: nothing is
	over   *overlay // nil: nothing lies over the picture
	stale  bool     // over is not what is on the screen
	frames map[*player.Frame]*buffer
	number uint64 // of the last commit
}

var (
	_ player.Display  = (*Display)(nil)
	_ player.Importer = (*Display)(nil)
)

// card is a [drm.Card], or what a test puts in its place.
type card interface {
	Resources() (drm.Resources, error)
	ReadConnector(id uint32, probe bool) (drm.ConnectorInfo, error)
	ReadEncoder(id uint32) (crtc, possible uint32, err error)
	ReadProperties(object uint32, kind drm.Object) (drm.Properties, error)
	Planes() ([]drm.PlaneInfo, error)
	Blob(id uint32) ([]byte, error)
	HasVBlank(crtc uint32) bool

	Allocate(width, height, bitsPerPixel int) (*drm.Memory, error)
	Free(*drm.Memory) error
	AddFramebuffer(drm.Framebuffer) (uint32, error)
	RemoveFramebuffer(id uint32) error
	LeaveFramebuffer(id uint32) error
	ImportObject(file uintptr) (uint32, error)
	CloseObject(handle uint32) error

	ModeBlob(drm.ModeInfo) (uint32, error)
	DestroyBlob(id uint32) error
	Commit(t *drm.Commit, flags uint32, number uint64) error
	Flips(deadline time.Time) ([]drm.Flip, error)
	DropMaster() error
	Close() error
}

// Open opens the display. It needs no screen and no card: both may come later. Close the result.
func Open(o Options) *Display {
	if o.Dir == "" {
		o.Dir = "/dev/dri"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	news := openNews(o.Log) // before looking at what is there
	return begin(o.Log, news, func() (card, error) { return findCard(o.Dir) })
}

// begin makes a display that looks for its card by find.
func begin(log *slog.Logger, n *news, find func() (card, error)) *Display {
	ctx, cancel := context.WithCancel(context.Background())
	d := &Display{
		log: log, find: find, changed: make(chan struct{}, 1), overlay: make(chan struct{}, 1), cancel: cancel,
		frames: make(map[*player.Frame]*buffer),
	}
	d.turned = sync.NewCond(&d.mu)
	d.look(false)
	d.running.Go(func() { d.follow(ctx, n) })
	d.running.Go(func() { d.followOverlay(ctx) })
	return d
}

// Screen implements [player.Display].
func (d *Display) Screen() (player.Screen, bool) {
	s := d.screen.Load()
	if s == nil {
		return player.Screen{}, false
	}
	return *s, true
}

// Problem returns why no screen is in use, though one may be connected: [ErrInUse], or a permission or driver that is
// missing. It is nil where there is a screen, and where none is connected. The engine puts it in words.
func (d *Display) Problem() error {
	if p := d.problem.Load(); p != nil {
		return *p
	}
	return nil
}

// Changed implements [player.Display].
func (d *Display) Changed() <-chan struct{} { return d.changed }

// SetMode implements [player.Display]. Whatever was shown gives way to black.
func (d *Display) SetMode(m player.Mode) error {
	d.turn.Lock()
	defer d.turn.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.out == nil {
		return player.ErrGone
	}
	i := d.out.find(m)
	if i < 0 {
		return fmt.Errorf("mode %d × %d at %.3f Hz: %w", m.Width, m.Height, m.Refresh, player.ErrFormat)
	}
	if err := d.drive(d.out.head, i); err != nil {
		return d.explain("set mode", err)
	}
	d.want = wanted{mode: d.out.modes[i], of: d.out.head}
	return nil
}

// Close implements [player.Display]. The last picture stays on the screen where the kernel lets it: since Linux 6.8, and
// unless its own console takes the screen back. Frames that were not freed keep their memory until they are.
func (d *Display) Close() error {
	d.cancel()
	d.running.Wait()
	d.turn.Lock()
	defer d.turn.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	d.screen.Store(nil)
	d.turned.Broadcast()
	if d.card == nil {
		return nil
	}
	if d.out != nil {
		d.out.leave(d.card, d.shown)
		d.out.close(d.card)
	}
	_ = d.card.DropMaster() // frames that are mapped keep the file open: let others have the screen all the same
	err := d.card.Close()
	d.card, d.out, d.shown = nil, nil, nil
	return err
}

// explain gives an error of the kernel its meaning to the player.
func (d *Display) explain(op string, err error) error {
	switch {
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENOENT), errors.Is(err, os.ErrClosed):
		return fmt.Errorf("%s: %w: %w", op, player.ErrGone, err)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fmt.Errorf("%s: %w: %w", op, ErrInUse, err)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ERANGE), errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("%s: %w: %w", op, player.ErrFormat, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// notify tells that the screen is another one.
func (d *Display) notify() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// bounds is the whole of a mode.
func bounds(m player.Mode) image.Rectangle { return image.Rect(0, 0, m.Width, m.Height) }
