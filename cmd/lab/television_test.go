package main

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestTelevision(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shots := 0
	tv := &television{shot: func(context.Context) ([]byte, error) {
		if shots++; shots == 1 {
			return nil, errors.New("between two boots")
		}
		return []byte{'0' + byte(shots)}, nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tv.serve(ctx, ln) }()
	base := "http://" + ln.Addr().String()

	page, err := http.Get(base + "/")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(page.Body)
	page.Body.Close()
	if !strings.Contains(string(body), `src="live"`) {
		t.Errorf("the page is %q", body)
	}
	live, err := http.Get(base + "/live")
	if err != nil {
		t.Fatal(err)
	}
	defer live.Body.Close()
	_, params, err := mime.ParseMediaType(live.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(live.Body, params["boundary"])
	for want := byte('2'); want <= '4'; {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 1)
		if _, err := io.ReadFull(part, got); err != nil {
			t.Fatal(err)
		}
		switch got[0] {
		case want:
			want++
		case want - 1: // asked again before another one was due
		default:
			t.Fatalf("got picture %q, want %q", got, want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
