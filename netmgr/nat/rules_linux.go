package nat

import (
	"fmt"
	"net"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// The sets of the table.
const (
	setAccessPoints = "accesspoints"
	setUplinks      = "uplinks"
)

func table() *nftables.Table {
	return &nftables.Table{Family: nftables.TableFamilyIPv4, Name: tableName}
}

// replaceTable puts in the place of whatever table there was, at once:
//
//	table ip manofwar {
//		set accesspoints { type ifname; elements = { … } }
//		set uplinks      { type ifname; elements = { … } }
//		chain forward {
//			type filter hook forward priority filter; policy drop;
//			tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
//			ct state established,related accept
//			iifname @accesspoints oifname @uplinks ip saddr 192.168.77.0/24 accept
//		}
//		chain postrouting {
//			type nat hook postrouting priority srcnat;
//			oifname @uplinks ip saddr 192.168.77.0/24 masquerade
//		}
//	}
//
// Segments are kept to what the uplink carries because too many networks drop the ICMP that would say so.
func replaceTable(s Sharing) error {
	c, err := nftables.New()
	if err != nil {
		return supported(err)
	}
	t := table()
	c.AddTable(t) // deleting what is not there would fail
	c.DelTable(t)
	c.AddTable(t)
	accessPoints, err := addSet(c, setAccessPoints, []string{s.AccessPoint})
	if err != nil {
		return err
	}
	uplinks, err := addSet(c, setUplinks, s.Uplinks)
	if err != nil {
		return err
	}
	drop := nftables.ChainPolicyDrop
	forward := c.AddChain(&nftables.Chain{
		Table: t, Name: "forward", Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter, Policy: &drop,
	})
	accept := []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}
	add := func(chain *nftables.Chain, parts ...[]expr.Any) {
		r := &nftables.Rule{Table: t, Chain: chain}
		for _, p := range parts {
			r.Exprs = append(r.Exprs, p...)
		}
		c.AddRule(r)
	}
	add(forward, isSYN(), clampMSS())
	add(forward, isAnswer(), accept)
	add(forward, nameIn(expr.MetaKeyIIFNAME, accessPoints), nameIn(expr.MetaKeyOIFNAME, uplinks), comesFrom(s), accept)
	postrouting := c.AddChain(&nftables.Chain{
		Table: t, Name: "postrouting", Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	add(postrouting, nameIn(expr.MetaKeyOIFNAME, uplinks), comesFrom(s), []expr.Any{&expr.Masq{}})
	return supported(c.Flush())
}

// addSet adds a set of interface names.
func addSet(c *nftables.Conn, name string, interfaces []string) (*nftables.Set, error) {
	s := &nftables.Set{Table: table(), Name: name, KeyType: nftables.TypeIFName, KeyByteOrder: binaryutil.NativeEndian} // the order is for who lists it
	var elements []nftables.SetElement
	for _, i := range interfaces {
		if i == "" || len(i) >= unix.IFNAMSIZ {
			return nil, fmt.Errorf("%q is not the name of an interface", i)
		}
		key := make([]byte, unix.IFNAMSIZ)
		copy(key, i)
		elements = append(elements, nftables.SetElement{Key: key})
	}
	return s, c.AddSet(s, elements)
}

// The expressions work on register 1: each loads something into it and compares, or acts on what was loaded.

func nameIn(key expr.MetaKey, s *nftables.Set) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Lookup{SourceRegister: 1, SetName: s.Name, SetID: s.ID},
	}
}

// comesFrom matches the source address, at 12 in the IPv4 header.
func comesFrom(s Sharing) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: net.CIDRMask(s.Network.Bits(), 32), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: s.Network.Masked().Addr().AsSlice()},
	}
}

func isAnswer() []expr.Any {
	states := binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED)
	return []expr.Any{
		&expr.Ct{Register: 1, Key: expr.CtKeySTATE},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: states, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

// isSYN matches packets that begin a TCP connection on either side: the flags are at 13 in the header.
func isSYN() []expr.Any {
	const syn, rst = 1 << 1, 1 << 2
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{syn | rst}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{syn}},
	}
}

// clampMSS writes the route's segment size over the option (kind 2, at 2 in it), if that is larger: the kernel never
// raises it.
func clampMSS() []expr.Any {
	const optionMSS = 2
	return []expr.Any{
		&expr.Rt{Register: 1, Key: expr.RtTCPMSS},
		&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 2, Size: 2},
		&expr.Exthdr{SourceRegister: 1, Type: optionMSS, Offset: 2, Len: 2, Op: expr.ExthdrOpTcpopt},
	}
}
