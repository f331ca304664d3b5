package decode

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/player"
)

// child is a running ffmpeg.
type child struct {
	kill context.CancelFunc
	done chan struct{} // closed when it has ended and been waited for
	err  error         // how it ended; valid after done
	said *tail
}

// start runs the program with the ends of pipes as its output, which may be nil, and as descriptors from 3 on, and
// closes those ends here.
//
// It is killed when ctx ends, and when this process dies. The kernel does the latter when the thread that started it
// dies, so that thread waits for it: threads of the runtime come and go.
func start(ctx context.Context, program string, args []string, output *os.File, ends ...*os.File) (*child, error) {
	ctx, kill := context.WithCancel(ctx)
	c := &child{kill: kill, done: make(chan struct{}), said: &tail{}}
	cmd := exec.CommandContext(ctx, program, args...)
	if output != nil {
		cmd.Stdout = output
	}
	cmd.ExtraFiles = ends
	cmd.Stderr = c.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine, after the child
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		c.err = cmd.Wait()
		close(c.done)
	}()
	err := <-started
	for _, end := range append(ends, output) {
		if end != nil {
			_ = end.Close()
		}
	}
	if err != nil {
		kill()
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			err = player.ErrNoDecoder
		}
		return nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
	}
	yield(cmd.Process.Pid)
	return c, nil
}

// yield has the child give way to this process, which must not be late: for the processor, and for memory, where the
// kernel takes the child when there is no more. Where the system does not let it, things go on without.
func yield(pid int) {
	_ = unix.Setpriority(unix.PRIO_PROCESS, pid, niceness)
	_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("500"), 0)
}

// niceness of the decoder. Threads that it starts inherit it.
const niceness = 5

// wait waits for the child to be gone, but no longer than that.
func (c *child) wait(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c.done:
		return nil
	case <-timer.C:
		return errors.New("the decoder does not end: the disk that it reads does not answer")
	}
}

// result waits for the child to end by itself and says what went wrong, nil where nothing did: [player.ErrKilled] where
// something else ended it, such as the kernel for want of memory.
func (c *child) result() error {
	<-c.done
	said := c.said.last()
	exit, failed := errors.AsType[*exec.ExitError](c.err)
	switch {
	case failed && !exit.Exited():
		return fmt.Errorf("%w (%s)", player.ErrKilled, exit)
	case c.err != nil:
		return explain(said, c.err)
	case strings.Contains(said, inputOutput):
		return errUnread
	}
	return nil
}

// pipe returns the ends of a new pipe: one to read from, which waits in the runtime's poller, and one for the child,
// which blocks as programs expect.
func pipe() (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("make a pipe: %w", err)
	}
	// A larger pipe saves the processes waking each other. Where the user has too many of them it stays small, and works.
	_, _ = unix.FcntlInt(uintptr(fds[0]), unix.F_SETPIPE_SZ, pipeSize)
	if err := unix.SetNonblock(fds[0], true); err != nil {
		_, _ = unix.Close(fds[0]), unix.Close(fds[1])
		return nil, nil, fmt.Errorf("make a pipe: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe"), nil
}

// pipeSize is the most that an ordinary user may have without asking (pipe(7), pipe-max-size).
const pipeSize = 1 << 20

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex // guards kept
	kept []byte
}

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if n := len(t.kept); n > 2*tailSize {
		t.kept = append(t.kept[:0], t.kept[n-tailSize:]...)
	}
	return len(p), nil
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept[max(0, len(t.kept)-tailSize):])
}
