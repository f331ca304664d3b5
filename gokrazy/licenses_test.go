package gokrazy_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"manofwar/board/qemu"
	"manofwar/gokrazy"
	"manofwar/rootfs"
)

// TestLicenses holds what the image says about the programs in it against what they are linked from.
func TestLicenses(t *testing.T) {
	o := testOptions(t, testInstance(t, map[string]string{
		"cmd/manofwar/main.go": "package main\n\nimport \"golang.org/x/sys/unix\"\n\nfunc main() { unix.Sync() }\n",
		"LICENSE":              "ours",
	}), qemu.Board())
	texts := map[string]string{}
	o.Root = func(ctx context.Context, ro rootfs.Options) (*rootfs.Tree, error) {
		for name, content := range ro.Licenses {
			r, err := content.Open()
			if err != nil {
				return nil, err
			}
			defer r.Close()
			text, err := io.ReadAll(r)
			if err != nil {
				return nil, err
			}
			texts[name] = string(text)
		}
		return testRoot(ctx, ro)
	}
	if _, err := gokrazy.Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"golang.org/x/sys": "Redistribution and use", "go": "Redistribution and use", "manofwar": "ours", "linux": "GNU GENERAL PUBLIC LICENSE",
	} {
		if !strings.Contains(texts[name], want) {
			t.Errorf("%s: %.100q; want it to contain %q", name, texts[name], want)
		}
	}
	if text, ok := texts["golang.org/x/net"]; ok {
		t.Errorf("a module that is not linked: %.100q", text)
	}
}
