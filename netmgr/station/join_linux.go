package station

import (
	"context"
	"errors"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/wpa"
)

// attempt is one association, from its first frame to its end.
type attempt struct {
	*Station
	network  Network
	bss      nl80211.BSS
	tell     func(netmgr.Event)
	secured  bool       // the network has a password
	choice   wpa.Choice // how, where it is secured
	events   *nl80211.Listener
	eapol    port
	previous ieee80211.MAC // the access point that it comes from; zero: none

	pmk        []byte
	queue      []nl80211.ControlPort // that came before the association was known to have been made
	supplicant *wpa.Supplicant
	keyed      bool // the pairwise key is installed
	joined     bool
	queries    bool // whether the access point has forgotten us can be asked
	signal     int  // that was told, in dBm; 0: none yet
	query      query

	// of radios that join by themselves
	connectedNow bool // they say that they have
	offloaded    bool // the firmware agrees on the keys
}

// staleError says that the access point may not be as it was heard last.
type staleError struct{ err error }

func (e *staleError) Error() string { return e.err.Error() }
func (e *staleError) Unwrap() error { return e.err }

// silentError says that nobody acknowledged our first frames: the access point may be gone, or another one in its place.
type silentError struct{ err error }

func (e *silentError) Error() string { return e.err.Error() }
func (e *silentError) Unwrap() error { return e.err }

// join carries out one attempt and stays.
func (s *Station) join(ctx context.Context, n Network, bss nl80211.BSS, tell func(netmgr.Event)) error {
	a := &attempt{Station: s, network: n, bss: bss, tell: tell, secured: n.Password != ""}
	if s.at != nil {
		a.previous, s.at = s.at.bssid, nil
	}
	if a.secured {
		var err error
		if a.choice, err = choose(s.radio, bss.BSS, s.canSAE(n)); err != nil {
			return n.unsupported(err.Error())
		}
	}
	a.events = s.conn.Listen(s.index)
	defer a.events.Close()
	if err := a.openPort(); err != nil {
		return err
	}
	defer a.eapol.close()

	s.conn.AbortScan(ctx, s.index) // the radio shall be on the network's channel
	err := a.enter(ctx)
	if err == nil {
		err = a.stay(ctx)
	}
	if errors.Is(context.Cause(ctx), ErrMove) && a.joined {
		s.at = &place{n.SSID, a.bss.BSSID}
		return err
	}
	var said *leftError
	if !errors.As(err, &said) {
		a.leave(ieee80211.ReasonLeaving)
	}
	return err
}

// leave says goodbye. Where it was we who authenticated, that holds the radio on the channel for seconds, even without
// an association, unless it is taken back.
func (a *attempt) leave(reason ieee80211.Reason) {
	if !a.radio.Commands.Authenticate {
		a.Station.leave(reason)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if err := a.conn.Deauthenticate(ctx, a.index, a.bss.BSSID, reason); err != nil && !isUnconnected(err) {
		a.log.Debug("not left", "err", err)
	}
}

// leftError says that the association is over already.
type leftError struct{ err error }

func (e *leftError) Error() string { return e.err.Error() }
func (e *leftError) Unwrap() error { return e.err }

// enter gets the link up and secured.
func (a *attempt) enter(ctx context.Context) error {
	begin := time.Now()
	steps := []func(context.Context) error{a.authenticate, a.associate, a.handshake}
	if !a.radio.Commands.Authenticate { // the driver wants to do it by itself
		steps = []func(context.Context) error{a.connect, a.handshake}
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	a.registerQuery(ctx)
	a.joined = true
	a.log.Info("network joined", "ssid", a.network.SSID, "bssid", a.bss.BSSID, "mhz", a.bss.MHz, "signal", a.bss.Signal,
		"took", time.Since(begin).Round(time.Millisecond))
	a.tell(netmgr.Joined{Phy: a.radio.Phy, Number: a.network.Number, BSSID: netmgr.MAC(a.bss.BSSID), MHz: a.bss.MHz})
	return nil
}

// How long the steps may take. The kernel and firmware repeat frames by themselves and give up earlier.
const (
	authPatience      = 3 * time.Second
	assocPatience     = 3 * time.Second
	connectPatience   = 12 * time.Second
	handshakePatience = 8 * time.Second
)

var errTimeout = errors.New("timeout")

// next waits for what happens to the interface. An end of the association is an error; 802.1X frames are queued until there
// is a supplicant.
func (a *attempt) next(ctx context.Context, over <-chan time.Time) (nl80211.Event, error) {
	select {
	case ev, ok := <-a.events.Events():
		if !ok {
			return nil, errors.New("the kernel's events were lost")
		}
		return a.sift(ev)
	case ev := <-a.eapol.frames:
		return a.sift(ev)
	case <-over:
		return nil, errTimeout
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (a *attempt) sift(ev nl80211.Event) (nl80211.Event, error) {
	switch e := ev.(type) {
	case nl80211.ControlPort:
		if e.From != a.bss.BSSID || e.Protocol != nl80211.EAPOL {
			return nil, nil
		}
		if a.supplicant == nil {
			if len(a.queue) < maxQueue {
				a.queue = append(a.queue, e)
			}
			return nil, nil
		}
	case nl80211.Deauthenticated:
		if e.BSSID == a.bss.BSSID {
			return nil, a.ended(e.From == e.BSSID, e.Reason)
		}
	case nl80211.Disconnected: // which before the connection was made is about an earlier one
		if a.connectedNow {
			return nil, a.ended(e.ByPeer, e.Reason)
		}
	}
	return ev, nil
}

// maxQueue bounds the frames that wait for the association: an access point sends one.
const maxQueue = 4

// ended says why the association is over.
func (a *attempt) ended(byPeer bool, reason ieee80211.Reason) error {
	switch {
	case a.joined && !byPeer && reason == ieee80211.ReasonLeaving: // which is the kernel's word, not ours
		return &leftError{switchedOff()}
	case a.joined && !byPeer:
		return &leftError{a.network.silent(errors.New(reason.String()))}
	case a.joined:
		return &leftError{a.network.thrownOut(reason)}
	}
	if a.supplicant != nil {
		if err := a.supplicant.Refused(reason); err != nil {
			return &leftError{a.network.handshake(err)}
		}
	}
	if !byPeer {
		return &leftError{a.network.noAnswer(errors.New(reason.String()))}
	}
	return &leftError{a.network.refused(reason)}
}
