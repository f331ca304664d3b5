package alsa

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Hardware parameters (SNDRV_PCM_HW_PARAM_*): masks first, then intervals.
const (
	paramAccess     = 0
	paramFormat     = 1
	firstInterval   = 8
	paramFrameBits  = 9
	paramChannels   = 10
	paramRate       = 11
	paramPeriodSize = 13
	paramBufferSize = 17
)

// accessInterleaved is SNDRV_PCM_ACCESS_RW_INTERLEAVED: frames by write calls.
const accessInterleaved = 3

// state is a SNDRV_PCM_STATE_*.
type state int32

const (
	stateSetup        state = 1
	statePrepared     state = 2
	stateRunning      state = 3
	stateXRun         state = 4
	stateDraining     state = 5
	statePaused       state = 6
	stateSuspended    state = 7
	stateDisconnected state = 8
)

// interval is struct snd_interval: the values between min and max. Its flags are bit fields.
type interval struct {
	min, max uint32
	flags    uint32
}

// Flags of an [interval].
const (
	openMin    = 1 << 0 // min itself is not in it
	openMax    = 1 << 1
	isInteger  = 1 << 2
	isEmpty    = 1 << 3
	anyParam   = 0xffffffff // of rmask and of mask bits
	maskWords  = 8          // of a mask: SNDRV_MASK_MAX is 256 bits
	maskCount  = 8          // with those reserved
	rangeCount = 21         // intervals, with those reserved
)

// hwParams is struct snd_pcm_hw_params.
type hwParams struct {
	flags            uint32
	masks            [maskCount][maskWords]uint32
	intervals        [rangeCount]interval
	rmask            uint32 // the parameters that were narrowed by the caller
	cmask            uint32
	info             uint32
	msbits           uint32
	rateNum, rateDen uint32
	fifoSize         uint64
	_                [64]byte
}

// swParams is struct snd_pcm_sw_params.
type swParams struct {
	tstampMode       int32
	periodStep       uint32
	sleepMin         uint32
	availMin         uint64
	xferAlign        uint64
	startThreshold   uint64
	stopThreshold    uint64
	silenceThreshold uint64
	silenceSize      uint64
	boundary         uint64 // set by the kernel
	proto            uint32
	tstampType       uint32
	_                [56]byte
}

const (
	tstampEnable    = 1                 // SNDRV_PCM_TSTAMP_ENABLE
	tstampMonotonic = 1                 // SNDRV_PCM_TSTAMP_TYPE_MONOTONIC
	protocol        = 2<<16 | 0<<8 | 12 // the first version that has tstampType
	noAutoStart     = 1<<63 - 1 - 1<<20 // a threshold that no buffer reaches, below LONG_MAX
)

// pcmStatus is struct snd_pcm_status with 64-bit times, which is the only layout that 64-bit kernels have.
type pcmStatus struct {
	state           state
	_               int32
	trigger         unix.Timespec
	tstamp          unix.Timespec // when the following was so
	applPtr         uint64        // frames written
	hwPtr           uint64        // frames that the card has taken
	delay           int64         // frames between the last written and the one being heard; 0 unless it runs
	avail           uint64
	availMax        uint64
	overrange       uint64
	suspendedState  state
	audioTstampData uint32
	audioTstamp     unix.Timespec
	driverTstamp    unix.Timespec
	accuracy        uint32
	_               [20]byte
}

// transfer is struct snd_xferi.
type transfer struct {
	result int64
	buf    unsafe.Pointer
	frames uint64
}

// pcmInfo is struct snd_pcm_info.
type pcmInfo struct {
	device, subdevice  uint32
	stream, card       int32
	id                 [64]byte
	name               [80]byte
	subname            [32]byte
	class, subclass    int32
	subdevices, unused uint32
	sync               [16]byte
	_                  [64]byte
}

// cardInfo is struct snd_ctl_card_info.
type cardInfo struct {
	card       int32
	_          int32
	id         [16]byte
	driver     [16]byte
	name       [32]byte
	longname   [80]byte
	_          [16]byte
	mixername  [80]byte
	components [128]byte
}

// elemID is struct snd_ctl_elem_id.
type elemID struct {
	numid     uint32
	iface     int32
	device    uint32
	subdevice uint32
	name      [44]byte
	index     uint32
}

// elemList is struct snd_ctl_elem_list.
type elemList struct {
	offset, space, used, count uint32
	ids                        unsafe.Pointer
	_                          [50]byte
	_                          [6]byte
}

