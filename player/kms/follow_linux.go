package kms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/uevent"
	"manofwar/player/kms/drm"
)

// The times between two looks at what is connected: without a card, and where the kernel's word cannot be heard.
const (
	cardPause   = 2 * time.Second
	screenPause = 2 * time.Second
)

// news are the kernel's messages about cards and screens; nil where they cannot be heard.
type news struct{ socket *uevent.Socket }

// openNews subscribes. It needs no privilege, only a kernel and a sandbox that let it.
func openNews(log *slog.Logger) *news {
	socket, err := uevent.Open()
	if err != nil {
		log.Warn("screens are looked for by the clock", "err", err)
		return nil
	}
	return &news{socket}
}

// next waits for a reason to look again, until ctx ends.
func (n *news) next(ctx context.Context) error {
	for {
		ev, err := n.socket.Next(ctx)
		if errors.Is(err, uevent.ErrMissed) || err == nil && ev.Subsystem == "drm" {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// follow looks again whenever there may be another screen, until ctx ends.
func (d *Display) follow(ctx context.Context, n *news) {
	if n != nil {
		defer n.socket.Close()
	}
	for ctx.Err() == nil {
		wait, cancel := ctx, func() {}
		if pause := d.pause(n); pause > 0 {
			wait, cancel = context.WithTimeout(ctx, pause)
		}
		var err error
		if n != nil {
			err = n.next(wait)
		} else {
			<-wait.Done()
		}
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			d.log.Warn("screens are looked for by the clock", "err", err)
			_ = n.socket.Close()
			n = nil
			continue
		}
		d.look(true)
	}
}

// pause returns how long to wait at most before looking again; 0: until there is news.
func (d *Display) pause(n *news) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.card == nil: // PID 1 may not have handed it to this user yet, or another program may let go of it
		return cardPause
	case n == nil:
		return screenPause
	}
	return 0
}

// look finds out what is connected now, and drives it.
func (d *Display) look(tell bool) {
	d.turn.Lock()
	defer d.turn.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	before, was := d.out, d.screen.Load()
	err := d.lookLocked()
	other := false // reason for there being none
	switch last := d.Problem(); {
	case err == nil:
		other = last != nil
		d.problem.Store(nil)
	case last == nil || last.Error() != err.Error():
		other = true
		d.problem.Store(&err)
		d.log.Warn("no screen can be used", "err", err)
	}
	if d.out != before || (was == nil) != (d.screen.Load() == nil) || other {
		d.turned.Broadcast()
		if tell {
			d.notify()
		}
	}
}

func (d *Display) lookLocked() error {
	if d.card == nil {
		c, err := d.find()
		if err != nil {
			return err
		}
		d.card = c
	}
	k, err := d.connected()
	if errors.Is(err, unix.ENODEV) {
		d.log.Info("graphics card is gone")
		d.drop()
		return nil
	}
	if err != nil {
		return err
	}
	if d.out != nil && k != nil && d.out.same(*k) && !k.broken {
		return nil
	}
	if d.out != nil {
		d.log.Info("screen is gone", "connector", d.out.connector.Name)
		d.forget()
	}
	if k == nil {
		return nil
	}
	return d.begin(*k)
}

// begin drives a screen that was not there before.
func (d *Display) begin(k socket) error {
	h, err := newHead(d.card, k)
	if err != nil {
		return err
	}
	first := h.first(d.want)
	if err := d.drive(h, first); err != nil {
		return d.explain("set mode", err)
	}
	s := d.screen.Load()
	d.log.Info("screen is there", "connector", k.Name, "name", h.title, "mode", h.infos[first].String(),
		"formats", len(s.Formats), "scales", s.Scales, "vblank", s.VBlank)
	return nil
}

// forget gives up the output. Frames stay.
func (d *Display) forget() {
	d.screen.Store(nil)
	d.clearShown()
	d.out.close(d.card)
	d.out = nil
}

// drop gives up the card, which is gone with everything in it but what is mapped.
func (d *Display) drop() {
	if d.out != nil {
		d.forget()
	}
	_ = d.card.Close() // nothing can be done with it
	d.card = nil
}

// socket is a connector, with what else is known of the screen in it.
type socket struct {
	drm.ConnectorInfo
	properties drm.Properties
	edid       []byte
	broken     bool // the link has failed: the mode has to be set again
}

// same tells whether the socket still has the same screen.
func (o *head) same(k socket) bool {
	return o.connector.ID == k.ID && bytes.Equal(o.connector.edid, k.edid) && slices.Equal(o.connector.Modes, k.Modes)
}

// connected returns the connector to use: the one in use while its screen is there, else the first that has a screen;
// nil: there is none.
func (d *Display) connected() (*socket, error) {
	r, err := d.card.Resources()
	if err != nil {
		return nil, err
	}
	ids := r.Connectors
	if d.out != nil {
		mine := d.out.connector.ID
		ids = append([]uint32{mine}, slices.DeleteFunc(slices.Clone(ids), func(id uint32) bool { return id == mine })...)
	}
	for _, id := range ids {
		k, err := d.card.ReadConnector(id, true)
		if errors.Is(err, unix.ENOENT) {
			continue // unplugged with its dock
		}
		if err != nil {
			return nil, err
		}
		if k.Kind == drm.Writeback || !k.Connected || len(k.Modes) == 0 {
			continue
		}
		return d.describe(k)
	}
	return nil, nil
}

// linkBad is the value of the property "link-status" (drm_mode.h, DRM_MODE_LINK_STATUS_BAD).
const linkBad = 1

func (d *Display) describe(k drm.ConnectorInfo) (*socket, error) {
	s := socket{ConnectorInfo: k}
	var err error
	if s.properties, err = d.card.ReadProperties(k.ID, drm.Connector); err != nil {
		return nil, err
	}
	if p, ok := s.properties["link-status"]; ok {
		s.broken = p.Value == linkBad
	}
	if id := uint32(s.properties["EDID"].Value); id != 0 {
		s.edid, err = d.card.Blob(id)
	}
	return &s, err
}

// findCard opens the first card that has connectors and lets this program set modes. Cards that only render have none.
func findCard(dir string) (card, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "card*"))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(paths, func(a, b string) int { // card10 comes after card9
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return bytes.Compare([]byte(a), []byte(b))
	})
	var errs []error
	for _, path := range paths {
		c, err := openCard(path)
		if err == nil {
			return c, nil
		}
		if !errors.Is(err, errNoCard) {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return nil, errNoCard
}

func openCard(path string) (card, error) {
	c, err := drm.Open(path)
	switch {
	case errors.Is(err, drm.ErrUnfit):
		return nil, errNoCard
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("not allowed to use the screen: %w", err)
	case err != nil:
		return nil, err
	}
	r, err := c.Resources()
	if errors.Is(err, unix.EOPNOTSUPP) || err == nil && len(r.Connectors) == 0 { // it only renders
		err = errNoCard
	}
	if err == nil {
		if err = c.SetMaster(); err != nil {
			err = fmt.Errorf("%s: %w: %w", path, ErrInUse, err)
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}
