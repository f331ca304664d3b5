package nl80211

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
)

// BSS is an access point that was heard.
type BSS struct {
	*ieee80211.BSS
	BSSID      ieee80211.MAC
	MHz        int
	Signal     int           // dBm; 0: unknown
	Age        time.Duration // since it was heard last
	Associated bool          // a station of ours is in it
}

// Scan is a look for networks.
type Scan struct {
	Index int
	MHz   []int            // where; nil: everywhere that is allowed
	SSIDs []ieee80211.SSID // asked for by name, since they hide it, beside all others
	Flush bool             // forget what was heard before
	Blind bool             // do not read what was heard: another scan follows, whose results have it too
}

// Errors of scans, to branch on.
var (
	ErrScanAborted = errors.New("the scan was aborted")
	// ErrBusy says that the radio has been busy all the time, with another scan or a channel that it must not leave.
	ErrBusy = errors.New("the radio is busy")
)

const (
	scanPatience = 30 * time.Second // for a scan of all channels while there is traffic
	busyPatience = 15 * time.Second // for somebody else's scan
	busyPause    = 100 * time.Millisecond
)

// Scan looks for networks and returns what the kernel has heard within the last 30 s or so, on all channels; nothing if it is
// blind. It waits for scans of others. It wraps [ErrScanAborted] and [ErrBusy]. The connection must hear [GroupScan].
func (c *Conn) Scan(ctx context.Context, s Scan) ([]BSS, error) {
	l := c.Listen(s.Index)
	defer l.Close()
	if err := c.trigger(ctx, l, s); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, scanPatience)
	defer cancel()
	started := false
	for {
		select {
		case ev, ok := <-l.Events():
			if !ok {
				return nil, fmt.Errorf("nl80211: scan: %w", errOverrun)
			}
			switch ev := ev.(type) {
			case ScanStarted:
				started = true
			case ScanDone:
				if ev.Aborted && started {
					return nil, fmt.Errorf("nl80211: scan: %w", ErrScanAborted)
				}
				if started && s.Blind {
					return nil, nil
				}
				if started {
					return c.Results(ctx, s.Index)
				}
			}
		case <-ctx.Done():
			c.AbortScan(context.Background(), s.Index)
			return nil, fmt.Errorf("nl80211: scan: %w", ctx.Err())
		}
	}
}

// trigger starts a scan as soon as no other one is under way. The events in l begin with its own start.
func (c *Conn) trigger(ctx context.Context, l *Listener, s Scan) error {
	a := s.encode()
	for deadline := time.Now().Add(busyPatience); ; {
		for range len(l.events) {
			<-l.events
		}
		err := c.do(ctx, "scan", unix.NL80211_CMD_TRIGGER_SCAN, a)
		if !errors.Is(err, unix.EBUSY) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nl80211: scan: %w", ErrBusy)
		}
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
			return fmt.Errorf("nl80211: scan: %w", ctx.Err())
		}
	}
}

func (s Scan) encode() encoder {
	a := on(s.Index)
	var names encoder
	for i, name := range s.SSIDs {
		names.bytes(uint16(i+1), []byte(name))
	}
	names.bytes(uint16(len(s.SSIDs)+1), nil) // the wildcard: everybody shall answer
	a.nest(unix.NL80211_ATTR_SCAN_SSIDS, names)
	if len(s.MHz) > 0 {
		var channels encoder
		for i, mhz := range s.MHz {
			channels.u32(uint16(i+1), uint32(mhz))
		}
		a.nest(unix.NL80211_ATTR_SCAN_FREQUENCIES, channels)
	}
	if s.Flush {
		a.u32(unix.NL80211_ATTR_SCAN_FLAGS, unix.NL80211_SCAN_FLAG_FLUSH)
	}
	return a
}

// AbortScan ends a scan under way, whoever has asked for it. Where there is none, or the driver cannot do that, nothing
// happens.
func (c *Conn) AbortScan(ctx context.Context, index int) {
	_ = c.do(ctx, "abort scan", unix.NL80211_CMD_ABORT_SCAN, on(index))
}

// maxResults is how many access points are looked at. Those that anybody invents must not fill the memory.
const maxResults = 512

// Results returns what the kernel has heard lately, without a scan.
func (c *Conn) Results(ctx context.Context, index int) ([]BSS, error) {
	var parts [][]byte
	err := error(errChanged)
	for range 3 { // the list changes while beacons come in
		if parts, err = c.dump(ctx, "read scan results", unix.NL80211_CMD_GET_SCAN, on(index)); !errors.Is(err, errChanged) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	var out []BSS
	for _, b := range parts[:min(len(parts), maxResults)] {
		if s, ok := decodeBSS(parse(parse(b)[unix.NL80211_ATTR_BSS])); ok {
			out = append(out, s)
		}
	}
	return out, nil
}

// decodeBSS prefers a probe response, which has the name even of a hidden network, to a beacon.
func decodeBSS(a attributes) (BSS, bool) {
	elements := a[unix.NL80211_BSS_INFORMATION_ELEMENTS]
	if len(elements) == 0 {
		elements = a[unix.NL80211_BSS_BEACON_IES]
	}
	s := BSS{
		BSS: ieee80211.ParseBSS(elements), BSSID: a.mac(unix.NL80211_BSS_BSSID), MHz: int(a.u32(unix.NL80211_BSS_FREQUENCY)),
		Signal:     int(int32(a.u32(unix.NL80211_BSS_SIGNAL_MBM))) / 100,
		Age:        time.Duration(a.u32(unix.NL80211_BSS_SEEN_MS_AGO)) * time.Millisecond,
		Associated: a.has(unix.NL80211_BSS_STATUS) && a.u32(unix.NL80211_BSS_STATUS) == unix.NL80211_BSS_STATUS_ASSOCIATED,
	}
	s.BeaconInterval = a.u16(unix.NL80211_BSS_BEACON_INTERVAL)
	s.Capabilities = ieee80211.Capabilities(a.u16(unix.NL80211_BSS_CAPABILITY))
	return s, s.BSSID != (ieee80211.MAC{}) && s.MHz != 0
}
