package index_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// childState makes this test's own program the child process of TestKilledWhileWriting.
const childState = "MANOFWAR_TEST_STATE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childState); dir != "" {
		writeForEver(dir)
	}
	os.Exit(m.Run())
}

// writeForEver adds songs to the index, ten at a time, and says how many are in the file.
func writeForEver(dir string) {
	x := open(nil, dir)
	n := 0
	for _, r := range x.Roots() {
		n = r.Items
	}
	x.SetRoot(root)
	for {
		for range 10 {
			x.Put(song(n), 1)
			n++
		}
		if x.Flush(); x.Trouble() != "" {
			panic(x.Trouble())
		}
		fmt.Println(n)
	}
}

// TestKilledWhileWriting kills a process that writes the index at random moments. What it had said to be in the file
// is in it, and what came back is whole.
func TestKilledWhileWriting(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, said := t.TempDir(), 0
	for range 12 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond+time.Duration(rand.IntN(150))*time.Millisecond)
		cmd := exec.CommandContext(ctx, program) // killed when its time is over
		cmd.Env = append(os.Environ(), childState+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				said = n
			}
		}
		if err := cmd.Wait(); err == nil || ctx.Err() == nil {
			t.Fatalf("the child ended by itself: %v", err)
		}
		cancel()

		x := open(t, dir)
		items := all(t, x)
		if len(items) < said || len(items)%10 != 0 {
			t.Fatalf("%d items came back, %d were said to be in the file", len(items), said)
		}
		for _, it := range items {
			if want := song(int(it.Size - 1000)); it.Title != want.Title || it.Path != want.Path {
				t.Fatalf("came back as %+v", it)
			}
		}
		closeIndex(t, x)
	}
	if said == 0 {
		t.Error("no child wrote anything")
	}
	if _, err := os.Stat(dir + "/index.db.damaged"); err == nil {
		t.Error("a kill damaged the index")
	}
	t.Logf("%d items written", said)
}
