//go:build !linux

package native

import (
	"errors"
	"fmt"
	"log/slog"

	"manofwar/internal/service"
)

func (o Options) open(*slog.Logger) (outputs, error) {
	return outputs{}, fmt.Errorf("%w: %w: the player plays on Linux only", errors.ErrUnsupported, service.ErrFinal)
}
