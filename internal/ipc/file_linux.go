package ipc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"

	"manofwar/internal/media"
)

// SendFile answers r with an open file instead of bytes: the caller gets a descriptor of its own (unix(7), SCM_RIGHTS).
// The file remains the server's to close. After an error nothing has been answered yet.
func SendFile(w http.ResponseWriter, f *os.File) error {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return fmt.Errorf("send %s: %w", f.Name(), err)
	}
	defer conn.Close()
	uc, ok := conn.(*net.UnixConn)
	if !ok {
		return nil // cannot be: admit has asked the socket who calls
	}
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	_, _, _ = uc.WriteMsgUnix([]byte(answer), syscall.UnixRights(int(f.Fd())), nil) // the client has left if this fails
	return nil
}

// File sends one request and returns the file that the server answers with. Errors are as [Client.Call]'s.
func (c *Client) File(ctx context.Context, method, path string) (*os.File, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", c.socket)
	if err != nil {
		return nil, &media.Error{Op: "call " + c.name, Err: errors.Join(media.ErrBusy, err), Hint: "It is being restarted. Try again in a moment."}
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	file, err := askFile(conn.(*net.UnixConn), method, "http://"+c.name+path)
	if ctx.Err() != nil {
		if file != nil {
			_ = file.Close()
		}
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", c.name, err)
	}
	return file, nil
}

// askFile sends the request and reads the whole answer: descriptors come beside its bytes, where a plain read loses them.
func askFile(conn *net.UnixConn, method, url string) (*os.File, error) {
	req, err := http.NewRequest(method, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Close = true
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	var answer []byte
	var files []*os.File
	buf, oob := make([]byte, 4096), make([]byte, syscall.CmsgSpace(4))
	for err == nil && len(answer) < MaxBody {
		var n, oobn int
		n, oobn, _, _, err = conn.ReadMsgUnix(buf, oob)
		answer = append(answer, buf[:n]...)
		files = append(files, received(oob[:oobn])...)
		if n == 0 && oobn == 0 {
			break
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err == nil {
		err = checkAnswer(req, answer, len(files))
	}
	if err != nil {
		for _, f := range files {
			_ = f.Close()
		}
		return nil, err
	}
	return files[0], nil
}

// received wraps the descriptors of a control message.
func received(oob []byte) (files []*os.File) {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return nil // without a file the answer is refused
	}
	for _, m := range messages {
		fds, err := syscall.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files
}

// checkAnswer returns the error that the answer is, or nil where it is one file.
func checkAnswer(req *http.Request, answer []byte, files int) error {
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		e := &Error{Status: resp.StatusCode}
		if err := json.NewDecoder(resp.Body).Decode(e); err != nil || e.Message == "" {
			e.Code, e.Message = "internal", "answered "+resp.Status
		}
		return e
	}
	if files != 1 {
		return fmt.Errorf("%d files in the answer, want one", files)
	}
	return nil
}
