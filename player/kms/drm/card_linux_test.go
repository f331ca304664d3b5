package drm

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel answers a card's ioctls in the kernel's place, with the numbers of the C headers.
type kernel struct {
	t    *testing.T
	does map[uintptr]func(argument unsafe.Pointer) error
	seen []call
}

type call struct {
	request  uintptr
	argument []byte // before the kernel answered
}

// The numbers that a C program prints of drm.h.
const (
	numCloseObject   = 0x40086409
	numGetCap        = 0xc010640c
	numExport        = 0xc00c642d
	numImport        = 0xc00c642e
	numGetSequence   = 0xc018643b
	numGetResources  = 0xc04064a0
	numGetConnector  = 0xc05064a7
	numRemoveBuffer  = 0xc00464af
	numCreateDumb    = 0xc02064b2
	numMapDumb       = 0xc01064b3
	numDestroyDumb   = 0xc00464b4
	numAddBuffer     = 0xc06864b8
	numGetProperties = 0xc02064b9
	numGetProperty   = 0xc04064aa
	numAtomic        = 0xc03864bc
	numCreateBlob    = 0xc01064bd
	numDestroyBlob   = 0xc00464be
)

// newKernel returns a card whose ioctls go to the kernel.
func newKernel(t *testing.T) (*kernel, *Card) {
	k := &kernel{t: t, does: make(map[uintptr]func(unsafe.Pointer) error)}
	c := newCard("/dev/dri/card0", nil)
	c.ioctl = func(request uintptr, argument unsafe.Pointer) error {
		size := request >> 16 & 0x3fff
		k.seen = append(k.seen, call{request, bytes.Clone(unsafe.Slice((*byte)(argument), size))})
		if f := k.does[request]; f != nil {
			return f(argument)
		}
		return unix.EINVAL
	}
	return k, c
}

// last returns the argument of the last call, which must have the number.
func (k *kernel) last(request uintptr) []byte {
	k.t.Helper()
	if len(k.seen) == 0 || k.seen[len(k.seen)-1].request != request {
		k.t.Fatalf("the last call was not %#x: %+v", request, k.seen)
	}
	return k.seen[len(k.seen)-1].argument
}

// well answers a call with nothing.
func well(unsafe.Pointer) error { return nil }

// at returns what a pointer in an argument points to. It is not inlined: the compiler would see through the number.
//
//go:noinline
func at[T any](address uint64, n int) []T {
	return unsafe.Slice((*T)(*(*unsafe.Pointer)(unsafe.Pointer(&address))), n)
}

func TestNumbers(t *testing.T) {
	for name, n := range map[string][2]uintptr{
		"VERSION":        {request(getVersion.direction, getVersion.number, unsafe.Sizeof(version{})), 0xc0406400},
		"SET_CLIENT_CAP": {request(setCapability.direction, setCapability.number, unsafe.Sizeof(setClientCap{})), 0x4010640d},
		"SET_MASTER":     {request(none, 0x1e, 0), 0x641e},
		"DROP_MASTER":    {request(none, 0x1f, 0), 0x641f},
		"GETENCODER":     {request(getEncoder.direction, getEncoder.number, unsafe.Sizeof(modeEncoder{})), 0xc01464a6},
		"GETPROPBLOB":    {request(getBlob.direction, getBlob.number, unsafe.Sizeof(modeBlob{})), 0xc01064ac},
		"GETPLANERES":    {request(getPlanes.direction, getPlanes.number, unsafe.Sizeof(planeResources{})), 0xc01064b5},
		"GETPLANE":       {request(getPlane.direction, getPlane.number, unsafe.Sizeof(modePlane{})), 0xc02064b6},
		"CLOSEFB":        {request(closeBuffer.direction, closeBuffer.number, unsafe.Sizeof(closeFramebuffer{})), 0xc00864d0},
	} {
		if n[0] != n[1] {
			t.Errorf("%s is %#x, want %#x", name, n[0], n[1])
		}
	}
}

