package drm

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Memory is a dumb buffer: memory that a card shows from and that a program draws into.
type Memory struct {
	Handle uint32
	Pitch  int    // bytes from one line to the next, as the card wants it
	Data   []byte // mapped
}

// Allocate makes a dumb buffer of width × height pixels and maps it. Give it back by [Card.Free].
func (c *Card) Allocate(width, height, bitsPerPixel int) (*Memory, error) {
	d := modeCreateDumb{width: uint32(width), height: uint32(height), bitsPerPixel: uint32(bitsPerPixel)}
	if err := do(c, createDumb, &d); err != nil {
		return nil, fmt.Errorf("allocate %d × %d pixels: %w", width, height, err)
	}
	m := &Memory{Handle: d.handle, Pitch: int(d.pitch)}
	at := modeMapDumb{handle: d.handle}
	err := do(c, mapDumb, &at)
	if err == nil {
		m.Data, err = c.mmap(int64(at.offset), int(d.size))
	}
	if err != nil {
		_ = do(c, destroyDumb, &m.Handle) // it is of no use
		return nil, fmt.Errorf("map %d × %d pixels: %w", width, height, err)
	}
	return m, nil
}

func (c *Card) mmap(offset int64, size int) (data []byte, err error) {
	raw, err := c.file.SyscallConn()
	if err != nil {
		return nil, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		data, failed = unix.Mmap(int(fd), offset, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	})
	if err == nil {
		err = failed
	}
	return data, err
}

// Free unmaps the memory and gives it back. What a framebuffer shows of it stays until that is removed.
func (c *Card) Free(m *Memory) error {
	if err := unix.Munmap(m.Data); err != nil {
		return fmt.Errorf("unmap: %w", err)
	}
	m.Data = nil
	if err := do(c, destroyDumb, &m.Handle); err != nil {
		return fmt.Errorf("free: %w", err)
	}
	return nil
}

// Framebuffer describes how a picture lies in memory objects.
type Framebuffer struct {
	Format        uint32
	Width, Height int
	Planes        []FramebufferPlane // up to four
	Modifier      uint64             // told to the card if Explicit
	Explicit      bool
}

// FramebufferPlane is where one plane of a picture lies.
type FramebufferPlane struct {
	Handle        uint32
	Pitch, Offset int
}

// flagModifiers is DRM_MODE_FB_MODIFIERS.
const flagModifiers = 1 << 1

// AddFramebuffer makes a picture in memory known to the card. It keeps the memory alive. Give it back by
// [Card.RemoveFramebuffer].
func (c *Card) AddFramebuffer(f Framebuffer) (uint32, error) {
	cmd := framebuffer{width: uint32(f.Width), height: uint32(f.Height), format: f.Format}
	if len(f.Planes) > len(cmd.handles) {
		return 0, fmt.Errorf("framebuffer: %d planes", len(f.Planes))
	}
	if f.Explicit && c.capability(capModifiers) != 0 {
		cmd.flags = flagModifiers
	}
	for i, p := range f.Planes {
		cmd.handles[i], cmd.pitches[i], cmd.offsets[i] = p.Handle, uint32(p.Pitch), uint32(p.Offset)
		if cmd.flags&flagModifiers != 0 {
			cmd.modifiers[i] = f.Modifier
		}
	}
	if err := do(c, addBuffer, &cmd); err != nil {
		return 0, fmt.Errorf("framebuffer of %d × %d: %w", f.Width, f.Height, err)
	}
	return cmd.id, nil
}

// RemoveFramebuffer forgets a framebuffer, and takes it off the screen if it is there.
func (c *Card) RemoveFramebuffer(id uint32) error {
	if err := do(c, removeBuffer, &id); err != nil {
		return fmt.Errorf("remove framebuffer: %w", err)
	}
	return nil
}

// LeaveFramebuffer forgets a framebuffer and leaves it on the screen, until somebody else takes that. Linux before 6.8
// cannot: that is EINVAL.
func (c *Card) LeaveFramebuffer(id uint32) error {
	if err := do(c, closeBuffer, &closeFramebuffer{id: id}); err != nil {
		return fmt.Errorf("leave framebuffer: %w", err)
	}
	return nil
}

// ImportObject returns this card's handle of a dma-buf, such as a hardware decoder's. The same dma-buf has the same handle
// as long as that is open. Give it back by [Card.CloseObject].
func (c *Card) ImportObject(file uintptr) (uint32, error) {
	p := primeHandle{fd: int32(file)}
	if err := do(c, importObject, &p); err != nil {
		return 0, fmt.Errorf("import dma-buf: %w", err)
	}
	return p.handle, nil
}

// ExportObject makes a dma-buf of a memory object.
func (c *Card) ExportObject(handle uint32) (*os.File, error) {
	p := primeHandle{handle: handle, flags: unix.O_CLOEXEC | unix.O_RDWR}
	if err := do(c, exportObject, &p); err != nil {
		return nil, fmt.Errorf("export dma-buf: %w", err)
	}
	return os.NewFile(uintptr(p.fd), "dma-buf"), nil
}

// CloseObject gives a handle back.
func (c *Card) CloseObject(handle uint32) error {
	if err := do(c, closeObject, &gemClose{handle: handle}); err != nil {
		return fmt.Errorf("close object: %w", err)
	}
	return nil
}
