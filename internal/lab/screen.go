package lab

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Screen is what is plugged into a machine's graphics card, a virtio-gpu. It calls itself "QEMU Monitor", and prefers its
// own size.
type Screen struct {
	Width, Height int // in pixels; 0: 1280 × 720
}

var errNoGraphics = errors.New("lab: the machine has no graphics")

// vnc is the name of the socket on which QEMU offers the screen: what plugs it in and out, for QMP does not.
const vnc = "vnc.sock"

// orDefault fills in the size.
func (s Screen) orDefault() Screen {
	if s.Width == 0 || s.Height == 0 {
		return Screen{1280, 720}
	}
	return s
}

// arguments returns QEMU's. The memory is for pictures on the host's side: some of 1080p, and one of the largest mode.
func (s Screen) arguments(dir string) []string {
	s = s.orDefault()
	return []string{
		"-device", fmt.Sprintf("virtio-gpu-pci,id=screen,max_hostmem=1G,xres=%d,yres=%d", s.Width, s.Height),
		"-vnc", "unix:" + filepath.Join(dir, vnc),
	}
}

// Screendump returns what is on the screen. While the guest drives none, that is a picture of QEMU's own.
func (m *Machine) Screendump(ctx context.Context) (image.Image, error) {
	data, err := m.ScreenPNG(ctx)
	if err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(data))
}

// ScreenPNG returns what is on the screen as a PNG file.
func (m *Machine) ScreenPNG(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(m.dir, "screen-*.png")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := m.command("screendump", map[string]any{"filename": f.Name(), "format": "png"}); err != nil {
		return nil, err
	}
	return os.ReadFile(f.Name())
}

// PlugScreen plugs a screen of that size in, in the place of the one that is.
func (m *Machine) PlugScreen(ctx context.Context, s Screen) error {
	if s.Width <= 0 || s.Height <= 0 {
		return errors.New("lab: a screen without a size")
	}
	return m.setScreen(ctx, s)
}

// UnplugScreen pulls the screen's plug.
func (m *Machine) UnplugScreen(ctx context.Context) error {
	if m.cfg.Screen == nil {
		return errNoGraphics
	}
	// QEMU takes no news that are what it heard last, and begins with having heard of no screen.
	return errors.Join(m.setScreen(ctx, m.cfg.Screen.orDefault()), m.setScreen(ctx, Screen{}))
}

// setScreen has QEMU tell the guest of a screen of that size, as somebody does who watches over VNC and resizes the
// window (the message SetDesktopSize of the RFB protocol). No size is no screen.
func (m *Machine) setScreen(ctx context.Context, s Screen) error {
	if m.cfg.Screen == nil {
		return errNoGraphics
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(m.dir, vnc))
	if err != nil {
		return fmt.Errorf("lab: screen: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := resize(conn, s); err != nil {
		return fmt.Errorf("lab: screen: %w", err)
	}
	return nil
}

// resize speaks the RFB protocol (RFC 6143, section 7) up to one SetDesktopSize, and waits until it was heeded.
func resize(conn net.Conn, s Screen) error {
	const protocol = "RFB 003.008\n"
	if err := expect(conn, []byte(protocol)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, protocol); err != nil {
		return err
	}
	const unsecured = 1
	if err := expect(conn, []byte{1, unsecured}); err != nil { // one kind of security
		return err
	}
	if _, err := conn.Write([]byte{unsecured}); err != nil {
		return err
	}
	if err := expect(conn, []byte{0, 0, 0, 0}); err != nil { // it was taken
		return err
	}
	if _, err := conn.Write([]byte{1}); err != nil { // others may watch as well
		return err
	}
	const setDesktopSize, screens = 251, 1
	order := binary.BigEndian
	message := []byte{setDesktopSize, 0}
	message = order.AppendUint16(message, uint16(s.Width))
	message = order.AppendUint16(message, uint16(s.Height))
	message = append(message, screens, 0)
	message = append(message, make([]byte, 8)...) // the number of the screen, and where it is
	message = order.AppendUint16(message, uint16(s.Width))
	message = order.AppendUint16(message, uint16(s.Height))
	message = append(message, make([]byte, 4)...) // flags
	if _, err := conn.Write(message); err != nil {
		return err
	}
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn) // it ends when all has been read
	return err
}

// expect reads what has to come.
func expect(r io.Reader, want []byte) error {
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("got %q instead of %q", got, want)
	}
	return nil
}
