package networkmanager

import (
	"time"

	"manofwar/netmgr"
)

// ownPoint is our own access point on a radio.
type ownPoint struct {
	netmgr.AccessPointPlan
	*activation           // nil: none
	up          bool      // it was told
	clients     int       // how many were told
	again       time.Time // when to try again; the zero Time: at once
	refused     string    // why the plan cannot be carried out, once it was told
}

// ownAgain is after how long an access point that failed is tried again. Nothing is told in between.
const ownAgain = 15 * time.Second

// together is what a radio cannot be by NetworkManager.
const together = "NetworkManager cannot keep this WiFi adapter in a network and make an access point with it at once. Plug in a second adapter."

// lookOwn makes the access point what is planned.
func (r *radio) lookOwn(d *device) {
	o := &r.own
	if r.plan.AccessPoint != o.AccessPointPlan {
		r.changeOwn()
	}
	if !o.Up || r.refuseOwn() {
		return
	}
	if o.activation == nil {
		if r.now().Before(o.again) {
			r.wake(o.again)
			return
		}
		r.startOwn()
		return
	}
	switch o.look(r.mirror, d) {
	case ready:
		if !o.up {
			o.up = true
			r.tell(netmgr.AccessPointUp{Phy: r.Phy, Index: r.Station, MHz: r.ownMHz(d)})
		}
	case failed:
		r.endOwn(explainAccessPoint(o.failed))
	case taken:
		r.endOwn(r.chosen(d))
		r.yield(d)
	}
}

// changeOwn ends an access point that is not as planned any more. What its clients are told, and whether they may go
// out, is NetworkManager's: a change of that disturbs nobody.
func (r *radio) changeOwn() {
	o, want := &r.own, r.plan.AccessPoint
	same := want
	same.Capture, same.Uplinks = o.Capture, o.Uplinks
	if o.Up && same == o.AccessPointPlan {
		o.AccessPointPlan = want
		return
	}
	o.activation.deactivate(r)
	if o.up && want.Up { // another one follows
		r.tell(netmgr.AccessPointDown{Phy: r.Phy, Reason: "It starts anew with other settings."})
	}
	*o = ownPoint{AccessPointPlan: want}
}

// refuseOwn reports whether the radio cannot be an access point, or not now, and tells why.
func (r *radio) refuseOwn() bool {
	o, reason := &r.own, ""
	switch {
	case !r.AccessPoint:
		reason = "This WiFi adapter cannot be an access point."
	case r.join.activation != nil:
		reason = together
	}
	if reason != "" && reason != o.refused {
		o.activation.deactivate(r)
		o.activation, o.up = nil, false
		r.tell(netmgr.AccessPointDown{Phy: r.Phy, Reason: reason})
	}
	o.refused = reason
	return reason != ""
}

// startOwn asks NetworkManager for the access point.
func (r *radio) startOwn() {
	o := &r.own
	s := accessPointSettings(o.AccessPointPlan, r.plan.ownSecret, r.name, r.user)
	o.activation = activate(r, r.path, "/", s, func(a *activation, err error) {
		if err != nil && r.own.activation == a {
			r.log.Warn("access point not started", "link", r.name, "err", err)
			r.endOwn(advice(err))
		}
	})
}

// endOwn tells that the access point is not there, and lets it be tried again later.
func (r *radio) endOwn(reason string) {
	o := &r.own
	o.activation.deactivate(r)
	o.activation, o.up, o.again = nil, false, r.now().Add(ownAgain)
	r.wake(o.again)
	r.tell(netmgr.AccessPointDown{Phy: r.Phy, Reason: reason})
}

// countClients tells how many stations are in the access point.
func (r *radio) countClients() {
	if !r.own.up {
		return
	}
	n, err := r.clients(r.Station)
	if err != nil {
		r.log.Debug("clients not counted", "link", r.name, "err", err)
		return
	}
	if n != r.own.clients {
		r.own.clients = n
		r.tell(netmgr.AccessPointClients{Phy: r.Phy, Count: n})
	}
}

// ownMHz is the channel that the access point is on.
func (r *radio) ownMHz(d *device) int {
	if p := r.points[d.point]; p != nil && p.mhz != 0 {
		return int(p.mhz)
	}
	return r.own.MHz
}
