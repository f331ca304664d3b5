package supervise

import (
	"os"
	"testing"
)

func TestPSS(t *testing.T) {
	before, err := PSS(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	touched := make([]byte, size)
	for i := 0; i < size; i += os.Getpagesize() {
		touched[i] = 1
	}
	after, err := PSS(os.Getpid())
	if err != nil || after-before < size/2 {
		t.Errorf("%d MiB more are %d bytes more, %v", size>>20, after-before, err)
	}
	if touched[0] != 1 {
		t.Error("memory lost")
	}
	if _, err := PSS(0); err == nil {
		t.Error("there is no process 0, but it has a size")
	}
}
