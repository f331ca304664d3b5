package accesspoint

import (
	"net"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/link"
	"manofwar/netmgr/nl80211"
)

// system is what an access point asks of its kernel.
type system struct {
	dial     func() (*nl80211.Conn, error)
	up, down func(index int) error
	setMAC   func(index int, mac net.HardwareAddr) error
	listen   func(index int) (port, error)
}

var kernel = system{
	dial: func() (*nl80211.Conn, error) { return nl80211.Dial(nl80211.GroupConfig, nl80211.GroupMLME) },
	up:   link.Up, down: link.Down, setMAC: link.SetMAC, listen: listenEAPOL,
}

// port is where 802.1X frames come and go for drivers that do not bring them over nl80211.
type port interface {
	frames() <-chan received
	send(to ieee80211.MAC, data []byte) error
	close()
}

// received is a frame without Ethernet's header.
type received struct {
	from ieee80211.MAC
	data []byte
}
