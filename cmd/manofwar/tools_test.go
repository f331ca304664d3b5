//go:build !gokrazy

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestToolsSayWhatIsWrong(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir()) // the developer's key is not for tests
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte(`{"Hostname": "Not A Host", "Packages": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	card := filepath.Join(dir, "card")
	if err := os.WriteFile(card, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"image", "--board", "paperclip"}, `there is no board "paperclip": there are raspberrypi, qemu`},
		{[]string{"image", "--config", filepath.Join(dir, "nowhere.json")}, "nowhere.json"},
		{[]string{"image", "--config", bad}, "Hostname"},
		{[]string{"image", "--units", filepath.Join(dir, "nowhere.json")}, "nowhere.json"},
		{[]string{"image", "now"}, "takes no arguments"},
		{[]string{"flash"}, "name the card's device"},
		{[]string{"flash", "--image", filepath.Join(dir, "none.img"), card}, "none.img"},
		{[]string{"flash", "--country", "Germany", card}, "country"},
	} {
		_, complaints, err := command(t, c.args...)
		if err == nil || !strings.Contains(complaints, c.want) {
			t.Errorf("%q: %v, and\n%s\nwant %q in it", c.args, err, complaints, c.want)
		}
	}
}

func TestSourceDate(t *testing.T) {
	if got, err := sourceDate(""); err != nil || !got.IsZero() {
		t.Errorf("none: %v, %v", got, err)
	}
	if got, err := sourceDate("1767225600"); err != nil || got.Format("2006-01-02") != "2026-01-01" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := sourceDate("yesterday"); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH=yesterday") {
		t.Errorf("error %v", err)
	}
}
