package tv

import (
	"context"
	"time"

	"manofwar/internal/media"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/renderer"
)

// Where implements [renderer.InStep].
func (t *TV) Where(ctx context.Context) (renderer.Moment, error) {
	s, err := t.player.Status(ctx)
	if err != nil || s.Item == nil {
		return renderer.Moment{}, err
	}
	now := time.Now()
	at := now
	if age := now.Sub(s.At); age > 0 && age < callTimeout { // else the clock has been set
		at = now.Add(-age)
	}
	return renderer.Moment{Key: s.Item.Key, Position: time.Duration(s.Position), At: at, Playing: s.State == playerapi.Playing}, nil
}

// Align implements [renderer.InStep].
func (t *TV) Align(ctx context.Context, m renderer.Moment) error {
	return t.player.Align(ctx, playerapi.Align{Key: m.Key, Position: media.Duration(m.Position), At: m.At})
}
