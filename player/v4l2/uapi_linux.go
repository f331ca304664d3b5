package v4l2

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Directions of an ioctl (include/uapi/asm-generic/ioctl.h), from the program's side.
const (
	write     = 1
	read      = 2
	readWrite = 3
)

// operation is one ioctl of videodev2.h, whose argument is a T. V4L2's letter is 'V'.
type operation[T any] struct{ direction, number uintptr }

// request returns the ioctl's number.
func (o operation[T]) request() uintptr {
	var argument T
	return o.direction<<30 | unsafe.Sizeof(argument)<<16 | 'V'<<8 | o.number
}

// The operations: VIDIOC_ of videodev2.h.
var (
	queryCapability = operation[capability]{read, 0}             // QUERYCAP
	enumFormat      = operation[formatDescription]{readWrite, 2} // ENUM_FMT
	getFormat       = operation[format]{readWrite, 4}            // G_FMT
	setFormat       = operation[format]{readWrite, 5}            // S_FMT
	requestBuffers  = operation[bufferRequest]{readWrite, 8}     // REQBUFS
	queryBuffer     = operation[buffer]{readWrite, 9}            // QUERYBUF
	queueBuffer     = operation[buffer]{readWrite, 15}           // QBUF
	exportBuffer    = operation[bufferExport]{readWrite, 16}     // EXPBUF
	dequeueBuffer   = operation[buffer]{readWrite, 17}           // DQBUF
	streamOn        = operation[queue]{write, 18}                // STREAMON
	streamOff       = operation[queue]{write, 19}                // STREAMOFF
	getControl      = operation[control]{readWrite, 27}          // G_CTRL
	queryMenu       = operation[menuItem]{readWrite, 37}         // QUERYMENU
	enumFrameSize   = operation[frameSize]{readWrite, 74}        // ENUM_FRAMESIZES
	dequeueEvent    = operation[event]{read, 89}                 // DQEVENT
	subscribeEvent  = operation[subscription]{write, 90}         // SUBSCRIBE_EVENT
	getSelection    = operation[selection]{readWrite, 94}        // G_SELECTION
	decoderCommand  = operation[command]{readWrite, 96}          // DECODER_CMD
)

// queue is one of the two queues of a device, enum v4l2_buf_type. Compressed pictures go into the one that V4L2 calls
// output, decoded ones come out of the one that it calls capture.
type queue uint32

const (
	capture       queue = 1  // V4L2_BUF_TYPE_VIDEO_CAPTURE
	output        queue = 2  // V4L2_BUF_TYPE_VIDEO_OUTPUT
	captureMPlane queue = 9  // V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE
	outputMPlane  queue = 10 // V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE
)

// The other constants, with their names there.
const (
	capM2MPlane   = 0x00004000 // V4L2_CAP_VIDEO_M2M_MPLANE
	capM2M        = 0x00008000 // V4L2_CAP_VIDEO_M2M
	capStreaming  = 0x04000000 // V4L2_CAP_STREAMING
	capDeviceCaps = 0x80000000 // V4L2_CAP_DEVICE_CAPS

	fieldNone  = 1 // V4L2_FIELD_NONE
	memoryMMap = 1 // V4L2_MEMORY_MMAP

	flagError = 0x00000040 // V4L2_BUF_FLAG_ERROR
	flagLast  = 0x00100000 // V4L2_BUF_FLAG_LAST

	eventSourceChange = 5      // V4L2_EVENT_SOURCE_CHANGE
	resolutionChanged = 1 << 0 // V4L2_EVENT_SRC_CH_RESOLUTION

	selectCompose = 0x0100 // V4L2_SEL_TGT_COMPOSE
	stopCommand   = 1      // V4L2_DEC_CMD_STOP

	sizesDiscrete = 1 // V4L2_FRMSIZE_TYPE_DISCRETE

	controlMinCapture   = 0x00980927 // V4L2_CID_MIN_BUFFERS_FOR_CAPTURE
	controlH264Profile  = 0x00990a6b // V4L2_CID_MPEG_VIDEO_H264_PROFILE
	controlHEVCProfile  = 0x00990b67 // V4L2_CID_MPEG_VIDEO_HEVC_PROFILE
	controlMPEG2Profile = 0x00990a0f // V4L2_CID_MPEG_VIDEO_MPEG2_PROFILE
	controlMPEG4Profile = 0x00990a96 // V4L2_CID_MPEG_VIDEO_MPEG4_PROFILE
	controlVP9Profile   = 0x00990b00 // V4L2_CID_MPEG_VIDEO_VP9_PROFILE
)

// maxPlanes is VIDEO_MAX_PLANES.
const maxPlanes = 8

