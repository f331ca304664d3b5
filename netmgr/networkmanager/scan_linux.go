package networkmanager

import (
	"errors"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v2"
	"github.com/godbus/dbus/v5"

	"manofwar/netmgr"
)

// scan is the last scan that was planned. NetworkManager is asked for it, and the kernel tells when it begins, when it
// ends, and what was heard.
type scan struct {
	number int
	asked  bool      // and was not refused
	asks   int       // how often
	runs   bool      // it has begun since: what ends before is another scan
	again  time.Time // when to ask again, unless it runs
	limit  time.Time // until when it may take; the zero Time: it is over
	err    error     // of the last refusal
}

// The patience with a scan.
const (
	scanLimit = 20 * time.Second
	// scanRefused is the pause after a refusal: NetworkManager refuses while it prepares the radio.
	scanRefused = 500 * time.Millisecond
	// scanIgnored is when to ask again for a scan that has not begun: wpa_supplicant drops what it is asked for during
	// another one.
	scanIgnored = 2 * time.Second
	// maxScanAsks is how often it is asked while a joined network has given no address.
	maxScanAsks = 3
)

var (
	errScanLimit   = errors.New("the scan did not end in time")
	errScanWaiting = errors.New("NetworkManager does not scan while it waits for an address")
)

// lookScan scans as planned, and gives a scan up that is not planned any more or does not end.
func (r *radio) lookScan() {
	p, s := r.plan.Scan, &r.scan
	if p.Number != s.number {
		*s = scan{number: p.Number}
		if p.Number != 0 {
			s.limit = r.now().Add(scanLimit)
		}
	}
	switch {
	case s.limit.IsZero():
		return
	case !r.now().Before(s.limit):
		r.endScan(errors.Join(errScanLimit, s.err))
		return
	case !s.runs && s.asks >= maxScanAsks && r.join.told && !r.join.addressed:
		r.endScan(errScanWaiting)
		return
	case !s.runs && !r.now().Before(s.again):
		r.requestScan(p)
	}
	r.wake(s.limit)
	if !s.runs {
		r.wake(s.again)
	}
}

// requestScan asks for a scan of all channels: NetworkManager cannot look at some only.
func (r *radio) requestScan(p netmgr.Scan) {
	options := map[string]dbus.Variant{}
	if len(p.SSIDs) > 0 {
		ssids := make([][]byte, 0, len(p.SSIDs))
		for _, ssid := range p.SSIDs {
			ssids = append(ssids, []byte(ssid))
		}
		options["ssids"] = dbus.MakeVariant(ssids)
	}
	r.scan.asked, r.scan.again = true, r.now().Add(scanIgnored)
	r.scan.asks++
	r.call(r.path, nm.DeviceWirelessRequestScan, func(_ []any, err error) {
		s := &r.scan
		switch {
		case err == nil, s.number != p.Number, s.limit.IsZero():
		case errorName(err) != errorNotAllowed:
			r.endScan(err) // no use in asking again
		default:
			s.asked, s.err, s.again = false, err, r.now().Add(scanRefused)
		}
	}, options)
}

// scanStarted is told by the kernel when the radio begins to look.
func (r *radio) scanStarted() {
	r.scan.runs = r.scan.asked && !r.scan.limit.IsZero()
}

// scanDone is told by the kernel when the radio has looked.
func (r *radio) scanDone() {
	r.missJoin()
	if r.scan.runs {
		r.endScan(nil)
	}
}

// endScan tells what the radio has heard. What it heard before the scan counts too: a scan can miss an access point.
func (r *radio) endScan(err error) {
	r.scan.limit, r.scan.runs = time.Time{}, false
	networks, failed := r.heard(r.Station)
	r.tell(netmgr.Scanned{Phy: r.Phy, Number: r.scan.number, Networks: networks, Err: errors.Join(err, failed)})
}
