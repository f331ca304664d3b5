package networkmanager

import (
	"log/slog"
	"time"

	"github.com/godbus/dbus/v5"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
)

// radio is one WiFi device under a plan. It is for the goroutine of [Backend.Run].
type radio struct {
	netmgr.Radio
	host
	path dbus.ObjectPath
	name string // of the interface

	plan     plan
	scan     scan
	join     join
	own      ownPoint
	taken    time.Time // since when the radio is the user's, or last was seen to be; the zero Time: it is not
	deadline time.Time // when to look again though nothing has happened; the zero Time: not
}

// host is what all radios share.
type host struct {
	*mirror
	caller
	senses
	tell func(netmgr.Event)
	user string // whom connections belong to
	now  func() time.Time
	log  *slog.Logger
}

// senses are the kernel's: what NetworkManager tells of it is too little, or too late.
type senses interface {
	clients(index int) (int, error) // how many stations are in an access point of ours
	heard(index int) ([]netmgr.Sighting, error)
	joined(index int) (netmgr.Sighting, bool) // where a station is
}

// plan is what is wanted of a radio, with the passwords for it.
type plan struct {
	netmgr.RadioPlan
	password  string // of the network to join
	unknown   bool   // there is none
	ownSecret string // of our access point
}

// follow takes over a plan. Only what is new in it begins something. One for a radio that the user has taken is of before
// the policy knew that.
func (r *radio) follow(p plan) {
	if r.taken.IsZero() {
		r.plan = p
	}
	r.look()
}

// look compares what is with what is planned and does what follows. It is called whenever something has changed.
func (r *radio) look() {
	d := r.devices[r.path]
	if d == nil {
		return
	}
	r.deadline = time.Time{}
	if !r.taken.IsZero() {
		r.lookTaken(d)
		return
	}
	r.lookJoin(d)
	if r.taken.IsZero() {
		r.lookOwn(d)
		r.lookScan()
	}
}

// wake asks for another look at a time.
func (r *radio) wake(at time.Time) {
	if r.deadline.IsZero() || at.Before(r.deadline) {
		r.deadline = at
	}
}

// yield leaves the radio to a connection that the user has chosen. The policy takes it for gone meanwhile, and tries
// nothing with it.
func (r *radio) yield(d *device) {
	r.log.Info("radio left to the user's own connection", "link", r.name)
	r.own.activation.deactivate(r)
	r.taken, r.plan, r.scan, r.join, r.own = r.now(), plan{}, scan{}, join{}, ownPoint{}
	r.tell(netmgr.RadioGone{Phy: r.Phy})
	r.wake(r.now().Add(takenLimit))
}

// takenLimit is how long nothing may be active on a radio that the user has taken: one connection gives way before the
// next one begins.
const takenLimit = 3 * time.Second

// lookTaken waits for the user to leave the network that he has chosen.
func (r *radio) lookTaken(d *device) {
	if d.active != "" && d.active != "/" {
		r.taken = r.now()
		return
	}
	if end := r.taken.Add(takenLimit); r.now().Before(end) {
		r.wake(end)
		return
	}
	r.taken = time.Time{}
	r.tell(netmgr.RadioChanged{Radio: r.Radio})
}

// chosen says for a person which connection the user has chosen instead of ours.
func (r *radio) chosen(d *device) string {
	if a := r.actives[d.active]; a != nil && a.id != "" && !isOurs(a.id) {
		return "Another network was chosen on this computer: " + a.id + "."
	}
	return "Another network was chosen on this computer."
}

// gone ends what the radio was doing, because it is not there any more. Answers that still come find nothing.
func (r *radio) gone() {
	r.plan, r.scan, r.join, r.own = plan{}, scan{}, join{}, ownPoint{}
	if r.taken.IsZero() {
		r.tell(netmgr.RadioGone{Phy: r.Phy})
	}
}

// quote makes an SSID fit for a sentence.
func quote(ssid string) string { return ieee80211.SSID(ssid).String() }
