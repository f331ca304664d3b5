package drm

import "unsafe"

// Directions of an ioctl (include/uapi/asm-generic/ioctl.h), from the program's side.
const (
	none      = 0
	write     = 1
	readWrite = 3
)

// request makes an ioctl's number. DRM's letter is 'd'.
func request(direction, number, size uintptr) uintptr {
	return direction<<30 | size<<16 | 'd'<<8 | number
}

// operation is one ioctl of drm.h, whose argument is a T.
type operation[T any] struct{ direction, number uintptr }

// do runs an operation.
func do[T any](c *Card, op operation[T], argument *T) error {
	return c.ioctl(request(op.direction, op.number, unsafe.Sizeof(*argument)), unsafe.Pointer(argument))
}

// The operations: DRM_IOCTL_ of drm.h.
var (
	getVersion    = operation[version]{readWrite, 0x00}          // VERSION
	closeObject   = operation[gemClose]{write, 0x09}             // GEM_CLOSE
	getCapability = operation[getCap]{readWrite, 0x0c}           // GET_CAP
	setCapability = operation[setClientCap]{write, 0x0d}         // SET_CLIENT_CAP
	exportObject  = operation[primeHandle]{readWrite, 0x2d}      // PRIME_HANDLE_TO_FD
	importObject  = operation[primeHandle]{readWrite, 0x2e}      // PRIME_FD_TO_HANDLE
	getSequence   = operation[crtcSequence]{readWrite, 0x3b}     // CRTC_GET_SEQUENCE
	getResources  = operation[cardResources]{readWrite, 0xa0}    // MODE_GETRESOURCES
	getEncoder    = operation[modeEncoder]{readWrite, 0xa6}      // MODE_GETENCODER
	getConnector  = operation[modeConnector]{readWrite, 0xa7}    // MODE_GETCONNECTOR
	getProperty   = operation[modeProperty]{readWrite, 0xaa}     // MODE_GETPROPERTY
	getBlob       = operation[modeBlob]{readWrite, 0xac}         // MODE_GETPROPBLOB
	removeBuffer  = operation[uint32]{readWrite, 0xaf}           // MODE_RMFB
	createDumb    = operation[modeCreateDumb]{readWrite, 0xb2}   // MODE_CREATE_DUMB
	mapDumb       = operation[modeMapDumb]{readWrite, 0xb3}      // MODE_MAP_DUMB
	destroyDumb   = operation[uint32]{readWrite, 0xb4}           // MODE_DESTROY_DUMB
	getPlanes     = operation[planeResources]{readWrite, 0xb5}   // MODE_GETPLANERESOURCES
	getPlane      = operation[modePlane]{readWrite, 0xb6}        // MODE_GETPLANE
	addBuffer     = operation[framebuffer]{readWrite, 0xb8}      // MODE_ADDFB2
	getProperties = operation[objectProperties]{readWrite, 0xb9} // MODE_OBJ_GETPROPERTIES
	commitAtomic  = operation[modeAtomic]{readWrite, 0xbc}       // MODE_ATOMIC
	createBlob    = operation[modeCreateBlob]{readWrite, 0xbd}   // MODE_CREATEPROPBLOB
	destroyBlob   = operation[uint32]{readWrite, 0xbe}           // MODE_DESTROYPROPBLOB
	closeBuffer   = operation[closeFramebuffer]{readWrite, 0xd0} // MODE_CLOSEFB, since Linux 6.8
)

