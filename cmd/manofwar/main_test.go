package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// command runs one command and returns what it writes, and its error as main shows it.
func command(t *testing.T, args ...string) (out, complaints string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	err = run(ctx, args, terminal{in: strings.NewReader(""), out: &stdout, err: &stderr})
	if err != nil && !errors.Is(err, errUsage) {
		complain(&stderr, err)
	}
	return stdout.String(), stderr.String(), err
}

func TestCommandLinesThatAreNotUnderstood(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"sail"}, `there is no command "sail"`},
		{[]string{"--sails"}, "-sails"},
		{[]string{"serve"}, "name at least one folder"},
		{[]string{"serve", "--sails", "x"}, "-sails"},
		{[]string{"serve", t.TempDir(), "--listen", ":8080"}, "flags come before the folders: --listen"},
		{[]string{"status", "a", "b"}, "one URL at most"},
	} {
		_, complaints, err := command(t, c.args...)
		if !errors.Is(err, errUsage) || !strings.Contains(complaints, c.want) {
			t.Errorf("%q: %v, and\n%s", c.args, err, complaints)
		}
	}
	if out, complaints, err := command(t, "version"); err != nil || out != version+"\n" || complaints != "" {
		t.Errorf("version: %q, %q, %v", out, complaints, err)
	}
	if _, help, err := command(t, "--help"); err != nil || !strings.Contains(help, "serve ") || strings.Contains(help, "netmgr") {
		t.Errorf("help: %v\n%s", err, help)
	}
}

// TestServeSaysWhatIsInTheWay checks that what a person has to put right ends the program with words, rather than
// being tried again and again.
func TestServeSaysWhatIsInTheWay(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "song.mp3")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	state := "--state=" + t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"/no/such"}, "there is no folder /no/such"},
		{[]string{file}, "is a file: name the folder"},
		{[]string{state, "--listen", taken.Addr().String(), dir}, "choose another port"},
		{[]string{state, "--listen", "localhost", dir}, "such as 127.0.0.1:8080"},
		{[]string{"--state", filepath.Join(file, "x"), "--listen", "127.0.0.1:0", dir}, "name another folder with --state"},
	} {
		_, complaints, err := command(t, append([]string{"serve"}, c.args...)...)
		if err == nil || errors.Is(err, errUsage) || !strings.Contains(complaints, c.want) {
			t.Errorf("%q: %v, and\n%s", c.args, err, complaints)
		}
	}
}

func TestFoldersAreTakenOnce(t *testing.T) {
	top := t.TempDir()
	for _, sub := range []string{"Music/Jazz", "Music/.hidden", "Music 2"} {
		if err := os.MkdirAll(filepath.Join(top, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	at := func(sub string) string { return filepath.Join(top, filepath.FromSlash(sub)) }
	var told bytes.Buffer
	got, err := folders(terminal{err: &told}, []string{at("Music/Jazz"), at("Music"), at("Music/.hidden"), at("Music 2"), at("Music") + "/../Music"})
	if want := []string{at("Music"), at("Music 2"), at("Music/.hidden")}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if want := "manofwar: " + at("Music/Jazz") + " is in " + at("Music") + " already\n"; told.String() != want {
		t.Errorf("told %q, want %q", told.String(), want)
	}
}

func TestAnnounce(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "Open http://127.0.0.1:8080\n", "[fe80::1]:80": "Open http://[fe80::1]:80\n", "[::]:8080": "Open http://localhost:8080\n", "0.0.0.0:8080": "Open http://localhost:8080\n",
	} {
		var out strings.Builder
		announce(&out, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
		first, others, _ := strings.Cut(out.String(), "\n")
		if first+"\n" != want || strings.Contains(others, "127.0.0.1") || others != "" && addr[0] != '0' && addr != "[::]:8080" {
			t.Errorf("%s: %q", addr, out.String())
		}
	}
}

func TestStatus(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v1/status":
			w.Write([]byte(`{"name":"ship","version":"1.2","developer":true,"library":{"music":3,"films":1,"scan":{"running":true,"root":"USB","done":4,"found":9}},
				"notices":[{"message":"The disk \u001b[31m is away.","hint":"Plug it in."}]}`))
		case "/api/v1/services/catalog/log":
			w.Write([]byte(`{"lines":[{"time":"2026-01-02T03:04:05Z","text":"msg=ahoy"}]}`))
		default:
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte(`{"code":"not_found","message":"find service x: not found"}`))
		}
	}))
	out, _, err := command(t, "status", srv.URL)
	for _, want := range []string{"ship", "1.2, developer build", "The disk \uFFFD[31m is away. Plug it in.", "3 songs, 1 films; scanning USB: 4 of 9 files"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("no %q in %q, %v", want, out, err)
		}
	}
	if out, _, err := command(t, "status", "--log", "catalog", srv.URL); err != nil || !strings.HasSuffix(out, "  msg=ahoy\n") {
		t.Errorf("log: %q, %v", out, err)
	}
	if _, complaints, err := command(t, "status", "--log", "x", srv.URL); err == nil || !strings.Contains(complaints, "find service x: not found") {
		t.Errorf("unknown log: %q, %v", complaints, err)
	}
	srv.Close()
	if _, complaints, err := command(t, "status", srv.URL); err == nil || !strings.Contains(complaints, "Is manofwar running there?") || strings.Count(complaints, srv.URL) > 1 {
		t.Errorf("nobody there: %q, %v", complaints, err)
	}
}
