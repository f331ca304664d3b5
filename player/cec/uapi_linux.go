package cec

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// caps is struct cec_caps.
type caps struct {
	driver, name   [32]byte
	availableAddrs uint32
	capabilities   uint32
	version        uint32
}

// Capabilities (CEC_CAP_*).
const (
	capLogAddrs = 1 << 1 // it is for us to say what we are
	capTransmit = 1 << 2
)

// logAddrs is struct cec_log_addrs.
type logAddrs struct {
	addrs       [4]byte
	mask        uint16
	version     byte
	count       byte
	vendor      uint32
	flags       uint32
	osdName     [15]byte
	primaryType [4]byte
	addrType    [4]byte
	allTypes    [4]byte
	features    [4][12]byte
	_           byte
}

// What to be (CEC_OP_CEC_VERSION_1_4, CEC_VENDOR_ID_NONE, CEC_OP_PRIM_DEVTYPE_PLAYBACK, CEC_LOG_ADDR_TYPE_PLAYBACK,
// CEC_OP_ALL_DEVTYPE_PLAYBACK).
const (
	version14       = 5
	noVendor        = 0xffffffff
	primaryPlayback = 4
	addrPlayback    = 3
	allPlayback     = 0x10
)

// busMessage is struct cec_msg.
type busMessage struct {
	sent, received                     uint64
	length, timeout, sequence, flags   uint32
	data                               [maxMessage]byte
	reply, rxStatus, txStatus          byte
	arbitrationLost, nacks, low, error byte
	_                                  byte
}

// Statuses of a message (CEC_TX_STATUS_OK, CEC_RX_STATUS_OK, CEC_RX_STATUS_FEATURE_ABORT).
const (
	statusOK      = 1 << 0
	statusAborted = 1 << 2
)

// event is struct cec_event.
type event struct {
	at     uint64
	kind   uint32
	flags  uint32
	path   uint16 // of a change of state
	mask   uint16 // of our logical addresses
	unused [60]byte
}

// stateChanged is CEC_EVENT_STATE_CHANGE: we have other addresses, or none.
const stateChanged = 1

// initiatorAndFollower is CEC_MODE_INITIATOR | CEC_MODE_FOLLOWER: messages for us are ours to answer, but for those that
// the kernel does.
const initiatorAndFollower = 0x11

// The layouts are held against the header's when this is compiled: each line is an array of the size that the
// structure has in C.
var (
	_ [76]byte = [unsafe.Sizeof(caps{})]byte{}
	_ [92]byte = [unsafe.Sizeof(logAddrs{})]byte{}
	_ [56]byte = [unsafe.Sizeof(busMessage{})]byte{}
	_ [80]byte = [unsafe.Sizeof(event{})]byte{}
	_ [32]byte = [unsafe.Offsetof(busMessage{}.data)]byte{}
	_ [50]byte = [unsafe.Offsetof(busMessage{}.txStatus)]byte{}
	_ [16]byte = [unsafe.Offsetof(logAddrs{}.osdName)]byte{}
	_ [43]byte = [unsafe.Offsetof(logAddrs{}.features)]byte{}
)

// Requests of ioctl(2).
const (
	dirWrite = 1 << 30
	dirRead  = 2 << 30
	dirBoth  = dirWrite | dirRead

	getCaps     = dirBoth | unsafe.Sizeof(caps{})<<16 | 'a'<<8
	setLogAddrs = dirBoth | unsafe.Sizeof(logAddrs{})<<16 | 'a'<<8 | 4
	transmit    = dirBoth | unsafe.Sizeof(busMessage{})<<16 | 'a'<<8 | 5
	receive     = dirBoth | unsafe.Sizeof(busMessage{})<<16 | 'a'<<8 | 6
	takeEvent   = dirBoth | unsafe.Sizeof(event{})<<16 | 'a'<<8 | 7
	setMode     = dirWrite | 4<<16 | 'a'<<8 | 9
)

// ioctl makes the call, again when a signal interrupts it. Go's scheduler sends signals all the time.
func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
		if e == unix.EINTR {
			continue
		}
		if e != 0 {
			return e
		}
		return nil
	}
}
