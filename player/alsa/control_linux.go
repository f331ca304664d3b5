package alsa

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// control is a card's control device: who it is, its outputs, and its elements: switches, volumes, facts.
type control struct {
	file *os.File
	raw  syscall.RawConn
	card int
}

// Interfaces and types of elements (SNDRV_CTL_ELEM_IFACE_*, SNDRV_CTL_ELEM_TYPE_*).
const (
	ifaceCard  = 0
	ifaceMixer = 2
	ifacePCM   = 3

	kindBoolean = 1
	kindInteger = 2
	kindBytes   = 4
	kindIEC958  = 5

	accessRead    = 1 << 0
	accessWrite   = 1 << 1
	accessTLVRead = 1 << 4
)

// openControl opens that of a card by its number. Somebody may not have granted it yet: then it is EACCES.
func openControl(card int) (*control, error) {
	path := fmt.Sprintf("/dev/snd/controlC%d", card)
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, known(err))
	}
	c := &control{file: os.NewFile(uintptr(fd), path), card: card}
	if c.raw, err = c.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, c.file.Close())
	}
	return c, nil
}

// close gives the descriptor back; nothing was written that could be lost.
func (c *control) close() { _ = c.file.Close() }

func (c *control) ioctl(request uintptr, arg unsafe.Pointer) (err error) {
	if closed := c.raw.Control(func(fd uintptr) { err = ioctl(fd, request, arg) }); closed != nil {
		return closed
	}
	return known(err)
}

// info asks who the card is.
func (c *control) info() (info cardInfo, err error) {
	return info, c.ioctl(ctlCardInfo, unsafe.Pointer(&info))
}

// inode tells the card from others that had its number before, or will have it.
func (c *control) inode() (uint64, error) {
	var st unix.Stat_t
	var err error
	if closed := c.raw.Control(func(fd uintptr) { err = unix.Fstat(int(fd), &st) }); closed != nil {
		return 0, closed
	}
	return st.Ino, err
}

// playbacks asks for the devices that play.
func (c *control) playbacks() (list []pcmInfo, err error) {
	for device := int32(-1); ; {
		if err := c.ioctl(ctlPCMNext, unsafe.Pointer(&device)); err != nil {
			return nil, err
		}
		if device < 0 {
			return list, nil
		}
		info := pcmInfo{device: uint32(device)} // stream 0 is playback
		if c.ioctl(ctlPCMInfo, unsafe.Pointer(&info)) == nil {
			list = append(list, info)
		}
	}
}

// element is one switch, volume or fact of a card.
type element struct {
	elemInfo
	name string
}

// elements asks for all of them.
func (c *control) elements() ([]element, error) {
	var list elemList
	if err := c.ioctl(ctlElemList, unsafe.Pointer(&list)); err != nil || list.count == 0 {
		return nil, err
	}
	ids := make([]elemID, list.count)
	var pin runtime.Pinner // the kernel gets the address inside a structure
	defer pin.Unpin()
	pin.Pin(&ids[0])
	list = elemList{space: list.count, ids: unsafe.Pointer(&ids[0])}
	if err := c.ioctl(ctlElemList, unsafe.Pointer(&list)); err != nil {
		return nil, err
	}
	elements := make([]element, 0, len(ids))
	for _, id := range ids[:min(int(list.used), len(ids))] {
		e := element{elemInfo: elemInfo{id: id}}
		if err := c.ioctl(ctlElemInfo, unsafe.Pointer(&e.elemInfo)); err != nil {
			continue // gone since, or a driver that does not know its own
		}
		e.name = text(e.id.name[:])
		elements = append(elements, e)
	}
	return elements, nil
}

// find returns the first element of a device that has the name.
func find(list []element, name string, device int) (element, bool) {
	i := slices.IndexFunc(list, func(e element) bool { return e.name == name && int(e.id.device) == device })
	if i < 0 {
		return element{}, false
	}
	return list[i], true
}

// read asks for the values.
func (c *control) read(e element) (v elemValue, err error) {
	v.id = e.id
	return v, c.ioctl(ctlElemRead, unsafe.Pointer(&v))
}

// write sets the values.
func (c *control) write(e element, v elemValue) error {
	v.id = e.id
	return c.ioctl(ctlElemWrite, unsafe.Pointer(&v))
}

// bytes reads an element of bytes.
func (c *control) bytes(e element) ([]byte, error) {
	v, err := c.read(e)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, 8*len(v.value))
	for _, word := range v.value {
		b = binary.NativeEndian.AppendUint64(b, uint64(word))
	}
	return b[:min(int(e.count), 512)], nil
}

// unmute opens what is between the player and the loudspeaker, to 0 dB: cards start silent. What feeds a microphone or a
// line back stays shut. An element that refuses does not matter as long as the card plays.
func (c *control) unmute() error {
	list, err := c.elements()
	if err != nil {
		return fmt.Errorf("mixer: %w", err)
	}
	for _, e := range list {
		if e.id.iface != ifaceMixer || e.access&accessWrite == 0 || !playsFiles(e.name) {
			continue
		}
		var v elemValue
		level := int64(1)
		switch {
		case e.kind == kindBoolean && strings.HasSuffix(e.name, "Switch"):
		case e.kind == kindInteger && strings.HasSuffix(e.name, "Volume"):
			level = zeroDB(c.scale(e), e.value[0], e.value[1])
		default:
			continue
		}
		for i := range min(int(e.count), len(v.value)) {
			v.value[i] = level
		}
		_ = c.write(e, v)
	}
	return nil
}

// scale reads how the values of a volume relate to decibels: nil if the card does not say.
func (c *control) scale(e element) []uint32 {
	if e.access&accessTLVRead == 0 {
		return nil
	}
	tlv := make([]uint32, 2+maxTLV) // struct snd_ctl_tlv: numid, length, then the TLV
	tlv[0], tlv[1] = e.id.numid, 4*maxTLV
	if c.ioctl(ctlTLVRead, unsafe.Pointer(&tlv[0])) != nil {
		return nil
	}
	return tlv[2:]
}

// channelMap asks in which order the card has the channels of the form that it was configured for.
func (c *control) channelMap(device, channels int, hdmi bool) []int {
	list, err := c.elements()
	if err == nil {
		if e, ok := find(list, "Playback Channel Map", device); ok && e.id.iface == ifacePCM {
			if v, err := c.read(e); err == nil && v.value[0] != 0 {
				card := make([]position, channels)
				for i := range card {
					card[i] = position(v.value[i])
				}
				return channelOrder(card)
			}
		}
	}
	usual := analogueOrder
	if hdmi {
		usual = hdmiOrder
	}
	return channelOrder(usual[:min(channels, len(usual))])
}
