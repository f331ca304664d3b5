package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/link"
	"manofwar/netmgr/nl80211"
)

// Config says what a station is made of.
type Config struct {
	Radio     nl80211.Radio
	Interface nl80211.Interface
	Log       *slog.Logger

	dial func() (*nl80211.Conn, error) // nil: to the kernel
	up   func(index int) error         // switches the interface on; nil: by the kernel
}

// Station joins networks with one interface. One goroutine at a time may use it.
type Station struct {
	conn    *nl80211.Conn
	radio   nl80211.Radio
	index   int
	mac     ieee80211.MAC
	log     *slog.Logger
	up      func(index int) error
	secrets secrets

	at *place // the access point that a Run which moves on has left the station in
}

// place is where a station is.
type place struct {
	ssid  ieee80211.SSID
	bssid ieee80211.MAC
}

// New returns a station. Whatever network the interface is in, a predecessor's, it leaves at the first [Station.Run].
func New(c Config) (*Station, error) {
	if c.dial == nil {
		c.dial = func() (*nl80211.Conn, error) { return nl80211.Dial(nl80211.GroupMLME, nl80211.GroupScan) }
	}
	if c.up == nil {
		c.up = link.Up
	}
	conn, err := c.dial()
	if err != nil {
		return nil, fmt.Errorf("station: %w", err)
	}
	return &Station{conn: conn, radio: c.Radio, index: c.Interface.Index, mac: c.Interface.MAC, log: c.Log, up: c.up}, nil
}

// Close leaves the network, if there is one, without a farewell.
func (s *Station) Close() error { return s.conn.Close() }

// Run joins a network and stays in it until ctx ends, when it leaves it and returns nil. It tells [netmgr.Joined], and
// then [netmgr.Heard] when the signal is another one, and [netmgr.Roamed] where the network moves. Its error is an [*Error].
func (s *Station) Run(ctx context.Context, n Network, tell func(netmgr.Event)) error {
	err := s.run(ctx, n, tell)
	if ctx.Err() != nil {
		return nil
	}
	var known *Error
	if err != nil && !errors.As(err, &known) {
		return broken(err)
	}
	return err
}

func (s *Station) run(ctx context.Context, n Network, tell func(netmgr.Event)) error {
	if err := s.up(s.index); errors.Is(err, unix.ERFKILL) {
		return switchedOff()
	} else if err != nil {
		return err
	}
	if err := s.prepare(ctx, n); err != nil {
		return err
	}
	bss, err := s.find(ctx, n, false)
	if s.at != nil && (err != nil || bss.BSSID == s.at.bssid) { // there is no other access point to move to
		s.at = nil
		s.leave(ieee80211.ReasonLeaving)
	}
	if err != nil {
		return err
	}
	err = s.join(ctx, n, bss, tell)
	if silent := (*silentError)(nil); errors.As(err, &silent) {
		if bss, ok := s.near(ctx, n, bss.MHz); ok {
			err = s.join(ctx, n, bss, tell)
		}
	}
	var stale *staleError
	if !errors.As(err, &stale) {
		return err
	}
	s.log.Info("network is not what was heard of it", "ssid", n.SSID, "err", err)
	if bss, err = s.find(ctx, n, true); err != nil {
		return err
	}
	return s.join(ctx, n, bss, tell)
}

// prepare leaves every network but one that the station is to move in.
func (s *Station) prepare(ctx context.Context, n Network) error {
	if s.at != nil && s.at.ssid == n.SSID && s.radio.Commands.Authenticate {
		return nil
	}
	s.at = nil
	if err := s.conn.Disconnect(ctx, s.index, ieee80211.ReasonLeaving); err != nil && !isUnconnected(err) {
		return err
	}
	if err := s.conn.SetPowerSave(ctx, s.index, false); err != nil {
		s.log.Debug("power save stays on", "err", err) // some drivers have none
	}
	return nil
}

// farewell is how long leaving may take.
const farewell = 2 * time.Second

// leave says goodbye, so that the access point forgets the station at once.
func (s *Station) leave(reason ieee80211.Reason) {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if err := s.conn.Disconnect(ctx, s.index, reason); err != nil && !isUnconnected(err) {
		s.log.Debug("not left", "err", err)
	}
}
