package guest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// AnswersEnv is the variable with the directory in which a test inside finds the lab's answers to [Ask].
const AnswersEnv = "LAB_ANSWERS"

// Asking is the pattern of a line by which a test inside asks the lab for something: a number and what.
const Asking = `(?m)^lab asks (\d+): (.*)\n`

// asked counts this process's questions.
var asked atomic.Int64

// Ask has the lab do something that a program in the guest cannot, such as pulling a plug, and waits until it is done. It
// is for test programs that the lab runs inside: the question is a line of their output, the answer a file with
// what went wrong, empty if nothing did.
func Ask(ctx context.Context, format string, args ...any) error {
	n, question := asked.Add(1), fmt.Sprintf(format, args...)
	if _, err := fmt.Printf("lab asks %d: %s\n", n, question); err != nil {
		return err
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		answer, err := os.ReadFile(filepath.Join(os.Getenv(AnswersEnv), AnswerName(n)))
		if err == nil && len(answer) == 0 {
			return nil
		}
		if err == nil {
			return fmt.Errorf("%s: %s", question, answer)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: the lab does not answer: %w", question, ctx.Err())
		}
	}
}

// AnswerName is the name of the file with the answer to a question.
func AnswerName(n int64) string { return fmt.Sprintf("answer-%d", n) }