// elemInfo is struct snd_ctl_elem_info. Which reading of value counts depends on kind.
type elemInfo struct {
	id     elemID
	kind   int32
	access uint32
	count  uint32
	owner  int32
	value  [16]int64 // of integers: min, max, step
	_      [64]byte
}

// elemValue is struct snd_ctl_elem_value. Integers and switches are 64 bits each, bytes are bytes.
type elemValue struct {
	id       elemID
	indirect uint32
	_        uint32
	value    [128]int64
	_        [128]byte
}

// The layouts are held against the header's when this is compiled: each line is an array of the size that the
// structure has in C.
var (
	_ [608]byte  = [unsafe.Sizeof(hwParams{})]byte{}
	_ [136]byte  = [unsafe.Sizeof(swParams{})]byte{}
	_ [152]byte  = [unsafe.Sizeof(pcmStatus{})]byte{}
	_ [24]byte   = [unsafe.Sizeof(transfer{})]byte{}
	_ [288]byte  = [unsafe.Sizeof(pcmInfo{})]byte{}
	_ [376]byte  = [unsafe.Sizeof(cardInfo{})]byte{}
	_ [64]byte   = [unsafe.Sizeof(elemID{})]byte{}
	_ [80]byte   = [unsafe.Sizeof(elemList{})]byte{}
	_ [272]byte  = [unsafe.Sizeof(elemInfo{})]byte{}
	_ [1224]byte = [unsafe.Sizeof(elemValue{})]byte{}
	_ [512]byte  = [unsafe.Offsetof(hwParams{}.rmask)]byte{}
	_ [536]byte  = [unsafe.Offsetof(hwParams{}.fifoSize)]byte{}
	_ [16]byte   = [unsafe.Offsetof(swParams{}.availMin)]byte{}
	_ [56]byte   = [unsafe.Offsetof(pcmStatus{}.delay)]byte{}
	_ [80]byte   = [unsafe.Offsetof(elemInfo{}.value)]byte{}
	_ [72]byte   = [unsafe.Offsetof(elemValue{}.value)]byte{}
)

// Requests of ioctl(2).
const (
	dirWrite = 1 << 30
	dirRead  = 2 << 30
	dirBoth  = dirWrite | dirRead

	pcmHwRefine = dirBoth | unsafe.Sizeof(hwParams{})<<16 | 'A'<<8 | 0x10
	pcmHwParams = dirBoth | unsafe.Sizeof(hwParams{})<<16 | 'A'<<8 | 0x11
	pcmSwParams = dirBoth | unsafe.Sizeof(swParams{})<<16 | 'A'<<8 | 0x13
	pcmGetState = dirBoth | unsafe.Sizeof(pcmStatus{})<<16 | 'A'<<8 | 0x24 // STATUS_EXT
	pcmPrepare  = 'A'<<8 | 0x40
	pcmStart    = 'A'<<8 | 0x42
	pcmDrop     = 'A'<<8 | 0x43
	pcmDrain    = 'A'<<8 | 0x44
	pcmResume   = 'A'<<8 | 0x47
	pcmWrite    = dirWrite | unsafe.Sizeof(transfer{})<<16 | 'A'<<8 | 0x50

	ctlCardInfo  = dirRead | unsafe.Sizeof(cardInfo{})<<16 | 'U'<<8 | 0x01
	ctlElemList  = dirBoth | unsafe.Sizeof(elemList{})<<16 | 'U'<<8 | 0x10
	ctlElemInfo  = dirBoth | unsafe.Sizeof(elemInfo{})<<16 | 'U'<<8 | 0x11
	ctlElemRead  = dirBoth | unsafe.Sizeof(elemValue{})<<16 | 'U'<<8 | 0x12
	ctlElemWrite = dirBoth | unsafe.Sizeof(elemValue{})<<16 | 'U'<<8 | 0x13
	ctlTLVRead   = dirBoth | 8<<16 | 'U'<<8 | 0x1a
	ctlPCMNext   = dirRead | 4<<16 | 'U'<<8 | 0x30
	ctlPCMInfo   = dirBoth | unsafe.Sizeof(pcmInfo{})<<16 | 'U'<<8 | 0x31
)

// ioctl makes the call, again when a signal interrupts it. Go's scheduler sends signals all the time.
func ioctl(fd, request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, e := unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg))
		if e == unix.EINTR {
			continue
		}
		if e != 0 {
			return e
		}
		return nil
	}
}

// text is a string that ends at its first zero byte.
func text(b []byte) string { return unix.ByteSliceToString(b) }
