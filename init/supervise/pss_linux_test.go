package supervise

import (
	"os"
	"syscall"
	"testing"
)

func TestPSS(t *testing.T) {
	before, err := PSS(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	// Not from the heap: what the collector has freed and not given back yet would be counted before and after.
	touched, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(touched) })
	for i := 0; i < size; i += os.Getpagesize() {
		touched[i] = 1
	}
	after, err := PSS(os.Getpid())
	if err != nil || after-before < size/2 {
		t.Errorf("%d MiB more are %d bytes more, %v", size>>20, after-before, err)
	}
	if _, err := PSS(0); err == nil {
		t.Error("there is no process 0, but it has a size")
	}
}
