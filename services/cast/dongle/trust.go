package dongle

import (
	"cmp"
	"slices"
	"time"

	"manofwar/internal/identity"
	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

// Devices returns this device and the others, the trusted ones first, then by name.
func (n *Network) Devices() api.Devices {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	self := n.Holder.ID
	out := api.Devices{
		Self:    api.Device{ID: string(self), Short: self.Short(), Name: n.name, Here: true, Trusted: true, Trusts: true},
		Devices: []api.Device{},
	}
	for id, d := range n.devices {
		item := api.Device{
			ID: string(id), Short: id.Short(), Name: d.name, Here: d.here || now.Sub(d.found) <= foundFor,
			Trusts: d.trusts, Asks: now.Sub(d.asks) <= asksFor, Seen: d.found, Problem: d.problem,
		}
		if t, ok := n.Trusted.Get(id); ok {
			item.Trusted, item.Since, item.Seen, item.Here = true, t.Since, t.Seen, d.here
			item.Asks = false
		}
		out.Devices = append(out.Devices, item)
	}
	slices.SortFunc(out.Devices, func(a, b api.Device) int {
		if a.Trusted != b.Trusted {
			if a.Trusted {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Trust trusts a device that was found or has asked, on the owner's word. It is asked to trust us too. The error wraps
// [media.ErrNotFound] or [media.ErrFull].
func (n *Network) Trust(id string) error {
	n.mu.Lock()
	d := n.devices[identity.ID(id)]
	if d == nil {
		n.mu.Unlock()
		return errNoDevice()
	}
	t := identity.Trusted{ID: d.id, Name: d.name, Since: time.Now().UTC(), May: []identity.Right{identity.Play}}
	err := n.Trusted.Add(t)
	if err == nil {
		n.begin(d)
	}
	n.mu.Unlock()
	if err != nil {
		return err
	}
	n.Changed()
	return nil
}

// Distrust trusts a device no more: what it plays here it can no longer control, and it is no longer a place to play at.
func (n *Network) Distrust(id string) error {
	n.mu.Lock()
	d := n.devices[identity.ID(id)]
	if d == nil {
		n.mu.Unlock()
		return errNoDevice()
	}
	if err := n.Trusted.Remove(d.id); err != nil { // under mu: the list and who has a link are one
		n.mu.Unlock()
		return err
	}
	end := d.end
	d.trust, d.end, d.link = nil, nil, nil
	d.here, d.trusts, d.asks, d.problem = false, false, time.Time{}, ""
	n.mu.Unlock()
	if end != nil {
		end()
	}
	n.Changed()
	return nil
}

func errNoDevice() error {
	return &media.Error{Op: "find device", Err: media.ErrNotFound, Hint: "It is no longer in the network. Turn it on and wait a moment."}
}