// The structures of videodev2.h. Fields that nothing here asks for have no name.
type (
	capability struct { // v4l2_capability
		driver                  [16]byte
		_                       [64]byte // card, bus_info
		_                       uint32   // version
		capabilities, ofDevices uint32
		_                       [3]uint32
	}
	formatDescription struct { // v4l2_fmtdesc
		index       uint32
		queue       queue
		_           uint32   // flags
		_           [32]byte // description
		pixelFormat uint32
		_           [4]uint32 // mbus_code, reserved
	}
	frameSize struct { // v4l2_frmsizeenum
		index, pixelFormat, kind uint32
		sizes                    [6]uint32 // discrete: width, height; else the least, the most and the step of each
		_                        [2]uint32
	}
	// format is v4l2_format: its pix for devices whose buffers have one part, and its pix_mp for the others.
	format struct {
		queue queue
		_     uint32
		raw   [200]byte
	}
	singleFormat struct { // v4l2_pix_format
		width, height, pixelFormat, field, bytesPerLine, sizeImage uint32
		_                                                          [6]uint32
	}
	multiFormat struct { // v4l2_pix_format_mplane, which is packed: so are these fields as they are
		width, height, pixelFormat, field, _ uint32 // colorspace
		planes                               [maxPlanes]planeFormat
		count                                uint8
		_                                    [11]uint8
	}
	planeFormat struct { // v4l2_plane_pix_format
		sizeImage, bytesPerLine uint32
		_                       [6]uint16
	}
	bufferRequest struct { // v4l2_requestbuffers
		count  uint32
		queue  queue
		memory uint32
		_      [2]uint32 // capabilities, flags
	}
	buffer struct { // v4l2_buffer
		index        uint32
		queue        queue
		used         uint32
		flags, field uint32
		_            uint32
		timestamp    unix.Timeval
		_            [4]uint32 // timecode
		_            uint32    // sequence
		memory       uint32
		offset       uint64 // m: the offset for mmap, or a pointer to the parts
		length       uint32 // of the buffer in bytes, or how many parts there are
		_            uint32
		_            int32 // request_fd
		_            uint32
	}
	part struct { // v4l2_plane
		used, length uint32
		offset       uint64 // m.mem_offset is its lower half
		dataOffset   uint32
		_            [11]uint32
	}
	bufferExport struct { // v4l2_exportbuffer
		queue              queue
		index, part, flags uint32
		fd                 int32
		_                  [11]uint32
	}
	selection struct { // v4l2_selection
		queue       queue
		target, _   uint32 // flags
		left, top   int32
		width, high uint32
		_           [9]uint32
	}
	event struct { // v4l2_event
		kind    uint32
		_       uint32
		changes uint32 // of v4l2_event_src_change, the first in the union
		_       [60]byte
		_       [64]byte
	}
	subscription struct { // v4l2_event_subscription
		kind uint32
		_    [7]uint32
	}
	command struct { // v4l2_decoder_cmd
		command uint32
		_       [17]uint32
	}
	control struct { // v4l2_control
		id    uint32
		value int32
	}
	menuItem struct { // v4l2_querymenu, which is packed
		id, index uint32
		_         [36]byte
	}
)

// Sizes as the C compiler has them on amd64 and arm64. A structure of another size does not compile: what is left of a
// difference is a negative number, which an unsigned constant cannot be.
const (
	_ = -(unsafe.Sizeof(capability{}) ^ 104)
	_ = -(unsafe.Sizeof(formatDescription{}) ^ 64)
	_ = -(unsafe.Sizeof(frameSize{}) ^ 44)
	_ = -(unsafe.Sizeof(format{}) ^ 208)
	_ = -(unsafe.Sizeof(singleFormat{}) ^ 48)
	_ = -(unsafe.Sizeof(multiFormat{}) ^ 192)
	_ = -(unsafe.Sizeof(bufferRequest{}) ^ 20)
	_ = -(unsafe.Sizeof(buffer{}) ^ 88)
	_ = -(unsafe.Sizeof(part{}) ^ 64)
	_ = -(unsafe.Sizeof(bufferExport{}) ^ 64)
	_ = -(unsafe.Sizeof(selection{}) ^ 64)
	_ = -(unsafe.Sizeof(event{}) ^ 136)
	_ = -(unsafe.Sizeof(subscription{}) ^ 32)
	_ = -(unsafe.Sizeof(command{}) ^ 72)
	_ = -(unsafe.Sizeof(control{}) ^ 8)
	_ = -(unsafe.Sizeof(menuItem{}) ^ 44)
)

// single and multi are the two views of a format.
func (f *format) single() *singleFormat { return (*singleFormat)(unsafe.Pointer(&f.raw)) }

func (f *format) multi() *multiFormat { return (*multiFormat)(unsafe.Pointer(&f.raw)) }
