// Package nat gives the clients of an access point a way out: it lets the kernel forward their IPv4 packets to the links
// that lead on, under our address there, and nothing else to anywhere.
//
// The rules are one table of nf_tables (nft(8)), replaced as a whole in one transaction. The table's sets name the
// interfaces that forward, so that whoever comes next, after a kill too, finds in the kernel itself what is to be undone.
// Forwarding is switched on for those interfaces only, over rtnetlink(7): it needs no file below /proc/sys, which a
// sandbox keeps closed, and the host's other interfaces stay what they are. CAP_NET_ADMIN is needed.
//
// Clients reach everything that the links lead to, the other hosts there too: a sign-in page that holds the link captive
// is one of those. From there nobody reaches a client that has not asked. IPv6 is not forwarded: translating it would
// give clients addresses that work nowhere, and a prefix of their own the uplink seldom delegates.
package nat

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// Sharing is whose packets go where. The zero value shares nothing.
type Sharing struct {
	AccessPoint string       // interface of the clients
	Network     netip.Prefix // theirs: what does not come from it is not forwarded
	Uplinks     []string     // interfaces that lead on; which of them a packet takes is decided by the routes
}

// ErrUnsupported says that the kernel has no nf_tables, or not all of it that is needed here: connection tracking and
// masquerading.
var ErrUnsupported = errors.New("this kernel cannot share a network: it has no nf_tables with masquerading")

// tableName is our table's name in the kernel.
const tableName = "manofwar"

// Apply shares as s says and no longer as anybody said before. Connections that stay possible stay. The error wraps
// [ErrUnsupported] where the kernel cannot; nothing is shared then.
func Apply(s Sharing) error {
	if s.AccessPoint == "" || len(s.Uplinks) == 0 {
		return Remove()
	}
	before, err := forwarding()
	if err != nil {
		return fmt.Errorf("share network: %w", err)
	}
	if err := replaceTable(s); err != nil {
		return fmt.Errorf("share network: %w", err)
	}
	now := append([]string{s.AccessPoint}, s.Uplinks...)
	var errs []error
	for _, name := range now { // also those that did before: they may have come back as new
		errs = append(errs, forward(name, true))
	}
	for _, name := range before {
		if !slices.Contains(now, name) {
			errs = append(errs, forward(name, false))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("share network: %w", err)
	}
	return nil
}

// Remove ends all sharing, whoever began it. Where there is none, or the kernel could not share anyway, nothing is to be
// done.
func Remove() error {
	before, err := forwarding()
	if errors.Is(err, ErrUnsupported) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("end sharing: %w", err)
	}
	if before == nil {
		return nil
	}
	var errs []error
	for _, name := range before { // before the rules go that keep others out
		errs = append(errs, forward(name, false))
	}
	c, err := nftables.New()
	if err == nil {
		t := table()
		c.AddTable(t) // deleting what is not there would fail
		c.DelTable(t)
		err = c.Flush()
	}
	if err := errors.Join(append(errs, err)...); err != nil {
		return fmt.Errorf("end sharing: %w", err)
	}
	return nil
}

// forwarding returns the interfaces that the table in the kernel names; nil where there is no such table.
func forwarding() ([]string, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, supported(err)
	}
	tables, err := c.ListTablesOfFamily(nftables.TableFamilyIPv4)
	if errors.Is(err, unix.EINVAL) { // what nfnetlink says where nobody has registered for nf_tables
		err = unix.EOPNOTSUPP
	}
	if err != nil {
		return nil, supported(err)
	}
	if !slices.ContainsFunc(tables, func(t *nftables.Table) bool { return t.Name == tableName }) {
		return nil, nil
	}
	out := []string{}
	for _, name := range []string{setAccessPoints, setUplinks} {
		elements, err := c.GetSetElements(&nftables.Set{Table: table(), Name: name, KeyType: nftables.TypeIFName})
		if err != nil {
			continue // a table of that name, but not one of ours: replacing it is all there is to do
		}
		for _, e := range elements {
			out = append(out, unix.ByteSliceToString(e.Key))
		}
	}
	return out, nil
}

// supported makes [ErrUnsupported] of the kernel's ways to say that a part of nf_tables is missing. In a transaction that
// creates all that it refers to, ENOENT is one of them: a kind of chain or expression is not there.
func supported(err error) error {
	for _, no := range []error{unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, unix.EOPNOTSUPP, unix.ENOENT} {
		if errors.Is(err, no) {
			return fmt.Errorf("%w (%w)", ErrUnsupported, err)
		}
	}
	return err
}
