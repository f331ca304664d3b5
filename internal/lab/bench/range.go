package bench

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// rangeSize is what is downloaded, in bytes.
	rangeSize = 1 << 30
	// rangeRounds is how often each side is measured, in turns. A virtual machine's memory is now faster, now slower, by
	// a third; two downloads that follow each other see the same of it.
	rangeRounds = 31
)

// Downloads are the speeds of downloads in MB/s: medians of rounds. Ratio is ours to nginx's, the median of the ratios
// of each round.
type Downloads struct{ Ours, Nginx, Ratio float64 }

// Range measures a download of 1 GB over loopback by one client: from "manofwar serve", and from
// nginx with Debian's settings. The file is in the page cache, so that it is the servers that are compared. dir
// holds the file, which takes no space on the disk.
func Range(ctx context.Context, dir string) (Downloads, error) {
	return compareDownloads(ctx, dir, func(ctx context.Context, target string) (int64, error) {
		return drain(ctx, target, "")
	})
}

// RangeMany is [Range] for a hundred clients at once that seek about: each asks for 1 MB in eight places.
func RangeMany(ctx context.Context, dir string) (Downloads, error) {
	const clients, each, length = 100, 8, 1 << 20
	return compareDownloads(ctx, dir, func(ctx context.Context, target string) (int64, error) {
		var wg sync.WaitGroup
		errs := make([]error, clients)
		for c := range clients {
			wg.Go(func() {
				for i := range each {
					start := (c*each + i) * 7919 * 4096 % (rangeSize - length)
					_, err := drain(ctx, target, fmt.Sprintf("bytes=%d-%d", start, start+length-1))
					errs[c] = errors.Join(errs[c], err)
				}
			})
		}
		wg.Wait()
		return clients * each * length, errors.Join(errs...)
	})
}

// compareDownloads runs load, which returns how many bytes came, against both servers in turns. Each server is a process
// of its own, started the way a person would.
func compareDownloads(ctx context.Context, dir string, load func(ctx context.Context, target string) (int64, error)) (d Downloads, err error) {
	library := filepath.Join(dir, "library")
	if err := os.Mkdir(library, 0o755); err != nil {
		return d, err
	}
	defer os.RemoveAll(library)
	if err := makeSilence(filepath.Join(library, "silence.wav"), rangeSize); err != nil {
		return d, err
	}
	peer, stopPeer, err := startNginx(ctx, library)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, stopPeer()) }()
	base, stop, err := startServe(ctx, dir, library)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	item, err := onlyItem(ctx, base)
	if err != nil {
		return d, err
	}
	targets := []string{base + "/media/" + item + "/file", peer + "/silence.wav"}
	var rates [2][]float64
	var ratios []float64
	for round := range rangeRounds + 1 {
		for i, target := range targets {
			start := time.Now()
			n, err := load(ctx, target)
			if err != nil {
				return d, fmt.Errorf("%s: %w", target, err)
			}
			if round > 0 { // the first fills the page cache
				rates[i] = append(rates[i], float64(n)/1e6/time.Since(start).Seconds())
			}
		}
	}
	for i, ours := range rates[0] {
		ratios = append(ratios, ours/rates[1][i])
	}
	return Downloads{median(rates[0]), median(rates[1]), median(ratios)}, nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// makeSilence writes a WAV file of silence, size bytes long, that takes no space on the disk.
func makeSilence(path string, size uint32) error {
	head := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x44\xac\x00\x00\x10\xb1\x02\x00\x04\x00\x10\x00data\x00\x00\x00\x00")
	binary.LittleEndian.PutUint32(head[4:], size-8)
	binary.LittleEndian.PutUint32(head[40:], size-44)
	if err := os.WriteFile(path, head, 0o644); err != nil {
		return err
	}
	return os.Truncate(path, int64(size))
}

// startServe builds manofwar and serves library with it on a loopback port until stop is called. What it needs is kept
// in dir.
func startServe(ctx context.Context, dir, library string) (base string, stop func() error, err error) {
	bin := filepath.Join(dir, "manofwar")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", bin, "manofwar/cmd/manofwar").CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("build manofwar: %w: %s", err, out)
	}
	cmd := exec.CommandContext(ctx, bin, "serve", "--listen", "127.0.0.1:0", "--state", filepath.Join(dir, "state"), library)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if stop, err = start(cmd); err != nil {
		return "", nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "Open "); ok {
			return at, stop, nil
		}
	}
	return "", nil, errors.Join(errors.New("manofwar serve ended without an address"), stop())
}

// start starts a server; stop ends it and waits.
func start(cmd *exec.Cmd) (stop func() error, err error) {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself: Wait says why
		return cmd.Wait()
	}, nil
}

// onlyItem waits until the library has been scanned and returns the ID of what it holds.
func onlyItem(ctx context.Context, base string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var page struct{ Items []struct{ ID string } }
	for len(page.Items) == 0 {
		var body strings.Builder
		err := receive(ctx, base+"/api/v1/items", &body)
		if err == nil {
			err = json.Unmarshal([]byte(body.String()), &page)
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(errors.New("the scan found nothing"), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return page.Items[0].ID, nil
}

// drains holds what clients read into.
var drains = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// drain downloads target, or a range of it, over a connection of its own and returns the length of the body. It is as
// thin as a client can be: what it costs is not the servers' doing.
func drain(ctx context.Context, target, ranges string) (n int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return 0, err
	}
	if ranges != "" {
		req.Header.Set("Range", ranges)
	}
	conn, err := dialURL(ctx, req.URL)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := req.Write(conn); err != nil {
		return 0, err
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, req)
	if err != nil {
		return 0, err
	}
	// The body is read around resp, whose Close would wait for it once more; the connection's ends it.
	if resp.StatusCode/100 != 2 {
		return 0, errors.New(resp.Status)
	}
	if n, err = io.CopyN(io.Discard, in, int64(in.Buffered())); err != nil {
		return n, err
	}
	buf := drains.Get().(*[256 << 10]byte)
	defer drains.Put(buf)
	for n < resp.ContentLength {
		m, err := conn.Read(buf[:])
		n += int64(m)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func dialURL(ctx context.Context, u *url.URL) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", u.Host)
}

// nginxConf has the settings of Debian's nginx.conf that matter for files. Its places are the port and the directory.
const nginxConf = `daemon off;
%s
worker_processes auto;
pid nginx.pid;
error_log error.log;
events { worker_connections 768; }
http {
	sendfile on;
	tcp_nopush on;
	access_log off;
	default_type application/octet-stream;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	server { listen %s; root %s; }
}
`

// startNginx serves dir on a loopback port until stop is called.
func startNginx(ctx context.Context, dir string) (base string, stop func() error, err error) {
	prefix, err := os.MkdirTemp("", "nginx")
	if err != nil {
		return "", nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	addr := ln.Addr().String()
	_ = ln.Close() // nginx opens it again
	root, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // the directory may be nobody else's to read
	}
	conf := filepath.Join(prefix, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, user, addr, root), 0o600); err != nil {
		return "", nil, err
	}
	end, err := start(exec.CommandContext(ctx, "nginx", "-p", prefix, "-c", conf))
	if err != nil {
		return "", nil, fmt.Errorf("start nginx (Debian's package is nginx-light): %w", err)
	}
	stop = func() error { return errors.Join(end(), os.RemoveAll(prefix)) }
	if err := answers(ctx, addr); err != nil {
		return "", nil, errors.Join(err, stop())
	}
	return "http://" + addr, stop, nil
}

// answers waits until somebody listens at addr.
func answers(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for nginx: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
