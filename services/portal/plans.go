package portal

import (
	"context"
	"os"
	"sync"
	"time"

	"manofwar/internal/media"
	streamapi "manofwar/services/stream/api"
)

const (
	// keepPlan is how long the plan of a whole file is kept. A player asks for a file in dozens of ranges, and all have
	// the same plan.
	keepPlan = 30 * time.Second
	// maxPlans bounds those that are kept: more than people who play at once.
	maxPlans = 256
)

// planCache keeps plans of whole files. One is used only while its file is still what it was.
type planCache struct {
	mu    sync.Mutex // guards plans
	plans map[media.ID]keptPlan
}

type keptPlan struct {
	streamapi.Plan
	until time.Time
}

// of returns the plan of an item's file: the one that is kept, or what ask answers.
func (c *planCache) of(ctx context.Context, id media.ID, ask func(context.Context) (streamapi.Plan, error)) (streamapi.Plan, error) {
	c.mu.Lock()
	kept, ok := c.plans[id]
	c.mu.Unlock()
	if ok && time.Now().Before(kept.until) && unchanged(kept.Plan) {
		return kept.Plan, nil
	}
	plan, err := ask(ctx)
	if err == nil && unchanged(plan) {
		c.keep(id, plan)
	}
	return plan, err
}

func (c *planCache) keep(id media.ID, plan streamapi.Plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.plans == nil || len(c.plans) >= maxPlans {
		c.plans = make(map[media.ID]keptPlan)
	}
	c.plans[id] = keptPlan{plan, time.Now().Add(keepPlan)}
}

// unchanged reports whether plan is that of one whole file, and the file is still of that size and time.
func unchanged(plan streamapi.Plan) bool {
	if len(plan.Parts) != 1 || plan.Parts[0].Path == "" || plan.Parts[0].Offset != 0 {
		return false
	}
	info, err := os.Stat(plan.Parts[0].Path)
	return err == nil && info.Mode().IsRegular() && info.Size() == plan.Parts[0].Length && info.ModTime().Equal(plan.Modified)
}