func TestAddFramebufferAsTheKernelReadsIt(t *testing.T) {
	k, c := newKernel(t)
	k.does[numGetCap] = func(argument unsafe.Pointer) error {
		(*getCap)(argument).value = 1
		return nil
	}
	k.does[numAddBuffer] = func(argument unsafe.Pointer) error {
		(*framebuffer)(argument).id = 55
		return nil
	}
	id, err := c.AddFramebuffer(Framebuffer{
		Format: 'Y' | 'U'<<8 | '1'<<16 | '2'<<24, Width: 1920, Height: 1080, Modifier: 0x0700000000000001, Explicit: true,
		Planes: []FramebufferPlane{{7, 1920, 0}, {7, 960, 2073600}, {9, 960, 64}},
	})
	if id != 55 || err != nil {
		t.Errorf("got %d, %v", id, err)
	}
	const want = "00000000800700003804000059553132020000000700000007000000090000000000000080070000c0030000c003000000000000" +
		"0000000000a41f004000000000000000000000000100000000000007010000000000000701000000000000070000000000000000"
	if got := hex.EncodeToString(k.last(numAddBuffer)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := c.AddFramebuffer(Framebuffer{Planes: make([]FramebufferPlane, 5)}); err == nil {
		t.Error("five planes were taken")
	}
}

func TestCommitAsTheKernelReadsIt(t *testing.T) {
	k, c := newKernel(t)
	var objects, counts, properties []uint32
	var values []uint64
	k.does[numAtomic] = func(argument unsafe.Pointer) error {
		a := (*modeAtomic)(argument)
		objects, counts = slices.Clone(at[uint32](a.objects, 2)), slices.Clone(at[uint32](a.counts, 2))
		properties, values = slices.Clone(at[uint32](a.properties, 3)), slices.Clone(at[uint64](a.values, 3))
		a.objects, a.counts, a.properties, a.values = 0, 0, 0, 0
		return unix.EBUSY
	}
	var commit Commit
	commit.Set(31, Property{ID: 17}, 99)
	commit.Set(31, Property{ID: 20}, 1<<40)
	commit.Set(45, Property{ID: 17}, 0)
	if err := c.Commit(&commit, NonBlock|WithFlip, 5); !errors.Is(err, unix.EBUSY) {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(objects, []uint32{31, 45}) || !slices.Equal(counts, []uint32{2, 1}) ||
		!slices.Equal(properties, []uint32{17, 20, 17}) || !slices.Equal(values, []uint64{99, 1 << 40, 0}) {
		t.Errorf("got %v %v %v %v", objects, counts, properties, values)
	}
	got := k.last(numAtomic)
	for i := 8; i < 40; i++ {
		got[i] = 0x11 * byte(i/8) // the pointers, which differ each time
	}
	const want = "0102000002000000111111111111111122222222222222223333333333333333444444444444444400000000000000000500000000000000"
	if text := hex.EncodeToString(got); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	var all [][3]uint64
	commit.All(func(object, property uint32, value uint64) {
		all = append(all, [3]uint64{uint64(object), uint64(property), value})
	})
	if want := [][3]uint64{{31, 17, 99}, {31, 20, 1 << 40}, {45, 17, 0}}; !slices.Equal(all, want) {
		t.Errorf("got %v, want %v", all, want)
	}
}

func TestImportAsTheKernelReadsIt(t *testing.T) {
	k, c := newKernel(t)
	k.does[numImport] = func(argument unsafe.Pointer) error {
		(*primeHandle)(argument).handle = 7
		return nil
	}
	if handle, err := c.ImportObject(42); handle != 7 || err != nil {
		t.Errorf("got %d, %v", handle, err)
	}
	if got := hex.EncodeToString(k.last(numImport)); got != "00000000000000002a000000" {
		t.Errorf("got %s", got)
	}
	k.does[numCloseObject] = well
	if err := c.CloseObject(7); err != nil || hex.EncodeToString(k.last(numCloseObject)) != "0700000000000000" {
		t.Errorf("got %v, %x", err, k.last(numCloseObject))
	}
	if _, err := c.ExportObject(7); !errors.Is(err, unix.EINVAL) {
		t.Errorf("got %v", err)
	}
	if got := hex.EncodeToString(k.last(numExport)); got != "070000000200080000000000" {
		t.Errorf("got %s", got)
	}
}

func TestAllocateGivesBackWhatItCannotMap(t *testing.T) {
	k, c := newKernel(t)
	k.does[numCreateDumb] = func(argument unsafe.Pointer) error {
		d := (*modeCreateDumb)(argument)
		d.handle, d.pitch, d.size = 3, 1920, 1920*1620
		return nil
	}
	k.does[numMapDumb] = func(unsafe.Pointer) error { return unix.ENOMEM }
	k.does[numDestroyDumb] = well
	if _, err := c.Allocate(1920, 1620, 8); !errors.Is(err, unix.ENOMEM) {
		t.Errorf("got %v", err)
	}
	if got := hex.EncodeToString(k.seen[0].argument); k.seen[0].request != numCreateDumb ||
		got != "5406000080070000080000000000000000000000000000000000000000000000" {
		t.Errorf("got %s", got)
	}
	if got := hex.EncodeToString(k.last(numDestroyDumb)); got != "03000000" {
		t.Errorf("got %s", got)
	}
}

func TestReadConnectorAsksAgainWhenThereIsMore(t *testing.T) {
	k, c := newKernel(t)
	probes, modes := 0, uint32(1)
	k.does[numGetConnector] = func(argument unsafe.Pointer) error {
		g := (*modeConnector)(argument)
		if g.modeCount == 0 {
			probes++
		}
		if g.modeCount >= modes {
			for i := range modes {
				at[ModeInfo](g.modes, int(modes))[i] = ModeInfo{HDisplay: uint16(i + 1)}
			}
		}
		if g.encoderCount >= 1 {
			at[uint32](g.encoders, 1)[0] = 88
		}
		g.modeCount, g.encoderCount, g.encoder, g.kind, g.number, g.connection = modes, 1, 88, 11, 2, connected
		modes = min(modes+1, 3)
		return nil
	}
	got, err := c.ReadConnector(6, true)
	if err != nil || got.ID != 6 || got.Name != "HDMI-A-2" || !got.Connected || got.Encoder != 88 ||
		!slices.Equal(got.Encoders, []uint32{88}) || len(got.Modes) != 3 || got.Modes[2].HDisplay != 3 {
		t.Errorf("got %+v, %v", got, err)
	}
	if probes != 1 {
		t.Errorf("%d probes, want 1", probes)
	}
}

func TestReadProperties(t *testing.T) {
	k, c := newKernel(t)
	k.does[numGetProperties] = func(argument unsafe.Pointer) error {
		o := (*objectProperties)(argument)
		if o.object != 31 || Object(o.kind) != Plane {
			return unix.ENOENT
		}
		if o.count >= 2 {
			copy(at[uint32](o.properties, int(2)), []uint32{8, 9})
			copy(at[uint64](o.values, int(2)), []uint64{1, 2})
		}
		o.count = 2
		return nil
	}
	described := 0
	k.does[numGetProperty] = func(argument unsafe.Pointer) error {
		described++
		p := (*modeProperty)(argument)
		if p.id == 8 {
			copy(p.name[:], "type")
			p.flags = propertyEnums | propertyImmutable
			if p.enumCount >= 1 {
				e := &at[propertyEnum](p.enums, 1)[0]
				e.value = 1
				copy(e.name[:], "Primary")
			}
			p.enumCount = 1
			return nil
		}
		copy(p.name[:], "FB_ID")
		return nil
	}
	for range 2 {
		got, err := c.ReadProperties(31, Plane)
		if err != nil || len(got) != 2 || got["FB_ID"].ID != 9 || got["FB_ID"].Value != 2 || !got["type"].Immutable ||
			got["type"].Enum["Primary"] != 1 {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if described != 3 {
		t.Errorf("described %d times, want 3: what a property is does not change", described)
	}
}

func TestBlobs(t *testing.T) {
	k, c := newKernel(t)
	var mode []byte
	k.does[numCreateBlob] = func(argument unsafe.Pointer) error {
		b := (*modeCreateBlob)(argument)
		mode = bytes.Clone(at[byte](b.data, int(b.length)))
		b.id = 12
		return nil
	}
	m := ModeInfo{
		Clock: 74176, HDisplay: 1920, HSyncStart: 2558, HSyncEnd: 2602, HTotal: 2750, VDisplay: 1080, VSyncStart: 1084, VSyncEnd: 1089,
		VTotal: 1125, VRefresh: 24, Flags: 5, Type: 0x48,
	}
	copy(m.Name[:], "1920x1080")
	const want = "c02101008007fe092a0abe0a000038043c0441046504000018000000050000004800000031393230783130383000000000000000" +
		"00000000000000000000000000000000"
	if id, err := c.ModeBlob(m); id != 12 || err != nil || hex.EncodeToString(mode) != want {
		t.Errorf("got %d, %v, %x", id, err, mode)
	}
	k.does[numDestroyBlob] = well
	if err := c.DestroyBlob(12); err != nil || hex.EncodeToString(k.last(numDestroyBlob)) != "0c000000" {
		t.Errorf("got %v", err)
	}
}

func TestResourcesAsksAgainWhenThereIsMore(t *testing.T) {
	k, c := newKernel(t)
	connectors := uint32(0)
	k.does[numGetResources] = func(argument unsafe.Pointer) error {
		r := (*cardResources)(argument)
		if r.connectorCount >= connectors {
			for i := range connectors {
				at[uint32](r.connectors, int(connectors))[i] = 40 + i
			}
		}
		r.crtcCount, r.connectorCount, r.maxWidth, r.maxHeight = 0, connectors, 7680, 4320
		connectors = min(connectors+1, 2)
		return nil
	}
	got, err := c.Resources()
	if err != nil || !slices.Equal(got.Connectors, []uint32{40, 41}) || got.MaxWidth != 7680 || got.MaxHeight != 4320 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestHasVBlank(t *testing.T) {
	k, c := newKernel(t)
	k.does[numGetSequence] = func(unsafe.Pointer) error { return unix.EOPNOTSUPP }
	if c.HasVBlank(31) {
		t.Error("a card that does not count has vertical blanks")
	}
	k.does[numGetSequence] = well
	if !c.HasVBlank(31) || hex.EncodeToString(k.last(numGetSequence)[:4]) != "1f000000" {
		t.Error("a card that counts has none")
	}
	k.does[numRemoveBuffer] = well
	if err := c.RemoveFramebuffer(9); err != nil || hex.EncodeToString(k.last(numRemoveBuffer)) != "09000000" {
		t.Errorf("got %v", err)
	}
}