// The structures of drm.h and drm_mode.h. Fields that nothing here asks for have no name, but what the kernel calls them
// beside them. Pointers are 64 bits in all of them but version, whose layout is that of machines with 64 bits: manofwar runs
// on no others.
type (
	version struct { // drm_version
		_          [4]uint32 // version_major, version_minor, version_patchlevel, padding
		nameLength uint64
		name       uint64
		_          [4]uint64 // date_len, date, desc_len, desc
	}
	gemClose     struct{ handle, _ uint32 }         // drm_gem_close
	getCap       struct{ capability, value uint64 } // drm_get_cap
	setClientCap struct{ capability, value uint64 } // drm_set_client_cap
	primeHandle  struct {                           // drm_prime_handle
		handle, flags uint32
		fd            int32
	}
	crtcSequence struct { // drm_crtc_get_sequence
		crtc uint32
		_    uint32 // active
		_    uint64 // sequence
		_    int64  // sequence_ns
	}
	cardResources struct { // drm_mode_card_res
		_                    uint64 // fb_id_ptr
		crtcs, connectors, _ uint64 // , encoder_id_ptr
		_                    uint32 // count_fbs
		crtcCount            uint32
		connectorCount       uint32
		_, _, maxWidth       uint32 // count_encoders, min_width
		_, maxHeight         uint32 // min_height
	}
	modeEncoder struct { // drm_mode_get_encoder
		id, _, crtc, possibleCRTCs, _ uint32 // encoder_type, possible_clones
	}
	modeConnector struct { // drm_mode_get_connector
		encoders, modes, _, _     uint64 // props_ptr, prop_values_ptr
		modeCount, _              uint32 // count_props
		encoderCount, encoder, id uint32
		kind, number, connection  uint32
		_                         [4]uint32 // mm_width, mm_height, subpixel, pad
	}
	planeResources struct { // drm_mode_get_plane_res
		planes   uint64
		count, _ uint32
	}
	modePlane struct { // drm_mode_get_plane
		id, crtc, _      uint32 // fb_id
		possibleCRTCs, _ uint32 // gamma_size
		formatCount      uint32
		formats          uint64
	}
	objectProperties struct { // drm_mode_obj_get_properties
		properties, values     uint64
		count, object, kind, _ uint32
	}
	modeProperty struct { // drm_mode_get_property
		_, enums     uint64 // values_ptr
		id, flags    uint32
		name         [32]byte
		_, enumCount uint32 // count_values
	}
	propertyEnum struct { // drm_mode_property_enum
		value uint64
		name  [32]byte
	}
	modeBlob struct { // drm_mode_get_blob
		id, length uint32
		data       uint64
	}
	modeCreateBlob struct { // drm_mode_create_blob
		data       uint64
		length, id uint32
	}
	modeCreateDumb struct { // drm_mode_create_dumb
		height, width, bitsPerPixel, _, handle, pitch uint32 // flags
		size                                          uint64
	}
	modeMapDumb struct { // drm_mode_map_dumb
		handle, _ uint32
		offset    uint64
	}
	framebuffer struct { // drm_mode_fb_cmd2
		id, width, height, format, flags uint32
		handles, pitches, offsets        [4]uint32
		_                                uint32
		modifiers                        [4]uint64
	}
	modeAtomic struct { // drm_mode_atomic
		flags, objectCount                           uint32
		objects, counts, properties, values, _, user uint64
	}
	closeFramebuffer struct{ id, _ uint32 } // drm_mode_closefb
)

// Sizes as the C compiler has them on amd64 and arm64. A structure of another size does not compile: what is left of a
// difference is a negative number, which an unsigned constant cannot be.
const (
	_ = -(unsafe.Sizeof(version{}) ^ 64)
	_ = -(unsafe.Sizeof(gemClose{}) ^ 8)
	_ = -(unsafe.Sizeof(getCap{}) ^ 16)
	_ = -(unsafe.Sizeof(setClientCap{}) ^ 16)
	_ = -(unsafe.Sizeof(primeHandle{}) ^ 12)
	_ = -(unsafe.Sizeof(crtcSequence{}) ^ 24)
	_ = -(unsafe.Sizeof(cardResources{}) ^ 64)
	_ = -(unsafe.Sizeof(modeEncoder{}) ^ 20)
	_ = -(unsafe.Sizeof(modeConnector{}) ^ 80)
	_ = -(unsafe.Sizeof(planeResources{}) ^ 16)
	_ = -(unsafe.Sizeof(modePlane{}) ^ 32)
	_ = -(unsafe.Sizeof(objectProperties{}) ^ 32)
	_ = -(unsafe.Sizeof(modeProperty{}) ^ 64)
	_ = -(unsafe.Sizeof(propertyEnum{}) ^ 40)
	_ = -(unsafe.Sizeof(modeBlob{}) ^ 16)
	_ = -(unsafe.Sizeof(modeCreateBlob{}) ^ 16)
	_ = -(unsafe.Sizeof(modeCreateDumb{}) ^ 32)
	_ = -(unsafe.Sizeof(modeMapDumb{}) ^ 16)
	_ = -(unsafe.Sizeof(framebuffer{}) ^ 104)
	_ = -(unsafe.Sizeof(modeAtomic{}) ^ 56)
	_ = -(unsafe.Sizeof(closeFramebuffer{}) ^ 8)
	_ = -(unsafe.Sizeof(ModeInfo{}) ^ 68)
)
